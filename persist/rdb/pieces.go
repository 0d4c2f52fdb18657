package rdb

import (
	"github.com/shoaldb/shoal/types/stream"
)

// The functions below append the parts of a large value whose members or nodes somebody goes through on his own, as
// they change while they are written: see the package's comment for their order. Members are strings, as AppendString
// appends.

// AppendScore appends the score after a member of a ZSet2.
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

// AppendStreamNumbers appends what follows the nodes of a stream: its numbers, and how many consumer groups there are.
func AppendStreamNumbers(dst []byte, v *stream.Value) []byte {
	dst = AppendLen(dst, uint64(v.Len()))
	for _, id := range [...]stream.ID{v.Last(), v.First(), v.MaxDeleted()} {
		dst = AppendLen(AppendLen(dst, id.MS), id.Seq)
	}
	dst = AppendLen(dst, v.Added())
	return AppendLen(dst, uint64(v.Groups()))
}

// AppendGroup appends the head of a consumer group. So many times AppendPending follows as entries are pending, then
// the number of consumers.
func AppendGroup(dst, name []byte, g stream.Group) []byte {
	last := g.Last()
	dst = AppendLen(AppendLen(AppendString(dst, name, false), last.MS), last.Seq)
	dst = AppendLen(dst, uint64(g.Read()))
	return AppendLen(dst, uint64(g.Pending()))
}

// AppendPending appends a group's pending entry.
func AppendPending(dst []byte, id [16]byte, timeMS, count int64) []byte {
	return AppendLen(appendMS(append(dst, id[:]...), timeMS), uint64(count))
}

// AppendConsumer appends the head of a consumer. The IDs of what it has pending follow, 16 bytes each, in any order.
func AppendConsumer(dst []byte, c stream.Consumer) []byte {
	dst = appendMS(AppendString(dst, c.Name(), false), c.SeenMS())
	return AppendLen(dst, uint64(c.Pending()))
}
