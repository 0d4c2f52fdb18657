package command

import "github.com/shoaldb/shoal/resp"

// commandDocs documents the commands called names, or all if there are none. Unknown names are left out.
func (c *Ctx) commandDocs(names [][]byte) {
	if len(names) == 0 {
		c.Reply.Map(len(c.Table.specs))
		for _, s := range c.Table.specs {
			c.Reply.BulkString(s.fullName)
			s.writeDocs(c.Reply)
		}
		return
	}
	n := 0
	d := c.Reply.DeferMap(len(names))
	for _, name := range names {
		if s := c.Table.Find(string(name)); s != nil {
			c.Reply.BulkString(s.fullName)
			s.writeDocs(c.Reply)
			n++
		}
	}
	c.Reply.Close(d, n)
}

// fields collects the pairs of a map whose number is told first.
type fields struct {
	w     *resp.Writer
	d     resp.Deferred
	count int
}

func newFields(w *resp.Writer, guess int) *fields { return &fields{w: w, d: w.DeferMap(guess)} }

func (f *fields) name(name string) {
	f.count++
	f.w.BulkString(name)
}

// text adds a pair unless value is empty.
func (f *fields) text(name, value string) {
	if value != "" {
		f.name(name)
		f.w.BulkString(value)
	}
}

// set adds a pair unless there are no names.
func (f *fields) set(name string, names []string) {
	if len(names) > 0 {
		f.name(name)
		writeSet(f.w, names)
	}
}

func (f *fields) close() { f.w.Close(f.d, f.count) }

func (s *Spec) writeDocs(w *resp.Writer) {
	f := newFields(w, 5)
	f.text("summary", s.Summary)
	f.text("since", s.Since)
	f.text("group", string(s.Group))
	f.text("complexity", s.Complexity)
	f.set("doc_flags", s.DocFlags)
	f.text("deprecated_since", s.DeprecatedIn)
	f.text("replaced_by", s.ReplacedBy)
	if len(s.History) > 0 {
		f.name("history")
		w.Set(len(s.History))
		for _, h := range s.History {
			w.Array(2)
			w.BulkString(h.Since)
			w.BulkString(h.What)
		}
	}
	if len(s.Args) > 0 {
		f.name("arguments")
		writeArgs(w, s.Args)
	}
	if len(s.Subcommands) > 0 {
		f.name("subcommands")
		w.Map(len(s.Subcommands))
		for i := range s.Subcommands {
			w.BulkString(s.Subcommands[i].fullName)
			s.Subcommands[i].writeDocs(w)
		}
	}
	f.close()
}

func writeArgs(w *resp.Writer, args []Arg) {
	w.Array(len(args))
	for i := range args {
		args[i].write(w)
	}
}

func (a *Arg) write(w *resp.Writer) {
	f := newFields(w, 3)
	f.text("name", a.Name)
	f.text("type", argTypeNames[a.Type])
	if a.Type == ArgKey || a.KeySpecIndex > 0 { // a pattern of keys has one as well
		f.name("key_spec_index")
		w.Int(int64(a.KeySpecIndex))
	}
	if f.text("token", a.Token); a.Token == "" && a.Type == ArgPureToken { // MIGRATE's empty key
		f.name("token")
		f.w.BulkString("")
	}
	f.text("summary", a.Summary)
	f.text("since", a.Since)
	f.text("deprecated_since", a.DeprecatedIn)
	f.set("flags", a.flagNames())
	if a.Type == ArgOneOf || a.Type == ArgBlock {
		f.name("arguments")
		writeArgs(w, a.Args)
	}
	f.close()
}

func (a *Arg) flagNames() []string {
	var list []string
	for _, f := range [...]struct {
		on   bool
		name string
	}{{a.Optional, "optional"}, {a.Multiple, "multiple"}, {a.MultipleToken, "multiple_token"}} {
		if f.on {
			list = append(list, f.name)
		}
	}
	return list
}
