package alloc

import (
	"sync"
	"sync/atomic"
)

const (
	// Below this much memory in use new chunks stay on small pages, so that an almost empty
	// process does not pay 2 MiB for a few KiB.
	hugeFloorBytes = 8 << 20

	maxGrowthChunks = 32

	// Every mapping is followed by this many readable bytes that are never handed out: a
	// peek at a stale address may read this far past the end of a page without a fault.
	peekSlack = PageSize
)

// Heap hands pages to arenas. It is safe for concurrent use. What it has mapped stays mapped
// and readable for ever; memory goes back to the operating system with the address kept.
type Heap struct {
	mu     sync.Mutex
	chunks []chunk
	index  map[uintptr]uint32 // chunk address to its place in chunks
	bins   chunkBins

	inUsePages int
	coldPages  int
	hand       int // where the search for partly free chunks goes on

	prefault chan struct{} // see PrefaultDue
	asked    bool          // prefault was sent to, and Prefault not called since

	largeBytes atomic.Int64
}

// HeapStats describes memory by where it is, in bytes.
type HeapStats struct {
	Mapped   int // address space, standalone mappings included
	InUse    int // pages held by arenas
	Large    int // standalone mappings
	Free     int // pages held by nobody and not yet given back
	Released int // pages given back to the operating system or never touched
	Resident int // estimate: Mapped - Released
}

// NewHeap returns an empty heap. It maps nothing until an arena asks.
func NewHeap() *Heap {
	return &Heap{index: make(map[uintptr]uint32), prefault: make(chan struct{}, 1)}
}

// Stats returns a consistent picture of the heap.
func (h *Heap) Stats() HeapStats {
	large := int(h.largeBytes.Load())
	h.mu.Lock()
	defer h.mu.Unlock()
	mapped := len(h.chunks)*chunkSize + large
	released := h.coldPages * PageSize
	return HeapStats{
		Mapped:   mapped,
		InUse:    h.inUsePages * PageSize,
		Large:    large,
		Free:     h.freePages() * PageSize,
		Released: released,
		Resident: mapped - released,
	}
}

// InUse returns how many bytes of pages arenas hold.
func (h *Heap) InUse() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.inUsePages * PageSize
}

// freePages counts the pages that nobody holds and that still have memory.
func (h *Heap) freePages() int {
	return len(h.chunks)*chunkPages - h.coldPages - h.inUsePages
}

// alloc returns n contiguous pages, and whether they are known to read as zero; 0 when the
// operating system refuses.
func (h *Heap) alloc(n int) (addr uintptr, zero bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.askPrefault()
	if n > chunkPages {
		return h.allocSpanning(n)
	}
	bin := h.bins.atLeast(n)
	if bin < 0 {
		if _, ok := h.grow(1); !ok {
			return 0, false
		}
		bin = coldBin
	}
	i := int(h.bins.heads[bin]) - 1
	start := h.chunks[i].free().findRun(n)
	zero = h.take(i, start, n)
	return h.chunks[i].addr + uintptr(start)<<pageShift, zero
}

// allocSpanning returns n pages that lie in more than one chunk.
func (h *Heap) allocSpanning(n int) (addr uintptr, zero bool) {
	need := (n + chunkPages - 1) / chunkPages
	first, ok := h.findWhole(need)
	if !ok {
		if first, ok = h.grow(need); !ok {
			return 0, false
		}
	}
	zero = true
	for i := first; n > 0; i++ {
		part := min(n, chunkPages)
		if !h.take(i, 0, part) {
			zero = false
		}
		n -= part
	}
	return h.chunks[first].addr, zero
}

// findWhole looks for n wholly free chunks that follow each other in one mapping.
func (h *Heap) findWhole(n int) (first int, ok bool) {
	run := 0
	for i := range h.chunks {
		c := &h.chunks[i]
		switch {
		case !c.used.empty():
			run = 0
			continue
		case run > 0 && c.addr != h.chunks[i-1].addr+chunkSize:
			run = 0
		}
		if run++; run == n {
			return i - n + 1, true
		}
	}
	return 0, false
}

// take marks free pages as used and tells whether all of them were cold.
func (h *Heap) take(i, start, n int) (cold bool) {
	c := &h.chunks[i]
	pages := pageRange(start, n)
	wasCold := c.cold.and(pages).count()
	c.used = c.used.or(pages)
	c.cold = c.cold.andNot(pages)
	h.inUsePages += n
	h.coldPages -= wasCold
	if c.broken && c.cold.empty() {
		c.broken = false
		adviseHuge(c.addr, chunkSize, true)
	}
	h.refile(i)
	return wasCold == n
}

// free takes back n pages that alloc returned at addr. It only notes them: memory goes back
// to the operating system in Scavenge.
func (h *Heap) free(addr uintptr, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inUsePages -= n
	start := int(addr%chunkSize) >> pageShift
	for i := int(h.index[addr&^(chunkSize-1)]); n > 0; i++ {
		part := min(n, chunkPages-start)
		c := &h.chunks[i]
		c.used = c.used.andNot(pageRange(start, part))
		h.refile(i)
		n -= part
		start = 0
	}
}

// refile moves a chunk to the bin it belongs in now.
func (h *Heap) refile(i int) {
	if bin := h.chunks[i].properBin(); bin != h.chunks[i].bin {
		h.bins.remove(h.chunks, i)
		h.bins.insert(h.chunks, i, bin)
	}
}

// grow maps at least need more chunks, contiguous, and returns the index of the first. It
// maps a quarter more than there is, as address space costs nothing.
func (h *Heap) grow(need int) (first int, ok bool) {
	n := max(need, min(len(h.chunks)/4, maxGrowthChunks))
	base, ok := mapChunks(n)
	if !ok && n > need {
		n = need
		base, ok = mapChunks(n)
	}
	if !ok {
		return 0, false
	}
	huge := h.inUsePages*PageSize >= hugeFloorBytes
	if huge {
		adviseHuge(base, uintptr(n)*chunkSize, true)
	}
	first = len(h.chunks)
	for k := range n {
		addr := base + uintptr(k)*chunkSize
		h.index[addr] = uint32(first + k)
		h.chunks = append(h.chunks, chunk{addr: addr, cold: allPages, huge: huge})
	}
	for i := first + n - 1; i >= first; i-- {
		h.bins.insert(h.chunks, i, coldBin)
	}
	h.coldPages += n * chunkPages
	return first, true
}
