package auxlib

import lua "github.com/yuin/gopher-lua"

// Host is what a library needs from the environment that opens it.
type Host interface {
	// CheckLength raises an error if n bytes are more than a string may have.
	CheckLength(l *lua.LState, n int)
	// Content returns the table behind a read-only view, or the table itself.
	Content(t *lua.LTable) *lua.LTable
	// Interrupt is called now and then in work that can be long. It may raise an error.
	Interrupt(l *lua.LState)
}

// InterruptSteps is how many steps, of some nanoseconds to a microsecond each, a library
// makes between two calls of Host.Interrupt.
const InterruptSteps = 1 << 16

// MaxResults is how many values Lua lets a function push.
const MaxResults = 7998

// CheckResults raises the error of a function that pushes too many values.
func CheckResults(l *lua.LState, n int, message string) {
	if n > MaxResults {
		Errorf(l, "stack overflow (%s)", message)
	}
}

// ToUnsigned is the cast from double to an unsigned 64-bit integer as x86 compilers do it.
func ToUnsigned(f float64) uint64 {
	switch {
	case f >= 1<<64:
		return 0
	case f >= 1<<63:
		return uint64(f)
	}
	return uint64(ToInteger(f))
}

// Functions makes a table of Go functions.
func Functions(l *lua.LState, functions map[string]lua.LGFunction) *lua.LTable {
	t := l.CreateTable(0, len(functions))
	for name, f := range functions {
		t.RawSetString(name, l.NewFunction(f))
	}
	return t
}
