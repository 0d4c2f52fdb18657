package test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/resp"
)

// rewriteAOF rewrites the append only file and waits for the end.
func rewriteAOF(t *testing.T, c *oracle.Client) {
	t.Helper()
	if got := c.Do("BGREWRITEAOF"); !strings.HasPrefix(got, "+Background append only file rewriting") {
		t.Fatal(got)
	}
	awaitRewrite(t, c)
	if got := c.Info("persistence")["aof_last_bgrewrite_status"]; got != "ok" {
		t.Fatal(got)
	}
}

// awaitRewrite waits until no rewrite is under way or about to begin.
func awaitRewrite(t *testing.T, c *oracle.Client) {
	t.Helper()
	oracle.WaitFor(t, "the end of a rewrite", func() bool {
		return strings.Contains(c.Do("INFO", "persistence"), "aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0\r\n")
	})
}

// checkAOF lets redis-check-aof look at a server's files.
func checkAOF(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command(oracle.NeedTool(t, "redis-check-aof"), filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "All AOF files and manifest are valid") {
		t.Errorf("redis-check-aof: %v\n%s", err, out)
	}
}

// TestAOFsAreExchanged lets redis-server load what Shoal has written, and the other way round: increments, and bases in
// both formats.
func TestAOFsAreExchanged(t *testing.T) {
	redis, ours := subject{name: "redis", path: oracle.Need(t)}, subject{name: "shoal", path: oracle.ShoalPath(t)}
	for _, base := range []string{"", "yes", "no"} {
		for _, pair := range [][2]subject{{ours, redis}, {redis, ours}, {ours, ours}} {
			t.Run(pair[0].name+"-"+pair[1].name+"-"+base, func(t *testing.T) {
				from := pair[0].start(t, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
				c := from.Dial(t)
				fillForSnapshot(c)
				c.Do("FUNCTION", "LOAD", testLibrary)
				c.Do("SET", "ttl", "x", "PX", "100000000")
				c.Do("XGROUP", "CREATE", "large:stream", "group", "0")
				c.Do("XREADGROUP", "GROUP", "group", "someone", "COUNT", "10", "STREAMS", "large:stream", ">")
				c.Do("XGROUP", "CREATECONSUMER", "large:stream", "group", "nobody")
				if base != "" {
					c.Do("CONFIG", "SET", "aof-use-rdb-preamble", base)
					rewriteAOF(t, c)
					c.Do("SELECT", "3")
					c.Do("RPUSH", "after", "1", "2")
					c.Do("SELECT", "0")
				}
				digest, libraries, groups := c.Do("DEBUG", "DIGEST"), c.Do("FUNCTION", "LIST", "WITHCODE"), c.Do("XPENDING", "large:stream", "group")
				from.Stop(t)
				checkAOF(t, from.Dir)
				d := pair[1].start(t, "--dir", from.Dir, "--appendonly", "yes").Dial(t)
				if got := d.Do("DEBUG", "DIGEST"); got != digest {
					t.Errorf("the digest was %s and is %s", digest, got)
				}
				if got := d.Do("FUNCTION", "LIST", "WITHCODE"); got != libraries {
					t.Errorf("libraries were %s and are %s", libraries, got)
				}
				if got := d.Do("XPENDING", "large:stream", "group"); got != groups {
					t.Errorf("pending entries were %s and are %s", groups, got)
				}
			})
		}
	}
}

// effectLoad sends commands of all sorts, at random.
func effectLoad(c *oracle.Client, r *rand.Rand, n int) {
	for range n {
		i := r.IntN(400)
		switch r.IntN(24) {
		case 0:
			c.Do("MULTI")
			for range 1 + r.IntN(4) {
				c.Do(snapshotCommand(r, r.IntN(400))...)
			}
			c.Do("EXEC")
		case 1:
			c.Do("EVAL", "redis.call('INCR', KEYS[1]); redis.call('SADD', KEYS[2], redis.call('GET', KEYS[1])); return redis.call('SPOP', KEYS[2])", "2", "ev", "es")
		case 2:
			c.Do("SET", "e"+strconv.Itoa(i), "v", "PX", strconv.Itoa(1+r.IntN(30)))
		case 3:
			c.Do("APPEND", "e"+strconv.Itoa(i), "x")
		case 4:
			c.Do("SPOP", "t"+strconv.Itoa(i-i%7+4), "2")
		case 5:
			c.Do("SELECT", strconv.Itoa(r.IntN(3)))
		case 6:
			c.Do("BLMPOP", "0.001", "2", "q1", "q2", "LEFT", "COUNT", "3")
		case 7:
			c.Do("RPUSH", []string{"q1", "q2"}[r.IntN(2)], "a", "b")
		case 8:
			c.Do("BLMOVE", "q1", "q2", "LEFT", "RIGHT", "0.001")
		case 9:
			c.Do("HINCRBYFLOAT", "f", "x", "1.1")
		case 10:
			c.Do("XADD", "events", "MAXLEN", "~", "100", "*", "n", strconv.Itoa(i))
		case 11:
			c.Do("HPEXPIRE", "h"+strconv.Itoa(i-i%7+2), strconv.Itoa(1+r.IntN(50)), "FIELDS", "1", "f"+strconv.Itoa(r.IntN(100)))
		case 12:
			if r.IntN(40) == 0 {
				c.Do(pick(r, []string{"FLUSHDB"}, []string{"SWAPDB", "0", "1"}, []string{"FLUSHALL", "ASYNC"})...)
			}
			c.Do("MOVE", "s"+strconv.Itoa(i-i%7), "2")
		case 13:
			c.Do("SORT", "l"+strconv.Itoa(i-i%7+3), "STORE", "sorted")
		case 14:
			c.Do("BITFIELD", "bits", "INCRBY", "u8", strconv.Itoa(r.IntN(64)), "3")
		default:
			c.Do(snapshotCommand(r, i)...)
		}
	}
}

// TestEffectsMakeTheSameData runs commands of all sorts from many clients, and then everything that was written to the
// append only file again: the data are the same. In between the file is rewritten.
func TestEffectsMakeTheSameData(t *testing.T) {
	for _, engine := range []string{"auto", "gnet"} {
		for _, base := range []string{"yes", "no"} {
			t.Run(engine+"-"+base, func(t *testing.T) {
				srv := oracle.Shoal(t, "--appendonly", "yes", "--reactors", "3", "--net-engine", engine, "--aof-use-rdb-preamble", base, "--auto-aof-rewrite-percentage", "0")
				seed := oracle.Seed(t)
				var wg sync.WaitGroup
				for i := range 8 {
					c := srv.Dial(t)
					wg.Go(func() { effectLoad(c, rand.New(rand.NewPCG(seed, uint64(i))), 1500) })
				}
				c := srv.Dial(t)
				for range 3 {
					rewriteAOF(t, c)
				}
				wg.Wait()
				for db := range 3 { // what expires has done so
					c.Do("SELECT", strconv.Itoa(db))
					for i := range 400 {
						c.Do("PERSIST", "e"+strconv.Itoa(i))
					}
					for i := 2; i < 400; i += 7 {
						c.Do("DEL", "h"+strconv.Itoa(i))
					}
				}
				before := c.Do("DEBUG", "DIGEST")
				if got := c.Do("DEBUG", "LOADAOF"); got != "+OK\r\n" {
					t.Fatal(got, srv.Log())
				}
				if after := c.Do("DEBUG", "DIGEST"); after != before {
					t.Errorf("the digest was %s and is %s", before, after)
				}
				if strings.Contains(srv.Log(), "CRITICAL") {
					t.Error(srv.Log())
				}
				checkAOF(t, srv.Dir)
			})
		}
	}
}

// TestTornTail cuts the last file off at every offset: all that is complete is loaded, and no transaction in part.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	aof := filepath.Join(dir, "appendonlydir")
	if err := os.Mkdir(aof, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(aof, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("appendonly.aof.manifest", []byte("file appendonly.aof.1.base.aof seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"))
	write("appendonly.aof.1.base.aof", oracle.AppendCommand(nil, "SET", "n", "0"))
	var file []byte
	n := 0
	whole := map[int]int{0: 0} // n by the offsets at which the file may end
	add := func(lines ...string) {
		for _, line := range lines {
			file = resp.AppendCommand(file, bytes.Fields([]byte(line))...)
		}
		whole[len(file)] = n
	}
	for i := range 6 {
		n++
		add("INCR n")
		n += 2
		add("MULTI", "INCR n", "SET other "+strings.Repeat("x", i*5+1), "INCR n", "EXEC")
		file = append(file, "#TS:1628217470\r\n"...)
		whole[len(file)] = n
		add("SELECT 0")
	}
	write("appendonly.aof.1.incr.aof", file)
	srv := oracle.Shoal(t, "--dir", dir, "--appendonly", "no")
	c := srv.Dial(t)
	complete := 0
	for cut := range len(file) + 1 {
		if _, ok := whole[cut]; ok {
			complete = cut
		}
		write("appendonly.aof.1.incr.aof", file[:cut])
		if got := c.Do("DEBUG", "LOADAOF"); got != "+OK\r\n" {
			t.Fatalf("cut at %d: %s\n%s", cut, got, srv.Log()[max(0, len(srv.Log())-2000):])
		}
		want := strconv.Itoa(whole[complete])
		if got := c.Do("GET", "n"); got != fmt.Sprintf("$%d\r\n%s\r\n", len(want), want) {
			t.Fatalf("cut at %d: %s, want %s", cut, got, want)
		}
		if st, err := os.Stat(filepath.Join(aof, "appendonly.aof.1.incr.aof")); err != nil || st.Size() != int64(complete) {
			t.Fatalf("cut at %d: the file has %d bytes, %d are whole (%v)", cut, st.Size(), complete, err)
		}
	}
}

// crashKills is how many times TestCrashes kills the server; SHOAL_CRASH_KILLS says otherwise.
func crashKills(t *testing.T) int {
	if text := os.Getenv("SHOAL_CRASH_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 15
}

// crashWriter is a client that adds numbers to a list, each in a transaction with a counter.
type crashWriter struct {
	id    int
	sent  int64
	acked atomic.Int64
	kept  int64 // of those acknowledged, how many have to survive
}

// run writes until the server is gone.
func (w *crashWriter) run(srv *oracle.Server, r *rand.Rand) {
	network, addr := srv.Address()
	c, err := oracle.Dial(network, addr)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		burst := 1 + r.IntN(5)
		var b []byte
		for i := range burst {
			n := strconv.FormatInt(w.sent+int64(i)+1, 10)
			key := fmt.Sprint("w", w.id)
			if r.IntN(2) == 0 {
				b = oracle.AppendCommand(b, "EVAL", "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('RPUSH', KEYS[2], ARGV[1])", "2", key+":n", key+":list", n)
				continue
			}
			b = oracle.AppendCommand(b, "MULTI")
			b = oracle.AppendCommand(b, "SET", key+":n", n)
			b = oracle.AppendCommand(b, "RPUSH", key+":list", n)
			b = oracle.AppendCommand(b, "EXEC")
		}
		w.sent += int64(burst)
		if c.SendRaw(b) != nil {
			return
		}
		for w.acked.Load() < w.sent {
			reply, err := c.Reply()
			if err != nil {
				return
			}
			if reply[0] == ':' || reply[0] == '*' { // of EVAL, or EXEC
				w.acked.Add(1)
			}
		}
	}
}

// check looks for what has to be there, and for transactions in part. What was sent besides may be there.
func (w *crashWriter) check(t *testing.T, c *oracle.Client) {
	t.Helper()
	key := fmt.Sprint("w", w.id)
	n, _ := strconv.ParseInt(strings.TrimSpace(strings.Trim(bulkText(c.Do("GET", key+":n")), "\r\n")), 10, 64)
	length, _ := strconv.ParseInt(strings.Trim(c.Do("LLEN", key+":list"), ":\r\n"), 10, 64)
	last := bulkText(c.Do("LINDEX", key+":list", "-1"))
	if n < w.kept || n > w.sent {
		t.Errorf("writer %d: %d is there, %d has to be, %d was acknowledged, %d sent", w.id, n, w.kept, w.acked.Load(), w.sent)
	}
	if length != n || n > 0 && last != strconv.FormatInt(n, 10) {
		t.Errorf("writer %d: %d elements, the last is %s, and the counter %d", w.id, length, last, n)
	}
	w.startAt(n)
}

// startAt makes n what has been written and has to survive.
func (w *crashWriter) startAt(n int64) {
	w.sent, w.kept = n, n
	w.acked.Store(n)
}

func bulkText(reply string) string {
	_, text, _ := strings.Cut(reply, "\r\n")
	return strings.TrimSuffix(text, "\r\n")
}

// TestCrashes kills the server again and again under load, at random moments, of rewrites and saves, too: with
// appendfsync always nothing is lost that was acknowledged.
func TestCrashes(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) { crashAgainAndAgain(t, engine, crashKills(t)/2+1) })
}

func crashAgainAndAgain(t *testing.T, engine string, kills int) {
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(oracle.Seed(t), 1))
	writers := make([]*crashWriter, 8)
	for i := range writers {
		writers[i] = &crashWriter{id: i}
	}
	for kill := range kills {
		base := []string{"yes", "no"}[r.IntN(2)]
		srv, err := oracle.Start(oracle.ShoalPath(t), dir, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
			"--reactors", "2", "--net-engine", engine, "--aof-use-rdb-preamble", base, "--auto-aof-rewrite-percentage", "50", "--auto-aof-rewrite-min-size", "20kb")
		if err != nil {
			t.Fatal(err)
		}
		c := srv.Dial(t)
		for _, w := range writers {
			w.check(t, c)
		}
		var wg sync.WaitGroup
		for _, w := range writers {
			own := rand.New(rand.NewPCG(r.Uint64(), 0))
			wg.Go(func() { w.run(srv, own) })
		}
		for range r.IntN(4) {
			time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
			c.Do([]string{"BGREWRITEAOF", "BGSAVE"}[r.IntN(2)])
		}
		time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		srv.Kill()
		wg.Wait()
		for _, w := range writers {
			w.kept = w.acked.Load()
		}
		if report := srv.CrashReport(); report != "" {
			t.Fatal(report)
		}
		if t.Failed() {
			t.Fatalf("after %d kills", kill)
		}
	}
}

// TestRepliesWaitForTheDisk makes writing take long: with appendfsync always a client that writes waits for it, one
// that reads does not.
func TestRepliesWaitForTheDisk(t *testing.T) {
	for _, engine := range []string{"auto", "gnet"} {
		t.Run(engine, func(t *testing.T) {
			srv := oracle.Shoal(t, "--appendonly", "yes", "--appendfsync", "always", "--reactors", "2", "--net-engine", engine)
			a, b, c := srv.Dial(t), srv.Dial(t), srv.Dial(t)
			b.Do("BLPOP", "nothing", "0.001")
			b.Send("BLPOP", "list", "0")
			oracle.WaitFor(t, "a blocked client", func() bool { return c.Info("clients")["blocked_clients"] == "1" })
			a.Do("DEBUG", "AOF-FLUSH-SLEEP", "1000000")
			begin := time.Now()
			a.Send("SET", "k", "v")
			a.Send("GET", "k")
			a.Send("RPUSH", "list", "x")
			oracle.WaitFor(t, "the key", func() bool { return c.Do("GET", "k") == "$1\r\nv\r\n" })
			oracle.WaitFor(t, "the blocked client", func() bool { return c.Info("clients")["blocked_clients"] == "0" })
			read := time.Now()
			if got := a.Reply() + a.Reply() + a.Reply(); got != "+OK\r\n$1\r\nv\r\n:1\r\n" {
				t.Error(got)
			}
			if waited := time.Since(begin); waited < 900*time.Millisecond {
				t.Errorf("the reply to a write came after %v", waited)
			}
			if got := b.Reply(); got != "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n" || !read.Before(time.Now()) {
				t.Error(got)
			}
			a.Do("DEBUG", "AOF-FLUSH-SLEEP", "0")
			if got := a.Do("CONFIG", "SET", "appendonly", "no"); got != "+OK\r\n" {
				t.Error(got)
			}
			if got := a.Do("SET", "k", "w"); got != "+OK\r\n" {
				t.Error(got)
			}
		})
	}
}

// TestStalledDisk makes the disk stand still: with appendfsync everysec nobody waits, and INFO tells.
func TestStalledDisk(t *testing.T) {
	srv := oracle.Shoal(t, "--appendonly", "yes", "--appendfsync", "everysec")
	c := srv.Dial(t)
	c.Do("DEBUG", "AOF-FLUSH-SLEEP", "2000000")
	var writes []byte
	for i := range 2000 {
		writes = oracle.AppendCommand(writes, "SET", "k"+strconv.Itoa(i), "v")
	}
	// A busy machine may take longer than the disk stands still, but not each time.
	oracle.WaitFor(t, "writes that are done before they are in the file", func() bool {
		c.Do("SET", "first", "x")
		send(t, c, writes, 2000)
		info := c.Info("persistence")
		return info["aof_buffer_length"] != "0" && info["aof_sync_lag_ms"] != "0"
	})
	c.Do("DEBUG", "AOF-FLUSH-SLEEP", "0")
	if got := c.Do("WAITAOF", "1", "0", "0"); got != "*2\r\n:1\r\n:0\r\n" {
		t.Error(got)
	}
}

// TestWait looks at the replies of WAIT, beside redis-server's, where there are no replicas.
func TestWait(t *testing.T) {
	redis, shoal := pool.get(t, oracle.Need(t)).Dial(t), sharedShoal(t).Dial(t)
	for _, args := range [][]string{{"WAIT", "0", "0"}, {"WAIT", "-1", "0"}, {"WAIT", "a", "0"}, {"WAIT", "1", "1"}, {"WAIT", "1", "-1"}, {"WAIT", "1", "1.5"}, {"WAIT", "1"},
		{"MULTI"}, {"WAIT", "1", "0"}, {"EXEC"}, {"EVAL", "return redis.call('wait', 1, 0)", "0"}} {
		if want, got := redis.Do(args...), shoal.Do(args...); got != want {
			t.Errorf("%q: %q, in redis %q", args, got, want)
		}
	}
}

// TestWaitAOF looks at the replies of WAITAOF.
func TestWaitAOF(t *testing.T) {
	srv := oracle.Shoal(t, "--appendonly", "no")
	c := srv.Dial(t)
	expect := func(want string, args ...string) {
		t.Helper()
		if got := c.Do(args...); got != want {
			t.Errorf("%q: %s, want %s", args, got, want)
		}
	}
	off := "-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n"
	expect(off, "WAITAOF", "1", "0", "0")
	expect("*2\r\n:0\r\n:0\r\n", "WAITAOF", "0", "0", "0")
	expect("-ERR value is out of range, value must between 0 and 1\r\n", "WAITAOF", "2", "0", "0")
	expect("-ERR value is out of range, must be positive\r\n", "WAITAOF", "1", "-1", "0")
	expect("-ERR timeout is negative\r\n", "WAITAOF", "1", "0", "-1")
	expect("+OK\r\n", "CONFIG", "SET", "appendonly", "yes")
	awaitRewrite(t, c)
	for _, policy := range []string{"always", "everysec"} {
		expect("+OK\r\n", "CONFIG", "SET", "appendfsync", policy)
		expect("+OK\r\n", "SET", "k", policy)
		expect("*2\r\n:1\r\n:0\r\n", "WAITAOF", "1", "0", "0")
	}
	expect("*2\r\n:1\r\n:0\r\n", "WAITAOF", "1", "1", "10")
	expect("+OK\r\n", "CONFIG", "SET", "appendfsync", "no")
	expect("+OK\r\n", "SET", "k", "no")
	expect("*2\r\n:0\r\n:0\r\n", "WAITAOF", "1", "0", "10")
	d := srv.Dial(t)
	c.Send("WAITAOF", "1", "0", "0")
	oracle.WaitFor(t, "a blocked client", func() bool { return d.Info("clients")["blocked_clients"] == "1" })
	d.Do("CONFIG", "SET", "appendonly", "no")
	if got := c.Reply(); got != off {
		t.Error(got)
	}
}

// TestAOFAtRunTime turns the append only file on and off.
func TestAOFAtRunTime(t *testing.T) {
	srv := oracle.Shoal(t, "--appendonly", "no")
	c := srv.Dial(t)
	fillForSnapshot(c)
	for i := range 3 {
		if got := c.Do("CONFIG", "SET", "appendonly", "yes"); got != "+OK\r\n" {
			t.Fatal(got)
		}
		c.Do("RPUSH", "now", strconv.Itoa(i))
		awaitRewrite(t, c)
		c.Do("RPUSH", "now", "more")
		before := c.Do("DEBUG", "DIGEST")
		if got := c.Do("DEBUG", "LOADAOF"); got != "+OK\r\n" {
			t.Fatal(got)
		}
		if after := c.Do("DEBUG", "DIGEST"); after != before {
			t.Errorf("the digest was %s and is %s", before, after)
		}
		checkAOF(t, srv.Dir)
		c.Do("CONFIG", "SET", "appendonly", "no")
		c.Do("RPUSH", "now", "off")
	}
}

// TestSaveBehindRewrite asks for a save while the append only file is rewritten: it has what came up to the end of that.
func TestSaveBehindRewrite(t *testing.T) {
	srv := oracle.Shoal(t, "--appendonly", "yes", "--rdb-key-save-delay", "1000")
	c, d := srv.Dial(t), srv.Dial(t)
	for i := range 300 {
		c.Do("SET", "k"+strconv.Itoa(i), "v")
	}
	for _, meanwhile := range []func(){
		func() { c.Do("SET", "last", "x") },
		func() { c.Do("FLUSHALL"); c.Do("SET", "last", "x") },
	} {
		if got := c.Do("BGREWRITEAOF"); got != "+Background append only file rewriting started\r\n" {
			t.Fatal(got)
		}
		d.Do("PING")
		d.Send("SAVE")
		oracle.WaitFor(t, "SAVE", func() bool { return strings.Contains(c.Do("CLIENT", "LIST"), "cmd=save") })
		meanwhile()
		saved(t, srv, d)
		awaitRewrite(t, c)
	}
}

// saved wants d's SAVE to have made a dump file, and removes it.
func saved(t *testing.T, srv *oracle.Server, d *oracle.Client) {
	t.Helper()
	if got := d.Reply(); got != "+OK\r\n" {
		t.Error(got)
	}
	if err := os.Remove(filepath.Join(srv.Dir, "dump.rdb")); err != nil {
		t.Error(err)
	}
}

// TestFlushDuringSave empties all data while a SAVE is at work that would take long: it goes on with what there is then.
func TestFlushDuringSave(t *testing.T) {
	srv := oracle.Shoal(t, "--rdb-key-save-delay", "1000000000")
	c, d := srv.Dial(t), srv.Dial(t)
	c.Do("SET", "k", "v")
	d.Send("SAVE")
	oracle.WaitFor(t, "SAVE", func() bool { return c.Info("persistence")["current_save_keys_total"] == "1" })
	c.Do("FLUSHALL")
	saved(t, srv, d)
}

// Files that rewrites have replaced are kept while aof-disable-auto-gc is on, and removed as soon as it is turned off.
func TestAOFHistory(t *testing.T) {
	srv := oracle.Shoal(t, "--appendonly", "yes", "--aof-disable-auto-gc", "yes")
	c := srv.Dial(t)
	for range 2 {
		c.Do("RPUSH", "k", "v")
		rewriteAOF(t, c)
	}
	files := func() (manifest string, n int) {
		dir := filepath.Join(srv.Dir, "appendonlydir")
		b, err := os.ReadFile(filepath.Join(dir, "appendonly.aof.manifest"))
		if err != nil {
			t.Fatal(err)
		}
		all, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), len(all)
	}
	if m, n := files(); strings.Count(m, "type h") != 4 || n != 7 {
		t.Errorf("%d files:\n%s", n, m)
	}
	if got := c.Do("CONFIG", "SET", "aof-disable-auto-gc", "no"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	if m, n := files(); strings.Contains(m, "type h") || n != 3 {
		t.Errorf("%d files:\n%s", n, m)
	}
	checkAOF(t, srv.Dir)

	off := oracle.Shoal(t, "--aof-disable-auto-gc", "yes").Dial(t)
	if got := off.Do("CONFIG", "SET", "aof-disable-auto-gc", "no"); got != "+OK\r\n" {
		t.Error(got)
	}
}

// TestAOFSizes reads what INFO tells of the files: the empty base with which a new one begins counts from the next start on.
func TestAOFSizes(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		args := []string{"--appendonly", "yes", "--aof-use-rdb-preamble", "no"}
		srv := s.start(t, args...)
		c := srv.Dial(t)
		f := func(current, base int) {
			t.Helper()
			want := fmt.Sprintf("aof_current_size:%d\r\naof_base_size:%d\r\naof_pending_rewrite:0\r\naof_buffer_length:0\r\n", current, base)
			oracle.WaitFor(t, want, func() bool { return strings.Contains(c.Do("INFO", "persistence"), want) })
		}
		f(0, 0)
		c.Do("SET", "a", "1")
		c.Do("SET", "b", "2")
		f(77, 0) // with SELECT
		c.Do("BGREWRITEAOF")
		f(77, 77)
		c.Do("SET", "c", "3")
		f(127, 77)
		srv.Kill()
		c = s.start(t, append(args, "--dir", srv.Dir)...).Dial(t)
		f(127, 77)
	})
}

// TestAOFOffWhileRewriting turns the file off as soon as a rewrite has begun, which would take long: it is ended, and told of.
func TestAOFOffWhileRewriting(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--appendonly", "yes")
		c := srv.Dial(t)
		c.Do("SET", "a", "1")
		c.Do("CONFIG", "SET", "rdb-key-save-delay", "100000000") // us
		for killed := 1; killed <= 10; killed++ {
			if got := c.Do("BGREWRITEAOF"); got != "+Background append only file rewriting started\r\n" {
				t.Fatal(got)
			}
			c.Do("CONFIG", "SET", "appendonly", "no")
			oracle.WaitFor(t, "the end of the rewrite", func() bool {
				return strings.Count(srv.Log(), "Killing") == killed && strings.Contains(c.Do("INFO", "persistence"), "aof_rewrite_in_progress:0\r")
			})
			c.Do("CONFIG", "SET", "rdb-key-save-delay", "0")
			c.Do("CONFIG", "SET", "appendonly", "yes")
			awaitRewrite(t, c)
			c.Do("CONFIG", "SET", "rdb-key-save-delay", "100000000")
		}
	})
}
