package set

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/member"
)

// Builder makes a table of members of which it is known how many they are. It ends by Finish or Free.
type Builder struct {
	v      Value
	filler member.Filler
}

// Begin begins a set of n members; there may be more. pause is called after each so many elements' work. The error is
// types.ErrNoMemory.
func (b *Builder) Begin(sp *types.Space, n int, pause func(n int)) error {
	b.v = NewTable(sp)
	return member.Reserve(sp, &b.v.table, n, pause)
}

// Add adds a member. Some time later member.ErrTwice may be the error of one that is there already; else it is types.ErrNoMemory.
func (b *Builder) Add(text []byte) error {
	sp := b.v.sp
	size := member.Head(len(text))
	ref := sp.Arena.Alloc(size)
	if ref == 0 {
		return types.ErrNoMemory
	}
	member.Put(sp.Arena.Bytes(ref, size), text)
	return b.filler.Add(sp, &b.v.table, sp.Hash(text), ref)
}

// Finish returns the set. For the errors see Add.
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
		b.v.freeMember(ref)
	}
	b.filler = member.Filler{}
	b.v.Free()
}
