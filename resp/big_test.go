package resp

import (
	"bytes"
	"fmt"
	"testing"
)

// countingBuffers is a BigBuffers that knows what is out.
type countingBuffers struct {
	out map[*byte]int // size by first byte
}

func (c *countingBuffers) Get(n int) []byte {
	b := make([]byte, n, n+10)
	if c.out == nil {
		c.out = map[*byte]int{}
	}
	c.out[&b[0]] = n
	return b
}

func (c *countingBuffers) Put(b []byte) {
	if n, ok := c.out[&b[0]]; !ok || n != len(b) || cap(b) != n+10 {
		panic(fmt.Sprintf("Put of %d bytes that Get has not given", len(b)))
	}
	delete(c.out, &b[0])
}

// feed feeds in by pieces and returns the last command.
func feed(t *testing.T, p *Parser, in []byte, piece int) (last [][]byte) {
	t.Helper()
	for len(in) > 0 {
		n := min(piece, len(in))
		p.Feed(in[:n])
		in = in[n:]
		args, st, err := p.Next(nil, defaults)
		if err != nil {
			t.Fatal(err)
		}
		if st == Command {
			last = args
		}
	}
	return last
}

func TestBigArgument(t *testing.T) {
	for _, size := range []int{bigThreshold + 16<<10, 100000, heapFirst, heapFirst + 1, 3 << 20, 70 << 20} {
		value := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		in := AppendCommand(nil, []byte("SET"), []byte("k"), value, []byte("NX"))
		f := func(big BigBuffers, take bool) {
			t.Helper()
			p := Parser{Big: big}
			args := feed(t, &p, in, 16<<10)
			if len(args) != 4 || !bytes.Equal(args[2], value) || string(args[3]) != "NX" {
				t.Fatalf("%d bytes: %d arguments", size, len(args))
			}
			if cap(args[2]) != size {
				t.Errorf("%d bytes: capacity %d", size, cap(args[2]))
			}
			if take {
				buf := p.TakeBig(args[2])
				if buf == nil || &buf[0] != &args[2][0] || p.TakeBig(args[2]) != nil {
					t.Errorf("%d bytes: took %d", size, len(buf))
				}
			}
			for _, arg := range [][]byte{args[0], args[1], args[3], nil, value} {
				if p.TakeBig(arg) != nil {
					t.Errorf("took %.10q...", arg)
				}
			}
			p.Release()
			if c, ok := big.(*countingBuffers); ok && len(c.out) != map[bool]int{true: 1}[take] {
				t.Errorf("%d bytes: %d buffers are out", size, len(c.out))
			}
		}
		f(nil, false)
		f(nil, true)
		f(new(countingBuffers), false)
		f(new(countingBuffers), true)
	}
}

// A large argument whose connection breaks goes back, as do those complete
// before it and those behind an Error.
func TestBigClose(t *testing.T) {
	value := make([]byte, 100000)
	in := AppendCommand(nil, []byte("MSET"), []byte("a"), value, []byte("b"), value)
	for _, end := range []string{"", "*1\r\n$x\r\n"} {
		for _, cut := range []int{len(in), len(in) - 10, 150000, 100} {
			var c countingBuffers
			p := Parser{Big: &c}
			for rest := append(bytes.Clone(in[:cut]), end...); len(rest) > 0; {
				n := min(len(rest), 5000)
				p.Feed(rest[:n])
				rest = rest[n:]
				for st := Command; st == Command; {
					_, st, _ = p.Next(nil, defaults)
				}
			}
			p.Close()
			if len(c.out) != 0 {
				t.Errorf("cut at %d: %d buffers are out", cut, len(c.out))
			}
		}
	}
}

// What is there in full is not copied, however large.
func TestBigZeroCopy(t *testing.T) {
	var c countingBuffers
	p := Parser{Big: &c}
	in := AppendCommand(nil, []byte("SET"), []byte("k"), make([]byte, 1<<20))
	p.Feed(in)
	args, _, _ := p.Next(nil, defaults)
	if len(c.out) != 0 || len(args) != 3 || &args[2][0] != &in[len(in)-2-1<<20] {
		t.Error("copied")
	}
}
