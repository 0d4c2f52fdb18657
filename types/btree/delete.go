package btree

import "github.com/shoaldb/shoal/alloc"

// Delete removes the element k and returns its reference, or 0 if there is no such element.
func (t *Tree) Delete(k *Key) alloc.Ref {
	if t.top == 0 {
		return 0
	}
	var p path
	if t.descend(k, &p); !p.found {
		return 0
	}
	ref := t.leaf(p.leaf).refs[p.at]
	t.remove(&p, 1)
	return ref
}

// DeleteRun removes elements from a rank on, at most limit of them and only those of one leaf, and appends their references
// to dst: one step of the deletion of a range, which takes some microseconds. rank must be less than Len, limit positive.
func (t *Tree) DeleteRun(rank, limit int, dst []alloc.Ref) []alloc.Ref {
	var p path
	t.descendRank(rank, &p)
	l := t.leaf(p.leaf)
	m := min(limit, int(l.n)-p.at)
	dst = append(dst, l.refs[p.at:p.at+m]...)
	t.remove(&p, m)
	return dst
}

// FreeStep frees some nodes, at least one and more until limit elements or more have gone, calls visit for each element of
// them, and tells whether the tree is empty. Nothing but FreeStep may follow a step that has left something.
func (t *Tree) FreeStep(limit int, visit func(ref alloc.Ref)) (done bool) {
	for limit > 0 && t.top != 0 {
		limit -= t.freeLast(visit)
	}
	return t.top == 0
}

// freeLast frees the last leaf with the nodes above it that have no other, and returns how many elements it had.
func (t *Tree) freeLast(visit func(ref alloc.Ref)) int {
	var p path
	r := t.top
	for level := range int(t.height) {
		n := t.inner(r)
		p.steps[level] = step{node: r}
		r = n.children[n.n-1]
	}
	l := t.leaf(r)
	m := int(l.n)
	for _, ref := range l.refs[:m] {
		visit(ref)
	}
	t.arena.Free(r, int(l.size))
	t.leaves--
	t.count -= uint32(m)
	for level := int(t.height) - 1; level >= 0; level-- {
		n := t.inner(p.steps[level].node)
		if n.n--; n.n > 0 {
			return m
		}
		t.freeInner(p.steps[level].node)
	}
	*t.Root = Root{}
	return m
}

func (t *Tree) freeInner(r alloc.Ref) {
	t.arena.Free(r, nodeBytes)
	t.inners--
}

// remove removes m elements of p's leaf from p on.
func (t *Tree) remove(p *path, m int) {
	l := t.leaf(p.leaf)
	l.remove(p.at, m)
	t.counted(p, int(t.height), -m)
	t.count -= uint32(m)
	switch {
	case l.n == 0:
		t.dropLeaf(p, l)
	case t.height == 0:
		t.shrinkLeaf(l)
	default:
		if p.at == 0 {
			t.firstChanged(p)
		}
		if l.n < leafLow {
			t.rebalance(p, l)
		}
	}
}

// shrinkLeaf moves the only leaf to a smaller block if half of that will do.
func (t *Tree) shrinkLeaf(l leaf) {
	size := int(l.size)
	for size > 64 && int(l.n) <= (size/2-16)/12*3/4 {
		size /= 2
	}
	if size < int(l.size) {
		t.resizeLeaf(size) // without memory it stays where it is
	}
}

// dropLeaf frees p's leaf, which is empty.
func (t *Tree) dropLeaf(p *path, l leaf) {
	t.unlink(l)
	t.arena.Free(p.leaf, int(l.size))
	t.leaves--
	if t.height == 0 {
		*t.Root = Root{}
		return
	}
	level := int(t.height) - 1
	t.removeChild(p, level, p.steps[level].at)
}

func (t *Tree) unlink(l leaf) {
	if l.prev != 0 {
		t.leaf(l.prev).next = l.next
	} else {
		t.first = l.next
	}
	if l.next != 0 {
		t.leaf(l.next).prev = l.prev
	} else {
		t.last = l.prev
	}
}

// rebalance joins p's leaf l, which has become too short, with a sibling, or evens them out.
func (t *Tree) rebalance(p *path, l leaf) {
	level := int(t.height) - 1
	parent := p.steps[level]
	n := t.inner(parent.node)
	if n.n == 1 {
		return // there is no sibling: only among the last nodes of a tree
	}
	at := parent.at
	if at+1 == int(n.n) {
		at--
		l = t.leaf(n.children[at])
	}
	right := n.children[at+1]
	r := t.leaf(right)
	if l.n+r.n > leafJoin {
		t.even(n, at)
		return
	}
	r.toLeft(l, int(r.n))
	n.counts[at] = uint32(l.n)
	t.unlink(r)
	t.arena.Free(right, nodeBytes)
	t.leaves--
	t.removeChild(p, level, at+1)
}

// removeChild removes entry at of p's inner node at level, whose child is gone, and joins that node with a sibling if both
// have become short.
func (t *Tree) removeChild(p *path, level, at int) {
	n := t.inner(p.steps[level].node)
	n.remove(at)
	switch {
	case n.n == 0:
		t.freeInner(p.steps[level].node)
		if level == 0 {
			*t.Root = Root{}
			return
		}
		t.removeChild(p, level-1, p.steps[level-1].at)
		return
	case at == 0:
		t.setFirst(p, level-1, n.scores[0], n.refs[0])
	}
	if n.n < innerLow && level > 0 {
		t.joinInner(p, level)
	}
	t.lowerTop()
}

// joinInner makes one of p's inner node at level and a sibling, if one has room for both.
func (t *Tree) joinInner(p *path, level int) {
	parent := p.steps[level-1]
	n := t.inner(parent.node)
	at := parent.at
	if at+1 == int(n.n) {
		at--
	}
	if at < 0 {
		return
	}
	right := n.children[at+1]
	a, b := t.inner(n.children[at]), t.inner(right)
	if a.n+b.n > innerJoin {
		return
	}
	b.moveTail(a, 0)
	n.counts[at] += n.counts[at+1]
	t.freeInner(right)
	t.removeChild(p, level-1, at+1)
}

// lowerTop takes nodes with one child off the top.
func (t *Tree) lowerTop() {
	for t.height > 0 {
		n := t.inner(t.top)
		if n.n > 1 {
			return
		}
		child := n.children[0]
		t.freeInner(t.top)
		t.top = child
		t.height--
	}
}
