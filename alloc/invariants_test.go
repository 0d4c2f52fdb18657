package alloc

import (
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/invariants"
)

// TestMisuseIsCaught shows what the invariants build finds. Without the tag there is nothing
// to see: misuse then is undefined.
func TestMisuseIsCaught(t *testing.T) {
	if !invariants.Enabled {
		return
	}
	f := func(want string, misuse func(a *Arena, r Ref)) {
		t.Helper()
		a := NewArena(NewHeap())
		r := a.Alloc(100)
		defer func() {
			t.Helper()
			if msg, _ := recover().(string); !strings.Contains(msg, want) {
				t.Errorf("panic %q, want %q", msg, want)
			}
		}()
		misuse(a, r)
	}
	f("freed twice", func(a *Arena, r Ref) { a.Free(r, 100); a.Free(r, 100) })
	f("freed as 101", func(a *Arena, r Ref) { a.Free(r, 101) })
	f("from its middle", func(a *Arena, r Ref) { a.Free(r+1, 92) })
	f("was freed", func(a *Arena, r Ref) { a.Free(r, 100); a.Bytes(r, 1) })
	f("exceed", func(a *Arena, r Ref) { a.Bytes(r, 101) })
	f("exceed", func(a *Arena, r Ref) { At[[101]byte](a, r) })
	f("exceed", func(a *Arena, r Ref) { At[[2]uint64](a, r+12) })
	f("was freed", func(a *Arena, r Ref) { a.Bytes(r+13, 1) })
	f("nil or beyond", func(a *Arena, r Ref) { a.Bytes(0, 0) })
	f("nil or beyond", func(a *Arena, r Ref) { a.Bytes(1<<30, 0) })
	f("was freed", func(a *Arena, r Ref) {
		large := a.Alloc(200 << 10)
		a.Bytes(large+Ref(150<<10>>granuleShift), 50<<10) // inside is fine
		a.Free(large, 200<<10)
		a.Bytes(large+Ref(150<<10>>granuleShift), 1)
	})
	f("written after Free", func(a *Arena, r Ref) {
		b := a.Bytes(r, 100)
		a.Free(r, 100)
		b[50] = 1
		a.Alloc(100)
	})
	f("freed as 100", func(a *Arena, r Ref) { a.Resize(r, 100, 101); a.Free(r, 100) })
	f("changes the class", func(a *Arena, r Ref) { a.Resize(r, 100, 200) })
	f("two goroutines", func(a *Arena, r Ref) { a.enter(); a.Alloc(1) })
}
