package command

import (
	"math"

	"github.com/shoaldb/shoal/shard"
)

var (
	tipsTime         = []string{"nondeterministic_output"}
	historyCondition = []Change{{"7.0.0", "Takes the conditions `NX`, `XX`, `GT` and `LT`."}}
	historyMissing   = []Change{{"2.8.0", "Replies -2 if there is no such key."}}
)

func expireArgs(name string, t ArgType) []Arg {
	return []Arg{argKey, {Name: name, Type: t},
		{Name: "condition", Type: ArgOneOf, Since: "7.0.0", Optional: true, Args: []Arg{
			{Name: "nx", Type: ArgPureToken, Token: "NX"},
			{Name: "xx", Type: ArgPureToken, Token: "XX"},
			{Name: "gt", Type: ArgPureToken, Token: "GT"},
			{Name: "lt", Type: ArgPureToken, Token: "LT"}}}}
}

// ExpireCommands are the commands on the time to live.
var ExpireCommands = []Spec{
	{Name: "EXPIRE", Arity: -3, Flags: Write | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RW|Update),
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Summary: "Lets a key live for some seconds.",
		History: historyCondition, Args: expireArgs("seconds", ArgInteger),
		Run: func(c *Ctx) { c.expireIn(1000, c.NowMS) }},
	{Name: "EXPIREAT", Arity: -3, Flags: Write | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RW|Update),
		Group: GroupGeneric, Since: "1.2.0", Complexity: "O(1)", Summary: "Lets a key live until a Unix time in seconds.",
		History: historyCondition, Args: expireArgs("unix-time-seconds", ArgUnixTime),
		Run: func(c *Ctx) { c.expireIn(1000, 0) }},
	{Name: "EXPIRETIME", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RO|Access),
		Group: GroupGeneric, Since: "7.0.0", Complexity: "O(1)", Summary: "Tells the Unix time in seconds at which a key expires.",
		Args: argOnlyKey, Run: func(c *Ctx) { c.ttl(0, true) }},
	{Name: "PERSIST", Arity: 2, Flags: Write | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RW|Update),
		Group: GroupGeneric, Since: "2.2.0", Complexity: "O(1)", Summary: "Lets a key live for ever.",
		Args: argOnlyKey, Run: persist},
	{Name: "PEXPIRE", Arity: -3, Flags: Write | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RW|Update),
		Group: GroupGeneric, Since: "2.6.0", Complexity: "O(1)", Summary: "Lets a key live for some milliseconds.",
		History: historyCondition, Args: expireArgs("milliseconds", ArgInteger),
		Run: func(c *Ctx) { c.expireIn(1, c.NowMS) }},
	{Name: "PEXPIREAT", Arity: -3, Flags: Write | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RW|Update),
		Group: GroupGeneric, Since: "2.6.0", Complexity: "O(1)", Summary: "Lets a key live until a Unix time in milliseconds.",
		History: historyCondition, Args: expireArgs("unix-time-milliseconds", ArgUnixTime),
		Run: func(c *Ctx) { c.expireIn(1, 0) }},
	{Name: "PEXPIRETIME", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RO|Access),
		Group: GroupGeneric, Since: "7.0.0", Complexity: "O(1)", Summary: "Tells the Unix time in milliseconds at which a key expires.",
		Args: argOnlyKey, Run: func(c *Ctx) { c.ttl(0, false) }},
	{Name: "PTTL", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RO|Access), Tips: tipsTime,
		Group: GroupGeneric, Since: "2.6.0", Complexity: "O(1)", Summary: "Tells how many milliseconds a key has left to live.",
		History: historyMissing, Args: argOnlyKey, Run: func(c *Ctx) { c.ttl(c.NowMS, false) }},
	{Name: "TTL", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RO|Access), Tips: tipsTime,
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)", Summary: "Tells how many seconds a key has left to live.",
		History: historyMissing, Args: argOnlyKey, Run: func(c *Ctx) { c.ttl(c.NowMS, true) }},
}

// expireIn serves EXPIRE and its kin: argument 2 counts units of unitMS ms from fromMS on.
func (c *Ctx) expireIn(unitMS, fromMS int64) {
	cond, ok := c.expireConditions()
	if !ok {
		return
	}
	n, ok := c.intArg(2)
	if !ok {
		return
	}
	if n > math.MaxInt64/unitMS || n < math.MinInt64/unitMS || n*unitMS > math.MaxInt64-fromMS {
		c.Error(c.errExpireTime())
		return
	}
	ms := n*unitMS + fromMS
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() || !cond.allows(k.DB.ExpireMS(e), ms) {
		c.Reply.Int(0)
		return
	}
	if c.past(ms) {
		c.expireNow(k)
		return
	}
	if _, ok := k.DB.SetExpire(k, e, ms); !ok {
		c.Error(ErrNoMemory)
		return
	}
	c.Changed(1)
	if c.Journaling() && (unitMS != 1 || fromMS != 0) {
		words := append(c.words[:0], wordPExpireAt, k.Name, shard.AppendInt(c.scratch[:0], ms))
		c.Propagate(c.DB, append(words, c.Args[3:]...)...)
	}
	c.Notify(NotifyGeneric, "expire", k.Name)
	c.Reply.Int(1)
}

// expireNow deletes k, whose time to live is over before it begins.
func (c *Ctx) expireNow(k *shard.Key) {
	k.DB.Delete(k)
	c.Changed(1)
	if c.Journaling() {
		c.Propagate(c.DB, append(c.words[:0], wordDel, k.Name)...)
	}
	c.Notify(NotifyGeneric, "del", k.Name)
	c.Reply.Int(1)
}

// conditions are the options that keep EXPIRE from changing a time to live.
type conditions struct{ nx, xx, gt, lt bool }

// allows tells whether a key that expires at wasMS (0: never) may be made to expire at ms.
func (o conditions) allows(wasMS, ms int64) bool {
	volatile := wasMS != 0
	switch {
	case o.nx && volatile, o.xx && !volatile:
		return false
	case o.gt && (!volatile || ms <= wasMS), o.lt && volatile && ms >= wasMS:
		return false
	}
	return true
}

func (c *Ctx) expireConditions() (o conditions, ok bool) {
	for i := 3; i < len(c.Args); i++ {
		switch {
		case c.isOption(i, "NX"):
			o.nx = true
		case c.isOption(i, "XX"):
			o.xx = true
		case c.isOption(i, "GT"):
			o.gt = true
		case c.isOption(i, "LT"):
			o.lt = true
		default:
			c.Error(Error("ERR Unsupported option " + cString(c.Args[i])))
			return o, false
		}
	}
	switch {
	case o.nx && (o.xx || o.gt || o.lt):
		c.Error("ERR NX and XX, GT or LT options at the same time are not compatible")
		return o, false
	case o.gt && o.lt:
		c.Error("ERR GT and LT options at the same time are not compatible")
		return o, false
	}
	return o, true
}

// cString returns b up to its first zero byte, as much as Redis shows of an argument in an error.
func cString(b []byte) string {
	for i, ch := range b {
		if ch == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// ttl replies with the time at which the key expires, counted from fromMS, in ms or in seconds.
func (c *Ctx) ttl(fromMS int64, seconds bool) {
	k := &c.Keys[0]
	e := c.peek(k)
	switch {
	case !e.Exists():
		c.Reply.Int(-2)
	case !e.HasExpire():
		c.Reply.Int(-1)
	case seconds:
		ms := uint64(max(k.DB.ExpireMS(e)-fromMS, 0))
		c.Reply.Int(int64((ms + 500) / 1000))
	default:
		c.Reply.Int(max(k.DB.ExpireMS(e)-fromMS, 0))
	}
}

func persist(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() || !e.HasExpire() {
		c.Reply.Int(0)
		return
	}
	if _, ok := k.DB.SetExpire(k, e, 0); !ok {
		c.Error(ErrNoMemory)
		return
	}
	c.Notify(NotifyGeneric, "persist", k.Name)
	c.Changed(1)
	c.Reply.Int(1)
}
