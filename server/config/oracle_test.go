package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// ownDirectives are those that Redis does not have.
var ownDirectives = []string{"net-engine", "reactors", "reactor-cpulist", "shards"}

// newer are the directives that Redis 7.0 does not have.
var newer = append([]string{"cluster-announce-human-nodename", "locale-collate", "set-max-listpack-entries", "set-max-listpack-value"},
	ownDirectives...)

// pairsIn returns the elements of an array of bulk strings, two by two.
func pairsIn(t testing.TB, reply string) map[string]string {
	t.Helper()
	pairs := map[string]string{}
	var words []string
	_, reply, _ = strings.Cut(reply, "\r\n")
	for reply != "" {
		head, rest, _ := strings.Cut(reply, "\r\n")
		n, err := strconv.Atoi(strings.TrimPrefix(head, "$"))
		if err != nil {
			t.Fatalf("no bulk string: %q", reply)
		}
		words = append(words, rest[:n])
		reply = rest[n+2:]
	}
	for pair := range slices.Chunk(words, 2) {
		pairs[pair[0]] = pair[1]
	}
	return pairs
}

// TestGetAllOracle compares the names and defaults of all directives.
func TestGetAllOracle(t *testing.T) {
	redis := oracle.Redis(t)
	want := pairsIn(t, redis.Dial(t).Do("CONFIG", "GET", "*"))
	c := mustLoad(t, "", redis.Args...)
	for _, p := range c.Get("*") {
		name, got := p[0], p[1]
		switch shown, ok := want[name]; {
		case !ok && !slices.Contains(newer, name):
			t.Errorf("Redis has no %s", name)
		case ok && shown != got:
			t.Errorf("%s is %q, in Redis %q", name, got, shown)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// TestSetOracle gives every directive all sorts of values and compares reply and result.
func TestSetOracle(t *testing.T) {
	values := []string{"", "0", "1", "-1", "5", "42", "007", "+1", " 1", "1 ", "1.5", "abc", "YES", "no", "100mb", "1K", "1 kb", "2gb", "10%", "101%", "-5%", "%",
		"2147483647", "2147483648", "4294967296", "9223372036854775807", "-9223372036854775808", "-9223372036854775809", "777", "0778",
		"900 1", "900 1 300 10", "900  1", "0 1", "1 -1", "a b", "normal 0 0 0", "replica 1gb 64mb 60", "SLAVE 1 1 1", "normal 1 1", "master 0 0 0",
		"normal x 1 1", "pubsub 1mb 1 -1", "KEA", "KEg$lshzxetdmn", "AKm", "q", "10 20 30", "10 20 3000", "1 2", "50 99.9 100", "50 101", "99.123456789", "nan", "local",
		"nosave now", "save nosave", "DEBUG", "nothing", "allkeys-lru", "everysec", "relative", "absolute", "swapdb", "clients", "hostname", "a.b-c", "a_b",
		"{title} x", "{nosuch}", "{", "a/b", "x y", "quote\"s", strings.Repeat("h", 256), "optional", "panic", "default"}
	// These would cut the connection, change the process, or wait for things to happen.
	skip := []string{"maxmemory-clients", "client-output-buffer-limit", "port", "bind", "requirepass", "dir", "maxclients", "appendonly", "oom-score-adj", "oom-score-adj-values",
		"watchdog-period", "maxmemory", "timeout", "tls-port", "tls-cluster", "tls-replication", "loglevel", "activedefrag", "repl-backlog-size"}
	redis := oracle.Redis(t, "--enable-protected-configs", "yes")
	client := redis.Dial(t)
	for d := range directives.primary {
		if slices.Contains(newer, d.Name) || d.Name == "cluster-ping-interval" {
			continue
		}
		try := values
		if slices.Contains(skip, d.Name) {
			try = skippedValues[d.Name]
		}
		c := mustLoad(t, "", redis.Args...)
		for _, v := range try {
			compareSet(t, client, c, d.Name, v)
		}
		if d.Flags&Immutable == 0 {
			client.Do("CONFIG", "SET", d.Name, value(t, New(), d.Name))
		}
	}
}

// skippedValues are safe ones for directives that do not get all values.
var skippedValues = map[string][]string{
	"maxmemory-clients":          {"", "0", "10%", "101%", "-5%", "%", "abc", "1gb", "100%", "-1", "1.5"},
	"client-output-buffer-limit": {"", "normal 0 0 0", "replica 1gb 64mb 60", "SLAVE 1 1 1", "normal 1 1", "master 0 0 0", "normal x 1 1", "pubsub 1mb 1 -1", "pubsub 1mb 1 1 replica 0 0 0", "pubsub 1 1 1x"},
	"port":                       {"abc", "-1", "65536"},
	"maxclients":                 {"0", "-1", "abc", "100", "4294967296"},
	"maxmemory":                  {"abc", "-1", "1gb", "100mb", "0", "1t", "1.5gb", ""},
	"timeout":                    {"abc", "-1", "1000", "2147483648", "0"},
	"repl-backlog-size":          {"abc", "0", "-1", "1mb"},
	"loglevel":                   {"abc", "DEBUG", "verbose", "warning", "notice", ""},
	"activedefrag":               {"yes", "no", "abc"},
	"dir":                        {"/no/such/dir", "/etc/passwd", "", "/"},
	"oom-score-adj":              {"abc", "no", ""},
	"oom-score-adj-values":       {"1 2", "1 2 3000", "a b c", "1 2 3", ""},
	"appendonly":                 {"abc", "no"},
	"tls-replication":            {"abc", "no"},
}

// withoutOurs takes the eviction policies that Redis does not have from an error message.
func withoutOurs(text string) string {
	return strings.Replace(text, ", allkeys-s3fifo, allkeys-sieve, allkeys-wtinylfu", "", 1)
}

func compareSet(t *testing.T, client doer, c *Config, name, v string) {
	t.Helper()
	want := client.Do("CONFIG", "SET", name, v)
	got := "+OK\r\n"
	if err := c.Set([][2]string{{name, v}}, Caller{Local: true}); err != nil {
		got = "-ERR " + withoutOurs(err.Error()) + "\r\n"
	}
	if got != want {
		t.Errorf("CONFIG SET %s %q: %q, in Redis %q", name, v, got, want)
		return
	}
	if got, want := value(t, c, name), pairsIn(t, client.Do("CONFIG", "GET", name))[name]; got != want {
		t.Errorf("after CONFIG SET %s %q: %q, in Redis %q", name, v, got, want)
	}
}

func TestSetSeveralOracle(t *testing.T) {
	client := oracle.Redis(t).Dial(t)
	c := New()
	for _, words := range [][]string{
		{"hz", "20", "timeout", "100"},
		{"hz", "20", "hz", "30"},
		{"hz", "20", "HZ", "30"},
		{"busy-reply-threshold", "1", "lua-time-limit", "2"},
		{"hz", "21", "nosuch", "x", "daemonize", "yes"},
		{"hz", "22", "daemonize", "yes", "nosuch", "x"},
		{"hz", "23", "dir", "/", "nosuch", "x"},
		{"hz", "24", "Timeout", "x"},
		{"Slave-Read-Only", "x"},
		{"daemonize", "yes", "hz", "1", "hz", "2"},
	} {
		want := client.Do(append([]string{"CONFIG", "SET"}, words...)...)
		got := "+OK\r\n"
		if err := c.Set(pairsOf(words), Caller{Local: true}); err != nil {
			got = "-ERR " + err.Error() + "\r\n"
		}
		if got != want {
			t.Errorf("CONFIG SET %q: %q, in Redis %q", words, got, want)
		}
		for _, name := range []string{"hz", "timeout", "lua-time-limit"} {
			if got, want := value(t, c, name), pairsIn(t, client.Do("CONFIG", "GET", name))[name]; got != want {
				t.Errorf("after %q: %s is %q, in Redis %q", words, name, got, want)
			}
		}
	}
}

// TestStartErrorsOracle compares what a server says that cannot start.
func TestStartErrorsOracle(t *testing.T) {
	f := func(file string, args ...string) {
		t.Helper()
		dir := t.TempDir()
		if file != "" {
			path := filepath.Join(dir, "test.conf")
			writeFiles(t, dir, map[string]string{"test.conf": file})
			args = append([]string{path}, args...)
		}
		want := redisFailure(t, dir, args)
		got := ourFailure(t, args)
		if got = withoutOurs(got); got != want {
			t.Errorf("%q %q:\n%s\nin Redis:\n%s", file, args, got, want)
		}
	}
	f("foo bar\n")
	f("port 1\n\n# x\n  foo   'bar'  \n")
	f("", "--port")
	f("", "--port", "6379", "6380")
	f("", "--port", "--bla")
	f("", "--port", "6379", "--loglevel", "--bla")
	f("", "--shutdown-on-sigint")
	f("", "--shutdown-on-sigint", "now force nosuch")
	f("", "--shutdown-on-sigint", "save", "nosave")
	f("", "--replicaof", "127.0.0.1", "abc")
	f("", "--replicaof", "--127.0.0.1")
	f("", "--replicaof", "127.0.0.1", "65536")
	f("", "--invalid")
	f("", "--invalid", "x")
	f("", "-x", "y")
	f("", "--maxmemory '700mb")
	f("", "--maxmemory 700mx")
	f("", "--maxmemory", "7 00mb")
	f("", "--proc-title-template", "{x}")
	f("port 1\ntimeout 2", "--hz", "x")
	f("port 1\ntimeout 2\n", "--hz", "x")
	f("port 1\n", "--timeout", "1", "--hz", "x")
	f("port 1\nport 'x\n")
	f("port 1\nport \"x\"y\n")
	f("port\n")
	f("port 1 2\n")
	f("daemonize maybe\n")
	f("maxmemory 1x\n")
	f("maxmemory-clients 1x\n")
	f("maxmemory-clients 101%\n")
	f("maxclients 0\n")
	f("unixsocketperm 888\n")
	f("unixsocketperm 1000\n")
	f("tcp-backlog -1\n")
	f("save 1\n")
	f("save 0 1\n")
	f("save a b\n")
	f("bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n")
	f("client-output-buffer-limit normal 1 1\n")
	f("client-output-buffer-limit nosuch 1 1 1\n")
	f("client-output-buffer-limit normal x 1 1\n")
	f("oom-score-adj-values 1 2\n")
	f("oom-score-adj-values 1 2 2001\n")
	f("notify-keyspace-events q\n")
	f("notify-keyspace-events K E\n")
	f("latency-tracking-info-percentiles x\n")
	f("latency-tracking-info-percentiles 101\n")
	f("dir /no/such/dir\n")
	f("dir /etc/passwd\n")
	f("dir\n")
	f("dbfilename a/b\n")
	f("appendfilename ''\n")
	f("appendfilename a/b\n")
	f("appenddirname ''\n")
	f("appenddirname a/b\n")
	f("cluster-announce-hostname a_b\n")
	f("maxmemory-policy lru\n")
	f("syslog-facility local8\n")
	f("supervised maybe\n")
	f("loglevel loud\n")
	f("sentinel monitor a 127.0.0.1 1 1\n")
	f("rename-command a\n")
	f("include\n")
	f("user\n")
	f("loadmodule\n")
	f("a.b\n")
	f("list-max-ziplist-value 1 2\n")
	f("cluster-enabled yes\nreplicaof 127.0.0.1 1\n")
	f("logfile /no/such/dir/log\n")
	f("include /no/such/file\n")
	f("port 1\n", "/no/such/file", "x")
	f("", "/no/such/file.conf")
}

// logPrefix is what stands before a message in Redis' log.
var logPrefix = regexp.MustCompile(`(?m)^\d+:\w \d.*? # `)

func redisFailure(t *testing.T, dir string, args []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), oracle.Deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, oracle.Need(t), args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("%q: redis-server does not end with status 1: %v\n%s", args, err, out.String())
	}
	return logPrefix.ReplaceAllString(out.String(), "")
}

// sourceName is what we add to Redis' text.
var sourceName = regexp.MustCompile(`(?m)^(Reading the configuration file, at line \d+) \(.*\)$`)

func ourFailure(t *testing.T, args []string) string {
	t.Helper()
	cl, err := ParseArgs(args)
	if err == nil {
		_, err = (&Loader{}).Load(cl)
	}
	var fe *FileError
	switch {
	case err == nil:
		return "no error"
	case errors.As(err, &fe):
		return sourceName.ReplaceAllString(fe.Report("Redis 7.0.15"), "$1")
	}
	return err.Error() + "\n"
}

// TestCommandLineOracle starts servers with the same arguments and compares what CONFIG GET shows.
func TestCommandLineOracle(t *testing.T) {
	f := func(name string, args ...string) {
		t.Helper()
		dir := t.TempDir()
		writeFiles(t, dir, map[string]string{"test.conf": "save 900 1\nmaxmemory 1mb\nport 0\nunixsocket " + dir + "/sock\n"})
		args = append([]string{filepath.Join(dir, "test.conf")}, args...)
		client := spawnRedis(t, dir, args)
		c := mustLoadArgs(t, args)
		if got, want := value(t, c, name), pairsIn(t, client.Do("CONFIG", "GET", name))[name]; got != want {
			t.Errorf("%q: %s is %q, in Redis %q", args, name, got, want)
		}
	}
	f("save")
	f("save", "--save", "100", "100")
	f("save", "--save", "")
	f("save", "--save")
	f("save", "--save", "--timeout", "100")
	f("save", "--save 100 100 200 200")
	f("save", "--save", "100 100", "--save", "200", "200")
	f("save", "--save", "", "--save", "200", "200")
	f("maxmemory", "--maxmemory", "700mb")
	f("maxmemory", "--maxmemory 700mb")
	f("maxmemory", "--maxmemory '700mb'")
	f("maxmemory", "--maxmemory '700mb' ")
	f("loglevel", "loglevel", "verbose")
	f("loglevel", "--loglevel", "verbose")
	f("shutdown-on-sigint", "--shutdown-on-sigint", "nosave force now")
	f("shutdown-on-sigint", "--shutdown-on-sigint", "nosave", "force", "now")
	f("shutdown-on-sigterm", "--shutdown-on-sigterm", "nosave force")
	f("proc-title-template", "--proc-title-template", "--my--title--template")
	f("hz", "--hz", "9999", "--dynamic-hz", "no")
}

func mustLoadArgs(t *testing.T, args []string) *Config {
	t.Helper()
	cl, err := ParseArgs(args)
	if err != nil {
		t.Fatal(err)
	}
	c, err := (&Loader{}).Load(cl)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return c
}

// spawnRedis starts redis-server with exactly these arguments; it has to listen on dir/sock.
func spawnRedis(t *testing.T, dir string, args []string) doer {
	t.Helper()
	s, err := oracle.Spawn(oracle.Need(t), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	var conn *oracle.Conn
	oracle.WaitFor(t, "redis-server", func() bool {
		if s.Ended() {
			t.Fatalf("redis-server has ended:\n%s", s.Log())
		}
		c, err := oracle.Dial("unix", filepath.Join(dir, "sock"))
		conn = c
		return err == nil
	})
	t.Cleanup(func() { conn.Close() })
	return connClient{t, conn}
}

// doer sends a command to redis-server and returns the reply's bytes.
type doer interface{ Do(args ...string) string }

type connClient struct {
	t    *testing.T
	conn *oracle.Conn
}

func (c connClient) Do(args ...string) string {
	c.t.Helper()
	reply, err := c.conn.Do(args...)
	if err != nil {
		c.t.Fatalf("%q: %v", args, err)
	}
	return string(reply)
}

// TestRewriteOracle lets both rewrite the same files.
func TestRewriteOracle(t *testing.T) {
	f := func(file string, sets ...string) {
		t.Helper()
		dir := t.TempDir()
		path := filepath.Join(dir, "test.conf")
		writeFiles(t, dir, map[string]string{
			"inc.conf":  "timeout 99\n",
			"test.conf": fmt.Sprintf("port 0\nunixsocket %s/sock\ndir %s\n", dir, dir) + strings.ReplaceAll(file, "DIR", dir),
		})
		client := spawnRedis(t, dir, []string{path})
		c := mustLoadArgs(t, []string{path})
		for pair := range slices.Chunk(sets, 2) {
			compareSet(t, client, c, pair[0], pair[1])
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Rewrite([]string{"default on nopass ~* &* +@all"}); err != nil {
			t.Fatal(err)
		}
		ours, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		writeFiles(t, dir, map[string]string{"test.conf": string(before)})
		if reply := client.Do("CONFIG", "REWRITE"); reply != "+OK\r\n" {
			t.Fatalf("CONFIG REWRITE: %q", reply)
		}
		theirs, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sortAppended(string(ours)), sortAppended(string(theirs)); got != want {
			t.Errorf("%q %q:\n%s\nin Redis:\n%s", file, sets, got, want)
		}
	}
	f("")
	f("# a comment\n\n\n\nmaxmemory 100mb\n  hz 20\n\n# end", "maxmemory", "1gb", "hz", "10")
	f("save 900 1\nsave 300 10\nsave 60 10000\n", "save", "100 1")
	f("save 900 1\n", "save", "100 1 200 2 300 3")
	f("save 900 1\nsave 300 10\n", "save", "")
	f("client-output-buffer-limit normal 0 0 0\n", "client-output-buffer-limit", "pubsub 1mb 1 1")
	f("client-output-buffer-limit slave 1gb 1mb 5\nclient-output-buffer-limit pubsub 1 1 1\nclient-output-buffer-limit pubsub 1 1 1\nclient-output-buffer-limit normal 0 0 0\n")
	f("SLAVE-READ-ONLY no\nslave-priority 10\nhash-max-ziplist-entries 7\n", "replica-priority", "20")
	f("include DIR/inc.conf\ntimeout 1\nrename-command DEBUG x\n", "timeout", "2")
	f("lua-replicate-commands yes\nport 1\nport 2\n")
	f("masteruser \"a b\"\nmasterauth x\n", "masteruser", "c\n\"d\x01", "masterauth", "")
	f("bind 127.0.0.1\nbind 127.0.0.1 ::1\n", "notify-keyspace-events", "KEA", "oom-score-adj-values", "1 2 3")
	f("notify-keyspace-events Ex\nlatency-tracking-info-percentiles 50\n", "notify-keyspace-events", "", "latency-tracking-info-percentiles", "")
	f("unixsocketperm 700\nmaxmemory-clients 5%\nproto-max-bulk-len 100mb\nshutdown-on-sigint nosave now\n", "maxmemory-clients", "1gb")
	f("# Generated by CONFIG REWRITE\nhz 5\n", "timeout", "5", "logfile", "x")
	f("maxmemory-policy allkeys-lru\nappendfsync no\naclfile ''\nlogfile ''\npidfile DIR/pid\n", "maxmemory-policy", "noeviction", "cluster-announce-ip", "1.2.3.4")
	f("rename-command FLUSHALL ''\nloglevel verbose\n", "loglevel", "warning")
}

// sortAppended sorts what stands after the signature: Redis appends in the order of its hash table.
func sortAppended(text string) string {
	kept, appended, found := strings.Cut(text, rewriteSignature+"\n")
	if !found {
		return text
	}
	lines := strings.Split(strings.TrimSuffix(appended, "\n"), "\n")
	slices.Sort(lines)
	return kept + rewriteSignature + "\n" + strings.Join(lines, "\n") + "\n"
}
