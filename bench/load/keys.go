package load

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Distribution says which keys of the key space are asked for.
type Distribution struct {
	// Zipf is the exponent s of a Zipf distribution, under which key k is drawn with a probability
	// proportional to 1/(k+1)^s. 0 means uniform.
	Zipf float64
	// Sequential takes keys in order, each once per round of the key space.
	Sequential bool
}

// defaultZipf is the exponent of the YCSB benchmark.
const defaultZipf = 0.99

// ParseDistribution reads "uniform", "sequential", "zipf" or "zipf:S".
func ParseDistribution(text string) (Distribution, error) {
	name, exponent, hasExponent := strings.Cut(text, ":")
	switch {
	case name == "uniform" && !hasExponent:
		return Distribution{}, nil
	case name == "sequential" && !hasExponent:
		return Distribution{Sequential: true}, nil
	case name == "zipf" && !hasExponent:
		return Distribution{Zipf: defaultZipf}, nil
	case name == "zipf":
		s, err := strconv.ParseFloat(exponent, 64)
		if err != nil || !(s > 0 && s <= 10) {
			return Distribution{}, fmt.Errorf("zipf exponent %q is not a number above 0 and at most 10", exponent)
		}
		return Distribution{Zipf: s}, nil
	}
	return Distribution{}, fmt.Errorf("unknown distribution %q (uniform, sequential, zipf, zipf:S)", text)
}

func (d Distribution) String() string {
	switch {
	case d.Sequential:
		return "sequential"
	case d.Zipf > 0:
		return fmt.Sprintf("zipf:%g", d.Zipf)
	}
	return "uniform"
}

// random is wyrand: a counter whose 128-bit product is folded. It passes the usual tests, has a period of
// 2^64 and costs two multiplications.
type random uint64

func (r *random) uint64() uint64 {
	*r += 0xa0761d6478bd642f
	hi, lo := bits.Mul64(uint64(*r), uint64(*r)^0xe7037ed1a0b428db)
	return hi ^ lo
}

// below gives a number in [0, n).
func (r *random) below(n uint64) uint64 {
	hi, _ := bits.Mul64(r.uint64(), n)
	return hi
}

// float gives a number in [0, 1).
func (r *random) float() float64 { return float64(r.uint64()>>11) / (1 << 53) }

// keySource numbers the keys of requests. Each worker has its own.
type keySource struct {
	random     random
	space      uint64
	zipf       *zipf
	sequential bool
	next       uint64 // of a sequential source
}

func newKeySource(space int64, d Distribution, seed uint64) *keySource {
	s := &keySource{random: random(seed), space: uint64(max(space, 1)), sequential: d.Sequential}
	if d.Zipf > 0 {
		s.zipf = newZipf(s.space, d.Zipf)
	}
	return s
}

func (s *keySource) key() uint64 {
	switch {
	case s.sequential:
		k := s.next % s.space
		s.next++
		return k
	case s.zipf != nil:
		return s.zipf.rank(&s.random)
	}
	return s.random.below(s.space)
}

// zipf draws ranks by rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to
// generate variates from monotone discrete distributions", 1996): no table, constant expected
// time for any exponent above 0.
type zipf struct {
	n        float64
	s        float64
	hFirst   float64 // H(1.5) - 1
	hLast    float64 // H(n + 0.5)
	shortcut float64 // a rank this close to its variate needs no further test
}

func newZipf(n uint64, s float64) *zipf {
	z := &zipf{n: float64(n), s: s}
	z.hFirst = z.integral(1.5) - 1
	z.hLast = z.integral(z.n + 0.5)
	z.shortcut = 2 - z.inverse(z.integral(2.5)-math.Pow(2, -s))
	return z
}

// integral is the antiderivative of x^-s that vanishes at 1.
func (z *zipf) integral(x float64) float64 {
	log := math.Log(x)
	return expm1Over((1-z.s)*log) * log
}

func (z *zipf) inverse(x float64) float64 {
	t := max(x*(1-z.s), -1)
	return math.Exp(log1pOver(t) * x)
}

// rank gives a rank in [0, n), 0 being the most frequent.
func (z *zipf) rank(r *random) uint64 {
	for {
		u := z.hLast + r.float()*(z.hFirst-z.hLast)
		x := z.inverse(u)
		k := min(max(math.Floor(x+0.5), 1), z.n)
		if k-x <= z.shortcut || u >= z.integral(k+0.5)-math.Pow(k, -z.s) {
			return uint64(k) - 1
		}
	}
}

// expm1Over is (e^x - 1)/x, continuous at 0.
func expm1Over(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Expm1(x) / x
	}
	return 1 + x/2
}

// log1pOver is log(1+x)/x, continuous at 0.
func log1pOver(x float64) float64 {
	if math.Abs(x) > 1e-8 {
		return math.Log1p(x) / x
	}
	return 1 - x/2
}

// Draws returns a function that draws keys of a key space.
func (d Distribution) Draws(space int64, seed uint64) func() uint64 {
	s := newKeySource(space, d, seed)
	return s.key
}
