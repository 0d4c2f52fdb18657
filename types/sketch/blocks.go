// Package sketch remembers roughly what has been asked for, in off-heap memory whose size is bounded by the number of keys that there
// are: how often ([Frequency]), and what has been evicted lately ([Ghosts]). Eviction policies use it.
//
// Both are tables of 64-byte blocks, one for as many keys as it serves well: a hash leads to one cache line and never further. A table
// grows by one block at a time: by linear hashing, block n begins as a copy of the block that its hashes led to before, so that nothing is
// forgotten and no step takes long.
package sketch

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

const (
	blockBytes   = 64
	segmentShift = 4 // blocks of a segment, as a power of two
	segmentBytes = blockBytes << segmentShift
)

// block is one cache line.
type block [blockBytes / 8]uint64

// blocks is a table that grows and shrinks block by block. The zero blocks holds no memory.
type blocks struct {
	segments []alloc.Ref
	n        uint32
}

// bytes returns the memory of the table.
func (b *blocks) bytes() int { return len(b.segments) * alloc.UsableSize(segmentBytes) }

func (b *blocks) at(a *alloc.Arena, i uint32) *block {
	return alloc.Elem[block](a, b.segments[i>>segmentShift], int(i&(1<<segmentShift-1)))
}

// mix spreads a hash of which other tables use the bits too.
func mix(h uint64) uint64 {
	hi, lo := bits.Mul64(h^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return hi ^ lo
}

// number returns the block of a mixed hash; b has blocks.
func (b *blocks) number(m uint64) uint32 {
	top := uint32(1) << ((bits.Len32(b.n) - 1) & 31)
	i := uint32(m>>32) & (top<<1 - 1)
	if i >= b.n {
		i &^= top
	}
	return i
}

// address returns where the block of a mixed hash lies, for prefetching, or 0.
func (b *blocks) address(a *alloc.Arena, m uint64) uintptr {
	if b.n == 0 {
		return 0
	}
	i := b.number(m)
	return a.Addr(b.segments[i>>segmentShift]) + uintptr(i&(1<<segmentShift-1))*blockBytes
}

// fit brings the table one block nearer to n blocks, but for some slack before it shrinks. Without memory it stays as it is.
func (b *blocks) fit(a *alloc.Arena, n int) {
	switch {
	case int(b.n) < n:
		b.grow(a)
	case int(b.n) > 2*n+1<<segmentShift:
		b.n--
		if b.n&(1<<segmentShift-1) == 0 {
			last := len(b.segments) - 1
			a.FreeFor(alloc.Table, b.segments[last], segmentBytes)
			b.segments = b.segments[:last]
		}
	}
}

func (b *blocks) grow(a *alloc.Arena) {
	i := b.n
	if i&(1<<segmentShift-1) == 0 {
		ref := a.AllocFor(alloc.Table, segmentBytes)
		if ref == 0 {
			return
		}
		b.segments = append(b.segments, ref)
	}
	b.n++
	if i == 0 {
		*b.at(a, 0) = block{}
		return
	}
	*b.at(a, i) = *b.at(a, i&^(1<<(bits.Len32(i)-1)))
}

// clear gives back memory, at most limit segments, and returns whether none is left.
func (b *blocks) clear(a *alloc.Arena, limit int) bool {
	for ; limit > 0 && len(b.segments) > 0; limit-- {
		last := len(b.segments) - 1
		a.FreeFor(alloc.Table, b.segments[last], segmentBytes)
		b.segments = b.segments[:last]
	}
	if len(b.segments) > 0 {
		b.n = min(b.n, uint32(len(b.segments))<<segmentShift)
		return false
	}
	*b = blocks{}
	return true
}
