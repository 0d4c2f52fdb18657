package dict

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
)

// table is what an Index and a Table with its arena have in common.
type table interface {
	Find(h uint64) *Bucket
	Next(b *Bucket) *Bucket
	Insert(h uint64, ref alloc.Ref, hasher Hasher) bool
	Remove(h uint64, b *Bucket, i int)
	Step(n int, hasher Hasher) bool
	Clear(limit int, visit func(alloc.Ref)) bool
	Len() int
	Buckets() int
	Resizing() bool
	Bytes() int
	Freeze(on bool)
	Scan(cursor uint32, visit func(alloc.Ref)) uint32
	Visit(i uint32, visit func(alloc.Ref))
	Random(next func() uint64) alloc.Ref
	Sample(random uint64, limit int, dst []alloc.Ref) []alloc.Ref
	Check(hasher Hasher) error
}

// value is a table that is kept off-heap: each change goes by Load and Store.
type value struct {
	arena *alloc.Arena
	kept  [TableBytes]byte
}

func (v *value) open() *Table {
	t := Load(v.kept[:])
	return &t
}

func (v *value) Find(h uint64) *Bucket  { return v.open().Find(v.arena, h) }
func (v *value) Next(b *Bucket) *Bucket { return b.Next(v.arena) }
func (v *value) Insert(h uint64, ref alloc.Ref, hasher Hasher) bool {
	t := v.open()
	defer t.Store(v.kept[:])
	return t.Insert(v.arena, h, ref, hasher)
}
func (v *value) Remove(h uint64, b *Bucket, i int) {
	t := v.open()
	defer t.Store(v.kept[:])
	t.Remove(v.arena, h, b, i)
}
func (v *value) Step(n int, hasher Hasher) bool {
	t := v.open()
	defer t.Store(v.kept[:])
	return t.Step(v.arena, n, hasher)
}
func (v *value) Clear(limit int, visit func(alloc.Ref)) bool {
	t := v.open()
	defer t.Store(v.kept[:])
	return t.Clear(v.arena, limit, visit)
}
func (v *value) Freeze(on bool) {
	t := v.open()
	defer t.Store(v.kept[:])
	t.Freeze(on)
}
func (v *value) Len() int       { return v.open().Len() }
func (v *value) Buckets() int   { return v.open().Buckets() }
func (v *value) Resizing() bool { return v.open().Resizing() }
func (v *value) Bytes() int     { return v.open().Bytes() }
func (v *value) Scan(cursor uint32, visit func(alloc.Ref)) uint32 {
	return v.open().Scan(v.arena, cursor, visit)
}
func (v *value) Visit(i uint32, visit func(alloc.Ref)) { v.open().Visit(v.arena, i, visit) }
func (v *value) Random(next func() uint64) alloc.Ref   { return v.open().Random(v.arena, next) }
func (v *value) Check(hasher Hasher) error             { return v.open().Check(v.arena, hasher) }
func (v *value) Sample(random uint64, limit int, dst []alloc.Ref) []alloc.Ref {
	return v.open().Sample(v.arena, random, limit, dst)
}

// model is a table whose references are numbers of entries, checked against a Go map.
type model struct {
	t      testing.TB
	table  table
	arena  *alloc.Arena
	hashes []uint64           // by reference
	live   map[alloc.Ref]bool // what the table must hold
	order  []alloc.Ref        // live ones, for picking
	free   []alloc.Ref
	hash   func() uint64
	rng    *rand.Rand
}

func newModel(t testing.TB, seed uint64) *model {
	rng := rand.New(rand.NewPCG(seed, 7))
	m := &model{t: t, hashes: make([]uint64, 1), live: map[alloc.Ref]bool{}, rng: rng, hash: rng.Uint64}
	m.arena = alloc.NewArena(alloc.NewHeap())
	m.table = &value{arena: m.arena}
	if seed%2 != 0 {
		m.index()
	}
	return m
}

// index makes m's table an Index, which is empty.
func (m *model) index() *Index {
	x := new(Index)
	x.Init(m.arena)
	m.table = x
	return x
}

func (m *model) HashOf(ref alloc.Ref) uint64 { return m.hashes[ref] }

func (m *model) insert() alloc.Ref {
	ref := alloc.Ref(len(m.hashes))
	if n := len(m.free); n > 0 {
		ref, m.free = m.free[n-1], m.free[:n-1]
	} else {
		m.hashes = append(m.hashes, 0)
	}
	m.hashes[ref] = m.hash()
	if !m.table.Insert(m.hashes[ref], ref, m) {
		m.t.Fatal("no memory")
	}
	m.live[ref] = true
	m.order = append(m.order, ref)
	return ref
}

// locate finds ref as a user of the table does.
func (m *model) locate(ref alloc.Ref) (*Bucket, int) {
	h := m.hashes[ref]
	for b := m.table.Find(h); b != nil; b = m.table.Next(b) {
		for slots := b.Match(Fingerprint(h)); slots != 0; slots &= slots - 1 {
			if i := lowest(slots); b.Ref(i) == ref {
				return b, i
			}
		}
	}
	return nil, 0
}

func lowest(set uint32) int {
	for i := range 32 {
		if set>>i&1 != 0 {
			return i
		}
	}
	return -1
}

func (m *model) removeAt(at int) alloc.Ref {
	ref := m.order[at]
	b, i := m.locate(ref)
	if b == nil {
		m.t.Fatalf("entry %d is lost", ref)
	}
	m.table.Remove(m.hashes[ref], b, i)
	m.forget(at)
	return ref
}

func (m *model) forget(at int) {
	ref := m.order[at]
	m.order[at] = m.order[len(m.order)-1]
	m.order = m.order[:len(m.order)-1]
	delete(m.live, ref)
	m.free = append(m.free, ref)
}

func (m *model) check() {
	m.t.Helper()
	if m.table.Len() != len(m.live) {
		m.t.Fatalf("Len() = %d, want %d", m.table.Len(), len(m.live))
	}
	if err := m.table.Check(m); err != nil {
		m.t.Fatal(err)
	}
	if got, want := m.table.Bytes(), m.arena.Stats().Allocated; got != want {
		m.t.Fatalf("a table of %d buckets says it has %d bytes, of %d", m.table.Buckets(), got, want)
	}
}

// scan checks the guarantee of a scan that runs while the table changes.
type scan struct {
	cursor   uint32
	must     map[alloc.Ref]bool // present since the beginning
	complete int
}

func (m *model) begin(s *scan) {
	s.must = make(map[alloc.Ref]bool, len(m.live))
	for ref := range m.live {
		s.must[ref] = true
	}
}

func (m *model) step(s *scan) {
	if s.must == nil {
		m.begin(s)
	}
	s.cursor = m.table.Scan(s.cursor, func(ref alloc.Ref) {
		if !m.live[ref] {
			m.t.Fatalf("scan returned %d, which is not there", ref)
		}
		delete(s.must, ref)
	})
	if s.cursor != 0 {
		return
	}
	if len(s.must) > 0 {
		m.t.Fatalf("a whole scan missed %d of %d entries", len(s.must), len(m.live))
	}
	s.must = nil
	s.complete++
}

func TestRandomOperationsAgreeWithModel(t *testing.T) {
	narrow := func(bits int) func(m *model) {
		return func(m *model) { m.hash = func() uint64 { return m.rng.Uint64() &^ (1<<bits - 1) } }
	}
	for name, prepare := range map[string]func(*model){
		"even":               func(*model) {},
		"long chains":        narrow(6), // only each 64th bucket is used
		"one bucket":         narrow(18),
		"equal fingerprints": func(m *model) { m.hash = func() uint64 { return m.rng.Uint64() & 0xffffff } },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				m := newModel(t, seed)
				prepare(m)
				run(m, 10_000)
			}
		})
	}
}

// run does steps random operations in waves of growth and shrinking.
func run(m *model, steps int) {
	var scans [3]scan
	for i := range steps {
		up := i/2000%2 == 0
		switch r := m.rng.IntN(100); {
		case r < 30, up && r < 70:
			m.insert()
		case r < 90 && len(m.order) > 0:
			ref := m.removeAt(m.rng.IntN(len(m.order)))
			for j := range scans {
				delete(scans[j].must, ref)
			}
		case r < 93:
			m.table.Step(m.rng.IntN(20), m)
		case r < 94:
			m.table.Freeze(m.rng.IntN(2) == 0)
		default:
			m.step(&scans[r%len(scans)])
		}
		if i%97 == 0 {
			m.check()
		}
	}
	m.table.Freeze(false)
	for m.table.Step(100, m) {
	}
	m.check()
	for len(m.order) > 0 {
		m.removeAt(0)
	}
	for m.table.Step(100, m) {
	}
	m.check()
}

func TestScanMeetsEverythingWhileTheTableResizes(t *testing.T) {
	for seed := range uint64(5) {
		m := newModel(t, seed)
		for range 2000 {
			m.insert()
		}
		var s scan
		for s.complete < 20 {
			m.step(&s)
			for range m.rng.IntN(100) {
				switch grow := s.complete%4 < 2; {
				case grow && len(m.order) < 20_000:
					m.insert()
				case !grow && len(m.order) > 100:
					delete(s.must, m.removeAt(m.rng.IntN(len(m.order))))
				}
			}
		}
	}
}

func TestFrozenWalkMeetsEverything(t *testing.T) {
	m := newModel(t, 1)
	for range 5000 {
		m.insert()
	}
	m.table.Freeze(true)
	seen := map[alloc.Ref]bool{}
	kept := slices.Clone(m.order[:1000])
	for i := 0; i < m.table.Buckets(); i++ {
		m.table.Visit(uint32(i), func(ref alloc.Ref) { seen[ref] = true })
		if i%2 == 0 && i < 3000 {
			m.insert()
			m.insert()
		} else if len(m.order) > 1000 {
			m.removeAt(1000 + m.rng.IntN(len(m.order)-1000))
		}
	}
	for _, ref := range kept {
		if !seen[ref] {
			t.Fatalf("the walk missed entry %d", ref)
		}
	}
	m.check()
}

func TestResizeIsDoneByStep(t *testing.T) {
	m := newModel(t, 1)
	m.table.Freeze(true)
	for range 100_000 {
		m.insert()
	}
	for len(m.order) > 10 {
		m.removeAt(len(m.order) - 1)
	}
	buckets := m.table.Buckets()
	m.table.Freeze(false)
	steps := 0
	for m.table.Step(1, m) {
		steps++
	}
	m.check()
	if m.table.Resizing() || m.table.Buckets() > 4 || steps > buckets {
		t.Fatalf("%d buckets after %d steps from %d", m.table.Buckets(), steps, buckets)
	}
}

func TestClear(t *testing.T) {
	for _, n := range []int{0, 1, 13, 100, 12345} {
		m := newModel(t, uint64(n))
		for range n {
			m.insert()
		}
		visited := map[alloc.Ref]bool{}
		for !m.table.Clear(7, func(ref alloc.Ref) { visited[ref] = true }) {
			if m.table.Len()+len(visited) != n {
				t.Fatalf("%d in the table and %d visited of %d", m.table.Len(), len(visited), n)
			}
		}
		if len(visited) != n || m.table.Len() != 0 || m.table.Bytes() != 0 || m.arena.Stats().Allocated != 0 {
			t.Fatalf("n=%d: visited %d, Len %d, %d bytes", n, len(visited), m.table.Len(), m.arena.Stats().Allocated)
		}
	}
}

func TestSwapAndForget(t *testing.T) {
	m := newModel(t, 3)
	x := m.index()
	for range 1000 {
		m.insert()
	}
	empty := new(Index)
	empty.Init(m.arena)
	x.Swap(empty)
	if m.table.Len() != 0 || m.table.Find(m.hashes[1]) != nil || empty.Len() != 1000 {
		t.Fatal("not swapped")
	}
	if err := empty.Check(m); err != nil {
		t.Fatal(err)
	}
	x.Swap(empty)
	m.check()
	x.Forget()
	m.live, m.order, m.free = map[alloc.Ref]bool{}, nil, nil
	if m.table.Find(m.hashes[1]) != nil || x.Peek(m.hashes[1]) != 0 || m.table.Bytes() != 0 {
		t.Fatal("not forgotten")
	}
	for range 1000 {
		m.insert()
	}
	if err := m.table.Check(m); err != nil {
		t.Fatal(err)
	}
}

func TestRandomIsFair(t *testing.T) {
	m := newModel(t, 5)
	const n, draws = 300, 300_000
	for range n {
		m.insert()
	}
	got := map[alloc.Ref]int{}
	for range draws {
		got[m.table.Random(m.rng.Uint64)]++
	}
	for _, ref := range m.order {
		if c := got[ref]; c < draws/n/2 || c > draws/n*2 {
			t.Errorf("entry %d was drawn %d times of %d, want about %d", ref, c, draws, draws/n)
		}
	}
	if got[0] > 0 {
		t.Error("nothing was drawn from a full table")
	}
}

func TestRandomAndSampleOfASparseTable(t *testing.T) {
	m := newModel(t, 5)
	if m.table.Random(m.rng.Uint64) != 0 || len(m.table.Sample(1, 5, nil)) != 0 {
		t.Fatal("drew from an empty table")
	}
	m.table.Freeze(true)
	for range 200_000 {
		m.insert()
	}
	for len(m.order) > 1 {
		m.removeAt(0)
	}
	for range 100 {
		if got := m.table.Random(m.rng.Uint64); got != m.order[0] {
			t.Fatalf("drew %d, want %d", got, m.order[0])
		}
		m.table.Sample(m.rng.Uint64(), 5, nil)
	}
}

func TestSampleReturnsUpToLimit(t *testing.T) {
	m := newModel(t, 5)
	for range 10_000 {
		m.insert()
	}
	for range 1000 {
		got := m.table.Sample(m.rng.Uint64(), 16, nil)
		if len(got) != 16 {
			t.Fatalf("got %d entries", len(got))
		}
		for _, ref := range got {
			if !m.live[ref] {
				t.Fatalf("sampled %d, which is not there", ref)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		var b Bucket
		var fps [Slots]uint8
		for i := range fps {
			fps[i] = []uint8{0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff, uint8(rng.Uint32())}[rng.IntN(9)]
			b.set(i, fps[i], alloc.Ref(i+1))
		}
		for _, fp := range []uint8{0, 1, 0x7f, 0x80, 0xff, uint8(rng.Uint32())} {
			want := uint32(0)
			for i, f := range fps {
				if f == fp {
					want |= 1 << i
				}
			}
			if got := b.Match(fp); got != want {
				t.Fatalf("Match(%#x) of %x = %#x, want %#x", fp, fps, got, want)
			}
			got := uint32(0)
			for m := b.Hits(fp); m != 0; m &= m - 1 {
				got |= 1 << Slot(m)
			}
			if got != want {
				t.Fatalf("Hits(%#x) of %x are %#x, want %#x", fp, fps, got, want)
			}
		}
	}
}

func TestPeekNamesTheBucketAndItsEntries(t *testing.T) {
	m := newModel(t, 1)
	x := m.index()
	if x.Peek(1) != 0 || len(x.PeekRefs(0, 1, nil)) != 0 {
		t.Fatal("peeked into an empty table")
	}
	r := m.arena.Alloc(8)
	if !m.table.Insert(42, r, m) {
		t.Fatal("no memory")
	}
	got := x.PeekRefs(x.Peek(42), 42, nil)
	if want := []uintptr{m.arena.Addr(r), m.arena.Addr(r) + smallEntry}; !slices.Equal(got, want) {
		t.Fatalf("got %#x, want %#x", got, want)
	}
}

func TestGrowthStepIsBounded(t *testing.T) {
	m := newModel(t, 9)
	for range 200_000 {
		before := m.table.Buckets()
		m.insert()
		if d := m.table.Buckets() - before; d > 1 {
			t.Fatalf("one insertion added %d buckets", d)
		}
	}
	if load := float64(m.table.Len()) / float64(m.table.Buckets()); load < 4.5 || load > 11 {
		t.Fatalf("%.1f entries a bucket", load)
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	m := newModel(t, 9)
	x := m.index()
	for range 1000 {
		m.insert()
	}
	var addrs [16]uintptr
	if n := testing.AllocsPerRun(100, func() {
		m.locate(m.order[7])
		x.PeekRefs(x.Peek(m.hashes[1]), m.hashes[1], addrs[:0])
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("insert and remove"), uint64(1), uint8(0))
	f.Add([]byte{1, 1, 1, 1, 1, 0, 0, 0, 2, 3, 4, 5, 200, 201, 250}, uint64(3), uint8(20))
	f.Fuzz(func(t *testing.T, ops []byte, seed uint64, narrow uint8) {
		m := newModel(t, seed)
		m.hash = func() uint64 { return m.rng.Uint64() &^ (1<<(narrow%28) - 1) }
		var s scan
		for _, op := range ops[:min(len(ops), 300)] {
			switch n := int(op>>3) + 1; op & 7 {
			case 0, 1, 2:
				for range n * 4 {
					m.insert()
				}
			case 3, 4:
				for range min(n*5, len(m.order)) {
					delete(s.must, m.removeAt(m.rng.IntN(len(m.order))))
				}
			case 5:
				m.table.Step(n, m)
			case 6:
				m.table.Freeze(n&1 == 0)
			default:
				for range n {
					m.step(&s)
				}
			}
		}
		m.check()
	})
}

var sizes = []struct {
	name string
	keys int
}{{"1k", 1000}, {"1M", 1_000_000}}

func BenchmarkDictGet(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint("keys=", size.name), func(b *testing.B) {
			m := newModel(b, 1)
			for range size.keys {
				m.insert()
			}
			b.ReportAllocs()
			x := uint32(1)
			for b.Loop() {
				x = x*1664525 + 1013904223
				h := m.hashes[1+uint64(x)*uint64(size.keys)>>32]
				if m.table.Find(h).Match(Fingerprint(h)) == 0 && m.table.Find(h).next == 0 {
					b.Fatal("lost")
				}
			}
		})
	}
}

func BenchmarkDictInsert(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint("keys=", size.name), func(b *testing.B) {
			m := newModel(b, 1)
			for range size.keys {
				m.hashes = append(m.hashes, m.hash())
			}
			b.ReportAllocs()
			at := size.keys
			for b.Loop() {
				if at == size.keys {
					b.StopTimer()
					m.arena = alloc.NewArena(alloc.NewHeap())
					m.index()
					at = 0
					b.StartTimer()
				}
				at++
				m.table.Insert(m.hashes[at], alloc.Ref(at), m)
			}
		})
	}
}

func BenchmarkDictDelete(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint("keys=", size.name), func(b *testing.B) {
			m := newModel(b, 1)
			b.ReportAllocs()
			for b.Loop() {
				if len(m.order) == 0 {
					b.StopTimer()
					for range size.keys {
						m.insert()
					}
					b.StartTimer()
				}
				ref := m.order[len(m.order)-1]
				bucket, i := m.locate(ref)
				m.table.Remove(m.hashes[ref], bucket, i)
				b.StopTimer()
				m.forget(len(m.order) - 1)
				b.StartTimer()
			}
		})
	}
}

// TestReserve compares the buckets reserved for n entries with those that n insertions make.
func TestReserve(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var grown Table
	for n := range 3000 {
		if got, want := bucketsFor(n), grown.Buckets(); got != want {
			t.Fatalf("%d buckets are reserved for %d entries, %d insertions make %d", got, n, n, want)
		}
		grown.Insert(a, uint64(n)*0x9E3779B97F4A7C15, alloc.Ref(n+1), multiplied{})
	}
	var reserved Table
	steps := 0
	for done := false; !done; steps++ {
		var ok bool
		if done, ok = reserved.Reserve(a, 3000, 100); !ok {
			t.Fatal("no memory")
		}
	}
	if want := (grown.Buckets() + 99) / 100; steps != want {
		t.Errorf("%d steps, want %d", steps, want)
	}
	for n := range 4000 { // more than were announced
		reserved.Insert(a, uint64(n)*0x9E3779B97F4A7C15, alloc.Ref(n+1), multiplied{})
		if n == 2999 {
			if reserved.Buckets() != grown.Buckets() {
				t.Errorf("%d buckets became %d", grown.Buckets(), reserved.Buckets())
			}
			reserved.Settle()
		}
	}
	if err := reserved.Check(a, multiplied{}); err != nil {
		t.Fatal(err)
	}
	grown.Clear(a, 1<<20, func(alloc.Ref) {})
	reserved.Clear(a, 1<<20, func(alloc.Ref) {})
	if left := a.CountObjects(); left != 0 {
		t.Errorf("%d blocks are left", left)
	}
}

// multiplied is the Hasher of entries whose references count from 1.
type multiplied struct{}

func (multiplied) HashOf(ref alloc.Ref) uint64 { return uint64(ref-1) * 0x9E3779B97F4A7C15 }
