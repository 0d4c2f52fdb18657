package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

func exists(t *testing.T, path ...string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(path...))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

// TestDelSyncFiles keeps files that were not made for a replica, whatever rdb-del-sync-files says: from the start, of a
// save, and at the end.
func TestDelSyncFiles(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		first := s.start(t)
		c := first.Dial(t)
		c.Do("SET", "k", "v")
		c.Do("SAVE")
		first.Kill()
		srv := s.start(t, "--dir", first.Dir, "--rdb-del-sync-files", "yes")
		c = srv.Dial(t)
		oracle.WaitFor(t, "some turns of the server's clock", func() bool {
			sec, _ := strconv.Atoi(c.Info("server")["uptime_in_seconds"])
			return sec >= 2
		})
		if got := c.Do("GET", "k"); got != "$1\r\nv\r\n" || !exists(t, first.Dir, "dump.rdb") {
			t.Error(got, "the file is gone, or was not loaded")
		}
		if err := os.Remove(filepath.Join(first.Dir, "dump.rdb")); err != nil {
			t.Error(err)
		}
		c.Do("BGSAVE")
		waitSaved(t, c)
		if !exists(t, first.Dir, "dump.rdb") {
			t.Error("what BGSAVE has written is gone")
		}
		c.Do("CONFIG", "SET", "rdb-del-sync-files", "no")
		c.Do("CONFIG", "SET", "rdb-del-sync-files", "yes")
		srv.Stop(t)
		if !exists(t, first.Dir, "dump.rdb") {
			t.Error("the file is gone at the end")
		}
	})
}

// TestDirIsChangedBesideAOF changes the working directory while the append only file is on: it stays where it is, as a
// whole, until it is turned on again. Saves go to the new folder.
func TestDirIsChangedBesideAOF(t *testing.T) {
	for _, s := range subjects(t)[1:] { // redis is the first, and would split the file
		t.Run(s.name, func(t *testing.T) {
			srv := s.start(t, "--appendonly", "yes", "--appendfsync", "always", "--enable-protected-configs", "yes")
			c := srv.Dial(t)
			dir := t.TempDir()
			n := 0
			write := func() {
				n++
				if got, want := c.Do("RPUSH", "list", "x"), ":"+strconv.Itoa(n)+"\r\n"; got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
			restart := func(dir string) {
				t.Helper()
				srv.Kill()
				srv = s.start(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--enable-protected-configs", "yes")
				c = srv.Dial(t)
				if got, want := c.Do("LLEN", "list"), ":"+strconv.Itoa(n)+"\r\n"; got != want {
					t.Errorf("%q, want %q", got, want)
				}
			}
			write()
			for _, rewritten := range []bool{false, true} {
				old := srv.Dir
				if got := c.Do("CONFIG", "SET", "dir", dir); got != "+OK\r\n" {
					t.Fatal(got)
				}
				write()
				if rewritten {
					rewriteAOF(t, c)
					write()
				}
				c.Do("SAVE")
				if exists(t, dir, "appendonlydir") || !exists(t, dir, "dump.rdb") {
					t.Error("the append only file has moved, or the save has not")
				}
				restart(old)
				srv.Dir = old
			}
			c.Do("CONFIG", "SET", "dir", dir)
			write()
			for _, value := range []string{"no", "yes"} {
				if got := c.Do("CONFIG", "SET", "appendonly", value); got != "+OK\r\n" {
					t.Fatal(got)
				}
			}
			awaitRewrite(t, c)
			write()
			restart(dir)
		})
	}
}

// TestFailedSaveIsRetried makes a save that a rule demands fail, and then lets it succeed: the next attempt comes after 5 seconds.
func TestFailedSaveIsRetried(t *testing.T) {
	type trial struct {
		name string
		srv  *oracle.Server
		c    *oracle.Client
	}
	var trials []trial
	for _, s := range subjects(t) {
		srv := s.start(t, "--save", "1 1")
		if err := os.MkdirAll(filepath.Join(srv.Dir, "dump.rdb", "x"), 0o755); err != nil {
			t.Fatal(err)
		}
		c := srv.Dial(t)
		c.Do("SET", "a", "1")
		trials = append(trials, trial{s.name, srv, c})
	}
	saving := regexp.MustCompile(`(?m)(\d\d:\d\d:\d\d\.\d\d\d) \* 1 changes in 1 seconds\. Saving\.\.\.$`)
	for _, x := range trials {
		oracle.WaitFor(t, "the end of a save", func() bool { return x.c.Info("persistence")["rdb_last_bgsave_status"] == "err" })
		if got := x.c.Do("SET", "a", "2"); !strings.HasPrefix(got, "-MISCONF Redis is configured to save RDB snapshots") {
			t.Errorf("%s: %s", x.name, got)
		}
		if left, err := filepath.Glob(filepath.Join(x.srv.Dir, "temp-*")); err != nil || len(left) > 0 {
			t.Errorf("%s: left: %q, %v", x.name, left, err)
		}
		if err := os.RemoveAll(filepath.Join(x.srv.Dir, "dump.rdb")); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range trials {
		oracle.WaitFor(t, "the next save", func() bool { return x.c.Info("persistence")["rdb_last_bgsave_status"] == "ok" })
		if got := x.c.Do("SET", "a", "2"); got != "+OK\r\n" {
			t.Errorf("%s: %s", x.name, got)
		}
		var at []time.Time
		for _, m := range saving.FindAllStringSubmatch(x.srv.Log(), 2) {
			clock, err := time.Parse("15:04:05.000", m[1])
			if err != nil {
				t.Fatal(err)
			}
			at = append(at, clock)
		}
		if len(at) < 2 {
			t.Fatalf("%s: %s", x.name, x.srv.Log())
		}
		if d := (at[1].Sub(at[0]) + 24*time.Hour) % (24 * time.Hour); d < 4900*time.Millisecond { // Redis' clock counts whole seconds
			t.Errorf("%s: after %v", x.name, d)
		}
	}
}
