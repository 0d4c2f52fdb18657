package acl

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/types/glob"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }

func table() *command.Table {
	pubsub := []command.Spec{
		{Name: "PUBLISH", Arity: 3, Flags: command.PubSub, Channels: command.OneChannel},
		{Name: "SUBSCRIBE", Arity: -2, Flags: command.PubSub, Channels: command.AllChannels},
		{Name: "PSUBSCRIBE", Arity: -2, Flags: command.PubSub, Channels: command.ChannelGlobs},
		{Name: "AUTH", Arity: -2, Flags: command.NoAuth},
		{Name: "SELECT", Arity: 2},
		{Name: "CONFIG", Arity: -2, Subcommands: []command.Spec{
			{Name: "GET", Arity: -3, Flags: command.Admin}, {Name: "SET", Arity: -4, Flags: command.Admin}}},
	}
	return command.NewTable(command.StringCommands, command.KeyCommands, command.SetCommands, command.ListCommands, command.SortCommands, command.ExpireCommands, command.ScanCommands, pubsub)
}

func users(t *testing.T) *Users { return NewUsers(table(), false) }

func set(t *testing.T, s *Users, name string, rules ...string) *User {
	t.Helper()
	u, _, err := s.Set(name, rules)
	if err != nil {
		t.Fatalf("%s %q: %v", name, rules, err)
	}
	return u
}

func TestCheck(t *testing.T) {
	s := users(t)
	f := func(rules, cmd string, want Reason, index int) {
		t.Helper()
		s.Delete("u")
		u := set(t, s, "u", strings.Fields(rules)...)
		var args [][]byte
		for w := range strings.FieldsSeq(cmd) {
			args = append(args, []byte(w))
		}
		spec := s.table.Resolve(args)
		if got, at := u.Rules().Check(spec, args); got != want || at != index {
			t.Errorf("%q, %q: %v %d, want %v %d", rules, cmd, got, at, want, index)
		}
	}
	f("", "GET a", DeniedCommand, 0)
	f("", "AUTH x", Allowed, 0)
	f("+get ~*", "GET a", Allowed, 0)
	f("+get", "GET a", DeniedKey, 1)
	f("+@all ~a*", "MSET ab 1 b 2", DeniedKey, 3)
	f("+@all ~a* ~b", "MSET ab 1 b 2", Allowed, 0)
	f("+@all -@write ~*", "SET a 1", DeniedCommand, 0)
	f("+@all -set ~*", "SET a 1", DeniedCommand, 0)
	f("+@read ~*", "GET a", Allowed, 0)
	f("+@all %R~a %W~b", "COPY a b", Allowed, 0)
	f("+@all %R~a %W~b", "COPY b a", DeniedKey, 1)
	f("+@all %R~a %W~a", "GETSET a 1", Allowed, 0)
	f("+@all %R~a", "SET a 1", DeniedKey, 1)
	f("+@all %R~a", "GET a", Allowed, 0)
	f("+config", "CONFIG GET x", Allowed, 0)
	f("+config|get", "CONFIG GET x", Allowed, 0)
	f("+config|get", "CONFIG SET x y", DeniedCommand, 0)
	f("+config -config|set", "CONFIG SET x y", DeniedCommand, 0)
	f("+select|0", "SELECT 0", Allowed, 0)
	f("+select|0", "SELECT 1", DeniedCommand, 0)
	f("+select|0 -select", "SELECT 0", DeniedCommand, 0)
	f("+@all allkeys &a*", "PUBLISH ab x", Allowed, 0)
	f("+@all allkeys &a*", "PUBLISH b x", DeniedChannel, 1)
	f("+@all &a*", "SUBSCRIBE ab b", DeniedChannel, 2)
	f("+@all &a*", "PSUBSCRIBE ab", DeniedChannel, 1)
	f("+@all &a*", "PSUBSCRIBE a*", Allowed, 0)
	f("+get ~a (+set ~b)", "SET b 1", Allowed, 0)
	f("+get ~a (+set ~b)", "GET b", DeniedKey, 1)
	f("+get ~a (+set ~b)", "DEL b", DeniedCommand, 0)
	f("+get ~a (+mset ~b ~c) (+mset ~b)", "MSET b 1 c 2 d 3", DeniedKey, 5)
	f("+@all ~* &* clearselectors", "PUBLISH b x", Allowed, 0)
}

func TestBadRules(t *testing.T) {
	s := users(t)
	for rule, want := range map[string]string{
		"+nosuch": "Unknown command", "+@nosuch": "Unknown command", "-get|x": "Unknown command", "+config|x": "Unknown command",
		"+config|get|x": "first-arg of a subcommand", "+select|": "Syntax error", "x": "Syntax error", "%~a": "Syntax error", "%X~a": "Syntax error",
		"%RR~a": "Syntax error", "~a b": "Syntax error", "#abc": "password hash", "<nosuch": "does not exist", "(+get": "Unmatched parenthesis",
		"(on)": "Syntax error", "(+nosuch)": "Unknown command",
	} {
		if _, _, err := s.Set("u", []string{"on", rule}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", rule, err, want)
		}
	}
	if s.Get("u") != nil {
		t.Error("a user of wrong rules exists")
	}
	for _, two := range [][]string{{"~*", "~a"}, {"&*", "&a"}} {
		if _, _, err := s.Set("u", two); err == nil || !strings.Contains(err.Error(), "does not have any effect") {
			t.Error(two, err)
		}
	}
	if _, _, err := s.Set("a b", nil); err == nil {
		t.Error("a name with a blank")
	}
}

func TestPasswords(t *testing.T) {
	s := users(t)
	u := set(t, s, "u", "on", ">one", ">two", ">two")
	for password, want := range map[string]bool{"one": true, "two": true, "three": false, "": false} {
		if u.Rules().CheckPassword([]byte(password)) != want {
			t.Errorf("%q: %v", password, !want)
		}
	}
	set(t, s, "u", "<one")
	if u.Rules().CheckPassword([]byte("one")) || len(u.Rules().Passwords()) != 1 {
		t.Error("a removed password works")
	}
	set(t, s, "u", "off")
	if u.Rules().CheckPassword([]byte("two")) {
		t.Error("a user who is off logs in")
	}
	set(t, s, "u", "on", "nopass")
	if !u.Rules().CheckPassword([]byte("anything")) {
		t.Error("nopass wants a password")
	}
}

// What a user is described as makes the same user.
func TestDescriptionIsComplete(t *testing.T) {
	s := users(t)
	for _, rules := range []string{"", "on nopass +@all ~* &*", "+@all -@dangerous -get ~a %R~b &c >p", "+@read +config|get +select|0 +select|1 -mget",
		"+@all -config|set", "+get (~a +@write) (&x -@all)", "-@all +@string -append", "sanitize-payload", "+@all -@all +ping allchannels"} {
		s.Delete("u")
		s.Delete("v")
		if strings.Contains(rules, "+ping") {
			rules = strings.ReplaceAll(rules, "+ping", "+get")
		}
		text := s.String(set(t, s, "u", strings.Fields(rules)...).Rules())
		again := s.String(set(t, s, "v", strings.Fields(text)...).Rules())
		if text != again {
			t.Errorf("%q:\n%s\n%s", rules, text, again)
		}
	}
	if got := s.List()[0]; got != "user default on nopass ~* &* +@all" {
		t.Error(got)
	}
}

func TestFile(t *testing.T) {
	s := users(t)
	old := set(t, s, "old", "on", "nopass", "+@all", "~*")
	gone, err := s.Load("f.acl", "user alice on >p +@all ~a*\n\nuser default off nopass ~* +@all\nuser bob (+get ~b)\n")
	if err != nil || !slices.Equal(gone, []*User{old}) || old.Rules().Enabled() {
		t.Fatal(gone, err)
	}
	if names := s.Names(); !slices.Equal(names, []string{"alice", "bob", "default"}) || s.Default().Rules().Enabled() {
		t.Error(names)
	}
	text := s.Text()
	if _, err := s.Load("f.acl", text); err != nil || s.Text() != text {
		t.Error(err, text, s.Text())
	}
	_, err = s.Load("f.acl", "user a on\nuser a on\nhello\nuser b +nosuch x y\n")
	want := "WARNING: Duplicate user 'a' found on line 2. f.acl:3 should start with user keyword followed by the username. " +
		"f.acl:4: Error in applying operation '+nosuch': Unknown command or category name in ACL. f.acl:4: Syntax error. " +
		"WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
	if err == nil || err.Error() != want || s.Text() != text {
		t.Error(err)
	}
}

func TestLog(t *testing.T) {
	var l Log
	for i := range 30 {
		l.Add(Event{Reason: DeniedKey, Object: "k", User: "u", Client: "c"}, int64(i), 5)
	}
	if got := l.Latest(10); len(got) != 1 || got[0].Count != 30 || got[0].LastTime != 29 {
		t.Error(got)
	}
	for i := range 30 {
		l.Add(Event{Reason: DeniedKey, Object: string(rune('a' + i)), User: "u"}, 100, 5)
	}
	if got := l.Latest(10); len(got) != 5 || got[0].Object != "~" && got[0].Object == "" {
		t.Error(got)
	}
	l.Reset()
	if l.Latest(10) != nil {
		t.Error("not empty")
	}
}

// The same rules mean the same to redis-server, as far as our commands are its own: ACL DRYRUN tells.
func TestLikeRedis(t *testing.T) {
	server := oracle.Redis(t)
	c := server.Dial(t)
	s := users(t)
	rules := []string{"+@all ~*", "+@all -@write ~*", "+@read ~a* %W~b", "+@string -get ~*", "+@all -@fast +set %R~a %W~b", "+@write %RW~a", "+mset +copy ~a ~b", "(+get ~a) (+set ~b)",
		"+@keyspace ~a", "+@list +@set -@slow ~*", "-@all +@all -@dangerous ~a"}
	commands := []string{"GET a", "GET b", "SET a 1", "SET b 1", "MSET a 1 b 2", "COPY a b", "COPY b a", "DEL a b", "GETSET a 1", "APPEND a x", "LPUSH a 1", "LPOP a", "LMOVE a b LEFT LEFT",
		"SADD a 1", "SINTERSTORE a b b", "SINTER a b", "RENAME a b", "EXISTS a", "EXPIRE a 1", "KEYS x", "RANDOMKEY", "BLPOP a 1", "SORT a", "SETRANGE a 0 x", "STRLEN a", "TTL b", "GETEX a PERSIST"}
	for _, r := range rules {
		words := strings.Fields(r)
		if reply := c.Do(append([]string{"ACL", "SETUSER", "u", "reset"}, words...)...); reply != "+OK\r\n" {
			t.Fatal(r, reply)
		}
		s.Delete("u")
		u := set(t, s, "u", words...)
		for _, cmd := range commands {
			args := strings.Fields(cmd)
			allowed := c.Do(append([]string{"ACL", "DRYRUN", "u"}, args...)...) == "+OK\r\n"
			var bytes [][]byte
			for _, a := range args {
				bytes = append(bytes, []byte(a))
			}
			if got, at := u.Rules().Check(s.table.Resolve(bytes), bytes); (got == Allowed) != allowed {
				t.Errorf("%q, %q: %v (%d), redis allows: %v", r, cmd, got, at, allowed)
			}
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add("on >p +@all -@write ~a* %R~b &c (+get ~x)")
	f.Add("+config|get -select +select|0 reset")
	f.Fuzz(func(t *testing.T, text string) {
		s := NewUsers(fuzzTable, false)
		sc := bufio.NewScanner(strings.NewReader(text))
		sc.Split(bufio.ScanWords)
		var rules []string
		for sc.Scan() {
			rules = append(rules, sc.Text())
		}
		u, _, err := s.Set("u", rules)
		if err != nil {
			return
		}
		description := s.String(u.Rules())
		if _, err := s.Load("f", "user u "+description+"\n"); err != nil {
			t.Fatalf("%q is described as %q: %v", rules, description, err)
		}
		if got := s.String(s.Get("u").Rules()); got != description {
			t.Fatalf("%q\n%q", description, got)
		}
	})
}

var fuzzTable = table()

func BenchmarkCheck(b *testing.B) {
	s := NewUsers(table(), false)
	args := [][]byte{[]byte("GET"), []byte("user:1000:name")}
	spec := s.table.Resolve(args)
	for name, rules := range map[string][]string{"free": {"+@all", "~*", "&*"}, "patterns": {"+@all", "~cache:*", "~session:*", "~user:*"}, "globs": {"+@all", "~*:age", "~u[a-t]er:*0*"}} {
		u, _, err := s.Set(name, rules)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if why, _ := u.Rules().Check(spec, args); why != Allowed {
					b.Fatal(why)
				}
			}
		})
	}
}

// A pattern matches as the matcher of globs says, also where that is not asked.
func TestKeyPatternMatches(t *testing.T) {
	parts := []string{"", "a", "ab", "b*", "*", "?", "[a]", `\*`, `\`, "a*b"}
	keys := []string{"", "a", "ab", "abb", "b", "*", "b*", `\`, "aab", "xb"}
	for _, x := range parts {
		for _, y := range parts {
			p := newKeyPattern(x+y, allAccess)
			for _, key := range keys {
				if got, want := p.matches([]byte(key)), glob.Match([]byte(x+y), []byte(key), false); got != want {
					t.Errorf("%q matches %q: %v", x+y, key, got)
				}
			}
		}
	}
}

// What is told quickly is what is told at length.
func TestPlainChecks(t *testing.T) {
	s := users(t)
	specs := []string{"GET", "SET", "TYPE", "DEL"}
	keys := []string{"", "a", "abcdefg", "abcdefgh", "abcdefghi", "abcxxxxxxx", "zzzzzzzzzz"}
	for _, rules := range []string{"+@all ~*", "+get ~abc*", "+@all %R~abc* ~abcdefghi*", "+@all %W~abcdefgh*", "+@all ~a?c*", "+@all ~abcdefgh", "-@all", "+@all"} {
		s.Delete("u")
		r := set(t, s, "u", strings.Fields(rules)...).Rules()
		for _, name := range specs {
			for _, key := range keys {
				args := [][]byte{[]byte(name), []byte(key), []byte("v")}
				spec := s.table.Resolve(args)
				c := check{spec: spec, args: args}
				why, _ := c.selector(&r.root)
				if quick := r.AllowsPlain(spec, args, args[1]); quick != (why == Allowed) && spec.OnlyKey() != 0 {
					t.Errorf("%s: %s %q: %v, quickly %v", rules, name, key, why, quick)
				}
			}
		}
	}
}
