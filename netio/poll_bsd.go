//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package netio

import (
	"errors"
	"time"

	errorx "github.com/panjf2000/gnet/v2/pkg/errors"
	gio "github.com/panjf2000/gnet/v2/pkg/io"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
	"github.com/panjf2000/gnet/v2/pkg/socket"
	"golang.org/x/sys/unix"
)

// pollLocked: gnet's poller yields to Go's scheduler whenever it runs dry, which costs a locked thread two switches.
const pollLocked = false

// A poller is gnet's, on kqueue. A turn is one event, or one look into the mailbox.
type poller struct {
	loop    *pollLoop
	kqueue  *netpoll.Poller
	at      netpoll.PollAttachment // scratch
	timer   *time.Timer
	timerAt int64 // µs; 0 once it has fired
}

func openPoller(l *pollLoop) (*poller, error) {
	kqueue, err := netpoll.OpenPoller()
	if err != nil {
		return nil, err
	}
	return &poller{loop: l, kqueue: kqueue}, nil
}

func (p *poller) close() { _ = p.kqueue.Close() }

func (p *poller) wake(first bool) {
	if first {
		_ = p.kqueue.Trigger(queue.HighPriority, p.onMail, nil)
	}
}

func (p *poller) run() {
	l := p.loop
	p.timer = time.AfterFunc(0, func() { _ = p.kqueue.Trigger(queue.HighPriority, p.onTimer, nil) })
	err := p.kqueue.Polling(func(fd int, ev netpoll.IOEvent, flags netpoll.IOFlags) error {
		broken := netpoll.IsErrorEvent(ev, flags)
		l.beginTurn()
		l.ready(fd, broken || netpoll.IsReadEvent(ev), broken || netpoll.IsWriteEvent(ev))
		return p.endTurn()
	})
	if !errors.Is(err, errorx.ErrEngineShutdown) {
		panic(err)
	}
	p.timer.Stop()
}

// onMail and onTimer make turns without an event.
func (p *poller) onMail(any) error {
	p.loop.beginTurn()
	return p.endTurn()
}

func (p *poller) onTimer(any) error {
	p.timerAt = 0
	p.loop.beginTurn()
	return p.endTurn()
}

func (p *poller) endTurn() error {
	until := p.loop.endTurn()
	if p.loop.done() {
		return errorx.ErrEngineShutdown
	}
	if p.timerAt == 0 || until < p.timerAt {
		p.timerAt = until
		p.timer.Reset(time.Duration(until-p.loop.r.clock) * time.Microsecond)
	}
	return nil
}

// watch changes what a conn waits for.
func (p *poller) watch(c *Conn, have, want interest) error {
	p.at.FD = c.fd
	switch {
	case have == watchRead && want == watchRead|watchWrite:
		return p.kqueue.ModReadWrite(&p.at, false)
	case have == watchRead|watchWrite && want == watchRead:
		return p.kqueue.ModRead(&p.at, false)
	case have != 0: // gnet has no call for the rest: begin afresh
		if err := p.move(c); err != nil {
			return err
		}
		p.at.FD = c.fd
	}
	switch want {
	case watchRead:
		return p.kqueue.AddRead(&p.at, false)
	case watchWrite:
		return p.kqueue.AddWrite(&p.at, false)
	case watchRead | watchWrite:
		return p.kqueue.AddReadWrite(&p.at, false)
	}
	return nil
}

// move gives the conn's socket another descriptor: gnet cannot take one out of a kqueue, but the kernel forgets one
// that is closed.
func (p *poller) move(c *Conn) error {
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	p.loop.conns[c.fd] = nil
	_ = unix.Close(c.fd)
	c.fd = fd
	p.loop.place(c)
	return nil
}

// listen watches a listener's socket.
func (p *poller) listen(fd int) error {
	p.at.FD = fd
	return p.kqueue.AddRead(&p.at, false)
}

// mute cannot take a listener's socket out of the kqueue: it breaks the loop's spinning at least.
func (*poller) mute(int) { time.Sleep(time.Millisecond) }

// forget has nothing to do: the kernel forgets a descriptor that is closed.
func (*poller) forget(int) {}

func readNow(fd int, b []byte) (int, error)     { return unix.Read(fd, b) }
func writeNow(fd int, b []byte) (int, error)    { return unix.Write(fd, b) }
func writevNow(fd int, v [][]byte) (int, error) { return gio.Writev(fd, v) }

// tuneAccepted sets what these systems do not let an accepted socket inherit.
// A peer that has gone already makes both fail, and is noticed by reading.
func tuneAccepted(fd, keepAliveSec int) {
	_ = socket.SetNoDelay(fd, 1)
	_ = setKeepAlive(fd, keepAliveSec)
}
