package lualib

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// conversion is one "%..." of a format.
type conversion struct {
	minus, plus, space, sharp, zero bool
	width, precision                int // precision -1: none
	verb                            byte
}

func (e *Env) stringFormat(l *lua.LState) int {
	format := auxlib.CheckString(l, 1)
	top := l.GetTop()
	var short [128]byte
	buf := short[:0]
	arg := 1
	for {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			break
		}
		buf = append(buf, format[:i]...)
		format = format[i+1:]
		if strings.HasPrefix(format, "%") {
			buf = append(buf, '%')
			format = format[1:]
			continue
		}
		if arg++; arg > top {
			auxlib.ArgError(l, arg, "no value")
		}
		var c conversion
		c, format = parseConversion(l, format)
		buf = c.append(l, buf, arg)
		e.checkLength(l, len(buf))
	}
	buf = append(buf, format...)
	e.checkLength(l, len(buf))
	l.Push(lua.LString(buf))
	return 1
}

const maxFlags = 5

// parseConversion reads what follows '%'.
func parseConversion(l *lua.LState, format string) (conversion, string) {
	c := conversion{precision: -1}
	i := 0
	for ; i < len(format) && strings.IndexByte("-+ #0", format[i]) >= 0; i++ {
		switch format[i] {
		case '-':
			c.minus = true
		case '+':
			c.plus = true
		case ' ':
			c.space = true
		case '#':
			c.sharp = true
		case '0':
			c.zero = true
		}
	}
	if i > maxFlags {
		auxlib.Errorf(l, "invalid format (repeated flags)")
	}
	c.width, i = twoDigits(format, i)
	if i < len(format) && format[i] == '.' {
		c.precision, i = twoDigits(format, i+1)
	}
	if i < len(format) && isDigit(format[i]) {
		auxlib.Errorf(l, "invalid format (width or precision too long)")
	}
	if i < len(format) {
		c.verb = format[i]
		i++
	}
	return c, format[i:]
}

func twoDigits(s string, i int) (n, next int) {
	for next = i; next < len(s) && next < i+2 && isDigit(s[next]); next++ {
		n = n*10 + int(s[next]-'0')
	}
	return n, next
}

// append appends an argument as converted.
func (c conversion) append(l *lua.LState, buf []byte, arg int) []byte {
	switch c.verb {
	case 'c':
		char := byte(auxlib.ToInteger(auxlib.CheckNumber(l, arg)))
		if char == 0 { // C's sprintf ends here
			return append(buf, strings.Repeat(" ", max(c.width-1, 0)*btoi(!c.minus))...)
		}
		return c.pad(buf, "", []byte{char}, false)
	case 'd', 'i':
		return c.appendInteger(buf, auxlib.ToInteger(auxlib.CheckNumber(l, arg)))
	case 'o', 'u', 'x', 'X':
		return c.appendUnsigned(buf, toUnsigned(auxlib.CheckNumber(l, arg)))
	case 'e', 'E', 'f', 'g', 'G':
		return c.appendFloat(buf, auxlib.CheckNumber(l, arg))
	case 'q':
		return appendQuoted(buf, auxlib.CheckString(l, arg))
	case 's':
		s := auxlib.CheckString(l, arg)
		if c.precision < 0 && len(s) >= 100 {
			return append(buf, s...)
		}
		s = cString(s)
		if c.precision >= 0 && c.precision < len(s) {
			s = s[:c.precision]
		}
		return c.pad(buf, "", []byte(s), false)
	case 0:
		auxlib.Errorf(l, "invalid option '%%' to 'format'")
	default:
		auxlib.Errorf(l, "invalid option '%%%c' to 'format'", rune(c.verb))
	}
	return buf
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// toUnsigned is the cast from double to unsigned long as x86 compilers do it.
func toUnsigned(f float64) uint64 {
	if f >= 1<<63 && f < 1<<64 {
		return uint64(f)
	}
	if f >= 1<<64 {
		return 0
	}
	return uint64(auxlib.ToInteger(f))
}

func (c conversion) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case c.plus:
		return "+"
	case c.space:
		return " "
	}
	return ""
}

func (c conversion) appendInteger(buf []byte, n int64) []byte {
	magnitude := uint64(n)
	if n < 0 {
		magnitude = -magnitude
	}
	return c.integer(buf, c.sign(n < 0), magnitude, 10)
}

func (c conversion) appendUnsigned(buf []byte, n uint64) []byte {
	prefix, base := "", 10
	switch c.verb {
	case 'o':
		base = 8
	case 'x':
		base = 16
		if c.sharp && n != 0 {
			prefix = "0x"
		}
	case 'X':
		base = 16
		if c.sharp && n != 0 {
			prefix = "0X"
		}
	}
	return c.integer(buf, prefix, n, base)
}

func (c conversion) integer(buf []byte, prefix string, n uint64, base int) []byte {
	var room [64]byte
	digits := room[:0]
	if n != 0 || c.precision != 0 {
		digits = strconv.AppendUint(digits, n, base)
	}
	if c.verb == 'X' {
		upper(digits)
	}
	zeros := max(c.precision-len(digits), 0)
	if c.verb == 'o' && c.sharp && zeros == 0 && (len(digits) == 0 || digits[0] != '0') {
		zeros = 1
	}
	if zeros > 0 {
		digits = append(make([]byte, 0, zeros+len(digits)), digits...)
		digits = append([]byte(strings.Repeat("0", zeros)), digits...)
	}
	return c.pad(buf, prefix, digits, c.zero && c.precision < 0)
}

func upper(b []byte) {
	for i, ch := range b {
		if 'a' <= ch && ch <= 'z' {
			b[i] = ch - 0x20
		}
	}
}

func (c conversion) appendFloat(buf []byte, f float64) []byte {
	var room [512]byte
	magnitude := math.Abs(f)
	prefix := c.sign(math.Signbit(f))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		text := "inf"
		if math.IsNaN(f) {
			text = "nan"
		}
		if c.verb < 'a' {
			text = strings.ToUpper(text)
		}
		return c.pad(buf, prefix, []byte(text), false)
	}
	precision := c.precision
	if precision < 0 {
		precision = 6
	}
	var digits []byte
	switch c.verb {
	case 'f', 'e', 'E':
		digits = strconv.AppendFloat(room[:0], magnitude, c.verb, precision, 64)
		if c.sharp && precision == 0 {
			digits = withPoint(digits)
		}
	default:
		digits = c.general(room[:0], magnitude, max(precision, 1))
	}
	return c.pad(buf, prefix, digits, c.zero)
}

// general is %g: with '#' trailing zeros stay.
func (c conversion) general(dst []byte, f float64, precision int) []byte {
	if !c.sharp {
		return strconv.AppendFloat(dst, f, c.verb, precision, 64)
	}
	exponent := 0
	if f != 0 {
		scientific := strconv.FormatFloat(f, 'e', precision-1, 64)
		exponent, _ = strconv.Atoi(scientific[strings.IndexByte(scientific, 'e')+1:])
	}
	if exponent < -4 || exponent >= precision {
		dst = strconv.AppendFloat(dst, f, c.verb-'g'+'e', precision-1, 64)
	} else {
		dst = strconv.AppendFloat(dst, f, 'f', precision-1-exponent, 64)
	}
	return withPoint(dst)
}

// withPoint adds the decimal point that '#' asks for, if there is none.
func withPoint(digits []byte) []byte {
	e := len(digits)
	for i, ch := range digits {
		if ch == '.' {
			return digits
		}
		if ch|0x20 == 'e' {
			e = i
			break
		}
	}
	out := make([]byte, 0, len(digits)+1)
	out = append(out, digits[:e]...)
	out = append(out, '.')
	return append(out, digits[e:]...)
}

// pad appends prefix and text in the width, with zeros between them or spaces around.
func (c conversion) pad(buf []byte, prefix string, text []byte, zeros bool) []byte {
	missing := c.width - len(prefix) - len(text)
	switch {
	case c.minus:
		buf = append(append(buf, prefix...), text...)
		return appendRepeated(buf, ' ', missing)
	case zeros:
		buf = appendRepeated(append(buf, prefix...), '0', missing)
		return append(buf, text...)
	}
	buf = appendRepeated(buf, ' ', missing)
	return append(append(buf, prefix...), text...)
}

func appendRepeated(buf []byte, c byte, n int) []byte {
	for ; n > 0; n-- {
		buf = append(buf, c)
	}
	return buf
}

// appendQuoted writes a string so that Lua reads it back.
func appendQuoted(buf []byte, s string) []byte {
	buf = append(buf, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			buf = append(buf, '\\', c)
		case '\r':
			buf = append(buf, `\r`...)
		case 0:
			buf = append(buf, `\000`...)
		default:
			buf = append(buf, c)
		}
	}
	return append(buf, '"')
}
