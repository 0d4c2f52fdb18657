package auxlib

import (
	"math"
	"strconv"
	"strings"
)

// maxPlainInteger is the first integer that "%.14g" writes with an exponent.
const maxPlainInteger = 1e14

// FormatNumber returns f as tostring writes it.
func FormatNumber(f float64) string {
	if i := int64(f); 0 <= i && i < 100 && float64(i) == f && !math.Signbit(f) {
		return strconv.Itoa(int(i)) // strconv keeps these: no allocation
	}
	var buf [32]byte
	return string(AppendNumber(buf[:0], f))
}

// AppendNumber appends f as C's "%.14g" writes it.
func AppendNumber(dst []byte, f float64) []byte {
	if f > -maxPlainInteger && f < maxPlainInteger {
		if i := int64(f); float64(i) == f && (i != 0 || !math.Signbit(f)) {
			return strconv.AppendInt(dst, i, 10)
		}
	}
	return AppendG(dst, f, 14)
}

// AppendG appends f as C's "%.<precision>g" does.
func AppendG(dst []byte, f float64, precision int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendNotFinite(dst, f)
	}
	return strconv.AppendFloat(dst, f, 'g', precision, 64)
}

// appendNotFinite writes NaN with its sign, as printf does: 0/0 is "-nan" on x86.
func appendNotFinite(dst []byte, f float64) []byte {
	if math.Signbit(f) {
		dst = append(dst, '-')
	}
	if math.IsNaN(f) {
		return append(dst, "nan"...)
	}
	return append(dst, "inf"...)
}

// ParseNumber reads s as C's strtod and Lua 5.1 do: white space around it, decimal and
// hexadecimal forms, "inf" and "nan". A zero byte ends the text.
func ParseNumber(s string) (float64, bool) {
	if f, ok := parseDigits(s); ok {
		return f, true
	}
	return parseNumberSlow(s)
}

// parseDigits reads up to 15 decimal digits with an optional minus.
func parseDigits(s string) (float64, bool) {
	digits := s
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 15 {
		return 0, false
	}
	var n int64
	for i := 0; i < len(digits); i++ {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	f := float64(n)
	if len(digits) < len(s) {
		f = -f // keeps -0
	}
	return f, true
}

func parseNumberSlow(s string) (float64, bool) {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	s = TrimSpace(s)
	if s == "" || strings.IndexByte(s, '_') >= 0 {
		return 0, false
	}
	body, sign := s, 1.0
	switch s[0] {
	case '-':
		body, sign = s[1:], -1
	case '+':
		body = s[1:]
	}
	if body == "" || body[0] == '-' || body[0] == '+' {
		return 0, false
	}
	if len(body) > 1 && body[0] == '0' && body[1]|0x20 == 'x' && !strings.ContainsAny(body, "pP") {
		body += "p0"
	}
	f, err := strconv.ParseFloat(body, 64)
	if err != nil && !isRange(err) {
		return 0, false
	}
	if sign < 0 {
		return math.Copysign(f, -1), true
	}
	return f, true
}

func isRange(err error) bool {
	e, ok := err.(*strconv.NumError)
	return ok && e.Err == strconv.ErrRange
}

// TrimSpace removes what C's isspace takes for space from both ends.
func TrimSpace(s string) string {
	for s != "" && IsSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && IsSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// IsSpace is C's isspace.
func IsSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// ToInteger is the C cast from double to a 64-bit integer as x86 does it: towards zero,
// and the smallest integer for what does not fit.
func ToInteger(f float64) int64 {
	if f >= -(1<<63) && f < 1<<63 {
		return int64(f)
	}
	return math.MinInt64
}
