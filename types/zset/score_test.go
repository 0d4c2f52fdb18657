package zset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func TestPlainDecimal(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		got, ok := plainDecimal([]byte(text))
		if ok != want {
			t.Errorf("%q: %v", text, ok)
		}
		if exact, err := strconv.ParseFloat(text, 64); ok && (err != nil || math.Float64bits(exact) != math.Float64bits(got)) {
			t.Errorf("%q is %v, not %v", text, exact, got)
		}
	}
	for _, text := range []string{"0.5", "-0.5", "17.25", "-0.0", "123456789012.345", "0.00000000000001", "99999999999999.9"} {
		f(text, true)
	}
	for _, text := range []string{"", "-", ".", "5", "-5", ".5", "5.", "1..5", "1.5.5", "1e5", "1.5e5", "inf", "nan", "+1.5", "1_0.5", "1.2345678901234567", " 1.5", "0x1.5"} {
		f(text, false)
	}
	for range 100_000 {
		digits := fmt.Sprint(10 + rand.Int64N(1e15-10))
		point := 1 + rand.IntN(len(digits)-1)
		f(digits[:point]+"."+digits[point:], true)
	}
}

func BenchmarkPlainDecimal(b *testing.B) {
	for _, text := range []string{"17.25", "1234567.891"} {
		in := []byte(text)
		b.Run(fmt.Sprintf("own/score=%s", text), func(b *testing.B) {
			for b.Loop() {
				_, _ = plainDecimal(in)
			}
		})
		b.Run(fmt.Sprintf("strconv/score=%s", text), func(b *testing.B) {
			for b.Loop() {
				_, _ = strconv.ParseFloat(string(in), 64)
			}
		})
	}
}
