//go:build !invariants

package alloc

// guard is what the invariants build knows of an arena besides.
type guard struct{}

func (g *guard) addSpan(page uint32, slots int) {}
func (g *guard) moveTo(other *guard)            {}

func (a *Arena) enter()                          {}
func (a *Arena) checkView(r Ref, n int)          {}
func (a *Arena) allocChecked(n int) Ref          { return a.alloc(n) }
func (a *Arena) allocLargeZeroChecked(n int) Ref { return a.allocLarge(n, true) }
func (a *Arena) freeChecked(r Ref, n int)        { a.free(r, n) }
func (a *Arena) resizeChecked(r Ref, was, n int) {}

func (a *Arena) checkSpare(uint32) {}
