package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// delayed are the packages whose statements may pause.
var delayed = []string{
	"server", "server/config", "server/latency", "server/logging", "server/slowlog", "server/tracking",
	"acl", "script", "shard", "alloc", "journal", "netio", "netio/uring",
	"persist/aof", "persist/disk", "persist/load", "persist/save",
	"bench", "bench/load", "internal/oracle",
}

// maxSites is the size of delay's table.
const maxSites = 1 << 14

type options struct {
	tests     string
	count     int
	seed      uint64
	share     float64
	pkg       string
	arguments []string // of the tests
}

func main() {
	o := options{pkg: "./test"}
	flag.StringVar(&o.tests, "tests", ".", "the `expression` that names the tests to run")
	flag.IntVar(&o.count, "count", 10, "how many `times` they are run")
	flag.Uint64Var(&o.seed, "seed", 0, "the `seed` of the first run; 0: one from the clock")
	flag.Float64Var(&o.share, "share", 0.05, "the `part` of the statements that pause")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "in the module's folder: go run ./internal/jitter [flags] [package [arguments of its tests]]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		o.pkg, o.arguments = flag.Arg(0), flag.Args()[1:]
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	if err := shake(&o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// shake builds the server and the tests, and runs the tests until they fail.
func shake(o *options) error {
	out, err := os.MkdirTemp("", "shoal-jitter-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out) // left-overs in the temporary directory hurt nobody
	overlay, err := writeOverlay(out)
	if err != nil {
		return err
	}
	server, tests := filepath.Join(out, "shoal-server"), filepath.Join(out, "tests")
	if err := run("go", "build", "-overlay", overlay, "-o", server, "./cmd/shoal-server"); err != nil {
		return err
	}
	if err := run("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", tests, o.pkg); err != nil {
		return err
	}
	for i := range uint64(o.count) {
		seed := o.seed + i
		cmd := exec.Command(tests, append([]string{"-test.run", o.tests, "-test.timeout", "1h"}, o.arguments...)...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = o.pkg, os.Stdout, os.Stderr
		cmd.Env = append(os.Environ(), "SHOAL_SERVER="+server,
			fmt.Sprint("SHOAL_JITTER_SEED=", seed), fmt.Sprint("SHOAL_JITTER_SHARE=", o.share))
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("run %d: %w; again with: go run ./internal/jitter -tests '%s' -seed %d -share %v %s %s",
				i+1, err, o.tests, seed, o.share, o.pkg, strings.Join(o.arguments, " "))
		}
	}
	return nil
}

func run(name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return nil
}

// writeOverlay writes the sources with pauses to out, and the file that "go build -overlay" wants, whose path it returns.
func writeOverlay(out string) (path string, err error) {
	replace := map[string]string{}
	sites := 0
	for _, pkg := range delayed {
		files, err := filepath.Glob(filepath.Join(pkg, "*.go"))
		if err != nil {
			return "", err
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := os.ReadFile(name)
			if err != nil {
				return "", err
			}
			changed, n, err := rewrite(src, sites)
			if err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
			if n == 0 {
				continue
			}
			sites += n
			replace[name] = filepath.Join(out, strings.ReplaceAll(name, string(filepath.Separator), "_"))
			if err := os.WriteFile(replace[name], changed, 0o644); err != nil {
				return "", err
			}
		}
	}
	if sites > maxSites {
		return "", fmt.Errorf("%d statements, and no more than %d may pause", sites, maxSites)
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path = filepath.Join(out, "overlay.json")
	return path, os.WriteFile(path, b, 0o644)
}
