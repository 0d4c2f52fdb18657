package btree

import (
	"fmt"

	"github.com/shoaldb/shoal/alloc"
)

// checker walks a tree and notes what it has met so far.
type checker struct {
	*Tree
	ordered func(a, b alloc.Ref) bool
	score   float64 // of the element before
	ref     alloc.Ref
	leaf    alloc.Ref // the leaf before
	count   uint32
	leaves  uint32
	inners  uint32
}

// Check verifies the whole tree, for tests and the invariants build: order, links, separators, counts and how full nodes
// are. ordered tells whether the element a comes before b where their scores are equal.
func (t *Tree) Check(ordered func(a, b alloc.Ref) bool) error {
	c := checker{Tree: t, ordered: ordered}
	if t.top == 0 {
		if *t.Root != (Root{}) {
			return fmt.Errorf("a tree without nodes is not empty")
		}
		return nil
	}
	if _, err := c.node(t.top, int(t.height)); err != nil {
		return err
	}
	if c.leaf != t.last || c.count != t.count || c.leaves != t.leaves || c.inners != t.inners {
		return fmt.Errorf("%d elements, %d leaves, %d inner nodes are counted as %d, %d, %d; last leaf %d, noted %d",
			c.count, c.leaves, c.inners, t.count, t.leaves, t.inners, c.leaf, t.last)
	}
	return nil
}

// node checks the node r, which has height nodes below it on each path, and returns the entry that its parent must have.
func (c *checker) node(r alloc.Ref, height int) (entry, error) {
	if height == 0 {
		return c.checkLeaf(r)
	}
	n := c.inner(r)
	c.inners++
	if n.n == 0 || n.n > innerCap || r == c.top && n.n < 2 {
		return entry{}, fmt.Errorf("inner node %d has %d children", r, n.n)
	}
	e := entry{n.scores[0], n.refs[0], r, 0}
	for i := range int(n.n) {
		child, err := c.node(n.children[i], height-1)
		if err != nil {
			return e, err
		}
		if got := n.entry(i); got != child {
			return e, fmt.Errorf("inner node %d has %v of a child that is %v", r, got, child)
		}
		e.count += child.count
	}
	return e, nil
}

func (c *checker) checkLeaf(r alloc.Ref) (entry, error) {
	l := c.Tree.leaf(r)
	n := int(l.n)
	c.leaves++
	switch {
	case n == 0 || n > len(l.scores):
		return entry{}, fmt.Errorf("leaf %d has %d elements", r, n)
	case l.size != nodeBytes && c.height > 0:
		return entry{}, fmt.Errorf("leaf %d of many has %d bytes", r, l.size)
	case l.prev != c.leaf || c.leaf == 0 && c.first != r:
		return entry{}, fmt.Errorf("leaf %d is behind %d, not %d", r, l.prev, c.leaf)
	case c.leaf != 0 && c.Tree.leaf(c.leaf).next != r, l.next == 0 && c.last != r:
		return entry{}, fmt.Errorf("leaf %d is not linked", r)
	}
	c.leaf = r
	for i := range n {
		if err := c.element(l.scores[i], l.refs[i]); err != nil {
			return entry{}, fmt.Errorf("leaf %d: %w", r, err)
		}
	}
	return entry{l.scores[0], l.refs[0], r, uint32(n)}, nil
}

func (c *checker) element(score float64, ref alloc.Ref) error {
	if c.count > 0 && (score < c.score || score == c.score && !c.ordered(c.ref, ref)) || score != score || ref == 0 {
		return fmt.Errorf("(%v, %d) follows (%v, %d)", score, ref, c.score, c.ref)
	}
	c.score, c.ref = score, ref
	c.count++
	return nil
}
