package command

import (
	"bytes"
	"math/rand/v2"

	"github.com/shoaldb/shoal/shard"
)

var (
	argKeys    = []Arg{{Name: "key", Type: ArgKey, Multiple: true}}
	argOnlyKey = []Arg{argKey}

	// Clients of a cluster send such a command to each shard's node.
	tipsPerKey    = []string{"request_policy:multi_shard", "response_policy:agg_sum"}
	tipsSum       = []string{"request_policy:all_shards", "response_policy:agg_sum"}
	tipsAllDone   = []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	tipsArbitrary = []string{"nondeterministic_output"}
)

// KeyCommands are the commands on keys of any type, but for SCAN's, OBJECT's and those on time to live.
var KeyCommands = []Spec{
	{Name: "COPY", Arity: -3, Flags: Write | DenyOOM, ACL: ACLKeyspace,
		Keys:  append(OneKey(1, RO|Access), OneKey(2, OW|Update)...),
		Group: GroupGeneric, Since: "6.2.0",
		Complexity: "O(N) where N is the number of elements of a collection; O(1) for a string.",
		Summary:    "Gives a second key a copy of a value.",
		Args: []Arg{{Name: "source", Type: ArgKey}, {Name: "destination", Type: ArgKey, KeySpecIndex: 1},
			{Name: "destination-db", Type: ArgInteger, Token: "DB", Optional: true},
			{Name: "replace", Type: ArgPureToken, Token: "REPLACE", Optional: true}}, Run: copyKey},
	{Name: "DBSIZE", Arity: 1, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Tips: tipsSum,
		Group: GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Counts the keys of the selected database.", Run: dbsize},
	{Name: "DEL", Arity: -2, Flags: Write | Quick, ACL: ACLKeyspace, Keys: KeyRange(1, -1, 1, RM|Delete), Tips: tipsPerKey,
		Group: GroupGeneric, Since: "1.0.0",
		Complexity: "O(N) where N is the number of keys; large values are freed later, in steps.",
		Summary:    "Removes keys.", Args: argKeys, Run: del},
	{Name: "EXISTS", Arity: -2, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Keys: KeyRange(1, -1, 1, RO), Tips: tipsPerKey,
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N) where N is the number of keys.",
		Summary: "Counts how many of the given keys exist.",
		History: []Change{{"3.0.3", "Takes more than one key."}}, Args: argKeys, Run: existsKeys},
	{Name: "FLUSHALL", Arity: -1, Flags: Write | LockAll | Barrier, ACL: ACLKeyspace | ACLDangerous, Tips: tipsAllDone,
		Group: GroupServer, Since: "1.0.0", Complexity: "O(N) where N is the number of shards; memory is given back in steps.",
		Summary: "Removes all keys of all databases.", History: flushHistory, Args: flushArgs, Run: flushall},
	{Name: "FLUSHDB", Arity: -1, Flags: Write | LockAll | Barrier, ACL: ACLKeyspace | ACLDangerous, Tips: tipsAllDone,
		Group: GroupServer, Since: "1.0.0", Complexity: "O(N) where N is the number of shards; memory is given back in steps.",
		Summary: "Removes all keys of the selected database.", History: flushHistory, Args: flushArgs, Run: flushdb},
	{Name: "MOVE", Arity: 3, Flags: Write | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RW|Access|Update),
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Moves a key to another database, unless it is there already.",
		Args:    []Arg{argKey, {Name: "db", Type: ArgInteger}}, Run: moveKey},
	{Name: "RANDOMKEY", Arity: 1, Flags: ReadOnly, ACL: ACLKeyspace,
		Tips:  []string{"request_policy:all_shards", "nondeterministic_output"},
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Picks a key at random.", Run: randomkey},
	{Name: "RENAME", Arity: 3, Flags: Write, ACL: ACLKeyspace,
		Keys:  append(OneKey(1, RW|Access|Delete), OneKey(2, OW|Update)...),
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1) within a shard.",
		Summary: "Gives a value another key, which loses what it held.",
		Args:    renameArgs, Run: rename, Replaces: true},
	{Name: "RENAMENX", Arity: 3, Flags: Write | Fast, ACL: ACLKeyspace,
		Keys:  append(OneKey(1, RW|Access|Delete), OneKey(2, OW|Insert)...),
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1) within a shard.",
		Summary: "Gives a value another key, unless that key exists.",
		History: []Change{{"3.2.0", "Two equal names are no error any more."}},
		Args:    renameArgs, Run: renamenx, Replaces: true},
	{Name: "SWAPDB", Arity: 3, Flags: Write | Fast | LockAll, ACL: ACLKeyspace | ACLDangerous,
		Group: GroupServer, Since: "4.0.0", Complexity: "O(N) where N is the number of shards.",
		Summary: "Exchanges two databases.",
		Args:    []Arg{{Name: "index1", Type: ArgInteger}, {Name: "index2", Type: ArgInteger}}, Run: swapdb},
	{Name: "TOUCH", Arity: -2, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Keys: KeyRange(1, -1, 1, RO), Tips: tipsPerKey,
		Group: GroupGeneric, Since: "3.2.1", Complexity: "O(N) where N is the number of keys.",
		Summary: "Marks keys as just accessed and counts those that exist.", Args: argKeys, Run: touch},
	{Name: "TYPE", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLKeyspace, Keys: OneKey(1, RO),
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Names the type of a key's value.", Args: argOnlyKey, Run: typeOf},
	{Name: "UNLINK", Arity: -2, Flags: Write | Fast, ACL: ACLKeyspace, Keys: KeyRange(1, -1, 1, RM|Delete), Tips: tipsPerKey,
		Group: GroupGeneric, Since: "4.0.0",
		Complexity: "O(N) where N is the number of keys; large values are freed later, in steps.",
		Summary:    "Removes keys, as DEL does.", Args: argKeys, Run: del},
}

var (
	renameArgs   = []Arg{argKey, {Name: "newkey", Type: ArgKey, KeySpecIndex: 1}}
	flushHistory = []Change{{"4.0.0", "Takes `ASYNC`."}, {"6.2.0", "Takes `SYNC`."}}
	flushArgs    = []Arg{{Name: "async", Type: ArgOneOf, Optional: true, Args: []Arg{
		{Name: "async", Type: ArgPureToken, Token: "ASYNC", Since: "4.0.0"},
		{Name: "sync", Type: ArgPureToken, Token: "SYNC", Since: "6.2.0"}}}}
)

// dbsize counts expired keys that nobody has met yet, as Redis does.
func dbsize(c *Ctx) {
	n := 0
	for i := range c.KS.Shards() {
		c.withShard(i, func(s *shard.Shard) { n += s.DB(c.DB).Len() })
	}
	c.Reply.Int(int64(n))
}

func del(c *Ctx) {
	n := 0
	for i := range c.Keys {
		k := &c.Keys[i]
		if k.DB.Delete(k) {
			c.Notify(NotifyGeneric, "del", k.Name)
			n++
		}
	}
	c.Changed(n)
	c.Reply.Int(int64(n))
}

func existsKeys(c *Ctx) {
	n := 0
	for i := range c.Keys {
		if c.peek(&c.Keys[i]).Exists() {
			n++
		}
	}
	c.Reply.Int(int64(n))
}

func touch(c *Ctx) {
	n := 0
	for i := range c.Keys {
		if c.lookup(&c.Keys[i]).Exists() {
			n++
		}
	}
	c.Reply.Int(int64(n))
}

func typeOf(c *Ctx) {
	e := c.peek(&c.Keys[0])
	if !e.Exists() {
		c.Reply.Simple("none")
		return
	}
	c.Reply.Simple(e.Type().String())
}

// peek is lookup without a touch of the access clock.
func (c *Ctx) peek(k *shard.Key) shard.Entry {
	e := k.DB.LookupQuiet(k)
	if !e.Exists() {
		c.Notify(NotifyKeyMiss, "keymiss", k.Name)
	}
	return e
}

// notifyIn is Notify for a key of database db.
func (c *Ctx) notifyIn(db int, class NotifyClass, event string, key []byte) {
	selected := c.DB
	c.DB = db
	c.Notify(class, event, key)
	c.DB = selected
}

// withShard runs f on shard i, which it locks unless the command has all locks. The command itself has no keys.
func (c *Ctx) withShard(i int, f func(*shard.Shard)) {
	s := c.KS.Shard(i)
	if c.LockedAll {
		f(s)
		return
	}
	s.Lock(c.NowMS)
	f(s)
	s.Unlock()
}

func rename(c *Ctx) {
	if ok, moved := c.rename(false); ok || moved {
		c.Reply.OK()
	}
}

func renamenx(c *Ctx) {
	ok, moved := c.rename(true)
	switch {
	case moved:
		c.Reply.Int(1)
	case ok:
		c.Reply.Int(0)
	}
}

// rename moves the first key to the second; with nx only if that does not exist. ok is false if it has replied with
// an error.
func (c *Ctx) rename(nx bool) (ok, moved bool) {
	from, to := &c.Keys[0], &c.Keys[1]
	if !from.DB.LookupWrite(from).Exists() {
		c.Error(ErrNoKey)
		return false, false
	}
	if bytes.Equal(from.Name, to.Name) {
		return true, false
	}
	if to.DB.LookupWrite(to).Exists() && nx {
		return true, false
	}
	if from.DB.Shard() == to.DB.Shard() {
		moved = c.KS.Move(from, to)
	} else {
		var long bool
		if moved, long = c.copyValue(from, to, c.KS.Move, c.KS.MoveAs); long {
			return false, false
		}
	}
	if !moved {
		c.Error(ErrNoMemory)
		return false, false
	}
	c.Notify(NotifyNew, "new", to.Name)
	c.Notify(NotifyGeneric, "rename_from", from.Name)
	c.Notify(NotifyGeneric, "rename_to", to.Name)
	c.Changed(1)
	return true, true
}

func moveKey(c *Ctx) {
	db, ok := c.dbArg(2, ErrIntRange)
	if !ok {
		return
	}
	if db == c.DB {
		c.Error(ErrSameObject)
		return
	}
	from := &c.Keys[0]
	to := c.KeyOf(db, from.Name)
	if !from.DB.LookupWrite(from).Exists() || to.DB.LookupWrite(&to).Exists() {
		c.Reply.Int(0)
		return
	}
	if !c.KS.Move(from, &to) {
		c.Error(ErrNoMemory)
		return
	}
	c.notifyIn(db, NotifyNew, "new", to.Name)
	c.Notify(NotifyGeneric, "move_from", from.Name)
	c.notifyIn(db, NotifyGeneric, "move_to", to.Name)
	c.Changed(1)
	c.Reply.Int(1)
}

// dbArg returns argument i as the index of a database. It replies with errRange to what does not fit 32 bits.
func (c *Ctx) dbArg(i int, errRange Error) (db int, ok bool) {
	n, ok := c.intArg(i)
	if !ok {
		return 0, false
	}
	if n != int64(int32(n)) {
		c.Error(errRange)
		return 0, false
	}
	if n < 0 || n >= int64(c.Env.Databases) {
		c.Error(ErrDBIndex)
		return 0, false
	}
	return int(n), true
}

// randomTries is how many keys RANDOMKEY picks at most while those that have expired are not deleted: then any will do.
const randomTries = 100

func randomkey(c *Ctx) {
	// Each turn picks a shard in proportion to its keys; an expired key is deleted and another one picked.
	for tries := 1; ; tries++ {
		total := 0
		for i := range c.KS.Shards() {
			c.withShard(i, func(s *shard.Shard) { total += s.DB(c.DB).Len() })
		}
		if total == 0 {
			c.Reply.Null()
			return
		}
		if c.randomOf(int(rand.Uint64()%uint64(total)), tries >= randomTries && c.KS.HoldsExpired(c.NowMS)) {
			return
		}
	}
}

// randomOf replies with a random key of the shard where the database's key number n lies, counting shard by shard. It
// reports false if there was none.
func (c *Ctx) randomOf(n int, expiredToo bool) (found bool) {
	for i := 0; i < c.KS.Shards() && n >= 0; i++ {
		c.withShard(i, func(s *shard.Shard) {
			db := s.DB(c.DB)
			if n -= db.Len(); n >= 0 {
				return
			}
			name := db.Random()
			if name == nil {
				return
			}
			if k := c.KeyOf(c.DB, name); expiredToo || db.Find(&k).Exists() {
				c.Reply.Bulk(name)
				found = true
			}
		})
	}
	return found
}
