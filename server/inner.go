package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// A transaction and a script run commands inside of their own: under locks that are held all the while, and none of
// them waits. Blocked clients are served after the whole.

// inner is a reactor's scratch memory for such commands.
type inner struct {
	levels [2]command.Ctx // a transaction may run a script
	depth  int
	also   lockSet
	keys   []shard.Key
}

// lockGroup takes the locks that all of g, and those who watch w (nil: nobody), need, in ascending order. It returns the set,
// or nil if it is the one shard in held or none; endGroup gives the locks back.
func (r *reactor) lockGroup(g []request, w *shard.Watcher) *lockSet {
	writes := false
	for i := range g {
		q := &g[i]
		if locksAllInside(q) {
			return r.lockAll()
		}
		writes = writes || mayWrite(q.spec)
	}
	also := &r.inner.also
	also.clear()
	for i := range g {
		for j := range g[i].keys {
			also.add(g[i].keys[j].DB.Shard().Index())
		}
	}
	if w != nil {
		w.EachShard(func(s *shard.Shard) { also.add(s.Index()) })
	}
	many := r.lockShards(also)
	if !writes || !r.anyWaiters(also) {
		return many
	}
	keys := r.inner.keys[:0]
	for i := range g {
		keys = append(keys, g[i].keys...)
	}
	r.inner.keys = keys[:0]
	r.reach.streams, r.reach.elements = false, unlimited
	many = r.lockReach(keys, also, many)
	clear(keys)
	return many
}

// lockShards takes the locks of set, which it does not keep. The result is that of lockGroup.
func (r *reactor) lockShards(set *lockSet) *lockSet {
	if set.used == 0 {
		r.release()
		return nil
	}
	if i := set.single(); i >= 0 {
		r.holdShard(r.srv.ks.Shard(i))
		return nil
	}
	r.release()
	r.many = *set
	r.many.lock(r.srv.ks, r.nowMS)
	return &r.many
}

// anyWaiters tells whether clients wait in one of the shards, which are locked.
func (r *reactor) anyWaiters(set *lockSet) (found bool) {
	set.each(r.srv.ks, func(s *shard.Shard) { found = found || s.HasWaiters() })
	return found
}

// locksAllInside tells whether a command that runs inside of another needs all locks: also those that otherwise lock
// shards one by one, and scripts, which may use keys that they do not name.
func locksAllInside(q *request) bool {
	switch {
	case q.spec.LocksAll(q.args):
		return true
	case q.spec.HasKeys():
		return q.spec.Group == command.GroupScripting
	}
	switch q.spec.Group {
	case command.GroupConnection, command.GroupPubSub, command.GroupTransactions:
		return false
	case command.GroupServer:
		return q.spec.Name != "TIME"
	}
	return true
}

// endGroup serves those who wait for keys that have become ready, and gives back the locks but that of the one shard in held.
func (r *reactor) endGroup(many *lockSet) {
	if many != nil {
		r.serve(many)
	} else if r.held != nil && r.held.HasReady() {
		r.serve(nil)
	}
	if r.srv.trackers.inUse.Load() {
		r.collect(r.ctx.Client.(*Client), many)
	}
	r.endEvents()
	if many != nil {
		r.unlock(many)
	}
}

// beginInner readies the reactor for commands inside of cl's present one. The locks are held. This is where the group of their
// effects begins; endInner is where it ends.
func (r *reactor) beginInner(cl *Client) {
	c := &r.inner.levels[r.inner.depth]
	r.inner.depth++
	*c = r.ctx // settings, time, effects
	r.listen(c)
	c.Client = cl
	c.Later, c.Block, c.Lengthen, c.Yield, c.Woken = nil, nil, nil, nil, nil
	c.LockedAll = r.many.all
}

// endInner ends what beginInner began.
func (r *reactor) endInner() {
	r.inner.depth--
	r.endEffectGroup()
}

// runInner runs one command between beginInner and endInner: the locks are held, and it waits for nothing. The reply goes to w.
func (r *reactor) runInner(cl *Client, q *request, w *resp.Writer) {
	r.saveInside(q)
	scripted := w != &r.w && (r.scripting.carrier == nil || w != &r.scripting.carrier.w)
	c := &r.inner.levels[r.inner.depth-1]
	c.Spec, c.Args, c.Keys, c.DB, c.Reply = q.spec, q.args, q.keys, cl.db, w
	c.Pin = nil
	if w == &r.w && !cl.muted() {
		c.Pin = pin
	}
	c.Begin()
	begin := len(w.Buf)
	watched, since := r.isWatched(q), int64(0)
	if watched {
		since = r.beginWatched(cl, q, scripted)
	}
	if gate := r.srv.gate.Load(); gate&(gateMisconf|gateAOFError) != 0 && q.spec.Flags&command.Write != 0 {
		w.Error(string(r.srv.misconfError(gate)))
	} else {
		q.spec.Run(c)
	}
	c.PropagateAsSent()
	if cl.flags&clientTracking != 0 && readsKeys(q.spec) {
		r.rememberInner(cl, q)
	}
	failed := len(w.Buf) > begin && w.Buf[begin] == '-'
	if watched {
		r.endWatched(cl, q, since, failed, scripted)
	} else {
		r.note(q.spec, failed)
	}
	if failed {
		r.countError(w.Buf[begin:])
	}
	if !scripted && cl.muted() && len(w.Buf) > begin { // by CLIENT REPLY, a command of the same transaction
		w.Buf = w.Buf[:begin]
	}
	r.flow.changes += c.Dirty()
}

// covers tells whether the locks that are held are enough for q to run inside of another command.
func (r *reactor) covers(q *request) bool {
	if r.many.all {
		return true
	}
	if locksAllInside(q) {
		return false
	}
	if r.many.used == 0 {
		return r.holdsAll(q.keys, nil)
	}
	return r.holdsAll(q.keys, &r.many)
}
