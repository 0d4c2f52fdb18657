package sketch

import (
	"math/bits"
	"sync/atomic"

	"github.com/shoaldb/shoal/alloc"
)

const (
	blockBytes   = 64
	segmentShift = 4 // blocks of a segment, as a power of two
	segmentBytes = blockBytes << segmentShift
)

// block is one cache line.
type block [blockBytes / 8]uint64

// directory has the alloc.Ref of each segment, and room for more.
type directory []atomic.Uint32

// blocks is a table that grows and shrinks block by block. The zero blocks holds no memory. All methods but peek are the owner's.
type blocks struct {
	n        atomic.Uint32
	segments directory
	shared   atomic.Pointer[directory] // segments, for peek
}

// held returns the number of segments.
func (b *blocks) held() int { return (int(b.n.Load()) + 1<<segmentShift - 1) >> segmentShift }

// bytes returns the memory of the table.
func (b *blocks) bytes() int { return b.held() * alloc.UsableSize(segmentBytes) }

func (b *blocks) at(a *alloc.Arena, i uint32) *block {
	return alloc.Elem[block](a, alloc.Ref(b.segments[i>>segmentShift].Load()), int(i&(1<<segmentShift-1)))
}

// mix spreads a hash of which other tables use the bits too.
func mix(h uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return hi ^ lo
}

// number returns the block of a mixed hash in a table of n > 0 blocks.
func number(m uint64, n uint32) uint32 {
	top := uint32(1) << ((bits.Len32(n) - 1) & 31)
	i := uint32(m>>32) & (top<<1 - 1)
	exists := uint32((int64(i) - int64(n)) >> 63) // all ones, or none
	return i &^ (top &^ exists)
}

// find returns the block of a mixed hash; b has blocks.
func (b *blocks) find(a *alloc.Arena, m uint64) *block { return b.at(a, number(m, b.n.Load())) }

// peek returns where the block of a mixed hash lies, for prefetching, or 0. It may be called without the owner's lock;
// the address may be out of date then.
func (b *blocks) peek(a *alloc.Arena, m uint64) uintptr {
	n, dir := b.n.Load(), b.shared.Load()
	if n == 0 || dir == nil {
		return 0
	}
	i := number(m, n)
	if int(i>>segmentShift) >= len(*dir) {
		return 0 // the table has grown since
	}
	return a.Addr(alloc.Ref((*dir)[i>>segmentShift].Load())) + uintptr(i&(1<<segmentShift-1))*blockBytes
}

// fit brings the table one block nearer to n blocks, but for some slack before it shrinks. Without memory it stays as it is.
func (b *blocks) fit(a *alloc.Arena, n int) {
	switch has := int(b.n.Load()); {
	case has < n:
		b.grow(a)
	case has > 2*n+1<<segmentShift:
		b.shrink(a, has-1)
	}
}

func (b *blocks) grow(a *alloc.Arena) {
	i := b.n.Load()
	if i&(1<<segmentShift-1) == 0 {
		ref := a.AllocFor(alloc.Table, segmentBytes)
		if ref == 0 {
			return
		}
		b.enter(int(i>>segmentShift), ref)
	}
	if i == 0 {
		*b.at(a, 0) = block{}
	} else {
		*b.at(a, i) = *b.at(a, i&^(1<<(bits.Len32(i)-1)))
	}
	b.n.Store(i + 1)
}

// enter makes ref segment k, the one behind the last.
func (b *blocks) enter(k int, ref alloc.Ref) {
	if k == len(b.segments) {
		wider := make(directory, max(4, 2*k))
		for i := range b.segments {
			wider[i].Store(b.segments[i].Load())
		}
		b.segments = wider
		b.shared.Store(&wider)
	}
	b.segments[k].Store(uint32(ref))
}

// shrink takes blocks away, so that n are left, and gives back segments that are no longer needed.
func (b *blocks) shrink(a *alloc.Arena, n int) {
	had := b.held()
	b.n.Store(uint32(n))
	for k := b.held(); k < had; k++ {
		a.FreeFor(alloc.Table, alloc.Ref(b.segments[k].Load()), segmentBytes)
	}
}

// clear gives back memory, at most limit segments, and returns whether none is left.
func (b *blocks) clear(a *alloc.Arena, limit int) bool {
	left := max(b.held()-limit, 0)
	if left > 0 {
		b.shrink(a, left<<segmentShift)
		return false
	}
	b.shrink(a, 0)
	b.segments = nil
	b.shared.Store(nil)
	return true
}
