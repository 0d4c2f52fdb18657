package alloc

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkAllocFree(b *testing.B) {
	for _, n := range []int{8, 64, 200, 1024, 4000, 64 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("size=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			a := NewArena(NewHeap())
			for b.Loop() {
				a.Free(a.Alloc(n), n)
			}
		})
	}
}

// BenchmarkReplaceRandom frees and allocates one of a million blocks, as SETs do that change
// a value's size.
func BenchmarkReplaceRandom(b *testing.B) {
	const n, size = 1 << 20, 64
	a := NewArena(NewHeap())
	refs := make([]Ref, n)
	for i := range refs {
		refs[i] = a.Alloc(size)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		i := rng.IntN(n)
		a.Free(refs[i], size)
		refs[i] = a.Alloc(size)
	}
}

func BenchmarkFill(b *testing.B) {
	b.ReportAllocs()
	a := NewArena(NewHeap())
	count := 0
	for b.Loop() {
		a.Alloc(64)
		if count++; count == 4<<20 {
			b.StopTimer()
			a = NewArena(NewHeap())
			count = 0
			b.StartTimer()
		}
	}
}

var sink uint64

func BenchmarkAtRandom(b *testing.B) {
	type entry struct{ words [8]uint64 }
	const n = 1 << 20
	a := NewArena(NewHeap())
	refs := make([]Ref, n)
	for i := range refs {
		refs[i] = a.AllocZero(64)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(n, func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
	for _, batch := range []int{1, 16} {
		b.Run(fmt.Sprintf("blocks=1M/prefetch=%d", batch), func(b *testing.B) {
			b.ReportAllocs()
			var addrs [16]uintptr
			i := 0
			for b.Loop() {
				if batch > 1 && i%batch == 0 {
					for k := range addrs {
						addrs[k] = a.Addr(refs[(i+k)&(n-1)])
					}
					Prefetch(addrs[:])
				}
				sink += At[entry](a, refs[i&(n-1)]).words[3]
				i++
			}
		})
	}
}

func BenchmarkAtHot(b *testing.B) {
	a := NewArena(NewHeap())
	r := a.AllocZero(64)
	for b.Loop() {
		sink += *At[uint64](a, r)
	}
}
