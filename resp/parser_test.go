package resp

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

var (
	defaults = &Limits{MaxBulk: DefaultMaxBulk}
	unauth   = &Limits{MaxBulk: DefaultMaxBulk, Unauthenticated: true}
)

// parsed is what a parser made of a stream.
type parsed struct {
	Commands [][]string
	Err      string
}

// drain adds what p finds up to NeedMore or Error, and reports whether to go on.
func (out *parsed) drain(p *Parser, lim *Limits) bool {
	var argv [][]byte
	for {
		args, st, err := p.Next(argv[:0], lim)
		argv = args
		switch st {
		case NeedMore:
			return true
		case Error:
			out.Err = err.Error()
			return false
		}
		var cmd []string
		for _, arg := range args {
			if arg == nil {
				panic("nil argument")
			}
			cmd = append(cmd, string(arg))
		}
		out.Commands = append(out.Commands, cmd)
	}
}

// parse parses pieces that come one after the other. Each piece lies in memory
// that is overwritten when the parser must not look at it any more.
func parse(lim *Limits, pieces ...string) parsed {
	var out parsed
	var p Parser
	for _, piece := range pieces {
		buf := []byte(piece)
		p.Feed(buf)
		more := out.drain(&p, lim)
		for i := range buf {
			buf[i] = '!'
		}
		if !more {
			break
		}
	}
	p.Close()
	return out
}

func bytewise(in string) []string {
	pieces := make([]string, len(in))
	for i := range pieces {
		pieces[i] = in[i : i+1]
	}
	return pieces
}

var streams = []string{
	"*1\r\n$4\r\nPING\r\n",
	"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$3\r\nabc\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
	"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*1\r\n$0\r\n\r\n",
	"*12\r\n" + strings.Repeat("$1\r\nx\r\n", 12) + "*0\r\n*-1\r\n*1\r\n$1\r\nA\r\n",
	"*2\r\n$3\r\nGET\r\n$120\r\n" + strings.Repeat("k", 120) + "\r\nPING\r\n",
	"*2\r\n$3\r\nGET\r\n$1200\r\n" + strings.Repeat("k", 1200) + "\r\n\r\n\r\nPING \"a\\x41b\" 'c d'\n",
	"*2\r\n$3\r\nGET\r\n$12000\r\n" + strings.Repeat("k", 12000) + "\r\nQUIT\r\n",
	"PING\nECHO hello\r\n*1\r\n$4\r\nPING\r\nSET k \"v v\"\n",
	"*2\r.$3\r.GET..$1\r.k..*1\r\n$1\r\nx\r\n",
	"*2\r\n$4\r\nECHO\r\n$x\r\n",
	"*1\r\nPING\r\n",
	"*1\r\n\r\n\r\n",
	"PING \"a\r\nPING\r\n",
	"PI\x00NG\r\nPING\r\n",
	"*1\x00\r\n$4\r\nPING\r\n",
	"*1\r\n$4\x00\r\nPING\r\n",
	"*1\r\n$-1\r\n",
	"*1\r\n$04\r\nPING\r\n",
	"*01\r\n$4\r\nPING\r\n",
	"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*3\r\n$3\r\nSET\r\n$1\r\n",
}

func TestSplitAnywhere(t *testing.T) {
	for _, in := range streams {
		want := parse(defaults, in)
		f := func(pieces ...string) {
			t.Helper()
			if got := parse(defaults, pieces...); !reflect.DeepEqual(got, want) {
				t.Errorf("%.60q in %.60q: %.200q, want %.200q", in, pieces, got, want)
			}
		}
		f(bytewise(in)...)
		for i := range len(in) {
			f(in[:i], in[i:])
			if len(in) < 100 {
				for j := i; j < len(in); j++ {
					f(in[:i], in[i:j], in[j:])
				}
			}
		}
	}
}

func TestPipelineSplit(t *testing.T) {
	in := string(pipeline(100, "SET", "key:000000000001", strings.Repeat("v", 32)))
	want := parse(defaults, in)
	if len(want.Commands) != 100 {
		t.Fatalf("%d commands", len(want.Commands))
	}
	for size := 1; size < 500; size += 7 {
		var pieces []string
		for rest := in; rest != ""; {
			n := min(size, len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		if got := parse(defaults, pieces...); !reflect.DeepEqual(got, want) {
			t.Fatalf("pieces of %d bytes: %d commands, %q", size, len(got.Commands), got.Err)
		}
	}
}

// The arguments of all commands of one Feed stay valid, also those of the one
// that began before it, and those of one begun behind them do not disturb.
func TestBatchStaysValid(t *testing.T) {
	in := string(pipeline(3, "SET", "key", "value"))
	cut := len(in) / 6
	var p Parser
	p.Feed([]byte(in[:cut]))
	if _, st, _ := p.Next(nil, defaults); st != NeedMore {
		t.Fatal(st)
	}
	p.Feed([]byte(in[cut : len(in)-3]))
	var cmds [][][]byte
	for {
		args, st, _ := p.Next(nil, defaults)
		if st != Command {
			break
		}
		cmds = append(cmds, args)
	}
	if len(cmds) != 2 {
		t.Fatalf("%d commands", len(cmds))
	}
	for _, args := range cmds {
		if got := fmt.Sprintf("%q", args); got != `["SET" "key" "value"]` {
			t.Error(got)
		}
	}
	p.Feed([]byte(in[len(in)-3:]))
	args, _, _ := p.Next(nil, defaults)
	if got := fmt.Sprintf("%q", args); got != `["SET" "key" "value"]` {
		t.Error(got)
	}
}

func TestZeroCopy(t *testing.T) {
	in := pipeline(1, "SET", "key", strings.Repeat("v", 200))
	var p Parser
	p.Feed(in)
	args, _, _ := p.Next(nil, defaults)
	in[bytes.Index(in, []byte("key"))] = 'K'
	if string(args[1]) != "Key" {
		t.Errorf("%q does not alias the input", args[1])
	}
}

func TestDetach(t *testing.T) {
	in := pipeline(4, "GET", "k")
	one := len(in) / 4
	next := func(p *Parser, want string) {
		t.Helper()
		args, st, err := p.Next(nil, defaults)
		if got := fmt.Sprintf("%d%q%v", st, args, err); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	const get = `1["GET" "k"]<nil>`
	var p Parser
	buf := bytes.Clone(in[:3*one+5])
	p.Feed(buf)
	next(&p, get)
	p.Detach()
	clear(buf)
	if n := p.Buffered(); n != 2*one+5 {
		t.Errorf("%d bytes buffered", n)
	}
	next(&p, get)
	buf = bytes.Clone(in[3*one+5 : len(in)-1])
	p.Feed(buf)
	clear(buf)
	if string(p.Pending()) != string(in[2*one:len(in)-1]) {
		t.Errorf("pending %q", p.Pending())
	}
	next(&p, get)
	p.Detach()
	next(&p, `0[]<nil>`)
	if n := p.Buffered() + p.ArgvMem(); n == 0 {
		t.Error("nothing held for an incomplete command")
	}
	p.Feed(in[len(in)-1:])
	next(&p, get)
	next(&p, `0[]<nil>`)
	p.Release()
	if n := p.Buffered() + p.ArgvMem() + p.QueryLen(); n != 0 {
		t.Errorf("%d bytes held", n)
	}
}

func TestFeedTooEarly(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Feed overwrote input")
		}
	}()
	var p Parser
	p.Feed([]byte("PING\r\nPING\r\n"))
	p.Next(nil, defaults)
	p.Feed([]byte("PING\r\n"))
}

// While CLIENT LIST runs, qbuf shows its own bytes.
func TestQueryLen(t *testing.T) {
	var p Parser
	p.Feed([]byte("*2\r\n$6\r\nCLIENT\r\n$4\r\nLIST\r\n"))
	p.Next(nil, defaults)
	p.Next(nil, defaults)
	if got := p.QueryLen(); got != 26 {
		t.Errorf("QueryLen is %d, want 26", got)
	}
	p.Release()
	if got := p.QueryLen(); got != 0 {
		t.Errorf("QueryLen is %d when idle", got)
	}
}

func TestErrorStays(t *testing.T) {
	var p Parser
	p.Feed([]byte("*x\r\nPING\r\n"))
	for range 3 {
		if _, st, err := p.Next(nil, defaults); st != Error || err != errCount {
			t.Errorf("%v, %v", st, err)
		}
	}
	if got := string(p.Pending()); got != "*x\r\nPING\r\n" {
		t.Errorf("pending %q", got)
	}
	p.Feed([]byte("PING\r\n"))
	if _, st, err := p.Next(nil, defaults); st != Error || err != errCount {
		t.Errorf("%v, %v after Feed", st, err)
	}
	p.Close()
	p.Feed([]byte("PING\r\n"))
	if args, st, _ := p.Next(nil, defaults); st != Command || len(args) != 1 {
		t.Errorf("%v after Close", st)
	}
}

// A million arguments, byte by byte: quadratic work would take hours.
func TestManyArguments(t *testing.T) {
	const n = 1 << 20
	in := []byte(fmt.Sprintf("*%d\r\n", n))
	in = append(in, bytes.Repeat([]byte("$1\r\nx\r\n"), n)...)
	var p Parser
	for i := range len(in) - 1 {
		p.Feed(in[i : i+1])
		if _, st, err := p.Next(nil, defaults); st != NeedMore {
			t.Fatal(i, st, err)
		}
	}
	if got := p.ArgvMem(); got < n {
		t.Errorf("ArgvMem is %d", got)
	}
	p.Feed(in[len(in)-1:])
	args, st, _ := p.Next(nil, defaults)
	if st != Command || len(args) != n {
		t.Fatal(st, len(args))
	}
	p.Close()
}

// Announcing costs nothing until bytes arrive.
func TestAnnounceOnly(t *testing.T) {
	for _, in := range []string{"*2147483647\r\n$1\r\nx\r\n", "*1\r\n$536870912\r\nx"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var p Parser
		p.Feed([]byte(in))
		p.Next(nil, defaults)
		runtime.ReadMemStats(&after)
		p.Close()
		allocated := after.TotalAlloc - before.TotalAlloc
		if allocated > 2*heapFirst {
			t.Errorf("%.20q... allocates %d bytes", in, allocated)
		}
	}
}

func TestParseAllocs(t *testing.T) {
	f := func(name string, feeds ...[]byte) {
		t.Helper()
		var p Parser
		argv := make([][]byte, 0, 1024)
		allocs := testing.AllocsPerRun(100, func() {
			for _, in := range feeds {
				p.Feed(in)
				argv = argv[:0]
				for {
					var st Status
					if argv, st, _ = p.Next(argv, defaults); st != Command {
						break
					}
				}
			}
			p.Release()
		})
		if allocs != 0 && !(raceEnabled && len(feeds) > 1) {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
	in := pipeline(100, "SET", "key:000000000001", strings.Repeat("v", 32))
	f("whole", in)
	f("split", in[:1000], in[1000:1020], in[1020:])
	f("split in a value", in[:50], in[50:])
	large := pipeline(2, "SET", "key:000000000001", strings.Repeat("v", 32<<10))
	huge := pipeline(1, "SET", "key:000000000001", strings.Repeat("v", 64<<10))
	f("64 KiB value", huge[:16<<10], huge[16<<10:])
	f("64 KiB value, late", append(bytes.Clone(in[:1500]), huge...)[:17<<10], huge[17<<10-1500:])
	f("32 KiB value", large[:16<<10], large[16<<10:32<<10], large[32<<10:48<<10], large[48<<10:])
}

func pipeline(n int, args ...string) []byte {
	return bytes.Repeat(appendCommand(nil, args...), n)
}

func BenchmarkParse(b *testing.B) {
	bench := func(name string, piece int, args ...string) {
		b.Run(name, func(b *testing.B) {
			in := pipeline(100, args...)
			b.ReportAllocs()
			b.SetBytes(int64(len(in) / 100))
			var p Parser
			argv := make([][]byte, 0, 4096)
			for i := 0; i < b.N; i += 100 {
				for rest := in; len(rest) > 0; {
					n := min(piece, len(rest))
					p.Feed(rest[:n])
					rest = rest[n:]
					argv = argv[:0]
					for {
						var st Status
						if argv, st, _ = p.Next(argv, defaults); st != Command {
							break
						}
					}
				}
			}
		})
	}
	bench("SET/value=32", 1<<20, "SET", "key:000000000001", strings.Repeat("v", 32))
	bench("SET/value=1024", 1<<20, "SET", "key:000000000001", strings.Repeat("v", 1024))
	bench("SET/value=65536/feed=16KiB", 16<<10, "SET", "key:000000000001", strings.Repeat("v", 65536))
	bench("SET/value=32/feed=100", 100, "SET", "key:000000000001", strings.Repeat("v", 32))
	bench("GET", 1<<20, "GET", "key:000000000001")
	bench("PING", 1<<20, "PING")
	bench("MGET/keys=10", 1<<20, "MGET", "key:000000000001", "key:000000000002", "key:000000000003", "key:000000000004",
		"key:000000000005", "key:000000000006", "key:000000000007", "key:000000000008", "key:000000000009", "key:000000000010")
}
