package rdb

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/listpack"
)

func (b *builder) hash(t Type) types.Root {
	var v hash.Value
	switch t {
	case Hash, HashTimedPre, HashTimed:
		v = b.fieldHash(t)
	case HashZipmap:
		v = b.zipmap()
	default:
		v = b.packedHash(t)
	}
	if b.err != nil {
		return types.Root{}
	}
	return v.Root()
}

// fields is a hash of which fields are added one by one: a listpack, in the decoder's memory, as long as it may be one.
type fields struct {
	b     *builder
	timed bool
	pack  []byte
	n     int  // fields in pack
	most  int  // fields that are believed to come
	large bool // they are in a table: in b.hashes, or in table if timed
	table hash.Value
}

// fieldHash reads fields one by one.
func (b *builder) fieldHash(t Type) hash.Value {
	firstMS := int64(0)
	if t == HashTimed {
		firstMS = b.ms()
	}
	n := b.length()
	if b.err == nil && n == 0 {
		b.fail(ErrEmpty)
	}
	if b.err != nil {
		return hash.Value{}
	}
	f := fields{b: b, timed: t != Hash, most: b.believed(n, 2), pack: beginListpack(b.pack)}
	if n > uint64(max(b.lim.HashListpackEntries, 0)) {
		f.enlarge()
	}
	for ; n > 0 && b.err == nil; n-- {
		expireMS := int64(0)
		if f.timed {
			expireMS = b.expiry(t, firstMS)
		}
		b.name = append(b.name[:0], b.text()...)
		value := b.text()
		if b.err == nil {
			f.add(b.name, value, expireMS)
		}
		b.pause(1)
	}
	return f.finish("Hash with dup elements")
}

// expiry reads when a field expires; 0: never.
func (b *builder) expiry(t Type, firstMS int64) int64 {
	n := b.length()
	if n == 0 || b.err != nil {
		return 0
	}
	ms := int64(n)
	if t == HashTimed && n <= hash.MaxExpireMS && firstMS > 0 && firstMS <= hash.MaxExpireMS {
		ms += firstMS - 1
	} else if t == HashTimed {
		ms = -1
	}
	if ms < 0 || ms > hash.MaxExpireMS {
		b.corrupt("invalid expireAt time: %d", n)
	}
	return ms
}

func (f *fields) add(field, value []byte, expireMS int64) {
	if longest := max(len(field), len(value)); !f.large && (longest > f.b.lim.HashListpackValue || len(f.pack) > maxPack-longest) {
		f.enlarge()
	}
	if f.large {
		f.addLarge(field, value, expireMS)
		return
	}
	f.pack = listpack.AppendElement(listpack.AppendElement(f.pack, field), value)
	if f.timed {
		f.pack = listpack.AppendElementInt(f.pack, expireMS)
	}
	f.n++
}

// maxPack bounds a listpack in bytes, whatever the limits are.
const maxPack = 1 << 30

func (f *fields) addLarge(field, value []byte, expireMS int64) {
	if f.b.err != nil {
		return
	}
	if !f.timed {
		f.b.built(f.b.hashes.Add(field, value), errDupField)
		return
	}
	added, err := f.table.Add(field, value, expireMS)
	switch {
	case err != nil:
		f.b.fail(err)
	case !added:
		f.b.fail(errDupField)
	}
}

const errDupField = Corrupt("Duplicate hash fields detected")

// beginTable begins an empty table.
func (f *fields) beginTable() (err error) {
	if !f.timed {
		return f.b.hashes.Begin(f.b.sp, f.most, f.b.pausing)
	}
	f.table, err = hash.NewTable(f.b.sp, true)
	return err
}

// finishTable returns the table, or nothing after an error.
func (f *fields) finishTable() hash.Value {
	b := f.b
	if !f.timed && b.err == nil {
		var err error
		f.table, err = b.hashes.Finish()
		b.built(err, errDupField)
	}
	switch {
	case b.err != nil && f.timed:
		f.table.Free()
	case b.err != nil:
		b.hashes.Free()
	}
	return f.table
}

// enlarge makes the listpack a table.
func (f *fields) enlarge() {
	if err := f.beginTable(); err != nil {
		f.b.fail(err)
		return
	}
	f.large = true
	lp := finishListpack(f.pack, f.n*f.stride())
	var room, room2 [20]byte
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; {
		field, at := listpack.Take(lp, pos)
		value, at := listpack.Take(lp, at)
		expireMS := int64(0)
		if f.timed {
			var e listpack.Element
			e, at = listpack.Take(lp, at)
			expireMS = e.Int
		}
		f.addLarge(text(field, room[:0]), text(value, room2[:0]), expireMS)
		pos = at
	}
	f.b.keepPack(lp)
}

func (f *fields) stride() int {
	if f.timed {
		return 3
	}
	return 2
}

// text returns e as bytes, in room if it is an integer.
func text(e listpack.Element, room []byte) []byte {
	if e.IsInt {
		return e.Append(room)
	}
	return e.Bytes
}

// finish returns the hash. If a field is there twice that is an error, worded by twice.
func (f *fields) finish(twice Corrupt) hash.Value {
	b := f.b
	if f.large {
		return f.finishTable()
	}
	lp := finishListpack(f.pack, f.n*f.stride())
	b.keepPack(lp)
	if b.err == nil && b.unique.Validate(lp, f.stride()) != nil {
		b.fail(twice)
	}
	if b.err != nil {
		return hash.Value{}
	}
	v, err := hash.FromListpack(b.sp, b.lim, lp, f.timed)
	if err != nil {
		b.fail(err)
	}
	return v
}

func (b *builder) zipmap() hash.Value {
	z := b.text()
	if b.err != nil {
		return hash.Value{}
	}
	f := fields{b: b, pack: beginListpack(b.pack)}
	ok := eachInZipmap(z, func(field, value []byte) bool {
		f.add(field, value, 0)
		return b.err == nil
	})
	if !ok || f.n == 0 && !f.large {
		b.corrupt("Zipmap integrity check failed.")
	}
	return f.finish("Hash zipmap with dup elements, or big length")
}

// packedHash reads a hash that is a listpack or a ziplist.
func (b *builder) packedHash(t Type) hash.Value {
	if t == HashListpackEx {
		b.ms() // the first expiry, which the listpack tells as well
	}
	lp := b.text()
	what, timed := "Hash listpack", t == HashListpackPre || t == HashListpackEx
	if t == HashZiplist && b.err == nil {
		what = "Hash ziplist"
		lp = b.convertZiplist(lp, what)
	} else {
		b.count()
	}
	if b.err != nil {
		return hash.Value{}
	}
	stride := 2
	if timed {
		stride = 3
	}
	if b.unique.Validate(lp, stride) != nil || timed && !validExpiries(lp) {
		b.corrupt("%s integrity check failed.", what)
		return hash.Value{}
	}
	if listpack.First(lp) == 0 {
		b.fail(ErrEmpty)
		return hash.Value{}
	}
	v, err := hash.FromListpack(b.sp, b.lim, lp, timed)
	if err != nil {
		b.fail(err)
	}
	return v
}

// validExpiries tells whether every third element of lp is an expiry.
func validExpiries(lp []byte) bool {
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; {
		_, at := listpack.Take(lp, pos)
		_, at = listpack.Take(lp, at)
		e, next := listpack.Take(lp, at)
		if !e.IsInt || e.Int < 0 || e.Int > hash.MaxExpireMS {
			return false
		}
		pos = next
	}
	return true
}
