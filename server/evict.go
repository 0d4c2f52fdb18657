package server

import (
	"math"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/shard"
)

// When the data take more than maxmemory, keys are evicted: by every reactor, before it runs a command for which there
// is no room, and in its tick as long as the limit is exceeded. Each time this takes 50 µs at most, unless the limit is
// exceeded by much. No lock is held then but that of the shard from which keys go (shard.Evictor says which); it is as
// if the keys had expired. Where nothing can be evicted, commands that need memory are refused, as long as gateMemory
// is set.

// gateMemory is the bit of Server.gate that is set while memory is used up and nothing can be evicted.
const gateMemory = 1 << 12

// memoryLimit is what the server knows of maxmemory. The limit is 0 if there is none.
type memoryLimit struct {
	bytes   atomic.Int64
	stepNS  atomic.Int64 // that a command may spend on eviction
	samples atomic.Int64
	clients atomic.Int64 // bytes that clients take, each as of its last check

	remembers atomic.Bool // shards remember accesses apart from the keys: shard.Eviction.Remembers

	exceededNS atomic.Int64 // nanotime since which the limit is exceeded; 0: it is not
	totalNS    atomic.Int64 // for how long it has been before
}

const (
	weighFrom    = 16 << 10          // bytes from which on a client's input is counted at once
	evictStepUS  = 50                // of a command, at the default of maxmemory-eviction-tenacity
	evictTick    = 500 * 1000        // ns of one tick
	evictSlack   = 1 << 10           // bytes that are made free beyond what is needed, at most: some small keys of one shard
	slackShare   = 4                 // the part of these, one in so many, for which no further shard is locked
	evictForever = math.MaxInt64 / 2 // ns: maxmemory-eviction-tenacity 100
)

var evictionPolicies = [...]shard.Policy{
	config.NoEviction: shard.NoEviction,

	config.VolatileLRU: shard.VolatileLRU, config.VolatileLFU: shard.VolatileLFU, config.VolatileRandom: shard.VolatileRandom,
	config.VolatileTTL: shard.VolatileTTL,

	config.AllKeysLRU: shard.AllKeysLRU, config.AllKeysLFU: shard.AllKeysLFU, config.AllKeysRandom: shard.AllKeysRandom,
	config.AllKeysS3FIFO: shard.AllKeysS3FIFO, config.AllKeysSieve: shard.AllKeysSieve, config.AllKeysWTinyLFU: shard.AllKeysWTinyLFU,
}

// setMemoryLimit takes over settings.
func (s *Server) setMemoryLimit(v *config.Values) {
	m := &s.maxMemory
	m.samples.Store(int64(v.MaxMemorySamples))
	m.stepNS.Store(evictionNS(v.EvictionTenacity))
	e := shard.Eviction{
		Policy: evictionPolicies[v.MaxMemoryPolicy], LimitBytes: v.MaxMemory, LFULogFactor: v.LFULogFactor, LFUDecayMinutes: v.LFUDecayTimeMin,
	}
	s.ks.SetEviction(e)
	m.remembers.Store(e.Remembers())
	m.bytes.Store(v.MaxMemory)
	if v.MaxMemory == 0 {
		s.noteMemory(true)
	}
	s.gate.And(^uint32(gateMemory)) // whoever finds that there is no room sets it again
}

// warnOfLimit tells the log of a limit that is exceeded as soon as it is set.
func (s *Server) warnOfLimit(_, v *config.Values) error {
	if used := s.countedMemory(); v.MaxMemory > 0 && used > v.MaxMemory {
		s.log.Warningf("WARNING: the new maxmemory value set via CONFIG SET (%d) is smaller than the current memory usage (%d). This will result in key eviction and/or the inability to accept new write commands depending on the maxmemory-policy.", v.MaxMemory, used)
	}
	return nil
}

// evictionNS returns for how long a command may evict: 5 µs for each step of tenacity up to 10, then by 15 % more for each.
func evictionNS(tenacity int) int64 {
	switch {
	case tenacity <= 10:
		return int64(tenacity) * evictStepUS * 1000 / 10
	case tenacity < 100:
		return int64(evictStepUS * 1000 * math.Pow(1.15, float64(tenacity-10)))
	}
	return evictForever
}

// countedMemory returns what is compared with maxmemory. There is a limit.
func (s *Server) countedMemory() int64 { return s.ks.Used() + s.countedClients() }

// countedClients returns the memory of clients that counts. No keys go for what clients take beyond maxmemory-clients:
// clients will.
func (s *Server) countedClients() int64 {
	n := s.maxMemory.clients.Load()
	if limit := s.clientMemory.limit.Load(); limit > 0 && n > limit && s.largestClients() >= 0 {
		return limit
	}
	return n
}

// needsRoom tells whether there is a limit on memory, and no room for q.
func (r *reactor) needsRoom(q *request) bool {
	limit := r.srv.maxMemory.bytes.Load()
	return limit != 0 && r.usedWith(q) > limit
}

// usedWith returns the memory that is used when q's arguments are kept.
func (r *reactor) usedWith(q *request) int64 {
	used := r.srv.countedMemory()
	if r.held != nil {
		used += r.held.Untold()
	}
	for _, a := range q.args {
		used += int64(len(a))
	}
	return used
}

// makeRoomFor evicts keys before q runs, and sets or clears gateMemory.
func (r *reactor) makeRoomFor(q *request) {
	s := r.srv
	limit := s.maxMemory.bytes.Load()
	r.release()
	over := r.usedWith(q) - limit
	budget := s.maxMemory.stepNS.Load()
	if over > limit>>8 { // more than 0.4 %: nobody must write faster than keys go
		budget *= 10
	}
	begin := nanotime()
	r.noteRoom(r.evict(over+min(limit>>10, evictSlack), over, budget))
	took := nanotime() - begin
	r.evictionWaits.Add(took, 1)
	s.spike(eventEvictionCycle, took)
	if cl := r.ctx.Client.(*Client); len(cl.pushes) > 0 { // which of the keys that it has read are gone, before the reply
		r.flushPushes(cl)
	}
}

// noteRoom sets or clears gateMemory, as eviction ended.
func (r *reactor) noteRoom(possible bool) {
	s := r.srv
	exceeded := s.countedMemory() > s.maxMemory.bytes.Load()
	s.noteMemory(!exceeded)
	if refuses := exceeded && !possible; refuses != (s.gate.Load()&gateMemory != 0) {
		if refuses {
			s.gate.Or(gateMemory)
		} else {
			s.gate.And(^uint32(gateMemory))
		}
	}
}

// exceededMS returns for how long the limit has been exceeded, in ms.
func (m *memoryLimit) exceededMS() int64 {
	if since := m.exceededNS.Load(); since != 0 {
		return (nanotime() - since) / 1e6
	}
	return 0
}

// noteMemory notes for how long the limit is exceeded.
func (s *Server) noteMemory(kept bool) {
	m := &s.maxMemory
	since := m.exceededNS.Load()
	switch {
	case kept == (since == 0):
	case !kept:
		m.exceededNS.CompareAndSwap(0, nanotime())
	case m.exceededNS.CompareAndSwap(since, 0):
		m.totalNS.Add(nanotime() - since)
	}
}

// evict evicts keys for goal bytes, or until the time is up; least bytes would do. No lock is held. It returns false if
// no more can be: there is nothing to evict, and no memory left that deleted values will give back.
func (r *reactor) evict(goal, least, budgetNS int64) (possible bool) {
	s := r.srv
	if s.cfg.Load().MaxMemoryPolicy == config.NoEviction {
		ticks, releases := s.ks.Freeing()
		return (ticks || releases) && !r.freeDeleted(nanotime()+budgetNS, least)
	}
	if s.exclusive.active.Load() || s.pubsub.congested.Load() > 0 || s.loading.active.Load() || s.pause.active(r.nowMS) {
		return true
	}
	r.evictor.SetSamples(int(s.maxMemory.samples.Load()))
	last, target := nanotime(), s.ks.Used()-goal
	stop := last + budgetNS
	deleted, busy := 0, 0
	for s.ks.Used() > target+(goal-least)/slackShare {
		if ticks, releases := s.ks.Freeing(); ticks || releases {
			if !r.freeDeleted(stop, s.ks.Used()-target) {
				break
			}
		} else if sh := r.evictor.Pick(); sh == nil {
			if !s.ks.Weigh(r.nowMS) {
				r.endEviction(deleted)
				return s.ks.Used() <= target+goal-least
			}
		} else if busy < triesForLock && !sh.TryLock(r.nowMS) {
			busy++
		} else {
			if busy == triesForLock {
				sh.Lock(r.nowMS)
			}
			busy = 0
			deleted += r.evictFrom(sh, s.ks.Used()-target)
		}
		now := nanotime()
		if now+(now-last) > stop { // the next step would take as long
			break
		}
		last = now
	}
	r.endEviction(deleted)
	return true
}

// triesForLock is how many shards that somebody has locked are passed over before one is waited for.
const triesForLock = 4

// evictFrom evicts keys of one shard, which is locked, and unlocks it.
func (r *reactor) evictFrom(sh *shard.Shard, need int64) (gone int) {
	sh.Hear(r)
	gone = r.evictor.Evict(sh, need)
	r.effects.log.EndEach()
	r.endEvents()
	r.collectAlone(sh)
	r.record()
	sh.Unlock()
	return gone
}

func (r *reactor) endEviction(deleted int) {
	if deleted > 0 {
		r.passOwn()
		r.sendInvalidations()
	}
}

// freeDeleted gives back memory of deleted values until it has been need bytes, or the time is up. It reports false if
// the time is up.
func (r *reactor) freeDeleted(stop, need int64) bool {
	ks := r.srv.ks
	target := ks.Used() - need
	for range ks.Shards() {
		s := ks.Shard(r.cron.freeing & (ks.Shards() - 1))
		for more := true; more && s.NeedsTick() && s.TryLock(r.nowMS); {
			if more = s.HasFreeing(); more {
				s.Tick(tickBuckets / 4)
			}
			s.Unlock()
			if ks.Used() <= target {
				return true
			}
			if nanotime() > stop {
				return false
			}
		}
		r.cron.freeing++
	}
	for ks.ReleaseStep(releaseBytes / 8) {
		if ks.Used() <= target {
			return true
		}
		if nanotime() > stop {
			return false
		}
	}
	return true
}

// evictTick evicts in the background what commands have left over the limit. It returns whether that goes on.
func (r *reactor) evictTick() (more bool) {
	s := r.srv
	limit := s.maxMemory.bytes.Load()
	if limit == 0 {
		return false
	}
	over := s.countedMemory() - limit
	if over <= 0 {
		if s.maxMemory.exceededNS.Load() != 0 || s.gate.Load()&gateMemory != 0 {
			r.noteRoom(true)
		}
		return false
	}
	begin := nanotime()
	possible := r.evict(over, over, evictTick)
	s.spike(eventEvictionCycle, nanotime()-begin)
	r.noteRoom(possible)
	return possible && s.countedMemory() > limit
}

// memoryUsedUp tells whether gateMemory is set, and clears it if there is room by now.
func (r *reactor) memoryUsedUp() bool {
	if r.srv.gate.Load()&gateMemory == 0 {
		return false
	}
	limit := r.srv.maxMemory.bytes.Load()
	if limit != 0 && r.srv.countedMemory() > limit {
		return true
	}
	r.srv.gate.And(^uint32(gateMemory))
	r.srv.noteMemory(true)
	return false
}

// lacksMemory tells whether q is refused while gateMemory is set: it or what it runs needs memory, or it would be
// queued. It looks first whether there is room by now.
func (r *reactor) lacksMemory(cl *Client, q *request) bool {
	if !r.memoryUsedUp() {
		return false
	}
	if cl.multi == nil {
		return q.spec.Flags&command.DenyOOM != 0
	}
	if q.spec == r.srv.execSpec {
		return cl.multi.flags&command.DenyOOM != 0
	}
	return !atOnce(q.spec) || q.spec.Name == "MULTI" || q.spec.Name == "WATCH"
}
