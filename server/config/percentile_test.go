package config

import "testing"

// Percentiles are read as C reads numbers, and shown with six decimals at most.
func TestParsePercentile(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		got := "-"
		if p, ok := parsePercentile(text); ok {
			got = FormatPercentile(p)
		}
		if got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	f("50", "50")
	f("+99.9", "99.9")
	f("99.123456789", "99.123457")
	f("1e1", "10")
	f(".5", "0.5")
	f("0", "0")
	f("-0.0e5", "-0")
	f("1e-400", "-")
	f("0x10", "16")
	f("0x1p3", "8")
	f("0X1.8", "1.5")
	f("0x0", "0")
	f("0x", "-")
	f("1_0", "-")
	f("nan", "-")
	f("", "-")
	f("x", "-")
}
