package alloc

import (
	"sync/atomic"
	"unsafe"

	"github.com/shoaldb/shoal/internal/invariants"
)

// Arena is the memory of one shard. Its methods need the shard's lock, except Addr and
// ApproxAllocated.
type Arena struct {
	guard   guard
	heap    *Heap
	pages   []unsafe.Pointer // by page number; see peekTable
	spans   []span           // by page number of a span's first page
	classes *[numClasses]spanLists
	spare   [maxSpare]uint32 // page numbers of empty spans, by length; 0 is none
	peek    atomic.Pointer[peekTable]
	numbers numberSet // page numbers in use

	allocated int // bytes of live blocks, each rounded up to its class
	active    int // pages held
	purposes  [numPurposes]int
	approx    atomic.Int64 // allocated, as of the last change of spans
	swept     int          // where ReleaseStep goes on
}

// Purpose says what a block is for, in statistics.
type Purpose uint8

const (
	// Keyspace is the purpose of what Alloc returns: keys and values.
	Keyspace Purpose = iota
	// Table is the purpose of hash tables and other indexes.
	Table
	numPurposes
)

// Stats describes one arena, in bytes unless said.
type Stats struct {
	Allocated int // live blocks, each rounded up to its size class
	Tables    int // the part of Allocated that serves purpose Table
	Active    int // pages held
}

// The tables of an arena that holds nothing, shared and never written. There is a page 0, so
// that Ref 0 is a nil pointer, and a span 0 without free slots, which is every class's current
// one, so that Alloc need not ask whether there is one.
var (
	noPages   = []unsafe.Pointer{nil}
	noSpans   = []span{{}}
	noClasses [numClasses]spanLists
)

// NewArena returns an arena that takes pages from h. It costs a few hundred bytes until used.
func NewArena(h *Heap) *Arena {
	a := &Arena{heap: h, pages: noPages, spans: noSpans, classes: &noClasses}
	a.peek.Store(&peekTable{noPages})
	return a
}

// Alloc returns a block of n <= MaxAlloc bytes, not initialised and aligned to 8 bytes; 0 when
// the operating system refuses memory or the arena's 32 GiB are full.
func (a *Arena) Alloc(n int) Ref {
	if invariants.Enabled {
		return a.allocChecked(n)
	}
	return a.alloc(n)
}

// Free takes back the block r that was asked for with n bytes.
func (a *Arena) Free(r Ref, n int) {
	if invariants.Enabled {
		a.freeChecked(r, n)
		return
	}
	a.free(r, n)
}

// AllocFor is Alloc for another purpose than Keyspace; FreeFor must be told the same.
func (a *Arena) AllocFor(p Purpose, n int) Ref {
	r := a.Alloc(n)
	if r != 0 {
		a.purposes[p] += UsableSize(n)
	}
	return r
}

// FreeFor takes back what AllocFor returned.
func (a *Arena) FreeFor(p Purpose, r Ref, n int) {
	a.Free(r, n)
	a.purposes[p] -= UsableSize(n)
}

// AllocZero is Alloc with all n bytes zero. Large blocks come zeroed from the operating
// system instead of being cleared.
func (a *Arena) AllocZero(n int) Ref {
	if n > maxSmall {
		if invariants.Enabled {
			return a.allocLargeZeroChecked(n)
		}
		return a.allocLarge(n, true)
	}
	r := a.Alloc(n)
	if r != 0 {
		clear(a.Bytes(r, n))
	}
	return r
}

// Stats returns exact figures.
func (a *Arena) Stats() Stats {
	return Stats{
		Allocated: a.allocated,
		Tables:    a.purposes[Table],
		Active:    a.active * PageSize,
	}
}

// Allocated returns Stats().Allocated.
func (a *Arena) Allocated() int { return a.allocated }

// ApproxAllocated returns Stats().Allocated as it was when a span last came or went, which is
// off by a few spans at most. It may be called without the lock.
func (a *Arena) ApproxAllocated() int { return int(a.approx.Load()) }

// CountObjects returns the number of live blocks. It visits every page of the arena.
func (a *Arena) CountObjects() int {
	count := 0
	for i := range a.spans {
		count += int(a.spans[i].live)
	}
	return count
}

func (a *Arena) alloc(n int) Ref {
	if !isSmall(n) {
		return a.allocUnusual(n)
	}
	c, size := classOf(n)
	page := a.classes[c].current
	s := &a.spans[page]
	r := s.free
	if r == 0 {
		return a.allocFresh(c)
	}
	s.free = *(*Ref)(s.ptr(page, r))
	s.live++
	a.allocated += size
	return r
}

func (a *Arena) allocUnusual(n int) Ref {
	switch {
	case n < 0:
		panic("alloc: negative size")
	case n == 0:
		return a.alloc(1)
	}
	return a.allocLarge(n, false)
}

func (a *Arena) free(r Ref, n int) {
	if !isSmall(n) {
		a.freeUnusual(r, n)
		return
	}
	_, size := classOf(n)
	page := uint32(r >> granuleBits)
	s := &a.spans[page]
	if s.back != 0 {
		page -= uint32(s.back)
		s = &a.spans[page]
	}
	*(*Ref)(s.ptr(page, r)) = s.free
	s.free = r
	s.live--
	a.allocated -= size
	if s.live < s.low {
		a.spanEmptied(page)
	}
}

func (a *Arena) freeUnusual(r Ref, n int) {
	if n == 0 {
		a.free(r, 1)
		return
	}
	a.freeLarge(r, n)
}
