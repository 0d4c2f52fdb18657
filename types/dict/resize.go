package dict

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// split moves the upper half of one bucket into a new one. The entries of the bucket that will be split
// next are prefetched, so that the next call finds them in the cache.
func (t *Table) split(a *alloc.Arena, hasher Hasher) bool {
	n := t.n
	top := uint32(1) << (bits.Len32(n) - 1)
	if !t.addBucket(a) {
		return false
	}
	t.set(growing, (n+1)&n != 0)
	t.redistribute(a, n-top, n, top, hasher)
	if t.is(growing) {
		t.prefetch(a, n+1-top)
	}
	return true
}

// redistribute takes bucket from's chain apart and stores each entry in from or to.
func (t *Table) redistribute(a *alloc.Arena, from, to, bit uint32, hasher Hasher) {
	low, high := t.bucket(a, from), t.bucket(a, to)
	t.drain(a, low, func(fp uint8, ref alloc.Ref) {
		target := low
		if uint32(hasher.HashOf(ref))&bit != 0 {
			target = high
		}
		if !t.put(a, target, fp, ref) {
			// Two chains need no more overflow buckets than one of as many entries, and drain has given that one's back.
			panic("dict: no memory for an overflow bucket that was given back")
		}
	})
}

// prefetch asks for the entries of bucket i and for the line of the bucket after it.
func (t *Table) prefetch(a *alloc.Arena, i uint32) {
	var list [Slots + 1]uintptr
	b := t.bucket(a, i)
	n := 0
	for used := b.Used(); used != 0; used &= used - 1 {
		list[n] = a.Addr(b.refs[bits.TrailingZeros32(used)])
		n++
	}
	k := t.segmentOf(i)
	list[n] = a.Addr(t.segment(a, k)) + uintptr(int(i)-t.firstOf(k)+1)*bucketBytes
	alloc.Prefetch(list[:n+1])
}

// merge moves the last bucket's entries into the bucket it was once split from. It returns false, having
// changed nothing, if there is no such bucket, no memory, or the table is frozen.
func (t *Table) merge(a *alloc.Arena) bool {
	n := t.n - 1 // the bucket to go
	if int32(n) <= 0 || t.is(frozen) {
		return false
	}
	into, from := t.bucket(a, n-1<<(bits.Len32(n)-1)), t.bucket(a, n)
	if !t.lengthen(a, into, into.entries(a)+from.entries(a)) {
		return false
	}
	t.drain(a, from, func(fp uint8, ref alloc.Ref) { t.put(a, into, fp, ref) })
	t.set(growing, false)
	t.dropBucket(a)
	return true
}

// entries returns the number of entries in the chain that begins with b.
func (b *Bucket) entries(a *alloc.Arena) int {
	n := 0
	for ; b != nil; b = b.Next(a) {
		n += bits.OnesCount32(b.Used())
	}
	return n
}

// lengthen gives the chain that begins with last room for n entries, of which more than it now has are about to be put.
// It returns false, having changed nothing, if there is no memory.
func (t *Table) lengthen(a *alloc.Arena, last *Bucket, n int) bool {
	for n -= Slots; last.next != 0; n -= Slots {
		last = alloc.At[Bucket](a, last.next)
	}
	end := last
	for ; n > 0; n -= Slots {
		if last.next = t.newOverflow(a); last.next == 0 {
			t.freeChain(a, end.next)
			end.next = 0
			return false
		}
		last = alloc.At[Bucket](a, last.next)
	}
	return true
}

// freeChain frees the overflow bucket r and those after it.
func (t *Table) freeChain(a *alloc.Arena, r alloc.Ref) {
	for r != 0 {
		next := alloc.At[Bucket](a, r).next
		t.freeOverflow(a, r)
		r = next
	}
}

// drain empties the chain that begins with b: each bucket is given back before visit is called for
// what was in it.
func (t *Table) drain(a *alloc.Arena, b *Bucket, visit func(fp uint8, ref alloc.Ref)) {
	old := *b
	*b = Bucket{}
	for {
		for used := old.Used(); used != 0; used &= used - 1 {
			i := bits.TrailingZeros32(used)
			visit(old.fp(i), old.refs[i])
		}
		r := old.next
		if r == 0 {
			return
		}
		old = *alloc.At[Bucket](a, r)
		t.freeOverflow(a, r)
	}
}

// Step does up to n steps of a resize that is under way or due, for a table that is not written
// to. It returns whether more remain.
func (t *Table) Step(a *alloc.Arena, n int, hasher Hasher) bool {
	for ; n > 0; n-- {
		did := false
		switch t.direction() {
		case +1:
			did = t.split(a, hasher)
		case -1:
			did = t.merge(a)
		}
		if !did {
			return false
		}
	}
	return t.direction() != 0
}

// direction tells whether the table ought to grow (+1), to shrink (-1) or to stay. A table that is half way
// down turns round if it has filled up again meanwhile.
func (t *Table) direction() int {
	n := t.Buckets()
	switch {
	case n == 0:
		return 0
	case t.is(growing) || t.Len() > growLoad*n:
		return +1
	case t.Resizing() && t.Len() > turnLoad*n:
		return +1
	case t.is(frozen):
		return 0
	case t.Resizing() || n > 1 && t.Len() < shrinkLoad*n:
		return -1
	}
	return 0
}
