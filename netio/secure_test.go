package netio

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/certs"
	"github.com/shoaldb/shoal/internal/oracle"
)

var certSet struct {
	once sync.Once
	set  *certs.Set
	err  error
}

// certificates are shared by all tests.
func certificates(t testing.TB) *certs.Set {
	t.Helper()
	certSet.once.Do(func() { certSet.set, certSet.err = certs.NewSet(t.TempDir()) })
	if certSet.err != nil {
		t.Fatal(certSet.err)
	}
	return certSet.set
}

// serveTLS starts an engine that listens with TLS only.
func serveTLS(t testing.TB, o Options, h Handler) server {
	t.Helper()
	if o.Logf == nil {
		o.Logf = logTo(t)
	}
	s := startQuiet(t, o, h)
	s.SetTLS(certificates(t).ServerConfig())
	addr, err := s.ListenTLS("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = addr
	return s
}

// dialTLS connects with the client's certificate.
func (s server) dialTLS(t testing.TB) *tls.Conn {
	t.Helper()
	set := certificates(t)
	return s.dialWith(t, set.ClientConfig(set.Client))
}

func (s server) dialWith(t testing.TB, config *tls.Config) *tls.Conn {
	t.Helper()
	return tls.Client(s.dial(t), config)
}

// TestTLSEcho sends pieces of all sizes through every version.
func TestTLSEcho(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := serveTLS(t, Options{Engine: engine, Reactors: 2}, &funcs{})
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			set := certificates(t)
			config := set.ClientConfig(set.Client)
			config.MinVersion, config.MaxVersion = version, version
			c := s.dialWith(t, config)
			for _, size := range []int{1, 2, 100, 4096, maxRecord - 1, maxRecord, maxRecord + 1, 100_000, 3 << 20} {
				message := make([]byte, size)
				for i := range message {
					message[i] = byte(rand.Uint32())
				}
				go c.Write(message)
				got := make([]byte, size)
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, message) {
					t.Fatalf("version %x, %d bytes: %v", version, size, err)
				}
			}
			if got := c.ConnectionState().Version; got != version {
				t.Errorf("version %x", got)
			}
		}
	})
}

// TestTLSPieces lets what the client sends arrive byte by byte, and then as many small records at once.
func TestTLSPieces(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := serveTLS(t, Options{Engine: engine}, &funcs{})
		set := certificates(t)
		slow := &choppy{Conn: s.dial(t), piece: 1}
		c := tls.Client(slow, set.ClientConfig(set.Client))
		ask(t, c, "hello", "hello")
		slow.piece = 7
		ask(t, c, strings.Repeat("x", 1000), strings.Repeat("x", 1000))
		slow.piece = 1 << 20
		slow.hold = true
		var want strings.Builder
		for i := range 3000 {
			fmt.Fprintf(&want, "%d,", i)
			fmt.Fprintf(c, "%d,", i)
		}
		slow.release()
		expect(t, c, want.String())
	})
}

// choppy writes in pieces, or all that was written at once.
type choppy struct {
	net.Conn
	piece int
	hold  bool
	held  []byte
}

func (c *choppy) Write(b []byte) (int, error) {
	if c.hold {
		c.held = append(c.held, b...)
		return len(b), nil
	}
	for rest := b; len(rest) > 0; {
		n := min(c.piece, len(rest))
		if _, err := c.Conn.Write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(b), nil
}

func (c *choppy) release() {
	c.hold = false
	c.Write(c.held)
}

// failure returns how the only conn of a server ends.
func failure(t *testing.T, engine string, o Options, provoke func(t *testing.T, s server)) error {
	t.Helper()
	ends := make(chan error, 1)
	o.Engine = engine
	s := serveTLS(t, o, &funcs{
		closed: func(_ *Conn, err error) { ends <- err },
		data:   func(*Conn, []byte) { t.Error("data was delivered") },
	})
	provoke(t, s)
	select {
	case err := <-ends:
		return err
	case <-time.After(patience):
		t.Fatal("the conn goes on")
		return nil
	}
}

// TestHandshakeFails has clients that must not get in.
func TestHandshakeFails(t *testing.T) {
	set := certificates(t)
	with := func(shown ...certs.Pair) func(*testing.T, server) error {
		return func(t *testing.T, s server) error {
			config := set.ClientConfig()
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				cert := new(tls.Certificate)
				for _, p := range shown {
					*cert = p.TLS()
				}
				return cert, nil // also if nobody has asked for it
			}
			c := s.dialWith(t, config)
			c.Write([]byte("PING\r\n"))
			_, err := c.Read(make([]byte, 1))
			return err
		}
	}
	raw := func(text string) func(*testing.T, server) error {
		return func(t *testing.T, s server) error {
			c := s.dial(t)
			c.Write([]byte(text))
			first := make([]byte, 1)
			_, err := c.Read(first)
			if first[0] == 21 {
				return errors.New("an alert")
			}
			return err
		}
	}
	for _, test := range []struct {
		name           string
		do             func(*testing.T, server) error
		server, client string
	}{
		{"none", with(), "client didn't provide a certificate", "certificate required"},
		{"expired", with(set.Expired), "certificate has expired", "expired certificate"},
		{"stranger", with(set.Stranger), "certificate signed by unknown authority", "unknown certificate authority"},
		{"plain", raw("PING\r\n"), "first record does not look like a TLS handshake", "EOF"},
		{"resp", raw("*1\r\n$4\r\nPING\r\n"), "first record does not look like a TLS handshake", "EOF"},
		{"garbage", raw("\x16\x03\x01\x00\x05abcdefghij"), "tls: ", "an alert"},
		{"huge", raw("\x16\x03\x01\xff\xffabcdefghij" + strings.Repeat("x", 1<<16)), "oversized record", "an alert"},
	} {
		t.Run(test.name, func(t *testing.T) {
			each(t, func(t *testing.T, engine string) {
				var client error
				err := failure(t, engine, Options{}, func(t *testing.T, s server) { client = test.do(t, s) })
				var shake *HandshakeError
				if !errors.As(err, &shake) || !strings.Contains(err.Error(), test.server) {
					t.Errorf("the server says %v", err)
				}
				if client == nil || !strings.Contains(client.Error(), test.client) {
					t.Errorf("the client says %v", client)
				}
			})
		})
	}
}

// TestHandshakeTimesOut has clients that say nothing, a part of a record, or one record and no more.
func TestHandshakeTimesOut(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		for _, text := range []string{"", "\x16\x03", "\x16\x03\x01\x00\x05", "\x16\x03\x01\x00\x05\x01\x00\x10\x00\x00"} {
			err := failure(t, engine, Options{HandshakeTimeout: 50 * time.Millisecond}, func(t *testing.T, s server) {
				c := s.dial(t)
				c.Write([]byte(text))
				c.Read(make([]byte, 1))
			})
			if !errors.Is(err, errHandshakeTimer) {
				t.Errorf("after %q: %v", text, err)
			}
		}
	})
}

// TestHandshakeAbandoned has peers that leave in the middle, and a server that ends.
func TestHandshakeAbandoned(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		for _, text := range []string{"", "\x16\x03\x01\x00\x05", "\x16\x03\x01\x00\x05\x01\x00\x10\x00\x00"} {
			err := failure(t, engine, Options{}, func(t *testing.T, s server) {
				c := s.dial(t)
				c.Write([]byte(text))
				c.Close()
			})
			if !errors.Is(err, errHandshakeEnd) {
				t.Errorf("after %q: %v", text, err)
			}
		}
		before := runtime.NumGoroutine()
		s := serveTLS(t, Options{Engine: engine, Reactors: 2}, &funcs{})
		for range 20 {
			s.dial(t).Write([]byte("\x16\x03\x01\x00\x05\x01\x00\x10\x00\x00"))
		}
		oracle.WaitFor(t, "all are accepted", func() bool { return s.NumConns() == 20 })
		s.Stop()
		oracle.WaitFor(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	})
}

// TestHandshakeBackPressure has a client whose handshake does not go on after its last flight, while it sends much. It
// has to wait, and nothing is lost.
func TestHandshakeBackPressure(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		conns := make(chan *Conn, 1)
		s := serveTLS(t, Options{Engine: engine}, &funcs{opened: func(c *Conn) { conns <- c }})
		set := certificates(t)
		config := set.ClientConfig()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			for range cap(s.shakers) {
				s.shakers <- struct{}{}
			}
			cert := set.Client.TLS()
			return &cert, nil
		}
		c := s.dialWith(t, config)
		sent := make([]byte, 16<<20)
		for i := range sent {
			sent[i] = byte(rand.Uint32())
		}
		go c.Write(sent)
		conn := <-conns
		oracle.WaitFor(t, "it is held", func() (held bool) {
			on(conn.Reactor(), func() { held = conn.flags&flagHeld != 0 })
			return held
		})
		on(conn.Reactor(), func() {
			h := conn.tls.shaking
			h.mu.Lock()
			defer h.mu.Unlock()
			if n := len(h.in); n < maxAhead || n > 2<<20 {
				t.Errorf("%d bytes are kept", n)
			}
		})
		for range cap(s.shakers) {
			<-s.shakers
		}
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
			t.Fatal("not what was sent", err)
		}
	})
}

// TestTLSWriteInOpened greets before the handshake: nothing of it must be seen in the clear.
func TestTLSWriteInOpened(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := serveTLS(t, Options{Engine: engine}, &funcs{opened: func(c *Conn) {
			io.WriteString(c, "secret")
			c.WriteRef([]byte(" words"), nil)
			c.CloseAfterReply()
		}})
		plain := s.dial(t)
		plain.Write([]byte("hello\r\n"))
		if got, _ := io.ReadAll(plain); bytes.Contains(got, []byte("secret")) {
			t.Errorf("in the clear: %q", got)
		}
		if got, err := io.ReadAll(s.dialTLS(t)); string(got) != "secret words" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// TestTLSCloses looks for close_notify from our side, and takes the peer's for the end of input.
func TestTLSCloses(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := serveTLS(t, Options{Engine: engine}, &funcs{data: func(c *Conn, in []byte) {
			c.Write(in)
			if bytes.Contains(in, []byte("quit")) {
				c.CloseAfterReply()
			}
		}})
		c := s.dialTLS(t)
		io.WriteString(c, "quit")
		if got, err := io.ReadAll(c); string(got) != "quit" || err != nil {
			t.Errorf("%q, %v: crypto/tls reports io.ErrUnexpectedEOF without close_notify", got, err)
		}
		half := s.dialTLS(t)
		io.WriteString(half, "last words")
		half.CloseWrite()
		if got, err := io.ReadAll(half); string(got) != "last words" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		oracle.WaitFor(t, "both are closed", func() bool { return s.NumConns() == 0 })
	})
}

// TestTLSPauseRead pauses between records that came together.
func TestTLSPauseRead(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var conn *Conn
		opened := make(chan struct{})
		var got atomic.Int64
		s := serveTLS(t, Options{Engine: engine}, &funcs{
			opened: func(c *Conn) { conn = c; close(opened) },
			data: func(c *Conn, in []byte) {
				if c.IsPaused() {
					t.Error("data for a paused conn")
				}
				got.Add(int64(len(in)))
				c.PauseRead()
			},
		})
		c := s.dialTLS(t)
		const size = 1 << 20
		go c.Write(make([]byte, size))
		<-opened
		oracle.WaitFor(t, "all has come", func() bool {
			on(conn.Reactor(), conn.ResumeRead)
			return got.Load() == size
		})
	})
}

// TestTLSWriteRef sends large pieces without copying all of them, and releases each once.
func TestTLSWriteRef(t *testing.T) {
	const size, count = 20 << 20, 3
	each(t, func(t *testing.T, engine string) {
		value := bytes.Repeat([]byte("0123456789abcdef"), size/16)
		var released, most atomic.Int64
		s := serveTLS(t, Options{Engine: engine}, &funcs{
			data: func(c *Conn, _ []byte) {
				for range count {
					io.WriteString(c, "<")
					c.WriteRef(value, func() { released.Add(1) })
					io.WriteString(c, ">")
				}
			},
			turnEnd: func(r *Reactor) {
				r.Conns(func(c *Conn) bool { most.Store(max(most.Load(), int64(c.OutCap()))); return true })
			},
		})
		c := s.dialTLS(t)
		io.WriteString(c, "go")
		got := make([]byte, count*(size+2))
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		for i := range count {
			piece := got[i*(size+2):][:size+2]
			if piece[0] != '<' || piece[size+1] != '>' || !bytes.Equal(piece[1:size+1], value) {
				t.Fatalf("piece %d is not what was sent", i)
			}
		}
		oracle.WaitFor(t, "all is released", func() bool { return released.Load() == count })
		if most.Load() > 2<<20 {
			t.Errorf("%d bytes of buffers for a reply of %d", most.Load(), len(got))
		}
		// One that does not read: closing releases everything.
		stuck := s.dialTLS(t)
		io.WriteString(stuck, "go")
		oracle.WaitFor(t, "it has begun", func() bool { return s.NumConns() == 2 })
		one := make([]byte, 1)
		stuck.Read(one)
		stuck.Close()
		oracle.WaitFor(t, "all is released", func() bool { return released.Load() == 2*count })
	})
}

// TestTLSReload changes the certificate; conns that exist go on.
func TestTLSReload(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := serveTLS(t, Options{Engine: engine}, &funcs{})
		old := s.dialTLS(t)
		ask(t, old, "before", "before")
		set := certificates(t)
		next, err := set.CA.Issue("next", time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		config := set.ServerConfig()
		config.Certificates = []tls.Certificate{next.TLS()}
		s.SetTLS(config)
		ask(t, old, "after", "after")
		c := s.dialTLS(t)
		ask(t, c, "new", "new")
		if name := c.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "next" {
			t.Errorf("the certificate of %q", name)
		}
	})
}

// TestTLSManyConns has conns come and go while others work.
func TestTLSManyConns(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		before := runtime.NumGoroutine()
		s := serveTLS(t, Options{Engine: engine, Reactors: 2}, &funcs{})
		set := certificates(t)
		config := set.ClientConfig(set.Client)
		config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				for j := range 12 {
					c := s.dialWith(t, config)
					text := strings.Repeat(fmt.Sprint(i, j), 500)
					ask(t, c, text, text)
					if j%2 == 0 {
						c.Close()
					} else {
						c.NetConn().Close()
					}
				}
			})
		}
		group.Wait()
		oracle.WaitFor(t, "all are closed", func() bool { return s.NumConns() == 0 })
		s.Stop()
		oracle.WaitFor(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	})
}

// TestTLSKilled closes a conn in the middle of its handshake.
func TestTLSKilled(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		errKilled := errors.New("killed")
		conns, ends := make(chan *Conn, 1), make(chan error, 1)
		s := serveTLS(t, Options{Engine: engine}, &funcs{
			opened: func(c *Conn) { conns <- c },
			closed: func(_ *Conn, err error) { ends <- err },
		})
		peer := s.dial(t)
		peer.Write([]byte("\x16\x03\x01\x00\x05\x01\x00\x10\x00\x00"))
		c := <-conns
		oracle.WaitFor(t, "the handshake has begun", func() (begun bool) {
			on(c.Reactor(), func() { begun = c.tls.records > 0 })
			return begun
		})
		on(c.Reactor(), func() { c.Close(errKilled) })
		if err := <-ends; err != errKilled {
			t.Errorf("closed with %v", err)
		}
		expectEnd(t, peer)
	})
}

// TestTLSTampered flips a byte of what an established client sends.
func TestTLSTampered(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		ends := make(chan error, 1)
		s := serveTLS(t, Options{Engine: engine}, &funcs{closed: func(_ *Conn, err error) { ends <- err }})
		set := certificates(t)
		link := &choppy{Conn: s.dial(t), piece: 1 << 20}
		c := tls.Client(link, set.ClientConfig(set.Client))
		ask(t, c, "hello", "hello")
		link.hold = true
		io.WriteString(c, "hello")
		link.held[len(link.held)-1] ^= 1
		link.release()
		_, err := c.Read(make([]byte, 1))
		if err == nil || !strings.Contains(err.Error(), "bad record MAC") {
			t.Errorf("the client says %v", err)
		}
		if err := <-ends; err == nil || !strings.Contains(err.Error(), "bad record MAC") {
			t.Errorf("the server says %v", err)
		}
	})
}

// TestFraming counts records however they are cut.
func TestFraming(t *testing.T) {
	var stream []byte
	const count = 200
	for range count {
		n := rand.IntN(40)
		stream = append(stream, 23, 3, 3, 0, byte(n))
		stream = append(stream, make([]byte, n)...)
	}
	for piece := 1; piece < 60; piece++ {
		var f framing
		got := 0
		for rest := stream; len(rest) > 0; {
			n := min(piece, len(rest))
			got += f.add(rest[:n])
			rest = rest[n:]
		}
		if got != count {
			t.Fatalf("%d records in pieces of %d bytes", got, piece)
		}
	}
}

// TestTLSAllocations bounds what a round of requests and replies costs the collector: 32 bytes of crypto/tls'.
func TestTLSAllocations(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := serveTLS(t, Options{Engine: engine}, &funcs{})
		c := s.dialTLS(t)
		message, answer := bytes.Repeat([]byte("x"), 600), make([]byte, 600)
		round := func() {
			c.Write(message)
			io.ReadFull(c, answer)
		}
		for range 100 {
			round()
		}
		if got := testing.AllocsPerRun(500, round); got > 5 { // both sides
			t.Errorf("%.1f allocations a round", got)
		}
	})
}

// FuzzTLSPort sends anything to a port that expects TLS, as the first bytes and into a conn whose handshake is over.
func FuzzTLSPort(f *testing.F) {
	f.Add([]byte("PING\r\n"), false)
	f.Add([]byte("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"), false)
	f.Add([]byte("\x15\x03\x03\x00\x02\x01\x00"), true)
	f.Add([]byte("\x17\x03\x03\x00\x00\x17\x03\x03\x40\x11"), true)
	ends := make(chan struct{}, 64)
	var data atomic.Int64
	s := serveTLS(f, Options{Engine: EngineAuto, Logf: func(int, string, ...any) {}}, &funcs{
		closed: func(*Conn, error) { ends <- struct{}{} },
		data:   func(*Conn, []byte) { data.Add(1) },
	})
	set := certificates(f)
	f.Fuzz(func(t *testing.T, b []byte, established bool) {
		raw := s.dial(t)
		if established {
			if err := tls.Client(raw, set.ClientConfig(set.Client)).Handshake(); err != nil {
				t.Fatal(err)
			}
		}
		raw.Write(b)
		raw.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, raw)
		raw.Close()
		<-ends
		if data.Load() != 0 {
			t.Error("something was taken for a message")
		}
	})
}
