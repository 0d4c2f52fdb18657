package zset

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

type element struct {
	name  string
	score float64
}

func compare(a, b element) int {
	if c := cmp.Compare(a.score, b.score); c != 0 {
		return c
	}
	return cmp.Compare(a.name, b.name)
}

// model is a sorted set beside a map. The value is opened from its root for each operation, as commands do.
type model struct {
	t    testing.TB
	sp   *types.Space
	lim  *types.Limits
	root types.Root
	want map[string]float64
}

func newModel(t testing.TB, lim types.Limits) *model {
	sp := types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1)
	v := New(sp)
	return &model{t: t, sp: sp, lim: &lim, root: v.Root(), want: map[string]float64{}}
}

func (m *model) open() Value { return Open(m.sp, m.root) }

func (m *model) add(name string, score float64, mode Mode) {
	m.t.Helper()
	was, there := m.want[name]
	v := m.open()
	out, got, err := v.Add(m.lim, []byte(name), score, mode)
	if err != nil {
		m.t.Fatal(err)
	}
	m.root = v.Root()
	to := score
	if there && mode&Incr != 0 {
		to += was
	}
	var want Outcome
	switch {
	case there && mode&NX != 0, !there && mode&XX != 0:
		want = Refused
	case !there:
		want = Inserted
	case math.IsNaN(to):
		want = NotANumber
	case mode&GT != 0 && to <= was, mode&LT != 0 && to >= was:
		want = Refused
	case to == was:
		want = Kept
	default:
		want = Updated
	}
	if out != want {
		m.t.Fatalf("Add(%q, %v, %b) to %v = %d, want %d", name, score, mode, was, out, want)
	}
	if want == Inserted || want == Updated {
		m.want[name] = to
		if got != to {
			m.t.Fatalf("Add(%q, %v, %b) to %v makes %v, want %v", name, score, mode, was, got, to)
		}
	}
}

func (m *model) remove(name string) {
	m.t.Helper()
	_, there := m.want[name]
	v := m.open()
	removed, err := v.Remove([]byte(name))
	if err != nil || removed != there {
		m.t.Fatalf("Remove(%q) = %v, %v, want %v", name, removed, err, there)
	}
	m.root = v.Root()
	delete(m.want, name)
}

func (m *model) sorted() []element {
	var list []element
	for name, score := range m.want {
		list = append(list, element{name, score})
	}
	slices.SortFunc(list, compare)
	return list
}

func (m *model) removeRange(from, to int) {
	m.t.Helper()
	list := m.sorted()
	v := m.open()
	if err := v.RemoveRange(from, to); err != nil {
		m.t.Fatal(err)
	}
	m.root = v.Root()
	for _, e := range list[from:to] {
		delete(m.want, e.name)
	}
}

func (m *model) check() {
	m.t.Helper()
	if err := Check(m.sp, m.root); err != nil {
		m.t.Fatal(err)
	}
	list := m.sorted()
	if n := Len(m.sp, m.root); n != len(list) {
		m.t.Fatalf("%d members, want %d", n, len(list))
	}
	if got, want := Bytes(m.sp, m.root, 0), m.sp.Arena.Stats().Allocated; got != want {
		m.t.Fatalf("Bytes = %d, the arena says %d", got, want)
	}
	v := m.open()
	m.sameList(v.Ascend(0, v.Len()), list)
	slices.Reverse(list)
	m.sameList(v.Descend(0, v.Len()), list)
}

func (m *model) sameList(it Iter, want []element) {
	m.t.Helper()
	for _, w := range want {
		e, score, ok := it.Next()
		if got := (element{string(e.Append(nil)), score}); !ok || got != w {
			m.t.Fatalf("%v instead of %v", got, w)
		}
	}
	if _, _, ok := it.Next(); ok {
		m.t.Fatal("too many members")
	}
}

// query compares searches for one member, and ranges between two, with the sorted list.
func (m *model) query(a, b element, flags int) {
	m.t.Helper()
	list := m.sorted()
	v := m.open()
	score, found := v.Score([]byte(a.name))
	want, there := m.want[a.name]
	if score != want || found != there {
		m.t.Fatalf("Score(%q) = %v, %v, want %v, %v", a.name, score, found, want, there)
	}
	if rank, _, found := v.Rank([]byte(a.name)); found != there || there && list[rank].name != a.name {
		m.t.Fatalf("Rank(%q) = %d, %v", a.name, rank, found)
	}
	r := ScoreRange{Min: a.score, Max: b.score, MinOpen: flags&1 != 0, MaxOpen: flags&2 != 0}
	from, to := v.ByScore(&r)
	var in []element
	for _, e := range list {
		if !r.empty() && r.fromMin(e.score) && r.toMax(e.score) {
			in = append(in, e)
		}
	}
	m.sameList(v.Ascend(from, to), in)
	slices.Reverse(in)
	m.sameList(v.Descend(from, to), in)
	for i, e := range list {
		got, score := v.ByRank(i)
		if string(got.Append(nil)) != e.name || score != e.score {
			m.t.Fatalf("ByRank(%d) = %q, want %q", i, got.Append(nil), e.name)
		}
		if i > 20 {
			break
		}
	}
}

func (m *model) close() {
	m.t.Helper()
	copied, err := Copy(m.sp, m.root, m.sp)
	if err != nil {
		m.t.Fatal(err)
	}
	was := m.root
	for !FreeStep(m.sp, &m.root, 10) {
	}
	m.root = copied
	if m.root.Encoding != was.Encoding {
		m.t.Fatalf("a copy is a %v, the original a %v", m.root.Encoding, was.Encoding)
	}
	m.check()
	for !FreeStep(m.sp, &m.root, 10) {
	}
	if left := m.sp.Arena.Stats().Allocated; left != 0 {
		m.t.Fatalf("%d bytes are left", left)
	}
}

var limits = []types.Limits{
	{ZSetListpackEntries: 0, ZSetListpackValue: 64},
	{ZSetListpackEntries: 10, ZSetListpackValue: 64},
	{ZSetListpackEntries: 1 << 20, ZSetListpackValue: 64},
}

// randomElement makes members and scores that a listpack keeps in all its forms.
func randomElement(rng *rand.Rand) element {
	names := []string{strconv.Itoa(rng.IntN(200) - 50), fmt.Sprint("m", rng.IntN(100)), fmt.Sprintf("%020d", rng.IntN(50)), ""}
	scores := []float64{float64(rng.IntN(9)), float64(rng.IntN(5)) / 3, float64(rng.IntN(1e6)) * 1e15, math.Inf(1), math.Inf(-1), -1e-300}
	return element{names[rng.IntN(len(names))], scores[rng.IntN(len(scores))]}
}

func TestRandom(t *testing.T) {
	for seed, lim := range limits {
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		m := newModel(t, lim)
		for i := range 6000 {
			e := randomElement(rng)
			switch op := rng.IntN(20); {
			case op < 12:
				m.add(e.name, e.score, Mode(0))
			case op < 16:
				m.add(e.name, e.score, []Mode{Incr, NX, XX, GT, LT, Incr | GT, XX | LT}[rng.IntN(7)])
			case op < 18:
				m.remove(e.name)
			case op == 19 && i%10 == 0 && len(m.want) > 0:
				from := rng.IntN(len(m.want))
				m.removeRange(from, from+rng.IntN(min(len(m.want)-from, 9)+1))
			}
			if i%53 == 0 {
				m.check()
				m.query(e, randomElement(rng), rng.IntN(4))
			}
		}
		m.close()
	}
}

func TestLarge(t *testing.T) {
	m := newModel(t, types.DefaultLimits)
	rng := rand.New(rand.NewPCG(1, 9))
	for i := range 20000 {
		m.add(fmt.Sprint("member:", i), float64(rng.IntN(3000)), 0)
	}
	m.check()
	m.query(element{"member:77", 200}, element{"x", 250}, 1)
	m.removeRange(1000, 15000)
	m.check()
	seen := map[string]bool{}
	v := m.open()
	for cursor := uint32(0); ; {
		cursor = v.Scan(cursor, visitor(func(name string, score float64) {
			if m.want[name] != score {
				t.Fatalf("Scan gives %q the score %v", name, score)
			}
			seen[name] = true
		}))
		if cursor == 0 {
			break
		}
	}
	if len(seen) != len(m.want) {
		t.Errorf("Scan visited %d members of %d", len(seen), len(m.want))
	}
	m.close()
}

func TestLex(t *testing.T) {
	for _, lim := range limits {
		m := newModel(t, lim)
		var names []string
		for i := range 30 {
			name := strconv.Itoa(i * 3)
			if i%2 == 0 {
				name = "x" + name
			}
			m.add(name, 7, 0)
			names = append(names, name)
		}
		slices.Sort(names)
		bounds := []Bound{{Infinite: -1}, {Infinite: 1}, {Infinite: 1, Open: true}}
		for _, name := range append(names, "", "a", "x31", "zz") {
			bounds = append(bounds, Bound{Name: []byte(name)}, Bound{Name: []byte(name), Open: true})
		}
		v := m.open()
		for _, lo := range bounds {
			for _, hi := range bounds {
				r := LexRange{lo, hi}
				var want []string
				for _, name := range names {
					above := lo.Infinite < 0 || lo.Infinite == 0 && (name > string(lo.Name) || name == string(lo.Name) && !lo.Open)
					below := hi.Infinite > 0 || hi.Infinite == 0 && (name < string(hi.Name) || name == string(hi.Name) && !hi.Open)
					if above && below {
						want = append(want, name)
					}
				}
				for _, backwards := range []bool{false, true} {
					from, to := v.ByLex(&r, backwards)
					if got := names[from:to]; !slices.Equal(got, want) {
						t.Fatalf("from %v to %v: %q, want %q", lo, hi, got, want)
					}
				}
			}
		}
		m.close()
	}
}

func TestAllocations(t *testing.T) {
	if invariants.Enabled {
		return // its checks allocate
	}
	for _, lim := range limits {
		m := newModel(t, lim)
		for i := range 100 {
			m.add(fmt.Sprint("m", i), float64(i)+0.25, 0)
		}
		name := []byte("m50")
		if n := testing.AllocsPerRun(100, func() {
			v := m.open()
			v.Add(m.lim, name, 3.5, Incr)
			v.Add(m.lim, name, 50.25, 0)
			v.Remove(name)
			v.Add(m.lim, name, 50.25, 0)
			v.Rank(name)
			r := ScoreRange{Min: 10, Max: 60}
			from, to := v.ByScore(&r)
			it := v.Ascend(from, to)
			for _, _, ok := it.Next(); ok; _, _, ok = it.Next() {
			}
			m.root = v.Root()
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, lim := range limits {
		m := newModel(t, lim)
		v := m.open()
		for i := range 500 {
			if err := v.Append(m.lim, binary.BigEndian.AppendUint32(nil, uint32(i)), float64(i/3)); err != nil {
				t.Fatal(err)
			}
			m.want[string(binary.BigEndian.AppendUint32(nil, uint32(i)))] = float64(i / 3)
		}
		m.root = v.Root()
		m.check()
		m.close()
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			m := newModel(b, types.DefaultLimits)
			names := make([][]byte, n)
			v := m.open()
			for i := range names {
				names[i] = fmt.Appendf(nil, "element:%08d", i)
				v.Add(m.lim, names[i], 0, 0)
			}
			b.ReportAllocs()
			b.ReportMetric(float64(Bytes(m.sp, v.Root(), 0))/float64(n), "B/member")
			i := uint32(0)
			for b.Loop() {
				i = i*1664525 + 1013904223
				v.Add(m.lim, names[int(i>>2)%n], float64(i>>8&1023), 0)
			}
		})
	}
}

func visitor(f func(name string, score float64)) func(listpack.Element, float64) {
	return func(e listpack.Element, score float64) { f(string(e.Append(nil)), score) }
}

func FuzzZSet(f *testing.F) {
	f.Add([]byte("abcdefghijklmnopqrstuvwxyz0123456789"))
	f.Fuzz(func(t *testing.T, program []byte) {
		m := newModel(t, limits[len(program)%len(limits)])
		for i := 0; i+3 < len(program) && i < 3000; i += 4 {
			rng := rand.New(rand.NewPCG(uint64(program[i+1]), uint64(program[i+2])))
			e := randomElement(rng)
			switch program[i] % 4 {
			case 0:
				m.add(e.name, e.score, 0)
			case 1:
				m.add(e.name, e.score, Mode(program[i+3])&(Incr|XX|GT))
			case 2:
				m.remove(e.name)
			case 3:
				if n := len(m.want); n > 0 {
					from := rng.IntN(n)
					m.removeRange(from, from+rng.IntN(n-from+1))
				}
			}
		}
		m.check()
		m.close()
	})
}
