package hash

import (
	"cmp"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// MaxExpireMS is the latest expiry of a field, unix ms: what Redis allows.
const MaxExpireMS = 1<<46 - 1

// byRef orders fields that expire at the same time by their references.
type byRef struct{}

func (byRef) Compare(ref alloc.Ref, _ []byte, other alloc.Ref) int { return cmp.Compare(ref, other) }

// tree returns the index of a HashtableEx.
func (v *Value) tree() btree.Tree { return btree.Open(v.sp.Arena, byRef{}, &v.headBlock().index) }

func keyOf(f *field) btree.Key { return btree.Key{Score: float64(f.expireMS), Ref: f.ref} }

// index adds f to the index if it expires.
func (v *Value) index(f *field) bool {
	if f.expireMS == 0 {
		return true
	}
	t, k := v.tree(), keyOf(f)
	if !t.Insert(&k, f.ref) {
		return false
	}
	v.noteNext(f.expireMS)
	return true
}

// unindex takes f from the index if it is there.
func (v *Value) unindex(f *field) {
	if f.expireMS == 0 {
		return
	}
	t, k := v.tree(), keyOf(f)
	t.Delete(&k)
	if f.expireMS == v.nextMS {
		v.nextMS = firstMS(&t)
	}
}

func firstMS(t *btree.Tree) int64 {
	if t.Len() == 0 {
		return 0
	}
	ms, _ := t.ByRank(0)
	return int64(ms)
}

// due returns the number of fields that have expired.
func (v *Value) due() int {
	if v.enc == types.HashtableEx {
		t := v.tree()
		n, _ := t.Rank(&btree.Key{Score: float64(v.NowMS), Place: btree.After})
		return n
	}
	n := 0
	v.eachPack(func(_ int, _, _ Element, expireMS int64) bool {
		if due(expireMS, v.NowMS) {
			n++
		}
		return true
	})
	return n
}

// ExpireMS returns when a field expires, in unix ms or 0 for never, and whether there is such a field.
func (v *Value) ExpireMS(name []byte) (ms int64, ok bool) {
	if v.isTable() {
		p := member.Find(v.sp, &v.table, name)
		if !p.Found() {
			return 0, false
		}
		f := v.field(p.Ref)
		return f.expireMS, !f.expired(v.NowMS)
	}
	lp := v.pack.Bytes(v.sp.Arena)
	pos := v.findPack(lp, name)
	if pos == 0 || v.enc == types.Listpack {
		return 0, pos != 0
	}
	return packExpiry(lp, pos), true
}

// SetExpire gives a field that exists an expiry: unix ms, or 0 for none. The error is types.ErrNoMemory.
func (v *Value) SetExpire(name []byte, ms int64) error {
	if !v.hasTTL() && (ms == 0 || !v.extend()) {
		if ms == 0 {
			return nil
		}
		return types.ErrNoMemory
	}
	ok := false
	if v.isTable() {
		p := member.Find(v.sp, &v.table, name)
		ok = v.retime(&p, ms)
	} else {
		lp := v.pack.Bytes(v.sp.Arena)
		ok = v.setPackExpiry(v.findPack(lp, name), ms)
	}
	if !ok {
		return types.ErrNoMemory
	}
	return nil
}

// retime gives the field at p of a HashtableEx another expiry.
func (v *Value) retime(p *member.Place, ms int64) bool {
	was := v.field(p.Ref)
	value := v.value(&was)
	if (was.expireMS != 0) != (ms != 0) {
		var small [256]byte
		value = append(small[:0], value...) // it moves within the block
	}
	return v.changeField(p, was, value, ms)
}

// Expire removes fields that have expired, about limit of them or less, and calls visit for each before. It returns whether
// there are more. The error is types.ErrNoMemory: the field visited last is still there.
func (v *Value) Expire(limit int, visit func(field []byte)) (more bool, err error) {
	if !v.someDue() {
		return false, nil
	}
	if v.enc == types.HashtableEx {
		return v.expireFields(limit, visit), nil
	}
	return v.expirePack(limit, visit)
}

func (v *Value) expireFields(limit int, visit func(field []byte)) (more bool) {
	t := v.tree()
	for ; t.Len() > 0; limit-- {
		ms, ref := t.ByRank(0)
		if int64(ms) > v.NowMS {
			break
		}
		if limit <= 0 {
			return true
		}
		visit(v.name(ref))
		p, f := member.FindRef(v.sp, &v.table, ref), v.field(ref)
		v.removeField(&p, &f)
	}
	return false
}

func (v *Value) expirePack(limit int, visit func(field []byte)) (more bool, err error) {
	a := v.sp.Arena
	nextMS := int64(0)
	lp := v.pack.Bytes(a)
	for pos := listpack.First(lp); pos > 0; {
		ms := packExpiry(lp, pos)
		switch {
		case !due(ms, v.NowMS):
			if ms != 0 && (nextMS == 0 || ms < nextMS) {
				nextMS = ms
			}
			for range v.stride() {
				pos = listpack.Next(lp, pos)
			}
			continue
		case limit <= 0:
			return true, nil
		}
		var buf [20]byte
		visit(text(listpack.Get(lp, pos), buf[:0]))
		if pos = v.pack.Delete(a, pos, v.stride()); pos < 0 {
			return true, types.ErrNoMemory
		}
		limit--
		lp = v.pack.Bytes(a)
	}
	v.nextMS = nextMS
	return false, nil
}
