package shard

import (
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

func TestMemberTableIsFoundInEveryEncoding(t *testing.T) {
	for _, c := range []struct {
		entries  int
		expireMS int64
		want     types.Encoding
		table    bool
	}{
		{512, 0, types.Listpack, false}, {512, 2_000_000, types.ListpackEx, false},
		{0, 0, types.Hashtable, true}, {0, 2_000_000, types.HashtableEx, true},
	} {
		f := newFieldsTest(t, c.entries)
		var names [][]byte
		n := 10
		if c.table {
			n = worthPrefetching
		}
		for i := range n {
			names = append(names, fmt.Append(nil, i))
			f.set("h", fmt.Sprint(i), c.expireMS)
		}
		k := f.ks.Key(0, []byte("h"))
		e := k.DB.Find(&k)
		if e.Encoding() != c.want {
			t.Fatalf("encoding %v, want %v", e.Encoding(), c.want)
		}
		table, ok := k.DB.memberTable(e)
		if ok != c.table || ok && table.Len() != len(names) {
			t.Errorf("encoding %v: a table %v, of %d", c.want, ok, table.Len())
		}
		k.DB.PrefetchMembers(&k, append(names, []byte("none")))
		none := f.ks.Key(0, []byte("none"))
		none.DB.PrefetchMembers(&none, names)
		if err := f.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestPeekValuesNamesTheFirstBlock(t *testing.T) {
	for _, c := range []struct {
		entries  int
		expireMS int64 // of the key
	}{{512, 0}, {512, 3_000_000}, {0, 0}, {0, 3_000_000}} {
		f := newFieldsTest(t, c.entries)
		f.set("h", "field", 0)
		k := f.ks.Key(0, []byte("h"))
		e, ok := k.DB.SetExpire(&k, k.DB.Find(&k), c.expireMS)
		if !ok {
			t.Fatal("no memory")
		}
		data := k.DB.Root(e).Data
		ref := uint32(data.Lo)
		if c.entries == 0 {
			ref = uint32(data.Hi)
		}
		got := k.PeekValues(k.PeekEntries(k.Peek(), nil), nil)
		if len(got) != 1 || got[0] != f.arena.Addr(alloc.Ref(ref)) {
			t.Errorf("%+v: %#x, want %#x", c, got, f.arena.Addr(alloc.Ref(ref)))
		}
	}
	f := newFieldsTest(t, 0)
	k := f.ks.Key(0, []byte("s"))
	if !k.DB.SetText(&k, []byte("short"), SetMode{}) {
		t.Fatal("no memory")
	}
	if got := k.PeekValues(k.PeekEntries(k.Peek(), nil), nil); len(got) != 0 {
		t.Errorf("a short string has a block: %#x", got)
	}
}
