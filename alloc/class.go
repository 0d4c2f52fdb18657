package alloc

import "math/bits"

const (
	pageShift = 14
	// PageSize is the unit in which arenas take memory from the heap, in bytes.
	PageSize = 1 << pageShift

	chunkShift = 21
	chunkSize  = 1 << chunkShift // what a huge page covers
	chunkPages = chunkSize / PageSize

	granuleShift = 3
	granule      = 1 << granuleShift // alignment and unit of a Ref, in bytes

	maxSmall   = 128 << 10 // the largest size class; beyond, whole pages
	numClasses = 112

	// MaxAlloc is the largest n Alloc takes, in bytes.
	MaxAlloc = 16 << 30
)

// class describes the spans of one size class.
type class struct {
	size     int // bytes per slot
	granules Ref // the same in granules
	end      Ref // granules of a span that make slots
	slots    int // slots per span
	pages    int // pages per span
}

var classes = buildClasses()

// classOf maps 1 <= n <= maxSmall to its size class and the class's slot size in bytes.
func classOf(n int) (c int, size int) {
	x := uint(n) - 1
	d := doublings[bits.Len(x)&31]
	q := x >> (d.shift & 63)
	return int(uint(d.base) + q), int((q + 1) << (d.shift & 63))
}

// doublings tells of sizes of the same length in bits, less 1, how far apart their classes are, as a shift, and the
// class before theirs less the number of steps. Classes are the multiples of 8 up to 128, then eight steps per
// doubling, but sixteen from 2 to 8 KiB: the sizes of most listpacks, which hardly change when they are full.
var doublings = buildDoublings()

type doubling struct{ shift, base uint8 }

func buildDoublings() (t [32]doubling) {
	const stepBits, fineStepBits = 3, 4
	next := uint(0) // the first class of a doubling
	for length := range uint(len(t)) {
		least := uint(1) << length >> 1
		steps := uint(stepBits)
		if least >= 2<<10 && least < 8<<10 {
			steps = fineStepBits
		}
		if length <= 7 { // up to 128 all classes are as far apart
			t[length] = doubling{shift: granuleShift}
			next = 1 << (7 - granuleShift)
			continue
		}
		t[length] = doubling{shift: uint8(length - 1 - steps), base: uint8(next - 1<<steps)}
		next += 1 << steps
	}
	return t
}

// isSmall tells whether classOf applies. It does not to 0, to keep it a single comparison.
func isSmall(n int) bool { return uint(n)-1 < maxSmall }

// UsableSize returns how many bytes a block asked for with n really has.
func UsableSize(n int) int {
	if n <= maxSmall {
		_, size := classOf(max(n, 1))
		return size
	}
	return (n + PageSize - 1) &^ (PageSize - 1)
}

func pagesFor(n int) int { return (n + PageSize - 1) >> pageShift }

func buildClasses() (t [numClasses]class) {
	for n := 1; n <= maxSmall; {
		c, size := classOf(n)
		pages := spanPages(size)
		slots := pages * PageSize / size
		t[c] = class{
			size:     size,
			granules: Ref(size >> granuleShift),
			end:      Ref(slots * size >> granuleShift),
			slots:    slots,
			pages:    pages,
		}
		n = size + 1
	}
	return t
}

// spanPages returns how many pages a span of slots of this size has: as few as waste 1/32 of it at most, or of up to 4 those
// that waste least. Longer spans would waste less when they are full, but an arena often holds just one of a class. Slots of more
// than half a page make do with 1/16, and those larger than a page with 1/12.
func spanPages(size int) int {
	const most = 4
	switch {
	case size > PageSize:
		return firstSpan(size, 12)
	case size > PageSize/2:
		return firstSpan(size, 16)
	}
	best := 1
	for pages := 1; pages <= most; pages++ {
		waste := pages * PageSize % size
		if waste*32 <= pages*PageSize {
			return pages
		}
		if waste*best < best*PageSize%size*pages {
			best = pages
		}
	}
	return best
}

// firstSpan returns the least number of pages of which slots of this size waste no more than a part of 1/share.
func firstSpan(size, share int) int {
	pages := pagesFor(size)
	for pages*PageSize%size*share > pages*PageSize {
		pages++
	}
	return pages
}
