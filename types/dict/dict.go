package dict

import (
	"math/bits"
	"sync/atomic"

	"github.com/shoaldb/shoal/alloc"
)

const (
	// Slots is the number of entries in a bucket.
	Slots = 12

	bucketBytes = 64
	firstBits   = 5 // the first segment has 2^firstBits buckets
	maxSegments = 33 - firstBits
	growLoad    = 10 // entries a bucket above which the table doubles
	shrinkLoad  = 2  // entries a bucket below which it halves
	turnLoad    = 5  // entries a bucket above which halving is undone
)

// Bucket is one cache line of slots. It lives off-heap: a *Bucket is valid until its table
// next changes.
type Bucket struct {
	fpLo uint64
	fpHi uint32
	next alloc.Ref
	refs [Slots]alloc.Ref
}

// Hasher recomputes the hash of an entry when its bucket is split.
type Hasher interface {
	HashOf(ref alloc.Ref) uint64
}

// Table is an off-heap hash table of references. The zero value is unusable; see Init.
type Table struct {
	arena    *alloc.Arena
	segments [maxSegments]atomic.Uintptr // address of segment k, less the offset of its first bucket
	n        atomic.Uint32               // primary buckets
	growing  bool                        // until n is a power of two again
	frozen   bool                        // no shrinking
	count    int
	overflow int // overflow buckets
	refs     [maxSegments]alloc.Ref
}

// Init makes t an empty table in a's memory. It holds no memory until the first Insert.
func (t *Table) Init(a *alloc.Arena) { t.arena = a }

// Len returns the number of entries.
func (t *Table) Len() int { return t.count }

// Buckets returns the number of primary buckets.
func (t *Table) Buckets() int { return int(t.n.Load()) }

// Resizing tells whether the table is in the middle of doubling or halving.
func (t *Table) Resizing() bool { n := t.n.Load(); return n&(n-1) != 0 }

// Bytes returns the memory of the buckets.
func (t *Table) Bytes() int { return (int(t.n.Load()) + t.overflow) * bucketBytes }

// Freeze forbids (or allows again) shrinking: a walk by bucket number then meets every entry
// that is present from its start to its end.
func (t *Table) Freeze(on bool) { t.frozen = on }

// Fingerprint returns the 8 bits of h that a bucket stores; never 0.
func Fingerprint(h uint64) uint8 {
	fp := uint8(h >> 24)
	if fp == 0 {
		fp = 1
	}
	return fp
}

// number returns the bucket of hash h in a table of n buckets; n > 0.
func number(h uint64, n uint32) uint32 {
	top := uint32(1) << (bits.Len32(n) - 1)
	i := uint32(h) & (top<<1 - 1)
	if i >= n {
		i &= top - 1
	}
	return i
}

func (t *Table) address(i uint32) uintptr {
	return t.segments[segmentOf(i)].Load() + uintptr(i)*bucketBytes
}

func (t *Table) bucket(i uint32) *Bucket { return alloc.PtrAt[Bucket](t.address(i)) }

// Find returns the bucket where an entry of hash h must be, or nil.
func (t *Table) Find(h uint64) *Bucket {
	n := t.n.Load()
	if n == 0 {
		return nil
	}
	return t.bucket(number(h, n))
}

// Next returns the overflow bucket behind b, or nil.
func (t *Table) Next(b *Bucket) *Bucket {
	if b.next == 0 {
		return nil
	}
	return alloc.At[Bucket](t.arena, b.next)
}

const (
	ones  = 0x0101010101010101
	low7  = 0x7f7f7f7f7f7f7f7f
	pack  = 0x0102040810204080
	allOf = 1<<Slots - 1
)

// zeroBytes returns a bit for each byte of x that is zero: bit i for byte i.
func zeroBytes(x uint64) uint32 {
	y := ^((x&low7 + low7) | x | low7) // 0x80 in the bytes that are zero
	return uint32((y >> 7) * pack >> 56)
}

// Match returns the set of slots with fingerprint fp: bit i for slot i.
func (b *Bucket) Match(fp uint8) uint32 {
	want := uint64(fp) * ones
	return zeroBytes(b.fpLo^want) | zeroBytes(uint64(b.fpHi)^want&0xffffffff|0xffffffff<<32)<<8
}

// Used returns the set of occupied slots.
func (b *Bucket) Used() uint32 { return ^b.Match(0) & allOf }

// Ref returns the reference in slot i.
func (b *Bucket) Ref(i int) alloc.Ref { return b.refs[i] }

// SetRef replaces the reference in slot i by one of an entry with the same key.
func (b *Bucket) SetRef(i int, r alloc.Ref) { b.refs[i] = r }

func (b *Bucket) fp(i int) uint8 {
	if i < 8 {
		return uint8(b.fpLo >> (8 * i))
	}
	return uint8(b.fpHi >> (8 * (i - 8)))
}

func (b *Bucket) set(i int, fp uint8, r alloc.Ref) {
	b.refs[i] = r
	if i < 8 {
		s := 8 * i
		b.fpLo = b.fpLo&^(0xff<<s) | uint64(fp)<<s
		return
	}
	s := 8 * (i - 8)
	b.fpHi = b.fpHi&^(0xff<<s) | uint32(fp)<<s
}

// Insert adds ref under hash h; the caller knows that its key is absent. It does at most one step of growth,
// for which hasher is asked for the hashes of one bucket's entries. It reports false, having changed nothing,
// if there is no memory.
func (t *Table) Insert(h uint64, ref alloc.Ref, hasher Hasher) bool {
	if t.n.Load() == 0 && !t.addBucket() {
		return false
	}
	if !t.put(number(h, t.n.Load()), Fingerprint(h), ref) {
		return false
	}
	t.count++
	if t.growing || t.count > growLoad*int(t.n.Load()) {
		t.split(hasher) // without memory the chains get longer
	}
	return true
}

// put stores ref in bucket i or its chain.
func (t *Table) put(i uint32, fp uint8, ref alloc.Ref) bool {
	b := t.bucket(i)
	for {
		if free := b.Match(0); free != 0 {
			b.set(bits.TrailingZeros32(free), fp, ref)
			return true
		}
		if b.next == 0 {
			break
		}
		b = alloc.At[Bucket](t.arena, b.next)
	}
	r := t.newOverflow()
	if r == 0 {
		return false
	}
	alloc.At[Bucket](t.arena, r).set(0, fp, ref)
	b.next = r
	return true
}

// Remove empties slot i of bucket b, which is in the chain of hash h, and does at most one step
// of shrinking. The entry's memory is the caller's.
func (t *Table) Remove(h uint64, b *Bucket, i int) {
	n := t.n.Load()
	t.vacate(number(h, n), b, i)
	t.count--
	if t.count < shrinkLoad*int(n) || n&(n-1) != 0 && !t.growing {
		t.merge()
	}
	if t.count == 0 && t.n.Load() == 1 {
		t.dropBucket()
	}
}

// vacate empties slot i of b in bucket number's chain; the chain's last entry takes its place.
func (t *Table) vacate(number uint32, b *Bucket, i int) {
	if b.next == 0 && b == t.bucket(number) {
		b.set(i, 0, 0)
		return
	}
	before, last := (*Bucket)(nil), t.bucket(number)
	for last.next != 0 {
		before, last = last, alloc.At[Bucket](t.arena, last.next)
	}
	j := bits.Len32(last.Used()) - 1
	b.set(i, last.fp(j), last.refs[j])
	last.set(j, 0, 0)
	if before != nil && last.Used() == 0 {
		t.arena.FreeFor(alloc.Table, before.next, bucketBytes)
		before.next = 0
		t.overflow--
	}
}

// segmentOf returns the segment of bucket i.
func segmentOf(i uint32) int { return bits.Len32(i >> firstBits) }

// firstOf returns the first bucket of segment k.
func firstOf(k int) int {
	if k == 0 {
		return 0
	}
	return 1 << (k - 1 + firstBits)
}

// sizeOf returns the length of segment k in bytes.
func sizeOf(k int) int { return max(firstOf(k), 1<<firstBits) * bucketBytes }

// addBucket makes bucket n exist, empty. It reports false if there is no memory for its segment.
func (t *Table) addBucket() bool {
	n := t.n.Load()
	k := segmentOf(n)
	if t.refs[k] == 0 {
		r := t.arena.AllocFor(alloc.Table, sizeOf(k))
		if r == 0 {
			return false
		}
		t.refs[k] = r
		t.segments[k].Store(t.arena.Addr(r) - uintptr(firstOf(k))*bucketBytes)
	}
	*t.bucket(n) = Bucket{}
	t.n.Store(n + 1) // after the segment: Peek reads them the other way round
	return true
}

// dropBucket undoes addBucket for the last bucket, which is empty.
func (t *Table) dropBucket() {
	n := t.n.Load() - 1
	t.n.Store(n)
	k := segmentOf(n)
	if int(n) == firstOf(k) {
		t.arena.FreeFor(alloc.Table, t.refs[k], sizeOf(k))
		t.refs[k] = 0
		t.segments[k].Store(0)
	}
}

// split moves the upper half of one bucket into a new one. The entries of the bucket that will be split
// next are prefetched, so that the next call finds them in the cache.
func (t *Table) split(hasher Hasher) bool {
	n := t.n.Load()
	top := uint32(1) << (bits.Len32(n) - 1)
	if !t.addBucket() {
		return false
	}
	t.growing = (n+1)&n != 0
	t.redistribute(n-top, n, top, hasher)
	if t.growing {
		t.prefetch(n + 1 - top)
	}
	return true
}

// redistribute takes bucket from's chain apart and stores each entry in from or to.
func (t *Table) redistribute(from, to, bit uint32, hasher Hasher) {
	t.drain(t.bucket(from), func(fp uint8, ref alloc.Ref) {
		target := from
		if uint32(hasher.HashOf(ref))&bit != 0 {
			target = to
		}
		if !t.put(target, fp, ref) {
			// Two chains need no more overflow buckets than one of as many entries, and drain has given that one's back.
			panic("dict: no memory for an overflow bucket that was given back")
		}
	})
}

// prefetch asks for the entries of bucket i and for the line of the bucket behind it.
func (t *Table) prefetch(i uint32) {
	var a [Slots + 1]uintptr
	b := t.bucket(i)
	n := 0
	for used := b.Used(); used != 0; used &= used - 1 {
		a[n] = t.arena.Addr(b.refs[bits.TrailingZeros32(used)])
		n++
	}
	a[n] = t.address(i) + bucketBytes
	alloc.Prefetch(a[:n+1])
}

// merge moves the last bucket's entries into the bucket it was once split from. It returns false, having
// changed nothing, if there is no such bucket, no memory, or the table is frozen.
func (t *Table) merge() bool {
	n := t.n.Load() - 1 // the bucket to go
	if int32(n) <= 0 || t.frozen {
		return false
	}
	into := n - 1<<(bits.Len32(n)-1)
	if !t.lengthen(into, t.entries(into)+t.entries(n)) {
		return false
	}
	t.drain(t.bucket(n), func(fp uint8, ref alloc.Ref) { t.put(into, fp, ref) })
	t.growing = false
	t.dropBucket()
	return true
}

// entries returns the number of entries in bucket i's chain.
func (t *Table) entries(i uint32) int {
	n := 0
	for b := t.bucket(i); b != nil; b = t.Next(b) {
		n += bits.OnesCount32(b.Used())
	}
	return n
}

// lengthen gives bucket i's chain room for n entries, of which more than the chain now has are about to be put.
// It returns false, having changed nothing, if there is no memory.
func (t *Table) lengthen(i uint32, n int) bool {
	last := t.bucket(i)
	for n -= Slots; last.next != 0; n -= Slots {
		last = alloc.At[Bucket](t.arena, last.next)
	}
	end := last
	for ; n > 0; n -= Slots {
		if last.next = t.newOverflow(); last.next == 0 {
			t.freeChain(end.next)
			end.next = 0
			return false
		}
		last = alloc.At[Bucket](t.arena, last.next)
	}
	return true
}

// newOverflow returns an empty overflow bucket, or 0 if there is no memory.
func (t *Table) newOverflow() alloc.Ref {
	r := t.arena.AllocFor(alloc.Table, bucketBytes)
	if r != 0 {
		*alloc.At[Bucket](t.arena, r) = Bucket{}
		t.overflow++
	}
	return r
}

// freeChain frees the overflow bucket r and those behind it.
func (t *Table) freeChain(r alloc.Ref) {
	for r != 0 {
		next := alloc.At[Bucket](t.arena, r).next
		t.arena.FreeFor(alloc.Table, r, bucketBytes)
		t.overflow--
		r = next
	}
}

// drain empties the chain that begins with b: each bucket is given back before visit is called for
// what was in it.
func (t *Table) drain(b *Bucket, visit func(fp uint8, ref alloc.Ref)) {
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
		old = *alloc.At[Bucket](t.arena, r)
		t.arena.FreeFor(alloc.Table, r, bucketBytes)
		t.overflow--
	}
}

// Step does up to n steps of a resize that is under way or due, for a table that is not written
// to. It returns whether more remain.
func (t *Table) Step(n int, hasher Hasher) bool {
	for ; n > 0; n-- {
		did := false
		switch t.direction() {
		case +1:
			did = t.split(hasher)
		case -1:
			did = t.merge()
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
	n := int(t.n.Load())
	switch {
	case n == 0:
		return 0
	case t.growing || t.count > growLoad*n:
		return +1
	case t.Resizing() && t.count > turnLoad*n:
		return +1
	case t.frozen:
		return 0
	case t.Resizing() || n > 1 && t.count < shrinkLoad*n:
		return -1
	}
	return 0
}

// Swap exchanges the contents of t and o, which have the same arena.
func (t *Table) Swap(o *Table) {
	t.growing, o.growing = o.growing, t.growing
	t.frozen, o.frozen = o.frozen, t.frozen
	t.count, o.count = o.count, t.count
	t.overflow, o.overflow = o.overflow, t.overflow
	t.refs, o.refs = o.refs, t.refs
	n := t.n.Load()
	t.n.Store(o.n.Load())
	o.n.Store(n)
	for k := range t.segments {
		s := t.segments[k].Load()
		t.segments[k].Store(o.segments[k].Load())
		o.segments[k].Store(s)
	}
}

// Forget makes t empty without giving back its memory, for an arena that is dropped as a whole.
func (t *Table) Forget() {
	t.n.Store(0)
	for k := range t.segments {
		t.segments[k].Store(0)
	}
	t.refs = [maxSegments]alloc.Ref{}
	t.growing, t.frozen = false, false
	t.count, t.overflow = 0, 0
}

// Peek returns the address of the bucket of hash h, or 0, for prefetching. It may be called
// without the owner's lock; the address may be out of date but never faults: memory that was
// a segment once stays readable.
func (t *Table) Peek(h uint64) uintptr {
	n := t.n.Load()
	if n == 0 {
		return 0
	}
	i := number(h, n)
	segment := t.segments[segmentOf(i)].Load()
	if segment == 0 {
		return 0 // given back since n was read
	}
	return segment + uintptr(i)*bucketBytes
}

// smallEntry is how far the second line of a common entry begins at most, in bytes: one of 56 has a second line in six
// places of eight.
const smallEntry = 48

// PeekRefs appends to dst addresses in the entries with h's fingerprint in the bucket at addr, a result of Peek: of
// their first line and, if they may have one, of the second. Like Peek it needs no lock and what it returns
// serves only to prefetch.
func (t *Table) PeekRefs(addr uintptr, h uint64, dst []uintptr) []uintptr {
	if addr == 0 {
		return dst
	}
	b := alloc.PtrAt[Bucket](addr)
	for m := b.Match(Fingerprint(h)); m != 0; m &= m - 1 {
		entry := t.arena.Addr(b.refs[bits.TrailingZeros32(m)])
		dst = append(dst, entry, entry+smallEntry)
	}
	return dst
}
