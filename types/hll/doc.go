// Package hll is HyperLogLog in the two representations that Redis gives it, byte for byte: an estimate, with a standard
// error of 0.81 %, of how many different elements were added to a set that is not kept. A HyperLogLog is a plain string of
// bytes; see the PFADD and PFCOUNT pages of the Redis documentation.
//
// # Registers
//
// An element's 64-bit hash (MurmurHash64A) chooses one of 16384 registers by its low 14 bits; the element's rank is how many
// of the other 50 bits, from the lowest on, it takes to meet a one: 1 to 51. A register holds the highest rank it has met.
//
// # Bytes
//
//	0      "HYLL"
//	4      representation: 0 dense, 1 sparse
//	5-7    zero
//	8-15   cardinality when it was last computed, little endian; bit 63 set: out of date
//	16     registers
//
// Dense: 6 bits a register, from the lowest bit of the first byte on; 12288 bytes.
//
//	byte 16   byte 17   byte 18   byte 19
//	11000000  22221111  33333322  55444444  ...     (the number of the register that each bit belongs to)
//
// Sparse: runs of registers of the same value, which cover all 16384 in ascending order.
//
//	ZERO   00nnnnnn            n+1 registers are 0 (1 to 64)
//	XZERO  01nnnnnn nnnnnnnn   n+1 registers are 0 (1 to 16384), high bits first
//	VAL    1vvvvvnn            n+1 registers (1 to 4) are v+1 (1 to 32)
//
// A sparse one becomes dense when a register would exceed 32 or the string a given length. It never becomes sparse again.
//
// # Foreign bytes
//
// Clients can set any string, so nothing is believed but what [Valid] has checked, the header. Runs that do not cover exactly
// all registers are found by whoever walks them all, and then [ErrCorrupt] is returned; no bytes make a function fail
// otherwise.
package hll
