package netio

import (
	"os"
	"runtime"
	"sync/atomic"

	gio "github.com/panjf2000/gnet/v2/pkg/io"
	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/netio/uring"
)

// pollLocked says that a reactor is locked to its thread: nothing here yields to Go's scheduler under load.
const pollLocked = true

// maxPolled bounds the sockets that one turn looks at.
const maxPolled = 256

// A poller tells by epoll which sockets are ready. All that are found ready at once make one turn, which gnet's poller has
// no way to do: it calls back for each.
type poller struct {
	loop     *pollLoop
	fd       int
	wakeFD   int
	busy     bool         // the last look found something
	sleeping atomic.Bool  // wakeFD is to be written to
	wakers   atomic.Int32 // goroutines that are about to do so
	events   [maxPolled]unix.EpollEvent
}

func openPoller(l *pollLoop) (*poller, error) {
	p := &poller{loop: l, fd: -1, wakeFD: -1}
	var err error
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if p.wakeFD, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		p.close()
		return nil, os.NewSyscallError("eventfd", err)
	}
	if err = p.listen(p.wakeFD); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) close() {
	for p.wakers.Load() > 0 {
		runtime.Gosched()
	}
	_ = unix.Close(p.fd)
	if p.wakeFD >= 0 {
		_ = unix.Close(p.wakeFD)
	}
}

func (p *poller) wake(bool) {
	if !p.sleeping.Load() {
		return
	}
	p.wakers.Add(1) // keeps wakeFD open
	if p.sleeping.CompareAndSwap(true, false) {
		_, _ = unix.Write(p.wakeFD, one) // if its counter were full the poller would be awake
	}
	p.wakers.Add(-1)
}

func (p *poller) run() {
	l := p.loop
	for until := l.endTurn(); !l.done(); until = l.endTurn() {
		n := p.wait(until)
		l.beginTurn()
		for i := range p.events[:n] {
			if l.moved >= turnBytes { // what others asked for is not to wait for so much
				l.endTurn()
				l.beginTurn()
			}
			p.event(&p.events[i])
		}
	}
}

// wait returns how many sockets are ready, at the latest when the reactor's clock shows until. A reactor under load first
// asks without waiting and without telling the scheduler.
func (p *poller) wait(until int64) int {
	r := p.loop.r
	if p.busy {
		if n, err := uring.EpollNow(p.fd, p.events[:]); err == nil && n > 0 {
			p.busy = n > 0
			return n
		}
	}
	p.sleeping.Store(true)
	ms := 0
	if r.idle() {
		ms = int((max(until-r.clock, 0) + 999) / 1000)
	}
	n, err := unix.EpollWait(p.fd, p.events[:], ms)
	p.sleeping.Store(false)
	if err != nil && err != unix.EINTR {
		panic(os.NewSyscallError("epoll_wait", err))
	}
	p.busy = n > 0
	return max(n, 0)
}

const epollBroken = unix.EPOLLERR | unix.EPOLLHUP | unix.EPOLLRDHUP

func (p *poller) event(ev *unix.EpollEvent) {
	if int(ev.Fd) == p.wakeFD {
		var count [8]byte
		_, _ = unix.Read(p.wakeFD, count[:]) // only to empty it
		return
	}
	p.loop.ready(int(ev.Fd), ev.Events&(unix.EPOLLIN|epollBroken) != 0, ev.Events&(unix.EPOLLOUT|epollBroken) != 0)
}

// watch changes what a conn waits for.
func (p *poller) watch(c *Conn, have, want interest) error {
	op := unix.EPOLL_CTL_MOD
	switch {
	case have == 0:
		op = unix.EPOLL_CTL_ADD
	case want == 0:
		op = unix.EPOLL_CTL_DEL
	}
	ev := unix.EpollEvent{Fd: int32(c.fd)}
	if want&watchRead != 0 {
		ev.Events |= unix.EPOLLIN
	}
	if want&watchWrite != 0 {
		ev.Events |= unix.EPOLLOUT
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, op, c.fd, &ev))
}

// listen watches a descriptor for input.
func (p *poller) listen(fd int) error {
	ev := unix.EpollEvent{Fd: int32(fd), Events: unix.EPOLLIN}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &ev))
}

// mute stops watching a listener until it is to accept again.
func (p *poller) mute(fd int) { p.forget(fd) }

func (p *poller) forget(fd int) { _ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil) }

func readNow(fd int, b []byte) (int, error)     { return uring.ReadNow(fd, b) }
func writeNow(fd int, b []byte) (int, error)    { return uring.WriteNow(fd, b) }
func writevNow(fd int, v [][]byte) (int, error) { return gio.Writev(fd, v) }

// tuneAccepted has nothing to do: an accepted socket inherits the listener's options.
func tuneAccepted(int, int) {}
