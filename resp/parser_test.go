package resp

import (
	"bytes"
	"strings"
	"testing"
)

var defaults = &Limits{MaxBulk: DefaultMaxBulk}

func pipeline(n int, args ...string) []byte {
	return bytes.Repeat(AppendCommandStrings(nil, args...), n)
}

func BenchmarkParse(b *testing.B) {
	bench := func(name string, args ...string) {
		b.Run(name, func(b *testing.B) {
			in := pipeline(100, args...)
			b.ReportAllocs()
			b.SetBytes(int64(len(in) / 100))
			var p Parser
			argv := make([][]byte, 0, 4096)
			for i := 0; i < b.N; i += 100 {
				p.Feed(in)
				argv = argv[:0]
				for {
					var st Status
					if argv, st, _ = p.Next(argv, defaults); st != Command {
						break
					}
				}
			}
		})
	}
	bench("SET/value=32", "SET", "key:000000000001", strings.Repeat("v", 32))
	bench("SET/value=1024", "SET", "key:000000000001", strings.Repeat("v", 1024))
	bench("GET", "GET", "key:000000000001")
	bench("PING", "PING")
}

func BenchmarkAppendBulk(b *testing.B) {
	buf := make([]byte, 0, 1<<12)
	v := bytes.Repeat([]byte("v"), 32)
	for i := 0; i < b.N; i++ {
		if len(buf) > 4000 {
			buf = buf[:0]
		}
		buf = AppendBulk(buf, v)
	}
}

func BenchmarkAppendInt(b *testing.B) {
	for _, c := range []struct {
		name string
		n    int64
	}{{"1", 1}, {"42", 42}, {"1234567", 1234567}} {
		b.Run("n="+c.name, func(b *testing.B) {
			buf := make([]byte, 0, 1<<12)
			for i := 0; i < b.N; i++ {
				if len(buf) > 4000 {
					buf = buf[:0]
				}
				buf = AppendInt(buf, c.n)
			}
		})
	}
}
