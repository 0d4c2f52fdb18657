package random

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }

func TestGrammar(t *testing.T) {
	g := newGen(1, 2)
	seen := map[string]bool{}
	for range 1000 {
		words := strings.Join(parse("A [B|C <small>] (D|E F)+ ; G").expand(g, nil), " ")
		seen[strings.ReplaceAll(words, separator, ";")] = true
	}
	for _, want := range []string{"A D ; G", "A B E F D ; G", "A C 3 D ; G", "A D D D D D ; G"} {
		if !seen[want] {
			t.Errorf("%q never came", want)
		}
	}
}

func TestSessionsAreReproducible(t *testing.T) {
	a, b := session(7, 3, 1000), session(7, 3, 1000)
	if describe(a) != describe(b) || describe(a) == describe(session(8, 3, 1000)) {
		t.Error("a session is not a function of seed and number")
	}
	if n := count(a); n < 1000 || n > 1100 {
		t.Errorf("%d commands", n)
	}
}

func redis(t *testing.T, args ...string) *Target {
	oracle.Need(t)
	return &Target{Name: "redis " + strings.Join(args, " "), Start: func() (*oracle.Server, error) {
		return oracle.Redis(t, args...), nil
	}}
}

func TestEqualServers(t *testing.T) {
	diff, err := Check(Options{Seed: 1, Commands: 3000, Targets: []*Target{redis(t), redis(t), redis(t)}, Log: t.Logf})
	if diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// A server with fewer databases answers SELECT 15 differently: nothing else may be left of the stream, but the
// transaction or script that it is in.
func TestShrink(t *testing.T) {
	diff, err := Check(Options{Seed: 1, Commands: 10000, Targets: []*Target{redis(t), redis(t, "--databases", "15")}, Log: func(string, ...any) {}})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(diff), "\n")
	if len(lines) < 4 || len(lines) > 23 || !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "15") }) {
		t.Errorf("not minimal:\n%s", diff)
	}
}

// A server that dies is started again for the next session.
func TestServerDies(t *testing.T) {
	oracle.Need(t)
	starts := 0
	dying := &Target{Name: "dying", Start: func() (*oracle.Server, error) {
		starts++
		return oracle.Redis(t), nil
	}}
	batches := []batch{{ops: []Op{{Commands: [][]string{{"SHUTDOWN", "NOSAVE"}}}, {Commands: [][]string{{"PING"}}}}}}
	for want := 1; want <= 2; want++ {
		r, err := dying.run(batches, oracle.Deadline)
		if err != nil || len(r.replies) != 1 || r.replies[0].fail == "" || starts != want {
			t.Errorf("%v, %v, %d starts", r, err, starts)
		}
		oracle.WaitFor(t, "its end", dying.server.Ended)
	}
}

func TestTolerance(t *testing.T) {
	f := func(command, a, b string, want bool) {
		t.Helper()
		if got := equal(strings.Fields(command), reply{raw: []byte(a)}, reply{raw: []byte(b)}); got != want {
			t.Errorf("%s: %q and %q: %v", command, a, b, got)
		}
	}
	ttl := func(n int) string { return fmt.Sprintf(":%d\r\n", n) }
	f("GET k", "$1\r\na\r\n", "$1\r\nb\r\n", false)
	f("KEYS *", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "*2\r\n$1\r\nb\r\n$1\r\na\r\n", true)
	f("KEYS *", "*1\r\n$1\r\na\r\n", "*1\r\n$1\r\nb\r\n", false)
	f("ttl k", ttl(100), ttl(101), true)
	f("TTL k", ttl(100), ttl(200), false)
	f("TTL k", ttl(-1), ttl(1), false)
	f("TTL k", ttl(-1), ttl(-2), false)
	f("PTTL k", ttl(100000), ttl(100900), true)
	f("RANDOMKEY", "$1\r\na\r\n", "$1\r\nb\r\n", true)
	f("RANDOMKEY", "$1\r\na\r\n", "$-1\r\n", false)
	f("OBJECT IDLETIME k", ttl(0), ttl(3), true)
	f("OBJECT REFCOUNT k", ttl(1), ttl(2), false)
	f("OBJECT REFCOUNT k", ttl(1), ttl(sharedRefcount), true)
	f("OBJECT IDLETIME k", "-ERR x\r\n", ttl(3), false)
}
