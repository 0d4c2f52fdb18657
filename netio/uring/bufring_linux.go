//go:build linux && (amd64 || arm64)

package uring

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A BufRing is a group of equal buffers that receive requests draw from, each in its turn. Its memory is mapped apart
// from the Go heap, and a page of it costs nothing until it is first filled: so a ring begins with some of its buffers,
// and the others come with [BufRing.More].
type BufRing struct {
	mem, slotMem []byte
	slots        []buf
	size         int
	used         int // buffers that are in the ring or out of it
	tail         uint16
	bid0         uint16 // the bid in slot 0, published with the tail
}

// NewBufRing makes n buffers (a power of two) of size bytes and registers them as the group, which begins with the first few.
func (r *Ring) NewBufRing(group uint16, n, size, first int) (*BufRing, error) {
	b := &BufRing{size: size}
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANON
	var err error
	if b.slotMem, err = unix.Mmap(-1, 0, n*int(unsafe.Sizeof(buf{})), prot, flags); err != nil {
		return nil, fmt.Errorf("mmap of the buffer ring: %w", err)
	}
	if b.mem, err = unix.Mmap(-1, 0, n*size, prot, flags); err != nil {
		b.Close()
		return nil, fmt.Errorf("mmap of the receive buffers: %w", err)
	}
	_ = unix.Madvise(b.mem, unix.MADV_NOHUGEPAGE) // a huge page would be touched whole
	b.slots = unsafe.Slice((*buf)(unsafe.Pointer(&b.slotMem[0])), n)
	reg := bufReg{ringAddr: uint64(uintptr(unsafe.Pointer(&b.slotMem[0]))), ringEntries: uint32(n), bgid: group}
	if _, errno := r.register(registerPBufRing, unsafe.Pointer(&reg), 1); errno != 0 {
		b.Close()
		return nil, fmt.Errorf("io_uring_register of a buffer ring: %w", errno)
	}
	b.use(first)
	b.Publish()
	return b, nil
}

// More doubles the number of buffers in use, as of the next Publish, if there are more.
func (b *BufRing) More() { b.use(min(2*b.used, len(b.slots))) }

func (b *BufRing) use(n int) {
	for ; b.used < n; b.used++ {
		b.Put(uint16(b.used))
	}
}

// Close unmaps the buffers. The ring they were registered with must be closed, or all receives complete.
func (b *BufRing) Close() {
	if b.mem != nil {
		_ = unix.Munmap(b.mem)
	}
	_ = unix.Munmap(b.slotMem)
	b.mem, b.slotMem, b.slots = nil, nil, nil
}

// Bytes are the first n bytes of a buffer that a completion named.
func (b *BufRing) Bytes(bid uint16, n int) []byte {
	start := int(bid) * b.size
	return b.mem[start : start+n : start+n]
}

// Size is that of one buffer.
func (b *BufRing) Size() int { return b.size }

// Put gives a buffer back, as of the next Publish.
func (b *BufRing) Put(bid uint16) {
	i := int(b.tail) & (len(b.slots) - 1)
	s := &b.slots[i]
	s.addr, s.len = uint64(uintptr(unsafe.Pointer(&b.mem[int(bid)*b.size]))), uint32(b.size)
	if i == 0 {
		b.bid0 = bid // its word holds the tail too: Publish writes both
	} else {
		s.bidTail = uint32(bid)
	}
	b.tail++
}

// Publish shows the kernel the buffers that were put back.
func (b *BufRing) Publish() {
	atomic.StoreUint32(&b.slots[0].bidTail, uint32(b.bid0)|uint32(b.tail)<<16)
}
