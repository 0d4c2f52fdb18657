package rdb

import (
	"math/bits"
	"slices"

	"github.com/shoaldb/shoal/types/listpack"
)

// seen is a hash table in which to find what is there twice.
type seen struct {
	slots []uint64 // half of the hash | number + 1; 0: free
	mask  uint64
}

// reset empties the table and makes room for n things.
func (s *seen) reset(n int) {
	size := 1 << bits.Len(uint(2*n))
	s.slots = slices.Grow(s.slots[:0], size)[:size]
	clear(s.slots)
	s.mask = uint64(size - 1)
}

// add adds number i with a hash, and tells whether there is one that equals it already.
func (s *seen) add(hash uint64, i int, equals func(j int) bool) bool {
	const number = 1<<32 - 1
	at := hash & s.mask
	for s.slots[at] != 0 {
		if (s.slots[at]^hash)&^number == 0 && equals(int(s.slots[at]&number)-1) {
			return true
		}
		at = (at + 1) & s.mask
	}
	s.slots[at] = hash&^number | uint64(i+1)
	return false
}

// repeats tells whether two of the elements of lp are equal, of every stride the first, or whether the last stride is
// incomplete. lp is valid.
func (b *builder) repeats(lp []byte, stride int) bool {
	n := listpack.Len(lp)
	if n%stride != 0 {
		return true
	}
	b.seen.reset(n / stride)
	var room [20]byte
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; {
		e, next := listpack.Take(lp, pos)
		text := e.Bytes
		if e.IsInt {
			text = e.Append(room[:0])
		}
		if b.seen.add(b.sp.Hash(text), pos, func(j int) bool { return listpack.Get(lp, j).Equal(text) }) {
			return true
		}
		for range stride - 1 {
			next = listpack.Skip(lp, next)
		}
		pos = next
	}
	return false
}
