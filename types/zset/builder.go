package zset

import (
	"bytes"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/member"
)

// Builder makes a skiplist of members of which it is known how many they are. Those that come in descending order, as
// RDB files have them, become leaves of the tree without a search; from the first that does not on all are added as
// ZADD does. It ends by Finish or Free.
type Builder struct {
	v      Value
	filler member.Filler
	mixed  bool // the order is another one

	// The last members, which are not in the tree yet, are run[free:].
	free   int
	scores [btree.RunLen]float64
	refs   [btree.RunLen]alloc.Ref
	score  float64 // of the last
	last   alloc.Ref
}

// Begin begins a sorted set of n members; there may be more. pause is called after each so many elements' work. The error is
// types.ErrNoMemory.
func (b *Builder) Begin(sp *types.Space, n int, pause func(n int)) (err error) {
	b.mixed, b.free, b.last = false, btree.RunLen, 0
	if b.v, err = newLarge(sp); err != nil {
		return err
	}
	if err := member.Reserve(sp, &b.v.head().table, n, pause); err != nil {
		b.v.Free()
		return err
	}
	return nil
}

// Add adds a member. At once or some time later member.ErrTwice is the error of one that is there already; else it is
// types.ErrNoMemory.
func (b *Builder) Add(name []byte, score float64) error {
	if !b.mixed && !b.descends(name, score) {
		if err := b.flush(); err != nil {
			return err
		}
		b.mixed = true
	}
	if b.mixed {
		return b.addMixed(name, score)
	}
	if b.free == 0 && !b.flushRun() {
		return types.ErrNoMemory
	}
	v := &b.v
	ref := v.newMember(name, score)
	if ref == 0 {
		return types.ErrNoMemory
	}
	b.free--
	b.scores[b.free], b.refs[b.free] = score, ref
	b.score, b.last = score, ref
	return b.filler.Add(v.sp, &v.head().table, v.sp.Hash(name), ref)
}

// descends tells whether a member belongs before the last.
func (b *Builder) descends(name []byte, score float64) bool {
	if b.last == 0 || score != b.score {
		return b.last == 0 || score < b.score
	}
	return bytes.Compare(name, member.Name(b.v.sp.Arena, b.last)) < 0
}

func (b *Builder) addMixed(name []byte, score float64) error {
	switch out, _, err := b.v.addLarge(name, score, NX); {
	case err != nil:
		return err
	case out != Inserted:
		return member.ErrTwice
	}
	return nil
}

// flushRun puts the last members into the tree.
func (b *Builder) flushRun() bool {
	t := b.v.tree()
	if b.free < btree.RunLen && !t.PrependRun(b.scores[b.free:], b.refs[b.free:]) {
		return false
	}
	b.free = btree.RunLen
	return true
}

func (b *Builder) flush() error {
	if !b.flushRun() {
		return types.ErrNoMemory
	}
	return b.filler.Flush(b.v.sp, &b.v.head().table)
}

// Finish returns the sorted set. For the errors see Add.
func (b *Builder) Finish() (Value, error) {
	if err := b.flush(); err != nil {
		return Value{}, err
	}
	b.v.head().table.Settle()
	return b.v, nil
}

// Free gives back what has been built.
func (b *Builder) Free() {
	for _, ref := range b.refs[b.free:] {
		b.v.freeMember(ref)
	}
	b.free, b.filler = btree.RunLen, member.Filler{}
	b.v.Free()
}
