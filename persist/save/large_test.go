package save

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/persist/load"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/stream"
	"github.com/shoaldb/shoal/types/zset"
)

// The tests below change large values of every type while they are saved.

// dumps returns every key with its value: as DUMP has it, but with members in order.
func dumps(t *testing.T, ks *shard.Keyspace) map[string]string {
	t.Helper()
	all := map[string]string{}
	for i := range ks.Shards() {
		s := ks.Shard(i)
		s.Lock(nowMS)
		for id := range ks.Databases() {
			db := s.DB(id)
			cursor := uint32(0)
			for more := db.Len() > 0; more; more = cursor != 0 {
				cursor = db.Scan(cursor, func(e shard.Entry) {
					all[fmt.Sprintf("%d %s", id, db.Key(e))] = dumpOf(db, e)
				})
			}
		}
		s.Unlock()
	}
	return all
}

func dumpOf(db *shard.DB, e shard.Entry) string {
	if e.Type() == types.String {
		return valueText(db, e)
	}
	sp, r := db.Space(), db.Root(e)
	var parts []string
	switch e.Type() {
	case types.Set:
		v := set.Open(sp, r)
		var b set.Batch
		for it := v.Iter(); it.Next(&b); {
			for _, m := range b.Members() {
				parts = append(parts, string(m.Append(nil)))
			}
		}
		slices.Sort(parts)
	case types.Hash:
		v := hash.Open(sp, r)
		v.Each(func(field, value hash.Element) bool {
			name := field.Append(nil)
			expireMS, _ := v.ExpireMS(name)
			parts = append(parts, fmt.Sprintf("%s=%s@%d", name, value.Append(nil), expireMS))
			return true
		})
		slices.Sort(parts)
	case types.ZSet:
		v := zset.Open(sp, r)
		for it := v.Ascend(0, v.Len()); ; {
			m, score, ok := it.Next()
			if !ok {
				break
			}
			parts = append(parts, fmt.Sprintf("%s:%v", m.Append(nil), score))
		}
	case types.List:
		v := list.Open(sp, r)
		for it := v.From(0); it.OK(); it.Next() {
			e := it.Element()
			parts = append(parts, string(e.Append(nil)))
		}
	case types.Stream:
		var enc rdb.Encoder
		enc.Start(sp, r)
		b, more := []byte(nil), true
		for more {
			b, more = enc.Step(b, 1<<16)
		}
		return string(b)
	}
	return strings.Join(parts, " ")
}

// check compares two results of dumps.
func check(t *testing.T, got, want map[string]string) {
	t.Helper()
	for k, v := range want {
		g, is := got[k]
		switch {
		case !is:
			t.Errorf("%s is missing", k)
		case g != v:
			i := 0
			for i < len(g) && i < len(v) && g[i] == v[i] {
				i++
			}
			t.Errorf("%s is another one: %d bytes instead of %d, from %d on %.60q instead of %.60q", k, len(g), len(v), i, g[i:], v[i:])
		}
	}
	for k := range got {
		if _, is := want[k]; !is {
			t.Errorf("%s was not there", k)
		}
	}
}

func (x *taker) dumps(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(x.dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	ks := newKeyspace()
	if _, err := load.Load(ks, bytes.NewReader(b), load.Options{Limits: &limits, NowMS: nowMS, Workers: 2}); err != nil {
		t.Fatal(err)
	}
	return dumps(t, ks)
}

const (
	kinds      = 8
	longString = 7 // the one that is no collection
)

// names of large values; some are in one shard, for RENAME.
func largeName(kind, i int) string { return fmt.Sprintf("large:%d:%d:{%d}", kind, i, i) }

// create makes the value of a kind with n members.
func create(k *shard.Key, kind, n int) {
	sp := k.DB.Space()
	lim := limits
	var r types.Root
	switch kind {
	case 0:
		v := set.New(sp)
		for i := range n {
			must2(v.Add(&lim, fmt.Appendf(nil, "member:%d", i)))
		}
		r = v.Root()
	case 1, 2:
		v := hash.New(sp)
		for i := range n {
			ms := int64(0)
			if kind == 2 && i%3 == 0 {
				ms = nowMS + 1e6 + int64(i)
			}
			must2(v.Set(&lim, fmt.Appendf(nil, "field:%d", i), fmt.Appendf(nil, "value %d", i), ms))
		}
		r = v.Root()
	case 3:
		v := zset.New(sp)
		for i := range n {
			_, _, err := v.Add(&lim, fmt.Appendf(nil, "member:%d", i), float64(i%97), 0)
			must2(0, err)
		}
		r = v.Root()
	case 4, 5:
		if kind == 5 {
			lim.ListCompressDepth = 1
		}
		v := list.New(sp)
		for i := range n {
			v.PushTail(&lim, fmt.Appendf(nil, "element of the list %d", i))
		}
		r = v.Root()
	case 6:
		v, _ := stream.New(sp)
		for i := range n {
			must2(0, v.Append(&lim, stream.ID{MS: uint64(i + 1)}, [][]byte{[]byte("field"), fmt.Appendf(nil, "value %d", i)}))
		}
		for _, name := range []string{"group", "other group", "third"} {
			g, _ := v.AddGroup([]byte(name), stream.ID{MS: uint64(n / 2)}, int64(n/2))
			a, _ := g.AddConsumer([]byte("consumer"), nowMS)
			b, _ := g.AddConsumer([]byte("second"), nowMS)
			for i := range n / 2 {
				g.Deliver(stream.ID{MS: uint64(i + 1)}, []stream.Consumer{a, b}[i%2], nowMS)
			}
		}
		r = v.Root()
	case longString:
		k.DB.SetString(k, bytes.Repeat([]byte("a string "), mostPacked/9+n), shard.SetMode{})
		return
	}
	k.DB.Add(k, r, shard.SetMode{})
}

func must2[T any](_ T, err error) {
	if err != nil {
		panic(err)
	}
}

// alter changes some members of the value of a kind, or all of it.
func alter(r *rand.Rand, ks *shard.Keyspace, kind, i int) {
	withKey(ks, largeName(kind, i), func(k *shard.Key) {
		n := 1 + r.IntN(20)
		switch r.IntN(60) {
		case 0:
			k.DB.Delete(k)
			return
		case 1:
			create(k, kind, 1+r.IntN(5000))
			return
		case 2:
			if k.DB.Find(k).Exists() {
				to := ks.Key(1, []byte(largeName(kind, i)))
				to.BeforeWrite()
				ks.Move(k, &to)
			}
			return
		case 3:
			from := ks.Key(1, []byte(largeName(kind, i)))
			from.BeforeWrite()
			if from.DB.Find(&from).Exists() {
				ks.Move(&from, k)
			}
			return
		case 4:
			n = 3000
		}
		mutateKey(r, k, kind, n)
	})
}

// mutateKey changes about n members of the value of a kind, if it is there.
func mutateKey(r *rand.Rand, k *shard.Key, kind, n int) {
	e := k.DB.Find(k)
	switch {
	case !e.Exists():
		return
	case kind == longString:
		mutateString(r, k, e, n)
		return
	}
	root, empty := mutate(r, k, e, kind, n)
	k.DB.SetRoot(e, root)
	if empty {
		k.DB.Delete(k)
	}
}

func mutateString(r *rand.Rand, k *shard.Key, e shard.Entry, n int) {
	for range min(n, 20) {
		at, text := r.IntN(k.DB.StrLen(e)+1000), "some text"
		b := k.DB.Grow(k, e, at+len(text))
		k.Changing(at, at+len(text))
		copy(b[at:], text)
		k.DB.Modified(k)
		e = k.DB.Find(k)
	}
}

// mutate changes about n members.
func mutate(r *rand.Rand, k *shard.Key, e shard.Entry, kind, n int) (root types.Root, empty bool) {
	sp, was := k.DB.Space(), k.DB.Root(e)
	lim := limits
	text := fmt.Appendf(nil, "new %d", r.IntN(1e6))
	switch kind {
	case 0:
		v := set.Open(sp, was)
		for range n {
			m := fmt.Appendf(nil, "member:%d", r.IntN(10000))
			if r.IntN(3) > 0 {
				v.Remove(m)
			} else {
				must2(v.Add(&lim, m))
			}
		}
		if r.IntN(5) == 0 {
			v.Pop(min(n, v.Len()), func(hash.Element) {}, func(int) {})
		}
		return v.Root(), v.Len() == 0
	case 1, 2:
		v := hash.Open(sp, was)
		for range n {
			m := fmt.Appendf(nil, "field:%d", r.IntN(10000))
			switch r.IntN(4) {
			case 0:
				must2(v.Delete(m))
			case 1:
				if _, is := v.ExpireMS(m); is {
					must2(0, v.SetExpire(m, nowMS+1e6+r.Int64N(1e6)))
				}
			default:
				must2(v.Set(&lim, m, text, hash.KeepTTL))
			}
		}
		return v.Root(), v.Size() == 0
	case 3:
		v := zset.Open(sp, was)
		for range n {
			m := fmt.Appendf(nil, "member:%d", r.IntN(10000))
			if r.IntN(4) == 0 {
				must2(v.Remove(m))
			} else {
				_, _, err := v.Add(&lim, m, float64(r.IntN(200)-50), 0)
				must2(0, err)
			}
		}
		if r.IntN(10) == 0 {
			from := r.IntN(v.Len() + 1)
			must2(0, v.RemoveRange(from, min(from+n, v.Len())))
		}
		return v.Root(), v.Len() == 0
	case 4, 5:
		if kind == 5 {
			lim.ListCompressDepth = 1
		}
		v := list.Open(sp, was)
		mutateList(r, &v, &lim, n, text)
		return v.Root(), v.Len() == 0
	}
	v := stream.Open(sp, was)
	mutateStream(r, k, &v, &lim, n)
	return v.Root(), false
}

func mutateList(r *rand.Rand, v *list.Value, lim *types.Limits, n int, text []byte) {
	for range min(n, 50) {
		if v.Len() == 0 {
			return
		}
		at := r.IntN(v.Len())
		switch r.IntN(9) {
		case 0:
			v.PushHead(lim, text)
		case 1:
			v.PushTail(lim, text)
		case 2:
			v.Pop(lim, true)
		case 3:
			v.Pop(lim, false)
		case 4:
			v.Replace(lim, at, text)
		case 5:
			v.Insert(lim, at, text)
		case 6:
			v.Delete(lim, at, 1+r.IntN(n))
		case 7:
			v.Remove(lim, fmt.Appendf(nil, "element of the list %d", r.IntN(5000)), 1, r.IntN(2) == 0, func(int) {})
		case 8:
			v.Replace(lim, at, bytes.Repeat(text, 1000))
		}
	}
}

func mutateStream(r *rand.Rand, k *shard.Key, v *stream.Value, lim *types.Limits, n int) {
	for range min(n, 300) {
		id := stream.ID{MS: uint64(1 + r.IntN(6000))}
		switch r.IntN(6) {
		case 0, 1:
			must2(0, v.Append(lim, stream.ID{MS: v.Last().MS + 1}, [][]byte{[]byte("field"), fmt.Appendf(nil, "%d", r.Uint64())}))
		case 2:
			must2(v.Delete(id))
		case 3:
			if r.IntN(10) == 0 {
				v.Trim(stream.Trim{ByID: true, MinID: id, Approx: r.IntN(2) == 0})
			}
		case 4, 5:
			mutateGroup(r, k, v, []byte([]string{"group", "other group", "third", "new"}[r.IntN(4)]), id)
		}
	}
}

// mutateGroup changes the group called name, or what it knows of the entry id.
func mutateGroup(r *rand.Rand, k *shard.Key, v *stream.Value, name []byte, id stream.ID) {
	g, ok := v.Group(name)
	switch {
	case !ok:
		v.AddGroup(name, id, 0)
		return
	case r.IntN(100) == 0:
		root, _ := v.RemoveGroup(name)
		k.DB.FreeRoot(root)
		return
	}
	who := []byte([]string{"consumer", "second", "new"}[r.IntN(3)])
	c, ok := g.Consumer(who)
	switch {
	case !ok:
		c, _ = g.AddConsumer(who, nowMS)
	case r.IntN(100) == 0:
		g.RemoveConsumer(c)
		return
	}
	c.SetSeen(nowMS + r.Int64N(1000))
	g.SetLast(id)
	d, pending := g.Delivery(id)
	switch n := r.IntN(3); {
	case !pending:
		g.Deliver(id, c, nowMS)
	case n == 0:
		g.Forget(id)
	case n == 1:
		g.Assign(id, &d, c)
	default:
		d.Set(nowMS+r.Int64N(1000), d.Count()+1)
	}
}

// rounds is how often a test goes round: n times, but under the race detector, which each makes minutes of, once.
func rounds(n int) int {
	if oracle.RaceDetector {
		return 1
	}
	return n
}

// TestLarge takes snapshots of large values while all their members change, and whole values go, come and move.
func TestLarge(t *testing.T) {
	const each = 3
	ks := newKeyspace()
	for round := range rounds(3) {
		for kind := range kinds {
			for i := range each {
				withKey(ks, largeName(kind, i), func(k *shard.Key) { create(k, kind, 4000+500*i) })
			}
		}
		var want map[string]string
		var done atomic.Bool
		var wg sync.WaitGroup
		x := take(t, ks, func(o *Options) { o.Dir = t.TempDir() }, func() {
			ks.UnlockAll()
			want = dumps(t, ks)
			ks.LockAll(nowMS)
			for g := range 2 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(uint64(round), uint64(g)))
					for !done.Load() {
						alter(r, ks, r.IntN(kinds), r.IntN(each))
					}
				})
			}
		})
		err := x.wait(t)
		done.Store(true)
		wg.Wait()
		if err != nil {
			t.Fatal(err)
		}
		check(t, x.dumps(t), want)
		checkAll(t, ks)
		if t.Failed() {
			return
		}
	}
}

// checkAll verifies all data, and that nothing is watched any more.
func checkAll(t *testing.T, ks *shard.Keyspace) {
	t.Helper()
	for i := range ks.Shards() {
		s := ks.Shard(i)
		s.Lock(nowMS)
		if s.DB(0).Space().Watched() {
			t.Errorf("shard %d: there are watchers", i)
		}
		for s.Tick(1000) {
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		s.Unlock()
	}
}

// TestEarly changes every member between the cut and the first step, so that all of them are saved by who changes them.
func TestEarly(t *testing.T) {
	ks := newKeyspace()
	for kind := range kinds {
		withKey(ks, largeName(kind, 0), func(k *shard.Key) { create(k, kind, 4000*rounds(5)) })
	}
	want := dumps(t, ks)
	x := take(t, ks, func(o *Options) { o.Dir = t.TempDir() }, func() {
		ks.UnlockAll()
		for kind := range kinds {
			r := rand.New(rand.NewPCG(1, uint64(kind)))
			for range 100 * rounds(3) {
				alter(r, ks, kind, 0)
			}
			for range 10 * rounds(3) {
				withKey(ks, largeName(kind, 0), func(k *shard.Key) { mutateKey(r, k, kind, 3000) })
			}
		}
		ks.LockAll(nowMS)
	})
	if err := x.wait(t); err != nil {
		t.Fatal(err)
	}
	check(t, x.dumps(t), want)
	checkAll(t, ks)
}

// longName is the name of a very long member, and a part of a very long element.
func longName(i int) []byte {
	return append(fmt.Appendf(nil, "long %d ", i), bytes.Repeat([]byte{byte('a' + i)}, mostPacked)...)
}

// addLong adds very long elements to the value of a kind.
func addLong(k *shard.Key, kind int) {
	sp, e := k.DB.Space(), k.DB.Find(k)
	was := k.DB.Root(e)
	lim := limits
	for i := range 3 {
		switch kind {
		case 0:
			v := set.Open(sp, was)
			must2(v.Add(&lim, longName(i)))
			was = v.Root()
		case 1, 2:
			v := hash.Open(sp, was)
			name, value := fmt.Appendf(nil, "field:%d", i), longName(i)
			if i == 2 {
				name, value = value, name
			}
			must2(v.Set(&lim, name, value, int64(kind-1)*(nowMS+1e6)))
			was = v.Root()
		case 3:
			v := zset.Open(sp, was)
			_, _, err := v.Add(&lim, longName(i), 40, 0)
			must2(0, err)
			was = v.Root()
		case 4, 5:
			v := list.Open(sp, was)
			v.Insert(&lim, v.Len()/2, longName(i))
			was = v.Root()
		case 6:
			v := stream.Open(sp, was)
			must2(0, v.Append(&lim, stream.ID{MS: v.Last().MS + 1}, [][]byte{[]byte("field"), longName(i)}))
			was = v.Root()
		}
	}
	k.DB.SetRoot(e, was)
}

// changeLong removes or replaces a very long element.
func changeLong(r *rand.Rand, k *shard.Key, kind int) {
	sp, e, i := k.DB.Space(), k.DB.Find(k), r.IntN(3)
	if !e.Exists() {
		return
	}
	was := k.DB.Root(e)
	lim := limits
	switch kind {
	case 0:
		v := set.Open(sp, was)
		v.Remove(longName(i))
		was = v.Root()
	case 1, 2:
		v := hash.Open(sp, was)
		must2(v.Set(&lim, fmt.Appendf(nil, "field:%d", i), []byte("short"), hash.KeepTTL))
		must2(v.Delete(longName(2)))
		was = v.Root()
	case 3:
		v := zset.Open(sp, was)
		_, _, err := v.Add(&lim, longName(i), float64(r.IntN(100)), 0)
		must2(0, err)
		was = v.Root()
	case 4, 5:
		v := list.Open(sp, was)
		at := v.Len()/2 - 1 + i
		if at >= 0 && at < v.Len() {
			v.Replace(&lim, at, []byte("short"))
		}
		was = v.Root()
	case 6:
		v := stream.Open(sp, was)
		must2(v.Delete(stream.ID{MS: v.Last().MS - uint64(i)}))
		was = v.Root()
	}
	k.DB.SetRoot(e, was)
}

// TestLongElements changes values with elements that are saved in pieces: other elements first, and then these, while
// one of them is being saved.
func TestLongElements(t *testing.T) {
	for kind := range longString {
		for round := range rounds(2) {
			ks := newKeyspace()
			withKey(ks, largeName(kind, 0), func(k *shard.Key) { create(k, kind, 1500); addLong(k, kind) })
			want := dumps(t, ks)
			r := rand.New(rand.NewPCG(uint64(round), uint64(kind)))
			x := takeIn(t, ks, func(o *Options) { o.Dir, o.QueueBytes = t.TempDir(), 64<<20 }, func(x *taker) {
				ks.UnlockAll()
				for pieces, over := 0, false; pieces < 3*(1+round) && !over; {
					for id := range 3 {
						x.sn.Step(id, nowMS, func() bool { return true })
					}
					withKey(ks, largeName(kind, 0), func(k *shard.Key) {
						j, watches := k.BeforeWrite().(largeJob)
						if over = !watches; watches && len(j.base().tail) > 0 {
							pieces++
						}
					})
				}
				for i := range 6 {
					withKey(ks, largeName(kind, 0), func(k *shard.Key) { mutateKey(r, k, kind, 5) })
					if i > 2 {
						withKey(ks, largeName(kind, 0), func(k *shard.Key) { changeLong(r, k, kind) })
					}
				}
				ks.LockAll(nowMS)
			})
			if err := x.wait(t); err != nil {
				t.Fatal(err)
			}
			check(t, x.dumps(t), want)
			checkAll(t, ks)
		}
	}
}
