package shard

import (
	"encoding/binary"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/wheel"
)

// Lag is how late keys were deleted, in ms after their expiry: a histogram of powers of two.
type Lag [24]int64

func (l *Lag) add(ms int64) {
	i := 0
	for ; ms > 0 && i < len(l)-1; i++ {
		ms >>= 1
	}
	l[i]++
}

// SetExpire gives e, found under k, the expiry time ms (unix ms), or none if ms is 0. It returns e's new place;
// ok is false if there is no memory.
func (db *DB) SetExpire(k *Key, e Entry, ms int64) (_ Entry, ok bool) {
	wasMS := db.ExpireMS(e)
	if wasMS == 0 && ms == 0 {
		return e, true
	}
	db.keep(e)
	if (wasMS == 0) != (ms == 0) {
		if e, ok = db.reshape(e, ms != 0); !ok {
			return e, false
		}
	}
	db.settle(k, e, wasMS, SetMode{ExpireMS: ms})
	db.Modified(k)
	return e, true
}

// reshape moves e to a block with or without room for an expiry time.
func (db *DB) reshape(e Entry, expire bool) (Entry, bool) {
	block, was := db.block(e)
	l := was
	l.flags ^= flagExpire
	a := db.shard.arena
	ref := a.Alloc(l.size())
	if ref == 0 {
		return e, false
	}
	fresh := a.Bytes(ref, l.size())
	copy(fresh[:headerBytes], block[:headerBytes])
	from, to := headerBytes, headerBytes
	if expire {
		clear(fresh[headerBytes : headerBytes+8])
		to += 8
	} else {
		from += 8
	}
	copy(fresh[to:], block[from:])
	h := alloc.At[header](a, ref)
	h.flags ^= flagExpire
	a.Free(e.ref, was.size())
	e.b.SetRef(e.slot, ref)
	e.ref, e.h = ref, h
	return e, true
}

// settle writes e's expiry time, which was wasMS (0: none), after its block has got its new form.
func (db *DB) settle(k *Key, e Entry, wasMS int64, m SetMode) {
	ms := m.ExpireMS
	if m.Keep {
		ms = wasMS
	}
	if ms != 0 {
		binary.LittleEndian.PutUint64(db.shard.arena.Bytes(e.ref, headerBytes+8)[headerBytes:], uint64(ms))
	}
	if wasMS == ms {
		return
	}
	x := &db.expires
	x.sumMS += ms - wasMS
	switch {
	case ms == 0:
		x.keys--
		return
	case wasMS == 0:
		x.keys++
	case wasMS < ms:
		return // the record of the earlier time will find the later one
	}
	db.index(k.Hash, ms)
}

// index records in the wheel that a key of hash h expires at ms.
func (db *DB) index(h uint64, ms int64) {
	x := &db.expires
	if x.wheel == nil {
		x.wheel = new(wheel.Wheel)
		x.wheel.Init(db.shard.arena, db.shard.nowMS)
	}
	w := x.wheel
	if x.rebuilt != nil {
		w = x.rebuilt
	}
	// Without memory the key is still deleted by whoever meets it.
	if back, ok := w.Add(ms, uint32(h)); ok && back < db.shard.nextDue.Load() {
		db.shard.nextDue.Store(back)
	}
}

// expire deletes e, whose time has come.
func (db *DB) expire(k *Key, e Entry) {
	s := db.shard
	s.stats.Expired++
	s.stats.ExpireLag.add(s.nowMS - db.ExpireMS(e))
	if l := s.listener(); l != nil {
		l.Expired(db.id, k.Name)
	}
	db.saved(e.h) // a snapshot does without it
	db.remove(k, e)
}

// Due tells, without the lock, whether Expire would find something to do at nowMS.
func (s *Shard) Due(nowMS int64) bool { return s.nextDue.Load() <= nowMS }

// NextDue returns the unix time in ms at which Expire will have something to do; it needs no lock.
func (s *Shard) NextDue() int64 { return s.nextDue.Load() }

// Expire deletes keys whose time has come, looking at no more than limit records of the expiry index. It returns
// whether more may be due. The shard is locked, with the present time.
func (s *Shard) Expire(limit int) bool {
	if s.keeps || s.ks.HoldsExpired(s.nowMS) {
		return false
	}
	s.left = false // nobody is between finding out that a key is gone and creating it
	next := int64(never)
	more := false
	for _, db := range s.dbs {
		x := &db.expires
		if x.wheel == nil {
			continue
		}
		limit -= db.finishFields(limit)
		limit -= db.advance(x.wheel, limit)
		if x.rebuilt != nil && limit > 0 {
			limit -= db.advance(x.rebuilt, limit)
			next = min(next, x.rebuilt.NextMS())
		}
		next = min(next, x.wheel.NextMS())
		more = more || len(x.unfinished) > 0
		if limit <= 0 {
			more = true
			break
		}
	}
	if more {
		next = s.nowMS
	}
	s.nextDue.Store(next)
	return more
}

// dueBatch is records that are handled together, so that their cache misses overlap.
type dueBatch struct {
	records [16]uint32
	n       int
}

// advance handles the records of w that are due, at most limit of them, and returns how many there were.
func (db *DB) advance(w *wheel.Wheel, limit int) (done int) {
	var b dueBatch
	add := func(rec uint32) {
		b.records[b.n] = rec
		b.n++
	}
	for done < limit {
		b.n = 0
		most := min(limit-done, len(b.records))
		w.Advance(db.shard.nowMS, most, add)
		b.prefetch(&db.table)
		for _, rec := range b.records[:b.n] {
			db.due(rec)
		}
		done += b.n
		if b.n < most {
			break
		}
	}
	return done
}

// prefetch asks for the buckets, then for the entries that may be the records'.
func (b *dueBatch) prefetch(t *dict.Index) {
	if b.n < 2 {
		return
	}
	var buckets [len(b.records)]uintptr
	for i, rec := range b.records[:b.n] {
		buckets[i] = t.Peek(uint64(rec))
	}
	alloc.Prefetch(buckets[:b.n])
	var entries [96]uintptr
	list := entries[:0]
	for i := 0; i < b.n && len(list)+2*dict.Slots <= len(entries); i++ {
		list = t.PeekRefs(buckets[i], uint64(b.records[i]), list)
	}
	alloc.Prefetch(list)
}

// due handles a record that has come back: it deletes the keys with this hash whose time has come, and records
// them again if there are some with a later time. A record without a key is stale.
func (db *DB) due(rec uint32) {
	laterMS := int64(never)
	found := false
	for {
		k, e, ms := db.dueEntry(rec)
		if e.h != nil {
			found = true
			if db.Expired(e) {
				db.expire(&k, e)
				continue
			}
			if !db.expireFields(&k, e) {
				continue
			}
			db.expires.unfinished = append(db.expires.unfinished, rec)
			return
		}
		laterMS = ms
		break
	}
	if laterMS != never {
		db.index(uint64(rec), laterMS)
	} else if !found {
		db.shard.stats.ExpiredStale++
	}
}

// leaseRetryMS is when an expired key that is leased is looked at again.
const leaseRetryMS = 8

// dueEntry returns a key whose time has come and the low 32 bits of whose hash are rec; two of a shard's keys may
// share them. If there is none, it returns the earliest time at which such a key expires.
func (db *DB) dueEntry(rec uint32) (k Key, e Entry, laterMS int64) {
	h := uint64(rec)
	fp := dict.Fingerprint(h)
	a := db.shard.arena
	laterMS = never
	for b := db.table.Find(h); b != nil; b = db.table.Next(b) {
		for m := b.Match(fp); m != 0; m &= m - 1 {
			slot := trailing(m)
			ref := b.Ref(slot)
			hd := alloc.At[header](a, ref)
			if hd.flags&flagExpire == 0 && !hd.timedFields() {
				continue
			}
			name := entryKey(a, ref, hd)
			full := db.shard.ks.Hash(name)
			if uint32(full) != rec {
				continue
			}
			ms := db.dueMS(Entry{h: hd, ref: ref})
			if ms <= db.shard.nowMS && db.shard.leases[string(name)] != nil {
				ms = db.shard.nowMS + leaseRetryMS
			}
			if ms <= db.shard.nowMS {
				return Key{Name: name, Hash: full, DB: db}, Entry{h: hd, b: b, ref: ref, slot: slot}, 0
			}
			laterMS = min(laterMS, ms)
		}
	}
	return Key{}, Entry{}, laterMS
}

// rebuildDue tells whether stale records outnumber the live ones so far that the index is worth rebuilding.
func (db *DB) rebuildDue() bool {
	x := &db.expires
	return x.wheel != nil && x.rebuilt == nil && x.wheel.Len() > 2*(x.keys+x.hashes)+1024
}

// RebuildStep does at most limit buckets' worth of rebuilding the expiry indexes. It returns whether work remains.
func (s *Shard) RebuildStep(limit int) bool {
	for _, db := range s.dbs {
		if db.rebuildDue() {
			db.expires.rebuilt = new(wheel.Wheel)
			db.expires.rebuilt.Init(s.arena, s.nowMS)
			db.expires.walk, db.expires.hashesMet = 0, 0
			db.freeze()
		}
		if db.expires.rebuilt != nil {
			db.rebuild(limit)
			return true
		}
	}
	return false
}

// rebuildAhead is how many buckets' entries are asked for at once.
const rebuildAhead = 4

// prefetchBuckets asks for the entries of n buckets from the first on, rebuildAhead at most.
func (db *DB) prefetchBuckets(first uint32, n int) {
	var entries [rebuildAhead * 2 * dict.Slots]uintptr
	ahead := entries[:0]
	for i := range uint32(n) {
		db.table.Visit(first+i, func(ref alloc.Ref) {
			if len(ahead) < len(entries) {
				ahead = append(ahead, db.shard.arena.Addr(ref))
			}
		})
	}
	alloc.Prefetch(ahead)
}

// rebuildSome puts the entries of the next n buckets into the new index.
func (db *DB) rebuildSome(n int) {
	x := &db.expires
	db.prefetchBuckets(x.walk, n)
	for i := range uint32(n) {
		db.table.Visit(x.walk+i, func(ref alloc.Ref) {
			e := db.entryAt(ref)
			if ms := db.dueMS(e); ms != never {
				x.rebuilt.Add(ms, uint32(db.HashOf(ref)))
			}
			if e.h.timedFields() {
				x.hashesMet++
			}
		})
	}
}

func (db *DB) rebuild(limit int) {
	x := &db.expires
	for limit > 0 && int(x.walk) < db.table.Buckets() {
		n := min(limit, rebuildAhead, db.table.Buckets()-int(x.walk))
		db.rebuildSome(n)
		x.walk += uint32(n)
		limit -= n
	}
	if int(x.walk) >= db.table.Buckets() && x.wheel.Clear(16*max(limit, 1)) {
		x.wheel, x.rebuilt = x.rebuilt, nil
		x.hashes = x.hashesMet
		db.freeze()
	}
}
