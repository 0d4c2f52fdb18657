package server

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
)

// Publishing and delivering are apart. Whoever publishes puts the message, encoded once, into the inbox of each reactor
// that has subscribers of the channel or of a pattern that matches it: under pubsub.mu, under which clients subscribe,
// too. So there is one order of all messages and subscriptions, and the number of receivers is known at once. The
// reactors then hand out what is in their inboxes (fanout.go), a bounded piece in each turn.
//
// A message that nobody subscribes to takes no lock: topics are found without.

// pubsub is the part of the server's state that all reactors share.
type pubsub struct {
	seed     uint64
	channels topicTable
	shards   topicTable
	patterns patterns

	mu  sync.Mutex // the order of messages and subscriptions; only the inboxes' locks are taken under it
	seq uint64     // of the last delivery

	congested atomic.Int32 // inboxes that are over their limit
}

func (p *pubsub) init() { p.seed = rand.Uint64() }

// table returns the topics of a kind by name.
func (p *pubsub) table(kind topicKind) *topicTable {
	switch kind {
	case patternTopic:
		return &p.patterns.table
	case shardTopic:
		return &p.shards
	}
	return &p.channels
}

// silent tells whether nobody subscribes to channels or patterns.
func (p *pubsub) silent() bool {
	return p.channels.count.Load() == 0 && p.patterns.table.count.Load() == 0
}

// message is a published message.
type message struct {
	full []byte // as subscribers of the channel see it, with RESP2
	body int    // where what patterns' messages have in common with it begins
	hash uint64 // of the channel
	kind topicKind
	// The channel's name in full.
	from, to int

	patterns []*topic // that match
	version  uint64   // of all patterns when they did
}

// channel returns the name of the channel.
func (m *message) channel() []byte { return m.full[m.from:m.to] }

// address finds out whether anybody may be interested in a message to channel and returns the patterns that match it, in scratch.
func (p *pubsub) address(kind topicKind, channel []byte, scratch []*topic) (hash, version uint64, matching []*topic, interest bool) {
	hash = p.hashTopic(channel)
	if kind == shardTopic {
		return hash, 0, scratch, p.shards.find(hash, channel) != nil
	}
	version = p.patterns.version.Load()
	matching = p.patterns.match(channel, p.hashTopic, scratch)
	return hash, version, matching, len(matching) > 0 || p.channels.find(hash, channel) != nil
}

// Beginnings of messages with RESP2.
const (
	messageHead      = "*3\r\n$7\r\nmessage\r\n"
	shardMessageHead = "*3\r\n$8\r\nsmessage\r\n"
)

// newMessage encodes a message.
func newMessage(kind topicKind, hash, version uint64, matching []*topic, channel, payload []byte) *message {
	head := messageHead
	if kind == shardTopic {
		head = shardMessageHead
	}
	m := &message{kind: kind, hash: hash, version: version, body: len(head)}
	b := make([]byte, 0, len(head)+len(channel)+len(payload)+32)
	b = append(b, head...)
	b = resp.AppendBulk(b, channel)
	m.to = len(b) - len("\r\n")
	m.from = m.to - len(channel)
	m.full = resp.AppendBulk(b, payload)
	if len(matching) > 0 {
		m.patterns = slices.Clone(matching)
	}
	return m
}

// send publishes messages, as one group, and returns how many receivers they have, and the number of the last delivery.
// Any goroutine may call it. jam is an inbox that is over its limit now, if any: the publisher should wait for it.
func (p *pubsub) send(list []*message) (receivers int, seq uint64, jam *inbox) {
	var few [8]*inbox
	wake := few[:0]
	p.mu.Lock()
	for _, m := range list {
		if t := p.table(m.kind).find(m.hash, m.channel()); t != nil {
			receivers += p.enqueue(t, m, &wake, &jam)
		}
		if m.kind == shardTopic {
			continue
		}
		if m.version != p.patterns.version.Load() {
			m.patterns = p.patterns.match(m.channel(), p.hashTopic, nil)
		}
		for _, t := range m.patterns {
			receivers += p.enqueue(t, m, &wake, &jam)
		}
	}
	seq = p.seq
	p.mu.Unlock()
	for _, in := range wake {
		in.home.net.Post(in.home.fanout.deliver)
	}
	return receivers, seq, jam
}

// enqueue puts m, for the subscribers of t, into the inboxes of their reactors.
func (p *pubsub) enqueue(t *topic, m *message, wake *[]*inbox, jam **inbox) (receivers int) {
	p.seq++
	for _, l := range t.lists {
		in := &l.home.inbox
		first, full := in.add(p, delivery{m: m, to: l, seq: p.seq, weight: int64(l.counted) * int64(deliveryBytes+len(m.full))})
		if first {
			*wake = append(*wake, in)
		}
		if full {
			*jam = in
		}
		receivers += l.counted
	}
	return receivers
}

const (
	// deliveryBytes is the weight in an inbox of one receiver of a message, besides the message's length.
	deliveryBytes = 256
	// inboxWeight is how much an inbox takes before publishers have to wait. It bounds what lies there, and how far delivery
	// lags behind, by some milliseconds.
	inboxWeight = 16 << 20
)

// inbox holds what a reactor has to deliver. Any goroutine puts something in, the reactor takes all out.
type inbox struct {
	home   *reactor
	posted atomic.Bool // deliver is in the mailbox, or under way: something may be in the inbox

	mu      sync.Mutex
	list    []delivery
	weight  int64 // of what has not been delivered
	jammed  bool  // the weight has been over the limit and is not far below it
	waiting []func()
}

// delivery is a message for a reactor's subscribers of one topic.
type delivery struct {
	m      *message
	to     *listeners
	seq    uint64 // unique and ascending
	weight int64
}

// add puts d in. first tells that the reactor has to be told.
func (in *inbox) add(p *pubsub, d delivery) (first, full bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.list = append(in.list, d)
	in.weight += d.weight
	if in.weight > inboxWeight && !in.jammed {
		in.jammed = true
		p.congested.Add(1)
	}
	return !in.posted.Swap(true), in.jammed
}

// await has f called when the inbox is far below its limit, or reports that it is.
func (in *inbox) await(f func()) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.jammed {
		in.waiting = append(in.waiting, f)
	}
	return in.jammed
}

// take moves what is in the inbox to the end of queue.
func (in *inbox) take(queue []delivery) []delivery {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(queue) == 0 {
		queue, in.list = in.list, queue
		return queue
	}
	queue = append(queue, in.list...)
	clear(in.list)
	in.list = in.list[:0]
	return queue
}

// delivered takes weight off, and lets publishers go on if little is left.
func (in *inbox) delivered(p *pubsub, weight int64) {
	in.mu.Lock()
	in.weight -= weight
	var waiting []func()
	if in.jammed && in.weight <= inboxWeight/2 {
		in.jammed = false
		p.congested.Add(-1)
		waiting, in.waiting = in.waiting, nil
	}
	in.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

// rest ends the delivering, unless something has come meanwhile.
func (in *inbox) rest() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.list) > 0 {
		return false
	}
	in.posted.Store(false)
	if cap(in.list) > 4096 {
		in.list = nil
	}
	return true
}

// publish is PUBLISH and SPUBLISH.
func publish(c *command.Ctx, kind topicKind) {
	cl := client(c)
	r := cl.reactor
	p := &r.srv.pubsub
	channel, payload := c.Args[1], c.Args[2]
	hash, version, matching, interest := p.address(kind, channel, r.events.matching[:0])
	r.events.matching = matching[:0]
	if !interest {
		c.Reply.Int(0)
		return
	}
	m := newMessage(kind, hash, version, matching, channel, payload)
	if r.inner.depth > 0 {
		r.events.list = append(r.events.list, m)
		c.Reply.Int(int64(p.count(m)))
		return
	}
	one := [1]*message{m}
	n, seq, jam := p.send(one[:])
	if jam != nil {
		r.events.jam = jam
	}
	if cl.flags&clientSubscribed != 0 {
		r.catchUp(cl, seq)
	}
	c.Reply.Int(int64(n))
}

// count returns how many receivers m has at present.
func (p *pubsub) count(m *message) (n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.table(m.kind).find(m.hash, m.channel()); t != nil {
		n += t.total.Load()
	}
	for _, t := range m.patterns {
		n += t.total.Load()
	}
	return n
}

// throttle makes a client wait that has published more than its subscribers' reactors have delivered.
func (r *reactor) throttle(cl *Client) {
	jam := r.events.jam
	r.events.jam = nil
	if cl.flags&(clientSuspended|clientClosing) == 0 && jam.await(r.resumer(cl)) {
		cl.suspend(0)
	}
}
