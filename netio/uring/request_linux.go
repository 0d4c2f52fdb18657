//go:build linux && (amd64 || arm64)

package uring

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A File is what a request works on: a file descriptor, or a slot of the file table.
type File struct {
	n     int32
	flags uint8
}

// FD is a file by its descriptor.
func FD(fd int) File { return File{n: int32(fd)} }

// Fixed is a file by its slot in the table (SetFile).
func Fixed(slot int) File { return File{n: int32(slot), flags: sqeFixedFile} }

// Accept accepts connections until it fails or is cancelled; each completion's result is a new descriptor,
// close-on-exec.
func (r *Ring) Accept(f File, userData uint64) {
	s := r.sqe()
	s.opcode, s.fd, s.flags, s.userData = opAccept, f.n, f.flags, userData
	s.ioprio = acceptMultishot
	s.opFlags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
}

// Recv receives into buffers of the group, once or (multishot) until there is no buffer left, the peer is done, an
// error occurs or it is cancelled.
func (r *Ring) Recv(f File, group uint16, multishot bool, userData uint64) {
	s := r.sqe()
	s.opcode, s.fd, s.flags, s.userData = opRecv, f.n, f.flags|sqeBufferSelect, userData
	s.bufGroup = group
	if multishot {
		s.ioprio = recvMultishot
	}
}

// Send sends from b, waiting for the socket's buffer to take some; the result may be short. b is lent to the
// kernel until the completion.
func (r *Ring) Send(f File, b []byte, userData uint64) {
	s := r.sqe()
	s.opcode, s.fd, s.flags, s.userData = opSend, f.n, f.flags, userData
	s.addr, s.len = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))
	s.opFlags = unix.MSG_NOSIGNAL
}

// MaxVec is how many buffers a Msg holds.
const MaxVec = 16

// A Msg is a list of buffers for SendMsg. It must lie on the heap.
type Msg struct {
	hdr unix.Msghdr
	vec [MaxVec]unix.Iovec
	n   int
}

// Reset empties the list, so that it refers to nothing.
func (m *Msg) Reset() {
	clear(m.vec[:m.n])
	m.n = 0
}

// Add appends a buffer and reports whether there was room.
func (m *Msg) Add(b []byte) bool {
	if m.n == len(m.vec) {
		return false
	}
	m.vec[m.n].Base = unsafe.SliceData(b)
	m.vec[m.n].SetLen(len(b))
	m.n++
	return true
}

// SendMsg is Send for a list of buffers. m is lent to the kernel like the buffers.
func (r *Ring) SendMsg(f File, m *Msg, userData uint64) {
	m.hdr.Iov = &m.vec[0]
	m.hdr.SetIovlen(m.n)
	s := r.sqe()
	s.opcode, s.fd, s.flags, s.userData = opSendMsg, f.n, f.flags, userData
	s.addr, s.len = uint64(uintptr(unsafe.Pointer(&m.hdr))), 1
	s.opFlags = unix.MSG_NOSIGNAL
}

// Read reads into b, waiting for data. b is lent to the kernel until the completion.
func (r *Ring) Read(f File, b []byte, userData uint64) {
	s := r.sqe()
	s.opcode, s.fd, s.flags, s.userData = opRead, f.n, f.flags, userData
	s.addr, s.len = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), uint32(len(b))
	s.off = ^uint64(0)
}

// Cancel cancels the request that was queued with the user data target; that completes with ECANCELED unless it was
// just completing. Only if there was no such request is a completion posted for the cancellation itself.
func (r *Ring) Cancel(target, userData uint64) {
	s := r.sqe()
	s.opcode, s.fd, s.flags, s.userData = opAsyncCancel, -1, sqeCQESkipSuccess, userData
	s.addr = target
}
