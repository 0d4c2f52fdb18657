package test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// churn is a load of many sorts of clients, some of which are killed. All others are answered, and none that waits does
// so for long after its time.
type churn struct {
	t       *testing.T
	srv     *oracle.Server
	stop    atomic.Bool
	latest  atomic.Int64 // ns: the longest that a client waited after its time
	replies atomic.Int64
}

func (x *churn) dial() *oracle.Conn {
	network, addr := x.srv.Address()
	c, err := oracle.Dial(network, addr)
	if err != nil {
		x.t.Errorf("cannot connect: %v", err)
		return nil
	}
	return c
}

// overstays is by how much a client that waits may be late, however busy the machine is.
const overstays = oracle.Deadline / 4

// request is a command, and what the reply to it begins with.
type request struct {
	args []string
	want string
}

// anyRequest draws a command that always succeeds.
func anyRequest(r *rand.Rand) request {
	n := strconv.Itoa(r.IntN(100))
	members := func(count, size int) []string {
		args := make([]string, 0, count)
		for range count {
			args = append(args, fmt.Sprintf("%0*d", size, r.IntN(5000)))
		}
		return args
	}
	switch r.IntN(14) {
	case 0:
		return request{append([]string{"SADD", "set" + n}, members(1+r.IntN(300), 8)...), ":"}
	case 1:
		return request{append([]string{"SADD", "large"}, members(1000, 20)...), ":"}
	case 2:
		return request{[]string{"SMEMBERS", "large"}, "*"}
	case 3:
		return request{[]string{"SET", "s" + n, strings.Repeat("x", r.IntN(60000))}, "+OK"}
	case 4:
		return request{[]string{"GET", "s" + n}, "$"}
	case 5:
		return request{append([]string{"RPUSH", "l" + n}, members(1+r.IntN(20), 8)...), ":"}
	case 6:
		return request{[]string{"LTRIM", "l" + n, "-100", "-1"}, "+OK"}
	case 7:
		return request{[]string{"EVAL", "return redis.call('INCR', KEYS[1])", "1", "n" + n}, ":"}
	case 8:
		return request{[]string{"SET", "large-string", strings.Repeat("y", 1<<18)}, "+OK"}
	case 9:
		return request{[]string{"GET", "large-string"}, "$"}
	case 10:
		return request{[]string{"RPUSH", "queue" + strconv.Itoa(r.IntN(4)), "x"}, ":"}
	case 11:
		return request{[]string{"SPOP", "set" + n, "50"}, "*"}
	case 12:
		return request{[]string{"CLIENT", "LIST"}, "$"}
	}
	return request{[]string{"INCR", "n" + n}, ":"}
}

// work sends pipelines and compares the replies with what they have to be.
func (x *churn) work(r *rand.Rand) {
	c := x.dial()
	if c == nil {
		return
	}
	defer c.Close()
	for !x.stop.Load() {
		var b []byte
		var sent []request
		for range 1 + r.IntN(40) {
			q := anyRequest(r)
			sent = append(sent, q)
			b = oracle.AppendCommand(b, q.args...)
		}
		wrote := make(chan error, 1)
		go func() { wrote <- c.SendRaw(b) }()
		for i, q := range sent {
			reply, err := c.Reply()
			if err != nil || !strings.HasPrefix(string(reply), q.want) {
				x.t.Errorf("request %d of %d, %s %s: %.100q, %v", i+1, len(sent), q.args[0], q.args[1], reply, err)
				return
			}
			x.replies.Add(1)
		}
		if err := <-wrote; err != nil {
			x.t.Error(err)
			return
		}
	}
}

// wait blocks, for short times, in all ways.
func (x *churn) wait(r *rand.Rand) {
	c := x.dial()
	if c == nil {
		return
	}
	defer c.Close()
	c.Timeout = 2 * oracle.Deadline
	for !x.stop.Load() {
		timeout := time.Duration(1+r.IntN(300)) * time.Millisecond
		if r.IntN(5) == 0 {
			timeout = time.Second
		}
		key := "queue" + strconv.Itoa(r.IntN(6)) // into some nobody pushes
		seconds := strconv.FormatFloat(timeout.Seconds(), 'f', -1, 64)
		args := [][]string{
			{"BLPOP", key, seconds}, {"BLMOVE", key, "moved", "LEFT", "RIGHT", seconds}, {"BZPOPMIN", "nothing", seconds},
			{"XREAD", "BLOCK", strconv.Itoa(int(timeout.Milliseconds())), "STREAMS", "nowhere", "$"}, {"BLMPOP", seconds, "2", key, "none", "LEFT"},
		}[r.IntN(5)]
		begin := time.Now()
		reply, err := c.Do(args...)
		if err != nil || reply[0] != '*' && reply[0] != '$' {
			x.t.Errorf("%q: %q, %v after %v", args, reply, err, time.Since(begin))
			return
		}
		late := time.Since(begin) - timeout
		for was := x.latest.Load(); int64(late) > was && !x.latest.CompareAndSwap(was, int64(late)); was = x.latest.Load() {
		}
		if late > overstays {
			x.t.Errorf("%q took %v", args, time.Since(begin))
		}
	}
}

// come connects, says something, and goes: politely, in the middle, or without reading.
func (x *churn) come(r *rand.Rand) {
	for !x.stop.Load() {
		c := x.dial()
		if c == nil {
			return
		}
		switch r.IntN(5) {
		case 0:
			if reply, err := c.Do("PING"); err != nil || string(reply) != "+PONG\r\n" {
				x.t.Errorf("PING: %q, %v", reply, err)
			}
		case 1: // replies are lost, with a reset
			c.SendRaw(oracle.AppendCommand(nil, "SMEMBERS", "large"))
		case 2:
			c.SendRaw([]byte("*2\r\n$3\r\nGET\r\n$100\r\nx"))
			c.Conn.(*net.TCPConn).CloseWrite()
		case 3:
			c.SendRaw(oracle.AppendCommand(nil, "BLPOP", "nothing", "0"))
			if r.IntN(2) == 0 {
				c.Conn.(*net.TCPConn).SetLinger(0)
			}
		case 4:
			for range 3 {
				c.SendRaw(oracle.AppendCommand(nil, "GET", "large-string"))
			}
		}
		c.Close()
	}
}

// fall has a name by which it is killed.
func (x *churn) fall(r *rand.Rand) {
	for !x.stop.Load() {
		c := x.dial()
		if c == nil {
			return
		}
		for range 50 {
			q := anyRequest(r)
			if r.IntN(3) == 0 {
				q = request{args: []string{"BLPOP", "nothing", "0.05"}}
			}
			if c.Send("CLIENT", "SETNAME", "victim") != nil || c.Send(q.args...) != nil {
				break
			}
			if _, err := c.Reply(); err != nil {
				break
			}
			if _, err := c.Reply(); err != nil {
				break
			}
		}
		c.Close()
	}
}

// disturb kills clients, changes settings, and saves.
func (x *churn) disturb(r *rand.Rand, aof bool) {
	c := x.dial()
	if c == nil {
		return
	}
	defer c.Close()
	do := func(args ...string) string {
		reply, err := c.Do(args...)
		if err != nil && !x.stop.Load() {
			x.t.Errorf("%q: %v", args, err)
			x.stop.Store(true)
		}
		return string(reply)
	}
	for !x.stop.Load() {
		switch r.IntN(8) {
		case 0, 1:
			var victims []string
			for line := range strings.Lines(do("CLIENT", "LIST")) {
				if id, rest, ok := strings.Cut(line, " "); ok && strings.Contains(rest, " name=victim ") {
					victims = append(victims, strings.TrimPrefix(id, "id="))
				}
			}
			if len(victims) > 0 {
				do("CLIENT", "KILL", "ID", victims[r.IntN(len(victims))])
			}
		case 2:
			do("CONFIG", "SET", "maxclients", strconv.Itoa(1000+r.IntN(1000)))
		case 3:
			do("CONFIG", "SET", "timeout", []string{"0", "120"}[r.IntN(2)], "hz", strconv.Itoa(1+r.IntN(100)))
		case 4:
			do("BGSAVE")
		case 5:
			if aof {
				do("BGREWRITEAOF")
			}
		case 6:
			if aof {
				do("CONFIG", "SET", "appendfsync", []string{"no", "everysec", "always"}[r.IntN(3)])
			}
		case 7:
			do("INFO", "everything")
		}
		time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
	}
}

// TestChurn lets clients of all sorts work while others come, go, and are killed, settings change and data are saved.
// SHOAL_CHURN says for how long.
func TestChurn(t *testing.T) {
	lasts := 3 * time.Second
	if text := os.Getenv("SHOAL_CHURN"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	eachEngine(t, func(t *testing.T, engine string) {
		for _, appendonly := range []string{"no", "yes"} {
			t.Run("appendonly="+appendonly, func(t *testing.T) {
				srv := subject{path: oracle.ShoalPath(t), args: []string{"--net-engine", engine}}.start(t, "--reactors", "3", "--appendonly", appendonly)
				x := &churn{t: t, srv: srv}
				seed := oracle.Seed(t)
				var wg sync.WaitGroup
				run := func(n int, f func(r *rand.Rand)) {
					for range n {
						seed++
						r := rand.New(rand.NewPCG(seed, 1))
						wg.Go(func() { f(r) })
					}
				}
				run(12, x.work)
				run(12, x.wait)
				run(4, x.come)
				run(4, x.fall)
				run(2, func(r *rand.Rand) { x.disturb(r, appendonly == "yes") })
				for end := time.Now().Add(lasts); time.Now().Before(end) && !t.Failed(); {
					time.Sleep(10 * time.Millisecond)
				}
				x.stop.Store(true)
				wg.Wait()
				t.Logf("%d replies, the latest end of a wait %v after its time", x.replies.Load(), time.Duration(x.latest.Load()))
				if t.Failed() {
					t.Log(srv.Log())
				}
			})
		}
	})
}
