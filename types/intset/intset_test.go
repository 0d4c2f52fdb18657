package intset

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
)

func newArena() *alloc.Arena { return alloc.NewArena(alloc.NewHeap()) }

func TestBytesAreThoseOfRedis(t *testing.T) {
	// The elements were added in this order to a redis-server, whose DUMP gave the bytes.
	f := func(want string, elements ...int64) {
		t.Helper()
		a := newArena()
		var b Block
		for _, v := range elements {
			if added, ok := b.Add(a, v); !added || !ok {
				t.Fatalf("Add(%d) = %v, %v", v, added, ok)
			}
		}
		if got := hex.EncodeToString(b.Bytes(a)); got != want {
			t.Errorf("%v:\n got %s\nwant %s", elements, got, want)
		}
		b.Free(a)
		if n := a.Stats().Allocated; n != 0 {
			t.Errorf("%v: %d bytes left", elements, n)
		}
	}
	f("0200000000000000")
	f("0200000003000000fdff01000200", 1, 2, -3)
	f("0400000003000000010000000200000000000100", 2, 1, 65536)
	f("0400000002000000ff7fffff00000000", 0, -32769)
	f("08000000020000000000000000000080ffffffffffffff7f", math.MaxInt64, math.MinInt64)
}

func TestEdgesOfTheWidths(t *testing.T) {
	values := []int64{0, 1, -1}
	for _, edge := range []int64{math.MaxInt16, math.MaxInt32, math.MaxInt64, math.MinInt16, math.MinInt32, math.MinInt64} {
		values = append(values, edge, edge-1, edge+1)
	}
	for i := range values {
		for j := range values {
			a := newArena()
			var b Block
			b.Add(a, values[i])
			added, ok := b.Add(a, values[j])
			want := []int64{values[i], values[j]}
			slices.Sort(want)
			want = slices.Compact(want)
			if added != (len(want) == 2) || !ok || !slices.Equal(elements(b.Bytes(a)), want) {
				t.Fatalf("%d and %d: %v, %v", values[i], values[j], added, elements(b.Bytes(a)))
			}
			for _, v := range values {
				if Contains(b.Bytes(a), v) != slices.Contains(want, v) {
					t.Fatalf("%v contains %d: %v", want, v, Contains(b.Bytes(a), v))
				}
			}
		}
	}
}

func elements(s []byte) []int64 {
	out := make([]int64, Len(s))
	for i := range out {
		out[i] = Get(s, i)
	}
	return out
}

// model is an intset beside a sorted slice.
type model struct {
	t    testing.TB
	a    *alloc.Arena
	b    Block
	want []int64
}

func (m *model) add(v int64) {
	m.t.Helper()
	i, found := slices.BinarySearch(m.want, v)
	if !found {
		m.want = slices.Insert(m.want, i, v)
	}
	if added, ok := m.b.Add(m.a, v); added == found || !ok {
		m.t.Fatalf("Add(%d) = %v, %v", v, added, ok)
	}
}

func (m *model) remove(v int64) {
	m.t.Helper()
	i, found := slices.BinarySearch(m.want, v)
	if found {
		m.want = slices.Delete(m.want, i, i+1)
	}
	if m.b.Remove(m.a, v) != found {
		m.t.Fatalf("Remove(%d) = %v", v, !found)
	}
}

func (m *model) check(probe int64) {
	m.t.Helper()
	s := m.b.Bytes(m.a)
	if !slices.Equal(elements(s), m.want) {
		m.t.Fatalf("%v\nwant %v", elements(s), m.want)
	}
	if len(m.want) > 0 {
		if err := Validate(s, true); err != nil {
			m.t.Fatal(err)
		}
	}
	wantAt, wantFound := slices.BinarySearch(m.want, probe)
	if i, found := Find(s, probe); i != wantAt || found != wantFound {
		m.t.Fatalf("Find(%d) = %d, %v; want %d, %v", probe, i, found, wantAt, wantFound)
	}
	if from := len(m.want) / 3; from == 0 || m.want[from-1] < probe {
		if i, found := Seek(s, from, probe); i != wantAt || found != wantFound {
			m.t.Fatalf("Seek(%d, %d) = %d, %v; want %d, %v", from, probe, i, found, wantAt, wantFound)
		}
	}
	if used := m.a.Stats().Allocated; used > 2*alloc.UsableSize(len(s))+16 {
		m.t.Fatalf("%d bytes of memory for %d", used, len(s))
	}
}

func FuzzIntset(f *testing.F) {
	f.Add([]byte{0, 1, 0, 2, 4, 1, 9, 200, 16, 7, 5, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := &model{t: t, a: newArena()}
		for ; len(ops) >= 2; ops = ops[2:] {
			v := int64(int8(ops[1])) << (ops[0] >> 2 & 63)
			if ops[0]&3 == 3 {
				m.remove(v)
			} else {
				m.add(v)
			}
			m.check(v + int64(ops[0]&3) - 1)
		}
		m.b.Free(m.a)
		if n := m.a.Stats().Allocated; n != 0 {
			t.Fatalf("%d bytes left", n)
		}
	})
}

func TestRandomOperationsAgreeWithModel(t *testing.T) {
	for seed := range uint64(9) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := &model{t: t, a: newArena()}
		shift := seed % 3 * 20
		for i := range 4000 {
			v := rng.Int64N(2000)<<shift - 1000<<shift
			if up := i/1000%2 == 0; rng.IntN(10) < 3 == up {
				m.remove(v)
			} else {
				m.add(v)
			}
			m.check(v + rng.Int64N(3) - 1)
		}
		even := func(v int64) bool { return v>>shift%2 == 0 }
		m.b.DeleteFunc(m.a, even)
		m.want = slices.DeleteFunc(m.want, even)
		m.check(0)
		for len(m.want) > 0 {
			m.remove(m.want[rng.IntN(len(m.want))])
			m.check(0)
		}
	}
}

func TestStoreCopies(t *testing.T) {
	a := newArena()
	var b, c Block
	for v := range int64(100) {
		b.Add(a, v*v)
	}
	if !c.Store(a, b.Bytes(a)) || !bytes.Equal(c.Bytes(a), b.Bytes(a)) {
		t.Fatal("not a copy")
	}
	b.Remove(a, 0)
	if !Contains(c.Bytes(a), 0) {
		t.Fatal("the copy shares memory with what it was made of")
	}
}

func TestValidate(t *testing.T) {
	f := func(bytes string, deep bool, want error) {
		t.Helper()
		s, err := hex.DecodeString(bytes)
		if err != nil {
			t.Fatal(err)
		}
		if got := Validate(s, deep); got != want {
			t.Errorf("%s: %v, want %v", bytes, got, want)
		}
	}
	f("", false, errLength)
	f("02000000000000", false, errLength)
	f("0200000000000000", false, errEmpty)
	f("0300000001000000aabbcc", false, errHeader)
	f("0000000000000000", false, errHeader)
	f("0200000001000000aa", false, errLength)
	f("0200000001000000aabbcc", false, errLength)
	f("02000000ffffffffaabb", false, errLength)
	f("0200000001000000aabb", true, nil)
	f("02000000020000000100ffff", false, nil)
	f("02000000020000000100ffff", true, errOrder)
	f("020000000200000001000100", true, errOrder)
	f("0200000002000000ffff0100", true, nil)
}

func FuzzValidate(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x01\x00\x00\x00ab"))
	f.Fuzz(func(t *testing.T, s []byte) {
		if Validate(s, true) != nil {
			return
		}
		a := newArena()
		var b Block
		b.Store(a, s)
		for i, v := range elements(s) {
			if at, found := Find(s, v); at != i || !found {
				t.Fatalf("element %d is found at %d", i, at)
			}
			b.Remove(a, v)
		}
		if Len(b.Bytes(a)) != 0 {
			t.Fatal("not empty in the end")
		}
	})
}

func TestNoGarbage(t *testing.T) {
	if invariants.Enabled {
		return // the arena keeps books on the Go heap
	}
	a := newArena()
	var b Block
	if n := testing.AllocsPerRun(10, func() {
		for v := range int64(100) {
			b.Add(a, v*1e6)
		}
		for v := range int64(100) {
			b.Remove(a, v*1e6)
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{20, 512} {
		for shift, width := range map[int]string{0: "2", 20: "4", 40: "8"} {
			b.Run(fmt.Sprintf("elements=%d/width=%s", n, width), func(b *testing.B) {
				a := newArena()
				var set Block
				for v := range n {
					set.Add(a, int64(2*v)<<shift)
				}
				s := set.Bytes(a)
				rng := rand.New(rand.NewPCG(1, 1))
				var probes [1024]int64
				for i := range probes {
					probes[i] = int64(rng.IntN(2*n)) << shift
				}
				b.ReportAllocs()
				hits := 0
				for i := 0; b.Loop(); i++ {
					if Contains(s, probes[i%1024]) {
						hits++
					}
				}
				if hits == 0 && b.N > 1000 {
					b.Fatal("nothing was found")
				}
			})
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, order := range []string{"ascending", "random"} {
		b.Run("elements=512/order="+order, func(b *testing.B) {
			values := make([]int64, 512)
			for i := range values {
				values[i] = int64(i)
			}
			if order == "random" {
				rng := rand.New(rand.NewPCG(1, 1))
				rng.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
			}
			a := newArena()
			var set Block
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%512 == 0 {
					set.Free(a)
				}
				set.Add(a, values[i%512])
			}
		})
	}
}
