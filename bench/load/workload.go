package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Workload is what one pass sends.
type Workload struct {
	Name         string
	Commands     []Command
	Pipeline     int   // requests a batch; 0 counts as 1
	Replies      int   // to each request, which may be several commands; 0 counts as 1
	Keys         int64 // key space; 0 sends key marks unreplaced
	Distribution Distribution
	Seed         uint64

	Requests int64         // requests to send; 0: until Duration has passed
	Duration time.Duration // 0: until Requests are sent; one batch at least is sent
	Rate     float64       // requests a second, open loop; 0: closed loop

	// KeepErrors goes on although the server has answered nothing but errors. Without it such a pass is
	// abandoned: its figures would mean nothing.
	KeepErrors bool
	// Precision is the number of significant digits of latencies, 1 to 5; 0 counts as 3.
	Precision int
}

func (w *Workload) check() error {
	w.Pipeline, w.Replies = max(w.Pipeline, 1), max(w.Replies, 1)
	if w.Precision == 0 {
		w.Precision = 3
	}
	switch {
	case len(w.Commands) == 0:
		return errors.New("workload has no command")
	case w.Requests <= 0 && w.Duration <= 0:
		return errors.New("workload has neither a number of requests nor a duration")
	case w.Keys > maxKeys:
		return fmt.Errorf("key space %d is larger than %d", w.Keys, int64(maxKeys))
	case w.Rate < 0:
		return errors.New("rate is negative")
	}
	return nil
}

// Result is what one pass measured.
type Result struct {
	Name     string
	Requests int64         // answered
	Elapsed  time.Duration // from the first send to the last reply
	Latency  *hdrhistogram.Histogram

	Errors     int64 // error replies
	FirstError string
	Nulls      int64 // null replies: with GET, misses
	// Abandoned tells that the server answered with errors only, so the pass was cut short.
	Abandoned bool

	// Open loop: requests sent more than LateAfter after they were due, and the worst of them.
	// A late send is the fault of the generator or of a connection whose socket is full; its
	// latency still runs from the time it was due.
	Late      int64
	WorstLate time.Duration

	// ClientCPU is the CPU time of the generator's threads, 0 with the portable engine. Near Elapsed times
	// threads, the generator was what limited a closed loop.
	ClientCPU time.Duration

	Server *Usage // what the server used meanwhile, if Options.ServerPID is set
}

// LateAfter is the delay beyond which an open-loop send counts as late.
const LateAfter = time.Millisecond

// Throughput is in requests a second.
func (r *Result) Throughput() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Requests) / r.Elapsed.Seconds()
}

// Percentile gives the latency that a fraction of p percent of the requests did not exceed.
func (r *Result) Percentile(p float64) time.Duration {
	return time.Duration(r.Latency.ValueAtPercentile(p))
}

// CPUMicros is the server's CPU time per request in microseconds, 0 if it was not measured.
func (r *Result) CPUMicros() float64 {
	if r.Server == nil || r.Requests == 0 {
		return 0
	}
	return float64(r.Server.CPU.Nanoseconds()) / 1000 / float64(r.Requests)
}

// maxLatency is the longest latency kept apart from others, in nanoseconds.
const maxLatency = int64(2 * time.Minute)

func newHistogram(precision int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, maxLatency, min(precision, 5))
}
