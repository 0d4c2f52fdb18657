package oracle

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	f := func(proto int, reply, want string) {
		t.Helper()
		if got := Render([]byte(reply), proto); got != want {
			t.Errorf("%q: got\n%s\nwant\n%s", reply, got, want)
		}
	}
	f(2, "+OK\r\n", "+OK")
	f(2, "-ERR a \"b\" \x01\r\n", `-ERR a "b" \x01`)
	f(2, "$-1\r\n", "(nil)")
	f(3, "$-1\r\n", "$-1")
	f(3, "_\r\n", "(nil)")
	f(2, "_\r\n", "_")
	f(2, "*-1\r\n", "*-1")
	f(2, "$0\r\n\r\n", `""`)
	f(2, "$2\r\n\r\n\r\n", `"\r\n"`)
	f(2, "$02\r\nab\r\n", `raw "$02\r\nab\r\n"`)
	f(2, "*0\r\n", "[]")
	f(2, "*2\r\n$1\r\na\r\n:1\r\n", `["a", :1]`)
	f(2, "*2\r\n+OK\r\n*1\r\n:1\r\n", "*2\n  +OK\n  [:1]")
	f(3, "%1\r\n$1\r\na\r\n:1\r\n", `%["a" => :1]`)
	f(3, "%1\r\n$1\r\na\r\n%1\r\n:1\r\n*1\r\n+x\r\n", "%1\n  \"a\" => %1\n    :1 => *1\n      +x")
	f(3, "=5\r\ntxt:x\r\n", `=txt:"x"`)
	f(3, "|1\r\n:1\r\n:2\r\n$1\r\na\r\n", "|1\n  :1 => :2\n\"a\"")
	f(2, "*1\r\n$100\r\n"+strings.Repeat("a", 100)+"\r\n", `["a"*100]`)
}

func TestQuote(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got := Quote(s); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
	f("", `""`)
	f("a b", `"a b"`)
	f("\x00\"\\\n\xff", `"\x00\"\\\n\xff"`)
	f(strings.Repeat("x", 30), `"x"*30`)
	f("a"+strings.Repeat("x", 30), `"a""x"*30`)
	f(strings.Repeat("x", 30)+"b", `"x"*30"b"`)
	f("*"+strings.Repeat("x", 30)+`"*2""`, `"*""x"*30"\"*2\"\""`)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		b := []byte{}
		for range rnd.IntN(5) {
			b = append(b, strings.Repeat(string([]byte{`"*\0x2 `[rnd.IntN(7)]}), 1+rnd.IntN(2)*rnd.IntN(60))...)
		}
		if words, err := SplitWords("x " + Quote(string(b)) + " y"); err != nil || !slices.Equal(words, []string{"x", string(b), "y"}) {
			t.Fatalf("%q: %q, %v", b, words, err)
		}
	}
}

func TestSplitWords(t *testing.T) {
	f := func(line string, want ...string) {
		t.Helper()
		if got, err := SplitWords(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, %v", line, got, err)
		}
	}
	f("")
	f("  get  k ", "get", "k")
	f(`set k "a b\x41\n" 'it\'s \x41'`, "set", "k", "a bA\n", `it's \x41`)
	f(`"x"*3 "a""b"*2"c"`, "xxx", "abbc")
	for _, bad := range []string{`"`, `'`, `"\"`, `"x"*`, `"x"*99999999999`, `"x"*99999999`} {
		if got, err := SplitWords(bad); err == nil {
			t.Errorf("%s: got %q", bad, got)
		}
	}
}
