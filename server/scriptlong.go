package server

import (
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/journal"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/shard"
)

// A script that runs for long is put aside and goes on in slices, so that its reactor serves others. Meanwhile nobody
// else may see what it has done: the keys that it works on are on lease, as those of a command that works in steps; or,
// if it may work on any key, it has the data to itself (exclusive). Who has to wait for a script that has run for
// longer than busy-reply-threshold gets an error.

const (
	scriptPatience = 5 * time.Millisecond // how long a script runs before it is put aside
	scriptSlice    = time.Millisecond     // how long it goes on in one turn
	maxPaused      = 32                   // scripts that are put aside on a reactor
	scriptMemory   = 128 << 20            // bytes that a script may make the heap grow by
)

// scriptClock is what is measured of a watched script.
type scriptClock struct {
	begun, until int64       // nanotime: of its beginning, of the end of its slice
	nanos        int64       // that its slices have taken
	within       bool        // it runs within something else and cannot be put aside
	noted        bool        // it is among the server's running scripts
	shown        [][]byte    // the command's arguments, for others to see
	slow         atomic.Bool // it has run for longer than busy-reply-threshold
	base         script.Heap // when it was first looked at
	mark         uint64      // bytes allocated when its slice began
	allocated    uint64      // bytes, in its slices, by all reactors
}

// aside is what is kept of a script that is put aside.
type aside struct {
	co      *script.Coroutine
	resumed func()
	inner   [2]command.Ctx // of the commands that it runs
	depth   int            // how many these are
	outerDB int
	innerDB int
	nowMS   int64 // time stands still for a script
	effects journal.Log
	shards  lockSet
	leased  []shard.Key
	writes  bool // its leases are for writing
	alone   bool // it has all data to itself
	told    bool // who waits for its keys knows that it is slow
	parked  bool // it does not go on before it is called
}

func (x *scriptRun) begin(within bool) {
	now := nanotime()
	x.scriptClock = scriptClock{begun: now, until: now + int64(scriptPatience), within: within}
}

// Attend decides what is to become of a script that runs for long; see script.Host.
func (x *scriptRun) Attend() script.Verdict {
	now := nanotime()
	x.note()
	x.checkSlow(now)
	p := x // what is put aside
	if x.carrier != nil {
		p = x.carrier
	}
	if v := x.judge(now); v != script.GoOn || p.within || now < p.until {
		return v
	}
	p.pause()
	return x.judge(nanotime())
}

// pause puts the script, or the transaction with a script, aside until the reactor comes to it again.
func (x *scriptRun) pause() {
	inside := x.r.scripting.current
	x.inside = inside
	x.co.Pause()
	if inside != nil {
		inside.mark = script.ReadHeap().Allocated
	}
}

// parkScript puts what runs aside, a script or a transaction with scripts, until await calls. It reports false if it cannot be.
func (r *reactor) parkScript(await func(resume func())) bool {
	x := r.scripting.carrier
	if x == nil {
		x = r.scripting.current
	}
	if x == nil || !x.watched || x.within {
		return false
	}
	if inside := r.scripting.current; inside != nil && inside.watched {
		inside.note()
		inside.checkSlow(nanotime())
	}
	x.parked = true
	await(func() {
		r.net.Post(func() {
			x.parked = false
			r.postScripts()
		})
	})
	x.pause()
	return true
}

// note enters the script in the list of those that run for long.
func (x *scriptRun) note() {
	if x.noted {
		return
	}
	x.noted = true
	x.base = script.ReadHeap()
	x.mark = x.base.Allocated
	x.r.srv.running.add(x)
}

// waitFor puts the script, a command of which waits for others, aside until ready reports true. It reports false, at once, if the
// script cannot be put aside; a command that then replies nothing is refused.
func (x *scriptRun) waitFor(ready func() bool) bool {
	if !x.watched || x.within {
		return false
	}
	x.note()
	for !ready() {
		x.pause()
	}
	return true
}

// background runs work outside of the reactor while the script waits.
func (x *scriptRun) background(work func() func(w *resp.Writer)) {
	if !x.watched || x.within {
		return
	}
	var done atomic.Bool
	var reply func(w *resp.Writer)
	go func() {
		reply = work()
		done.Store(true)
	}()
	x.waitFor(done.Load)
	reply(x.r.writer())
}

// mostInUse is how many bytes the heap can have in use with what was live when the script began, and garbage.
func (x *scriptRun) mostInUse() uint64 { return max(x.base.InUse, 2*x.base.Live+collectedBytes) }

// judge decides whether the script may go on.
func (x *scriptRun) judge(now int64) script.Verdict {
	h := script.ReadHeap()
	x.allocated += h.Allocated - x.mark
	x.mark = h.Allocated
	switch {
	case x.state.Load() == scriptKilled:
		x.r.srv.log.Warningf("Lua script killed by user with %s.", x.killer())
		return script.Kill
	case x.allocated > scriptMemory && (h.Live > x.base.Live+scriptMemory || h.InUse > x.mostInUse()+scriptMemory):
		return script.NoMemory
	case x.within && x.carrier == nil && now-x.begun > int64(x.longest()):
		return script.TooLong
	}
	return script.GoOn
}

// longest is how long a script may run that cannot be put aside.
func (x *scriptRun) longest() time.Duration {
	if x.r.loader {
		return math.MaxInt64
	}
	if ms := x.r.srv.cfg.Load().BusyReplyThresholdMS; ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return 5 * time.Second
}

func (x *scriptRun) killer() string {
	if x.function != nil {
		return "FUNCTION KILL"
	}
	return "SCRIPT KILL"
}

// checkSlow notes that the script has become slow.
func (x *scriptRun) checkSlow(now int64) {
	threshold := x.r.srv.cfg.Load().BusyReplyThresholdMS
	if threshold <= 0 || x.slow.Load() || now-x.begun < int64(threshold)*int64(time.Millisecond) {
		return
	}
	x.slow.Store(true)
	if x.carrier != nil {
		x.carrier.slow.Store(true)
	}
	x.r.srv.log.Warningf("Slow script detected: still in execution after %d milliseconds. You can try killing the script using the %s command. Script name is: %s.",
		(now-x.begun)/int64(time.Millisecond), x.killer(), x.name)
}

// tooManyPaused puts a command off that may be put aside while too many are.
func (r *reactor) tooManyPaused(cl *Client, c *command.Ctx) bool {
	if len(r.scripting.paused) < maxPaused {
		return false
	}
	if r.srv.gate.Load()&gateBusy != 0 {
		c.Error(r.srv.running.busy())
		return true
	}
	r.release()
	if r.many.used > 0 {
		r.unlock(&r.many)
	}
	r.putOffRunning(cl, c.Args)
	r.scripting.waiting = append(r.scripting.waiting, cl)
	r.long.lengthened = true
	return true
}

// resumeWaiting lets those go on whose scripts had to wait.
func (r *reactor) resumeWaiting() {
	waiting := r.scripting.waiting
	r.scripting.waiting = nil
	for _, cl := range waiting {
		r.resumer(cl)()
	}
}

// putAside keeps x, which has paused, and gives its locks back.
func (x *scriptRun) putAside(db int) {
	r, cl := x.r, x.cl
	x.args = cloneArgs(x.args)
	x.outerDB, x.nowMS = db, r.ctx.NowMS
	x.told, x.alone, x.nanos = false, r.many.all, nanotime()-x.begun
	x.writes = !x.readOnly && !x.traits.Reads
	x.leased = x.leased[:0]
	r.srv.countLeases(1)
	if x.writes || x.alone {
		r.srv.leases.scripts.Add(1)
	}
	if x.alone {
		r.srv.exclusive.begin()
	} else {
		x.leaseKeys()
	}
	x.shards = r.many
	if r.held != nil {
		x.shards = lockSet{}
		x.shards.add(r.held.Index())
		r.many, r.held = x.shards, nil
	}
	cl.suspend(0)
	r.long.lengthened = true
	r.scripting.paused = append(r.scripting.paused, x)
	x.leave()
	r.postScripts()
}

// leaseKeys takes leases on the declared keys.
func (x *scriptRun) leaseKeys() {
	for _, name := range x.args[3 : 3+x.keyCount] {
		var k shard.Key
		x.r.srv.ks.Bind(&k, x.outerDB, name)
		if !slices.ContainsFunc(x.leased, func(l shard.Key) bool { return string(l.Name) == string(name) }) {
			k.Lease(x.writes)
			x.leased = append(x.leased, k)
		}
	}
}

// leave gives the locks back at the end of a slice.
func (x *scriptRun) leave() {
	r := x.r
	x.inner, x.depth = r.inner.levels, r.inner.depth
	r.inner.depth = 0
	x.innerDB, x.cl.db = x.cl.db, x.outerDB
	if x.slow.Load() && !x.told {
		x.told = true
		r.srv.running.slow(1, r.srv)
		if x.alone {
			r.srv.exclusive.disturb(true)
		}
		for i := range x.leased {
			x.leased[i].MarkBusy()
		}
	}
	if r.srv.trackers.inUse.Load() {
		r.collect(x.cl, &r.many)
	}
	r.endEvents()
	r.effects.log.MoveGroup(&x.effects)
	r.unlock(&r.many)
}

func (r *reactor) postScripts() {
	if !r.scripting.posted && slices.ContainsFunc(r.scripting.paused, (*scriptRun).ready) {
		r.scripting.posted = true
		r.net.NextTurn(r.stepScript)
	}
}

// ready tells whether a script that was put aside may go on.
func (x *scriptRun) ready() bool { return !x.parked }

// stepScript lets the next one of the scripts that were put aside go on.
func (r *reactor) stepScript() {
	r.beginTurn()
	r.scripting.posted = false
	i := slices.IndexFunc(r.scripting.paused, (*scriptRun).ready)
	if i < 0 {
		return
	}
	x := r.scripting.paused[i]
	r.scripting.paused = slices.Delete(r.scripting.paused, i, i+1)
	if x.step() {
		x.finish()
	} else {
		r.scripting.paused = append(r.scripting.paused, x)
	}
	r.lastRun = nanotime()
	r.sendInvalidations()
	r.postScripts()
}

// step lets x go on for a slice. It returns true when it is done: then its locks are held.
func (x *scriptRun) step() (done bool) {
	r := x.r
	r.ctx.Client, r.ctx.NowMS, r.ctx.DB, r.ctx.Env = x.cl, x.nowMS, x.outerDB, r.srv.env.Load()
	r.many = x.shards
	r.many.lock(r.srv.ks, x.nowMS) // nothing expires under the script
	r.inner.levels, r.inner.depth = x.inner, x.depth
	r.effects.author = x.cl
	x.effects.MoveGroup(&r.effects.log)
	x.cl.db = x.innerDB
	begin := nanotime()
	r.lastRun, r.watching = begin, r.srv.watch.Load()
	x.until = begin + int64(scriptSlice)
	r.scripting.current = x
	if x.exec != nil {
		r.scripting.current, r.scripting.carrier = x.inside, x
	}
	done = x.co.Resume()
	r.scripting.current, r.scripting.carrier = nil, nil
	x.nanos += nanotime() - begin
	r.endTold()
	if !done {
		x.leave()
		r.effects.author = nil
	}
	r.account(x.cl, &r.batch)
	return done
}

// finish ends a script that was put aside.
func (x *scriptRun) finish() {
	r, cl := x.r, x.cl
	if x.exec == nil { // SELECT in a script is for the script
		cl.db = x.outerDB
	}
	if x.told {
		r.srv.running.slow(-1, r.srv)
	}
	r.srv.running.remove(x)
	for i := range x.leased {
		x.leased[i].EndLease(x.writes)
	}
	r.srv.countLeases(-1)
	if x.writes || x.alone {
		r.srv.leases.scripts.Add(-1)
	}
	if x.alone {
		r.srv.exclusive.end()
	}
	if x.exec != nil {
		x.exec.carried = false
		if cl.multi == x.exec {
			r.endMulti(cl, true)
		}
	}
	r.endGroup(&r.many)
	r.effects.author = nil
	r.resumeWaiting()
	x.inner = [2]command.Ctx{}
	if x.verdict == script.Abandon { // it begins anew, with all locks
		x.widenNext()
		if r.clients[cl.id] == cl {
			cl.queueFirst(&request{args: x.args})
		}
		r.putRun(x)
		r.resumer(cl)()
		return
	}
	w := resp.Writer{Proto: cl.proto}
	var result script.Result
	if x.exec != nil {
		w = x.w
	} else {
		result = x.reply(&w)
	}
	x.count(&w, result)
	r.putRun(x)
	r.finish(cl, func(to *resp.Writer) { to.Raw(w.Buf) })
}

// count counts a script that was put aside in the statistics.
func (x *scriptRun) count(w *resp.Writer, result script.Result) {
	if result.Failed && !result.Noted {
		x.r.srv.errorStats.count(w.Buf)
	}
	x.r.timed(x.cl, x.spec, x.args, x.nanos, result.Failed)
	x.r.stats.commands.Add(1)
	x.r.flow.commands++
	x.cl.commands++
}

// exclusive is the state in which a script that was put aside has all data to itself.
type exclusive struct {
	active  atomic.Bool // changed under the locks of all shards
	mu      sync.Mutex
	slow    bool // it lasts for long: clients do not wait
	waiting []func()
}

func (e *exclusive) begin() { e.active.Store(true) }

func (e *exclusive) end() {
	e.active.Store(false)
	e.disturb(false)
}

// disturb calls those who wait. Until the end clients do not wait again if the state has become slow.
func (e *exclusive) disturb(slow bool) {
	e.mu.Lock()
	e.slow = slow
	waiting := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

// await calls resume, on whatever goroutine, when the state is over, or lasts for long. It returns false if it is over already.
func (e *exclusive) await(resume func()) bool { return e.join(resume, false) }

// join is await. For a client resume is called at once where the state lasts for long already, which it is not told of again.
func (e *exclusive) join(resume func(), client bool) bool {
	if !e.active.Load() {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case !e.active.Load():
		return false
	case e.slow && client:
		resume()
	default:
		e.waiting = append(e.waiting, resume)
	}
	return true
}

// awaitExclusive lets cl wait until the exclusive state is over, or lasts for long. It returns false if there is none.
func (r *reactor) awaitExclusive(cl *Client) bool {
	return r.srv.exclusive.active.Load() && r.srv.exclusive.join(r.resumer(cl), true)
}

// gateBusy is the bit of Server.gate that is set while a script is slow.
const gateBusy = 1 << 9

const (
	errNotBusy      command.Error = "NOTBUSY No scripts in execution right now."
	errUnkillable   command.Error = "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
	errBusyScript   command.Error = "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
	errBusyFunction command.Error = "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
)

// running are the scripts that have run for a millisecond or more, in the order in which they began.
type running struct {
	mu    sync.Mutex
	list  []*scriptRun
	slows int

	states [2]atomic.Int64 // for scripts, and for functions, whether they run or not
}

func (s *running) add(x *scriptRun) {
	s.mu.Lock()
	x.shown = cloneArgs(x.args)
	s.list = append(s.list, x)
	s.mu.Unlock()
}

// remove takes x from the list, if it is there.
func (s *running) remove(x *scriptRun) {
	if !x.watched || !x.noted {
		return
	}
	s.mu.Lock()
	s.list = slices.DeleteFunc(s.list, func(l *scriptRun) bool { return l == x })
	s.mu.Unlock()
}

// slow counts slow scripts.
func (s *running) slow(n int, srv *Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slows += n
	if s.slows > 0 {
		srv.gate.Or(gateBusy)
	} else {
		srv.gate.And(^uint32(gateBusy))
	}
}

// busy is what clients are told that would have to wait for a slow script.
func (s *running) busy() command.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.list {
		if x.slow.Load() && x.function != nil {
			return errBusyFunction
		}
	}
	return errBusyScript
}

// kill ends the script, or the function, that has run for longest and has written nothing. It returns why it cannot.
func (s *running) kill(scripts bool) command.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	refusal := errNotBusy
	for _, x := range s.list {
		switch {
		case x.state.Load() == scriptWrote:
			refusal = errUnkillable
		case scripts && x.function != nil:
			refusal = errBusyFunction
		case !scripts && x.function == nil:
			refusal = errBusyScript
		case x.state.CompareAndSwap(scriptClean, scriptKilled):
			return ""
		case x.state.Load() == scriptKilled:
			return ""
		default:
			refusal = errUnkillable
		}
	}
	return refusal
}

// current describes the function that has run for longest, or the script if there is no function.
func (s *running) current() (name string, args [][]byte, ms int64, function, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.list {
		if !ok || x.function != nil && !function {
			name, args, ms = x.name, x.shown, (nanotime()-x.begun)/int64(time.Millisecond)
			function, ok = x.function != nil, true
		}
	}
	return name, args, ms, function, ok
}

// busyFor tells whether a client gets an error in place of q, as a script is slow.
func (r *reactor) busyFor(q *request) bool {
	if q.spec.Flags&command.AllowBusy != 0 {
		return q.spec.Name == "SHUTDOWN" && !slices.ContainsFunc(q.args, func(a []byte) bool { return strings.EqualFold(string(a), "NOSAVE") })
	}
	if r.srv.exclusive.active.Load() {
		return true
	}
	return !q.spec.HasKeys() && (q.spec.Group == command.GroupConnection || q.spec.Group == command.GroupServer || q.spec.Group == command.GroupScripting)
}

// busyKey tells whether a key of q is on lease to a slow script; the keys' shards are locked.
func busyKey(q *request) bool {
	for i := range q.keys {
		if q.keys[i].Busy() {
			return true
		}
	}
	return q.spec.LocksAll(q.args)
}
