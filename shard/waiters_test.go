package shard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

// waitingRoom is a keyspace with waiters and a model of their queues.
type waitingRoom struct {
	t      *testing.T
	ks     *Keyspace
	queues map[string][]*Waiter // by database and name
}

func newWaitingRoom(t *testing.T) *waitingRoom {
	ks := New(Options{Shards: 4, Databases: 3, Seed: 7, NowMS: 1}, alloc.NewHeap())
	ks.LockAll(1)
	t.Cleanup(ks.UnlockAll)
	return &waitingRoom{t, ks, map[string][]*Waiter{}}
}

func roomKey(k *Key) string { return fmt.Sprintf("%d %s", k.DB.ID(), k.Name) }

// join makes a waiter whose command has the given keys and waits for the first n of them.
func (r *waitingRoom) join(n int, lost bool, keys ...Key) *Waiter {
	w := &Waiter{Keys: keys, Type: types.List, Lost: lost}
	w.Join(keys[:n])
	for i := range keys[:n] {
		if name := roomKey(&keys[i]); !slices.Contains(r.queues[name], w) {
			r.queues[name] = append(r.queues[name], w)
		}
	}
	return w
}

func (r *waitingRoom) leave(w *Waiter) {
	if !w.Leave() || w.Leave() || !w.Ended() {
		r.t.Error("a waiter leaves once")
	}
	for name, q := range r.queues {
		if q = slices.DeleteFunc(q, func(o *Waiter) bool { return o == w }); len(q) == 0 {
			delete(r.queues, name)
		} else {
			r.queues[name] = q
		}
	}
}

// ready returns the keys that have become ready, as text, in their order.
func (r *waitingRoom) ready() (names []string) {
	for _, k := range r.take() {
		names = append(names, roomKey(k.Key()))
	}
	return names
}

func (r *waitingRoom) take() (all []Ready) {
	for i := range r.ks.Shards() {
		all = r.ks.Shard(i).TakeReady(all)
	}
	SortReady(all)
	return all
}

// check compares all queues with the model.
func (r *waitingRoom) check() {
	r.t.Helper()
	for i := range 3 * 12 {
		k := r.ks.Key(i%3, []byte(fmt.Sprint("key", i/3)))
		k.DB.NoteReady(&k)
		k.DB.NoteReady(&k)
	}
	places := 0
	for _, ready := range r.take() {
		k := ready.Key()
		var got []*Waiter
		ready.Each(func(w *Waiter, own *Key) bool {
			if roomKey(own) != roomKey(k) || !slices.ContainsFunc(w.Keys, func(o Key) bool { return roomKey(&o) == roomKey(own) }) {
				r.t.Fatalf("%s is no key of a waiter for %s", roomKey(own), roomKey(k))
			}
			got = append(got, w)
			return true
		})
		if !slices.Equal(got, r.queues[roomKey(k)]) {
			r.t.Fatalf("%s: %d waiters in another order than they came, of %d", roomKey(k), len(got), len(r.queues[roomKey(k)]))
		}
		places += len(got)
	}
	for _, q := range r.queues {
		places -= len(q)
	}
	if places != 0 {
		r.t.Fatalf("%d places too many", places)
	}
	for i := range r.ks.Shards() {
		if s := r.ks.Shard(i); s.HasWaiters() != (len(s.waiting.queues) > 0) {
			r.t.Fatal("HasWaiters lies")
		}
	}
}

func TestWaitersModel(t *testing.T) {
	r := newWaitingRoom(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var all []*Waiter
	for range 5000 {
		if len(all) > 0 && rng.IntN(40) < len(all) {
			i := rng.IntN(len(all))
			r.leave(all[i])
			all = slices.Delete(all, i, i+1)
		} else {
			keys := make([]Key, 1+rng.IntN(4)+rng.IntN(2)*rng.IntN(20))
			db := rng.IntN(3)
			for i := range keys {
				keys[i] = r.ks.Key(db, []byte(fmt.Sprint("key", rng.IntN(12))))
			}
			all = append(all, r.join(1+rng.IntN(len(keys)), rng.IntN(2) == 0, keys...))
		}
		if rng.IntN(8) == 0 {
			r.check()
		}
	}
	for _, w := range all {
		r.leave(w)
	}
	r.check()
}

// TestReady tells which events make a key ready for those who wait for it.
func TestReady(t *testing.T) {
	r := newWaitingRoom(t)
	key := func(db int, name string) Key { return r.ks.Key(db, []byte(name)) }
	add := func(db int, name string, of types.Type) {
		k := key(db, name)
		k.DB.Add(&k, types.Root{Type: of}, SetMode{})
	}
	set := func(db int, name string) {
		k := key(db, name)
		k.DB.SetString(&k, []byte("text"), SetMode{})
	}
	remove := func(db int, name string) {
		k := key(db, name)
		k.DB.Delete(&k)
	}
	// The fake values of this test must not be freed by the code of their types.
	was := values
	defer func() { values = was }()
	for i := range values {
		values[i] = valueOps{freeStep: func(*types.Space, *types.Root, int) bool { return true }}
	}

	r.join(1, false, key(0, "a"))
	r.join(1, false, key(1, "b"))
	r.join(1, true, key(0, "lost"), key(0, "target"))
	f := func(event string, do func(), want ...string) {
		t.Helper()
		do()
		if got := r.ready(); !slices.Equal(got, want) {
			t.Errorf("%s: %q is ready, not %q", event, got, want)
		}
	}
	f("another key", func() { add(0, "b", types.List); add(1, "a", types.List); add(0, "target", types.List) })
	f("a text", func() { set(0, "a"); set(1, "b") })
	f("a list", func() { add(0, "a", types.List) }, "0 a")
	f("several, one of them twice", func() { add(1, "b", types.List); add(0, "lost", types.Stream); add(1, "b", types.List) }, "1 b", "0 lost")
	f("a key that is deleted", func() { remove(0, "a"); remove(1, "b") })
	f("a stream that is deleted", func() { remove(0, "lost") }, "0 lost")
	f("a stream that is overwritten", func() { add(0, "lost", types.Stream); r.ready(); set(0, "lost") }, "0 lost")
	f("a rename", func() {
		add(0, "from", types.List)
		from, to := key(0, "from"), key(0, "a")
		if from.DB.Shard() == to.DB.Shard() {
			r.ks.Move(&from, &to)
		} else {
			add(0, "a", types.List)
		}
	}, "0 a")
	f("exchanged databases", func() { remove(1, "b"); add(2, "b", types.List); r.ks.SwapDB(1, 2) }, "1 b")
	f("a flush of another database", func() { r.ks.Shard(key(0, "lost").DB.Shard().Index()).DB(1).Flush() })
	f("a flush", func() { add(0, "lost", types.Stream); r.ready(); key(0, "lost").DB.Flush() }, "0 lost")
	f("a flush of everything", func() {
		add(0, "lost", types.Stream)
		r.ready()
		for i := range r.ks.Shards() {
			r.ks.Shard(i).FlushAll()
		}
	}, "0 lost")
}

// TestUnlockServes tells whoever serves ready keys of those that are left when a shard is unlocked.
func TestUnlockServes(t *testing.T) {
	ks := New(Options{Shards: 1, Databases: 1, NowMS: 1}, alloc.NewHeap())
	var served []string
	ks.ServeReady(func(s *Shard) {
		for _, ready := range s.TakeReady(nil) {
			served = append(served, string(ready.Key().Name))
		}
	})
	s := ks.Shard(0)
	s.Lock(1)
	k := ks.Key(0, []byte("k"))
	(&Waiter{Keys: []Key{k}}).Join([]Key{k})
	k.DB.NoteReady(&k)
	s.Unlock()
	if !slices.Equal(served, []string{"k"}) {
		t.Errorf("served %q", served)
	}
}

func BenchmarkWaiterJoinLeave(b *testing.B) {
	ks := New(Options{Shards: 1, Databases: 1, NowMS: 1}, alloc.NewHeap())
	k := ks.Key(0, []byte("queue"))
	keys := []Key{k}
	b.ReportAllocs()
	for b.Loop() {
		w := &Waiter{Keys: keys}
		w.Join(keys)
		k.DB.NoteReady(&k)
		k.DB.Shard().TakeReady(nil)
		w.Leave()
	}
}
