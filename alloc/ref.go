package alloc

import (
	"sync/atomic"
	"unsafe"

	"github.com/shoaldb/shoal/internal/invariants"
)

// Ref names a block of one arena: page number << 11 | offset in the page in 8-byte granules.
// The zero Ref names nothing.
type Ref uint32

const (
	granuleBits = pageShift - granuleShift // of a Ref
	granuleMask = 1<<granuleBits - 1

	// Page numbers are below this. The last one of a Ref is spared so that the end of a
	// span is a Ref too.
	maxPages = 1<<(32-granuleBits) - 1
)

// peekTable is the page table as readers without the lock see it. A table that has grown is
// replaced by a bigger copy; the old one keeps working for whoever still holds it.
type peekTable struct {
	// Page addresses. The array is allocated as uintptrs, so the garbage collector does not
	// scan it; reading them as pointers spares a conversion that vet objects to.
	pages []unsafe.Pointer
}

// ptr is the owner's translation. It panics for a Ref beyond the page table.
func (a *Arena) ptr(r Ref) unsafe.Pointer {
	return unsafe.Add(a.pages[r>>granuleBits], uintptr(r&granuleMask)<<granuleShift)
}

// Bytes returns the first n bytes of the block r, which must have been asked for with n or
// more. They alias arena memory and die at Free.
func (a *Arena) Bytes(r Ref, n int) []byte {
	if invariants.Enabled {
		a.checkView(r, n)
	}
	return (*[MaxAlloc]byte)(a.ptr(r))[:n:n]
}

// At returns a view of the block r as a T, which must hold no Go pointers and fit into what
// was asked for. It dies at Free.
func At[T any](a *Arena, r Ref) *T {
	if invariants.Enabled {
		a.checkView(r, int(unsafe.Sizeof(*new(T))))
	}
	return (*T)(a.ptr(r))
}

// Behind returns n bytes of the block r from offset off on: Bytes(r, off+n)[off:] for a caller that has the block's beginning
// already, in p = At(a, r).
func Behind[T any](a *Arena, r Ref, p *T, off, n int) []byte {
	if invariants.Enabled {
		a.checkView(r, off+n)
	}
	return (*[MaxAlloc]byte)(unsafe.Add(unsafe.Pointer(p), off))[:n:n]
}

// Elem returns a view of element i of the block r as an array of Ts; see At.
func Elem[T any](a *Arena, r Ref, i int) *T {
	size := unsafe.Sizeof(*new(T))
	if invariants.Enabled {
		a.checkView(r, (i+1)*int(size))
	}
	return (*T)(unsafe.Add(a.ptr(r), uintptr(i)*size))
}

// Addr returns the address of r, 0 if there is none. Unlike everything else of an Arena it
// may be called without the lock and for a Ref that is stale or garbage: what stands at the
// address is then arbitrary, but peekSlack bytes of it can be read without a fault.
func (a *Arena) Addr(r Ref) uintptr {
	pages := a.peek.Load().pages
	page := int(r >> granuleBits)
	if page >= len(pages) {
		return 0
	}
	base := uintptr(atomic.LoadPointer(&pages[page]))
	if base == 0 {
		return 0
	}
	return base + uintptr(r&granuleMask)<<granuleShift
}

// PtrAt views the memory at an address that Addr returned.
func PtrAt[T any](addr uintptr) *T { return (*T)(pointer(addr)) }

// PtrBytes views n <= 16 KiB of memory at an address that Addr returned.
func PtrBytes(addr uintptr, n int) []byte { return (*[MaxAlloc]byte)(pointer(addr))[:n:n] }
