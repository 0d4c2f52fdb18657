package hash

import (
	"encoding/binary"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/member"
)

// field is the block of a field of a table, with its layout.
type field struct {
	ref      alloc.Ref
	name     int   // bytes of the name with its length
	value    int   // where the value begins
	size     int   // of the block
	expireMS int64 // 0: never
}

const (
	withTTL  = 1 // in the length of the value
	ttlBytes = 8
)

// layout returns the field of a block for a name of nameHead bytes, with its length, and a value of n bytes.
func layout(nameHead, n int, expireMS int64) field {
	f := field{name: nameHead, value: nameHead, expireMS: expireMS}
	tag := n << 1
	if expireMS != 0 {
		tag |= withTTL
		f.value += ttlBytes
	}
	if tag < 0x80 {
		f.value++
	} else {
		f.value += uvarintLen(tag)
	}
	f.size = f.value + n
	return f
}

// field reads the layout of the block ref.
func (v *Value) field(ref alloc.Ref) field {
	a := v.sp.Arena
	at := member.NameHead(a, ref)
	f := field{ref: ref, name: at}
	tag := int(a.Bytes(ref, at+1)[at])
	at++
	if tag >= 0x80 {
		tag, at = v.longTag(ref, tag&0x7f, at)
	}
	if tag&withTTL != 0 {
		f.expireMS = int64(binary.LittleEndian.Uint64(a.Bytes(ref, at+ttlBytes)[at:]))
		at += ttlBytes
	}
	f.value = at
	f.size = at + tag>>1
	return f
}

func (v *Value) longTag(ref alloc.Ref, tag, at int) (int, int) {
	for shift := 7; ; shift += 7 {
		b := v.sp.Arena.Bytes(ref, at+1)[at]
		at++
		tag |= int(b&0x7f) << shift
		if b < 0x80 {
			return tag, at
		}
	}
}

func (f *field) expired(nowMS int64) bool { return due(f.expireMS, nowMS) }

func (v *Value) name(ref alloc.Ref) []byte { return member.Name(v.sp.Arena, ref) }

func (v *Value) value(f *field) []byte { return v.sp.Arena.Bytes(f.ref, f.size)[f.value:] }

// write fills in what follows the name.
func (v *Value) write(f *field, value []byte) {
	b := v.sp.Arena.Bytes(f.ref, f.size)
	tag := len(value) << 1
	at := f.name
	if f.expireMS != 0 {
		tag |= withTTL
		binary.LittleEndian.PutUint64(b[f.value-ttlBytes:], uint64(f.expireMS))
	}
	if tag < 0x80 {
		b[at] = byte(tag)
	} else {
		putUvarint(b[at:], tag)
	}
	copy(b[f.value:], value)
}

// setField is Set for a table that has room for times to live if expireMS is one.
func (v *Value) setField(name, value []byte, expireMS int64) (existed, ok bool) {
	p := member.Find(v.sp, &v.table, name)
	if !p.Found() {
		return false, v.addField(&p, name, value, max(expireMS, 0))
	}
	was := v.field(p.Ref)
	existed = !was.expired(v.NowMS)
	if expireMS == KeepTTL {
		expireMS = was.expireMS
		if !existed {
			expireMS = 0
		}
	}
	return existed, v.changeField(&p, was, value, expireMS)
}

func (v *Value) addField(p *member.Place, name, value []byte, expireMS int64) bool {
	a := v.sp.Arena
	f := layout(member.Head(len(name)), len(value), expireMS)
	if f.ref = a.Alloc(f.size); f.ref == 0 {
		return false
	}
	member.Put(a.Bytes(f.ref, f.size), name)
	v.write(&f, value)
	if !v.index(&f) {
		a.Free(f.ref, f.size)
		return false
	}
	if !p.Insert(v.sp, &v.table, f.ref) {
		v.unindex(&f)
		a.Free(f.ref, f.size)
		return false
	}
	if v.watch != nil {
		v.watch.Add(f.ref)
	}
	return true
}

// changeField gives the field was, which is at p, another value and expiry. Its block stays if it has the room.
func (v *Value) changeField(p *member.Place, was field, value []byte, expireMS int64) bool {
	if v.watch != nil {
		v.watch.Change(was.ref)
	}
	a := v.sp.Arena
	f := layout(was.name, len(value), expireMS)
	moved := alloc.UsableSize(f.size) != alloc.UsableSize(was.size)
	if moved {
		if f.ref = a.Alloc(f.size); f.ref == 0 {
			return false
		}
		copy(a.Bytes(f.ref, f.name), a.Bytes(was.ref, f.name))
	} else {
		f.ref = was.ref
	}
	if was.expireMS|expireMS != 0 && (moved || was.expireMS != expireMS) {
		if !v.index(&f) {
			if moved {
				a.Free(f.ref, f.size)
			}
			return false
		}
		v.unindex(&was)
	}
	switch {
	case moved:
		p.Replace(f.ref)
		v.write(&f, value)
		a.Free(was.ref, was.size)
		if v.watch != nil {
			v.watch.Add(f.ref)
		}
		return true
	case f.size != was.size:
		a.Resize(f.ref, was.size, f.size)
	}
	v.write(&f, value)
	return true
}

func (v *Value) deleteField(name []byte) (existed bool) {
	p := member.Find(v.sp, &v.table, name)
	if !p.Found() {
		return false
	}
	f := v.field(p.Ref)
	v.removeField(&p, &f)
	return !f.expired(v.NowMS)
}

func (v *Value) removeField(p *member.Place, f *field) {
	if v.watch != nil {
		v.watch.Change(f.ref)
	}
	v.unindex(f)
	p.Remove(v.sp, &v.table)
	v.sp.Arena.Free(f.ref, f.size)
}

// addHead gives a table the block of a HashtableEx.
func (v *Value) addHead() bool {
	v.head = v.sp.Arena.AllocZero(headBytes)
	if v.head != 0 {
		v.enc = types.HashtableEx
	}
	return v.head != 0
}
