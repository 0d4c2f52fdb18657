//go:build unix

package alloc

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// pointer makes a pointer of an address outside the Go heap. The sum with nil is the form
// that go vet and checkptr accept without the address taking a detour through memory.
func pointer(addr uintptr) unsafe.Pointer { return unsafe.Add(nil, addr) }

// mapMemory returns n zero bytes of private memory; 0 when refused.
func mapMemory(n uintptr) (addr uintptr, ok bool) {
	p, err := unix.MmapPtr(-1, 0, nil, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	return uintptr(p), err == nil
}

func unmapMemory(addr, n uintptr) {
	// It fails only when the number of mappings is exhausted; then the range stays mapped and
	// costs address space, or memory that the process is about to run out of anyway.
	_ = unix.MunmapPtr(pointer(addr), n)
}

// mapChunks maps n contiguous chunks followed by peekSlack bytes.
func mapChunks(n int) (addr uintptr, ok bool) {
	size := uintptr(n)*chunkSize + peekSlack
	raw, ok := mapMemory(size + chunkSize)
	if !ok {
		return 0, false
	}
	addr = (raw + chunkSize - 1) &^ (chunkSize - 1)
	if addr > raw {
		unmapMemory(raw, addr-raw)
	}
	if end, rawEnd := addr+size, raw+size+chunkSize; end < rawEnd {
		unmapMemory(end, rawEnd-end)
	}
	return addr, true
}
