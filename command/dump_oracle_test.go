package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/persist/rdb"
)

func newDumpDuel(t *testing.T) *duel {
	d := newDuel(t, 2, StringCommands, ListCommands, SetCommands, ZSetCommands, HashCommands, StreamCommands, KeyCommands,
		ExpireCommands, DumpCommands)
	d.want(d.redis.Do("CONFIG", "SET", "rdbcompression", "no"))
	return d
}

// words returns n words that begin with those given.
func manyWords(n int, format string, first ...string) []string {
	for i := range n {
		first = append(first, strings.Fields(fmt.Sprintf(format, i))...)
	}
	return first
}

// dumpCases make a key called k each, in every encoding whose bytes do not depend on a hash.
var dumpCases = map[string][][]string{
	"int8":       {{"SET", "k", "-128"}},
	"int16":      {{"SET", "k", "32767"}},
	"int32":      {{"SET", "k", "-2147483648"}},
	"int64":      {{"SET", "k", "2147483648"}},
	"number":     {{"APPEND", "k", "12"}},
	"not int":    {{"SET", "k", "007"}},
	"empty":      {{"SET", "k", ""}},
	"embstr":     {{"SET", "k", "hello"}},
	"raw":        {{"SET", "k", strings.Repeat("hello", 20)}},
	"long":       {{"SET", "k", strings.Repeat("0123456789abcdef", 2000)}},
	"list":       {manyWords(5, "%d element%[1]d", "RPUSH", "k")},
	"list nodes": {manyWords(3000, "element:%d", "RPUSH", "k"), manyWords(300, "%d", "LPUSH", "k")},
	"large list element": {{"RPUSH", "k", "a", strings.Repeat("x", 20000), "b"},
		{"RPUSH", "k", "c", strings.Repeat("y", 100000)}},
	"intset16":   {manyWords(50, "%d", "SADD", "k")},
	"intset32":   {manyWords(50, "%d", "SADD", "k", "100000")},
	"intset64":   {manyWords(50, "-1%d", "SADD", "k", "10000000000")},
	"set of one": {{"SADD", "k", "member"}},
	"zset": {{"ZADD", "k", "1", "a", "1.5", "b", "-inf", "c", "inf", "d", "3e100", "e", "0.1", "f", "-0", "g", "1", "12",
		"9007199254740993", "h", "4611686018427387904", "i", "1e17", "j"}},
	"skiplist":       {manyWords(300, "%d.25 member:%[1]d", "ZADD", "k"), {"ZADD", "k", "-inf", "low", "inf", "high"}},
	"long member":    {{"ZADD", "k", "1", strings.Repeat("m", 65), "2", "n"}},
	"hash":           {manyWords(20, "field:%d value:%[1]d", "HSET", "k")},
	"hash of ints":   {manyWords(20, "%d -%[1]d0000", "HSET", "k")},
	"table of one":   {{"HSET", "k", "field", strings.Repeat("v", 65)}},
	"stream":         {manyWords(0, "", "XADD", "k", "1-1", "a", "1", "b", "2"), {"XADD", "k", "1-2", "a", "1", "b", "2"}, {"XADD", "k", "2-0", "c", "d"}},
	"emptied stream": {{"XADD", "k", "1-1", "a", "1"}, {"XDEL", "k", "1-1"}},
	"stream with a group": {{"XADD", "k", "1-1", "a", "1"}, {"XADD", "k", "1-2", "a", "2"}, {"XADD", "k", "1-3", "a", "3"},
		{"XDEL", "k", "1-2"}, {"XGROUP", "CREATE", "k", "g", "0"}, {"XGROUP", "CREATE", "k", "h", "$"}},
}

// TestDumpBytes compares the payloads of values that both servers represent alike.
func TestDumpBytes(t *testing.T) {
	d := newDumpDuel(t)
	for name, commands := range dumpCases {
		t.Run(name, func(t *testing.T) {
			d.t = t
			d.do("DEL", "k")
			for _, words := range commands {
				d.do(words...)
			}
			d.do("DUMP", "k")
		})
	}
	t.Run("stream of many nodes", func(t *testing.T) {
		d.t = t
		d.do("DEL", "k")
		for i := range 350 {
			d.do("XADD", "k", fmt.Sprintf("%d-%d", 1+i/2, i), "field", fmt.Sprint(i), "other", "x")
		}
		d.do("XDEL", "k", "3-4", "3-5")
		d.do("DUMP", "k")
	})
}

// TestRestoreBothWays takes values from one server to the other, in every encoding, compressed and not.
func TestRestoreBothWays(t *testing.T) {
	d := newDumpDuel(t)
	cases := map[string][][]string{
		"table":       {manyWords(600, "field:%d value:%[1]d", "HSET", "k")},
		"long values": {manyWords(30, "field:%d "+strings.Repeat("value", 30), "HSET", "k")},
		"set":         {manyWords(600, "member:%d", "SADD", "k")},
		"many ints":   {manyWords(600, "%d", "SADD", "k")},
		"claimed and acknowledged": {{"XADD", "k", "1-1", "a", "1"}, {"XADD", "k", "1-2", "a", "2"}, {"XADD", "k", "1-3", "a", "3"},
			{"XGROUP", "CREATE", "k", "g", "0"}, {"XREADGROUP", "GROUP", "g", "one", "COUNT", "2", "STREAMS", "k", ">"},
			{"XREADGROUP", "GROUP", "g", "two", "STREAMS", "k", ">"}, {"XACK", "k", "g", "1-1"},
			{"XGROUP", "CREATECONSUMER", "k", "g", "idle"}},
	}
	for name, commands := range dumpCases {
		cases[name] = commands
	}
	for _, compress := range []string{"no", "yes"} {
		d.want(d.redis.Do("CONFIG", "SET", "rdbcompression", compress))
		d.ours.Env.Compress = compress == "yes"
		for name, commands := range cases {
			t.Run(name+"/compress="+compress, func(t *testing.T) {
				d.t = t
				d.want(d.redis.Do("FLUSHALL"))
				d.ours.do("DEL", "k", "theirs", "ours")
				for _, words := range commands {
					d.ours.do(words...)
					d.want(d.redis.Do(words...))
				}
				theirs, ours := bulk(string(d.want(d.redis.Do("DUMP", "k")))), bulk(d.ours.do("DUMP", "k"))
				if reply := d.want(d.redis.Do("RESTORE", "ours", "0", ours)); string(reply) != "+OK\r\n" {
					t.Fatalf("redis does not take our payload: %s", reply)
				}
				if reply := d.ours.do("RESTORE", "theirs", "0", theirs); reply != "+OK\r\n" {
					t.Fatalf("we do not take the payload of redis: %s", reply)
				}
				digests := strings.Fields(string(d.want(d.redis.Do("DEBUG", "DIGEST-VALUE", "k", "ours"))))
				if digests[1] != digests[2] {
					t.Errorf("our value has the digest %s there, their own %s", digests[2], digests[1])
				}
				if k, r := d.ours.state("k"), d.ours.state("theirs"); k.encoding != r.encoding {
					t.Errorf("encoded as %s, restored as %s", k.encoding, r.encoding)
				}
				if !sameContent(d.ours, "k", "theirs") {
					t.Errorf("the value that was restored here differs")
				}
			})
		}
	}
}

// sameContent compares what commands say of two keys.
func sameContent(c *testCtx, a, b string) bool {
	same := func(words ...string) bool {
		x := c.do(words...)
		for i, w := range words {
			if w == a {
				words[i] = b
			}
		}
		return x == c.do(words...)
	}
	switch c.state(a).kind {
	case "string":
		return same("GET", a)
	case "list":
		return same("LRANGE", a, "0", "-1")
	case "zset":
		return same("ZRANGE", a, "0", "-1", "WITHSCORES")
	case "set":
		return c.do("SCARD", a) == c.do("SCARD", b) && c.do("SINTERCARD", "2", a, b) == c.do("SCARD", a)
	case "hash":
		fields := elements([]byte(c.do("HKEYS", a)))
		return same("HLEN", a) && same(append([]string{"HMGET", a}, fields...)...)
	}
	return same("XRANGE", a, "-", "+") && maskTimes(c.do("XINFO", "STREAM", a, "FULL")) == maskTimes(c.do("XINFO", "STREAM", b, "FULL"))
}

// TestRestoreLikeRedis compares the options, the errors and what is told others.
func TestRestoreLikeRedis(t *testing.T) {
	d := newDumpDuel(t)
	payload := func(words ...string) string {
		d.want(d.redis.Do("DEL", "made"))
		d.want(d.redis.Do(words...))
		return bulk(string(d.want(d.redis.Do("DUMP", "made"))))
	}
	str, list := payload("SET", "made", "value"), payload("RPUSH", "made", "a", "b")
	broken := str[:3] + "X" + str[4:]
	for _, tail := range [][]string{
		{"0", str}, {"0", list}, {"0", str, "REPLACE"}, {"0", list, "replace"}, {"-1", str}, {"x", str}, {"0", broken}, {"0", ""}, {"0", "short"},
		{"0", str, "nonsense"}, {"0", str, "REPLACE", "REPLACE"}, {"5000000", str, "REPLACE"}, {"5000000", list, "REPLACE", "IDLETIME", "10"},
		{"5000000", str}, {"1", list, "ABSTTL"}, {"1", list, "ABSTTL", "REPLACE"}, {"1", list, "ABSTTL", "REPLACE"},
		{"4102444800000", list, "ABSTTL"}, {"4102444800000", str, "ABSTTL", "REPLACE"}, {"0", str, "REPLACE", "FREQ", "10"},
		{"0", str, "REPLACE", "FREQ", "256"}, {"0", str, "REPLACE", "FREQ", "-1"}, {"0", str, "REPLACE", "IDLETIME", "-1"},
		{"0", str, "REPLACE", "IDLETIME", "x"}, {"0", str, "REPLACE", "FREQ", "x"}, {"0", str, "REPLACE", "FREQ", "1", "IDLETIME", "1"},
		{"0", str, "REPLACE", "IDLETIME", "1", "FREQ", "1"}, {"0", str, "REPLACE", "IDLETIME"}, {"0", str, "REPLACE", "FREQ"},
		{"0", str, "REPLACE", "IDLETIME", "9223372036854775807"}, {"x", broken}, {"-1", broken, "REPLACE"}, {"9223372036854775807", str, "REPLACE"},
	} {
		d.do(append([]string{"RESTORE", "k"}, tail...)...)
	}
	d.do("DUMP", "none")
	d.do("DUMP")
	d.do("RESTORE", "k", "0")
	d.want(d.redis.Do("CONFIG", "SET", "sanitize-dump-payload", "yes"))
	for _, bad := range []string{"\x08\x00", "\x1a\x00", "\xff", "\x00", "\x01\x00", "\x01\x81", "\x0e\x00", "\x02\x00", "\x05\x00", "\x04\x00",
		"\x10\x07\x07\x00\x00\x00\x00\x00\xff", "\x02\x02\xc0\x01\xc0\x01", "\x04\x02\x01a\x01b\x01a\x01c", "\x02\x03\x01a\x01b\x01a"} {
		d.do("RESTORE", "bad", "0", withFooter(bad))
	}
}

// withFooter makes a payload of a type and a value.
func withFooter(value string) string { return string(rdb.AppendFooter([]byte(value), 0)) }
