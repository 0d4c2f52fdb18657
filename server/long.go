package server

import (
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/journal"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// A command that meets very many elements runs in steps (command.Ctx.Long): its handler is a coroutine of the client's
// reactor, which resumes it once in a turn, with the shards of its keys locked. In between the locks are free. The keys
// are on lease all the time, and so the command sees them as they were when it began; whoever wants to change them is
// suspended until it is done (awaitLease). The reply goes out step by step. What a command changes it may change in
// steps: no snapshot begins meanwhile, and its effects are told at its end.

// stepTime is how long a step is to take. It bounds how long others wait for a command of a million elements.
const stepTime = 100 * time.Microsecond

// leases counts, for all reactors.
type leases struct {
	running    atomic.Int32 // commands that have leases; changed under the locks of their shards
	scripts    atomic.Int32 // of running: commands and scripts that may have written, or have all data to themselves
	waitingAll atomic.Int32 // commands that need all shards and wait for leases to end
}

// longCommands are those that run in steps on a reactor. In each turn the first one makes a step and becomes the last.
type longCommands struct {
	list       []*longCommand
	posted     bool // the next step is in the mailbox
	lengthened bool // the present command is put off: it will run in steps, or waits for its turn to
	again      bool // of a watched command: it will begin anew
	told       int  // reactor.toldSoFar before the present command, if it is watched
}

// longCommand is a command that runs in steps.
type longCommand struct {
	cl      *Client
	ctx     command.Ctx
	w       resp.Writer
	shards  lockSet
	next    func() (struct{}, bool) // makes a step
	stop    func()                  // ends it where it is
	until   int64                   // nanotime at which the step should end
	nanos   int64                   // that all steps have taken
	kept    [][]byte                // of a reply whose head is yet to come
	begun   bool                    // part of the reply has been kept or sent
	leased  []leasedKeyOf
	beyond  bool        // keys of patterns are on lease, too
	writes  bool        // it may have changed something
	effects journal.Log // what it has yet to tell
	work    func()      // what has to be done on another goroutine before the next step
}

// leasedKeyOf is a key on lease, to be changed or read.
type leasedKeyOf struct {
	*shard.Key
	change bool
}

// lengthen makes c's command run in steps; see command.Ctx.Lengthen. The shards of its keys are locked.
func lengthen(c *command.Ctx) bool {
	cl := c.Client.(*Client)
	r := cl.reactor
	outside, all := c.Spec.Outside, c.Spec.LocksAll(c.Args)
	switch {
	case all && len(c.Beyond) == 0:
		return false
	case r.srv.leases.waitingAll.Load() > 0:
		if outside {
			r.putOffRunning(cl, c.Args)
			r.resumeLater(cl)
			r.long.lengthened = true
		}
		return outside
	}
	write := c.Spec.Flags&command.Write != 0
	for i := range c.Keys {
		switch k := &c.Keys[i]; {
		case k.Awaited(): // be fair
			k.Await(r.resumer(cl))
			r.putOffRunning(cl, c.Args)
			r.long.lengthened = true
			return true
		case write && !outside && !c.Spec.WakesNobody && k.DB.Shard().HasWaiters(): // they are to be served in the same step
			return false
		}
	}
	l := newLongCommand(cl, c)
	r.srv.countLeases(1)
	if l.writes = write && !outside; l.writes {
		r.srv.leases.scripts.Add(1)
	}
	l.lease(write)
	if l.beyond = all; all {
		l.shards.addAll(r.srv.ks)
		r.srv.ks.LeasePatterns(slices.Clone(c.Beyond))
	}
	cl.suspend(clientStreaming)
	r.long.lengthened = true
	r.long.list = append(r.long.list, l)
	r.postStep()
	return true
}

// lease leases the keys of l, so that nobody else changes them. A command that writes has them to itself, but for those
// that are read to store something in the first one.
func (l *longCommand) lease(write bool) {
	stores := l.ctx.Spec.StoresFirst()
	for i := range l.ctx.Keys {
		k := &l.ctx.Keys[i]
		change := write && (i == 0 || !stores)
		if change && k.Leased(true) { // it is named twice
			continue
		}
		k.Lease(change)
		l.leased = append(l.leased, leasedKeyOf{k, change})
	}
}

func newLongCommand(cl *Client, c *command.Ctx) *longCommand {
	l := &longCommand{cl: cl, ctx: *c}
	l.w.Proto = cl.proto
	x := &l.ctx
	x.Reply, x.Args = &l.w, cloneArgs(c.Args)
	x.Keys = cl.reactor.srv.bindKeys(c.Spec, c.DB, x.Args, len(c.Keys))
	x.Pin, x.TakeLarge, x.Later, x.Block, x.Lengthen = nil, nil, nil, nil, nil
	x.Begin()
	for i := range x.Keys {
		l.shards.add(x.Keys[i].DB.Shard().Index())
	}
	l.next, l.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if e := recover(); e != nil && e != errAbandoned {
				panic(e)
			}
		}()
		x.Yield = func() {
			if nanotime() >= l.until && !yield(struct{}{}) {
				panic(errAbandoned)
			}
		}
		x.Send = func() {
			if !yield(struct{}{}) {
				panic(errAbandoned)
			}
		}
		if x.Spec.Outside {
			x.Outside = func(work func()) {
				l.work = work
				yield(struct{}{})
			}
		}
		x.Spec.Run(x)
	})
	return l
}

func (r *reactor) postStep() {
	if !r.long.posted && len(r.long.list) > 0 {
		r.long.posted = true
		r.net.NextTurn(r.stepLong)
	}
}

// stepLong makes the next step of the commands that run in steps.
func (r *reactor) stepLong() {
	r.beginTurn()
	r.long.posted = false
	l := r.long.list[0]
	r.long.list[0] = nil
	r.long.list = r.long.list[1:]
	if r.stepLater(l) {
		r.postStep()
		return
	}
	more := r.step(l)
	r.lastRun = nanotime()
	switch {
	case l.work != nil:
		go r.outside(l, l.work)
		l.work = nil
	case more:
		r.long.list = append(r.long.list, l)
	default:
		r.finishLong(l)
	}
	r.postStep()
}

// outside does work, on a goroutine of its own, and then lets l go on.
func (r *reactor) outside(l *longCommand, work func()) {
	work()
	r.net.Post(func() { r.stepAgain(l) })
}

// step runs l's handler until it pauses. It returns false when that is done.
func (r *reactor) step(l *longCommand) (more bool) {
	r.ctx.NowMS, r.ctx.Env = r.nowMS, r.srv.env.Load()
	r.many = l.shards
	r.many.lock(r.srv.ks, l.ctx.NowMS) // nothing expires under the command
	r.effects.author = l.cl
	r.listen(&l.ctx)
	if l.ctx.Spec.Flags&command.Write != 0 {
		r.saveKeys(l.ctx.Keys)
	}
	begin := nanotime()
	l.until = begin + int64(stepTime)
	if !l.effects.Empty() {
		l.effects, r.effects.log = r.effects.log, l.effects
	}
	if l.pointless(r) {
		l.stop()
	} else {
		_, more = l.next()
	}
	if more && !r.effects.log.Empty() {
		l.effects, r.effects.log = r.effects.log, l.effects
	}
	if !more {
		r.endEffects(&l.ctx)
		for _, k := range l.leased {
			k.EndLease(k.change)
		}
		if l.beyond {
			r.srv.ks.EndPatterns()
		}
		r.srv.countLeases(-1)
		if l.writes {
			r.srv.leases.scripts.Add(-1)
		}
		if !l.ctx.Spec.Outside { // it makes nothing ready but by deleting, which Shard.Unlock sees to
			r.serve(&r.many)
		}
		if r.srv.trackers.inUse.Load() {
			r.collect(l.cl, &r.many)
		}
	}
	r.endEvents()
	r.unlock(&r.many)
	r.effects.author = nil
	r.sendInvalidations()
	l.nanos += nanotime() - begin
	if !more {
		r.countLong(l)
	}
	r.sendStep(l)
	return more
}

// errAbandoned unwinds a command whose client has gone.
var errAbandoned = errors.New("the client has gone")

// pointless tells whether l does nothing but reply to a client that has gone.
func (l *longCommand) pointless(r *reactor) bool {
	gone := r.clients[l.cl.id] != l.cl || l.cl.flags&clientClosing != 0
	return gone && l.ctx.Spec.Flags&command.ReadOnly != 0
}

// countLong counts l, which is done, in the statistics.
func (r *reactor) countLong(l *longCommand) {
	reply := l.w.Buf
	failed := !l.begun && len(reply) > 0 && reply[0] == '-'
	if failed {
		r.srv.errorStats.count(reply)
	}
	r.timed(l.cl, l.ctx.Spec, l.ctx.Args, l.nanos, failed)
	r.stats.commands.Add(1)
	r.flow.commands++
	r.flow.changes += l.ctx.Dirty()
	l.cl.commands++
}

// keptBytes is in what pieces a reply is kept whose head is yet to come.
const keptBytes = 64 << 10

// sendStep sends what a step has replied.
func (r *reactor) sendStep(l *longCommand) {
	cl := l.cl
	if l.ctx.Dropped {
		l.kept, l.begun, l.ctx.Dropped = nil, false, false
	}
	l.begun = l.begun || len(l.w.Buf) > 0
	switch {
	case r.clients[cl.id] != cl || cl.muted() || cl.flags&clientClosing != 0:
		l.w.Buf, l.kept = l.w.Buf[:0], nil
		return
	case l.ctx.Uncounted:
		if len(l.w.Buf) >= keptBytes {
			l.kept = append(l.kept, l.w.Buf)
			l.w.Buf = make([]byte, 0, keptBytes+keptBytes/2)
		}
		return
	}
	r.attach(cl)
	r.w.Raw(l.ctx.Head)
	for _, part := range l.kept {
		cl.conn.SetOut(r.w.Buf)
		cl.conn.WriteRef(part, nil)
		r.w.Buf = cl.conn.Out()
	}
	r.w.Raw(l.w.Buf)
	r.detach(cl)
	l.ctx.Head, l.kept, l.w.Buf = nil, nil, l.w.Buf[:0]
}

// finishLong lets l's client go on.
func (r *reactor) finishLong(l *longCommand) {
	cl := l.cl
	if r.clients[cl.id] != cl {
		return
	}
	cl.flags &^= clientSkipping | clientStreaming
	if len(cl.pushes) > 0 {
		r.attach(cl)
		r.flushPushes(cl)
		r.detach(cl)
	}
	if cl.flags&clientClosing == 0 {
		r.resume(cl)
	}
}

// awaitLease puts q off if it has to wait for a command that runs in steps: then the locks, which it has, are given back.
func (r *reactor) awaitLease(cl *Client, q *request, many *lockSet) bool {
	busy := false
	switch k, all := leasedKey(q), q.spec.LocksAll(q.args); {
	case q.spec.Flags&command.AllowBusy != 0:
		return false
	case r.awaitExclusive(cl):
	case k == nil && !all:
		return false
	case r.srv.gate.Load()&gateBusy != 0 && busyKey(q):
		busy = true
	case !all:
		k.Await(r.resumer(cl))
	case !r.awaitAnyLease(cl):
		return false
	}
	if many != nil {
		r.unlock(many)
	} else {
		r.release()
	}
	if busy {
		r.reject(q.spec, r.srv.running.busy())
	} else {
		r.putOff(cl, q.args)
	}
	return true
}

// leasedKey returns a key of q for which it has to wait, or nil. SORT_RO, which can take all locks, counts as a command
// that writes: like SORT it changes the encoding of sorted sets.
func leasedKey(q *request) *shard.Key {
	write := q.spec.Flags&(command.Write|command.LockAll|command.MayReplicate) != 0
	for i := range q.keys {
		if k := &q.keys[i]; k.Leased(write) {
			return k
		}
	}
	return nil
}

// awaitAnyLease resumes cl when one of all leases has ended. It reports false if there are none.
func (r *reactor) awaitAnyLease(cl *Client) bool {
	n := &r.srv.leases.waitingAll
	resume := r.resumer(cl)
	for i := range r.srv.ks.Shards() {
		if r.srv.ks.Shard(i).AwaitAny(func() { r.net.Post(func() { n.Add(-1) }); resume() }) {
			n.Add(1) // no further lease begins
			return true
		}
	}
	return false
}

// putOff keeps a command that cannot run yet.
func (r *reactor) putOff(cl *Client, args [][]byte) {
	cl.suspend(0)
	cl.queueFirst(&request{args: args})
	r.long.again = true
}

// putOffRunning is putOff for a command whose handler runs. It will be told when it comes again.
func (r *reactor) putOffRunning(cl *Client, args [][]byte) {
	r.putOff(cl, args)
	r.forgetTold(r.long.told)
}

// resumer returns what resumes cl on its reactor, if it is still there. Any goroutine may call it.
func (r *reactor) resumer(cl *Client) func() {
	return func() {
		r.net.Post(func() {
			r.beginTurn()
			if r.clients[cl.id] == cl && cl.flags&clientClosing == 0 {
				r.resume(cl)
			}
		})
	}
}
