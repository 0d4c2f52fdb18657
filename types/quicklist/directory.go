package quicklist

import (
	"encoding/binary"
	"math"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/listpack"
)

const (
	spineHead = 8
	entrySize = 12
	nodeSize  = 16
	maxGroup  = 64 // nodes
	minGroup  = 2
)

var le = binary.LittleEndian

// node describes one node.
type node struct {
	block listpack.Block
	count uint32 // elements
	form  uint32 // 0: block is the listpack itself; else room beside it, or the size of the listpack that is compressed in block
}

// size returns the length of the node's listpack.
func (n *node) size() int {
	if n.isPacked() {
		return int(n.form)
	}
	return int(n.block.Size)
}

// entry describes one group.
type entry struct {
	ref   alloc.Ref
	count uint32 // elements
	nodes int
	room  int // nodes that the group's block holds
}

// place is where a node is: its group and its index therein. A list of one node has it at the zero place.
type place struct{ group, slot int }

func spineBytes(room int) int { return spineHead + room*entrySize }

func (l *List) spineBlock() []byte {
	head := l.arena.Bytes(l.spine, spineHead)
	return l.arena.Bytes(l.spine, spineBytes(int(le.Uint32(head[4:]))))
}

// groups returns how many groups there are.
func (l *List) groups() int { return int(le.Uint32(l.arena.Bytes(l.spine, spineHead))) }

// entryBytes returns the ith entry as it is stored.
func (l *List) entryBytes(i int) []byte {
	at := spineHead + i*entrySize
	return l.arena.Bytes(l.spine, at+entrySize)[at:]
}

// nodeBytes returns a node of a group as it is stored.
func (l *List) nodeBytes(group alloc.Ref, slot int) []byte {
	at := slot * nodeSize
	return l.arena.Bytes(group, at+nodeSize)[at:]
}

func (l *List) entry(i int) entry { return parseEntry(l.entryBytes(i)) }

func loadEntry(spine []byte, i int) entry { return parseEntry(spine[spineHead+i*entrySize:]) }

func parseEntry(b []byte) entry {
	b = b[:entrySize]
	return entry{ref: alloc.Ref(le.Uint32(b)), count: le.Uint32(b[4:]), nodes: int(le.Uint16(b[8:])), room: int(le.Uint16(b[10:]))}
}

func (l *List) setEntry(i int, e entry) { putEntry(l.entryBytes(i), e) }

func storeEntry(spine []byte, i int, e entry) { putEntry(spine[spineHead+i*entrySize:], e) }

func putEntry(b []byte, e entry) {
	b = b[:entrySize]
	le.PutUint32(b, uint32(e.ref))
	le.PutUint32(b[4:], e.count)
	le.PutUint16(b[8:], uint16(e.nodes))
	le.PutUint16(b[10:], uint16(e.room))
}

func (l *List) group(e entry) []byte { return l.arena.Bytes(e.ref, e.room*nodeSize) }

func loadNode(group []byte, slot int) node { return parseNode(group[slot*nodeSize:]) }

func parseNode(b []byte) node {
	b = b[:nodeSize]
	return node{
		block: listpack.Block{Ref: alloc.Ref(le.Uint32(b)), Size: le.Uint32(b[4:])},
		count: le.Uint32(b[8:]), form: le.Uint32(b[12:]),
	}
}

func storeNode(group []byte, slot int, n node) { putNode(group[slot*nodeSize:], n) }

func putNode(b []byte, n node) {
	b = b[:nodeSize]
	le.PutUint32(b, uint32(n.block.Ref))
	le.PutUint32(b[4:], n.block.Size)
	le.PutUint32(b[8:], n.count)
	le.PutUint32(b[12:], n.form)
}

// node returns the node at p.
func (l *List) node(p place) node {
	if l.spine == 0 {
		return node{block: l.one, count: uint32(l.length)}
	}
	return parseNode(l.nodeBytes(alloc.Ref(le.Uint32(l.entryBytes(p.group))), p.slot))
}

// setNode stores what the node at p has become and counts its elements.
func (l *List) setNode(p place, n node) {
	if l.spine == 0 {
		l.one, l.length = n.block, int(n.count)
		return
	}
	e := l.entryBytes(p.group)
	b := l.nodeBytes(alloc.Ref(le.Uint32(e)), p.slot)
	more := n.count - le.Uint32(b[8:]) // or fewer: modulo 1<<32
	putNode(b, n)
	le.PutUint32(e[4:], le.Uint32(e[4:])+more)
	l.length += int(int32(more))
}

func (l *List) first() place { return place{} }

func (l *List) last() place {
	if l.spine == 0 {
		return place{}
	}
	g := l.groups() - 1
	return place{g, l.entry(g).nodes - 1}
}

// next returns the place after p.
func (l *List) next(p place) (place, bool) {
	if l.spine == 0 {
		return p, false
	}
	if p.slot+1 < l.entry(p.group).nodes {
		return place{p.group, p.slot + 1}, true
	}
	return place{p.group + 1, 0}, p.group+1 < l.groups()
}

// prev returns the place before p.
func (l *List) prev(p place) (place, bool) {
	if p.slot > 0 {
		return place{p.group, p.slot - 1}, true
	}
	if p.group == 0 {
		return p, false
	}
	return place{p.group - 1, l.entry(p.group-1).nodes - 1}, true
}

// locate returns the node that has the element with an index in [0, Len) and the index within the node.
func (l *List) locate(index int) (p place, rest int) {
	if l.spine == 0 {
		return place{}, index
	}
	spine := l.spineBlock()
	n := int(le.Uint32(spine))
	if index >= l.length/2 {
		start := l.length
		for i := n - 1; i >= 0; i-- {
			if start -= int(le.Uint32(spine[spineHead+i*entrySize+4:])); index >= start {
				return l.locateIn(loadEntry(spine, i), i, index-start)
			}
		}
	}
	for i := range n {
		count := int(le.Uint32(spine[spineHead+i*entrySize+4:]))
		if index < count {
			return l.locateIn(loadEntry(spine, i), i, index)
		}
		index -= count
	}
	return place{n - 1, 0}, index
}

func (l *List) locateIn(e entry, group, index int) (place, int) {
	g := l.group(e)
	for s := range e.nodes {
		count := int(le.Uint32(g[s*nodeSize+8:]))
		if index < count {
			return place{group, s}, index
		}
		index -= count
	}
	return place{group, e.nodes - 1}, index
}

// insertNode makes n the node at p, before the one that is there or after the last of the group, and returns its place.
func (l *List) insertNode(p place, n node) (place, bool) {
	if l.length == 0 && l.spine == 0 {
		l.one, l.length = n.block, int(n.count)
		return place{}, true
	}
	if l.nodes == math.MaxUint32 || l.spine == 0 && !l.addSpine() {
		return p, false
	}
	e := l.entry(p.group)
	if e.nodes == e.room {
		var ok bool
		if p, ok = l.makeRoom(p, e); !ok {
			return p, false
		}
		e = l.entry(p.group)
	}
	g := l.group(e)
	copy(g[(p.slot+1)*nodeSize:(e.nodes+1)*nodeSize], g[p.slot*nodeSize:])
	storeNode(g, p.slot, n)
	e.nodes++
	e.count += n.count
	l.setEntry(p.group, e)
	l.nodes++
	l.length += int(n.count)
	return p, true
}

// addSpine gives a list of one node a spine.
func (l *List) addSpine() bool {
	spine := l.arena.Alloc(spineBytes(1))
	if spine == 0 {
		return false
	}
	ref := l.arena.Alloc(minGroup * nodeSize)
	if ref == 0 {
		l.arena.Free(spine, spineBytes(1))
		return false
	}
	e := entry{ref: ref, count: uint32(l.length), nodes: 1, room: minGroup}
	storeNode(l.group(e), 0, node{block: l.one, count: uint32(l.length)})
	b := l.arena.Bytes(spine, spineBytes(1))
	le.PutUint32(b, 1)
	le.PutUint32(b[4:], 1)
	storeEntry(b, 0, e)
	l.spine, l.nodes, l.one = spine, 1, listpack.Block{}
	return true
}

// makeRoom makes room in the group of p, which is full, and returns where p is then.
func (l *List) makeRoom(p place, e entry) (place, bool) {
	if e.room < maxGroup {
		return p, l.growGroup(p.group, e)
	}
	switch p.slot {
	case e.nodes: // a list that grows at an end has full groups
		return place{p.group + 1, 0}, l.addGroup(p.group+1, entry{room: maxGroup})
	case 0:
		return p, l.addGroup(p.group, entry{room: maxGroup})
	}
	return l.splitGroup(p)
}

func (l *List) growGroup(i int, e entry) bool {
	ref := l.arena.Alloc(2 * e.room * nodeSize)
	if ref == 0 {
		return false
	}
	was := e
	e.ref, e.room = ref, 2*e.room
	copy(l.group(e), l.group(was))
	l.arena.Free(was.ref, was.room*nodeSize)
	l.setEntry(i, e)
	return true
}

// addGroup makes a group, with room as e says and no nodes, the one with index i.
func (l *List) addGroup(i int, e entry) bool {
	if !l.growSpine() {
		return false
	}
	if e.ref = l.arena.Alloc(e.room * nodeSize); e.ref == 0 {
		return false
	}
	spine := l.spineBlock()
	n := int(le.Uint32(spine))
	copy(spine[spineHead+(i+1)*entrySize:spineHead+(n+1)*entrySize], spine[spineHead+i*entrySize:])
	storeEntry(spine, i, e)
	le.PutUint32(spine, uint32(n+1))
	return true
}

// growSpine makes room for one more group.
func (l *List) growSpine() bool {
	was := l.spineBlock()
	n, room := int(le.Uint32(was)), int(le.Uint32(was[4:]))
	if n < room {
		return true
	}
	ref := l.arena.Alloc(spineBytes(2 * room))
	if ref == 0 {
		return false
	}
	b := l.arena.Bytes(ref, spineBytes(2*room))
	copy(b, was)
	le.PutUint32(b[4:], uint32(2*room))
	l.arena.Free(l.spine, spineBytes(room))
	l.spine = ref
	return true
}

// splitGroup moves the second half of the full group of p to a new one.
func (l *List) splitGroup(p place) (place, bool) {
	if !l.addGroup(p.group+1, entry{room: maxGroup}) {
		return p, false
	}
	a, b := l.entry(p.group), l.entry(p.group+1)
	const half = maxGroup / 2
	from, to := l.group(a), l.group(b)
	copy(to, from[half*nodeSize:])
	for s := range maxGroup - half {
		b.count += loadNode(to, s).count
	}
	b.nodes = maxGroup - half
	a.nodes, a.count = half, a.count-b.count
	l.setEntry(p.group, a)
	l.setEntry(p.group+1, b)
	if p.slot > half {
		return place{p.group + 1, p.slot - half}, true
	}
	return p, true
}

// removeNode takes the node at p, whose block is the caller's then, out of the list. It returns the place of the node after it,
// which may be behind the end.
func (l *List) removeNode(p place) place {
	if l.spine == 0 {
		l.one, l.length = listpack.Block{}, 0
		return p
	}
	e := l.entry(p.group)
	g := l.group(e)
	n := loadNode(g, p.slot)
	copy(g[p.slot*nodeSize:], g[(p.slot+1)*nodeSize:e.nodes*nodeSize])
	e.nodes--
	e.count -= n.count
	l.nodes--
	l.length -= int(n.count)
	l.setEntry(p.group, e)
	if e.nodes == 0 {
		l.removeGroup(p.group, e)
	} else if p.slot < e.nodes {
		return p
	} else {
		p.group++
	}
	p.slot = 0
	if l.nodes == 0 {
		l.dropSpine()
	}
	return p
}

// removeGroup takes a group without nodes out of the spine.
func (l *List) removeGroup(i int, e entry) {
	l.arena.Free(e.ref, e.room*nodeSize)
	spine := l.spineBlock()
	n := int(le.Uint32(spine)) - 1
	copy(spine[spineHead+i*entrySize:], spine[spineHead+(i+1)*entrySize:spineHead+(n+1)*entrySize])
	le.PutUint32(spine, uint32(n))
	l.shrinkSpine()
}

// shrinkSpine halves a spine of which a quarter would do, if there is memory for that.
func (l *List) shrinkSpine() {
	was := l.spineBlock()
	n, room := int(le.Uint32(was)), int(le.Uint32(was[4:]))
	if room < 8 || n > room/4 {
		return
	}
	ref := l.arena.Alloc(spineBytes(room / 2))
	if ref == 0 {
		return
	}
	b := l.arena.Bytes(ref, spineBytes(room/2))
	copy(b, was)
	le.PutUint32(b[4:], uint32(room/2))
	l.arena.Free(l.spine, spineBytes(room))
	l.spine = ref
}

func (l *List) dropSpine() {
	l.arena.Free(l.spine, len(l.spineBlock()))
	l.spine = 0
}

// collapse makes a list of a single node, which is not compressed, that node.
func (l *List) collapse() {
	if l.spine == 0 || l.nodes != 1 {
		return
	}
	n := l.node(place{})
	if n.isPacked() {
		return
	}
	if n.hasRoom() {
		l.changing(&n)
		if !l.trim(&n) {
			return
		}
	}
	e := l.entry(0)
	l.arena.Free(e.ref, e.room*nodeSize)
	l.dropSpine()
	l.one, l.nodes = n.block, 0
}
