//go:build !invariants

package alloc

// guard holds what the invariants build knows of an arena besides.
type guard struct{}

func (a *Arena) shadowSpan(page uint32, slots int) {}
func (a *Arena) checkView(r Ref, n int)            {}
func (a *Arena) allocChecked(n int) Ref            { return a.alloc(n) }
func (a *Arena) allocLargeZeroChecked(n int) Ref   { return a.allocLarge(n, true) }
func (a *Arena) freeChecked(r Ref, n int)          { a.free(r, n) }
func (a *Arena) resizeChecked(r Ref, was, n int)   {}
