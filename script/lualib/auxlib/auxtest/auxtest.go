package auxtest

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// host is an environment with a limit of a megabyte.
type host struct{}

func (host) CheckLength(l *lua.LState, n int) {
	if n > 1<<20 {
		auxlib.Errorf(l, "too long")
	}
}

func (host) Content(t *lua.LTable) *lua.LTable { return t }
func (host) Interrupt(*lua.LState)             {}

// Caller calls functions of a library.
type Caller struct {
	Lua     *lua.LState
	Library *lua.LTable
}

// NewCaller opens a library in a Lua state of its own.
func NewCaller(open func(*lua.LState, auxlib.Host) *lua.LTable) Caller {
	l := lua.NewState(lua.Options{SkipOpenLibs: true, RegistrySize: 20000})
	return Caller{l, open(l, host{})}
}

// Call calls the function of that name and returns its results, or the error.
func (c Caller) Call(name string, args ...lua.LValue) ([]lua.LValue, error) {
	c.Lua.SetTop(0)
	err := c.Lua.CallByParam(lua.P{Fn: c.Library.RawGetString(name), NRet: lua.MultRet, Protect: true}, args...)
	if err != nil {
		return nil, err
	}
	var results []lua.LValue
	for i := 1; i <= c.Lua.GetTop(); i++ {
		results = append(results, c.Lua.Get(i))
	}
	return results, nil
}
