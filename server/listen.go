package server

import (
	"errors"
	"fmt"
	"net"
	"os"
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
	if (v.Port == 0 || len(v.Bind) == 0) && v.UnixSocket == "" {
		return errors.New("Configured to not listen anywhere, exiting.")
	}
	if v.Port != 0 {
		addrs, err := s.listenTCP(v)
		if err != nil {
			return err
		}
		s.tcpAddrs = addrs
	}
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

// listenTCP opens v.Port on every address of v.Bind. An address with a leading '-' may be missing.
func (s *Server) listenTCP(v *config.Values) ([]net.Addr, error) {
	var addrs []net.Addr
	port := v.Port
	for _, bind := range v.Bind {
		host, optional := strings.CutPrefix(bind, "-")
		network, host := tcpNetwork(host)
		addr, err := s.listenPatiently(network, net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			addrs = append(addrs, addr)
			port = addr.(*net.TCPAddr).Port // the kernel's choice, for the other addresses, too
			continue
		}
		if optional && missingAddress(err) {
			continue
		}
		s.log.Warningf("Warning: Could not create server TCP listening socket %s:%d: %s", strings.TrimPrefix(bind, "-"), port, reasonOf(err))
		for _, a := range addrs {
			s.engine.Unlisten(a)
		}
		return nil, fmt.Errorf("Failed listening on port %d (TCP), aborting.", v.Port)
	}
	s.port.Store(int64(port))
	return addrs, nil
}

// listenPatiently opens a socket, and tries again for a moment if the address is in use: the kernel gives up the ring of a
// process that was killed, and with it its sockets, a little after the process itself.
func (s *Server) listenPatiently(network, addr string) (net.Addr, error) {
	const (
		patience = 500 * time.Millisecond
		pause    = 20 * time.Millisecond
	)
	for waited := time.Duration(0); ; waited += pause {
		a, err := s.engine.Listen(network, addr, 0)
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

// changeListeners moves the TCP sockets to a new port or other addresses. Connections stay.
func (s *Server) changeListeners(old, v *config.Values) error {
	before := s.tcpAddrs
	if old.Port == v.Port { // the same port again: the old sockets must go first
		s.unlisten(before)
	}
	var addrs []net.Addr
	if v.Port != 0 {
		var err error
		if addrs, err = s.listenTCP(v); err != nil {
			if old.Port == v.Port {
				s.tcpAddrs, _ = s.listenTCP(old)
			}
			if old.Port != v.Port {
				return errors.New("Unable to listen on this port. Check server logs.")
			}
			return errors.New("Failed to bind to specified addresses.")
		}
	}
	if old.Port != v.Port {
		s.unlisten(before)
	}
	s.tcpAddrs = addrs
	s.port.Store(int64(v.Port))
	return nil
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
