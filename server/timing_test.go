package server

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/config"
)

// measuring returns a reactor that can measure calls, and nothing else.
func measuring(track bool) (*reactor, *command.Table) {
	table := command.NewTable(command.StringCommands)
	s := &Server{table: table}
	s.setThresholds(&config.Values{SlowLogSlowerThanUS: 10000, LatencyTracking: track})
	return &reactor{srv: s, calls: make([]callStats, table.Count()), lastRun: nanotime()}, table
}

// processMicros returns the CPU time of the process.
func processMicros() int64 {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return (u.Utime.Nano() + u.Stime.Nano()) / 1000
}

// What it costs that commands are measured, counted and put into histograms, per command of a pipeline: reading the
// clock included.
func BenchmarkMeasure(b *testing.B) {
	for _, track := range []bool{true, false} {
		for _, mixed := range []bool{false, true} {
			for _, batch := range []int{1, 16, batchCommands} {
				b.Run(fmt.Sprintf("track=%v/mixed=%v/batch=%d", track, mixed, batch), func(b *testing.B) {
					r, table := measuring(track)
					cl := &Client{reactor: r}
					specs := [2]*command.Spec{table.Find("get"), table.Find("get")}
					if mixed {
						specs[1] = table.Find("set")
					}
					b.ReportAllocs()
					before := processMicros()
					for b.Loop() {
						for i := range batch {
							r.note(specs[i&1], false)
						}
						r.account(cl, &r.batch)
					}
					cpu := float64(processMicros()-before) * 1000
					b.ReportMetric(cpu/float64(b.N*batch), "cpu-ns/command") // on a busy machine, what counts
				})
			}
		}
	}
}

// The time of a batch is shared among its calls, and each is counted once.
func TestSettle(t *testing.T) {
	r, table := measuring(true)
	get, set := table.Find("get"), table.Find("set")
	cl := &Client{reactor: r}
	for i := range 30 {
		r.note(get, i == 0)
		if i%3 == 0 {
			r.note(set, false)
		}
	}
	r.lastRun = nanotime() - 40_000
	r.account(cl, &r.batch)
	g, s := &r.calls[get.Index()], &r.calls[set.Index()]
	if g.calls != 30 || g.failed != 1 || s.calls != 10 || cl.commands != 40 || r.stats.commands.Load() != 40 {
		t.Errorf("%+v %+v, %d of the client", *g, *s, cl.commands)
	}
	if g.nanos < 30_000 || s.nanos < 10_000 || g.nanos != 3*s.nanos {
		t.Errorf("%d and %d ns", g.nanos, s.nanos)
	}
	var total int64
	for _, c := range sumCalls(table, [][]callStats{r.copyCalls()}) {
		total += c.counts.Total()
	}
	if total != 40 {
		t.Errorf("%d in the histograms", total)
	}
}
