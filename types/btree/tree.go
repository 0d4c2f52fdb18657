package btree

import (
	"github.com/shoaldb/shoal/alloc"
)

// maxHeight bounds the inner nodes above a leaf: 2^32 elements in half full nodes have 7.
const maxHeight = 10

// Root is what the owner of a tree keeps. The zero Root is an empty tree that has no memory.
type Root struct {
	top, first, last alloc.Ref // first and last are leaves
	count            uint32
	leaves, inners   uint32
	height           uint32 // inner nodes above each leaf
}

// Len returns the number of elements.
func (r *Root) Len() int { return int(r.count) }

// Order knows what references stand for. To be free of allocations an Order should be of the size of a pointer.
type Order interface {
	// Compare returns whether the element ref comes before (negative), is (0) or comes after (positive) the one that a Key
	// with this Member and Ref names, of the same score.
	Compare(ref alloc.Ref, keyMember []byte, keyRef alloc.Ref) int
}

// Place tells where a Key stands among the elements of its score.
type Place uint8

const (
	Exactly  Place = iota // where Member or Ref says
	Before                // before all of them
	After                 // after all of them
	AnyScore              // where Member or Ref says in a tree all of whose scores are equal: Score is ignored
)

// Key names an element, or a place between elements.
type Key struct {
	Score  float64
	Member []byte    // for an Order that compares bytes
	Ref    alloc.Ref // for an Order that compares numbers
	Place  Place
}

// Tree is a view of a tree.
type Tree struct {
	arena *alloc.Arena
	order Order
	*Root
}

// Open returns a view of the tree of root.
func Open(a *alloc.Arena, order Order, root *Root) Tree { return Tree{a, order, root} }

// Bytes returns the memory of the nodes.
func (t *Tree) Bytes() int {
	if t.height == 0 && t.top != 0 {
		return int(t.leaf(t.top).size)
	}
	return int(t.leaves+t.inners) * nodeBytes
}

// path leads to an element of a leaf, or after its last one.
type path struct {
	steps [maxHeight]step // the inner nodes, from the top
	leaf  alloc.Ref
	at    int
	found bool // the element is the one looked for
}

// step is an inner node and the index of the child that the path goes through.
type step struct {
	node alloc.Ref
	at   int
}

// below returns how many of n elements in order come before k, and whether the next one is k.
func (t *Tree) below(scores []float64, refs []alloc.Ref, k *Key) (at int, is bool) {
	from, to := 0, len(scores)
	if k.Place != AnyScore {
		from = lower(scores, k.Score)
		if from == to || scores[from] != k.Score || k.Place == Before {
			return from, false
		}
		if from+1 == to || scores[from+1] != k.Score {
			to = from + 1
		} else {
			to = from + upper(scores[from:], k.Score)
		}
		if k.Place == After {
			return to, false
		}
	}
	for from < to {
		mid := int(uint(from+to) / 2)
		switch c := t.order.Compare(refs[mid], k.Member, k.Ref); {
		case c < 0:
			from = mid + 1
		case c > 0:
			to = mid
		default:
			return mid, true
		}
	}
	return from, false
}

// lower returns how many of the ascending scores are less than s. No jump in the loop depends on them: a binary
// search would mispredict every second one.
func lower(scores []float64, s float64) int {
	from, n := 0, len(scores)
	for n > 1 {
		half := n / 2
		over := 0
		if scores[from+half-1] < s {
			over = 1
		}
		from += half & -over
		n -= half
	}
	if n > 0 && scores[from] < s {
		from++
	}
	return from
}

// upper returns how many of the ascending scores are at most s.
func upper(scores []float64, s float64) int {
	from, n := 0, len(scores)
	for n > 1 {
		half := n / 2
		over := 0
		if scores[from+half-1] <= s {
			over = 1
		}
		from += half & -over
		n -= half
	}
	if n > 0 && scores[from] <= s {
		from++
	}
	return from
}

// descend goes to k, or to where it would have to be, which may be behind the last element of a leaf that has a next one.
func (t *Tree) descend(k *Key, p *path) {
	r := t.top
	for level := range int(t.height) {
		n := t.inner(r)
		at, is := t.below(n.scores[:n.n], n.refs[:n.n], k)
		if !is {
			at = max(at-1, 0)
		}
		p.steps[level] = step{r, at}
		r = n.children[at]
	}
	l := t.leaf(r)
	p.leaf = r
	p.at, p.found = t.below(l.scores[:l.n], l.refs[:l.n], k)
}

// descendRank goes to the element of a rank, 0 <= rank < count.
func (t *Tree) descendRank(rank int, p *path) {
	r := t.top
	for level := range int(t.height) {
		n := t.inner(r)
		at := 0
		for c := int(n.counts[0]); rank >= c; c = int(n.counts[at]) {
			rank -= c
			at++
		}
		p.steps[level] = step{r, at}
		r = n.children[at]
	}
	p.leaf, p.at, p.found = r, rank, true
}

// rank returns how many elements come before the one that p leads to.
func (t *Tree) rank(p *path) int {
	rank := p.at
	for _, s := range p.steps[:t.height] {
		rank += int(t.inner(s.node).sum(s.at))
	}
	return rank
}

// Rank returns how many elements come before k, and whether there is an element k.
func (t *Tree) Rank(k *Key) (rank int, found bool) {
	if t.top == 0 {
		return 0, false
	}
	var p path
	t.descend(k, &p)
	return t.rank(&p), p.found
}

// ByRank returns the element that has rank elements before it; 0 <= rank < Len.
func (t *Tree) ByRank(rank int) (score float64, ref alloc.Ref) {
	var p path
	t.descendRank(rank, &p)
	l := t.leaf(p.leaf)
	return l.scores[p.at], l.refs[p.at]
}

// Find returns the reference of the element k, or 0.
func (t *Tree) Find(k *Key) alloc.Ref {
	if t.top == 0 {
		return 0
	}
	var p path
	if t.descend(k, &p); !p.found {
		return 0
	}
	return t.leaf(p.leaf).refs[p.at]
}

// setFirst makes element (score, ref) the separator of the subtree that p enters at level, and of those which begin with it.
func (t *Tree) setFirst(p *path, level int, score float64, ref alloc.Ref) {
	for ; level >= 0; level-- {
		s := p.steps[level]
		n := t.inner(s.node)
		n.scores[s.at], n.refs[s.at] = score, ref
		if s.at > 0 {
			return
		}
	}
}

// firstChanged puts the first element of p's leaf into the separators.
func (t *Tree) firstChanged(p *path) {
	l := t.leaf(p.leaf)
	t.setFirst(p, int(t.height)-1, l.scores[0], l.refs[0])
}

// counted adds delta to the counts on p from the top to level, exclusively.
func (t *Tree) counted(p *path, level int, delta int) {
	for _, s := range p.steps[:level] {
		t.inner(s.node).counts[s.at] += uint32(delta)
	}
}

// Update changes the score of the element k, which must exist. It reports false, having changed nothing, if there is no memory.
func (t *Tree) Update(k *Key, score float64) bool {
	var p path
	t.descend(k, &p)
	l := t.leaf(p.leaf)
	ref := l.refs[p.at]
	if t.fits(&p, l, score) {
		l.scores[p.at] = score
		if p.at == 0 {
			t.firstChanged(&p)
		}
		return true
	}
	to := *k
	to.Score = score
	if p.at > 0 && l.n > leafLow {
		// The leaf stays as it is but for a place for the element, should there be no memory for it elsewhere.
		t.remove(&p, 1)
		if t.Insert(&to, ref) {
			return true
		}
		t.Insert(k, ref)
		return false
	}
	if !t.Insert(&to, ref) {
		return false
	}
	t.Delete(k)
	return true
}

// fits tells whether the element at p may have another score where it is. It does not look beyond a leaf's ends, nor at what
// elements of equal scores stand for.
func (t *Tree) fits(p *path, l leaf, score float64) bool {
	at := p.at
	if score == l.scores[at] {
		return true
	}
	if at == 0 && l.prev != 0 || at+1 == int(l.n) && l.next != 0 {
		return false
	}
	return (at == 0 || l.scores[at-1] < score) && (at+1 == int(l.n) || score < l.scores[at+1])
}

// Replace makes ref the reference of the element k, which must exist: of the same place in the order.
func (t *Tree) Replace(k *Key, ref alloc.Ref) {
	var p path
	t.descend(k, &p)
	l := t.leaf(p.leaf)
	l.refs[p.at] = ref
	if p.at == 0 {
		t.firstChanged(&p)
	}
}
