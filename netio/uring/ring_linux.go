//go:build linux && (amd64 || arm64)

package uring

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Ring is a submission and a completion ring. It belongs to the locked OS thread that made it.
type Ring struct {
	fd         int
	enterFD    uintptr // index of the registered ring, or fd
	enterFlags uintptr
	flags      uint32 // of set-up, as granted
	fixedFiles int    // slots of the file table

	ringMem, sqeMem []byte

	sqHead, sqTail *uint32
	sqMask         uint32
	sqEntries      uint32
	sqNext         uint32 // our tail, published at submission
	sqes           []SQE

	cqHead, cqTail *uint32
	cqMask         uint32
	cqes           []CQE

	arg geteventsArg
	ts  timespec

	fileArg int32
}

// flagSets are tried in order: newer kernels grant more.
var flagSets = [...]struct {
	flags uint32
	names string
}{
	{setupSubmitAll | setupCoopTaskrun | setupSingleIssuer | setupDeferTaskrun, "single_issuer defer_taskrun coop_taskrun submit_all"},
	{setupSubmitAll | setupCoopTaskrun | setupSingleIssuer, "single_issuer coop_taskrun submit_all"},
	{setupSubmitAll | setupCoopTaskrun, "coop_taskrun submit_all"},
}

// New makes a ring with room for entries requests and four times as many completions. The calling goroutine
// must be locked to its thread, which alone may use the ring.
func New(entries uint32) (*Ring, error) {
	var p params
	var fd uintptr
	var errno unix.Errno
	for _, set := range flagSets {
		p = params{flags: set.flags | setupCQSize | setupClamp, cqEntries: 4 * entries}
		fd, _, errno = unix.Syscall(unix.SYS_IO_URING_SETUP, uintptr(entries), uintptr(unsafe.Pointer(&p)), 0)
		if errno != unix.EINVAL {
			break
		}
	}
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	unix.CloseOnExec(int(fd))
	r := &Ring{fd: int(fd), enterFD: fd, flags: p.flags}
	if need := uint32(featSingleMmap | featNoDrop | featExtArg); p.features&need != need {
		r.Close()
		return nil, errors.New("io_uring_setup: the kernel is too old")
	}
	if err := r.mapRings(&p); err != nil {
		r.Close()
		return nil, err
	}
	r.registerRingFD()
	return r, nil
}

func (r *Ring) mapRings(p *params) error {
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_SHARED
	size := max(int(p.sqOff.array)+int(p.sqEntries)*4, int(p.cqOff.cqes)+int(p.cqEntries)*int(unsafe.Sizeof(CQE{})))
	var err error
	if r.ringMem, err = unix.Mmap(r.fd, offSQRing, size, prot, flags); err != nil {
		return fmt.Errorf("mmap of the rings: %w", err)
	}
	if r.sqeMem, err = unix.Mmap(r.fd, offSQEs, int(p.sqEntries)*int(unsafe.Sizeof(SQE{})), prot, flags); err != nil {
		return fmt.Errorf("mmap of the requests: %w", err)
	}
	r.sqHead, r.sqTail = r.word(p.sqOff.head), r.word(p.sqOff.tail)
	r.sqMask, r.sqEntries = *r.word(p.sqOff.ringMask), p.sqEntries
	r.sqes = unsafe.Slice((*SQE)(unsafe.Pointer(&r.sqeMem[0])), p.sqEntries)
	for i := range p.sqEntries { // entry i of the indirection is and stays request i
		*r.word(p.sqOff.array + 4*i) = i
	}
	r.cqHead, r.cqTail = r.word(p.cqOff.head), r.word(p.cqOff.tail)
	r.cqMask = *r.word(p.cqOff.ringMask)
	r.cqes = unsafe.Slice((*CQE)(unsafe.Pointer(&r.ringMem[p.cqOff.cqes])), p.cqEntries)
	r.sqNext = atomic.LoadUint32(r.sqTail)
	return nil
}

func (r *Ring) word(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.ringMem[off])) }

// registerRingFD saves the kernel a look-up per call. It matters little, so failure is no error.
func (r *Ring) registerRingFD() {
	up := rsrcUpdate{offset: ^uint32(0), data: uint64(r.fd)}
	n, errno := r.register(registerRingFDs, unsafe.Pointer(&up), 1)
	if errno == 0 && n == 1 {
		r.enterFD, r.enterFlags = uintptr(up.offset), enterRegisteredRing
	}
}

func (r *Ring) register(op uintptr, arg unsafe.Pointer, n uintptr) (uintptr, unix.Errno) {
	res, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), op, uintptr(arg), n, 0, 0)
	return res, errno
}

// Close gives the ring back. The kernel cancels what is still under way, but not at once: memory lent to it must
// outlive that, so let requests complete first.
func (r *Ring) Close() {
	if r.ringMem != nil {
		_ = unix.Munmap(r.ringMem)
	}
	if r.sqeMem != nil {
		_ = unix.Munmap(r.sqeMem)
	}
	r.ringMem, r.sqeMem, r.sqes, r.cqes = nil, nil, nil, nil
	_ = unix.Close(r.fd)
}

// Describe lists what the kernel has granted.
func (r *Ring) Describe() string {
	var d []string
	for _, set := range flagSets {
		if r.flags&set.flags == set.flags {
			d = append(d, set.names)
			break
		}
	}
	if r.enterFlags != 0 {
		d = append(d, "registered_ring")
	}
	if r.fixedFiles > 0 {
		d = append(d, "fixed_files")
	}
	return strings.Join(d, " ")
}

// RegisterFiles makes an empty table of n fixed files, for SetFile.
func (r *Ring) RegisterFiles(n int) error {
	reg := rsrcRegister{nr: uint32(n), flags: rsrcRegisterSparse}
	if _, errno := r.register(registerFiles2, unsafe.Pointer(&reg), unsafe.Sizeof(reg)); errno != 0 {
		return fmt.Errorf("io_uring_register of %d files: %w", n, errno)
	}
	r.fixedFiles = n
	return nil
}

// SetFile puts fd into the slot of the file table, or empties it if fd is -1. The table holds a reference of its own:
// closing fd alone does not close a socket that is in the table.
func (r *Ring) SetFile(slot, fd int) error {
	r.fileArg = int32(fd)
	up := filesUpdate{offset: uint32(slot), fds: uint64(uintptr(unsafe.Pointer(&r.fileArg)))} // r is on the heap
	if _, errno := r.register(registerFilesUpdate, unsafe.Pointer(&up), 1); errno != 0 {
		return fmt.Errorf("io_uring_register of file %d: %w", slot, errno)
	}
	return nil
}

// sqe is the next free request, zeroed. It is submitted by the next Submit, Poll or Wait, and on its own if
// there is no room for more.
func (r *Ring) sqe() *SQE {
	for r.sqNext-atomic.LoadUint32(r.sqHead) >= r.sqEntries {
		if err := r.Poll(true); err != nil {
			panic(fmt.Sprintf("uring: submission of %d requests failed: %v", r.sqEntries, err))
		}
	}
	s := &r.sqes[r.sqNext&r.sqMask]
	r.sqNext++
	*s = SQE{}
	return s
}

// Queued counts the requests that wait for submission.
func (r *Ring) Queued() uint32 { return r.sqNext - atomic.LoadUint32(r.sqHead) }

// Poll submits what is queued and lets the kernel post completions, without waiting for any. If raw, the Go scheduler is
// not told: cheaper, but a stop-the-world then waits for the call, so it must be a short one.
func (r *Ring) Poll(raw bool) error {
	n := r.publish()
	var errno unix.Errno
	if raw {
		_, _, errno = unix.RawSyscall6(unix.SYS_IO_URING_ENTER, r.enterFD, n, 0, enterGetEvents|r.enterFlags, 0, 0)
	} else {
		_, _, errno = unix.Syscall6(unix.SYS_IO_URING_ENTER, r.enterFD, n, 0, enterGetEvents|r.enterFlags, 0, 0)
	}
	return enterError(errno)
}

// Wait submits what is queued and waits for a completion if there is none, up to the timeout.
func (r *Ring) Wait(timeout time.Duration) error {
	timeout = max(timeout, 0)
	r.ts = timespec{sec: int64(timeout / time.Second), nsec: int64(timeout % time.Second)}
	r.arg = geteventsArg{ts: uint64(uintptr(unsafe.Pointer(&r.ts)))} // r is on the heap
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, r.enterFD, r.publish(), 1,
		enterGetEvents|enterExtArg|r.enterFlags, uintptr(unsafe.Pointer(&r.arg)), unsafe.Sizeof(r.arg))
	return enterError(errno)
}

// publish shows the kernel the queued requests and counts them.
func (r *Ring) publish() uintptr {
	atomic.StoreUint32(r.sqTail, r.sqNext)
	return uintptr(r.Queued())
}

// enterError drops what is no error: a timeout, a signal, a shortage that passes once completions were taken.
func enterError(errno unix.Errno) error {
	switch errno {
	case 0, unix.ETIME, unix.EINTR, unix.EAGAIN, unix.EBUSY, unix.ENOMEM:
		return nil
	}
	return fmt.Errorf("io_uring_enter: %w", errno)
}

// Completions counts the completions that wait to be taken.
func (r *Ring) Completions() uint32 {
	return atomic.LoadUint32(r.cqTail) - atomic.LoadUint32(r.cqHead)
}

// Completion is the i-th completion that waits. It stays valid until Seen.
func (r *Ring) Completion(i uint32) *CQE {
	return &r.cqes[(atomic.LoadUint32(r.cqHead)+i)&r.cqMask]
}

// Seen gives the first n completions' slots back to the kernel.
func (r *Ring) Seen(n uint32) { atomic.StoreUint32(r.cqHead, atomic.LoadUint32(r.cqHead)+n) }
