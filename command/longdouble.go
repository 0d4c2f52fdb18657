package command

import (
	"math/big"
	"math/bits"
	"strconv"

	"github.com/shoaldb/shoal/resp"
)

// longDouble is a number as x86-64's C long double holds it: 64 bits of mantissa, 15 of exponent. INCRBYFLOAT
// computes in it, so its digits are part of what clients see. The value is mant * 2^exp; mant has its highest bit set
// unless the value is 0. Subnormal numbers keep more precision than C's; they print as 0.
type longDouble struct {
	mant uint64
	exp  int
	neg  bool
	inf  bool
}

const (
	longDoubleMaxExp = 16384 - 64  // the largest number has this exponent
	longDoubleMinExp = -16445 - 63 // the smallest one above zero, 2^-16445, has this exponent

	// Decimal exponents beyond these are out of range whatever the digits are.
	longDoubleMax10 = 4932
	longDoubleMin10 = -4952

	longDoubleText = 5 * 1024 // texts of this length are refused, bytes
)

// parse sets x to the number that all of b is, in the syntax of C's strtold without blanks and NaN: decimal or
// hexadecimal digits with an optional point and exponent, or an infinity. It reports false for anything else, and for numbers
// that are too large or too close to zero.
func (x *longDouble) parse(b []byte) bool {
	*x = longDouble{}
	if len(b) == 0 || len(b) >= longDoubleText {
		return false
	}
	if b[0] == '-' || b[0] == '+' {
		x.neg = b[0] == '-'
		b = b[1:]
	}
	return x.parsePlain(b) || x.parseAny(b)
}

// parsePlain parses digits with an optional point, of a length that 128 bits hold, without allocation.
func (x *longDouble) parsePlain(b []byte) bool {
	const most = 38 // 10^38 < 2^128
	const dot = 256 + '.' - '0'
	if len(b) == 0 || len(b) > most {
		return false
	}
	var hi, lo uint64
	point := -1
	for i, ch := range b {
		if ch -= '0'; ch > 9 {
			if ch != dot || point >= 0 {
				return false
			}
			point = i
			continue
		}
		over, low := bits.Mul64(lo, 10)
		var carry uint64
		lo, carry = bits.Add64(low, uint64(ch), 0)
		hi = hi*10 + over + carry
	}
	places := 0
	if point >= 0 {
		places = len(b) - 1 - point
	}
	if places >= len(smallPow10) || len(b) == 1 && point == 0 {
		return false
	}
	x.divide(hi, lo, smallPow10[places])
	return true
}

// smallPow10 are the powers of ten below 2^60.
var smallPow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// divide sets x to hi:lo / by, correctly rounded. by is below 2^60, so that the quotient of a dividend with its
// highest bit set has more than 64 bits.
func (x *longDouble) divide(hi, lo, by uint64) {
	if hi|lo == 0 {
		return
	}
	shift := leadingZeros128(hi, lo)
	hi, lo = shiftLeft128(hi, lo, shift)
	qhi, rest := bits.Div64(0, hi, by)
	qlo, rest := bits.Div64(rest, lo, by)
	x.round(qhi, qlo, rest != 0, -shift)
}

// round sets x to the 64 highest bits of hi:lo * 2^exp, rounded to the nearest, to even in the middle. sticky says that the value
// is a little more than that. If it is, hi:lo must have more than 64 bits.
func (x *longDouble) round(hi, lo uint64, sticky bool, exp int) {
	shift := leadingZeros128(hi, lo)
	hi, lo = shiftLeft128(hi, lo, shift)
	x.mant, x.exp = hi, exp-shift+64
	const half = 1 << 63
	if lo > half || lo == half && (sticky || hi&1 == 1) {
		if x.mant++; x.mant == 0 {
			x.mant = half
			x.exp++
		}
	}
}

func leadingZeros128(hi, lo uint64) int {
	if hi == 0 {
		return 64 + bits.LeadingZeros64(lo)
	}
	return bits.LeadingZeros64(hi)
}

func shiftLeft128(hi, lo uint64, n int) (uint64, uint64) {
	if n >= 64 {
		return lo << (n - 64), 0
	}
	return hi<<n | lo>>(64-n), lo << n
}

// shiftRight128 also tells whether it has shifted out a bit that was set.
func shiftRight128(hi, lo uint64, n int) (_, _ uint64, lost bool) {
	switch {
	case n >= 128:
		return 0, 0, hi|lo != 0
	case n >= 64:
		return 0, hi >> (n - 64), lo != 0 || hi<<(128-n) != 0
	}
	return hi >> n, lo>>n | hi<<(64-n), lo<<(64-n) != 0
}

// parseAny parses every form without sign.
func (x *longDouble) parseAny(b []byte) bool {
	if EqualFold(b, "INF") || EqualFold(b, "INFINITY") {
		x.inf = true
		return true
	}
	base := 10
	if len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x' {
		base, b = 16, b[2:]
	}
	digits, exp, ok := scanDigits(b, base)
	return ok && x.scale(digits, exp, base)
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

// scale sets x to digits, a whole number, times 10^exp (2^exp in base 16), correctly rounded. It reports false if
// the result is out of range.
func (x *longDouble) scale(digits []byte, exp, base int) bool {
	if len(digits) == 0 {
		return true
	}
	m, _ := new(big.Int).SetString(string(digits), base)
	f := new(big.Float).SetPrec(64)
	if base == 16 {
		f.SetInt(m)
		f.SetMantExp(f, exp)
		return x.setBig(f)
	}
	if top := len(digits) - 1 + exp; top > longDoubleMax10 || top < longDoubleMin10 {
		return false
	}
	if exp >= 0 {
		return x.setBig(f.SetInt(m.Mul(m, pow10(exp))))
	}
	// Both operands are exact (precision 0 takes what the integer needs), so the quotient is rounded once.
	return x.setBig(f.Quo(new(big.Float).SetInt(m), new(big.Float).SetInt(pow10(-exp))))
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// setBig sets x to f, which is positive and has 64 bits of precision, but for the sign.
func (x *longDouble) setBig(f *big.Float) bool {
	exp := f.MantExp(nil)
	x.mant, _ = new(big.Float).SetMantExp(f, 64-exp).Uint64()
	x.exp = exp - 64
	return x.exp <= longDoubleMaxExp && x.exp >= longDoubleMinExp
}

// add adds y to x. It reports false if the sum is not finite.
func (x *longDouble) add(y *longDouble) bool {
	if x.inf || y.inf {
		return false
	}
	a, b := *x, *y
	if a.mant == 0 || b.mant != 0 && (b.exp > a.exp || b.exp == a.exp && b.mant > a.mant) {
		a, b = b, a
	}
	if b.mant == 0 {
		*x = a
		return true
	}
	hi, lo, lost := shiftRight128(b.mant, 0, a.exp-b.exp)
	x.neg = a.neg
	if a.neg == b.neg {
		sum, carry := bits.Add64(a.mant, hi, 0)
		if carry == 0 {
			x.round(sum, lo, lost, a.exp-64)
		} else {
			x.round(1<<63|sum>>1, sum<<63|lo>>1, lost || lo&1 != 0, a.exp-63)
		}
		return x.exp <= longDoubleMaxExp
	}
	// What was lost makes the difference a little less than one without it.
	borrow := uint64(0)
	if lost {
		borrow = 1
	}
	lo, borrow = bits.Sub64(0, lo, borrow)
	hi, _ = bits.Sub64(a.mant, hi, borrow)
	if hi|lo == 0 {
		*x = longDouble{}
		return true
	}
	x.round(hi, lo, lost, a.exp-64)
	return true
}

// append appends x, which is finite, with up to 17 digits after the point.
func (x *longDouble) append(dst []byte) []byte {
	if x.exp > 0 {
		f := new(big.Float).SetUint64(x.mant)
		f.SetMantExp(f, x.exp)
		if x.neg {
			f.Neg(f)
		}
		return resp.AppendLongDouble(dst, f)
	}
	whole, fraction := x.split()
	if x.neg && whole|fraction != 0 {
		dst = append(dst, '-')
	}
	dst = strconv.AppendUint(dst, whole, 10)
	if fraction == 0 {
		return dst
	}
	at := len(dst)
	dst = strconv.AppendUint(dst, fractionUnit+fraction, 10)
	dst[at] = '.' // in place of the unit's 1
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

const fractionUnit = 100_000_000_000_000_000 // 10^17

// split returns the whole part of x, whose exponent is at most 0, and 17 digits of its fraction, rounded to the nearest, to
// even in the middle.
func (x *longDouble) split() (whole, fraction uint64) {
	places := -x.exp
	part := x.mant
	if places < 64 {
		whole = x.mant >> places
		part &= 1<<places - 1
	}
	hi, lo := bits.Mul64(part, fractionUnit) // below 2^121
	if places > 0 {
		// First all but one bit of the rest, then that one: it is a half.
		var lost bool
		hi, lo, lost = shiftRight128(hi, lo, places-1)
		half := lo & 1
		_, lo, _ = shiftRight128(hi, lo, 1)
		if half == 1 && (lost || lo&1 == 1) {
			lo++
		}
	}
	if lo == fractionUnit {
		return whole + 1, 0
	}
	return whole, lo
}
