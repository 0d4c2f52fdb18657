package hash

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// FromListpack returns a hash with the fields of lp, a valid listpack of fields and values in turn, or of fields, values and
// expiries if timed. No field comes twice, there is one at least, and expiries are integers from 0 to MaxExpireMS. The hash is a
// listpack, byte for byte, unless there are more fields than l allows. The error is types.ErrNoMemory.
func FromListpack(sp *types.Space, l *types.Limits, lp []byte, timed bool) (Value, error) {
	v := New(sp)
	if timed {
		v.enc = types.ListpackEx
	}
	var ok bool
	if v.pack, ok = listpack.New(sp.Arena, lp); !ok {
		return Value{}, types.ErrNoMemory
	}
	if timed {
		v.eachPack(func(_ int, _, _ Element, expireMS int64) bool {
			v.noteNext(expireMS)
			return true
		})
	}
	if v.Size() > l.HashListpackEntries && !v.toTable() {
		v.Free()
		return Value{}, types.ErrNoMemory
	}
	return v, nil
}

// NewTable returns an empty hash that is a table, with room for times to live if timed. The error is types.ErrNoMemory.
func NewTable(sp *types.Space, timed bool) (Value, error) {
	v := Value{sp: sp, enc: types.Hashtable}
	if timed && !v.addHead() {
		return Value{}, types.ErrNoMemory
	}
	return v, nil
}

// Add adds a field to a table, with an expiry (unix ms) or 0, unless it is there. expireMS is 0 in a table without times to live.
// The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) Add(field, value []byte, expireMS int64) (added bool, err error) {
	p := member.Find(v.sp, &v.table, field)
	if p.Found() {
		return false, nil
	}
	if !v.addField(&p, field, value, expireMS) {
		return false, types.ErrNoMemory
	}
	return true, nil
}

// Free gives back the memory of the whole hash, in time proportional to its fields.
func (v *Value) Free() { v.free() }

// Listpack returns the bytes of a listpack. They die when the hash changes.
func (v *Value) Listpack() []byte { return v.pack.Bytes(v.sp.Arena) }

// Buckets returns the number of buckets of a table.
func (v *Value) Buckets() int { return v.table.Buckets() }

// VisitBucket calls visit for the fields of bucket i of a table, expired or not.
func (v *Value) VisitBucket(i int, visit func(field, value []byte, expireMS int64)) {
	v.table.Visit(v.sp.Arena, uint32(i), func(ref alloc.Ref) {
		f := v.field(ref)
		visit(v.name(ref), v.value(&f), f.expireMS)
	})
}

// EachListed calls visit for every field of a listpack, expired or not, in the order in which they stand.
func (v *Value) EachListed(visit func(field, value Element, expireMS int64)) {
	v.eachPack(func(_ int, field, value Element, expireMS int64) bool {
		visit(field, value, expireMS)
		return true
	})
}

// FirstExpiry returns when the first of the fields expires (unix ms); 0 if none does. Unlike NextMS it is exact.
func (v *Value) FirstExpiry() int64 {
	if v.enc != types.ListpackEx {
		return v.nextMS
	}
	first := int64(0)
	v.eachPack(func(_ int, _, _ Element, expireMS int64) bool {
		if expireMS != 0 && (first == 0 || expireMS < first) {
			first = expireMS
		}
		return true
	})
	return first
}
