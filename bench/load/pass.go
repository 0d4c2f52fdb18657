package load

import (
	"sync/atomic"
	"time"
)

// pass is one Run as the workers share it. Times are in nanoseconds since its start.
type pass struct {
	workload *Workload
	start    time.Time
	limit    int64 // requests; 0: none
	deadline int64 // 0: none
	interval float64
	workers  int

	issued  atomic.Int64
	aborted atomic.Bool
}

func newPass(w *Workload, workers int) *pass {
	p := &pass{workload: w, limit: w.Requests, deadline: w.Duration.Nanoseconds(), workers: workers}
	if w.Rate > 0 {
		p.interval = float64(w.Pipeline) / w.Rate * 1e9
	}
	return p
}

func (p *pass) now() int64 { return int64(time.Since(p.start)) }

// take hands out the next batch of a closed loop: the number of its first request and its size, 0 at the end. One is handed
// out even if the workers begin late, so that there is something to tell of.
func (p *pass) take(now int64) (first int64, n int) {
	if p.aborted.Load() || p.deadline > 0 && now >= p.deadline && p.issued.Load() > 0 {
		return 0, 0
	}
	size := int64(p.workload.Pipeline)
	first = p.issued.Add(size) - size
	return first, p.cut(first)
}

// cut is the size of the batch that starts at request first.
func (p *pass) cut(first int64) int {
	size := int64(p.workload.Pipeline)
	if p.limit > 0 {
		size = min(size, p.limit-first)
	}
	return int(max(size, 0))
}

// schedule deals the batches of an open loop to one of several workers: batch k is due at
// k*interval, and worker i has the batches k that equal i modulo the number of workers.
type schedule struct {
	pass *pass
	next int64 // batch
}

func (p *pass) schedule(worker int) schedule {
	return schedule{pass: p, next: int64(worker)}
}

// due is when the next batch is to be sent; ok is false when none is left.
func (s *schedule) due() (at int64, ok bool) {
	p := s.pass
	at = int64(float64(s.next) * p.interval)
	if p.aborted.Load() || p.deadline > 0 && at >= p.deadline {
		return 0, false
	}
	return at, p.cut(s.next*int64(p.workload.Pipeline)) > 0
}

// take hands out the batch that due announced.
func (s *schedule) take() (first int64, n int) {
	first = s.next * int64(s.pass.workload.Pipeline)
	s.next += int64(s.pass.workers)
	return first, s.pass.cut(first)
}
