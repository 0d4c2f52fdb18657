package netio

import (
	"io"

	"golang.org/x/sys/unix"
)

// A Conn is one accepted socket. It belongs to one reactor for life and may be touched on that reactor's
// goroutine only, except for ID and Reactor.
type Conn struct {
	// User belongs to the handler.
	User any
	// LastActive is when bytes were last received (at first: when the conn was accepted), in µs of Unix time.
	LastActive int64

	r     *Reactor
	id    uint64
	fd    int
	index int32 // in r.conns
	flags connFlags
	class uint8 // of out-buffers, chosen by the size of the last reply
	err   error // why it closed

	remote, local string // once asked for

	// Replies travel from out (open, being appended to) over rest (sealed, waiting) to head (being sent).
	out     []byte
	head    segment
	rest    []segment
	pending int // bytes in head and rest, and those that wait in tls
	stash   []byte

	tls *secure // nil for a conn without TLS
	io  connIO  // what the engine keeps
}

type connFlags uint16

const (
	flagUnix       connFlags = 1 << iota // a unix socket
	flagDirty                            // in r.dirty: has something to flush
	flagClosing                          // Close was called
	flagClosed                           // Handler.Closed was called
	flagCloseAfter                       // CloseAfterReply was called
	flagPaused                           // PauseRead was called
	flagResumed                          // in r.resumed
	flagEOF                              // the end of input was met; err says how
	flagOpened                           // Handler.Opened was called
	flagTLS                              // tls is set: what is received is encrypted
	flagHeld                             // nothing is received until the handshake has taken what is there
	flagOutHeld                          // HoldOut was called

	// noReceive are the states in which an engine does not receive.
	noReceive = flagClosing | flagPaused | flagHeld
)

// A segment is a sealed stretch of replies. Either buf is the pooled buffer that b lies in, or release (if any) is
// owed to WriteRef's caller.
type segment struct {
	b       []byte
	buf     []byte
	release func()
}

const (
	// sealBytes is where an open out-buffer is sealed and a new one begun, so that no append ever copies more.
	sealBytes = 256 << 10
	// sliceBytes bounds one submission of one conn: a reply of 512 MB stalls nobody.
	sliceBytes = 256 << 10
	// turnBytes bounds what all conns submit in one turn.
	turnBytes = 1 << 20
)

// ID is unique in the engine; a later conn has a greater one.
func (c *Conn) ID() uint64 { return c.id }

// Reactor is the event loop the conn belongs to.
func (c *Conn) Reactor() *Reactor { return c.r }

// FD is the file descriptor, for display and socket options. Do not read, write or close it.
func (c *Conn) FD() int { return c.fd }

// IsUnix tells whether the conn came over a unix socket.
func (c *Conn) IsUnix() bool { return c.flags&flagUnix != 0 }

// IsTLS tells whether the conn was accepted by a listener of ListenTLS.
func (c *Conn) IsTLS() bool { return c.tls != nil }

// IsClosed tells whether Close was called or the peer has gone.
func (c *Conn) IsClosed() bool { return c.flags&flagClosing != 0 }

// RemoteAddr is the peer's address in redis' form: "127.0.0.1:6379", "[::1]:6379", or "/path:0" for a unix
// socket. It is "?:0" when the kernel does not know any more.
func (c *Conn) RemoteAddr() string {
	if c.remote == "" {
		c.remote = addrString(c, true)
	}
	return c.remote
}

// LocalAddr is the conn's own address in the form of RemoteAddr.
func (c *Conn) LocalAddr() string {
	if c.local == "" {
		c.local = addrString(c, false)
	}
	return c.local
}

// Out is the buffer of pending replies. Append to it and give the result to SetOut before the next call of any
// other method; it is sent once at the end of the turn. On a closed conn what is appended is dropped.
func (c *Conn) Out() []byte {
	if c.out == nil {
		return c.outSlow()
	}
	return c.out
}

// OutShort is Out where n bytes are going to be appended, if nothing is pending as yet. For few bytes it takes a small
// buffer: a message to ten thousand conns would take that many of the others.
func (c *Conn) OutShort(n int) []byte {
	if c.out == nil && n <= bufClasses[0].size && c.flags&flagClosing == 0 {
		c.out = c.r.bufs.get(0)
		c.markDirty()
	}
	return c.Out()
}

func (c *Conn) outSlow() []byte {
	if c.flags&flagClosing != 0 {
		return c.r.scratch[:0]
	}
	c.out = c.r.bufs.get(max(c.class, replyClass))
	c.markDirty()
	return c.out
}

// SetOut stores what became of Out.
func (c *Conn) SetOut(b []byte) {
	if c.flags&(flagDirty|flagClosing) != flagDirty || len(b) >= sealBytes {
		c.setOutSlow(b)
		return
	}
	c.out = b
}

func (c *Conn) setOutSlow(b []byte) {
	if c.flags&flagClosing != 0 {
		return
	}
	c.out = b
	c.markDirty()
	if len(b) >= sealBytes {
		c.seal()
	}
}

// Write appends b to the pending replies. It never fails; the result makes Conn an io.Writer.
func (c *Conn) Write(b []byte) (int, error) {
	c.SetOut(append(c.Out(), b...))
	return len(b), nil
}

// WriteRef queues b after what is in Out so far without copying it. b must stay untouched until release is called on
// the reactor's goroutine, exactly once: when the kernel has taken the last byte, or after the conn was closed
// (at once if it already is). release may be nil.
func (c *Conn) WriteRef(b []byte, release func()) {
	if c.flags&flagClosing != 0 || len(b) == 0 {
		if release != nil {
			release()
		}
		return
	}
	c.seal()
	c.push(segment{b: b, release: release})
	c.markDirty()
}

// SendNow sends of b what the kernel takes at once, and returns how many bytes that are: 0 if anything is pending, or
// has to be encrypted. It is for much that is in the processor's cache and would not be any more when the turn ends.
// Errors show when something else is sent.
func (c *Conn) SendNow(b []byte) int {
	if c.flags&(flagClosing|flagCloseAfter|flagOutHeld) != 0 || c.tls != nil || c.OutPending() > 0 || c.io.sending() {
		return 0
	}
	n, err := unix.SendmsgN(c.fd, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err != nil {
		return 0
	}
	return n
}

// OutPending counts the bytes queued that the kernel has not taken yet. With TLS some of them are encrypted and some are not.
func (c *Conn) OutPending() int { return c.pending + len(c.out) }

// OutCap is the memory that the conn's reply buffers occupy, in bytes, without what WriteRef lent.
func (c *Conn) OutCap() int {
	n := cap(c.out) + cap(c.head.buf)
	for i := range c.rest {
		n += cap(c.rest[i].buf)
	}
	if c.tls != nil {
		n += c.tls.outCap()
	}
	return n
}

// OutHeld is the memory of pending replies, in bytes, with what WriteRef lent and without the buffer that the current
// turn fills: that goes out when the turn ends.
func (c *Conn) OutHeld() int { return max(c.OutCap()-cap(c.out), c.pending) }

// Close closes the conn and drops what is pending. err is handed to Handler.Closed, which is called later in
// this turn. Only the first call counts.
func (c *Conn) Close(err error) {
	if c.flags&flagClosing != 0 {
		return
	}
	c.flags |= flagClosing
	if c.err == nil {
		c.err = err
	}
	c.r.closing = append(c.r.closing, c)
}

// CloseAfterReply stops receiving, and closes the conn once everything pending was sent. A peer that does not read
// holds it open: whoever bounds OutPending or idleness then calls Close.
func (c *Conn) CloseAfterReply() {
	c.flags |= flagCloseAfter
	c.markDirty()
}

// PauseRead stops receiving: Data is not called, and the peer feels TCP's back-pressure. Nor is the peer's departure
// noticed until ResumeRead.
func (c *Conn) PauseRead() {
	if c.flags&(flagPaused|flagClosing) != 0 {
		return
	}
	c.flags |= flagPaused
	c.r.io.pause(c)
}

// ResumeRead undoes PauseRead.
func (c *Conn) ResumeRead() {
	if c.flags&flagPaused == 0 {
		return
	}
	c.flags &^= flagPaused
	if c.flags&flagClosing != 0 {
		return
	}
	if c.flags&flagResumed == 0 {
		c.flags |= flagResumed
		c.r.resumed = append(c.r.resumed, c)
	}
}

// HoldOut keeps what is pending from being sent, and whatever follows it, until ReleaseOut. What is under way goes on.
func (c *Conn) HoldOut() { c.flags |= flagOutHeld }

// IsOutHeld tells whether HoldOut is in force.
func (c *Conn) IsOutHeld() bool { return c.flags&flagOutHeld != 0 }

// ReleaseOut undoes HoldOut.
func (c *Conn) ReleaseOut() {
	if c.flags&flagOutHeld == 0 {
		return
	}
	c.flags &^= flagOutHeld
	c.markDirty()
	if c.flags&(flagEOF|flagResumed|flagPaused) == flagEOF { // the end of input waits
		c.flags |= flagResumed
		c.r.resumed = append(c.r.resumed, c)
	}
}

// IsPaused tells whether reading is paused.
func (c *Conn) IsPaused() bool { return c.flags&flagPaused != 0 }

func (c *Conn) markDirty() {
	if c.flags&flagDirty == 0 {
		c.flags |= flagDirty
		c.r.dirty = append(c.r.dirty, c)
	}
}

// seal moves the open buffer to the queue.
func (c *Conn) seal() {
	if len(c.out) == 0 {
		return
	}
	c.class = classFor(len(c.out))
	c.push(segment{b: c.out, buf: c.out})
	c.out = nil
}

func (c *Conn) push(s segment) {
	c.pending += len(s.b)
	if c.tls != nil {
		c.tls.plain = append(c.tls.plain, s)
		return
	}
	if c.head.b == nil {
		c.head = s
		return
	}
	c.rest = append(c.rest, s)
}

// load makes head the next segment to send and reports whether there is one.
func (c *Conn) load() bool {
	if c.head.b != nil {
		return true
	}
	if c.tls != nil {
		return c.tls.load()
	}
	if len(c.out) > 0 {
		c.seal()
		return true
	}
	if c.out != nil {
		c.r.bufs.put(c.out)
		c.out = nil
	}
	return false
}

// sent accounts for n bytes that the kernel has taken.
func (c *Conn) sent(n int) {
	c.pending -= n
	for n >= len(c.head.b) {
		n -= len(c.head.b)
		c.finish(&c.head)
		if len(c.rest) == 0 {
			return
		}
		c.head = c.rest[0]
		c.rest[0] = segment{}
		if c.rest = c.rest[1:]; len(c.rest) == 0 {
			c.rest = nil
		}
	}
	c.head.b = c.head.b[n:]
}

func (c *Conn) finish(s *segment) {
	if s.buf != nil {
		c.r.bufs.put(s.buf)
	}
	release := s.release
	*s = segment{}
	if release != nil {
		release()
	}
}

// dropOut gives back all pending replies. Nothing may be in flight.
func (c *Conn) dropOut() {
	if c.out != nil {
		c.r.bufs.put(c.out)
		c.out = nil
	}
	if c.head.b != nil {
		c.finish(&c.head)
	}
	for i := range c.rest {
		c.finish(&c.rest[i])
	}
	if c.tls != nil {
		c.tls.dropOut()
	}
	c.rest, c.pending = nil, 0
}

// deliver hands received bytes to the handler, or keeps them for ResumeRead.
func (c *Conn) deliver(in []byte) {
	if c.flags&(flagClosing|flagCloseAfter|flagPaused|flagTLS) != 0 || len(c.stash) > 0 {
		switch {
		case c.tls != nil:
			c.tls.received(in)
		case c.flags&(flagClosing|flagCloseAfter) == 0:
			c.stash = append(c.stash, in...)
		}
		return
	}
	c.LastActive = c.r.now
	c.r.handler.Data(c, in)
}

// redeliver delivers what was kept while reading was paused.
func (c *Conn) redeliver(stash []byte) {
	if c.tls != nil {
		c.tls.resume(stash)
		return
	}
	c.deliver(stash)
}

// ended takes the end of input: err is io.EOF or the socket's error. What goes before it is handled first: bytes
// kept for ResumeRead, and replies to what came in the same turn.
func (c *Conn) ended(err error) {
	if c.flags&(flagClosing|flagEOF) != 0 {
		return
	}
	if c.tls != nil && c.tls.shaking != nil {
		c.tls.fail(err)
		return
	}
	c.flags |= flagEOF
	c.err = err
	if c.flags&flagPaused == 0 && c.flags&flagResumed == 0 {
		c.flags |= flagResumed
		c.r.resumed = append(c.r.resumed, c)
	}
}

// lastWords closes the conn at the end of its input. A peer that has only shut down its sending side still gets
// the replies that its socket takes at once.
func (c *Conn) lastWords() {
	for range 4 {
		if c.err != io.EOF || c.io.sending() || !c.load() {
			break
		}
		b := c.head.b[:min(len(c.head.b), sliceBytes)]
		n, err := unix.SendmsgN(c.fd, b, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err != nil {
			break
		}
		c.sent(n)
	}
	c.Close(c.err)
}

var _ io.Writer = (*Conn)(nil)
