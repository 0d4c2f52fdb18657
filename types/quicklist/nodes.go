package quicklist

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

// Node is a node as it is kept.
type Node struct {
	Bytes []byte // the listpack, or what it was compressed to; they die at a change
	Raw   int    // size before compression in bytes; 0: Bytes is not compressed
	Len   int    // elements
}

// NodeIter visits nodes from one on. It dies at a change.
type NodeIter struct {
	list List
	at   place
	ok   bool
}

// NodesFrom returns an iterator at the ith node; i is in [0, Nodes].
func (l *List) NodesFrom(i int) NodeIter {
	it := NodeIter{list: *l, ok: i < l.Nodes()}
	if l.spine == 0 || !it.ok {
		return it
	}
	for g := range l.groups() {
		if n := l.entry(g).nodes; i >= n {
			i -= n
			continue
		}
		it.at = place{g, i}
		break
	}
	return it
}

// Next returns the next node; ok is false if there is none.
func (it *NodeIter) Next() (n Node, ok bool) {
	if !it.ok {
		return Node{}, false
	}
	x := it.list.node(it.at)
	it.at, it.ok = it.list.next(it.at)
	if x.isPacked() {
		return Node{Bytes: x.block.Bytes(it.list.arena), Raw: int(x.form), Len: int(x.count)}, true
	}
	return Node{Bytes: x.listpack(it.list.arena), Len: int(x.count)}, true
}

// AddNode adds a node with a copy of lp, a listpack of some elements that is valid, after the last. Like those that
// were there it may be larger than lim says.
func (l *List) AddNode(lim *types.Limits, lp []byte) bool {
	var n node
	var ok bool
	if n.block, ok = listpack.New(l.arena, lp); !ok {
		return false
	}
	n.count = uint32(listpack.Len(lp))
	p := place{}
	if l.length > 0 {
		p = l.behindLast()
	}
	if _, ok := l.insertNode(p, n); !ok {
		n.block.Free(l.arena)
		return false
	}
	if lim.ListCompressDepth > 0 {
		l.compress(lim, nil)
	}
	return true
}

// NodeAt describes a node for as long as it does not change.
type NodeAt struct{ n node }

// Ref returns the node's block.
func (n *NodeAt) Ref() alloc.Ref { return n.n.block.Ref }

// Size returns how many bytes the block has.
func (n *NodeAt) Size() int { return n.n.asked() }

// In returns the node, which is one of an arena.
func (n *NodeAt) In(a *alloc.Arena) Node {
	if n.n.isPacked() {
		return Node{Bytes: n.n.block.Bytes(a), Raw: int(n.n.form), Len: int(n.n.count)}
	}
	return Node{Bytes: n.n.listpack(a), Len: int(n.n.count)}
}

// AppendNodes appends descriptions of all nodes to dst, 16 bytes each.
func (l *List) AppendNodes(dst []NodeAt) []NodeAt {
	if l.spine == 0 {
		if l.length > 0 {
			dst = append(dst, NodeAt{l.node(place{})})
		}
		return dst
	}
	for i := range l.groups() {
		e := l.entry(i)
		g := l.group(e)
		for s := range e.nodes {
			dst = append(dst, NodeAt{loadNode(g, s)})
		}
	}
	return dst
}
