package shard

import (
	"encoding/binary"
	"math"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/wheel"
)

const never = math.MaxInt64

// DB is one shard's part of a database.
type DB struct {
	shard   *Shard
	id      int
	origin  int // see Origin
	table   dict.Index
	expires expiry
	holds   int // scans that the table must not shrink under
	watched map[string]*watchList
	order   order // of the keys, for some eviction policies
}

// expiry is the index of the keys of a DB that have a time to live.
type expiry struct {
	keys    int   // entries with an expiry
	sumMS   int64 // of their expiry times modulo 2^63, for the average TTL
	wheel   *wheel.Wheel
	rebuilt *wheel.Wheel // takes over from wheel when walk has met every bucket
	walk    uint32

	unfinished        []uint32 // records of hashes that have more fields due than were removed in one step
	hashes, hashesMet int      // hashes with fields that expire, when the wheel was last rebuilt, and met by walk
}

// ID returns the database's number.
func (db *DB) ID() int { return db.id }

// Shard returns the shard that db is part of.
func (db *DB) Shard() *Shard { return db.shard }

// Len returns the number of keys, expired ones that nobody has met included.
func (db *DB) Len() int { return db.table.Len() }

// Expires returns the number of keys with a time to live and the sum of these times in ms.
func (db *DB) Expires() (keys int, ttlSumMS int64) {
	return db.expires.keys, db.expires.sumMS - int64(db.expires.keys)*db.shard.nowMS
}

// HashOf returns the hash of the key of the entry at ref; it makes *DB a dict.Hasher.
func (db *DB) HashOf(ref alloc.Ref) uint64 {
	a := db.shard.arena
	return db.shard.ks.Hash(entryKey(a, ref, alloc.At[header](a, ref)))
}

// find returns the entry of k, expired or not.
func (db *DB) find(k *Key) Entry {
	fp := dict.Fingerprint(k.Hash)
	a := db.shard.arena
	for b := db.table.Find(k.Hash); b != nil; b = db.table.Next(b) {
		for m := b.Hits(fp); m != 0; m &= m - 1 {
			slot := dict.Slot(m)
			ref := b.Ref(slot)
			h := alloc.At[header](a, ref)
			same := int(h.klen) == len(k.Name) && equal(alloc.Behind(a, ref, h, keyOffset(h), int(h.klen)), k.Name)
			if h.flags&flagLongKey != 0 {
				same = string(entryKey(a, ref, h)) == string(k.Name)
			}
			if same {
				return Entry{h: h, b: b, ref: ref, slot: slot}
			}
		}
	}
	return Entry{}
}

// keyOffset returns where the key of an entry without flagLongKey begins.
func keyOffset(h *header) int { return headerBytes + int(h.flags&flagExpire)*expireBytes }

// equal compares two strings of the same length, of 8 to 16 bytes without a call.
func equal(a, b []byte) bool {
	if n := len(a); n-8 <= 8 && n == len(b) && n >= 8 {
		return binary.LittleEndian.Uint64(a) == binary.LittleEndian.Uint64(b) &&
			binary.LittleEndian.Uint64(a[n-8:]) == binary.LittleEndian.Uint64(b[n-8:])
	}
	return string(a) == string(b)
}

// Find returns the entry of k without touching its access clock or the hit counters. A key that
// has expired is deleted, unless it has to stay, and not found.
func (db *DB) Find(k *Key) Entry {
	e := db.find(k)
	if e.h != nil && e.h.flags&flagExpire != 0 {
		return db.unlessExpired(k, e)
	}
	return e
}

// FindAny returns the entry of k even if it has expired and is yet to be deleted.
func (db *DB) FindAny(k *Key) Entry { return db.find(k) }

// unlessExpired returns e, which has an expiry time, unless that has come: then it deletes e, or leaves it for later.
func (db *DB) unlessExpired(k *Key, e Entry) Entry {
	s := db.shard
	switch {
	case db.ExpireMS(e) > s.dueMS:
		return e
	case k.Leased(true):
	case s.ks.HoldsExpired(s.nowMS):
		s.left = true
	default:
		db.expire(k, e)
	}
	return Entry{}
}

// dropLeft deletes the entry of k, which is about to come into being, if it is one that has expired and was left.
func (db *DB) dropLeft(k *Key) {
	if e := db.find(k); e.h != nil {
		db.expire(k, e)
	}
}

// Lookup is Find for a command that reads: it counts a hit or a miss and touches the access clock.
func (db *DB) Lookup(k *Key) Entry {
	e := db.find(k)
	if e.h != nil && e.h.flags&flagExpire != 0 {
		e = db.unlessExpired(k, e)
	}
	if e.h == nil {
		db.shard.stats.Misses++
		return e
	}
	db.shard.stats.Hits++
	db.touch(k, e)
	return e
}

// LookupQuiet is Lookup without a touch of the access clock.
func (db *DB) LookupQuiet(k *Key) Entry {
	e := db.Find(k)
	if e.h == nil {
		db.shard.stats.Misses++
	} else {
		db.shard.stats.Hits++
	}
	return e
}

// LookupWrite is Find for a command that changes the value: it touches the access clock.
func (db *DB) LookupWrite(k *Key) Entry {
	e := db.find(k)
	if e.h != nil && e.h.flags&flagExpire != 0 {
		e = db.unlessExpired(k, e)
	}
	if e.h != nil {
		db.touch(k, e)
	}
	return e
}

// Key returns the name of e.
func (db *DB) Key(e Entry) []byte { return entryKey(db.shard.arena, e.ref, e.h) }

// ExpireMS returns the time (unix ms) at which e expires, or 0.
func (db *DB) ExpireMS(e Entry) int64 { return entryExpire(db.shard.arena, e.ref, e.h) }

// block returns the whole block of e.
func (db *DB) block(e Entry) ([]byte, layout) {
	l := layoutOf(db.shard.arena, e.ref, e.h)
	return db.shard.arena.Bytes(e.ref, l.size()), l
}

// Delete removes k and frees its value (a large one in steps, by Shard.Tick). It returns whether k existed.
func (db *DB) Delete(k *Key) bool {
	e := db.Find(k)
	if e.h == nil {
		return false
	}
	db.remove(k, e)
	return true
}

// remove deletes an entry that was found under k.
func (db *DB) remove(k *Key, e Entry) {
	db.keep(e)
	if db.shard.waiting.places > 0 && e.Type() == types.Stream {
		db.noteLost(k)
	}
	db.table.Remove(k.Hash, e.b, e.slot)
	db.noteWork(e.h.flags&flagExpire != 0)
	db.Modified(k)
	db.free(e.ref, e.h)
}

// free gives back an entry that is no longer in the table.
func (db *DB) free(ref alloc.Ref, h *header) {
	if e := (Entry{h: h, ref: ref}); h.outside() {
		db.freeValue(h.flags, h.kind, db.value(e, payloadBytes))
	}
	db.freeBlock(ref, h)
}

// freeBlock gives back an entry's block, but not what its value holds outside of it.
func (db *DB) freeBlock(ref alloc.Ref, h *header) {
	a := db.shard.arena
	if h.flags&flagExpire != 0 {
		db.expires.keys--
		db.expires.sumMS -= entryExpire(a, ref, h)
	}
	a.Free(ref, layoutOf(a, ref, h).size())
}

// freeValue gives back what a value of the form that flags and kind say holds outside the entry's block.
func (db *DB) freeValue(flags, kind uint8, value []byte) {
	switch {
	case types.Type(kind&15) != types.String:
		db.shard.freeRoot(types.Root{Type: types.Type(kind & 15), Encoding: types.Encoding(kind >> 4), Data: types.LoadRoot(value)})
	case flags&flagLarge != 0:
		db.shard.releaseLarge(binary.LittleEndian.Uint32(value))
	case flags&flagBlock != 0:
		p := readBlock(value)
		db.shard.arena.Free(p.ref, p.capacity)
	}
}

// place gives k an entry of layout l: the one it has, if its block is of the right size and the new
// layout keeps the key at the same offset, or a new one, with the old one's clock. It returns the block with header
// fields and key written, and the value to be written by the caller; ok is false if there is no memory, and then nothing has
// changed. What the old value held outside its block is the caller's to free, before.
func (db *DB) place(k *Key, old Entry, l layout) (e Entry, value []byte, ok bool) {
	a := db.shard.arena
	size := l.size()
	l.flags |= db.shard.parity
	if old.h != nil {
		was := layoutOf(a, old.ref, old.h)
		const form = flagExpire | flagLongKey
		if was.flags&form == l.flags&form && alloc.UsableSize(was.size()) == alloc.UsableSize(size) {
			resized := was.size() != size
			if resized {
				a.Resize(old.ref, was.size(), size)
			}
			old.h.flags = l.flags
			return old, l.valueIn(a.Bytes(old.ref, size)), true
		}
	}
	ref := a.Alloc(size)
	if ref == 0 {
		return Entry{}, nil, false
	}
	block := a.Bytes(ref, size)
	h := alloc.At[header](a, ref)
	*h = header{flags: l.flags, klen: uint8(min(l.klen, longKey))}
	off := headerBytes
	if l.flags&flagExpire != 0 {
		binary.LittleEndian.PutUint64(block[off:], 0)
		off += 8
	}
	if l.flags&flagLongKey != 0 {
		binary.LittleEndian.PutUint32(block[off:], uint32(l.klen))
		off += 4
	}
	copy(block[off:], k.Name)
	if old.h != nil {
		db.replace(old, ref, h)
		old.ref, old.h = ref, h
		return old, l.valueIn(block), true
	}
	h.setClock(db.shard.newClock())
	if db.shard.left {
		db.dropLeft(k)
	}
	if !db.table.Insert(k.Hash, ref, db) {
		a.Free(ref, size)
		return Entry{}, nil, false
	}
	if db.shard.access >= accessOrder {
		db.admit(k.Hash, h)
	}
	db.noteWork(false)
	return Entry{h: h, ref: ref}, l.valueIn(block), true
}

// replace puts the entry at ref into the slot of old and gives old's block back.
func (db *DB) replace(old Entry, ref alloc.Ref, h *header) {
	a := db.shard.arena
	was := layoutOf(a, old.ref, old.h)
	h.clock = old.h.clock
	if was.flags&h.flags&flagExpire != 0 {
		copy(a.Bytes(ref, 16)[8:], a.Bytes(old.ref, 16)[8:])
	}
	old.b.SetRef(old.slot, ref)
	a.Free(old.ref, was.size())
}

// newLayout returns the layout of an entry for k with a value of n bytes in its block.
func newLayout(k *Key, flags uint8, n int) layout {
	if len(k.Name) >= longKey {
		flags |= flagLongKey
	}
	return layout{flags: flags, klen: len(k.Name), value: n}
}

// noteWork makes Tick look at the shard if a resize is under way, or if the caller left a stale record in the expiry index.
func (db *DB) noteWork(stale bool) {
	if (stale || db.table.Resizing()) && !db.shard.work.Load() {
		db.shard.work.Store(true)
	}
}
