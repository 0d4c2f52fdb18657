package rax

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
)

// model is a tree beside a sorted slice of its keys and a map.
type model struct {
	testing.TB
	a    *alloc.Arena
	tree Tree
	keys []string
	vals map[string]uint64
}

func newModel(t testing.TB) *model {
	return &model{TB: t, a: alloc.NewArena(alloc.NewHeap()), vals: map[string]uint64{}}
}

func (m *model) insert(key string, v uint64) {
	m.Helper()
	added, ok := m.tree.Insert(m.a, []byte(key), v)
	i, found := slices.BinarySearch(m.keys, key)
	if !ok || added == found {
		m.Fatalf("Insert(%q) = %v, %v, want %v", key, added, ok, !found)
	}
	if !found {
		m.keys = slices.Insert(m.keys, i, key)
	}
	m.vals[key] = v
}

func (m *model) delete(key string) {
	m.Helper()
	v, ok := m.tree.Delete(m.a, []byte(key))
	i, found := slices.BinarySearch(m.keys, key)
	if ok != found || v != m.vals[key] {
		m.Fatalf("Delete(%q) = %d, %v, want %d, %v", key, v, ok, m.vals[key], found)
	}
	if found {
		m.keys = slices.Delete(m.keys, i, i+1)
		delete(m.vals, key)
	}
}

// at fails unless c stands at key i of the model, or nowhere if there is no such key.
func (m *model) at(c *Cursor, ok bool, i int, what string) {
	m.Helper()
	if want := i >= 0 && i < len(m.keys); ok != want || c.Valid() != want {
		m.Fatalf("%s: %v, %v, want %v", what, ok, c.Valid(), want)
	}
	if ok && (string(c.Key()) != m.keys[i] || c.Value() != m.vals[m.keys[i]]) {
		m.Fatalf("%s: at %q = %d, want %q = %d", what, c.Key(), c.Value(), m.keys[i], m.vals[m.keys[i]])
	}
}

// seek compares all ways to find key.
func (m *model) seek(key string) {
	m.Helper()
	k := []byte(key)
	v, ok := m.tree.Find(m.a, k)
	i, found := slices.BinarySearch(m.keys, key)
	if ok != found || ok && v != m.vals[key] {
		m.Fatalf("Find(%q) = %d, %v, want %d, %v", key, v, ok, m.vals[key], found)
	}
	above := i
	if found {
		above++
	}
	c := m.tree.Cursor(m.a)
	m.at(&c, c.SeekGE(k), i, "GE "+key)
	m.at(&c, c.SeekGT(k), above, "GT "+key)
	m.at(&c, c.SeekLE(k), above-1, "LE "+key)
	if above > 0 {
		m.at(&c, c.Next(), above, "LE, next "+key)
	}
}

// check compares the whole tree with the model, both ways.
func (m *model) check() {
	m.Helper()
	if err := m.tree.Check(m.a); err != nil {
		m.Fatal(err)
	}
	if m.tree.Len() != len(m.keys) {
		m.Fatalf("%d keys, want %d", m.tree.Len(), len(m.keys))
	}
	if got, want := m.tree.Bytes(m.a), m.a.Stats().Allocated; got != want {
		m.Fatalf("Bytes: %d, want %d", got, want)
	}
	c := m.tree.Cursor(m.a)
	i := 0
	for ok := c.First(); ok; ok = c.Next() {
		m.at(&c, ok, i, "forward")
		i++
	}
	for ok := c.Last(); ok; ok = c.Prev() {
		i--
		m.at(&c, ok, i, "backward")
	}
	if i != 0 {
		m.Fatalf("%d keys met forward and not backward", i)
	}
}

// free frees the tree in steps and checks that nothing remains.
func (m *model) free() {
	m.Helper()
	var sum, want uint64
	for _, v := range m.vals {
		want += v
	}
	for !m.tree.FreeStep(m.a, 10, func(v uint64) { sum += v }) {
	}
	if sum != want || m.tree.Len() != 0 || m.a.Stats().Allocated != 0 {
		m.Fatalf("freed values of %d, want %d; %d keys and %d bytes left", sum, want, m.tree.Len(), m.a.Stats().Allocated)
	}
}

// someKey returns a key of one of several families, so that all shapes of nodes come about.
func someKey(rng *rand.Rand) string {
	switch rng.IntN(6) {
	case 0: // prefixes of each other
		return strings.Repeat("a", rng.IntN(8))
	case 1: // long ones
		return strings.Repeat("x", rng.IntN(3)*250+rng.IntN(20)) + string(rune('a'+rng.IntN(3)))
	case 2: // dense IDs
		return string(id(uint64(rng.IntN(3)), uint64(rng.IntN(300))))
	case 3: // milliseconds, few entries each
		return string(id(1700000000000+uint64(rng.IntN(600)), uint64(rng.IntN(8)/7)))
	case 4: // short bytes
		return string([]byte{byte(rng.IntN(256)), byte(rng.IntN(3))}[:1+rng.IntN(2)])
	}
	return fmt.Sprintf("consumer:%d:%d", rng.IntN(30), rng.IntN(3))
}

func id(ms, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, ms), seq)
}

func TestModel(t *testing.T) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m := newModel(t)
		for i := range 20000 {
			key := someKey(rng)
			if grow := i%8000 < 5000; rng.IntN(4) < 3 == grow {
				m.insert(key, uint64(i))
			} else if len(m.keys) > 0 && !grow {
				m.delete(m.keys[rng.IntN(len(m.keys))])
			} else {
				m.delete(key)
			}
			m.seek(someKey(rng))
			if i%500 == 0 {
				m.check()
			}
		}
		m.check()
		if seed%2 == 0 {
			m.free()
			continue
		}
		for len(m.keys) > 0 {
			m.delete(m.keys[rng.IntN(len(m.keys))])
		}
		m.check()
	}
}

func TestSetValue(t *testing.T) {
	m := newModel(t)
	for _, key := range []string{"", "a", "ab", "abc", "abd"} {
		m.insert(key, 1)
	}
	c := m.tree.Cursor(m.a)
	for ok := c.First(); ok; ok = c.Next() {
		c.SetValue(uint64(len(c.Key())))
		m.vals[string(c.Key())] = uint64(len(c.Key()))
	}
	m.check()
}

func TestLongKeys(t *testing.T) {
	m := newModel(t)
	for n := 240; n < 1100; n += 3 {
		m.insert(strings.Repeat("k", n), uint64(n))
		m.insert(strings.Repeat("k", n-1)+"z"+strings.Repeat("y", n), uint64(n))
		m.seek(strings.Repeat("k", n-1))
	}
	m.check()
	for len(m.keys) > 0 {
		m.delete(m.keys[len(m.keys)/2])
		if err := m.tree.Check(m.a); err != nil {
			t.Fatal(err)
		}
	}
	m.check()
}

func FuzzTree(f *testing.F) {
	f.Add([]byte("\x02ab\x02ac\x01a\x82ab\x00\x80"))
	f.Add(bytes.Repeat([]byte{5, 1, 2, 3, 4, 5}, 5))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := newModel(t)
		// An operation is a byte: delete (1 bit), repeat the key (1 bit), length (6 bits), and the key.
		for i := uint64(0); len(ops) > 0; i++ {
			op := ops[0]
			n := min(int(op&63), len(ops)-1)
			key := strings.Repeat(string(ops[1:1+n]), 1+int(op>>6&1)*40)
			ops = ops[1+n:]
			if op&0x80 != 0 {
				m.delete(key)
			} else {
				m.insert(key, i)
			}
			m.seek(key)
		}
		m.check()
		m.free()
	})
}

// families of ascending IDs as streams see them.
var idFamilies = []struct {
	name string
	id   func(i uint64) []byte
}{
	{"one-ms", func(i uint64) []byte { return id(1700000000000, i) }},
	{"each-ms", func(i uint64) []byte { return id(1700000000000+i, 0) }},
	{"3-per-ms", func(i uint64) []byte { return id(1700000000000+i/3, i%3) }},
	{"every-37ms", func(i uint64) []byte { return id(1700000000000+37*i, 0) }},
}

// TestMemory bounds what a key of 16 bytes takes, value included.
func TestMemory(t *testing.T) {
	for i, limit := range []float64{10.1, 10.1, 16, 13} {
		m := newModel(t)
		const n = 200_000
		for j := range uint64(n) {
			m.tree.Insert(m.a, idFamilies[i].id(j), j)
		}
		per := float64(m.a.Stats().Allocated) / n
		t.Logf("%s: %.1f B per key", idFamilies[i].name, per)
		if per > limit {
			t.Errorf("%s: %.1f B per key, want at most %.1f", idFamilies[i].name, per, limit)
		}
	}
}

func TestAllocs(t *testing.T) {
	m := newModel(t)
	var key [16]byte
	i := uint64(0)
	allocs := testing.AllocsPerRun(2000, func() {
		binary.BigEndian.PutUint64(key[:], 1700000000000+i/3)
		binary.BigEndian.PutUint64(key[8:], i%3)
		i++
		m.tree.Insert(m.a, key[:], i)
		c := m.tree.Cursor(m.a)
		for ok := c.SeekLE(key[:]); ok && i%100 == 0; ok = c.Prev() {
		}
		m.tree.Find(m.a, key[:])
	})
	if allocs != 0 && !invariants.Enabled {
		t.Errorf("%.2f allocations per insertion and search", allocs)
	}
}

func BenchmarkInsert(b *testing.B) {
	for _, f := range idFamilies {
		b.Run("ids="+f.name, func(b *testing.B) {
			b.ReportAllocs()
			a := alloc.NewArena(alloc.NewHeap())
			var t Tree
			keys := make([][]byte, 1<<16)
			for i := range keys {
				keys[i] = f.id(uint64(i))
			}
			for i := range b.N {
				if i%len(keys) == 0 {
					for !t.FreeStep(a, 1<<20, nil) {
					}
				}
				t.Insert(a, keys[i%len(keys)], 1)
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	for _, f := range idFamilies {
		b.Run("keys=1M/ids="+f.name, func(b *testing.B) {
			b.ReportAllocs()
			a := alloc.NewArena(alloc.NewHeap())
			var t Tree
			for i := range uint64(1 << 20) {
				t.Insert(a, f.id(i), i)
			}
			var key [16]byte
			for i := range b.N {
				copy(key[:], f.id(uint64(i)*7919%(1<<20)))
				if _, ok := t.Find(a, key[:]); !ok {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkNext(b *testing.B) {
	a := alloc.NewArena(alloc.NewHeap())
	var t Tree
	for i := range uint64(1 << 20) {
		t.Insert(a, idFamilies[2].id(i), i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	c := t.Cursor(a)
	for range b.N {
		if !c.Valid() {
			c.First()
		}
		c.Next()
	}
}
