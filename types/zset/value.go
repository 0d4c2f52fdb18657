package zset

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/btree"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Value is a view of a sorted set, for the time of one command.
type Value struct {
	sp    *types.Space
	block listpack.Block // of a listpack
	ref   alloc.Ref      // of a skiplist: its head
	enc   types.Encoding
	watch types.Watcher // may be nil
}

// head is what a skiplist's root leads to.
type head struct {
	table dict.Table
	tree  btree.Root
	bytes uint64 // that the members' blocks take
}

const headBytes = 56

// New returns an empty sorted set in sp, which takes no memory.
func New(sp *types.Space) Value { return Value{sp: sp, enc: types.Listpack} }

// Open returns a view of the sorted set that r is the root of.
func Open(sp *types.Space, r types.Root) Value {
	v := Value{sp: sp, enc: r.Encoding, watch: sp.Watcher(&r)}
	ref := alloc.Ref(uint32(r.Data.Lo))
	if r.Encoding == types.Listpack {
		v.block = listpack.Block{Ref: ref, Size: uint32(r.Data.Lo >> 32)}
	} else {
		v.ref = ref
	}
	return v
}

// Root returns what is to be kept of the sorted set after a change.
func (v *Value) Root() types.Root {
	r := types.Root{Type: types.ZSet, Encoding: v.enc}
	if v.enc == types.Listpack {
		r.Data.Lo = types.Word(uint32(v.block.Ref), v.block.Size)
	} else {
		r.Data.Lo = types.Word(uint32(v.ref), 0)
	}
	return r
}

// Encoding returns the encoding.
func (v *Value) Encoding() types.Encoding { return v.enc }

// Space returns where the sorted set lives.
func (v *Value) Space() *types.Space { return v.sp }

// Listpack returns a listpack's bytes. They die when the sorted set changes.
func (v *Value) Listpack() []byte { return v.block.Bytes(v.sp.Arena) }

func (v *Value) small() bool { return v.enc == types.Listpack }

func (v *Value) head() *head { return alloc.At[head](v.sp.Arena, v.ref) }

func (v *Value) tree() btree.Tree { return btree.Open(v.sp.Arena, order{v.sp.Arena}, &v.head().tree) }

// order compares members for the tree.
type order struct{ arena *alloc.Arena }

func (o order) Compare(ref alloc.Ref, name []byte, _ alloc.Ref) int {
	return bytes.Compare(member.Name(o.arena, ref), name)
}

// Len returns the number of members.
func (v *Value) Len() int {
	if v.small() {
		return listpack.Len(v.Listpack()) / 2
	}
	return v.head().tree.Len()
}

// Score returns the score of a member.
func (v *Value) Score(name []byte) (score float64, found bool) {
	if v.small() {
		lp := v.Listpack()
		pos := listpack.Find(lp, listpack.First(lp), name, 1)
		if pos == 0 {
			return 0, false
		}
		return scoreAt(lp, listpack.Next(lp, pos)), true
	}
	p := member.Find(v.sp, &v.head().table, name)
	if !p.Found() {
		return 0, false
	}
	return v.blockScore(p.Ref), true
}

// maxIntText is how many bytes an integer takes in decimal at most.
const maxIntText = 20

// Rank returns how many members come before one, and its score.
func (v *Value) Rank(name []byte) (rank int, score float64, found bool) {
	if v.small() {
		return v.smallRank(name)
	}
	score, found = v.Score(name)
	if !found {
		return 0, 0, false
	}
	t := v.tree()
	rank, _ = t.Rank(&btree.Key{Score: score, Member: name})
	return rank, score, true
}

func (v *Value) smallRank(name []byte) (rank int, score float64, found bool) {
	lp := v.Listpack()
	for pos := listpack.First(lp); pos != 0; rank++ {
		is := listpack.Get(lp, pos).Equal(name)
		pos = listpack.Next(lp, pos)
		if is {
			return rank, scoreAt(lp, pos), true
		}
		pos = listpack.Next(lp, pos)
	}
	return 0, 0, false
}

// ByRank returns the member that rank others come before; 0 <= rank < Len.
func (v *Value) ByRank(rank int) (e listpack.Element, score float64) {
	if v.small() {
		lp := v.Listpack()
		pos := listpack.Seek(lp, 2*rank)
		return listpack.Get(lp, pos), scoreAt(lp, listpack.Next(lp, pos))
	}
	t := v.tree()
	score, ref := t.ByRank(rank)
	return listpack.Element{Bytes: member.Name(v.sp.Arena, ref)}, score
}

// Random returns a member, each with the same probability. The sorted set is not empty.
func (v *Value) Random() (e listpack.Element, score float64) { return v.ByRank(v.sp.RandN(v.Len())) }

// Scan visits the members of one group of buckets, or all of a listpack, and returns the cursor of the next group; it starts
// and ends with 0. A member that is there during a whole scan is visited at least once, however the set changes between
// the calls.
func (v *Value) Scan(cursor uint32, visit func(e listpack.Element, score float64)) uint32 {
	if v.small() {
		for it := v.Ascend(0, v.Len()); ; {
			e, score, ok := it.Next()
			if !ok {
				return 0
			}
			visit(e, score)
		}
	}
	a := v.sp.Arena
	return v.head().table.Scan(a, cursor, func(ref alloc.Ref) {
		visit(listpack.Element{Bytes: member.Name(a, ref)}, v.blockScore(ref))
	})
}

// scoreRoom is how many bytes of a member's block its score takes.
const scoreRoom = 8

// blockScore returns the score of the member whose block ref is.
func (v *Value) blockScore(ref alloc.Ref) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(v.scoreBytes(ref)))
}

func (v *Value) setBlockScore(ref alloc.Ref, score float64) {
	binary.LittleEndian.PutUint64(v.scoreBytes(ref), math.Float64bits(score))
}

func (v *Value) scoreBytes(ref alloc.Ref) []byte {
	at := member.NameHead(v.sp.Arena, ref)
	return v.sp.Arena.Bytes(ref, at+scoreRoom)[at:]
}
