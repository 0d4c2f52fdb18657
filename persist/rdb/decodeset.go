package rdb

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/set"
)

func (b *builder) set(t Type) types.Root {
	var v set.Value
	switch t {
	case Set:
		v = b.memberSet()
	case SetIntset:
		v = b.intset()
	default:
		v = b.packedSet()
	}
	if b.err != nil {
		return types.Root{}
	}
	return v.Root()
}

// memberSet reads members one by one.
func (b *builder) memberSet() set.Value {
	n := b.length()
	if b.err == nil && n == 0 {
		b.fail(ErrEmpty)
	}
	if b.err != nil {
		return set.Value{}
	}
	if n > uint64(max(b.lim.SetIntsetEntries, 0)) {
		return b.tableSet(n)
	}
	v := set.New(b.sp)
	for ; n > 0 && b.err == nil; n-- {
		if text := b.text(); b.err == nil {
			b.addMember(v.Add(b.lim, text))
		}
		b.pause(1)
	}
	return b.orFree(v)
}

const errDupInSet = Corrupt("Duplicate set members detected")

// tableSet reads the n members of a set that is a table.
func (b *builder) tableSet(n uint64) (v set.Value) {
	if err := b.sets.Begin(b.sp, b.believed(n, 1), b.pausing); err != nil {
		b.fail(err)
		return v
	}
	for ; n > 0 && b.err == nil; n-- {
		if text := b.text(); b.err == nil {
			b.built(b.sets.Add(text), errDupInSet)
		}
		b.pause(1)
	}
	if b.err == nil {
		var err error
		v, err = b.sets.Finish()
		b.built(err, errDupInSet)
	}
	if b.err != nil {
		b.sets.Free()
	}
	return v
}

// addMember fails unless a member was added.
func (b *builder) addMember(added bool, err error) {
	switch {
	case err != nil:
		b.fail(err)
	case !added:
		b.fail(errDupInSet)
	}
}

// orFree returns v, which is freed if there is an error.
func (b *builder) orFree(v set.Value) set.Value {
	if b.err != nil {
		v.Free()
	}
	return v
}

func (b *builder) intset() set.Value {
	s := b.text()
	if b.err != nil {
		return set.Value{}
	}
	b.count()
	if intset.Validate(s, true) != nil {
		b.corrupt("Intset integrity check failed.")
		return set.Value{}
	}
	v, err := set.FromIntset(b.sp, b.lim, s)
	if err != nil {
		b.fail(err)
	}
	return v
}

// packedSet reads a set that is a listpack, as of Redis 7.2.
func (b *builder) packedSet() set.Value {
	lp := b.text()
	if b.err != nil {
		return set.Value{}
	}
	b.count()
	if listpack.Validate(lp, true) != nil {
		b.corrupt("Set listpack integrity check failed.")
		return set.Value{}
	}
	if listpack.First(lp) == 0 {
		b.fail(ErrEmpty)
	}
	v := set.New(b.sp)
	for pos := listpack.First(lp); pos != 0 && b.err == nil; pos = listpack.Next(lp, pos) {
		e := listpack.Get(lp, pos)
		b.addMember(v.AddElement(b.lim, e))
	}
	return b.orFree(v)
}
