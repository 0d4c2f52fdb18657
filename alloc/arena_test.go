package alloc

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shoaldb/shoal/internal/invariants"
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
	if st.Allocated != m.allocated || m.a.CountObjects() != len(m.live) {
		m.t.Fatalf("%d bytes in %d objects, want %d in %d", st.Allocated, m.a.CountObjects(), m.allocated, len(m.live))
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

func TestPurposes(t *testing.T) {
	a := NewArena(NewHeap())
	r := a.Alloc(100)
	small := a.AllocFor(Table, 1000)
	large := a.AllocFor(Table, 300_000)
	want := UsableSize(1000) + UsableSize(300_000)
	if st := a.Stats(); st.Tables != want || st.Allocated != want+UsableSize(100) {
		t.Fatalf("%+v, want %d in tables", st, want)
	}
	a.FreeFor(Table, small, 1000)
	a.FreeFor(Table, large, 300_000)
	a.Free(r, 100)
	if st := a.Stats(); st.Tables != 0 || st.Allocated != 0 {
		t.Fatalf("%+v after all was freed", st)
	}
}

func TestRefusals(t *testing.T) {
	a := NewArena(NewHeap())
	if r := a.Alloc(MaxAlloc + 1); r != 0 {
		t.Fatalf("Alloc beyond MaxAlloc returned %#x", r)
	}
	if r := a.AllocFor(Table, MaxAlloc+1); r != 0 || a.Stats() != (Stats{}) {
		t.Fatalf("AllocFor beyond MaxAlloc returned %#x, %+v", r, a.Stats())
	}
	defer func() {
		if recover() == nil {
			t.Fatal("Alloc(-1) did not panic")
		}
	}()
	a.Alloc(-1)
}

// The numbers of the pages end at 32 GiB even if there is more memory.
func TestArenaFull(t *testing.T) {
	a := NewArena(NewHeap())
	const half = maxPages / 2
	for range 2 {
		if _, ok := a.numbers.take(half); !ok {
			t.Fatal("no room for half of the numbers")
		}
	}
	if r := a.Alloc(200 << 10); r != 0 {
		t.Fatalf("full arena returned %#x", r)
	}
	if r := a.Alloc(10); r != 0 {
		t.Fatalf("full arena returned %#x", r)
	}
	if a.active != 0 || a.heap.Stats().InUse != 0 {
		t.Fatal("refusal left pages behind")
	}
	a.numbers.give(half, 13)
	if r := a.Alloc(200 << 10); r != half<<granuleBits {
		t.Fatalf("13 free numbers in the middle not found: %#x", r)
	}
}

func TestAllocAndFreeDoNotAllocate(t *testing.T) {
	a := NewArena(NewHeap())
	for _, n := range []int{8, 60, 5000, 100_000, 500_000} {
		a.Free(a.Alloc(n), n) // tables exist from here on
		got := testing.AllocsPerRun(100, func() {
			r, r2 := a.Alloc(n), a.AllocZero(n)
			a.Bytes(r, n)[0] = *At[byte](a, r2)
			a.Free(r, n)
			a.Free(r2, n)
		})
		if got != 0 && !invariants.Enabled {
			t.Errorf("size %d: %v allocations", n, got)
		}
	}
}

// A population that shrinks under churn must give pages back: that is what taking the fullest
// span first is for.
func TestShrinkingUnderChurnFreesPages(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	a := NewArena(NewHeap())
	m := model{t: t, a: a}
	for range 100_000 {
		m.alloc(40+8*rng.IntN(8), false)
	}
	full := a.Stats().Active
	for len(m.live) > 20_000 {
		m.free(rng.IntN(len(m.live)))
	}
	sparse := a.Stats()
	for range 200_000 {
		m.free(rng.IntN(len(m.live)))
		m.alloc(40+8*rng.IntN(8), false)
	}
	m.check()
	st := a.Stats()
	t.Logf("allocated %d, held %d; after churn %d and %d", sparse.Allocated, sparse.Active, st.Allocated, st.Active)
	if st.Active > 2*st.Allocated {
		t.Fatalf("%d bytes held for %d allocated", st.Active, st.Allocated)
	}
	// What is free inside the spans serves again before a page is taken.
	for len(m.live) < 100_000 {
		m.alloc(40+8*rng.IntN(8), false)
	}
	if st := a.Stats(); st.Active > full*21/20 {
		t.Fatalf("refilled arena holds %d, before %d", st.Active, full)
	}
	m.freeAll()
	a.Trim()
	if st := a.Stats(); st != (Stats{}) {
		t.Fatalf("empty arena: %+v", st)
	}
}

// Readers without the lock may hold any Ref.
func TestPeeksNeverFault(t *testing.T) {
	h := NewHeap()
	a := NewArena(h)
	refs := make([]Ref, 1024)
	for i := range refs {
		refs[i] = a.Alloc(64 << (i % 12))
	}
	stale := append([]Ref{0, 1, 1 << 31, ^Ref(0)}, refs...)
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		sum := uint64(0)
		for {
			select {
			case <-stop:
				done <- sum
				return
			default:
			}
			var addrs [8]uintptr
			for i, r := range stale {
				addrs[i%8] = a.Addr(r)
				Prefetch1(addrs[i%8])
				Prefetch(addrs[:])
				if addrs[i%8] != 0 {
					sum += PtrAt[[8]uint64](addrs[i%8])[7] + uint64(PtrBytes(addrs[i%8], peekSlack)[peekSlack-1])
				}
			}
		}
	}()
	rng := rand.New(rand.NewPCG(9, 10))
	for step := range 50 {
		for i := range refs {
			if rng.IntN(4) > 0 {
				a.Free(refs[i], 64<<(i%12))
				refs[i] = 0
			}
		}
		h.Purge(64 << 20)
		if step%10 == 9 {
			old := a.Detach()
			clear(refs)
			for !old.ReleaseStep(64) {
			}
		}
		for i := range refs {
			if refs[i] == 0 {
				refs[i] = a.Alloc(64 << (i % 12))
			}
		}
	}
	close(stop)
	<-done
}

// FuzzArena takes two bytes for an operation: what to do, and on which block or which size.
func FuzzArena(f *testing.F) {
	f.Add([]byte("\x00\x08\x00\x40\x01\xff\x80\x00\x81\x01\xc0\x00"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		h := NewHeap()
		m := model{t: t, a: NewArena(h)}
		for ; len(ops) >= 2; ops = ops[2:] {
			op, arg := ops[0], int(ops[1])
			switch {
			case op < 0x80:
				// 20 magnitudes, up to 512 KiB and beyond
				m.alloc(arg<<(op%20)>>7+int(op>>5), op&0x40 != 0)
			case op < 0xC0 && len(m.live) > 0:
				m.free((int(op&0x3F)<<8 | arg) % len(m.live))
			case op < 0xE0:
				h.Purge(arg << pageShift)
			default:
				m.a.Trim()
			}
		}
		m.check()
		m.freeAll()
		m.a.Trim()
		if got := h.Stats().InUse; got != 0 {
			t.Fatalf("%d bytes in use at the end", got)
		}
		for h.Purge(1<<20) > 0 {
		}
	})
}
