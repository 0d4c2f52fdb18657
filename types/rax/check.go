package rax

import (
	"fmt"

	"github.com/shoaldb/shoal/alloc"
)

// Bytes returns the memory that the tree takes, by walking its nodes.
func (t *Tree) Bytes(a *alloc.Arena) int {
	if t.root == 0 {
		return 0
	}
	return bytesBelow(a, t.root)
}

func bytesBelow(a *alloc.Arena, r alloc.Ref) int {
	n := nodeAt(a, r)
	sum := n.size()
	for i := 0; !n.fan() && i < n.count(); i++ {
		sum += bytesBelow(a, n.child(i))
	}
	return sum
}

// Check verifies everything that the tree's nodes promise each other, by walking them.
func (t *Tree) Check(a *alloc.Arena) error {
	keys := 0
	if t.root != 0 {
		var err error
		if keys, err = checkNode(a, t.root); err != nil {
			return err
		}
	}
	if keys != t.Len() {
		return fmt.Errorf("rax: %d keys counted, %d found", t.Len(), keys)
	}
	return nil
}

// checkNode returns the number of keys below r.
func checkNode(a *alloc.Arena, r alloc.Ref) (keys int, err error) {
	n := nodeAt(a, r)
	if n.used() > n.size() || alloc.UsableSize(n.size()) != n.size() {
		return 0, fmt.Errorf("rax: node %d has %d bytes in a block of %d", r, n.used(), n.size())
	}
	set := n.bytes()
	for i := 1; i < len(set); i++ {
		if set[i] <= set[i-1] {
			return 0, fmt.Errorf("rax: node %d: bytes out of order at %d", r, i)
		}
	}
	if n.fan() {
		if n.valued() || n.count() == 0 || int(n[1])+int(n[2]) >= maxLabel {
			return 0, fmt.Errorf("rax: fan %d: flags %d, %d keys, labels %d and %d", r, n[0], n.count(), n[1], n[2])
		}
		return n.count(), nil
	}
	if n.valued() {
		keys = 1
	} else if n.count() == 0 {
		return 0, fmt.Errorf("rax: branch %d is empty", r)
	}
	for i := range n.count() {
		k, err := checkNode(a, n.child(i))
		if err != nil {
			return 0, err
		}
		keys += k
	}
	return keys, nil
}
