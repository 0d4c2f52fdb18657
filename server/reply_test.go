package server

import (
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// parse returns what a RESP2 reply says: a string, an int64, nil, or a list of these.
func parse(t testing.TB, reply string) any {
	t.Helper()
	v, rest := parseValue(t, reply)
	if rest != "" {
		t.Fatalf("behind the reply: %q", rest)
	}
	return v
}

func parseValue(t testing.TB, s string) (v any, rest string) {
	t.Helper()
	line, rest, ok := strings.Cut(s, "\r\n")
	if !ok || line == "" {
		t.Fatalf("no reply: %q", s)
	}
	n, err := strconv.ParseInt(line[1:], 10, 64)
	switch line[0] {
	case '+', '-':
		return line[1:], rest
	case ':', '$', '*':
		if err != nil {
			t.Fatalf("no number: %q", line)
		}
	default:
		t.Fatalf("no reply: %q", line)
	}
	switch {
	case line[0] == ':':
		return n, rest
	case n < 0:
		return nil, rest
	case line[0] == '$':
		return rest[:n], rest[n+2:]
	}
	list := []any{}
	for range n {
		var e any
		e, rest = parseValue(t, rest)
		list = append(list, e)
	}
	return list, rest
}

// pipeline sends commands in one piece and returns the replies.
func pipeline(c *oracle.Client, cmds [][]string) (replies []string) {
	var b []byte
	for _, words := range cmds {
		b = oracle.AppendCommand(b, words...)
	}
	c.SendRaw(string(b))
	for range cmds {
		replies = append(replies, c.Reply())
	}
	return replies
}
