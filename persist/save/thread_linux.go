package save

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// giveWay gives the goroutine a thread of its own, which ends with it and which, when it wakes up, waits until a core
// is free or its turn has come (SCHED_BATCH, see sched(7)): others would else be interrupted after each rest. It gets
// as much time as others.
func giveWay() {
	runtime.LockOSThread()
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return
	}
	attr.Policy = unix.SCHED_BATCH
	_ = unix.SchedSetAttr(0, attr, 0) // where that is forbidden, it stays as it is
}

// rest sleeps, on the thread: of Go's timers, others would have to wake it.
func rest(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&ts, nil)
}
