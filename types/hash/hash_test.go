package hash

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
	"github.com/shoaldb/shoal/types"
)

// entry is a field's value in the model.
type entry struct {
	value    string
	expireMS int64
}

// model is a hash, kept as its root, beside a Go map.
type model struct {
	t      testing.TB
	sp     *types.Space
	root   types.Root
	want   map[string]entry
	nowMS  int64
	limits types.Limits
}

func newModel(t testing.TB) *model {
	m := &model{t: t, sp: types.NewSpace(alloc.NewArena(alloc.NewHeap()), 7), want: map[string]entry{}, nowMS: 1000,
		limits: types.DefaultLimits}
	v := New(m.sp)
	m.root = v.Root()
	return m
}

// open returns a view; done keeps what it has become.
func (m *model) open() *Value {
	v := Open(m.sp, m.root)
	v.NowMS = m.nowMS
	return &v
}

func (m *model) done(v *Value) { m.root = v.Root() }

func (m *model) live(field string) (entry, bool) {
	e, ok := m.want[field]
	return e, ok && !due(e.expireMS, m.nowMS)
}

func (m *model) set(field, value string, expireMS int64) {
	m.t.Helper()
	v := m.open()
	existed, err := v.Set(&m.limits, []byte(field), []byte(value), expireMS)
	m.done(v)
	was, ok := m.live(field)
	if err != nil || existed != ok {
		m.t.Fatalf("Set(%q) = %v, %v; want %v", field, existed, err, ok)
	}
	if expireMS == KeepTTL {
		expireMS = 0
		if ok {
			expireMS = was.expireMS
		}
	}
	m.want[field] = entry{value, expireMS}
}

func (m *model) delete(field string) {
	m.t.Helper()
	v := m.open()
	existed, err := v.Delete([]byte(field))
	m.done(v)
	if _, ok := m.live(field); err != nil || existed != ok {
		m.t.Fatalf("Delete(%q) = %v, %v; want %v", field, existed, err, ok)
	}
	delete(m.want, field)
}

func (m *model) setExpire(field string, ms int64) {
	m.t.Helper()
	e, ok := m.live(field)
	if !ok {
		return
	}
	v := m.open()
	if err := v.SetExpire([]byte(field), ms); err != nil {
		m.t.Fatal(err)
	}
	m.done(v)
	e.expireMS = ms
	m.want[field] = e
}

func (m *model) expire(limit int) {
	m.t.Helper()
	v := m.open()
	_, err := v.Expire(limit, func(field []byte) {
		if e, ok := m.want[string(field)]; !ok || !due(e.expireMS, m.nowMS) {
			m.t.Fatalf("%q has expired, which was %v", field, e)
		}
		delete(m.want, string(field))
		if limit--; limit < 0 {
			m.t.Fatal("more have expired than were asked for")
		}
	})
	if err != nil {
		m.t.Fatal(err)
	}
	m.done(v)
}

func str(e Element) string { return string(e.Append(nil)) }

// check compares everything.
func (m *model) check() {
	m.t.Helper()
	if err := Check(m.sp, m.root); err != nil {
		m.t.Fatal(err)
	}
	v := m.open()
	n := 0
	for field := range m.want {
		e, ok := m.live(field)
		if ok {
			n++
		}
		got, found := v.Get([]byte(field))
		if found != ok || ok && str(got) != e.value {
			m.t.Fatalf("Get(%q) = %q, %v; want %q, %v", field, str(got), found, e.value, ok)
		}
		if ms, found := v.ExpireMS([]byte(field)); found != ok || ok && ms != e.expireMS {
			m.t.Fatalf("ExpireMS(%q) = %d, %v; want %d, %v", field, ms, found, e.expireMS, ok)
		}
	}
	if v.Len() != n || v.Size() != len(m.want) || Len(m.sp, m.root) != len(m.want) {
		m.t.Fatalf("%d fields of %d, want %d of %d", v.Len(), v.Size(), n, len(m.want))
	}
	m.checkWalks(n)
	if got, want := Bytes(m.sp, m.root, 0), m.sp.Arena.Stats().Allocated; got != want {
		m.t.Fatalf("Bytes() = %d of %d", got, want)
	}
}

func (m *model) checkWalks(n int) {
	m.t.Helper()
	seen := map[string]bool{}
	add := func(field, value Element) {
		if e, ok := m.live(str(field)); !ok || e.value != str(value) {
			m.t.Fatalf("a walk meets %q = %q, want %q, %v", str(field), str(value), e.value, ok)
		}
		seen[str(field)] = true
	}
	v := m.open()
	v.Each(func(field, value Element) bool { add(field, value); return true })
	if len(seen) != n {
		m.t.Fatalf("Each met %d fields of %d", len(seen), n)
	}
	clear(seen)
	for cursor := v.Scan(0, add); cursor != 0; {
		cursor = v.Scan(cursor, add)
	}
	if len(seen) != n {
		m.t.Fatalf("Scan met %d fields of %d", len(seen), n)
	}
	clear(seen)
	v.Sample(n/2, add)
	if len(seen) != n/2 {
		m.t.Fatalf("Sample met %d fields, want %d", len(seen), n/2)
	}
	if field, value, _, ok := v.Random(); ok != (n > 0) {
		m.t.Fatalf("Random returned a field: %v, of %d", ok, n)
	} else if ok {
		add(field, value)
	}
}

func (m *model) copyAndFree() {
	m.t.Helper()
	before := m.sp.Arena.Stats().Allocated
	c, err := Copy(m.sp, m.root, m.sp)
	if err != nil {
		m.t.Fatal(err)
	}
	original := m.root
	m.root = c
	if err := Check(m.sp, c); err != nil {
		m.t.Fatal(err)
	}
	if c.Encoding != original.Encoding || NextMS(&c) != NextMS(&original) {
		m.t.Fatal("the copy differs")
	}
	m.checkWalks(m.open().Len())
	m.root = original
	for steps := 0; !FreeStep(m.sp, &c, 10); steps++ {
		if steps > 10+len(m.want) {
			m.t.Fatal("FreeStep does not end")
		}
	}
	if after := m.sp.Arena.Stats().Allocated; after != before {
		m.t.Fatalf("%d bytes are left of a copy", after-before)
	}
}

var values = []string{"", "1", "-5", "12345678901", "value", "a value of some length", string(bytes.Repeat([]byte("long"), 40)),
	string(bytes.Repeat([]byte("x"), 70000))}

func (m *model) step(rng *rand.Rand, fields int) {
	name := strconv.Itoa(rng.IntN(fields))
	if rng.IntN(2) == 0 {
		name = "field:" + name
	}
	ms := m.nowMS + rng.Int64N(300)
	switch r := rng.IntN(20); {
	case r < 7:
		m.set(name, values[rng.IntN(len(values)-1-rng.IntN(2)*rng.IntN(2))], []int64{0, KeepTTL, ms}[rng.IntN(3)])
	case r < 8:
		m.set(name, strconv.Itoa(rng.IntN(1000)), 0)
	case r < 12:
		m.delete(name)
	case r < 15:
		m.setExpire(name, ms)
	case r < 16:
		m.setExpire(name, 0)
	case r < 17:
		m.expire(rng.IntN(20))
	case r < 19:
		m.nowMS += rng.Int64N(20)
	default:
		m.copyAndFree()
	}
}

func TestRandomOperationsAgreeWithModel(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			m := newModel(t)
			fields := 10 + rng.IntN(600)
			m.limits.HashListpackEntries = rng.IntN(600)
			m.limits.HashListpackValue = []int{0, 20, 64, 1 << 30}[seed%4]
			for i := range 3000 {
				m.step(rng, fields)
				if i%50 == 0 {
					m.check()
				}
			}
			m.check()
			for field := range m.want {
				m.delete(field)
			}
			if m.open().Size() != 0 {
				t.Fatal("fields are left")
			}
			for !FreeStep(m.sp, &m.root, 100) {
			}
			if n := m.sp.Arena.Stats().Allocated; n != 0 {
				t.Fatalf("%d bytes are left", n)
			}
		})
	}
}

func FuzzHash(f *testing.F) {
	f.Add([]byte("set some fields and remove them again"), uint64(1), uint8(4))
	f.Add([]byte{0, 0, 0, 0, 1, 2, 3, 4, 255, 254}, uint64(2), uint8(0))
	f.Fuzz(func(t *testing.T, ops []byte, seed uint64, entries uint8) {
		m := newModel(t)
		m.limits.HashListpackEntries = int(entries)
		rng := rand.New(rand.NewPCG(seed, 1))
		for _, op := range ops[:min(len(ops), 200)] {
			for range op % 16 {
				m.step(rng, 1+int(op)/8)
			}
		}
		m.check()
	})
}

func TestEncodings(t *testing.T) {
	m := newModel(t)
	is := func(e types.Encoding) {
		t.Helper()
		if m.root.Encoding != e {
			t.Fatalf("encoding %d, want %d", m.root.Encoding, e)
		}
	}
	for i := range 512 {
		m.set(fmt.Sprint(i), "x", 0)
	}
	is(types.Listpack)
	m.set("0", string(bytes.Repeat([]byte("x"), 64)), 0)
	is(types.Listpack)
	m.setExpire("5", 5000)
	is(types.ListpackEx)
	m.set("512", "x", 0)
	is(types.HashtableEx)
	m.check()

	m = newModel(t)
	m.set("f", string(bytes.Repeat([]byte("x"), 65)), 0)
	is(types.Hashtable)
	m.setExpire("f", 3000)
	is(types.HashtableEx)
	m.check()
}

func TestNextMS(t *testing.T) {
	for _, entries := range []int{512, 0} {
		m := newModel(t)
		m.limits.HashListpackEntries = entries
		next := func(want int64) {
			t.Helper()
			if got := NextMS(&m.root); got != want {
				t.Fatalf("the first field expires at %d, want %d", got, want)
			}
		}
		m.set("a", "1", 0)
		next(0)
		m.set("b", "1", 3000)
		next(3000)
		m.set("c", "1", 2000)
		next(2000)
		m.nowMS = 2000
		m.check()
		m.expire(10)
		next(3000)
		m.check()
		m.nowMS = 4000
		m.expire(10)
		next(0)
		m.check()
	}
}

func TestRandomIsFair(t *testing.T) {
	for _, entries := range []int{512, 0} {
		m := newModel(t)
		m.limits.HashListpackEntries = entries
		const n, draws = 100, 100_000
		for i := range n {
			m.set(fmt.Sprint(i), "x", 0)
		}
		v := m.open()
		got := map[string]int{}
		for range draws {
			field, _, _, _ := v.Random()
			got[str(field)]++
		}
		for i := range n {
			if c := got[fmt.Sprint(i)]; c < draws/n*3/4 || c > draws/n*4/3 {
				t.Errorf("field %d was drawn %d times of %d", i, c, draws)
			}
		}
	}
}

func TestReadsAndUpdatesDoNotAllocate(t *testing.T) {
	for _, entries := range []int{512, 0} {
		m := newModel(t)
		m.limits.HashListpackEntries = entries
		for i := range 100 {
			m.set(fmt.Sprint("field", i), "value", 0)
		}
		field, value := []byte("field50"), []byte("other")
		if n := testing.AllocsPerRun(100, func() {
			v := Open(m.sp, m.root)
			v.Get(field)
			if _, err := v.Set(&m.limits, field, value, 0); err != nil {
				t.Fatal(err)
			}
			m.root = v.Root()
		}); n != 0 && !invariants.Enabled {
			t.Errorf("%v allocations, listpack of %d", n, entries)
		}
	}
}

// A table of some 130 short fields takes less memory than 64 bytes a field, which is less than Redis needs for a field alone.
func TestMemoryOfSmallTables(t *testing.T) {
	for _, n := range []int{1, 3, 10, 130, 1000, 100_000} {
		m := newModel(t)
		m.limits.HashListpackEntries = 0
		for i := range n {
			m.set(fmt.Sprintf("f%07d", i), "0123456789abcdef", 0)
		}
		if per := Bytes(m.sp, m.root, 0) / n; n >= 10 && per > 56 || per > 96 {
			t.Errorf("%d bytes a field in a table of %d", per, n)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	for _, fields := range []int{10, 500, 1_000_000} {
		m := newModel(b)
		names := make([][]byte, fields)
		v := m.open()
		for i := range names {
			names[i] = fmt.Appendf(nil, "f%07d", i)
			v.Set(&m.limits, names[i], []byte("0123456789abcdef"), 0)
		}
		next := func(x *uint32) []byte {
			*x = *x*1664525 + 1013904223
			return names[uint64(*x)*uint64(fields)>>32]
		}
		m.done(v)
		b.Run(fmt.Sprint("Get/fields=", fields), func(b *testing.B) {
			b.ReportAllocs()
			x := uint32(1)
			for b.Loop() {
				v := Open(m.sp, m.root)
				if _, ok := v.Get(next(&x)); !ok {
					b.Fatal("lost")
				}
			}
		})
		b.Run(fmt.Sprint("Set/fields=", fields), func(b *testing.B) {
			b.ReportAllocs()
			x := uint32(1)
			for b.Loop() {
				v := Open(m.sp, m.root)
				v.Set(&m.limits, next(&x), []byte("fedcba9876543210"), 0)
				m.root = v.Root()
			}
		})
	}
	b.Run("Insert/fields=1000000", func(b *testing.B) {
		b.ReportAllocs()
		m := newModel(b)
		var name [16]byte
		for i := 0; b.Loop(); i++ {
			v := Open(m.sp, m.root)
			v.Set(&m.limits, fmt.Appendf(name[:0], "f%07d", i%1_000_000), []byte("0123456789abcdef"), 0)
			m.root = v.Root()
		}
	})
}
