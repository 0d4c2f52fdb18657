package test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

const testLibrary = "#!lua name=lib\nredis.register_function('f', function(keys, args) return args[1] end)"

// sameData compares what two servers hold.
func sameData(t *testing.T, a, b *oracle.Client) {
	t.Helper()
	if x, y := a.Do("DEBUG", "DIGEST"), b.Do("DEBUG", "DIGEST"); x != y {
		t.Errorf("digests %s and %s", x, y)
		explain(t, a, b)
	}
	if x, y := a.Do("FUNCTION", "LIST", "WITHCODE"), b.Do("FUNCTION", "LIST", "WITHCODE"); x != y {
		t.Errorf("libraries %s and %s", x, y)
	}
}

// TestFilesAreExchanged lets each server load what redis-server has saved, and the other way round.
func TestFilesAreExchanged(t *testing.T) {
	redis := subject{name: "redis", path: oracle.Need(t)}
	eachSubject(t, func(t *testing.T, s subject) {
		for _, pair := range [][2]subject{{s, redis}, {redis, s}} {
			from := pair[0].start(t)
			c := from.Dial(t)
			fillForSnapshot(c)
			c.Do("FUNCTION", "LOAD", testLibrary)
			c.Do("PEXPIREAT", "n1", "1")
			c.Do("SET", "ttl", "x", "PX", "100000000")
			if got := c.Do("SAVE"); got != "+OK\r\n" {
				t.Fatal(got)
			}
			to := pair[1].start(t, "--dir", from.Dir)
			sameData(t, c, to.Dial(t))
			from.Kill()
			to.Kill()
		}
	})
}

// TestReload compares the data before and after DEBUG RELOAD.
func TestReload(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		c := s.start(t).Dial(t)
		fillForSnapshot(c)
		c.Do("FUNCTION", "LOAD", testLibrary)
		before := c.Do("DEBUG", "DIGEST")
		for _, args := range [][]string{{}, {"NOSAVE"}, {"NOFLUSH", "MERGE"}, {"NOSAVE", "NOFLUSH", "MERGE"}} {
			if got := c.Do(append([]string{"DEBUG", "RELOAD"}, args...)...); got != "+OK\r\n" {
				t.Errorf("%q: %s", args, got)
			}
			if after := c.Do("DEBUG", "DIGEST"); after != before {
				t.Errorf("%q: the digest was %s and is %s", args, before, after)
			}
			if got := c.Do("FCALL", "f", "0", "x"); got != "$1\r\nx\r\n" {
				t.Errorf("%q: %s", args, got)
			}
		}
		if got := c.Do("DEBUG", "RELOAD", "NOSENSE"); !strings.HasPrefix(got, "-ERR DEBUG RELOAD only supports") {
			t.Error(got)
		}
	})
}

// TestKilledWhileSaving kills a server in the middle of BGSAVE: the file of the last save is as it was.
func TestKilledWhileSaving(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		c := srv.Dial(t)
		fillForSnapshot(c)
		c.Do("SAVE")
		file := filepath.Join(srv.Dir, "dump.rdb")
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		digest := c.Do("DEBUG", "DIGEST")
		c.Do("SET", "s0", "changed")
		c.Do("CONFIG", "SET", "rdb-key-save-delay", "20000") // longer than it takes to look
		c.Do("BGSAVE")
		oracle.WaitFor(t, "a part of the save", func() bool {
			return s.isRedis() || !strings.Contains(c.Do("INFO", "persistence"), "current_save_keys_processed:0\r")
		})
		if info := c.Do("INFO", "persistence"); !strings.Contains(info, "rdb_bgsave_in_progress:1") {
			t.Error(info)
		}
		if got := c.Do("BGSAVE"); got != "-ERR Background save already in progress\r\n" {
			t.Error(got)
		}
		srv.Kill()
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the file has changed, or cannot be read: %v", err)
		}
		if got := s.start(t, "--dir", srv.Dir).Dial(t).Do("DEBUG", "DIGEST"); got != digest {
			t.Errorf("the digest was %s and is %s", digest, got)
		}
	})
}

// TestBrokenFiles starts servers on files that are cut off or damaged.
func TestBrokenFiles(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		c := srv.Dial(t)
		fillForSnapshot(c)
		c.Do("SAVE")
		srv.Kill()
		good, err := os.ReadFile(filepath.Join(srv.Dir, "dump.rdb"))
		if err != nil {
			t.Fatal(err)
		}
		damaged := bytes.Clone(good)
		damaged[len(good)-4] ^= 1
		for text, content := range map[string][]byte{"": good[:len(good)*2/3], "CRC": damaged, "Wrong signature": append([]byte("X"), good...)} {
			dir := t.TempDir()
			file := filepath.Join(dir, "dump.rdb")
			if err := os.WriteFile(file, content, 0o644); err != nil {
				t.Fatal(err)
			}
			port, err := oracle.FreePort()
			if err != nil {
				t.Fatal(err)
			}
			broken := s.spawn(t, "--port", strconv.Itoa(port), "--dir", dir)
			if status := broken.Wait(t); status != 1 {
				t.Errorf("%s: exit status %d", text, status)
			}
			if !strings.Contains(broken.Log(), text) || !s.isRedis() && !strings.Contains(broken.Log(), "offset") {
				t.Errorf("%s: the log says\n%s", text, broken.Log())
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, content) {
				t.Errorf("%s: the file has been changed, or cannot be read: %v", text, err)
			}
		}
	})
}

// TestSaveRules waits for saves that rules demand.
func TestSaveRules(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--save", "1 3", "--save", "1000 1")
		c := srv.Dial(t)
		for _, key := range []string{"a", "b", "c"} {
			c.Do("SET", key, "1")
		}
		oracle.WaitFor(t, "a save", func() bool { return strings.Contains(c.Do("INFO", "persistence"), "rdb_changes_since_last_save:0") })
		if _, err := os.Stat(filepath.Join(srv.Dir, "dump.rdb")); err != nil {
			t.Error(err)
		}
		srv.WaitLog(t, "3 changes in 1 seconds. Saving...")
		srv.WaitLog(t, "Background saving terminated with success")
	})
}

// TestMisconf makes saves fail, as the file's name is that of a directory, and then succeed again.
func TestMisconf(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--save", "1000 1")
		c := srv.Dial(t)
		if err := os.MkdirAll(filepath.Join(srv.Dir, "dump.rdb", "x"), 0o755); err != nil {
			t.Fatal(err)
		}
		f := func(want string, args ...string) {
			t.Helper()
			if got := c.Do(args...); !strings.HasPrefix(got, want) {
				t.Errorf("%q: %s", args, got)
			}
		}
		f("+OK", "SET", "a", "1")
		f("+Background saving started", "BGSAVE")
		oracle.WaitFor(t, "the end of BGSAVE", func() bool {
			info := c.Do("INFO", "persistence")
			return strings.Contains(info, "rdb_last_bgsave_status:err") && strings.Contains(info, "rdb_bgsave_in_progress:0")
		})
		const misconf = "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled,"
		f(misconf, "SET", "b", "1")
		f(misconf, "PING")
		f("$1", "GET", "a")
		f("+OK", "MULTI")
		f(misconf, "SET", "b", "1")
		f("-EXECABORT", "EXEC")
		f("-", "EVAL", "return redis.call('SET', KEYS[1], 1)", "1", "b")
		f(":1", "EVAL", "return redis.call('STRLEN', KEYS[1])", "1", "a")
		f("+OK", "CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
		f("+OK", "SET", "b", "1")
		f("+OK", "CONFIG", "SET", "stop-writes-on-bgsave-error", "yes")
		f("-MISCONF", "SET", "b", "1")
		f("-ERR Errors trying to SHUTDOWN. Check logs.", "SHUTDOWN")
		f("$1", "GET", "a")
		if err := os.RemoveAll(filepath.Join(srv.Dir, "dump.rdb")); err != nil {
			t.Fatal(err)
		}
		f("+OK", "SAVE")
		f("+OK", "CONFIG", "SET", "save", "")
		f("+OK", "SET", "b", "1")
		f("+OK", "CONFIG", "SET", "save", "900 1 10 5")
		f("+Background saving started", "BGSAVE")
		waitSaved(t, c)
		f("+OK", "SET", "b", "1")
	})
}

// TestShutdownSaves ends servers in all ways that save, or do not.
func TestShutdownSaves(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		f := func(saved bool, end func(srv *oracle.Server, c *oracle.Client), args ...string) {
			t.Helper()
			srv := s.start(t, args...)
			c := srv.Dial(t)
			c.Do("SET", "a", "1")
			end(srv, c)
			if status := srv.Wait(t); status != 0 {
				t.Errorf("exit status %d", status)
			}
			if _, err := os.Stat(filepath.Join(srv.Dir, "dump.rdb")); (err == nil) != saved {
				t.Errorf("%q: saved: %v", args, err)
			}
		}
		shutdown := func(words ...string) func(*oracle.Server, *oracle.Client) {
			return func(_ *oracle.Server, c *oracle.Client) { c.Send(append([]string{"SHUTDOWN"}, words...)...) }
		}
		signal := func(sig syscall.Signal) func(*oracle.Server, *oracle.Client) {
			return func(srv *oracle.Server, _ *oracle.Client) { srv.Signal(t, sig) }
		}
		f(false, shutdown())
		f(true, shutdown("SAVE"))
		f(true, shutdown(), "--save", "1000 1000")
		f(true, shutdown("NOW", "FORCE"), "--save", "1000 1000")
		f(false, shutdown("NOSAVE"), "--save", "1000 1000")
		f(true, signal(syscall.SIGTERM), "--save", "1000 1000")
		f(false, signal(syscall.SIGTERM), "--save", "1000 1000", "--shutdown-on-sigterm", "nosave")
		f(true, signal(syscall.SIGINT), "--shutdown-on-sigint", "save")
	})
}

// TestClientsAreToldToWait asks a server that loads.
func TestClientsAreToldToWait(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--enable-protected-configs", "yes")
		c, other := srv.Dial(t), srv.Dial(t)
		c.Do("DEBUG", "POPULATE", "20000")
		c.Do("CONFIG", "SET", "key-load-delay", "50", "loading-process-events-interval-bytes", "1024")
		const loading = "-LOADING Redis is loading the dataset in memory\r\n"
		// On a busy machine a load may be over before everything has been asked: then there is another.
		oracle.WaitFor(t, "a load that lasts", func() bool {
			c.Send("DEBUG", "RELOAD")
			ended := make(chan string, 1)
			go func() { reply, err := c.Conn.Reply(); ended <- fmt.Sprint(string(reply), err) }()
			var over bool
			oracle.WaitFor(t, "the load", func() bool {
				over = len(ended) > 0
				return over || other.Do("GET", "x") == loading
			})
			dir, appendonly := other.Do("CONFIG", "SET", "dir", srv.Dir), other.Do("CONFIG", "SET", "appendonly", "yes")
			info := other.Do("INFO", "persistence")
			if got := <-ended; got != "+OK\r\n<nil>" {
				t.Error(got)
			}
			if over || !strings.Contains(info, "\nloading:1\r\n") {
				other.Do("CONFIG", "SET", "appendonly", "no")
				return false
			}
			if dir != loading || appendonly != loading || !strings.Contains(info, "loading_total_bytes:") {
				t.Errorf("dir: %s, appendonly: %s, %s", dir, appendonly, info)
			}
			return true
		})
		if got := other.Do("DBSIZE"); got != ":20000\r\n" {
			t.Error(got)
		}
	})
}

// A save goes on beside clients that send all the time, also when nothing else is done in the background.
func TestSaveBesideClients(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		srv := sharedShoal(t, "--net-engine", engine, "--reactors", "2", "--enable-debug-command", "yes", "--dir", t.TempDir())
		c := srv.Dial(t)
		c.Do("DEBUG", "POPULATE", "200000")
		c.Do("DEBUG", "PAUSE-CRON", "1")
		others := []*oracle.Client{srv.Dial(t), srv.Dial(t), srv.Dial(t), srv.Dial(t)}
		c.Do("BGSAVE")
		oracle.WaitFor(t, "the end of the save", func() bool {
			for range 1000 {
				for _, o := range others {
					o.Send("PING")
				}
				for _, o := range others {
					o.Reply()
				}
			}
			return strings.Contains(c.Do("INFO", "persistence"), "rdb_bgsave_in_progress:0")
		})
	})
}

// TestFlushAllSaves kills servers as soon as they have replied to FLUSHALL: with rules to save the file has no data then.
func TestFlushAllSaves(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		f := func(keys string, flush ...[]string) {
			t.Helper()
			srv := s.start(t, "--save", "3600 1000")
			c := srv.Dial(t)
			fillForSnapshot(c)
			c.Do("SAVE")
			if len(flush) == 0 { // while it saves
				c.Do("CONFIG", "SET", "rdb-key-save-delay", "100000") // us
				c.Do("BGSAVE")
				c.Do("SET", "a", "1")
				flush = [][]string{{"FLUSHALL"}}
			}
			for _, args := range flush {
				if got := c.Do(args...); strings.HasPrefix(got, "-") {
					t.Errorf("%q: %s", args, got)
				}
			}
			info := c.Do("INFO", "persistence")
			srv.Kill()
			if !strings.Contains(info, "rdb_changes_since_last_save:0\r") && len(flush) == 1 || !strings.Contains(info, "rdb_last_bgsave_status:ok") {
				t.Errorf("%q: %s", flush, info)
			}
			if got := s.start(t, "--dir", srv.Dir).Dial(t).Do("DBSIZE"); got != keys {
				t.Errorf("%q: keys %q", flush, got)
			}
		}
		f(":0\r\n", []string{"FLUSHALL"})
		f(":0\r\n", []string{"FLUSHALL", "ASYNC"}, []string{"FLUSHALL", "SYNC"})
		f(":0\r\n", []string{"MULTI"}, []string{"FLUSHALL"}, []string{"EXEC"})
		f(":0\r\n", []string{"MULTI"}, []string{"CLIENT", "LIST"}, []string{"FLUSHALL"}, []string{"EXEC"})
		f(":0\r\n", []string{"EVAL", "return redis.call('FLUSHALL')", "0"})
		f(":0\r\n")
	})
}
