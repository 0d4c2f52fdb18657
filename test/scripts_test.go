package test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/internal/oracle/script"
)

var update = flag.Bool("update", false, "replay the scripts on redis-server and rewrite the replies that differ")

// TestScripts replays the recorded scripts on Shoal in several shapes.
func TestScripts(t *testing.T) {
	if *update {
		return
	}
	for _, engine := range engines(t) {
		for _, shards := range []string{"1", "64"} {
			t.Run(fmt.Sprintf("engine=%s/shards=%s", engine, shards), func(t *testing.T) {
				t.Parallel()
				args := []string{"--net-engine", engine, "--shards", shards}
				replayAll(t, (*script.Script).Replay, func(t testing.TB, extra ...string) *oracle.Server {
					return sharedShoal(t, append(args, extra...)...)
				})
			})
		}
	}
}

// TestScriptsOnRedis checks that the recorded replies are redis-server's. With -update it records them.
func TestScriptsOnRedis(t *testing.T) {
	server := func(t testing.TB, extra ...string) *oracle.Server {
		return pool.get(t, oracle.Need(t), extra...)
	}
	if !*update {
		replayAll(t, (*script.Script).Verify, server)
		return
	}
	for _, path := range scriptPaths(t) {
		record(t, path, server)
	}
}

// serverFor returns a server started with more arguments than the usual ones.
type serverFor func(t testing.TB, extra ...string) *oracle.Server

// replay is a way to run a script: Replay or Verify.
type replay func(s *script.Script, server *oracle.Server, proto int) ([]script.Difference, error)

func replayAll(t *testing.T, run replay, server serverFor) {
	commands := 0
	for _, path := range scriptPaths(t) {
		t.Run(scriptName(path), func(t *testing.T) {
			s := parseScript(t, path)
			commands += s.Commands()
			for _, proto := range s.Protocols() {
				srv := server(t, s.Server...)
				flushAll(t, srv, s)
				diffs, err := run(s, srv, proto)
				for _, d := range diffs {
					t.Error(d)
				}
				if err != nil {
					t.Errorf("%v\n%s", err, tail(srv.Log()))
				}
			}
		})
	}
	t.Logf("%d commands", commands)
}

func scriptName(path string) string {
	return filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
}

func parseScript(t testing.TB, path string) *script.Script {
	t.Helper()
	s, err := script.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// flushAll empties the databases. A server with arguments of its own (a password, say) is for one script and starts
// empty; that script cleans up after itself.
func flushAll(t testing.TB, server *oracle.Server, s *script.Script) {
	t.Helper()
	if s.Server != nil {
		return
	}
	c, err := oracle.Dial(server.Address())
	if err != nil {
		t.Fatalf("%v\n%s", err, tail(server.Log()))
	}
	defer c.Close()
	for _, cmd := range []string{"FLUSHALL", "CONFIG RESETSTAT"} {
		if reply, err := c.Do(strings.Fields(cmd)...); err != nil || string(reply) != "+OK\r\n" {
			t.Fatalf("%s: %q, %v", cmd, reply, err)
		}
	}
}

func record(t *testing.T, path string, server serverFor) {
	t.Helper()
	s := parseScript(t, path)
	for _, proto := range s.Protocols() {
		srv := server(t, s.Server...)
		flushAll(t, srv, s)
		if err := s.Record(srv, proto); err != nil {
			t.Error(err)
			return
		}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if after := s.Format(); after != string(before) {
		t.Logf("rewritten: %s", scriptName(path))
		if err := os.WriteFile(path, []byte(after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tail returns the last lines of a log.
func tail(log string) string {
	const most = 4000
	return log[max(0, len(log)-most):]
}
