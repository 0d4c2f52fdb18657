package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// keyLists are the commands under test here and those that give them something to work on.
var keyLists = [][]Spec{KeyCommands, ExpireCommands, ScanCommands, ObjectCommands, CommandCommands, StringCommands}

// keyCases are commands whose order matters: each runs on what those before it have left.
const keyCases = `
SET k v
DEL k
DEL k
DEL
SET a 1
SET b 2
DEL a b a c
SET a 1
UNLINK a a b
EXISTS
EXISTS a
SET a 1
EXISTS a a b
TOUCH a a b
TYPE a
TYPE b
TYPE list
TYPE
RENAME none x
RENAME none none
RENAME a a
RENAMENX a a
RENAMENX none a
RENAME a b
SET a 1 EX 100
RENAMENX a b
RENAME a b
RENAMENX b c
RENAMENX list c
RENAME c d
RENAME d
MOVE d
MOVE d x
MOVE d 99999999999
MOVE d -1
MOVE d 16
MOVE d 0
MOVE none 1
MOVE d 1
MOVE d 1
SET d 1
MOVE d 1
COPY d
COPY none x
COPY d d
COPY d e
COPY d e
COPY d e REPLACE
COPY d e REPLACE REPLACE DB 0
COPY d d DB 0
COPY d d DB 2
COPY d d DB 2
COPY d d DB 2 REPLACE
COPY d d DB
COPY d d DB x
COPY d d DB 16
COPY d d DB -1
COPY d d DB 99999999999
COPY d f DB 0 DB 3
COPY d f NOSUCH
EXPIRE d 100
COPY d f
COPY d f DB 4
RENAME f g
EXPIRE
EXPIRE d
EXPIRE d x
EXPIRE d 1.5
EXPIRE none 100
EXPIRE none x
EXPIRE d 9223372036854775807
EXPIRE d 9223372036854775
EXPIRE d -9223372036854775808
EXPIRE none 9223372036854775807
PEXPIRE d 9223372036854775807
EXPIREAT d 9223372036854775807
EXPIREAT d 9223372036854775
TTL d
PTTL d
EXPIRETIME d
PEXPIRETIME d
PEXPIREAT d 9223372036854775807
EXPIRETIME d
PEXPIRETIME d
PEXPIREAT d 9223372036854775300
EXPIRETIME d
PERSIST d
PERSIST d
PERSIST none
PERSIST
TTL d
PTTL d
EXPIRETIME d
TTL none
PTTL none
EXPIRETIME none
PEXPIRETIME none
EXPIRE d 100 XX
EXPIRE d 100 GT
EXPIRE d 100 nx
EXPIRE d 100 nX
EXPIRE d 50 gt
EXPIRE d 200 GT
EXPIRE d 300 LT
EXPIRE d 100 LT
EXPIRE d 110 XX GT
EXPIRE d 150 XX GT XX
EXPIRE d 150 NX XX
EXPIRE d 150 NX GT
EXPIRE d 150 NX LT
EXPIRE d 150 LT GT
EXPIRE d 150 nosuch
EXPIRE d x nosuch
EXPIRE d x NX
EXPIRE d 1000 XX
PEXPIREAT d 4102444800000 XX
PEXPIREAT d 4102444800000 GT
pexpireat d 4102444800001
EXPIREAT d 4102444800
expireat d 4102444900 GT
PEXPIRE d 1000000 LT
PERSIST d
EXPIRE d 100 LT
PERSIST d
EXPIRE d -1 GT
EXPIRE d -1 XX
EXPIRE d -1 NX
EXPIRE d -1
SET d 1
EXPIRE d 0
SET d 1
PEXPIREAT d 0
SET d 1
EXPIREAT d 1 LT
SET d 1 PXAT 1
TTL d
SET d 1
PEXPIRE d -9223372036854775808
SET d 1 EX 100
TTL d
EXPIRETIME d
PEXPIREAT d 4102444800499
EXPIRETIME d
PEXPIREAT d 4102444800500
EXPIRETIME d
PEXPIRETIME d
OBJECT ENCODING d
OBJECT REFCOUNT d
SET d 10000
OBJECT REFCOUNT d
SET d 9999
OBJECT REFCOUNT d
SET d -1
OBJECT REFCOUNT d
SET d text
OBJECT REFCOUNT d
OBJECT ENCODING d
OBJECT IDLETIME d
OBJECT FREQ d
OBJECT ENCODING none
OBJECT REFCOUNT none
OBJECT IDLETIME none
OBJECT FREQ none
OBJECT ENCODING
OBJECT ENCODING d e
OBJECT HELP x
SCAN x
SCAN 0 MATCH
SCAN 0 COUNT
SCAN 0 COUNT 0
SCAN 0 COUNT -1
SCAN 0 COUNT x
SCAN 0 COUNT 99999999999999999999
SCAN 0 TYPE
SCAN 0 NOSUCH x
SCAN 0 COUNT 10 NOSUCH
SCAN 18446744073709551616
SCAN 0x
SCAN +
SCAN
KEYS
KEYS nosuchkey
KEYS n*such?key
KEYS list
KEYS li[s-t]t
RANDOMKEY x
SWAPDB
SWAPDB x 1
SWAPDB 0 x
SWAPDB x x
SWAPDB 0 16
SWAPDB -1 0
SWAPDB 99999999999 0
SWAPDB 0 99999999999
SWAPDB 2 3
SWAPDB 2 2
DBSIZE x
FLUSHDB x
FLUSHDB SYNC ASYNC
FLUSHALL x
FLUSHDB
RANDOMKEY
DBSIZE
SET one 1
RANDOMKEY
DBSIZE
SCAN 0 COUNT 100000
SCAN 0 COUNT 100000 TYPE string
SCAN 0 COUNT 100000 TYPE STRING
SCAN 0 COUNT 100000 TYPE list
SCAN 0 COUNT 100000 TYPE nosuch
SCAN 0 COUNT 100000 MATCH o*
SCAN 0 COUNT 100000 MATCH x*
SCAN 0 COUNT 100000 MATCH *
SCAN 0 COUNT 9223372036854775807
SCAN 0 COUNT 100000 MATCH one
SCAN 0 COUNT 100000 MATCH one TYPE list
SCAN 0 COUNT 100000 MATCH none MATCH o?e
SCAN +0 COUNT 100000
KEYS *
KEYS o*
FLUSHALL ASYNC
FLUSHALL SYNC
FLUSHALL
FLUSHDB SYNC
FLUSHDB async
`

func TestKeysLikeRedis(t *testing.T) {
	for proto := 2; proto <= 3; proto++ {
		t.Run(fmt.Sprint("RESP", proto), func(t *testing.T) {
			d := newDuel(t, proto, keyLists...)
			d.setList("list")
			for line := range strings.Lines(keyCases) {
				if line = strings.TrimSpace(line); line != "" {
					d.doLine(line)
				}
			}
			d.do("SCAN", "")
			d.do("SCAN", "-")
			d.do("SCAN", " 0")
			d.do("SCAN", "0\x00x", "COUNT", "1000")
			d.do("EXPIRE", "k", "1", "a\x00b")
			d.do("SET", "k", strings.Repeat("x", 50))
			d.do("OBJECT", "ENCODING", "k")
			d.do("COPY", "k", "copy")
			d.do("APPEND", "k", "y")
			d.do("COPY", "k", "copy", "REPLACE")
		})
	}
}

// TestRandomKeyCommandsLikeRedis compares random commands on a few keys of databases 0 and 1.
func TestRandomKeyCommandsLikeRedis(t *testing.T) {
	for proto := 2; proto <= 3; proto++ {
		t.Run(fmt.Sprint("RESP", proto), func(t *testing.T) {
			g := newGen(t)
			d := newDuel(t, proto, keyLists...)
			for i := 0; i < 5000 && !t.Failed(); i++ {
				d.do(g.keyCommand()...)
			}
		})
	}
}

func (g commandGen) key() string {
	return g.pick("a", "b", "c", "{t}1", "{t}2", "a longer name of a key")
}

// time returns a time to live: one that is over, one that is long, or none at all.
func (g commandGen) time() string {
	return g.pick("0", "-1", "x", "4102444800", "9223372036854775807", "4102444800000", strconv.Itoa(1_000_000+g.IntN(1<<30)))
}

// keyCommand returns a random command.
func (g commandGen) keyCommand() []string {
	switch g.IntN(14) {
	case 0, 1:
		return append([]string{"SET", g.key(), g.pick("v", "1", "12345", strings.Repeat("long", 20), strings.Repeat("x", 5000))},
			g.maybe(3, "PX", strconv.Itoa(100_000+g.IntN(1_000_000)))...)
	case 2:
		return slices.Concat([]string{g.pick("DEL", "UNLINK"), g.key()}, g.maybe(2, g.key(), g.key()))
	case 3:
		return slices.Concat([]string{g.pick("EXISTS", "TOUCH"), g.key()}, g.maybe(2, g.key(), g.key()))
	case 4:
		return []string{g.pick("TYPE", "TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "PERSIST"), g.key()}
	case 5, 6:
		return []string{g.pick("RENAME", "RENAMENX"), g.key(), g.key()}
	case 7:
		return slices.Concat([]string{"COPY", g.key(), g.key()}, g.maybe(3, "REPLACE"), g.maybe(3, "DB", g.pick("0", "1", "1", "77")))
	case 8:
		return []string{"MOVE", g.key(), g.pick("0", "1", "1", "1", "77", "x")}
	case 9:
		return []string{"OBJECT", "ENCODING", g.key()}
	case 10:
		return strings.Fields(g.pick("SWAPDB 0 1", "DBSIZE", "DBSIZE"))
	case 11:
		return []string{g.pick("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"), g.key(), g.time()}
	case 12:
		// Times that count from now are not repeated here: whether GT finds an equal one depends on the millisecond.
		command, time := g.pick("EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"), g.time()
		if !strings.HasSuffix(command, "AT") {
			time = strconv.Itoa(1_000_000 + g.IntN(1<<30))
		}
		return slices.Concat([]string{command, g.key(), time}, g.maybe(2, g.pick("NX", "XX", "nosuch")), g.maybe(2, g.pick("GT", "LT", "lt")))
	}
	return slices.Concat([]string{"SCAN", "0", "COUNT", "100000", "MATCH"}, []string{g.pick("nosuch", "zz*", "{t}3*", "[x-z]")},
		g.maybe(2, "TYPE", g.pick("string", "list", "none")))
}
