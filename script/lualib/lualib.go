package lualib

import (
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

const (
	// DefaultMaxString is the longest string a function returns if Options do not say.
	DefaultMaxString = 512 << 20

	// maxCalls bounds the calls of Lua from Go that are in progress, as Lua bounds those
	// from C.
	maxCalls = 200

	// Frames of a thread: of the main one, of one for pcall, of a coroutine. A frame that
	// a metamethod begins takes about a kilobyte of Go stack.
	mainFrames      = 4000
	protectedFrames = 1000
	coroutineFrames = 2000

	// maxRegisters bounds the values on the stack of a thread, 16 bytes each.
	maxRegisters = 1 << 20

	// maxArrayKey bounds what assigning to one integer key can allocate: the interpreter
	// fills the array up to it, 16 bytes per key.
	maxArrayKey = 1 << 22
)

// Options says how an environment differs from the default one.
type Options struct {
	// MaxString is the longest string in bytes that a library function or a concatenation
	// returns; 0 means DefaultMaxString.
	MaxString int

	// Interrupt, if set, is called now and then by library functions that can run for
	// long. It may raise an error, or panic.
	Interrupt func(l *lua.LState)

	// MemoryKB, if set, is what collectgarbage("count") returns.
	MemoryKB func() float64
}

// Env is the environment of the scripts of one lua.LState. It is not safe for concurrent
// use, like the LState.
type Env struct {
	// Globals holds the global variables; scripts see it read-only. Go code may set it.
	Globals *lua.LTable

	main       *lua.LState
	options    Options
	view       *lua.LTable
	contents   map[*lua.LTable]*lua.LTable // of a view
	views      map[*lua.LTable]*lua.LTable // of a content
	handler    *lua.LFunction              // error function of protected calls
	readonly   *lua.LFunction              // __newindex of views
	strings    *lua.LTable                 // content of the string library
	stringMeta *lua.LTable                 // what getmetatable("") returns

	random     rand48
	calls      int           // Go functions that call Lua, in progress
	unyielding int           // the same, in the running coroutine
	coroutines []*lua.LState // those that were resumed, the running one last
	threads    []*lua.LState // free, for protected calls
	matchers   []*matcher    // free
	create     lua.LGFunction
	resume     lua.LGFunction
}

var setArrayLimit = sync.OnceFunc(func() { lua.MaxArrayIndex = maxArrayKey })

// StateOptions returns the options with which NewState makes a state for Open.
func StateOptions() lua.Options {
	return lua.Options{
		SkipOpenLibs:     true,
		CallStackSize:    mainFrames,
		RegistrySize:     1024,
		RegistryMaxSize:  maxRegisters,
		RegistryGrowStep: 4096,
	}
}

// Open fills the globals of a state made with StateOptions. Global functions that the
// caller adds are set in Globals, tables first go through Protect.
func Open(l *lua.LState, options Options) *Env {
	setArrayLimit()
	if options.MaxString <= 0 {
		options.MaxString = DefaultMaxString
	}
	e := &Env{
		main: l, options: options,
		Globals:  l.NewTable(),
		contents: map[*lua.LTable]*lua.LTable{},
		views:    map[*lua.LTable]*lua.LTable{},
		random:   rand48Start,
	}
	e.handler = l.NewFunction(keepError)
	e.readonly = l.NewFunction(refuseWrite)
	e.view = e.newView(e.Globals)
	missing := l.NewTable()
	missing.RawSetString("__index", l.NewFunction(missingGlobal))
	e.Globals.Metatable = missing
	l.Env, l.G.Global = e.Globals, e.Globals

	e.openBase()
	e.openLibraries()
	e.openTypes()
	e.Reset()
	return e
}

// Reset prepares for the next script: what an interrupted one left in progress is forgotten.
func (e *Env) Reset() {
	e.calls, e.unyielding, e.coroutines = 0, 0, e.coroutines[:0]
}

// Function makes a function of a compiled chunk.
func (e *Env) Function(proto *lua.FunctionProto) *lua.LFunction {
	return e.main.NewFunctionFromProto(proto)
}

// SetGlobal sets a global variable. A table is set as it is: scripts may write to it.
func (e *Env) SetGlobal(name string, value lua.LValue) { e.Globals.RawSetString(name, value) }

// setFunctions adds functions to a content table.
func setFunctions(l *lua.LState, t *lua.LTable, functions map[string]lua.LGFunction) {
	for name, f := range functions {
		t.RawSetString(name, l.NewFunction(f))
	}
}

// setLibrary makes a read-only global table of functions, and returns its content.
func (e *Env) setLibrary(name string, functions map[string]lua.LGFunction) *lua.LTable {
	t := e.main.NewTable()
	setFunctions(e.main, t, functions)
	e.Globals.RawSetString(name, e.Protect(t))
	return t
}

// checkLength raises an error if a string of n bytes would be too long.
func (e *Env) checkLength(l *lua.LState, n int) {
	if n > e.options.MaxString || n < 0 {
		auxlib.Errorf(l, "resulting string too large")
	}
}

// enter counts a Go function that is about to call Lua; leave must follow, unless an error
// is raised, which the protected call around it accounts for.
func (e *Env) enter(l *lua.LState) {
	if e.calls >= maxCalls {
		auxlib.Errorf(l, "C stack overflow")
	}
	e.calls++
	e.unyielding++
}

func (e *Env) leave() {
	e.calls--
	e.unyielding--
}

// interrupt gives the owner of the state a chance to stop the script.
func (e *Env) interrupt(l *lua.LState) {
	if e.options.Interrupt != nil {
		e.options.Interrupt(l)
	}
}

// CheckLength, Content and Interrupt make an Env the auxlib.Host of its libraries.
func (e *Env) CheckLength(l *lua.LState, n int) { e.checkLength(l, n) }

// Content returns the table behind a read-only view, or the table itself.
func (e *Env) Content(t *lua.LTable) *lua.LTable {
	t, _ = e.content(t)
	return t
}

// Interrupt calls Options.Interrupt.
func (e *Env) Interrupt(l *lua.LState) { e.interrupt(l) }
