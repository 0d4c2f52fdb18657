package test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// malformed is what a broken or hostile client may send before it stops sending.
var malformed = []string{
	"", "\r\n", "\n", "\r", "\r\n\r\n\r\n", "PING", "PING\r\n", "PING\n", "PING\r\nPING", "\x00", "\x00\r\n",
	"*", "*\r\n", "*1", "*1\r\n", "*0\r\n", "*-1\r\n", "*-100\r\nPING\r\n", "*1\r\n$", "*1\r\n$4", "*1\r\n$4\r\n", "*1\r\n$4\r\nPI",
	"*1\r\n$4\r\nPING", "*1\r\n$4\r\nPING\r", "*1\r\n$4\r\nPING\r\n", "*1\n$4\nPING\n", "*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
	"*a\r\n", "*1a\r\n", "* 1\r\n", "*+1\r\n", "*1 \r\n", "*1.0\r\n", "*0x1\r\n", "*2147483648\r\n", "*-9223372036854775808\r\n",
	"*9223372036854775807\r\n", "*9223372036854775808\r\n", "*" + strings.Repeat("9", 30) + "\r\n", "*\x00\r\n",
	"*1\r\n\r\n", "*1\r\nPING\r\n", "*1\r\n:1\r\n", "*1\r\n+PING\r\n", "*1\r\n*1\r\n$4\r\nPING\r\n", "*1\r\n\x00",
	"*1\r\n$\r\n", "*1\r\n$a\r\n", "*1\r\n$-1\r\n", "*1\r\n$-5\r\n", "*1\r\n$4a\r\n", "*1\r\n$+4\r\nPING\r\n", "*1\r\n$04\r\nPING\r\n",
	"*1\r\n$536870912\r\n", "*1\r\n$536870913\r\n", "*1\r\n$9223372036854775807\r\n", "*1\r\n$9223372036854775808\r\n", "*1\r\n$ 4\r\nPING\r\n",
	"*2\r\n$4\r\nPING\r\n$x\r\n", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "*1\r\n$0\r\n\r\n", "*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n",
	"*" + strings.Repeat("1", 70000), "*1\r\n$" + strings.Repeat("1", 70000), strings.Repeat("a", 70000),
	strings.Repeat("a", 65535), strings.Repeat("a ", 30000) + "\r\n", strings.Repeat("\r\n", 40000) + "PING\r\n",
	"PING 'a\r\n", "PING \"a\r\n", "PING \"a\"b\r\n", "PING 'a'b\r\n", "PING a'b'\r\n", "PING \"\\x4\"\r\n", "PING \"\\xzz\\n\\q\"\r\n", "PING '\\''\r\n", "\"PING\" 'x y'\r\n",
	"'' ''\r\n", "\t PING \t x \t\r\n", "PING\tx\r\n", "PING\vx\r\n", "PING x\x00y\r\n", "PING\r x\r\n", "PING x\r\r\n",
	"PING\r\n*x\r\nPING\r\n", "*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nPING\r\n", "SET k v\r\nGET k\r\n*bad\r\nSET k w\r\n", "GET k\r\n",
	"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nSET a b\r\n", "GET x\r\nhOsT: y\r\nSET hacked 1\r\n", "EXISTS hacked\r\n",
	"\x16\x04\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "QUIT\r\nPING\r\n", "QUIT extra words\r\n",
	"_\r\n", "+OK\r\n", "-ERR\r\n", ":1\r\n", "$4\r\nPING\r\n", "%1\r\n", "~1\r\n", "#t\r\n", ",1\r\n", "(1\r\n", "=5\r\ntxt:a\r\n", ">1\r\n", "|1\r\n",
}

// TestMalformed sends malformed input to Shoal and redis-server: the bytes that come back until the connection closes must
// be the same.
func TestMalformed(t *testing.T) {
	redis := subjects(t)[0].start(t)
	eachEngine(t, func(t *testing.T, engine string) {
		shoal := sharedShoal(t, "--net-engine", engine)
		for _, input := range malformed {
			compareInput(t, redis, shoal, input)
		}
		checkAlive(t, shoal)
	})
}

// TestRandomBytes does the same with fragments of RESP and random bytes put together.
func TestRandomBytes(t *testing.T) {
	redis := subjects(t)[0].start(t)
	eachEngine(t, func(t *testing.T, engine string) {
		shoal := sharedShoal(t, "--net-engine", engine)
		r := rand.New(rand.NewPCG(streamSeed(t), 0))
		for range 1500 {
			if !compareInput(t, redis, shoal, randomInput(r)) {
				return
			}
		}
		checkAlive(t, shoal)
	})
}

var fragments = []string{
	"\r\n", "\r", "\n", "*", "$", "*1\r\n", "*2\r\n", "$4\r\nPING\r\n", "$1\r\na\r\n", "$0\r\n\r\n", "PING\r\n", "PING ", "\"", "'", "\\", "-1", "1", "0", " ",
	"$4\r\nECHO\r\n", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n", "\x00", "99999999999", "ECHO hello\r\n", ":", "+", "4\r\n", "*1\r\n$4\r\nPING\r\n",
}

func randomInput(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(12) {
		if r.IntN(6) == 0 {
			b.WriteByte(byte(r.IntN(256)))
			continue
		}
		b.WriteString(fragments[r.IntN(len(fragments))])
	}
	return b.String()
}

// compareInput sends input to both servers and compares all that they answer.
func compareInput(t *testing.T, redis, shoal *oracle.Server, input string) bool {
	t.Helper()
	want, got := answers(t, redis, input), answers(t, shoal, input)
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", oracle.Quote(input), oracle.Quote(got), oracle.Quote(want))
	}
	return got == want
}

// answers sends input, stops sending, and returns what comes until the server closes the connection.
func answers(t *testing.T, s *oracle.Server, input string) string {
	t.Helper()
	c := s.Dial(t)
	defer c.Close()
	_ = c.Conn.SendRaw([]byte(input))           // the server may close in the middle
	_ = c.Conn.Conn.(*net.TCPConn).CloseWrite() // or have closed already
	return c.ReadAll()
}

func checkAlive(t *testing.T, s *oracle.Server) {
	t.Helper()
	if got := s.Dial(t).Do("PING"); got != "+PONG\r\n" {
		t.Errorf("PING: %q", got)
	}
}

// TestHalfOpen leaves connections in the middle of a command and breaks others off: nobody else notices.
func TestHalfOpen(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		other := srv.Dial(t)
		command := string(oracle.AppendCommand(nil, "SET", "half", strings.Repeat("x", 100000)))
		for i := range 300 {
			c := srv.Dial(t)
			c.SendRaw(command[:1+i*len(command)/301])
			if i%2 == 0 {
				if err := c.Conn.Conn.(*net.TCPConn).SetLinger(0); err != nil { // RST
					t.Fatal(err)
				}
				c.Close()
			}
			if got := other.Do("EXISTS", "half"); got != ":0\r\n" {
				t.Fatalf("EXISTS: %q", got)
			}
		}
		waitClients(t, srv, 150+1+1)
	})
}

// waitClients waits until INFO tells of n clients, the asking one included.
func waitClients(t *testing.T, srv *oracle.Server, n int) {
	t.Helper()
	c := srv.Dial(t)
	defer c.Close()
	oracle.WaitFor(t, fmt.Sprintf("connected_clients:%d", n), func() bool {
		return strings.Contains(c.Do("INFO", "clients"), fmt.Sprintf("connected_clients:%d\r\n", n))
	})
}

// TestPromisedBulk announces the largest bulk there may be and sends nothing: the server must not set memory aside for it.
func TestPromisedBulk(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		c := srv.Dial(t)
		before := rssKB(t, srv.Pid)
		for range 50 {
			srv.Dial(t).SendRaw("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nabc")
			srv.Dial(t).SendRaw("*1000000\r\n$3\r\nSET\r\n")
		}
		c.Do("PING")
		waitClients(t, srv, 102)
		if grown := rssKB(t, srv.Pid) - before; grown > 64<<10 {
			t.Errorf("100 announcements took %d KB", grown)
		}
	})
}

// TestQueryBufferLimit sends a command larger than client-query-buffer-limit.
func TestQueryBufferLimit(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--client-query-buffer-limit", "1mb")
		c := srv.Dial(t)
		_ = c.Conn.SendRaw([]byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000000\r\n" + strings.Repeat("x", 5<<20))) // may be closed in the middle
		if got := c.ReadAll(); got != "" {
			t.Errorf("got %q", got)
		}
		srv.WaitLog(t, "max query buffer length")
		checkAlive(t, srv)

		// Pipelined small commands are not one large one.
		p := srv.Dial(t)
		go func() { _ = p.Conn.SendRaw([]byte(strings.Repeat("PING\r\n", 250000))) }() // fails if the connection is closed, as Reply shows
		for range 250000 {
			if got := p.Reply(); got != "+PONG\r\n" {
				t.Fatalf("PING: %q", got)
			}
		}
	})
}

// TestNeverReads asks for much and reads nothing: the client is closed at the hard limit, or when it has been over the soft
// limit for its time, and others are served all the while.
func TestNeverReads(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		for _, limit := range []string{"normal 20mb 0 0", "normal 0 10mb 1"} {
			t.Run(strings.ReplaceAll(limit, " ", "_"), func(t *testing.T) {
				srv := s.start(t)
				other := srv.Dial(t)
				if got := other.Do("CONFIG", "SET", "client-output-buffer-limit", limit); got != "+OK\r\n" {
					t.Fatal(got)
				}
				other.Do("SET", "big", strings.Repeat("x", 1<<20))
				c := srv.Dial(t)
				if err := c.Conn.Conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil { // else the kernel may take more than the limit
					t.Fatal(err)
				}
				go func() { _ = c.Conn.SendRaw([]byte(strings.Repeat("GET big\r\n", 60))) }() // may be closed in the middle
				oracle.WaitFor(t, "the client to be closed", func() bool {
					return strings.Contains(other.Do("INFO", "clients"), "connected_clients:1\r\n")
				})
				srv.WaitLog(t, "output buffer limits")
			})
		}
	})
}

// TestSlowReader asks for much and reads slowly: nothing is lost.
func TestSlowReader(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		value := strings.Repeat("0123456789abcdef", 1<<16)
		c := srv.Dial(t)
		c.Do("SET", "big", value)
		go func() { _ = c.Conn.SendRaw([]byte(strings.Repeat("GET big\r\nPING\r\n", 50))) }() // a failure shows in Reply
		other := srv.Dial(t)
		for range 50 {
			other.Do("PING")
			if got := c.Reply(); got != fmt.Sprintf("$%d\r\n%s\r\n", len(value), value) {
				t.Fatalf("GET: %d bytes", len(got))
			}
			if got := c.Reply(); got != "+PONG\r\n" {
				t.Fatalf("PING: %q", got)
			}
		}
	})
}
