package command

import (
	"math/big"

	"github.com/shoaldb/shoal/resp"
)

// longDouble is a number as x86-64's C long double holds it: 64 bits of mantissa, 15 of exponent. INCRBYFLOAT
// computes in it, so its digits are part of what clients see. Subnormal numbers keep more
// precision than C's; they print as 0.
type longDouble struct{ f big.Float }

const (
	longDoubleMaxExp = 16384  // the largest number is below 2^16384
	longDoubleMinExp = -16445 // the smallest one above zero is 2^-16445

	// Decimal exponents beyond these are out of range whatever the digits are.
	longDoubleMax10 = 4932
	longDoubleMin10 = -4952

	longDoubleText = 5 * 1024 // texts of this length are refused, bytes
)

// parse sets x to the number that all of b is, in the syntax of C's strtold without blanks and NaN: decimal or
// hexadecimal digits with an optional point and exponent, or an infinity. It reports false for anything else, and for numbers
// that are too large or too close to zero.
func (x *longDouble) parse(b []byte) bool {
	if len(b) == 0 || len(b) >= longDoubleText {
		return false
	}
	neg := b[0] == '-'
	if neg || b[0] == '+' {
		b = b[1:]
	}
	if equalFold(b, "INF") || equalFold(b, "INFINITY") {
		x.f.SetInf(neg)
		return true
	}
	base := 10
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		base, b = 16, b[2:]
	}
	digits, exp, ok := scanDigits(b, base)
	if !ok || !x.scale(digits, exp, base) {
		return false
	}
	if neg {
		x.f.Neg(&x.f)
	}
	return true
}

// scanDigits splits a number into its digits without leading and trailing zeros and the exponent of
// the base (of 2 in base 16) that goes with them, taken as a whole number.
func scanDigits(b []byte, base int) (digits []byte, exp int, ok bool) {
	mark, perDigit := byte('e'), 1
	if base == 16 {
		mark, perDigit = 'p', 4
	}
	digits = make([]byte, 0, len(b))
	seen, point := false, false
	i := 0
	for ; i < len(b); i++ {
		ch := b[i]
		if ch == '.' && !point {
			point = true
			continue
		}
		if !isDigit(ch, base) {
			break
		}
		seen = true
		if point {
			exp -= perDigit
		}
		if ch != '0' || len(digits) > 0 {
			digits = append(digits, ch)
		}
	}
	if !seen {
		return nil, 0, false
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exp += perDigit
	}
	if i == len(b) {
		return digits, exp, true
	}
	if b[i]|0x20 != mark {
		return nil, 0, false
	}
	n, ok := scanExponent(b[i+1:])
	return digits, exp + n, ok
}

func isDigit(ch byte, base int) bool {
	if ch >= '0' && ch <= '9' {
		return true
	}
	ch |= 0x20
	return base == 16 && ch >= 'a' && ch <= 'f'
}

// scanExponent parses a signed decimal number. Beyond a million its exact value does not matter.
func scanExponent(b []byte) (n int, ok bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	for _, ch := range b {
		if !isDigit(ch, 10) {
			return 0, false
		}
		n = min(n*10+int(ch-'0'), 1_000_000)
	}
	if neg {
		n = -n
	}
	return n, len(b) > 0
}

// scale sets x to digits, a whole number, times 10^exp (2^exp in base 16), correctly rounded.
func (x *longDouble) scale(digits []byte, exp, base int) bool {
	x.f.SetPrec(64)
	if len(digits) == 0 {
		x.f.SetInt64(0)
		return true
	}
	m, _ := new(big.Int).SetString(string(digits), base)
	if base == 16 {
		x.f.SetInt(m)
		x.f.SetMantExp(&x.f, exp)
		return x.inRange()
	}
	if top := len(digits) - 1 + exp; top > longDoubleMax10 || top < longDoubleMin10 {
		return false
	}
	if exp >= 0 {
		x.f.SetInt(m.Mul(m, pow10(exp)))
		return x.inRange()
	}
	// Both operands are exact (precision 0 takes what the integer needs), so the quotient is rounded once.
	x.f.Quo(new(big.Float).SetInt(m), new(big.Float).SetInt(pow10(-exp)))
	return x.inRange()
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

func (x *longDouble) inRange() bool {
	exp := x.f.MantExp(nil)
	return exp <= longDoubleMaxExp && exp > longDoubleMinExp
}

// add adds y to x. It reports false if the sum is not finite.
func (x *longDouble) add(y *longDouble) bool {
	if x.f.IsInf() || y.f.IsInf() {
		return false
	}
	x.f.SetPrec(64)
	x.f.Add(&x.f, &y.f)
	return x.f.MantExp(nil) <= longDoubleMaxExp
}

// append appends x with up to 17 digits behind the point.
func (x *longDouble) append(dst []byte) []byte { return resp.AppendLongDouble(dst, &x.f) }
