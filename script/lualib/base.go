package lualib

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// openBase sets the functions of Lua's base library that redis leaves to scripts.
func (e *Env) openBase() {
	l := e.main
	setFunctions(l, e.Globals, map[string]lua.LGFunction{
		"assert":         assert,
		"collectgarbage": e.collectgarbage,
		"error":          raise,
		"gcinfo":         e.gcinfo,
		"getmetatable":   e.getmetatable,
		"ipairs":         e.ipairs,
		"load":           e.load,
		"loadstring":     e.loadstring,
		"next":           e.next,
		"pairs":          e.pairs,
		"pcall":          e.pcall,
		"rawequal":       rawequal,
		"rawget":         e.rawget,
		"rawset":         e.rawset,
		"select":         selectArgs,
		"setmetatable":   e.setmetatable,
		"tonumber":       tonumber,
		"tostring":       e.tostring,
		"type":           typeOf,
		"unpack":         e.unpack,
		"xpcall":         e.xpcall,
	})
	e.Globals.RawSetString("_G", e.view)
	e.Globals.RawSetString("_VERSION", lua.LString("Lua 5.1"))
	e.Globals.RawSetString(hiddenConcat, l.NewFunction(e.concat))
	e.Globals.RawSetString(hiddenNumber, l.NewFunction(loopNumber))
	e.Globals.RawSetString(hiddenGlobals, e.view)
}

func assert(l *lua.LState) int {
	if lua.LVIsFalse(auxlib.CheckAny(l, 1)) {
		auxlib.Errorf(l, "%s", auxlib.OptString(l, 2, "assertion failed!"))
	}
	return l.GetTop()
}

func raise(l *lua.LState) int {
	level := auxlib.OptInt(l, 2, 1)
	value := l.Get(1)
	if text, ok := auxlib.ToString(value); ok && level > 0 {
		value = lua.LString(auxlib.Where(l, level) + text)
	}
	l.Error(value, 0)
	return 0
}

var garbageOptions = []string{"stop", "restart", "collect", "count", "step", "setpause", "setstepmul"}

// collectgarbage answers as Lua does; when memory is collected is not for scripts to say.
func (e *Env) collectgarbage(l *lua.LState) int {
	option := garbageOptions[auxlib.CheckOption(l, 1, "collect", garbageOptions)]
	auxlib.OptInteger(l, 2, 0)
	switch option {
	case "count":
		l.Push(lua.LNumber(e.memoryKB()))
	case "step":
		l.Push(lua.LFalse)
	case "setpause", "setstepmul":
		l.Push(lua.LNumber(200))
	default:
		l.Push(lua.LNumber(0))
	}
	return 1
}

func (e *Env) gcinfo(l *lua.LState) int {
	l.Push(lua.LNumber(math.Floor(e.memoryKB())))
	return 1
}

func (e *Env) memoryKB() float64 {
	if e.options.MemoryKB != nil {
		return e.options.MemoryKB()
	}
	return 64
}

func (e *Env) getmetatable(l *lua.LState) int {
	value := auxlib.CheckAny(l, 1)
	var meta lua.LValue = lua.LNil
	switch v := value.(type) {
	case *lua.LTable:
		content, readonly := e.content(v)
		meta = content.Metatable
		if m, ok := meta.(*lua.LTable); ok && readonly {
			meta = e.Protect(m)
		}
	case *lua.LUserData:
		meta = v.Metatable
	case lua.LString:
		meta = e.stringMeta
	}
	if m, ok := meta.(*lua.LTable); ok {
		if field := m.RawGetString("__metatable"); field != lua.LNil {
			meta = field
		}
	}
	l.Push(meta)
	return 1
}

func (e *Env) setmetatable(l *lua.LState) int {
	t := auxlib.CheckTable(l, 1)
	meta := l.Get(2)
	if meta != lua.LNil && meta.Type() != lua.LTTable || l.GetTop() < 2 {
		auxlib.ArgError(l, 2, "nil or table expected")
	}
	if _, readonly := e.content(t); readonly {
		auxlib.Error(l, readonlyMessage)
	}
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		auxlib.Errorf(l, "cannot change a protected metatable")
	}
	if m, ok := meta.(*lua.LTable); ok {
		meta, _ = e.content(m)
	}
	t.Metatable = meta
	l.Push(t)
	return 1
}

// ipairs walks with one shared function, like Lua.
func (e *Env) ipairs(l *lua.LState) int {
	auxlib.CheckTable(l, 1)
	l.Push(e.Globals.RawGetString(hiddenIpairs))
	l.Push(l.Get(1))
	l.Push(lua.LNumber(0))
	return 3
}

func (e *Env) ipairsStep(l *lua.LState) int {
	i := auxlib.CheckInt(l, 2) + 1
	t := e.readable(l)
	value := t.RawGet(lua.LNumber(i))
	if value == lua.LNil {
		l.Push(lua.LNil)
		return 1
	}
	l.Push(lua.LNumber(i))
	l.Push(value)
	return 2
}

func (e *Env) pairs(l *lua.LState) int {
	auxlib.CheckTable(l, 1)
	l.Push(e.Globals.RawGetString("next"))
	l.Push(l.Get(1))
	l.Push(lua.LNil)
	return 3
}

func (e *Env) next(l *lua.LState) int {
	t, readonly := e.content(auxlib.CheckTable(l, 1))
	key, value := t.Next(present(t, l.Get(2)))
	for readonly && isHidden(key) {
		key, value = t.Next(key)
	}
	if key == lua.LNil {
		l.Push(lua.LNil)
		return 1
	}
	l.Push(key)
	l.Push(value)
	return 2
}

// present returns the key after which a traversal goes on that has come to key: an array may have been shortened below it.
func present(t *lua.LTable, key lua.LValue) lua.LValue {
	n, ok := key.(lua.LNumber)
	if !ok || n < 1 || n >= lua.LNumber(lua.MaxArrayIndex) || t.RawGet(key) != lua.LNil {
		return key
	}
	switch length := t.MaxN(); {
	case n <= lua.LNumber(length) || n != lua.LNumber(int(n)):
		return key
	case length == 0:
		return lua.LNil
	default:
		return lua.LNumber(length)
	}
}

func isHidden(key lua.LValue) bool {
	name, ok := key.(lua.LString)
	return ok && strings.HasPrefix(string(name), hiddenPrefix)
}

func rawequal(l *lua.LState) int {
	l.Push(lua.LBool(auxlib.CheckAny(l, 1) == auxlib.CheckAny(l, 2)))
	return 1
}

func (e *Env) rawget(l *lua.LState) int {
	t := e.readable(l)
	l.Push(t.RawGet(auxlib.CheckAny(l, 2)))
	return 1
}

func (e *Env) rawset(l *lua.LState) int {
	auxlib.CheckTable(l, 1)
	key := auxlib.CheckAny(l, 2)
	value := auxlib.CheckAny(l, 3)
	t := e.writable(l)
	setRaw(l, t, key, value)
	l.Push(t)
	return 1
}

func setRaw(l *lua.LState, t *lua.LTable, key, value lua.LValue) {
	if key == lua.LNil {
		auxlib.Error(l, "table index is nil")
	}
	if n, ok := key.(lua.LNumber); ok && n != n {
		auxlib.Error(l, "table index is NaN")
	}
	t.RawSet(key, value)
}

func selectArgs(l *lua.LState) int {
	top := l.GetTop()
	if s, ok := l.Get(1).(lua.LString); ok && strings.HasPrefix(string(s), "#") {
		l.Push(lua.LNumber(top - 1))
		return 1
	}
	i := auxlib.CheckInt(l, 1)
	if i < 0 {
		i += top
	} else if i > top {
		i = top
	}
	if i < 1 {
		auxlib.ArgError(l, 1, "index out of range")
	}
	return top - i
}

func tonumber(l *lua.LState) int {
	base := auxlib.OptInt(l, 2, 10)
	if base == 10 {
		if f, ok := auxlib.ToNumber(auxlib.CheckAny(l, 1)); ok {
			l.Push(lua.LNumber(f))
			return 1
		}
		l.Push(lua.LNil)
		return 1
	}
	text := auxlib.CheckString(l, 1)
	if base < 2 || base > 36 {
		auxlib.ArgError(l, 2, "base out of range")
	}
	if f, ok := parseUnsigned(text, uint64(base)); ok {
		l.Push(lua.LNumber(f))
	} else {
		l.Push(lua.LNil)
	}
	return 1
}

// parseUnsigned reads a number as C's strtoul does: a minus negates it modulo 2^64, and
// what does not fit is 2^64-1.
func parseUnsigned(s string, base uint64) (float64, bool) {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	s = auxlib.TrimSpace(s)
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if base == 16 && len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		s = s[2:]
	}
	if s == "" {
		return 0, false
	}
	var n uint64
	overflow := false
	for i := 0; i < len(s); i++ {
		d := digitValue(s[i])
		if d >= base {
			return 0, false
		}
		if n > (math.MaxUint64-d)/base {
			overflow = true
		}
		n = n*base + d
	}
	if overflow {
		return math.MaxUint64, true
	}
	if negative {
		n = -n
	}
	return float64(n), true
}

func digitValue(c byte) uint64 {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return uint64(c|0x20-'a') + 10
	}
	return math.MaxUint64
}

func (e *Env) tostring(l *lua.LState) int {
	l.Push(e.toString(l, auxlib.CheckAny(l, 1)))
	return 1
}

// toString returns what tostring returns for a value.
func (e *Env) toString(l *lua.LState, value lua.LValue) lua.LValue {
	var meta lua.LValue
	switch v := value.(type) {
	case lua.LString:
		return v
	case lua.LNumber:
		return lua.LString(auxlib.FormatNumber(float64(v)))
	case lua.LBool:
		return lua.LString(v.String())
	case *lua.LTable:
		meta = v.Metatable
	case *lua.LUserData:
		if v.Value == nil {
			return lua.LString("userdata: (nil)") // as C writes its null pointer
		}
		meta = v.Metatable
	}
	if m, ok := meta.(*lua.LTable); ok {
		if f := m.RawGetString("__tostring"); f != lua.LNil {
			e.enter(l)
			l.Push(f)
			l.Push(value)
			l.Call(1, 1)
			e.leave()
			result := l.Get(-1)
			l.Pop(1)
			return result
		}
	}
	return lua.LString(value.String())
}

func typeOf(l *lua.LState) int {
	l.Push(lua.LString(auxlib.CheckAny(l, 1).Type().String()))
	return 1
}

// maxUnpack is how many values Lua lets a function push.
const maxUnpack = 8000

func (e *Env) unpack(l *lua.LState) int {
	t := e.readable(l)
	from := auxlib.OptInt(l, 2, 1)
	to := t.Len()
	if l.Get(3) != lua.LNil {
		to = auxlib.CheckInt(l, 3)
	}
	if from > to {
		return 0
	}
	n := to - from + 1
	if n > maxUnpack-l.GetTop() {
		auxlib.Errorf(l, "too many results to unpack")
	}
	for i := from; i <= to; i++ {
		l.Push(t.RawGet(lua.LNumber(i)))
	}
	return n
}

// loopNumber makes a number of a bound of a loop, if it can.
func loopNumber(l *lua.LState) int {
	if f, ok := auxlib.ToNumber(l.Get(1)); ok {
		l.Push(lua.LNumber(f))
	} else {
		l.Push(l.Get(1))
	}
	return 1
}
