package load

import (
	"errors"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// start reads all connections on one thread, on the first of Options.CPUs, so that listening takes nothing of the
// server's CPU.
func (a *Audience) start(o *Options) error {
	l, err := newLoop(o, 0)
	if err != nil {
		return err
	}
	for range o.Conns {
		if err := l.dial(); err != nil {
			l.close()
			return err
		}
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { a.listen(l, stop) })
	a.close = sync.OnceFunc(func() {
		close(stop)
		running.Wait()
		l.close()
	})
	return nil
}

func (a *Audience) listen(l *loop, stop <-chan struct{}) {
	runtime.LockOSThread() // never unlocked, as in loop.run
	if err := l.prepareThread(); err != nil {
		a.fail(err)
		return
	}
	listeners := make([]listener, len(l.conns))
	for {
		select {
		case <-stop:
			return
		default:
		}
		n, err := l.wait(pollSlice)
		if err != nil {
			a.fail(err)
			return
		}
		for _, event := range l.events[:n] {
			if !a.read(l, &listeners[event.Fd], l.conns[event.Fd].fd) {
				a.fail(errNotSubscribed)
				return
			}
		}
	}
}

func (a *Audience) read(l *loop, from *listener, fd int) bool {
	n, err := unix.Read(fd, l.buf)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return true
	}
	if err != nil || n == 0 {
		return false
	}
	messages, ok := from.take(l.buf[:n])
	a.heard.Add(int64(messages))
	return ok
}
