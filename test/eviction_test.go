package test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// outOfMemory is what clients see when memory is used up and nothing may be evicted, and of access data.
var outOfMemory = []string{
	"SET a 1", "SET ttl 1 EX 1000", "CONFIG SET maxmemory-policy noeviction", "CONFIG SET maxmemory 1",
	"SET b 1", "GET a", "APPEND a x", "LPUSH l x", "DEL nosuch", "EXPIRE a 100", "PERSIST a", "STRLEN a",
	"MULTI", "GET a", "DISCARD",
	"MULTI", "SET x 1", "EXEC",
	"MULTI", "PING", "EXEC", "WATCH a", "UNWATCH",
	"EVAL return(redis.call('get','a')) 0", "EVAL return(redis.call('set','a',2)) 1 a", "EVAL return(redis.call('del','nosuch')) 0",
	"EVAL return(redis.pcall('lpush','l',2)['err']) 1 l",
	"CONFIG SET maxmemory 0", "MULTI", "SET x 1", "CONFIG SET maxmemory 1", "SET x 2", "EXEC",
	"MULTI", "DISCARD", "CONFIG SET maxmemory 0",
	"MULTI", "SET x 3", "PING", "EXEC", "GET x",
	"OBJECT FREQ a", "OBJECT IDLETIME a", "CONFIG SET lfu-decay-time 0", "CONFIG SET maxmemory-policy allkeys-lfu", "OBJECT IDLETIME a", "SET f value", "OBJECT FREQ f", "OBJECT FREQ nosuch",
	"CONFIG SET maxmemory-policy volatile-lru", "OBJECT FREQ a", "SET f value", "OBJECT IDLETIME f", "CONFIG SET maxmemory-policy nosuch-policy",
	"CONFIG SET maxmemory 1073741824", "SET n 7", "OBJECT REFCOUNT n", "CONFIG SET maxmemory-policy allkeys-random", "SET n 7", "OBJECT REFCOUNT n",
	"CONFIG SET maxmemory 0", "CONFIG SET maxmemory-policy noeviction", "FLUSHALL",
}

func TestOutOfMemoryOnRedis(t *testing.T) {
	var replies [2][]string
	for i, srv := range []*oracle.Server{oracle.Redis(t), oracle.Shoal(t)} {
		c := srv.Dial(t)
		for _, line := range outOfMemory {
			reply := strings.Replace(c.Do(strings.Fields(line)...), ", allkeys-s3fifo, allkeys-sieve, allkeys-wtinylfu", "", 1)
			if strings.HasPrefix(line, "OBJECT IDLETIME") && reply[0] == ':' {
				reply = ":seconds\r\n" // a second may have begun since the access
			}
			replies[i] = append(replies[i], reply)
		}
	}
	for i, line := range outOfMemory {
		if replies[0][i] != replies[1][i] {
			t.Errorf("%s: %q, in Redis %q", line, replies[1][i], replies[0][i])
		}
	}
}

// Every policy must keep the limit within one percent, whatever the values, and tell of each key that goes.
func TestLimitIsKept(t *testing.T) {
	const limit = 4 << 20
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-s3fifo", "allkeys-sieve", "allkeys-wtinylfu"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			srv := oracle.Shoal(t, "--maxmemory", fmt.Sprint(limit), "--maxmemory-policy", policy, "--notify-keyspace-events", "Ee")
			events := srv.Dial(t)
			events.Do("PSUBSCRIBE", "__keyevent@*__:evicted")
			c := srv.Dial(t)
			wrote := 0
			for i := range 40 {
				for j := range 1000 {
					n := i*1000 + j
					c.Send("SET", "key:"+strconv.Itoa(n), strings.Repeat("v", n%500), "EX", strconv.Itoa(10_000+n))
				}
				for range 1000 {
					if r := c.Reply(); r != "+OK\r\n" {
						t.Fatal(r)
					}
					wrote++
				}
				if used := c.InfoInt("memory", "used_memory"); used > limit+limit/100 {
					t.Fatalf("%d bytes are used", used)
				}
			}
			var keys, evicted int64
			oracle.WaitFor(t, "a moment at which all keys are there or were evicted", func() bool { // a tick may evict between two looks
				keys, _ = strconv.ParseInt(strings.Trim(c.Do("DBSIZE"), ":\r\n"), 10, 64)
				evicted = c.InfoInt("stats", "evicted_keys")
				return keys+evicted == int64(wrote)
			})
			if keys < 5000 {
				t.Errorf("%d keys were written; %d are there and %d were evicted", wrote, keys, evicted)
			}
			for n := range evicted {
				if e := events.Reply(); !strings.Contains(e, "__:evicted") {
					t.Fatalf("event %d of %d is %q", n, evicted, e)
				}
			}
		})
	}
}

// A large value that must go is freed in steps; commands go on, other keys stay, and the limit holds again soon.
func TestHugeValueIsEvicted(t *testing.T) {
	srv := oracle.Shoal(t, "--maxmemory-policy", "volatile-lru")
	c := srv.Dial(t)
	for i := range 200 {
		words := []string{"SADD", "huge"}
		for j := range 1000 {
			words = append(words, "member:"+strconv.Itoa(i*1000+j))
		}
		c.Do(words...)
	}
	c.Do("EXPIRE", "huge", "100000")
	for i := range 1000 {
		c.Do("SET", "key:"+strconv.Itoa(i), "value")
	}
	limit := c.InfoInt("memory", "used_memory") - 1<<20
	c.Do("CONFIG", "SET", "maxmemory", fmt.Sprint(limit))
	for begin := time.Now(); c.InfoInt("memory", "used_memory") > limit/2; {
		if r := c.Do("SET", "other", "value"); r != "+OK\r\n" {
			t.Fatal(r)
		}
		if time.Since(begin) > oracle.Deadline {
			t.Fatal("the value is not freed")
		}
	}
	if n, keys := c.InfoInt("stats", "evicted_keys"), c.Do("DBSIZE"); n != 1 || keys != ":1001\r\n" {
		t.Errorf("%d keys were evicted, %q are left", n, keys)
	}
}

// TestAfterTooLargeAValue sends a value that cannot be kept: when it has been refused nobody else is for its sake.
func TestAfterTooLargeAValue(t *testing.T) {
	c := oracle.Shoal(t, "--maxmemory", "20mb").Dial(t)
	huge := strings.Repeat("x", 30<<20)
	for i := range 5 {
		if got := c.Do("SET", "huge", huge); !strings.HasPrefix(got, "-OOM ") {
			t.Fatal(got)
		}
		if got := c.Do("SET", "small", strconv.Itoa(i)); got != "+OK\r\n" {
			t.Fatalf("round %d: %s", i, got)
		}
	}
}
