package save

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// lowPriority makes the goroutine's thread give way to all others, for as long as the goroutine lives: the file has time.
func lowPriority() {
	runtime.LockOSThread() // and no unlocking: the thread ends with the goroutine
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 10)
}
