package server

import (
	"slices"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// waking is a reactor's scratch memory for serving blocked clients.
type waking struct {
	ctx   command.Ctx
	w     resp.Writer
	ready []shard.Ready
	again bool // the handler has called Wait
}

// serve runs the commands of clients that wait for keys which have become ready in the locked shards: those in many, or the
// one that is held. Serving one may make further keys ready.
func (r *reactor) serve(many *lockSet) {
	for {
		ready := r.takeReady(many)
		if len(ready) == 0 {
			return
		}
		shard.SortReady(ready)
		for _, key := range ready {
			r.serveKey(key, many)
		}
		clear(ready)
	}
}

func (r *reactor) takeReady(many *lockSet) []shard.Ready {
	ready := r.waking.ready[:0]
	if many != nil {
		many.each(r.srv.ks, func(s *shard.Shard) { ready = s.TakeReady(ready) })
	} else if r.held != nil {
		ready = r.held.TakeReady(ready)
	}
	r.waking.ready = ready
	return ready
}

// serveKey serves those who wait for a key.
func (r *reactor) serveKey(ready shard.Ready, many *lockSet) {
	k := ready.Key()
	kind, exists := typeOf(k)
	ready.Each(func(w *shard.Waiter, key *shard.Key) bool {
		b := w.Owner.(*blocked)
		fits := exists && kind == b.Type
		switch {
		case !fits && !b.Lost:
			return exists || ready.Lost()
		case !r.holdsAll(b.Keys, many):
			r.serveLater(k)
			return false
		case r.postpone(b, k):
			return false
		case !fits:
			r.deliver(b, func(w *resp.Writer) { w.Error(string(b.lost)) })
		case r.rerun(b, key):
			r.deliver(b, nil)
			kind, exists = typeOf(k)
		}
		return true
	})
}

// postpone reports whether a key of b's command is on lease: then those who wait for k are served later.
func (r *reactor) postpone(b *blocked, k *shard.Key) bool {
	if r.srv.saving.current.Load() != nil {
		for i := range b.Keys {
			b.Keys[i].BeforeWrite()
		}
	}
	for i := range b.Keys {
		if leased := &b.Keys[i]; leased.Leased(true) {
			leased.Await(func() { r.serveLater(k) })
			return true
		}
	}
	return false
}

// typeOf returns the type of k's value.
func typeOf(k *shard.Key) (kind types.Type, exists bool) {
	e := k.DB.Find(k)
	if !e.Exists() {
		return 0, false
	}
	return e.Type(), true
}

// rerun runs b's command again, as key may serve it now. It reports whether the client has its reply. The shards of b.Keys are
// locked.
func (r *reactor) rerun(b *blocked, key *shard.Key) (done bool) {
	k := &r.waking
	c := &k.ctx
	*c = r.ctx // settings, time, effects
	k.w.Buf, k.w.Proto, k.again = k.w.Buf[:0], b.proto, false
	c.Reply, c.Spec, c.Args, c.Keys, c.DB = &k.w, b.spec, b.args, b.Keys, b.db
	c.Client, c.Woken = b.cl, key
	c.Pin, c.TakeLarge, c.Later, c.Lengthen = nil, nil, nil, nil
	c.Block = func(*command.Ctx, command.Waiting) { k.again = true }
	c.Begin()
	begin := nanotime()
	b.spec.Run(c)
	b.took = nanotime() - begin
	if !k.again {
		r.flow.changes += c.Dirty()
	}
	r.endEffects(c)
	return !k.again
}

// mostKept is how large a buffer for replies may be that is kept for the next one.
const mostKept = 64 << 10

// deliver ends b's waiting and sends its client's reactor the reply that f writes, or, if f is nil, that rerun has left.
func (r *reactor) deliver(b *blocked, f func(w *resp.Writer)) {
	k := &r.waking
	if f != nil {
		k.w.Buf, k.w.Proto = k.w.Buf[:0], b.proto
		f(&k.w)
	}
	reply := slices.Clone(k.w.Buf)
	if cap(k.w.Buf) > mostKept {
		k.w.Buf = nil
	}
	b.Leave()
	home := b.cl.reactor
	home.stats.blocked.Add(-1)
	if len(reply) > 0 && reply[0] == '-' {
		r.calls[b.spec.Index()].failed++
		r.srv.errorStats.count(reply)
	}
	r.effects.served = append(r.effects.served, served{b, reply})
}

// lockWakeups is called with the locks that a command needs, before it runs. It gives them back and takes more if clients
// might have to be served for which these are not enough: then the command and all that follows from it is one step.
func (r *reactor) lockWakeups(q *request, many *lockSet) *lockSet {
	r.reach.plan(q.spec, len(q.args))
	return r.lockReach(q.keys, nil, many)
}

// lockReach is called with the locks of keys and those in also, if that is not nil.
func (r *reactor) lockReach(keys []shard.Key, also, many *lockSet) *lockSet {
	x := &r.reach
	x.ks = r.srv.ks
	for {
		x.begin(r.held, many)
		if also != nil {
			x.want = *also
		}
		for i := range keys {
			x.want.add(keys[i].DB.Shard().Index())
			x.visit(&keys[i], x.elements)
		}
		if x.held.contains(&x.want) {
			x.end()
			return many
		}
		if many == nil {
			r.release()
		} else {
			r.unlock(many)
		}
		r.many, x.want = x.want, lockSet{}
		r.many.lock(r.srv.ks, r.nowMS)
		many = &r.many
	}
}

// reach finds out which shards must be locked so that all clients that a command may cause to be served can be.
type reach struct {
	ks         *shard.Keyspace
	held, want lockSet
	seen       map[*shard.Waiter]struct{}
	elements   int  // that the command can add to one key, at most
	streams    bool // the command removes keys or elements only: no one is served but who waits for a stream to be lost
}

// unlimited is more elements than clients can wait for.
const unlimited = 1 << 40

// plan notes what a command of n arguments can do to its keys.
func (x *reach) plan(spec *command.Spec, n int) {
	x.streams, x.elements = len(spec.Keys) > 0 && spec.GetKeys == nil, n
	for i := range spec.Keys {
		f := spec.Keys[i].Flags
		if f&(command.OW|command.Insert|command.Update|command.VariableFlags) != 0 {
			x.streams = false
		}
		if f&command.OW != 0 {
			x.elements = unlimited
		}
	}
	if spec.Group != command.GroupList && spec.Group != command.GroupSortedSet && spec.Group != command.GroupGeo || spec.GetKeys != nil {
		x.elements = unlimited
	}
}

func (x *reach) begin(held *shard.Shard, many *lockSet) {
	x.held, x.want = lockSet{}, lockSet{}
	if many != nil {
		x.held = *many
	} else if held != nil {
		x.held.add(held.Index())
	}
	x.end()
}

func (x *reach) end() { clear(x.seen) }

// visit adds the shards that are needed to serve those who wait for k, when it gets as many elements as given. What waits in
// shards that are not locked cannot be seen; these shards are added, and the next visit knows more.
func (x *reach) visit(k *shard.Key, elements int) {
	s := k.DB.Shard()
	if !x.held.has(s.Index()) {
		x.want.add(s.Index())
		return
	}
	if !s.HasWaiters() {
		return
	}
	var db *shard.DB
	var left [types.Stream + 1]int // elements for those who wait for a key of each type
	s.FarWaiters(k, func(at *shard.DB, w *shard.Waiter) bool {
		if at != db {
			db, left = at, [types.Stream + 1]int{types.List: elements, types.ZSet: elements}
		}
		if w.Type != types.Stream && (x.streams || left[w.Type] == 0) || x.have(w) {
			return true
		}
		if x.consumes(w) {
			left[w.Type]--
		}
		return true
	})
}

// have tells whether w has been visited, and notes that it has.
func (x *reach) have(w *shard.Waiter) bool {
	if _, ok := x.seen[w]; ok {
		return true
	}
	if x.seen == nil {
		x.seen = map[*shard.Waiter]struct{}{}
	}
	x.seen[w] = struct{}{}
	return false
}

// consumes adds the shards that it takes to serve w, and what follows from that. It reports whether w will take an element:
// not when it gets an error because it cannot move it to where it should go.
func (x *reach) consumes(w *shard.Waiter) bool {
	for i := range w.Keys {
		x.want.add(w.Keys[i].DB.Shard().Index())
	}
	takes := true
	for _, k := range w.Targets() {
		x.visit(k, 1)
		if !x.held.has(k.DB.Shard().Index()) {
			continue
		}
		kind, exists := typeOf(k)
		takes = takes && (!exists || kind == w.Type)
	}
	return takes
}

// holdsAll tells whether the shards of keys are locked.
func (r *reactor) holdsAll(keys []shard.Key, many *lockSet) bool {
	for i := range keys {
		s := keys[i].DB.Shard()
		if many == nil && s != r.held || many != nil && !many.has(s.Index()) {
			return false
		}
	}
	return true
}

// serveLater serves those who wait for k in a step of its own.
func (r *reactor) serveLater(k *shard.Key) {
	r.net.Post(func() { r.serveAlone(k) })
}

// serveAlone serves those who wait for k, which has become ready in a step that did not serve them: it was lost by expiry, say.
func (r *reactor) serveAlone(k *shard.Key) {
	r.beginTurn()
	r.ctx.NowMS, r.ctx.Env = r.nowMS, r.srv.env.Load()
	r.release()
	s := k.DB.Shard()
	s.Lock(r.nowMS)
	if r.srv.exclusive.await(func() { r.serveLater(k) }) {
		s.Unlock()
		return
	}
	r.held = s
	r.reach.streams, r.reach.elements = false, unlimited
	many := r.lockReach([]shard.Key{*k}, nil, nil)
	r.listen(&r.ctx)
	k.DB.NoteReady(k)
	r.serve(many)
	r.endEvents()
	if r.srv.trackers.inUse.Load() {
		r.collect(nil, many)
	}
	if many != nil {
		r.unlock(many)
	}
	r.release()
	r.sendInvalidations()
}

// serveUnlocked takes over the ready keys of a shard that is being unlocked; see shard.Keyspace.ServeReady.
func (s *Server) serveUnlocked(sh *shard.Shard) {
	r := s.reactors[sh.Index()%len(s.reactors)]
	for _, ready := range sh.TakeReady(nil) {
		r.serveLater(ready.Key())
	}
}
