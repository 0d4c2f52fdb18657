package listpack

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	headerSize = 6
	minSize    = headerSize + 1 // of an empty listpack
	manyElems  = 1<<16 - 1      // the count that says: count them
)

// empty is what an empty list without memory looks like. Nobody writes to it.
var empty = [minSize]byte{minSize, 0, 0, 0, 0, 0, end}

func header(lp []byte) (count int) { return int(binary.LittleEndian.Uint16(lp[4:])) }

// Len returns the number of elements. Of 65535 and more it has to visit each.
func Len(lp []byte) int {
	if n := header(lp); n != manyElems {
		return n
	}
	n := 0
	for pos := First(lp); pos != 0; pos = Next(lp, pos) {
		n++
	}
	return n
}

// First returns the position of the first element, 0 if there is none.
func First(lp []byte) int {
	if len(lp) == minSize {
		return 0
	}
	return headerSize
}

// Last returns the position of the last element, 0 if there is none.
func Last(lp []byte) int { return Prev(lp, len(lp)-1) }

// Next returns the position of the element after the one at pos, 0 if there is none.
func Next(lp []byte, pos int) int {
	if pos = Skip(lp, pos); pos < len(lp)-1 {
		return pos
	}
	return 0
}

// Prev returns the position of the element before the one at pos, 0 if there is none. The position after the last
// element is len(lp)-1.
func Prev(lp []byte, pos int) int {
	if pos <= headerSize {
		return 0
	}
	pos--
	b := lp[pos]
	n := int(b & 0x7F)
	for shift := 7; b&0x80 != 0; shift += 7 {
		pos--
		b = lp[pos]
		n |= int(b&0x7F) << shift
	}
	return pos - n
}

// Seek returns the position of the element with an index, from the end if that is negative (-1 is the last); 0 if there is
// none.
func Seek(lp []byte, index int) int {
	n := header(lp)
	if n != manyElems {
		if index < 0 {
			index += n
		}
		if uint(index) >= uint(n) {
			return 0
		}
		if index > n/2 {
			index -= n
		}
	}
	if index < 0 {
		pos := Last(lp)
		for ; index < -1 && pos != 0; index++ {
			pos = Prev(lp, pos)
		}
		return pos
	}
	pos := First(lp)
	for ; index > 0 && pos != 0; index-- {
		pos = Next(lp, pos)
	}
	return pos
}

// size returns how many bytes the element at pos takes without its back length.
func size(lp []byte, pos int) int {
	switch b := lp[pos]; {
	case b < tagString6:
		return 1
	case b < tagInt13:
		return 1 + int(b&0x3F)
	case b < tagString12:
		return 2
	case b < tagString32:
		return 2 + int(b&0x0F)<<8 + int(lp[pos+1])
	case b == tagString32:
		return 5 + int(binary.LittleEndian.Uint32(lp[pos+1:]))
	case b < tagInt64:
		return int(b) - tagInt16 + 3
	}
	return 9
}

// Skip returns the position after the element at pos, which is len(lp)-1 after the last element.
func Skip(lp []byte, pos int) int {
	if n := steps[lp[pos]]; n != 0 {
		return pos + int(n)
	}
	return skipLong(lp, pos)
}

func skipLong(lp []byte, pos int) int {
	n := size(lp, pos)
	return pos + n + backSize(n)
}

// Get returns the element at pos.
func Get(lp []byte, pos int) Element {
	b := lp[pos]
	if b&0xC0 == tagString6 {
		return Element{Bytes: lp[pos+1 : pos+1+int(b&0x3F)]}
	}
	if b < tagString6 {
		return Element{Int: int64(b), IsInt: true}
	}
	return getSlow(lp, pos)
}

// Take returns the element at pos and the position after it, which is len(lp)-1 after the last element.
func Take(lp []byte, pos int) (e Element, end int) {
	b := lp[pos]
	if b&0xC0 == tagString6 {
		end = pos + 1 + int(b&0x3F)
		return Element{Bytes: lp[pos+1 : end]}, end + 1
	}
	if b < tagString6 {
		return Element{Int: int64(b), IsInt: true}, pos + 2
	}
	return getSlow(lp, pos), Skip(lp, pos)
}

// TakeInt is Take of an integer. Of a string, ok is false.
func TakeInt(lp []byte, pos int) (v int64, end int, ok bool) {
	switch b := lp[pos]; {
	case b < tagString6:
		return int64(b), pos + 2, true
	case b < tagInt13 || b >= tagString12 && b <= tagString32:
		return 0, 0, false
	case b < tagString12:
		v := uint16(b)<<11 | uint16(lp[pos+1])<<3
		return int64(int16(v) >> 3), pos + 3, true
	case b == tagInt16:
		return int64(int16(binary.LittleEndian.Uint16(lp[pos+1:]))), pos + 4, true
	}
	return getSlow(lp, pos).Int, Skip(lp, pos), true
}

func getSlow(lp []byte, pos int) Element {
	switch b := lp[pos]; {
	case b < tagString12:
		v := uint16(b)<<11 | uint16(lp[pos+1])<<3
		return Element{Int: int64(int16(v) >> 3), IsInt: true}
	case b < tagString32:
		n := int(b&0x0F)<<8 + int(lp[pos+1])
		return Element{Bytes: lp[pos+2 : pos+2+n]}
	case b == tagString32:
		n := int(binary.LittleEndian.Uint32(lp[pos+1:]))
		return Element{Bytes: lp[pos+5 : pos+5+n]}
	case b == tagInt16:
		return Element{Int: int64(int16(binary.LittleEndian.Uint16(lp[pos+1:]))), IsInt: true}
	case b == tagInt24:
		v := uint32(lp[pos+1])<<8 | uint32(lp[pos+2])<<16 | uint32(lp[pos+3])<<24
		return Element{Int: int64(int32(v) >> 8), IsInt: true}
	case b == tagInt32:
		return Element{Int: int64(int32(binary.LittleEndian.Uint32(lp[pos+1:]))), IsInt: true}
	}
	return Element{Int: int64(binary.LittleEndian.Uint64(lp[pos+1:])), IsInt: true}
}

// Find returns the position of the first element that equals b, looking at the one at pos (which may be 0 for none) and
// from there at every (skip+1)th; 0 if there is none.
func Find(lp []byte, pos int, b []byte, skip int) int {
	if pos == 0 {
		return 0
	}
	if v, ok := ParseInt(b); ok {
		return findInt(lp, pos, v, b, skip)
	}
	return findString(lp, pos, b, skip)
}

func findString(lp []byte, pos int, b []byte, step int) int {
	last := len(lp) - 1
	for pos < last {
		if t := lp[pos]; t&0xC0 == tagString6 {
			n := int(t & 0x3F)
			if n == len(b) && string(lp[pos+1:pos+1+n]) == string(b) {
				return pos
			}
			pos += n + 2
		} else {
			if e := Get(lp, pos); !e.IsInt && string(e.Bytes) == string(b) {
				return pos
			}
			pos = Skip(lp, pos)
		}
		for range step {
			if pos >= last {
				return 0
			}
			pos = Skip(lp, pos)
		}
	}
	return 0
}

// findInt also finds the text of v where somebody else stored it as a string.
func findInt(lp []byte, pos int, v int64, text []byte, step int) int {
	last := len(lp) - 1
	for pos < last {
		if e := Get(lp, pos); e.IsInt && e.Int == v || !e.IsInt && string(e.Bytes) == string(text) {
			return pos
		}
		for i := 0; i <= step; i++ {
			if pos >= last {
				return 0
			}
			pos = Skip(lp, pos)
		}
	}
	return 0
}

var errSize = errors.New("listpack: wrong size in the header")

// Validate tells whether bytes from outside are a listpack that the functions of this package can work on. If deep it
// looks at every element, otherwise only at what stands around them.
func Validate(lp []byte, deep bool) error {
	if len(lp) < minSize || uint64(binary.LittleEndian.Uint32(lp)) != uint64(len(lp)) {
		return errSize
	}
	if lp[len(lp)-1] != end {
		return errors.New("listpack: no end mark")
	}
	if !deep {
		return nil
	}
	pos, n := headerSize, 0
	for last := len(lp) - 1; pos < last; n++ {
		next := validShort(lp, pos)
		if next == 0 {
			var ok bool
			if next, ok = validElement(lp, pos); !ok {
				return damaged(pos)
			}
		}
		pos = next
	}
	if count := header(lp); count != manyElems && count != n {
		return errCount
	}
	return nil
}

func damaged(pos int) error { return fmt.Errorf("listpack: the element at offset %d is damaged", pos) }

// CheckedNext checks the element at pos, which is before the end mark, and returns the position after it, which is
// len(lp)-1 after the last one. With it a listpack that Validate has found to be one, though not deep, can be gone through.
func CheckedNext(lp []byte, pos int) (next int, ok bool) {
	if next = validShort(lp, pos); next != 0 {
		return next, true
	}
	return validElement(lp, pos)
}

// steps are the bytes, with one of a back length, that elements take whose first byte says so; 0 of all others.
var steps = func() (t [256]uint8) {
	for b := range t {
		switch {
		case b < tagString6:
			t[b] = 2
		case b < tagInt13:
			t[b] = 2 + uint8(b&0x3F)
		case b < tagString12:
			t[b] = 3
		}
	}
	t[tagInt16], t[tagInt24], t[tagInt32], t[tagInt64] = 4, 5, 6, 10
	return t
}()

// validShort is validElement for all but long strings, of which, as of what is damaged, it returns 0.
func validShort(lp []byte, pos int) (next int) {
	n := int(steps[lp[pos]])
	next = pos + n
	if next < len(lp) && n != 0 && int(lp[next-1]) == n-1 {
		return next
	}
	return 0
}

// validElement checks one element before the end mark and returns the position after it.
func validElement(lp []byte, pos int) (next int, ok bool) {
	last := len(lp) - 1
	if lp[pos] > tagInt64 {
		return 0, false
	}
	need := 1 // bytes that size looks at
	switch b := lp[pos]; {
	case b == tagString32:
		need = 5
	case b >= tagString12 && b < tagString32:
		need = 2
	}
	if pos+need > last {
		return 0, false
	}
	n := size(lp, pos)
	next = pos + n + backSize(n)
	if next > last {
		return 0, false
	}
	if next == pos+n+1 {
		return next, int(lp[pos+n]) == n
	}
	var back [5]byte
	return next, string(lp[pos+n:next]) == string(back[:putBack(back[:], n)])
}
