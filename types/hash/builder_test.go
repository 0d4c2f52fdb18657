package hash

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/member"
)

func noPause(int) {}

// A hash that is built has the fields, and takes the memory, of one that was set field by field.
func TestBuilder(t *testing.T) {
	for _, n := range []int{0, 1, 33, 12_345} {
		sp := types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1)
		var b Builder
		if err := b.Begin(sp, n, noPause); err != nil {
			t.Fatal(err)
		}
		one, _ := NewTable(sp, false)
		value := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, i%200) }
		for i := range n {
			if err := b.Add(fmt.Append(nil, "field:", i), value(i)); err != nil {
				t.Fatal(err)
			}
			if _, err := one.Add(fmt.Append(nil, "field:", i), value(i), 0); err != nil {
				t.Fatal(err)
			}
		}
		v, err := b.Finish()
		if err != nil || v.Size() != n {
			t.Fatalf("%d of %d fields: %v", v.Size(), n, err)
		}
		if err := Check(sp, v.Root()); err != nil {
			t.Fatal(err)
		}
		if got, want := v.table.Bytes(), one.table.Bytes(); got != want {
			t.Errorf("%d fields: the table takes %d bytes, built one by one %d", n, got, want)
		}
		for i := range n {
			if e, ok := v.Get(fmt.Append(nil, "field:", i)); !ok || !bytes.Equal(e.Bytes, value(i)) {
				t.Fatalf("field %d is %q", i, e.Bytes)
			}
		}
		v.Free()
		one.Free()
		if left := sp.Arena.CountObjects(); left != 0 {
			t.Fatalf("%d blocks are left", left)
		}
	}
}

func TestBuilderFindsWhatIsThereTwice(t *testing.T) {
	for _, n := range []int{1, 31, 100} {
		sp := types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1)
		var b Builder
		_ = b.Begin(sp, n, noPause)
		for i := range n {
			if err := b.Add(fmt.Append(nil, i), bytes.Repeat([]byte("x"), i)); err != nil {
				t.Fatal(err)
			}
		}
		err := b.Add([]byte("0"), []byte("other"))
		if err == nil {
			_, err = b.Finish()
		}
		if err != member.ErrTwice {
			t.Fatal(err)
		}
		b.Free()
		if left := sp.Arena.CountObjects(); left != 0 {
			t.Fatalf("%d blocks are left", left)
		}
	}
}
