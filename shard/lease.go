package shard

import "sync"

// A lease keeps a key's value for a command that works on it in steps and gives the shard's lock back in between. Commands
// that would change what is being read, or touch what is being changed, wait until it ends; an expired key is not deleted
// before. Names are leased in all databases at once: that is simpler, and COPY and MOVE reach into others.
type lease struct {
	readers int
	writer  bool
	busy    bool     // it is to a script that has run for long: nobody is to wait
	waiting []func() // in the order in which they came
}

// Leased tells whether a command that reads k, or changes it, has to wait. The shard is locked, here and below.
func (k *Key) Leased(write bool) bool {
	s := k.DB.shard
	return s.leases != nil && k.leased(write) || write && s.beyond != nil && s.beyond.covers(k.Name)
}

func (k *Key) leased(write bool) bool {
	l := k.DB.shard.leases[string(k.Name)]
	return l != nil && (write || l.writer)
}

// Lease begins one, to read or to write; k is not leased to anybody in a way that excludes it.
func (k *Key) Lease(write bool) {
	s := k.DB.shard
	if s.leases == nil {
		s.leases = map[string]*lease{}
	}
	l := s.leases[string(k.Name)]
	if l == nil {
		l = &lease{}
		s.leases[string(k.Name)] = l
	}
	if write {
		l.writer = true
	} else {
		l.readers++
	}
}

// EndLease ends one. When it was the last of k, those who await k are called.
func (k *Key) EndLease(write bool) {
	s := k.DB.shard
	l := s.leases[string(k.Name)]
	if write {
		l.writer = false
	} else {
		l.readers--
	}
	if l.readers > 0 || l.writer {
		return
	}
	delete(s.leases, string(k.Name))
	if len(s.leases) == 0 {
		s.leases = nil
	}
	for _, resume := range l.waiting {
		resume()
	}
}

// Written tells whether a command that changes k has it on lease.
func (k *Key) Written() bool { return k.Leased(false) }

// Writing tells whether somebody has a key of the shard, which is locked, on lease to change it.
func (s *Shard) Writing() bool {
	for _, l := range s.leases {
		if l.writer {
			return true
		}
	}
	return false
}

// Await calls resume, under the shard's lock, when nobody leases k any more. k is leased.
func (k *Key) Await(resume func()) {
	if l := k.DB.shard.leases[string(k.Name)]; l != nil {
		l.waiting = append(l.waiting, resume)
		return
	}
	k.DB.shard.beyond.await(resume)
}

// Pattern stands for all keys whose names begin and end so, with anything between.
type Pattern struct{ Prefix, Suffix string }

func (p *Pattern) covers(name []byte) bool {
	return len(name) >= len(p.Prefix)+len(p.Suffix) &&
		string(name[:len(p.Prefix)]) == p.Prefix && string(name[len(name)-len(p.Suffix):]) == p.Suffix
}

// patternLease is a lease, to read, of keys that a command finds while it runs. There is one at a time.
type patternLease struct {
	patterns []Pattern
	mu       sync.Mutex // those who await it hold the lock of one shard each
	waiting  []func()
}

func (l *patternLease) covers(name []byte) bool {
	for i := range l.patterns {
		if l.patterns[i].covers(name) {
			return true
		}
	}
	return false
}

func (l *patternLease) await(resume func()) {
	l.mu.Lock()
	l.waiting = append(l.waiting, resume)
	l.mu.Unlock()
}

// LeasePatterns begins a lease, to read, of all keys that the patterns stand for, in all databases. All shards are
// locked, and there is no such lease yet.
func (ks *Keyspace) LeasePatterns(patterns []Pattern) {
	l := &patternLease{patterns: patterns}
	for _, s := range ks.shards {
		s.beyond = l
	}
}

// EndPatterns ends the lease that LeasePatterns began. All shards are locked. Those who await a key are called.
func (ks *Keyspace) EndPatterns() {
	l := ks.shards[0].beyond
	for _, s := range ks.shards {
		s.beyond = nil
	}
	for _, resume := range l.waiting {
		resume()
	}
}

// MarkBusy tells those who await k, and those who will meet its lease, that it may last for ever.
func (k *Key) MarkBusy() {
	l := k.DB.shard.leases[string(k.Name)]
	l.busy = true
	waiting := l.waiting
	l.waiting = nil
	for _, resume := range waiting {
		resume()
	}
}

// Busy tells whether a lease of k is marked as busy.
func (k *Key) Busy() bool {
	if k.DB.shard.leases == nil {
		return false
	}
	l := k.DB.shard.leases[string(k.Name)]
	return l != nil && l.busy
}

// Awaited tells whether somebody awaits k: to be fair to them, no further lease should begin.
func (k *Key) Awaited() bool {
	l := k.DB.shard.leases[string(k.Name)]
	return l != nil && len(l.waiting) > 0
}

// AwaitAny is Await for the end of some lease of the shard. It returns false if there is none.
func (s *Shard) AwaitAny(resume func()) bool {
	for _, l := range s.leases {
		l.waiting = append(l.waiting, resume)
		return true
	}
	return false
}
