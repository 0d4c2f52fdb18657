package oracle

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// maxInline is the width up to which an array of scalars is written on one line.
const maxInline = 100

// Render writes a reply in a form to be read: one line for a scalar or a short array, an indented tree for the rest.
// Two different replies have different forms.
//
//	+OK  -ERR text  :1  "bulk"  (nil)                RESP2; (nil) is $-1
//	,1.5  #t  (123  =txt:"verbatim"  !"error"        RESP3; (nil) is _
//	["a", (nil)]  ~["set"]  >["push"]  %["k" => :1]
//	*2                                               what does not fit on one line
//	  "0"
//	  ["a", "b"]
func Render(reply []byte, proto int) string {
	r := renderer{in: reply, proto: proto}
	n, err := r.value()
	if err != nil || len(r.in) > 0 {
		return "raw " + Quote(string(reply))
	}
	return strings.Join(n.lines(), "\n")
}

// node is a reply: a scalar with its text, or an aggregate.
type node struct {
	text   string // scalar, or how an aggregate's first line starts: "*", "~", ">", "%", "|"
	inline bool   // a scalar that cannot be taken for something else inside an inline array
	agg    bool
	elems  []node
	value  *node // what attributes belong to
}

func (n *node) lines() []string {
	if !n.agg {
		return []string{n.text}
	}
	if s, ok := n.oneLine(); ok {
		return []string{s}
	}
	each := 1
	if n.isMap() {
		each = 2
	}
	out := []string{fmt.Sprintf("%s%d", n.text, len(n.elems)/each)}
	for i := 0; i < len(n.elems); i += each {
		entry := n.elems[i].lines()
		if each == 2 {
			value := n.elems[i+1].lines()
			entry[len(entry)-1] += " => " + value[0]
			entry = append(entry, value[1:]...)
		}
		for _, line := range entry {
			out = append(out, "  "+line)
		}
	}
	if n.value != nil {
		out = append(out, n.value.lines()...)
	}
	return out
}

func (n *node) isMap() bool { return n.text == "%" || n.text == "|" }

// oneLine returns an aggregate of scalars as one line, if it fits.
func (n *node) oneLine() (string, bool) {
	if n.value != nil {
		return "", false
	}
	var b strings.Builder
	b.WriteString(strings.TrimPrefix(n.text, "*"))
	b.WriteByte('[')
	for i, e := range n.elems {
		switch {
		case i > 0 && n.isMap() && i%2 == 1:
			b.WriteString(" => ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(e.text)
		if !e.inline || b.Len() > maxInline {
			return "", false
		}
	}
	b.WriteByte(']')
	return b.String(), true
}

type renderer struct {
	in    []byte
	proto int
}

func (r *renderer) line() (string, error) {
	i := bytes.Index(r.in, []byte("\r\n"))
	if i < 1 {
		return "", fmt.Errorf("no line")
	}
	line := string(r.in[:i])
	r.in = r.in[i+2:]
	return line, nil
}

func (r *renderer) value() (node, error) {
	line, err := r.line()
	if err != nil {
		return node{}, err
	}
	switch line[0] {
	case '+', '-':
		return node{text: escapeLine(line)}, nil
	case ':', ',', '(', '#':
		return node{text: escapeLine(line), inline: true}, nil
	case '_':
		if r.proto == 3 && line == "_" {
			return node{text: "(nil)", inline: true}, nil
		}
		return node{text: escapeLine(line)}, nil
	case '$', '=', '!':
		return r.bulk(line)
	case '*', '~', '>':
		return r.aggregate(line, 1)
	case '%', '|':
		return r.aggregate(line, 2)
	}
	return node{}, fmt.Errorf("not RESP")
}

// escapeLine makes control characters, and spaces at the end, visible.
func escapeLine(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch {
		case s[i] == '"':
			b.WriteByte('"')
		case s[i] == ' ' && i == len(s)-1:
			b.WriteString(`\x20`)
		default:
			quoteByte(&b, s[i])
		}
	}
	return b.String()
}

// length reads the number in line, which must be written without leading zeros or signs.
func length(line string) (int, error) {
	n, err := strconv.Atoi(line[1:])
	if err != nil || strconv.Itoa(n) != line[1:] || n < -1 {
		return 0, fmt.Errorf("bad length")
	}
	return n, nil
}

func (r *renderer) bulk(line string) (node, error) {
	n, err := length(line)
	if err != nil {
		return node{}, err
	}
	if n == -1 {
		if r.proto == 2 && line[0] == '$' {
			return node{text: "(nil)", inline: true}, nil
		}
		return node{text: line}, nil
	}
	if len(r.in) < n+2 || string(r.in[n:n+2]) != "\r\n" {
		return node{}, fmt.Errorf("short bulk")
	}
	body := string(r.in[:n])
	r.in = r.in[n+2:]
	switch line[0] {
	case '=':
		if len(body) < 4 {
			return node{}, fmt.Errorf("verbatim string without a format")
		}
		return node{text: "=" + escapeLine(body[:4]) + Quote(body[4:])}, nil
	case '!':
		return node{text: "!" + Quote(body)}, nil
	}
	return node{text: Quote(body), inline: true}, nil
}

func (r *renderer) aggregate(line string, each int) (node, error) {
	n, err := length(line)
	if err != nil {
		return node{}, err
	}
	if n == -1 {
		return node{text: line}, nil
	}
	out := node{text: line[:1], agg: true}
	for range n * each {
		e, err := r.value()
		if err != nil {
			return node{}, err
		}
		out.elems = append(out.elems, e)
	}
	if line[0] == '|' {
		v, err := r.value()
		if err != nil {
			return node{}, err
		}
		out.value = &v
	}
	return out, nil
}
