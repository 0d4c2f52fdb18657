package resp

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// What needs an escape is found wherever it stands.
func TestQuote(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		s := make([]byte, r.IntN(40))
		for i := range s {
			s[i] = 'a' + byte(r.IntN(26))
		}
		for n := r.IntN(3); n > 0 && len(s) > 0; n-- {
			s[r.IntN(len(s))] = byte(r.IntN(256))
		}
		plain := 0
		for plain < len(s) && isPlain(s[plain]) {
			plain++
		}
		dst := make([]byte, len(s))
		if ok := CopyPlain(dst, s); ok != (plain == len(s)) || ok && !bytes.Equal(dst[:len(s)], s) {
			t.Fatalf("CopyPlain(%q): %v, %q", s, ok, dst)
		}
		quoted := AppendQuoted([]byte("x "), s)
		words, ok := SplitArgs(nil, quoted)
		if !ok || len(words) != 2 || !bytes.Equal(words[1], s) {
			t.Fatalf("%q became %s and that %q", s, quoted, words)
		}
		for _, c := range quoted {
			if c < ' ' || c > '~' {
				t.Fatalf("%q became %q", s, quoted)
			}
		}
	}
}

func BenchmarkAppendQuoted(b *testing.B) {
	key := []byte("key:000000000042")
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendQuoted(dst[:0], key)
	}
}
