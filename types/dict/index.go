package dict

import (
	"math/bits"
	"sync/atomic"

	"github.com/shoaldb/shoal/alloc"
)

// Index is the table of a keyspace: it knows the addresses of its segments, so that a bucket is found without a detour
// through the arena's page table, and without the owner's lock. It is kept on the Go heap. The zero value is unusable; see
// Init.
type Index struct {
	arena    *alloc.Arena
	segments [33 - indexBits]atomic.Uintptr // address of segment k, less the offset of its first bucket
	shape    atomic.Uint64                  // number of primary buckets in the low half; see mask
	table    Table
}

// mask is the high half of the shape of an index of n primary buckets: 2^k - 1, the least that is n - 1 or more.
func mask(n uint32) uint64 { return (1<<bits.Len32(max(n, 1)-1) - 1) << 32 }

// place is number for an index of some shape.
func place(h, shape uint64) uint32 {
	mask, n := shape>>32, int64(uint32(shape))
	i := h & mask
	split := uint64((int64(i) - n) >> 63) // all ones if there is a bucket i
	return uint32(i & (mask>>1 | split))
}

// Init makes x an empty table in a's memory. It holds no memory until the first Insert.
func (x *Index) Init(a *alloc.Arena) {
	x.arena = a
	x.table.state = indexed
}

// publish makes the addresses of segments agree with the table, whose last segments have come or gone.
func (x *Index) publish() {
	if uint32(x.shape.Load()) != x.table.n {
		x.publishSlow()
	}
}

func (x *Index) publishSlow() {
	t, was, n := &x.table, uint32(x.shape.Load()), x.table.n
	shape := mask(n) | uint64(n)
	if n < was {
		x.shape.Store(shape) // before the segments: Peek reads it first
	}
	for k := range x.segments {
		first := uint32(t.firstOf(k))
		switch {
		case first < n && first >= was:
			x.segments[k].Store(x.arena.Addr(t.segment(x.arena, k)) - uintptr(first)*bucketBytes)
		case first >= n && first < was:
			x.segments[k].Store(0)
		}
	}
	x.shape.Store(shape) // after the segments
}

func (x *Index) address(i uint32) uintptr {
	return x.segments[bits.Len32(i>>indexBits)].Load() + uintptr(i)*bucketBytes
}

// Find returns the bucket where an entry of hash h must be, or nil.
func (x *Index) Find(h uint64) *Bucket {
	shape := x.shape.Load()
	if shape == 0 {
		return nil
	}
	return alloc.PtrAt[Bucket](x.address(place(h, shape)))
}

// Next returns the overflow bucket after b, or nil.
func (x *Index) Next(b *Bucket) *Bucket {
	if b.next == 0 {
		return nil
	}
	return alloc.At[Bucket](x.arena, b.next)
}

// Insert is [Table.Insert].
func (x *Index) Insert(h uint64, ref alloc.Ref, hasher Hasher) bool {
	ok := x.table.insert(x.arena, x.Find(h), h, ref, hasher)
	x.publish()
	return ok
}

// Remove is [Table.Remove].
func (x *Index) Remove(h uint64, b *Bucket, i int) {
	x.table.remove(x.arena, x.Find(h), b, i)
	x.publish()
}

// Step is [Table.Step].
func (x *Index) Step(n int, hasher Hasher) (more bool) {
	for more = true; more && n > 0; n-- {
		more = x.table.Step(x.arena, 1, hasher)
		x.publish()
	}
	return more
}

// Clear is [Table.Clear].
func (x *Index) Clear(limit int, visit func(alloc.Ref)) bool {
	done := x.table.Clear(x.arena, limit, visit)
	x.publish()
	return done
}

// Len returns the number of entries.
func (x *Index) Len() int { return x.table.Len() }

// Buckets returns the number of primary buckets.
func (x *Index) Buckets() int { return x.table.Buckets() }

// Resizing tells whether the table is in the middle of doubling or halving.
func (x *Index) Resizing() bool { return x.table.Resizing() }

// Bytes returns the memory of the buckets and of their directory.
func (x *Index) Bytes() int { return x.table.Bytes() }

// Freeze is [Table.Freeze].
func (x *Index) Freeze(on bool) { x.table.Freeze(on) }

// Scan is [Table.Scan].
func (x *Index) Scan(cursor uint32, visit func(alloc.Ref)) uint32 {
	return x.table.Scan(x.arena, cursor, visit)
}

// Visit is [Table.Visit].
func (x *Index) Visit(i uint32, visit func(alloc.Ref)) { x.table.Visit(x.arena, i, visit) }

// Random is [Table.Random].
func (x *Index) Random(next func() uint64) alloc.Ref { return x.table.Random(x.arena, next) }

// Sample is [Table.Sample].
func (x *Index) Sample(random uint64, limit int, dst []alloc.Ref) []alloc.Ref {
	return x.table.Sample(x.arena, random, limit, dst)
}

// Swap exchanges the contents of x and o, which have the same arena.
func (x *Index) Swap(o *Index) {
	x.table, o.table = o.table, x.table
	shape := x.shape.Load()
	x.shape.Store(o.shape.Load())
	o.shape.Store(shape)
	for k := range x.segments {
		s := x.segments[k].Load()
		x.segments[k].Store(o.segments[k].Load())
		o.segments[k].Store(s)
	}
}

// Forget makes x empty without giving back its memory, for an arena that is dropped as a whole.
func (x *Index) Forget() {
	x.table = Table{state: indexed}
	x.publish()
}

// Peek returns the address of the bucket of hash h, or 0, for prefetching. It may be called
// without the owner's lock; the address may be out of date but never faults: memory that was
// a segment once stays readable.
func (x *Index) Peek(h uint64) uintptr {
	shape := x.shape.Load()
	if shape == 0 {
		return 0
	}
	i := place(h, shape)
	segment := x.segments[bits.Len32(i>>indexBits)].Load()
	if segment == 0 {
		return 0 // given back since the shape was read
	}
	return segment + uintptr(i)*bucketBytes
}

// smallEntry is how far the second line of a common entry begins at most, in bytes: one of 56 has a second line in six
// places of eight.
const smallEntry = 48

// PeekRefs appends to dst addresses in the entries with h's fingerprint in the bucket at addr, a result of Peek: of
// their first line and, if they may have one, of the second. Like Peek it needs no lock and what it returns
// serves only to prefetch.
func (x *Index) PeekRefs(addr uintptr, h uint64, dst []uintptr) []uintptr {
	if addr == 0 {
		return dst
	}
	b := alloc.PtrAt[Bucket](addr)
	for m := b.Hits(Fingerprint(h)); m != 0; m &= m - 1 {
		entry := x.arena.Addr(b.refs[Slot(m)])
		dst = append(dst, entry, entry+smallEntry)
	}
	return dst
}

// PeekRef is PeekRefs for the first such entry only, which is the one that is looked for nearly always.
func (x *Index) PeekRef(addr uintptr, h uint64, dst []uintptr) []uintptr {
	if addr == 0 {
		return dst
	}
	b := alloc.PtrAt[Bucket](addr)
	m := b.Hits(Fingerprint(h))
	if m == 0 {
		return dst
	}
	entry := x.arena.Addr(b.refs[Slot(m)])
	return append(dst, entry, entry+smallEntry)
}

// Check is [Table.Check].
func (x *Index) Check(hasher Hasher) error {
	if err := x.checkAddresses(); err != nil {
		return err
	}
	return x.table.Check(x.arena, hasher)
}

// PeekAt returns the address of bucket i < Buckets(), for prefetching.
func (x *Index) PeekAt(i uint32) uintptr { return x.address(i) }

// Refs appends the entries of bucket i < Buckets() to dst, as far as there is room in it.
func (x *Index) Refs(i uint32, dst []alloc.Ref) []alloc.Ref {
	for b := alloc.PtrAt[Bucket](x.address(i)); b != nil; b = x.Next(b) {
		for used := b.Used(); used != 0 && len(dst) < cap(dst); used &= used - 1 {
			dst = append(dst, b.refs[bits.TrailingZeros32(used)])
		}
	}
	return dst
}
