package test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// The values of which a snapshot is taken: some of each type, and strings that are not large.
const (
	heavyBytes  = 4 << 20 // of a value
	heavyEach   = 5       // of each type
	mediumCount = 800
	mediumBytes = 48 << 10
)

var heavyTypes = []string{"string", "list", "set", "zset", "hash", "stream"}

func heavyName(kind string, i int) string { return fmt.Sprintf("heavy:%s:%d", kind, i) }

// heavyElements returns how many elements the value i of a type has, and how long they are.
func heavyElements(i int) (n, length int) {
	length = 200
	if i%2 == 0 {
		length = 10_000
	}
	return heavyBytes / length, length
}

// appendHeavy appends the commands that make a value, and returns how many they are.
func appendHeavy(b []byte, kind, key string, i int) ([]byte, int) {
	n, length := heavyElements(i)
	if kind == "string" {
		return oracle.AppendCommand(b, "SET", key, strings.Repeat("text", heavyBytes/2)), 1 // 8 MiB: it is not compressed
	}
	count := 0
	for from := 0; from < n; from += 100 {
		args := []string{map[string]string{"list": "RPUSH", "set": "SADD", "zset": "ZADD", "hash": "HSET", "stream": "XADD"}[kind], key}
		if kind == "stream" {
			args = append(args, "*")
		}
		for j := from; j < min(from+100, n); j++ {
			element := strconv.Itoa(j) + strings.Repeat("-", length-5)
			switch kind {
			case "zset":
				args = append(args, strconv.Itoa(j), element)
			case "hash", "stream":
				args = append(args, strconv.Itoa(j), element)
			default:
				args = append(args, element)
			}
		}
		b = oracle.AppendCommand(b, args...)
		count++
	}
	return b, count
}

func appendMedium(b []byte, i int) []byte {
	return oracle.AppendCommand(b, "SET", fmt.Sprint("medium:", i), strings.Repeat(strconv.Itoa(i%10), mediumBytes))
}

// send sends n commands and waits for their replies.
func send(t *testing.T, c *oracle.Client, b []byte, n int) {
	t.Helper()
	go c.SendRaw(string(b))
	for range n {
		if reply := c.Reply(); strings.HasPrefix(reply, "-") {
			t.Error(reply)
		}
	}
}

func fillHeavy(t *testing.T, c *oracle.Client) {
	for i := range heavyEach {
		for _, kind := range heavyTypes {
			b, n := appendHeavy(nil, kind, heavyName(kind, i), i)
			send(t, c, b, n)
		}
	}
	var b []byte
	for i := range mediumCount {
		b = appendMedium(b, i)
	}
	send(t, c, b, mediumCount)
}

// emptying returns a command that takes the elements of a value away without naming its key alone.
func emptying(kind, key string) []string {
	switch kind {
	case "list":
		return []string{"LTRIM", key, "-5", "-1"}
	case "set":
		return []string{"SPOP", key, "1000000"}
	case "zset":
		return []string{"ZREMRANGEBYRANK", key, "0", "-2"}
	case "hash":
		return []string{"HDEL", key, "1", "2", "3"}
	case "stream":
		return []string{"XTRIM", key, "MAXLEN", "2"}
	}
	return []string{"GETDEL", key}
}

// replacing returns a command that puts another value in the place of key's.
func replacing(kind, key string) []string {
	switch kind {
	case "list":
		return []string{"SORT", "small:list", "STORE", key}
	case "set":
		return []string{"SUNIONSTORE", key, "small:set", "small:set"}
	case "zset":
		return []string{"ZUNIONSTORE", key, "1", "small:zset"}
	case "hash":
		return []string{"COPY", "small:hash", key, "REPLACE"}
	}
	return []string{"SET", key, "short"}
}

// heavyPatterns are ways to change everything while it is saved. Each leaves the data as they were, more or less.
var heavyPatterns = map[string]func(t *testing.T, c *oracle.Client){
	"deleted and filled again": func(t *testing.T, c *oracle.Client) {
		eachHeavy(func(kind, key string, i int) {
			send(t, c, oracle.AppendCommand(nil, "DEL", key), 1)
			b, n := appendHeavy(nil, kind, key, i)
			send(t, c, b, n)
		})
	},
	"replaced by others, and filled elsewhere": func(t *testing.T, c *oracle.Client) {
		b := oracle.AppendCommand(nil, "RPUSH", "small:list", "1", "2")
		b = oracle.AppendCommand(b, "SADD", "small:set", "a")
		b = oracle.AppendCommand(b, "ZADD", "small:zset", "1", "a")
		b = oracle.AppendCommand(b, "HSET", "small:hash", "a", "1")
		send(t, c, b, 4)
		eachHeavy(func(kind, key string, i int) {
			send(t, c, oracle.AppendCommand(nil, replacing(kind, key)...), 1)
			b, n := appendHeavy(nil, kind, "new:"+key, i)
			send(t, c, b, n)
			send(t, c, oracle.AppendCommand(nil, "RENAME", "new:"+key, key), 1)
		})
	},
	"emptied and filled again": func(t *testing.T, c *oracle.Client) {
		eachHeavy(func(kind, key string, i int) {
			send(t, c, oracle.AppendCommand(nil, emptying(kind, key)...), 1)
			if kind == "hash" {
				return
			}
			b, n := appendHeavy(nil, kind, key, i)
			send(t, c, b, n)
		})
	},
	"a transaction that deletes all": func(t *testing.T, c *oracle.Client) {
		b, n := oracle.AppendCommand(nil, "MULTI"), 2
		eachHeavy(func(kind, key string, i int) {
			b = oracle.AppendCommand(b, "DEL", key)
			n++
		})
		for i := range mediumCount {
			b = oracle.AppendCommand(b, "UNLINK", fmt.Sprint("medium:", i))
			n++
		}
		send(t, c, oracle.AppendCommand(b, "EXEC"), n)
		fillHeavy(t, c)
	},
	"one command that deletes all": func(t *testing.T, c *oracle.Client) {
		args := []string{"DEL"}
		eachHeavy(func(kind, key string, i int) { args = append(args, key) })
		send(t, c, oracle.AppendCommand(nil, args...), 1)
		fillHeavy(t, c)
	},
	"scripts": func(t *testing.T, c *oracle.Client) {
		b := oracle.AppendCommand(nil, "EVAL", "for i = 0, tonumber(ARGV[1]) - 1 do redis.call('SET', 'medium:' .. i, 'short') end", "0", strconv.Itoa(mediumCount))
		send(t, c, b, 1)
		eachHeavy(func(kind, key string, i int) {
			if kind == "list" || kind == "set" {
				add := map[string]string{"list": "RPUSH", "set": "SADD"}[kind]
				n, length := heavyElements(i)
				b := oracle.AppendCommand(nil, "EVAL", "redis.call('DEL', KEYS[1]) for i = 1, tonumber(ARGV[2]) do redis.call(ARGV[1], KEYS[1], i .. string.rep('x', ARGV[3])) end",
					"1", key, add, strconv.Itoa(n), strconv.Itoa(length-5))
				send(t, c, b, 1)
			}
		})
		var b2 []byte
		for i := range mediumCount {
			b2 = appendMedium(b2, i)
		}
		send(t, c, b2, mediumCount)
	},
	"straight scripts in a transaction": func(t *testing.T, c *oracle.Client) {
		deleteByScripts(t, c, nil)
	},
	"scripts beside a command about the server in a transaction": func(t *testing.T, c *oracle.Client) {
		deleteByScripts(t, c, oracle.AppendCommand(nil, "CLIENT", "LIST"))
	},
	"a script with a loop in a transaction": func(t *testing.T, c *oracle.Client) {
		b := oracle.AppendCommand(nil, "MULTI")
		b = oracle.AppendCommand(b, "EVAL", "for i = 0, 4 do for _, kind in ipairs(ARGV) do redis.call('UNLINK', 'heavy:' .. kind .. ':' .. i) end end",
			"0", heavyTypes[0], heavyTypes[1], heavyTypes[2], heavyTypes[3], heavyTypes[4], heavyTypes[5])
		send(t, c, oracle.AppendCommand(b, "EXEC"), 3)
		fillHeavy(t, c)
	},
	"changes within strings": func(t *testing.T, c *oracle.Client) {
		for i := range heavyEach {
			key := heavyName("string", i)
			var b []byte
			n := 0
			for at := 0; at < 2*heavyBytes; at += 50_000 {
				b = oracle.AppendCommand(b, "SETBIT", key, strconv.Itoa(at*8), "1")
				b = oracle.AppendCommand(b, "SETRANGE", key, strconv.Itoa(at), "abc")
				n += 2
			}
			b = oracle.AppendCommand(b, "APPEND", key, "end")
			b = oracle.AppendCommand(b, "BITFIELD", key, "SET", "u8", "#100000", "7", "SET", "u8", "#200000", "7")
			send(t, c, b, n+2)
		}
	},
	"moved, deleted there and filled again": func(t *testing.T, c *oracle.Client) {
		eachHeavy(func(kind, key string, i int) {
			for _, args := range [][]string{{"RENAME", key, "other"}, {"MOVE", "other", "1"}, {"SELECT", "1"}, {"DEL", "other"}, {"SELECT", "0"}} {
				send(t, c, oracle.AppendCommand(nil, args...), 1)
			}
			b, n := appendHeavy(nil, kind, key, i)
			send(t, c, b, n)
		})
	},
}

// deleteByScripts deletes all in a transaction of which every command, but the one that first is, is a script without a
// loop; then all is filled again.
func deleteByScripts(t *testing.T, c *oracle.Client, first []byte) {
	b, n := append(oracle.AppendCommand(nil, "MULTI"), first...), 2
	if len(first) > 0 {
		n++
	}
	eachHeavy(func(kind, key string, i int) {
		if i%2 == 0 {
			b = oracle.AppendCommand(b, "EVAL", "return redis.call('DEL', KEYS[1])", "1", key)
		} else {
			b = oracle.AppendCommand(b, "EVAL", "return redis.call('DEL', ARGV[1])", "0", key)
		}
		n++
	})
	send(t, c, oracle.AppendCommand(b, "EXEC"), n)
	fillHeavy(t, c)
}

func eachHeavy(f func(kind, key string, i int)) {
	for i := range heavyEach {
		for _, kind := range heavyTypes {
			f(kind, heavyName(kind, i), i)
		}
	}
}

// TestSnapshotMemory changes everything during a snapshot, which is slow, in all ways that make it keep old states:
// that may take at most 64 MB and 5 % of the data.
func TestSnapshotMemory(t *testing.T) {
	s := subjects(t)[1] // redis is the first
	for name, change := range heavyPatterns {
		t.Run(name, func(t *testing.T) {
			srv := s.start(t, "--busy-reply-threshold", "0") // INFO answers, however long a script waits for the snapshot
			c := srv.Dial(t)
			fillHeavy(t, c)
			before := c.InfoInt("memory", "used_memory")
			most := before/20 + 64_000_000
			c.Do("CONFIG", "SET", "rdb-key-save-delay", "1500") // us; it takes more than a second
			if got := c.Do("BGSAVE"); got != "+Background saving started\r\n" {
				t.Fatal(got)
			}
			peak := make(chan int64, 1)
			watcher := srv.Dial(t)
			done := make(chan struct{})
			go func() {
				most := int64(0)
				defer func() { peak <- most }() // also if the test has failed
				for {
					select {
					case <-done:
						return
					case <-time.After(5 * time.Millisecond):
					}
					most = max(most, watcher.InfoInt("memory", "used_memory"))
				}
			}()
			change(t, c)
			close(done)
			used := <-peak
			if used > before+most {
				t.Errorf("used memory was %d before and at most %d meanwhile", before, used)
			}
			waitSaved(t, c)
			cow := c.InfoInt("persistence", "rdb_last_cow_size")
			if cow > most {
				t.Errorf("the snapshot held %d bytes, of data of %d", cow, before)
			}
		})
	}
}
