package btree

import "github.com/shoaldb/shoal/alloc"

// RunLen is how many elements PrependRun takes at most.
const RunLen = leafCap

// PrependRun adds elements in ascending order, RunLen at most, that come before all others: as a leaf, so that it is
// the way to build a tree from its end. It reports false, having changed nothing, if there is no memory.
func (t *Tree) PrependRun(scores []float64, refs []alloc.Ref) bool {
	if t.top == 0 {
		return t.firstRun(scores, refs)
	}
	if l := t.leaf(t.first); l.size < nodeBytes && !t.resizeLeaf(nodeBytes) {
		return false
	}
	var p path
	var s spare
	t.descendRank(0, &p)
	if !t.fetch(&s, &p) {
		return false
	}
	r := s.take()
	*alloc.At[leafHead](t.arena, r) = leafHead{size: nodeBytes, next: t.first}
	t.fillLeaf(r, scores, refs)
	t.leaf(t.first).prev = r
	t.first = r
	t.leaves++
	t.count += uint32(len(refs))
	e := entry{scores[0], refs[0], r, uint32(len(refs))}
	if t.height == 0 {
		l := t.leaf(p.leaf)
		t.raise(&s, e, entry{l.scores[0], l.refs[0], p.leaf, uint32(l.n)})
		return true
	}
	t.insertChild(&p, 0, e, len(refs), &s)
	for r, level := t.top, t.height; level > 0; level-- {
		n := t.inner(r)
		n.scores[0], n.refs[0] = e.score, e.ref
		r = n.children[0]
	}
	return true
}

// firstRun makes an empty tree a leaf that is just large enough.
func (t *Tree) firstRun(scores []float64, refs []alloc.Ref) bool {
	size := 64
	for size < nodeBytes && leafRoom(size) < len(refs) {
		size *= 2
	}
	r := t.newLeaf(size)
	if r == 0 {
		return false
	}
	t.fillLeaf(r, scores, refs)
	*t.Root = Root{top: r, first: r, last: r, count: uint32(len(refs)), leaves: 1}
	return true
}

// fillLeaf puts elements into the empty leaf r.
func (t *Tree) fillLeaf(r alloc.Ref, scores []float64, refs []alloc.Ref) {
	l := t.leaf(r)
	copy(l.scores, scores)
	copy(l.refs, refs)
	l.n = uint16(len(refs))
}

// leafRoom returns how many elements a leaf of a size has room for.
func leafRoom(size int) int { return (size - leafHeadBytes) / (8 + 4) }
