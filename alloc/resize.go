package alloc

import "github.com/shoaldb/shoal/internal/invariants"

// Resize notes that the block r of was bytes counts as one of n bytes from now on, which is
// what Free must be told. Nothing moves, so UsableSize of both must be the same.
func (a *Arena) Resize(r Ref, was, n int) {
	if invariants.Enabled {
		a.resizeChecked(r, was, n)
	}
}
