package config

import "strings"

// Directive is one row of the table: everything there is to know about a configuration
// directive.
type Directive struct {
	Name  string
	Alias string // second name; CONFIG GET shows both
	Kind  kind
	Flags Flags
	Help  string // one sentence for the documentation

	// A directive that does nothing is accepted and kept all the same. At most one of these is
	// set; it says why, or what the directive waits for.
	NoEffect string
	Later    string
}

// Flags say how a directive may be changed.
type Flags uint

const (
	Immutable     Flags = 1 << iota // only at start
	SetToSame                       // only at start; CONFIG SET may give it the value that it has, as who sets all that CONFIG GET shows does
	Hidden                          // CONFIG GET shows it only by its full name
	Protected                       // CONFIG SET needs enable-protected-configs
	Sensitive                       // the value is a secret: keep it out of logs
	MultiArg                        // the value may be several words
	DeniedLoading                   // no CONFIG SET while the data set is loaded
	Volatile                        // names a file that may have changed: CONFIG SET of the same value takes effect, too
)

// A section groups directives for the reader.
type section struct {
	title      string
	directives []Directive
}

// entry is a directive under one of its names.
type entry struct {
	name string // in lower case
	*Directive
}

// index finds a directive by either name; all lists both names of each directive in the
// table's order.
type index struct {
	byName map[string]entry
	all    []entry
}

func newIndex(sections []section) *index {
	ix := &index{byName: map[string]entry{}}
	for _, s := range sections {
		for i := range s.directives {
			d := &s.directives[i]
			ix.add(entry{d.Name, d})
			if d.Alias != "" {
				ix.add(entry{d.Alias, d})
			}
		}
	}
	return ix
}

func (ix *index) add(e entry) {
	ix.byName[e.name] = e
	ix.all = append(ix.all, e)
}

func (ix *index) lookup(name string) (entry, bool) {
	e, ok := ix.byName[strings.ToLower(name)]
	return e, ok
}

// primary yields each directive once, under its first name.
func (ix *index) primary(yield func(*Directive) bool) {
	for _, e := range ix.all {
		if e.name == e.Name && !yield(e.Directive) {
			return
		}
	}
}

var directives = newIndex(table)

// IsSensitive reports whether the value of the directive is a secret that logs, MONITOR and the slow
// log must not show.
func IsSensitive(name string) bool {
	e, ok := directives.lookup(name)
	return ok && e.Flags&Sensitive != 0
}

// defaults returns a fresh set of values.
func defaults() *Values {
	v := new(Values)
	for d := range directives.primary {
		d.Kind.reset(v)
	}
	return v
}
