package glob

// Match reports whether the whole of s matches pattern. With nocase, ASCII letters
// match in either case. Its time is bounded by len(pattern)*len(s): after a
// mismatch only the last star is tried again, as an earlier one that takes more
// cannot help. It does not allocate.
func Match(pattern, s []byte, nocase bool) bool {
	if len(s) == 0 {
		return len(pattern) == 0
	}
	afterStar, retry := -1, 0 // where the pattern goes on after the last star, and the s it is tried on
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) {
			if pattern[p] == '*' {
				p = skipStars(pattern, p)
				if p == len(pattern) {
					return true
				}
				afterStar, retry = p, i
				continue
			}
			if n, ok := matchByte(pattern[p:], s[i], nocase); ok {
				p += n
				i++
				continue
			}
		}
		if afterStar < 0 {
			return false
		}
		retry++
		p, i = afterStar, retry
	}
	return skipStars(pattern, p) == len(pattern)
}

func skipStars(pattern []byte, p int) int {
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p
}

// matchByte matches c against the first element of a pattern that is not a star, and
// returns that element's length.
func matchByte(pattern []byte, c byte, nocase bool) (n int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		return matchClass(pattern, c, nocase)
	case '\\':
		if len(pattern) >= 2 {
			return 2, equal(pattern[1], c, nocase)
		}
	}
	return 1, equal(pattern[0], c, nocase)
}

func matchClass(pattern []byte, c byte, nocase bool) (n int, ok bool) {
	p := 1
	negate := p < len(pattern) && pattern[p] == '^'
	if negate {
		p++
	}
	for p < len(pattern) {
		switch left := len(pattern) - p; {
		case pattern[p] == '\\' && left >= 2:
			ok = ok || pattern[p+1] == c
			p += 2
		case pattern[p] == ']':
			return p + 1, ok != negate
		case left >= 3 && pattern[p+1] == '-':
			ok = ok || inRange(pattern[p], pattern[p+2], c, nocase)
			p += 3
		default:
			ok = ok || equal(pattern[p], c, nocase)
			p++
		}
	}
	return p, ok != negate
}

// inRange orders the bounds before it lowers their case, as Redis does: [a-Z] is a
// range from Z to a, thus empty without case.
func inRange(from, to, c byte, nocase bool) bool {
	a, b := int8(from), int8(to)
	if a > b {
		a, b = b, a
	}
	x := int8(c)
	if nocase {
		a, b, x = int8(lower(byte(a))), int8(lower(byte(b))), int8(lower(c))
	}
	return a <= x && x <= b
}

func equal(a, b byte, nocase bool) bool {
	return a == b || nocase && lower(a) == lower(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
