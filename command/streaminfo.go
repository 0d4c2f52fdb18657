package command

import "github.com/shoaldb/shoal/types/stream"

// xinfoSpec is XINFO.
var xinfoSpec = Spec{Name: "XINFO", Arity: -2, Group: GroupStream, Since: "5.0.0", Complexity: "Depends on subcommand.",
	Summary: "Tells about streams, their groups and consumers.",
	Subcommands: []Spec{
		{Name: "CONSUMERS", Arity: 4, Flags: ReadOnly, ACL: ACLStream, Keys: OneKey(2, RO|Access), Group: GroupStream,
			Since: "5.0.0", Tips: tipsArbitrary, Complexity: "O(N) where N is the number of consumers.",
			Summary: "Lists the consumers of a group.",
			Args:    []Arg{argKey, argGroupName}, Run: xinfoConsumers},
		{Name: "GROUPS", Arity: 3, Flags: ReadOnly, ACL: ACLStream, Keys: OneKey(2, RO|Access), Group: GroupStream,
			Since: "5.0.0", Complexity: "O(N) where N is the number of groups.", Summary: "Lists the groups of a stream.",
			History: []Change{{"7.0.0", "The fields `entries-read` and `lag`."}}, Args: argOnlyKey, Run: xinfoGroups},
		{Name: "HELP", Arity: 2, Flags: Loading | Stale, ACL: ACLStream, Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Explains the subcommands.", Run: func(c *Ctx) { c.Help(xinfoHelp) }},
		{Name: "STREAM", Arity: -3, Flags: ReadOnly, ACL: ACLStream, Keys: OneKey(2, RO|Access), Group: GroupStream,
			Since: "5.0.0", Complexity: "O(N) where N is the number of nodes of entries.", Summary: "Tells about a stream.",
			History: []Change{{"6.0.0", "The option `FULL`."},
				{"7.0.0", "The fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`."}},
			Args: []Arg{argKey, {Name: "full", Type: ArgBlock, Token: "FULL", Optional: true, Args: []Arg{argCount}}},
			Run:  xinfoStream},
	}}

var xinfoHelp = []string{
	"CONSUMERS <key> <group>",
	"    The consumers of a group: what they have pending, and for how long they have been idle.",
	"GROUPS <key>",
	"    The groups of a stream: how far they have read, and what is pending.",
	"STREAM <key> [FULL [COUNT <n>]]",
	"    Length, IDs and nodes of a stream; with FULL its first entries and all about its groups, too.",
}

// infoStream opens the stream of an XINFO subcommand, or replies with an error.
func (c *Ctx) infoStream() (stream.Value, bool) {
	v, exists, ok := c.readStream()
	if ok && !exists {
		c.Error(ErrNoKey)
	}
	return v, ok && exists
}

func xinfoConsumers(c *Ctx) {
	v, ok := c.infoStream()
	if !ok {
		return
	}
	g, ok := v.Group(c.Args[3])
	if !ok {
		c.Error(errNoGroupFor(c.Args[3], c.Args[2]))
		return
	}
	if c.Long(g.Consumers()) {
		return
	}
	c.Reply.Array(g.Consumers())
	g.EachConsumer(func(who stream.Consumer) {
		c.Pause(1)
		c.Reply.Map(3)
		c.Reply.BulkString("name")
		c.Reply.Bulk(who.Name())
		c.infoInt("pending", int64(who.Pending()))
		c.infoInt("idle", max(c.NowMS-who.SeenMS(), 0))
	})
}

func (c *Ctx) infoInt(name string, n int64) {
	c.Reply.BulkString(name)
	c.Reply.Int(n)
}

// infoMaybe is infoInt for a number that may not be known.
func (c *Ctx) infoMaybe(name string, n int64, known bool) {
	if known {
		c.infoInt(name, n)
		return
	}
	c.Reply.BulkString(name)
	c.Reply.Null()
}

func (c *Ctx) infoID(name string, id stream.ID) {
	c.Reply.BulkString(name)
	c.replyID(id)
}

func xinfoGroups(c *Ctx) {
	v, ok := c.infoStream()
	if !ok {
		return
	}
	if c.Long(v.Groups()) {
		return
	}
	c.Reply.Array(v.Groups())
	v.EachGroup(func(name []byte, g stream.Group) {
		c.Pause(1)
		c.Reply.Map(6)
		c.Reply.BulkString("name")
		c.Reply.Bulk(name)
		c.infoInt("consumers", int64(g.Consumers()))
		c.infoInt("pending", int64(g.Pending()))
		c.infoProgress(&v, g)
	})
}

// infoProgress tells how far a group has read.
func (c *Ctx) infoProgress(v *stream.Value, g stream.Group) {
	c.infoID("last-delivered-id", g.Last())
	c.infoMaybe("entries-read", g.Read(), g.Read() != stream.Unknown)
	lag, known := v.Lag(g)
	c.infoMaybe("lag", lag, known)
}

func xinfoStream(c *Ctx) {
	v, ok := c.infoStream()
	if !ok {
		return
	}
	full, count := len(c.Args) > 3, int64(10)
	if full {
		if n := len(c.Args); n != 4 && n != 6 || !c.isOption(3, "FULL") || n == 6 && !c.isOption(4, "COUNT") {
			c.ErrorSubcommand()
			return
		}
		if len(c.Args) == 6 {
			if count, ok = c.intArg(5); !ok {
				return
			}
			if count < 0 {
				count = 10
			}
		}
		if c.Long(fullSize(&v, count)) {
			return
		}
		c.Reply.Map(9)
	} else {
		c.Reply.Map(10)
	}
	c.infoInt("length", int64(v.Len()))
	c.infoInt("radix-tree-keys", int64(v.NodeCount()))
	c.infoInt("radix-tree-nodes", int64(v.TreeNodes()))
	c.infoID("last-generated-id", v.Last())
	c.infoID("max-deleted-entry-id", v.MaxDeleted())
	c.infoInt("entries-added", int64(v.Added()))
	c.infoID("recorded-first-entry-id", v.First())
	if full {
		c.infoFull(&v, count)
		return
	}
	c.infoInt("groups", int64(v.Groups()))
	c.infoEntry("first-entry", &v, false)
	c.infoEntry("last-entry", &v, true)
}

// infoEntry tells the first entry, or the last one.
func (c *Ctx) infoEntry(name string, v *stream.Value, last bool) {
	c.Reply.BulkString(name)
	var it stream.Iter
	if v.Range(&it, stream.ID{}, stream.MaxID, last); it.Next() {
		c.replyEntry(&it)
	} else {
		c.Reply.Null()
	}
}

// fullSize returns how many entries, deliveries and consumers infoFull tells of, at most.
func fullSize(v *stream.Value, count int64) int {
	most := func(n int) int {
		if count > 0 {
			return int(min(int64(n), count))
		}
		return n
	}
	size := most(v.Len())
	v.EachGroup(func(_ []byte, g stream.Group) {
		each := 1 + g.Consumers() + 2*most(g.Pending())
		if count > 0 {
			each = 1 + most(g.Pending()) + g.Consumers()*(1+int(min(count, int64(g.Pending()))))
		}
		size = min(size+each, longElements)
	})
	return size
}

// infoFull tells the first count entries, and all about the groups.
func (c *Ctx) infoFull(v *stream.Value, count int64) {
	c.Reply.BulkString("entries")
	c.replyRange(v, stream.ID{}, stream.MaxID, count, false, false)
	c.Reply.BulkString("groups")
	c.Reply.Array(v.Groups())
	v.EachGroup(func(name []byte, g stream.Group) {
		c.Reply.Map(7)
		c.Reply.BulkString("name")
		c.Reply.Bulk(name)
		c.infoProgress(v, g)
		c.infoInt("pel-count", int64(g.Pending()))
		var p stream.Pending
		g.EachPending(&p, stream.ID{})
		c.infoPending(&p, g.Pending(), count, true)
		c.Reply.BulkString("consumers")
		c.Reply.Array(g.Consumers())
		g.EachConsumer(func(who stream.Consumer) {
			c.Pause(1)
			c.Reply.Map(4)
			c.Reply.BulkString("name")
			c.Reply.Bulk(who.Name())
			c.infoInt("seen-time", who.SeenMS())
			c.infoInt("pel-count", int64(who.Pending()))
			who.EachPending(&p, stream.ID{})
			c.infoPending(&p, who.Pending(), count, false)
		})
	})
}

// infoPending lists some count of n pending entries; all if that is 0. named tells that it says who has them.
func (c *Ctx) infoPending(p *stream.Pending, n int, count int64, named bool) {
	if count > 0 {
		n = int(min(int64(n), count))
	}
	c.Reply.BulkString("pending")
	c.Reply.Array(n)
	for range n {
		c.Pause(1)
		p.Next()
		d := p.Delivery()
		if named {
			c.Reply.Array(4)
		} else {
			c.Reply.Array(3)
		}
		c.replyID(p.ID())
		if named {
			c.Reply.Bulk(d.Consumer().Name())
		}
		c.Reply.Int(d.TimeMS())
		c.Reply.Int(d.Count())
	}
}
