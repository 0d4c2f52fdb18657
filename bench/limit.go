package bench

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// limitFlags say what "shoal-bench limit" measures.
type limitFlags struct {
	planFlags
	shoal, redis, policies string
	valueBytes             int
	pipeline               int

	plan Plan
	cpus []int // of the servers
}

// limit writes three times as many keys as there is room for, and prints how a server does at its limit.
func limit(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o limitFlags
	f := newFlagSet("limit", "limit [OPTIONS]: memory, throughput and latency when three times as many keys are written as there is room for", stderr)
	o.register(f)
	f.StringVar(&o.shoal, "shoal", "bin/shoal-server", "command of the server")
	f.StringVar(&o.redis, "redis", "redis-server", "command of the server to compare with (\"\": none)")
	f.StringVar(&o.policies, "policies", "", "of shoal-server, separated by commas (default: all but noeviction)")
	f.IntVar(&o.valueBytes, "d", 32, "bytes of a value")
	f.IntVar(&o.pipeline, "P", 16, "SETs sent together")
	if err := f.Parse(args); err != nil {
		return err
	}
	plan, cpus, err := o.finish()
	if err != nil {
		return err
	}
	o.plan, o.cpus = plan, cpus
	fmt.Fprintf(stdout, "%d keys into room for %d, values of %d bytes, P=%d; then SET at half of the capacity with P=1\n", 3*plan.Keys, plan.Keys, o.valueBytes, o.pipeline)
	for _, c := range o.contestants() {
		r, err := o.atLimit(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		r.print(stdout)
	}
	return nil
}

func (o *limitFlags) contestants() (list []contestant) {
	policies := cachePolicies[1:]
	if o.policies != "" {
		policies = strings.Split(o.policies, ",")
	}
	for _, p := range policies {
		if o.redis != "" && strings.Count(p, "-") == 1 && !strings.HasSuffix(p, "fifo") && !strings.HasSuffix(p, "sieve") && !strings.HasSuffix(p, "tinylfu") {
			list = append(list, contestant{"redis", p, o.redis})
		}
		list = append(list, contestant{"shoal", p, o.shoal})
	}
	return list
}

// LimitResult is what one server did.
type LimitResult struct {
	Program string `json:"program"`
	Policy  string `json:"policy"`
	Limit   int64  `json:"maxmemory"`
	Peak    int64  `json:"peak"` // of used_memory, bytes
	Keys    int64  `json:"keys"` // at the end

	// SETs a second, and CPU time of the server for each.
	Below    float64 `json:"below_ops_per_s"`
	At       float64 `json:"ops_per_s"`
	CPUBelow float64 `json:"below_cpu_us"`
	CPUAt    float64 `json:"cpu_us"`

	// Open loop at half of the capacity below the limit and at it, percentiles of each run.
	LatencyBelow []LimitLatency `json:"below_latency"`
	LatencyAt    []LimitLatency `json:"latency"`

	// What commands waited for eviction, µs: the longest but for one in a thousand, and the longest. Of Shoal only.
	WaitP999 int64 `json:"wait_p99_9_us"`
	WaitMax  int64 `json:"wait_max_us"`
}

// LimitLatency is what clients saw in a run, ms.
type LimitLatency struct {
	Rate float64 `json:"ops_per_s"`
	P50  float64 `json:"p50_ms"`
	P999 float64 `json:"p99_9_ms"`
}

func medianP999(runs []LimitLatency) float64 {
	return stat(runs, func(l LimitLatency) float64 { return l.P999 }).Median
}

// Goals for a server at its limit.
const (
	limitEfficiency  = 0.6 // of what it does below
	limitOvershoot   = 0.01
	limitLatencyMS   = 2 // p99.9
	limitWaitMicros  = 50
	limitWaitGrain   = 1.125 // of the histogram
	limitWatchMillis = 20
)

func (r *LimitResult) name() string        { return r.Program + " " + r.Policy }
func (r *LimitResult) efficiency() float64 { return r.CPUBelow / r.CPUAt }
func (r *LimitResult) overshoot() float64  { return float64(r.Peak)/float64(r.Limit) - 1 }

func (r *LimitResult) print(out io.Writer) {
	fmt.Fprintf(out, "%-24s maxmemory %.1f MB, highest used %+.2f %%; SET %.0f/s below, %.0f/s at the limit (%.2f); CPU %.2f and %.2f µs (%.2f)",
		r.name(), float64(r.Limit)/(1<<20), 100*r.overshoot(), r.Below, r.At, r.At/r.Below, r.CPUBelow, r.CPUAt, r.efficiency())
	fmt.Fprintf(out, "; p99.9 %.3f ms below, %.3f ms at the limit", medianP999(r.LatencyBelow), medianP999(r.LatencyAt))
	if r.Program == "shoal" {
		fmt.Fprintf(out, "; commands waited for eviction %d µs (p99.9), %d µs at most", r.WaitP999, r.WaitMax)
	}
	fmt.Fprintf(out, "; %d keys\n", r.Keys)
}

// limitRun is one server that is being measured.
type limitRun struct {
	*limitFlags
	contestant
	server    *Server
	generator *load.Generator
}

// atLimit starts a server and measures it below and at its limit.
func (o *limitFlags) atLimit(ctx context.Context, c contestant) (*LimitResult, error) {
	contender, err := ParseContender(c.program, c.command+" --maxmemory-policy "+c.policy, o.cpus)
	if err != nil {
		return nil, err
	}
	server, err := Start(ctx, contender)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	g, err := load.Dial(load.Options{Address: server.Address, ServerPID: server.PID, CPUs: o.plan.ClientCPUs, Threads: o.plan.Threads})
	if err != nil {
		return nil, err
	}
	defer g.Close()
	l := limitRun{o, c, server, g}
	r := &LimitResult{Program: c.program, Policy: c.policy}
	if err := l.below(ctx, r); err != nil {
		return nil, err
	}
	return r, l.at(ctx, r)
}

// below fills the server and takes what that needs for the limit.
func (l *limitRun) below(ctx context.Context, r *LimitResult) error {
	filled, err := l.set(ctx, "a:", l.plan.Keys)
	if err != nil {
		return err
	}
	r.Below, r.CPUBelow = filled.Throughput(), filled.CPUMicros()
	if r.LatencyBelow, err = l.latency(ctx, "a:"); err != nil { // the same keys once more
		return err
	}
	r.Limit, err = usedMemory(l.server)
	return err
}

// at writes twice as many keys again, and looks at the latency.
func (l *limitRun) at(ctx context.Context, r *LimitResult) error {
	for _, words := range [][]string{{"CONFIG", "SET", "maxmemory", strconv.FormatInt(r.Limit, 10)}, {"CONFIG", "RESETSTAT"}} {
		if err := l.server.must(words); err != nil {
			return err
		}
	}
	watch := watchMemory(l.server.Address)
	defer watch.stop()
	over, err := l.set(ctx, "b:", 2*l.plan.Keys)
	if err != nil {
		return err
	}
	r.At, r.CPUAt = over.Throughput(), over.CPUMicros()
	if r.LatencyAt, err = l.latency(ctx, "c:"); err != nil {
		return err
	}
	r.Peak = watch.stop()
	waits := l.server.Info("eviction_wait_p999_usec", "eviction_wait_max_usec")
	r.WaitP999, _ = strconv.ParseInt(waits["eviction_wait_p999_usec"], 10, 64)
	r.WaitMax, _ = strconv.ParseInt(waits["eviction_wait_max_usec"], 10, 64)
	reply, err := l.server.Do("DBSIZE")
	r.Keys, _ = reply.(int64)
	return err
}

// workload is SETs of keys with a prefix.
func (l *limitRun) workload(prefix string) load.Workload {
	words := []string{"SET", prefix + load.KeyMark, load.DataMark}
	if strings.HasPrefix(l.policy, "volatile-") {
		words = append(words, "EX", "100000")
	}
	return load.Workload{Commands: []load.Command{load.Expand(words, l.valueBytes)}, Pipeline: 1, Keys: l.plan.Keys, Distribution: load.Distribution{Sequential: true}}
}

// set writes n keys as quickly as possible.
func (l *limitRun) set(ctx context.Context, prefix string, n int64) (*load.Result, error) {
	w := l.workload(prefix)
	w.Pipeline, w.Keys, w.Requests = l.pipeline, n, n
	return l.run(ctx, w)
}

func (l *limitRun) run(ctx context.Context, w load.Workload) (*load.Result, error) {
	result, err := l.generator.Run(ctx, w)
	if err == nil && result.Errors > 0 {
		err = fmt.Errorf("%d errors, such as %s", result.Errors, result.FirstError)
	}
	return result, err
}

// latency sends half as many requests a second as the server can answer, in several runs: one disturbance by others
// spoils one only.
func (l *limitRun) latency(ctx context.Context, prefix string) (runs []LimitLatency, err error) {
	w := l.workload(prefix)
	w.Duration = l.plan.Time
	closed, err := l.run(ctx, w)
	if err != nil {
		return nil, err
	}
	w.Rate = closed.Throughput() / 2
	for range l.plan.Runs {
		half, err := l.run(ctx, w)
		if err != nil {
			return nil, err
		}
		runs = append(runs, LimitLatency{half.Throughput(), millis(half.Percentile(50)), millis(half.Percentile(99.9))})
	}
	return runs, nil
}

// limit measures the part of the report.
func (r *reporter) limit(ctx context.Context) error {
	o := limitFlags{shoal: r.shoal, redis: r.redis, valueBytes: 32, pipeline: 16, plan: r.plan, cpus: r.serverCPUs}
	r.results.Limit = nil
	for _, c := range o.contestants() {
		result, err := o.atLimit(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		result.print(r.progress)
		r.results.Limit = append(r.results.Limit, result)
	}
	return nil
}

// limitTable is the report's table of servers at their limit.
func limitTable(b *strings.Builder, r *Results) {
	if len(r.Limit) == 0 {
		return
	}
	fmt.Fprintf(b, `## At maxmemory

Three times as many keys are written as there is room for; `+"`maxmemory`"+` is what the first third takes. Efficiency is the CPU time of a SET below the
limit over that at it, with P=16 (goal: %g). Latency is p99.9 of SET in open loop at half of the capacity, P=1, the median of several runs (goal at the limit: %d ms).
Of what commands waited for eviction the p99.9 is given, as the server measured it (goal: %d µs, known to an eighth). The memory used may exceed the limit by %g %%.

| | efficiency | | throughput | overshoot | | p99.9 below, ms | at the limit | | waited for eviction, µs | |
| --- | ---: | --- | ---: | ---: | --- | ---: | ---: | --- | ---: | --- |
`, limitEfficiency, limitLatencyMS, limitWaitMicros, 100*limitOvershoot)
	for _, l := range r.Limit {
		l.row(b)
	}
	b.WriteString("\n")
}

func (r *LimitResult) row(b *strings.Builder) {
	at, wait := medianP999(r.LatencyAt), ""
	marks := [4]string{}
	if r.Program == "shoal" {
		wait = strconv.FormatInt(r.WaitP999, 10)
		for i, met := range []bool{r.efficiency() >= limitEfficiency, r.overshoot() <= limitOvershoot, at < limitLatencyMS, float64(r.WaitP999) <= limitWaitMicros*limitWaitGrain} {
			marks[i] = goalMark(met)
		}
	}
	fmt.Fprintf(b, "| %s | %.2f | %s | %.2f | %+.2f %% | %s | %.2f | %.2f | %s | %s | %s |\n", r.name(), r.efficiency(), marks[0], r.At/r.Below,
		100*r.overshoot(), marks[1], medianP999(r.LatencyBelow), at, marks[2], wait, marks[3])
}

func usedMemory(s *Server) (int64, error) {
	return strconv.ParseInt(s.Info("used_memory")["used_memory"], 10, 64)
}

// memoryWatch asks a server over and over how much memory it uses.
type memoryWatch struct {
	done chan struct{}
	peak chan int64
	last int64
}

func watchMemory(address string) *memoryWatch {
	w := &memoryWatch{done: make(chan struct{}), peak: make(chan int64, 1)}
	done := w.done
	go func() {
		peak := int64(0)
		defer func() { w.peak <- peak }()
		client, err := load.DialClient(load.Options{Address: address})
		if err != nil {
			return
		}
		defer client.Close()
		s := &Server{client: client}
		for {
			if n, err := usedMemory(s); err == nil {
				peak = max(peak, n)
			}
			select {
			case <-done:
				return
			case <-time.After(limitWatchMillis * time.Millisecond):
			}
		}
	}()
	return w
}

// stop ends the watch and returns the most memory that it has seen. It may be called again.
func (w *memoryWatch) stop() int64 {
	if w.done != nil {
		close(w.done)
		w.done = nil
		w.last = <-w.peak
	}
	return w.last
}
