package shard

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/shoaldb/shoal/alloc"
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

// Policies that know more must miss less where that helps. These are the policies' promises, as differences that are far greater than chance.
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
