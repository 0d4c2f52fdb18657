package quicklist

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

func limits(size, depth int) *types.Limits {
	return &types.Limits{ListListpackSize: size, ListCompressDepth: depth}
}

// model is a list beside the plain one it must be equal to.
type model struct {
	t     testing.TB
	a     *alloc.Arena
	lim   *types.Limits
	root  types.RootData
	plain []string
}

func newModel(t testing.TB, lim *types.Limits) *model {
	return &model{t: t, a: alloc.NewArena(alloc.NewHeap()), lim: lim}
}

func (m *model) change(f func(l *List) bool) {
	m.t.Helper()
	l := Open(m.a, m.root)
	if !f(&l) {
		m.t.Fatal("no memory")
	}
	m.root = l.Root()
}

func (m *model) push(elem string, tail bool) {
	m.t.Helper()
	m.change(func(l *List) bool {
		if tail {
			return l.PushTail(m.lim, []byte(elem))
		}
		return l.PushHead(m.lim, []byte(elem))
	})
	if tail {
		m.plain = append(m.plain, elem)
	} else {
		m.plain = slices.Insert(m.plain, 0, elem)
	}
}

func (m *model) pop(tail bool) {
	m.t.Helper()
	i := 0
	if tail {
		i = len(m.plain) - 1
	}
	m.change(func(l *List) bool {
		if e := l.End(tail); !e.Equal([]byte(m.plain[i])) {
			m.t.Fatalf("end is %.30q, want %.30q", e.Append(nil), m.plain[i])
		}
		return l.Pop(m.lim, tail)
	})
	m.plain = slices.Delete(m.plain, i, i+1)
}

func (m *model) insert(i int, elem string) {
	m.t.Helper()
	m.change(func(l *List) bool { return l.Insert(m.lim, i, []byte(elem)) })
	m.plain = slices.Insert(m.plain, i, elem)
}

func (m *model) replace(i int, elem string) {
	m.t.Helper()
	m.change(func(l *List) bool { return l.Replace(m.lim, i, []byte(elem)) })
	m.plain[i] = elem
}

func (m *model) delete(i, n int) {
	m.t.Helper()
	want := min(n, len(m.plain)-i)
	m.change(func(l *List) bool { return l.Delete(m.lim, i, n) == want })
	m.plain = slices.Delete(m.plain, i, i+want)
}

func (m *model) remove(elem string, most int, back bool) {
	m.t.Helper()
	want := 0
	if back {
		slices.Reverse(m.plain)
	}
	m.plain = slices.DeleteFunc(m.plain, func(s string) bool {
		if s != elem || want == most {
			return false
		}
		want++
		return true
	})
	if back {
		slices.Reverse(m.plain)
	}
	m.change(func(l *List) bool {
		return l.Remove(m.lim, []byte(elem), most, back, func(int) { _ = l.Check() }) == want
	})
}

func (m *model) check() {
	m.t.Helper()
	l := Open(m.a, m.root)
	if err := l.Check(); err != nil {
		m.t.Fatal(err)
	}
	if l.Len() != len(m.plain) {
		m.t.Fatalf("Len is %d, want %d", l.Len(), len(m.plain))
	}
	m.checkFrom(0, len(m.plain))
	if n := len(m.plain); n > 0 {
		m.checkFrom(n/3, 3)
		m.checkFrom(n-1, 1)
	}
	if d := m.lim.ListCompressDepth; d > 0 {
		m.checkEnds(&l, d)
	}
}

// checkFrom compares iterators from index i on, each for at most n elements.
func (m *model) checkFrom(i, n int) {
	m.t.Helper()
	l := Open(m.a, m.root)
	j := i
	for it := l.From(i); it.OK() && j < i+n; it.Next() {
		if got := string(it.Element().Append(nil)); got != m.plain[j] {
			m.t.Fatalf("element %d is %.30q, want %.30q", j, got, m.plain[j])
		}
		j++
	}
	if j != min(i+n, len(m.plain)) {
		m.t.Fatalf("forwards from %d it ends at %d", i, j)
	}
	last := len(m.plain) - 1 - i
	j = last
	for it := l.BackFrom(last); it.OK() && j > last-n; it.Next() {
		if got := string(it.Element().Append(nil)); got != m.plain[j] {
			m.t.Fatalf("element %d is %.30q, want %.30q", j, got, m.plain[j])
		}
		j--
	}
	if j != max(last-n, -1) {
		m.t.Fatalf("backwards from %d it ends at %d", last, j)
	}
}

// checkEnds tells whether the nodes near to the ends are uncompressed, and hardly any others that would compress.
func (m *model) checkEnds(l *List, depth int) {
	m.t.Helper()
	i, n := 0, l.Nodes()
	for p, ok := l.first(), l.length > 0; ok; p, ok = l.next(p) {
		if at := l.node(p); at.isPacked() && (i < depth || i >= n-depth) {
			m.t.Fatalf("node %d of %d is compressed", i, n)
		}
		i++
	}
}

func (m *model) close() {
	m.t.Helper()
	l := Open(m.a, m.root)
	c, ok := l.Copy(m.a)
	m.root = c.Root()
	if !ok {
		m.t.Fatal("no memory")
	}
	for !l.FreeStep(3) {
	}
	m.check()
	c = Open(m.a, m.root)
	for !c.FreeStep(5) {
	}
	if n := m.a.CountObjects(); n != 0 {
		m.t.Fatalf("%d blocks are left", n)
	}
}

func randomText(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0, 1:
		return strconv.Itoa(r.IntN(20))
	case 2:
		return strconv.FormatInt(int64(r.Uint64()), 10)
	case 3:
		return strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(1<<r.IntN(13)))
	}
	return strings.Repeat(string(rune('a'+r.IntN(3))), r.IntN(40))
}

func (m *model) step(r *rand.Rand, most int) {
	n := len(m.plain)
	i := r.IntN(n + 1)
	switch op := r.IntN(100); {
	case op < 5 && n > most:
		m.delete(i, n/2)
	case n == 0 || op < 40:
		for range 1 + r.IntN(5) {
			m.push(randomText(r), op%2 == 0)
		}
	case op < 55:
		m.insert(i, randomText(r))
	case i == n:
		m.pop(op%2 == 0)
	case op < 65:
		m.pop(op%2 == 0)
	case op < 80:
		m.replace(i, randomText(r))
	case op < 92:
		m.delete(i, 1+r.IntN(4))
	default:
		m.remove(m.plain[i], 1+r.IntN(5), op%2 == 0)
	}
}

func TestChangesLikeAPlainList(t *testing.T) {
	for _, size := range []int{-1, -2, 1, 2, 5, 128, 0} {
		for depth := range 3 {
			t.Run(fmt.Sprintf("size=%d/depth=%d", size, depth), func(t *testing.T) {
				r := rand.New(rand.NewPCG(uint64(size+100), uint64(depth)))
				m := newModel(t, limits(size, depth))
				for range 400 {
					m.step(r, 600)
					m.check()
				}
				m.close()
			})
		}
	}
}

// Settings may change between two changes.
func TestSettingsChange(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	m := newModel(t, limits(-1, 0))
	for range 800 {
		m.step(r, 500)
		m.lim.ListCompressDepth = 0 // what is near to an end may be compressed until the next change
		m.check()
		*m.lim = *limits([]int{-2, -1, 3, 50}[r.IntN(4)], r.IntN(3))
	}
	m.lim.ListCompressDepth = 0
	m.close()
}

// Lists of hundreds of groups, built and taken down from both ends and in the middle.
func TestLargeElementsStayAlone(t *testing.T) {
	m := newModel(t, &types.Limits{ListListpackSize: -2, ListAloneBytes: 20})
	large := strings.Repeat("x", 20)
	f := func(nodes int) {
		t.Helper()
		m.check()
		if l := Open(m.a, m.root); l.Nodes() != nodes {
			t.Fatalf("%d nodes, want %d", l.Nodes(), nodes)
		}
	}
	m.push(large, true)
	m.push("small", true)
	m.push("another", true)
	f(2)
	m.push(large, false)
	m.push("first", false)
	f(4)
	m.insert(4, large) // between small and another
	f(6)
	m.replace(4, "between")
	f(6)
	m.delete(4, 1)
	f(4)
	m.replace(0, large)
	f(4)
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		m.step(r, 40)
	}
	m.check()
	m.close()
}

func TestLongLists(t *testing.T) {
	m := newModel(t, limits(1, 0))
	for i := range 20000 {
		m.push(strconv.Itoa(i), i%3 > 0)
	}
	m.check()
	for i := range 3000 {
		m.insert(len(m.plain)/2-i%50, "m"+strconv.Itoa(i))
	}
	m.check()
	l := Open(m.a, m.root)
	for i := 0; i < len(m.plain); i += 97 {
		if it := l.From(i); !it.Element().Equal([]byte(m.plain[i])) {
			t.Fatalf("element %d is %q", i, it.Element().Append(nil))
		}
	}
	m.delete(5000, 3)
	m.delete(100, 11000)
	m.check()
	for len(m.plain) > 0 {
		m.pop(len(m.plain)%3 == 0)
	}
	m.check()
	m.close()
}

func TestLargeElements(t *testing.T) {
	m := newModel(t, limits(-2, 1))
	for i := range 20 {
		m.push(strings.Repeat("x", 3000*i), i%2 == 0)
		m.push("small", i%2 == 1)
		m.check()
	}
	m.replace(3, strings.Repeat("y", 100000))
	m.replace(4, strings.Repeat("z", 200000))
	m.insert(4, strings.Repeat("w", 300000))
	m.check()
	m.remove("small", 100, false)
	m.check()
	m.close()
}

func TestMemory(t *testing.T) {
	m := newModel(t, limits(-2, 0))
	l := Open(m.a, m.root)
	const n = 1_000_000
	for i := range n {
		if !l.PushTail(m.lim, fmt.Appendf(nil, "element-%08d", i)) {
			t.Fatal("no memory")
		}
	}
	if per := float64(l.Bytes()) / n; per > 18.4 {
		t.Errorf("an element of 16 bytes takes %.2f bytes", per)
	}
	// A growing node leaves an empty span of each size class behind.
	if s := m.a.Stats(); s.Allocated != l.Bytes() || s.Active > s.Allocated+2<<20 {
		t.Errorf("allocated %d, pages %d, reckoned %d", s.Allocated, s.Active, l.Bytes())
	}
}

func FuzzQuicklist(f *testing.F) {
	f.Add(uint64(1), int8(3), uint8(1), uint16(200))
	f.Add(uint64(2), int8(-1), uint8(0), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, size int8, depth uint8, steps uint16) {
		r := rand.New(rand.NewPCG(seed, 0))
		m := newModel(t, limits(max(int(size), -5), int(depth%8)))
		for range steps % 2000 {
			m.step(r, 300)
		}
		m.check()
		m.close()
	})
}

func BenchmarkPush(b *testing.B) {
	for _, tail := range []bool{false, true} {
		b.Run(fmt.Sprintf("tail=%v/value=16B", tail), func(b *testing.B) {
			m := newModel(b, limits(-2, 0))
			elem := []byte("element-00000000")
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				l := Open(m.a, m.root)
				if tail {
					l.PushTail(m.lim, elem)
				} else {
					l.PushHead(m.lim, elem)
				}
				if n++; n == 1_000_000 {
					for !l.FreeStep(1000) {
					}
					n = 0
				}
				m.root = l.Root()
			}
		})
	}
}

func long(b *testing.B, n int) (*model, List) {
	m := newModel(b, limits(-2, 0))
	l := Open(m.a, m.root)
	for i := range n {
		l.PushTail(m.lim, fmt.Appendf(nil, "element-%08d", i))
	}
	m.root = l.Root()
	return m, l
}

func BenchmarkPushPop(b *testing.B) {
	for _, n := range []int{20, 10_000} {
		b.Run(fmt.Sprintf("elements=%d", n), func(b *testing.B) {
			m, _ := long(b, n)
			elem := []byte("element-00000000")
			b.ReportAllocs()
			for b.Loop() {
				l := Open(m.a, m.root)
				l.PushHead(m.lim, elem)
				l.Pop(m.lim, false)
				m.root = l.Root()
			}
		})
	}
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprintf("elements=%d", n), func(b *testing.B) {
			_, l := long(b, n)
			r := rand.New(rand.NewPCG(1, 1))
			for b.Loop() {
				it := l.From(r.IntN(n))
				_ = it.Element()
			}
		})
	}
}

func BenchmarkRange(b *testing.B) {
	_, l := long(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for it := l.From(0); it.OK() && n < 100; it.Next() {
			_ = it.Element()
			n++
		}
	}
}
