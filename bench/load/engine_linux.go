package load

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// readSize holds the replies to several hundred requests: one read takes a whole batch.
	readSize = 256 << 10
	// pollSlice bounds how long a worker sleeps, so that it notices an abort or a stall.
	pollSlice = 100 * time.Millisecond
	// spinBelow is the wait below which an open-loop worker polls instead of sleeping: waking up takes as long.
	spinBelow = 60 * time.Microsecond
	// maxFlights bounds the batches in flight on a connection in open loop; the next one waits its turn
	// and is late.
	maxFlights = 4096
)

func newEngine(o *Options) (engine, error) {
	if o.Portable || o.TLS != nil {
		return newPortable(o)
	}
	return newEpoll(o)
}

// epoll is the engine for Linux: one event loop per thread.
type epoll struct {
	loops []*loop
}

func newEpoll(o *Options) (*epoll, error) {
	e := &epoll{}
	for i := range o.Threads {
		l, err := newLoop(o, i)
		if err != nil {
			e.close()
			return nil, err
		}
		e.loops = append(e.loops, l)
	}
	for i := range o.Conns {
		if err := e.loops[i%o.Threads].dial(); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

func (e *epoll) workers() []worker {
	list := make([]worker, len(e.loops))
	for i, l := range e.loops {
		list[i] = l
	}
	return list
}

func (e *epoll) close() {
	for _, l := range e.loops {
		l.close()
	}
}

// conn is a connection of a loop.
type conn struct {
	session
	fd     int    // -1: hung up
	index  int    // in loop.conns; the tag of its epoll events
	carry  []byte // received but not consumable yet: a line cut short
	out    []byte // still to be sent, if a send fell short
	events uint32 // epoll is told to watch for
}

// loop drives the connections of one thread.
type loop struct {
	tally
	options *Options
	peer    unix.Sockaddr // of new connections with Options.Reconnect
	family  int
	epfd    int
	cpu     int // to run on; -1: any
	conns   []*conn
	batches *batcher
	buf     []byte
	events  []unix.EpollEvent
	idle    []*conn // closed loop: ready for their next batch

	inFlight  int // batches, over all connections
	lastHeard int64
	turn      int // open loop: connection that is next
}

func newLoop(o *Options, index int) (*loop, error) {
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	l := &loop{options: o, epfd: epfd, cpu: -1, buf: make([]byte, readSize), events: make([]unix.EpollEvent, 256)}
	if len(o.CPUs) > 0 {
		l.cpu = o.CPUs[index%len(o.CPUs)]
	}
	if o.Reconnect {
		if l.peer, l.family, err = resolve(o.Network, o.Address); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

func (l *loop) close() {
	for _, c := range l.conns {
		if c.fd >= 0 {
			unix.Close(c.fd)
		}
	}
	unix.Close(l.epfd)
	l.conns = nil
}

// dial opens a connection with package net and takes its descriptor over.
func (l *loop) dial() error {
	nc, err := l.options.dial()
	if err != nil {
		return err
	}
	defer nc.Close()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	fd, dupErr := -1, error(nil)
	if err := raw.Control(func(s uintptr) { fd, dupErr = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return err
	}
	if dupErr != nil {
		return dupErr
	}
	c := &conn{fd: fd, index: len(l.conns)}
	l.conns = append(l.conns, c)
	return l.watch(c, unix.EPOLL_CTL_ADD, unix.EPOLLIN)
}

func (l *loop) watch(c *conn, op int, events uint32) error {
	c.events = events
	return unix.EpollCtl(l.epfd, op, c.fd, &unix.EpollEvent{Events: events, Fd: int32(c.index)})
}

func (l *loop) counts() *tally { return &l.tally }

func (l *loop) run(p *pass, index int) error {
	runtime.LockOSThread() // never unlocked: the thread, pinned as it is, ends with the goroutine
	if err := l.prepareThread(); err != nil {
		return err
	}
	l.batches = newBatcher(p.workload, workerSeed(p.workload.Seed, index))
	l.inFlight, l.lastHeard, l.turn = 0, 0, 0
	before := threadTime()
	defer func() { l.cpuTime = threadTime() - before }()
	if p.interval > 0 {
		return l.openLoop(p, index)
	}
	return l.closedLoop(p)
}

// threadTime is the CPU time of this thread.
func threadTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// prepareThread pins the thread and lets its sleeps end on time instead of 50 µs later.
func (l *loop) prepareThread() error {
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("setting the timer slack: %w", err)
	}
	if l.cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(l.cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pinning a thread to CPU %d: %w", l.cpu, err)
	}
	return nil
}

func (l *loop) closedLoop(p *pass) error {
	l.idle = append(l.idle[:0], l.conns...)
	for {
		for _, c := range l.idle {
			if err := l.sendNext(p, c); err != nil {
				return err
			}
		}
		l.idle = l.idle[:0]
		if l.inFlight == 0 {
			return nil
		}
		if err := l.poll(p, pollSlice); err != nil {
			return err
		}
	}
}

// sendNext sends the next batch of a closed loop, if there is one.
func (l *loop) sendNext(p *pass, c *conn) error {
	now := p.now()
	first, n := p.take(now)
	if n == 0 {
		return nil
	}
	if c.fd < 0 {
		if err := l.reconnect(c); err != nil {
			return err
		}
	}
	return l.send(c, l.batches.fill(first, n), n, now)
}

func (l *loop) openLoop(p *pass, index int) error {
	s := p.schedule(index)
	for {
		blocked, err := l.sendDue(p, &s)
		if err != nil {
			return err
		}
		at, more := s.due()
		if !more && l.inFlight == 0 {
			return nil
		}
		wait := pollSlice
		if more && !blocked {
			wait = min(wait, time.Duration(at-p.now()))
		}
		if err := l.poll(p, wait); err != nil {
			return err
		}
		l.idle = l.idle[:0]
	}
}

// sendDue sends the batches whose time has come. It tells if it had to stop because no connection
// can take one.
func (l *loop) sendDue(p *pass, s *schedule) (blocked bool, err error) {
	for {
		at, ok := s.due()
		now := p.now()
		if !ok || at > now {
			return false, nil
		}
		c := l.roomy()
		if c == nil {
			return true, nil
		}
		if c.fd < 0 {
			if err := l.reconnect(c); err != nil {
				return false, err
			}
		}
		first, n := s.take()
		l.sentLate(now-at, n)
		if err := l.send(c, l.batches.fill(first, n), n, at); err != nil {
			return false, err
		}
	}
}

// roomy gives the next connection in turn that can take a batch, or nil.
func (l *loop) roomy() *conn {
	limit := maxFlights
	if l.options.Reconnect {
		limit = 1
	}
	for range l.conns {
		c := l.conns[l.turn]
		if l.turn++; l.turn == len(l.conns) {
			l.turn = 0
		}
		if len(c.out) == 0 && c.flights.len() < limit {
			return c
		}
	}
	return nil
}

// send writes a batch; what the socket does not take is kept and sent when there is room.
func (l *loop) send(c *conn, wire []byte, n int, since int64) error {
	c.flights.push(flight{since: since, left: int32(n * l.pass.workload.Replies)})
	l.inFlight++
	if len(c.out) > 0 {
		c.out = append(c.out, wire...)
		return nil
	}
	sent, err := write(c.fd, wire)
	if err != nil {
		return err
	}
	if sent < len(wire) {
		c.out = append(c.out, wire[sent:]...)
		return l.watch(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN|unix.EPOLLOUT)
	}
	return nil
}

// flush goes on with a batch that send could not write whole.
func (l *loop) flush(c *conn) error {
	sent, err := write(c.fd, c.out)
	if err != nil {
		return err
	}
	c.out = c.out[:copy(c.out, c.out[sent:])]
	if len(c.out) == 0 && c.events&unix.EPOLLOUT != 0 {
		return l.watch(c, unix.EPOLL_CTL_MOD, unix.EPOLLIN)
	}
	return nil
}

// write sends what the socket takes.
func write(fd int, b []byte) (n int, err error) {
	n, err = unix.Write(fd, b)
	switch err {
	case nil:
		return n, nil
	case unix.EAGAIN, unix.EINTR, unix.ENOTCONN:
		return 0, nil
	}
	return 0, fmt.Errorf("sending requests: %w", err)
}

// poll waits for events at most so long and handles them.
func (l *loop) poll(p *pass, wait time.Duration) error {
	n, err := l.wait(wait)
	if err != nil {
		return err
	}
	for _, event := range l.events[:n] {
		c := l.conns[event.Fd]
		if event.Events&unix.EPOLLOUT != 0 {
			if err := l.flush(c); err != nil {
				return err
			}
		}
		if event.Events&^unix.EPOLLOUT != 0 {
			if err := l.read(p, c); err != nil {
				return err
			}
		}
	}
	if n > 0 || l.inFlight == 0 {
		l.lastHeard = p.now()
	} else if p.now()-l.lastHeard > int64(l.options.Timeout) {
		return errStalled(l.options.Timeout)
	}
	return nil
}

// wait is epoll_wait with a finer clock: above spinBelow it sleeps in ppoll on the epoll
// descriptor, whose timeout is in nanoseconds.
func (l *loop) wait(d time.Duration) (n int, err error) {
	millis := 0
	switch {
	case d >= pollSlice:
		millis = int(d / time.Millisecond)
	case d > spinBelow:
		timeout := unix.NsecToTimespec(int64(d - spinBelow))
		_, err = unix.Ppoll([]unix.PollFd{{Fd: int32(l.epfd), Events: unix.POLLIN}}, &timeout, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
	}
	n, err = unix.EpollWait(l.epfd, l.events, millis)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return n, err
}

// read takes what one read of a connection brings.
func (l *loop) read(p *pass, c *conn) error {
	kept := copy(l.buf, c.carry)
	n, err := unix.Read(c.fd, l.buf[kept:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case err != nil:
		return fmt.Errorf("reading replies: %w", err)
	case n == 0:
		return fmt.Errorf("reading replies: %w", io.ErrUnexpectedEOF)
	}
	before := c.flights.len()
	rest, err := l.receive(&c.session, l.buf[:kept+n], p.now())
	if err != nil {
		return err
	}
	if c.carry = append(c.carry[:0], rest...); len(rest) == len(l.buf) {
		return errLongLine
	}
	l.inFlight -= before - c.flights.len()
	if c.flights.len() == 0 && before > 0 {
		if l.options.Reconnect {
			l.hangUp(c)
		}
		l.idle = append(l.idle, c)
	}
	return nil
}

// hangUp closes a connection that reconnect will replace.
func (l *loop) hangUp(c *conn) {
	unix.Close(c.fd) // which also ends its place in epoll
	c.fd = -1
}

// reconnect begins a new connection. It is not waited for: its set-up and first batch are sent as soon as
// it stands.
func (l *loop) reconnect(c *conn) error {
	fd, err := unix.Socket(l.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c.fd = fd
	if l.family != unix.AF_UNIX {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return err
		}
	}
	err = unix.Connect(fd, l.peer)
	if err != nil && err != unix.EINPROGRESS {
		return fmt.Errorf("connecting: %w", err)
	}
	c.out, c.carry = c.out[:0], c.carry[:0]
	wire, replies := l.options.setup()
	c.setup = replies
	c.scanner = scanner{}
	if err == nil {
		if err := l.watch(c, unix.EPOLL_CTL_ADD, unix.EPOLLIN); err != nil || replies == 0 {
			return err
		}
		sent, err := write(fd, wire)
		if err == nil && sent < len(wire) {
			err = io.ErrShortWrite
		}
		return err
	}
	// Whatever is appended to out goes when the connection is writable; a failed connect shows as a
	// failed write. An empty out would be taken for an idle socket, so a bare CRLF, which
	// servers ignore, stands in for a missing set-up.
	c.out = append(append(c.out, wire...), "\r\n"...)
	return l.watch(c, unix.EPOLL_CTL_ADD, unix.EPOLLIN|unix.EPOLLOUT)
}

// resolve turns an address into what connect(2) takes.
func resolve(network, address string) (unix.Sockaddr, int, error) {
	if network == "unix" {
		return &unix.SockaddrUnix{Name: address}, unix.AF_UNIX, nil
	}
	tcp, err := net.ResolveTCPAddr(network, address)
	if err != nil {
		return nil, 0, err
	}
	if ip := tcp.IP.To4(); ip != nil {
		return &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip)}, unix.AF_INET, nil
	}
	return &unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP.To16())}, unix.AF_INET6, nil
}
