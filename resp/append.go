package resp

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
)

// The Append functions append one reply, or an aggregate's header, to dst and
// return the longer slice. They copy their arguments.

// maxHeader is the longest "<type><number>\r\n", in bytes.
const maxHeader = 1 + 20 + 2

const crlf = '\r' | '\n'<<8 // little-endian

// shortHeaders[n] holds "?<n>\r\n" in its low bytes, little-endian, with a zero
// byte in place of the type.
var shortHeaders = makeShortHeaders()

func makeShortHeaders() (table [256]uint64) {
	for n := range table {
		var buf [8]byte
		copy(buf[1:], strconv.Itoa(n)+"\r\n")
		table[n] = binary.LittleEndian.Uint64(buf[:])
	}
	return table
}

// shortLen returns the length of the header in shortHeaders[n].
func shortLen(n uint) int {
	size := 4
	if n >= 10 {
		size = 5
	}
	if n >= 100 {
		size = 6
	}
	return size
}

// appendHeader appends "<kind><n>\r\n".
func appendHeader(dst []byte, kind byte, n int64) []byte {
	at := len(dst)
	if uint64(n) < uint64(len(shortHeaders)) && cap(dst)-at >= 8 {
		binary.LittleEndian.PutUint64(dst[at:at+8], shortHeaders[n]|uint64(kind))
		return dst[:at+shortLen(uint(n))]
	}
	return appendHeaderSlow(dst, kind, n)
}

func appendHeaderSlow(dst []byte, kind byte, n int64) []byte {
	dst = slices.Grow(dst, maxHeader)
	at := len(dst)
	return dst[:at+putHeader((*[maxHeader]byte)(dst[at:at+maxHeader]), kind, n)]
}

// putHeader writes "<kind><n>\r\n" to buf and returns its length.
func putHeader(buf *[maxHeader]byte, kind byte, n int64) int {
	buf[0] = kind
	end := 1 + putInt(buf[1:], n)
	binary.LittleEndian.PutUint16(buf[end:], crlf)
	return end + 2
}

// digitPair returns n, below 100, as two digits, the tens in the low byte.
func digitPair(n uint64) uint16 {
	tens := n * 103 >> 10 // n / 10 for n below 179
	return uint16('0'+tens) | uint16('0'+n-tens*10)<<8
}

// putInt writes n in decimal to buf, which has 20 bytes, and returns its length.
func putInt(buf []byte, n int64) int {
	u, from := uint64(n), 0
	if n < 0 {
		buf[0], from = '-', 1
		u = -u
	}
	end := from + decimalLen(u)
	at := end
	for u >= 100 {
		q := u / 100
		at -= 2
		binary.LittleEndian.PutUint16(buf[at:], digitPair(u-q*100))
		u = q
	}
	if u >= 10 {
		binary.LittleEndian.PutUint16(buf[from:], digitPair(u))
	} else {
		buf[from] = '0' + byte(u)
	}
	return end
}

var powersOf10 = [20]uint64{0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// decimalLen returns how many digits u has. 1233/4096 approximates log10(2).
func decimalLen(u uint64) int {
	guess := bits.Len64(u|1) * 1233 >> 12
	if u >= powersOf10[guess] {
		guess++
	}
	return guess
}

// shortBulk is the longest bulk string that AppendBulk copies itself, in bytes:
// up to there two to four overlapping moves take half the time of memmove.
const shortBulk = 64

// AppendBulk appends a bulk string.
func AppendBulk(dst, b []byte) []byte {
	const room = 8 + shortBulk + 2
	at, n := len(dst), len(b)
	if n > shortBulk || cap(dst)-at < room {
		return appendBulkSlow(dst, b)
	}
	buf := (*[room]byte)(dst[at : at+room])
	binary.LittleEndian.PutUint64(buf[:], shortHeaders[n]|'$')
	from := shortLen(uint(n))
	end := from + n
	switch to := buf[from:end]; {
	case n >= 16:
		if n > 32 {
			*(*[16]byte)(to[16:]) = *(*[16]byte)(b[16:])
			*(*[16]byte)(to[n-32:]) = *(*[16]byte)(b[n-32:])
		}
		*(*[16]byte)(to) = *(*[16]byte)(b)
		*(*[16]byte)(to[n-16:]) = *(*[16]byte)(b[n-16:])
	case n >= 8:
		*(*[8]byte)(to) = *(*[8]byte)(b)
		*(*[8]byte)(to[n-8:]) = *(*[8]byte)(b[n-8:])
	case n >= 4:
		*(*[4]byte)(to) = *(*[4]byte)(b)
		*(*[4]byte)(to[n-4:]) = *(*[4]byte)(b[n-4:])
	case n > 0:
		to[0], to[n/2], to[n-1] = b[0], b[n/2], b[n-1]
	}
	binary.LittleEndian.PutUint16(buf[end:], crlf)
	return dst[:at+end+2]
}

func appendBulkSlow(dst, b []byte) []byte {
	dst = slices.Grow(dst, maxHeader+len(b)+2)
	dst = append(appendHeader(dst, '$', int64(len(b))), b...)
	return append(dst, '\r', '\n')
}

// AppendBulkString appends a bulk string.
func AppendBulkString(dst []byte, s string) []byte {
	dst = append(appendHeader(dst, '$', int64(len(s))), s...)
	return append(dst, '\r', '\n')
}

// AppendBulkHeader appends the beginning of a bulk string of n bytes. The
// caller appends these and "\r\n".
func AppendBulkHeader(dst []byte, n int) []byte { return appendHeader(dst, '$', int64(n)) }

// AppendBulkInt appends n in decimal as a bulk string.
func AppendBulkInt(dst []byte, n int64) []byte {
	var buf [20]byte
	return AppendBulk(dst, buf[:putInt(buf[:], n)])
}

// AppendDecimal appends n in decimal, without any framing.
func AppendDecimal(dst []byte, n int64) []byte {
	at := len(dst)
	dst = slices.Grow(dst, 20)
	return dst[:at+putInt(dst[at:at+20], n)]
}

// AppendInt appends an integer.
func AppendInt(dst []byte, n int64) []byte { return appendHeader(dst, ':', n) }

// AppendSimple appends a simple string. s must not contain line ends.
func AppendSimple(dst []byte, s string) []byte { return appendLine(dst, '+', s) }

func appendLine(dst []byte, kind byte, s string) []byte {
	dst = append(dst, kind)
	dst = append(dst, s...)
	return append(dst, '\r', '\n')
}

// AppendError appends an error. msg begins with its code ("ERR ..."). As in
// redis, line ends around it are cut off and those inside become spaces.
func AppendError(dst []byte, msg string) []byte {
	for msg != "" && isLineEnd(msg[0]) {
		msg = msg[1:]
	}
	for msg != "" && isLineEnd(msg[len(msg)-1]) {
		msg = msg[:len(msg)-1]
	}
	at := len(dst) + 1
	dst = append(append(dst, '-'), msg...)
	for i := at; i < len(dst); i++ {
		if isLineEnd(dst[i]) {
			dst[i] = ' '
		}
	}
	return append(dst, '\r', '\n')
}

func isLineEnd(c byte) bool { return c == '\r' || c == '\n' }

// AppendArray appends the header of an array of n elements, which follow.
func AppendArray(dst []byte, n int) []byte { return appendHeader(dst, '*', int64(n)) }

// AppendNull2 appends RESP2's null bulk string.
func AppendNull2(dst []byte) []byte { return append(dst, "$-1\r\n"...) }

// AppendNullArray2 appends RESP2's null array.
func AppendNullArray2(dst []byte) []byte { return append(dst, "*-1\r\n"...) }

// AppendNull3 appends RESP3's null.
func AppendNull3(dst []byte) []byte { return append(dst, "_\r\n"...) }

// AppendAttribute appends the header of n RESP3 attributes, pairs which follow
// and precede the reply proper.
func AppendAttribute(dst []byte, n int) []byte { return appendHeader(dst, '|', int64(n)) }

// AppendBool appends a RESP3 boolean.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "#t\r\n"...)
	}
	return append(dst, "#f\r\n"...)
}

// AppendBigNumber appends a RESP3 big number given in decimal.
func AppendBigNumber(dst []byte, digits string) []byte { return appendLine(dst, '(', digits) }

// AppendVerbatim appends a RESP3 verbatim string. ext, its format, has three
// bytes: "txt" or "mkd".
func AppendVerbatim(dst []byte, ext, text string) []byte {
	dst = appendHeader(dst, '=', int64(len(text)+4))
	dst = append(dst, ext[:3]...)
	dst = append(dst, ':')
	dst = append(dst, text...)
	return append(dst, '\r', '\n')
}

// AppendDouble3 appends a RESP3 double with the digits of AppendDouble.
func AppendDouble3(dst []byte, f float64) []byte {
	return append(AppendDouble(append(dst, ','), f), '\r', '\n')
}

// AppendDouble2 appends a double as RESP2 sends it: a bulk string.
func AppendDouble2(dst []byte, f float64) []byte {
	var buf [32]byte
	return AppendBulk(dst, AppendDouble(buf[:0], f))
}

// AppendCommand appends a command as clients send it: an array of bulk strings.
func AppendCommand(dst []byte, args ...[]byte) []byte {
	dst = AppendArray(dst, len(args))
	for _, arg := range args {
		dst = AppendBulk(dst, arg)
	}
	return dst
}
