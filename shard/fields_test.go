package shard

import (
	"fmt"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
)

// fieldEvents is an Events that writes down what it hears.
type fieldEvents struct{ list []string }

func (f *fieldEvents) Expired(_ int, key []byte) { f.list = append(f.list, "key "+string(key)) }

func (f *fieldEvents) FieldExpired(_ int, key, field []byte) {
	f.list = append(f.list, string(key)+" "+string(field))
}

func (f *fieldEvents) Evicted(int, []byte) {}

func (f *fieldEvents) FieldsExpired(_ int, key []byte, gone bool) {
	f.list = append(f.list, fmt.Sprint(string(key), " gone ", gone))
}

// fieldsTest is one shard with hashes.
type fieldsTest struct {
	t *testing.T
	*Shard
	events fieldEvents
	limits types.Limits
}

func newFieldsTest(t *testing.T, entries int) *fieldsTest {
	ks := New(Options{Shards: 1, Databases: 2, NowMS: 1_000_000}, alloc.NewHeap())
	f := &fieldsTest{t: t, Shard: ks.Shard(0), limits: types.DefaultLimits}
	f.limits.HashListpackEntries = entries
	ks.Listen(&f.events)
	f.Lock(1_000_000)
	return f
}

// set gives a field of a hash an expiry.
func (f *fieldsTest) set(key, field string, expireMS int64) {
	f.t.Helper()
	k := f.ks.Key(0, []byte(key))
	e := k.DB.LookupWrite(&k)
	v := hash.New(f.space)
	if e.Exists() {
		v = hash.Open(f.space, k.DB.Root(e))
	}
	if _, err := v.Set(&f.limits, []byte(field), []byte("v"), expireMS); err != nil {
		f.t.Fatal(err)
	}
	if e.Exists() {
		k.DB.SetRoot(e, v.Root())
	} else if !k.DB.Add(&k, v.Root(), SetMode{}) {
		f.t.Fatal("no memory")
	}
}

// at lets expire what is due at ms and returns what was heard of.
func (f *fieldsTest) at(ms int64) []string {
	f.t.Helper()
	f.events.list = nil
	f.setNow(ms)
	for f.Due(ms) && f.Expire(3) {
	}
	if err := f.Check(); err != nil {
		f.t.Fatal(err)
	}
	return f.events.list
}

func (f *fieldsTest) want(ms int64, want ...string) {
	f.t.Helper()
	if got := f.at(ms); !slices.Equal(got, want) {
		f.t.Errorf("at %d: %q, want %q", ms, got, want)
	}
}

func TestFieldsExpire(t *testing.T) {
	for _, entries := range []int{512, 0} {
		f := newFieldsTest(t, entries)
		f.set("h", "stays", 0)
		f.set("h", "b", 1_002_000)
		f.set("h", "a", 1_001_000)
		f.set("g", "only", 1_003_000)
		f.want(1_000_500)
		f.want(1_001_008, "h a", "h gone false")
		f.set("h", "b", 1_004_000)
		f.want(1_002_008)
		f.want(1_003_008, "g only", "g gone true")
		f.want(1_004_008, "h b", "h gone false")
		if n := f.DB(0).Len(); n != 1 {
			t.Errorf("%d keys are left", n)
		}
	}
}

func TestManyFieldsExpireInSteps(t *testing.T) {
	f := newFieldsTest(t, 0)
	const n = 10_000
	for i := range n {
		f.set("h", fmt.Sprint(i), 1_001_000)
	}
	f.setNow(1_001_008)
	for steps := 0; f.Due(f.nowMS); steps++ {
		before := len(f.events.list)
		f.Expire(4)
		if d := len(f.events.list) - before; d > 4*(fieldsPerRecord+1) {
			t.Fatalf("one step had %d events", d)
		}
		if steps > n {
			t.Fatal("Expire does not end")
		}
	}
	for f.Tick(100) {
	}
	if f.DB(0).Len() != 0 || f.stats.ExpiredFields != n {
		t.Errorf("%d keys are left, %d fields have expired", f.DB(0).Len(), f.stats.ExpiredFields)
	}
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}

func TestFieldsExpireWhereverTheHashGoes(t *testing.T) {
	f := newFieldsTest(t, 512)
	f.set("h", "a", 1_001_000)
	f.set("h", "b", 0)
	h := f.ks.Key(0, []byte("h"))
	other, far := f.ks.Key(0, []byte("other")), f.ks.Key(1, []byte("far"))
	if !f.ks.Copy(&h, &other) || !f.ks.Move(&h, &far) {
		t.Fatal("no memory")
	}
	got := f.at(1_001_008)
	slices.Sort(got)
	if want := []string{"far a", "far gone false", "other a", "other gone false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The expiry index is not rebuilt again and again for the hashes in it.
func TestIndexOfManyHashesIsRebuiltRarely(t *testing.T) {
	f := newFieldsTest(t, 512)
	rebuilds := 0
	for i := range 20_000 {
		f.set(fmt.Sprint(i), "f", 2_000_000+int64(i))
		before := f.DB(0).expires.rebuilt != nil
		f.Tick(1000)
		if !before && f.DB(0).expires.rebuilt != nil {
			rebuilds++
		}
	}
	for f.Tick(1000) {
	}
	if rebuilds > 10 {
		t.Errorf("%d rebuilds", rebuilds)
	}
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}
