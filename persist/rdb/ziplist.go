package rdb

import (
	"encoding/binary"
	"errors"

	"github.com/shoaldb/shoal/types/listpack"
)

// A ziplist is what Redis had before listpacks. All numbers are little-endian, but for the lengths of strings.
//
//	total 4 B | offset of the last entry 4 B | entries 2 B, 65535: unknown | entry ... | 0xFF
//
//	entry       | length of the entry before, 1 B, or 0xFE and 4 B | encoding | data |
//
//	00nnnnnn                      a string of up to 63 bytes
//	01nnnnnn nnnnnnnn             of up to 16383 bytes
//	10000000 n (4 B)              longer
//	11000000 2 B, 11010000 4 B, 11100000 8 B, 11110000 3 B, 11111110 1 B     an integer
//	1111nnnn                      an integer of 0 to 12, plus 1
const (
	ziplistHead = 10
	longPrev    = 0xFE
	ziplistEnd  = 0xFF
)

var errZiplist = errors.New("damaged ziplist")

// eachInZiplist calls visit for the entries of z until it returns an error. What was visited before an error of z itself is
// found is to be forgotten.
func eachInZiplist(z []byte, visit func(e listpack.Element) error) error {
	if len(z) < ziplistHead+1 || uint64(binary.LittleEndian.Uint32(z)) != uint64(len(z)) || z[len(z)-1] != ziplistEnd {
		return errZiplist
	}
	last, count := uint64(binary.LittleEndian.Uint32(z[4:])), int(binary.LittleEndian.Uint16(z[8:]))
	at, before, n := ziplistHead, 0, 0
	start := ziplistHead // of the last entry, or of the end if there is none
	for at < len(z)-1 {
		e, size, ok := ziplistEntry(z[at:len(z)-1], before)
		if !ok {
			return errZiplist
		}
		if err := visit(e); err != nil {
			return err
		}
		start = at
		at += size
		before = size
		n++
	}
	if last != uint64(start) || count != n && count != 1<<16-1 {
		return errZiplist
	}
	return nil
}

// ziplistEntry reads the entry at the beginning of b and returns its size. The one before it has before bytes.
func ziplistEntry(b []byte, before int) (e listpack.Element, size int, ok bool) {
	at, prev := 1, int(b[0])
	if b[0] >= longPrev {
		if b[0] > longPrev || len(b) < 5 {
			return e, 0, false
		}
		at, prev = 5, int(binary.LittleEndian.Uint32(b[1:]))
	}
	if prev != before || at >= len(b) {
		return e, 0, false
	}
	b = b[at:]
	n, head, isInt := ziplistSize(b)
	if n < 0 || head > len(b) || n > len(b)-head {
		return e, 0, false
	}
	data := b[head : head+n]
	if isInt {
		return listpack.Element{Int: ziplistInt(b[0], data), IsInt: true}, at + head + n, true
	}
	return listpack.Element{Bytes: data}, at + head + n, true
}

// ziplistSize returns the bytes of an entry's data, behind head bytes that tell what it is; -1 if they do not.
func ziplistSize(b []byte) (n, head int, isInt bool) {
	switch c := b[0]; {
	case c < 0x40:
		return int(c), 1, false
	case c < 0x80:
		if len(b) < 2 {
			return -1, 0, false
		}
		return int(c&0x3F)<<8 | int(b[1]), 2, false
	case c == 0x80:
		if len(b) < 5 {
			return -1, 0, false
		}
		return int(binary.BigEndian.Uint32(b[1:])), 5, false
	case c == 0xC0:
		return 2, 1, true
	case c == 0xD0:
		return 4, 1, true
	case c == 0xE0:
		return 8, 1, true
	case c == 0xF0:
		return 3, 1, true
	case c == 0xFE:
		return 1, 1, true
	case c > 0xF0 && c < 0xFE:
		return 0, 1, true
	}
	return -1, 0, false
}

func ziplistInt(c byte, data []byte) int64 {
	switch len(data) {
	case 1:
		return int64(int8(data[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(data)))
	case 3:
		return int64(int32(uint32(data[0])<<8|uint32(data[1])<<16|uint32(data[2])<<24) >> 8)
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(data)))
	case 8:
		return int64(binary.LittleEndian.Uint64(data))
	}
	return int64(c&0x0F) - 1
}
