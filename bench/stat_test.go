package bench

import (
	"math"
	"testing"
)

func TestStat(t *testing.T) {
	f := func(values []float64, want Stat) {
		t.Helper()
		if got := summary(values); got != want {
			t.Errorf("%v: %+v, want %+v", values, got, want)
		}
	}
	f(nil, Stat{})
	f([]float64{3}, Stat{3, 3, 3})
	f([]float64{9, 1, 5}, Stat{5, 1, 9})
	f([]float64{4, 1, 9, 2}, Stat{3, 1, 9})
}

// TestRatioIsOfPairs: a machine that becomes slower for everybody leaves the ratio as it is.
func TestRatioIsOfPairs(t *testing.T) {
	o := &Outcome{}
	for _, slowness := range []float64{1, 1, 4, 10, 2} {
		o.A = append(o.A, Sample{CPUMicros: 3 * slowness})
		o.B = append(o.B, Sample{CPUMicros: 1.5 * slowness})
	}
	got := o.Ratio(cpuMicros)
	for _, v := range []float64{got.Median, got.Min, got.Max} {
		if math.Abs(v-2) > 1e-9 {
			t.Errorf("ratio %+v, want 2", got)
		}
	}
}

func TestFindScenarios(t *testing.T) {
	f := func(list string, want int) {
		t.Helper()
		got, err := FindScenarios(list)
		if len(got) != want || (err != nil) != (want == 0) {
			t.Errorf("%s: %d scenarios, %v", list, len(got), err)
		}
	}
	f("get-p1", 1)
	f("get-p1,set-p16", 2)
	f("get-p*", 3)
	f("nope", 0)
	f("get-p1,nope*", 0)
	f("[", 0)
}

// TestGoalsName checks that each contest is made of scenarios that exist, and that names are unique.
func TestGoalsName(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Contests {
		if seen[c.Name] {
			t.Errorf("two contests are named %s", c.Name)
		}
		seen[c.Name] = true
		for _, goal := range c.Goals {
			found, err := FindScenarios(goal.Scenario)
			if err != nil || len(found) != 1 {
				t.Errorf("%s: %v", c.Name, err)
			}
			if c.Latency != (err == nil && found[0].Rate > 0) {
				t.Errorf("%s: %s has a rate of %v", c.Name, goal.Scenario, found[0].Rate)
			}
		}
	}
	for _, s := range Scenarios {
		if seen[s.Name] {
			t.Errorf("two scenarios are named %s", s.Name)
		}
		seen[s.Name] = true
	}
}
