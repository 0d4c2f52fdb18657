package netio

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childEngine makes the test binary a small server instead: see serveChild.
const childEngine = "NETIO_TEST_CHILD_ENGINE"

func TestMain(m *testing.M) {
	if engine := os.Getenv(childEngine); engine != "" {
		serveChild(engine)
		return
	}
	os.Exit(m.Run())
}

// serveChild echoes with few descriptors, until its standard input ends. It prints its address, then its log.
func serveChild(engine string) {
	out := func(a ...any) { fmt.Println(a...) }
	limit := syscall.Rlimit{Cur: 60, Max: 60}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		out(err)
		return
	}
	e, err := New(Options{
		Engine: engine, Reactors: 2,
		Logf: func(_ int, format string, a ...any) { out(fmt.Sprintf(format, a...)) },
	}, &funcs{})
	if err != nil {
		out(err)
		return
	}
	addr, err := e.Listen("tcp", "127.0.0.1:0", 0)
	if err != nil {
		out(err)
		return
	}
	if err := e.Start(); err != nil {
		out(err)
		return
	}
	out(addr)
	_, _ = os.Stdin.Read(make([]byte, 1))
	e.Stop()
	out("stopped")
}

// TestDescriptorExhaustion connects more clients than the server has descriptors for.
func TestDescriptorExhaustion(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		begun := time.Now()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEngine+"="+engine)
		stdin, _ := cmd.StdinPipe()
		stdout, _ := cmd.StdoutPipe()
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		lines := bufio.NewScanner(stdout)
		lines.Scan()
		addr, err := net.ResolveTCPAddr("tcp", lines.Text())
		if err != nil {
			t.Fatalf("the server says %q", lines.Text())
		}
		early := dial(t, addr)
		ask(t, early, "early", "early")
		var late []net.Conn // the kernel accepts them all, the server cannot
		for range 100 {
			late = append(late, dial(t, addr))
		}
		lines.Scan()
		if !strings.Contains(lines.Text(), "too many open files") {
			t.Fatalf("the server says %q", lines.Text())
		}
		for range 50 {
			ask(t, early, "served", "served")
		}
		// Whoever is let in is served, and leaves a place for another.
		// They are let in in no certain order: each listener has a queue of its own.
		served := make(chan string, len(late))
		for _, c := range late {
			go func() {
				defer c.Close()
				_, _ = io.WriteString(c, "at last")
				got := make([]byte, len("at last"))
				n, err := io.ReadFull(c, got)
				served <- fmt.Sprintf("%s, %v", got[:n], err)
			}()
		}
		for range late {
			if got := <-served; got != "at last, <nil>" {
				t.Fatalf("who waited to be let in got %q", got)
			}
		}
		ask(t, dial(t, addr), "new", "new")
		ask(t, early, "early", "early")
		stdin.Close()
		n := 0
		for lines.Scan() && lines.Text() != "stopped" {
			n++
		}
		took := time.Since(begun) // a line a second and reactor
		if lines.Text() != "stopped" || n > 40+2*int(took.Seconds()) {
			t.Errorf("the server ends with %q after %d lines in %v", lines.Text(), n, took)
		}
	})
}

// TestNoAllocation lets conns ask and answer, singly and by pipelines, and counts allocations.
func TestNoAllocation(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 1, &funcs{})
		message := make([]byte, 20_000)
		got := make([]byte, len(message))
		conns := make([]net.Conn, 10)
		for i := range conns {
			conns[i] = s.dial(t)
		}
		round := func(n int) {
			for _, c := range conns {
				_, _ = c.Write(message[:n])
			}
			for _, c := range conns {
				for m := 0; m < n; {
					k, err := c.Read(got)
					if err != nil {
						t.Fatal(err)
					}
					m += k
				}
			}
		}
		for _, size := range []int{1, 1000, 20_000} {
			for range 200 {
				round(size)
			}
			const rounds = 500
			least := ^uint64(0) // of attempts: the runtime allocates as well, now and then
			for range 5 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for range rounds {
					round(size)
				}
				runtime.ReadMemStats(&after)
				if least = min(least, after.Mallocs-before.Mallocs); least <= rounds*uint64(len(conns))/50 {
					break
				}
			}
			t.Logf("%d allocations in %d round trips of %d bytes", least, rounds*len(conns), size)
			if least > rounds*uint64(len(conns))/50 {
				t.Errorf("%d allocations in %d round trips of %d bytes", least, rounds*len(conns), size)
			}
		}
	})
}

// TestIdleConnMemory looks at what an idle conn that has talked costs on the Go heap. The clients are bare sockets, which
// cost nothing there.
func TestIdleConnMemory(t *testing.T) {
	const n = 2000
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, 2, &funcs{})
		port := s.addr.(*net.TCPAddr).Port
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := heap()
		for range n {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
			if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
				t.Fatal(err)
			}
			var buf [5]byte
			if _, err := unix.Write(fd, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if m, err := unix.Read(fd, buf[:]); m != 5 || err != nil {
				t.Fatal(m, err)
			}
		}
		perConn := (heap() - before) / n
		t.Logf("%d bytes of heap per idle conn", perConn)
		if perConn > 1024 {
			t.Errorf("%d bytes of heap per idle conn", perConn)
		}
	})
}
