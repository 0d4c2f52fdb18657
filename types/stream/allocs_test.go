//go:build !invariants

package stream

import "testing"

// TestAllocs is not for the invariants build, whose shadow of the arena takes memory from the Go heap.
func TestAllocs(t *testing.T) {
	m := newModel(t, limits[0])
	id := ID{1700000000000, 0}
	pairs := [][]byte{[]byte("field"), []byte("value"), []byte("n"), []byte("12345")}
	if n := testing.AllocsPerRun(1000, func() {
		id.Seq++
		if m.v.Append(&m.lim, id, pairs) != nil {
			t.Fatal("no memory")
		}
		var it Iter
		for m.v.Range(&it, ID{id.MS, id.Seq - min(id.Seq, 10)}, MaxID, false); it.Next(); {
			it.Field()
		}
	}); n > 0.1 { // the arena's own tables grow
		t.Errorf("%.2f allocations per entry added and read", n)
	}
}
