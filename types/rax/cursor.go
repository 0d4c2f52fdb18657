package rax

import (
	"bytes"

	"github.com/shoaldb/shoal/alloc"
)

const (
	flatFrames = 18 // as many nodes as a key of 16 bytes can pass, and some
	flatKey    = 32
)

// Cursor is a position in a tree, or none. It takes no memory from the Go heap for keys of up to 16 bytes. Any change of the
// tree other than SetValue makes it invalid until it is moved by one of the Seek methods, First or Last.
type Cursor struct {
	t     *Tree
	a     *alloc.Arena
	depth int
	flat  [flatFrames]frame
	deep  []frame // those beyond flat
	n     int     // length of the key
	short [flatKey]byte
	long  []byte // the key, if it is longer than short
}

// frame is a node on the way to the position.
type frame struct {
	node alloc.Ref
	i    int32  // of the slot; -1: the value of the branch
	key  uint32 // length of the path to the node
}

// Cursor returns a cursor at no position.
func (t *Tree) Cursor(a *alloc.Arena) Cursor { return Cursor{t: t, a: a} }

// Valid tells whether c is at a key.
func (c *Cursor) Valid() bool { return c.depth > 0 }

// Key returns the key. It is valid until c moves.
func (c *Cursor) Key() []byte { return c.room(c.n) }

// Value returns the value.
func (c *Cursor) Value() uint64 {
	f := c.top()
	n := nodeAt(c.a, f.node)
	return n.fanValue(max(int(f.i), 0))
}

// SetValue replaces the value.
func (c *Cursor) SetValue(v uint64) {
	f := c.top()
	nodeAt(c.a, f.node).setFanValue(max(int(f.i), 0), v)
}

func (c *Cursor) frame(i int) *frame {
	if i < flatFrames {
		return &c.flat[i]
	}
	return &c.deep[i-flatFrames]
}

func (c *Cursor) top() *frame { return c.frame(c.depth - 1) }

func (c *Cursor) push(f frame) {
	if c.depth < flatFrames {
		c.flat[c.depth] = f
	} else {
		c.deep = append(c.deep[:c.depth-flatFrames], f)
	}
	c.depth++
}

// room returns the first n bytes of the key's buffer.
func (c *Cursor) room(n int) []byte {
	if n <= flatKey && c.long == nil {
		return c.short[:n]
	}
	if n > len(c.long) {
		long := make([]byte, 2*n)
		if c.long == nil {
			copy(long, c.short[:])
		} else {
			copy(long, c.long)
		}
		c.long = long
	}
	return c.long[:n]
}

// spell writes the part of the key that n adds at slot i to the path to n, of at bytes.
func (c *Cursor) spell(n node, at, i int) {
	p, s := n.prefix(), n.suffix()
	if i < 0 {
		c.n = at + len(p)
		copy(c.room(c.n)[at:], p)
		return
	}
	c.n = at + len(p) + 1 + len(s)
	k := c.room(c.n)[at:]
	copy(k, p)
	k[len(p)] = n.bytes()[i]
	copy(k[len(p)+1:], s)
}

func (c *Cursor) clear() { c.depth, c.n = 0, 0 }

// First goes to the first key and tells whether there is one.
func (c *Cursor) First() bool {
	c.clear()
	return c.t.root != 0 && c.descend(c.t.root, false)
}

// Last goes to the last key and tells whether there is one.
func (c *Cursor) Last() bool {
	c.clear()
	return c.t.root != 0 && c.descend(c.t.root, true)
}

// descend goes to the first key of the subtree r, or the last one.
func (c *Cursor) descend(r alloc.Ref, last bool) bool {
	for {
		n := nodeAt(c.a, r)
		i := 0
		switch {
		case last:
			i = n.count() - 1 // -1 if there is only a value
		case n.valued():
			i = -1
		}
		at := c.n
		c.push(frame{r, int32(i), uint32(at)})
		c.spell(n, at, i)
		if n.fan() || i < 0 {
			return true
		}
		r = n.child(i)
	}
}

// Next goes to the next key. At the last one, c is at no key afterwards.
func (c *Cursor) Next() bool {
	for c.depth > 0 {
		f := c.top()
		n := nodeAt(c.a, f.node)
		if int(f.i)+1 < n.count() {
			f.i++
			c.spell(n, int(f.key), int(f.i))
			return n.fan() || c.descend(n.child(int(f.i)), false)
		}
		c.depth--
	}
	c.n = 0
	return false
}

// Prev goes to the previous key. At the first one, c is at no key afterwards.
func (c *Cursor) Prev() bool {
	for c.depth > 0 {
		f := c.top()
		n := nodeAt(c.a, f.node)
		if f.i > 0 || f.i == 0 && n.valued() {
			f.i--
			c.spell(n, int(f.key), int(f.i))
			return n.fan() || f.i < 0 || c.descend(n.child(int(f.i)), true)
		}
		c.depth--
	}
	c.n = 0
	return false
}

// SeekGE goes to the first key that is not below key, and tells whether there is one.
func (c *Cursor) SeekGE(key []byte) bool {
	ok, _ := c.seek(key)
	return ok
}

// SeekGT goes to the first key above key.
func (c *Cursor) SeekGT(key []byte) bool {
	ok, equal := c.seek(key)
	if equal {
		return c.Next()
	}
	return ok
}

// SeekLE goes to the last key that is not above key.
func (c *Cursor) SeekLE(key []byte) bool {
	ok, equal := c.seek(key)
	if equal {
		return true
	}
	if !ok {
		return c.Last()
	}
	return c.Prev()
}

// seek is SeekGE; it also tells whether the key is there.
func (c *Cursor) seek(key []byte) (ok, equal bool) {
	c.clear()
	r := c.t.root
	for r != 0 {
		n := nodeAt(c.a, r)
		p := n.prefix()
		d := common(p, key)
		if d < len(p) {
			if d == len(key) || p[d] > key[d] {
				return c.descend(r, false), false
			}
			return c.Next(), false // pops, as all of r is below key
		}
		if key = key[d:]; len(key) == 0 {
			return c.descend(r, false), n.valued()
		}
		i, found := n.lowerBound(key[0])
		key = key[1:]
		at := c.n
		if !found || n.fan() {
			// Stand before slot i, or at it, and let Next find what follows.
			order := 1
			if found {
				order = bytes.Compare(n.suffix(), key)
			}
			if order < 0 {
				i++
			}
			c.push(frame{r, int32(i) - 1, uint32(at)})
			return c.Next(), order == 0
		}
		c.push(frame{r, int32(i), uint32(at)})
		c.spell(n, at, i)
		r = n.child(i)
	}
	return false, false
}
