package netio

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"

	"github.com/panjf2000/gnet/v2/pkg/socket"
	"golang.org/x/sys/unix"
)

// A listener is one listening address. For TCP each reactor has a socket of its own (SO_REUSEPORT), so that the kernel
// spreads the work of accepting; a unix socket is reactor 0's.
type listener struct {
	network string // "tcp" or "unix"
	addr    net.Addr
	fds     []int // by reactor
	opts    *Options
	tls     bool
	down    atomic.Bool // shut: failures to accept are to be expected
}

// fd is the socket on which reactor i accepts, -1 if there is none.
func (l *listener) fd(i int) int {
	if i < len(l.fds) {
		return l.fds[i]
	}
	return -1
}

// openListener binds and listens.
func openListener(network, addr string, perm os.FileMode, o *Options, keepAliveSec int) (*listener, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		return listenTCP(network, addr, o, keepAliveSec)
	case "unix":
		return listenUnix(addr, perm, o)
	}
	return nil, fmt.Errorf("netio: cannot listen on network %q", network)
}

func listenTCP(network, addr string, o *Options, keepAliveSec int) (*listener, error) {
	tcp, err := net.ResolveTCPAddr(network, addr)
	if err != nil {
		return nil, err
	}
	family, sa := sockaddrOf(tcp, network == "tcp6")
	l := &listener{network: "tcp", opts: o}
	share := o.Reactors > 1
	if share && tcp.Port != 0 {
		// SO_REUSEPORT would let us join another process that listens there: ask without it first.
		fd, err := bindTCP(family, sa, false, o.Backlog)
		if err != nil {
			return nil, listenError(network, addr, err)
		}
		_ = unix.Close(fd)
	}
	for range o.Reactors {
		fd, err := bindTCP(family, sa, share, o.Backlog)
		if err != nil {
			l.abandon()
			return nil, listenError(network, addr, err)
		}
		l.fds = append(l.fds, fd)
		if l.addr == nil { // port 0: the others bind to the port that the first was given
			bound, err := unix.Getsockname(fd)
			if err != nil {
				l.abandon()
				return nil, listenError(network, addr, err)
			}
			sa, l.addr = bound, net.TCPAddrFromAddrPort(addrPort(bound))
		}
	}
	l.setKeepAlive(keepAliveSec)
	return l, nil
}

func bindTCP(family int, sa unix.Sockaddr, share bool, backlog int) (int, error) {
	fd, err := newSocket(family)
	if err != nil {
		return -1, err
	}
	steps := []func() error{
		func() error { return socket.SetReuseAddr(fd, 1) },
		func() error {
			if !share {
				return nil
			}
			return socket.SetReuseport(fd, 1)
		},
		func() error { // "::" is v6 alone, as 0.0.0.0 is listened on beside it
			if family != unix.AF_INET6 {
				return nil
			}
			return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
		},
		func() error { return socket.SetNoDelay(fd, 1) }, // accepted sockets inherit it
		func() error { return os.NewSyscallError("bind", unix.Bind(fd, sa)) },
		func() error { return os.NewSyscallError("listen", unix.Listen(fd, backlog)) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			_ = unix.Close(fd)
			return -1, err
		}
	}
	return fd, nil
}

func listenUnix(path string, perm os.FileMode, o *Options) (*listener, error) {
	fd, err := newSocket(unix.AF_UNIX)
	if err != nil {
		return nil, listenError("unix", path, err)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		_ = os.Remove(path) // else bind fails
	}
	err = os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrUnix{Name: path}))
	if err == nil && perm != 0 {
		err = os.Chmod(path, perm)
	}
	if err == nil {
		err = os.NewSyscallError("listen", unix.Listen(fd, o.Backlog))
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, listenError("unix", path, err)
	}
	return &listener{network: "unix", addr: &net.UnixAddr{Name: path, Net: "unix"}, fds: []int{fd}, opts: o}, nil
}

func listenError(network, addr string, err error) error {
	return &net.OpError{Op: "listen", Net: network, Addr: textAddr{network, addr}, Err: err}
}

type textAddr struct{ network, addr string }

func (a textAddr) Network() string { return a.network }
func (a textAddr) String() string  { return a.addr }

// newSocket makes a blocking stream socket: io_uring wants it so, the other engine changes it.
func newSocket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	unix.CloseOnExec(fd)
	return fd, nil
}

// setKeepAlive sets the sockets' keepalive; on Linux accepted sockets inherit it.
func (l *listener) setKeepAlive(sec int) {
	if l.network != "tcp" {
		return
	}
	for _, fd := range l.fds {
		_ = setKeepAlive(fd, sec) // conns do without it where the system does
	}
}

// setKeepAlive gives up on a silent peer after twice sec seconds: three probes, a third of sec apart.
func setKeepAlive(fd, sec int) error {
	if sec <= 0 {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0)
	}
	return socket.SetKeepAlive(fd, true, sec, max(sec/3, 1), 3)
}

// shut makes the sockets stop listening at once, where the system can, and removes a unix socket's file.
// The reactors close them later.
func (l *listener) shut() {
	l.down.Store(true)
	for _, fd := range l.fds {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR) // not all systems do so for listening sockets
	}
	if l.network == "unix" {
		_ = os.Remove(l.addr.String()) // someone else may have
	}
}

// abandon closes a listener that no reactor knows.
func (l *listener) abandon() {
	l.shut()
	for _, fd := range l.fds {
		_ = unix.Close(fd)
	}
}

func sockaddrOf(a *net.TCPAddr, six bool) (int, unix.Sockaddr) {
	if ip := a.IP.To4(); ip != nil || a.IP == nil && !six {
		sa := &unix.SockaddrInet4{Port: a.Port}
		copy(sa.Addr[:], ip)
		return unix.AF_INET, sa
	}
	sa := &unix.SockaddrInet6{Port: a.Port}
	copy(sa.Addr[:], a.IP.To16())
	if a.Zone != "" {
		if i, err := net.InterfaceByName(a.Zone); err == nil {
			sa.ZoneId = uint32(i.Index)
		}
	}
	return unix.AF_INET6, sa
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// addrString asks the kernel for the address of the peer, or our own.
func addrString(c *Conn, remote bool) string {
	get := unix.Getsockname
	if remote && !c.IsUnix() {
		get = unix.Getpeername
	}
	sa, err := get(c.fd)
	if err != nil || c.flags&flagClosed != 0 {
		return "?:0"
	}
	if u, ok := sa.(*unix.SockaddrUnix); ok {
		return u.Name + ":0"
	}
	if ap := addrPort(sa); ap.IsValid() {
		return ap.String()
	}
	return "?:0"
}
