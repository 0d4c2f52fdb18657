package command

import (
	"fmt"
	"testing"
)

func bitOf(b []byte, i int64) bool { return b[i/8]>>(7-i%8)&1 == 1 }

func TestBitScan(t *testing.T) {
	g := newGen(t)
	for range 5000 {
		b := []byte(g.bits())
		if len(b) == 0 {
			continue
		}
		n := int64(len(b)) * 8
		from := g.Int64N(n)
		to := from + 1 + g.Int64N(n-from)
		count, first := int64(0), [2]int64{-1, -1}
		for i := to - 1; i >= from; i-- {
			if bitOf(b, i) {
				count++
				first[1] = i
			} else {
				first[0] = i
			}
		}
		if got := countBitRange(b, from, to); got != count {
			t.Fatalf("%x: %d bits in [%d, %d), want %d", b, got, from, to, count)
		}
		for want, set := range []bool{false, true} {
			if got := findBit(b, from, to, set); got != first[want] {
				t.Fatalf("%x: first %v bit of [%d, %d) at %d, want %d", b, set, from, to, got, first[want])
			}
		}
	}
}

func TestCombine(t *testing.T) {
	g := newGen(t)
	ops := map[string]struct {
		run bitOperation
		of  func(a, b byte) byte
	}{
		"and": {andBytes, func(a, b byte) byte { return a & b }},
		"or":  {orBytes, func(a, b byte) byte { return a | b }},
		"xor": {xorBytes, func(a, b byte) byte { return a ^ b }},
	}
	for range 200 {
		var sources [][]byte
		longest := 0
		for range 1 + g.IntN(4) {
			b := make([]byte, g.IntN(g.pickInt(10, 200, 3*combineStep)))
			for i := range b {
				b[i] = byte(g.Uint32())
			}
			sources = append(sources, b)
			longest = max(longest, len(b))
		}
		for name, op := range ops {
			dst := make([]byte, longest)
			new(Ctx).combine(dst, op.run, sources)
			for i := range dst {
				at := func(s []byte) byte {
					if i < len(s) {
						return s[i]
					}
					return 0
				}
				want := at(sources[0])
				for _, s := range sources[1:] {
					want = op.of(want, at(s))
				}
				if dst[i] != want {
					t.Fatalf("%s: byte %d is %#x, want %#x", name, i, dst[i], want)
				}
			}
		}
		dst := make([]byte, len(sources[0]))
		new(Ctx).combine(dst, nil, sources)
		for i := range dst {
			if dst[i] != ^sources[0][i] {
				t.Fatalf("not: byte %d is %#x", i, dst[i])
			}
		}
	}
}

func TestBitfieldPutGet(t *testing.T) {
	g := newGen(t)
	for range 20000 {
		f := field{offset: g.Int64N(40), width: uint(1 + g.IntN(64)), signed: true}
		if f.signed = g.IntN(2) == 0 || f.width == 64; !f.signed {
			f.width = min(f.width, 63)
		}
		v := make([]byte, f.last()/8+1)
		for i := range v {
			v[i] = byte(g.Uint32())
		}
		was := append([]byte(nil), v...)
		n := f.wrap(g.Int64())
		f.put(v, n)
		if got := f.get(v); got != n {
			t.Fatalf("%+v: got %d, want %d", f, got, n)
		}
		for i := range int64(len(v)) * 8 {
			if (i < f.offset || i > f.last()) && bitOf(v, i) != bitOf(was, i) {
				t.Fatalf("%+v: bit %d has changed", f, i)
			}
		}
	}
}

func BenchmarkBits(b *testing.B) {
	const size = 64 << 20
	x, y, dst := make([]byte, size), make([]byte, size), make([]byte, size)
	run := func(name string, f func()) {
		b.Run(fmt.Sprintf("%s/bytes=%d", name, size), func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				f()
			}
		})
	}
	for i := range x {
		x[i] = 1
	}
	run("count", func() { countBits(x) })
	run("find", func() { findBit(y, 0, size*8, true) })
	run("and", func() { new(Ctx).combine(dst, andBytes, [][]byte{x, y}) })
	run("xor", func() { new(Ctx).combine(dst, xorBytes, [][]byte{x, y}) })
	run("not", func() { new(Ctx).combine(dst, nil, [][]byte{x}) })
}
