package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// write writes the report and its plots.
func write(r *Results, textPath, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	plots := map[string]string{}
	for name, c := range charts(r) {
		path := filepath.Join(dir, name+".svg")
		if err := os.WriteFile(path, []byte(c.svg()), 0o644); err != nil {
			return err
		}
		relative, err := filepath.Rel(filepath.Dir(textPath), path)
		if err != nil {
			return err
		}
		plots[name] = filepath.ToSlash(relative)
	}
	return os.WriteFile(textPath, []byte(markdown(r, plots)), 0o644)
}

// markdown is the text of the report; plots maps names to paths.
func markdown(r *Results, plots map[string]string) string {
	var b strings.Builder
	preamble(&b, r)
	for _, c := range Contests {
		outcomes := r.Contests[c.Name]
		if outcomes == nil {
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", c.Title, c.Note)
		for _, name := range contestPlots[c.Name] {
			if plots[name] != "" {
				fmt.Fprintf(&b, "![%s](%s)\n\n", name, plots[name])
			}
		}
		switch {
		case c.Latency:
			latencyTable(&b, &c, outcomes)
		case c.Throughput:
			throughputTable(&b, &c, outcomes)
		default:
			cpuTable(&b, &c, outcomes)
		}
	}
	if r.Persistence != nil {
		tasksTable(&b, r.Persistence)
		besideTable(&b, r.Persistence)
	}
	memoryTable(&b, r, plots)
	collectionTable(&b, r)
	insightTable(&b, r)
	limitTable(&b, r)
	growthTable(&b, r)
	return b.String()
}

func preamble(b *strings.Builder, r *Results) {
	m := r.Machine
	fmt.Fprintf(b, `# Benchmarks

Shoal and redis-server side by side on one machine, measured by `+"`make bench`"+`, losses included. Both run at the same time
and take turns, so that whatever disturbs one disturbs the other; figures are medians over runs. The figure to
compare is the CPU time that the server spent per operation: throughput depends on who else uses the machine and,
with deep pipelines, on the load generator. Unless a table says otherwise there are 50 connections, one million
keys of 16 bytes and values of 32 bytes. P is the number of requests in a pipeline.

| | |
| --- | --- |
| Date | %s |
| CPU | %s, %d cores |
| Memory | %s |
| Kernel | %s |
| Go | %s |
`, m.Date, m.CPU, m.Cores, m.Memory, m.Kernel, m.Go)
	for _, name := range sortedKeys(r.Versions) {
		fmt.Fprintf(b, "| %s | %s |\n", name, r.Versions[name])
	}
	fmt.Fprintf(b, "| Runs | %s |\n", r.Settings)
	for _, label := range sortedKeys(r.Commands) {
		fmt.Fprintf(b, "| %s | `%s` |\n", label, r.Commands[label])
	}
	b.WriteString("\nA ratio is how many times less CPU time the second server takes. Raw figures: `docs/bench/results.json`.\n\n")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// goalMark says whether a goal was met.
func goalMark(met bool) string {
	if met {
		return "met"
	}
	return "**missed**"
}

func cpuTable(b *strings.Builder, c *Contest, outcomes []*Outcome) {
	fmt.Fprintf(b, "| | %s µs/op | %s µs/op | ratio | spread | goal | | %s ops/s | %s ops/s | others |\n", c.A.label, c.B.label, c.A.label, c.B.label)
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: |\n")
	for _, o := range outcomes {
		s, goal := c.find(o.Scenario)
		if o.Err != "" {
			fmt.Fprintf(b, "| %s | %s |\n", s.describe(), o.Err)
			continue
		}
		ratio := o.Ratio(cpuMicros)
		wanted, mark := "", ""
		if goal > 0 {
			wanted, mark = fmt.Sprintf("%g", goal), goalMark(ratio.Median >= goal)
		}
		fmt.Fprintf(b, "| %s | %.3f | %.3f | %.2f | %.2f–%.2f | %s | %s | %s | %s | %.0f %% |\n", s.describe(),
			stat(o.A, cpuMicros).Median, stat(o.B, cpuMicros).Median, ratio.Median, ratio.Min, ratio.Max, wanted, mark,
			throughputCell(o.A), throughputCell(o.B), 100*max(stat(o.A, foreign).Max, stat(o.B, foreign).Max))
	}
	b.WriteString("\n\"Others\": the most of a core that unrelated processes took during a run. *: the load generator was the limit.\n\n")
}

// generatorLimit is the share of its time that a load generator is busy when it is what limits throughput.
const generatorLimit = 0.97

func throughputCell(samples []Sample) string {
	mark := ""
	server := stat(samples, func(s Sample) float64 { return s.Busy }).Median
	client := stat(samples, func(s Sample) float64 { return s.ClientBusy }).Median
	if client > generatorLimit && server < generatorLimit {
		mark = "*"
	}
	return thousands(stat(samples, throughput).Median) + mark
}

// thousands writes a number with separators.
func thousands(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// find gives the scenario of an outcome and its goal.
func (c *Contest) find(name string) (Scenario, float64) {
	s := Scenario{Name: name, Words: []string{name}}
	if i := slices.IndexFunc(Scenarios, func(s Scenario) bool { return s.Name == name }); i >= 0 {
		s = Scenarios[i]
	}
	for _, goal := range c.Goals {
		if goal.Scenario == name {
			return s, goal.Ratio
		}
	}
	return s, 0
}

// percentileFigures are the rows of a latency table.
var percentileFigures = []struct {
	name   string
	figure func(Sample) float64
	loose  bool // a goal above 1 is not for this one
}{{"p50", p50, true}, {"p99", p99, false}, {"p99.9", p999, true}}

func latencyTable(b *strings.Builder, c *Contest, outcomes []*Outcome) {
	fmt.Fprintf(b, "| | | %s ms | %s ms | ratio | |\n| --- | --- | ---: | ---: | ---: | --- |\n", c.A.label, c.B.label)
	for _, o := range outcomes {
		s, goal := c.find(o.Scenario)
		for _, p := range percentileFigures {
			// Of medians, not of pairs: one stall of the machine would decide a pair.
			before, after := stat(o.A, p.figure).Median, stat(o.B, p.figure).Median
			ratio := before / max(after, 1e-9)
			mark := ""
			if !p.loose || goal <= 1 {
				mark = goalMark(ratio >= goal)
			}
			fmt.Fprintf(b, "| %s | %s | %.3f | %.3f | %.2f | %s |\n", s.describe(), p.name, before, after, ratio, mark)
		}
	}
	b.WriteString("\n")
}

// throughputTable compares operations a second: the ratio is B's over A's.
func throughputTable(b *strings.Builder, c *Contest, outcomes []*Outcome) {
	fmt.Fprintf(b, "| | %s op/s | %s op/s | ratio | range | goal | |\n| --- | ---: | ---: | ---: | --- | --- | --- |\n", c.A.label, c.B.label)
	for _, o := range outcomes {
		s, goal := c.find(o.Scenario)
		if o.Err != "" {
			fmt.Fprintf(b, "| %s | %s |\n", s.describe(), o.Err)
			continue
		}
		swapped := Outcome{A: o.B, B: o.A}
		ratio := swapped.Ratio(throughput)
		text := "–"
		if goal > 0 {
			text = fmt.Sprintf("%.1f", goal)
		}
		fmt.Fprintf(b, "| %s | %.0f | %.0f | %.2f | %.2f-%.2f | %s | %s |\n", s.describe(), stat(o.A, throughput).Median, stat(o.B, throughput).Median,
			ratio.Median, ratio.Min, ratio.Max, text, goalMark(ratio.Median >= goal))
	}
	b.WriteString("\n")
}

func memoryTable(b *strings.Builder, r *Results, plots map[string]string) {
	if len(r.Memory) == 0 {
		return
	}
	b.WriteString("## Memory\n\nResident memory of a fresh server, and the same over the number of keys. \"Growing\": the most per key at any\nmoment of loading after the first million.\n\n")
	if plots["memory"] != "" {
		fmt.Fprintf(b, "![memory](%s)\n\n", plots["memory"])
	}
	b.WriteString("| | redis-server | Shoal | redis-server B/key | Shoal B/key | redis-server growing | Shoal growing | goal | |\n")
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |\n")
	for _, m := range MemoryCases {
		pair := r.Memory[m.Name]
		if pair == nil || pair.Redis == nil || pair.Shoal == nil {
			continue
		}
		goal, met := m.verdict(pair.Shoal, pair.Redis)
		fmt.Fprintf(b, "| %s | %.1f MB | %.1f MB | %s | %s | %s | %s | %s | %s |\n", m.Title, megabytes(pair.Redis.RSS), megabytes(pair.Shoal.RSS),
			perKey(m.Keys, pair.Redis.PerKey), perKey(m.Keys, pair.Shoal.PerKey),
			perKey(m.Keys, pair.Redis.WorstPerKey), perKey(m.Keys, pair.Shoal.WorstPerKey), goal, goalMark(met))
	}
	b.WriteString("\n")
}

func collectionTable(b *strings.Builder, r *Results) {
	if len(r.Collections) == 0 {
		return
	}
	b.WriteString("## Memory of collections\n\nBy how much the resident memory of a fresh server grows. Goal: at most that share of what redis-server takes.\n\n")
	b.WriteString("| | redis-server | Shoal | share | goal | |\n| --- | ---: | ---: | ---: | ---: | --- |\n")
	for _, m := range CollectionCases {
		pair := r.Collections[m.Name]
		if pair == nil {
			continue
		}
		share, shown, mark := pair.share(), "", ""
		if share > 0 {
			shown, mark = fmt.Sprintf("%.0f %%", 100*share), goalMark(share <= m.Share)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %.0f %% | %s |\n", m.Title, pair.Redis.cell(), pair.Shoal.cell(), shown, 100*m.Share, mark)
	}
	b.WriteString("\n")
}

func (r *CollectionResult) cell() string {
	if r.Err != "" {
		return r.Err
	}
	return fmt.Sprintf("%.1f MB", megabytes(r.Growth))
}

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func perKey(keys int64, v float64) string {
	if keys == 0 || v == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", v)
}

func growthTable(b *strings.Builder, r *Results) {
	if len(r.Growth) == 0 {
		return
	}
	fmt.Fprintf(b, "## Growth\n\nFrom nothing to %s keys at full speed, one connection, batches of %d: the slowest batch of a run shows whether tables grow in steps. Goal: %d ms.\n\n",
		thousands(growthKeys), growthBatchSize, growthGoalMS)
	b.WriteString("| | slowest batch, ms | of all runs | p99.9, ms | ops/s | others | |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |\n")
	trace := ""
	for _, label := range []string{redis.label, shoal.label} {
		g := r.Growth[label]
		if g == nil {
			continue
		}
		worst := summary(g.WorstMS)
		mark := ""
		if label == shoal.label {
			mark, trace = goalMark(worst.Median <= growthGoalMS), g.GCTrace
		}
		fmt.Fprintf(b, "| %s | %.2f | %.2f–%.2f | %.2f | %s | %.0f %% | %s |\n", label, worst.Median, worst.Min, worst.Max,
			summary(g.P999MS).Median, thousands(summary(g.Throughput).Median), 100*summary(g.Foreign).Max, mark)
	}
	if trace != "" {
		fmt.Fprintf(b, "\nShoal's last garbage collection with all keys in place (`GODEBUG=gctrace=1`):\n\n    %s\n", trace)
	}
}

func summary(values []float64) Stat { return stat(values, func(v float64) float64 { return v }) }

// contestPlots names the plots that belong to a contest.
var contestPlots = map[string][]string{
	"one-reactor": {"cpu", "throughput", "single"},
	"gnet":        {"gnet"},
	"latency":     {"latency"},
}

// charts draws what the results allow.
func charts(r *Results) map[string]*chart {
	all := map[string]*chart{}
	add := func(name string, c *chart) {
		if slices.ContainsFunc(c.panels, func(p panel) bool { return len(p.groups) > 0 }) {
			all[name] = c
		}
	}
	one, other := r.Contests["one-reactor"], r.Contests["gnet"]
	add("cpu", pipelineChart(one, shoal, "CPU time per operation, one core", "server µs per operation, less is better", cpuMicros))
	add("throughput", pipelineChart(one, shoal, "Throughput, one core", "operations per second, more is better", throughput))
	add("gnet", pipelineChart(other, gnet, "CPU time per operation, one core, gnet", "server µs per operation, less is better", cpuMicros))
	add("single", singleChart(r))
	add("latency", latencyChart(r))
	add("memory", memoryChart(r))
	return all
}

// bars gives a figure of both contenders for a scenario, nil if it was not measured.
func bars(outcomes []*Outcome, scenario string, figure func(Sample) float64) []Stat {
	for _, o := range outcomes {
		if o.Scenario == scenario && o.Err == "" {
			return []Stat{stat(o.A, figure), stat(o.B, figure)}
		}
	}
	return nil
}

// pipelineChart shows GET and SET at three depths of pipeline, each in a panel.
func pipelineChart(outcomes []*Outcome, contender setup, title, unit string, figure func(Sample) float64) *chart {
	c := &chart{title: title, unit: unit, series: []string{redis.label, contender.label}}
	for _, p := range []string{"1", "16", "100"} {
		next := panel{title: "P=" + p}
		for _, command := range []string{"get", "set"} {
			if stats := bars(outcomes, command+"-p"+p, figure); len(stats) > 0 {
				next.groups = append(next.groups, group{strings.ToUpper(command), stats})
			}
		}
		c.panels = append(c.panels, next)
	}
	return c
}

func singleChart(r *Results) *chart {
	c := &chart{title: "One busy connection, P=100", unit: "server µs per operation", series: []string{redis.label, shoal.label}, panels: []panel{{}}}
	for _, command := range []string{"get", "set"} {
		if stats := bars(r.Contests["one-reactor"], command+"-single-p100", cpuMicros); len(stats) > 0 {
			c.panels[0].groups = append(c.panels[0].groups, group{strings.ToUpper(command), stats})
		}
	}
	return c
}

func latencyChart(r *Results) *chart {
	c := &chart{title: "Latency at 50,000 operations a second", unit: "ms, less is better", series: []string{redis.label, shoal.label}}
	for _, o := range r.Contests["latency"] {
		if o.Err != "" {
			continue
		}
		for _, p := range percentileFigures {
			// Percentiles differ by orders of magnitude: each has a panel.
			label := "GET"
			if o.Scenario == "mix-rate-50k" {
				label = "GET:SET 4:1"
			}
			c.panels = append(c.panels, panel{title: p.name, groups: []group{{label, []Stat{stat(o.A, p.figure), stat(o.B, p.figure)}}}})
		}
	}
	return c
}

func memoryChart(r *Results) *chart {
	c := &chart{title: "Memory per key", unit: "bytes resident per key of 16 B and value of 32 B", series: []string{redis.label, shoal.label}, panels: []panel{{}}}
	for _, m := range MemoryCases {
		if pair := r.Memory[m.Name]; pair != nil && m.Keys >= steadyKeys {
			label := "no expiry"
			if m.ExpireSec > 0 {
				label = "with expiry"
			}
			c.panels[0].groups = append(c.panels[0].groups, group{label, []Stat{exactly(pair.Redis.PerKey), exactly(pair.Shoal.PerKey)}})
		}
	}
	return c
}

func exactly(v float64) Stat { return Stat{v, v, v} }
