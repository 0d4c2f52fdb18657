package rdb

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/listpack"
)

// nodeElements is how many elements the work on a node of a list or a stream counts for.
const nodeElements = 32

func (b *builder) list(t Type) types.Root {
	v := list.New(b.sp)
	switch t {
	case List:
		b.elements(&v)
	case ListZiplist:
		b.ziplist(&v)
	default:
		b.nodes(&v, t)
	}
	if b.err == nil && v.Len() == 0 {
		b.fail(ErrEmpty)
	}
	if b.err != nil {
		v.Free()
		return types.Root{}
	}
	return v.Root()
}

func (b *builder) elements(v *list.Value) {
	for n := b.length(); n > 0 && b.err == nil; n-- {
		if text := b.text(); b.err == nil && !v.PushTail(b.lim, text) {
			b.fail(types.ErrNoMemory)
		}
		b.pause(1)
	}
}

// ziplist reads a list that is one ziplist.
func (b *builder) ziplist(v *list.Value) {
	z := b.text()
	if b.err != nil {
		return
	}
	err := eachInZiplist(z, func(e listpack.Element) error {
		text := e.Bytes
		if e.IsInt {
			text = e.Append(b.num[:0])
		}
		if !v.PushTail(b.lim, text) {
			return types.ErrNoMemory
		}
		return nil
	})
	b.badZiplist("List ziplist", err)
}

// badZiplist fails if err says that what is no ziplist, or that there is no memory.
func (b *builder) badZiplist(what string, err error) {
	switch err {
	case nil:
	case types.ErrNoMemory:
		b.fail(err)
	default:
		b.corrupt("%s integrity check failed.", what)
	}
}

// nodes reads a list of nodes, which stay what they are.
func (b *builder) nodes(v *list.Value, t Type) {
	b.eachNode(t, b.length(), func(n *node) { b.listNode(v, t, n) })
}

func (b *builder) listNode(v *list.Value, t Type, n *node) {
	lp := n.bytes
	switch {
	case n.plain:
		lp = finishListpack(listpack.AppendElement(beginListpack(b.pack), lp), 1)
		b.keepPack(lp)
	case t == ListQuicklist2:
		b.count()
	default:
		lp = b.convertZiplist(lp, "Ziplist")
	}
	if b.err == nil && listpack.First(lp) != 0 && !v.AddNode(b.lim, lp) {
		b.fail(types.ErrNoMemory)
	}
}

// keepPack keeps the memory of a listpack that was made for the next one, unless it is large.
func (d *Decoder) keepPack(lp []byte) {
	if d.pack = lp; cap(lp) > keptBytes {
		d.pack = nil
	}
}

// convertZiplist returns a listpack of the elements of z.
func (b *builder) convertZiplist(z []byte, what string) []byte {
	lp, n := beginListpack(b.pack), 0
	err := eachInZiplist(z, func(e listpack.Element) error {
		lp = appendElement(lp, e)
		n++
		return nil
	})
	b.badZiplist(what, err)
	lp = finishListpack(lp, n)
	b.keepPack(lp)
	return lp
}
