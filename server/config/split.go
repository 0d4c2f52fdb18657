package config

import "strings"

const errUnbalanced = reason("Unbalanced quotes in configuration line")

// SplitArgs cuts a line into words as configuration files and inline commands do:
// words are separated by blanks; "..." knows the escapes \n \r \t \b \a \xHH and
// backslash before any other byte; '...' knows \' only. A closing quote must be followed by a
// blank or the end.
func SplitArgs(line string) ([]string, error) {
	var args []string
	for p := 0; ; {
		for p < len(line) && isSpace(line[p]) {
			p++
		}
		if p == len(line) {
			return args, nil
		}
		word, next, ok := splitWord(line, p)
		if !ok {
			return nil, errUnbalanced
		}
		args = append(args, word)
		p = next
	}
}

// splitWord reads the word at p, which is no blank.
func splitWord(line string, p int) (word string, next int, ok bool) {
	var b strings.Builder
	for p < len(line) {
		switch c := line[p]; {
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
			return b.String(), p + 1, true
		case c == '"' || c == '\'':
			if p, ok = splitQuoted(&b, line, p+1, c); !ok {
				return "", 0, false
			}
			return b.String(), p, p == len(line) || isSpace(line[p])
		default:
			b.WriteByte(c)
			p++
		}
	}
	return b.String(), p, true
}

// splitQuoted reads up to and with the closing quote.
func splitQuoted(b *strings.Builder, line string, p int, quote byte) (next int, ok bool) {
	for p < len(line) {
		c := line[p]
		switch {
		case c == quote:
			return p + 1, true
		case c == '\\' && quote == '"' && p+3 < len(line) && line[p+1] == 'x' && isHex(line[p+2]) && isHex(line[p+3]):
			b.WriteByte(hexValue(line[p+2])<<4 | hexValue(line[p+3]))
			p += 4
		case c == '\\' && quote == '"' && p+1 < len(line):
			b.WriteByte(unescape(line[p+1]))
			p += 2
		case c == '\\' && quote == '\'' && p+1 < len(line) && line[p+1] == '\'':
			b.WriteByte('\'')
			p += 2
		default:
			b.WriteByte(c)
			p++
		}
	}
	return p, false
}

// Quote returns s in double quotes so that SplitArgs gives s back.
func Quote(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' || c == '"':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\a':
			b.WriteString(`\a`)
		case c == '\b':
			b.WriteString(`\b`)
		case c < ' ' || c > '~':
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
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

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func hexValue(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
