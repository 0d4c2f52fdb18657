package save

import (
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
)

// largeKey is a key whose value is saved in steps.
type largeKey struct {
	shard, origin int
	name          string
}

// largeValue is one that has not been saved yet.
type largeValue struct {
	largeKey
	leased bool // somebody waits for it
	taken  bool // its job has begun
}

// job is a large value that is being saved.
type job struct {
	v     *largeValue
	key   shard.Key
	enc   rdb.Encoder
	buf   []byte
	begun bool
}

// postpone notes that e is to be saved in steps; at once, and on lease, if somebody waits for that. The shard is locked.
func (s *Snapshot) postpone(db *shard.DB, e shard.Entry, first bool) {
	k := largeKey{db.Shard().Index(), db.Origin(), string(db.Key(e))}
	s.mu.Lock()
	v := s.pending[k]
	if v == nil {
		v = &largeValue{largeKey: k}
		s.pending[k] = v
		s.order = append(s.order, v)
	}
	lease := first && !v.leased
	if lease {
		v.leased = true
		if !v.taken {
			s.first = append(s.first, v)
		}
	}
	s.mu.Unlock()
	if lease {
		key := s.ks.Key(db.ID(), []byte(k.name))
		key.Lease(false)
		s.o.Lease(1)
		s.o.Wake()
	}
}

// nextJob begins to save the next large value, if none is being saved: one that somebody waits for, or if all is true any.
func (s *Snapshot) nextJob(all bool) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return nil
	}
	list := &s.first
	if len(*list) == 0 {
		list = &s.order
		if !all || s.o.Hold() {
			return nil
		}
	}
	for len(*list) > 0 {
		v := (*list)[0]
		*list = (*list)[1:]
		if !v.taken {
			v.taken, s.busy = true, true
			return &job{v: v}
		}
	}
	return nil
}

const jobStep = 4 << 10 // bytes between two looks at the clock

// stepJob goes on with a worker's large value.
func (s *Snapshot) stepJob(w *worker, nowMS int64, until func() bool) (more bool) {
	if s.queue.fullForLarge() && !s.failed.Load() {
		s.queue.await(s.o.Wake, true)
		return false
	}
	j := w.job
	sh := s.ks.Shard(j.v.shard)
	sh.Lock(nowMS)
	done, wait := s.encode(j, sh, until)
	if done {
		s.endLease(j, sh)
	}
	sh.Unlock()
	if done {
		w.job = nil
		s.endJob(nowMS)
	}
	return !wait
}

// encode goes on with j until it is done. wait tells that it cannot go on now.
func (s *Snapshot) encode(j *job, sh *shard.Shard, until func() bool) (done, wait bool) {
	if !j.begun {
		if !s.beginJob(j, sh, &wait) {
			return !wait, wait
		}
		j.begun = true
	}
	for more := true; more; {
		if s.failed.Load() {
			s.queue.put(piece{buf: j.buf, last: true}, true)
			j.saved()
			return true, false
		}
		j.buf, more = j.enc.Step(j.buf, jobStep)
		if !more || len(j.buf) >= s.queue.size {
			s.queue.put(piece{buf: j.buf, last: !more}, true)
			j.buf = s.queue.buffer()
		}
		if more && until() {
			return false, false
		}
	}
	s.keys.Add(1)
	j.saved()
	return true, false
}

// saved notes that the entry is saved.
func (j *job) saved() {
	if e, is := j.key.Unsaved(); is {
		j.key.DB.Saved(e)
	}
}

// beginJob looks the value up. It reports false if there is nothing to save, or, in wait, that a command that writes has the key on lease.
func (s *Snapshot) beginJob(j *job, sh *shard.Shard, wait *bool) bool {
	db := sh.From(j.v.origin)
	if db == nil {
		return false
	}
	j.key = s.ks.Key(db.ID(), []byte(j.v.name))
	e, is := j.key.Unsaved()
	if !is {
		return false
	}
	if s.failed.Load() {
		db.Saved(e)
		return false
	}
	if j.key.Written() {
		j.key.Await(s.o.Wake)
		*wait = true
		return false
	}
	s.mu.Lock()
	leased := j.v.leased
	j.v.leased = true
	s.mu.Unlock()
	if !leased {
		j.key.Lease(false)
		s.o.Lease(1)
	}
	j.enc.Compress = s.o.Compress
	j.buf = rdb.AppendSelect(s.queue.buffer(), j.v.origin)
	j.buf = rdb.AppendKey(j.buf, db.Key(e), j.enc.Start(db.Space(), db.Root(e)), s.attributes(db, e), s.o.Compress)
	return true
}

// endLease ends the lease of j's key, if there is one.
func (s *Snapshot) endLease(j *job, sh *shard.Shard) {
	s.mu.Lock()
	leased := j.v.leased
	delete(s.pending, j.v.largeKey)
	s.mu.Unlock()
	if !leased {
		return
	}
	key := j.key
	if key.DB == nil { // the database is gone
		key = s.ks.Key(0, []byte(j.v.name))
	}
	key.EndLease(false)
	s.o.Lease(-1)
}

func (s *Snapshot) endJob(nowMS int64) {
	s.mu.Lock()
	s.busy = false
	s.mu.Unlock()
	s.o.Wake()
	s.endIfDone(nowMS)
}
