package command

import (
	"bytes"
	"math"
	"strconv"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/stream"
)

var (
	argID        = Arg{Name: "id", Type: ArgString}
	argIDs       = Arg{Name: "id", Type: ArgString, Multiple: true}
	argGroup     = Arg{Name: "group", Type: ArgString}
	argGroupName = Arg{Name: "groupname", Type: ArgString}
	argConsumer  = Arg{Name: "consumer", Type: ArgString}
	argIdle      = Arg{Name: "min-idle-time", Type: ArgString}
	argCount     = Arg{Name: "count", Type: ArgInteger, Token: "COUNT", Optional: true}

	trimArgs = []Arg{
		{Name: "strategy", Type: ArgOneOf, Args: []Arg{
			{Name: "maxlen", Type: ArgPureToken, Token: "MAXLEN"},
			{Name: "minid", Type: ArgPureToken, Token: "MINID", Since: "6.2.0"}}},
		{Name: "operator", Type: ArgOneOf, Optional: true, Args: []Arg{
			{Name: "equal", Type: ArgPureToken, Token: "="},
			{Name: "approximately", Type: ArgPureToken, Token: "~"}}},
		{Name: "threshold", Type: ArgString},
		{Name: "count", Type: ArgInteger, Token: "LIMIT", Optional: true, Since: "6.2.0"},
	}
	streamsArg = Arg{Name: "streams", Type: ArgBlock, Token: "STREAMS", Args: []Arg{
		{Name: "key", Type: ArgKey, Multiple: true}, {Name: "id", Type: ArgString, Multiple: true}}}
)

// StreamCommands are the commands on streams.
var StreamCommands = []Spec{
	{Name: "XACK", Arity: -4, Flags: Write | Fast, ACL: ACLStream, Keys: OneKey(1, RW|Update), Group: GroupStream, Since: "5.0.0",
		Complexity: "O(N) where N is the number of IDs given.",
		Summary:    "Acknowledges entries: they are no longer pending. Replies how many were.",
		Args:       []Arg{argKey, argGroup, argIDs}, Run: xack},
	{Name: "XADD", Arity: -5, Flags: Write | DenyOOM | Fast, ACL: ACLStream,
		Keys: []KeySpec{{Flags: RW | Update, Index: 1, Step: 1,
			Notes: "UPDATE instead of INSERT because of the optional trimming feature"}},
		Group: GroupStream, Since: "5.0.0", Tips: tipsArbitrary,
		Complexity: "O(1), and O(N) where N is the number of entries that trimming removes.",
		Summary:    "Adds an entry to a stream, creating that if there is none.",
		History: []Change{{"6.2.0", "The options `NOMKSTREAM`, `MINID` and `LIMIT`."},
			{"7.0.0", "IDs of the form `<ms>-*`."}},
		Args: []Arg{argKey, {Name: "nomkstream", Type: ArgPureToken, Token: "NOMKSTREAM", Optional: true, Since: "6.2.0"},
			{Name: "trim", Type: ArgBlock, Optional: true, Args: trimArgs},
			{Name: "id_or_auto", Type: ArgOneOf, Args: []Arg{{Name: "auto_id", Type: ArgPureToken, Token: "*"}, argID}},
			{Name: "field_value", Type: ArgBlock, Multiple: true, Args: []Arg{argField, argValue}}}, Run: xadd},
	{Name: "XAUTOCLAIM", Arity: -6, Flags: Write | Fast, ACL: ACLStream, Keys: OneKey(1, RW|Delete), Group: GroupStream,
		Since: "6.2.0", Tips: tipsArbitrary, Complexity: "O(1) if COUNT is small.",
		Summary: "Gives a consumer entries that others have not acknowledged for some time.",
		History: []Change{{"7.0.0", "Replies the IDs of deleted entries, which are no longer pending."}},
		Args: []Arg{argKey, argGroup, argConsumer, argIdle, {Name: "start", Type: ArgString}, argCount,
			{Name: "justid", Type: ArgPureToken, Token: "JUSTID", Optional: true}}, Run: xautoclaim, WakesNobody: true},
	{Name: "XCLAIM", Arity: -6, Flags: Write | Fast, ACL: ACLStream, Keys: OneKey(1, RW|Update), Group: GroupStream,
		Since: "5.0.0", Tips: tipsArbitrary, Complexity: "O(N) where N is the number of IDs given.",
		Summary: "Gives a consumer certain entries as if they had been delivered to it.",
		Args: []Arg{argKey, argGroup, argConsumer, argIdle, argIDs,
			{Name: "ms", Type: ArgInteger, Token: "IDLE", Optional: true},
			{Name: "unix-time-milliseconds", Type: ArgUnixTime, Token: "TIME", Optional: true},
			{Name: "count", Type: ArgInteger, Token: "RETRYCOUNT", Optional: true},
			{Name: "force", Type: ArgPureToken, Token: "FORCE", Optional: true},
			{Name: "justid", Type: ArgPureToken, Token: "JUSTID", Optional: true},
			{Name: "id", Type: ArgString, Token: "LASTID", Optional: true}}, Run: xclaim},
	{Name: "XDEL", Arity: -3, Flags: Write | Fast, ACL: ACLStream, Keys: OneKey(1, RW|Delete), Group: GroupStream, Since: "5.0.0",
		Complexity: "O(N) where N is the number of IDs given.",
		Summary:    "Removes entries and replies how many there were.",
		Args:       []Arg{argKey, argIDs}, Run: xdel},
	xgroupSpec,
	xinfoSpec,
	{Name: "XLEN", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLStream, Keys: OneKey(1, RO), Group: GroupStream, Since: "5.0.0",
		Complexity: "O(1)", Summary: "Counts the entries of a stream.", Args: argOnlyKey, Run: xlen},
	{Name: "XPENDING", Arity: -3, Flags: ReadOnly, ACL: ACLStream, Keys: OneKey(1, RO|Access), Group: GroupStream, Since: "5.0.0",
		Tips:       tipsArbitrary,
		Complexity: "O(N) where N is the number of entries looked at; of consumers, for the summary.",
		Summary:    "Tells which entries are delivered and not acknowledged.",
		History:    []Change{{"6.2.0", "The option `IDLE`, and exclusive ranges."}},
		Args: []Arg{argKey, argGroup, {Name: "filters", Type: ArgBlock, Optional: true, Args: []Arg{
			{Name: "min-idle-time", Type: ArgInteger, Token: "IDLE", Optional: true, Since: "6.2.0"},
			{Name: "start", Type: ArgString}, {Name: "end", Type: ArgString}, {Name: "count", Type: ArgInteger},
			{Name: "consumer", Type: ArgString, Optional: true}}}}, Run: xpending},
	{Name: "XRANGE", Arity: -4, Flags: ReadOnly, ACL: ACLStream, Keys: OneKey(1, RO|Access), Group: GroupStream, Since: "5.0.0",
		Complexity: "O(N) where N is the number of entries replied.",
		Summary:    "Reads the entries in a range of IDs.",
		History:    []Change{{"6.2.0", "Exclusive ranges."}},
		Args:       []Arg{argKey, {Name: "start", Type: ArgString}, {Name: "end", Type: ArgString}, argCount},
		Run:        func(c *Ctx) { c.xrange(false) }},
	{Name: "XREAD", Arity: -4, Flags: ReadOnly | Blocking, ACL: ACLStream, Keys: streamsKeys(1), GetKeys: xreadKeys,
		Group: GroupStream, Since: "5.0.0",
		Complexity: "O(N) where N is the number of entries replied.",
		Summary:    "Reads what streams have beyond given IDs, and can wait for it.",
		Args:       []Arg{argCount, {Name: "milliseconds", Type: ArgInteger, Token: "BLOCK", Optional: true}, streamsArg},
		Run:        xread},
	{Name: "XREADGROUP", Arity: -7, Flags: Write | Blocking, ACL: ACLStream, Keys: streamsKeys(4), GetKeys: xreadKeys,
		Group: GroupStream, Since: "5.0.0",
		Complexity: "O(N) where N is the number of entries replied.",
		Summary:    "Reads, as a consumer of a group, what no consumer has been given yet, or what is pending; it can wait for it.",
		Args: []Arg{{Name: "group_consumer", Type: ArgBlock, Token: "GROUP", Args: []Arg{argGroup, argConsumer}},
			argCount, {Name: "milliseconds", Type: ArgInteger, Token: "BLOCK", Optional: true},
			{Name: "noack", Type: ArgPureToken, Token: "NOACK", Optional: true}, streamsArg},
		Run: xreadgroup, WakesNobody: true},
	{Name: "XREVRANGE", Arity: -4, Flags: ReadOnly, ACL: ACLStream, Keys: OneKey(1, RO|Access), Group: GroupStream, Since: "5.0.0",
		Complexity: "O(N) where N is the number of entries replied.",
		Summary:    "Reads the entries in a range of IDs, the last one first.",
		History:    []Change{{"6.2.0", "Exclusive ranges."}},
		Args:       []Arg{argKey, {Name: "end", Type: ArgString}, {Name: "start", Type: ArgString}, argCount},
		Run:        func(c *Ctx) { c.xrange(true) }},
	{Name: "XSETID", Arity: -3, Flags: Write | DenyOOM | Fast, ACL: ACLStream, Keys: OneKey(1, RW|Update), Group: GroupStream,
		Since: "5.0.0", Complexity: "O(1)",
		Summary: "Sets what a stream knows of its past. Replicas need it.",
		History: []Change{{"7.0.0", "The options `ENTRIESADDED` and `MAXDELETEDID`."}},
		Args: []Arg{argKey, {Name: "last-id", Type: ArgString},
			{Name: "entries_added", Type: ArgInteger, Token: "ENTRIESADDED", Optional: true, Since: "7.0.0"},
			{Name: "max_deleted_entry_id", Type: ArgString, Token: "MAXDELETEDID", Optional: true, Since: "7.0.0"}},
		Run: xsetid},
	{Name: "XTRIM", Arity: -4, Flags: Write, ACL: ACLStream, Keys: OneKey(1, RW|Delete), Group: GroupStream, Since: "5.0.0",
		Tips:       tipsArbitrary,
		Complexity: "O(N) where N is the number of entries removed; whole nodes of entries go at once.",
		Summary:    "Removes entries from the beginning of a stream.",
		History:    []Change{{"6.2.0", "The options `MINID` and `LIMIT`."}},
		Args:       []Arg{argKey, {Name: "trim", Type: ArgBlock, Args: trimArgs}}, Run: xtrim, WakesNobody: true},
}

const (
	errStreamID      Error = "ERR Invalid stream ID specified as stream command argument"
	errStartID       Error = "ERR invalid start ID for the interval"
	errEndID         Error = "ERR invalid end ID for the interval"
	errTrimTwice     Error = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
	errMaxLen        Error = "ERR The MAXLEN argument must be >= 0."
	errLimit         Error = "ERR The LIMIT argument must be >= 0."
	errLimitAlone    Error = "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
	errTrimNothing   Error = "ERR syntax error, XTRIM must be called with a trimming strategy"
	errLimitExact    Error = "ERR syntax error, LIMIT cannot be used without the special ~ option"
	errZeroID        Error = "ERR The ID specified in XADD must be greater than 0-0"
	errLastID        Error = "ERR The stream has exhausted the last possible ID, unable to add more items"
	errSmallID       Error = "ERR The ID specified in XADD is equal or smaller than the target stream top item"
	errLargeEntry    Error = "ERR Elements are too large to be stored"
	errEntriesAdded  Error = "ERR entries_added must be positive"
	errMaxDeleted    Error = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
	errSetIDTop      Error = "ERR The ID specified in XSETID is smaller than the target stream top item"
	errSetIDAddedLen Error = "ERR The entries_added specified in XSETID is smaller than the target stream length"
)

// isStream tells whether e, which exists, is a stream. If not, it replies with ErrWrongType.
func (c *Ctx) isStream(e shard.Entry) bool { return e.Type() == types.Stream || c.refuseType() }

func openStream(db *shard.DB, e shard.Entry) stream.Value { return stream.Open(db.Space(), db.Root(e)) }

// readStream opens the stream of the command's key for reading. exists is false if there is none; ok is false if the key
// holds something else, which is replied then.
func (c *Ctx) readStream() (v stream.Value, exists, ok bool) {
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		return v, false, true
	}
	if !c.isStream(e) {
		return v, true, false
	}
	return openStream(k.DB, e), true, true
}

// writeStream is readStream for a command that changes the stream.
func (c *Ctx) writeStream() (v stream.Value, exists, ok bool) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		return v, false, true
	}
	if !c.isStream(e) {
		return v, true, false
	}
	return openStream(k.DB, e), true, true
}

// maxStreamID is how many bytes an ID takes as text at most; what is longer than redis' buffer is none.
const (
	maxStreamID   = 41
	longestIDText = 127
)

// replyID replies with an ID.
func (c *Ctx) replyID(id stream.ID) {
	var buf [maxStreamID]byte
	c.Reply.Bulk(id.Append(buf[:0]))
}

// idForm says what an argument may be besides <ms> and <ms>-<seq>.
type idForm uint8

const (
	idSpecial idForm = 1 << iota // - and +, the least and the greatest ID
	idAuto                       // <ms>-*
)

// parseID parses an ID; seq is what it has if it does not say. auto tells that it is <ms>-*.
func parseID(text []byte, seq uint64, form idForm) (id stream.ID, auto, ok bool) {
	if len(text) > longestIDText {
		return id, false, false
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	if len(text) == 1 && form&idSpecial != 0 {
		switch text[0] {
		case '-':
			return stream.ID{}, false, true
		case '+':
			return stream.MaxID, false, true
		}
	}
	ms, rest, dash := bytes.Cut(text, []byte{'-'})
	id.Seq = seq
	switch {
	case !dash:
	case form&idAuto != 0 && len(rest) == 1 && rest[0] == '*':
		id.Seq, auto = 0, true
	default:
		if id.Seq, ok = parseIDPart(rest); !ok {
			return id, false, false
		}
	}
	id.MS, ok = parseIDPart(ms)
	return id, auto, ok
}

// parseIDPart parses half an ID. What is no canonical integer is read as strtoull(3) does.
func parseIDPart(b []byte) (uint64, bool) {
	if len(b) > 0 && len(b) < 19 && (b[0] != '0' || len(b) == 1) {
		n := uint64(0)
		for _, d := range b {
			if d -= '0'; d > 9 {
				return parseIDPartSlow(b)
			}
			n = n*10 + uint64(d)
		}
		return n, true
	}
	return parseIDPartSlow(b)
}

func parseIDPartSlow(b []byte) (uint64, bool) {
	if n, ok := shard.ParseInt(b); ok {
		return uint64(n), n >= 0
	}
	b = bytes.TrimLeft(b, " \t\n\v\f\r")
	negative := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 || b[0] < '0' || b[0] > '9' { // ParseUint would take a sign
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

// idArg returns argument i, an ID that is not - or +, with a sequence number of 0 if it has none.
func (c *Ctx) idArg(i int) (stream.ID, bool) {
	id, _, ok := parseID(c.Args[i], 0, 0)
	if !ok {
		c.Error(errStreamID)
	}
	return id, ok
}

// idArgs checks that all arguments from first on are IDs, so that a command does all of its work or none.
func (c *Ctx) idArgs(first int) bool {
	for i := first; i < len(c.Args); i++ {
		if _, ok := c.idArg(i); !ok {
			return false
		}
	}
	return true
}

// startIDArg returns argument i, the beginning of a range of IDs.
func (c *Ctx) startIDArg(i int) (stream.ID, bool) {
	id, open, ok := c.boundArg(i, 0)
	if ok && open {
		if id, ok = id.Next(); !ok {
			c.Error(errStartID)
		}
	}
	return id, ok
}

// endIDArg returns argument i, the end of a range of IDs.
func (c *Ctx) endIDArg(i int) (stream.ID, bool) {
	id, open, ok := c.boundArg(i, math.MaxUint64)
	if ok && open {
		if id, ok = id.Prev(); !ok {
			c.Error(errEndID)
		}
	}
	return id, ok
}

// boundArg returns argument i, an end of a range; open tells that the range does not have it.
func (c *Ctx) boundArg(i int, seq uint64) (id stream.ID, open, ok bool) {
	text, form := c.Args[i], idSpecial
	if open = len(text) > 1 && text[0] == '('; open {
		text, form = text[1:], 0
	}
	if id, _, ok = parseID(text, seq, form); !ok {
		c.Error(errStreamID)
	}
	return id, open, ok
}

// addOptions are the options of XADD and XTRIM.
type addOptions struct {
	trim       stream.Trim
	trims      bool
	trimAt     int // argument of the threshold
	noMkStream bool

	idAt    int // argument of the ID; that of *, if id is to be generated
	id      stream.ID
	autoID  bool
	autoSeq bool
}

// addOptions parses the options from argument 2 on, and for XADD the ID, after which they end.
func (c *Ctx) addOptions(add bool) (o addOptions, ok bool) {
	o.autoID = true
	limited := false
	i := 2
scan:
	for ; i < len(c.Args); i++ {
		more := i+1 < len(c.Args)
		arg := c.Args[i]
		switch {
		case add && len(arg) == 1 && arg[0] == '*':
			break scan
		case more && (EqualFold(arg, "MAXLEN") || EqualFold(arg, "MINID")):
			if i, ok = c.trimOption(i, &o); !ok {
				return o, false
			}
		case more && EqualFold(arg, "LIMIT"):
			i++
			if o.trim.Limit, ok = c.intArg(i); !ok {
				return o, false
			}
			if o.trim.Limit < 0 {
				c.Error(errLimit)
				return o, false
			}
			limited = true
		case add && EqualFold(arg, "NOMKSTREAM"):
			o.noMkStream = true
		case add:
			if o.id, o.autoSeq, ok = parseID(arg, 0, idAuto); !ok {
				c.Error(errStreamID)
				return o, false
			}
			o.autoID = false
			break scan
		default:
			c.Error(ErrSyntax)
			return o, false
		}
	}
	o.idAt = i
	return o, c.finishTrim(&o, add, limited)
}

// trimOption parses MAXLEN or MINID at argument i, which another one follows. It returns the last argument read.
func (c *Ctx) trimOption(i int, o *addOptions) (last int, ok bool) {
	if o.trims {
		c.Error(errTrimTwice)
		return i, false
	}
	o.trims, o.trim.ByID = true, EqualFold(c.Args[i], "MINID")
	i++
	if a := c.Args[i]; i+1 < len(c.Args) && len(a) == 1 && (a[0] == '~' || a[0] == '=') {
		o.trim.Approx = a[0] == '~'
		i++
	}
	o.trimAt = i
	if o.trim.ByID {
		o.trim.MinID, ok = c.idArg(i)
		return i, ok
	}
	n, ok := c.intArg(i)
	if ok && n < 0 {
		c.Error(errMaxLen)
		ok = false
	}
	o.trim.MaxLen = uint64(n)
	return i, ok
}

// nodesToTrim is how many nodes an approximate trim removes at most unless it is told, and the limits of the entries in these.
const (
	nodesToTrim   = 100
	entriesToTrim = 10_000
	mostToTrim    = 1_000_000
)

// finishTrim checks that LIMIT goes with the other options, and supplies its default.
func (c *Ctx) finishTrim(o *addOptions, add, limited bool) bool {
	t := &o.trim
	switch {
	case t.Limit != 0 && !o.trims:
		c.Error(errLimitAlone)
		return false
	case !add && !o.trims:
		c.Error(errTrimNothing)
		return false
	case c.Loading: // an approximate trim is written as the exact one that it came to, with its LIMIT
		t.Limit = 0
	case limited && !t.Approx:
		c.Error(errLimitExact)
		return false
	case !limited && t.Approx:
		if t.Limit = nodesToTrim * int64(c.Env.Limits.StreamNodeEntries); t.Limit <= 0 {
			t.Limit = entriesToTrim
		}
		t.Limit = min(t.Limit, mostToTrim)
	}
	return true
}

func xadd(c *Ctx) {
	o, ok := c.addOptions(true)
	if !ok {
		return
	}
	if pairs := len(c.Args) - o.idAt - 1; pairs < 2 || pairs&1 != 0 {
		c.Error(c.Spec.ErrArity())
		return
	}
	if !o.autoID && !o.autoSeq && o.id.IsZero() {
		c.Error(errZeroID)
		return
	}
	v, exists, ok := c.writeStream()
	if !ok {
		return
	}
	if !exists {
		if o.noMkStream {
			c.Reply.Null()
			return
		}
		c.xaddNew(&o)
		return
	}
	if id, ok := c.addEntry(&v, &o); ok {
		c.xadded(&v, &o, id)
		c.Ready(&c.Keys[0])
	}
}

// xaddNew adds an entry to a stream that does not exist yet.
func (c *Ctx) xaddNew(o *addOptions) {
	k := &c.Keys[0]
	v, ok := stream.New(k.DB.Space())
	if !ok {
		c.Error(ErrNoMemory)
		return
	}
	id, ok := c.addEntry(&v, o)
	if !ok {
		k.DB.FreeRoot(v.Root())
		return
	}
	if c.addStream(k, &v) {
		c.xadded(&v, o, id)
	}
}

// addStream gives k, which is free, the stream v.
func (c *Ctx) addStream(k *shard.Key, v *stream.Value) bool {
	c.notifyNew(k)
	return c.addValue(k, v.Root())
}

// addEntry adds the entry of an XADD to v and returns its ID, or replies with an error.
func (c *Ctx) addEntry(v *stream.Value, o *addOptions) (stream.ID, bool) {
	last := v.Last()
	if last == stream.MaxID {
		c.Error(errLastID)
		return last, false
	}
	id := o.id
	switch {
	case o.autoID && uint64(c.NowMS) > last.MS:
		id = stream.ID{MS: uint64(c.NowMS)}
	case o.autoID:
		id, _ = last.Next()
	case o.autoSeq && id.MS == last.MS:
		id.Seq = last.Seq + 1 // 0 if there is none left
	}
	if !last.Less(id) {
		c.Error(errSmallID)
		return id, false
	}
	pairs := c.Args[o.idAt+1:]
	size := 0
	for _, p := range pairs {
		size += len(p)
	}
	if size > stream.MaxEntry {
		c.Error(errLargeEntry)
		return id, false
	}
	if v.Append(c.Env.Limits, id, pairs) != nil {
		c.Error(ErrNoMemory)
		return id, false
	}
	return id, true
}

// xadded replies to an XADD that has added id, trims, and tells others.
func (c *Ctx) xadded(v *stream.Value, o *addOptions, id stream.ID) {
	k := &c.Keys[0]
	k.DB.Modified(k)
	c.replyID(id)
	c.Changed(1)
	c.Notify(NotifyStream, "xadd", k.Name)
	if o.trims && v.Trim(o.trim) > 0 {
		c.Notify(NotifyStream, "xtrim", k.Name)
	}
	if c.Journaling() && (o.autoID || o.autoSeq || o.trim.Approx) {
		args := c.exactTrim(v, o)
		if o.autoID || o.autoSeq {
			args[o.idAt] = id.Append(nil)
		}
		c.Propagate(c.DB, args...)
	}
}

// exactTrim returns the arguments of the command with what an approximate trim has come to.
func (c *Ctx) exactTrim(v *stream.Value, o *addOptions) [][]byte {
	args := append([][]byte(nil), c.Args...)
	if o.trim.Approx {
		args[o.trimAt-1] = []byte("=")
		if o.trim.ByID {
			args[o.trimAt] = v.Edge().Append(nil)
		} else {
			args[o.trimAt] = shard.AppendInt(nil, int64(v.Len()))
		}
	}
	return args
}

func xtrim(c *Ctx) {
	o, ok := c.addOptions(false)
	if !ok {
		return
	}
	v, exists, ok := c.writeStream()
	if !ok {
		return
	}
	if !exists {
		c.Reply.Int(0)
		return
	}
	n, long := c.trim(&v, o.trim)
	if long {
		return
	}
	if n > 0 {
		c.Keys[0].DB.Modified(&c.Keys[0])
		c.Notify(NotifyStream, "xtrim", c.Keys[0].Name)
		c.Changed(int(n))
		if o.trim.Approx && c.Journaling() {
			c.Propagate(c.DB, c.exactTrim(&v, &o)...)
		}
	}
	c.Reply.Int(n)
}

// trim trims v, with a pause now and then if that is many entries. If long is true, it is about to begin with that.
func (c *Ctx) trim(v *stream.Value, t stream.Trim) (removed int64, long bool) {
	most := v.Len()
	if !t.ByID {
		most -= int(min(t.MaxLen, uint64(most)))
	}
	if t.Limit == 0 && c.Long(most/nodeElements) {
		return 0, true
	}
	const few = 20_000
	for c.Yield != nil {
		part := t
		part.Approx, part.Limit = true, few
		n := v.Trim(part)
		if n == 0 {
			break
		}
		removed += n
		c.Pause(int(n))
	}
	return removed + v.Trim(t), false
}

func xlen(c *Ctx) {
	v, exists, ok := c.readStream()
	switch {
	case !ok:
	case !exists:
		c.Reply.Int(0)
	default:
		c.Reply.Int(int64(v.Len()))
	}
}

// xrange is XRANGE, or XREVRANGE.
func (c *Ctx) xrange(rev bool) {
	startAt, endAt := 2, 3
	if rev {
		startAt, endAt = 3, 2
	}
	start, ok := c.startIDArg(startAt)
	if !ok {
		return
	}
	end, ok := c.endIDArg(endAt)
	if !ok {
		return
	}
	count := int64(-1)
	for i := 4; i < len(c.Args); i += 2 {
		if !c.isOption(i, "COUNT") || i+1 == len(c.Args) {
			c.Error(ErrSyntax)
			return
		}
		if count, ok = c.intArg(i + 1); !ok {
			return
		}
		count = max(count, 0)
	}
	v, exists, ok := c.readStream()
	switch {
	case !ok:
	case !exists:
		c.Reply.Array(0)
	case count == 0:
		c.Reply.NullArray()
	default:
		c.replyRange(&v, start, end, max(count, 0), rev, true)
	}
}

// replyRange replies with an array of the entries from start to end, at most count of them unless that is 0. If that is
// all that the command does, and they prove to be very many, it begins anew and in steps.
func (c *Ctx) replyRange(v *stream.Value, start, end stream.ID, count int64, rev, all bool) {
	at := len(c.Reply.Buf)
	guess := int64(v.Len())
	if count > 0 {
		guess = min(guess, count)
	}
	header := c.beginArray(int(guess))
	var it stream.Iter
	n := int64(0)
	for v.Range(&it, start, end, rev); (count == 0 || n < count) && it.Next(); n++ {
		if n == longElements && all && c.Long(longElements) {
			c.Reply.Buf = c.Reply.Buf[:at]
			return
		}
		c.replyEntry(&it)
		c.Pause(1)
	}
	c.endArray(header, int(n))
}

// countRange returns how many entries there are from start on, if it is not more than most.
func (c *Ctx) countRange(v *stream.Value, start stream.ID, most int64) (n int64) {
	var it stream.Iter
	for v.Range(&it, start, stream.MaxID, false); n < most && it.Next(); n++ {
		c.Pause(1)
	}
	return n
}

// replyEntry replies with an entry: its ID, and fields and values.
func (c *Ctx) replyEntry(it *stream.Iter) {
	c.Reply.Array(2)
	c.replyID(it.ID())
	n := it.Len()
	c.Reply.Array(2 * n)
	for range n {
		field, value := it.Field()
		c.bulkElement(field)
		c.bulkElement(value)
	}
}

// replyOne replies with the entry id, and tells whether there is one.
func (c *Ctx) replyOne(v *stream.Value, id stream.ID) bool {
	var it stream.Iter
	v.Range(&it, id, id, false)
	if !it.Next() {
		return false
	}
	c.replyEntry(&it)
	return true
}

func xdel(c *Ctx) {
	v, exists, ok := c.writeStream()
	if !ok {
		return
	}
	if !exists {
		c.Reply.Int(0)
		return
	}
	if !c.idArgs(2) {
		return
	}
	n := 0
	var err error
	for _, arg := range c.Args[2:] {
		id, _, _ := parseID(arg, 0, 0)
		var was bool
		if was, err = v.Delete(id); err != nil {
			break
		}
		if was {
			n++
		}
	}
	if n > 0 {
		c.Keys[0].DB.Modified(&c.Keys[0])
		c.Notify(NotifyStream, "xdel", c.Keys[0].Name)
		c.Changed(n)
	}
	if err != nil {
		c.Error(ErrNoMemory)
		return
	}
	c.Reply.Int(int64(n))
}

func xsetid(c *Ctx) {
	id, ok := c.idArg(2)
	if !ok {
		return
	}
	added, deleted := int64(-1), stream.ID{}
	for i := 3; i < len(c.Args); i += 2 {
		more := i+1 < len(c.Args)
		switch {
		case more && c.isOption(i, "ENTRIESADDED"):
			if added, ok = c.intArg(i + 1); !ok {
				return
			}
			if added < 0 {
				c.Error(errEntriesAdded)
				return
			}
		case more && c.isOption(i, "MAXDELETEDID"):
			if deleted, ok = c.idArg(i + 1); !ok {
				return
			}
			if id.Less(deleted) {
				c.Error(errMaxDeleted)
				return
			}
		default:
			c.Error(ErrSyntax)
			return
		}
	}
	v, exists, ok := c.writeStream()
	if !ok {
		return
	}
	if !exists {
		c.Error(ErrNoKey)
		return
	}
	c.setID(&v, id, added, deleted)
}

// setID does what XSETID says, unless it contradicts the entries that there are.
func (c *Ctx) setID(v *stream.Value, id stream.ID, added int64, deleted stream.ID) {
	if last, ok := v.LastEntry(); ok {
		if id.Less(last) {
			c.Error(errSetIDTop)
			return
		}
		if added != -1 && int64(v.Len()) > added {
			c.Error(errSetIDAddedLen)
			return
		}
	}
	v.SetLast(id)
	if added != -1 {
		v.SetAdded(uint64(added))
	}
	if !deleted.IsZero() {
		v.SetMaxDeleted(deleted)
	}
	c.Reply.OK()
	c.Changed(1)
	c.Notify(NotifyStream, "xsetid", c.Keys[0].Name)
}
