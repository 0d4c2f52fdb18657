package save

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/disk"
	"github.com/shoaldb/shoal/persist/load"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
)

const nowMS = 1_700_000_000_000

var limits = types.Limits{HashListpackEntries: 128, HashListpackValue: 64, SetIntsetEntries: 512, ZSetListpackEntries: 128, ZSetListpackValue: 64, ListListpackSize: -2, StreamNodeBytes: 4096, StreamNodeEntries: 100}

func newKeyspace() *shard.Keyspace {
	return shard.New(shard.Options{Shards: 8, Databases: 4, Seed: rand.Uint64(), NowMS: nowMS}, alloc.NewHeap())
}

// withKey changes a key as a command does: it has the key saved first.
func withKey(ks *shard.Keyspace, name string, change func(k *shard.Key)) {
	k := ks.Key(0, []byte(name))
	s := k.DB.Shard()
	s.Lock(nowMS)
	k.BeforeWrite()
	change(&k)
	s.Unlock()
}

func setText(ks *shard.Keyspace, name, text string) {
	withKey(ks, name, func(k *shard.Key) { k.DB.SetString(k, []byte(text), shard.SetMode{}) })
}

// setFields gives a hash n fields with this value.
func setFields(ks *shard.Keyspace, name string, n int, text string) {
	withKey(ks, name, func(k *shard.Key) {
		v := hash.New(k.DB.Space())
		for i := range n {
			if _, err := v.Set(&limits, fmt.Appendf(nil, "field:%d", i), []byte(text), 0); err != nil {
				panic(err)
			}
		}
		k.DB.Add(k, v.Root(), shard.SetMode{})
	})
}

// describe returns all keys of database 0 with their values, in order.
func describe(ks *shard.Keyspace) string {
	var all []string
	for i := range ks.Shards() {
		s := ks.Shard(i)
		s.Lock(nowMS)
		for id := range ks.Databases() {
			db := s.DB(id)
			cursor := uint32(0)
			for more := db.Len() > 0; more; more = cursor != 0 {
				cursor = db.Scan(cursor, func(e shard.Entry) {
					all = append(all, fmt.Sprintf("%d %s %s", id, db.Key(e), valueText(db, e)))
				})
			}
		}
		s.Unlock()
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func valueText(db *shard.DB, e shard.Entry) string {
	if e.Type() == types.String {
		var scratch [20]byte
		return string(db.Bytes(e, scratch[:]))
	}
	v := hash.Open(db.Space(), db.Root(e))
	var fields []string
	v.Each(func(field, value hash.Element) bool {
		fields = append(fields, fmt.Sprintf("%s=%s", field.Append(nil), value.Append(nil)))
		return true
	})
	slices.Sort(fields)
	return strings.Join(fields, " ")
}

// taker runs a snapshot with workers of its own.
type taker struct {
	dir    string
	sn     *Snapshot
	wake   []chan struct{}
	result chan error
}

// take makes the cut, at which it calls at, and lets workers work.
func take(t *testing.T, ks *shard.Keyspace, change func(o *Options), at func()) *taker {
	return takeIn(t, ks, change, func(*taker) {
		if at != nil {
			at()
		}
	})
}

func takeIn(t *testing.T, ks *shard.Keyspace, change func(o *Options), at func(x *taker)) *taker {
	x := &taker{dir: t.TempDir(), result: make(chan error, 1)}
	o := Options{Sink: &File{Disk: disk.OS{}, Temp: filepath.Join(x.dir, "temp"), Name: filepath.Join(x.dir, "dump.rdb"), SyncPieces: true}, Info: rdb.Info{RedisVersion: "7.2.4"}, Compress: true, Checksum: true,
		QueueBytes: 64 << 10, Workers: 3, Done: func(err error) { x.result <- err }}
	for range o.Workers {
		x.wake = append(x.wake, make(chan struct{}, 1))
	}
	o.Wake = func() {
		for _, c := range x.wake {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
	if change != nil {
		change(&o)
	}
	ks.LockAll(nowMS)
	x.sn = Start(ks, o)
	at(x)
	ks.UnlockAll()
	for i := range x.wake {
		go x.work(i)
	}
	return x
}

func (x *taker) work(id int) {
	for !x.sn.finished() {
		steps := 0
		for x.sn.Step(id, nowMS, func() bool { steps++; return steps%3 == 0 }) {
		}
		select {
		case <-x.wake[id]:
		case <-time.After(time.Millisecond):
		}
	}
}

func (x *taker) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-x.result:
		return err
	case <-time.After(5 * time.Minute):
		t.Fatal("the snapshot does not end")
		return nil
	}
}

// loaded returns what the file of the snapshot has.
func (x *taker) loaded(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(x.dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	ks := newKeyspace()
	if _, err := load.Load(ks, bytes.NewReader(b), load.Options{Limits: &limits, NowMS: nowMS, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	return describe(ks)
}

func fill(ks *shard.Keyspace) {
	for i := range 3000 {
		setText(ks, fmt.Sprint("text:", i), fmt.Sprint("value ", i))
	}
	for i := range 300 {
		setFields(ks, fmt.Sprint("hash:", i), 1+i%20, "old")
	}
	for i := range 8 {
		setFields(ks, fmt.Sprint("large:", i), 5000, "old")
	}
	setText(ks, "long", strings.Repeat("text ", 50_000))
	setText(ks, "huge", strings.Repeat("text ", 300_000))
}

// change changes keys at random until stop is called.
func change(ks *shard.Keyspace) (stop func()) {
	var done atomic.Bool
	var wg sync.WaitGroup
	for g := range 3 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for i := 0; !done.Load(); i++ {
				text := fmt.Sprint("new ", g, i)
				switch r.IntN(7) {
				case 0:
					setText(ks, fmt.Sprint("text:", r.IntN(4000)), text)
				case 1:
					withKey(ks, fmt.Sprint("text:", r.IntN(4000)), func(k *shard.Key) { k.DB.Delete(k) })
				case 2:
					setFields(ks, fmt.Sprint("hash:", r.IntN(400)), 3, text)
				case 3:
					withKey(ks, fmt.Sprint("hash:", r.IntN(400)), func(k *shard.Key) { changeField(k, r.IntN(20), text) })
				case 4:
					withKey(ks, fmt.Sprint("large:", r.IntN(8)), func(k *shard.Key) { changeField(k, r.IntN(6000), text) })
				case 5:
					withKey(ks, "huge", func(k *shard.Key) { copy(k.DB.Grow(k, k.DB.Find(k), 1_500_000)[r.IntN(1000):], text) })
				case 6:
					if i%50 == 0 {
						ks.LockAll(nowMS)
						ks.SwapDB(2, 3)
						ks.UnlockAll()
					}
				}
			}
		})
	}
	return func() { done.Store(true); wg.Wait() }
}

func changeField(k *shard.Key, i int, text string) {
	e := k.DB.Find(k)
	if !e.Exists() {
		return
	}
	v := hash.Open(k.DB.Space(), k.DB.Root(e))
	if _, err := v.Set(&limits, fmt.Appendf(nil, "field:%d", i), []byte(text), 0); err == nil {
		k.DB.SetRoot(e, v.Root())
	}
}

// TestSnapshot takes snapshots while others change what is in them: each has the state at its cut.
func TestSnapshot(t *testing.T) {
	ks := newKeyspace()
	fill(ks)
	for _, name := range []string{"a", "b"} {
		k := ks.Key(2, []byte(name))
		k.DB.Shard().Lock(nowMS)
		k.DB.SetString(&k, []byte(name), shard.SetMode{})
		k.DB.Shard().Unlock()
	}
	for range 5 {
		var want string
		x := take(t, ks, nil, nil)
		if err := x.wait(t); err != nil {
			t.Fatal(err)
		}
		if got := x.loaded(t); got != describe(ks) {
			t.Fatal("without changes, the file has other data")
		}
		stop := func() {}
		x = take(t, ks, nil, func() {
			ks.UnlockAll()
			want = describe(ks)
			ks.LockAll(nowMS)
			stop = change(ks)
		})
		err := x.wait(t)
		stop()
		if err != nil {
			t.Fatal(err)
		}
		if x.loaded(t) != want {
			t.Fatal("the file has other data than there were at the cut")
		}
	}
}

// TestFailure lets snapshots fail; the next one must be whole.
func TestFailure(t *testing.T) {
	ks := newKeyspace()
	fill(ks)
	f := func(name string, want error, alter func(o *Options), then func(x *taker)) {
		t.Run(name, func(t *testing.T) {
			x := take(t, ks, alter, nil)
			stop := change(ks)
			if then != nil {
				then(x)
			}
			err := x.wait(t)
			stop()
			if err == nil || want != nil && !errors.Is(err, want) {
				t.Errorf("the error is %v", err)
			}
			if left, err := os.ReadDir(x.dir); err != nil || len(left) > 0 {
				t.Errorf("%v is left: %v", left, err)
			}
			x = take(t, ks, nil, nil)
			if err := x.wait(t); err != nil {
				t.Fatal(err)
			}
			if x.loaded(t) != describe(ks) {
				t.Error("the next snapshot has other data")
			}
		})
	}
	slow := func(o *Options) { o.KeyDelayNS = 1e8 } // for minutes, if nothing comes between
	f("the file cannot be made", os.ErrNotExist, func(o *Options) { o.Sink.(*File).Temp += "/x" }, nil)
	f("the file cannot be renamed", os.ErrNotExist, func(o *Options) { o.Sink.(*File).Name += "/x" }, nil)
	f("cancelled", ErrCancelled, slow, func(x *taker) { x.sn.Cancel() })
	flush := func(x *taker, all bool) {
		ks.LockAll(nowMS)
		for i := range ks.Shards() {
			if all {
				ks.Shard(i).FlushAll()
			} else {
				ks.Shard(i).DB(0).Flush()
			}
		}
		ks.UnlockAll()
	}
	f("a database flushed", ErrFlushed, slow, func(x *taker) { flush(x, false) })
	fill(ks)
	f("all flushed", ErrAllFlushed, slow, func(x *taker) { flush(x, true) })
}

// finished tells whether all has been saved.
func (s *Snapshot) finished() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}
