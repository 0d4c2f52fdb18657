package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeFiles makes files under dir.
func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoadFile(t *testing.T) {
	f := func(text, name, want string) {
		t.Helper()
		if got := value(t, mustLoad(t, text), name); got != want {
			t.Errorf("%q: %s is %q", text, name, got)
		}
	}
	f("", "save", "3600 1 300 100 60 10000")
	f("save 900 1", "save", "900 1")
	f("save 900 1\nsave 300 10", "save", "900 1 300 10")
	f("save '900 1 300 10'", "save", "900 1 300 10")
	f("save 900 1\nsave \"\"", "save", "")
	f("save \"\"\nsave 1 1", "save", "1 1")
	f("MaxMemory 100MB", "maxmemory", "104857600")
	f("  port 1\r\n\t# comment\nport 2\r\n", "port", "2")
	f("bind 127.0.0.1 -::1", "bind", "127.0.0.1 -::1")
	f("bind \"127.0.0.1 ::1\"", "bind", "127.0.0.1 ::1")
	f("bind ''", "bind", "")
	f("unixsocketperm 700", "unixsocketperm", "700")
	f("client-output-buffer-limit replica 1gb 1mb 5", "client-output-buffer-limit", "normal 0 0 0 slave 1073741824 1048576 5 pubsub 33554432 8388608 60")
	f("notify-keyspace-events g$lshzxetdEK", "notify-keyspace-events", "AKE")
	f("shutdown-on-sigint nosave force now", "shutdown-on-sigint", "nosave now force")
	f("oom-score-adj relative", "oom-score-adj", "yes")
	f("loglevel nothing", "loglevel", "nothing")
	f("slave-read-only no", "replica-read-only", "no")
	f("latency-tracking-info-percentiles 50 99.50 100.0", "latency-tracking-info-percentiles", "50 99.5 100")
	f("hz 0", "hz", "1")
	f("hz 9999", "hz", "500")
	f("replicaof no one", "replicaof", "")
	f("slaveof 127.0.0.1 6380", "replicaof", "127.0.0.1 6380")
	f("requirepass \"a b\\x00c\"", "requirepass", "a b\x00c")
	f("lua-replicate-commands yes", "port", "6379")
	f("net-engine GNET\nreactors 4\nshards 128\nreactor-cpulist 0-3", "net-engine", "gnet")
	f("shards 128", "shards", "128")
}

func TestLoadRest(t *testing.T) {
	v := mustLoad(t, "rename-command FLUSHALL ''\nuser alice on >p ~*\nloadmodule /x.so a b").Load()
	if len(v.Renames) != 1 || v.Renames[0] != (Rename{"FLUSHALL", ""}) ||
		len(v.Users) != 1 || strings.Join(v.Users[0], " ") != "alice on >p ~*" ||
		len(v.LoadModules) != 1 || strings.Join(v.LoadModules[0], " ") != "/x.so a b" {
		t.Errorf("%q %q %q", v.Renames, v.Users, v.LoadModules)
	}
}

func TestLoaderFunctions(t *testing.T) {
	l := Loader{
		Stdin:         strings.NewReader("port 1\nrename-command nosuch x\n"),
		RenameCommand: func(from, to string) error { return errors.New("No such command in rename-command") },
	}
	_, err := l.Load(CommandLine{Stdin: true})
	var fe *FileError
	if !errors.As(err, &fe) || fe.Line != 2 || fe.Reason != "No such command in rename-command" {
		t.Errorf("%v", err)
	}
	l = Loader{
		Stdin: strings.NewReader("user a\nuser a\n"),
		User:  func(words []string) error { return errors.New("Error in user declaration 'a': Duplicate user") },
	}
	if _, err := l.Load(CommandLine{Stdin: true}); !errors.As(err, &fe) || fe.Line != 1 {
		t.Errorf("%v", err)
	}
}

// TestStock reads a file with every directive of Redis 7.2.
func TestStock(t *testing.T) {
	text, err := os.ReadFile("testdata/redis72.conf")
	if err != nil {
		t.Fatal(err)
	}
	mustLoad(t, string(text))
	for _, e := range directives.all {
		if !strings.Contains(string(text), "\n"+e.name+" ") && !slices.Contains(ownDirectives, e.name) {
			t.Errorf("%s is missing", e.name)
		}
	}
}

func TestInclude(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"main.conf":       "dir " + dir + "\ninclude sub/one.conf\ninclude conf.d/*.conf\ninclude empty.d/*\ntimeout 7\n",
		"sub/one.conf":    "maxmemory 1mb\ntimeout 1\n",
		"conf.d/1.conf":   "hz 11\nport 1",
		"conf.d/2.conf":   "port 2",
		"bad.conf":        "dir " + dir + "\n\ninclude sub/bad.conf\n",
		"sub/bad.conf":    "port 1\nfoo bar\n",
		"self.conf":       "dir " + dir + "\ninclude self.conf\n",
		"circle.conf":     "dir " + dir + "\ninclude sub/circle.conf\n",
		"sub/circle.conf": "\n\ninclude circle.conf\n",
		"missing.conf":    "include /no/such/file.conf\n",
		"module.conf":     "my.option 1\n",
		"unbalanced.txt":  "port \"1\n",
	})
	read := func(name string) (*Config, error) {
		cl, err := ParseArgs([]string{filepath.Join(dir, name)})
		if err != nil {
			t.Fatal(err)
		}
		return (&Loader{}).Load(cl)
	}
	c, err := read("main.conf")
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Load(); v.MaxMemory != 1<<20 || v.TimeoutSec != 7 || v.Hz != 11 || v.Port != 2 {
		t.Errorf("%d %d %d %d", v.MaxMemory, v.TimeoutSec, v.Hz, v.Port)
	}
	if c.File() != filepath.Join(dir, "main.conf") {
		t.Errorf("file %q", c.File())
	}
	f := func(name, file string, line int, reason string) {
		t.Helper()
		_, err := read(name)
		var fe *FileError
		if !errors.As(err, &fe) || filepath.Base(fe.File) != file || fe.Line != line || !strings.HasPrefix(fe.Reason, reason) {
			t.Errorf("%s: %#v", name, err)
		}
	}
	f("bad.conf", "bad.conf", 2, "Bad directive")
	f("self.conf", "self.conf", 2, "The file includes itself")
	f("circle.conf", "circle.conf", 3, "The file includes itself")
	f("module.conf", "module.conf", 1, "Module Configuration")
	f("unbalanced.txt", "unbalanced.txt", 1, "Unbalanced quotes")
	_, err = read("missing.conf")
	if err == nil || err.Error() != "Fatal error, can't open config file '/no/such/file.conf': No such file or directory" {
		t.Errorf("missing include: %v", err)
	}
}

func TestLogFile(t *testing.T) {
	dir := t.TempDir()
	mustLoad(t, "dir "+dir+"\nlogfile log.txt\n")
	if _, err := os.Stat(filepath.Join(dir, "log.txt")); err != nil {
		t.Error(err)
	}
	_, err := load(t, "logfile /no/such/dir/log\n")
	var fe *FileError
	if !errors.As(err, &fe) || fe.Report("x") != "\n*** FATAL CONFIG FILE ERROR (x) ***\nCan't open the log file: No such file or directory\n" {
		t.Errorf("%v", err)
	}
}

func TestReport(t *testing.T) {
	_, err := load(t, "port 1\n  foo bar \n")
	var fe *FileError
	if !errors.As(err, &fe) {
		t.Fatal(err)
	}
	want := "\n*** FATAL CONFIG FILE ERROR (Shoal 1) ***\n" +
		"Reading the configuration file, at line 2 (standard input)\n>>> 'foo bar'\nBad directive or wrong number of arguments\n"
	if got := fe.Report("Shoal 1"); got != want {
		t.Errorf("%q", got)
	}
}

func TestParseArgs(t *testing.T) {
	f := func(want CommandLine, args ...string) {
		t.Helper()
		if got, err := ParseArgs(args); err != nil || got != want {
			t.Errorf("ParseArgs(%q) = %+v, %v", args, got, err)
		}
	}
	f(CommandLine{})
	f(CommandLine{Action: ShowVersion}, "-v")
	f(CommandLine{Action: ShowVersion}, "--version")
	f(CommandLine{Action: ShowHelp}, "--help")
	f(CommandLine{Action: ShowHelp}, "-h")
	f(CommandLine{Action: CheckSystem}, "--check-system")
	f(CommandLine{Action: TestMemory, MemoryMB: 64}, "--test-memory", "64")
	f(CommandLine{File: "/a.conf"}, "/a.conf")
	f(CommandLine{Stdin: true}, "-")
	f(CommandLine{File: "/a.conf", Stdin: true, Options: `port "1" `}, "/a.conf", "--port", "1", "-")
	f(CommandLine{Options: `port "1" ` + "\n" + `hz "2" `}, "--port", "1", "--hz", "2")
	f(CommandLine{Options: "maxmemory 700mb "}, "--maxmemory 700mb")
	f(CommandLine{File: "/a.conf", Options: `"loglevel" "verbose" `}, "/a.conf", "loglevel", "verbose")
	f(CommandLine{Options: `save "" `}, "--save", "")
	f(CommandLine{Options: "save \"\"\nport \"1\" "}, "--save", "--port", "1")
	f(CommandLine{Options: `save ""`}, "--save")
	f(CommandLine{Options: `proc-title-template "--x" `}, "--proc-title-template", "--x")
	f(CommandLine{Action: RunSentinel, File: "/s.conf", Options: "sentinel "}, "/s.conf", "--sentinel")
	if _, err := ParseArgs([]string{"--test-memory"}); err == nil {
		t.Error("--test-memory without an amount")
	}
}
