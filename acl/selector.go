package acl

import (
	"encoding/binary"
	mathbits "math/bits"
	"slices"
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/types/glob"
)

// access is what a key pattern allows.
type access uint8

const (
	readKeys access = 1 << iota
	writeKeys
	allAccess = readKeys | writeKeys
)

// keyPattern is a pattern of keys. Most are a literal beginning and a star, or literal altogether: these are not left
// to the matcher.
type keyPattern struct {
	text   string
	glob   *glob.Pattern // nil: beginning tells
	access access

	beginning string
	open      bool // anything may follow
}

// keyStart is a beginning of keys of at most 8 bytes, for comparing it as one word.
type keyStart struct{ word, mask uint64 }

func newKeyPattern(text string, access access) keyPattern {
	p := keyPattern{text: text, access: access}
	p.beginning, p.open = strings.CutSuffix(text, "*")
	if strings.ContainsAny(p.beginning, `*?[\`) || text == "" {
		p.glob = glob.Compile([]byte(text))
	}
	return p
}

// start returns what keys that are allowed everything begin with, if that is short and all there is to look at.
func (p *keyPattern) start() (s keyStart, ok bool) {
	n := len(p.beginning)
	if p.glob != nil || !p.open || n == 0 || n > 8 || p.access != allAccess {
		return s, false
	}
	var b [8]byte
	copy(b[:], p.beginning)
	return keyStart{binary.LittleEndian.Uint64(b[:]), ^uint64(0) >> (64 - 8*n)}, true
}

func (p *keyPattern) matches(key []byte) bool {
	switch {
	case p.glob != nil:
		return p.glob.Match(key)
	case len(key) == 0 || len(key) < len(p.beginning) || string(key[:len(p.beginning)]) != p.beginning:
		return false
	}
	return p.open || len(key) == len(p.beginning)
}

func (p keyPattern) String() string {
	switch p.access {
	case readKeys:
		return "%R~" + p.text
	case writeKeys:
		return "%W~" + p.text
	}
	return "~" + p.text
}

// selector is a set of permissions. Copies share what their slices and maps hold: these are replaced, not changed, but
// by who has made them.
type selector struct {
	allKeys, allChannels, allCommands bool

	commands  bits
	future    bool             // commands that do not exist yet are allowed: the rules began with +@all
	firstArgs map[int][]string // of commands that are allowed only with one of these as first argument, by the command's index
	keys      []keyPattern
	channels  []string
}

// starts returns the short beginnings of keys that are allowed everything.
func (sel *selector) starts() (list []keyStart) {
	for i := range sel.keys {
		if s, ok := sel.keys[i].start(); ok {
			list = append(list, s)
		}
	}
	return list
}

// parts is how many patterns there are, and first arguments.
func (sel *selector) parts() int {
	n := len(sel.keys) + len(sel.channels)
	for _, args := range sel.firstArgs {
		n += len(args)
	}
	return n
}

// bits has a bit for each command and subcommand, by its index.
type bits []uint64

func (b bits) has(i int) bool { return b[uint(i)/64]>>(uint(i)%64)&1 != 0 }

// common is how many of other are in b.
func (b bits) common(other bits) int {
	n := 0
	for i, word := range b {
		n += mathbits.OnesCount64(word & other[i])
	}
	return n
}

func (b bits) set(i int, on bool) {
	if on {
		b[i/64] |= 1 << (i % 64)
	} else {
		b[i/64] &^= 1 << (i % 64)
	}
}

func newBits(table *command.Table) bits { return make(bits, (table.Count()+63)/64) }

// Errors of a rule; their texts are those of Redis.
type ruleError string

func (e ruleError) Error() string { return string(e) }

const (
	errUnknown  = ruleError("Unknown command or category name in ACL")
	errSyntax   = ruleError("Syntax error")
	errAllKeys  = ruleError("Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns")
	errAllChans = ruleError("Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels")
	errNoPass   = ruleError("The password you are trying to remove from the user does not exist")
	errBadHash  = ruleError("The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters")
	errTooMany  = ruleError("A user may have at most 4096 rules: passwords, selectors, patterns and commands with a first argument")
	errFirstArg = ruleError("Allowing first-arg of a subcommand is not supported")
)

// newSelector returns a selector without permissions.
func (s *Users) newSelector() selector {
	return selector{commands: newBits(s.table), allChannels: s.openChannels}
}

// apply changes sel, which nobody else has, by one rule.
func (s *Users) apply(sel *selector, rule string) error {
	switch strings.ToLower(rule) {
	case "allkeys", "~*":
		sel.allKeys, sel.keys = true, nil
		return nil
	case "resetkeys":
		sel.allKeys, sel.keys = false, nil
		return nil
	case "allchannels", "&*":
		sel.allChannels, sel.channels = true, nil
		return nil
	case "resetchannels":
		sel.allChannels, sel.channels = false, nil
		return nil
	case "allcommands", "+@all":
		s.setAll(sel, true)
		return nil
	case "nocommands", "-@all":
		s.setAll(sel, false)
		return nil
	case "":
		return errSyntax
	}
	switch rule[0] {
	case '~', '%':
		return sel.addKeys(rule)
	case '&':
		return sel.addChannels(rule[1:])
	case '+', '-':
		allow := rule[0] == '+'
		if name, is := strings.CutPrefix(rule[1:], "@"); is {
			return s.setCategory(sel, name, allow)
		}
		if at := strings.LastIndexByte(rule, '|'); allow && at >= 0 {
			return s.allowWithArg(sel, rule[1:at], rule[at+1:])
		}
		spec := s.commands[strings.ToLower(rule[1:])]
		if spec == nil {
			return errUnknown
		}
		sel.setCommand(spec, allow)
		return nil
	}
	return errSyntax
}

func (s *Users) setAll(sel *selector, allow bool) {
	for i := range s.table.Count() {
		sel.commands.set(i, allow)
	}
	sel.allCommands, sel.future, sel.firstArgs = allow, allow, nil
}

// setCommand allows or forbids a command and all its subcommands.
func (sel *selector) setCommand(spec *command.Spec, allow bool) {
	sel.setBit(spec, allow)
	for i := range spec.Subcommands {
		sel.setBit(&spec.Subcommands[i], allow)
	}
	if _, has := sel.firstArgs[spec.Index()]; has {
		sel.firstArgs = cloneMap(sel.firstArgs)
		delete(sel.firstArgs, spec.Index())
	}
}

func (sel *selector) setBit(spec *command.Spec, allow bool) {
	sel.commands.set(spec.Index(), allow)
	if !allow {
		sel.allCommands = false
	}
}

func (s *Users) setCategory(sel *selector, name string, allow bool) error {
	set := command.CategoryNamed(name)
	if set == 0 {
		return errUnknown
	}
	s.table.Each(func(spec *command.Spec) {
		if spec.Categories()&set != 0 {
			sel.setCommand(spec, allow)
		}
	})
	return nil
}

// allowWithArg allows a subcommand, or a command that has none if its first argument is arg.
func (s *Users) allowWithArg(sel *selector, name, arg string) error {
	spec := s.commands[strings.ToLower(name)]
	switch {
	case spec == nil:
		return errUnknown
	case spec.Parent() != nil:
		return errFirstArg
	case arg == "":
		return errSyntax
	case len(spec.Subcommands) > 0:
		sub := spec.Sub([]byte(arg))
		if sub == nil {
			return errUnknown
		}
		sel.setCommand(sub, true)
		return nil
	}
	sel.firstArgs = cloneMap(sel.firstArgs)
	list := sel.firstArgs[spec.Index()]
	if !slices.ContainsFunc(list, func(a string) bool { return strings.EqualFold(a, arg) }) {
		sel.firstArgs[spec.Index()] = append(slices.Clip(list), arg)
	}
	return nil
}

func cloneMap(m map[int][]string) map[int][]string {
	c := make(map[int][]string, len(m)+1)
	for k, v := range m {
		c[k] = v
	}
	return c
}

// addKeys adds a pattern of keys: ~pattern, %R~pattern, %W~pattern or %RW~pattern.
func (sel *selector) addKeys(rule string) error {
	if sel.allKeys {
		return errAllKeys
	}
	text, allowed := rule[1:], allAccess
	if rule[0] == '%' {
		var marks string
		marks, text, _ = strings.Cut(rule[1:], "~")
		allowed = 0
		for _, mark := range []byte(marks) {
			bit := map[byte]access{'R': readKeys, 'r': readKeys, 'W': writeKeys, 'w': writeKeys}[mark]
			if bit == 0 || allowed&bit != 0 {
				return errSyntax
			}
			allowed |= bit
		}
		if allowed == 0 {
			return errSyntax
		}
	}
	if hasBlanks(text) {
		return errSyntax
	}
	if i := slices.IndexFunc(sel.keys, func(k keyPattern) bool { return k.text == text }); i >= 0 {
		sel.keys[i].access |= allowed
	} else {
		sel.keys = append(sel.keys, newKeyPattern(text, allowed))
	}
	return nil
}

func (sel *selector) addChannels(pattern string) error {
	if sel.allChannels {
		return errAllChans
	}
	if hasBlanks(pattern) {
		return errSyntax
	}
	if !slices.Contains(sel.channels, pattern) {
		sel.channels = append(sel.channels, pattern)
	}
	return nil
}

// hasBlanks tells whether a name or a pattern has bytes that rules cannot have.
func hasBlanks(s string) bool { return strings.ContainsAny(s, " \t\n\v\f\r\x00") }

// parseSelector makes a selector of rules in parentheses.
func (s *Users) parseSelector(text string) (selector, error) {
	sel := s.newSelector()
	rules, ok := resp.SplitArgs(nil, []byte(text[1:len(text)-1]))
	if !ok {
		return sel, errSyntax
	}
	if len(rules) > maxParts {
		return sel, errTooMany
	}
	for _, rule := range rules {
		if err := s.apply(&sel, string(rule)); err != nil {
			return sel, err
		}
	}
	return sel, nil
}
