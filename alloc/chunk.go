package alloc

import "math/bits"

// pageSet has a bit for each page of a chunk.
type pageSet struct{ lo, hi uint64 }

var allPages = pageSet{^uint64(0), ^uint64(0)}

// pageRange is the set of n >= 1 pages from start.
func pageRange(start, n int) pageSet {
	return allPages.shiftRight(chunkPages - n).shiftLeft(start)
}

func (s pageSet) shiftRight(n int) pageSet {
	if n >= 64 {
		return pageSet{s.hi >> (n - 64), 0}
	}
	return pageSet{s.lo>>n | s.hi<<(64-n), s.hi >> n}
}

func (s pageSet) shiftLeft(n int) pageSet {
	if n >= 64 {
		return pageSet{0, s.lo << (n - 64)}
	}
	return pageSet{s.lo << n, s.hi<<n | s.lo>>(64-n)}
}

func (s pageSet) and(t pageSet) pageSet    { return pageSet{s.lo & t.lo, s.hi & t.hi} }
func (s pageSet) or(t pageSet) pageSet     { return pageSet{s.lo | t.lo, s.hi | t.hi} }
func (s pageSet) andNot(t pageSet) pageSet { return pageSet{s.lo &^ t.lo, s.hi &^ t.hi} }
func (s pageSet) empty() bool              { return s.lo|s.hi == 0 }
func (s pageSet) count() int               { return bits.OnesCount64(s.lo) + bits.OnesCount64(s.hi) }

// first returns the lowest page of the set, chunkPages when it is empty.
func (s pageSet) first() int {
	if s.lo != 0 {
		return bits.TrailingZeros64(s.lo)
	}
	return 64 + bits.TrailingZeros64(s.hi)
}

// firstRun returns the lowest run of consecutive pages of a set that is not empty.
func (s pageSet) firstRun() (start, n int) {
	start = s.first()
	return start, allPages.andNot(s.shiftRight(start)).first()
}

// longestRun returns the length of the longest run of consecutive pages.
func (s pageSet) longestRun() int {
	longest := 0
	for !s.empty() {
		start, n := s.firstRun()
		longest = max(longest, n)
		s = s.andNot(pageRange(start, n))
	}
	return longest
}

// findRun returns the lowest start of n consecutive pages, chunkPages when there are none.
// Each step leaves the bits that begin a run of twice the length.
func (s pageSet) findRun(n int) int {
	for step, need := 1, n-1; need > 0; step *= 2 {
		step = min(step, need)
		s = s.and(s.shiftRight(step))
		need -= step
	}
	return s.first()
}

// lowest returns at most n pages of the set, the lowest ones.
func (s pageSet) lowest(n int) pageSet {
	for extra := s.count() - n; extra > 0; extra-- {
		if s.hi != 0 {
			s.hi &^= 1 << (63 - bits.LeadingZeros64(s.hi))
		} else {
			s.lo &^= 1 << (63 - bits.LeadingZeros64(s.lo))
		}
	}
	return s
}

// chunk is chunkSize bytes of address space, aligned to their size. Chunks of one mapping
// follow each other in Heap.chunks.
type chunk struct {
	addr       uintptr
	used       pageSet // handed to an arena, or being released at this moment
	cold       pageSet // holds no memory and reads as zero; never overlaps used
	next, prev uint32  // neighbours in their bin, as index+1; 0 ends the list
	bin        uint8
	huge       bool // mapped with the advice to back it by a huge page
	broken     bool // that advice is withdrawn while parts are released
}

func (c *chunk) free() pageSet { return allPages.andNot(c.used) }

// Bins are numbered by the longest free run of their chunks, so the first bin that serves a
// request is also the tightest fit and keeps the emptier chunks for larger requests. Chunks
// that are wholly free and cold have a bin of their own, to be taken last.
const (
	wholeBin = chunkPages
	coldBin  = chunkPages + 1
	numBins  = chunkPages + 2
)

func (c *chunk) properBin() uint8 {
	if c.cold == allPages {
		return coldBin
	}
	return uint8(c.free().longestRun())
}

// chunkBins are doubly linked lists of chunks. Bin 0, chunks without a free page, has none.
type chunkBins struct {
	heads  [numBins]uint32 // index+1
	filled [(numBins + 63) / 64]uint64
}

// atLeast returns the lowest filled bin >= b, or -1.
func (l *chunkBins) atLeast(b int) int {
	for w := b / 64; w < len(l.filled); w++ {
		word := l.filled[w]
		if w == b/64 {
			word &= ^uint64(0) << (b % 64)
		}
		if word != 0 {
			return w*64 + bits.TrailingZeros64(word)
		}
	}
	return -1
}

func (l *chunkBins) insert(chunks []chunk, i int, bin uint8) {
	c := &chunks[i]
	c.bin, c.prev, c.next = bin, 0, 0
	if bin == 0 {
		return
	}
	c.next = l.heads[bin]
	if c.next != 0 {
		chunks[c.next-1].prev = uint32(i) + 1
	}
	l.heads[bin] = uint32(i) + 1
	l.filled[bin/64] |= 1 << (bin % 64)
}

func (l *chunkBins) remove(chunks []chunk, i int) {
	c := &chunks[i]
	if c.bin == 0 {
		return
	}
	if c.next != 0 {
		chunks[c.next-1].prev = c.prev
	}
	if c.prev != 0 {
		chunks[c.prev-1].next = c.next
		return
	}
	l.heads[c.bin] = c.next
	if c.next == 0 {
		l.filled[c.bin/64] &^= 1 << (c.bin % 64)
	}
}
