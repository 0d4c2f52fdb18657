package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/latency"
)

var latencyCommands = []command.Spec{
	{Name: "LATENCY", Arity: -2, Group: command.GroupServer, Since: "2.8.13", Complexity: "Depends on subcommand.",
		Summary: "Commands about what takes long.", Subcommands: []command.Spec{
			latencySub("DOCTOR", 2, "Says what the events mean and what can be done.", latencyDoctor),
			latencySub("GRAPH", 3, "Draws the history of an event.", latencyGraph, latencyEventArg),
			helpSub("2.8.13", 0, latencyHelp),
			latencyHistogramSub(),
			latencySub("HISTORY", 3, "Shows when an event took how long.", latencyHistory, latencyEventArg),
			latencySub("LATEST", 2, "Shows the latest time of each event.", latencyLatest),
			latencyResetSub(),
		}},
}

var latencyEventArg = command.Arg{Name: "event", Type: command.ArgString}

func latencySub(name string, arity int, summary string, run func(*command.Ctx), args ...command.Arg) command.Spec {
	return command.Spec{Name: name, Arity: arity, Flags: command.Admin | command.NoScript | command.Loading | command.Stale, Group: command.GroupServer,
		Since: "2.8.13", Complexity: "O(1)", Summary: summary, Tips: []string{arbitrary, "request_policy:all_nodes", "response_policy:special"}, Args: args, Run: run}
}

func latencyHistogramSub() command.Spec {
	s := latencySub("HISTOGRAM", -2, "Shows how long calls of commands took.", latencyHistogram,
		command.Arg{Name: "command", Type: command.ArgString, Optional: true, Multiple: true})
	s.Flags |= command.Barrier
	s.Since = "7.0.0"
	s.Complexity = "O(N) where N is the number of commands with latency information being retrieved."
	return s
}

func latencyResetSub() command.Spec {
	s := latencySub("RESET", -2, "Forgets events.", latencyReset, command.Arg{Name: "event", Type: command.ArgString, Optional: true, Multiple: true})
	s.Tips = []string{"request_policy:all_nodes", "response_policy:all_succeeded"}
	return s
}

var latencyHelp = []string{
	"DOCTOR", "    What the events mean, and what can be done.",
	"GRAPH <event>", "    The history of an event as a picture.",
	"HISTOGRAM [<command> ...]", "    How many calls of each command, or of these, took at most so many microseconds.",
	"HISTORY <event>", "    Unix times, and milliseconds that the event took then.",
	"LATEST", "    Of each event: Unix time and milliseconds of the latest one, milliseconds of the longest.",
	"RESET [<event> ...]", "    Forget these events, or all.",
}

func monitorOf(c *command.Ctx) *latency.Monitor { return &client(c).reactor.srv.latency }

func latencyLatest(c *command.Ctx) {
	all := monitorOf(c).All()
	c.Reply.Array(len(all))
	for i := range all {
		s := &all[i]
		last := s.Samples[len(s.Samples)-1]
		c.Reply.Array(4)
		c.Reply.BulkString(s.Event)
		c.Reply.Int(last.Time)
		c.Reply.Int(last.MS)
		c.Reply.Int(s.Max)
	}
}

func latencyHistory(c *command.Ctx) {
	samples := monitorOf(c).History(string(c.Args[2]))
	c.Reply.Array(len(samples))
	for _, x := range samples {
		c.Reply.Array(2)
		c.Reply.Int(x.Time)
		c.Reply.Int(x.MS)
	}
}

func latencyReset(c *command.Ctx) {
	m := monitorOf(c)
	if len(c.Args) == 2 {
		c.Reply.Int(int64(m.Reset("")))
		return
	}
	n := 0
	for _, event := range c.Args[2:] {
		if len(event) > 0 {
			n += m.Reset(string(event))
		}
	}
	c.Reply.Int(int64(n))
}

func latencyGraph(c *command.Ctx) {
	for _, s := range monitorOf(c).All() {
		if s.Event == string(c.Args[2]) {
			c.Reply.Verbatim("txt", s.Graph(time.Now().Unix()))
			return
		}
	}
	c.Error(command.Error("ERR No samples available for event '" + string(c.Args[2]) + "'"))
}

// latencyAdvice is what the doctor says about an event.
var latencyAdvice = map[string]string{
	eventCommand: "SLOWLOG GET shows the commands that took longer than slowlog-log-slower-than. Commands on very large values are what to look for first: " +
		"use those that work in pieces (SCAN and its kin, ranges), or make several values of one.",
	eventFastCommand: "These commands do little, so something kept the server from running: another process on its cores, a virtual machine that is not " +
		"given its time, or memory that is swapped. redis-cli --intrinsic-latency shows what the machine itself does.",
	eventExpireCycle: "Deleting expired keys is bounded in time, so the process was interrupted meanwhile; see fast-command.",
}

// otherAdvice is about events of files and of freeing memory, by the beginning of their names.
var otherAdvice = []struct{ prefix, text string }{
	{"aof-fsync", "appendfsync always waits for the disk with each reply; everysec does not."},
	{"aof-", "The disk is slow, or busy with something else. A local disk of its own helps; so does no-appendfsync-on-rewrite while a rewrite is what it is busy with."},
	{"eviction-", "Much was evicted at a time: maxmemory was lowered, or one command stored a very large value. maxmemory-eviction-tenacity bounds how long eviction may take."},
	{"snapshot-", "Beginning a snapshot takes all locks for a moment. Fewer shards make that shorter; so do shorter transactions and scripts."},
}

func adviceFor(event string) string {
	if text := latencyAdvice[event]; text != "" {
		return text
	}
	for _, a := range otherAdvice {
		if strings.HasPrefix(event, a.prefix) {
			return a.text
		}
	}
	return ""
}

func latencyDoctor(c *command.Ctx) {
	s := client(c).reactor.srv
	c.Reply.Verbatim("txt", s.latencyReport(time.Now().Unix()))
}

// latencyReport returns what LATENCY DOCTOR says.
func (s *Server) latencyReport(unix int64) string {
	v := s.cfg.Load()
	all := s.latency.All()
	switch {
	case len(all) == 0 && v.LatencyMonitorThreshold == 0:
		return "Nothing is watched: CONFIG SET latency-monitor-threshold <milliseconds> makes the server note what takes longer.\n"
	case len(all) == 0:
		return fmt.Sprintf("Nothing took longer than %d ms so far.\n", v.LatencyMonitorThreshold)
	}
	var b strings.Builder
	b.WriteString("These events took long:\n\n")
	for i := range all {
		x := all[i].Summary(unix)
		fmt.Fprintf(&b, "%d. %s: %d times, one in %.1f seconds; %d ms on average (mean deviation %d ms), %d ms at worst.\n",
			i+1, all[i].Event, x.Samples, float64(x.Period)/float64(max(x.Samples, 1)), x.Avg, x.MeanDeviation, x.AllTimeHigh)
	}
	b.WriteString("\nAdvice:\n\n")
	for i := range all {
		if text := adviceFor(all[i].Event); text != "" {
			fmt.Fprintf(&b, "- %s: %s\n", all[i].Event, text)
		}
	}
	if ms := v.LatencyMonitorThreshold; v.SlowLogSlowerThanUS < 0 || ms > 0 && v.SlowLogSlowerThanUS/1000 > ms {
		fmt.Fprintf(&b, "- The slow log does not show commands that are as fast as the events above: CONFIG SET slowlog-log-slower-than %d makes it.\n", max(ms, 1)*1000)
	}
	return b.String()
}

// callCounts is how long the calls of one command took, on all reactors.
type callCounts struct {
	spec   *command.Spec
	counts latency.Counts
}

// sumCalls adds up what the reactors know of each command. It returns those that were called.
func sumCalls(t *command.Table, parts [][]callStats) (all []callCounts) {
	t.Each(func(spec *command.Spec) {
		c := callCounts{spec: spec}
		found := false
		for _, calls := range parts {
			if h := calls[spec.Index()].latency; h != nil {
				h.AddTo(&c.counts)
				found = true
			}
		}
		if found && c.counts.Total() > 0 {
			all = append(all, c)
		}
	})
	return all
}

// copyCalls returns a copy of what the reactor knows of all commands, for other goroutines.
func (r *reactor) copyCalls() []callStats {
	list := make([]callStats, len(r.calls))
	for i := range r.calls {
		list[i] = r.calls[i]
		if h := list[i].latency; h != nil {
			copied := *h
			list[i].latency = &copied
		}
	}
	return list
}

func latencyHistogram(c *command.Ctx) {
	cl, table := client(c), c.Table
	var asked []*command.Spec
	for _, name := range c.Args[2:] {
		if spec := table.Find(string(name)); spec != nil {
			asked = append(asked, spec)
		}
	}
	everything := len(c.Args) == 2
	gather(cl, (*reactor).copyCalls, func(w *resp.Writer, parts [][]callStats) {
		var shown []callCounts
		all := sumCalls(table, parts)
		if everything {
			shown = all
		}
		for _, spec := range asked {
			for i := range all {
				if all[i].spec == spec || all[i].spec.Parent() == spec {
					shown = append(shown, all[i])
				}
			}
		}
		w.Map(len(shown))
		for i := range shown {
			writeHistogram(w, &shown[i])
		}
	})
}

func writeHistogram(w *resp.Writer, c *callCounts) {
	w.BulkString(c.spec.FullName())
	w.Map(2)
	w.BulkString("calls")
	w.Int(c.counts.Total())
	w.BulkString("histogram_usec")
	steps := c.counts.PowersOfTwo()
	w.Map(len(steps))
	for _, s := range steps {
		w.Int(s.Micros)
		w.Int(s.Count)
	}
}
