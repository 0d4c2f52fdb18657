package bit

import (
	"math"
	"math/bits"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// Open returns the library's table.
func Open(l *lua.LState) *lua.LTable {
	return auxlib.Functions(l, map[string]lua.LGFunction{
		"tobit":   unary(func(b uint32) uint32 { return b }),
		"bnot":    unary(func(b uint32) uint32 { return ^b }),
		"bswap":   unary(bits.ReverseBytes32),
		"band":    fold(func(a, b uint32) uint32 { return a & b }),
		"bor":     fold(func(a, b uint32) uint32 { return a | b }),
		"bxor":    fold(func(a, b uint32) uint32 { return a ^ b }),
		"lshift":  shift(func(b, n uint32) uint32 { return b << n }),
		"rshift":  shift(func(b, n uint32) uint32 { return b >> n }),
		"arshift": shift(func(b, n uint32) uint32 { return uint32(int32(b) >> n) }),
		"rol":     shift(func(b, n uint32) uint32 { return bits.RotateLeft32(b, int(n)) }),
		"ror":     shift(func(b, n uint32) uint32 { return bits.RotateLeft32(b, -int(n)) }),
		"tohex":   tohex,
	})
}

func unary(f func(uint32) uint32) lua.LGFunction {
	return func(l *lua.LState) int { return push(l, f(arg(l, 1))) }
}

func fold(f func(a, b uint32) uint32) lua.LGFunction {
	return func(l *lua.LState) int {
		b := arg(l, 1)
		for i := l.GetTop(); i > 1; i-- {
			b = f(b, arg(l, i))
		}
		return push(l, b)
	}
}

func shift(f func(b, n uint32) uint32) lua.LGFunction {
	return func(l *lua.LState) int {
		b := arg(l, 1)
		return push(l, f(b, arg(l, 2)&31))
	}
}

func push(l *lua.LState, b uint32) int {
	l.Push(lua.LNumber(int32(b)))
	return 1
}

// roundingBias is 2^52+2^51: a double that it is added to has the number, rounded, in the
// low bits of its representation.
const roundingBias = 1<<52 + 1<<51

// arg returns an argument as 32 bits.
func arg(l *lua.LState, n int) uint32 {
	if f, ok := l.Get(n).(lua.LNumber); ok {
		return toBits(float64(f))
	}
	f, ok := auxlib.ToNumber(l.Get(n))
	if !ok {
		auxlib.TypeError(l, n, "number")
	}
	return toBits(f)
}

func toBits(f float64) uint32 { return uint32(math.Float64bits(f + roundingBias)) }

// tohex writes the number of digits that argument 2 says, in capitals if it is negative.
func tohex(l *lua.LState) int {
	b := arg(l, 1)
	n := int32(8)
	if l.GetTop() >= 2 {
		n = int32(arg(l, 2))
	}
	digits := "0123456789abcdef"
	if n < 0 {
		n = -n
		digits = "0123456789ABCDEF"
	}
	if n > 8 || n < 0 {
		n = 8
	}
	var buf [8]byte
	for i := n - 1; i >= 0; i-- {
		buf[i] = digits[b&15]
		b >>= 4
	}
	l.Push(lua.LString(buf[:n]))
	return 1
}
