package random

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Gen makes the random values of one session.
type Gen struct {
	*rand.Rand
	spans []int // relative expiries not used yet
}

func newGen(seed, session uint64) *Gen {
	r := rand.New(rand.NewPCG(seed, session))
	return &Gen{Rand: r, spans: r.Perm(20000)}
}

// one returns one of the words.
func one(words ...string) func(*Gen) string {
	return func(g *Gen) string { return words[g.IntN(len(words))] }
}

// between returns an integer from low to high.
func between(low, high int) func(*Gen) string {
	return func(g *Gen) string { return strconv.Itoa(low + g.IntN(high-low+1)) }
}

// mostly returns a value of usual, and one time in n of rare.
func mostly(n int, usual, rare func(*Gen) string) func(*Gen) string {
	return func(g *Gen) string {
		if g.IntN(n) == 0 {
			return rare(g)
		}
		return usual(g)
	}
}

// values maps the names of placeholders to what makes their values. Few keys and small numbers, so that commands meet.
var values = map[string]func(*Gen) string{
	"key":        mostly(20, mostly(15, one(plainKeys...), one(oldKeys...)), one("", "a\x00b\r\n", strings.Repeat("k", 300))),
	"old":        one(oldKeys...),
	"plain":      one(plainKeys...),
	"nkey":       one("n1", "n2", "n3", "a", "b"),                                    // keys that mostly hold numbers
	"lkey":       one("l1", "l2", "l3", "l4"),                                        // keys with short texts: LCS takes time and memory n*m
	"zkey":       mostly(12, one("z1", "z2", "z3", "z4", "{t}z"), one(plainKeys...)), // keys that mostly hold sorted sets
	"lexkey":     one("x1", "x2"),                                                    // keys that only hold members of score 0
	"score":      mostly(4, between(-5, 20), one("0.1", "-1.5", "1e17", "3.3333", "inf", "-inf", "-0", "1e-7", "1e300", "4611686018427387904", "nan", "x", "")),
	"scorebound": mostly(3, between(-5, 20), one("-inf", "+inf", "(3", "(10", "0.1", "(1.5", "1e17", "nan", "x", "", "(")),
	"lexmember":  one("a", "b", "c", "aa", "ab", "ba", "10", "9", "11", "", "z"),
	"lexbound":   one("-", "+", "[a", "(a", "[b", "(b", "[c", "(10", "[9", "[", "(", "[zz", "x"),
	"listkey":    mostly(12, one("list1", "list2", "list3", "{t}list"), one(plainKeys...)), // keys that mostly hold lists
	"skey":       mostly(12, one("s1", "s2", "s3", "s4", "{t}s"), one(plainKeys...)),       // keys that mostly hold sets
	"smember":    mostly(4, between(-3, 12), value),
	"hkey":       mostly(12, one("h1", "h2", "h3", "h4", "{t}h"), one(plainKeys...)), // keys that mostly hold hashes
	"field":      mostly(5, one("a", "b", "c", "f", "1", "2", "-7", ""), value),
	"xkey":       mostly(12, one("x:1", "x:2", "x:3", "{t}x"), one(plainKeys...)), // keys that mostly hold streams
	"xauto":      mostly(20, one("5-*", "12-*", "20-*", "30-*", "40-*", "41-*", "50-*", "55-*", "60-*"), one("0-*", "*-1", "61-0")),
	"xid":        mostly(15, one("5", "10-0", "20-1", "30-0", "31", "40-0", "41-1", "50", "55-2", "60"), one("0-0", "x", "-", "7-x", "18446744073709551615-18446744073709551615", "")),
	"xbound":     mostly(5, one("-", "+", "5", "10-0", "(20-0", "30", "(40", "50-1", "60"), one("(", "x", "(-", "")),
	"group":      one("g", "h"),
	"pkey":       mostly(15, one("p1", "p2", "p3", "p4"), one(plainKeys...)), // keys that mostly hold HyperLogLogs
	"gkey":       mostly(15, one("g1", "g2", "g3"), one(plainKeys...)),       // keys that mostly hold places
	"place":      one("rome", "oslo", "lima", "bern", "p", "q", "17", "-3"),
	"lon":        mostly(10, one("13.361389", "15.087269", "14.5", "-179.99", "179.99", "0", "14.123456789"), one("180", "-180", "181", "x", "nan", "inf")),
	"lat":        mostly(10, one("38.115556", "37.502669", "37", "84.9", "-70.5", "0", "38.987654321"), one("85.05112878", "-85.05112878", "86", "x")),
	"length":     mostly(10, one("1", "100", "200.5", "3000", "0.5"), one("0", "-1", "x", "inf", "100000000")),
	"unit":       mostly(15, one("m", "km", "km", "ft", "mi", "KM"), one("yd", "")),
	"whole":      between(0, 30),
	"weightkey":  func(g *Gen) string { return "w" + between(0, 30)(g) },
	"weighthash": func(g *Gen) string { return "v" + between(0, 30)(g) },
	"consumer":   one("alice", "bob", "carol"),
	"value":      value,
	"db":         mostly(15, between(0, 2), one("15", "16", "-1", "abc")),
	"int":        mostly(6, between(-20, 20), one(extremeInts...)),
	"number":     mostly(6, between(-1000, 1000), one(extremeInts...)),
	"float":      float,
	"index":      mostly(15, between(-40, 40), one(extremeInts...)),
	"offset":     mostly(10, between(0, 60), one("1000", "5000", "-1")),
	"bit":        mostly(20, one("0", "1"), one("2", "-1")),
	"bitpos":     mostly(10, between(0, 200), one("4000", "20001", "4294967296", "-1")),
	"bitoff":     mostly(15, func(g *Gen) string { return one("", "#")(g) + strconv.Itoa(g.IntN(100)) }, one("-1", "#-1", "4294967296", "#", "x")),
	"bittype":    mostly(15, func(g *Gen) string { return one("u", "i")(g) + strconv.Itoa(1+g.IntN(63)) }, one("i64", "u64", "i0", "u1", "i1", "8")),
	"count":      mostly(10, one("1000", "2000"), one("100000")),
	"sec":        span("000"),
	"ms":         span("000000"),
	"future":     func(g *Gen) string { return strconv.Itoa(33177117420 + 1000*g.IntN(5)) },
	"futurems": func(g *Gen) string {
		return strconv.Itoa(33177117420000 + 500*g.IntN(9))
	},
	"past":       mostly(5, between(1, 1000), one("0", "-1", "1500000000")),
	"badtime":    one("0", "-1", "abc", "1.5", "9223372036854775807", "9223372036854775808", "-9223372036854775808", ""),
	"pattern":    one("*", "a", "?", "[a-c]", "[^a]", "{t}*", "*1", "n?", "\\a", "[", "*\x00*", "", "**"),
	"type":       one("string", "list", "hash", "STRING"),
	"conversion": one(conversions...),
	"echo":       one("return 1", "return ARGV[1]", "return redis.call('get', KEYS[1])", "return redis.call('set', KEYS[1], ARGV[1])"),
	"channel":    mostly(10, one("ch:a", "ch:b", "ch:c", "ch:d", "other"), one("", "ch:", "a\x00\r\n")),
	"events":     mostly(10, one("", "KEg$lshzt", "KEg$lshzt", "KEg$lshztmn", "Kg", "E$", "Klsh", "Ez", "KEn", "KEm", "g$l"), one("KEq", "kE")),
	"text":       one("ACGTACGTTAGC", "TTAGGCATCG", "ohmytext", "mynewtext", "aaaa", "aXbXcX"),
	"small":      between(0, 5),
}

// plainKeys are the keys that most commands use.
var plainKeys = []string{"a", "b", "c", "d", "e", "f", "g", "{t}1", "{t}2", "{a}b"}

// oldKeys are the only keys that get an expiry in the past when they are set, and are then looked at, so that they go:
// which other commands find them, and what is told of that, depends on when redis' cycle comes.
var oldKeys = []string{"o1", "{t}o2"}

var extremeInts = []string{
	"9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809", "9223372036854775806",
	"4294967296", "-4294967297", "", "1.5", "abc", " 1", "1 ", "+1", "01", "-0", "0x1", "1e3",
}

// span returns a relative expiry of whole thousands of seconds, each once in a session: two keys that get one in the
// same millisecond on one server and in two on the other still expire in the same order.
func span(zeros string) func(*Gen) string {
	return func(g *Gen) string {
		n := g.spans[0]
		g.spans = append(g.spans[1:], n+20000)
		return strconv.Itoa(10+n) + zeros
	}
}

func value(g *Gen) string {
	switch g.IntN(10) {
	case 0, 1, 2:
		return strconv.Itoa(g.IntN(2000) - 1000)
	case 3:
		return extremeInts[g.IntN(len(extremeInts))]
	case 4:
		return float(g)
	case 5:
		return one("ACGTACGTTAGC", "TTAGGCATCG", "ohmytext", "mynewtext")(g)
	case 6:
		return strings.Repeat(string(rune('a'+g.IntN(26))), one44(g))
	}
	b := make([]byte, g.IntN(30))
	for i := range b {
		b[i] = byte(g.IntN(256))
	}
	return string(b)
}

// one44 returns a length, mostly near the limits of encodings.
func one44(g *Gen) int {
	lengths := []int{0, 1, 11, 12, 20, 21, 43, 44, 45, 63, 64, 65, 200, 1000, 3000, 17000}
	return lengths[g.IntN(len(lengths))]
}

func float(g *Gen) string {
	switch g.IntN(8) {
	case 0:
		return one("1e5", "-1E-3", "1e17", "1e18", "0.1", "3.0e3", "1e300", "-0", ".5", "5.", "+1", "00.10")(g)
	case 1:
		return one("nan", "inf", "-inf", "", " 1", "1 ", "abc", "1e5000", "1,5", "0x10", "--1", "1e")(g)
	case 2:
		return strconv.Itoa(g.IntN(100) - 50)
	case 3:
		return fmt.Sprintf("%d.%d", g.IntN(100000)-50000, g.IntN(1000000000))
	}
	return fmt.Sprintf("%d.%02d", g.IntN(200)-100, g.IntN(100))
}
