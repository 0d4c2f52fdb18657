package save

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/stream"
)

// BenchmarkWrite tells what saving adds to a write: it changes random members of a value of a million while that is
// being saved. cut is the longest write, first the one that begins to watch the value, in processor time, so that what
// else the machine does hardly counts.
func BenchmarkWrite(b *testing.B) {
	names := []string{"set", "hash", "hash-ttl", "zset", "list", "list-lzf", "stream", "string", "pending"}
	for kind, name := range names {
		change := changeOne
		if kind == longString {
			change = changeByte
		} else if name == "pending" {
			kind, change = 6, changePending
		}
		b.Run(fmt.Sprintf("%s/members=1M", name), func(b *testing.B) {
			ks := newKeyspace()
			withKey(ks, largeName(kind, 0), func(k *shard.Key) { create(k, kind, 1_000_000) })
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			first, all := time.Duration(0), []time.Duration(nil)
			for b.Loop() {
				x := hold(b, ks)
				r := rand.New(rand.NewPCG(1, 2))
				for i := range 5000 {
					begin := threadTime()
					withKey(ks, largeName(kind, 0), func(k *shard.Key) {
						if i == 0 {
							first = max(first, threadTime()-begin)
						}
						if r := change(r, k, kind); r.Type != types.String {
							k.DB.SetRoot(k.DB.Find(k), r)
						}
					})
					all = append(all, threadTime()-begin)
				}
				x()
			}
			slices.Sort(all)
			b.ReportMetric(float64(first.Microseconds()), "first-µs")
			b.ReportMetric(float64(all[len(all)-1].Microseconds()), "max-µs")
			b.ReportMetric(float64(all[len(all)*999/1000].Nanoseconds())/1e3, "p99.9-µs")
			b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1e3, "p50-µs")
		})
	}
}

// changeOne changes a member of the value of a kind, of a list or stream one anywhere.
func changeOne(r *rand.Rand, k *shard.Key, kind int) types.Root {
	sp, was := k.DB.Space(), k.DB.Root(k.DB.Find(k))
	switch kind {
	case 4, 5:
		lim := limits
		lim.ListCompressDepth = kind - 4
		v := list.Open(sp, was)
		v.Replace(&lim, r.IntN(v.Len()), []byte("another element"))
		return v.Root()
	case 6:
		v := stream.Open(sp, was)
		must2(v.Delete(stream.ID{MS: 1 + r.Uint64N(1_000_000)}))
		must2(0, v.Append(&limits, stream.ID{MS: v.Last().MS + 1}, [][]byte{[]byte("field"), []byte("value")}))
		return v.Root()
	}
	root, _ := mutate(r, k, k.DB.Find(k), kind, 1)
	return root
}

// changeByte changes a byte of a string.
func changeByte(r *rand.Rand, k *shard.Key, _ int) (none types.Root) {
	mutateString(r, k, k.DB.Find(k), 1)
	return none
}

// changePending acknowledges an entry of a stream, or gives it to another consumer.
func changePending(r *rand.Rand, k *shard.Key, _ int) types.Root {
	v := stream.Open(k.DB.Space(), k.DB.Root(k.DB.Find(k)))
	g, _ := v.Group([]byte("group"))
	id := stream.ID{MS: 1 + r.Uint64N(500_000)}
	if d, is := g.Delivery(id); is && r.IntN(2) == 0 {
		c, _ := g.Consumer([]byte("second"))
		g.Assign(id, &d, c)
	} else {
		g.Forget(id)
	}
	return v.Root()
}

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// nowhere is a sink that takes everything.
type nowhere struct{}

func (nowhere) Open() error                       { return nil }
func (nowhere) Write(p []byte) (n int, err error) { return len(p), nil }
func (nowhere) Commit() error                     { return nil }
func (nowhere) Abort()                            {}

// hold makes the cut, and finish saves.
func hold(b *testing.B, ks *shard.Keyspace) (finish func()) {
	done := make(chan error, 1)
	ks.LockAll(nowMS)
	sn := Start(ks, Options{Sink: nowhere{}, Compress: true, Checksum: true, QueueBytes: 8 << 20, Dir: b.TempDir(), Workers: 1,
		Wake: func() {}, Done: func(err error) { done <- err }})
	ks.UnlockAll()
	return func() {
		for !sn.finished() {
			begin := time.Now()
			if !sn.Step(0, nowMS, func() bool { return time.Since(begin) > 100*time.Microsecond }) {
				time.Sleep(100 * time.Microsecond)
			}
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSave saves a million keys of 16 bytes with values of 32 bytes, which do not compress.
func BenchmarkSave(b *testing.B) {
	ks := newKeyspace()
	const keys = 1_000_000
	r := rand.New(rand.NewPCG(1, 2))
	for i := range keys {
		setText(ks, fmt.Sprintf("key:%012d", i), fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()))
	}
	for b.Loop() {
		hold(b, ks)()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}
