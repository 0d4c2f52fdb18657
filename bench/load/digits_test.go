package load

import (
	"fmt"
	"testing"
)

func TestPutDigits(t *testing.T) {
	check := func(n uint64) {
		t.Helper()
		var got [keyDigits]byte
		putDigits(got[:], n)
		if want := fmt.Sprintf("%012d", n); string(got[:]) != want {
			t.Errorf("putDigits(%d) = %q", n, got)
		}
	}
	for n := range uint64(10_000) { // every value of a lane, in every lane
		check(n)
		check(n * 10_000)
		check(n * 100_000_000)
	}
	check(maxKeys - 1)
	check(123_456_789_012)
}

func BenchmarkPutDigits(b *testing.B) {
	b.ReportAllocs()
	var dst [keyDigits]byte
	for n := uint64(0); b.Loop(); n += 7919 {
		putDigits(dst[:], n&0xfffff)
	}
}
