package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

const (
	maxCaptures = 32

	// A capture's length while it is open, and of a capture of a position.
	captureOpen     = -1
	capturePosition = -2

	// maxMatchDepth bounds the recursion of a match: one level for each item with a
	// repetition and each parenthesis on the way.
	maxMatchDepth = 20000

	// interruptSteps is how many items are tried between two calls of Options.Interrupt.
	interruptSteps = 1 << 16
)

// matcher matches a pattern of Lua 5.1 by backtracking. A byte of the pattern past its end
// reads as zero, as in C, where a zero byte ends the pattern.
type matcher struct {
	env      *Env
	l        *lua.LState
	s, p     string
	anchored bool
	level    int // captures begun
	captures [maxCaptures]struct{ start, length int }
	depth    int
	steps    int
}

func (e *Env) newMatcher(l *lua.LState, s, p string) *matcher {
	var m *matcher
	if n := len(e.matchers); n > 0 {
		m, e.matchers = e.matchers[n-1], e.matchers[:n-1]
	} else {
		m = &matcher{env: e}
	}
	m.l, m.s, m.depth = l, s, 0
	m.p = cString(p)
	m.anchored = strings.HasPrefix(m.p, "^")
	if m.anchored {
		m.p = m.p[1:]
	}
	return m
}

// release gives the matcher back.
func (m *matcher) release() {
	m.l, m.s, m.p = nil, "", ""
	m.env.matchers = append(m.env.matchers, m)
}

// literalAnchor takes '^' for itself, as gmatch does.
func (m *matcher) literalAnchor() {
	if m.anchored {
		m.p, m.anchored = "^"+m.p, false
	}
}

// at matches at a position and returns the end of the match, or -1.
func (m *matcher) at(start int) int {
	m.level = 0
	return m.match(start, 0)
}

// pat returns a byte of the pattern.
func (m *matcher) pat(i int) byte {
	if i < len(m.p) {
		return m.p[i]
	}
	return 0
}

func (m *matcher) match(s, p int) int {
	m.depth++
	if m.depth > maxMatchDepth {
		auxlib.Errorf(m.l, "pattern too complex")
	}
	end := m.items(s, p)
	m.depth--
	return end
}

// items matches the pattern from p on.
func (m *matcher) items(s, p int) int {
	for {
		m.step()
		if p >= len(m.p) {
			return s
		}
		switch c := m.p[p]; {
		case c == '(':
			if m.pat(p+1) == ')' {
				return m.begin(s, p+2, capturePosition)
			}
			return m.begin(s, p+1, captureOpen)
		case c == ')':
			return m.end(s, p+1)
		case c == '$' && p+1 == len(m.p):
			if s == len(m.s) {
				return s
			}
			return -1
		case c == '%' && m.pat(p+1) == 'b':
			if s = m.balance(s, p+2); s < 0 {
				return -1
			}
			p += 4
		case c == '%' && m.pat(p+1) == 'f':
			next := m.frontier(s, p+2)
			if next < 0 {
				return -1
			}
			p = next
		case c == '%' && isDigit(m.pat(p+1)):
			if s = m.repeatCapture(s, m.p[p+1]); s < 0 {
				return -1
			}
			p += 2
		default:
			next := m.classEnd(p)
			matches := s < len(m.s) && m.single(m.s[s], p, next)
			switch m.pat(next) {
			case '?':
				if matches {
					if end := m.match(s+1, next+1); end >= 0 {
						return end
					}
				}
				p = next + 1
			case '*':
				return m.longest(s, p, next)
			case '+':
				if !matches {
					return -1
				}
				return m.longest(s+1, p, next)
			case '-':
				return m.shortest(s, p, next)
			default:
				if !matches {
					return -1
				}
				s++
				p = next
			}
		}
	}
}

// step lets the owner interrupt a long search.
func (m *matcher) step() {
	if m.steps++; m.steps >= interruptSteps {
		m.steps = 0
		m.env.interrupt(m.l)
	}
}

func (m *matcher) longest(s, p, next int) int {
	n := s
	for n < len(m.s) && m.single(m.s[n], p, next) {
		n++
	}
	m.steps += (n - s) / 8
	for ; n >= s; n-- {
		if end := m.match(n, next+1); end >= 0 {
			return end
		}
	}
	return -1
}

func (m *matcher) shortest(s, p, next int) int {
	for {
		if end := m.match(s, next+1); end >= 0 {
			return end
		}
		if s >= len(m.s) || !m.single(m.s[s], p, next) {
			return -1
		}
		s++
	}
}

func (m *matcher) begin(s, p, length int) int {
	if m.level >= maxCaptures {
		auxlib.Errorf(m.l, "too many captures")
	}
	m.captures[m.level].start, m.captures[m.level].length = s, length
	m.level++
	end := m.match(s, p)
	if end < 0 {
		m.level--
	}
	return end
}

func (m *matcher) end(s, p int) int {
	i := m.level - 1
	for i >= 0 && m.captures[i].length != captureOpen {
		i--
	}
	if i < 0 {
		auxlib.Errorf(m.l, "invalid pattern capture")
	}
	m.captures[i].length = s - m.captures[i].start
	end := m.match(s, p)
	if end < 0 {
		m.captures[i].length = captureOpen
	}
	return end
}

// balance matches %bxy, of which p is the place of x.
func (m *matcher) balance(s, p int) int {
	if m.pat(p) == 0 || m.pat(p+1) == 0 {
		auxlib.Errorf(m.l, "unbalanced pattern")
	}
	open, closing := m.p[p], m.p[p+1]
	if s >= len(m.s) || m.s[s] != open {
		return -1
	}
	depth := 1
	for i := s + 1; i < len(m.s); i++ {
		switch m.s[i] {
		case closing:
			if depth--; depth == 0 {
				m.steps += (i - s) / 8
				return i + 1
			}
		case open:
			depth++
		}
	}
	m.steps += (len(m.s) - s) / 8
	return -1
}

// frontier matches %f[set], of which p is the place of '['; it returns what follows.
func (m *matcher) frontier(s, p int) int {
	if m.pat(p) != '[' {
		auxlib.Errorf(m.l, "missing '[' after '%%f' in pattern")
	}
	next := m.classEnd(p)
	var before, after byte
	if s > 0 {
		before = m.s[s-1]
	}
	if s < len(m.s) {
		after = m.s[s]
	}
	if m.inSet(before, p, next-1) || !m.inSet(after, p, next-1) {
		return -1
	}
	return next
}

// repeatCapture matches what capture '1'... matched.
func (m *matcher) repeatCapture(s int, digit byte) int {
	i := int(digit) - '1'
	if i < 0 || i >= m.level || m.captures[i].length == captureOpen {
		auxlib.Errorf(m.l, "invalid capture index")
	}
	c := m.captures[i]
	if c.length < 0 || !strings.HasPrefix(m.s[s:], m.s[c.start:c.start+c.length]) {
		return -1
	}
	return s + c.length
}

// classEnd returns where the single-character class at p ends.
func (m *matcher) classEnd(p int) int {
	c := m.p[p]
	p++
	switch c {
	case '%':
		if p >= len(m.p) {
			auxlib.Errorf(m.l, "malformed pattern (ends with '%%')")
		}
		return p + 1
	case '[':
		if m.pat(p) == '^' {
			p++
		}
		for first := true; first || m.pat(p) != ']'; first = false {
			if p >= len(m.p) {
				auxlib.Errorf(m.l, "malformed pattern (missing ']')")
			}
			p++
			if m.p[p-1] == '%' && p < len(m.p) {
				p++
			}
		}
		return p + 1
	}
	return p
}

func (m *matcher) single(c byte, p, next int) bool {
	switch m.p[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.p[p+1])
	case '[':
		return m.inSet(c, p, next-1)
	}
	return m.p[p] == c
}

// inSet tells whether a set, from '[' at p to ']' at end, has c.
func (m *matcher) inSet(c byte, p, end int) bool {
	found := true
	if m.pat(p+1) == '^' {
		found = false
		p++
	}
	for p++; p < end; p++ {
		switch {
		case m.p[p] == '%':
			p++
			if inClass(c, m.pat(p)) {
				return found
			}
		case m.pat(p+1) == '-' && p+2 < end:
			p += 2
			if m.p[p-2] <= c && c <= m.p[p] {
				return found
			}
		case m.p[p] == c:
			return found
		}
	}
	return !found
}

// inClass tells whether %class has c, in the C locale.
func inClass(c, class byte) bool {
	in := false
	switch class | 0x20 {
	case 'a':
		in = isLetter(c)
	case 'c':
		in = c < ' ' || c == 0x7f
	case 'd':
		in = isDigit(c)
	case 'l':
		in = 'a' <= c && c <= 'z'
	case 'p':
		in = ' ' < c && c < 0x7f && !isLetter(c) && !isDigit(c)
	case 's':
		in = auxlib.IsSpace(c)
	case 'u':
		in = 'A' <= c && c <= 'Z'
	case 'w':
		in = isLetter(c) || isDigit(c)
	case 'x':
		in = isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if !isLetter(class) {
		return class == c
	}
	return in == (class >= 'a')
}

func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// capture returns a capture, or the match from start to end if i is 0 and the pattern has
// none.
func (m *matcher) capture(i, start, end int) lua.LValue {
	if i >= m.level {
		if i != 0 {
			auxlib.Errorf(m.l, "invalid capture index")
		}
		return lua.LString(m.s[start:end])
	}
	c := m.captures[i]
	switch c.length {
	case captureOpen:
		auxlib.Errorf(m.l, "unfinished capture")
	case capturePosition:
		return lua.LNumber(c.start + 1)
	}
	return lua.LString(m.s[c.start : c.start+c.length])
}

// pushCaptures pushes all captures, the whole match if there are none and whole is set.
func (m *matcher) pushCaptures(start, end int, whole bool) int {
	n := m.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		m.l.Push(m.capture(i, start, end))
	}
	return n
}
