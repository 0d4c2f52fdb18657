package hll

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

const (
	// Registers is how many registers there are.
	Registers = 1 << indexBits
	// HeaderBytes is the length of what stands before the registers.
	HeaderBytes = 16
	// DenseBytes is the length of a dense HyperLogLog.
	DenseBytes = HeaderBytes + Registers*registerBits/8

	indexBits    = 14
	rankBits     = 64 - indexBits
	registerBits = 6
	maxRegister  = 1<<registerBits - 1

	magic      = "HYLL"
	formAt     = 4
	cachedAt   = 8
	outOfDate  = 0x80 // in the last byte of the cached cardinality
	formDense  = 0
	formSparse = 1
)

// ErrCorrupt says that the runs of a sparse HyperLogLog do not cover all registers, each once.
var ErrCorrupt = errors.New("corrupt HyperLogLog")

// Valid tells whether b has the header of a HyperLogLog and, if that says dense, the length of one. All other functions
// want such bytes.
func Valid(b []byte) bool {
	return len(b) >= HeaderBytes && string(b[:len(magic)]) == magic &&
		(b[formAt] == formSparse || b[formAt] == formDense && len(b) == DenseBytes)
}

// IsDense tells which representation b is in.
func IsDense(b []byte) bool { return b[formAt] == formDense }

// AppendEmpty appends a HyperLogLog of no elements, which is sparse and has 18 bytes.
func AppendEmpty(dst []byte) []byte {
	dst = append(dst, magic...)
	dst = append(dst, formSparse, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	return appendZeros(dst, Registers)
}

// Hash returns the register that elem belongs to and its rank.
func Hash(elem []byte) (index, rank int) {
	h := murmur(elem, hashSeed)
	return int(h & (Registers - 1)), bits.TrailingZeros64(h>>indexBits|1<<rankBits) + 1
}

// Lacks tells whether register index of b is below rank, so that [Set] would change it.
func Lacks(b []byte, index, rank int) (bool, error) {
	if IsDense(b) {
		return denseRegister(b, index) < rank, nil
	}
	return sparseLacks(b, index, rank)
}

// Set raises register index to rank, unless it is there already, and puts the cached cardinality out of date if it has
// changed the register. A sparse b becomes dense if the rank or a length of more than sparseMax bytes demands it. The result
// is b, changed in place, or a new slice. After ErrCorrupt b is as it was.
func Set(b []byte, index, rank, sparseMax int) (_ []byte, changed bool, err error) {
	if !IsDense(b) {
		var w writer
		return w.set(b, index, rank, sparseMax)
	}
	if denseRegister(b, index) >= rank {
		return b, false, nil
	}
	setDense(b, index, rank)
	Invalidate(b)
	return b, true, nil
}

// Cached returns the cardinality that b was last found to have; ok is false if b has changed since.
func Cached(b []byte) (n uint64, ok bool) {
	return binary.LittleEndian.Uint64(b[cachedAt:]), b[HeaderBytes-1]&outOfDate == 0
}

// SetCached keeps n as the cardinality of b.
func SetCached(b []byte, n uint64) { binary.LittleEndian.PutUint64(b[cachedAt:], n) }

// Invalidate puts the cached cardinality out of date.
func Invalidate(b []byte) { b[HeaderBytes-1] |= outOfDate }

// hashSeed is Redis'; another one would make existing HyperLogLogs meaningless.
const hashSeed = 0xadc83b19

// murmur is MurmurHash64A by Austin Appleby (public domain).
func murmur(b []byte, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(b))*m
	for len(b) >= 8 {
		k := binary.LittleEndian.Uint64(b) * m
		h = (h ^ (k^k>>r)*m) * m
		b = b[8:]
	}
	if len(b) > 0 {
		var k uint64
		for i, c := range b {
			k |= uint64(c) << (8 * i)
		}
		h = (h ^ k) * m
	}
	h = (h ^ h>>r) * m
	return h ^ h>>r
}
