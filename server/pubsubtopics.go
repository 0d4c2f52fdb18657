package server

import (
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/types/glob"
)

// topicKind tells what a topic is.
type topicKind uint8

const (
	channelTopic topicKind = iota
	patternTopic
	shardTopic
	topicKinds
)

// topic is what clients subscribe to: a channel, a pattern of channels, or a shard channel. It exists while anybody
// does. What is not marked otherwise never changes.
type topic struct {
	kind topicKind
	hash uint64
	name string
	// Of a pattern:
	pattern []byte       // the name
	prefix  []byte       // how messages about it begin, up to the channel
	total   atomic.Int64 // subscribers; changed under pubsub.mu
	lists   []*listeners // of the reactors that have subscribers; under pubsub.mu
	group   *patternGroup
	place   int // in the group; under pubsub.mu
}

func newTopic(kind topicKind, hash uint64, name string) *topic {
	t := &topic{kind: kind, hash: hash, name: name}
	if kind == patternTopic {
		t.pattern = []byte(name)
		t.prefix = resp.AppendBulkString(resp.AppendArray(nil, 4), "pmessage")
		t.prefix = resp.AppendBulkString(t.prefix, name)
	}
	return t
}

// list returns the topic's subscribers of reactor r, or nil.
func (t *topic) list(r *reactor) *listeners {
	for _, l := range t.lists {
		if l.home == r {
			return l
		}
	}
	return nil
}

// topicTable finds topics by name. Any goroutine may look one up without a lock; one at a time changes it. It consists
// of parts, so that growth copies only a part of the table at a time.
type topicTable struct {
	parts [64]topicPart
	count atomic.Int64
}

// topicPart is an open-addressing table of 2^n places. nil ends a search.
type topicPart struct {
	places     atomic.Pointer[[]atomic.Pointer[topic]]
	live, used int // used: with the places of removed topics
}

// removedTopic is in the place of a topic that is gone.
var removedTopic = new(topic)

// hashTopic returns the hash by which a topic is found. The seed keeps clients from choosing names that collide.
func (p *pubsub) hashTopic(name []byte) uint64 { return xxh3.HashSeed(name, p.seed) }

func (t *topicTable) part(hash uint64) *topicPart { return &t.parts[hash>>58] }

// find returns the topic called name, or nil.
func (t *topicTable) find(hash uint64, name []byte) *topic {
	places := t.part(hash).places.Load()
	if places == nil {
		return nil
	}
	mask := uint64(len(*places) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		x := (*places)[i].Load()
		if x == nil || x.hash == hash && x.name == string(name) && x != removedTopic {
			return x
		}
	}
}

// add adds x, which is not there.
func (t *topicTable) add(x *topic) {
	p := t.part(x.hash)
	places := p.places.Load()
	if places == nil || (p.used+1)*4 > len(*places)*3 {
		places = p.rebuild()
	}
	p.put(places, x)
	p.live++
	t.count.Add(1)
}

func (p *topicPart) put(places *[]atomic.Pointer[topic], x *topic) {
	mask := uint64(len(*places) - 1)
	i := x.hash & mask
	for (*places)[i].Load() != nil {
		i = (i + 1) & mask
	}
	(*places)[i].Store(x)
	p.used++
}

// rebuild makes room, or drops places that stand empty.
func (p *topicPart) rebuild() *[]atomic.Pointer[topic] {
	size := 8
	for size < p.live*2+2 {
		size *= 2
	}
	fresh := make([]atomic.Pointer[topic], size)
	p.used = 0
	if old := p.places.Load(); old != nil {
		for i := range *old {
			if x := (*old)[i].Load(); x != nil && x != removedTopic {
				p.put(&fresh, x)
			}
		}
	}
	p.places.Store(&fresh)
	return &fresh
}

// remove removes x. It is counted until it cannot be found any more.
func (t *topicTable) remove(x *topic) {
	t.part(x.hash).remove(x)
	t.count.Add(-1)
}

func (p *topicPart) remove(x *topic) {
	if p.live--; p.live == 0 {
		p.places.Store(nil)
		p.used = 0
		return
	}
	places := p.places.Load()
	mask := uint64(len(*places) - 1)
	for i := x.hash & mask; ; i = (i + 1) & mask {
		if (*places)[i].Load() == x {
			(*places)[i].Store(removedTopic)
			break
		}
	}
	if len(*places) > 8 && p.live*8 < len(*places) {
		p.rebuild()
	}
}

// each calls f for the topics. Those that come or go meanwhile may be missed or met.
func (t *topicTable) each(f func(*topic)) {
	for i := range t.parts {
		places := t.parts[i].places.Load()
		if places == nil {
			continue
		}
		for j := range *places {
			if x := (*places)[j].Load(); x != nil && x != removedTopic {
				f(x)
			}
		}
	}
}

// patterns finds the patterns that match a channel: they are grouped by what they begin with before the first wildcard,
// so that most need not be looked at. Any goroutine may search without a lock; one at a time changes them.
type patterns struct {
	table   topicTable                      // by name
	groups  topicTable                      // by prefix: topics that stand for their group
	lengths [longestPrefix + 1]atomic.Int64 // how many groups have a prefix of this length
	version atomic.Uint64                   // of the set of patterns
}

// longestPrefix bounds the prefixes by which patterns are grouped.
const longestPrefix = 32

// patternGroup is the patterns with one prefix.
type patternGroup struct {
	key     *topic
	members atomic.Pointer[[]atomic.Pointer[topic]] // nil ones are gone
	live    int
}

// literalPrefix returns the beginning of pattern that matches nothing but itself.
func literalPrefix(pattern string) string {
	n := min(len(pattern), longestPrefix)
	for i := range n {
		switch pattern[i] {
		case '*', '?', '[', '\\':
			return pattern[:i]
		}
	}
	return pattern[:n]
}

// add adds pattern x, which is not there.
func (p *patterns) add(x *topic, hash func([]byte) uint64) {
	p.version.Add(1)
	p.table.add(x)
	prefix := literalPrefix(x.name)
	h := hash([]byte(prefix))
	key := p.groups.find(h, []byte(prefix))
	if key == nil {
		key = &topic{kind: patternTopic, hash: h, name: prefix}
		key.group = &patternGroup{key: key}
		p.groups.add(key)
		p.lengths[len(prefix)].Add(1)
	}
	x.group = key.group
	x.group.add(x)
}

func (g *patternGroup) add(x *topic) {
	var list []atomic.Pointer[topic]
	if old := g.members.Load(); old != nil {
		list = *old
	}
	if len(list) == cap(list) {
		list = g.compacted(2*g.live + 4)
	}
	x.place = len(list)
	list = list[:len(list)+1] // readers of the shorter slice do not look there
	list[x.place].Store(x)
	g.members.Store(&list)
	g.live++
}

// compacted returns a copy of the members with the given capacity.
func (g *patternGroup) compacted(capacity int) []atomic.Pointer[topic] {
	fresh := make([]atomic.Pointer[topic], 0, capacity)
	if old := g.members.Load(); old != nil {
		for i := range *old {
			if x := (*old)[i].Load(); x != nil {
				x.place = len(fresh)
				fresh = fresh[:x.place+1]
				fresh[x.place].Store(x)
			}
		}
	}
	return fresh
}

// remove removes pattern x.
func (p *patterns) remove(x *topic) {
	p.version.Add(1)
	p.table.remove(x)
	g := x.group
	if g.live--; g.live == 0 {
		p.groups.remove(g.key)
		p.lengths[len(g.key.name)].Add(-1)
		return
	}
	list := *g.members.Load()
	list[x.place].Store(nil)
	if len(list) > 2*g.live+8 {
		list = g.compacted(2*g.live + 4)
		g.members.Store(&list)
	}
}

// match appends the patterns that match channel to dst.
func (p *patterns) match(channel []byte, hash func([]byte) uint64, dst []*topic) []*topic {
	if p.table.count.Load() == 0 {
		return dst
	}
	for n := range min(len(channel), longestPrefix) + 1 {
		if p.lengths[n].Load() == 0 {
			continue
		}
		prefix := channel[:n]
		key := p.groups.find(hash(prefix), prefix)
		if key == nil {
			continue
		}
		members := key.group.members.Load()
		if members == nil {
			continue
		}
		for i := range *members {
			if x := (*members)[i].Load(); x != nil && glob.Match(x.pattern, channel, false) {
				dst = append(dst, x)
			}
		}
	}
	return dst
}
