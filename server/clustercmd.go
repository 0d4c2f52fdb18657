package server

import "github.com/shoaldb/shoal/command"

const errNoCluster command.Error = "ERR This instance has cluster support disabled"

// clusterCommands are CLUSTER and what belongs to it. A server that is no node of a cluster knows the names, so that
// users and renamed commands of a configuration mean the same as in Redis, and refuses each of them.
var clusterCommands = []command.Spec{
	clusterLink("ASKING", command.Fast, "Would let the next command use a slot that is being imported."),
	clusterLink("READONLY", command.Fast|command.Loading|command.Stale, "Would let the connection read from a replica."),
	clusterLink("READWRITE", command.Fast|command.Loading|command.Stale, "Would end what READONLY began."),
	{Name: "CLUSTER", Arity: -2, Group: command.GroupCluster, Since: "3.0.0", Complexity: "Depends on subcommand.", Summary: "A container for commands on a cluster.",
		Subcommands: refusedByCluster([]command.Spec{
			{Name: "ADDSLOTS", Arity: -3, Flags: clusterAdmin, Since: "3.0.0", Complexity: ofSlots, Summary: "Makes the node serve slots.", Args: manySlots},
			{Name: "ADDSLOTSRANGE", Arity: -4, Flags: clusterAdmin, Since: "7.0.0", Complexity: ofSlotRanges, Summary: "Makes the node serve ranges of slots.", Args: slotRanges},
			{Name: "BUMPEPOCH", Arity: 2, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Raises the node's epoch.", Tips: []string{arbitrary}},
			{Name: "COUNT-FAILURE-REPORTS", Arity: 3, Flags: command.Admin | command.Stale, Since: "3.0.0", Complexity: "O(N) where N is the number of failure reports",
				Summary: "Tells how many nodes say that a node fails.", Tips: []string{arbitrary}, Args: oneNode},
			{Name: "COUNTKEYSINSLOT", Arity: 3, Flags: command.Stale, Since: "3.0.0", Complexity: "O(1)", Summary: "Counts the keys of a slot.",
				Args: []command.Arg{{Name: "slot", Type: command.ArgInteger}}},
			{Name: "DELSLOTS", Arity: -3, Flags: clusterAdmin, Since: "3.0.0", Complexity: ofSlots, Summary: "Makes the node no longer know who serves slots.", Args: manySlots},
			{Name: "DELSLOTSRANGE", Arity: -4, Flags: clusterAdmin, Since: "7.0.0", Complexity: ofSlotRanges, Summary: "Makes the node no longer know who serves ranges of slots.",
				Args: slotRanges},
			{Name: "FAILOVER", Arity: -2, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Makes a replica the master.",
				Args: []command.Arg{{Name: "options", Type: command.ArgOneOf, Optional: true, Args: []command.Arg{
					{Name: "force", Type: command.ArgPureToken, Token: "FORCE"}, {Name: "takeover", Type: command.ArgPureToken, Token: "TAKEOVER"}}}}},
			{Name: "FLUSHSLOTS", Arity: 2, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Makes the node serve no slots."},
			{Name: "FORGET", Arity: 3, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Takes a node out of the list of nodes.", Args: oneNode},
			{Name: "GETKEYSINSLOT", Arity: 4, Flags: command.Stale, Since: "3.0.0", Complexity: "O(log(N)) where N is the number of requested keys", Summary: "Returns keys of a slot.",
				Tips: []string{arbitrary}, Args: []command.Arg{{Name: "slot", Type: command.ArgInteger}, {Name: "count", Type: command.ArgInteger}}},
			{Name: "HELP", Arity: 2, Flags: command.Loading | command.Stale, Since: "5.0.0", Complexity: "O(1)", Summary: "Describes the subcommands."},
			{Name: "INFO", Arity: 2, Flags: command.Stale, Since: "3.0.0", Complexity: "O(1)", Summary: "Describes the state of the cluster.", Tips: []string{arbitrary}},
			{Name: "KEYSLOT", Arity: 3, Flags: command.Stale, Since: "3.0.0", Complexity: "O(N) where N is the number of bytes in the key", Summary: "Tells the slot of a key.",
				Args: []command.Arg{{Name: "key", Type: command.ArgString}}},
			{Name: "LINKS", Arity: 2, Flags: command.Stale, Since: "7.0.0", Complexity: "O(N) where N is the total number of Cluster nodes", Summary: "Describes the connections to other nodes.",
				Tips: []string{arbitrary}},
			{Name: "MEET", Arity: -4, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Makes the node greet another.",
				History: []command.Change{{Since: "4.0.0", What: "Takes the port of the cluster bus."}},
				Args: []command.Arg{{Name: "ip", Type: command.ArgString}, {Name: "port", Type: command.ArgInteger},
					{Name: "cluster_bus_port", Type: command.ArgInteger, Optional: true, Since: "4.0.0"}}},
			{Name: "MYID", Arity: 2, Flags: command.Stale, Since: "3.0.0", Complexity: "O(1)", Summary: "Tells the node's ID."},
			{Name: "NODES", Arity: 2, Flags: command.Stale, Since: "3.0.0", Complexity: ofNodes, Summary: "Lists the nodes.", Tips: []string{arbitrary}},
			{Name: "REPLICAS", Arity: 3, Flags: command.Admin | command.Stale, Since: "5.0.0", Complexity: "O(1)", Summary: "Lists the replicas of a node.", Tips: []string{arbitrary}, Args: oneNode},
			{Name: "REPLICATE", Arity: 3, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Makes the node a replica of another.", Args: oneNode},
			{Name: "RESET", Arity: -2, Flags: command.Admin | command.NoScript | command.Stale, Since: "3.0.0",
				Complexity: "O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.", Summary: "Makes the node forget the cluster.",
				Args: []command.Arg{{Name: "hard_soft", Type: command.ArgOneOf, Optional: true, Args: []command.Arg{
					{Name: "hard", Type: command.ArgPureToken, Token: "HARD"}, {Name: "soft", Type: command.ArgPureToken, Token: "SOFT"}}}}},
			{Name: "SAVECONFIG", Arity: 2, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Writes what the node knows of the cluster to its file."},
			{Name: "SET-CONFIG-EPOCH", Arity: 3, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Sets the epoch of a new node.",
				Args: []command.Arg{{Name: "config-epoch", Type: command.ArgInteger}}},
			{Name: "SETSLOT", Arity: -4, Flags: clusterAdmin, Since: "3.0.0", Complexity: "O(1)", Summary: "Says who serves a slot, or that it is moving.",
				Args: []command.Arg{{Name: "slot", Type: command.ArgInteger}, {Name: "subcommand", Type: command.ArgOneOf, Args: []command.Arg{
					{Name: "node-id", Type: command.ArgString, Token: "IMPORTING"}, {Name: "node-id", Type: command.ArgString, Token: "MIGRATING"},
					{Name: "node-id", Type: command.ArgString, Token: "NODE"}, {Name: "stable", Type: command.ArgPureToken, Token: "STABLE"}}}}},
			{Name: "SHARDS", Arity: 2, Flags: command.Stale, Since: "7.0.0", Complexity: "O(N) where N is the total number of cluster nodes", Summary: "Lists slots with their nodes.",
				Tips: []string{arbitrary}},
			{Name: "SLAVES", Arity: 3, Flags: command.Admin | command.Stale, Since: "3.0.0", Complexity: "O(1)", Summary: "Lists the replicas of a node.", Tips: []string{arbitrary}, Args: oneNode,
				DocFlags: []string{"deprecated"}, DeprecatedIn: "5.0.0", ReplacedBy: "`CLUSTER REPLICAS`"},
			{Name: "SLOTS", Arity: 2, Flags: command.Stale, Since: "3.0.0", Complexity: ofNodes, Summary: "Lists slots with their nodes.", Tips: []string{arbitrary},
				DocFlags: []string{"deprecated"}, DeprecatedIn: "7.0.0", ReplacedBy: "`CLUSTER SHARDS`",
				History: []command.Change{{Since: "4.0.0", What: "Tells IDs of nodes."}, {Since: "7.0.0", What: "Tells more of networks."}}},
		})},
}

// refusedByCluster completes the subcommands of CLUSTER.
func refusedByCluster(subcommands []command.Spec) []command.Spec {
	for i := range subcommands {
		subcommands[i].Group = command.GroupCluster
		subcommands[i].Run = noCluster
	}
	return subcommands
}

func noCluster(c *command.Ctx) { c.Error(errNoCluster) }

func clusterLink(name string, flags command.Flags, summary string) command.Spec {
	return command.Spec{Name: name, Arity: 1, Flags: flags, ACL: command.ACLConnection, Group: command.GroupCluster, Since: "3.0.0", Complexity: "O(1)", Summary: summary, Run: noCluster}
}

const (
	clusterAdmin = command.NoAsyncLoading | command.Admin | command.Stale

	ofSlots      = "O(N) where N is the total number of hash slot arguments"
	ofSlotRanges = "O(N) where N is the total number of the slots between the start slot and end slot arguments."
	ofNodes      = "O(N) where N is the total number of Cluster nodes"
)

var (
	oneNode    = []command.Arg{{Name: "node-id", Type: command.ArgString}}
	manySlots  = []command.Arg{{Name: "slot", Type: command.ArgInteger, Multiple: true}}
	slotRanges = []command.Arg{{Name: "start-slot_end-slot", Type: command.ArgBlock, Multiple: true, Args: []command.Arg{
		{Name: "start-slot", Type: command.ArgInteger}, {Name: "end-slot", Type: command.ArgInteger}}}}
)
