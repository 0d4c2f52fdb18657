package script

import (
	lua "github.com/yuin/gopher-lua"
)

// open fills the state's globals.
func (vm *VM) open(forFunctions bool) {
	L := vm.L
	for name, f := range map[string]lua.LGFunction{"": lua.OpenBase, "table": lua.OpenTable, "string": lua.OpenString, "math": lua.OpenMath, "coroutine": lua.OpenCoroutine} {
		L.Push(L.NewFunction(f))
		L.Push(lua.LString(name))
		L.Call(1, 0)
	}
	vm.globals = L.G.Global
	t := vm.api()
	if !forFunctions {
		vm.addDebug(t)
	}
	vm.globals.RawSetString("redis", t)
}

// setGlobal sets a global that scripts cannot set.
func (vm *VM) setGlobal(name string, v lua.LValue) { vm.globals.RawSetString(name, v) }
