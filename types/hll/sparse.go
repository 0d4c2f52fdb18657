package hll

import (
	"slices"
	"strconv"
)

const (
	opZero  = 0x00
	opXZero = 0x40
	opVal   = 0x80

	maxZero      = 64 // registers that one ZERO covers
	maxValRun    = 4  // registers that one VAL covers
	maxSparse    = 32 // highest value of a VAL
	mostAdded    = 3  // bytes by which a change of one register lengthens the runs
	mergeOpcodes = 5  // how many opcodes, from the one before the change on, are looked at for equal neighbours
)

// spans is how many registers an opcode covers, by its first byte; 0 for an XZERO, which the second byte is needed for.
var spans = func() (t [256]uint8) {
	for op := range 256 {
		switch {
		case op&opVal != 0:
			t[op] = uint8(op&3 + 1)
		case op&opXZero == 0:
			t[op] = uint8(op + 1)
		}
	}
	return t
}()

func isXZero(op byte) bool { return op&(opVal|opXZero) == opXZero }
func isVal(op byte) bool   { return op&opVal != 0 }
func valOf(op byte) int    { return int(op>>2&31) + 1 }

// opAt returns the registers that the opcode at p covers and its length in bytes. An XZERO at the very end, whose second byte
// is missing, counts as if that were 0.
func opAt(b []byte, p int) (span, size int) {
	op := b[p]
	if span = int(spans[op]); span != 0 {
		return span, 1
	}
	span = int(op&^opXZero) << 8
	if p+1 < len(b) {
		span |= int(b[p+1])
	}
	return span + 1, 2
}

func appendZeros(dst []byte, n int) []byte {
	if n <= maxZero {
		return append(dst, byte(opZero|n-1))
	}
	return append(dst, byte(opXZero|(n-1)>>8), byte(n-1))
}

func appendVal(dst []byte, value, n int) []byte {
	return append(dst, byte(opVal|(value-1)<<2|n-1))
}

// walk calls f for each run of registers that are not 0.
func walk(b []byte, f func(first, n, value int)) error {
	first := 0
	for p := HeaderBytes; p < len(b); {
		span, size := opAt(b, p)
		if isVal(b[p]) {
			if first+span > Registers {
				return ErrCorrupt
			}
			f(first, span, valOf(b[p]))
		}
		first += span
		p += size
	}
	if first != Registers {
		return ErrCorrupt
	}
	return nil
}

// addSparse counts the registers of a sparse b.
func (h *histogram) addSparse(b []byte) error {
	total := 0
	for p := HeaderBytes; p < len(b); {
		span, size := opAt(b, p)
		value := 0
		if isVal(b[p]) {
			value = valOf(b[p])
		}
		h[value] += int32(span)
		total += span
		p += size
	}
	if total != Registers {
		return ErrCorrupt
	}
	return nil
}

func sparseLacks(b []byte, index, rank int) (bool, error) {
	var w writer
	if !w.find(b, index) {
		return true, ErrCorrupt
	}
	op := b[w.at.pos]
	return !isVal(op) || valOf(op) < rank, nil
}

// place is where an opcode stands and the first register it covers.
type place struct{ pos, first int }

// writer changes registers of a sparse HyperLogLog. If it changes several, in ascending order, it does not search each from
// the beginning. The zero writer begins there.
type writer struct {
	from place // an opcode before all that the last change may have touched; zero: the first one

	// What find has found:
	at     place // the opcode that covers the register
	prev   place // the one before; zero: none is known
	before place // and the one before that
}

// find looks for the opcode that covers register index.
func (w *writer) find(b []byte, index int) bool {
	at := w.from
	if at.pos == 0 {
		at.pos = HeaderBytes
	}
	var prev, before place
	for at.pos < len(b) {
		span, size := opAt(b, at.pos)
		if index < at.first+span {
			w.at, w.prev, w.before = at, prev, before
			return true
		}
		before, prev = prev, at
		at = place{at.pos + size, at.first + span}
	}
	return false
}

// set is Set for a sparse b. The bytes are those that Redis would come to: it splits the run that holds the register in up
// to three, and then joins equal VALs near by.
func (w *writer) set(b []byte, index, rank, sparseMax int) (_ []byte, changed bool, err error) {
	if rank > maxSparse {
		return promote(b, index, rank)
	}
	if !w.find(b, index) {
		return b, false, ErrCorrupt
	}
	p := w.at.pos
	op := b[p]
	if isVal(op) && valOf(op) >= rank {
		return b, false, nil
	}
	span, size := opAt(b, p)
	var room [5]byte
	seq := split(room[:0], op, index-w.at.first, w.at.first+span-1-index, rank)
	grown := len(seq) - size
	if grown > 0 && len(b)+grown > sparseMax {
		return promote(b, index, rank)
	}
	b = w.splice(b, p, size, seq)
	b = w.merge(b)
	if w.before.pos != 0 {
		w.from = w.before
	}
	Invalidate(b)
	return b, true, nil
}

// split appends the opcodes that stand for a run after one of its registers, which has left and right others of the run
// beside it, has become rank.
func split(dst []byte, op byte, left, right, rank int) []byte {
	part := func(dst []byte, n int) []byte {
		switch {
		case n == 0:
			return dst
		case isVal(op):
			return appendVal(dst, valOf(op), n)
		}
		return appendZeros(dst, n)
	}
	return part(appendVal(part(dst, left), rank, 1), right)
}

// splice replaces the size bytes at p by seq.
func (w *writer) splice(b []byte, p, size int, seq []byte) []byte {
	old, grown := len(b), len(seq)-size
	if grown == 0 {
		copy(b[p:], seq)
		return b
	}
	b = slices.Grow(b, mostAdded)[:max(old, old+grown)]
	if next := p + size; next < old {
		copy(b[next+grown:], b[next:old])
	}
	copy(b[p:], seq)
	return b[:old+grown]
}

// merge joins neighbouring VALs of the same value around the change, as far as their registers fit one.
func (w *writer) merge(b []byte) []byte {
	p := w.prev.pos
	if p == 0 {
		p = w.at.pos
	}
	for n := 0; n < mergeOpcodes && p < len(b); n++ {
		switch op := b[p]; {
		case isXZero(op):
			p += 2
		case isVal(op) && p+1 < len(b) && joinable(op, b[p+1]):
			b[p] = op + b[p+1]&3 + 1
			b = slices.Delete(b, p+1, p+2)
		default:
			p++
		}
	}
	return b
}

// joinable tells whether one VAL can stand for the VAL a and the opcode b after it.
func joinable(a, b byte) bool {
	return isVal(b) && valOf(a) == valOf(b) && spans[a]+spans[b] <= maxValRun
}

// promote makes b dense and sets a register.
func promote(b []byte, index, rank int) ([]byte, bool, error) {
	dense, err := ToDense(b)
	if err != nil {
		return b, false, err
	}
	setDense(dense, index, max(rank, denseRegister(dense, index)))
	Invalidate(dense)
	return dense, true, nil
}

// AppendOpcodes appends the opcodes of a sparse b as text: z:n (ZERO), Z:n (XZERO) and v:value,n (VAL), separated by blanks.
func AppendOpcodes(dst, b []byte) []byte {
	for p := HeaderBytes; p < len(b); {
		span, size := opAt(b, p)
		if p > HeaderBytes {
			dst = append(dst, ' ')
		}
		switch op := b[p]; {
		case isXZero(op):
			dst = append(dst, "Z:"...)
		case isVal(op):
			dst = append(dst, "v:"...)
			dst = strconv.AppendInt(dst, int64(valOf(op)), 10)
			dst = append(dst, ',')
		default:
			dst = append(dst, "z:"...)
		}
		dst = strconv.AppendInt(dst, int64(span), 10)
		p += size
	}
	return dst
}
