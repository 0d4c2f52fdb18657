package test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/internal/oracle/random"
)

// watched is a server with a connection for each of some keys, which watches it.
type watched struct {
	t     *testing.T
	main  *oracle.Conn
	conns []*oracle.Conn
	keys  []string
}

func watchAll(t *testing.T, srv *oracle.Server, keys []string) *watched {
	t.Helper()
	w := &watched{t: t, keys: keys}
	dial := func() *oracle.Conn {
		c, err := oracle.Dial(srv.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	w.main = dial()
	for _, args := range [][]string{{"FLUSHALL"}, {"DEBUG", "SET-ACTIVE-EXPIRE", "0"}} {
		w.do(w.main, args...)
	}
	for _, k := range keys {
		c := dial()
		w.conns = append(w.conns, c)
		w.do(c, "WATCH", k)
	}
	return w
}

func (w *watched) do(c *oracle.Conn, args ...string) []byte {
	w.t.Helper()
	reply, err := c.Do(args...)
	if err != nil {
		w.t.Fatalf("%q: %v", args, err)
	}
	return reply
}

// touches runs a command and returns the keys for whose watchers EXEC then fails. All keys are watched anew.
func (w *watched) touches(args []string) (keys []string) {
	w.t.Helper()
	w.do(w.main, args...)
	for i, c := range w.conns {
		b := oracle.AppendCommand(nil, "MULTI")
		b = oracle.AppendCommand(b, "EXEC")
		b = oracle.AppendCommand(b, "WATCH", w.keys[i])
		if err := c.SendRaw(b); err != nil {
			w.t.Fatal(err)
		}
	}
	for i, c := range w.conns {
		var replies [3][]byte
		for j := range replies {
			r, err := c.Reply()
			if err != nil {
				w.t.Fatal(err)
			}
			replies[j] = bytes.Clone(r)
		}
		switch string(replies[1]) {
		case "*0\r\n":
		case "*-1\r\n":
			keys = append(keys, w.keys[i])
		default:
			w.t.Fatalf("EXEC: %q", replies[1])
		}
	}
	return keys
}

// unwatchable are the commands after which the connection, or what its replies tell, would not be the same on both
// servers, and one whose effect redis does not count.
var unwatchable = []string{"HELLO", "RESET", "QUIT", "MULTI", "EXEC", "DISCARD", "WATCH", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "CLIENT", "CONFIG", "DEBUG",
	"PFDEBUG"}

// watchable tells whether neither the command nor one within it, in a script, is among those.
func watchable(args []string) bool {
	return !slices.ContainsFunc(args, func(a string) bool { return slices.Contains(unwatchable, strings.ToUpper(a)) })
}

// lengthens tells whether a command may lengthen a string without writing to it, which redis does not count as a change
// though it is one.
func lengthens(args []string) bool {
	named := func(a string) bool { return strings.EqualFold(a, "BITFIELD") }
	return slices.ContainsFunc(args, named) && slices.Contains(args, "FAIL")
}

// TestWatchTouches runs random commands on Shoal and redis-server, each key watched by a client: the same commands must touch the
// same keys.
func TestWatchTouches(t *testing.T) {
	keys := append(random.Keys(), "nosuchkey")
	shoal := watchAll(t, sharedShoal(t, "--reactors", "2"), keys)
	redis := watchAll(t, pool.get(t, oracle.Need(t)), keys)
	defer func() { // others share the servers
		for _, c := range []*watched{shoal, redis} {
			c.do(c.main, "DEBUG", "SET-ACTIVE-EXPIRE", "1")
		}
	}()
	streams, perStream := uint64(max(*commands/5000, 1)), 500
	total := 0
	for number := range streams {
		for _, c := range []*watched{shoal, redis} {
			c.do(c.main, "SELECT", "0")
			c.touches([]string{"FLUSHALL"})
		}
		var last []string
		for i, args := range random.Stream(11, number, perStream) {
			if !watchable(args) {
				continue
			}
			last = append(last, fmt.Sprintf("%q", args))
			got, want := shoal.touches(args), redis.touches(args)
			total += len(want)
			if !slices.Equal(got, want) && !lengthens(args) {
				t.Fatalf("stream %d, command %d: %q touches %q, of redis %q\n%s", number, i, args, got, want, strings.Join(last[max(0, len(last)-20):], "\n"))
			}
		}
	}
	if total < int(streams)*perStream/10 {
		t.Errorf("%d keys touched by %d streams", total, streams)
	}
}
