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
	f, _ := strconv.ParseFloat(string(e.Bytes), 64) // an infinity in place of what is out of range
	return f
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
