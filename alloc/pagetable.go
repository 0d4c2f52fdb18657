package alloc

import (
	"math/bits"
	"unsafe"
)

// growTables makes room for page numbers below n.
func (a *Arena) growTables(n int) {
	if n <= len(a.pages) && n <= len(a.spans) {
		return
	}
	size := min(max(n, 8, len(a.pages)+len(a.pages)/2), maxPages)
	words := make([]uintptr, size)
	pages := unsafe.Slice((*unsafe.Pointer)(unsafe.Pointer(&words[0])), size)
	copy(pages, a.pages)
	spans := make([]span, size)
	copy(spans, a.spans)
	a.pages, a.spans = pages, spans
	a.peek.Store(&peekTable{pages})
}

// numberSet is a bitmap of the page numbers in use. Numbers are cheap compared to pages, so
// long searches are cut short in favour of numbers at the end.
type numberSet struct {
	words []uint64
	hint  int // no word before this one has a free bit
	end   int // numbers from here on were never used
}

// How many words a search visits before it takes numbers from the end.
const maxSearchWords = 1 << 10

// take returns n consecutive numbers, never 0.
func (s *numberSet) take(n int) (first int, ok bool) {
	s.end = max(s.end, 1)
	first, ok = s.search(n, s.hint+maxSearchWords)
	if !ok && s.end+n <= maxPages {
		first, ok = s.end, true
	}
	if !ok {
		if first, ok = s.search(n, len(s.words)); !ok {
			return 0, false
		}
	}
	s.end = max(s.end, first+n)
	for len(s.words)*64 < s.end {
		s.words = append(s.words, 0)
	}
	s.set(first, n, true)
	for s.hint < len(s.words) && s.words[s.hint] == ^uint64(0) {
		s.hint++
	}
	return first, true
}

// search looks for n consecutive free numbers below end, in words before maxWord.
func (s *numberSet) search(n, maxWord int) (first int, ok bool) {
	first = max(s.hint*64, 1)
	for limit := min(maxWord*64, s.end); first < limit; {
		first = s.nextFree(first)
		used := s.nextUsed(first, min(first+n, s.end))
		if used-first >= n {
			return first, true
		}
		first = used
	}
	return 0, false
}

// nextFree returns the lowest free number >= i, possibly beyond end.
func (s *numberSet) nextFree(i int) int {
	for w := i / 64; w < len(s.words); w++ {
		free := ^s.words[w]
		if w == i/64 {
			free &= ^uint64(0) << (i % 64)
		}
		if free != 0 {
			return w*64 + bits.TrailingZeros64(free)
		}
	}
	return len(s.words) * 64
}

// nextUsed returns the lowest used number in [i, limit), else limit.
func (s *numberSet) nextUsed(i, limit int) int {
	for i < limit {
		used := s.words[i/64] >> (i % 64)
		if used != 0 {
			return min(i+bits.TrailingZeros64(used), limit)
		}
		i = (i/64 + 1) * 64
	}
	return limit
}

func (s *numberSet) give(first, n int) {
	s.set(first, n, false)
	s.hint = min(s.hint, first/64)
}

func (s *numberSet) set(first, n int, used bool) {
	for i := first; i < first+n; {
		part := min(64-i%64, first+n-i)
		mask := (^uint64(0) >> (64 - part)) << (i % 64)
		if used {
			s.words[i/64] |= mask
		} else {
			s.words[i/64] &^= mask
		}
		i += part
	}
}
