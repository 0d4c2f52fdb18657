package server

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types/glob"
)

const (
	functionWrites = command.Write | command.NoScript | command.Barrier
	forAllShards   = "request_policy:all_shards"
)

var functionCommands = []command.Spec{
	{Name: "FCALL", Arity: -3, Flags: scriptFlags | command.MayReplicate, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "Depends on the function.",
		Keys: scriptKeys(command.RW|command.Access|command.Update, scriptMayWrite), Summary: "Calls a function.", Args: scriptArgs("function"), Run: fcall},
	{Name: "FCALL_RO", Arity: -3, Flags: scriptFlags | command.ReadOnly, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "Depends on the function.",
		Keys: scriptKeys(command.RO|command.Access, scriptMayRead), Summary: "Calls a function that only reads.", Args: scriptArgs("function"), Run: fcall},
	{Name: "FUNCTION", Arity: -2, Group: command.GroupScripting, Since: "7.0.0", Complexity: "Depends on subcommand.", Summary: "A container for commands on functions.",
		Subcommands: []command.Spec{
			{Name: "DELETE", Arity: 3, Flags: functionWrites, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(1)",
				Summary: "Deletes a library with its functions.", Tips: []string{forAllShards, "response_policy:all_succeeded"},
				Args: []command.Arg{{Name: "library-name", Type: command.ArgString}}, Run: functionDelete},
			{Name: "DUMP", Arity: 2, Flags: command.NoScript, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(N) where N is the number of functions.",
				Summary: "Returns all libraries as bytes for FUNCTION RESTORE.", Run: functionDump},
			{Name: "FLUSH", Arity: -2, Flags: functionWrites, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(N) where N is the number of functions.",
				Summary: "Deletes all libraries.", Tips: []string{forAllShards, "response_policy:all_succeeded"}, Args: []command.Arg{flushMode("")}, Run: functionFlush},
			helpSub("7.0.0", command.ACLScripting, functionHelp),
			{Name: "KILL", Arity: 2, Flags: command.NoScript | command.AllowBusy, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(1)",
				Summary: "Ends the function that runs, if it has written nothing.", Tips: []string{forAllShards, "response_policy:one_succeeded"}, Run: functionKill},
			{Name: "LIST", Arity: -2, Flags: command.NoScript, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(N) where N is the number of functions.",
				Summary: "Describes the libraries.", Tips: []string{"nondeterministic_output_order"},
				Args: []command.Arg{{Name: "library-name-pattern", Token: "LIBRARYNAME", Type: command.ArgString, Optional: true},
					{Name: "withcode", Token: "WITHCODE", Type: command.ArgPureToken, Optional: true}}, Run: functionList},
			{Name: "LOAD", Arity: -3, Flags: functionWrites | command.DenyOOM, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(1)",
				Summary: "Makes a library of functions.", Tips: []string{forAllShards, "response_policy:all_succeeded"},
				Args: []command.Arg{{Name: "replace", Token: "REPLACE", Type: command.ArgPureToken, Optional: true}, {Name: "function-code", Type: command.ArgString}}, Run: functionLoad},
			{Name: "RESTORE", Arity: -3, Flags: functionWrites | command.DenyOOM, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(N) where N is the number of functions in the payload.",
				Summary: "Makes the libraries that FUNCTION DUMP has returned.", Tips: []string{forAllShards, "response_policy:all_succeeded"},
				Args: []command.Arg{{Name: "serialized-value", Type: command.ArgString},
					{Name: "policy", Type: command.ArgOneOf, Optional: true, Args: []command.Arg{
						{Name: "flush", Token: "FLUSH", Type: command.ArgPureToken}, {Name: "append", Token: "APPEND", Type: command.ArgPureToken},
						{Name: "replace", Token: "REPLACE", Type: command.ArgPureToken}}}}, Run: functionRestore},
			{Name: "STATS", Arity: 2, Flags: command.NoScript | command.AllowBusy, ACL: command.ACLScripting, Group: command.GroupScripting, Since: "7.0.0", Complexity: "O(1)",
				Summary: "Tells about the function that runs, and about the engines.", Tips: []string{"nondeterministic_output", forAllShards, "response_policy:special"}, Run: functionStats},
		}},
}

var functionHelp = []string{
	"DELETE <library name>", "    Delete a library with its functions.",
	"DUMP", "    All libraries as bytes, for RESTORE.",
	"FLUSH [ASYNC|SYNC]", "    Delete all libraries.",
	"KILL", "    End the function that runs, if it has written nothing.",
	"LIST [LIBRARYNAME <pattern>] [WITHCODE]", "    The libraries with their functions.",
	"LOAD [REPLACE] <code>", "    Make a library of functions.",
	"RESTORE <payload> [FLUSH|APPEND|REPLACE]", "    Make the libraries that DUMP has returned: in place of all, besides those", "    there are (the default), or in place of those of the same names.",
	"STATS", "    The function that runs, and the engines.",
}

const (
	errNoFunction command.Error = "ERR Function not found"
	errNoLibrary  command.Error = "ERR Library not found"
	errBadNumKeys command.Error = "ERR Bad number of keys provided"
)

// libraries are the server's function libraries.
type libraries struct {
	mu  sync.Mutex // held to change them
	set atomic.Pointer[script.Libraries]
}

// change replaces the set by what f makes of it.
func (l *libraries) change(f func(*script.Libraries) (*script.Libraries, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	set, err := f(l.set.Load())
	if err == nil {
		l.set.Store(set)
	}
	return err
}

// replace puts set in the place of what there is.
func (l *libraries) replace(set *script.Libraries) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set.Store(set)
}

func fcall(c *command.Ctx) {
	r := client(c).reactor
	set := r.srv.libraries.set.Load()
	f := set.Function(c.Args[1])
	if f == nil {
		c.Error(errNoFunction)
		return
	}
	n, ok := shard.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.Error(errBadNumKeys)
		return
	case n > int64(len(c.Args)-3):
		c.Error(command.ErrTooManyKeys)
		return
	case n < 0:
		c.Error(errNumKeysNeg)
		return
	}
	x := r.takeRun(ofFunctions)
	x.function, x.name, x.traits = f, f.Name, f.Traits
	x.watched = !f.Traits.Straight || r.srv.mayWait(&f.Traits)
	if !x.declare(c, f.Flags) {
		r.putRun(x)
		return
	}
	x.use(set)
	r.runScript(c, x, int(n))
}

// use makes the functions of set known to the state.
func (x *scriptRun) use(set *script.Libraries) {
	if x.set == set {
		return
	}
	if x.set != nil {
		x.renew()
	}
	x.vm.Use(set)
	x.set = set
}

// errorOf words why a library was not taken.
func errorOf(err error) command.Error {
	return command.Error("ERR " + strings.NewReplacer("\r", " ", "\n", " ").Replace(err.Error()))
}

// newLibrary compiles a library and lets it register its functions.
func (r *reactor) newLibrary(code string) (*script.Library, error) {
	x := &scriptRun{r: r, kind: ofFunctions}
	return script.NewVM(x, true).NewLibrary(code, r.srv.table)
}

func functionLoad(c *command.Ctx) {
	replace := false
	for _, a := range c.Args[2 : len(c.Args)-1] {
		if !command.EqualFold(a, "REPLACE") {
			c.Error(command.Error("ERR Unknown option given: " + clip(a)))
			return
		}
		replace = true
	}
	r := client(c).reactor
	code := string(c.Args[len(c.Args)-1])
	name, err := script.LibraryName(code)
	if err == nil && !replace && r.srv.libraries.set.Load().Has(name) {
		err = script.Error("Library '" + name + "' already exists")
	}
	if err == nil {
		err = r.srv.libraries.change(func(set *script.Libraries) (*script.Libraries, error) {
			lib, err := r.newLibrary(code)
			if err != nil {
				return nil, err
			}
			return set.With(lib, replace)
		})
	}
	if err != nil {
		c.Error(errorOf(err))
		return
	}
	c.Changed(1)
	c.Reply.BulkString(name)
}

func functionDelete(c *command.Ctx) {
	name := string(c.Args[2])
	err := client(c).reactor.srv.libraries.change(func(set *script.Libraries) (*script.Libraries, error) {
		if !set.Has(name) {
			return nil, script.Error("Library not found")
		}
		return set.Without(name), nil
	})
	if err != nil {
		c.Error(errNoLibrary)
		return
	}
	c.Changed(1)
	c.Reply.OK()
}

func functionFlush(c *command.Ctx) {
	if len(c.Args) > 3 {
		c.ErrorSubcommand()
		return
	}
	if len(c.Args) == 3 && !command.EqualFold(c.Args[2], "SYNC") && !command.EqualFold(c.Args[2], "ASYNC") {
		c.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
		return
	}
	client(c).reactor.srv.libraries.replace(script.NewLibraries())
	c.Changed(1)
	c.Reply.OK()
}

func functionKill(c *command.Ctx) {
	if e := client(c).reactor.srv.running.kill(false); e != "" {
		c.Error(e)
		return
	}
	c.Reply.OK()
}

func functionList(c *command.Ctx) {
	code, pattern := false, []byte(nil)
	for i := 2; i < len(c.Args); i++ {
		switch {
		case !code && command.EqualFold(c.Args[i], "WITHCODE"):
			code = true
		case pattern == nil && command.EqualFold(c.Args[i], "LIBRARYNAME"):
			if i++; i >= len(c.Args) {
				c.Error("ERR library name argument was not given")
				return
			}
			pattern = c.Args[i]
		default:
			c.Error(command.Error("ERR Unknown argument " + clip(c.Args[i])))
			return
		}
	}
	var found []*script.Library
	for _, lib := range client(c).reactor.srv.libraries.set.Load().All() {
		if pattern == nil || glob.Match(pattern, []byte(lib.Name), true) {
			found = append(found, lib)
		}
	}
	c.Reply.Array(len(found))
	for _, lib := range found {
		describeLibrary(c.Reply, lib, code)
	}
}

func describeLibrary(w *resp.Writer, lib *script.Library, code bool) {
	n := 3
	if code {
		n++
	}
	w.Map(n)
	w.BulkString("library_name")
	w.BulkString(lib.Name)
	w.BulkString("engine")
	w.BulkString(script.Engine)
	w.BulkString("functions")
	w.Array(len(lib.Functions))
	for _, f := range lib.Functions {
		describeFunction(w, f)
	}
	if code {
		w.BulkString("library_code")
		w.BulkString(lib.Code)
	}
}

func describeFunction(w *resp.Writer, f *script.Function) {
	w.Map(3)
	w.BulkString("name")
	w.BulkString(f.Name)
	w.BulkString("description")
	if f.Described {
		w.BulkString(f.Description)
	} else {
		w.Null()
	}
	w.BulkString("flags")
	flags := f.Flags.Names()
	w.Set(len(flags))
	for _, name := range flags {
		w.Simple(name)
	}
}

func functionStats(c *command.Ctx) {
	srv := client(c).reactor.srv
	name, args, ms, function, running := srv.running.current()
	if running && !function && srv.gate.Load()&gateBusy != 0 {
		c.Error(errBusyScript)
		return
	}
	w := c.Reply
	w.Map(2)
	w.BulkString("running_script")
	if running && function {
		w.Map(3)
		w.BulkString("name")
		w.BulkString(name)
		w.BulkString("command")
		w.Array(len(args))
		for _, a := range args {
			w.Bulk(a)
		}
		w.BulkString("duration_ms")
		w.Int(ms)
	} else {
		w.Null()
	}
	libs, functions := srv.libraries.set.Load().Count()
	w.BulkString("engines")
	w.Map(1)
	w.BulkString(script.Engine)
	w.Map(2)
	w.BulkString("libraries_count")
	w.Int(int64(libs))
	w.BulkString("functions_count")
	w.Int(int64(functions))
}

// functionDump writes the libraries as they stand in an RDB file, with the footer of DUMP.
func functionDump(c *command.Ctx) {
	var payload []byte
	for _, lib := range client(c).reactor.srv.libraries.set.Load().All() {
		payload = rdb.AppendFunction(payload, []byte(lib.Code), true)
	}
	c.Reply.Bulk(rdb.AppendFooter(payload, 0))
}

func functionRestore(c *command.Ctx) {
	if len(c.Args) > 4 {
		c.ErrorSubcommand()
		return
	}
	policy := "APPEND"
	if len(c.Args) == 4 {
		policy = strings.ToUpper(string(c.Args[3]))
	}
	if policy != "APPEND" && policy != "REPLACE" && policy != "FLUSH" {
		c.Error("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
		return
	}
	r := client(c).reactor
	value, err := rdb.OpenPayload(c.Args[2], r.srv.trustPayloads.Load(), nil)
	if err != nil {
		c.Error(command.ErrPayload)
		return
	}
	restored, err := r.readLibraries(value)
	if err == nil {
		err = r.srv.libraries.change(func(set *script.Libraries) (*script.Libraries, error) {
			if policy == "FLUSH" {
				return restored, nil
			}
			return set.Join(restored, policy == "REPLACE")
		})
	}
	if err != nil {
		c.Error(errorOf(err))
		return
	}
	c.Changed(1)
	c.Reply.OK()
}

// opFunction and opFunctionOld begin a library in an RDB file; the latter was written before Redis 7.0 was released.
const (
	opFunction    = 245
	opFunctionOld = 246
)

// readLibraries makes the libraries of a payload.
func (r *reactor) readLibraries(value []byte) (*script.Libraries, error) {
	set := script.NewLibraries()
	for len(value) > 0 {
		switch value[0] {
		case opFunction:
		case opFunctionOld:
			return nil, script.Error("Pre-GA function format not supported")
		default:
			return nil, script.Error("given type is not a function")
		}
		var d rdb.Decoder
		d.ResetBytes(value[1:])
		code, err := d.Text()
		if err != nil {
			return nil, script.Error("Failed loading library code")
		}
		value = value[1+d.Offset():]
		lib, err := r.newLibrary(string(code))
		if err != nil {
			return nil, err
		}
		if set, err = set.With(lib, false); err != nil {
			return nil, err
		}
	}
	return set, nil
}
