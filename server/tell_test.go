package server

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/shard"
)

// tellers returns reactors that can tell, and nothing else.
func tellers(n int) []*reactor {
	s := &Server{}
	for i := range n {
		s.reactors = append(s.reactors, &reactor{srv: s, index: i})
	}
	return s.reactors
}

// say tells a group of one line about something in a shard.
func (r *reactor) say(s *shard.Shard, line string) {
	r.beginTold()
	r.teller.lines = append(r.teller.lines, line...)
	r.held = s
	r.endTold()
	r.held = nil
}

// merge collects what is certain.
func merge(dst []byte, reactors []*reactor) (_ []byte, lost bool) {
	return mergeTold(dst, reactors, (reactors[0].srv.monitors.last.Load()+1)*uint64(len(reactors)))
}

// However reactors' turns and collecting interleave, every line comes once, those of a reactor and those about a shard
// in their order.
func TestMergeToldKeepsOrder(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		reactors := tellers(2 + rnd.IntN(4))
		shards := make([]shard.Shard, 1+rnd.IntN(4))
		var got []byte
		said := map[string][]string{} // by who may tell their order: a reactor or a shard
		for n := range 2000 {
			i := rnd.IntN(len(reactors))
			r := reactors[i]
			switch rnd.IntN(20) {
			case 0, 1:
				got, _ = merge(got, reactors)
			case 2, 3, 4:
				r.publishTold()
			case 5: // taken back
				before := r.toldSoFar()
				r.beginTold()
				r.teller.lines = append(r.teller.lines, "no\n"...)
				r.forgetTold(before)
			default:
				k := rnd.IntN(len(shards))
				line := fmt.Sprintf("r%d s%d %d", i, k, n)
				r.say(&shards[k], line+"\n")
				for _, by := range strings.Fields(line)[:2] {
					said[by] = append(said[by], line)
				}
			}
		}
		for _, r := range reactors {
			r.publishTold()
		}
		got, lost := merge(got, reactors)
		if lost {
			t.Fatalf("seed %d: lost", seed)
		}
		seen := map[string][]string{}
		for line := range strings.Lines(string(got)) {
			for _, by := range strings.Fields(line)[:2] {
				seen[by] = append(seen[by], strings.TrimSuffix(line, "\n"))
			}
		}
		for by, lines := range said {
			if !slices.Equal(seen[by], lines) {
				t.Fatalf("seed %d: of %s came\n%s\nand not\n%s", seed, by, strings.Join(seen[by], "\n"), strings.Join(lines, "\n"))
			}
		}
		if len(seen) > len(said) {
			t.Fatalf("seed %d: what nobody said came: %d and %d", seed, len(seen), len(said))
		}
	}
}

// While a reactor always has something in its hands, so that never all can be collected, what has been got does not pile up.
func TestMergeToldForgetsWhatWasGot(t *testing.T) {
	reactors := tellers(2)
	busy, other := reactors[0], reactors[1]
	var s [2]shard.Shard
	line := strings.Repeat("x", 999) + "\n"
	total, most := 0, 0
	for range 10_000 {
		busy.say(&s[0], line)
		other.say(&s[1], line)
		other.publishTold()
		busy.publishTold()
		busy.say(&s[0], line) // of its next turn
		other.say(&s[1], line)
		other.publishTold() // this has to wait
		got, lost := merge(nil, reactors)
		if lost {
			t.Fatal("lost")
		}
		total += len(got)
		most = max(most, cap(other.teller.taken.lines)+cap(other.teller.taken.groups))
	}
	if total < 35_000_000 || most > 1<<20 {
		t.Errorf("%d bytes came, and up to %d were kept", total, most)
	}
}

// What waits for a reactor that does not hand over is dropped when it is too much, and that is reported.
func TestMergeToldIsBounded(t *testing.T) {
	reactors := tellers(2)
	silent, other := reactors[0], reactors[1]
	silent.beginTold()
	var s shard.Shard
	other.say(&s, "a\n")
	other.publishTold()
	other.teller.taken = told{make([]byte, maxFeed-2, maxFeed), []toldGroup{{other.toldNumber(100), maxFeed - 2}}} // it is never written, so it takes no memory
	if _, lost := merge(nil, reactors); lost {
		t.Fatal("dropped too early")
	}
	other.say(&s, "b\n")
	other.publishTold()
	if _, lost := merge(nil, reactors); !lost {
		t.Error("nothing was dropped")
	}
	if n := cap(other.teller.taken.lines) + cap(other.teller.shared.lines); n > 0 {
		t.Errorf("%d bytes are kept", n)
	}
	if _, lost := merge(nil, reactors); lost {
		t.Error("reported twice")
	}
}

// A reactor that takes back all that it has told lets others' lines go which had to wait for it.
func TestForgettingLetsOthersGo(t *testing.T) {
	reactors := tellers(2)
	first, other := reactors[0], reactors[1]
	var s shard.Shard
	first.beginTold()
	first.teller.lines = append(first.teller.lines, "no\n"...)
	other.say(&s, "yes\n")
	other.publishTold()

	f := &first.feed
	f.home, f.clients, f.posted = first, []*Client{{flags: clientClosing}}, true // posted, as there is no network
	first.srv.monitors.feeds = []*feed{f}
	if first.srv.collectTold(); len(f.buf) > 0 {
		t.Fatalf("%q came too early", f.buf)
	}
	first.turn = true
	first.forgetTold(0)
	first.publishTold()
	if got := string(f.spare); got != "yes\n" {
		t.Errorf("%q was delivered", got)
	}
}
