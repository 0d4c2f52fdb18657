package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/netio"
	"github.com/shoaldb/shoal/server/config"
)

// listenAll opens the TCP and Unix sockets of v. At least one must open.
func (s *Server) listenAll(v *config.Values) error {
	if (v.Port == 0 && v.TLS.Port == 0 || len(v.Bind) == 0) && v.UnixSocket == "" {
		return errors.New("Configured to not listen anywhere, exiting.")
	}
	if err := s.openPorts([]tcpKind{plainTCP, tlsTCP}, v); err != nil {
		return err
	}
	s.port.Store(int64(firstPort(v)))
	if v.UnixSocket == "" {
		return nil
	}
	os.Remove(v.UnixSocket)
	addr, err := s.engine.Listen("unix", v.UnixSocket, os.FileMode(v.UnixSocketPerm))
	if err != nil {
		return fmt.Errorf("Failed opening Unix socket: %s", reasonOf(err))
	}
	s.unixAddr = addr
	return nil
}

// tcpKind tells what is spoken on a TCP port.
type tcpKind int

const (
	plainTCP tcpKind = iota
	tlsTCP
	tcpKinds
)

func (k tcpKind) String() string { return [...]string{"TCP", "TLS"}[k] }

func (k tcpKind) port(v *config.Values) int { return [...]int{v.Port, v.TLS.Port}[k] }

// firstPort is the port that the server gives as its own.
func firstPort(v *config.Values) int {
	if v.Port != 0 {
		return v.Port
	}
	return v.TLS.Port
}

// listenTCP opens the kind's port, if it has one, on every address of v.Bind. An address with a leading '-' may be missing.
func (s *Server) listenTCP(kind tcpKind, v *config.Values) ([]net.Addr, error) {
	port := kind.port(v)
	if port == 0 {
		return nil, nil
	}
	var addrs []net.Addr
	for _, bind := range v.Bind {
		host, optional := strings.CutPrefix(bind, "-")
		network, host := tcpNetwork(host)
		addr, err := s.listenPatiently(kind, network, net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			addrs = append(addrs, addr)
			continue
		}
		if optional && missingAddress(err) {
			continue
		}
		s.log.Warningf("Warning: Could not create server TCP listening socket %s:%d: %s", strings.TrimPrefix(bind, "-"), port, reasonOf(err))
		s.unlisten(addrs)
		return nil, fmt.Errorf("Failed listening on port %d (%s), aborting.", port, kind)
	}
	return addrs, nil
}

// listenPatiently opens a socket, and tries again for a moment if the address is in use: the kernel gives up the ring of a
// process that was killed, and with it its sockets, a little after the process itself.
func (s *Server) listenPatiently(kind tcpKind, network, addr string) (net.Addr, error) {
	const (
		patience = 500 * time.Millisecond
		pause    = 20 * time.Millisecond
	)
	listen := func() (net.Addr, error) { return s.engine.Listen(network, addr, 0) }
	if kind == tlsTCP {
		listen = func() (net.Addr, error) { return s.engine.ListenTLS(network, addr) }
	}
	for waited := time.Duration(0); ; waited += pause {
		a, err := listen()
		if !errors.Is(err, syscall.EADDRINUSE) || waited >= patience {
			return a, err
		}
		time.Sleep(pause)
	}
}

func tcpNetwork(host string) (network, addr string) {
	switch {
	case host == "*":
		return "tcp4", "0.0.0.0"
	case host == "::*":
		return "tcp6", "::"
	case strings.Contains(host, ":"):
		return "tcp6", host
	}
	return "tcp", host
}

// missingAddress tells whether err means that the machine has no such address or protocol.
func missingAddress(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) ||
		errors.Is(err, syscall.EPROTONOSUPPORT) || errors.Is(err, syscall.ENOPROTOOPT)
}

// reasonOf returns the system's words for err, as Redis logs them.
func reasonOf(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		switch errno {
		case syscall.EADDRINUSE:
			return "bind: Address already in use"
		case syscall.EADDRNOTAVAIL:
			return "bind: Cannot assign requested address"
		case syscall.EACCES:
			return "bind: Permission denied"
		case syscall.ENOENT:
			return "bind: No such file or directory"
		}
		return errno.Error()
	}
	return err.Error()
}

// changeListeners moves the TCP sockets to new ports or other addresses. Connections stay. New sockets are open before
// the old ones are closed, unless they need their ports.
func (s *Server) changeListeners(old, v *config.Values) error {
	rebind := !slices.Equal(old.Bind, v.Bind)
	clash := rebind || v.Port != 0 && v.Port == old.TLS.Port || v.TLS.Port != 0 && v.TLS.Port == old.Port
	var moving []tcpKind
	for kind := range tcpKinds {
		if rebind || kind.port(old) != kind.port(v) {
			moving = append(moving, kind)
		}
	}
	before := s.tcp
	if clash {
		s.closePorts(&s.tcp, moving)
	}
	err := s.openPorts(moving, v)
	switch {
	case err == nil && !clash:
		s.closePorts(&before, moving)
	case err != nil && clash:
		_ = s.openPorts(moving, old) // it was open a moment ago
	}
	switch {
	case err == nil:
		s.port.Store(int64(firstPort(v)))
		return nil
	case rebind:
		return errors.New("Failed to bind to specified addresses.")
	}
	return errors.New("Unable to listen on this port. Check server logs.")
}

// openPorts opens the ports of some kinds, or none of them.
func (s *Server) openPorts(kinds []tcpKind, v *config.Values) error {
	open := s.tcp
	for i, kind := range kinds {
		addrs, err := s.listenTCP(kind, v)
		if err != nil {
			s.closePorts(&open, kinds[:i])
			return err
		}
		open[kind] = addrs
	}
	s.tcp = open
	return nil
}

func (s *Server) closePorts(open *[tcpKinds][]net.Addr, kinds []tcpKind) {
	for _, kind := range kinds {
		s.unlisten(open[kind])
		open[kind] = nil
	}
}

func (s *Server) unlisten(addrs []net.Addr) {
	for _, a := range addrs {
		if err := s.engine.Unlisten(a); err != nil {
			s.log.Warningf("Cannot stop listening on %s: %v", a, err)
		}
	}
}

// errProtected is what a client from elsewhere reads in protected mode.
const errProtected command.Error = "DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. " +
	"In this mode connections are only accepted from the loopback interface. " +
	"If you want to connect from external computers to Redis you may adopt one of the following solutions: " +
	"1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. " +
	"2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. " +
	"3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. " +
	"4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside."

// protects tells whether protected mode keeps c out: there is no password and c comes from elsewhere.
func (s *Server) protects(c *netio.Conn) bool {
	return s.cfg.Load().ProtectedMode && s.users.Default().Rules().NoPassword() && !isLocal(c)
}

// isLocal tells whether c comes from this machine: over a Unix socket, or from 127.0.0.1 or ::1, the two addresses that
// Redis takes for local.
func isLocal(c *netio.Conn) bool {
	if c.IsUnix() {
		return true
	}
	host, _, err := net.SplitHostPort(c.RemoteAddr())
	return err == nil && (host == "127.0.0.1" || host == "::1")
}
