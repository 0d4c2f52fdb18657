package alloc

import (
	"sync/atomic"
	"unsafe"
)

// span describes a run of pages cut into slots of one class, or a run for one large block.
// It stands at the index of the run's first page; the others hold only back. 32 bytes, so
// two fill a cache line.
type span struct {
	addr       uintptr // of its first page
	free       Ref     // first free slot; each free slot begins with the Ref of the next
	fresh      Ref     // first slot that was never used, so is not on the free list; 0 is none
	next, prev uint32  // page numbers of neighbours in the list; 0 ends it
	live       uint16  // slots in use
	low        uint16  // falling below this many live slots means work for spanEmptied
	class      uint8
	bin        uint8 // list it is in
	back       uint8 // pages back to the first page of the span
	kind       spanKind
}

type spanKind uint8

const (
	noSpan spanKind = iota // page number not in use, or not the first of its span
	slotSpan
	largeSpan // next is its number of pages
)

// ptr returns where the block r is, the span being the one that begins at page.
func (s *span) ptr(page uint32, r Ref) unsafe.Pointer {
	return pointer(s.addr + uintptr(r-Ref(page<<granuleBits))<<granuleShift)
}

// Spans with free slots are kept in lists by how full they are. Allocation goes on in one
// span until that is full and then takes the fullest one, so that the emptiest ones have a
// chance to empty out and go back to the heap.
const (
	numSpanBins = 4
	unlisted    = numSpanBins // full, or current
)

type spanLists struct {
	current uint32 // page number of the span that serves allocations; 0 is none
	heads   [numSpanBins]uint32
}

// binFloor is the least live count of a span in a list.
func binFloor(bin uint8, slots int) uint16 {
	return max(1, uint16(slots*int(bin)/numSpanBins))
}

func (a *Arena) pushSpan(page uint32, bin uint8) {
	s := &a.spans[page]
	head := &a.classes[s.class].heads[bin]
	s.bin, s.prev, s.next = bin, 0, *head
	s.low = binFloor(bin, classes[s.class].slots)
	if s.next != 0 {
		a.spans[s.next].prev = page
	}
	*head = page
}

func (a *Arena) unlinkSpan(page uint32) {
	s := &a.spans[page]
	if s.bin == unlisted {
		return
	}
	if s.next != 0 {
		a.spans[s.next].prev = s.prev
	}
	if s.prev != 0 {
		a.spans[s.prev].next = s.next
	} else {
		a.classes[s.class].heads[s.bin] = s.next
	}
	s.bin = unlisted
}

// allocFresh allocates when the current span's free list is empty: from its slots never used,
// else from another span.
func (a *Arena) allocFresh(c int) Ref {
	page := a.classes[c].current
	s := &a.spans[page]
	r := s.fresh
	if r == 0 {
		return a.allocElsewhere(c)
	}
	info := &classes[c]
	s.fresh += info.granules
	if s.fresh == Ref(page<<granuleBits)+info.end {
		s.fresh = 0
	}
	s.live++
	a.allocated += info.size
	return r
}

// allocElsewhere makes another span the current one and allocates from it.
func (a *Arena) allocElsewhere(c int) Ref {
	if a.classes == &noClasses {
		a.classes = new([numClasses]spanLists)
	}
	if !a.nextSpan(c) {
		return 0
	}
	return a.alloc(classes[c].size)
}

// nextSpan retires the current span of a class, which is full, for the fullest one with free
// slots, or a new one. When there is no memory it leaves things as they are.
func (a *Arena) nextSpan(c int) (ok bool) {
	lists := &a.classes[c]
	page := a.fullest(lists)
	if page == 0 {
		page = a.newSpan(c)
		if page == 0 {
			return false
		}
	}
	if lists.current != 0 {
		a.spans[lists.current].low = uint16(classes[c].slots)
	}
	a.makeCurrent(lists, page)
	return true
}

func (a *Arena) fullest(lists *spanLists) (page uint32) {
	for bin := numSpanBins - 1; bin >= 0; bin-- {
		if lists.heads[bin] != 0 {
			return lists.heads[bin]
		}
	}
	return 0
}

func (a *Arena) makeCurrent(lists *spanLists, page uint32) {
	a.unlinkSpan(page)
	a.spans[page].low = 1
	lists.current = page
}

// spanEmptied is called when a span has fallen below its low mark: a full one has a free slot
// again, one in a list belongs in a lower one, or the last slot was freed.
func (a *Arena) spanEmptied(page uint32) {
	s := &a.spans[page]
	lists := &a.classes[s.class]
	slots := classes[s.class].slots
	if s.live > 0 {
		a.unlinkSpan(page)
		a.pushSpan(page, uint8(min(int(s.live)*numSpanBins/slots, numSpanBins-1)))
		return
	}
	if page == lists.current {
		lists.current = 0
		if other := a.fullest(lists); other != 0 {
			a.makeCurrent(lists, other)
		}
	}
	a.unlinkSpan(page)
	a.retire(page, classes[s.class].pages)
}

// Of each length up to maxSpare pages an arena keeps an empty span, to be one of any class: so the heap is not asked again and
// again where blocks come and go, or where a block grows through many classes.
const maxSpare = 2

// retire keeps the empty span as the spare one of its length, or returns it to the heap if there is one.
func (a *Arena) retire(page uint32, pages int) {
	if pages <= maxSpare && a.spare[pages-1] == 0 {
		a.spare[pages-1] = page
		a.approx.Store(int64(a.allocated))
		return
	}
	a.freePages(page, pages)
}

// takeSpare returns the spare span of that length, or 0.
func (a *Arena) takeSpare(pages int) (page uint32) {
	if pages > maxSpare || a.spare[pages-1] == 0 {
		return 0
	}
	page = a.spare[pages-1]
	a.spare[pages-1] = 0
	a.checkSpare(page)
	s := &a.spans[page]
	*s = span{addr: s.addr}
	return page
}

// newSpan takes pages for a span of class c.
func (a *Arena) newSpan(c int) (page uint32) {
	n := classes[c].pages
	if page = a.takeSpare(n); page == 0 {
		if page, _ = a.takePages(n); page == 0 {
			return 0
		}
	}
	s := &a.spans[page]
	s.class, s.bin, s.kind = uint8(c), unlisted, slotSpan
	s.fresh = Ref(page << granuleBits)
	for k := 1; k < n; k++ {
		a.spans[int(page)+k].back = uint8(k)
	}
	a.guard.addSpan(page, classes[c].slots)
	return page
}

// allocLarge returns whole pages. Asked for zeroes it has the operating system supply them
// where memory was used before: clearing many megabytes at once would take too long.
func (a *Arena) allocLarge(n int, zero bool) Ref {
	if n > MaxAlloc {
		return 0
	}
	pages := pagesFor(n)
	page, isZero := a.takePages(pages)
	if page == 0 {
		return 0
	}
	s := &a.spans[page]
	s.next, s.live, s.bin, s.kind = uint32(pages), 1, unlisted, largeSpan
	a.guard.addSpan(page, 1)
	a.allocated += pages << pageShift
	a.approx.Store(int64(a.allocated))
	r := Ref(page << granuleBits)
	if zero && !isZero {
		a.zeroLarge(r, n)
	}
	return r
}

// discardBytes is the size from which dropping pages beats clearing them.
const discardBytes = 1 << 20

func (a *Arena) zeroLarge(r Ref, n int) {
	size := (n + PageSize - 1) &^ (PageSize - 1)
	if n >= discardBytes && discard(uintptr(a.ptr(r)), uintptr(size)) {
		return
	}
	clear((*[MaxAlloc]byte)(a.ptr(r))[:n])
}

func (a *Arena) freeLarge(r Ref, n int) {
	pages := pagesFor(n)
	a.allocated -= pages << pageShift
	a.freePages(uint32(r>>granuleBits), pages)
}

// takePages gets n contiguous pages and as many consecutive page numbers for them; page 0 if
// either is refused.
func (a *Arena) takePages(n int) (page uint32, zero bool) {
	first, ok := a.numbers.take(n)
	if !ok {
		return 0, false
	}
	addr, zero := a.heap.alloc(n)
	if addr == 0 {
		a.numbers.give(first, n)
		return 0, false
	}
	a.growTables(first + n)
	for k := range n {
		// The lock-free readers of the table require it.
		atomic.StorePointer(&a.pages[first+k], pointer(addr+uintptr(k)<<pageShift))
	}
	clear(a.spans[first : first+n])
	a.spans[first].addr = addr
	a.active += n
	a.approx.Store(int64(a.allocated))
	return uint32(first), zero
}

// freePages returns a span's pages to the heap. Their entries in the page table stay, for who
// may still look at them.
func (a *Arena) freePages(page uint32, n int) {
	s := &a.spans[page]
	a.heap.free(s.addr, n)
	*s = span{}
	a.numbers.give(int(page), n)
	a.active -= n
	a.approx.Store(int64(a.allocated))
}
