package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/shard"
)

// What a server that replicates nothing, and is not in a cluster, says about it: it is a master without replicas.

const groupCluster command.Group = "cluster"

const (
	errNoReplica command.Error = "ERR this version of Shoal cannot be a replica"
	errNoCluster command.Error = "ERR This instance has cluster support disabled"
)

var replicationCommands = []command.Spec{
	{Name: "REPLICAOF", Arity: 3, Flags: replicaofFlags, Group: groupServer, Since: "5.0.0", Complexity: "O(1)",
		Summary: "Makes the server a master; it cannot be a replica yet.", Args: replicaofArgs, Run: replicaof},
	{Name: "SLAVEOF", Arity: 3, Flags: replicaofFlags, Group: groupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Makes the server a master; it cannot be a replica yet.", DeprecatedIn: "5.0.0", ReplacedBy: "`REPLICAOF`", DocFlags: []string{"deprecated"},
		Args: replicaofArgs, Run: replicaof},
	{Name: "ROLE", Arity: 1, Flags: command.NoScript | command.Loading | command.Stale | command.Fast, ACL: command.ACLAdmin | command.ACLDangerous,
		Group: groupServer, Since: "2.8.12", Complexity: "O(1)", Summary: "Tells that the server is a master, and its replicas: none.", Run: role},
	clusterLink("ASKING", command.Fast, "Would let the next command use a slot that is being imported."),
	clusterLink("READONLY", command.Fast|command.Loading|command.Stale, "Would let the connection read from a replica."),
	clusterLink("READWRITE", command.Fast|command.Loading|command.Stale, "Would end what READONLY began."),
}

const replicaofFlags = command.NoAsyncLoading | command.Admin | command.NoScript | command.Stale

var replicaofArgs = []command.Arg{{Name: "args", Type: command.ArgOneOf, Args: []command.Arg{
	{Name: "host-port", Type: command.ArgBlock, Args: []command.Arg{{Name: "host", Type: command.ArgString}, {Name: "port", Type: command.ArgInteger}}},
	{Name: "no-one", Type: command.ArgBlock, Args: []command.Arg{
		{Name: "no", Type: command.ArgPureToken, Token: "NO"}, {Name: "one", Type: command.ArgPureToken, Token: "ONE"}}}}}}

func clusterLink(name string, flags command.Flags, summary string) command.Spec {
	return command.Spec{Name: name, Arity: 1, Flags: flags, ACL: command.ACLConnection, Group: groupCluster, Since: "3.0.0", Complexity: "O(1)",
		Summary: summary, Run: func(c *command.Ctx) { c.Error(errNoCluster) }}
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
