package slowlog

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func ids(l *Log, n int) []int64 {
	var list []int64
	for _, e := range l.Latest(n) {
		list = append(list, e.ID)
	}
	return list
}

func TestRing(t *testing.T) {
	var l Log
	add := func(n, most int) {
		for range n {
			l.Add([][]byte{[]byte("GET")}, 1, 2, "c", "n", most)
		}
	}
	f := func(want ...int64) {
		t.Helper()
		if got := ids(&l, 100); !slices.Equal(got, want) || l.Len() != len(want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	add(5, 3)
	f(4, 3, 2)
	add(2, 5) // a larger ring keeps what there was
	f(6, 5, 4, 3, 2)
	add(1, 5)
	f(7, 6, 5, 4, 3)
	l.Trim(2)
	f(7, 6)
	add(1, 2)
	f(8, 7)
	add(1, 0)
	f()
	add(1, 2)
	f(10)
	if got := ids(&l, 0); len(got) != 0 {
		t.Error(got)
	}
	l.Reset()
	f()
}

func TestCut(t *testing.T) {
	var l Log
	args := slices.Repeat([][]byte{[]byte("x")}, 40)
	args[1] = bytes.Repeat([]byte("y"), 130)
	l.Add(args, 5, 6, "1.2.3.4:5", "me", 1)
	args[0][0] = 'z' // the log has copies
	e := l.Latest(1)[0]
	if len(e.Args) != 32 || e.Args[0] != "x" && e.Args[0] == "z" || e.Args[31] != "... (9 more arguments)" ||
		e.Args[1] != strings.Repeat("y", 128)+"... (2 more bytes)" || e.Time != 5 || e.Micros != 6 || e.Client != "1.2.3.4:5" || e.Name != "me" {
		t.Errorf("%+v", e)
	}
}
