package script

import (
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// handleError makes a table of an error, with the place where it arose.
func (vm *VM) handleError(L *lua.LState) int {
	t, ok := L.Get(1).(*lua.LTable)
	switch {
	case vm.stopped == Kill:
		t = vm.errorTable(errKilled)
	case vm.stopped == NoMemory:
		t = vm.errorTable(errMemoryLimit)
	case vm.stopped == TooLong:
		t = vm.errorTable(errTooLong)
	case vm.stopped == Abandon:
		t = vm.errorTable(errLoadTimeout)
	case !ok:
		t = vm.errorTable("ERR " + vm.describe(vm.env.ErrorValue(&lua.ApiError{Object: L.Get(1)})))
	}
	if source, line, ok := place(L); ok {
		t.RawSetString("source", lua.LString("@"+source))
		t.RawSetString("line", lua.LNumber(line))
	}
	L.Push(t)
	return 1
}

// place returns where the function that has failed was, or the one that had called it if that is not a Lua function.
func place(L *lua.LState) (source string, line int, ok bool) {
	for level := 1; level <= 2; level++ {
		d, ok := L.GetStack(level)
		if !ok {
			return "", 0, false
		}
		if _, err := L.GetInfo("Sl", d, lua.LNil); err == nil && d.CurrentLine > 0 {
			return d.Source, d.CurrentLine, true
		}
	}
	return "", 0, false
}

// describe returns an error that is not a table of redis' as text.
func (vm *VM) describe(v lua.LValue) string {
	if t, ok := v.(*lua.LTable); ok {
		if s, ok := t.RawGetString("err").(lua.LString); ok {
			return string(s)
		}
	}
	if s, ok := auxlib.ToString(v); ok {
		return s
	}
	return v.String()
}

// text returns a string or number as Lua prints it.
func text(v lua.LValue) string {
	s, _ := auxlib.ToString(v)
	return s
}

func tonumber(v lua.LValue) (float64, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	}
	return 0, false
}
