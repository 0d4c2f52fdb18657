package shard

import (
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/alloc"
)

// BenchmarkInsertAtLimit inserts keys, in batches of 16, into a keyspace of a million that has no room for one more:
// each insertion costs an eviction. policy=0 is the same without a limit, where deletion of the oldest key makes room.
func BenchmarkInsertAtLimit(b *testing.B) {
	const n = 1_000_000
	for policy := NoEviction; policy <= AllKeysWTinyLFU; policy++ {
		b.Run(fmt.Sprintf("policy=%d", policy), func(b *testing.B) {
			mode := SetMode{}
			if policy.Volatile() {
				mode.ExpireMS = testStartMS + 1e8
			}
			ks := New(Options{Shards: 64, Databases: 16, Seed: 1, NowMS: testStartMS}, alloc.NewHeap())
			fillBench(ks, n, mode)
			l := limited{ks: ks, v: NewEvictor(ks, 1), mode: mode, next: n}
			for _, s := range ks.shards {
				l.limit += int64(s.arena.Allocated())
			}
			if policy != NoEviction {
				ks.SetEviction(Eviction{Policy: policy, LimitBytes: l.limit, LFULogFactor: 10, LFUDecayMinutes: 1})
			}
			for range 3 * n / 2 {
				l.insert(policy)
			}
			b.ResetTimer()
			begin := cpuTime()
			for range b.N {
				l.insert(policy)
			}
			b.ReportMetric(float64((cpuTime()-begin).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// limited inserts keys into a keyspace with a limit.
type limited struct {
	ks    *Keyspace
	v     *Evictor
	limit int64
	mode  SetMode
	next  uint64
	done  int
	batch batch
}

func (l *limited) insert(p Policy) {
	at := l.done & 15
	if at == 0 {
		for i := range l.batch.keys {
			l.next++
			l.batch.keys[i] = l.ks.Key(0, benchKey(&l.batch.names[i], l.next))
		}
		l.batch.prefetch(l.batch.keys[:])
	}
	if l.done&1023 == 0 {
		s := l.ks.shards[l.done>>10&63]
		s.Lock(testStartMS)
		s.Tick(8)
		s.Unlock()
	}
	l.done++
	if p != NoEviction && l.ks.Used() > l.limit {
		l.evict()
	}
	k := &l.batch.keys[at]
	k.DB.shard.Lock(testStartMS)
	k.DB.SetString(k, benchValue, l.mode)
	k.DB.shard.Unlock()
	if p == NoEviction {
		var name [16]byte
		old := l.ks.Key(0, benchKey(&name, l.next-1_000_000+uint64(at)))
		old.DB.shard.Lock(testStartMS)
		old.DB.Delete(&old)
		old.DB.shard.Unlock()
	}
}

func (l *limited) evict() {
	for l.ks.Used() > l.limit-4096 {
		if s := l.v.Pick(); s != nil {
			s.Lock(testStartMS)
			l.v.Evict(s, l.ks.Used()-l.limit+4096)
			s.Unlock()
		}
	}
}
