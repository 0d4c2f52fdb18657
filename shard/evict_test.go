package shard

import (
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/set"
)

// cache is a keyspace with a limit, as one who looks keys up and adds those that are missing sees it.
type cache struct {
	ks     *Keyspace
	v      *Evictor
	limit  int64
	nowUS  int64
	stepUS int64 // that a request takes
	asked  int
	missed int
	value  []byte
	buf    []byte
}

func newCache(policy Policy, shards int, limit int64, samples int) *cache {
	ks := New(Options{Shards: shards, Databases: 16, Seed: 1, NowMS: 1e12}, alloc.NewHeap())
	ks.SetEviction(Eviction{Policy: policy, LimitBytes: limit, LFULogFactor: 10, LFUDecayMinutes: 1})
	c := &cache{ks: ks, v: NewEvictor(ks, 1), limit: limit, nowUS: 1e15, stepUS: 1000, value: make([]byte, 32)}
	c.v.SetSamples(samples)
	return c
}

// request asks for key n and adds it if it is missing.
func (c *cache) request(n uint64) (hit bool) {
	c.nowUS += c.stepUS
	c.asked++
	if c.asked&1023 == 0 {
		for i := range c.ks.shards {
			s := c.ks.shards[i]
			s.Lock(c.nowUS / 1000)
			s.Tick(8)
			s.Unlock()
		}
	}
	c.buf = strconv.AppendUint(append(c.buf[:0], "key:"...), n, 10)
	k := c.ks.Key(0, c.buf)
	s := k.DB.shard
	s.Lock(c.nowUS / 1000)
	hit = k.DB.Lookup(&k).Exists()
	if !hit {
		c.missed++
		k.DB.SetString(&k, c.value, SetMode{})
	}
	s.Unlock()
	c.fit()
	return hit
}

// fit evicts keys until the limit is kept.
func (c *cache) fit() {
	for tries := 0; c.ks.Used() > c.limit; tries++ {
		s := c.v.Pick()
		if s == nil || tries > 1000 {
			panic("nothing can be evicted")
		}
		s.Lock(c.nowUS / 1000)
		c.v.Evict(s, c.ks.Used()-c.limit+1000)
		s.Unlock()
	}
}

func (c *cache) missRatio() float64 { return float64(c.missed) / float64(c.asked) }

// zipf draws numbers below n, 0 the most often, with exponent s, which may be less than 1.
type zipf struct {
	cumulative []float64
	rng        *rand.Rand
}

func newZipf(n int, s float64, seed uint64) *zipf {
	z := &zipf{rng: rand.New(rand.NewPCG(seed, 0))}
	sum := 0.0
	for i := range n {
		sum += math.Pow(float64(i+1), -s)
		z.cumulative = append(z.cumulative, sum)
	}
	return z
}

func (z *zipf) next() uint64 {
	x := z.rng.Float64() * z.cumulative[len(z.cumulative)-1]
	lo, hi := 0, len(z.cumulative)
	for lo < hi {
		if mid := (lo + hi) / 2; z.cumulative[mid] < x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return uint64(lo)
}

var policyNames = map[Policy]string{
	AllKeysLRU: "lru", AllKeysLFU: "lfu", AllKeysRandom: "random", AllKeysS3FIFO: "s3fifo", AllKeysSieve: "sieve", AllKeysWTinyLFU: "wtinylfu",
}

// workloads are sequences of keys, of about twenty thousand different ones.
var workloads = []struct {
	name string
	new  func() func(i int) uint64
}{
	{"zipf", func() func(int) uint64 {
		z := newZipf(20_000, 0.9, 1)
		return func(int) uint64 { return z.next() }
	}},
	{"scan", func() func(int) uint64 { // of 1200 keys that are asked for once, now and then
		z := newZipf(20_000, 0.9, 1)
		at := uint64(1 << 40)
		return func(i int) uint64 {
			if i%4000 < 1200 {
				at++
				return at
			}
			return z.next()
		}
	}},
	{"loop", func() func(int) uint64 { return func(i int) uint64 { return uint64(i % 3000) } }},
	{"shift", func() func(int) uint64 { // other keys are popular after a while
		z := newZipf(20_000, 0.9, 1)
		return func(i int) uint64 { return z.next() + uint64(i/20_000)*1_000_000 }
	}},
}

// missRatios runs a workload under policies, all with the same memory.
func missRatios(next func() func(int) uint64, limit int64, requests int, policies ...Policy) map[Policy]float64 {
	ratios := map[Policy]float64{}
	for _, p := range policies {
		c, key := newCache(p, 8, limit, 5), next()
		for i := range requests {
			c.request(key(i))
		}
		ratios[p] = c.missRatio()
	}
	return ratios
}

// Policies that know more must miss less where that helps. These are the policies' promises, as differences that are
// far greater than chance.
func TestPoliciesAgainstEachOther(t *testing.T) {
	const requests = 100_000
	got := map[string]map[Policy]float64{}
	for _, w := range workloads {
		got[w.name] = missRatios(w.new, 140_000, requests, AllKeysLRU, AllKeysLFU, AllKeysRandom, AllKeysS3FIFO, AllKeysSieve, AllKeysWTinyLFU)
		for p, r := range got[w.name] {
			t.Logf("%-6s %-8s misses %.4f", w.name, policyNames[p], r)
		}
	}
	less := func(workload string, a, b Policy, part float64) {
		t.Helper()
		if x, y := got[workload][a], got[workload][b]; x > y*part {
			t.Errorf("%s: %s misses %.4f, %s %.4f", workload, policyNames[a], x, policyNames[b], y)
		}
	}
	less("zipf", AllKeysLRU, AllKeysRandom, 0.98)
	for _, p := range []Policy{AllKeysLFU, AllKeysS3FIFO, AllKeysSieve, AllKeysWTinyLFU} {
		less("zipf", p, AllKeysLRU, 0.99)
		less("scan", p, AllKeysLRU, 0.98)
	}
	less("loop", AllKeysLFU, AllKeysLRU, 0.8)
	less("loop", AllKeysWTinyLFU, AllKeysLRU, 0.97)
	less("shift", AllKeysLRU, AllKeysRandom, 0.98)
	less("shift", AllKeysWTinyLFU, AllKeysRandom, 1)
}

// keep evicts until the limit is kept, and returns false if nothing can be evicted.
func (c *cache) keep() bool {
	for tries := 0; c.ks.Used() > c.limit; tries++ {
		s := c.v.Pick()
		if s == nil && !c.ks.Weigh(c.nowUS/1000) || tries > 20_000 {
			return false
		}
		if s == nil {
			continue
		}
		s.Lock(c.nowUS / 1000)
		c.v.Evict(s, c.ks.Used()-c.limit)
		s.Tick(16)
		s.Unlock()
	}
	return true
}

// set sets a key of a database, with a time to live if ttlMS is not 0.
func (c *cache) set(db int, name string, ttlMS int64) {
	m := SetMode{}
	if ttlMS != 0 {
		m.ExpireMS = c.nowUS/1000 + ttlMS
	}
	c.with(db, name, func(k *Key) { k.DB.SetString(k, c.value, m) })
}

func (c *cache) with(db int, name string, f func(k *Key)) {
	k := c.ks.Key(db, []byte(name))
	k.DB.shard.Lock(c.nowUS / 1000)
	f(&k)
	k.DB.shard.Unlock()
}

func (c *cache) has(name string) (is bool) {
	c.with(0, name, func(k *Key) { is = k.DB.Find(k).Exists() })
	return is
}

// keys returns the number of keys of database 0.
func (c *cache) keys() (n int) {
	for _, s := range c.ks.shards {
		n += s.dbs[0].Len()
	}
	return n
}

// exact returns the bytes that are used.
func (c *cache) exact() (n int64) {
	for _, s := range c.ks.shards {
		n += int64(s.arena.Stats().Allocated)
	}
	return n
}

// limitTo sets another limit.
func (c *cache) limitTo(p Policy, bytes int64) {
	c.limit = bytes
	c.ks.SetEviction(Eviction{Policy: p, LimitBytes: bytes, LFULogFactor: 10, LFUDecayMinutes: 1})
}

func (c *cache) check(t *testing.T) {
	t.Helper()
	for _, s := range c.ks.shards {
		s.Lock(c.nowUS / 1000)
		err := s.Check()
		s.Unlock()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Volatile policies must leave keys without a time to live alone, whether those with one are many or few, and give up
// when none is left.
func TestVolatilePoliciesKeepOtherKeys(t *testing.T) {
	for p := VolatileLRU; p <= VolatileTTL; p++ {
		for _, every := range []int{2, 40} {
			c := newCache(p, 4, 1<<30, 5)
			const n = 4000
			for i := range n {
				if i%every == 0 {
					c.set(0, "ttl:"+strconv.Itoa(i), int64(100_000+i*1000))
				} else {
					c.set(0, "key:"+strconv.Itoa(i), 0)
				}
			}
			c.limitTo(p, c.exact()-n/int64(every)/2*60)
			if !c.keep() {
				t.Fatalf("policy %d, one in %d: nothing could be evicted", p, every)
			}
			c.limitTo(p, 1)
			if c.keep() {
				t.Fatal("the limit cannot be kept")
			}
			for i := range n {
				name := "key:" + strconv.Itoa(i)
				if i%every == 0 {
					name = "ttl:" + strconv.Itoa(i)
				}
				if c.has(name) != (i%every != 0) {
					t.Fatalf("policy %d, one in %d: %s is there: %v", p, every, name, c.has(name))
				}
			}
			c.check(t)
		}
	}
}

// Keys that were touched must survive those that were not; of a sample as large as Redis' about all evicted keys are idle ones.
func TestIdleAndRareKeysGoFirst(t *testing.T) {
	for _, p := range []Policy{AllKeysLRU, AllKeysLFU, AllKeysS3FIFO, AllKeysSieve, AllKeysWTinyLFU} {
		c := newCache(p, 4, 1<<30, 5)
		const n = 8000
		for i := range n {
			c.set(0, "key:"+strconv.Itoa(i), 0)
		}
		for range 12 {
			c.nowUS += 10e6
			for i := 0; i < n; i += 2 {
				c.with(0, "key:"+strconv.Itoa(i), func(k *Key) { k.DB.Lookup(k) })
			}
		}
		c.limitTo(p, c.exact()*3/4)
		if !c.keep() {
			t.Fatal("nothing could be evicted")
		}
		lost := [2]int{}
		for i := range n {
			if !c.has("key:" + strconv.Itoa(i)) {
				lost[i%2]++
			}
		}
		if lost[0]*8 > lost[1] {
			t.Errorf("policy %s: %d used keys were evicted, %d idle ones", policyNames[p], lost[0], lost[1])
		}
	}
}

// A shard that holds most keys must give most, and one whose keys are all in use none as long as others are idle.
func TestShardsAreTreatedAlike(t *testing.T) {
	for _, p := range []Policy{AllKeysRandom, AllKeysLRU} {
		c := newCache(p, 8, 1<<30, 5)
		for i := range 4000 {
			c.set(0, "{tag}"+strconv.Itoa(i), 0)
			c.set(0, strconv.Itoa(i), 0)
		}
		c.nowUS += 1000e6
		if p == AllKeysLRU {
			for i := range 4000 {
				c.with(0, "{tag}"+strconv.Itoa(i), func(k *Key) { k.DB.Lookup(k) })
			}
		}
		c.limitTo(p, c.exact()*3/4)
		if !c.keep() {
			t.Fatal("nothing could be evicted")
		}
		tagged := 0
		for i := range 4000 {
			if !c.has("{tag}" + strconv.Itoa(i)) {
				tagged++
			}
		}
		if p == AllKeysRandom && (tagged < 500 || tagged > 1500) {
			t.Errorf("of 2000 evicted keys %d are of the shard that holds half of them", tagged)
		}
		if p == AllKeysLRU && tagged > 200 {
			t.Errorf("%d keys were evicted that are in use, of a shard of such", tagged)
		}
	}
}

// A large value that goes is freed in steps, and counts until it is: others need not go for it.
func TestHugeValuesCountUntilTheyAreFreed(t *testing.T) {
	c := newCache(AllKeysLRU, 2, 1<<30, 5)
	c.with(0, "huge", func(k *Key) {
		v := set.New(k.DB.Space())
		for i := range 100_000 {
			if _, err := v.Add(&types.Limits{SetIntsetEntries: 512}, []byte("member:"+strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
		k.DB.Add(k, v.Root(), SetMode{})
	})
	c.nowUS += 100e6
	for i := range 1000 {
		c.set(0, strconv.Itoa(i), 0)
	}
	huge := c.exact()
	c.limitTo(AllKeysLRU, huge-1000)
	for i := 0; c.has("huge") && i < 100; i++ {
		s := c.v.Pick()
		s.Lock(c.nowUS / 1000)
		c.v.Evict(s, 1000)
		s.Unlock()
	}
	if ticks, _ := c.ks.Freeing(); c.has("huge") || !ticks || c.ks.Used() < huge/2 {
		t.Fatalf("huge is there: %v; %d bytes of %d are in use", c.has("huge"), c.ks.Used(), huge)
	}
	for ticks := true; ticks; ticks, _ = c.ks.Freeing() {
		for _, s := range c.ks.shards {
			s.Lock(c.nowUS / 1000)
			s.Tick(8)
			s.Unlock()
		}
	}
	if c.ks.Used() > huge/4 || c.keys() < 300 {
		t.Fatalf("%d bytes of %d are in use, %d keys are left", c.ks.Used(), huge, c.keys())
	}
	c.check(t)
}

// Policies may change at any time, under any changes of keys; orders must stay sound, and the limit be kept.
func TestPoliciesChangeUnderLoad(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	c := newCache(AllKeysSieve, 4, 300_000, 5)
	for i := range 60_000 {
		c.nowUS += 1e5
		name := "key:" + strconv.Itoa(rng.IntN(6000))
		db := rng.IntN(3)
		switch rng.IntN(40) {
		case 0:
			c.with(db, name, func(k *Key) { k.DB.Delete(k) })
		case 1:
			from := c.ks.Key(db, []byte("{a}"+name))
			from.DB.shard.Lock(c.nowUS / 1000)
			from.DB.SetString(&from, c.value, SetMode{})
			to := c.ks.Key(db, []byte("{a}x"+name))
			c.ks.Move(&from, &to)
			from.DB.shard.Unlock()
		case 2:
			c.set(db, name, 1000)
		case 3, 4, 5, 6, 7, 8:
			c.with(db, name, func(k *Key) { k.DB.Lookup(k) })
		case 9:
			s := c.ks.shards[rng.IntN(4)]
			s.Lock(c.nowUS / 1000)
			s.Expire(10)
			s.Tick(4)
			s.Unlock()
		default:
			c.set(db, name, 0)
		}
		if i%3000 == 2999 {
			c.limitTo(AllKeysLRU+Policy(rng.IntN(6)), c.limit)
		}
		if i%10_000 == 5000 {
			c.ks.LockAll(c.nowUS / 1000)
			c.ks.SwapDB(0, 1)
			for _, s := range c.ks.shards {
				s.dbs[2].Flush()
			}
			c.ks.UnlockAll()
		}
		if !c.keep() {
			t.Fatalf("step %d: nothing could be evicted of %d keys", i, c.keys())
		}
		if i%5000 == 0 {
			c.check(t)
		}
	}
	c.limitTo(NoEviction, 0)
	for _, s := range c.ks.shards {
		s.Lock(c.nowUS / 1000)
		for s.Tick(64) {
		}
		for _, db := range s.dbs {
			if n := db.order.queues[0].Bytes() + db.order.queues[1].Bytes(); n != 0 {
				t.Errorf("%d bytes of queues are left that nobody needs", n)
			}
		}
		if n := s.frequency.Bytes() + s.ghosts.Bytes(); n != 0 {
			t.Errorf("%d bytes of sketches are left that nobody needs", n)
		}
		s.Unlock()
	}
	c.check(t)
}

// Several goroutines write and evict at once.
func TestEvictorsSideBySide(t *testing.T) {
	for _, p := range []Policy{AllKeysLRU, AllKeysS3FIFO, AllKeysSieve, AllKeysWTinyLFU} {
		c := newCache(p, 8, 100_000, 5)
		var all sync.WaitGroup
		for g := range 4 {
			all.Add(1)
			go func() {
				defer all.Done()
				mine := *c
				mine.v, mine.buf = NewEvictor(c.ks, uint64(g)), nil
				for i := range 5000 {
					mine.request(uint64(g*1000 + i%3000))
				}
			}()
		}
		all.Wait()
		if used := c.ks.Used(); used > c.limit {
			t.Errorf("policy %s: %d bytes of %d are used", policyNames[p], used, c.limit)
		}
		c.check(t)
	}
}
