package command

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const bitCases = `
SETBIT k 7 1
SETBIT k 7 1
SETBIT k 7 0
SETBIT k 0 2
SETBIT k 0 x
SETBIT k 0 -1
SETBIT k -1 0
SETBIT k 4294967296 1
SETBIT k 9223372036854775807 1
SETBIT list 0 1
SETBIT list -1 1
SETBIT list 0 2
GETBIT list 0
GETBIT list -1
GETBIT k 4294967295
GETBIT none 0
SETBIT grow 0 0
SETBIT grow 100 0
BITCOUNT none x y z
BITCOUNT list x
BITCOUNT k x
BITCOUNT k 0
BITCOUNT k 0 x
BITCOUNT k 0 -1 WORD
BITCOUNT k -1 -2 WORD
BITCOUNT k 0 -1 BIT x
BITPOS none 0
BITPOS none 1
BITPOS none 2
BITPOS none x
BITPOS list 2
BITPOS list 0
BITPOS k 1 x
BITPOS k 1 0 x
BITPOS k 1 x y z
BITPOS k 1 0 x z
BITPOS k 1 0 -1 z
BITPOS k 1 0 -1 BIT z
SET int 123456
SETBIT int 0 0
SET int 123456
GETBIT int 2
GETBIT int 100
BITCOUNT int
BITCOUNT int 0 12 BIT
BITPOS int 1 5 -1 BIT
BITFIELD int GET u8 0 GET i64 0 GET u63 #1
BITFIELD int INCRBY i8 0 1
SET ones ` + "\xff\xff\xff" + `
BITPOS ones 0
BITPOS ones 0 0
BITPOS ones 0 3
BITPOS ones 0 0 -1
BITPOS ones 0 0 -1 BIT
BITPOS ones 0 -5
SET empty 
BITPOS empty 0
BITPOS empty 1
BITCOUNT empty
BITCOUNT empty 0 -1
BITCOUNT empty 0 -1 BIT
BITOP NOT dest ones
BITOP NOT dest ones ones
BITOP BAD dest ones
BITOP AND dest
BITOP AND dest ones list
BITOP OR list ones none
BITOP XOR dest none none2
BITOP XOR dest none none2
BITOP OR dest int ones none
BITOP AND dest dest dest
BITOP AND dest dest none
BITFIELD k
BITFIELD none GET u8 0
BITFIELD none SET u8 0
BITFIELD k GET u64 0
BITFIELD k GET i65 0
BITFIELD k GET i0 0
BITFIELD k GET x8 0
BITFIELD k GET u 0
BITFIELD k GET u8 -1
BITFIELD k GET u8 #-1
BITFIELD k GET u8 #9223372036854775807
BITFIELD k GET u8 4294967296
BITFIELD k GET u8 4294967295
BITFIELD k SET u8 0 x
BITFIELD k SET u8 x x
BITFIELD k OVERFLOW bad GET x 0
BITFIELD k OVERFLOW
BITFIELD k BAD
BITFIELD k GET u8
BITFIELD k OVERFLOW FAIL SET u8 0 256 SET u8 8 255
BITFIELD k OVERFLOW FAIL INCRBY u8 8 1
BITFIELD k OVERFLOW SAT INCRBY u8 8 1 SET u8 8 -1 INCRBY u8 8 -300
BITFIELD k INCRBY i64 0 9223372036854775807 INCRBY i64 0 9223372036854775807
BITFIELD k OVERFLOW SAT INCRBY i64 0 -9223372036854775808 INCRBY i64 0 -9223372036854775808
BITFIELD list GET u8 0
BITFIELD list SET u8 0 1
BITFIELD list SET u8 0 x
BITFIELD_RO list GET u8 0
BITFIELD_RO none GET u8 0
BITFIELD_RO k GET u8 0 GET i5 #3
BITFIELD_RO k SET u8 0 1
BITFIELD_RO k SET u8 0 x
BITFIELD_RO k OVERFLOW SAT GET u8 0
BITFIELD_RO k
BITFIELD same SET u8 0 0
BITFIELD same SET u8 0 0
BITFIELD same SET u8 #4294967295 0
SETBIT k
BITOP AND`

func TestBitsOracle(t *testing.T) {
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprint("proto=", proto), func(t *testing.T) {
			d := newDuel(t, proto, BitCommands, StringCommands)
			d.setList("list")
			for _, line := range strings.Split(strings.TrimPrefix(bitCases, "\n"), "\n") {
				d.doLine(line)
				if d.ours.state("list").kind != "list" {
					d.setList("list")
				}
			}
			g := newGen(t)
			for i := range 4000 {
				if i%100 == 0 {
					d.setList("list")
				}
				d.do(g.bitCommand()...)
			}
		})
	}
}

func (g commandGen) bits() string {
	b := make([]byte, g.IntN(g.pickInt(3, 20, 200)))
	fill := byte(g.IntN(3) - 1) // 0xff, 0, or 1 for anything
	for i := range b {
		if b[i] = fill; fill == 1 || g.IntN(40) == 0 {
			b[i] = byte(g.IntN(256))
		}
	}
	return string(b)
}

func (g commandGen) pickInt(list ...int) int { return list[g.IntN(len(list))] }

func (g commandGen) bitOffset() string {
	return g.pick("0", "7", "8", "-1", "#1", "x", strconv.Itoa(g.IntN(100)), strconv.Itoa(g.IntN(2000)))
}

func (g commandGen) bitRange(unit bool) []string {
	words := []string{g.pick(g.offset(), strconv.Itoa(g.IntN(400)-200))}
	if g.IntN(5) > 0 {
		words = append(words, g.pick(g.offset(), strconv.Itoa(g.IntN(400)-200)))
		if unit && g.IntN(2) == 0 {
			words = append(words, g.pick("BIT", "bit", "BYTE", "byte", "BIT", "bad"))
		}
	}
	return words
}

func (g commandGen) bitfieldOps() (words []string) {
	for range g.IntN(6) {
		field := []string{g.pick("u", "i") + strconv.Itoa(1+g.IntN(64)),
			g.pick("0", "#1", "#0", strconv.Itoa(g.IntN(100)), strconv.Itoa(g.IntN(300)), "#"+strconv.Itoa(g.IntN(20)))}
		switch g.IntN(6) {
		case 0, 1:
			words = append(append(words, g.pick("GET", "get")), field...)
		case 2:
			words = append(append(append(words, "SET"), field...), g.operand())
		case 3, 4:
			words = append(append(append(words, "INCRBY"), field...), g.operand())
		default:
			words = append(words, "OVERFLOW", g.pick("WRAP", "SAT", "FAIL", "sat", "fail"))
		}
	}
	return words
}

func (g commandGen) operand() string {
	n := g.Int64() >> g.IntN(64)
	return g.pick("0", "1", "-1", strconv.FormatInt(n, 10), strconv.FormatInt(-n, 10), strconv.FormatInt(n, 10),
		"9223372036854775807", "-9223372036854775808")
}

func (g commandGen) bitCommand() []string {
	k := g.stringKey
	switch g.IntN(12) {
	case 0:
		return []string{"SET", k(), g.bits()}
	case 1:
		return []string{"SET", k(), g.integer()}
	case 2:
		return []string{"SETBIT", k(), g.bitOffset(), g.pick("0", "1")}
	case 3:
		return []string{"GETBIT", k(), g.bitOffset()}
	case 4:
		return append([]string{"BITCOUNT", k()}, g.maybe(1, g.bitRange(true)...)...)
	case 5, 6:
		return append([]string{"BITPOS", k(), g.pick("0", "1")}, g.maybe(1, g.bitRange(true)...)...)
	case 7, 8:
		words := []string{"BITOP", g.pick("AND", "OR", "XOR", "NOT", "and"), k(), k()}
		for range g.IntN(4) {
			words = append(words, k())
		}
		return words
	case 9:
		return append([]string{"BITFIELD_RO", k()}, g.bitfieldOps()...)
	}
	return append([]string{"BITFIELD", k()}, g.bitfieldOps()...)
}
