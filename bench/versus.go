package bench

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const defaultScenarios = "get-p1,get-p16,get-p100,set-p1,set-p16,set-p100"

// versus is "shoal-bench vs": two servers, any commands.
func versus(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlagSet("vs", `vs [--a "redis-server"] [--b "bin/shoal-server --reactors 1"] [--scenarios get-p1,set-*]

Starts two servers and runs scenarios on both in turns. Prints, per scenario, the servers' CPU time per operation
(medians), how many times cheaper B is (median of neighbouring runs, and its extremes), throughput, and the most of a core that other processes took
during a run; runs that they disturb are repeated.

`, stderr)
	a := f.String("a", "redis-server", "command of server A; port, directory and --save \"\" are added")
	b := f.String("b", "bin/shoal-server --reactors 1", "command of server B")
	v := registerVersus(f)
	if err := f.Parse(args); err != nil {
		return err
	}
	return v.run(ctx, *a, *b, stdout)
}

// oldNew is "shoal-bench ab": two builds of one server.
func oldNew(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlagSet("ab", `ab --old bin/a --new bin/b [--args "--reactors 1"] [--scenarios get-p16,set-p16]

The same as vs for two builds of shoal-server: a ratio above 1 means that the new one is cheaper.

`, stderr)
	before := f.String("old", "", "server binary A")
	after := f.String("new", "", "server binary B")
	common := f.String("args", "--reactors 1", "arguments of both")
	v := registerVersus(f)
	f.StringVar(&v.scenarios, "scenario", defaultScenarios, "the same as -scenarios")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *before == "" || *after == "" {
		return fmt.Errorf("both --old and --new are needed")
	}
	return v.run(ctx, *before+" "+*common, *after+" "+*common, stdout)
}

type versusFlags struct {
	planFlags
	scenarios string
	benchstat string
	list      bool
	tls       bool
}

func registerVersus(f *flag.FlagSet) *versusFlags {
	v := &versusFlags{}
	v.register(f)
	f.StringVar(&v.scenarios, "scenarios", defaultScenarios, "names and patterns, comma-separated")
	f.StringVar(&v.benchstat, "benchstat", "", "write a.txt and b.txt for benchstat into this `directory`")
	f.BoolVar(&v.tls, "tls", false, "both servers and the load speak TLS, with certificates made for the occasion")
	f.BoolVar(&v.list, "list", false, "list the scenarios and stop")
	return v
}

func (v *versusFlags) run(ctx context.Context, a, b string, out io.Writer) error {
	if v.list {
		for _, s := range Scenarios {
			fmt.Fprintf(out, "%-18s %s\n", s.Name, s.describe())
		}
		return nil
	}
	scenarios, err := FindScenarios(v.scenarios)
	if err != nil {
		return err
	}
	plan, cpus, err := v.finish()
	if err != nil {
		return err
	}
	first, err := ParseContender("A", a, cpus)
	if err != nil {
		return err
	}
	second, err := ParseContender("B", b, cpus)
	if err != nil {
		return err
	}
	first.TLS, second.TLS = v.tls, v.tls
	d, err := startDuel(ctx, plan, first, second)
	if err != nil {
		return err
	}
	defer d.stop()
	fmt.Fprintf(out, "A: %s\nB: %s\n%-18s %10s %10s %7s %15s %12s %12s %8s\n", a, b,
		"scenario", "A us/op", "B us/op", "A/B", "spread", "A ops/s", "B ops/s", "others")
	var outcomes []*Outcome
	for _, s := range scenarios {
		o, err := d.run(ctx, s)
		if err != nil {
			return err
		}
		outcomes = append(outcomes, o)
		printOutcome(out, o)
	}
	if v.benchstat != "" {
		return writeBenchstat(v.benchstat, outcomes)
	}
	return nil
}

// printOutcome writes a line on CPU time, and one on latency if the load had a fixed rate.
func printOutcome(out io.Writer, o *Outcome) {
	if o.Err != "" {
		fmt.Fprintf(out, "%-18s %s\n", o.Scenario, o.Err)
		return
	}
	ratio := o.Ratio(cpuMicros)
	fmt.Fprintf(out, "%-18s %10.3f %10.3f %7.2f %7.2f-%-7.2f %12.0f %12.0f %7.0f%%\n", o.Scenario,
		stat(o.A, cpuMicros).Median, stat(o.B, cpuMicros).Median, ratio.Median, ratio.Min, ratio.Max,
		stat(o.A, throughput).Median, stat(o.B, throughput).Median, 100*max(stat(o.A, foreign).Max, stat(o.B, foreign).Max))
	for _, s := range Scenarios {
		if s.Name == o.Scenario && s.Rate > 0 {
			printLatency(out, "A", o.A)
			printLatency(out, "B", o.B)
		}
	}
}

func printLatency(out io.Writer, label string, samples []Sample) {
	fmt.Fprintf(out, "  %s  p50 %.3f ms  p99 %.3f ms  p99.9 %.3f ms\n", label,
		stat(samples, p50).Median, stat(samples, p99).Median, stat(samples, p999).Median)
}

func foreign(s Sample) float64 { return s.Foreign }
func p50(s Sample) float64     { return s.P50 }
func p99(s Sample) float64     { return s.P99 }
func p999(s Sample) float64    { return s.P999 }

// writeBenchstat writes one file per server in the format of Go's benchmarks, a line per run.
func writeBenchstat(dir string, outcomes []*Outcome) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, side := range []struct {
		file    string
		samples func(*Outcome) []Sample
	}{
		{"a.txt", func(o *Outcome) []Sample { return o.A }},
		{"b.txt", func(o *Outcome) []Sample { return o.B }},
	} {
		var text strings.Builder
		for _, o := range outcomes {
			for _, s := range side.samples(o) {
				fmt.Fprintf(&text, "BenchmarkServer/%s %d %.2f server-ns/op %.0f ops/s %.0f p99-ns\n",
					o.Scenario, s.Requests, s.CPUMicros*1000, s.Throughput, s.P99*1e6)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, side.file), []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
