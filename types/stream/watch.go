package stream

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

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

// GroupAt returns the group whose block is ref, which nobody watches.
func GroupAt(sp *types.Space, ref alloc.Ref) Group {
	return Group{a: sp.Arena, ref: ref, g: alloc.At[group](sp.Arena, ref)}
}

// DeliveryAt returns what is known of a pending entry: the block delivery has when it was delivered last (unix ms), and
// how often.
func DeliveryAt(sp *types.Space, ref alloc.Ref) (timeMS, count int64) {
	d := alloc.At[delivery](sp.Arena, ref)
	return d.timeMS, d.count
}

// Ref returns the group's block.
func (g Group) Ref() alloc.Ref { return g.ref }

// Ref returns the consumer's block.
func (c Consumer) Ref() alloc.Ref { return c.ref }

// Refs returns the blocks of the entry that p is at, and of the consumer that has it.
func (p *Pending) Refs() (delivery, consumer alloc.Ref) {
	word := p.cur.Value()
	return alloc.Ref(word), alloc.Ref(word >> 32)
}

// Key returns the ID as it stands in the trees of groups, and in the RDB format.
func (id ID) Key() [16]byte { return id.key() }

// PendingBytes is about how much memory a pending entry takes.
const PendingBytes = 80
