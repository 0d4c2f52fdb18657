package rdb

import (
	"math/bits"
	"slices"
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
