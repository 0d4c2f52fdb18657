package shard

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/fifo"
	"github.com/shoaldb/shoal/types/sketch"
)

// Some eviction policies keep a database's keys in an order, shard by shard: in one or two queues of records, which are
// 32 bits of their hashes. A record whose key is gone, or stands in the other queue, is stale and skipped.
//
//	allkeys-sieve     queues[0]: keys that the hand has yet to pass, new ones at the end; queues[1]: those it has passed and spared.
//	                  When the first is empty they change roles: the hand is back at the oldest key.
//	allkeys-s3fifo    queues[0]: the small queue, of new keys; queues[1]: the main queue
//	allkeys-wtinylfu  queues[0]: the window, of new keys; all others have no order, they are sampled
//
// A key is in the queue that its access clock names: 1 or 2, or 0 if there was no memory for a record.
type order struct {
	queues [2]fifo.Queue

	walking bool   // all entries are being given the clocks, and a place in the queues, that the policy wants
	from    access // what their clocks were
	walk    uint32 // the next bucket

	victims *victims // of allkeys-wtinylfu; nil before the first

	sweeping  bool // stale records are being dropped
	sweep     int  // of which queue
	sweepLeft int  // records to look at
}

const (
	inNone uint32 = iota
	inFirst
	inSecond
)

// memory is what a shard remembers of accesses for some policies.
type memory struct {
	frequency sketch.Frequency // of allkeys-wtinylfu
	ghosts    sketch.Ghosts    // of allkeys-s3fifo: keys evicted from the small queue
	accesses  uint64           // counted under accessSketch
	outdated  []fifo.Queue     // of policies that are no longer in force, to be freed
}

// reorder makes all entries of the shard be given what the present policy wants, by Tick.
func (s *Shard) reorder() {
	for _, db := range s.dbs {
		for i := range db.order.queues {
			if q := &db.order.queues[i]; q.Len() > 0 {
				s.outdated = append(s.outdated, *q)
			}
		}
		from := db.order.from
		if !db.order.walking {
			from = s.ordered
		}
		db.order = order{from: from, walking: db.table.Len() > 0}
		db.freeze()
	}
	s.ordered = s.access
	s.work.Store(true)
}

// admit gives an entry that has come into being, of hash h, its place.
func (db *DB) admit(hash uint64, h *header) {
	s := db.shard
	q := inFirst
	switch s.policy {
	case AllKeysWTinyLFU:
		if s.hasRoom() {
			s.frequency.Fit(s.arena, int(s.weight.Load()))
		}
		s.noteAccess(hash)
		if db.order.queues[0].Len() > db.window()+db.windowSlack() {
			db.leaveWindow()
		}
	case AllKeysS3FIFO:
		if s.hasRoom() {
			s.ghosts.Fit(s.arena, int(s.weight.Load()))
		}
		if s.ghosts.Take(s.arena, remembered(hash)) {
			q = inSecond
		}
	}
	db.line(q, uint32(hash), h)
	if db.sweepDue() && !s.work.Load() {
		s.work.Store(true)
	}
}

const (
	windowShare = 20  // the part of the keys, one in so many, that are in the window of allkeys-wtinylfu
	slackShare  = 2   // the part of the window by which it may be too long
	leastSlack  = 16  // keys
	mostSlack   = 512 // keys
)

// window returns how many keys the window of allkeys-wtinylfu is to have.
func (db *DB) window() int { return db.table.Len() / windowShare }

// windowSlack returns how many keys more the window may have: evictions come to a shard several at once, and a key that
// leaves the window should meet one that has to go for it.
func (db *DB) windowSlack() int {
	return max(leastSlack, min(db.window()/slackShare, mostSlack))
}

// leaveWindow lets the oldest keys leave the window: there is room for all.
func (db *DB) leaveWindow() {
	var b dueBatch
	q := &db.order.queues[0]
	b.n = q.Peek(db.shard.arena, b.records[:leastSlack/2])
	b.prefetch(&db.table)
	for _, rec := range b.records[:b.n] {
		q.Pop(db.shard.arena)
		if _, e := db.recorded(rec, inFirst); e.h != nil {
			e.h.setQueue(inSecond)
		}
	}
}

// line makes a key stand in a queue.
func (db *DB) line(q, rec uint32, h *header) {
	if !db.order.queues[q-1].Push(db.shard.arena, rec) {
		q = inNone
	}
	h.setQueue(q)
}

// noteAccess counts an access for allkeys-wtinylfu.
func (s *Shard) noteAccess(hash uint64) {
	s.accesses++
	s.frequency.Add(s.arena, remembered(hash))
}

// remembered returns what memory knows a key by: what its records are.
func remembered(hash uint64) uint64 { return uint64(uint32(hash)) }

// PeekMemory appends to dst, for prefetching, where the shard remembers accesses to k, if it does. It needs no lock.
func (k *Key) PeekMemory(dst []uintptr) []uintptr {
	s := k.DB.shard
	if at := s.frequency.Peek(s.arena, remembered(k.Hash)); at != 0 {
		dst = append(dst, at)
	}
	if at := s.ghosts.Peek(s.arena, remembered(k.Hash)); at != 0 {
		dst = append(dst, at)
	}
	return dst
}

// recorded returns the key and the entry of a record of queue q, or an entry that does not exist if the record is stale.
func (db *DB) recorded(rec, q uint32) (Key, Entry) { return db.recordedIn(rec, 1<<q) }

// recordedIn is recorded for keys in any of some queues, whose bits are set.
func (db *DB) recordedIn(rec, queues uint32) (Key, Entry) {
	a := db.shard.arena
	fp := dict.Fingerprint(uint64(rec))
	for b := db.table.Find(uint64(rec)); b != nil; b = db.table.Next(b) {
		for m := b.Match(fp); m != 0; m &= m - 1 {
			slot := trailing(m)
			ref := b.Ref(slot)
			h := alloc.At[header](a, ref)
			if queues>>h.queue()&1 == 0 {
				continue
			}
			name := entryKey(a, ref, h)
			if hash := db.shard.ks.Hash(name); uint32(hash) == rec {
				return Key{Name: name, Hash: hash, DB: db}, Entry{h: h, b: b, ref: ref, slot: slot}
			}
		}
	}
	return Key{}, Entry{}
}

// sweepDue tells whether stale records outnumber the live ones.
func (db *DB) sweepDue() bool {
	x := &db.order
	return x.sweeping || x.queues[0].Len()+x.queues[1].Len() > 2*db.table.Len()+1024
}

// orderDue tells whether orderStep has something to do.
func (db *DB) orderDue() bool { return db.order.walking || db.sweepDue() }

// orderStep does some of what is to be done for the orders of keys: at most limit buckets', or as many times eight
// records. It returns whether work remains.
func (s *Shard) orderStep(limit int) bool {
	if n := len(s.outdated); n > 0 {
		if s.outdated[n-1].Clear(s.arena, limit) {
			s.outdated = s.outdated[:n-1]
		}
		return true
	}
	if s.access != accessSketch && s.frequency.Bytes() > 0 && !s.frequency.Clear(s.arena, limit) {
		return true
	}
	if s.policy != AllKeysS3FIFO && s.ghosts.Bytes() > 0 && !s.ghosts.Clear(s.arena, limit) {
		return true
	}
	for _, db := range s.dbs {
		switch {
		case db.order.walking:
			if s.hasRoom() { // else Evict goes on with it, as far as it has to
				db.walkStep(limit)
			}
			return true
		case db.sweepDue():
			db.sweepStep(8 * limit)
			return true
		}
	}
	return false
}

// walkStep gives the entries of limit buckets what the policy wants.
func (db *DB) walkStep(limit int) {
	x := &db.order
	for limit > 0 && int(x.walk) < db.table.Buckets() {
		n := min(limit, rebuildAhead, db.table.Buckets()-int(x.walk))
		db.prefetchBuckets(x.walk, n)
		if db.shard.access == accessSketch {
			db.prefetchCounters(x.walk, n)
		}
		for range n {
			db.table.Visit(x.walk, db.convert)
			x.walk++
		}
		limit -= n
	}
	if int(x.walk) >= db.table.Buckets() {
		x.walking, x.walk = false, 0
		db.freeze()
	}
}

// prefetchCounters asks for where accesses to the entries of n buckets are counted, rebuildAhead at most.
func (db *DB) prefetchCounters(first uint32, n int) {
	var addrs [rebuildAhead * 2 * dict.Slots]uintptr
	list := addrs[:0]
	for i := range uint32(n) {
		db.table.Visit(first+i, func(ref alloc.Ref) {
			if len(list) < len(addrs) {
				list = append(list, db.shard.frequency.Peek(db.shard.arena, remembered(db.HashOf(ref))))
			}
		})
	}
	alloc.Prefetch(list)
}

// convert gives an entry what the policy wants.
func (db *DB) convert(ref alloc.Ref) {
	s := db.shard
	h := alloc.At[header](s.arena, ref)
	c := s.newClock()
	if was := db.order.from; (was == accessTime || was == accessOrder) && (s.access == accessTime || s.access == accessOrder) {
		idle := (uint32(s.nowMS/1000) - h.getClock()) & clockMask
		c = s.access.clock(s.nowMS - int64(idle)*1000)
	}
	h.setClock(c)
	switch s.policy {
	case AllKeysSieve:
		if s.access == accessOrder {
			db.line(inFirst, uint32(db.HashOf(ref)), h)
		}
	case AllKeysS3FIFO:
		if s.access == accessOrder {
			if s.hasRoom() {
				s.ghosts.Fit(s.arena, db.table.Len())
			}
			db.line(inSecond, uint32(db.HashOf(ref)), h)
		}
	case AllKeysWTinyLFU:
		if s.access == accessSketch {
			if s.hasRoom() {
				s.frequency.Fit(s.arena, db.table.Len())
			}
			s.noteAccess(db.HashOf(ref)) // as that of a new key, which is worth no more
			h.setQueue(inSecond)
		}
	}
}

// sweepStep looks at up to limit records and drops those that are stale. Each queue is turned round once.
func (db *DB) sweepStep(limit int) {
	x := &db.order
	if !x.sweeping {
		x.sweeping, x.sweep, x.sweepLeft = true, 0, x.queues[0].Len()
	}
	for limit > 0 && x.sweepLeft > 0 {
		n := db.sweepSome(min(limit, x.sweepLeft))
		x.sweepLeft -= n
		limit -= n
		if n == 0 {
			x.sweepLeft = 0
		}
	}
	if x.sweepLeft == 0 {
		x.sweep++
		x.sweeping = x.sweep < len(x.queues)
		if x.sweeping {
			x.sweepLeft = x.queues[1].Len()
		}
	}
}

// sweepSome looks at the next records, up to limit, and returns how many these were.
func (db *DB) sweepSome(limit int) int {
	x, a := &db.order, db.shard.arena
	q := &x.queues[x.sweep]
	var b dueBatch
	b.n = q.Peek(a, b.records[:min(limit, len(b.records))])
	b.prefetch(&db.table)
	for _, rec := range b.records[:b.n] {
		q.Pop(a)
		if _, e := db.inQueue(rec, uint32(x.sweep)+1); e.h != nil && !q.Push(a, rec) {
			e.h.setQueue(inNone)
		}
	}
	return b.n
}

// inQueue is recorded for a policy under which the queues may have changed roles.
func (db *DB) inQueue(rec, q uint32) (Key, Entry) {
	k, e := db.recorded(rec, q)
	if e.h == nil && db.shard.policy == AllKeysSieve {
		k, e = db.recorded(rec, inFirst+inSecond-q)
	}
	return k, e
}

// clear gives back the memory of an order, at most limit chunks, and returns whether none is left.
func (x *order) clear(a *alloc.Arena, limit int) bool {
	done := true
	for i := range x.queues {
		done = x.queues[i].Clear(a, limit) && done
	}
	return done
}
