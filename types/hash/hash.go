package hash

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Value is a hash as one command sees it. After a change its owner keeps what Root returns.
type Value struct {
	// NowMS is the unix time in ms by which fields have expired; 0: none has.
	NowMS int64

	sp     *types.Space
	enc    types.Encoding
	pack   listpack.Block // Listpack, ListpackEx
	table  dict.Table     // Hashtable, HashtableEx
	head   alloc.Ref      // HashtableEx: where table is kept
	nextMS int64          // no field expires before; 0: none expires
	watch  types.Watcher  // may be nil
}

// Element is a field or a value. Its bytes alias the arena and die at the next change of the hash.
type Element = listpack.Element

// head is the block of a HashtableEx.
type head struct {
	table dict.Table
	index btree.Root // fields with a time to live, by that
}

const headBytes = dict.TableBytes + 28

// New returns an empty hash.
func New(sp *types.Space) Value { return Value{sp: sp, enc: types.Listpack} }

// Open returns the hash of a root.
func Open(sp *types.Space, r types.Root) (v Value) {
	v.Load(sp, r)
	return v
}

// Load makes v, which is zero but for NowMS, the hash of a root: Open without a copy of the value.
func (v *Value) Load(sp *types.Space, r types.Root) {
	v.sp, v.enc, v.watch = sp, r.Encoding, sp.Watcher(&r)
	switch r.Encoding {
	case types.Hashtable:
		v.table = dict.FromWords(r.Data.Lo, r.Data.Hi)
		return
	case types.ListpackEx:
		v.nextMS = int64(r.Data.Hi)
	case types.HashtableEx:
		v.nextMS = int64(r.Data.Hi)
		v.head = alloc.Ref(uint32(r.Data.Lo))
		v.table = v.headBlock().table
		return
	}
	v.pack.Ref, v.pack.Size = alloc.Ref(uint32(r.Data.Lo)), uint32(r.Data.Lo>>32)
}

// Root returns what v is to be kept as.
func (v *Value) Root() types.Root {
	r := types.Root{Type: types.Hash, Encoding: v.enc}
	switch v.enc {
	case types.Hashtable:
		r.Data.Lo, r.Data.Hi = v.table.Words()
		return r
	case types.ListpackEx:
		r.Data.Hi = uint64(v.nextMS)
	case types.HashtableEx:
		v.headBlock().table = v.table
		r.Data.Hi = uint64(v.nextMS)
		r.Data.Lo = types.Word(uint32(v.head), 0)
		return r
	}
	r.Data.Lo = types.Word(uint32(v.pack.Ref), v.pack.Size)
	return r
}

// NextMS returns a unix time in ms before which no field of the hash r expires, or 0 if none does.
func NextMS(r *types.Root) int64 {
	if r.Encoding != types.ListpackEx && r.Encoding != types.HashtableEx {
		return 0
	}
	return int64(r.Data.Hi)
}

// Encoding returns how v is represented.
func (v *Value) Encoding() types.Encoding { return v.enc }

// Packed tells whether v is a listpack, which takes a walk to get anywhere.
func (v *Value) Packed() bool { return !v.isTable() }

func (v *Value) headBlock() *head { return alloc.At[head](v.sp.Arena, v.head) }

func (v *Value) isTable() bool { return v.enc == types.Hashtable || v.enc == types.HashtableEx }

// someDue tells whether there may be fields that have expired.
func (v *Value) someDue() bool { return v.nextMS != 0 && v.nextMS <= v.NowMS }

// Size returns the number of fields, those that have expired and not been removed included. With 0 the key has to go.
func (v *Value) Size() int {
	if v.isTable() {
		return v.table.Len()
	}
	if v.pack.Ref == 0 {
		return 0
	}
	return listpack.Len(v.pack.Bytes(v.sp.Arena)) / v.stride()
}

// Len returns the number of fields that have not expired.
func (v *Value) Len() int {
	n := v.Size()
	if v.someDue() {
		n -= v.due()
	}
	return n
}

// Get returns the value of a field.
func (v *Value) Get(field []byte) (value Element, ok bool) {
	if !v.isTable() {
		lp := v.pack.Bytes(v.sp.Arena)
		pos := v.findPack(lp, field)
		if pos == 0 {
			return Element{}, false
		}
		return listpack.Get(lp, listpack.Next(lp, pos)), true
	}
	p := member.Find(v.sp, &v.table, field)
	if !p.Found() {
		return Element{}, false
	}
	f := v.field(p.Ref)
	if f.expired(v.NowMS) {
		return Element{}, false
	}
	return Element{Bytes: v.value(&f)}, true
}

// maxListpack bounds a listpack in bytes, whatever the limits are.
const maxListpack = 1 << 30

// KeepTTL as the expiry of Set leaves a field's time to live as it is.
const KeepTTL = -1

// Set gives a field a value and an expiry: a unix time in ms, 0 for none, or KeepTTL. It returns whether the field existed.
// The error is types.ErrNoMemory, with nothing changed that a reader could see.
func (v *Value) Set(l *types.Limits, field, value []byte, expireMS int64) (existed bool, err error) {
	if !v.isTable() && (max(len(field), len(value)) > l.HashListpackValue || int(v.pack.Size)+len(field)+len(value) > maxListpack) {
		if !v.toTable() {
			return false, types.ErrNoMemory
		}
	}
	if expireMS > 0 && !v.hasTTL() && !v.extend() {
		return false, types.ErrNoMemory
	}
	var ok bool
	if v.isTable() {
		existed, ok = v.setField(field, value, expireMS)
	} else {
		existed, ok = v.setPack(field, value, expireMS)
		if v.Size() > l.HashListpackEntries {
			v.toTable() // without memory it stays as it is
		}
	}
	if !ok {
		err = types.ErrNoMemory
	}
	return existed, err
}

// Delete removes a field and returns whether it existed. The error is types.ErrNoMemory, with nothing changed.
func (v *Value) Delete(field []byte) (existed bool, err error) {
	if v.isTable() {
		return v.deleteField(field), nil
	}
	lp := v.pack.Bytes(v.sp.Arena)
	pos := listpack.Find(lp, listpack.First(lp), field, v.stride()-1)
	if pos == 0 {
		return false, nil
	}
	existed = !v.packExpired(lp, pos)
	if v.pack.Delete(v.sp.Arena, pos, v.stride()) < 0 {
		return false, types.ErrNoMemory
	}
	return existed, nil
}
