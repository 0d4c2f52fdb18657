package shard

import (
	"encoding/binary"
	"strconv"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

// SetMode says what becomes of a key's time to live when its value is replaced.
type SetMode struct {
	ExpireMS int64 // unix ms; 0: none
	Keep     bool  // keep what the key has
}

// blockValue is the payload of a string in a block of its own.
type blockValue struct {
	ref      alloc.Ref
	capacity int // bytes
	length   int // bytes
}

func readBlock(p []byte) blockValue {
	return blockValue{
		ref:      alloc.Ref(binary.LittleEndian.Uint32(p)),
		capacity: int(binary.LittleEndian.Uint32(p[4:])),
		length:   int(binary.LittleEndian.Uint64(p[8:])),
	}
}

func (v blockValue) write(p []byte) {
	binary.LittleEndian.PutUint32(p, uint32(v.ref))
	binary.LittleEndian.PutUint32(p[4:], uint32(v.capacity))
	binary.LittleEndian.PutUint64(p[8:], uint64(v.length))
}

// value returns the first n bytes of e's value in its block.
func (db *DB) value(e Entry, n int) []byte {
	off := keyOffset(e.h) + int(e.h.klen)
	if e.h.flags&flagLongKey != 0 {
		off = db.longKeyEnd(e)
	}
	return alloc.Behind(db.shard.arena, e.ref, e.h, off, n)
}

// longKeyEnd returns where the key of e, which has flagLongKey, ends in its block.
func (db *DB) longKeyEnd(e Entry) int {
	l := layoutOf(db.shard.arena, e.ref, e.h)
	return l.keyOffset() + l.klen
}

// Bytes returns the value of string e. The result aliases shard memory, or scratch (20 bytes at least) if the
// value is kept as an integer.
func (db *DB) Bytes(e Entry, scratch []byte) []byte {
	if e.h.flags&(flagBlock|flagLarge) == 0 && e.h.kind>>4 != uint8(types.Int) {
		return db.value(e, int(e.h.vlen))
	}
	return db.bytesSlow(e, scratch)
}

// bytesSlow is Bytes for a string that is an integer or not in its entry's block.
func (db *DB) bytesSlow(e Entry, scratch []byte) []byte {
	if e.h.flags&(flagBlock|flagLarge) != 0 {
		return db.outside(e.h, db.value(e, payloadBytes))
	}
	return strconv.AppendInt(scratch[:0], int64(binary.LittleEndian.Uint64(db.value(e, 8))), 10)
}

// outside returns a string that is not in its entry's block.
func (db *DB) outside(h *header, payload []byte) []byte {
	if h.flags&flagLarge != 0 {
		return db.shard.large[binary.LittleEndian.Uint32(payload)].bytes()
	}
	p := readBlock(payload)
	return db.shard.arena.Bytes(p.ref, p.length)
}

// Integer returns the value of e if it is a string kept as an integer.
func (db *DB) Integer(e Entry) (int64, bool) {
	if e.h.kind != uint8(types.String)|uint8(types.Int)<<4 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(db.value(e, 8))), true
}

// StrLen returns the length of string e in bytes.
func (db *DB) StrLen(e Entry) int {
	var scratch [20]byte
	return len(db.Bytes(e, scratch[:]))
}

// SetString sets k to value, whatever it held, in the encoding that Redis' SET would choose: int, embstr or
// raw. It reports false, with nothing changed, if there is no memory.
func (db *DB) SetString(k *Key, value []byte, m SetMode) bool {
	if n, ok := parseInt(value); ok {
		return db.SetInteger(k, n, m)
	}
	return db.SetText(k, value, m)
}

// SetRaw is SetString without a search for a smaller encoding, as after APPEND or SETRANGE.
func (db *DB) SetRaw(k *Key, value []byte, m SetMode) bool {
	return db.setBytes(k, value, types.Raw, m)
}

// SetText is SetString without the int encoding, as after INCRBYFLOAT.
func (db *DB) SetText(k *Key, value []byte, m SetMode) bool {
	if len(value) <= MaxEmbStr {
		return db.setBytes(k, value, types.EmbStr, m)
	}
	return db.setBytes(k, value, types.Raw, m)
}

// SetInteger sets k to n in the int encoding.
func (db *DB) SetInteger(k *Key, n int64, m SetMode) bool {
	e := db.Find(k)
	e, v, ok := db.overwrite(k, e, 0, 8, m)
	if !ok {
		return false
	}
	e.h.kind = uint8(types.String) | uint8(types.Int)<<4
	binary.LittleEndian.PutUint64(v, uint64(n))
	db.Modified(k)
	return true
}

// UpdateInteger replaces the value of e, which is kept as an integer, in place.
func (db *DB) UpdateInteger(e Entry, n int64) {
	db.keep(e)
	binary.LittleEndian.PutUint64(db.value(e, 8), uint64(n))
	db.modifiedEntry(e)
}

func (db *DB) setBytes(k *Key, value []byte, enc types.Encoding, m SetMode) bool {
	e := db.Find(k)
	if e.h != nil && db.replaceInPlace(k, e, value, enc, m) {
		db.Modified(k)
		return true
	}
	if headerBytes+12+len(k.Name)+len(value) > maxEmbed {
		return db.setOutside(k, e, value, enc, m)
	}
	e, v, ok := db.overwrite(k, e, 0, len(value), m)
	if !ok {
		return false
	}
	e.h.kind = uint8(types.String) | uint8(enc)<<4
	e.h.vlen = uint16(len(value))
	copy(v, value)
	db.Modified(k)
	return true
}

// replaceInPlace writes value over e's if that is an embedded string of the same length and neither the old nor the new
// one expires. It reports whether it did.
func (db *DB) replaceInPlace(k *Key, e Entry, value []byte, enc types.Encoding, m SetMode) bool {
	h := e.h
	if h.flags&(flagExpire|flagBlock|flagLarge) != 0 || m.ExpireMS != 0 || int(h.vlen) != len(value) || !h.embedded() {
		return false
	}
	db.keep(e)
	h.kind = uint8(types.String) | uint8(enc)<<4
	copy(db.value(e, len(value)), value)
	db.touch(k, e)
	return true
}

// setOutside stores a string that is too long to share a block with its key.
func (db *DB) setOutside(k *Key, e Entry, value []byte, enc types.Encoding, m SetMode) bool {
	if len(value) >= largeValue {
		l := db.shard.ks.NewLarge(len(value))
		if l == nil {
			return false
		}
		copy(l.Bytes(), value)
		return db.setLarge(k, e, l.l, m)
	}
	ref := db.shard.arena.Alloc(len(value))
	if ref == 0 {
		return false
	}
	copy(db.shard.arena.Bytes(ref, len(value)), value)
	e, v, ok := db.overwrite(k, e, flagBlock, payloadBytes, m)
	if !ok {
		db.shard.arena.Free(ref, len(value))
		return false
	}
	e.h.kind = uint8(types.String) | uint8(enc)<<4
	blockValue{ref: ref, capacity: len(value), length: len(value)}.write(v)
	db.Modified(k)
	return true
}

// overwrite gives k an entry for a new value of n bytes in its block and settles its expiry. form is flagBlock, flagLarge or
// 0. The old value is freed.
func (db *DB) overwrite(k *Key, e Entry, form uint8, n int, m SetMode) (Entry, []byte, bool) {
	db.keep(e)
	flags := form
	if m.ExpireMS != 0 || m.Keep && e.h != nil && e.h.flags&flagExpire != 0 {
		flags |= flagExpire
	}
	l := newLayout(k, flags, n)
	var payload [payloadBytes]byte
	outside, flagsWas, kindWas := false, uint8(0), uint8(0)
	wasMS := int64(0)
	if e.h != nil {
		wasMS = db.ExpireMS(e)
		if outside = e.h.outside(); outside {
			flagsWas, kindWas = e.h.flags, e.h.kind
			copy(payload[:], db.value(e, payloadBytes))
		}
	}
	at, v, ok := db.place(k, e, l)
	if !ok {
		return at, nil, false
	}
	if outside {
		if db.shard.waiting.places > 0 && types.Type(kindWas&15) == types.Stream {
			db.noteLost(k)
		}
		db.freeValue(flagsWas, kindWas, payload[:])
	}
	if e.h != nil {
		db.touch(k, at)
	}
	if wasMS|m.ExpireMS != 0 {
		db.settle(k, at, wasMS, m)
	}
	return at, v, true
}

// Grow makes string k at least n bytes long, filled up with zeros, in the raw encoding, and returns its bytes for
// writing; whoever changes them calls Modified. A missing key is created. The entry that e was is no longer valid. It
// returns nil if there is no memory.
func (db *DB) Grow(k *Key, e Entry, n int) []byte {
	db.keep(e)
	var scratch [20]byte
	var old []byte
	if e.h != nil {
		old = db.Bytes(e, scratch[:])
	}
	n = max(n, len(old))
	if e.h != nil && e.h.flags&(flagBlock|flagLarge) != 0 {
		return db.growOutside(k, e, n)
	}
	if headerBytes+12+len(k.Name)+n > maxEmbed {
		return db.moveOutside(k, e, old, n)
	}
	if e.h != nil && e.Encoding() != types.Int {
		if v := db.growInPlace(e, len(old), n); v != nil {
			return v
		}
	}
	return db.growEmbedded(k, e, old, n)
}

// growInPlace lengthens an embedded string of was bytes to n if the entry's block has room for it.
func (db *DB) growInPlace(e Entry, was, n int) []byte {
	a := db.shard.arena
	l := layoutOf(a, e.ref, e.h)
	size := l.size()
	l.value = n
	if alloc.UsableSize(size) != alloc.UsableSize(l.size()) {
		return nil
	}
	if was != n {
		a.Resize(e.ref, size, l.size())
	}
	e.h.kind = uint8(types.String) | uint8(types.Raw)<<4
	e.h.vlen = uint16(n)
	v := l.valueIn(a.Bytes(e.ref, l.size()))
	clear(v[was:])
	return v
}

// growEmbedded gives k a new entry for a string of n bytes that begins with old.
func (db *DB) growEmbedded(k *Key, e Entry, old []byte, n int) []byte {
	var keep [maxEmbed]byte
	copy(keep[:], old)
	was := len(old)
	e, v, ok := db.overwrite(k, e, 0, n, SetMode{Keep: true})
	if !ok {
		return nil
	}
	copy(v, keep[:was])
	clear(v[was:])
	e.h.kind = uint8(types.String) | uint8(types.Raw)<<4
	e.h.vlen = uint16(n)
	return v
}

// moveOutside takes a string that no longer fits its entry to a block or mapping of its own.
func (db *DB) moveOutside(k *Key, e Entry, old []byte, n int) []byte {
	if n >= largeValue {
		l := db.shard.ks.NewLarge(n)
		if l == nil {
			return nil
		}
		b := l.Bytes()
		copy(b, old)
		if !db.setLarge(k, e, l.l, SetMode{Keep: true}) {
			return nil
		}
		return b
	}
	a := db.shard.arena
	capacity := alloc.UsableSize(n + n/4)
	ref := a.Alloc(capacity)
	if ref == 0 {
		return nil
	}
	b := a.Bytes(ref, n)
	clear(b[copy(b, old):])
	e, v, ok := db.overwrite(k, e, flagBlock, payloadBytes, SetMode{Keep: true})
	if !ok {
		a.Free(ref, capacity)
		return nil
	}
	e.h.kind = uint8(types.String) | uint8(types.Raw)<<4
	blockValue{ref: ref, capacity: capacity, length: n}.write(v)
	return b
}

// growOutside lengthens a string that has a block or mapping of its own.
func (db *DB) growOutside(k *Key, e Entry, n int) []byte {
	block, l := db.block(e)
	payload := l.valueIn(block)
	if e.h.flags&flagLarge != 0 {
		return db.shard.growLarge(binary.LittleEndian.Uint32(payload), n)
	}
	p := readBlock(payload)
	a := db.shard.arena
	if n > p.capacity {
		old := a.Bytes(p.ref, p.length)
		if n >= largeValue {
			return db.moveOutside(k, e, old, n)
		}
		capacity := alloc.UsableSize(n + n/4)
		ref := a.Alloc(capacity)
		if ref == 0 {
			return nil
		}
		copy(a.Bytes(ref, capacity), old)
		a.Free(p.ref, p.capacity)
		p.ref, p.capacity = ref, capacity
	}
	b := a.Bytes(p.ref, n)
	clear(b[p.length:])
	p.length = n
	p.write(payload)
	e.h.kind = uint8(types.String) | uint8(types.Raw)<<4 // a short one after a long key was embstr
	return b
}
