package stream

import "github.com/shoaldb/shoal/alloc"

// changing tells the watcher that n is about to change.
func (v *Value) changing(n *node) {
	if v.watch != nil && n.ref != 0 {
		v.watch.ChangeNode(n.ref, n.bytes(v.sp.Arena), 0)
	}
}

// drop frees a node, unless the watcher wants it.
func (v *Value) drop(n *node) {
	if v.watch == nil || !v.watch.DropNode(n.ref, int(n.room)) {
		n.free(v.sp.Arena)
	}
}

func (v *Value) changingGroups() {
	if v.watch != nil {
		v.watch.ChangeGroups()
	}
}

// NodeAt describes a node for as long as it does not change.
type NodeAt struct {
	Master ID
	n      node
}

// Ref returns the node's block.
func (n *NodeAt) Ref() alloc.Ref { return n.n.ref }

// Size returns how many bytes the block has.
func (n *NodeAt) Size() int { return int(n.n.room) }

// Listpack returns the node's listpack, in an arena.
func (n *NodeAt) Listpack(a *alloc.Arena) []byte { return n.n.bytes(a) }

// AppendNodes appends descriptions of all nodes to dst.
func (v *Value) AppendNodes(dst []NodeAt) []NodeAt {
	c := v.h.nodes.Cursor(v.sp.Arena)
	for ok := c.First(); ok; ok = c.Next() {
		dst = append(dst, NodeAt{idOf(c.Key()), nodeOf(c.Value())})
	}
	if v.h.tail.ref != 0 {
		dst = append(dst, NodeAt{v.h.tailID, v.h.tail})
	}
	return dst
}
