package zset

import (
	"bytes"
	"math"
	"slices"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Mode are the conditions under which Add changes something, and whether it adds to the score. See the options of ZADD.
type Mode uint8

const (
	Incr Mode = 1 << iota // the score is added to the member's
	NX                    // only members that are not there
	XX                    // only members that are there
	GT                    // only to a greater score
	LT                    // only to a smaller score
)

// Outcome is what Add has done.
type Outcome uint8

const (
	Kept       Outcome = iota // the member has the score already
	Refused                   // the conditions were not met
	Inserted                  // the member is new
	Updated                   // the member has got another score
	NotANumber                // the sum of the scores is no number: nothing was changed
)

// Add gives a member a score, not NaN, and returns what has become of it and the member's score, which is meaningless
// if there is none. The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) Add(lim *types.Limits, name []byte, score float64, mode Mode) (Outcome, float64, error) {
	if v.small() {
		return v.addSmall(lim, name, score, mode)
	}
	return v.addLarge(name, score, mode)
}

// decide returns what mode makes of a new score for a member whose score is was.
func decide(was, score float64, mode Mode) (Outcome, float64) {
	if mode&NX != 0 {
		return Refused, was
	}
	if mode&Incr != 0 {
		if score += was; math.IsNaN(score) {
			return NotANumber, was
		}
	}
	switch {
	case mode&LT != 0 && score >= was, mode&GT != 0 && score <= was:
		return Refused, was
	case score == was:
		return Kept, score
	}
	return Updated, score
}

func (v *Value) addSmall(lim *types.Limits, name []byte, score float64, mode Mode) (Outcome, float64, error) {
	lp := v.Listpack()
	pos := listpack.Find(lp, listpack.First(lp), name, 1)
	if pos != 0 {
		out, score := decide(scoreAt(lp, listpack.Next(lp, pos)), score, mode)
		if out == Updated && !v.moveSmall(pos, name, score) {
			return Kept, 0, types.ErrNoMemory
		}
		return out, score, nil
	}
	if mode&XX != 0 {
		return Refused, 0, nil
	}
	if listpack.Len(lp)/2 >= lim.ZSetListpackEntries || len(name) > lim.ZSetListpackValue || len(lp)+len(name) > maxListpack {
		if err := v.Enlarge(); err != nil {
			return Kept, 0, err
		}
		return v.addLarge(name, score, mode)
	}
	var buf [128]byte
	if !v.block.InsertElements(v.sp.Arena, place(lp, 0, name, score), appendPair(buf[:0], name, score), 2) {
		return Kept, 0, types.ErrNoMemory
	}
	return Inserted, score, nil
}

// maxListpack bounds a listpack in bytes, whatever the limits are.
const maxListpack = 1 << 30

// place returns where in the listpack a member belongs. The one at except, which is the member itself or 0, does not count.
func place(lp []byte, except int, name []byte, score float64) int {
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; {
		e, at := listpack.Take(lp, pos)
		is, next := listpack.Take(lp, at)
		if s := scoreOf(is); pos != except && (s > score || s == score && after(e, name)) {
			return pos
		}
		pos = next
	}
	return len(lp) - 1
}

// after tells whether the member e comes after name.
func after(e listpack.Element, name []byte) bool {
	if !e.IsInt {
		return bytes.Compare(e.Bytes, name) > 0
	}
	var buf [maxIntText]byte
	return bytes.Compare(e.Append(buf[:0]), name) > 0
}

// moveSmall gives the member at pos of the listpack, name, another score.
func (v *Value) moveSmall(pos int, name []byte, score float64) bool {
	a := v.sp.Arena
	at := listpack.Next(v.Listpack(), pos)
	if whole(score) {
		if !v.block.ReplaceInt(a, at, int64(score)) {
			return false
		}
	} else {
		var buf [32]byte
		if !v.block.Replace(a, at, AppendText(buf[:0], score)) {
			return false
		}
	}
	lp := v.Listpack()
	end := listpack.Next(lp, at)
	if end == 0 {
		end = len(lp) - 1
	}
	switch to := place(lp, pos, name, score); {
	case to < pos:
		rotate(lp[to:end], pos-to)
	case to > end:
		rotate(lp[pos:to], end-pos)
	}
	return true
}

// rotate exchanges b[:n] with b[n:].
func rotate(b []byte, n int) {
	slices.Reverse(b[:n])
	slices.Reverse(b[n:])
	slices.Reverse(b)
}

func (v *Value) addLarge(name []byte, score float64, mode Mode) (Outcome, float64, error) {
	h := v.head()
	p := member.Find(v.sp, &h.table, name)
	if p.Found() {
		was := v.blockScore(p.Ref)
		out, score := decide(was, score, mode)
		if out == Updated {
			if v.watch != nil {
				v.watch.Change(p.Ref)
			}
			t := v.tree()
			if !t.Update(&btree.Key{Score: was, Member: name}, score) {
				return Kept, 0, types.ErrNoMemory
			}
			v.setBlockScore(p.Ref, score)
			if v.watch != nil {
				v.watch.Add(p.Ref)
			}
		}
		return out, score, nil
	}
	if mode&XX != 0 {
		return Refused, 0, nil
	}
	ref := v.newMember(name, score)
	if ref == 0 {
		return Kept, 0, types.ErrNoMemory
	}
	t := v.tree()
	k := btree.Key{Score: score, Member: name}
	if !t.Insert(&k, ref) {
		v.freeMember(ref)
		return Kept, 0, types.ErrNoMemory
	}
	if !p.Insert(v.sp, &h.table, ref) {
		t.Delete(&k)
		v.freeMember(ref)
		return Kept, 0, types.ErrNoMemory
	}
	if v.watch != nil {
		v.watch.Add(ref)
	}
	return Inserted, score, nil
}

// newMember returns a block with a member and its score, or 0 if there is no memory.
func (v *Value) newMember(name []byte, score float64) alloc.Ref {
	size := member.Head(len(name)) + scoreRoom
	ref := v.sp.Arena.Alloc(size)
	if ref != 0 {
		member.Put(v.sp.Arena.Bytes(ref, size), name)
		v.setBlockScore(ref, score)
		v.head().bytes += uint64(alloc.UsableSize(size))
	}
	return ref
}

func (v *Value) freeMember(ref alloc.Ref) {
	size := member.NameHead(v.sp.Arena, ref) + scoreRoom
	v.head().bytes -= uint64(alloc.UsableSize(size))
	v.sp.Arena.Free(ref, size)
}

// Append adds a member that is not there and comes after all others, as when a sorted set is built of one that is in
// order. The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) Append(lim *types.Limits, name []byte, score float64) error {
	if v.small() {
		lp := v.Listpack()
		if listpack.Len(lp)/2 < lim.ZSetListpackEntries && len(name) <= lim.ZSetListpackValue && len(lp)+len(name) <= maxListpack {
			var buf [128]byte
			if !v.block.InsertElements(v.sp.Arena, len(lp)-1, appendPair(buf[:0], name, score), 2) {
				return types.ErrNoMemory
			}
			return nil
		}
		if err := v.Enlarge(); err != nil {
			return err
		}
	}
	return v.appendLarge(name, score)
}

// AppendElement is Append for a member of another collection.
func (v *Value) AppendElement(lim *types.Limits, e listpack.Element, score float64) error {
	if !e.IsInt {
		return v.Append(lim, e.Bytes, score)
	}
	var buf [maxIntText]byte
	return v.Append(lim, e.Append(buf[:0]), score)
}

func (v *Value) appendLarge(name []byte, score float64) error {
	ref := v.newMember(name, score)
	if ref == 0 {
		return types.ErrNoMemory
	}
	t := v.tree()
	if !t.Append(score, ref) {
		v.freeMember(ref)
		return types.ErrNoMemory
	}
	if !v.head().table.Insert(v.sp.Arena, v.sp.Hash(name), ref, member.Hasher{Space: v.sp}) {
		t.Delete(&btree.Key{Score: score, Member: name})
		v.freeMember(ref)
		return types.ErrNoMemory
	}
	return nil
}

// Enlarge makes a listpack a skiplist. The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) Enlarge() error {
	if !v.small() {
		return nil
	}
	large, err := newLarge(v.sp)
	if err != nil {
		return err
	}
	var buf [maxIntText]byte
	for it := v.Ascend(0, v.Len()); ; {
		e, score, ok := it.Next()
		if !ok {
			break
		}
		name := e.Bytes
		if e.IsInt {
			name = e.Append(buf[:0])
		}
		if err := large.appendLarge(name, score); err != nil {
			large.Free()
			return err
		}
	}
	v.block.Free(v.sp.Arena)
	*v = large
	return nil
}

// newLarge returns an empty skiplist.
func newLarge(sp *types.Space) (Value, error) {
	ref := sp.Arena.Alloc(headBytes)
	if ref == 0 {
		return Value{}, types.ErrNoMemory
	}
	*alloc.At[head](sp.Arena, ref) = head{}
	return Value{sp: sp, ref: ref, enc: types.Skiplist}, nil
}
