package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }

const recorded = `# What a script can do.
SET k "Hello World"
    +OK
CONFIG GET maxmemory
    ["maxmemory", "0"]
  resp3
    %["maxmemory" => "0"]

@b GET nosuch
    (nil)
%mask \d+
CLIENT ID
    :<*>
EXPIRE k 100
    :1
%between 90 100
TTL k
    :90..100
MSET a 1 b 2 c 3
    +OK
%sort
KEYS *
    ["a", "b", "c", "k"]
%sort
SCAN 0
    *2
      "0"
      ["a", "b", "c", "k"]
# The reply is recorded for Shoal only.
%shoal
PING
    +SHOAL
%raw
"PI" "NG\r\n"
    +PONG
%noreply
@b BLPOP list 0
%until :1
@a PUBLISH nosuch x
    :0
%closed @b
# the end
`

func TestFormat(t *testing.T) {
	s := parse(t, recorded)
	if got := s.Format(); got != recorded {
		t.Errorf("got\n%s", got)
	}
}

func parse(t *testing.T, text string) *Script {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReplay(t *testing.T) {
	server := oracle.Redis(t)
	text, _, _ := strings.Cut(recorded, "%until")
	text += "%until :1\nRPUSH list x\n    :1\n%read @b\n    [\"list\", \"x\"]\n@b QUIT\n    +OK\n%closed @b\n"
	s := parse(t, text)
	for _, proto := range s.Protocols() {
		diffs, err := s.Replay(server, proto)
		if err != nil {
			t.Fatal(err)
		}
		if len(diffs) != 1 || diffs[0].Got != "+PONG" || diffs[0].Want != "+SHOAL" {
			t.Errorf("got %v", diffs)
		}
		server.Dial(t).Do("FLUSHALL")
		if err := s.Record(server, proto); err != nil {
			t.Fatal(err)
		}
		server.Dial(t).Do("FLUSHALL")
	}
	if got := s.Format(); got != text {
		t.Errorf("recorded\n%s", got)
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{"    +OK\n", "%nosuch\nPING\n", "GET \"\n", "@a\n", "%between 1\nPING\n", "%mask (\nPING\n"} {
		path := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(path); err == nil {
			t.Errorf("no error: %q", text)
		}
	}
}
