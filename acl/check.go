package acl

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/types/glob"
)

// Reason is why something was refused.
type Reason uint8

const (
	Allowed Reason = iota
	DeniedCommand
	DeniedKey
	DeniedChannel
	DeniedAuth // a login
)

var reasonNames = [...]string{"", "command", "key", "channel", "auth"}

func (r Reason) String() string { return reasonNames[r] }

// Check tells whether a user with these rules may run a command, whose arguments are as many as it needs. If not, index
// is that of the argument that is refused. It does not allocate when the command has one key.
func (r *Rules) Check(spec *command.Spec, args [][]byte) (reason Reason, index int) {
	if only := spec.OnlyKey(); r.free || only != 0 && r.AllowsPlain(spec, args, args[only]) {
		return Allowed, 0
	}
	c := check{spec: spec, args: args}
	reason, index = c.selector(&r.root)
	if reason == Allowed {
		return Allowed, 0
	}
	// Of several refusals the one that came furthest is told.
	for i := range r.selectors {
		why, at := c.selector(&r.selectors[i])
		if why == Allowed {
			return Allowed, 0
		}
		if why > reason || why == reason && at > index {
			reason, index = why, at
		}
	}
	return reason, index
}

// AllowsPlain tells whether a user with these rules may run a command with one key, as most are, where that can be told
// quickly. If not, Check knows.
func (r *Rules) AllowsPlain(spec *command.Spec, args [][]byte, key []byte) bool {
	return spec.Channels == command.NoChannels && r.root.commands.has(spec.Index()) &&
		(r.AllowsStart(key) || r.root.allowsKey(key, spec.Keys[0].FlagsOf(args)))
}

// AllowsStart tells whether a key is allowed by its first 8 bytes: then a command that AllowsPlain has allowed with
// another key may use it, too.
func (r *Rules) AllowsStart(key []byte) bool {
	if r.root.allKeys {
		return true
	}
	if len(key) < 8 {
		return false
	}
	word := binary.LittleEndian.Uint64(key)
	for i := range r.starts {
		if s := &r.starts[i]; word&s.mask == s.word {
			return true
		}
	}
	return false
}

// AllowsCommand tells whether the command may be called, whatever its keys and channels.
func (r *Rules) AllowsCommand(spec *command.Spec, args [][]byte) bool {
	if r.free || spec.Flags&command.NoAuth != 0 || r.root.allCommands || r.root.allows(spec, args) {
		return true
	}
	return slices.ContainsFunc(r.selectors, func(s selector) bool { return s.allCommands || s.allows(spec, args) })
}

type check struct {
	spec    *command.Spec
	args    [][]byte
	keys    []int
	hasKeys bool // keys are known
}

func (c *check) selector(sel *selector) (Reason, int) {
	if !sel.allCommands && c.spec.Flags&command.NoAuth == 0 && !sel.allows(c.spec, c.args) {
		return DeniedCommand, 0
	}
	if only := c.spec.OnlyKey(); only != 0 && !sel.allKeys {
		if !sel.allowsKey(c.args[only], c.spec.Keys[0].FlagsOf(c.args)) {
			return DeniedKey, only
		}
	} else if !sel.allKeys && c.spec.HasKeys() {
		if !c.hasKeys {
			c.keys, _ = c.spec.KeyIndexes(c.args, c.keys)
			c.hasKeys = true
		}
		for _, i := range c.keys {
			if !sel.allowsKey(c.args[i], c.spec.KeyFlagsAt(c.args, i)) {
				return DeniedKey, i
			}
		}
	}
	if !sel.allChannels {
		first, last, pattern := c.spec.Channels.Range(len(c.args))
		for i := first; i < last; i++ {
			if !sel.allowsChannel(string(c.args[i]), pattern) {
				return DeniedChannel, i
			}
		}
	}
	return Allowed, 0
}

func (sel *selector) allows(spec *command.Spec, args [][]byte) bool {
	i := spec.Index()
	if sel.commands.has(i) {
		return true
	}
	first := 1
	if spec.Parent() != nil {
		first = 2
	}
	if len(args) <= first {
		return false
	}
	for _, arg := range sel.firstArgs[i] {
		if strings.EqualFold(arg, string(args[first])) {
			return true
		}
	}
	return false
}

func (sel *selector) allowsKey(key []byte, flags command.KeyFlags) bool {
	need := neededAccess(flags)
	for i := range sel.keys {
		if p := &sel.keys[i]; p.access&need == need && p.matches(key) {
			return true
		}
	}
	return false
}

func neededAccess(flags command.KeyFlags) access {
	var need access
	if flags&command.Access != 0 {
		need |= readKeys
	}
	if flags&(command.Insert|command.Delete|command.Update) != 0 {
		need |= writeKeys
	}
	return need
}

// allowsChannel matches a channel with the patterns; a pattern to subscribe to has to be one of them.
func (sel *selector) allowsChannel(channel string, pattern bool) bool {
	for _, p := range sel.channels {
		if pattern && p == channel || !pattern && glob.Match([]byte(p), []byte(channel), false) {
			return true
		}
	}
	return false
}

// AllowsChannel tells whether a user may still be subscribed to a channel or a pattern.
func (r *Rules) AllowsChannel(channel string, pattern bool) bool {
	for _, sel := range append([]selector{r.root}, r.selectors...) {
		if sel.allChannels || sel.allowsChannel(channel, pattern) {
			return true
		}
	}
	return false
}

// AllowsWithAllKeys tells whether the user may run a command and besides use every key as flags say: SORT with BY or
// GET patterns.
func (r *Rules) AllowsWithAllKeys(spec *command.Spec, args [][]byte, flags command.KeyFlags) bool {
	if r.free {
		return true
	}
	c := check{spec: spec, args: args}
	need := neededAccess(flags)
	for _, sel := range append([]selector{r.root}, r.selectors...) {
		if why, _ := c.selector(&sel); why != Allowed {
			continue
		}
		if sel.allKeys {
			return true
		}
		for _, p := range sel.keys {
			if p.text == "*" && p.access&need == need {
				return true
			}
		}
	}
	return false
}
