package command

import (
	"encoding/binary"

	"github.com/shoaldb/shoal/shard"
)

type bitfieldVerb uint8

const (
	bitfieldGet bitfieldVerb = iota
	bitfieldSet
	bitfieldIncr
)

// bitfieldOverflow says what becomes of a result that does not fit its field.
type bitfieldOverflow uint8

const (
	overflowWrap bitfieldOverflow = iota
	overflowSat
	overflowFail
)

// bitfieldOp is one operation of BITFIELD.
type bitfieldOp struct {
	verb     bitfieldVerb
	overflow bitfieldOverflow
	field    field
	operand  int64
}

// field is an integer in a string of bits, highest bit first.
type field struct {
	offset int64 // of its first bit
	width  uint  // bits: 1-64 if signed, else 1-63
	signed bool
}

// last returns the offset of the field's last bit.
func (f field) last() int64 { return f.offset + int64(f.width) - 1 }

func bitfield(c *Ctx) {
	var room [8]bitfieldOp
	ops, last, ok := c.parseBitfield(room[:0])
	if !ok {
		return
	}
	if last < 0 {
		c.readBitfield(ops)
		return
	}
	k := &c.Keys[0]
	v, grown := c.growForBits(k, last)
	if v == nil {
		return
	}
	changes := 0
	c.Reply.Array(len(ops))
	for i := range ops {
		if f := ops[i].field; ops[i].verb != bitfieldGet {
			k.Changing(int(f.offset>>3), int(f.last()>>3)+1)
		}
		wrote, changed := c.runBitfieldOp(v, &ops[i])
		if changed || grown && wrote {
			changes++
		}
	}
	if changes > 0 || grown {
		k.DB.Modified(k)
	}
	if changes > 0 {
		c.Notify(NotifyString, "setbit", k.Name)
	} else if grown {
		changes = 1 // every write failed, but replicas must lengthen the string too
	}
	c.Changed(changes)
}

func bitfieldRO(c *Ctx) {
	var room [8]bitfieldOp
	ops, last, ok := c.parseBitfield(room[:0])
	if !ok {
		return
	}
	if last >= 0 {
		c.Error(ErrBitfieldReadOnly)
		return
	}
	c.readBitfield(ops)
}

// parseBitfield appends the operations that the arguments ask for to ops. last is the offset of the last bit
// that one of them writes, or -1. It replies with an error and returns false if the arguments are wrong.
func (c *Ctx) parseBitfield(ops []bitfieldOp) (_ []bitfieldOp, last int64, ok bool) {
	last = -1
	overflow := overflowWrap
	for i := 2; i < len(c.Args); {
		rest := len(c.Args) - i - 1
		op := bitfieldOp{overflow: overflow}
		switch {
		case rest >= 2 && c.isOption(i, "GET"):
			op.verb = bitfieldGet
		case rest >= 3 && c.isOption(i, "SET"):
			op.verb = bitfieldSet
		case rest >= 3 && c.isOption(i, "INCRBY"):
			op.verb = bitfieldIncr
		case rest >= 1 && c.isOption(i, "OVERFLOW"):
			if overflow, ok = c.parseOverflow(i + 1); !ok {
				return nil, 0, false
			}
			i += 2
			continue
		default:
			c.Error(ErrSyntax)
			return nil, 0, false
		}
		if op.field, ok = c.parseField(i + 1); !ok {
			return nil, 0, false
		}
		i += 3
		if op.verb != bitfieldGet {
			last = max(last, op.field.last())
			if op.operand, ok = c.intArg(i); !ok {
				return nil, 0, false
			}
			i++
		}
		ops = append(ops, op)
	}
	return ops, last, true
}

func (c *Ctx) parseOverflow(i int) (bitfieldOverflow, bool) {
	switch {
	case c.isOption(i, "WRAP"):
		return overflowWrap, true
	case c.isOption(i, "SAT"):
		return overflowSat, true
	case c.isOption(i, "FAIL"):
		return overflowFail, true
	}
	c.Error(ErrBitfieldOverflow)
	return 0, false
}

// parseField parses a type such as i16 or u8 and the offset after it.
func (c *Ctx) parseField(i int) (f field, ok bool) {
	t := c.Args[i]
	if len(t) > 0 && (t[0] == 'i' || t[0] == 'u') {
		f.signed = t[0] == 'i'
		width, isInt := shard.ParseInt(t[1:])
		widest := int64(63)
		if f.signed {
			widest = 64
		}
		ok = isInt && width >= 1 && width <= widest
		f.width = uint(width)
	}
	if !ok {
		c.Error(ErrBitfieldType)
		return f, false
	}
	f.offset, ok = c.parseBitOffset(c.Args[i+1], int64(f.width))
	return f, ok
}

// readBitfield runs operations that are all GET.
func (c *Ctx) readBitfield(ops []bitfieldOp) {
	k := &c.Keys[0]
	e := c.lookup(k)
	var v []byte
	if e.Exists() {
		if !c.isString(e) {
			return
		}
		v = k.DB.Bytes(e, c.scratch[:])
	}
	c.Reply.Array(len(ops))
	for i := range ops {
		c.Reply.Int(ops[i].field.get(v))
	}
}

// runBitfieldOp runs op on v and replies. It returns whether it has written and whether that changed the field.
func (c *Ctx) runBitfieldOp(v []byte, op *bitfieldOp) (wrote, changed bool) {
	f := op.field
	was := f.get(v)
	if op.verb == bitfieldGet {
		c.Reply.Int(was)
		return false, false
	}
	base, by := was, op.operand
	if op.verb == bitfieldSet {
		base, by = op.operand, 0
	}
	now, ok := f.sum(base, by, op.overflow)
	if !ok {
		c.Reply.Null()
		return false, false
	}
	f.put(v, now)
	if op.verb == bitfieldSet {
		c.Reply.Int(was)
	} else {
		c.Reply.Int(now)
	}
	return true, now != was
}

// get returns the field's value in v, which counts as followed by zeros.
func (f field) get(v []byte) int64 {
	w, _ := f.window(v)
	if f.signed {
		return int64(w) >> (64 - f.width)
	}
	return int64(w >> (64 - f.width))
}

// window returns the 64 bits of v from the field's first one on, and the 9 bytes that hold them.
func (f field) window(v []byte) (w uint64, b [9]byte) {
	if i := f.offset >> 3; i < int64(len(v)) {
		copy(b[:], v[i:])
	}
	shift := uint(f.offset & 7)
	return binary.BigEndian.Uint64(b[:])<<shift | uint64(b[8])>>(8-shift), b
}

// put writes n, of which only the field's bits count, to v, which has them.
func (f field) put(v []byte, n int64) {
	shift := uint(f.offset & 7)
	_, b := f.window(v)
	mask := ^uint64(0) << (64 - f.width)
	bits := uint64(n) << (64 - f.width)
	hi := binary.BigEndian.Uint64(b[:])
	binary.BigEndian.PutUint64(b[:], hi&^(mask>>shift)|bits>>shift)
	b[8] = b[8]&^byte(mask<<(8-shift)) | byte(bits<<(8-shift))
	copy(v[f.offset>>3:], b[:(shift+f.width+7)/8])
}

// sum returns a+b, or what overflow makes of it where it does not fit the field; ok is false if it is to fail.
// b is 0 unless a fits.
func (f field) sum(a, b int64, overflow bitfieldOverflow) (n int64, ok bool) {
	lowest, highest := f.bounds()
	above, below := f.exceeds(a, b, lowest, highest)
	switch {
	case !above && !below:
		return a + b, true
	case overflow == overflowFail:
		return 0, false
	case overflow == overflowWrap:
		return f.wrap(a + b), true
	case above:
		return highest, true
	}
	return lowest, true
}

// bounds returns the smallest and the largest value of the field.
func (f field) bounds() (lowest, highest int64) {
	if f.signed {
		highest = int64(1<<(f.width-1) - 1)
		return -highest - 1, highest
	}
	return 0, int64(uint64(1)<<f.width - 1)
}

// exceeds tells whether a+b is too large or too small. A negative number is too large for an unsigned field, as it is taken
// for the unsigned one of the same bits. Signed fields compare with differences that may wrap around, as redis does: SET
// with OVERFLOW SAT takes a number close to the smallest int64 for a large one.
func (f field) exceeds(a, b, lowest, highest int64) (above, below bool) {
	switch {
	case !f.signed:
		return a < 0 || a > highest || b > highest-a, b < 0 && b < -a
	case f.width == 64:
		return a >= 0 && b > highest-a, a < 0 && b < lowest-a
	}
	return a > highest || b > highest-a, a < lowest || b < lowest-a
}

// wrap returns the low bits of n, as many as the field has, as its value.
func (f field) wrap(n int64) int64 {
	if f.signed {
		return n << (64 - f.width) >> (64 - f.width)
	}
	return int64(uint64(n) << (64 - f.width) >> (64 - f.width))
}
