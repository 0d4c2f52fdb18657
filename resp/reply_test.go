package resp

import (
	"fmt"
	"strings"
	"testing"
)

// show prints a value in a form that tells all.
func show(v Value) string {
	var b strings.Builder
	if v.Attr != nil {
		fmt.Fprintf(&b, "|%s ", showList(v.Attr))
	}
	b.WriteByte(byte(v.Type))
	switch {
	case v.Null:
		b.WriteString("null")
	case v.List != nil:
		b.WriteString(showList(v.List))
	case v.Type == TypeInt || v.Type == TypeBool:
		fmt.Fprintf(&b, "%d", v.Int)
	default:
		fmt.Fprintf(&b, "%q", v.Str)
	}
	return b.String()
}

func showList(list []Value) string {
	var elems []string
	for _, v := range list {
		elems = append(elems, show(v))
	}
	return "[" + strings.Join(elems, " ") + "]"
}

var replies = []struct{ in, want string }{
	{"+OK\r\n", `+"OK"`},
	{"+\r\n", `+""`},
	{"-ERR x y\r\n", `-"ERR x y"`},
	{":-12\r\n", `:-12`},
	{"$5\r\nhello\r\n", `$"hello"`},
	{"$2\r\n\r\n\r\n", `$"\r\n"`},
	{"$0\r\n\r\n", `$""`},
	{"$-1\r\n", `$null`},
	{"*-1\r\n", `*null`},
	{"*0\r\n", `*[]`},
	{"*3\r\n:1\r\n*1\r\n$1\r\na\r\n$-1\r\n", `*[:1 *[$"a"] $null]`},
	{"_\r\n", `_null`},
	{"#t\r\n", `#1`},
	{"#f\r\n", `#0`},
	{",1.5\r\n", `,"1.5"`},
	{",inf\r\n", `,"inf"`},
	{"(123456789012345678901234567890\r\n", `("123456789012345678901234567890"`},
	{"!5\r\nERR x\r\n", `!"ERR x"`},
	{"=7\r\ntxt:abc\r\n", `="txt:abc"`},
	{"%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n", `%[+"a" :1 +"b" %[]]`},
	{"~2\r\n:1\r\n:2\r\n", `~[:1 :2]`},
	{">2\r\n+message\r\n+x\r\n", `>[+"message" +"x"]`},
	{"|1\r\n+ttl\r\n:5\r\n$1\r\nx\r\n", `|[+"ttl" :5] $"x"`},
	{"*1\r\n|1\r\n+ttl\r\n:5\r\n*1\r\n:1\r\n", `*[|[+"ttl" :5] *[:1]]`},
}

func TestReply(t *testing.T) {
	for _, r := range replies {
		// What follows is not part of the reply.
		in := []byte(r.in + "+next\r\n")
		v, n, err := ParseReply(in)
		if err != nil || n != len(r.in) || show(v) != r.want {
			t.Errorf("ParseReply(%q): %s, %d, %v", r.in, show(v), n, err)
		}
		n, ok, err := ScanReply(in)
		if err != nil || n != len(r.in) || !ok {
			t.Errorf("ScanReply(%q): %d, %v, %v", r.in, n, ok, err)
		}
		for i := range r.in {
			if _, _, err := ParseReply(in[:i]); err != ErrIncomplete {
				t.Errorf("ParseReply(%q): %v", in[:i], err)
			}
			var s ReplyScanner
			n, ok, err := s.Scan(in[:i])
			if n != i || ok || err != nil {
				t.Errorf("Scan(%q): %d, %v, %v", in[:i], n, ok, err)
			}
			n, ok, err = s.Scan(in[i:])
			if n != len(r.in)-i || !ok || err != nil {
				t.Errorf("Scan(%q), Scan(%q): %d, %v, %v", in[:i], in[i:], n, ok, err)
			}
			want := Type(r.in[0])
			if want == TypeAttribute {
				want = TypeBulk
			}
			if s.Type != want {
				t.Errorf("Scan(%q): type %q", in, s.Type)
			}
		}
	}
}

func TestReplyMalformed(t *testing.T) {
	for _, in := range []string{"?\r\n", "x", "$x\r\n", "*1x\r\n", "$-2\r\n", "$1\r\nab\r\n", "#x\r\n", ":\r\n", "+a\n", "\r\n", "\n",
		"$3\n\nabc\r\n", strings.Repeat("*1\r\n", 1000) + ":1\r\n", "*99999999999\r\n", "_\n"} {
		if v, _, err := ParseReply([]byte(in)); err != ErrReply && (err != ErrIncomplete || strings.Contains(in, "\n")) {
			t.Errorf("ParseReply(%.20q): %s, %v", in, show(v), err)
		}
	}
	for _, in := range []string{"?\r\n", "x", "$x\r\n", "*1x\r\n", "$1\rx", "$99999999999999\r\n", "%999999999999\r\n"} {
		if _, _, err := ScanReply([]byte(in)); err != ErrReply {
			t.Errorf("ScanReply(%q): %v", in, err)
		}
	}
}

func TestScanAllocs(t *testing.T) {
	in := []byte("*3\r\n:1\r\n*1\r\n$1\r\na\r\n$-1\r\n")
	if allocs := testing.AllocsPerRun(100, func() { ScanReply(in) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkScanReply(b *testing.B) {
	bench := func(name, reply string) {
		b.Run(name, func(b *testing.B) {
			in := []byte(strings.Repeat(reply, 100))
			var s ReplyScanner
			b.ReportAllocs()
			for i := 0; i < b.N; i += 100 {
				for rest := in; len(rest) > 0; {
					n, _, _ := s.Scan(rest)
					rest = rest[n:]
				}
			}
		})
	}
	bench("OK", "+OK\r\n")
	bench("bulk/size=32", "$32\r\n"+strings.Repeat("v", 32)+"\r\n")
}
