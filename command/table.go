package command

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Table is the set of all commands, looked up by name in any case without allocation.
type Table struct {
	specs []*Spec // top-level commands in the order in which they were declared
	count int     // commands and subcommands
	slots []slot  // open addressing by the hash of the name; a power of two
}

// slot is a name under which a command is called: its own, or what rename-command made of it.
type slot struct {
	word uint64 // of name; see firstWord
	name string // upper case
	spec *Spec
}

// maxName is the length of the longest command or subcommand name, in bytes.
const maxName = 32

// NewTable makes a table of all specs of lists. It panics if two commands have the same name: the lists are part
// of the program.
func NewTable(lists ...[]Spec) *Table {
	t := &Table{slots: make([]slot, 1024)}
	for _, list := range lists {
		for i := range list {
			t.add(&list[i])
		}
	}
	return t
}

func (t *Table) add(s *Spec) {
	if t.Lookup([]byte(s.Name)) != nil || len(s.Name) > maxName {
		panic("command: bad or double name " + s.Name)
	}
	t.derive(s, nil)
	for i := range s.Subcommands {
		t.derive(&s.Subcommands[i], s)
	}
	t.put(s.Name, s)
	t.specs = append(t.specs, s)
}

func (t *Table) put(name string, s *Spec) {
	w := firstWord([]byte(name))
	i := nameHash(w, len(name)) & uint64(len(t.slots)-1)
	for t.slots[i].spec != nil {
		i = (i + 1) & uint64(len(t.slots)-1)
	}
	t.slots[i] = slot{w, name, s}
}

// Rename makes the command called from answer to another name, or to none if to is empty. It must be called before
// the table is used.
func (t *Table) Rename(from, to string) error {
	from, to = strings.ToUpper(from), strings.ToUpper(to)
	s := t.Lookup([]byte(from))
	if s == nil {
		return fmt.Errorf("No such command in rename-command")
	}
	if to != "" && (t.Lookup([]byte(to)) != nil || len(to) > maxName) {
		return fmt.Errorf("Target command name already exists")
	}
	old := t.slots
	t.slots = make([]slot, len(old))
	for _, e := range old {
		if e.spec != nil && e.name != from {
			t.put(e.name, e.spec)
		}
	}
	if to != "" {
		t.put(to, s)
	}
	return nil
}

func (t *Table) derive(s, parent *Spec) {
	s.parent = parent
	s.fullName = strings.ToLower(s.Name)
	if parent != nil {
		s.fullName = parent.fullName + "|" + s.fullName
	}
	s.index = t.count
	t.count++
	if len(s.Keys) == 1 && s.Keys[0].isRange() && s.GetKeys == nil {
		k := s.Keys[0]
		last := k.Last
		if last >= 0 {
			last += k.Index
		}
		s.simple = keyRange{first: k.Index, last: last, step: k.Step}
		if k.Last == 0 && k.Index < max(s.Arity, -s.Arity) {
			s.onlyKey = k.Index
		}
		if s.IsQuick() && len(s.Subcommands) == 0 && s.Flags&(Barrier|Blocking|LockAll|MayReplicate) == 0 {
			s.plainKey = s.onlyKey
		}
	}
}

func (k *KeySpec) isRange() bool {
	return k.Index > 0 && k.Keyword == "" && !k.Counted && !k.Unknown && k.Limit == 0 && k.Flags&NotKey == 0
}

// firstWord returns the first 8 bytes of a name, the first one lowest, with zeros after a shorter one and letters in
// upper case: most names fit.
func firstWord(name []byte) uint64 {
	n := len(name)
	switch {
	case n >= 8:
		return upperCase(binary.LittleEndian.Uint64(name))
	case n >= 4: // two halves that overlap
		low, high := binary.LittleEndian.Uint32(name), binary.LittleEndian.Uint32(name[n-4:])
		return upperCase(uint64(low) | uint64(high)<<(8*(n-4)&63))
	case n == 0:
		return 0
	}
	return upperCase(uint64(name[0]) | uint64(name[n/2])<<(8*(n/2)&63) | uint64(name[n-1])<<(8*(n-1)&63))
}

// upperCase turns the lower-case letters among w's bytes into upper-case ones.
func upperCase(w uint64) uint64 {
	const ones = 0x0101010101010101
	seven := w &^ (0x80 * ones)
	fromA := seven + (0x80-'a')*ones // bit 7: 'a' or above
	aboveZ := seven + (0x7f-'z')*ones
	return w ^ (fromA&^aboveZ&^w&(0x80*ones))>>2
}

// nameHash hashes a name of n bytes. Those that differ only after their first word are few.
func nameHash(word uint64, n int) uint64 { return (word ^ uint64(n)<<59) * 0x9e3779b97f4a7c15 >> 40 }

// Lookup returns the command called name, or nil.
func (t *Table) Lookup(name []byte) *Spec {
	if len(name) > maxName {
		return nil
	}
	w := firstWord(name)
	i := nameHash(w, len(name)) & uint64(len(t.slots)-1)
	for s := &t.slots[i]; s.spec != nil; s = &t.slots[i] {
		if s.word == w && len(s.name) == len(name) && (len(name) <= 8 || EqualFold(name[8:], s.name[8:])) {
			return s.spec
		}
		i = (i + 1) & uint64(len(t.slots)-1)
	}
	return nil
}

// EqualFold compares name with upper, a word in upper case, without regard to case.
func EqualFold(name []byte, upper string) bool {
	if len(name) != len(upper) {
		return false
	}
	for i, c := range name {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}

// Specs returns the top-level commands. The slice is the table's.
func (t *Table) Specs() []*Spec { return t.specs }

// Count returns the number of commands and subcommands: every Spec's Index is below it.
func (t *Table) Count() int { return t.count }

// Index returns the spec's number in its table.
func (s *Spec) Index() int { return s.index }

// IsQuick tells whether a call with few arguments takes little time, whatever the data: it need not be measured by itself.
func (s *Spec) IsQuick() bool { return s.Flags&(Fast|Quick) != 0 }

// FullName returns the lower-case name, with the parent's in front: "config|set".
func (s *Spec) FullName() string { return s.fullName }

// Parent returns the command of a subcommand, or nil.
func (s *Spec) Parent() *Spec { return s.parent }

// Sub returns the subcommand called name, or nil.
func (s *Spec) Sub(name []byte) *Spec {
	for i := range s.Subcommands {
		if EqualFold(name, s.Subcommands[i].Name) {
			return &s.Subcommands[i]
		}
	}
	return nil
}

// ArityOK tells whether a command of n arguments, its name included, has as many as it needs.
func (s *Spec) ArityOK(n int) bool {
	if s.Arity < 0 {
		return n >= -s.Arity
	}
	return n == s.Arity
}

// ErrArity is the reply to a wrong number of arguments.
func (s *Spec) ErrArity() Error {
	return Error(fmt.Sprintf("ERR wrong number of arguments for '%s' command", s.fullName))
}

// HasKeys tells whether the command may have keys.
func (s *Spec) HasKeys() bool { return len(s.Keys) > 0 || s.GetKeys != nil }

// PlainKey is OnlyKey, or 0 if the command is not plain: quick, with one key, and without an effect on what commands
// come next or how.
func (s *Spec) PlainKey() int { return s.plainKey }

// OnlyKey returns the index of the argument that is the command's one key, or 0 if it may have none or several.
func (s *Spec) OnlyKey() int { return s.onlyKey }

// KeyIndexes appends to dst the indexes of the arguments that are keys. args has passed the arity check.
// An error means that the arguments do not say where the keys are (a bad count).
func (s *Spec) KeyIndexes(args [][]byte, dst []int) ([]int, error) {
	if r := s.simple; r.first > 0 {
		last := r.last
		if last < 0 {
			last += len(args)
		}
		for i := r.first; i <= last && i < len(args); i += r.step {
			dst = append(dst, i)
		}
		return dst, nil
	}
	if s.GetKeys != nil {
		return s.GetKeys(args, dst)
	}
	for i := range s.Keys {
		var err error
		if dst, err = s.Keys[i].indexes(args, dst); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// errKeys means that the arguments contradict the key specification.
var errKeys = Error("ERR Invalid arguments specified for command")

// indexes appends the indexes of the keys that k describes.
func (k *KeySpec) indexes(args [][]byte, dst []int) ([]int, error) {
	begin := k.begin(args)
	if begin <= 0 || begin >= len(args) || k.Unknown || k.Flags&NotKey != 0 {
		return dst, nil
	}
	if k.Counted {
		return k.counted(args, begin, dst)
	}
	last := begin + k.Last
	if k.Last < 0 {
		last = len(args) + k.Last
		if k.Limit > 1 {
			last = begin + (len(args)-begin)/k.Limit - 1
		}
	}
	for i := begin; i <= last && i < len(args); i += k.Step {
		dst = append(dst, i)
	}
	return dst, nil
}

// begin returns the index at which the keys begin, or 0 if there is none.
func (k *KeySpec) begin(args [][]byte) int {
	if k.Keyword == "" {
		return k.Index
	}
	from, step := k.StartFrom, 1
	if from < 0 {
		from, step = len(args)+from, -1
	}
	for i := from; i > 0 && i < len(args); i += step {
		if EqualFold(args[i], k.Keyword) {
			return i + 1
		}
	}
	return 0
}

func (k *KeySpec) counted(args [][]byte, begin int, dst []int) ([]int, error) {
	at := begin + k.KeyNumIdx
	if at >= len(args) {
		return dst, errKeys
	}
	n, ok := parseSmall(args[at])
	first := begin + k.FirstKey
	if !ok || n < 0 || n > len(args)-first {
		return dst, errKeys
	}
	for i := range n {
		dst = append(dst, first+i*max(k.Step, 1))
	}
	return dst, nil
}

// parseSmall parses a count of arguments.
func parseSmall(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 7 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
