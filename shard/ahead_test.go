package shard

import (
	"fmt"
	"testing"

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
