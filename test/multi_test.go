package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// onBoth runs a test on redis-server, which shows that the test is right, and on shoal-server with several reactors on
// each engine.
func onBoth(t *testing.T, f func(t *testing.T, srv *oracle.Server)) {
	t.Run("redis", func(t *testing.T) { f(t, pool.get(t, oracle.Need(t))) })
	eachEngine(t, func(t *testing.T, engine string) {
		f(t, sharedShoal(t, "--net-engine", engine, "--reactors", "4"))
	})
}

// wantReply compares a reply, rendered, with what is wanted.
func wantReply(t *testing.T, got, want string) {
	t.Helper()
	if got = oracle.Render([]byte(got), 2); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// all sends commands one after the other and returns the last reply.
func all(c *oracle.Client, lines ...string) (last string) {
	for _, l := range lines {
		last = c.Do(strings.Fields(l)...)
	}
	return last
}

// Clients that wait for keys are served after a whole transaction, with what it leaves.
func TestTransactionServesBlocked(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *oracle.Server) {
		c, waits := srv.Dial(t), srv.Dial(t)
		waitBlocked(t, c, 0)                                         // those of other tests have gone
		for _, about := range []string{"", "CONFIG GET maxmemory"} { // a command about the server as a whole, for which reactors stand still
			queue := func(lines ...string) {
				all(c, "MULTI")
				if about != "" {
					all(c, about)
				}
				all(c, append(lines, "EXEC")...)
			}
			all(c, "FLUSHALL")
			waits.Send("BLPOP", "list", "0")
			waitBlocked(t, c, 1)
			queue("RPUSH list a", "DEL list", "RPUSH list b c", "LPOP list")
			wantReply(t, waits.Reply(), `["list", "c"]`)

			waits.Send("BLPOP", "list", "0")
			waitBlocked(t, c, 1)
			queue("RPUSH list d", "DEL list")
			queue("RPUSH list e", "LPOP list")
			all(c, "RPUSH list f")
			wantReply(t, waits.Reply(), `["list", "f"]`)

			// Serving one changes a key that another watches.
			watches := srv.Dial(t)
			all(watches, "WATCH target")
			waits.Send("BLMOVE", "list", "target", "LEFT", "RIGHT", "0")
			waitBlocked(t, c, 1)
			queue("RPUSH list g")
			wantReply(t, waits.Reply(), `"g"`)
			all(watches, "MULTI", "PING")
			wantReply(t, watches.Do("EXEC"), "*-1")
		}
	})
}

// Commands about other clients work in a transaction.
func TestTransactionOnClients(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *oracle.Server) {
		c := srv.Dial(t)
		waitBlocked(t, c, 0) // those of other tests have gone
		var others []*oracle.Client
		var ids []string
		for range 8 { // on all reactors
			o := srv.Dial(t)
			ids = append(ids, strings.Trim(o.Do("CLIENT", "ID"), ":\r\n"))
			o.Send("BLPOP", "nothing", "0")
			others = append(others, o)
		}
		waitBlocked(t, c, len(others))
		all(c, "MULTI")
		for i, id := range ids {
			if i%2 == 0 {
				all(c, "CLIENT UNBLOCK "+id)
			} else {
				all(c, "CLIENT KILL ID "+id)
			}
		}
		all(c, "RPUSH nothing x", "LLEN nothing", "CLIENT LIST ID "+strings.Join(ids, " "))
		exec := c.Do("EXEC")
		want := "*11\r\n" + strings.Repeat(":1\r\n", len(ids)+2)
		if !strings.HasPrefix(exec, want) || strings.Count(exec, "addr=") != len(ids) { // each has addr= and laddr=
			t.Errorf("%q", exec)
		}
		for i, o := range others {
			if i%2 == 0 {
				wantReply(t, o.Reply(), "*-1")
			} else if rest := o.ReadAll(); rest != "" {
				t.Errorf("a client that was killed got %q", rest)
			}
		}
		wantReply(t, c.Do("LPOP", "nothing"), `"x"`)
	})
}

// A transaction that is too large is not kept; the client that sends it is closed.
func TestTransactionTooLarge(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		srv := sharedShoal(t, "--net-engine", engine, "--client-query-buffer-limit", "2mb")
		c := srv.Dial(t)
		all(c, "MULTI")
		value := strings.Repeat("x", 100000)
		c.Send("SET", "k", value)
		wantReply(t, c.Reply(), "+QUEUED")
		for range 40 {
			_ = c.Conn.Send("SET", "k", value) // the server closes the connection in the middle
		}
		if n := strings.Count(c.ReadAll(), "QUEUED"); n > 25 { // the last replies may be lost with the connection
			t.Errorf("%d commands of 100 KB each were queued", n)
		}
		srv.WaitLog(t, "reached max query buffer length")
		queued := 0
		if at := strings.LastIndex(srv.Log(), "("); at >= 0 {
			fmt.Sscanf(srv.Log()[at:], "(%d commands queued in a transaction)", &queued)
		}
		if queued < 15 || queued > 25 {
			t.Errorf("closed with %d commands of 100 KB each", queued)
		}
	})
}

// A client may watch very many keys; what that costs is shown, and ends with the connection.
func TestManyWatches(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		srv := sharedShoal(t, "--net-engine", engine, "--reactors", "2")
		c, other := srv.Dial(t), srv.Dial(t)
		const keys, each = 200000, 1000
		for i := 0; i < keys; i += each {
			args := []string{"WATCH"}
			for j := range each {
				args = append(args, fmt.Sprint("watched:", i+j))
			}
			wantReply(t, c.Do(args...), "+OK")
		}
		var memory int
		info := c.Do("CLIENT", "INFO")
		if _, after, ok := strings.Cut(info, " tot-mem="); ok {
			fmt.Sscan(after, &memory)
		}
		if memory < 200*keys || memory > 400*keys {
			t.Errorf("%d watched keys: %s", keys, info)
		}
		other.Do("SET", "watched:199999", "x")
		all(c, "MULTI", "PING")
		wantReply(t, c.Do("EXEC"), "*-1")
		all(c, "MULTI", "PING")
		wantReply(t, c.Do("EXEC"), "*1\n  +PONG")
	})
}

// What ends the watching of keys may follow a write to one of them in the same pipeline.
func TestWatchEndsBehindWrite(t *testing.T) {
	ends := map[string]string{
		"EXEC x":  "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n",
		"UNWATCH": "+OK\r\n",
		"RESET":   "+RESET\r\n",
		"DISCARD": "-ERR DISCARD without MULTI\r\n",
	}
	onBoth(t, func(t *testing.T, srv *oracle.Server) {
		for end, want := range ends {
			c := srv.Dial(t)
			for _, line := range []string{"WATCH k", "SET k v", end, "GET k"} {
				c.Send(strings.Fields(line)...)
			}
			for _, reply := range []string{"+OK\r\n", "+OK\r\n", want, "$1\r\nv\r\n"} {
				if got := c.Reply(); got != reply {
					t.Errorf("%s: %q, want %q", end, got, reply)
				}
			}
		}
	})
}

// A transaction for which the reactors stand still leaves alone what a command that works in steps reads.
func TestTransactionBesideSteps(t *testing.T) {
	onBoth(t, func(t *testing.T, srv *oracle.Server) {
		const elements = 100_000
		c, reader := srv.Dial(t), srv.Dial(t)
		whole := fmt.Sprintf("*%d\r\n", elements)
		for range 5 {
			send(t, c, oracle.AppendCommand(nil, "EVAL", "for i = 1, ARGV[1] do redis.call('RPUSH', KEYS[1], i) end", "1", "steps", fmt.Sprint(elements)), 1)
			reader.Send("LRANGE", "steps", "0", "-1")
			all(c, "MULTI", "CLIENT LIST", "DEL steps")
			if got := oracle.Render([]byte(c.Do("EXEC")), 2); !strings.HasSuffix(got, "1") {
				t.Fatalf("EXEC: %q", got)
			}
			if got := reader.Reply(); got != "*0\r\n" && !strings.HasPrefix(got, whole) {
				t.Fatalf("LRANGE: %.20q", got)
			}
		}
	})
}
