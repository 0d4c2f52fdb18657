package resp

// inline reads an inline command: a line ended by '\n' or "\r\n", cut into
// arguments at blanks.
func (a *assembly) inline(in []byte) (used int) {
	line, ok, used := a.readLine(in, '\n', errInline)
	if !ok {
		return used
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	// Arguments shrink when unquoted, so they fit in as many bytes.
	a.args, ok = splitLine(a.args, a.alloc(len(line)), line)
	a.endLine()
	if !ok {
		a.fail(errQuotes)
		return used
	}
	a.aliased = len(a.args)
	a.stage = atStart
	return used
}

// splitLine is SplitArgs with the arguments in buf, which has room for
// len(line) bytes.
//
// Blanks separate: those of isBlank before an argument, but only space, tab and
// line ends right after one. A quote opens a quoted part anywhere, but the
// argument ends with the closing one, which a blank or the end must follow.
func splitLine(dst [][]byte, buf, line []byte) (args [][]byte, ok bool) {
	base := len(dst)
	for i := 0; ; {
		for i < len(line) && isBlank(line[i]) {
			i++
		}
		if i == len(line) {
			return dst, true
		}
		from := len(buf)
		buf, i = splitArg(buf, line, i)
		if i < 0 {
			return dst[:base], false
		}
		dst = append(dst, buf[from:len(buf):len(buf)])
	}
}

// splitArg appends the argument at line[i:] to buf and returns the index
// after it, or -1 when quotes do not balance.
func splitArg(buf, line []byte, i int) ([]byte, int) {
	for ; i < len(line); i++ {
		switch c := line[i]; c {
		case ' ', '\n', '\r', '\t', 0:
			return buf, i + 1
		case '"', '\'':
			if c == '"' {
				buf, i = doubleQuoted(buf, line, i+1)
			} else {
				buf, i = singleQuoted(buf, line, i+1)
			}
			if i < 0 || i < len(line) && !isBlank(line[i]) {
				return buf, -1
			}
			return buf, i
		default:
			buf = append(buf, c)
		}
	}
	return buf, i
}

// doubleQuoted appends the text up to the closing quote, escapes resolved, and
// returns the index after that quote, or -1 without one.
func doubleQuoted(buf, line []byte, i int) ([]byte, int) {
	for ; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '"':
			return buf, i + 1
		case c != '\\' || i+1 == len(line):
			buf = append(buf, c)
		case line[i+1] == 'x' && i+3 < len(line) && hexDigit(line[i+2]) >= 0 && hexDigit(line[i+3]) >= 0:
			buf = append(buf, byte(hexDigit(line[i+2])<<4|hexDigit(line[i+3])))
			i += 3
		default:
			i++
			buf = append(buf, unescape(line[i]))
		}
	}
	return buf, -1
}

// singleQuoted is doubleQuoted for single quotes, where only \' is an escape.
func singleQuoted(buf, line []byte, i int) ([]byte, int) {
	for ; i < len(line); i++ {
		c := line[i]
		if c == '\'' {
			return buf, i + 1
		}
		if c == '\\' && i+1 < len(line) && line[i+1] == '\'' {
			i++
			c = '\''
		}
		buf = append(buf, c)
	}
	return buf, -1
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}

func hexDigit(c byte) int {
	switch {
	case c-'0' < 10:
		return int(c - '0')
	case c|0x20-'a' < 6:
		return int(c|0x20-'a') + 10
	}
	return -1
}

// isBlank is C's isspace.
func isBlank(c byte) bool { return c == ' ' || c-'\t' < 5 }
