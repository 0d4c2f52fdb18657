package server

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// The same data has the same digest as in redis-server.
func TestDebugDigest(t *testing.T) {
	r, s := oracle.Redis(t).Dial(t), oracle.Shoal(t).Dial(t)
	same := func(args ...string) {
		t.Helper()
		if want, got := r.Do(args...), s.Do(args...); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	same("DEBUG", "DIGEST")
	same("SET", "number", "-42")
	same("SET", "text", "hello")
	same("SET", "empty", "")
	same("SET", "expires", "v", "EX", "1000")
	same("DEBUG", "DIGEST")
	same("SELECT", "7")
	same("SET", "number", "-42")
	same("DEBUG", "POPULATE", "3000", "p", "100")
	same("DEBUG", "POPULATE", "10")
	same("DEBUG", "DIGEST")
	same("DEBUG", "DIGEST-VALUE", "number", "p:9", "nosuch", "key:9", "number")
	same("DEBUG", "DIGEST-VALUE")
	same("SELECT", "0")
	same("DEBUG", "DIGEST-VALUE", "expires", "text", "empty")
	same("FLUSHALL")
	same("DEBUG", "DIGEST")
}

// Elements from the threshold on have nodes of their own, as in redis-server.
func TestDebugPackedThreshold(t *testing.T) {
	r, s := oracle.Redis(t).Dial(t), oracle.Shoal(t).Dial(t)
	nodes := regexp.MustCompile(`ql_nodes:\d+`)
	same := func(args ...string) {
		t.Helper()
		if want, got := r.Do(args...), s.Do(args...); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
		want, got := nodes.FindString(r.Do("DEBUG", "OBJECT", "l")), nodes.FindString(s.Do("DEBUG", "OBJECT", "l"))
		if got != want {
			t.Errorf("after %q: %q, want %q", args, got, want)
		}
	}
	threshold := func(size string) { t.Helper(); same("DEBUG", "QUICKLIST-PACKED-THRESHOLD", size) }
	threshold("much")
	threshold("4gb")
	threshold("10b")
	long := strings.Repeat("x", 12)
	same("RPUSH", "l", "a", "b", "c", long, "d", "e")
	same("LPUSH", "l", long, "f", long, long)
	same("LRANGE", "l", "0", "-1")
	same("LINSERT", "l", "BEFORE", "b", long)
	same("LINSERT", "l", "AFTER", "e", "g")
	same("LSET", "l", "0", "h")
	same("LSET", "l", "-1", long)
	same("LPOS", "l", long, "COUNT", "0")
	same("LRANGE", "l", "0", "-1")
	same("LREM", "l", "-2", long)
	same("LMOVE", "l", "l", "LEFT", "RIGHT")
	same("LRANGE", "l", "0", "-1")
	threshold("0")
	same("RPUSH", "l", long, long)
}

func TestDebugIsDenied(t *testing.T) {
	r := oracle.Redis(t, "--enable-debug-command", "no").Dial(t)
	s := oracle.Shoal(t, "--enable-debug-command", "no").Dial(t)
	if want, got := r.Do("DEBUG", "SLEEP", "0"), s.Do("DEBUG", "SLEEP", "0"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	local := oracle.Shoal(t, "--enable-debug-command", "local").Dial(t)
	if got := local.Do("DEBUG", "SLEEP", "0"); got != "+OK\r\n" {
		t.Errorf("from here: %q", got)
	}
}

// While one client's DEBUG SLEEP runs, no other is served, on whatever reactor it is.
func TestDebugSleepStopsAll(t *testing.T) {
	srv := oracle.Shoal(t, "--reactors", "2")
	sleeper := srv.Dial(t)
	var others []*oracle.Client
	for range 6 {
		c := srv.Dial(t)
		c.Do("PING")
		others = append(others, c)
	}
	begin := time.Now()
	sleeper.Send("DEBUG", "SLEEP", "0.5")
	sleeper.Reply()
	if took := time.Since(begin); took < 500*time.Millisecond {
		t.Errorf("DEBUG SLEEP 0.5 took %v", took)
	}
	for _, c := range others {
		c.Do("PING")
	}
	longest := sleeper.InfoInt("debug", "eventloop_duration_max")
	if longest < 400e3 {
		t.Errorf("the longest turn took %d µs", longest)
	}
}

// incompressible returns text that LZF does not make shorter.
func incompressible(n int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('!' + rng.IntN(90))
	}
	return string(b)
}

func TestDebugObject(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	f := func(key, value, want string) {
		t.Helper()
		c.Do("SET", key, value)
		got := c.Do("DEBUG", "OBJECT", key)
		if !regexp.MustCompile(`^\+Value at:0x[0-9a-f]+ ` + want + ` lru:\d+ lru_seconds_idle:\d+\r\n$`).MatchString(got) {
			t.Errorf("%q: %q, want %s", value, got, want)
		}
	}
	f("k", "12", "refcount:2147483647 encoding:int serializedlength:2")
	f("k", "-300", "refcount:1 encoding:int serializedlength:3")
	f("k", "1000000", "refcount:1 encoding:int serializedlength:5")
	f("k", "12345678901", "refcount:1 encoding:int serializedlength:12")
	f("k", "hello", "refcount:1 encoding:embstr serializedlength:6")
	f("k", incompressible(100), "refcount:1 encoding:raw serializedlength:102")
	f("k", incompressible(20000), "refcount:1 encoding:raw serializedlength:20005")

	c.Do("SET", "n", "5000000")
	address := func() string { return strings.Fields(c.Do("DEBUG", "OBJECT", "n"))[1] }
	before := address()
	c.Do("INCR", "n")
	if after := address(); after != before {
		t.Errorf("INCR has moved the value from %s to %s", before, after)
	}
}

func TestSetActiveExpire(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	keys := func() string { return c.Info("keyspace")["db0"] }
	c.Do("DEBUG", "SET-ACTIVE-EXPIRE", "0")
	c.Do("SET", "k", "v", "PX", "1")
	time.Sleep(300 * time.Millisecond)
	if !strings.HasPrefix(keys(), "keys=1,") {
		t.Errorf("db0:%s, though expired keys are to stay", keys())
	}
	c.Do("DEBUG", "SET-ACTIVE-EXPIRE", "1")
	oracle.WaitFor(t, "the key to expire", func() bool { return keys() == "" })
	if got := c.Info("stats")["expired_keys"]; got != "1" {
		t.Errorf("expired_keys:%s, want 1", got)
	}
}

func TestPauseCron(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	c.Do("DEBUG", "PAUSE-CRON", "1")
	c.Do("SET", "k", "v", "PX", "1")
	time.Sleep(300 * time.Millisecond)
	if got := c.Info("keyspace")["db0"]; !strings.HasPrefix(got, "keys=1,") {
		t.Errorf("db0:%s, though nothing periodic is to be done", got)
	}
	c.Do("DEBUG", "PAUSE-CRON", "0")
	oracle.WaitFor(t, "the key to expire", func() bool { return c.Info("keyspace")["db0"] == "" })
}

func TestHTStats(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	if got := bulk(t, c.Do("DEBUG", "HTSTATS", "0")); strings.Count(got, emptyHT) != 2 {
		t.Errorf("empty: %q", got)
	}
	c.Do("DEBUG", "POPULATE", "1000")
	got := bulk(t, c.Do("DEBUG", "HTSTATS", "0"))
	if !strings.Contains(got, "[Dictionary HT]\n") || !strings.Contains(got, " number of elements: 1000\n") {
		t.Errorf("1000 keys: %q", got)
	}
}

func TestChangeReplID(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	id := func() string { return c.Info("replication")["master_replid"] }
	before := id()
	if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(before) || id() != before {
		t.Errorf("master_replid:%s, then %s", before, id())
	}
	c.Do("DEBUG", "CHANGE-REPL-ID")
	if id() == before {
		t.Error("DEBUG CHANGE-REPL-ID has changed nothing")
	}
}

func TestDebugSegfault(t *testing.T) {
	for _, sub := range []string{"SEGFAULT", "PANIC"} {
		srv, err := oracle.Start(oracle.ShoalPath(t), t.TempDir(), "--enable-debug-command", "yes")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(srv.Kill) // and not KillAfter: the crash is what is asked for
		srv.Dial(t).Send("DEBUG", sub)
		oracle.WaitFor(t, "the server to crash", srv.Ended)
		if status := srv.Wait(t); status == 0 {
			t.Errorf("DEBUG %s: status 0", sub)
		}
	}
}

func TestDebugRestart(t *testing.T) {
	srv := oracle.Shoal(t)
	c := srv.Dial(t)
	before := c.Info("server")
	c.Do("SET", "k", "v")
	c.Send("DEBUG", "CRASH-AND-RECOVER", "10")
	c.ReadAll()
	oracle.WaitFor(t, "the server to come back", func() bool {
		network, addr := srv.Address()
		again, err := oracle.Dial(network, addr)
		if err != nil {
			return false
		}
		defer again.Close()
		info, err := again.Do("INFO", "server") // for a moment the one that goes still accepts
		return err == nil && !strings.Contains(string(info), before["run_id"])
	})
	after := srv.Dial(t).Info("server")
	if after["process_id"] != before["process_id"] || after["run_id"] == before["run_id"] {
		t.Errorf("process %s run %s, then process %s run %s", before["process_id"], before["run_id"], after["process_id"], after["run_id"])
	}
}

func TestLeadingFloat(t *testing.T) {
	for s, want := range map[string]float64{"": 0, "abc": 0, "0.5": 0.5, "2s": 2, "1e-3x": 0.001, "-1": -1} {
		if got := leadingFloat(s); got != want {
			t.Errorf("leadingFloat(%q) = %v, want %v", s, got, want)
		}
	}
	for s, want := range map[string]int{"": 0, "abc": 0, "1": 1, "-7x": -7, "12": 12} {
		if got := number([]byte(s)); got != want {
			t.Errorf("number(%q) = %d, want %d", s, got, want)
		}
	}
}
