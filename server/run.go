package server

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/server/config"
)

// Version is Shoal's own version; RedisVersion the one whose commands and formats it speaks.
const (
	Version      = "0.1.0"
	RedisVersion = "7.2.4"
)

// stopping is how a server is asked to end.
type stopping struct {
	status  int // of the process; not 0: at once
	flags   config.ShutdownFlags
	refused func() // is called if the server cannot end; may be nil
}

// Run serves until a signal or SHUTDOWN ends it, and returns the process' exit status. It sets the process' title, so
// os.Args must be copies of the process' arguments.
func (s *Server) Run() int {
	defer s.log.Close()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	v := s.cfg.Load()
	s.logStart(v)
	if err := s.prepare(v); err != nil {
		s.log.Warningf("%v", err)
		return 1
	}
	s.logMode(v)
	// Everything is ready before the first connection is taken.
	s.log.Noticef("Server initialized")
	if len(v.LoadModules) > 0 {
		s.log.Warningf("Can't load module from %s: server aborting. There are no modules for this server.", v.LoadModules[0][0])
		return 1
	}
	if err := s.findAOF(v); err != nil {
		s.logManifestError(err)
		return 1
	}
	if _, err := os.Stat(v.DBFilename); v.AppendOnly || err == nil {
		s.beginLoading(0) // or else the first client might be served before there are data
	}
	if err := s.engine.Start(); err != nil {
		s.log.Warningf("Cannot start the network engine: %v", err)
		return 1
	}
	defer startPrefaulter(s.ks.Heap())()
	defer s.migrations.close()
	defer s.reportAborts()()
	loaded := make(chan bool, 1)
	go func() { loaded <- s.loadAtStart(v) }()
	for {
		stop := s.wait(signals, loaded)
		if stop.status != 0 {
			s.engine.Stop()
			return stop.status
		}
		ready := make(chan struct{})
		go exitAtSecond(signals, ready, s)
		ok := s.lastSave(stop.flags)
		close(ready)
		if ok {
			return s.end()
		}
		s.log.Warningf("Errors trying to shut down the server. Check the logs for more information.")
		if stop.refused != nil {
			stop.refused()
		}
	}
}

// lastSave saves all data, if flags or the settings demand it. It reports false if that fails, and so the server has to
// go on. Writes wait from the cut on.
func (s *Server) lastSave(flags config.ShutdownFlags) bool {
	s.log.Warningf("User requested shutdown...")
	v := s.cfg.Load()
	notifySupervisor(v, "STOPPING=1\n")
	s.standBy()
	if s.saving.current.Load() != nil {
		s.log.Warningf("There is a snapshot being saved. Cancelling it!")
		s.cancelSave()
	}
	if !s.lastFlush(flags) {
		return false
	}
	if flags&config.ShutdownNoSave != 0 || flags&config.ShutdownSave == 0 && len(v.Save) == 0 || s.loading.active.Load() {
		return true
	}
	s.log.Noticef("Saving the final RDB snapshot before exiting.")
	notifySupervisor(v, "STATUS=Saving the final RDB snapshot\n")
	switch err := s.saveAndWait(); {
	case err == nil:
		return true
	case flags&config.ShutdownForce != 0:
		s.log.Warningf("Error trying to save the DB. Exit anyway.")
		return true
	}
	s.log.Warningf("Error trying to save the DB, can't exit.")
	notifySupervisor(v, "STATUS=Error trying to save the DB, can't exit.\n")
	s.endPause()
	return false
}

// lastFlush makes the append only file complete and durable. It reports false if that fails, and so the server has to go on.
func (s *Server) lastFlush(flags config.ShutdownFlags) bool {
	if !s.aof.on.Load() {
		return true
	}
	force := flags&config.ShutdownForce != 0
	if s.aof.partial.Load() {
		s.log.Warningf("Writing initial AOF. Can't exit.")
		if !force {
			s.endPause()
			return false
		}
	}
	s.log.Noticef("Calling fsync() on the AOF file.")
	err := s.flushAOF()
	if err == nil {
		return true
	}
	s.log.Warningf("Fail to fsync the AOF file: %v", err)
	if force {
		return true
	}
	s.endPause()
	return false
}

// prepare sets what the process is to the system, opens the listening sockets and writes the pid file.
func (s *Server) prepare(v *config.Values) error {
	if err := s.oomScore.apply(v); err != nil {
		s.log.Warningf("%v", err)
	}
	s.adjustMaxClients(v)
	s.setTitle(v)
	if err := s.startTLS(v); err != nil {
		return err
	}
	if err := s.listenAll(v); err != nil {
		return err
	}
	s.writePIDFile(v)
	return nil
}

// adjustMaxClients raises the limit on open files, or lowers maxclients to what it allows.
func (s *Server) adjustMaxClients(v *config.Values) {
	got := raiseOpenFiles(v.MaxClients)
	if got >= v.MaxClients {
		return
	}
	s.log.Warningf("You requested maxclients of %d requiring at least %d max file descriptors.", v.MaxClients, v.MaxClients+reservedFiles)
	s.log.Warningf("Server can't set maximum open files to %d because of OS error: operation not permitted.", v.MaxClients+reservedFiles)
	s.log.Warningf("Current maximum open files is %d. maxclients has been reduced to %d to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.", got+reservedFiles, got)
	s.cfg.Update(func(v *config.Values) { v.MaxClients = got })
}

func (s *Server) logStart(v *config.Values) {
	s.log.Warningf("oO0OoO0OoO0Oo Shoal is starting oO0OoO0OoO0Oo")
	s.log.Warningf("Shoal version=%s, redis_version=%s, bits=64, pid=%d, just started", Version, RedisVersion, os.Getpid())
	if len(os.Args) == 1 {
		s.log.Warningf("Warning: no config file specified, using the default config. In order to specify a config file use %s /path/to/redis.conf", os.Args[0])
	} else {
		s.log.Warningf("Configuration loaded")
	}
	for _, d := range s.cfg.Ineffective() {
		s.log.Noticef("The directive '%s' is accepted but has no effect: %s", d.Name, d.Reason)
	}
}

// logMode tells the log of a server that has its ports: scripts take the line with the PID for a sign of that.
func (s *Server) logMode(v *config.Values) {
	if v.AlwaysShowLogo || v.LogFile == "" && !v.SyslogEnabled && isTerminal(os.Stdout) {
		s.log.Raw(logo(v))
		return
	}
	s.log.Noticef("Running mode=standalone, port=%d.", firstPort(v))
	s.log.Noticef("PID: %d", os.Getpid())
}

func logo(v *config.Values) string {
	art := []string{
		`      ><(((º>     ><(((º>        Shoal ` + Version + ` (` + runtime.GOOS + `/` + runtime.GOARCH + `)`,
		`   ><(((º>   ><(((º>             Redis ` + RedisVersion + ` compatible, standalone mode`,
		`     ><(((º>    ><(((º>          Port: ` + fmt.Sprint(firstPort(v)),
		`  ><(((º>    ><(((º>             PID: ` + fmt.Sprint(os.Getpid()),
	}
	return "\n" + strings.Join(art, "\n") + "\n\n"
}

func (s *Server) logReady(v *config.Values) {
	s.log.Noticef("Network engine %s with %d reactors, %d shards: %s", s.engine.Name(), len(s.reactors), s.ks.Shards(), s.engine.Reason())
	if v.Port != 0 {
		s.log.Noticef("Ready to accept connections tcp")
	}
	if s.unixAddr != nil {
		s.log.Noticef("Ready to accept connections unix")
	}
	if v.TLS.Port != 0 {
		s.log.Noticef("Ready to accept connections tls")
	}
}

// wait returns when the server is to end: by SIGTERM, SIGINT or SHUTDOWN, or as its data could not be loaded. A signal
// is periodic work as any other: while DEBUG PAUSE-CRON keeps that from being done the server goes on, and SHUTDOWN
// ABORT makes it forget the signal.
func (s *Server) wait(signals chan os.Signal, loaded chan bool) stopping {
	for {
		var again <-chan time.Time
		if stop := s.signalled.Load(); stop != nil {
			if !s.observed.cronPaused.Load() && s.signalled.CompareAndSwap(stop, nil) {
				return *stop
			}
			again = time.After(cronPause)
		}
		select {
		case ok := <-loaded:
			if !ok {
				return stopping{status: 1}
			}
			v := s.cfg.Load()
			s.logReady(v)
			notifySupervisor(v, "READY=1\nSTATUS=Ready to accept connections\n")
		case stop := <-s.stop:
			return stop
		case sig := <-signals:
			name, flags := "SIGTERM", s.cfg.Load().ShutdownOnSigterm
			if sig == syscall.SIGINT {
				name, flags = "SIGINT", s.cfg.Load().ShutdownOnSigint
			}
			s.log.Warningf("Received %s scheduling shutdown...", name)
			s.signalled.Store(&stopping{flags: flags})
		case <-again:
		}
	}
}

// cronPause is how long wait leaves between two looks whether periodic work is done again.
const cronPause = 10 * time.Millisecond

// abortShutdown makes the server forget a signal to end. It reports false if there is none.
func (s *Server) abortShutdown() bool {
	if s.signalled.Swap(nil) == nil {
		return false
	}
	s.log.Warningf("Shutdown manually aborted.")
	return true
}

// exitAtSecond ends the process at once if a SIGINT comes before it is ready to end.
func exitAtSecond(signals chan os.Signal, ready chan struct{}, s *Server) {
	for {
		select {
		case <-ready:
			return
		case sig := <-signals:
			if sig == syscall.SIGINT {
				s.log.Warningf("You insist... exiting now.")
				s.dropTemp()
				s.log.Flush()
				os.Exit(1)
			}
		}
	}
}

// end closes everything and returns the exit status.
func (s *Server) end() int {
	v := s.cfg.Load()
	s.engine.Stop()
	if v.PIDFile != "" || v.Daemonize {
		s.log.Noticef("Removing the pid file.")
		os.Remove(s.pidFile(v))
	}
	if v.UnixSocket != "" {
		s.log.Noticef("Removing the unix socket file.")
		os.Remove(v.UnixSocket)
	}
	s.log.Warningf("Shoal is now ready to exit, bye bye...")
	return 0
}

func (s *Server) pidFile(v *config.Values) string {
	if v.PIDFile != "" {
		return v.PIDFile
	}
	return "/var/run/redis.pid"
}

// writePIDFile writes the pid file if one was asked for, or the server is a daemon.
func (s *Server) writePIDFile(v *config.Values) {
	if v.PIDFile == "" && !v.Daemonize {
		return
	}
	if err := os.WriteFile(s.pidFile(v), []byte(fmt.Sprintf("%d\n", os.Getpid())), 0o644); err != nil {
		s.log.Verbosef("Failed to write PID file: %v", err)
	}
}
