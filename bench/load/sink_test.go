package load

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"
)

// sink is a server that costs next to nothing: it answers one reply for each so many bytes.
func sink(b *testing.B, requestSize int, reply string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	replies := bytes.Repeat([]byte(reply), 64<<10/requestSize+1)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 64<<10)
				for owed := 0; ; owed %= requestSize {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					owed += n
					if _, err := conn.Write(replies[:owed/requestSize*len(reply)]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// BenchmarkGenerator finds what a request costs the generator. The sink runs in this process, on other threads, so run
// it with at least two cores; client-ns/op is the generator's thread alone.
func BenchmarkGenerator(b *testing.B) {
	value := "$32\r\n" + payload(32) + "\r\n"
	for _, c := range []struct {
		name, reply string
		command     Command
	}{
		{"set", "+OK\r\n", Expand([]string{"SET", "key:" + KeyMark, DataMark}, 32)},
		{"get", value, Expand([]string{"GET", "key:" + KeyMark}, 0)},
	} {
		for _, pipeline := range []int{1, 16, 100} {
			b.Run(fmt.Sprintf("%s/pipeline=%d", c.name, pipeline), func(b *testing.B) {
				g, err := Dial(Options{Address: sink(b, len(c.command.Wire), c.reply)})
				if err != nil {
					b.Fatal(err)
				}
				defer g.Close()
				b.ResetTimer()
				r, err := g.Run(context.Background(), Workload{Commands: []Command{c.command}, Pipeline: pipeline, Keys: 1_000_000, Requests: int64(b.N)})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(r.Throughput(), "ops/s")
				b.ReportMetric(float64(r.ClientCPU.Nanoseconds())/float64(b.N), "client-ns/op")
			})
		}
	}
}
