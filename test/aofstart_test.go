package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

func writeFile(t *testing.T, content string, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestOldAOF starts servers where there is an append only file of the time before Redis 7, and a dump file besides: it
// becomes the base.
func TestOldAOF(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		dir, c := srv.Dir, srv.Dial(t)
		c.Do("SET", "from", "dump")
		c.Do("SAVE")
		srv.Kill()
		old := oracle.AppendCommand(oracle.AppendCommand(nil, "SELECT", "0"), "SET", "from", "file")
		writeFile(t, string(old), dir, "appendonly.aof")
		for range 2 { // as it was, and as it has become
			srv = s.start(t, "--dir", dir, "--appendonly", "yes")
			c = srv.Dial(t)
			wantReply(t, c.Do("GET", "from"), `"file"`)
			c.Do("INCR", "starts")
			srv.Signal(t, os.Interrupt)
			srv.Wait(t)
		}
		wantReply(t, s.start(t, "--dir", dir, "--appendonly", "yes").Dial(t).Do("GET", "starts"), `"2"`)
		if _, err := os.Stat(filepath.Join(dir, "appendonly.aof")); err == nil {
			t.Error("the old file is where it was")
		}
		if base, err := os.ReadFile(filepath.Join(dir, "appendonlydir", "appendonly.aof")); err != nil || string(base) != string(old) {
			t.Errorf("the base: %q, %v", base, err)
		}
	})
}

// TestTornTailRefused starts servers that are not to load a file whose last command is cut off.
func TestTornTailRefused(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		dir := t.TempDir()
		torn := string(oracle.AppendCommand(nil, "SET", "a", "1")) + "*3\r\n$3\r\nSE"
		writeFile(t, torn, dir, "appendonly.aof")
		port, err := oracle.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		srv := s.spawn(t, "--port", strconv.Itoa(port), "--dir", dir, "--appendonly", "yes", "--aof-load-truncated", "no")
		if status := srv.Wait(t); status != 1 {
			t.Errorf("exit status %d", status)
		}
		if !strings.Contains(srv.Log(), "Unexpected end of file reading the append only file") {
			t.Error(srv.Log())
		}
		got, err := os.ReadFile(filepath.Join(dir, "appendonlydir", "appendonly.aof"))
		if err != nil || string(got) != torn {
			t.Errorf("the file is %q, %v", got, err)
		}
	})
}

// TestTimestamps goes back to a moment that is noted in the file.
func TestTimestamps(t *testing.T) {
	check := oracle.NeedTool(t, "redis-check-aof")
	eachSubject(t, func(t *testing.T, s subject) {
		args := []string{"--appendonly", "yes", "--aof-timestamp-enabled", "yes"}
		srv := s.start(t, args...)
		c := srv.Dial(t)
		c.Do("SET", "a", "1")
		moment := time.Now().Unix()
		oracle.WaitFor(t, "a later second", func() bool { return time.Now().Unix() > moment+1 })
		c.Do("SET", "b", "2")
		srv.Signal(t, os.Interrupt)
		srv.Wait(t)
		manifest := filepath.Join(srv.Dir, "appendonlydir", "appendonly.aof.manifest")
		if out, err := exec.Command(check, "--truncate-to-timestamp", strconv.FormatInt(moment, 10), manifest).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		c = s.start(t, append(args, "--dir", srv.Dir)...).Dial(t)
		wantReply(t, c.Do("MGET", "a", "b"), `["1", (nil)]`)
	})
}

// TestScheduledSave asks for saves while the append only file is rewritten, which would take long and ends as the file is turned off.
func TestScheduledSave(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--appendonly", "yes")
		c := srv.Dial(t)
		c.Do("SET", "a", "1")
		c.Do("CONFIG", "SET", "rdb-key-save-delay", "1000000000") // us
		c.Do("BGREWRITEAOF")
		oracle.WaitFor(t, "a rewrite with that delay", func() bool { return c.Info("persistence")["current_save_keys_total"] == "1" })
		c.Do("CONFIG", "SET", "rdb-key-save-delay", "0")
		wantReply(t, c.Do("BGSAVE"), "-ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.")
		wantReply(t, c.Do("BGSAVE", "SCHEDULE"), "+Background saving scheduled")
		c.Do("CONFIG", "SET", "appendonly", "no")
		oracle.WaitFor(t, "the save", func() bool {
			info := c.Do("INFO", "persistence")
			return strings.Contains(info, "rdb_saves:1\r") && strings.Contains(info, "rdb_bgsave_in_progress:0\r")
		})
		if _, err := os.Stat(filepath.Join(srv.Dir, "dump.rdb")); err != nil {
			t.Error(err)
		}
	})
}
