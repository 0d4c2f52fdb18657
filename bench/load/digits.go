package load

import "encoding/binary"

// keyDigits is the width of __rand_int__: keys are numbered with twelve decimal digits.
const keyDigits = 12

// maxKeys is the largest key space that twelve digits can number.
const maxKeys = 1_000_000_000_000

// putDigits writes n (below maxKeys) as twelve decimal digits to the start of dst.
func putDigits(dst []byte, n uint64) {
	_ = dst[keyDigits-1]
	high, low := n/100_000_000, n%100_000_000
	binary.LittleEndian.PutUint32(dst, uint32(digits8(high)>>32))
	binary.LittleEndian.PutUint64(dst[4:], digits8(low))
}

// digits8 gives the eight decimal digits of n as ASCII, the first digit in the lowest byte.
// Each step splits all lanes of the word at once: 8 digits to 4+4, to 2+2+2+2, to single ones;
// the multipliers are reciprocals of 100 and 10, exact over the range of a lane.
func digits8(n uint64) uint64 {
	v := n/10_000 | n%10_000<<32
	q := v * 10486 >> 20 & 0x0000007f_0000007f
	v = q | (v-q*100)<<16
	q = v * 103 >> 10 & 0x000f000f_000f000f
	v = q | (v-q*10)<<8
	return v + 0x30303030_30303030
}
