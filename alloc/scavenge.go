package alloc

const (
	// What Prefault leaves free at most has to be within the reserve: a chunk, and half of one. If not, the one would
	// give back what the other has just brought in, and break up huge pages for it.
	minReservePages = 2 * chunkPages
	maxReservePages = 64 << 20 >> pageShift

	// How many chunks one search for partly free ones visits at most.
	maxVisits = 256

	// A chunk on a huge page is only broken up for at least this many free pages.
	minBreakPages = chunkPages / 8
)

// Scavenge gives at most maxBytes of free memory back to the operating system, whole chunks
// first, and returns how much it gave. It keeps a reserve of 1/64 of the memory in use, but
// 4 to 64 MiB, so that a working set that swings does not fault its pages in again and again.
// A megabyte takes some 20 µs; the heap is not locked meanwhile.
func (h *Heap) Scavenge(maxBytes int) (released int) {
	return h.scavenge(maxBytes, minReservePages, false)
}

// Purge is Scavenge without a reserve, page by page.
func (h *Heap) Purge(maxBytes int) (released int) {
	return h.scavenge(maxBytes, 0, true)
}

// ScavengeAll is Scavenge without a reserve, for a heap that has not changed for a while. Few pages of a huge page it
// leaves alone.
func (h *Heap) ScavengeAll(maxBytes int) (released int) {
	return h.scavenge(maxBytes, 0, false)
}

func (h *Heap) scavenge(maxBytes, minReserve int, few bool) (released int) {
	for released < maxBytes {
		n := h.releaseSome((maxBytes-released)>>pageShift, minReserve, few)
		if n == 0 {
			break
		}
		released += n << pageShift
	}
	return released
}

// releaseSome gives back at most maxPages pages of one chunk. While it does so the pages
// count as used, so that no one takes them and the lock need not be held.
func (h *Heap) releaseSome(maxPages, minReserve int, few bool) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	excess := h.freePages() - h.reservePages(minReserve)
	i, ok := h.releasable(few)
	if excess <= 0 || maxPages <= 0 || !ok {
		return 0
	}
	c := &h.chunks[i]
	pages := c.free().andNot(c.cold).lowest(min(maxPages, excess))
	whole := c.used.empty() && pages.or(c.cold) == allPages
	c.used = c.used.or(pages)
	n = pages.count()
	h.inUsePages += n
	h.refile(i)
	breakHuge := c.huge && !whole && !c.broken
	mendHuge := c.broken && whole
	c.broken = (c.broken || breakHuge) && !mendHuge
	done := h.releasePages(c.addr, pages, breakHuge, mendHuge)

	c = &h.chunks[i] // the slice may have moved
	c.used = c.used.andNot(pages)
	h.inUsePages -= n
	if done {
		c.cold = c.cold.or(pages)
		h.coldPages += n
	}
	h.refile(i)
	if !done {
		return 0
	}
	return n
}

func (h *Heap) reservePages(minReserve int) int {
	if minReserve == 0 {
		return 0
	}
	return min(max(h.inUsePages/64, minReserve), maxReservePages)
}

// releasable picks a chunk with free memory: a wholly free one, else the next one that is
// free enough, or, if anyPage, with any free page at all.
func (h *Heap) releasable(anyPage bool) (i int, ok bool) {
	if head := h.bins.heads[wholeBin]; head != 0 {
		return int(head) - 1, true
	}
	for range min(maxVisits, len(h.chunks)) {
		h.hand++
		if h.hand >= len(h.chunks) {
			h.hand = 0
		}
		c := &h.chunks[h.hand]
		n := c.free().andNot(c.cold).count()
		if n >= minBreakPages || n > 0 && (anyPage || !c.huge) {
			return h.hand, true
		}
	}
	return 0, false
}

// releasePages drops the memory of some pages of a chunk, with the heap unlocked. A huge page
// that is broken up must not be put together again behind our back, which would make the
// released pages resident once more.
func (h *Heap) releasePages(addr uintptr, pages pageSet, breakHuge, mendHuge bool) (ok bool) {
	h.mu.Unlock()
	defer h.mu.Lock()
	if breakHuge {
		adviseHuge(addr, chunkSize, false)
	}
	for !pages.empty() {
		start, n := pages.firstRun()
		if !discard(addr+uintptr(start)<<pageShift, uintptr(n)<<pageShift) {
			return false
		}
		pages = pages.andNot(pageRange(start, n))
	}
	if mendHuge {
		adviseHuge(addr, chunkSize, true)
	}
	return true
}
