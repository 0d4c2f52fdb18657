package alloc

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// discard drops the memory behind a range, which then reads as zero.
func discard(addr, n uintptr) (ok bool) {
	return unix.Madvise(unsafe.Slice((*byte)(pointer(addr)), n), unix.MADV_DONTNEED) == nil
}

// adviseHuge asks for huge pages, or for none. Kernels without them refuse, which is no error.
func adviseHuge(addr, n uintptr, on bool) {
	advice := unix.MADV_NOHUGEPAGE
	if on {
		advice = unix.MADV_HUGEPAGE
	}
	_ = unix.Madvise(unsafe.Slice((*byte)(pointer(addr)), n), advice)
}

// populate brings memory in without changing it. Kernels before 5.14 refuse; then the first
// touch does it.
func populate(addr, n uintptr) {
	_ = unix.Madvise(unsafe.Slice((*byte)(pointer(addr)), n), unix.MADV_POPULATE_WRITE)
}

// remap resizes a standalone mapping and may move it. Pages are moved, not copied.
func remap(addr, n, newN uintptr) (newAddr uintptr, ok bool) {
	p, err := unix.MremapPtr(pointer(addr), n, nil, newN, unix.MREMAP_MAYMOVE)
	return uintptr(p), err == nil
}
