package script

import (
	"bytes"
	"math"
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/resp"
)

// numbers are the boxed small integers, of which replies have many.
var numbers = func() (n [1024]lua.LValue) {
	for i := range n {
		n[i] = lua.LNumber(i)
	}
	return n
}()

func number(n int64) lua.LValue {
	if n >= 0 && n < int64(len(numbers)) {
		return numbers[n]
	}
	return lua.LNumber(n)
}

// toLua makes a Lua value of the reply at the beginning of b, which is well formed, and returns what is behind it.
func (vm *VM) toLua(b []byte) (lua.LValue, []byte) {
	end := bytes.IndexByte(b, '\n')
	line, rest := b[1:end-1], b[end+1:]
	switch b[0] {
	case ':':
		n, _ := strconv.ParseInt(string(line), 10, 64)
		return number(n), rest
	case '$':
		n := length(line)
		if n < 0 {
			return lua.LFalse, rest
		}
		return lua.LString(rest[:n]), rest[n+2:]
	case '*', '>':
		return vm.arrayToLua(length(line), rest)
	case '+':
		return vm.field("ok", lua.LString(line)), rest
	case '-':
		t := vm.errorTable(errorText(string(b[:end-1])))
		t.RawSetString("ignore_error_stats_update", lua.LTrue)
		return t, rest
	}
	return vm.resp3ToLua(b[0], line, rest)
}

func length(line []byte) int {
	n, _ := strconv.Atoi(string(line))
	return n
}

func (vm *VM) arrayToLua(n int, rest []byte) (lua.LValue, []byte) {
	if n < 0 {
		return lua.LFalse, rest
	}
	t := vm.L.CreateTable(n, 0)
	if len(rest) <= maxShared {
		return t, vm.sharedElements(t, n, rest)
	}
	for i := range n {
		var v lua.LValue
		v, rest = vm.toLua(rest)
		t.RawSetInt(i+1, v)
	}
	return t, rest
}

// maxShared is how long a reply may be whose strings share one allocation: none of them lives longer than the others by much.
const maxShared = 1024

// sharedElements is arrayToLua's loop with one allocation for all bulk strings.
func (vm *VM) sharedElements(t *lua.LTable, n int, rest []byte) []byte {
	all := string(rest)
	for i := range n {
		if rest[0] != '$' || rest[1] == '-' {
			var v lua.LValue
			v, rest = vm.toLua(rest)
			t.RawSetInt(i+1, v)
			continue
		}
		end := bytes.IndexByte(rest, '\n')
		size := length(rest[1 : end-1])
		at := len(all) - len(rest) + end + 1
		t.RawSetInt(i+1, lua.LString(all[at:at+size]))
		rest = rest[end+1+size+2:]
	}
	return rest
}

func (vm *VM) resp3ToLua(kind byte, line, rest []byte) (lua.LValue, []byte) {
	switch kind {
	case '_':
		return lua.LNil, rest
	case '#':
		return lua.LBool(line[0] == 't'), rest
	case ',':
		f, _ := strconv.ParseFloat(string(line), 64)
		return vm.field("double", lua.LNumber(f)), rest
	case '(':
		return vm.field("big_number", lua.LString(line)), rest
	case '=':
		n := length(line)
		text := vm.L.CreateTable(0, 2)
		text.RawSetString("string", lua.LString(rest[4:n]))
		text.RawSetString("format", lua.LString(rest[:3]))
		return vm.field("verbatim_string", text), rest[n+2:]
	case '%':
		t := vm.L.CreateTable(0, length(line))
		for range length(line) {
			var k, v lua.LValue
			k, rest = vm.toLua(rest)
			v, rest = vm.toLua(rest)
			if k != lua.LNil {
				t.RawSet(k, v)
			}
		}
		return vm.field("map", t), rest
	case '~':
		t := vm.L.CreateTable(0, length(line))
		for range length(line) {
			var k lua.LValue
			k, rest = vm.toLua(rest)
			if k != lua.LNil {
				t.RawSet(k, lua.LTrue)
			}
		}
		return vm.field("set", t), rest
	case '|': // attributes are not shown to scripts
		for range 2 * length(line) {
			_, rest = vm.toLua(rest)
		}
		return vm.toLua(rest)
	}
	return lua.LNil, rest
}

// field returns a table with one field.
func (vm *VM) field(name string, v lua.LValue) *lua.LTable {
	t := vm.L.CreateTable(0, 1)
	t.RawSetString(name, v)
	return t
}

// maxReplyDepth is how deeply the tables of a reply may be nested: as many as fit on the stack of redis' Lua.
const maxReplyDepth = 7997

// Result tells about the reply of a script.
type Result struct {
	Failed bool // it is an error
	Noted  bool // an error that has been counted in the statistics: that of a command
}

// Reply writes what the script that has just run has returned. name is what error messages call it.
func (vm *VM) Reply(w *resp.Writer, name string) Result {
	defer vm.clear()
	v := vm.L.Get(-1)
	if e, ok := v.(errorValue); ok {
		return vm.errorReply(w, e.LTable, name)
	}
	begin := len(w.Buf)
	noted := vm.toReply(w, v, 0)
	return Result{Failed: w.Buf[begin] == '-', Noted: noted}
}

// errorReply writes the error that a script has ended with.
func (vm *VM) errorReply(w *resp.Writer, t *lua.LTable, name string) Result {
	text, ok := t.RawGetString("err").(lua.LString)
	if !ok {
		text = "ERR unknown error"
	}
	source, line := t.RawGetString("source"), t.RawGetString("line")
	if source != lua.LNil && line != lua.LNil {
		text += lua.LString(" script: " + name + ", on " + source.String() + ":" + line.String() + ".")
	}
	w.Error(oneLine(string(text)))
	return Result{Failed: true, Noted: t.RawGetString("ignore_error_stats_update") == lua.LTrue}
}

// toReply writes a value. It reports whether it is an error that has been counted.
func (vm *VM) toReply(w *resp.Writer, v lua.LValue, depth int) (noted bool) {
	if depth > maxReplyDepth {
		w.Error(errStackLimit)
		return false
	}
	switch v := v.(type) {
	case lua.LString:
		w.BulkString(string(v))
	case lua.LNumber:
		w.Int(truncate(float64(v)))
	case lua.LBool:
		switch {
		case vm.proto >= 3:
			w.Bool(bool(v))
		case bool(v):
			w.Int(1)
		default:
			w.Null()
		}
	case *lua.LTable:
		return vm.tableToReply(w, v, depth)
	default:
		w.Null()
	}
	return false
}

// truncate converts a number to an integer as C does on amd64: what does not fit is the least integer.
func truncate(f float64) int64 {
	if !(f >= -(1<<63) && f < 1<<63) {
		return math.MinInt64
	}
	return int64(f)
}

func (vm *VM) tableToReply(w *resp.Writer, t *lua.LTable, depth int) (noted bool) {
	if t.RawGetInt(1) == lua.LNil || hasFields(t) {
		if ok, noted := vm.specialToReply(w, t, depth); ok {
			return noted
		}
	}
	n := 0
	for t.RawGetInt(n+1) != lua.LNil {
		n++
	}
	w.Array(n)
	for i := range n {
		vm.toReply(w, t.RawGetInt(i+1), depth+1)
	}
	return false
}

// hasFields tells whether t has anything besides the elements of an array.
func hasFields(t *lua.LTable) bool {
	k, _ := t.Next(lua.LNumber(t.Len()))
	return k != lua.LNil
}

// specialToReply writes a table that stands for something else than an array, as one of its fields tells.
func (vm *VM) specialToReply(w *resp.Writer, t *lua.LTable, depth int) (ok, noted bool) {
	if s, ok := t.RawGetString("err").(lua.LString); ok {
		w.Error(oneLine(string(s)))
		return true, t.RawGetString("ignore_error_stats_update") == lua.LTrue
	}
	if s, ok := t.RawGetString("ok").(lua.LString); ok {
		w.Simple(oneLine(string(s)))
		return true, false
	}
	if f, ok := t.RawGetString("double").(lua.LNumber); ok {
		w.Double(float64(f))
		return true, false
	}
	if s, ok := t.RawGetString("big_number").(lua.LString); ok {
		w.BigNumber(oneLine(string(s)))
		return true, false
	}
	if text, ok := t.RawGetString("verbatim_string").(*lua.LTable); ok {
		format, ok1 := text.RawGetString("format").(lua.LString)
		s, ok2 := text.RawGetString("string").(lua.LString)
		if ok1 && ok2 {
			w.Verbatim(verbatimFormat(string(format)), string(s))
			return true, false
		}
	}
	if m, ok := t.RawGetString("map").(*lua.LTable); ok {
		vm.mapToReply(w, m, depth)
		return true, false
	}
	if s, ok := t.RawGetString("set").(*lua.LTable); ok {
		vm.setToReply(w, s, depth)
		return true, false
	}
	return false, false
}

// verbatimFormat returns the three bytes that a format is.
func verbatimFormat(s string) string { return (s + "   ")[:3] }

func (vm *VM) mapToReply(w *resp.Writer, t *lua.LTable, depth int) {
	n := 0
	t.ForEach(func(lua.LValue, lua.LValue) { n++ })
	w.Map(n)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		vm.toReply(w, k, depth+2)
		vm.toReply(w, v, depth+2)
	}
}

func (vm *VM) setToReply(w *resp.Writer, t *lua.LTable, depth int) {
	n := 0
	t.ForEach(func(lua.LValue, lua.LValue) { n++ })
	w.Set(n)
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		vm.toReply(w, k, depth+2)
	}
}

// oneLine replaces line ends, which simple replies cannot hold.
func oneLine(s string) string {
	for i := range len(s) {
		if s[i] == '\r' || s[i] == '\n' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] == '\r' || b[j] == '\n' {
					b[j] = ' '
				}
			}
			return string(b)
		}
	}
	return s
}

// appendNumber appends a number as an argument of a command: with 17 digits, as printf's %.17g has it.
func appendNumber(dst []byte, f float64) []byte {
	switch i := int64(f); {
	case math.IsNaN(f):
		if math.Signbit(f) {
			return append(dst, "-nan"...)
		}
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case float64(i) == f && i > -1e17 && i < 1e17 && (i != 0 || !math.Signbit(f)):
		return strconv.AppendInt(dst, i, 10)
	}
	return strconv.AppendFloat(dst, f, 'g', 17, 64)
}
