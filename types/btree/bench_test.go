package btree

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shoaldb/shoal/alloc"
)

// skiplist is what the tree is measured against: 32 levels of off-heap nodes with spans, each level a quarter of the one
// below.
type skiplist struct {
	a     *alloc.Arena
	m     members
	rng   *rand.Rand
	head  alloc.Ref
	count int
	level int
}

const maxLevel = 32

type skipNode struct {
	score float64
	ref   alloc.Ref
	back  alloc.Ref
	next  [maxLevel]struct {
		node alloc.Ref
		span uint32
	}
}

func skipBytes(level int) int { return 16 + 8*level }

func newSkiplist(m members) *skiplist {
	s := &skiplist{a: m.a, m: m, rng: rand.New(rand.NewPCG(3, 3)), level: 1}
	s.head = m.a.AllocZero(skipBytes(maxLevel))
	return s
}

// node views the whole of the largest node; nobody looks behind the levels it has. Only the head is that large.
func (s *skiplist) node(r alloc.Ref) *skipNode { return alloc.PtrAt[skipNode](s.a.Addr(r)) }

// before finds the last node on each level that comes before k, and their ranks.
func (s *skiplist) before(k *Key, nodes *[maxLevel]alloc.Ref, ranks *[maxLevel]uint32) {
	r, rank := s.head, uint32(0)
	for i := s.level - 1; i >= 0; i-- {
		for {
			next := &s.node(r).next[i]
			if next.node == 0 {
				break
			}
			n := s.node(next.node)
			c := cmp.Compare(n.score, k.Score)
			if c == 0 {
				c = s.m.Compare(n.ref, k.Member, 0)
			}
			if c >= 0 {
				break
			}
			rank += next.span
			r = next.node
		}
		nodes[i], ranks[i] = r, rank
	}
}

func (s *skiplist) insert(k *Key, ref alloc.Ref) {
	var nodes [maxLevel]alloc.Ref
	var ranks [maxLevel]uint32
	s.before(k, &nodes, &ranks)
	level := 1
	for level < maxLevel && s.rng.Uint32()&3 == 0 {
		level++
	}
	for ; s.level < level; s.level++ {
		nodes[s.level] = s.head
		s.node(s.head).next[s.level].span = uint32(s.count)
	}
	r := s.a.AllocZero(skipBytes(level))
	n := s.node(r)
	n.score, n.ref = k.Score, ref
	for i := range level {
		prev := &s.node(nodes[i]).next[i]
		n.next[i].node = prev.node
		n.next[i].span = prev.span - (ranks[0] - ranks[i])
		prev.node = r
		prev.span = ranks[0] - ranks[i] + 1
	}
	for i := level; i < s.level; i++ {
		s.node(nodes[i]).next[i].span++
	}
	n.back = nodes[0]
	if n.next[0].node != 0 {
		s.node(n.next[0].node).back = r
	}
	s.count++
}

func (s *skiplist) delete(k *Key) {
	var nodes [maxLevel]alloc.Ref
	var ranks [maxLevel]uint32
	s.before(k, &nodes, &ranks)
	r := s.node(nodes[0]).next[0].node
	n := s.node(r)
	level := 0
	for i := range s.level {
		prev := &s.node(nodes[i]).next[i]
		if prev.node != r {
			prev.span--
			continue
		}
		prev.node = n.next[i].node
		prev.span += n.next[i].span - 1
		level++
	}
	if n.next[0].node != 0 {
		s.node(n.next[0].node).back = n.back
	}
	s.a.Free(r, skipBytes(level))
	s.count--
}

func (s *skiplist) rank(k *Key) int {
	var nodes [maxLevel]alloc.Ref
	var ranks [maxLevel]uint32
	s.before(k, &nodes, &ranks)
	return int(ranks[0])
}

// sum adds up count elements from rank on.
func (s *skiplist) sum(rank, count int) (total float64) {
	r, at := s.head, uint32(0)
	for i := s.level - 1; i >= 0; i-- {
		for {
			next := &s.node(r).next[i]
			if next.node == 0 || int(at+next.span) > rank+1 {
				break
			}
			at += next.span
			r = next.node
		}
	}
	for range count {
		n := s.node(r)
		total += n.score
		r = n.next[0].node
	}
	return total
}

func (t *Tree) sum(rank, count int) (total float64) {
	for c := t.At(rank); count > 0; {
		scores, _ := t.Ahead(&c, count)
		for _, s := range scores {
			total += s
		}
		count -= len(scores)
	}
	return total
}

// index is a tree or a skiplist with elements "0", "1" ... of random scores.
type index struct {
	members members
	keys    []Key
	refs    []alloc.Ref
	insert  func(i int)
	remove  func(i int)
	rank    func(i int) int
	sum     func(rank, count int) float64
}

func newIndex(kind string, n int) *index {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	x := &index{members: members{alloc.NewArena(alloc.NewHeap())}}
	for i := range n {
		name := fmt.Appendf(nil, "member:%09d", i)
		x.keys = append(x.keys, Key{Score: rng.Float64() * 1e6, Member: name})
		x.refs = append(x.refs, x.members.add(name))
	}
	if kind == "skiplist" {
		s := newSkiplist(x.members)
		x.insert = func(i int) { s.insert(&x.keys[i], x.refs[i]) }
		x.remove = func(i int) { s.delete(&x.keys[i]) }
		x.rank = func(i int) int { return s.rank(&x.keys[i]) }
		x.sum = s.sum
	} else {
		tree := Open(x.members.a, x.members, new(Root))
		x.insert = func(i int) { tree.Insert(&x.keys[i], x.refs[i]) }
		x.remove = func(i int) { tree.Delete(&x.keys[i]) }
		x.rank = func(i int) int { r, _ := tree.Rank(&x.keys[i]); return r }
		x.sum = tree.sum
	}
	for i := range n {
		x.insert(i)
	}
	return x
}

// TestSkiplistAgrees makes sure that the benchmarks compare like with like.
func TestSkiplistAgrees(t *testing.T) {
	const n = 5000
	a, b := newIndex("tree", n), newIndex("skiplist", n)
	for i := range n / 2 {
		a.remove(i)
		b.remove(i)
	}
	for i := n / 2; i < n; i++ {
		if a.rank(i) != b.rank(i) {
			t.Fatalf("ranks %d and %d", a.rank(i), b.rank(i))
		}
	}
	if x, y := a.sum(100, 100), b.sum(100, 100); x != y {
		t.Fatalf("sums %v and %v", x, y)
	}
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1000, 100_000, 2_000_000} {
		for _, kind := range []string{"tree", "skiplist"} {
			x := newIndex(kind, n)
			rng := rand.New(rand.NewPCG(9, 9))
			run := func(op string, f func(i int)) {
				b.Run(fmt.Sprintf("op=%s/n=%d/index=%s", op, n, kind), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						f(rng.IntN(n))
					}
					st := x.members.a.Stats()
					b.ReportMetric(float64(st.Allocated-st.Tables)/float64(n), "B/element")
				})
			}
			run("delete+insert", func(i int) { x.remove(i); x.insert(i) })
			run("rank", func(i int) { x.rank(i) })
			run("range100", func(i int) { x.sum(min(i, n-100), 100) })
		}
	}
}

// BenchmarkTies has elements of one score: each comparison meets a member.
func BenchmarkTies(b *testing.B) {
	x := newIndex("tree", 100_000)
	tree := Open(x.members.a, x.members, new(Root))
	for i := range x.keys {
		x.keys[i].Score = 0
		tree.Insert(&x.keys[i], x.refs[i])
	}
	i := 0
	for b.Loop() {
		if _, found := tree.Rank(&x.keys[i]); !found || !bytes.Equal(x.members.bytes(x.refs[i]), x.keys[i].Member) {
			b.Fatal("lost")
		}
		i = (i + 7919) % len(x.keys)
	}
}
