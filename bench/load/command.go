package load

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Marks that are replaced in commands, as redis-benchmark and its kin have them.
const (
	KeyMark  = "__rand_int__" // by the twelve digits of a key number, for each request
	DataMark = "__data__"     // by a value, once
)

// Command is one kind of request of a workload, in the bytes that are sent. Every KeyMark in it is
// replaced with the twelve digits of a key number drawn for each request.
type Command struct {
	Wire   []byte
	Weight int // relative frequency among the workload's commands; 0 counts as 1
}

// NewCommand encodes the arguments as an array of bulk strings.
func NewCommand(args ...string) Command {
	return Command{Wire: AppendCommand(nil, args...)}
}

// AppendCommand appends the arguments as an array of bulk strings.
func AppendCommand(dst []byte, args ...string) []byte {
	dst = fmt.Appendf(dst, "*%d\r\n", len(args))
	for _, arg := range args {
		dst = append(dst, '$')
		dst = strconv.AppendInt(dst, int64(len(arg)), 10)
		dst = append(dst, "\r\n"...)
		dst = append(dst, arg...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// Expand is NewCommand with each DataMark replaced by a value of so many bytes.
func Expand(args []string, valueSize int) Command {
	value := payload(valueSize)
	expanded := make([]string, len(args))
	for i, arg := range args {
		expanded[i] = strings.ReplaceAll(arg, DataMark, value)
	}
	return NewCommand(expanded...)
}

// payload gives n printable bytes without a pattern, the same at every call.
func payload(n int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
	b := make([]byte, n)
	r := random(1)
	for i := range b {
		b[i] = alphabet[r.uint64()>>58]
	}
	return string(b)
}

// batcher writes batches of requests into one buffer that it reuses.
type batcher struct {
	keys     *keySource // nil: key marks are sent as they are
	commands []compiled
	draw     []int // index of a command, once per unit of weight
	random   random
	buf      []byte
}

// compiled is a command and the offsets of its key marks.
type compiled struct {
	wire  []byte
	marks []int
}

func newBatcher(w *Workload, seed uint64) *batcher {
	b := &batcher{random: random(seed)}
	if w.Keys > 0 {
		b.keys = newKeySource(w.Keys, w.Distribution, seed+1)
	}
	for i, command := range w.Commands {
		b.commands = append(b.commands, compile(command.Wire, b.keys != nil))
		for range max(command.Weight, 1) {
			b.draw = append(b.draw, i)
		}
	}
	if len(b.commands) == 1 {
		b.buf = bytes.Repeat(b.commands[0].wire, w.Pipeline)
	}
	return b
}

func compile(wire []byte, keys bool) compiled {
	c := compiled{wire: bytes.Clone(wire)}
	for at := 0; keys; {
		i := bytes.Index(wire[at:], []byte(KeyMark))
		if i < 0 {
			break
		}
		c.marks = append(c.marks, at+i)
		putDigits(c.wire[at+i:], 0)
		at += i + keyDigits
	}
	return c
}

// fill returns n requests, of which the first is number first of the pass. The bytes are valid until the next
// call.
func (b *batcher) fill(first int64, n int) []byte {
	if b.keys != nil {
		b.keys.next = uint64(first)
	}
	if len(b.commands) == 1 {
		return b.fillSame(n)
	}
	b.buf = b.buf[:0]
	for range n {
		c := &b.commands[b.draw[b.random.below(uint64(len(b.draw)))]]
		at := len(b.buf)
		b.buf = append(b.buf, c.wire...)
		b.patch(b.buf[at:], c)
	}
	return b.buf
}

// fillSame rewrites the keys in the copies of the only command, which lie in buf already.
func (b *batcher) fillSame(n int) []byte {
	c := &b.commands[0]
	size := len(c.wire)
	if b.keys == nil {
		return b.buf[:n*size]
	}
	for i := range n {
		b.patch(b.buf[i*size:(i+1)*size], c)
	}
	return b.buf[:n*size]
}

func (b *batcher) patch(wire []byte, c *compiled) {
	for _, mark := range c.marks {
		putDigits(wire[mark:], b.keys.key())
	}
}
