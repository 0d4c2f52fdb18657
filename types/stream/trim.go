package stream

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

// Delete removes the entry id and tells whether it was there. The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) Delete(id ID) (bool, error) {
	var it Iter
	v.Range(&it, id, id, false)
	if !it.Next() {
		return false, nil
	}
	h := v.h
	if it.counts.valid == 1 {
		v.dropNode(&it)
	} else {
		pos := it.e.pos
		n, ok := v.recount(&it, it.counts.valid-1, it.counts.deleted+1, &pos)
		if !ok {
			return false, types.ErrNoMemory
		}
		setFlags(n.bytes(v.sp.Arena), pos, it.e.flags|deleted)
	}
	h.length--
	if h.maxDeleted.Less(id) {
		h.maxDeleted = id
	}
	if h.length == 0 || id == h.first {
		v.findFirst()
	}
	return true, nil
}

// recount sets the numbers of entries in the node where it is, which may move. pos is a position in it, and becomes the new one.
func (v *Value) recount(it *Iter, valid, deleted int64, pos *int) (node, bool) {
	a := v.sp.Arena
	n := v.h.tail
	if it.where == inTree {
		n = nodeOf(it.nodes.Value())
	}
	v.changing(&n)
	was := int(n.used)
	if !n.setCounts(a, it.counts, valid, deleted) {
		return n, false
	}
	*pos += int(n.used) - was
	if it.where == inTree {
		it.nodes.SetValue(n.word())
	} else {
		v.h.tail = n
	}
	return n, true
}

// dropNode frees the node where it is.
func (v *Value) dropNode(it *Iter) {
	a, h := v.sp.Arena, v.h
	if it.where == inTail {
		v.drop(&h.tail)
		h.tail = node{}
		return
	}
	n := nodeOf(it.nodes.Value())
	v.drop(&n)
	k := it.master.key()
	h.nodes.Delete(a, k[:])
}

// findFirst sets the header's first ID.
func (v *Value) findFirst() {
	v.h.first = ID{}
	if v.h.length == 0 {
		return
	}
	var it Iter
	v.Range(&it, ID{}, MaxID, false)
	if it.Next() {
		v.h.first = it.e.id
	}
}

// Trim says what Value.Trim removes from the beginning of a stream.
type Trim struct {
	ByID   bool
	MaxLen uint64 // so many entries remain, or
	MinID  ID     // entries below this one go
	// Approx removes whole nodes only.
	Approx bool
	Limit  int64 // entries to remove at most, 0 for any number
}

// keeps tells whether nothing is left to do for t before an entry id.
func (t *Trim) keeps(length uint64, id ID) bool {
	if t.ByID {
		return !id.Less(t.MinID)
	}
	return length <= t.MaxLen
}

// Trim removes entries from the beginning and returns how many. Where there is no memory to note that a part of a node is
// deleted, that part stays.
func (v *Value) Trim(t Trim) (removed int64) {
	h := v.h
	var it Iter
	for t.ByID || h.length > t.MaxLen {
		if v.Range(&it, ID{}, MaxID, false); it.where == nowhere {
			break
		}
		n := it.counts.valid
		if t.Limit > 0 && removed+n > t.Limit {
			break
		}
		if !v.coversNode(&t, &it) {
			if !t.Approx {
				removed += v.trimNode(&t, &it)
			}
			break
		}
		v.dropNode(&it)
		h.length -= uint64(n)
		removed += n
	}
	if removed > 0 {
		v.findFirst()
	}
	return removed
}

// coversNode tells whether t removes the whole node where it stands.
func (v *Value) coversNode(t *Trim, it *Iter) bool {
	if !t.ByID {
		return v.h.length-uint64(it.counts.valid) >= t.MaxLen
	}
	last := Iter{lp: it.lp, master: it.master, counts: it.counts, rev: true}
	last.pos = listpack.Last(it.lp)
	return last.step() && last.e.id.Less(t.MinID)
}

// trimNode marks entries at the beginning of the node where it is as deleted, and returns their number.
func (v *Value) trimNode(t *Trim, it *Iter) int64 {
	first, n := it.pos, int64(0)
	length := v.h.length
	for it.step() && !t.keeps(length, it.e.id) {
		if it.e.flags&deleted == 0 {
			n++
			length--
		}
	}
	if n == 0 {
		return 0
	}
	nd, ok := v.recount(it, it.counts.valid-n, it.counts.deleted+n, &first)
	if !ok {
		return 0
	}
	lp := nd.bytes(v.sp.Arena)
	for left := n; left > 0; {
		e := readEntry(lp, first, it.master, it.counts.fields)
		if e.flags&deleted == 0 {
			setFlags(lp, first, e.flags|deleted)
			left--
		}
		first = e.next(lp)
	}
	v.h.length = length
	return n
}
