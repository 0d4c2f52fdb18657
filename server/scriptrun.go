package server

import (
	"strings"
	"sync/atomic"

	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/server/logging"
	"github.com/shoaldb/shoal/shard"
)

// scriptRun is a script or function that is being run, with the state and the stack that it runs on. It is its Host.
type scriptRun struct {
	r    *reactor
	vm   *script.VM
	kind int               // scripts or functions
	set  *script.Libraries // that the state knows, of functions

	cl       *Client
	spec     *command.Spec // EVAL or one of its like
	args     [][]byte
	keyCount int
	script   *script.Script   // nil: a function
	function *script.Function // nil: a script
	name     string           // as error messages have it
	traits   script.Traits
	readOnly bool // may not write
	short    bool // memory is used up: until it has written, it may not call what needs more
	narrow   bool // nothing promises that it works on its declared keys only: before it writes or leaves them it begins anew
	watched  bool // it may be put aside: as it does not end by itself, or for a snapshot
	verdict  script.Verdict
	found    bool         // the function is there
	state    atomic.Int32 // whether it has written, or is to end

	q    request
	keys []shard.Key
	at   []int

	scriptClock
	aside
	carriage
}

// States of a script: one that has written is not killed, one that is to end does not write.
const (
	scriptClean int32 = iota
	scriptWrote
	scriptKilled
)

const (
	ofScripts = iota
	ofFunctions
)

func (r *reactor) takeRun(kind int) *scriptRun {
	idle := &r.scripting.idle[kind]
	if n := len(*idle); n > 0 {
		x := (*idle)[n-1]
		*idle = (*idle)[:n-1]
		return x
	}
	x := &scriptRun{r: r, kind: kind}
	r.srv.running.states[kind].Add(1)
	x.resumed = x.work
	x.renew()
	return x
}

// maxIdleRuns is how many states a reactor keeps that nobody uses.
const maxIdleRuns = 2

func (r *reactor) putRun(x *scriptRun) {
	x.cl, x.script, x.function, x.args, x.spec = nil, nil, nil, nil, nil
	x.carriage = carriage{}
	idle := &r.scripting.idle[x.kind]
	if len(*idle) >= maxIdleRuns {
		x.end()
		return
	}
	if !x.vm.Fit() {
		x.renew()
	}
	*idle = append(*idle, x)
}

// renew gives x another state.
func (x *scriptRun) renew() {
	x.vm, x.set = script.NewVM(x, x.kind == ofFunctions), nil
}

// end frees what x does not only keep in memory.
func (x *scriptRun) end() {
	x.r.srv.running.states[x.kind].Add(-1)
	if x.co != nil {
		x.co.Stop()
		x.co = nil
	}
}

// runEval runs a script; the shards of its keys are locked.
func (r *reactor) runEval(c *command.Ctx, s *script.Script, keys int) {
	x := r.takeRun(ofScripts)
	x.script, x.name, x.traits = s, s.SHA, s.Traits
	if !x.declare(c, s.Flags) {
		r.putRun(x)
		return
	}
	x.watched = !s.Traits.Straight || r.srv.mayWait(&s.Traits)
	r.runScript(c, x, keys)
}

const (
	errRunsWrites  command.Error = "ERR Can not execute a script with write flag using *_ro command."
	errRunsMisconf command.Error = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts."
	runsAOFError                 = "MISCONF Redis is configured to persist data to AOF, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts. AOF error: "
)

// declare takes over the flags that a script or function has declared. It replies if they forbid to run it. A script that has
// declared nothing is checked command by command.
func (x *scriptRun) declare(c *command.Ctx, f script.Flags) bool {
	x.readOnly = c.Spec.Flags&command.ReadOnly != 0
	x.short = x.r.memoryUsedUp()
	if f&script.Plain != 0 {
		return true
	}
	if why := x.refusesToRun(f); why != "" {
		c.Error(why)
		return false
	}
	x.readOnly = x.readOnly || f&script.NoWrites != 0
	x.short = x.short && f&(script.AllowOOM|script.NoWrites) == 0
	return true
}

// refusesToRun returns why a script with these flags may not run now, or nothing.
func (x *scriptRun) refusesToRun(f script.Flags) command.Error {
	if f&script.NoWrites != 0 {
		return ""
	}
	switch gate := x.r.srv.gate.Load(); {
	case gate&gateMisconf != 0:
		return errRunsMisconf
	case gate&gateAOFError != 0:
		_, reason, _ := strings.Cut(string(x.r.srv.misconfError(gate)), ": ")
		return command.Error(runsAOFError + reason)
	case x.readOnly:
		return errRunsWrites
	case x.short && f&script.AllowOOM == 0:
		return command.ErrOutOfMemory
	}
	return ""
}

// runScript runs x, whose program is set; the shards of the keys are locked. It may put x aside, or its client.
func (r *reactor) runScript(c *command.Ctx, x *scriptRun, keys int) {
	cl := client(c)
	x.cl, x.spec, x.args, x.keyCount = cl, c.Spec, c.Args, keys
	x.narrow = !x.traits.Declared
	x.state.Store(scriptClean)
	within := r.inner.depth > 0 || r.alone
	if within {
		x.carrier = r.scripting.carrier
	}
	if x.watched && !within && r.tooManyPaused(cl, c) {
		r.putRun(x)
		return
	}
	widened, ok := false, true
	if x.wide() || x.narrow && !x.traits.Reads {
		if widened, ok = r.widen(cl, c); !ok {
			r.putRun(x)
			return
		}
	}
	db, told := cl.db, r.toldSoFar()
	done := x.start(within)
	if done && x.verdict == script.Abandon {
		r.forgetTold(told)
		x.widenNext()
		cl.db = db
		x.renewSame()
		if widened, ok = r.widen(cl, c); !ok {
			r.putRun(x)
			return
		}
		done = x.start(within)
	}
	if !done {
		x.putAside(db)
		return
	}
	cl.db = db
	r.srv.running.remove(x)
	result := x.reply(c.Reply)
	r.scripting.quiet = result.Failed && result.Noted
	if widened {
		r.endGroup(&r.many)
	}
	r.putRun(x)
}

// reply writes what x has returned.
func (x *scriptRun) reply(w *resp.Writer) script.Result {
	if !x.found {
		w.Error("ERR The function's library cannot be loaded")
		return script.Result{Failed: true}
	}
	return x.vm.Reply(w, x.name)
}

// renewSame gives x another state for the same program.
func (x *scriptRun) renewSame() {
	set := x.set
	x.renew()
	if set != nil {
		x.use(set)
	}
	x.state.Store(scriptClean)
}

// wide tells whether the program has wanted keys that it had not declared.
func (x *scriptRun) wide() bool {
	if x.function != nil {
		return x.function.Wide.Load()
	}
	return x.script.Wide.Load()
}

func (x *scriptRun) widenNext() {
	if x.function != nil {
		x.function.Wide.Store(true)
		return
	}
	x.script.Wide.Store(true)
}

// widen takes the locks of all shards in place of those that are held, under which nothing has been written. widened is false if
// they are held already. If leases forbid it, the command is put off, or refused while a script is slow: then ok
// is false.
func (r *reactor) widen(cl *Client, c *command.Ctx) (widened, ok bool) {
	if r.many.all {
		return false, true
	}
	if r.many.used > 0 {
		r.unlock(&r.many)
	}
	r.lockAll()
	if r.srv.leases.running.Load() == 0 || r.inner.depth > 0 {
		return true, true
	}
	if r.srv.gate.Load()&gateBusy != 0 {
		r.unlock(&r.many)
		c.Error(r.srv.running.busy())
		return false, false
	}
	if r.awaitExclusive(cl) || r.awaitAnyLease(cl) {
		r.unlock(&r.many)
		r.putOffRunning(cl, c.Args)
		r.long.lengthened = true
		return false, false
	}
	return true, true
}

// start runs the program, under the locks that are held. It reports false if it has paused. One that is within
// something else does not.
func (x *scriptRun) start(within bool) (done bool) {
	outer := x.r.scripting.current
	x.r.scripting.current = x
	defer func() { x.r.scripting.current = outer }()
	if !x.watched {
		x.work()
		return true
	}
	x.begin(within)
	if within {
		x.work()
		return true
	}
	if x.co == nil {
		x.co = script.NewCoroutine()
	}
	return x.co.Start(x.resumed)
}

// work runs the program.
func (x *scriptRun) work() {
	x.r.beginInner(x.cl)
	x.r.inner.levels[x.r.inner.depth-1].Scripted = true
	keys, args, ends := x.args[3:3+x.keyCount], x.args[3+x.keyCount:], x.traits.Straight
	if x.function != nil {
		x.verdict, x.found = x.vm.Call(x.function, keys, args, !ends)
	} else {
		x.verdict, x.found = x.vm.Run(x.script, keys, args, !ends), true
	}
	x.r.endInner()
}

const (
	errScriptUnknown  command.Error = "ERR Unknown Redis command called from script"
	errScriptArity    command.Error = "ERR Wrong number of args calling Redis command from script"
	errScriptNotHere  command.Error = "ERR This Redis command is not allowed from script"
	errScriptReadOnly command.Error = "ERR Write commands are not allowed from read-only scripts."
)

// Call runs a command of the script; see script.Host.
func (x *scriptRun) Call(args [][]byte, w *resp.Writer) command.Error {
	r, q := x.r, &x.q
	spec := r.srv.table.Resolve(args)
	if refused := x.refuses(spec, len(args)); refused != "" {
		return r.refuseInner(spec, refused)
	}
	q.spec, q.args = spec, args
	if why := r.deniedInside(x.cl, q, "lua"); why != "" {
		return r.refuseInner(spec, command.Error("ERR The user executing the script "+why))
	}
	x.bind()
	if !r.covers(q) && !r.alone || x.narrow && mayWrite(spec) && !r.many.all && !r.alone {
		x.vm.Stop(script.Abandon)
		return errScriptNotHere
	}
	if spec.Flags&command.Write != 0 && x.state.Load() != scriptWrote && !x.state.CompareAndSwap(scriptClean, scriptWrote) {
		x.vm.Stop(script.Kill)
		return errScriptNotHere
	}
	if blocks(q) {
		w.Error("ERR " + strings.ToLower(spec.Name) + " command is not allowed with BLOCK option from scripts")
		r.srv.errorStats.count(w.Buf)
		return ""
	}
	r.runInner(x.cl, q, w)
	return ""
}

// blocks tells whether q reads a stream and would wait for it.
func blocks(q *request) bool {
	if q.spec.Group != command.GroupStream || q.spec.Flags&command.Blocking == 0 {
		return false
	}
	for _, a := range q.args[1:] {
		if command.EqualFold(a, "STREAMS") {
			return false
		}
		if command.EqualFold(a, "BLOCK") {
			return true
		}
	}
	return false
}

// refuses returns why the script may not call a command, or nothing.
func (x *scriptRun) refuses(spec *command.Spec, n int) command.Error {
	switch {
	case spec == nil:
		return errScriptUnknown
	case !spec.ArityOK(n):
		return errScriptArity
	case spec.Flags&command.NoScript != 0 && !x.r.srv.observed.allowInScripts.Load():
		return errScriptNotHere
	case x.readOnly && mayWrite(spec):
		return errScriptReadOnly
	case x.short && spec.Flags&command.DenyOOM != 0 && x.state.Load() != scriptWrote:
		return command.ErrOutOfMemory
	}
	return ""
}

// countError counts an error reply in the statistics, unless a script has returned that of a command, which is counted.
func (r *reactor) countError(reply []byte) {
	if r.scripting.quiet {
		r.scripting.quiet = false
		return
	}
	r.srv.errorStats.count(reply)
}

// refuseInner counts a command that a script may not call.
func (r *reactor) refuseInner(spec *command.Spec, e command.Error) command.Error {
	r.srv.errorStats.count([]byte("-" + e))
	if spec != nil {
		r.calls[spec.Index()].rejected++
	}
	return e
}

// bind binds the keys of the command.
func (x *scriptRun) bind() {
	q := &x.q
	q.keys = nil
	if !q.spec.HasKeys() {
		return
	}
	keys := x.keys[:0]
	if i := q.spec.OnlyKey(); i != 0 {
		keys = append(keys, shard.Key{})
		x.r.srv.ks.Bind(&keys[0], x.cl.db, q.args[i])
	} else {
		x.at, _ = q.spec.KeyIndexes(q.args, x.at[:0])
		for i, at := range x.at {
			keys = append(keys, shard.Key{})
			x.r.srv.ks.Bind(&keys[i], x.cl.db, q.args[at])
		}
	}
	x.keys, q.keys = keys, keys
}

// Allowed tells whether the script's user may run a command; see script.Host.
func (x *scriptRun) Allowed(args [][]byte) (allowed, exists bool) {
	spec := x.r.srv.table.Resolve(args)
	if spec == nil {
		return false, false
	}
	if !spec.ArityOK(len(args)) { // nothing is known of its keys
		return x.cl.user.Rules().AllowsCommand(spec, args), true
	}
	why, _ := x.cl.user.Rules().Check(spec, args)
	return why == acl.Allowed, true
}

// Replicate tells where the effects of the commands to come go; see script.Host. There is one stream, that of the
// append only file.
func (x *scriptRun) Replicate(to script.Replication) {
	c := &x.r.inner.levels[x.r.inner.depth-1]
	x.r.connect(c, x.r.srv.propagation.on.Load() && to&script.ReplicateAOF != 0)
}

// LogLevel is the least level that is logged; see script.Host.
func (x *scriptRun) LogLevel() int { return int(x.r.srv.cfg.Load().LogLevel) }

// Log writes to the log; see script.Host.
func (x *scriptRun) Log(level int, text string) { x.r.srv.log.Logf(logging.Level(level), "%s", text) }
