package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// startOn starts a program on a set of CPUs and closes exited when it has ended. The program dies with
// this process, however that ends.
//
// Both properties belong to the thread that starts it: a child inherits its affinity and dies with it. So
// one thread does nothing but this as long as the program runs.
func startOn(cmd *exec.Cmd, cpus []int, exited chan<- struct{}) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread, pinned as it is, ends with the goroutine
		err := pin(cpus)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err == nil {
			cmd.Wait()
			close(exited)
		}
	}()
	return <-started
}

// pin restricts the thread to a set of CPUs; none means any.
func pin(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("cannot pin to CPUs %v: %w", cpus, err)
	}
	return nil
}

// pinAll restricts all threads of this process, and those that they start, to a set of CPUs, as far as that works,
// until the function that it returns is called.
func pinAll(cpus []int) (undo func()) {
	var before, set unix.CPUSet
	if len(cpus) == 0 || unix.SchedGetaffinity(0, &before) != nil {
		return func() {}
	}
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	all := func(to *unix.CPUSet) {
		threads, _ := os.ReadDir("/proc/self/task")
		for _, t := range threads {
			if id, err := strconv.Atoi(t.Name()); err == nil {
				_ = unix.SchedSetaffinity(id, to) // a thread that has ended
			}
		}
	}
	all(&set)
	return func() { all(&before) }
}
