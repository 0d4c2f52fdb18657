package random

import (
	"fmt"
	"strings"
)

// separator stands between the commands of a template's expansion. No value is equal to it.
const separator = "\x00next command\x00"

// A template is parsed into a tree of nodes; expanding it appends words to a command.
type node interface {
	expand(g *Gen, words []string) []string
}

type (
	word        string // stands for itself
	placeholder struct{ value func(*Gen) string }
	sequence    []node
	choice      struct {
		alternatives []node
		optional     bool // "[...]"
		repeated     bool // "(...)+"
	}
)

func (w word) expand(_ *Gen, words []string) []string { return append(words, string(w)) }

func (p placeholder) expand(g *Gen, words []string) []string { return append(words, p.value(g)) }

func (s sequence) expand(g *Gen, words []string) []string {
	for _, n := range s {
		words = n.expand(g, words)
	}
	return words
}

func (c choice) expand(g *Gen, words []string) []string {
	times := 1
	if c.optional {
		times = g.IntN(2)
	}
	if c.repeated {
		times = 1 + g.IntN(5)
	}
	for range times {
		words = c.alternatives[g.IntN(len(c.alternatives))].expand(g, words)
	}
	return words
}

// parse reads a template. Templates are part of the program: a bad one is a panic.
func parse(template string) node {
	for _, c := range "[]()|" {
		template = strings.ReplaceAll(template, string(c), " "+string(c)+" ")
	}
	p := parser{tokens: strings.Fields(template)}
	n := p.sequence()
	if p.more() {
		panic(fmt.Sprintf("random: %q: unexpected %q", template, p.tokens[0]))
	}
	return n
}

type parser struct{ tokens []string }

func (p *parser) more() bool { return len(p.tokens) > 0 }

func (p *parser) next() string {
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

func (p *parser) sequence() sequence {
	var s sequence
	for p.more() && !strings.Contains("|])", p.tokens[0]) {
		s = append(s, p.item())
	}
	return s
}

func (p *parser) item() node {
	t := p.next()
	switch {
	case t == "[" || t == "(":
		c := choice{alternatives: []node{p.sequence()}, optional: t == "["}
		for p.more() && p.tokens[0] == "|" {
			p.next()
			c.alternatives = append(c.alternatives, p.sequence())
		}
		if !p.more() {
			panic("random: a group is not closed")
		}
		p.next()
		if p.more() && p.tokens[0] == "+" {
			p.next()
			c.repeated = true
		}
		return c
	case strings.HasPrefix(t, "<") && t != "<any>" && t != "<script>":
		value := values[strings.Trim(t, "<>")]
		if value == nil {
			panic("random: no values for " + t)
		}
		return placeholder{value}
	case t == "<any>":
		return anyCommand{}
	case t == "<script>":
		return anyScript{}
	case t == ";":
		return word(separator)
	}
	return word(t)
}
