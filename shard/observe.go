package shard

import (
	"slices"
	"sync/atomic"
)

// Whoever has to know that keys are modified hears of it from the DB, under the shard's lock: a key that gets a value
// or another one, an element more or less, a time to live, or that is deleted, moved away or expires. As in Redis, what
// leaves a key as it was is told only where Redis tells it too (EXPIRE with the present time to live, say). The
// functions of DB that change keys tell of it themselves, but for Grow and KeepRoot: after these, and after changes to
// a stream, whose root never changes, the caller calls Modified.

// Observer hears of the keys that are modified. Its functions are called under the shard's lock and have to be quick.
type Observer interface {
	// Modified tells of one key. name is valid until it returns.
	Modified(db int, name []byte)
	// Flushed tells, once, that a database has been emptied, or all if db is -1. All shards are locked.
	Flushed(db int)
}

// Observe makes o hear of modified keys in all shards, which the caller has locked.
func (ks *Keyspace) Observe(o Observer) {
	for _, s := range ks.shards {
		s.observe(o)
	}
}

// Unobserve ends Observe. The caller has locked all shards.
func (ks *Keyspace) Unobserve(o Observer) {
	for _, s := range ks.shards {
		s.unobserve(o)
	}
}

func (s *Shard) observe(o Observer) {
	s.observers = append(slices.Clip(s.observers), o)
	s.observed++
}

func (s *Shard) unobserve(o Observer) {
	if i := slices.Index(s.observers, o); i >= 0 {
		s.observers = slices.Delete(slices.Clone(s.observers), i, i+1)
		s.observed--
	}
}

func (ks *Keyspace) eachLocked(f func(s *Shard)) {
	for _, s := range ks.shards {
		s.mu.Lock()
		f(s)
		s.mu.Unlock()
	}
}

// Modified tells those who observe the shard that k has been modified.
func (db *DB) Modified(k *Key) {
	if db.shard.observed != 0 {
		db.tell(k.Name)
	}
}

// modifiedEntry is Modified for the key of e.
func (db *DB) modifiedEntry(e Entry) {
	if db.shard.observed != 0 {
		db.tell(db.Key(e))
	}
}

func (db *DB) tell(name []byte) {
	if l := db.watched[string(name)]; l != nil {
		l.touch()
	}
	for _, o := range db.shard.observers {
		o.Modified(db.id, name)
	}
}

// flushing tells that db is about to be emptied, in this shard.
func (db *DB) flushing() {
	for _, l := range db.watched {
		l.replace(nil)
	}
}

// flushed tells the observers, as the first shard is emptied, that all are: the database, or all if it is -1.
func (s *Shard) flushed(db int) {
	if s.index != 0 {
		return
	}
	for _, o := range s.observers {
		o.Flushed(db)
	}
}

// swapping tells those who watch keys of a and b, of one shard, that they are about to be swapped. As in Redis, observers do not
// hear of it.
func swapping(a, b *DB) {
	for _, l := range a.watched {
		l.replace(b)
	}
	for _, l := range b.watched {
		l.replace(a)
	}
}

// Watcher is a client that wants to know whether any of some keys has been modified (WATCH). It belongs to one
// goroutine; Modified is set by others.
type Watcher struct {
	modified atomic.Bool
	watches  []*watch
	lists    map[*watchList]struct{} // those that w is in, once they are many
	bytes    int
}

// watch is a watcher's place in the list of those who watch a key.
type watch struct {
	w          *Watcher
	list       *watchList // nil once the key has been modified; changed under the shard's lock
	key        *Key       // of list
	prev, next *watch
	expired    bool // the key had expired already: that it goes is no change
}

// watchList is those who watch a key.
type watchList struct {
	key         Key
	first, last *watch
	len         int
}

const (
	// fewWatches is how many places are searched one by one for a key that is watched already.
	fewWatches = 16

	// watchBytes is about what a watch costs, besides the key's name.
	watchBytes = 240
)

// Watch makes w hear when k is modified; k's shard is locked.
func (w *Watcher) Watch(k *Key) {
	db := k.DB
	l := db.watched[string(k.Name)]
	if l == nil {
		l = &watchList{key: *k}
		l.key.Name = slices.Clone(k.Name)
		if db.watched == nil {
			db.watched = map[string]*watchList{}
		}
		db.watched[string(l.key.Name)] = l
		db.shard.observed++
	} else if w.in(l) {
		return
	}
	e := db.find(k)
	p := &watch{w: w, list: l, key: &l.key, prev: l.last, expired: e.h != nil && db.Expired(e)}
	if l.last == nil {
		l.first = p
	} else {
		l.last.next = p
	}
	l.last = p
	l.len++
	w.watches = append(w.watches, p)
	w.bytes += watchBytes + len(k.Name)
	if w.lists != nil {
		w.lists[l] = struct{}{}
	}
}

// in tells whether w is in l.
func (w *Watcher) in(l *watchList) bool {
	if l.len <= fewWatches {
		for p := l.first; p != nil; p = p.next {
			if p.w == w {
				return true
			}
		}
		return false
	}
	if w.lists == nil && len(w.watches) > fewWatches {
		w.lists = make(map[*watchList]struct{}, 2*len(w.watches))
		for _, p := range w.watches {
			w.lists[p.list] = struct{}{}
		}
	}
	if w.lists != nil {
		_, is := w.lists[l]
		return is
	}
	return slices.ContainsFunc(w.watches, func(p *watch) bool { return p.list == l })
}

// Modified tells whether any key that w watches has been modified. It needs no lock.
func (w *Watcher) Modified() bool { return w.modified.Load() }

// Len returns how many keys w has asked for, Bytes about what this costs.
func (w *Watcher) Len() int   { return len(w.watches) }
func (w *Watcher) Bytes() int { return w.bytes }

// EachShard calls f for the shards of the keys that w watches, one with several keys several times.
func (w *Watcher) EachShard(f func(s *Shard)) {
	for _, p := range w.watches {
		f(p.key.DB.shard)
	}
}

// Expired tells whether the time of a key has come since w began to watch it. All shards of w's keys are locked.
func (w *Watcher) Expired() bool {
	for _, p := range w.watches {
		if p.list == nil || p.expired {
			continue
		}
		if e := p.key.DB.find(p.key); e.h != nil && p.key.DB.Expired(e) {
			return true
		}
	}
	return false
}

// Leave ends w's watching of its last keys, at most limit. It returns whether there are more. held tells that the shards of all
// keys are locked; otherwise none is.
func (w *Watcher) Leave(limit int, held bool) (more bool) {
	n := len(w.watches)
	for ; n > 0 && limit > 0; limit-- {
		n--
		p := w.watches[n]
		w.watches[n] = nil
		if held {
			p.leave()
			continue
		}
		s := p.key.DB.shard
		s.mu.Lock()
		p.leave()
		s.mu.Unlock()
	}
	w.watches = w.watches[:n]
	w.lists = nil
	return n > 0
}

// Reset readies w, which watches nothing any more, for other keys.
func (w *Watcher) Reset() {
	if cap(w.watches) > fewWatches {
		w.watches = nil
	}
	w.bytes = 0
	w.modified.Store(false)
}

func (p *watch) leave() {
	l := p.list
	if l == nil {
		return
	}
	p.list = nil
	if p.prev == nil {
		l.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		l.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
	l.len--
	if l.first == nil {
		l.drop()
	}
}

func (l *watchList) drop() {
	db := l.key.DB
	delete(db.watched, string(l.key.Name))
	if len(db.watched) == 0 {
		db.watched = nil // maps do not shrink
	}
	db.shard.observed--
}

// touch tells those who watch the key that it has been modified, and takes them from the list. A key that had expired
// before one of them began to watch it and is deleted now has not changed for that one.
func (l *watchList) touch() {
	gone := l.key.DB.find(&l.key).h == nil
	for p := l.first; p != nil; {
		next := p.next
		switch {
		case !p.expired:
			p.w.modified.Store(true)
			p.leave()
		case gone:
			p.expired = false
		default:
			return
		}
		p = next
	}
}

// replace tells those who watch the key that all of its database is about to be replaced by that of with, or by nothing.
func (l *watchList) replace(with *DB) {
	before := l.key.DB.find(&l.key)
	var after Entry
	var expires bool // what comes has expired
	if with != nil {
		if after = with.find(&l.key); after.h != nil {
			expires = with.Expired(after)
		}
	}
	if before.h == nil && after.h == nil {
		return
	}
	for p := l.first; p != nil; {
		next := p.next
		switch {
		case p.expired && after.h == nil:
			p.expired = false
		case p.expired && expires:
		case !p.expired && before.h == nil && expires:
			p.expired = true
		default:
			p.w.modified.Store(true)
			p.leave()
		}
		p = next
	}
}
