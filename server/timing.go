package server

import (
	"math"
	"slices"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/server/latency"
)

// What commands take is always measured. Reading the clock costs about as much as a fifth of a pipelined GET, so it is
// read once for up to a batch of quick commands, which share the time evenly. Any other command, and any with many
// arguments, is measured by itself: the reading at its end is where the next one begins. When thresholds below a
// millisecond ask for it, each command is measured by itself.

// Reasons to look at each command, in Server.watch.
const (
	watchTime     = 1 << iota // measure each by itself
	watchMonitors             // tell those who watch (MONITOR)
)

const (
	// quickArgs is how many arguments a quick command may have.
	quickArgs = 256
	// exactBelow is the threshold from which on up it is enough to measure quick commands together.
	exactBelow = time.Millisecond
)

// thresholds are from which time on something is notable, ns.
type thresholds struct {
	slow  int64 // for the slow log
	spike int64 // for the latency monitor
	least int64 // of both
	track bool  // how long calls take is kept in histograms
}

func (s *Server) setThresholds(v *config.Values) {
	t := &thresholds{slow: math.MaxInt64, spike: math.MaxInt64, track: v.LatencyTracking}
	if v.SlowLogSlowerThanUS >= 0 {
		t.slow = nanos(v.SlowLogSlowerThanUS, time.Microsecond)
	}
	if v.LatencyMonitorThreshold > 0 {
		t.spike = nanos(v.LatencyMonitorThreshold, time.Millisecond)
	}
	t.least = min(t.slow, t.spike)
	s.thresholds.Store(t)
	if t.least < int64(exactBelow) {
		s.watch.Or(watchTime)
	} else {
		s.watch.And(^uint32(watchTime))
	}
	s.slowlog.Trim(v.SlowLogMaxLen)
}

// nanos returns n units in ns, or the greatest number if that is too large.
func nanos(n int, unit time.Duration) int64 {
	if int64(n) > math.MaxInt64/int64(unit) {
		return math.MaxInt64
	}
	return int64(n) * int64(unit)
}

// callStats is what a reactor knows of the calls of one command. It belongs to the reactor.
type callStats struct {
	calls, nanos, rejected, failed int64

	latency *latency.Histogram // nil: not yet
}

// add counts n calls that took each ns.
func (s *callStats) add(n, each, failed int64, track bool) {
	s.calls += n
	s.nanos += n * each
	s.failed += failed
	if !track {
		return
	}
	if s.latency == nil {
		s.latency = new(latency.Histogram)
	}
	s.latency.Add(each, n)
}

// resetCalls sets back what is known of all calls.
func (r *reactor) resetCalls() {
	for i := range r.calls {
		r.calls[i] = callStats{}
	}
	r.evictionWaits.Reset()
}

// note counts a call of the batch that will be measured together with others.
func (r *reactor) note(spec *command.Spec, failed bool) {
	if g := r.batch.last; g != nil && g.spec == spec && !failed {
		g.calls++
		return
	}
	r.noteOther(spec, failed)
}

// noteOther is note for a failed call or another command than the last one noted, and tells whether it was another. Two commands
// that take turns are found without a search.
func (r *reactor) noteOther(spec *command.Spec, failed bool) (another bool) {
	b := &r.batch
	g := b.last
	if g == nil || g.spec != spec {
		another = true
		if g = b.before; g == nil || g.spec != spec {
			g = b.newGroup(spec)
		}
		b.last, b.before = g, b.last
	}
	g.calls++
	if failed {
		g.failed++
	}
	return another
}

// newGroup adds a group.
func (b *batch) newGroup(spec *command.Spec) *group {
	if len(b.groups) == cap(b.groups) { // the others move
		b.groups = slices.Grow(b.groups, batchCommands)
		b.last = nil
	}
	b.groups = append(b.groups, group{spec: spec})
	return &b.groups[len(b.groups)-1]
}

// settle shares the time since the last reading of the clock among the calls that were noted.
func (r *reactor) settle() {
	b := &r.batch
	now := nanotime()
	took := now - r.lastRun
	r.lastRun = now
	if len(b.groups) == 0 {
		return
	}
	calls := int64(0)
	for i := range b.groups {
		calls += b.groups[i].calls
	}
	t := r.srv.thresholds.Load()
	each := share(took, calls)
	for i := range b.groups {
		g := &b.groups[i]
		r.calls[g.spec.Index()].add(g.calls, each, g.failed, t.track)
	}
	if took >= t.least {
		r.noteSlowBatch(took)
	}
	b.total += calls
	b.forgetCalls()
	b.settled = b.at + 1
}

// forgetCalls forgets what has been noted.
func (b *batch) forgetCalls() { b.groups, b.last, b.before = b.groups[:0], nil, nil }

// share returns took/calls. Dividing numbers of 32 bits is several times quicker on many processors.
func share(took, calls int64) int64 {
	if uint64(took|calls) <= math.MaxUint32 {
		return int64(uint32(took) / uint32(calls))
	}
	return took / calls
}

// account ends the batch for the statistics.
func (r *reactor) account(cl *Client, b *batch) {
	r.settle()
	r.stats.commands.Add(b.total)
	r.flow.commands += b.total
	cl.commands += b.total
	b.total = 0
}

// isWatched tells whether q is to be run between beginWatched and endWatched. What a file being loaded says is no
// client's command.
func (r *reactor) isWatched(q *request) bool {
	if r.loader {
		return false
	}
	return r.watching != 0 || !q.spec.IsQuick() || len(q.args) > quickArgs
}

// beginWatched readies the reactor for watching q. It returns the nanotime at which measuring it begins, or unmeasured.
func (r *reactor) beginWatched(cl *Client, q *request, inScript bool) (begin int64) {
	begin = unmeasured
	if r.watching&watchTime != 0 || !q.spec.IsQuick() || len(q.args) > quickArgs {
		if r.batch.last != nil || inScript {
			r.settle()
		}
		begin = r.lastRun
	}
	r.long.again, r.long.told = false, r.toldSoFar()
	r.tellBefore(cl, q, inScript)
	return begin
}

// unmeasured is in the place of the time at which a command begins that is measured together with others.
const unmeasured = -1

// endWatched notes what q took since begin, with all that ran in it. The locks that it ran under are still held.
func (r *reactor) endWatched(cl *Client, q *request, begin int64, failed, inScript bool) {
	r.tellAfter(cl, q, inScript)
	if r.inner.depth == 0 {
		r.endTold()
	}
	if begin == unmeasured {
		r.note(q.spec, failed)
		return
	}
	r.settle()
	r.batch.total++
	if cl.flags&(clientSuspended|clientBlocked) == clientSuspended && r.inner.depth == 0 {
		cl.unfinished = &unfinished{spec: q.spec, args: cloneArgs(q.args), begin: begin}
		return
	}
	r.timed(cl, q.spec, q.args, r.lastRun-begin, failed)
}

// unfinished is a command whose client waits for other reactors, or for another goroutine, to do the work.
type unfinished struct {
	spec  *command.Spec
	args  [][]byte
	begin int64 // nanotime
}

// endUnfinished notes that the command which cl has been waiting for has replied, if there is one.
func (r *reactor) endUnfinished(cl *Client, reply []byte) {
	u := cl.unfinished
	if u == nil {
		return
	}
	cl.unfinished = nil
	r.timed(cl, u.spec, u.args, nanotime()-u.begin, len(reply) > 0 && reply[0] == '-')
}

// timed notes a call that was measured by itself.
func (r *reactor) timed(cl *Client, spec *command.Spec, args [][]byte, nanos int64, failed bool) {
	t := r.srv.thresholds.Load()
	n := int64(0)
	if failed {
		n = 1
	}
	r.calls[spec.Index()].add(1, nanos, n, t.track)
	if nanos >= t.least {
		r.noteSlow(cl, spec, args, nanos)
	}
}

// Events of the latency monitor that are named as in Redis.
const (
	eventCommand     = "command"
	eventFastCommand = "fast-command"
	eventExpireCycle = "expire-cycle"

	eventEvictionCycle = "eviction-cycle"
)

// noteSlow notes a command that took long.
func (r *reactor) noteSlow(cl *Client, spec *command.Spec, args [][]byte, nanos int64) {
	event := eventCommand
	if spec.Flags&command.Fast != 0 {
		event = eventFastCommand
	}
	r.srv.spike(event, nanos)
	if cl.flags&clientBlocked == 0 {
		r.logSlow(cl, spec, args, nanos)
	}
}

// logSlow puts a command into the slow log if it was slow.
func (r *reactor) logSlow(cl *Client, spec *command.Spec, args [][]byte, nanos int64) {
	s := r.srv
	if nanos >= s.thresholds.Load().slow && spec.Flags&command.SkipSlowlog == 0 {
		s.slowlog.Add(cl.withoutLarge(redact(spec, args)), r.net.Now()/1e6, nanos/1000, cl.conn.RemoteAddr(), cl.name, s.cfg.Load().SlowLogMaxLen)
	}
}

// noteSlowBatch notes that quick commands took long together. Which one did is not known, so it is the one with the
// longest arguments that goes into the slow log.
func (r *reactor) noteSlowBatch(nanos int64) {
	r.srv.spike(eventFastCommand, nanos)
	b := &r.batch
	if r.inner.depth > 0 {
		return
	}
	var longest *request
	bytes := -1
	for i := b.settled; i <= b.at && i < b.n; i++ {
		q, n := &b.cmds[i], 0
		if q.spec == nil || !q.spec.IsQuick() {
			continue
		}
		for _, a := range q.args {
			n += len(a)
		}
		if n > bytes {
			longest, bytes = q, n
		}
	}
	if longest == nil {
		return
	}
	r.logSlow(r.ctx.Client.(*Client), longest.spec, longest.args, nanos)
}

// spike tells the latency monitor how long an event took. Any goroutine may call it.
func (s *Server) spike(event string, nanos int64) {
	if nanos >= s.thresholds.Load().spike {
		s.latency.Add(event, time.Now().Unix(), nanos/1e6)
	}
}
