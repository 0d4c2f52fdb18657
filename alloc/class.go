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

	maxSmall     = 128 << 10 // the largest size class; beyond, whole pages
	numClasses   = 96
	maxSpanPages = 16

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
// Classes are the multiples of 8 up to 128, then eight steps per doubling.
func classOf(n int) (c int, size int) {
	x := uint(n) - 1
	shift := uint(bits.Len(x|64)) - 4
	q := x >> (shift & 63)
	return int((shift-3)*8 + q), int((q + 1) << (shift & 63))
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
		pages := 1
		for !goodSpan(size, pages) {
			pages++
		}
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

// goodSpan tells whether slots of this size fill a span of this many pages up to 1/16 of
// it, or 1/12 for slots larger than a page: these would need spans too long for an arena
// that holds just one of them.
func goodSpan(size, pages int) bool {
	bytes := pages * PageSize
	if size > bytes {
		return false
	}
	waste := bytes % size
	if size > PageSize {
		return waste*12 <= bytes
	}
	return waste*16 <= bytes
}
