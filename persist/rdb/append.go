package rdb

import (
	"encoding/binary"
	"math"

	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/lzf"
)

// AppendLen appends a length.
func AppendLen(dst []byte, n uint64) []byte {
	switch {
	case n < 1<<6:
		return append(dst, byte(n))
	case n < 1<<14:
		return append(dst, len14|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, len32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, len64), n)
}

const (
	maxIntText  = 11 // bytes of the longest text that is written as an integer
	minCompress = 21 // bytes of the shortest string that is worth a try
	minSaving   = 4
)

// AppendString appends a string, compressed if that is wanted and saves something.
func AppendString(dst, s []byte, compress bool) []byte {
	if len(s) <= maxIntText {
		if n, ok := listpack.ParseInt(s); ok && n == int64(int32(n)) {
			return appendInt32(dst, int32(n))
		}
	} else if compress && len(s) >= minCompress {
		if out, ok := appendCompressed(dst, s); ok {
			return out
		}
	}
	return append(AppendLen(dst, uint64(len(s))), s...)
}

func appendInt32(dst []byte, n int32) []byte {
	switch {
	case n == int32(int8(n)):
		return append(dst, encInt8, byte(n))
	case n == int32(int16(n)):
		return append(dst, encInt16, byte(n), byte(n>>8))
	}
	return append(dst, encInt32, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}

// appendCompressed appends s if it can be compressed by some bytes. The lengths go before the bytes, but are known
// after them: room for their longest form is left and closed up.
func appendCompressed(dst, s []byte) ([]byte, bool) {
	var head [1 + 2*9]byte
	start := len(dst)
	out, ok := lzf.Compress(append(dst, head[:]...), s, len(s)-minSaving)
	if !ok {
		return dst, false
	}
	n := len(out) - start - len(head)
	prefix := appendBlobHead(head[:0], n, len(s))
	end := start + copy(out[start:], prefix)
	end += copy(out[end:], out[start+len(head):])
	return out[:end], true
}

// pieceBytes is how much of a long string is compressed between two pauses: some 0.1 ms.
const pieceBytes = 16 << 10

// AppendLongString is AppendString for a long string. It compresses in pieces, which costs some of the compression, and
// calls pause after each.
func AppendLongString(dst, s []byte, compress bool, pause func()) []byte {
	if !compress || len(s) < minCompress {
		return AppendString(dst, s, false)
	}
	var head [1 + 2*9]byte
	start := len(dst)
	dst = append(dst, head[:]...)
	for rest := s; len(rest) > 0; {
		n := min(len(rest), pieceBytes)
		dst, _ = lzf.Compress(dst, rest[:n], 2*pieceBytes) // runs of several pieces are runs of the whole
		rest = rest[n:]
		pause()
	}
	n := len(dst) - start - len(head)
	if n > len(s)-minSaving {
		return AppendString(dst[:start], s, false)
	}
	prefix := appendBlobHead(head[:0], n, len(s))
	end := start + copy(dst[start:], prefix)
	end += copy(dst[end:], dst[start+len(head):])
	return dst[:end]
}

// appendBlobHead appends what goes before n bytes of a string of raw bytes that is compressed.
func appendBlobHead(dst []byte, n, raw int) []byte {
	return AppendLen(AppendLen(append(dst, encLZF), uint64(n)), uint64(raw))
}

func appendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f))
}

func appendMS(dst []byte, ms int64) []byte { return binary.LittleEndian.AppendUint64(dst, uint64(ms)) }
