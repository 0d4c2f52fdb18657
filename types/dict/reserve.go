package dict

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// Reserve gives an empty table the buckets that n insertions would leave it with, at most so many in one call, and
// tells whether they are all there: n insertions move nothing then. Settle is to follow them. The error, if there is no
// memory, is ok = false; then, as when not all entries come, the table is to be cleared.
func (t *Table) Reserve(a *alloc.Arena, n, most int) (done, ok bool) {
	want := bucketsFor(n)
	for ; t.Buckets() < want; most-- {
		if most <= 0 {
			return false, true
		}
		if !t.addBucket(a) {
			return false, false
		}
	}
	return true, true
}

// Settle makes a table go on growing from where insertions into reserved buckets have brought it.
func (t *Table) Settle() { t.set(growing, t.Resizing()) }

// bucketsFor returns how many buckets a table has after n insertions.
func bucketsFor(n int) int {
	if n <= growLoad {
		return min(n, 1)
	}
	before := 1 << (bits.Len(uint((n-1)/growLoad)) - 1) // buckets when the last doubling began
	return before + min(before, n-growLoad*before)
}
