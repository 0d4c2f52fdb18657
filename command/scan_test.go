package command

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// strings of an array reply.
func list(reply string) []string {
	if strings.HasPrefix(reply, "*0\r\n") {
		return nil
	}
	return elements([]byte(reply))
}

// scanCall is a call of SCAN: the next cursor and the keys.
func (c *testCtx) scanCall(cursor string, options ...string) (next string, keys []string) {
	c.t.Helper()
	reply := c.do(append([]string{"SCAN", cursor}, options...)...)
	reply, ok := strings.CutPrefix(reply, "*2\r\n")
	if !ok {
		c.t.Fatalf("SCAN replied %q", reply)
	}
	_, reply, _ = strings.Cut(reply, "\r\n") // its length
	next, reply, _ = strings.Cut(reply, "\r\n")
	return next, list(reply)
}

// fill sets the keys prefix0, prefix1 ...
func (c *testCtx) fill(prefix string, n int) {
	for i := range n {
		c.do("SET", prefix+strconv.Itoa(i), "v")
	}
}

func TestScanMeetsEveryKey(t *testing.T) {
	for _, count := range []string{"1", "10", "1000"} {
		c := newTestCtx(t, keyLists...)
		c.fill("k", 3000)
		rng := rand.New(rand.NewPCG(1, 1))
		seen := map[string]bool{}
		calls, extra := 0, 3000
		for cursor := "0"; cursor != "0" || calls == 0; calls++ {
			var keys []string
			cursor, keys = c.scanCall(cursor, "COUNT", count)
			for _, k := range keys {
				seen[k] = true
			}
			// The first thousand stay; the rest comes and goes, so that the tables grow and shrink.
			for range 5 + rng.IntN(5) {
				if calls%600 < 300 && extra < 10_000 {
					c.do("SET", "k"+strconv.Itoa(extra), "v")
					extra++
				} else if extra > 1000 {
					extra--
					c.do("DEL", "k"+strconv.Itoa(extra))
				}
			}
			if calls > 20_000 {
				t.Fatal("the scan does not end")
			}
		}
		for i := range 1000 {
			if !seen["k"+strconv.Itoa(i)] {
				t.Fatalf("COUNT %s: k%d was not returned", count, i)
			}
		}
	}
}

func TestScanIsBoundedByCount(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.fill("k", 5000)
	for cursor := "0"; ; {
		next, keys := c.scanCall(cursor, "COUNT", "20")
		if len(keys) > 20+40 {
			t.Fatalf("%d keys for COUNT 20", len(keys))
		}
		if cursor = next; cursor == "0" {
			break
		}
	}
	// Few keys in many buckets: a call gives up after ten times COUNT of them.
	c = newTestCtx(t, keyLists...)
	for i := range c.KS.Shards() {
		c.KS.Shard(i).DB(0).Hold()
	}
	c.fill("k", 20_000)
	for i := range 19_999 {
		c.do("DEL", "k"+strconv.Itoa(i))
	}
	calls, found := 0, 0
	for cursor := "0"; cursor != "0" || calls == 0; calls++ {
		var keys []string
		cursor, keys = c.scanCall(cursor, "COUNT", "10")
		found += len(keys)
	}
	if calls < 5 || found != 1 {
		t.Fatalf("%d calls found %d keys", calls, found)
	}
}

func TestScanOfForeignCursors(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.fill("k", 1000)
	for _, cursor := range []string{"-1", "18446744073709551615", "12345678901234567", "4294967296", "3", "-0"} {
		for calls := 0; ; calls++ {
			next, _ := c.scanCall(cursor)
			if cursor = next; cursor == "0" {
				break
			}
			if calls > 2000 {
				t.Fatal("the scan does not end")
			}
		}
	}
}

func TestScanFilters(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.fill("k", 500)
	c.fill("{tag}k", 50)
	c.setList("a list")
	c.do("SET", "gone", "v", "PX", "1")
	c.NowMS += 10
	f := func(want int, options ...string) (calls int) {
		t.Helper()
		found := map[string]bool{}
		for cursor := "0"; cursor != "0" || calls == 0; calls++ {
			var keys []string
			cursor, keys = c.scanCall(cursor, options...)
			for _, k := range keys {
				found[k] = true
			}
		}
		if len(found) != want {
			t.Errorf("SCAN %q found %d keys, want %d", options, len(found), want)
		}
		return calls
	}
	all := f(551)
	f(551, "MATCH", "*")
	f(500, "MATCH", "k*")
	f(1, "TYPE", "list")
	f(0, "TYPE", "hash")
	f(0, "TYPE", "list", "MATCH", "k*")
	f(1, "MATCH", "[a-b]*")
	f(0, "MATCH", "gone")
	f(0, "MATCH", "g*")
	f(10, "MATCH", "{tag}k?", "COUNT", "5")
	if one := f(50, "MATCH", "{tag}*"); one > all/2 {
		t.Errorf("%d calls for a hash tag, %d for everything", one, all)
	}
	if one := f(1, "MATCH", "{tag}k7", "TYPE", "string"); one != 1 {
		t.Errorf("%d calls for one key", one)
	}
	f(0, "MATCH", "{tag}k7", "TYPE", "list")
	f(50, "MATCH", "{t*")
	f(0, "MATCH", "{}nosuch*")
	f(0, "MATCH", "{*}x*")
}

func TestKeysListsEachOnce(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.fill("k", 4000)
	c.fill("{tag}", 9)
	c.do("SET", "gone", "v", "PX", "1")
	c.NowMS += 10
	for pattern, want := range map[string]int{"*": 4009, "k*": 4000, "k1": 1, "k[12]": 2, "{tag}*": 9, "none": 0, "gone": 0, "gon?": 0, "": 0} {
		got := list(c.do("KEYS", pattern))
		slices.Sort(got)
		if len(got) != want || len(slices.Compact(got)) != want {
			t.Errorf("KEYS %q: %d keys, want %d", pattern, len(got), want)
		}
	}
}

// While KEYS has let go of a shard's lock, others delete most keys.
func TestKeysWhileKeysAreDeleted(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.fill("k", 20_000)
	c.LockedAll = false
	c.prepare([][]byte{[]byte("KEYS"), []byte("*")})
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { done <- n }()
		for ; n < 18_000; n++ {
			select {
			case <-stop:
				return
			default:
			}
			k := c.KS.Key(0, []byte("k"+strconv.Itoa(n)))
			k.DB.Shard().Lock(c.NowMS)
			k.DB.Delete(&k)
			k.DB.Shard().Unlock()
		}
	}()
	c.Spec.Run(c.Ctx)
	close(stop)
	<-done
	keys := list(string(c.Reply.Buf))
	slices.Sort(keys)
	if n := len(slices.Compact(slices.Clone(keys))); n != len(keys) || n < 2000 {
		t.Fatalf("%d keys, %d different ones", len(keys), n)
	}
	for i := range c.KS.Shards() {
		s := c.KS.Shard(i)
		s.Lock(c.NowMS)
		for s.Tick(1000) {
		}
		if n, resizing := s.DB(0).Buckets(); resizing || n > 2000 {
			t.Errorf("%d buckets: the table is still kept from shrinking", n)
		}
		s.Unlock()
	}
}

func TestRandomKeyIsFair(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.fill("k", 50)
	for i := range 30 {
		c.do("SET", "gone"+strconv.Itoa(i), "v", "PX", "1")
	}
	c.NowMS += 10
	got := map[string]int{}
	for range 20_000 {
		got[bulk(c.do("RANDOMKEY"))]++
	}
	for i := range 50 {
		if n := got["k"+strconv.Itoa(i)]; n < 150 || n > 1000 {
			t.Errorf("k%d came %d times of 20000", i, n)
		}
	}
	if len(got) != 50 {
		t.Errorf("%d different keys", len(got))
	}
	if reply := c.do("DBSIZE"); reply != ":50\r\n" {
		t.Errorf("DBSIZE %q", reply)
	}
}

func TestFlushGivesMemoryBack(t *testing.T) {
	for _, command := range []string{"FLUSHALL", "FLUSHALL SYNC", "FLUSHDB SYNC"} {
		c := newTestCtx(t, keyLists...)
		c.fill("k", 3000)
		c.do("SET", "large", strings.Repeat("x", 5<<20))
		if strings.HasPrefix(command, "FLUSHDB") {
			other := c.KS.Key(3, []byte("k1"))
			other.DB.SetString(&other, []byte("stays"), shard.SetMode{})
		}
		var steps int
		c.Later = func(_ *Ctx, step func(int64) bool, done func(*resp.Writer)) {
			c.KS.UnlockAll()
			for step(c.NowMS) {
				steps++
			}
			done(c.Reply)
			c.KS.LockAll(c.NowMS)
		}
		if reply := c.doLine(command); reply != "+OK\r\n" || steps == 0 {
			t.Fatalf("%s replied %q after %d steps", command, reply, steps)
		}
		if got := c.log; !slices.Equal(got, []string{command}) {
			t.Errorf("%s propagates %q", command, got)
		}
		if c.Dirty() != 3001 {
			t.Errorf("%s: %d changes", command, c.Dirty())
		}
		used := c.KS.RetiredBytes() + c.KS.Heap().Stats().Large
		for i := range c.KS.Shards() {
			used += c.KS.Shard(i).Pending()
			if err := c.KS.Shard(i).Check(); err != nil {
				t.Error(err)
			}
		}
		if used != 0 {
			t.Errorf("%s has left %d", command, used)
		}
	}
}

func TestAsyncFlushDoesNotWait(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.Later = func(*Ctx, func(int64) bool, func(*resp.Writer)) { t.Error("waits") }
	for _, lazy := range []bool{false, true} {
		c.Env.LazyFlush = lazy
		for _, command := range []string{"FLUSHALL ASYNC", "FLUSHDB async", "FLUSHALL"} {
			if command == "FLUSHALL" && !lazy {
				continue
			}
			c.fill("k", 100)
			if reply := c.doLine(command); reply != "+OK\r\n" || c.do("DBSIZE") != ":0\r\n" {
				t.Errorf("%s replied %q", command, reply)
			}
		}
	}
}

func TestParseCursor(t *testing.T) {
	f := func(in string, want uint64, ok bool) {
		t.Helper()
		if got, gotOK := parseCursor([]byte(in)); got != want && ok || gotOK != ok {
			t.Errorf("%q: %d, %v", in, got, gotOK)
		}
	}
	f("", 0, true)
	f("0", 0, true)
	f("007", 7, true)
	f("+7", 7, true)
	f("-1", 1<<64-1, true)
	f("18446744073709551615", 1<<64-1, true)
	f("18446744073709551616", 0, false)
	f("99999999999999999999", 0, false)
	f("1\x00x", 1, true)
	f("\x00", 0, true)
	for _, bad := range []string{"+", "-", "x", "1x", " 1", "1 ", "--1", "0x1"} {
		f(bad, 0, false)
	}
}

func TestKeyCommandsDoNotAllocate(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	c.do("SET", "k", "v", "EX", "100")
	c.do("SET", "l", "v")
	for _, command := range []string{"EXISTS k l none", "TYPE k", "TTL k", "PTTL none", "TOUCH k", "OBJECT ENCODING k", "DEL none",
		"EXPIRE k 100", "EXPIRE k 100 XX", "PERSIST l", "RENAME k k", "DBSIZE", "SCAN 0", "SCAN 0 MATCH k*", "KEYS k"} {
		c.allocs(strings.Split(command, " ")...)
	}
}

func BenchmarkKeys(b *testing.B) {
	c := newTestCtx(b, keyLists...)
	c.fill("k", 100_000)
	for _, command := range []string{"SCAN 0 COUNT 100", "KEYS x*", "DBSIZE", "RANDOMKEY", "EXISTS k77", "TTL k77"} {
		b.Run(fmt.Sprint("command=", strings.ReplaceAll(command, " ", "_")), func(b *testing.B) {
			c.do(strings.Split(command, " ")...)
			b.ReportAllocs()
			for b.Loop() {
				c.Reply.Buf = c.Reply.Buf[:0]
				c.Spec.Run(c.Ctx)
			}
		})
	}
}
