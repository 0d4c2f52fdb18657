package lualib

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// arithmetic has the events of arithmetic metamethods.
var arithmetic = map[string]func(x, y float64) float64{
	"__add": func(x, y float64) float64 { return x + y },
	"__sub": func(x, y float64) float64 { return x - y },
	"__mul": func(x, y float64) float64 { return x * y },
	"__div": func(x, y float64) float64 { return x / y },
	"__mod": luaMod,
	"__pow": math.Pow,
	"__unm": func(x, _ float64) float64 { return -x },
}

// luaMod is Lua's a % b: the result has the sign of b.
func luaMod(x, y float64) float64 { return x - math.Floor(x/y)*y }

// openTypes sets metatables of strings, numbers, booleans, nil and functions, which no
// script ever sees. The interpreter asks them before it does what differs from Lua: reads
// strings as numbers in Go's way, and words errors.
func (e *Env) openTypes() {
	l := e.main
	shown := l.NewTable()
	shown.RawSetString("__index", e.views[e.strings])
	e.stringMeta = e.Protect(shown)
	strings := l.NewTable()
	strings.RawSetString("__index", e.strings)
	for event, operation := range arithmetic {
		strings.RawSetString(event, l.NewFunction(e.arithmetic(event, operation)))
	}
	e.setErrors(strings, "__newindex", "__call")
	l.SetMetatable(lua.LString(""), strings)

	other := l.NewTable()
	e.setErrors(other, "__index", "__newindex", "__call", "__len")
	for event, operation := range arithmetic {
		other.RawSetString(event, l.NewFunction(e.arithmetic(event, operation)))
	}
	for _, value := range []lua.LValue{lua.LNil, lua.LFalse, lua.LNumber(0), l.NewFunction(assert), l} {
		meta := l.NewTable()
		other.ForEach(func(key, f lua.LValue) {
			if value.Type() != lua.LTFunction || key != lua.LString("__call") {
				meta.RawSet(key, f)
			}
		})
		l.SetMetatable(value, meta)
	}
}

// verbs says what could not be done with a value for which an event's metamethod is asked.
var verbs = map[string]string{
	"__index": "index", "__newindex": "index", "__call": "call", "__len": "get length of",
}

func (e *Env) setErrors(meta *lua.LTable, events ...string) {
	for _, event := range events {
		meta.RawSetString(event, e.main.NewFunction(func(l *lua.LState) int {
			culprit := l.Get(1)
			candidates := called
			switch event {
			case "__index", "__newindex":
				candidates = indexed(l.Get(2), event == "__newindex")
			case "__len":
				candidates = measured
			}
			auxlib.Errorf(l, "attempt to %s %s", verbs[event], describe(l, culprit, candidates))
			return 0
		}))
	}
}

// arithmetic is an operator on operands that are not two numbers.
func (e *Env) arithmetic(event string, operation func(x, y float64) float64) lua.LGFunction {
	return func(l *lua.LState) int {
		left := l.Get(1)
		right := left
		if l.GetTop() > 1 {
			right = l.Get(2)
		}
		x, okX := auxlib.ToNumber(left)
		y, okY := auxlib.ToNumber(right)
		if !okX || !okY {
			if f := ownMetamethod(l, right, event); f != lua.LNil {
				return e.callBinary(l, f, left, right)
			}
			culprit := left
			if okX {
				culprit = right
			}
			candidates := calculated(!okX, l.GetTop() == 1)
			auxlib.Errorf(l, "attempt to perform arithmetic on %s", describe(l, culprit, candidates))
		}
		l.Push(lua.LNumber(operation(x, y)))
		return 1
	}
}

// ownMetamethod returns the metamethod that a script gave a table.
func ownMetamethod(l *lua.LState, value lua.LValue, event string) lua.LValue {
	switch value.(type) {
	case *lua.LTable, *lua.LUserData:
		return l.GetMetaField(value, event)
	}
	return lua.LNil
}

// callBinary pushes the result of a metamethod.
func (e *Env) callBinary(l *lua.LState, f, left, right lua.LValue) int {
	e.enter(l)
	l.Push(f)
	l.Push(left)
	l.Push(right)
	l.Call(2, 1)
	e.leave()
	return 1
}
