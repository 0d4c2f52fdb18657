package dict

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// indexBits: the first segment of an Index has 2^indexBits buckets, that of another table one.
const indexBits = 5

func (t *Table) firstBits() uint32 {
	if t.is(indexed) {
		return indexBits
	}
	return 0
}

// segmentOf returns the segment of bucket i.
func (t *Table) segmentOf(i uint32) int { return bits.Len32(i >> t.firstBits()) }

// firstOf returns the first bucket of segment k.
func (t *Table) firstOf(k int) int {
	if k == 0 {
		return 0
	}
	return 1 << (uint32(k-1) + t.firstBits())
}

// sizeOf returns the length of segment k in bytes.
func (t *Table) sizeOf(k int) int { return max(t.firstOf(k), 1<<t.firstBits()) * bucketBytes }

// A directory has room for narrowDir segments, or for as many as there can be.
const (
	narrowDir = 8
	wideDir   = 33
	refBytes  = 4
)

// dirBytes returns the length of the directory.
func (t *Table) dirBytes() int {
	if t.is(wide) {
		return wideDir * refBytes
	}
	return narrowDir * refBytes
}

// several tells whether there is more than one segment, and so a directory.
func (t *Table) several() bool { return t.n > 1<<t.firstBits() }

// segment returns segment k, which exists.
func (t *Table) segment(a *alloc.Arena, k int) alloc.Ref {
	if !t.several() {
		return t.dir
	}
	return *alloc.Elem[alloc.Ref](a, t.dir, k)
}

// addBucket makes bucket n exist, empty. It reports false if there is no memory for its segment.
func (t *Table) addBucket(a *alloc.Arena) bool {
	if k := t.segmentOf(t.n); int(t.n) == t.firstOf(k) && !t.addSegment(a, k) {
		return false
	}
	t.n++
	*t.bucket(a, t.n-1) = Bucket{}
	return true
}

// addSegment makes segment k exist, the one after the last.
func (t *Table) addSegment(a *alloc.Arena, k int) bool {
	r := a.AllocFor(t.purpose(), t.sizeOf(k))
	if r == 0 {
		return false
	}
	if k == 0 {
		t.dir = r
		return true
	}
	if (k == 1 || k == narrowDir) && !t.addDirectory(a, k) {
		a.FreeFor(t.purpose(), r, t.sizeOf(k))
		return false
	}
	*alloc.Elem[alloc.Ref](a, t.dir, k) = r
	return true
}

// addDirectory gives a table of k segments a directory for more; a wide one stays until there is one segment.
func (t *Table) addDirectory(a *alloc.Arena, k int) bool {
	if t.is(wide) {
		return true
	}
	to := *t
	to.set(wide, k >= narrowDir)
	if to.dir = a.AllocFor(t.purpose(), to.dirBytes()); to.dir == 0 {
		return false
	}
	for i := range k {
		*alloc.Elem[alloc.Ref](a, to.dir, i) = t.segment(a, i)
	}
	t.freeDirectory(a)
	*t = to
	return true
}

func (t *Table) freeDirectory(a *alloc.Arena) {
	if t.several() {
		a.FreeFor(t.purpose(), t.dir, t.dirBytes())
	}
}

// dropBucket undoes addBucket for the last bucket, which is empty.
func (t *Table) dropBucket(a *alloc.Arena) {
	k := t.segmentOf(t.n - 1)
	if int(t.n-1) == t.firstOf(k) {
		t.dropSegment(a, k)
	}
	t.n--
}

// dropSegment undoes addSegment.
func (t *Table) dropSegment(a *alloc.Arena, k int) {
	a.FreeFor(t.purpose(), t.segment(a, k), t.sizeOf(k))
	switch k {
	case 0:
		t.dir = 0
	case 1:
		first := t.segment(a, 0)
		t.freeDirectory(a)
		t.dir = first
		t.set(wide, false)
	}
}
