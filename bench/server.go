package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/bench/load"
	"github.com/shoaldb/shoal/internal/certs"
)

// Contender is a server that can be started.
type Contender struct {
	Label   string   `json:"label"`
	Command []string `json:"command"` // program and arguments; port, directory and persistence are added
	CPUs    []int    `json:"cpus"`    // to run on; nil: any
	Env     []string `json:"env,omitempty"`
	TLS     bool     `json:"tls,omitempty"` // speaks TLS, and wants clients to show a certificate

	files string // folder of files that the server finds in its own when it starts; "": none
	forks bool   // saves in a child
}

// ParseContender splits a command line at its blanks.
func ParseContender(label, commandLine string, cpus []int) (Contender, error) {
	words := strings.Fields(commandLine)
	if len(words) == 0 {
		return Contender{}, fmt.Errorf("no command for server %s", label)
	}
	return Contender{Label: label, Command: words, CPUs: cpus}, nil
}

// Server is a contender that runs.
type Server struct {
	Contender
	Address string
	PID     int

	client   *load.Client
	tls      *tls.Config    // for clients; nil: plain text
	audience *load.Audience // nil: none
	cmd      *exec.Cmd
	dir      string
	log      bytes.Buffer
	exited   chan struct{}
}

const (
	startTimeout = time.Minute // with much to load
	stopTimeout  = 10 * time.Second
)

// Start starts a contender on a free port, in a temporary directory, without saves of its own accord, and waits
// until it answers PING, which it does when it has loaded what is there.
func Start(ctx context.Context, c Contender) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "shoal-bench-")
	if err != nil {
		return nil, err
	}
	s := &Server{Contender: c, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), dir: dir, exited: make(chan struct{})}
	if c.files != "" {
		if err := linkTree(dir, c.files); err != nil {
			os.RemoveAll(dir)
			return nil, err
		}
	}
	program := c.Command[0]
	if strings.Contains(program, "/") {
		if program, err = filepath.Abs(program); err != nil {
			return nil, err
		}
	}
	args := append(append([]string{}, c.Command[1:]...), "--bind", "127.0.0.1", "--dir", dir, "--save", "")
	if c.TLS {
		set, err := certs.NewSet(dir)
		if err != nil {
			return nil, err
		}
		args = append(append(args, "--port", "0", "--tls-port", strconv.Itoa(port)), set.ServerArgs()...)
		s.tls = set.ClientConfig(set.Client)
		s.tls.DynamicRecordSizingDisabled = true // batches in one record each
	} else {
		args = append(args, "--port", strconv.Itoa(port))
	}
	s.cmd = exec.Command(program, args...)
	s.cmd.Env = append(os.Environ(), c.Env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := startOn(s.cmd, c.CPUs, s.exited); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	s.PID = s.cmd.Process.Pid
	if err := s.ready(ctx); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%s did not start: %w\n%s", strings.Join(c.Command, " "), err, s.log.String())
	}
	return s, nil
}

// ready waits for the answer to PING.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		client, err := load.DialClient(load.Options{Address: s.Address, TLS: s.tls})
		if err == nil {
			if _, err = client.Do("PING"); err == nil {
				s.client = client
				return nil
			}
			client.Close()
		}
		select {
		case <-s.exited:
			return errors.New("it exited")
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop ends the server and removes its directory. It may be called twice.
func (s *Server) Stop() {
	s.end()
	os.RemoveAll(s.dir)
}

// end ends the server and returns its directory.
func (s *Server) end() (dir string) {
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		s.cmd.Process.Kill()
		<-s.exited
	}
	return s.dir
}

// Do sends the server a command beside the load.
func (s *Server) Do(args ...string) (any, error) { return s.client.Do(args...) }

// RSS is the server's resident memory in bytes.
func (s *Server) RSS() (int64, error) {
	u, err := load.ReadUsage(s.PID)
	if err != nil {
		return 0, err
	}
	return u.RSSBytes, nil
}

// Info gives the fields of INFO that have the names asked for; a field that the server does not have is left
// out.
func (s *Server) Info(names ...string) map[string]string {
	fields := map[string]string{}
	text, err := s.client.Text("INFO")
	if err != nil {
		return fields
	}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		for _, name := range names {
			if key == name {
				fields[key] = value
			}
		}
	}
	return fields
}

// freePort asks the kernel for a port that nobody uses.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
