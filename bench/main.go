package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// subcommands are what "shoal-bench NAME" runs.
var subcommands = map[string]func(ctx context.Context, args []string, stdout, stderr io.Writer) error{
	"vs":       versus,
	"ab":       oldNew,
	"report":   report,
	"eviction": eviction,
	"limit":    limit,
	"insight":  insight,
}

// IsCommand tells whether Main knows a command.
func IsCommand(name string) bool { return subcommands[name] != nil }

// Main runs a command; args[0] is its name.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	err := subcommands[args[0]](ctx, args[1:], stdout, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return err
}

// planFlags adds the flags that say how to measure.
type planFlags struct {
	plan                   Plan
	serverCPUs, clientCPUs string
}

func (p *planFlags) register(f *flag.FlagSet) {
	server, client := "0", "1"
	if runtime.NumCPU() < 2 || runtime.GOOS != "linux" {
		server, client = "", ""
	}
	f.IntVar(&p.plan.Runs, "runs", 5, "runs of each server per scenario")
	f.DurationVar(&p.plan.Time, "time", time.Second, "length of a run")
	f.DurationVar(&p.plan.WarmUp, "warmup", 300*time.Millisecond, "run before the first measured one")
	f.IntVar(&p.plan.Attempts, "attempts", 3, "times as many runs at most, if other processes disturb them")
	f.IntVar(&p.plan.Threads, "threads", 1, "threads of the load generator")
	f.Int64Var(&p.plan.Keys, "keys", 1_000_000, "keys loaded and asked for")
	f.Uint64Var(&p.plan.Seed, "seed", 1, "seed of the keys asked for")
	f.StringVar(&p.serverCPUs, "server-cpus", server, "CPUs of the servers (\"\": any)")
	f.StringVar(&p.clientCPUs, "client-cpus", client, "CPUs of the load generator (\"\": any)")
}

func (p *planFlags) finish() (plan Plan, serverCPUs []int, err error) {
	if p.serverCPUs != "" {
		if serverCPUs, err = load.ParseCPUs(p.serverCPUs); err != nil {
			return p.plan, nil, err
		}
	}
	if p.clientCPUs != "" {
		p.plan.ClientCPUs, err = load.ParseCPUs(p.clientCPUs)
	}
	p.plan.Runs, p.plan.Keys = max(p.plan.Runs, 1), max(p.plan.Keys, 1)
	return p.plan, serverCPUs, err
}

func newFlagSet(name, synopsis string, stderr io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintf(stderr, "Usage: shoal-bench %s\n", synopsis)
		f.PrintDefaults()
	}
	return f
}
