package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// InsightCase is something that a server does besides its work: looking at what clients do, or checking what they may
// do. The same clients' load is run on one server in turns with it and without it.
type InsightCase struct {
	Name  string
	Title string
	Note  string // what the reader should know
	Redis bool   // the reference server does it too
	Goal  float64

	scenarios []string // Goal holds for the last one, or all if every is set
	every     bool
	before    [][]string // commands that go before each run without it
	commands  [][]string // and before each run with it
	monitors  int        // that read during a run with it
	user      bool       // the clients of the runs with it are those of insightUser
}

const (
	insightUser     = "bench"
	insightPassword = "insight"
)

// InsightCases are what the report runs. Goal is the most that others may lose, in percent of the server's CPU time per
// operation.
var InsightCases = []InsightCase{
	{Name: "monitor", Title: "MONITOR with one reader", Redis: true, Goal: 15, every: true, monitors: 1, scenarios: []string{"get-rate-50k", "get-p1", "get-p16", "get-p100"},
		Note: "The time includes that for the monitor: writing its lines and sending them."},
	{Name: "timing", Title: "Slow log and latency histograms", Redis: true, Goal: 2, scenarios: []string{"get-p16", "mix-p100", "get-p100"},
		Note:     "Beside a server that has both off. `go test -bench Measure ./server` shows what all of it costs, commandstats included, which cannot be off.",
		before:   [][]string{{"CONFIG", "SET", "slowlog-log-slower-than", "-1", "latency-tracking", "no"}},
		commands: [][]string{{"CONFIG", "SET", "slowlog-log-slower-than", "10000", "latency-tracking", "yes"}}},
	{Name: "acl-commands", Title: "A user who may not run all commands", Redis: true, Goal: 3, user: true, scenarios: []string{"get-p16", "set-p100", "get-p100"},
		Note:     "Beside the default user as it is, who may do everything: that costs one branch. The user has `~* +@all -debug`.",
		commands: [][]string{aclUser("~*", "+@all", "-debug")}},
	{Name: "acl-keys", Title: "A user with key patterns", Redis: true, Goal: 10, user: true, scenarios: []string{"get-p16", "set-p100", "get-p100"},
		Note:     "Beside the default user. The user has `~app:* ~key:* +@all`.",
		commands: [][]string{aclUser("~app:*", "~key:*", "+@all")}},
	{Name: "acl-glob", Title: "A user with a pattern that is no beginning", Redis: true, user: true, scenarios: []string{"get-p100"},
		Note:     "Beside the default user. The user has `~k[a-f]y:*0* +@all`.",
		commands: [][]string{aclUser("~k[a-f]y:*0*", "+@all")}},
}

func aclUser(rules ...string) []string {
	return append([]string{"ACL", "SETUSER", insightUser, "reset", "on", ">" + insightPassword}, rules...)
}

// InsightPair is a case on both servers: an outcome for each scenario. A is without, B with.
type InsightPair struct {
	Redis []*Outcome `json:"redis,omitempty"`
	Shoal []*Outcome `json:"shoal"`
}

// insight is "shoal-bench insight".
func insight(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var names []string
	for _, c := range InsightCases {
		names = append(names, c.Name)
	}
	f := newFlagSet("insight", "insight [--cases monitor,timing]\n\nWhat MONITOR, measuring commands and checking users cost other clients: "+strings.Join(names, ", ")+".\n", stderr)
	var p planFlags
	p.register(f)
	r := &reporter{progress: stdout, results: &Results{Commands: map[string]string{}}}
	f.StringVar(&r.redis, "redis", "redis-server", "the reference `server` (\"\": none)")
	f.StringVar(&r.shoal, "shoal", "bin/shoal-server", "Shoal's `server`")
	reactors := f.String("reactors", "1", "of Shoal")
	cases := f.String("cases", "", "comma-separated (default: all)")
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if r.plan, r.serverCPUs, err = p.finish(); err != nil {
		return err
	}
	for _, name := range strings.Split(*cases, ",") {
		if name != "" && !slices.Contains(names, name) {
			return fmt.Errorf("no case is named %q; there are %s", name, strings.Join(names, ", "))
		}
	}
	own := setup{label: "Shoal, " + *reactors, args: []string{"--reactors", *reactors}}
	for i := range InsightCases {
		c := &InsightCases[i]
		if *cases != "" && !slices.Contains(strings.Split(*cases, ","), c.Name) {
			continue
		}
		if _, err := r.insightCase(ctx, c, own); err != nil {
			return err
		}
	}
	return nil
}

// insight measures the part of the report.
func (r *reporter) insight(ctx context.Context) error {
	r.results.Insight = map[string]*InsightPair{}
	for i := range InsightCases {
		pair, err := r.insightCase(ctx, &InsightCases[i], shoal)
		if err != nil {
			return err
		}
		r.results.Insight[InsightCases[i].Name] = pair
	}
	return nil
}

func (r *reporter) insightCase(ctx context.Context, c *InsightCase, own setup) (pair *InsightPair, err error) {
	fmt.Fprintf(r.progress, "%s\n", c.Title)
	pair = &InsightPair{}
	if c.Redis && r.redis != "" {
		if pair.Redis, err = r.insightOn(ctx, c, redis); err != nil {
			return nil, err
		}
	}
	pair.Shoal, err = r.insightOn(ctx, c, own)
	return pair, err
}

func (r *reporter) insightOn(ctx context.Context, c *InsightCase, s setup) (outcomes []*Outcome, err error) {
	server, err := Start(ctx, r.contender(s))
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	d := &duel{plan: r.plan, servers: [2]*Server{server, server}}
	if _, err := fill(ctx, d.options(server, 10), r.plan.Keys, 32, 0); err != nil {
		return nil, err
	}
	for _, name := range c.scenarios {
		found, err := FindScenarios(name)
		if err != nil {
			return nil, err
		}
		o, err := d.beside(ctx, c, &found[0])
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", s.label, c.Name, err)
		}
		outcomes = append(outcomes, o)
		cost, slower := o.cost()
		fmt.Fprintf(r.progress, "  %-14s %-10s %8.3f µs/op, and with it %8.3f: %+6.1f %% (%+.1f to %+.1f); throughput %+6.1f %%\n", s.label, name,
			stat(o.A, cpuMicros).Median, stat(o.B, cpuMicros).Median, cost.Median, cost.Min, cost.Max, -slower.Median)
	}
	return outcomes, nil
}

// cost tells how much more CPU time an operation takes in B, and how many fewer operations are done in a second, in percent.
func (o *Outcome) cost() (cpu, throughputLost Stat) {
	more, fewer := o.Ratio(cpuMicros), o.Ratio(throughput)
	cpu = Stat{Median: 100 * (1/more.Median - 1), Min: 100 * (1/more.Max - 1), Max: 100 * (1/more.Min - 1)}
	throughputLost = Stat{Median: 100 * (1 - 1/fewer.Median), Min: 100 * (1 - 1/fewer.Min), Max: 100 * (1 - 1/fewer.Max)}
	return cpu, throughputLost
}

// beside runs a scenario by turns without and with what the case is about.
func (d *duel) beside(ctx context.Context, c *InsightCase, s *Scenario) (*Outcome, error) {
	server := d.servers[0]
	for _, words := range slices.Concat(c.before, c.commands) {
		if err := server.must(words); err != nil {
			return nil, err
		}
	}
	var generators [2]*load.Generator
	for i := range generators {
		o := d.options(server, s.conns())
		if i == 1 && c.user {
			o.User, o.Password = insightUser, insightPassword
		}
		g, err := load.Dial(o)
		if err != nil {
			return nil, err
		}
		defer g.Close()
		generators[i] = g
	}
	o := &Outcome{Scenario: s.Name}
	err := d.turns(ctx, o, func(i, run int) (Sample, error) { return d.runBeside(ctx, c, s, generators[i], i == 1, run) })
	return o, err
}

func (d *duel) runBeside(ctx context.Context, c *InsightCase, s *Scenario, g *load.Generator, with bool, run int) (Sample, error) {
	server, commands := d.servers[0], c.before
	if with {
		commands = c.commands
	}
	for _, words := range commands {
		if err := server.must(words); err != nil {
			return Sample{}, err
		}
	}
	if with {
		for range c.monitors {
			stop, err := watchAll(server.Address, d.plan.ClientCPUs)
			if err != nil {
				return Sample{}, err
			}
			defer stop()
		}
	}
	if _, err := d.measure(ctx, server, g, s, d.plan.WarmUp/3+time.Millisecond, -1); err != nil {
		return Sample{}, err
	}
	return d.measure(ctx, server, g, s, d.plan.Time, run)
}

// must sends a command that is to be answered with OK.
func (s *Server) must(words []string) error {
	reply, err := s.Do(words...)
	if err == nil && reply != "OK" {
		err = fmt.Errorf("%s: %v", words[0], reply)
	}
	return err
}

// watchAll opens a connection, sends MONITOR and reads whatever comes as quickly as it can, on one of the CPUs, until
// it is stopped.
func watchAll(address string, cpus []int) (stop func(), err error) {
	conn, err := net.DialTimeout("tcp", address, startTimeout)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil {
		conn.Close()
		return nil, err
	}
	began, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread, pinned as it is, ends with the goroutine
		err := pin(cpus)
		buf := make([]byte, 1<<20)
		n := 0
		if err == nil {
			n, err = conn.Read(buf)
		}
		if err == nil && !strings.HasPrefix(string(buf[:n]), "+OK\r\n") {
			err = errors.New("MONITOR was refused")
		}
		began <- err
		for err == nil {
			_, err = conn.Read(buf)
		}
	}()
	stop = func() {
		conn.Close()
		<-done
	}
	if err := <-began; err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// insightTable is the report's table of the cases.
func insightTable(b *strings.Builder, r *Results) {
	if len(r.Insight) == 0 {
		return
	}
	b.WriteString("## Users and insight\n\nWhat checking users, measuring commands and showing them costs: one server, the same load with it and without it, in turns. One reactor on one core.\n\n")
	for _, c := range InsightCases {
		fmt.Fprintf(b, "- %s: %s\n", c.Title, c.Note)
	}
	b.WriteString("\n| | load | server | µs/op without | with | CPU time | spread | goal | | throughput |\n| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |\n")
	for i := range InsightCases {
		c := &InsightCases[i]
		pair := r.Insight[c.Name]
		if pair == nil {
			continue
		}
		insightRows(b, c, redis.label, pair.Redis)
		insightRows(b, c, shoal.label, pair.Shoal)
	}
	b.WriteString("\n")
}

func insightRows(b *strings.Builder, c *InsightCase, label string, outcomes []*Outcome) {
	for i, o := range outcomes {
		found, err := FindScenarios(o.Scenario)
		if err != nil || len(o.A) == 0 {
			continue
		}
		cpu, lost := o.cost()
		wanted, mark := "", ""
		if label == shoal.label && c.Goal > 0 && (c.every || i == len(outcomes)-1) {
			wanted, mark = fmt.Sprintf("%g %%", c.Goal), goalMark(cpu.Median <= c.Goal)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %.3f | %.3f | %+.1f %% | %+.1f to %+.1f | %s | %s | %+.1f %% |\n", c.Title, found[0].describe(), label,
			stat(o.A, cpuMicros).Median, stat(o.B, cpuMicros).Median, cpu.Median, cpu.Min, cpu.Max, wanted, mark, -lost.Median)
	}
}
