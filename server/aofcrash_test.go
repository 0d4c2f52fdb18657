package server

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/persist/disk"
	"github.com/shoaldb/shoal/persist/disk/crash"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
)

// inProcess is a server of this process, in the working directory.
type inProcess struct {
	*Server
	t *testing.T
	c *oracle.Conn
	n int // the last number that was written
}

func configured(t *testing.T, args ...string) *config.Config {
	t.Helper()
	cl, err := config.ParseArgs(append([]string{"--port", "0", "--reactors", "1", "--net-engine", "gnet", "--logfile", "log", "--appendfsync", "always",
		"--save", "", "--auto-aof-rewrite-percentage", "0"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := (&config.Loader{}).Load(cl)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// startInProcess starts a server that saves to d.
func startInProcess(t *testing.T, d disk.System, args ...string) *inProcess {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	cfg := configured(t, append(args, "--unixsocket", socket)...)
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.disk = d
	v := cfg.Load()
	for _, step := range []func() error{func() error { return s.listenAll(v) }, func() error { return s.findAOF(v) }, s.engine.Start} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(s.engine.Stop)
	if !s.loadAtStart(v) {
		t.Fatal(readLog(t))
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	c, err := oracle.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	p := &inProcess{Server: s, t: t, c: c}
	t.Cleanup(func() {
		c.Close()
		if w := s.aof.writer.Load(); w != nil {
			w.Close()
		}
	})
	return p
}

func readLog(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("log")
	if err != nil {
		t.Fatal(err)
	}
	os.Truncate("log", 0)
	return string(b)
}

func (p *inProcess) do(want string, args ...string) {
	p.t.Helper()
	got, err := p.c.Do(args...)
	if err != nil || !strings.HasPrefix(string(got), want) {
		p.t.Fatalf("%q: %q, %v", args, got, err)
	}
}

// write writes the next number, in a transaction: to a counter and to a list.
func (p *inProcess) write() {
	p.t.Helper()
	p.n++
	n := strconv.Itoa(p.n)
	p.do("+OK", "MULTI")
	p.do("+QUEUED", "SET", "n", n)
	p.do("+QUEUED", "RPUSH", "list", n)
	p.do("*2", "EXEC")
}

// rest waits until neither a save nor a rewrite is under way.
func (p *inProcess) rest() {
	p.t.Helper()
	oracle.WaitFor(p.t, "the end of saves and rewrites", func() bool {
		x := &p.aof.rewrite
		return x.state.Load() == 0 && p.saving.current.Load() == nil
	})
}

// survivor reads what images hold, as a server does at its start. It is made before a server works in the same process,
// as both derive the same table of commands.
type survivor struct {
	s   *Server
	out resp.Writer
}

func newSurvivor(t *testing.T, args ...string) *survivor {
	t.Helper()
	s, err := New(configured(t, args...))
	if err != nil {
		t.Fatal(err)
	}
	return &survivor{s: s}
}

func (v *survivor) ask(args ...string) string {
	w := aofWorker{}
	w.init(v.s)
	w.ctx.Reply, w.ctx.NowMS = &v.out, time.Now().UnixMilli()
	x := loaded{args: make([][]byte, len(args))}
	for i, a := range args {
		x.args[i] = []byte(a)
	}
	x.spec = v.s.table.Resolve(x.args)
	v.out.Proto, v.out.Buf = 2, nil
	v.s.ks.LockAll(w.ctx.NowMS)
	defer v.s.ks.UnlockAll()
	c := &w.ctx
	c.LockedAll, c.Spec, c.Args, c.Keys = true, x.spec, x.args, v.s.bindKeys(x.spec, 0, x.args, len(x.args))
	c.Begin()
	x.spec.Run(c)
	return string(v.out.Buf)
}

// load loads what is in the working directory, as at the start of a server. It reports false if that does not start.
func (v *survivor) load() bool {
	s, cfg := v.s, v.s.cfg.Load()
	defer s.log.Flush()
	now := time.Now().UnixMilli()
	s.ks.LockAll(now)
	for i := range s.ks.Shards() {
		s.ks.Shard(i).FlushAll()
	}
	s.ks.UnlockAll()
	if err := s.findAOF(cfg); err != nil {
		s.logManifestError(err)
		return false
	}
	if !cfg.AppendOnly {
		return s.loadAtStart(cfg)
	}
	m, _, err := s.aof.folder.Load()
	if err != nil {
		s.logManifestError(err)
		return false
	}
	s.aof.manifest = m
	return s.loadAOF(cfg)
}

// numbers returns the counter, having looked whether the list agrees with it.
func (v *survivor) numbers(t *testing.T) int {
	t.Helper()
	n, _ := strconv.Atoi(bulkString(v.ask("GET", "n")))
	length, last := v.ask("LLEN", "list"), bulkString(v.ask("LINDEX", "list", "-1"))
	if length != fmt.Sprintf(":%d\r\n", n) || n > 0 && last != strconv.Itoa(n) {
		t.Errorf("%d in the counter, %q in the list, the last is %s", n, length, last)
	}
	return n
}

func bulkString(reply string) string {
	_, text, _ := strings.Cut(reply, "\r\n")
	return strings.TrimSuffix(text, "\r\n")
}

// checkImages loads what any crash might have left. Nothing that was promised may be missing.
func checkImages(t *testing.T, v *survivor, r *crash.Recorder, most int, args ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	images := r.Images()
	loaded := map[int]int{}
	sample := 2 // are loaded by redis-server, too
	if os.Getenv("SHOAL_CRASH_KILLS") != "" {
		sample = 20
	}
	every := max(len(images)/sample, 1)
	stride := 1
	if oracle.RaceDetector {
		stride = 8
	}
	for i := 0; i < len(images); i += stride {
		image := &images[i]
		delete(image.Files, "log")
		if err := image.WriteTo("."); err != nil {
			t.Fatal(err)
		}
		if i%every == every-1 {
			if n, err := redisNumber(t, args...); err != nil || n < image.Must || n > most {
				t.Fatalf("%v: redis-server has loaded %d, promised %d\n%v\n%v", image, n, image.Must, image.Names(), err)
			}
			if err := image.WriteTo("."); err != nil {
				t.Fatal(err)
			}
		}
		ok := v.load()
		n := v.numbers(t)
		if !ok || n < image.Must || n > most || t.Failed() {
			t.Fatalf("%v: loaded %t: %d, promised %d\n%v\n%s", image, ok, n, image.Must, image.Names(), readLog(t))
		}
		loaded[n]++
	}
	t.Logf("%d steps, %d images, %d different states", r.Steps(), len(images), len(loaded))
}

// redisNumber returns the counter that redis-server loads from the working directory.
func redisNumber(t *testing.T, args ...string) (int, error) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	srv, err := oracle.Start(oracle.Need(t), dir, append([]string{"--save", ""}, args...)...)
	if err != nil {
		return 0, err
	}
	defer srv.Kill()
	n, _ := strconv.Atoi(bulkString(srv.Dial(t).Do("GET", "n"))) // 0 if there is none
	return n, nil
}

// TestCrashAtEveryStep stops, in effect, the machine at every step that a server makes on its disk, in its life with an
// append only file, and starts with what may be there then: all that was acknowledged is.
func TestCrashAtEveryStep(t *testing.T) {
	f := func(name string, prepare func(dir string), live func(p *inProcess, r *crash.Recorder), args ...string) {
		for _, preamble := range []string{"yes", "no"} {
			args := append([]string{"--aof-use-rdb-preamble", preamble}, args...)
			t.Run(name+"/preamble="+preamble, func(t *testing.T) {
				dir := t.TempDir()
				t.Chdir(dir)
				prepare(dir)
				r, err := crash.New(dir)
				if err != nil {
					t.Fatal(err)
				}
				own := []string{"--appendonly", "yes", "--aof-use-rdb-preamble", preamble}
				v := newSurvivor(t, own...)
				p := startInProcess(t, r, args...)
				p.n, _ = strconv.Atoi(bulkString(mustDo(t, p.c, "GET", "n")))
				r.Mark(p.n)
				live(p, r)
				p.rest()
				checkImages(t, v, r, p.n, own...)
			})
		}
	}
	write := func(p *inProcess, r *crash.Recorder, times int) {
		t.Helper()
		for range times {
			p.write()
			r.Mark(p.n)
		}
	}
	nothing := func(string) {}
	f("rewrites", nothing, func(p *inProcess, r *crash.Recorder) {
		write(p, r, 2)
		for range 2 {
			p.do("+Background", "BGREWRITEAOF")
			write(p, r, 3)
			p.rest()
			write(p, r, 1)
		}
	}, "--appendonly", "yes")
	f("kept history", nothing, func(p *inProcess, r *crash.Recorder) {
		p.do("+Background", "BGREWRITEAOF")
		write(p, r, 2)
		p.rest()
		p.do("+OK", "CONFIG", "SET", "aof-disable-auto-gc", "no")
		write(p, r, 1)
	}, "--appendonly", "yes", "--aof-disable-auto-gc", "yes")
	f("turned on and off", nothing, func(p *inProcess, r *crash.Recorder) {
		p.write()
		for range 2 {
			p.do("+OK", "CONFIG", "SET", "appendonly", "yes")
			p.write()
			p.rest()
			p.do("+OK", "SET", "other", "x") // what was written while the file was not complete is durable now
			r.Mark(p.n)
			write(p, r, 1)
			p.do("+OK", "CONFIG", "SET", "appendonly", "no")
		}
	}, "--appendonly", "no")
	old := func(dir string) {
		var b []byte
		for _, line := range []string{"SET n 2", "RPUSH list 1 2"} {
			b = oracle.AppendCommand(b, strings.Fields(line)...)
		}
		mustWrite(t, filepath.Join(dir, "appendonly.aof"), b)
	}
	f("old file", old, func(p *inProcess, r *crash.Recorder) {
		if p.n != 2 {
			t.Error(p.n)
		}
		write(p, r, 1)
		p.do("+Background", "BGREWRITEAOF")
		p.rest()
	}, "--appendonly", "yes")
	torn := func(dir string) {
		aof := filepath.Join(dir, "appendonlydir")
		if err := os.Mkdir(aof, 0o755); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, filepath.Join(aof, "appendonly.aof.manifest"), []byte("file appendonly.aof.1.base.aof seq 1 type h\nfile appendonly.aof.7.incr.aof seq 7 type i\n"))
		mustWrite(t, filepath.Join(aof, "appendonly.aof.1.base.aof"), []byte("history"))
		b := oracle.AppendCommand(nil, "SET", "n", "1")
		b = oracle.AppendCommand(b, "RPUSH", "list", "1")
		b = oracle.AppendCommand(b, "MULTI")
		mustWrite(t, filepath.Join(aof, "appendonly.aof.7.incr.aof"), oracle.AppendCommand(b, "SET", "n", "cut off"))
	}
	f("torn tail", torn, func(p *inProcess, r *crash.Recorder) {
		if p.n != 1 {
			t.Error(p.n)
		}
		write(p, r, 2)
	}, "--appendonly", "yes")
}

// TestCrashWhileSaving does the same for the file of SAVE: whenever the machine stops, the last that was acknowledged
// is there, or a later one.
func TestCrashWhileSaving(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	r, err := crash.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	v := newSurvivor(t, "--appendonly", "no")
	p := startInProcess(t, r, "--appendonly", "no")
	for _, name := range []string{"SAVE", "BGSAVE", "SAVE"} {
		p.write()
		p.do("+", name)
		p.rest()
		r.Mark(p.n)
		p.write()
	}
	checkImages(t, v, r, p.n, "--appendonly", "no")
}

// TestKilledAtSteps has servers kill themselves at steps on their disk, during writes, rewrites and saves, one after
// the other in one folder: each has all that was acknowledged. SHOAL_CRASH_KILLS makes it take every step, else it
// takes some.
func TestKilledAtSteps(t *testing.T) {
	dir, stride := t.TempDir(), 7
	switch {
	case os.Getenv("SHOAL_CRASH_KILLS") != "":
		stride = 1
	case oracle.RaceDetector:
		stride = 20
	}
	acked, sent, kills := 0, 0, 0
	for at, survived := 1, false; !survived; at += stride {
		t.Setenv(dieAt, strconv.Itoa(at))
		srv, err := oracle.Spawn(os.Args[0], dir, "--port", "0", "--unixsocket", filepath.Join(dir, "s"), "--appendonly", "yes", "--appendfsync", "always",
			"--reactors", "2", "--auto-aof-rewrite-percentage", "0", "--aof-use-rdb-preamble", []string{"yes", "no"}[at/stride%2])
		if err != nil {
			t.Fatal(err)
		}
		survived = liveAndDie(t, srv, &acked, &sent)
		if report := srv.CrashReport(); report != "" {
			t.Fatal(report)
		}
		if kills++; kills%5 == 1 {
			if _, err := os.Stat(filepath.Join(dir, "appendonlydir")); err == nil {
				t.Chdir(copyOf(t, dir))
				if n, err := redisNumber(t, "--appendonly", "yes"); err != nil || n < acked || n > sent {
					t.Fatalf("killed at step %d: redis-server has loaded %d, acknowledged were %d, sent %d: %v", at, n, acked, sent, err)
				}
			}
		}
	}
	t.Logf("%d kills, %d writes", kills-1, acked)
}

// copyOf makes a folder with a copy of dir's append only file.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(filepath.Join(copied, "appendonlydir"), os.DirFS(filepath.Join(dir, "appendonlydir"))); err != nil {
		t.Fatal(err)
	}
	return copied
}

// liveAndDie lets a server work until it dies. It reports true if it does not.
func liveAndDie(t *testing.T, srv *oracle.Server, acked, sent *int) bool {
	t.Helper()
	defer srv.Kill()
	network, addr := srv.Address()
	var c *oracle.Conn
	oracle.WaitFor(t, "the server", func() bool {
		conn, err := oracle.Dial(network, addr)
		if err != nil {
			return srv.Ended()
		}
		reply, err := conn.Do("PING")
		if err != nil || string(reply) != "+PONG\r\n" {
			conn.Close()
			return srv.Ended()
		}
		c = conn
		return true
	})
	if c == nil {
		return false
	}
	defer c.Close()
	reply, err := c.Do("GET", "n")
	if err != nil {
		return false
	}
	n, _ := strconv.Atoi(bulkString(string(reply)))
	if length, err := c.Do("LLEN", "list"); err == nil && string(length) != fmt.Sprintf(":%d\r\n", n) || n < *acked || n > *sent {
		t.Fatalf("%d there, list %q; acknowledged were %d, sent %d\n%s", n, length, *acked, *sent, srv.Log())
	}
	*acked, *sent = n, n
	for _, background := range []string{"BGREWRITEAOF", "BGSAVE", "BGREWRITEAOF"} {
		if _, err := c.Do(background); err != nil {
			return false
		}
		for busy, i := true, 0; busy || i < 3; i++ {
			*sent++
			number := strconv.Itoa(*sent)
			if reply, err := c.Do("EVAL", "redis.call('SET', 'n', ARGV[1]); return redis.call('RPUSH', 'list', ARGV[1])", "0", number); err != nil {
				return false
			} else if string(reply) != ":"+number+"\r\n" {
				t.Fatalf("%q\n%s", reply, srv.Log())
			}
			*acked = *sent
			info, err := c.Do("INFO", "persistence")
			if err != nil {
				return false
			}
			busy = strings.Contains(string(info), "in_progress:1")
		}
	}
	return true
}

func mustWrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustDo(t *testing.T, c *oracle.Conn, args ...string) string {
	t.Helper()
	reply, err := c.Do(args...)
	if err != nil {
		t.Fatal(err)
	}
	return string(reply)
}
