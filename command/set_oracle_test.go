package command

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

// anyOrder names the commands whose reply is a set in the order of a hash table.
var anyOrder = []string{"HGETALL", "HKEYS", "HVALS", "SMEMBERS", "SINTER", "SUNION", "SDIFF", "SSCAN", "ZSCAN", "SPOP", "SRANDMEMBER"}

// sameInAnyOrder compares the replies of such a command as bags of lines. Members with line ends are cut alike.
func sameInAnyOrder(name, a, b string) bool {
	if !slices.Contains(anyOrder, name) {
		return false
	}
	x, y := strings.Split(a, "\r\n"), strings.Split(b, "\r\n")
	return x[0] == y[0] && slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y)))
}

const setCases = `
SADD s a b c
SADD s a
SADD s a d
SADD i 3 1 2
SADD i 2
SADD i -5 70000 5000000000
SADD i 01
SADD big 9223372036854775807 -9223372036854775808
SADD big 9223372036854775808
SADD one 1
SADD empty 
SADD list x
SADD s
SCARD s
SCARD none
SCARD list
SCARD s x
SISMEMBER s a
SISMEMBER s x
SISMEMBER i 70000
SISMEMBER i 01
SISMEMBER i +1
SISMEMBER one 1
SISMEMBER one 01
SISMEMBER none x
SISMEMBER list x
SMISMEMBER s a x b
SMISMEMBER one 1 2 a
SMISMEMBER none x y
SMISMEMBER list x y
SMISMEMBER s
SMEMBERS s
SMEMBERS one
SMEMBERS none
SMEMBERS list
SREM s x
SREM s a x b
SREM none x
SREM list x
SREM one x 1 2
SADD one 5 3 4
SMEMBERS one
SREM one 3 4 5 6
SREM s c d
SADD ints 1 2 3
SMOVE ints other 1
SMOVE ints other 9
SMOVE ints ints 2
SMOVE ints ints 9
SMOVE ints list 2
SMOVE none list 2
SMOVE list ints 2
SMOVE none other 2
SADD other 2
SMOVE ints other 2
SMOVE ints s2 3
SMOVE s2 none3 3
SMOVE other none3 x
SADD one 7
SPOP one
SPOP one
SPOP list
SPOP none 5
SPOP list 5
SPOP none x
SPOP none -1
SPOP list -1
SPOP s 1 2
SADD one 1 2 3
SPOP one 0
SPOP one 3
SADD one 1 2 3
SPOP one 100
SADD one a
SPOP one 9223372036854775807
SPOP one 9223372036854775808
SADD one x
SRANDMEMBER one
SRANDMEMBER none
SRANDMEMBER list
SRANDMEMBER one 1
SRANDMEMBER one 5
SRANDMEMBER one 0
SRANDMEMBER one -3
SRANDMEMBER none -3
SRANDMEMBER none 3
SRANDMEMBER none x
SRANDMEMBER list 3
SRANDMEMBER list x
SRANDMEMBER one 1 2
SRANDMEMBER one -9223372036854775808
SRANDMEMBER none -9223372036854775808
SRANDMEMBER one -9223372036854775809
SRANDMEMBER one 9223372036854775807
SADD x 1 2 3 4 5
SADD y 4 5 6
SADD z a 4 b
SADD w w v
SINTER x
SINTER x y
SINTER x y z
SINTER x x
SINTER x w
SINTER x none
SINTER none list
SINTER list none
SINTER none
SINTER x y list
SUNION x
SUNION x y
SUNION y x none
SUNION x y z w
SUNION none
SUNION none list
SUNION x x
SDIFF x
SDIFF x y
SDIFF x y z
SDIFF x x
SDIFF x none
SDIFF none x
SDIFF none list
SDIFF x list
SDIFF z x
SDIFF x y x
SINTERSTORE d x y
SINTERSTORE d x z
SINTERSTORE d x w
SINTERSTORE d x w
SINTERSTORE d x none
SINTERSTORE d x list
SINTERSTORE list x y
SINTERSTORE list none list
SINTERSTORE x x y
SUNIONSTORE d x y
SUNIONSTORE d x z
SUNIONSTORE d none
SUNIONSTORE d none list
SUNIONSTORE x x y z
SDIFFSTORE d x z
SDIFFSTORE d x x
SDIFFSTORE d none x
SDIFFSTORE d x list
SDIFFSTORE d x none
SDIFFSTORE x x y
EXPIRE d 1000
SUNIONSTORE d x y
SADD d 12345
EXPIRE d 1000
SADD d 123456
SREM d 12345
SMOVE x d 4
SET string v
SADD string x
SUNIONSTORE string x y
SINTERCARD 1 x
SINTERCARD 2 x y
SINTERCARD 2 x y LIMIT 1
SINTERCARD 2 x y LIMIT 0
SINTERCARD 2 x y limit 100
SINTERCARD 2 x y LIMIT 1 LIMIT 5
SINTERCARD 2 x y LIMIT -1
SINTERCARD 2 x y LIMIT x
SINTERCARD 2 x y LIMIT
SINTERCARD 2 x y NOPE 1
SINTERCARD 2 x y z
SINTERCARD 2 x none
SINTERCARD 2 none list
SINTERCARD 3 x y
SINTERCARD 0 x
SINTERCARD -1 x
SINTERCARD x x
SINTERCARD 1.5 x
SINTERCARD 2
SSCAN x 0
SSCAN y 0 MATCH 5
SSCAN z 0 MATCH [ab]
SSCAN z 0 COUNT 0
SSCAN z 0 COUNT x
SSCAN z 0 COUNT
SSCAN z 0 TYPE set
SSCAN z x
SSCAN none x
SSCAN none 0 BAD
SSCAN none 0
SSCAN list 0
SSCAN list 0 BAD
SSCAN list x
SSCAN i 18446744073709551616
SADD e 1
SPOP e
EXISTS e
TYPE x
COPY x c1
SMEMBERS c1
COPY z c2
SMEMBERS c2
RENAME c2 c3
SMEMBERS c3
SADD c3 1 2 3 4
SMEMBERS z
DEL c1 c3
OBJECT ENCODING x
`

func TestSetsLikeRedis(t *testing.T) {
	for proto := 2; proto <= 3; proto++ {
		t.Run(fmt.Sprint("RESP", proto), func(t *testing.T) {
			d := newSetDuel(t, proto)
			d.setList("list")
			for line := range strings.Lines(setCases) {
				if line = strings.TrimSuffix(line, "\n"); line != "" {
					d.doLine(line)
				}
			}
		})
	}
}

func newSetDuel(t *testing.T, proto int) *duel {
	return newDuel(t, proto, SetCommands, KeyCommands, ExpireCommands, StringCommands, ObjectCommands)
}

// TestRandomSetsLikeRedis takes sets through all conversions on both sides, at several limits of an intset.
func TestRandomSetsLikeRedis(t *testing.T) {
	g := newGen(t)
	d := newSetDuel(t, 2+g.IntN(2))
	d.setList("list")
	for _, limit := range []int{512, 0, 1, 8} {
		d.want(d.redis.Do("CONFIG", "SET", "set-max-intset-entries", strconv.Itoa(limit)))
		env, lim := *d.ours.Env, types.DefaultLimits
		lim.SetIntsetEntries = limit
		env.Limits = &lim
		d.ours.Env = &env
		for range 600 {
			d.do(g.setCommand()...)
			if t.Failed() {
				return
			}
		}
		for _, key := range setKeys {
			d.do("SMEMBERS", key)
		}
	}
}

var setKeys = []string{"a", "b", "c", "d", "e", "{t}1", "{t}2"}

func (g commandGen) setCommand() []string {
	key := func() string {
		if g.IntN(40) == 0 {
			return g.pick("list", "none")
		}
		return g.pick(setKeys...)
	}
	member := func() string {
		switch g.IntN(12) {
		case 0:
			return g.pick("a", "b", "", "01", "+1", "-0", "9223372036854775808", strings.Repeat("x", 300))
		case 1:
			return g.pick("32767", "32768", "-32769", "2147483648", "9223372036854775807", "-9223372036854775808")
		}
		return strconv.Itoa(g.IntN(14) - 2)
	}
	words := func(n int, f func() string) (w []string) {
		for range 1 + g.IntN(n) {
			w = append(w, f())
		}
		return w
	}
	cat := func(name string, rest ...[]string) []string { return append([]string{name}, slices.Concat(rest...)...) }
	switch g.IntN(16) {
	case 0, 1, 2, 3:
		return cat("SADD", []string{key()}, words(6, member))
	case 4, 5:
		return cat("SREM", []string{key()}, words(6, member))
	case 6:
		return cat("SMISMEMBER", []string{key()}, words(6, member))
	case 7:
		return []string{"SMOVE", key(), key(), member()}
	case 8:
		return cat(g.pick("SINTER", "SUNION", "SDIFF"), words(5, key))
	case 9:
		return cat(g.pick("SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"), []string{key()}, words(3, key))
	case 10:
		keys := words(3, key)
		return cat("SINTERCARD", []string{strconv.Itoa(len(keys))}, keys, g.maybe(2, "LIMIT", strconv.Itoa(g.IntN(4))))
	case 11:
		return []string{g.pick("SCARD", "SMEMBERS", "SMEMBERS", "TYPE"), key()}
	case 12:
		return []string{g.pick("SPOP", "SRANDMEMBER"), key(), g.pick("100", "0", "-1x")}
	case 13:
		return []string{"SISMEMBER", key(), member()}
	case 14:
		return []string{"COPY", g.pick(setKeys...), g.pick(setKeys...), "REPLACE"}
	}
	return []string{g.pick("DEL", "PERSIST", "SMEMBERS"), key()}
}

// What SPOP takes, SRANDMEMBER replies and both tell replicas must fit together, whatever is drawn.
func TestDrawnMembers(t *testing.T) {
	for _, prefix := range []string{"", "m"} {
		c := newTestCtx(t, SetCommands)
		all := []string{"SADD", "k"}
		for i := range 100 {
			all = append(all, prefix+strconv.Itoa(i))
		}
		c.do(all...)
		left := slices.Clone(all[2:])
		take := func(m string) {
			t.Helper()
			i := slices.Index(left, m)
			if i < 0 {
				t.Fatalf("%q is not there (any more)", m)
			}
			left = slices.Delete(left, i, i+1)
		}
		take(bulk(c.do("SPOP", "k")))
		if want := "SREM k "; len(c.log) != 1 || !strings.HasPrefix(c.log[0], want) {
			t.Fatalf("SPOP propagated %q", c.log)
		}
		for _, n := range []int{1, 3, 30} {
			members := elements([]byte(c.do("SPOP", "k", strconv.Itoa(n))))
			var log []string
			for _, m := range members {
				take(m)
				log = append(log, "SREM k "+m)
			}
			if len(members) != n || !slices.Equal(c.log, log) {
				t.Fatalf("SPOP of %d replied %q and propagated %q", n, members, c.log)
			}
		}
		for _, n := range []int{1, 2, 20, 30, 60} {
			members := elements([]byte(c.do("SRANDMEMBER", "k", strconv.Itoa(n))))
			seen := map[string]bool{}
			for _, m := range members {
				if seen[m] || !slices.Contains(left, m) {
					t.Fatalf("SRANDMEMBER %d replied %q", n, members)
				}
				seen[m] = true
			}
			if len(seen) != n {
				t.Fatalf("SRANDMEMBER of %d replied %d", n, len(seen))
			}
		}
		for _, m := range elements([]byte(c.do("SRANDMEMBER", "k", "-300"))) {
			if !slices.Contains(left, m) {
				t.Fatalf("SRANDMEMBER replied %q", m)
			}
		}
		if got := c.do("SCARD", "k"); got != fmt.Sprintf(":%d\r\n", len(left)) {
			t.Fatalf("%d are left, SCARD replies %q", len(left), got)
		}
	}
}

// SSCAN meets every member that is there all the time, whatever happens meanwhile.
func TestSScanWhileTheSetChanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := newTestCtx(t, SetCommands)
	stay := map[string]bool{}
	for i := range 300 {
		m := "stay" + strconv.Itoa(i)
		stay[m] = true
		c.do("SADD", "k", m)
	}
	for round := range 20 {
		left := map[string]bool{}
		for m := range stay {
			left[m] = true
		}
		cursor := "0"
		for {
			reply := c.do("SSCAN", "k", cursor, "COUNT", "7")
			parts := elements([]byte(reply))
			cursor = parts[0]
			for _, m := range parts[1:] {
				delete(left, m)
			}
			if cursor == "0" {
				break
			}
			for range rng.IntN(40) {
				m := "go" + strconv.Itoa(rng.IntN(1500))
				if round%2 == 0 {
					c.do("SADD", "k", m)
				} else {
					c.do("SREM", "k", m)
				}
			}
		}
		if len(left) > 0 {
			t.Fatalf("round %d: a scan missed %d members", round, len(left))
		}
	}
}

func TestSetCommandsMakeNoGarbage(t *testing.T) {
	c := newTestCtx(t, SetCommands)
	for _, prefix := range []string{"", "m"} {
		for _, key := range []string{"a", "b", "c"} {
			for i := range 200 {
				c.do("SADD", prefix+key, prefix+strconv.Itoa(i*len(key)))
			}
		}
		a, b, x := prefix+"a", prefix+"b", prefix+"c"
		c.allocs("SADD", a, prefix+"1", prefix+"2")
		c.allocs("SREM", a, "none")
		c.allocs("SISMEMBER", a, prefix+"1")
		c.allocs("SMEMBERS", a)
		c.allocs("SINTER", a, b, x)
		c.allocs("SUNION", a, b)
		c.allocs("SDIFF", a, b)
		c.allocs("SRANDMEMBER", a, "5")
	}
}
