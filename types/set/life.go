package set

import (
	"fmt"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/member"
)

// Free gives back the memory of the whole set, in time proportional to its members.
func (v *Value) Free() {
	r := v.Root()
	for !FreeStep(v.sp, &r, 1<<20) {
	}
	*v = New(v.sp)
}

// FreeStep frees some limit members of a set that no key has, and tells whether nothing is left. r is then changed and is to be
// given again.
func FreeStep(sp *types.Space, r *types.Root, limit int) (done bool) {
	v := Open(sp, *r)
	if v.enc == types.Intset {
		v.ints.Free(sp.Arena)
		return true
	}
	const membersPerBucket = 8
	done = v.table.Clear(sp.Arena, limit/membersPerBucket+1, v.freeMember)
	*r = v.Root()
	return done
}

// Copy returns a copy of the set of root r in the same encoding. The error is types.ErrNoMemory: nothing is left behind then.
func Copy(from *types.Space, r types.Root, to *types.Space) (types.Root, error) {
	v := Open(from, r)
	c := Value{sp: to, enc: v.enc}
	if v.enc == types.Intset {
		if !c.ints.Store(to.Arena, v.Ints()) {
			return types.Root{}, types.ErrNoMemory
		}
		return c.Root(), nil
	}
	var room Batch
	for it := v.Iter(); it.Next(&room); {
		for _, e := range room.Members() {
			if _, err := c.addText(e.Bytes); err != nil {
				c.Free()
				return types.Root{}, err
			}
		}
	}
	return c.Root(), nil
}

// Len returns the number of members of the set of root r.
func Len(sp *types.Space, r types.Root) int {
	v := Open(sp, r)
	return v.Len()
}

// Bytes returns the memory of the set of root r. If samples is positive it visits about that many members of a table
// and goes by their mean, else every member.
func Bytes(sp *types.Space, r types.Root, samples int) int {
	v := Open(sp, r)
	if v.enc == types.Intset {
		if v.ints.Ref == 0 {
			return 0
		}
		return alloc.UsableSize(int(v.ints.Size))
	}
	n, seen := 0, 0
	for i := 0; i < v.table.Buckets() && (samples <= 0 || seen < samples); i++ {
		v.table.Visit(sp.Arena, uint32(i), func(ref alloc.Ref) {
			n += alloc.UsableSize(member.NameHead(sp.Arena, ref))
			seen++
		})
	}
	return v.table.Bytes() + n*v.table.Len()/max(seen, 1)
}

// Check tells what is wrong with the structure of the set of root r, if anything. It visits every member.
func Check(sp *types.Space, r types.Root) error {
	v := Open(sp, r)
	switch v.enc {
	case types.Intset:
		if v.ints.Ref == 0 {
			return nil
		}
		return intset.Validate(v.Ints(), true)
	case types.Hashtable:
		return v.checkTable()
	}
	return fmt.Errorf("a set in the encoding %v", v.enc)
}

func (v *Value) checkTable() error {
	if err := member.Check(v.sp, &v.table); err != nil {
		return err
	}
	var twice []byte
	for i := range v.table.Buckets() {
		v.table.Visit(v.sp.Arena, uint32(i), func(ref alloc.Ref) {
			if p := member.FindRef(v.sp, &v.table, ref); p.Ref != ref {
				twice = member.Name(v.sp.Arena, ref)
			}
		})
	}
	if twice != nil {
		return fmt.Errorf("member %.100q is there twice", twice)
	}
	return nil
}
