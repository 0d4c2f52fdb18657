package geohash

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// bigSine returns the sine of x by its series, with 200 bits.
func bigSine(x float64) float64 {
	at := new(big.Float).SetPrec(200).SetFloat64(x)
	square := new(big.Float).Mul(at, at)
	term, sum := new(big.Float).Copy(at), new(big.Float).Copy(at)
	for n := int64(2); n < 60; n += 2 {
		term.Mul(term, square)
		term.Quo(term, new(big.Float).SetInt64(-n*(n+1)))
		sum.Add(sum, term)
	}
	f, _ := sum.Float64()
	return f
}

func TestSinCos(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, x := range []float64{0, 1e-300, 1e-9, -1e-9, 0.5, -0.5, 1, 3, -3, math.Pi / 2, -math.Pi / 2} {
		if sin, _ := sinCos(x); sin.high != bigSine(x) {
			t.Errorf("sin(%v) = %v, want %v", x, sin.high, bigSine(x))
		}
	}
	for range 3000 {
		x := (rnd.Float64() - 0.5) * 2 * math.Pi
		sin, cos := sinCos(x)
		if sin.high != bigSine(x) {
			t.Errorf("sin(%v) = %v, want %v", x, sin.high, bigSine(x))
		}
		if one := sin.times(sin).plus(cos.times(cos)); one.high != 1 || math.Abs(one.low) > 1e-29 {
			t.Errorf("%v: sin² + cos² = %v", x, one)
		}
	}
}

func TestArcSin(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, z := range []float64{0, 1} {
		if got := arcSin(z); got != math.Asin(z) {
			t.Error(z, got)
		}
	}
	for range 20000 {
		z := rnd.Float64()
		x := arcSin(z)
		// The sines of x and of its neighbours say which of them is nearest.
		sin, cos := sinCos(x)
		off := wide{high: z}.minus(sin).high / cos.high
		if half := (math.Nextafter(x, 2) - x) / 2; math.Abs(off) > half {
			t.Errorf("asin(%v) = %v, which is %v off", z, x, off)
		}
	}
}

func TestExactDistance(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	point := func() Point { return Point{rnd.Float64()*360 - 180, rnd.Float64()*170 - 85} }
	for range 20000 {
		a, b := point(), point()
		if d, near := ExactDistance(a, b), Distance(a, b); math.Abs(d-near) > 1e-6 {
			t.Errorf("%v to %v: %v and %v", a, b, d, near)
		}
	}
	if p := (Point{2.5, 40}); ExactDistance(p, p) != 0 || ExactDistance(p, Point{2.5, 41}) != Distance(p, Point{2.5, 41}) {
		t.Error("distances of the same longitude")
	}
}

func BenchmarkExactDistance(b *testing.B) {
	from, to := Point{13.361389, 38.115556}, Point{15.087269, 37.502669}
	for b.Loop() {
		ExactDistance(from, to)
	}
}
