package rdb

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/zset"
)

// scored is a member of a sorted set with where it stands in Decoder.names.
type scored struct {
	score    float64
	from, to int
}

func (b *builder) zset(t Type) types.Root {
	var v zset.Value
	switch t {
	case ZSet, ZSet2:
		v = b.memberZSet(t)
	default:
		v = b.packedZSet(t)
	}
	if b.err != nil {
		return types.Root{}
	}
	return v.Root()
}

const errDupMember = Corrupt("Duplicate zset fields detected")

// memberZSet reads members one by one.
func (b *builder) memberZSet(t Type) zset.Value {
	n := b.length()
	if b.err == nil && n == 0 {
		b.fail(ErrEmpty)
	}
	if b.err != nil {
		return zset.Value{}
	}
	if n <= uint64(max(b.lim.ZSetListpackEntries, 0)) {
		return b.smallZSet(t, int(n))
	}
	if !b.beginZSet(b.believed(n, 2)) {
		return zset.Value{}
	}
	for ; n > 0 && b.err == nil; n-- {
		name, score := b.member(t)
		if b.err == nil {
			b.built(b.zsets.Add(name, score), errDupMember)
		}
		b.pause(1)
	}
	return b.finishZSet()
}

// beginZSet begins a skiplist of n members in b.zsets.
func (b *builder) beginZSet(n int) bool {
	err := b.zsets.Begin(b.sp, n, b.pausing)
	b.built(err, errDupMember)
	return err == nil
}

// finishZSet returns what has been built, or nothing after an error.
func (b *builder) finishZSet() (v zset.Value) {
	if b.err == nil {
		var err error
		v, err = b.zsets.Finish()
		b.built(err, errDupMember)
	}
	if b.err != nil {
		b.zsets.Free()
	}
	return v
}

// member reads a member and its score. The name is kept until the next member.
func (b *builder) member(t Type) (name []byte, score float64) {
	b.name = append(b.name[:0], b.text()...)
	if t == ZSet2 {
		score = math.Float64frombits(b.uint64())
	} else {
		score = b.double()
	}
	if math.IsNaN(score) {
		b.corrupt("Zset with NAN score detected")
	}
	return b.name, score
}

// double reads a score in decimal.
func (b *builder) double() float64 {
	n := b.byte()
	switch n {
	case 255:
		return math.Inf(-1)
	case 254:
		return math.Inf(1)
	case 253:
		return math.NaN()
	}
	text := b.take(int(n))
	if b.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !math.IsInf(f, 0) {
		b.corrupt("%.40q is no score", text)
	}
	return f
}

// smallZSet reads n members that may become a listpack.
func (b *builder) smallZSet(t Type, n int) zset.Value {
	b.members, b.names = b.members[:0], b.names[:0]
	longest := 0
	for ; n > 0 && b.err == nil; n-- {
		name, score := b.member(t)
		from := len(b.names)
		b.names = append(b.names, name...)
		b.members = append(b.members, scored{score, from, len(b.names)})
		longest = max(longest, len(name))
	}
	if b.err != nil {
		return zset.Value{}
	}
	return b.fromMembers(longest <= b.lim.ZSetListpackValue)
}

// fromMembers makes a sorted set of b.members, a listpack if it may be one.
func (b *builder) fromMembers(packed bool) (v zset.Value) {
	b.sortMembers()
	if packed {
		v = b.packMembers()
	} else if b.beginZSet(len(b.members)) {
		for i := len(b.members) - 1; i >= 0 && b.err == nil; i-- {
			m := b.members[i]
			b.built(b.zsets.Add(b.names[m.from:m.to], m.score), errDupMember)
		}
		v = b.finishZSet()
	}
	if cap(b.names) > keptBytes {
		b.names = nil
	}
	return v
}

// packMembers makes a listpack of b.members, which are in order.
func (b *builder) packMembers() zset.Value {
	v := zset.New(b.sp)
	b.seen.reset(len(b.members))
	for i, m := range b.members {
		name := b.names[m.from:m.to]
		twice := b.seen.add(b.sp.Hash(name), i, func(j int) bool {
			o := b.members[j]
			return bytes.Equal(b.names[o.from:o.to], name)
		})
		if twice {
			b.fail(errDupMember)
		} else if err := v.Append(b.lim, name, m.score); err != nil {
			b.fail(err)
		}
		if b.err != nil {
			v.Free()
			break
		}
	}
	return v
}

func (b *builder) sortMembers() {
	slices.SortFunc(b.members, func(x, y scored) int {
		if c := cmp.Compare(x.score, y.score); c != 0 {
			return c
		}
		return bytes.Compare(b.names[x.from:x.to], b.names[y.from:y.to])
	})
}

// packedZSet reads a sorted set that is a listpack or a ziplist.
func (b *builder) packedZSet(t Type) zset.Value {
	lp := b.text()
	what := "Zset listpack"
	if t == ZSetZiplist && b.err == nil {
		what = "Zset ziplist"
		lp = b.convertZiplist(lp, what)
	} else {
		b.count()
	}
	if b.err != nil {
		return zset.Value{}
	}
	if b.unique.Validate(lp, 2) != nil {
		b.corrupt("%s integrity check failed.", what)
		return zset.Value{}
	}
	inOrder, err := zset.ValidateListpack(lp)
	if err != nil {
		b.corrupt("%s integrity check failed.", what)
		return zset.Value{}
	}
	if listpack.First(lp) == 0 {
		b.fail(ErrEmpty)
		return zset.Value{}
	}
	if !inOrder {
		return b.reorder(lp)
	}
	v, err := zset.FromListpack(b.sp, b.lim, lp)
	if err != nil {
		b.fail(err)
	}
	return v
}

// reorder makes a sorted set of a listpack whose members do not stand in their order.
func (b *builder) reorder(lp []byte) zset.Value {
	b.members, b.names = b.members[:0], b.names[:0]
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; {
		e, at := listpack.Take(lp, pos)
		s, next := listpack.Take(lp, at)
		from := len(b.names)
		b.names = e.Append(b.names)
		b.members = append(b.members, scored{zset.ScoreOfElement(s), from, len(b.names)})
		pos = next
	}
	return b.fromMembers(len(b.members) <= b.lim.ZSetListpackEntries)
}
