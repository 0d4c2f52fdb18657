package latency

import (
	"math"
	"math/bits"
)

// Histogram counts durations. It belongs to one goroutine. Its buckets are eighths of powers of two of nanoseconds, so a duration
// is known to 1/8; those of more than maxExponent count as that.
//
//	bucket of n ns = 8 * exponent + next three bits       n = 1bbb.... in binary, exponent = position of the 1
type Histogram struct {
	counts Counts
}

const (
	maxExponent = 39 // 2^40 ns are 18 minutes
	buckets     = 8 * (maxExponent + 1)
)

// Add counts n durations of nanos each.
func (h *Histogram) Add(nanos, n int64) {
	h.counts[bucket(nanos)] += n
}

func bucket(nanos int64) int {
	n := uint64(max(nanos, 8))
	exponent := bits.Len64(n) - 1
	if exponent > maxExponent {
		return buckets - 1
	}
	return 8*exponent + int(n>>(exponent-3)&7)
}

// upper is the longest duration that a bucket counts, ns.
func upper(i int) int64 {
	exponent, part := i/8, int64(i%8)
	if exponent < 3 {
		return 8
	}
	return (8+part+1)<<(exponent-3) - 1
}

// Counts is the sum of histograms.
type Counts [buckets]int64

// AddTo adds what h has counted to sum.
func (h *Histogram) AddTo(sum *Counts) {
	for i := range h.counts {
		sum[i] += h.counts[i]
	}
}

// Reset forgets everything.
func (h *Histogram) Reset() { *h = Histogram{} }

// Total is how many durations were counted.
func (c *Counts) Total() int64 {
	total := int64(0)
	for _, n := range c {
		total += n
	}
	return total
}

// Percentile returns the duration, ns, that percent of all do not exceed; 0 if there are none.
func (c *Counts) Percentile(percent float64) int64 {
	total := c.Total()
	want := int64(math.Ceil(percent / 100 * float64(total)))
	seen := int64(0)
	for i, n := range c {
		if seen += n; n > 0 && seen >= want {
			return upper(i)
		}
	}
	return 0
}

// Cumulative is how many durations took at most Micros.
type Cumulative struct{ Micros, Count int64 }

// PowersOfTwo returns cumulative counts at powers of two of 1024 ns, from the first that is not 0 to the first that is
// all, without those at which nothing was added. The microseconds are what Redis calls them: 1, 2, 4, 8, 16, 33, 66,
// 132 ...
func (c *Counts) PowersOfTwo() []Cumulative {
	var list []Cumulative
	total := c.Total()
	seen := int64(0)
	i := 0
	for units := int64(1); seen < total; units *= 2 {
		before := seen
		for ; i < buckets && upper(i) <= units*1024; i++ {
			seen += c[i]
		}
		if i == buckets {
			seen = total
		}
		if seen > before {
			list = append(list, Cumulative{(units*1032 - 1) / 1000, seen})
		}
	}
	return list
}
