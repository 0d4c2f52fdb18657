package zset

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/member"
)

func noPause(int) {}

type scoredName struct {
	name  string
	score float64
}

// descending returns n members as an RDB file has them; every seventh has the score of the one before.
func descending(n int) []scoredName {
	list := make([]scoredName, n)
	for i := range list {
		k := n - i
		list[i] = scoredName{fmt.Sprintf("member:%09d", k), float64(k - k%7%2)}
	}
	if n > 2 {
		list[0].score, list[n-1].score = math.Inf(1), math.Inf(-1)
	}
	return list
}

// A sorted set that is built of members in any order is the one that ZADD makes of them.
func TestBuilder(t *testing.T) {
	orders := map[string]func(list []scoredName){
		"descending": func([]scoredName) {},
		"ascending":  slices.Reverse[[]scoredName],
		"mixed": func(list []scoredName) { // from the middle on
			for i := len(list) / 2; i < len(list); i++ {
				j := len(list)/2 + (i*7919)%(len(list)-len(list)/2)
				list[i], list[j] = list[j], list[i]
			}
		},
	}
	for order, change := range orders {
		for _, n := range []int{0, 1, 2, 4, 5, 9, 10, 42, 83, 84, 85, 168, 169, 4200, 4201, 9_000, 220_000} {
			if n > 9_000 && (order != "descending" || invariants.Enabled) { // from 210,000 on a tree has another level
				continue
			}
			sp := types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1)
			list := descending(n)
			change(list)
			v := build(t, sp, list, n)
			if err := Check(sp, v.Root()); err != nil {
				t.Fatalf("%d members, %s: %v", n, order, err)
			}
			one, _ := newLarge(sp)
			for _, m := range list {
				_, _, _ = one.addLarge([]byte(m.name), m.score, 0)
			}
			if got, want := Bytes(sp, v.Root(), 0), Bytes(sp, one.Root(), 0); got > want {
				t.Errorf("%d members, %s: %d bytes, added one by one %d", n, order, got, want)
			}
			a, b := v.Ascend(0, n), one.Ascend(0, n)
			for range n {
				e, score, _ := a.Next()
				want, wantScore, _ := b.Next()
				if string(e.Bytes) != string(want.Bytes) || score != wantScore {
					t.Fatalf("%d members, %s: %q %v, want %q %v", n, order, e.Bytes, score, want.Bytes, wantScore)
				}
			}
			grow(t, &v, n)
			v.Free()
			one.Free()
			if left := sp.Arena.CountObjects(); left != 0 {
				t.Fatalf("%d blocks are left", left)
			}
		}
	}
}

func build(t *testing.T, sp *types.Space, list []scoredName, announced int) Value {
	t.Helper()
	var b Builder
	if err := b.Begin(sp, announced, noPause); err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if err := b.Add([]byte(m.name), m.score); err != nil {
			t.Fatal(err)
		}
	}
	v, err := b.Finish()
	if err != nil || v.Len() != len(list) {
		t.Fatalf("%d of %d members: %v", v.Len(), len(list), err)
	}
	return v
}

// grow adds members everywhere and removes others.
func grow(t *testing.T, v *Value, n int) {
	t.Helper()
	for i := range min(n, 2000) {
		if _, _, err := v.addLarge(fmt.Append(nil, "new:", i), float64(i*n/2000), 0); err != nil {
			t.Fatal(err)
		}
		v.Remove(fmt.Appendf(nil, "member:%09d", i))
	}
	if err := Check(v.sp, v.Root()); err != nil {
		t.Fatal(err)
	}
}

func TestBuilderFindsWhatIsThereTwice(t *testing.T) {
	for _, n := range []int{1, 31, 84, 85, 500} {
		for _, score := range []float64{-1, 1e9} { // in order, and not
			sp := types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1)
			var b Builder
			_ = b.Begin(sp, n, noPause)
			for i := range n {
				if err := b.Add(fmt.Append(nil, i), float64(n-i)); err != nil {
					t.Fatal(err)
				}
			}
			err := b.Add([]byte("0"), score)
			if err == nil {
				_, err = b.Finish()
			}
			if err != member.ErrTwice {
				t.Fatal(err)
			}
			b.Free()
			if left := sp.Arena.CountObjects(); left != 0 {
				t.Fatalf("%d blocks are left", left)
			}
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	const n = 1_000_000
	list := descending(n)
	b.Run("by=builder", func(b *testing.B) {
		for b.Loop() {
			var z Builder
			_ = z.Begin(types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1), n, noPause)
			for i := range list {
				_ = z.Add([]byte(list[i].name), list[i].score)
			}
			if _, err := z.Finish(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/member")
	})
	b.Run("by=add", func(b *testing.B) {
		for b.Loop() {
			v, _ := newLarge(types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1))
			for i := range list {
				_, _, _ = v.addLarge([]byte(list[i].name), list[i].score, NX)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/member")
	})
}
