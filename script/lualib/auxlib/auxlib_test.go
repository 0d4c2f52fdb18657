package auxlib

import (
	"math"
	"testing"
)

func TestFormatNumber(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", 99: "99", 100: "100", -7: "-7", 0.1: "0.1", 1.0 / 3: "0.33333333333333",
		1e14: "1e+14", 99999999999999: "99999999999999", -1e14: "-1e+14", 1e15: "1e+15", 1 << 53: "9.007199254741e+15",
		1e100: "1e+100", 1e-5: "1e-05", 0.0001: "0.0001", math.Copysign(0, -1): "-0",
		math.Inf(1): "inf", math.Inf(-1): "-inf", 5e-324: "4.9406564584125e-324",
	} {
		if got := FormatNumber(f); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
	if got := FormatNumber(math.Copysign(0, -1)); got != "-0" {
		t.Errorf("-0: %s", got)
	}
	if got := FormatNumber(math.Copysign(math.NaN(), -1)); got != "-nan" {
		t.Errorf("NaN: %s", got)
	}
}

func TestParseNumber(t *testing.T) {
	for s, want := range map[string]float64{
		"0": 0, "10": 10, "-5": -5, "+5": 5, " 7\n": 7, "\v8\f": 8, "010": 10, "1.5": 1.5, ".5": 0.5, "5.": 5,
		"1e3": 1000, "0x10": 16, "0X1F": 31, "0x1p4": 16, "0x.8": 0.5, "-0x10": -16, "inf": math.Inf(1),
		"-Infinity": math.Inf(-1), "1e400": math.Inf(1), "1\x00junk": 1, "123456789012345678": 123456789012345678,
	} {
		if got, ok := ParseNumber(s); !ok || got != want {
			t.Errorf("%q: %v %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", " ", "a", "1a", "1 2", "0x", "0b1", "1_0", "--1", "+-1", "- 1", ".", "1e", "0xg", "-"} {
		if got, ok := ParseNumber(s); ok {
			t.Errorf("%q: %v", s, got)
		}
	}
	if got, ok := ParseNumber("-0"); !ok || !math.Signbit(got) {
		t.Errorf("-0: %v %v", got, ok)
	}
	if got, ok := ParseNumber("nan"); !ok || !math.IsNaN(got) {
		t.Errorf("nan: %v %v", got, ok)
	}
}

func TestConversions(t *testing.T) {
	for f, want := range map[float64]int64{
		1.9: 1, -1.9: -1, 1e300: math.MinInt64, -1e300: math.MinInt64, 1 << 62: 1 << 62, -(1 << 63): math.MinInt64,
	} {
		if got := ToInteger(f); got != want {
			t.Errorf("%v: %d, want %d", f, got, want)
		}
	}
	if got := ToInteger(math.NaN()); got != math.MinInt64 {
		t.Errorf("NaN: %d", got)
	}
	for f, want := range map[float64]uint64{1.9: 1, 1 << 63: 1 << 63, 1e300: 0, -1: math.MaxUint64} {
		if got := ToUnsigned(f); got != want {
			t.Errorf("%v: %d, want %d", f, got, want)
		}
	}
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"1", "-0", "0x10", "1e5", " inf ", "1.7976931348623157e309"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := ParseNumber(s)
		if !ok {
			return
		}
		again, ok := ParseNumber(FormatNumber(n))
		if !ok || math.IsNaN(n) != math.IsNaN(again) || math.Abs(again-n) > math.Abs(n)*1e-13 {
			t.Errorf("%q: %v, written and read %v", s, n, again)
		}
	})
}
