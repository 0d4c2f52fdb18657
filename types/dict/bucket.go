package dict

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

const (
	// Slots is the number of entries in a bucket.
	Slots = 12

	bucketBytes = 64
)

// Bucket is one cache line of slots. It lives off-heap: a *Bucket is valid until its table
// next changes.
type Bucket struct {
	fpLo uint64
	fpHi uint32
	next alloc.Ref
	refs [Slots]alloc.Ref
}

const (
	ones  = 0x0101010101010101
	low7  = 0x7f7f7f7f7f7f7f7f
	pack  = 0x0102040810204080
	allOf = 1<<Slots - 1
)

// zeroBytes returns a bit for each byte of x that is zero: bit i for byte i.
func zeroBytes(x uint64) uint32 {
	y := ^((x&low7 + low7) | x | low7) // 0x80 in the bytes that are zero
	return uint32((y >> 7) * pack >> 56)
}

// Match returns the set of slots with fingerprint fp: bit i for slot i.
func (b *Bucket) Match(fp uint8) uint32 {
	want := uint64(fp) * ones
	return zeroBytes(b.fpLo^want) | zeroBytes(uint64(b.fpHi)^want&0xffffffff|0xffffffff<<32)<<8
}

// Hits is Match with the set in another form, for [Slot]: that takes less than half the work.
func (b *Bucket) Hits(fp uint8) uint64 {
	const low32 = 1<<32 - 1
	lo, hi := b.fpLo^uint64(fp)*ones, b.fpHi^uint32(fp)*(ones&low32)
	lo = ^((lo&low7 + low7) | lo | low7) // 0x80 in the bytes that are zero
	hi = ^((hi&(low7&low32) + low7&low32) | hi | low7&low32)
	return lo>>7 | uint64(hi)>>6
}

// Slot returns the first slot of a set that [Bucket.Hits] has returned; m & (m - 1) is the set without it.
func Slot(m uint64) int {
	i := bits.TrailingZeros64(m) // 8 * slot, or 8 * (slot - 8) + 1
	return i>>3 | i&1<<3
}

// Used returns the set of occupied slots.
func (b *Bucket) Used() uint32 { return ^b.Match(0) & allOf }

// Ref returns the reference in slot i.
func (b *Bucket) Ref(i int) alloc.Ref { return b.refs[i] }

// SetRef replaces the reference in slot i by one of an entry with the same key.
func (b *Bucket) SetRef(i int, r alloc.Ref) { b.refs[i] = r }

func (b *Bucket) fp(i int) uint8 {
	if i < 8 {
		return uint8(b.fpLo >> (8 * i))
	}
	return uint8(b.fpHi >> (8 * (i - 8)))
}

func (b *Bucket) set(i int, fp uint8, r alloc.Ref) {
	b.refs[i] = r
	if i < 8 {
		s := 8 * i
		b.fpLo = b.fpLo&^(0xff<<s) | uint64(fp)<<s
		return
	}
	s := 8 * (i - 8)
	b.fpHi = b.fpHi&^(0xff<<s) | uint32(fp)<<s
}
