package server

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

const (
	clientAdmin = command.Admin | sessionFlags
	arbitrary   = "nondeterministic_output"
)

var clientCommands = []command.Spec{
	{Name: "CLIENT", Arity: -2, Group: command.GroupConnection, Since: "2.4.0", Complexity: "Depends on subcommand.",
		Summary: "Commands about client connections.", Subcommands: []command.Spec{
			documented(sessionSub("CACHING", 3, "6.0.0", "Says whether the keys of the next command are tracked.", clientCachingCmd), clientCachingArgs),
			sessionSub("GETNAME", 2, "2.6.9", "Tells the connection's name.", clientGetName),
			sessionSub("GETREDIR", 2, "6.0.0", "Tells which client the connection's invalidations are redirected to.", clientGetRedir),
			sessionSub("ID", 2, "5.0.0", "Tells the connection's number.", clientID),
			withTips(sessionSub("INFO", 2, "6.2.0", "Describes the connection.", clientInfo), arbitrary),
			documented(adminSub("KILL", -3, "2.4.0", "Closes connections.", clientKill), clientKillArgs, clientKillHistory...),
			documented(withTips(adminSub("LIST", -2, "2.4.0", "Describes connections, a line each.", clientList), arbitrary), clientListArgs, clientListHistory...),
			documented(adminSub("NO-EVICT", 3, "7.0.0", "Protects the connection from client eviction.", clientNoEvictCmd), clientNoEvictArgs),
			sessionSub("NO-TOUCH", 3, "7.2.0", "Makes the connection's commands leave access times alone.", clientNoTouchCmd),
			documented(adminSub("PAUSE", -3, "2.9.50", "Makes clients wait for a time.", clientPause), clientPauseArgs, clientPauseHistory),
			documented(sessionSub("REPLY", 3, "3.2.0", "Turns replies to the connection on or off.", clientReply), clientReplyArgs),
			sessionSub("SETINFO", 4, "7.2.0", "Notes the client library's name or version.", clientSetInfo),
			documented(sessionSub("SETNAME", 3, "2.6.9", "Names the connection.", clientSetName), clientSetNameArgs),
			clientTrackingSub(),
			sessionSub("TRACKINGINFO", 2, "6.2.0", "Tells how the connection's keys are tracked.", clientTrackingInfo),
			documented(adminSub("UNBLOCK", -3, "5.0.0", "Wakes a client that waits in a blocking command.", clientUnblock), clientUnblockArgs),
			adminSub("UNPAUSE", 2, "6.2.0", "Ends CLIENT PAUSE.", clientUnpause),
			helpSub("5.0.0", command.ACLConnection, clientHelp),
		}},
}

func sessionSub(name string, arity int, since, summary string, run func(*command.Ctx)) command.Spec {
	return command.Spec{Name: name, Arity: arity, Flags: sessionFlags | command.Barrier, ACL: command.ACLConnection,
		Group: command.GroupConnection, Since: since, Complexity: "O(1)", Summary: summary, Run: run}
}

func adminSub(name string, arity int, since, summary string, run func(*command.Ctx)) command.Spec {
	s := sessionSub(name, arity, since, summary, run)
	s.Flags |= command.Admin
	s.Complexity = "O(N) where N is the number of client connections."
	return s
}

func helpSub(since string, acl command.Category, lines []string) command.Spec {
	group := command.GroupServer
	if acl == command.ACLConnection {
		group = command.GroupConnection
	}
	if acl == command.ACLScripting {
		group = command.GroupScripting
	}
	return command.Spec{Name: "HELP", Arity: 2, Flags: command.Loading | command.Stale, ACL: acl, Group: group,
		Since: since, Complexity: "O(1)", Summary: "Explains the subcommands.", Run: func(c *command.Ctx) { c.Help(lines) }}
}

func withTips(s command.Spec, tips ...string) command.Spec {
	s.Tips = tips
	return s
}

var clientHelp = []string{
	"CACHING (YES|NO)", "    In the modes OPTIN and OPTOUT: track the keys of the next command, or do not.",
	"GETNAME", "    The name of this connection.",
	"GETREDIR", "    The client that gets this connection's invalidation messages.",
	"ID", "    The number of this connection.",
	"INFO", "    A line about this connection.",
	"KILL <ip:port>", "    Close the connection from this address.",
	"KILL <option> <value> [<option> <value> [...]]", "    Close all connections that match: ID, ADDR, LADDR, TYPE, USER;",
	"    SKIPME (YES|NO) spares this connection (the default) or not.",
	"LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> [<id> ...]]", "    A line about each connection, or about those of a type or with these numbers.",
	"NO-EVICT (ON|OFF)", "    Exempt this connection from client eviction.",
	"NO-TOUCH (ON|OFF)", "    Leave the access times of the keys that this connection uses alone.",
	"PAUSE <timeout> [WRITE|ALL]", "    Make clients, or only their writes, wait for timeout milliseconds.",
	"REPLY (ON|OFF|SKIP)", "    Whether commands of this connection are answered.",
	"SETINFO (LIB-NAME|LIB-VER) <value>", "    Note which library this connection uses.",
	"SETNAME <name>", "    Name this connection.",
	"TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]", "         [OPTIN] [OPTOUT] [NOLOOP]",
	"    Tell this connection, or another, when keys that it has read are modified.",
	"TRACKINGINFO", "    How this connection's keys are tracked.",
	"UNBLOCK <id> [TIMEOUT|ERROR]", "    Wake a blocked client as if its time were over, or with an error.",
	"UNPAUSE", "    End CLIENT PAUSE.",
}

func clientID(c *command.Ctx) { c.Reply.Int(int64(client(c).id)) }

func clientGetName(c *command.Ctx) {
	if name := client(c).name; name != "" {
		c.Reply.BulkString(name)
		return
	}
	c.Reply.Null()
}

func clientSetName(c *command.Ctx) {
	if !validName(c.Args[2]) {
		c.Error(errClientName)
		return
	}
	client(c).name = string(c.Args[2])
	c.Reply.OK()
}

func clientSetInfo(c *command.Ctx) {
	cl := client(c)
	attr, value := c.Args[2], c.Args[3]
	var field *string
	switch {
	case command.EqualFold(attr, "LIB-NAME"):
		field = &cl.libName
	case command.EqualFold(attr, "LIB-VER"):
		field = &cl.libVer
	default:
		c.Error(command.Error("ERR Unrecognized option '" + string(attr) + "'"))
		return
	}
	if !validName(value) {
		c.Error(command.Error("ERR " + string(attr) + " cannot contain spaces, newlines or special characters."))
		return
	}
	*field = string(value)
	c.Reply.OK()
}

// onOff parses ON or OFF.
func onOff(c *command.Ctx, arg []byte) (on, ok bool) {
	on = command.EqualFold(arg, "ON")
	if !on && !command.EqualFold(arg, "OFF") {
		c.Error(command.ErrSyntax)
		return false, false
	}
	return on, true
}

func (cl *Client) setFlag(f clientFlags, on bool) {
	cl.flags &^= f
	if on {
		cl.flags |= f
	}
}

func clientNoEvictCmd(c *command.Ctx) {
	if on, ok := onOff(c, c.Args[2]); ok {
		cl := client(c)
		cl.setFlag(clientNoEvict, on)
		cl.reactor.weigh(cl)
		c.Reply.OK()
	}
}

func clientNoTouchCmd(c *command.Ctx) {
	if on, ok := onOff(c, c.Args[2]); ok {
		client(c).setFlag(clientNoTouch, on)
		c.Reply.OK()
	}
}

func clientReply(c *command.Ctx) {
	cl := client(c)
	switch mode := c.Args[2]; {
	case command.EqualFold(mode, "ON"):
		cl.flags &^= clientReplyOff | clientReplySkip | clientSkipping
		c.Reply.OK()
	case command.EqualFold(mode, "OFF"):
		cl.flags |= clientReplyOff
	case command.EqualFold(mode, "SKIP"):
		if cl.flags&clientReplyOff == 0 {
			cl.flags |= clientReplySkip
		}
	default:
		c.Error(command.ErrSyntax)
	}
}

func clientPause(c *command.Ctx) {
	if len(c.Args) > 4 {
		c.ErrorSubcommand()
		return
	}
	all := true
	if len(c.Args) == 4 {
		if all = command.EqualFold(c.Args[3], "ALL"); !all && !command.EqualFold(c.Args[3], "WRITE") {
			c.Error("ERR CLIENT PAUSE mode must be WRITE or ALL")
			return
		}
	}
	ms, ok := shard.ParseInt(c.Args[2])
	switch {
	case !ok:
		c.Error(command.ErrTimeoutInteger)
	case ms < 0:
		c.Error(command.ErrTimeoutNegative)
	default:
		until := c.NowMS + min(ms, math.MaxInt64-c.NowMS)
		client(c).reactor.srv.beginPause(until, c.NowMS, all)
		c.Reply.OK()
	}
}

func clientUnpause(c *command.Ctx) {
	client(c).reactor.srv.endPause()
	c.Reply.OK()
}

func clientUnblock(c *command.Ctx) {
	if len(c.Args) > 4 {
		c.ErrorSubcommand()
		return
	}
	byError := false
	if len(c.Args) == 4 {
		switch {
		case command.EqualFold(c.Args[3], "TIMEOUT"):
		case command.EqualFold(c.Args[3], "ERROR"):
			byError = true
		default:
			c.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
			return
		}
	}
	id, ok := shard.ParseInt(c.Args[2])
	if !ok {
		c.Error(command.ErrNotInteger)
		return
	}
	gather(client(c), func(r *reactor) bool {
		cl := r.clients[uint64(id)]
		return cl != nil && r.unblock(cl, byError)
	}, func(w *resp.Writer, parts []bool) {
		if slices.Contains(parts, true) {
			w.Int(1)
			return
		}
		w.Int(0)
	})
}

func clientInfo(c *command.Ctx) {
	cl := client(c)
	c.Reply.Verbatim("txt", cl.describe(c.NowMS)+"\n")
}

// clientFilter chooses clients.
type clientFilter struct {
	ids          []uint64
	addr, laddr  string
	kind, user   string
	except       uint64
	byKind, byID bool
}

func (f *clientFilter) matches(cl *Client) bool {
	switch {
	case cl.killed:
	case f.byID && !slices.Contains(f.ids, cl.id):
	case f.addr != "" && cl.conn.RemoteAddr() != f.addr:
	case f.laddr != "" && cl.conn.LocalAddr() != f.laddr:
	case f.byKind && f.kind != cl.kind():
	case f.user != "" && cl.user.Name() != f.user:
	case f.except != 0 && cl.id == f.except:
	default:
		return true
	}
	return false
}

// kind returns cl's type.
func (cl *Client) kind() string {
	if cl.flags&clientSubscribed != 0 {
		return "pubsub"
	}
	return "normal"
}

// clientKind parses a type of clients. If there is no such type, it replies with an error.
func clientKind(c *command.Ctx, arg []byte) (kind string, ok bool) {
	kind = strings.ToLower(string(arg))
	if kind == "slave" {
		kind = "replica"
	}
	if ok = slices.Contains([]string{"normal", "master", "replica", "pubsub"}, kind); !ok {
		c.Error(command.Error("ERR Unknown client type '" + string(arg) + "'"))
	}
	return kind, ok
}

func clientList(c *command.Ctx) {
	var f clientFilter
	args := c.Args[2:]
	switch {
	case len(args) == 0:
	case len(args) == 2 && command.EqualFold(args[0], "TYPE"):
		var ok bool
		if f.kind, ok = clientKind(c, args[1]); !ok {
			return
		}
		f.byKind = true
	case len(args) >= 2 && command.EqualFold(args[0], "ID"):
		f.byID = true
		for _, a := range args[1:] {
			id, ok := shard.ParseInt(a)
			if !ok || id < 0 {
				c.Error("ERR Invalid client ID")
				return
			}
			f.ids = append(f.ids, uint64(id))
		}
	default:
		c.Error(command.ErrSyntax)
		return
	}
	type line struct {
		id   uint64
		text string
	}
	gather(client(c), func(r *reactor) (lines []line) {
		for _, cl := range r.list {
			if f.matches(cl) {
				lines = append(lines, line{cl.id, cl.describe(r.nowMS)})
			}
		}
		return lines
	}, func(w *resp.Writer, parts [][]line) {
		all := slices.Concat(parts...)
		slices.SortFunc(all, func(a, b line) int { return int(int64(a.id - b.id)) })
		var b strings.Builder
		for _, l := range all {
			b.WriteString(l.text)
			b.WriteByte('\n')
		}
		w.Verbatim("txt", b.String())
	})
}

func clientKill(c *command.Ctx) {
	cl := client(c)
	if len(c.Args) == 3 {
		f := clientFilter{addr: string(c.Args[2])}
		killClients(cl, f, func(w *resp.Writer, n int) {
			if n == 0 {
				w.Error("ERR No such client")
				return
			}
			w.OK()
		})
		return
	}
	f, ok := killFilter(c, cl.id)
	if ok {
		killClients(cl, f, func(w *resp.Writer, n int) { w.Int(int64(n)) })
	}
}

// killFilter parses the options of CLIENT KILL.
func killFilter(c *command.Ctx, self uint64) (f clientFilter, ok bool) {
	f.except = self
	args := c.Args[2:]
	if len(args)%2 != 0 {
		c.Error(command.ErrSyntax)
		return f, false
	}
	for ; len(args) > 0; args = args[2:] {
		value := string(args[1])
		switch {
		case command.EqualFold(args[0], "ID"):
			id, isNumber := shard.ParseInt(args[1])
			if !isNumber || id < 1 {
				c.Error("ERR client-id should be greater than 0")
				return f, false
			}
			f.byID, f.ids = true, []uint64{uint64(id)}
		case command.EqualFold(args[0], "TYPE"):
			if f.kind, ok = clientKind(c, args[1]); !ok {
				return f, false
			}
			f.byKind = true
		case command.EqualFold(args[0], "ADDR"):
			f.addr = value
		case command.EqualFold(args[0], "LADDR"):
			f.laddr = value
		case command.EqualFold(args[0], "USER"):
			if client(c).reactor.srv.users.Get(value) == nil {
				c.Error(command.Error("ERR No such user '" + value + "'"))
				return f, false
			}
			f.user = value
		case command.EqualFold(args[0], "SKIPME") && command.EqualFold(args[1], "YES"):
			f.except = self
		case command.EqualFold(args[0], "SKIPME") && command.EqualFold(args[1], "NO"):
			f.except = 0
		default:
			c.Error(command.ErrSyntax)
			return f, false
		}
	}
	return f, true
}

// killClients closes the clients that f chooses; by itself a client is closed after its reply.
func killClients(by *Client, f clientFilter, done func(w *resp.Writer, n int)) {
	gather(by, func(r *reactor) (n int) {
		for _, cl := range slices.Clone(r.list) {
			if !f.matches(cl) {
				continue
			}
			n++
			if cl == by {
				cl.closeAfter = true
				continue
			}
			r.killFor(by.reactor, cl)
		}
		return n
	}, func(w *resp.Writer, parts []int) {
		total := 0
		for _, n := range parts {
			total += n
		}
		done(w, total)
		if by.closeAfter {
			by.close()
		}
	})
}

// killFor closes cl, of r, as a command on the reactor by wants it.
func (r *reactor) killFor(by *reactor, cl *Client) {
	r.abandon(cl) // nothing must be lost to it
	cl.killed = true
	if r == by {
		cl.conn.Close(nil)
	} else {
		r.net.Post(func() { cl.conn.Close(nil) })
	}
}

// describe returns the client's line in CLIENT LIST.
func (cl *Client) describe(nowMS int64) string {
	b := make([]byte, 0, 320)
	str := func(name, value string) {
		b = append(b, name...)
		b = append(b, value...)
	}
	num := func(name string, n int64) {
		b = append(b, name...)
		b = strconv.AppendInt(b, n, 10)
	}
	cmd := "NULL"
	if cl.lastCommand != nil {
		cmd = cl.lastCommand.FullName()
	}
	qbuf, out, outCap := cl.parser.QueryLen(), cl.conn.OutPending(), cl.conn.OutCap()
	num("id=", int64(cl.id))
	str(" addr=", cl.conn.RemoteAddr())
	str(" laddr=", cl.conn.LocalAddr())
	num(" fd=", int64(cl.conn.FD()))
	str(" name=", cl.name)
	num(" age=", (nowMS-cl.createdMS)/1000)
	num(" idle=", max(nowMS-cl.conn.LastActive/1000, 0)/1000)
	str(" flags=", cl.flagLetters())
	num(" db=", int64(cl.db))
	num(" sub=", int64(cl.subscriptions(channelTopic)))
	num(" psub=", int64(cl.subscriptions(patternTopic)))
	num(" ssub=", int64(cl.subscriptions(shardTopic)))
	num(" multi=", int64(cl.queuedCommands()))
	num(" qbuf=", int64(qbuf))
	num(" qbuf-free=", 0)
	num(" argv-mem=", int64(cl.queuedBytes()+cl.parser.ArgvMem()))
	num(" multi-mem=", int64(cl.queueBytes()))
	num(" rbs=", int64(outCap))
	num(" rbp=", int64(outCap))
	num(" obl=", int64(min(out, replyChunk)))
	num(" oll=", int64((out+replyChunk-1)/replyChunk)-int64(min(out, 1)))
	num(" omem=", int64(max(out-replyChunk, 0)))
	num(" tot-mem=", int64(cl.memory()+max(qbuf-cl.parser.Buffered(), 0))) // with the command that it runs
	str(" events=", cl.events())
	str(" cmd=", cmd)
	str(" user=", cl.user.Name())
	num(" redir=", cl.redirection())
	num(" resp=", int64(cl.proto))
	str(" lib-name=", cl.libName)
	str(" lib-ver=", cl.libVer)
	return string(b)
}

// replyChunk is into what pieces Redis divides pending replies, the first of which it does not count in omem.
const replyChunk = 16 << 10

// clientBytes is what a client costs besides its buffers, in bytes.
const clientBytes = 600

// memory returns what the client costs, in bytes.
func (cl *Client) memory() int {
	waiting := 0
	if cl.block != nil {
		waiting = cl.block.bytes()
	}
	if cl.sub != nil {
		waiting += cl.sub.bytes
	}
	return clientBytes + waiting + cl.parser.Buffered() + cl.parser.ArgvMem() + cl.conn.OutHeld() + cap(cl.pushes) + cl.tracked.bytes() + cl.queuedBytes() + cl.queueBytes() + len(cl.name)
}

func (cl *Client) queuedBytes() int {
	n := 0
	for _, args := range cl.queued {
		for _, a := range args {
			n += len(a) + 24
		}
	}
	return n
}

func (cl *Client) events() string {
	if cl.conn.OutPending() > 0 {
		return "rw"
	}
	return "r"
}

// flagLetters returns the client's flags as CLIENT LIST shows them.
func (cl *Client) flagLetters() string {
	var b []byte
	if cl.flags&clientMonitor != 0 {
		b = append(b, 'O')
	}
	if cl.flags&clientSubscribed != 0 {
		b = append(b, 'P')
	}
	if cl.multi != nil {
		b = append(b, 'x')
	}
	if cl.flags&clientPaused != 0 || cl.waits() {
		b = append(b, 'b')
	}
	if cl.dirty() {
		b = append(b, 'd')
	}
	for _, f := range []struct {
		mode   trackingModes
		letter byte
	}{{trackingOn, 't'}, {trackingBroken, 'R'}, {trackingBroadcast, 'B'}} {
		if cl.tracked.modes&f.mode != 0 {
			b = append(b, f.letter)
		}
	}
	for _, f := range []struct {
		flag   clientFlags
		letter byte
	}{{clientClosing, 'A'}, {clientNoEvict, 'e'}, {clientNoTouch, 'T'}} {
		if cl.flags&f.flag != 0 {
			b = append(b, f.letter)
		}
	}
	if cl.conn.IsUnix() {
		b = append(b, 'U')
	}
	if len(b) == 0 {
		return "N"
	}
	return string(b)
}
