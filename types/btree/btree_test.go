package btree

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
)

// members is an Order of blocks that hold a length and as many bytes.
type members struct{ a *alloc.Arena }

func (m members) bytes(r alloc.Ref) []byte {
	n := int(m.a.Bytes(r, 1)[0])
	return m.a.Bytes(r, 1+n)[1:]
}

func (m members) Compare(r alloc.Ref, key []byte, _ alloc.Ref) int {
	return bytes.Compare(m.bytes(r), key)
}

// add makes a member, which counts as another purpose than the tree.
func (m members) add(b []byte) alloc.Ref {
	r := m.a.AllocFor(alloc.Table, 1+len(b))
	block := m.a.Bytes(r, 1+len(b))
	block[0] = byte(len(b))
	copy(block[1:], b)
	return r
}

type element struct {
	score float64
	name  string
	ref   alloc.Ref
}

func compare(a, b element) int {
	if c := cmp.Compare(a.score, b.score); c != 0 {
		return c
	}
	return cmp.Compare(a.name, b.name)
}

// model is a tree beside a sorted slice.
type model struct {
	t     testing.TB
	m     members
	root  Root
	tree  Tree
	want  []element
	steps int
}

func newModel(t testing.TB) *model {
	m := &model{t: t, m: members{alloc.NewArena(alloc.NewHeap())}}
	m.tree = Open(m.m.a, m.m, &m.root)
	return m
}

func key(e element) *Key { return &Key{Score: e.score, Member: []byte(e.name)} }

func (m *model) find(e element) (int, bool) { return slices.BinarySearchFunc(m.want, e, compare) }

func (m *model) insert(e element) {
	at, found := m.find(e)
	if found {
		return
	}
	e.ref = m.m.add([]byte(e.name))
	if !m.tree.Insert(key(e), e.ref) {
		m.t.Fatal("no memory")
	}
	m.want = slices.Insert(m.want, at, e)
}

func (m *model) delete(e element) {
	at, found := m.find(e)
	ref := m.tree.Delete(key(e))
	if !found {
		if ref != 0 {
			m.t.Fatalf("deleted %v, which was not there", e)
		}
		return
	}
	if ref != m.want[at].ref {
		m.t.Fatalf("Delete returned %d, want %d", ref, m.want[at].ref)
	}
	m.free(at, at+1)
}

func (m *model) free(from, to int) {
	for _, e := range m.want[from:to] {
		m.m.a.FreeFor(alloc.Table, e.ref, 1+len(e.name))
	}
	m.want = slices.Delete(m.want, from, to)
}

func (m *model) update(at int, score float64) {
	e := m.want[at]
	to := e
	to.score = score
	if at2, found := m.find(to); found && at2 != at {
		return
	}
	if !m.tree.Update(key(e), score) {
		m.t.Fatal("no memory")
	}
	m.want = slices.Delete(m.want, at, at+1)
	at, _ = m.find(to)
	m.want = slices.Insert(m.want, at, to)
}

// replace gives the element another reference.
func (m *model) replace(at int) {
	e := &m.want[at]
	ref := m.m.add([]byte(e.name))
	m.tree.Replace(key(*e), ref)
	m.m.a.FreeFor(alloc.Table, e.ref, 1+len(e.name))
	e.ref = ref
}

func (m *model) deleteRange(from, to int) {
	for n := to - from; n > 0; {
		refs := m.tree.DeleteRun(from, n, nil)
		for i, r := range refs {
			if r != m.want[from+i].ref {
				m.t.Fatalf("DeleteRun returned %d, want %d", r, m.want[from+i].ref)
			}
		}
		m.free(from, from+len(refs))
		n -= len(refs)
		m.check()
	}
}

func (m *model) check() {
	m.t.Helper()
	if m.tree.Len() != len(m.want) {
		m.t.Fatalf("Len() = %d, want %d", m.tree.Len(), len(m.want))
	}
	if err := m.tree.Check(func(a, b alloc.Ref) bool { return bytes.Compare(m.m.bytes(a), m.m.bytes(b)) < 0 }); err != nil {
		m.t.Fatal(err)
	}
	if st := m.m.a.Stats(); st.Allocated-st.Tables != m.tree.Bytes() {
		m.t.Fatalf("Bytes() = %d, the arena says %d", m.tree.Bytes(), st.Allocated-st.Tables)
	}
}

// probe compares searches for e and iterations from it with the slice.
func (m *model) probe(e element, limit int) {
	m.t.Helper()
	want, found := m.find(e)
	if rank, is := m.tree.Rank(key(e)); rank != want || is != found {
		m.t.Fatalf("Rank(%v) = %d, %v, want %d, %v", e, rank, is, want, found)
	}
	before := slices.IndexFunc(m.want, func(o element) bool { return o.score >= e.score })
	if before < 0 {
		before = len(m.want)
	}
	if rank, _ := m.tree.Rank(&Key{Score: e.score, Place: Before}); rank != before {
		m.t.Fatalf("%d elements before score %v, want %d", rank, e.score, before)
	}
	after := slices.IndexFunc(m.want, func(o element) bool { return o.score > e.score })
	if after < 0 {
		after = len(m.want)
	}
	if rank, _ := m.tree.Rank(&Key{Score: e.score, Place: After}); rank != after {
		m.t.Fatalf("%d elements up to score %v, want %d", rank, e.score, after)
	}
	if found {
		if got := m.tree.Find(key(e)); got != m.want[want].ref {
			m.t.Fatalf("Find(%v) = %d, want %d", e, got, m.want[want].ref)
		}
		if score, ref := m.tree.ByRank(want); score != e.score || ref != m.want[want].ref {
			m.t.Fatalf("ByRank(%d) = %v, %d, want %v", want, score, ref, m.want[want])
		}
	}
	m.iterate(want, limit)
}

func (m *model) iterate(from, limit int) {
	m.t.Helper()
	c := m.tree.At(from)
	for i := from; ; {
		scores, refs := m.tree.Ahead(&c, limit)
		if len(refs) == 0 {
			if i != len(m.want) {
				m.t.Fatalf("Ahead ends at %d of %d", i, len(m.want))
			}
			break
		}
		for j := range refs {
			if refs[j] != m.want[i].ref || scores[j] != m.want[i].score {
				m.t.Fatalf("Ahead gives %v, %d at %d, want %v", scores[j], refs[j], i, m.want[i])
			}
			i++
		}
	}
	c = m.tree.At(from)
	for i := from; i >= 0 && i < len(m.want); {
		scores, refs := m.tree.Back(&c, limit)
		for j := len(refs) - 1; j >= 0; j-- {
			if refs[j] != m.want[i].ref || scores[j] != m.want[i].score {
				m.t.Fatalf("Back gives %v, %d at %d, want %v", scores[j], refs[j], i, m.want[i])
			}
			i--
		}
		if len(refs) == 0 {
			m.t.Fatalf("Back ends at %d", i)
		}
	}
}

// close frees the tree in steps and looks whether all memory has come back.
func (m *model) close() {
	m.t.Helper()
	n := 0
	for !m.tree.FreeStep(100, func(ref alloc.Ref) {
		m.m.a.FreeFor(alloc.Table, ref, 1+len(m.m.bytes(ref)))
		n++
	}) {
	}
	if n != len(m.want) || m.m.a.Stats().Allocated != 0 {
		m.t.Fatalf("FreeStep visited %d of %d elements and left %d bytes", n, len(m.want), m.m.a.Stats().Allocated)
	}
}

func name(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

func TestRandom(t *testing.T) {
	for _, scores := range []int{1, 50, 1 << 30} {
		rng := rand.New(rand.NewPCG(uint64(scores), 1))
		m := newModel(t)
		random := func() element {
			return element{score: float64(rng.IntN(scores)) - 5, name: name(rng.Uint64N(6000))}
		}
		for round := range 12 {
			growing := round%3 != 2
			for range 2000 {
				switch {
				case len(m.want) > 0 && rng.IntN(4) == 0:
					m.update(rng.IntN(len(m.want)), float64(rng.IntN(scores))-5)
				case len(m.want) > 0 && rng.IntN(8) == 0:
					m.replace(rng.IntN(len(m.want)))
				case growing || len(m.want) == 0:
					m.insert(random())
				default:
					m.delete(m.want[rng.IntN(len(m.want))])
					m.delete(random())
				}
				if m.steps++; m.steps%97 == 0 {
					m.check()
				}
			}
			m.check()
			m.probe(random(), 1+rng.IntN(200))
			if len(m.want) > 0 {
				m.probe(m.want[rng.IntN(len(m.want))], 1+rng.IntN(200))
			}
			if round%4 == 3 {
				from := rng.IntN(len(m.want))
				m.deleteRange(from, min(from+rng.IntN(1500), len(m.want)))
			}
		}
		m.close()
	}
}

// TestEnds inserts and deletes at the ends, as queues do.
func TestEnds(t *testing.T) {
	m := newModel(t)
	for i := range 20000 {
		m.insert(element{score: float64(i), name: "a"})
		if i > 3000 && i%3 != 0 {
			m.delete(m.want[0])
		}
		if i%501 == 0 {
			m.check()
		}
	}
	for i := range 5000 {
		m.insert(element{score: float64(-i), name: "a"})
	}
	m.check()
	m.deleteRange(0, len(m.want))
	m.close()
}

func TestAppend(t *testing.T) {
	m := newModel(t)
	for i := range 50000 {
		e := element{score: float64(i / 3), name: name(uint64(i))}
		e.ref = m.m.add([]byte(e.name))
		m.tree.Append(e.score, e.ref)
		m.want = append(m.want, e)
	}
	m.check()
	if full := fullness(&m.tree); full < 0.99 {
		t.Errorf("nodes are full to %.2f", full)
	}
	m.iterate(777, 1000)
	for len(m.want) > 10 {
		m.deleteRange(len(m.want)/2, len(m.want)/2+min(5000, len(m.want)/2))
	}
	m.close()
}

// fullness returns how full the leaves are.
func fullness(t *Tree) float64 { return float64(t.count) / float64(t.leaves*leafCap) }

func TestFullness(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := newModel(t)
	for range 100000 {
		if r := m.m.add([]byte{1}); !m.tree.Insert(&Key{Score: rng.Float64()}, r) {
			t.Fatal("no memory")
		}
	}
	if full := fullness(&m.tree); full < 0.78 {
		t.Errorf("leaves are full to %.2f", full)
	}
	if perElement := float64(m.tree.Bytes()) / 100000; perElement > 16.1 {
		t.Errorf("%.1f bytes an element", perElement)
	}
}

// numbers is an Order of references by their numbers.
type numbers struct{}

func (numbers) Compare(r alloc.Ref, _ []byte, key alloc.Ref) int { return cmp.Compare(r, key) }

func TestOrderByRef(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var root Root
	tree := Open(a, numbers{}, &root)
	for i := range 1000 {
		ref := alloc.Ref(i*7%1000 + 1)
		if !tree.Insert(&Key{Score: float64(ref % 3), Ref: ref}, ref) {
			t.Fatal("no memory")
		}
	}
	if err := tree.Check(func(a, b alloc.Ref) bool { return a < b }); err != nil {
		t.Fatal(err)
	}
	if rank, found := tree.Rank(&Key{Score: 0, Ref: 30}); rank != 9 || !found {
		t.Errorf("Rank = %d, %v", rank, found)
	}
}

func TestAllocations(t *testing.T) {
	if invariants.Enabled {
		return // its checks allocate
	}
	m := newModel(t)
	for i := range 1000 {
		m.insert(element{score: float64(i / 10), name: name(uint64(i))})
	}
	name := []byte(m.want[500].name)
	if n := testing.AllocsPerRun(100, func() {
		k := &Key{Score: 50, Member: name}
		ref := m.tree.Delete(k)
		m.tree.Insert(k, ref)
		m.tree.Rank(k)
		m.tree.Update(k, 70)
		m.tree.Update(&Key{Score: 70, Member: name}, 50)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzTree(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x10\x20\x30"))
	f.Add(bytes.Repeat([]byte("abcdefgh"), 300))
	f.Fuzz(func(t *testing.T, program []byte) {
		m := newModel(t)
		for i := 0; i+2 < len(program) && i < 900; i += 3 {
			op, a, b := program[i], program[i+1], program[i+2]
			e := element{score: float64(a >> 5), name: string([]byte{a & 31, b})}
			switch op % 8 {
			case 0, 1, 2:
				m.insert(e)
			case 3:
				for j := range int(b) {
					m.insert(element{score: float64(op >> 3), name: string([]byte{a, byte(j)})})
				}
			case 4:
				m.delete(e)
			case 5:
				if n := len(m.want); n > 0 {
					m.update((int(a)<<8|int(b))%n, float64(op>>3))
				}
			case 6:
				if n := len(m.want); n > 0 {
					from := int(a) % n
					m.deleteRange(from, min(from+int(b), n))
				}
			case 7:
				m.probe(e, 1+int(op>>3))
			}
		}
		m.check()
		m.close()
	})
}
