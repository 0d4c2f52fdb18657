package command

import (
	"slices"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	sets "github.com/shoaldb/shoal/types/set"
)

// What several set commands say of themselves.
var (
	argMember   = Arg{Name: "member", Type: ArgString}
	argMembers  = Arg{Name: "member", Type: ArgString, Multiple: true}
	argSetKeys  = []Arg{{Name: "key", Type: ArgKey, Multiple: true}}
	argSetStore = []Arg{{Name: "destination", Type: ArgKey}, {Name: "key", Type: ArgKey, KeySpecIndex: 1, Multiple: true}}
	tipAnyOrder = []string{"nondeterministic_output_order"}
	tipRandom   = []string{"nondeterministic_output"}
)

const interComplexity = "O(N*M) at worst where N is the number of members of the smallest set and M that of sets."
const unionComplexity = "O(N) where N is the number of members of all sets."

// storeKeys is the key specification of a command that stores what it computes of the sets after the first key.
func storeKeys(dest KeyFlags) []KeySpec {
	return []KeySpec{{Flags: dest, Index: 1, Step: 1}, {Flags: RO | Access, Index: 2, Last: -1, Step: 1}}
}

// SetCommands are the commands on sets.
var SetCommands = []Spec{
	{Name: "SADD", Arity: -3, Flags: Write | DenyOOM | Fast, ACL: ACLSet,
		Keys: OneKey(1, RW|Insert), Group: GroupSet, Member: 2, Since: "1.0.0", Complexity: "O(N) where N is the number of members given.",
		Summary: "Adds members to a set, creating it if there is none.",
		History: []Change{{"2.4.0", "Takes several members."}},
		Args:    []Arg{argKey, argMembers}, Run: sadd},
	{Name: "SCARD", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLSet,
		Keys: OneKey(1, RO), Group: GroupSet, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Counts the members of a set.",
		Args:    []Arg{argKey}, Run: scard},
	{Name: "SDIFF", Arity: -2, Flags: ReadOnly, ACL: ACLSet, Tips: tipAnyOrder,
		Keys: KeyRange(1, -1, 1, RO|Access), Group: GroupSet, Since: "1.0.0", Complexity: unionComplexity,
		Summary: "Reads the members of the first set that none of the others has.",
		Args:    argSetKeys, Run: sdiff},
	{Name: "SDIFFSTORE", Arity: -3, Flags: Write | DenyOOM, ACL: ACLSet,
		Keys: storeKeys(OW | Update), Group: GroupSet, Since: "1.0.0", Complexity: unionComplexity,
		Summary: "Stores the members of the first set that none of the others has.",
		Args:    argSetStore, Run: sdiffstore},
	{Name: "SINTER", Arity: -2, Flags: ReadOnly, ACL: ACLSet, Tips: tipAnyOrder,
		Keys: KeyRange(1, -1, 1, RO|Access), Group: GroupSet, Since: "1.0.0", Complexity: interComplexity,
		Summary: "Reads the members that all of several sets have.",
		Args:    argSetKeys, Run: sinter},
	{Name: "SINTERCARD", Arity: -3, Flags: ReadOnly, ACL: ACLSet,
		Keys:  []KeySpec{{Flags: RO | Access, Index: 1, Counted: true, FirstKey: 1, Step: 1}},
		Group: GroupSet, Since: "7.0.0", Complexity: interComplexity,
		Summary: "Counts the members that all of several sets have.",
		Args: []Arg{{Name: "numkeys", Type: ArgInteger}, {Name: "key", Type: ArgKey, Multiple: true},
			{Name: "limit", Type: ArgInteger, Token: "LIMIT", Optional: true}}, Run: sintercard},
	{Name: "SINTERSTORE", Arity: -3, Flags: Write | DenyOOM, ACL: ACLSet,
		Keys: storeKeys(RW | Update), Group: GroupSet, Since: "1.0.0", Complexity: interComplexity,
		Summary: "Stores the members that all of several sets have.",
		Args:    argSetStore, Run: sinterstore},
	{Name: "SISMEMBER", Arity: 3, Flags: ReadOnly | Fast, ACL: ACLSet,
		Keys: OneKey(1, RO), Group: GroupSet, Member: 2, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Tells whether a set has a member.",
		Args:    []Arg{argKey, argMember}, Run: sismember},
	{Name: "SMEMBERS", Arity: 2, Flags: ReadOnly, ACL: ACLSet, Tips: tipAnyOrder,
		Keys: OneKey(1, RO|Access), Group: GroupSet, Since: "1.0.0", Complexity: "O(N) where N is the number of members.",
		Summary: "Reads all members of a set.",
		Args:    []Arg{argKey}, Run: smembers},
	{Name: "SMISMEMBER", Arity: -3, Flags: ReadOnly | Fast, ACL: ACLSet,
		Keys: OneKey(1, RO|Access), Group: GroupSet, Member: 2, Since: "6.2.0",
		Complexity: "O(N) where N is the number of members asked for.",
		Summary:    "Tells of several members whether a set has them.",
		Args:       []Arg{argKey, argMembers}, Run: smismember},
	{Name: "SMOVE", Arity: 4, Flags: Write | Fast, ACL: ACLSet,
		Keys:  []KeySpec{{Flags: RW | Access | Delete, Index: 1, Step: 1}, {Flags: RW | Insert, Index: 2, Step: 1}},
		Group: GroupSet, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Moves a member from one set to another.",
		Args:    []Arg{{Name: "source", Type: ArgKey}, {Name: "destination", Type: ArgKey, KeySpecIndex: 1}, argMember},
		Run:     smove},
	{Name: "SPOP", Arity: -2, Flags: Write | Fast, ACL: ACLSet, Tips: tipRandom,
		Keys: OneKey(1, RW|Access|Delete), Group: GroupSet, Since: "1.0.0",
		Complexity: "O(1); with a count O(N) where N is the count.",
		Summary:    "Removes random members from a set and replies them.",
		History:    []Change{{"3.2.0", "Takes a `count`."}},
		Args:       []Arg{argKey, {Name: "count", Type: ArgInteger, Since: "3.2.0", Optional: true}}, Run: spop, WakesNobody: true},
	{Name: "SRANDMEMBER", Arity: -2, Flags: ReadOnly, ACL: ACLSet, Tips: tipRandom,
		Keys: OneKey(1, RO|Access), Group: GroupSet, Since: "1.0.0",
		Complexity: "O(1); with a count O(N) where N is the count without its sign.",
		Summary:    "Reads random members of a set.",
		History:    []Change{{"2.6.0", "Takes a `count`."}},
		Args:       []Arg{argKey, {Name: "count", Type: ArgInteger, Since: "2.6.0", Optional: true}}, Run: srandmember},
	{Name: "SREM", Arity: -3, Flags: Write | Fast, ACL: ACLSet,
		Keys: OneKey(1, RW|Delete), Group: GroupSet, Member: 2, Since: "1.0.0", Complexity: "O(N) where N is the number of members given.",
		Summary: "Removes members from a set.",
		History: []Change{{"2.4.0", "Takes several members."}},
		Args:    []Arg{argKey, argMembers}, Run: srem},
	{Name: "SSCAN", Arity: -3, Flags: ReadOnly, ACL: ACLSet, Tips: tipRandom,
		Keys: OneKey(1, RO|Access), Group: GroupSet, Since: "2.8.0",
		Complexity: "O(1) for a call; O(N) for all calls from cursor 0 to cursor 0, where N is the number of members.",
		Summary:    "Lists some members of a set and tells where the next call goes on.",
		Args:       elementScanArgs, Run: sscan},
	{Name: "SUNION", Arity: -2, Flags: ReadOnly, ACL: ACLSet, Tips: tipAnyOrder,
		Keys: KeyRange(1, -1, 1, RO|Access), Group: GroupSet, Since: "1.0.0", Complexity: unionComplexity,
		Summary: "Reads the members that any of several sets has.",
		Args:    argSetKeys, Run: sunion},
	{Name: "SUNIONSTORE", Arity: -3, Flags: Write | DenyOOM, ACL: ACLSet,
		Keys: storeKeys(OW | Update), Group: GroupSet, Since: "1.0.0", Complexity: unionComplexity,
		Summary: "Stores the members that any of several sets has.",
		Args:    argSetStore, Run: sunionstore},
}

// isSet tells whether e, which exists, is a set. If not, it replies with ErrWrongType.
func (c *Ctx) isSet(e shard.Entry) bool { return e.Type() == types.Set || c.refuseType() }

// openSet returns the set of e, which is one.
func openSet(db *shard.DB, e shard.Entry) sets.Value { return sets.Open(db.Space(), db.Root(e)) }

// lookupSet returns the set at k for reading: an empty one if there is no key. If k holds something else, it replies
// with an error and ok is false.
func (c *Ctx) lookupSet(k *shard.Key) (v sets.Value, ok bool) {
	e := c.lookup(k)
	switch {
	case !e.Exists():
		return sets.New(k.DB.Space()), true
	case !c.isSet(e):
		return v, false
	}
	return openSet(k.DB, e), true
}

// text returns e as text, in the scratch buffer if it is an integer.
func (c *Ctx) text(e listpack.Element) []byte {
	if e.IsInt {
		return e.Append(c.scratch[:0])
	}
	return e.Bytes
}

func sadd(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if e.Exists() && !c.isSet(e) {
		return
	}
	v := sets.New(k.DB.Space())
	if e.Exists() {
		v = openSet(k.DB, e)
	} else {
		c.Notify(NotifyNew, "new", k.Name)
	}
	added, done := 0, 2
	for ; done < len(c.Args); done++ {
		is, err := v.Add(c.Env.Limits, c.Args[done])
		if err != nil {
			break
		}
		if is {
			added++
		}
	}
	if added > 0 && !c.keepSet(k, e, &v) {
		return
	}
	if added > 0 {
		c.Changed(added)
		c.Notify(NotifySet, "sadd", k.Name)
	}
	if done < len(c.Args) {
		// Those that found room stay.
		if added > 0 {
			c.Propagate(k.DB.ID(), c.Args[:done]...)
		}
		c.Error(ErrNoMemory)
		return
	}
	c.Reply.Int(int64(added))
}

// keepSet makes v, to which members were added, the value of k, whose entry is e if it had one. It replies and reports false if
// there is no memory.
func (c *Ctx) keepSet(k *shard.Key, e shard.Entry, v *sets.Value) bool {
	if e.Exists() {
		k.DB.SetRoot(e, v.Root())
		return true
	}
	return c.addValue(k, v.Root())
}

// dropFrom keeps what is left of the set v at k, from which members were removed, under the event that says so.
func (c *Ctx) dropFrom(k *shard.Key, e shard.Entry, v *sets.Value, event string) {
	k.DB.SetRoot(e, v.Root())
	c.Notify(NotifySet, event, k.Name)
	if v.Len() == 0 {
		k.DB.Delete(k)
		c.Notify(NotifyGeneric, "del", k.Name)
	}
}

func srem(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Reply.Int(0)
		return
	}
	if !c.isSet(e) {
		return
	}
	v := openSet(k.DB, e)
	removed, left := 0, v.Len()
	for i := 2; i < len(c.Args) && removed < left; i++ {
		if v.Remove(c.Args[i]) {
			removed++
		}
	}
	if removed > 0 {
		c.dropFrom(k, e, &v, "srem")
		c.Changed(removed)
	}
	c.Reply.Int(int64(removed))
}

func scard(c *Ctx) {
	if v, ok := c.lookupSet(&c.Keys[0]); ok {
		c.Reply.Int(int64(v.Len()))
	}
}

func sismember(c *Ctx) {
	if v, ok := c.lookupSet(&c.Keys[0]); ok {
		c.replyIf(v.Contains(c.Args[2]))
	}
}

func smismember(c *Ctx) {
	v, ok := c.lookupSet(&c.Keys[0])
	if !ok {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		c.replyIf(v.Contains(member))
	}
}

func smembers(c *Ctx) {
	v, ok := c.lookupSet(&c.Keys[0])
	if !ok || c.Long(v.Len()) {
		return
	}
	c.Reply.Set(v.Len())
	c.replyMembers(&v)
}

// replyMembers replies all members of v, each as a bulk string.
func (c *Ctx) replyMembers(v *sets.Value) {
	var b sets.Batch
	left := v.Len()
	for it := v.Iter(); it.Next(&b); {
		at := len(c.Reply.Buf)
		for _, e := range b.Members() {
			c.bulkElement(e)
		}
		if left -= len(b.Members()); left > len(b.Members()) {
			c.reserve(len(c.Reply.Buf)-at, left, len(b.Members()))
		}
		c.Pause(len(b.Members()))
	}
}

// reserve makes room for the rest of a long reply: left elements like the last n, which took so many bytes. Growing
// step by step would copy it several times.
func (c *Ctx) reserve(bytes, left, n int) {
	if c.Yield != nil {
		return // it is sent step by step
	}
	const long = 64 << 10
	if room := bytes * left / n; room > long && room > cap(c.Reply.Buf)-len(c.Reply.Buf) {
		c.Reply.Buf = slices.Grow(c.Reply.Buf, room+room/8)
	}
}

// smove adds before it removes, as only adding can fail.
func smove(c *Ctx) {
	from, to, member := &c.Keys[0], &c.Keys[1], c.Args[3]
	e, at := from.DB.LookupWrite(from), to.DB.LookupWrite(to)
	if !e.Exists() {
		c.Reply.Int(0)
		return
	}
	if !c.isSet(e) || at.Exists() && !c.isSet(at) {
		return
	}
	v := openSet(from.DB, e)
	if string(from.Name) == string(to.Name) {
		c.replyIf(v.Contains(member))
		return
	}
	if !v.Contains(member) {
		c.Reply.Int(0)
		return
	}
	dst := sets.New(to.DB.Space())
	if at.Exists() {
		dst = openSet(to.DB, at)
	}
	added, err := dst.Add(c.Env.Limits, member)
	if err != nil {
		c.Error(ErrNoMemory)
		return
	}
	if added && !c.keepSet(to, at, &dst) {
		return
	}
	v.Remove(member)
	c.dropFrom(from, from.DB.Find(from), &v, "srem") // keeping dst may have moved from's entry
	c.Changed(1)
	if !at.Exists() {
		c.Notify(NotifyNew, "new", to.Name)
	}
	if added {
		c.Changed(1)
		c.Notify(NotifySet, "sadd", to.Name)
	}
	c.Reply.Int(1)
}

func sscan(c *Ctx) {
	cursor, ok := c.cursorArg(2)
	if !ok {
		return
	}
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.replyNothingScanned()
		return
	}
	if !c.isSet(e) {
		return
	}
	v := openSet(k.DB, e)
	c.scanElements(cursor, v.Len(), func(s *elementScan) {
		s.cursor = uint64(v.Scan(uint32(s.cursor), func(e listpack.Element) {
			s.visited++
			if s.matches(e) {
				c.bulkElement(e)
				s.found++
			}
		}))
	})
}
