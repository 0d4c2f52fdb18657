package random

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shoaldb/shoal/internal/oracle"
)

// Op is one command, or a few that belong together, sent over one of the session's connections.
type Op struct {
	Commands [][]string
	Inline   bool
}

// batch is a pipeline: its ops are sent over one connection before a reply is read.
type batch struct {
	conn int // index into connKinds
	ops  []Op
	cuts uint64 // seeds where the bytes are cut
}

// conns is the number of connections of a session: the second speaks RESP3, the third sends inline commands too.
const (
	conns       = 3
	resp3Conn   = 1
	inlineConn  = 2
	maxBatch    = 32
	damageOneIn = 25
)

// session makes about n commands.
func session(seed, number uint64, n int) []batch {
	g := newGen(seed, number)
	all, weights := parseFamilies(false)
	var out []batch
	for n > 0 {
		b := batch{conn: g.IntN(conns), cuts: g.Uint64()}
		size := 1
		if g.IntN(3) > 0 {
			size = 1 + g.IntN(maxBatch)
		}
		for range size {
			op := g.op(all, weights)
			op.Inline = b.conn == inlineConn && g.IntN(2) == 0
			b.ops = append(b.ops, op)
			n -= len(op.Commands)
		}
		out = append(out, b)
	}
	return out
}

func (g *Gen) op(all []parsed, weights int) Op {
	w := g.IntN(weights)
	i := 0
	for w >= all[i].weight {
		w -= all[i].weight
		i++
	}
	nodes := all[i].nodes
	words := nodes[g.IntN(len(nodes))].expand(g, nil)
	var op Op
	for len(words) > 0 {
		end := 0
		for end < len(words) && words[end] != separator {
			end++
		}
		op.Commands = append(op.Commands, words[:end:end])
		words = words[min(end+1, len(words)):]
	}
	if len(op.Commands) == 1 && !setsPast(op.Commands[0]) && g.IntN(damageOneIn) == 0 {
		op.Commands[0] = g.damage(op.Commands[0])
	}
	if name := &op.Commands[0][0]; g.IntN(5) == 0 {
		*name = strings.ToLower(*name)
	}
	return op
}

// setsPast tells whether a command may store a key that has expired already. DBSIZE counts it until it is deleted, which only
// the keys of oldKeys surely are.
func setsPast(args []string) bool {
	return args[0] == "SET" && (slices.Contains(args, "EXAT") || slices.Contains(args, "PXAT"))
}

// damage changes a command into one that is probably wrong.
func (g *Gen) damage(args []string) []string {
	first := 1
	switch args[0] { // a cursor that no server has given out may return anything
	case "SCAN":
		first = 2
	case "SSCAN", "HSCAN", "ZSCAN":
		first = 3
	}
	i := first + g.IntN(len(args)-first+1)
	switch g.IntN(4) {
	case 0:
		return args[:max(1, len(args)-1)]
	case 1:
		return append(args, g.garbage())
	case 2:
		if i < len(args) {
			args[i] = g.garbage()
		}
		return args
	}
	return append(args[:i:i], append([]string{g.garbage()}, args[i:]...)...)
}

func (g *Gen) garbage() string {
	return one("", "abc", "9223372036854775808", "-9223372036854775809", "-1", "1.5", "NX", "XX", "GET", "LEN", "EX", "\x00", "x y")(g)
}

// append appends the bytes of the op's commands.
func (op Op) append(dst []byte) []byte {
	for _, args := range op.Commands {
		if !op.Inline {
			dst = oracle.AppendCommand(dst, args...)
			continue
		}
		for i, a := range args {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = append(dst, inlineWord(a)...)
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// inlineWord quotes an argument as inline commands need it.
func inlineWord(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Commands returns about n random commands, in a row. The arguments are those of session.
func Commands(seed, number uint64, n int) (commands [][]string) {
	for _, b := range session(seed, number, n) {
		for _, op := range b.ops {
			commands = append(commands, op.Commands...)
		}
	}
	return commands
}
