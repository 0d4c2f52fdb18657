package server

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/shoaldb/shoal/server/config"
)

// listeners are the subscribers of a topic that one reactor has. What is not marked otherwise is the reactor's.
type listeners struct {
	topic   *topic
	home    *reactor
	counted int // under pubsub.mu: how many subscribers publishers count
	list    []listener
}

// listener is a subscriber. It gets what has a greater seq than since.
type listener struct {
	cl    *Client
	since uint64
}

// fanout is what a reactor is delivering.
type fanout struct {
	deliver func() // reactor.deliverAll, for Post

	queue []delivery
	next  int // of queue: before it all is done
	// The run that is being delivered: neighbouring deliveries to the same listeners.
	run   int
	at    int    // the next of the listeners
	block []byte // the run's messages, with RESP2
	heads []int  // where each begins in block
	large []byte // the body of the only message, if it is lent to the conns: then block is what goes before it
	limit int64  // bytes of output that need a closer look
	steps int
}

const (
	// deliverTime is how long a reactor delivers in one turn.
	deliverTime = 500 * time.Microsecond
	// deliverLook is how many deliveries to one client lie between two looks at the clock.
	deliverLook = 32
	// runBytes bounds the messages that are copied together.
	runBytes = 64 << 10
	// lentBytes is from which length on a message is lent to its receivers' outputs, and not copied.
	lentBytes = 16 << 10
)

// deliverAll delivers what has been published, as much as fits one turn.
func (r *reactor) deliverAll() {
	r.beginTurn()
	f := &r.fanout
	f.queue = r.inbox.take(f.queue)
	f.limit = r.lookLimit()
	stop := nanotime() + int64(deliverTime)
	done := true
	for done && f.next < len(f.queue) {
		done = r.deliverRun(stop)
	}
	r.lastRun = nanotime()
	if !done {
		f.trim()
		r.net.NextTurn(f.deliver)
		return
	}
	clear(f.queue)
	f.queue, f.next = f.queue[:0], 0
	if cap(f.queue) > 4096 {
		f.queue = nil
	}
	if !r.inbox.rest() {
		r.net.NextTurn(f.deliver)
	}
}

// trim drops what is delivered from the queue, once that is the greater part.
func (f *fanout) trim() {
	if f.next > len(f.queue)/2 {
		f.queue = slices.Delete(f.queue, 0, f.next)
		f.next = 0
	}
}

// lookLimit returns how many bytes of output a subscriber may have before its limits need a closer look.
func (r *reactor) lookLimit() int64 {
	if r.srv.clientMemory.limit.Load() > 0 {
		return 0
	}
	limit := int64(math.MaxInt64)
	l := r.srv.cfg.Load().OutputLimits[config.ClientPubSub]
	for _, n := range []int64{l.HardBytes, l.SoftBytes} {
		if n > 0 {
			limit = min(limit, n)
		}
	}
	return limit
}

// deliverRun delivers the next run. It returns false if the time is over before the end.
func (r *reactor) deliverRun(stop int64) bool {
	f := &r.fanout
	if f.run == 0 {
		f.beginRun()
	}
	l := f.queue[f.next].to
	for f.at < len(l.list) {
		if f.steps++; f.steps >= deliverLook {
			f.steps = 0
			if nanotime() > stop {
				return false
			}
		}
		x := &l.list[f.at]
		f.at++
		r.give(x.cl, x.since)
	}
	r.endRun()
	return true
}

// beginRun puts the messages of the next run together.
func (f *fanout) beginRun() {
	queue := f.queue[f.next:]
	l := queue[0].to
	f.run, f.at, f.block, f.heads, f.large = 0, 0, f.block[:0], f.heads[:0], nil
	for i := range queue {
		m := queue[i].m
		if queue[i].to != l || i > 0 && len(f.block)+len(m.full) > runBytes {
			break
		}
		f.heads = append(f.heads, len(f.block))
		f.run++
		body := m.full[m.body:]
		if l.topic.kind == patternTopic {
			f.block = append(f.block, l.topic.prefix...)
		} else {
			f.block = append(f.block, m.full[:m.body]...)
		}
		if i == 0 && len(m.full) >= lentBytes {
			f.large = body
			break
		}
		f.block = append(f.block, body...)
	}
}

// endRun forgets the run.
func (r *reactor) endRun() {
	f := &r.fanout
	weight := int64(0)
	for i := range f.queue[f.next : f.next+f.run] {
		d := &f.queue[f.next+i]
		weight += d.weight
		d.m = nil
	}
	f.next += f.run
	f.run, f.large = 0, nil
	if cap(f.block) > 4*runBytes {
		f.block = nil
	}
	r.inbox.delivered(&r.srv.pubsub, weight)
}

// give sends cl what it has not got of the run, as it has subscribed at since.
func (r *reactor) give(cl *Client, since uint64) {
	f := &r.fanout
	run := f.queue[f.next : f.next+f.run]
	since = max(since, cl.seen)
	last := run[len(run)-1].seq
	if since >= last {
		return
	}
	if since >= run[0].seq || f.large != nil || cl.flags&(clientStreaming|clientClosing) != 0 || r.answering(cl) {
		for i := range run {
			if run[i].seq > since {
				r.hand(cl, &run[i])
			}
		}
		cl.seen = last
		return
	}
	cl.seen = last
	out := cl.conn.OutShort(len(f.block))
	at := len(out)
	out = append(out, f.block...)
	if cl.proto >= 3 {
		for _, head := range f.heads {
			out[at+head] = '>'
		}
	}
	cl.conn.SetOut(out)
	r.flow.netOut += int64(len(f.block))
	r.flow.writes++
	if int64(cl.conn.OutPending()) >= f.limit {
		r.checkOutput(cl)
	}
}

// hand sends cl one message.
func (r *reactor) hand(cl *Client, d *delivery) {
	cl.seen = d.seq
	switch {
	case cl.flags&clientClosing != 0:
	case !r.answering(cl):
		before := cl.conn.OutPending()
		out := cl.conn.Out()
		if len(d.m.full) < lentBytes {
			cl.conn.SetOut(d.append(out, cl.proto, true))
		} else {
			cl.conn.SetOut(d.append(out, cl.proto, false))
			cl.conn.WriteRef(d.m.full[d.m.body:], nil)
		}
		r.flow.netOut += int64(cl.conn.OutPending() - before)
		r.flow.writes++
		r.checkOutput(cl)
	case r.betweenReplies(cl):
		r.w.Buf = d.append(r.w.Buf, cl.proto, true)
		r.events.replyAt = len(r.w.Buf)
	default:
		cl.pushes = d.append(cl.pushes, cl.proto, true)
		r.checkOutput(cl)
	}
}

// betweenReplies tells whether the command of cl that is running has not begun to reply, so that a message may go
// before its reply.
func (r *reactor) betweenReplies(cl *Client) bool {
	return cl.flags&clientStreaming == 0 && !cl.muted() && len(cl.pushes) == 0 && r.inner.depth == 0 && len(r.w.Buf) == r.events.replyAt
}

// append appends the message, or all but its body.
func (d *delivery) append(dst []byte, proto uint8, body bool) []byte {
	at := len(dst)
	if t := d.to.topic; t.kind == patternTopic {
		dst = append(dst, t.prefix...)
	} else {
		dst = append(dst, d.m.full[:d.m.body]...)
	}
	if proto >= 3 {
		dst[at] = '>'
	}
	if body {
		dst = append(dst, d.m.full[d.m.body:]...)
	}
	return dst
}

// anyDelivery is not before than any delivery.
const anyDelivery = math.MaxUint64

// catchUp sends cl, a subscriber, what has been published for it up to the delivery number until and is waiting: before
// it does something whose effect those who published it would expect to come later.
func (r *reactor) catchUp(cl *Client, until uint64) {
	if !r.inbox.posted.Load() || cl.seen >= until {
		return
	}
	f := &r.fanout
	f.queue = r.inbox.take(f.queue)
	left := f.queue[f.next:]
	i := sort.Search(len(left), func(i int) bool { return left[i].seq > cl.seen })
	for ; i < len(left) && left[i].seq <= until; i++ {
		d := &left[i]
		if s := cl.sub.topics[d.to.topic]; s != nil && d.to.list[s.at].since < d.seq {
			r.hand(cl, d)
		}
		cl.seen = d.seq
	}
}
