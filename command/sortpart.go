package command

import "slices"

// sortPart puts into a[from:to] what stands there after all of a is sorted. It is the quicksort of J. L. Bentley and
// M. D. McIlroy, "Engineering a Sort Function", Software: Practice and Experience 23 (1993), left out where the part is not
// concerned, with the same choice of pivots as in Redis: so that elements that compare as equal come in its order. Where the
// pivots are bad again and again, it gives that up.
func sortPart[T any](a []T, from, to int, compare func(x, y *T) int) {
	depth := 64
	for n := len(a); n > 0; n >>= 1 {
		depth += 2
	}
	p := partSort[T]{a, from, to, compare}
	p.sort(0, len(a), depth)
}

type partSort[T any] struct {
	a        []T
	from, to int
	compare  func(x, y *T) int
}

const (
	insertionMost = 6  // elements that are sorted by insertion
	threeMost     = 40 // elements whose pivot is the median of three, not of nine
)

// sort sorts a[lo:hi].
func (p *partSort[T]) sort(lo, hi, depth int) {
	for {
		if hi-lo <= insertionMost {
			p.insert(lo, hi)
			return
		}
		if depth--; depth == 0 {
			slices.SortStableFunc(p.a[lo:hi], func(x, y T) int { return p.compare(&x, &y) })
			return
		}
		p.swap(lo, p.pivot(lo, hi))
		less, more := p.partition(lo, hi)
		if less > 1 && p.concerns(lo, lo+less) {
			p.sort(lo, lo+less, depth)
		}
		if more <= 1 || !p.concerns(hi-more, hi) {
			return
		}
		lo = hi - more
	}
}

// concerns tells whether a[lo:hi] has elements of the part.
func (p *partSort[T]) concerns(lo, hi int) bool { return lo < p.to && hi > p.from }

func (p *partSort[T]) swap(i, j int) { p.a[i], p.a[j] = p.a[j], p.a[i] }

func (p *partSort[T]) cmp(i, j int) int { return p.compare(&p.a[i], &p.a[j]) }

func (p *partSort[T]) insert(lo, hi int) {
	for i := lo + 1; i < hi; i++ {
		for j := i; j > lo && p.cmp(j-1, j) > 0; j-- {
			p.swap(j, j-1)
		}
	}
}

func (p *partSort[T]) pivot(lo, hi int) int {
	n := hi - lo
	middle := lo + n/2
	if n == insertionMost+1 {
		return middle
	}
	first, last := lo, hi-1
	if n > threeMost {
		d := n / 8
		first = p.median(first, first+d, first+2*d)
		middle = p.median(middle-d, middle, middle+d)
		last = p.median(last-2*d, last-d, last)
	}
	return p.median(first, middle, last)
}

func (p *partSort[T]) median(i, j, k int) int {
	if p.cmp(i, j) < 0 {
		switch {
		case p.cmp(j, k) < 0:
			return j
		case p.cmp(i, k) < 0:
			return k
		}
		return i
	}
	switch {
	case p.cmp(j, k) > 0:
		return j
	case p.cmp(i, k) < 0:
		return i
	}
	return k
}

// partition takes the pivot from lo. What is less comes to the beginning of a[lo:hi], what is more to the end; it returns how
// many these are. Equal elements are gathered at both ends first.
func (p *partSort[T]) partition(lo, hi int) (less, more int) {
	equalLo, equalHi := lo+1, hi-1 // equal elements are before and after
	b, c := lo+1, hi-1             // not looked at yet
	for {
		for ; b <= c; b++ {
			r := p.cmp(b, lo)
			if r > 0 {
				break
			}
			if r == 0 {
				p.swap(equalLo, b)
				equalLo++
			}
		}
		for ; b <= c; c-- {
			r := p.cmp(c, lo)
			if r < 0 {
				break
			}
			if r == 0 {
				p.swap(c, equalHi)
				equalHi--
			}
		}
		if b > c {
			break
		}
		p.swap(b, c)
		b++
		c--
	}
	less, more = b-equalLo, equalHi-c
	p.swapRuns(lo, b, min(equalLo-lo, less))
	p.swapRuns(b, hi, min(more, hi-1-equalHi))
	return less, more
}

// swapRuns exchanges the n elements from i on with those before end.
func (p *partSort[T]) swapRuns(i, end, n int) {
	for k := range n {
		p.swap(i+k, end-n+k)
	}
}
