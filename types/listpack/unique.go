package listpack

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"math/rand/v2"
)

// Unique validates listpacks in which elements stand in groups, as fields and their values do, and no two groups begin
// with the same element. The zero Unique is ready to use; its memory serves for one listpack after the other.
type Unique struct {
	slots []uint64 // half of the hash | position of an element; 0: free
	seed  uint64   // random, so that nobody can choose elements that all collide
}

var (
	errGroup = errors.New("listpack: the last group is incomplete")
	errTwice = errors.New("listpack: an element is there twice")
	errCount = errors.New("listpack: not as many elements as the header says")
)

// Validate tells whether bytes from outside are a listpack of groups of stride elements, as Validate does if deep is true,
// and whether the first elements of all groups differ as texts.
func (u *Unique) Validate(lp []byte, stride int) error {
	if err := Validate(lp, false); err != nil {
		return err
	}
	count := header(lp)
	if count == manyElems {
		if err := Validate(lp, true); err != nil {
			return err
		}
		count = Len(lp)
	}
	if count%stride != 0 {
		return errGroup
	}
	if count > len(lp)/2 {
		return errCount
	}
	u.reset(count / stride)
	pos, last := headerSize, len(lp)-1
	for groups := count / stride; groups > 0; groups-- {
		first := pos
		for range stride {
			if pos >= last {
				return errCount
			}
			next := validShort(lp, pos)
			if next == 0 {
				var ok bool
				if next, ok = validElement(lp, pos); !ok {
					return damaged(pos)
				}
			}
			pos = next
		}
		if u.add(lp, first) {
			return errTwice
		}
	}
	if pos != last {
		return errCount
	}
	return nil
}

// reset empties the table and makes room for n elements.
func (u *Unique) reset(n int) {
	const kept = 1 << 16
	size := 1 << bits.Len(uint(2*n))
	if cap(u.slots) < size || cap(u.slots) > kept && size <= kept {
		u.slots = make([]uint64, size)
	} else {
		u.slots = u.slots[:size]
		clear(u.slots)
	}
	if u.seed == 0 {
		u.seed = rand.Uint64() | 1
	}
}

// add adds the element at pos, and tells whether an equal one is there.
func (u *Unique) add(lp []byte, pos int) bool {
	const place = 1<<32 - 1
	hash := u.hash(lp, pos)
	mask := len(u.slots) - 1
	for at := int(hash) & mask; ; at = (at + 1) & mask {
		slot := u.slots[at]
		if slot == 0 {
			u.slots[at] = hash&^place | uint64(pos)
			return false
		}
		if (slot^hash)&^place == 0 && same(lp, int(slot&place), pos) {
			return true
		}
	}
}

// same tells whether two elements are equal as texts.
func same(lp []byte, a, b int) bool {
	x, y := Get(lp, a), Get(lp, b)
	if x.IsInt && y.IsInt {
		return x.Int == y.Int
	}
	if x.IsInt {
		return x.equalInt(y.Bytes)
	}
	var room [maxIntText]byte
	return x.Equal(y.Append(room[:0]))
}

// hash returns a hash of the text of the element at pos. What is the text of an integer has the integer's hash, whether it is
// stored as one or not.
func (u *Unique) hash(lp []byte, pos int) uint64 {
	b := lp[pos]
	if b < tagString6 {
		return mix(u.seed, uint64(b))
	}
	at, n := pos+1, int(b&0x3F)
	if b >= tagInt13 {
		e := Get(lp, pos)
		if e.IsInt {
			return mix(u.seed, uint64(e.Int))
		}
		n = len(e.Bytes)
		at = pos + size(lp, pos) - n
	}
	if n > 0 && lp[at] <= '9' {
		if v, ok := ParseInt(lp[at : at+n]); ok {
			return mix(u.seed, uint64(v))
		}
	}
	return u.hashText(lp, at, n)
}

// hashText returns a hash of lp[at:at+n].
func (u *Unique) hashText(lp []byte, at, n int) uint64 {
	h := u.seed ^ uint64(n)<<56
	if n >= 8 {
		tail := binary.LittleEndian.Uint64(lp[at+n-8:])
		for ; n > 8; n -= 8 {
			h = mix(h, binary.LittleEndian.Uint64(lp[at:]))
			at += 8
		}
		return mix(h, tail)
	}
	if at+8 <= len(lp) {
		return mix(h, binary.LittleEndian.Uint64(lp[at:])&(1<<(8*n)-1))
	}
	w := uint64(0)
	for i := range n {
		w |= uint64(lp[at+i]) << (8 * i)
	}
	return mix(h, w)
}

// mix adds w to the hash h.
func mix(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^w, 0x9E3779B97F4A7C15)
	return hi ^ lo ^ h
}
