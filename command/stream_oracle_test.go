package command

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

const streamCases = `
XADD s 1-1 a 1
XADD s 1-1 a 1
XADD s 0-0 a 1
XADD s 0 a 1
XADD s 1-2 a 1 b 2
XADD s 1-* a x
XADD s 2-* b y
XADD s 1-* b y
XADD s 2 b y
XADD s 3 b y
XADD s x b y
XADD s 3-x b y
XADD s -1 b y
XADD s - b y
XADD s + b y
XADD s 07-+5 b y
XADD s 8--1 b y
XADD s 8--01 b y
XADD s 18446744073709551616 b y
XADD s 9-1 a
XADD s 9-1 a b c
XADD s MAXLEN 3 9-1 a b
XADD s MAXLEN x 9-2 a b
XADD s MAXLEN -1 9-2 a b
XADD s MAXLEN 3 MINID 5 9-2 a b
XADD s MAXLEN 3 LIMIT 5 9-2 a b
XADD s MAXLEN ~ 3 LIMIT 5 9-2 a b
XADD s MAXLEN ~ 1 LIMIT -5 9-3 a b
XADD s LIMIT 5 9-3 a b
XADD s LIMIT 0 9-3 a b
XADD s MAXLEN = 3 9-4 a b
XADD s MINID 9-2 9-5 a b
XADD s MINID ~ 9-2 9-6 a b
XADD s MINID x 9-7 a b
XADD s NOMKSTREAM 9-8 a b
XADD none NOMKSTREAM 9-8 a b
XADD none NOMKSTREAM * a b
XADD none MAXLEN
XADD list * a b
XADD list 0-0 a b
XADD zero 0-* a b
XADD zero 0-* a b
XADD top 18446744073709551615-18446744073709551615 a b
XADD top * a b
XADD top 5 a b
XLEN s
XLEN none
XLEN list
XRANGE s - +
XRANGE s - + COUNT 2
XRANGE s - + COUNT 0
XRANGE s - + COUNT -5
XRANGE s - + COUNT x
XRANGE s - + COUNT
XRANGE s - + COUNT 2 COUNT 1
XRANGE s - + FOO 1
XRANGE s 9 9
XRANGE s 9-4 9-5
XRANGE s (9-4 9-5
XRANGE s 9-4 (9-5
XRANGE s (- +
XRANGE s - (+
XRANGE s ( +
XRANGE s (18446744073709551615-18446744073709551615 +
XRANGE s - (0-0
XRANGE s x +
XRANGE s - x
XRANGE none - +
XRANGE none - + COUNT 0
XRANGE list - +
XREVRANGE s + -
XREVRANGE s + - COUNT 2
XREVRANGE s - +
XREVRANGE s (9-5 (9-1
XREVRANGE none + -
XREVRANGE list + -
XDEL s 9-4
XDEL s 9-4
XDEL s 9-4 x
XDEL s x
XDEL none 1
XDEL none x
XDEL list 1
XDEL s 9-5 9-6 77
XRANGE s - +
XADD s 10-1 a b c d
XADD s 10-2 a b c d
XADD s 10-3 a b c e
XADD s 11-3 100 200 -5 e
XTRIM s MAXLEN 3
XTRIM s MAXLEN ~ 0
XTRIM s MAXLEN ~ 0 LIMIT 1
XTRIM s MAXLEN 2 LIMIT 1
XTRIM s MAXLEN = 2
XTRIM s MINID 10-3
XTRIM s MINID ~ 11-0
XTRIM s FOO 5
XTRIM s MAXLEN
XTRIM s LIMIT 5
XTRIM none MAXLEN 5
XTRIM list MAXLEN 5
XTRIM s MAXLEN -1
XINFO STREAM s
XINFO STREAM s FULL
XSETID s 20-1
XSETID s 1-1
XSETID s 21 ENTRIESADDED 100
XSETID s 21 ENTRIESADDED 0
XSETID s 21 ENTRIESADDED -1
XSETID s 21 ENTRIESADDED 100 MAXDELETEDID 20-5
XSETID s 21 MAXDELETEDID 22
XSETID s 21 MAXDELETEDID
XSETID s x
XSETID none 1
XSETID list 1
XINFO STREAM s
XINFO STREAM none
XINFO STREAM list
XINFO STREAM s FOO
XINFO STREAM s FULL COUNT
XINFO STREAM s FULL COUNT x
XINFO STREAM s FULL COUNT 0
XINFO STREAM s FULL COUNT -1
XINFO STREAM s FULL FOO 1
XGROUP CREATE none g 0
XGROUP CREATE none g $ MKSTREAM
XGROUP CREATE none g $ MKSTREAM
XGROUP CREATE list g 0
XGROUP CREATE s g 0
XGROUP CREATE s g 0
XGROUP CREATE s h $ ENTRIESREAD 5
XGROUP CREATE s i $ ENTRIESREAD -1
XGROUP CREATE s j $ ENTRIESREAD -2
XGROUP CREATE s j $ ENTRIESREAD x
XGROUP CREATE s j x
XGROUP CREATE s j -
XGROUP CREATE s j 0 FOO
XGROUP CREATE s j 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM
XGROUP CREATE mk j x MKSTREAM
XGROUP CREATECONSUMER s g c
XGROUP CREATECONSUMER s g c
XGROUP CREATECONSUMER s none c
XGROUP CREATECONSUMER missing g c
XGROUP CREATECONSUMER list g c
XGROUP SETID s g 5
XGROUP SETID s g $
XGROUP SETID s g $ ENTRIESREAD 7
XGROUP SETID s g -
XGROUP SETID s g x
XGROUP SETID s none 5
XGROUP SETID missing g 5
XGROUP SETID s g 5 FOO
XGROUP SETID s g 0 ENTRIESREAD
XGROUP SETID s g 0
XGROUP DELCONSUMER s g c
XGROUP DELCONSUMER s g c
XGROUP DELCONSUMER s none c
XGROUP DESTROY s i
XGROUP DESTROY s i
XGROUP DESTROY missing i
XGROUP DESTROY list i
XREAD STREAMS s 0
XREAD STREAMS s $
XREAD STREAMS s >
XREAD STREAMS s none 0 0
XREAD COUNT 1 STREAMS s none 0 0
XREAD COUNT 0 STREAMS s 0
XREAD COUNT -1 STREAMS s 0
XREAD COUNT x STREAMS s 0
XREAD STREAMS s 0 1
XREAD STREAMS s x
XREAD STREAMS s -
XREAD STREAMS list 0
XREAD STREAMS s list 0 0
XREAD STREAMS none 0
XREAD BLOCK 10 STREAMS none 0
XREAD BLOCK -1 STREAMS none 0
XREAD BLOCK x STREAMS none 0
XREAD BLOCK 10 COUNT 3 STREAMS s $
XREAD GROUP g c STREAMS s 0
XREAD NOACK STREAMS s 0
XREAD FOO 1 STREAMS s 0
XREAD COUNT 1 COUNT 2
XREADGROUP GROUP g c STREAMS s >
XREADGROUP GROUP g c STREAMS s >
XREADGROUP GROUP g c STREAMS s 0
XREADGROUP GROUP g c STREAMS s 18446744073709551615-18446744073709551615
XREADGROUP GROUP g c COUNT 1 STREAMS s 0
XREADGROUP GROUP g d STREAMS s 0
XREADGROUP GROUP g c STREAMS s $
XREADGROUP GROUP none c STREAMS s >
XREADGROUP GROUP g c STREAMS missing >
XREADGROUP GROUP g c STREAMS list >
XREADGROUP GROUP g c STREAMS s x
XREADGROUP COUNT 1 NOACK NOACK STREAMS s >
XREADGROUP GROUP g c BLOCK 10 STREAMS s >
XADD s 30-1 a b
XADD s 30-2 a b
XADD s 30-3 a b
XADD s 30-4 a b
XREADGROUP GROUP g c COUNT 2 STREAMS s >
XREADGROUP GROUP g new NOACK COUNT 1 STREAMS s >
XREADGROUP GROUP g new NOACK STREAMS s >
XREADGROUP GROUP g d STREAMS s >
XINFO GROUPS s
XGROUP SETID s g 30-1
XREADGROUP GROUP g d STREAMS s >
XPENDING s g
XPENDING s h
XPENDING s none
XPENDING missing g
XPENDING list g
XPENDING s g - + 10
XPENDING s g - + 10 c
XPENDING s g - + 10 none
XPENDING s g - + 1
XPENDING s g - + 0
XPENDING s g - + -1
XPENDING s g (30-1 + 10
XPENDING s g - (30-3 10
XPENDING s g IDLE 100000 - + 10
XPENDING s g IDLE 0 - + 10 d
XPENDING s g IDLE x - + 10
XPENDING s g IDLE 0 - +
XPENDING s g - +
XPENDING s g x + 10
XPENDING s g - + x
XPENDING s none x + 10
XACK s g 30-1
XACK s g 30-1 30-2
XACK s g x
XACK s g 30-2 x
XACK s none 30-2
XACK missing g 30-2
XACK missing g x
XACK list g 30-2
XDEL s 30-3
XREADGROUP GROUP g d STREAMS s 0
XCLAIM s g e 0 30-4
XCLAIM s g e 0 30-4 JUSTID
XCLAIM s g e 0 30-4 RETRYCOUNT 7
XCLAIM s g e 100000 30-4
XCLAIM s g e 0 30-3
XCLAIM s g e 0 30-2
XCLAIM s g e 0 30-2 FORCE
XCLAIM s g e 0 30-1 FORCE JUSTID
XCLAIM s g f 0 30-1 30-2 30-3 99-9 IDLE 1000 RETRYCOUNT 3 FORCE JUSTID LASTID 30-9
XCLAIM s g f 0 99-9 LASTID 31-9
XCLAIM s g f 0 30-1 TIME 1000
XCLAIM s g f 0 30-1 TIME x
XCLAIM s g f 0 30-1 IDLE x
XCLAIM s g f 0 30-1 RETRYCOUNT x
XCLAIM s g f 0 30-1 LASTID x
XCLAIM s g f 0 30-1 FOO
XCLAIM s g f 0 FOO
XCLAIM s g f x 30-1
XCLAIM s g f -5 30-1 JUSTID
XCLAIM s none f 0 30-1
XCLAIM missing g f 0 30-1
XCLAIM list g f 0 30-1
XAUTOCLAIM s g h 0 -
XAUTOCLAIM s g h 0 - COUNT 1
XAUTOCLAIM s g h 0 30-2 COUNT 1 JUSTID
XAUTOCLAIM s g h 0 (30-1 COUNT 1
XAUTOCLAIM s g h 100000 -
XAUTOCLAIM s g h 0 + JUSTID
XAUTOCLAIM s g h 0 - COUNT 0
XAUTOCLAIM s g h 0 - COUNT x
XAUTOCLAIM s g h 0 - COUNT 1152921504606846975
XAUTOCLAIM s g h 0 - COUNT
XAUTOCLAIM s g h 0 - FOO
XAUTOCLAIM s g h x -
XAUTOCLAIM s g h 0 x
XAUTOCLAIM s none h 0 -
XAUTOCLAIM missing g h 0 -
XAUTOCLAIM list g h 0 -
XADD s 40-1 a b
XADD s 40-2 a b
XADD s 40-3 a b
XADD s 40-4 a b
XREADGROUP GROUP g c STREAMS s >
XDEL s 40-2 40-3
XAUTOCLAIM s g h 0 40 COUNT 2
XAUTOCLAIM s g h 0 40 COUNT 2
XAUTOCLAIM s g h 0 40 COUNT 2 JUSTID
XINFO GROUPS s
XINFO GROUPS none
XINFO GROUPS missing
XINFO GROUPS list
XINFO CONSUMERS s g
XINFO STREAM s FULL
XINFO CONSUMERS none g
XINFO CONSUMERS s none
XINFO CONSUMERS missing g
XINFO CONSUMERS list g
XGROUP DELCONSUMER s g h
XGROUP DELCONSUMER s g f
XGROUP DESTROY s g
COPY s t
XINFO STREAM t
DEL s t
EXISTS s
`

// TestStreamOracle compares the cases with redis, in both protocols.
func TestStreamOracle(t *testing.T) {
	for _, proto := range []int{2, 3} {
		d := newDuel(t, proto, StreamCommands, KeyCommands)
		d.setList("list")
		for _, line := range strings.Split(strings.TrimSpace(streamCases), "\n") {
			d.doLine(line)
		}
		for i := range 350 {
			d.do("XADD", "nodes", fmt.Sprint(1000+i*i*i, "-", i%3), "field", strconv.Itoa(i), "b", "")
			if i%7 == 0 {
				d.do("XINFO", "STREAM", "nodes")
			}
		}
		d.doLine("XRANGE nodes 2000 9000")
		d.doLine("XREVRANGE nodes 2000000 9000 COUNT 20")
		d.doLine("XTRIM nodes MAXLEN ~ 120")
		d.doLine("XINFO STREAM nodes")
		d.doLine("XADD nodes MINID ~ 42000000 99999999 a b")
		d.doLine("XINFO STREAM nodes FULL COUNT 300")
	}
}

// TestStreamRandom compares random commands with redis, on streams of small nodes.
func TestStreamRandom(t *testing.T) {
	d := newDuel(t, 2, StreamCommands, KeyCommands)
	d.want(d.redis.Do("CONFIG", "SET", "stream-node-max-entries", "5"))
	limits := types.DefaultLimits
	limits.StreamNodeEntries = 5
	d.ours.Env.Limits = &limits
	g := newGen(t)
	for range 6000 {
		d.do(g.streamCommand()...)
		if t.Failed() {
			return
		}
	}
}

func (g commandGen) streamID() string {
	return fmt.Sprint(g.IntN(60)) + g.pick("", "-0", "-1", "-2")
}

// streamCommand returns a random command.
func (g commandGen) streamCommand() []string {
	key, group, who := g.pick("s", "t"), g.pick("g", "h"), g.pick("a", "b", "c")
	ids := []string{g.streamID(), g.streamID(), g.streamID()}[:1+g.IntN(3)]
	trim := append([]string{g.pick("MAXLEN", "MINID")}, g.maybe(2, g.pick("~", "="))...)
	trim = append(trim, strconv.Itoa(g.IntN(40)))
	count := g.maybe(2, "COUNT", strconv.Itoa(g.IntN(6)))
	bounds := []string{g.pick("(", "") + g.streamID(), g.pick("(", "") + g.streamID()}
	if g.IntN(2) == 0 {
		bounds = []string{"-", "+"}
	}
	join := func(first []string, rest ...[]string) []string {
		for _, r := range rest {
			first = append(first, r...)
		}
		return first
	}
	switch g.IntN(22) {
	case 0:
		return join([]string{"XADD", key}, trim, []string{g.pick("0-*", "60", g.streamID()), "f", "v"})
	case 1:
		return join([]string{"XDEL", key}, ids)
	case 2:
		return join([]string{"XTRIM", key}, trim, g.maybe(3, "LIMIT", strconv.Itoa(g.IntN(9))))
	case 3:
		return join([]string{"XRANGE", key}, bounds, count)
	case 4:
		return join([]string{"XREVRANGE", key, bounds[1], bounds[0]}, count)
	case 5:
		return join([]string{"XREAD"}, count, []string{"STREAMS", "s", "t", g.streamID(), g.pick("$", "0")})
	case 6, 7, 8:
		return join([]string{"XREADGROUP", "GROUP", group, who}, count, g.maybe(4, "NOACK"),
			[]string{"STREAMS", key, g.pick(">", ">", ">", "0", g.streamID())})
	case 9:
		return join([]string{"XACK", key, group}, ids)
	case 10, 11:
		return join([]string{"XCLAIM", key, group, who, g.pick("0", "0", "1000000")}, ids, g.maybe(2, "FORCE"), g.maybe(2, "JUSTID"),
			g.maybe(3, "RETRYCOUNT", "9"), g.maybe(4, "LASTID", g.streamID()))
	case 12:
		return join([]string{"XAUTOCLAIM", key, group, who, g.pick("0", "1000000"), g.streamID()}, count, g.maybe(2, "JUSTID"))
	case 13:
		return []string{"XPENDING", key, group}
	case 14:
		return join([]string{"XINFO", g.pick("STREAM", "GROUPS"), key})
	case 18:
		return join([]string{"XINFO", "STREAM", key, "FULL"}, count)
	case 19:
		return join([]string{"XPENDING", key, group}, bounds, []string{"5"}, g.maybe(2, who))
	case 15:
		return []string{"XGROUP", g.pick("CREATE", "CREATE", "CREATE", "SETID"), key, group, g.pick("$", "0", g.streamID())}
	case 16:
		return []string{"XGROUP", g.pick("DELCONSUMER", "CREATECONSUMER"), key, group, who}
	case 17:
		if g.IntN(12) == 0 {
			return g.pickCommand([]string{"XGROUP", "DESTROY", key, group}, []string{"DEL", key}, []string{"COPY", "s", "t", "REPLACE"})
		}
	}
	return []string{"XADD", key, fmt.Sprint(g.IntN(60), "-*"), g.pick("f", "f", "g"), g.pick("v", "12", "-3000", "long value")}
}

func (g commandGen) pickCommand(list ...[]string) []string { return list[g.IntN(len(list))] }
