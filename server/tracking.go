package server

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/tracking"
	"github.com/shoaldb/shoal/shard"
)

// Client-side caching (CLIENT TRACKING): a client that has read a key is told when it is modified, or, in broadcasting
// mode, whoever has named a prefix of the key is told.
//
// While any client is tracked, the keyspace tells of every modified key (Modified), under the lock of the key's shard,
// where the message is kept until the command is done. How it gets to the client is told in invalidate.go.

// gateTracking is the bit of Server.gate that is set while more keys are tracked than tracking-table-max-keys allows.
const gateTracking = 1 << 8

// trackers is the state of all tracking. It observes the keyspace while it is in use.
type trackers struct {
	srv     *Server
	inUse   atomic.Bool // it observes the keyspace
	clients atomic.Int64
	keys    atomic.Int64 // in all tables
	items   atomic.Int64 // pairs of keys and clients
	limit   atomic.Int64 // of keys
	effort  atomic.Int64 // how often in a row there were still too many keys after some had been left out
	next    atomic.Uint32
	seq     atomic.Uint64

	shards []trackedShard // made when the first client is tracked

	mu       sync.RWMutex // may be taken under a shard's lock
	prefixes tracking.Prefixes
	some     atomic.Bool // there are prefixes

	retiring sync.Mutex // may be taken under a shard's lock
	retired  []*alloc.Arena
}

// trackedShard is a shard's part, guarded by the shard's lock.
type trackedShard struct {
	table   *tracking.Table
	pending []invalidation
	expired bool // the key that will be modified next has expired
	_       [64]byte
}

// invalidation is what has to be told to one client, or to those of a prefix.
type invalidation struct {
	client  uint64
	prefix  *tracking.Prefix
	name    string
	seq     uint64 // in what order keys of several shards were modified
	expired bool   // not by a client
	all     bool   // keys, to all who are tracked
}

// trackingModes are how a client is tracked.
type trackingModes uint8

const (
	trackingOn trackingModes = 1 << iota
	trackingBroadcast
	trackingOptIn
	trackingOptOut
	trackingNoLoop
	trackingBroken // the client to redirect to has gone
)

// tracked is a client's part. It belongs to the client's reactor.
type tracked struct {
	modes    trackingModes
	redirect *Client // who gets the messages, or nil
	prefixes []string
}

// Modified is told of every modified key, under the lock of its shard.
func (t *trackers) Modified(db int, name []byte) {
	k := t.srv.ks.Key(db, name)
	s := &t.shards[k.DB.Shard().Index()]
	expired := s.expired
	s.expired = false
	text := ""
	note := func(i invalidation) {
		if text == "" {
			text = string(name)
		}
		i.name, i.expired, i.seq = text, expired, t.seq.Add(1)
		s.pending = append(s.pending, i)
	}
	if t.some.Load() {
		t.mu.RLock()
		t.prefixes.Visit(name, func(p *tracking.Prefix) { note(invalidation{prefix: p}) })
		t.mu.RUnlock()
	}
	if s.table.Len() == 0 {
		return
	}
	items := s.table.Items()
	if s.table.Take(k.Hash, name, func(id uint64) { note(invalidation{client: id}) }) {
		t.keys.Add(-1)
		t.items.Add(int64(s.table.Items() - items))
	}
}

// Flushed is told that a database has been emptied, or all, with all shards locked. Keys are tracked regardless of their
// database, and so all are forgotten.
func (t *trackers) Flushed(int) {
	for i := range t.shards {
		t.drop(i)
	}
	s := &t.shards[0]
	s.pending = append(s.pending, invalidation{all: true})
}

// drop forgets the keys of a shard, which is locked.
func (t *trackers) drop(i int) {
	table := t.shards[i].table
	if table.Len() == 0 {
		return
	}
	t.keys.Add(-int64(table.Len()))
	t.items.Add(-int64(table.Items()))
	a := table.Drop()
	t.retiring.Lock()
	t.retired = append(t.retired, a)
	t.retiring.Unlock()
}

// begin makes t observe the keyspace. All shards are locked.
func (t *trackers) begin() {
	if t.inUse.Load() {
		return
	}
	ks := t.srv.ks
	if t.shards == nil {
		t.shards = make([]trackedShard, ks.Shards())
		for i := range t.shards {
			t.shards[i].table = tracking.NewTable(ks.Heap(), ks.Hash)
		}
	}
	ks.Observe(t)
	t.inUse.Store(true)
	t.srv.duties.set(dutyTrack, true)
}

// rememberKeys notes that cl has read the keys, whose shards are locked.
func (r *reactor) rememberKeys(cl *Client, keys []shard.Key) {
	const modes = trackingBroadcast | trackingOptIn | trackingOptOut
	switch caching := cl.flags&clientCaching != 0; cl.tracked.modes & modes {
	case trackingBroadcast:
		return
	case trackingOptIn:
		if !caching {
			return
		}
	case trackingOptOut:
		if caching {
			return
		}
	}
	t := &r.srv.trackers
	for i := range keys {
		t.remember(cl, &keys[i])
	}
}

// rememberInner notes that cl has read the keys of q inside of another command. The keys that a script declares count
// as read when it reads any.
func (r *reactor) rememberInner(cl *Client, q *request) {
	r.rememberKeys(cl, q.keys)
	outer := &r.ctx
	if r.inner.depth > 1 {
		outer = &r.inner.levels[r.inner.depth-2]
	}
	if outer.Spec.Group == command.GroupScripting {
		r.rememberKeys(cl, outer.Keys)
	}
}

func (t *trackers) remember(cl *Client, k *shard.Key) {
	s := &t.shards[k.DB.Shard().Index()]
	n, items := s.table.Len(), s.table.Items()
	if !s.table.Add(k.Hash, k.Name, cl.id, t.srv.exists) {
		s.pending = append(s.pending, invalidation{client: cl.id, name: string(k.Name)}) // it cannot be told later
	}
	t.items.Add(int64(s.table.Items() - items))
	if s.table.Len() == n {
		return
	}
	if limit := t.limit.Load(); t.keys.Add(1) > limit && limit > 0 {
		t.leaveOut(s)
	}
}

// leaveOut forgets a key of s, picked at random, after telling those who have read it as if it had been modified.
func (t *trackers) leaveOut(s *trackedShard) bool {
	items, name := s.table.Items(), ""
	random := func() uint64 { return uint64(t.next.Add(1)) * 0x9e3779b97f4a7c15 }
	if !s.table.TakeRandom(random, func(b []byte) { name = string(b) }, func(id uint64) {
		s.pending = append(s.pending, invalidation{client: id, name: name})
	}) {
		return false
	}
	t.keys.Add(-1)
	t.items.Add(int64(s.table.Items() - items))
	return true
}

const (
	leftOutInStep = 100  // tracked keys in one step, as long as that is enough
	mostLeftOut   = 2000 // in any step
)

// tooMany tells whether more keys are tracked than should be.
func (t *trackers) tooMany() bool {
	limit := t.limit.Load()
	return limit > 0 && t.keys.Load() > limit
}

// setLimit takes over tracking-table-max-keys.
func (s *Server) setLimit(n int) {
	s.trackers.limit.Store(int64(n))
	if s.trackers.tooMany() {
		s.gate.Or(gateTracking)
	}
}

// limitTracked makes a step towards the limit of tracked keys. cl, if not nil, is the client whose command is about to
// run: what it is told comes before the reply.
func (r *reactor) limitTracked(cl *Client) (more bool) {
	r.release()
	t := &r.srv.trackers
	left := min(leftOutInStep*(t.effort.Load()+1), mostLeftOut)
	for i := uint32(0); left > 0 && i < uint32(len(t.shards)) && t.tooMany(); i++ {
		at := int(t.next.Add(1)) % len(t.shards)
		s := r.srv.ks.Shard(at)
		s.Lock(r.nowMS)
		for n := left/int64(len(t.shards)) + 1; n > 0 && t.tooMany() && t.leaveOut(&t.shards[at]); n-- {
			left--
		}
		r.collectShard(at, cl)
		s.Unlock()
	}
	r.sendInvalidations()
	if cl != nil {
		r.flushPushes(cl)
	}
	if t.tooMany() {
		t.effort.Add(1)
		return true
	}
	t.effort.Store(0)
	r.srv.gate.And(^uint32(gateTracking))
	if t.tooMany() {
		r.srv.gate.Or(gateTracking)
	}
	return false
}

const droppedPages = 256 // of the memory of forgotten tables, given back in one tick

// trackingTick forgets all keys some time after the last client has stopped being tracked, keeps to the limit, and
// gives memory back.
func (r *reactor) trackingTick() (more bool) {
	t := &r.srv.trackers
	if t.inUse.Load() {
		if r.nowMS >= r.cron.trackedMS {
			r.cron.trackedMS = r.nowMS + cronMS
			r.collectLeft()
		}
		if t.tooMany() {
			more = r.limitTracked(nil)
		}
		if t.clients.Load() == 0 {
			t.end(r)
		}
	}
	t.retiring.Lock()
	defer t.retiring.Unlock()
	if n := len(t.retired); n > 0 {
		if t.retired[n-1].ReleaseStep(droppedPages) {
			t.retired[n-1] = nil
			t.retired = t.retired[:n-1]
		}
		more = more || len(t.retired) > 0
	}
	return more
}

// collectLeft takes over what was left in shards by what is no command: a look at a key that has expired, say.
func (r *reactor) collectLeft() {
	for i := range r.srv.ks.Shards() {
		if s := r.srv.ks.Shard(i); s.TryLock(r.nowMS) {
			r.collectShard(i, nil)
			s.Unlock()
		}
	}
	r.sendInvalidations()
}

// end stops observing, unless a client has begun to be tracked. It takes all locks for a moment, as that does.
func (t *trackers) end(r *reactor) {
	ks := t.srv.ks
	ks.LockAll(r.nowMS)
	if t.clients.Load() == 0 {
		for i := range t.shards {
			t.drop(i)
			t.shards[i].pending = nil
		}
		ks.Unobserve(t)
		t.inUse.Store(false)
		t.srv.duties.set(dutyTrack, false)
	}
	ks.UnlockAll()
}

// track notes in what mode cl is from now on.
func (t *trackers) track(cl *Client, modes trackingModes, redirect *Client, prefixes []string) {
	if cl.tracked.modes&trackingOn == 0 {
		t.clients.Add(1)
	}
	cl.tracked.modes, cl.tracked.redirect = modes|trackingOn, redirect
	cl.flags |= clientTracking
	if modes&trackingBroadcast == 0 {
		return
	}
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	t.mu.Lock()
	for _, name := range prefixes {
		t.prefixes.Add(name, cl.id)
	}
	t.some.Store(true)
	t.mu.Unlock()
	cl.tracked.prefixes = slices.Concat(cl.tracked.prefixes, prefixes)
	slices.Sort(cl.tracked.prefixes)
	cl.tracked.prefixes = slices.Compact(cl.tracked.prefixes)
}

// untrack ends the tracking of cl.
func (t *trackers) untrack(cl *Client) {
	if cl.tracked.modes&trackingOn == 0 {
		return
	}
	if len(cl.tracked.prefixes) > 0 {
		t.mu.Lock()
		for _, name := range cl.tracked.prefixes {
			t.prefixes.Remove(name, cl.id)
		}
		t.some.Store(t.prefixes.Len() > 0)
		t.mu.Unlock()
	}
	t.clients.Add(-1)
	cl.tracked = tracked{}
	cl.flags &^= clientTracking | clientCaching
}

// prefixCount returns the number of different prefixes.
func (t *trackers) prefixCount() int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return int64(t.prefixes.Len())
}

// bytes returns about what cl's prefixes cost.
func (x *tracked) bytes() (n int) {
	for _, p := range x.prefixes {
		n += len(p) + 200
	}
	return n
}

// clientByID returns the client of a number, or nil if it has gone. Only its reactor may look into it.
func (s *Server) clientByID(id uint64) *Client {
	if cl, ok := s.byID.Load(id); ok {
		return cl.(*Client)
	}
	return nil
}

func (s *Server) exists(id uint64) bool {
	_, ok := s.byID.Load(id)
	return ok
}

// endCaching ends what CLIENT CACHING says: it goes for the command, or the transaction, that follows it.
func (cl *Client) endCaching(q *request) {
	isClient := q.spec != nil && q.spec.Parent() != nil && q.spec.Parent().Name == "CLIENT"
	if cl.multi == nil && !isClient {
		cl.flags &^= clientCaching
	}
}

// readsKeys tells whether those who are tracked are told when the keys of the command's calls change. The keys of a
// script count as read when the script reads any.
func readsKeys(spec *command.Spec) bool {
	return spec.Flags&command.ReadOnly != 0 && spec.Group != command.GroupScripting
}
