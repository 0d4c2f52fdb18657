package cjson

import (
	"strconv"
	"strings"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// A kind is a token's type; the names of kinds stand in messages.
type kind byte

const (
	objectBegin kind = iota
	objectEnd
	arrayBegin
	arrayEnd
	stringToken
	numberToken
	booleanToken
	nullToken
	colon
	comma
	end
	failure
)

var kindNames = [...]string{
	"T_OBJ_BEGIN", "T_OBJ_END", "T_ARR_BEGIN", "T_ARR_END", "T_STRING", "T_NUMBER",
	"T_BOOLEAN", "T_NULL", "T_COLON", "T_COMMA", "T_END",
}

// token is a token of the text: of text the meaning depends on its kind, the string for
// stringToken and the message for failure.
type token struct {
	kind    kind
	at      int
	text    string
	number  float64
	boolean bool
}

// decoder is one call of decode.
type decoder struct {
	*codec
	l     *lua.LState
	s     string
	i     int
	depth int
	steps int
}

func (c *codec) decode(l *lua.LState) int {
	oneArgument(l)
	s := auxlib.CheckString(l, 1)
	if len(s) >= 2 && (s[0] == 0 || s[1] == 0) {
		auxlib.Errorf(l, "JSON parser does not support UTF-16 or UTF-32")
	}
	d := decoder{codec: c, l: l, s: s}
	var t token
	d.next(&t)
	value := d.value(&t)
	if d.next(&t); t.kind != end {
		d.fail("the end", &t)
	}
	l.Push(value)
	return 1
}

func (d *decoder) fail(expected string, t *token) {
	found := t.text
	if t.kind != failure {
		found = kindNames[t.kind]
	}
	auxlib.Errorf(d.l, "Expected %s but found %s at character %d", expected, found, t.at+1)
}

// at returns a byte, zero past the end as in C; a zero byte ends the text.
func (d *decoder) at(i int) byte {
	if i < len(d.s) {
		return d.s[i]
	}
	return 0
}

// next reads a token.
func (d *decoder) next(t *token) {
	if d.steps++; d.steps >= auxlib.InterruptSteps {
		d.steps = 0
		d.host.Interrupt(d.l)
	}
	for isBlank(d.at(d.i)) {
		d.i++
	}
	t.at = d.i
	switch c := d.at(d.i); {
	case c == '"':
		d.string(t)
	case c == '-' || '0' <= c && c <= '9':
		if !d.decodeInvalid && d.isInvalidNumber() {
			t.fail(d.i, "invalid number")
			return
		}
		d.number(t)
	case c == 0:
		t.kind = end
	case d.punctuation(t, c):
	default:
		d.word(t, c)
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func (t *token) fail(at int, message string) { t.kind, t.at, t.text = failure, at, message }

// punctuation reads a token of one character.
func (d *decoder) punctuation(t *token, c byte) bool {
	switch c {
	case '{':
		t.kind = objectBegin
	case '}':
		t.kind = objectEnd
	case '[':
		t.kind = arrayBegin
	case ']':
		t.kind = arrayEnd
	case ',':
		t.kind = comma
	case ':':
		t.kind = colon
	default:
		return false
	}
	d.i++
	return true
}

// word reads true, false, null, and the numbers that begin with a letter or a plus.
func (d *decoder) word(t *token, c byte) {
	rest := d.s[d.i:]
	switch {
	case strings.HasPrefix(rest, "true"):
		t.kind, t.boolean = booleanToken, true
		d.i += len("true")
	case strings.HasPrefix(rest, "false"):
		t.kind, t.boolean = booleanToken, false
		d.i += len("false")
	case strings.HasPrefix(rest, "null"):
		t.kind = nullToken
		d.i += len("null")
	case strings.IndexByte("+iInN", c) >= 0 && d.decodeInvalid && d.isInvalidNumber():
		d.number(t)
	default:
		t.fail(d.i, "invalid token")
	}
}

// isInvalidNumber tells whether what strtod takes for a number is none in JSON: a plus,
// leading zeros, hexadecimal digits, infinity and NaN.
func (d *decoder) isInvalidNumber() bool {
	i := d.i
	if d.at(i) == '+' {
		return true
	}
	if d.at(i) == '-' {
		i++
	}
	switch c := d.at(i); {
	case c == '0':
		next := d.at(i + 1)
		return next|0x20 == 'x' || '0' <= next && next <= '9'
	case c <= '9':
		return false
	}
	return hasWord(d.s[i:], "inf") || hasWord(d.s[i:], "nan")
}

// hasWord tells whether s begins with a lower-case word, in any case.
func hasWord(s, word string) bool {
	return len(s) >= len(word) && strings.EqualFold(s[:len(word)], word)
}

func (d *decoder) number(t *token) {
	n := numberLength(d.s[d.i:])
	if n == 0 {
		t.fail(d.i, "invalid number")
		return
	}
	text := d.s[d.i : d.i+n]
	t.kind = numberToken
	if i := strings.IndexByte(text, '('); i >= 0 { // nan(...)
		text = text[:i]
	}
	t.number, _ = auxlib.ParseNumber(text)
	d.i += n
}

// numberLength returns how much of s C's strtod reads.
func numberLength(s string) int {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	switch rest := s[i:]; {
	case hasWord(rest, "infinity"):
		return i + len("infinity")
	case hasWord(rest, "inf"):
		return i + len("inf")
	case hasWord(rest, "nan"):
		return i + len("nan") + nanPayload(rest[len("nan"):])
	case len(rest) > 2 && rest[0] == '0' && rest[1]|0x20 == 'x':
		if n := mantissa(rest[2:], isHex); n > 0 {
			return i + 2 + n + exponent(rest[2+n:], 'p')
		}
		return i + 1
	}
	n := mantissa(s[i:], isDecimal)
	if n == 0 {
		return 0
	}
	return i + n + exponent(s[i+n:], 'e')
}

func nanPayload(s string) int {
	if s == "" || s[0] != '(' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if c == ')' {
			return i + 1
		}
		if !isDecimal(c) && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') {
			break
		}
	}
	return 0
}

func isDecimal(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool     { return isDecimal(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// mantissa returns the length of digits with a point, 0 if there is no digit.
func mantissa(s string, isDigit func(byte) bool) int {
	i, digits, point := 0, 0, false
	for ; i < len(s); i++ {
		if isDigit(s[i]) {
			digits++
		} else if s[i] == '.' && !point {
			point = true
		} else {
			break
		}
	}
	if digits == 0 {
		return 0
	}
	return i
}

func exponent(s string, letter byte) int {
	if s == "" || s[0]|0x20 != letter {
		return 0
	}
	i := 1
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	first := i
	for i < len(s) && isDecimal(s[i]) {
		i++
	}
	if i == first {
		return 0
	}
	return i
}

// string reads a string. Without escapes it is a part of the text, not a copy.
func (d *decoder) string(t *token) {
	start := d.i + 1
	for i := start; i < len(d.s); i++ {
		switch d.s[i] {
		case '"':
			t.kind, t.text = stringToken, d.s[start:i]
			d.i = i + 1
			return
		case '\\', 0:
			d.i = start
			d.escapedString(t)
			return
		}
	}
	t.fail(len(d.s), "unexpected end of string")
}

// escapedString reads the rest of a string that has escapes.
func (d *decoder) escapedString(t *token) {
	var buf []byte
	for {
		switch c := d.at(d.i); c {
		case '"':
			d.i++
			t.kind, t.text = stringToken, string(buf)
			return
		case 0:
			t.fail(d.i, "unexpected end of string")
			return
		case '\\':
			var message string
			if buf, message = d.escape(buf); message != "" {
				t.fail(d.i, message)
				return
			}
		default:
			buf = append(buf, c)
			d.i++
		}
	}
}

// escape appends what the escape at the current place stands for.
func (d *decoder) escape(buf []byte) (_ []byte, problem string) {
	c := d.at(d.i + 1)
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 't':
		c = '\t'
	case 'n':
		c = '\n'
	case 'f':
		c = '\f'
	case 'r':
		c = '\r'
	case 'u':
		r, n := d.unicodeEscape()
		if n == 0 {
			return buf, "invalid unicode escape code"
		}
		d.i += n
		return utf8.AppendRune(buf, r), ""
	default:
		return buf, "invalid escape code"
	}
	d.i += 2
	return append(buf, c), ""
}

// unicodeEscape reads an escape of a backslash, u and four hexadecimal digits, or two of them for a surrogate pair; the
// length is 0 if that is not what stands there.
func (d *decoder) unicodeEscape() (r rune, length int) {
	high, ok := d.hex4(d.i + 2)
	if !ok {
		return 0, 0
	}
	if high&0xF800 != 0xD800 {
		return high, 6
	}
	low, ok := d.hex4(d.i + 8)
	if high&0x400 != 0 || d.at(d.i+6) != '\\' || d.at(d.i+7) != 'u' || !ok || low&0xFC00 != 0xDC00 {
		return 0, 0
	}
	return (high&0x3FF<<10 | low&0x3FF) + 0x10000, 12
}

func (d *decoder) hex4(i int) (rune, bool) {
	if i+4 > len(d.s) {
		return 0, false
	}
	n, err := strconv.ParseUint(d.s[i:i+4], 16, 16)
	return rune(n), err == nil
}

// value returns the value that begins with a token.
func (d *decoder) value(t *token) lua.LValue {
	switch t.kind {
	case stringToken:
		return lua.LString(t.text)
	case numberToken:
		return lua.LNumber(t.number)
	case booleanToken:
		return lua.LBool(t.boolean)
	case nullToken:
		return d.null
	case objectBegin:
		return d.object()
	case arrayBegin:
		return d.array()
	}
	d.fail("value", t)
	return nil
}

func (d *decoder) descend() {
	if d.depth++; d.depth > d.decodeDepth || d.depth > maxStackDepth {
		auxlib.Errorf(d.l, "Found too many nested data structures (%d) at character %d", d.depth, d.i)
	}
}

func (d *decoder) object() lua.LValue {
	d.descend()
	object := d.l.CreateTable(0, 4)
	var t token
	d.next(&t)
	for t.kind != objectEnd {
		if t.kind != stringToken {
			d.fail("object key string", &t)
		}
		key := t.text
		if d.next(&t); t.kind != colon {
			d.fail("colon", &t)
		}
		d.next(&t)
		object.RawSetString(key, d.value(&t))
		d.next(&t)
		if t.kind == objectEnd {
			break
		}
		if t.kind != comma {
			d.fail("comma or object end", &t)
		}
		if d.next(&t); t.kind == objectEnd {
			d.fail("object key string", &t)
		}
	}
	d.depth--
	return object
}

func (d *decoder) array() lua.LValue {
	d.descend()
	array := d.l.CreateTable(4, 0)
	var t token
	d.next(&t)
	for i := 1; t.kind != arrayEnd; i++ {
		array.RawSetInt(i, d.value(&t))
		d.next(&t)
		if t.kind == arrayEnd {
			break
		}
		if t.kind != comma {
			d.fail("comma or array end", &t)
		}
		if d.next(&t); t.kind == arrayEnd {
			d.fail("value", &t)
		}
	}
	d.depth--
	return array
}
