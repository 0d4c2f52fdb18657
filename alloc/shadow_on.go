//go:build invariants

package alloc

import (
	"sync/atomic"

	"github.com/shoaldb/shoal/internal/invariants"
)

const (
	freedByte = 0xDB // what freed blocks are filled with, but for their first 8 bytes
	freshByte = 0xCD // what Alloc fills blocks with
)

// guard is what the invariants build knows of an arena besides.
type guard struct {
	busy atomic.Bool
	// By first page of a span and slot: what the block was asked for plus 1; 0 is free,
	// negative is free and filled with freedByte.
	asked map[uint32][]int
}

func (a *Arena) enter() {
	invariants.Check(a.guard.busy.CompareAndSwap(false, true), "two goroutines in one arena")
}

func (a *Arena) leave() { a.guard.busy.Store(false) }

// addSpan prepares for a span that is about to be used.
func (g *guard) addSpan(page uint32, slots int) {
	if g.asked == nil {
		g.asked = make(map[uint32][]int)
	}
	g.asked[page] = make([]int, slots)
}

func (g *guard) moveTo(other *guard) { other.asked, g.asked = g.asked, nil }

// slot returns the shadow of the slot that r points into, and r's offset in it in bytes.
func (a *Arena) slot(r Ref) (asked *int, offset int) {
	page := uint32(r >> granuleBits)
	invariants.Check(r != 0 && int(page) < len(a.spans), "ref %#x is nil or beyond the arena", r)
	page -= uint32(a.spans[page].back)
	offset = (int(r) - int(page<<granuleBits)) << granuleShift
	s := &a.spans[page]
	if s.kind == noSpan {
		page, offset = a.largeAround(page, r)
		s = &a.spans[page]
	}
	if s.kind == largeSpan {
		return &a.guard.asked[page][0], offset
	}
	size := classes[s.class].size
	invariants.Check(offset/size < classes[s.class].slots, "ref %#x lies behind the last slot", r)
	return &a.guard.asked[page][offset/size], offset % size
}

// largeAround finds the large span that r points into the middle of.
func (a *Arena) largeAround(page uint32, r Ref) (first uint32, offset int) {
	for first = page; first > 0; first-- {
		s := &a.spans[first]
		if s.kind == largeSpan && page < first+s.next {
			return first, (int(r) - int(first<<granuleBits)) << granuleShift
		}
		if s.kind != noSpan {
			break
		}
	}
	invariants.Fail("ref %#x: its page was freed", r)
	return 0, 0
}

// checkView checks that n bytes from r lie inside what a live block was asked for.
func (a *Arena) checkView(r Ref, n int) {
	asked, offset := a.slot(r)
	invariants.Check(*asked > 0, "ref %#x was freed", r)
	invariants.Check(offset+n <= *asked-1, "ref %#x: %d bytes at %d exceed the %d asked for", r, n, offset, *asked-1)
}

func (a *Arena) allocChecked(n int) Ref {
	a.enter()
	defer a.leave()
	return a.noteAlloc(a.alloc(n), n, freshByte)
}

func (a *Arena) allocLargeZeroChecked(n int) Ref {
	a.enter()
	defer a.leave()
	return a.noteAlloc(a.allocLarge(n, true), n, 0)
}

func (a *Arena) noteAlloc(r Ref, n int, fill byte) Ref {
	if r == 0 {
		return 0
	}
	asked, offset := a.slot(r)
	invariants.Check(*asked <= 0 && offset == 0, "allocated ref %#x is in use", r)
	b := (*[MaxAlloc]byte)(a.ptr(r))[:n]
	if *asked < 0 {
		checkUntouched(r, b[:min(n, -*asked-1)])
	}
	*asked = n + 1
	if fill != 0 {
		fillBytes(b, fill)
	}
	return r
}

func (a *Arena) freeChecked(r Ref, n int) {
	a.enter()
	defer a.leave()
	asked, offset := a.slot(r)
	invariants.Check(*asked > 0, "ref %#x freed twice", r)
	invariants.Check(offset == 0, "ref %#x freed from its middle", r)
	invariants.Check(*asked-1 == n, "ref %#x of %d bytes freed as %d", r, *asked-1, n)
	*asked = -*asked
	fillBytes((*[MaxAlloc]byte)(a.ptr(r))[:n], freedByte)
	a.free(r, n)
}

func checkUntouched(r Ref, freed []byte) {
	for i := 8; i < len(freed); i++ {
		if freed[i] != freedByte {
			invariants.Fail("ref %#x: byte %d was written after Free", r, i)
		}
	}
}

func fillBytes(b []byte, v byte) {
	if len(b) == 0 {
		return
	}
	b[0] = v
	for done := 1; done < len(b); done *= 2 {
		copy(b[done:], b[:done])
	}
}

func (a *Arena) resizeChecked(r Ref, was, n int) {
	a.enter()
	defer a.leave()
	asked, offset := a.slot(r)
	invariants.Check(offset == 0 && *asked-1 == was, "ref %#x of %d bytes resized from %d", r, *asked-1, was)
	invariants.Check(UsableSize(was) == UsableSize(n), "resize from %d to %d bytes changes the class", was, n)
	*asked = n + 1
}

// checkSpare checks that nobody has written to the free blocks of an empty span.
func (a *Arena) checkSpare(page uint32) {
	info := &classes[a.spans[page].class]
	for i, asked := range a.guard.asked[page] {
		if asked < 0 {
			r := Ref(page<<granuleBits) + Ref(i)*info.granules
			checkUntouched(r, (*[MaxAlloc]byte)(a.ptr(r))[:-asked-1])
		}
	}
}
