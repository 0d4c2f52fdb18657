package server

import (
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
)

var configCommands = []command.Spec{
	{Name: "CONFIG", Arity: -2, Group: command.GroupServer, Since: "2.0.0", Complexity: "Depends on subcommand.",
		Summary: "Commands about the configuration.", Subcommands: []command.Spec{
			{Name: "GET", Arity: -3, Flags: clientAdmin | command.Barrier, Group: command.GroupServer, Since: "2.0.0", Complexity: "O(N) where N is the number of directives.",
				Summary: "Shows directives.", History: []command.Change{{Since: "7.0.0", What: "Takes several patterns."}},
				Args: []command.Arg{{Name: "parameter", Type: command.ArgBlock, Multiple: true, Args: []command.Arg{{Name: "parameter", Type: command.ArgString}}}}, Run: configGet},
			{Name: "SET", Arity: -4, Flags: clientAdmin | command.Barrier, Group: command.GroupServer, Since: "2.0.0", Complexity: "O(N) where N is the number of directives.",
				Summary: "Changes directives, all or none.", History: []command.Change{{Since: "7.0.0", What: "Takes several directives."}},
				Tips: []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
				Args: []command.Arg{{Name: "parameter_value", Type: command.ArgBlock, Multiple: true, Args: []command.Arg{
					{Name: "parameter", Type: command.ArgString}, {Name: "value", Type: command.ArgString}}}}, Run: configSet},
			{Name: "REWRITE", Arity: 2, Flags: clientAdmin | command.Barrier, Group: command.GroupServer, Since: "2.8.0", Complexity: "O(1)",
				Summary: "Writes the configuration in force to its file.", Run: configRewrite},
			{Name: "RESETSTAT", Arity: 2, Flags: clientAdmin | command.Barrier, Group: command.GroupServer, Since: "2.0.0", Complexity: "O(1)",
				Summary: "Sets the statistics back to zero.", Run: configResetStat},
			helpSub("5.0.0", 0, configHelp),
		}},
	{Name: "TIME", Arity: 1, Flags: command.Loading | command.Stale | command.Fast, Group: command.GroupServer, Since: "2.6.0", Complexity: "O(1)",
		Summary: "Tells the server's time.", Tips: []string{arbitrary}, Run: timeCommand},
	{Name: "SHUTDOWN", Arity: -1, Flags: clientAdmin | command.NoMulti | command.AllowBusy | command.Barrier, Group: command.GroupServer, Since: "1.0.0",
		Complexity: "O(N) when saving, where N is the number of keys; otherwise O(1).", Summary: "Ends the server.",
		History: []command.Change{{Since: "7.0.0", What: "Takes NOW, FORCE and ABORT."}},
		Args: []command.Arg{
			{Name: "nosave_save", Type: command.ArgOneOf, Optional: true, Args: []command.Arg{
				{Name: "nosave", Token: "NOSAVE", Type: command.ArgPureToken}, {Name: "save", Token: "SAVE", Type: command.ArgPureToken}}},
			{Name: "now", Token: "NOW", Type: command.ArgPureToken, Optional: true, Since: "7.0.0"},
			{Name: "force", Token: "FORCE", Type: command.ArgPureToken, Optional: true, Since: "7.0.0"},
			{Name: "abort", Token: "ABORT", Type: command.ArgPureToken, Optional: true, Since: "7.0.0"},
		}, Run: shutdown},
}

var configHelp = []string{
	"GET <pattern> [<pattern> ...]", "    The directives whose names match, with their values.",
	"SET <directive> <value> [<directive> <value> ...]", "    Change directives, all of them or none.",
	"RESETSTAT", "    Set the statistics that INFO shows back to zero.",
	"REWRITE", "    Write the configuration in force to its file.",
}

func configGet(c *command.Ctx) {
	patterns := make([]string, len(c.Args)-2)
	for i := range patterns {
		patterns[i] = string(c.Args[i+2])
	}
	found := client(c).reactor.srv.cfg.Get(patterns...)
	c.Reply.Map(len(found))
	for _, f := range found {
		c.Reply.BulkString(f[0])
		c.Reply.BulkString(f[1])
	}
}

// configSet runs the change on a goroutine of its own: its hooks may open sockets and files. The
// client waits.
func configSet(c *command.Ctx) {
	if len(c.Args)%2 != 0 {
		c.Error(command.ErrSyntax)
		return
	}
	cl := client(c)
	pairs := make([][2]string, 0, len(c.Args)/2-1)
	for i := 2; i < len(c.Args); i += 2 {
		pairs = append(pairs, [2]string{string(c.Args[i]), string(c.Args[i+1])})
	}
	local := isLocal(cl.conn)
	s, alone := cl.reactor.srv, cl.reactor.alone
	cl.background(func() error {
		limit := s.clientMemory.limit.Load()
		err := s.cfg.Set(pairs, config.Caller{Local: local, Loading: s.loading.active.Load()})
		if s.clientMemory.limit.Load() != limit {
			s.applyClientLimit(!alone)
		}
		return err
	})
}

func configRewrite(c *command.Ctx) {
	cl := client(c)
	srv := cl.reactor.srv
	cl.background(func() error {
		err := srv.cfg.Rewrite(srv.configUsers())
		if err != nil {
			srv.log.Warningf("CONFIG REWRITE failed: %v", err)
			return err
		}
		srv.log.Noticef("CONFIG REWRITE executed with success.")
		return nil
	})
}

func configResetStat(c *command.Ctx) {
	cl := client(c)
	cl.reactor.srv.resetStats(c.NowMS)
	gather(cl, func(r *reactor) struct{} {
		r.resetCalls()
		return struct{}{}
	}, func(w *resp.Writer, _ []struct{}) { w.OK() })
}

func timeCommand(c *command.Ctx) {
	us := time.Now().UnixMicro()
	c.Reply.Array(2)
	c.Reply.BulkInt(us / 1e6)
	c.Reply.BulkInt(us % 1e6)
}

// shutdown ends the server, after a last save if that is asked for, or, by default, if there are rules for saving. What
// could still fail makes it go on, and the client gets an error. A shutdown that is under way takes no longer than
// saving: all that ABORT can end is one that a signal asked for and that has not begun.
func shutdown(c *command.Ctx) {
	flags, abort, ok := shutdownOptions(c.Args[1:])
	switch {
	case !ok:
		c.Error(command.ErrSyntax)
		return
	case abort && client(c).reactor.srv.abortShutdown():
		c.Reply.OK()
		return
	case abort:
		c.Error("ERR No shutdown in progress.")
		return
	}
	cl := client(c)
	cl.suspend(0)
	r := cl.reactor
	stop := stopping{flags: flags, refused: func() {
		r.net.Post(func() {
			r.finish(cl, func(w *resp.Writer) { w.Error("ERR Errors trying to SHUTDOWN. Check logs.") })
		})
	}}
	select {
	case r.srv.stop <- stop:
	default:
	}
}

func shutdownOptions(args [][]byte) (flags config.ShutdownFlags, abort, ok bool) {
	for _, a := range args {
		switch {
		case command.EqualFold(a, "SAVE"):
			flags |= config.ShutdownSave
		case command.EqualFold(a, "NOSAVE"):
			flags |= config.ShutdownNoSave
		case command.EqualFold(a, "NOW"):
			flags |= config.ShutdownNow
		case command.EqualFold(a, "FORCE"):
			flags |= config.ShutdownForce
		case command.EqualFold(a, "ABORT"):
			abort = true
		default:
			return 0, false, false
		}
	}
	const both = config.ShutdownSave | config.ShutdownNoSave
	return flags, abort, flags&both != both && !(abort && flags != 0)
}
