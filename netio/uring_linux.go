//go:build linux && (amd64 || arm64)

package netio

import (
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/netio/uring"
)

const (
	ringEntries  = 1024 // requests per submission
	recvBufs     = 256  // provided buffers of a reactor, at most
	firstBufs    = 16   // with which it begins: few stay in the processor's caches
	recvBufSize  = 16 << 10
	recvGroup    = 0
	maxFixed     = 8192 // slots of the file table; conns beyond go without
	fixAfter     = 32   // sends after which a conn is worth a slot
	greedyRecvs  = 8    // full buffers in one turn after which a conn receives one a turn
	rawSendBytes = 256 << 10
	maxSleep     = time.Hour
)

// probeURing says what io_uring offers here, or why it cannot be used.
func probeURing() (string, error) {
	granted, err := uring.Probe()
	if err != nil {
		return "", err
	}
	var u unix.Utsname
	_ = unix.Uname(&u)
	return "linux " + unix.ByteSliceToString(u.Release[:]) + " " + granted, nil
}

// The user data of a request: which operation, on whom, and the low bits of the conn's ID as its generation. A completion
// that is late finds another generation in the conn's place and is dropped.
//
//	 63        40 39             8 7      0
//	+------------+----------------+--------+
//	| generation | index          | op     |
//	+------------+----------------+--------+
const (
	opRecv = iota
	opSend
	opAccept
	opWake
	opCancel
)

const genMask = 1<<24 - 1

func userData(op int, c *Conn) uint64 {
	return uint64(op) | uint64(uint32(c.index))<<8 | (c.id&genMask)<<40
}

// connIO is what the engine keeps about a conn.
type connIO struct {
	pollIO
	slot      int32 // in the file table, plus 1; 0 if none
	sends     uint8 // until fixAfter
	fulls     uint8 // full buffers received in turn fullTurn
	receiving bool  // a receive is under way
	inFlight  bool  // a send is
	single    bool  // receive one buffer a turn
	fullTurn  uint64
	msg       *uring.Msg // once several segments had to go together
}

func (o *connIO) sending() bool { return o.inFlight || o.writing }

func (o *connIO) file(c *Conn) uring.File {
	if o.slot > 0 {
		return uring.Fixed(int(o.slot - 1))
	}
	return uring.FD(c.fd)
}

// ringLoop is the io_uring engine's loop of one reactor.
type ringLoop struct {
	r    *Reactor
	ring *uring.Ring
	bufs *uring.BufRing

	sleeping atomic.Bool
	wakers   atomic.Int32 // goroutines that are about to write to wakeFD
	wakeFD   int
	wakeBuf  []byte
	waking   bool // the read of wakeFD is under way

	acceptors []*acceptor // by index in user data
	rearm     []*Conn     // to receive again, once the turn's buffers are back
	later     []*Conn     // to flush next turn
	budget    int         // bytes that may still be submitted this turn
	freeSlots []int32
}

// An acceptor is a reactor's part in a listener.
type acceptor struct {
	l       *listener
	fd      int
	armed   bool
	closing bool
	retryAt int64 // µs, after a shortage
}

func newRingLoop(r *Reactor) (*ringLoop, error) {
	ring, err := uring.New(ringEntries)
	if err != nil {
		return nil, err
	}
	l := &ringLoop{r: r, ring: ring, wakeFD: -1, wakeBuf: make([]byte, 8)}
	if l.bufs, err = ring.NewBufRing(recvGroup, recvBufs, recvBufSize, firstBufs); err != nil {
		l.destroy()
		return nil, err
	}
	if l.wakeFD, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		l.destroy()
		return nil, os.NewSyscallError("eventfd", err)
	}
	l.makeSlots()
	return l, nil
}

// makeSlots registers the file table. Where that fails conns go by their descriptors.
func (l *ringLoop) makeSlots() {
	var limit unix.Rlimit
	n := maxFixed
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		n = int(min(uint64(n), limit.Cur))
	}
	if l.ring.RegisterFiles(n) != nil {
		return
	}
	for i := n - 1; i >= 0; i-- {
		l.freeSlots = append(l.freeSlots, int32(i))
	}
}

func (l *ringLoop) destroy() {
	for l.wakers.Load() > 0 {
		runtime.Gosched()
	}
	l.ring.Close()
	if l.bufs != nil {
		l.bufs.Close()
	}
	if l.wakeFD >= 0 {
		_ = unix.Close(l.wakeFD)
	}
}

func (l *ringLoop) wake(bool) {
	if !l.sleeping.Load() {
		return
	}
	l.wakers.Add(1) // keeps wakeFD open
	if l.sleeping.CompareAndSwap(true, false) {
		_, _ = unix.Write(l.wakeFD, one) // if its counter were full the ring would be awake
	}
	l.wakers.Add(-1)
}

var one = []byte{1, 0, 0, 0, 0, 0, 0, 0}

// run is the loop. A turn handles the completions that are there, and ends by queueing requests; the next turn's
// enter submits them all.
func (l *ringLoop) run() {
	defer l.destroy()
	r := l.r
	for !r.stopped() || l.accepting() {
		if !l.waking {
			l.waking = true
			l.ring.Read(uring.FD(l.wakeFD), l.wakeBuf, opWake)
		}
		l.enter()
		r.beginTurn()
		l.budget = turnBytes
		l.completions()
		if len(l.later) > 0 {
			l.flushLater()
		}
		r.endTurn()
		l.endTurn()
	}
}

func (l *ringLoop) accepting() bool {
	for _, a := range l.acceptors {
		if a != nil {
			return true
		}
	}
	return false
}

// enter submits what is queued and waits for something to do. It first asks without waiting through a raw system call:
// under load there is always something, and the scheduler need not know. Only then does it wait, in a
// way that lets the scheduler run others. (3.5 µs per request; 4.0 if it always tells the scheduler.)
func (l *ringLoop) enter() {
	if l.ring.Queued() > 0 || len(l.later) > 0 {
		if err := l.ring.Poll(turnBytes-l.budget <= rawSendBytes); err != nil {
			panic(err)
		}
	}
	if l.ring.Completions() > 0 || len(l.later) > 0 {
		return
	}
	l.sleeping.Store(true)
	var err error
	if l.r.idle() {
		err = l.ring.Wait(l.timeout())
	} else {
		err = l.ring.Poll(true) // completions appear only when they are asked for
	}
	if err != nil {
		panic(err)
	}
	l.sleeping.Store(false)
}

func (l *ringLoop) timeout() time.Duration {
	until := l.r.nextTick
	for _, a := range l.acceptors {
		if a != nil && a.retryAt != 0 {
			until = min(until, a.retryAt)
		}
	}
	if l.r.stopAt != 0 {
		until = min(until, l.r.clock+stopPoll)
	}
	return min(time.Duration(until-l.r.e.clockAt(time.Now()))*time.Microsecond, maxSleep)
}

func (l *ringLoop) completions() {
	n := l.ring.Completions()
	for i := range n {
		c := l.ring.Completion(i)
		index := uint32(c.UserData >> 8)
		switch c.UserData & 0xff {
		case opRecv:
			l.received(c, index)
		case opSend:
			if conn := l.conn(c, index); conn != nil {
				l.sentSome(conn, int(c.Res))
			}
		case opAccept:
			l.acceptedOne(int(index), int(c.Res), c.More())
		case opWake:
			l.waking = false
		}
	}
	l.ring.Seen(n)
}

// conn finds whom a completion concerns, nil if it is late.
func (l *ringLoop) conn(c *uring.CQE, index uint32) *Conn {
	if conn := l.r.conns[index]; conn != nil && conn.id&genMask == c.UserData>>40 {
		return conn
	}
	return nil
}

func (l *ringLoop) received(cqe *uring.CQE, index uint32) {
	c := l.conn(cqe, index)
	if bid, ok := cqe.Buffer(); ok {
		if c != nil && cqe.Res > 0 {
			l.noteGreed(c, int(cqe.Res))
			c.deliver(l.bufs.Bytes(bid, int(cqe.Res)))
		}
		l.bufs.Put(bid)
	}
	if c == nil || cqe.More() {
		return
	}
	c.io.receiving = false
	if c.flags&flagClosed != 0 {
		l.tryRelease(c)
		return
	}
	err := unix.Errno(-min(cqe.Res, 0))
	if err == unix.ENOBUFS {
		l.bufs.More()
	}
	switch {
	case cqe.Res > 0, err == unix.ENOBUFS, err == unix.ECANCELED, err == unix.EINTR, err == unix.EAGAIN:
		l.rearm = append(l.rearm, c)
	case cqe.Res == 0:
		c.ended(io.EOF)
	default:
		c.ended(os.NewSyscallError("recv", err))
	}
}

// noteGreed makes a conn that fills many buffers in a turn receive one a turn, so that others get theirs. It goes back once
// it fills them no more.
func (l *ringLoop) noteGreed(c *Conn, n int) {
	o := &c.io
	switch {
	case n < recvBufSize:
		o.single = false
	case o.single:
	case o.fullTurn != l.r.turn:
		o.fullTurn, o.fulls = l.r.turn, 1
	case o.fulls < greedyRecvs:
		o.fulls++
	default:
		o.single = true
		l.cancelRecv(c)
	}
}

func (l *ringLoop) cancelRecv(c *Conn) {
	if c.io.receiving {
		l.ring.Cancel(userData(opRecv, c), opCancel)
	}
}

func (l *ringLoop) receive(c *Conn) {
	if c.io.receiving || c.flags&(noReceive|flagEOF) != 0 {
		return
	}
	c.io.receiving = true
	l.ring.Recv(uring.FD(c.fd), recvGroup, !c.io.single, userData(opRecv, c))
}

func (l *ringLoop) sentSome(c *Conn, res int) {
	c.io.inFlight = false
	if c.io.msg != nil {
		c.io.msg.Reset()
	}
	if c.flags&flagClosed != 0 {
		l.tryRelease(c)
		return
	}
	switch err := unix.Errno(-min(res, 0)); {
	case res >= 0:
		c.sent(res)
	case err == unix.EINTR, err == unix.EAGAIN:
	default:
		c.Close(os.NewSyscallError("send", err))
		return
	}
	if c.OutPending() > 0 {
		c.markDirty()
	}
	l.r.flushed(c)
}

// flush submits the next slice of what is pending, unless one is under way.
func (l *ringLoop) flush(c *Conn) {
	o := &c.io
	if o.inFlight {
		return
	}
	if !c.load() {
		l.r.flushed(c)
		return
	}
	if l.budget <= 0 {
		l.later = append(l.later, c)
		return
	}
	if o.sends < fixAfter {
		if o.sends++; o.sends == fixAfter {
			l.fix(c)
		}
	}
	o.inFlight = true
	if len(c.rest) > 0 || len(c.out) > 0 {
		l.flushMany(c)
		return
	}
	b := c.head.b[:min(len(c.head.b), sliceBytes)]
	l.budget -= len(b)
	l.ring.Send(o.file(c), b, userData(opSend, c))
}

func (l *ringLoop) flushMany(c *Conn) {
	o := &c.io
	c.seal()
	if o.msg == nil {
		o.msg = new(uring.Msg)
	}
	left := sliceBytes
	add := func(b []byte) bool {
		b = b[:min(len(b), left)]
		left -= len(b)
		return o.msg.Add(b) && left > 0
	}
	for i := -1; i < len(c.rest); i++ {
		s := &c.head
		if i >= 0 {
			s = &c.rest[i]
		}
		if !add(s.b) {
			break
		}
	}
	l.budget -= sliceBytes - left
	l.ring.SendMsg(o.file(c), o.msg, userData(opSend, c))
}

func (l *ringLoop) flushLater() {
	for i, c := range l.later {
		l.later[i] = nil
		if c.flags&flagClosing == 0 {
			c.markDirty()
		}
	}
	l.later = l.later[:0]
}

// fix puts the conn's socket into the file table, where the kernel finds it faster (2-5 % at one request a turn).
func (l *ringLoop) fix(c *Conn) {
	n := len(l.freeSlots)
	if n == 0 {
		return
	}
	slot := l.freeSlots[n-1]
	if l.ring.SetFile(int(slot), c.fd) == nil {
		l.freeSlots = l.freeSlots[:n-1]
		c.io.slot = slot + 1
	}
}

func (l *ringLoop) adopt(c *Conn) {
	l.receive(c)
}

func (l *ringLoop) pause(c *Conn)  { l.cancelRecv(c) }
func (l *ringLoop) resume(c *Conn) { l.receive(c) }

// release ends what is under way; tryRelease then finds the conn free.
func (l *ringLoop) release(c *Conn) {
	l.cancelRecv(c)
	if c.io.inFlight {
		l.ring.Cancel(userData(opSend, c), opCancel)
	}
	l.tryRelease(c)
}

// tryRelease closes the socket and forgets the conn, once the kernel has completed all its requests.
func (l *ringLoop) tryRelease(c *Conn) {
	if c.io.receiving || c.io.inFlight {
		return
	}
	c.dropOut()
	if slot := c.io.slot - 1; slot >= 0 {
		_ = l.ring.SetFile(int(slot), -1) // the next conn in the slot replaces it as well
		l.freeSlots = append(l.freeSlots, slot)
	}
	_ = unix.Close(c.fd)
	l.r.remove(c)
}

// endTurn gives the turn's buffers back and receives again where that had ended.
func (l *ringLoop) endTurn() {
	l.bufs.Publish()
	for i, c := range l.rearm {
		l.rearm[i] = nil
		l.receive(c)
	}
	l.rearm = l.rearm[:0]
	for i, a := range l.acceptors {
		if a != nil && a.retryAt != 0 && l.r.clock >= a.retryAt {
			l.accept(i)
		}
	}
}

func (l *ringLoop) listen(ln *listener) {
	fd := ln.fd(l.r.id)
	if fd < 0 {
		return
	}
	for i, a := range l.acceptors {
		if a == nil {
			l.acceptors[i] = &acceptor{l: ln, fd: fd}
			l.accept(i)
			return
		}
	}
	l.acceptors = append(l.acceptors, &acceptor{l: ln, fd: fd})
	l.accept(len(l.acceptors) - 1)
}

func acceptData(i int) uint64 { return opAccept | uint64(i)<<8 }

func (l *ringLoop) accept(i int) {
	a := l.acceptors[i]
	a.retryAt = 0
	a.armed = true
	l.ring.Accept(uring.FD(a.fd), acceptData(i))
}

func (l *ringLoop) unlisten(ln *listener) {
	for i, a := range l.acceptors {
		if a == nil || a.l != ln {
			continue
		}
		a.closing = true
		if a.armed {
			l.ring.Cancel(acceptData(i), opCancel)
		} else {
			l.closeAcceptor(i)
		}
	}
}

func (l *ringLoop) closeAcceptor(i int) {
	_ = unix.Close(l.acceptors[i].fd)
	l.acceptors[i] = nil
}

func (l *ringLoop) acceptedOne(i int, res int, more bool) {
	a := l.acceptors[i]
	a.armed = more
	if res >= 0 {
		if a.closing {
			_ = unix.Close(res)
		} else {
			l.r.accepted(res, a.l)
		}
	}
	if more {
		return
	}
	if a.closing {
		l.closeAcceptor(i)
		return
	}
	if pause := l.r.acceptFailed(a.l, unix.Errno(-min(res, 0))); pause > 0 {
		a.retryAt = l.r.clock + pause.Microseconds()
		return
	}
	l.accept(i)
}
