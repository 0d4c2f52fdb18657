package command

import (
	"math"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// Arguments that many commands have.
var (
	argKey   = Arg{Name: "key", Type: ArgKey}
	argValue = Arg{Name: "value", Type: ArgString}
)

// argExpiration is an option that sets a time to live, or does what last says.
func argExpiration(last Arg) Arg {
	return Arg{Name: "expiration", Type: ArgOneOf, Optional: true, Args: []Arg{
		{Name: "seconds", Type: ArgInteger, Token: "EX"},
		{Name: "milliseconds", Type: ArgInteger, Token: "PX"},
		{Name: "unix-time-seconds", Type: ArgUnixTime, Token: "EXAT"},
		{Name: "unix-time-milliseconds", Type: ArgUnixTime, Token: "PXAT"},
		last,
	}}
}

// StringCommands are the commands on strings.
var StringCommands = []Spec{
	{Name: "APPEND", Arity: 3, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Insert), Group: GroupString, Since: "2.0.0",
		Complexity: "O(1) amortized while the appended values are small: room grows with the value.",
		Summary:    "Adds bytes to the end of a string, creating it if there is none.",
		Args:       []Arg{argKey, argValue}, Run: appendString},
	{Name: "DECR", Arity: 2, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Access|Update), Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Subtracts one from an integer; a missing key counts as 0.",
		Args:    []Arg{argKey}, Run: decr},
	{Name: "DECRBY", Arity: 3, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Access|Update), Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Subtracts a number from an integer; a missing key counts as 0.",
		Args:    []Arg{argKey, {Name: "decrement", Type: ArgInteger}}, Run: decrby},
	{Name: "GET", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLString,
		Keys: OneKey(1, RO|Access), Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Reads a string.",
		Args:    []Arg{argKey}, Run: get},
	{Name: "GETDEL", Arity: 2, Flags: Write | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Access|Delete), Group: GroupString, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Reads a string and removes its key.",
		Args:    []Arg{argKey}, Run: getdel, Replaces: true},
	{Name: "GETEX", Arity: -2, Flags: Write | Fast, ACL: ACLString,
		Keys: []KeySpec{{Flags: RW | Access | Update, Index: 1, Step: 1,
			Notes: "RW and UPDATE because it changes the TTL"}},
		Group: GroupString, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Reads a string and changes or removes its time to live.",
		Args:    []Arg{argKey, argExpiration(Arg{Name: "persist", Type: ArgPureToken, Token: "PERSIST"})}, Run: getex},
	{Name: "GETRANGE", Arity: 4, Flags: ReadOnly, ACL: ACLString,
		Keys: OneKey(1, RO|Access), Group: GroupString, Since: "2.4.0",
		Complexity: "O(N) where N is the length of the reply.",
		Summary:    "Reads the part of a string between two offsets, both included.",
		Args:       rangeArgs, Run: getrange},
	{Name: "GETSET", Arity: 3, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Access|Update), Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary:  "Sets a string and replies what it was before.",
		DocFlags: []string{"deprecated"}, DeprecatedIn: "6.2.0", ReplacedBy: "`SET` with the `!GET` argument",
		Args: []Arg{argKey, argValue}, Run: getset, Replaces: true},
	{Name: "INCR", Arity: 2, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Access|Update), Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Adds one to an integer; a missing key counts as 0.",
		Args:    []Arg{argKey}, Run: incr},
	{Name: "INCRBY", Arity: 3, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Access|Update), Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Adds a number to an integer; a missing key counts as 0.",
		Args:    []Arg{argKey, {Name: "increment", Type: ArgInteger}}, Run: incrby},
	{Name: "INCRBYFLOAT", Arity: 3, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, RW|Access|Update), Group: GroupString, Since: "2.6.0", Complexity: "O(1)",
		Summary: "Adds a floating point number to a number; a missing key counts as 0.",
		Args:    []Arg{argKey, {Name: "increment", Type: ArgDouble}}, Run: incrbyfloat},
	{Name: "LCS", Arity: -3, Flags: ReadOnly, ACL: ACLString,
		Keys: KeyRange(1, 1, 1, RO|Access), Group: GroupString, Since: "7.0.0",
		Complexity: "O(N*M) where N and M are the lengths of the strings",
		Summary:    "Finds the longest common subsequence of two strings.",
		Args: []Arg{
			{Name: "key1", Type: ArgKey}, {Name: "key2", Type: ArgKey},
			{Name: "len", Type: ArgPureToken, Token: "LEN", Optional: true},
			{Name: "idx", Type: ArgPureToken, Token: "IDX", Optional: true},
			{Name: "len", Type: ArgInteger, Token: "MINMATCHLEN", Optional: true},
			{Name: "withmatchlen", Type: ArgPureToken, Token: "WITHMATCHLEN", Optional: true},
		}, Run: lcs},
	{Name: "MGET", Arity: -2, Flags: ReadOnly | Fast, ACL: ACLString,
		Keys: KeyRange(1, -1, 1, RO|Access), Group: GroupString, Since: "1.0.0",
		Complexity: "O(N) where N is the number of keys.",
		Summary:    "Reads several strings at one moment; null stands for a key that is none.",
		Tips:       []string{"request_policy:multi_shard"},
		Args:       []Arg{{Name: "key", Type: ArgKey, Multiple: true}}, Run: mget},
	{Name: "MSET", Arity: -3, Flags: Write | DenyOOM | Quick, ACL: ACLString,
		Keys: KeyRange(1, -1, 2, OW|Update), Group: GroupString, Since: "1.0.1",
		Complexity: "O(N) where N is the number of keys.",
		Summary:    "Sets several strings at one moment.",
		Tips:       []string{"request_policy:multi_shard", "response_policy:all_succeeded"},
		Args:       pairArgs, Run: mset},
	{Name: "MSETNX", Arity: -3, Flags: Write | DenyOOM | Quick, ACL: ACLString,
		Keys: KeyRange(1, -1, 2, OW|Insert), Group: GroupString, Since: "1.0.1",
		Complexity: "O(N) where N is the number of keys.",
		Summary:    "Sets several strings at one moment, or none if any of the keys exists.",
		Tips:       []string{"request_policy:multi_shard", "response_policy:agg_min"},
		Args:       pairArgs, Run: msetnx},
	{Name: "PSETEX", Arity: 4, Flags: Write | DenyOOM | Quick, ACL: ACLString,
		Keys: OneKey(1, OW|Update), Group: GroupString, Since: "2.6.0", Complexity: "O(1)",
		Summary: "Sets a string and its time to live in milliseconds.",
		Args:    []Arg{argKey, {Name: "milliseconds", Type: ArgInteger}, argValue}, Run: psetex},
	{Name: "SET", Arity: -3, Flags: Write | DenyOOM | Quick, ACL: ACLString,
		Keys: []KeySpec{{Flags: RW | Access | Update | VariableFlags, Index: 1, Step: 1,
			Notes: "RW and ACCESS due to the optional `GET` argument", VaryFlags: setKeyFlags}},
		Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Sets a string, whatever the key held; options make that conditional or give it a time to live.",
		History: []Change{
			{"2.6.12", "The options `EX`, `PX`, `NX` and `XX`."},
			{"6.0.0", "The option `KEEPTTL`."},
			{"6.2.0", "The options `GET`, `EXAT` and `PXAT`."},
			{"7.0.0", "`NX` goes together with `GET`."},
		},
		Args: []Arg{argKey, argValue,
			{Name: "condition", Type: ArgOneOf, Since: "2.6.12", Optional: true, Args: []Arg{
				{Name: "nx", Type: ArgPureToken, Token: "NX"},
				{Name: "xx", Type: ArgPureToken, Token: "XX"},
			}},
			{Name: "get", Type: ArgPureToken, Token: "GET", Since: "6.2.0", Optional: true},
			{Name: "expiration", Type: ArgOneOf, Optional: true, Args: []Arg{
				{Name: "seconds", Type: ArgInteger, Token: "EX", Since: "2.6.12"},
				{Name: "milliseconds", Type: ArgInteger, Token: "PX", Since: "2.6.12"},
				{Name: "unix-time-seconds", Type: ArgUnixTime, Token: "EXAT", Since: "6.2.0"},
				{Name: "unix-time-milliseconds", Type: ArgUnixTime, Token: "PXAT", Since: "6.2.0"},
				{Name: "keepttl", Type: ArgPureToken, Token: "KEEPTTL", Since: "6.0.0"},
			}},
		}, Run: set, Replaces: true},
	{Name: "SETEX", Arity: 4, Flags: Write | DenyOOM | Quick, ACL: ACLString,
		Keys: OneKey(1, OW|Update), Group: GroupString, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Sets a string and its time to live in seconds.",
		Args:    []Arg{argKey, {Name: "seconds", Type: ArgInteger}, argValue}, Run: setex},
	{Name: "SETNX", Arity: 3, Flags: Write | DenyOOM | Fast, ACL: ACLString,
		Keys: OneKey(1, OW|Insert), Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Sets a string if the key does not exist.",
		Args:    []Arg{argKey, argValue}, Run: setnx},
	{Name: "SETRANGE", Arity: 4, Flags: Write | DenyOOM, ACL: ACLString,
		Keys: OneKey(1, RW|Update), Group: GroupString, Since: "2.2.0",
		Complexity: "O(M) where M is the length of the value; O(1) while it is small.",
		Summary:    "Overwrites part of a string from an offset on, lengthening it with zero bytes where needed.",
		Args:       []Arg{argKey, {Name: "offset", Type: ArgInteger}, argValue}, Run: setrange},
	{Name: "STRLEN", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLString,
		Keys: OneKey(1, RO), Group: GroupString, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Replies how many bytes a string has.",
		Args:    []Arg{argKey}, Run: strlen},
	{Name: "SUBSTR", Arity: 4, Flags: ReadOnly, ACL: ACLString,
		Keys: OneKey(1, RO|Access), Group: GroupString, Since: "1.0.0",
		Complexity: "O(N) where N is the length of the reply.",
		Summary:    "The old name of GETRANGE.",
		DocFlags:   []string{"deprecated"}, DeprecatedIn: "2.0.0", ReplacedBy: "`GETRANGE`",
		Args: rangeArgs, Run: getrange},
}

var (
	rangeArgs = []Arg{argKey, {Name: "start", Type: ArgInteger}, {Name: "end", Type: ArgInteger}}
	pairArgs  = []Arg{{Name: "key_value", Type: ArgBlock, Multiple: true, Args: []Arg{argKey, argValue}}}
)

// Words of commands as they are propagated.
var (
	wordSet       = []byte("SET")
	wordMSet      = []byte("MSET")
	wordDel       = []byte("DEL")
	wordPersist   = []byte("PERSIST")
	wordPExpireAt = []byte("PEXPIREAT")
	wordPXAT      = []byte("PXAT")
	wordKeepTTL   = []byte("KEEPTTL")
)

// appendString always leaves a key, an empty one too.
func appendString(c *Ctx) {
	k, tail := &c.Keys[0], c.Args[2]
	e := k.DB.LookupWrite(k)
	total := len(tail)
	if !e.Exists() {
		if !c.setValue(k, tail, shard.SetMode{}) {
			return
		}
	} else {
		if !c.isString(e) {
			return
		}
		was := k.DB.StrLen(e)
		if total += was; int64(total) > c.Env.MaxBulk {
			c.Error(ErrTooLarge)
			return
		}
		b := k.DB.Grow(k, e, total)
		if b == nil {
			c.Error(ErrNoMemory)
			return
		}
		k.Changing(was, total)
		copy(b[was:], tail)
		k.DB.Modified(k)
	}
	c.Changed(1)
	c.Notify(NotifyString, "append", k.Name)
	c.Reply.Int(int64(total))
}

func incr(c *Ctx) { c.increment(1) }

func decr(c *Ctx) { c.increment(-1) }

func incrby(c *Ctx) {
	if by, ok := c.intArg(2); ok {
		c.increment(by)
	}
}

func decrby(c *Ctx) {
	by, ok := c.intArg(2)
	switch {
	case !ok:
	case by == math.MinInt64:
		c.Error(ErrDecrement)
	default:
		c.increment(-by)
	}
}

// increment adds by to the integer at the key.
func (c *Ctx) increment(by int64) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if e.Exists() {
		if n, ok := k.DB.Integer(e); ok && !overflows(n, by) {
			k.DB.UpdateInteger(e, n+by)
			c.incremented(k, n+by)
			return
		}
	}
	c.incrementSlow(k, e, by)
}

// incrementSlow is increment for a key that is missing or not kept as an integer, or an overflow.
func (c *Ctx) incrementSlow(k *shard.Key, e shard.Entry, by int64) {
	n := int64(0)
	if e.Exists() {
		if !c.isString(e) {
			return
		}
		var ok bool
		if n, ok = shard.ParseInt(k.DB.Bytes(e, c.scratch[:])); !ok {
			c.Error(ErrNotInteger)
			return
		}
	}
	if overflows(n, by) {
		c.Error(ErrOverflow)
		return
	}
	c.notifyNew(k)
	if !k.DB.SetInteger(k, n+by, shard.SetMode{Keep: true}) {
		c.Error(ErrNoMemory)
		return
	}
	c.incremented(k, n+by)
}

func (c *Ctx) incremented(k *shard.Key, n int64) {
	c.Changed(1)
	c.Notify(NotifyString, "incrby", k.Name)
	c.Reply.Int(n)
}

// overflows tells whether a+b is not an int64: its sign differs from that of both.
func overflows(a, b int64) bool {
	sum := a + b
	return (a^sum)&(b^sum) < 0
}

// incrbyfloat computes as x86-64's long double does. Replicas see the result, as theirs may be another.
func incrbyfloat(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	var sum longDouble
	if e.Exists() {
		if !c.isString(e) {
			return
		}
		if !sum.parse(k.DB.Bytes(e, c.scratch[:])) {
			c.Error(ErrNotFloat)
			return
		}
	}
	var by longDouble
	if !by.parse(c.Args[2]) {
		c.Error(ErrNotFloat)
		return
	}
	if !sum.add(&by) {
		c.Error(ErrInfinite)
		return
	}
	text := sum.append(c.scratch[:0])
	c.notifyNew(k)
	if !k.DB.SetText(k, text, shard.SetMode{Keep: true}) {
		c.Error(ErrNoMemory)
		return
	}
	c.Changed(1)
	c.Notify(NotifyString, "incrbyfloat", k.Name)
	c.Reply.Bulk(text)
	if c.Journaling() {
		c.Propagate(c.DB, append(c.words[:0], wordSet, k.Name, text, wordKeepTTL)...)
	}
}

func get(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.Lookup(k)
	if !e.Exists() {
		c.Notify(NotifyKeyMiss, "keymiss", k.Name)
		c.Reply.Null()
		return
	}
	if c.isString(e) {
		c.bulkEntry(k.DB, e)
	}
}

// getdel replies before it deletes: the value lies in shard memory that Delete frees. Replicas see a plain DEL.
func getdel(c *Ctx) {
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.Null()
		return
	}
	if !c.isString(e) {
		return
	}
	c.bulkEntry(k.DB, e)
	c.deleteKey(k)
}

// deleteKey deletes k, which exists, on behalf of a command that replicas see as DEL.
func (c *Ctx) deleteKey(k *shard.Key) {
	k.DB.Delete(k)
	c.Changed(1)
	if c.Journaling() {
		c.Propagate(c.DB, append(c.words[:0], wordDel, k.Name)...)
	}
	c.Notify(NotifyGeneric, "del", k.Name)
}

// getex looks at the time only when the key exists: without one the reply is null whatever the time.
func getex(c *Ctx) {
	form, at := expireNone, 0
	for i := 2; i < len(c.Args); i++ {
		f := c.expireOption(i)
		if f == expireNone || f == expireKeep || form != expireNone && f != form {
			c.Error(ErrSyntax)
			return
		}
		form = f
		if f.takesTime() {
			if i++; i == len(c.Args) {
				c.Error(ErrSyntax)
				return
			}
			at = i
		}
	}
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.Null()
		return
	}
	if !c.isString(e) {
		return
	}
	switch {
	case form == expireNone, form == expirePersist && !e.HasExpire():
		c.bulkEntry(k.DB, e)
	case form == expirePersist:
		c.getAndExpire(k, e, 0)
	default:
		ms, ok := c.expireArg(at, form)
		switch {
		case !ok:
		case c.past(ms) && (form == expireEXAT || form == expirePXAT):
			c.bulkEntry(k.DB, e)
			c.deleteKey(k)
		default:
			c.getAndExpire(k, e, ms)
		}
	}
}

// getAndExpire replies with e and makes it expire at ms (unix ms), or never if that is 0.
func (c *Ctx) getAndExpire(k *shard.Key, e shard.Entry, ms int64) {
	e, ok := k.DB.SetExpire(k, e, ms)
	if !ok {
		c.Error(ErrNoMemory)
		return
	}
	c.bulkEntry(k.DB, e)
	c.Changed(1)
	if ms == 0 {
		if c.Journaling() {
			c.Propagate(c.DB, append(c.words[:0], wordPersist, k.Name)...)
		}
		c.Notify(NotifyGeneric, "persist", k.Name)
		return
	}
	if c.Journaling() {
		c.Propagate(c.DB, append(c.words[:0], wordPExpireAt, k.Name, shard.AppendInt(c.scratch[:0], ms))...)
	}
	c.Notify(NotifyGeneric, "expire", k.Name)
}

func getrange(c *Ctx) {
	start, ok := c.intArg(2)
	if !ok {
		return
	}
	end, ok := c.intArg(3)
	if !ok {
		return
	}
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.BulkString("")
		return
	}
	if !c.isString(e) {
		return
	}
	if start < 0 && end < 0 && start > end {
		c.Reply.BulkString("")
		return
	}
	v := k.DB.Bytes(e, c.scratch[:])
	from, to := clampRange(start, end, int64(len(v)))
	if from >= to {
		c.Reply.BulkString("")
		return
	}
	c.bulkPart(k.DB, e, v, int(from), int(to))
}

// clampRange turns a range of offsets, both included, negative ones counting from the end, into [from, to) of n
// elements. It is empty if from >= to.
func clampRange(start, end, n int64) (from, to int64) {
	if start < 0 {
		start = max(start+n, 0)
	}
	if end < 0 {
		end = max(end+n, 0)
	}
	return start, min(end, n-1) + 1
}

func getset(c *Ctx) {
	k := &c.Keys[0]
	if !c.replaceAndReply(k, c.lookup(k), c.Args[2], shard.SetMode{}) {
		return
	}
	c.Notify(NotifyString, "set", k.Name)
	if c.Journaling() {
		c.Propagate(c.DB, append(c.words[:0], wordSet, k.Name, c.Args[2])...)
	}
}

// replaceAndReply sets k to value and replies what e, found under k, was. It reports false if it has replied with an error.
func (c *Ctx) replaceAndReply(k *shard.Key, e shard.Entry, value []byte, m shard.SetMode) bool {
	if e.Exists() && !c.isString(e) {
		return false
	}
	mark := len(c.Reply.Buf)
	pinned, large := shard.Pinned{}, false
	if !e.Exists() {
		c.Reply.Null()
	} else if pinned, large = c.pin(k.DB, e); !large {
		c.Reply.Bulk(k.DB.Bytes(e, c.scratch[:]))
	}
	if !c.store(k, value, m) {
		if large {
			pinned.Release()
		}
		c.Reply.Buf = c.Reply.Buf[:mark]
		c.Error(ErrNoMemory)
		return false
	}
	if large {
		c.bulkPinned(pinned, 0, len(pinned.Bytes()))
	}
	c.Changed(1)
	return true
}

func mget(c *Ctx) {
	c.Reply.Array(len(c.Keys))
	for i := range c.Keys {
		k := &c.Keys[i]
		e := c.lookup(k)
		if e.Exists() && e.Type() == types.String {
			c.bulkEntry(k.DB, e)
		} else {
			c.Reply.Null()
		}
	}
}

func mset(c *Ctx) {
	if len(c.Args)%2 == 0 {
		c.Error(c.Spec.ErrArity())
		return
	}
	if c.setPairs() {
		c.Reply.OK()
	}
}

func msetnx(c *Ctx) {
	if len(c.Args)%2 == 0 {
		c.Error(c.Spec.ErrArity())
		return
	}
	for i := range c.Keys {
		k := &c.Keys[i]
		if k.DB.LookupWrite(k).Exists() {
			c.Reply.Int(0)
			return
		}
	}
	if c.setPairs() {
		c.Reply.Int(1)
	}
}

// setPairs sets every key to the argument after it. If memory ends on the way, it replies with an error, and replicas
// see what has been set.
func (c *Ctx) setPairs() bool {
	for i := range c.Keys {
		k := &c.Keys[i]
		if !c.store(k, c.Args[2*i+2], shard.SetMode{}) {
			c.Error(ErrNoMemory)
			if i > 0 {
				c.Propagate(c.DB, append([][]byte{wordMSet}, c.Args[1:2*i+1]...)...)
			}
			return false
		}
		c.Changed(1)
		c.Notify(NotifyString, "set", k.Name)
	}
	return true
}

func psetex(c *Ctx) {
	if ms, ok := c.expireArg(2, expirePX); ok {
		c.setExpiring(c.Args[3], ms)
	}
}

func setex(c *Ctx) {
	if ms, ok := c.expireArg(2, expireEX); ok {
		c.setExpiring(c.Args[3], ms)
	}
}

// setExpiring sets the key to value until ms (unix ms).
func (c *Ctx) setExpiring(value []byte, ms int64) {
	k := &c.Keys[0]
	if c.setValue(k, value, shard.SetMode{ExpireMS: ms}) {
		c.Changed(1)
		c.hasSet(k, value, ms)
		c.Reply.OK()
	}
}

// hasSet tells the world that k has been set to value until ms (unix ms), or without a time to live if ms is 0.
func (c *Ctx) hasSet(k *shard.Key, value []byte, ms int64) {
	c.Notify(NotifyString, "set", k.Name)
	if ms == 0 {
		return
	}
	if c.Journaling() {
		at := shard.AppendInt(c.scratch[:0], ms)
		c.Propagate(c.DB, append(c.words[:0], wordSet, k.Name, value, wordPXAT, at)...)
	}
	c.Notify(NotifyGeneric, "expire", k.Name)
}

func set(c *Ctx) {
	if len(c.Args) > 3 {
		setWithOptions(c)
		return
	}
	k := &c.Keys[0]
	if c.setValue(k, c.Args[2], shard.SetMode{}) {
		c.Changed(1)
		c.Notify(NotifyString, "set", k.Name)
		c.Reply.OK()
	}
}

// setOptions are the options of SET.
type setOptions struct {
	nx, xx, get bool
	form        expireForm
	at          int // index of the time among the arguments
}

func (c *Ctx) parseSetOptions() (o setOptions, ok bool) {
	for i := 3; i < len(c.Args); i++ {
		switch {
		case !o.xx && c.isOption(i, "NX"):
			o.nx = true
		case !o.nx && c.isOption(i, "XX"):
			o.xx = true
		case c.isOption(i, "GET"):
			o.get = true
		default:
			f := c.expireOption(i)
			if f == expireNone || f == expirePersist || o.form != expireNone && f != o.form {
				return o, false
			}
			o.form = f
			if f.takesTime() {
				if i++; i == len(c.Args) {
					return o, false
				}
				o.at = i
			}
		}
	}
	return o, true
}

func setWithOptions(c *Ctx) {
	o, ok := c.parseSetOptions()
	if !ok {
		c.Error(ErrSyntax)
		return
	}
	m := shard.SetMode{Keep: o.form == expireKeep}
	if o.form.takesTime() {
		if m.ExpireMS, ok = c.expireArg(o.at, o.form); !ok {
			return
		}
	}
	if o.get {
		c.setAndGet(o, m)
		return
	}
	k := &c.Keys[0]
	if o.nx || o.xx {
		if k.DB.LookupWrite(k).Exists() == o.nx {
			c.Reply.Null()
			return
		}
	}
	if c.setValue(k, c.Args[2], m) {
		c.Changed(1)
		c.hasSet(k, c.Args[2], m.ExpireMS)
		c.Reply.OK()
	}
}

// setAndGet is SET with GET: it replies the old value whether or not it sets a new one.
func (c *Ctx) setAndGet(o setOptions, m shard.SetMode) {
	k := &c.Keys[0]
	e := c.lookup(k)
	switch {
	case o.xx && !e.Exists():
		c.Reply.Null()
		return
	case o.nx && e.Exists():
		if c.isString(e) {
			c.bulkEntry(k.DB, e)
		}
		return
	}
	if !c.replaceAndReply(k, e, c.Args[2], m) {
		return
	}
	c.hasSet(k, c.Args[2], m.ExpireMS)
	if m.ExpireMS == 0 && c.Journaling() {
		words := append(c.words[:0], c.Args[:3]...)
		for i := 3; i < len(c.Args); i++ {
			if !c.isOption(i, "GET") {
				words = append(words, c.Args[i])
			}
		}
		c.Propagate(c.DB, words...)
	}
}

func setnx(c *Ctx) {
	k := &c.Keys[0]
	if k.DB.LookupWrite(k).Exists() {
		c.Reply.Int(0)
		return
	}
	if c.setValue(k, c.Args[2], shard.SetMode{}) {
		c.Changed(1)
		c.Notify(NotifyString, "set", k.Name)
		c.Reply.Int(1)
	}
}

func setrange(c *Ctx) {
	offset, ok := c.intArg(2)
	if !ok {
		return
	}
	if offset < 0 {
		c.Error(ErrOffset)
		return
	}
	k, part := &c.Keys[0], c.Args[3]
	e := k.DB.LookupWrite(k)
	if e.Exists() && !c.isString(e) {
		return
	}
	if len(part) == 0 {
		n := 0
		if e.Exists() {
			n = k.DB.StrLen(e)
		}
		c.Reply.Int(int64(n))
		return
	}
	if offset > c.Env.MaxBulk-int64(len(part)) {
		c.Error(ErrTooLarge)
		return
	}
	c.notifyNew(k)
	b := k.DB.Grow(k, e, int(offset)+len(part))
	if b == nil {
		c.Error(ErrNoMemory)
		return
	}
	k.Changing(int(offset), int(offset)+len(part))
	copy(b[offset:], part)
	k.DB.Modified(k)
	c.Changed(1)
	c.Notify(NotifyString, "setrange", k.Name)
	c.Reply.Int(int64(len(b)))
}

func strlen(c *Ctx) {
	k := &c.Keys[0]
	e := c.lookup(k)
	switch {
	case !e.Exists():
		c.Reply.Int(0)
	case c.isString(e):
		c.Reply.Int(int64(k.DB.StrLen(e)))
	}
}

// store sets k to value, an argument. A large one gives the buffer it was received in.
func (c *Ctx) store(k *shard.Key, value []byte, m shard.SetMode) bool {
	c.notifyNew(k)
	if len(value) >= shard.LargeMin && c.TakeLarge != nil {
		if l := c.TakeLarge(c, value); l != nil {
			return k.DB.SetLarge(k, l, m)
		}
	}
	return k.DB.SetString(k, value, m)
}

// setValue is store that replies if there is no memory.
func (c *Ctx) setValue(k *shard.Key, value []byte, m shard.SetMode) bool {
	if !c.store(k, value, m) {
		c.Error(ErrNoMemory)
		return false
	}
	return true
}

// bulkEntry replies with string e, a large one without a copy.
func (c *Ctx) bulkEntry(db *shard.DB, e shard.Entry) {
	v := db.Bytes(e, c.scratch[:])
	if len(v) < shard.LargeMin {
		c.Reply.Bulk(v)
		return
	}
	c.bulkPart(db, e, v, 0, len(v))
}

// pinMin is the length from which a part of a large value is replied without a copy, in bytes.
const pinMin = 64 << 10

// bulkPart replies with bytes [from, to) of string e, which are v[from:to].
func (c *Ctx) bulkPart(db *shard.DB, e shard.Entry, v []byte, from, to int) {
	if to-from >= pinMin {
		if p, ok := c.pin(db, e); ok {
			c.bulkPinned(p, from, to)
			return
		}
	}
	c.Reply.Bulk(v[from:to])
}

// pin pins string e if it is large and a value can be queued.
func (c *Ctx) pin(db *shard.DB, e shard.Entry) (shard.Pinned, bool) {
	if c.Pin == nil {
		return shard.Pinned{}, false
	}
	return db.Pin(e)
}

// bulkPinned replies with bytes [from, to) of p, which it gives away.
func (c *Ctx) bulkPinned(p shard.Pinned, from, to int) {
	c.Reply.Buf = resp.AppendBulkHeader(c.Reply.Buf, to-from)
	c.Pin(c, p, from, to)
	c.Reply.Raw([]byte("\r\n"))
}

// setKeyFlags returns what SET does with its key: it reads it only with GET.
func setKeyFlags(args [][]byte) KeyFlags {
	for _, a := range args[3:] {
		if EqualFold(a, "GET") {
			return RW | Access | Update
		}
	}
	return OW | Update
}
