package stream

import "github.com/shoaldb/shoal/alloc"

// NodesFrom calls f for every node from the first with a master ID of at least from on, in order, until it returns false.
func (v *Value) NodesFrom(from ID, f func(master ID, lp []byte) bool) {
	a := v.sp.Arena
	c := v.h.nodes.Cursor(a)
	k := from.key()
	for ok := c.SeekGE(k[:]); ok; ok = c.Next() {
		n := nodeOf(c.Value())
		if !f(idOf(c.Key()), n.bytes(a)) {
			return
		}
	}
	if v.h.tail.ref != 0 && !v.h.tailID.Less(from) {
		f(v.h.tailID, v.h.tail.bytes(a))
	}
}

// GroupFrom returns the first group whose name is not below name, or, if past, above it. Its name is appended to dst.
func (v *Value) GroupFrom(dst, name []byte, past bool) (_ []byte, _ Group, ok bool) {
	c := v.h.groups.Cursor(v.sp.Arena)
	if past {
		ok = c.SeekGT(name)
	} else {
		ok = c.SeekGE(name)
	}
	if !ok {
		return dst, Group{}, false
	}
	return append(dst, c.Key()...), v.group(c.Value()), true
}

// ConsumerFrom returns the first consumer whose name is not below name, or, if past, above it.
func (g Group) ConsumerFrom(name []byte, past bool) (_ Consumer, ok bool) {
	c := g.g.consumers.Cursor(g.a)
	if past {
		ok = c.SeekGT(name)
	} else {
		ok = c.SeekGE(name)
	}
	if !ok {
		return Consumer{}, false
	}
	return consumerAt(g.a, alloc.Ref(c.Value()), g.watch), true
}

// Free gives back the memory of the whole stream, in time proportional to its blocks.
func (v *Value) Free() { v.free() }
