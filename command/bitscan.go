package command

import (
	"encoding/binary"
	"math/bits"
)

// countBits returns how many bits of b are set.
func countBits(b []byte) int64 {
	// Four sums of their own let the processor count four words at a time.
	var n0, n1, n2, n3 int
	for len(b) >= 32 {
		n0 += bits.OnesCount64(binary.LittleEndian.Uint64(b))
		n1 += bits.OnesCount64(binary.LittleEndian.Uint64(b[8:]))
		n2 += bits.OnesCount64(binary.LittleEndian.Uint64(b[16:]))
		n3 += bits.OnesCount64(binary.LittleEndian.Uint64(b[24:]))
		b = b[32:]
	}
	for len(b) >= 8 {
		n0 += bits.OnesCount64(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for _, c := range b {
		n1 += bits.OnesCount8(c)
	}
	return int64(n0 + n1 + n2 + n3)
}

// countBitRange returns how many of the bits [from, to) of b are set. The range is not empty and lies in b.
func countBitRange(b []byte, from, to int64) int64 {
	n := countBits(b[from/8 : (to+7)/8])
	n -= int64(bits.OnesCount8(b[from/8] &^ (0xff >> (from % 8))))
	if rest := to % 8; rest != 0 {
		n -= int64(bits.OnesCount8(b[to/8] & (0xff >> rest)))
	}
	return n
}

// findBit returns the offset of the first of the bits [from, to) of b that is set, or clear, or -1. The range is not
// empty and lies in b.
func findBit(b []byte, from, to int64, set bool) int64 {
	flip := byte(0) // makes the wanted bits ones
	if !set {
		flip = 0xff
	}
	i, end := from/8, (to+7)/8
	pos := int64(-1)
	if first := (b[i] ^ flip) & (0xff >> (from % 8)); first != 0 {
		pos = i*8 + int64(bits.LeadingZeros8(first))
	} else if n := firstDiffering(b[i+1:end], flip); n >= 0 {
		i += 1 + int64(n)
		pos = i*8 + int64(bits.LeadingZeros8(b[i]^flip))
	}
	if pos >= to {
		return -1
	}
	return pos
}

// firstDiffering returns the index of the first byte of b that is not fill, or -1. fill is 0 or 0xff.
func firstDiffering(b []byte, fill byte) int {
	word := uint64(0)
	if fill != 0 {
		word = ^word
	}
	at := 0
	for len(b)-at >= 32 {
		p := b[at : at+32]
		a := (binary.LittleEndian.Uint64(p) ^ word) | (binary.LittleEndian.Uint64(p[8:]) ^ word)
		b := (binary.LittleEndian.Uint64(p[16:]) ^ word) | (binary.LittleEndian.Uint64(p[24:]) ^ word)
		if a|b != 0 {
			break
		}
		at += 32
	}
	for ; at < len(b); at++ {
		if b[at] != fill {
			return at
		}
	}
	return -1
}
