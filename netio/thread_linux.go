package netio

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A threadClock reads the CPU time of a thread, from any thread.
type threadClock struct {
	tid atomic.Int32
}

// own makes it the calling thread's clock.
func (t *threadClock) own() { t.tid.Store(int32(unix.Gettid())) }

func (t *threadClock) read() time.Duration {
	tid := t.tid.Load()
	if tid == 0 {
		return 0
	}
	const perThread, sched = 4, 2 // how the kernel writes a thread's clock: see clock_getcpuclockid(3)
	var ts unix.Timespec
	if unix.ClockGettime(^tid<<3|perThread|sched, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// pinThread binds the calling thread to a CPU; a negative one leaves it free.
func pinThread(cpu int) error {
	if cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(cpu)
	return unix.SchedSetaffinity(0, &set)
}
