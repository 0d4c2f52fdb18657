package dict

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// Scan calls visit for every entry of one group of buckets and returns the cursor of the next
// group; it starts and ends with 0. An entry that is present during the whole of a scan is
// visited at least once, however the table grows or shrinks between the calls: the cursor counts
// with its bits reversed, as Redis' does (antirez and P. Noordhuis, dictScan), and a bucket is visited
// together with what was split from it. visit must not change the table.
func (t *Table) Scan(a *alloc.Arena, cursor uint32, visit func(alloc.Ref)) uint32 {
	n := t.n
	if n == 0 {
		return 0
	}
	top := uint32(1) << (bits.Len32(n) - 1)
	i := cursor & (top - 1)
	t.Visit(a, i, visit)
	if i+top < n {
		t.Visit(a, i+top, visit)
	}
	cursor |= ^(top - 1)
	cursor = bits.Reverse32(bits.Reverse32(cursor) + 1)
	return cursor
}

// Visit calls visit for every entry of bucket i's chain; i < Buckets().
func (t *Table) Visit(a *alloc.Arena, i uint32, visit func(alloc.Ref)) {
	for b := t.bucket(a, i); b != nil; b = b.Next(a) {
		for used := b.Used(); used != 0; used &= used - 1 {
			visit(b.refs[bits.TrailingZeros32(used)])
		}
	}
}

// Sample appends to dst up to limit entries from neighbouring buckets, beginning at one picked by
// random. It looks at no more than 8*limit buckets and so may return none.
func (t *Table) Sample(a *alloc.Arena, random uint64, limit int, dst []alloc.Ref) []alloc.Ref {
	n := t.n
	if n == 0 {
		return dst
	}
	i := uint32((random >> 32) * uint64(n) >> 32)
	stop := len(dst) + limit
	for tries := 8 * limit; tries > 0 && len(dst) < stop; tries-- {
		for b := t.bucket(a, i); b != nil; b = b.Next(a) {
			for used := b.Used(); used != 0 && len(dst) < stop; used &= used - 1 {
				dst = append(dst, b.refs[bits.TrailingZeros32(used)])
			}
		}
		if i++; i == n {
			i = 0
		}
	}
	return dst
}

// Random returns an entry picked at random, or 0 if the table is empty. Buckets are picked evenly and accepted in
// proportion to their entries, so that all entries are nearly equally likely; next supplies random words.
func (t *Table) Random(a *alloc.Arena, next func() uint64) alloc.Ref {
	if t.count == 0 {
		return 0
	}
	n := t.n
	for range maxTries {
		r := next()
		slot := int(uint32(r) % (2 * Slots))
		for b := t.bucket(a, uint32((r>>32)*uint64(n)>>32)); b != nil && slot >= 0; b = b.Next(a) {
			if slot < Slots && b.Used()>>slot&1 != 0 {
				return b.refs[slot]
			}
			slot -= Slots
		}
	}
	// A table kept from shrinking may be nearly empty: take what comes next.
	i := uint32((next() >> 32) * uint64(n) >> 32)
	for t.bucket(a, i).Used() == 0 {
		if i++; i == n {
			i = 0
		}
	}
	b := t.bucket(a, i)
	return b.refs[bits.TrailingZeros32(b.Used())]
}

// maxTries bounds the search for a random entry: a table that may shrink has two or more entries a bucket and so
// takes 12 tries on average.
const maxTries = 200

// Clear gives back all buckets from the last one down, at most limit of them, calling visit for each
// entry (so that its owner can free it). It returns whether the table is now empty.
func (t *Table) Clear(a *alloc.Arena, limit int, visit func(alloc.Ref)) bool {
	t.set(growing, false)
	for ; limit > 0 && t.n > 0; limit-- {
		t.drain(a, t.bucket(a, t.n-1), func(_ uint8, ref alloc.Ref) {
			t.count--
			visit(ref)
		})
		t.dropBucket(a)
	}
	return t.n == 0
}
