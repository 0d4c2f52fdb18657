package server

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/shard"
)

var debugCommands = []command.Spec{
	{Name: "DEBUG", Arity: -2, Flags: clientAdmin | command.Barrier, Group: command.GroupServer, Since: "1.0.0", Complexity: "Depends on subcommand.",
		Summary: "Commands for those who test the server.", DocFlags: []string{"syscmd"}, Run: debugCommand},
}

// debugSub is a subcommand of DEBUG. To COMMAND they are one command, as in Redis.
type debugSub struct {
	name        string
	least, most int // arguments after the name
	run         func(*command.Ctx)
}

const anyArgs = 1 << 20

// debugSubs is a function as debugHelp needs the table.
func debugSubs() []debugSub {
	return []debugSub{
		{"AOF-FLUSH-SLEEP", 1, 1, debugAOFSleep},
		{"ASSERT", 0, anyArgs, debugPanic},
		{"CHANGE-REPL-ID", 0, 0, debugChangeReplID},
		{"CONFIG-REWRITE-FORCE-ALL", 0, 0, debugRewriteAll},
		{"CRASH-AND-RECOVER", 0, anyArgs, debugRestart},
		{"DIGEST", 0, 0, debugDigest},
		{"DIGEST-VALUE", 0, anyArgs, debugDigestValue},
		{"ERROR", 1, 1, debugError},
		{"HELP", 0, 0, debugHelp},
		{"HTSTATS", 1, 1, debugHTStats},
		{"HTSTATS-KEY", 1, 1, debugHTStatsKey},
		{"LISTPACK", 1, 1, debugListpack},
		{"LOADAOF", 0, anyArgs, debugLoadAOF},
		{"LOG", 1, 1, debugLog},
		{"OBJECT", 1, 1, debugObject},
		{"PANIC", 0, anyArgs, debugPanic},
		{"PAUSE-CRON", 1, 1, func(c *command.Ctx) { debugSwitch(c, &observe(c).cronPaused, true) }},
		{"POPULATE", 1, 3, debugPopulate},
		{"PROTOCOL", 1, 1, debugProtocol},
		{"QUICKLIST-PACKED-THRESHOLD", 1, 1, debugListAlone},
		{"RELOAD", 0, anyArgs, debugReload},
		{"REPLYBUFFER", 2, 2, debugReplyBuffer},
		{"RESTART", 0, anyArgs, debugRestart},
		{"SEGFAULT", 0, anyArgs, debugSegfault},
		{"SET-ACTIVE-EXPIRE", 1, 1, func(c *command.Ctx) { debugSwitch(c, &observe(c).expirePaused, false) }},
		{"SET-DISABLE-DENY-SCRIPTS", 1, 1, func(c *command.Ctx) { debugSwitch(c, &observe(c).allowInScripts, true) }},
		{"SET-SKIP-CHECKSUM-VALIDATION", 1, 1, debugSkipChecksums},
		{"SLEEP", 1, 1, debugSleep},
		{"STRINGMATCH-TEST", 0, 0, debugStringMatch},
	}
}

func observe(c *command.Ctx) *observed { return &client(c).reactor.srv.observed }

const errDebugDenied command.Error = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server."

func debugCommand(c *command.Ctx) {
	cl := client(c)
	if !cl.reactor.srv.cfg.Load().EnableDebug.Allows(isLocal(cl.conn)) {
		c.Error(errDebugDenied)
		return
	}
	args := len(c.Args) - 2
	for _, sub := range debugSubs() {
		if command.EqualFold(c.Args[1], sub.name) && args >= sub.least && args <= sub.most {
			sub.run(c)
			return
		}
	}
	c.ErrorSubcommand()
}

func debugHelp(c *command.Ctx) {
	c.Help([]string{
		"AOF-FLUSH-SLEEP <microseconds>", "    Sleep each time before the append only file is written.",
		"ASSERT", "    End the process by a panic.",
		"CHANGE-REPL-ID", "    Give the history of the data set a new name.",
		"CONFIG-REWRITE-FORCE-ALL", "    Write the configuration in force to its file, the defaults, too.",
		"CRASH-AND-RECOVER [<milliseconds>]", "    Start the program anew at once, or after a delay, as if it had crashed.",
		"DIGEST", "    A hash of all data.",
		"DIGEST-VALUE <key> [<key> ...]", "    Hashes of the values of these keys.",
		"ERROR <text>", "    Answer with this error.",
		"HTSTATS <dbid>", "    How full the hash table of a database is.",
		"HTSTATS-KEY <key>", "    How full the hash table is that is the value of this key.",
		"LISTPACK <key>", "    Write the elements of a listpack to the log.",
		"LOADAOF", "    Load the append only file again.",
		"LOG <message>", "    Write a line to the log.",
		"OBJECT <key>", "    How the value of this key is represented.",
		"PANIC", "    End the process by a panic.",
		"PAUSE-CRON <0|1>", "    Whether periodic work is left undone.",
		"POPULATE <count> [<prefix>] [<size>]", "    Create count strings, called prefix:0 (key:0) and so on.",
		"PROTOCOL <type>", "    Answer with a value of this type: string, integer, double, bignum, null, array, set, map,",
		"    attrib, push, verbatim, true, false.",
		"QUICKLIST-PACKED-THRESHOLD <size>", "    From which size on an element of a list has a node of its own.",
		"RELOAD [<option> ...]", "    Save all data and load it again.",
		"REPLYBUFFER (PEAK-RESET-TIME <time>|RESIZING <0|1>)", "    How reply buffers change their size.",
		"RESTART [<milliseconds>]", "    Write the configuration file and start the program anew.",
		"SEGFAULT", "    End the process by a bad memory access.",
		"SET-ACTIVE-EXPIRE <0|1>", "    Whether expired keys are deleted without being asked for.",
		"SET-DISABLE-DENY-SCRIPTS <0|1>", "    Whether scripts may call commands that are not for scripts.",
		"SET-SKIP-CHECKSUM-VALIDATION <0|1>", "    Whether RESTORE believes payloads without looking at their checksums.",
		"SLEEP <seconds>", "    Make the whole server sleep.",
		"STRINGMATCH-TEST", "    Try the pattern matcher on random input.",
	})
}

// number reads the digits that b begins with, as C's atoi.
func number(b []byte) int {
	end := 0
	for end < len(b) && (b[end] >= '0' && b[end] <= '9' || end == 0 && b[end] == '-') {
		end++
	}
	n, err := strconv.Atoi(string(b[:end]))
	if err != nil {
		return 0
	}
	return n
}

// debugSwitch sets b if argument 2 is 0 or not, as on says.
func debugSwitch(c *command.Ctx, b *atomic.Bool, on bool) {
	b.Store((number(c.Args[2]) != 0) == on)
	c.Reply.OK()
}

func debugSkipChecksums(c *command.Ctx) {
	s := client(c).reactor.srv
	s.trustPayloads.Store(number(c.Args[2]) != 0)
	s.apply(s.cfg.Load())
	c.Reply.OK()
}

// debugListAlone sets from which size on an element of a list has a node of its own.
func debugListAlone(c *command.Ctx) {
	const most = 1<<32 - 1<<20
	n, ok := config.ParseMemory(string(c.Args[2]))
	if !ok || n > most {
		c.Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
		return
	}
	s := client(c).reactor.srv
	s.observed.listAlone.Store(n)
	s.apply(s.cfg.Load())
	c.Reply.OK()
}

func debugError(c *command.Ctx) { c.Error(command.Error(c.Args[2])) }

func debugLog(c *command.Ctx) {
	client(c).reactor.srv.log.Warningf("DEBUG LOG: %s", c.Args[2])
	c.Reply.OK()
}

func debugChangeReplID(c *command.Ctx) {
	s := client(c).reactor.srv
	s.log.Warningf("Changing replication IDs after receiving DEBUG change-repl-id")
	s.changeReplicationID()
	c.Reply.OK()
}

func debugRewriteAll(c *command.Ctx) {
	cl := client(c)
	cl.background(cl.reactor.srv.cfg.RewriteAll)
}

// debugReplyBuffer has nothing to set: a reply's buffer goes back to its reactor's pool as soon as it is sent. So none
// is ever resized, as RESIZING 0 demands and RESIZING 1 permits.
func debugReplyBuffer(c *command.Ctx) {
	switch {
	case command.EqualFold(c.Args[2], "RESIZING"):
		c.Reply.OK()
		return
	case !command.EqualFold(c.Args[2], "PEAK-RESET-TIME"):
		c.ErrorSubcommand()
		return
	}
	c.Error("ERR reply buffers are not kept from one reply to the next, so there is nothing to resize")
}

// debugSleep makes every reactor sleep until the same moment, and so the whole server.
func debugSleep(c *command.Ctx) {
	seconds := leadingFloat(string(c.Args[2]))
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	home := client(c).reactor
	for _, r := range home.srv.reactors {
		if r != home {
			r.net.Post(func() { time.Sleep(time.Until(end)) })
		}
	}
	time.Sleep(time.Until(end))
	c.Reply.OK()
}

// leadingFloat parses the longest beginning of s that is a number, like C's strtod.
func leadingFloat(s string) float64 {
	for end := min(len(s), 32); end > 0; end-- {
		if f, err := strconv.ParseFloat(s[:end], 64); err == nil {
			return f
		}
	}
	return 0
}

// debugPanic ends the process as a bug would.
func debugPanic(c *command.Ctx) {
	s := client(c).reactor.srv
	s.log.Warningf("Shoal %s ends by DEBUG %s", Version, strings.ToUpper(string(c.Args[1])))
	s.log.Flush()
	panic("DEBUG " + strings.ToUpper(string(c.Args[1])) + " called at Unix time " + strconv.FormatInt(time.Now().Unix(), 10))
}

// debugSegfault ends the process by SIGSEGV, with the goroutines' stacks on standard error.
func debugSegfault(c *command.Ctx) {
	client(c).reactor.srv.crash(syscall.SIGSEGV)
	client(c).suspend(0)
}

// debugRestart replaces the process by a new one, after a delay if one is given.
func debugRestart(c *command.Ctx) {
	delayMS := int64(0)
	if len(c.Args) > 2 {
		var ok bool
		if delayMS, ok = shard.ParseInt(c.Args[2]); !ok {
			c.Error(command.ErrNotInteger)
			return
		}
	}
	graceful := command.EqualFold(c.Args[1], "RESTART")
	cl := client(c)
	s := cl.reactor.srv
	cl.background(func() error {
		time.Sleep(time.Duration(delayMS) * time.Millisecond)
		if err := s.restart(graceful); err != nil {
			s.log.Warningf("Cannot restart: %v", err)
		}
		return errors.New("failed to restart the server. Check server logs.")
	})
}

// restart runs the program anew in this process. It returns only if that fails.
func (s *Server) restart(rewrite bool) error {
	if rewrite && s.cfg.File() != "" {
		if err := s.cfg.Rewrite(s.configUsers()); err != nil {
			return fmt.Errorf("cannot write the configuration file: %w", err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string(nil), os.Args...)
	if s.cfg.File() != "" && len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		args[1] = s.cfg.File() // it was relative to another directory, perhaps
	}
	// The kernel gives up a ring, and what its requests refer to, some time after its last descriptor is closed: without
	// Stop the new process would find its port in use.
	s.engine.Stop()
	s.log.Flush()
	err = syscall.Exec(exe, args, os.Environ())
	s.stop <- stopping{status: 1} // there is nothing to go back to
	return err
}

func debugProtocol(c *command.Ctx) {
	w := c.Reply
	switch strings.ToLower(string(c.Args[2])) {
	case "string":
		w.BulkString("Hello World")
	case "integer":
		w.Int(12345)
	case "double":
		w.Double(3.141)
	case "bignum":
		w.BigNumber("1234567999999999999999999999999999999")
	case "null":
		w.Null()
	case "array":
		w.Array(3)
		threeInts(w)
	case "set":
		w.Set(3)
		threeInts(w)
	case "map":
		w.Map(3)
		for i := range 3 {
			w.Int(int64(i))
			w.Bool(i == 1)
		}
	case "attrib":
		if w.Attribute(1) {
			w.BulkString("key-popularity")
			w.Array(2)
			w.BulkString("key:123")
			w.Int(90)
		}
		w.BulkString("Some real reply following the attribute")
	case "push":
		if w.Proto < 3 {
			c.Error("ERR RESP2 is not supported by this command")
			return
		}
		w.Push(2)
		w.BulkString("server-cpu-usage")
		w.Int(42)
		w.BulkString("Some real reply following the push reply")
	case "verbatim":
		w.Verbatim("txt", "This is a verbatim\nstring")
	case "true", "false":
		w.Bool(command.EqualFold(c.Args[2], "TRUE"))
	default:
		c.Error("ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false")
	}
}

func threeInts(w *resp.Writer) {
	for i := range 3 {
		w.Int(int64(i))
	}
}
