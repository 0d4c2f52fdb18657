package dict

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// Bucket returns primary bucket i; i < Buckets(). With [Bucket.Next] it is for walks that stop in the middle of a chain.
func (t *Table) Bucket(a *alloc.Arena, i int) *Bucket { return t.bucket(a, uint32(i)) }

// Heads sets heads[j] to the address of the bucket in which an entry of hashes[j] must be: for [alloc.Prefetch], and for
// [Candidates] before the table's next change. The table is not empty.
func (t *Table) Heads(a *alloc.Arena, hashes []uint64, heads []uintptr) {
	var bases [maxSegments]uintptr // of segments met, less the offset of their first bucket
	heads = heads[:len(hashes)]
	for j, h := range hashes {
		i := number(h, t.n)
		k := t.segmentOf(i)
		if bases[k] == 0 {
			bases[k] = a.Addr(t.segment(a, k)) - uintptr(t.firstOf(k))*bucketBytes
		}
		heads[j] = bases[k] + uintptr(i)*bucketBytes
	}
}

// maxSegments is how many segments a table has at most.
const maxSegments = wideDir

// Candidate is an entry that probably is that of a hash.
type Candidate struct {
	Ref  alloc.Ref
	Hash uint32 // its index
}

// Unsure stands for an entry that is not known: whether there is one takes a search.
const Unsure alloc.Ref = 1<<32 - 1

// Candidates fills dst, which has room for as many as there are hashes, with a candidate for each hash that may have an entry, and
// returns those. heads are what Heads has found. A caller whose candidate turns out to be another entry searches too. No branch here
// depends on whether there is an entry: it would be mispredicted half of the time.
func Candidates(hashes []uint64, heads []uintptr, dst []Candidate) []Candidate {
	heads, dst = heads[:len(hashes)], dst[:len(hashes)]
	n := 0
	for j, h := range hashes {
		b := alloc.PtrAt[Bucket](heads[j])
		m := b.Match(Fingerprint(h))
		none := alloc.Ref(int32(m-1) >> 31) // all ones if m is 0
		ref := b.refs[bits.TrailingZeros32(m|1<<(Slots-1))] &^ none
		if b.next != 0 && m == 0 {
			ref = Unsure
		}
		dst[n] = Candidate{ref, uint32(j)}
		if ref != 0 {
			n++
		}
	}
	return dst[:n]
}

// prefetchUnit is for how many entries prefetches are issued together.
const prefetchUnit = 32

// PrefetchEntries asks for the first lines of candidates.
func PrefetchEntries(a *alloc.Arena, list []Candidate) {
	var addrs [prefetchUnit]uintptr
	for len(list) > 0 {
		n := min(len(list), len(addrs))
		for j, c := range list[:n] {
			addrs[j] = a.Addr(c.Ref)
		}
		alloc.Prefetch(addrs[:n])
		list = list[n:]
	}
}
