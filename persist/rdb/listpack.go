package rdb

import (
	"encoding/binary"
	"math"

	"github.com/shoaldb/shoal/types/listpack"
)

const (
	listpackHead = 6
	listpackEnd  = 0xFF
)

func appendElement(lp []byte, e listpack.Element) []byte {
	if e.IsInt {
		return listpack.AppendElementInt(lp, e.Int)
	}
	return listpack.AppendElement(lp, e.Bytes)
}

// beginListpack returns scratch with room for the head of a listpack.
func beginListpack(scratch []byte) []byte { return append(scratch[:0], make([]byte, listpackHead)...) }

// finishListpack makes lp, which begins with room for the head and n elements, a listpack.
func finishListpack(lp []byte, n int) []byte {
	lp = append(lp, listpackEnd)
	binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
	binary.LittleEndian.PutUint16(lp[4:], uint16(min(n, math.MaxUint16)))
	return lp
}
