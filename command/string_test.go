package command

import (
	"bytes"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/shard"
)

func TestStringAllocs(t *testing.T) {
	c := newTestCtx(t, StringCommands, BitCommands)
	c.do("SET", "k", "value")
	c.allocs("GET", "k")
	c.allocs("GET", "none")
	c.allocs("SET", "k", "value")
	c.allocs("SET", "k", "123456")
	c.allocs("SET", "k", "v", "EX", "100")
	c.allocs("SET", "k", strings.Repeat("x", 1000))
	c.allocs("SET", "k", strings.Repeat("x", 10_000))
	c.allocs("GET", "k")
	c.allocs("SET", "n", "1", "GET")
	c.allocs("INCR", "n")
	c.allocs("DECRBY", "n", "5")
	c.allocs("MSET", "a", "1", "b", "two", "c", "3")
	c.allocs("MGET", "a", "b", "c", "none")
	c.allocs("APPEND", "app", "x")
	c.allocs("SETRANGE", "range", "100", "x")
	c.allocs("GETRANGE", "range", "5", "50")
	c.allocs("SETBIT", "range", "99", "1")
	c.allocs("GETBIT", "range", "99")
	c.allocs("BITCOUNT", "range")
	c.allocs("BITFIELD", "range", "INCRBY", "u8", "#3", "1", "GET", "i5", "8")
	c.allocs("BITOP", "AND", "dest", "range", "range")
	c.allocs("GETEX", "k", "EX", "10")
	c.allocs("STRLEN", "k")
	c.allocs("INCRBYFLOAT", "f", "-39.90000000000000001")
}

// pinning makes c queue large values the way a server does: it notes where they belong in the reply.
func (c *testCtx) pinning() *[]queuedValue {
	queue := new([]queuedValue)
	c.Pin = func(c *Ctx, v shard.Pinned, from, to int) {
		*queue = append(*queue, queuedValue{at: len(c.Reply.Buf), value: v, from: from, to: to})
	}
	return queue
}

type queuedValue struct {
	at       int // offset in the reply
	value    shard.Pinned
	from, to int
}

// takeReply puts the queued values into reply and releases them.
func takeReply(reply string, queue *[]queuedValue) string {
	var out strings.Builder
	at := 0
	for _, q := range *queue {
		out.WriteString(reply[at:q.at])
		out.Write(q.value.Bytes()[q.from:q.to])
		q.value.Release()
		at = q.at
	}
	*queue = nil
	return out.String() + reply[at:]
}

func TestLargeByReference(t *testing.T) {
	c := newTestCtx(t, StringCommands)
	queue := c.pinning()
	large := strings.Repeat("0123456789abcdef", shard.LargeMin/16)
	whole := "$1048576\r\n" + large + "\r\n"
	f := func(want string, pins int, words ...string) {
		t.Helper()
		reply := c.do(words...)
		if len(*queue) != pins {
			t.Errorf("%.100q queued %d values, want %d", words, len(*queue), pins)
		}
		// Whatever happens to the key before the value is sent does not change what is sent.
		saved := c.Reply.Buf
		c.Reply.Buf = nil
		c.do("SETRANGE", "k", "5", "changed")
		c.do("SET", "k", "short")
		c.Reply.Buf = saved
		if got := takeReply(reply, queue); got != want {
			t.Errorf("%.100q replied %.100q... (%d bytes), want %.100q", words, got, len(got), want)
		}
		c.do("SET", "k", large)
	}
	c.do("SET", "k", large)
	f(whole, 1, "GET", "k")
	f(whole, 1, "GETEX", "k", "EX", "100")
	f(whole, 1, "GETDEL", "k")
	f(whole, 1, "GETSET", "k", "new")
	f(whole, 1, "SET", "k", "new", "GET")
	f(whole, 1, "SET", "k", "new", "NX", "GET")
	f("*2\r\n"+whole+whole, 2, "MGET", "k", "k")
	f("$1048574\r\n"+large[1:len(large)-1]+"\r\n", 1, "GETRANGE", "k", "1", "-2")
	f("$10\r\n"+large[16:26]+"\r\n", 0, "SUBSTR", "k", "16", "25")
	c.Pin = nil
	if c.do("GET", "k") != whole {
		t.Error("without Pin the value is not copied")
	}
}

func TestTakeLarge(t *testing.T) {
	c := newTestCtx(t, StringCommands)
	taken := 0
	c.TakeLarge = func(c *Ctx, arg []byte) *shard.Large {
		taken++
		l := c.KS.NewLarge(len(arg))
		copy(l.Bytes(), arg)
		return l
	}
	large := strings.Repeat("x", shard.LargeMin+5)
	for i, words := range [][]string{
		{"SET", "k", large}, {"SET", "k", large, "EX", "100"}, {"SETEX", "k", "100", large}, {"GETSET", "k", large},
		{"SETNX", "k2", large}, {"MSET", "a", "1", "k", large}, {"APPEND", "k3", large},
	} {
		c.do(words...)
		if taken != i+1 {
			t.Fatalf("%.40q took %d buffers", words, taken-i)
		}
	}
	for _, key := range []string{"k", "k2", "k3"} {
		if s := c.state(key); s.value != large || s.encoding != "raw" {
			t.Errorf("%s has %d bytes as %s", key, len(s.value), s.encoding)
		}
	}
	c.TakeLarge = func(*Ctx, []byte) *shard.Large { return nil }
	c.do("SET", "k4", large)
	if s := c.state("k4"); s.value != large {
		t.Errorf("k4 has %d bytes", len(s.value))
	}
}

// naiveLCS is the textbook's table: it returns the pairs of offsets of the subsequence that redis finds.
func naiveLCS(a, b string) (pairs [][2]int) {
	l := make([][]int, len(a)+1)
	for i := range l {
		l[i] = make([]int, len(b)+1)
		for j := 1; i > 0 && j <= len(b); j++ {
			if a[i-1] == b[j-1] {
				l[i][j] = l[i-1][j-1] + 1
			} else {
				l[i][j] = max(l[i-1][j], l[i][j-1])
			}
		}
	}
	for i, j := len(a), len(b); i > 0 && j > 0; {
		switch {
		case a[i-1] == b[j-1]:
			i--
			j--
			pairs = append(pairs, [2]int{i, j})
		case l[i-1][j] > l[i][j-1]:
			i--
		default:
			j--
		}
	}
	return pairs
}

func TestLCSTable(t *testing.T) {
	g := newGen(t)
	for range 300 {
		letters := 1 + g.IntN(20)
		text := func() string {
			b := make([]byte, g.IntN(g.pickInt(5, 70, 300)))
			for i := range b {
				b[i] = 'a' + byte(g.IntN(letters))
			}
			return string(b)
		}
		a, b := text(), text()
		table := newLCSTable(new(Ctx), []byte(a), []byte(b))
		var pairs [][2]int
		table.walk(func(i, j int) { pairs = append(pairs, [2]int{i, j}) })
		want := naiveLCS(a, b)
		if len(pairs) != len(want) || table.length != len(want) {
			t.Fatalf("%q %q: length %d, %d pairs, want %d", a, b, table.length, len(pairs), len(want))
		}
		for i := range want {
			if pairs[i] != want[i] {
				t.Fatalf("%q %q: pair %d is %v, want %v", a, b, i, pairs[i], want[i])
			}
		}
	}
}

func TestLCSMemory(t *testing.T) {
	c := newTestCtx(t, StringCommands)
	long := string(bytes.Repeat([]byte("x"), 20000))
	c.do("MSET", "a", long, "b", long)
	if got := c.do("LCS", "a", "b"); got != "-"+string(ErrLCSMemory)+"\r\n" {
		t.Errorf("%.200q", got)
	}
}

func BenchmarkStrings(b *testing.B) {
	f := func(name string, words ...string) {
		b.Run(name, func(b *testing.B) {
			c := newTestCtx(b, StringCommands, BitCommands)
			c.do("SET", "key:000000000001", strings.Repeat("v", 32))
			c.do("SET", "n", "1")
			c.do(words...)
			c.prepare(bytesOf(words))
			c.effects = effects{}
			b.ReportAllocs()
			for b.Loop() {
				c.Reply.Buf = c.Reply.Buf[:0]
				c.Spec.Run(c.Ctx)
			}
		})
	}
	f("GET", "GET", "key:000000000001")
	f("SET", "SET", "key:000000000001", strings.Repeat("w", 32))
	f("SETEX", "SET", "key:000000000001", strings.Repeat("w", 32), "EX", "100")
	f("INCR", "INCR", "n")
	f("MGET/keys=10", append([]string{"MGET"}, strings.Fields(strings.Repeat("key:000000000001 ", 10))...)...)
	f("APPEND/empty", "APPEND", "key:000000000001", "")
	f("SETRANGE", "SETRANGE", "key:000000000001", "5", "abc")
	f("INCRBYFLOAT", "INCRBYFLOAT", "f", "0.1")
	f("SETBIT", "SETBIT", "key:000000000001", "5", "1")
}

func bytesOf(words []string) [][]byte {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return args
}
