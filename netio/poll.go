package netio

import (
	"errors"
	"io"
	"os"
	"time"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	gio "github.com/panjf2000/gnet/v2/pkg/io"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
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
	watched uint8 // interests known to the poller
	writing bool  // the socket is full: waiting until it is writable
}

// pollLoop is the gnet engine's loop of one reactor: gnet's poller (epoll or kqueue) under conns of our own. A turn is one
// event, or one look into the mailbox.
type pollLoop struct {
	r       *Reactor
	poller  *netpoll.Poller
	buf     []byte // what was just read
	vec     [][]byte
	at      netpoll.PollAttachment // scratch
	conns   []*Conn                // by descriptor
	accepts map[int]*pollAcceptor

	onMail, onTimer queue.Func
	timer           *time.Timer
	timerAt         int64 // µs; 0 once it has fired
}

type pollAcceptor struct {
	l       *listener
	fd      int
	retryAt int64 // µs, after a shortage
}

func newPollLoop(r *Reactor) (*pollLoop, error) {
	p, err := netpoll.OpenPoller()
	if err != nil {
		return nil, err
	}
	l := &pollLoop{r: r, poller: p, buf: make([]byte, readBufSize), accepts: map[int]*pollAcceptor{}}
	l.onMail = func(any) error {
		l.r.beginTurn()
		return l.endTurn()
	}
	l.onTimer = func(any) error {
		l.timerAt = 0
		l.r.beginTurn()
		return l.endTurn()
	}
	return l, nil
}

func (l *pollLoop) destroy() { _ = l.poller.Close() }

func (l *pollLoop) run() {
	l.timer = time.AfterFunc(0, func() { _ = l.poller.Trigger(queue.HighPriority, l.onTimer, nil) })
	if err := l.poller.Polling(l.event); !errors.Is(err, errorx.ErrEngineShutdown) {
		panic(err)
	}
	l.timer.Stop()
	l.destroy()
}

func (l *pollLoop) wake(first bool) {
	if first {
		_ = l.poller.Trigger(queue.HighPriority, l.onMail, nil)
	}
}

func (l *pollLoop) event(fd int, ev netpoll.IOEvent, flags netpoll.IOFlags) error {
	l.r.beginTurn()
	if fd < len(l.conns) && l.conns[fd] != nil {
		l.connEvent(l.conns[fd], ev, flags)
	} else if a := l.accepts[fd]; a != nil {
		l.accept(a)
	}
	return l.endTurn()
}

func (l *pollLoop) connEvent(c *Conn, ev netpoll.IOEvent, flags netpoll.IOFlags) {
	broken := netpoll.IsErrorEvent(ev, flags)
	if c.io.writing && (broken || netpoll.IsWriteEvent(ev)) {
		c.io.writing = false
		l.flush(c)
		l.watch(c)
	}
	if (broken || netpoll.IsReadEvent(ev)) && c.flags&(flagPaused|flagClosing) == 0 {
		l.read(c)
	}
}

func (l *pollLoop) read(c *Conn) {
	switch n, err := unix.Read(c.fd, l.buf); {
	case n > 0:
		c.deliver(l.buf[:n])
	case err == nil:
		c.ended(io.EOF)
	case err == unix.EAGAIN, err == unix.EINTR:
	default:
		c.ended(os.NewSyscallError("read", err))
	}
}

// flush writes what the socket takes, up to a slice; for the rest it waits until the socket is writable.
func (l *pollLoop) flush(c *Conn) {
	if c.io.writing {
		return
	}
	for left := sliceBytes; c.load(); {
		n, err := l.write(c, left)
		if n > 0 {
			c.sent(n)
			left -= n
		}
		switch err {
		case nil, unix.EINTR:
		case unix.EAGAIN:
			left = 0
		default:
			c.Close(os.NewSyscallError("write", err))
			return
		}
		if left <= 0 && c.OutPending() > 0 {
			c.io.writing = true
			l.watch(c)
			return
		}
	}
	l.r.flushed(c)
}

func (l *pollLoop) write(c *Conn, limit int) (int, error) {
	if len(c.rest) == 0 && len(c.out) == 0 {
		return unix.Write(c.fd, c.head.b[:min(len(c.head.b), limit)])
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
	n, err := gio.Writev(c.fd, l.vec)
	clear(l.vec)
	return n, err
}

// Interests of a conn in its socket.
const (
	watchRead = 1 << iota
	watchWrite
)

// watch tells the poller what the conn waits for: input unless it is paused, and room in a full socket.
func (l *pollLoop) watch(c *Conn) {
	if c.flags&flagClosed != 0 {
		return
	}
	var want uint8
	if c.flags&flagPaused == 0 {
		want |= watchRead
	}
	if c.io.writing {
		want |= watchWrite
	}
	if err := l.rewatch(c, want); err != nil {
		c.Close(err)
	}
}

func (l *pollLoop) rewatch(c *Conn, want uint8) error {
	have := c.io.watched
	c.io.watched = want
	l.at.FD = c.fd
	switch {
	case have == want:
		return nil
	case have == watchRead && want == watchRead|watchWrite:
		return l.poller.ModReadWrite(&l.at, false)
	case have == watchRead|watchWrite && want == watchRead:
		return l.poller.ModRead(&l.at, false)
	case have != 0: // the poller has no call for the rest: begin afresh
		if err := l.forget(c); err != nil {
			return err
		}
		l.at.FD = c.fd
	}
	switch want {
	case watchRead:
		return l.poller.AddRead(&l.at, false)
	case watchWrite:
		return l.poller.AddWrite(&l.at, false)
	case watchRead | watchWrite:
		return l.poller.AddReadWrite(&l.at, false)
	}
	return nil
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
		_ = l.poller.Delete(c.fd)
	}
	if c.fd < len(l.conns) {
		l.conns[c.fd] = nil
	}
	_ = unix.Close(c.fd)
	l.r.remove(c)
}

// endTurn ends the turn, and the loop once all is done.
func (l *pollLoop) endTurn() error {
	r := l.r
	r.endTurn()
	if r.stopped() && len(l.accepts) == 0 {
		return errorx.ErrEngineShutdown
	}
	until := r.nextTick
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
	if l.timerAt == 0 || until < l.timerAt {
		l.timerAt = until
		l.timer.Reset(time.Duration(until-r.clock) * time.Microsecond)
	}
	return nil
}

func (l *pollLoop) listen(ln *listener) {
	fd := ln.fd(l.r.id)
	if fd < 0 {
		return
	}
	_ = unix.SetNonblock(fd, true)
	a := &pollAcceptor{l: ln, fd: fd}
	l.accepts[fd] = a
	l.acceptAgain(a)
}

func (l *pollLoop) acceptAgain(a *pollAcceptor) {
	a.retryAt = 0
	l.at.FD = a.fd
	if err := l.poller.AddRead(&l.at, false); err != nil {
		a.retryAt = l.r.clock + acceptPause.Microseconds()
	}
}

func (l *pollLoop) unlisten(ln *listener) {
	fd := ln.fd(l.r.id)
	if a := l.accepts[fd]; a != nil {
		delete(l.accepts, fd)
		if a.retryAt == 0 {
			_ = l.poller.Delete(fd)
		}
		_ = unix.Close(fd)
	}
}

func (l *pollLoop) accept(a *pollAcceptor) {
	if a.retryAt > l.r.clock { // a kqueue that could not be muted
		l.muteListener(a.fd)
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
			l.muteListener(a.fd)
			return
		}
	}
}
