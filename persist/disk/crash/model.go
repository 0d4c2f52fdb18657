package crash

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
)

// node is a file or a folder, whatever its name.
type node struct {
	folder  bool
	data    []byte // as programs see it
	durable []byte // as it is at least after a crash of the machine, or in place of data if that is no longer than it
}

// model is a disk: the names as programs see them, those that are durable, and what leads from these to those.
type model struct {
	names, durable map[string]*node
	pending        []*change
	opened         map[int]*node
}

// change is one to a folder's names: path means n, or, if n is nil, nothing.
type change struct {
	path  string
	n     *node
	first *change // happens before this one or with it; nil: nothing does
	made  bool    // durably
}

func (c *change) apply(names map[string]*node) {
	if c.first != nil && !c.first.made {
		c.first.apply(names)
	}
	if c.n == nil {
		delete(names, c.path)
	} else {
		names[c.path] = c.n
	}
}

func newModel(base map[string][]byte) *model {
	m := &model{names: map[string]*node{}, opened: map[int]*node{}}
	for path, content := range base {
		m.names[path] = &node{folder: content == nil, data: content, durable: content}
	}
	m.durable = maps.Clone(m.names)
	return m
}

func (m *model) link(path string, n *node) {
	c := &change{path: path, n: n}
	c.apply(m.names)
	m.pending = append(m.pending, c)
}

func (m *model) unlink(path string) { m.link(path, nil) }

// rename leaves, after a crash, the old name, the new one, or both, but never none.
func (m *model) rename(from, to string) {
	m.link(to, m.names[from])
	link := m.pending[len(m.pending)-1]
	m.unlink(from)
	m.pending[len(m.pending)-1].first = link
}

func (m *model) open(id int, path string, empty bool) {
	n := m.names[path]
	if n == nil {
		n = &node{}
		m.link(path, n)
	}
	if empty {
		n.data = nil
	}
	m.opened[id] = n
}

func (m *model) write(id int, b []byte) {
	n := m.opened[id]
	n.data = append(slices.Clip(n.data), b...)
}

func (m *model) sync(id int) { m.opened[id].durable = m.opened[id].data }

func (m *model) truncate(path string, size int64) {
	n := m.names[path]
	n.data = n.data[:size]
	n.durable = n.data
}

func (m *model) syncDir(dir string) {
	for _, c := range m.pending {
		if filepath.Dir(c.path) == dir {
			c.apply(m.durable)
			c.made = true
			if c.first != nil {
				c.first.made = true
			}
		}
	}
	m.pending = slices.DeleteFunc(m.pending, func(c *change) bool { return c.made })
}

// outcome is what is there after a crash.
type outcome struct {
	how   string
	files map[string][]byte
}

// outcomes returns what a crash now may leave: of the process everything; of the machine what is durable with some of
// the changes to names that are not, and of the bytes that are not durable none, half, or all.
func (m *model) outcomes() []outcome {
	all := []outcome{{"crash of the process", contents(m.names, whole)}}
	for _, names := range m.possibleNames() {
		for _, b := range []struct {
			how  string
			keep func(*node) []byte
		}{{"no byte", synced}, {"half of the bytes", half}, {"all bytes", whole}} {
			how := fmt.Sprintf("crash of the machine, which keeps %s that were not synced and %s", b.how, names.how)
			all = append(all, outcome{how, contents(names.names, b.keep)})
		}
	}
	return all
}

func whole(n *node) []byte  { return n.data }
func synced(n *node) []byte { return n.durable }

func half(n *node) []byte {
	if bytes.HasPrefix(n.data, n.durable) {
		return n.data[:(len(n.durable)+len(n.data))/2]
	}
	return n.data[:len(n.data)/2]
}

// contents returns what is in files that can be reached.
func contents(names map[string]*node, keep func(*node) []byte) map[string][]byte {
	files := map[string][]byte{}
	for path, n := range names {
		if dir := filepath.Dir(path); dir != "." && names[dir] == nil {
			continue
		}
		if n.folder {
			files[path] = nil
			continue
		}
		files[path] = append([]byte{}, keep(n)...)
	}
	return files
}

type possibility struct {
	how   string
	names map[string]*node
}

// possibleNames returns the durable names with the first n of the pending changes, for every n, with all but one of
// them, and with only one.
func (m *model) possibleNames() []possibility {
	var all []possibility
	add := func(how string, keep func(i int) bool) {
		names := maps.Clone(m.durable)
		for i, c := range m.pending {
			if keep(i) {
				c.apply(names)
			}
		}
		all = append(all, possibility{how, names})
	}
	p := len(m.pending)
	for n := range p + 1 {
		add(fmt.Sprintf("the first %d of %d new names", n, p), func(i int) bool { return i < n })
	}
	for n := 0; n < p && p > 1; n++ {
		add(fmt.Sprintf("of %d new names all but %s", p, m.pending[n].path), func(i int) bool { return i != n })
		add(fmt.Sprintf("of %d new names only %s", p, m.pending[n].path), func(i int) bool { return i == n })
	}
	return all
}
