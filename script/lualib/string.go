package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

func (e *Env) openString() {
	e.strings = e.setLibrary("string", map[string]lua.LGFunction{
		"byte":    stringByte,
		"char":    stringChar,
		"dump":    stringDump,
		"find":    e.stringFind,
		"format":  e.stringFormat,
		"gfind":   e.stringGmatch,
		"gmatch":  e.stringGmatch,
		"gsub":    e.stringGsub,
		"len":     stringLen,
		"lower":   stringLower,
		"match":   e.stringMatch,
		"rep":     e.stringRep,
		"reverse": stringReverse,
		"sub":     stringSub,
		"upper":   stringUpper,
	})
}

// position turns an index from the end into one from the start.
func position(i int64, length int) int64 {
	if i < 0 {
		i += int64(length) + 1
	}
	return max(i, 0)
}

func stringByte(l *lua.LState) int {
	s := auxlib.CheckString(l, 1)
	from := position(auxlib.OptInteger(l, 2, 1), len(s))
	to := min(position(auxlib.OptInteger(l, 3, from), len(s)), int64(len(s)))
	from = max(from, 1)
	if from > to {
		return 0
	}
	n := int(to - from + 1)
	if n > maxUnpack {
		auxlib.Errorf(l, "stack overflow (string slice too long)")
	}
	for i := from; i <= to; i++ {
		l.Push(lua.LNumber(s[i-1]))
	}
	return n
}

func stringChar(l *lua.LState) int {
	n := l.GetTop()
	var short [64]byte
	buf := short[:0]
	for i := 1; i <= n; i++ {
		c := auxlib.CheckInt(l, i)
		if c != int(byte(c)) {
			auxlib.ArgError(l, i, "invalid value")
		}
		buf = append(buf, byte(c))
	}
	l.Push(lua.LString(buf))
	return 1
}

// stringDump returns what begins as bytecode does: load refuses bytecode anyway.
func stringDump(l *lua.LState) int {
	auxlib.CheckFunction(l, 1)
	l.Push(lua.LString("\x1bLuaQ"))
	return 1
}

func stringLen(l *lua.LState) int {
	l.Push(lua.LNumber(len(auxlib.CheckString(l, 1))))
	return 1
}

func stringLower(l *lua.LState) int { return mapBytes(l, 'A', 'Z') }
func stringUpper(l *lua.LState) int { return mapBytes(l, 'a', 'z') }

// mapBytes flips the case of the letters from first to last.
func mapBytes(l *lua.LState, first, last byte) int {
	s := auxlib.CheckString(l, 1)
	i := 0
	for i < len(s) && (s[i] < first || s[i] > last) {
		i++
	}
	if i == len(s) {
		l.Push(lua.LString(s))
		return 1
	}
	buf := []byte(s)
	for ; i < len(buf); i++ {
		if first <= buf[i] && buf[i] <= last {
			buf[i] ^= 0x20
		}
	}
	l.Push(lua.LString(buf))
	return 1
}

func (e *Env) stringRep(l *lua.LState) int {
	s := auxlib.CheckString(l, 1)
	n := auxlib.CheckInt(l, 2)
	if n <= 0 || s == "" {
		l.Push(lua.LString(""))
		return 1
	}
	if n > e.options.MaxString/len(s) {
		e.checkLength(l, -1)
	}
	l.Push(lua.LString(strings.Repeat(s, n)))
	return 1
}

func stringReverse(l *lua.LState) int {
	s := auxlib.CheckString(l, 1)
	buf := make([]byte, len(s))
	for i := range buf {
		buf[i] = s[len(s)-1-i]
	}
	l.Push(lua.LString(buf))
	return 1
}

func stringSub(l *lua.LState) int {
	s := auxlib.CheckString(l, 1)
	from := max(position(auxlib.CheckInteger(l, 2), len(s)), 1)
	to := min(position(auxlib.OptInteger(l, 3, -1), len(s)), int64(len(s)))
	if from > to {
		l.Push(lua.LString(""))
	} else {
		l.Push(lua.LString(s[from-1 : to]))
	}
	return 1
}

const patternSpecials = "^$*+?.([%-"

func (e *Env) stringFind(l *lua.LState) int  { return e.find(l, true) }
func (e *Env) stringMatch(l *lua.LState) int { return e.find(l, false) }

func (e *Env) find(l *lua.LState, positions bool) int {
	s := auxlib.CheckString(l, 1)
	p := auxlib.CheckString(l, 2)
	start := position(auxlib.OptInteger(l, 3, 1), len(s)) - 1
	init := int(min(max(start, 0), int64(len(s))))
	if positions && (l.ToBool(4) || !strings.ContainsAny(cString(p), patternSpecials)) {
		i := strings.Index(s[init:], p)
		if i < 0 {
			l.Push(lua.LNil)
			return 1
		}
		l.Push(lua.LNumber(init + i + 1))
		l.Push(lua.LNumber(init + i + len(p)))
		return 2
	}
	m := e.newMatcher(l, s, p)
	defer m.release()
	for i := init; i <= len(s); i++ {
		if end := m.at(i); end >= 0 {
			if !positions {
				return m.pushCaptures(i, end, true)
			}
			l.Push(lua.LNumber(i + 1))
			l.Push(lua.LNumber(end))
			return 2 + m.pushCaptures(i, end, false)
		}
		if m.anchored {
			break
		}
	}
	l.Push(lua.LNil)
	return 1
}

// cString is s up to its first zero byte.
func cString(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return s
}

func (e *Env) stringGmatch(l *lua.LState) int {
	s := auxlib.CheckString(l, 1)
	p := auxlib.CheckString(l, 2)
	next := 0
	l.Push(l.NewFunction(func(l *lua.LState) int {
		m := e.newMatcher(l, s, p)
		defer m.release()
		m.literalAnchor()
		for i := next; i <= len(s); i++ {
			end := m.at(i)
			if end < 0 {
				continue
			}
			next = end
			if end == i {
				next++
			}
			return m.pushCaptures(i, end, true)
		}
		next = len(s) + 1
		l.Push(lua.LNil)
		return 1
	}))
	return 1
}

func (e *Env) stringGsub(l *lua.LState) int {
	s := auxlib.CheckString(l, 1)
	p := auxlib.CheckString(l, 2)
	limit := auxlib.OptInt(l, 4, len(s)+1)
	replacement := l.Get(3)
	switch replacement.Type() {
	case lua.LTString, lua.LTNumber, lua.LTFunction, lua.LTTable:
	default:
		auxlib.ArgError(l, 3, "string/function/table expected")
	}
	m := e.newMatcher(l, s, p)
	defer m.release()
	var buf []byte
	count, i, copied := 0, 0, 0
	for count < limit {
		end := m.at(i)
		if end >= 0 {
			count++
			buf = append(buf, s[copied:i]...)
			buf = m.replace(buf, replacement, i, end)
			e.checkLength(l, len(buf))
			copied = end
		}
		if end > i {
			i = end
		} else if i < len(s) {
			i++
		} else {
			break
		}
		if m.anchored {
			break
		}
	}
	if count == 0 {
		l.Push(lua.LString(s))
	} else {
		e.checkLength(l, len(buf)+len(s)-copied)
		l.Push(lua.LString(append(buf, s[copied:]...)))
	}
	l.Push(lua.LNumber(count))
	return 2
}

// replace appends what stands for a match.
func (m *matcher) replace(buf []byte, replacement lua.LValue, start, end int) []byte {
	l := m.l
	var result lua.LValue
	switch r := replacement.(type) {
	case lua.LString:
		return m.expand(buf, string(r), start, end)
	case lua.LNumber:
		return auxlib.AppendNumber(buf, float64(r))
	case *lua.LFunction:
		result = m.call(r, start, end)
	case *lua.LTable:
		t, _ := m.env.content(r)
		result = l.GetTable(t, m.capture(0, start, end))
	}
	if lua.LVIsFalse(result) {
		return append(buf, m.s[start:end]...)
	}
	text, ok := auxlib.ToString(result)
	if !ok {
		auxlib.Errorf(l, "invalid replacement value (a %s)", result.Type().String())
	}
	return append(buf, text...)
}

// call calls a function of the captures. The matcher keeps its state: the function may use
// patterns itself, with other matchers.
func (m *matcher) call(f *lua.LFunction, start, end int) lua.LValue {
	l := m.l
	m.env.enter(l)
	l.Push(f)
	l.Call(m.pushCaptures(start, end, true), 1)
	m.env.leave()
	result := l.Get(-1)
	l.Pop(1)
	return result
}

// expand appends a replacement string, with the captures that %1 and so on stand for.
func (m *matcher) expand(buf []byte, replacement string, start, end int) []byte {
	for {
		i := strings.IndexByte(replacement, '%')
		if i < 0 {
			return append(buf, replacement...)
		}
		buf = append(buf, replacement[:i]...)
		c := byte(0)
		if replacement = replacement[i+1:]; replacement != "" {
			c, replacement = replacement[0], replacement[1:]
		}
		switch {
		case c == '0':
			buf = append(buf, m.s[start:end]...)
		case '1' <= c && c <= '9':
			text, _ := auxlib.ToString(m.capture(int(c-'1'), start, end))
			buf = append(buf, text...)
		default:
			buf = append(buf, c)
		}
		m.env.checkLength(m.l, len(buf))
	}
}
