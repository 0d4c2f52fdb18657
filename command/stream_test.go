package command

import "testing"

func TestStreamAllocs(t *testing.T) {
	c := newTestCtx(t, StreamCommands)
	for i := range 300 {
		c.do("XADD", "s", "*", "field", "value", "n", string(rune('0'+i%10)))
	}
	c.doLine("XGROUP CREATE s g 0")
	c.doLine("XREADGROUP GROUP g c COUNT 5 STREAMS s >")
	c.allocs("XRANGE", "s", "-", "+", "COUNT", "10")
	c.allocs("XREVRANGE", "s", "+", "-", "COUNT", "10")
	c.allocs("XREAD", "COUNT", "10", "STREAMS", "s", "0")
	c.allocs("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0")
	c.allocs("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">")
	c.allocs("XPENDING", "s", "g", "-", "+", "10")
	c.allocs("XLEN", "s")
	c.allocs("XADD", "s", "MAXLEN", "~", "1000", "*", "f", "v")
}
