package alloc

import (
	"errors"
	"os"
	"unsafe"
)

// ErrNoMemory says that the operating system refused to map memory.
var ErrNoMemory = errors.New("cannot map memory: the operating system refused")

// Large is a mapping of its own, for a value of a megabyte or more. It holds no Go pointer,
// so it may be kept off-heap. Unlike arena memory it is unmapped when released: nobody may
// look at it without its owner's lock. The zero Large is empty.
type Large struct {
	addr uintptr
	size uintptr // bytes mapped, a multiple of the system's page size
}

func roundToOSPage(n int) uintptr {
	page := uintptr(os.Getpagesize())
	return (uintptr(n) + page - 1) &^ (page - 1)
}

// MapLarge maps at least n zero bytes. They cost no memory until they are touched, in the system's small pages: a client that
// has announced half a gigabyte and sent a few bytes must not hold a huge page.
func (h *Heap) MapLarge(n int) (Large, error) {
	l := Large{size: roundToOSPage(max(n, 1))}
	var ok bool
	if l.addr, ok = mapMemory(l.size); !ok {
		return Large{}, ErrNoMemory
	}
	h.largeBytes.Add(int64(l.size))
	return l, nil
}

// Cap returns how many bytes are mapped.
func (l *Large) Cap() int { return int(l.size) }

// Bytes returns the first n bytes. They die at Grow and ReleaseStep.
func (l *Large) Bytes(n int) []byte {
	return unsafe.Slice((*byte)(pointer(l.addr)), l.size)[:n:n]
}

// Elements returns the first n values of a type without pointers that l has room for. They die at Grow and ReleaseStep.
func Elements[T any](l *Large, n int) []T {
	if uintptr(n*SizeOf[T]()) > l.size {
		panic("alloc: elements beyond a mapping")
	}
	return unsafe.Slice((*T)(pointer(l.addr)), n)
}

// SizeOf returns how many bytes a value of type T takes.
func SizeOf[T any]() int { return int(unsafe.Sizeof(*new(T))) }

// Grow makes room for at least n bytes and may move them; new bytes are zero. When it fails
// nothing has changed. On Linux no byte is copied.
func (l *Large) Grow(h *Heap, n int) error {
	size := roundToOSPage(n)
	if size <= l.size {
		return nil
	}
	addr, ok := remap(l.addr, l.size, size)
	if !ok {
		return ErrNoMemory
	}
	h.largeBytes.Add(int64(size - l.size))
	l.addr, l.size = addr, size
	return nil
}

// ReleaseStep unmaps at most maxBytes, rounded up to the system's page size, from the end,
// and tells whether nothing is left. A megabyte takes some 30 µs.
func (l *Large) ReleaseStep(h *Heap, maxBytes int) (done bool) {
	if l.size == 0 {
		return true
	}
	n := min(roundToOSPage(max(maxBytes, 1)), l.size)
	unmapMemory(l.addr+l.size-n, n)
	h.largeBytes.Add(-int64(n))
	l.size -= n
	if l.size == 0 {
		l.addr = 0
	}
	return l.size == 0
}

// LargeBytes returns the bytes mapped for Large values. Any goroutine may ask.
func (h *Heap) LargeBytes() int64 { return h.largeBytes.Load() }
