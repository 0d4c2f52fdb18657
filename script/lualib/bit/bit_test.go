package bit

import (
	"testing"

	lua "github.com/yuin/gopher-lua"
)

func TestOperations(t *testing.T) {
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	library := Open(l)
	f := func(want lua.LValue, name string, args ...lua.LValue) {
		t.Helper()
		l.SetTop(0)
		if err := l.CallByParam(lua.P{Fn: library.RawGetString(name), NRet: 1, Protect: true}, args...); err != nil {
			t.Fatal(name, err)
		}
		if got := l.Get(1); got != want {
			t.Errorf("%s%v: %v, want %v", name, args, got, want)
		}
	}
	n := func(f float64) lua.LValue { return lua.LNumber(f) }
	f(n(-1), "tobit", n(0xffffffff))
	f(n(2), "tobit", n(2.5))
	f(n(4), "tobit", n(3.5))
	f(n(5), "tobit", lua.LString("5"))
	f(n(-1), "bnot", n(0))
	f(n(0x78563412), "bswap", n(0x12345678))
	f(n(8), "band", n(12), n(10))
	f(n(14), "bor", n(12), n(10))
	f(n(6), "bxor", n(12), n(10))
	f(n(256), "lshift", n(1), n(40))
	f(n(0x00ffffff), "rshift", n(-256), n(8))
	f(n(-1), "arshift", n(-256), n(8))
	f(n(0x45678123), "rol", n(0x12345678), n(12))
	f(n(0x67812345), "ror", n(0x12345678), n(12))
	f(lua.LString("ffffffff"), "tohex", n(-1))
	f(lua.LString("0021"), "tohex", n(0x21), n(4))
	f(lua.LString("FFFF"), "tohex", n(-1), n(-4))
}
