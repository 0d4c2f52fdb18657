package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// concat is what Compile makes of the operator "..": right-associative, strings and numbers
// in one step.
func (e *Env) concat(l *lua.LState) int {
	top := l.GetTop()
	if a, ok := l.Get(1).(lua.LString); ok && top == 2 {
		if b, ok := l.Get(2).(lua.LString); ok {
			e.checkLength(l, len(a)+len(b))
			l.Push(a + b)
			return 1
		}
	}
	for {
		n, size := 0, 0
		for n < top {
			width, ok := textWidth(l.Get(top - n))
			if !ok {
				break
			}
			size += width
			n++
		}
		if n == top {
			e.checkLength(l, size)
			l.Push(lua.LString(joinText(l, 1, top, size)))
			return 1
		}
		if n > 1 {
			e.checkLength(l, size)
			text := joinText(l, top-n+1, top, size)
			top -= n - 1
			l.SetTop(top)
			l.Replace(top, lua.LString(text))
		}
		l.SetTop(top)
		e.concatPair(l, top)
		if top--; top == 1 {
			return 1
		}
	}
}

// maxNumberWidth is what a number takes as text, at most.
const maxNumberWidth = 24

// textWidth returns how long a string is, or a number at most; false for other values.
func textWidth(v lua.LValue) (int, bool) {
	switch v := v.(type) {
	case lua.LString:
		return len(v), true
	case lua.LNumber:
		return maxNumberWidth, true
	}
	return 0, false
}

// joinText joins the strings and numbers of the stack from index from to index to.
func joinText(l *lua.LState, from, to, size int) string {
	if to-from == 1 {
		a, okA := l.Get(from).(lua.LString)
		b, okB := l.Get(to).(lua.LString)
		if okA && okB {
			return string(a) + string(b)
		}
	}
	var short [128]byte
	if size <= len(short) {
		buf := short[:0]
		for i := from; i <= to; i++ {
			buf = appendText(buf, l.Get(i))
		}
		return string(buf)
	}
	var text strings.Builder
	text.Grow(size)
	for i := from; i <= to; i++ {
		if s, ok := l.Get(i).(lua.LString); ok {
			text.WriteString(string(s))
		} else {
			text.Write(appendText(short[:0], l.Get(i)))
		}
	}
	return text.String()
}

// appendText appends a string or number.
func appendText(buf []byte, v lua.LValue) []byte {
	switch v := v.(type) {
	case lua.LString:
		return append(buf, v...)
	case lua.LNumber:
		return auxlib.AppendNumber(buf, float64(v))
	}
	return buf
}

// concatPair replaces the last two values by what their metamethod returns.
func (e *Env) concatPair(l *lua.LState, top int) {
	left, right := l.Get(top-1), l.Get(top)
	f := l.GetMetaField(left, "__concat")
	if f == lua.LNil {
		f = l.GetMetaField(right, "__concat")
	}
	if f == lua.LNil {
		concatError(l, top, left, right)
	}
	e.callBinary(l, f, left, right)
	result := l.Get(-1)
	l.SetTop(top - 1)
	l.Replace(top-1, result)
}

// concatError raises the error of a pair of values of which top is the index of the right
// one.
func concatError(l *lua.LState, top int, left, right lua.LValue) {
	culprit, i := left, top-2
	if _, ok := auxlib.ToString(left); ok {
		culprit, i = right, top-1
	}
	auxlib.Errorf(l, "attempt to concatenate %s", describe(l, culprit, concatenated(i)))
}
