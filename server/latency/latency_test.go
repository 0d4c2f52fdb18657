package latency

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMonitor(t *testing.T) {
	var m Monitor
	m.Add("command", 100, 5)
	m.Add("command", 100, 9)
	m.Add("command", 100, 7)
	m.Add("command", 102, 3)
	m.Add("fork", 103, 1)
	if got := m.History("command"); !slices.Equal(got, []Sample{{100, 9}, {102, 3}}) {
		t.Error(got)
	}
	all := m.All()
	if len(all) != 2 || all[0].Event != "command" || all[0].Max != 9 {
		t.Error(all)
	}
	want := Summary{Samples: 2, Min: 3, Max: 9, Avg: 6, MeanDeviation: 3, Period: 10, AllTimeHigh: 9}
	if got := all[0].Summary(110); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i := range int64(1000) {
		m.Add("command", 200+i, i)
	}
	if got := m.History("command"); len(got) != seriesLen || got[0] != (Sample{1040, 840}) {
		t.Error(len(got), got[0])
	}
	if n := m.Reset("COMMAND"); n != 1 || m.History("command") != nil {
		t.Error(n)
	}
	if n := m.Reset(""); n != 1 || len(m.All()) != 0 {
		t.Error(n)
	}
	if m.History("nosuch") != nil || (&Series{}).Summary(1) != (Summary{}) {
		t.Error("something of nothing")
	}
}

// A percentile is never below the true one, nor more than an eighth above.
func TestPercentiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var all []int64
	for range 10000 {
		n := int64(8) + rng.Int64N(int64(1)<<(3+rng.IntN(35)))
		all = append(all, n)
		h.Add(n, 1)
	}
	slices.Sort(all)
	var c Counts
	h.AddTo(&c)
	for _, p := range []float64{1, 50, 90, 99, 99.9, 100} {
		exact := all[int(p/100*float64(len(all)))-1]
		if got := c.Percentile(p); got < exact || float64(got) > 1.13*float64(exact)+8 {
			t.Errorf("p%v: %d, exactly %d", p, got, exact)
		}
	}
	h.Reset()
	c = Counts{}
	h.AddTo(&c)
	if c.Total() != 0 || c.Percentile(50) != 0 || c.PowersOfTwo() != nil {
		t.Error("not empty")
	}
}

func TestPowersOfTwo(t *testing.T) {
	var h Histogram
	h.Add(0, 3)
	h.Add(900, 2)
	h.Add(3000, 5)
	h.Add(1<<50, 1)
	var c Counts
	h.AddTo(&c)
	got := c.PowersOfTwo()
	if len(got) != 3 || got[0] != (Cumulative{1, 5}) || got[1] != (Cumulative{4, 10}) || got[2].Count != 11 {
		t.Error(got)
	}
}

func BenchmarkAdd(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Add(1234, 1)
	}
}
