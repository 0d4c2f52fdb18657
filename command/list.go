package command

import (
	"math"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	lists "github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/quicklist"
)

// What several list commands say of themselves.
var (
	argElement   = Arg{Name: "element", Type: ArgString}
	argElements  = Arg{Name: "element", Type: ArgString, Multiple: true}
	argIndex     = Arg{Name: "index", Type: ArgInteger}
	argStop      = Arg{Name: "stop", Type: ArgInteger}
	argPopCount  = Arg{Name: "count", Type: ArgInteger, Since: "6.2.0", Optional: true}
	argTimeout   = Arg{Name: "timeout", Type: ArgDouble}
	argListKeys  = Arg{Name: "key", Type: ArgKey, Multiple: true}
	argNumKeys   = Arg{Name: "numkeys", Type: ArgInteger}
	argEnd       = Arg{Name: "where", Type: ArgOneOf, Args: listEnds}
	argMaxCount  = Arg{Name: "count", Type: ArgInteger, Token: "COUNT", Optional: true}
	argMove      = []Arg{{Name: "source", Type: ArgKey}, {Name: "destination", Type: ArgKey, KeySpecIndex: 1}}
	argMoveEnds  = []Arg{{Name: "wherefrom", Type: ArgOneOf, Args: listEnds}, {Name: "whereto", Type: ArgOneOf, Args: listEnds}}
	listEnds     = []Arg{{Name: "left", Type: ArgPureToken, Token: "LEFT"}, {Name: "right", Type: ArgPureToken, Token: "RIGHT"}}
	multiPushed  = []Change{{"2.4.0", "Takes several elements."}}
	multiPushedX = []Change{{"4.0.0", "Takes several elements."}}
	countPopped  = []Change{{"6.2.0", "Takes a `count`."}}
	floatTimeout = []Change{{"6.0.0", "`timeout` may have a fraction."}}
)

const (
	pushComplexity = "O(1) for each element."
	popComplexity  = "O(N) where N is the number of elements replied."
	mpopComplexity = "O(N+M) where N is the number of keys and M that of the elements replied."
	bpopComplexity = "O(N) where N is the number of keys."
)

// moveKeys is the key specification of what moves an element from the first key to the second.
var moveKeys = []KeySpec{{Flags: RW | Access | Delete, Index: 1, Step: 1}, {Flags: RW | Insert, Index: 2, Step: 1}}

// ListCommands are the commands on lists.
var ListCommands = []Spec{
	{Name: "BLMOVE", Arity: 6, Flags: Write | DenyOOM | NoScript | Blocking, ACL: ACLList,
		Keys: moveKeys, Group: GroupList, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Moves an element from an end of a list to an end of another, waiting for one.",
		Args:    append(append(argMove[:2:2], argMoveEnds...), argTimeout), Run: blmove},
	{Name: "BLMPOP", Arity: -5, Flags: Write | Blocking, ACL: ACLList,
		Keys:  []KeySpec{{Flags: RW | Access | Delete, Index: 2, Counted: true, FirstKey: 1, Step: 1}},
		Group: GroupList, Since: "7.0.0", Complexity: mpopComplexity,
		Summary: "Removes elements from an end of the first of several lists that has any, waiting for one.",
		Args:    []Arg{argTimeout, argNumKeys, argListKeys, argEnd, argMaxCount}, Run: blmpop},
	{Name: "BLPOP", Arity: -3, Flags: Write | NoScript | Blocking, ACL: ACLList,
		Keys: KeyRange(1, -2, 1, RW|Access|Delete), Group: GroupList, Since: "2.0.0", Complexity: bpopComplexity,
		Summary: "Removes the first element of the first of several lists that has any, waiting for one.",
		History: floatTimeout, Args: []Arg{argListKeys, argTimeout}, Run: blpop},
	{Name: "BRPOP", Arity: -3, Flags: Write | NoScript | Blocking, ACL: ACLList,
		Keys: KeyRange(1, -2, 1, RW|Access|Delete), Group: GroupList, Since: "2.0.0", Complexity: bpopComplexity,
		Summary: "Removes the last element of the first of several lists that has any, waiting for one.",
		History: floatTimeout, Args: []Arg{argListKeys, argTimeout}, Run: brpop},
	{Name: "BRPOPLPUSH", Arity: 4, Flags: Write | DenyOOM | NoScript | Blocking, ACL: ACLList,
		Keys: moveKeys, Group: GroupList, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Moves the last element of a list to the beginning of another, waiting for one.",
		History: floatTimeout, DeprecatedIn: "6.2.0", ReplacedBy: "`BLMOVE` with the `RIGHT` and `LEFT` arguments",
		DocFlags: []string{"deprecated"}, Args: append(argMove[:2:2], argTimeout), Run: brpoplpush},
	{Name: "LINDEX", Arity: 3, Flags: ReadOnly, ACL: ACLList,
		Keys: OneKey(1, RO|Access), Group: GroupList, Since: "1.0.0", Complexity: "O(log N) for a list of N elements.",
		Summary: "Reads an element by its index.",
		Args:    []Arg{argKey, argIndex}, Run: lindex},
	{Name: "LINSERT", Arity: 5, Flags: Write | DenyOOM, ACL: ACLList,
		Keys: OneKey(1, RW|Insert), Group: GroupList, Since: "2.2.0",
		Complexity: "O(N) where N is the number of elements before the pivot.",
		Summary:    "Inserts an element before or after another.",
		Args: []Arg{argKey, {Name: "where", Type: ArgOneOf, Args: []Arg{
			{Name: "before", Type: ArgPureToken, Token: "BEFORE"}, {Name: "after", Type: ArgPureToken, Token: "AFTER"}}},
			{Name: "pivot", Type: ArgString}, argElement}, Run: linsert},
	{Name: "LLEN", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLList,
		Keys: OneKey(1, RO), Group: GroupList, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Counts the elements of a list.",
		Args:    []Arg{argKey}, Run: llen},
	{Name: "LMOVE", Arity: 5, Flags: Write | DenyOOM, ACL: ACLList,
		Keys: moveKeys, Group: GroupList, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Moves an element from an end of a list to an end of another.",
		Args:    append(argMove[:2:2], argMoveEnds...), Run: lmove},
	{Name: "LMPOP", Arity: -4, Flags: Write, ACL: ACLList,
		Keys:  []KeySpec{{Flags: RW | Access | Delete, Index: 1, Counted: true, FirstKey: 1, Step: 1}},
		Group: GroupList, Since: "7.0.0", Complexity: mpopComplexity,
		Summary: "Removes elements from an end of the first of several lists that has any.",
		Args:    []Arg{argNumKeys, argListKeys, argEnd, argMaxCount}, Run: lmpop, WakesNobody: true},
	{Name: "LPOP", Arity: -2, Flags: Write | Fast, ACL: ACLList,
		Keys: OneKey(1, RW|Access|Delete), Group: GroupList, Since: "1.0.0", Complexity: popComplexity,
		Summary: "Removes the first elements of a list and replies them.",
		History: countPopped, Args: []Arg{argKey, argPopCount}, Run: lpop, WakesNobody: true},
	{Name: "LPOS", Arity: -3, Flags: ReadOnly, ACL: ACLList,
		Keys: OneKey(1, RO|Access), Group: GroupList, Since: "6.0.6",
		Complexity: "O(N) where N is the number of elements compared, MAXLEN at most.",
		Summary:    "Finds the indexes of elements that equal a given one.",
		Args: []Arg{argKey, argElement, {Name: "rank", Type: ArgInteger, Token: "RANK", Optional: true},
			{Name: "num-matches", Type: ArgInteger, Token: "COUNT", Optional: true},
			{Name: "len", Type: ArgInteger, Token: "MAXLEN", Optional: true}}, Run: lpos},
	{Name: "LPUSH", Arity: -3, Flags: Write | DenyOOM | Fast, ACL: ACLList,
		Keys: OneKey(1, RW|Insert), Group: GroupList, Since: "1.0.0", Complexity: pushComplexity,
		Summary: "Adds elements at the beginning of a list, creating it if there is none.",
		History: multiPushed, Args: []Arg{argKey, argElements}, Run: lpush},
	{Name: "LPUSHX", Arity: -3, Flags: Write | DenyOOM | Fast, ACL: ACLList,
		Keys: OneKey(1, RW|Insert), Group: GroupList, Since: "2.2.0", Complexity: pushComplexity,
		Summary: "Adds elements at the beginning of a list if there is one.",
		History: multiPushedX, Args: []Arg{argKey, argElements}, Run: lpushx},
	{Name: "LRANGE", Arity: 4, Flags: ReadOnly, ACL: ACLList,
		Keys: OneKey(1, RO|Access), Group: GroupList, Since: "1.0.0", Complexity: popComplexity,
		Summary: "Reads the elements between two indexes.",
		Args:    []Arg{argKey, {Name: "start", Type: ArgInteger}, argStop}, Run: lrange},
	{Name: "LREM", Arity: 4, Flags: Write, ACL: ACLList,
		Keys: OneKey(1, RW|Delete), Group: GroupList, Since: "1.0.0",
		Complexity: "O(N) where N is the number of elements of the list.",
		Summary:    "Removes elements that equal a given one.",
		Args:       []Arg{argKey, {Name: "count", Type: ArgInteger}, argElement}, Run: lrem, WakesNobody: true},
	{Name: "LSET", Arity: 4, Flags: Write | DenyOOM, ACL: ACLList,
		Keys: OneKey(1, RW|Update), Group: GroupList, Since: "1.0.0", Complexity: "O(log N) for a list of N elements.",
		Summary: "Replaces an element by its index.",
		Args:    []Arg{argKey, argIndex, argElement}, Run: lset},
	{Name: "LTRIM", Arity: 4, Flags: Write, ACL: ACLList,
		Keys: OneKey(1, RW|Delete), Group: GroupList, Since: "1.0.0",
		Complexity: "O(N) where N is the number of elements removed.",
		Summary:    "Removes all elements but those between two indexes.",
		Args:       []Arg{argKey, {Name: "start", Type: ArgInteger}, argStop}, Run: ltrim, WakesNobody: true},
	{Name: "RPOP", Arity: -2, Flags: Write | Fast, ACL: ACLList,
		Keys: OneKey(1, RW|Access|Delete), Group: GroupList, Since: "1.0.0", Complexity: popComplexity,
		Summary: "Removes the last elements of a list and replies them.",
		History: countPopped, Args: []Arg{argKey, argPopCount}, Run: rpop, WakesNobody: true},
	{Name: "RPOPLPUSH", Arity: 3, Flags: Write | DenyOOM, ACL: ACLList,
		Keys: moveKeys, Group: GroupList, Since: "1.2.0", Complexity: "O(1)",
		Summary:      "Moves the last element of a list to the beginning of another.",
		DeprecatedIn: "6.2.0", ReplacedBy: "`LMOVE` with the `RIGHT` and `LEFT` arguments",
		DocFlags: []string{"deprecated"}, Args: argMove, Run: rpoplpush},
	{Name: "RPUSH", Arity: -3, Flags: Write | DenyOOM | Fast, ACL: ACLList,
		Keys: OneKey(1, RW|Insert), Group: GroupList, Since: "1.0.0", Complexity: pushComplexity,
		Summary: "Adds elements at the end of a list, creating it if there is none.",
		History: multiPushed, Args: []Arg{argKey, argElements}, Run: rpush},
	{Name: "RPUSHX", Arity: -3, Flags: Write | DenyOOM | Fast, ACL: ACLList,
		Keys: OneKey(1, RW|Insert), Group: GroupList, Since: "2.2.0", Complexity: pushComplexity,
		Summary: "Adds elements at the end of a list if there is one.",
		History: multiPushedX, Args: []Arg{argKey, argElements}, Run: rpushx},
}

// isList tells whether e, which exists, is a list. If not, it replies with ErrWrongType.
func (c *Ctx) isList(e shard.Entry) bool { return e.Type() == types.List || c.refuseType() }

// openList returns the list of e, which is one.
func openList(db *shard.DB, e shard.Entry) lists.Value { return lists.Open(db.Space(), db.Root(e)) }

// lookupList returns the list at k for reading: an empty one if there is no key. If k holds something else, it replies
// so and ok is false.
func (c *Ctx) lookupList(k *shard.Key) (v lists.Value, ok bool) {
	e := c.lookup(k)
	switch {
	case !e.Exists():
		return lists.New(k.DB.Space()), true
	case !c.isList(e):
		return v, false
	}
	return openList(k.DB, e), true
}

// pushEvent and popEvent name what happens at the end of a list.
func pushEvent(tail bool) string {
	if tail {
		return "rpush"
	}
	return "lpush"
}

func popEvent(tail bool) string {
	if tail {
		return "rpop"
	}
	return "lpop"
}

func lpush(c *Ctx)  { c.push(false, false) }
func rpush(c *Ctx)  { c.push(true, false) }
func lpushx(c *Ctx) { c.push(false, true) }
func rpushx(c *Ctx) { c.push(true, true) }

// push adds the arguments from the second on at an end of the list.
func (c *Ctx) push(tail, mustExist bool) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	var v lists.Value
	if !c.listToPush(&v, k, e, mustExist) {
		return
	}
	done := 2
	for ; done < len(c.Args) && pushAt(c, &v, c.Args[done], tail); done++ {
	}
	if !c.keepList(k, e, &v) {
		return
	}
	if done > 2 {
		c.Changed(done - 2)
		c.Notify(NotifyList, pushEvent(tail), k.Name)
	}
	if done < len(c.Args) {
		// Those that found room stay.
		if done > 2 {
			c.Propagate(k.DB.ID(), c.Args[:done]...)
		}
		c.Error(ErrNoMemory)
		return
	}
	c.Reply.Int(int64(v.Len()))
}

// listToPush makes v, which is zero, the list at k, whose entry is e, or a new one. If ok is false, it has replied.
func (c *Ctx) listToPush(v *lists.Value, k *shard.Key, e shard.Entry, mustExist bool) (ok bool) {
	switch {
	case e.Exists() && !c.isList(e):
		return false
	case e.Exists():
		v.Load(k.DB.Space(), k.DB.Root(e))
		return true
	case mustExist:
		c.Reply.Int(0)
		return false
	}
	c.Notify(NotifyNew, "new", k.Name)
	*v = lists.New(k.DB.Space())
	return true
}

func pushAt(c *Ctx, v *lists.Value, elem []byte, tail bool) bool {
	if tail {
		return v.PushTail(c.Env.Limits, elem)
	}
	return v.PushHead(c.Env.Limits, elem)
}

// keepList makes v the value of k, whose entry is e if it had one. It replies and reports false if there is no memory.
func (c *Ctx) keepList(k *shard.Key, e shard.Entry, v *lists.Value) bool {
	switch {
	case e.Exists():
		k.DB.SetRoot(e, v.Root())
		return true
	case v.Len() == 0:
		return true
	}
	return c.addValue(k, v.Root())
}

// dropFromList keeps what is left of the list v at k, from which elements were removed, under the event that says so.
func (c *Ctx) dropFromList(k *shard.Key, e shard.Entry, v *lists.Value, event string) {
	k.DB.SetRoot(e, v.Root())
	c.Notify(NotifyList, event, k.Name)
	if v.Len() == 0 {
		k.DB.Delete(k)
		c.Notify(NotifyGeneric, "del", k.Name)
	}
}

// atLeast returns argument i as an integer that is not less than least; otherwise it replies with e.
func (c *Ctx) atLeast(i int, least int64, e Error) (int64, bool) {
	n, ok := c.intArgOr(i, e)
	if ok && n < least {
		c.Error(e)
		return 0, false
	}
	return n, ok
}

func lpop(c *Ctx) { c.pop(false) }
func rpop(c *Ctx) { c.pop(true) }

func (c *Ctx) pop(tail bool) {
	if len(c.Args) > 3 {
		c.Error(c.Spec.ErrArity())
		return
	}
	count := int64(-1)
	if len(c.Args) == 3 {
		var ok bool
		if count, ok = c.atLeast(2, 0, ErrNotPositive); !ok {
			return
		}
	}
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	switch {
	case !e.Exists() && count >= 0:
		c.Reply.NullArray()
	case !e.Exists():
		c.Reply.Null()
	case !c.isList(e):
	case count < 0:
		c.popOne(k, e, tail)
	case count == 0:
		c.Reply.Array(0)
	case c.Long(int(min(count, int64(k.DB.Elements(e))))):
	default:
		c.popSome(k, e, count, tail)
	}
}

// popOne removes an element from an end of the list of e, which has some, and replies it.
func (c *Ctx) popOne(k *shard.Key, e shard.Entry, tail bool) bool {
	var v lists.Value
	v.Load(k.DB.Space(), k.DB.Root(e))
	head := len(c.Reply.Buf)
	c.bulkElement(v.End(tail))
	if !v.Pop(c.Env.Limits, tail) {
		return c.popFailed(k, e, &v, head)
	}
	c.Changed(1)
	c.dropFromList(k, e, &v, popEvent(tail))
	return true
}

// popSome removes at most count elements from an end of the list of e, which has some, and replies them as an array.
func (c *Ctx) popSome(k *shard.Key, e shard.Entry, count int64, tail bool) bool {
	v := openList(k.DB, e)
	n := int(min(count, int64(v.Len())))
	head := len(c.Reply.Buf)
	c.Uncounted = c.Yield != nil // the reply is kept until nothing can fail any more
	c.Reply.Array(n)
	from := 0
	if tail {
		from = v.Len() - n
		c.replyElements(v.BackFrom(v.Len()-1), n)
	} else {
		c.replyElements(v.From(0), n)
	}
	if c.deleteRange(k, e, &v, from, n) < n {
		return c.popFailed(k, e, &v, head)
	}
	c.Uncounted = false
	c.Changed(n)
	c.dropFromList(k, e, &v, popEvent(tail))
	return true
}

// deleteRange removes n elements from index from on, with a pause now and then, and returns how many: fewer if memory
// is missing for the rest of a node.
func (c *Ctx) deleteRange(k *shard.Key, e shard.Entry, v *lists.Value, from, n int) (deleted int) {
	const few = 10_000
	for deleted < n {
		m := min(n-deleted, few)
		d := v.Delete(c.Env.Limits, from, m)
		if deleted += d; d < m {
			return deleted
		}
		if c.Yield != nil {
			k.DB.KeepRoot(e, v.Root())
			c.Pause(m)
		}
	}
	return deleted
}

// popFailed keeps a list for whose rest there is no memory, and takes back the reply from head on.
func (c *Ctx) popFailed(k *shard.Key, e shard.Entry, v *lists.Value, head int) bool {
	k.DB.KeepRoot(e, v.Root())
	if c.Uncounted {
		c.dropReply()
	} else {
		c.Reply.Buf = c.Reply.Buf[:head]
	}
	c.Error(ErrNoMemory)
	return false
}

// replyElements replies n elements, of which there are so many.
func (c *Ctx) replyElements(it quicklist.Iter, n int) {
	for ; n > 0; n-- {
		c.bulkElement(it.Element())
		it.Next()
		c.Pause(1)
	}
}

func llen(c *Ctx) {
	if v, ok := c.lookupList(&c.Keys[0]); ok {
		c.Reply.Int(int64(v.Len()))
	}
}

func lindex(c *Ctx) {
	k := &c.Keys[0]
	v, ok := c.lookupList(k)
	switch {
	case !ok:
		return
	case v.Len() == 0:
		c.Reply.Null()
		return
	}
	index, ok := c.intArg(2)
	if !ok {
		return
	}
	if i := fromEnd(index, v.Len()); i >= 0 && i < int64(v.Len()) {
		it := v.From(int(i))
		c.bulkElement(it.Element())
	} else {
		c.Reply.Null()
	}
}

// fromEnd returns an index, which counts from the end if it is negative, as one that counts from the beginning.
func fromEnd(index int64, n int) int64 {
	if index < 0 {
		return index + int64(n)
	}
	return index
}

// rangeArgs returns arguments 2 and 3, the first index and the last one.
func (c *Ctx) rangeArgs() (start, stop int64, ok bool) {
	if start, ok = c.intArg(2); !ok {
		return 0, 0, false
	}
	stop, ok = c.intArg(3)
	return start, stop, ok
}

// within returns the part of n elements that lies between two indexes.
func within(start, stop int64, n int) (from, count int) {
	start, stop = max(fromEnd(start, n), 0), min(fromEnd(stop, n), int64(n)-1)
	if start > stop {
		return 0, 0
	}
	return int(start), int(stop-start) + 1
}

func lrange(c *Ctx) {
	start, stop, ok := c.rangeArgs()
	if !ok {
		return
	}
	v, ok := c.lookupList(&c.Keys[0])
	if !ok {
		return
	}
	from, n := within(start, stop, v.Len())
	if c.Long(n) {
		return
	}
	c.Reply.Array(n)
	c.replyElements(v.From(from), n)
}

func lset(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Error(ErrNoKey)
		return
	}
	if !c.isList(e) {
		return
	}
	index, ok := c.intArg(2)
	if !ok {
		return
	}
	v := openList(k.DB, e)
	i := fromEnd(index, v.Len())
	if i < 0 || i >= int64(v.Len()) {
		c.Error(ErrOutOfRange)
		return
	}
	ok = v.Replace(c.Env.Limits, int(i), c.Args[3])
	k.DB.SetRoot(e, v.Root())
	if !ok {
		c.Error(ErrNoMemory)
		return
	}
	c.Reply.OK()
	c.Changed(1)
	c.Notify(NotifyList, "lset", k.Name)
}

func linsert(c *Ctx) {
	after := c.isOption(2, "AFTER")
	if !after && !c.isOption(2, "BEFORE") {
		c.Error(ErrSyntax)
		return
	}
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Reply.Int(0)
		return
	}
	if !c.isList(e) {
		return
	}
	v := openList(k.DB, e)
	index, long := c.findElement(&v, c.Args[3])
	if long {
		return
	}
	if index < 0 {
		c.Reply.Int(-1)
		return
	}
	if after {
		index++
	}
	ok := v.Insert(c.Env.Limits, index, c.Args[4])
	k.DB.SetRoot(e, v.Root())
	if !ok {
		c.Error(ErrNoMemory)
		return
	}
	c.Changed(1)
	c.Notify(NotifyList, "linsert", k.Name)
	c.Reply.Int(int64(v.Len()))
}

// findElement returns the index of the first element that equals text, or -1. If long is true that takes long, and the
// command will run in steps.
func (c *Ctx) findElement(v *lists.Value, text []byte) (index int, long bool) {
	m := quicklist.MatcherOf(text)
	for it := v.From(0); it.OK(); it.Next() {
		if m.Matches(it.Element()) {
			return index, false
		}
		if index++; index == longElements && c.Long(index) {
			return 0, true
		}
		c.Pause(1)
	}
	return -1, false
}

func lrem(c *Ctx) {
	count, ok := c.intArg(2)
	if !ok {
		return
	}
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Reply.Int(0)
		return
	}
	if !c.isList(e) {
		return
	}
	back, most := count < 0, count
	if back {
		most = -count
	}
	if most <= 0 { // zero, or the one number without an opposite
		most = math.MaxInt
	}
	v := openList(k.DB, e)
	if c.Long(v.Len()) {
		return
	}
	removed := v.Remove(c.Env.Limits, c.Args[3], int(most), back, func(n int) {
		if c.Yield != nil {
			k.DB.KeepRoot(e, v.Root())
			c.Pause(n)
		}
	})
	if removed > 0 {
		c.dropFromList(k, e, &v, "lrem")
		c.Changed(removed)
	}
	c.Reply.Int(int64(removed))
}

// nodeElements is how many elements are removed in the time of one that is looked at: they go by nodes.
const nodeElements = 16

func ltrim(c *Ctx) {
	start, stop, ok := c.rangeArgs()
	if !ok {
		return
	}
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Reply.OK()
		return
	}
	if !c.isList(e) {
		return
	}
	v := openList(k.DB, e)
	from, n := within(start, stop, v.Len())
	removed := v.Len() - n
	if n > 0 && c.Long(removed/nodeElements) {
		return
	}
	if n == 0 { // all of it
		c.Changed(removed)
		c.Notify(NotifyList, "ltrim", k.Name)
		k.DB.Delete(k)
		c.Notify(NotifyGeneric, "del", k.Name)
		c.Reply.OK()
		return
	}
	if c.deleteRange(k, e, &v, from+n, v.Len()-from-n)+c.deleteRange(k, e, &v, 0, from) < removed {
		k.DB.SetRoot(e, v.Root())
		c.Error(ErrNoMemory)
		return
	}
	c.Changed(removed)
	c.dropFromList(k, e, &v, "ltrim")
	c.Reply.OK()
}
