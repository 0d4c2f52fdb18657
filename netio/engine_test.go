package netio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// patience is how long a test waits for what must happen, however busy the machine is.
const patience = 2 * time.Minute

// each runs a test on every engine that works here. In CI a kernel that has io_uring must let us use it.
func each(t *testing.T, f func(t *testing.T, engine string)) {
	t.Helper()
	if _, err := probeURing(); err == nil {
		t.Run(EngineURing, func(t *testing.T) { f(t, EngineURing) })
	} else if _, e := os.Stat("/proc/sys/kernel/io_uring_disabled"); e == nil && os.Getenv("CI") == "true" {
		t.Fatalf("this kernel has io_uring, but it cannot be used: %v", err)
	}
	t.Run(EngineGnet, func(t *testing.T) { f(t, EngineGnet) })
}

// funcs is a handler made of functions; without data it echoes.
type funcs struct {
	opened  func(*Conn)
	data    func(*Conn, []byte)
	closed  func(*Conn, error)
	tick    func(*Reactor) time.Duration
	turnEnd func(*Reactor)
}

func (h *funcs) Opened(c *Conn) {
	if h.opened != nil {
		h.opened(c)
	}
}

func (h *funcs) Data(c *Conn, in []byte) {
	if h.data != nil {
		h.data(c, in)
		return
	}
	_, _ = c.Write(in)
}

func (h *funcs) Closed(c *Conn, err error) {
	if h.closed != nil {
		h.closed(c, err)
	}
}

func (h *funcs) Tick(r *Reactor) time.Duration {
	if h.tick != nil {
		return h.tick(r)
	}
	return time.Hour
}

func (h *funcs) TurnEnd(r *Reactor) {
	if h.turnEnd != nil {
		h.turnEnd(r)
	}
}

// server is a started engine that listens on a TCP port.
type server struct {
	*Engine
	addr net.Addr
}

func start(t testing.TB, engine string, reactors int, h Handler) server {
	t.Helper()
	s := startQuiet(t, Options{Engine: engine, Reactors: reactors, Logf: logTo(t)}, h)
	addr, err := s.Listen("tcp", "127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	s.addr = addr
	return s
}

func startQuiet(t testing.TB, o Options, h Handler) server {
	t.Helper()
	e, err := New(o, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return server{Engine: e}
}

func logTo(t testing.TB) func(int, string, ...any) {
	return func(level int, format string, a ...any) { t.Logf("log %d: "+format, append([]any{level}, a...)...) }
}

func (s server) dial(t testing.TB) net.Conn {
	t.Helper()
	return dial(t, s.addr)
}

func dial(t testing.TB, addr net.Addr) net.Conn {
	t.Helper()
	c, err := net.DialTimeout(addr.Network(), addr.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { c.Close() })
	return c
}

// on runs f on the reactor's goroutine and waits for it.
func on(r *Reactor, f func()) {
	done := make(chan struct{})
	r.Post(func() { f(); close(done) })
	<-done
}

// ask sends a message and expects the answer.
func ask(t testing.TB, c net.Conn, message, answer string) {
	t.Helper()
	if _, err := io.WriteString(c, message); err != nil {
		t.Fatal(err)
	}
	expect(t, c, answer)
}

func expect(t testing.TB, c net.Conn, answer string) {
	t.Helper()
	got := make([]byte, len(answer))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != answer {
		t.Fatalf("got %q and %v, want %q", got[:n], err, answer)
	}
}

func expectEnd(t testing.TB, c net.Conn) {
	t.Helper()
	if n, err := io.Copy(io.Discard, c); n != 0 || err != nil {
		t.Fatalf("got %d bytes and %v, want the end", n, err)
	}
}

func TestUnknownEngine(t *testing.T) {
	if _, err := New(Options{Engine: "carrier pigeon"}, &funcs{}); err == nil {
		t.Fatal("accepted")
	}
}

func TestAutoChooses(t *testing.T) {
	e, err := New(Options{}, &funcs{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s", e.Name(), e.Reason())
	if e.Name() == "" || e.Reason() == "" {
		t.Fatal("no name or reason")
	}
	e.Stop()
}

func TestEchoInPieces(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 2, &funcs{})
		var wg sync.WaitGroup
		for i := range 8 {
			c := s.dial(t)
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			wg.Go(func() {
				sent := make([]byte, 300_000)
				for j := range sent {
					sent[j] = byte(rnd.Uint32())
				}
				go func() {
					for b := sent; len(b) > 0; {
						n := min(len(b), 1+rnd.IntN(1<<rnd.IntN(16)))
						if _, err := c.Write(b[:n]); err != nil {
							t.Error(err)
							return
						}
						b = b[n:]
					}
				}()
				got := make([]byte, len(sent))
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
					t.Errorf("echo differs, or %v", err)
				}
			})
		}
		wg.Wait()
	})
}

func TestBigPayloadBothWays(t *testing.T) {
	const size = 100 << 20
	each(t, func(t *testing.T, engine string) {
		pattern := make([]byte, 1<<20)
		for i := range pattern {
			pattern[i] = byte(i * 7 >> 3)
		}
		s := start(t, engine, 1, &funcs{})
		c := s.dial(t)
		go func() {
			for range size / len(pattern) {
				if _, err := c.Write(pattern); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		got := make([]byte, len(pattern))
		for i := range size / len(pattern) {
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, pattern) {
				t.Fatalf("differs after %d MiB, or %v", i, err)
			}
		}
	})
}

func TestManyConns(t *testing.T) {
	const n = 1500
	each(t, func(t *testing.T, engine string) {
		var open, closed atomic.Int64
		s := start(t, engine, 3, &funcs{
			opened: func(*Conn) { open.Add(1) },
			closed: func(_ *Conn, err error) {
				if err != io.EOF {
					t.Errorf("closed with %v", err)
				}
				closed.Add(1)
			},
		})
		conns := make([]net.Conn, n)
		for i := range conns {
			conns[i] = s.dial(t)
		}
		for round := range 3 {
			for i, c := range conns {
				if _, err := fmt.Fprintf(c, "%d:%06d", round, i); err != nil {
					t.Fatal(err)
				}
			}
			for i, c := range conns {
				expect(t, c, fmt.Sprintf("%d:%06d", round, i))
			}
		}
		for _, r := range s.Reactors() {
			seen := 0
			on(r, func() { r.Conns(func(*Conn) bool { seen++; return true }) })
			if seen != n/3 || r.NumConns() != seen {
				t.Errorf("reactor %d has %d conns, counts %d", r.ID(), seen, r.NumConns())
			}
		}
		for _, c := range conns {
			c.Close()
		}
		oracle.WaitFor(t, "all are closed", func() bool { return closed.Load() == n })
		if open.Load() != n || s.NumConns() != 0 {
			t.Errorf("%d opened, %d left", open.Load(), s.NumConns())
		}
	})
}

func TestEvenSpread(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 4, &funcs{})
		for n := 1; n <= 50; n++ {
			ask(t, s.dial(t), "x", "x")
			for _, r := range s.Reactors() {
				if got := r.NumConns(); got < n/4 || got > (n+3)/4 {
					t.Fatalf("reactor %d has %d of %d conns", r.ID(), got, n)
				}
			}
		}
	})
}

func TestHalfClose(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1, &funcs{})
		for range 50 {
			c := s.dial(t).(*net.TCPConn)
			if _, err := c.Write([]byte("last words")); err != nil {
				t.Fatal(err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			expect(t, c, "last words")
			expectEnd(t, c)
		}
	})
}

func TestCloseAfterReply(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var reason atomic.Value
		big := strings.Repeat("0123456789", 1<<20)
		s := start(t, engine, 1, &funcs{
			data: func(c *Conn, in []byte) {
				_, _ = c.Write([]byte(big))
				c.CloseAfterReply()
			},
			closed: func(c *Conn, err error) { reason.Store(fmt.Sprint(err)) },
		})
		c := s.dial(t)
		ask(t, c, "x", big)
		expectEnd(t, c)
		oracle.WaitFor(t, "Closed is called", func() bool { return reason.Load() != nil })
		if reason.Load() != "<nil>" {
			t.Errorf("closed with %v", reason.Load())
		}
	})
}

func TestRefuseInOpened(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 2, &funcs{opened: func(c *Conn) {
			_, _ = c.Write([]byte("-ERR no\r\n"))
			c.CloseAfterReply()
		}})
		for range 20 {
			c := s.dial(t)
			expect(t, c, "-ERR no\r\n")
			expectEnd(t, c)
		}
		oracle.WaitFor(t, "all are gone", func() bool { return s.NumConns() == 0 })
	})
}

// TestWriteRef mixes copied and referenced replies.
func TestWriteRef(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var owed, released atomic.Int64
		s := start(t, engine, 1, &funcs{data: func(c *Conn, in []byte) {
			for i, b := range in {
				head := fmt.Sprintf("<%d:", i)
				_, _ = c.Write([]byte(head))
				body := bytes.Repeat([]byte{b}, int(b)*1000)
				owed.Add(1)
				c.WriteRef(body, func() {
					released.Add(1)
					clear(body)
				})
				_, _ = c.Write([]byte(">"))
			}
		}})
		var request, want []byte
		rnd := rand.New(rand.NewPCG(3, 4))
		for i := range 60 {
			b := byte(rnd.IntN(256))
			request = append(request, b)
			want = fmt.Appendf(want, "<%d:", i)
			want = append(want, bytes.Repeat([]byte{b}, int(b)*1000)...)
			want = append(want, '>')
		}
		c := s.dial(t)
		for range 5 {
			ask(t, c, string(request), string(want))
		}
		oracle.WaitFor(t, "all is released", func() bool { return released.Load() == owed.Load() })
	})
}

// TestSlowReader leaves more replies unread than the sockets hold, and closes.
func TestSlowReader(t *testing.T) {
	const n, size = 40, 1 << 20
	each(t, func(t *testing.T, engine string) {
		released := make([]atomic.Int32, n)
		var closed atomic.Int32
		var server atomic.Pointer[Conn]
		s := start(t, engine, 1, &funcs{
			data: func(c *Conn, in []byte) {
				for i := range n {
					_, _ = c.Write([]byte("+OK\r\n"))
					c.WriteRef(make([]byte, size), func() { released[i].Add(1) })
				}
				server.Store(c)
			},
			closed: func(c *Conn, err error) { closed.Add(1) },
		})
		r := s.Reactors()[0]
		slow, other := s.dial(t), s.dial(t)
		if _, err := slow.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		oracle.WaitFor(t, "the request came", func() bool { return server.Load() != nil })
		c := server.Load()
		pending := func() (n int) { on(r, func() { n = c.OutPending() }); return n }
		last := -1
		oracle.WaitFor(t, "the socket is full", func() bool {
			before := last
			time.Sleep(20 * time.Millisecond)
			last = pending()
			return last == before
		})
		if last == 0 || last > n*(size+5) {
			t.Fatalf("%d bytes are pending", last)
		}
		on(r, func() {
			c.Close(errors.New("too slow"))
			c.Close(nil)
			c.WriteRef([]byte("x"), func() {})
			_, _ = c.Write([]byte("dropped"))
		})
		oracle.WaitFor(t, "all is released", func() bool {
			for i := range released {
				if released[i].Load() != 1 {
					return false
				}
			}
			return true
		})
		oracle.WaitFor(t, "it is closed", func() bool { return closed.Load() == 1 && s.NumConns() == 1 })
		other.Close()
		oracle.WaitFor(t, "the other is closed", func() bool { return closed.Load() == 2 })
		got, _ := io.Copy(io.Discard, slow)
		if got >= n*size {
			t.Errorf("all %d bytes arrived", got)
		}
	})
}

func TestPauseRead(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var got atomic.Int64
		var server atomic.Pointer[Conn]
		var sum atomic.Uint64
		s := start(t, engine, 1, &funcs{data: func(c *Conn, in []byte) {
			if c.IsPaused() {
				t.Error("Data for a paused conn")
			}
			server.Store(c)
			part := uint64(0)
			for _, b := range in {
				part += uint64(b)
			}
			sum.Add(part)
			if got.Add(int64(len(in))) < 10 {
				c.PauseRead()
			}
		}})
		r := s.Reactors()[0]
		c := s.dial(t)
		const size = 64 << 20
		block := bytes.Repeat([]byte{1, 2, 3, 4}, 1<<18)
		wrote := make(chan error, 1)
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		oracle.WaitFor(t, "it pauses", func() bool { return server.Load() != nil })
		var sent atomic.Int64
		go func() {
			for sent.Load() < size {
				if _, err := c.Write(block); err != nil {
					wrote <- err
					return
				}
				sent.Add(int64(len(block)))
			}
			wrote <- c.(*net.TCPConn).CloseWrite()
		}()
		last := int64(-1)
		oracle.WaitFor(t, "the writer is stopped", func() bool {
			before := last
			time.Sleep(20 * time.Millisecond)
			last = sent.Load()
			return last == before && last > 0
		})
		if last >= size || got.Load() != 1 {
			t.Fatalf("no back-pressure: %d bytes sent, %d handled", last, got.Load())
		}
		// Pausing and resuming in quick succession loses nothing.
		for range 200 {
			on(r, func() { server.Load().ResumeRead() })
			on(r, func() { server.Load().PauseRead() })
		}
		on(r, func() { server.Load().ResumeRead() })
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		oracle.WaitFor(t, "all is handled", func() bool { return got.Load() == sent.Load()+1 })
		if want := uint64(sent.Load())/4*10 + 1; sum.Load() != want {
			t.Errorf("sum %d, want %d", sum.Load(), want)
		}
		oracle.WaitFor(t, "the end is noticed", func() bool { return s.NumConns() == 0 })
	})
}

// TestPostWakes posts to reactors that would sleep for an hour.
func TestPostWakes(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 2, &funcs{})
		for range 200 {
			for _, r := range s.Reactors() {
				on(r, func() {})
			}
		}
		const posters, each = 8, 5000
		for _, r := range s.Reactors() {
			var wg sync.WaitGroup
			var wrong atomic.Int32
			var ran atomic.Int64
			for range posters {
				wg.Go(func() {
					last := -1
					for i := range each {
						r.Post(func() {
							if i != last+1 {
								wrong.Add(1)
							}
							last = i
							ran.Add(1)
						})
					}
				})
			}
			wg.Wait()
			oracle.WaitFor(t, "all ran", func() bool { return ran.Load() == posters*each })
			if wrong.Load() > 0 {
				t.Errorf("%d posts ran out of order", wrong.Load())
			}
		}
	})
}

// TestPostFromReactor posts from callbacks, to the own and to another reactor, and writes to other conns.
func TestPostFromReactor(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var s server
		broadcast := func(r *Reactor, message string) {
			r.Conns(func(c *Conn) bool {
				_, _ = c.Write([]byte(message))
				return true
			})
		}
		h := &funcs{data: func(c *Conn, in []byte) {
			message := string(in)
			for _, r := range s.Reactors() {
				r.Post(func() { broadcast(r, message) })
			}
		}}
		s = startQuiet(t, Options{Engine: engine, Reactors: 3}, h)
		addr, err := s.Listen("tcp", "127.0.0.1:0", 0)
		if err != nil {
			t.Fatal(err)
		}
		var conns []net.Conn
		for range 9 {
			conns = append(conns, dial(t, addr))
		}
		oracle.WaitFor(t, "all are accepted", func() bool { return s.NumConns() == len(conns) })
		for _, r := range s.Reactors() {
			on(r, func() {}) // those handed over have arrived
		}
		for i, c := range conns {
			message := fmt.Sprintf("message %d;", i)
			if _, err := io.WriteString(c, message); err != nil {
				t.Fatal(err)
			}
			for _, c := range conns {
				expect(t, c, message)
			}
		}
	})
}

// TestSendNow sends some of what it is given at once, and nothing before what is pending or held.
func TestSendNow(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // more than most kernels take
		h := &funcs{data: func(c *Conn, b []byte) {
			if string(b) == "held" {
				c.HoldOut()
				if n := c.SendNow(b); n != 0 {
					t.Errorf("%d bytes were sent while output is held", n)
				}
				c.ReleaseOut()
			}
			n := c.SendNow(large)
			if n == 0 {
				t.Error("nothing was sent at once")
			}
			c.Write(large[n:])
			c.Write([]byte("the "))
			if n := c.SendNow([]byte("too early")); n != 0 {
				t.Errorf("%d bytes were sent before what is pending", n)
			}
			c.Write([]byte("end"))
		}}
		s := start(t, engine, 1, h)
		for _, how := range []string{"free", "held"} {
			ask(t, s.dial(t), how, string(large)+"the end")
		}
	})
}

func TestUnixSocket(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var remote, local atomic.Value
		s := startQuiet(t, Options{Engine: engine, Reactors: 2}, &funcs{opened: func(c *Conn) {
			remote.Store(c.RemoteAddr())
			local.Store(c.LocalAddr())
		}})
		path := filepath.Join(t.TempDir(), "s")
		for range 2 { // the second replaces what is left of the first
			addr, err := s.Listen("unix", path, 0o700)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Fatalf("mode %v, error %v", info.Mode(), err)
			}
			for range 4 {
				ask(t, dial(t, addr), "hello", "hello")
			}
			if remote.Load() != path+":0" || local.Load() != path+":0" {
				t.Errorf("addresses %v and %v", remote.Load(), local.Load())
			}
			if a, b := s.Reactors()[0].NumConns(), s.Reactors()[1].NumConns(); a != b {
				t.Errorf("uneven: %d and %d", a, b)
			}
			if err := s.Unlisten(addr); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("the socket file is left: %v", err)
			}
		}
	})
}

// hosts returns the loopback addresses of this machine, which may do without IPv6.
func hosts() []string {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return []string{"127.0.0.1"}
	}
	l.Close()
	return []string{"127.0.0.1", "[::1]"}
}

func TestAddresses(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		type pair struct{ remote, local string }
		got := make(chan pair, 1)
		s := startQuiet(t, Options{Engine: engine, Reactors: 2}, &funcs{opened: func(c *Conn) {
			got <- pair{c.RemoteAddr(), c.LocalAddr()}
		}})
		for _, host := range hosts() {
			addr, err := s.Listen("tcp", host+":0", 0)
			if err != nil {
				t.Fatal(err)
			}
			c := dial(t, addr)
			want := pair{c.LocalAddr().String(), addr.String()}
			if p := <-got; p != want {
				t.Errorf("addresses %v, want %v", p, want)
			}
			ask(t, c, "hello", "hello")
		}
	})
}

func TestListenAndUnlisten(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 3, &funcs{})
		first := s.dial(t)
		ask(t, first, "a", "a")
		second, err := s.Listen("tcp", "127.0.0.1:0", 0)
		if err != nil {
			t.Fatal(err)
		}
		ask(t, dial(t, second), "b", "b")
		// A reactor may do it too, as CONFIG SET port does.
		on(s.Reactors()[1], func() { err = s.Unlisten(s.addr) })
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Unlisten(s.addr); err == nil {
			t.Error("unlistened twice")
		}
		oracle.WaitFor(t, "the port is closed", func() bool {
			c, err := net.Dial("tcp", s.addr.String())
			if err == nil {
				c.Close()
			}
			return errors.Is(err, syscall.ECONNREFUSED)
		})
		ask(t, first, "c", "c")
		var again net.Addr
		oracle.WaitFor(t, "the port can be used again", func() bool { // a client may have got it meanwhile, for a moment
			on(s.Reactors()[2], func() { again, err = s.Listen("tcp", s.addr.String(), 0) })
			if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
				t.Fatal(err)
			}
			return err == nil
		})
		for range 6 {
			ask(t, dial(t, again), "d", "d")
		}
	})
}

// TestPortInUse sees that SO_REUSEPORT does not let two servers share a port unknowingly.
func TestPortInUse(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 2, &funcs{})
		for _, reactors := range []int{1, 2} {
			e, err := New(Options{Engine: engine, Reactors: reactors}, &funcs{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Listen("tcp", s.addr.String(), 0); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("got %v", err)
			}
			e.Stop()
		}
	})
}

func TestListenBeforeStart(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		e, err := New(Options{Engine: engine, Reactors: 2}, &funcs{})
		if err != nil {
			t.Fatal(err)
		}
		addr, err := e.Listen("tcp", "127.0.0.1:0", 0)
		if err != nil {
			t.Fatal(err)
		}
		gone, err := e.Listen("tcp", "127.0.0.1:0", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Unlisten(gone); err != nil {
			t.Fatal(err)
		}
		posted := make(chan struct{})
		e.Reactors()[1].Post(func() { close(posted) })
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		<-posted
		ask(t, dial(t, addr), "x", "x")
		e.Stop()
		e.Stop()
		if err := e.Start(); err == nil {
			t.Error("started again")
		}
		if _, err := e.Listen("tcp", "127.0.0.1:0", 0); err == nil {
			t.Error("listens after Stop")
		}
	})
}

func TestTick(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var ticks, turns atomic.Int64
		var interval atomic.Int64
		interval.Store(int64(5 * time.Millisecond))
		h := &funcs{
			tick:    func(*Reactor) time.Duration { ticks.Add(1); return time.Duration(interval.Load()) },
			turnEnd: func(*Reactor) { turns.Add(1) },
		}
		s := start(t, engine, 1, h)
		oracle.WaitFor(t, "it has ticked", func() bool { return ticks.Load() >= 20 })
		// An idle reactor sleeps as long as it was told.
		interval.Store(int64(time.Hour))
		before := ticks.Load()
		oracle.WaitFor(t, "it ticks no more", func() bool {
			last := before
			time.Sleep(50 * time.Millisecond)
			before = ticks.Load()
			return before == last
		})
		// A busy one ticks all the same.
		c := s.dial(t)
		oracle.WaitFor(t, "it ticks while busy", func() bool {
			ask(t, c, "x", "x")
			return ticks.Load() >= before+5
		})
		if turns.Load() < ticks.Load()-before {
			t.Errorf("%d turns ended", turns.Load())
		}
	})
}

// TestOneTurn: what has arrived on many conns is handled in few turns. (kqueue makes a turn of each.) A busy kernel delivers late
// what has been sent, so it may take more than one attempt.
func TestOneTurn(t *testing.T) {
	if runtime.GOOS != "linux" {
		return
	}
	each(t, func(t *testing.T, engine string) {
		const conns = 50
		var inTurn int
		var most atomic.Int64
		h := &funcs{}
		h.data = func(c *Conn, in []byte) {
			inTurn++
			_, _ = c.Write(in)
		}
		h.turnEnd = func(*Reactor) {
			most.Store(max(most.Load(), int64(inTurn)))
			inTurn = 0
		}
		s := start(t, engine, 1, h)
		clients := make([]net.Conn, conns)
		for i := range clients {
			clients[i] = s.dial(t)
			ask(t, clients[i], "hello", "hello")
		}
		oracle.WaitFor(t, "half of the conns are served in one turn", func() bool { // a kernel's io_uring posts 40 at once
			on(s.Reactors()[0], func() { // who is at work here while they send
				for _, c := range clients {
					if _, err := io.WriteString(c, "again"); err != nil {
						t.Error(err)
					}
				}
			})
			for _, c := range clients {
				expect(t, c, "again")
			}
			return most.Load() >= conns/2
		})
	})
}

// TestIdleCosts looks at the CPU time of a process whose reactor has nothing to do. What earlier tests have left to the collector
// may make a second dearer, but not all of them.
func TestIdleCosts(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1, &funcs{tick: func(*Reactor) time.Duration { return 100 * time.Millisecond }})
		ask(t, s.dial(t), "x", "x")
		oracle.WaitFor(t, "an idle second costs less than 200 ms of CPU", func() bool {
			before := processCPU(t)
			time.Sleep(time.Second)
			return processCPU(t)-before < 200*time.Millisecond
		})
		r := s.Reactors()[0]
		if used := r.CPUTime(); runtime.GOOS == "linux" && engine == EngineURing && used == 0 {
			t.Errorf("the reactor has used %v of CPU", used)
		}
	})
}

func processCPU(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestGreedyClient floods on some conns while another asks and answers.
func TestGreedyClient(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1, &funcs{data: func(c *Conn, in []byte) {
			if in[0] == 'p' {
				_, _ = c.Write(in)
			}
		}})
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 3 {
			c := s.dial(t)
			wg.Go(func() {
				block := make([]byte, 1<<20)
				for {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := c.Write(block); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		c := s.dial(t)
		var worst time.Duration
		for range 300 {
			began := time.Now()
			ask(t, c, "p", "p")
			worst = max(worst, time.Since(began))
		}
		close(stop)
		wg.Wait()
		t.Logf("worst of 300 answers beside three floods: %v", worst)
	})
}

// TestStop leaves nothing behind.
func TestStop(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		cycle := func() {
			var closed atomic.Int32
			e, err := New(Options{Engine: engine, Reactors: 3, CPUs: []int{0}}, &funcs{
				closed: func(_ *Conn, err error) {
					if err != ErrStopped {
						t.Errorf("closed with %v", err)
					}
					closed.Add(1)
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			addr, err := e.Listen("tcp", "127.0.0.1:0", 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Start(); err != nil {
				t.Fatal(err)
			}
			var conns []net.Conn
			for range 10 {
				c, err := net.Dial("tcp", addr.String())
				if err != nil {
					t.Fatal(err)
				}
				ask(t, c, "x", "x")
				conns = append(conns, c)
			}
			e.Stop()
			if closed.Load() != 10 {
				t.Errorf("%d closed", closed.Load())
			}
			for _, c := range conns {
				expectEnd(t, c)
				c.Close()
			}
		}
		cycle()
		goroutines, fds := runtime.NumGoroutine(), countFDs(t)
		threads := countThreads()
		for range 15 {
			cycle()
		}
		oracle.WaitFor(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= goroutines })
		oracle.WaitFor(t, "the descriptors are closed", func() bool { return countFDs(t) <= fds })
		// Go keeps some idle threads, more of them on a busy machine; 45 reactors' would show.
		oracle.WaitFor(t, "the threads are gone", func() bool { return countThreads() <= threads+30 })
	})
}

// TestStopFlushes gives a reader that is slow but reads its replies.
func TestStopFlushes(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		const size = 8 << 20
		asked := make(chan struct{})
		s := start(t, engine, 1, &funcs{data: func(c *Conn, in []byte) {
			_, _ = c.Write(make([]byte, size))
			close(asked)
		}})
		c := s.dial(t)
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		<-asked
		go s.Stop()
		if n, err := io.Copy(io.Discard, c); n != size || err != nil {
			t.Errorf("got %d of %d bytes and %v", n, size, err)
		}
	})
}

// TestStopStuckReader does not wait for one that never reads.
func TestStopStuckReader(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		asked := make(chan struct{})
		var released atomic.Int32
		s := start(t, engine, 1, &funcs{data: func(c *Conn, in []byte) {
			c.WriteRef(make([]byte, 64<<20), func() { released.Add(1) })
			close(asked)
		}})
		c := s.dial(t)
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		<-asked
		began := time.Now()
		s.Stop()
		if took := time.Since(began); took > patience/2 || released.Load() != 1 {
			t.Errorf("stopped after %v with %d releases", took, released.Load())
		}
	})
}

// TestChurn opens and closes many conns, some rudely.
func TestChurn(t *testing.T) {
	const dialers, each1 = 8, 2500
	each(t, func(t *testing.T, engine string) {
		var open, closed atomic.Int64
		s := start(t, engine, 2, &funcs{
			opened: func(*Conn) { open.Add(1) },
			closed: func(*Conn, error) { closed.Add(1) },
		})
		fds := countFDs(t)
		var wg sync.WaitGroup
		for d := range dialers {
			wg.Go(func() {
				buf := make([]byte, 16)
				for i := range each1 {
					c, err := net.DialTimeout("tcp", s.addr.String(), patience)
					if err != nil {
						t.Error(err)
						return
					}
					_ = c.SetDeadline(time.Now().Add(patience))
					// The reset spares the ephemeral ports, too.
					_ = c.(*net.TCPConn).SetLinger(0)
					switch (i + d) % 4 {
					case 0:
					case 1:
						_, _ = c.Write([]byte("unread"))
					default:
						if _, err := c.Write([]byte("ping")); err != nil {
							t.Error(err)
						}
						if _, err := io.ReadFull(c, buf[:4]); err != nil || string(buf[:4]) != "ping" {
							t.Errorf("got %q, %v", buf[:4], err)
						}
					}
					c.Close()
				}
			})
		}
		wg.Wait()
		oracle.WaitFor(t, "all are closed", func() bool { return s.NumConns() == 0 && open.Load() == closed.Load() })
		oracle.WaitFor(t, "the descriptors are closed", func() bool { return countFDs(t) <= fds })
		ask(t, s.dial(t), "still there", "still there")
	})
}

// TestResetStorm resets conns in the middle of large transfers both ways.
func TestResetStorm(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var owed, released atomic.Int64
		s := start(t, engine, 2, &funcs{data: func(c *Conn, in []byte) {
			_, _ = c.Write(in)
			if c.OutPending() < 8<<20 {
				owed.Add(1)
				b := make([]byte, 300_000)
				c.WriteRef(b, func() { released.Add(1); b[0] = 1 })
			}
		}})
		for range 40 {
			var conns []*net.TCPConn
			for range 10 {
				c := s.dial(t).(*net.TCPConn)
				_ = c.SetLinger(0)
				_, _ = c.Write(make([]byte, 100_000))
				conns = append(conns, c)
			}
			_, _ = io.CopyN(io.Discard, conns[0], 50_000)
			for _, c := range conns {
				c.Close()
			}
		}
		oracle.WaitFor(t, "all are closed", func() bool { return s.NumConns() == 0 })
		oracle.WaitFor(t, "all is released", func() bool { return owed.Load() == released.Load() })
		ask(t, s.dial(t), "y", "y")
	})
}

// TestCloseInEveryCallback closes conns from wherever a handler can.
func TestCloseInEveryCallback(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		var closed atomic.Int64
		victims := map[*Conn]bool{}
		var n int
		s := start(t, engine, 1, &funcs{
			opened: func(c *Conn) {
				if n++; n%5 == 0 {
					c.Close(nil)
				}
				victims[c] = true
			},
			data: func(c *Conn, in []byte) {
				_, _ = c.Write(in)
				if n++; n%3 == 0 {
					c.Close(nil)
				}
			},
			turnEnd: func(r *Reactor) {
				n++
				for c := range victims {
					if n%7 == 0 {
						c.Close(nil)
					}
					delete(victims, c)
					break
				}
			},
			closed: func(c *Conn, _ error) {
				delete(victims, c)
				closed.Add(1)
				_, _ = c.Write([]byte("too late"))
				for o := range victims {
					if n%11 == 0 {
						o.Close(nil)
					}
					break
				}
			},
		})
		const conns = 400
		for range conns {
			c := s.dial(t)
			_, _ = c.Write([]byte("xyz"))
			_, _ = io.CopyN(io.Discard, c, 1)
			c.Close()
		}
		oracle.WaitFor(t, "all are closed", func() bool { return closed.Load() == conns })
	})
}

func countFDs(t testing.TB) int {
	dir := "/proc/self/fd"
	if runtime.GOOS != "linux" {
		dir = "/dev/fd"
	}
	d, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

// countThreads is 0 where the system does not tell.
func countThreads() int {
	d, _ := os.ReadDir("/proc/self/task")
	return len(d)
}
