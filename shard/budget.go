package shard

import "sync/atomic"

// Policy says which keys are evicted when memory is used up.
type Policy uint8

const (
	NoEviction Policy = iota
	VolatileLRU
	VolatileLFU
	VolatileRandom
	VolatileTTL
	AllKeysLRU
	AllKeysLFU
	AllKeysRandom
	AllKeysS3FIFO
	AllKeysSieve
	AllKeysWTinyLFU
)

// Volatile tells whether only keys with a time to live are evicted.
func (p Policy) Volatile() bool { return p >= VolatileLRU && p <= VolatileTTL }

// Eviction is how keys are evicted.
type Eviction struct {
	Policy          Policy
	LimitBytes      int64 // of what all shards hold; 0: none
	LFULogFactor    int
	LFUDecayMinutes int
}

// access returns what access clocks are. The orders of keys cost memory and time, so there is none without a limit.
func (e *Eviction) access() access {
	switch e.Policy {
	case VolatileLFU, AllKeysLFU:
		return accessCount
	case AllKeysS3FIFO, AllKeysSieve:
		if e.LimitBytes > 0 {
			return accessOrder
		}
	case AllKeysWTinyLFU:
		if e.LimitBytes > 0 {
			return accessSketch
		}
	}
	return accessTime
}

// Remembers tells whether shards remember accesses apart from the keys: [Key.PeekMemory].
func (e *Eviction) Remembers() bool {
	return e.LimitBytes > 0 && (e.Policy == AllKeysS3FIFO || e.Policy == AllKeysWTinyLFU)
}

// budget is what the keyspace knows of its memory without asking the shards.
type budget struct {
	limit   atomic.Int64 // of bytes; 0: none
	used    atomic.Int64 // bytes that the shards hold, but for what they have not told yet
	freeing atomic.Int32 // shards with deleted values whose memory has yet to be given back
}

// account is a shard's part of the budget.
type account struct {
	counting bool // the keyspace has a limit
	freeing  bool // counted in budget.freeing
	grain    int  // bytes by which the budget may be wrong
	told     int  // bytes counted in the budget
	weighed  int  // told when weight was set
	weight   atomic.Int64
	sole     int // a database that had keys to evict then
	others   int // databases that had besides
}

// SetEviction says how keys are evicted from now on. The caller has locked no shard. Where access clocks get another
// meaning, or keys an order, Tick sees to that in steps: the least recent accesses are forgotten then.
func (ks *Keyspace) SetEviction(e Eviction) {
	ks.lfuLogFactor.Store(int64(e.LFULogFactor))
	ks.lfuDecayMinutes.Store(int64(e.LFUDecayMinutes))
	ks.budget.limit.Store(e.LimitBytes)
	for _, s := range ks.shards {
		s.mu.Lock()
		s.setEviction(&e)
		s.mu.Unlock()
	}
}

func (s *Shard) setEviction(e *Eviction) {
	was, policy := s.access, s.policy
	s.policy, s.access = e.Policy, e.access()
	s.setNow(s.nowMS)
	if (s.access >= accessOrder || was >= accessOrder) && (s.access != was || s.policy != policy) {
		s.reorder()
	}
	if e.LimitBytes == 0 {
		if s.counting {
			s.ks.budget.used.Add(-int64(s.told))
			s.counting, s.told = false, 0
		}
		return
	}
	s.counting = true
	s.grain = int(min(e.LimitBytes>>12/int64(len(s.ks.shards)), 64<<10)) // all together 1/4096 of the limit
	s.tell(s.arena.Allocated() - s.told)
	s.weigh()
}

// count tells the budget what has changed, if that is worth it. The shard is locked, here and below.
func (s *Shard) count() {
	d := s.arena.Allocated() - s.told
	if d > s.grain || d < -s.grain {
		s.tell(d)
	}
}

// weighEvery is after how many bytes more or less a shard is weighed again, or after it has grown by a quarter.
const weighEvery = 4 << 10

func (s *Shard) tell(d int) {
	s.told += d
	s.ks.budget.used.Add(int64(d))
	if m := s.told - s.weighed; m > weighEvery || m < -weighEvery || 4*m > s.told {
		s.weigh()
	}
}

// weigh notes how many keys could be evicted.
func (s *Shard) weigh() {
	s.weighed = s.told
	n, with := 0, 0
	for i, db := range s.dbs {
		if keys := db.evictable(); keys > 0 {
			n += keys
			with++
			s.sole = i
		}
	}
	s.others = max(with-1, 0)
	s.weight.Store(int64(n))
}

// Weigh looks how many keys could be evicted in each shard, none of which the caller has locked. It reports false if
// there are none.
func (ks *Keyspace) Weigh(nowMS int64) (found bool) {
	for _, s := range ks.shards {
		s.Lock(nowMS)
		s.weigh()
		found = found || s.weight.Load() > 0
		s.Unlock()
	}
	return found
}

func (db *DB) evictable() int {
	if db.shard.policy.Volatile() {
		return db.expires.keys
	}
	return db.table.Len()
}

// noteFreeing counts the shard among those that have memory to give back, or no longer.
func (s *Shard) noteFreeing() {
	if now := len(s.dying)+len(s.garbage) > 0; now != s.freeing {
		s.freeing = now
		if now {
			s.ks.budget.freeing.Add(1)
		} else {
			s.ks.budget.freeing.Add(-1)
		}
	}
}

// Used returns the bytes that the data take, off by 1/4096 of the limit at most. There is a limit; no lock is needed.
func (ks *Keyspace) Used() int64 {
	return ks.budget.used.Load() + ks.heap.LargeBytes() + ks.retired.bytes.Load()
}

// hasRoom tells whether what policies remember may grow: only memory that keys do not need is for that.
func (s *Shard) hasRoom() bool { return s.ks.Used() <= s.ks.budget.limit.Load() }

// Untold returns by how much the shard, which the caller has locked, has changed since it told the budget.
func (s *Shard) Untold() int64 {
	if !s.counting {
		return 0
	}
	return int64(s.arena.Allocated() - s.told)
}

// Freeing tells, without a lock, whether memory of deleted values has yet to be given back: by Tick, or by ReleaseStep.
func (ks *Keyspace) Freeing() (ticks, releases bool) {
	return ks.budget.freeing.Load() > 0, ks.retired.items.Load() > 0
}

// HasFreeing tells whether the shard, which is locked, has deleted values whose memory Tick will give back.
func (s *Shard) HasFreeing() bool { return s.freeing }
