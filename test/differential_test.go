package test

import (
	"flag"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/internal/oracle/random"
)

var (
	seed        = flag.Uint64("seed", 1, "seed of the random command streams; 0 takes the clock's")
	commands    = flag.Int("commands", 20000, "random commands to compare")
	fuzzTargets = flag.String("oracle", "", `"self" compares redis-server with itself, to test the test`)
)

// streamSeed returns the seed to use, and prints it.
func streamSeed(t *testing.T) uint64 {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("again with: -seed %d -commands %d", s, *commands)
	return s
}

// TestDifferential sends random command streams to Shoal and redis-server and compares every reply.
func TestDifferential(t *testing.T) {
	if *fuzzTargets == "self" {
		checkStreams(t, redisTarget(t), redisTarget(t))
		return
	}
	eachEngine(t, func(t *testing.T, engine string) {
		checkStreams(t, redisTarget(t), shoalTarget(t, "--net-engine", engine))
	})
}

func checkStreams(t *testing.T, targets ...*random.Target) {
	t.Helper()
	diff, err := random.Check(random.Options{Seed: streamSeed(t), Commands: *commands, Targets: targets, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	if diff != "" {
		t.Error(diff)
	}
}

func redisTarget(t *testing.T) *random.Target {
	path := oracle.Need(t)
	return &random.Target{Name: "redis", Start: starter(t, path)}
}

func shoalTarget(t *testing.T, args ...string) *random.Target {
	return &random.Target{Name: "shoal", Start: starter(t, oracle.ShoalPath(t), args...)}
}

// starter returns what starts a server that is killed when the test ends.
func starter(t *testing.T, path string, args ...string) func() (*oracle.Server, error) {
	starts := 0
	return func() (*oracle.Server, error) {
		if starts++; starts > 1 {
			t.Log("a server has died and is started again")
		}
		dir := t.TempDir() + "/" + strconv.Itoa(starts)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		s, err := oracle.Start(path, dir, append([]string{"--save", "", "--enable-debug-command", "yes"}, args...)...)
		if err == nil {
			s.KillAfter(t)
		}
		return s, err
	}
}
