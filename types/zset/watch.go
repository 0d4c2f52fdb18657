package zset

import (
	"bytes"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/member"
)

// Position is a place in the order of a sorted set; there need be no member.
type Position struct {
	Score float64
	Name  []byte
}

// Reaches tells whether the member in a block stands at p or after.
func (p *Position) Reaches(sp *types.Space, ref alloc.Ref) bool {
	name, score := MemberAt(sp, ref)
	return score > p.Score || score == p.Score && bytes.Compare(name, p.Name) >= 0
}

// MemberAt returns the member in a block of a skiplist, and its score.
func MemberAt(sp *types.Space, ref alloc.Ref) (name []byte, score float64) {
	v := Value{sp: sp}
	return member.Name(sp.Arena, ref), v.blockScore(ref)
}

// VisitDown visits runs of blocks of a skiplist's members: from the last one before p on, or, if p is nil, from the
// last one. A run is in order, the runs go downwards. It ends where visit returns false.
func (v *Value) VisitDown(p *Position, visit func(run []alloc.Ref) bool) {
	t := v.tree()
	c := t.Last()
	if p != nil {
		rank, _ := t.Rank(&btree.Key{Score: p.Score, Member: p.Name})
		c = t.At(rank - 1)
	}
	for {
		_, refs := t.Back(&c, runLen)
		if len(refs) == 0 || !visit(refs) {
			return
		}
	}
}
