package hash

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/member"
)

// Builder makes a table of fields, of which none expires and it is known how many they are. It ends by Finish or Free.
type Builder struct {
	v      Value
	filler member.Filler
}

// Begin begins a hash of n fields; there may be more. pause is called after each so many elements' work. The error is
// types.ErrNoMemory.
func (b *Builder) Begin(sp *types.Space, n int, pause func(n int)) error {
	b.v = Value{sp: sp, enc: types.Hashtable}
	return member.Reserve(sp, &b.v.table, n, pause)
}

// Add adds a field. Some time later member.ErrTwice may be the error of one that is there already; else it is types.ErrNoMemory.
func (b *Builder) Add(name, value []byte) error {
	sp := b.v.sp
	f := layout(member.Head(len(name)), len(value), 0)
	if f.ref = sp.Arena.Alloc(f.size); f.ref == 0 {
		return types.ErrNoMemory
	}
	member.Put(sp.Arena.Bytes(f.ref, f.size), name)
	b.v.write(&f, value)
	return b.filler.Add(sp, &b.v.table, sp.Hash(name), f.ref)
}

// Finish returns the hash. For the errors see Add.
func (b *Builder) Finish() (Value, error) {
	if err := b.filler.Flush(b.v.sp, &b.v.table); err != nil {
		return Value{}, err
	}
	b.v.table.Settle()
	return b.v, nil
}

// Free gives back what has been built.
func (b *Builder) Free() {
	for _, ref := range b.filler.Waiting() {
		f := b.v.field(ref)
		b.v.sp.Arena.Free(ref, f.size)
	}
	b.filler = member.Filler{}
	b.v.Free()
}
