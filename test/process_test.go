package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// logLine is redis' format of a line: pid:role day month year time level message. A signal handler has one of its own.
var logLine = regexp.MustCompile(`^\d+:([CMSX] \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}\.\d{3} [.\-*#]|signal-handler \(\d+\)) .+$`)

func TestLog(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--always-show-logo", "no")
		srv.Stop(t)
		log := srv.Log()
		for line := range strings.Lines(log) {
			if line = strings.TrimSuffix(line, "\n"); !logLine.MatchString(line) {
				t.Errorf("not a log line: %q", line)
			}
		}
		for _, want := range []string{"Server initialized", "eady to accept connections", "Received SIGTERM scheduling shutdown", "ready to exit, bye bye"} {
			if strings.Count(log, want) != 1 {
				t.Errorf("%q is not there once:\n%s", want, log)
			}
		}
		if !strings.HasPrefix(log, fmt.Sprint(srv.Pid)) {
			t.Errorf("the process is %d:\n%s", srv.Pid, log)
		}
	})
}

// TestLogo starts as redis' own test suite does, which looks for the process id in the logo.
func TestLogo(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--always-show-logo", "yes")
		if !strings.Contains(srv.Log(), fmt.Sprintf(" PID: %d", srv.Pid)) {
			t.Error(srv.Log())
		}
	})
}

func TestLogFile(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, []byte("what was there before\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		srv := s.start(t, "--logfile", path, "--loglevel", "warning")
		srv.Stop(t)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(b), "what was there before\n") || strings.Contains(string(b), " * ") {
			t.Errorf("got\n%s", b)
		}
	})
}

func TestSignals(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			srv := s.start(t)
			srv.Dial(t).Do("SET", "k", "v")
			srv.Signal(t, sig)
			if code := srv.Wait(t); code != 0 {
				t.Errorf("%v: exit status %d", sig, code)
			}
			for _, want := range []string{"scheduling shutdown", "User requested shutdown", "ready to exit, bye bye"} {
				if !strings.Contains(srv.Log(), want) {
					t.Errorf("%v: no %q:\n%s", sig, want, srv.Log())
				}
			}
		}
		srv := s.start(t)
		srv.Signal(t, syscall.SIGHUP) // as of a terminal that closes: no reason to end
		checkAlive(t, srv)
	})
}

// TestSecondInterrupt ends a server that is too busy to shut down: it counts the bits of a huge string again and again.
func TestSecondInterrupt(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		worker := srv.Dial(t)
		worker.Do("SETBIT", "big", "4294967295", "1")
		worker.SendRaw("MULTI\r\nDEBUG LOG busy\r\n" + strings.Repeat("BITCOUNT big\r\n", 10000) + "EXEC\r\n") // in one step
		srv.WaitLog(t, "DEBUG LOG: busy")
		srv.Signal(t, syscall.SIGINT)
		srv.WaitLog(t, "Received SIGINT scheduling shutdown")
		srv.Signal(t, syscall.SIGINT)
		if code := srv.Wait(t); code != 1 {
			t.Errorf("exit status %d", code)
		}
		if !strings.Contains(srv.Log(), "You insist... exiting now.") {
			t.Error(srv.Log())
		}
	})
}

// TestInterruptedSave ends a server that is saving its data as its last act: nothing half done stays.
func TestInterruptedSave(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--save", "900 1", "--enable-debug-command", "yes")
		c := srv.Dial(t)
		c.Do("DEBUG", "POPULATE", "10000")
		c.Do("CONFIG", "SET", "rdb-key-save-delay", "10000")
		srv.Signal(t, syscall.SIGINT)
		oracle.WaitFor(t, "the save", func() bool {
			files, err := filepath.Glob(filepath.Join(srv.Dir, "temp-*.rdb"))
			return err == nil && len(files) > 0
		})
		srv.Signal(t, syscall.SIGINT)
		if code := srv.Wait(t); code != 1 {
			t.Errorf("exit status %d", code)
		}
		if files, err := os.ReadDir(srv.Dir); err != nil || slices.ContainsFunc(files, func(f os.DirEntry) bool { return strings.HasSuffix(f.Name(), ".rdb") }) {
			t.Errorf("%v, %v", files, err)
		}
	})
}

// TestShutdownAbort takes a signal back before the server has followed it.
func TestShutdownAbort(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		c := srv.Dial(t)
		c.Do("DEBUG", "PAUSE-CRON", "1")
		srv.Signal(t, syscall.SIGTERM)
		srv.WaitLog(t, "Received SIGTERM scheduling shutdown")
		if got := c.Do("SHUTDOWN", "ABORT"); got != "+OK\r\n" {
			t.Error(got)
		}
		srv.WaitLog(t, "Shutdown manually aborted")
		if got := c.Do("SHUTDOWN", "ABORT"); got != "-ERR No shutdown in progress.\r\n" {
			t.Error(got)
		}
		c.Do("DEBUG", "PAUSE-CRON", "0")
		checkAlive(t, srv)
		srv.Signal(t, syscall.SIGTERM)
		if code := srv.Wait(t); code != 0 {
			t.Errorf("exit status %d", code)
		}
	})
}

// TestModule starts servers with a module that cannot be loaded.
func TestModule(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv, err := oracle.Spawn(s.path, t.TempDir(), append([]string{"--port", "0", "--unixsocket", filepath.Join(t.TempDir(), "socket"), "--loadmodule", "/no/such.so"}, s.args...)...)
		if err != nil {
			t.Fatal(err)
		}
		srv.KillAfter(t)
		if code := srv.Wait(t); code != 1 || !strings.Contains(srv.Log(), "Can't load module from /no/such.so: server aborting") {
			t.Errorf("exit status %d: %s", code, srv.Log())
		}
	})
}

func TestShutdownCommand(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		for _, args := range [][]string{{"SHUTDOWN"}, {"SHUTDOWN", "NOSAVE"}, {"shutdown", "nosave", "now", "force"}} {
			srv := s.start(t)
			c := srv.Dial(t)
			c.Send(args...)
			if got := c.ReadAll(); got != "" {
				t.Errorf("%q: %q", args, got)
			}
			if code := srv.Wait(t); code != 0 {
				t.Errorf("%q: exit status %d", args, code)
			}
		}
	})
}

// TestPidFile also checks that a server under a service manager does not need one.
func TestPidFile(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "pid")
		srv := s.start(t, "--pidfile", path)
		if got := readFile(t, path); got != fmt.Sprintf("%d\n", srv.Pid) {
			t.Errorf("pid file: %q", got)
		}
		srv.Stop(t)
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the pid file is left over: %v", err)
		}
	})
}

func TestProcessTitle(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		if runtime.GOOS != "linux" {
			return // there is nothing to see
		}
		srv := s.start(t)
		_, addr := srv.Address()
		c := srv.Dial(t)
		expect := func(want string) {
			t.Helper()
			got, _, _ := strings.Cut(readFile(t, fmt.Sprintf("/proc/%d/cmdline", srv.Pid)), "\x00")
			if got != want {
				t.Errorf("the title is %q, want %q", got, want)
			}
		}
		set := func(template string) {
			t.Helper()
			if reply := c.Do("CONFIG", "SET", "proc-title-template", template); reply != "+OK\r\n" {
				t.Error(reply)
			}
		}
		expect(s.path + " " + addr)
		set("{port}")
		expect(addr[strings.LastIndexByte(addr, ':')+1:])
		long := strings.Repeat("long ", 40)
		set(long + "{title}")
		expect(long + s.path)
		set("x{config-file}")
		expect("x-")
		srv.Stop(t)
		srv = s.start(t, "--set-proc-title", "no")
		if got := readFile(t, fmt.Sprintf("/proc/%d/cmdline", srv.Pid)); !strings.Contains(got, "\x00--set-proc-title\x00no\x00") {
			t.Errorf("the title is %q", got)
		}
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDaemonize(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		dir := t.TempDir()
		port, err := oracle.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		parent := s.spawn(t, "--daemonize", "yes", "--pidfile", dir+"/pid", "--logfile", dir+"/log", "--dir", dir,
			"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--save", "")
		if code := parent.Wait(t); code != 0 {
			t.Fatalf("exit status %d\n%s", code, parent.Log())
		}
		pid := 0
		oracle.WaitFor(t, "the pid file", func() bool {
			b, err := os.ReadFile(dir + "/pid")
			pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
			return err == nil && pid > 0
		})
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // fails if it has ended, as it should
		if pid == parent.Pid {
			t.Error("the daemon is the process that was started")
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		oracle.WaitFor(t, "the daemon to answer", func() bool {
			c, err := oracle.Dial("tcp", addr)
			if err != nil {
				return false
			}
			defer c.Close()
			reply, err := c.Do("INFO", "server")
			return err == nil && strings.Contains(string(reply), fmt.Sprintf("process_id:%d\r\n", pid))
		})
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		oracle.WaitFor(t, "the daemon's end", func() bool {
			_, err := os.Stat(dir + "/pid")
			return os.IsNotExist(err)
		})
		oracle.WaitFor(t, "its last words", func() bool { return strings.Contains(readFile(t, dir+"/log"), "bye bye") })
	})
}

// badConfig are configuration files that end the start with redis' three-line error.
var badConfig = []string{
	"nosuch yes", "port abc", "port 70000", "port", "port 1 2", "port -1", "maxmemory 1xb", "maxmemory abc", "maxmemory", "save 1", "save a b",
	"databases 0", "databases abc", "loglevel loud", "daemonize maybe", "appendonly 1", "timeout -1", "timeout 2147483648",
	"client-output-buffer-limit normal 1", "client-output-buffer-limit foo 1 2 3", "client-output-buffer-limit normal a b c",
	"appendfsync foo", "requirepass \"unbalanced", "requirepass 'unbalanced", "requirepass \"a\"b", "rename-command foo", "include", "hz",
	"tcp-keepalive abc", "maxclients 0", "unixsocketperm 999", "unixsocketperm abc", "proc-title-template \"{bad\"", "notify-keyspace-events foo",
	"oom-score-adj-values 1 2", "oom-score-adj foo", "latency-tracking-info-percentiles 101", "hash-max-listpack-entries abc", "replicaof 127.0.0.1",
	"replicaof 127.0.0.1 abc", "list-max-listpack-size abc", "shutdown-on-sigint foo", "syslog-facility foo", "maxmemory-samples 0", "tcp-backlog abc",
	"client-query-buffer-limit 1", "proto-max-bulk-len 1", "lfu-log-factor -1", "user", "user a b", "dir", "dir /nosuch", "port 6379\nport", "\n\n# comment\nmaxclients abc",
	"enable-debug-command maybe", "slowlog-log-slower-than -5", "maxmemory-clients 101%", "maxmemory-clients foo", "slaveof x y z",
}

// programAndFile is what Shoal's error says otherwise or more: the program, and the file beside the line.
var programAndFile = regexp.MustCompile(`(FATAL CONFIG FILE ERROR|at line \d+) \(.*\)`)

// TestBadConfig compares the errors of bad configuration files with redis-server's.
func TestBadConfig(t *testing.T) {
	all := subjects(t)
	redis, shoal := all[0], all[1:]
	for _, text := range badConfig {
		refused := func(t *testing.T, s subject) string {
			path := filepath.Join(t.TempDir(), "redis.conf")
			if err := os.WriteFile(path, []byte("# a file\n"+text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			srv, err := oracle.Spawn(s.path, t.TempDir(), path, "--port", "0")
			if err != nil {
				t.Fatal(err)
			}
			srv.KillAfter(t)
			if code := srv.Wait(t); code != 1 {
				t.Errorf("exit status %d", code)
			}
			return programAndFile.ReplaceAllString(srv.Log(), "$1")
		}
		for _, s := range shoal[:min(1, len(shoal))] { // no engine runs yet
			t.Run(text, func(t *testing.T) {
				want := refused(t, redis)
				if got := refused(t, s); got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
				if !strings.Contains(want, ">>> ") {
					t.Errorf("redis-server says\n%s", want)
				}
			})
		}
	}
}

// TestLogOfBadUsers starts with users that cannot be: the log file tells why there is no server.
func TestLogOfBadUsers(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "log")
		srv := s.spawn(t, "--aclfile", "/nosuch/users", "--logfile", path)
		if code := srv.Wait(t); code != 1 {
			t.Errorf("exit status %d", code)
		}
		log, err := os.ReadFile(path)
		if want := " # Aborting Redis startup because of ACL errors: Error loading ACLs, opening file '/nosuch/users': No such file or directory\n"; err != nil || !strings.Contains(string(log), want) {
			t.Errorf("%v\n%s", err, log)
		}
	})
}

// TestConfigSources gives configuration as a file with an include, on standard input's place, and as arguments.
func TestConfigSources(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/more.conf", []byte("maxmemory 200mb\ntimeout 7\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		port, err := oracle.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("  # a comment\n\nbind 127.0.0.1 -::1\nport %d\nsave 100 1\nsave 200 2 300 3\nmaxmemory 100mb\ntimeout 5\ninclude %s/more.conf\n"+
			"timeout 9\nrequirepass \"p\\x41ss\"\nCLIENT-OUTPUT-BUFFER-LIMIT normal 1mb 2mb 3\nlogfile \"\"\n", port, dir)
		if err := os.WriteFile(dir+"/redis.conf", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		srv := s.spawn(t, dir+"/redis.conf", "loglevel", "verbose", "--hz", "20", "--maxmemory-samples 7", "--enable-debug-command", "yes")
		srv.WaitLog(t, "eady to accept connections")
		c, err := oracle.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if reply, err := c.Do("AUTH", "pAss"); err != nil || string(reply) != "+OK\r\n" {
			t.Fatalf("AUTH: %q, %v", reply, err)
		}
		f := func(name, want string) {
			t.Helper()
			reply, err := c.Do("CONFIG", "GET", name)
			if got := strings.Split(string(reply), "\r\n"); err != nil || len(got) != 6 || got[4] != want {
				t.Errorf("%s: %q, %v", name, reply, err)
			}
		}
		f("maxmemory", "209715200")
		f("timeout", "9")
		f("hz", "20")
		f("loglevel", "verbose")
		f("maxmemory-samples", "7")
		f("save", "100 1 200 2 300 3")
		f("client-output-buffer-limit", "normal 1048576 2097152 3 slave 268435456 67108864 60 pubsub 33554432 8388608 60")
		f("bind", "127.0.0.1 -::1")
		f("appendonly", "no")
	})
}

// TestConfigRewrite changes the configuration, rewrites the file, and starts again with it.
func TestConfigRewrite(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "redis.conf")
		if err := os.WriteFile(path, []byte("# kept\nsave \"\"\ntimeout 5\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		start := func() *oracle.Server {
			srv, err := oracle.Start(s.path, t.TempDir(), append([]string{}, s.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			srv.KillAfter(t)
			return srv
		}
		if srv := start(); srv.Dial(t).Do("CONFIG", "REWRITE") != "-ERR The server is running without a config file\r\n" {
			t.Error("CONFIG REWRITE without a file")
		}
		port, err := oracle.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		rewrite := func(commands ...string) {
			srv := s.spawn(t, path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1")
			srv.WaitLog(t, "eady to accept connections")
			c := srv.Dial(t)
			for _, cmd := range commands {
				words, err := oracle.SplitWords(cmd)
				if err != nil {
					t.Fatal(err)
				}
				if got := c.Do(words...); got != "+OK\r\n" {
					t.Errorf("%s: %q", cmd, got)
				}
			}
			if !strings.Contains(c.Do("CONFIG", "GET", "maxmemory"), "104857600") {
				t.Error("maxmemory is lost")
			}
			srv.Stop(t)
		}
		rewrite(`CONFIG SET timeout 77 maxmemory 100mb requirepass ""`, `CONFIG SET save "10 20"`, "CONFIG REWRITE")
		for _, want := range []string{"# kept\n", "timeout 77\n", "maxmemory 100mb\n", "save 10 20\n"} {
			if got := readFile(t, path); !strings.Contains(got, want) {
				t.Errorf("no %q in\n%s", want, got)
			}
		}
		rewrite()
	})
}

func TestCommandLine(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		f := func(wantCode int, wantText string, args ...string) {
			t.Helper()
			srv, err := oracle.Spawn(s.path, t.TempDir(), args...)
			if err != nil {
				t.Fatal(err)
			}
			srv.KillAfter(t)
			if code := srv.Wait(t); code != wantCode || !strings.Contains(srv.Log(), wantText) {
				t.Errorf("%q: exit status %d\n%s", args, code, srv.Log())
			}
		}
		f(0, " bits=64", "--version")
		f(0, " v=", "-v")
		f(1, "Usage: ", "--help")
		f(1, "Usage: ", "-h")
		f(1, "'port'\nwrong number of arguments", "--port")
		f(1, `'port "1" "2"'`, "--port", "1", "2")
		f(1, "argument couldn't be parsed into an integer", "--port", "--bla")
		f(1, "argument(s) must be one of the following", "--loglevel", "--bla")
		f(1, "Bad directive or wrong number of arguments", "--nosuch", "1")
		f(1, "can't open config file", "/nosuch/redis.conf")
		f(1, "No such file or directory", "--dir", "/nosuch")
	})
}
