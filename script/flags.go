package script

import (
	"strings"
)

// Flags are what a script says about itself in its first line, or a function when it is registered.
type Flags uint8

const (
	NoWrites Flags = 1 << iota
	AllowOOM
	AllowStale
	NoCluster
	AllowCrossSlot
	// Plain marks a script without a first line of flags; such scripts are checked command by command.
	Plain
)

var flagNames = []string{"no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"}

// Names returns the flags' names, in redis' order.
func (f Flags) Names() []string {
	var names []string
	for i, name := range flagNames {
		if f>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// flagCalled returns the flag called name.
func flagCalled(name string, fold bool) (Flags, bool) {
	for i, n := range flagNames {
		if n == name || fold && strings.EqualFold(n, name) {
			return 1 << i, true
		}
	}
	return 0, false
}

// Error is why a script or a library was not taken.
type Error string

func (e Error) Error() string { return string(e) }

// scriptHeader reads the flags of a script's first line, if it has one, and returns where the code begins: the end of that line
// stays, so that lines keep their numbers.
func scriptHeader(body string) (Flags, string, error) {
	if !strings.HasPrefix(body, "#!") {
		return Plain, body, nil
	}
	line, _, ok := strings.Cut(body, "\n")
	if !ok {
		return 0, "", Error("Invalid script shebang")
	}
	words, ok := splitWords(line)
	switch {
	case !ok || len(words) == 0:
		return 0, "", Error("Invalid engine in script shebang")
	case words[0] != "#!lua":
		return 0, "", Error("Unexpected engine in script shebang: " + words[0])
	}
	var flags Flags
	for _, word := range words[1:] {
		list, ok := strings.CutPrefix(word, "flags=")
		if !ok {
			return 0, "", Error("Unknown lua shebang option: " + word)
		}
		if list == "" {
			continue
		}
		for name := range strings.SplitSeq(list, ",") {
			f, ok := flagCalled(name, false)
			if !ok {
				return 0, "", Error("Unexpected flag in script shebang: " + name)
			}
			flags |= f
		}
	}
	return flags, body[len(line):], nil
}

// splitWords splits a line into words, which may be quoted, as redis splits the lines of its configuration. It
// reports false if a quote is not closed or not followed by a space.
func splitWords(line string) (words []string, ok bool) {
	for {
		line = strings.TrimLeft(line, " \t\n\v\f\r")
		if line == "" {
			return words, true
		}
		var word string
		if word, line, ok = nextWord(line); !ok {
			return nil, false
		}
		words = append(words, word)
	}
}

func nextWord(line string) (word, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case isSpace(c) || c == 0:
			return b.String(), line[i:], true
		case c == '"' || c == '\'':
			n, ok := quoted(&b, line[i+1:], c)
			i += n
			if !ok || i+1 < len(line) && !isSpace(line[i+1]) {
				return "", "", false
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", true
}

// quoted reads up to the closing quote and returns the length of what it has read.
func quoted(b *strings.Builder, s string, quote byte) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return i + 1, true
		case c == '\\' && i+1 < len(s) && quote == '\'' && s[i+1] == '\'':
			i++
			c = '\''
		case c == '\\' && i+3 < len(s) && quote == '"' && s[i+1] == 'x' && hexDigit(s[i+2]) >= 0 && hexDigit(s[i+3]) >= 0:
			c = byte(hexDigit(s[i+2])<<4 | hexDigit(s[i+3]))
			i += 3
		case c == '\\' && i+1 < len(s) && quote == '"':
			i++
			c = escaped(s[i])
		}
		b.WriteByte(c)
	}
	return len(s), false
}

func escaped(c byte) byte {
	if at := strings.IndexByte("nrtba", c); at >= 0 {
		return "\n\r\t\b\a"[at]
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
