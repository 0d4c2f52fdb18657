package oracle

import (
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestRedis(t *testing.T) {
	s := Redis(t)
	c := s.Dial(t)
	f := func(want string, args ...string) {
		t.Helper()
		if got := c.Do(args...); got != want {
			t.Errorf("%q: got %q, want %q", args, got, want)
		}
	}
	f("+PONG\r\n", "PING")
	f("+OK\r\n", "SET", "k", "a\r\nb")
	f("$4\r\na\r\nb\r\n", "GET", "k")
	f("*2\r\n$-1\r\n$4\r\na\r\nb\r\n", "MGET", "x", "k")
	f("-ERR unknown command 'nosuch', with args beginning with: \r\n", "nosuch")
	c.Do("HELLO", "3")
	f("_\r\n", "GET", "x")
	f("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$39\r\nSome real reply following the attribute\r\n", "DEBUG", "PROTOCOL", "attrib")
	f("%3\r\n:0\r\n#f\r\n:1\r\n#t\r\n:2\r\n#f\r\n", "DEBUG", "PROTOCOL", "map")

	c.SendRaw("*1\r\n$x\r\n")
	if got := c.ReadAll(); got != "-ERR Protocol error: invalid bulk length\r\n" {
		t.Errorf("got %q", got)
	}
	s.WaitLog(t, "Ready to accept connections")
	s.Stop(t)
	if !strings.Contains(s.Log(), "bye bye") {
		t.Error(s.Log())
	}
}

func TestPortTaken(t *testing.T) {
	s := Redis(t)
	_, err := Start(Need(t), t.TempDir(), "--port", s.arg("port"))
	if err == nil || !strings.Contains(err.Error(), "already in use") {
		t.Errorf("got %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	s := Redis(t, "--port", "0", "--unixsocket", t.TempDir()+"/s")
	if got := s.Dial(t).Do("PING"); got != "+PONG\r\n" {
		t.Errorf("got %q", got)
	}
}
