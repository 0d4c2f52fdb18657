package server

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/shard"
)

// shapes are the servers that INFO is asked of: with one reactor it is answered at once, with two the other one is asked.
var shapes = [][]string{{"--reactors", "1"}, {"--reactors", "2"}}

// bulk returns the text of a bulk or verbatim reply.
func bulk(t testing.TB, reply string) string {
	t.Helper()
	head, body, ok := strings.Cut(reply, "\r\n")
	if !ok || !strings.ContainsAny(head[:1], "$=") {
		t.Fatalf("not a bulk reply: %q", reply)
	}
	return strings.TrimSuffix(body, "\r\n")
}

func intField(t testing.TB, fields map[string]string, name string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(fields[name], 10, 64)
	if err != nil {
		t.Fatalf("%s:%s is no number", name, fields[name])
	}
	return n
}

var infoLine = regexp.MustCompile(`^(# [A-Za-z]+|[A-Za-z0-9_.|-]+:.*)?$`)

func TestInfoLines(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	c.Do("SET", "k", "v", "EX", "100")
	c.Do("NOSUCH")
	text := bulk(t, c.Do("INFO", "everything", "debug"))
	if !strings.HasSuffix(text, "\r\n") {
		t.Errorf("the last line has no end")
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if !infoLine.MatchString(line) || strings.ContainsAny(line, "\r\n") {
			t.Errorf("bad line %q", line)
		}
		name, _, _ := strings.Cut(line, ":")
		if name != "" && seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
	}
}

func TestInfoChoosesSections(t *testing.T) {
	f := func(args, want string) {
		t.Helper()
		var list [][]byte
		for _, a := range strings.Fields(args) {
			list = append(list, []byte(a))
		}
		var got []string
		for _, s := range infoChosen(list) {
			got = append(got, s.name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("INFO %s: %q, want %q", args, got, want)
		}
	}
	const usual = "server clients memory persistence stats replication cpu modules errorstats cluster keyspace"
	const all = "server clients memory persistence stats replication cpu modules commandstats errorstats latencystats cluster keyspace"
	f("", usual)
	f("default", usual)
	f("DEFAULT cpu CPU", usual)
	f("all", all)
	f("Everything", all)
	f("default commandstats", strings.Replace(usual, "modules", "modules commandstats", 1))
	f("keyspace cpu Keyspace", "cpu keyspace")
	f("nosuch", "")
	f("nosuch module_list", "modules")
	f("all debug", all+" debug")
}

// Every field that redis-server shows is there.
func TestInfoHasRedisFields(t *testing.T) {
	r, s := oracle.Redis(t).Dial(t), oracle.Shoal(t).Dial(t)
	want, got := r.Info("everything"), s.Info("everything")
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[name]; !ok && !strings.HasPrefix(name, "cmdstat_") && !strings.HasPrefix(name, "latency_") {
			t.Errorf("no field %s", name)
		}
	}
}

func TestInfoCounts(t *testing.T) {
	for _, args := range shapes {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			c := oracle.Shoal(t, args...).Dial(t)
			// The connection that found the server ready may not be gone yet.
			oracle.WaitFor(t, "a single client", func() bool {
				return c.Info("clients")["connected_clients"] == "1"
			})
			before := c.Info("everything")
			c.Do("SET", "a", "1")
			c.Do("SET", "b", "2", "PX", "100000000")
			c.Do("GET", "a")
			c.Do("GET", "nosuch")
			c.Do("NOSUCH")
			c.Do("CONFIG", "GET", "port")
			c.Do("INCR")
			c.Do("SELECT", "3")
			c.Do("SET", "c", "text")
			c.Do("INCR", "c")
			after := c.Info("everything")
			for name, want := range map[string]int64{
				"keyspace_hits": 1, "keyspace_misses": 1, "rdb_changes_since_last_save": 3, "total_error_replies": 3,
				"total_connections_received": 0, "connected_clients": 0, "blocked_clients": 0, "rejected_connections": 0,
				"total_commands_processed": 9, // without those that were rejected, and one INFO
			} {
				if got := intField(t, after, name) - intField(t, before, name); got != want {
					t.Errorf("%s grew by %d, want %d", name, got, want)
				}
			}
			for name, want := range map[string]string{
				"db0": `keys=2,expires=1,avg_ttl=9\d{7}|keys=2,expires=1,avg_ttl=100000000`, "db3": `keys=1,expires=0,avg_ttl=0`, "errorstat_ERR": `count=3`,
				"cmdstat_set":        `calls=3,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,failed_calls=0`,
				"cmdstat_config|get": `calls=1,.*`,
				"cmdstat_incr":       `calls=1,.*,rejected_calls=1,failed_calls=1`,
			} {
				if !regexp.MustCompile(`^(` + want + `)$`).MatchString(after[name]) {
					t.Errorf("%s:%s, want %s", name, after[name], want)
				}
			}
			if after["cmdstat_getdel"] != "" {
				t.Errorf("a command that was never called has statistics: %s", after["cmdstat_getdel"])
			}
		})
	}
}

func TestInfoCountsBytes(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	value := strings.Repeat("x", 3<<20) // sent from where it lies
	sent, got := 0, 0
	do := func(args ...string) {
		sent += len(oracle.AppendCommand(nil, args...))
		got += len(c.Do(args...))
	}
	info := []string{"INFO", "stats"}
	before := c.Info("stats")
	first := len(c.Do(info...)) // its length changes with the digits
	do("PING")
	do("SET", "k", value)
	do("GET", "k")
	do("GET", "nosuch")
	after := c.Info("stats")
	in := intField(t, after, "total_net_input_bytes") - intField(t, before, "total_net_input_bytes")
	if want := int64(sent + 2*len(oracle.AppendCommand(nil, info...))); in != want {
		t.Errorf("%d bytes received, want %d", in, want)
	}
	out := intField(t, after, "total_net_output_bytes") - intField(t, before, "total_net_output_bytes")
	if want := int64(got + 2*first); out < want-200 || out > want+200 {
		t.Errorf("%d bytes sent, want about %d", out, want)
	}
}

func TestConfigResetStat(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	c.Do("SET", "k", "v")
	c.Do("GET", "k")
	c.Do("NOSUCH")
	c.Do("CONFIG", "RESETSTAT")
	got := c.Info("everything")
	for _, name := range []string{"keyspace_hits", "total_error_replies", "total_connections_received", "expired_keys"} {
		if got[name] != "0" {
			t.Errorf("%s:%s after CONFIG RESETSTAT", name, got[name])
		}
	}
	for _, name := range []string{"cmdstat_set", "errorstat_ERR"} {
		if v, ok := got[name]; ok {
			t.Errorf("%s:%s after CONFIG RESETSTAT", name, v)
		}
	}
	if got["rdb_changes_since_last_save"] != "1" {
		t.Errorf("rdb_changes_since_last_save:%s, want 1", got["rdb_changes_since_last_save"])
	}
}

// used_memory follows the data up and down, and the peak stays.
func TestInfoMemory(t *testing.T) {
	const payload = 24 << 20
	for _, args := range shapes {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			c := oracle.Shoal(t, args...).Dial(t)
			used := func() int64 { return c.InfoInt("memory", "used_memory") }
			empty := used()
			c.Do("DEBUG", "POPULATE", "24000", "k", "1000")
			if grown := used() - empty; grown < payload*9/10 || grown > payload*3/2 {
				t.Errorf("used_memory grew by %d with %d bytes of data", grown, payload)
			}
			full := c.Info("memory")
			if rss := intField(t, full, "used_memory_rss"); rss < intField(t, full, "used_memory") {
				t.Errorf("used_memory_rss:%d is less than used_memory:%s", rss, full["used_memory"])
			}
			if a, b := intField(t, full, "allocator_allocated"), intField(t, full, "allocator_active"); a > b {
				t.Errorf("%d bytes allocated in %d bytes of pages", a, b)
			}
			c.Do("FLUSHALL")
			oracle.WaitFor(t, "used_memory to fall", func() bool { return used() < empty+payload/10 })
			if peak, most := c.InfoInt("memory", "used_memory_peak"), intField(t, full, "used_memory"); peak < most {
				t.Errorf("used_memory_peak:%d, though %d were used", peak, most)
			}
		})
	}
}

func TestInfoIsVerbatim(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	if got := c.Do("INFO", "cluster"); got != "$30\r\n# Cluster\r\ncluster_enabled:0\r\n\r\n" {
		t.Errorf("RESP2: %q", got)
	}
	c.Do("HELLO", "3")
	if got := c.Do("INFO", "cluster"); got != "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n" {
		t.Errorf("RESP3: %q", got)
	}
	if got := c.Do("INFO", "nosuch"); got != "=4\r\ntxt:\r\n" {
		t.Errorf("unknown section: %q", got)
	}
}

func TestHumanBytes(t *testing.T) {
	f := func(n int64, want string) {
		t.Helper()
		if got := humanBytes(n); got != want {
			t.Errorf("humanBytes(%d) = %s, want %s", n, got, want)
		}
	}
	f(0, "0B")
	f(1023, "1023B")
	f(1024, "1.00K")
	f(1<<20-1, "1024.00K")
	f(3<<20, "3.00M")
	f(25276514304, "23.54G")
	f(5<<40, "5.00T")
	f(1<<62, "4096.00P")
}

func TestLag(t *testing.T) {
	var l shard.Lag
	if got := lagMS(&l, 0.99); got != 0 {
		t.Errorf("no keys: %d", got)
	}
	l[0], l[3], l[6] = 90, 9, 1
	for part, want := range map[float64]int64{0.5: 0, 0.9: 0, 0.95: 7, 0.99: 7, 1: 63} {
		if got := lagMS(&l, part); got != want {
			t.Errorf("lagMS(%v) = %d, want %d", part, got, want)
		}
	}
}
