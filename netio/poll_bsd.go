//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package netio

import (
	"time"

	"github.com/panjf2000/gnet/v2/pkg/socket"
	"golang.org/x/sys/unix"
)

// forget removes the conn's socket from the poller. gnet's kqueue poller cannot, but the kernel forgets a
// descriptor that is closed: so the socket moves to another one.
func (l *pollLoop) forget(c *Conn) error {
	fd, err := unix.FcntlInt(uintptr(c.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	l.conns[c.fd] = nil
	_ = unix.Close(c.fd)
	c.fd = fd
	l.place(c)
	return nil
}

// muteListener cannot remove the listener's socket from the poller: it breaks the loop's spinning at least.
func (l *pollLoop) muteListener(int) { time.Sleep(time.Millisecond) }

// tuneAccepted sets what these systems do not let an accepted socket inherit.
func tuneAccepted(fd, keepAliveSec int) {
	_ = socket.SetNoDelay(fd, 1)
	_ = setKeepAlive(fd, keepAliveSec)
}
