package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/internal/oracle/random"
)

// notifier is a server with a client that gets all keyspace notifications.
type notifier struct {
	name   string
	client *oracle.Client
	events *oracle.Client
	marks  int
}

// newNotifier empties the server. proto is that of the client that gets the events.
func newNotifier(t *testing.T, name string, srv *oracle.Server, proto int) *notifier {
	n := &notifier{name: name, client: srv.Dial(t)}
	n.client.Do("FLUSHALL")
	n.client.Do("CONFIG", "SET", "notify-keyspace-events", "KEAmn")
	n.client.Do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
	t.Cleanup(func() { // others have the server next
		n.client.Do("CONFIG", "SET", "notify-keyspace-events", "")
		n.client.Do("DEBUG", "SET-ACTIVE-EXPIRE", "1")
	})
	n.events = srv.Dial(t)
	if proto == 3 {
		n.events.Do("HELLO", "3")
	}
	n.events.Do("PSUBSCRIBE", "__key*")
	return n
}

// run sends a command and returns the events it caused.
func (n *notifier) run(words []string) (events []string) {
	n.marks++
	mark := fmt.Sprint("mark", n.marks)
	n.client.Send(words...)
	n.client.Send("PUBLISH", "__key__", mark)
	n.client.Reply()
	n.client.Reply()
	for {
		event := n.events.Reply()
		if strings.Contains(event, mark) && strings.Contains(event, "__key__") {
			return events
		}
		events = append(events, event)
	}
}

// unfit are commands that cannot be compared: what they do is random, or changes the connection or the server; those
// that meet keys by the way may delete the expired ones or not.
var unfit = []string{"SCAN", "KEYS", "RANDOMKEY", "SPOP", "QUIT", "RESET", "HELLO", "AUTH", "SHUTDOWN", "DEBUG", "CONFIG", "CLIENT", "SUBSCRIBE", "PSUBSCRIBE", "UNSUBSCRIBE",
	"PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE", "BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP",
	"XREAD", "XREADGROUP", "WAIT", "MONITOR", "HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT", "HGETEX", "HSETEX", "HGETDEL", "HPERSIST",
	"FUNCTION", "SCRIPT", "MEMORY", "COMMAND", "EVAL", "MULTI", "EXEC", "WATCH", "PSETEX"}

func fit(words []string) bool {
	return !slices.Contains(unfit, strings.ToUpper(words[0]))
}

// compareEvents runs commands on both and compares.
func compareEvents(t *testing.T, redis, shoal *notifier, commands [][]string) (same int) {
	t.Helper()
	failures := 0
	for i, words := range commands {
		if !fit(words) {
			continue
		}
		want, got := redis.run(words), shoal.run(words)
		if slices.Equal(want, got) {
			same += len(got)
			continue
		}
		t.Errorf("command %d, %.200q: events\n%.1000q\nin redis\n%.1000q", i, words, got, want)
		if failures++; failures > 40 {
			t.Fatal("too many differences")
		}
	}
	return same
}

// TestNotifications compares the keyspace notifications of the recorded scripts' commands, and of random ones, with
// redis-server's.
func TestNotifications(t *testing.T) {
	redis := pool.get(t, oracle.Need(t))
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprint("resp", proto), func(t *testing.T) {
			shoal := sharedShoal(t)
			events := 0
			for _, path := range scriptPaths(t) {
				s := parseScript(t, path)
				if len(s.Server) > 0 {
					continue
				}
				t.Run(scriptName(path), func(t *testing.T) {
					events += compareEvents(t, newNotifier(t, "redis", redis, proto), newNotifier(t, "shoal", shoal, proto), s.Plain())
				})
			}
			t.Run("random", func(t *testing.T) {
				events += compareEvents(t, newNotifier(t, "redis", redis, proto), newNotifier(t, "shoal", shoal, proto), random.Commands(streamSeed(t), 0, 3000))
			})
			t.Logf("%d events", events)
		})
	}
}

// TestOwnEvents checks that a client that listens to what it does gets the events behind the reply, also those of a
// transaction, and what it publishes before the reply.
func TestOwnEvents(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		c := sharedShoal(t, "--net-engine", engine).Dial(t)
		event := func(event string) string { return ">4 pmessage __keyevent@0__:* __keyevent@0__:" + event }
		for _, words := range []string{"FLUSHALL", "CONFIG SET notify-keyspace-events EA", "HELLO 3", "PSUBSCRIBE __keyevent@0__:*", "SUBSCRIBE ch"} {
			c.Do(strings.Fields(words)...)
		}
		for _, words := range []string{"MSET a 1 b 2", "CLIENT REPLY SKIP", "INCR a", "PUBLISH ch x", "MULTI", "SET c 1", "PUBLISH ch y", "LPUSH l 1", "EXEC", "PING"} {
			c.Send(strings.Fields(words)...)
		}
		for _, want := range []string{"+OK", event("set a"), event("set b"), event("incrby a"), ">3 message ch x", ":1", "+OK", "+QUEUED", "+QUEUED", "+QUEUED",
			"*3 +OK :1 :1", event("set c"), ">3 message ch y", event("lpush l"), "+PONG"} {
			if got := flat(c.Reply()); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		c.Do("RESET")
		c.Do("CONFIG", "SET", "notify-keyspace-events", "")
	})
}

// flat returns a reply's lines, but for the lengths of strings, separated by blanks.
func flat(reply string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(strings.TrimSuffix(reply, "\r\n"), "\r\n"), func(line string) bool {
		return strings.HasPrefix(line, "$")
	}), " ")
}
