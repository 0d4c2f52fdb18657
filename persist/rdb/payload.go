package rdb

import (
	"encoding/binary"
	"errors"
)

// footerBytes is how many bytes of a payload stand behind the value.
const footerBytes = 2 + 8

// AppendFooter makes a payload, as DUMP and FUNCTION DUMP reply it, of dst[from:], which is a type and a value, or functions,
// or nothing.
func AppendFooter(dst []byte, from int) []byte {
	version := Version
	if from < len(dst) {
		version = Type(dst[from]).Version()
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(version))
	return binary.LittleEndian.AppendUint64(dst, Checksum(0, dst[from:]))
}

// ErrPayload says that a payload is of a later version, or not what DUMP has replied.
var ErrPayload = errors.New("DUMP payload version or checksum are wrong")

// OpenPayload returns the type and the value of a payload. The checksum is not looked at if trusted.
func OpenPayload(p []byte, trusted bool) (value []byte, err error) {
	at := len(p) - footerBytes
	if at < 0 || binary.LittleEndian.Uint16(p[at:]) > MaxVersion {
		return nil, ErrPayload
	}
	if !trusted && Checksum(0, p[:at+2]) != binary.LittleEndian.Uint64(p[at+2:]) {
		return nil, ErrPayload
	}
	return p[:at], nil
}
