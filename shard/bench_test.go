package shard

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shoaldb/shoal/alloc"
)

// benchData is a keyspace of n keys of 16 bytes with values of 32, made once for all benchmarks that want it.
type benchData struct {
	once sync.Once
	n    int
	ks   *Keyspace
}

var (
	million    = benchData{n: 1_000_000}
	tenMillion = benchData{n: 10_000_000}
	benchSizes = []*benchData{&million, &tenMillion}
	benchValue = []byte("a value of thirty-two bytes ....")
)

func (d *benchData) keyspace() *Keyspace {
	d.once.Do(func() {
		d.ks = New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
		fillBench(d.ks, d.n, SetMode{})
	})
	return d.ks
}

func (d *benchData) String() string { return fmt.Sprintf("keys=%dM", d.n/1_000_000) }

func fillBench(ks *Keyspace, n int, m SetMode) {
	var name [16]byte
	for i := range n {
		k := ks.Key(0, benchKey(&name, uint64(i)))
		k.DB.SetString(&k, benchValue, m)
	}
}

// benchKey writes the name of key i.
func benchKey(name *[16]byte, i uint64) []byte {
	const digits = "0123456789abcdef"
	for j := range name {
		name[15-j] = digits[i>>(4*j)&15]
	}
	return name[:]
}

// batch is keys that are looked up together, as those of a pipeline are.
type batch struct {
	names   [16][16]byte
	keys    [16]Key
	buckets [16]uintptr
	entries [96]uintptr
	x       uint64
}

// pick makes the next n random keys.
func (b *batch) pick(ks *Keyspace, n, size int) []Key {
	for i := range n {
		b.x = b.x*6364136223846793005 + 1442695040888963407
		b.keys[i] = ks.Key(0, benchKey(&b.names[i], (b.x>>32)*uint64(size)>>32))
	}
	return b.keys[:n]
}

// prefetch asks for all buckets, then for all entries.
func (b *batch) prefetch(keys []Key) {
	for i := range keys {
		b.buckets[i] = keys[i].Peek()
	}
	alloc.Prefetch(b.buckets[:len(keys)])
	entries := b.entries[:0]
	for i := range keys {
		entries = keys[i].PeekEntries(b.buckets[i], entries)
	}
	if s := keys[0].DB.shard; s.counting {
		for i := range keys {
			entries = keys[i].PeekMemory(entries)
		}
	}
	alloc.Prefetch(entries)
}

func benchBatches(b *testing.B, run func(b *testing.B, ks *Keyspace, keys []Key)) {
	for _, d := range benchSizes {
		for _, n := range []int{1, 16} {
			b.Run(fmt.Sprintf("%v/batch=%d", d, n), func(b *testing.B) {
				ks := d.keyspace()
				var list batch
				b.ReportAllocs()
				b.ResetTimer()
				begin := cpuTime()
				for left := b.N; left > 0; left -= n {
					keys := list.pick(ks, n, d.n)
					if n > 1 {
						list.prefetch(keys)
					}
					run(b, ks, keys)
				}
				b.ReportMetric(float64((cpuTime()-begin).Nanoseconds())/float64(b.N), "cpu-ns/op")
			})
		}
	}
}

// BenchmarkGet locks, looks up and reads each key, as GET does.
func BenchmarkGet(b *testing.B) {
	var reply [64]byte
	var scratch [20]byte
	benchBatches(b, func(b *testing.B, ks *Keyspace, keys []Key) {
		for i := range keys {
			k := &keys[i]
			k.DB.shard.Lock(testStartMS)
			e := k.DB.Lookup(k)
			if !e.Exists() {
				b.Fatal("lost")
			}
			copy(reply[:], k.DB.Bytes(e, scratch[:]))
			k.DB.shard.Unlock()
		}
	})
}

// BenchmarkSet overwrites a value by one of the same length.
func BenchmarkSet(b *testing.B) {
	benchBatches(b, func(_ *testing.B, ks *Keyspace, keys []Key) {
		for i := range keys {
			k := &keys[i]
			k.DB.shard.Lock(testStartMS)
			k.DB.SetString(k, benchValue, SetMode{})
			k.DB.shard.Unlock()
		}
	})
}

// BenchmarkSetEx overwrites a value and gives it a time to live or takes that away, so that its block changes.
func BenchmarkSetEx(b *testing.B) {
	ms := int64(0)
	benchBatches(b, func(_ *testing.B, ks *Keyspace, keys []Key) {
		for i := range keys {
			k := &keys[i]
			ms = testStartMS + 1_000_000 - ms
			k.DB.shard.Lock(testStartMS)
			k.DB.SetString(k, benchValue, SetMode{ExpireMS: ms})
			k.DB.shard.Unlock()
		}
	})
}

// BenchmarkInsert fills a new keyspace with a million keys again and again.
func BenchmarkInsert(b *testing.B) {
	const n = 1_000_000
	var name [16]byte
	var ks *Keyspace
	b.ReportAllocs()
	i := n
	for b.Loop() {
		if i == n {
			b.StopTimer()
			ks = New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
			i = 0
			b.StartTimer()
		}
		k := ks.Key(0, benchKey(&name, uint64(i)))
		k.DB.SetString(&k, benchValue, SetMode{})
		i++
	}
}

// BenchmarkDelete deletes keys in the order in which they came.
func BenchmarkDelete(b *testing.B) {
	const n = 1_000_000
	var name [16]byte
	ks := New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
	b.ReportAllocs()
	i := n
	for b.Loop() {
		if i == n {
			b.StopTimer()
			fillBench(ks, n, SetMode{})
			i = 0
			b.StartTimer()
		}
		k := ks.Key(0, benchKey(&name, uint64(i)))
		k.DB.Delete(&k)
		i++
	}
}

// BenchmarkMemory reports the bytes that a key of 16 bytes with a value of 32 takes, all in.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000, 5_000_000} {
		for _, expire := range []bool{false, true} {
			b.Run(fmt.Sprintf("keys=%d/expire=%v", n, expire), func(b *testing.B) {
				for range b.N {
					heap := alloc.NewHeap()
					ks := New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, heap)
					var name [16]byte
					worst, m := 0.0, SetMode{}
					for i := range n {
						if expire {
							m.ExpireMS = testStartMS + 3_600_000 + int64(i)
						}
						k := ks.Key(0, benchKey(&name, uint64(i)))
						k.DB.SetString(&k, benchValue, m)
						if i > n/2 && i%10_000 == 0 {
							worst = max(worst, float64(heap.Stats().InUse)/float64(i))
						}
					}
					used, tables := 0, 0
					for i := range ks.Shards() {
						st := ks.Shard(i).Arena().Stats()
						used, tables = used+st.Allocated, tables+st.Tables
					}
					per := func(bytes int) float64 { return float64(bytes) / float64(n) }
					b.ReportMetric(per(used), "B/key")
					b.ReportMetric(per(tables), "table-B/key")
					b.ReportMetric(per(heap.Stats().InUse), "pages-B/key")
					b.ReportMetric(per(heap.Stats().Resident), "resident-B/key")
					b.ReportMetric(worst, "worst-B/key")
					runtime.KeepAlive(ks)
				}
			})
		}
	}
}

// BenchmarkExpire lets a million keys, in no order, expire evenly over a minute of simulated time, with a look at the shards
// every millisecond; or all at once.
func BenchmarkExpire(b *testing.B) {
	const n = 1_000_000
	for _, spanMS := range []int64{60_000, 1} {
		b.Run(fmt.Sprintf("spanMS=%d", spanMS), func(b *testing.B) {
			for range b.N {
				ks := New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
				var name [16]byte
				for i := range uint64(n) {
					k := ks.Key(0, benchKey(&name, i))
					dueMS := int64(i*0x9e3779b97f4a7c15>>32) * spanMS >> 32
					k.DB.SetString(&k, benchValue, SetMode{ExpireMS: testStartMS + 1 + dueMS})
				}
				begin, longest := cpuTime(), time.Duration(0)
				for nowMS := int64(testStartMS); nowMS < testStartMS+spanMS+100; nowMS++ {
					turn := time.Now()
					expireAll(ks, nowMS)
					longest = max(longest, time.Since(turn))
				}
				b.ReportMetric(float64((cpuTime()-begin).Nanoseconds())/n, "cpu-ns/key")
				b.ReportMetric(float64(longest.Microseconds()), "max-µs/turn")
				reportLag(b, ks)
			}
		})
	}
}

// expireAll does all that is due at nowMS, in the steps of a reactor.
func expireAll(ks *Keyspace, nowMS int64) {
	for i := range ks.Shards() {
		s := ks.Shard(i)
		for more := s.Due(nowMS); more; {
			s.Lock(nowMS)
			more = s.Expire(200)
			s.Unlock()
		}
	}
}

// cpuTime returns the processor time that the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func reportLag(b *testing.B, ks *Keyspace) {
	var lag Lag
	total := int64(0)
	for i := range ks.Shards() {
		for j, n := range ks.Shard(i).Stats().ExpireLag {
			lag[j] += n
			total += n
		}
	}
	left := total
	for i, n := range lag {
		if left -= n; left <= total/100 {
			b.ReportMetric(math.Pow(2, float64(i)), "p99-ms-late")
			return
		}
	}
}
