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
