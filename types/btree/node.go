package btree

import (
	"github.com/shoaldb/shoal/alloc"
)

const (
	nodeBytes = 1024

	leafHeadBytes = 16
	leafCap       = 84
	innerCap      = 50

	leafLow   = leafCap / 2      // fewer elements, and a leaf looks for company
	leafJoin  = leafCap * 9 / 10 // up to so many elements two leaves become one
	leafSpill = leafCap / 10     // a leaf with so much room takes over from a full sibling
	innerLow  = innerCap / 2
	innerJoin = innerCap * 9 / 10
)

// leafHead is the beginning of every leaf.
type leafHead struct {
	n, size    uint16
	prev, next alloc.Ref
	_          uint32
}

// The leaves of all sizes.
type (
	leaf64 struct {
		leafHead
		scores [4]float64
		refs   [4]alloc.Ref
	}
	leaf128 struct {
		leafHead
		scores [9]float64
		refs   [9]alloc.Ref
	}
	leaf256 struct {
		leafHead
		scores [20]float64
		refs   [20]alloc.Ref
	}
	leaf512 struct {
		leafHead
		scores [41]float64
		refs   [41]alloc.Ref
	}
	leaf1024 struct {
		leafHead
		scores [leafCap]float64
		refs   [leafCap]alloc.Ref
	}
)

// leaf is a view of a leaf: scores and refs have its whole room, of which the first n are in use.
type leaf struct {
	*leafHead
	scores []float64
	refs   []alloc.Ref
}

// leaf returns a view of the leaf r.
func (t *Tree) leaf(r alloc.Ref) leaf {
	head := alloc.At[leafHead](t.arena, r)
	if head.size == nodeBytes {
		l := alloc.At[leaf1024](t.arena, r)
		return leaf{&l.leafHead, l.scores[:], l.refs[:]}
	}
	return t.smallLeaf(r, int(head.size))
}

func (t *Tree) smallLeaf(r alloc.Ref, size int) leaf {
	switch size {
	case 64:
		l := alloc.At[leaf64](t.arena, r)
		return leaf{&l.leafHead, l.scores[:], l.refs[:]}
	case 128:
		l := alloc.At[leaf128](t.arena, r)
		return leaf{&l.leafHead, l.scores[:], l.refs[:]}
	case 256:
		l := alloc.At[leaf256](t.arena, r)
		return leaf{&l.leafHead, l.scores[:], l.refs[:]}
	default:
		l := alloc.At[leaf512](t.arena, r)
		return leaf{&l.leafHead, l.scores[:], l.refs[:]}
	}
}

// newLeaf returns an empty leaf of size bytes, or 0 if there is no memory.
func (t *Tree) newLeaf(size int) alloc.Ref {
	r := t.arena.Alloc(size)
	if r != 0 {
		*alloc.At[leafHead](t.arena, r) = leafHead{size: uint16(size)}
	}
	return r
}

// insert puts an element at index at of a leaf that has room.
func (l leaf) insert(at int, score float64, ref alloc.Ref) {
	n := int(l.n)
	copy(l.scores[at+1:n+1], l.scores[at:n])
	copy(l.refs[at+1:n+1], l.refs[at:n])
	l.scores[at], l.refs[at] = score, ref
	l.n++
}

// remove takes m elements out from index at on.
func (l leaf) remove(at, m int) {
	n := int(l.n)
	copy(l.scores[at:n-m], l.scores[at+m:n])
	copy(l.refs[at:n-m], l.refs[at+m:n])
	l.n -= uint16(m)
}

// toRight moves l's last m elements to the front of r.
func (l leaf) toRight(r leaf, m int) {
	ln, rn := int(l.n), int(r.n)
	copy(r.scores[m:m+rn], r.scores[:rn])
	copy(r.refs[m:m+rn], r.refs[:rn])
	copy(r.scores[:m], l.scores[ln-m:ln])
	copy(r.refs[:m], l.refs[ln-m:ln])
	l.n -= uint16(m)
	r.n += uint16(m)
}

// toLeft moves r's first m elements to the end of l.
func (r leaf) toLeft(l leaf, m int) {
	ln := int(l.n)
	copy(l.scores[ln:ln+m], r.scores[:m])
	copy(l.refs[ln:ln+m], r.refs[:m])
	l.n += uint16(m)
	r.remove(0, m)
}

// inner is an inner node; entry i is its child i.
type inner struct {
	n        uint16
	_        [3]uint16
	scores   [innerCap]float64 // separators: the first element under the child
	refs     [innerCap]alloc.Ref
	children [innerCap]alloc.Ref
	counts   [innerCap]uint32 // elements under the child
}

// entry is what an inner node has of a child.
type entry struct {
	score float64
	ref   alloc.Ref
	child alloc.Ref
	count uint32
}

func (t *Tree) inner(r alloc.Ref) *inner { return alloc.At[inner](t.arena, r) }

func (n *inner) entry(i int) entry {
	return entry{n.scores[i], n.refs[i], n.children[i], n.counts[i]}
}

func (n *inner) set(i int, e entry) {
	n.scores[i], n.refs[i], n.children[i], n.counts[i] = e.score, e.ref, e.child, e.count
}

func (n *inner) insert(at int, e entry) {
	end := int(n.n)
	copy(n.scores[at+1:end+1], n.scores[at:end])
	copy(n.refs[at+1:end+1], n.refs[at:end])
	copy(n.children[at+1:end+1], n.children[at:end])
	copy(n.counts[at+1:end+1], n.counts[at:end])
	n.set(at, e)
	n.n++
}

func (n *inner) remove(at int) {
	end := int(n.n)
	copy(n.scores[at:end-1], n.scores[at+1:end])
	copy(n.refs[at:end-1], n.refs[at+1:end])
	copy(n.children[at:end-1], n.children[at+1:end])
	copy(n.counts[at:end-1], n.counts[at+1:end])
	n.n--
}

// moveTail appends n's entries from index from on to o.
func (n *inner) moveTail(o *inner, from int) {
	for i := from; i < int(n.n); i++ {
		o.set(int(o.n), n.entry(i))
		o.n++
	}
	n.n = uint16(from)
}

// sum returns the number of elements under the first m children.
func (n *inner) sum(m int) uint32 {
	s := uint32(0)
	for _, c := range n.counts[:m] {
		s += c
	}
	return s
}
