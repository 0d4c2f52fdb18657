package shard

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
)

// A hash some of whose fields have a time to live is in the expiry index of its database at the time at which the first of
// them expires, or earlier, under the hash of its key as keys that expire are.

// fieldsPerRecord is how many fields of a hash are removed in one step: some 10 µs.
const fieldsPerRecord = 16

// timedFields tells whether the value is a hash that may have fields with a time to live.
func (h *header) timedFields() bool {
	return h.kind == uint8(types.Hash)|uint8(types.ListpackEx)<<4 || h.kind == uint8(types.Hash)|uint8(types.HashtableEx)<<4
}

// fieldsMS returns a unix time in ms before which no field of e expires, or 0 if none does.
func (db *DB) fieldsMS(e Entry) int64 {
	if !e.h.timedFields() {
		return 0
	}
	r := db.Root(e)
	return hash.NextMS(&r)
}

// noteFields puts e, whose first field expired at wasMS, into the expiry index if now one does earlier.
func (db *DB) noteFields(e Entry, wasMS int64) {
	ms := db.fieldsMS(e)
	if ms == 0 {
		return
	}
	db.shard.fieldTTL = true
	if wasMS == 0 || ms < wasMS {
		db.index(db.HashOf(e.ref), ms)
	}
}

// dueMS returns the first time at which something of e expires: the key or a field; never if nothing does.
func (db *DB) dueMS(e Entry) int64 {
	ms := int64(never)
	if e.h.flags&flagExpire != 0 {
		ms = db.ExpireMS(e)
	}
	if fields := db.fieldsMS(e); fields != 0 {
		ms = min(ms, fields)
	}
	return ms
}

// expireFields removes fields of e whose time has come, up to fieldsPerRecord of them, and k with the last of all. It returns
// whether there are more.
func (db *DB) expireFields(k *Key, e Entry) (more bool) {
	s := db.shard
	v := hash.Open(s.space, db.Root(e))
	v.NowMS = s.dueMS
	n, l := 0, s.listener()
	more, err := v.Expire(fieldsPerRecord, func(field []byte) {
		n++
		if l != nil {
			l.FieldExpired(db.id, k.Name, field)
		}
	})
	s.stats.ExpiredFields += int64(n)
	gone := v.Size() == 0
	db.KeepRoot(e, v.Root())
	if n > 0 && !gone {
		db.Modified(k)
	}
	if n > 0 && l != nil {
		l.FieldsExpired(db.id, k.Name, gone)
	}
	if gone {
		db.saved(e.h)
		db.remove(k, e)
	}
	if err != nil {
		db.index(k.Hash, s.nowMS+noMemoryRetryMS)
		return false
	}
	return more
}

// noMemoryRetryMS is when to try again to shrink a listpack for which there was no memory.
const noMemoryRetryMS = 1000

// finishFields goes on with hashes that have more fields due, for about limit fields, and returns how many that were.
func (db *DB) finishFields(limit int) (done int) {
	x := &db.expires
	for done < limit && len(x.unfinished) > 0 {
		last := len(x.unfinished) - 1
		rec := x.unfinished[last]
		x.unfinished = x.unfinished[:last]
		db.due(rec)
		done += fieldsPerRecord
	}
	return done
}
