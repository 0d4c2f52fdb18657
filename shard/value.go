package shard

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/stream"
	"github.com/shoaldb/shoal/types/zset"
)

// valueOps is what the keyspace does with the values of a type; see the functions of the same names in the type's package.
type valueOps struct {
	len      func(sp *types.Space, r types.Root) int
	freeStep func(sp *types.Space, r *types.Root, limit int) (done bool)
	copy     func(from *types.Space, r types.Root, to *types.Space) (types.Root, error)
	bytes    func(sp *types.Space, r types.Root, samples int) int
	check    func(sp *types.Space, r types.Root) error
}

var values = [types.Stream + 1]valueOps{
	types.Stream: {stream.Len, stream.FreeStep, stream.Copy, stream.Bytes, stream.Check},
	types.List:   {list.Len, list.FreeStep, list.Copy, list.Bytes, list.Check},
	types.Hash:   {hash.Len, hash.FreeStep, hash.Copy, hash.Bytes, hash.Check},
	types.Set:    {set.Len, set.FreeStep, set.Copy, set.Bytes, set.Check},
	types.ZSet:   {zset.Len, zset.FreeStep, zset.Copy, zset.Bytes, zset.Check},
}

// freeAtOnce is how many elements of a value are freed by whoever deletes it; Tick frees the rest.
const freeAtOnce = 16

// Space returns where db's values live.
func (db *DB) Space() *types.Space { return db.shard.space }

// Root returns the value of e, which is not a string. Whoever changes it stores the new root by SetRoot.
func (db *DB) Root(e Entry) types.Root {
	return types.Root{Type: e.Type(), Encoding: e.Encoding(), Data: types.LoadRoot(db.value(e, payloadBytes))}
}

// Elements returns the number of elements of e, which is not a string.
func (db *DB) Elements(e Entry) int { return values[e.Type()].len(db.shard.space, db.Root(e)) }

// SetRoot keeps r as what the value of e has become. The type is the same.
func (db *DB) SetRoot(e Entry, r types.Root) {
	db.KeepRoot(e, r)
	db.modifiedEntry(e)
}

// KeepRoot is SetRoot for a value that has the same elements as before, though in another form.
func (db *DB) KeepRoot(e Entry, r types.Root) {
	wasMS := db.fieldsMS(e)
	if db.shard.space.Watched() {
		db.shard.space.Rewatch(db.Root(e), r)
	}
	e.h.kind = kindOf(r)
	r.Data.Store(db.value(e, payloadBytes))
	db.noteFields(e, wasMS)
}

func kindOf(r types.Root) uint8 { return uint8(r.Type) | uint8(r.Encoding)<<4 }

// Add sets k to the value r, whatever it held. It reports false, with nothing changed, if there is no memory; r is the
// caller's then.
func (db *DB) Add(k *Key, r types.Root, m SetMode) bool {
	e, v, ok := db.overwrite(k, db.Find(k), 0, payloadBytes, m)
	if !ok {
		return false
	}
	e.h.kind = kindOf(r)
	r.Data.Store(v)
	db.noteFields(e, 0)
	db.NoteReady(k)
	db.Modified(k)
	return true
}

// FreeRoot gives back a value that no key has: a small one at once, the rest of a large one by Tick.
func (db *DB) FreeRoot(r types.Root) { db.shard.freeRoot(r) }

func (s *Shard) freeRoot(r types.Root) {
	if w := s.space.Watcher(&r); w != nil {
		w.Orphan()
		return
	}
	if !values[r.Type].freeStep(s.space, &r, freeAtOnce) {
		s.dying = append(s.dying, r)
		s.stats.FreedLater++
		s.noteFreeing()
		s.work.Store(true)
	}
}

// freeDying frees at most about limit elements of deleted values.
func (s *Shard) freeDying(limit int) {
	last := len(s.dying) - 1
	if r := &s.dying[last]; values[r.Type].freeStep(s.space, r, limit) {
		s.dying = s.dying[:last]
	}
	if len(s.dying) == 0 {
		s.dying = nil
		s.noteFreeing()
	}
}

// copyValue gives the key to a copy of the value of e, an entry of from that is not a string.
func copyValue(from *Key, e Entry, to *Key, m SetMode) bool {
	r, err := values[e.Type()].copy(from.DB.shard.space, from.DB.Root(e), to.DB.shard.space)
	if err != nil {
		return false
	}
	if !to.DB.Add(to, r, m) {
		to.DB.FreeRoot(r)
		return false
	}
	return true
}
