package resp

import "math"

// maxDigits is how long a number may be at most, with its sign.
const maxDigits = 20

// parseInt reads all of b as a signed 64-bit number the way the protocol wants
// it: no plus sign, no leading zeros, no "-0", no blanks.
func parseInt(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > maxDigits {
		return 0, false
	}
	neg := b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 1 && b[0] == '0' && !neg {
		return 0, true
	}
	if len(b) == 0 || b[0] == '0' {
		return 0, false
	}
	var u uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || u > (math.MaxUint64-d)/10 {
			return 0, false
		}
		u = u*10 + d
	}
	if neg {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}
