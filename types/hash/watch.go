package hash

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

// ScanBlocks visits the blocks of the fields in one group of a table's buckets and returns the cursor of the next; see
// [dict.Table.Scan].
func (v *Value) ScanBlocks(cursor uint32, visit func(ref alloc.Ref)) (next uint32) {
	return v.table.Scan(v.sp.Arena, cursor, visit)
}

// FieldAt returns the field in a block, with the unix time in ms at which it expires or 0.
func FieldAt(sp *types.Space, ref alloc.Ref) (name, value []byte, expireMS int64) {
	v := Value{sp: sp}
	f := v.field(ref)
	return v.name(ref), v.value(&f), f.expireMS
}
