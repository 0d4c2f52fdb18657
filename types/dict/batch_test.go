package dict

import (
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/shoaldb/shoal/alloc"
)

// hashes are those of the entries 1, 2, ...
type hashes []uint64

func (h hashes) HashOf(ref alloc.Ref) uint64 { return h[ref] }

// tableOf returns a table of the entries from first on, n of them.
func tableOf(t *testing.T, a *alloc.Arena, h hashes, first, n int) (table Table) {
	t.Helper()
	for ref := first; ref < first+n; ref++ {
		if !table.Insert(a, h[ref], alloc.Ref(ref), h) {
			t.Fatal("no memory")
		}
	}
	return table
}

// rows returns the entries of a table and where they are.
func rows(a *alloc.Arena, table *Table) (refs []alloc.Ref, list []Row) {
	for i := range table.Buckets() {
		for b := table.Bucket(a, i); b != nil; b = b.Next(a) {
			for used := b.Used(); used != 0; used &= used - 1 {
				slot := bits.TrailingZeros32(used)
				refs = append(refs, b.Ref(slot))
				list = append(list, Row{uint32(i), b.Print(slot)})
			}
		}
	}
	return refs, list
}

// A search by hashes and one by rows must have a candidate for every entry that both tables have, and the right one
// unless another entry of the chain has its fingerprint.
func TestCandidatesAndJoin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	h := make(hashes, 4000)
	for i := range h {
		h[i] = rng.Uint64()
	}
	sizes := []int{1, 9, 11, 13, 25, 60, 105, 130, 333, 700, 1000, 1500}
	for _, m := range sizes {
		for _, n := range sizes {
			a := alloc.NewArena(alloc.NewHeap())
			from, to := tableOf(t, a, h, 1, m), tableOf(t, a, h, 1+m/2, n)
			refs, list := rows(a, &from)
			asked := make([]uint64, len(refs))
			for j, r := range refs {
				asked[j] = h[r]
			}
			heads := make([]uintptr, len(refs))
			to.Heads(a, asked, heads)
			checkCandidates(t, refs, 1+m/2, n, Candidates(asked, heads, make([]Candidate, len(refs))))
			if to.Joins(from.Buckets()) {
				checkCandidates(t, refs, 1+m/2, n, to.Join(a, from.Buckets(), list, make([]Candidate, len(refs))))
			}
		}
	}
}

// checkCandidates compares candidates for refs in a table of the n entries from first on.
func checkCandidates(t *testing.T, refs []alloc.Ref, first, n int, found []Candidate) {
	t.Helper()
	of := map[uint32]alloc.Ref{}
	for _, c := range found {
		of[c.Hash] = c.Ref
	}
	wrong := 0
	for j, r := range refs {
		c, ok := of[uint32(j)]
		if is := int(r) >= first && int(r) < first+n; is && !ok {
			t.Fatalf("no candidate for entry %d of %d", r, len(refs))
		} else if ok && c != Unsure && is != (c == r) {
			wrong++
		}
	}
	if wrong > len(refs)/8+5 {
		t.Fatalf("%d of %d candidates are wrong", wrong, len(refs))
	}
}
