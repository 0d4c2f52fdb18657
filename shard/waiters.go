package shard

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/shoaldb/shoal/types"
)

// A Waiter is a client that waits until one of some keys is ready. It stands in a queue for each of them, in the key's shard.
// It joins and leaves the queues under the locks of all shards of Keys; what of it is not in the queues does not change.
type Waiter struct {
	Keys  []Key      // of the client's command, those that it writes to once it is served included
	Type  types.Type // that a key must have to serve it
	Lost  bool       // hears, too, of a key that is no longer what it was
	Owner any        // of use to who serves it

	targets []*Key // those of Keys that it does not wait for
	far     bool   // serving it takes the locks of other shards than that in which it waits, or has targets
	places  []place
	ended   atomic.Bool
}

// place is a waiter's place in a queue.
type place struct {
	w          *Waiter
	q          *waitQueue
	key        *Key // of w.Keys
	prev, next *place
}

// waitQueue is the waiters for a key of one database, in the order in which they came.
type waitQueue struct {
	key         Key
	first, last *place
	far, lost   int        // how many waiters are so
	ready       bool       // in waiters.ready
	other       *waitQueue // for the same name in another database
}

// waiters is a shard's part of the waiting clients.
type waiters struct {
	places int // in all queues
	queues map[string]*waitQueue
	grown  bool // queues has become large
	ready  []Ready
}

// HasWaiters tells whether clients wait for keys of the shard. The shard is locked, here and below.
func (s *Shard) HasWaiters() bool { return s.waiting.places > 0 }

// HasReady tells whether keys that somebody waits for have become ready.
func (s *Shard) HasReady() bool { return len(s.waiting.ready) > 0 }

// WaitedFor returns how many keys clients wait for, and for how many of them they want to hear when they are lost. It
// needs no lock.
func (ks *Keyspace) WaitedFor() (keys, lost int64) {
	return ks.waitedFor.Load(), ks.waitedForLost.Load()
}

// Join makes w wait for keys, each of which is one of w.Keys; all their shards are locked. The keys are of one database.
func (w *Waiter) Join(keys []Key) {
	w.places = make([]place, 0, len(keys))
	own := indexNames(w.Keys)
	var few [8]bool
	awaited := few[:] // by the index of a name's first key
	if len(w.Keys) > len(few) {
		awaited = make([]bool, len(w.Keys))
	}
	for i := range keys {
		if at := own.find(keys[i].Name); !awaited[at] {
			awaited[at] = true
			w.places = append(w.places, place{w: w, key: &w.Keys[at]})
		}
	}
	for i := range w.Keys {
		k := &w.Keys[i]
		if !awaited[own.find(k.Name)] {
			w.targets = append(w.targets, k)
		}
		w.far = w.far || k.DB.shard != w.Keys[0].DB.shard || len(w.targets) > 0
	}
	for i := range w.places {
		w.places[i].key.DB.enqueue(&w.places[i])
	}
}

// names finds the first of some keys that has a name.
type names struct {
	keys  []Key
	index map[string]int // nil if there are few
}

func indexNames(keys []Key) names {
	n := names{keys: keys}
	if len(keys) > 8 {
		n.index = make(map[string]int, len(keys))
		for i := len(keys) - 1; i >= 0; i-- {
			n.index[string(keys[i].Name)] = i
		}
	}
	return n
}

func (n *names) find(name []byte) int {
	if n.index != nil {
		return n.index[string(name)]
	}
	return slices.IndexFunc(n.keys, func(k Key) bool { return string(k.Name) == string(name) })
}

// Targets returns those of w's keys that it does not wait for: it is served by writing to them.
func (w *Waiter) Targets() []*Key { return w.targets }

// Leave ends w's waiting. It reports false if that has ended before. All shards of w.Keys are locked.
func (w *Waiter) Leave() bool {
	if w.ended.Swap(true) {
		return false
	}
	for i := range w.places {
		w.places[i].q.remove(&w.places[i])
	}
	w.places = nil
	return true
}

// Ended tells whether Leave has been called; it needs no lock.
func (w *Waiter) Ended() bool { return w.ended.Load() }

// manyQueues is when a map of queues is large.
const manyQueues = 64

func (db *DB) enqueue(p *place) {
	x := &db.shard.waiting
	if x.queues == nil {
		x.queues = map[string]*waitQueue{}
	}
	q := db.queue(p.key.Name)
	if q == nil {
		k := *p.key
		k.Name = slices.Clone(k.Name)
		q = &waitQueue{key: k, other: x.queues[string(k.Name)]}
		x.queues[string(k.Name)] = q
		x.grown = x.grown || len(x.queues) > manyQueues
		db.shard.ks.waitedFor.Add(1)
	}
	p.q, p.prev = q, q.last
	if q.last == nil {
		q.first = p
	} else {
		q.last.next = p
	}
	q.last = p
	x.places++
	q.count(p.w, 1)
}

func (q *waitQueue) count(w *Waiter, by int) {
	if w.far {
		q.far += by
	}
	if w.Lost {
		was := min(q.lost, 1)
		q.lost += by
		q.key.DB.shard.ks.waitedForLost.Add(int64(min(q.lost, 1) - was))
	}
}

// queue returns those who wait for the key called name, or nil.
func (db *DB) queue(name []byte) *waitQueue {
	q := db.shard.waiting.queues[string(name)]
	for q != nil && q.key.DB != db {
		q = q.other
	}
	return q
}

func (q *waitQueue) remove(p *place) {
	if p.prev == nil {
		q.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		q.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	q.key.DB.shard.waiting.places--
	q.count(p.w, -1)
	if q.first == nil {
		q.drop()
	}
}

// drop forgets an empty queue.
func (q *waitQueue) drop() {
	x := &q.key.DB.shard.waiting
	q.key.DB.shard.ks.waitedFor.Add(-1)
	if x.places == 0 && x.grown {
		x.queues, x.grown = nil, false // maps do not shrink
		return
	}
	first := x.queues[string(q.key.Name)]
	switch {
	case first != q:
		for first.other != q {
			first = first.other
		}
		first.other = q.other
	case q.other != nil:
		x.queues[string(q.key.Name)] = q.other
	default:
		delete(x.queues, string(q.key.Name))
	}
}

// NoteReady makes those who wait for k be served before the shard is unlocked.
func (db *DB) NoteReady(k *Key) {
	if db.shard.waiting.places > 0 {
		db.noteReady(k)
	}
}

func (db *DB) noteReady(k *Key) {
	if q := db.queue(k.Name); q != nil {
		q.note()
	}
}

func (q *waitQueue) note() {
	if !q.ready {
		q.ready = true
		s := q.key.DB.shard
		s.waiting.ready = append(s.waiting.ready, Ready{q, s.ks.readySeq.Add(1)})
	}
}

// noteLost tells those who want to hear of it that k, which was a stream, has been deleted or overwritten.
func (db *DB) noteLost(k *Key) {
	if q := db.queue(k.Name); q != nil && q.lost > 0 {
		q.note()
	}
}

// noteFlushed is noteLost for all keys of the database.
func (db *DB) noteFlushed() {
	db.eachQueue(func(q *waitQueue) {
		if q.lost > 0 {
			q.note()
		}
	})
}

// noteSwapped notes the keys that the database has got from another one.
func (db *DB) noteSwapped() {
	db.eachQueue(func(q *waitQueue) {
		if e := db.find(&q.key); q.lost > 0 || e.h != nil && e.Type() != types.String {
			q.note()
		}
	})
}

func (db *DB) eachQueue(f func(q *waitQueue)) {
	for _, q := range db.shard.waiting.queues {
		for ; q != nil; q = q.other {
			if q.key.DB == db {
				f(q)
			}
		}
	}
}

// Ready is a key that has become ready, with those who wait for it.
type Ready struct {
	q   *waitQueue
	seq uint64 // order among the keys of all shards
}

// TakeReady appends the keys that have become ready to dst, which it leaves in no order; see SortReady.
func (s *Shard) TakeReady(dst []Ready) []Ready {
	x := &s.waiting
	for _, r := range x.ready {
		r.q.ready = false
		dst = append(dst, r)
	}
	clear(x.ready)
	x.ready = x.ready[:0]
	return dst
}

// SortReady brings keys of several shards into the order in which they became ready.
func SortReady(keys []Ready) {
	slices.SortFunc(keys, func(a, b Ready) int { return cmp.Compare(a.seq, b.seq) })
}

// Key returns the key.
func (r Ready) Key() *Key { return &r.q.key }

// Each calls f for those who wait for the key, in the order in which they came, until it returns false. key is the key
// among the waiter's. f may let the waiter leave.
func (r Ready) Each(f func(w *Waiter, key *Key) bool) { r.q.each(f) }

func (q *waitQueue) each(f func(w *Waiter, key *Key) bool) {
	for p := q.first; p != nil; {
		next := p.next
		if !f(p.w, p.key) {
			return
		}
		p = next
	}
}

// Lost tells whether one of those who wait for the key wants to hear when it is lost.
func (r Ready) Lost() bool { return r.q.lost > 0 }

// FarWaiters calls f for those who wait for k in any database, in the order in which they came in each of these, until
// it returns false: not at all if they can be served under the shard's lock alone.
func (s *Shard) FarWaiters(k *Key, f func(db *DB, w *Waiter) bool) {
	for q := s.waiting.queues[string(k.Name)]; q != nil; q = q.other {
		if q.far == 0 {
			continue
		}
		more := true
		q.each(func(w *Waiter, _ *Key) bool {
			more = f(q.key.DB, w)
			return more
		})
		if !more {
			return
		}
	}
}
