package test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// pubsubScenarios are written as those of blocking commands are.
var pubsubScenarios = map[string]string{
	"basics": `
		a? SUBSCRIBE ch1 ch2 ch1
		a<
		a<
		b? PUBLISH ch1 hello
		a<
		b? PUBLISH ch3 nobody
		b? PUBSUB NUMSUB ch1 ch2 ch3
		b? PUBSUB CHANNELS ch[1]
		b? PUBSUB NUMPAT
		flags a
		a? UNSUBSCRIBE ch1
		b? PUBLISH ch1 gone
		b? PUBLISH ch2 x
		a<
		a? UNSUBSCRIBE
		a? GET k
		flags a
		b? PUBSUB CHANNELS`,
	"patterns": `
		a? PSUBSCRIBE a*
		a? PSUBSCRIBE a*
		a? SUBSCRIBE ab
		b? PUBLISH ab 1
		a<
		a<
		b? PUBLISH ac 2
		a<
		b? PUBSUB NUMPAT
		c? PSUBSCRIBE a*
		b? PUBLISH ad 3
		a<
		c<
		b? PUBSUB NUMPAT
		a? PUNSUBSCRIBE a*
		b? PUBLISH ab 4
		a<
		c<
		a? PUNSUBSCRIBE
		c? PUNSUBSCRIBE
		b? PUBSUB NUMPAT
		b? PUBLISH ad 5`,
	"empty names": `
		a? PSUBSCRIBE ""
		a? PSUBSCRIBE *
		a? SUBSCRIBE ""
		b? PUBLISH "" x
		a<
		a<
		b? PUBLISH x ""
		a<`,
	"shard channels": `
		a? SSUBSCRIBE s1 s2
		a<
		a? PSUBSCRIBE *
		b? SPUBLISH s1 x
		a<
		b? PUBLISH s1 y
		a<
		b? PUBSUB SHARDCHANNELS s1*
		b? PUBSUB SHARDNUMSUB s1 s3
		b? PUBSUB CHANNELS
		a? SUNSUBSCRIBE s1
		a? PUNSUBSCRIBE
		a? GET k
		a? SUNSUBSCRIBE
		a? GET k`,
	"subscriber mode": `
		a? SUBSCRIBE ch
		a? PING
		a? PING x
		a? PING x y
		a? GET k
		a? CONFIG GET port
		a? MULTI
		a? HELLO 3
		a? PUBLISH ch x
		a? NOSUCH
		a? SUBSCRIBE
		a? RESET
		a? GET k
		b? PUBSUB CHANNELS`,
	"RESP3": `
		a? HELLO 3
		a? SUBSCRIBE ch
		a? GET k
		a? PING
		a? PUBLISH ch self
		a<
		b? PUBLISH ch other
		a<
		a? HELLO 2
		a? GET k
		b? PUBLISH ch resp2
		a<
		a? RESET
		b? PUBLISH ch nobody`,
	"transactions": `
		a? MULTI
		a? SUBSCRIBE ch
		a? PING
		a? GET k
		a? SSUBSCRIBE ch
		a? UNSUBSCRIBE nosuch
		a? EXEC
		a? GET k
		b? MULTI
		b? PUBLISH ch 1
		b? SET k v
		b? PUBLISH ch 2
		b? EXEC
		a<
		a<
		a? RESET
		b? PUBLISH ch 3`,
	"scripts": `
		a? SUBSCRIBE ch
		b? EVAL "return redis.call('publish', 'ch', ARGV[1])" 0 hello
		a<
		b? EVAL "return redis.pcall('subscribe', 'ch')" 0
		b? EVAL "redis.call('publish', 'ch', '1') redis.call('publish', 'ch', '2') return redis.call('publish', 'nosuch', '2')" 0
		a<
		a<`,
	"reply off": `
		a: CLIENT REPLY OFF
		a? SUBSCRIBE ch
		b? PUBLISH ch 1
		a<
		a: PING
		a? UNSUBSCRIBE ch
		a? CLIENT REPLY ON`,
	"kill": `
		a? SUBSCRIBE ch
		b? PSUBSCRIBE p*
		c? SSUBSCRIBE s
		d? PUBLISH ch 1
		a<
		d? CLIENT KILL TYPE pubsub
		d? CLIENT LIST TYPE pubsub
		d? PUBLISH pq 1`,
	"disconnect": `
		a? SUBSCRIBE ch
		b? SUBSCRIBE ch
		c? PUBLISH ch 1
		a<
		b<
		close a
		gone ch 1
		c? PUBLISH ch 2
		b<
		close b
		gone ch 0
		c? PUBSUB CHANNELS`,
	"keyspace events": `
		a? CONFIG SET notify-keyspace-events KEA
		a? CONFIG GET notify-keyspace-events
		b? PSUBSCRIBE __key*@*__:*
		a? SET k v
		b<
		b<
		a? SELECT 3
		a? MSET x 1 y 2
		b<
		b<
		b<
		b<
		a? CONFIG SET notify-keyspace-events Kg$
		a? DEL x
		b<
		a? SADD s 1
		a? MOVE y 0
		b<
		b<
		a? CONFIG SET notify-keyspace-events ""
		a? SET k v
		a? CONFIG SET notify-keyspace-events xyz
		a? CONFIG GET notify-keyspace-events
		a? PUBLISH __keyspace@0__:end end
		b<`,
	"expired events": `
		a? DEBUG SET-ACTIVE-EXPIRE 1
		a? CONFIG SET notify-keyspace-events Ex
		b? PSUBSCRIBE __key*@*__:*
		a? SET k v PX 1
		b<
		a? SELECT 3
		a? MULTI
		a? SET k2 v PX 1
		a? EXEC
		b<
		a? CONFIG SET notify-keyspace-events ""`,
}

// TestPubSubScenarios plays scenarios on Shoal and on redis-server and compares all replies and messages.
func TestPubSubScenarios(t *testing.T) {
	redis := pool.get(t, oracle.Need(t))
	eachEngine(t, func(t *testing.T, engine string) {
		shoal := pool.get(t, oracle.ShoalPath(t), "--net-engine", engine, "--reactors", "3")
		for name, script := range pubsubScenarios {
			t.Run(name, func(t *testing.T) {
				want, got := playScenario(t, redis, script), playScenario(t, shoal, script)
				if want = plainHello(want); plainHello(got) != want {
					t.Errorf("shoal:\n%s\nredis:\n%s", got, want)
				}
			})
		}
	})
}

// plainHello drops what identifies a server and a client.
func plainHello(log string) string {
	lines := strings.Split(log, "\n")
	for i, line := range lines {
		if strings.Contains(line, "mode") && strings.Contains(line, "modules") {
			lines[i] = "hello"
		}
	}
	return strings.Join(lines, "\n")
}

// TestPubSubOrder lets clients publish and subscribe at the same time. Each subscriber of a channel must see all
// messages of its time, each publisher's in its order, and any two see those that both get in the same order.
func TestPubSubOrder(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		srv := pool.get(t, oracle.ShoalPath(t), "--net-engine", engine, "--reactors", "3")
		const publishers, subscribers, rounds, pipeline = 4, 6, 60, 25
		logs := make([][]string, subscribers)
		var listening, wg sync.WaitGroup
		for i := range subscribers {
			c := srv.Dial(t)
			listening.Add(1)
			wg.Go(func() {
				if i%2 == 0 {
					c.Do("SUBSCRIBE", "order1")
					c.Do("SUBSCRIBE", "order2")
				} else {
					c.Do("PSUBSCRIBE", "orde[r]*")
				}
				listening.Done()
				for range publishers * rounds * pipeline {
					message := strings.Split(c.Reply(), "\r\n")
					logs[i] = append(logs[i], message[len(message)-2])
				}
			})
		}
		listening.Wait()
		for p := range publishers {
			c := srv.Dial(t)
			wg.Go(func() {
				for n := range rounds {
					var out []byte
					for m := range pipeline {
						out = oracle.AppendCommand(out, "PUBLISH", fmt.Sprint("order", 1+rand.IntN(2)), fmt.Sprint(p, ":", n*pipeline+m))
					}
					c.SendRaw(string(out))
					for range pipeline {
						if reply := c.Reply(); reply != fmt.Sprintf(":%d\r\n", subscribers) {
							t.Errorf("PUBLISH replied %q", reply)
						}
					}
				}
			})
		}
		wg.Wait()
		for i, log := range logs {
			if !slices.Equal(log, logs[0]) {
				t.Errorf("subscriber %d has another order than the first", i)
			}
		}
		next := [publishers]int{}
		for _, message := range logs[0] {
			publisher, number, _ := strings.Cut(message, ":")
			p, _ := strconv.Atoi(publisher)
			if number != strconv.Itoa(next[p]) {
				t.Fatalf("%s instead of %d", message, next[p])
			}
			next[p]++
		}
	})
}

// TestSubscribeWhilePublishing checks that a message that was published before a subscription is not delivered to it,
// and one that was published afterwards is, while others keep the reactors busy.
func TestSubscribeWhilePublishing(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		srv := pool.get(t, oracle.ShoalPath(t), "--net-engine", engine, "--reactors", "3")
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 2 {
			c := srv.Dial(t)
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						c.Do("PUBLISH", "noise", strings.Repeat("x", 100))
					}
				}
			})
		}
		defer wg.Wait()
		defer close(stop)
		publisher := srv.Dial(t)
		var clients []*oracle.Client
		for range 9 {
			c := srv.Dial(t)
			c.Do("SUBSCRIBE", "other")
			clients = append(clients, c)
		}
		for round := range 300 {
			c := clients[round%len(clients)]
			publisher.Do("PUBLISH", "now", "before")
			if m := c.Do("SUBSCRIBE", "now"); !strings.Contains(m, "\r\nsubscribe\r\n$3\r\nnow\r\n:2\r\n") {
				t.Fatalf("round %d: %q", round, m)
			}
			if n := publisher.Do("PUBLISH", "now", fmt.Sprint("message", round)); n != ":1\r\n" {
				t.Fatalf("%q receivers", n)
			}
			c.Send("UNSUBSCRIBE", "now")
			publisher.Do("PUBLISH", "now", "perhaps")
			if m := c.Reply(); !strings.Contains(m, fmt.Sprint("message", round)) {
				t.Fatalf("%q", m)
			}
			for m := c.Reply(); !strings.Contains(m, "unsubscribe"); m = c.Reply() {
				if !strings.Contains(m, "perhaps") {
					t.Fatalf("%q", m)
				}
			}
			if n := publisher.Do("PUBLISH", "now", "after"); n != ":0\r\n" {
				t.Fatalf("%q receivers", n)
			}
		}
	})
}

// TestSlowSubscriber lets a subscriber not read. It is closed at the limit of its output, and nobody else notices.
func TestSlowSubscriber(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		for name, limit := range map[string]string{"hard": "pubsub 4mb 0 0", "soft": "pubsub 0 1mb 1"} {
			t.Run(name, func(t *testing.T) {
				srv := pool.get(t, oracle.ShoalPath(t), "--net-engine", engine, "--reactors", "2")
				control, quick, slow := srv.Dial(t), srv.Dial(t), srv.Dial(t)
				control.Do("CONFIG", "SET", "client-output-buffer-limit", limit)
				drops := control.InfoInt("stats", "client_output_buffer_limit_disconnections")
				oracle.WaitFor(t, "the end of other tests' subscriptions", func() bool { return control.InfoInt("stats", "pubsub_channels") == 0 })
				quick.Do("SUBSCRIBE", "ch")
				slow.Do("SUBSCRIBE", "ch")
				payload := strings.Repeat("x", 50_000)
				published := 0
				deadline := time.Now().Add(oracle.Deadline)
				for control.Do("PUBLISH", "ch", payload) == ":2\r\n" {
					quick.Reply()
					if published++; published > 400 { // the rest is for the soft limit
						time.Sleep(10 * time.Millisecond)
					}
					if time.Now().After(deadline) {
						t.Fatal("the slow subscriber stays")
					}
				}
				quick.Reply()
				oracle.WaitFor(t, "the count", func() bool {
					return control.InfoInt("stats", "client_output_buffer_limit_disconnections") == drops+1
				})
				if n := control.InfoInt("stats", "pubsub_channels"); n != 1 {
					t.Errorf("%d channels", n)
				}
			})
		}
	})
}

// TestManySubscribers publishes to more subscribers than one turn takes, while other clients measure how long they wait.
func TestManySubscribers(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		srv := pool.get(t, oracle.ShoalPath(t), "--net-engine", engine, "--reactors", "2")
		const subscribers, messages = 1500, 40
		control := srv.Dial(t)
		oracle.WaitFor(t, "the end of other tests' subscriptions", func() bool { return control.InfoInt("stats", "pubsub_channels") == 0 })
		var wg sync.WaitGroup
		conns := make([]*oracle.Client, subscribers)
		for i := range conns {
			conns[i] = srv.Dial(t)
			conns[i].Do("SUBSCRIBE", "all", "more")
			conns[i].Reply()
		}
		for i, c := range conns {
			wg.Go(func() {
				for n := range messages {
					if m := c.Reply(); !strings.HasSuffix(m, fmt.Sprintf("\r\nmessage %d\r\n", n)) {
						t.Errorf("subscriber %d, message %d: %q", i, n, m)
						return
					}
				}
			})
		}
		for n := range messages {
			if got := control.Do("PUBLISH", "all", fmt.Sprint("message ", n)); got != fmt.Sprintf(":%d\r\n", subscribers) {
				t.Fatalf("%q receivers", got)
			}
		}
		wg.Wait()
		for i, c := range conns {
			if i%3 == 0 {
				c.Close()
			}
		}
		oracle.WaitFor(t, "the others to go", func() bool {
			return control.Do("PUBSUB", "NUMSUB", "all") == fmt.Sprintf("*2\r\n$3\r\nall\r\n:%d\r\n", subscribers-subscribers/3)
		})
		oracle.WaitFor(t, "the others to leave the other channel, too", func() bool {
			return control.Do("PUBLISH", "more", "x") == fmt.Sprintf(":%d\r\n", subscribers-subscribers/3)
		})
	})
}

// TestSubscriptionsAreAccounted subscribes to very many channels and patterns, and leaves.
func TestSubscriptionsAreAccounted(t *testing.T) {
	srv := pool.get(t, oracle.ShoalPath(t))
	control, c := srv.Dial(t), srv.Dial(t)
	none := func() bool {
		stats := control.Info("stats")
		return stats["pubsub_channels"] == "0" && stats["pubsub_patterns"] == "0" && stats["pubsubshard_channels"] == "0"
	}
	oracle.WaitFor(t, "the end of other tests' subscriptions", none)
	id := strings.Trim(c.Do("CLIENT", "ID"), ":\r\n")
	const n = 30_000
	out := []byte{}
	for i := range n {
		out = oracle.AppendCommand(out, []string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}[i%3], fmt.Sprint("channel", i, "*"))
	}
	go c.SendRaw(string(out))
	for range n {
		c.Reply()
	}
	line := control.Do("CLIENT", "LIST", "ID", id)
	if !strings.Contains(line, fmt.Sprintf(" sub=%d psub=%d ssub=%d ", n/3, n/3, n/3)) {
		t.Error(line)
	}
	_, mem, _ := strings.Cut(line, " tot-mem=")
	mem, _, _ = strings.Cut(mem, " ")
	if bytes, _ := strconv.Atoi(mem); bytes < n*200 {
		t.Errorf("%d bytes for %d subscriptions", bytes, n)
	}
	for name, want := range map[string]int64{"pubsub_channels": n / 3, "pubsub_patterns": n / 3, "pubsubshard_channels": n / 3} {
		if got := control.InfoInt("stats", name); got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := control.Do("PUBLISH", "channel1*", "x"); got != ":1\r\n" {
		t.Errorf("%q receivers", got)
	}
	c.Close()
	oracle.WaitFor(t, "the end of all subscriptions", none)
}

// TestPatternBomb subscribes to patterns that take exponential time if every star is tried again.
func TestPatternBomb(t *testing.T) {
	srv := pool.get(t, oracle.ShoalPath(t))
	c, publisher := srv.Dial(t), srv.Dial(t)
	for i := range 20 {
		c.Do("PSUBSCRIBE", strings.Repeat("*a", 200)+"b"+strings.Repeat("*a", i))
	}
	if got := publisher.Do("PUBLISH", strings.Repeat("a", 5000), "x"); got != ":0\r\n" {
		t.Errorf("%q receivers", got)
	}
}
