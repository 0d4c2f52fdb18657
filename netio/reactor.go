package netio

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A Reactor is one event loop: a goroutine and its conns. The goroutine is locked to its OS thread, except on
// kqueue when no CPUs are given. Unless said otherwise a Reactor's methods belong to that goroutine.
type Reactor struct {
	// User belongs to the handler.
	User any

	e       *Engine
	handler Handler
	id      int
	now     int64 // µs of Unix time at the start of the turn
	clock   int64 // the same in µs since some moment before the engine was made, never set: what all *At and *Tick mean
	turn    uint64

	conns    []*Conn // by Conn.index
	free     []int32 // holes in conns
	numConns atomic.Int64

	mail    mailbox
	again   mailbox // see NextTurn
	io      backend
	bufs    bufPool
	scratch []byte // swallows what is written to closed conns
	clear   []byte // what was just decrypted

	dirty   []*Conn // to flush at the end of the turn
	closing []*Conn // for whom Closed is to be called
	resumed []*Conn // for whom the stash is to be delivered

	nextTick int64 // µs, when Tick is due if idle
	lastTick int64
	stopAt   int64 // µs, end of the grace period once stopping; 0 before
	trimAt   int64 // µs, when to look for unused buffers
	loggedAt int64 // µs, when a failed accept was last logged

	started atomic.Bool // io is set
	thread  threadClock
}

// backend is what an engine does for a reactor. All but wake are called on the reactor's goroutine.
type backend interface {
	run()            // the loop, until the reactor has stopped
	wake(first bool) // makes a sleeping loop look at its mailbox, which was empty if first; any goroutine
	adopt(c *Conn)   // begins receiving
	flush(c *Conn)   // sends what is pending, as far as the conn's turn goes
	pause(c *Conn)   // stops receiving
	resume(c *Conn)  // begins again
	release(c *Conn) // closes the socket, as soon as the kernel has let go of the conn's memory
	listen(l *listener)
	unlisten(l *listener)
	destroy() // gives everything back, if run was not called
}

func newReactor(e *Engine, id int) *Reactor {
	return &Reactor{e: e, handler: e.handler, id: id, scratch: make([]byte, 0, 64)}
}

// ID is the reactor's index in Engine.Reactors. Any goroutine may ask.
func (r *Reactor) ID() int { return r.id }

// Engine is the engine the reactor belongs to. Any goroutine may ask.
func (r *Reactor) Engine() *Engine { return r.e }

// Now is the time at which the turn began, in µs of Unix time.
func (r *Reactor) Now() int64 { return r.now }

// NumConns counts the reactor's open conns. Any goroutine may ask.
func (r *Reactor) NumConns() int { return int(r.numConns.Load()) }

// CPUTime is the CPU time that the reactor's thread has used. It is 0 where the system does not tell, or the reactor
// has no thread of its own. Any goroutine may ask.
func (r *Reactor) CPUTime() time.Duration { return r.thread.read() }

// TickWithin makes the next Tick come no later than d from the beginning of this turn.
func (r *Reactor) TickWithin(d time.Duration) {
	r.nextTick = min(r.nextTick, r.clock+int64(d/time.Microsecond))
}

// Conns calls f for each open conn until it returns false. f may close conns.
func (r *Reactor) Conns(f func(*Conn) bool) {
	for _, c := range r.conns {
		if c != nil && c.flags&(flagOpened|flagClosing) == flagOpened && !f(c) {
			return
		}
	}
}

// Post has f called on the reactor's goroutine, in the order of posting: before the events of a turn, so that whoever
// knows of the posting cannot be faster, or after them. Any goroutine may post, also the reactor's own. After
// Engine.Stop f may never run.
func (r *Reactor) Post(f func()) {
	first := r.mail.push(f)
	if r.started.Load() {
		r.io.wake(first)
	}
}

// NextTurn has f called at the end of the reactor's next turn, or of this one if it is called before that ends: once in a turn
// for what makes one step in each.
func (r *Reactor) NextTurn(f func()) {
	first := r.again.push(f)
	if r.started.Load() {
		r.io.wake(first)
	}
}

// add gives the conn an index.
func (r *Reactor) add(c *Conn) {
	if n := len(r.free); n > 0 {
		c.index = r.free[n-1]
		r.free = r.free[:n-1]
		r.conns[c.index] = c
		return
	}
	c.index = int32(len(r.conns))
	r.conns = append(r.conns, c)
}

// remove forgets the conn; nothing may refer to its index any more.
func (r *Reactor) remove(c *Conn) {
	r.conns[c.index] = nil
	r.free = append(r.free, c.index)
}

// accepted takes a socket from the listener and gives it to the reactor with the fewest conns.
func (r *Reactor) accepted(fd int, l *listener) {
	c := &Conn{fd: fd, id: r.e.lastConnID.Add(1)}
	if l.network == "unix" {
		c.flags |= flagUnix
	} else {
		tuneAccepted(fd, int(r.e.keepAliveSec.Load()))
	}
	if l.tls {
		c.flags |= flagTLS
	}
	target := r.e.assign(r)
	if target == r {
		r.open(c)
		return
	}
	target.Post(func() { target.open(c) })
}

// assign chooses the least loaded reactor, r if it is among them, and counts the new conn there.
func (e *Engine) assign(r *Reactor) *Reactor {
	e.spread.Lock()
	defer e.spread.Unlock()
	best, least := r, r.numConns.Load()
	for _, o := range e.reactors {
		if n := o.numConns.Load(); n < least {
			best, least = o, n
		}
	}
	best.numConns.Add(1)
	return best
}

func (r *Reactor) open(c *Conn) {
	c.r = r
	c.LastActive = r.now
	r.add(c)
	if r.stopAt != 0 {
		c.Close(ErrStopped)
		return
	}
	if c.flags&flagTLS != 0 {
		c.tls = newSecure(c)
	}
	c.flags |= flagOpened
	r.handler.Opened(c)
	if c.flags&flagClosing == 0 {
		r.io.adopt(c)
	}
}

// clockAt is what a reactor's clock shows at t. Wall clocks jump, this one does not.
func (e *Engine) clockAt(t time.Time) int64 { return int64(t.Sub(e.epoch) / time.Microsecond) }

// beginTurn notes the time and does what others have asked for.
func (r *Reactor) beginTurn() {
	t := time.Now() // 42 ns, once
	r.now = t.UnixMicro()
	r.clock = r.e.clockAt(t)
	r.turn++
	r.mail.drain()
}

// idle tells whether nothing was posted.
func (r *Reactor) idle() bool { return r.mail.empty() && r.again.empty() }

// endTurn does everything that follows a turn's events.
func (r *Reactor) endTurn() {
	r.mail.drain()
	r.again.drain()
	if len(r.resumed) > 0 {
		r.resumeAll()
	}
	if r.clock >= r.nextTick || r.clock-r.lastTick >= int64(r.e.opts.TickEvery/time.Microsecond) {
		r.tick()
	}
	if len(r.closing) > 0 {
		r.closeAll()
	}
	if r.stopAt != 0 && r.clock >= r.stopAt {
		r.Conns(func(c *Conn) bool { c.Close(ErrStopped); return true })
	}
	r.handler.TurnEnd(r)
	for len(r.dirty)+len(r.closing) > 0 {
		r.flushAll()
		r.closeAll()
	}
}

func (r *Reactor) tick() {
	after := r.handler.Tick(r)
	if after <= 0 {
		after = r.e.opts.TickEvery
	}
	if r.clock >= r.trimAt {
		r.bufs.trim()
		r.trimAt = r.clock + 1e6
	}
	r.lastTick = r.clock
	r.nextTick = r.clock + int64(after/time.Microsecond)
}

func (r *Reactor) flushAll() {
	for i := 0; i < len(r.dirty); i++ {
		c := r.dirty[i]
		r.dirty[i] = nil
		c.flags &^= flagDirty
		if c.flags&(flagClosing|flagOutHeld) == 0 {
			r.io.flush(c)
		}
	}
	r.dirty = r.dirty[:0]
}

// flushed closes the conn if its last reply is out.
func (r *Reactor) flushed(c *Conn) {
	if c.flags&flagCloseAfter != 0 && c.OutPending() == 0 {
		c.Close(nil)
	}
}

func (r *Reactor) closeAll() {
	for i := 0; i < len(r.closing); i++ {
		c := r.closing[i]
		r.closing[i] = nil
		r.numConns.Add(-1)
		if c.flags&flagOpened != 0 {
			r.handler.Closed(c, c.err)
		}
		c.flags |= flagClosed
		c.stash = nil
		if c.tls != nil {
			c.tls.close()
		}
		r.io.release(c)
	}
	r.closing = r.closing[:0]
}

func (r *Reactor) resumeAll() {
	for i := 0; i < len(r.resumed); i++ {
		c := r.resumed[i]
		r.resumed[i] = nil
		c.flags &^= flagResumed
		if c.flags&(flagPaused|flagClosing) != 0 {
			continue
		}
		if stash := c.stash; len(stash) > 0 || c.tls != nil {
			c.stash = nil
			c.redeliver(stash)
		}
		switch {
		case c.flags&(flagPaused|flagClosing) != 0:
		case c.flags&(flagEOF|flagOutHeld) == flagEOF|flagOutHeld: // ReleaseOut comes back to it
		case c.flags&flagEOF != 0:
			c.lastWords()
		default:
			r.io.resume(c)
		}
	}
	r.resumed = r.resumed[:0]
}

const (
	stopGrace   = 500e3 // µs that pending replies are given at Stop
	stopTimeout = 2e6   // µs after which the kernel is not waited for any more
	stopPoll    = 10e3  // µs between looks while stopping
)

// beginStop closes all conns, those with pending replies after the replies.
func (r *Reactor) beginStop() {
	r.stopAt = r.clock + stopGrace
	r.Conns(func(c *Conn) bool {
		if c.OutPending() == 0 {
			c.Close(ErrStopped)
		} else {
			c.err = ErrStopped
			c.CloseAfterReply()
		}
		return true
	})
}

// stopped tells whether the loop may end.
func (r *Reactor) stopped() bool {
	return r.stopAt != 0 && (len(r.conns) == len(r.free) || r.clock > r.stopAt+stopTimeout)
}

const acceptPause = 100 * time.Millisecond

// acceptFailed says how long to wait before accepting again. A shortage, mostly of file descriptors, is met by
// a pause, and one line of log a second.
func (r *Reactor) acceptFailed(l *listener, err unix.Errno) time.Duration {
	switch err {
	case 0, unix.ECONNABORTED, unix.EINTR, unix.EAGAIN, unix.EPROTO, unix.ECANCELED:
		return 0
	}
	if r.clock-r.loggedAt >= 1e6 && !l.down.Load() {
		r.loggedAt = r.clock
		r.e.opts.Logf(LevelWarning, "Accepting client connection: accept: %v", err)
	}
	return acceptPause
}
