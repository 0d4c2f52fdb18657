package load

import (
	"strings"
	"testing"
)

func TestNewCommand(t *testing.T) {
	if got := string(NewCommand("SET", "k", "").Wire); got != "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n" {
		t.Errorf("%q", got)
	}
}

func TestExpand(t *testing.T) {
	wire := string(Expand([]string{"SET", KeyMark, "<" + DataMark + ">"}, 10).Wire)
	if !strings.Contains(wire, "$12\r\n<") || strings.Contains(wire, DataMark) || !strings.Contains(wire, KeyMark) {
		t.Errorf("%q", wire)
	}
}

func TestFillReplacesKeys(t *testing.T) {
	f := func(w Workload, first int64, n int, want string) {
		t.Helper()
		w.Pipeline = 3
		b := newBatcher(&w, 1)
		b.fill(0, 3) // what an earlier batch leaves must not show
		if got := string(b.fill(first, n)); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	inOrder := Distribution{Sequential: true}
	get := Command{Wire: []byte("GET key:" + KeyMark + "\r\n")}
	f(Workload{Commands: []Command{get}, Keys: 1000, Distribution: inOrder}, 41, 2,
		"GET key:000000000041\r\nGET key:000000000042\r\n")
	f(Workload{Commands: []Command{get}, Keys: 10, Distribution: inOrder}, 9, 2,
		"GET key:000000000009\r\nGET key:000000000000\r\n")
	f(Workload{Commands: []Command{get}}, 0, 1, "GET key:"+KeyMark+"\r\n")
	two := Command{Wire: []byte("MGET " + KeyMark + " " + KeyMark + "\r\n")}
	f(Workload{Commands: []Command{two}, Keys: 100, Distribution: inOrder}, 5, 1,
		"MGET 000000000005 000000000006\r\n")
}

func TestFillMixesByWeight(t *testing.T) {
	w := Workload{Commands: []Command{{Wire: []byte("A\r\n"), Weight: 1}, {Wire: []byte("BB\r\n"), Weight: 4}}, Pipeline: 1000}
	b := newBatcher(&w, 99)
	a := 0
	for range 100 {
		a += strings.Count(string(b.fill(0, 1000)), "A\r\n")
	}
	if a < 19_000 || a > 21_000 {
		t.Errorf("%d of 100000 requests are A, want about 20000", a)
	}
}

func TestFillDoesNotAllocate(t *testing.T) {
	f := func(commands ...Command) {
		t.Helper()
		w := Workload{Commands: commands, Pipeline: 16, Keys: 1000}
		b := newBatcher(&w, 1)
		for range 100 {
			b.fill(0, 16)
		}
		if n := testing.AllocsPerRun(1000, func() { b.fill(0, 16) }); n != 0 {
			t.Errorf("%v allocations a batch", n)
		}
	}
	get := Expand([]string{"GET", "key:" + KeyMark}, 0)
	set := Expand([]string{"SET", "key:" + KeyMark, DataMark}, 32)
	f(set)
	f(get, get)
}

func BenchmarkFill(b *testing.B) {
	set := Expand([]string{"SET", "key:" + KeyMark, DataMark}, 32)
	get := Expand([]string{"GET", "key:" + KeyMark}, 32)
	run := func(name string, commands ...Command) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := Workload{Commands: commands, Pipeline: 100, Keys: 1_000_000}
			batches := newBatcher(&w, 1)
			for range b.N/100 + 1 {
				batches.fill(0, 100)
			}
		})
	}
	run("set", set)
	run("mix", set, get)
}
