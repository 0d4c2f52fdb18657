package server

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/persist/disk/crash"
	"github.com/shoaldb/shoal/server/config"
)

// dieAt is the environment's variable that makes the test's program a server, which kills itself at a step on its disk.
const dieAt = "SHOAL_TEST_DIE_AT"

func TestMain(m *testing.M) {
	if text := os.Getenv(dieAt); text != "" {
		step, err := strconv.Atoi(text)
		if err == nil {
			err = serveUntil(step)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(oracle.Main(m))
}

// serveUntil is what the program shoal-server does.
func serveUntil(step int) error {
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
	s.disk = crash.Killer(step)
	os.Exit(s.Run())
	return nil
}
