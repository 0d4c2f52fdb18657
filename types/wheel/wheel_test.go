package wheel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
)

// model knows when each record is due; the wheel must give it back in time, and may do so earlier.
type model struct {
	t     testing.TB
	w     *Wheel
	arena *alloc.Arena
	nowMS int64
	due   map[uint32]int64
	next  uint32
	back  int // records that came back

	calls, checkEvery int // of advance
}

func newModel(t testing.TB, nowMS int64) *model {
	m := &model{t: t, w: new(Wheel), arena: alloc.NewArena(alloc.NewHeap()), nowMS: nowMS, due: map[uint32]int64{}, checkEvery: 1}
	m.w.Init(m.arena, nowMS)
	return m
}

func (m *model) add(dueMS int64) {
	m.next++
	m.put(dueMS, m.next)
}

func (m *model) put(dueMS int64, rec uint32) {
	back, ok := m.w.Add(dueMS, rec)
	if !ok {
		m.t.Fatal("no memory")
	}
	// Up to a tick late; never before it was added.
	if latest := max(dueMS, m.nowMS) + 2<<tickShift; back > latest || back <= m.nowMS-1<<tickShift {
		m.t.Fatalf("now %d: a record due at %d comes back at %d", m.nowMS, dueMS, back)
	}
	if next := m.w.NextMS(); next > back {
		m.t.Fatalf("NextMS() = %d after Add said %d", next, back)
	}
	m.due[rec] = max(dueMS, m.nowMS)
}

// advance moves to nowMS in calls of at most limit records.
func (m *model) advance(nowMS int64, limit int) {
	m.nowMS = nowMS
	for {
		n := m.w.Advance(nowMS, limit, func(rec uint32) {
			dueMS, ok := m.due[rec]
			if !ok {
				m.t.Fatalf("record %d came back twice", rec)
			}
			delete(m.due, rec)
			m.back++
			if dueMS > nowMS {
				m.put(dueMS, rec)
			}
		})
		if n > limit {
			m.t.Fatalf("gave back %d of %d", n, limit)
		}
		if n < limit {
			break
		}
	}
	if m.calls++; m.calls%m.checkEvery == 0 {
		m.check()
	}
}

func (m *model) check() {
	m.t.Helper()
	if m.w.Len() != len(m.due) {
		m.t.Fatalf("Len() = %d, want %d", m.w.Len(), len(m.due))
	}
	next := int64(math.MaxInt64)
	for rec, dueMS := range m.due {
		if dueMS < m.nowMS-2<<tickShift {
			m.t.Fatalf("now %d: record %d, due at %d, has not come back", m.nowMS, rec, dueMS)
		}
	}
	seen := 0
	m.w.Each(func(backMS int64, rec uint32) {
		seen++
		dueMS, ok := m.due[rec]
		if !ok || backMS > max(dueMS, m.nowMS)+2<<tickShift {
			m.t.Fatalf("record %d (known: %v) due at %d comes back at %d", rec, ok, dueMS, backMS)
		}
		next = min(next, backMS)
	})
	if got := m.w.NextMS(); seen != len(m.due) || got != next {
		m.t.Fatalf("%d of %d records, NextMS() = %d, want %d", seen, len(m.due), got, next)
	}
}

func TestRandomTimesAgreeWithModel(t *testing.T) {
	for _, start := range []int64{0, 1, 1_700_000_000_000, 1<<42 - 5000, 1<<50 + 12345, math.MaxInt64 / 4} {
		t.Run(fmt.Sprint("start=", start), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(start), 1))
			m := newModel(t, start)
			m.checkEvery = 25
			span := func() int64 { return rng.Int64N(1 << rng.IntN(47)) }
			for range 1000 {
				for range rng.IntN(20) {
					m.add(m.nowMS + span() - 10)
				}
				m.advance(m.nowMS+rng.Int64N(1<<rng.IntN(16)), 1+rng.IntN(100))
			}
			for range 200 { // leap until all have come back
				m.advance(m.nowMS+span(), 1000)
			}
			for end := m.nowMS + 1<<47; m.nowMS < end && m.w.Len() > 0; {
				m.advance(m.w.NextMS(), 1000)
			}
			if m.w.Len() != 0 || m.w.NextMS() != math.MaxInt64 {
				t.Fatalf("%d records never came back", m.w.Len())
			}
			if !m.w.Clear(10) || m.arena.Stats().Allocated != 0 {
				t.Fatalf("an empty wheel keeps %d bytes", m.arena.Stats().Allocated)
			}
		})
	}
}

func TestEachSlotOfEachLevel(t *testing.T) {
	const start = 1_700_000_000_000
	for n := range levels {
		m := newModel(t, start)
		m.checkEvery = 10
		for i := range int64(slots) {
			m.add(start + i<<(8*n+tickShift))
		}
		for m.w.Len() > 0 {
			m.advance(m.w.NextMS(), 100)
		}
		if m.back > slots*(n+1)+levels*2 {
			t.Errorf("level %d: %d records were handled %d times", n, slots, m.back)
		}
	}
}

// A record due at once comes back in the tick that follows.
func TestOverdueComesBackNext(t *testing.T) {
	m := newModel(t, 1_000_000)
	m.add(0)
	m.add(1_000_000)
	m.advance(1_000_000, 10)
	m.advance(1_000_004, 10)
	if m.back != 2 {
		t.Fatalf("%d of 2 came back", m.back)
	}
}

func TestTimeMayStandStillOrGoBack(t *testing.T) {
	m := newModel(t, 1_000_000)
	m.add(1_000_100)
	m.w.Advance(500_000, 10, func(uint32) { t.Fatal("too early") })
	m.add(1_000_050)
	m.advance(1_000_200, 10)
	if m.back != 2 {
		t.Fatalf("%d of 2 came back", m.back)
	}
}

func TestAnEmptyWheelSkipsTime(t *testing.T) {
	m := newModel(t, 0)
	m.advance(1_700_000_000_000, 1)
	m.add(1_700_000_000_100)
	if back := m.w.NextMS(); back != 1_700_000_000_104 {
		t.Fatalf("comes back at %d", back)
	}
}

func TestClearIsBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := newModel(t, 1_700_000_000_000)
	for range 50_000 {
		m.add(m.nowMS + rng.Int64N(1<<rng.IntN(45)))
	}
	m.nowMS += 60_000
	m.w.Advance(m.nowMS, 1, func(rec uint32) { delete(m.due, rec) }) // leaves due ones behind
	objects := m.arena.CountObjects()
	for steps := 0; !m.w.Clear(10); steps++ {
		left := m.arena.CountObjects()
		if objects-left > 10+levels || objects == left {
			t.Fatalf("one step freed %d chunks", objects-left)
		}
		objects = left
		n := 0
		m.w.Each(func(int64, uint32) { n++ })
		if n != m.w.Len() {
			t.Fatalf("%d records, Len() = %d", n, m.w.Len())
		}
	}
	if m.w.Len() != 0 || m.arena.Stats().Allocated != 0 {
		t.Fatalf("%d records and %d bytes left", m.w.Len(), m.arena.Stats().Allocated)
	}
}

func TestMemoryPerRecord(t *testing.T) {
	m := newModel(t, 1_700_000_000_000)
	const n = 100_000
	for i := range int64(n) {
		m.add(m.nowMS + 60_000*i/n)
	}
	if per := float64(m.arena.Stats().Allocated) / n; per > 5.5 {
		t.Fatalf("%.1f bytes a record", per)
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	m := newModel(t, 1_700_000_000_000)
	back := func(uint32) {}
	if n := testing.AllocsPerRun(1000, func() {
		m.nowMS += 3
		m.w.Add(m.nowMS+5000, 1)
		m.w.Advance(m.nowMS, 10, back)
	}); n != 0 && !invariants.Enabled {
		t.Fatalf("%v allocations", n)
	}
}

func FuzzWheel(f *testing.F) {
	f.Add([]byte{1, 2, 3, 100, 200, 255, 0, 0, 17}, int64(1_700_000_000_000))
	f.Add([]byte("advance and add"), int64(0))
	f.Fuzz(func(t *testing.T, ops []byte, start int64) {
		m := newModel(t, start&math.MaxInt64/4)
		for i, op := range ops[:min(len(ops), 500)] {
			amount := int64(i+1) << (op & 63 % 44)
			if op >= 128 {
				m.advance(m.nowMS+amount, i+1)
			} else {
				m.add(m.nowMS + amount - 1)
			}
		}
	})
}

func BenchmarkWheelAdd(b *testing.B) {
	for _, ahead := range []int64{1000, 60_000, 86_400_000} {
		b.Run(fmt.Sprintf("aheadMS=%d", ahead), func(b *testing.B) {
			m := newModel(b, 1_700_000_000_000)
			back := func(uint32) {}
			b.ReportAllocs()
			for i := int64(0); b.Loop(); i++ {
				m.w.Add(m.nowMS+i*7919%ahead, uint32(i))
				if i%1000 == 0 {
					m.nowMS += 4
					m.w.Advance(m.nowMS, math.MaxInt, back)
				}
			}
		})
	}
}

// BenchmarkWheelCycle measures the whole life of a record that is due within a minute.
func BenchmarkWheelCycle(b *testing.B) {
	m := newModel(b, 1_700_000_000_000)
	due := make([]int64, 1_000_000)
	for i := range due {
		due[i] = m.nowMS + 60_000*int64(i)/int64(len(due))
		m.w.Add(due[i], uint32(i))
	}
	b.ReportAllocs()
	for left := b.N; left > 0; {
		m.nowMS += 4
		left -= 1 + m.w.Advance(m.nowMS, math.MaxInt, func(rec uint32) {
			if due[rec] <= m.nowMS {
				due[rec] += 60_000
			}
			m.w.Add(due[rec], rec)
		})
	}
}
