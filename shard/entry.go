package shard

import (
	"encoding/binary"
	"strconv"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
)

const (
	// MaxEmbStr is the length of the longest string that Redis embeds in its object, in bytes.
	MaxEmbStr = 44

	maxEmbed   = 4000    // longest key and string in one block, bytes
	largeValue = 1 << 20 // from here on a string has a mapping of its own, bytes
)

const (
	flagExpire uint8 = 1 << iota
	flagLongKey
	flagBlock  // the payload names a block: ref, capacity, length
	flagLarge  // the payload names a mapping: index in Shard.large
	flagParity // written since the cut of the running snapshot
)

const (
	headerBytes  = 8
	expireBytes  = 8
	payloadBytes = types.RootBytes
	longKey      = 255
)

// header begins every entry.
type header struct {
	kind  uint8
	flags uint8
	clock [3]uint8
	klen  uint8
	vlen  uint16
}

// embedded tells whether the value of a header without flagBlock and flagLarge is a string of vlen bytes.
func (h *header) embedded() bool {
	return h.kind == uint8(types.String)|uint8(types.EmbStr)<<4 || h.kind == uint8(types.String)|uint8(types.Raw)<<4
}

// outside tells whether the value is not in its entry's block, but its root.
func (h *header) outside() bool {
	return h.flags&(flagBlock|flagLarge) != 0 || types.Type(h.kind&15) != types.String
}

// Entry is a key that exists, in its table's slot. It is valid until the next change of its DB.
type Entry struct {
	h    *header
	b    *dict.Bucket
	ref  alloc.Ref
	slot int
}

// Exists tells whether a lookup has found the key.
func (e Entry) Exists() bool { return e.h != nil }

// Type returns the type of the value.
func (e Entry) Type() types.Type { return types.Type(e.h.kind & 15) }

// Encoding returns the encoding of the value.
func (e Entry) Encoding() types.Encoding { return types.Encoding(e.h.kind >> 4) }

// HasExpire tells whether the key has a time to live.
func (e Entry) HasExpire() bool { return e.h.flags&flagExpire != 0 }

// layout is what determines an entry's size.
type layout struct {
	flags uint8
	klen  int
	value int // bytes of the value in the block
}

func (l layout) keyOffset() int {
	off := headerBytes
	if l.flags&flagExpire != 0 {
		off += 8
	}
	if l.flags&flagLongKey != 0 {
		off += 4
	}
	return off
}

func (l layout) size() int { return l.keyOffset() + l.klen + l.value }

// layoutOf reads the layout of the entry at ref.
func layoutOf(a *alloc.Arena, ref alloc.Ref, h *header) layout {
	l := layout{flags: h.flags, klen: int(h.klen)}
	if h.flags&flagLongKey != 0 {
		off := headerBytes
		if h.flags&flagExpire != 0 {
			off += 8
		}
		l.klen = int(binary.LittleEndian.Uint32(a.Bytes(ref, off+4)[off:]))
	}
	switch {
	case h.outside():
		l.value = payloadBytes
	case types.Encoding(h.kind>>4) == types.Int:
		l.value = 8
	default:
		l.value = int(h.vlen)
	}
	return l
}

// key returns the key of the entry at ref.
func entryKey(a *alloc.Arena, ref alloc.Ref, h *header) []byte {
	off := headerBytes
	if h.flags&flagExpire != 0 {
		off += 8
	}
	n := int(h.klen)
	if h.flags&flagLongKey != 0 {
		off += 4
		n = int(binary.LittleEndian.Uint32(a.Bytes(ref, off)[off-4:]))
	}
	return a.Bytes(ref, off+n)[off:]
}

func entryExpire(a *alloc.Arena, ref alloc.Ref, h *header) int64 {
	if h.flags&flagExpire == 0 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(a.Bytes(ref, headerBytes+8)[headerBytes:]))
}

// value returns the bytes of the block after the key.
func (l layout) valueIn(block []byte) []byte { return block[l.keyOffset()+l.klen:] }

// parseInt parses what Redis stores as an integer: the canonical form of an int64.
func parseInt(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	if c := b[0]; c > '9' || c < '0' && c != '-' {
		return 0, false
	}
	return ParseInt(b)
}

// ParseInt parses the canonical decimal form of an int64: no sign '+', no leading zeros, no "-0".
func ParseInt(b []byte) (int64, bool) {
	neg := len(b) > 0 && b[0] == '-'
	d := b
	if neg {
		d = b[1:]
	}
	if len(d) == 0 || len(d) > 19 {
		return 0, false
	}
	if d[0] == '0' {
		return 0, len(b) == 1
	}
	var n uint64
	for _, c := range d {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	if neg {
		if n > 1<<63 {
			return 0, false
		}
		return -int64(n), true
	}
	return int64(n), n < 1<<63
}

// AppendInt appends the decimal form of n.
func AppendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
