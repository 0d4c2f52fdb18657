package alloc

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// block is what the model knows of a live block.
type block struct {
	ref  Ref
	n    int
	seed uint64
}

// fill writes a pattern that depends on the seed to the ends of the block and every 4 KiB.
func (b block) fill(a *Arena) {
	p := a.Bytes(b.ref, b.n)
	b.eachWord(func(at int, word []byte) { copy(p[at:], word) })
}

// verify returns the offset of the first damage, or -1.
func (b block) verify(a *Arena) int {
	p := a.Bytes(b.ref, b.n)
	bad := -1
	b.eachWord(func(at int, word []byte) {
		if bad < 0 && string(p[at:at+len(word)]) != string(word) {
			bad = at
		}
	})
	return bad
}

func (b block) eachWord(visit func(at int, word []byte)) {
	var word [8]byte
	step := 8
	if b.n > 4096 {
		step = 4096
	}
	for at := 0; at < b.n; at += step {
		binary.LittleEndian.PutUint64(word[:], b.seed+uint64(at)*0x9E3779B97F4A7C15)
		visit(at, word[:min(8, b.n-at)])
	}
	if b.n >= 8 {
		binary.LittleEndian.PutUint64(word[:], ^b.seed)
		at := (b.n - 8) &^ 7
		if at%step != 0 {
			visit(at, word[:])
		}
	}
}

// model allocates and frees and knows what every block must hold.
type model struct {
	t         testing.TB
	a         *Arena
	live      []block
	allocated int
	seed      uint64
}

func (m *model) alloc(n int, zero bool) {
	b := block{n: n, seed: m.seed}
	m.seed++
	if zero {
		b.ref = m.a.AllocZero(n)
		for i, v := range m.a.Bytes(b.ref, n) {
			if v != 0 {
				m.t.Fatalf("AllocZero(%d): byte %d is %#x", n, i, v)
			}
		}
	} else {
		b.ref = m.a.Alloc(n)
	}
	if b.ref == 0 {
		m.t.Fatalf("Alloc(%d) failed", n)
	}
	b.fill(m.a)
	m.live = append(m.live, b)
	m.allocated += UsableSize(n)
}

func (m *model) free(i int) {
	b := m.live[i]
	if at := b.verify(m.a); at >= 0 {
		m.t.Fatalf("block %#x of %d bytes damaged at %d", b.ref, b.n, at)
	}
	m.a.Free(b.ref, b.n)
	m.allocated -= UsableSize(b.n)
	m.live[i] = m.live[len(m.live)-1]
	m.live = m.live[:len(m.live)-1]
}

func (m *model) check() {
	m.t.Helper()
	st := m.a.Stats()
	if st.Allocated != m.allocated || st.Objects != len(m.live) {
		m.t.Fatalf("stats %+v, want %d bytes in %d objects", st, m.allocated, len(m.live))
	}
	if st.Active < st.Allocated {
		m.t.Fatalf("active %d < allocated %d", st.Active, st.Allocated)
	}
	if got := m.a.heap.Stats().InUse; got < st.Active {
		m.t.Fatalf("heap in use %d < active %d", got, st.Active)
	}
}

func (m *model) freeAll() {
	for len(m.live) > 0 {
		m.free(len(m.live) - 1)
	}
	m.check()
}

// randomSize prefers small sizes, as keys do, and reaches a few MiB.
func randomSize(rng *rand.Rand) int {
	switch rng.IntN(100) {
	case 0:
		return rng.IntN(5 << 20)
	case 1, 2, 3:
		return rng.IntN(300 << 10)
	case 4, 5, 6, 7, 8, 9:
		return rng.IntN(20 << 10)
	}
	return rng.IntN(300)
}

func TestRandomOperationsAgreeWithModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			h := NewHeap()
			m := model{t: t, a: NewArena(h)}
			for step := range 30_000 {
				grow := step/5_000%2 == 0 // waves
				switch {
				case len(m.live) == 0 || rng.IntN(10) < 4 || grow && rng.IntN(3) == 0:
					m.alloc(randomSize(rng), rng.IntN(8) == 0)
				default:
					m.free(rng.IntN(len(m.live)))
				}
				if step%500 == 0 {
					m.check()
					h.Scavenge(1 << 20)
				}
			}
			m.freeAll()
		})
	}
}

func TestEveryClass(t *testing.T) {
	m := model{t: t, a: NewArena(NewHeap())}
	last := 0
	for n := 0; n <= maxSmall+PageSize; n = UsableSize(n) + 1 {
		usable := UsableSize(n)
		if usable < n || usable%granule != 0 || UsableSize(usable) != usable {
			t.Fatalf("UsableSize(%d) = %d", n, usable)
		}
		if n > 128 && (usable-last)*8 > usable {
			t.Fatalf("step from %d to %d is too wide", last, usable)
		}
		last = usable
		m.alloc(n, false)
		m.alloc(usable, true)
	}
	m.check()
	m.freeAll()
}
