package sketch

import (
	"math/rand/v2"
	"testing"

	"github.com/shoaldb/shoal/alloc"
)

func hashes(n int) []uint64 {
	rng := rand.New(rand.NewPCG(1, 2))
	h := make([]uint64, n)
	for i := range h {
		h[i] = rng.Uint64()&^(0xfff<<32) | 7<<32 // as in a shard: some bits are the same
	}
	return h
}

func TestFrequencyOrdersKeys(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var f Frequency
	h := hashes(10_000)
	for range h {
		f.Fit(a, len(h))
	}
	// The first hundred keys are accessed eight times as often as the others.
	for range 8 {
		for _, k := range h[:100] {
			f.Add(a, k)
		}
	}
	for _, k := range h {
		f.Add(a, k)
	}
	wrong := 0
	for _, k := range h[100:] {
		if f.Count(a, k) >= 4 {
			wrong++
		}
	}
	for _, k := range h[:100] {
		if f.Count(a, k) < 9/2 { // some counters have been halved meanwhile
			t.Fatalf("a key accessed 9 times counts %d", f.Count(a, k))
		}
	}
	if wrong > 50 {
		t.Fatalf("%d of 9900 keys are taken for frequent ones", wrong)
	}
	if f.Bytes() > 5*len(h) || f.Bytes() != a.Stats().Allocated {
		t.Fatalf("%d bytes for %d keys, allocated %d", f.Bytes(), len(h), a.Stats().Allocated)
	}
	for !f.Clear(a, 3) {
	}
	if a.Stats().Allocated != 0 {
		t.Fatal("memory is left")
	}
}

// Counters must fade: a key that nobody asks for any more loses to others after some accesses.
func TestFrequencyAges(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var f Frequency
	h := hashes(2000)
	for range h {
		f.Fit(a, len(h))
	}
	for range maxCount {
		f.Add(a, h[0])
	}
	for range 5 * agePeriod {
		for _, k := range h[1:] {
			f.Add(a, k)
		}
	}
	if was, other := f.Count(a, h[0]), f.Count(a, h[1]); was >= other {
		t.Fatalf("an old key counts %d, others %d", was, other)
	}
}

// Growth must not make known keys unknown.
func TestGrowthKeepsWhatIsKnown(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var f Frequency
	var g Ghosts
	f.Fit(a, 1)
	g.Fit(a, 1)
	h := hashes(10)
	for _, k := range h {
		g.Add(a, k)
		for range 4 {
			f.Add(a, k)
		}
	}
	for range 1000 {
		f.Fit(a, 10_000)
		g.Fit(a, 10_000)
	}
	for i, k := range h {
		if f.Count(a, k) < 4 || !g.Take(a, k) || g.Take(a, k) {
			t.Fatalf("key %d is forgotten: counts %d", i, f.Count(a, k))
		}
	}
	for range 2000 {
		f.Fit(a, 0)
		g.Fit(a, 0)
	}
	if n := f.Bytes() + g.Bytes(); n > 6*segmentBytes || n != a.Stats().Allocated {
		t.Fatalf("%d bytes after shrinking, allocated %d", n, a.Stats().Allocated)
	}
}

func TestGhostsRememberAboutAsManyAsAskedFor(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var g Ghosts
	const keys = 5000
	for range keys {
		g.Fit(a, keys)
	}
	h := hashes(4 * keys)
	for _, k := range h {
		g.Add(a, k)
	}
	young, old := 0, 0
	for i, k := range h {
		if !g.Take(a, k) {
			continue
		}
		if i >= len(h)-keys/2 {
			young++
		} else if i < len(h)-2*keys {
			old++
		}
	}
	if young < keys/2*95/100 || old > keys/20 {
		t.Fatalf("of the last %d keys %d are remembered, and %d long gone ones", keys/2, young, old)
	}
}
