package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// invented makes results in which Shoal meets every goal for GET and misses every one for SET, and one scenario could
// not be measured.
func invented() *Results {
	r := &Results{
		Machine: Machine{Date: "2001-02-03", CPU: "a <CPU> & more", Cores: 2, Kernel: "Linux 6"}, Versions: map[string]string{"redis-server": "v7"},
		Commands: map[string]string{"Shoal": "shoal-server"}, Contests: map[string][]*Outcome{}, Memory: map[string]*MemoryPair{},
		Growth: map[string]*GrowthResult{"Shoal": {WorstMS: []float64{2, 4, 3}, GCTrace: "gc 7 @1s"}, "redis-server": {WorstMS: []float64{50}}},
	}
	for _, c := range Contests {
		for _, goal := range c.Goals {
			o := &Outcome{Scenario: goal.Scenario}
			ratio := goal.Ratio * 1.1
			if strings.HasPrefix(goal.Scenario, "set") {
				ratio = goal.Ratio * 0.9
			}
			for _, noise := range []float64{1, 1.1, 0.9} {
				o.A = append(o.A, Sample{CPUMicros: 5 * ratio * noise, Throughput: 1234567 * noise, Busy: 1, P50: 0.1 * ratio, P99: ratio, P999: 20 * ratio})
				o.B = append(o.B, Sample{CPUMicros: 5 * noise, Throughput: 2345678 * noise, Busy: 0.5, ClientBusy: 1, P50: 0.1, P99: 1, P999: 20})
			}
			if goal.Scenario == "incr-p16" {
				o = &Outcome{Scenario: goal.Scenario, Err: "Shoal: ERR unknown command"}
			}
			r.Contests[c.Name] = append(r.Contests[c.Name], o)
		}
	}
	r.Collections = map[string]*CollectionPair{
		"hashes": {Redis: &CollectionResult{Growth: 300 << 20}, Shoal: &CollectionResult{Growth: 240 << 20}},
		"hash":   {Redis: &CollectionResult{Growth: 300 << 20}, Shoal: &CollectionResult{Growth: 240 << 20}},
		"stream": {Redis: &CollectionResult{Growth: 300 << 20}, Shoal: &CollectionResult{Err: "ERR unknown command"}},
	}
	second := []TaskRun{{Sec: 1, CPUSec: 0.9, Foreign: 0.02}}
	two := []TaskRun{{Sec: 2, CPUSec: 1.8}}
	r.Persistence = &Persistence{
		Tasks: map[string]*TaskPair{"save 5M": {Redis: two, Shoal: second}, "load mix": {Redis: second, Shoal: second}},
		Beside: map[string][]BesideRun{"redis-server": {{Without: Sample{P999: 3}, With: Sample{P999: 21, Max: 40}, Sec: 5, Growth: 0.6}},
			"Shoal": {{Without: Sample{P999: 3}, With: Sample{P999: 5.1, Max: 11}, Sec: 4, Growth: 0.04}}},
	}
	for _, m := range MemoryCases {
		r.Memory[m.Name] = &MemoryPair{
			Redis: &MemoryResult{RSS: m.Keys*150 + 10<<20, PerKey: 152, WorstPerKey: 170},
			Shoal: &MemoryResult{RSS: m.Keys*70 + 11<<20, PerKey: 71, WorstPerKey: 99},
		}
	}
	return r
}

func TestMarkdown(t *testing.T) {
	text := markdown(invented(), map[string]string{"cpu": "docs/bench/cpu.svg"})
	for _, want := range []string{
		"| CPU | a <CPU> & more, 2 cores |",
		"![cpu](docs/bench/cpu.svg)",
		"| GET, P=16 | 14.850 | 5.000 | 2.97 | 2.97–2.97 | 2.7 | met | 1,234,567 | 2,345,678* | 0 % |",
		"| SET, P=16 | 12.150 | 5.000 | 2.43 | 2.43–2.43 | 2.7 | **missed** |",
		"| INCR, P=16 | Shoal: ERR unknown command |",
		"| GET, P=1, 50000/s | p99 | 1.100 | 1.000 | 1.10 | met |",
		"| idle, empty | 10.0 MB | 11.0 MB |  |  |  |  | 20 MB | met |",
		"| 5 million keys | 725.3 MB | 344.8 MB | 152.0 | 71.0 | 170.0 | 99.0 | 72 B, 82.8 B growing | **missed** |",
		"| Shoal | 3.00 | 2.00–4.00 |",
		"| LPUSH, P=16 | 9.900 | 5.000 | 1.98 |",
		"| 1 million hashes of 10 fields (8 B, 16 B) | 300.0 MB | 240.0 MB | 80 % | 100 % | met |",
		"| a hash of 5 million fields (16 B, 16 B) | 300.0 MB | 240.0 MB | 80 % | 70 % | **missed** |",
		"| a stream of 5 million entries of 3 fields | 300.0 MB | ERR unknown command |  | 100 % |  |",
		"    gc 7 @1s",
		"| BGSAVE, 5 million keys (16 B, 32 B) | 2.00 | 1.00 | 50 % | 100 % | met | 1.80 | 0.90 | 50 % | met | 2 % |",
		"| load of the RDB file, a tenth of each of the collections below | 1.00 | 1.00 | 100 % | 60 % | **missed** | 0.90 | 0.90 | 100 % |  | 2 % |",
		"| redis-server | with | 0.000 | 0.000 | 21.00 | 40.00 | 7.00 |  | 40.00–40.00 |  | +60.0 % |  | 5.0 | 0 % |",
		"| Shoal | with | 0.000 | 0.000 | 5.10 | 11.00 | 1.70 | met | 11.00–11.00 | **missed** | +4.0 % | met | 4.0 | 0 % |",
		"| GET, P=1, 5000/s, beside SET of 50 others | p99 | 2.200 | 1.000 | 2.20 | met |",
		"| SET, P=1, 500 connections |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestMarkdownOfNothing(t *testing.T) {
	if text := markdown(&Results{}, nil); strings.Contains(text, "##") || strings.Contains(text, "NaN") {
		t.Error(text)
	}
	if c := charts(&Results{}); len(c) != 0 {
		t.Errorf("%d charts of nothing", len(c))
	}
}

// TestWrite checks that all plots are well-formed XML and lie where the text points to.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "BENCHMARKS.md")
	if err := write(invented(), text, filepath.Join(dir, "docs", "bench")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cpu", "throughput", "single", "gnet", "latency", "memory"} {
		path := "docs/bench/" + name + ".svg"
		if !strings.Contains(string(b), "("+path+")") {
			t.Errorf("the report does not show %s", path)
		}
		f, err := os.Open(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for d := xml.NewDecoder(f); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
	}
}

func TestSVGNumbers(t *testing.T) {
	for v, want := range map[float64]float64{0: 1, 0.03: 0.05, 1: 1, 1.01: 2, 4.2: 5, 51: 100, 2e6: 2e6} {
		if got := niceStep(v); got != want {
			t.Errorf("niceStep(%v) = %v, want %v", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.0234: "0.023", 0.456: "0.46", 5.2: "5.20", 14.25: "14.2", 150: "150", 65_432: "65k", 2.34e6: "2.3M"} {
		if got := barLabel(v); got != want {
			t.Errorf("barLabel(%v) = %q, want %q", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.05: "0.05", 0.30000000000000004: "0.3", 5000: "5000", 20_000: "20k", 1.5e6: "1.5M"} {
		if got := axisLabel(v); got != want {
			t.Errorf("axisLabel(%v) = %q, want %q", v, got, want)
		}
	}
	if got := thousands(1234567.8); got != "1,234,568" {
		t.Errorf("thousands: %q", got)
	}
}
