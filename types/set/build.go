package set

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/member"
)

// NewTable returns an empty set that is a table.
func NewTable(sp *types.Space) Value { return Value{sp: sp, enc: types.Hashtable} }

// FromIntset returns a set with the members of s, a valid intset: a copy of it unless there are more members than lim allows.
// The error is types.ErrNoMemory.
func FromIntset(sp *types.Space, lim *types.Limits, s []byte) (Value, error) {
	v := New(sp)
	if !v.ints.Store(sp.Arena, s) {
		return Value{}, types.ErrNoMemory
	}
	if intset.Len(s) > lim.SetIntsetEntries {
		if err := v.toTable(); err != nil {
			v.Free()
			return Value{}, err
		}
	}
	return v, nil
}

// ScanBlocks visits the blocks of the members in one group of a table's buckets and returns the cursor of the next; see
// [dict.Table.Scan].
func (v *Value) ScanBlocks(cursor uint32, visit func(ref alloc.Ref)) (next uint32) {
	return v.table.Scan(v.sp.Arena, cursor, visit)
}

// Buckets returns the number of buckets of a table.
func (v *Value) Buckets() int { return v.table.Buckets() }

// VisitBucket calls visit for the members in bucket i of a table.
func (v *Value) VisitBucket(i int, visit func(text []byte)) {
	v.table.Visit(v.sp.Arena, uint32(i), func(ref alloc.Ref) { visit(member.Name(v.sp.Arena, ref)) })
}
