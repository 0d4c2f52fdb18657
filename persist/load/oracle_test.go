package load

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

func newKeyspace() *shard.Keyspace {
	return shard.New(shard.Options{Shards: 8, Databases: 16, Seed: 7, NowMS: time.Now().UnixMilli()}, alloc.NewHeap())
}

func options() Options {
	return Options{Limits: &types.DefaultLimits, NowMS: time.Now().UnixMilli(), LFU: false}
}

// save writes all of ks as a file.
func save(ks *shard.Keyspace, compress bool) []byte {
	nowMS := time.Now().UnixMilli()
	ks.LockAll(nowMS)
	defer ks.UnlockAll()
	out := rdb.AppendHeader(nil, rdb.Version)
	out = rdb.AppendInfo(out, &rdb.Info{RedisVersion: "7.2.4", CreatedSec: nowMS / 1000, UsedMemory: 1 << 20})
	enc := rdb.Encoder{Compress: compress}
	for id := range ks.Databases() {
		keys, expires := 0, 0
		for i := range ks.Shards() {
			db := ks.Shard(i).DB(id)
			n, _ := db.Expires()
			keys, expires = keys+db.Len(), expires+n
		}
		if keys == 0 {
			continue
		}
		out = rdb.AppendDB(out, id, keys, expires)
		for i := range ks.Shards() {
			out = saveDB(out, &enc, ks.Shard(i).DB(id))
		}
	}
	out = rdb.AppendEOF(out)
	return rdb.AppendChecksum(out, rdb.Checksum(0, out))
}

func saveDB(out []byte, enc *rdb.Encoder, db *shard.DB) []byte {
	one := func(e shard.Entry) {
		a := rdb.Attributes{ExpireMS: db.ExpireMS(e), IdleSec: -1, Freq: -1}
		if e.Type() == types.String {
			var scratch [20]byte
			out = rdb.AppendKey(out, db.Key(e), rdb.String, a, enc.Compress)
			out = rdb.AppendString(out, db.Bytes(e, scratch[:]), enc.Compress)
			return
		}
		out = rdb.AppendKey(out, db.Key(e), enc.Start(db.Space(), db.Root(e)), a, enc.Compress)
		for more := true; more; {
			out, more = enc.Step(out, 100)
		}
	}
	if db.Len() == 0 {
		return out
	}
	for cursor := db.Scan(0, one); cursor != 0; {
		cursor = db.Scan(cursor, one)
	}
	return out
}

// fill makes keys of all types and encodings in a redis-server.
func fill(t *testing.T, c *oracle.Client) {
	t.Helper()
	do := func(words ...string) {
		if reply := c.Do(words...); strings.HasPrefix(reply, "-") {
			t.Fatalf("%.100q: %s", words, reply)
		}
	}
	many := func(n int, format string, first ...string) []string {
		for i := range n {
			first = append(first, strings.Fields(fmt.Sprintf(format, i))...)
		}
		return first
	}
	for _, n := range []int64{0, -1, 127, 128, -32768, 1 << 20, -1 << 31, 1 << 31, 1<<63 - 1} {
		do("SET", fmt.Sprint("int:", n), strconv.FormatInt(n, 10))
	}
	for _, n := range []int{0, 1, 44, 45, 63, 64, 1000, 16383, 16384, 100_000, 3 << 20} {
		do("SET", fmt.Sprint("string:", n), strings.Repeat("x", n))
		do("SET", fmt.Sprint("random:", n), strings.Repeat(fmt.Sprintf("%d/%x", n, n*7919), n/8+1)[:n])
	}
	do("SET", strings.Repeat("long key ", 100), "value")
	do(many(10, "%d element%[1]d", "RPUSH", "list")...)
	do(many(5000, "element:%d", "RPUSH", "list:nodes")...)
	do("RPUSH", "list:large", strings.Repeat("y", 100_000), "small", strings.Repeat("z", 9000))
	do(many(100, "%d", "SADD", "intset:16")...)
	do(many(100, "1000%d", "SADD", "intset:32")...)
	do(many(100, "-1000000000%d", "SADD", "intset:64")...)
	do(many(600, "%d", "SADD", "set:ints")...)
	do(many(100, "member:%d", "SADD", "set")...)
	do(many(20000, "member:%d", "SADD", "set:large")...)
	do(many(50, "%d.5 member:%[1]d", "ZADD", "zset")...)
	do("ZADD", "zset:special", "inf", "a", "-inf", "b", "0.1", "c", "1e300", "d", "3", "e", "3", "f")
	do(many(20000, "%d.25 member:%[1]d", "ZADD", "zset:large")...)
	do("ZADD", "zset:long", "1", strings.Repeat("m", 100))
	do(many(50, "field:%d value:%[1]d", "HSET", "hash")...)
	do(many(20000, "field:%d value:%[1]d", "HSET", "hash:large")...)
	do("HSET", "hash:long", "f", strings.Repeat("v", 100))
	for i := range 500 {
		do("XADD", "stream", fmt.Sprintf("%d-%d", i/3+1, i), "field", strconv.Itoa(i), "other", "value")
	}
	do("XGROUP", "CREATE", "stream", "group", "0")
	do("XREADGROUP", "GROUP", "group", "alice", "COUNT", "100", "STREAMS", "stream", ">")
	do("XREADGROUP", "GROUP", "group", "bob", "COUNT", "100", "STREAMS", "stream", ">")
	do("XACK", "stream", "group", "1-0", "2-4")
	do("XDEL", "stream", "1-1", "3-7")
	do("XADD", "stream:empty", "1-1", "a", "b")
	do("XDEL", "stream:empty", "1-1")
	do("SET", "expires", "1", "PXAT", "4102444800123")
	do("HSET", "expires:hash", "a", "b")
	do("PEXPIREAT", "expires:hash", "4102444800999")
	do("SELECT", "5")
	do("SET", "other", "database")
	do("SELECT", "0")
}

// TestFilesBothWays loads what redis-server has saved, saves that, and has redis-server load it.
func TestFilesBothWays(t *testing.T) {
	for _, compress := range []string{"yes", "no"} {
		t.Run("compress="+compress, func(t *testing.T) {
			dir := t.TempDir()
			theirs := oracle.Redis(t, "--dir", dir, "--dbfilename", "theirs.rdb", "--rdbcompression", compress, "--list-compress-depth", "1")
			c := theirs.Dial(t)
			fill(t, c)
			digest := c.Do("DEBUG", "DIGEST")
			if reply := c.Do("SAVE"); reply != "+OK\r\n" {
				t.Fatal(reply)
			}
			file, err := os.ReadFile(filepath.Join(dir, "theirs.rdb"))
			if err != nil {
				t.Fatal(err)
			}
			ks := newKeyspace()
			o := options()
			if compress == "yes" {
				o.At = bytes.NewReader(file)
			}
			res, err := Load(ks, bytes.NewReader(file), o)
			if err != nil {
				t.Fatal(err)
			}
			size, _ := strconv.Atoi(strings.TrimSpace(c.Do("DBSIZE")[1:]))
			if res.Keys != int64(size)+1 || res.Version != 10 || res.Bytes != int64(len(file)) {
				t.Errorf("%+v of %d keys and %d bytes", res, size+1, len(file))
			}
			ours := filepath.Join(dir, "ours.rdb")
			if err := os.WriteFile(ours, save(ks, compress == "yes"), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(oracle.NeedTool(t, "redis-check-rdb"), ours).CombinedOutput(); err != nil {
				t.Errorf("redis-check-rdb: %v\n%s", err, out)
			}
			again := oracle.Redis(t, "--dir", dir, "--dbfilename", "ours.rdb")
			if got := again.Dial(t).Do("DEBUG", "DIGEST"); got != digest {
				t.Errorf("the digest is %s, with redis-server's own file %s", got, digest)
			}
			for _, key := range []string{"stream", "stream:empty"} {
				if got, want := again.Dial(t).Do("XINFO", "STREAM", key, "FULL"), c.Do("XINFO", "STREAM", key, "FULL"); got != want {
					t.Errorf("%s is\n%s\nand was\n%s", key, got, want)
				}
			}
		})
	}
}

// sameDigest has redis-server load a file, and what we have saved after loading it, and compares.
func sameDigest(t *testing.T, file []byte, o Options) {
	t.Helper()
	ks := newKeyspace()
	if _, err := Load(ks, bytes.NewReader(file), o); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	digest := func(name string, file []byte) string {
		if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
			t.Fatal(err)
		}
		c := oracle.Redis(t, "--dir", dir, "--dbfilename", name).Dial(t)
		if c.Do("DBSIZE") == ":0\r\n" {
			t.Errorf("%s is empty", name)
		}
		return c.Do("DEBUG", "DIGEST")
	}
	if a, b := digest("a.rdb", file), digest("b.rdb", save(ks, true)); a != b {
		t.Errorf("digest %s, ours %s", a, b)
	}
}
