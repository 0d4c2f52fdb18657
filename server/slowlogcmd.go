package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/shard"
)

var slowlogCommands = []command.Spec{
	{Name: "SLOWLOG", Arity: -2, Group: command.GroupServer, Since: "2.2.12", Complexity: "Depends on subcommand.",
		Summary: "Commands about the log of slow commands.", Subcommands: []command.Spec{
			{Name: "GET", Arity: -2, Flags: slowlogFlags, Group: command.GroupServer, Since: "2.2.12", Complexity: "O(N) where N is the number of entries returned",
				Summary: "Shows the latest slow commands.", Tips: []string{"request_policy:all_nodes", arbitrary},
				History: []command.Change{{Since: "4.0.0", What: "Shows the client's address and name."}},
				Args:    []command.Arg{{Name: "count", Type: command.ArgInteger, Optional: true}}, Run: slowlogGet},
			helpSub("6.2.0", 0, slowlogHelp),
			{Name: "LEN", Arity: 2, Flags: slowlogFlags, Group: command.GroupServer, Since: "2.2.12", Complexity: "O(1)",
				Summary: "Counts the entries of the log.", Tips: []string{"request_policy:all_nodes", "response_policy:agg_sum", arbitrary},
				Run: func(c *command.Ctx) { c.Reply.Int(int64(client(c).reactor.srv.slowlog.Len())) }},
			{Name: "RESET", Arity: 2, Flags: slowlogFlags, Group: command.GroupServer, Since: "2.2.12", Complexity: "O(N) where N is the number of entries in the slowlog",
				Summary: "Empties the log.", Tips: []string{"request_policy:all_nodes", "response_policy:all_succeeded"}, Run: slowlogReset},
		}},
}

const slowlogFlags = command.Admin | command.Loading | command.Stale

var slowlogHelp = []string{
	"GET [<count>]", "    The latest slow commands, 10 unless count says otherwise; -1 shows all. Each is an array of:",
	"    number, Unix time, microseconds, arguments, address and name of the client.",
	"LEN", "    How many there are.",
	"RESET", "    Forget them.",
}

func slowlogGet(c *command.Ctx) {
	log := &client(c).reactor.srv.slowlog
	count := int64(10)
	switch len(c.Args) {
	case 2:
	case 3:
		n, ok := shard.ParseInt(c.Args[2])
		if count = n; !ok || n < -1 {
			c.Error("ERR count should be greater than or equal to -1")
			return
		}
	default:
		c.ErrorSubcommand()
		return
	}
	if size := int64(log.Len()); count < 0 || count > size {
		count = size
	}
	w := c.Reply
	entries := log.Latest(int(count))
	w.Array(len(entries))
	for i := range entries {
		e := &entries[i]
		w.Array(6)
		w.Int(e.ID)
		w.Int(e.Time)
		w.Int(e.Micros)
		w.Array(len(e.Args))
		for _, a := range e.Args {
			w.BulkString(a)
		}
		w.BulkString(e.Client)
		w.BulkString(e.Name)
	}
}

func slowlogReset(c *command.Ctx) {
	client(c).reactor.srv.slowlog.Reset()
	c.Reply.OK()
}
