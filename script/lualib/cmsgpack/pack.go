package cmsgpack

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

const (
	// maxNesting is the depth at which tables become nil.
	maxNesting = 16
	// maxKept bounds the buffer that a library keeps between calls.
	maxKept = 1 << 20
)

// packer is one call of pack.
type packer struct {
	*library
	l     *lua.LState
	out   []byte
	steps int
}

func (lib *library) pack(l *lua.LState) int {
	n := l.GetTop()
	if n == 0 {
		auxlib.ArgError(l, 0, "MessagePack pack needs input.")
	}
	p := packer{library: lib, l: l, out: lib.buf[:0]}
	lib.buf = nil
	for i := 1; i <= n; i++ {
		p.value(l.Get(i), 0)
	}
	lib.host.CheckLength(l, len(p.out))
	l.Push(lua.LString(p.out))
	if cap(p.out) <= maxKept {
		lib.buf = p.out
	}
	return 1
}

func (p *packer) value(v lua.LValue, level int) {
	if p.steps++; p.steps >= auxlib.InterruptSteps {
		p.steps = 0
		p.host.Interrupt(p.l)
	}
	switch v := v.(type) {
	case lua.LString:
		p.string(string(v))
	case lua.LNumber:
		p.number(float64(v))
	case lua.LBool:
		if v {
			p.out = append(p.out, 0xc3)
		} else {
			p.out = append(p.out, 0xc2)
		}
	case *lua.LTable:
		if level == maxNesting {
			p.out = append(p.out, 0xc0)
			return
		}
		p.table(p.host.Content(v), level)
		p.host.CheckLength(p.l, len(p.out))
	default:
		p.out = append(p.out, 0xc0)
	}
}

func (p *packer) string(s string) {
	p.host.CheckLength(p.l, len(p.out)+len(s))
	switch n := len(s); {
	case n < 32:
		p.out = append(p.out, 0xa0|byte(n))
	case n <= math.MaxUint8:
		p.out = append(p.out, 0xd9, byte(n))
	case n <= math.MaxUint16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, 0xda), uint16(n))
	default:
		p.out = binary.BigEndian.AppendUint32(append(p.out, 0xdb), uint32(n))
	}
	p.out = append(p.out, s...)
}

func (p *packer) number(f float64) {
	n := auxlib.ToInteger(f)
	switch {
	case float64(n) == f:
		p.integer(n)
	case float64(float32(f)) == f:
		p.out = binary.BigEndian.AppendUint32(append(p.out, 0xca), math.Float32bits(float32(f)))
	default:
		p.out = binary.BigEndian.AppendUint64(append(p.out, 0xcb), math.Float64bits(f))
	}
}

func (p *packer) integer(n int64) {
	switch {
	case -32 <= n && n <= math.MaxInt8:
		p.out = append(p.out, byte(n))
	case n >= 0 && n <= math.MaxUint8:
		p.out = append(p.out, 0xcc, byte(n))
	case n >= 0 && n <= math.MaxUint16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, 0xcd), uint16(n))
	case n >= 0 && n <= math.MaxUint32:
		p.out = binary.BigEndian.AppendUint32(append(p.out, 0xce), uint32(n))
	case n >= 0:
		p.out = binary.BigEndian.AppendUint64(append(p.out, 0xcf), uint64(n))
	case n >= math.MinInt8:
		p.out = append(p.out, 0xd0, byte(n))
	case n >= math.MinInt16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, 0xd1), uint16(n))
	case n >= math.MinInt32:
		p.out = binary.BigEndian.AppendUint32(append(p.out, 0xd2), uint32(n))
	default:
		p.out = binary.BigEndian.AppendUint64(append(p.out, 0xd3), uint64(n))
	}
}

func (p *packer) table(t *lua.LTable, level int) {
	n, isArray := count(t)
	if !isArray {
		p.header(n, 0x80, 0xde)
		for key, value := t.Next(lua.LNil); key != lua.LNil; key, value = t.Next(key) {
			p.value(key, level+1)
			p.value(value, level+1)
		}
		return
	}
	p.header(n, 0x90, 0xdc)
	for i := 1; i <= n; i++ {
		p.value(t.RawGet(lua.LNumber(i)), level+1)
	}
}

// header writes the length of an array or map: in the first byte, or after one that says
// 16 bits, or after the one that follows that, 32 bits.
func (p *packer) header(n int, short, long byte) {
	switch {
	case n <= 15:
		p.out = append(p.out, short|byte(n))
	case n <= math.MaxUint16:
		p.out = binary.BigEndian.AppendUint16(append(p.out, long), uint16(n))
	default:
		p.out = binary.BigEndian.AppendUint32(append(p.out, long+1), uint32(n))
	}
}

// count returns the number of keys, and whether they are 1 to n.
func count(t *lua.LTable) (n int, isArray bool) {
	if n = t.Len(); n > 0 && isDense(t, n) {
		return n, true
	}
	n, greatest, isArray := 0, 0.0, true
	for key, _ := t.Next(lua.LNil); key != lua.LNil; key, _ = t.Next(key) {
		k, ok := key.(lua.LNumber)
		if !ok || k <= 0 || math.Floor(float64(k)) != float64(k) {
			isArray = false
		}
		greatest = max(greatest, float64(k))
		n++
	}
	return n, isArray && greatest == float64(n)
}

// isDense tells, without boxing keys, whether 1 to n are all the keys.
func isDense(t *lua.LTable, n int) bool {
	if key, _ := t.Next(lua.LNumber(n)); key != lua.LNil {
		return false
	}
	for i := 1; i <= n; i++ {
		if t.RawGetInt(i) == lua.LNil {
			return false
		}
	}
	return true
}
