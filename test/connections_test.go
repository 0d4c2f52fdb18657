package test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// dialFrom connects from and to the given addresses.
func dialFrom(t *testing.T, local, remote string, port int) *oracle.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}
	c, err := d.Dial("tcp", net.JoinHostPort(remote, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return oracle.NewConn(c)
}

// TestProtectedMode connects from 127.0.0.2, which is not "the loopback interface" to redis.
func TestProtectedMode(t *testing.T) {
	const denied = "-DENIED Redis is running in protected mode because protected mode is enabled"
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--bind", "*")
		admin := srv.Dial(t)
		ping := func() string {
			reply, err := dialFrom(t, "127.0.0.2", "127.0.0.1", srv.Port).Do("PING")
			if err != nil {
				t.Fatalf("PING: %q, %v", reply, err)
			}
			return string(reply)
		}
		if got := ping(); !strings.HasPrefix(got, denied) || !strings.HasSuffix(got, "\r\n") {
			t.Errorf("without a password: %q", got)
		}
		admin.Do("CONFIG", "SET", "requirepass", "secret")
		if got := ping(); got != "-NOAUTH Authentication required.\r\n" {
			t.Errorf("with a password: %q", got)
		}
		admin.Do("CONFIG", "SET", "requirepass", "", "protected-mode", "no")
		if got := ping(); got != "+PONG\r\n" {
			t.Errorf("unprotected: %q", got)
		}
	})
}

// TestProtectedModeText compares the whole text with redis-server's.
func TestProtectedModeText(t *testing.T) {
	var want string
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--bind", "*")
		c := oracle.NewConn(dialFrom(t, "127.0.0.2", "127.0.0.1", srv.Port).Conn)
		reply, err := c.Reply()
		if err != nil {
			t.Fatal(err)
		}
		if s.isRedis() {
			want = string(reply)
		}
		if string(reply) != want {
			t.Errorf("got %q, want %q", reply, want)
		}
	})
}

func TestUnixSocket(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, nil, 0o600); err != nil { // a file that is left over is replaced
			t.Fatal(err)
		}
		srv := s.start(t, "--port", "0", "--unixsocket", path, "--unixsocketperm", "750")
		c := srv.Dial(t)
		c.Do("SET", "k", "v")
		if got := c.Do("CLIENT", "INFO"); !strings.Contains(got, "addr="+path+":0") {
			t.Errorf("CLIENT INFO: %q", got)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != os.ModeSocket|0o750 {
			t.Errorf("mode %v", info.Mode())
		}
		srv.Stop(t)
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the socket is left over: %v", err)
		}
	})
}

// TestUnixAndTCP serves both at once.
func TestUnixAndTCP(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "s")
		srv := s.start(t, "--unixsocket", path)
		srv.Dial(t).Do("SET", "k", "v")
		c, err := oracle.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if reply, err := c.Do("GET", "k"); err != nil || string(reply) != "$1\r\nv\r\n" {
			t.Errorf("%q, %v", reply, err)
		}
	})
}

func TestBind(t *testing.T) {
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Logf("no IPv6 here: %v", err)
		return
	} else {
		l.Close()
	}
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--bind", "127.0.0.1", "::1", "-192.0.2.1")
		for _, addr := range []string{"127.0.0.1", "::1"} {
			c, err := oracle.Dial("tcp", net.JoinHostPort(addr, strconv.Itoa(srv.Port)))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if reply, err := c.Do("CLIENT", "INFO"); err != nil || !strings.Contains(string(reply), "laddr="+wireAddr(addr, srv.Port)+" ") {
				t.Errorf("%s: %q, %v", addr, reply, err)
			}
		}
	})
}

// wireAddr is how CLIENT LIST writes an address.
func wireAddr(ip string, port int) string {
	if strings.Contains(ip, ":") {
		return fmt.Sprintf("[%s]:%d", ip, port)
	}
	return fmt.Sprintf("%s:%d", ip, port)
}

// TestBindFails starts on an address that this machine does not have.
func TestBindFails(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		port, err := oracle.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		srv := s.spawn(t, "--bind", "192.0.2.1", "--port", strconv.Itoa(port), "--save", "")
		if code := srv.Wait(t); code != 1 {
			t.Errorf("exit status %d", code)
		}
		if !strings.Contains(srv.Log(), "Failed listening on port") {
			t.Error(srv.Log())
		}
	})
}

// TestPortTaken starts two servers on one port. The second must not look as if it had started.
func TestPortTaken(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		first := s.start(t)
		second := s.spawn(t, "--bind", "127.0.0.1", "--port", strconv.Itoa(first.Port), "--save", "")
		if code := second.Wait(t); code != 1 {
			t.Errorf("exit status %d", code)
		}
		if log := second.Log(); !strings.Contains(log, "already in use") || !strings.Contains(log, "Failed listening on port") || strings.Contains(log, " PID: ") {
			t.Error(log)
		}
		checkAlive(t, first)
	})
}

// TestNewPort moves a running server to another port.
func TestNewPort(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		old := srv.Dial(t)
		port := 0
		oracle.WaitFor(t, "a port that nobody else takes", func() bool {
			var err error
			if port, err = oracle.FreePort(); err != nil {
				t.Fatal(err)
			}
			return old.Do("CONFIG", "SET", "port", strconv.Itoa(port)) == "+OK\r\n"
		})
		oracle.WaitFor(t, "the new port", func() bool {
			c, err := oracle.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		if got := old.Do("PING"); got != "+PONG\r\n" {
			t.Errorf("the old connection: %q", got)
		}
		oracle.WaitFor(t, "the old port to close", func() bool {
			c, err := oracle.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", srv.Port))
			if err == nil {
				c.Close()
			}
			return err != nil
		})
	})
}

// TestUnauthenticated compares what a client gets before and after it has given the password.
func TestUnauthenticated(t *testing.T) {
	redis, shoal := oracle.Redis(t, "--requirepass", "secret").Dial(t), oracle.Shoal(t, "--requirepass", "secret").Dial(t)
	for _, line := range []string{"GET a", "NOSUCH", "GET", "MULTI", "HELLO 3", "HELLO 9", "HELLO 2 AUTH default wrong", "AUTH wrong", "AUTH nobody secret",
		"SUBSCRIBE c", "CLIENT ID x", "AUTH secret", "GET a", "RESET", "GET a", "QUIT"} {
		args := strings.Fields(line)
		if want, got := redis.Do(args...), shoal.Do(args...); got != want {
			t.Errorf("%s: %q, in Redis %q", line, got, want)
		}
	}
}

// TestIdleTimeout closes clients that have been silent for too long, as this one may have been before it spoke.
func TestIdleTimeout(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--timeout", "1")
		c := srv.Dial(t)
		_ = c.Conn.SendRaw([]byte("PING\r\n"))
		if got := c.ReadAll(); got != "+PONG\r\n" && got != "" {
			t.Errorf("got %q", got)
		}
		oracle.WaitFor(t, "PONG", func() bool {
			reply, err := srv.Dial(t).Conn.Do("PING")
			return err == nil && string(reply) == "+PONG\r\n"
		})
	})
}

// TestRestart starts a server on the port of one that has just closed connections itself: the kernel still remembers them.
func TestRestart(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		first := s.start(t)
		for range 20 {
			c := first.Dial(t)
			c.Do("QUIT")
			c.ReadAll()
		}
		first.Dial(t).Do("PING")
		first.Stop(t)
		second := s.spawn(t, "--bind", "127.0.0.1", "--port", strconv.Itoa(first.Port), "--save", "")
		second.WaitLog(t, "eady to accept connections")
		checkAlive(t, second)
	})
}
