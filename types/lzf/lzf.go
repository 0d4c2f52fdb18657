package lzf

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

const (
	maxLiteral = 1 << 5
	maxOffset  = 1 << 13
	minMatch   = 3
	maxMatch   = 9 + 1<<8 - 1
)

// ErrCorrupt says that bytes are not what compression made of as many bytes as expected.
var ErrCorrupt = errors.New("lzf: corrupt input")

// A table of positions is cleared before each use, so a short input gets a small one, and a very short one a table of bytes.
const (
	smallBits, smallInput = 8, 512
	tinyInput             = 254
	largeBits             = 12
)

// Compress appends src to dst, compressed to at most limit bytes. It reports false, with dst as it was, if they do not suffice:
// bytes that do not compress grow by 1/32. src is smaller than 4 GiB.
func Compress(dst, src []byte, limit int) ([]byte, bool) {
	if len(src) <= tinyInput {
		var seen [1 << smallBits]uint8
		return compress(dst, src, limit, seen[:], 32-smallBits)
	}
	if len(src) <= smallInput {
		var seen [1 << smallBits]uint32
		return compress(dst, src, limit, seen[:], 32-smallBits)
	}
	var seen [1 << largeBits]uint32
	return compress(dst, src, limit, seen[:], 32-largeBits)
}

// compress is Compress with a table that has, for a hash of three bytes, the position after the last place where they
// began. A hash is what of 32 bits remains after a shift.
func compress[P uint8 | uint32](dst, src []byte, limit int, seen []P, shift uint) ([]byte, bool) {
	start := len(dst)
	literal, i := 0, 0 // src[literal:i] is not written yet
	for i+minMatch < len(src) {
		v := binary.LittleEndian.Uint32(src[i:])
		h := hash(v, shift) & uint32(len(seen)-1)
		ref := int(seen[h]) - 1
		seen[h] = P(i + 1)
		if ref < 0 || i-ref > maxOffset || (binary.LittleEndian.Uint32(src[ref:])^v)<<8 != 0 {
			// Bytes that did not match for long will hardly do so now.
			i += 1 + (i-literal)>>6
			continue
		}
		n := matchLen(src, ref, i)
		dst = appendLiterals(dst, src[literal:i])
		dst = appendMatch(dst, i-ref-1, n)
		if len(dst)-start > limit {
			return dst[:start], false
		}
		i += n
		literal = i
		// Of the places within the match two are noted: more find little more, and take long.
		for j := i - 2; j < i && j+minMatch < len(src); j++ {
			seen[hash(binary.LittleEndian.Uint32(src[j:]), shift)&uint32(len(seen)-1)] = P(j + 1)
		}
	}
	if rest := len(src) - literal; len(dst)-start+rest+(rest+maxLiteral-1)/maxLiteral > limit {
		return dst[:start], false
	}
	return appendLiterals(dst, src[literal:]), true
}

// hash hashes the first three bytes of v.
func hash(v uint32, shift uint) uint32 { return v << 8 * 0x9E3779B1 >> shift }

// matchLen returns how many bytes from ref and from i are the same.
func matchLen(src []byte, ref, i int) int {
	most := min(maxMatch, len(src)-i)
	n := minMatch
	for n+8 <= most {
		if x := binary.LittleEndian.Uint64(src[ref+n:]) ^ binary.LittleEndian.Uint64(src[i+n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		n += 8
	}
	for n < most && src[ref+n] == src[i+n] {
		n++
	}
	return n
}

func appendLiterals(dst, b []byte) []byte {
	for len(b) > 0 {
		n := min(len(b), maxLiteral)
		dst = append(dst, byte(n-1))
		dst = append(dst, b[:n]...)
		b = b[n:]
	}
	return dst
}

func appendMatch(dst []byte, offset, n int) []byte {
	if n -= 2; n < 7 {
		return append(dst, byte(n<<5|offset>>8), byte(offset))
	}
	return append(dst, byte(7<<5|offset>>8), byte(n-7), byte(offset))
}

// Decompress fills dst with what src was made of. Whatever src is, nothing outside the two is touched. Short runs are
// copied as whole words where there is room: what is too much is overwritten by what follows.
func Decompress(dst, src []byte) error {
	at, i := 0, 0
	for i < len(src) {
		ctrl := int(src[i])
		i++
		if ctrl < maxLiteral {
			n := ctrl + 1
			if n <= 16 && i+16 <= len(src) && at+16 <= len(dst) {
				*(*[16]byte)(dst[at:]) = [16]byte(src[i:])
			} else if n > len(src)-i || n > len(dst)-at {
				return ErrCorrupt
			} else {
				copy(dst[at:], src[i:i+n])
			}
			i += n
			at += n
			continue
		}
		n := ctrl>>5 + 2
		if n == 7+2 {
			if i == len(src) {
				return ErrCorrupt
			}
			n += int(src[i])
			i++
		}
		if i == len(src) {
			return ErrCorrupt
		}
		back := (ctrl&0x1F)<<8 + int(src[i]) + 1
		i++
		from := at - back
		if from < 0 || n > len(dst)-at {
			return ErrCorrupt
		}
		if n <= 16 && back >= 8 && at+16 <= len(dst) {
			copyWord(dst[at:], dst[from:])
			copyWord(dst[at+8:], dst[from+8:])
		} else {
			repeat(dst, from, at, n)
		}
		at += n
	}
	if at != len(dst) {
		return ErrCorrupt
	}
	return nil
}

// repeat copies n bytes from one place of b to a later one; where they overlap, what is copied first is copied again.
func repeat(b []byte, from, to, n int) {
	if back := to - from; back >= 8 && n <= 64 && to+n+8 <= len(b) {
		for end := to + n; to < end; to += 8 {
			copyWord(b[to:], b[from:])
			from += 8
		}
		return
	}
	if n <= 16 {
		for i := range n {
			b[to+i] = b[from+i]
		}
		return
	}
	for n > 0 {
		k := min(n, to-from)
		copy(b[to:to+k], b[from:])
		to += k
		n -= k
	}
}

// copyWord copies eight bytes.
func copyWord(dst, src []byte) {
	binary.LittleEndian.PutUint64(dst, binary.LittleEndian.Uint64(src))
}
