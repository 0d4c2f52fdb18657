package shard

// A snapshot is what the keyspace holds at one moment, the cut, for which all shards are locked. It is not copied then: each entry
// has a bit of parity, each shard a present parity, and the cut flips the latter. An entry whose parity is another has not been saved
// since; new entries get the present one. Whoever walks the tables ([Walk]) saves entries one by one and sets their parity, and whoever is
// about to change a key that has not been saved ([Key.BeforeWrite]) first has its old state saved. So every entry is saved once,
// as it was at the cut. While no snapshot is being taken this costs a branch.

// SaveMode says in what situation an entry is to be saved.
type SaveMode uint8

const (
	SaveWalking SaveMode = iota // its turn has come
	SaveFirst                   // somebody is about to change it, and can wait
	SaveNow                     // it is about to be changed
)

// Saver takes the entries of a snapshot. Its functions are called under the shard's lock.
type Saver interface {
	// Save takes the state of e, an entry of db, and reports true. Or it reports false if e is too large to be taken at once, and the
	// mode is not SaveNow: it will be taken in steps; if the mode is SaveFirst the key is on lease from now on.
	Save(db *DB, e Entry, m SaveMode) bool
	// Flushed tells that a database, or all if all is true, is being emptied: not all of the snapshot can be had any more. All shards are locked.
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

// Unsaved tells whether k, in a shard of which a snapshot is being taken, exists and has not been saved.
func (k *Key) Unsaved() (e Entry, is bool) {
	db := k.DB
	if db.shard.saver == nil {
		return Entry{}, false
	}
	e = db.find(k)
	return e, e.h != nil && db.unsaved(e.h)
}

// Saved notes that e, which was saved in steps, is.
func (db *DB) Saved(e Entry) { db.saved(e.h) }

// BeforeWrite is called by whoever may change k. It has the state that k had at the cut saved. It reports false if that takes some
// time: then k is on lease, and the caller is to wait until that ends. Every function of DB that replaces or deletes a whole value does the same,
// without waiting.
func (k *Key) BeforeWrite() (ready bool) {
	return k.DB.shard.saver == nil || k.save(SaveFirst)
}

// SaveNow is BeforeWrite for a caller that cannot wait, however large the value is.
func (k *Key) SaveNow() {
	if k.DB.shard.saver != nil {
		k.save(SaveNow)
	}
}

func (k *Key) save(m SaveMode) bool {
	e, is := k.Unsaved()
	return !is || k.DB.saveEntry(e, m)
}

func (db *DB) saveEntry(e Entry, m SaveMode) bool {
	if !db.shard.saver.Save(db, e, m) {
		return false
	}
	db.saved(e.h)
	return true
}

// keep has e's old state saved, as it is about to go.
func (db *DB) keep(e Entry) {
	if db.shard.saver != nil && e.h != nil && db.unsaved(e.h) {
		db.saveEntry(e, SaveNow)
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

// Step saves entries until stop, which is asked every few entries, reports true, and at least some. It reports whether all have been met.
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
			w.cursor = db.Scan(w.cursor, func(e Entry) {
				if db.unsaved(e.h) {
					db.saveEntry(e, SaveWalking)
				}
			})
			if stop() {
				return false
			}
		}
		w.begun = false
	}
	return true
}
