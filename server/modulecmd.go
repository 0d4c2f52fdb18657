package server

import "github.com/shoaldb/shoal/command"

// moduleCommands tell that there are no modules, to whom may ask.
var moduleCommands = []command.Spec{
	{Name: "MODULE", Arity: -2, Group: command.GroupServer, Since: "4.0.0", Complexity: "Depends on subcommand.", Summary: "A container for commands on modules, of which there are none.",
		Subcommands: []command.Spec{
			helpSub("5.0.0", 0, moduleHelp),
			{Name: "LIST", Arity: 2, Flags: command.Admin | command.NoScript, Group: command.GroupServer, Since: "4.0.0", Complexity: "O(N) where N is the number of loaded modules.",
				Summary: "Lists the modules: none.", Tips: []string{"nondeterministic_output_order"}, Run: func(c *command.Ctx) { c.Reply.Array(0) }},
			{Name: "LOAD", Arity: -3, Flags: moduleFlags, Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)", Summary: "Fails: modules cannot be loaded.",
				Args: []command.Arg{{Name: "path", Type: command.ArgString}, {Name: "arg", Type: command.ArgString, Optional: true, Multiple: true}}, Run: moduleCommand(moduleLoad)},
			{Name: "LOADEX", Arity: -3, Flags: moduleFlags, Group: command.GroupServer, Since: "7.0.0", Complexity: "O(1)", Summary: "Fails: modules cannot be loaded.",
				Args: []command.Arg{{Name: "path", Type: command.ArgString},
					{Name: "configs", Type: command.ArgBlock, Token: "CONFIG", Optional: true, Multiple: true, MultipleToken: true, Args: []command.Arg{
						{Name: "name", Type: command.ArgString}, {Name: "value", Type: command.ArgString}}},
					{Name: "args", Type: command.ArgBlock, Token: "ARGS", Optional: true, Multiple: true, Args: []command.Arg{{Name: "arg", Type: command.ArgString}}}},
				Run: moduleCommand(moduleLoad)},
			{Name: "UNLOAD", Arity: 3, Flags: moduleFlags, Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)", Summary: "Fails: there are no modules.",
				Args: []command.Arg{{Name: "name", Type: command.ArgString}},
				Run: moduleCommand(func(c *command.Ctx) {
					c.Error("ERR Error unloading module: no such module with that name")
				})},
		}},
}

const moduleFlags = command.NoAsyncLoading | command.Admin | command.NoScript

var moduleHelp = []string{
	"LIST", "    Lists the modules: there are none.",
	"LOAD <path> [<arg> ...]", "    Fails: modules cannot be loaded.",
	"LOADEX <path> [CONFIG <name> <value> ...] [ARGS ...]", "    Fails as well.",
	"UNLOAD <name>", "    Fails: there are no modules.",
}

// moduleCommand returns a handler that refuses to run where enable-module-command does not allow it.
func moduleCommand(run func(*command.Ctx)) func(*command.Ctx) {
	return func(c *command.Ctx) {
		cl := client(c)
		if !cl.reactor.srv.cfg.Load().EnableModule.Allows(isLocal(cl.conn)) {
			c.Error(`ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`)
			return
		}
		run(c)
	}
}

func moduleLoad(c *command.Ctx) {
	client(c).reactor.srv.log.Warningf("Module %s failed to load: there are no modules for this server.", clip(c.Args[2]))
	c.Error("ERR Error loading the extension. Please check the server logs.")
}
