package stream

import (
	"encoding/binary"
	"math"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/listpack"
)

// Flags of an entry.
const (
	deleted    = 1 << 0
	sameFields = 1 << 1 // as the master entry
)

const (
	listpackHeader = 6                  // total length (4 bytes) and number of elements (2), little-endian
	listpackEnds   = listpackHeader + 1 // and a last byte
	listpackEnd    = 0xFF
	fewRoom        = 4096 // up to here the room of a tail doubles when it grows, in bytes
)

// node is a listpack of entries in a block that may have room for more.
type node struct {
	ref        alloc.Ref
	used, room uint32 // the listpack's length, and what the arena was asked for
	_          uint32
}

// word returns what the tree keeps of a node without room.
func (n node) word() uint64 { return uint64(n.ref) | uint64(n.used)<<32 }

func nodeOf(word uint64) node {
	return node{ref: alloc.Ref(word), used: uint32(word >> 32), room: uint32(word >> 32)}
}

func (n *node) bytes(a *alloc.Arena) []byte { return a.Bytes(n.ref, int(n.used)) }

func (n *node) free(a *alloc.Arena) { a.Free(n.ref, int(n.room)) }

// newNode returns an empty listpack with some room.
func newNode(a *alloc.Arena, room int) (node, bool) {
	room = alloc.UsableSize(room)
	if room > math.MaxUint32 {
		return node{}, false
	}
	r := a.Alloc(room)
	if r == 0 {
		return node{}, false
	}
	lp := a.Bytes(r, listpackEnds)
	binary.LittleEndian.PutUint32(lp, listpackEnds)
	lp[4], lp[5], lp[6] = 0, 0, listpackEnd
	return node{ref: r, used: listpackEnds, room: uint32(room)}, true
}

// writable returns the listpack without its last byte, to be appended to within the node's room.
func (n *node) writable(a *alloc.Arena) []byte { return a.Bytes(n.ref, int(n.room))[:n.used-1] }

// finish completes the listpack lp, writable's result with some more elements.
func (n *node) finish(lp []byte, elements int64) {
	lp = append(lp, listpackEnd)
	n.used = uint32(len(lp))
	binary.LittleEndian.PutUint32(lp, n.used)
	total := int64(binary.LittleEndian.Uint16(lp[4:])) + elements
	binary.LittleEndian.PutUint16(lp[4:], uint16(min(total, math.MaxUint16)))
}

// makeRoom makes room for a listpack of need bytes, and more while the node is small.
func (n *node) makeRoom(a *alloc.Arena, need int) bool {
	if need <= int(n.room) {
		return true
	}
	more := min(2*int(n.room), fewRoom)
	if int(n.room) >= fewRoom/2 {
		more = int(n.room) + int(n.room)/4
	}
	return n.resize(a, alloc.UsableSize(max(need, more)))
}

// fit gives back the room that the listpack does not use.
func (n *node) fit(a *alloc.Arena) bool {
	if alloc.UsableSize(int(n.used)) == int(n.room) {
		a.Resize(n.ref, int(n.room), int(n.used))
		n.room = n.used
		return true
	}
	return n.resize(a, int(n.used))
}

func (n *node) resize(a *alloc.Arena, room int) bool {
	if uint64(room) > math.MaxUint32 {
		return false
	}
	r := a.Alloc(room)
	if r == 0 {
		return false
	}
	copy(a.Bytes(r, int(n.used)), n.bytes(a))
	n.free(a)
	n.ref, n.room = r, uint32(room)
	return true
}

// counts are the numbers at the head of a node.
type counts struct {
	valid, deleted int64 // entries
	fields         int64 // of the master entry
	head           int   // bytes of valid and deleted
	fieldsAt       int   // position of the first field, or of the 0 after them
}

func readInt(lp []byte, pos int) int64 { return listpack.Get(lp, pos).Int }

func readCounts(lp []byte) counts {
	var m counts
	p := listpackHeader
	m.valid = readInt(lp, p)
	p = listpack.Next(lp, p)
	m.deleted = readInt(lp, p)
	p = listpack.Next(lp, p)
	m.head = p - listpackHeader
	m.fields = readInt(lp, p)
	m.fieldsAt = listpack.Next(lp, p)
	return m
}

// skip returns the position n elements after pos, 0 at the end.
func skip(lp []byte, pos int, n int64) int {
	for ; n > 0 && pos != 0; n-- {
		pos = listpack.Next(lp, pos)
	}
	return pos
}

// firstEntry returns the position of the first entry.
func (m *counts) firstEntry(lp []byte) int { return skip(lp, m.fieldsAt, m.fields+1) }

// sameFields tells whether pairs have the fields of the master entry.
func (m *counts) sameFields(lp []byte, pairs [][]byte) bool {
	if int64(len(pairs)) != 2*m.fields {
		return false
	}
	p := m.fieldsAt
	for i := 0; i < len(pairs); i += 2 {
		if !listpack.Get(lp, p).Equal(pairs[i]) {
			return false
		}
		p = listpack.Next(lp, p)
	}
	return true
}

// setCounts replaces the numbers of entries, m as it is read. It fails only where a number takes more bytes than before.
func (n *node) setCounts(a *alloc.Arena, m counts, valid, deleted int64) bool {
	was, size := m.head, listpack.EncodedLenInt(valid)+listpack.EncodedLenInt(deleted)
	used := int(n.used) + size - was
	if n.room == n.used && size != was {
		if !n.refit(a, used, listpackHeader+was, listpackHeader+size) {
			return false
		}
	} else if size != was {
		if !n.makeRoom(a, used) {
			return false
		}
		lp := a.Bytes(n.ref, int(n.room))
		copy(lp[listpackHeader+size:], lp[listpackHeader+was:n.used])
	}
	n.used = uint32(used)
	lp := n.bytes(a)
	binary.LittleEndian.PutUint32(lp, n.used)
	listpack.AppendElementInt(listpack.AppendElementInt(lp[:listpackHeader], valid), deleted)
	return true
}

// refit moves the listpack to a block of exactly used bytes, with all that is behind from moved to behind to.
func (n *node) refit(a *alloc.Arena, used, from, to int) bool {
	r := a.Alloc(used)
	if r == 0 {
		return false
	}
	lp, old := a.Bytes(r, used), n.bytes(a)
	copy(lp, old[:listpackHeader])
	copy(lp[to:], old[from:])
	n.free(a)
	n.ref, n.room = r, uint32(used)
	return true
}

// setFlags replaces the flags of the entry at pos, which take one byte.
func setFlags(lp []byte, pos int, flags int64) { lp[pos] = byte(flags) }

// entry is an entry as it is read from a node.
type entry struct {
	pos   int // of the flags
	flags int64
	id    ID
	n     int64 // fields
	at    int   // position of the first field that is not the master's, or value
}

func readEntry(lp []byte, pos int, master ID, fields int64) entry {
	e := entry{pos: pos, flags: readInt(lp, pos), n: fields}
	p := listpack.Next(lp, pos)
	e.id.MS = master.MS + uint64(readInt(lp, p))
	p = listpack.Next(lp, p)
	e.id.Seq = master.Seq + uint64(readInt(lp, p))
	p = listpack.Next(lp, p)
	if e.flags&sameFields == 0 {
		e.n = readInt(lp, p)
		p = listpack.Next(lp, p)
	}
	e.at = p
	return e
}

// elements returns the number of fields and values of e, the master's not counted.
func (e *entry) elements() int64 {
	if e.flags&sameFields != 0 {
		return e.n
	}
	return 2 * e.n
}

// next returns the position of the entry after e, 0 if it is the last.
func (e *entry) next(lp []byte) int { return skip(lp, e.at, e.elements()+1) }
