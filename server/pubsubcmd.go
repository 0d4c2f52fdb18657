package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/types/glob"
)

const (
	listenFlags    = command.PubSub | command.NoScript | command.Loading | command.Stale | command.Barrier
	publishFlags   = command.PubSub | command.Loading | command.Stale | command.Fast | command.MayReplicate
	introspection  = command.PubSub | command.Loading | command.Stale
	manySubscribed = "O(N) where N is the number of topics named, or of those that the client leaves."
)

func channelArgs(name string, kind command.ArgType, optional bool) []command.Arg {
	return []command.Arg{{Name: name, Type: kind, Optional: optional, Multiple: true}}
}

func publishArgs(channel string) []command.Arg {
	return []command.Arg{{Name: channel, Type: command.ArgString}, {Name: "message", Type: command.ArgString}}
}

// patternArgs are those of PSUBSCRIBE, which Redis describes as a block.
func patternArgs() []command.Arg {
	return []command.Arg{{Name: "pattern", Type: command.ArgBlock, Multiple: true,
		Args: []command.Arg{{Name: "pattern", Type: command.ArgPattern}}}}
}

var pubsubCommands = []command.Spec{
	{Name: "SUBSCRIBE", Arity: -2, Flags: listenFlags, Channels: command.AllChannels, Group: command.GroupPubSub, Since: "2.0.0", Complexity: manySubscribed,
		Summary: "Listens to messages of channels.", Args: channelArgs("channel", command.ArgString, false), Run: subscribeTo(channelTopic)},
	{Name: "UNSUBSCRIBE", Arity: -1, Flags: listenFlags, Group: command.GroupPubSub, Since: "2.0.0", Complexity: manySubscribed,
		Summary: "Stops listening to channels.", Args: channelArgs("channel", command.ArgString, true), Run: unsubscribeFrom(channelTopic)},
	{Name: "PSUBSCRIBE", Arity: -2, Flags: listenFlags, Channels: command.ChannelGlobs, Group: command.GroupPubSub, Since: "2.0.0", Complexity: manySubscribed,
		Summary: "Listens to messages of all channels that match patterns.", Args: patternArgs(), Run: subscribeTo(patternTopic)},
	{Name: "PUNSUBSCRIBE", Arity: -1, Flags: listenFlags, Group: command.GroupPubSub, Since: "2.0.0", Complexity: manySubscribed,
		Summary: "Stops listening to patterns.", Args: channelArgs("pattern", command.ArgPattern, true), Run: unsubscribeFrom(patternTopic)},
	{Name: "SSUBSCRIBE", Arity: -2, Flags: listenFlags, Channels: command.AllChannels, Keys: command.KeyRange(1, -1, 1, command.NotKey), Group: command.GroupPubSub, Since: "7.0.0",
		Complexity: manySubscribed, Summary: "Listens to messages of shard channels.",
		Args: channelArgs("shardchannel", command.ArgString, false), Run: subscribeTo(shardTopic)},
	{Name: "SUNSUBSCRIBE", Arity: -1, Flags: listenFlags, Keys: command.KeyRange(1, -1, 1, command.NotKey), Group: command.GroupPubSub, Since: "7.0.0",
		Complexity: manySubscribed, Summary: "Stops listening to shard channels.",
		Args: channelArgs("shardchannel", command.ArgString, true), Run: unsubscribeFrom(shardTopic)},
	{Name: "PUBLISH", Arity: 3, Flags: publishFlags, Channels: command.OneChannel, Group: command.GroupPubSub, Since: "2.0.0",
		Complexity: "O(N+M) where N is the number of receivers and M the number of patterns that begin as the channel does.",
		Summary:    "Sends a message to those who listen to a channel.", Args: publishArgs("channel"),
		Run: func(c *command.Ctx) { publish(c, channelTopic) }},
	{Name: "SPUBLISH", Arity: 3, Flags: publishFlags, Channels: command.OneChannel, Keys: command.OneKey(1, command.NotKey), Group: command.GroupPubSub, Since: "7.0.0",
		Complexity: "O(N) where N is the number of receivers.",
		Summary:    "Sends a message to those who listen to a shard channel.", Args: publishArgs("shardchannel"),
		Run: func(c *command.Ctx) { publish(c, shardTopic) }},
	{Name: "PUBSUB", Arity: -2, Group: command.GroupPubSub, Since: "2.8.0", Complexity: "Depends on subcommand.",
		Summary: "Commands about channels and who listens.", Subcommands: []command.Spec{
			pubsubSub("CHANNELS", -2, "2.8.0", "Names the channels that somebody listens to.",
				[]command.Arg{{Name: "pattern", Type: command.ArgPattern, Optional: true}}, func(c *command.Ctx) { listTopics(c, channelTopic) }),
			{Name: "HELP", Arity: 2, Flags: command.Loading | command.Stale, Group: command.GroupPubSub, Since: "6.2.0", Complexity: "O(1)",
				Summary: "Explains the subcommands.", Run: func(c *command.Ctx) { c.Help(pubsubHelp) }},
			pubsubSub("NUMPAT", 2, "2.8.0", "Counts the patterns that somebody listens to.", nil, func(c *command.Ctx) {
				c.Reply.Int(client(c).reactor.srv.pubsub.patterns.table.count.Load())
			}),
			pubsubSub("NUMSUB", -2, "2.8.0", "Counts those who listen to channels.",
				channelArgs("channel", command.ArgString, true), func(c *command.Ctx) { countListeners(c, channelTopic) }),
			pubsubSub("SHARDCHANNELS", -2, "7.0.0", "Names the shard channels that somebody listens to.",
				[]command.Arg{{Name: "pattern", Type: command.ArgPattern, Optional: true}}, func(c *command.Ctx) { listTopics(c, shardTopic) }),
			pubsubSub("SHARDNUMSUB", -2, "7.0.0", "Counts those who listen to shard channels.",
				channelArgs("shardchannel", command.ArgString, true), func(c *command.Ctx) { countListeners(c, shardTopic) }),
		}},
}

func pubsubSub(name string, arity int, since, summary string, args []command.Arg, run func(*command.Ctx)) command.Spec {
	return command.Spec{Name: name, Arity: arity, Flags: introspection, Group: command.GroupPubSub, Since: since,
		Complexity: "O(N) where N is the number of channels named, or that there are.", Summary: summary, Args: args, Run: run}
}

var pubsubHelp = []string{
	"CHANNELS [<pattern>]", "    The channels that somebody listens to, or those that match.",
	"NUMPAT", "    The number of patterns that somebody listens to.",
	"NUMSUB [<channel> ...]", "    How many clients listen to each of the channels, not counting patterns.",
	"SHARDCHANNELS [<pattern>]", "    The shard channels that somebody listens to, or those that match.",
	"SHARDNUMSUB [<shardchannel> ...]", "    How many clients listen to each of the shard channels.",
}

// listTopics is PUBSUB CHANNELS and SHARDCHANNELS.
func listTopics(c *command.Ctx, kind topicKind) {
	if len(c.Args) > 3 {
		c.ErrorSubcommand()
		return
	}
	var names []string
	client(c).reactor.srv.pubsub.table(kind).each(func(t *topic) {
		if len(c.Args) == 2 || glob.Match(c.Args[2], []byte(t.name), false) {
			names = append(names, t.name)
		}
	})
	c.Reply.Array(len(names))
	for _, name := range names {
		c.Reply.BulkString(name)
	}
}

// countListeners is PUBSUB NUMSUB and SHARDNUMSUB.
func countListeners(c *command.Ctx, kind topicKind) {
	p := &client(c).reactor.srv.pubsub
	c.Reply.Array(2 * (len(c.Args) - 2))
	for _, name := range c.Args[2:] {
		n := int64(0)
		if t := p.table(kind).find(p.hashTopic(name), name); t != nil {
			n = t.total.Load()
		}
		c.Reply.Bulk(name)
		c.Reply.Int(n)
	}
}

// refuses tells whether cl, which listens with RESP2, cannot be sent anything but messages and the few replies that are
// told from them.
func (cl *Client) refuses(spec *command.Spec) bool {
	if cl.flags&clientSubscribed == 0 || cl.proto >= 3 {
		return false
	}
	switch spec.Name {
	case "PING", "QUIT", "RESET", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE":
		return false
	}
	return true
}

func errListening(spec *command.Spec) command.Error {
	return command.Error("ERR Can't execute '" + spec.FullName() +
		"': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
}
