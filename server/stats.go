package server

import (
	"sync"
	"sync/atomic"
)

// samples is how many measurements instantaneous figures are averaged over, as in Redis.
const samples = 16

// rates are the figures that INFO shows per second, sampled every 100 ms.
type rates struct {
	mu     sync.Mutex
	atMS   int64
	last   totals
	series [samples]totals // per second
	next   int
	peak   int64 // of used memory, bytes
}

// totals are counters of which INFO shows the rates.
type totals struct{ commands, netIn, netOut, turns, turnNanos int64 }

// totals sums the reactors' counters.
func (s *Server) totals() (t totals) {
	for _, r := range s.reactors {
		t.commands += r.stats.commands.Load()
		t.netIn += r.stats.netIn.Load()
		t.netOut += r.stats.netOut.Load()
		t.turns += r.stats.turns.Load()
		t.turnNanos += r.stats.turnNanos.Load()
	}
	return t
}

// sample notes the rates since the last call, and the peak of the memory used.
func (s *Server) sample(nowMS int64) {
	used := s.usedMemory()
	x := &s.rates
	x.mu.Lock()
	defer x.mu.Unlock()
	x.peak = max(x.peak, used)
	now := s.totals()
	if ms := nowMS - x.atMS; x.atMS != 0 && ms > 0 {
		x.series[x.next] = totals{
			commands: (now.commands - x.last.commands) * 1000 / ms,
			netIn:    (now.netIn - x.last.netIn) * 1000 / ms,
			netOut:   (now.netOut - x.last.netOut) * 1000 / ms,

			turns:     (now.turns - x.last.turns) * 1000 / ms,
			turnNanos: (now.turnNanos - x.last.turnNanos) * 1000 / ms,
		}
		x.next = (x.next + 1) % samples
	}
	x.atMS, x.last = nowMS, now
}

// instantaneous returns the averaged rates per second.
func (s *Server) instantaneous() (t totals) {
	x := &s.rates
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, v := range x.series {
		t.commands += v.commands / samples
		t.netIn += v.netIn / samples
		t.netOut += v.netOut / samples
		t.turns += v.turns / samples
		t.turnNanos += v.turnNanos / samples
	}
	return t
}

// usedMemory returns the bytes that the data set and the clients take, without the lock of any shard: off by a few
// pages a shard at most.
func (s *Server) usedMemory() int64 {
	n := int64(0)
	for i := range s.ks.Shards() {
		n += int64(s.ks.Shard(i).Arena().ApproxAllocated())
	}
	n += s.sum(func(c *counters) int64 { return c.clientBytes.Load() })
	return n + int64(s.ks.RetiredBytes()) + s.ks.Heap().LargeBytes()
}

// resetStats sets back what CONFIG RESETSTAT sets back.
func (s *Server) resetStats(nowMS int64) {
	s.rates.mu.Lock()
	s.rates.series, s.rates.atMS = [samples]totals{}, 0
	s.rates.mu.Unlock()
	s.errorStats.reset()
	s.maxMemory.totalNS.Store(0)
	s.connections.Store(0)
	s.rejectedConns.Store(0)
	for i := range s.denied {
		s.denied[i].Store(0)
	}
	s.queryBufferDrops.Store(0)
	s.outputDrops.Store(0)
	s.clientMemory.evicted.Store(0)
	for _, r := range s.reactors {
		r.stats.reset()
	}
	for i := range s.ks.Shards() {
		sh := s.ks.Shard(i)
		sh.Lock(nowMS)
		sh.Stats().Reset()
		sh.Unlock()
	}
}

func (c *counters) reset() {
	c.commands.Store(0)
	c.netIn.Store(0)
	c.netOut.Store(0)
	for _, n := range []*atomic.Int64{
		&c.reads, &c.writes, &c.turns, &c.turnNanos, &c.longestTurn, &c.mostCommands, &c.cronNanos, &c.expireNanos, &c.expireCapped,
	} {
		n.Store(0)
	}
}

// publish adds what went through the reactor in this turn to its counters. A turn in which nothing happened costs nothing.
func (r *reactor) publish() {
	if !r.turn {
		return
	}
	r.turn = false
	s, f := &r.stats, &r.flow
	took := r.lastRun - r.begun
	s.turns.Add(1)
	s.turnNanos.Add(took)
	if took > s.longestTurn.Load() {
		s.longestTurn.Store(took)
	}
	if f.commands > s.mostCommands.Load() {
		s.mostCommands.Store(f.commands)
	}
	f.commands = 0
	r.publishFlow()
}

// publishFlow adds the changes and bytes of the turn so far to the reactor's counters.
func (r *reactor) publishFlow() {
	s, f := &r.stats, &r.flow
	if f.changes != 0 {
		s.dirty.Add(f.changes)
		f.changes = 0
	}
	if f.reads+f.writes == 0 {
		return
	}
	s.netIn.Add(f.netIn)
	s.reads.Add(f.reads)
	s.netOut.Add(f.netOut)
	s.writes.Add(f.writes)
	*f = flow{commands: f.commands}
}
