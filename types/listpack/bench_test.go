package listpack

import (
	"fmt"
	"testing"
)

func filled(b *testing.B, n int) (m model) {
	m = model{t: b, a: newArena()}
	for i := range n {
		m.b.Append(m.a, fmt.Appendf(nil, "element-%08d", i))
	}
	return m
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{8, 128, 512} {
		b.Run(fmt.Sprintf("elements=%d", n), func(b *testing.B) {
			m := filled(b, n)
			lp, missing := m.b.Bytes(m.a), []byte("element-99999999")
			b.ReportAllocs()
			for b.Loop() {
				Find(lp, First(lp), missing, 0)
			}
		})
	}
}

func BenchmarkWalk(b *testing.B) {
	m := filled(b, 128)
	lp := m.b.Bytes(m.a)
	b.ReportAllocs()
	for b.Loop() {
		for pos := First(lp); pos != 0; pos = Next(lp, pos) {
			_ = Get(lp, pos)
		}
	}
}

func BenchmarkAppendDelete(b *testing.B) {
	for _, n := range []int{8, 128} {
		b.Run(fmt.Sprintf("elements=%d", n), func(b *testing.B) {
			m := filled(b, n)
			elem := []byte("element-00000000")
			b.ReportAllocs()
			for b.Loop() {
				m.b.Append(m.a, elem)
				m.b.Delete(m.a, First(m.b.Bytes(m.a)), 1)
			}
		})
	}
}

func BenchmarkValidate(b *testing.B) {
	m := filled(b, 128)
	lp := m.b.Bytes(m.a)
	b.SetBytes(int64(len(lp)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Validate(lp, true); err != nil {
			b.Fatal(err)
		}
	}
}
