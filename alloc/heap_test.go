package alloc

import (
	"math/rand/v2"
	"testing"
)

// heapModel knows which pages of a heap are handed out.
type heapModel struct {
	t    *testing.T
	h    *Heap
	runs []heapRun
	used map[uintptr]bool
}

type heapRun struct {
	addr uintptr
	n    int
}

func (m *heapModel) alloc(n int) {
	addr, zero := m.h.alloc(n)
	if addr == 0 || addr%PageSize != 0 {
		m.t.Fatalf("alloc(%d) = %#x", n, addr)
	}
	for k := range n {
		page := addr + uintptr(k)*PageSize
		if m.used[page] {
			m.t.Fatalf("page %#x handed out twice", page)
		}
		m.used[page] = true
		word := PtrAt[uint64](page)
		if zero && *word != 0 {
			m.t.Fatalf("page %#x was said to be zero", page)
		}
		*word = 1
	}
	m.runs = append(m.runs, heapRun{addr, n})
}

func (m *heapModel) free(i int) {
	run := m.runs[i]
	m.h.free(run.addr, run.n)
	for k := range run.n {
		delete(m.used, run.addr+uintptr(k)*PageSize)
	}
	m.runs[i] = m.runs[len(m.runs)-1]
	m.runs = m.runs[:len(m.runs)-1]
}

// check recounts everything and compares the books.
func (m *heapModel) check() {
	m.t.Helper()
	used, cold := 0, 0
	for i := range m.h.chunks {
		c := &m.h.chunks[i]
		used += c.used.count()
		cold += c.cold.count()
		if c.bin != c.properBin() {
			m.t.Fatalf("chunk %d is in bin %d, belongs in %d", i, c.bin, c.properBin())
		}
		if !c.used.and(c.cold).empty() {
			m.t.Fatalf("chunk %d has pages both used and cold", i)
		}
	}
	st := m.h.Stats()
	if used != len(m.used) || st.InUse != used*PageSize || st.Released != cold*PageSize {
		m.t.Fatalf("%+v; model %d pages used, chunks %d used %d cold", st, len(m.used), used, cold)
	}
	if st.InUse+st.Free+st.Released+st.Large != st.Mapped || st.Resident != st.Mapped-st.Released {
		m.t.Fatalf("stats do not add up: %+v", st)
	}
}

func TestHeapAgreesWithModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	m := heapModel{t: t, h: NewHeap(), used: make(map[uintptr]bool)}
	for step := range 20_000 {
		switch r := rng.IntN(100); {
		case r < 40 && len(m.used) < 10_000:
			m.alloc(1)
		case r < 48 && len(m.used) < 10_000:
			m.alloc(1 + rng.IntN(chunkPages))
		case r < 49 && len(m.used) < 10_000:
			m.alloc(1 + rng.IntN(4*chunkPages))
		case r < 52:
			m.h.Scavenge(rng.IntN(4 << 20))
		case r < 53:
			m.h.Purge(rng.IntN(4 << 20))
		case len(m.runs) > 0:
			m.free(rng.IntN(len(m.runs)))
		}
		if step%100 == 0 {
			m.check()
		}
	}
	for len(m.runs) > 0 {
		m.free(0)
	}
	m.check()
	for m.h.Purge(8<<20) > 0 {
	}
	if st := m.h.Stats(); st.Resident != 0 {
		t.Fatalf("purged heap still holds memory: %+v", st)
	}
}

func TestFreedSpaceIsUsedAgain(t *testing.T) {
	h := NewHeap()
	for range 100 {
		addr, _ := h.alloc(5*chunkPages + 1)
		small, _ := h.alloc(1)
		h.free(addr, 5*chunkPages+1)
		h.free(small, 1)
	}
	if mapped := h.Stats().Mapped; mapped > 16<<20 {
		t.Fatalf("%d bytes mapped for one run of 10 MiB at a time", mapped)
	}
}

func TestScavengeKeepsReserveAndBounds(t *testing.T) {
	h := NewHeap()
	addr, _ := h.alloc(32 * chunkPages)
	h.free(addr, 32*chunkPages)
	if n := h.Scavenge(3 << 20); n != 3<<20 {
		t.Fatalf("first step released %d", n)
	}
	for h.Scavenge(3<<20) > 0 {
	}
	if st := h.Stats(); st.Free != minReservePages*PageSize {
		t.Fatalf("reserve is %d", st.Free)
	}
}

// While a heap grows, what Prefault brings in is not given back before it is used.
func TestScavengeLeavesWhatPrefaultBringsIn(t *testing.T) {
	h := NewHeap()
	h.alloc(2 * hugeFloorBytes / PageSize)
	for h.freePages() > 0 {
		h.alloc(1)
	}
	for range 20 * chunkPages {
		h.alloc(1)
		for h.Prefault() {
		}
		if n := h.Scavenge(1 << 20); n > 0 {
			t.Fatalf("%d bytes given back: %+v", n, h.Stats())
		}
	}
}

func TestPrefault(t *testing.T) {
	h := NewHeap()
	h.alloc(1)
	if h.Prefault() {
		t.Fatal("prefaulted for a small heap")
	}
	h.alloc(hugeFloorBytes / PageSize)
	for range 10 {
		for h.freePages() >= chunkPages/2 {
			if len(h.PrefaultDue()) != 0 {
				t.Fatal("due too early")
			}
			h.alloc(1)
		}
		select {
		case <-h.PrefaultDue():
		default:
			t.Fatal("not due")
		}
		// The first chunks may be left over from before the heap grew large.
		if head := h.bins.heads[coldBin]; head != 0 && !h.chunks[head-1].huge {
			h.alloc(chunkPages)
			continue
		}
		if !h.Prefault() || h.Prefault() || h.freePages() < chunkPages {
			t.Fatalf("want one chunk ahead: %+v", h.Stats())
		}
		inUse := h.Stats().InUse
		if released := h.Scavenge(1 << 20); released > 1<<20 || h.Stats().InUse != inUse {
			t.Fatalf("scavenged %d", released)
		}
	}
}

func TestLarge(t *testing.T) {
	h := NewHeap()
	l, err := h.MapLarge(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	copy(l.Bytes(5), "hello")
	if err := l.Grow(h, 50<<20); err != nil {
		t.Fatal(err)
	}
	b := l.Bytes(50 << 20)
	if string(b[:5]) != "hello" || b[len(b)-1] != 0 {
		t.Fatal("contents changed by Grow")
	}
	b[len(b)-1] = 1
	if st := h.Stats(); st.Large != l.Cap() || st.Mapped != l.Cap() || l.Cap() < 50<<20 {
		t.Fatalf("%+v for a mapping of %d", st, l.Cap())
	}
	steps := 0
	for !l.ReleaseStep(h, 3<<20) {
		steps++
	}
	if st := h.Stats(); st.Large != 0 || steps != 16 || !l.ReleaseStep(h, 1) {
		t.Fatalf("%+v after %d steps", st, steps)
	}
	if _, err := h.MapLarge(1 << 60); err == nil {
		t.Fatal("mapped an exabyte")
	}
}

func TestPageSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		s := pageSet{rng.Uint64() | rng.Uint64(), rng.Uint64() | rng.Uint64()}
		if rng.IntN(4) == 0 {
			s = pageRange(0, chunkPages).andNot(pageRange(rng.IntN(chunkPages), 1))
		}
		var bit [chunkPages]bool
		count := 0
		for i := range bit {
			bit[i] = !s.and(pageRange(i, 1)).empty()
			if bit[i] {
				count++
			}
		}
		longest, run := 0, 0
		starts := map[int]int{} // run length to its lowest start
		for i := range bit {
			if !bit[i] {
				run = 0
				continue
			}
			if run++; run > longest {
				longest = run
			}
			if _, ok := starts[run]; !ok {
				starts[run] = i - run + 1
			}
		}
		if s.count() != count || s.longestRun() != longest {
			t.Fatalf("%x: count %d longest %d, want %d %d", s, s.count(), s.longestRun(), count, longest)
		}
		for n := 1; n <= longest; n++ {
			if got := s.findRun(n); got != starts[n] {
				t.Fatalf("%x: run of %d at %d, want %d", s, n, got, starts[n])
			}
		}
		if longest < chunkPages && s.findRun(longest+1) != chunkPages {
			t.Fatalf("%x: found a run of %d", s, longest+1)
		}
		if n := rng.IntN(chunkPages); s.lowest(n).count() != min(n, count) {
			t.Fatalf("%x: lowest(%d) has %d", s, n, s.lowest(n).count())
		}
	}
}

// A heap at rest gives back its reserve, and a chunk that was broken up for that is a huge page again once all of it is in use.
func TestScavengeAll(t *testing.T) {
	h := NewHeap()
	a := NewArena(h)
	var refs []Ref
	for h.InUse() < 2*hugeFloorBytes {
		refs = append(refs, a.Alloc(PageSize))
	}
	for h.Prefault() {
	}
	for h.Scavenge(1<<30) > 0 {
	}
	for h.ScavengeAll(1<<30) > 0 {
	}
	if st := h.Stats(); st.Free >= minBreakPages*PageSize {
		t.Errorf("%d bytes are free at rest", st.Free)
	}
	broken := func() (n int) {
		for i := range h.chunks {
			if h.chunks[i].broken {
				n++
			}
		}
		return n
	}
	for h.coldPages > 0 && len(h.chunks) < 64 {
		refs = append(refs, a.Alloc(PageSize))
		if h.chunks[len(h.chunks)-1].used == allPages {
			break
		}
	}
	if n := broken(); n != 0 {
		t.Errorf("%d chunks in use are broken", n)
	}
	for _, r := range refs {
		a.Free(r, PageSize)
	}
	a.Trim()
	if h.InUse() != 0 {
		t.Errorf("%d bytes in use at the end", h.InUse())
	}
}

// Empty spans are kept, one of each length, and serve any class.
func TestSpareSpans(t *testing.T) {
	h := NewHeap()
	a := NewArena(h)
	for n := 16; n <= 4096; n *= 2 {
		a.Free(a.Alloc(n), n)
	}
	if got := h.InUse(); got > (1+2)*PageSize {
		t.Errorf("%d bytes held for nothing", got)
	}
	a.Trim()
	if got := h.InUse(); got != 0 {
		t.Errorf("%d bytes after Trim", got)
	}
}
