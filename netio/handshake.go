package netio

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A HandshakeError closes a conn whose TLS handshake has failed, also because the peer took too long or went away.
type HandshakeError struct{ Err error }

func (e *HandshakeError) Error() string { return e.Err.Error() }
func (e *HandshakeError) Unwrap() error { return e.Err }

// A RecordError closes a conn whose handshake is over, as what came is no record of the peer's, or is a fatal alert.
type RecordError struct{ Err error }

func (e *RecordError) Error() string { return e.Err.Error() }
func (e *RecordError) Unwrap() error { return e.Err }

var (
	errNotTLS         = errors.New("first record does not look like a TLS handshake")
	errHandshakeTimer = errors.New("the TLS handshake took too long")
	errHandshakeEnd   = errors.New("the peer closed the connection during the TLS handshake")
)

// A handshake is one that is under way. Its goroutine begins when the peer's first record is whole, so a peer that says
// nothing holds none. The reactor appends what it receives to in, and sends what the goroutine has put into out.
type handshake struct {
	s     *secure
	timer *time.Timer

	mu   sync.Mutex
	more sync.Cond // in has grown, or err is set
	in   []byte
	out  []byte
	held bool  // c reads no more until in is empty
	err  error // why there will be no more
	runs bool  // the goroutine has begun
}

// maxAhead is how much a peer may send before it has to wait for the handshake: its certificates are less.
const maxAhead = 64 << 10

func newHandshake(s *secure) *handshake {
	h := &handshake{s: s}
	h.more.L = &h.mu
	r := s.c.r
	h.timer = time.AfterFunc(r.e.opts.HandshakeTimeout, func() {
		r.Post(func() {
			if s.shaking != nil {
				s.fail(errHandshakeTimer)
			}
		})
	})
	return h
}

// received takes bytes from the socket, on the reactor.
func (h *handshake) received(in []byte) {
	const handshakeRecord = 22
	c := h.s.c
	h.mu.Lock()
	h.in = append(h.in, in...)
	plausible := h.runs || h.in[0] == handshakeRecord
	begin := !h.runs && h.s.records > 0
	h.runs = h.runs || begin
	if len(h.in) > maxAhead && !h.held {
		h.held = true
		c.flags |= flagHeld
		c.r.io.pause(c)
	}
	h.more.Signal()
	h.mu.Unlock()
	switch {
	case !plausible:
		h.s.fail(errNotTLS)
	case begin:
		c.r.e.wg.Go(h.run)
	}
}

// run is the goroutine. As many as there are places in shakers compute at a time; so the reactors are not kept from theirs.
func (h *handshake) run() {
	s := h.s
	r := s.c.r
	r.e.shakers <- struct{}{}
	err := s.conn.Handshake()
	<-r.e.shakers
	r.Post(func() { s.shaken(err) })
}

// read is wire.Read during the handshake.
func (h *handshake) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.in) == 0 && h.err == nil {
		h.await()
	}
	if h.err != nil {
		return 0, h.err
	}
	n := copy(b, h.in)
	if h.in = h.in[n:]; len(h.in) == 0 {
		h.in = nil
		if h.held {
			h.held = false
			h.s.c.r.Post(h.s.unhold)
		}
	}
	return n, nil
}

// await waits for the peer, while others compute.
func (h *handshake) await() {
	r := h.s.c.r
	<-r.e.shakers
	for len(h.in) == 0 && h.err == nil {
		h.more.Wait()
	}
	h.mu.Unlock()
	r.e.shakers <- struct{}{}
	h.mu.Lock()
}

// write is wire.Write during the handshake.
func (h *handshake) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return 0, h.err
	}
	if len(h.out) == 0 {
		h.s.c.r.Post(h.s.sendShake)
	}
	h.out = append(h.out, b...)
	return len(b), nil
}

// take returns what the goroutine wants to be sent.
func (h *handshake) take() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.out
	h.out = nil
	return out
}

// end makes the goroutine end soon.
func (h *handshake) end(err error) {
	h.timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err = err
	h.more.Signal()
}

// fail closes the conn before the handshake is over.
func (s *secure) fail(err error) {
	if err == io.EOF {
		err = errHandshakeEnd
	}
	s.c.Close(&HandshakeError{err})
}

// sendShake sends what the goroutine has written so far.
func (s *secure) sendShake() {
	if s.shaking == nil || s.c.flags&flagClosing != 0 {
		return
	}
	s.append(s.shaking.take())
}

// append queues encrypted bytes, on the reactor.
func (s *secure) append(b []byte) {
	if s.c.flags&flagClosed == 0 {
		s.c.pending += len(b)
		s.c.markDirty()
	}
	s.sealed = append(s.sealed, b...)
}

// shaken ends the handshake, on the reactor. What came after it are the peer's first requests.
func (s *secure) shaken(err error) {
	h, c := s.shaking, s.c
	if c.flags&flagClosing != 0 {
		return
	}
	h.timer.Stop()
	s.append(h.take())
	if err != nil {
		s.fail(err)
		return
	}
	s.shaking = nil
	c.markDirty() // for what was written in the meantime
	if c.flags&flagPaused != 0 {
		c.stash = append(c.stash, h.in...)
	} else {
		s.resume(h.in)
	}
	s.unhold()
}

// unhold receives again.
func (s *secure) unhold() {
	c := s.c
	if c.flags&flagHeld == 0 {
		return
	}
	c.flags &^= flagHeld
	if c.flags&(noReceive|flagEOF) == 0 {
		c.r.io.resume(c)
	}
}

// wire is what crypto/tls takes for the network.
type wire secure

func (w *wire) Read(b []byte) (int, error) {
	s := (*secure)(w)
	if h := s.shaking; h != nil {
		return h.read(b)
	}
	if len(s.in) == 0 {
		return 0, errWouldBlock
	}
	n := copy(b, s.in)
	s.in = s.in[n:]
	return n, nil
}

func (w *wire) Write(b []byte) (int, error) {
	s := (*secure)(w)
	if h := s.shaking; h != nil {
		return h.write(b)
	}
	s.append(b)
	return len(b), nil
}

func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return textAddr{"tcp", "?"} }
func (w *wire) RemoteAddr() net.Addr             { return textAddr{"tcp", "?"} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// wouldBlock says that nothing can be read at the moment. crypto/tls keeps what it has read of a record after an error
// that is temporary, and goes on with it at the next call.
type wouldBlock struct{}

func (wouldBlock) Error() string   { return "no whole record yet" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

var errWouldBlock error = wouldBlock{}
