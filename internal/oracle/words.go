package oracle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxWord bounds what a repetition in a script may produce: 64 MiB.
const maxWord = 64 << 20

// SplitWords splits a line as redis-cli does: words are separated by spaces; "..." knows \n \r \t \a \b \\ \" and \xHH,
// '...' knows \' only. Beyond redis-cli, "..."*N repeats a quoted word N times and "a""b" is one word.
func SplitWords(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return words, nil
		}
		word, rest, err := splitWord(line)
		if err != nil {
			return nil, err
		}
		words, line = append(words, word), rest
	}
}

func splitWord(line string) (word, rest string, err error) {
	var b strings.Builder
	for line != "" && line[0] != ' ' && line[0] != '\t' {
		var part string
		switch line[0] {
		case '"', '\'':
			if part, line, err = quoted(line); err != nil {
				return "", "", err
			}
		default:
			end := strings.IndexAny(line, " \t\"'")
			if end < 0 {
				end = len(line)
			}
			part, line = line[:end], line[end:]
		}
		b.WriteString(part)
	}
	return b.String(), line, nil
}

// quoted reads a quoted string and its repetition.
func quoted(line string) (s, rest string, err error) {
	if line[0] == '"' {
		s, rest, err = doubleQuoted(line[1:])
	} else {
		s, rest, err = singleQuoted(line[1:])
	}
	if err != nil || !strings.HasPrefix(rest, "*") {
		return s, rest, err
	}
	end := 1
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(rest[1:end])
	if err != nil || n*len(s) > maxWord {
		return "", "", fmt.Errorf("bad repetition %q", rest[:end])
	}
	return strings.Repeat(s, n), rest[end:], nil
}

var errQuotes = errors.New("unbalanced quotes")

func singleQuoted(line string) (s, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case strings.HasPrefix(line[i:], `\'`):
			b.WriteByte('\'')
			i++
		case line[i] == '\'':
			return b.String(), line[i+1:], nil
		default:
			b.WriteByte(line[i])
		}
	}
	return "", "", errQuotes
}

func doubleQuoted(line string) (s, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '"':
			return b.String(), line[i+1:], nil
		case line[i] == '\\' && i+1 < len(line):
			c, n := escape(line[i+1:])
			b.WriteByte(c)
			i += n
		default:
			b.WriteByte(line[i])
		}
	}
	return "", "", errQuotes
}

// escape returns the byte that s, what follows a backslash, stands for, and how many bytes of s that took.
func escape(s string) (c byte, n int) {
	if s[0] == 'x' && len(s) >= 3 {
		if v, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return byte(v), 3
		}
	}
	if i := strings.IndexByte("nrtab", s[0]); i >= 0 {
		return "\n\r\t\a\b"[i], 1
	}
	return s[0], 1
}

// longRun is the length from which Quote writes a run of one byte as a repetition.
const longRun = 24

// Quote is the inverse of SplitWords for one word: it writes s in quotes, printable ASCII as it is.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		run := 1
		for i+run < len(s) && s[i+run] == s[i] {
			run++
		}
		if run < longRun {
			quoteByte(&b, s[i])
			i++
			continue
		}
		b.WriteString(`""`)
		quoteByte(&b, s[i])
		fmt.Fprintf(&b, `"*%d"`, run)
		i += run
	}
	b.WriteByte('"')
	if q := b.String(); q != `""` {
		return strings.TrimPrefix(trimEmpty(q), `""`)
	}
	return `""`
}

// trimEmpty removes the empty quotes that a repetition at the end leaves.
func trimEmpty(q string) string {
	if i := strings.LastIndexByte(q, '*'); i > 0 && q[i-1] == '"' && strings.Trim(q[i+1:], "0123456789") == `""` {
		return strings.TrimSuffix(q, `""`)
	}
	return q
}

func quoteByte(b *strings.Builder, c byte) {
	if i := strings.IndexByte("\n\r\t\a\b", c); i >= 0 {
		b.WriteByte('\\')
		b.WriteByte("nrtab"[i])
		return
	}
	switch {
	case c == '"' || c == '\\':
		b.WriteByte('\\')
		b.WriteByte(c)
	case c < ' ' || c > '~':
		fmt.Fprintf(b, `\x%02x`, c)
	default:
		b.WriteByte(c)
	}
}
