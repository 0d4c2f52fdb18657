package quicklist

import (
	"errors"
	"fmt"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/listpack"
)

// FreeStep frees at most limit nodes, from the end, and tells whether nothing is left.
func (l *List) FreeStep(limit int) (done bool) {
	for ; limit > 0 && l.length > 0; limit-- {
		p := l.last()
		n := l.node(p)
		n.free(l.arena)
		l.removeNode(p)
	}
	return l.length == 0
}

// Copy returns a copy in another arena, or the same, node for node.
func (l *List) Copy(to *alloc.Arena) (List, bool) {
	c := List{arena: to}
	for p, ok := l.first(), l.length > 0; ok; p, ok = l.next(p) {
		n := l.node(p)
		if !l.copyNode(&n, to, c.length == 0) {
			c.FreeStep(c.Nodes())
			return List{}, false
		}
		if _, ok := c.insertNode(c.behindLast(), n); !ok {
			n.block.Free(to)
			c.FreeStep(c.Nodes())
			return List{}, false
		}
	}
	return c, true
}

// copyNode gives n, a node of l, a block in another arena, uncompressed if asked to.
func (l *List) copyNode(n *node, to *alloc.Arena, plain bool) bool {
	size := n.block.Size
	if plain {
		size = uint32(n.size())
	}
	ref := to.Alloc(int(size))
	if ref == 0 {
		return false
	}
	switch dst := to.Bytes(ref, int(size)); {
	case !n.isPacked():
		copy(dst, n.listpack(l.arena))
		n.form = 0
	case plain:
		l.inflate(dst, n)
		n.form = 0
	default:
		copy(dst, n.block.Bytes(l.arena))
	}
	n.block = listpack.Block{Ref: ref, Size: size}
	return true
}

// Bytes returns the memory that the list takes.
func (l *List) Bytes() int {
	if l.spine == 0 {
		if l.length == 0 {
			return 0
		}
		return alloc.UsableSize(int(l.one.Size))
	}
	sum := alloc.UsableSize(len(l.spineBlock()))
	for i := range l.groups() {
		e := l.entry(i)
		sum += alloc.UsableSize(e.room * nodeSize)
		g := l.group(e)
		for s := range e.nodes {
			n := loadNode(g, s)
			sum += alloc.UsableSize(n.asked())
		}
	}
	return sum
}

// Check returns an error if the structure is damaged.
func (l *List) Check() error {
	if l.length == 0 && l.spine == 0 && l.one == (listpack.Block{}) {
		return nil
	}
	if l.spine == 0 {
		return l.checkNode(l.node(place{}))
	}
	nodes, length := 0, 0
	for i := range l.groups() {
		e := l.entry(i)
		if e.nodes == 0 || e.nodes > e.room || e.room > maxGroup {
			return fmt.Errorf("quicklist: group %d has %d nodes in a room of %d", i, e.nodes, e.room)
		}
		count := 0
		for s := range e.nodes {
			n := loadNode(l.group(e), s)
			if err := l.checkNode(n); err != nil {
				return fmt.Errorf("%w, the one at %d/%d", err, i, s)
			}
			count += int(n.count)
		}
		if count != int(e.count) {
			return fmt.Errorf("quicklist: group %d has %d elements, says %d", i, count, e.count)
		}
		nodes += e.nodes
		length += count
	}
	if nodes != l.nodes || length != l.length {
		return fmt.Errorf("quicklist: %d nodes with %d elements, root says %d with %d", nodes, length, l.nodes, l.length)
	}
	return nil
}

func (l *List) checkNode(n node) error {
	if n.count == 0 {
		return errors.New("quicklist: a node without elements")
	}
	var scratch []byte
	lp := l.bytes(&n, &scratch)
	if err := listpack.Validate(lp, true); err != nil {
		return err
	}
	if listpack.Len(lp) != int(n.count) {
		return fmt.Errorf("quicklist: a node of %d elements says %d", listpack.Len(lp), n.count)
	}
	return nil
}
