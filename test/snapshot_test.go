package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// largeMembers is the size of the collections that are saved in steps.
const largeMembers = 20000

// fillForSnapshot creates keys of all types, some of them large.
func fillForSnapshot(c *oracle.Client) {
	r := rand.New(rand.NewPCG(1, 2))
	var b []byte
	n := 0
	do := func(args ...string) { b = oracle.AppendCommand(b, args...); n++ }
	for i := range snapshotKeys {
		do(snapshotCommand(r, i)...)
		do(snapshotCommand(r, i)...)
	}
	for _, key := range []string{"hash", "set", "list", "zset", "stream"} {
		for i := 0; i < largeMembers; i += 100 {
			args := []string{map[string]string{"hash": "HSET", "set": "SADD", "list": "RPUSH", "zset": "ZADD", "stream": "XADD"}[key], "large:" + key}
			if key == "stream" {
				args = append(args, strconv.Itoa(i+1)+"-1")
			}
			for j := i; j < i+100; j++ {
				switch key {
				case "hash", "stream":
					args = append(args, fmt.Sprint("f", j), fmt.Sprint("v", j))
				case "zset":
					args = append(args, strconv.Itoa(j), fmt.Sprint("m", j))
				default:
					args = append(args, fmt.Sprint("m", j))
				}
			}
			do(args...)
		}
	}
	do("SETRANGE", "large:string", "3000000", "end")
	do("SETRANGE", "long:string", "6000000", "end")
	do("SET", "middle:string", strings.Repeat("text ", 10000))
	c.SendRaw(string(b))
	for range n {
		c.Reply()
	}
}

const snapshotKeys = 3000

// snapshotCommand returns a random write whose effect depends on nothing but the data.
func snapshotCommand(r *rand.Rand, i int) []string {
	n := strconv.Itoa(i)
	v := strconv.Itoa(r.IntN(100))
	switch kinds := [...]string{"s", "n", "h", "l", "t", "z", "x"}; kinds[i%len(kinds)] {
	case "s":
		return pick(r, []string{"SET", "s" + n, strings.Repeat(v, r.IntN(40))}, []string{"APPEND", "s" + n, v}, []string{"DEL", "s" + n},
			[]string{"SETRANGE", "s" + n, v, "x"}, []string{"PEXPIREAT", "s" + n, "41024448000" + v}, []string{"PERSIST", "s" + n}, []string{"SETBIT", "s" + n, v, "1"})
	case "n":
		return pick(r, []string{"INCRBY", "n" + n, v}, []string{"SET", "n" + n, v}, []string{"GETDEL", "n" + n}, []string{"COPY", "n" + n, "n:copy", "REPLACE"})
	case "h":
		return pick(r, []string{"HSET", "h" + n, "f" + v, v}, []string{"HDEL", "h" + n, "f" + v}, []string{"HINCRBY", "h" + n, "n", v}, []string{"RENAME", "h" + n, "h:other"})
	case "l":
		return pick(r, []string{"RPUSH", "l" + n, v}, []string{"LPOP", "l" + n}, []string{"LPUSH", "l" + n, v, v}, []string{"LTRIM", "l" + n, "0", v}, []string{"LMOVE", "l" + n, "l:all", "LEFT", "RIGHT"})
	case "t":
		return pick(r, []string{"SADD", "t" + n, v}, []string{"SADD", "t" + n, "m" + v}, []string{"SREM", "t" + n, v}, []string{"SUNIONSTORE", "t:sum", "t" + n, "t:sum"})
	case "z":
		return pick(r, []string{"ZADD", "z" + n, v, "m" + v}, []string{"ZINCRBY", "z" + n, "1.5", "m" + v}, []string{"ZPOPMIN", "z" + n}, []string{"ZREMRANGEBYSCORE", "z" + n, "0", v})
	}
	return pick(r, []string{"XADD", "x" + n, "*" + v, "a", v}, []string{"XTRIM", "x" + n, "MAXLEN", v}, []string{"SET", "x" + n, v}, []string{"MOVE", "x" + n, "2"})
}

// largeCommand returns a random write to one of the large keys.
func largeCommand(r *rand.Rand) []string {
	v := strconv.Itoa(r.IntN(largeMembers))
	return pick(r, []string{"HSET", "large:hash", "f" + v, "new"}, []string{"HDEL", "large:hash", "f" + v}, []string{"SADD", "large:set", "x" + v}, []string{"SREM", "large:set", "m" + v},
		[]string{"RPUSH", "large:list", v}, []string{"LSET", "large:list", "-" + strconv.Itoa(1+r.IntN(1000)), v}, []string{"ZADD", "large:zset", v, "m1"}, []string{"ZREM", "large:zset", "m" + v},
		[]string{"XDEL", "large:stream", v + "-1"}, []string{"SETRANGE", "large:string", v + "00", "abc"}, []string{"APPEND", "large:string", v}, []string{"SETRANGE", "long:string", v + "00", v}, []string{"SETBIT", "long:string", v + "000", "1"}, []string{"APPEND", "middle:string", v}, []string{"RENAME", "large:set", "large:set"})
}

func pick(r *rand.Rand, all ...[]string) []string { return all[r.IntN(len(all))] }

// transactionOf is a transaction that ran as number n.
type transactionOf struct {
	n    int
	cmds [][]string
}

// snapshotLoad runs transactions until stop is set. Each begins by counting itself.
func snapshotLoad(t *testing.T, srv *oracle.Server, seed uint64, stop *atomic.Bool) (done []transactionOf) {
	c := srv.Dial(t)
	r := rand.New(rand.NewPCG(seed, 9))
	for !stop.Load() {
		var cmds [][]string
		for range 1 + r.IntN(4) {
			if r.IntN(20) == 0 {
				cmds = append(cmds, largeCommand(r))
			} else {
				cmds = append(cmds, snapshotCommand(r, r.IntN(snapshotKeys)))
			}
		}
		b := oracle.AppendCommand(nil, "MULTI")
		b = oracle.AppendCommand(b, "INCR", "count")
		for _, cmd := range cmds {
			b = oracle.AppendCommand(b, cmd...)
		}
		if r.IntN(200) == 0 {
			cmds = append(cmds, []string{"SWAPDB", "2", "3"})
			b = oracle.AppendCommand(b, "SWAPDB", "2", "3")
		}
		c.SendRaw(string(oracle.AppendCommand(b, "EXEC")))
		for range len(cmds) + 2 {
			c.Reply()
		}
		number, _, _ := strings.Cut(strings.SplitN(c.Reply(), ":", 2)[1], "\r")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Error(err)
			return done
		}
		done = append(done, transactionOf{n, cmds})
	}
	return done
}

// privateLoad runs single commands, on keys that nobody else writes, in database 1. After each one it notes its number.
func privateLoad(t *testing.T, srv *oracle.Server, id int, stop *atomic.Bool) (done [][]string) {
	c := srv.Dial(t)
	c.Do("SELECT", "1")
	r := rand.New(rand.NewPCG(uint64(id), 10))
	for !stop.Load() {
		n := strconv.Itoa(len(done))
		p := fmt.Sprintf("p%d:%d:", id, r.IntN(300))
		cmd := pick(r, []string{"RPUSH", p + "l", n}, []string{"HSET", p + "h", n, n}, []string{"SET", p + "s", n}, []string{"INCR", p + "n"}, []string{"APPEND", p + "a", n},
			[]string{"ZADD", p + "z", n, "m"}, []string{"DEL", p + "s"}, []string{"SETEX", p + "s", "10000", n}, []string{"EVAL", "redis.call('SADD', KEYS[1], ARGV[1]) redis.call('SREM', KEYS[1], ARGV[2])", "1", p + "t", n, "0"})
		done = append(done, cmd)
		b := oracle.AppendCommand(oracle.AppendCommand(nil, cmd...), "SET", fmt.Sprintf("p%d:done", id), strconv.Itoa(len(done)))
		c.SendRaw(string(b))
		c.Reply()
		c.Reply()
	}
	return done
}

// waitSaved waits for the end of a BGSAVE.
func waitSaved(t *testing.T, c *oracle.Client) {
	t.Helper()
	oracle.WaitFor(t, "the end of BGSAVE", func() bool { return strings.Contains(c.Do("INFO", "persistence"), "rdb_bgsave_in_progress:0") })
	if info := c.Do("INFO", "persistence"); !strings.Contains(info, "rdb_last_bgsave_status:ok") {
		t.Fatal(info)
	}
}

// TestSnapshotIsOneMoment takes snapshots under a random load: each must be what the commands before its cut, and no
// others, have made.
func TestSnapshotIsOneMoment(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		if s.isRedis() {
			return // a fork takes long while the other tests run
		}
		srv := s.start(t)
		c := srv.Dial(t)
		fillForSnapshot(c)
		c.Do("CONFIG", "SET", "rdb-key-save-delay", "50") // more happens meanwhile
		var stop atomic.Bool
		var wg sync.WaitGroup
		transactions := make([][]transactionOf, 3)
		private := make([][][]string, 2)
		for i := range transactions {
			wg.Go(func() { transactions[i] = snapshotLoad(t, srv, uint64(i), &stop) })
		}
		for i := range private {
			wg.Go(func() { private[i] = privateLoad(t, srv, i, &stop) })
		}
		var files []string
		for i := range 4 {
			time.Sleep(50 * time.Millisecond)
			if got := c.Do("BGSAVE"); got != "+Background saving started\r\n" {
				t.Error(got)
			}
			waitSaved(t, c)
			files = append(files, fmt.Sprintf("%s/copy%d.rdb", srv.Dir, i))
			if err := os.Link(srv.Dir+"/dump.rdb", files[i]); err != nil {
				t.Error(err)
			}
		}
		stop.Store(true)
		wg.Wait()
		if t.Failed() {
			return
		}
		all := slices.Concat(transactions...)
		slices.SortFunc(all, func(a, b transactionOf) int { return a.n - b.n })
		for _, f := range files {
			checkSnapshot(t, s, f, all, private)
		}
	})
}

// checkSnapshot compares a snapshot with the transactions, and the private commands, that its counters say it has.
func checkSnapshot(t *testing.T, s subject, file string, all []transactionOf, private [][][]string) {
	t.Helper()
	saved := s.start(t, "--dbfilename", filepath.Base(file), "--dir", filepath.Dir(file))
	defer saved.Kill()
	replayed := s.start(t)
	defer replayed.Kill()
	got, want := saved.Dial(t), replayed.Dial(t)
	fillForSnapshot(want)
	count := intReply(t, got.Do("GET", "count"))
	ran := 0
	for _, tx := range all {
		if tx.n > count {
			break
		}
		for _, cmd := range append([][]string{{"INCR", "count"}}, tx.cmds...) {
			want.Do(cmd...)
		}
		ran++
	}
	t.Logf("%s has %d of %d transactions", filepath.Base(file), ran, len(all))
	got.Do("SELECT", "1")
	for id, cmds := range private {
		checkPrivate(t, got, replayed.Dial(t), id, cmds)
	}
	got.Do("FLUSHDB")
	want.Do("SELECT", "1")
	want.Do("FLUSHDB")
	if a, b := got.Do("DEBUG", "DIGEST"), want.Do("DEBUG", "DIGEST"); a != b {
		t.Errorf("%s: the digest is %s, not %s", filepath.Base(file), a, b)
		explain(t, got, want)
	}
}

// checkPrivate compares the keys of one privateLoad with its first commands, of which the last one may be there without
// having been noted.
func checkPrivate(t *testing.T, got, want *oracle.Client, id int, cmds [][]string) {
	t.Helper()
	n := 0
	if reply := got.Do("GET", fmt.Sprintf("p%d:done", id)); reply != "$-1\r\n" {
		n = intReply(t, reply)
	}
	want.Do("SELECT", "1")
	keys := map[string]bool{}
	for _, cmd := range cmds[:n] {
		want.Do(cmd...)
	}
	for _, cmd := range cmds {
		if cmd[0] == "EVAL" {
			keys[cmd[3]] = true
		} else {
			keys[cmd[1]] = true
		}
	}
	differs := func() (bad []string) {
		for key := range keys {
			if got.Do("DEBUG", "DIGEST-VALUE", key) != want.Do("DEBUG", "DIGEST-VALUE", key) {
				bad = append(bad, key)
			}
		}
		return bad
	}
	if bad := differs(); len(bad) > 0 && n < len(cmds) {
		want.Do(cmds[n]...)
		if bad := differs(); len(bad) > 0 {
			t.Errorf("client %d after %d commands: keys %q differ", id, n, bad)
		}
	}
}

// explain tells in what keys two servers differ.
func explain(t *testing.T, got, want *oracle.Client) {
	for db := range 4 {
		got.Do("SELECT", strconv.Itoa(db))
		want.Do("SELECT", strconv.Itoa(db))
		shown := 0
		for _, c := range []*oracle.Client{got, want} {
			for _, line := range strings.Split(oracle.Render([]byte(c.Do("KEYS", "*")), 2), "\n") {
				words, err := oracle.SplitWords(strings.TrimLeft(line, " *0123456789)"))
				if err != nil || len(words) == 0 || shown > 5 {
					continue
				}
				if a, b := got.Do("DEBUG", "DIGEST-VALUE", words[0]), want.Do("DEBUG", "DIGEST-VALUE", words[0]); a != b {
					t.Errorf("database %d: %q differs: type %q or %q", db, words[0], got.Do("TYPE", words[0]), want.Do("TYPE", words[0]))
					shown++
				}
			}
		}
	}
}

// intReply returns the number in a bulk reply.
func intReply(t *testing.T, reply string) int {
	t.Helper()
	parts := strings.Split(reply, "\r\n")
	n, err := strconv.Atoi(parts[min(1, len(parts)-1)])
	if err != nil {
		t.Fatalf("%q: %v", reply, err)
	}
	return n
}
