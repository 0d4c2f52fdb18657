package rax

import (
	"bytes"

	"github.com/shoaldb/shoal/alloc"
)

// Tree is a radix tree. It holds no Go pointer, so it may be kept off-heap. The zero Tree is empty. Keys are copied.
type Tree struct {
	root alloc.Ref
	keys uint32
}

// Len returns the number of keys.
func (t *Tree) Len() int { return int(t.keys) }

// Find returns the value of key.
func (t *Tree) Find(a *alloc.Arena, key []byte) (v uint64, ok bool) {
	r := t.root
	for r != 0 {
		n := nodeAt(a, r)
		p := n.prefix()
		if !bytes.HasPrefix(key, p) {
			return 0, false
		}
		key = key[len(p):]
		if len(key) == 0 {
			if !n.valued() {
				return 0, false
			}
			return n.value(), true
		}
		i := bytes.IndexByte(n.bytes(), key[0])
		if i < 0 {
			return 0, false
		}
		if key = key[1:]; n.fan() {
			return n.fanValue(i), bytes.Equal(key, n.suffix())
		}
		r = n.child(i)
	}
	return 0, false
}

// edge is the place that holds the ref of a node: a slot of its parent, or the tree's root if that is 0.
type edge struct {
	parent alloc.Ref
	i      int
}

func (t *Tree) set(a *alloc.Arena, e edge, r alloc.Ref) {
	if e.parent == 0 {
		t.root = r
	} else {
		nodeAt(a, e.parent).setChild(e.i, r)
	}
}

// Insert gives key the value v. It tells whether the key is new; ok is false, and no key has changed, if there is no memory.
func (t *Tree) Insert(a *alloc.Arena, key []byte, v uint64) (added, ok bool) {
	var at edge
	r := t.root
	for r != 0 {
		n := nodeAt(a, r)
		if n.fan() && n.count() == 1 {
			return t.joinSingle(a, at, r, key, v)
		}
		p := n.prefix()
		if !bytes.HasPrefix(key, p) {
			return t.inserted(t.splitPrefix(a, at, r, key, v))
		}
		rest := key[len(p):]
		if n.fan() {
			if len(rest) > 0 && bytes.Equal(rest[1:], n.suffix()) {
				return t.addToFan(a, at, r, rest[0], v)
			}
			if r = t.burst(a, at, r); r == 0 {
				return false, false
			}
			continue
		}
		if len(rest) == 0 {
			if n.valued() {
				n.setValue(v)
				return false, true
			}
			return t.inserted(t.addValue(a, at, r, v))
		}
		i, found := n.lowerBound(rest[0])
		if !found {
			return t.inserted(t.addChild(a, at, r, i, rest, v))
		}
		at, r, key = edge{r, i}, n.child(i), rest[1:]
	}
	if r = newLeaf(a, key, v); r != 0 {
		t.set(a, at, r)
	}
	return t.inserted(r != 0)
}

func (t *Tree) inserted(ok bool) (added, _ bool) {
	if ok {
		t.keys++
	}
	return ok, ok
}

// newLeaf returns a subtree of one key.
func newLeaf(a *alloc.Arena, key []byte, v uint64) alloc.Ref {
	switch {
	case len(key) == 0:
		r, n := newNode(a, hasValue, nil, nil, 0)
		if r != 0 {
			n.setValue(v)
		}
		return r
	case len(key) <= maxLabel:
		return newSingle(a, key, len(key)-1, v)
	}
	child := newLeaf(a, key[maxLabel+1:], v)
	if child == 0 {
		return 0
	}
	r, n := newNode(a, 0, key[:maxLabel], nil, 1)
	if r == 0 {
		freeChain(a, child)
		return 0
	}
	n.openSlot(0, key[maxLabel])
	n.setChild(0, child)
	return r
}

// newSingle returns a fan of the one key, which differs in byte i from those that may come.
func newSingle(a *alloc.Arena, key []byte, i int, v uint64) alloc.Ref {
	r, n := newNode(a, isFan, key[:i], key[i+1:], 1)
	if r != 0 {
		n.openSlot(0, key[i])
		n.setFanValue(0, v)
	}
	return r
}

// freeChain frees a subtree of one key.
func freeChain(a *alloc.Arena, r alloc.Ref) {
	for r != 0 {
		n := nodeAt(a, r)
		next := alloc.Ref(0)
		if !n.fan() && n.count() > 0 {
			next = n.child(0)
		}
		a.Free(r, n.size())
		r = next
	}
}

// twig is a subtree and the byte that leads to it.
type twig struct {
	b byte
	r alloc.Ref
}

// newFork returns a branch with one or two twigs, of which the second is the zero twig if a key with the value v ends there.
func newFork(a *alloc.Arena, prefix []byte, twigs [2]twig, v uint64) alloc.Ref {
	flags, c := byte(0), 2
	if twigs[1].r == 0 {
		flags, c = hasValue, 1
	}
	r, n := newNode(a, flags, prefix, nil, c)
	if r == 0 {
		return 0
	}
	if flags != 0 {
		n.setValue(v)
	}
	for _, w := range twigs[:c] {
		i, _ := n.lowerBound(w.b)
		n.openSlot(i, w.b)
		n.setChild(i, w.r)
	}
	return r
}

// splitPrefix inserts key where it leaves node r within its prefix.
func (t *Tree) splitPrefix(a *alloc.Arena, at edge, r alloc.Ref, key []byte, v uint64) bool {
	n := nodeAt(a, r)
	p := n.prefix()
	d := common(p, key)
	low, m := n.relabelled(a, p[d+1:])
	if low == 0 {
		return false
	}
	twigs := [2]twig{{p[d], low}}
	if d < len(key) {
		if twigs[1] = (twig{key[d], newLeaf(a, key[d+1:], v)}); twigs[1].r == 0 {
			a.Free(low, m.size())
			return false
		}
	}
	top := newFork(a, p[:d], twigs, v)
	if top == 0 {
		a.Free(low, m.size())
		freeChain(a, twigs[1].r)
		return false
	}
	a.Free(r, n.size())
	t.set(a, at, top)
	return true
}

// common returns the length of the common prefix of x and y.
func common(x, y []byte) int {
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	return i
}

// relabelled returns a copy of n with another prefix.
func (n node) relabelled(a *alloc.Arena, prefix []byte) (alloc.Ref, node) {
	r, m := newNode(a, n[0]&(isFan|hasValue), prefix, n.suffix(), n.count())
	if r == 0 {
		return 0, nil
	}
	at := n.labels()
	copy(m[headerBytes:], n[headerBytes:at])
	m.setCount(n.count())
	to := m.labels()
	copy(m[to:], prefix)
	copy(m[to+len(prefix):], n[at+int(n[1]):n.used()])
	return r, m
}

// addValue lets a key end in branch r.
func (t *Tree) addValue(a *alloc.Arena, at edge, r alloc.Ref, v uint64) bool {
	n := nodeAt(a, r)
	to, m := newNode(a, hasValue, n.prefix(), nil, n.count())
	if to == 0 {
		return false
	}
	copy(m[headerBytes+8:], n[headerBytes:n.used()])
	m.setCount(n.count())
	m.setValue(v)
	a.Free(r, n.size())
	t.set(a, at, to)
	return true
}

// addChild gives branch r a child i for the key rest.
func (t *Tree) addChild(a *alloc.Arena, at edge, r alloc.Ref, i int, rest []byte, v uint64) bool {
	child := newLeaf(a, rest[1:], v)
	if child == 0 {
		return false
	}
	n, ok := t.roomFor(a, at, r)
	if !ok {
		freeChain(a, child)
		return false
	}
	n.openSlot(i, rest[0])
	n.setChild(i, child)
	return true
}

// roomFor makes sure that node r has room for one more slot, and returns it.
func (t *Tree) roomFor(a *alloc.Arena, at edge, r alloc.Ref) (node, bool) {
	n := nodeAt(a, r)
	if _, w := n.slots(); n.used()+w+1 <= len(n) {
		return n, true
	}
	to, m := n.resized(a, 1)
	if to == 0 {
		return nil, false
	}
	a.Free(r, n.size())
	t.set(a, at, to)
	return m, true
}

// addToFan gives the key of fan r with the byte b the value v.
func (t *Tree) addToFan(a *alloc.Arena, at edge, r alloc.Ref, b byte, v uint64) (added, ok bool) {
	n := nodeAt(a, r)
	i, found := n.lowerBound(b)
	if found {
		n.setFanValue(i, v)
		return false, true
	}
	if n, ok = t.roomFor(a, at, r); ok {
		n.openSlot(i, b)
		n.setFanValue(i, v)
	}
	return t.inserted(ok)
}

// burst makes fan r a branch of single keys, and returns it, or 0 if there is no memory.
func (t *Tree) burst(a *alloc.Arena, at edge, r alloc.Ref) alloc.Ref {
	n := nodeAt(a, r)
	top, m := newNode(a, 0, n.prefix(), nil, n.count()+1)
	if top == 0 {
		return 0
	}
	for i, b := range n.bytes() {
		leaf := newLeaf(a, n.suffix(), n.fanValue(i))
		if leaf == 0 {
			for j := range i {
				freeChain(a, m.child(j))
			}
			a.Free(top, m.size())
			return 0
		}
		m.openSlot(i, b)
		m.setChild(i, leaf)
	}
	a.Free(r, n.size())
	t.set(a, at, top)
	return top
}

// joinSingle inserts key, all that follows the path to the fan r of one key.
func (t *Tree) joinSingle(a *alloc.Arena, at edge, r alloc.Ref, key []byte, v uint64) (added, ok bool) {
	n := nodeAt(a, r)
	var buf [maxLabel]byte
	old := append(append(append(buf[:0], n.prefix()...), n.bytes()[0]), n.suffix()...)
	was, d := n.fanValue(0), common(old, key)
	if d == len(old) && d == len(key) {
		n.setFanValue(0, v)
		return false, true
	}
	var top alloc.Ref
	if len(key) == len(old) && bytes.Equal(key[d+1:], old[d+1:]) {
		top = newPair(a, old, d, was, key[d], v)
	} else {
		top = forkSingles(a, old, was, key, v, d)
	}
	if top == 0 {
		return false, false
	}
	a.Free(r, n.size())
	t.set(a, at, top)
	return t.inserted(true)
}

// newPair returns a fan of key and a second key that has b in place of byte d.
func newPair(a *alloc.Arena, key []byte, d int, v uint64, b byte, v2 uint64) alloc.Ref {
	r, n := newNode(a, isFan, key[:d], key[d+1:], 2)
	if r == 0 {
		return 0
	}
	n.openSlot(0, key[d])
	n.setFanValue(0, v)
	i, _ := n.lowerBound(b)
	n.openSlot(i, b)
	n.setFanValue(i, v2)
	return r
}

// forkSingles returns a branch of two different keys with d bytes in common.
func forkSingles(a *alloc.Arena, x []byte, vx uint64, y []byte, vy uint64, d int) alloc.Ref {
	if d == len(x) {
		x, vx, y, vy = y, vy, x, vx
	}
	twigs := [2]twig{{x[d], newLeaf(a, x[d+1:], vx)}}
	if twigs[0].r == 0 {
		return 0
	}
	if d < len(y) {
		if twigs[1] = (twig{y[d], newLeaf(a, y[d+1:], vy)}); twigs[1].r == 0 {
			freeChain(a, twigs[0].r)
			return 0
		}
	}
	top := newFork(a, x[:d], twigs, vy)
	if top == 0 {
		freeChain(a, twigs[0].r)
		freeChain(a, twigs[1].r)
	}
	return top
}
