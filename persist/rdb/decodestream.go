package rdb

import (
	"slices"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/stream"
)

// pending is an entry of a group, of which it is not yet known who has it.
type pending struct {
	id            stream.ID
	timeMS, count int64
	owned         bool
}

func (b *builder) stream(t Type) types.Root {
	v, ok := stream.New(b.sp)
	if !ok {
		b.fail(types.ErrNoMemory)
		return types.Root{}
	}
	b.streamNodes(&v, t)
	b.streamNumbers(&v, t)
	for n := b.length(); n > 0 && b.err == nil; n-- {
		b.group(&v, t)
	}
	if b.err != nil {
		v.Free()
		return types.Root{}
	}
	return v.Root()
}

func (b *builder) streamNodes(v *stream.Value, t Type) {
	var last stream.ID
	first := true
	b.eachNode(t, b.length(), func(n *node) {
		b.count()
		switch {
		case !first && !last.Less(n.master):
			b.failAt(n.at, Corrupt("Listpack re-added with existing key"))
		case !v.AddNode(n.master, n.bytes):
			b.fail(types.ErrNoMemory)
		}
		last, first = n.last, false
	})
}

func (b *builder) id() stream.ID {
	ms := b.length()
	return stream.ID{MS: ms, Seq: b.length()}
}

func (b *builder) streamNumbers(v *stream.Value, t Type) {
	length, last := b.length(), b.id()
	if b.err == nil && length > 0 && v.NodeCount() == 0 {
		b.corrupt("Stream length inconsistent with rax entries")
	}
	if entry, ok := v.LastEntry(); ok && last.Less(entry) {
		last = entry
	}
	v.SetLast(last)
	v.SetAdded(uint64(v.Len()))
	if t == StreamListpacks {
		return
	}
	b.id() // the first entry's, which the nodes tell as well
	v.SetMaxDeleted(b.id())
	v.SetAdded(b.length())
}

func (b *builder) group(v *stream.Value, t Type) {
	b.name = append(b.name[:0], b.text()...)
	last := b.id()
	read := int64(stream.Unknown)
	if t != StreamListpacks {
		read = int64(b.length())
	} else if b.err == nil {
		read = v.Distance(last)
	}
	if b.err != nil {
		return
	}
	if _, ok := v.Group(b.name); ok {
		b.corrupt("Duplicated consumer group name %.100s", b.name)
		return
	}
	g, ok := v.AddGroup(b.name, last, max(read, stream.Unknown))
	if !ok {
		b.fail(types.ErrNoMemory)
		return
	}
	b.groupPending()
	for n := b.length(); n > 0 && b.err == nil; n-- {
		b.consumer(g, t)
	}
	for i := range b.pending {
		if b.err == nil && !b.pending[i].owned {
			b.corrupt("Stream CG PEL entry without consumer")
		}
	}
	if cap(b.pending) > keptBytes/40 {
		b.pending = nil
	}
}

// groupPending reads the entries that are pending in a group, in ascending order or not.
func (b *builder) groupPending() {
	b.pending = b.pending[:0]
	sorted := true
	for n := b.length(); n > 0 && b.err == nil; n-- {
		raw := b.take(idBytes)
		if b.err != nil {
			return
		}
		p := pending{id: idOf(raw), timeMS: b.ms(), count: int64(b.length())}
		if k := len(b.pending); k > 0 && !b.pending[k-1].id.Less(p.id) {
			sorted = false
		}
		b.pending = append(b.pending, p)
		b.pause(1)
	}
	if sorted {
		return
	}
	slices.SortFunc(b.pending, func(x, y pending) int { return x.id.Compare(y.id) })
	for i := 1; i < len(b.pending); i++ {
		if b.pending[i].id == b.pending[i-1].id {
			b.corrupt("Duplicated global PEL entry loading stream consumer group")
		}
	}
}

func (b *builder) consumer(g stream.Group, t Type) {
	name := b.text()
	if b.err != nil {
		return
	}
	if _, ok := g.Consumer(name); ok {
		b.corrupt("Duplicate stream consumer detected.")
		return
	}
	c, ok := g.AddConsumer(name, 0)
	if !ok {
		b.fail(types.ErrNoMemory)
		return
	}
	seen := b.ms()
	c.SetSeen(seen)
	c.SetActive(seen)
	if t == StreamListpacks3 {
		c.SetActive(b.ms())
	}
	for n := b.length(); n > 0 && b.err == nil; n-- {
		raw := b.take(idBytes)
		if b.err != nil {
			return
		}
		b.own(g, c, idOf(raw))
		b.pause(1)
	}
}

// own gives a pending entry to c.
func (b *builder) own(g stream.Group, c stream.Consumer, id stream.ID) {
	i, found := slices.BinarySearchFunc(b.pending, id, func(p pending, id stream.ID) int { return p.id.Compare(id) })
	switch {
	case !found:
		b.corrupt("Consumer entry not found in group global PEL")
	case b.pending[i].owned:
		b.corrupt("Duplicated consumer PEL entry loading a stream consumer group")
	default:
		p := &b.pending[i]
		p.owned = true
		d, ok := g.Deliver(id, c, p.timeMS)
		if !ok {
			b.fail(types.ErrNoMemory)
			return
		}
		d.Set(p.timeMS, p.count)
	}
}
