package command

import (
	"bytes"
	"math"
	"strconv"

	"github.com/shoaldb/shoal/types/zset"
)

// parseDouble parses all of b as a double in the syntax of C's strtod without blanks: decimal or hexadecimal digits with an
// optional point and exponent, or an infinity. It reports false for anything else, and for numbers that are too large or too
// close to zero.
func parseDouble(b []byte) (f float64, ok bool) {
	if n, ok := smallInt(b); ok {
		return n, true
	}
	if len(b) == 0 || isBlank(b[0]) {
		return 0, false
	}
	f, n, inRange := strtod(b)
	return f, n == len(b) && inRange && !math.IsNaN(f)
}

// smallInt parses an integer that a double holds exactly, the most common score.
func smallInt(b []byte) (f float64, ok bool) {
	const most = 15 // digits: 10^15 < 2^53
	if len(b) == 0 || len(b) > most {
		return 0, false
	}
	n := int64(0)
	for _, ch := range b {
		if ch -= '0'; ch > 9 {
			return 0, false
		}
		n = n*10 + int64(ch)
	}
	return float64(n), true
}

// strtod parses the longest beginning of b that is a number to C's strtod, which passes over blanks, and returns how many bytes
// it has; none at all are 0. inRange tells whether the number is neither too large nor too close to zero.
func strtod(b []byte) (f float64, n int, inRange bool) {
	at := 0
	for at < len(b) && isBlank(b[at]) {
		at++
	}
	end, hex := numberEnd(b, at)
	if end == at {
		return 0, 0, true
	}
	text := string(b[at:end])
	if hex && !bytes.ContainsAny(b[at:end], "pP") {
		text += "p0"
	}
	f, err := strconv.ParseFloat(text, 64)
	zero := f == 0 && bytes.ContainsAny(mantissa(b[at:end], hex), "123456789abcdefABCDEF")
	return f, end, err == nil && !zero
}

// mantissa returns a number without its exponent and the x of a hexadecimal one.
func mantissa(b []byte, hex bool) []byte {
	marks := "eE"
	if hex {
		marks = "pP"
	}
	if i := bytes.IndexAny(b, marks); i >= 0 {
		b = b[:i]
	}
	return b
}

// numberEnd returns where the number that begins at b[at:] ends, and whether it is hexadecimal. If there is none, that is at.
func numberEnd(b []byte, at int) (end int, hex bool) {
	i := at
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		i++
	}
	for _, word := range []string{"INFINITY", "INF", "NAN"} {
		if i+len(word) <= len(b) && EqualFold(b[i:i+len(word)], word) {
			return i + len(word), false
		}
	}
	mark := byte('e')
	if i+2 < len(b) && b[i] == '0' && b[i+1]|0x20 == 'x' && digitsEnd(b, i+2, true) > i+2 {
		hex, mark = true, 'p'
		i += 2
	}
	from := i
	i = digitsEnd(b, i, hex)
	if i == from || i == from+1 && b[from] == '.' {
		return at, false
	}
	if i < len(b) && b[i]|0x20 == mark {
		j := i + 1
		if j < len(b) && (b[j] == '-' || b[j] == '+') {
			j++
		}
		for j < len(b) && b[j] >= '0' && b[j] <= '9' {
			j++
			i = j
		}
	}
	return i, hex
}

// digitsEnd returns where the digits at b[i:] end, among which may be one point.
func digitsEnd(b []byte, i int, hex bool) int {
	point := false
	for ; i < len(b); i++ {
		switch ch := b[i]; {
		case ch >= '0' && ch <= '9', hex && ch|0x20 >= 'a' && ch|0x20 <= 'f':
		case ch == '.' && !point:
			point = true
		default:
			return i
		}
	}
	return i
}

func isBlank(ch byte) bool { return ch == ' ' || ch >= '\t' && ch <= '\r' }

// doubleArg returns argument i as a double. If it is none, it replies with e.
func (c *Ctx) doubleArg(i int, e Error) (float64, bool) {
	f, ok := parseDouble(c.Args[i])
	if !ok {
		c.Error(e)
	}
	return f, ok
}

// scoreRange parses the ends of a range of scores.
func scoreRange(lo, hi []byte) (r zset.ScoreRange, ok bool) {
	r.Min, r.MinOpen, ok = scoreBound(lo)
	if !ok {
		return r, false
	}
	r.Max, r.MaxOpen, ok = scoreBound(hi)
	return r, ok
}

// scoreBound parses one end of a range of scores; a parenthesis in front leaves it out. As in Redis, whose C strings they are
// to it, a bound may begin with blanks, end with a zero byte, be empty (0), and be too large for a double (infinite).
func scoreBound(b []byte) (f float64, open, ok bool) {
	if len(b) > 0 && b[0] == '(' {
		open, b = true, b[1:]
	}
	if f, ok := smallInt(b); ok {
		return f, open, true
	}
	f, n, _ := strtod(b)
	return f, open, (n == len(b) || b[n] == 0) && !math.IsNaN(f)
}

// lexRange parses the ends of a range of members.
func lexRange(lo, hi []byte) (r zset.LexRange, ok bool) {
	r.Min, ok = lexBound(lo)
	if !ok {
		return r, false
	}
	r.Max, ok = lexBound(hi)
	return r, ok
}

// lexBound parses one end of a range of members: - and + are before and after all of them.
func lexBound(b []byte) (_ zset.Bound, ok bool) {
	if len(b) == 0 {
		return zset.Bound{}, false
	}
	switch rest := b[1:]; b[0] {
	case '-':
		return zset.Bound{Infinite: -1, Open: true}, len(rest) == 0 || rest[0] == 0
	case '+':
		return zset.Bound{Infinite: 1, Open: true}, len(rest) == 0 || rest[0] == 0
	case '(':
		return zset.Bound{Name: rest, Open: true}, true
	case '[':
		return zset.Bound{Name: rest}, true
	}
	return zset.Bound{}, false
}
