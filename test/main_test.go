package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestMain(m *testing.M) { os.Exit(runMain(m)) }

func runMain(m *testing.M) int {
	code := oracle.Main(m)
	if !pool.killAll() {
		return 1
	}
	return code
}

// pool holds the servers that tests share, by their command lines.
var pool servers

type servers struct {
	mu  sync.Mutex
	dir string
	all map[string]*oracle.Server
}

// get returns the running server of these arguments, a new one if there is none or it has ended.
func (p *servers) get(t testing.TB, path string, args ...string) *oracle.Server {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	key := path + " " + strings.Join(args, " ")
	if s := p.all[key]; s != nil && !s.Ended() {
		return s
	}
	if p.all == nil {
		p.all = map[string]*oracle.Server{}
		dir, err := os.MkdirTemp("", "shoal-test-")
		if err != nil {
			t.Fatal(err)
		}
		p.dir = dir
	}
	dir, err := os.MkdirTemp(p.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := oracle.Start(path, dir, append([]string{"--save", "", "--enable-debug-command", "yes"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	p.all[key] = s
	return s
}

// killAll ends the servers. It returns false, and says why, if one has crashed.
func (p *servers) killAll() bool {
	ok := true
	for key, s := range p.all {
		s.Kill()
		if report := s.CrashReport(); report != "" {
			fmt.Printf("FAIL: %s has crashed:\n%s\n", key, report)
			ok = false
		}
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir) // left-overs in the temporary directory hurt nobody
	}
	return ok
}

// sharedShoal returns a shoal-server that tests share.
func sharedShoal(t testing.TB, args ...string) *oracle.Server {
	t.Helper()
	return pool.get(t, oracle.ShoalPath(t), args...)
}

var engineList struct {
	once  sync.Once
	names []string
}

// engines returns the network engines to test. A kernel or container may forbid io_uring; then gnet is all there is.
func engines(t testing.TB) []string {
	t.Helper()
	engineList.once.Do(func() {
		engineList.names = []string{"io_uring", "gnet"}
		if env := os.Getenv("SHOAL_ENGINES"); env != "" {
			engineList.names = strings.Fields(env)
			return
		}
		s, err := oracle.Start(oracle.ShoalPath(t), t.TempDir(), "--net-engine", "auto")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Kill()
		if !strings.Contains(s.Log(), "engine io_uring") {
			t.Logf("no io_uring here, testing gnet only:\n%s", s.Log())
			engineList.names = []string{"gnet"}
		}
	})
	return engineList.names
}

// eachEngine runs a test on each engine.
func eachEngine(t *testing.T, f func(t *testing.T, engine string)) {
	t.Helper()
	for _, e := range engines(t) {
		t.Run("engine="+e, func(t *testing.T) { f(t, e) })
	}
}

// subject is a server to test: redis-server, which shows that the test is right, or shoal-server on one engine.
type subject struct {
	name string
	path string
	args []string // of every start
}

func (s subject) isRedis() bool { return s.name == "redis" }

// start runs a server of the test's own.
func (s subject) start(t testing.TB, args ...string) *oracle.Server {
	t.Helper()
	srv, err := oracle.Start(s.path, t.TempDir(), s.all(args)...)
	if err != nil {
		t.Fatal(err)
	}
	srv.KillAfter(t)
	return srv
}

// spawn runs the program with exactly these arguments, and those that choose the engine, and waits for nothing.
func (s subject) spawn(t testing.TB, args ...string) *oracle.Server {
	t.Helper()
	srv, err := oracle.Spawn(s.path, t.TempDir(), append(slices.Clone(args), s.args...)...)
	if err != nil {
		t.Fatal(err)
	}
	srv.KillAfter(t)
	return srv
}

func (s subject) all(args []string) []string {
	return slices.Concat([]string{"--save", "", "--enable-debug-command", "yes"}, s.args, args)
}

// subjects returns all servers to test.
func subjects(t testing.TB) []subject {
	t.Helper()
	all := []subject{{name: "redis", path: oracle.Need(t)}}
	for _, e := range engines(t) {
		all = append(all, subject{"engine=" + e, oracle.ShoalPath(t), []string{"--net-engine", e}})
	}
	return all
}

// eachSubject runs a test on each server.
func eachSubject(t *testing.T, f func(t *testing.T, s subject)) {
	t.Helper()
	for _, s := range subjects(t) {
		t.Run(s.name, func(t *testing.T) { f(t, s) })
	}
}

// scriptPaths returns the recorded scripts.
func scriptPaths(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("../command/testdata/*/*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	return paths
}
