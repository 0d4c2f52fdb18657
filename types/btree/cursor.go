package btree

import "github.com/shoaldb/shoal/alloc"

// Cursor is a place in a tree that does not change: an element, or none.
type Cursor struct {
	leaf alloc.Ref
	at   int
}

// At returns a cursor on the element of a rank. There is none for a rank below 0 or from Len on.
func (t *Tree) At(rank int) Cursor {
	if rank < 0 || rank >= int(t.count) {
		return Cursor{}
	}
	var p path
	t.descendRank(rank, &p)
	return Cursor{p.leaf, p.at}
}

// First returns a cursor on the first element, if any.
func (t *Tree) First() Cursor { return Cursor{t.first, 0} }

// Last returns a cursor on the last element, if any.
func (t *Tree) Last() Cursor {
	if t.last == 0 {
		return Cursor{}
	}
	return Cursor{t.last, int(t.leaf(t.last).n) - 1}
}

// Ahead returns some elements, in order, beginning with c's: at most limit and as many as share a leaf. c moves to the one
// after them. At the end there are none. The slices alias the tree.
func (t *Tree) Ahead(c *Cursor, limit int) (scores []float64, refs []alloc.Ref) {
	if c.leaf == 0 {
		return nil, nil
	}
	l := t.leaf(c.leaf)
	from, to := c.at, min(c.at+limit, int(l.n))
	if c.at = to; to == int(l.n) {
		*c = Cursor{leaf: l.next}
	}
	return l.scores[from:to], l.refs[from:to]
}

// Back is Ahead in the other direction: the slices, in order, end with c's element, and c moves to the one in front of them.
func (t *Tree) Back(c *Cursor, limit int) (scores []float64, refs []alloc.Ref) {
	if c.leaf == 0 {
		return nil, nil
	}
	l := t.leaf(c.leaf)
	from, to := max(c.at+1-limit, 0), c.at+1
	if c.at = from - 1; from == 0 {
		*c = Cursor{leaf: l.prev}
		if l.prev != 0 {
			c.at = int(t.leaf(l.prev).n) - 1
		}
	}
	return l.scores[from:to], l.refs[from:to]
}
