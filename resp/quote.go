package resp

import "encoding/binary"

// SplitArgs appends the words of a line to dst and reports whether its quotes balance. The words lie in new memory.
//
// The rules are those of inline commands, and of Redis' configuration files, manifests and script headers: blanks separate words;
// "..." knows the escapes \n \r \t \b \a \xHH and a backslash before any other byte, '...' knows \' only; what follows a closing
// quote is a blank or the end.
func SplitArgs(dst [][]byte, line []byte) (args [][]byte, ok bool) {
	return splitLine(dst, make([]byte, 0, len(line)), line)
}

// SplitWords is SplitArgs for strings.
func SplitWords(line string) (words []string, ok bool) {
	args, ok := SplitArgs(nil, []byte(line))
	for _, a := range args {
		words = append(words, string(a))
	}
	return words, ok
}

// Quote returns s in double quotes, so that SplitWords gives it back. What is not printable ASCII is escaped.
func Quote(s string) string { return string(AppendQuoted(nil, []byte(s))) }

// AppendQuoted appends what Quote returns.
func AppendQuoted(dst, s []byte) []byte {
	dst = append(dst, '"')
	if n := plainLen(s); n < len(s) {
		dst, s = appendEscaped(append(dst, s[:n]...), s[n:]), nil
	}
	dst = append(dst, s...)
	return append(dst, '"')
}

func appendEscaped(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	for len(s) > 0 {
		c := s[0]
		if letter := escapeLetter(c); letter != 0 {
			dst = append(dst, '\\', letter)
		} else {
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		}
		n := 1 + plainLen(s[1:])
		dst = append(dst, s[1:n]...)
		s = s[n:]
	}
	return dst
}

// plainLen returns how many bytes s begins with that stand for themselves in quotes: printable ASCII but quotes and backslashes.
func plainLen(s []byte) int {
	i := 0
	for i+8 <= len(s) && arePlain(binary.LittleEndian.Uint64(s[i:])) {
		i += 8
	}
	for i < len(s) && isPlain(s[i]) {
		i++
	}
	return i
}

// CopyPlain copies s to dst, which is at least as long, if all of it stands for itself in quotes. If not, it reports false.
func CopyPlain(dst, s []byte) bool {
	dst = dst[:len(s)]
	if len(s) < 8 {
		return copyShortPlain(dst, s)
	}
	last := len(s) - 8
	for i := 0; i < last; i += 8 {
		w := binary.LittleEndian.Uint64(s[i:])
		if !arePlain(w) {
			return false
		}
		binary.LittleEndian.PutUint64(dst[i:], w)
	}
	w := binary.LittleEndian.Uint64(s[last:]) // it may overlap the one before
	binary.LittleEndian.PutUint64(dst[last:], w)
	return arePlain(w)
}

func copyShortPlain(dst, s []byte) bool {
	for i, c := range s {
		if !isPlain(c) {
			return false
		}
		dst[i] = c
	}
	return true
}

// arePlain tells whether all eight bytes of a word are plain. Carries and borrows only go from a byte that is not.
func arePlain(w uint64) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, backslash := w^(ones*'"'), w^(ones*'\\')
	special := w | (w - ones*' ') | ((w &^ highs) + ones) | (quote - ones) | (backslash - ones)
	return special&highs == 0
}

func isPlain(c byte) bool { return c >= ' ' && c <= '~' && c != '"' && c != '\\' }

// escapeLetter returns what follows the backslash in c's short escape, or 0 if it has none.
func escapeLetter(c byte) byte {
	switch c {
	case '\\', '"':
		return c
	case '\n':
		return 'n'
	case '\r':
		return 'r'
	case '\t':
		return 't'
	case '\a':
		return 'a'
	case '\b':
		return 'b'
	}
	return 0
}
