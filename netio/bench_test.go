package netio

import (
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"
)

// BenchmarkEcho passes messages through a reactor, each conn in its turn.
func BenchmarkEcho(b *testing.B) {
	for _, engine := range []string{EngineURing, EngineGnet} {
		if _, err := probeURing(); err != nil && engine == EngineURing {
			continue
		}
		for _, size := range []int{16, 1024, 64 << 10} {
			b.Run("engine="+engine+"/size="+sizeName(size), func(b *testing.B) {
				s := start(b, engine, 1, &funcs{})
				conns := make([]net.Conn, 16)
				for i := range conns {
					conns[i] = s.dial(b)
					_ = conns[i].SetDeadline(time.Time{})
				}
				message, got := make([]byte, size), make([]byte, size)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				before := s.Reactors()[0].CPUTime()
				b.ResetTimer()
				for i := 0; i < b.N; i += len(conns) {
					for _, c := range conns {
						if _, err := c.Write(message); err != nil {
							b.Fatal(err)
						}
					}
					for _, c := range conns {
						if _, err := io.ReadFull(c, got); err != nil {
							b.Fatal(err)
						}
					}
				}
				cpu := s.Reactors()[0].CPUTime() - before
				b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "reactor-ns/op")
			})
		}
	}
}

func sizeName(n int) string {
	switch n {
	case 16:
		return "16"
	case 1024:
		return "1Ki"
	}
	return "64Ki"
}

// BenchmarkPingBesideBigValue measures how long a small question waits while 512 MiB go in or out on another conn, again
// and again. With fewer cores than reactor and clients want, that is the scheduler's doing; turn-µs is the reactor's
// own: the CPU time of its longest turn.
func BenchmarkPingBesideBigValue(b *testing.B) {
	const bigBytes = 512 << 20
	big := make([]byte, bigBytes)
	for i := 0; i < len(big); i += 4096 {
		big[i] = 'b'
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var last, longest time.Duration
	h := &funcs{turnEnd: func(r *Reactor) {
		now := r.CPUTime()
		longest = max(longest, now-last)
		last = now
	}, data: func(c *Conn, in []byte) {
		switch {
		case in[0] == 'p':
			_, _ = c.Write([]byte("P"))
		case in[0] == 'g':
			c.WriteRef(big, nil)
		}
	}}
	for _, engine := range []string{EngineURing, EngineGnet} {
		if _, err := probeURing(); err != nil && engine == EngineURing {
			continue
		}
		for _, way := range []string{"none", "in", "out"} {
			b.Run("engine="+engine+"/big="+way, func(b *testing.B) {
				s := startQuiet(b, Options{Engine: engine, CPUs: []int{0}}, h)
				addr, err := s.Listen("tcp", "127.0.0.1:0", 0)
				if err != nil {
					b.Fatal(err)
				}
				s.addr = addr
				c, other := s.dial(b), s.dial(b)
				_ = c.SetDeadline(time.Time{})
				_ = other.SetDeadline(time.Time{})
				go func() {
					buf := make([]byte, 1<<20)
					for way == "in" {
						if _, err := other.Write(big); err != nil {
							return
						}
					}
					for way == "out" {
						_, _ = other.Write([]byte("g"))
						for n := 0; n < bigBytes; {
							m, err := other.Read(buf)
							if err != nil {
								return
							}
							n += m
						}
					}
				}()
				time.Sleep(50 * time.Millisecond)
				var waits []time.Duration
				on(s.Reactors()[0], func() { last, longest = s.Reactors()[0].CPUTime(), 0 })
				b.ResetTimer()
				for b.Loop() {
					began := time.Now()
					ask(b, c, "p", "P")
					waits = append(waits, time.Since(began))
				}
				slices.Sort(waits)
				b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds()), "p99-µs")
				b.ReportMetric(float64(waits[len(waits)-1].Microseconds()), "max-µs")
				on(s.Reactors()[0], func() { b.ReportMetric(float64(longest.Microseconds()), "turn-µs") })
				other.Close()
			})
		}
	}
}
