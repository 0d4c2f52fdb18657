package cjson

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// testHost is an environment with a limit of a megabyte.
type testHost struct{}

func (testHost) CheckLength(l *lua.LState, n int) {
	if n > 1<<20 {
		auxlib.Errorf(l, "too long")
	}
}

func (testHost) Content(t *lua.LTable) *lua.LTable { return t }
func (testHost) Interrupt(*lua.LState)             {}

// caller calls functions of the library.
type caller struct {
	l       *lua.LState
	library *lua.LTable
}

func newCaller() caller {
	l := lua.NewState(lua.Options{SkipOpenLibs: true, RegistrySize: 20000})
	return caller{l, Open(l, testHost{})}
}

// call returns the results, or the error.
func (c caller) call(name string, args ...lua.LValue) ([]lua.LValue, error) {
	c.l.SetTop(0)
	err := c.l.CallByParam(lua.P{Fn: c.library.RawGetString(name), NRet: lua.MultRet, Protect: true}, args...)
	if err != nil {
		return nil, err
	}
	var results []lua.LValue
	for i := 1; i <= c.l.GetTop(); i++ {
		results = append(results, c.l.Get(i))
	}
	return results, nil
}
