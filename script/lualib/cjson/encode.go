package cjson

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// maxKeptBuffer bounds the buffer that a codec keeps between calls.
const maxKeptBuffer = 1 << 20

// encoder is one call of encode.
type encoder struct {
	*codec
	l     *lua.LState
	out   []byte
	steps int
}

func (c *codec) encode(l *lua.LState) int {
	oneArgument(l)
	e := encoder{codec: c, l: l, out: c.buf[:0]}
	c.buf = nil // a metamethod or an error may come in between
	e.value(l.Get(1), 0)
	c.host.CheckLength(l, len(e.out))
	l.Push(lua.LString(e.out))
	if cap(e.out) <= maxKeptBuffer {
		c.buf = e.out
	}
	return 1
}

// value appends a value that is depth tables deep.
func (e *encoder) value(v lua.LValue, depth int) {
	switch v := v.(type) {
	case lua.LString:
		e.string(string(v))
	case lua.LNumber:
		e.number(float64(v))
	case lua.LBool:
		if v {
			e.out = append(e.out, "true"...)
		} else {
			e.out = append(e.out, "false"...)
		}
	case *lua.LTable:
		e.table(e.host.Content(v), depth+1)
	case *lua.LNilType:
		e.out = append(e.out, "null"...)
	case *lua.LUserData:
		if v != e.null {
			e.fail(v, "type not supported")
		}
		e.out = append(e.out, "null"...)
	default:
		e.fail(v, "type not supported")
	}
}

func (e *encoder) fail(v lua.LValue, reason string) {
	auxlib.Errorf(e.l, "Cannot serialise %s: %s", v.Type().String(), reason)
}

// step is called for each element.
func (e *encoder) step() {
	if e.steps++; e.steps >= auxlib.InterruptSteps {
		e.steps = 0
		e.host.Interrupt(e.l)
	}
}

func (e *encoder) table(t *lua.LTable, depth int) {
	if depth > e.encodeDepth || depth > maxStackDepth {
		auxlib.Errorf(e.l, "Cannot serialise, excessive nesting (%d)", depth)
	}
	if n := e.arrayLength(t); n > 0 {
		e.array(t, n, depth)
	} else {
		e.object(t, depth)
	}
}

// arrayLength returns the greatest key of an array, 0 or less for what is no array.
func (e *encoder) arrayLength(t *lua.LTable) int {
	length, items := e.densePart(t)
	if length < 0 {
		if length, items = sparseLength(t); length < 0 {
			return -1
		}
	}
	if e.sparseRatio > 0 && length > items*e.sparseRatio && length > e.sparseSafe {
		if !e.sparseConvert {
			e.fail(t, "excessively sparse array")
		}
		return -1
	}
	return length
}

// densePart counts the elements of a table that has no keys but those up to its length: it
// boxes no key. The length is -1 for other tables.
func (e *encoder) densePart(t *lua.LTable) (length, items int) {
	n := t.Len()
	if n == 0 {
		return -1, 0
	}
	if key, _ := t.Next(lua.LNumber(n)); key != lua.LNil {
		return -1, 0
	}
	for i := 1; i <= n; i++ {
		if t.RawGetInt(i) != lua.LNil {
			items++
		}
	}
	return n, items
}

func sparseLength(t *lua.LTable) (length, items int) {
	greatest := 0.0
	for key, _ := t.Next(lua.LNil); key != lua.LNil; key, _ = t.Next(key) {
		k, ok := key.(lua.LNumber)
		if !ok || k < 1 || math.Floor(float64(k)) != float64(k) {
			return -1, 0
		}
		greatest = max(greatest, float64(k))
		items++
	}
	if greatest > math.MaxInt32 { // the cast to int in C
		greatest = math.MinInt32
	}
	return int(greatest), items
}

func (e *encoder) array(t *lua.LTable, n, depth int) {
	e.out = append(e.out, '[')
	for i := 1; i <= n; i++ {
		if i > 1 {
			e.out = append(e.out, ',')
		}
		e.value(t.RawGet(lua.LNumber(i)), depth)
		e.step()
		e.host.CheckLength(e.l, len(e.out))
	}
	e.out = append(e.out, ']')
}

func (e *encoder) object(t *lua.LTable, depth int) {
	e.out = append(e.out, '{')
	first := true
	for key, value := t.Next(lua.LNil); key != lua.LNil; key, value = t.Next(key) {
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		switch k := key.(type) {
		case lua.LNumber:
			e.out = append(e.out, '"')
			e.number(float64(k))
			e.out = append(e.out, `":`...)
		case lua.LString:
			e.string(string(k))
			e.out = append(e.out, ':')
		default:
			e.fail(key, "table key must be a number or string")
		}
		e.value(value, depth)
		e.step()
		e.host.CheckLength(e.l, len(e.out))
	}
	e.out = append(e.out, '}')
}

func (e *encoder) number(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		switch {
		case e.encodeInvalid == invalidRefused:
			e.fail(lua.LNumber(f), "must not be NaN or Inf")
		case e.encodeInvalid == invalidNull:
			e.out = append(e.out, "null"...)
			return
		case math.IsNaN(f):
			e.out = append(e.out, "nan"...)
			return
		}
	}
	if e.precision == 14 {
		e.out = auxlib.AppendNumber(e.out, f)
	} else {
		e.out = auxlib.AppendG(e.out, f, e.precision)
	}
}

const hexDigits = "0123456789abcdef"

// escapes has the letter after the backslash for each byte, 'u' for a \u00xx escape, and 0
// for bytes that stand for themselves.
var escapes = func() (t [256]byte) {
	for c := range 0x20 {
		t[c] = 'u'
	}
	t[0x7f] = 'u'
	for c, letter := range map[byte]byte{
		'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r', '"': '"', '/': '/', '\\': '\\',
	} {
		t[c] = letter
	}
	return t
}()

func (e *encoder) string(s string) {
	e.host.CheckLength(e.l, len(e.out)+len(s))
	out := append(e.out, '"')
	copied := 0
	for i := 0; i < len(s); i++ {
		letter := escapes[s[i]]
		if letter == 0 {
			continue
		}
		out = append(out, s[copied:i]...)
		copied = i + 1
		if letter == 'u' {
			out = append(out, '\\', 'u', '0', '0', hexDigits[s[i]>>4], hexDigits[s[i]&15])
		} else {
			out = append(out, '\\', letter)
		}
	}
	out = append(out, s[copied:]...)
	e.out = append(out, '"')
}
