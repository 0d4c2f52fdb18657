package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Deadline bounds every wait for a server: to start, to answer, to log, to stop. It is far longer than any of these
// takes, even on a loaded machine under the race detector: only what would never happen takes as long.
const Deadline = 2 * time.Minute

// pollEvery is the pause between two looks at a condition.
const pollEvery = 2 * time.Millisecond

// Server is a running server process.
type Server struct {
	Path string // executable
	Args []string
	Port int
	Dir  string // working directory; holds the log
	Pid  int

	logPath string
	done    chan struct{} // closed when the process has ended
	state   *os.ProcessState
	cmd     *exec.Cmd
}

// Need returns the path of redis-server. Without one the test is skipped, or fails where CI=true.
func Need(t testing.TB) string {
	t.Helper()
	name := os.Getenv("REDIS_SERVER")
	if name == "" {
		name = "redis-server"
	}
	return NeedTool(t, name)
}

// NeedTool returns the path of a program such as redis-cli. Without it the test is skipped, or fails where CI=true.
func NeedTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is needed: %v", name, err)
	default:
		t.Skipf("%s is needed: %v", name, err)
	}
	return ""
}

// Redis starts a redis-server that saves nothing. Each of args is one command-line argument.
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	return mustStart(t, Need(t), append([]string{"--save", "", "--enable-debug-command", "yes"}, args...))
}

// Shoal builds shoal-server, once per test process, and starts it.
func Shoal(t testing.TB, args ...string) *Server {
	t.Helper()
	return mustStart(t, ShoalPath(t), append([]string{"--save", "", "--enable-debug-command", "yes"}, args...))
}

func mustStart(t testing.TB, path string, args []string) *Server {
	t.Helper()
	s, err := Start(path, t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	s.KillAfter(t)
	return s
}

// KillAfter kills the server when the test ends, which fails if the server has crashed.
func (s *Server) KillAfter(t testing.TB) {
	t.Cleanup(func() {
		s.Kill()
		if report := s.CrashReport(); report != "" {
			t.Errorf("the server has crashed:\n%s", report)
		}
	})
}

// Start runs the server at path in dir on a free port of 127.0.0.1 and waits until it answers PING. Arguments override
// the port and the address.
func Start(path, dir string, args ...string) (*Server, error) {
	const attempts = 10
	var err error
	for range attempts {
		var port int
		if port, err = FreePort(); err != nil {
			return nil, err
		}
		all := append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir}, args...)
		var s *Server
		if s, err = Spawn(path, dir, all...); err != nil {
			return nil, err
		}
		s.Port = port
		if err = s.waitReady(); err == nil {
			return s, nil
		}
		s.Kill()
		if !s.portTaken() {
			break
		}
	}
	return nil, err
}

// Spawn runs the program at path in dir with exactly these arguments and waits for nothing. Its output goes to a
// file in dir.
func Spawn(path, dir string, args ...string) (*Server, error) {
	logPath := filepath.Join(dir, "stdout.log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot make the server's log: %w", err)
	}
	defer log.Close()
	s := &Server{Path: path, Args: args, Dir: dir, logPath: logPath, done: make(chan struct{})}
	s.cmd = exec.Command(path, args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, log, log
	s.cmd.SysProcAttr = processAttr()
	started := make(chan error)
	go s.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", path, err)
	}
	return s, nil
}

// run starts the process and waits for its end on one thread: the kernel's "die with your parent" means the thread that
// started the process.
func (s *Server) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := s.cmd.Start()
	if err == nil {
		s.Pid = s.cmd.Process.Pid
	}
	started <- err
	if err != nil {
		return
	}
	_ = s.cmd.Wait() // the exit status is kept in ProcessState
	s.state = s.cmd.ProcessState
	close(s.done)
}

// The ports that FreePort chooses from. They lie below those that Linux gives to outgoing connections and to listeners that leave
// the choice to it, so that none of these takes the port before the server listens on it.
const (
	firstPort = 11000
	allPorts  = 20000
)

// portsTried counts the ports that FreePort has looked at, so that it returns none twice.
var portsTried atomic.Int64

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on. Processes that run at the same time begin at different ones.
func FreePort() (int, error) {
	var err error
	for range 1000 {
		port := firstPort + (int64(os.Getpid())*997+portsTried.Add(1))%allPorts
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.FormatInt(port, 10))); err == nil {
			return int(port), l.Close()
		}
	}
	return 0, fmt.Errorf("cannot find a free port: %w", err)
}

// waitReady waits for any reply to PING, also an error (NOAUTH), on the Unix socket if there is no port.
func (s *Server) waitReady() error {
	network, addr := s.Address()
	for end := time.Now().Add(Deadline); time.Now().Before(end); time.Sleep(pollEvery) {
		select {
		case <-s.done:
			return fmt.Errorf("%s %q ended at its start (%v):\n%s", s.Path, s.Args, s.state, s.Log())
		default:
		}
		if s.saysReady() && s.ping(network, addr) == nil {
			return nil
		}
	}
	s.quit()
	return fmt.Errorf("%s %q does not answer PING:\n%s", s.Path, s.Args, s.Log())
}

// quit ends a process that hangs so that a Go program logs what its goroutines do.
func (s *Server) quit() {
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // fails only if the process has ended
	select {
	case <-s.done:
	case <-time.After(Deadline):
	}
}

// saysReady tells whether the log says that the server is ready: whoever answers PING may be another process on the same
// port. A server that logs little or elsewhere is believed.
func (s *Server) saysReady() bool {
	return s.arg("loglevel") != "" || s.arg("logfile") != "" || strings.Contains(s.Log(), "eady to accept") // "Ready", "now ready"
}

func (s *Server) ping(network, addr string) error {
	c, err := Dial(network, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	reply, err := c.Do("PING")
	if err != nil {
		return err
	}
	if reply[0] != '+' && reply[0] != '-' {
		return fmt.Errorf("PING was answered with %q", reply)
	}
	return nil
}

// portTaken tells whether the server ended as its port was taken.
func (s *Server) portTaken() bool {
	log := s.Log()
	return strings.Contains(log, "already in use") || strings.Contains(log, "Failed listening on port")
}

// arg returns the last value given for a directive on the command line, or "".
func (s *Server) arg(name string) string {
	for i, a := range slices.Backward(s.Args) {
		if a == "--"+name && i+1 < len(s.Args) {
			return s.Args[i+1]
		}
	}
	return ""
}

// Address returns the network and address to dial: the port given on the command line, or the Unix socket if that is 0.
func (s *Server) Address() (network, addr string) {
	port := s.arg("port")
	if port == "0" {
		return "unix", s.arg("unixsocket")
	}
	return "tcp", net.JoinHostPort("127.0.0.1", port)
}

// Log returns all that the server has written to stdout and stderr.
func (s *Server) Log() string {
	b, err := os.ReadFile(s.logPath)
	if err != nil {
		return err.Error()
	}
	return string(bytes.ToValidUTF8(b, []byte("?")))
}

// crashes are what a Go program, or redis-server, says when it is broken.
var crashes = []string{"panic: ", "fatal error: ", "runtime error", "WARNING: DATA RACE", "BUG REPORT START"}

// CrashReport returns the beginning of a crash report in the log, or "".
func (s *Server) CrashReport() string {
	const most = 8000
	log := s.Log()
	for _, text := range crashes {
		if i := strings.Index(log, text); i >= 0 {
			return log[i:min(len(log), i+most)]
		}
	}
	return ""
}

// WaitLog waits until the log contains text.
func (s *Server) WaitLog(t testing.TB, text string) {
	t.Helper()
	WaitFor(t, fmt.Sprintf("%q in the log", text), func() bool { return strings.Contains(s.Log(), text) })
}

// Signal sends sig to the process. A process that has ended is no error.
func (s *Server) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatalf("cannot send %v: %v", sig, err)
	}
}

// Stop sends SIGTERM and waits for the end.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.Signal(t, syscall.SIGTERM)
	s.Wait(t)
}

// Wait waits until the process has ended and returns its exit status, -1 for a signal.
func (s *Server) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-s.done:
		return s.state.ExitCode()
	case <-time.After(Deadline):
		t.Fatalf("%s does not end:\n%s", s.Path, s.Log())
	}
	return 0
}

// Ended tells whether the process has ended.
func (s *Server) Ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Kill ends the process at once, and its children: redis-server's go on writing when it has gone.
func (s *Server) Kill() {
	if !s.Ended() {
		_ = syscall.Kill(-s.Pid, syscall.SIGKILL) // fails only if the process has ended
	}
	<-s.done
}

// WaitFor polls until ok returns true, and fails the test if that takes longer than Deadline.
func WaitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Deadline); !ok(); time.Sleep(pollEvery) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %v: %s", Deadline, what)
		}
	}
}
