package command

import (
	"math"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types/stream"
)

var argGroupID = Arg{Name: "id", Type: ArgOneOf, Args: []Arg{argID, {Name: "new_id", Type: ArgPureToken, Token: "$"}}}

// xgroupSpec is XGROUP.
var xgroupSpec = Spec{Name: "XGROUP", Arity: -2, Group: GroupStream, Since: "5.0.0", Complexity: "Depends on subcommand.",
	Summary: "Manages the consumer groups of streams.",
	Subcommands: []Spec{
		{Name: "CREATE", Arity: -5, Flags: Write | DenyOOM, ACL: ACLStream, Keys: OneKey(2, RW|Insert), Group: GroupStream,
			Since: "5.0.0", Complexity: "O(1)", Summary: "Creates a consumer group.",
			History: []Change{{"7.0.0", "The option `ENTRIESREAD`."}},
			Args: []Arg{argKey, argGroupName, argGroupID,
				{Name: "mkstream", Type: ArgPureToken, Token: "MKSTREAM", Optional: true},
				{Name: "entries_read", Type: ArgInteger, Token: "ENTRIESREAD", Optional: true}}, Run: xgroupCreate},
		{Name: "CREATECONSUMER", Arity: 5, Flags: Write | DenyOOM, ACL: ACLStream, Keys: OneKey(2, RW|Insert), Group: GroupStream,
			Since: "6.2.0", Complexity: "O(1)", Summary: "Creates a consumer in a group.",
			Args: []Arg{argKey, argGroupName, {Name: "consumername", Type: ArgString}}, Run: xgroupCreateConsumer},
		{Name: "DELCONSUMER", Arity: 5, Flags: Write, ACL: ACLStream, Keys: OneKey(2, RW|Delete), Group: GroupStream,
			Since: "5.0.0", Complexity: "O(N) where N is the number of entries that the consumer has pending.",
			Summary: "Removes a consumer with all that it has pending.",
			Args:    []Arg{argKey, argGroupName, {Name: "consumername", Type: ArgString}}, Run: xgroupDelConsumer, Replaces: true, WakesNobody: true},
		{Name: "DESTROY", Arity: 4, Flags: Write, ACL: ACLStream, Keys: OneKey(2, RW|Delete), Group: GroupStream,
			Since: "5.0.0", Complexity: "O(1); memory is given back in steps.", Summary: "Removes a consumer group.",
			Args: []Arg{argKey, argGroupName}, Run: xgroupDestroy, Replaces: true},
		{Name: "HELP", Arity: 2, Flags: Loading | Stale, ACL: ACLStream, Group: GroupStream, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Explains the subcommands.", Run: func(c *Ctx) { c.Help(xgroupHelp) }},
		{Name: "SETID", Arity: -5, Flags: Write, ACL: ACLStream, Keys: OneKey(2, RW|Update), Group: GroupStream,
			Since: "5.0.0", Complexity: "O(1)", Summary: "Sets up to which entry a group has read.",
			History: []Change{{"7.0.0", "The option `ENTRIESREAD`."}},
			Args: []Arg{argKey, argGroupName, argGroupID,
				{Name: "entries_read", Type: ArgInteger, Token: "ENTRIESREAD", Optional: true}}, Run: xgroupSetID},
	}}

var xgroupHelp = []string{
	"CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <n>]",
	"    Create a group that has read everything up to the ID; $ is the last one. Options:",
	"    * MKSTREAM: create the stream, too, if there is none.",
	"    * ENTRIESREAD: how many entries the group has read, as replicas need to know.",
	"CREATECONSUMER <key> <group> <consumer>",
	"    Create a consumer.",
	"DELCONSUMER <key> <group> <consumer>",
	"    Remove a consumer; what it has pending is forgotten.",
	"DESTROY <key> <group>",
	"    Remove a group.",
	"SETID <key> <group> <id|$> [ENTRIESREAD <n>]",
	"    Set up to which ID a group has read.",
}

const (
	errEntriesRead Error = "ERR value for ENTRIESREAD must be positive or -1"
	errGroupNoKey  Error = "ERR The XGROUP subcommand requires the key to exist. " +
		"Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
	errBusyGroup     Error = "BUSYGROUP Consumer Group name already exists"
	errMinIdle       Error = "ERR Invalid min-idle-time argument for XCLAIM"
	errMinIdleAuto   Error = "ERR Invalid min-idle-time argument for XAUTOCLAIM"
	errClaimIdle     Error = "ERR Invalid IDLE option argument for XCLAIM"
	errClaimTime     Error = "ERR Invalid TIME option argument for XCLAIM"
	errClaimRetry    Error = "ERR Invalid RETRYCOUNT option argument for XCLAIM"
	attemptsPerEntry       = 10 // of XAUTOCLAIM's COUNT
)

// errNoGroupFor says that a stream has no such group.
func errNoGroupFor(group, key []byte) Error {
	return "NOGROUP No such consumer group '" + Error(cString(group)) + "' for key name '" + Error(cString(key)) + "'"
}

// groupOptions parses the options of XGROUP CREATE and SETID after the ID.
func (c *Ctx) groupOptions(create bool) (mkStream bool, read int64, ok bool) {
	read = stream.Unknown
	for i := 5; i < len(c.Args); i++ {
		switch {
		case create && c.isOption(i, "MKSTREAM"):
			mkStream = true
		case c.isOption(i, "ENTRIESREAD") && i+1 < len(c.Args):
			i++
			if read, ok = c.intArg(i); !ok {
				return false, 0, false
			}
			if read < 0 && read != stream.Unknown {
				c.Error(errEntriesRead)
				return false, 0, false
			}
		default:
			c.ErrorSubcommand()
			return false, 0, false
		}
	}
	return mkStream, read, true
}

// GroupStream opens the stream of an XGROUP subcommand. Without one it replies with an error unless that is allowed.
func (c *Ctx) GroupStream(may bool) (v stream.Value, exists, ok bool) {
	v, exists, ok = c.writeStream()
	if ok && !exists && !may {
		c.Error(errGroupNoKey)
		return v, false, false
	}
	return v, exists, ok
}

// existingGroup opens the stream and group of an XGROUP subcommand, or replies with an error.
func (c *Ctx) existingGroup() (v stream.Value, g stream.Group, ok bool) {
	if v, _, ok = c.GroupStream(false); !ok {
		return v, g, false
	}
	if g, ok = v.Group(c.Args[3]); !ok {
		c.Error(errNoGroupFor(c.Args[3], c.Args[2]))
	}
	return v, g, ok
}

func xgroupCreate(c *Ctx) {
	mkStream, read, ok := c.groupOptions(true)
	if !ok {
		return
	}
	v, exists, ok := c.GroupStream(mkStream)
	if !ok {
		return
	}
	var id stream.ID
	switch {
	case len(c.Args) > 8:
		c.ErrorSubcommand()
		return
	case !c.isWord(4, '$'):
		if id, ok = c.idArg(4); !ok {
			return
		}
	case exists:
		id = v.Last()
	}
	k := &c.Keys[0]
	if !exists {
		if v, ok = stream.New(k.DB.Space()); !ok {
			c.Error(ErrNoMemory)
			return
		}
		if !c.addStream(k, &v) {
			return
		}
	}
	if _, has := v.Group(c.Args[3]); has {
		c.Error(errBusyGroup)
		return
	}
	if _, ok := v.AddGroup(c.Args[3], id, read); !ok {
		if !exists {
			k.DB.Delete(k)
		}
		c.Error(ErrNoMemory)
		return
	}
	c.Reply.OK()
	c.Changed(1)
	c.Notify(NotifyStream, "xgroup-create", k.Name)
}

func xgroupSetID(c *Ctx) {
	_, read, ok := c.groupOptions(false)
	if !ok {
		return
	}
	v, g, ok := c.existingGroup()
	if !ok {
		return
	}
	id := v.Last()
	switch {
	case len(c.Args) != 5 && len(c.Args) != 7:
		c.ErrorSubcommand()
		return
	case !c.isWord(4, '$'):
		if id, _, ok = parseID(c.Args[4], 0, idSpecial); !ok {
			c.Error(errStreamID)
			return
		}
	}
	g.SetLast(id)
	g.SetRead(read)
	c.Reply.OK()
	c.Changed(1)
	c.Notify(NotifyStream, "xgroup-setid", c.Keys[0].Name)
}

// xgroupDestroy also tells those who wait for entries of the group that it is gone.
func xgroupDestroy(c *Ctx) {
	v, _, ok := c.GroupStream(false)
	if !ok {
		return
	}
	if _, has := v.Group(c.Args[3]); !has {
		c.Reply.Int(0)
		return
	}
	r, ok := v.RemoveGroup(c.Args[3])
	if !ok {
		c.Error(ErrNoMemory)
		return
	}
	k := &c.Keys[0]
	k.DB.FreeRoot(r)
	c.Reply.Int(1)
	c.Changed(1)
	c.Notify(NotifyStream, "xgroup-destroy", k.Name)
	c.Ready(k)
}

func xgroupCreateConsumer(c *Ctx) {
	_, g, ok := c.existingGroup()
	if !ok {
		return
	}
	if _, has := g.Consumer(c.Args[4]); has {
		c.Reply.Int(0)
		return
	}
	if _, ok := c.consumer(g, &c.Keys[0], c.Args[4]); !ok {
		c.Error(ErrNoMemory)
		return
	}
	c.Reply.Int(1)
}

func xgroupDelConsumer(c *Ctx) {
	_, g, ok := c.existingGroup()
	if !ok {
		return
	}
	who, has := g.Consumer(c.Args[4])
	if !has {
		c.Reply.Int(0)
		return
	}
	n := who.Pending()
	if c.Long(n) {
		return
	}
	const step = 64 // entries
	for g.ForgetOf(who, step) {
		c.Pause(step)
	}
	g.RemoveConsumer(who)
	c.Changed(1)
	c.Notify(NotifyStream, "xgroup-delconsumer", c.Keys[0].Name)
	c.Reply.Int(int64(n))
}

// readGroup opens the stream of the key and the group of argument 2. has is false if there is none of either; ok is false if the
// key holds something else, which is replied then.
func (c *Ctx) readGroup() (v stream.Value, g stream.Group, has, ok bool) {
	v, exists, ok := c.readStream()
	if ok && exists {
		g, has = v.Group(c.Args[2])
	}
	return v, g, has, ok
}

// mustReadGroup is readGroup for a command that replies with an error if there is no group.
func (c *Ctx) mustReadGroup() (v stream.Value, g stream.Group, ok bool) {
	v, g, has, ok := c.readGroup()
	if ok && !has {
		c.Error(errNoGroup(c.Args[1], c.Args[2]))
	}
	return v, g, ok && has
}

func xack(c *Ctx) {
	_, g, has, ok := c.readGroup()
	switch {
	case !ok:
		return
	case !has:
		c.Reply.Int(0)
		return
	case !c.idArgs(3):
		return
	}
	n := 0
	for _, arg := range c.Args[3:] {
		if id, _, _ := parseID(arg, 0, 0); g.Forget(id) {
			n++
		}
	}
	c.Changed(n)
	c.Reply.Int(int64(n))
}

// pendingQuery is the long form of XPENDING.
type pendingQuery struct {
	start, end stream.ID
	count      int64
	minIdle    int64 // ms
	consumer   []byte
}

func xpending(c *Ctx) {
	var q pendingQuery
	if len(c.Args) > 3 {
		var ok bool
		if q, ok = c.pendingQuery(); !ok {
			return
		}
	}
	_, g, ok := c.mustReadGroup()
	switch {
	case !ok:
	case len(c.Args) == 3:
		c.replyPendingSummary(g)
	default:
		c.replyPendingEntries(g, &q)
	}
}

func (c *Ctx) pendingQuery() (q pendingQuery, ok bool) {
	if len(c.Args) < 6 || len(c.Args) > 9 {
		c.Error(ErrSyntax)
		return q, false
	}
	at := 3
	if c.isOption(3, "IDLE") {
		if q.minIdle, ok = c.intArg(4); !ok {
			return q, false
		}
		if len(c.Args) < 8 {
			c.Error(ErrSyntax)
			return q, false
		}
		at = 5
	}
	if q.count, ok = c.intArg(at + 2); !ok {
		return q, false
	}
	if q.start, ok = c.startIDArg(at); !ok {
		return q, false
	}
	if q.end, ok = c.endIDArg(at + 1); !ok {
		return q, false
	}
	if at+3 < len(c.Args) {
		q.consumer = c.Args[at+3]
	}
	return q, true
}

func (c *Ctx) replyPendingSummary(g stream.Group) {
	if c.Long(g.Consumers()) {
		return
	}
	c.Reply.Array(4)
	c.Reply.Int(int64(g.Pending()))
	if g.Pending() == 0 {
		c.Reply.Null()
		c.Reply.Null()
		c.Reply.NullArray()
		return
	}
	first, last := g.PendingRange()
	c.replyID(first)
	c.replyID(last)
	header := c.beginArray(g.Consumers())
	n := 0
	g.EachConsumer(func(who stream.Consumer) {
		c.Pause(1)
		if who.Pending() > 0 {
			n++
			c.Reply.Array(2)
			c.Reply.Bulk(who.Name())
			c.Reply.BulkInt(int64(who.Pending()))
		}
	})
	c.endArray(header, n)
}

func (c *Ctx) replyPendingEntries(g stream.Group, q *pendingQuery) {
	var p stream.Pending
	if q.consumer == nil {
		g.EachPending(&p, q.start)
	} else {
		who, ok := g.Consumer(q.consumer)
		if !ok {
			c.Reply.Array(0)
			return
		}
		who.EachPending(&p, q.start)
	}
	at := len(c.Reply.Buf)
	header := c.beginArray(int(max(min(q.count, int64(g.Pending())), 0)))
	n := int64(0)
	for seen := 0; n < q.count && p.Next(); seen++ {
		if seen == longElements && c.Long(seen) {
			c.Reply.Buf = c.Reply.Buf[:at]
			return
		}
		c.Pause(1)
		id := p.ID()
		if q.end.Less(id) {
			break
		}
		d := p.Delivery()
		idle := c.NowMS - d.TimeMS()
		if q.minIdle != 0 && idle < q.minIdle {
			continue
		}
		n++
		c.Reply.Array(4)
		c.replyID(id)
		c.Reply.Bulk(d.Consumer().Name())
		c.Reply.Int(max(idle, 0))
		c.Reply.Int(d.Count())
	}
	c.endArray(header, int(n))
}

// claiming is an XCLAIM or XAUTOCLAIM.
type claiming struct {
	v       stream.Value
	g       stream.Group
	k       *shard.Key
	minIdle int64 // ms
	timeMS  int64 // unix ms: when the entries shall count as delivered
	retries int64 // how often; -1: once more, unless justID
	force   bool
	justID  bool

	who   knownConsumer
	known bool
}

// xclaim is propagated entry by entry, as those that it claims are a matter of time.
func xclaim(c *Ctx) {
	c.PropagateNothing()
	var cl claiming
	var ok bool
	if cl.v, cl.g, ok = c.mustReadGroup(); !ok {
		return
	}
	cl.k = &c.Keys[0]
	if cl.minIdle, ok = c.intArgOr(4, errMinIdle); !ok {
		return
	}
	cl.minIdle = max(cl.minIdle, 0)
	ids := 5
	for ids < len(c.Args) {
		if _, _, ok := parseID(c.Args[ids], 0, 0); !ok {
			break
		}
		ids++
	}
	last, ok := c.claimOptions(&cl, ids)
	if !ok {
		return
	}
	advanced := cl.g.Last().Less(last)
	if advanced {
		cl.g.SetLast(last)
	}
	begin := len(c.Reply.Buf)
	header := c.Reply.DeferArray(ids - 5)
	n, told := 0, false
	for _, arg := range c.Args[5:ids] {
		id, _, _ := parseID(arg, 0, 0)
		d, pending := cl.g.Delivery(id)
		if !cl.v.Contains(id) {
			if pending {
				c.dropDeleted(&cl, id, arg, d)
				told = true
			}
			continue
		}
		claimed, err := c.claim(&cl, id, arg, d, pending)
		if err != nil {
			c.Reply.Buf = c.Reply.Buf[:begin]
			c.Error(ErrNoMemory)
			return
		}
		if claimed {
			n++
			told = true
		}
	}
	if advanced && !told {
		c.propagateGroupID(cl.k, c.Args[2], cl.g)
		c.Changed(1)
	}
	c.Reply.Close(header, n)
}

// claimOptions parses the options of XCLAIM from argument i on. last is the ID that the group has read to, at least.
func (c *Ctx) claimOptions(cl *claiming, i int) (last stream.ID, ok bool) {
	cl.timeMS, cl.retries = -1, -1
	for ; i < len(c.Args); i++ {
		more := i+1 < len(c.Args)
		switch {
		case c.isOption(i, "FORCE"):
			cl.force = true
		case c.isOption(i, "JUSTID"):
			cl.justID = true
		case more && c.isOption(i, "IDLE"):
			i++
			if cl.timeMS, ok = c.intArgOr(i, errClaimIdle); !ok {
				return last, false
			}
			cl.timeMS = c.NowMS - cl.timeMS
		case more && c.isOption(i, "TIME"):
			i++
			if cl.timeMS, ok = c.intArgOr(i, errClaimTime); !ok {
				return last, false
			}
		case more && c.isOption(i, "RETRYCOUNT"):
			i++
			if cl.retries, ok = c.intArgOr(i, errClaimRetry); !ok {
				return last, false
			}
		case more && c.isOption(i, "LASTID"):
			i++
			if last, ok = c.idArg(i); !ok {
				return last, false
			}
		default:
			c.Error("ERR Unrecognized XCLAIM option '" + Error(cString(c.Args[i])) + "'")
			return last, false
		}
	}
	if cl.timeMS < 0 || cl.timeMS > c.NowMS {
		cl.timeMS = c.NowMS
	}
	return last, true
}

// dropDeleted forgets the pending entry id, text when it is told to others, which is no longer in the stream.
func (c *Ctx) dropDeleted(cl *claiming, id stream.ID, text []byte, d stream.Delivery) {
	c.propagateClaim(cl.k, c.Args[2], cl.g, text, d)
	c.Changed(1)
	cl.g.Forget(id)
}

// claim gives the consumer of argument 3 the entry id, text when it is told to others. d is known of it if it is
// pending. It tells whether it does.
func (c *Ctx) claim(cl *claiming, id stream.ID, text []byte, d stream.Delivery, pending bool) (bool, error) {
	switch {
	case !pending && !cl.force, pending && cl.minIdle > 0 && c.NowMS-d.TimeMS() < cl.minIdle:
		return false, nil
	case !cl.known:
		var ok bool
		if cl.who, ok = c.consumer(cl.g, cl.k, c.Args[3]); !ok {
			return false, ErrNoMemory
		}
		cl.known = true
	}
	ok := true
	if !pending {
		d, ok = cl.g.Deliver(id, cl.who.Consumer, cl.timeMS)
	} else {
		ok = cl.g.Assign(id, &d, cl.who.Consumer)
	}
	if !ok {
		return false, ErrNoMemory
	}
	count := d.Count()
	if cl.retries >= 0 {
		count = cl.retries
	} else if !cl.justID {
		count++
	}
	d.Set(cl.timeMS, count)
	cl.who.SetActive(c.NowMS)
	if cl.justID {
		c.replyID(id)
	} else {
		c.replyOne(&cl.v, id)
	}
	c.propagateClaim(cl.k, c.Args[2], cl.g, text, d)
	c.Changed(1)
	return true, nil
}

// mostClaimed bounds COUNT of XAUTOCLAIM as redis does.
const mostClaimed = math.MaxInt64 / 16

func xautoclaim(c *Ctx) {
	c.PropagateNothing()
	c.lookup(&c.Keys[0]) // redis notifies of a miss before it looks at the options
	cl := claiming{retries: -1, timeMS: c.NowMS, k: &c.Keys[0]}
	var ok bool
	if cl.minIdle, ok = c.intArgOr(4, errMinIdleAuto); !ok {
		return
	}
	cl.minIdle = max(cl.minIdle, 0)
	start, ok := c.startIDArg(5)
	if !ok {
		return
	}
	count, ok := c.autoclaimOptions(&cl)
	if !ok {
		return
	}
	e := cl.k.DB.Find(cl.k)
	if e.Exists() {
		if !c.isStream(e) {
			return
		}
		cl.v = openStream(cl.k.DB, e)
		if cl.g, ok = cl.v.Group(c.Args[2]); ok {
			c.autoclaim(&cl, start, count)
			return
		}
	}
	c.Error(errNoGroup(c.Args[1], c.Args[2]))
}

func (c *Ctx) autoclaimOptions(cl *claiming) (count int64, ok bool) {
	count = 100
	for i := 6; i < len(c.Args); i++ {
		switch {
		case c.isOption(i, "COUNT") && i+1 < len(c.Args):
			i++
			if count, ok = c.intArgOr(i, ErrCountOption); !ok {
				return 0, false
			}
			if count < 1 || count > mostClaimed {
				c.Error(ErrCountOption)
				return 0, false
			}
		case c.isOption(i, "JUSTID"):
			cl.justID = true
		default:
			c.Error(ErrSyntax)
			return 0, false
		}
	}
	return count, true
}

// autoclaim claims pending entries from start on. It looks at ten times as many as it may claim.
func (c *Ctx) autoclaim(cl *claiming, start stream.ID, count int64) {
	if c.Long(int(min(attemptsPerEntry*count, int64(cl.g.Pending())))) {
		return
	}
	begin := len(c.Reply.Buf)
	c.Reply.Array(3)
	// The entries are replied after the ID at which the next call goes on, which is known only then.
	cursor := len(c.Reply.Buf)
	header := c.beginArray(int(min(count, int64(cl.g.Pending()))))
	var deleted []stream.ID
	var p stream.Pending
	n, more := 0, false
	cl.g.EachPending(&p, start)
	for attempts := attemptsPerEntry * count; attempts > 0 && count > 0; attempts-- {
		c.Pause(8) // each moves in three trees
		if more = p.Next(); !more {
			break
		}
		id, d := p.ID(), p.Delivery()
		text := id.Append(nil)
		if !cl.v.Contains(id) {
			c.dropDeleted(cl, id, text, d)
			deleted = append(deleted, id)
			count--
			p.Seek(id)
			continue
		}
		claimed, err := c.claim(cl, id, text, d, true)
		if err != nil {
			if c.Uncounted {
				c.dropReply()
			} else {
				c.Reply.Buf = c.Reply.Buf[:begin]
			}
			c.Error(ErrNoMemory)
			return
		}
		if claimed {
			n++
			count--
		}
	}
	next := stream.ID{}
	if more && p.Next() {
		next = p.ID()
	}
	if c.Uncounted {
		var text [maxStreamID]byte
		c.Head = resp.AppendBulk(c.Head, next.Append(text[:0]))
		c.endArray(header, n)
	} else {
		c.Reply.Close(header, n)
		c.insertID(cursor, next)
	}
	c.Reply.Array(len(deleted))
	for _, id := range deleted {
		c.replyID(id)
		c.Pause(1)
	}
}

// insertID puts an ID into the reply, before what has been written from byte at on.
func (c *Ctx) insertID(at int, id stream.ID) {
	end := len(c.Reply.Buf)
	c.replyID(id)
	b := c.Reply.Buf
	var text [64]byte // "$41\r\n", an ID, "\r\n"
	n := copy(text[:], b[end:])
	copy(b[at+n:], b[at:end])
	copy(b[at:], text[:n])
}
