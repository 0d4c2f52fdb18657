package rdb

import (
	"cmp"
	"slices"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/quicklist"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/zset"
)

// Encoder writes values that are not strings, a large one in several steps. It keeps some memory from one value to the next,
// and none of their own.
//
//	typ := e.Start(space, root)
//	dst = append(dst, byte(typ))
//	dst = rdb.AppendString(dst, key, compress)
//	for more := true; more; {
//		dst, more = e.Step(dst, 1<<16)
//		... the caller may take what there is ...
//	}
//
// A value must not change between its steps.
type Encoder struct {
	Compress bool // rdbcompression: strings are compressed where that makes them shorter
	// Text, unless nil, appends strings in place of AppendString.
	Text func(dst, s []byte) []byte
	// MaxText, unless 0, is the length in bytes beyond which strings are left out, so that the value has to be written
	// otherwise. TooLong tells of that.
	MaxText int
	TooLong bool

	step    func(e *Encoder, dst []byte, limit int) (out []byte, more bool)
	headed  bool // what goes before the elements has been written
	at      int  // of a table: the next bucket
	firstMS int64

	list  list.Value
	nodes quicklist.NodeIter
	set   set.Value
	zset  zset.Value
	ranks zset.Iter
	hash  hash.Value

	stream streamState

	scratch []byte
	fields  []timedField
}

// timedField is a field of a listpack with where it stands in scratch.
type timedField struct {
	expireMS int64
	from, to int
}

// Start begins the value r of sp and returns the type as which it is written.
func (e *Encoder) Start(sp *types.Space, r types.Root) Type {
	e.headed, e.at, e.TooLong = false, 0, false
	switch r.Type {
	case types.List:
		e.list = list.Open(sp, r)
		e.nodes = e.list.NodesFrom(0)
		e.step = (*Encoder).stepList
		return ListQuicklist2
	case types.Set:
		return e.startSet(set.Open(sp, r))
	case types.ZSet:
		return e.startZSet(zset.Open(sp, r))
	case types.Hash:
		return e.startHash(hash.Open(sp, r))
	case types.Stream:
		return e.startStream(sp, r)
	}
	panic("rdb: an Encoder for a " + r.Type.String())
}

// Step appends some of the value to dst, about limit bytes and at least one element, and tells whether there is more to come.
func (e *Encoder) Step(dst []byte, limit int) (out []byte, more bool) {
	return e.step(e, dst, len(dst)+limit)
}

func (e *Encoder) string(dst, s []byte) []byte {
	switch {
	case e.MaxText > 0 && len(s) > e.MaxText:
		e.TooLong = true
		return dst
	case e.Text != nil:
		return e.Text(dst, s)
	}
	return AppendString(dst, s, e.Compress)
}

// The steps below append until dst has end bytes.

func (e *Encoder) stepList(dst []byte, end int) ([]byte, bool) {
	if !e.headed {
		e.headed = true
		dst = AppendLen(dst, uint64(e.list.Nodes()))
	}
	for {
		n, ok := e.nodes.Next()
		if !ok {
			return dst, false
		}
		dst = append(dst, packedNode)
		if n.Raw != 0 && (e.MaxText == 0 || len(n.Bytes) <= e.MaxText) {
			dst = append(appendBlobHead(dst, len(n.Bytes), n.Raw), n.Bytes...)
		} else {
			dst = e.string(dst, n.Bytes)
		}
		if len(dst) >= end {
			return dst, true
		}
	}
}

func (e *Encoder) startSet(v set.Value) Type {
	e.set = v
	if v.Encoding() == types.Intset {
		e.step = (*Encoder).stepIntset
		return SetIntset
	}
	e.step = (*Encoder).stepSet
	return Set
}

func (e *Encoder) stepIntset(dst []byte, _ int) ([]byte, bool) {
	return e.string(dst, e.set.Ints()), false
}

func (e *Encoder) stepSet(dst []byte, end int) ([]byte, bool) {
	if !e.headed {
		e.headed = true
		dst = AppendLen(dst, uint64(e.set.Len()))
	}
	for ; e.at < e.set.Buckets(); e.at++ {
		if len(dst) >= end {
			return dst, true
		}
		e.set.VisitBucket(e.at, func(text []byte) { dst = e.string(dst, text) })
	}
	return dst, false
}

func (e *Encoder) startZSet(v zset.Value) Type {
	e.zset = v
	if v.Encoding() == types.Listpack {
		e.step = (*Encoder).stepZSetPack
		return ZSetListpack
	}
	e.ranks = e.zset.Descend(0, e.zset.Len())
	e.step = (*Encoder).stepZSet
	return ZSet2
}

func (e *Encoder) stepZSetPack(dst []byte, _ int) ([]byte, bool) {
	return e.string(dst, e.zset.Listpack()), false
}

// stepZSet writes the members from the last to the first, as Redis does.
func (e *Encoder) stepZSet(dst []byte, end int) ([]byte, bool) {
	if !e.headed {
		e.headed = true
		dst = AppendLen(dst, uint64(e.zset.Len()))
	}
	for {
		member, score, ok := e.ranks.Next()
		if !ok {
			return dst, false
		}
		dst = appendDouble(e.string(dst, member.Bytes), score)
		if len(dst) >= end {
			return dst, true
		}
	}
}

func (e *Encoder) startHash(v hash.Value) Type {
	e.hash, e.firstMS = v, v.FirstExpiry()
	switch timed := e.firstMS != 0; {
	case v.Encoding() == types.Listpack:
		e.step = (*Encoder).stepHashPack
		return HashListpack
	case v.Encoding() == types.ListpackEx && !timed:
		e.step = (*Encoder).stepHashPack
		e.untimed()
		return HashListpack
	case v.Encoding() == types.ListpackEx:
		e.step = (*Encoder).stepHashPackEx
		return HashListpackEx
	case timed:
		e.step = (*Encoder).stepHashTimed
		return HashTimed
	}
	e.step = (*Encoder).stepHash
	return Hash
}

func (e *Encoder) stepHashPack(dst []byte, _ int) ([]byte, bool) {
	if e.hash.Encoding() == types.ListpackEx {
		return e.string(dst, e.scratch), false
	}
	return e.string(dst, e.hash.Listpack()), false
}

// untimed puts the listpack of a hash that has room for expiries, but none, into scratch without that room.
func (e *Encoder) untimed() {
	lp := beginListpack(e.scratch)
	n := 0
	e.hash.EachListed(func(field, value hash.Element, _ int64) {
		lp = appendElement(appendElement(lp, field), value)
		n += 2
	})
	e.scratch = finishListpack(lp, n)
}

// stepHashPackEx writes fields in the order in which they expire, those that do not after them, as Redis 7.4 keeps them.
func (e *Encoder) stepHashPackEx(dst []byte, _ int) ([]byte, bool) {
	lp := e.hash.Listpack()
	e.fields = e.fields[:0]
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; {
		_, at := listpack.Take(lp, pos)
		_, at = listpack.Take(lp, at)
		expiry, next := listpack.Take(lp, at)
		e.fields = append(e.fields, timedField{expiry.Int, pos, next})
		pos = next
	}
	slices.SortStableFunc(e.fields, func(a, b timedField) int {
		return cmp.Compare(uint64(a.expireMS-1), uint64(b.expireMS-1)) // 0 comes last
	})
	sorted := append(e.scratch[:0], lp[:listpackHead]...)
	for _, f := range e.fields {
		sorted = append(sorted, lp[f.from:f.to]...)
	}
	e.scratch = append(sorted, listpackEnd)
	return e.string(appendMS(dst, e.firstMS), e.scratch), false
}

func (e *Encoder) stepHash(dst []byte, end int) ([]byte, bool) {
	if !e.headed {
		e.headed = true
		dst = AppendLen(dst, uint64(e.hash.Size()))
	}
	for ; e.at < e.hash.Buckets(); e.at++ {
		if len(dst) >= end {
			return dst, true
		}
		e.hash.VisitBucket(e.at, func(field, value []byte, _ int64) { dst = e.string(e.string(dst, field), value) })
	}
	return dst, false
}

func (e *Encoder) stepHashTimed(dst []byte, end int) ([]byte, bool) {
	if !e.headed {
		e.headed = true
		dst = AppendLen(appendMS(dst, e.firstMS), uint64(e.hash.Size()))
	}
	for ; e.at < e.hash.Buckets(); e.at++ {
		if len(dst) >= end {
			return dst, true
		}
		e.hash.VisitBucket(e.at, func(field, value []byte, expireMS int64) {
			if expireMS != 0 {
				expireMS += 1 - e.firstMS
			}
			dst = e.string(e.string(AppendLen(dst, uint64(expireMS)), field), value)
		})
	}
	return dst, false
}
