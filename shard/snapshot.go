package shard

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

// A snapshot is what the keyspace holds at one moment, the cut, for which all shards are locked. It is not copied then:
// each entry has a bit of parity, each shard a present parity, and the cut flips the latter. An entry whose parity is
// another has not been saved since; new entries get the present one. Whoever walks the tables ([Walk]) saves entries
// one by one and sets their parity, and whoever is about to change a key that has not been saved ([Key.BeforeWrite])
// first has its old state saved. So every entry is saved once, as it was at the cut. A large value is not saved when
// its entry is, but watched from then on ([types.Watcher]): the saver goes through its members or nodes, and what
// changes before its turn has come is saved before it does. While no snapshot is being taken this costs a branch.

// Saver takes the entries of a snapshot. Its functions are called under the shard's lock.
type Saver interface {
	// Save takes the state of e, an entry of db, or watches its value.
	Save(db *DB, e Entry)
	// Flushed tells that a database, or all if all is true, is being emptied: not all of the snapshot can be had any
	// more. All shards are locked.
	Flushed(all bool)
}

// Cut begins a snapshot of all there is. All shards are locked, and no other snapshot is being taken.
func (ks *Keyspace) Cut(sv Saver) (keys int) {
	for _, s := range ks.shards {
		s.parity ^= flagParity
		s.saver = sv
		for _, db := range s.dbs {
			db.origin = db.id
			keys += db.Len()
		}
	}
	return keys
}

// FieldTTL tells whether there may be hashes of which fields expire. All shards are locked.
func (ks *Keyspace) FieldTTL() bool {
	for _, s := range ks.shards {
		if s.fieldTTL {
			return true
		}
	}
	return false
}

// EndSnapshot ends the shard's part in a snapshot, of which every entry has been saved.
func (s *Shard) EndSnapshot() { s.saver = nil }

// Origin returns the number that db's contents had as a database at the cut; SWAPDB may have changed it since.
func (db *DB) Origin() int { return db.origin }

// From returns the database whose contents were those of database origin at the cut, or nil if they are gone.
func (s *Shard) From(origin int) *DB {
	if db := s.dbs[origin]; db.origin == origin {
		return db
	}
	for _, db := range s.dbs {
		if db.origin == origin {
			return db
		}
	}
	return nil
}

func (db *DB) unsaved(h *header) bool { return h.flags&flagParity != db.shard.parity }

// saved notes that the entry of h has been saved, or need not be.
func (db *DB) saved(h *header) { h.flags = h.flags&^flagParity | db.shard.parity }

// Saving tells whether k, in a shard of which a snapshot is being taken, has to be saved before it changes, as a whole
// or in part.
func (k *Key) Saving() bool {
	db := k.DB
	if db.shard.saver == nil {
		return false
	}
	e := db.find(k)
	return e.h != nil && (db.unsaved(e.h) || db.watcher(e) != nil)
}

// BeforeWrite is called by whoever may change k. It has the state that k had at the cut saved, or, if the value is
// large, watched: then it returns by whom. Every function of DB that replaces or deletes a whole value does the same.
func (k *Key) BeforeWrite() (w types.Watcher) {
	if k.DB.shard.saver == nil {
		return nil
	}
	return k.save()
}

func (k *Key) save() types.Watcher {
	db := k.DB
	e := db.find(k)
	if e.h == nil {
		return nil
	}
	if db.unsaved(e.h) {
		db.saveEntry(e)
		return db.watcher(e)
	}
	w := db.watcher(e)
	if w != nil {
		w.Before()
	}
	return w
}

// watcher returns who watches the value of e, or nil.
func (db *DB) watcher(e Entry) types.Watcher {
	if e.h.flags&flagLarge != 0 {
		if w := db.large(e).watch.Load(); w != nil && w.shard == db.shard {
			return w.StringWatcher
		}
		return nil
	}
	if !db.shard.space.Watched() || e.Type() == types.String {
		return nil
	}
	r := db.Root(e)
	return db.shard.space.Watcher(&r)
}

// StringWatcher watches a string that has a mapping of its own. Of the functions of types.Watcher, Before and Orphan are called.
type StringWatcher interface {
	types.Watcher
	// ChangeBytes tells that the bytes [from, to) of the string are about to change, or bytes beyond its end to be added.
	ChangeBytes(from, to int)
}

// stringWatch is a StringWatcher with the shard under whose lock it is called.
type stringWatch struct {
	StringWatcher
	shard *Shard
}

// WatchString makes w the watcher of string e, which Pin can pin, and pins it: but changes in place go on, until p is released.
func (db *DB) WatchString(e Entry, w StringWatcher) (p Pinned) {
	l := db.large(e)
	l.refs.Add(1)
	l.watch.Store(&stringWatch{w, db.shard})
	return Pinned{l}
}

// UnwatchString ends the watching of what WatchString has pinned, under the lock of the shard, and releases it.
func (p Pinned) UnwatchString() {
	p.l.watch.Store(nil)
	p.Release()
}

// Changing is called by whoever has made a string long enough by Grow, before the bytes [from, to) of it change.
func (k *Key) Changing(from, to int) {
	db := k.DB
	if db.shard.saver == nil {
		return
	}
	if e := db.find(k); e.h != nil && e.h.flags&flagLarge != 0 {
		if w := db.watcher(e); w != nil {
			w.(StringWatcher).ChangeBytes(from, to)
		}
	}
}

func (db *DB) saveEntry(e Entry) {
	db.saved(e.h)
	db.shard.saver.Save(db, e)
}

// keep has e's old state saved, as it is about to go.
func (db *DB) keep(e Entry) {
	if db.shard.saver != nil && e.h != nil && db.unsaved(e.h) {
		db.saveEntry(e)
	}
}

// EndWatch ends the watching by w of the value of root r. If it is an orphan, it is freed.
func (s *Shard) EndWatch(r types.Root, w types.Watcher, orphan bool) {
	s.space.Unwatch(r, w)
	if orphan {
		s.freeRoot(r)
	}
}

// Walk goes through a shard's entries at a cut.
type Walk struct {
	shard  *Shard
	origin int
	cursor uint32
	begun  bool
}

// NewWalk begins a walk. It takes any number of steps, with the shard locked in each.
func NewWalk(s *Shard) Walk { return Walk{shard: s} }

// Shard returns where w walks.
func (w *Walk) Shard() *Shard { return w.shard }

// group saves the entries of one group of buckets and returns the cursor of the next.
func (w *Walk) group(db *DB) (next uint32) {
	var room [64]alloc.Ref
	var addrs [64]uintptr
	refs := room[:0]
	next = db.table.Scan(w.cursor, func(ref alloc.Ref) { refs = append(refs, ref) })
	for i, ref := range refs[:min(len(refs), len(addrs))] {
		addrs[i] = db.shard.arena.Addr(ref)
	}
	alloc.Prefetch(addrs[:min(len(refs), len(addrs))])
	for _, ref := range refs {
		if e := db.entryAt(ref); db.unsaved(e.h) {
			db.saveEntry(e)
		}
	}
	return next
}

// Step saves entries until stop, which is asked every few entries, reports true, and at least some. It reports whether
// all have been met.
func (w *Walk) Step(stop func() bool) (done bool) {
	s := w.shard
	for ; w.origin < len(s.dbs); w.origin++ {
		db := s.From(w.origin)
		if db == nil || db.Len() == 0 {
			w.cursor, w.begun = 0, false
			continue
		}
		for !w.begun || w.cursor != 0 {
			w.begun = true
			w.cursor = w.group(db)
			if stop() {
				return false
			}
		}
		w.begun = false
	}
	return true
}
