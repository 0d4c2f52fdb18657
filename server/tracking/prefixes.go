package tracking

import (
	"cmp"
	"slices"
	"strings"
)

// Prefixes is a radix tree of prefixes of keys. Its user locks it.
type Prefixes struct {
	root node
	n    int
}

// Prefix is one prefix and the clients that are told of keys that begin with it.
type Prefix struct {
	Name    string
	Clients map[uint64]struct{}
}

// node is a part of one or several prefixes.
type node struct {
	label    string
	children []*node // by the first bytes of their labels
	prefix   *Prefix // that ends here, or nil
}

// Len returns the number of different prefixes.
func (p *Prefixes) Len() int { return p.n }

// child returns the place of the child of n whose label begins with c.
func (n *node) child(c byte) (i int, found bool) {
	return slices.BinarySearchFunc(n.children, c, func(n *node, c byte) int { return cmp.Compare(n.label[0], c) })
}

// Add makes client one of those of the prefix name.
func (p *Prefixes) Add(name string, client uint64) {
	n := &p.root
	for rest := name; rest != ""; {
		i, found := n.child(rest[0])
		if !found {
			n.children = slices.Insert(n.children, i, &node{label: rest})
			n = n.children[i]
			break
		}
		common := commonLength(n.children[i].label, rest)
		if common < len(n.children[i].label) {
			n.children[i] = n.children[i].split(common)
		}
		n, rest = n.children[i], rest[common:]
	}
	if n.prefix == nil {
		n.prefix = &Prefix{Name: name, Clients: map[uint64]struct{}{}}
		p.n++
	}
	n.prefix.Clients[client] = struct{}{}
}

// split returns a node for the first at bytes of n's label, with n below it.
func (n *node) split(at int) *node {
	upper := &node{label: n.label[:at], children: []*node{n}}
	n.label = n.label[at:]
	return upper
}

func commonLength(a, b string) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return i
}

// Remove undoes Add.
func (p *Prefixes) Remove(name string, client uint64) {
	path := []*node{&p.root}
	n := &p.root
	for rest := name; rest != ""; {
		i, found := n.child(rest[0])
		if !found || !strings.HasPrefix(rest, n.children[i].label) {
			return
		}
		n = n.children[i]
		rest = rest[len(n.label):]
		path = append(path, n)
	}
	if n.prefix == nil {
		return
	}
	delete(n.prefix.Clients, client)
	if len(n.prefix.Clients) > 0 {
		return
	}
	n.prefix = nil
	p.n--
	for i := len(path) - 1; i > 0 && path[i].prefix == nil; i-- {
		path[i].shrink(path[i-1])
	}
}

// shrink removes n, which is no prefix, from its parent if it has no children, or joins it with its only one.
func (n *node) shrink(parent *node) {
	i, _ := parent.child(n.label[0])
	switch len(n.children) {
	case 0:
		parent.children = slices.Delete(parent.children, i, i+1)
	case 1:
		only := n.children[0]
		only.label = n.label + only.label
		parent.children[i] = only
	}
}

// Visit calls f for each prefix of key, the shortest first.
func (p *Prefixes) Visit(key []byte, f func(*Prefix)) {
	n := &p.root
	for {
		if n.prefix != nil {
			f(n.prefix)
		}
		if len(key) == 0 {
			return
		}
		i, found := n.child(key[0])
		if !found {
			return
		}
		n = n.children[i]
		if len(key) < len(n.label) || string(key[:len(n.label)]) != n.label {
			return
		}
		key = key[len(n.label):]
	}
}

// A Collision is two prefixes of which one begins with the other.
type Collision struct {
	Prefix, Other string
	Existing      bool // Other is one that the client has already, not one of the new ones
}

// exactly is how many prefixes are compared each with each, to report the collision that Redis reports.
const exactly = 200

// Collide looks for two prefixes that would tell of the same key: one of the new ones, and another of them or one that
// the client has, which are sorted.
func Collide(have, names []string) (Collision, bool) {
	all := slices.Concat(have, names)
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if strings.HasPrefix(all[i], all[i-1]) {
			if len(all) > exactly {
				return Collision{Prefix: all[i], Other: all[i-1]}, true
			}
			return firstCollision(have, names)
		}
	}
	return Collision{}, false
}

func firstCollision(have, names []string) (Collision, bool) {
	for i, name := range names {
		for _, h := range have {
			if strings.HasPrefix(h, name) || strings.HasPrefix(name, h) {
				return Collision{Prefix: name, Other: h, Existing: true}, true
			}
		}
		for _, other := range names[i+1:] {
			if strings.HasPrefix(other, name) || strings.HasPrefix(name, other) {
				return Collision{Prefix: name, Other: other}, true
			}
		}
	}
	return Collision{}, false
}
