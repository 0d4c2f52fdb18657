package set

import (
	"encoding/binary"

	"github.com/shoaldb/shoal/alloc"
)

const (
	longMember  = 255 // bytes from which on the length takes 9 bytes
	longHeader  = 9
	shortHeader = 1
)

// blockBytes returns the size of the block of a member of n bytes.
func blockBytes(n int) int {
	if n < longMember {
		return shortHeader + n
	}
	return longHeader + n
}

// newMember returns a block with text, or 0 if there is no memory.
func newMember(a *alloc.Arena, text []byte) alloc.Ref {
	size := blockBytes(len(text))
	ref := a.Alloc(size)
	if ref == 0 {
		return 0
	}
	b := a.Bytes(ref, size)
	if len(text) < longMember {
		b[0] = byte(len(text))
		copy(b[shortHeader:], text)
		return ref
	}
	b[0] = longMember
	binary.LittleEndian.PutUint64(b[1:], uint64(len(text)))
	copy(b[longHeader:], text)
	return ref
}

// text returns the member in the block r. It aliases arena memory.
func text(a *alloc.Arena, r alloc.Ref) []byte {
	if n := int(a.Bytes(r, 1)[0]); n < longMember {
		return a.Bytes(r, shortHeader+n)[shortHeader:]
	}
	return longText(a, r)
}

func longText(a *alloc.Arena, r alloc.Ref) []byte {
	n := int(binary.LittleEndian.Uint64(a.Bytes(r, longHeader)[1:]))
	return a.Bytes(r, longHeader+n)[longHeader:]
}

func freeMember(a *alloc.Arena, r alloc.Ref) { a.Free(r, blockBytes(len(text(a, r)))) }
