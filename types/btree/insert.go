package btree

import "github.com/shoaldb/shoal/alloc"

// Insert adds ref as the element k, which must not exist yet. It reports false, having changed nothing, if there is no memory.
func (t *Tree) Insert(k *Key, ref alloc.Ref) bool {
	if t.top == 0 {
		return t.insertFirst(k.Score, ref)
	}
	var p path
	t.descend(k, &p)
	return t.insertAt(&p, k.Score, ref)
}

// Append adds an element that comes after all others: the way to build a tree of full leaves from sorted elements.
func (t *Tree) Append(score float64, ref alloc.Ref) bool {
	if t.top == 0 {
		return t.insertFirst(score, ref)
	}
	var p path
	t.descendRank(int(t.count)-1, &p)
	p.at++
	return t.insertAt(&p, score, ref)
}

func (t *Tree) insertFirst(score float64, ref alloc.Ref) bool {
	r := t.newLeaf(64)
	if r == 0 {
		return false
	}
	t.leaf(r).insert(0, score, ref)
	*t.Root = Root{top: r, first: r, last: r, count: 1, leaves: 1}
	return true
}

// insertAt inserts an element in front of the one that p leads to.
func (t *Tree) insertAt(p *path, score float64, ref alloc.Ref) bool {
	l := t.leaf(p.leaf)
	if int(l.n) == len(l.scores) {
		return t.insertFull(p, l, score, ref)
	}
	l.insert(p.at, score, ref)
	t.inserted(p)
	return true
}

// inserted brings the nodes above p's leaf, which has got an element, up to date.
func (t *Tree) inserted(p *path) {
	t.counted(p, int(t.height), 1)
	t.count++
	if p.at == 0 {
		t.firstChanged(p)
	}
}

// insertFull is insertAt where the leaf is full.
func (t *Tree) insertFull(p *path, l leaf, score float64, ref alloc.Ref) bool {
	if l.size < nodeBytes {
		if !t.resizeLeaf(int(l.size) * 2) {
			return false
		}
		t.leaf(t.top).insert(p.at, score, ref)
		t.count++
		return true
	}
	begin := p.at == 0 && l.prev == 0
	end := p.at == leafCap && l.next == 0
	if !begin && !end && t.spill(p, l) {
		t.leaf(p.leaf).insert(p.at, score, ref)
		t.inserted(p)
		return true
	}
	return t.split(p, l, score, ref)
}

// resizeLeaf moves the only leaf to a block of size bytes.
func (t *Tree) resizeLeaf(size int) bool {
	r := t.newLeaf(size)
	if r == 0 {
		return false
	}
	was := t.leaf(t.top)
	was.toLeft(t.leaf(r), int(was.n))
	t.arena.Free(t.top, int(was.size))
	t.top, t.first, t.last = r, r, r
	return true
}

// spill makes room in the full leaf l by handing some elements to a sibling, and p lead to where the element belongs now.
func (t *Tree) spill(p *path, l leaf) bool {
	if t.height == 0 {
		return false
	}
	parent := &p.steps[t.height-1]
	n := t.inner(parent.node)
	at := parent.at
	switch {
	case at+1 < int(n.n) && n.counts[at+1] <= leafCap-leafSpill:
		t.even(n, at)
		if p.at > int(l.n) {
			p.at -= int(l.n)
			parent.at++
		}
	case at > 0 && n.counts[at-1] <= leafCap-leafSpill:
		was := int(n.counts[at-1])
		t.even(n, at-1)
		moved := int(n.counts[at-1]) - was
		if p.at > moved {
			p.at -= moved
			break
		}
		p.at += was
		parent.at--
	default:
		return false
	}
	p.leaf = n.children[parent.at]
	return true
}

// even makes children i and i+1 of n, leaves, about equally long.
func (t *Tree) even(n *inner, i int) {
	l, r := t.leaf(n.children[i]), t.leaf(n.children[i+1])
	switch m := (int(l.n) - int(r.n)) / 2; {
	case m > 0:
		l.toRight(r, m)
	case m < 0:
		r.toLeft(l, -m)
	}
	n.counts[i], n.counts[i+1] = uint32(l.n), uint32(r.n)
	n.scores[i+1], n.refs[i+1] = r.scores[0], r.refs[0]
}

// spare are the new nodes that a split needs: fetched before anything changes.
type spare struct {
	nodes [maxHeight + 2]alloc.Ref
	n     int
}

func (s *spare) take() alloc.Ref {
	s.n--
	return s.nodes[s.n]
}

// fetch fills s for the split of p's leaf. It reports false if there is no memory.
func (t *Tree) fetch(s *spare, p *path) bool {
	need := 1
	level := int(t.height) - 1
	for level >= 0 && t.inner(p.steps[level].node).n == innerCap {
		need++
		level--
	}
	if level < 0 {
		need++
	}
	for s.n < need {
		r := t.arena.Alloc(nodeBytes)
		if r == 0 {
			for s.n > 0 {
				t.arena.Free(s.take(), nodeBytes)
			}
			return false
		}
		s.nodes[s.n] = r
		s.n++
	}
	return true
}

// split inserts an element at p, in the full leaf l, by means of a new leaf.
func (t *Tree) split(p *path, l leaf, score float64, ref alloc.Ref) bool {
	var s spare
	if !t.fetch(&s, p) {
		return false
	}
	r := s.take()
	*alloc.At[leafHead](t.arena, r) = leafHead{size: nodeBytes}
	t.link(r, p, l)
	m := t.leaf(r)
	left := t.share(p, l, m)
	if p.at <= left && left < leafCap {
		l.insert(p.at, score, ref)
	} else {
		m.insert(p.at-left, score, ref)
	}
	t.count++
	if p.at == 0 {
		t.firstChanged(p)
	}
	e := entry{m.scores[0], m.refs[0], r, uint32(m.n)}
	if t.height == 0 {
		t.raise(&s, entry{l.scores[0], l.refs[0], p.leaf, uint32(l.n)}, e)
		return true
	}
	parent := p.steps[t.height-1]
	t.inner(parent.node).counts[parent.at] = uint32(l.n)
	t.insertChild(p, parent.at+1, e, 1, &s)
	return true
}

// link puts the leaf r after p's.
func (t *Tree) link(r alloc.Ref, p *path, l leaf) {
	m := t.leaf(r)
	m.prev, m.next = p.leaf, l.next
	if l.next != 0 {
		t.leaf(l.next).prev = r
	} else {
		t.last = r
	}
	l.next = r
	t.leaves++
}

// share moves some of the elements of the full leaf l at p, and of the full leaf after the empty m, to m, which stands
// between them. It returns how many are left in l. An element that is inserted at the beginning or the end of the tree gets a
// leaf to itself: it is likely not to be the last of its kind.
func (t *Tree) share(p *path, l, m leaf) (left int) {
	switch {
	case p.at == leafCap && m.next == 0:
		return leafCap
	case p.at == 0 && l.prev == 0:
		l.toRight(m, leafCap)
		return 0
	}
	if t.height > 0 {
		parent := p.steps[t.height-1]
		if n := t.inner(parent.node); parent.at+1 < int(n.n) {
			r := t.leaf(m.next)
			r.toLeft(m, int(r.n)/3)
			n.counts[parent.at+1] = uint32(r.n)
			n.scores[parent.at+1], n.refs[parent.at+1] = r.scores[0], r.refs[0]
			l.toRight(m, leafCap/3)
			return int(l.n)
		}
	}
	l.toRight(m, leafCap/2)
	return int(l.n)
}

// insertChild makes e entry at of p's lowest inner node, splitting that and those above it as needed, and counts so many
// more elements in the nodes above.
func (t *Tree) insertChild(p *path, at int, e entry, more int, s *spare) {
	for level := int(t.height) - 1; ; level-- {
		r := p.steps[level].node
		n := t.inner(r)
		if n.n < innerCap {
			n.insert(at, e)
			t.counted(p, level, more)
			return
		}
		e = t.splitInner(n, at, e, s)
		left := entry{n.scores[0], n.refs[0], r, n.sum(int(n.n))}
		if level == 0 {
			t.raise(s, left, e)
			return
		}
		above := p.steps[level-1]
		t.inner(above.node).counts[above.at] = left.count
		at = above.at + 1
	}
}

// splitInner inserts e as entry at of the full node n by means of a new node after it, and returns that one's entry. At the
// end of n the new node gets e alone, as happens when a tree is built in order.
func (t *Tree) splitInner(n *inner, at int, e entry, s *spare) entry {
	r := s.take()
	t.inners++
	m := t.inner(r)
	*m = inner{}
	switch half := innerCap / 2; {
	case at == innerCap:
		m.insert(0, e)
	case at <= half:
		n.moveTail(m, half)
		n.insert(at, e)
	default:
		n.moveTail(m, half)
		m.insert(at-half, e)
	}
	return entry{m.scores[0], m.refs[0], r, m.sum(int(m.n))}
}

// raise puts a new node on top of two.
func (t *Tree) raise(s *spare, left, right entry) {
	r := s.take()
	n := t.inner(r)
	*n = inner{n: 2}
	n.set(0, left)
	n.set(1, right)
	t.top = r
	t.height++
	t.inners++
}
