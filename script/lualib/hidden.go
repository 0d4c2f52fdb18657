package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// CopyHidden copies from one environment to another what compiled code uses behind the script's back.
func CopyHidden(to, from *lua.LTable) {
	from.ForEach(func(key, value lua.LValue) {
		if name, ok := key.(lua.LString); ok && strings.HasPrefix(string(name), hiddenPrefix) {
			to.RawSet(key, value)
		}
	})
}

// Begin prepares for the next script as Reset does, but for the random numbers, which go on.
func (e *Env) Begin() { e.calls, e.unyielding, e.coroutines = 0, 0, e.coroutines[:0] }

// Seed begins another sequence of random numbers.
func (e *Env) Seed(n int32) { e.random.seed(n) }
