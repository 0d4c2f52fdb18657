package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// Plan says how often and how long scenarios run.
type Plan struct {
	Runs       int           // of each contender
	Time       time.Duration // of a run
	Attempts   int           // pairs measured at most for each that is wanted, if others disturb
	WarmUp     time.Duration // before the first run of a scenario
	ClientCPUs []int
	Threads    int   // of the load generator
	Keys       int64 // loaded, and asked for
	Seed       uint64
}

// Sample is what one run of one contender measured.
type Sample struct {
	CPUMicros  float64 `json:"cpu_us_per_op"`
	Throughput float64 `json:"ops_per_s"`
	Busy       float64 `json:"cores_busy"` // of the server
	ClientBusy float64 `json:"client_cores_busy"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	P999       float64 `json:"p99_9_ms"`
	Max        float64 `json:"max_ms"`
	Requests   int64   `json:"requests"`
	Late       int64   `json:"late,omitempty"`
	Nulls      int64   `json:"nulls,omitempty"`
	Foreign    float64 `json:"foreign_cores"` // that other processes kept busy meanwhile
}

// Outcome is a scenario run by two contenders. Sample i of A and sample i of B are a pair, taken one right
// after the other.
type Outcome struct {
	Scenario string   `json:"scenario"`
	A        []Sample `json:"a"`
	B        []Sample `json:"b"`
	// Err is what kept the scenario from being measured, such as a command that one does not have.
	Err string `json:"error,omitempty"`
}

// Stat is the median of a figure over runs and its extremes.
type Stat struct{ Median, Min, Max float64 }

// stat summarises one figure of samples.
func stat[T any](samples []T, figure func(T) float64) Stat {
	if len(samples) == 0 {
		return Stat{}
	}
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	slices.SortFunc(values, cmp.Compare[float64])
	middle := len(values) / 2
	median := values[middle]
	if len(values)%2 == 0 {
		median = (values[middle-1] + values[middle]) / 2
	}
	return Stat{Median: median, Min: values[0], Max: values[len(values)-1]}
}

func cpuMicros(s Sample) float64  { return s.CPUMicros }
func throughput(s Sample) float64 { return s.Throughput }

// Ratio tells how many times more of a figure A has than B, over pairs of neighbouring runs.
func (o *Outcome) Ratio(figure func(Sample) float64) Stat {
	pairs := make([]int, min(len(o.A), len(o.B)))
	for i := range pairs {
		pairs[i] = i
	}
	return stat(pairs, func(i int) float64 { return figure(o.A[i]) / max(figure(o.B[i]), 1e-12) })
}

// duel is two servers side by side.
type duel struct {
	plan      Plan
	servers   [2]*Server
	valueSize int             // of the keys loaded; 0: none
	fed       map[string]bool // servers and scenarios whose data is there
	unpin     func()
}

func startDuel(ctx context.Context, plan Plan, a, b Contender) (*duel, error) {
	d := &duel{plan: plan, unpin: func() {}}
	if a.TLS || b.TLS { // the load is then Go's, on any thread
		d.unpin = pinAll(plan.ClientCPUs)
	}
	for i, c := range []Contender{a, b} {
		s, err := Start(ctx, c)
		if err != nil {
			d.stop()
			return nil, err
		}
		d.servers[i] = s
	}
	return d, nil
}

func (d *duel) stop() {
	d.unpin()
	for _, s := range d.servers {
		if s != nil {
			s.Stop()
		}
	}
}

// run measures one scenario on both.
func (d *duel) run(ctx context.Context, s Scenario) (*Outcome, error) {
	outcome := &Outcome{Scenario: s.Name}
	if err := d.prepare(ctx, &s); err != nil {
		return nil, err
	}
	var generators [2]*load.Generator
	for i, server := range d.servers {
		g, err := load.Dial(d.options(server, s.conns()))
		if err != nil {
			return nil, err
		}
		defer g.Close()
		generators[i] = g
		if s.Audience > 0 {
			o := d.options(server, s.Audience)
			if server.audience, err = load.Listen(o, s.Words[1]); err != nil {
				return nil, err
			}
			defer server.dismiss()
		}
		err = d.feed(ctx, server, &s)
		if err == nil {
			_, err = d.measure(ctx, server, g, &s, d.plan.WarmUp, -1)
		}
		if err != nil {
			outcome.Err = fmt.Sprintf("%s: %.60s", server.Label, err.Error())
			return outcome, ctx.Err()
		}
	}
	err := d.turns(ctx, outcome, func(i, run int) (Sample, error) {
		sample, err := d.measure(ctx, d.servers[i], generators[i], &s, d.plan.Time, run)
		if err != nil {
			err = fmt.Errorf("%s, %s: %w", d.servers[i].Label, s.Name, err)
		}
		return sample, err
	})
	return outcome, err
}

// samplePair is two samples, taken one right after the other.
type samplePair [2]Sample

func (p samplePair) foreign() float64 { return max(p[0].Foreign, p[1].Foreign) }

// turns measures 0 and 1 by turns, in the order 0 1 1 0 0 1 ..., and adds the pairs that others disturbed least to o.
func (d *duel) turns(ctx context.Context, o *Outcome, measure func(i, run int) (Sample, error)) error {
	pairs, err := quietest(ctx, d.plan.Runs, d.plan.Attempts, func(run int) (pair samplePair, err error) {
		for turn := range pair {
			i := turn ^ run&1
			if pair[i], err = measure(i, run); err != nil {
				break
			}
		}
		return pair, err
	})
	for _, pair := range pairs {
		o.A, o.B = append(o.A, pair[0]), append(o.B, pair[1])
	}
	return err
}

func (d *duel) options(s *Server, conns int) load.Options {
	return load.Options{Address: s.Address, Conns: conns, Threads: d.plan.Threads, CPUs: d.plan.ClientCPUs, ServerPID: s.PID, TLS: s.tls}
}

// prepare loads the keys that the scenario reads, unless they are there: into new servers, if the old ones hold values of
// another size.
func (d *duel) prepare(ctx context.Context, s *Scenario) error {
	if s.ownData() || d.valueSize == s.valueSize() {
		return nil
	}
	d.fed = nil
	for i, server := range d.servers {
		if d.valueSize != 0 {
			server.Stop()
			d.servers[i] = nil
			fresh, err := Start(ctx, server.Contender)
			if err != nil {
				return err
			}
			d.servers[i], server = fresh, fresh
		}
		if _, err := fill(ctx, d.options(server, 10), d.plan.Keys, s.valueSize(), 0); err != nil {
			return fmt.Errorf("%s: loading keys: %w", server.Label, err)
		}
	}
	d.valueSize = s.valueSize()
	return nil
}

// feed sends what the scenario wants to find in a server, unless that is there.
func (d *duel) feed(ctx context.Context, server *Server, s *Scenario) error {
	if s.Once == nil || d.fed[server.Address+s.Name] {
		return nil
	}
	if err := server.feedAll(ctx, s.Once); err != nil {
		return err
	}
	if d.fed == nil {
		d.fed = map[string]bool{}
	}
	d.fed[server.Address+s.Name] = true
	return nil
}

// measure runs a scenario once, for the time t or until a request is answered. Runs of the same number draw the same keys.
func (d *duel) measure(ctx context.Context, server *Server, g *load.Generator, s *Scenario, t time.Duration, run int) (Sample, error) {
	if s.Before != nil {
		if err := server.feedAll(ctx, s.Before(t)); err != nil {
			return Sample{}, err
		}
	}
	processes := slices.Compact([]int{os.Getpid(), d.servers[0].PID, d.servers[1].PID})
	end, err := d.others(ctx, server, s)
	if err != nil {
		return Sample{}, err
	}
	defer end()
	before := readMachineTime(processes...)
	r, err := server.run(ctx, g, s.workload(t, d.plan.Keys, d.plan.Seed+uint64(run+1)))
	if err != nil {
		return Sample{}, err
	}
	if err := ctx.Err(); err != nil {
		return Sample{}, err
	}
	if r.Errors > 0 {
		return Sample{}, errors.New(r.FirstError)
	}
	if r.Requests == 0 {
		return Sample{}, fmt.Errorf("no request was answered in %v", t)
	}
	return newSample(r, readMachineTime(processes...).foreignSince(before)), nil
}

// others has other clients send what the scenario wants beside its own load, until the function that it returns is called.
func (d *duel) others(ctx context.Context, server *Server, s *Scenario) (end func(), err error) {
	if s.Beside == nil {
		return func() {}, nil
	}
	g, err := load.Dial(d.options(server, s.conns()))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer g.Close()
		w := load.Workload{Commands: []load.Command{load.Expand(s.Beside, s.valueSize())}, Keys: d.plan.Keys, Seed: d.plan.Seed, Duration: time.Hour}
		_, _ = g.Run(ctx, w) // the server is gone: the load that is measured finds out
	}()
	return func() { cancel(); <-ended }, nil
}

// newSample is what a run has measured while others kept so many cores busy.
func newSample(r *load.Result, foreign float64) Sample {
	return Sample{
		CPUMicros: r.CPUMicros(), Throughput: r.Throughput(), Busy: r.Server.CPU.Seconds() / r.Elapsed.Seconds(),
		ClientBusy: r.ClientCPU.Seconds() / r.Elapsed.Seconds(),
		P50:        millis(r.Percentile(50)), P99: millis(r.Percentile(99)), P999: millis(r.Percentile(99.9)), Max: millis(r.Percentile(100)),
		Requests: r.Requests, Late: r.Late, Nulls: r.Nulls,
		Foreign: foreign,
	}
}

// run runs a workload to its end: the last reply, and the last message to an audience.
func (s *Server) run(ctx context.Context, g *load.Generator, w load.Workload) (*load.Result, error) {
	if s.audience == nil {
		return g.Run(ctx, w)
	}
	heard := s.audience.Heard()
	before, err := load.ReadUsage(s.PID)
	if err != nil {
		return nil, err
	}
	r, err := g.Run(ctx, w)
	if err != nil {
		return nil, err
	}
	if r.Errors == 0 {
		if err := s.audience.Await(ctx, heard+r.Requests*int64(s.audience.Size())); err != nil {
			return nil, err
		}
	}
	after, err := load.ReadUsage(s.PID)
	if err != nil {
		return nil, err
	}
	r.Server.CPU = after.CPU - before.CPU
	return r, nil
}

// dismiss ends the audience.
func (s *Server) dismiss() {
	s.audience.Close()
	s.audience = nil
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// fill sets n keys in order, with an expiry if expireSec is above 0.
func fill(ctx context.Context, o load.Options, n int64, valueSize, expireSec int) (*load.Result, error) {
	g, err := load.Dial(o)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	words := set
	if expireSec > 0 {
		words = append(slices.Clone(set), "EX", fmt.Sprint(expireSec))
	}
	r, err := g.Run(ctx, load.Workload{
		Name: "load", Commands: []load.Command{load.Expand(words, valueSize)}, Pipeline: 100, Keys: n,
		Distribution: load.Distribution{Sequential: true}, Requests: n,
	})
	if err == nil && r.Errors > 0 {
		err = errors.New(r.FirstError)
	}
	if err == nil {
		err = ctx.Err()
	}
	return r, err
}
