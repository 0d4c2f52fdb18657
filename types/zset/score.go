package zset

import (
	"math"
	"strconv"

	"github.com/shoaldb/shoal/types/listpack"
)

// maxWhole bounds the scores that a listpack keeps as integers: about 2^62.
const maxWhole = math.MaxInt64 / 2

// scoreAt returns the score at pos of a listpack.
func scoreAt(lp []byte, pos int) float64 { return scoreOf(listpack.Get(lp, pos)) }

// scoreOf returns the score that an element of a listpack is.
func scoreOf(e listpack.Element) float64 {
	if e.IsInt {
		return float64(e.Int)
	}
	return textScore(e)
}

func textScore(e listpack.Element) float64 {
	if f, ok := plainDecimal(e.Bytes); ok {
		return f
	}
	f, _ := strconv.ParseFloat(string(e.Bytes), 64) // an infinity in place of what is out of range
	return f
}

// tens are powers of ten, all of which float64 has exactly.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// plainDecimal reads digits with a point among them, of which there are at most 15. The digits and the power of ten are
// exact, so their quotient is the number that strconv.ParseFloat returns, after three times as long (BenchmarkPlainDecimal).
func plainDecimal(b []byte) (f float64, ok bool) {
	digits := b
	if len(b) > 0 && b[0] == '-' {
		digits = b[1:]
	}
	if len(digits) < 3 || len(digits) > 16 {
		return 0, false
	}
	u, point := uint64(0), -1
	for i, c := range digits {
		if d := uint64(c - '0'); d <= 9 {
			u = u*10 + d
			continue
		}
		if c != '.' || point >= 0 {
			return 0, false
		}
		point = i
	}
	behind := len(digits) - 1 - point
	if point <= 0 || behind == 0 {
		return 0, false
	}
	if f = float64(u) / tens[behind]; len(digits) < len(b) {
		f = -f
	}
	return f, true
}

// appendScore appends score as an element of a listpack. -0 becomes 0.
func appendScore(dst []byte, score float64) []byte {
	if whole(score) {
		return listpack.AppendElementInt(dst, int64(score))
	}
	var buf [32]byte
	return listpack.AppendElement(dst, AppendText(buf[:0], score))
}

// whole tells whether a listpack keeps score as an integer.
func whole(score float64) bool {
	return score >= -maxWhole && score <= maxWhole && score == float64(int64(score))
}

// AppendText appends score as C's "%.17g" prints it.
func AppendText(dst []byte, score float64) []byte {
	switch {
	case math.IsInf(score, 1):
		return append(dst, "inf"...)
	case math.IsInf(score, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, score, 'g', 17, 64)
}

// appendPair appends a member and its score as elements of a listpack.
func appendPair(dst, name []byte, score float64) []byte {
	return appendScore(listpack.AppendElement(dst, name), score)
}

// AppendScore appends the text of a score of v as ZSCAN replies it: of a listpack as that keeps it.
func (v *Value) AppendScore(dst []byte, score float64) []byte {
	if v.small() && whole(score) {
		return strconv.AppendInt(dst, int64(score), 10)
	}
	return AppendText(dst, score)
}
