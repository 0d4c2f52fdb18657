package config

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/types/glob"
)

// Config is the configuration of a running server. Load may be called from any goroutine at any
// time; the other methods exclude each other.
type Config struct {
	current atomic.Pointer[Values]
	path    string // absolute, empty without a file

	mu    sync.Mutex
	hooks []*hook
}

// A Hook makes a change take effect. An error refuses it; its text becomes part of the reply.
// Then each hook that was called for this change, also the one that failed, is called again
// with the arguments exchanged and has to restore what it did. While hooks run, Load still
// returns the old values; a hook must not call Set, Update or Rewrite.
type Hook func(old, new *Values) error

type hook struct {
	run   Hook
	names []string
}

// New returns the defaults, without a file.
func New() *Config {
	return newConfig(defaults(), "")
}

func newConfig(v *Values, path string) *Config {
	c := &Config{path: path}
	c.current.Store(v)
	c.OnChange(refuseDefrag, "activedefrag")
	return c
}

// Load returns the current values, which must not be written to.
func (c *Config) Load() *Values { return c.current.Load() }

// File returns the absolute path of the configuration file, empty when there is none.
func (c *Config) File() string { return c.path }

// OnChange registers a hook for directives, by their first names. It is called once per
// Set that changes any of them. Names that do not exist are a panic.
func (c *Config) OnChange(run Hook, names ...string) {
	for _, name := range names {
		if e, ok := directives.byName[name]; !ok || e.Name != name {
			panic("config: hook for unknown directive " + name)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hooks = append(c.hooks, &hook{run, names})
}

// Update lets the server itself change values, without checks and hooks: what REPLICAOF
// sets, or a maxclients that the limit on open files has lowered. change must replace slices,
// not write into them.
func (c *Config) Update(change func(*Values)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := *c.Load()
	change(&next)
	c.current.Store(&next)
}

// Get returns name and value of the directives that match any of the patterns, each once. A
// pattern without * ? [ is a name, given back as it was written, and finds hidden directives too.
func (c *Config) Get(patterns ...string) [][2]string {
	v := c.Load()
	var found [][2]string
	seen := map[string]bool{}
	add := func(shown string, e entry) {
		if !seen[e.name] {
			seen[e.name] = true
			found = append(found, [2]string{shown, e.Kind.get(v)})
		}
	}
	for _, pattern := range patterns {
		if !strings.ContainsAny(pattern, "*?[") {
			if e, ok := directives.lookup(pattern); ok {
				add(pattern, e)
			}
			continue
		}
		for _, e := range directives.all {
			if e.Flags&Hidden == 0 && glob.Match([]byte(pattern), []byte(e.name), true) {
				add(e.name, e)
			}
		}
	}
	return found
}

// Caller is what Set needs to know about the client.
type Caller struct {
	Local   bool // connected from this machine
	Loading bool // the data set is being loaded
}

// ErrLoading is returned by Set for a directive that must not change while the data set is loaded; the
// server answers it with its LOADING error.
const ErrLoading = reason("Redis is loading the dataset in memory")

// Set changes several directives at once, or none. All values are parsed and checked first, then
// the hooks of those that changed, or are volatile, are called in the order of pairs, then the new values are
// published. An error is ErrLoading or the text of an ERR reply.
func (c *Config) Set(pairs [][2]string, by Caller) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Load()
	entries, err := settable(pairs, by, old)
	if err != nil {
		return err
	}
	next := *old
	for i, e := range entries {
		if err := e.Kind.set(&next, runtimeArgs(e.Directive, pairs[i][1]), source{}); err != nil {
			return setFailed(e.name, err)
		}
	}
	if err := c.runHooks(entries, old, &next); err != nil {
		return err
	}
	c.current.Store(&next)
	return nil
}

// settable finds the directives of pairs; the first that may not be set decides about the error.
func settable(pairs [][2]string, by Caller, v *Values) ([]entry, error) {
	entries := make([]entry, 0, len(pairs))
	for _, p := range pairs {
		e, ok := directives.lookup(p[0])
		switch {
		case !ok:
			return nil, reason(fmt.Sprintf("Unknown option or number of arguments for CONFIG SET - '%s'", p[0]))
		case e.Flags&Immutable != 0 && (e.Flags&SetToSame == 0 || p[1] != e.Kind.get(v)):
			return nil, setFailed(p[0], reason("can't set immutable config"))
		case e.Flags&Protected != 0 && !v.EnableProtected.Allows(by.Local):
			return nil, setFailed(p[0], reason("can't set protected config"))
		case e.Flags&DeniedLoading != 0 && by.Loading:
			return nil, ErrLoading
		case slices.Contains(entries, e): // under another name it may be set twice
			return nil, setFailed(p[0], reason("duplicate parameter"))
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func setFailed(name string, err error) error {
	return reason(fmt.Sprintf("CONFIG SET failed (possibly related to argument '%s') - %s", name, err))
}

// runtimeArgs are the words of a value given to CONFIG SET: separated by exactly one space, and
// not quoted.
func runtimeArgs(d *Directive, value string) []string {
	switch {
	case d.Flags&MultiArg == 0:
		return []string{value}
	case value == "":
		return nil
	}
	return strings.Split(value, " ")
}

// runHooks calls the hooks of the entries that changed or are volatile; after a failure it calls them again
// to undo.
func (c *Config) runHooks(entries []entry, old, next *Values) error {
	var ran []*hook
	for _, e := range entries {
		if e.Flags&Volatile == 0 && e.Kind.get(old) == e.Kind.get(next) {
			continue
		}
		for _, h := range c.hooks {
			if !slices.Contains(h.names, e.Name) || slices.Contains(ran, h) {
				continue
			}
			ran = append(ran, h)
			if err := h.run(old, next); err != nil {
				for _, undo := range ran {
					_ = undo.run(next, old) // the state it came from; there is nothing better to go to
				}
				return setFailed(e.name, err)
			}
		}
	}
	return nil
}

// refuseDefrag lets a configuration file say activedefrag yes, but not a client, who would
// wait for an effect.
func refuseDefrag(old, new *Values) error {
	if new.unused.activeDefrag && !old.unused.activeDefrag {
		return reason("Active defragmentation cannot be enabled: it requires a Redis server compiled " +
			"with a modified Jemalloc like the one shipped by default with the Redis source distribution")
	}
	return nil
}

// Ineffective is a directive that was given another value than its default, and does nothing.
type Ineffective struct {
	Name   string
	Reason string
}

// Ineffective lists the directives the user may rely on in vain, for a warning at start.
func (c *Config) Ineffective() []Ineffective {
	v, def := c.Load(), defaults()
	var list []Ineffective
	for d := range directives.primary {
		text := d.NoEffect
		if d.Later != "" {
			text = "there is no " + d.Later + " yet"
		}
		if text != "" && d.Kind.get(v) != d.Kind.get(def) {
			list = append(list, Ineffective{d.Name, text})
		}
	}
	return list
}
