package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/shard"
)

// What a server that replicates nothing says about it: it is a master without replicas.

const (
	errNoReplica     command.Error = "ERR this version of Shoal cannot be a replica"
	errNoReplication command.Error = "ERR this version of Shoal cannot have replicas"
)

var replicationCommands = []command.Spec{
	{Name: "REPLICAOF", Arity: 3, Flags: replicaofFlags, Group: command.GroupServer, Since: "5.0.0", Complexity: "O(1)",
		Summary: "Makes the server a master; it cannot be a replica yet.", Args: replicaofArgs, Run: replicaof},
	{Name: "SLAVEOF", Arity: 3, Flags: replicaofFlags, Group: command.GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Makes the server a master; it cannot be a replica yet.", DeprecatedIn: "5.0.0", ReplacedBy: "`REPLICAOF`", DocFlags: []string{"deprecated"},
		Args: replicaofArgs, Run: replicaof},
	{Name: "ROLE", Arity: 1, Flags: command.NoScript | command.Loading | command.Stale | command.Fast, ACL: command.ACLAdmin | command.ACLDangerous,
		Group: command.GroupServer, Since: "2.8.12", Complexity: "O(1)", Summary: "Tells that the server is a master, and its replicas: none.", Run: role},
	{Name: "FAILOVER", Arity: -1, Flags: command.Admin | command.NoScript | command.Stale, Group: command.GroupServer, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Would make a replica the master; there are none.", Args: failoverArgs, Run: failover},
	{Name: "REPLCONF", Arity: -1, Flags: command.Admin | command.NoScript | command.Loading | command.Stale | command.AllowBusy, Group: command.GroupServer, Since: "3.0.0", Complexity: "O(1)",
		Summary: "What a replica says to its master; there are none.", DocFlags: []string{"syscmd"}, Run: noReplication},
	{Name: "PSYNC", Arity: -3, Flags: syncFlags, Group: command.GroupServer, Since: "2.8.0", Summary: "How a replica begins; there are none.",
		Args: []command.Arg{{Name: "replicationid", Type: command.ArgString}, {Name: "offset", Type: command.ArgInteger}}, Run: noReplication},
	{Name: "SYNC", Arity: 1, Flags: syncFlags, Group: command.GroupServer, Since: "1.0.0", Summary: "How a replica begins; there are none.", Run: noReplication},
}

const (
	replicaofFlags = command.NoAsyncLoading | command.Admin | command.NoScript | command.Stale
	syncFlags      = command.NoAsyncLoading | command.NoMulti | command.Admin | command.NoScript
)

var replicaofArgs = []command.Arg{{Name: "args", Type: command.ArgOneOf, Args: []command.Arg{
	{Name: "host-port", Type: command.ArgBlock, Args: []command.Arg{{Name: "host", Type: command.ArgString}, {Name: "port", Type: command.ArgInteger}}},
	{Name: "no-one", Type: command.ArgBlock, Args: []command.Arg{
		{Name: "no", Type: command.ArgPureToken, Token: "NO"}, {Name: "one", Type: command.ArgPureToken, Token: "ONE"}}}}}}

var failoverArgs = []command.Arg{
	{Name: "target", Type: command.ArgBlock, Token: "TO", Optional: true, Args: []command.Arg{
		{Name: "host", Type: command.ArgString}, {Name: "port", Type: command.ArgInteger}, {Name: "force", Type: command.ArgPureToken, Token: "FORCE", Optional: true}}},
	{Name: "abort", Type: command.ArgPureToken, Token: "ABORT", Optional: true},
	{Name: "milliseconds", Type: command.ArgInteger, Token: "TIMEOUT", Optional: true},
}

func noReplication(c *command.Ctx) { c.Error(errNoReplication) }

func failover(c *command.Ctx) {
	if len(c.Args) == 2 && command.EqualFold(c.Args[1], "ABORT") {
		c.Error("ERR No failover in progress.")
		return
	}
	c.Error("ERR FAILOVER requires connected replicas.")
}

func replicaof(c *command.Ctx) {
	if command.EqualFold(c.Args[1], "NO") && command.EqualFold(c.Args[2], "ONE") {
		c.Reply.OK()
		return
	}
	if port, ok := shard.ParseInt(c.Args[2]); !ok || port < 0 || port > 65535 {
		c.Error("ERR Invalid master port")
		return
	}
	c.Error(errNoReplica)
}

func role(c *command.Ctx) {
	c.Reply.Array(3)
	c.Reply.BulkString("master")
	c.Reply.Int(0)
	c.Reply.Array(0)
}
