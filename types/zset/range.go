package zset

import (
	"bytes"

	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/listpack"
)

// ScoreRange are the scores from Min to Max, without these where they are Open.
type ScoreRange struct {
	Min, Max         float64
	MinOpen, MaxOpen bool
}

func (r *ScoreRange) empty() bool { return r.Min > r.Max || r.Min == r.Max && (r.MinOpen || r.MaxOpen) }

func (r *ScoreRange) fromMin(s float64) bool { return s > r.Min || s == r.Min && !r.MinOpen }

func (r *ScoreRange) toMax(s float64) bool { return s < r.Max || s == r.Max && !r.MaxOpen }

// Bound is one end of a LexRange.
type Bound struct {
	Name     []byte
	Infinite int8 // -1: before every member; +1: after every member; 0: at Name
	Open     bool // without Name
}

// LexRange are the members from Min to Max in the order of their bytes.
type LexRange struct{ Min, Max Bound }

func (r *LexRange) empty() bool {
	if r.Min.Infinite != 0 || r.Max.Infinite != 0 {
		return r.Min.Infinite > r.Max.Infinite || r.Min.Infinite == r.Max.Infinite && (r.Min.Open || r.Max.Open)
	}
	c := bytes.Compare(r.Min.Name, r.Max.Name)
	return c > 0 || c == 0 && (r.Min.Open || r.Max.Open)
}

// compare tells whether b comes before (negative), at (0) or after (positive) the member e. buf is room for e as text.
func (b *Bound) compare(e listpack.Element, buf *[maxIntText]byte) int {
	if b.Infinite != 0 {
		return int(b.Infinite)
	}
	if e.IsInt {
		return bytes.Compare(b.Name, e.Append(buf[:0]))
	}
	return bytes.Compare(b.Name, e.Bytes)
}

func (r *LexRange) fromMin(e listpack.Element, buf *[maxIntText]byte) bool {
	c := r.Min.compare(e, buf)
	return c < 0 || c == 0 && !r.Min.Open
}

func (r *LexRange) toMax(e listpack.Element, buf *[maxIntText]byte) bool {
	c := r.Max.compare(e, buf)
	return c > 0 || c == 0 && !r.Max.Open
}

// ByScore returns the ranks of the members with scores in r: from from up to to, exclusively.
func (v *Value) ByScore(r *ScoreRange) (from, to int) {
	if r.empty() {
		return 0, 0
	}
	if v.small() {
		return v.smallByScore(r)
	}
	t := v.tree()
	first := btree.Key{Score: r.Min, Place: btree.Before}
	if r.MinOpen {
		first.Place = btree.After
	}
	last := btree.Key{Score: r.Max, Place: btree.After}
	if r.MaxOpen {
		last.Place = btree.Before
	}
	from, _ = t.Rank(&first)
	to, _ = t.Rank(&last)
	return from, max(from, to)
}

func (v *Value) smallByScore(r *ScoreRange) (from, to int) {
	lp := v.Listpack()
	for pos := listpack.First(lp); pos != 0; to++ {
		pos = listpack.Next(lp, pos)
		s := scoreAt(lp, pos)
		if !r.toMax(s) {
			break
		}
		if !r.fromMin(s) {
			from++
		}
		pos = listpack.Next(lp, pos)
	}
	return from, to
}

// ByLex returns the ranks of the members in r: from from up to to, exclusively. The members must have equal scores; if
// not, the result is some range, which may depend on whether it is wanted from its end (backwards), as in Redis.
func (v *Value) ByLex(r *LexRange, backwards bool) (from, to int) {
	switch {
	case r.empty():
		return 0, 0
	case !v.small():
		from, to = v.lexRank(&r.Min, r.Min.Open), v.lexRank(&r.Max, !r.Max.Open)
		return from, max(from, to)
	case !v.smallInLex(r):
		return 0, 0
	case backwards:
		return v.smallByLexBack(r)
	}
	return v.smallByLex(r)
}

// lexRank returns how many members come before b; with equal, one that is b's Name counts too.
func (v *Value) lexRank(b *Bound, equal bool) int {
	switch {
	case b.Infinite < 0:
		return 0
	case b.Infinite > 0:
		return v.Len()
	}
	t := v.tree()
	rank, found := t.Rank(&btree.Key{Member: b.Name, Place: btree.AnyScore})
	if found && equal {
		rank++
	}
	return rank
}

// smallInLex tells whether the first and the last member do not exclude that there are some in r.
func (v *Value) smallInLex(r *LexRange) bool {
	lp := v.Listpack()
	var buf [maxIntText]byte
	if len(lp) == 0 || listpack.Len(lp) == 0 {
		return false
	}
	return r.fromMin(listpack.Get(lp, listpack.Seek(lp, -2)), &buf) && r.toMax(listpack.Get(lp, listpack.First(lp)), &buf)
}

func (v *Value) smallByLex(r *LexRange) (from, to int) {
	lp := v.Listpack()
	var buf [maxIntText]byte
	begun := false
	for pos := listpack.First(lp); pos != 0; to++ {
		e := listpack.Get(lp, pos)
		if !begun && !r.fromMin(e, &buf) {
			from++
		} else {
			begun = true
			if !r.toMax(e, &buf) {
				break
			}
		}
		pos = listpack.Next(lp, listpack.Next(lp, pos))
	}
	return from, to
}

func (v *Value) smallByLexBack(r *LexRange) (from, to int) {
	lp := v.Listpack()
	var buf [maxIntText]byte
	from = listpack.Len(lp) / 2
	to = from
	begun := false
	for pos := listpack.Seek(lp, -2); pos != 0; from-- {
		e := listpack.Get(lp, pos)
		if !begun && !r.toMax(e, &buf) {
			to--
		} else {
			begun = true
			if !r.fromMin(e, &buf) {
				break
			}
		}
		if pos = listpack.Prev(lp, pos); pos != 0 {
			pos = listpack.Prev(lp, pos)
		}
	}
	return from, to
}
