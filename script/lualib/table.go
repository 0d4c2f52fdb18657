package lualib

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

func (e *Env) openTable() {
	e.setLibrary("table", map[string]lua.LGFunction{
		"concat":   e.tableConcat,
		"foreach":  e.tableForeach,
		"foreachi": e.tableForeachi,
		"getn":     e.tableGetn,
		"insert":   e.tableInsert,
		"maxn":     e.tableMaxn,
		"remove":   e.tableRemove,
		"setn":     e.tableSetn,
		"sort":     e.tableSort,
	})
}

func (e *Env) tableConcat(l *lua.LState) int {
	separator := auxlib.OptString(l, 2, "")
	t := e.readable(l)
	from := auxlib.OptInt(l, 3, 1)
	to := t.Len()
	if l.Get(4) != lua.LNil {
		to = auxlib.CheckInt(l, 4)
	}
	if from > to {
		l.Push(lua.LString(""))
		return 1
	}
	size := 0
	for i := from; i <= to; i++ {
		width, ok := textWidth(t.RawGet(lua.LNumber(i)))
		if !ok {
			kind := t.RawGet(lua.LNumber(i)).Type().String()
			auxlib.Errorf(l, "invalid value (%s) at index %d in table for 'concat'", kind, i)
		}
		if size += width + len(separator); size > e.options.MaxString+len(separator)+maxNumberWidth {
			e.checkLength(l, -1)
		}
	}
	buf := make([]byte, 0, size)
	for i := from; i <= to; i++ {
		switch v := t.RawGet(lua.LNumber(i)).(type) {
		case lua.LString:
			buf = append(buf, v...)
		case lua.LNumber:
			buf = auxlib.AppendNumber(buf, float64(v))
		}
		if i < to {
			buf = append(buf, separator...)
		}
	}
	e.checkLength(l, len(buf))
	l.Push(lua.LString(buf))
	return 1
}

func (e *Env) tableForeach(l *lua.LState) int {
	t, readonly := e.content(auxlib.CheckTable(l, 1))
	f := auxlib.CheckFunction(l, 2)
	key, value := t.Next(lua.LNil)
	for ; key != lua.LNil; key, value = t.Next(key) {
		if readonly && isHidden(key) {
			continue
		}
		if e.visit(l, f, key, value) {
			return 1
		}
	}
	return 0
}

func (e *Env) tableForeachi(l *lua.LState) int {
	t := e.readable(l)
	f := auxlib.CheckFunction(l, 2)
	n := t.Len()
	for i := 1; i <= n; i++ {
		if e.visit(l, f, lua.LNumber(i), t.RawGetInt(i)) {
			return 1
		}
	}
	return 0
}

// visit calls f; if it returns something, that is left on the stack.
func (e *Env) visit(l *lua.LState, f *lua.LFunction, key, value lua.LValue) bool {
	e.enter(l)
	l.Push(f)
	l.Push(key)
	l.Push(value)
	l.Call(2, 1)
	e.leave()
	if l.Get(-1) != lua.LNil {
		return true
	}
	l.Pop(1)
	return false
}

func (e *Env) tableGetn(l *lua.LState) int {
	l.Push(lua.LNumber(e.readable(l).Len()))
	return 1
}

func (e *Env) tableSetn(l *lua.LState) int {
	auxlib.CheckTable(l, 1)
	auxlib.Errorf(l, "'setn' is obsolete")
	return 0
}

func (e *Env) tableMaxn(l *lua.LState) int {
	t := e.readable(l)
	greatest := lua.LNumber(0)
	t.ForEach(func(key, _ lua.LValue) {
		if n, ok := key.(lua.LNumber); ok && n > greatest {
			greatest = n
		}
	})
	l.Push(greatest)
	return 1
}

func (e *Env) tableInsert(l *lua.LState) int {
	end := auxlib.CheckTable(l, 1).Len() + 1
	switch l.GetTop() {
	case 2:
		t := e.writable(l)
		t.RawSetInt(end, l.Get(2))
	case 3:
		at := auxlib.CheckInt(l, 2)
		t := e.writable(l)
		if 1 <= at && at < end {
			t.Insert(at, l.Get(3))
			break
		}
		for i := end; i > at; i-- {
			t.RawSet(lua.LNumber(i), t.RawGet(lua.LNumber(i-1)))
			if (end-i)%interruptSteps == interruptSteps-1 {
				e.interrupt(l)
			}
		}
		t.RawSet(lua.LNumber(at), l.Get(3))
	default:
		auxlib.Errorf(l, "wrong number of arguments to 'insert'")
	}
	return 0
}

// trim follows t[i] = nil: it drops what is nil at the end of t's array, which gopher-lua keeps and walks over for each
// #t, so that emptying a table from its end would take quadratic time. Without i, or if i was the last element, there
// is something to drop.
func trim(l *lua.LState) int {
	t, ok := l.Get(1).(*lua.LTable)
	if !ok {
		return 0
	}
	if l.GetTop() > 1 {
		i, ok := l.Get(2).(lua.LNumber)
		if !ok || i < 1 || i >= lua.LNumber(lua.MaxArrayIndex) || t.RawGetInt(int(i)+1) != lua.LNil {
			return 0
		}
	}
	n := t.MaxN()
	if n == 0 { // there is nothing by which to tell when all is dropped
		n = 1
		t.RawSetInt(1, lua.LTrue)
		defer t.Remove(1)
	}
	last := t.Remove(0) // the last place of the array, whatever is there
	for last == lua.LNil {
		last = t.Remove(0)
	}
	t.RawSetInt(n, last)
	return 0
}

func (e *Env) tableRemove(l *lua.LState) int {
	n := auxlib.CheckTable(l, 1).Len()
	at := auxlib.OptInt(l, 2, n)
	if at < 1 || at > n {
		return 0
	}
	t := e.writable(l)
	l.Push(t.RawGetInt(at))
	t.Remove(at)
	return 1
}
