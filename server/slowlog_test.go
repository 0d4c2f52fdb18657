package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// slowArgs returns the arguments of the entries in the slow log, the latest first, as they were sent.
func slowArgs(t testing.TB, c *oracle.Client) []string {
	t.Helper()
	var list []string
	for _, e := range parse(t, c.Do("SLOWLOG", "GET", "-1")).([]any) {
		var words []string
		for _, a := range e.([]any)[3].([]any) {
			words = append(words, a.(string))
		}
		list = append(list, strings.Join(words, " "))
	}
	return list
}

// What goes into the slow log is what redis-server writes there.
func TestSlowlogLikeRedis(t *testing.T) {
	script := `CONFIG SET slowlog-log-slower-than 0
SLOWLOG RESET
PING
SET k v
ACL SETUSER joe on >secret +get ~*
ACL GETUSER joe
ACL DELUSER joe jim
AUTH secret
AUTH joe secret
HELLO 2 AUTH joe secret SETNAME x
HELLO 2
CONFIG SET requirepass ""
CONFIG SET masterauth secret
CONFIG SET maxmemory-samples 5 masterauth secret
CONFIG GET maxmemory-samples
MIGRATE 127.0.0.1 1 nosuch 0 10 AUTH secret
MIGRATE 127.0.0.1 1 nosuch 0 10 COPY AUTH2 joe secret
MIGRATE 127.0.0.1 1 "" 0 10 AUTH2 joe secret KEYS nosuch nosuch2
EVAL "redis.call('SET',KEYS[1],1) return redis.call('GET',KEYS[1])" 1 k
MULTI
INCR k
LRANGE l 0 1
EXEC
SPOP nosuch
SADD s 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33
GET aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
NOSUCH
GET
CLIENT SETNAME me
SLOWLOG LEN
SLOWLOG GET -2
SLOWLOG GET x
SLOWLOG GET 1 2
SLOWLOG NOSUCH
CONFIG SET slowlog-log-slower-than -1
PING`
	r, s := oracle.Redis(t).Dial(t), oracle.Shoal(t).Dial(t)
	for line := range strings.Lines(script) {
		words, err := oracle.SplitWords(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		if want, got := r.Do(words...), s.Do(words...); want != got && !strings.HasPrefix(line, "HELLO") && !strings.Contains(line, "GETUSER") {
			t.Errorf("%q: %q, in redis %q", line, got, want)
		}
	}
	want, got := slowArgs(t, r), slowArgs(t, s)
	if strings.Join(want, "\n") != strings.Join(got, "\n") {
		t.Errorf("the log is\n%s\n\nin redis\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// With a threshold that commands can reach, those that are slow are found among pipelined ones.
func TestSlowlogFindsSlowOnes(t *testing.T) {
	for _, args := range shapes {
		c := oracle.Shoal(t, append(args, "--slowlog-log-slower-than", "20000", "--enable-debug-command", "yes")...).Dial(t)
		c.Do("CLIENT", "SETNAME", "me")
		pipeline(c, [][]string{{"PING"}, {"SET", "a", "b"}, {"DEBUG", "SLEEP", "0.05"}, {"GET", "a"},
			{"MULTI"}, {"SET", "a", "c"}, {"DEBUG", "SLEEP", "0.05"}, {"EXEC"}})
		c.Do("CONFIG", "SET", "slowlog-log-slower-than", "-1")
		slept := 0
		for _, entry := range parse(t, c.Do("SLOWLOG", "GET", "-1")).([]any) { // on a busy machine others may take 20 ms as well
			e := entry.([]any)
			if fmt.Sprint(e[3]) != "[DEBUG SLEEP 0.05]" {
				continue
			}
			slept++
			if len(e) != 6 || e[2].(int64) < 50000 || !strings.HasPrefix(e[4].(string), "127.0.0.1:") || e[5] != "me" {
				t.Error(args, e)
			}
		}
		if slept != 2 {
			t.Error(args, slowArgs(t, c))
		}
		c.Do("CONFIG", "SET", "slowlog-max-len", "1")
		if n := c.Do("SLOWLOG", "LEN"); n != ":1\r\n" {
			t.Errorf("%q", n)
		}
	}
}

// Each call is counted once, however it was measured.
func TestCallsAreCounted(t *testing.T) {
	for _, args := range shapes {
		for _, threshold := range []string{"10000", "100"} {
			c := oracle.Shoal(t, append(args, "--slowlog-log-slower-than", threshold)...).Dial(t)
			c.Do("CONFIG", "RESETSTAT")
			var cmds [][]string
			for range 100 {
				cmds = append(cmds, []string{"SET", "a", "b"}, []string{"GET", "a"}, []string{"LRANGE", "l", "0", "1"}, []string{"LRANGE", "a", "0", "1"})
			}
			cmds = append(cmds, []string{"MULTI"}, []string{"GET", "a"}, []string{"LRANGE", "l", "0", "1"}, []string{"EXEC"},
				[]string{"EVAL", "for i = 1, 10 do redis.call('GET', KEYS[1]) redis.call('LRANGE', KEYS[2], 0, 1) end", "2", "{a}", "{a}l"})
			pipeline(c, cmds)
			f := c.Info("commandstats")
			for name, want := range map[string]string{"set": "calls=100,", "get": "calls=111,", "lrange": "calls=211,", "exec": "calls=1,", "eval": "calls=1,", "multi": "calls=1,"} {
				if got := f["cmdstat_"+name]; !strings.HasPrefix(got, want) {
					t.Errorf("%v, threshold %s: %s: %s, want %s", args, threshold, name, got, want)
				}
			}
			if got := f["cmdstat_lrange"]; !strings.HasSuffix(got, "rejected_calls=0,failed_calls=100") {
				t.Error(got)
			}
			h := parse(t, c.Do("LATENCY", "HISTOGRAM", "lrange", "nosuch")).([]any)
			if len(h) != 2 || h[0] != "lrange" || h[1].([]any)[1] != int64(211) {
				t.Error(h)
			}
			p := c.Info("latencystats")["latency_percentiles_usec_get"]
			if !strings.HasPrefix(p, "p50=") || !strings.Contains(p, ",p99=") || !strings.Contains(p, ",p99.9=") {
				t.Error(p)
			}
		}
	}
}

func TestLatencyMonitor(t *testing.T) {
	c := oracle.Shoal(t, "--enable-debug-command", "yes", "--latency-monitor-threshold", "30").Dial(t)
	if got := bulk(t, c.Do("LATENCY", "DOCTOR")); !strings.Contains(got, "30 ms") {
		t.Error(got)
	}
	c.Do("DEBUG", "SLEEP", "0.05")
	c.Do("CONFIG", "SET", "latency-monitor-threshold", "0") // on a busy machine others may take 30 ms as well
	h := parse(t, c.Do("LATENCY", "HISTORY", "command")).([]any)
	slow := func(sample any) bool { return sample.([]any)[1].(int64) >= 50 }
	if !slices.ContainsFunc(h, slow) {
		t.Error(h)
	}
	found := false
	for _, e := range parse(t, c.Do("LATENCY", "LATEST")).([]any) {
		x := e.([]any)
		found = found || x[0] == "command" && x[3].(int64) >= 50
	}
	if !found {
		t.Error(c.Do("LATENCY", "LATEST"))
	}
	for _, words := range [][]string{{"GRAPH", "command"}, {"DOCTOR"}} {
		if got := bulk(t, c.Do(append([]string{"LATENCY"}, words...)...)); !strings.Contains(got, "command") {
			t.Error(got)
		}
	}
	if got := c.Do("LATENCY", "GRAPH", "nosuch"); got != "-ERR No samples available for event 'nosuch'\r\n" {
		t.Error(got)
	}
	if got := c.Do("LATENCY", "RESET", "nosuch", "COMMAND"); got != ":1\r\n" {
		t.Error(got)
	}
	if got := c.Do("LATENCY", "HISTORY", "command"); got != "*0\r\n" {
		t.Error(got)
	}
}
