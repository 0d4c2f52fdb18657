package rdb

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/stream"
)

// The functions below append the parts of a large value whose members or nodes somebody goes through on his own, as they change while
// they are written: see the package's comment for their order. Members are strings, as AppendString appends.

// AppendScore appends the score behind a member of a ZSet2.
func AppendScore(dst []byte, score float64) []byte { return appendDouble(dst, score) }

// AppendFirstExpiry appends the beginning of a HashTimed: the earliest expiry of a field, in unix ms.
func AppendFirstExpiry(dst []byte, ms int64) []byte { return appendMS(dst, ms) }

// AppendFieldExpiry appends what goes before a field of a HashTimed: when it expires, in unix ms or 0 for never.
func AppendFieldExpiry(dst []byte, expireMS, firstMS int64) []byte {
	if expireMS != 0 {
		expireMS += 1 - firstMS
	}
	return AppendLen(dst, uint64(expireMS))
}

// AppendListNode appends what goes before the listpack, a string, of a node of a ListQuicklist2.
func AppendListNode(dst []byte) []byte { return append(dst, packedNode) }

// AppendPacked appends a string of raw bytes that was compressed to b.
func AppendPacked(dst, b []byte, raw int) []byte {
	return append(appendBlobHead(dst, len(b), raw), b...)
}

// AppendStreamNode appends what goes before the listpack, a string, of a stream's node.
func AppendStreamNode(dst []byte, master stream.ID) []byte {
	return appendID(append(dst, idBytes), master)
}

// StartGroups begins with what follows the nodes of the stream r: its numbers, which Numbers appends, and then, by Step, its consumer groups.
// Changes to the nodes do not matter any more.
func (e *Encoder) StartGroups(sp *types.Space, r types.Root) {
	e.startStream(sp, r)
	e.headed, e.stream.part = true, streamNumbers
}

// Numbers appends the numbers of the stream, after StartGroups.
func (e *Encoder) Numbers(dst []byte) []byte { return e.streamNumbers(dst) }
