package lualib

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

func (e *Env) openCoroutine() {
	stock := coroutineFunctions(e.main)
	e.create, e.resume = stock("create"), stock("resume")
	e.setLibrary("coroutine", map[string]lua.LGFunction{
		"create":  e.coCreate,
		"resume":  e.coResume,
		"running": e.coRunning,
		"status":  e.coStatus,
		"wrap":    e.coWrap,
		"yield":   e.coYield,
	})
}

// coroutineFunctions opens gopher-lua's library, whose functions reach what its API does
// not, and returns them by name.
func coroutineFunctions(l *lua.LState) func(name string) lua.LGFunction {
	globals := l.G.Global
	l.G.Global = l.NewTable()
	lua.OpenCoroutine(l)
	library := l.Get(-1).(*lua.LTable)
	l.Pop(1)
	l.G.Global = globals
	return func(name string) lua.LGFunction { return library.RawGetString(name).(*lua.LFunction).GFunction }
}

// newThread makes a thread with options of its own. It has the context itself: a child of
// it, which gopher-lua would make, would need to be cancelled.
func newThread(l *lua.LState, ctx context.Context, adjust func(*lua.Options)) *lua.LState {
	options, own := l.Options, l.Context()
	adjust(&l.Options)
	if own != nil {
		l.RemoveContext()
	}
	t, _ := l.NewThread()
	l.Options = options
	if own != nil {
		l.SetContext(own)
	}
	if ctx != nil {
		t.SetContext(ctx)
	}
	return t
}

func (e *Env) coCreate(l *lua.LState) int {
	if f, ok := l.Get(1).(*lua.LFunction); !ok || f.IsG {
		auxlib.ArgError(l, 1, "Lua function expected")
	}
	l.SetTop(1)
	options, ctx := l.Options, l.Context()
	l.Options.CallStackSize, l.Options.MinimizeStackMemory = coroutineFrames, true
	l.Options.RegistrySize = 256
	if ctx != nil {
		l.RemoveContext()
	}
	e.create(l)
	l.Options = options
	if ctx != nil {
		l.SetContext(ctx)
		l.Get(-1).(*lua.LState).SetContext(ctx)
	}
	return 1
}

func checkThread(l *lua.LState, n int) *lua.LState {
	t, ok := l.Get(n).(*lua.LState)
	if !ok {
		auxlib.ArgError(l, n, "coroutine expected")
	}
	return t
}

func (e *Env) coResume(l *lua.LState) int {
	return e.resumeThread(l, checkThread(l, 1))
}

// resumeThread resumes t, which is argument 1, with the other arguments, and pushes what
// coroutine.resume returns.
func (e *Env) resumeThread(l, t *lua.LState) int {
	if status := e.status(t); status != "suspended" {
		return resumeError(l, "cannot resume "+status+" coroutine")
	}
	if e.calls >= maxCalls {
		return resumeError(l, "C stack overflow")
	}
	calls, unyielding := e.calls, e.unyielding
	e.calls, e.unyielding = e.calls+1, 0
	e.coroutines = append(e.coroutines, t)
	n := e.resume(l)
	e.coroutines = e.coroutines[:len(e.coroutines)-1]
	e.calls, e.unyielding = calls, unyielding
	l.G.CurrentThread = l.G.MainThread
	if text, ok := l.Get(-1).(lua.LString); ok && n == 2 && l.Get(-2) == lua.LFalse {
		l.Pop(1)
		l.Push(lua.LString(translate(string(text))))
	}
	return n
}

func resumeError(l *lua.LState, message string) int {
	l.Push(lua.LFalse)
	l.Push(lua.LString(message))
	return 2
}

func (e *Env) status(t *lua.LState) string {
	if t.Dead {
		return "dead"
	}
	for i, running := range e.coroutines {
		if running == t {
			if i == len(e.coroutines)-1 {
				return "running"
			}
			return "normal"
		}
	}
	return "suspended"
}

func (e *Env) coStatus(l *lua.LState) int {
	l.Push(lua.LString(e.status(checkThread(l, 1))))
	return 1
}

func (e *Env) coRunning(l *lua.LState) int {
	if n := len(e.coroutines); n > 0 {
		l.Push(e.coroutines[n-1])
	} else {
		l.Push(lua.LNil)
	}
	return 1
}

func (e *Env) coWrap(l *lua.LState) int {
	e.coCreate(l)
	t := l.Get(-1).(*lua.LState)
	l.Push(l.NewFunction(func(l *lua.LState) int {
		l.Insert(t, 1)
		n := e.resumeThread(l, t)
		if l.Get(-n) == lua.LTrue {
			return n - 1
		}
		value := l.Get(-1)
		if text, ok := auxlib.ToString(value); ok {
			value = lua.LString(auxlib.Where(l, 1) + text)
		}
		l.Error(value, 0)
		return 0
	}))
	return 1
}

func (e *Env) coYield(l *lua.LState) int {
	n := len(e.coroutines)
	if n == 0 || e.coroutines[n-1] != l || e.unyielding > 0 {
		auxlib.Error(l, "attempt to yield across metamethod/C-call boundary")
	}
	return -1
}
