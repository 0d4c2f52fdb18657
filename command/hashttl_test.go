package command

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

// ttlTest runs commands on hashes in one of the two encodings; its clock stands at 2,000,000,000,000 ms.
type ttlTest struct{ *testCtx }

const ttlNow = 2_000_000_000_000

func newTTLTest(t *testing.T, entries int) ttlTest {
	c := newTestCtx(t, HashCommands, HashTTLCommands, KeyCommands, ObjectCommands)
	limits := types.DefaultLimits
	limits.HashListpackEntries = entries
	c.Env.Limits = &limits
	c.NowMS = ttlNow
	return ttlTest{c}
}

// want runs a command and compares its reply, with blanks between the lines, then events and effects.
func (c ttlTest) want(line, reply string, what ...string) {
	c.t.Helper()
	got := strings.TrimSuffix(strings.ReplaceAll(c.doLine(line), "\r\n", " "), " ")
	if got != reply {
		c.t.Errorf("%s: %q, want %q", line, got, reply)
	}
	if did := append(slices.Clone(c.events), c.log...); len(what) > 0 && !slices.Equal(did, what) {
		c.t.Errorf("%s: %q, want %q", line, did, what)
	}
}

// quiet wants a reply and neither events nor effects.
func (c ttlTest) quiet(line, reply string) {
	c.t.Helper()
	c.want(line, reply)
	if len(c.log) > 0 || len(c.events) > 0 && !strings.HasPrefix(c.events[0], "keymiss") {
		c.t.Errorf("%s: %q %q", line, c.events, c.log)
	}
}

// eachEncoding runs f on a listpack and on a table.
func eachEncoding(t *testing.T, f func(c ttlTest)) {
	for _, entries := range []int{512, 0} {
		t.Run(fmt.Sprint("listpack-entries=", entries), func(t *testing.T) { f(newTTLTest(t, entries)) })
	}
}

func TestHExpire(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1 b 2 c 3")
		c.quiet("HEXPIRE none 10 FIELDS 2 a b", "*2 :-2 :-2")
		c.quiet("HEXPIRE h 10 FIELDS 1 none", "*1 :-2")
		c.want("HEXPIRE h 10 FIELDS 3 a none b", "*3 :1 :-2 :1", "hexpire h", "HPEXPIREAT h 2000000010000 FIELDS 2 a b")
		c.quiet("HTTL h FIELDS 4 a b c none", "*4 :10 :10 :-1 :-2")
		c.quiet("HPTTL h FIELDS 2 a c", "*2 :10000 :-1")
		c.quiet("HEXPIRETIME h FIELDS 2 a c", "*2 :2000000010 :-1")
		c.quiet("HPEXPIRETIME h FIELDS 2 a c", "*2 :2000000010000 :-1")
		c.quiet("HTTL none FIELDS 1 a", "*1 :-2")
		c.want("HPEXPIRE h 1500 FIELDS 1 a", "*1 :1", "hexpire h", "HPEXPIREAT h 2000000001500 FIELDS 1 a")
		c.quiet("HTTL h FIELDS 1 a", "*1 :2")
		c.want("HEXPIREAT h 2000000100 FIELDS 1 a", "*1 :1", "hexpire h", "HPEXPIREAT h 2000000100000 FIELDS 1 a")
		c.want("HPEXPIREAT h 2000000200000 FIELDS 1 a", "*1 :1", "hexpire h", "HPEXPIREAT h 2000000200000 FIELDS 1 a")
		c.want("HEXPIRE h 0 FIELDS 1 a", "*1 :2", "hdel h", "HDEL h a")
		c.want("HEXPIREAT h 1 FIELDS 2 b c", "*2 :2 :2", "hdel h", "del h", "HDEL h b c")
		c.quiet("EXISTS h", ":0")
	})
}

func TestHExpireConditions(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1 b 2")
		c.doLine("HEXPIRE h 100 FIELDS 1 a")
		c.quiet("HEXPIRE h 200 NX FIELDS 1 a", "*1 :0")
		c.quiet("HEXPIRE h 200 XX FIELDS 1 b", "*1 :0")
		c.quiet("HEXPIRE h 200 GT FIELDS 1 b", "*1 :0")
		c.quiet("HEXPIRE h 100 GT FIELDS 1 a", "*1 :0")
		c.quiet("HEXPIRE h 100 LT FIELDS 1 a", "*1 :0")
		c.want("HEXPIRE h 200 gt FIELDS 2 a b", "*2 :1 :0")
		c.want("HEXPIRE h 50 LT FIELDS 2 a b", "*2 :1 :1")
		c.want("HEXPIRE h 60 XX FIELDS 2 a b", "*2 :1 :1")
		c.quiet("HEXPIRE h 0 NX FIELDS 1 a", "*1 :0")
		c.quiet("HEXPIRE h 10 NX XX FIELDS 1 a", "-ERR Mandatory argument FIELDS is missing or not at the right position")
	})
}

func TestFieldArguments(t *testing.T) {
	c := newTTLTest(t, 512)
	c.doLine("HSET h a 1")
	c.doLine("HSET list a 1")
	for _, name := range []string{"HEXPIRE h 10", "HTTL h", "HPERSIST h", "HGETDEL h", "HGETEX h"} {
		c.quiet(name+" FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0")
		c.quiet(name+" FIELDS x a", "-ERR Parameter `numFields` should be greater than 0")
		c.quiet(name+" FIELDS 2 a", "-ERR The `numfields` parameter must match the number of arguments")
		c.quiet(name+" FIELDS 1 a b", "-ERR The `numfields` parameter must match the number of arguments")
		c.quiet(name+" FIELDS 9223372036854775807 a", "-ERR The `numfields` parameter must match the number of arguments")
	}
	c.quiet("HTTL h FELDER 1 a", "-ERR Mandatory argument FIELDS is missing or not at the right position")
	c.quiet("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0")
	c.quiet("HEXPIRE h x FIELDS 1 a", "-ERR value is not an integer or out of range")
	c.quiet("HEXPIRE h 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command")
	c.quiet("HPEXPIREAT h 70368744177664 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command")
	c.want("HPEXPIREAT h 70368744177663 FIELDS 1 a", "*1 :1")
	c.setList("list")
	for _, line := range []string{"HEXPIRE list 10 FIELDS 1 a", "HTTL list FIELDS 1 a", "HPERSIST list FIELDS 1 a",
		"HGETDEL list FIELDS 1 a", "HGETEX list FIELDS 1 a", "HSETEX list FIELDS 1 a 1"} {
		c.quiet(line, "-WRONGTYPE Operation against a key holding the wrong kind of value")
	}
}

func TestHPersist(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1 b 2")
		c.doLine("HEXPIRE h 100 FIELDS 1 a")
		c.want("HPERSIST h FIELDS 3 a b none", "*3 :1 :-1 :-2", "hpersist h", "HPERSIST h FIELDS 1 a")
		c.quiet("HTTL h FIELDS 1 a", "*1 :-1")
		c.quiet("HPERSIST h FIELDS 1 a", "*1 :-1")
		c.quiet("HPERSIST none FIELDS 1 a", "*1 :-2")
	})
}

func TestWhatKeepsAFieldsTTL(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1")
		c.doLine("HEXPIRE h 100 FIELDS 1 a")
		c.want("HINCRBY h a 5", ":6")
		c.quiet("HTTL h FIELDS 1 a", "*1 :100")
		c.want("HINCRBYFLOAT h a 0.5", "$3 6.5", "hincrbyfloat h", "HSETEX h KEEPTTL FIELDS 1 a 6.5")
		c.quiet("HTTL h FIELDS 1 a", "*1 :100")
		c.doLine("COPY h other")
		c.quiet("HTTL other FIELDS 1 a", "*1 :100")
		c.doLine("RENAME other moved")
		c.quiet("HTTL moved FIELDS 1 a", "*1 :100")
		c.want("HSET h a 7", ":0")
		c.quiet("HTTL h FIELDS 1 a", "*1 :-1")
	})
}

// expire lets the fields expire that are due.
func (c ttlTest) expire() {
	c.events, c.log = nil, nil
	for i := range c.KS.Shards() {
		s := c.KS.Shard(i)
		s.Lock(c.NowMS)
		for s.Due(c.NowMS) && s.Expire(100) {
		}
		s.Unlock()
	}
}

func TestExpiredFieldsAreInvisible(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1 b 2 c 3")
		c.doLine("HPEXPIRE h 500 FIELDS 2 a b")
		c.NowMS += 500
		c.quiet("HLEN h", ":1")
		c.quiet("HGET h a", "$-1")
		c.quiet("HMGET h a b c", "*3 $-1 $-1 $1 3")
		c.quiet("HEXISTS h a", ":0")
		c.quiet("HSTRLEN h a", ":0")
		c.quiet("HGETALL h", "*2 $1 c $1 3")
		c.quiet("HKEYS h", "*1 $1 c")
		c.quiet("HVALS h", "*1 $1 3")
		c.quiet("HRANDFIELD h", "$1 c")
		c.quiet("HRANDFIELD h 5", "*1 $1 c")
		c.quiet("HRANDFIELD h -2", "*2 $1 c $1 c")
		c.quiet("HSCAN h 0", "*2 $1 0 *2 $1 c $1 3")
		c.quiet("HTTL h FIELDS 1 a", "*1 :-2")
		c.quiet("HEXPIRE h 10 FIELDS 1 a", "*1 :-2")
		c.quiet("HPERSIST h FIELDS 1 a", "*1 :-2")
		c.quiet("HGETDEL h FIELDS 1 a", "*1 $-1")
		c.want("HSETNX h a new", ":1")
		c.quiet("HTTL h FIELDS 1 a", "*1 :-1")
		c.want("HINCRBY h b 5", ":5")
		c.want("HDEL h a b c", ":3", "hdel h", "del h", "HDEL h a b c")
	})
}

func TestFieldsAreDeletedActively(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1 b 2 c 3")
		c.doLine("HPEXPIRE h 500 FIELDS 1 a")
		c.doLine("HPEXPIRE h 900 FIELDS 2 b c")
		c.NowMS += 508
		c.expire()
		if !slices.Equal(c.events, []string{"hexpired h"}) || !slices.Equal(c.log, []string{"HDEL h a"}) {
			t := c.t
			t.Errorf("%q, %q", c.events, c.log)
		}
		c.NowMS += 400
		c.expire()
		slices.Sort(c.log)
		if !slices.Equal(c.events, []string{"hexpired h", "del h"}) || !slices.Equal(c.log, []string{"HDEL h b", "HDEL h c"}) {
			c.t.Errorf("%q, %q", c.events, c.log)
		}
		c.quiet("EXISTS h", ":0")
	})
}

func TestHGetDel(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1 b two c 3")
		c.want("HGETDEL h FIELDS 3 a none b", "*3 $1 1 $-1 $3 two", "hdel h", "HDEL h a b")
		c.quiet("HGETDEL none FIELDS 1 a", "*1 $-1")
		c.want("HGETDEL h FIELDS 1 c", "*1 $1 3", "hdel h", "del h", "HDEL h c")
		c.quiet("EXISTS h", ":0")
	})
}

func TestHGetEx(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.doLine("HSET h a 1 b 2")
		c.quiet("HGETEX h FIELDS 2 a none", "*2 $1 1 $-1")
		c.want("HGETEX h EX 10 FIELDS 2 a none", "*2 $1 1 $-1", "hexpire h", "HPEXPIREAT h 2000000010000 FIELDS 1 a")
		c.want("HGETEX h PXAT 2000000020000 FIELDS 1 b", "*1 $1 2", "hexpire h", "HPEXPIREAT h 2000000020000 FIELDS 1 b")
		c.quiet("HTTL h FIELDS 2 a b", "*2 :10 :20")
		c.want("HGETEX h PERSIST FIELDS 1 a", "*1 $1 1", "hpersist h", "HPERSIST h FIELDS 1 a")
		c.quiet("HGETEX h PERSIST FIELDS 1 a", "*1 $1 1")
		c.want("HGETEX h EXAT 1 FIELDS 1 a", "*1 $1 1", "hdel h", "HDEL h a")
		c.quiet("HGETEX h EX 1 PX 1 FIELDS 1 b", "-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified")
		c.quiet("HGETEX h KEEPTTL FIELDS 1 b", "-ERR syntax error")
		c.quiet("HGETEX none EX 10 FIELDS 1 b", "*1 $-1")
	})
}

func TestHSetEx(t *testing.T) {
	eachEncoding(t, func(c ttlTest) {
		c.want("HSETEX h EX 10 FIELDS 2 a 1 b 2", ":1", "new h", "hset h", "hexpire h",
			"HSETEX h PXAT 2000000010000 FIELDS 2 a 1 b 2")
		c.quiet("HTTL h FIELDS 2 a b", "*2 :10 :10")
		c.quiet("HSETEX h FNX FIELDS 2 new 1 b 2", ":0")
		c.quiet("HSETEX h FXX FIELDS 2 new 1 b 2", ":0")
		c.quiet("HEXISTS h new", ":0")
		c.want("HSETEX h FXX KEEPTTL FIELDS 1 b 3", ":1", "hset h", "HSETEX h KEEPTTL FIELDS 1 b 3")
		c.quiet("HTTL h FIELDS 1 b", "*1 :10")
		c.want("HSETEX h FIELDS 1 b 4", ":1", "hset h", "HSET h b 4")
		c.quiet("HTTL h FIELDS 1 b", "*1 :-1")
		c.want("HSETEX h FNX PX 100 FIELDS 1 c 5", ":1", "hset h", "hexpire h", "HSETEX h PXAT 2000000000100 FIELDS 1 c 5")
		c.want("HSETEX h EXAT 1 FIELDS 3 a 1 b 1 c 1", ":1", "hset h", "hdel h", "del h", "HDEL h a b c")
		c.quiet("EXISTS h", ":0")
		c.quiet("HSETEX h FNX FXX FIELDS 1 a 1", "-ERR syntax error")
		c.quiet("HSETEX h EX 1 KEEPTTL FIELDS 1 a 1", "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")
		c.quiet("HSETEX h FIELDS 1 a", "-ERR wrong number of arguments for 'hsetex' command")
		c.quiet("HSETEX h FIELDS 2 a 1 b", "-ERR The `numfields` parameter must match the number of arguments")
		c.quiet("HSETEX h EX FIELDS 1 a 1", "-ERR value is not an integer or out of range")
	})
}

func TestEncodingOfHashesWithTTL(t *testing.T) {
	c := newTTLTest(t, 2)
	c.doLine("HSET h a 1")
	c.quiet("OBJECT ENCODING h", "$8 listpack")
	c.doLine("HEXPIRE h 10 FIELDS 1 a")
	c.quiet("OBJECT ENCODING h", "$10 listpackex")
	c.doLine("HSET h b 1 c 1")
	c.quiet("OBJECT ENCODING h", "$9 hashtable")
	c.quiet("HTTL h FIELDS 2 a b", "*2 :10 :-1")
}
