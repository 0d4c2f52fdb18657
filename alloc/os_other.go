//go:build unix && !linux

package alloc

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// discard drops the memory behind a range, which then reads as zero. It maps fresh pages over
// it: madvise promises neither elsewhere than on Linux. The exchange is atomic to readers.
func discard(addr, n uintptr) (ok bool) {
	_, err := unix.MmapPtr(-1, 0, pointer(addr), n,
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED)
	return err == nil
}

// adviseHuge does nothing: these systems decide by themselves.
func adviseHuge(addr, n uintptr, on bool) {}

// populate does nothing: without huge pages there is no need.
func populate(addr, n uintptr) {}

// remap resizes a standalone mapping by copying it into a new one.
func remap(addr, n, newN uintptr) (newAddr uintptr, ok bool) {
	newAddr, ok = mapMemory(newN)
	if !ok {
		return 0, false
	}
	keep := min(n, newN)
	copy(unsafe.Slice((*byte)(pointer(newAddr)), keep), unsafe.Slice((*byte)(pointer(addr)), keep))
	unmapMemory(addr, n)
	return newAddr, true
}
