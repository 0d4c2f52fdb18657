//go:build linux && (amd64 || arm64)

package uring

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Probe tries on a small ring what a server will do, and says what the kernel grants or why it does not work: some
// sandboxes allow the set-up and forbid the rest.
func Probe() (granted string, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread goes, and the registered ring with it
		granted, err = probe()
	}()
	<-done
	if err != nil {
		err = explain(err)
	}
	return granted, err
}

func probe() (string, error) {
	r, err := New(8)
	if err != nil {
		return "", err
	}
	defer r.Close()
	_ = r.RegisterFiles(8) // a server does without if the kernel refuses
	bufs, err := r.NewBufRing(1, 8, 4096, 8)
	if err != nil {
		return "", err
	}
	defer bufs.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("socketpair: %w", err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	if err := probeRecv(r, bufs, pair); err != nil {
		return "", err
	}
	return r.Describe() + " multishot_recv", nil
}

var probeMessage = []byte("hello") // not on a stack

// probeRecv sends a message through a multishot receive.
func probeRecv(r *Ring, bufs *BufRing, pair [2]int) error {
	const recv, send = 1, 2
	r.Recv(FD(pair[0]), 1, true, recv)
	if err := r.Poll(false); err != nil { // it finds nothing and has to wait
		return err
	}
	r.Send(FD(pair[1]), probeMessage, send)
	for range 10 {
		if err := r.Wait(100 * time.Millisecond); err != nil {
			return err
		}
		for i := range r.Completions() {
			c := r.Completion(i)
			switch {
			case c.Res < 0:
				return fmt.Errorf("multishot receive or send: %w", unix.Errno(-c.Res))
			case c.UserData == recv:
				bid, ok := c.Buffer()
				if !ok || !c.More() || !bytes.Equal(bufs.Bytes(bid, int(c.Res)), probeMessage) {
					return errors.New("the kernel has no multishot receive")
				}
				return nil
			}
		}
		r.Seen(r.Completions())
	}
	return errors.New("a receive did not complete")
}

// explain adds what an administrator would want to know.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w (no support in the kernel, or a seccomp profile)", err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		if b, e := os.ReadFile("/proc/sys/kernel/io_uring_disabled"); e == nil && strings.TrimSpace(string(b)) != "0" {
			return fmt.Errorf("%w (kernel.io_uring_disabled is %s)", err, strings.TrimSpace(string(b)))
		}
		return fmt.Errorf("%w (forbidden, as by a container's seccomp profile)", err)
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w (memory limit, see ulimit -l)", err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w (Linux 6.0 or later is needed)", err)
	}
	return err
}
