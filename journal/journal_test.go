package journal

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shoaldb/shoal/resp"
)

func words(line string) [][]byte { return bytes.Fields([]byte(line)) }

// text shows a stream with a command on each line.
func text(t *testing.T, stream []byte) string {
	t.Helper()
	var p resp.Parser
	p.Feed(stream)
	var b strings.Builder
	for {
		args, st, err := p.Next(nil, &resp.Limits{MaxBulk: 1 << 20})
		if st != resp.Command {
			if err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		b.Write(bytes.Join(args, []byte(" ")))
		b.WriteByte('\n')
	}
}

func readAll(r *Reader) []byte {
	var out []byte
	for {
		b := r.Bytes(r.j.End())
		if len(b) == 0 {
			return out
		}
		out = append(out, b...)
		r.Advance(len(b))
	}
}

func TestGroupsAndDatabases(t *testing.T) {
	j := New(0, 0)
	r, _ := j.Reader(0)
	var l Log
	l.Append(0, words("SET a 1"))
	l.EndGroup()
	l.EndGroup() // a command without effects
	l.Append(0, words("DEL b"))
	l.Append(3, words("SADD c x"))
	l.EndGroup()
	l.Append(3, words("INCR d"))
	l.EndGroup()
	end := j.Write(&l)
	if !l.Empty() || end != j.End() {
		t.Error("the log is not empty, or the offset is wrong", end, j.End())
	}
	j.Unselect()
	l.Append(3, words("INCR d"))
	l.EndGroup()
	j.Write(&l)
	got := text(t, readAll(r))
	want := "SELECT 0\nSET a 1\nMULTI\nDEL b\nSELECT 3\nSADD c x\nEXEC\nINCR d\nSELECT 3\nINCR d\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if r.At() != j.End() || j.Behind() != 0 {
		t.Error("not at the end", r.At(), j.End(), j.Behind())
	}
}

func TestBacklog(t *testing.T) {
	j := New(1000, 3*chunkSize)
	var all []byte
	var l Log
	for i := range 30000 {
		l.Append(0, words(fmt.Sprintf("SET key%d %0100d", i, i)))
		l.EndGroup()
		all = append(all, l.buf...)
		j.Write(&l)
	}
	start, end := j.Start(), j.End()
	if kept := end - start; kept < 3*chunkSize || kept > 5*chunkSize {
		t.Errorf("%d bytes are kept", kept)
	}
	if _, ok := j.Reader(start - 1); ok {
		t.Error("a reader before the backlog")
	}
	if _, ok := j.Reader(end + 1); ok {
		t.Error("a reader behind the end")
	}
	for _, at := range []int64{start, start + 1, start + chunkSize, end - 10, end} {
		r, ok := j.Reader(at)
		if !ok {
			t.Fatal("no reader at", at)
		}
		if got := readAll(r); !bytes.Equal(got, all[int64(len(all))-(end-at):]) {
			t.Errorf("wrong bytes from %d on", at)
		}
		r.Close()
	}
}

// A reader that stands still keeps what it has not read, and loses nothing of it.
func TestSlowReader(t *testing.T) {
	j := New(0, 0)
	slow, _ := j.Reader(0)
	fast, _ := j.Reader(0)
	var l Log
	value := bytes.Repeat([]byte("v"), 1000)
	var want []byte
	for i := range 1000 {
		l.Append(0, [][]byte{[]byte("SET"), []byte("k"), value})
		l.EndGroup()
		j.Write(&l)
		want = append(want, readAll(fast)...)
		if i == 500 { // to the very end of a chunk
			b := slow.Bytes(j.End())
			slow.Advance(len(b))
		}
	}
	if got := readAll(slow); !bytes.Equal(got, want[chunkSize:]) {
		t.Error("the slow reader reads something else")
	}
	slow.Close()
	fast.Close()
	for range 1000 {
		l.Append(0, [][]byte{[]byte("SET"), []byte("k"), value})
		j.Write(&l)
	}
	if n := j.End() - j.Start(); n > 3*chunkSize {
		t.Errorf("%d bytes kept for nobody", n)
	}
}

// Writers on several goroutines, a reader that follows: every group arrives whole, and each writer's in its order.
func TestConcurrentWriters(t *testing.T) {
	const writers, groups = 4, 5000
	j := New(0, 0)
	r, _ := j.Reader(0)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			var l Log
			for i := range groups {
				for part := range 3 {
					l.Append(w, words(fmt.Sprintf("SET %d %d %d", w, i, part)))
				}
				l.EndGroup()
				j.Write(&l)
				j.Wake()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var stream []byte
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
			r.Wait(time.Second)
		}
		stream = append(stream, readAll(r)...)
	}
	var next [writers]int
	lines := strings.Split(strings.TrimSpace(text(t, stream)), "\n")
	for len(lines) > 0 {
		if strings.HasPrefix(lines[0], "SELECT") {
			lines = lines[1:]
		}
		if lines[0] != "MULTI" {
			t.Fatal("outside of a transaction:", lines[0])
		}
		group := lines[1:]
		end := 0
		for group[end] != "EXEC" {
			end++
		}
		lines, group = group[end+1:], group[:end]
		var w, i int
		fmt.Sscanf(group[0], "SET %d %d", &w, &i)
		if len(group) != 3 || i != next[w] {
			t.Fatalf("writer %d: %q, want number %d", w, group, next[w])
		}
		next[w]++
	}
	for w, n := range next {
		if n != groups {
			t.Errorf("writer %d: %d groups", w, n)
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	j := New(0, 1<<20)
	args := words("SET key value")
	var l Log
	write := func() {
		l.Append(0, args)
		l.EndGroup()
		j.Write(&l)
	}
	for range 100000 {
		write()
	}
	if n := testing.AllocsPerRun(100000, write); n > 0 {
		t.Errorf("%v allocations a command", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	j := New(0, 1<<20)
	args := [][]byte{[]byte("SET"), []byte("key:000000000001"), make([]byte, 32)}
	var l Log
	b.ReportAllocs()
	for b.Loop() {
		l.Append(0, args)
		l.EndGroup()
		j.Write(&l)
	}
}

func BenchmarkWriteParallel(b *testing.B) {
	j := New(0, 1<<20)
	args := [][]byte{[]byte("SET"), []byte("key:000000000001"), make([]byte, 32)}
	b.RunParallel(func(pb *testing.PB) {
		var l Log
		for pb.Next() {
			l.Append(0, args)
			l.EndGroup()
			j.Write(&l)
		}
	})
}
