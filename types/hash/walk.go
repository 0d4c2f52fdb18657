package hash

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Each calls visit for every field that has not expired, in no order of use, until it returns false. visit must not change
// the hash.
func (v *Value) Each(visit func(field, value Element) bool) {
	if !v.isTable() {
		v.eachPack(func(_ int, field, value Element, expireMS int64) bool {
			return due(expireMS, v.NowMS) || visit(field, value)
		})
		return
	}
	more := true
	for i := 0; more && i < v.table.Buckets(); i++ {
		v.table.Visit(v.sp.Arena, uint32(i), func(ref alloc.Ref) {
			if f := v.field(ref); more && !f.expired(v.NowMS) {
				more = visit(v.pair(&f))
			}
		})
	}
}

func (v *Value) pair(f *field) (name, value Element) {
	return Element{Bytes: v.name(f.ref)}, Element{Bytes: v.value(f)}
}

// Scan visits some of the fields that have not expired and returns the cursor of the next call; it starts and ends with 0. A
// field that is there during a whole scan is visited at least once. A listpack is visited as a whole.
func (v *Value) Scan(cursor uint32, visit func(field, value Element)) uint32 {
	if !v.isTable() {
		v.Each(func(field, value Element) bool {
			visit(field, value)
			return true
		})
		return 0
	}
	return v.table.Scan(v.sp.Arena, cursor, func(ref alloc.Ref) {
		if f := v.field(ref); !f.expired(v.NowMS) {
			visit(v.pair(&f))
		}
	})
}

// Random returns a field picked at random, with an identity that no other field has until the next change. ok is false if
// there is none that has not expired.
func (v *Value) Random() (field, value Element, id uint32, ok bool) {
	const tries = 100 // among fields most of which have expired
	for range tries {
		if v.Size() == 0 {
			return
		}
		if field, value, id, ok = v.random(); ok || !v.someDue() {
			return field, value, id, ok
		}
	}
	v.Each(func(f, val Element) bool {
		field, value, ok = f, val, true
		return false
	})
	return field, value, 0, ok
}

func (v *Value) random() (name, value Element, id uint32, ok bool) {
	if v.isTable() {
		f := v.field(member.Random(v.sp, &v.table))
		name, value = v.pair(&f)
		return name, value, uint32(f.ref), !f.expired(v.NowMS)
	}
	lp := v.pack.Bytes(v.sp.Arena)
	pos := listpack.Seek(lp, v.stride()*v.sp.RandN(v.Size()))
	return listpack.Get(lp, pos), listpack.Get(lp, listpack.Next(lp, pos)), uint32(pos), !v.packExpired(lp, pos)
}

// Sample calls visit for count different fields picked at random, or for all if there are not more, in the order of Each. It
// looks at every field.
func (v *Value) Sample(count int, visit func(field, value Element)) {
	left := v.Len()
	v.Each(func(field, value Element) bool {
		// Each of what is left is among the count still wanted with the same probability (Knuth, TAOCP 3.4.2, S).
		if v.sp.RandN(left) < count {
			visit(field, value)
			count--
		}
		left--
		return count > 0
	})
}
