package shard

import (
	"fmt"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
)

// heard is an Observer that notes what it hears.
type heard []string

func (h *heard) Modified(db int, name []byte) { *h = append(*h, fmt.Sprintf("%d:%s", db, name)) }
func (h *heard) Flushed(db int)               { *h = append(*h, fmt.Sprintf("flush %d", db)) }

func (h *heard) take() []string {
	l := *h
	*h = nil
	return l
}

func TestObserver(t *testing.T) {
	ks := newTest(t, 1)
	var h heard
	ks.Observe(&h)
	ks.UnlockAll()
	s := ks.Shard(0)
	s.Lock(1000)
	db := s.DB(0)
	k, other := ks.Key(0, []byte("k")), ks.Key(0, []byte("other"))
	elsewhere := ks.Key(3, []byte("k"))
	want := func(what string, names ...string) {
		t.Helper()
		if got := h.take(); !slices.Equal(got, names) {
			t.Errorf("%s: %q, want %q", what, got, names)
		}
	}
	db.Find(&k)
	db.Delete(&k)
	want("nothing")
	db.SetString(&k, []byte("text"), SetMode{})
	want("a new text", "0:k")
	db.SetString(&k, []byte("TEXT"), SetMode{})
	want("a text in place", "0:k")
	db.SetString(&k, make([]byte, 10000), SetMode{})
	want("a long text", "0:k")
	db.SetString(&k, make([]byte, LargeMin), SetMode{})
	want("a very long text", "0:k")
	db.SetString(&k, []byte("5"), SetMode{})
	want("a number", "0:k")
	db.UpdateInteger(db.Find(&k), 6)
	want("a number in place", "0:k")
	db.SetExpire(&k, db.Find(&k), 5000)
	want("a time to live", "0:k")
	db.SetExpire(&k, db.Find(&k), 0)
	want("no time to live", "0:k")
	db.SetExpire(&k, db.Find(&k), 0)
	want("no time to live, as before")
	ks.Copy(&k, &other)
	want("a copy", "0:other")
	ks.Move(&other, &elsewhere)
	want("a move", "3:k", "0:other")
	db.Delete(&k)
	want("deleted", "0:k")
	db.SetString(&k, []byte("x"), SetMode{ExpireMS: 500})
	h.take()
	db.Find(&k)
	want("expired", "0:k")
	v := hash.New(db.Space())
	if _, err := v.Set(&types.DefaultLimits, []byte("f"), []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	db.Add(&k, v.Root(), SetMode{})
	want("a hash", "0:k")
	db.KeepRoot(db.Find(&k), db.Root(db.Find(&k)))
	want("the same hash")
	db.SetRoot(db.Find(&k), db.Root(db.Find(&k)))
	want("another hash", "0:k")
	ks.Move(&k, &other)
	want("a hash moved", "0:other", "0:k")
	ks.SwapDB(0, 3)
	want("swapped")
	db.Flush()
	want("a flush", "flush 0")
	s.FlushAll()
	want("a flush of all", "flush -1")
	ks.Unobserve(&h)
	db.SetString(&k, []byte("x"), SetMode{})
	want("not observed any more")
}

// TestWatchers checks who is told, and that the lists of watchers end.
func TestWatchers(t *testing.T) {
	ks := newTest(t, 1)
	s := ks.Shard(0)
	db := s.DB(0)
	name := func(i int) []byte { return fmt.Appendf(nil, "k%d", i) }
	watchers := make([]Watcher, 40)
	for i := range watchers {
		for j := range 40 {
			k := ks.Key(0, name(j))
			if i != j {
				watchers[i].Watch(&k)
				watchers[i].Watch(&k)
			}
		}
		if n := watchers[i].Len(); n != 39 {
			t.Fatalf("watches %d keys", n)
		}
	}
	k := ks.Key(0, name(7))
	db.SetString(&k, []byte("x"), SetMode{})
	for i := range watchers {
		if got := watchers[i].Modified(); got != (i != 7) {
			t.Errorf("%d: %v", i, got)
		}
	}
	for i := range watchers {
		for watchers[i].Leave(10, true) {
		}
		watchers[i].Reset()
		if watchers[i].Modified() || watchers[i].Bytes() != 0 {
			t.Errorf("%d is not reset", i)
		}
	}
	if s.observed != 0 || db.watched != nil {
		t.Errorf("%d watched keys are left", s.observed)
	}
}

// A command that nobody observes pays a branch.
func BenchmarkSetUnobserved(b *testing.B) {
	ks := newTest(b, 1)
	s := ks.Shard(0)
	k := ks.Key(0, []byte("k"))
	for b.Loop() {
		s.DB(0).SetString(&k, []byte("some text"), SetMode{})
	}
}
