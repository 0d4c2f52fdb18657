package bench

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/bench/load"
	"github.com/shoaldb/shoal/internal/oracle"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }

// small are flags that make a comparison take no time. CPUs are left open: the machine may have one.
var small = []string{"--runs", "2", "--time", "20ms", "--warmup", "10ms", "--attempts", "1", "--keys", "500", "--server-cpus", "", "--client-cpus", ""}

// command runs a subcommand on redis-server, which stands in for both sides.
func command(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	err = Main(context.Background(), slices.Concat(args[:1], small, args[1:]), &out, &errs)
	if err != nil {
		t.Log(errs.String())
	}
	return out.String(), err
}

func needUsage(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the CPU time of servers can be read on Linux only")
	}
}

func TestVersus(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	dir := t.TempDir()
	out, err := command(t, "vs", "--a", redis, "--b", redis+" --hz 20", "--scenarios", "get-p16,set-1k-p1,get-rate-50k", "--benchstat", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`(?m)^get-p16 +\d+\.\d+ +\d+\.\d+ +\d+\.\d+ +\d+\.\d+-\d+\.\d+ +\d+ +\d+ +\d+%$`,
		`(?m)^set-1k-p1 `,
		`(?m)^  B  p50 \d+\.\d+ ms  p99 \d+\.\d+ ms  p99\.9 \d+\.\d+ ms$`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("output lacks %s:\n%s", want, out)
		}
	}
	for _, name := range []string{"a.txt", "b.txt"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(regexp.MustCompile(`(?m)^BenchmarkServer/get-p16 \d+ \d+\.\d+ server-ns/op \d+ ops/s \d+ p99-ns$`).FindAllString(string(b), -1)); n != 2 {
			t.Errorf("%s has %d lines on get-p16, want 2:\n%s", name, n, b)
		}
	}
}

func TestOldNew(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	out, err := command(t, "ab", "--old", redis, "--new", redis, "--args", "--hz 20", "--scenario", "set-p16")
	if err != nil || !strings.Contains(out, "\nset-p16 ") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := command(t, "ab", "--old", redis); err == nil {
		t.Error("ab needs both --old and --new")
	}
}

// TestMissingCommand: a scenario that one server cannot run is reported, and the others run.
func TestMissingCommand(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	out, err := command(t, "vs", "--a", redis, "--b", redis+" --rename-command GET nope", "--scenarios", "get-p16,set-p16")
	if err != nil || !regexp.MustCompile(`(?m)^get-p16 +B: ERR unknown command`).MatchString(out) || !strings.Contains(out, "\nset-p16 ") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDataTypes: scenarios on collections bring their data along, before the first run or before each.
func TestDataTypes(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	out, err := command(t, "vs", "--a", redis, "--b", redis, "--scenarios", "lpop-p16,lrange100-p16,sadd-p16,sinter-p16")
	if err != nil || len(regexp.MustCompile(`(?m)^\w+-p16 +\d+\.\d+ +\d+\.\d+ `).FindAllString(out, -1)) != 4 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPrograms: scripts, transactions and messages are counted as what they are.
func TestPrograms(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	out, err := command(t, "vs", "--a", redis, "--b", redis, "--scenarios", "evalsha-*,multi10-*,publish-*")
	if err != nil || len(regexp.MustCompile(`(?m)^[a-z0-9-]+ +\d+\.\d+ +\d+\.\d+ `).FindAllString(out, -1)) != len(programs) {
		t.Errorf("%v\n%s", err, out)
	}

	s, err := Start(context.Background(), Contender{Label: "X", Command: []string{redis}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	found, err := FindScenarios("multi10-p16")
	if err != nil {
		t.Fatal(err)
	}
	g, err := load.Dial(load.Options{Address: s.Address, Conns: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	w := found[0].workload(0, 100, 1)
	w.Requests = 1000
	r, err := g.Run(context.Background(), w)
	if err != nil || r.Requests != 1000 || r.Errors != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if text, err := s.client.Text("INFO", "commandstats"); err != nil || !strings.Contains(text, "cmdstat_exec:calls=1000,") || !strings.Contains(text, "cmdstat_set:calls=10000,") {
		t.Errorf("%s, %v", text, err)
	}
}

// TestAudience: every subscriber's messages are counted, and a subscriber that is lost is noticed.
func TestAudience(t *testing.T) {
	redis := oracle.Need(t)
	ctx := context.Background()
	s, err := Start(ctx, Contender{Label: "X", Command: []string{redis}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	a, err := load.Listen(load.Options{Address: s.Address, Conns: 7}, channel)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, size := range []int{0, 10, 100_000} { // more than a read takes
		if n, err := s.Do("PUBLISH", channel, strings.Repeat("x", size)); n != int64(7) {
			t.Errorf("PUBLISH: %v, %v", n, err)
		}
	}
	if err := a.Await(ctx, 21); err != nil || a.Heard() != 21 {
		t.Errorf("%d messages, %v", a.Heard(), err)
	}
	if _, err := s.Do("CLIENT", "KILL", "TYPE", "pubsub"); err != nil {
		t.Error(err)
	}
	if err := a.Await(ctx, 22); err == nil {
		t.Error("subscribers were lost, and nobody noticed")
	}
}

// TestCollections checks by what they leave behind that the feeds are what their titles say.
func TestCollections(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	for i, ask := range [][]string{
		{"HLEN", "hash:00000000000"}, {"SCARD", "set:000000000001"}, {"ZCARD", "zset:00000000000"},
		{"ZCARD", "zset"}, {"LLEN", "list"}, {"HLEN", "hash"}, {"XLEN", "stream"},
	} {
		m := &CollectionCases[i]
		s, err := Start(context.Background(), Contender{Label: "X", Command: []string{redis}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Stop()
		if err := m.feed.send(s.client, 1000); err != nil {
			t.Fatal(err)
		}
		want := []int64{10, 20, 100, 5000, 10_000, 5000, 5000}[i]
		if got, err := s.Do(ask...); got != want {
			t.Errorf("%s: %v and %v, want %d", m.Title, got, err, want)
		}
	}
	r, err := measureCollection(context.Background(), Contender{Label: "X", Command: []string{redis}}, &CollectionCases[6], 100)
	if err != nil || r.Err != "" || r.Growth < 100_000 {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = measureCollection(context.Background(), Contender{Label: "X", Command: []string{redis, "--rename-command", "XADD", "nope"}}, &CollectionCases[6], 100)
	if err != nil || !strings.HasPrefix(r.Err, "ERR unknown command 'XADD'") {
		t.Errorf("%+v, %v", r, err)
	}
}

// What insight costs is measured with it and without it, on one server.
func TestInsight(t *testing.T) {
	needUsage(t)
	out, err := command(t, "insight", "--redis", "", "--shoal", oracle.ShoalPath(t), "--cases", "monitor,acl-keys")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`(?m)^MONITOR with one reader$`, `(?m)^  Shoal, 1 +get-p16 +\d+\.\d+ µs/op, and with it +\d+\.\d+: +[+-]\d+\.\d %`, `(?m)^  Shoal, 1 +set-p100 `} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("output lacks %s:\n%s", want, out)
		}
	}
	if _, err := command(t, "insight", "--cases", "nosuch"); err == nil {
		t.Error("a case that does not exist")
	}
}

// A server at its limit is measured, and the report shows it.
func TestLimit(t *testing.T) {
	needUsage(t)
	o := limitFlags{shoal: oracle.ShoalPath(t), policies: "allkeys-wtinylfu,volatile-ttl", valueBytes: 32, pipeline: 16}
	o.plan = Plan{Runs: 1, Time: 100 * time.Millisecond, Threads: 1, Keys: 20_000}
	for _, c := range o.contestants() {
		r, err := o.atLimit(context.Background(), c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Limit <= 0 || r.Peak <= 0 || r.Keys <= 0 || r.efficiency() <= 0 || medianP999(r.LatencyAt) <= 0 || r.WaitMax < r.WaitP999 || r.WaitP999 <= 0 {
			t.Errorf("%+v", r)
		}
		var b strings.Builder
		limitTable(&b, &Results{Limit: []*LimitResult{r}})
		if !strings.Contains(b.String(), "\n| shoal "+c.policy+" | ") {
			t.Error(b.String())
		}
	}
}

func TestServersThatDoNotStart(t *testing.T) {
	f := func(command, want string) {
		t.Helper()
		c, err := ParseContender("X", command, nil)
		if err == nil {
			_, err = Start(context.Background(), c)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", command, err, want)
		}
	}
	f("", "no command for server X")
	f("/nonexistent/server", "no such file")
	f(oracle.Need(t)+" --no-such-option 1", "Bad directive or wrong number of arguments")
}

// TestReport runs one contest and the small memory cases, and writes everything.
func TestReport(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	dir := t.TempDir()
	r := &reporter{redis: redis, shoal: oracle.ShoalPath(t), results: &Results{}, progress: &bytes.Buffer{}}
	r.plan = Plan{Runs: 1, Time: 20 * time.Millisecond, WarmUp: 10 * time.Millisecond, Keys: 500}
	results := filepath.Join(dir, "results.json")
	var err error
	if r.results, err = readResults(results); err != nil {
		t.Fatal(err)
	}
	if err := r.choose("latency"); err != nil {
		t.Fatal(err)
	}
	if err := r.measure(context.Background(), results); err != nil {
		t.Fatal(err)
	}
	again, err := readResults(results)
	if err != nil || len(again.Contests["latency"]) != 2 || len(again.Contests["latency"][0].A) != 1 {
		t.Errorf("%+v, %v", again, err)
	}
	for _, m := range []MemoryCase{{Name: "idle"}, {Name: "some", Keys: 1000, ExpireSec: 100}} {
		got, err := measureMemory(context.Background(), r.plan, Contender{Label: "X", Command: []string{redis}}, m)
		if err != nil || got.RSS < 1<<20 || got.UsedMemory == "" {
			t.Errorf("%s: %+v, %v", m.Name, got, err)
		}
	}
}

func TestReportRefusesUnknownParts(t *testing.T) {
	if err := (&reporter{}).choose("latency,nope"); err == nil {
		t.Error(`"nope" is a part`)
	}
}

// TestPersistence saves and loads a little on both servers, and looks at latency meanwhile.
func TestPersistence(t *testing.T) {
	needUsage(t)
	r := &reporter{redis: oracle.Need(t), shoal: oracle.ShoalPath(t), results: &Results{Commands: map[string]string{}}, progress: &bytes.Buffer{}, shrink: 1000, taskRuns: 1}
	r.plan = Plan{Runs: 1, Time: 20 * time.Millisecond, WarmUp: 10 * time.Millisecond, Keys: 500}
	if err := r.persistence(context.Background()); err != nil {
		t.Fatal(err)
	}
	p := r.results.Persistence
	if len(p.Tasks) != len(tasks)*len(DataCases) || len(p.Beside) != 2 {
		t.Errorf("%+v", p)
	}
	for name, pair := range p.Tasks {
		if len(pair.Redis) != 1 || len(pair.Shoal) != 1 || pair.Redis[0].Sec <= 0 || pair.Shoal[0].Sec <= 0 {
			t.Errorf("%s: %+v", name, pair)
		}
	}
	for label, runs := range p.Beside {
		if len(runs) != 1 || runs[0].Without.Requests == 0 || runs[0].With.Requests == 0 || runs[0].Sec <= 0 {
			t.Errorf("%s: %+v", label, runs)
		}
	}
}

// TestBeside: other clients send beside the load that is measured, as long as that lasts.
func TestBeside(t *testing.T) {
	needUsage(t)
	redis := oracle.Need(t)
	out, err := command(t, "vs", "--a", redis, "--b", redis, "--time", "100ms", "--scenarios", "get-beside-set,get-p1")
	if err != nil || len(regexp.MustCompile(`(?m)^get-\S+ +\d+\.\d+ +\d+\.\d+ `).FindAllString(out, -1)) != 2 {
		t.Errorf("%v\n%s", err, out)
	}
}
