package server

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/persist/disk"
	"github.com/shoaldb/shoal/persist/disk/crash"
	"github.com/shoaldb/shoal/server/config"
)

// Variables of the environment that make the test's program a server: one that kills itself at a step on its disk, or
// one on whose disk no increment of the append only file can be synced that has been written to.
const (
	dieAt     = "SHOAL_TEST_DIE_AT"
	failSyncs = "SHOAL_TEST_FAIL_SYNCS"
)

func TestMain(m *testing.M) {
	if text := os.Getenv(dieAt); text != "" {
		step, err := strconv.Atoi(text)
		if err == nil {
			err = serveOn(crash.Killer(step))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if os.Getenv(failSyncs) != "" {
		fmt.Fprintln(os.Stderr, serveOn(brokenIncrements()))
		os.Exit(1)
	}
	os.Exit(oracle.Main(m))
}

func brokenIncrements() crash.Hook {
	var written atomic.Bool
	return crash.Hook{Before: func(s crash.Step, path string, half func()) error {
		switch incr := strings.Contains(path, "incr"); {
		case incr && s == crash.Write:
			written.Store(true)
		case incr && s == crash.Sync && written.Load():
			return &errorAt{path, syscall.EIO}
		}
		return nil
	}}
}

// serveOn is what the program shoal-server does, on another disk.
func serveOn(d disk.System) error {
	for i, arg := range os.Args { // the server's title is written over the arguments
		os.Args[i] = strings.Clone(arg)
	}
	cl, err := config.ParseArgs(os.Args[1:])
	if err != nil {
		return err
	}
	cfg, err := (&config.Loader{}).Load(cl)
	if err != nil {
		return err
	}
	if err := os.Chdir(cfg.Load().Dir); err != nil {
		return err
	}
	s, err := New(cfg)
	if err != nil {
		return err
	}
	s.disk = d
	os.Exit(s.Run())
	return nil
}
