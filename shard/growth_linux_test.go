package shard

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/alloc"
)

// threadTime returns the processor time that the calling thread has used, page faults included.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkGrowth inserts ten million keys and reports the slowest insertions, by the thread's own time: other processes do
// not show.
func BenchmarkGrowth(b *testing.B) {
	const n = 10_000_000
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range b.N {
		ks := New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
		var name [16]byte
		var slowest time.Duration
		over := [3]int{} // 100 µs, 1 ms, 10 ms
		begin := threadTime(b)
		last := begin
		for i := range n {
			k := ks.Key(0, benchKey(&name, uint64(i)))
			k.DB.SetString(&k, benchValue, SetMode{})
			if i%16 > 0 {
				continue
			}
			now := threadTime(b)
			took := now - last
			last = now
			slowest = max(slowest, took)
			for j, limit := 0, 100*time.Microsecond; j < len(over) && took >= limit; j, limit = j+1, 10*limit {
				over[j]++
			}
		}
		b.ReportMetric(float64((last-begin).Nanoseconds())/n, "cpu-ns/key")
		b.ReportMetric(float64(slowest.Microseconds()), "max-µs/16keys")
		b.ReportMetric(float64(over[0]), "over100µs")
		b.ReportMetric(float64(over[1]), "over1ms")
		b.ReportMetric(float64(over[2]), "over10ms")
	}
}

// BenchmarkFlushAll reports what a flush of a million keys takes while all locks are held, and the longest of the
// steps that give the memory back afterwards, by the thread's own time.
func BenchmarkFlushAll(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var locked, longest, total time.Duration
	for range b.N {
		ks := New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
		fillBench(ks, 1_000_000, SetMode{ExpireMS: testStartMS + 100_000})
		begin := threadTime(b)
		ks.LockAll(testStartMS)
		for i := range ks.Shards() {
			ks.Shard(i).FlushAll()
		}
		ks.UnlockAll()
		locked = max(locked, threadTime(b)-begin)
		for more := true; more; {
			step := threadTime(b)
			more = ks.ReleaseStep(8<<20) || ks.Heap().Purge(8<<20) > 0
			took := threadTime(b) - step
			longest, total = max(longest, took), total+took
		}
	}
	b.ReportMetric(float64(locked.Microseconds()), "max-locked-µs")
	b.ReportMetric(float64(longest.Microseconds()), "max-step-µs")
	b.ReportMetric(float64(total.Microseconds())/float64(b.N), "steps-µs")
}
