package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Rules is all that a user may do. It does not change.
type Rules struct {
	on, noPass   bool
	skipSanitize bool
	sanitize     bool     // said so, which is shown
	passwords    []string // SHA-256, lower-case hexadecimal
	root         selector
	selectors    []selector

	free   bool       // every command, key and channel is allowed
	starts []keyStart // of the root
}

// Enabled tells whether one can log in as the user.
func (r *Rules) Enabled() bool { return r.on }

// NoPassword tells whether any password will do.
func (r *Rules) NoPassword() bool { return r.noPass }

// Free tells whether nothing is forbidden.
func (r *Rules) Free() bool { return r.free }

// Passwords returns the hashes of the passwords.
func (r *Rules) Passwords() []string { return r.passwords }

// Flags returns the names of the user's flags, in the order in which Redis shows them.
func (r *Rules) Flags() []string {
	flags := []string{"off"}
	if r.on {
		flags[0] = "on"
	}
	if r.noPass {
		flags = append(flags, "nopass")
	}
	if r.skipSanitize {
		flags = append(flags, "skip-sanitize-payload")
	}
	if r.sanitize {
		flags = append(flags, "sanitize-payload")
	}
	return flags
}

// CheckPassword tells whether one can log in with a password. It takes as long for every wrong one.
func (r *Rules) CheckPassword(password []byte) bool {
	if !r.on {
		return false
	}
	if r.noPass {
		return true
	}
	hash := []byte(hashPassword(password))
	found := 0
	for _, p := range r.passwords {
		found |= subtle.ConstantTimeCompare(hash, []byte(p))
	}
	return found != 0
}

func hashPassword(password []byte) string {
	sum := sha256.Sum256(password)
	return hex.EncodeToString(sum[:])
}

func isHash(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// String is the rules as ACL LIST shows them.
func (s *Users) String(r *Rules) string {
	words := r.Flags()
	for _, p := range r.passwords {
		words = append(words, "#"+p)
	}
	words = append(words, s.describe(&r.root))
	for i := range r.selectors {
		words = append(words, "("+s.describe(&r.selectors[i])+")")
	}
	return strings.Join(words, " ")
}

// SelectorRules is how ACL GETUSER shows a selector.
type SelectorRules struct{ Commands, Keys, Channels string }

// Selectors returns the user's own permissions and then those of its selectors.
func (s *Users) Selectors(r *Rules) []SelectorRules {
	var list []SelectorRules
	for _, sel := range append([]selector{r.root}, r.selectors...) {
		list = append(list, SelectorRules{s.commandRules(&sel), sel.keyRules(), sel.channelRules()})
	}
	return list
}

// newRules are those of a user who has just been made: off, and nothing is allowed.
func (s *Users) newRules() *Rules { return &Rules{root: s.newSelector()} }

// defaultRules are those of the user default before anybody changes them.
func (s *Users) defaultRules() *Rules {
	r, err := s.with(s.newRules(), []string{"+@all", "~*", "&*", "on", "nopass"})
	if err != nil {
		panic(err) // the rules are ours
	}
	return r
}

// with returns r changed by rules. The error names the first rule that is wrong.
func (s *Users) with(r *Rules, rules []string) (*Rules, error) {
	if len(rules) > maxParts {
		return nil, errTooMany
	}
	merged, unclosed := mergeSelectors(rules)
	if unclosed != "" {
		return nil, fmt.Errorf("Unmatched parenthesis in acl selector starting at '%s'.", unclosed)
	}
	c := r.clone()
	for _, rule := range merged {
		if err := s.change(c, rule); err != nil {
			return nil, &badRule{rule, err}
		}
	}
	c.settle()
	if c.parts() > maxParts {
		return nil, errTooMany
	}
	return c, nil
}

// maxParts bounds what a user is made of: passwords, selectors, patterns, and commands that are allowed with one
// argument only. Each command of the user, each login and each change looks at all of them, and whoever waits for these
// waits for that.
const maxParts = 4096

// parts is how many of them there are.
func (r *Rules) parts() int {
	n := len(r.passwords) + len(r.selectors) + r.root.parts()
	for i := range r.selectors {
		n += r.selectors[i].parts()
	}
	return n
}

// CheckRules tells whether rules can be understood, though commands and categories in them may be unknown. If not, at
// is the index of the one that is wrong.
func (s *Users) CheckRules(rules []string) (at int, err error) {
	if len(rules) > maxParts {
		return 0, errTooMany
	}
	merged, unclosed := mergeSelectors(rules)
	if unclosed != "" {
		return slices.Index(rules, unclosed), errSyntax
	}
	r := s.newRules()
	for i, rule := range merged {
		if err := s.change(r, rule); err != nil && err != errUnknown {
			return i, err
		}
	}
	return 0, nil
}

// badRule is a rule that cannot be applied.
type badRule struct {
	rule string
	err  error
}

func (e *badRule) Error() string {
	return fmt.Sprintf("Error in ACL SETUSER modifier '%s': %s", e.rule, e.err)
}

func (e *badRule) Unwrap() error { return e.err }

func (r *Rules) clone() *Rules {
	c := *r
	c.passwords = slices.Clone(r.passwords)
	c.selectors = slices.Clone(r.selectors)
	c.root.commands = slices.Clone(r.root.commands)
	c.root.keys = slices.Clone(r.root.keys)
	c.root.channels = slices.Clone(r.root.channels)
	return &c
}

func (r *Rules) settle() {
	r.starts = r.root.starts()
	r.free = false
	for _, sel := range append([]selector{r.root}, r.selectors...) {
		r.free = r.free || sel.allCommands && sel.allKeys && sel.allChannels
	}
}

// change applies one rule to r, which nobody else has.
func (s *Users) change(r *Rules, rule string) error {
	if rule == "" {
		return nil
	}
	switch strings.ToLower(rule) {
	case "on":
		r.on = true
		return nil
	case "off":
		r.on = false
		return nil
	case "skip-sanitize-payload":
		r.skipSanitize, r.sanitize = true, false
		return nil
	case "sanitize-payload":
		r.skipSanitize, r.sanitize = false, true
		return nil
	case "nopass":
		r.noPass, r.passwords = true, nil
		return nil
	case "resetpass":
		r.noPass, r.passwords = false, nil
		return nil
	case "clearselectors":
		r.selectors = nil
		return nil
	case "reset":
		*r = *s.newRules()
		r.sanitize = true
		return nil
	}
	switch c := rule[0]; {
	case c == '>' || c == '#':
		return r.addPassword(c, rule[1:])
	case c == '<' || c == '!':
		return r.removePassword(c, rule[1:])
	case c == '(' && rule[len(rule)-1] == ')':
		sel, err := s.parseSelector(rule)
		if err == nil {
			r.selectors = append(r.selectors, sel)
		}
		return err
	}
	return s.apply(&r.root, rule)
}

func (r *Rules) addPassword(mark byte, text string) error {
	hash := text
	if mark == '>' {
		hash = hashPassword([]byte(text))
	} else if !isHash(hash) {
		return errBadHash
	}
	if !slices.Contains(r.passwords, hash) {
		r.passwords = append(r.passwords, hash)
	}
	r.noPass = false
	return nil
}

func (r *Rules) removePassword(mark byte, text string) error {
	hash := text
	if mark == '<' {
		hash = hashPassword([]byte(text))
	} else if !isHash(hash) {
		return errBadHash
	}
	i := slices.Index(r.passwords, hash)
	if i < 0 {
		return errNoPass
	}
	r.passwords = slices.Delete(r.passwords, i, i+1)
	return nil
}

// mergeSelectors makes one rule of those from one that begins with a parenthesis to the one that ends with it. unclosed is where
// one begins that does not end.
func mergeSelectors(rules []string) (merged []string, unclosed string) {
	begin := -1
	for i, rule := range rules {
		switch {
		case begin < 0 && strings.HasPrefix(rule, "(") && !strings.HasSuffix(rule, ")"):
			begin = i
		case begin < 0:
			merged = append(merged, rule)
		case strings.HasSuffix(rule, ")"):
			merged = append(merged, strings.Join(rules[begin:i+1], " "))
			begin = -1
		}
	}
	if begin >= 0 {
		return merged, rules[begin]
	}
	return merged, ""
}
