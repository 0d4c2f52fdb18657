package shard

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
)

const testStartMS = 1_700_000_000_000

// newTest returns a locked keyspace of n shards.
func newTest(t testing.TB, n int) *Keyspace {
	ks := New(Options{Shards: n, Databases: 16, Seed: 42, NowMS: testStartMS}, alloc.NewHeap())
	ks.LockAll(testStartMS)
	return ks
}

func setKey(t testing.TB, ks *Keyspace, name, value string, expireMS int64) {
	t.Helper()
	k := ks.Key(0, []byte(name))
	if !k.DB.SetString(&k, []byte(value), SetMode{ExpireMS: expireMS}) {
		t.Fatal("no memory")
	}
}

func exists(ks *Keyspace, name string) bool {
	k := ks.Key(0, []byte(name))
	return k.DB.Find(&k).Exists()
}

func checkShard(t testing.TB, s *Shard) {
	t.Helper()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
}

// relock gives the shard the time nowMS.
func relock(s *Shard, nowMS int64) {
	s.Unlock()
	s.Lock(nowMS)
}

func TestHashTagsChooseTheShard(t *testing.T) {
	ks := newTest(t, 64)
	shardOf := func(name string) int { k := ks.Key(0, []byte(name)); return k.DB.Shard().Index() }
	f := func(a, b string, same bool) {
		t.Helper()
		if got := shardOf(a) == shardOf(b); got != same {
			t.Errorf("%q and %q in one shard: %v", a, b, got)
		}
	}
	f("{user}1", "{user}2", true)
	f("{user}1", "user", true)
	f("a{user}b{x}", "c{user}", true)
	f("{}user", "{}user2", false) // an empty tag is none
	f("{user", "{user2", false)
	f("a}{user}", "user", true)
	used := map[int]bool{}
	for i := range 2000 {
		used[shardOf(strconv.Itoa(i))] = true
	}
	if len(used) != 64 {
		t.Errorf("2000 keys use %d shards of 64", len(used))
	}
}

func TestExpiryIndexIsRebuilt(t *testing.T) {
	ks := newTest(t, 1)
	s := ks.Shard(0)
	for i := range 500 {
		setKey(t, ks, fmt.Sprint("key", i), "v", testStartMS+3_600_000)
	}
	// Each round leaves a stale record behind.
	for i := range 10_000 {
		setKey(t, ks, "one", "v", 0)
		setKey(t, ks, "one", "v", testStartMS+1_000_000+int64(i))
	}
	db := s.DB(0)
	if db.expires.wheel.Len() < 5000 || !db.rebuildDue() {
		t.Fatalf("%d records", db.expires.wheel.Len())
	}
	for i := 0; s.Tick(1); i++ {
		checkShard(t, s)
		setKey(t, ks, fmt.Sprint("new", i), "v", testStartMS+int64(i)*1000+100)
		setKey(t, ks, fmt.Sprint("key", i), "v", testStartMS+10_000)
	}
	if n, _ := db.Expires(); db.expires.wheel.Len() > 2*n+100 || db.expires.rebuilt != nil {
		t.Fatalf("%d records for %d keys", db.expires.wheel.Len(), n)
	}
	relock(s, testStartMS+10_000_000)
	for s.Expire(100) {
	}
	checkShard(t, s)
	if db.Len() != 0 || db.expires.wheel.Len() != 0 {
		t.Fatalf("%d keys and %d records are left", db.Len(), db.expires.wheel.Len())
	}
}

// A record names 32 bits of a hash. Two keys that share them must both expire in time.
func TestKeysWithEqualRecordsExpire(t *testing.T) {
	ks := newTest(t, 1)
	seen := map[uint32]string{}
	var a, b string
	for i := 0; a == ""; i++ {
		name := strconv.Itoa(i)
		h := uint32(ks.Hash([]byte(name)))
		if other, ok := seen[h]; ok {
			a, b = other, name
		}
		seen[h] = name
	}
	s := ks.Shard(0)
	for _, order := range [][2]string{{a, b}, {b, a}} {
		nowMS := s.NowMS()
		setKey(t, ks, order[0], "v", nowMS+5_000)
		setKey(t, ks, order[1], "v", nowMS+50_000)
		relock(s, nowMS+5_010)
		for s.Expire(10) {
		}
		checkShard(t, s)
		if s.DB(0).Len() != 1 || !exists(ks, order[1]) {
			t.Fatalf("%d keys, the later one exists: %v", s.DB(0).Len(), exists(ks, order[1]))
		}
		relock(s, nowMS+50_010)
		for s.Expire(10) {
		}
		if s.DB(0).Len() != 0 {
			t.Fatal("the later one did not expire")
		}
		// Both at once.
		setKey(t, ks, a, "v", nowMS+60_000)
		setKey(t, ks, b, "v", nowMS+60_000)
		relock(s, nowMS+70_000)
		for s.Expire(1) {
		}
		if s.DB(0).Len() != 0 {
			t.Fatalf("%d keys left", s.DB(0).Len())
		}
	}
}

func TestExpireIsTimelyAndBounded(t *testing.T) {
	ks := newTest(t, 1)
	s := ks.Shard(0)
	const n = 20_000
	for i := range int64(n) {
		setKey(t, ks, fmt.Sprint(i), "v", testStartMS+60_000*i/n+1)
	}
	if s.Due(testStartMS) {
		t.Fatal("due at once")
	}
	turns := 0
	for nowMS := int64(testStartMS); s.DB(0).Len() > 0; nowMS++ {
		if !s.Due(nowMS) {
			continue
		}
		turns++
		relock(s, nowMS)
		before := s.DB(0).Len()
		s.Expire(200)
		if before-s.DB(0).Len() > 200 {
			t.Fatalf("one call deleted %d keys", before-s.DB(0).Len())
		}
	}
	late := int64(0)
	for i, n := range s.Stats().ExpireLag {
		if i > 3 { // 8 ms or more
			late += n
		}
	}
	if s.Stats().Expired != n || late > 0 || turns > 60_000/4+100 {
		t.Fatalf("%d expired, lag %v, %d turns", s.Stats().Expired, s.Stats().ExpireLag, turns)
	}
}

func TestFlushIsOneStep(t *testing.T) {
	for _, other := range []bool{false, true} {
		ks := newTest(t, 1)
		s := ks.Shard(0)
		if other {
			k := ks.Key(3, []byte("stays"))
			k.DB.SetString(&k, []byte("v"), SetMode{})
		}
		for i := range 5000 {
			setKey(t, ks, fmt.Sprint(i), "value", testStartMS+int64(i)*1000)
		}
		setKey(t, ks, "big", string(make([]byte, 3<<20)), 0)
		k := ks.Key(0, []byte("big"))
		p, _ := k.DB.Pin(k.DB.Find(&k))
		s.DB(0).Flush()
		if s.DB(0).Len() != 0 || exists(ks, "1") || exists(ks, "big") {
			t.Fatal("not flushed")
		}
		if n, sum := s.DB(0).Expires(); n != 0 || sum != 0 {
			t.Fatalf("%d keys expire, %d ms in sum", n, sum)
		}
		if held := s.Pending() > 0; held != other || (ks.RetiredBytes() > 0) == other {
			t.Fatalf("pending %d, retired %d with another database: %v", s.Pending(), ks.RetiredBytes(), other)
		}
		setKey(t, ks, "1", "again", testStartMS+5)
		for s.Tick(10) {
			checkShard(t, s)
		}
		for ks.ReleaseStep(100_000) {
		}
		checkShard(t, s)
		if len(p.Bytes()) != 3<<20 || ks.Heap().Stats().Large == 0 {
			t.Fatal("the pinned value is gone")
		}
		p.Release()
		for ks.ReleaseStep(100_000) {
		}
		if n := ks.Heap().Stats().Large + ks.RetiredBytes() + s.Pending(); n != 0 {
			t.Fatalf("%d left over", n)
		}
		if !exists(ks, "1") {
			t.Fatal("what was set after the flush is gone")
		}
		k = ks.Key(3, []byte("stays"))
		if k.DB.Find(&k).Exists() != other {
			t.Fatal("the other database")
		}
	}
}

func TestMoveTakesTheBlock(t *testing.T) {
	ks := newTest(t, 1)
	for _, n := range []int{5000, 200_000, 2 << 20} {
		setKey(t, ks, "from", string(make([]byte, n)), testStartMS+1000)
		from, to := ks.Key(0, []byte("from")), ks.Key(5, []byte("a longer name"))
		before := &from.DB.Bytes(from.DB.Find(&from), nil)[0]
		if !ks.Move(&from, &to) {
			t.Fatal("no memory")
		}
		if after := &to.DB.Bytes(to.DB.Find(&to), nil)[0]; after != before {
			t.Errorf("%d bytes were copied", n)
		}
		if e := to.DB.Find(&to); to.DB.ExpireMS(e) != testStartMS+1000 || from.DB.Find(&from).Exists() {
			t.Error("expiry or source")
		}
		checkShard(t, ks.Shard(0))
	}
}

func TestAccessClock(t *testing.T) {
	ks := newTest(t, 1)
	s := ks.Shard(0)
	setKey(t, ks, "k", "v", 0)
	k := ks.Key(0, []byte("k"))
	idle := func() float64 { return k.DB.Idle(k.DB.Find(&k)).Seconds() }
	relock(s, testStartMS+100_000)
	if idle() != 100 {
		t.Fatalf("idle for %v s", idle())
	}
	to := ks.Key(1, []byte("k"))
	ks.Copy(&k, &to)
	if to.DB.Idle(to.DB.Find(&to)) != 0 {
		t.Error("a copy is as idle as its source")
	}
	ks.Move(&k, &to)
	if got := to.DB.Idle(to.DB.Find(&to)).Seconds(); got != 100 {
		t.Errorf("moved, idle for %v s", got)
	}
	to.DB.Lookup(&to)
	if got := to.DB.Idle(to.DB.Find(&to)); got != 0 {
		t.Errorf("looked up, idle for %v", got)
	}
}

func TestFindAndSetDoNotAllocate(t *testing.T) {
	ks := newTest(t, 4)
	name, value := []byte("some key"), []byte("a value of thirty-two bytes ....")
	number := []byte("12345")
	var scratch [20]byte
	var sink int
	if n := testing.AllocsPerRun(1000, func() {
		k := ks.Key(0, name)
		k.DB.SetString(&k, value, SetMode{ExpireMS: testStartMS + 1000})
		sink += len(k.DB.Bytes(k.DB.Lookup(&k), scratch[:]))
		k.DB.SetString(&k, number, SetMode{})
		sink += len(k.DB.Bytes(k.DB.Lookup(&k), scratch[:]))
		k.DB.SetExpire(&k, k.DB.Find(&k), testStartMS+500)
		k.DB.Delete(&k)
	}); n != 0 && !invariants.Enabled {
		t.Errorf("%v allocations", n)
	}
	_ = sink
}

func TestExpireDoesNotAllocate(t *testing.T) {
	if invariants.Enabled {
		t.Skip("the invariants build allocates in alloc")
	}
	ks := newTest(t, 1)
	s := ks.Shard(0)
	nowMS := int64(testStartMS)
	var name [8]byte
	round := func() {
		for i := range 20 {
			binary.LittleEndian.PutUint64(name[:], uint64(i))
			k := ks.Key(0, name[:])
			k.DB.SetString(&k, name[:3], SetMode{ExpireMS: nowMS + 10})
		}
		nowMS += 100
		relock(s, nowMS)
		for s.Expire(7) {
		}
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s.DB(0).Len() != 0 {
		t.Errorf("%d keys left", s.DB(0).Len())
	}
}

func TestPeekIsSafeWithoutTheLock(t *testing.T) {
	ks := New(Options{Shards: 1, Databases: 2, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
	var stop, readers sync.WaitGroup
	done := make(chan struct{})
	stop.Add(1)
	go func() {
		defer stop.Done()
		for round := range 20 {
			for i := range 3000 {
				ks.Shard(0).Lock(testStartMS)
				setKey(t, ks, strconv.Itoa(i), "value", 0)
				ks.Shard(0).Unlock()
			}
			ks.LockAll(testStartMS)
			ks.SwapDB(0, 1)
			if round%3 > 0 {
				ks.Shard(0).DB(round % 2).Flush()
			} else {
				ks.Shard(0).FlushAll()
			}
			ks.UnlockAll()
			for ks.ReleaseStep(1 << 20) {
			}
			ks.Heap().Purge(1 << 30)
		}
		close(done)
	}()
	for range 2 {
		readers.Add(1)
		go func() {
			defer readers.Done()
			var addrs [32]uintptr
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				k := ks.Key(i&1, []byte(strconv.Itoa(i%4000)))
				alloc.Prefetch(k.PeekEntries(k.Peek(), addrs[:0]))
			}
		}()
	}
	stop.Wait()
	readers.Wait()
}

func TestScanAndRandomMeetOnlyTheDatabase(t *testing.T) {
	ks := newTest(t, 1)
	if ks.Shard(0).DB(0).Random() != nil {
		t.Fatal("a random key of an empty database")
	}
	for i := range 100 {
		setKey(t, ks, fmt.Sprint(i), "v", 0)
	}
	k := ks.Key(1, []byte("other"))
	k.DB.SetString(&k, []byte("v"), SetMode{})
	var got []string
	for cursor := uint32(0); ; {
		cursor = ks.Shard(0).DB(0).Scan(cursor, func(e Entry) { got = append(got, string(ks.Shard(0).DB(0).Key(e))) })
		if cursor == 0 {
			break
		}
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 100 || slices.Contains(got, "other") {
		t.Fatalf("%d keys", len(got))
	}
	for range 1000 {
		if string(ks.Shard(0).DB(0).Random()) == "other" {
			t.Fatal("a random key of another database")
		}
	}
}

func TestSwapDB(t *testing.T) {
	ks := newTest(t, 4)
	for i := range 1000 {
		setKey(t, ks, fmt.Sprint(i), "v", testStartMS+5000)
	}
	ks.SwapDB(0, 7)
	total := 0
	for i := range 4 {
		checkShard(t, ks.Shard(i))
		total += ks.Shard(i).DB(7).Len()
	}
	if total != 1000 || exists(ks, "1") {
		t.Fatalf("%d keys in the other database", total)
	}
	ks.UnlockAll()
	ks.LockAll(testStartMS + 6000)
	for i := range 4 {
		for ks.Shard(i).Expire(100) {
		}
		if ks.Shard(i).DB(7).Len() != 0 {
			t.Fatal("swapped keys do not expire")
		}
	}
}

// While expired keys are held nobody finds them and nobody deletes them; who creates one anew takes its place.
func TestHoldExpired(t *testing.T) {
	ks := New(Options{Shards: 1, Databases: 1, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
	s := ks.Shard(0)
	key := func(name string) *Key {
		k := ks.Key(0, []byte(name))
		return &k
	}
	s.Lock(testStartMS)
	for _, name := range []string{"a", "b", "c"} {
		k := key(name)
		k.DB.SetString(k, []byte("old"), SetMode{ExpireMS: testStartMS + 10})
	}
	s.Unlock()
	ks.HoldExpired(testStartMS + 1000)
	s.Lock(testStartMS + 100)
	for _, name := range []string{"a", "b", "c"} {
		if k := key(name); k.DB.Find(k).Exists() || k.DB.Lookup(k).Exists() || k.DB.Delete(k) {
			t.Errorf("%s is found", name)
		}
	}
	s.Expire(100)
	db := s.DB(0)
	if db.Len() != 3 || s.Stats().Expired != 0 {
		t.Errorf("%d keys, %d have been deleted", db.Len(), s.Stats().Expired)
	}
	k := key("b")
	db.SetString(k, []byte("new"), SetMode{})
	if db.Len() != 3 || s.Stats().Expired != 1 {
		t.Errorf("%d keys, %d have been deleted, after one of them came back", db.Len(), s.Stats().Expired)
	}
	s.Unlock()
	ks.HoldExpired(0)
	s.Lock(testStartMS + 200)
	s.Expire(100)
	if db.Len() != 1 || !db.Find(k).Exists() || s.Stats().Expired != 3 {
		t.Errorf("%d keys, %d have been deleted, after the end", db.Len(), s.Stats().Expired)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	s.Unlock()
}
