package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// A blocking scenario is a script of several clients. Its steps:
//
//	a: BLPOP k 0      client a sends a command
//	a? PING           client a sends a command and gets its reply
//	a<                client a gets a reply
//	blocked 2         so many clients are blocked: waited for
//	ran a blpop       this is the last command of client a that the server has begun: waited for
//	flags a           the flags of client a in CLIENT LIST
//	info x            the lines of INFO clients that contain x
//	close a           client a disconnects
//	gone ch 1         the channel ch has so many subscribers: waited for
//
// {a} stands for the number of client a. All clients are connected in the order of their names before the first step.
var blockingScenarios = map[string]string{
	"serve": `
		a: BLPOP k 0
		blocked 1
		flags a
		b? RPUSH k 1 2
		a<
		b? LRANGE k 0 -1
		blocked 0
		flags a`,
	"fifo": `
		a: BLPOP k 0
		blocked 1
		b: BRPOP k 0
		blocked 2
		c: BLPOP k 0
		blocked 3
		d? RPUSH k 1 2 3 4
		a<
		b<
		c<
		d? LRANGE k 0 -1`,
	"one element, many clients": `
		a: BLPOP k 0
		blocked 1
		b: BLPOP k 0
		blocked 2
		c? RPUSH k 1
		a<
		blocked 1
		c? RPUSH k 2
		b<`,
	"several keys": `
		a: BLPOP k1 k2 k3 0
		blocked 1
		b: BLPOP k3 k2 k1 0
		blocked 2
		c? RPUSH k2 x
		a<
		blocked 1
		c? RPUSH k1 y
		b<
		c? RPUSH k3 z
		c? LRANGE k3 0 -1
		c? BLPOP k1 k2 k3 0`,
	"the same key twice": `
		a: BLPOP k k k2 k 0
		blocked 1
		b? RPUSH k 1 2
		a<
		b? LRANGE k 0 -1
		a: BLPOP k2 k2 0
		blocked 1
		b? RPUSH k2 1
		a<
		b? EXISTS k2`,
	"chain": `
		a: BLMOVE k1 k2 LEFT RIGHT 0
		blocked 1
		b: BLMOVE k2 k3 LEFT RIGHT 0
		blocked 2
		c: BLPOP k3 0
		blocked 3
		d? RPUSH k1 x
		a<
		b<
		c<
		d? EXISTS k1 k2 k3`,
	"a client that is served by a chain it began": `
		a: BLMOVE k1 k2 LEFT RIGHT 0
		blocked 1
		b: BLPOP k2 k1 0
		blocked 2
		c? RPUSH k1 x y
		a<
		b<
		c? LRANGE k1 0 -1
		c? LRANGE k2 0 -1`,
	"circle": `
		a: BLMOVE k1 k2 LEFT LEFT 0
		blocked 1
		b: BLMOVE k2 k1 LEFT LEFT 0
		blocked 2
		c? RPUSH k1 x
		a<
		b<
		c? LRANGE k1 0 -1
		c? LRANGE k2 0 -1`,
	"circle of one": `
		a: BLMOVE k k LEFT RIGHT 0
		blocked 1
		b: BLPOP k 0
		blocked 2
		c? RPUSH k 1 2 3
		a<
		b<
		c? LRANGE k 0 -1`,
	"long circle": `
		a: BLMOVE k1 k2 LEFT LEFT 0
		blocked 1
		b: BLMOVE k2 k3 LEFT LEFT 0
		blocked 2
		c: BLMOVE k3 k1 LEFT LEFT 0
		blocked 3
		d: BLMOVE k1 k3 LEFT LEFT 0
		blocked 4
		e? RPUSH k3 x y z
		a<
		b<
		c<
		blocked 1
		e? LRANGE k1 0 -1
		e? LRANGE k2 0 -1
		e? LRANGE k3 0 -1`,
	"destination of the wrong type": `
		a: BLMOVE k1 k2 LEFT RIGHT 0
		blocked 1
		b: BLPOP k1 0
		blocked 2
		c? SET k2 text
		c? RPUSH k1 x
		a<
		b<
		c? EXISTS k1`,
	"destinations of the wrong type": `
		a: BLMOVE k1 k2 LEFT RIGHT 0
		blocked 1
		b: BLMOVE k1 k3 LEFT RIGHT 0
		blocked 2
		c: BLMOVE k1 k4 LEFT RIGHT 0
		blocked 3
		d? MSET k2 text k3 text
		d? RPUSH k1 x
		a<
		b<
		c<
		d? LRANGE k4 0 -1`,
	"wrong type": `
		a? SET k text
		a? BLPOP k 0
		a? BLPOP other k 0
		a? BLMOVE k other LEFT LEFT 0
		a? RPUSH first x
		a? BLPOP first k 0
		a? BLPOP k first 0`,
	"the key changes its type": `
		a: BLPOP k 0
		blocked 1
		b? SET k text
		b? APPEND k more
		blocked 1
		b? DEL k
		b? SADD k member
		blocked 1
		b? DEL k
		b? RPUSH k x
		a<
		blocked 0`,
	"another key has got another type": `
		a: BLPOP k1 k2 0
		blocked 1
		b? SET k1 text
		b? RPUSH k2 x
		a<`,
	"databases": `
		a? SELECT 1
		a: BLPOP k 0
		blocked 1
		b: BLPOP k 0
		blocked 2
		c? SELECT 2
		c? RPUSH k 2
		blocked 2
		c? SELECT 1
		c? RPUSH k 1
		a<
		blocked 1
		c? SELECT 0
		c? RPUSH k 0
		b<`,
	"swapdb": `
		a: BLPOP k 0
		blocked 1
		b? SELECT 1
		b? RPUSH k x
		b? SWAPDB 0 1
		a<
		b? EXISTS k`,
	"rename": `
		a: BLPOP k 0
		blocked 1
		b? RPUSH other 1 2
		b? RENAME other k
		a<
		b? LRANGE k 0 -1
		b? DEL k
		a: BLPOP k 0
		blocked 1
		b? RPUSH other 3
		b? RENAMENX other k
		a<
		b? EXISTS k`,
	"rename over a text": `
		a: BLPOP k 0
		blocked 1
		b? SET k text
		b? RPUSH other 1
		b? RENAME other k
		a<`,
	"move": `
		a: BLPOP k 0
		blocked 1
		b? SELECT 1
		b? RPUSH k 1 2
		b? MOVE k 0
		a<
		b? EXISTS k`,
	"copy": `
		a: BLPOP k 0
		blocked 1
		b? RPUSH other 1 2
		b? COPY other k
		a<
		b? LRANGE k 0 -1
		b? LRANGE other 0 -1
		b? DEL k
		a: BLPOP k 0
		blocked 1
		b? SELECT 2
		b? RPUSH other 3
		b? COPY other k DB 0
		a<`,
	"timeout": `
		a? BLPOP k 0.02
		a? BLMOVE k k2 LEFT LEFT 0.02
		a? HELLO 3
		a? BLPOP k 0.02
		a? BLMOVE k k2 LEFT LEFT 0.02
		blocked 0
		a: BLPOP k 0.03
		a: BLPOP k 0.03
		a: ECHO done
		a<
		a<
		a<`,
	"timeout of many": `
		a: BLPOP k 0.08
		b: BLPOP k 0.02
		c: BLPOP k 0.05
		blocked 0
		a<
		b<
		c<
		d? RPUSH k x
		d? LLEN k`,
	"bad timeouts": `
		a? BLPOP k -1
		a? BLPOP k -0.5
		a? BLPOP k text
		a? BLPOP k nan
		a? BLPOP k ""
		a? BLMOVE k k LEFT LEFT -1
		a? BLMOVE k k LEFT LEFT 1x
		a? BLPOP k 1e-10
		a: BLPOP k -0.0001
		blocked 1
		b? RPUSH k x
		a<`,
	"unblock": `
		a: BLPOP k 0
		blocked 1
		b? CLIENT UNBLOCK {a}
		a<
		a: BLPOP k 0
		blocked 1
		b? CLIENT UNBLOCK {a} TIMEOUT
		a<
		a: BLMOVE k k LEFT LEFT 0
		blocked 1
		b? CLIENT UNBLOCK {a} ERROR
		a<
		b? CLIENT UNBLOCK {a}
		b? CLIENT UNBLOCK 1000000
		b? CLIENT UNBLOCK {a} SOMEHOW
		a? RPUSH k x
		b? LLEN k
		a: BLPOP k2 k3 k4 1000
		blocked 1
		b? CLIENT UNBLOCK {a} ERROR
		b? RPUSH k3 x
		a<
		b? LLEN k3`,
	"disconnect": `
		a: BLPOP k k2 0
		blocked 1
		b: BLPOP k 0
		blocked 2
		close a
		blocked 1
		c? RPUSH k x
		b<
		c? RPUSH k2 x
		c? LLEN k2`,
	"kill": `
		a: BLPOP k 0
		blocked 1
		b? CLIENT KILL ID {a}
		b? RPUSH k x
		b? LLEN k
		blocked 0`,
	"pipeline": `
		a: BLPOP k 0
		a: ECHO 1
		a: BLPOP k2 0
		a: ECHO 2
		blocked 1
		b? RPUSH k x
		a<
		a<
		blocked 1
		b? RPUSH k2 y
		a<
		a<`,
	"pause": `
		a: BLPOP k 2
		ran a blpop
		b? CLIENT PAUSE 100000 WRITE
		a<
		c: RPUSH k x
		blocked 1
		flags c
		b? CLIENT UNPAUSE
		c<
		a: BLPOP k2 0
		blocked 1
		b? CLIENT PAUSE 100000 WRITE
		c: RPUSH k2 x
		blocked 2
		b? CLIENT UNPAUSE
		c<
		a<`,
	"reply off": `
		a: CLIENT REPLY SKIP
		a: BLPOP k 0
		a: ECHO done
		blocked 1
		b? RPUSH k x
		a<
		b? EXISTS k`,
	"sorted sets": `
		a: BZPOPMIN k 0
		blocked 1
		b: BZPOPMAX k2 k 0
		blocked 2
		c: BZMPOP 0 2 k3 k MAX COUNT 2
		blocked 3
		d? ZADD k 1 x 2 y 3 z 4 w 5 v
		a<
		b<
		c<
		d? ZRANGE k 0 -1 WITHSCORES`,
	"sorted sets in RESP3": `
		a? HELLO 3
		b? HELLO 3
		a: BZPOPMIN k 0
		blocked 1
		b: BZMPOP 0 1 k MIN
		blocked 2
		c? ZADD k 1 x 2.5 y
		a<
		b<
		a? BZPOPMIN k 0.01
		a? BZMPOP 0.01 1 k MIN`,
	"a list or a sorted set": `
		a: BLPOP k 0
		blocked 1
		b: BZPOPMIN k 0
		blocked 2
		c: BRPOP k 0
		blocked 3
		d? ZADD k 1 x 2 y
		b<
		blocked 2
		d? DEL k
		d? RPUSH k 1 2
		a<
		c<
		blocked 0`,
	"sorted sets that commands store": `
		a: BZPOPMIN k 0
		blocked 1
		b? ZADD other 1 x 2 y
		b? ZUNIONSTORE k 1 other
		a<
		b? DEL k
		a: BZPOPMIN k 0
		blocked 1
		b? ZRANGESTORE k other 0 -1
		a<
		a: BZPOPMAX k2 0
		blocked 1
		b? ZINCRBY k2 5 member
		a<
		b? EXISTS k2`,
	"several lists at once": `
		a: BLMPOP 0 2 k1 k2 LEFT COUNT 2
		blocked 1
		b: BLMPOP 0 2 k2 k1 RIGHT
		blocked 2
		c? RPUSH k2 1 2 3
		a<
		b<
		c? EXISTS k2`,
	"the old name of a move": `
		a: BRPOPLPUSH k k2 0
		blocked 1
		b? RPUSH k x
		a<
		b? LRANGE k2 0 -1
		a? BRPOPLPUSH k k2 0.01`,
	"streams": `
		a: XREAD BLOCK 0 STREAMS k $
		blocked 1
		b: XREAD COUNT 1 BLOCK 0 STREAMS k2 k 0 5-0
		blocked 2
		c: XREAD BLOCK 100000 STREAMS k k2 k3 7-0 $ $
		blocked 3
		d? XADD k 1-0 f v
		a<
		blocked 2
		d? XADD k 6-0 f v
		b<
		blocked 1
		d? XADD k 7-0 f v
		blocked 1
		d? XADD k 7-1 f v
		c<
		a? XREAD BLOCK 10 STREAMS k $`,
	"streams at the end of a millisecond": `
		a: XREAD BLOCK 0 STREAMS k 1-18446744073709551615
		blocked 1
		b: XREAD BLOCK 0 STREAMS k k 1-1 $
		blocked 2
		c? XADD k 1-1 f v
		blocked 2
		c? XADD k 1-18446744073709551615 f v
		c? XADD k 2-1 f v
		a<
		b<`,
	"streams in other databases": `
		a? SELECT 3
		a: XREAD BLOCK 0 STREAMS k 0
		blocked 1
		b? XADD k 1-0 f v
		blocked 1
		b? MOVE k 3
		a<`,
	"consumer groups": `
		d? XGROUP CREATE k g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k >
		blocked 1
		b: XREADGROUP GROUP g bob BLOCK 0 STREAMS k >
		blocked 2
		c: XREAD BLOCK 0 STREAMS k $
		blocked 3
		d? XADD k 1-0 f v
		a<
		c<
		blocked 1
		d? XADD k 2-0 f v
		b<
		d? XPENDING k g`,
	"a stream is deleted": `
		d? XGROUP CREATE k g $ MKSTREAM
		d? XGROUP CREATE k2 g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k k2 > >
		blocked 1
		b: XREAD BLOCK 0 STREAMS k $
		blocked 2
		d? DEL k
		a<
		blocked 1
		d? XADD k 9-0 f v
		b<`,
	"a stream is overwritten": `
		d? XGROUP CREATE k g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k >
		blocked 1
		d? SET k text
		a<
		d? DEL k
		d? XGROUP CREATE k g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k >
		blocked 1
		d? RPUSH other x
		d? RENAME other k
		a<
		d? DEL k
		d? XGROUP CREATE k g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k >
		blocked 1
		d? RENAME k other
		a<
		d? XGROUP CREATE k g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k >
		blocked 1
		d? FLUSHALL
		a<
		d? XGROUP CREATE k g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k >
		blocked 1
		d? SWAPDB 0 5
		a<
		d? SWAPDB 0 5`,
	"a stream expires": `
		d? XGROUP CREATE k g $ MKSTREAM
		d? XGROUP CREATE k2 g $ MKSTREAM
		d? XGROUP CREATE k3 g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k k2 k3 > > >
		blocked 1
		d? PEXPIRE k2 1
		a<`,
	"a group is destroyed": `
		d? XGROUP CREATE k g $ MKSTREAM
		a: XREADGROUP GROUP g alice BLOCK 0 STREAMS k >
		blocked 1
		d? XGROUP DESTROY k g
		a<`,
	"info": `
		a: BLPOP k k2 k 0
		blocked 1
		b: BLPOP k 1000
		blocked 2
		c: BLMOVE k3 k LEFT LEFT 1000
		blocked 3
		info timeout_table
		d? CLIENT UNBLOCK {c}
		d? RPUSH k x
		a<
		blocked 1
		info timeout_table
		c<`,
	"flush": `
		a: BLPOP k 0
		blocked 1
		b? FLUSHALL
		blocked 1
		b? FLUSHDB
		b? RPUSH k x
		a<`,
	"expired": `
		a: BLPOP k 0
		blocked 1
		b? SET k text PX 1
		blocked 1
		b? SET k text EX 100
		b? DEL k
		b? RPUSH k x
		a<`,
}

// TestBlocking compares what happens to blocked clients with redis-server.
func TestBlocking(t *testing.T) {
	redis := oracle.Redis(t, "--save", "")
	for _, name := range slices.Sorted(keysOf(blockingScenarios)) {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			want := playScenario(t, redis, blockingScenarios[name])
			eachEngine(t, func(t *testing.T, engine string) {
				for _, reactors := range []string{"1", "3"} {
					s := sharedShoal(t, "--net-engine", engine, "--reactors", reactors)
					got := playScenario(t, s, blockingScenarios[name])
					if got != want {
						t.Errorf("%s reactors: redis-server:\n%s\nshoal-server:\n%s", reactors, want, got)
					}
				}
			})
		})
	}
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// playScenario runs the steps of a scenario in an empty server and returns them with the replies.
func playScenario(t *testing.T, s *oracle.Server, script string) string {
	t.Helper()
	c := s.Dial(t)
	c.Do("FLUSHALL")
	p := player{t: t, s: s, control: c, clients: map[string]*oracle.Client{}, ids: map[string]string{}, log: &strings.Builder{}}
	steps := strings.Split(strings.TrimSpace(script), "\n")
	p.connect(steps)
	for _, step := range steps {
		p.step(strings.TrimSpace(step))
	}
	for _, c := range p.clients {
		c.Close()
	}
	p.waitBlocked("0")
	return p.log.String()
}

// player plays a scenario.
type player struct {
	t       *testing.T
	s       *oracle.Server
	control *oracle.Client
	clients map[string]*oracle.Client
	ids     map[string]string
	log     *strings.Builder
}

func (p *player) connect(steps []string) {
	names := map[string]bool{}
	for _, step := range steps {
		if step = strings.TrimSpace(step); len(step) > 1 && strings.ContainsAny(step[1:2], ":?<") {
			names[step[:1]] = true
		}
	}
	for _, name := range slices.Sorted(keysOf(names)) {
		c := p.s.Dial(p.t)
		p.clients[name] = c
		p.ids[name] = strings.Trim(c.Do("CLIENT", "ID"), ":\r\n")
	}
}

func (p *player) step(step string) {
	p.t.Helper()
	fmt.Fprintln(p.log, step)
	verb, rest, _ := strings.Cut(step, " ")
	switch verb {
	case "blocked":
		p.waitBlocked(rest)
	case "ran":
		name, command, _ := strings.Cut(rest, " ")
		oracle.WaitFor(p.t, step, func() bool {
			return strings.Contains(p.control.Do("CLIENT", "LIST", "ID", p.ids[name]), " cmd="+command+" ")
		})
	case "flags":
		line := p.control.Do("CLIENT", "LIST", "ID", p.ids[rest])
		_, line, _ = strings.Cut(line, " flags=")
		flags, _, _ := strings.Cut(line, " ")
		fmt.Fprintln(p.log, flags)
	case "info":
		for line := range strings.SplitSeq(p.control.Do("INFO", "clients"), "\r\n") {
			if strings.Contains(line, rest) {
				fmt.Fprintln(p.log, line)
			}
		}
	case "close":
		p.clients[rest].Close()
	case "gone":
		channel, n, _ := strings.Cut(rest, " ")
		oracle.WaitFor(p.t, rest+" subscribers", func() bool {
			return strings.HasSuffix(p.control.Do("PUBSUB", "NUMSUB", channel), ":"+n+"\r\n")
		})
	case "clients":
		waitClients(p.t, p.s, len(p.clients)+1)
	case "stats":
		for line := range strings.SplitSeq(p.control.Do("INFO", "stats"), "\r\n") {
			if strings.Contains(line, rest) {
				fmt.Fprintln(p.log, line)
			}
		}
	case "sleep":
		d, err := time.ParseDuration(rest)
		if err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(d)
	default:
		p.command(p.clients[step[:1]], step[1], rest)
	}
}

func (p *player) command(c *oracle.Client, kind byte, words string) {
	p.t.Helper()
	if kind != '<' {
		for name, id := range p.ids {
			words = strings.ReplaceAll(words, "{"+name+"}", id)
		}
		args, err := oracle.SplitWords(words)
		if err != nil {
			p.t.Fatal(err)
		}
		c.Send(args...)
	}
	if kind != ':' {
		reply := c.Reply()
		if strings.HasPrefix(words, "CLIENT") && !strings.HasPrefix(words, "CLIENT KILL") || strings.Contains(reply, "redir") {
			for name, id := range p.ids {
				reply = strings.ReplaceAll(reply, ":"+id+"\r\n", ":{"+name+"}\r\n")
			}
		}
		if !strings.Contains(words, "HELLO") {
			fmt.Fprintf(p.log, "%q\n", reply)
		}
	}
}

// waitBlocked waits until so many clients are blocked.
func (p *player) waitBlocked(n string) {
	p.t.Helper()
	oracle.WaitFor(p.t, n+" blocked clients after\n"+p.log.String(), func() bool {
		return strings.Contains(p.control.Do("INFO", "clients"), "blocked_clients:"+n+"\r\n")
	})
}
