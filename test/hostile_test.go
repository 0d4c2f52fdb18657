package test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// Clients that ask for as much as they can: each gets an error, is closed, or is served, and meanwhile others are.

// whileOthersWork runs f, and at the same time PING, SET and GET of another client, which all have to be answered: each
// within the timeout of a reply, and some while f runs, unless that is over at once.
func whileOthersWork(t *testing.T, srv *oracle.Server, f func()) {
	t.Helper()
	stop, done := make(chan struct{}), make(chan int, 1)
	other := srv.Dial(t)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				done <- n
				return
			default:
			}
			text := strconv.Itoa(n)
			for _, x := range []struct {
				args []string
				want string
			}{{[]string{"SET", "others", text}, "+OK\r\n"}, {[]string{"GET", "others"}, bulk(text)}, {[]string{"PING"}, "+PONG\r\n"}} {
				if got, err := other.Conn.Do(x.args...); err != nil || string(got) != x.want {
					t.Errorf("%q: %q, %v", x.args, got, err)
					done <- n
					return
				}
			}
		}
	}()
	begin := time.Now()
	f()
	took := time.Since(begin)
	close(stop)
	if n := <-done; n == 0 && took > 10*time.Second {
		t.Errorf("nobody else was served for %v", took)
	}
}

// hostile starts a server with two reactors and little memory for clients that it looks after, on each engine.
func hostile(t *testing.T, f func(t *testing.T, srv *oracle.Server), args ...string) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := subject{"engine=" + engine, oracle.ShoalPath(t), []string{"--net-engine", engine, "--reactors", "2"}}
		srv := s.start(t, args...)
		f(t, srv)
		checkAlive(t, srv)
	})
}

// flood sends the same command n times and counts the replies until the connection ends, or last replies are there.
func flood(t *testing.T, c *oracle.Client, n int, command string) (replies int) {
	t.Helper()
	go func() {
		chunk := strings.Repeat(command, 1000)
		for range n / 1000 {
			if c.Conn.SendRaw([]byte(chunk)) != nil {
				return // closed, as the count of replies shows
			}
		}
	}()
	for range n {
		if _, err := c.Conn.Reply(); err != nil {
			break
		}
		replies++
	}
	return replies
}

// TestHostileQueue queues commands without end.
func TestHostileQueue(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		whileOthersWork(t, srv, func() {
			c := srv.Dial(t)
			c.Do("MULTI")
			const n = 300_000
			if got := flood(t, c, n, "SET k v\r\n"); got != n {
				t.Fatalf("%d replies", got)
			}
			if got := c.Do("DISCARD"); got != "+OK\r\n" {
				t.Errorf("DISCARD: %q", got)
			}
			c.Do("MULTI")
			flood(t, c, 50_000, "INCR n\r\n")
			c.Send("EXEC")
			reply := c.Reply()
			if !strings.HasPrefix(reply, "*50000\r\n:1\r\n:2\r\n") || !strings.HasSuffix(reply, ":50000\r\n") {
				t.Errorf("EXEC: %.40q", reply)
			}
		})
	})
}

// TestHostileWatch watches a million keys and disconnects.
func TestHostileWatch(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		whileOthersWork(t, srv, func() {
			for round := range 2 {
				c := srv.Dial(t)
				for batch := range 100 {
					args := []string{"WATCH"}
					for i := range 5000 {
						args = append(args, fmt.Sprintf("key:%d:%d", batch, i))
					}
					if got := c.Do(args...); got != "+OK\r\n" {
						t.Fatalf("WATCH: %q", got)
					}
				}
				if round == 0 {
					c.Do("UNWATCH")
				}
				c.Close()
			}
		})
		waitClients(t, srv, 2)
	})
}

// hostileScripts never end, or want all memory or stack there is. None may bring the server down: each ends by an
// error, or can be killed.
var hostileScripts = map[string]string{
	"recursion":  "local function f() return 1 + f() end return f()",
	"tail calls": "local function f() return f() end return f()",
	"loop":       "while true do end",
	"string":     "local s = 'x' while true do s = s .. s end",
	"repeat":     "return string.rep('x', 1e10)",
	"table":      "local t = {} while true do t[#t+1] = {} end",
	"pcall loop": "while true do pcall(error, 'x') end",
	"closures":   "local function f() return pcall(f) end return f()",
	"nested":     "local t = {} for i = 1, 1e6 do t = {t} end return t",
	"self":       "local t = {} t[1] = t return t",
	"pattern":    "return string.find(string.rep('a', 30000), string.rep('a-', 3000) .. 'b')",
	"gsub":       "return string.gsub(string.rep('a', 1e6), 'a', string.rep('b', 1e6))",
	"concat":     "local t = {} for i = 1, 1e6 do t[i] = string.rep('x', 1e5) end return table.concat(t)",
	"unpack":     "return unpack({}, 1, 1e8)",
	"json":       "return cjson.encode(string.rep('x', 1e9))",
	"decode":     "return cjson.decode(string.rep('[', 1e6))",
	"calls":      "while true do redis.call('ping') end",
}

// endless are the scripts that want nothing but time.
var endless = []string{"loop", "pcall loop", "tail calls", "calls", "pattern"}

// patience is how long a script may run until it meets a limit. Then it is killed.
const patience = 3 * time.Second

// TestHostileScripts runs them with a short lua-time-limit. Somebody else kills those that run for ever, or for long.
func TestHostileScripts(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		killer := srv.Dial(t)
		killer.Do("CONFIG", "SET", "lua-time-limit", "100")
		for name, text := range hostileScripts {
			t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
				c := srv.Dial(t)
				c.Send("EVAL", text, "0")
				answered := make(chan string, 1)
				go func() {
					raw, err := c.Conn.Reply()
					if err != nil {
						answered <- "no reply: " + err.Error()
						return
					}
					answered <- string(raw[:min(len(raw), 200)])
				}()
				var reply string
				begin := time.Now()
				oracle.WaitFor(t, "the end of the script", func() bool {
					select {
					case reply = <-answered:
						return true
					default:
						if slices.Contains(endless, name) || time.Since(begin) > patience {
							killer.Do("SCRIPT", "KILL")
						}
						return false
					}
				})
				t.Logf("%.200q", reply)
				if strings.HasPrefix(reply, "no reply") {
					t.Error(reply)
				}
				oracle.WaitFor(t, "PONG", func() bool { return killer.Do("PING") == "+PONG\r\n" })
				c.Close()
			})
		}
	})
}

// TestHostilePatterns matches with patterns that naive matchers take exponential time for.
func TestHostilePatterns(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		bomb := strings.Repeat("a*", 100) + "b"
		name := strings.Repeat("a", 2000)
		c := srv.Dial(t)
		for i := range 20 {
			c.Do("SET", name+strconv.Itoa(i), "x")
			c.Do("SADD", "set", name+strconv.Itoa(i))
		}
		whileOthersWork(t, srv, func() {
			if got := c.Do("KEYS", bomb); got != "*0\r\n" {
				t.Errorf("KEYS: %.100q", got)
			}
			if got := c.Do("SCAN", "0", "MATCH", bomb, "COUNT", "1000"); !strings.HasSuffix(got, "*0\r\n") {
				t.Errorf("SCAN: %.100q", got)
			}
			if got := c.Do("SSCAN", "set", "0", "MATCH", bomb, "COUNT", "1000"); !strings.HasSuffix(got, "*0\r\n") {
				t.Errorf("SSCAN: %.100q", got)
			}
			s := srv.Dial(t)
			for i := range 50 {
				if got := s.Do("PSUBSCRIBE", bomb+strconv.Itoa(i)); !strings.HasPrefix(got, "*3\r\n") {
					t.Errorf("PSUBSCRIBE: %.100q", got)
				}
			}
			for range 20 {
				if got := c.Do("PUBLISH", name, "x"); got != ":0\r\n" {
					t.Errorf("PUBLISH: %q", got)
				}
			}
		})
	})
}

// TestHostileSubscriptions subscribes to channels and patterns without end, and disconnects.
func TestHostileSubscriptions(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		whileOthersWork(t, srv, func() {
			for _, word := range []string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"} {
				c := srv.Dial(t)
				const batches, each = 20, 2000
				go func() {
					for b := range batches {
						args := []string{word}
						for i := range each {
							args = append(args, fmt.Sprintf("ch:%d:%d", b, i))
						}
						if c.Conn.Send(args...) != nil {
							return
						}
					}
				}()
				for i := range batches * each {
					if got := c.Reply(); !strings.HasSuffix(got, fmt.Sprintf(":%d\r\n", i+1)) {
						t.Fatalf("%s %d: %q", word, i, got)
					}
				}
				c.Close()
			}
		})
		waitClients(t, srv, 2)
		c := srv.Dial(t)
		oracle.WaitFor(t, "the subscriptions to end", func() bool {
			return c.Do("PUBSUB", "CHANNELS") == "*0\r\n" && c.Do("PUBSUB", "NUMPAT") == ":0\r\n"
		})
	})
}

// TestHostileSubscriber never reads what it has subscribed to: it is closed.
func TestHostileSubscriber(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		c := srv.Dial(t)
		c.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 4mb 0 0")
		whileOthersWork(t, srv, func() {
			sub := srv.Dial(t)
			sub.Do("SUBSCRIBE", "ch")
			message := strings.Repeat("x", 100_000)
			oracle.WaitFor(t, "the subscriber to be closed", func() bool {
				for range 50 {
					if c.Do("PUBLISH", "ch", message) == ":0\r\n" {
						return true
					}
				}
				return false
			})
			_, _ = io.Copy(io.Discard, sub.Conn.Conn.(*net.TCPConn)) // what was under way, until the end
		})
		srv.WaitLog(t, "output buffer limits")
	})
}

// TestHostileTracking lets the server remember ever more keys and prefixes: there are never more than
// tracking-table-max-keys, and nothing is left of a client that disconnects.
func TestHostileTracking(t *testing.T) {
	const limit = 10_000
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		control := srv.Dial(t)
		whileOthersWork(t, srv, func() {
			c := srv.Dial(t)
			c.Do("CLIENT", "TRACKING", "ON")
			for batch := range 100 {
				args := []string{"MGET"}
				for i := range 5000 {
					args = append(args, fmt.Sprintf("key:%d:%d", batch, i))
				}
				c.Do(args...)
				if n := control.InfoInt("stats", "tracking_total_keys"); n > limit+100 {
					t.Fatalf("%d keys are tracked", n)
				}
			}
			b := srv.Dial(t)
			args := []string{"CLIENT", "TRACKING", "ON", "BCAST"}
			for i := range 50_000 {
				args = append(args, "PREFIX", fmt.Sprintf("%d:", i))
			}
			if got := b.Do(args...); got != "+OK\r\n" {
				t.Errorf("CLIENT TRACKING: %.100q", got)
			}
			if got := b.Do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "777:x"); !strings.HasPrefix(got, "-ERR Prefix") {
				t.Errorf("CLIENT TRACKING: %.100q", got)
			}
			c.Close()
			b.Close()
		})
		oracle.WaitFor(t, "nothing to be left", func() bool {
			info := control.Info("everything")
			for _, name := range []string{"tracking_clients", "tracking_total_keys", "tracking_total_items", "tracking_total_prefixes"} {
				if info[name] != "0" {
					return false
				}
			}
			return true
		})
	}, "--tracking-table-max-keys", strconv.Itoa(limit))
}
