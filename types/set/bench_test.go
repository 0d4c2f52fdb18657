package set

import (
	"fmt"
	"strconv"
	"testing"
)

func numbered(prefix string, from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, prefix+strconv.Itoa(i))
	}
	return out
}

func BenchmarkInter(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		for name, prefix := range map[string]string{"integers": "", "strings": "element:"} {
			b.Run(fmt.Sprintf("members=%d/%s", n, name), func(b *testing.B) {
				sp := newSpace(1)
				x, y := fill(b, sp, 512, numbered(prefix, 0, n)), fill(b, sp, 512, numbered(prefix, n/2, n+n/2))
				benchmarkResult(b, n, []Value{x, y}, func(r *Result, sets []Value) { r.Inter(sets) })
			})
		}
	}
	b.Run("members=500/intset", func(b *testing.B) {
		sp := newSpace(1)
		x, y := fill(b, sp, 512, numbered("", 0, 500)), fill(b, sp, 512, numbered("", 250, 750))
		benchmarkResult(b, 500, []Value{x, y}, func(r *Result, sets []Value) { r.Inter(sets) })
	})
}

func BenchmarkUnion(b *testing.B) {
	for name, prefix := range map[string]string{"integers": "", "strings": "element:"} {
		b.Run("members=1000/"+name, func(b *testing.B) {
			sp := newSpace(1)
			x, y := fill(b, sp, 512, numbered(prefix, 0, 1000)), fill(b, sp, 512, numbered(prefix, 500, 1500))
			temp := New(sp)
			benchmarkResult(b, 1000, []Value{x, y}, func(r *Result, sets []Value) { r.Union(sets, limits(512), &temp) })
		})
	}
}

// benchmarkResult reports the time per member of the first set.
func benchmarkResult(b *testing.B, n int, sets []Value, begin func(r *Result, sets []Value)) {
	b.ReportAllocs()
	r, work, members := new(Result), make([]Value, len(sets)), 0
	for b.Loop() {
		copy(work, sets)
		begin(r, work)
		for r.Next() {
			members += len(r.Members())
		}
	}
	if members == 0 {
		b.Fatal("nothing came")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/member")
}

func BenchmarkIter(b *testing.B) {
	for _, n := range []int{20, 1000, 1_000_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			v := fill(b, newSpace(1), 0, numbered("element:", 0, n))
			b.ReportAllocs()
			members := 0
			for b.Loop() {
				var batch Batch
				for it := v.Iter(); it.Next(&batch); {
					members += len(batch.Members())
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(members), "ns/member")
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{20, 1000, 1_000_000} {
		for name, prefix := range map[string]string{"integers": "", "strings": "element:"} {
			b.Run(fmt.Sprintf("members=%d/%s", n, name), func(b *testing.B) {
				sp, lim := newSpace(1), limits(512)
				var members [][]byte
				for _, m := range numbered(prefix, 0, n) {
					members = append(members, []byte(m))
				}
				v := New(sp)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if i == n {
						b.StopTimer()
						v.Free()
						i = 0
						b.StartTimer()
					}
					v.Add(lim, members[i])
					i++
				}
			})
		}
	}
}

func BenchmarkContains(b *testing.B) {
	for _, n := range []int{20, 1000, 1_000_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			members := numbered("element:", 0, n)
			v := fill(b, newSpace(1), 0, members)
			asked := make([][]byte, 1024)
			for i := range asked {
				asked[i] = []byte(members[i*7919%n])
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if !v.Contains(asked[i%1024]) {
					b.Fatal("lost")
				}
			}
		})
	}
}

func BenchmarkPop(b *testing.B) {
	v := fill(b, newSpace(1), 0, numbered("element:", 0, 1_000_000))
	lim := limits(0)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		e := v.Random()
		buf = e.Append(buf[:0])
		v.Remove(buf)
		v.Add(lim, buf)
	}
}
