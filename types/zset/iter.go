package zset

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Iter lists members in order. The sorted set must not change meanwhile.
type Iter struct {
	left  int // members yet to come
	back  bool
	names bool // scores are not wanted

	lp  []byte // nil in a skiplist
	pos int    // of the next member, or of the score of the next one backwards

	arena  *alloc.Arena
	tree   btree.Tree
	cursor btree.Cursor
	scores []float64
	refs   []alloc.Ref
	at     int // in refs, of the next member
	cold   bool
}

const (
	// coldLen is the number of members from which they are not expected to be in the second-level cache, so that
	// prefetching pays.
	coldLen = 4096
	// runLen is how many members are prefetched together.
	runLen = 32
)

// Ascend lists the members from rank from up to rank to, exclusively; 0 <= from <= to <= Len.
func (v *Value) Ascend(from, to int) Iter { return v.iter(from, to-from, false) }

// Descend lists the same members from the last one on.
func (v *Value) Descend(from, to int) Iter { return v.iter(to-1, to-from, true) }

func (v *Value) iter(rank, n int, back bool) Iter {
	it := Iter{left: n, back: back}
	switch {
	case n <= 0:
		it.left = 0
	case v.small():
		it.lp = v.Listpack()
		it.pos = listpack.Seek(it.lp, 2*rank)
		if back {
			it.pos = listpack.Next(it.lp, it.pos)
		}
	default:
		it.arena, it.tree, it.cold = v.sp.Arena, v.tree(), v.Len() >= coldLen
		it.cursor = it.tree.At(rank)
	}
	return it
}

// NamesOnly says that scores are not wanted: those of a listpack may be texts that take a while to parse.
func (it *Iter) NamesOnly() { it.names = true }

// Next returns the next member and its score; ok is false if there is none. The bytes die when the sorted set changes.
func (it *Iter) Next() (e listpack.Element, score float64, ok bool) {
	if it.left == 0 {
		return e, 0, false
	}
	it.left--
	if it.lp != nil {
		e, score = it.nextSmall()
		return e, score, true
	}
	if it.at == len(it.refs) {
		it.load()
	}
	i := it.at
	it.at++
	if it.back {
		i = len(it.refs) - 1 - i
	}
	return listpack.Element{Bytes: member.Name(it.arena, it.refs[i])}, it.scores[i], true
}

func (it *Iter) nextSmall() (e listpack.Element, score float64) {
	if it.back {
		if !it.names {
			score = scoreAt(it.lp, it.pos)
		}
		pos := listpack.Prev(it.lp, it.pos)
		e = listpack.Get(it.lp, pos)
		it.pos = listpack.Prev(it.lp, pos)
		return e, score
	}
	e, pos := listpack.Take(it.lp, it.pos)
	s, pos := listpack.Take(it.lp, pos)
	it.pos = pos
	if !it.names {
		score = scoreOf(s)
	}
	return e, score
}

// load takes the next members of a skiplist and asks for their blocks.
func (it *Iter) load() {
	n := min(it.left+1, runLen)
	if it.back {
		it.scores, it.refs = it.tree.Back(&it.cursor, n)
	} else {
		it.scores, it.refs = it.tree.Ahead(&it.cursor, n)
	}
	it.at = 0
	if it.cold {
		var addrs [runLen]uintptr
		for i, ref := range it.refs {
			addrs[i] = it.arena.Addr(ref)
		}
		alloc.Prefetch(addrs[:len(it.refs)])
	}
}
