package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestTable checks the table against itself.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	v := defaults()
	for _, e := range directives.all {
		if seen[e.name] || e.name != strings.ToLower(e.name) {
			t.Errorf("%s: name is taken or not in lower case", e.name)
		}
		seen[e.name] = true
		if e.NoEffect != "" && e.Later != "" {
			t.Errorf("%s: both NoEffect and Later", e.name)
		}
		if !strings.HasSuffix(e.Help, ".") {
			t.Errorf("%s: help %q is no sentence", e.name, e.Help)
		}
		before := e.Kind.get(v)
		args := runtimeArgs(e.Directive, before)
		if err := e.Kind.set(v, args, source{}); err != nil && e.Name != "replicaof" {
			t.Errorf("%s cannot be set to its default %q: %v", e.name, before, err)
		}
		if after := e.Kind.get(v); after != before {
			t.Errorf("%s set to %q shows %q", e.name, before, after)
		}
	}
}

// TestFields makes sure that no two directives share a field.
func TestFields(t *testing.T) {
	for d := range directives.primary {
		v := defaults()
		if !changeSomehow(d, v) {
			t.Errorf("%s: found no other value", d.Name)
		}
		def := defaults()
		for other := range directives.primary {
			if other != d && other.Kind.get(v) != other.Kind.get(def) {
				t.Errorf("%s changes %s too", d.Name, other.Name)
			}
		}
	}
}

// changeSomehow sets d to some value that is not the default.
func changeSomehow(d *Directive, v *Values) bool {
	before := d.Kind.get(v)
	for _, try := range []string{"yes", "no", "1", "2", "8", "2000000", "x", "local", "systemd", "local1", "always", "allkeys-lru", "hostname",
		"panic", "swapdb", "gnet", "absolute", "allchannels", "optional", "save", "debug", "0-1", "1 2", "1 2 3", "KEA", "normal 1 1 1", "/", "127.0.0.1"} {
		after := *v
		args := strings.Fields(try)
		if d.Flags&MultiArg == 0 {
			args = []string{try}
		}
		if d.Kind.set(&after, args, source{}) == nil && d.Kind.get(&after) != before {
			*v = after
			return true
		}
	}
	return false
}

func TestGet(t *testing.T) {
	c := New()
	f := func(want string, patterns ...string) {
		t.Helper()
		var got []string
		for _, p := range c.Get(patterns...) {
			got = append(got, p[0]+"="+p[1])
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("Get(%q): %s", patterns, text)
		}
	}
	f("maxmemory=0", "maxmemory")
	f("MaxMemory=0", "MaxMemory") // a name comes back as it was asked
	f("maxmemory=0 maxmemory-policy=noeviction", "maxmemory", "MAXMEMORY-P*")
	f("maxmemory=0", "maxmemory", "maxmemory", "maxmemor?")
	f("replicaof= slaveof=", "replicaof", "slaveo[f]")
	f("hash-max-ziplist-value=64", "hash-max-ziplist-value")
	f("", "nosuch", "nosuch*")
	f("", "key-load-dela?") // hidden
	f("key-load-delay=0", "key-load-delay")
	f("unixsocketperm=0", "unixsocketperm")
}

func TestSet(t *testing.T) {
	c := New()
	set := func(want string, pairs ...string) {
		t.Helper()
		got := ""
		if err := c.Set(pairsOf(pairs), Caller{}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("Set(%q): %q", pairs, got)
		}
	}
	set("", "maxmemory", "100mb", "timeout", "5")
	if v := c.Load(); v.MaxMemory != 100<<20 || v.TimeoutSec != 5 {
		t.Errorf("maxmemory %d, timeout %d", v.MaxMemory, v.TimeoutSec)
	}
	// Nothing changes when one value is bad.
	set("CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer", "maxmemory", "1", "timeout", "x")
	if v := c.Load(); v.MaxMemory != 100<<20 {
		t.Errorf("maxmemory %d", v.MaxMemory)
	}
	set("CONFIG SET failed (possibly related to argument 'Port') - duplicate parameter", "port", "1", "Port", "2")
	set("", "lua-time-limit", "1", "busy-reply-threshold", "2") // two names may be set both
	set("CONFIG SET failed (possibly related to argument 'dir') - can't set protected config", "dir", "/")
	set("CONFIG SET failed (possibly related to argument 'DAEMONIZE') - can't set immutable config", "DAEMONIZE", "yes", "nosuch", "1")
	set("Unknown option or number of arguments for CONFIG SET - 'nosuch'", "nosuch", "1", "daemonize", "yes")
	set("", "save", "")
	set("", "maxmemory-clients", "10%")
	if got := c.Load().ClientMemoryLimit(); got != 10<<20 {
		t.Errorf("10%% of 100 MB are %d", got)
	}
	set("CONFIG SET failed (possibly related to argument 'shards') - can't set immutable config", "shards", "64")

	if err := c.Set([][2]string{{"appendonly", "yes"}}, Caller{Loading: true}); err != ErrLoading {
		t.Errorf("appendonly while loading: %v", err)
	}
}

// TestSetToSame gives settings that cannot change the value that they have, and another.
func TestSetToSame(t *testing.T) {
	c := mustLoad(t, "shards 64")
	if err := c.Set([][2]string{{"shards", "64"}, {"maxmemory", "1mb"}, {"net-engine", value(t, c, "net-engine")}}, Caller{}); err != nil || c.Load().MaxMemory != 1<<20 {
		t.Error(err, c.Load().MaxMemory)
	}
	for _, p := range [][2]string{{"shards", "128"}, {"reactors", "3"}, {"databases", "16"}} {
		if err := c.Set([][2]string{p}, Caller{}); err == nil || !strings.HasSuffix(err.Error(), "can't set immutable config") {
			t.Errorf("%s: %v", p[0], err)
		}
	}
}

func TestSetProtected(t *testing.T) {
	dir := t.TempDir()
	c := mustLoad(t, "enable-protected-configs local")
	pairs := [][2]string{{"dir", dir}}
	if err := c.Set(pairs, Caller{}); err == nil {
		t.Error("another machine changed dir")
	}
	if err := c.Set(pairs, Caller{Local: true}); err != nil || c.Load().Dir == "" || value(t, c, "dir") != c.Load().Dir {
		t.Errorf("dir: %v, %q", err, value(t, c, "dir"))
	}
	err := c.Set([][2]string{{"dir", dir + "/missing"}}, Caller{Local: true})
	if err == nil || !strings.HasSuffix(err.Error(), "- No such file or directory") {
		t.Errorf("missing directory: %v", err)
	}
}

func pairsOf(words []string) [][2]string {
	var pairs [][2]string
	for pair := range slices.Chunk(words, 2) {
		pairs = append(pairs, [2]string{pair[0], pair[1]})
	}
	return pairs
}

func TestOnChange(t *testing.T) {
	c := New()
	var calls []string
	note := func(name string) Hook {
		return func(old, new *Values) error {
			if c.Load() != old && c.Load() != new {
				t.Error("neither the old nor the new values are published")
			}
			calls = append(calls, name)
			return nil
		}
	}
	failing := func(old, new *Values) error {
		calls = append(calls, "port")
		if new.Port == 1 {
			return errors.New("Unable to listen on this port. Check server logs.")
		}
		return nil
	}
	c.OnChange(note("memory"), "maxmemory", "maxmemory-policy")
	c.OnChange(failing, "port")
	c.OnChange(note("last"), "hz")
	f := func(wantErr, wantCalls string, pairs ...string) {
		t.Helper()
		calls = nil
		errText := ""
		if err := c.Set(pairsOf(pairs), Caller{}); err != nil {
			errText = err.Error()
		}
		if errText != wantErr || strings.Join(calls, " ") != wantCalls {
			t.Errorf("Set(%q): %q, calls %q", pairs, errText, calls)
		}
	}
	f("", "memory", "maxmemory", "1", "maxmemory-policy", "allkeys-lru")
	f("", "", "maxmemory", "1")
	f("", "last memory", "hz", "20", "maxmemory", "2")
	f("CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
		"memory port memory port", "maxmemory", "3", "port", "1", "hz", "30")
	if v := c.Load(); v.MaxMemory != 2 || v.Port != 6379 || v.Hz != 20 {
		t.Errorf("after a failure: %d %d %d", v.MaxMemory, v.Port, v.Hz)
	}
	f("", "port", "port", "2")
}

func TestActiveDefrag(t *testing.T) {
	c := New()
	if err := c.Set([][2]string{{"activedefrag", "yes"}}, Caller{}); err == nil {
		t.Error("CONFIG SET activedefrag yes succeeds")
	}
	c = mustLoad(t, "activedefrag yes")
	if err := c.Set([][2]string{{"activedefrag", "yes"}}, Caller{}); err != nil {
		t.Errorf("a value that is shown cannot be set: %v", err)
	}
}

func TestUpdate(t *testing.T) {
	c := New()
	before := c.Load()
	c.Update(func(v *Values) { v.ReplicaOf = Master{"127.0.0.1", 6380} })
	if before.ReplicaOf.Host != "" {
		t.Error("published values were changed")
	}
	if got := value(t, c, "slaveof"); got != "127.0.0.1 6380" {
		t.Errorf("slaveof %q", got)
	}
}

func TestIneffective(t *testing.T) {
	c := mustLoad(t, "io-threads 4\nreplica-priority 10\nport 7000\nsave 3600 1 300 100 60 10000")
	var got []string
	for _, i := range c.Ineffective() {
		got = append(got, i.Name)
		if i.Reason == "" {
			t.Errorf("%s: no reason", i.Name)
		}
	}
	if !slices.Equal(got, []string{"io-threads", "replica-priority"}) {
		t.Errorf("%q", got)
	}
}

func TestIsSensitive(t *testing.T) {
	for name, want := range map[string]bool{"RequirePass": true, "masterauth": true, "port": false, "nosuch": false} {
		if IsSensitive(name) != want {
			t.Errorf("%s", name)
		}
	}
}

func TestProcTitle(t *testing.T) {
	f := func(text, configFile, want string) {
		t.Helper()
		if got := mustLoad(t, text).Load().ProcTitle("/bin/shoal-server", configFile); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
	f("", "", "/bin/shoal-server *:6379")
	f("bind 127.0.0.1\nport 7\ncluster-enabled yes", "", "/bin/shoal-server 127.0.0.1:7 [cluster]")
	f("port 0\nunixsocket /tmp/s", "", "/bin/shoal-server unixsocket:/tmp/s")
	f("proc-title-template \"{{{port} {tls-port} {unixsocket}x {config-file}\"", "/etc/c", "{6379 0 x /etc/c")
}

func TestLoadAllocs(t *testing.T) {
	c := New()
	sum := 0
	if n := testing.AllocsPerRun(100, func() { sum += c.Load().Port }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSystemChecks(t *testing.T) {
	var b strings.Builder
	checks := []Check{{Name: "a"}, {Name: "b", Problem: "broken"}, {Name: "c", Skipped: true}}
	if ReportChecks(&b, checks) {
		t.Error("a problem was not noticed")
	}
	if got := b.String(); got != "[a]...OK\n[b]...WARNING:\nbroken\n[c]...skipped\n" {
		t.Errorf("%q", got)
	}
	for _, c := range SystemChecks(t.TempDir(), 511) {
		if !c.Skipped {
			t.Errorf("%s looked at nothing", c.Name)
		}
	}
}

func TestSystemChecksProblems(t *testing.T) {
	root := t.TempDir()
	writeFiles(t, root, map[string]string{
		"sys/devices/system/clocksource/clocksource0/current_clocksource": "xen\n",
		"proc/sys/vm/overcommit_memory":                                   "2\n",
		"sys/kernel/mm/transparent_hugepage/enabled":                      "always madvise [never]\n",
		"proc/sys/net/core/somaxconn":                                     "128\n",
	})
	for _, c := range SystemChecks(root, 511) {
		if c.Problem == "" {
			t.Errorf("%s: no problem", c.Name)
		}
	}
}
