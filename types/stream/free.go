package stream

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/rax"
)

// Len returns the number of entries.
func Len(sp *types.Space, r types.Root) int {
	v := Open(sp, r)
	return v.Len()
}

// FreeStep frees about limit blocks of a stream that no key has any more, and tells whether nothing is left.
func FreeStep(sp *types.Space, r *types.Root, limit int) (done bool) {
	v, a := Open(sp, *r), sp.Arena
	h := v.h
	for h.groups.Len() > 0 {
		if limit <= 0 {
			return false
		}
		c := h.groups.Cursor(a)
		c.First()
		g := v.group(c.Value())
		if !g.freeStep(&limit) {
			return false
		}
		a.Free(g.ref, groupBytes)
		h.groups.Delete(a, c.Key())
	}
	if !h.nodes.FreeStep(a, limit, func(word uint64) { n := nodeOf(word); n.free(a) }) {
		return false
	}
	if h.tail.ref != 0 {
		h.tail.free(a)
	}
	a.Free(v.ref, headerBytes)
	return true
}

// freeStep frees what a group leads to.
func (g Group) freeStep(limit *int) bool {
	a := g.a
	free := func(word uint64) {
		a.Free(alloc.Ref(word), deliveryBytes)
		*limit--
	}
	if !g.g.pending.FreeStep(a, *limit, free) {
		return false
	}
	for g.g.consumers.Len() > 0 {
		if *limit <= 0 {
			return false
		}
		cur := g.g.consumers.Cursor(a)
		cur.First()
		c := consumerAt(a, alloc.Ref(cur.Value()), nil)
		if !c.c.pending.FreeStep(a, *limit, func(uint64) { *limit-- }) {
			return false
		}
		a.Free(c.ref, c.size())
		g.g.consumers.Delete(a, cur.Key())
		*limit--
	}
	*limit--
	return true
}

// free frees all of a stream that was made in vain.
func (v *Value) free() {
	for r := v.Root(); !FreeStep(v.sp, &r, 1<<20); {
	}
}

// Copy returns a copy of the stream r of one space in another one. The error is types.ErrNoMemory.
func Copy(from *types.Space, r types.Root, to *types.Space) (types.Root, error) {
	v := Open(from, r)
	w, ok := New(to)
	if !ok {
		return types.Root{}, types.ErrNoMemory
	}
	if !v.copyNodes(&w) || !v.copyGroups(&w) {
		w.free()
		return types.Root{}, types.ErrNoMemory
	}
	w.h.length, w.h.added = v.h.length, v.h.added
	w.h.last, w.h.first, w.h.maxDeleted = v.h.last, v.h.first, v.h.maxDeleted
	return w.Root(), nil
}

func (v *Value) copyNodes(w *Value) bool {
	ok := true
	v.Nodes(func(master ID, lp []byte) bool {
		ok = w.AddNode(master, lp)
		return ok
	})
	return ok
}

func (v *Value) copyGroups(w *Value) bool {
	ok := true
	v.EachGroup(func(name []byte, g Group) {
		if !ok {
			return
		}
		var to Group
		if to, ok = w.AddGroup(name, g.Last(), g.Read()); ok {
			ok = g.copyConsumers(to)
		}
	})
	return ok
}

func (g Group) copyConsumers(to Group) bool {
	ok := true
	g.EachConsumer(func(c Consumer) {
		if !ok {
			return
		}
		var d Consumer
		if d, ok = to.AddConsumer(c.Name(), c.SeenMS()); !ok {
			return
		}
		d.SetActive(c.ActiveMS())
		var p Pending
		for c.EachPending(&p, ID{}); ok && p.Next(); {
			from := p.Delivery()
			var copied Delivery
			if copied, ok = to.Deliver(p.ID(), d, 0); ok {
				copied.Set(from.TimeMS(), from.Count())
			}
		}
	})
	return ok
}

// Bytes returns the memory that the stream takes, by walking its nodes and the trees of its groups.
func Bytes(sp *types.Space, r types.Root, _ int) int {
	v, a := Open(sp, r), sp.Arena
	n := alloc.UsableSize(headerBytes) + v.h.nodes.Bytes(a) + v.h.groups.Bytes(a)
	n += sum(a, &v.h.nodes, func(word uint64) int { return alloc.UsableSize(int(word >> 32)) })
	if v.h.tail.ref != 0 {
		n += alloc.UsableSize(int(v.h.tail.room))
	}
	v.EachGroup(func(_ []byte, g Group) {
		n += alloc.UsableSize(groupBytes) + g.g.pending.Bytes(a) + g.Pending()*alloc.UsableSize(deliveryBytes)
		n += g.g.consumers.Bytes(a)
		g.EachConsumer(func(c Consumer) { n += alloc.UsableSize(c.size()) + c.c.pending.Bytes(a) })
	})
	return n
}

func sum(a *alloc.Arena, t *rax.Tree, size func(word uint64) int) int {
	n := 0
	c := t.Cursor(a)
	for ok := c.First(); ok; ok = c.Next() {
		n += size(c.Value())
	}
	return n
}
