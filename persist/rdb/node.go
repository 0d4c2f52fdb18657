package rdb

import (
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/lzf"
	"github.com/shoaldb/shoal/types/stream"
)

// node is a node of a list or a stream. It is read, opened and added, in this order; opening needs nothing but the node
// itself.
type node struct {
	plain  bool      // it is an element of a list, not a listpack
	master stream.ID // of a stream's node

	packed []byte // its bytes in the input
	size   int    // their number before compression; 0: they are not compressed
	from   int    // of packed within a batch
	at     int64  // offset behind it in the input

	bytes []byte    // what was packed
	last  stream.ID // of a stream's node
	err   error     // what is wrong with it
}

// eachNode reads count nodes of a value of type t and calls add for each: in their order, whoever opens them.
func (b *builder) eachNode(t Type, count uint64, add func(n *node)) {
	if b.Go != nil {
		b.nodesAhead(t, count, add)
		return
	}
	n := &b.node
	for ; count > 0 && b.readNode(t, n); count-- {
		if n.size > 0 {
			b.growPlain(n.size)
		}
		n.open(t, b.plain)
		b.addNode(n, add)
	}
	*n = node{}
}

func (b *builder) addNode(n *node, add func(n *node)) {
	if n.err != nil {
		b.failAt(n.at, n.err)
		return
	}
	add(n)
	b.pause(nodeElements)
}

// readNode reads a node of a value of type t, whose bytes are valid until the next call. It reports false after an error.
func (b *builder) readNode(t Type, n *node) bool {
	*n = node{}
	switch t {
	case ListQuicklist:
	case ListQuicklist2:
		container := b.length()
		if b.err == nil && container != plainNode && container != packedNode {
			b.corrupt("Quicklist integrity check failed.")
		}
		n.plain = container == plainNode
	default:
		key := b.text()
		if b.err == nil && len(key) != idBytes {
			b.corrupt("Stream node key entry is not the size of a stream ID")
		}
		if b.err == nil {
			n.master = idOf(key)
		}
	}
	if b.err != nil {
		return false
	}
	n.packed, n.size = b.blob()
	n.at = b.Offset()
	return b.err == nil
}

// open decompresses the node, into room if need be, and checks it.
func (n *node) open(t Type, room []byte) {
	n.bytes = n.packed
	if n.size > 0 {
		n.bytes = room[:n.size]
		if lzf.Decompress(n.bytes, n.packed) != nil {
			n.err = errCompressed
			return
		}
	}
	switch t {
	case ListQuicklist, ListQuicklist2:
		n.err = n.checkList(t)
	default:
		n.err = n.checkStream()
	}
}

func (n *node) checkList(t Type) error {
	switch {
	case len(n.bytes) == 0:
		return Corrupt("Quicklist integrity check failed.")
	case t == ListQuicklist2 && !n.plain && listpack.Validate(n.bytes, true) != nil:
		return Corrupt("Listpack integrity check failed.")
	}
	return nil
}

func (n *node) checkStream() (err error) {
	if n.last, err = stream.ValidateNode(n.bytes, n.master); err == nil {
		return nil
	}
	if listpack.Validate(n.bytes, true) == nil && listpack.First(n.bytes) == 0 {
		return Corrupt("Empty listpack inside stream")
	}
	return Corrupt("Stream listpack integrity check failed.")
}

// Nodes are opened elsewhere in batches, of so many nodes, or so many bytes or a little more as the last node has. The value's
// builder is some batches ahead.
const (
	batchNodes  = 256      // those of a broken file may be empty
	batchBytes  = 32 << 10 // in the input
	batchOpened = 128 << 10
	batches     = 8
)

// batch is a row of nodes that are opened together.
type batch struct {
	typ   Type
	nodes []node
	raw   []byte // what is packed
	size  int    // of all that is compressed, before that
	room  []byte
	done  chan struct{} // gets something when the nodes are open
	run   func()        // is open
}

// nodesAhead is eachNode with b.Go's help.
func (b *builder) nodesAhead(t Type, count uint64, add func(n *node)) {
	var ring [batches]*batch
	read, added := 0, 0 // batches
	for b.err == nil && (count > 0 || added < read) {
		if count > 0 && read-added < batches {
			bt := b.takeBatch(t)
			count -= b.fillBatch(bt, count)
			ring[read%batches] = bt
			read++
			b.Go(bt.run)
			continue
		}
		bt := ring[added%batches]
		<-bt.done
		for i := 0; i < len(bt.nodes) && b.err == nil; i++ {
			b.addNode(&bt.nodes[i], add)
		}
		b.giveBatch(bt)
		added++
	}
	for ; added < read; added++ { // there is an error
		<-ring[added%batches].done
	}
}

func (b *builder) takeBatch(t Type) *batch {
	if n := len(b.idle); n > 0 {
		bt := b.idle[n-1]
		b.idle = b.idle[:n-1]
		bt.typ = t
		return bt
	}
	bt := &batch{typ: t, done: make(chan struct{}, 1)}
	bt.run = bt.open
	return bt
}

// giveBatch keeps bt for the next nodes, unless it is large.
func (b *builder) giveBatch(bt *batch) {
	if cap(bt.raw) <= keptBytes && cap(bt.room) <= keptBytes {
		b.idle = append(b.idle, bt)
	}
}

// fillBatch reads nodes, of which there are count more, and returns how many.
func (b *builder) fillBatch(bt *batch, count uint64) (n uint64) {
	bt.nodes, bt.raw, bt.size = bt.nodes[:0], bt.raw[:0], 0
	for ; n < count && n < batchNodes && len(bt.raw) < batchBytes && bt.size < batchOpened; n++ {
		var x node
		if !b.readNode(bt.typ, &x) {
			break
		}
		x.from = len(bt.raw)
		bt.raw = append(bt.raw, x.packed...)
		bt.size += x.size
		bt.nodes = append(bt.nodes, x)
	}
	return n
}

// open opens the nodes.
func (bt *batch) open() {
	if cap(bt.room) < bt.size {
		bt.room = make([]byte, max(bt.size, batchOpened+batchOpened/4))
	}
	room := bt.room[:cap(bt.room)]
	for i := range bt.nodes {
		n := &bt.nodes[i]
		n.packed = bt.raw[n.from : n.from+len(n.packed)]
		n.open(bt.typ, room)
		room = room[n.size:]
	}
	bt.done <- struct{}{}
}
