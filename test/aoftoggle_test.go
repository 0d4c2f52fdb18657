package test

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// toggled is a server whose append only file is turned on and off under load, with what has to survive its death.
type toggled struct {
	t        *testing.T
	r        *rand.Rand
	c        *oracle.Client
	writers  []*crashWriter
	on       bool
	complete bool // what is acknowledged goes to files that a start finds
}

// keep notes that all that is acknowledged now survives.
func (x *toggled) keep() {
	for _, w := range x.writers {
		w.kept = w.acked.Load()
	}
}

// turn turns the file on or off. What was acknowledged before it is turned off is in the files.
func (x *toggled) turn(on bool) {
	x.t.Helper()
	value := map[bool]string{true: "yes", false: "no"}[on]
	acked := make([]int64, len(x.writers))
	for i, w := range x.writers {
		acked[i] = w.acked.Load()
	}
	if got := x.c.Do("CONFIG", "SET", "appendonly", value); got != "+OK\r\n" {
		x.t.Error(got)
	}
	if !on && x.complete {
		for i, w := range x.writers {
			w.kept = acked[i]
		}
	}
	if x.on != on {
		x.on, x.complete = on, false
	}
}

// awaitComplete waits until the file has all data.
func (x *toggled) awaitComplete() {
	awaitRewrite(x.t, x.c)
	x.complete = x.on
}

// step does something beside the load.
func (x *toggled) step() {
	switch x.r.IntN(8) {
	case 0, 1:
		x.turn(!x.on)
	case 2:
		x.turn(false)
		x.turn(true)
	case 3:
		x.awaitComplete()
	case 4:
		x.c.Do("BGREWRITEAOF")
	case 5:
		x.c.Do("BGSAVE")
	case 6: // makes a snapshot begin anew
		x.c.Do("SELECT", "1")
		x.c.Do("MSET", "a", "1", "b", "2")
		x.c.Do("FLUSHDB")
		x.c.Do("SELECT", "0")
	default:
		time.Sleep(time.Duration(x.r.IntN(20)) * time.Millisecond)
	}
}

// die kills the server, having made sure of what has to be there then.
func (x *toggled) die(srv *oracle.Server, always bool, wg *sync.WaitGroup) {
	if x.r.IntN(3) > 0 {
		x.turn(true)
		x.awaitComplete()
	}
	if x.complete && !always { // else it may lose a second
		x.keep()
		if got := x.c.Do("WAITAOF", "1", "0", "0"); got != "*2\r\n:1\r\n:0\r\n" {
			x.t.Error(got)
		}
	}
	time.Sleep(time.Duration(x.r.IntN(30)) * time.Millisecond)
	srv.Kill()
	wg.Wait()
	if x.complete && always {
		x.keep()
	}
}

// TestAOFOnAndOffUnderLoad turns the append only file on and off, beside rewrites, saves and flushes, while clients
// write, and kills the server: whatever was acknowledged while the file was complete is there, in whole transactions and
// scripts, and no more than was sent.
func TestAOFOnAndOffUnderLoad(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		dir := t.TempDir()
		r := rand.New(rand.NewPCG(oracle.Seed(t), 3))
		writers := make([]*crashWriter, 4)
		for i := range writers {
			writers[i] = &crashWriter{id: i}
		}
		for kill := range max(crashKills(t)/3, 1) {
			policy := []string{"always", "everysec"}[r.IntN(2)]
			srv, err := oracle.Start(oracle.ShoalPath(t), dir, "--appendonly", "yes", "--appendfsync", policy, "--save", "", "--reactors", "2", "--net-engine", engine,
				"--aof-use-rdb-preamble", []string{"yes", "no"}[r.IntN(2)])
			if err != nil {
				t.Fatal(err)
			}
			x := &toggled{t: t, r: r, c: srv.Dial(t), writers: writers, on: true, complete: true}
			for _, w := range writers {
				w.check(t, x.c)
			}
			if r.IntN(3) == 0 {
				if got := x.c.Do("FLUSHALL"); got != "+OK\r\n" {
					t.Error(got)
				}
				for _, w := range writers {
					w.startAt(0)
				}
			}
			var wg sync.WaitGroup
			for _, w := range writers {
				own := rand.New(rand.NewPCG(r.Uint64(), 0))
				wg.Go(func() { w.run(srv, own) })
			}
			for range 1 + r.IntN(10) {
				x.step()
			}
			x.die(srv, policy == "always", &wg)
			if report := srv.CrashReport(); report != "" {
				t.Fatal(report)
			}
			if t.Failed() {
				t.Fatalf("kill %s, %s: %s", strconv.Itoa(kill), policy, srv.Log())
			}
		}
	})
}
