package server

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/persist/disk/crash"
)

// faults is a disk of which one step fails: as the machine's would that has no room, or is broken.
type faults struct {
	left   atomic.Int64 // steps until one fails; less than 0: none does
	failed atomic.Pointer[string]
}

func newFaults() *faults {
	f := &faults{}
	f.left.Store(-1)
	return f
}

// failAt makes the step fail that comes behind at others.
func (f *faults) failAt(at int) {
	f.failed.Store(nil)
	f.left.Store(int64(at))
}

// stop lets steps succeed, and returns the path with which one has failed; ok is false if none has.
func (f *faults) stop() (path string, ok bool) {
	f.left.Store(-1)
	if p := f.failed.Load(); p != nil {
		return *p, true
	}
	return "", false
}

func (f *faults) hook() crash.Hook {
	return crash.Hook{Before: func(s crash.Step, path string, half func()) error {
		if f.left.Load() < 0 || f.left.Add(-1) >= 0 {
			return nil
		}
		f.failed.Store(&path)
		if half != nil {
			half()
		}
		return &errorAt{path, []error{syscall.ENOSPC, syscall.EIO}[len(path)%2]}
	}}
}

// someSteps is the stride with which a test goes through the steps.
func someSteps() int {
	if oracle.RaceDetector {
		return 5
	}
	return 1
}

// checkFiles looks for files that nobody needs, and for the lack of others.
func (p *inProcess) checkFiles(what string) {
	p.t.Helper()
	var want []string
	folder, m := p.aof.current()
	if !m.Empty() {
		want = append(want, "appendonly.aof.manifest")
	}
	for _, f := range append(m.Files(), m.History...) {
		want = append(want, f.Name)
	}
	for dir, want := range map[string][]string{folder.Dir: {"appendonlydir", "dump.rdb", "log"}, folder.Path(""): want} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			p.t.Fatal(err)
		}
		for _, e := range entries {
			if !slices.Contains(want, e.Name()) {
				p.t.Errorf("%s: %s is left", what, e.Name())
			}
		}
	}
}

// TestErrorAtEveryStep lets one step on the disk fail during a rewrite, each in its turn: the server goes on with what
// it has, rewrites later, nothing is lost, and nothing is left.
func TestErrorAtEveryStep(t *testing.T) {
	for _, preamble := range []string{"yes", "no"} {
		t.Run("preamble="+preamble, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			f := newFaults()
			v := newSurvivor(t, "--appendonly", "yes")
			p := startInProcess(t, f.hook(), "--appendonly", "yes", "--appendfsync", "no", "--aof-use-rdb-preamble", preamble)
			at := 0
			for ; ; at += someSteps() {
				p.writeAnyway()
				p.flush()
				f.failAt(at)
				p.do("+Background", "BGREWRITEAOF")
				p.writeAnyway()
				p.rest()
				path, failed := f.stop()
				what := "step " + strconv.Itoa(at) + ", " + path
				p.writeAnyway()
				p.do("+Background", "BGREWRITEAOF")
				p.rest()
				if p.aof.rewrite.failed.Load() {
					t.Fatalf("%s: the next rewrite fails, too\n%s", what, readLog(t))
				}
				p.writeAnyway()
				p.flush()
				p.checkFiles(what)
				if !failed {
					break
				}
				loadCopy(t, p, v, dir, what)
			}
			if at < 10 {
				t.Errorf("a rewrite makes %d steps", at)
			}
		})
	}
}

// TestErrorAsAOFIsTurnedOn lets one step on the disk fail when the append only file is turned on, each in its turn: that
// is refused, or the file is complete after another rewrite.
func TestErrorAsAOFIsTurnedOn(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	f := newFaults()
	v := newSurvivor(t, "--appendonly", "yes")
	p := startInProcess(t, f.hook(), "--appendonly", "no", "--appendfsync", "everysec")
	refused, at := 0, 0
	for ; ; at += someSteps() {
		p.writeAnyway()
		f.failAt(at)
		reply := mustDo(t, p.c, "CONFIG", "SET", "appendonly", "yes")
		oracle.WaitFor(t, "the end of a rewrite", func() bool { return !p.aof.rewrite.active() })
		path, failed := f.stop()
		what := "step " + strconv.Itoa(at) + ", " + path
		switch {
		case reply == "+OK\r\n":
		case failed && strings.HasPrefix(reply, "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF"):
			refused++
			if info := mustDo(t, p.c, "INFO", "persistence"); !strings.Contains(info, "aof_enabled:0") {
				t.Errorf("%s: %s", what, info)
			}
			p.checkFiles(what)
			continue
		default:
			t.Fatalf("%s: %s\n%s", what, reply, readLog(t))
		}
		p.writeAnyway()
		p.do("+Background", "BGREWRITEAOF") // at once: another attempt would be made after a second; and it removes what could not be
		p.rest()
		if p.aof.rewrite.failed.Load() {
			t.Fatalf("%s: the next rewrite fails, too\n%s", what, readLog(t))
		}
		p.writeAnyway()
		p.flush()
		p.checkFiles(what)
		if !failed {
			break
		}
		loadCopy(t, p, v, dir, what)
		p.do("+OK", "CONFIG", "SET", "appendonly", "no")
	}
	if at < 10 || refused == 0 {
		t.Errorf("there are %d steps, %d times it was refused", at, refused)
	}
}

// TestErrorAtEveryStepOfSave lets one step on the disk fail during a save, each in its turn: the file is the one before,
// or the new one, nothing else is left, and clients that write are told until a save succeeds; by SAVE only its client is.
func TestErrorAtEveryStepOfSave(t *testing.T) {
	for _, name := range []string{"BGSAVE", "SAVE"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			f := newFaults()
			v := newSurvivor(t, "--appendonly", "no")
			p := startInProcess(t, f.hook(), "--appendonly", "no", "--save", "3600 1000000")
			at := 0
			for ; ; at++ {
				p.write()
				p.do("+OK", "SAVE")
				p.write()
				f.failAt(at)
				reply := mustDo(t, p.c, name)
				p.rest()
				path, failed := f.stop()
				what := "step " + strconv.Itoa(at) + ", " + path
				wantReply, wantStatus, wantWrite := "+Background saving started\r\n", "rdb_last_bgsave_status:ok\r\n", "+OK\r\n"
				if name == "SAVE" {
					wantReply = "+OK\r\n"
				}
				switch {
				case failed && name == "SAVE":
					wantReply = "-ERR\r\n"
				case failed:
					wantStatus, wantWrite = "rdb_last_bgsave_status:err\r\n", "-MISCONF Redis is configured to save RDB snapshots"
				}
				if info := mustDo(t, p.c, "INFO", "persistence"); reply != wantReply || !strings.Contains(info, wantStatus) {
					t.Errorf("%s: %q, %s", what, reply, info)
				}
				p.do(wantWrite, "SET", "other", "x")
				p.checkFiles(what)
				copied := t.TempDir()
				b, err := os.ReadFile("dump.rdb")
				if err != nil {
					t.Fatal(err)
				}
				mustWrite(t, filepath.Join(copied, "dump.rdb"), b)
				t.Chdir(copied)
				if ok, n := v.load(), v.numbers(t); !ok || n != p.n && (n != p.n-1 || !failed) {
					t.Errorf("%s: loaded %t: %d of %d", what, ok, n, p.n)
				}
				t.Chdir(dir)
				if !failed {
					break
				}
				p.do("+Background", "BGSAVE")
				p.rest()
				p.do("+OK", "SET", "other", "x")
			}
			if at < 4 {
				t.Errorf("a save makes %d steps", at)
			}
		})
	}
}

// TestFailingSyncAlways lets syncs fail, with always: the server ends, and has acknowledged nothing that it could not sync.
func TestFailingSyncAlways(t *testing.T) {
	t.Setenv(failSyncs, "yes")
	dir := t.TempDir()
	srv, err := oracle.Spawn(os.Args[0], dir, "--port", "0", "--unixsocket", filepath.Join(dir, "s"), "--appendonly", "yes", "--appendfsync", "always")
	if err != nil {
		t.Fatal(err)
	}
	srv.KillAfter(t)
	srv.WaitLog(t, "eady to accept connections")
	network, addr := srv.Address()
	c, err := oracle.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if reply, err := c.Do("GET", "k"); err != nil || string(reply) != "$-1\r\n" {
		t.Errorf("%q, %v", reply, err)
	}
	if reply, err := c.Do("SET", "k", "v"); err == nil {
		t.Errorf("%q", reply)
	}
	if status := srv.Wait(t); status != 1 {
		t.Error("exit status", status)
	}
	srv.WaitLog(t, "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...")
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
