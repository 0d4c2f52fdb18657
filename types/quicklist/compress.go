package quicklist

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/lzf"
)

const (
	minCompress = 48 // bytes of a listpack that is worth it
	minSaving   = 8
	maxCompress = uint32(roomBytes)
)

// unpack makes the listpack of n, which may be compressed or have room, its block. The caller stores n.
func (l *List) unpack(n *node) bool {
	l.changing(n)
	switch {
	case n.isPlain():
		return true
	case n.hasRoom():
		return l.trim(n)
	}
	ref := l.arena.Alloc(int(n.form))
	if ref == 0 {
		return false
	}
	l.inflate(l.arena.Bytes(ref, int(n.form)), n)
	n.block.Free(l.arena)
	n.block, n.form = listpack.Block{Ref: ref, Size: n.form}, 0
	return true
}

// inflate writes the listpack that is compressed in n to dst.
func (l *List) inflate(dst []byte, n *node) {
	if err := lzf.Decompress(dst, n.block.Bytes(l.arena)); err != nil {
		panic(err) // they are our own bytes
	}
}

// bytes returns the listpack of n, decompressed into scratch if need be.
func (l *List) bytes(n *node, scratch *[]byte) []byte {
	if !n.isPacked() {
		return n.listpack(l.arena)
	}
	if cap(*scratch) < int(n.form) {
		*scratch = make([]byte, n.form)
	}
	lp := (*scratch)[:n.form]
	l.inflate(lp, n)
	return lp
}

// pack compresses the node at p if that saves something.
func (l *List) pack(p place) {
	n := l.node(p)
	if n.isPacked() || n.block.Size < minCompress || n.block.Size > maxCompress || !l.unpack(&n) {
		return
	}
	l.setNode(p, n)
	lp := n.block.Bytes(l.arena)
	small, ok := lzf.Compress(nil, lp, len(lp)-minSaving)
	if !ok {
		return
	}
	ref := l.arena.Alloc(len(small))
	if ref == 0 {
		return
	}
	copy(l.arena.Bytes(ref, len(small)), small)
	n.form = n.block.Size
	n.block.Free(l.arena)
	n.block = listpack.Block{Ref: ref, Size: uint32(len(small))}
	l.setNode(p, n)
}

// compress sees to it, after nodes have come or gone at an end, that depth nodes there are not compressed and the next
// one is, and so is the node at changed, if given and not so near to an end. It gives up a spine that is not needed any
// more.
func (l *List) compress(lim *types.Limits, changed *place) {
	l.collapse()
	depth := lim.ListCompressDepth
	if l.spine == 0 || depth == 0 {
		return
	}
	inner := l.nodes > 2*depth
	head, tail := l.first(), l.last()
	for range min(depth, l.nodes) {
		l.open(head)
		l.open(tail)
		if changed != nil && (*changed == head || *changed == tail) {
			changed = nil
		}
		head, _ = l.next(head)
		tail, _ = l.prev(tail)
	}
	l.collapse()
	if inner {
		l.pack(head)
		l.pack(tail)
		if changed != nil {
			l.pack(*changed)
		}
	}
}

// open stores the node at p uncompressed, if there is memory for that.
func (l *List) open(p place) {
	if n := l.node(p); n.isPacked() && l.unpack(&n) {
		l.setNode(p, n)
	}
}

// compressAround compresses the node that has the element with an index, and its neighbours, unless they are near to an end.
func (l *List) compressAround(lim *types.Limits, index int) {
	if lim.ListCompressDepth == 0 {
		return
	}
	p, _ := l.locate(index)
	if before, ok := l.prev(p); ok {
		l.compress(lim, &before)
	}
	if behind, ok := l.next(p); ok {
		l.compress(lim, &behind)
	}
	l.compress(lim, &p)
}
