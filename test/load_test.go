package test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// rssKB returns the resident memory of a process.
func rssKB(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestIdleConnections opens 10,000 connections, or as many as the limit of open files allows, and reports what one costs.
func TestIdleConnections(t *testing.T) {
	const wanted = 10000
	n := wanted
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if spare := 200; int(limit.Max) < wanted+spare {
		n = int(limit.Max) - spare
		t.Logf("the limit of open files is %d: only %d connections", limit.Max, n)
	}
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--maxclients", strconv.Itoa(n+10))
		srv.Dial(t).Do("PING")
		before := rssKB(t, srv.Pid)
		conns := make([]*oracle.Client, n)
		for i := range conns {
			conns[i] = srv.Dial(t)
			if got := conns[i].Do("PING"); got != "+PONG\r\n" {
				t.Fatalf("connection %d: %q", i, got)
			}
		}
		t.Logf("%d idle connections that have sent a PING: %.1f KB each", n, float64(rssKB(t, srv.Pid)-before)/float64(n))
		for i := 0; i < n; i += 97 {
			if got := conns[i].Do("ECHO", strconv.Itoa(i)); !strings.Contains(got, strconv.Itoa(i)) {
				t.Fatalf("connection %d: %q", i, got)
			}
		}
		for _, c := range conns {
			c.Close()
		}
		waitClients(t, srv, 2)
	})
}

// TestLargeValue writes and reads a value of 512 MB, the largest there may be, while another client measures PING.
func TestLargeValue(t *testing.T) {
	const size = 512 << 20
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		worst := pingWhile(t, srv, func() {
			c := srv.Dial(t)
			c.SendRaw(fmt.Sprintf("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$%d\r\n", size))
			chunk := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
			for range size / len(chunk) {
				c.SendRaw(string(chunk))
			}
			c.SendRaw("\r\n")
			if got := c.Reply(); got != "+OK\r\n" {
				t.Errorf("SET: %q", got)
			}
		})
		t.Logf("writing 512 MB: the slowest PING took %v", worst)
		worst = pingWhile(t, srv, func() { readLarge(t, srv, size) })
		t.Logf("reading 512 MB: the slowest PING took %v", worst)
		worst = pingWhile(t, srv, func() { srv.Dial(t).Do("DEL", "big") })
		t.Logf("deleting 512 MB: the slowest PING took %v", worst)
	})
}

// readLarge reads the value of the key "big" and checks its length, and its bytes at intervals.
func readLarge(t *testing.T, srv *oracle.Server, size int) {
	c := srv.Dial(t)
	c.Send("GET", "big")
	if err := c.SetReadDeadline(time.Now().Add(2 * oracle.Deadline)); err != nil {
		t.Error(err)
	}
	head := fmt.Sprintf("$%d\r\n", size)
	buf := make([]byte, 1<<20)
	if _, err := io.ReadFull(c.Conn.Conn, buf[:len(head)]); err != nil || string(buf[:len(head)]) != head {
		t.Errorf("GET: %q, %v", buf[:len(head)], err)
		return
	}
	for i := range size / len(buf) {
		if _, err := io.ReadFull(c.Conn.Conn, buf); err != nil || string(buf[16*i%(1<<19):][:16]) != "0123456789abcdef" {
			t.Errorf("MB %d: %q, %v", i, buf[16*i%(1<<19):][:16], err)
			return
		}
	}
}

// cpuTime returns how long a process has been computing.
func cpuTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Error(err)
		return 0
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // from the third on
	var sum time.Duration
	for _, text := range fields[11:13] { // utime and stime
		ticks, err := strconv.Atoi(text)
		if err != nil {
			t.Error(err)
		}
		sum += time.Duration(ticks) * 10 * time.Millisecond
	}
	return sum
}

// pingWhile runs f and returns the slowest PING of another client meanwhile. It is an error only if Shoal has been computing for
// seconds before it answered: how long a PING takes otherwise is a matter of the machine and of what else runs there.
func pingWhile(t *testing.T, srv *oracle.Server, f func()) time.Duration {
	t.Helper()
	const bound = 3 * time.Second
	c := srv.Dial(t)
	var stop atomic.Bool
	worst := make(chan time.Duration)
	go func() {
		var most time.Duration
		for !stop.Load() {
			start, before := time.Now(), cpuTime(t, srv.Pid)
			if reply, err := c.Conn.Do("PING"); err != nil || string(reply) != "+PONG\r\n" {
				t.Errorf("PING: %q, %v", reply, err)
				break
			}
			most = max(most, time.Since(start))
			if computed := cpuTime(t, srv.Pid) - before; computed > bound && filepath.Base(srv.Path) != "redis-server" {
				t.Errorf("a PING took %v, in which the server was computing for %v", time.Since(start), computed)
			}
			time.Sleep(100 * time.Microsecond)
		}
		worst <- most
	}()
	f()
	stop.Store(true)
	return <-worst
}

// TestMaxClients opens one connection too many.
func TestMaxClients(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--maxclients", "10")
		conns := []*oracle.Client{srv.Dial(t)}
		oracle.WaitFor(t, "the harness' own connection to go", func() bool { return conns[0].InfoInt("clients", "connected_clients") == 1 })
		for len(conns) < 10 {
			c := srv.Dial(t)
			if got := c.Do("PING"); got != "+PONG\r\n" {
				t.Fatalf("got %q", got)
			}
			conns = append(conns, c)
		}
		for range 20 {
			if got := srv.Dial(t).ReadAll(); got != "-ERR max number of clients reached\r\n" {
				t.Fatalf("got %q", got)
			}
		}
		if n := conns[0].InfoInt("stats", "rejected_connections"); n != 20 {
			t.Errorf("%d rejected connections", n)
		}
		conns[3].Close()
		oracle.WaitFor(t, "a free place", func() bool {
			c := srv.Dial(t)
			defer c.Close()
			reply, err := c.Conn.Do("PING")
			return err == nil && string(reply) == "+PONG\r\n"
		})
		if got := conns[0].Do("CONFIG", "SET", "maxclients", "20"); got != "+OK\r\n" {
			t.Fatal(got)
		}
		for range 10 {
			if got := srv.Dial(t).Do("PING"); got != "+PONG\r\n" {
				t.Fatalf("got %q", got)
			}
		}
	})
}

// TestManyClients lets 50 clients work on the same keys.
func TestManyClients(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		const clients, rounds = 50, 200
		errs := make(chan error, clients)
		for range clients {
			c := srv.Dial(t)
			go func() { errs <- increment(c.Conn, rounds) }()
		}
		for range clients {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		want := fmt.Sprintf("$5\r\n%d\r\n", clients*rounds)
		if got := srv.Dial(t).Do("MGET", "counter", "other"); got != "*2\r\n"+want+want {
			t.Errorf("got %q", got)
		}
	})
}

// increment counts two keys up in pipelines, and checks that MSETNX and MGET are atomic.
func increment(c *oracle.Conn, rounds int) error {
	for i := range rounds {
		var out []byte
		out = oracle.AppendCommand(out, "INCR", "counter")
		out = oracle.AppendCommand(out, "MSET", "x", strconv.Itoa(i), "y", strconv.Itoa(i))
		out = oracle.AppendCommand(out, "MGET", "x", "y")
		out = oracle.AppendCommand(out, "INCR", "other")
		if err := c.SendRaw(out); err != nil {
			return err
		}
		for j := range 4 {
			reply, err := c.Reply()
			if err != nil || reply[0] == '-' {
				return fmt.Errorf("%q, %w", reply, err)
			}
			if lines := bytes.Split(reply, []byte("\r\n")); j == 2 && !bytes.Equal(lines[2], lines[4]) {
				return fmt.Errorf("MSET is not atomic: %q", reply)
			}
		}
	}
	return nil
}

// TestConnectionChurn opens and closes connections in all ways while others work.
func TestConnectionChurn(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		for i := range 1000 {
			c, err := oracle.Dial(srv.Address())
			if err != nil {
				t.Fatal(err)
			}
			switch i % 5 {
			case 1:
				err = c.Send("PING") // and away
			case 2:
				_, err = c.Do("PING")
			case 3:
				err = c.Conn.(*net.TCPConn).CloseWrite()
			case 4:
				err = c.Conn.(*net.TCPConn).SetLinger(0)
			}
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		}
		waitClients(t, srv, 1)
	})
}
