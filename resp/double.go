package resp

import (
	"math"
	"math/big"
	"strconv"
)

// Redis prints doubles in two ways.
//
// Scores and the like (ZSCORE, ZINCRBY) are C doubles printed with "%.17g":
// 17 significant digits, so 0.1 comes out as 0.10000000000000001.
//
// INCRBYFLOAT, HINCRBYFLOAT and some others are C long doubles printed with
// "%.17Lf" less trailing zeros: 17 digits after the point, never an exponent,
// so 0.1 comes out as 0.1. On x86-64 a long double has 64 bits of mantissa, and
// the text is parsed to that precision and added in it; float64 arithmetic gives
// other digits (0.1+0.2 as float64 is 0.30000000000000004). AppendLongDouble
// prints them.

// AppendLongDouble appends x as INCRBYFLOAT prints it, without framing.
func AppendLongDouble(dst []byte, x *big.Float) []byte {
	if x.IsInf() {
		return appendInf(dst, x.Signbit())
	}
	at := len(dst)
	return trimFraction(x.Append(dst, 'f', 17), at)
}

// AppendHumanDouble appends f as a long double of the same value is printed,
// without framing.
func AppendHumanDouble(dst []byte, f float64) []byte {
	if math.IsInf(f, 0) {
		return appendInf(dst, f < 0)
	}
	if math.IsNaN(f) {
		return append(dst, "nan"...)
	}
	if n := int64(f); isInt(f) {
		return AppendDecimal(dst, n)
	}
	at := len(dst)
	return trimFraction(strconv.AppendFloat(dst, f, 'f', 17, 64), at)
}

// trimFraction cuts trailing zeros after the point of the number dst[at:], and
// makes "-0" of what is left "0".
func trimFraction(dst []byte, at int) []byte {
	end := len(dst)
	for dst[end-1] == '0' {
		end--
	}
	if dst[end-1] == '.' {
		end--
	}
	if string(dst[at:end]) == "-0" {
		return append(dst[:at], '0')
	}
	return dst[:end]
}

// AppendDouble appends f as ZSCORE prints it, without framing.
func AppendDouble(dst []byte, f float64) []byte {
	switch {
	case isInt(f) && (f != 0 || !math.Signbit(f)):
		return AppendDecimal(dst, int64(f))
	case math.IsInf(f, 0):
		return appendInf(dst, f < 0)
	case math.IsNaN(f):
		return append(dst, "nan"...)
	}
	return strconv.AppendFloat(dst, f, 'g', 17, 64)
}

// isInt reports whether f is a whole number that both formats print as such.
func isInt(f float64) bool {
	const exact = 1 << 53
	return f > -exact && f < exact && f == float64(int64(f))
}

func appendInf(dst []byte, neg bool) []byte {
	if neg {
		return append(dst, "-inf"...)
	}
	return append(dst, "inf"...)
}
