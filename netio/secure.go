package netio

import (
	"crypto/tls"
	"io"

	"golang.org/x/sys/unix"
)

// secure is the TLS side of a conn. crypto/tls speaks the protocol; it is given a net.Conn that is memory ([wire]), so
// that it never waits for a socket. The handshake, which cannot be interrupted and computes for a millisecond, runs on
// a goroutine of its own (handshake.go). From then on the reactor alone reads and writes records:
//
//	received --> in --> tls.Conn.Read --> r.clear --> Handler.Data
//	out --> plain --> tls.Conn.Write --> sealed --> c.head --> the kernel
//
// Replies stay in the clear until the socket has room for them, so that those of a turn, and of the turns that passed
// while it had none, share records of 16 KiB. At most sliceBytes of a conn are encrypted at a time: a reply of 512 MB
// lies in no second copy.
type secure struct {
	c       *Conn
	conn    *tls.Conn
	shaking *handshake // nil once the handshake is over
	over    bool       // the peer has said that no more comes, or what it says makes no sense

	in      []byte // received, not taken by conn yet; lent for the call
	frames  framing
	records int // at most so many whole records are left to be read

	plain  []segment // replies not encrypted yet
	next   int       // the first of them
	sealed []byte    // encrypted, to become c.head
}

const (
	maxRecord = 16 << 10 // bytes that one record carries
	// recordOverhead is what encryption adds to a record at most: header, IV, MAC and padding of a CBC cipher.
	recordOverhead = 5 + 16 + 48 + 16
	clearSize      = 64 << 10 // of Reactor.clear; at least a record
)

// newSecure begins a conn's handshake.
func newSecure(c *Conn) *secure {
	s := &secure{c: c}
	config := c.r.e.tlsConfig.Load()
	if config == nil {
		config = new(tls.Config) // without certificates every handshake fails
	}
	s.conn = tls.Server((*wire)(s), config)
	s.shaking = newHandshake(s)
	return s
}

// received takes bytes from the socket.
func (s *secure) received(in []byte) {
	c := s.c
	if c.flags&flagClosing != 0 || s.over {
		return
	}
	s.records += s.frames.add(in)
	switch {
	case s.shaking != nil:
		s.shaking.received(in)
	case c.flags&flagCloseAfter != 0:
	case c.flags&flagPaused != 0 || len(c.stash) > 0:
		c.stash = append(c.stash, in...)
	default:
		s.deliver(in)
	}
}

// resume takes what was received while reading was paused.
func (s *secure) resume(stash []byte) {
	if s.shaking == nil && !s.over && s.c.flags&flagCloseAfter == 0 {
		s.deliver(stash)
	}
}

// deliver decrypts in and hands it to the handler, as far as it wants it.
func (s *secure) deliver(in []byte) {
	c := s.c
	if c.r.clear == nil {
		c.r.clear = make([]byte, clearSize)
	}
	s.in = in
	for more := true; more; {
		n, err := s.decrypt(c.r.clear)
		more = s.records > 0 || len(s.in) > 0
		if n > 0 {
			c.LastActive = c.r.now
			c.r.handler.Data(c, c.r.clear[:n])
		}
		switch {
		case c.flags&(flagClosing|flagCloseAfter) != 0:
			more = false
		case err == io.EOF:
			s.over, more = true, false
			c.ended(io.EOF)
		case err != nil:
			s.over, more = true, false
			c.Close(&RecordError{err})
		case c.flags&flagPaused != 0:
			c.stash, more = append(c.stash, s.in...), false
		}
	}
	s.in = nil
}

// decrypt fills b with what whole records hold, as long as the largest would fit. The beginning of a record that is not whole
// moves into conn's memory. Knowing how many are whole saves asking for one more in vain, which makes crypto/tls allocate.
func (s *secure) decrypt(b []byte) (n int, err error) {
	for len(b)-n >= maxRecord && (s.records > 0 || len(s.in) > 0) {
		m, err := s.conn.Read(b[n:])
		n += m
		if err == errWouldBlock { // and so in is empty
			s.records = 0
			return n, nil
		}
		if err != nil {
			return n, err
		}
		s.records = max(s.records-1, 0)
	}
	return n, nil
}

// load makes c.head the next piece of encrypted replies and reports whether there is one. Before the handshake is over
// there are only its own messages.
func (s *secure) load() bool {
	if s.shaking == nil {
		s.encrypt()
	}
	if len(s.sealed) == 0 {
		return false
	}
	s.c.head = segment{b: s.sealed, buf: s.sealed}
	s.sealed = nil
	return true
}

// encrypt seals up to sliceBytes of the replies.
func (s *secure) encrypt() {
	c := s.c
	if s.next == len(s.plain) && len(c.out) > 0 { // the usual case: what one turn has replied
		b := c.out
		c.class = classFor(len(b))
		c.out = nil
		s.seal(b)
		c.r.bufs.put(b)
		return
	}
	c.seal()
	if c.out != nil { // and empty
		c.r.bufs.put(c.out)
		c.out = nil
	}
	for left := sliceBytes; left > 0 && s.next < len(s.plain); {
		p := &s.plain[s.next]
		n := min(len(p.b), left)
		s.seal(p.b[:n])
		c.pending -= n
		left -= n
		if p.b = p.b[n:]; len(p.b) == 0 {
			c.finish(p)
			s.next++
		}
	}
	if s.next == len(s.plain) {
		s.plain, s.next = s.plain[:0], 0
	}
}

// seal encrypts b.
func (s *secure) seal(b []byte) {
	if s.sealed == nil {
		size := len(b) + (len(b)/maxRecord+1)*recordOverhead
		class := classFor(size)
		if size <= bufClasses[0].size {
			class = 0
		}
		s.sealed = s.c.r.bufs.get(class)
	}
	if _, err := s.conn.Write(b); err != nil { // only after an alert of ours
		s.c.Close(&RecordError{err})
	}
}

// close ends the handshake, or tells the peer that the conn ends here and is not cut, if it can be told at once.
func (s *secure) close() {
	c := s.c
	if s.shaking != nil {
		s.shaking.end(ErrStopped)
	} else if !c.io.sending() && c.head.b == nil {
		_ = s.conn.CloseWrite() // an alert, if there is still somebody to get it
	}
	if len(s.sealed) > 0 && !c.io.sending() && c.head.b == nil {
		_, _ = unix.SendmsgN(c.fd, s.sealed, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	}
}

// dropOut gives back the replies that are not encrypted yet, and those that are.
func (s *secure) dropOut() {
	for i := s.next; i < len(s.plain); i++ {
		s.c.finish(&s.plain[i])
	}
	s.plain, s.next = nil, 0
	if s.sealed != nil {
		s.c.r.bufs.put(s.sealed)
		s.sealed = nil
	}
}

// outCap is the memory that the reply buffers of both kinds occupy.
func (s *secure) outCap() int {
	n := cap(s.sealed)
	for i := s.next; i < len(s.plain); i++ {
		n += cap(s.plain[i].buf)
	}
	return n
}

// framing finds where records end: they begin with a type, two bytes of version and two of length (RFC 8446, section 5.1).
type framing struct {
	header [5]byte
	have   int // bytes of header
	left   int // bytes until the record ends
}

// add returns how many records end in b.
func (f *framing) add(b []byte) (records int) {
	for len(b) > 0 {
		if f.left == 0 {
			n := copy(f.header[f.have:], b)
			b = b[n:]
			if f.have += n; f.have < len(f.header) {
				return records
			}
			f.have, f.left = 0, int(f.header[3])<<8|int(f.header[4])
		}
		n := min(f.left, len(b))
		b = b[n:]
		if f.left -= n; f.left == 0 {
			records++
		}
	}
	return records
}
