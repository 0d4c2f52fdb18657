package server

import (
	"math/bits"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/shard"
)

// maxShards bounds the size of a lock set.
const maxShards = 4096

// lockSet is a set of shards: those of a command whose keys are in several.
type lockSet struct {
	words [maxShards / 64]uint64
	used  int  // words
	all   bool // addAll was called
}

func (l *lockSet) add(i int) {
	l.words[i/64] |= 1 << (i % 64)
	l.used = max(l.used, i/64+1)
}

func (l *lockSet) addAll(ks *shard.Keyspace) {
	for i := range ks.Shards() {
		l.add(i)
	}
	l.all = true
}

// single returns the set's only shard, or -1 if there is none or more than one.
func (l *lockSet) single() int {
	at := -1
	for w, word := range l.words[:l.used] {
		switch {
		case word == 0:
		case at >= 0 || word&(word-1) != 0:
			return -1
		default:
			at = w*64 + bits.TrailingZeros64(word)
		}
	}
	return at
}

// clear empties the set.
func (l *lockSet) clear() {
	clear(l.words[:l.used])
	l.used, l.all = 0, false
}

func (l *lockSet) has(i int) bool { return l.words[i/64]>>(i%64)&1 != 0 }

// contains tells whether all of other is in l.
func (l *lockSet) contains(other *lockSet) bool {
	for i, word := range other.words[:other.used] {
		if word&^l.words[i] != 0 {
			return false
		}
	}
	return true
}

// lock takes the set's shards in ascending order, so that no two reactors wait for each other.
func (l *lockSet) lock(ks *shard.Keyspace, nowMS int64) {
	l.each(ks, func(s *shard.Shard) { s.Lock(nowMS) })
}

// unlock gives the set's shards back and empties it.
func (l *lockSet) unlock(ks *shard.Keyspace) {
	l.each(ks, (*shard.Shard).Unlock)
	l.clear()
}

func (l *lockSet) each(ks *shard.Keyspace, f func(*shard.Shard)) {
	for w, word := range l.words[:l.used] {
		for ; word != 0; word &= word - 1 {
			f(ks.Shard(w*64 + bits.TrailingZeros64(word)))
		}
	}
}

// lock takes the locks that the command needs. A single shard's lock is kept from one command of the batch
// to the next; a set is returned, for the caller to unlock.
func (r *reactor) lock(q *request) *lockSet {
	if q.spec.LocksAll(q.args) {
		return r.lockAll()
	}
	if len(q.keys) == 0 {
		r.release()
		return nil
	}
	first := q.keys[0].DB.Shard()
	for i := 1; i < len(q.keys); i++ {
		if q.keys[i].DB.Shard() != first {
			return r.lockMany(q)
		}
	}
	r.holdShard(first)
	if first.HasWaiters() && mayWrite(q.spec) {
		return r.lockWakeups(q, nil)
	}
	return nil
}

// mayWrite tells whether a command, or what it runs, may change keys.
func mayWrite(spec *command.Spec) bool {
	return spec.Flags&(command.Write|command.MayReplicate) != 0
}

// holdShard locks s, which is kept for the next command.
func (r *reactor) holdShard(s *shard.Shard) {
	if s != r.held {
		r.release()
		s.Lock(r.nowMS)
		r.held = s
	}
}

func (r *reactor) lockAll() *lockSet {
	r.release()
	r.many.addAll(r.srv.ks)
	r.many.lock(r.srv.ks, r.nowMS)
	return &r.many
}

// eachShard calls f with every shard, locked, one after the other.
func (r *reactor) eachShard(f func(*shard.Shard)) {
	for i := range r.srv.ks.Shards() {
		s := r.srv.ks.Shard(i)
		if s == r.held || r.many.has(i) {
			f(s)
			continue
		}
		s.Lock(r.nowMS)
		f(s)
		s.Unlock()
	}
}

func (r *reactor) lockMany(q *request) *lockSet {
	r.release()
	for i := range q.keys {
		r.many.add(q.keys[i].DB.Shard().Index())
	}
	r.many.lock(r.srv.ks, r.nowMS)
	if mayWrite(q.spec) {
		for i := range q.keys {
			if q.keys[i].DB.Shard().HasWaiters() {
				return r.lockWakeups(q, &r.many)
			}
		}
	}
	return &r.many
}

// release unlocks the shard that was kept for the next command.
func (r *reactor) release() {
	if r.held != nil {
		r.record()
		r.held.Unlock()
		r.held = nil
	}
}
