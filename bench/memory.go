package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// MemoryResult is what one server took for one case.
type MemoryResult struct {
	Label       string  `json:"label"`
	RSS         int64   `json:"rss_bytes"`
	PerKey      float64 `json:"bytes_per_key"`     // RSS over keys
	WorstPerKey float64 `json:"worst_per_key"`     // while loading, from steadyKeys on
	UsedMemory  string  `json:"used_memory"`       // as INFO says
	Fragments   string  `json:"mem_fragmentation"` // as INFO says
}

// steadyKeys is the number of keys from which memory per key is looked at while it grows: before, what an empty
// server takes would count.
const steadyKeys = 1_000_000

// sampleEvery is the time between two looks at the memory of a server that is being loaded.
const sampleEvery = 10 * time.Millisecond

// measureMemory starts a server, fills it and reads its memory.
func measureMemory(ctx context.Context, plan Plan, c Contender, m MemoryCase) (*MemoryResult, error) {
	s, err := Start(ctx, c)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	r := &MemoryResult{Label: c.Label}
	if m.Keys > 0 {
		o := load.Options{Address: s.Address, Conns: 10, Threads: plan.Threads, CPUs: plan.ClientCPUs}
		o.ProgressEvery = sampleEvery
		o.Progress = func(p load.Progress) {
			if rss, err := s.RSS(); err == nil && p.Done >= steadyKeys {
				r.WorstPerKey = max(r.WorstPerKey, float64(rss)/float64(p.Done))
			}
		}
		if _, err := fill(ctx, o, m.Keys, 32, m.ExpireSec); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Label, err)
		}
	}
	if r.RSS, err = s.RSS(); err != nil {
		return nil, err
	}
	r.PerKey = float64(r.RSS) / float64(max(m.Keys, 1))
	info := s.Info("used_memory", "mem_fragmentation_ratio")
	r.UsedMemory, r.Fragments = info["used_memory"], info["mem_fragmentation_ratio"]
	return r, nil
}

// GrowthResult is how loading went: one connection, batches of growthBatchSize, as fast as it goes.
type GrowthResult struct {
	Label      string    `json:"label"`
	WorstMS    []float64 `json:"worst_batch_ms"` // of each run
	P999MS     []float64 `json:"p99_9_batch_ms"`
	Throughput []float64 `json:"ops_per_s"`
	Foreign    []float64 `json:"foreign_cores"` // that other processes kept busy meanwhile
	// GCTrace is the last line that Go's collector wrote with all keys in place; empty for servers not in Go.
	GCTrace string `json:"gc_trace,omitempty"`
}

func measureGrowth(ctx context.Context, plan Plan, c Contender, r *GrowthResult) error {
	c.Env = append(slices.Clone(c.Env), "GODEBUG=gctrace=1")
	s, err := Start(ctx, c)
	if err != nil {
		return err
	}
	defer s.Stop()
	o := load.Options{Address: s.Address, Conns: 1, CPUs: plan.ClientCPUs}
	before := readMachineTime(os.Getpid(), s.PID)
	result, err := fill(ctx, o, growthKeys, 32, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Label, err)
	}
	r.Foreign = append(r.Foreign, readMachineTime(os.Getpid(), s.PID).foreignSince(before))
	r.WorstMS = append(r.WorstMS, millis(result.Percentile(100)))
	r.P999MS = append(r.P999MS, millis(result.Percentile(99.9)))
	r.Throughput = append(r.Throughput, result.Throughput())
	if _, err := s.Do("MEMORY", "PURGE"); err != nil && !strings.HasPrefix(err.Error(), "ERR") {
		return err
	}
	s.Stop() // ends the log
	for line := range strings.Lines(s.log.String()) {
		if strings.HasPrefix(line, "gc ") && strings.Contains(line, "ms clock") {
			r.GCTrace = strings.TrimSpace(line)
		}
	}
	return ctx.Err()
}

// verdict tells what was asked of Shoal in a case, and whether it was met.
func (m *MemoryCase) verdict(shoal, redis *MemoryResult) (goal string, met bool) {
	switch {
	case m.PerKey > 0:
		growing := m.PerKey * growthExcess
		return fmt.Sprintf("%.0f B, %.1f B growing", m.PerKey, growing), shoal.PerKey <= m.PerKey && shoal.WorstPerKey <= growing
	case m.Total > 0:
		return fmt.Sprintf("%.0f MB", m.Total/(1<<20)), float64(shoal.RSS) <= m.Total
	}
	return "no more than redis-server", shoal.RSS <= redis.RSS
}
