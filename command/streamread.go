package command

import (
	"math"
	"time"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types/stream"
)

const (
	errUnbalanced Error = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
	errGroupOnly  Error = "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
	errNoAckOnly  Error = "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
	errNoGroupOpt Error = "ERR Missing GROUP option for XREADGROUP"
	errDollar     Error = "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by " +
		"specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
	errGreater    Error = "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
	errGroupGone  Error = "NOGROUP the consumer group this client was blocked on no longer exists"
	errStreamGone Error = "UNBLOCKED the stream key no longer exists"
)

// streamsKeys is the key specification of XREAD and XREADGROUP: the first half of what follows STREAMS.
func streamsKeys(from int) []KeySpec {
	return []KeySpec{{Flags: RO | Access, Keyword: "STREAMS", StartFrom: from, Last: -1, Step: 1, Limit: 2}}
}

// xreadKeys finds the keys of XREAD and XREADGROUP: a group, consumer or key may be called STREAMS, too.
func xreadKeys(args [][]byte, dst []int) ([]int, error) {
	at := streamsAt(args)
	n := len(args) - at - 1
	if at == 0 || n&1 != 0 {
		return dst, nil
	}
	for i := range n / 2 {
		dst = append(dst, at+1+i)
	}
	return dst, nil
}

// streamsAt returns the argument STREAMS, or 0 if an unknown option stands before it.
func streamsAt(args [][]byte) int {
	for i := 1; i < len(args); i++ {
		switch {
		case EqualFold(args[i], "BLOCK"), EqualFold(args[i], "COUNT"):
			i++
		case EqualFold(args[i], "GROUP"):
			i += 2
		case EqualFold(args[i], "NOACK"):
		case EqualFold(args[i], "STREAMS"):
			return i
		default:
			return 0
		}
	}
	return 0
}

// reading is an XREAD or XREADGROUP.
type reading struct {
	group    []byte // nil: XREAD
	consumer []byte
	count    int64 // 0: any number
	noAck    bool
	blocks   bool
	timeout  time.Duration
	idsAt    int // argument of the first ID
}

// waitingCount is how many entries a client gets that has waited, unless it says how many.
const waitingCount = 1000

func xread(c *Ctx) { c.xread(false) }

// xreadgroup is propagated as what it does to the group: XCLAIM for each entry that it delivers.
func xreadgroup(c *Ctx) {
	c.PropagateNothing()
	c.xread(true)
}

func (c *Ctx) xread(grouped bool) {
	r, ok := c.readOptions(grouped)
	if !ok {
		return
	}
	if c.Woken != nil {
		c.xreadWoken(&r)
		return
	}
	for i := range c.Keys {
		if !c.checkReading(&r, i) {
			return
		}
	}
	switch n, much := c.toServe(&r); {
	case n > 0 && c.Long(much):
	case n > 0:
		c.serveStreams(&r, n)
	case r.blocks:
		c.waitForStreams(&r)
	default:
		c.Reply.NullArray()
	}
}

// toServe returns of how many streams there is something to be read, and of how many entries at least where these are very many.
func (c *Ctx) toServe(r *reading) (n, much int) {
	few := int64(longElements / len(c.Keys))
	for i := range c.Keys {
		k := &c.Keys[i]
		e := c.lookup(k)
		if !e.Exists() {
			continue
		}
		v := openStream(k.DB, e)
		after, history, ok := c.toRead(r, &v, i)
		if !ok {
			continue
		}
		n++
		if c.Lengthen != nil && int64(v.Len()) >= few && (r.count == 0 || r.count >= few) && !history {
			start, _ := after.Next()
			much += int(c.countRange(&v, start, longElements))
		} else if c.Lengthen != nil && history {
			much += c.historyLen(r, &v)
		}
	}
	return n, much
}

// historyLen returns how many entries the consumer has pending, as far as they may be asked for.
func (c *Ctx) historyLen(r *reading, v *stream.Value) int {
	g, _ := v.Group(r.group)
	who, ok := g.Consumer(r.consumer)
	switch {
	case !ok:
		return 0
	case r.count > 0:
		return int(min(int64(who.Pending()), r.count))
	}
	return who.Pending()
}

// serveStreams replies with what there is of n streams. What a group is given is replied when all is done, as there may
// not be memory for it.
func (c *Ctx) serveStreams(r *reading, n int) {
	begin := len(c.Reply.Buf)
	if c.Yield != nil && r.group != nil {
		c.beginUncounted()
	}
	c.beginStreams(n)
	for i := range c.Keys {
		k := &c.Keys[i]
		e := k.DB.Find(k)
		if !e.Exists() {
			continue
		}
		v := openStream(k.DB, e)
		after, history, ok := c.toRead(r, &v, i)
		if ok && !c.serveStream(r, &v, k, after, history) {
			if c.Uncounted {
				c.dropReply()
			} else {
				c.Reply.Buf = c.Reply.Buf[:begin]
			}
			c.Error(ErrNoMemory)
			return
		}
	}
	if r.group != nil {
		c.Uncounted = false
	}
}

// readOptions parses the options, up to the IDs.
func (c *Ctx) readOptions(grouped bool) (r reading, ok bool) {
	for i := 1; i < len(c.Args); i++ {
		more := len(c.Args) - i - 1
		switch {
		case more > 0 && c.isOption(i, "BLOCK"):
			i++
			if r.timeout, ok = c.TimeoutArgMS(i); !ok {
				return r, false
			}
			r.blocks = true
		case more > 0 && c.isOption(i, "COUNT"):
			i++
			if r.count, ok = c.intArg(i); !ok {
				return r, false
			}
			r.count = max(r.count, 0)
		case more > 0 && c.isOption(i, "STREAMS"):
			if more&1 != 0 {
				c.Error(errUnbalanced)
				return r, false
			}
			r.idsAt = i + 1 + more/2
			i = len(c.Args)
		case more > 1 && c.isOption(i, "GROUP"):
			if !grouped {
				c.Error(errGroupOnly)
				return r, false
			}
			r.group, r.consumer = c.Args[i+1], c.Args[i+2]
			i += 2
		case c.isOption(i, "NOACK"):
			if !grouped {
				c.Error(errNoAckOnly)
				return r, false
			}
			r.noAck = true
		default:
			c.Error(ErrSyntax)
			return r, false
		}
	}
	switch {
	case r.idsAt == 0 || len(c.Keys) != len(c.Args)-r.idsAt:
		c.Error(ErrSyntax)
		return r, false
	case grouped && r.group == nil:
		c.Error(errNoGroupOpt)
		return r, false
	}
	return r, true
}

// isWord tells whether argument i is the one byte b.
func (c *Ctx) isWord(i int, b byte) bool { return len(c.Args[i]) == 1 && c.Args[i][0] == b }

// checkReading tells whether stream i and its ID can be read, or replies with an error.
func (c *Ctx) checkReading(r *reading, i int) bool {
	k := &c.Keys[i]
	e := c.lookup(k)
	if e.Exists() && !c.isStream(e) {
		return false
	}
	if r.group != nil {
		found := false
		if e.Exists() {
			v := openStream(k.DB, e)
			_, found = v.Group(r.group)
		}
		if !found {
			c.Error(errNoGroup(k.Name, r.group) + " in XREADGROUP with GROUP option")
			return false
		}
	}
	at := r.idsAt + i
	switch {
	case c.isWord(at, '$'):
		if r.group != nil {
			c.Error(errDollar)
			return false
		}
	case c.isWord(at, '>'):
		if r.group == nil {
			c.Error(errGreater)
			return false
		}
	default:
		_, ok := c.idArg(at)
		return ok
	}
	return true
}

// errNoGroup says that the key or its group does not exist.
func errNoGroup(key, group []byte) Error {
	return "NOGROUP No such key '" + Error(cString(key)) + "' or consumer group '" + Error(cString(group)) + "'"
}

// toRead returns the ID after which stream i is to be read, and whether that is what the consumer has pending. ok is
// false if there is nothing to be read.
func (c *Ctx) toRead(r *reading, v *stream.Value, i int) (after stream.ID, history, ok bool) {
	at := r.idsAt + i
	switch {
	case r.group == nil && c.isWord(at, '$'):
		return after, false, false
	case r.group == nil:
		after, _, _ = parseID(c.Args[at], 0, 0)
	case c.isWord(at, '>'):
		g, _ := v.Group(r.group)
		after = g.Last()
	default:
		after, _, _ = parseID(c.Args[at], 0, 0)
		if after != stream.MaxID {
			return after, true, true
		}
		g, _ := v.Group(r.group) // redis keeps > as this ID
		after = g.Last()
	}
	last, ok := v.LastEntry()
	return after, false, ok && after.Less(last)
}

// beginStreams begins the reply of n streams: RESP3 has a map of them, RESP2 an array of pairs.
func (c *Ctx) beginStreams(n int) {
	if c.Reply.Proto == 2 {
		c.Reply.Array(n)
		return
	}
	c.Reply.Map(n)
}

// serveStream replies with what v has after an ID. It reports false if there is no memory.
func (c *Ctx) serveStream(r *reading, v *stream.Value, k *shard.Key, after stream.ID, history bool) bool {
	if c.Reply.Proto == 2 {
		c.Reply.Array(2)
	}
	c.Reply.Bulk(k.Name)
	start, _ := after.Next() // 0-0 after the last ID, as in redis
	if r.group == nil {
		c.replyRange(v, start, stream.MaxID, r.count, false, false)
		return true
	}
	c.Changed(1)
	g, _ := v.Group(r.group)
	who, ok := c.consumer(g, k, r.consumer)
	switch {
	case !ok:
		return false
	case who.created && r.noAck && c.Journaling():
		c.Propagate(c.DB, wordXGroup, wordCreateConsumer, k.Name, r.group, r.consumer)
	}
	if history {
		c.replyPending(v, who.Consumer, start, r.count)
		return true
	}
	return c.deliver(r, v, k, g, who.Consumer, start)
}

// beginCounted is beginArray within a reply that is kept already: count then counts the elements.
func (c *Ctx) beginCounted(guess int, count func() int64) resp.Deferred {
	if c.Yield == nil {
		return c.Reply.DeferArray(guess)
	}
	c.Reply.Array(int(count()))
	return resp.Deferred{}
}

func (c *Ctx) endCounted(d resp.Deferred, n int64) {
	if c.Yield == nil {
		c.Reply.Close(d, int(n))
	}
}

// deliver replies with the entries from start on and gives them to the consumer.
func (c *Ctx) deliver(r *reading, v *stream.Value, k *shard.Key, g stream.Group, who stream.Consumer, start stream.ID) bool {
	most := r.count
	if most == 0 {
		most = math.MaxInt64
	}
	header := c.beginCounted(int(min(r.count, int64(v.Len()))), func() int64 { return c.countRange(v, start, most) })
	var it stream.Iter
	n, advanced := int64(0), false
	for v.Range(&it, start, stream.MaxID, false); n < most && it.Next(); n++ {
		c.Pause(1)
		id := it.ID()
		beyond := v.Advance(g, id)
		advanced = advanced || beyond
		c.replyEntry(&it)
		if r.noAck {
			continue
		}
		d, ok := c.give(g, who, id)
		if !ok {
			return false
		}
		if c.Journaling() {
			c.propagateClaim(k, r.group, g, id.Append(nil), d)
		}
	}
	if n > 0 {
		who.SetActive(c.NowMS)
	}
	if r.noAck && advanced {
		c.propagateGroupID(k, r.group, g)
	}
	c.endCounted(header, n)
	return true
}

// give makes the entry id pending with a consumer, whoever had it, as delivered for the first time.
func (c *Ctx) give(g stream.Group, who stream.Consumer, id stream.ID) (stream.Delivery, bool) {
	d, ok := g.Delivery(id)
	if !ok {
		return g.Deliver(id, who, c.NowMS)
	}
	if !g.Assign(id, &d, who) {
		return d, false
	}
	d.Set(c.NowMS, 1)
	return d, true
}

// replyPending replies with the entries that a consumer has pending from start on, and counts that as a delivery.
func (c *Ctx) replyPending(v *stream.Value, who stream.Consumer, start stream.ID, count int64) {
	if count == 0 {
		count = math.MaxInt64
	}
	var p stream.Pending
	header := c.beginCounted(who.Pending(), func() (n int64) {
		for who.EachPending(&p, start); n < count && p.Next(); n++ {
			c.Pause(1)
		}
		return n
	})
	n := int64(0)
	for who.EachPending(&p, start); n < count && p.Next(); n++ {
		c.Pause(1)
		if c.replyOne(v, p.ID()) {
			d := p.Delivery()
			d.Set(c.NowMS, d.Count()+1)
			continue
		}
		c.Reply.Array(2) // the entry has been deleted
		c.replyID(p.ID())
		c.Reply.NullArray()
	}
	c.endCounted(header, n)
}

// waitForStreams makes the client wait for the streams. $ becomes the ID that it stands for now.
func (c *Ctx) waitForStreams(r *reading) {
	args := c.Args
	for i := range c.Keys {
		at := r.idsAt + i
		if r.group != nil || !c.isWord(at, '$') {
			continue
		}
		if &args[0] == &c.Args[0] {
			args = append([][]byte(nil), c.Args...)
		}
		var last stream.ID
		k := &c.Keys[i]
		if e := k.DB.Find(k); e.Exists() {
			v := openStream(k.DB, e)
			last = v.Last()
		}
		args[at] = last.Append(nil)
	}
	w := Waiting{Args: args, Keys: c.Keys, Timeout: r.timeout, Expired: (*resp.Writer).NullArray}
	if r.group != nil {
		w.Lost = errStreamGone
	}
	c.WaitFor(w)
}

// xreadWoken serves a client that has waited, with what the stream that has become ready has, or lets it wait on.
func (c *Ctx) xreadWoken(r *reading) {
	if r.count == 0 {
		r.count = waitingCount
	}
	for i := range c.Keys {
		if !c.Tries(i) {
			continue
		}
		k := &c.Keys[i]
		v := openStream(k.DB, k.DB.Lookup(k)) // it is a stream, or nobody would be woken
		after := stream.ID{}
		if r.group == nil {
			after, _, _ = parseID(c.Args[r.idsAt+i], 0, 0)
		} else {
			g, ok := v.Group(r.group)
			if !ok {
				c.Error(errGroupGone)
				return
			}
			after = g.Last()
		}
		if after.Less(v.Last()) {
			begin := len(c.Reply.Buf)
			c.beginStreams(1)
			if !c.serveStream(r, &v, k, after, false) {
				c.Reply.Buf = c.Reply.Buf[:begin]
				c.Error(ErrNoMemory)
			}
			return
		}
	}
	c.waitForStreams(r)
}

// knownConsumer is a consumer that may have been created for this command.
type knownConsumer struct {
	stream.Consumer
	created bool
}

// consumer returns the consumer called name, which is created if there is none. ok is false if there is no memory for it.
func (c *Ctx) consumer(g stream.Group, k *shard.Key, name []byte) (who knownConsumer, ok bool) {
	if who.Consumer, ok = g.Consumer(name); ok {
		who.SetSeen(c.NowMS)
		return who, true
	}
	if who.Consumer, ok = g.AddConsumer(name, c.NowMS); !ok {
		return who, false
	}
	who.created = true
	c.Changed(1)
	c.Notify(NotifyStream, "xgroup-createconsumer", k.Name)
	return who, true
}

// Words of commands as they are propagated.
var (
	wordXClaim         = []byte("XCLAIM")
	wordXGroup         = []byte("XGROUP")
	wordSetID          = []byte("SETID")
	wordCreateConsumer = []byte("CREATECONSUMER")
	wordEntriesRead    = []byte("ENTRIESREAD")
	wordZero           = []byte("0")
	wordTime           = []byte("TIME")
	wordRetryCount     = []byte("RETRYCOUNT")
	wordForce          = []byte("FORCE")
	wordJustID         = []byte("JUSTID")
	wordLastID         = []byte("LASTID")
)

// propagateClaim tells who has the entry id, as text, now, and how far the group is.
func (c *Ctx) propagateClaim(k *shard.Key, group []byte, g stream.Group, id []byte, d stream.Delivery) {
	if c.Journaling() {
		c.Propagate(c.DB, wordXClaim, k.Name, group, d.Consumer().Name(), wordZero, id,
			wordTime, shard.AppendInt(nil, d.TimeMS()), wordRetryCount, shard.AppendInt(nil, d.Count()),
			wordForce, wordJustID, wordLastID, g.Last().Append(nil))
	}
}

// propagateGroupID tells how far the group is.
func (c *Ctx) propagateGroupID(k *shard.Key, group []byte, g stream.Group) {
	if c.Journaling() {
		c.Propagate(c.DB, wordXGroup, wordSetID, k.Name, group, g.Last().Append(nil), wordEntriesRead,
			shard.AppendInt(nil, g.Read()))
	}
}
