package server

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/shard"
)

// A transaction with a command that is about the server as a whole (CLIENT LIST, INFO, CONFIG SET and so on) cannot ask
// the other reactors while it holds locks that they may wait for. Such a transaction runs while all other reactors
// stand still, at the end of a turn, where they hold no lock. Then it needs to hold none from one command to the next,
// and touches what is theirs.

// standstill lets one reactor at a time work alone.
type standstill struct {
	mu      sync.Mutex
	busy    bool
	waiting []func()
}

// begin calls start when nobody else works alone any more; end must follow.
func (s *standstill) begin(start func()) {
	s.mu.Lock()
	if s.busy {
		s.waiting = append(s.waiting, start)
		s.mu.Unlock()
		return
	}
	s.busy = true
	s.mu.Unlock()
	start()
}

func (s *standstill) end() {
	s.mu.Lock()
	if len(s.waiting) == 0 {
		s.busy = false
		s.mu.Unlock()
		return
	}
	next := s.waiting[0]
	s.waiting = s.waiting[1:]
	s.mu.Unlock()
	next()
}

// standsAlone tells whether a command in a transaction is about the server as a whole.
func standsAlone(spec *command.Spec) bool {
	if spec.HasKeys() || spec.Flags&command.LockAll != 0 {
		return false
	}
	switch spec.Group {
	case command.GroupConnection:
		return spec.Parent() != nil
	case command.GroupServer:
		return spec.Name != "TIME" && spec.Name != "DBSIZE" && (spec.Parent() == nil || spec.Parent().Name != "COMMAND")
	}
	return false
}

// asksInside tells whether a script in a transaction calls a command about the server as a whole.
func (r *reactor) asksInside(t *transaction) bool {
	for i := range t.cmds {
		q := &t.cmds[i]
		if q.spec.Group != command.GroupScripting || !q.spec.HasKeys() {
			continue
		}
		if traits := r.traitsOf(q); traits != nil && !traits.Local {
			return true
		}
	}
	return false
}

// traitsOf returns what is known of the script or function that q runs, or nil.
func (r *reactor) traitsOf(q *request) *script.Traits {
	switch q.spec.Name {
	case "EVAL", "EVAL_RO":
		if s, err := r.compiled(q.args[1]); err == nil {
			return &s.Traits
		}
	case "EVALSHA", "EVALSHA_RO":
		if s := r.findScript(q.args[1]); s != nil {
			return &s.Traits
		}
	default:
		if f := r.srv.libraries.set.Load().Function(q.args[1]); f != nil {
			return &f.Traits
		}
	}
	return nil
}

// execAlone puts EXEC off until all other reactors stand still.
func (r *reactor) execAlone(cl *Client) {
	t := cl.multi
	if t.scriptsWrite() && r.srv.saving.awaitEnd(r.resumer(cl)) { // the scripts could not be put aside
		r.release()
		r.putOffRunning(cl, r.ctx.Args)
		r.long.lengthened = true
		return
	}
	many := r.lockGroup(t.cmds, cl.watching)
	if r.groupWaits(cl, t, many) {
		return
	}
	if many != nil {
		r.unlock(many)
	}
	r.release()
	if len(r.srv.reactors) == 1 {
		r.runAlone(cl)
		return
	}
	cl.suspend(0)
	r.long.lengthened = true
	exec := cloneArgs(r.ctx.Args)
	r.srv.standstill.begin(func() {
		release := make(chan struct{})
		var left atomic.Int32
		left.Store(int32(len(r.srv.reactors) - 1))
		for _, other := range r.srv.reactors {
			if other == r {
				continue
			}
			other.net.Post(func() {
				if left.Add(-1) == 0 {
					r.net.Post(func() {
						r.beginTurn()
						r.finishAlone(cl, exec)
						close(release)
						r.srv.standstill.end()
						if r.clients[cl.id] == cl && cl.flags&clientClosing == 0 {
							r.resume(cl)
						}
					})
				}
				<-release
			})
		}
	})
}

// finishAlone runs the transaction of cl, which is suspended, unless it has gone. exec is its last command.
func (r *reactor) finishAlone(cl *Client, exec [][]byte) {
	if r.clients[cl.id] != cl || cl.flags&clientClosing != 0 {
		return
	}
	if t := cl.multi; t.scriptsWrite() && r.srv.saving.current.Load() != nil || r.leaseInTheWay(t) { // since execAlone looked
		cl.queueFirst(&request{args: exec})
		return
	}
	r.attach(cl)
	r.ctx.Spec, r.ctx.DB = r.srv.execSpec, cl.db
	r.watching = r.srv.watch.Load()
	begin := len(r.w.Buf)
	r.replying = false
	r.runAlone(cl)
	r.mute(cl, begin)
	cl.flags &^= clientSkipping
	r.note(r.srv.execSpec, false)
	r.tellAfter(cl, &request{spec: r.srv.execSpec, args: exec}, false)
	r.endTold()
	if len(cl.pushes) > 0 {
		r.flushPushes(cl)
	}
	r.sendInvalidations()
	r.account(cl, &r.batch)
	r.detach(cl)
}

// scriptsWrite tells whether a script of t may.
func (t *transaction) scriptsWrite() bool {
	return t.scripts && t.flags&(command.Write|command.MayReplicate) != 0
}

// leaseInTheWay tells whether t would have to wait for a command that runs in steps.
func (r *reactor) leaseInTheWay(t *transaction) bool {
	if r.srv.leases.running.Load() == 0 {
		return false
	}
	many := r.lockGroup(t.cmds, nil)
	found := r.srv.exclusive.active.Load() || many != nil && many.all || slices.ContainsFunc(t.cmds, func(q request) bool { return leasedKey(&q) != nil })
	if many != nil {
		r.unlock(many)
	}
	r.release()
	return found
}

// runAlone runs the transaction of cl. No other reactor does anything, and no lock is held.
func (r *reactor) runAlone(cl *Client) {
	t, w := cl.multi, cl.watching
	if w != nil && w.Len() > 0 {
		many := r.lockGroup(nil, w)
		modified := w.Modified() || w.Expired()
		r.endGroup(many)
		r.release()
		if modified {
			r.endMulti(cl, false)
			r.w.NullArray()
			return
		}
	}
	r.unwatch(cl, false)
	r.alone = true
	r.srv.inExec.Store(true)
	r.beginReplies(cl, t, &r.w)
	var ready []shard.Ready
	for i := range t.cmds {
		q := &t.cmds[i]
		many := r.lockAlone(q)
		r.ctx.Env = r.srv.env.Load() // CONFIG SET may have changed it
		r.beginInner(cl)
		r.runPart(cl, q, &r.w)
		r.endInner()
		ready = append(ready, r.takeReady(many)...)
		if r.srv.trackers.inUse.Load() {
			r.collect(cl, many)
		}
		if many != nil {
			r.unlock(many)
		}
		r.release()
	}
	r.endMulti(cl, false)
	r.alone = false
	r.srv.inExec.Store(false)
	r.effects.log.EndGroup()
	r.serveAll(ready)
	r.endEvents()
	r.record()
}

// lockAlone takes the locks for one command. A snapshot goes on meanwhile, so a script, which may work on any key, needs all.
func (r *reactor) lockAlone(q *request) *lockSet {
	if q.spec.Group == command.GroupScripting && q.spec.HasKeys() {
		return r.lockAll()
	}
	return r.lock(q)
}

// serveAll serves those who wait for keys that have become ready while nobody was served.
func (r *reactor) serveAll(ready []shard.Ready) {
	if len(ready) == 0 {
		return
	}
	shard.SortReady(ready)
	many := r.lockAll()
	for _, k := range ready {
		k.Key().DB.NoteReady(k.Key())
	}
	r.endGroup(many)
}
