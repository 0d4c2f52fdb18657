package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

func newSpace() *types.Space { return types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1) }

// model is a stream beside plain slices of what it must hold.
type model struct {
	testing.TB
	sp      *types.Space
	v       Value
	lim     types.Limits
	entries []modelEntry
	groups  map[string]*modelGroup
	added   uint64
}

type modelEntry struct {
	id    ID
	pairs []string
}

type modelGroup struct{ pending map[ID]string } // of consumers

func newModel(t testing.TB, lim types.Limits) *model {
	sp := newSpace()
	v, ok := New(sp)
	if !ok {
		t.Fatal("no memory")
	}
	return &model{TB: t, sp: sp, v: v, lim: lim, groups: map[string]*modelGroup{}}
}

func (m *model) add(id ID, pairs ...string) {
	m.Helper()
	args := make([][]byte, len(pairs))
	for i, p := range pairs {
		args[i] = []byte(p)
	}
	if err := m.v.Append(&m.lim, id, args); err != nil {
		m.Fatal(err)
	}
	m.entries = append(m.entries, modelEntry{id, pairs})
	m.added++
}

func (m *model) find(id ID) (int, bool) {
	return slices.BinarySearchFunc(m.entries, id, func(e modelEntry, id ID) int { return e.id.Compare(id) })
}

func (m *model) delete(id ID) {
	m.Helper()
	i, found := m.find(id)
	if ok, err := m.v.Delete(id); err != nil || ok != found {
		m.Fatalf("Delete(%v) = %v, %v, want %v", id, ok, err, found)
	}
	if found {
		m.entries = slices.Delete(m.entries, i, i+1)
	}
}

// trim checks that Trim removes what it should; of an approximate one, that it does not remove too much.
func (m *model) trim(t Trim) {
	m.Helper()
	n := 0
	for n < len(m.entries) && !t.keeps(uint64(len(m.entries)-n), m.entries[n].id) {
		n++
	}
	removed := int(m.v.Trim(t))
	if removed > n || !t.Approx && t.Limit == 0 && removed < n || t.Limit > 0 && removed > int(t.Limit) {
		m.Fatalf("%+v removed %d entries of %d", t, removed, n)
	}
	m.entries = m.entries[removed:]
}

// scan compares a range with the model.
func (m *model) scan(start, end ID, rev bool) {
	m.Helper()
	var want []modelEntry
	for _, e := range m.entries {
		if !e.id.Less(start) && !end.Less(e.id) {
			want = append(want, e)
		}
	}
	if rev {
		slices.Reverse(want)
	}
	var it Iter
	n := 0
	for m.v.Range(&it, start, end, rev); it.Next(); n++ {
		if n == len(want) || it.ID() != want[n].id || it.Len() != len(want[n].pairs)/2 {
			m.Fatalf("range %v %v %v: entry %d is %v of %d", start, end, rev, n, it.ID(), it.Len())
		}
		if n%3 == 1 {
			continue // the fields need not be read
		}
		for i := range it.Len() {
			f, v := it.Field()
			if p := want[n].pairs[2*i:]; string(f.Append(nil)) != p[0] || string(v.Append(nil)) != p[1] {
				m.Fatalf("%v: field %d is %q %q, want %q", it.ID(), i, f.Append(nil), v.Append(nil), p[:2])
			}
		}
	}
	if n != len(want) {
		m.Fatalf("range %v %v %v: %d entries, want %d", start, end, rev, n, len(want))
	}
}

// deliver gives an entry to a consumer, whoever had it.
func (m *model) deliver(group, consumer string, id ID) {
	m.Helper()
	g, ok := m.v.Group([]byte(group))
	if !ok {
		if g, ok = m.v.AddGroup([]byte(group), ID{}, 0); !ok {
			m.Fatal("no memory")
		}
		m.groups[group] = &modelGroup{map[ID]string{}}
	}
	c, ok := g.Consumer([]byte(consumer))
	if !ok {
		if c, ok = g.AddConsumer([]byte(consumer), 5); !ok {
			m.Fatal("no memory")
		}
	}
	d, ok := g.Delivery(id)
	if _, has := m.groups[group].pending[id]; ok != has {
		m.Fatalf("%v is pending: %v, want %v", id, ok, has)
	}
	if !ok {
		d, ok = g.Deliver(id, c, 7)
	} else {
		ok = g.Assign(id, &d, c)
		d.Set(8, d.Count()+1)
	}
	if !ok || string(d.Consumer().Name()) != consumer {
		m.Fatal("not delivered")
	}
	m.groups[group].pending[id] = consumer
}

func (m *model) ack(group string, id ID) {
	m.Helper()
	g, ok := m.v.Group([]byte(group))
	if !ok {
		return
	}
	_, want := m.groups[group].pending[id]
	if got := g.Forget(id); got != want {
		m.Fatalf("Forget(%v) = %v, want %v", id, got, want)
	}
	delete(m.groups[group].pending, id)
}

func (m *model) check() {
	m.Helper()
	if err := Check(m.sp, m.v.Root()); err != nil {
		m.Fatal(err)
	}
	if m.v.Len() != len(m.entries) || m.v.Added() != m.added {
		m.Fatalf("%d entries of %d, want %d of %d", m.v.Len(), m.v.Added(), len(m.entries), m.added)
	}
	if got, want := Bytes(m.sp, m.v.Root(), 0), m.sp.Arena.Stats().Allocated; got != want {
		m.Fatalf("Bytes: %d, want %d", got, want)
	}
	m.scan(ID{}, MaxID, false)
	m.scan(ID{}, MaxID, true)
	m.checkGroups()
}

func (m *model) checkGroups() {
	m.Helper()
	if m.v.Groups() != len(m.groups) {
		m.Fatalf("%d groups, want %d", m.v.Groups(), len(m.groups))
	}
	m.v.EachGroup(func(name []byte, g Group) {
		want := m.groups[string(name)].pending
		n := 0
		var p Pending
		for g.EachPending(&p, ID{}); p.Next(); n++ {
			if c := string(p.Delivery().Consumer().Name()); c != want[p.ID()] {
				m.Fatalf("%v is pending with %q, want %q", p.ID(), c, want[p.ID()])
			}
		}
		if n != len(want) {
			m.Fatalf("%d entries pending, want %d", n, len(want))
		}
	})
}

// free frees the stream in steps and checks that nothing remains.
func (m *model) free() {
	m.Helper()
	r, steps := m.v.Root(), 0
	for ; !FreeStep(m.sp, &r, 10); steps++ {
	}
	if left := m.sp.Arena.Stats().Allocated; left != 0 {
		m.Fatalf("%d bytes left after %d steps", left, steps)
	}
}

// run does one random operation.
func (m *model) run(rng *rand.Rand) {
	m.Helper()
	some := func() ID {
		if len(m.entries) == 0 || rng.IntN(5) == 0 {
			return ID{uint64(rng.IntN(3000)), uint64(rng.IntN(3))}
		}
		return m.entries[rng.IntN(len(m.entries))].id
	}
	group, consumer := fmt.Sprint("g", rng.IntN(3)), fmt.Sprint("c", rng.IntN(4))
	switch rng.IntN(14) {
	default:
		last := m.v.Last()
		id := ID{last.MS + uint64(rng.IntN(3)), last.Seq + 1}
		m.add(id, somePairs(rng)...)
	case 0, 1:
		m.delete(some())
	case 2:
		m.trim(someTrim(rng, some(), len(m.entries)))
	case 3, 4:
		m.scan(some(), some(), rng.IntN(2) == 0)
	case 5, 6, 7:
		m.deliver(group, consumer, some())
	case 8:
		m.ack(group, some())
	case 9:
		if rng.IntN(10) == 0 {
			m.removeConsumer(group, consumer)
		}
	}
}

func (m *model) removeConsumer(group, consumer string) {
	g, ok := m.v.Group([]byte(group))
	if !ok {
		return
	}
	if c, ok := g.Consumer([]byte(consumer)); ok {
		g.RemoveConsumer(c)
		for id, name := range m.groups[group].pending {
			if name == consumer {
				delete(m.groups[group].pending, id)
			}
		}
	}
}

func somePairs(rng *rand.Rand) []string {
	switch rng.IntN(6) {
	case 0:
		return []string{"field", strings.Repeat("x", rng.IntN(300))}
	case 1:
		return []string{"", "", "12", "-5000", "a", "b"}
	}
	return []string{"temperature", fmt.Sprint(rng.IntN(100000)), "7", "on"}
}

func someTrim(rng *rand.Rand, id ID, n int) Trim {
	return Trim{ByID: rng.IntN(2) == 0, MinID: id, MaxLen: uint64(n * 3 / 4), Approx: rng.IntN(2) == 0,
		Limit: int64(rng.IntN(2) * rng.IntN(50))}
}

// limits make nodes of very different sizes.
var limits = []types.Limits{
	{StreamNodeBytes: 4096, StreamNodeEntries: 100},
	{StreamNodeBytes: 200, StreamNodeEntries: 0},
	{StreamNodeBytes: 0, StreamNodeEntries: 3},
	{StreamNodeBytes: 0, StreamNodeEntries: 0},
}

func TestModel(t *testing.T) {
	for i, lim := range limits {
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		m := newModel(t, lim)
		for i := range 6000 {
			m.run(rng)
			if i%100 == 0 || i < 50 {
				m.check()
			}
		}
		m.check()
		m.copied()
		m.free()
	}
}

// copied checks a copy, and that it can be read as RDB would.
func (m *model) copied() {
	m.Helper()
	to := newSpace()
	r, err := Copy(m.sp, m.v.Root(), to)
	if err != nil {
		m.Fatal(err)
	}
	c := *m
	c.sp, c.v = to, Open(to, r)
	c.check()
	if c.v.First() != m.v.First() || c.v.Last() != m.v.Last() || c.v.MaxDeleted() != m.v.MaxDeleted() {
		m.Fatal("the copy has other IDs")
	}
	c.add(ID{1 << 40, 0}, "field", "value")
	c.check()
	c.free()
}

func TestRemoveGroup(t *testing.T) {
	m := newModel(t, limits[0])
	for i := range uint64(500) {
		m.add(ID{i, 1}, "a", "b")
		m.deliver("g", fmt.Sprint(i%3), ID{i, 1})
	}
	r, ok := m.v.RemoveGroup([]byte("g"))
	if !ok {
		t.Fatal("no memory")
	}
	delete(m.groups, "g")
	steps := 0
	for ; !FreeStep(m.sp, &r, 16); steps++ {
	}
	if steps < 5 {
		t.Errorf("freed in %d steps", steps)
	}
	m.check()
	m.free()
}

func TestLag(t *testing.T) {
	m := newModel(t, limits[0])
	for i := range uint64(5) {
		m.add(ID{i + 1, 0}, "a", "b")
	}
	g, _ := m.v.AddGroup([]byte("g"), ID{}, Unknown)
	f := func(last ID, want int64) {
		t.Helper()
		g.SetLast(last)
		if n, ok := m.v.Lag(g); !ok && want != Unknown || ok && n != want {
			t.Errorf("lag at %v: %d, %v, want %d", last, n, ok, want)
		}
	}
	f(ID{}, 5)
	f(ID{1, 0}, 4)
	f(ID{2, 0}, Unknown)
	f(ID{5, 0}, 0)
	f(ID{6, 0}, Unknown)
	m.delete(ID{3, 0})
	f(ID{}, Unknown)
	m.delete(ID{2, 0})
	m.delete(ID{1, 0})
	f(ID{3, 0}, 2)
}

// TestFormat compares a node with one that Redis 7.0 has made of the same commands, byte for byte.
func TestFormat(t *testing.T) {
	m := newModel(t, limits[0])
	m.add(ID{1, 0}, "a", "1", "b", "hello")
	m.add(ID{1, 5}, "a", "300", "b", "")
	m.add(ID{70000, 2}, "c", "x")
	m.delete(ID{1, 5})
	want := "\x46\x00\x00\x00\x19\x00" + "\x02\x01\x01\x01\x02\x01\x81a\x02\x81b\x02\x00\x01" +
		"\x02\x01\x00\x01\x00\x01\x01\x01\x85hello\x06\x05\x01" +
		"\x03\x01\x00\x01\x05\x01\xc1\x2c\x02\x80\x01\x05\x01" +
		"\x00\x01\xf2\x6f\x11\x01\x04\x02\x01\x01\x01\x81c\x02\x81x\x02\x06\x01\xff"
	m.v.Nodes(func(master ID, lp []byte) bool {
		if string(lp) != want {
			t.Errorf("%q, want %q", lp, want)
		}
		if last, err := ValidateNode(lp, master); err != nil || last != (ID{70000, 2}) {
			t.Error(last, err)
		}
		if _, err := ValidateNode(lp, ID{1 << 63, 1 << 63}); err != nil {
			t.Error(err)
		}
		if _, err := ValidateNode(lp, MaxID); err == nil {
			t.Error("IDs beyond the greatest pass")
		}
		return true
	})
}

func FuzzModel(f *testing.F) {
	f.Add(uint64(1), uint8(0))
	f.Add(uint64(2), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, lim uint8) {
		rng := rand.New(rand.NewPCG(seed, 11))
		m := newModel(t, limits[int(lim)%len(limits)])
		for range 300 {
			m.run(rng)
		}
		m.check()
		m.copied()
		m.free()
	})
}

// FuzzValidate checks that whatever ValidateNode lets pass can be read and changed.
func FuzzValidate(f *testing.F) {
	m := newModel(f, types.Limits{StreamNodeEntries: 4})
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range uint64(12) {
		m.add(ID{i + 1, 0}, somePairs(rng)...)
	}
	m.delete(ID{3, 0})
	m.v.Nodes(func(_ ID, lp []byte) bool {
		f.Add(bytes.Clone(lp))
		return true
	})
	f.Fuzz(func(t *testing.T, lp []byte) {
		last, err := ValidateNode(lp, ID{5, 5})
		if err != nil {
			return
		}
		sp := newSpace()
		v, _ := New(sp)
		if !v.AddNode(ID{5, 5}, lp) {
			t.Fatal("not added")
		}
		v.SetLast(last)
		if err := Check(sp, v.Root()); err != nil {
			t.Fatal(err)
		}
		ids := []ID{v.Edge()}
		for _, rev := range []bool{false, true} {
			var it Iter
			for v.Range(&it, ID{}, MaxID, rev); it.Next(); {
				ids = append(ids, it.ID())
				for range it.Len() {
					it.Field()
				}
			}
		}
		v.Trim(Trim{MaxLen: uint64(v.Len()) / 2})
		for _, id := range ids {
			if _, err := v.Delete(id); err != nil {
				t.Fatal(err)
			}
		}
		v.free()
	})
}

func BenchmarkAppend(b *testing.B) {
	lim := types.DefaultLimits
	pairs := [][]byte{[]byte("sensor"), []byte("17"), []byte("value"), []byte("23.5"), []byte("unit"), []byte("celsius")}
	sp := newSpace()
	v, _ := New(sp)
	b.ReportAllocs()
	for i := range b.N {
		if v.Append(&lim, ID{1700000000000 + uint64(i/3), uint64(i % 3)}, pairs) != nil {
			b.Fatal("no memory")
		}
	}
	b.ReportMetric(float64(sp.Arena.Stats().Allocated)/float64(b.N), "B/entry")
}

func BenchmarkRange(b *testing.B) {
	lim := types.DefaultLimits
	sp := newSpace()
	v, _ := New(sp)
	for i := range uint64(1 << 20) {
		if v.Append(&lim, ID{i, 0}, [][]byte{[]byte("a"), []byte("12"), []byte("b"), []byte("value")}) != nil {
			b.Fatal("no memory")
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		var it Iter
		start := uint64(i) * 7919 % (1 << 20)
		n := 0
		for v.Range(&it, ID{start, 0}, MaxID, false); n < 10 && it.Next(); n++ {
			for range it.Len() {
				it.Field()
			}
		}
	}
}

func BenchmarkDeliver(b *testing.B) {
	sp := newSpace()
	v, _ := New(sp)
	g, _ := v.AddGroup([]byte("g"), ID{}, 0)
	c, _ := g.AddConsumer([]byte("c"), 0)
	b.ReportAllocs()
	for i := range b.N {
		id := ID{1700000000000 + uint64(i/3), uint64(i % 3)}
		if _, ok := g.Deliver(id, c, 1); !ok {
			b.Fatal("no memory")
		}
	}
	b.ReportMetric(float64(sp.Arena.Stats().Allocated)/float64(b.N), "B/entry")
}

func BenchmarkValidateNode(b *testing.B) {
	m := newModel(b, types.Limits{StreamNodeEntries: 100})
	for i := range uint64(100) {
		m.add(ID{1_700_000_000_000 + i, 0}, "sensor", "s123", "value", "456789", "unit", "celsius")
	}
	m.v.Nodes(func(master ID, lp []byte) bool {
		b.SetBytes(int64(len(lp)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ValidateNode(lp, master); err != nil {
				b.Fatal(err)
			}
		}
		return true
	})
}
