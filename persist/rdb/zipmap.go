package rdb

import "encoding/binary"

// A zipmap is what Redis 2.4 had small hashes in.
//
//	entries 1 B, 254: unknown | entry ... | 0xFF
//	entry   | length | field | length | unused 1 B | value | unused bytes |
//	length  | 1 B up to 253 | or 254 and 4 B, little-endian
const (
	zipmapLong = 254
	zipmapEnd  = 255
)

// eachInZipmap calls visit for the fields of z until it returns false. ok is false if z is damaged.
func eachInZipmap(z []byte, visit func(field, value []byte) bool) (ok bool) {
	if len(z) < 2 || z[len(z)-1] != zipmapEnd {
		return false
	}
	entries, n := int(z[0]), 0
	z = z[1:]
	for z[0] != zipmapEnd {
		var field, value []byte
		if field, z, ok = zipmapText(z, false); !ok {
			return false
		}
		if value, z, ok = zipmapText(z, true); !ok {
			return false
		}
		if !visit(field, value) {
			return true
		}
		n++
	}
	return len(z) == 1 && (entries >= zipmapLong || entries == n)
}

// zipmapText reads a field, or a value, from the beginning of b; at least the end mark remains.
func zipmapText(b []byte, value bool) (text, rest []byte, ok bool) {
	n, head := uint64(b[0]), 1
	switch {
	case n == zipmapEnd:
		return nil, nil, false
	case n == zipmapLong:
		if len(b) < 5 {
			return nil, nil, false
		}
		n, head = uint64(binary.LittleEndian.Uint32(b[1:])), 5
	}
	unused := uint64(0)
	if value {
		if len(b) < head+1 {
			return nil, nil, false
		}
		unused = uint64(b[head])
		head++
	}
	if uint64(head)+n+unused >= uint64(len(b)) {
		return nil, nil, false
	}
	end := head + int(n)
	return b[head:end], b[end+int(unused):], true
}
