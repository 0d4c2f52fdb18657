package server

import (
	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/shard"
)

const sessionFlags = command.NoScript | command.Loading | command.Stale

var connectionCommands = []command.Spec{
	{Name: "PING", Arity: -1, Flags: command.Fast, ACL: command.ACLConnection, Group: command.GroupConnection,
		Since: "1.0.0", Complexity: "O(1)", Summary: "Answers PONG, or echoes its argument.",
		Tips: []string{"request_policy:all_shards", "response_policy:all_succeeded"},
		Args: []command.Arg{{Name: "message", Type: command.ArgString, Optional: true}}, Run: ping},
	{Name: "ECHO", Arity: 2, Flags: command.Loading | command.Stale | command.Fast, ACL: command.ACLConnection, Group: command.GroupConnection,
		Since: "1.0.0", Complexity: "O(1)", Summary: "Sends its argument back.",
		Args: []command.Arg{{Name: "message", Type: command.ArgString}}, Run: echo},
	{Name: "HELLO", Arity: -1, Flags: sessionFlags | command.Fast | command.NoAuth | command.AllowBusy | command.Barrier,
		ACL: command.ACLConnection, Group: command.GroupConnection, Since: "6.0.0", Complexity: "O(1)",
		Summary: "Chooses the protocol version, and can authenticate and name the connection.",
		History: []command.Change{{Since: "6.2.0", What: "The protocol version may be left out; the reply then tells which one is in use."}},
		Args: []command.Arg{{Name: "arguments", Type: command.ArgBlock, Optional: true, Args: []command.Arg{
			{Name: "protover", Type: command.ArgInteger},
			{Name: "username_password", Token: "AUTH", Type: command.ArgBlock, Optional: true, Args: []command.Arg{
				{Name: "username", Type: command.ArgString}, {Name: "password", Type: command.ArgString}}},
			{Name: "clientname", Token: "SETNAME", Type: command.ArgString, Optional: true}}}},
		Run: hello},
	{Name: "AUTH", Arity: -2, Flags: sessionFlags | command.Fast | command.NoAuth | command.AllowBusy | command.Barrier,
		ACL: command.ACLConnection, Group: command.GroupConnection, Since: "1.0.0", Complexity: "O(N) where N is the number of passwords of the user.",
		Summary: "Authenticates the connection.",
		History: []command.Change{{Since: "6.0.0", What: "A user name may be given in front of the password."}},
		Args:    []command.Arg{{Name: "username", Type: command.ArgString, Optional: true, Since: "6.0.0"}, {Name: "password", Type: command.ArgString}}, Run: auth},
	{Name: "SELECT", Arity: 2, Flags: command.Loading | command.Stale | command.Fast | command.Barrier, ACL: command.ACLConnection, Group: command.GroupConnection,
		Since: "1.0.0", Complexity: "O(1)", Summary: "Switches the connection to another database.",
		Args: []command.Arg{{Name: "index", Type: command.ArgInteger}}, Run: selectDB},
	{Name: "QUIT", Arity: -1, Flags: sessionFlags | command.Fast | command.NoAuth | command.AllowBusy | command.Barrier,
		ACL: command.ACLConnection, Group: command.GroupConnection, Since: "1.0.0", Complexity: "O(1)", Summary: "Closes the connection.",
		DeprecatedIn: "7.2.0", ReplacedBy: "closing the connection", DocFlags: []string{"deprecated"}, Run: quit},
	{Name: "RESET", Arity: 1, Flags: sessionFlags | command.Fast | command.NoAuth | command.AllowBusy | command.Barrier,
		ACL: command.ACLConnection, Group: command.GroupConnection, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Puts the connection back to the state of a new one.", Run: reset},
}

func client(c *command.Ctx) *Client { return c.Client.(*Client) }

func ping(c *command.Ctx) {
	switch cl := client(c); {
	case len(c.Args) > 2:
		c.Error(c.Spec.ErrArity())
	case cl.flags&clientSubscribed != 0 && cl.proto < 3:
		pong(c)
	case len(c.Args) == 2:
		c.Reply.Bulk(c.Args[1])
	default:
		c.Reply.Simple("PONG")
	}
}

// pong replies to PING as if it were a message.
func pong(c *command.Ctx) {
	c.Reply.Array(2)
	c.Reply.BulkString("pong")
	if len(c.Args) == 1 {
		c.Reply.BulkString("")
		return
	}
	c.Reply.Bulk(c.Args[1])
}

func echo(c *command.Ctx) { c.Reply.Bulk(c.Args[1]) }

func selectDB(c *command.Ctx) {
	n, ok := shard.ParseInt(c.Args[1])
	switch {
	case !ok:
		c.Error(command.ErrNotInteger)
	case n != int64(int32(n)):
		c.Error(command.ErrIntRange)
	case n < 0 || n >= int64(c.Env.Databases):
		c.Error(command.ErrDBIndex)
	default:
		client(c).db = int(n)
		c.Reply.OK()
	}
}

func quit(c *command.Ctx) {
	c.Reply.OK()
	client(c).close()
}

func reset(c *command.Ctx) {
	cl := client(c)
	cl.reactor.endMulti(cl, false)
	cl.reactor.srv.trackers.untrack(cl)
	cl.reactor.leaveAll(cl)
	cl.reactor.endMonitor(cl)
	cl.db, cl.proto, cl.name = 0, 2, ""
	cl.become(cl.reactor.srv.users.Default())
	cl.flags &^= clientReplyOff | clientReplySkip | clientNoEvict | clientNoTouch | clientNeedsAuth
	if cl.reactor.srv.needsAuth() {
		cl.flags |= clientNeedsAuth
	}
	c.Reply.Proto = cl.proto
	c.Reply.Simple("RESET")
}

const (
	errNoPassword command.Error = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	errClientName command.Error = "ERR Client names cannot contain spaces, newlines or special characters."
)

func auth(c *command.Ctx) {
	if len(c.Args) > 3 {
		c.Error(command.ErrSyntax)
		return
	}
	cl := client(c)
	user, password := []byte(acl.DefaultName), c.Args[len(c.Args)-1]
	if len(c.Args) == 3 {
		user = c.Args[1]
	} else if cl.reactor.srv.users.Default().Rules().NoPassword() {
		c.Error(errNoPassword)
		return
	}
	if !cl.authenticate(c, user, password) {
		c.Error(errWrongPass)
		return
	}
	c.Reply.OK()
}

// authenticate lets cl in if user exists, is enabled, and the password is right.
func (cl *Client) authenticate(c *command.Ctx, name, password []byte) bool {
	srv := cl.reactor.srv
	u := srv.users.Get(string(name))
	if u == nil || !u.Rules().CheckPassword(password) {
		srv.noteDenied(acl.DeniedAuth, acl.Event{Reason: acl.DeniedAuth, Context: topLevel(cl), Object: string(c.Args[0]), User: string(name),
			Client: cl.describe(c.NowMS)}, c.NowMS)
		return false
	}
	cl.flags &^= clientNeedsAuth
	cl.become(u)
	return true
}

func hello(c *command.Ctx) {
	cl := client(c)
	proto := cl.proto
	args := c.Args[1:]
	if len(args) > 0 {
		n, ok := shard.ParseInt(args[0])
		switch {
		case !ok:
			c.Error("ERR Protocol version is not an integer or out of range")
			return
		case n != 2 && n != 3:
			c.Error("NOPROTO unsupported protocol version")
			return
		}
		proto = uint8(n)
		args = args[1:]
	}
	user, password, name, ok := helloOptions(c, args)
	if !ok {
		return
	}
	if user != nil && !cl.authenticate(c, user, password) {
		c.Error(errWrongPass)
		return
	}
	if cl.flags&clientNeedsAuth != 0 {
		c.Error(errUnauthHello)
		return
	}
	if name != nil {
		cl.name = string(name)
	}
	cl.proto = proto
	c.Reply.Proto = proto
	helloReply(c, cl)
}

func helloOptions(c *command.Ctx, args [][]byte) (user, password, name []byte, ok bool) {
	for i := 0; i < len(args); i++ {
		more := len(args) - i - 1
		switch {
		case command.EqualFold(args[i], "AUTH") && more >= 2:
			user, password = args[i+1], args[i+2]
			i += 2
		case command.EqualFold(args[i], "SETNAME") && more >= 1:
			if name = args[i+1]; !validName(name) {
				c.Error(errClientName)
				return nil, nil, nil, false
			}
			i++
		default:
			c.Error(command.Error("ERR Syntax error in HELLO option '" + string(args[i]) + "'"))
			return nil, nil, nil, false
		}
	}
	return user, password, name, true
}

func helloReply(c *command.Ctx, cl *Client) {
	w := c.Reply
	w.Map(7)
	w.BulkString("server")
	w.BulkString("redis")
	w.BulkString("version")
	w.BulkString(RedisVersion)
	w.BulkString("proto")
	w.Int(int64(cl.proto))
	w.BulkString("id")
	w.Int(int64(cl.id))
	w.BulkString("mode")
	w.BulkString("standalone")
	w.BulkString("role")
	w.BulkString("master")
	w.BulkString("modules")
	w.Array(0)
}

// validName tells whether a name can stand in CLIENT LIST: printable ASCII without spaces.
func validName(b []byte) bool {
	for _, c := range b {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}
