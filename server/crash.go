package server

import (
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// maxStacks bounds what a crash report shows of the goroutines, bytes.
const maxStacks = 256 << 10

// reportAborts writes a crash report when the process gets SIGABRT, as a supervisor sends it to a server that hangs,
// and then ends by it.
func (s *Server) reportAborts() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGABRT)
	go func() {
		for range signals {
			s.crash(syscall.SIGABRT)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// crash writes a report to the log and ends the process by a signal.
func (s *Server) crash(sig syscall.Signal) {
	s.log.Warningf("Shoal %s crashed by signal: %d", Version, sig)
	stacks := make([]byte, maxStacks)
	stacks = stacks[:runtime.Stack(stacks, true)]
	s.log.Warningf("------ STACK TRACE ------")
	for line := range strings.Lines(string(stacks)) {
		s.log.Warningf("%s", strings.TrimRight(line, "\n"))
	}
	s.log.Flush()
	signal.Reset(sig)
	syscall.Kill(os.Getpid(), sig)
}
