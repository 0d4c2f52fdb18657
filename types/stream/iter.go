package stream

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/rax"
)

// Iter goes through the entries in a range of IDs. It is valid until the stream changes.
//
//	var it stream.Iter
//	for v.Range(&it, start, end, false); it.Next(); {
//		... it.ID() ...
//		for range it.Len() {
//			field, value := it.Field()
//		}
//	}
type Iter struct {
	a          *alloc.Arena
	h          *header
	start, end ID
	rev        bool
	tombstones bool // deleted entries, too

	nodes  rax.Cursor
	where  place
	lp     []byte // of the current node; nil: go to the next one
	master ID
	counts counts
	pos    int // of the entry to be read next; backwards, of its last element
	e      entry
	field  int // position of the master field to come
}

// place is where the current node is.
type place uint8

const (
	nowhere place = iota
	inTree
	inTail
)

// Range makes it go through the entries from start to end, both included; from end to start if rev.
func (v *Value) Range(it *Iter, start, end ID, rev bool) {
	*it = Iter{a: v.sp.Arena, h: v.h, start: start, end: end, rev: rev, nodes: v.h.nodes.Cursor(v.sp.Arena)}
	from := start
	if rev {
		from = end
	}
	it.seek(from)
}

// seek goes to the node where id belongs, or the first one.
func (it *Iter) seek(id ID) {
	if it.h.tail.ref != 0 && !id.Less(it.h.tailID) {
		it.enter(inTail)
		return
	}
	if it.h.nodes.Len() > 0 {
		k := id.key()
		if it.nodes.SeekLE(k[:]) || it.nodes.First() {
			it.enter(inTree)
			return
		}
	}
	if it.h.tail.ref != 0 {
		it.enter(inTail)
	}
}

// enter begins to read a node.
func (it *Iter) enter(where place) {
	it.where = where
	switch where {
	case nowhere:
		return
	case inTree:
		n := nodeOf(it.nodes.Value())
		it.lp, it.master = n.bytes(it.a), idOf(it.nodes.Key())
	case inTail:
		it.lp, it.master = it.h.tail.bytes(it.a), it.h.tailID
	}
	it.counts = readCounts(it.lp)
	if it.rev {
		it.pos = listpack.Last(it.lp)
	} else {
		it.pos = it.counts.firstEntry(it.lp)
	}
}

// nextNode goes to the node after the current one, or before it.
func (it *Iter) nextNode() {
	it.lp = nil
	switch {
	case it.where == inTree && it.rev && it.nodes.Prev(), it.where == inTree && !it.rev && it.nodes.Next(),
		it.where == inTail && it.rev && it.nodes.Last():
		it.enter(inTree)
	case it.where == inTree && !it.rev && it.h.tail.ref != 0:
		it.enter(inTail)
	default:
		it.enter(nowhere)
	}
}

// Next goes to the next entry and tells whether there is one.
func (it *Iter) Next() bool {
	for it.where != nowhere {
		if !it.step() {
			it.nextNode()
			continue
		}
		if it.e.flags&deleted != 0 && !it.tombstones {
			continue
		}
		switch id := it.e.id; {
		case it.rev && it.end.Less(id), !it.rev && id.Less(it.start):
			continue
		case it.rev && id.Less(it.start), !it.rev && it.end.Less(id):
			it.where = nowhere
			return false
		}
		it.field = it.counts.fieldsAt
		return true
	}
	return false
}

// step reads the next entry of the current node.
func (it *Iter) step() bool {
	if !it.rev {
		if it.pos == 0 {
			return false
		}
		it.e = readEntry(it.lp, it.pos, it.master, it.counts.fields)
		it.pos = it.e.next(it.lp)
		return true
	}
	n := readInt(it.lp, it.pos)
	if n == 0 {
		return false
	}
	p := it.pos
	for range n {
		p = listpack.Prev(it.lp, p)
	}
	it.e = readEntry(it.lp, p, it.master, it.counts.fields)
	it.pos = listpack.Prev(it.lp, p)
	return true
}

// ID returns the entry's ID.
func (it *Iter) ID() ID { return it.e.id }

// Len returns how many fields the entry has.
func (it *Iter) Len() int { return int(it.e.n) }

// Field returns the next field of the entry and its value. They alias the stream.
func (it *Iter) Field() (field, value listpack.Element) {
	at := &it.e.at
	if it.e.flags&sameFields != 0 {
		field = listpack.Get(it.lp, it.field)
		it.field = listpack.Next(it.lp, it.field)
	} else {
		field = listpack.Get(it.lp, *at)
		*at = listpack.Next(it.lp, *at)
	}
	value = listpack.Get(it.lp, *at)
	*at = listpack.Next(it.lp, *at)
	return field, value
}

// LastEntry returns the ID of the last entry; false if there is none.
func (v *Value) LastEntry() (ID, bool) {
	if v.h.length == 0 {
		return ID{}, false
	}
	var it Iter
	v.Range(&it, ID{}, MaxID, true)
	ok := it.Next()
	return it.e.id, ok
}

// Contains tells whether there is an entry with the ID.
func (v *Value) Contains(id ID) bool {
	var it Iter
	v.Range(&it, id, id, false)
	return it.Next()
}

// Edge returns the ID of the first entry, deleted ones that are still there included; MaxID if there is none.
func (v *Value) Edge() ID {
	var it Iter
	v.Range(&it, ID{}, MaxID, false)
	if it.tombstones = true; !it.Next() {
		return MaxID
	}
	return it.e.id
}
