package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

const zsetCases = `
ZADD z 1 a
ZADD z 1 a
ZADD z 2 a 3 b 2.5 c
ZADD z CH 2 a 4 b 1 d
ZADD z NX 9 a 9 e
ZADD z XX 9 a 9 nosuch
ZADD z XX CH 8 a 9 nosuch
ZADD z GT CH 1 a 9 b
ZADD z LT CH 1 a 9 b
ZADD z GT NX 1 a
ZADD z LT NX 1 a
ZADD z GT LT 1 a
ZADD z NX XX 1 a
ZADD z GT XX 100 a
ZADD z INCR 5 a
ZADD z INCR 5 a 6 b
ZADD z NX INCR 5 a
ZADD z NX INCR 5 n
ZADD z XX INCR 5 none
ZADD z GT INCR -5 a
ZADD z LT INCR -5 a
ZADD z nx 1 a
ZADD z
ZADD z 1
ZADD z 1 a 2
ZADD z NX
ZADD z NX CH
ZADD z x a
ZADD z 1 a x b
ZADD z nan a
ZADD z inf a -inf b +inf c infinity d
ZADD z INCR -inf a
ZINCRBY z inf b
ZINCRBY z 1 b
ZADD z 0x10 h 0x1p4 h2 1e3 e3 .5 p 5. q 1e-3 r 0x.8 s 0XA t
ZADD z 1e400 big
ZADD z 1e-400 small
ZADD z 5e-324 small
ZADD z -0 zero
ZSCORE z zero
ZADD z 0 zero
ZADD z INCR -0 zero
ZADD z2 INCR -0 zero
ZSCORE z2 zero
ZADD z 1_000 u
ZADD z 1e
ZADD z 1e x
ZADD z 0x x
ZADD z 0x1p x
ZADD z . x
ZADD z + x
ZADD z ++1 x
ZADD z  x
ZADD z 3 
ZADD list 1 a
ZADD none XX 1 a
ZADD none XX INCR 1 a
ZADD none XX CH 1 a
ZADD none NX CH 1 a
DEL none z2
ZRANGE z 0 -1 WITHSCORES
ZRANGEBYSCORE z -inf inf WITHSCORES
ZINCRBY z 1.5 a
ZINCRBY z 1.5 new
ZINCRBY z x new
ZINCRBY z NX new
ZINCRBY z ch gt
ZINCRBY z nan new
ZINCRBY list 1 new
ZINCRBY z 1 
ZINCRBY fresh -2.25 m
ZSCORE fresh m
ZSCORE z a
ZSCORE z nosuch
ZSCORE none a
ZSCORE list a
ZMSCORE z a nosuch b zero
ZMSCORE none a b
ZMSCORE list a
ZCARD z
ZCARD none
ZCARD list
ZADD p 3.14159265358979 pi 0.1 tenth 1e17 e17 1e16 e16 123456789012345678 big 1e300 huge 1e-7 tiny 0.0001 small 100000 round 9007199254740993 odd 4611686018427387904 p62 4611686018427387905 p62b 9223372036854775807 max -9223372036854775808 min 1e21 e21 -1.5 neg 33.333333333333336 third
ZRANGE p 0 -1 WITHSCORES
ZSCAN p 0 COUNT 100
ZSCORE p e17
ZSCORE p e16
ZSCORE p big
ZSCORE p p62
ZSCORE p max
ZADD r 1 a 2 b 3 c 4 d 5 e
ZRANGE r 0 -1
ZRANGE r 1 2
ZRANGE r -2 -1
ZRANGE r -100 100
ZRANGE r 3 1
ZRANGE r 5 9
ZRANGE r 0 0 WITHSCORES
ZRANGE r 1 3 REV
ZRANGE r 1 3 REV WITHSCORES
ZRANGE r 0 -1 WITHSCORES REV
ZRANGE r 2 4 BYSCORE
ZRANGE r 4 2 BYSCORE
ZRANGE r 4 2 BYSCORE REV
ZRANGE r 2 4 BYSCORE REV
ZRANGE r (2 (5 BYSCORE WITHSCORES
ZRANGE r -inf +inf BYSCORE LIMIT 1 2
ZRANGE r +inf -inf BYSCORE LIMIT 1 2 REV
ZRANGE r +inf -inf BYSCORE LIMIT 1 -1 REV WITHSCORES
ZRANGE r -inf +inf BYSCORE LIMIT 0 0
ZRANGE r -inf +inf BYSCORE LIMIT 10 2
ZRANGE r -inf +inf BYSCORE LIMIT -1 2
ZRANGE r -inf +inf BYSCORE LIMIT 1 -5
ZRANGE r 0 -1 LIMIT 0 1
ZRANGE r 0 -1 LIMIT 0 -1
ZRANGE r 0 -1 LIMIT 5 -1
ZRANGE r 0 -1 LIMIT x -1
ZRANGE r 0 -1 LIMIT 1
ZRANGE r 0 -1 BYSCORE BYLEX
ZRANGE r 0 -1 BYSCORE BYSCORE
ZRANGE r 0 -1 REV REV
ZRANGE r - + BYLEX WITHSCORES
ZRANGE r 0 x
ZRANGE r x 0
ZRANGE r 0 1 NOSUCH
ZRANGE r x 0 BYSCORE
ZRANGE r x 0 BYLEX
ZRANGE none 0 -1
ZRANGE none 0 -1 WITHSCORES
ZRANGE list 0 -1
ZRANGE list 0 x
ZRANGE r -1 -100
ZRANGE r -9223372036854775808 9223372036854775807
ZRANGE r 9223372036854775807 -9223372036854775808
ZREVRANGE r 0 -1
ZREVRANGE r 0 1 WITHSCORES
ZREVRANGE r 1 -2
ZREVRANGE r 0 1 REV
ZREVRANGE r 0 1 BYSCORE
ZREVRANGE none 0 1
ZREVRANGE list 0 1
ZRANGEBYSCORE r 2 4
ZRANGEBYSCORE r (2 4
ZRANGEBYSCORE r 2 (4
ZRANGEBYSCORE r (2 (4
ZRANGEBYSCORE r (2 (2
ZRANGEBYSCORE r 2 2
ZRANGEBYSCORE r -inf +inf
ZRANGEBYSCORE r (-inf (+inf
ZRANGEBYSCORE r 2 4 WITHSCORES LIMIT 1 1
ZRANGEBYSCORE r 2 4 LIMIT 1 1 WITHSCORES
ZRANGEBYSCORE r 2 4 LIMIT 1
ZRANGEBYSCORE r 2 4 LIMIT a 1
ZRANGEBYSCORE r 2 4 REV
ZRANGEBYSCORE r str 4
ZRANGEBYSCORE r 1 str
ZRANGEBYSCORE r 1 nan
ZRANGEBYSCORE r 1 (nan
ZRANGEBYSCORE r  4
ZRANGEBYSCORE r ( 4
ZRANGEBYSCORE r 1 1e999
ZRANGEBYSCORE r -1e999 1e-999
ZRANGEBYSCORE r 1 0x4
ZRANGEBYSCORE r 1 4x
ZRANGEBYSCORE r ((1 4
ZREVRANGEBYSCORE r 4 2
ZREVRANGEBYSCORE r 2 4
ZREVRANGEBYSCORE r +inf -inf WITHSCORES LIMIT 1 2
ZREVRANGEBYSCORE r +inf (3
ZREVRANGEBYSCORE none 4 2
ZREVRANGEBYSCORE list 4 2
ZCOUNT r 2 4
ZCOUNT r (2 +inf
ZCOUNT r 4 2
ZCOUNT r x 2
ZCOUNT none 1 2
ZCOUNT list 1 2
ZCOUNT list x 2
ZADD l 0 aa 0 ab 0 b 0 c 0 ca 0 d 0 10 0 9 0 
ZRANGEBYLEX l - +
ZRANGEBYLEX l + -
ZRANGEBYLEX l - -
ZRANGEBYLEX l + +
ZRANGEBYLEX l [b +
ZRANGEBYLEX l (b +
ZRANGEBYLEX l - [b
ZRANGEBYLEX l - (b
ZRANGEBYLEX l [a (c
ZRANGEBYLEX l [c [c
ZRANGEBYLEX l [c (c
ZRANGEBYLEX l [d [a
ZRANGEBYLEX l [ (zz
ZRANGEBYLEX l ( (zz
ZRANGEBYLEX l [b + LIMIT 1 2
ZRANGEBYLEX l - + LIMIT -1 2
ZRANGEBYLEX l - + LIMIT 2 -1
ZRANGEBYLEX l b +
ZRANGEBYLEX l - x
ZRANGEBYLEX l -x +
ZRANGEBYLEX l - +x
ZRANGEBYLEX l  +
ZRANGEBYLEX l - + WITHSCORES
ZRANGEBYLEX l - + BYSCORE
ZRANGEBYLEX none - +
ZRANGEBYLEX list - +
ZREVRANGEBYLEX l + -
ZREVRANGEBYLEX l [c (aa
ZREVRANGEBYLEX l - +
ZREVRANGEBYLEX l + - LIMIT 1 3
ZREVRANGEBYLEX none + -
ZRANGE l - + BYLEX
ZRANGE l + - BYLEX REV LIMIT 1 2
ZRANGE l [b [d BYLEX
ZLEXCOUNT l - +
ZLEXCOUNT l [b (d
ZLEXCOUNT l + -
ZLEXCOUNT l x -
ZLEXCOUNT none - +
ZLEXCOUNT list - +
ZRANK r a
ZRANK r c
ZRANK r nosuch
ZRANK none a
ZRANK list a
ZREVRANK r a
ZREVRANK r e
ZREVRANK r nosuch
ZREVRANK none a
ZREVRANK list a
ZRANGESTORE d r 0 -1
ZRANGESTORE d r 1 2
ZRANGESTORE d r 1 2 REV
ZRANGE d 0 -1 WITHSCORES
ZRANGESTORE d r 2 4 BYSCORE
ZRANGESTORE d r 4 2 BYSCORE REV LIMIT 0 1
ZRANGESTORE d l [b + BYLEX
ZRANGESTORE d r 9 10 BYSCORE
ZRANGESTORE d none 0 -1
ZRANGESTORE d r 0 -1 WITHSCORES
ZRANGESTORE d list 0 -1
ZRANGESTORE list none 0 -1
ZRANGESTORE list none 0 -1
ZRANGESTORE r r 0 -1
ZRANGESTORE r r 1 3
ZRANGESTORE d r x 1
ZRANGESTORE d r 0 1 LIMIT 1 1
SADD set 1 2 a b c
SADD ints 1 2 3
ZADD u1 1 a 2 b 3 c 4 1
ZADD u2 10 b 20 c 30 d 40 2
ZADD u3 inf a -inf b 0 c
ZUNION 2 u1 u2
ZUNION 2 u1 u2 WITHSCORES
ZUNION 2 u1 u2 WITHSCORES WEIGHTS 2 3
ZUNION 2 u1 u2 WEIGHTS 2 3 AGGREGATE MIN WITHSCORES
ZUNION 2 u1 u2 AGGREGATE MAX WITHSCORES
ZUNION 2 u1 u2 aggregate sum withscores
ZUNION 3 u1 set u2 WITHSCORES
ZUNION 2 set ints WITHSCORES
ZUNION 5 u1 set u2 ints u3 WITHSCORES
ZUNION 5 u1 set u2 ints u3 WITHSCORES WEIGHTS 1 2 3 -inf 0
ZUNION 2 u1 u3 WEIGHTS 1 -1 WITHSCORES
ZUNION 2 u3 u3 WEIGHTS 1 -1 WITHSCORES
ZUNION 2 u3 u3 WEIGHTS 0 1 WITHSCORES
ZUNION 1 none
ZUNION 2 none u1 WITHSCORES
ZUNION 2 u1 list
ZUNION 2 u1 list NOSUCH
ZUNION 2 u1 u2 NOSUCH
ZUNION 2 u1 u2 WEIGHTS 1
ZUNION 2 u1 u2 WEIGHTS 1 x
ZUNION 2 u1 u2 AGGREGATE
ZUNION 2 u1 u2 AGGREGATE NOSUCH
ZUNION 0 u1
ZUNION -1 u1
ZUNION x u1
ZUNION 3 u1 u2
ZUNION 1 u1 u2
ZUNION 2 u1 u1 WITHSCORES
ZINTER 2 u1 u2
ZINTER 2 u1 u2 WITHSCORES
ZINTER 2 u1 u2 WITHSCORES WEIGHTS 2 3 AGGREGATE MIN
ZINTER 2 u1 u2 WITHSCORES WEIGHTS 2 3 AGGREGATE MAX
ZINTER 3 u1 u2 set WITHSCORES
ZINTER 2 set ints WITHSCORES
ZINTER 2 u1 none WITHSCORES
ZINTER 2 none list
ZINTER 2 u1 u3 WITHSCORES
ZINTER 2 u3 u1 WITHSCORES WEIGHTS 0 1
ZINTER 2 u3 u3 WITHSCORES WEIGHTS 1 -1
ZINTER 1 u1 WITHSCORES
ZDIFF 2 u1 u2
ZDIFF 2 u1 u2 WITHSCORES
ZDIFF 3 u1 u2 set WITHSCORES
ZDIFF 2 set u1 WITHSCORES
ZDIFF 2 u1 u1
ZDIFF 2 none u1
ZDIFF 1 u1 WITHSCORES
ZDIFF 2 u1 u2 WEIGHTS 1 2
ZDIFF 2 u1 list
ZDIFF 0 u1
ZINTERCARD 2 u1 u2
ZINTERCARD 2 u1 u2 LIMIT 1
ZINTERCARD 2 u1 u2 LIMIT 0
ZINTERCARD 2 u1 u2 LIMIT -1
ZINTERCARD 2 u1 u2 LIMIT x
ZINTERCARD 2 u1 u2 LIMIT
ZINTERCARD 2 u1 u2 WITHSCORES
ZINTERCARD 2 u1 none
ZINTERCARD 2 u1 list
ZINTERCARD 0 u1
ZUNIONSTORE d 2 u1 u2
ZRANGE d 0 -1 WITHSCORES
ZUNIONSTORE d 2 u1 u2 WEIGHTS 2 3 AGGREGATE MAX
ZRANGE d 0 -1 WITHSCORES
ZUNIONSTORE d 2 none none2
ZUNIONSTORE d 2 none none2
ZUNIONSTORE d 1 set
ZUNIONSTORE d 2 u1 u2 WITHSCORES
ZUNIONSTORE d 0 u1
ZUNIONSTORE d 3 u1 u2
ZUNIONSTORE d 2 u1 list
ZUNIONSTORE u1 2 u1 u2
ZRANGE u1 0 -1 WITHSCORES
ZINTERSTORE d 2 u1 u2
ZRANGE d 0 -1 WITHSCORES
ZINTERSTORE d 2 u1 none
ZINTERSTORE list2 1 u1
ZDIFFSTORE d 2 u1 u2
ZDIFFSTORE d 2 u1 set
ZRANGE d 0 -1 WITHSCORES
ZDIFFSTORE d 2 u1 u1
ZDIFFSTORE d 2 u1 u2 WEIGHTS 1 2
EXPIRE d 1000
ZUNIONSTORE d 1 u2
SET str x
ZUNIONSTORE str 1 u2
ZREM r a
ZREM r nosuch
ZREM r b c nosuch b
ZREM none a
ZREM list a
ZREM r d e f
ZADD r 1 a 2 b 3 c 4 d 5 e
ZREMRANGEBYRANK r 1 2
ZREMRANGEBYRANK r 5 9
ZREMRANGEBYRANK r -1 -1
ZREMRANGEBYRANK r x 1
ZREMRANGEBYRANK list 0 1
ZREMRANGEBYRANK none 0 1
ZREMRANGEBYRANK r 0 -1
ZADD r 1 a 2 b 3 c 4 d 5 e
ZREMRANGEBYSCORE r (1 3
ZREMRANGEBYSCORE r x 3
ZREMRANGEBYSCORE list 1 3
ZREMRANGEBYSCORE r 10 20
ZREMRANGEBYSCORE r -inf inf
ZREMRANGEBYLEX l [b (c
ZREMRANGEBYLEX l b c
ZREMRANGEBYLEX list - +
ZREMRANGEBYLEX l - +
ZADD r 1 a 2 b 3 c 4 d 5 e
ZPOPMIN r
ZPOPMIN r 2
ZPOPMAX r
ZPOPMIN r 0
ZPOPMIN r -1
ZPOPMIN r x
ZPOPMIN r 1 2
ZPOPMIN list
ZPOPMIN list 0
ZPOPMIN none
ZPOPMIN none 3
ZPOPMAX none 0
ZPOPMAX r 100
ZADD r 1 a 2 b 3 c 4 d 5 e
ZPOPMAX r 3
ZMPOP 1 r MIN
ZMPOP 2 none r MAX COUNT 10
ZMPOP 2 none none2 MIN
ZMPOP 2 none list MIN
ZMPOP 0 r MIN
ZMPOP x r MIN
ZMPOP 1 r
ZMPOP 1 r NOSUCH
ZMPOP 2 r MIN
ZMPOP 1 r MIN COUNT
ZMPOP 1 r MIN COUNT 0
ZMPOP 1 r MIN COUNT x
ZMPOP 1 r MIN COUNT 1 COUNT 2
ZMPOP 1 r MIN NOSUCH 1
ZADD r 1 a 2 b 3 c 4 d 5 e
BZPOPMIN none r 0
BZPOPMAX r 0.5
BZPOPMIN r x
BZPOPMIN r -1
SET str2 x
BZPOPMIN str2 0
BZMPOP 0 1 r MIN
BZMPOP 0 2 none r MAX COUNT 5
BZMPOP x 1 r MIN
BZMPOP 0 0 r MIN
BZMPOP 0 1 r NOSUCH
BZMPOP -1 1 str2 MIN
BZMPOP 0.001 1 str2 MIN
ZADD str2 1 a
ZMPOP 2 none str2 MIN
ZPOPMIN str2
ZADD one 1.5 a
ZRANDMEMBER one
ZRANDMEMBER none
ZRANDMEMBER list
ZRANDMEMBER one 1
ZRANDMEMBER one 5 WITHSCORES
ZRANDMEMBER one -3 WITHSCORES
ZRANDMEMBER one -3
ZRANDMEMBER one 0
ZRANDMEMBER one x
ZRANDMEMBER one 1 NOSUCH
ZRANDMEMBER one 1 WITHSCORES x
ZRANDMEMBER none 3 WITHSCORES
ZRANDMEMBER one -9223372036854775808
ZRANDMEMBER one -9223372036854775807 WITHSCORES
ZRANDMEMBER one 9223372036854775807 WITHSCORES
ZRANDMEMBER list 3
ZSCAN one 0
ZSCAN one x
ZSCAN none 0
ZSCAN none 0 NOSUCH
ZSCAN list 0
ZSCAN one 0 MATCH b*
ZSCAN one 0 MATCH a COUNT 5
ZSCAN one 0 COUNT 0
COPY one two
ZSCORE two a
RENAME two three
ZCARD three
OBJECT ENCODING three
`

func newZSetDuel(t *testing.T, proto int) *duel {
	return newDuel(t, proto, ZSetCommands, SetCommands, KeyCommands, ExpireCommands, StringCommands, ObjectCommands)
}

// zsetLimits sets the limits of listpacks on both sides.
func (d *duel) zsetLimits(entries, value int) {
	d.want(d.redis.Do("CONFIG", "SET", "zset-max-listpack-entries", strconv.Itoa(entries)))
	d.want(d.redis.Do("CONFIG", "SET", "zset-max-listpack-value", strconv.Itoa(value)))
	env, lim := *d.ours.Env, types.DefaultLimits
	lim.ZSetListpackEntries, lim.ZSetListpackValue = entries, value
	env.Limits = &lim
	d.ours.Env = &env
}

func TestZSetsLikeRedis(t *testing.T) {
	for proto := 2; proto <= 3; proto++ {
		for _, entries := range []int{128, 0, 3} {
			t.Run(fmt.Sprintf("RESP%d/entries=%d", proto, entries), func(t *testing.T) {
				d := newZSetDuel(t, proto)
				d.zsetLimits(entries, 64)
				d.setList("list")
				for line := range strings.Lines(zsetCases) {
					if line = strings.TrimSuffix(line, "\n"); line != "" {
						d.doLine(line)
					}
				}
			})
		}
	}
}

// TestRandomZSetsLikeRedis takes sorted sets through all conversions on both sides, at several limits of a listpack.
func TestRandomZSetsLikeRedis(t *testing.T) {
	g := newGen(t)
	d := newZSetDuel(t, 2+g.IntN(2))
	d.setList("list")
	for _, limits := range [][2]int{{128, 64}, {0, 64}, {4, 64}, {8, 3}} {
		d.zsetLimits(limits[0], limits[1])
		for range 1000 {
			d.do(g.zsetCommand()...)
			if t.Failed() {
				return
			}
		}
		for _, key := range zsetKeys {
			d.do("ZRANGE", key, "0", "-1", "WITHSCORES")
		}
	}
}

var zsetKeys = []string{"a", "b", "c", "d", "e", "{t}1", "{t}2"}

func (g commandGen) zsetCommand() []string {
	key := func() string {
		if g.IntN(40) == 0 {
			return g.pick("list", "none", "set")
		}
		return g.pick(zsetKeys...)
	}
	member := func() string {
		switch g.IntN(12) {
		case 0:
			return g.pick("a", "b", "", "01", "+1", "-0", "9223372036854775808", strings.Repeat("x", 70))
		case 1:
			return g.pick("32767", "32768", "-32769", "2147483648", "9223372036854775807", "-9223372036854775808")
		}
		return strconv.Itoa(g.IntN(14) - 2)
	}
	score := func() string {
		switch g.IntN(8) {
		case 0:
			return g.pick("inf", "-inf", "1e17", "-0", "0.1", "1e-7", "4611686018427387904", "1e300", "9007199254740993", "x", "nan")
		case 1:
			return fmt.Sprintf("%d.%d", g.IntN(10)-5, g.IntN(1000))
		}
		return strconv.Itoa(g.IntN(8))
	}
	bound := func() string { return g.pick("", "", "(") + score() }
	lex := func() string {
		if g.IntN(3) == 0 {
			return g.pick("-", "+", "(", "[", "x")
		}
		return g.pick("[", "(") + member()
	}
	index := func() string { return strconv.Itoa(g.IntN(20) - 10) }
	limit := func() []string { return g.maybe(3, "LIMIT", strconv.Itoa(g.IntN(5)-1), strconv.Itoa(g.IntN(8)-2)) }
	words := func(n int, f func() string) (w []string) {
		for range 1 + g.IntN(n) {
			w = append(w, f())
		}
		return w
	}
	pairs := func(n int) (w []string) {
		for range 1 + g.IntN(n) {
			w = append(w, score(), member())
		}
		return w
	}
	keys := func(n int) []string {
		k := words(n, key)
		return append([]string{strconv.Itoa(len(k))}, k...)
	}
	weights := func(n int) (w []string) {
		if g.IntN(2) == 0 {
			w = append(w, "WEIGHTS")
			for range n {
				w = append(w, score())
			}
		}
		return append(w, g.maybe(2, "AGGREGATE", g.pick("SUM", "MIN", "MAX"))...)
	}
	with := func() []string { return g.maybe(2, "WITHSCORES") }
	cat := func(name string, rest ...[]string) []string { return append([]string{name}, slices.Concat(rest...)...) }
	one := func(w ...string) []string { return w }
	switch g.IntN(24) {
	case 0, 1, 2, 3, 4:
		return cat("ZADD", one(key()), g.maybe(5, g.pick("NX", "XX")), g.maybe(5, g.pick("GT", "LT")), g.maybe(4, "CH"), pairs(6))
	case 5:
		return cat("ZADD", one(key()), g.maybe(3, g.pick("NX", "XX", "GT", "LT")), one("INCR", score(), member()))
	case 6:
		return one("ZINCRBY", key(), score(), member())
	case 7:
		return cat("ZREM", one(key()), words(6, member))
	case 8:
		return cat("ZMSCORE", one(key()), words(6, member))
	case 9:
		return cat("ZRANGE", one(key(), index(), index()), g.maybe(2, "REV"), with())
	case 10:
		return cat("ZRANGE", one(key(), bound(), bound(), "BYSCORE"), g.maybe(2, "REV"), limit(), with())
	case 11:
		return cat(g.pick("ZRANGEBYSCORE", "ZREVRANGEBYSCORE"), one(key(), bound(), bound()), limit(), with())
	case 12:
		return cat(g.pick("ZREMRANGEBYRANK"), one(key(), index(), index()))
	case 13:
		return one("ZREMRANGEBYSCORE", key(), bound(), bound())
	case 14:
		return one("ZCOUNT", key(), bound(), bound())
	case 15:
		// By their bytes only what has one score: a skiplist in any other order has no defined result.
		k := g.pick("l1", "l2")
		switch g.IntN(6) {
		case 0, 1:
			return one("ZADD", k, "0", member(), "0", member(), "0", g.pick("a", "b", "c")+member())
		case 2:
			return cat("ZRANGE", one(k, lex(), lex(), "BYLEX"), g.maybe(2, "REV"), limit())
		case 3:
			return cat(g.pick("ZRANGEBYLEX", "ZREVRANGEBYLEX"), one(k, lex(), lex()), limit())
		case 4:
			return one("ZLEXCOUNT", k, lex(), lex())
		}
		return one("ZREMRANGEBYLEX", k, lex(), lex())
	case 16:
		return one(g.pick("ZRANK", "ZREVRANK", "ZSCORE"), key(), member())
	case 17:
		k := keys(5)
		return cat(g.pick("ZUNION", "ZINTER"), k, weights(len(k)-1), with())
	case 18:
		k := keys(4)
		return cat(g.pick("ZUNIONSTORE", "ZINTERSTORE"), one(key()), k, weights(len(k)-1))
	case 19:
		if g.IntN(2) == 0 {
			return cat("ZDIFFSTORE", one(key()), keys(3))
		}
		return cat("ZDIFF", keys(3), with())
	case 20:
		return cat("ZINTERCARD", keys(3), g.maybe(2, "LIMIT", strconv.Itoa(g.IntN(4))))
	case 21:
		switch g.IntN(3) {
		case 0:
			return cat("ZRANGESTORE", one(key(), key(), index(), index()), g.maybe(2, "REV"))
		case 1:
			return cat("ZRANGESTORE", one(key(), key(), bound(), bound(), "BYSCORE"), g.maybe(2, "REV"), limit())
		}
		return one(g.pick("ZREVRANGE"), key(), index(), index())
	case 22:
		switch g.IntN(4) {
		case 0:
			return cat("ZMPOP", keys(3), one(g.pick("MIN", "MAX")), g.maybe(2, "COUNT", strconv.Itoa(g.IntN(4))))
		case 1:
			return cat(g.pick("BZPOPMIN", "BZPOPMAX"), one(g.pick(zsetKeys...)), one("0.01"))
		}
		return cat(g.pick("ZPOPMIN", "ZPOPMAX"), one(key()), g.maybe(2, strconv.Itoa(g.IntN(4))))
	}
	switch g.IntN(5) {
	case 0:
		return one("SADD", "set", member(), member())
	case 1:
		return one("COPY", g.pick(zsetKeys...), g.pick(zsetKeys...), "REPLACE")
	case 2:
		return one("DEL", g.pick(zsetKeys...))
	}
	return one(g.pick("ZCARD", "TYPE"), key())
}

// What ZRANDMEMBER draws are members, different ones if the count is positive.
func TestDrawnSortedMembers(t *testing.T) {
	for _, n := range []int{20, 500} {
		c := newTestCtx(t, ZSetCommands)
		all := []string{"ZADD", "k"}
		for i := range n {
			all = append(all, strconv.Itoa(i*2), strconv.Itoa(i))
		}
		c.do(all...)
		for _, count := range []int{1, 2, 5, n / 3, n - 1, n, n + 5, -1, -2 * n} {
			words := elements([]byte(c.do("ZRANDMEMBER", "k", strconv.Itoa(count), "WITHSCORES")))
			seen := map[string]bool{}
			for i := 0; i < len(words); i += 2 {
				member, err := strconv.Atoi(words[i])
				if err != nil || member < 0 || member >= n || words[i+1] != strconv.Itoa(2*member) || count > 0 && seen[words[i]] {
					t.Fatalf("ZRANDMEMBER %d of %d replied %q", count, n, words)
				}
				seen[words[i]] = true
			}
			if want := max(min(count, n), -count); len(words) != 2*want {
				t.Fatalf("ZRANDMEMBER %d of %d replied %d members", count, n, len(words)/2)
			}
		}
	}
}

func TestRankWithScore(t *testing.T) {
	c := newTestCtx(t, ZSetCommands)
	c.do("ZADD", "k", "1", "a", "2.5", "b")
	f := func(proto int, line, want string) {
		t.Helper()
		c.Reply.Proto = uint8(proto)
		if got := c.doLine(line); got != want {
			t.Errorf("%s replied %q, want %q", line, got, want)
		}
	}
	f(2, "ZRANK k b WITHSCORE", "*2\r\n:1\r\n$3\r\n2.5\r\n")
	f(3, "ZREVRANK k b withscore", "*2\r\n:0\r\n,2.5\r\n")
	f(2, "ZRANK k none WITHSCORE", "*-1\r\n")
	f(3, "ZRANK none b WITHSCORE", "_\r\n")
	f(2, "ZRANK k b WITHSCORES", "-ERR syntax error\r\n")
	f(2, "ZRANK k b WITHSCORE x", "-ERR wrong number of arguments for 'zrank' command\r\n")
}

func TestZSetCommandsMakeNoGarbage(t *testing.T) {
	for _, n := range []int{100, 2000} {
		c := newTestCtx(t, ZSetCommands)
		for i := range n {
			c.do("ZADD", "k", strconv.Itoa(i*7%100), "m"+strconv.Itoa(i))
		}
		c.allocs("ZADD", "k", "5", "m5")
		c.allocs("ZADD", "k", "GT", "CH", "5.5", "m5")
		c.allocs("ZINCRBY", "k", "1.5", "m7")
		c.allocs("ZSCORE", "k", "m7")
		c.allocs("ZRANK", "k", "m7")
		c.allocs("ZRANGE", "k", "0", "99", "WITHSCORES")
		c.allocs("ZRANGE", "k", "10", "60", "BYSCORE", "REV")
		c.allocs("ZRANGEBYSCORE", "k", "-inf", "50", "LIMIT", "2", "20")
		c.allocs("ZCOUNT", "k", "-inf", "50")
		c.allocs("ZREM", "k", "none")
		c.allocs("ZCARD", "k")
	}
}
