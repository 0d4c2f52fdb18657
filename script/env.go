package script

import (
	"math/rand/v2"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib"
)

// open fills the state's globals. Functions see those that scripts see, but for a few of the table redis, and what they register
// themselves with only while their library is loaded.
func (vm *VM) open(forFunctions bool) {
	L := vm.L
	vm.env = lualib.Open(L, lualib.Options{MaxString: maxString, Interrupt: vm.interrupt})
	vm.env.Seed(rand.Int32()) // each state has numbers of its own
	t := vm.api()
	if forFunctions {
		vm.openLibraries()
	} else {
		vm.addDebug(t)
	}
	vm.env.SetGlobal("redis", vm.env.Protect(t))
	vm.wrapPCall()
	if !forFunctions {
		for name, f := range vm.libraryFunctions() {
			vm.env.SetGlobal(hidden+name, f)
		}
	}
}

// hidden begins the names of globals that scripts cannot write.
const hidden = "\x00"

// fixedLibraries are those whose functions are found by one look-up.
var fixedLibraries = []string{"redis", "string", "table", "math", "bit", "struct", "cjson", "cmsgpack"}

// libraryFunctions returns the functions of the libraries by their full names.
func (vm *VM) libraryFunctions() map[string]*lua.LFunction {
	all := map[string]*lua.LFunction{}
	for _, lib := range fixedLibraries {
		view, ok := vm.env.Globals.RawGetString(lib).(*lua.LTable)
		if !ok {
			continue
		}
		content, ok := vm.L.GetField(view.Metatable, "__index").(*lua.LTable)
		if !ok {
			continue
		}
		content.ForEach(func(k, v lua.LValue) {
			if f, ok := v.(*lua.LFunction); ok {
				all[lib+"."+k.String()] = f
			}
		})
	}
	return all
}

// libraryFunctions are the names of all functions of the libraries.
var libraryFunctions = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for name := range NewVM(nil, false).libraryFunctions() {
		names[name] = true
	}
	return names
})

// wrapPCall makes pcall return an error of redis, which is a table, as its text, as it was before errors were tables.
func (vm *VM) wrapPCall() {
	pcall := vm.env.Globals.RawGetString("pcall").(*lua.LFunction).GFunction
	vm.env.SetGlobal("pcall", vm.L.NewFunction(func(L *lua.LState) int {
		n := pcall(L)
		if n != 2 || L.Get(-2) != lua.LFalse {
			return n
		}
		if t, ok := L.Get(-1).(*lua.LTable); ok {
			if e := t.RawGetString("err"); lua.LVCanConvToString(e) {
				L.Pop(1)
				L.Push(e)
			}
		}
		return n
	}))
}

// openLibraries makes the environment of functions.
func (vm *VM) openLibraries() {
	vm.libraryEnv = vm.L.NewTable()
	vm.functions = map[string]*registered{}
	vm.showLibrary(false)
}

// showLibrary sets what functions and the code of libraries see: while a library is being loaded, redis.register_function and
// little else.
func (vm *VM) showLibrary(loading bool) {
	meta := vm.L.NewTable()
	meta.RawSetString("__index", vm.env.Globals)
	if loading {
		meta.RawSetString("__index", vm.loadingEnv())
	}
	vm.libraryEnv.Metatable = meta
}

// loadingEnv returns what a library sees while it is being loaded.
func (vm *VM) loadingEnv() *lua.LTable {
	api := vm.L.NewTable()
	api.RawSetString("register_function", vm.L.NewFunction(vm.registerFunction))
	vm.addLog(api)
	api.Metatable = vm.env.Globals.Metatable
	globals := vm.L.NewTable()
	globals.RawSetString("redis", vm.env.Protect(api))
	lualib.CopyHidden(globals, vm.env.Globals)
	globals.Metatable = vm.env.Globals.Metatable
	return globals
}
