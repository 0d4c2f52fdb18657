package list

import (
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

func newSpace() *types.Space { return types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1) }

func TestLifeOfAValue(t *testing.T) {
	for _, n := range []int{0, 1, 10, 100_000} {
		t.Run(fmt.Sprintf("elements=%d", n), func(t *testing.T) {
			from, to := newSpace(), newSpace()
			v := New(from)
			for i := range n {
				if !v.PushTail(&types.DefaultLimits, fmt.Appendf(nil, "element %d", i)) {
					t.Fatal("no memory")
				}
			}
			r := v.Root()
			if r.Type != types.List || r.Encoding != types.Quicklist {
				t.Errorf("a %v in encoding %v", r.Type, r.Encoding)
			}
			c, err := Copy(from, r, to)
			if err != nil || Check(to, c) != nil || Len(to, c) != n || Bytes(to, c, 0) != Bytes(from, r, 0) {
				t.Errorf("copy: %v, %v, Len %d, Bytes %d of %d", err, Check(to, c), Len(to, c), Bytes(to, c, 0), Bytes(from, r, 0))
			}
			if got := from.Arena.Stats().Allocated; got != Bytes(from, r, 0) {
				t.Errorf("Bytes is %d, allocated are %d", Bytes(from, r, 0), got)
			}
			steps := 0
			for !FreeStep(from, &r, 10) {
				if steps++; steps > n {
					t.Fatal("FreeStep comes to no end")
				}
			}
			for !FreeStep(to, &c, 1) {
			}
			if left := from.Arena.CountObjects() + to.Arena.CountObjects(); left != 0 {
				t.Errorf("%d blocks are left", left)
			}
		})
	}
}
