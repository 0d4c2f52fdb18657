package alloc

import "github.com/shoaldb/shoal/internal/invariants"

// Resize notes that the block r of was bytes is from now on one of n bytes. Both sizes belong to the same
// class, so nothing moves.
func (a *Arena) Resize(r Ref, was, n int) {
	if invariants.Enabled {
		a.resizeChecked(r, was, n)
	}
}
