package server

import (
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/persist/disk/crash"
)

// TestErrorAtEveryStep lets one step on the disk fail during a rewrite, each in its turn: the server goes on with what
// it has, rewrites later, and nothing is lost.
func TestErrorAtEveryStep(t *testing.T) {
	for _, preamble := range []string{"yes", "no"} {
		t.Run("preamble="+preamble, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			var left atomic.Int64 // steps until one fails
			left.Store(-1)
			var failed atomic.Pointer[string] // the path
			d := crash.Hook{Before: func(s crash.Step, path string, half func()) error {
				if left.Load() < 0 || left.Add(-1) >= 0 {
					return nil
				}
				failed.Store(&path)
				if half != nil {
					half()
				}
				return &errorAt{path, syscall.ENOSPC}
			}}
			v := newSurvivor(t, "--appendonly", "yes")
			p := startInProcess(t, d, "--appendonly", "yes", "--appendfsync", "no", "--aof-use-rdb-preamble", preamble)
			at, stride := 0, 1
			if oracle.RaceDetector {
				stride = 5
			}
			for ; ; at += stride {
				failed.Store(nil)
				p.writeAnyway()
				p.flush()
				left.Store(int64(at))
				p.do("+Background", "BGREWRITEAOF")
				p.writeAnyway()
				p.rest()
				left.Store(-1)
				p.writeAnyway()
				p.do("+Background", "BGREWRITEAOF")
				p.rest()
				if p.aof.rewrite.failed.Load() {
					t.Fatalf("step %d: the next rewrite fails, too\n%s", at, readLog(t))
				}
				p.writeAnyway()
				p.flush()
				path := failed.Load()
				if path == nil {
					break
				}
				loadCopy(t, p, v, dir, "step "+strconv.Itoa(at)+", "+*path)
			}
			if at < 10 {
				t.Errorf("a rewrite makes %d steps", at)
			}
		})
	}
}

// errorAt is an error of a step, of the kind that package os returns.
type errorAt struct {
	path string
	err  error
}

func (e *errorAt) Error() string { return e.path + ": " + e.err.Error() }
func (e *errorAt) Unwrap() error { return e.err }

// writeAnyway writes the next number, when the server takes it.
func (p *inProcess) writeAnyway() {
	p.t.Helper()
	p.n++
	n := strconv.Itoa(p.n)
	oracle.WaitFor(p.t, "writes", func() bool {
		reply, err := p.c.Do("SET", "n", n)
		if err != nil {
			p.t.Fatal(err)
		}
		return string(reply) == "+OK\r\n"
	})
	oracle.WaitFor(p.t, "writes", func() bool {
		reply, err := p.c.Do("RPUSH", "list", n)
		if err != nil {
			p.t.Fatal(err)
		}
		return string(reply) == ":"+n+"\r\n"
	})
}

// flush waits until everything is in the files.
func (p *inProcess) flush() {
	p.t.Helper()
	if err := p.flushAOF(); err != nil {
		p.t.Fatal(err)
	}
}

// loadCopy compares what p has with what its files have.
func loadCopy(t *testing.T, p *inProcess, v *survivor, dir, what string) {
	t.Helper()
	t.Chdir(copyOf(t, dir))
	defer t.Chdir(dir)
	if ok := v.load(); !ok || v.numbers(t) != p.n {
		t.Fatalf("%s: loaded %t: %d of %d\n%s", what, ok, v.numbers(t), p.n, readLog(t))
	}
}

// TestFailingSync lets syncs fail, with everysec: clients that write are told, until they work again.
func TestFailingSync(t *testing.T) {
	t.Chdir(t.TempDir())
	var broken atomic.Bool
	d := crash.Hook{Before: func(s crash.Step, path string, half func()) error {
		if s == crash.Sync && broken.Load() && strings.Contains(path, "incr") {
			return &errorAt{path, syscall.EIO}
		}
		return nil
	}}
	p := startInProcess(t, d, "--appendonly", "yes", "--appendfsync", "everysec")
	broken.Store(true)
	const misconf = "-MISCONF Errors writing to the AOF file: Input/output error\r\n"
	oracle.WaitFor(t, "an error", func() bool { return mustDo(t, p.c, "SET", "k", "v") == misconf })
	p.do("$1", "GET", "k")
	if info := mustDo(t, p.c, "INFO", "persistence"); !strings.Contains(info, "aof_last_write_status:err") {
		t.Error(info)
	}
	broken.Store(false)
	oracle.WaitFor(t, "the end of the error", func() bool { return mustDo(t, p.c, "SET", "k", "v") == "+OK\r\n" })
}

// TestStalledWrite lets a write take as long as the test, with everysec: replies do not wait for it for more than a moment.
func TestStalledWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	stalled := make(chan bool)
	var stall, began atomic.Bool
	d := crash.Hook{Before: func(s crash.Step, path string, half func()) error {
		if s == crash.Write && stall.Load() && strings.Contains(path, "incr") {
			began.Store(true)
			<-stalled
		}
		return nil
	}}
	p := startInProcess(t, d, "--appendonly", "yes", "--appendfsync", "everysec")
	p.write()
	stall.Store(true)
	for range 2000 {
		p.write()
	}
	if !began.Load() {
		t.Error("nothing was written")
	}
	stall.Store(false)
	close(stalled)
	p.do("*2\r\n:1", "WAITAOF", "1", "0", "0")
}

// TestStalledSync lets a sync take as long as the test, with everysec: nobody waits.
func TestStalledSync(t *testing.T) {
	t.Chdir(t.TempDir())
	stalled := make(chan bool)
	var began atomic.Bool
	d := crash.Hook{Before: func(s crash.Step, path string, half func()) error {
		if s == crash.Sync && strings.Contains(path, "incr") {
			began.Store(true)
			<-stalled
		}
		return nil
	}}
	p := startInProcess(t, d, "--appendonly", "yes", "--appendfsync", "everysec")
	p.write()
	oracle.WaitFor(t, "a sync", began.Load)
	for range 2000 {
		p.write()
	}
	p.do("*2\r\n:0", "WAITAOF", "1", "0", "1")
	info := mustDo(t, p.c, "INFO", "persistence")
	if strings.Contains(info, "aof_sync_lag_ms:0\r\n") || strings.Contains(info, "aof_unsynced_bytes:0\r\n") {
		t.Error(info)
	}
	close(stalled)
	p.do("*2\r\n:1", "WAITAOF", "1", "0", "0")
}
