package test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// blockingServer is a server of the test's own with more reactors than cores.
func blockingServer(t *testing.T, engine string) *oracle.Server {
	t.Helper()
	return subject{path: oracle.ShoalPath(t), args: []string{"--net-engine", engine}}.start(t, "--reactors", "4")
}

func waitBlocked(t *testing.T, c *oracle.Client, n int) {
	t.Helper()
	want := fmt.Sprintf("blocked_clients:%d\r\n", n)
	oracle.WaitFor(t, want, func() bool { return strings.Contains(c.Do("INFO", "clients"), want) })
}

// TestBlockingOrder pushes values, as many as clients wait, from several connections of different reactors: the n-th value
// belongs to the n-th client.
func TestBlockingOrder(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := blockingServer(t, engine)
		c := s.Dial(t)
		const waiters = 60
		var clients []*oracle.Client
		for i := range waiters {
			w := s.Dial(t)
			switch i % 3 {
			case 0:
				w.Send("BLPOP", "k", "0")
			case 1:
				w.Send("BLPOP", "a", "b", "k", "c", "0")
			case 2:
				w.Send("BLMOVE", "k", fmt.Sprint("to", i), "LEFT", "RIGHT", "0")
			}
			waitBlocked(t, c, i+1)
			clients = append(clients, w)
		}
		next := 0
		for next < waiters {
			args := []string{"RPUSH", "k"}
			for range min(1+rand.IntN(3), waiters-next) {
				args = append(args, fmt.Sprint("value", next))
				next++
			}
			s.Dial(t).Do(args...)
		}
		for i, w := range clients {
			if reply := w.Reply(); !strings.Contains(reply, fmt.Sprintf("\r\nvalue%d\r\n", i)) {
				t.Errorf("client %d got %q", i, reply)
			}
		}
		waitBlocked(t, c, 0)
		if reply := c.Do("EXISTS", "k"); reply != ":0\r\n" {
			t.Errorf("EXISTS k: %q", reply)
		}
	})
}

// TestBlockingAtomic pushes values to keys whose clients wait, while others look whether they ever see one.
func TestBlockingAtomic(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := blockingServer(t, engine)
		c := s.Dial(t)
		var stop atomic.Bool
		var keys atomic.Pointer[[]string]
		keys.Store(&[]string{"k"})
		var watchers sync.WaitGroup
		for range 3 {
			w := s.Dial(t)
			watchers.Go(func() {
				for !stop.Load() {
					names := *keys.Load()
					if reply, err := w.Conn.Do(append([]string{"EXISTS"}, names...)...); err != nil || string(reply) != ":0\r\n" {
						t.Errorf("EXISTS %q: %q %v", names, reply, err)
						return
					}
				}
			})
		}
		var waiters [3]*oracle.Client
		for i := range waiters {
			waiters[i] = s.Dial(t)
		}
		for i := range 150 {
			k := []string{fmt.Sprint("x", i), fmt.Sprint("y", i), fmt.Sprint("z", i)}
			keys.Store(&k)
			// The last of the chain waits first, or it might come too late.
			waiters[2].Send("BLPOP", "other", k[2], "0")
			waiters[1].Send("BLMOVE", k[1], k[2], "LEFT", "RIGHT", "0")
			waiters[0].Send("BLMOVE", k[0], k[1], "RIGHT", "LEFT", "0")
			waitBlocked(t, c, 3)
			c.Do("RPUSH", k[0], "value")
			for _, w := range waiters {
				if reply := w.Reply(); !strings.Contains(reply, "value") {
					t.Fatalf("round %d: %q", i, reply)
				}
			}
		}
		stop.Store(true)
		watchers.Wait()
	})
}

// TestBlockingLoad lets many clients push, pop and move values. Each value is popped exactly once, and nobody waits for a key
// that has one.
func TestBlockingLoad(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := blockingServer(t, engine)
		l := blockingLoad{t: t, s: s, seen: map[string]int{}}
		const producers, values = 8, 400
		for range 24 {
			l.start(l.pop)
		}
		for range 8 {
			l.start(l.move)
		}
		for range 4 {
			l.start(l.unblock)
		}
		var producing sync.WaitGroup
		for p := range producers {
			c := s.Dial(t)
			producing.Go(func() { l.push(c.Conn, p, values) })
		}
		producing.Wait()
		oracle.WaitFor(t, "all values", func() bool { return l.count() == producers*values })
		l.stop.Store(true)
		// Values that end the clients: as many as there are, whatever they wait for.
		c := s.Dial(t)
		oracle.WaitFor(t, "the clients to end", func() bool {
			if l.running.Load() > 0 {
				for k := range loadKeys {
					c.Do("RPUSH", loadKey(k), "end")
				}
			}
			return l.running.Load() == 0
		})
		for v, n := range l.seen {
			if n != 1 {
				t.Errorf("%s was popped %d times", v, n)
			}
		}
		waitBlocked(t, c, 0)
	})
}

const loadKeys = 12

func loadKey(i int) string { return fmt.Sprint("queue", i) }

func randomLoadKey() string { return loadKey(rand.IntN(loadKeys)) }

// blockingLoad is the clients of TestBlockingLoad.
type blockingLoad struct {
	t       *testing.T
	s       *oracle.Server
	stop    atomic.Bool
	running atomic.Int64

	mu   sync.Mutex
	seen map[string]int
}

func (l *blockingLoad) start(f func(c *oracle.Conn) error) {
	c := l.s.Dial(l.t)
	l.running.Add(1)
	go func() {
		defer l.running.Add(-1)
		for !l.stop.Load() {
			if err := f(c.Conn); err != nil {
				l.t.Error(err)
				return
			}
		}
	}()
}

func (l *blockingLoad) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen)
}

func (l *blockingLoad) push(c *oracle.Conn, producer, n int) {
	for i := 0; i < n; {
		args := []string{"RPUSH", randomLoadKey()}
		if rand.IntN(2) == 0 {
			args[0] = "LPUSH"
		}
		for range min(1+rand.IntN(4), n-i) {
			args = append(args, fmt.Sprintf("%d:%d", producer, i))
			i++
		}
		if reply, err := c.Do(args...); err != nil || reply[0] != ':' {
			l.t.Errorf("%q: %q %v", args, reply, err)
			return
		}
	}
}

// pop pops from all keys in some order, so that none is forgotten.
func (l *blockingLoad) pop(c *oracle.Conn) error {
	args := []string{"BLPOP"}
	for _, k := range rand.Perm(loadKeys) {
		args = append(args, loadKey(k))
		if len(args) > 2 && rand.IntN(3) == 0 && len(args) > loadKeys/2 {
			break
		}
	}
	timeout := "0"
	if rand.IntN(4) == 0 {
		timeout = "0.003"
	}
	reply, err := c.Do(append(args, timeout)...)
	if err != nil {
		return err
	}
	words := strings.Split(string(reply), "\r\n")
	switch {
	case string(reply) == "*-1\r\n" || strings.HasPrefix(words[0], "-UNBLOCKED"):
	case len(words) == 6:
		if v := words[4]; v != "end" {
			l.mu.Lock()
			l.seen[v]++
			l.mu.Unlock()
		}
	default:
		return fmt.Errorf("%q: %q", args, reply)
	}
	return nil
}

func (l *blockingLoad) move(c *oracle.Conn) error {
	from, to := randomLoadKey(), randomLoadKey()
	reply, err := c.Do("BLMOVE", from, to, "LEFT", "RIGHT", "0.05")
	if err == nil && reply[0] != '$' && string(reply) != "*-1\r\n" && !strings.HasPrefix(string(reply), "-UNBLOCKED") {
		err = fmt.Errorf("BLMOVE: %q", reply)
	}
	return err
}

// unblock unblocks some client, and lets another one come and go that waits for what never comes.
func (l *blockingLoad) unblock(c *oracle.Conn) error {
	time.Sleep(time.Millisecond)
	network, addr := l.s.Address()
	guest, err := oracle.Dial(network, addr)
	if err != nil {
		return err
	}
	defer guest.Close()
	if err := guest.Send("BLPOP", "nothing", "never", "0"); err != nil {
		return err
	}
	_, err = c.Do("CLIENT", "UNBLOCK", fmt.Sprint(1+rand.IntN(60)), [...]string{"TIMEOUT", "ERROR"}[rand.IntN(2)])
	return err
}

// TestBlockingDisconnect lets clients disconnect while they wait, many at once. Nothing is given to who has gone.
func TestBlockingDisconnect(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		s := blockingServer(t, engine)
		c := s.Dial(t)
		network, addr := s.Address()
		for range 5 {
			var all []*oracle.Conn
			for i := range 200 {
				w, err := oracle.Dial(network, addr)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, w)
				if err := w.Send("BLPOP", "k", fmt.Sprint("k", i%7), fmt.Sprint(100*(i%2))); err != nil {
					t.Fatal(err)
				}
			}
			waitBlocked(t, c, len(all))
			for _, w := range all {
				w.Close()
			}
			waitBlocked(t, c, 0)
			if n := c.Do("RPUSH", "k", "1", "2", "3"); n != ":3\r\n" {
				t.Fatalf("RPUSH: %q", n)
			}
			if n := c.Do("LLEN", "k"); n != ":3\r\n" {
				t.Errorf("LLEN: %q", n)
			}
			c.Do("DEL", "k")
		}
	})
}
