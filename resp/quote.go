package resp

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
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if c >= ' ' && c <= '~' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		if letter := escapeLetter(c); letter != 0 {
			dst = append(dst, '\\', letter)
		} else {
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

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
