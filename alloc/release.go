package alloc

// Trim returns the spans to the heap that an arena keeps though they are empty. It costs some ns when there are none.
func (a *Arena) Trim() {
	for i, page := range a.spare {
		if page != 0 {
			a.spare[i] = 0
			a.freePages(page, i+1)
		}
	}
}

// Detach empties the arena in constant time: all blocks move to the returned arena, whose
// only use is to be released step by step. Every Ref into a dies; Addr of one returns 0 or
// the address of what takes its place.
func (a *Arena) Detach() *Arena {
	old := &Arena{
		heap:      a.heap,
		pages:     a.pages,
		spans:     a.spans,
		classes:   a.classes,
		numbers:   a.numbers,
		allocated: a.allocated,
		active:    a.active,
		purposes:  a.purposes,
	}
	old.approx.Store(int64(old.allocated))
	old.peek.Store(a.peek.Load())
	a.guard.moveTo(&old.guard)
	a.reset()
	return old
}

func (a *Arena) reset() {
	a.pages, a.spans, a.classes = noPages, noSpans, &noClasses
	a.peek.Store(&peekTable{noPages})
	a.numbers = numberSet{}
	a.spare = [maxSpare]uint32{}
	a.allocated, a.active, a.swept = 0, 0, 0
	a.purposes = [numPurposes]int{}
	a.approx.Store(0)
}

// ReleaseStep returns a detached arena to the heap, visiting at most maxPages pages at some
// 100 ns each, and tells whether nothing is left. Nothing else may be done with the arena
// between the first step and the last, but to ask for statistics.
func (a *Arena) ReleaseStep(maxPages int) (done bool) {
	for end := min(a.swept+maxPages, len(a.spans)); a.swept < end; a.swept++ {
		s := &a.spans[a.swept]
		switch s.kind {
		case slotSpan:
			a.allocated -= int(s.live) * classes[s.class].size
			a.freePages(uint32(a.swept), classes[s.class].pages)
		case largeSpan:
			a.allocated -= int(s.next) << pageShift
			a.freePages(uint32(a.swept), int(s.next))
		}
	}
	if a.swept < len(a.spans) {
		return false
	}
	a.reset()
	return true
}
