package dict

import (
	"encoding/binary"
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

const (
	growLoad   = 10 // entries a bucket above which the table doubles
	shrinkLoad = 2  // entries a bucket below which it halves
	turnLoad   = 5  // entries a bucket above which halving is undone
)

// Hasher recomputes the hash of an entry when its bucket is split.
type Hasher interface {
	HashOf(ref alloc.Ref) uint64
}

// TableBytes is the size of a Table as [Table.Store] writes it.
const TableBytes = 16

// Table is a hash table of references whose buckets lie in an arena, which is an argument where it is needed. It has no
// Go pointers, so it may be kept off-heap, by Store or as part of a struct that alloc.At views. The zero Table is empty
// and holds no memory.
type Table struct {
	n     uint32    // primary buckets
	count uint32    // entries
	dir   alloc.Ref // the only segment; of several, a block of their Refs
	state uint32    // flags; overflow buckets from overflowUnit up
}

const (
	growing uint32 = 1 << iota // until n is a power of two again
	frozen                     // no shrinking
	indexed                    // part of an Index
	wide                       // the directory has room for all segments

	overflowUnit = 16
)

// Load returns the table that Store wrote to b.
func Load(b []byte) Table {
	b = b[:TableBytes]
	return Table{
		n:     binary.LittleEndian.Uint32(b),
		count: binary.LittleEndian.Uint32(b[4:]),
		dir:   alloc.Ref(binary.LittleEndian.Uint32(b[8:])),
		state: binary.LittleEndian.Uint32(b[12:]),
	}
}

// Store writes t to the first TableBytes bytes of b.
func (t *Table) Store(b []byte) {
	b = b[:TableBytes]
	binary.LittleEndian.PutUint32(b, t.n)
	binary.LittleEndian.PutUint32(b[4:], t.count)
	binary.LittleEndian.PutUint32(b[8:], uint32(t.dir))
	binary.LittleEndian.PutUint32(b[12:], t.state)
}

// FromWords returns the table of which Words returned lo and hi.
func FromWords(lo, hi uint64) Table {
	return Table{n: uint32(lo), count: uint32(lo >> 32), dir: alloc.Ref(uint32(hi)), state: uint32(hi >> 32)}
}

// Words returns what Store writes as two little-endian words.
func (t *Table) Words() (lo, hi uint64) {
	return uint64(t.n) | uint64(t.count)<<32, uint64(t.dir) | uint64(t.state)<<32
}

// Len returns the number of entries.
func (t *Table) Len() int { return int(t.count) }

// Buckets returns the number of primary buckets.
func (t *Table) Buckets() int { return int(t.n) }

// Resizing tells whether the table is in the middle of doubling or halving.
func (t *Table) Resizing() bool { return t.n&(t.n-1) != 0 }

// Bytes returns the memory of the buckets and of their directory.
func (t *Table) Bytes() int {
	n := t.overflow() * bucketBytes
	if t.n == 0 {
		return n
	}
	last := t.segmentOf(t.n - 1)
	for k := range last + 1 {
		n += alloc.UsableSize(t.sizeOf(k))
	}
	if last > 0 {
		n += alloc.UsableSize(t.dirBytes())
	}
	return n
}

// Freeze forbids (or allows again) shrinking: a walk by bucket number then meets every entry
// that is present from its start to its end.
func (t *Table) Freeze(on bool) { t.set(frozen, on) }

func (t *Table) is(flag uint32) bool { return t.state&flag != 0 }

func (t *Table) set(flag uint32, on bool) {
	t.state &^= flag
	if on {
		t.state |= flag
	}
}

// overflow returns the number of overflow buckets.
func (t *Table) overflow() int { return int(t.state / overflowUnit) }

// purpose says what the table's memory counts as.
func (t *Table) purpose() alloc.Purpose {
	if t.is(indexed) {
		return alloc.Table
	}
	return alloc.Keyspace
}

// Fingerprint returns the 8 bits of h that a bucket stores; never 0.
func Fingerprint(h uint64) uint8 {
	fp := uint8(h >> 24)
	if fp == 0 {
		fp = 1
	}
	return fp
}

// number returns the bucket of hash h in a table of n buckets; n > 0. It has no branch: one on whether a bucket has
// been split yet would be mispredicted half of the time.
func number(h uint64, n uint32) uint32 {
	top := uint32(1) << ((bits.Len32(n) - 1) & 31)
	i := uint32(h) & (top<<1 - 1)
	exists := uint32((int64(i) - int64(n)) >> 63) // all ones, or none
	return i &^ (top &^ exists)
}

// bucket returns primary bucket i.
func (t *Table) bucket(a *alloc.Arena, i uint32) *Bucket {
	k := t.segmentOf(i)
	return alloc.Elem[Bucket](a, t.segment(a, k), int(i)-t.firstOf(k))
}

// Find returns the bucket where an entry of hash h must be, or nil.
func (t *Table) Find(a *alloc.Arena, h uint64) *Bucket {
	if t.n == 0 {
		return nil
	}
	return t.bucket(a, number(h, t.n))
}

// Prefetch asks for the buckets of up to MaxPrefetch hashes and then for the entries there that may be theirs. To reach
// the entries it waits for the buckets, all at once.
func (t *Table) Prefetch(a *alloc.Arena, hashes []uint64) {
	var list [4 * MaxPrefetch]uintptr
	if t.n == 0 {
		return
	}
	for i, h := range hashes {
		at := number(h, t.n)
		k := t.segmentOf(at)
		list[i] = a.Addr(t.segment(a, k)) + uintptr(int(at)-t.firstOf(k))*bucketBytes
	}
	alloc.Prefetch(list[:len(hashes)])
	n := 0
	for _, h := range hashes {
		b := t.Find(a, h)
		for m := b.Match(Fingerprint(h)); m != 0 && n < len(list); m &= m - 1 {
			list[n] = a.Addr(b.refs[bits.TrailingZeros32(m)])
			n++
		}
	}
	alloc.Prefetch(list[:n])
}

// MaxPrefetch is the most hashes that Prefetch takes.
const MaxPrefetch = 32

// Next returns the overflow bucket after b, or nil.
func (b *Bucket) Next(a *alloc.Arena) *Bucket {
	if b.next == 0 {
		return nil
	}
	return alloc.At[Bucket](a, b.next)
}

// Insert adds ref under hash h; the caller knows that its key is absent. It does at most one step of growth,
// for which hasher is asked for the hashes of one bucket's entries. It reports false, having changed nothing,
// if there is no memory.
func (t *Table) Insert(a *alloc.Arena, h uint64, ref alloc.Ref, hasher Hasher) bool {
	return t.insert(a, t.Find(a, h), h, ref, hasher)
}

// insert is Insert with the bucket that Find returns.
func (t *Table) insert(a *alloc.Arena, head *Bucket, h uint64, ref alloc.Ref, hasher Hasher) bool {
	if head == nil {
		if !t.addBucket(a) {
			return false
		}
		head = t.bucket(a, 0)
	}
	if !t.put(a, head, Fingerprint(h), ref) {
		return false
	}
	t.count++
	if t.is(growing) || t.Len() > growLoad*t.Buckets() {
		t.split(a, hasher) // without memory the chains get longer
	}
	return true
}

// put stores ref in the chain that begins with b.
func (t *Table) put(a *alloc.Arena, b *Bucket, fp uint8, ref alloc.Ref) bool {
	for {
		if free := b.Match(0); free != 0 {
			b.set(bits.TrailingZeros32(free), fp, ref)
			return true
		}
		if b.next == 0 {
			break
		}
		b = alloc.At[Bucket](a, b.next)
	}
	r := t.newOverflow(a)
	if r == 0 {
		return false
	}
	alloc.At[Bucket](a, r).set(0, fp, ref)
	b.next = r
	return true
}

// Remove empties slot i of bucket b, which is in the chain of hash h, and does at most one step
// of shrinking. The entry's memory is the caller's.
func (t *Table) Remove(a *alloc.Arena, h uint64, b *Bucket, i int) {
	t.remove(a, t.Find(a, h), b, i)
}

// remove is Remove with the bucket that Find returns.
func (t *Table) remove(a *alloc.Arena, head, b *Bucket, i int) {
	t.vacate(a, head, b, i)
	t.count--
	if t.Len() < shrinkLoad*t.Buckets() || t.Resizing() && !t.is(growing) {
		t.merge(a)
	}
	if t.count == 0 && t.n == 1 {
		t.dropBucket(a)
	}
}

// vacate empties slot i of b in the chain that begins with last; the chain's last entry takes its place.
func (t *Table) vacate(a *alloc.Arena, last, b *Bucket, i int) {
	if b.next == 0 && b == last {
		b.set(i, 0, 0)
		return
	}
	before := (*Bucket)(nil)
	for last.next != 0 {
		before, last = last, alloc.At[Bucket](a, last.next)
	}
	j := bits.Len32(last.Used()) - 1
	b.set(i, last.fp(j), last.refs[j])
	last.set(j, 0, 0)
	if before != nil && last.Used() == 0 {
		t.freeOverflow(a, before.next)
		before.next = 0
	}
}

// newOverflow returns an empty overflow bucket, or 0 if there is no memory.
func (t *Table) newOverflow(a *alloc.Arena) alloc.Ref {
	r := a.AllocFor(t.purpose(), bucketBytes)
	if r != 0 {
		*alloc.At[Bucket](a, r) = Bucket{}
		t.state += overflowUnit
	}
	return r
}

func (t *Table) freeOverflow(a *alloc.Arena, r alloc.Ref) {
	a.FreeFor(t.purpose(), r, bucketBytes)
	t.state -= overflowUnit
}
