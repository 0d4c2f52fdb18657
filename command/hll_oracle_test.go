package command

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

const hllCases = `
PFADD
PFADD k
PFADD k
PFADD k a b c a
PFADD k a b c
PFADD k d
PFADD
PFADD new x y
PFADD 5 
PFADD list x
PFCOUNT
PFCOUNT list
PFCOUNT none
PFCOUNT k
PFCOUNT k
PFCOUNT k none new
PFCOUNT k list
PFCOUNT none none
PFMERGE
PFMERGE dest
PFMERGE dest
PFMERGE list
PFMERGE dest k new none
PFMERGE dest list
PFMERGE dest2 k k
PFCOUNT dest dest2
PFCOUNT dest
SET int 12345
PFADD int a
PFCOUNT int
PFMERGE int k
PFMERGE k int
SET text hello
PFADD text a
SET text HYLLLLLLLLLLLLLLLLLLLLLLL
PFADD text a
PFCOUNT text
PFDEBUG GETREG
PFDEBUG GETREG none
PFDEBUG GETREG list
PFDEBUG NOSUCH none
PFDEBUG NOSUCH k
PFDEBUG ENCODING k
PFDEBUG encoding k
PFDEBUG DECODE k
PFDEBUG TODENSE k
PFDEBUG TODENSE k
PFDEBUG ENCODING k
PFDEBUG DECODE k
PFADD k d
PFADD k e f
PFCOUNT k
PFCOUNT k
PFMERGE dest k
PFDEBUG ENCODING dest
PFDEBUG GETREG dest
PFDEBUG GETREG dest2
PFDEBUG ENCODING dest2
PFDEBUG ENCODING int x
PFSELFTEST x
PEXPIRE k 100000
PFADD k g
PEXPIRE new 100000
PFADD new h
PFMERGE new k
PFMERGE new2 new k`

func TestHyperLogLogOracle(t *testing.T) {
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprint("proto=", proto), func(t *testing.T) {
			d := newDuel(t, proto, HyperLogLogCommands, StringCommands, KeyCommands, ExpireCommands)
			d.setList("list")
			for _, line := range strings.Split(strings.TrimPrefix(hllCases, "\n"), "\n") {
				d.doLine(line)
			}
			d.do("PFDEBUG", "no\r\nsuch\x00", "k")
			for _, bytes := range corruptHLLs() {
				for _, line := range []string{"PFCOUNT bad", "PFCOUNT bad none", "PFADD bad", "PFADD bad a", "PFADD bad zzz",
					"PFDEBUG DECODE bad", "PFDEBUG ENCODING bad", "PFMERGE bad", "PFMERGE none bad", "PFDEBUG TODENSE bad", "PFDEBUG GETREG bad"} {
					d.do("SET", "bad", bytes)
					d.doLine(line)
				}
			}
			g := newGen(t)
			for _, sparse := range []int{3000, 100, 0, 20000} {
				d.sparseBytes(sparse)
				for range 700 {
					d.do(g.hllCommand()...)
				}
			}
		})
	}
}

// sparseBytes sets hll-sparse-max-bytes on both sides.
func (d *duel) sparseBytes(n int) {
	limits := types.DefaultLimits
	limits.HLLSparseBytes = n
	d.ours.Env.Limits = &limits
	d.want(d.redis.Do("CONFIG", "SET", "hll-sparse-max-bytes", strconv.Itoa(n)))
}

// corruptHLLs returns strings that look like HyperLogLogs at first sight, broken or never seen in the wild.
func corruptHLLs() []string {
	head := "HYLL\x01\x00\x00\x00"
	fresh, stale := head+"\x05\x00\x00\x00\x00\x00\x00\x00", head+"\x00\x00\x00\x00\x00\x00\x00\x80"
	list := []string{"", "HYLL", head, fresh, stale, "HYLL\x02" + fresh[5:] + "\x7f\xff"}
	for _, runs := range []string{"\x7f\xff", "\x7f\xff\x00", "\x7f\xfe", "\x7f\xfe\x00", "\x7f", "\x80\x7f\xff", "\x7f\xfd\x81",
		"\x7f\xfd\x82", "\x7f\xfd\x81\x80", "\x00", "\x7f\x00\x40\xff\x40", strings.Repeat("\x40\x00", hllRegisters), strings.Repeat("\x00", hllRegisters),
		strings.Repeat("\x80", hllRegisters), strings.Repeat("\xff", hllRegisters/4), strings.Repeat("\xff", hllRegisters/4+1)} {
		list = append(list, fresh+runs, stale+runs)
	}
	for _, fill := range []string{"\x00", "\x01", "\xff"} {
		dense := "HYLL\x00" + stale[5:] + strings.Repeat(fill, 12288)
		list = append(list, dense, dense[1:], dense[:len(dense)-1], dense+"x")
	}
	return list
}

const hllRegisters = 1 << 14

func (g commandGen) hllCommand() []string {
	key := func() string { return g.pick("h1", "h2", "h3", "h4", "h5") }
	keys := func() (list []string) {
		for range g.IntN(4) {
			list = append(list, key())
		}
		return list
	}
	elems := func(n int) (list []string) {
		top := g.pickInt(5, 100, 1000000)
		for range g.IntN(n + 1) {
			list = append(list, strings.Repeat("x", g.IntN(9))+strconv.Itoa(g.IntN(top)))
		}
		return list
	}
	switch g.IntN(10) {
	case 0:
		return []string{"PFDEBUG", g.pick("ENCODING", "DECODE", "TODENSE", "GETREG", "DECODE"), key()}
	case 1, 2:
		return append([]string{"PFCOUNT", key()}, g.maybe(2, keys()...)...)
	case 3, 4:
		return append([]string{"PFMERGE", key()}, keys()...)
	case 5:
		return []string{"DEL", key()}
	case 6:
		return []string{"SETRANGE", key(), strconv.Itoa(5 + g.IntN(3)), ""}
	}
	return append([]string{"PFADD", key()}, elems(g.pickInt(1, 5, 300))...)
}

func TestHyperLogLogAllocs(t *testing.T) {
	c := newTestCtx(t, HyperLogLogCommands)
	c.do(append([]string{"PFADD", "sparse"}, numbers(500)...)...)
	c.do(append([]string{"PFADD", "dense"}, numbers(5000)...)...)
	c.allocs("PFADD", "sparse", "1", "2", "3")
	c.allocs("PFADD", "dense", "1", "2", "3")
	c.allocs("PFCOUNT", "dense")
	c.allocs("PFCOUNT", "dense", "sparse")
}

// numbers returns the texts of 1 to n.
func numbers(n int) (list []string) {
	for i := range n {
		list = append(list, strconv.Itoa(i+1))
	}
	return slices.Clip(list)
}

func TestSelfTestCommand(t *testing.T) {
	c := newTestCtx(t, HyperLogLogCommands)
	if got := c.do("PFSELFTEST"); got != "+OK\r\n" {
		t.Errorf("%q", got)
	}
}

func BenchmarkPFADD(b *testing.B) {
	for _, members := range []int{10, 1000, 100000} {
		b.Run("members="+strconv.Itoa(members), func(b *testing.B) {
			c := newTestCtx(b, HyperLogLogCommands)
			c.do(append([]string{"PFADD", "k"}, numbers(members)...)...)
			c.prepare([][]byte{[]byte("PFADD"), []byte("k"), []byte("7")})
			c.effects = effects{}
			b.ReportAllocs()
			for b.Loop() {
				c.Reply.Buf = c.Reply.Buf[:0]
				c.Spec.Run(c.Ctx)
			}
		})
	}
}
