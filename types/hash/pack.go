package hash

import (
	"encoding/binary"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// stride returns how many elements of the listpack a field takes.
func (v *Value) stride() int {
	if v.enc == types.ListpackEx {
		return 3
	}
	return 2
}

// hasTTL tells whether the encoding has room for times to live.
func (v *Value) hasTTL() bool { return v.enc == types.ListpackEx || v.enc == types.HashtableEx }

// findPack returns the position of a field that has not expired, or 0.
func (v *Value) findPack(lp []byte, field []byte) int {
	pos := listpack.Find(lp, listpack.First(lp), field, v.stride()-1)
	if pos != 0 && v.packExpired(lp, pos) {
		return 0
	}
	return pos
}

// packExpired tells whether the time of the field at pos has come.
func (v *Value) packExpired(lp []byte, pos int) bool {
	return v.someDue() && due(packExpiry(lp, pos), v.NowMS)
}

func due(expireMS, nowMS int64) bool { return expireMS != 0 && expireMS <= nowMS }

// packExpiry returns when the field at pos of a ListpackEx expires, or 0.
func packExpiry(lp []byte, pos int) int64 {
	return listpack.Get(lp, listpack.Next(lp, listpack.Next(lp, pos))).Int
}

// setPack is Set for a listpack.
func (v *Value) setPack(field, value []byte, expireMS int64) (existed, ok bool) {
	a := v.sp.Arena
	lp := v.pack.Bytes(a)
	pos := listpack.Find(lp, listpack.First(lp), field, v.stride()-1)
	if pos == 0 {
		return false, v.appendPack(field, value, max(expireMS, 0))
	}
	existed = !v.packExpired(lp, pos)
	if v.enc == types.ListpackEx {
		was := packExpiry(lp, pos)
		if expireMS == KeepTTL {
			expireMS = was
			if !existed {
				expireMS = 0
			}
		}
		if expireMS != was {
			return existed, v.replaceBoth(pos, value, expireMS)
		}
	}
	return existed, v.pack.Replace(a, listpack.Next(lp, pos), value)
}

// replaceBoth gives the field at pos of a ListpackEx another value and another expiry.
func (v *Value) replaceBoth(pos int, value []byte, expireMS int64) bool {
	a := v.sp.Arena
	lp := v.pack.Bytes(a)
	at := listpack.Next(lp, pos)
	var old [64]byte
	was := listpack.Get(lp, at).Append(old[:0])
	if !v.pack.Replace(a, at, value) {
		return false
	}
	if !v.setPackExpiry(pos, expireMS) {
		v.pack.Replace(a, at, was) // fits where it was: the block has not shrunk
		return false
	}
	return true
}

// setPackExpiry gives the field at pos of a ListpackEx another expiry.
func (v *Value) setPackExpiry(pos int, expireMS int64) bool {
	lp := v.pack.Bytes(v.sp.Arena)
	if !v.pack.ReplaceInt(v.sp.Arena, listpack.Next(lp, listpack.Next(lp, pos)), expireMS) {
		return false
	}
	v.noteNext(expireMS)
	return true
}

// noteNext takes an expiry into account.
func (v *Value) noteNext(expireMS int64) {
	if expireMS > 0 && (v.nextMS == 0 || expireMS < v.nextMS) {
		v.nextMS = expireMS
	}
}

func (v *Value) appendPack(field, value []byte, expireMS int64) bool {
	if v.enc == types.Listpack {
		return v.pack.Append(v.sp.Arena, field, value)
	}
	var buf [256]byte
	list := listpack.AppendElement(buf[:0], field)
	list = listpack.AppendElement(list, value)
	list = listpack.AppendElementInt(list, expireMS)
	lp := v.pack.Bytes(v.sp.Arena)
	if !v.pack.InsertElements(v.sp.Arena, len(lp)-1, list, 3) {
		return false
	}
	v.noteNext(expireMS)
	return true
}

// extend gives v an encoding that has room for times to live.
func (v *Value) extend() bool {
	if v.isTable() {
		return v.addHead()
	}
	a := v.sp.Arena
	lp := v.pack.Bytes(a)
	n := listpack.Len(lp)
	if n == 0 {
		v.enc = types.ListpackEx
		return true
	}
	list := make([]byte, 0, len(lp)+n)
	for pos := listpack.First(lp); pos != 0; {
		next := listpack.Next(lp, listpack.Next(lp, pos))
		end := next
		if end == 0 {
			end = len(lp) - 1
		}
		list = listpack.AppendElementInt(append(list, lp[pos:end]...), 0)
		pos = next
	}
	fresh, ok := listpack.FromElements(a, list, n/2*3)
	if !ok {
		return false
	}
	v.pack.Free(a)
	v.pack, v.enc = fresh, types.ListpackEx
	return true
}

// toTable makes a listpack a table.
func (v *Value) toTable() bool {
	t := Value{sp: v.sp, enc: types.Hashtable}
	if v.nextMS != 0 && !t.addHead() {
		return false
	}
	ok := true
	v.eachPack(func(pos int, field, value Element, expireMS int64) bool {
		var f, val [20]byte
		_, ok = t.setField(text(field, f[:0]), text(value, val[:0]), expireMS)
		return ok
	})
	if !ok {
		t.free()
		return false
	}
	v.pack.Free(v.sp.Arena)
	nowMS := v.NowMS
	*v = t
	v.NowMS = nowMS
	return true
}

// text returns e as bytes, in scratch if it is an integer.
func text(e Element, scratch []byte) []byte {
	if e.IsInt {
		return e.Append(scratch)
	}
	return e.Bytes
}

// eachPack calls visit for every field of a listpack, expired or not, until it returns false.
func (v *Value) eachPack(visit func(pos int, field, value Element, expireMS int64) bool) {
	lp := v.pack.Bytes(v.sp.Arena)
	ex := v.enc == types.ListpackEx
	for pos := listpack.First(lp); pos != 0; {
		at := listpack.Next(lp, pos)
		field, value, expireMS := listpack.Get(lp, pos), listpack.Get(lp, at), int64(0)
		if ex {
			at = listpack.Next(lp, at)
			expireMS = listpack.Get(lp, at).Int
		}
		if !visit(pos, field, value, expireMS) {
			return
		}
		pos = listpack.Next(lp, at)
	}
}

// uvarintLen returns how many bytes n takes.
func uvarintLen(n int) int { return member.Head(n) - n }

func putUvarint(b []byte, n int) int { return binary.PutUvarint(b, uint64(n)) }
