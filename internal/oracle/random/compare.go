package random

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
)

// How the replies of some commands may differ, by name.
var tolerance = map[string]func(a, b []byte) bool{
	"KEYS":            sameElements,
	"SCAN":            sameElements,
	"RANDOMKEY":       sameKind,
	"TTL":             within(20),
	"EXPIRETIME":      within(20),
	"PTTL":            within(20000),
	"PEXPIRETIME":     within(20000),
	"SMEMBERS":        sameElements,
	"SINTER":          sameElements,
	"SUNION":          sameElements,
	"SDIFF":           sameElements,
	"SPOP":            sameElements,
	"SRANDMEMBER":     sameCount,
	"SSCAN":           sameElements,
	"ZSCAN":           sameElements,
	"ZRANDMEMBER":     sameCount,
	"HGETALL":         sameElements,
	"HKEYS":           sameElements,
	"HVALS":           sameElements,
	"HSCAN":           sameElements,
	"HRANDFIELD":      sameCount,
	"OBJECT IDLETIME": within(60),
	"OBJECT REFCOUNT": sameRefcount,
	"PUBSUB":          sameElements,
}

// equal tells whether two replies to a command are as good as equal.
func equal(args []string, a, b reply) bool {
	if a.fail != "" || b.fail != "" {
		return a.fail == b.fail && bytes.Equal(a.raw, b.raw)
	}
	if bytes.Equal(a.raw, b.raw) || bytes.HasPrefix(a.raw, compileError) && bytes.HasPrefix(b.raw, compileError) {
		return true
	}
	alike := tolerance[toleranceName(args)]
	if alike == nil || a.raw[0] == '-' || b.raw[0] == '-' {
		return false
	}
	return alike(a.raw, b.raw)
}

// compileError begins the reply to a script that is no Lua. What is wrong with it each parser says in its own words.
var compileError = []byte("-ERR Error compiling script (new function): user_script:")

// toleranceName returns the name of a command in tolerance.
func toleranceName(args []string) string {
	name := strings.ToUpper(args[0])
	if name == "OBJECT" && len(args) > 1 {
		name += " " + strings.ToUpper(args[1])
	}
	return name
}

// queue is the commands of a connection's transaction.
type queue struct {
	open     bool
	commands [][]string
}

// equal compares the replies to a command, those to EXEC element by element.
func (q *queue) equal(args []string, a, b reply) bool {
	name := strings.ToUpper(args[0])
	switch {
	case !q.open:
		q.open = name == "MULTI" && bytes.Equal(a.raw, []byte("+OK\r\n"))
	case bytes.Equal(a.raw, []byte("+QUEUED\r\n")):
		q.commands = append(q.commands, args)
	case name == "DISCARD" && a.raw != nil && a.raw[0] != '-':
		*q = queue{}
	case name == "EXEC" && len(args) == 1:
		commands := q.commands
		*q = queue{}
		x, y := elements(a.raw), elements(b.raw)
		if len(x) != len(commands) || len(y) != len(commands) {
			break
		}
		for i := range x {
			if !equal(commands[i], reply{raw: x[i]}, reply{raw: y[i]}) {
				return false
			}
		}
		return true
	}
	return equal(args, a, b)
}

// elements returns the elements of an array, or nil if b is no array.
func elements(b []byte) (list [][]byte) {
	n, rest, ok := aggregate(b)
	if !ok || b[0] != '*' {
		return nil
	}
	list = [][]byte{}
	for range n {
		size := valueSize(rest)
		list = append(list, rest[:size])
		rest = rest[size:]
	}
	return list
}

// aggregate returns how many values follow the line that b begins with, if it is that of an aggregate, and what comes
// after the line.
func aggregate(b []byte) (n int, rest []byte, ok bool) {
	line, rest, found := bytes.Cut(b, []byte("\r\n"))
	if !found || !bytes.ContainsAny(line[:1], "*~>%|") {
		return 0, rest, false
	}
	n, err := strconv.Atoi(string(line[1:]))
	if line[0] == '%' || line[0] == '|' {
		n *= 2
	}
	return max(n, 0), rest, err == nil
}

// valueSize returns the length of the reply that b begins with.
func valueSize(b []byte) int {
	n, rest, isAggregate := aggregate(b)
	size := len(b) - len(rest)
	switch {
	case isAggregate:
		for range n {
			size += valueSize(b[size:])
		}
	case bytes.ContainsAny(b[:1], "$=!"):
		if n, err := strconv.Atoi(string(b[1 : size-2])); err == nil && n >= 0 {
			size += n + 2
		}
	}
	return size
}

// sameElements compares replies as bags of lines: arrays of keys in any order. Keys that hold line ends are cut
// alike on both sides.
func sameElements(a, b []byte) bool {
	x, y := bytes.Split(a, []byte("\r\n")), bytes.Split(b, []byte("\r\n"))
	slices.SortFunc(x, bytes.Compare)
	slices.SortFunc(y, bytes.Compare)
	return slices.EqualFunc(x, y, bytes.Equal)
}

// sameKind accepts any two keys, but not a key and none.
func sameKind(a, b []byte) bool { return isNil(a) == isNil(b) }

// sameCount accepts any elements, but not different numbers of them.
func sameCount(a, b []byte) bool {
	if a[0] != '*' {
		return sameKind(a, b)
	}
	x, _, _ := bytes.Cut(a, []byte("\r\n"))
	y, _, _ := bytes.Cut(b, []byte("\r\n"))
	return bytes.Equal(x, y)
}

func isNil(b []byte) bool {
	return bytes.Equal(b, []byte("$-1\r\n")) || bytes.Equal(b, []byte("_\r\n"))
}

// within accepts integers that are not negative and differ by less than d.
func within(d float64) func(a, b []byte) bool {
	return func(a, b []byte) bool {
		x, okX := integer(a)
		y, okY := integer(b)
		return okX && okY && x >= 0 && y >= 0 && math.Abs(float64(x-y)) < d
	}
}

// sharedRefcount is the count of an integer that redis-server shares between keys.
const sharedRefcount = 2147483647

// sameRefcount accepts an integer that one server shares and the other does not: redis-server does so depending on the
// command that stored it.
func sameRefcount(a, b []byte) bool {
	x, okX := integer(a)
	y, okY := integer(b)
	return okX && okY && (x == 1 || x == sharedRefcount) && (y == 1 || y == sharedRefcount)
}

func integer(b []byte) (int64, bool) {
	if len(b) < 3 || b[0] != ':' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b[1:len(b)-2]), 10, 64)
	return n, err == nil
}
