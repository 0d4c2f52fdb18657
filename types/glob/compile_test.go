package glob

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// compare checks that a compiled pattern matches what it matches as a text.
func compare(t *testing.T, pattern, s []byte) {
	t.Helper()
	if got, want := Compile(pattern).Match(s), Match(pattern, s, false); got != want {
		t.Fatalf("Compile(%q).Match(%q) = %v", pattern, s, got)
	}
}

func TestCompile(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300_000 {
		compare(t, []byte(randomText(rnd, "aabbc**??[]-^\\\x80\xff", 10)), []byte(randomText(rnd, "aaabbbc[]*\\\x80\xff", 10)))
	}
	for _, pattern := range []string{strings.Repeat("[ab]", compiledSets), strings.Repeat("[ab]", compiledSets+1), strings.Repeat("a", compiledBytes), strings.Repeat("a", compiledBytes+1)} {
		compare(t, []byte(pattern), []byte(pattern))
		compare(t, []byte(pattern), []byte(strings.Repeat("a", strings.Count(pattern, "a"))))
		compare(t, []byte(pattern+"*"), []byte(strings.Repeat("a", strings.Count(pattern, "a"))+"x"))
	}
	if !new(Pattern).Match(nil) || new(Pattern).Match([]byte("a")) {
		t.Error("the zero Pattern is not the empty one")
	}
}

func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{"", "*", "*:suffix", "a:*:b", "user:??:*", "k[a-f]y:*0*", "[^", "[]", "a\\", "*[a-]*?"} {
		f.Add([]byte(pattern), []byte("user:12:x"))
	}
	f.Fuzz(compare)
}

func BenchmarkCompiled(b *testing.B) {
	for _, pattern := range []string{"*:000000000042", "key:*:42", "key:??????*", "k[a-f]y:*0*"} {
		s := []byte("key:000000000042")
		b.Run("text/"+pattern, func(b *testing.B) {
			for b.Loop() {
				Match([]byte(pattern), s, false)
			}
		})
		b.Run("compiled/"+pattern, func(b *testing.B) {
			p := Compile([]byte(pattern))
			for b.Loop() {
				p.Match(s)
			}
		})
	}
}
