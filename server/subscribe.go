package server

import (
	"slices"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
)

// subscriber is a client's subscriptions. It belongs to the client's reactor.
type subscriber struct {
	topics map[*topic]*subscription
	order  [topicKinds][]*topic // in which they were made; nil ones are gone
	counts [topicKinds]int
	bytes  int // that they cost
}

// subscription is a client's place among a topic's listeners.
type subscription struct {
	in      *listeners
	at      int  // in in.list
	place   int  // in subscriber.order
	leaving bool // it is being ended
}

const (
	// subscriptionBytes is what a subscription costs besides the topic's name, in bytes.
	subscriptionBytes = 280
	// topicsAtOnce is how many topics are subscribed to, or left, under one hold of pubsub.mu: for others it happens at once.
	topicsAtOnce = 64
)

// words are the first elements of the replies to what a kind of topics is subscribed to and left by.
var words = [topicKinds]struct{ subscribe, unsubscribe string }{
	channelTopic: {"subscribe", "unsubscribe"},
	patternTopic: {"psubscribe", "punsubscribe"},
	shardTopic:   {"ssubscribe", "sunsubscribe"},
}

// count returns the number that confirmations of a kind show.
func (s *subscriber) count(kind topicKind) int64 {
	switch {
	case s == nil:
		return 0
	case kind == shardTopic:
		return int64(s.counts[shardTopic])
	}
	return int64(s.counts[channelTopic] + s.counts[patternTopic])
}

// subscriptions returns how many of a kind cl has.
func (cl *Client) subscriptions(kind topicKind) int {
	if cl.sub == nil {
		return 0
	}
	return cl.sub.counts[kind]
}

// confirm tells cl that it has subscribed to a topic, or has left one; nil stands for none. That is no reply: CLIENT
// REPLY OFF does not suppress it.
func (cl *Client) confirm(c *command.Ctx, word string, name []byte, count int64) {
	w := c.Reply
	if cl.muted() {
		w = &resp.Writer{Buf: cl.pushes, Proto: cl.proto}
	}
	w.Push(3)
	w.BulkString(word)
	w.BulkOrNull(name)
	w.Int(count)
	if cl.muted() {
		cl.pushes = w.Buf
		return
	}
	cl.reactor.events.replyAt = len(w.Buf) // messages may go between confirmations
}

func subscribeTo(kind topicKind) func(c *command.Ctx) {
	return func(c *command.Ctx) {
		cl := client(c)
		if kind == shardTopic && cl.reactor.inner.depth > 0 {
			c.Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
			return
		}
		for names := range slices.Chunk(c.Args[1:], topicsAtOnce) {
			cl.reactor.srv.pubsub.subscribe(cl, kind, names, func(name []byte) {
				cl.confirm(c, words[kind].subscribe, name, cl.sub.count(kind))
			})
		}
	}
}

// subscribe adds subscriptions of cl and calls done for each of names.
func (p *pubsub) subscribe(cl *Client, kind topicKind, names [][]byte, done func(name []byte)) {
	if cl.sub == nil {
		cl.sub = &subscriber{topics: map[*topic]*subscription{}}
		cl.flags |= clientSubscribed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range names {
		if t := p.topic(kind, name); cl.sub.topics[t] == nil {
			p.join(cl, t)
		}
		done(name)
	}
}

// topic returns a topic, which it makes if there is none.
func (p *pubsub) topic(kind topicKind, name []byte) *topic {
	h := p.hashTopic(name)
	t := p.table(kind).find(h, name)
	if t != nil {
		return t
	}
	t = newTopic(kind, h, string(name))
	if kind == patternTopic {
		p.patterns.add(t, p.hashTopic)
	} else {
		p.table(kind).add(t)
	}
	return t
}

// join subscribes cl to t.
func (p *pubsub) join(cl *Client, t *topic) {
	l := t.list(cl.reactor)
	if l == nil {
		l = &listeners{topic: t, home: cl.reactor}
		t.lists = append(t.lists, l)
	}
	l.counted++
	t.total.Add(1)
	s := cl.sub
	s.topics[t] = &subscription{in: l, at: len(l.list), place: len(s.order[t.kind])}
	l.list = append(l.list, listener{cl, p.seq})
	s.order[t.kind] = append(s.order[t.kind], t)
	s.counts[t.kind]++
	s.bytes += subscriptionBytes + len(t.name)
}

func unsubscribeFrom(kind topicKind) func(c *command.Ctx) {
	return func(c *command.Ctx) {
		cl := client(c)
		r := cl.reactor
		word := words[kind].unsubscribe
		if len(c.Args) > 1 {
			for names := range slices.Chunk(c.Args[1:], topicsAtOnce) {
				r.unsubscribe(cl, r.topics(kind, names), func(i int) { cl.confirm(c, word, names[i], cl.sub.count(kind)) })
			}
			return
		}
		if cl.subscriptions(kind) == 0 {
			cl.confirm(c, word, nil, cl.sub.count(kind))
			return
		}
		all := cl.sub.all(kind)
		for topics := range slices.Chunk(all, topicsAtOnce) {
			r.unsubscribe(cl, topics, func(i int) { cl.confirm(c, word, []byte(topics[i].name), cl.sub.count(kind)) })
		}
	}
}

// all returns the topics of a kind.
func (s *subscriber) all(kind topicKind) []*topic {
	return slices.DeleteFunc(slices.Clone(s.order[kind]), func(t *topic) bool { return t == nil })
}

// topics returns the topics with these names, nil for those that nobody subscribes to.
func (r *reactor) topics(kind topicKind, names [][]byte) []*topic {
	p := &r.srv.pubsub
	topics := make([]*topic, len(names))
	for i, name := range names {
		topics[i] = p.table(kind).find(p.hashTopic(name), name)
	}
	return topics
}

// unsubscribe ends subscriptions of cl, if it has them, and calls done with the index of each. What was published
// before is delivered before.
func (r *reactor) unsubscribe(cl *Client, topics []*topic, done func(i int)) {
	left := make([]*subscription, len(topics))
	if cl.sub != nil {
		until := r.srv.pubsub.leave(cl, topics, left)
		r.catchUp(cl, until)
	}
	for i, s := range left {
		if s != nil {
			r.forget(cl, topics[i], s)
		}
		done(i)
	}
}

// leave ends the counting of cl among the subscribers of topics. It puts the subscriptions into left and returns the
// number of the last delivery that they may still get.
func (p *pubsub) leave(cl *Client, topics []*topic, left []*subscription) (until uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, t := range topics {
		if s := cl.sub.topics[t]; t != nil && s != nil && !s.leaving {
			s.leaving = true
			left[i] = s
			p.discount(t, s.in)
		}
	}
	return p.seq
}

// discount counts one subscriber less.
func (p *pubsub) discount(t *topic, l *listeners) {
	l.counted--
	if l.counted == 0 {
		t.lists = slices.DeleteFunc(t.lists, func(x *listeners) bool { return x == l })
	}
	switch {
	case t.total.Add(-1) > 0:
	case t.kind == patternTopic:
		p.patterns.remove(t)
	default:
		p.table(t.kind).remove(t)
	}
}

// forget takes cl, which does not count any more, from the listeners of t.
func (r *reactor) forget(cl *Client, t *topic, s *subscription) {
	sub := cl.sub
	s.in.remove(s.at, &r.fanout)
	delete(sub.topics, t)
	sub.order[t.kind][s.place] = nil
	sub.counts[t.kind]--
	sub.bytes -= subscriptionBytes + len(t.name)
	if list := sub.order[t.kind]; len(list) > 2*sub.counts[t.kind]+16 {
		sub.order[t.kind] = sub.all(t.kind)
		for i, t := range sub.order[t.kind] {
			sub.topics[t].place = i
		}
	}
	if len(sub.topics) == 0 {
		cl.sub = nil
		cl.flags &^= clientSubscribed
	}
}

// remove takes out the listener at i. Those before f.at have got the present run, if it is l's, and stay there.
func (l *listeners) remove(i int, f *fanout) {
	if f.run > 0 && f.queue[f.next].to == l && i < f.at {
		f.at--
		l.move(f.at, i)
		i = f.at
	}
	last := len(l.list) - 1
	l.move(last, i)
	l.list[last] = listener{}
	l.list = l.list[:last]
	if cap(l.list) > 64 && last < cap(l.list)/4 {
		l.list = slices.Clone(l.list)
	}
}

func (l *listeners) move(from, to int) {
	if from != to {
		l.list[to] = l.list[from]
		l.list[to].cl.sub.topics[l.topic].at = to
	}
}

// unsubscribeSome ends subscriptions of cl of any kind, silently, for a time, and reports whether there are more.
func (r *reactor) unsubscribeSome(cl *Client, limit time.Duration) (more bool) {
	stop := nanotime() + int64(limit)
	for kind := range topicKinds {
		for cl.subscriptions(kind) > 0 {
			r.unsubscribe(cl, cl.sub.some(kind, topicsAtOnce), func(int) {})
			if nanotime() > stop {
				return cl.sub != nil
			}
		}
	}
	return false
}

// some returns up to n topics of a kind, those that were subscribed to last, and drops places that stand empty.
func (s *subscriber) some(kind topicKind, n int) (topics []*topic) {
	list := s.order[kind]
	for len(list) > 0 && list[len(list)-1] == nil {
		list = list[:len(list)-1]
	}
	s.order[kind] = list
	for i := len(list) - 1; i >= 0 && len(topics) < n; i-- {
		if list[i] != nil {
			topics = append(topics, list[i])
		}
	}
	return topics
}

// leaveTopics ends the subscriptions of a client that has gone, in steps.
func (r *reactor) leaveTopics(cl *Client) {
	if cl.sub != nil && r.unsubscribeSome(cl, 200*time.Microsecond) {
		r.net.NextTurn(func() {
			r.beginTurn()
			r.leaveTopics(cl)
		})
	}
}

// leaveAll ends all subscriptions of cl, silently.
func (r *reactor) leaveAll(cl *Client) {
	for cl.sub != nil && r.unsubscribeSome(cl, time.Second) {
	}
}
