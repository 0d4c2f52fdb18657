package server

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

var monitorHead = regexp.MustCompile(`^\+\d+\.\d{6} \[(\d+) (lua|127\.0\.0\.1:\d+|unix:[^\]]*)\] `)

// monitorLines reads n lines of a monitor, without time and port.
func monitorLines(t testing.TB, c *oracle.Client, n int) (lines []string) {
	t.Helper()
	for range n {
		line := strings.TrimSuffix(c.Reply(), "\r\n")
		m := monitorHead.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("bad line %q", line)
		}
		from, _, _ := strings.Cut(m[2], ":")
		lines = append(lines, m[1]+" "+from+" "+line[len(m[0]):])
	}
	return lines
}

// What a monitor sees is what redis-server shows.
func TestMonitorLikeRedis(t *testing.T) {
	script := `SET k "a b\"\\\n\r\t\a\b\x00\xff"
get K
CONFIG SET maxmemory-samples 5
CONFIG GET maxmemory
ACL WHOAMI
ACL SETUSER joe on >secret
AUTH secret
AUTH default secret
HELLO 2 AUTH default secret
NOSUCH
GET
SELECT 3
SET k 1
EVAL "redis.call('set',KEYS[1],2) return redis.pcall('lpush',KEYS[1],3)" 1 k
MULTI
INCR k
NOSUCH2
EXEC
multi
INCR k
GET k
eval "return redis.call('get',KEYS[1])" 1 k
ping
exec
MULTI
CONFIG GET maxmemory
CLIENT ID
exec
LRANGE k 0 1
CLIENT SETNAME me
DEBUG SLEEP 0
MIGRATE 127.0.0.1 1 nosuch 0 10 AUTH2 joe secret
BLPOP nosuch 0.01
INFO nosuch
SELECT 0
ECHO end`
	run := func(srv *oracle.Server) []string {
		m, c := srv.Dial(t), srv.Dial(t)
		if got := m.Do("MONITOR"); got != "+OK\r\n" {
			t.Fatal(got)
		}
		for line := range strings.Lines(script) {
			words, err := oracle.SplitWords(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			c.Do(words...)
		}
		var lines []string
		for len(lines) == 0 || !strings.Contains(lines[len(lines)-1], `"ECHO" "end"`) {
			lines = append(lines, monitorLines(t, m, 1)...)
		}
		return lines
	}
	want := run(oracle.Redis(t))
	for _, args := range shapes {
		if got := run(oracle.Shoal(t, args...)); !slices.Equal(got, want) {
			t.Errorf("%v\n%s\n\nin redis\n%s", args, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// What a monitor may do, and how it ends.
func TestMonitorClient(t *testing.T) {
	r, s := oracle.Redis(t).Dial(t), oracle.Shoal(t).Dial(t)
	for _, c := range []*oracle.Client{r, s} {
		id := c.Do("CLIENT", "ID")
		if got := c.Do("MULTI"); got != "+OK\r\n" {
			t.Error(got)
		}
		c.Do("MONITOR")
		if got := c.Do("EXEC"); got != "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n" {
			t.Errorf("%q", got)
		}
		c.Do("MONITOR")
		c.Send("MONITOR")
		c.Send("GET", "k")
		if got := c.Reply(); got != "-ERR Replica can't interact with the keyspace\r\n" {
			t.Errorf("%q", got)
		}
		c.Send("CLIENT", "ID")
		replies := []string{c.Reply(), c.Reply()}
		slices.Sort(replies)
		if !strings.Contains(replies[0], `"CLIENT" "ID"`) || replies[1] != id {
			t.Errorf("%q", replies)
		}
		c.Send("RESET")
		for {
			if got := c.Reply(); got == "+RESET\r\n" {
				break
			}
		}
		if got := c.Do("GET", "k"); got != "$-1\r\n" {
			t.Errorf("%q", got)
		}
	}
}

// TestMonitorAfterMonitor begins to watch as another client has just ended: what ran before it began is not shown.
func TestMonitorAfterMonitor(t *testing.T) {
	srv := oracle.Shoal(t, "--reactors", "4")
	c := srv.Dial(t)
	for i := range 400 {
		before := srv.Dial(t)
		before.Do("MONITOR")
		before.Close()
		for range i % 4 {
			c.Do("GET", "before")
		}
		m := srv.Dial(t)
		m.Do("MONITOR")
		c.Do("GET", "after")
		if got := m.Reply(); !strings.Contains(got, `"after"`) {
			t.Fatalf("round %d: %s", i, got)
		}
		m.Close()
	}
}

func TestMonitorUnixSocket(t *testing.T) {
	path := t.TempDir() + "/s"
	srv := oracle.Shoal(t, "--unixsocket", path)
	m := srv.Dial(t)
	m.Do("MONITOR")
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PING\r\n")
	if got := m.Reply(); !strings.Contains(got, "[0 unix:"+path+`] "PING"`) {
		t.Error(got)
	}
}

// Several reactors' commands on one key are shown in the order in which they happened, those of a transaction in a row.
func TestMonitorOrder(t *testing.T) {
	srv := oracle.Shoal(t, "--reactors", "2")
	m := srv.Dial(t)
	m.Do("MONITOR")
	const clients, rounds = 6, 200
	var all sync.WaitGroup
	for i := range clients {
		c := srv.Dial(t)
		all.Go(func() {
			for n := range rounds {
				v := fmt.Sprintf("%d-%d", i, n)
				c.Send("GETSET", "k", v)
				c.Send("MULTI")
				c.Send("SET", "x", v)
				c.Send("SET", "y", v)
				c.Send("EXEC")
				for range 5 {
					c.Reply()
				}
			}
		})
	}
	// The last value that is shown for k is its value; x and y are set in pairs.
	last, x := "", ""
	for range clients * rounds * 5 {
		words := strings.Fields(monitorLines(t, m, 1)[0])[2:]
		switch {
		case x != "" && strings.Join(words, " ") != `"SET" "y" `+x:
			t.Fatalf("%s set x, and then %v", x, words)
		case words[0] == `"GETSET"`:
			last = words[2]
		case words[0] == `"SET"` && words[1] == `"x"`:
			x = words[2]
			continue
		}
		x = ""
	}
	all.Wait()
	c := srv.Dial(t)
	if got := bulk(t, c.Do("GET", "k")); last != `"`+got+`"` {
		t.Errorf("%s was shown last, the value is %s", last, got)
	}
}

// A monitor that begins to read late gets every line, in order, though the kernel takes only a part at a time.
func TestMonitorThatReadsLate(t *testing.T) {
	for _, args := range shapes {
		srv := oracle.Shoal(t, args...)
		m, c := srv.Dial(t), srv.Dial(t)
		m.Do("MONITOR")
		const rounds, pipeline = 40, 500
		padding := strings.Repeat("x", 300)
		for i := range rounds {
			for j := range pipeline {
				c.Send("SET", "k", fmt.Sprintf("%d%s", i*pipeline+j, padding))
			}
			for range pipeline {
				c.Reply()
			}
		}
		for i := range rounds * pipeline {
			if got, want := monitorLines(t, m, 1)[0], fmt.Sprintf(`"SET" "k" "%d%s"`, i, padding); !strings.HasSuffix(got, want) {
				t.Fatalf("%v: %q came in the place of %q", args, got, want)
			}
		}
	}
}
