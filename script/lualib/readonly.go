package lualib

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

const readonlyMessage = "Attempt to modify a readonly table"

// Protect returns a view of a table through which scripts can read it but not write; the
// tables in it become views too. Go code may go on writing to the table itself.
func (e *Env) Protect(t *lua.LTable) *lua.LTable {
	if view := e.views[t]; view != nil {
		return view
	}
	if e.contents[t] != nil {
		return t
	}
	view := e.newView(t)
	t.ForEach(func(key, value lua.LValue) {
		if inner, ok := value.(*lua.LTable); ok {
			t.RawSet(key, e.Protect(inner))
		}
	})
	return view
}

func (e *Env) newView(content *lua.LTable) *lua.LTable {
	view, meta := &lua.LTable{}, &lua.LTable{Metatable: lua.LNil}
	meta.RawSetString("__index", content)
	meta.RawSetString("__newindex", e.readonly)
	view.Metatable = meta
	e.contents[view], e.views[content] = content, view
	return view
}

// content returns the table behind a view, or the table itself.
func (e *Env) content(t *lua.LTable) (content *lua.LTable, readonly bool) {
	if t.Metatable == lua.LNil {
		return t, false
	}
	if c := e.contents[t]; c != nil {
		return c, true
	}
	return t, false
}

// writable returns the first argument, a table that may be written to.
func (e *Env) writable(l *lua.LState) *lua.LTable {
	t := auxlib.CheckTable(l, 1)
	if _, readonly := e.content(t); readonly {
		auxlib.Error(l, readonlyMessage)
	}
	return t
}

// readable returns the first argument, a table; of a view, its content.
func (e *Env) readable(l *lua.LState) *lua.LTable {
	t, _ := e.content(auxlib.CheckTable(l, 1))
	return t
}

// refuseWrite is __newindex of views.
func refuseWrite(l *lua.LState) int {
	auxlib.Errorf(l, readonlyMessage)
	return 0
}

// missingGlobal is __index of the globals.
func missingGlobal(l *lua.LState) int {
	if l.GetTop() != 2 {
		auxlib.Errorf(l, "Wrong number of arguments to luaProtectedTableError")
	}
	name, ok := auxlib.ToString(l.Get(2))
	if !ok {
		auxlib.Errorf(l, "Second argument to luaProtectedTableError must be a string or number")
	}
	auxlib.Errorf(l, "Script attempted to access nonexistent global variable '%s'", name)
	return 0
}
