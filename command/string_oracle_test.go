package command

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// stringCases are commands whose order matters: each runs on what those before it have left.
const stringCases = `
SET k v PXAT 1
GET k
SET k v
SET k v EX 100
SET k v2 KEEPTTL
SET k v3
SET k v NX
SET k v XX GET
SET k v NX GET
SET n v NX GET
SET n 1 GET EX 100 GET KEEPTTL
SET n 1 EX 10 EX 20
SET n 1 EX 10 PX 20
SET n 1 NX XX
SET n 1 PERSIST
SET n 1 EX
SET n 1 EX 0
SET n 1 EX -1
SET n 1 EX x
SET n 1 EX 9223372036854775807
SET n 1 PX 9223372036854775807
SET n 1 EXAT 9223372036854775
SET n 1 PXAT 9223372036854775807
SET list 1 GET
SET list 1 NX GET
SET list 1 XX GET EX 0
GET list
GETEX list EX 0
GETEX list EX
GETEX none EX 0
GETEX k EX 0
GETEX k EX 100
GETEX k PERSIST
GETEX k PERSIST
GETEX k PERSIST PERSIST
GETEX k PERSIST EX 1
GETEX k KEEPTTL
GETEX k PXAT 1
GETEX k
SET k v
GETEX k EXAT 1
SET k v
GETEX k PX 100000
GETDEL k
GETDEL k
GETDEL list
GETSET k v
GETSET k w
GETSET list w
SETNX k v
SETNX k2 v
SETEX k 0 v
SETEX k 10 v
PSETEX k -1 v
PSETEX k x v
MSET a 1 b 2 a 3
MSET a 1 b
MSETNX a 1 new 2
MSETNX new 2 new 3
MSETNX new 2 list
MGET a b list none new
APPEND none2 1
APPEND none2 2
INCR none2
APPEND none3 
APPEND none3 x
APPEND list x
STRLEN none2
STRLEN none
STRLEN list
INCR list
SET i 9223372036854775807
INCR i
DECR i
INCRBY i -9223372036854775808
INCRBY i 9223372036854775808
DECRBY i -9223372036854775808
DECRBY i -9223372036854775807
SET i -9223372036854775808
DECR i
INCRBY i 9223372036854775807
SETRANGE r 0 
SETRANGE r 5 
SETRANGE r 5 abc
SETRANGE r -1 abc
SETRANGE r x abc
SETRANGE r 536870912 
SETRANGE r 536870911 a5
SETRANGE r 536870910 a5x
SETRANGE r 9223372036854775807 a
SETRANGE none4 9223372036854775807 a
SETRANGE list 0 a
SETRANGE list 536870912 a
SETRANGE list 0 
SET i 12345
SETRANGE i 0 
SETRANGE i 0 9
SET i 12345
GETRANGE i 1 3
GETRANGE i -3 -2
GETRANGE i -2 -3
GETRANGE i 5 10
GETRANGE i -100 100
GETRANGE i -100 -200
GETRANGE i 9223372036854775807 9223372036854775807
GETRANGE i -9223372036854775808 9223372036854775807
GETRANGE i x 1
GETRANGE i 1 x
GETRANGE none 0 -1
GETRANGE list 0 -1
SUBSTR i 0 -1
SUBSTR i 0
INCRBYFLOAT f 3.0e3
INCRBYFLOAT f 200
INCRBYFLOAT f nan
INCRBYFLOAT f inf
INCRBYFLOAT f -inf
INCRBYFLOAT f 1e4932
INCRBYFLOAT f -1e4932
INCRBYFLOAT f 1e4933
INCRBYFLOAT list 1
INCRBYFLOAT list x
SET f 0.1
INCRBYFLOAT f 0.2
INCRBYFLOAT f  1
INCRBYFLOAT f 0x1p-2
INCRBYFLOAT f 1_0
INCRBYFLOAT f 0b1
INCR f
SET f -0
INCRBYFLOAT f -0.0
SET f abc
INCRBYFLOAT f 1
SET f 1.5 EX 100
INCRBYFLOAT f 1.5
INCR f
SET x ohmytext
SET y mynewtext
LCS x y
LCS x y LEN
LCS x y IDX
LCS x y IDX MINMATCHLEN 4
LCS x y IDX MINMATCHLEN 4 WITHMATCHLEN
LCS x y IDX WITHMATCHLEN
LCS x y IDX MINMATCHLEN -4 WITHMATCHLEN
LCS x y IDX MINMATCHLEN x
LCS x y MINMATCHLEN
LCS x y LEN IDX
LCS x y BAD
LCS x list BAD
LCS x none
LCS none none2 IDX
LCS none none5 LEN
LCS x i
LCS x x IDX
LCS x x
GET
SET k
LCS k`

func TestStringsOracle(t *testing.T) {
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprint("proto=", proto), func(t *testing.T) {
			d := newDuel(t, proto, StringCommands)
			d.setList("list")
			for _, line := range strings.Split(strings.TrimSpace(stringCases), "\n") {
				d.doLine(line)
				if d.ours.state("list").kind != "list" {
					d.setList("list")
				}
			}
			g := newGen(t)
			for i := range 3000 {
				if i%100 == 0 {
					d.setList("list")
				}
				d.do(g.stringCommand()...)
			}
		})
	}
}

// TestLongStringsOracle crosses the borders between the representations of strings.
func TestLongStringsOracle(t *testing.T) {
	d := newDuel(t, 2, StringCommands, BitCommands)
	for _, n := range []int{44, 45, 3900, 3988, 4000, 5000, 100_000, 1<<20 - 1, 1 << 20, 3 << 20} {
		long := strings.Repeat("0123456789abcdef", n/16+1)[:n]
		d.do("SET", "a", long)
		d.do("SET", "a", long, "EX", "100")
		d.do("SET", "b", "12", "EX", "100")
		d.do("APPEND", "b", long)
		d.do("APPEND", "b", "x")
		d.do("APPEND", "b", long)
		d.do("SETRANGE", "c", strconv.Itoa(n), "x")
		d.do("SETRANGE", "c", strconv.Itoa(n+10), "x")
		d.do("SETRANGE", "c", strconv.Itoa(2*n), "yyy")
		d.do("SETBIT", "c", strconv.Itoa(24*n), "1")
		d.do("SETBIT", "e", strconv.Itoa(8*n), "0")
		d.do("BITOP", "XOR", "f", "a", "b", "c")
		d.do("BITOP", "NOT", "a", "a")
		d.do("BITCOUNT", "a")
		d.do("GETRANGE", "b", "1", "-2")
		d.do("GETRANGE", "b", strconv.Itoa(n/2), strconv.Itoa(n/2+100))
		d.do("MGET", "a", "b")
		d.do("SET", "b", long, "GET")
		d.do("GETSET", "b", "short")
		d.do("GETEX", "a", "EX", "100")
		d.do("GETEX", "a", "PERSIST")
		d.do("GETDEL", "a")
		d.do("SET", "c", "1", "KEEPTTL")
	}
}

func (g commandGen) stringKey() string {
	return g.pick("k1", "k1", "k2", "k2", "k3", "k4", "list", strings.Repeat("long key", 40))
}

func (g commandGen) stringValue() string {
	switch g.IntN(6) {
	case 0:
		return g.integer()
	case 1:
		return g.float()
	case 2:
		return strings.Repeat(g.pick("a", "b", "0"), g.IntN(60))
	case 3:
		return strings.Repeat(g.pick("ab", "1"), g.IntN(3000))
	}
	b := make([]byte, g.IntN(50))
	for i := range b {
		b[i] = "abc01 .-\x00\xff"[g.IntN(10)]
	}
	return string(b)
}

func (g commandGen) integer() string {
	return g.pick("0", "1", "-1", "10", "9999", "10000", "-5", "9223372036854775807", "-9223372036854775808",
		"9223372036854775808", "-0", "+1", "01", " 1", "1 ", "x", "", strconv.Itoa(g.IntN(1000)-500),
		strconv.Itoa(int(g.Int64())))
}

func (g commandGen) float() string {
	return g.pick("0.1", "0.2", "1.1", "-1.1", "3.14159265358979", "1e10", "1E-5", "1e20", ".5", "5.", "inf", "-INF",
		"nan", "0x1.8p1", "0X.8", "0x", "1e", "1e+", "--1", " 1", "1 ", "+2", "1e400", "1e4932", "1e4933", "1e-4940",
		"1e-5000", "0e99999999999", "infinity", "infinit", "1.0000000000000000000000000000001",
		strconv.FormatFloat(g.NormFloat64()*1000, 'f', -1, 64), strconv.FormatFloat(g.ExpFloat64(), 'g', -1, 64),
		fmt.Sprintf("%d.%d", g.IntN(100000), g.IntN(100)))
}

func (g commandGen) offset() string {
	return g.pick("0", "1", "-1", "3", "-3", "10", "100", "-100", "3000", "x", "-9223372036854775808",
		"9223372036854775807", strconv.Itoa(g.IntN(60)-30))
}

// expiry never names a time that passes during the test.
func (g commandGen) expiry() []string {
	unit := g.pick("EX", "px", "EXAT", "PXAT")
	at := g.pick("0", "-1", "10000000", "4000000000", "4000000000000", "x", "9223372036854775807", "9223372036854775")
	if len(unit) > 2 {
		at = g.pick(at, "1")
	}
	return []string{unit, at}
}

func (g commandGen) ttl() string {
	return g.pick("0", "-1", "10000000", "x", "9223372036854775807", "9223372036854775")
}

func (g commandGen) setOptions() (words []string) {
	for range g.IntN(4) {
		switch g.IntN(6) {
		case 0:
			words = append(words, g.pick("NX", "nx"))
		case 1:
			words = append(words, g.pick("XX", "xX"))
		case 2:
			words = append(words, "GET")
		case 3:
			words = append(words, g.pick("KEEPTTL", "keepttl", "PERSIST", "bad", "EX"))
		default:
			words = append(words, g.expiry()...)
		}
	}
	return words
}

func (g commandGen) stringCommand() []string {
	k := g.stringKey
	switch g.IntN(24) {
	case 0, 1, 2, 3:
		return append([]string{"SET", k(), g.stringValue()}, g.setOptions()...)
	case 4:
		return []string{"SET", k(), g.pick(g.integer(), g.float())}
	case 5:
		return []string{g.pick("GET", "STRLEN", "GETDEL", "INCR", "DECR"), k()}
	case 6:
		words := []string{"GETEX", k()}
		words = append(words, g.maybe(2, g.expiry()...)...)
		return append(words, g.maybe(3, g.pick("PERSIST", "persist", "KEEPTTL", "EX"))...)
	case 7:
		return []string{g.pick("SETNX", "GETSET", "APPEND"), k(), g.stringValue()}
	case 8:
		return []string{g.pick("SETEX", "PSETEX"), k(), g.ttl(), g.stringValue()}
	case 9, 10:
		return []string{g.pick("INCRBY", "DECRBY"), k(), g.integer()}
	case 11, 12, 13:
		return []string{"INCRBYFLOAT", k(), g.pick(g.float(), g.integer())}
	case 14, 15:
		return []string{g.pick("GETRANGE", "SUBSTR"), k(), g.offset(), g.offset()}
	case 16, 17:
		return []string{"SETRANGE", k(), g.offset(), g.pick(g.stringValue(), "", "x")}
	case 18:
		return append([]string{g.pick("MSET", "MSETNX"), k(), g.stringValue(), k(), g.stringValue()}, g.maybe(4, k())...)
	case 19:
		return []string{"MGET", k(), k(), k()}
	case 20, 21:
		words := []string{"LCS", k(), k()}
		words = append(words, g.maybe(2, g.pick("IDX", "LEN"))...)
		words = append(words, g.maybe(3, "minmatchlen", g.pick("1", "2", "5", "-1", "x"))...)
		return append(words, g.maybe(3, g.pick("WITHMATCHLEN", "withmatchlen", "bad", "LEN"))...)
	}
	return []string{"APPEND", k(), g.pick(g.stringValue(), "", "1")}
}
