package test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/shoaldb/shoal/internal/oracle"
)

// address is where a server is reached.
func address(srv *oracle.Server) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(srv.Port)) }

// expecter compares what a client returned with what it should have.
func expecter(t *testing.T) func(what string, got, want any, err error) {
	return func(what string, got, want any, err error) {
		t.Helper()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, %v, want %v", what, got, err, want)
		}
	}
}

// goRedis returns a client that waits as long as the other tests do, and does not repeat commands.
func goRedis(o *goredis.Options) *goredis.Client {
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout, o.MaxRetries = oracle.Deadline, oracle.Deadline, oracle.Deadline, oracle.Deadline, -1
	return goredis.NewClient(o)
}

// eachGoRedis runs a test with go-redis, on each server and in both protocols.
func eachGoRedis(t *testing.T, f func(t *testing.T, client *goredis.Client)) {
	t.Parallel()
	eachSubject(t, func(t *testing.T, s subject) {
		for _, protocol := range []int{2, 3} {
			t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
				client := goRedis(&goredis.Options{Addr: address(s.start(t)), Protocol: protocol})
				defer client.Close()
				f(t, client)
			})
		}
	})
}

func TestGoRedisTransactions(t *testing.T) {
	eachGoRedis(t, func(t *testing.T, client *goredis.Client) {
		ctx, check := t.Context(), expecter(t)
		cmds, err := client.TxPipelined(ctx, func(p goredis.Pipeliner) error {
			p.Set(ctx, "t", 1, 0)
			p.Incr(ctx, "t")
			p.HSet(ctx, "h", "f", "v")
			p.HGetAll(ctx, "h")
			return nil
		})
		check("transaction", len(cmds), 4, err)
		check("HGETALL", cmds[3].(*goredis.MapStringStringCmd).Val(), map[string]string{"f": "v"}, nil)
		cmds, err = client.TxPipelined(ctx, func(p goredis.Pipeliner) error {
			p.Set(ctx, "t", 2, 0)
			p.LPush(ctx, "t", 1)
			p.Get(ctx, "t")
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE ") {
			t.Errorf("error inside: %v", err)
		}
		check("the command after an error", cmds[2].(*goredis.StringCmd).Val(), "2", nil)
		_, err = client.TxPipelined(ctx, func(p goredis.Pipeliner) error {
			p.Set(ctx, "t", 3, 0)
			p.Do(ctx, "SET", "t")
			return nil
		})
		if err == nil {
			t.Error("a command with an argument missing did not fail")
		}
		check("nothing executed", client.Get(ctx, "t").Val(), "2", nil)

		// Optimistic locking by many at a time: no increment is lost.
		var workers sync.WaitGroup
		for range 8 {
			workers.Go(func() {
				for done := 0; done < 25; {
					err := client.Watch(ctx, func(tx *goredis.Tx) error {
						n, err := tx.Get(ctx, "cas").Int()
						if err != nil && !errors.Is(err, goredis.Nil) {
							return err
						}
						_, err = tx.TxPipelined(ctx, func(p goredis.Pipeliner) error {
							p.Set(ctx, "cas", n+1, 0)
							return nil
						})
						return err
					}, "cas")
					if err == nil {
						done++
					} else if !errors.Is(err, goredis.TxFailedErr) {
						t.Error(err)
						return
					}
				}
			})
		}
		workers.Wait()
		n, err := client.Get(ctx, "cas").Int()
		check("the counter", n, 200, err)
	})
}

func TestGoRedisScripts(t *testing.T) {
	eachGoRedis(t, func(t *testing.T, client *goredis.Client) {
		ctx, check := t.Context(), expecter(t)
		script := goredis.NewScript(`local n = redis.call("INCRBY", KEYS[1], ARGV[1]); return {n, ARGV[2], 1.9, false}`)
		for i := range 3 { // EVALSHA, and EVAL the first time
			got, err := script.Run(ctx, client, []string{"n"}, 5, "x").Result()
			check("script", got, []any{5 * (i + 1), "x", 1, nil}, err)
		}
		_, err := client.Pipelined(ctx, func(p goredis.Pipeliner) error {
			for range 100 {
				script.EvalSha(ctx, p, []string{"n"}, 1, "y")
			}
			return nil
		})
		check("pipeline of scripts", client.Get(ctx, "n").Val(), 115, err)
		readOnly := goredis.NewScript(`return redis.call("GET", KEYS[1])`)
		got, err := readOnly.RunRO(ctx, client, []string{"n"}).Result()
		check("EVAL_RO", got, "115", err)
		if err := script.EvalRO(ctx, client, []string{"n"}, 5, "x").Err(); err == nil || !strings.Contains(err.Error(), "Write commands are not allowed from read-only scripts") {
			t.Errorf("a write in EVAL_RO: %v", err)
		}
		name, err := client.FunctionLoad(ctx, "#!lua name=lib\nredis.register_function('double', function(keys, args) return args[1] * 2 end)").Result()
		check("FUNCTION LOAD", name, "lib", err)
		twice, err := client.FCall(ctx, "double", nil, 21).Result()
		check("FCALL", twice, 42, err)
		list, err := client.FunctionList(ctx, goredis.FunctionListQuery{WithCode: true}).Result()
		check("FUNCTION LIST", len(list), 1, err)
		if len(list) == 1 {
			check("its function", list[0].Functions[0].Name, "double", nil)
		}
	})
}

func TestGoRedisPubSub(t *testing.T) {
	eachGoRedis(t, func(t *testing.T, client *goredis.Client) {
		ctx, check := t.Context(), expecter(t)
		sub := client.Subscribe(ctx, "a", "b")
		defer sub.Close()
		for range 2 {
			if _, err := sub.Receive(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := sub.PSubscribe(ctx, "p*"); err != nil {
			t.Fatal(err)
		}
		oracle.WaitFor(t, "the pattern", func() bool { return client.PubSubNumPat(ctx).Val() == 1 })
		messages := sub.Channel(goredis.WithChannelSize(2000), goredis.WithChannelHealthCheckInterval(0))
		for i := range 1000 {
			client.Publish(ctx, "a", i)
		}
		client.Publish(ctx, "pattern", "last")
		for i := range 1000 {
			if m := <-messages; m.Payload != strconv.Itoa(i) {
				t.Fatalf("message %d is %v", i, m)
			}
		}
		last := <-messages
		check("pattern", []string{last.Pattern, last.Channel, last.Payload}, []string{"p*", "pattern", "last"}, nil)
		numbers, err := client.PubSubNumSub(ctx, "a", "none").Result()
		check("PUBSUB NUMSUB", numbers, map[string]int64{"a": 1, "none": 0}, err)
		shard := client.SSubscribe(ctx, "shard")
		defer shard.Close()
		if _, err := shard.Receive(ctx); err != nil {
			t.Fatal(err)
		}
		n, err := client.SPublish(ctx, "shard", "x").Result()
		check("SPUBLISH", n, 1, err)
		m, err := shard.ReceiveMessage(ctx)
		if err != nil || m.Payload != "x" {
			t.Errorf("sharded message: %v, %v", m, err)
		}
	})
}

func TestGoRedisStreams(t *testing.T) {
	eachGoRedis(t, func(t *testing.T, client *goredis.Client) {
		ctx, check := t.Context(), expecter(t)
		err := client.XGroupCreateMkStream(ctx, "st", "g", "$").Err()
		check("XGROUP CREATE", nil, nil, err)
		// Consumers that wait for what comes share the entries among them.
		const entries = 300
		var mu sync.Mutex
		seen := map[string]int{}
		reading, stop := context.WithCancel(ctx)
		var consumers sync.WaitGroup
		for c := range 3 {
			consumers.Go(func() {
				for {
					streams, err := client.XReadGroup(reading, &goredis.XReadGroupArgs{Group: "g", Consumer: fmt.Sprint("c", c), Streams: []string{"st", ">"}, Count: 7, Block: 50 * time.Millisecond}).Result()
					if reading.Err() != nil {
						return
					}
					if err != nil && !errors.Is(err, goredis.Nil) {
						t.Error(err)
						return
					}
					for _, s := range streams {
						for _, m := range s.Messages {
							mu.Lock()
							seen[m.ID]++
							mu.Unlock()
							if err := client.XAck(ctx, "st", "g", m.ID).Err(); err != nil {
								t.Error(err)
							}
						}
					}
				}
			})
		}
		for i := range entries {
			if err := client.XAdd(ctx, &goredis.XAddArgs{Stream: "st", Values: []any{"n", i}}).Err(); err != nil {
				t.Fatal(err)
			}
		}
		oracle.WaitFor(t, "all entries", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(seen) == entries
		})
		oracle.WaitFor(t, "all acknowledged", func() bool { return client.XPending(ctx, "st", "g").Val().Count == 0 })
		stop()
		consumers.Wait()
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s was delivered %d times", id, n)
			}
		}
	})
}

// TestRueidis: rueidis sends everything through one connection, and answers what it has read before from its own memory until
// the server tells it that a key has changed.
func TestRueidis(t *testing.T) {
	t.Parallel()
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		dial := func() rueidis.Client {
			client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address(srv)},
				Dialer: net.Dialer{Timeout: oracle.Deadline}, ConnWriteTimeout: oracle.Deadline})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(client.Close)
			return client
		}
		cached, writer := dial(), dial()
		t.Run("pipelines", func(t *testing.T) { rueidisPipelines(t, writer) })
		t.Run("caching", func(t *testing.T) { rueidisCaching(t, cached, writer) })
		t.Run("pubsub", func(t *testing.T) { rueidisPubSub(t, cached, writer) })
	})
}

func rueidisPipelines(t *testing.T, c rueidis.Client) {
	ctx, check := t.Context(), expecter(t)
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			for range 100 {
				if err := c.Do(ctx, c.B().Incr().Key("n").Build()).Error(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	n, err := c.Do(ctx, c.B().Get().Key("n").Build()).AsInt64()
	check("INCR by many", n, 2000, err)
	script := rueidis.NewLuaScript(`return {tostring(redis.call("INCRBY", KEYS[1], ARGV[1])), ARGV[1]}`)
	for i := range 2 {
		reply, err := script.Exec(ctx, c, []string{"s"}, []string{"7"}).AsStrSlice()
		check("script", reply, []string{strconv.Itoa(7 * (i + 1)), "7"}, err)
	}
	err = c.Dedicated(func(d rueidis.DedicatedClient) error {
		replies := d.DoMulti(ctx, d.B().Watch().Key("n").Build(), d.B().Multi().Build(), d.B().Incr().Key("n").Build(), d.B().Exec().Build())
		elements, err := replies[3].AsIntSlice()
		check("EXEC", elements, []int64{2001}, err)
		return replies[0].Error()
	})
	check("dedicated connection", nil, nil, err)
}

func rueidisCaching(t *testing.T, cached, writer rueidis.Client) {
	ctx, check := t.Context(), expecter(t)
	read := func(key string) (value string, hit bool) {
		t.Helper()
		r := cached.DoCache(ctx, cached.B().Get().Key(key).Cache(), time.Hour)
		value, err := r.ToString()
		if err != nil && !rueidis.IsRedisNil(err) {
			t.Fatal(err)
		}
		return value, r.IsCacheHit()
	}
	write := func(words ...string) {
		t.Helper()
		if err := writer.Do(ctx, writer.B().Arbitrary(words...).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	write("SET", "k", "0")
	value, hit := read("k")
	check("first read", []any{value, hit}, []any{"0", false}, nil)
	for range 100 {
		value, hit = read("k")
		check("a read from memory", []any{value, hit}, []any{"0", true}, nil)
	}
	becomes := func(what, want string) {
		t.Helper()
		oracle.WaitFor(t, what+" is read and remembered", func() bool {
			value, hit := read("k")
			return value == want && hit
		})
	}
	for i := 1; i <= 50; i++ {
		write("SET", "k", strconv.Itoa(i))
		becomes("SET", strconv.Itoa(i))
	}
	write("EVAL", `return redis.call("SET", KEYS[1], "by a script")`, "1", "k")
	becomes("EVAL", "by a script")
	write("RENAME", "k", "elsewhere")
	becomes("RENAME", "")
	write("SET", "k", "there", "PX", "30")
	oracle.WaitFor(t, "expiry", func() bool {
		n, err := writer.Do(ctx, writer.B().Exists().Key("k").Build()).AsInt64()
		return err == nil && n == 0
	})
	becomes("expiry", "")
	write("SET", "k", "flushed")
	becomes("SET after expiry", "flushed")
	write("FLUSHALL")
	becomes("FLUSHALL", "")

	// Many keys at once, half of which change.
	var gets []rueidis.CacheableTTL
	for i := range 100 {
		key := fmt.Sprint("many:", i)
		write("SET", key, "old")
		gets = append(gets, rueidis.CT(cached.B().Get().Key(key).Cache(), time.Hour))
	}
	cached.DoMultiCache(ctx, gets...)
	for i := range 50 {
		write("SET", fmt.Sprint("many:", 2*i), "new")
	}
	oracle.WaitFor(t, "50 invalidations", func() bool {
		for i := range 50 {
			if value, _ := read(fmt.Sprint("many:", 2*i)); value != "new" {
				return false
			}
		}
		return true
	})
	for i := range 50 {
		if value, hit := read(fmt.Sprint("many:", 2*i+1)); value != "old" || !hit {
			t.Errorf("an unchanged key: %q, hit %v", value, hit)
		}
	}
}

func rueidisPubSub(t *testing.T, sub, pub rueidis.Client) {
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 2000)
	done := make(chan error)
	go func() {
		done <- sub.Receive(ctx, sub.B().Subscribe().Channel("news").Build(), func(m rueidis.PubSubMessage) { got <- m.Message })
	}()
	oracle.WaitFor(t, "the subscription", func() bool {
		n, err := pub.Do(ctx, pub.B().Publish().Channel("news").Message("begin").Build()).AsInt64()
		return err == nil && n == 1
	})
	for i := range 1000 {
		if err := pub.Do(ctx, pub.B().Publish().Channel("news").Message(strconv.Itoa(i)).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	if first := <-got; first != "begin" {
		t.Errorf("first message: %q", first)
	}
	for i := range 1000 {
		if m := <-got; m != strconv.Itoa(i) {
			t.Fatalf("message %d is %q", i, m)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the subscription ended with %v", err)
	}
}
