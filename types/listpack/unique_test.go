package listpack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// pack makes a listpack of elements; what begins with a quote is a string whatever it looks like.
func pack(elems ...string) []byte {
	lp := make([]byte, headerSize)
	for _, e := range elems {
		if text, ok := strings.CutPrefix(e, "'"); ok {
			n := len(lp)
			lp = append(lp, make([]byte, len(text)+10)...)
			lp = lp[:n+putString(lp[n:], []byte(text))]
			continue
		}
		lp = AppendElement(lp, []byte(e))
	}
	return finished(lp, len(elems))
}

func finished(lp []byte, n int) []byte {
	lp = append(lp, end)
	binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
	binary.LittleEndian.PutUint16(lp[4:], uint16(min(n, manyElems)))
	return lp
}

func TestUnique(t *testing.T) {
	var u Unique
	long := strings.Repeat("long", 30)
	f := func(want error, stride int, elems ...string) {
		t.Helper()
		if err := u.Validate(pack(elems...), stride); err != want {
			t.Errorf("%.80q in groups of %d: %v, want %v", elems, stride, err, want)
		}
	}
	f(nil, 2)
	f(nil, 1, "a", "b", "c")
	f(nil, 2, "a", "a", "b", "a")
	f(nil, 3, "a", "1", "0", "1", "a", "0")
	f(errGroup, 2, "a", "b", "c")
	f(errGroup, 3, "a", "b", "c", "d")
	f(errTwice, 1, "a", "b", "a")
	f(errTwice, 2, "a", "1", "b", "2", "a", "3")
	f(errTwice, 2, "", "1", "", "2")
	f(errTwice, 1, "17", "'17")
	f(errTwice, 1, "'-70000", "-70000")
	f(errTwice, 1, "'17", "'17")
	f(nil, 1, "17", "'017", "'+17", "'17 ", "170")
	f(errTwice, 2, long, "1", "x", "2", long, "3")
	f(nil, 2, long, "1", "x", "2", long+"x", "3", long[:9], "4", long[:8], "5", long[:7], "6", long[:3], "7")
	f(errTwice, 1, "9223372036854775807", "a", "'9223372036854775807")
}

// An integer may be stored in more bytes than it needs.
func TestUniqueWideIntegers(t *testing.T) {
	var u Unique
	lp := append(AppendElementInt(make([]byte, headerSize), 5), tagInt64, 5, 0, 0, 0, 0, 0, 0, 0, 9)
	if err := u.Validate(finished(lp, 2), 1); err != errTwice {
		t.Error(err)
	}
	lp = append(AppendElementInt(make([]byte, headerSize), 5), tagInt64, 6, 0, 0, 0, 0, 0, 0, 0, 9)
	if err := u.Validate(finished(lp, 2), 1); err != nil {
		t.Error(err)
	}
}

func TestUniqueMany(t *testing.T) {
	var u Unique
	for _, n := range []int{1, 2, 3, 64, 128, 1000, 40_000, 70_000, 3} {
		var elems []string
		for i := range n {
			elems = append(elems, fmt.Sprint("field:", i), fmt.Sprint(i))
		}
		if err := u.Validate(pack(elems...), 2); err != nil {
			t.Errorf("%d groups: %v", n, err)
		}
		elems[2*n-2] = "field:0"
		if err := u.Validate(pack(elems...), 2); n > 1 && err != errTwice {
			t.Errorf("%d groups: %v", n, err)
		}
	}
}

// The number of elements in the header bounds what is read and what is kept.
func TestUniqueCount(t *testing.T) {
	var u Unique
	lp := pack("a", "b", "c", "d")
	for n := range 20 {
		binary.LittleEndian.PutUint16(lp[4:], uint16(n))
		if err := u.Validate(lp, 1); (err == nil) != (n == 4) {
			t.Errorf("%d: %v", n, err)
		}
	}
	binary.LittleEndian.PutUint16(lp[4:], manyElems)
	if err := u.Validate(lp, 1); err != nil {
		t.Error(err)
	}
}

// FuzzUnique compares Unique with a search of everything.
func FuzzUnique(f *testing.F) {
	f.Add(pack("a", "1", "b", "2"), 2)
	f.Add(pack("17", "'17", "-5", strings.Repeat("x", 200)), 1)
	f.Add(pack("a", "b", "5", "c", "d", "70000"), 3)
	var u Unique
	f.Fuzz(func(t *testing.T, lp []byte, stride int) {
		stride = 1 + int(uint(stride)%3)
		if len(lp) >= minSize && len(lp) < 1<<16 { // else hardly anything is one
			binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
			lp[len(lp)-1] = end
		}
		if err := u.Validate(lp, stride); (err == nil) != uniqueSlowly(lp, stride) {
			t.Fatalf("%x in groups of %d: %v", lp, stride, err)
		}
	})
}

func uniqueSlowly(lp []byte, stride int) bool {
	if Validate(lp, true) != nil || Len(lp)%stride != 0 {
		return false
	}
	var seen [][]byte
	i := 0
	for pos := First(lp); pos != 0; pos = Next(lp, pos) {
		if i++; i%stride != 1%stride {
			continue
		}
		text := Get(lp, pos).Append(nil)
		for _, s := range seen {
			if bytes.Equal(s, text) {
				return false
			}
		}
		seen = append(seen, text)
	}
	return true
}

func BenchmarkUnique(b *testing.B) {
	for _, n := range []int{4, 20, 128} {
		b.Run(fmt.Sprintf("fields=%d", n), func(b *testing.B) {
			var elems []string
			for i := range n {
				elems = append(elems, fmt.Sprint("field:", i), fmt.Sprint("v", 7*i))
			}
			lp := pack(elems...)
			var u Unique
			b.ReportAllocs()
			for b.Loop() {
				if err := u.Validate(lp, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
