package test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// trackingScenarios are of the form of blockingScenarios. A client that has to wait for a message gets it by "<"; one
// that must not have got any sends a PING.
var trackingScenarios = map[string]string{
	"redirect to a subscriber": `
		a? SUBSCRIBE __redis__:invalidate
		b? CLIENT TRACKING ON REDIRECT {a}
		b? CLIENT GETREDIR
		b? GET k
		c? SET k 1
		a<
		b? GET k
		b? SET k 2
		a<
		b? FLUSHALL
		a<
		b? PING
		a? PING`,
	"redirect to a subscriber of something else": `
		a? PSUBSCRIBE x
		b? CLIENT TRACKING ON REDIRECT {a}
		b? GET k
		c? SET k 1
		a<`,
	"redirect to one who does not subscribe": `
		b? CLIENT TRACKING ON REDIRECT {a}
		b? GET k
		c? SET k 1
		a? PING
		b? PING`,
	"redirect to RESP3": `
		a? HELLO 3
		b? CLIENT TRACKING ON REDIRECT {a}
		b? GET k
		c? SET k 1
		a<
		b? HELLO 3
		b? GET k
		c? SET k 1
		a<
		c? FLUSHDB
		a<`,
	"redirect of broadcasts": `
		a? HELLO 3
		b? CLIENT TRACKING ON BCAST PREFIX x PREFIX y REDIRECT {a}
		c? MSET x1 1 y1 1 z1 1 x2 2
		a<
		a<
		c? MSET z 1 x1 1
		a<
		b? CLIENT TRACKING ON BCAST PREFIX z REDIRECT {a}
		b? CLIENT TRACKINGINFO
		c? SET z 1
		a<
		b? CLIENT TRACKING OFF
		c? SET z 1
		a? PING`,
	"several redirect to one": `
		a? SUBSCRIBE __redis__:invalidate
		b? CLIENT TRACKING ON REDIRECT {a}
		c? CLIENT TRACKING ON REDIRECT {a}
		b? GET k1
		c? GET k2
		d? SET k1 1
		a<
		d? SET k2 1
		a<`,
	"the redirection breaks": `
		b? HELLO 3
		a? SUBSCRIBE __redis__:invalidate
		b? CLIENT TRACKING ON REDIRECT {a}
		b? GET k
		a? QUIT
		close a
		clients 3
		b? CLIENT TRACKINGINFO
		c? SET k 1
		b<
		flags b
		b? CLIENT GETREDIR
		b? CLIENT TRACKING ON
		flags b
		b? CLIENT TRACKINGINFO`,
	"no redirection and RESP2": `
		a? CLIENT TRACKING ON
		a? GET k
		b? SET k 1
		a? PING
		a? HELLO 3
		a? GET k
		b? SET k 2
		a<`,
	"transaction": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a? SET k 1
		a? GET k
		a? MULTI
		a? INCR k
		a? GET other
		a? EXEC
		a<
		b? SET other 1
		a<
		a? MULTI
		a? GET k
		a? INCR k
		a? GET k
		a? EXEC
		a<
		b? DEL k
		a<
		a? GET k
		b? MULTI
		b? SET k 1
		b? SET k 2
		b? EXEC
		a<
		a? PING
		a? MULTI
		a? FLUSHDB
		a? EXEC
		a<
		a? PING`,
	"tracking begins in a transaction": `
		a? HELLO 3
		a? MULTI
		a? GET before
		a? CLIENT TRACKING ON
		a? GET k
		a? EXEC
		b? MSET before 1 k 1
		a<
		a? PING`,
	"a failed transaction": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a? WATCH w
		b? SET w 1
		a? MULTI
		a? GET k
		a? EXEC
		b? SET k 1
		a? PING
		a? MULTI
		a? GET k
		a? DISCARD
		b? SET k 1
		a? PING`,
	"caching in a transaction": `
		a? HELLO 3
		a? CLIENT TRACKING ON OPTIN
		a? CLIENT CACHING YES
		a? MULTI
		a? GET k1
		a? GET k2
		a? EXEC
		a? GET k3
		b? MSET k1 1
		a<
		b? MSET k2 1
		a<
		b? SET k3 1
		a? PING
		a? MULTI
		a? GET k1
		a? CLIENT CACHING YES
		a? GET k2
		a? EXEC
		a? CLIENT TRACKINGINFO
		b? SET k1 1
		b? SET k2 1
		a<
		a? PING`,
	"script": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		b? MSET k1{t} 1 k2{t} 1
		a? EVAL "return redis.call('get', KEYS[1])" 2 k1{t} k2{t}
		b? SET k1{t} 2
		a<
		b? SET k2{t} 2
		a<
		a? EVAL "return redis.call('set', KEYS[1], 3)" 1 k1{t}
		b? SET k1{t} 2
		a? PING
		a? EVAL "redis.call('get', KEYS[1]); return redis.call('set', KEYS[1], 3)" 1 k1{t}
		a<
		a? EVAL_RO "return redis.call('get', KEYS[1])" 1 k1{t}
		b? SET k1{t} 2
		a<
		a? EVAL_RO "return 1" 1 k1{t}
		b? SET k1{t} 2
		a? PING
		a? GET k1{t}
		b? EVAL "redis.call('set', KEYS[1], 3); return redis.call('set', KEYS[1], 4)" 1 k1{t}
		a<
		a? PING`,
	"script in a transaction": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a? MULTI
		a? EVAL "return redis.call('get', KEYS[1])" 1 k1
		a? EVAL "return 1" 1 k2
		a? EXEC
		b? SET k2 1
		b? SET k1 1
		a<
		a? PING`,
	"served": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a? LRANGE dst 0 -1
		a: BLMOVE src dst LEFT LEFT 0
		blocked 1
		b? RPUSH src x
		a<
		a<
		a? PING
		a? LRANGE dst 0 -1
		c: BLPOP dst2 dst 0
		c<
		a<`,
	"while blocked": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a? GET k
		a: BLPOP l 0
		blocked 1
		b? SET k 1
		a<
		b? RPUSH l x
		a<`,
	"expired when met": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		b? DEBUG SET-ACTIVE-EXPIRE 0
		b? PSETEX k 1 x
		a? GET k2
		sleep 50ms
		a? GET k
		b? PSETEX k 1 x
		a<
		a? GET k2
		a? EXISTS k2
		a? MULTI
		a? PSETEX k 10 x
		a? GET k
		a? EXEC
		sleep 50ms
		b? GET k
		a<
		b? DEBUG SET-ACTIVE-EXPIRE 1`,
	"expired": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a? MULTI
		a? PSETEX k 10 x
		a? GET k
		a? EXEC
		a<
		a? GET k
		c? HELLO 3
		c? CLIENT TRACKING ON BCAST NOLOOP
		c? PSETEX k3 100 x
		c<`,
	"reset": `
		a? HELLO 3
		a? CLIENT TRACKING ON BCAST PREFIX x
		flags a
		info tracking_clients
		a? RESET
		flags a
		info tracking_clients
		a? CLIENT TRACKINGINFO
		b? SET x 1
		a? PING`,
	"the table": `
		a? CLIENT TRACKING ON
		a? MGET k1 k2 k3
		b? CLIENT TRACKING ON
		b? MGET k1 k4
		c? CLIENT TRACKING ON BCAST PREFIX x PREFIX y
		d? CLIENT TRACKING ON BCAST PREFIX x PREFIX z
		info tracking_clients
		stats tracking_total
		e? MSET k1 1 k5 1
		stats tracking_total
		close d
		clients 5
		stats tracking_total
		e? FLUSHALL
		stats tracking_total`,
	"flags": `
		a? CLIENT TRACKING ON OPTIN
		flags a
		a? CLIENT TRACKING OFF
		a? CLIENT TRACKING ON BCAST NOLOOP
		flags a
		a? CLIENT TRACKING OFF
		flags a`,
	"pipelined": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a: GET k
		a: SET k 1
		a: GET k
		a: INCR k
		a: GET k
		a<
		a<
		a<
		a<
		a<
		a<
		a<`,
	"replies are off": `
		a? HELLO 3
		a? CLIENT TRACKING ON
		a? GET k
		a: CLIENT REPLY OFF
		a: GET k2
		a: SET k 1
		a<
		b? SET k2 1
		a<
		a? CLIENT REPLY ON`,
}

// TestTracking plays scenarios of clients that are told of modified keys on redis-server and on Shoal.
func TestTracking(t *testing.T) {
	redis := oracle.Redis(t, "--save", "", "--enable-debug-command", "yes")
	for _, name := range slices.Sorted(keysOf(trackingScenarios)) {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			want := playScenario(t, redis, trackingScenarios[name])
			eachEngine(t, func(t *testing.T, engine string) {
				for _, reactors := range []string{"1", "3"} {
					s := sharedShoal(t, "--net-engine", engine, "--reactors", reactors)
					got := playScenario(t, s, trackingScenarios[name])
					if got != want {
						t.Errorf("%s reactors: redis-server:\n%s\nshoal-server:\n%s", reactors, want, got)
					}
				}
			})
		})
	}
}

// TestTrackingLimit reads more keys than tracking-table-max-keys: those that are left out are told of, each once.
func TestTrackingLimit(t *testing.T) {
	const keys, limit = 1000, 100
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		c, other := srv.Dial(t), srv.Dial(t)
		c.Do("HELLO", "3")
		c.Do("CLIENT", "TRACKING", "ON")
		other.Do("CONFIG", "SET", "tracking-table-max-keys", strconv.Itoa(limit))
		told := map[string]bool{}
		push := func(reply string) bool {
			name, is := strings.CutPrefix(reply, ">2\r\n$10\r\ninvalidate\r\n*1\r\n")
			if is && told[name] {
				t.Fatalf("%q twice", name)
			}
			if is {
				told[name] = true
			}
			return is
		}
		for i := range keys {
			c.Send("GET", "key:"+strconv.Itoa(i))
			for push(c.Reply()) {
			}
		}
		oracle.WaitFor(t, "the limit", func() bool {
			return strings.Contains(other.Do("INFO", "stats"), fmt.Sprintf("\r\ntracking_total_keys:%d\r\n", limit))
		})
		for len(told) < keys-limit {
			if reply := c.Reply(); !push(reply) {
				t.Fatalf("%q", reply)
			}
		}
		if got := c.Do("PING"); got != "+PONG\r\n" {
			t.Errorf("%q", got)
		}
		other.Do("CONFIG", "SET", "tracking-table-max-keys", "10")
		for len(told) < keys-10 {
			if reply := c.Reply(); !push(reply) {
				t.Fatalf("%q", reply)
			}
		}
	})
}

// TestCachesStayFresh lets clients keep what they have read until they are told to forget it, while others write
// numbers that only grow, with all modes of tracking, on several reactors: when all is quiet no cache holds an old
// value.
func TestCachesStayFresh(t *testing.T) {
	const keys, writers, rounds = 50, 3, 3000
	eachSubject(t, func(t *testing.T, s subject) {
		var args []string
		if !s.isRedis() {
			args = []string{"--reactors", "3"}
		}
		srv := s.start(t, args...)
		var caches []*cache
		for i := range 6 {
			caches = append(caches, newCache(t, srv, i))
		}
		var writing, reading sync.WaitGroup
		stop := make(chan struct{})
		for _, c := range caches {
			reading.Go(func() { c.run(keys, stop) })
		}
		for w := range writers {
			writing.Go(func() {
				c := srv.Dial(t)
				r := rand.New(rand.NewPCG(uint64(w), 1))
				for range rounds {
					key := "k" + strconv.Itoa(r.IntN(keys))
					switch r.IntN(10) {
					case 0:
						c.Do("MULTI")
						c.Do("INCR", key)
						c.Do("INCR", "k0")
						c.Do("EXEC")
					case 1:
						c.Do("EVAL", "redis.call('INCR', KEYS[1])", "1", key)
					default:
						c.Do("INCR", key)
					}
				}
			})
		}
		writing.Wait()
		close(stop)
		reading.Wait()
		check := srv.Dial(t)
		for i, c := range caches {
			c.drain()
			for key, value := range c.values {
				if now := check.Do("GET", key); now != value {
					t.Errorf("client %d: %s is %q, not %q", i, key, now, value)
				}
			}
			if c.hits == 0 || c.forgotten == 0 {
				t.Errorf("client %d: %d hits, %d keys forgotten", i, c.hits, c.forgotten)
			}
		}
	})
}

// cache is a client with a cache.
type cache struct {
	c               *oracle.Client
	values          map[string]string
	random          *rand.Rand
	hits, forgotten int
}

func newCache(t *testing.T, srv *oracle.Server, i int) *cache {
	c := &cache{c: srv.Dial(t), values: map[string]string{}, random: rand.New(rand.NewPCG(uint64(i), 2))}
	c.c.Do("HELLO", "3")
	mode := [][]string{{}, {"NOLOOP"}, {"BCAST", "PREFIX", "k"}, {"OPTOUT"}}[i%4]
	c.c.Do(append([]string{"CLIENT", "TRACKING", "ON"}, mode...)...)
	return c
}

func (c *cache) run(keys int, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		key := "k" + strconv.Itoa(c.random.IntN(keys))
		if _, have := c.values[key]; have {
			c.hits++
			key = "k" + strconv.Itoa(c.random.IntN(keys))
		}
		value := c.ask("GET", key)
		c.values[key] = value
	}
}

// ask sends a command and takes the messages that come in front of its reply.
func (c *cache) ask(args ...string) string {
	c.c.Send(args...)
	for {
		reply := c.c.Reply()
		if reply[0] != '>' {
			return reply
		}
		c.forget(reply)
	}
}

func (c *cache) forget(push string) {
	for _, word := range strings.Split(push, "\r\n") {
		if strings.HasPrefix(word, "k") {
			delete(c.values, word)
			c.forgotten++
		}
	}
}

// drain takes the messages that are under way: two round trips, as one reactor may have passed them to another.
func (c *cache) drain() {
	c.ask("PING")
	c.ask("CLIENT", "LIST")
	c.ask("PING")
}
