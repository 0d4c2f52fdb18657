package set

import (
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/types/member"
)

func noPause(int) {}

// A set that is built has the members, and takes the memory, of one to which they were added one by one.
func TestBuilder(t *testing.T) {
	for _, n := range []int{0, 1, 10, 11, 31, 32, 33, 100, 105, 111, 641, 700, 5_345} {
		for _, announced := range []int{n, n / 3, 0} {
			sp := newSpace(uint64(n))
			var b Builder
			if err := b.Begin(sp, announced, noPause); err != nil {
				t.Fatal(err)
			}
			one := NewTable(sp)
			for i := range n {
				text := fmt.Appendf(nil, "member:%d", i*7919)
				if err := b.Add(text); err != nil {
					t.Fatal(err)
				}
				if added, err := one.addText(text); !added || err != nil {
					t.Fatal(added, err)
				}
			}
			v, err := b.Finish()
			if err != nil || v.Len() != n {
				t.Fatalf("%d of %d members: %v", v.Len(), n, err)
			}
			if err := Check(sp, v.Root()); err != nil {
				t.Fatal(err)
			}
			if got, want := v.table.Bytes(), one.table.Bytes(); got != want && announced > 0 {
				t.Errorf("%d members, %d announced: the table takes %d bytes, built one by one %d", n, announced, got, want)
			}
			for i := range n {
				if !v.Contains(fmt.Appendf(nil, "member:%d", i*7919)) {
					t.Fatalf("member %d of %d is missing", i, n)
				}
			}
			v.Free()
			one.Free()
			if left := sp.Arena.CountObjects(); left != 0 {
				t.Fatalf("%d blocks are left", left)
			}
		}
	}
}

// A member that comes twice is found out, and Free leaves nothing.
func TestBuilderFindsWhatIsThereTwice(t *testing.T) {
	for _, n := range []int{2, 33, 1000} {
		for _, first := range []int{0, n / 2, n - 1} {
			sp := newSpace(1)
			var b Builder
			_ = b.Begin(sp, n+1, noPause)
			var err error
			for i := 0; i < n && err == nil; i++ {
				err = b.Add(fmt.Append(nil, i))
			}
			if err != nil {
				t.Fatal(err)
			}
			if err = b.Add(fmt.Append(nil, first)); err == nil {
				_, err = b.Finish()
			}
			if err != member.ErrTwice {
				t.Fatalf("%d members, %d twice: %v", n, first, err)
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
	names := make([][]byte, n)
	for i := range names {
		names[i] = fmt.Appendf(nil, "member:%013d", i)
	}
	b.Run("by=builder", func(b *testing.B) {
		for b.Loop() {
			sp := newSpace(1)
			var s Builder
			_ = s.Begin(sp, n, noPause)
			for _, name := range names {
				_ = s.Add(name)
			}
			if _, err := s.Finish(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/member")
	})
	b.Run("by=add", func(b *testing.B) {
		for b.Loop() {
			v := NewTable(newSpace(1))
			for _, name := range names {
				_, _ = v.addText(name)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/member")
	})
}
