package auxlib

import (
	"fmt"
	"strconv"

	lua "github.com/yuin/gopher-lua"
)

// Errorf raises an error with the position of the Lua function that called the running Go
// function in front, if there is one.
func Errorf(l *lua.LState, format string, args ...any) {
	l.Error(lua.LString(Where(l, 1)+fmt.Sprintf(format, args...)), 0)
}

// Error raises the message alone, as the interpreter's core does when a Go function uses it.
func Error(l *lua.LState, message string) { l.Error(lua.LString(message), 0) }

// Where returns "chunk:line: " of the function at a level of the stack (0 is the running
// function), or nothing if it is not a Lua function.
func Where(l *lua.LState, level int) string {
	frame, ok := l.GetStack(level)
	if !ok {
		return ""
	}
	if _, err := l.GetInfo("Sl", frame, lua.LNil); err != nil || frame.CurrentLine < 1 || frame.Source == "" {
		return ""
	}
	return frame.Source + ":" + strconv.Itoa(frame.CurrentLine) + ": "
}

// ArgError raises "bad argument #n to 'f' (message)".
func ArgError(l *lua.LState, n int, message string) {
	name, method := calledAs(l)
	if method {
		n--
		if n == 0 {
			Errorf(l, "calling '%s' on bad self (%s)", name, message)
		}
	}
	Errorf(l, "bad argument #%d to '%s' (%s)", n, name, message)
}

// TypeError raises the ArgError of a value that is not what is expected.
func TypeError(l *lua.LState, n int, expected string) {
	ArgError(l, n, expected+" expected, got "+TypeName(l, n))
}

// TypeName returns the name of the argument's type, "no value" for an absent one.
func TypeName(l *lua.LState, n int) string {
	if n > l.GetTop() {
		return "no value"
	}
	return l.Get(n).Type().String()
}

// calledAs returns the name by which the running function was called, and whether as a
// method.
func calledAs(l *lua.LState) (name string, method bool) {
	frame, ok := l.GetStack(0)
	if !ok {
		return "?", false
	}
	caller, ok := l.GetStack(1)
	if !ok {
		return "?", false
	}
	fn, err := l.GetInfo("fl", caller, lua.LNil)
	if err != nil {
		return "?", false
	}
	function, ok := fn.(*lua.LFunction)
	if !ok || function.IsG {
		return "?", false
	}
	if _, err := l.GetInfo("n", frame, lua.LNil); err != nil || frame.Name == "" || frame.Name[0] == '(' {
		return "?", false
	}
	return frame.Name, isMethodCall(function.Proto, frame.Name, caller.CurrentLine)
}

// isMethodCall tells whether all calls of the name on the line are of the form a:name().
// gopher-lua does not tell which of them runs.
func isMethodCall(proto *lua.FunctionProto, name string, line int) bool {
	found := false
	for _, call := range proto.DbgCalls {
		if call.Name != name || call.Pc >= len(proto.Code) || proto.DbgSourcePositions[call.Pc] != line {
			continue
		}
		if !calleeIsSelf(proto, call.Pc) {
			return false
		}
		found = true
	}
	return found
}

func calleeIsSelf(proto *lua.FunctionProto, pc int) bool {
	register := proto.Code[pc] >> 18 & 0xff
	for i := pc - 1; i >= 0; i-- {
		if proto.Code[i]>>18&0xff != register {
			continue
		}
		switch int(proto.Code[i] >> 26) {
		case lua.OP_SELF:
			return true
		case lua.OP_GETGLOBAL, lua.OP_GETTABLE, lua.OP_GETTABLEKS, lua.OP_MOVE, lua.OP_GETUPVAL, lua.OP_CALL:
			return false
		}
	}
	return false
}

// CheckAny raises an error if there is no argument n.
func CheckAny(l *lua.LState, n int) lua.LValue {
	if n > l.GetTop() {
		ArgError(l, n, "value expected")
	}
	return l.Get(n)
}

// CheckString returns a string argument, or a number as text.
func CheckString(l *lua.LState, n int) string {
	switch v := l.Get(n).(type) {
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return FormatNumber(float64(v))
	}
	TypeError(l, n, "string")
	return ""
}

// OptString is CheckString, with a default for an absent argument or nil.
func OptString(l *lua.LState, n int, absent string) string {
	if l.Get(n) == lua.LNil {
		return absent
	}
	return CheckString(l, n)
}

// CheckNumber returns a number argument, or the number that a string is.
func CheckNumber(l *lua.LState, n int) float64 {
	if f, ok := ToNumber(l.Get(n)); ok {
		return f
	}
	TypeError(l, n, "number")
	return 0
}

// CheckInteger is CheckNumber as an integer, towards zero.
func CheckInteger(l *lua.LState, n int) int64 {
	if f, ok := l.Get(n).(lua.LNumber); ok {
		return ToInteger(float64(f))
	}
	return ToInteger(CheckNumber(l, n))
}

// CheckInt is CheckInteger in a C int: its low 32 bits.
func CheckInt(l *lua.LState, n int) int { return int(int32(CheckInteger(l, n))) }

// OptInteger is CheckInteger, with a default for an absent argument or nil.
func OptInteger(l *lua.LState, n int, absent int64) int64 {
	if l.Get(n) == lua.LNil {
		return absent
	}
	return CheckInteger(l, n)
}

// OptInt is CheckInt, with a default for an absent argument or nil.
func OptInt(l *lua.LState, n, absent int) int {
	if l.Get(n) == lua.LNil {
		return absent
	}
	return CheckInt(l, n)
}

// CheckTable returns a table argument.
func CheckTable(l *lua.LState, n int) *lua.LTable {
	if t, ok := l.Get(n).(*lua.LTable); ok {
		return t
	}
	TypeError(l, n, "table")
	return nil
}

// CheckFunction returns a function argument.
func CheckFunction(l *lua.LState, n int) *lua.LFunction {
	if f, ok := l.Get(n).(*lua.LFunction); ok {
		return f
	}
	TypeError(l, n, "function")
	return nil
}

// CheckOption returns the index of a string argument in options.
func CheckOption(l *lua.LState, n int, absent string, options []string) int {
	given := absent
	if absent == "" || l.Get(n) != lua.LNil {
		given = CheckString(l, n)
	}
	for i, option := range options {
		if option == given {
			return i
		}
	}
	ArgError(l, n, "invalid option '"+given+"'")
	return 0
}

// ToNumber converts a number or a string as arithmetic does.
func ToNumber(v lua.LValue) (float64, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		return ParseNumber(string(v))
	}
	return 0, false
}

// ToString converts a string or a number as concatenation does.
func ToString(v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return FormatNumber(float64(v)), true
	}
	return "", false
}
