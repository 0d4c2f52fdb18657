package rdb

import (
	"math/rand/v2"
	"testing"
)

func TestChecksum(t *testing.T) {
	if got := Checksum(0, []byte("123456789")); got != 0xe9c6d914c4b8d9ca {
		t.Errorf("%x", got)
	}
	b := make([]byte, 1000)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	want := Checksum(0, b)
	for range 100 {
		i := rand.IntN(len(b))
		j := i + rand.IntN(len(b)-i)
		if got := Checksum(Checksum(Checksum(0, b[:i]), b[i:j]), b[j:]); got != want {
			t.Fatalf("cut at %d and %d: %x, not %x", i, j, got, want)
		}
	}
}

func BenchmarkChecksum(b *testing.B) {
	data := make([]byte, 1<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Checksum(0, data)
	}
}
