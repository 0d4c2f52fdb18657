package test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// clientTime bounds a client's program, which ends itself when something that it waits for does not happen.
const clientTime = 5 * time.Minute

// TestClients runs programs on client libraries, as their users install them, see test/clients. Those of Go that Shoal's own
// tests use are in goclients_test.go.
func TestClients(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		argv func(t *testing.T) []string
	}{
		{"asynq", golang("asynq")},
		{"bullmq", node("bullmq.mjs")},
		{"ioredis", node("ioredis.mjs")},
		{"node-redis", node("node-redis.mjs")},
		{"rate-limiter-flexible", node("rate-limiter-flexible.mjs")},
		{"python3-redis", python("python_redis.py")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			argv := c.argv(t)
			eachSubject(t, func(t *testing.T, s subject) {
				srv := s.start(t)
				ctx, cancel := context.WithTimeout(t.Context(), clientTime)
				defer cancel()
				cmd := exec.CommandContext(ctx, argv[0], append(argv[1:len(argv):len(argv)], strconv.Itoa(srv.Port))...)
				cmd.Dir = "clients"
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				if err := cmd.Run(); err != nil {
					t.Errorf("%q: %v\n%s\nThe server:\n%s", argv, err, tail(out.String()), tail(srv.Log()))
				}
			})
		})
	}
}

// golang is how a program is run that is a Go module of its own.
func golang(module string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		path := filepath.Join(t.TempDir(), module)
		build := exec.Command("go", "-C", filepath.Join("clients", module), "build", "-o", path, ".")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", build.Args, err, out)
		}
		return []string{path}
	}
}

// node is how a program is run by Node, once its modules are there.
func node(program string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		path := oracle.NeedTool(t, "node")
		if _, err := os.Stat("clients/node_modules/.package-lock.json"); err != nil {
			missing(t, "the modules of test/clients/package-lock.json")
		}
		return []string{path, program}
	}
}

// python is how a program is run by the first Python that has redis-py: where there are several, Debian's package belongs to
// that in /usr/bin.
func python(program string) func(t *testing.T) []string {
	return func(t *testing.T) []string {
		for _, name := range []string{"/usr/bin/python3", "python3"} {
			if exec.Command(name, "-c", "import redis").Run() == nil {
				return []string{name, program}
			}
		}
		missing(t, "redis-py (Debian's python3-redis)")
		return nil
	}
}

// missing skips a test, or fails it where CI=true.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s: not installed; \"make tools\" does that", what)
	}
	t.Skipf("%s: not installed; \"make tools\" does that", what)
}
