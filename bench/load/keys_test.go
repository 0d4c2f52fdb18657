package load

import (
	"math"
	"testing"
)

func TestUniformKeys(t *testing.T) {
	const space, draws = 100, 200_000
	s := newKeySource(space, Distribution{}, 42)
	var seen [space]int
	for range draws {
		seen[s.key()]++
	}
	for k, n := range seen {
		// Five standard deviations of a binomial.
		if want := float64(draws) / space; math.Abs(float64(n)-want) > 5*math.Sqrt(want) {
			t.Errorf("key %d drawn %d times, want about %.0f", k, n, want)
		}
	}
}

func TestSequentialKeys(t *testing.T) {
	s := newKeySource(3, Distribution{Sequential: true}, 1)
	for i := range uint64(7) {
		if got := s.key(); got != i%3 {
			t.Errorf("key %d = %d", i, got)
		}
	}
}

// TestZipf compares frequencies with 1/(k+1)^s, exponents below, at and above 1.
func TestZipf(t *testing.T) {
	const draws = 400_000
	f := func(space uint64, s float64) {
		z := newZipf(space, s)
		r := random(7)
		seen := make([]int, space)
		for range draws {
			seen[z.rank(&r)]++
		}
		sum := 0.0
		for k := range space {
			sum += math.Pow(float64(k+1), -s)
		}
		for k := range min(space, 20) {
			want := draws * math.Pow(float64(k+1), -s) / sum
			if got := float64(seen[k]); math.Abs(got-want) > 5*math.Sqrt(want) {
				t.Errorf("zipf %g of %d: rank %d drawn %.0f times, want about %.0f", s, space, k, got, want)
			}
		}
	}
	f(1, 0.99)
	f(2, 1.5)
	f(1000, 0.5)
	f(1000, 0.99)
	f(1000, 1)
	f(100_000, 1.2)
}

func TestParseDistribution(t *testing.T) {
	f := func(text string, want Distribution, ok bool) {
		t.Helper()
		got, err := ParseDistribution(text)
		if got != want || (err == nil) != ok {
			t.Errorf("ParseDistribution(%q) = %+v, %v", text, got, err)
		}
	}
	f("uniform", Distribution{}, true)
	f("sequential", Distribution{Sequential: true}, true)
	f("zipf", Distribution{Zipf: 0.99}, true)
	f("zipf:1.2", Distribution{Zipf: 1.2}, true)
	f("zipf:0", Distribution{}, false)
	f("zipf:NaN", Distribution{}, false)
	f("zipf:x", Distribution{}, false)
	f("uniform:1", Distribution{}, false)
	f("normal", Distribution{}, false)
}

func TestKeysDoNotAllocate(t *testing.T) {
	for _, d := range []Distribution{{}, {Sequential: true}, {Zipf: 0.99}} {
		s := newKeySource(1_000_000, d, 1)
		if n := testing.AllocsPerRun(1000, func() { s.key() }); n != 0 {
			t.Errorf("%v: %v allocations a key", d, n)
		}
	}
}

func BenchmarkKey(b *testing.B) {
	for _, d := range []Distribution{{}, {Zipf: 0.99}, {Zipf: 1.2}} {
		b.Run("dist="+d.String(), func(b *testing.B) {
			b.ReportAllocs()
			s := newKeySource(1_000_000, d, 1)
			for b.Loop() {
				s.key()
			}
		})
	}
}
