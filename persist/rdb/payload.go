package rdb

import (
	"encoding/binary"
	"errors"
)

// footerBytes is how many bytes of a payload stand after the value.
const footerBytes = 2 + 8

// AppendFooter makes a payload, as DUMP and FUNCTION DUMP reply it, of dst[from:], which is a type and a value, or functions,
// or nothing.
func AppendFooter(dst []byte, from int) []byte {
	version := Version
	if from < len(dst) {
		version = Type(dst[from]).Version()
	}
	return appendFooter(dst, version, Checksum(0, dst[from:]))
}

// AppendFooterOf appends what makes a payload of a type and a value, of which sum is the Checksum.
func AppendFooterOf(dst []byte, t Type, sum uint64) []byte {
	return appendFooter(dst, t.Version(), sum)
}

// appendFooter appends the version and the checksum: sum is that of all before.
func appendFooter(dst []byte, version int, sum uint64) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(version))
	return binary.LittleEndian.AppendUint64(dst, Checksum(sum, dst[len(dst)-2:]))
}

// ErrPayload says that a payload is of a later version, or not what DUMP has replied.
var ErrPayload = errors.New("DUMP payload version or checksum are wrong")

// OpenPayload returns the type and the value of a payload. The checksum is not looked at if trusted; pause, which may
// be nil, is called after each of so many bytes of it.
func OpenPayload(p []byte, trusted bool, pause func(bytes int)) (value []byte, err error) {
	at := len(p) - footerBytes
	if at < 0 || binary.LittleEndian.Uint16(p[at:]) > MaxVersion {
		return nil, ErrPayload
	}
	if !trusted && checksumInSteps(p[:at+2], pause) != binary.LittleEndian.Uint64(p[at+2:]) {
		return nil, ErrPayload
	}
	return p[:at], nil
}

func checksumInSteps(b []byte, pause func(bytes int)) (sum uint64) {
	const step = 64 << 10
	if pause == nil {
		return Checksum(0, b)
	}
	for len(b) > 0 {
		n := min(step, len(b))
		sum = Checksum(sum, b[:n])
		b = b[n:]
		pause(n)
	}
	return sum
}
