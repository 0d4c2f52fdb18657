package test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// duelCommands reads the commands of a file, separated by lines of "---": scripts for EVAL, whose first line "-- ..."
// has the number of keys, the keys and arguments; or, behind a line "-- cmd", the words of a command with "|" between
// them.
func duelCommands(t *testing.T, path string) [][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		part = strings.Trim(part, "\n")
		first, rest, _ := strings.Cut(part, "\n")
		words, ok := strings.CutPrefix(first, "-- ")
		switch {
		case !ok:
			all = append(all, []string{"EVAL", part, "0"})
		case words == "cmd":
			all = append(all, strings.Split(strings.ReplaceAll(rest, `\n`, "\n"), "|"))
		default:
			all = append(all, append([]string{"EVAL", rest}, strings.Fields(words)...))
		}
	}
	return all
}

// TestEvalBesideRedis runs scripts and functions on Shoal and on redis-server.
func TestEvalBesideRedis(t *testing.T) {
	for _, file := range []string{"testdata/eval.txt", "testdata/function.txt"} {
		for _, proto := range []string{"2", "3"} {
			t.Run(file+"/RESP"+proto, func(t *testing.T) {
				redis := pool.get(t, oracle.Need(t)).Dial(t)
				shoal := sharedShoal(t).Dial(t)
				for _, c := range []*oracle.Client{redis, shoal} {
					c.Do("HELLO", proto)
					c.Do("FLUSHALL")
					c.Do("FUNCTION", "FLUSH")
				}
				for _, args := range duelCommands(t, file) {
					if want, got := redis.Do(args...), shoal.Do(args...); got != want {
						t.Errorf("%q:\n\tredis %q\n\tshoal %q", args, want, got)
					}
				}
			})
		}
	}
}

// eachBusyShape runs a test on both engines, with one reactor, where a script must not stop it, and with two.
func eachBusyShape(t *testing.T, f func(t *testing.T, s *oracle.Server)) {
	for _, engine := range engines(t) {
		for _, reactors := range []string{"1", "2"} {
			t.Run("engine="+engine+"/reactors="+reactors, func(t *testing.T) {
				s := oracle.Shoal(t, "--net-engine", engine, "--reactors", reactors, "--busy-reply-threshold", "200", "--enable-debug-command", "yes")
				f(t, s)
			})
		}
	}
}

const (
	busyScript   = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"
	busyFunction = "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.\r\n"
)

// endlessScript begins a script that does not end, and waits until the server says so.
func endlessScript(t *testing.T, s *oracle.Server, body string, words ...string) (script, other *oracle.Client) {
	t.Helper()
	script, other = s.Dial(t), s.Dial(t)
	script.Send(append([]string{"EVAL", body}, words...)...)
	oracle.WaitFor(t, "BUSY", func() bool { return isBusy(other) })
	return script, other
}

func isBusy(c *oracle.Client) bool { return strings.HasPrefix(c.Do("PING"), "-BUSY") }

func expectReply(t *testing.T, c *oracle.Client, want string, args ...string) {
	t.Helper()
	if got := c.Do(args...); got != want {
		t.Errorf("%q: %q, not %q", args, got, want)
	}
}

// killScript sends SCRIPT KILL and wants the script to end by that.
func killScript(t *testing.T, script, other *oracle.Client) {
	t.Helper()
	expectReply(t, other, "+OK\r\n", "SCRIPT", "KILL")
	if got := script.Reply(); !strings.HasPrefix(got, "-ERR Script killed by user with SCRIPT KILL...") {
		t.Errorf("the script: %q", got)
	}
	oracle.WaitFor(t, "the end", func() bool { return other.Do("PING") == "+PONG\r\n" })
	expectReply(t, other, "-NOTBUSY No scripts in execution right now.\r\n", "SCRIPT", "KILL")
}

// TestEndlessScript has a script that works on a declared key: who wants another goes on.
func TestEndlessScript(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		script, other := endlessScript(t, s, "while true do redis.call('GET', KEYS[1]) redis.call('HGET', KEYS[2], 'f') end", "2", "mine", "mine2")
		for i := range 100 {
			expectReply(t, other, "+OK\r\n", "SET", fmt.Sprint("other", i), "v")
		}
		expectReply(t, other, busyScript, "SET", "mine", "v")
		expectReply(t, other, "$-1\r\n", "GET", "mine") // the script only reads
		expectReply(t, other, busyScript, "FLUSHALL")
		expectReply(t, other, busyScript, "FUNCTION", "KILL")
		killScript(t, script, other)
		expectReply(t, other, "+OK\r\n", "SET", "mine", "v")
	})
}

// TestEndlessEverywhere has scripts that may work on any key, and such that catch errors.
func TestEndlessEverywhere(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		for _, body := range []string{
			"while true do pcall(redis.call, 'GET', 'k') end",
			"while true do pcall(function() while true do pcall(redis.call, 'GET', 'k') end end) end",
			"local r = redis.call for i = 1, 1e9 do pcall(function() coroutine.wrap(function() while true do pcall(r, 'GET', 'k') end end)() end) end",
		} {
			script, other := endlessScript(t, s, body, "0")
			expectReply(t, other, busyScript, "GET", "k")
			expectReply(t, other, busyScript, "SET", "other", "v")
			expectReply(t, other, "+OK\r\n", "MULTI")
			expectReply(t, other, busyScript, "SET", "other", "v")
			expectReply(t, other, "-EXECABORT Transaction discarded because of: "+busyScript[1:], "EXEC")
			killScript(t, script, other)
		}
	})
}

// TestUnkillable has a script that has written: it is not killed, and what it has written is not seen before it ends.
func TestUnkillable(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		const now = "local function now() local t = redis.call('TIME') return t[1] + t[2] / 1e6 end "
		for _, body := range []string{
			now + "local begin = now() redis.call('SET', KEYS[1], 1) repeat until now() >= begin + ARGV[1] return redis.call('INCR', KEYS[1])",
			now + "local r, begin = redis, now() r.call('SET', 'k', 1) repeat until now() >= begin + ARGV[1] return r.call('INCR', 'k')",
		} {
			// On a busy machine it may be over before anybody has seen it: then it has to take longer.
			for seconds := 1; !unkillable(t, s, body, seconds); seconds *= 2 {
				if seconds > 60 {
					t.Fatal("the script is always killed, or does not stand in the way")
				}
			}
		}
	})
}

// unkillable runs a script that writes and then runs for so long. It reports false if nobody has asked to kill it between the two.
func unkillable(t *testing.T, s *oracle.Server, body string, seconds int) bool {
	t.Helper()
	script, other := s.Dial(t), s.Dial(t)
	script.Send("EVAL", body, "1", "k", fmt.Sprint(seconds))
	ended := make(chan string, 1)
	go func() { reply, err := script.Conn.Reply(); ended <- fmt.Sprint(string(reply), err) }()
	oracle.WaitFor(t, "BUSY", func() bool { return len(ended) > 0 || isBusy(other) })
	killed := other.Do("SCRIPT", "KILL")
	if killed == "+OK\r\n" { // before it has come to write
		<-ended
		return false
	}
	for {
		got := other.Do("GET", "k")
		if got == "$1\r\n2\r\n" {
			break
		}
		if got != busyScript {
			t.Fatalf("GET: %q", got)
		}
	}
	if got := <-ended; got != ":2\r\n<nil>" {
		t.Errorf("the script: %q", got)
	}
	return strings.HasPrefix(killed, "-UNKILLABLE ")
}

// TestWaitForScript has clients that wait for a script that is put aside and is not slow yet, without an error.
func TestWaitForScript(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		script := s.Dial(t)
		script.Do("CONFIG", "SET", "busy-reply-threshold", "600000")
		var clients []*oracle.Client
		for range 20 {
			clients = append(clients, s.Dial(t))
		}
		for _, body := range []string{
			"redis.call('SET', KEYS[1], 0) for i = 1, 300000 do local x = i * 2 end for i = 1, 100 do redis.call('INCR', KEYS[1]) end return 'done'",
			"local r = redis r.call('SET', 'n', 0) for i = 1, 300000 do local x = i * 2 end for i = 1, 100 do r.call('INCR', 'n') end return 'done'",
		} {
			for range 5 {
				script.Do("SET", "n", "-1000") // those who come before the script get less than those behind it
				script.Send("EVAL", body, "1", "n")
				for _, c := range clients {
					c.Send("INCR", "n")
				}
				if got := script.Reply(); got != "$4\r\ndone\r\n" {
					t.Fatalf("the script: %q", got)
				}
				seen := map[string]bool{}
				for _, c := range clients {
					got := c.Reply()
					if seen[got] {
						t.Errorf("two clients got %q", got)
					}
					seen[got] = true
				}
			}
		}
	})
}

// TestEndlessFunction has a function that works on a declared key: who wants another goes on.
func TestEndlessFunction(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		function, other := s.Dial(t), s.Dial(t)
		expectReply(t, other, "$1\r\nl\r\n", "FUNCTION", "LOAD", `#!lua name=l
			local function read(key) return redis.call('GET', key) end
			redis.register_function('endless', function(keys) while true do read(keys[1]) end end)`)
		function.Send("FCALL", "endless", "1", "mine")
		oracle.WaitFor(t, "BUSY", func() bool { return other.Do("PING") == busyFunction })
		for i := range 100 {
			expectReply(t, other, "+OK\r\n", "SET", fmt.Sprint("other", i), "v")
		}
		expectReply(t, other, busyFunction, "SET", "mine", "v")
		expectReply(t, other, "+OK\r\n", "FUNCTION", "KILL")
		if got := function.Reply(); !strings.HasPrefix(got, "-ERR Script killed by user") {
			t.Errorf("FCALL: %q", got)
		}
	})
}

// TestMemoryLimit has scripts that would use all memory.
func TestMemoryLimit(t *testing.T) {
	for _, engine := range engines(t) {
		s := oracle.Shoal(t, "--net-engine", engine, "--reactors", "1")
		c := s.Dial(t)
		for _, body := range []string{
			"local t = {} while true do t[#t + 1] = {} end",
			"local t = {} while true do t[#t + 1] = string.rep('x', 1e6) end",
			"local s = 'x' while true do s = s .. s end",
			"local t = {} while true do local u = {} u[4000000] = 1 t[#t + 1] = u end",
			"local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end",
		} {
			got := c.Do("EVAL", body, "0")
			if !strings.Contains(got, "memory limit") && !strings.Contains(got, "too large") {
				t.Errorf("%s: %q", body, got)
			}
		}
		expectReply(t, c, "+PONG\r\n", "PING")
	}
}

// TestScriptInTransaction has an endless script in a transaction for which all reactors stand still: it ends with an error.
func TestScriptInTransaction(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		c.Do("MULTI")
		c.Do("CLIENT", "LIST")
		c.Do("EVAL", "while true do end", "0")
		c.Do("SET", "k", "v")
		if got := c.Do("EXEC"); !strings.Contains(got, "-ERR Script took too long") || !strings.HasSuffix(got, "+OK\r\n") {
			t.Errorf("EXEC: %q", got)
		}
	})
}

// TestServerInScript has scripts that ask all reactors for something: alone and in transactions, where it is known
// before that they will.
func TestServerInScript(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		c.Do("CONFIG", "SET", "busy-reply-threshold", "600000")
		for _, words := range [][]string{{"INFO"}, {"INFO", "everything"}, {"MEMORY", "STATS"}, {"MEMORY", "DOCTOR"}, {"MEMORY", "PURGE"}, {"MEMORY", "MALLOC-STATS"}} {
			call := "redis.call('" + strings.Join(words, "', '") + "')"
			for _, args := range [][]string{
				{"EVAL", "return type(" + call + ")", "1", "key"},
				{"EVAL", "redis.call('SET', KEYS[1], 1) return type(" + call + ")", "1", "key"},
				append([]string{"EVAL", "return type(redis.call(unpack(ARGV)))", "0"}, words...),
			} {
				if got := c.Do(args...); got != "$5\r\ntable\r\n" && got != "$6\r\nstring\r\n" {
					t.Errorf("%q: %q", args, got)
				}
			}
			if words[len(words)-1] == "PURGE" {
				continue
			}
			c.Do("MULTI")
			c.Do("EVAL", "redis.call('SET', KEYS[1], 1) return type("+call+")", "1", "key")
			if got := c.Do("EXEC"); got != "*1\r\n$5\r\ntable\r\n" && got != "*1\r\n$6\r\nstring\r\n" {
				t.Errorf("%q in a transaction: %q", words, got)
			}
		}
		expectReply(t, c, "+PONG\r\n", "PING")
	})
}

// TestSetRepl has scripts whose effects are not all told to the append only file.
func TestSetRepl(t *testing.T) {
	s := oracle.Shoal(t, "--appendonly", "yes", "--enable-debug-command", "yes")
	c := s.Dial(t)
	expectReply(t, c, "+OK\r\n", "EVAL", `
		redis.call('SET', KEYS[1], 1)
		redis.set_repl(redis.REPL_NONE)
		redis.call('SET', KEYS[2], 2)
		redis.set_repl(redis.REPL_REPLICA)
		redis.call('SET', KEYS[3], 3)
		redis.set_repl(redis.REPL_AOF)
		redis.call('SET', KEYS[4], 4)
		redis.set_repl(redis.REPL_ALL)
		redis.call('SET', KEYS[5], 5)
		redis.set_repl(redis.REPL_NONE)
		return redis.call('SET', KEYS[6], 6)`, "6", "a", "b", "c", "d", "e", "f")
	expectReply(t, c, "+OK\r\n", "EVAL", "return redis.call('SET', KEYS[1], 7)", "1", "g")
	expectReply(t, c, "+OK\r\n", "DEBUG", "LOADAOF")
	expectReply(t, c, "*7\r\n$1\r\n1\r\n$-1\r\n$-1\r\n$1\r\n4\r\n$1\r\n5\r\n$-1\r\n$1\r\n7\r\n", "MGET", "a", "b", "c", "d", "e", "f", "g")
}

// TestScriptFlags has scripts that declare what they need where memory is used up.
func TestScriptFlags(t *testing.T) {
	s := oracle.Shoal(t)
	c := s.Dial(t)
	c.Do("SET", "k", "v")
	c.Do("CONFIG", "SET", "maxmemory", "1")
	const set, get = "redis.call('SET', KEYS[1], 'w')", "redis.call('GET', KEYS[1])"
	for body, want := range map[string]string{
		"return " + set: "-OOM command not allowed when used memory > 'maxmemory'.",
		"return " + get: "$1\r\n",
		"redis.call('DEL', 'none') return " + set:             "+OK",
		"#!lua\nreturn " + get:                                "-OOM command not allowed when used memory > 'maxmemory'.",
		"#!lua flags=allow-oom\nreturn " + set:                "+OK",
		"#!lua flags=no-writes\nreturn " + get:                "$1\r\n",
		"#!lua flags=no-writes\nreturn " + set:                "-ERR Write commands are not allowed from read-only scripts.",
		"local e = redis.pcall('SET', KEYS[1], 'w') return e": "-OOM command not allowed when used memory > 'maxmemory'.",
		"return redis.acl_check_cmd('SET')":                   ":1",
		"return redis.acl_check_cmd('SET', 'k', 'v')":         ":1",
	} {
		if got := c.Do("EVAL", body, "1", "k"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, not %q", body, got, want)
		}
	}
}

// TestScriptsDuringPause has scripts and a function that declare not to write, while clients that write are paused.
func TestScriptsDuringPause(t *testing.T) {
	s := oracle.Shoal(t)
	admin, c := s.Dial(t), s.Dial(t)
	admin.Do("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function{function_name='f', callback=function() return 3 end, flags={'no-writes'}}")
	sha := strings.TrimSpace(strings.SplitN(admin.Do("SCRIPT", "LOAD", "#!lua flags=no-writes\nreturn 2"), "\r\n", 2)[1])
	expectReply(t, admin, "+OK\r\n", "CLIENT", "PAUSE", "10000000", "WRITE")
	expectReply(t, c, ":1\r\n", "EVAL", "#!lua flags=no-writes\nreturn 1", "0")
	expectReply(t, c, ":2\r\n", "EVALSHA", sha, "0")
	expectReply(t, c, ":3\r\n", "FCALL", "f", "0")
	c.Do("MULTI")
	c.Do("EVALSHA", sha, "0")
	expectReply(t, c, "*1\r\n:2\r\n", "EXEC")
	expectReply(t, admin, "+OK\r\n", "CLIENT", "UNPAUSE")
}

// TestFunctionKill has a function that does not end, and a library that does not finish registering.
func TestFunctionKill(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		script, other := s.Dial(t), s.Dial(t)
		other.Do("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('endless', function() while true do end end)")
		if got := other.Do("FUNCTION", "LOAD", "#!lua name=m\nwhile true do end"); got != "-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n" {
			t.Errorf("FUNCTION LOAD: %q", got)
		}
		script.Send("FCALL", "endless", "0")
		oracle.WaitFor(t, "BUSY", func() bool { return other.Do("PING") == busyFunction })
		expectReply(t, other, busyFunction, "SCRIPT", "KILL")
		if got := other.Do("FUNCTION", "STATS"); !strings.Contains(got, "endless") {
			t.Errorf("FUNCTION STATS: %q", got)
		}
		expectReply(t, other, "+OK\r\n", "FUNCTION", "KILL")
		if got := script.Reply(); !strings.HasPrefix(got, "-ERR Script killed by user") {
			t.Errorf("FCALL: %q", got)
		}
	})
}

// TestShutdownBusy ends a server on which a script runs.
func TestShutdownBusy(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		_, other := endlessScript(t, s, "local r = redis r.call('SET', 'k', 1) while true do end", "0")
		expectReply(t, other, busyScript, "SHUTDOWN")
		other.Send("SHUTDOWN", "NOSAVE")
		if status := s.Wait(t); status != 0 {
			t.Errorf("exit status %d", status)
		}
	})
}

// TestUndeclaredKeys has many clients whose scripts move elements between keys that they do not declare, or do: none is lost, and
// no sum is ever seen that is wrong.
func TestUndeclaredKeys(t *testing.T) {
	for _, engine := range engines(t) {
		s := oracle.Shoal(t, "--net-engine", engine, "--reactors", "4")
		const accounts, each = 20, 1000
		c := s.Dial(t)
		for i := range accounts {
			c.Do("SET", fmt.Sprint("a", i), fmt.Sprint(each))
		}
		sum := "local n = 0 for i = 0, " + fmt.Sprint(accounts-1) + " do n = n + redis.call('GET', 'a' .. i) end return n"
		scripts := []string{
			"redis.call('DECR', KEYS[1]) return redis.call('INCR', KEYS[2])",
			"redis.call('DECR', ARGV[1]) return redis.call('INCR', ARGV[2])",
			"local a, b = redis.call('GET', ARGV[1]), redis.call('GET', ARGV[2]) redis.call('SET', ARGV[1], a - 1) redis.call('SET', ARGV[2], b + 1)",
		}
		var wg sync.WaitGroup
		for n := range 6 {
			c := s.Dial(t)
			wg.Go(func() {
				for i := range 400 {
					a, b := fmt.Sprint("a", (i*7+n)%accounts), fmt.Sprint("a", (i*11+n+1)%accounts)
					if a == b {
						continue
					}
					body := scripts[(i+n)%len(scripts)]
					if body == scripts[0] {
						c.Do("EVAL", body, "2", a, b)
					} else {
						c.Do("EVAL", body, "0", a, b)
					}
					if i%10 == 0 {
						if got := c.Do("EVAL_RO", sum, "0"); got != fmt.Sprintf(":%d\r\n", accounts*each) {
							t.Errorf("the sum is %q", got)
							return
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestEndlessTransaction has a script in a transaction that does not end: it can be killed, and then the transaction goes on.
func TestEndlessTransaction(t *testing.T) {
	eachBusyShape(t, func(t *testing.T, s *oracle.Server) {
		other := s.Dial(t)
		queue := func(c *oracle.Client, commands ...[]string) {
			t.Helper()
			expectReply(t, c, "+OK\r\n", "MULTI")
			for _, args := range commands {
				expectReply(t, c, "+QUEUED\r\n", args...)
			}
			c.Send("EXEC")
			oracle.WaitFor(t, "BUSY", func() bool { return strings.HasPrefix(other.Do("PING"), "-BUSY") })
		}
		endless := []string{"EVAL", "while true do redis.call('GET', KEYS[1]) end", "1", "k"}
		c := s.Dial(t)
		expectReply(t, c, "+OK\r\n", "WATCH", "k")
		queue(c, []string{"SELECT", "3"}, []string{"SET", "a", "1"}, endless, []string{"SET", "b", "2"}, endless, []string{"GET", "b"})
		expectReply(t, other, busyScript, "GET", "else")
		expectReply(t, other, busyScript, "SET", "a", "1")
		exec := make(chan string, 1)
		go func() { reply, err := c.Conn.Reply(); exec <- fmt.Sprint(string(reply), err) }()
		oracle.WaitFor(t, "the end of both scripts", func() bool {
			other.Do("SCRIPT", "KILL")
			return len(exec) > 0
		})
		got := <-exec
		const killed = "-ERR Script killed by user with SCRIPT KILL..."
		if !strings.HasPrefix(got, "*6\r\n+OK\r\n+OK\r\n"+killed) || !strings.HasSuffix(got, "$1\r\n2\r\n<nil>") || strings.Count(got, killed) != 2 {
			t.Errorf("EXEC: %q", got)
		}
		expectReply(t, c, "$1\r\n1\r\n", "GET", "a") // in database 3
		expectReply(t, other, "$-1\r\n", "GET", "a")

		queue(c, []string{"SET", "c", "1"}, endless, []string{"SUBSCRIBE", "channel"}, []string{"SET", "d", "1"})
		c.Close()
		expectReply(t, other, "+OK\r\n", "SCRIPT", "KILL")
		oracle.WaitFor(t, "the end", func() bool { return other.Do("PING") == "+PONG\r\n" })
		oracle.WaitFor(t, "the end of the connection", func() bool {
			return other.Do("PUBSUB", "NUMSUB", "channel") == "*2\r\n$7\r\nchannel\r\n:0\r\n"
		})
		expectReply(t, other, "+OK\r\n", "SELECT", "3")
		expectReply(t, other, "$1\r\n1\r\n", "GET", "d")

		c = s.Dial(t)
		queue(c, []string{"EVAL", "redis.call('SET', 'e', '1') while true do redis.call('GET', 'e') end", "0"})
		got = other.Do("SCRIPT", "KILL")
		if !strings.HasPrefix(got, "-UNKILLABLE") {
			t.Errorf("SCRIPT KILL of what has written: %q", got)
		}
	})
}

// TestSlowTransaction has a transaction with a script that takes a while. Nobody sees half of it.
func TestSlowTransaction(t *testing.T) {
	for _, engine := range engines(t) {
		for _, reactors := range []string{"1", "2"} {
			s := oracle.Shoal(t, "--net-engine", engine, "--reactors", reactors, "--busy-reply-threshold", "600000")
			c, other, reader := s.Dial(t), s.Dial(t), s.Dial(t)
			c.Do("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function(keys, args) local n = 0 for i = 1, tonumber(args[1]) do n = n + redis.call('INCR', keys[1]) end return n end)")
			for round := range 5 {
				c.Send("MULTI")
				c.Send("SET", "x", "0")
				c.Send("SET", "y", fmt.Sprint(round))
				c.Send("FCALL", "f", "1", "x", "30000")
				c.Send("EVAL", "for i = 1, 30000 do redis.call('DECR', KEYS[1]) end return redis.call('GET', 'y')", "1", "x")
				c.Send("EXEC")
				c.Send("PING")
				for range 20 {
					expectReply(t, other, "+PONG\r\n", "PING")
					if got := reader.Do("GET", "x"); got != "$1\r\n0\r\n" && got != "$-1\r\n" {
						t.Fatalf("GET beside the transaction: %q", got)
					}
				}
				for range 5 {
					c.Reply()
				}
				y := fmt.Sprint(round)
				want := fmt.Sprintf("*4\r\n+OK\r\n+OK\r\n:450015000\r\n$%d\r\n%s\r\n", len(y), y)
				if got := c.Reply(); got != want {
					t.Errorf("EXEC: %q, not %q", got, want)
				}
				if got := c.Reply(); got != "+PONG\r\n" {
					t.Errorf("PING behind EXEC: %q", got)
				}
			}
		}
	}
}
