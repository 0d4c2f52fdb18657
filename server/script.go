package server

import (
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/shard"
)

// command.GroupScripting is the group of COMMAND DOCS of all that runs scripts.
const scriptFlags = command.NoScript | command.Stale | command.SkipMonitor | command.NoMandatoryKeys

// scriptArgs are the arguments of EVAL and its like; what names the script.
func scriptArgs(what string) []command.Arg {
	return []command.Arg{
		{Name: what, Type: command.ArgString}, {Name: "numkeys", Type: command.ArgInteger},
		{Name: "key", Type: command.ArgKey, Optional: true, Multiple: true},
		{Name: "arg", Type: command.ArgString, Optional: true, Multiple: true},
	}
}

// scriptKeys is the key specification of EVAL and its like.
func scriptKeys(f command.KeyFlags, notes string) []command.KeySpec {
	return []command.KeySpec{{Flags: f, Notes: notes, Index: 2, Counted: true, FirstKey: 1, Step: 1}}
}

const (
	scriptMayWrite = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"
	scriptMayRead  = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"
	scriptCosts    = "Depends on the script."
)

var scriptCommands = []command.Spec{
	{Name: "EVAL", Arity: -3, Flags: scriptFlags | command.MayReplicate, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "2.6.0", Complexity: scriptCosts,
		Keys: scriptKeys(command.RW|command.Access|command.Update, scriptMayWrite), Summary: "Runs a Lua script.", Args: scriptArgs("script"), Run: eval},
	{Name: "EVALSHA", Arity: -3, Flags: scriptFlags | command.MayReplicate, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "2.6.0", Complexity: scriptCosts,
		Keys: scriptKeys(command.RW|command.Access|command.Update, ""), Summary: "Runs a Lua script that the server has already.", Args: scriptArgs("sha1"), Run: evalSHA},
	{Name: "EVAL_RO", Arity: -3, Flags: scriptFlags | command.ReadOnly, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: scriptCosts,
		Keys: scriptKeys(command.RO|command.Access, scriptMayRead), Summary: "Runs a Lua script that only reads.", Args: scriptArgs("script"), Run: eval},
	{Name: "EVALSHA_RO", Arity: -3, Flags: scriptFlags | command.ReadOnly, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: scriptCosts,
		Keys: scriptKeys(command.RO|command.Access, ""), Summary: "Runs a Lua script that the server has already and that only reads.", Args: scriptArgs("sha1"), Run: evalSHA},
	{Name: "SCRIPT", Arity: -2, Group: command.GroupScripting, Since: "2.6.0", Complexity: "Depends on subcommand.", Summary: "A container for commands on the cache of scripts.",
		Subcommands: []command.Spec{
			{Name: "DEBUG", Arity: 3, Flags: command.NoScript, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "3.2.0", Complexity: "O(1)",
				Summary: "Would debug scripts; not supported.",
				Args: []command.Arg{{Name: "mode", Type: command.ArgOneOf, Args: []command.Arg{
					{Name: "yes", Token: "YES", Type: command.ArgPureToken}, {Name: "sync", Token: "SYNC", Type: command.ArgPureToken},
					{Name: "no", Token: "NO", Type: command.ArgPureToken}}}}, Run: scriptDebug},
			{Name: "EXISTS", Arity: -3, Flags: command.NoScript, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(N) where N is the number of scripts asked for.",
				Summary: "Tells whether scripts are in the cache.", Tips: []string{"request_policy:all_shards", "response_policy:agg_logical_and"},
				Args: []command.Arg{{Name: "sha1", Type: command.ArgString, Multiple: true}}, Run: scriptExists},
			{Name: "FLUSH", Arity: -2, Flags: command.NoScript, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(N) where N is the number of scripts in the cache.",
				Summary: "Empties the cache of scripts.", Tips: []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
				History: []command.Change{{Since: "6.2.0", What: "Takes ASYNC and SYNC."}}, Args: []command.Arg{flushMode("6.2.0")}, Run: scriptFlush},
			helpSub("5.0.0", command.ACLScripting, scriptHelp),
			{Name: "KILL", Arity: 2, Flags: command.NoScript | command.AllowBusy, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(1)",
				Summary: "Ends the script that runs, if it has written nothing.", Tips: []string{"request_policy:all_shards", "response_policy:one_succeeded"}, Run: scriptKill},
			{Name: "LOAD", Arity: 3, Flags: command.NoScript | command.Stale, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "2.6.0", Complexity: "O(N) where N is the length of the script, in bytes.",
				Summary: "Puts a script into the cache.", Tips: []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
				Args: []command.Arg{{Name: "script", Type: command.ArgString}}, Run: scriptLoad},
		}},
}

// flushMode is the argument ASYNC or SYNC.
func flushMode(since string) command.Arg {
	return command.Arg{Name: "async", Type: command.ArgOneOf, Optional: true, Since: since, Args: []command.Arg{
		{Name: "async", Token: "ASYNC", Type: command.ArgPureToken}, {Name: "sync", Token: "SYNC", Type: command.ArgPureToken}}}
}

var scriptHelp = []string{
	"DEBUG (YES|SYNC|NO)", "    Not supported.",
	"EXISTS <sha1> [<sha1> ...]", "    Whether the scripts are in the cache.",
	"FLUSH [ASYNC|SYNC]", "    Empty the cache of scripts.",
	"KILL", "    End the script that runs, if it has written nothing.",
	"LOAD <script>", "    Put a script into the cache, to be run by EVALSHA.",
}

const (
	errNoScript    command.Error = "NOSCRIPT No matching script. Please use EVAL."
	errNumKeysNeg  command.Error = "ERR Number of keys can't be negative"
	errNoDebug     command.Error = "ERR SCRIPT DEBUG is not supported: this server has no debugger for scripts"
	errScriptFlush command.Error = "ERR SCRIPT FLUSH only support SYNC|ASYNC option"
)

// scripting is a reactor's part of scripts and functions.
type scripting struct {
	known   map[string]*script.Script // by SHA1 as clients send it, and by text: what was looked up lately
	bytes   int                       // length of all texts in known
	version uint64                    // of the cache when known was empty
	quiet   bool                      // the error that was replied has been counted

	current *scriptRun      // that is running, not put aside
	carrier *scriptRun      // of the transaction that is running, if it may be put aside
	idle    [2][]*scriptRun // for scripts, and for functions
	paused  []*scriptRun    // the first one goes on next
	posted  bool            // that is in the mailbox
	waiting []*Client       // whose scripts wait as there are too many paused ones
}

const (
	maxKnown      = 4096    // scripts that a reactor finds without asking the cache
	maxKnownBytes = 1 << 20 // of their texts
)

// findScript returns the script with a SHA1, or nil.
func (r *reactor) findScript(sha []byte) *script.Script {
	if s := r.knownScript(sha); s != nil {
		return s
	}
	if len(sha) != 40 {
		return nil
	}
	s := r.srv.scripts.Get(strings.ToLower(string(sha)))
	if s != nil {
		r.rememberScript(string(sha), s)
	}
	return s
}

func (r *reactor) knownScript(name []byte) *script.Script {
	x := &r.scripting
	if v := r.srv.scripts.Version(); v != x.version || x.known == nil {
		x.known, x.bytes, x.version = map[string]*script.Script{}, 0, v
	}
	return x.known[string(name)]
}

func (r *reactor) rememberScript(name string, s *script.Script) {
	x := &r.scripting
	if len(x.known) >= maxKnown || x.bytes+len(name) > maxKnownBytes {
		clear(x.known)
		x.bytes = 0
	}
	if len(name) <= maxKnownBytes/16 {
		x.known[name] = s
		x.bytes += len(name)
	}
}

func eval(c *command.Ctx) {
	r := client(c).reactor
	n, ok := numKeys(c)
	if !ok {
		return
	}
	s, err := r.compiled(c.Args[1])
	if err != nil {
		c.Error(errorOf(err))
		return
	}
	r.runEval(c, s, n)
}

// compiled returns the script with this text.
func (r *reactor) compiled(text []byte) (*script.Script, error) {
	if s := r.knownScript(text); s != nil {
		return s, nil
	}
	body := string(text)
	s, err := r.srv.scripts.Add(body, false)
	if err == nil {
		r.rememberScript(body, s)
	}
	return s, err
}

// flagsOf returns the flags of q's command. A script or function that has declared that it does not write has fewer.
func (r *reactor) flagsOf(q *request) command.Flags {
	flags := q.spec.Flags
	if q.spec.Group != command.GroupScripting || flags&command.MayReplicate == 0 || len(q.args) < 2 {
		return flags
	}
	var declared script.Flags
	switch q.spec.Name {
	case "EVAL":
		if s, err := r.compiled(q.args[1]); err == nil {
			declared = s.Flags
		}
	case "EVALSHA":
		if s := r.findScript(q.args[1]); s != nil {
			declared = s.Flags
		}
	case "FCALL":
		if f := r.srv.libraries.set.Load().Function(q.args[1]); f != nil {
			declared = f.Flags
		}
	}
	if declared&script.NoWrites != 0 {
		flags &^= command.MayReplicate
	}
	return flags
}

func evalSHA(c *command.Ctx) {
	r := client(c).reactor
	if len(c.Args[1]) != 40 {
		c.Error(errNoScript)
		return
	}
	n, ok := numKeys(c)
	if !ok {
		return
	}
	s := r.findScript(c.Args[1])
	if s == nil {
		c.Error(errNoScript)
		return
	}
	r.runEval(c, s, n)
}

// numKeys returns the number of keys of EVAL and its like.
func numKeys(c *command.Ctx) (int, bool) {
	n, ok := shard.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.Error(command.ErrNotInteger)
	case n > int64(len(c.Args)-3):
		c.Error(command.ErrTooManyKeys)
	case n < 0:
		c.Error(errNumKeysNeg)
	default:
		return int(n), true
	}
	return 0, false
}

func scriptDebug(c *command.Ctx) {
	switch {
	case command.EqualFold(c.Args[2], "NO"):
		c.Reply.OK()
	case command.EqualFold(c.Args[2], "YES"), command.EqualFold(c.Args[2], "SYNC"):
		c.Error(errNoDebug)
	default:
		c.Error("ERR Use SCRIPT DEBUG YES/SYNC/NO")
	}
}

func scriptExists(c *command.Ctx) {
	r := client(c).reactor
	c.Reply.Array(len(c.Args) - 2)
	for _, sha := range c.Args[2:] {
		n := int64(0)
		if r.findScript(sha) != nil && len(sha) == 40 {
			n = 1
		}
		c.Reply.Int(n)
	}
}

func scriptFlush(c *command.Ctx) {
	if len(c.Args) > 3 || len(c.Args) == 3 && !command.EqualFold(c.Args[2], "SYNC") && !command.EqualFold(c.Args[2], "ASYNC") {
		c.Error(errScriptFlush)
		return
	}
	client(c).reactor.srv.scripts.Flush()
	c.Reply.OK()
}

func scriptKill(c *command.Ctx) {
	if e := client(c).reactor.srv.running.kill(true); e != "" {
		c.Error(e)
		return
	}
	c.Reply.OK()
}

func scriptLoad(c *command.Ctx) {
	s, err := client(c).reactor.srv.scripts.Add(string(c.Args[2]), true)
	if err != nil {
		c.Error(command.Error("ERR " + err.Error()))
		return
	}
	c.Reply.BulkString(s.SHA)
}
