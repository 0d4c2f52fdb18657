package command

import (
	"time"

	"github.com/shoaldb/shoal/shard"
)

// ObjectCommands are OBJECT and its subcommands.
var ObjectCommands = []Spec{
	{Name: "OBJECT", Arity: -2, Group: GroupGeneric, Since: "2.2.3", Complexity: "Each subcommand has its own.",
		Summary: "Contains the commands that look into how a value is kept.",
		Subcommands: []Spec{
			objectSub("ENCODING", "2.2.3", "Names the representation of a value.", objectEncoding),
			objectSub("FREQ", "4.0.0", "Tells how often a key is accessed, as a logarithm.", objectFreq),
			{Name: "HELP", Arity: 2, Flags: Loading | Stale, ACL: ACLKeyspace, Group: GroupGeneric, Since: "6.2.0",
				Complexity: "O(1)", Summary: "Explains the subcommands.",
				Run: func(c *Ctx) { c.Help(objectHelp) }},
			objectSub("IDLETIME", "2.2.3", "Tells how long ago a key was last accessed.", objectIdleTime),
			objectSub("REFCOUNT", "2.2.3", "Tells how many references to a value there are.", objectRefCount),
		}},
}

func objectSub(name, since, summary string, run func(*Ctx)) Spec {
	return Spec{Name: name, Arity: 3, Flags: ReadOnly, ACL: ACLKeyspace, Keys: OneKey(2, RO), Tips: tipsArbitrary,
		Group: GroupGeneric, Since: since, Complexity: "O(1)", Summary: summary, Args: argOnlyKey, Run: run}
}

var objectHelp = []string{
	"ENCODING <key>",
	"    The representation of the value: int, embstr, raw, listpack ...",
	"FREQ <key>",
	"    How often the key is accessed, as a logarithmic counter. Needs an LFU policy.",
	"IDLETIME <key>",
	"    How many seconds ago the key was last read or written.",
	"REFCOUNT <key>",
	"    How many references to the value there are.",
}

// object looks up the key of an OBJECT subcommand, which does not count as an access. If it is missing, it replies
// with null.
func (c *Ctx) object() (db *shard.DB, e shard.Entry, ok bool) {
	k := &c.Keys[0]
	e = k.DB.LookupQuiet(k)
	if !e.Exists() {
		c.Reply.Null()
	}
	return k.DB, e, e.Exists()
}

func objectEncoding(c *Ctx) {
	if _, e, ok := c.object(); ok {
		c.Reply.BulkString(e.Encoding().String())
	}
}

const (
	errNoIdleTime Error = "ERR An LFU maxmemory policy is selected, idle time not tracked. " +
		"Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
	errNoFreq Error = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. " +
		"Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
)

func objectIdleTime(c *Ctx) {
	db, e, ok := c.object()
	switch {
	case !ok:
	case c.Env.LFU:
		c.Error(errNoIdleTime)
	default:
		c.Reply.Int(int64(db.Idle(e) / time.Second))
	}
}

func objectFreq(c *Ctx) {
	db, e, ok := c.object()
	switch {
	case !ok:
	case !c.Env.LFU:
		c.Error(errNoFreq)
	default:
		c.Reply.Int(int64(db.Freq(e)))
	}
}

const (
	sharedIntegers = 10000     // small integers have one object in Redis ...
	sharedCount    = 1<<31 - 1 // ... with this reference count
)

// RefCount returns how many references Redis would have to e's value: ours are never shared, but its small integers
// are, unless an eviction policy needs to know about each key.
func RefCount(env *Env, db *shard.DB, e shard.Entry) int64 {
	n, isInt := db.Integer(e)
	if isInt && n >= 0 && n < sharedIntegers && !(env.MaxMemory > 0 && (env.LFU || env.LRU)) {
		return sharedCount
	}
	return 1
}

func objectRefCount(c *Ctx) {
	if db, e, ok := c.object(); ok {
		c.Reply.Int(RefCount(c.Env, db, e))
	}
}
