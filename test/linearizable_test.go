package test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/shoaldb/shoal/internal/oracle"
)

var operations = flag.Int("operations", 10000, "operations of a history whose linearizability is checked")

// Clients work on groups of four keys: two strings, which hold numbers, and two lists. They move on from group to group
// together, so that many meet at each; a group's history can be checked apart from the others', as no command is about
// two groups.

const (
	linClients  = 16
	linPerGroup = 50 // operations
	linTogether = 4  // groups in use at a time
)

// linState is what a group holds. The elements of a list are followed by blanks.
type linState struct {
	exists  [2]bool
	numbers [2]int64
	lists   [2]string
}

// linInput is one operation: a command, or several in a transaction.
type linInput struct {
	group    int
	commands [][]string
	exec     bool
	watched  int    // with exec: number of the string that was watched, or -1
	read     string // what the watched string was
}

// names of the keys of a group, the strings first.
func linKeys(group int) [4]string {
	g := strconv.Itoa(group)
	return [4]string{"number:a" + g, "number:b" + g, "list:a" + g, "list:b" + g}
}

// linModel is how one server that does one thing after the other behaves.
var linModel = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		groups := map[int][]porcupine.Operation{}
		for _, op := range history {
			g := op.Input.(linInput).group
			groups[g] = append(groups[g], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range groups {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return linState{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(linState), input.(linInput), output.(string)
		if in.exec && out == "*-1\r\n" {
			return in.watched >= 0, s // others may have written
		}
		if in.watched >= 0 && s.get(in.watched) != in.read {
			return false, s
		}
		var b strings.Builder
		if in.exec {
			fmt.Fprintf(&b, "*%d\r\n", len(in.commands))
		}
		for _, args := range in.commands {
			b.WriteString(s.run(linKeys(in.group), args))
		}
		return b.String() == out, s
	},
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%v -> %q", input.(linInput).commands, output)
	},
}

const nullBulk = "$-1\r\n"

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func (s *linState) get(i int) string {
	if !s.exists[i] {
		return nullBulk
	}
	return bulk(strconv.FormatInt(s.numbers[i], 10))
}

func (s *linState) set(i int, value string) {
	n, _ := strconv.ParseInt(value, 10, 64)
	s.exists[i], s.numbers[i] = true, n
}

// run runs a command and returns its reply.
func (s *linState) run(keys [4]string, args []string) string {
	at := func(i int) int {
		for n, k := range keys {
			if k == args[i] {
				return n % 2
			}
		}
		panic("no key of the group: " + args[i])
	}
	switch args[0] {
	case "GET":
		return s.get(at(1))
	case "SET":
		s.set(at(1), args[2])
		return "+OK\r\n"
	case "INCR":
		i := at(1)
		if !s.exists[i] {
			s.set(i, "0")
		}
		s.numbers[i]++
		return fmt.Sprintf(":%d\r\n", s.numbers[i])
	case "GETDEL":
		i := at(1)
		was := s.get(i)
		s.exists[i], s.numbers[i] = false, 0
		return was
	case "MSET":
		s.set(at(1), args[2])
		s.set(at(3), args[4])
		return "+OK\r\n"
	case "MGET":
		return "*2\r\n" + s.get(at(1)) + s.get(at(2))
	case "RENAME":
		from, to := at(1), at(2)
		if !s.exists[from] {
			return "-ERR no such key\r\n"
		}
		s.numbers[to], s.exists[to] = s.numbers[from], true
		s.numbers[from], s.exists[from] = 0, false
		return "+OK\r\n"
	case "EVAL", "FCALL": // linSwap
		i := at(len(args) - 2)
		was := "*2\r\n" + s.get(i) + s.get(1-i)
		s.exists[0], s.exists[1] = s.exists[1], s.exists[0]
		s.numbers[0], s.numbers[1] = s.numbers[1], s.numbers[0]
		return was
	case "RPUSH":
		l := &s.lists[at(1)]
		*l += args[2] + " "
		return fmt.Sprintf(":%d\r\n", strings.Count(*l, " "))
	case "LPOP":
		if v, ok := s.pop(at(1)); ok {
			return bulk(v)
		}
		return nullBulk
	case "BLPOP":
		if v, ok := s.pop(at(1)); ok {
			return "*2\r\n" + bulk(args[1]) + bulk(v)
		}
		return "*-1\r\n"
	case "LMOVE": // LEFT RIGHT
		v, ok := s.pop(at(1))
		if !ok {
			return nullBulk
		}
		s.lists[at(2)] += v + " "
		return bulk(v)
	case "LRANGE":
		elems := strings.Fields(s.lists[at(1)])
		b := fmt.Sprintf("*%d\r\n", len(elems))
		for _, e := range elems {
			b += bulk(e)
		}
		return b
	}
	panic("no such command: " + args[0])
}

func (s *linState) pop(i int) (string, bool) {
	v, rest, ok := strings.Cut(s.lists[i], " ")
	s.lists[i] = rest
	return v, ok
}

// linSwap is the body of a function that exchanges the values of two keys and returns what they were.
const linSwap = `(keys)
	local a, b = redis.call('GET', keys[1]), redis.call('GET', keys[2])
	if b then redis.call('SET', keys[1], b) else redis.call('DEL', keys[1]) end
	if a then redis.call('SET', keys[2], a) else redis.call('DEL', keys[2]) end
	return {a, b}
end`

// linSwaps are the ways to run it: a script with declared keys, one with other keys, and a function.
var linSwaps = [][]string{
	{"EVAL", "local function swap" + linSwap + " return swap(KEYS)", "2"},
	{"EVAL", "local function swap" + linSwap + " return swap(ARGV)", "0"},
	{"FCALL", "swap", "2"},
}

// linClient is a client of a server whose history is recorded.
type linClient struct {
	t      *testing.T
	conn   *oracle.Conn
	rnd    *rand.Rand
	number int
	begun  time.Time
	made   *atomic.Int64 // operations of all clients
	values *atomic.Int64 // numbers that were given out
	list   []porcupine.Operation
}

func (c *linClient) value() string { return strconv.FormatInt(c.values.Add(1)*1000, 10) }

// command returns a random command on the keys of a group.
func (c *linClient) command(group int) []string {
	k := linKeys(group)
	i := c.rnd.IntN(2)
	n, m, l, o := k[i], k[1-i], k[2+i], k[3-i]
	switch c.rnd.IntN(16) {
	case 0, 1:
		return []string{"GET", n}
	case 2:
		return []string{"SET", n, c.value()}
	case 3, 4:
		return []string{"INCR", n}
	case 5:
		return []string{"GETDEL", n}
	case 6:
		return []string{"MSET", n, c.value(), m, c.value()}
	case 7:
		return []string{"MGET", n, m}
	case 8:
		return []string{"RENAME", n, m}
	case 9, 10:
		return []string{"RPUSH", l, c.value()}
	case 11:
		return []string{"LPOP", l}
	case 12:
		return []string{"LMOVE", l, o, "LEFT", "RIGHT"}
	case 13, 14:
		return append(slices.Clone(linSwaps[c.rnd.IntN(len(linSwaps))]), n, m)
	}
	return []string{"LRANGE", l, "0", "-1"}
}

// work makes operations until all clients together have made as many as are wanted.
func (c *linClient) work(total int) {
	for {
		n := int(c.made.Add(1))
		if n > total {
			return
		}
		group := n/(linPerGroup*linTogether)*linTogether + c.rnd.IntN(linTogether)
		in := linInput{group: group, watched: -1}
		switch c.rnd.IntN(8) {
		case 0, 1:
			in.exec = true
			for range 1 + c.rnd.IntN(4) {
				in.commands = append(in.commands, c.command(group))
			}
		case 2:
			c.compareAndSet(in)
			continue
		case 3:
			in.commands = [][]string{{"BLPOP", linKeys(group)[2+c.rnd.IntN(2)], "0.005"}}
		default:
			in.commands = [][]string{c.command(group)}
		}
		c.do(in)
	}
}

// compareAndSet reads a string that it watches, and writes others if that is still what it was.
func (c *linClient) compareAndSet(in linInput) {
	in.watched = c.rnd.IntN(2)
	k := linKeys(in.group)
	if got := c.send([]string{"WATCH", k[in.watched]}); got != "+OK\r\n" {
		c.t.Errorf("WATCH: %q", got)
		return
	}
	in.read = c.do(linInput{group: in.group, watched: -1, commands: [][]string{{"GET", k[in.watched]}}})
	in.exec = true
	in.commands = [][]string{{"SET", k[in.watched], c.value()}, c.command(in.group)}
	c.do(in)
}

// do makes an operation and records it.
func (c *linClient) do(in linInput) (reply string) {
	op := porcupine.Operation{ClientId: c.number, Input: in, Call: int64(time.Since(c.begun))}
	if in.exec {
		reply = c.send(append(append([][]string{{"MULTI"}}, in.commands...), []string{"EXEC"})...)
	} else {
		reply = c.send(in.commands...)
	}
	op.Output, op.Return = reply, int64(time.Since(c.begun))
	c.list = append(c.list, op)
	return reply
}

// send sends commands at once and returns the reply to the last one.
func (c *linClient) send(commands ...[]string) string {
	var b []byte
	for _, args := range commands {
		b = oracle.AppendCommand(b, args...)
	}
	if err := c.conn.SendRaw(b); err != nil {
		c.t.Error(err)
		return ""
	}
	var last []byte
	for range commands {
		raw, err := c.conn.Reply()
		if err != nil {
			c.t.Error(err)
			return ""
		}
		last = raw
	}
	return string(bytes.Clone(last))
}

// linHistory lets clients work on a server and returns what they saw.
func linHistory(t *testing.T, srv *oracle.Server, total int) (history []porcupine.Operation) {
	var made, values atomic.Int64
	var wg sync.WaitGroup
	clients := make([]*linClient, linClients)
	for i := range clients {
		conn, err := oracle.Dial(srv.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		clients[i] = &linClient{t: t, conn: conn, rnd: rand.New(rand.NewPCG(20, uint64(i))), number: i, made: &made, values: &values}
	}
	clients[0].send([]string{"FLUSHALL"})
	clients[0].send([]string{"FUNCTION", "LOAD", "REPLACE", "#!lua name=lin\nredis.register_function('swap', function" + linSwap + ")"})
	begun := time.Now()
	for _, c := range clients {
		c.begun = begun
		wg.Go(func() { c.work(total) })
	}
	wg.Wait()
	for _, c := range clients {
		history = append(history, c.list...)
	}
	return history
}

// TestLinearizable lets clients run single commands, commands on keys of two shards and transactions against each
// other, and has porcupine check that all could have happened at one moment each.
func TestLinearizable(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		srv := sharedShoal(t, "--net-engine", engine, "--reactors", "4")
		history := linHistory(t, srv, *operations)
		if t.Failed() {
			return
		}
		aborted := 0
		for _, op := range history {
			if op.Input.(linInput).exec && op.Output.(string) == "*-1\r\n" {
				aborted++
			}
		}
		if aborted == 0 || aborted > len(history)/4 {
			t.Errorf("%d transactions of %d operations were aborted", aborted, len(history))
		}
		switch result := porcupine.CheckOperationsTimeout(linModel, history, 15*time.Minute); result {
		case porcupine.Illegal:
			t.Error("the history is not linearizable" + describeIllegal(history))
		case porcupine.Unknown:
			t.Error("the history could not be checked in time")
		}
	})
}

// describeIllegal lists the operations of the first group whose history is not linearizable.
func describeIllegal(history []porcupine.Operation) string {
	for _, part := range linModel.Partition(history) {
		if porcupine.CheckOperationsTimeout(linModel, part, time.Minute) != porcupine.Illegal {
			continue
		}
		var b strings.Builder
		for _, op := range part {
			in := op.Input.(linInput)
			fmt.Fprintf(&b, "\n%9d-%9d client %2d: exec %v, watched %d, read %q: %v -> %q", op.Call, op.Return, op.ClientId, in.exec, in.watched, in.read, in.commands, op.Output)
		}
		return b.String()
	}
	return ""
}

// TestLinearizableChecker shows that the check finds what is wrong.
func TestLinearizableChecker(t *testing.T) {
	k := linKeys(0)
	at := int64(0)
	// op is an operation after all before it; during makes it begin at the given time.
	op := func(in linInput, out string) porcupine.Operation {
		at += 10
		return porcupine.Operation{Input: in, Output: out, Call: at, Return: at + 5}
	}
	one := func(args ...string) linInput { return linInput{watched: -1, commands: [][]string{args}} }
	during := func(o porcupine.Operation, from, to int64) porcupine.Operation {
		o.Call, o.Return = from, to
		return o
	}
	cas := func(read, value string) linInput {
		return linInput{exec: true, watched: 0, read: read, commands: [][]string{{"SET", k[0], value}}}
	}
	both := linInput{exec: true, watched: -1, commands: [][]string{{"LRANGE", k[2], "0", "-1"}, {"LRANGE", k[3], "0", "-1"}}}
	for name, c := range map[string]struct {
		want    porcupine.CheckResult
		history []porcupine.Operation
	}{
		"in order":         {porcupine.Ok, []porcupine.Operation{op(one("INCR", k[0]), ":1\r\n"), op(one("GET", k[0]), "$1\r\n1\r\n"), op(cas(bulk("1"), "5"), "*1\r\n+OK\r\n"), op(one("GETDEL", k[0]), "$1\r\n5\r\n")}},
		"at the same time": {porcupine.Ok, []porcupine.Operation{during(op(one("INCR", k[0]), ":2\r\n"), 1, 9), during(op(one("INCR", k[0]), ":1\r\n"), 2, 8)}},
		"lost update":      {porcupine.Illegal, []porcupine.Operation{op(one("INCR", k[0]), ":1\r\n"), op(one("INCR", k[0]), ":1\r\n")}},
		"old value":        {porcupine.Illegal, []porcupine.Operation{op(one("SET", k[0], "5"), "+OK\r\n"), op(one("GET", k[0]), nullBulk)}},
		"half an MSET": {porcupine.Illegal, []porcupine.Operation{
			during(op(one("MSET", k[0], "1", k[1], "2"), "+OK\r\n"), 1, 50),
			during(op(one("MGET", k[0], k[1]), "*2\r\n"+bulk("1")+nullBulk), 10, 20)}},
		"half a move": {porcupine.Illegal, []porcupine.Operation{
			op(one("RPUSH", k[2], "7"), ":1\r\n"),
			during(op(one("LMOVE", k[2], k[3], "LEFT", "RIGHT"), bulk("7")), 20, 90),
			during(op(both, "*2\r\n*0\r\n*0\r\n"), 30, 40)}},
		"watched in vain":       {porcupine.Illegal, []porcupine.Operation{op(one("SET", k[0], "5"), "+OK\r\n"), op(cas(nullBulk, "6"), "*1\r\n+OK\r\n")}},
		"aborted for no reason": {porcupine.Illegal, []porcupine.Operation{op(both, "*-1\r\n")}},
		"waited in vain": {porcupine.Illegal, []porcupine.Operation{
			op(one("RPUSH", k[2], "7"), ":1\r\n"), op(one("BLPOP", k[2], "0.1"), "*-1\r\n"), op(one("LPOP", k[2]), bulk("7"))}},
	} {
		if got := porcupine.CheckOperationsTimeout(linModel, c.history, 5*time.Minute); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
