package rdb

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/stream"
)

// streamPart is a part of a stream in the order in which they are written.
type streamPart uint8

const (
	streamNodes     streamPart = iota
	streamNumbers              // of the stream, and how many groups there are
	groupHead                  // of the next group
	groupPending               // of a group
	consumerHead               // of the next consumer
	consumerPending            // of a consumer
	streamEnd
)

// streamState is where an Encoder stands in a stream.
type streamState struct {
	v        stream.Value
	part     streamPart
	from     stream.ID // where the nodes, or pending entries, go on
	group    stream.Group
	consumer stream.Consumer
	name     []byte // of the group
	past     bool   // name is that of a group which has been written
	owner    []byte // name of the consumer
	begun    bool   // there is a consumer
}

func (e *Encoder) startStream(sp *types.Space, r types.Root) Type {
	s := &e.stream
	*s = streamState{v: stream.Open(sp, r), name: s.name[:0], owner: s.owner[:0]}
	e.step = (*Encoder).stepStream
	return StreamListpacks2
}

func (e *Encoder) stepStream(dst []byte, end int) ([]byte, bool) {
	s := &e.stream
	for {
		switch s.part {
		case streamNodes:
			dst = e.streamNodes(dst, end)
		case streamNumbers:
			dst = e.streamNumbers(dst)
		case groupHead:
			dst = e.groupHead(dst)
		case groupPending:
			dst = e.groupPending(dst, end)
		case consumerHead:
			dst = e.consumerHead(dst)
		case consumerPending:
			dst = e.consumerPending(dst, end)
		case streamEnd:
			return dst, false
		}
		if len(dst) >= end {
			return dst, s.part != streamEnd
		}
	}
}

// streamNodes writes nodes from s.from on.
func (e *Encoder) streamNodes(dst []byte, end int) []byte {
	s := &e.stream
	if !e.headed {
		e.headed = true
		dst = AppendLen(dst, uint64(s.v.NodeCount()))
	}
	s.part = streamNumbers
	s.v.NodesFrom(s.from, func(master stream.ID, lp []byte) bool {
		if len(dst) >= end {
			s.from, s.part = master, streamNodes
			return false
		}
		dst = appendID(append(dst, idBytes), master)
		dst = e.string(dst, lp)
		return true
	})
	return dst
}

func (e *Encoder) streamNumbers(dst []byte) []byte {
	e.stream.part = groupHead
	return AppendStreamNumbers(dst, &e.stream.v)
}

// groupHead writes the beginning of the group after the one called s.name.
func (e *Encoder) groupHead(dst []byte) []byte {
	s := &e.stream
	name, g, ok := s.v.GroupFrom(s.owner[:0], s.name, s.past)
	if !ok {
		s.part = streamEnd
		return dst
	}
	s.name, s.owner = name, s.name[:0]
	s.group, s.past, s.part, s.from, s.begun = g, true, groupPending, stream.ID{}, false
	dst = e.string(dst, s.name)
	last := g.Last()
	dst = AppendLen(AppendLen(dst, last.MS), last.Seq)
	dst = AppendLen(dst, uint64(g.Read()))
	return AppendLen(dst, uint64(g.Pending()))
}

func (e *Encoder) groupPending(dst []byte, end int) []byte {
	s := &e.stream
	var p stream.Pending
	s.group.EachPending(&p, s.from)
	for p.Next() {
		if len(dst) >= end {
			s.from = p.ID()
			return dst
		}
		d := p.Delivery()
		dst = AppendLen(appendMS(appendID(dst, p.ID()), d.TimeMS()), uint64(d.Count()))
	}
	s.part, s.owner = consumerHead, s.owner[:0]
	return AppendLen(dst, uint64(s.group.Consumers()))
}

// consumerHead writes the beginning of the consumer after the one called s.owner.
func (e *Encoder) consumerHead(dst []byte) []byte {
	s := &e.stream
	c, ok := s.group.ConsumerFrom(s.owner, s.begun)
	if !ok {
		s.part = groupHead
		return dst
	}
	s.owner = append(s.owner[:0], c.Name()...)
	s.consumer, s.begun, s.part, s.from = c, true, consumerPending, stream.ID{}
	dst = appendMS(e.string(dst, s.owner), c.SeenMS())
	return AppendLen(dst, uint64(c.Pending()))
}

func (e *Encoder) consumerPending(dst []byte, end int) []byte {
	s := &e.stream
	var p stream.Pending
	s.consumer.EachPending(&p, s.from)
	for p.Next() {
		if len(dst) >= end {
			s.from = p.ID()
			return dst
		}
		dst = appendID(dst, p.ID())
	}
	s.part = consumerHead
	return dst
}
