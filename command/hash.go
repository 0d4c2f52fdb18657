package command

import (
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/listpack"
)

var (
	argField      = Arg{Name: "field", Type: ArgString}
	argFields     = Arg{Name: "field", Type: ArgString, Multiple: true}
	fieldPairArgs = []Arg{argKey, {Name: "field_value", Type: ArgBlock, Multiple: true, Args: []Arg{argField, argValue}}}

	tipsUnordered = []string{"nondeterministic_output_order"}
)

// HashCommands are the commands on hashes, but for those on the time to live of fields.
var HashCommands = []Spec{
	{Name: "HDEL", Arity: -3, Flags: Write | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Delete), Group: GroupHash, Member: 2, Since: "2.0.0",
		Complexity: "O(N) where N is the number of fields given.",
		Summary:    "Removes fields, and the key with the last of them.",
		History:    []Change{{"2.4.0", "Takes several fields."}},
		Args:       []Arg{argKey, argFields}, Run: hdel},
	{Name: "HEXISTS", Arity: 3, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO), Group: GroupHash, Member: 2, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Tells whether a field exists.",
		Args:    []Arg{argKey, argField}, Run: hexists},
	{Name: "HGET", Arity: 3, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Member: 2, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Reads the value of a field.",
		Args:    []Arg{argKey, argField}, Run: hget},
	{Name: "HGETALL", Arity: 2, Flags: ReadOnly, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "2.0.0", Tips: tipsUnordered,
		Complexity: "O(N) where N is the number of fields.",
		Summary:    "Lists all fields with their values.",
		Args:       argOnlyKey, Run: hgetall},
	{Name: "HINCRBY", Arity: 4, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Access|Update), Group: GroupHash, Member: 2, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Adds a number to the integer in a field; a missing field counts as 0.",
		Args:    []Arg{argKey, argField, {Name: "increment", Type: ArgInteger}}, Run: hincrby},
	{Name: "HINCRBYFLOAT", Arity: 4, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Access|Update), Group: GroupHash, Member: 2, Since: "2.6.0", Complexity: "O(1)",
		Summary: "Adds a floating point number to the number in a field; a missing field counts as 0.",
		Args:    []Arg{argKey, argField, {Name: "increment", Type: ArgDouble}}, Run: hincrbyfloat},
	{Name: "HKEYS", Arity: 2, Flags: ReadOnly, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "2.0.0", Tips: tipsUnordered,
		Complexity: "O(N) where N is the number of fields.",
		Summary:    "Lists all fields.",
		Args:       argOnlyKey, Run: hkeys},
	{Name: "HLEN", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO), Group: GroupHash, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Counts the fields.",
		Args:    argOnlyKey, Run: hlen},
	{Name: "HMGET", Arity: -3, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Member: 2, Since: "2.0.0",
		Complexity: "O(N) where N is the number of fields given.",
		Summary:    "Reads the values of several fields; null stands for a field that is none.",
		Args:       []Arg{argKey, argFields}, Run: hmget},
	{Name: "HMSET", Arity: -4, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Member: 2, Since: "2.0.0",
		Complexity: "O(N) where N is the number of fields given.",
		Summary:    "The old name of HSET with several fields.",
		DocFlags:   []string{"deprecated"}, DeprecatedIn: "4.0.0", ReplacedBy: "`HSET` with multiple field-value pairs",
		Args: fieldPairArgs, Run: hmset},
	{Name: "HRANDFIELD", Arity: -2, Flags: ReadOnly, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "6.2.0", Tips: tipsArbitrary,
		Complexity: "O(N) where N is the number of fields replied, or of all fields if a good part of them is asked for.",
		Summary:    "Picks fields at random.",
		Args: []Arg{argKey, {Name: "options", Type: ArgBlock, Optional: true, Args: []Arg{
			{Name: "count", Type: ArgInteger},
			{Name: "withvalues", Type: ArgPureToken, Token: "WITHVALUES", Optional: true}}}}, Run: hrandfield},
	{Name: "HSCAN", Arity: -3, Flags: ReadOnly, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "2.8.0", Tips: tipsArbitrary,
		Complexity: "O(1) for a call; O(N) for all calls from cursor 0 to cursor 0, where N is the number of fields.",
		Summary:    "Lists some fields with their values and tells where the next call goes on.",
		Args:       elementScanArgs, Run: hscan},
	{Name: "HSET", Arity: -4, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Member: 2, Since: "2.0.0",
		Complexity: "O(N) where N is the number of fields given.",
		Summary:    "Sets fields, creating the hash if there is none, and counts the new ones.",
		History:    []Change{{"4.0.0", "Takes several fields."}},
		Args:       fieldPairArgs, Run: hset},
	{Name: "HSETNX", Arity: 4, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Insert), Group: GroupHash, Member: 2, Since: "2.0.0", Complexity: "O(1)",
		Summary: "Sets a field if it does not exist.",
		Args:    []Arg{argKey, argField, argValue}, Run: hsetnx},
	{Name: "HSTRLEN", Arity: 3, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO), Group: GroupHash, Member: 2, Since: "3.2.0", Complexity: "O(1)",
		Summary: "Replies how many bytes the value of a field has.",
		Args:    []Arg{argKey, argField}, Run: hstrlen},
	{Name: "HVALS", Arity: 2, Flags: ReadOnly, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "2.0.0", Tips: tipsUnordered,
		Complexity: "O(N) where N is the number of fields.",
		Summary:    "Lists all values.",
		Args:       argOnlyKey, Run: hvals},
}

// Words of commands as they are propagated.
var (
	wordHSet   = []byte("HSET")
	wordHDel   = []byte("HDEL")
	wordFields = []byte("FIELDS")
)

const (
	errHashInteger Error = "ERR hash value is not an integer"
	errHashFloat   Error = "ERR hash value is not a float"
	errIncrement   Error = "ERR value is NaN or Infinity"
)

// readHash opens the hash of the command's key for reading. ok is false if the key holds something else, which is replied
// then; a key that does not exist is an empty hash.
func (c *Ctx) readHash() (v hash.Value, ok bool) {
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		return hash.New(k.DB.Space()), true
	}
	return c.openHash(k.DB, e)
}

func (c *Ctx) openHash(db *shard.DB, e shard.Entry) (v hash.Value, ok bool) {
	ok = c.loadHash(&v, db, e)
	return v, ok
}

// loadHash makes v, which is zero, the hash of e, or replies that it is none.
func (c *Ctx) loadHash(v *hash.Value, db *shard.DB, e shard.Entry) (ok bool) {
	if e.Type() != types.Hash {
		c.Error(ErrWrongType)
		return false
	}
	v.NowMS = c.fieldsNow()
	v.Load(db.Space(), db.Root(e))
	return true
}

// writtenHash is a hash that a command changes.
type writtenHash struct {
	hash.Value
	k *shard.Key
	e shard.Entry
}

// writeHash makes w, which is zero, the hash of the command's key, as readHash does for a command that does not change it.
func (c *Ctx) writeHash(w *writtenHash) (ok bool) {
	w.k = &c.Keys[0]
	w.e = w.k.DB.LookupWrite(w.k)
	if !w.e.Exists() {
		w.Value = hash.New(w.k.DB.Space())
		return true
	}
	return c.loadHash(&w.Value, w.k.DB, w.e)
}

// keep stores what the hash has become: a new key, or no key if no field is left. It replies with an error if there is no
// memory, as it does if err says so.
func (w *writtenHash) keep(c *Ctx, err error) (ok bool) {
	db := w.k.DB
	switch empty := w.Size() == 0; {
	case w.e.Exists():
		db.SetRoot(w.e, w.Root())
		if empty {
			db.Delete(w.k)
		}
	case err != nil || empty:
		db.FreeRoot(w.Root())
	default:
		c.notifyNew(w.k)
		if !db.Add(w.k, w.Root(), shard.SetMode{}) {
			db.FreeRoot(w.Root())
			err = types.ErrNoMemory
		}
	}
	if err != nil {
		c.Error(ErrNoMemory)
	}
	return err == nil
}

// bulkElement replies with a field or value.
func (c *Ctx) bulkElement(e listpack.Element) {
	if e.IsInt {
		c.Reply.BulkInt(e.Int)
	} else {
		c.Reply.Bulk(e.Bytes)
	}
}

func hdel(c *Ctx) {
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	deleted := 0
	var err error
	for _, field := range c.Args[2:] {
		var existed bool
		if existed, err = w.Delete(field); err != nil {
			break
		}
		if existed {
			deleted++
		}
	}
	if !w.e.Exists() {
		c.Reply.Int(0)
		return
	}
	gone := w.Size() == 0
	if deleted == 0 && !gone && err == nil {
		w.k.DB.KeepRoot(w.e, w.Root()) // fields that have expired may be gone
		c.Reply.Int(0)
		return
	}
	ok := w.keep(c, err)
	if deleted > 0 {
		c.Changed(deleted)
		c.Notify(NotifyHash, "hdel", w.k.Name)
	}
	if gone {
		c.Notify(NotifyGeneric, "del", w.k.Name)
	}
	if ok {
		c.Reply.Int(int64(deleted))
	}
}

func hexists(c *Ctx) {
	if v, ok := c.readHash(); ok {
		_, exists := v.Get(c.Args[2])
		c.replyIf(exists)
	}
}

// replyIf replies 1 or 0.
func (c *Ctx) replyIf(yes bool) {
	n := int64(0)
	if yes {
		n = 1
	}
	c.Reply.Int(n)
}

func hget(c *Ctx) {
	if v, ok := c.readHash(); ok {
		c.bulkField(&v, c.Args[2])
	}
}

// bulkField replies with the value of a field, or null.
func (c *Ctx) bulkField(v *hash.Value, field []byte) {
	if value, ok := v.Get(field); ok {
		c.bulkElement(value)
	} else {
		c.Reply.Null()
	}
}

func hgetall(c *Ctx) {
	v, ok := c.readHash()
	if !ok || c.Long(v.Size()) {
		return
	}
	c.Reply.Map(v.Len())
	v.Each(func(field, value hash.Element) bool {
		c.bulkElement(field)
		c.bulkElement(value)
		c.Pause(1)
		return true
	})
}

func hincrby(c *Ctx) {
	by, ok := c.intArg(3)
	if !ok {
		return
	}
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	n := int64(0)
	if value, ok := w.Get(c.Args[2]); ok {
		if n, ok = value.Int, value.IsInt; !ok {
			if n, ok = shard.ParseInt(value.Bytes); !ok {
				c.Error(errHashInteger)
				return
			}
		}
	}
	sum := n + by
	if (sum > n) != (by > 0) && by != 0 {
		c.Error(ErrOverflow)
		return
	}
	if !c.setIncremented(&w, shard.AppendInt(c.scratch[:0], sum)) {
		return
	}
	c.Notify(NotifyHash, "hincrby", w.k.Name)
	c.Reply.Int(sum)
}

// setIncremented gives the command's field another value; its time to live stays.
func (c *Ctx) setIncremented(w *writtenHash, text []byte) bool {
	_, err := w.Set(c.Env.Limits, c.Args[2], text, hash.KeepTTL)
	if !w.keep(c, err) {
		return false
	}
	c.Changed(1)
	return true
}

func hincrbyfloat(c *Ctx) {
	var by, sum longDouble
	if !by.parse(c.Args[3]) {
		c.Error(ErrNotFloat)
		return
	}
	if by.inf {
		c.Error(errIncrement)
		return
	}
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	if value, ok := w.Get(c.Args[2]); ok && !sum.parse(value.Append(nil)) {
		c.Error(errHashFloat)
		return
	}
	if !sum.add(&by) {
		c.Error(ErrInfinite)
		return
	}
	expireMS, _ := w.ExpireMS(c.Args[2])
	text := sum.append(nil)
	if !c.setIncremented(&w, text) {
		return
	}
	c.Notify(NotifyHash, "hincrbyfloat", w.k.Name)
	c.Reply.Bulk(text)
	switch {
	case !c.Journaling():
	case expireMS != 0:
		c.Propagate(c.DB, wordHSetEx, w.k.Name, wordKeepTTL, wordFields, []byte("1"), c.Args[2], text)
	default:
		c.Propagate(c.DB, append(c.words[:0], wordHSet, w.k.Name, c.Args[2], text)...)
	}
}

func hkeys(c *Ctx) {
	v, ok := c.readHash()
	if !ok || c.Long(v.Size()) {
		return
	}
	c.Reply.Array(v.Len())
	v.Each(func(field, _ hash.Element) bool {
		c.bulkElement(field)
		c.Pause(1)
		return true
	})
}

func hlen(c *Ctx) {
	if v, ok := c.readHash(); ok {
		c.Reply.Int(int64(v.Len()))
	}
}

func hmget(c *Ctx) {
	v, ok := c.readHash()
	if !ok {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, field := range c.Args[2:] {
		c.bulkField(&v, field)
	}
}

func hmset(c *Ctx) {
	if _, ok := c.setFields(); ok {
		c.Reply.OK()
	}
}

func hset(c *Ctx) {
	if created, ok := c.setFields(); ok {
		c.Reply.Int(int64(created))
	}
}

// setFields sets the command's fields. It replies if something is wrong.
func (c *Ctx) setFields() (created int, ok bool) {
	if len(c.Args)%2 != 0 {
		c.Error(c.Spec.ErrArity())
		return 0, false
	}
	var w writtenHash
	if !c.writeHash(&w) {
		return 0, false
	}
	var err error
	for i := 2; i < len(c.Args) && err == nil; i += 2 {
		var existed bool
		if existed, err = w.Set(c.Env.Limits, c.Args[i], c.Args[i+1], 0); !existed {
			created++
		}
	}
	if !w.keep(c, err) {
		return 0, false
	}
	c.Changed((len(c.Args) - 2) / 2)
	c.Notify(NotifyHash, "hset", w.k.Name)
	return created, true
}

func hsetnx(c *Ctx) {
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	if _, exists := w.Get(c.Args[2]); exists {
		c.Reply.Int(0)
		return
	}
	_, err := w.Set(c.Env.Limits, c.Args[2], c.Args[3], 0)
	if !w.keep(c, err) {
		return
	}
	c.Changed(1)
	c.Notify(NotifyHash, "hset", w.k.Name)
	c.Reply.Int(1)
}

func hstrlen(c *Ctx) {
	if v, ok := c.readHash(); ok {
		value, _ := v.Get(c.Args[2])
		c.Reply.Int(int64(value.Len()))
	}
}

func hvals(c *Ctx) {
	v, ok := c.readHash()
	if !ok || c.Long(v.Size()) {
		return
	}
	c.Reply.Array(v.Len())
	v.Each(func(_, value hash.Element) bool {
		c.bulkElement(value)
		c.Pause(1)
		return true
	})
}

func hscan(c *Ctx) {
	cursor, ok := c.cursorArg(2)
	if !ok {
		return
	}
	e := c.lookup(&c.Keys[0])
	if !e.Exists() {
		c.replyNothingScanned()
		return
	}
	v, ok := c.openHash(c.Keys[0].DB, e)
	if !ok {
		return
	}
	c.scanElements(cursor, v.Size(), func(s *elementScan) {
		s.cursor = uint64(v.Scan(uint32(s.cursor), func(field, value hash.Element) {
			s.visited++
			if s.matches(field) {
				c.bulkElement(field)
				c.bulkElement(value)
				s.found += 2
			}
		}))
	})
}
