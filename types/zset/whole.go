package zset

import (
	"bytes"
	"fmt"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Copy returns a copy of the sorted set of root r in the same encoding. The error is types.ErrNoMemory: nothing is left behind
// then.
func Copy(from *types.Space, r types.Root, to *types.Space) (types.Root, error) {
	v := Open(from, r)
	c := New(to)
	if v.small() {
		var ok bool
		if c.block, ok = listpack.New(to.Arena, v.Listpack()); !ok {
			return types.Root{}, types.ErrNoMemory
		}
		return c.Root(), nil
	}
	c, err := newLarge(to)
	if err != nil {
		return types.Root{}, err
	}
	for it := v.Ascend(0, v.Len()); ; {
		e, score, ok := it.Next()
		if !ok {
			return c.Root(), nil
		}
		if err := c.appendLarge(e.Bytes, score); err != nil {
			c.Free()
			return types.Root{}, err
		}
	}
}

// Len returns the number of members of the sorted set of root r.
func Len(sp *types.Space, r types.Root) int {
	v := Open(sp, r)
	return v.Len()
}

// Bytes returns the memory of the sorted set of root r, blocks rounded up to their size classes.
func Bytes(sp *types.Space, r types.Root, _ int) int {
	v := Open(sp, r)
	switch {
	case v.small() && v.block.Size == 0:
		return 0
	case v.small():
		return alloc.UsableSize(int(v.block.Size))
	}
	h, t := v.head(), v.tree()
	return alloc.UsableSize(headBytes) + int(h.bytes) + h.table.Bytes() + t.Bytes()
}

// Check verifies the whole sorted set of root r, for tests and the invariants build.
func Check(sp *types.Space, r types.Root) error {
	v := Open(sp, r)
	if v.small() {
		return v.checkSmall()
	}
	h, t := v.head(), v.tree()
	if err := member.Check(sp, &h.table); err != nil {
		return err
	}
	if err := t.Check(func(a, b alloc.Ref) bool {
		return bytes.Compare(member.Name(sp.Arena, a), member.Name(sp.Arena, b)) < 0
	}); err != nil {
		return err
	}
	if h.table.Len() != t.Len() {
		return fmt.Errorf("%d members in the table, %d in the tree", h.table.Len(), t.Len())
	}
	return v.checkMembers()
}

// checkMembers looks up each member of the tree in the table.
func (v *Value) checkMembers() error {
	h, t := v.head(), v.tree()
	total := 0
	for c := t.First(); ; {
		scores, refs := t.Ahead(&c, runLen)
		if len(refs) == 0 {
			break
		}
		for i, ref := range refs {
			if p := member.FindRef(v.sp, &h.table, ref); p.Ref != ref || v.blockScore(ref) != scores[i] {
				return fmt.Errorf("member %q: block %d, score %v in the tree, %d and %v in the table",
					member.Name(v.sp.Arena, ref), ref, scores[i], p.Ref, v.blockScore(ref))
			}
			total += alloc.UsableSize(member.NameHead(v.sp.Arena, ref) + scoreRoom)
		}
	}
	if total != int(h.bytes) {
		return fmt.Errorf("members take %d bytes, counted as %d", total, h.bytes)
	}
	return nil
}

func (v *Value) checkSmall() error {
	lp := v.Listpack()
	if err := listpack.Validate(lp, true); err != nil {
		return err
	}
	if n := listpack.Len(lp); n%2 != 0 {
		return fmt.Errorf("a listpack of %d elements", n)
	}
	var last []byte
	var lastScore float64
	it := v.Ascend(0, v.Len())
	for i := 0; ; i++ {
		e, score, ok := it.Next()
		if !ok {
			return nil
		}
		name := e.Append(nil)
		if i > 0 && (score < lastScore || score == lastScore && bytes.Compare(name, last) <= 0) || score != score {
			return fmt.Errorf("(%v, %q) follows (%v, %q)", score, name, lastScore, last)
		}
		last, lastScore = name, score
	}
}
