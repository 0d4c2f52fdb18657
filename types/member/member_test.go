package member

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
)

func newSpace() *types.Space { return types.NewSpace(alloc.NewArena(alloc.NewHeap()), 42) }

func TestMembersOfEveryLength(t *testing.T) {
	sp := newSpace()
	a := sp.Arena
	var table dict.Table
	lengths := []int{0, 1, 2, 126, 127, 128, 129, 16383, 16384, 2_000_000, 1 << 21}
	refs := map[int]alloc.Ref{}
	for _, n := range lengths {
		name := bytes.Repeat([]byte("x"), n)
		p := Find(sp, &table, name)
		if p.Found() {
			t.Fatalf("a member of %d bytes is there already", n)
		}
		size := Head(n) + 1
		ref := a.Alloc(size)
		if off := Put(a.Bytes(ref, size), name); off != size-1 {
			t.Fatalf("a member of %d bytes takes %d, Head says %d", n, off, size-1)
		}
		if !p.Insert(sp, &table, ref) {
			t.Fatal("no memory")
		}
		refs[n] = ref
	}
	if err := Check(sp, &table); err != nil {
		t.Fatal(err)
	}
	for n, ref := range refs {
		if got := len(Name(a, ref)); got != n || NameHead(a, ref) != Head(n) {
			t.Errorf("a member of %d bytes has %d, and a head of %d", n, got, NameHead(a, ref))
		}
		p := Find(sp, &table, bytes.Repeat([]byte("x"), n))
		if p.Ref != ref || FindRef(sp, &table, ref).Ref != ref {
			t.Fatalf("a member of %d bytes is not found", n)
		}
		p.Remove(sp, &table)
		a.Free(ref, Head(n)+1)
	}
	if table.Len() != 0 || a.Stats().Allocated != 0 {
		t.Errorf("%d members and %d bytes are left", table.Len(), a.Stats().Allocated)
	}
}

// TestHead looks at the room of lengths of up to 2^40: large values must not be tried.
func TestHead(t *testing.T) {
	for bit := range 41 {
		for _, n := range []int{1<<bit - 1, 1 << bit} {
			if want := n + len(binary.AppendUvarint(nil, uint64(n))); Head(n) != want {
				t.Errorf("a member of %d bytes has %d, want %d", n, Head(n), want)
			}
		}
	}
}

func TestReplace(t *testing.T) {
	sp := newSpace()
	a := sp.Arena
	var table dict.Table
	add := func(name string) alloc.Ref {
		ref := a.Alloc(Head(len(name)))
		Put(a.Bytes(ref, Head(len(name))), []byte(name))
		return ref
	}
	for i := range 100 {
		name := fmt.Sprint(i)
		p := Find(sp, &table, []byte(name))
		p.Insert(sp, &table, add(name))
	}
	p := Find(sp, &table, []byte("37"))
	other := add("37")
	p.Replace(other)
	if got := Find(sp, &table, []byte("37")); got.Ref != other {
		t.Fatal("the block was not replaced")
	}
	if err := Check(sp, &table); err != nil {
		t.Fatal(err)
	}
	if Random(sp, &table) == 0 {
		t.Fatal("nothing was drawn")
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	sp := newSpace()
	a := sp.Arena
	var table dict.Table
	name := []byte("member")
	ref := a.Alloc(Head(len(name)))
	Put(a.Bytes(ref, Head(len(name))), name)
	p := Find(sp, &table, name)
	p.Insert(sp, &table, ref)
	if n := testing.AllocsPerRun(100, func() {
		if p := Find(sp, &table, name); p.Ref != ref {
			t.Fatal("not found")
		}
	}); n != 0 && !invariants.Enabled {
		t.Fatalf("%v allocations", n)
	}
}

// Prefetch changes nothing, whatever it is asked for.
func TestPrefetch(t *testing.T) {
	sp := newSpace()
	var table dict.Table
	var names [][]byte
	for i := range 3 * dict.MaxPrefetch {
		names = append(names, fmt.Append(nil, i))
	}
	Prefetch(sp, &table, names)
	for _, name := range names[:dict.MaxPrefetch] {
		p := Find(sp, &table, name)
		ref := sp.Arena.Alloc(Head(len(name)))
		Put(sp.Arena.Bytes(ref, Head(len(name))), name)
		p.Insert(sp, &table, ref)
		Prefetch(sp, &table, names)
		Prefetch(sp, &table, names[2:3])
	}
	if err := Check(sp, &table); err != nil {
		t.Fatal(err)
	}
}
