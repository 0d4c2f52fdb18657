package netio

import (
	"errors"
	"io"
	"os"
	"slices"

	"github.com/panjf2000/gnet/v2/pkg/socket"
	"golang.org/x/sys/unix"
)

const (
	readBufSize = 64 << 10
	maxVec      = 16
	acceptBatch = 64 // connections taken per event, so that a storm does not starve conns
)

// pollIO is what this engine keeps about a conn.
type pollIO struct {
	watched interest // known to the poller
	writing bool     // the socket is full: waiting until it is writable
}

// interest is what a conn waits for.
type interest uint8

const (
	watchRead interest = 1 << iota
	watchWrite
)

// pollLoop is the gnet engine's loop of one reactor: it is told which sockets are ready, by epoll or, elsewhere, by
// gnet's poller, and reads and writes them itself.
type pollLoop struct {
	r       *Reactor
	poller  *poller
	buf     []byte // what was just read
	vec     [][]byte
	conns   []*Conn // by descriptor
	accepts []*pollAcceptor
	moved   int // bytes received in this turn
	budget  int // bytes that may still be sent in this turn
}

type pollAcceptor struct {
	l       *listener
	fd      int
	retryAt int64 // µs, after a shortage
}

func newPollLoop(r *Reactor) (*pollLoop, error) {
	l := &pollLoop{r: r, buf: make([]byte, readBufSize)}
	var err error
	l.poller, err = openPoller(l)
	return l, err
}

func (l *pollLoop) destroy() { l.poller.close() }

func (l *pollLoop) run() {
	l.poller.run()
	l.destroy()
}

func (l *pollLoop) wake(first bool) { l.poller.wake(first) }

func (l *pollLoop) beginTurn() {
	l.r.beginTurn()
	l.moved, l.budget = 0, turnBytes
}

// ready handles a socket that is readable or writable, or both if it is broken.
func (l *pollLoop) ready(fd int, readable, writable bool) {
	if fd >= len(l.conns) || l.conns[fd] == nil {
		if i := l.acceptor(fd); i >= 0 {
			l.accept(l.accepts[i])
		}
		return
	}
	c := l.conns[fd]
	if writable && c.io.writing {
		c.io.writing = false
		l.flush(c)
		l.watch(c)
	}
	if readable && c.flags&noReceive == 0 {
		l.read(c)
	}
}

func (l *pollLoop) read(c *Conn) {
	switch n, err := readNow(c.fd, l.buf); {
	case n > 0:
		l.moved += n
		c.deliver(l.buf[:n])
	case err == nil:
		c.ended(io.EOF)
	case err == unix.EAGAIN, err == unix.EINTR:
	default:
		c.ended(os.NewSyscallError("read", err))
	}
}

// flush writes what the socket takes, up to a slice or the turn's budget; for the rest it waits until the socket is writable.
func (l *pollLoop) flush(c *Conn) {
	if c.io.writing {
		return
	}
	for left := min(sliceBytes, l.budget); c.load(); {
		if left <= 0 {
			c.io.writing = true
			l.watch(c)
			return
		}
		n, err := l.write(c, left)
		if n > 0 {
			c.sent(n)
			left -= n
			l.budget -= n
		}
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			left = 0
		default:
			c.Close(os.NewSyscallError("write", err))
			return
		}
	}
	l.r.flushed(c)
}

func (l *pollLoop) write(c *Conn, limit int) (int, error) {
	if len(c.rest) == 0 && len(c.out) == 0 {
		return writeNow(c.fd, c.head.b[:min(len(c.head.b), limit)])
	}
	c.seal()
	l.vec = append(l.vec[:0], c.head.b[:min(len(c.head.b), limit)])
	limit -= len(l.vec[0])
	for i := 0; i < len(c.rest) && limit > 0 && len(l.vec) < maxVec; i++ {
		b := c.rest[i].b
		b = b[:min(len(b), limit)]
		l.vec = append(l.vec, b)
		limit -= len(b)
	}
	n, err := writevNow(c.fd, l.vec)
	clear(l.vec)
	return n, err
}

// watch tells the poller what the conn waits for: input unless it is paused, and room in a full socket.
func (l *pollLoop) watch(c *Conn) {
	if c.flags&flagClosed != 0 {
		return
	}
	var want interest
	if c.flags&(flagPaused|flagHeld) == 0 {
		want |= watchRead
	}
	if c.io.writing {
		want |= watchWrite
	}
	if have := c.io.watched; have != want {
		c.io.watched = want
		if err := l.poller.watch(c, have, want); err != nil {
			c.Close(err)
		}
	}
}

func (l *pollLoop) adopt(c *Conn) {
	l.place(c)
	l.watch(c)
}

// place makes the conn known by its descriptor.
func (l *pollLoop) place(c *Conn) {
	if n := c.fd + 1 - len(l.conns); n > 0 {
		l.conns = append(l.conns, make([]*Conn, n)...)
	}
	l.conns[c.fd] = c
}

func (l *pollLoop) pause(c *Conn)  { l.watch(c) }
func (l *pollLoop) resume(c *Conn) { l.watch(c) }

func (l *pollLoop) release(c *Conn) {
	c.dropOut()
	if c.io.watched != 0 {
		l.poller.forget(c.fd)
	}
	if c.fd < len(l.conns) {
		l.conns[c.fd] = nil
	}
	_ = unix.Close(c.fd)
	l.r.remove(c)
}

// endTurn ends the turn, and says when the next one is due at the latest, in µs of the reactor's clock.
func (l *pollLoop) endTurn() (until int64) {
	r := l.r
	r.endTurn()
	until = r.nextTick
	if r.stopAt != 0 {
		until = min(until, r.clock+stopPoll)
	}
	for _, a := range l.accepts {
		if a.retryAt != 0 && r.clock >= a.retryAt {
			l.acceptAgain(a)
		}
		if a.retryAt != 0 {
			until = min(until, a.retryAt)
		}
	}
	return until
}

// done says that the loop may end.
func (l *pollLoop) done() bool { return l.r.stopped() && len(l.accepts) == 0 }

func (l *pollLoop) listen(ln *listener) {
	fd := ln.fd(l.r.id)
	if fd < 0 {
		return
	}
	_ = unix.SetNonblock(fd, true) // an open socket can always be made so
	a := &pollAcceptor{l: ln, fd: fd}
	l.accepts = append(l.accepts, a)
	l.acceptAgain(a)
}

// acceptor gives the index of a listener's socket in l.accepts, -1 if it is none.
func (l *pollLoop) acceptor(fd int) int {
	return slices.IndexFunc(l.accepts, func(a *pollAcceptor) bool { return a.fd == fd })
}

func (l *pollLoop) acceptAgain(a *pollAcceptor) {
	a.retryAt = 0
	if err := l.poller.listen(a.fd); err != nil {
		a.retryAt = l.r.clock + acceptPause.Microseconds()
	}
}

func (l *pollLoop) unlisten(ln *listener) {
	i := l.acceptor(ln.fd(l.r.id))
	if i < 0 {
		return
	}
	a := l.accepts[i]
	l.accepts = slices.Delete(l.accepts, i, i+1)
	if a.retryAt == 0 {
		l.poller.forget(a.fd)
	}
	_ = unix.Close(a.fd)
}

func (l *pollLoop) accept(a *pollAcceptor) {
	if a.retryAt > l.r.clock { // a poller that could not be muted
		l.poller.mute(a.fd)
		return
	}
	for range acceptBatch {
		fd, _, err := socket.Accept(a.fd)
		if err == unix.EAGAIN {
			return
		}
		if err == nil {
			l.r.accepted(fd, a.l)
			continue
		}
		var errno unix.Errno
		errors.As(err, &errno)
		if pause := l.r.acceptFailed(a.l, errno); pause > 0 {
			a.retryAt = l.r.clock + pause.Microseconds()
			l.poller.mute(a.fd)
			return
		}
	}
}
