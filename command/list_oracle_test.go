package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

// listCases are run on both sides in order. str is a string.
const listCases = `RPUSH a 1 2 3
LPUSH a 0 -1
LRANGE a 0 -1
LPUSHX none 1
RPUSHX none 1
LPUSHX a x y
RPUSHX a z
LPUSH str 1
RPUSHX str 1
LLEN a
LLEN none
LLEN str
LRANGE a 1 2
LRANGE a -2 -1
LRANGE a -100 100
LRANGE a 5 2
LRANGE a 100 200
LRANGE a x 1
LRANGE a 1 x
LRANGE none 0 -1
LRANGE str 0 -1
LRANGE none x 1
LINDEX a 0
LINDEX a -1
LINDEX a 3
LINDEX a 100
LINDEX a -100
LINDEX a x
LINDEX none x
LINDEX none 0
LINDEX str x
LSET a 0 first
LSET a -1 last
LSET a 2 12345678901
LSET a 100 x
LSET a -100 x
LSET a x x
LSET none 0 x
LSET none x x
LSET str 0 x
LRANGE a 0 -1
LINSERT a BEFORE first zero
LINSERT a after first second
LINSERT a AFTER last end
LINSERT a Before 12345678901 int
LINSERT a BEFORE missing x
LINSERT a BESIDE first x
LINSERT none BEFORE a b
LINSERT none BESIDE a b
LINSERT str BEFORE a b
LRANGE a 0 -1
DEL b
RPUSH b a b a c a 1 01 1 a
LREM b 2 a
LREM b -1 a
LREM b 0 1
LREM b -9223372036854775808 a
LREM b x a
LREM none 0 a
LREM none x a
LREM str 0 a
LRANGE b 0 -1
LREM b 0 b
LREM b 0 c
LREM b 0 01
LREM b 0 01
RPUSH b 0 1 2 3 4 5 6 7 8 9
LTRIM b 1 -2
LRANGE b 0 -1
LTRIM b 0 -1
LTRIM b 0 100
LTRIM b x 1
LTRIM b 1 x
LTRIM none 0 1
LTRIM str 0 1
LTRIM b 3 2
RPUSH b 0 1 2
LTRIM b 5 10
RPUSH b 0 1 2
LTRIM b -100 -3
LRANGE b 0 -1
DEL p
RPUSH p a b c d 1 2 3 4 3 3 3 a
LPOS p a
LPOS p 3 RANK 2
LPOS p 3 RANK -1
LPOS p 3 RANK -2 COUNT 2
LPOS p 3 COUNT 0
LPOS p 3 COUNT 2
LPOS p 3 COUNT 0 RANK 2
LPOS p 3 COUNT 0 RANK 100
LPOS p 3 RANK 100
LPOS p 3 MAXLEN 3
LPOS p 3 COUNT 0 MAXLEN 9
LPOS p 3 RANK -1 COUNT 0 MAXLEN 4
LPOS p 3 RANK -9223372036854775808
LPOS p missing
LPOS p missing COUNT 0
LPOS p 3 RANK 0
LPOS p 3 RANK x
LPOS p 3 COUNT -1
LPOS p 3 COUNT x
LPOS p 3 MAXLEN -1
LPOS p 3 MAXLEN x
LPOS p 3 MAXLEN
LPOS p 3 FOO 1
LPOS p 3 RANK 1 RANK
LPOS none a
LPOS none a COUNT 1
LPOS none a RANK 0
LPOS str a
LPOS str a COUNT 2
LPOP p
RPOP p
LPOP p 2
RPOP p 2
LPOP p 0
RPOP p 0
LPOP p -1
LPOP p x
LPOP p 1 2
RPOP p 1 2
LPOP none
LPOP none 2
LPOP none 0
LPOP none x
RPOP none
RPOP none 0
LPOP str
LPOP str 1
LPOP str 0
LPOP p 100
LPOP p
RPUSH p only
RPOP p
RPUSH p only
RPOP p 1
DEL c d
RPUSH c 1 2 3
LMOVE c d LEFT RIGHT
LMOVE c d right left
LMOVE c d RIGHT RIGHT
LRANGE d 0 -1
LMOVE d d LEFT RIGHT
LMOVE d d LEFT LEFT
LMOVE d d RIGHT LEFT
LRANGE d 0 -1
LMOVE none d LEFT RIGHT
LMOVE none d UP RIGHT
LMOVE d c LEFT DOWN
LMOVE str d LEFT RIGHT
LMOVE d str LEFT RIGHT
LMOVE none str LEFT RIGHT
RPOPLPUSH d c
RPOPLPUSH d d
RPOPLPUSH none c
RPOPLPUSH none str
RPOPLPUSH str c
RPOPLPUSH d str
DEL c d
RPUSH c 1
LMOVE c c LEFT RIGHT
RPOPLPUSH c c
RPOPLPUSH c d
RPOPLPUSH c d
RPUSH c 1 2 3 4 5 6 7 8
LMPOP 1 c LEFT
LMPOP 2 none c RIGHT COUNT 2
LMPOP 2 c none LEFT COUNT 100
LMPOP 2 c none LEFT
LMPOP 2 str c LEFT
LMPOP 0 c LEFT
LMPOP -1 c LEFT
LMPOP x c LEFT
LMPOP 1 c
LMPOP 1 c UP
LMPOP 2 c LEFT
LMPOP 100 c LEFT
LMPOP 1 c LEFT COUNT
LMPOP 1 c LEFT COUNT 0
LMPOP 1 c LEFT COUNT -1
LMPOP 1 c LEFT COUNT x
LMPOP 1 c LEFT COUNT 1 COUNT 2
LMPOP 1 c LEFT FOO 1
RPUSH c 1 2 3 4 5 6 7 8
BLPOP none c 0
BRPOP c none 1.5
BLPOP c none x
BLPOP c -1
BLPOP none str c 0
BLMPOP 0 2 none c LEFT
BLMPOP 0 1 c RIGHT COUNT 2
BLMPOP x 1 c RIGHT
BLMPOP x 0 c RIGHT
BLMPOP -1 1 c RIGHT
BLMPOP 0 1 c RIGHT COUNT 0
BLMOVE c d LEFT RIGHT 0
BLMOVE c d LEFT RIGHT x
BLMOVE c d LEFT DOWN x
BLMOVE c str LEFT RIGHT 0
BLMOVE str c LEFT RIGHT 0
BRPOPLPUSH c d 0
BRPOPLPUSH c d -1
BRPOPLPUSH c c 0
BLMPOP 0 1 c RIGHT COUNT 100
RPUSH c 1
BLPOP c 0
RPUSH c 1
BLMOVE c c LEFT RIGHT 0
COPY a e
LRANGE e 0 -1
RENAME e f
TYPE f
OBJECT ENCODING f
EXPIRE f 1000
LPUSH f x
LTRIM f 1 0
DEL a b c d p
LPUSH
LPUSH a
LPOP
LSET a 0
`

func newListDuel(t *testing.T, proto int) *duel {
	d := newDuel(t, proto, ListCommands, KeyCommands, ExpireCommands, StringCommands, ObjectCommands)
	d.doLine("SET str value")
	return d
}

func TestListsLikeRedis(t *testing.T) {
	for proto := 2; proto <= 3; proto++ {
		t.Run(fmt.Sprint("RESP", proto), func(t *testing.T) {
			d := newListDuel(t, proto)
			for line := range strings.Lines(listCases) {
				d.doLine(strings.TrimSuffix(line, "\n"))
			}
		})
	}
}

// TestRandomListsLikeRedis changes lists on both sides, with nodes of several sizes, compressed and not.
func TestRandomListsLikeRedis(t *testing.T) {
	g := newGen(t)
	d := newListDuel(t, 2+g.IntN(2))
	for _, size := range []int{-2, 1, 3, -1} {
		depth := g.IntN(3)
		d.want(d.redis.Do("CONFIG", "SET", "list-max-listpack-size", strconv.Itoa(size), "list-compress-depth", strconv.Itoa(depth)))
		env, lim := *d.ours.Env, types.DefaultLimits
		lim.ListListpackSize, lim.ListCompressDepth = size, depth
		env.Limits = &lim
		d.ours.Env = &env
		for range 700 {
			d.do(g.listCommand()...)
			if t.Failed() {
				return
			}
		}
		for _, key := range listKeys {
			d.do("LRANGE", key, "0", "-1")
		}
	}
}

var listKeys = []string{"a", "b", "c", "{t}1", "{t}2"}

func (g commandGen) listCommand() []string {
	key := func() string {
		if g.IntN(40) == 0 {
			return g.pick("str", "none")
		}
		return g.pick(listKeys...)
	}
	elem := func() string {
		switch g.IntN(10) {
		case 0:
			return g.pick("", "01", "-0", "9223372036854775808", "9223372036854775807", "-9223372036854775808", strings.Repeat("x", 300), strings.Repeat("y", 5000))
		case 1, 2:
			return strings.Repeat(g.pick("a", "b", "c"), g.IntN(70))
		}
		return strconv.Itoa(g.IntN(12) - 2)
	}
	elems := func() (w []string) {
		for range 1 + g.IntN(12) {
			w = append(w, elem())
		}
		return w
	}
	index := func() string { return strconv.Itoa(g.IntN(30) - 15) }
	end := func() string { return g.pick("LEFT", "RIGHT") }
	cat := func(name string, rest ...[]string) []string { return append([]string{name}, slices.Concat(rest...)...) }
	switch g.IntN(17) {
	case 0, 1, 2, 3:
		return cat(g.pick("LPUSH", "RPUSH", "LPUSHX", "RPUSHX"), []string{key()}, elems())
	case 4:
		return cat(g.pick("LPOP", "RPOP"), []string{key()}, g.maybe(2, strconv.Itoa(g.IntN(9))))
	case 5:
		return []string{"LRANGE", key(), index(), index()}
	case 6:
		return []string{"LINDEX", key(), index()}
	case 7, 8:
		return []string{"LSET", key(), index(), elem()}
	case 9, 10:
		return []string{"LINSERT", key(), g.pick("BEFORE", "AFTER"), elem(), elem()}
	case 11:
		return []string{"LREM", key(), strconv.Itoa(g.IntN(7) - 3), elem()}
	case 12:
		if g.IntN(3) > 0 {
			return []string{"LRANGE", key(), "0", "-1"}
		}
		return []string{"LTRIM", key(), strconv.Itoa(g.IntN(4)), strconv.Itoa(-1 - g.IntN(4))}
	case 13:
		return cat("LPOS", []string{key(), elem()}, g.maybe(2, "RANK", g.pick("1", "2", "-1", "-3")),
			g.maybe(2, "COUNT", strconv.Itoa(g.IntN(4))), g.maybe(2, "MAXLEN", strconv.Itoa(g.IntN(20))))
	case 14:
		return []string{"LMOVE", key(), key(), end(), end()}
	case 15:
		return cat("LMPOP", []string{"2", key(), key(), end()}, g.maybe(2, "COUNT", strconv.Itoa(1+g.IntN(9))))
	}
	return []string{g.pick("RPOPLPUSH"), key(), key()}
}

func TestListCommandsMakeNoGarbage(t *testing.T) {
	c := newTestCtx(t, ListCommands)
	c.do("RPUSH", "l", "a", "b", "1", "2", "3")
	c.allocs("RPUSH", "l", "some element")
	c.allocs("LPOP", "l")
	c.allocs("LPUSH", "l", "some element")
	c.allocs("RPOP", "l")
	c.allocs("LRANGE", "l", "0", "-1")
	c.allocs("LINDEX", "l", "2")
	c.allocs("LSET", "l", "2", "other")
	c.allocs("LMOVE", "l", "l", "LEFT", "RIGHT")
	c.allocs("LPOS", "l", "b")
}
