package rax

import (
	"bytes"

	"github.com/shoaldb/shoal/alloc"
)

// trail is where a search has come through.
type trail struct {
	at  edge // of the node reached
	cut edge // the lowest edge passed whose parent has something else
	// above is the edge of cut's parent.
	above edge
}

// Delete removes key and returns its value.
func (t *Tree) Delete(a *alloc.Arena, key []byte) (v uint64, ok bool) {
	var w trail
	for r := t.root; r != 0; {
		n := nodeAt(a, r)
		p := n.prefix()
		if !bytes.HasPrefix(key, p) {
			break
		}
		key = key[len(p):]
		if len(key) == 0 {
			if n.valued() {
				v, ok = n.value(), true
				t.removeValue(a, &w, r)
			}
			break
		}
		i := bytes.IndexByte(n.bytes(), key[0])
		if i < 0 {
			break
		}
		if key = key[1:]; n.fan() {
			if bytes.Equal(key, n.suffix()) {
				v, ok = n.fanValue(i), true
				t.removeFromFan(a, &w, r, i)
			}
			break
		}
		if n.count() > 1 || n.valued() {
			w.cut, w.above = edge{r, i}, w.at
		}
		w.at, r = edge{r, i}, n.child(i)
	}
	if ok {
		t.keys--
	}
	return v, ok
}

// removeValue removes the key that ends in branch r.
func (t *Tree) removeValue(a *alloc.Arena, w *trail, r alloc.Ref) {
	n := nodeAt(a, r)
	if n.count() == 0 {
		t.prune(a, w)
		return
	}
	copy(n[headerBytes:], n[headerBytes+8:n.used()])
	n[0] &^= hasValue
	t.tidy(a, w.at, r)
}

// removeFromFan removes key i of fan r.
func (t *Tree) removeFromFan(a *alloc.Arena, w *trail, r alloc.Ref, i int) {
	n := nodeAt(a, r)
	if n.count() == 1 {
		t.prune(a, w)
		return
	}
	n.removeSlot(i)
	t.shrink(a, w.at, r)
}

// prune frees all that leads to the only key below the edge w.cut.
func (t *Tree) prune(a *alloc.Arena, w *trail) {
	parent := w.cut.parent
	if parent == 0 {
		freeChain(a, t.root)
		t.root = 0
		return
	}
	n := nodeAt(a, parent)
	freeChain(a, n.child(w.cut.i))
	n.removeSlot(w.cut.i)
	t.tidy(a, w.above, parent)
}

// tidy joins branch r, which has lost something, with its child if that is all it has.
func (t *Tree) tidy(a *alloc.Arena, at edge, r alloc.Ref) {
	n := nodeAt(a, r)
	if n.count() > 1 || n.valued() {
		t.shrink(a, at, r)
		return
	}
	c := n.child(0)
	child := nodeAt(a, c)
	if int(n[1])+1+int(child[1])+int(child[2]) >= maxLabel {
		return
	}
	var buf [maxLabel]byte
	prefix := append(append(append(buf[:0], n.prefix()...), n.bytes()[0]), child.prefix()...)
	to, _ := child.relabelled(a, prefix)
	if to == 0 {
		return
	}
	a.Free(c, child.size())
	a.Free(r, n.size())
	t.set(a, at, to)
}

// shrink moves node r to a smaller block if half of it is unused.
func (t *Tree) shrink(a *alloc.Arena, at edge, r alloc.Ref) {
	n := nodeAt(a, r)
	if n.used() > len(n)/2 {
		return
	}
	to, _ := n.resized(a, 0)
	if to == 0 {
		return
	}
	a.Free(r, n.size())
	t.set(a, at, to)
}

// FreeStep frees some limit keys and as many nodes of a tree that is not used any more, and gives their values to free, if
// that is not nil. It tells whether nothing is left. Until then nothing else may be done with the tree.
func (t *Tree) FreeStep(a *alloc.Arena, limit int, free func(v uint64)) (done bool) {
	for limit > 0 && t.root != 0 {
		var at edge
		r := t.root
		n := nodeAt(a, r)
		for !n.fan() && n.count() > 0 {
			at = edge{r, n.count() - 1}
			r = n.child(at.i)
			n = nodeAt(a, r)
		}
		limit -= 1 + t.freeValues(n, free)
		a.Free(r, n.size())
		if at.parent == 0 {
			t.root = 0
		} else {
			nodeAt(a, at.parent).setCount(at.i) // its labels are not where they should be, but nobody needs them
		}
	}
	return t.root == 0
}

// freeValues gives the values in n to free and returns their number.
func (t *Tree) freeValues(n node, free func(v uint64)) int {
	c := 0
	switch {
	case n.fan():
		c = n.count()
	case n.valued():
		c = 1
	}
	t.keys -= uint32(c)
	for i := 0; free != nil && i < c; i++ {
		free(n.fanValue(i)) // of a branch, i is 0 and its value is there too
	}
	return c
}
