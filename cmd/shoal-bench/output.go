package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shoaldb/shoal/bench/load"
)

// printer writes results in redis-benchmark's forms.
type printer struct {
	config *config
	out    io.Writer
	// settings of the server, as the report quotes them; known is false if it would not tell.
	save, appendOnly string
	known            bool

	live int // width of the live line on the terminal
	last load.Progress
}

func ms(ns int64) float64 { return float64(ns) / 1e6 }

// csvHeader is the first line of --csv.
func (p *printer) csvHeader() {
	const columns = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"`
	fmt.Fprint(p.out, columns)
	if p.config.rate > 0 {
		fmt.Fprint(p.out, `,"p99.9_latency_ms","late"`)
	}
	if p.config.measuresServer() {
		fmt.Fprint(p.out, `,"server_cpu_us_per_op","server_rss_bytes"`)
	}
	fmt.Fprintln(p.out)
}

// result writes one test's result in the form the command line asks for.
func (p *printer) result(r *load.Result) {
	p.clearLine()
	switch {
	case p.config.csv:
		p.csvRow(r)
	case p.config.quiet:
		p.line(r)
	default:
		p.report(r)
	}
}

func (p *printer) csvRow(r *load.Result) {
	h := r.Latency
	fmt.Fprintf(p.out, "\"%s\",\"%.2f\",\"%.3f\",\"%.3f\",\"%.3f\",\"%.3f\",\"%.3f\",\"%.3f\"", r.Name, r.Throughput(),
		h.Mean()/1e6, ms(h.Min()), ms(h.ValueAtPercentile(50)), ms(h.ValueAtPercentile(95)), ms(h.ValueAtPercentile(99)), ms(h.Max()))
	if p.config.rate > 0 {
		fmt.Fprintf(p.out, ",\"%.3f\",\"%d\"", ms(h.ValueAtPercentile(99.9)), r.Late)
	}
	if r.Server != nil {
		fmt.Fprintf(p.out, ",\"%.3f\",\"%d\"", r.CPUMicros(), r.Server.RSSBytes)
	}
	fmt.Fprintln(p.out)
}

func (p *printer) line(r *load.Result) {
	fmt.Fprintf(p.out, "%s: %.2f requests per second, p50=%.3f msec", r.Name, r.Throughput(), ms(r.Latency.ValueAtPercentile(50)))
	if p.config.rate > 0 {
		fmt.Fprintf(p.out, ", p99=%.3f msec, p99.9=%.3f msec, late=%d", ms(r.Latency.ValueAtPercentile(99)), ms(r.Latency.ValueAtPercentile(99.9)), r.Late)
	}
	if r.Server != nil {
		fmt.Fprintf(p.out, ", server cpu=%.3f usec/op", r.CPUMicros())
	}
	fmt.Fprintln(p.out)
}

func (p *printer) report(r *load.Result) {
	c := p.config
	fmt.Fprintf(p.out, "====== %s ======\n", r.Name)
	fmt.Fprintf(p.out, "  %d requests completed in %.2f seconds\n", r.Requests, r.Elapsed.Seconds())
	fmt.Fprintf(p.out, "  %d parallel clients\n  %d bytes payload\n  keep alive: %d\n", c.clients, c.dataSize, c.keepAlive)
	if p.known {
		fmt.Fprintf(p.out, "  host configuration \"save\": %s\n  host configuration \"appendonly\": %s\n", p.save, p.appendOnly)
	}
	if c.threads == 0 {
		fmt.Fprint(p.out, "  multi-thread: no\n")
	} else {
		fmt.Fprintf(p.out, "  multi-thread: yes\n  threads: %d\n", c.threads)
	}
	if c.rate > 0 {
		fmt.Fprintf(p.out, "  open loop: %.0f requests per second wanted, %d sent over %v late (worst %.3f milliseconds)\n",
			c.rate, r.Late, load.LateAfter, ms(int64(r.WorstLate)))
	}
	fmt.Fprint(p.out, "\nLatency by percentile distribution:\n")
	printDistribution(p.out, percentiles(r.Latency))
	fmt.Fprint(p.out, "\nCumulative distribution of latencies:\n")
	printDistribution(p.out, cumulative(r.Latency))
	p.summary(r)
}

func (p *printer) summary(r *load.Result) {
	h := r.Latency
	fmt.Fprintf(p.out, "\nSummary:\n  throughput summary: %.2f requests per second\n  latency summary (msec):\n", r.Throughput())
	fmt.Fprintf(p.out, "    %9s %9s %9s %9s %9s %9s\n", "avg", "min", "p50", "p95", "p99", "max")
	fmt.Fprintf(p.out, "    %9.3f %9.3f %9.3f %9.3f %9.3f %9.3f\n", h.Mean()/1e6, ms(h.Min()),
		ms(h.ValueAtPercentile(50)), ms(h.ValueAtPercentile(95)), ms(h.ValueAtPercentile(99)), ms(h.Max()))
	if r.Nulls > 0 {
		fmt.Fprintf(p.out, "  null replies: %d\n", r.Nulls)
	}
	if u := r.Server; u != nil {
		fmt.Fprintf(p.out, "  server: %.3f usec CPU per request (user %.0f %%), %.2f cores busy, %.1f MB resident\n", r.CPUMicros(),
			100*u.User.Seconds()/max((u.User+u.System).Seconds(), 1e-9), u.CPU.Seconds()/r.Elapsed.Seconds(), float64(u.RSSBytes)/(1<<20))
		for _, t := range u.Threads {
			if t.CPU*100 >= u.CPU {
				fmt.Fprintf(p.out, "    thread %-8d %-16s %.3f usec per request\n", t.ID, t.Name, t.CPU.Seconds()*1e6/float64(r.Requests))
			}
		}
		if r.ClientCPU > 0 {
			fmt.Fprintf(p.out, "  load generator: %.3f usec CPU per request, %.2f cores busy\n",
				r.ClientCPU.Seconds()*1e6/float64(r.Requests), r.ClientCPU.Seconds()/r.Elapsed.Seconds())
		}
	}
}

// step is one line of a distribution: count requests took at most value.
type step struct {
	percent float64
	value   int64 // ns
	count   int64
}

func printDistribution(out io.Writer, steps []step) {
	for _, s := range steps {
		fmt.Fprintf(out, "%3.3f%% <= %.3f milliseconds (cumulative count %d)\n", s.percent, ms(s.value), s.count)
	}
}

// percentiles gives the latencies at 0, 50, 75, 87.5 % and so on, halving the rest each time, down to the
// last request.
func percentiles(h *hdrhistogram.Histogram) []step {
	total := h.TotalCount()
	if total == 0 {
		return nil
	}
	bars := h.Distribution()
	countAt := func(value int64) (n int64) {
		for _, bar := range bars {
			if bar.From > value {
				break
			}
			n += bar.Count
		}
		return n
	}
	var steps []step
	add := func(percent float64, value int64) {
		s := step{percent, value, countAt(value)}
		if len(steps) == 0 || steps[len(steps)-1].count != s.count || s.count == total {
			steps = append(steps, s)
		}
	}
	add(0, h.ValueAtPercentile(0))
	for rest := 50.0; len(steps) < 64 && steps[len(steps)-1].count < total; rest /= 2 {
		add(100-rest, h.ValueAtPercentile(100-rest))
	}
	add(100, h.Max())
	return steps
}

// cumulative counts the requests up to 0.1, 0.2 ... 2 ms, then up to every further millisecond, leaving out
// what adds none.
func cumulative(h *hdrhistogram.Histogram) []step {
	total := h.TotalCount()
	if total == 0 {
		return nil
	}
	var steps []step
	count, edge := int64(0), int64(100_000)
	previous := int64(-1)
	emit := func() {
		if count != previous || count == total {
			steps = append(steps, step{100 * float64(count) / float64(total), edge, count})
			previous = count
		}
	}
	for _, bar := range h.Distribution() {
		for bar.Count > 0 && bar.To > edge {
			emit()
			width := int64(100_000)
			if edge >= 2_000_000 {
				width = 1_000_000
			}
			// Straight to the first edge that matters, or two minutes would take 120,000 turns.
			edge += width * max(1, (bar.To-edge)/width)
			if edge > 2_000_000 {
				edge = (edge + 999_999) / 1_000_000 * 1_000_000
			}
		}
		count += bar.Count
	}
	emit()
	return steps
}

// progress draws the live line.
func (p *printer) progress(now load.Progress) {
	if now.Done < p.last.Done || now.Name != p.last.Name {
		p.last = load.Progress{Name: now.Name}
	}
	rate := func(a, b load.Progress) float64 {
		return float64(a.Done-b.Done) / max((a.Elapsed-b.Elapsed).Seconds(), 1e-9)
	}
	mean := func(a, b load.Progress) float64 {
		if a.Done == b.Done {
			return math.NaN()
		}
		return float64(a.LatencySum-b.LatencySum) / float64(a.Done-b.Done) / 1e6
	}
	var zero load.Progress
	line := fmt.Sprintf("%s: rps=%.1f (overall: %.1f) avg_msec=%.3f (overall: %.3f)", now.Name,
		rate(now, p.last), rate(now, zero), mean(now, p.last), mean(now, zero))
	fmt.Fprintf(p.out, "\r%-*s", p.live, line)
	p.live, p.last = len(line), now
}

func (p *printer) clearLine() {
	if p.live > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.live))
		p.live = 0
	}
}

// record is a result in the JSON output. Latencies are in milliseconds.
type record struct {
	Test        string             `json:"test"`
	Requests    int64              `json:"requests"`
	Seconds     float64            `json:"seconds"`
	RPS         float64            `json:"rps"`
	LatencyMS   map[string]float64 `json:"latency_ms"`
	Errors      int64              `json:"errors"`
	FirstError  string             `json:"first_error,omitempty"`
	Nulls       int64              `json:"nulls"`
	WantedRPS   float64            `json:"wanted_rps,omitempty"`
	Late        int64              `json:"late,omitempty"`
	WorstLateMS float64            `json:"worst_late_ms,omitempty"`
	ClientCPU   float64            `json:"client_cpu_seconds,omitempty"`
	Server      *serverRecord      `json:"server,omitempty"`
}

type serverRecord struct {
	CPUMicrosPerOp float64            `json:"cpu_us_per_op"`
	UserSeconds    float64            `json:"user_seconds"`
	SystemSeconds  float64            `json:"system_seconds"`
	CPUSeconds     float64            `json:"cpu_seconds"`
	RSSBytes       int64              `json:"rss_bytes"`
	ThreadSeconds  map[string]float64 `json:"thread_seconds"`
}

func (c *config) record(r *load.Result) record {
	h := r.Latency
	rec := record{
		Test: r.Name, Requests: r.Requests, Seconds: r.Elapsed.Seconds(), RPS: r.Throughput(),
		LatencyMS: map[string]float64{"avg": h.Mean() / 1e6, "min": ms(h.Min()), "max": ms(h.Max())},
		Errors:    r.Errors, FirstError: r.FirstError, Nulls: r.Nulls,
		WantedRPS: c.rate, Late: r.Late, WorstLateMS: ms(int64(r.WorstLate)), ClientCPU: r.ClientCPU.Seconds(),
	}
	for _, q := range []float64{50, 90, 95, 99, 99.9, 99.99} {
		rec.LatencyMS[fmt.Sprintf("p%g", q)] = ms(h.ValueAtPercentile(q))
	}
	if u := r.Server; u != nil {
		rec.Server = &serverRecord{CPUMicrosPerOp: r.CPUMicros(), UserSeconds: u.User.Seconds(), SystemSeconds: u.System.Seconds(),
			CPUSeconds: u.CPU.Seconds(), RSSBytes: u.RSSBytes, ThreadSeconds: map[string]float64{}}
		for _, t := range u.Threads {
			rec.Server.ThreadSeconds[fmt.Sprintf("%s/%d", t.Name, t.ID)] = t.CPU.Seconds()
		}
	}
	return rec
}

func writeJSON(path string, out io.Writer, records []record) error {
	b, err := json.MarshalIndent(records, "", "  ")
	if err != nil {
		return err
	}
	b = append(b, '\n')
	if path == "-" {
		_, err = out.Write(b)
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// appendHDR adds one test's percentiles to the --hdr file.
func appendHDR(path string, r *load.Result) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Fprintf(f, "#[%s, %s, latency in milliseconds]\n", r.Name, time.Now().UTC().Format(time.RFC3339))
	_, err = r.Latency.PercentilesPrint(f, 5, 1e6)
	return err
}
