package server

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// aclScript is what both servers are told, on one connection.
const aclScript = `
ACL WHOAMI
ACL USERS
ACL LIST
ACL SETUSER u on nopass +get +multi +exec +mset +config|get +eval +publish +subscribe ~a resetchannels
ACL SETUSER v on >p1 #e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 +@all -@dangerous %R~x* (+set ~y) &c
ACL SETUSER w +nosuch
ACL SETUSER w ~* ~a
ACL SETUSER w <x
ACL SETUSER w (+get
ACL SETUSER default +select|0 -select
ACL GETUSER u
ACL GETUSER v
ACL GETUSER nosuch
ACL CAT
ACL CAT nosuch
ACL GENPASS 0
ACL GENPASS 5000
ACL GENPASS x
ACL LOAD
ACL SAVE
ACL DRYRUN u get b
ACL DRYRUN u get a
ACL DRYRUN u set a 1
ACL DRYRUN u get
ACL DRYRUN nosuch get a
ACL DRYRUN u nosuch
ACL DRYRUN u publish c x
ACL DRYRUN v sort x BY y
ACL DELUSER default
ACL DELUSER nosuch v
ACL LOG
AUTH u x
GET b
SET a 1
CONFIG SET maxmemory 1
CONFIG GET maxmemory
PUBLISH x y
MSET a 1 b 2
ACL WHOAMI
MULTI
GET a
GET b
EXEC
EVAL "return redis.call('set',KEYS[1],1)" 1 a
EVAL "return redis.pcall('get',KEYS[1])" 1 b
EVAL "return redis.call('get','b')" 0
EVAL "return redis.acl_check_cmd('get','b')" 0
EVAL "return redis.acl_check_cmd('get','a')" 0
EVAL "return redis.acl_check_cmd('nosuch','a')" 0
SUBSCRIBE x
AUTH default x
AUTH default
AUTH nosuch x
AUTH v x
HELLO 3 AUTH nosuch x
ACL LOG RESET
ACL LOG 1
ACL LOG x
ACL LOG 1 2
ACL FOO
CLIENT LIST USER nosuch
ACL LIST
`

func TestACLLikeRedis(t *testing.T) {
	a, b := oracle.Redis(t).Dial(t), oracle.Shoal(t, "--reactors", "2").Dial(t)
	for line := range strings.Lines(aclScript) {
		args, err := oracle.SplitWords(strings.TrimSpace(line))
		if err != nil || len(args) == 0 {
			continue
		}
		want, got := sortedRules(a.Do(args...)), sortedRules(b.Do(args...))
		if want != got {
			t.Errorf("%s\nredis %q\nshoal %q", line, want, got)
		}
	}
}

// sortedRules puts rules of commands, which Redis shows in the order of a hash table, in order.
func sortedRules(reply string) string {
	lines := strings.Split(reply, "\r\n")
	for i, line := range lines {
		if words := strings.Fields(line); strings.Contains(line, "@all ") {
			slices.Sort(words)
			lines[i] = strings.Join(words, " ")
		}
	}
	return strings.Join(lines, "\r\n")
}

// What ACL LOG says, but for times and the client.
func TestACLLog(t *testing.T) {
	run := func(s *oracle.Server) string {
		c := s.Dial(t)
		for _, cmd := range []string{"ACL SETUSER u on >p +get +eval +multi +exec ~a", "AUTH u wrong", "AUTH u wrong", "HELLO 3 AUTH nosuch x", "AUTH u p", "GET b", "GET b", "SET a 1",
			"MULTI", "GET b", "EXEC"} {
			c.Do(strings.Fields(cmd)...)
		}
		c.Do("EVAL", "return redis.pcall('get','c')", "0")
		admin := s.Dial(t)
		var b strings.Builder
		for line := range strings.Lines(admin.Do("ACL", "LOG")) {
			age := line[0] >= '0' && line[0] <= '9'
			if !age && !strings.HasPrefix(line, "id=") && !strings.HasPrefix(line, "$") {
				b.WriteString(line)
			}
		}
		return b.String()
	}
	if want, got := run(oracle.Redis(t)), run(oracle.Shoal(t)); want != got {
		t.Errorf("redis:\n%s\nshoal:\n%s", want, got)
	}
}

// A change of a user counts at once for all of its connections, on whatever reactor, in transactions too; a deleted
// user's are closed.
func TestACLChangesReachEveryConnection(t *testing.T) {
	s := oracle.Shoal(t, "--reactors", "4")
	admin := s.Dial(t)
	admin.Do("ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*", "&*")
	var clients []*oracle.Client
	for range 16 {
		c := s.Dial(t)
		c.Do("AUTH", "u", "x")
		clients = append(clients, c)
	}
	listener := s.Dial(t)
	listener.Do("AUTH", "u", "x")
	listener.Do("SUBSCRIBE", "secret")
	clients[0].Do("MULTI")
	clients[0].Do("SET", "a", "1")
	for i, c := range clients[1:] {
		if got := c.Do("SET", "a", "1"); got != "+OK\r\n" {
			t.Errorf("client %d: %q", i, got)
		}
	}
	admin.Do("DEL", "a")
	admin.Do("ACL", "SETUSER", "u", "-set", "resetchannels")
	for i, c := range clients[1:] {
		if got := c.Do("SET", "a", "1"); !strings.HasPrefix(got, "-NOPERM") {
			t.Errorf("client %d: %q", i, got)
		}
		if got := c.Do("GET", "a"); got != "$-1\r\n" {
			t.Errorf("client %d: %q", i, got)
		}
	}
	if got := clients[0].Do("EXEC"); !strings.Contains(got, "-NOPERM ACLs rules changed between") {
		t.Errorf("EXEC: %q", got)
	}
	if rest := listener.ReadAll(); rest != "" {
		t.Errorf("the listener got %q", rest)
	}
	admin.Do("ACL", "DELUSER", "u")
	for i, c := range clients {
		if rest := c.ReadAll(); rest != "" {
			t.Errorf("client %d got %q", i, rest)
		}
	}
	self := s.Dial(t)
	self.Do("ACL", "SETUSER", "me", "on", "nopass", "+@all", "~*")
	self.Do("AUTH", "me", "x")
	if got := self.Do("ACL", "DELUSER", "me"); got != ":1\r\n" {
		t.Errorf("its own user: %q", got)
	}
	if rest := self.ReadAll(); rest != "" {
		t.Errorf("goes on: %q", rest)
	}
}

// Each command of a pipeline is checked, whatever those before it were allowed.
func TestACLInPipelines(t *testing.T) {
	s := oracle.Shoal(t, "--reactors", "2")
	c := s.Dial(t)
	c.Do("ACL", "SETUSER", "u", "on", "nopass", "+get", "+set", "+auth", "+select", "+ping", "%RW~user:*", "%R~shared:long:beginning:*")
	c.Do("ACL", "SETUSER", "v", "on", "nopass", "+get", "+auth", "+select", "allkeys")
	const ok, null, denied = "+OK", "$-1", "-NOPERM"
	steps := []struct{ command, reply string }{
		{"AUTH u x", ok}, {"GET user:1000", null}, {"GET user:2000", null}, {"GET users:100", denied}, {"GET user:", null}, {"GET user", denied}, {"GET userx:100", denied},
		{"SET user:5000 1", ok}, {"SET shared:long:beginning:1 1", denied}, {"GET shared:long:beginning:1", null}, {"GET shared:long:Beginning:1", denied},
		{"DEL user:1000", denied}, {"GET user:2000", null}, {"AUTH v x", ok}, {"GET other:1000", null}, {"GET x", null}, {"SET user:5000 1", denied},
		{"AUTH u x", ok}, {"GET other:1000", denied}, {"SET user:5000 1", ok}, {"SELECT 1", ok}, {"GET other:1000", denied}, {"GET user:1000", null},
	}
	for range 2 { // the second time all is known
		for _, step := range steps {
			c.Send(strings.Fields(step.command)...)
		}
		for _, step := range steps {
			if got := c.Reply(); !strings.HasPrefix(got, step.reply) {
				t.Errorf("%s: %q", step.command, got)
			}
		}
		c.Do("SELECT", "0")
	}
}

func TestACLFileAndConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "users.acl")
	text := "user alice on nopass ~a* resetchannels -@all +get\nuser default on nopass ~* &* +@all\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := oracle.Shoal(t, "--aclfile", file)
	c := s.Dial(t)
	c.Do("ACL", "SETUSER", "bob", "on", ">secret", "+@read", "~*")
	if got := c.Do("ACL", "SAVE"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	saved, _ := os.ReadFile(file)
	if !strings.HasPrefix(string(saved), "user alice on nopass ~a* resetchannels -@all +get\nuser bob on #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ~* resetchannels -@all +@read\nuser default") {
		t.Errorf("%s", saved)
	}
	if err := os.WriteFile(file, []byte("user bob on\nuser bob on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := c.Do("ACL", "LOAD"); !strings.Contains(got, "Duplicate user 'bob'") {
		t.Error(got)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := c.Do("ACL", "LOAD"); got != "+OK\r\n" || c.Do("ACL", "USERS") != "*2\r\n$5\r\nalice\r\n$7\r\ndefault\r\n" {
		t.Error(got)
	}

	conf := filepath.Join(dir, "shoal.conf")
	if err := os.WriteFile(conf, []byte("user carol on >pw +@all ~*\nrequirepass old\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c = withFile(t, conf).Dial(t)
	c.Do("AUTH", "carol", "pw")
	c.Do("ACL", "SETUSER", "dave", "on", "nopass")
	if got := c.Do("CONFIG", "REWRITE"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	rewritten, _ := os.ReadFile(conf)
	for _, want := range []string{"user carol on #", "user dave on nopass ", "user default on #"} {
		if !strings.Contains(string(rewritten), want) {
			t.Errorf("%q is missing in\n%s", want, rewritten)
		}
	}
	c = withFile(t, conf).Dial(t)
	if got := c.Do("AUTH", "old"); got != "+OK\r\n" {
		t.Error(got)
	}
	if got := c.Do("AUTH", "carol", "pw"); got != "+OK\r\n" {
		t.Error(got)
	}
}

// withFile starts a server with a configuration file.
func withFile(t *testing.T, conf string) *oracle.Server {
	t.Helper()
	port, err := oracle.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s, err := oracle.Spawn(oracle.ShoalPath(t), t.TempDir(), conf, "--port", fmt.Sprint(port), "--bind", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = port
	s.KillAfter(t)
	s.WaitLog(t, "Ready to accept connections")
	return s
}

// What hostile clients do costs them, and nobody else: guessing passwords, filling the log, users and selectors without end.
func TestHostileACL(t *testing.T) {
	s := oracle.Shoal(t, "--requirepass", "secret", "--acllog-max-len", "10")
	guesser := s.Dial(t)
	for i := range 2000 {
		if got := guesser.Do("AUTH", fmt.Sprintf("user%d", i), strings.Repeat("x", 100)); !strings.HasPrefix(got, "-WRONGPASS") {
			t.Fatal(got)
		}
	}
	if got := guesser.Do("GET", "a"); !strings.HasPrefix(got, "-NOAUTH") {
		t.Error(got)
	}
	admin := s.Dial(t)
	admin.Do("AUTH", "secret")
	if got := admin.Do("ACL", "LOG", "1000"); !strings.HasPrefix(got, "*10\r\n") {
		t.Errorf("%.100q", got)
	}
	for i := range 3000 {
		if got := admin.Do("ACL", "SETUSER", fmt.Sprintf("user%d", i), "on", "nopass", "+@read", fmt.Sprintf("~user%d:*", i)); got != "+OK\r\n" {
			t.Fatal(got)
		}
	}
	rules := []string{"ACL", "SETUSER", "many", "on", "nopass"}
	for i := range 1000 {
		rules = append(rules, fmt.Sprintf("(+get ~key%d)", i))
	}
	if got := admin.Do(rules...); got != "+OK\r\n" {
		t.Fatal(got)
	}
	c := s.Dial(t)
	c.Do("AUTH", "many", "x")
	if got := c.Do("GET", "key999"); got != "$-1\r\n" {
		t.Error(got)
	}
	if got := c.Do("GET", "other"); !strings.HasPrefix(got, "-NOPERM") {
		t.Error(got)
	}
	if got := admin.Do("ACL", "USERS"); !strings.HasPrefix(got, "*3002\r\n") {
		t.Errorf("%.20q", got)
	}
	if got := admin.Do("ACL", "LIST"); !strings.HasPrefix(got, "*3002\r\n") {
		t.Errorf("%.20q", got)
	}
	for len(rules) < 10_000 {
		rules = append(rules, fmt.Sprintf("(+get ~key%d)", len(rules)))
	}
	for _, tooMany := range [][]string{rules, {"ACL", "SETUSER", "many", "(" + strings.Repeat("~a ", 10_000) + ")"}} {
		if got := admin.Do(tooMany...); !strings.HasPrefix(got, "-ERR") || !strings.Contains(got, "at most 4096 rules") {
			t.Errorf("%.100q", got)
		}
	}
	bit := []string{"ACL", "SETUSER", "many"}
	for range 1000 {
		bit = append(bit, "(~x)")
	}
	for i := range 4 {
		got, want := admin.Do(bit...), "+OK\r\n"
		if i > 0 {
			want = "-ERR A user may have at most 4096 rules"
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%d: %.100q", i, got)
		}
	}
	if got := c.Do("GET", "key999"); got != "$-1\r\n" {
		t.Error(got)
	}
}
