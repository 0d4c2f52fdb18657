package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Results is what the report is made of. It is kept as JSON beside the plots, so that the text can be written anew
// and single parts measured again.
type Results struct {
	Machine  Machine                  `json:"machine"`
	Versions map[string]string        `json:"versions"` // of redis-server and shoal-server
	Commands map[string]string        `json:"commands"` // that started each contender
	Settings string                   `json:"settings"`
	Contests map[string][]*Outcome    `json:"contests"`
	Memory   map[string]*MemoryPair   `json:"memory"`
	Growth   map[string]*GrowthResult `json:"growth"` // by label

	Collections map[string]*CollectionPair `json:"collections"`
	Insight     map[string]*InsightPair    `json:"insight,omitempty"`
	Limit       []*LimitResult             `json:"limit,omitempty"`
	Persistence *Persistence               `json:"persistence,omitempty"`
}

// MemoryPair is a memory case on both servers.
type MemoryPair struct {
	Redis *MemoryResult `json:"redis"`
	Shoal *MemoryResult `json:"shoal"`
}

// reporter measures and writes the report.
type reporter struct {
	plan         Plan
	redis, shoal string // programs
	serverCPUs   []int
	growthRuns   int
	taskRuns     int   // of saving, of loading, of latency beside BGSAVE
	shrink       int64 // of collections and of what is saved, for tests
	only         []string
	progress     io.Writer
	results      *Results
}

// report is "shoal-bench report".
func report(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := newFlagSet("report", `report [--quick] [--only one-reactor,memory]

Starts Shoal and redis-server side by side, runs all contests and writes BENCHMARKS.md, its plots and results.json.
Parts that --only leaves out are taken from the results.json that is there.

`, stderr)
	var p planFlags
	p.register(f)
	r := &reporter{progress: stderr}
	f.StringVar(&r.redis, "redis", "redis-server", "the reference `server`")
	f.StringVar(&r.shoal, "shoal", "bin/shoal-server", "Shoal's `server`")
	quick := f.Bool("quick", false, "3 runs of 600 ms: minutes, not precise")
	only := f.String("only", "", "parts, comma-separated: "+strings.Join(parts(), ", ")+"; persistence is several of them")
	text := f.String("o", "BENCHMARKS.md", "the report")
	dir := f.String("dir", "docs/bench", "`directory` of plots and results.json")
	render := f.Bool("render", false, "measure nothing: write the report from results.json")
	if err := f.Parse(args); err != nil {
		return err
	}
	var err error
	if r.plan, r.serverCPUs, err = p.finish(); err != nil {
		return err
	}
	r.growthRuns, r.taskRuns = 3, 3
	if *quick {
		r.plan.Runs, r.plan.Time, r.growthRuns, r.taskRuns = 3, 600*time.Millisecond, 1, 1
	}
	if err := r.choose(*only); err != nil {
		return err
	}
	results := filepath.Join(*dir, "results.json")
	if r.results, err = readResults(results); err != nil {
		return err
	}
	if !*render {
		if err := r.measure(ctx, results); err != nil {
			return err
		}
	}
	return write(r.results, *text, *dir)
}

// parts are the names that --only takes.
func parts() []string {
	var names []string
	for _, c := range Contests {
		names = append(names, c.Name)
	}
	for _, a := range areas {
		names = append(names, a.name)
	}
	return names
}

// areas are what the report measures beside contests.
var areas = []struct {
	name    string
	measure func(r *reporter, ctx context.Context) error
}{
	{"memory", (*reporter).memory},
	{"collections", (*reporter).collections},
	{"saving", (*reporter).persistence},
	{"insight", (*reporter).insight},
	{"limit", (*reporter).limit},
	{"growth", (*reporter).growth},
}

// persistenceParts are what "persistence" stands for.
var persistenceParts = []string{"aof-always", "aof-readers", "aof-everysec", "aof-own", "saving"}

func (r *reporter) choose(only string) error {
	r.only = parts()
	if only == "" {
		return nil
	}
	known := r.only
	r.only = nil
	for name := range strings.SplitSeq(only, ",") {
		if name == "persistence" {
			r.only = append(r.only, persistenceParts...)
			continue
		}
		if !slices.Contains(known, name) {
			return fmt.Errorf("no part of the report is named %q; there are persistence (%s), %s", name, strings.Join(persistenceParts, ", "), strings.Join(known, ", "))
		}
		r.only = append(r.only, name)
	}
	return nil
}

func readResults(path string) (*Results, error) {
	results := &Results{}
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, results)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot read earlier results: %w", err)
	}
	if results.Contests == nil {
		results.Contests = map[string][]*Outcome{}
		results.Memory = map[string]*MemoryPair{}
		results.Growth = map[string]*GrowthResult{}
		results.Commands = map[string]string{}
	}
	if results.Collections == nil {
		results.Collections = map[string]*CollectionPair{}
	}
	return results, nil
}

// save keeps results after each part, so that an interrupted report loses little.
func (r *reporter) save(path string) error {
	b, err := json.MarshalIndent(r.results, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func (r *reporter) measure(ctx context.Context, path string) error {
	r.results.Machine = thisMachine()
	r.results.Versions = map[string]string{"redis-server": version(r.redis), "shoal-server": version(r.shoal)}
	r.results.Settings = fmt.Sprintf("%d runs of %v each, load generator on CPUs %v", r.plan.Runs, r.plan.Time, r.plan.ClientCPUs)
	for _, c := range Contests {
		if slices.Contains(r.only, c.Name) {
			if err := r.contest(ctx, c); err != nil {
				return err
			}
			if err := r.save(path); err != nil {
				return err
			}
		}
	}
	for _, a := range areas {
		if slices.Contains(r.only, a.name) {
			if err := a.measure(r, ctx); err != nil {
				return err
			}
			if err := r.save(path); err != nil {
				return err
			}
		}
	}
	return r.save(path)
}

// contender turns a set-up into something to start, and notes its command for the report.
func (r *reporter) contender(s setup) Contender {
	program := r.shoal
	if s.redis {
		program = r.redis
	}
	c := Contender{Label: s.label, Command: append([]string{program}, s.args...), CPUs: r.serverCPUs, TLS: s.tls, forks: s.redis}
	if s.all {
		c.CPUs = slices.Concat(r.serverCPUs, r.plan.ClientCPUs)
	}
	r.results.Commands[s.label] = fmt.Sprintf("%s --save \"\" (CPUs %v)", strings.Join(c.Command, " "), c.CPUs)
	return c
}

func (r *reporter) contest(ctx context.Context, c Contest) error {
	fmt.Fprintf(r.progress, "%s\n", c.Title)
	d, err := startDuel(ctx, r.plan, r.contender(c.A), r.contender(c.B))
	if err != nil {
		return err
	}
	defer d.stop()
	var outcomes []*Outcome
	for _, goal := range c.Goals {
		found, err := FindScenarios(goal.Scenario)
		if err != nil {
			return err
		}
		o, err := d.run(ctx, found[0])
		if err != nil {
			return err
		}
		printOutcome(r.progress, o)
		outcomes = append(outcomes, o)
	}
	r.results.Contests[c.Name] = outcomes
	return nil
}

func (r *reporter) memory(ctx context.Context) error {
	for _, m := range MemoryCases {
		fmt.Fprintf(r.progress, "Memory: %s\n", m.Title)
		a, err := measureMemory(ctx, r.plan, r.contender(redis), m)
		if err != nil {
			return err
		}
		b, err := measureMemory(ctx, r.plan, r.contender(shoal), m)
		if err != nil {
			return err
		}
		r.results.Memory[m.Name] = &MemoryPair{Redis: a, Shoal: b}
		fmt.Fprintf(r.progress, "  %.1f MB and %.1f MB\n", float64(a.RSS)/(1<<20), float64(b.RSS)/(1<<20))
	}
	return nil
}

func (r *reporter) growth(ctx context.Context) error {
	for _, s := range []setup{redis, shoal} {
		fmt.Fprintf(r.progress, "Growth: %s\n", s.label)
		g := &GrowthResult{Label: s.label}
		for range r.growthRuns {
			if err := measureGrowth(ctx, r.plan, r.contender(s), g); err != nil {
				return err
			}
			last := len(g.WorstMS) - 1
			fmt.Fprintf(r.progress, "  slowest batch %.2f ms (others took %.0f%% of a core)\n", g.WorstMS[last], 100*g.Foreign[last])
		}
		r.results.Growth[s.label] = g
	}
	return nil
}
