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

// Candidates fills dst, which has room for as many as there are hashes, with a candidate for each hash that may have an
// entry, and returns those. heads are what Heads has found. A caller whose candidate turns out to be another entry
// searches too. No branch here depends on whether there is an entry: it would be mispredicted half of the time.
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

// Row is where an entry is in its table. It tells much of the entry's hash.
type Row struct {
	Bucket uint32
	Print  uint8 // the fingerprint
}

// Print returns the fingerprint in slot i.
func (b *Bucket) Print(i int) uint8 { return b.fp(i) }

// Joins tells whether [Table.Join] can be used for the rows of a table of n buckets: it has no fewer, but for a part of
// a doubling.
func (t *Table) Joins(n int) bool { return t.n > 0 && bits.Len32(uint32(n)) >= bits.Len32(t.n) }

// Join is Candidates for entries of which not the hashes are known but their rows in another table, of n buckets, with
// the same hash function. Candidate.Hash is the index of a row. Rows of one bucket should follow each other. Both
// tables are read from front to back, so there is nothing to prefetch.
func (t *Table) Join(a *alloc.Arena, n int, rows []Row, dst []Candidate) []Candidate {
	dst = dst[:len(rows)]
	var head, other *Bucket
	last, found := ^uint32(0), 0
	for j, r := range rows {
		if r.Bucket != last {
			head, other = t.counterparts(a, uint32(n), r.Bucket)
			last = r.Bucket
		}
		m := head.Match(r.Print)
		none := alloc.Ref(int32(m-1) >> 31) // see Candidates
		ref := head.refs[bits.TrailingZeros32(m|1<<(Slots-1))] &^ none
		if (other != nil || head.next != 0) && m == 0 {
			ref = elsewhere(head, other, r.Print)
		}
		dst[found] = Candidate{ref, uint32(j)}
		if ref != 0 {
			found++
		}
	}
	return dst[:found]
}

// counterparts returns the bucket where what is in bucket i of a table of n buckets must be in t, or two if i tells one
// bit of the hash too few.
func (t *Table) counterparts(a *alloc.Arena, n, i uint32) (head, other *Bucket) {
	top, theirs := highest(t.n), highest(n)
	low := i & (top - 1)
	switch {
	case low+top >= t.n: // not split yet
		return t.bucket(a, low), nil
	case theirs > top || i >= theirs || i+theirs < n:
		return t.bucket(a, i&(2*top-1)), nil
	}
	return t.bucket(a, low), t.bucket(a, low+top)
}

// highest returns the highest bit of n > 0.
func highest(n uint32) uint32 { return 1 << ((bits.Len32(n) - 1) & 31) }

// elsewhere returns a candidate of fingerprint fp from where head, in which there is none, leads.
func elsewhere(head, other *Bucket, fp uint8) alloc.Ref {
	if head.next != 0 || other.next != 0 {
		return Unsure
	}
	if m := other.Match(fp); m != 0 {
		return other.refs[bits.TrailingZeros32(m)]
	}
	return 0
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
