package bench

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// limitFlags say what "shoal-bench limit" measures.
type limitFlags struct {
	planFlags
	shoal, redis, policies string
	valueBytes             int
	pipeline               int
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
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(stdout, "%d keys into room for %d, values of %d bytes, P=%d; then SET at half of the capacity with P=1\n", 3*plan.Keys, plan.Keys, o.valueBytes, o.pipeline)
	fmt.Fprintln(t, "server and policy\tmaxmemory MB\thighest used\tSET/s below\tat the limit\tratio\tCPU µs below\tat the limit\tratio\thalf, SET/s\tp50 ms\tp99.9 ms\tkeys")
	for _, c := range o.contestants() {
		r, err := o.atLimit(ctx, c, plan, cpus)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		fmt.Fprintf(t, "%s\t%.1f\t%+.2f %%\t%.0f\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t%.3f\t%.3f\t%d\n", c.name(), float64(r.limit)/(1<<20), 100*(float64(r.peak)/float64(r.limit)-1),
			r.below, r.at, r.at/r.below, r.cpuBelow, r.cpuAt, r.cpuBelow/r.cpuAt, r.rate, millis(r.p50), millis(r.p999), r.keys)
		t.Flush()
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

// limitResult is what one server did.
type limitResult struct {
	limit, peak     int64   // bytes
	below, at, rate float64 // SETs a second
	cpuBelow, cpuAt float64 // µs of the server for a SET
	p50, p999       time.Duration
	keys            int64
}

func (o *limitFlags) atLimit(ctx context.Context, c contestant, plan Plan, cpus []int) (r limitResult, err error) {
	contender, err := ParseContender(c.program, c.command+" --maxmemory-policy "+c.policy, cpus)
	if err != nil {
		return r, err
	}
	server, err := Start(ctx, contender)
	if err != nil {
		return r, err
	}
	defer server.Stop()
	g, err := load.Dial(load.Options{Address: server.Address, ServerPID: server.PID, CPUs: plan.ClientCPUs, Threads: plan.Threads})
	if err != nil {
		return r, err
	}
	defer g.Close()
	set := func(prefix string) load.Workload {
		words := []string{"SET", prefix + load.KeyMark, load.DataMark}
		if strings.HasPrefix(c.policy, "volatile-") {
			words = append(words, "EX", "100000")
		}
		return load.Workload{Commands: []load.Command{load.Expand(words, o.valueBytes)}, Pipeline: o.pipeline, Keys: plan.Keys, Requests: plan.Keys, Distribution: load.Distribution{Sequential: true}}
	}
	// The room for the keys is what they take.
	below, err := g.Run(ctx, set("a:"))
	if err != nil {
		return r, err
	}
	r.below, r.cpuBelow = below.Throughput(), below.CPUMicros()
	if r.limit, err = usedMemory(server); err != nil {
		return r, err
	}
	if _, err := server.Do("CONFIG", "SET", "maxmemory", strconv.FormatInt(r.limit, 10)); err != nil {
		return r, err
	}
	watch := watchMemory(server.Address)
	defer watch.stop()
	at := set("b:")
	at.Keys, at.Requests = 2*plan.Keys, 2*plan.Keys
	over, err := g.Run(ctx, at)
	if err != nil {
		return r, err
	}
	r.at, r.cpuAt = over.Throughput(), over.CPUMicros()
	if over.Errors > 0 {
		return r, fmt.Errorf("%d errors, such as %s", over.Errors, over.FirstError)
	}
	single := set("c:")
	single.Pipeline, single.Requests, single.Duration = 1, 0, plan.Time
	closed, err := g.Run(ctx, single)
	if err != nil {
		return r, err
	}
	open := set("d:")
	open.Pipeline, open.Requests, open.Duration, open.Rate = 1, 0, 3*plan.Time, closed.Throughput()/2
	half, err := g.Run(ctx, open)
	if err != nil {
		return r, err
	}
	r.rate, r.p50, r.p999 = half.Throughput(), half.Percentile(50), half.Percentile(99.9)
	r.peak = watch.stop()
	reply, err := server.Do("DBSIZE")
	r.keys, _ = reply.(int64)
	return r, err
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
			case <-time.After(20 * time.Millisecond):
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
