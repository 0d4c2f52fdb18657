package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// expireInPause plays a pause during which two of three keys expire, and returns what a client sees.
func expireInPause(t *testing.T, srv *oracle.Server) string {
	t.Helper()
	c, other := srv.Dial(t), srv.Dial(t)
	c.Do("FLUSHALL")
	before := c.InfoInt("stats", "expired_keys")
	var out strings.Builder
	note := func(words ...string) { fmt.Fprintf(&out, "%v: %q\n", words, c.Do(words...)) }
	state := func() {
		for _, words := range []string{"GET a", "GET b", "GET stays", "EXISTS a b stays", "TTL a", "PTTL b", "TYPE a", "STRLEN b", "OBJECT ENCODING a", "DUMP b", "TOUCH a b",
			"KEYS [ab]", "SCAN 0 MATCH [ab] COUNT 1000", "DBSIZE"} {
			note(strings.Fields(words)...)
		}
		fmt.Fprintln(&out, "expired", c.InfoInt("stats", "expired_keys")-before)
	}
	note("SET", "stays", "1")
	note("MULTI")
	note("SET", "a", "1", "PX", "5")
	note("SET", "b", "2", "PX", "5")
	note("CLIENT", "PAUSE", "1000000", "WRITE")
	note("EXEC")
	oracle.WaitFor(t, "keys to expire", func() bool { return c.Do("EXISTS", "a", "b") == ":0\r\n" })
	time.Sleep(150 * time.Millisecond) // for the keys to be deleted, wrongly
	state()
	note("RANDOMKEY")
	other.Send("SET", "a", "new", "KEEPTTL")
	oracle.WaitFor(t, "the client to be paused", func() bool { return c.InfoInt("clients", "blocked_clients") == 1 })
	note("GET", "a")
	note("CLIENT", "UNPAUSE")
	if r := other.Reply(); r != "+OK\r\n" {
		t.Errorf("the write that waited: %q", r)
	}
	oracle.WaitFor(t, "the other key to be deleted", func() bool { return c.Do("DBSIZE") == ":2\r\n" })
	state()
	return out.String()
}

// While clients are paused no key is deleted because its time has come, though nobody finds it any more.
func TestExpiryInPause(t *testing.T) {
	want := expireInPause(t, oracle.Redis(t, "--save", ""))
	eachEngine(t, func(t *testing.T, engine string) {
		for _, reactors := range []string{"1", "3"} {
			if got := expireInPause(t, sharedShoal(t, "--net-engine", engine, "--reactors", reactors)); got != want {
				t.Errorf("%s reactors: redis-server:\n%s\nshoal-server:\n%s", reactors, want, got)
			}
		}
	})
}

// All keys have expired and none may be deleted: RANDOMKEY must end.
func TestRandomKeyInPause(t *testing.T) {
	srv := oracle.Shoal(t)
	c := srv.Dial(t)
	c.Do("MULTI")
	c.Do("SET", "a", "1", "PX", "1")
	c.Do("CLIENT", "PAUSE", "1000000", "WRITE")
	c.Do("EXEC")
	oracle.WaitFor(t, "the key to expire", func() bool { return c.Do("GET", "a") == "$-1\r\n" })
	if r := c.Do("RANDOMKEY"); r != "$1\r\na\r\n" {
		t.Errorf("RANDOMKEY: %q", r)
	}
}
