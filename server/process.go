package server

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/server/config"
)

// reservedFiles are the file descriptors that the server needs besides its clients'.
const reservedFiles = 32

// raiseOpenFiles raises the limit on open files so that n clients fit, as far as it may, and returns how many do.
func raiseOpenFiles(n int) int {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return n
	}
	want := uint64(n + reservedFiles)
	if uint64(l.Cur) < want {
		raised := l
		raised.Cur = want
		raised.Max = max(raised.Max, want)
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) != nil {
			raised.Max = l.Max
			raised.Cur = l.Max
			unix.Setrlimit(unix.RLIMIT_NOFILE, &raised)
		}
		unix.Getrlimit(unix.RLIMIT_NOFILE, &l)
	}
	return int(min(uint64(l.Cur), want)) - reservedFiles
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

const oomScoreFile = "/proc/self/oom_score_adj"

// readOOMScore returns the process' out-of-memory score adjustment, 0 where there is none.
func readOOMScore() int {
	b, err := os.ReadFile(oomScoreFile)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// oomScore is what is known of the process' out-of-memory score adjustment. Settings are changed one at a time.
type oomScore struct {
	adjusted bool // by us
	base     int  // what it was before
}

// apply sets the adjustment as oom-score-adj says. If that is no it leaves it alone, but for what it has done itself.
func (o *oomScore) apply(v *config.Values) error {
	if v.OOMScoreAdj == config.OOMScoreAdjNo && !o.adjusted {
		return nil
	}
	if !o.adjusted {
		o.base = readOOMScore()
	}
	score := o.base
	switch v.OOMScoreAdj {
	case config.OOMScoreAdjRelative:
		score = min(max(o.base+v.OOMScoreAdjValues[0], -1000), 1000)
	case config.OOMScoreAdjAbsolute:
		score = v.OOMScoreAdjValues[0]
	}
	o.adjusted = v.OOMScoreAdj != config.OOMScoreAdjNo
	if score == readOOMScore() {
		return nil
	}
	if err := os.WriteFile(oomScoreFile, []byte(strconv.Itoa(score)), 0); err != nil {
		return fmt.Errorf("Failed to apply new oom_score_adj configuration, check server logs.")
	}
	return nil
}

// setTitle shows in the process list what proc-title-template asks for.
func (s *Server) setTitle(v *config.Values) {
	if !v.SetProcTitle {
		return
	}
	if err := setProcessTitle(v.ProcTitle(os.Args[0], s.cfg.File())); err != nil {
		s.log.Verbosef("Cannot set the process title: %v", err)
	}
}

// daemonMark in the environment tells a process that it is the daemon.
const daemonMark = "SHOAL_DAEMON"

// Daemonize starts the same program again in a session of its own, without a terminal, and returns true in the process
// that did so, which should end. The Go runtime cannot fork.
func Daemonize() (parent bool, err error) {
	if os.Getenv(daemonMark) != "" {
		os.Unsetenv(daemonMark)
		return false, nil
	}
	exe, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("cannot find the program to run as a daemon: %w", err)
	}
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), daemonMark+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("cannot start the daemon: %w", err)
	}
	return true, nil
}

// notifySupervisor tells systemd about the server's state, if it is supervised
// (https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html).
func notifySupervisor(v *config.Values, state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" || v.Supervised != config.SupervisedSystemd && v.Supervised != config.SupervisedAuto {
		return
	}
	if path[0] == '@' {
		path = "\x00" + path[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(state))
}
