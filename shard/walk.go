package shard

import (
	"encoding/binary"
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/wheel"
)

func le32(b []byte) uint32       { return binary.LittleEndian.Uint32(b) }
func putLE32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
func trailing(m uint32) int      { return bits.TrailingZeros32(m) }

// entryAt returns a view of the entry at ref for reading; it has no slot.
func (db *DB) entryAt(ref alloc.Ref) Entry {
	return Entry{h: alloc.At[header](db.shard.arena, ref), ref: ref}
}

// Expired tells whether e's time has come, though nobody has deleted it yet.
func (db *DB) Expired(e Entry) bool {
	return e.h.flags&flagExpire != 0 && db.ExpireMS(e) <= db.shard.dueMS
}

// Scan visits the entries of one group of buckets, expired ones included, and returns the cursor of the
// next group; it starts and ends with 0. See dict.Table.Scan for what a whole scan guarantees.
// visit must not change the database.
func (db *DB) Scan(cursor uint32, visit func(e Entry)) uint32 {
	return db.table.Scan(cursor, func(ref alloc.Ref) { visit(db.entryAt(ref)) })
}

// Hold is a promise that a DB's table does not shrink, so that a scan meets no entry twice.
type Hold struct{ db *DB }

// Hold begins one. The shard is locked, here and for End.
func (db *DB) Hold() Hold {
	db.holds++
	db.freeze()
	return Hold{db}
}

// End ends it.
func (h Hold) End() {
	h.db.holds--
	h.db.shard.work.Store(true)
	h.db.freeze()
}

// freeze keeps the table from shrinking as long as anybody needs that.
func (db *DB) freeze() {
	db.table.Freeze(db.holds > 0 || db.expires.rebuilt != nil || db.order.walking)
}

// Random returns the key of a random entry, expired or not, or nil if there is none.
func (db *DB) Random() []byte {
	ref := db.table.Random(db.shard.space.Rand)
	if ref == 0 {
		return nil
	}
	return db.Key(db.entryAt(ref))
}

// Peek returns the address of k's bucket for prefetching, without the lock.
func (k *Key) Peek() uintptr { return k.DB.table.Peek(k.Hash) }

// PeekEntries appends the addresses of the entries that may be k's to dst, without the lock; bucket is Peek's result.
func (k *Key) PeekEntries(bucket uintptr, dst []uintptr) []uintptr {
	return k.DB.table.PeekRefs(bucket, k.Hash, dst)
}

// PeekEntry is PeekEntries for the entry that most likely is k's.
func (k *Key) PeekEntry(bucket uintptr, dst []uintptr) []uintptr {
	return k.DB.table.PeekRef(bucket, k.Hash, dst)
}

// Move takes the entry of from to the key to, which may be in another database or shard; what to held is
// lost. Value, encoding, expiry and access clock go with it. It reports false, with nothing changed, if
// there is no memory.
func (ks *Keyspace) Move(from, to *Key) bool {
	src := from.DB.find(from)
	clock := src.h.clock
	if src.h.outside() && from.DB.shard == to.DB.shard {
		if !handOver(from, src, to) {
			return false
		}
	} else {
		if !ks.Copy(from, to) {
			return false
		}
		from.DB.remove(from, from.DB.find(from))
	}
	to.DB.takeClock(to.DB.find(to), clock)
	return true
}

// handOver gives to the value of src, which is outside of src's block, and removes src, which is from's. The keys share a
// shard.
func handOver(from *Key, src Entry, to *Key) bool {
	from.DB.keep(src)
	block, l := from.DB.block(src)
	var payload [payloadBytes]byte
	copy(payload[:], l.valueIn(block))
	form, kind := src.h.flags&(flagBlock|flagLarge), src.h.kind
	e, v, ok := to.DB.overwrite(to, to.DB.Find(to), form, payloadBytes, SetMode{ExpireMS: from.DB.ExpireMS(src)})
	if !ok {
		return false
	}
	e.h.kind = kind
	copy(v, payload[:])
	to.DB.noteFields(e, 0)
	if types.Type(kind&15) != types.String {
		to.DB.NoteReady(to)
		from.DB.noteLost(from)
	}
	src = from.DB.find(from) // the table may have been resized
	from.DB.table.Remove(from.Hash, src.b, src.slot)
	from.DB.noteWork(src.h.flags&flagExpire != 0)
	to.DB.Modified(to)
	from.DB.Modified(from)
	from.DB.freeBlock(src.ref, src.h)
	return true
}

// Copy gives the key to a copy of from's value, encoding and expiry; what to held is lost. It reports
// false, with nothing changed, if there is no memory.
func (ks *Keyspace) Copy(from, to *Key) bool {
	src := from.DB.find(from)
	m := SetMode{ExpireMS: from.DB.ExpireMS(src)}
	var scratch [20]byte
	var ok bool
	switch n, isInt := from.DB.Integer(src); {
	case isInt:
		ok = to.DB.SetInteger(to, n, m)
	case src.Type() != types.String:
		ok = copyValue(from, src, to, m)
	case src.h.flags&flagLarge != 0:
		p, _ := from.DB.Pin(src)
		ok = to.DB.setLarge(to, to.DB.Find(to), p.l, m)
	default:
		ok = to.DB.setBytes(to, from.DB.Bytes(src, scratch[:]), src.Encoding(), m)
	}
	if ok {
		to.DB.renewClock(to.DB.find(to))
	}
	return ok
}

// CopyAs is Copy for a caller that has made the copy: r, in the shard of to. If it reports false, r is the caller's.
func (ks *Keyspace) CopyAs(from, to *Key, r types.Root) bool {
	if !to.DB.Add(to, r, SetMode{ExpireMS: from.DB.ExpireMS(from.DB.find(from))}) {
		return false
	}
	to.DB.renewClock(to.DB.find(to))
	return true
}

// MoveAs is Move for a caller that has made a copy: r, in the shard of to. If it reports false, r is the caller's.
func (ks *Keyspace) MoveAs(from, to *Key, r types.Root) bool {
	clock := from.DB.find(from).h.clock
	if !ks.CopyAs(from, to, r) {
		return false
	}
	from.DB.remove(from, from.DB.find(from))
	to.DB.takeClock(to.DB.find(to), clock)
	return true
}

// Flush empties db. It takes constant time; the memory is given back in steps and counts as used until then: by
// [Keyspace.ReleaseStep] if the shard has no other keys, else by Tick.
func (db *DB) Flush() {
	s := db.shard
	if s.saver != nil && (db.Len() > 0 || s.space.Watched()) {
		s.saver.Flushed(false)
	}
	db.noteFlushed()
	s.stats.FreedLater += int64(db.table.Len())
	if s.observed != 0 {
		db.flushing()
		s.flushed(db.id)
	}
	if db.table.Len() == 0 && db.expires.wheel == nil {
		return
	}
	if s.onlyIn(db) {
		s.drop()
		return
	}
	old := &DB{shard: s, id: db.id}
	old.table.Init(s.arena)
	old.table.Swap(&db.table)
	old.expires, db.expires = db.expires, expiry{}
	old.order, db.order = db.order, order{}
	db.freeze()
	s.garbage = append(s.garbage, old)
	s.noteFreeing()
	s.work.Store(true)
}

// FlushAll empties every database of the shard, in constant time like Flush.
func (s *Shard) FlushAll() {
	if s.saver != nil {
		s.saver.Flushed(true)
	}
	for _, db := range s.dbs {
		db.noteFlushed()
		db.flushing()
		s.stats.FreedLater += int64(db.table.Len())
	}
	s.flushed(-1)
	if s.arena.Stats().Allocated > 0 {
		s.drop()
	}
}

// onlyIn tells whether no database but db has keys.
func (s *Shard) onlyIn(db *DB) bool {
	for _, other := range s.dbs {
		if other != db && other.table.Len() > 0 {
			return false
		}
	}
	return true
}

// drop empties the shard by detaching its arena as a whole.
func (s *Shard) drop() {
	for _, db := range s.dbs {
		db.table.Forget()
		db.expires = expiry{}
		db.order = order{}
		db.freeze()
	}
	s.memory = memory{}
	s.garbage, s.dying = nil, nil
	s.space.LoseAll()
	s.noteFreeing()
	s.ks.retired.takeShard(s.arena.Detach(), s.large)
	s.large, s.freeLarge = nil, nil
	s.fieldTTL = false
	s.nextDue.Store(never)
}

// SwapDB exchanges the contents of databases i and j. Every shard is locked.
func (ks *Keyspace) SwapDB(i, j int) {
	for _, s := range ks.shards {
		a, b := s.dbs[i], s.dbs[j]
		if i != j {
			swapping(a, b)
		}
		a.table.Swap(&b.table)
		a.origin, b.origin = b.origin, a.origin
		a.expires, b.expires = b.expires, a.expires
		a.order, b.order = b.order, a.order
		a.freeze()
		b.freeze()
		a.noteSwapped()
		b.noteSwapped()
	}
}

// Pending returns the number of entries that a flush has detached, and of large values, that Tick has not freed yet.
func (s *Shard) Pending() int {
	n := len(s.dying)
	for _, db := range s.garbage {
		n += db.table.Len()
	}
	return n
}

// Tick does bounded housekeeping: it frees large values and flushed databases and finishes resizes, at most limit buckets. The
// shard is locked. It returns whether work remains.
func (s *Shard) Tick(limit int) bool {
	if len(s.dying) > 0 {
		s.freeDying(limit * dict.Slots)
		return true
	}
	if n := len(s.garbage); n > 0 {
		if s.clear(s.garbage[n-1], limit) {
			s.garbage[n-1] = nil
			s.garbage = s.garbage[:n-1]
			s.noteFreeing()
		}
		return true
	}
	s.work.Store(false)
	more := s.RebuildStep(limit)
	more = s.orderStep(limit) || more
	for _, db := range s.dbs {
		more = db.table.Step(limit, db) || more
	}
	if more {
		s.work.Store(true)
	}
	return more
}

// NeedsTick tells, without the lock, whether Tick may have something to do.
func (s *Shard) NeedsTick() bool { return s.work.Load() }

// Idle tells whether Tick has nothing to do.
func (s *Shard) Idle() bool {
	if len(s.garbage) > 0 || len(s.dying) > 0 {
		return false
	}
	for _, db := range s.dbs {
		if db.table.Resizing() || db.expires.rebuilt != nil || db.rebuildDue() || db.orderDue() {
			return false
		}
	}
	return true
}

// clear frees limit buckets of a flushed database and returns whether it is empty.
func (s *Shard) clear(db *DB, limit int) bool {
	done := db.table.Clear(limit, func(ref alloc.Ref) {
		db.free(ref, alloc.At[header](s.arena, ref))
	})
	for _, w := range []**wheel.Wheel{&db.expires.wheel, &db.expires.rebuilt} {
		if *w != nil && (*w).Clear(limit) {
			*w = nil
		}
	}
	return db.order.clear(s.arena, limit) && done && db.expires.wheel == nil && db.expires.rebuilt == nil
}
