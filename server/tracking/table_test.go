package tracking

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
)

var seed = maphash.MakeSeed()

func hash(b []byte) uint64 { return maphash.Bytes(seed, b) }

func everybody(uint64) bool { return true }

func newTable() *Table { return NewTable(alloc.NewHeap(), hash) }

func (t *Table) add(name string, id uint64, alive func(uint64) bool) bool {
	return t.Add(hash([]byte(name)), []byte(name), id, alive)
}

func (t *Table) take(name string) (ids []uint64) {
	t.Take(hash([]byte(name)), []byte(name), func(id uint64) { ids = append(ids, id) })
	return ids
}

// TestTableModel compares a table with a map.
func TestTableModel(t *testing.T) {
	table, model := newTable(), map[string]map[uint64]bool{}
	r := rand.New(rand.NewPCG(1, 2))
	items := func() (n int) {
		for _, ids := range model {
			n += len(ids)
		}
		return n
	}
	for step := range 100_000 {
		name := fmt.Sprint(r.IntN(3000))
		switch r.IntN(10) {
		case 0, 1:
			if got, want := table.take(name), sorted(model[name]); !slices.Equal(got, want) {
				t.Fatalf("step %d: %v, not %v", step, got, want)
			}
			delete(model, name)
		case 2:
			var got []uint64
			var picked string
			there := table.TakeRandom(r.Uint64, func(name []byte) { picked = string(name) }, func(id uint64) { got = append(got, id) })
			if want := sorted(model[picked]); there != (len(model) > 0) || !slices.Equal(got, want) {
				t.Fatalf("step %d: %q %v, not %v", step, picked, got, want)
			}
			delete(model, picked)
		default:
			id := r.Uint64N(40)
			if !table.add(name, id, everybody) {
				t.Fatal("no memory")
			}
			if model[name] == nil {
				model[name] = map[uint64]bool{}
			}
			model[name][id] = true
		}
		if table.Len() != len(model) || step%1000 == 0 && table.Items() != items() {
			t.Fatalf("step %d: %d keys of %d, %d items of %d", step, table.Len(), len(model), table.Items(), items())
		}
	}
	if err := table.index.Check(table); err != nil {
		t.Error(err)
	}
}

func sorted(set map[uint64]bool) (ids []uint64) {
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// A key that ever new connections read takes no more memory than the present ones need.
func TestTableForgetsTheGone(t *testing.T) {
	table := newTable()
	for id := range uint64(100_000) {
		table.add("key", id, func(other uint64) bool { return other+10 > id })
		if table.Items() > 64 {
			t.Fatalf("%d items", table.Items())
		}
	}
	if ids := table.take("key"); ids[len(ids)-1] != 99_999 {
		t.Errorf("%v", ids)
	}
	if table.Items() != 0 || table.Len() != 0 {
		t.Errorf("%d items, %d keys", table.Items(), table.Len())
	}
}

func TestTableDrop(t *testing.T) {
	table := newTable()
	for i := range 10_000 {
		table.add(fmt.Sprint(i), 1, everybody)
	}
	dropped := table.Drop()
	if table.Len() != 0 || table.Items() != 0 || table.Bytes() != 0 {
		t.Errorf("%d keys, %d items, %d bytes", table.Len(), table.Items(), table.Bytes())
	}
	for !dropped.ReleaseStep(100) {
	}
	table.add("again", 1, everybody)
	if table.Len() != 1 {
		t.Error("not usable any more")
	}
}

func BenchmarkAddTake(b *testing.B) {
	table := newTable()
	names := make([][]byte, 100_000)
	for i := range names {
		names[i] = fmt.Appendf(nil, "key:%012d", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		name := names[i%len(names)]
		h := hash(name)
		table.Add(h, name, uint64(i), everybody)
		if i%2 == 0 {
			table.Take(h, name, func(uint64) {})
		}
	}
}
