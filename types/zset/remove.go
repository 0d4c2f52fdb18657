package zset

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Remove removes a member and tells whether it was there. The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) Remove(name []byte) (removed bool, err error) {
	if v.small() {
		lp := v.Listpack()
		pos := listpack.Find(lp, listpack.First(lp), name, 1)
		if pos == 0 {
			return false, nil
		}
		if v.block.Delete(v.sp.Arena, pos, 2) < 0 {
			return false, types.ErrNoMemory
		}
		return true, nil
	}
	h := v.head()
	p := member.Find(v.sp, &h.table, name)
	if !p.Found() {
		return false, nil
	}
	if v.watch != nil {
		v.watch.Change(p.Ref)
	}
	t := v.tree()
	t.Delete(&btree.Key{Score: v.blockScore(p.Ref), Member: name})
	p.Remove(v.sp, &h.table)
	v.freeMember(p.Ref)
	return true, nil
}

// RemoveRange removes the members from rank from up to rank to, exclusively; 0 <= from <= to <= Len. It takes some 300 ns for
// each of a skiplist. The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) RemoveRange(from, to int) error {
	if v.small() {
		if from < to && v.block.Delete(v.sp.Arena, listpack.Seek(v.Listpack(), 2*from), 2*(to-from)) < 0 {
			return types.ErrNoMemory
		}
		return nil
	}
	h, t := v.head(), v.tree()
	var buf [runLen]alloc.Ref
	for n := to - from; n > 0; {
		refs := t.DeleteRun(from, min(n, len(buf)), buf[:0])
		for _, ref := range refs {
			if v.watch != nil {
				v.watch.Change(ref)
			}
			p := member.FindRef(v.sp, &h.table, ref)
			p.Remove(v.sp, &h.table)
			v.freeMember(ref)
		}
		n -= len(refs)
	}
	return nil
}

// Free gives back the memory of the whole sorted set, in time proportional to its members.
func (v *Value) Free() {
	r := v.Root()
	for !FreeStep(v.sp, &r, 1<<20) {
	}
	*v = New(v.sp)
}

// FreeStep frees some limit members of a sorted set that no key has, and tells whether nothing is left. r is then changed
// and is to be given again.
func FreeStep(sp *types.Space, r *types.Root, limit int) (done bool) {
	v := Open(sp, *r)
	if v.small() {
		v.block.Free(sp.Arena)
		return true
	}
	h, t := v.head(), v.tree()
	if !t.FreeStep(limit, v.freeMember) {
		return false
	}
	if !h.table.Clear(sp.Arena, limit, func(alloc.Ref) {}) {
		return false
	}
	sp.Arena.Free(v.ref, headBytes)
	return true
}
