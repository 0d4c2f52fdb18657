package load

import (
	"strings"
	"testing"
)

// replyCases are streams and the number of replies in each.
var replyCases = []struct {
	stream  string
	replies int
	errors  int64
	nulls   int64
}{
	{"+OK\r\n", 1, 0, 0},
	{"+PONG\r\n+OK\r\n+QUEUED\r\n+\r\n", 4, 0, 0},
	{":1\r\n:-22\r\n:123456789012\r\n", 3, 0, 0},
	{"$0\r\n\r\n$3\r\nabc\r\n$12\r\n123456789012\r\n", 3, 0, 0},
	{"$1\r\n\n\r\n$2\r\n\r\n\r\n$5\r\n+OK\r\n\r\n", 3, 0, 0},
	{"$-1\r\n*-1\r\n_\r\n", 3, 0, 3},
	{"$120\r\n" + strings.Repeat("x", 120) + "\r\n+OK\r\n", 2, 0, 0},
	{"-ERR no\r\n+OK\r\n-WRONGTYPE x\r\n", 3, 2, 0},
	{"*0\r\n*2\r\n$1\r\na\r\n$-1\r\n", 2, 0, 1},
	{"*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n$2\r\nbb\r\n+OK\r\n", 2, 0, 0},
	{"*2\r\n-ERR inside\r\n+OK\r\n", 1, 1, 0},
	{"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n#t\r\n", 1, 0, 0},
	{"~1\r\n,1.5\r\n=7\r\ntxt:abc\r\n(12345\r\n", 3, 0, 0},
	{"|1\r\n+ttl\r\n:3\r\n+OK\r\n+OK\r\n", 2, 0, 0},
	{"*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n", 1, 0, 0},
	{">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n", 1, 0, 0},
	{"!4\r\noops\r\n", 1, 1, 0},
}

// TestScanCutAnywhere presents each stream whole and in two pieces, cut at every offset.
func TestScanCutAnywhere(t *testing.T) {
	for _, c := range replyCases {
		for cut := range len(c.stream) + 1 {
			var s scanner
			replies, used := s.scan([]byte(c.stream[:cut]))
			rest := c.stream[used:]
			more, used := s.scan([]byte(rest))
			if replies+more != c.replies || used != len(rest) || s.errors != c.errors || s.nulls != c.nulls {
				t.Errorf("%q cut at %d: %d replies, %d errors, %d nulls, %d of %d bytes", c.stream, cut,
					replies+more, s.errors, s.nulls, used, len(rest))
			}
		}
	}
}

func TestScanByteByByte(t *testing.T) {
	for _, c := range replyCases {
		var s scanner
		var carry []byte
		replies := 0
		for i := range len(c.stream) {
			carry = append(carry, c.stream[i])
			n, used := s.scan(carry)
			replies += n
			carry = carry[used:]
		}
		if replies != c.replies || len(carry) != 0 {
			t.Errorf("%q byte by byte: %d replies, %q left", c.stream, replies, carry)
		}
	}
}

func TestScanMalformed(t *testing.T) {
	for _, stream := range []string{"hello\r\n", "\r\n", "$x\r\n", "$-2\r\n", "*1x\r\n", "+OK\n", "HTTP/1.1 200 OK\r\n", "$\r\n"} {
		var s scanner
		if _, used := s.scan([]byte(stream)); used != malformed {
			t.Errorf("%q was taken for RESP", stream)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, c := range replyCases {
		f.Add([]byte(c.stream), 3)
	}
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		var whole, split scanner
		want, end := whole.scan(stream)
		cut = min(max(cut, 0), len(stream))
		got, used := split.scan(stream[:cut])
		if used == malformed {
			if end != malformed {
				t.Fatalf("%q: malformed only when cut at %d", stream, cut)
			}
			return
		}
		more, rest := split.scan(stream[used:])
		if (rest == malformed) != (end == malformed) || got+more != want {
			t.Fatalf("%q cut at %d: %d+%d replies, want %d", stream, cut, got, more, want)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	for _, c := range []struct{ name, reply string }{
		{"ok", "+OK\r\n"},
		{"bulk=32", "$32\r\n" + strings.Repeat("x", 32) + "\r\n"},
		{"bulk=1024", "$1024\r\n" + strings.Repeat("x", 1024) + "\r\n"},
		{"integer", ":12345\r\n"},
		{"array=10", "*10\r\n" + strings.Repeat("$32\r\n"+strings.Repeat("x", 32)+"\r\n", 10)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			stream := []byte(strings.Repeat(c.reply, 100))
			var s scanner
			for range b.N/100 + 1 {
				if n, _ := s.scan(stream); n != 100 {
					b.Fatal(n)
				}
			}
		})
	}
}
