package dict

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// Bucket returns primary bucket i; i < Buckets(). With [Bucket.Next] it is for walks that stop in the middle of a chain.
func (t *Table) Bucket(a *alloc.Arena, i int) *Bucket { return t.bucket(a, uint32(i)) }

// prefetchUnit is for how many hashes prefetches are issued together.
const prefetchUnit = 32

// PrefetchBuckets asks for the buckets in which entries of the hashes must be.
func (t *Table) PrefetchBuckets(a *alloc.Arena, hashes []uint64) {
	if t.n == 0 {
		return
	}
	var list [prefetchUnit]uintptr
	for len(hashes) > 0 {
		n := min(len(hashes), len(list))
		for j, h := range hashes[:n] {
			i := number(h, t.n)
			k := t.segmentOf(i)
			list[j] = a.Addr(t.segment(a, k)) + uintptr(int(i)-t.firstOf(k))*bucketBytes
		}
		alloc.Prefetch(list[:n])
		hashes = hashes[n:]
	}
}

// PrefetchEntries asks for the first line of the entry that probably is that of each hash. It reads the buckets.
func (t *Table) PrefetchEntries(a *alloc.Arena, hashes []uint64) {
	if t.n == 0 {
		return
	}
	var list [prefetchUnit]uintptr
	for len(hashes) > 0 {
		n := 0
		for _, h := range hashes[:min(len(hashes), len(list))] {
			b := t.Find(a, h)
			if m := b.Match(Fingerprint(h)); m != 0 {
				list[n] = a.Addr(b.refs[bits.TrailingZeros32(m)])
				n++
			}
		}
		alloc.Prefetch(list[:n])
		hashes = hashes[min(len(hashes), len(list)):]
	}
}
