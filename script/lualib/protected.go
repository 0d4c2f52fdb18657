package lualib

import (
	"errors"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

func (e *Env) pcall(l *lua.LState) int {
	if l.GetTop() == 0 {
		l.Push(lua.LFalse) // what Lua finds where the function should be
	}
	return e.protectedCall(l, l.GetTop()-1, lua.LNil)
}

func (e *Env) xpcall(l *lua.LState) int {
	handler := auxlib.CheckAny(l, 2)
	l.SetTop(1)
	return e.protectedCall(l, 0, handler)
}

// protectedCall calls the first of nargs+1 values of the stack with the others, and pushes
// true and the results, or false and the error.
func (e *Env) protectedCall(l *lua.LState, nargs int, handler lua.LValue) int {
	if e.calls >= maxCalls {
		l.Push(lua.LFalse)
		l.Push(lua.LString("error in error handling"))
		return 2
	}
	if f := l.Get(1); !callable(l, f) {
		l.Push(lua.LFalse)
		l.Push(lua.LString("attempt to call a " + f.Type().String() + " value"))
		return 2
	}
	calls, unyielding, coroutines := e.calls, e.unyielding, len(e.coroutines)
	e.calls++
	e.unyielding++
	t := e.thread(l)
	for i := 1; i <= nargs+1; i++ {
		t.Push(l.Get(i))
	}
	err := t.PCall(nargs, lua.MultRet, e.handler)
	e.coroutines = e.coroutines[:coroutines]
	n := 2
	if err == nil {
		l.Push(lua.LTrue)
		n = 1 + t.GetTop()
		for i := 1; i < n; i++ {
			l.Push(t.Get(i))
		}
	} else {
		value := e.ErrorValue(err)
		if handler != lua.LNil {
			value = e.handle(t, handler, value)
		}
		l.Push(lua.LFalse)
		l.Push(value)
	}
	e.release(t)
	e.calls, e.unyielding = calls, unyielding
	return n
}

// Handler returns what PCall of gopher-lua should have as its error function: without one
// PCall describes the whole stack as text for each error, in quadratic time.
func (e *Env) Handler() *lua.LFunction { return e.handler }

// keepError is the error function: it returns the error. As gopher-lua does not close the
// upvalues of a thread whose call has an error function, that is done here.
func keepError(l *lua.LState) int {
	value := l.Get(1)
	closeUpvalues(l)
	l.Push(value)
	return 1
}

// closeUpvalues closes the upvalues of all functions of the thread, which raising an error
// does first.
func closeUpvalues(l *lua.LState) {
	defer func() { _ = recover() }()
	l.Error(lua.LNil, 0)
}

func callable(l *lua.LState, f lua.LValue) bool {
	return f.Type() == lua.LTFunction || ownMetamethod(l, f, "__call") != lua.LNil
}

// handle calls the error handler of xpcall. The stack is unwound then: nothing a script can
// call looks at it.
func (e *Env) handle(t *lua.LState, handler, value lua.LValue) lua.LValue {
	t.SetTop(0)
	t.Push(handler)
	t.Push(value)
	if err := t.PCall(1, 1, e.handler); err != nil {
		return lua.LString("error in error handling")
	}
	return t.Get(1)
}

// thread returns a thread for a protected call in l.
func (e *Env) thread(l *lua.LState) *lua.LState {
	ctx := l.Context()
	if n := len(e.threads); n > 0 {
		t := e.threads[n-1]
		e.threads = e.threads[:n-1]
		if ctx != nil {
			t.SetContext(ctx)
		} else if t.Context() != nil {
			t.RemoveContext()
		}
		return t
	}
	return newThread(e.main, ctx, func(o *lua.Options) { o.CallStackSize = protectedFrames })
}

// release returns a thread to the free list, with nothing on its stack.
func (e *Env) release(t *lua.LState) {
	t.SetTop(0)
	e.threads = append(e.threads, t)
}

// ErrorValue returns the Lua value that was raised, if err is from PCall, with messages of
// the interpreter in Lua's words.
func (e *Env) ErrorValue(err error) lua.LValue {
	var raised *lua.ApiError
	if !errors.As(err, &raised) {
		return lua.LString(err.Error())
	}
	switch object := raised.Object.(type) {
	case nil:
		return lua.LString(raised.Error())
	case lua.LString:
		return lua.LString(translate(string(object)))
	default:
		return object
	}
}

// translations has messages of the interpreter, after the position, and Lua's words for
// them. Others come from the metamethods of openTypes and are right already.
var translations = []struct{ prefix, words string }{
	{"attempt to call a non-function object", "attempt to call a table value"},
	{"for statement init must be a number", "'for' initial value must be a number"},
	{"for statement limit must be a number", "'for' limit must be a number"},
	{"for statement step must be a number", "'for' step must be a number"},
	{"too many recursions in gettable", "loop in gettable"},
	{"too many recursions in settable", "loop in settable"},
	{"registry overflow", "stack overflow"},
	{"lua callstack overflow", "stack overflow"},
	{"__len undefined", "attempt to get length of a userdata value"},
	{"__unm undefined", "attempt to perform arithmetic on a table value"},
}

func translate(message string) string {
	position, text := splitPosition(message)
	for _, t := range translations {
		if strings.HasPrefix(text, t.prefix) {
			return position + t.words
		}
	}
	if operands, ok := strings.CutPrefix(text, "attempt to compare "); ok {
		if left, right, ok := strings.Cut(operands, " with "); ok && left == right {
			return position + "attempt to compare two " + left + " values"
		}
	}
	if operands, ok := strings.CutPrefix(text, "cannot perform "); ok {
		_, operands, _ = strings.Cut(operands, " operation between ")
		left, right, _ := strings.Cut(operands, " and ")
		if left == "number" {
			left = right
		}
		return position + "attempt to perform arithmetic on a " + left + " value"
	}
	return message
}

// splitPosition splits "chunk:line: text" after the space.
func splitPosition(message string) (position, text string) {
	for i := 0; i+1 < len(message); i++ {
		if message[i] == ':' && message[i+1] == ' ' {
			return message[:i+2], message[i+2:]
		}
	}
	return "", strings.TrimPrefix(message, " ")
}
