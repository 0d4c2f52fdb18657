package listpack

import (
	"encoding/binary"
	"math"
	"strconv"
)

// What the first byte of an element says. The first four kinds keep bits of a value or a length in the same byte.
const (
	tagString6  = 0x80
	tagInt13    = 0xC0
	tagString12 = 0xE0
	tagString32 = 0xF0
	tagInt16    = 0xF1
	tagInt24    = 0xF2
	tagInt32    = 0xF3
	tagInt64    = 0xF4
	end         = 0xFF
)

// maxIntText is the length of the longest text of an integer: math.MinInt64.
const maxIntText = 20

// Element is an element as it is stored: a string or an integer.
type Element struct {
	Bytes []byte // the string; it aliases the listpack
	Int   int64
	IsInt bool
}

// Append appends the element as text.
func (e Element) Append(dst []byte) []byte {
	if e.IsInt {
		return strconv.AppendInt(dst, e.Int, 10)
	}
	return append(dst, e.Bytes...)
}

// Len returns the length of the element as text.
func (e Element) Len() int {
	if !e.IsInt {
		return len(e.Bytes)
	}
	n, u := 1, uint64(e.Int)
	if e.Int < 0 {
		n, u = 2, -u
	}
	for ; u >= 10; u /= 10 {
		n++
	}
	return n
}

// Equal tells whether the element as text equals b.
func (e Element) Equal(b []byte) bool {
	if !e.IsInt { // also a number that somebody else stored as a string
		return string(e.Bytes) == string(b)
	}
	return e.equalInt(b)
}

// equalInt tells whether b is the text of the integer that e is.
func (e Element) equalInt(b []byte) bool {
	v, ok := ParseInt(b)
	return ok && v == e.Int
}

// ParseInt reads a canonical decimal integer: one that formatting the number gives again.
func ParseInt(b []byte) (v int64, ok bool) {
	if len(b) == 0 || len(b) > maxIntText || b[0] > '9' {
		return 0, false
	}
	digits, neg := b, b[0] == '-'
	if neg {
		digits = b[1:]
	}
	if len(digits) == 0 || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	var u uint64
	for i, c := range digits {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		if i >= 18 && (u > math.MaxUint64/10 || u*10 > math.MaxUint64-d) {
			return 0, false
		}
		u = u*10 + d
	}
	if neg {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}

// backSize returns how many bytes the back length n takes.
func backSize(n int) int {
	switch {
	case n <= 127:
		return 1
	case n < 1<<14-1:
		return 2
	case n < 1<<21-1:
		return 3
	case n < 1<<28-1:
		return 4
	}
	return 5
}

// putBack writes the back length n to the beginning of dst and returns its size.
func putBack(dst []byte, n int) int {
	if n <= 127 {
		dst[0] = byte(n)
		return 1
	}
	size := backSize(n)
	for i := size - 1; i > 0; i-- {
		dst[i] = byte(n) | 0x80
		n >>= 7
	}
	dst[0] = byte(n)
	return size
}

// intSize returns how many bytes v takes without its back length.
func intSize(v int64) int {
	switch {
	case uint64(v) < 1<<7:
		return 1
	case uint64(v+1<<12) < 1<<13:
		return 2
	case v == int64(int16(v)):
		return 3
	case uint64(v+1<<23) < 1<<24:
		return 4
	case v == int64(int32(v)):
		return 5
	}
	return 9
}

// stringSize returns how many bytes a string of n bytes takes without its back length.
func stringSize(n int) int {
	switch {
	case n < 1<<6:
		return 1 + n
	case n < 1<<12:
		return 2 + n
	}
	return 5 + n
}

// EncodedLen returns how many bytes elem takes in a listpack.
func EncodedLen(elem []byte) int {
	if v, ok := ParseInt(elem); ok {
		return intSize(v) + 1
	}
	n := stringSize(len(elem))
	return n + backSize(n)
}

// EncodedLenInt returns how many bytes v takes in a listpack.
func EncodedLenInt(v int64) int { return intSize(v) + 1 }

// putInt writes v as an element to the beginning of dst and returns its size.
func putInt(dst []byte, v int64) int {
	n := intSize(v)
	switch n {
	case 1:
		dst[0] = byte(v)
	case 2:
		dst[0], dst[1] = tagInt13|byte(v>>8)&0x1F, byte(v)
	case 3:
		dst[0], dst[1], dst[2] = tagInt16, byte(v), byte(v>>8)
	case 4:
		dst[0], dst[1], dst[2], dst[3] = tagInt24, byte(v), byte(v>>8), byte(v>>16)
	case 5:
		dst[0] = tagInt32
		binary.LittleEndian.PutUint32(dst[1:], uint32(v))
	default:
		dst[0] = tagInt64
		binary.LittleEndian.PutUint64(dst[1:], uint64(v))
	}
	dst[n] = byte(n)
	return n + 1
}

// putString writes s as a string element to the beginning of dst and returns its size.
func putString(dst, s []byte) int {
	n := stringSize(len(s))
	switch {
	case len(s) < 1<<6:
		dst[0] = tagString6 | byte(len(s))
		copy(dst[1:], s)
	case len(s) < 1<<12:
		dst[0], dst[1] = tagString12|byte(len(s)>>8), byte(len(s))
		copy(dst[2:], s)
	default:
		dst[0] = tagString32
		binary.LittleEndian.PutUint32(dst[1:], uint32(len(s)))
		copy(dst[5:], s)
	}
	return n + putBack(dst[n:], n)
}

// put writes elem to the beginning of dst and returns its size.
func put(dst, elem []byte) int {
	if v, ok := ParseInt(elem); ok {
		return putInt(dst, v)
	}
	return putString(dst, elem)
}
