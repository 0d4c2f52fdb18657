package quicklist

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

// What node.form says. Below roomBefore it is 0 or the size of the listpack that is compressed.
const (
	roomBefore uint32 = 2 << 30 // plus the bytes of memory before the listpack
	roomBehind uint32 = 3 << 30 // plus the bytes of memory behind it
	roomBytes  uint32 = 1<<30 - 1
)

// roomAt returns how form names the room of a node at an end of the list.
func roomAt(tail bool) uint32 {
	if tail {
		return roomBehind
	}
	return roomBefore
}

// isPacked tells whether the node is compressed.
func (n *node) isPacked() bool { return n.form-1 < roomBefore-1 }

// isPlain tells whether block is the listpack and its memory.
func (n *node) isPlain() bool { return n.form == 0 }

// hasRoom tells whether the memory of the node may be larger than its listpack.
func (n *node) hasRoom() bool { return n.form >= roomBefore }

// asked returns the size of the node's memory.
func (n *node) asked() int {
	if n.hasRoom() {
		return int(n.block.Size) + int(n.form&roomBytes)
	}
	return int(n.block.Size)
}

// gap returns where the listpack of a node that is not compressed begins in its memory.
func (n *node) gap() int {
	if n.form&roomBehind == roomBefore {
		return int(n.form & roomBytes)
	}
	return 0
}

// listpack returns the listpack of a node that is not compressed.
func (n *node) listpack(a *alloc.Arena) []byte {
	gap := n.gap()
	return a.Bytes(n.block.Ref, gap+int(n.block.Size))[gap:]
}

func (n *node) free(a *alloc.Arena) { a.Free(n.block.Ref, n.asked()) }

// pushRoom adds elem at an end of a list of several nodes, if there is the room for it.
func (l *List) pushRoom(lim *types.Limits, elem []byte, tail bool) bool {
	e, b := l.endBytes(tail)
	n, form := parseNode(b), roomAt(tail)
	if n.form < form || !fits(lim, &n, len(elem)) {
		return false
	}
	l.changing(&n)
	mem, room, ok := l.arena.Bytes(n.block.Ref, n.asked()), 0, false
	if tail {
		size := int(n.block.Size)
		size, ok = listpack.PushLast(mem, size, elem)
		room = len(mem) - size
	} else {
		room, ok = listpack.PushFirst(mem, n.gap(), elem)
	}
	if ok {
		l.changeEnd(e, b, len(mem)-room, form|uint32(room), 1)
	}
	return ok
}

// popRoom removes an element at an end of a list of several nodes, if the node there has others and room, but not too much of it.
func (l *List) popRoom(tail bool) bool {
	e, b := l.endBytes(tail)
	n, form := parseNode(b), roomAt(tail)
	if n.form < form || n.count == 1 || int(n.block.Size) < n.asked()/2 {
		return false
	}
	l.changing(&n)
	mem := l.arena.Bytes(n.block.Ref, n.asked())
	room := l.popFrom(mem, &n, tail)
	l.changeEnd(e, b, len(mem)-room, form|uint32(room), -1)
	return true
}

// popFrom removes an element at an end of n, whose memory is mem, and returns how much room there is then.
func (l *List) popFrom(mem []byte, n *node, tail bool) (room int) {
	if tail {
		return len(mem) - listpack.PopLast(mem[:n.block.Size])
	}
	return listpack.PopFirst(mem, n.gap())
}

// endBytes returns the first or the last entry of the spine and the first or the last node, as they are stored.
func (l *List) endBytes(tail bool) (e, b []byte) {
	if tail {
		e = l.entryBytes(l.groups() - 1)
		return e, l.nodeBytes(alloc.Ref(le.Uint32(e)), int(le.Uint16(e[8:]))-1)
	}
	e = l.entryBytes(0)
	return e, l.nodeBytes(alloc.Ref(le.Uint32(e)), 0)
}

// changeEnd stores what has become of a node and its group's entry, which have more elements now.
func (l *List) changeEnd(e, b []byte, size int, form uint32, more int) {
	le.PutUint32(b[4:], uint32(size))
	le.PutUint32(b[8:], le.Uint32(b[8:])+uint32(more))
	le.PutUint32(b[12:], form)
	le.PutUint32(e[4:], le.Uint32(e[4:])+uint32(more))
	l.length += more
}

// addAtEnd adds elem to the node n at an end of the list, for which it is not too large, and gives it room for more.
func (l *List) addAtEnd(lim *types.Limits, n *node, elem []byte, tail bool) bool {
	if !l.widen(lim, n, listpack.EncodedLen(elem), tail) {
		return false
	}
	mem, room := l.arena.Bytes(n.block.Ref, n.asked()), 0
	if tail {
		size, _ := listpack.PushLast(mem, int(n.block.Size), elem)
		room = len(mem) - size
	} else {
		room, _ = listpack.PushFirst(mem, n.gap(), elem)
	}
	n.block.Size, n.form = uint32(len(mem)-room), roomAt(tail)|uint32(room)
	n.count++
	return true
}

// popAtEnd removes an element of n, which has others, at an end. What it took becomes room, as long as that is not more
// than half.
func (l *List) popAtEnd(n *node, tail bool) bool {
	if n.form&roomBehind != roomAt(tail) && !l.unpack(n) {
		return false
	}
	mem := l.arena.Bytes(n.block.Ref, n.asked())
	room := l.popFrom(mem, n, tail)
	n.block.Size, n.form = uint32(len(mem)-room), roomAt(tail)|uint32(room)
	n.count--
	if room > len(mem)/2 {
		l.trim(n) // or else, without memory, the room stays
	}
	return true
}

// widen gives n room of more bytes at an end, and as much again as its listpack has, as long as that does not exceed the limit.
func (l *List) widen(lim *types.Limits, n *node, more int, tail bool) bool {
	if n.isPacked() && !l.unpack(n) {
		return false
	}
	size := int(n.block.Size)
	asked := alloc.UsableSize(max(size+more, min(2*size, byteLimit(lim))))
	ref := l.arena.Alloc(asked)
	if ref == 0 {
		return false
	}
	room := asked - size
	gap := room
	if tail {
		gap = 0
	}
	copy(l.arena.Bytes(ref, asked)[gap:], n.listpack(l.arena))
	n.free(l.arena)
	n.block.Ref, n.form = ref, roomAt(tail)|uint32(room)
	return true
}

// trim leaves n, which has room, no more memory than its listpack needs. It reports false, with nothing changed, if there is no
// memory.
func (l *List) trim(n *node) bool {
	size, asked := int(n.block.Size), n.asked()
	lp := n.listpack(l.arena)
	if alloc.UsableSize(size) == alloc.UsableSize(asked) {
		copy(l.arena.Bytes(n.block.Ref, size), lp)
		l.arena.Resize(n.block.Ref, asked, size)
		n.form = 0
		return true
	}
	ref := l.arena.Alloc(size)
	if ref == 0 {
		return false
	}
	copy(l.arena.Bytes(ref, size), lp)
	n.free(l.arena)
	n.block.Ref, n.form = ref, 0
	return true
}
