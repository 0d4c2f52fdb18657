package load

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var ping = []Command{NewCommand("PING")}

// onBothEngines runs a test with the platform's engine and with the portable one.
func onBothEngines(t *testing.T, f func(t *testing.T, o Options)) {
	t.Run("native", func(t *testing.T) { f(t, Options{}) })
	t.Run("portable", func(t *testing.T) { f(t, Options{Portable: true}) })
}

// measure runs one workload on a fresh generator.
func measure(t *testing.T, server *fake, o Options, w Workload) (*Result, error) {
	t.Helper()
	o.Network, o.Address = server.network, server.address
	g, err := Dial(o)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	return g.Run(context.Background(), w)
}

func TestClosedLoopSendsExactly(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		for _, c := range []struct {
			requests                 int64
			conns, threads, pipeline int
		}{{1, 50, 1, 1}, {1000, 7, 1, 1}, {1003, 10, 3, 16}, {5, 3, 2, 100}, {4096, 1, 1, 64}} {
			server := &fake{}
			server.start(t)
			o.Conns, o.Threads = c.conns, c.threads
			r, err := measure(t, server, o, Workload{Commands: ping, Requests: c.requests, Pipeline: c.pipeline})
			if err != nil {
				t.Fatal(err)
			}
			if r.Requests != c.requests || r.Latency.TotalCount() != c.requests || server.requests.Load() != c.requests {
				t.Errorf("%+v: %d answered, %d latencies, server got %d", c, r.Requests, r.Latency.TotalCount(), server.requests.Load())
			}
			if r.Elapsed <= 0 || r.Errors != 0 || r.Abandoned {
				t.Errorf("%+v: %+v", c, r)
			}
		}
	})
}

func TestDurationEndsARun(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		server := &fake{}
		server.start(t)
		r, err := measure(t, server, o, Workload{Commands: ping, Duration: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests == 0 || r.Requests != server.requests.Load() {
			t.Errorf("%d answered, server got %d", r.Requests, server.requests.Load())
		}
	})
}

// TestStallShowsInOpenLoop is the test for coordinated omission: a server that stands still for 100 ms delays all
// requests due meanwhile, those due in the first 50 ms of it by at least 50 ms. A slow machine can only
// add to that.
func TestStallShowsInOpenLoop(t *testing.T) {
	const (
		rate  = 2000.0
		stall = 100 * time.Millisecond
	)
	onBothEngines(t, func(t *testing.T, o Options) {
		o.Conns = 4
		server := &fake{stallAt: 200, stall: stall}
		server.start(t)
		r, err := measure(t, server, o, Workload{Commands: ping, Requests: 1000, Rate: rate})
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests != 1000 || server.requests.Load() != 1000 {
			t.Errorf("%d answered, server got %d, want 1000", r.Requests, server.requests.Load())
		}
		if worst := r.Percentile(100); worst < stall*98/100 {
			t.Errorf("the worst latency is %v, the stall was %v", worst, stall)
		}
		// 100 requests, one in ten, were due in the first 50 ms of the stall; some places are left for
		// those that the server had read before.
		if p := r.Percentile(92); p < stall/2*98/100 {
			t.Errorf("p92 is %v, want at least %v", p, stall/2)
		}
		if r.Elapsed < time.Duration(999/rate*float64(time.Second)) {
			t.Errorf("1000 requests at %v a second took only %v", rate, r.Elapsed)
		}
	})
}

// TestStallHidesInClosedLoop shows the omission that the open loop avoids: the same stall touches only as
// many requests as there are connections.
func TestStallHidesInClosedLoop(t *testing.T) {
	server := &fake{stallAt: 200, stall: 100 * time.Millisecond}
	server.start(t)
	r, err := measure(t, server, Options{Conns: 4}, Workload{Commands: ping, Requests: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if r.Percentile(100) < 98*time.Millisecond {
		t.Errorf("the worst latency is %v", r.Percentile(100))
	}
	if r.Percentile(90.5) >= 98*time.Millisecond {
		t.Errorf("p90.5 is %v: a closed loop cannot know better", r.Percentile(90.5))
	}
}

func TestOpenLoopPipelines(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		o.Conns, o.Threads = 5, 2
		server := &fake{}
		server.start(t)
		r, err := measure(t, server, o, Workload{Commands: ping, Requests: 1001, Pipeline: 10, Rate: 50_000})
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests != 1001 || server.requests.Load() != 1001 {
			t.Errorf("%d answered, server got %d", r.Requests, server.requests.Load())
		}
	})
}

func TestErrorsAreCounted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		o.Conns = 1
		server := &fake{answer: func(n int64, _ []string) string {
			if n%10 == 5 {
				return "-ERR number " + string(rune('0'+n/10)) + "\r\n"
			}
			return "$-1\r\n"
		}}
		server.start(t)
		r, err := measure(t, server, o, Workload{Commands: ping, Requests: 100})
		if err != nil {
			t.Fatal(err)
		}
		if r.Errors != 10 || r.FirstError != "ERR number 0" || r.Nulls != 90 || r.Abandoned {
			t.Errorf("%d errors (%q), %d nulls, abandoned %v", r.Errors, r.FirstError, r.Nulls, r.Abandoned)
		}
	})
}

// TestErrorsOnlyAbandon: a command that the server lacks is given up at once, and the connections stay usable.
func TestErrorsOnlyAbandon(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		o.Conns = 3
		server := &fake{answer: func(_ int64, args []string) string {
			if args[0] == "PING" {
				return "+PONG\r\n"
			}
			return "-ERR unknown command\r\n"
		}}
		server.start(t)
		o.Address = server.address
		g, err := Dial(o)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		nope := []Command{NewCommand("NOPE")}
		r, err := g.Run(context.Background(), Workload{Commands: nope, Requests: 100_000, Pipeline: 4})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Abandoned || r.FirstError != "ERR unknown command" || r.Requests >= 100_000 {
			t.Errorf("%+v", r)
		}
		r, err = g.Run(context.Background(), Workload{Commands: ping, Requests: 100})
		if err != nil || r.Requests != 100 || r.Errors != 0 {
			t.Errorf("after an abandoned run: %+v, %v", r, err)
		}
		r, err = g.Run(context.Background(), Workload{Commands: nope, Requests: 100, KeepErrors: true})
		if err != nil || r.Requests != 100 || r.Errors != 100 || r.Abandoned {
			t.Errorf("with KeepErrors: %+v, %v", r, err)
		}
	})
}

func TestWrongServers(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		f := func(want string, timeout time.Duration, answer func(n int64, args []string) string) {
			t.Helper()
			o.Conns, o.Timeout = 1, timeout
			server := &fake{answer: answer}
			server.start(t)
			o.Network, o.Address = server.network, server.address
			g, err := Dial(o)
			for err != nil && o.Timeout < time.Minute { // a busy machine
				o.Timeout *= 2
				g, err = Dial(o)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			_, err = g.Run(context.Background(), Workload{Commands: ping, Requests: 10})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want %q", err, want)
			}
		}
		always := func(reply string) func(int64, []string) string {
			return func(int64, []string) string { return reply }
		}
		f("more replies", time.Minute, always("+OK\r\n+OK\r\n"))
		f("not RESP", time.Minute, always("HTTP/1.1 400 Bad Request\r\n"))
		f("EOF", time.Minute, always(""))
		f("no reply for", 300*time.Millisecond, always("*2\r\n+OK\r\n"))
	})
}

func TestSetup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		var lock sync.Mutex
		var seen []string
		server := &fake{answer: func(_ int64, args []string) string {
			lock.Lock()
			defer lock.Unlock()
			seen = append(seen, strings.Join(args, " "))
			if args[0] == "HELLO" {
				return "%1\r\n+proto\r\n:3\r\n"
			}
			return "+OK\r\n"
		}}
		server.start(t)
		o.Conns, o.User, o.Password, o.DB, o.RESP3, o.Tracking = 1, "u", "p", 3, true, true
		if _, err := measure(t, server, o, Workload{Commands: ping, Requests: 1}); err != nil {
			t.Fatal(err)
		}
		lock.Lock()
		defer lock.Unlock()
		const want = "AUTH u p|HELLO 3|CLIENT TRACKING ON|SELECT 3|PING"
		if got := strings.Join(seen, "|"); got != want {
			t.Errorf("server got %s, want %s", got, want)
		}
	})
}

func TestSetupRefused(t *testing.T) {
	server := &fake{answer: func(int64, []string) string { return "-WRONGPASS no\r\n" }}
	server.start(t)
	_, err := Dial(Options{Address: server.address, Password: "x"})
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS no") {
		t.Errorf("got error %v", err)
	}
}

func TestReconnect(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		server := &fake{}
		server.start(t)
		o.Conns, o.Reconnect, o.DB = 3, true, 1
		r, err := measure(t, server, o, Workload{Commands: ping, Requests: 40, Pipeline: 2})
		if err != nil {
			t.Fatal(err)
		}
		// 20 batches on 20 connections, of which Dial made 3, each with its SELECT.
		if got := server.requests.Load(); r.Requests != 40 || got != 60 {
			t.Errorf("%d answered, server got %d requests, want 40 and 60", r.Requests, got)
		}
	})
}

func TestUnixSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Unix sockets")
	}
	onBothEngines(t, func(t *testing.T, o Options) {
		for _, reconnect := range []bool{false, true} {
			server := &fake{network: "unix"}
			server.start(t)
			o.Conns, o.Reconnect = 2, reconnect
			if r, err := measure(t, server, o, Workload{Commands: ping, Requests: 20}); err != nil || r.Requests != 20 {
				t.Errorf("reconnect %v: %+v, %v", reconnect, r, err)
			}
		}
	})
}

// TestLargeBatches sends batches that no socket takes at once, to a server that answers as it reads.
func TestLargeBatches(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		value := strings.Repeat("v", 1<<20)
		server := &fake{answer: func(_ int64, args []string) string { return "$1048576\r\n" + args[1] + "\r\n" }}
		server.start(t)
		o.Conns = 2
		r, err := measure(t, server, o, Workload{Commands: []Command{NewCommand("ECHO", value)}, Requests: 20, Pipeline: 5})
		if err != nil {
			t.Fatal(err)
		}
		if r.Requests != 20 {
			t.Errorf("%d answered", r.Requests)
		}
	})
}

func TestCancelEndsARun(t *testing.T) {
	onBothEngines(t, func(t *testing.T, o Options) {
		for _, rate := range []float64{0, 1000} {
			server := &fake{}
			server.start(t)
			o.Conns, o.Address = 2, server.address
			ctx, cancel := context.WithCancel(context.Background())
			o.Progress, o.ProgressEvery = func(p Progress) {
				if p.Done > 0 {
					cancel()
				}
			}, 5*time.Millisecond
			g, err := Dial(o)
			if err != nil {
				t.Fatal(err)
			}
			r, err := g.Run(ctx, Workload{Commands: ping, Requests: 1 << 40, Rate: rate})
			g.Close()
			if err != nil || r.Requests == 0 || r.Abandoned || r.Requests != server.requests.Load() {
				t.Errorf("rate %v: %+v, %v; server got %d", rate, r, err, server.requests.Load())
			}
		}
	})
}

func TestUnreachable(t *testing.T) {
	if _, err := Dial(Options{Address: "127.0.0.1:1"}); err == nil {
		t.Error("connected to port 1")
	}
}

func TestBadWorkloads(t *testing.T) {
	server := &fake{}
	server.start(t)
	for _, w := range []Workload{
		{},
		{Commands: ping},
		{Commands: ping, Requests: 1, Keys: maxKeys + 1},
		{Commands: ping, Requests: 1, Rate: -1},
	} {
		if _, err := measure(t, server, Options{Conns: 1}, w); err == nil {
			t.Errorf("%+v was run", w)
		}
	}
}

func TestClient(t *testing.T) {
	replies := []string{"$5\r\nhello\r\n", ":42\r\n", "*3\r\n$1\r\na\r\n:7\r\n$-1\r\n", "-ERR bad\r\n", "$-1\r\n", "*2\r\n-ERR in\r\n+x\r\n"}
	server := &fake{answer: func(n int64, _ []string) string { return replies[n] }}
	server.start(t)
	c, err := DialClient(Options{Address: server.address})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, err := c.Text("X"); got != "hello" || err != nil {
		t.Errorf("bulk: %q, %v", got, err)
	}
	if got, err := c.Do("X"); got != int64(42) || err != nil {
		t.Errorf("integer: %v, %v", got, err)
	}
	got, err := c.Do("X")
	if list, ok := got.([]any); !ok || len(list) != 3 || list[0] != "a" || list[1] != int64(7) || list[2] != nil || err != nil {
		t.Errorf("array: %v, %v", got, err)
	}
	if _, err := c.Do("X"); err == nil || err.Error() != "ERR bad" {
		t.Errorf("error: %v", err)
	}
	if got, err := c.Do("X"); got != nil || err != nil {
		t.Errorf("null: %v, %v", got, err)
	}
	got, err = c.Do("X")
	if list, ok := got.([]any); !ok || len(list) != 2 || list[1] != "x" || err != nil {
		t.Errorf("array with an error: %v, %v", got, err)
	}
}

func TestUsageGrows(t *testing.T) {
	if runtime.GOOS != "linux" {
		if _, err := ReadUsage(os.Getpid()); err == nil {
			t.Error("ReadUsage works here: say so in its comment")
		}
		return
	}
	before, err := ReadUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for burn := before.CPU; burn < before.CPU+20*time.Millisecond; {
		now, err := ReadUsage(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		burn = now.CPU
	}
	after, err := ReadUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	d := after.since(before)
	if d.CPU < 20*time.Millisecond || d.RSSBytes <= 0 || len(d.Threads) == 0 {
		t.Errorf("%+v", d)
	}
	if _, err := ReadUsage(1 << 30); err == nil {
		t.Error("a process that is not there has a usage")
	}
}

func TestParseCPUs(t *testing.T) {
	f := func(list string, want []int) {
		t.Helper()
		got, err := ParseCPUs(list)
		if (err == nil) != (want != nil) || len(got) != len(want) {
			t.Fatalf("ParseCPUs(%q) = %v, %v", list, got, err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("ParseCPUs(%q) = %v", list, got)
			}
		}
	}
	f("0", []int{0})
	f("1,3-5", []int{1, 3, 4, 5})
	f("", nil)
	f("5-3", nil)
	f("a", nil)
	f("0-99999", nil)
}

func TestGeneratorStaysBroken(t *testing.T) {
	server := &fake{answer: func(int64, []string) string { return "" }}
	server.start(t)
	g, err := Dial(Options{Address: server.address, Conns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	_, first := g.Run(context.Background(), Workload{Commands: ping, Requests: 1})
	_, second := g.Run(context.Background(), Workload{Commands: ping, Requests: 1})
	if first == nil || !errors.Is(second, first) {
		t.Errorf("first %v, then %v", first, second)
	}
}
