package load

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// flight is a batch whose replies have not all arrived.
type flight struct {
	since int64 // when it was sent (closed loop) or due (open loop), ns of the pass
	left  int32 // replies missing
}

// flights is a queue of batches in flight on one connection, oldest first. It grows to the most
// that were ever in flight and allocates no more after that.
type flights struct {
	ring        []flight // length a power of two
	first, last uint32   // first == last: empty
}

func (q *flights) len() int { return int(q.last - q.first) }

func (q *flights) oldest() *flight { return &q.ring[q.first&uint32(len(q.ring)-1)] }

func (q *flights) push(f flight) {
	if q.len() == len(q.ring) {
		grown := make([]flight, max(2*len(q.ring), 1))
		for i := range q.len() {
			grown[i] = q.ring[(q.first+uint32(i))&uint32(len(q.ring)-1)]
		}
		q.ring, q.first, q.last = grown, 0, uint32(q.len())
	}
	q.ring[q.last&uint32(len(q.ring)-1)] = f
	q.last++
}

func (q *flights) pop() { q.first++ }

// session is what both engines know of a connection.
type session struct {
	scanner scanner
	flights flights
	setup   int // replies to AUTH, SELECT... still to come; they precede all others
}

// tally is what a worker counts during a pass. Only done and latencySum are read by others
// before the pass ends.
type tally struct {
	pass    *pass
	latency *hdrhistogram.Histogram

	done       atomic.Int64 // replies
	latencySum atomic.Int64 // ns

	cpuTime    time.Duration // of the worker's thread
	lastReply  int64         // ns of the pass
	late       int64
	worstLate  int64
	errors     int64
	nulls      int64
	firstError string
}

// begin readies the tally for a pass.
func (t *tally) begin(p *pass) {
	t.pass = p
	t.latency = newHistogram(p.workload.Precision)
	t.done.Store(0)
	t.latencySum.Store(0)
	t.cpuTime = 0
	t.lastReply, t.late, t.worstLate, t.errors, t.nulls, t.firstError = 0, 0, 0, 0, 0, ""
}

var errUnexpectedReply = errors.New("the server sent more replies than it got requests")

// receive takes bytes that arrived on a connection at a time and returns those that are not yet
// consumable.
func (t *tally) receive(s *session, b []byte, now int64) (rest []byte, err error) {
	replies, n := s.scanner.scan(b)
	if n == malformed {
		return nil, fmt.Errorf("the server sent something that is not RESP: %.60q", b)
	}
	if s.scanner.errors > 0 || s.scanner.nulls > 0 {
		if err := t.remarks(s, replies); err != nil {
			return nil, err
		}
	}
	if skipped := min(replies, s.setup); skipped > 0 {
		s.setup -= skipped
		replies -= skipped
	}
	for replies > 0 {
		if s.flights.len() == 0 {
			return nil, errUnexpectedReply
		}
		f := s.flights.oldest()
		k := min(replies, int(f.left))
		t.record(now-f.since, k)
		replies -= k
		f.left -= int32(k)
		if f.left == 0 {
			s.flights.pop()
		}
	}
	t.lastReply = now
	return b[n:], nil
}

// record counts n requests of one latency.
func (t *tally) record(latency int64, n int) {
	latency = min(max(latency, 0), maxLatency)
	t.latency.RecordValues(latency, int64(n)) // cannot fail: latency is in range
	t.done.Store(t.done.Load() + int64(n))
	t.latencySum.Store(t.latencySum.Load() + latency*int64(n))
}

// remarks moves the scanner's counts of errors and nulls to the tally. A pass that has met nothing but
// errors is abandoned.
func (t *tally) remarks(s *session, replies int) error {
	errorCount, first := s.scanner.errors, s.scanner.firstError
	t.nulls += s.scanner.nulls
	s.scanner.errors, s.scanner.nulls, s.scanner.firstError = 0, 0, ""
	if errorCount == 0 {
		return nil
	}
	if s.setup > 0 {
		return errors.New(first)
	}
	t.errors += errorCount
	if t.firstError == "" {
		t.firstError = first
	}
	answered := t.done.Load() + int64(replies)
	if t.errors >= answered && !t.pass.workload.KeepErrors {
		t.pass.aborted.Store(true)
	}
	return nil
}

// sentLate notes how long after its time a batch of n requests was sent.
func (t *tally) sentLate(delay int64, n int) {
	if delay > int64(LateAfter) {
		t.late += int64(n)
	}
	t.worstLate = max(t.worstLate, delay)
}

// addTo adds the counts of one worker to the result of the pass.
func (t *tally) addTo(r *Result) {
	r.Latency.Merge(t.latency)
	r.Requests += t.done.Load() / int64(t.pass.workload.Replies)
	r.Elapsed = max(r.Elapsed, time.Duration(t.lastReply))
	r.Errors += t.errors
	r.Nulls += t.nulls
	r.ClientCPU += t.cpuTime
	r.Late += t.late
	r.WorstLate = max(r.WorstLate, time.Duration(t.worstLate))
	if r.FirstError == "" {
		r.FirstError = t.firstError
	}
}
