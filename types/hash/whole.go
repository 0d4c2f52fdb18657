package hash

import (
	"fmt"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Len returns the number of fields of a hash, those that have expired and not been removed included.
func Len(sp *types.Space, r types.Root) int {
	v := Open(sp, r)
	return v.Size()
}

// FreeStep frees about limit fields of a hash that nobody has any more, and tells whether nothing is left.
func FreeStep(sp *types.Space, r *types.Root, limit int) (done bool) {
	v := Open(sp, *r)
	done = v.freeStep(limit)
	*r = v.Root()
	return done
}

func (v *Value) free() {
	for !v.freeStep(1000) {
	}
}

func (v *Value) freeStep(limit int) (done bool) {
	a := v.sp.Arena
	if !v.isTable() {
		v.pack.Free(a)
		v.enc = types.Listpack
		return true
	}
	if v.enc == types.HashtableEx {
		if t := v.tree(); !t.FreeStep(4*limit, func(alloc.Ref) {}) { // its elements are cheaper
			return false
		}
		a.Free(v.head, headBytes)
		v.enc, v.head = types.Hashtable, 0
	}
	const load = 6 // fields in a common bucket
	done = v.table.Clear(a, (limit+load-1)/load, func(ref alloc.Ref) {
		f := v.field(ref)
		a.Free(ref, f.size)
	})
	if done {
		*v = New(v.sp)
	}
	return done
}

// Copy returns a copy of the hash r of from in to, in the same encoding.
func Copy(from *types.Space, r types.Root, to *types.Space) (types.Root, error) {
	v := Open(from, r)
	c := Value{sp: to, enc: v.enc, nextMS: v.nextMS}
	if !v.isTable() {
		if v.pack.Ref == 0 {
			return c.Root(), nil
		}
		// The bytes of one arena stay where they are while another allocates, even if that is the same.
		lp := v.pack.Bytes(from.Arena)
		pack, ok := listpack.New(to.Arena, lp)
		if !ok {
			return types.Root{}, types.ErrNoMemory
		}
		c.pack = pack
		return c.Root(), nil
	}
	if !v.copyTable(&c) {
		c.free()
		return types.Root{}, types.ErrNoMemory
	}
	return c.Root(), nil
}

func (v *Value) copyTable(c *Value) bool {
	c.enc = types.Hashtable
	if v.enc == types.HashtableEx && !c.addHead() {
		return false
	}
	ok := true
	for i := 0; ok && i < v.table.Buckets(); i++ {
		v.table.Visit(v.sp.Arena, uint32(i), func(ref alloc.Ref) {
			f := v.field(ref)
			name := v.name(ref)
			p := member.Place{Hash: c.sp.Hash(name)}
			ok = ok && c.addField(&p, name, v.value(&f), f.expireMS)
		})
	}
	return ok
}

// Bytes returns the memory of a hash. If samples is positive it visits about that many fields of a table and goes by
// their mean, else every field.
func Bytes(sp *types.Space, r types.Root, samples int) int {
	v := Open(sp, r)
	if !v.isTable() {
		if v.pack.Ref == 0 {
			return 0
		}
		return alloc.UsableSize(int(v.pack.Size))
	}
	n, seen := 0, 0
	for i := 0; i < v.table.Buckets() && (samples <= 0 || seen < samples); i++ {
		v.table.Visit(sp.Arena, uint32(i), func(ref alloc.Ref) {
			f := v.field(ref)
			n += alloc.UsableSize(f.size)
			seen++
		})
	}
	n = n*v.table.Len()/max(seen, 1) + v.table.Bytes()
	if v.enc == types.HashtableEx {
		t := v.tree()
		n += alloc.UsableSize(headBytes) + t.Bytes()
	}
	return n
}

// Check verifies the structure of a hash.
func Check(sp *types.Space, r types.Root) error {
	v := Open(sp, r)
	if !v.isTable() {
		return v.checkPack()
	}
	if err := member.Check(sp, &v.table); err != nil {
		return err
	}
	return v.checkIndex()
}

func (v *Value) checkPack() error {
	if v.pack.Ref == 0 {
		return nil
	}
	lp := v.pack.Bytes(v.sp.Arena)
	if err := listpack.Validate(lp, true); err != nil {
		return err
	}
	if n := listpack.Len(lp); n%v.stride() != 0 {
		return fmt.Errorf("%s of %d elements", v.enc, n)
	}
	var err error
	seen := map[string]bool{}
	v.eachPack(func(_ int, field, _ Element, expireMS int64) bool {
		name := string(field.Append(nil))
		switch {
		case seen[name]:
			err = fmt.Errorf("field %q is there twice", name)
		case expireMS < 0 || expireMS > 0 && (v.nextMS == 0 || v.nextMS > expireMS):
			err = fmt.Errorf("field %q expires at %d, the earliest at %d", name, expireMS, v.nextMS)
		}
		seen[name] = true
		return err == nil
	})
	return err
}

// checkIndex compares the fields' times to live with the index.
func (v *Value) checkIndex() (err error) {
	expiring := 0
	for i := range v.table.Buckets() {
		v.table.Visit(v.sp.Arena, uint32(i), func(ref alloc.Ref) {
			f := v.field(ref)
			if f.expireMS == 0 {
				return
			}
			expiring++
			if v.enc != types.HashtableEx {
				err = fmt.Errorf("field %q expires in encoding %d", v.name(ref), v.enc)
				return
			}
			t, k := v.tree(), keyOf(&f)
			if t.Find(&k) != ref {
				err = fmt.Errorf("field %q expires at %d, which the index does not know", v.name(ref), f.expireMS)
			}
		})
	}
	if err != nil || v.enc != types.HashtableEx {
		return err
	}
	t := v.tree()
	if t.Len() != expiring || v.nextMS != firstMS(&t) {
		return fmt.Errorf("%d fields expire, the first at %d; counted as %d and %d", expiring, firstMS(&t), t.Len(), v.nextMS)
	}
	return t.Check(func(a, b alloc.Ref) bool { return a < b })
}

var (
	_ btree.Order = byRef{}
	_ dict.Hasher = member.Hasher{}
)
