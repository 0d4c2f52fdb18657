package lzf

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// inputs are texts of several lengths, with repetitions at several distances.
func inputs() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	in := [][]byte{nil, []byte("a"), []byte("ab"), []byte("abc"), []byte("aaaa"), []byte(strings.Repeat("a", 10000)), []byte(strings.Repeat("hello world ", 500))}
	for n := 1; n < 1<<18; n = n*3 + 1 {
		noise, few := make([]byte, n), make([]byte, n)
		for i := range noise {
			noise[i], few[i] = byte(r.Uint32()), byte(r.IntN(3))
		}
		in = append(in, noise, few)
	}
	for _, far := range []int{maxOffset - 5, maxOffset - 1, maxOffset, maxOffset + 1} {
		b := make([]byte, far)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		in = append(in, append(b, b...))
	}
	for n := minMatch; n < maxMatch+20; n++ {
		in = append(in, []byte(strings.Repeat("x", n)+"y"+strings.Repeat("x", n)))
	}
	return in
}

func checkRoundTrip(t testing.TB, in []byte) {
	t.Helper()
	packed, ok := Compress([]byte("head"), in, len(in)+len(in)/32+1)
	if !ok || string(packed[:4]) != "head" {
		t.Fatalf("%d bytes do not fit their bound", len(in))
	}
	packed = packed[4:]
	out := make([]byte, len(in))
	if err := Decompress(out, packed); err != nil || !bytes.Equal(in, out) {
		t.Fatalf("%d bytes come back wrong: %v", len(in), err)
	}
	if len(packed) > 0 {
		if got, ok := Compress([]byte("head"), in, len(packed)-1); ok || string(got) != "head" {
			t.Fatal("the limit is exceeded")
		}
	}
	for _, n := range []int{len(in) - 1, len(in) + 1} {
		if n >= 0 && !errors.Is(Decompress(make([]byte, n), packed), ErrCorrupt) {
			t.Fatalf("%d bytes are decompressed to %d", len(in), n)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, in := range inputs() {
		checkRoundTrip(t, in)
	}
}

func TestRepetitionsCompress(t *testing.T) {
	f := func(in string, most int) {
		t.Helper()
		if got, ok := Compress(nil, []byte(in), most); !ok {
			t.Errorf("%.20q takes more than %d bytes", in, len(got))
		}
	}
	f(strings.Repeat("a", 10000), 130)
	f(strings.Repeat("hello world ", 500), 100)
}

func TestDecompress(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		out := make([]byte, len(want))
		if err := Decompress(out, []byte(in)); err != nil || string(out) != want {
			t.Errorf("%q: %q, %v", in, out, err)
		}
	}
	f("", "")
	f("\x02abc", "abc")
	f("\x00a\x20\x00", "aaaa")
	f("\x00a\xe0\x00\x00", "aaaaaaaaaa")
	f("\x01ab\x40\x01\x00c", "abababc")
}

func TestCorruptInput(t *testing.T) {
	for _, in := range []string{"\x05abc", "\x20\x00", "\x00a\x20\x01", "\x00a\x20", "\x00a\xe0", "\x00a\xe0\x00", "\x00a\xe0\xff\x00", "\x1f"} {
		if err := Decompress(make([]byte, 8), []byte(in)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, in := range inputs() {
		if len(in) < 3000 {
			f.Add(in)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) { checkRoundTrip(t, in) })
}

func FuzzDecompress(f *testing.F) {
	f.Add([]byte("\x00a\xe0\x00\x00"), 10)
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		_ = Decompress(make([]byte, uint(n)%(1<<16)), in)
	})
}

func BenchmarkCompress(b *testing.B) {
	in := []byte(strings.Repeat("user:1001 visits page 17; user:1044 visits page 3; ", 160))
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst, _ = Compress(dst[:0], in, len(in))
	}
}

// BenchmarkCompressShort tries a string of 32 bytes that does not compress.
func BenchmarkCompressShort(b *testing.B) {
	in := []byte("9f86d081884c7d659a2feaa0c55ad015")
	b.ReportAllocs()
	dst := make([]byte, 0, 64)
	for b.Loop() {
		dst, _ = Compress(dst[:0], in, len(in)-4)
	}
}

func BenchmarkDecompress(b *testing.B) {
	text := strings.Repeat("user:1001 visits page 17; user:1044 visits page 3; ", 160)
	var list, numbers []byte
	for i := range 500 {
		list = fmt.Appendf(list, "\x90element:%08d\x11", 7919*i)
		numbers = append(numbers, 2, 1, byte(i), 1, 0, 1, byte(13*i%100), 1)
		numbers = fmt.Appendf(numbers, "\x8asensor:%03d\x0b\x05\x01", i%1000)
	}
	for _, c := range []struct {
		name string
		in   []byte
	}{{"text", []byte(text)}, {"list", list}, {"stream", numbers}} {
		b.Run(c.name, func(b *testing.B) {
			packed, _ := Compress(nil, c.in, len(c.in))
			out := make([]byte, len(c.in))
			b.SetBytes(int64(len(c.in)))
			b.ReportAllocs()
			for b.Loop() {
				_ = Decompress(out, packed)
			}
		})
	}
}
