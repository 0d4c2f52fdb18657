package load

import "bytes"

// scanner counts the replies in a RESP2 or RESP3 stream without decoding them. Bodies of bulk
// strings are skipped by length and may be cut anywhere; a line (type byte, text, CRLF) must be whole to be
// consumed.
type scanner struct {
	skip     int64 // bytes left of a bulk string's body, CRLF included
	elements int64 // values left in the reply begun, its own included; 0 between replies
	push     bool  // the reply begun is an out-of-band push

	nulls      int64 // null replies and elements
	errors     int64
	firstError string
}

// malformed is what scan returns as consumed when the bytes are not RESP.
const malformed = -1

// scan consumes what it can of b and returns how many replies ended in it and how many bytes
// were consumed. The caller presents the rest again, followed by more.
func (s *scanner) scan(b []byte) (replies, consumed int) {
	i := 0
	for i < len(b) {
		if s.skip > 0 {
			n := min(s.skip, int64(len(b)-i))
			i += int(n)
			s.skip -= n
			if s.skip > 0 {
				break
			}
			replies += s.value()
			continue
		}
		// The two replies that matter most, in full: "+OK\r\n" and a short bulk string.
		if len(b)-i >= 5 {
			if b[i] == '+' && b[i+3] == '\r' && b[i+4] == '\n' {
				replies += s.value()
				i += 5
				continue
			}
			if size, head := shortBulk(b[i:]); head > 0 && len(b)-i >= head+size+2 {
				replies += s.value()
				i += head + size + 2
				continue
			}
		}
		eol := bytes.IndexByte(b[i:], '\n')
		if eol < 0 {
			break
		}
		n, ok := s.line(b[i : i+eol])
		if !ok {
			return replies, malformed
		}
		replies += n
		i += eol + 1
	}
	return replies, i
}

// shortBulk reads the head "$N\r\n" of a bulk string of 0 to 99 bytes; head is 0 if b starts
// otherwise. b holds at least 5 bytes.
func shortBulk(b []byte) (size, head int) {
	if b[0] != '$' {
		return 0, 0
	}
	tens := int(b[1]) - '0'
	if tens < 0 || tens > 9 {
		return 0, 0
	}
	if b[2] == '\r' {
		return tens, 4
	}
	ones := int(b[2]) - '0'
	if ones < 0 || ones > 9 || b[3] != '\r' {
		return 0, 0
	}
	return tens*10 + ones, 5
}

// line takes one line without its LF and returns 1 if a reply ended with it.
func (s *scanner) line(line []byte) (replies int, ok bool) {
	if len(line) < 2 || line[len(line)-1] != '\r' {
		return 0, false
	}
	text := line[1 : len(line)-1]
	switch line[0] {
	case '+', ':', ',', '#', '(':
		return s.value(), true
	case '-':
		s.fail(text)
		return s.value(), true
	case '_':
		s.nulls++
		return s.value(), true
	case '$', '=', '!':
		n, ok := number(text)
		if !ok || n < -1 {
			return 0, false
		}
		if n < 0 {
			s.nulls++
			return s.value(), true
		}
		if line[0] == '!' {
			s.fail([]byte("blob error"))
		}
		s.skip = n + 2
		return 0, true
	case '*', '~', '>', '%', '|':
		n, ok := number(text)
		if !ok || n < -1 {
			return 0, false
		}
		return s.aggregate(line[0], n), true
	}
	return 0, false
}

// aggregate opens an aggregate of n elements (pairs for maps and attributes).
func (s *scanner) aggregate(kind byte, n int64) (replies int) {
	if n < 0 {
		s.nulls++
		return s.value()
	}
	if s.elements == 0 {
		s.elements = 1
		s.push = kind == '>'
	}
	switch kind {
	case '%':
		n *= 2
	case '|': // precedes a value and does not count as one
		s.elements += n * 2
		return 0
	}
	s.elements += n
	return s.value()
}

// value ends one value and returns 1 if it was the last of a reply.
func (s *scanner) value() int {
	if s.elements > 1 {
		s.elements--
		return 0
	}
	s.elements = 0
	if s.push {
		s.push = false
		return 0
	}
	return 1
}

func (s *scanner) fail(text []byte) {
	s.errors++
	if s.firstError == "" {
		s.firstError = string(text)
	}
}

// number reads a decimal integer with an optional minus.
func number(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}
