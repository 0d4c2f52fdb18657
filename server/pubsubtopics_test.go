package server

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shoaldb/shoal/types/glob"
)

// TestTopics compares the table of channels and the search for patterns with plain maps.
func TestTopics(t *testing.T) {
	var p pubsub
	p.init()
	rnd := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		return strings.Repeat("x", rnd.IntN(3)*15) + []string{"", "a", "ab", "news.", "news.1"}[rnd.IntN(5)] +
			[]string{"", "*", "?", "[ab]", "\\*", "b*c"}[rnd.IntN(6)] + fmt.Sprint(rnd.IntN(40))
	}
	want := map[topicKind]map[string]*topic{channelTopic: {}, patternTopic: {}}
	for range 20000 {
		kind, n := topicKind(rnd.IntN(2)), name()
		x := want[kind][n]
		if found := p.table(kind).find(p.hashTopic([]byte(n)), []byte(n)); found != x {
			t.Fatalf("%q: found %v", n, found)
		}
		switch {
		case x == nil:
			want[kind][n] = p.topic(kind, []byte(n))
		case kind == patternTopic:
			p.patterns.remove(x)
			delete(want[kind], n)
		default:
			p.channels.remove(x)
			delete(want[kind], n)
		}
		channel := []byte(name())
		var matching []string
		for pattern := range want[patternTopic] {
			if glob.Match([]byte(pattern), channel, false) {
				matching = append(matching, pattern)
			}
		}
		var got []string
		for _, x := range p.patterns.match(channel, p.hashTopic, nil) {
			got = append(got, x.name)
		}
		slices.Sort(matching)
		slices.Sort(got)
		if !slices.Equal(got, matching) {
			t.Fatalf("%q is matched by %q, want %q", channel, got, matching)
		}
		if n := p.channels.count.Load() + p.patterns.table.count.Load(); int(n) != len(want[channelTopic])+len(want[patternTopic]) {
			t.Fatalf("%d topics", n)
		}
	}
}

// TestTopicsWhileChanging searches while topics come and go: what is there all the time is always found.
func TestTopicsWhileChanging(t *testing.T) {
	var p pubsub
	p.init()
	for i := range 100 {
		p.topic(channelTopic, []byte(fmt.Sprint("stays", i)))
		p.topic(patternTopic, []byte(fmt.Sprint("stays", i, "*")))
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20 {
			var topics []*topic
			for i := range 2000 {
				topics = append(topics, p.topic(channelTopic, []byte(fmt.Sprint("goes", i))), p.topic(patternTopic, []byte(fmt.Sprint("sta*", i))))
			}
			for _, x := range topics {
				if x.kind == patternTopic {
					p.patterns.remove(x)
				} else {
					p.channels.remove(x)
				}
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for i := range 3000 {
				name := []byte(fmt.Sprint("stays", i%100))
				if p.channels.find(p.hashTopic(name), name) == nil {
					t.Errorf("%s is not there", name)
				}
				if !slices.ContainsFunc(p.patterns.match(name, p.hashTopic, nil), func(x *topic) bool { return x.name == string(name)+"*" }) {
					t.Errorf("no pattern for %s", name)
				}
			}
		})
	}
	wg.Wait()
}

// TestListenersRemove takes listeners out while a run is under way: nobody is left out, and nobody gets it twice.
func TestListenersRemove(t *testing.T) {
	for trial := range 500 {
		rnd := rand.New(rand.NewPCG(uint64(trial), 0))
		x := newTopic(channelTopic, 1, "x")
		l := &listeners{topic: x}
		var clients []*Client
		for i := range 20 {
			cl := &Client{id: uint64(i), sub: &subscriber{topics: map[*topic]*subscription{x: {in: l, at: i}}}}
			clients = append(clients, cl)
			l.list = append(l.list, listener{cl: cl})
		}
		f := &fanout{queue: []delivery{{to: l}}, run: 1}
		got, gone := map[*Client]int{}, map[*Client]bool{}
		for f.at < len(l.list) {
			if rnd.IntN(2) == 0 {
				cl := clients[rnd.IntN(len(clients))]
				if !gone[cl] {
					gone[cl] = true
					l.remove(cl.sub.topics[x].at, f)
				}
				continue
			}
			got[l.list[f.at].cl]++
			f.at++
		}
		for _, cl := range clients {
			if got[cl] > 1 || got[cl] == 0 && !gone[cl] {
				t.Fatalf("trial %d: client %d got the message %d times", trial, cl.id, got[cl])
			}
		}
		for i, x := range l.list {
			if x.cl.sub.topics[l.topic].at != i {
				t.Fatalf("client %d is at %d, not at %d", x.cl.id, i, x.cl.sub.topics[l.topic].at)
			}
		}
	}
}
