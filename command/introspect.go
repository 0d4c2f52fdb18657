package command

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/types/glob"
)

const commandFlags = Loading | Stale

// CommandCommands are COMMAND and its subcommands: what the table tells about itself.
var CommandCommands = []Spec{
	{Name: "COMMAND", Arity: -1, Flags: commandFlags, ACL: ACLConnection, Tips: tipsAnyOrder,
		Group: GroupServer, Since: "2.8.13", Complexity: "O(N) where N is the number of commands.",
		Summary: "Describes all commands.", Run: func(c *Ctx) { c.commandInfo(nil) },
		Subcommands: []Spec{
			commandSub("COUNT", 2, "2.8.13", "O(1)", "Counts the commands.", nil, commandCount),
			commandSub("DOCS", -2, "7.0.0", "O(N) where N is the number of commands asked for.",
				"Documents commands.", argCommands, func(c *Ctx) { c.commandDocs(c.Args[2:]) }),
			commandSub("GETKEYS", -4, "2.8.13", "O(N) where N is the number of arguments.",
				"Extracts the keys from a whole command.", nil, func(c *Ctx) { c.commandGetKeys(false) }),
			commandSub("GETKEYSANDFLAGS", -4, "7.0.0", "O(N) where N is the number of arguments.",
				"Extracts the keys from a whole command, and what it does with each.", nil,
				func(c *Ctx) { c.commandGetKeys(true) }),
			commandSub("HELP", 2, "5.0.0", "O(1)", "Explains the subcommands.", nil,
				func(c *Ctx) { c.Help(commandHelp) }),
			commandInfoSub(),
			commandSub("LIST", -2, "7.0.0", "O(N) where N is the number of commands.", "Lists the names of commands.",
				[]Arg{{Name: "filterby", Type: ArgOneOf, Token: "FILTERBY", Optional: true, Args: []Arg{
					{Name: "module-name", Type: ArgString, Token: "MODULE"},
					{Name: "category", Type: ArgString, Token: "ACLCAT"},
					{Name: "pattern", Type: ArgPattern, Token: "PATTERN"}}}}, commandList),
		}},
}

var (
	tipsAnyOrder = []string{"nondeterministic_output_order"}
	argCommands  = []Arg{{Name: "command-name", Type: ArgString, Optional: true, Multiple: true}}
)

func commandSub(name string, arity int, since, complexity, summary string, args []Arg, run func(*Ctx)) Spec {
	s := Spec{Name: name, Arity: arity, Flags: commandFlags, ACL: ACLConnection, Group: GroupServer, Since: since,
		Complexity: complexity, Summary: summary, Args: args, Run: run}
	switch name {
	case "DOCS", "INFO", "LIST":
		s.Tips = tipsAnyOrder
	}
	return s
}

func commandInfoSub() Spec {
	s := commandSub("INFO", -2, "2.8.13", "O(N) where N is the number of commands asked for.",
		"Describes commands.", argCommands, func(c *Ctx) { c.commandInfo(c.Args[2:]) })
	s.History = []Change{{"7.0.0", "Describes all commands if no name is given."}}
	return s
}

var commandHelp = []string{
	"(no subcommand)",
	"    What there is to know about all commands.",
	"COUNT",
	"    How many commands there are.",
	"DOCS [<command-name> ...]",
	"    Documentation of these commands, or of all.",
	"GETKEYS <full-command>",
	"    Which arguments of the command are keys.",
	"GETKEYSANDFLAGS <full-command>",
	"    Which arguments of the command are keys, and what happens to each.",
	"INFO [<command-name> ...]",
	"    What there is to know about these commands, or about all.",
	"LIST [FILTERBY (MODULE <name>|ACLCAT <category>|PATTERN <pattern>)]",
	"    The names of all commands, or of those that pass the filter.",
}

// Help replies to HELP, a subcommand, with lines about the others.
func (c *Ctx) Help(lines []string) {
	c.Reply.Array(len(lines) + 3)
	c.Reply.Simple(c.container().Name + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, l := range lines {
		c.Reply.Simple(l)
	}
	c.Reply.Simple("HELP")
	c.Reply.Simple("    This text.")
}

// container returns the command whose subcommand runs, or the one that runs if that has no parent.
func (c *Ctx) container() *Spec {
	if parent := c.Spec.Parent(); parent != nil {
		return parent
	}
	return c.Spec
}

func commandCount(c *Ctx) { c.Reply.Int(int64(len(c.Table.specs))) }

// Find returns the command or, with a '|' in the name ("config|set"), the subcommand called name, or nil.
func (t *Table) Find(name string) *Spec {
	container, sub, isSub := strings.Cut(name, "|")
	s := t.Lookup([]byte(container))
	if s == nil || !isSub {
		return s
	}
	return s.Sub([]byte(sub))
}

// commandInfo describes the commands called names, or all if there are none.
func (c *Ctx) commandInfo(names [][]byte) {
	if len(names) == 0 {
		c.Reply.Array(len(c.Table.specs))
		for _, s := range c.Table.specs {
			s.writeInfo(c.Reply)
		}
		return
	}
	c.Reply.Array(len(names))
	for _, name := range names {
		if s := c.Table.Find(string(name)); s != nil {
			s.writeInfo(c.Reply)
		} else {
			c.Reply.Null()
		}
	}
}

func (s *Spec) writeInfo(w *resp.Writer) {
	w.Array(10)
	w.BulkString(s.fullName)
	w.Int(int64(s.Arity))
	writeSet(w, s.FlagNames())
	first, last, step := s.KeyRange()
	w.Int(int64(first))
	w.Int(int64(last))
	w.Int(int64(step))
	names := namesOf(uint32(s.Categories()), categoryNames)
	for i := range names {
		names[i] = "@" + names[i]
	}
	writeSet(w, names)
	w.Set(len(s.Tips))
	for _, tip := range s.Tips {
		w.BulkString(tip)
	}
	w.Set(len(s.Keys))
	for i := range s.Keys {
		s.Keys[i].write(w)
	}
	if len(s.Subcommands) == 0 {
		w.Set(0)
		return
	}
	w.Array(len(s.Subcommands))
	for i := range s.Subcommands {
		s.Subcommands[i].writeInfo(w)
	}
}

func writeSet(w *resp.Writer, names []string) {
	w.Set(len(names))
	for _, name := range names {
		w.Simple(name)
	}
}

// namesOf returns the names of the bits of set, the lowest first.
func namesOf(set uint32, names []string) []string {
	var list []string
	for ; set != 0; set &= set - 1 {
		list = append(list, names[bits.TrailingZeros32(set)])
	}
	return list
}

// FlagNames returns the command's flags as COMMAND INFO names them.
func (s *Spec) FlagNames() []string {
	hidden := MayReplicate | LockAll | Barrier | Quick
	set := s.Flags &^ hidden
	if s.movable() {
		set |= MovableKeys
	}
	return namesOf(uint32(set), flagNames)
}

// Categories returns all ACL categories of the command: its own and those that follow from its flags.
func (s *Spec) Categories() Category {
	c := s.ACL
	for _, implied := range [...]struct {
		flag Flags
		set  Category
	}{
		{Write, ACLWrite}, {Admin, ACLAdmin | ACLDangerous}, {PubSub, ACLPubSub}, {Fast, ACLFast}, {Blocking, ACLBlocking},
	} {
		if s.Flags&implied.flag != 0 {
			c |= implied.set
		}
	}
	if s.Flags&ReadOnly != 0 && c&ACLScripting == 0 {
		c |= ACLRead
	}
	if c&ACLFast == 0 {
		c |= ACLSlow
	}
	return c
}

// KeyRange returns the first key, the last (negative: from the end) and the step between keys, as far as one range can
// tell: the older description of a command's keys.
func (s *Spec) KeyRange() (first, last, step int) {
	if len(s.Keys) == 1 && s.Keys[0].plain() {
		k := &s.Keys[0]
		return k.Index, k.lastIndex(), k.Step
	}
	for i := range s.Keys {
		k := &s.Keys[i]
		if !k.joins(last) {
			continue
		}
		if first == 0 {
			first = k.Index
		}
		if last >= 0 { // a negative one reaches furthest
			last = k.lastIndex()
		}
		step = 1
	}
	return first, last, step
}

// movable tells whether KeyRange leaves keys out.
func (s *Spec) movable() bool {
	if s.Flags&MovableKeys != 0 {
		return true
	}
	if len(s.Keys) == 1 && s.Keys[0].plain() {
		return s.Keys[0].Flags&Incomplete != 0
	}
	last := 0
	for i := range s.Keys {
		k := &s.Keys[i]
		if !k.joins(last) || k.Flags&Incomplete != 0 {
			return true
		}
		if last >= 0 {
			last = k.lastIndex()
		}
	}
	return false
}

// plain tells whether k is a range from a fixed argument on.
func (k *KeySpec) plain() bool { return k.Index > 0 && k.Keyword == "" && !k.Counted && !k.Unknown }

// lastIndex is Last as an absolute index; a negative one counts from the end.
func (k *KeySpec) lastIndex() int {
	if k.Last < 0 {
		return k.Last
	}
	return k.Index + k.Last
}

// joins tells whether k continues a range that ends with the argument last; 0 is the end of no range.
func (k *KeySpec) joins(last int) bool {
	return k.plain() && k.Step == 1 && (last == 0 || last == k.Index-1)
}

// write writes k as COMMAND INFO does.
func (k *KeySpec) write(w *resp.Writer) {
	if k.Notes == "" {
		w.Map(3)
	} else {
		w.Map(4)
		w.BulkString("notes")
		w.BulkString(k.Notes)
	}
	w.BulkString("flags")
	writeSet(w, namesOf(uint32(k.Flags), keyFlagNames))
	w.BulkString("begin_search")
	switch {
	case k.Keyword != "":
		writeSearch(w, "keyword", "keyword", k.Keyword, "startfrom", k.StartFrom)
	case k.Index > 0:
		writeSearch(w, "index", "index", k.Index)
	default:
		writeSearch(w, "unknown")
	}
	w.BulkString("find_keys")
	switch {
	case k.Unknown:
		writeSearch(w, "unknown")
	case k.Counted:
		writeSearch(w, "keynum", "keynumidx", k.KeyNumIdx, "firstkey", k.FirstKey, "keystep", max(k.Step, 1))
	default:
		writeSearch(w, "range", "lastkey", k.Last, "keystep", k.Step, "limit", k.Limit)
	}
}

// writeSearch writes one of the two parts of a key specification; spec is names and their values in turn.
func writeSearch(w *resp.Writer, kind string, spec ...any) {
	w.Map(2)
	w.BulkString("type")
	w.BulkString(kind)
	w.BulkString("spec")
	w.Map(len(spec) / 2)
	for _, v := range spec {
		switch v := v.(type) {
		case string:
			w.BulkString(v)
		case int:
			w.Int(int64(v))
		default:
			panic(fmt.Sprintf("command: no reply for %T", v))
		}
	}
}

// commandFilter picks names for COMMAND LIST.
type commandFilter func(*Spec) bool

func commandList(c *Ctx) {
	filter, ok := c.commandFilter()
	if !ok {
		c.Error(ErrSyntax)
		return
	}
	n := 0
	d := c.Reply.DeferArray(len(c.Table.specs))
	c.Table.Each(func(s *Spec) {
		if filter(s) {
			c.Reply.BulkString(s.fullName)
			n++
		}
	})
	c.Reply.Close(d, n)
}

// Each calls visit for every command, each followed by its subcommands.
func (t *Table) Each(visit func(*Spec)) {
	for _, s := range t.specs {
		visit(s)
		for i := range s.Subcommands {
			visit(&s.Subcommands[i])
		}
	}
}

func (c *Ctx) commandFilter() (f commandFilter, ok bool) {
	if len(c.Args) == 2 {
		return func(*Spec) bool { return true }, true
	}
	if len(c.Args) != 5 || !c.isOption(2, "FILTERBY") {
		return nil, false
	}
	arg := c.Args[4]
	switch {
	case c.isOption(3, "MODULE"):
		return func(*Spec) bool { return false }, true // there are none
	case c.isOption(3, "ACLCAT"):
		set := CategoryNamed(cString(arg))
		return func(s *Spec) bool { return s.Categories()&set != 0 }, true
	case c.isOption(3, "PATTERN"):
		return func(s *Spec) bool { return glob.Match(arg, []byte(s.fullName), true) }, true
	}
	return nil, false
}

// CategoryNamed returns the ACL category called name, without '@', in any case; 0 if there is none.
func CategoryNamed(name string) Category {
	for i, n := range categoryNames {
		if strings.EqualFold(n, name) {
			return 1 << i
		}
	}
	return 0
}

const (
	errNoSuchCommand Error = "ERR Invalid command specified"
	errHasNoKeys     Error = "ERR The command has no key arguments"
	errKeysArity     Error = "ERR Invalid number of arguments specified for command"
)

func (c *Ctx) commandGetKeys(withFlags bool) {
	args := c.Args[2:]
	s := c.Table.Resolve(args)
	switch {
	case s == nil:
		c.Error(errNoSuchCommand)
		return
	case !s.HasKeys() || len(s.Keys) > 0 && s.Keys[0].Flags&NotKey != 0: // channels are not keys
		c.Error(errHasNoKeys)
		return
	case !s.ArityOK(len(args)):
		c.Error(errKeysArity)
		return
	}
	list, err := s.KeyIndexes(args, nil)
	switch {
	case (err != nil || len(list) == 0) && s.Flags&NoMandatoryKeys != 0:
		list = nil
	case err != nil || len(list) == 0 || list[len(list)-1] >= len(args):
		c.Error(errKeys)
		return
	}
	c.Reply.Array(len(list))
	for _, i := range list {
		if withFlags {
			c.Reply.Array(2)
		}
		c.Reply.Bulk(args[i])
		if withFlags {
			writeSet(c.Reply, namesOf(uint32(s.KeyFlagsAt(args, i)), keyFlagNames))
		}
	}
}

// Resolve returns the command or subcommand that args call, or nil.
func (t *Table) Resolve(args [][]byte) *Spec {
	s := t.Lookup(args[0])
	if s == nil || len(s.Subcommands) == 0 || len(args) == 1 {
		return s
	}
	return s.Sub(args[1])
}

// FlagsOf returns what a command of args does with the keys that k describes.
func (k *KeySpec) FlagsOf(args [][]byte) KeyFlags {
	if k.VaryFlags != nil {
		return k.VaryFlags(args)
	}
	return k.Flags
}

// KeyFlagsAt returns what the command of args does with its key at index.
func (s *Spec) KeyFlagsAt(args [][]byte, index int) KeyFlags {
	for i := range s.Keys {
		list, err := s.Keys[i].indexes(args, nil)
		if err != nil {
			continue
		}
		for _, at := range list {
			if at != index {
				continue
			}
			return s.Keys[i].FlagsOf(args)
		}
	}
	if last := len(s.Keys) - 1; last >= 0 && s.Keys[last].Unknown { // a key that only GetKeys finds
		return s.Keys[last].Flags
	}
	return 0
}
