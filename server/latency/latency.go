package latency

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// seriesLen is how many seconds of an event's history are kept.
const seriesLen = 160

// Sample is the longest time that an event took within a second.
type Sample struct {
	Time int64 // unix time, s
	MS   int64
}

// Series is the history of an event.
type Series struct {
	Event   string
	Max     int64 // ms, of all time
	Samples []Sample
}

// Monitor keeps the series of all events. Any goroutine may call its methods.
type Monitor struct {
	mu     sync.Mutex
	series map[string]*Series
}

// Add notes that an event took ms. The events are few: names of the program.
func (m *Monitor) Add(event string, unix, ms int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.series[event]
	if s == nil {
		if m.series == nil {
			m.series = map[string]*Series{}
		}
		s = &Series{Event: event}
		m.series[event] = s
	}
	s.Max = max(s.Max, ms)
	if n := len(s.Samples); n > 0 && s.Samples[n-1].Time == unix {
		s.Samples[n-1].MS = max(s.Samples[n-1].MS, ms)
		return
	}
	if len(s.Samples) == seriesLen {
		s.Samples = slices.Delete(s.Samples, 0, 1)
	}
	s.Samples = append(s.Samples, Sample{unix, ms})
}

// History returns the samples of an event, the oldest first.
func (m *Monitor) History(event string) []Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.series[event]; s != nil {
		return slices.Clone(s.Samples)
	}
	return nil
}

// All returns copies of all series, sorted by name.
func (m *Monitor) All() []Series {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Series
	for _, name := range slices.Sorted(maps.Keys(m.series)) {
		s := *m.series[name]
		s.Samples = slices.Clone(s.Samples)
		list = append(list, s)
	}
	return list
}

// Reset forgets an event, named in any case, or all if the name is empty. It returns how many there were.
func (m *Monitor) Reset(event string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.series)
	maps.DeleteFunc(m.series, func(name string, _ *Series) bool { return event == "" || strings.EqualFold(name, event) })
	return before - len(m.series)
}

// Summary is what a series' samples have in common, in ms and, for Period, seconds since the oldest.
type Summary struct {
	Samples             int
	Min, Max, Avg       int64
	MeanDeviation       int64
	Period, AllTimeHigh int64
}

// Summary sums a series up at a time.
func (s *Series) Summary(unix int64) Summary {
	sum := Summary{Samples: len(s.Samples), AllTimeHigh: s.Max}
	if sum.Samples == 0 {
		return sum
	}
	n := int64(sum.Samples)
	sum.Min = s.Samples[0].MS
	for _, x := range s.Samples {
		sum.Min, sum.Max = min(sum.Min, x.MS), max(sum.Max, x.MS)
		sum.Avg += x.MS
	}
	sum.Avg /= n
	for _, x := range s.Samples {
		sum.MeanDeviation += max(x.MS-sum.Avg, sum.Avg-x.MS)
	}
	sum.MeanDeviation /= n
	sum.Period = max(1, unix-s.Samples[0].Time)
	return sum
}
