package command

import (
	"slices"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/zset"
)

// What several commands say of their complexity.
const (
	zsetcxOne   = "O(log(N)) where N is the number of members."
	zsetcxRange = "O(log(N)+M) where N is the number of members and M the number of those in the range."
	zsetcxInter = "O(N*K)+O(M*log(M)) where N is the number of members of the smallest of K sorted sets and M that of the result."
	zsetcxUnion = "O(N)+O(M*log(M)) where N is the number of members of all sorted sets and M that of the result."
	zsetcxDiff  = "O(N*K) at worst where N is the number of members of the first of K sorted sets."
)

// Arguments that several commands have.
var (
	zwithScoresArg = Arg{Name: "withscores", Type: ArgPureToken, Token: "WITHSCORES", Optional: true}
	zlimitArg      = Arg{Name: "offset_count", Type: ArgBlock, Token: "LIMIT", Optional: true, Args: zlimitParts}
	zlimitParts    = []Arg{{Name: "offset", Type: ArgInteger}, {Name: "count", Type: ArgInteger}}
	zscoreArgs     = []Arg{argKey, {Name: "min", Type: ArgDouble}, {Name: "max", Type: ArgDouble}}
	zlexArgs       = []Arg{argKey, {Name: "min", Type: ArgString}, {Name: "max", Type: ArgString}}
	zrankRangeArgs = []Arg{argKey, {Name: "start", Type: ArgInteger}, {Name: "stop", Type: ArgInteger}}
	zrankArgs      = []Arg{argKey, argMember,
		{Name: "withscore", Type: ArgPureToken, Token: "WITHSCORE", Since: "7.2.0", Optional: true}}
	zdestArg = Arg{Name: "destination", Type: ArgKey}
	zaddArgs = []Arg{argKey,
		{Name: "condition", Type: ArgOneOf, Since: "3.0.2", Optional: true, Args: []Arg{
			{Name: "nx", Type: ArgPureToken, Token: "NX"}, {Name: "xx", Type: ArgPureToken, Token: "XX"}}},
		{Name: "comparison", Type: ArgOneOf, Since: "6.2.0", Optional: true, Args: []Arg{
			{Name: "gt", Type: ArgPureToken, Token: "GT"}, {Name: "lt", Type: ArgPureToken, Token: "LT"}}},
		{Name: "change", Type: ArgPureToken, Token: "CH", Since: "3.0.2", Optional: true},
		{Name: "increment", Type: ArgPureToken, Token: "INCR", Since: "3.0.2", Optional: true},
		{Name: "score_member", Type: ArgBlock, Multiple: true, Args: []Arg{{Name: "score", Type: ArgDouble}, argMember}}}
	zmpopArgs = []Arg{{Name: "numkeys", Type: ArgInteger}, {Name: "key", Type: ArgKey, Multiple: true},
		{Name: "where", Type: ArgOneOf, Args: []Arg{
			{Name: "min", Type: ArgPureToken, Token: "MIN"}, {Name: "max", Type: ArgPureToken, Token: "MAX"}}},
		{Name: "count", Type: ArgInteger, Token: "COUNT", Optional: true}}
	zweightArgs = []Arg{{Name: "weight", Type: ArgInteger, Token: "WEIGHTS", Optional: true, Multiple: true},
		{Name: "aggregate", Type: ArgOneOf, Token: "AGGREGATE", Optional: true, Args: []Arg{
			{Name: "sum", Type: ArgPureToken, Token: "SUM"}, {Name: "min", Type: ArgPureToken, Token: "MIN"},
			{Name: "max", Type: ArgPureToken, Token: "MAX"}}}}
	zrandArgs = []Arg{argKey, {Name: "options", Type: ArgBlock, Optional: true, Args: []Arg{
		{Name: "count", Type: ArgInteger}, zwithScoresArg}}}
	zsortByParts = []Arg{{Name: "byscore", Type: ArgPureToken, Token: "BYSCORE"}, {Name: "bylex", Type: ArgPureToken, Token: "BYLEX"}}
	zrangeArgs   = []Arg{argKey, {Name: "start", Type: ArgString}, {Name: "stop", Type: ArgString},
		{Name: "sortby", Type: ArgOneOf, Since: "6.2.0", Optional: true, Args: zsortByParts},
		{Name: "rev", Type: ArgPureToken, Token: "REV", Since: "6.2.0", Optional: true},
		{Name: "offset_count", Type: ArgBlock, Token: "LIMIT", Since: "6.2.0", Optional: true, Args: zlimitParts},
		zwithScoresArg}
	zrangeStoreArgs = []Arg{{Name: "dst", Type: ArgKey}, {Name: "src", Type: ArgKey, KeySpecIndex: 1},
		{Name: "min", Type: ArgString}, {Name: "max", Type: ArgString},
		{Name: "sortby", Type: ArgOneOf, Optional: true, Args: zsortByParts},
		{Name: "rev", Type: ArgPureToken, Token: "REV", Optional: true}, zlimitArg}
	zstoreKeys = []KeySpec{{Flags: OW | Update, Index: 1, Step: 1},
		{Flags: RO | Access, Index: 2, Counted: true, FirstKey: 1, Step: 1}}
)

// zkeysArgs are a number of keys and the keys, which the key specification of that index finds.
func zkeysArgs(spec int) []Arg {
	return []Arg{{Name: "numkeys", Type: ArgInteger}, {Name: "key", Type: ArgKey, KeySpecIndex: spec, Multiple: true}}
}

// ZSetCommands are the commands on sorted sets.
var ZSetCommands = []Spec{
	{Name: "BZMPOP", Arity: -5, Flags: Write | Blocking, ACL: ACLSortedSet,
		Keys: []KeySpec{{Flags: RW | Access | Delete, Index: 2, Counted: true, FirstKey: 1, Step: 1}}, Group: GroupSortedSet, Since: "7.0.0",
		Complexity: "O(K)+O(M*log(N)) where K is the number of keys, N the number of members and M the number of those that are removed.",
		Summary:    "Removes the first or last members of the first sorted set that has any, and waits for one.",
		Args:       append([]Arg{{Name: "timeout", Type: ArgDouble}}, zmpopArgs...), Run: bzmpop},
	{Name: "BZPOPMAX", Arity: -3, Flags: Write | NoScript | Blocking | Fast, ACL: ACLSortedSet,
		Keys: KeyRange(1, -2, 1, RW|Access|Delete), Group: GroupSortedSet, Since: "5.0.0",
		Complexity: zsetcxOne,
		Summary:    "Removes the last member of the first sorted set that has any, and waits for one.",
		History:    []Change{{"6.0.0", "`timeout` may have a fraction."}},
		Args:       []Arg{{Name: "key", Type: ArgKey, Multiple: true}, {Name: "timeout", Type: ArgDouble}}, Run: bzpopmax},
	{Name: "BZPOPMIN", Arity: -3, Flags: Write | NoScript | Blocking | Fast, ACL: ACLSortedSet,
		Keys: KeyRange(1, -2, 1, RW|Access|Delete), Group: GroupSortedSet, Since: "5.0.0",
		Complexity: zsetcxOne,
		Summary:    "Removes the first member of the first sorted set that has any, and waits for one.",
		History:    []Change{{"6.0.0", "`timeout` may have a fraction."}},
		Args:       []Arg{{Name: "key", Type: ArgKey, Multiple: true}, {Name: "timeout", Type: ArgDouble}}, Run: bzpopmin},
	{Name: "ZADD", Arity: -4, Flags: Write | DenyOOM | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Update), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: "O(M*log(N)) where N is the number of members and M the number of those given.",
		Summary:    "Adds members with their scores to a sorted set, or gives members other scores, creating it if there is none.",
		History: []Change{{"2.4.0", "Takes several members."}, {"3.0.2", "The options `XX`, `NX`, `CH` and `INCR`."},
			{"6.2.0", "The options `GT` and `LT`."}},
		Args: zaddArgs, Run: zadd},
	{Name: "ZCARD", Arity: 2, Flags: ReadOnly | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RO), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: "O(1)",
		Summary:    "Counts the members of a sorted set.",
		Args:       argOnlyKey, Run: zcard},
	{Name: "ZCOUNT", Arity: 4, Flags: ReadOnly | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.0.0",
		Complexity: zsetcxOne,
		Summary:    "Counts the members with scores in a range.",
		Args:       zscoreArgs, Run: zcount},
	{Name: "ZDIFF", Arity: -3, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: []KeySpec{{Flags: RO | Access, Index: 1, Counted: true, FirstKey: 1, Step: 1}}, Group: GroupSortedSet, Since: "6.2.0",
		Complexity: zsetcxDiff,
		Summary:    "Reads the members of the first sorted set that none of the others has.",
		Args:       append(zkeysArgs(0), zwithScoresArg), Run: zdiff},
	{Name: "ZDIFFSTORE", Arity: -4, Flags: Write | DenyOOM, ACL: ACLSortedSet,
		Keys: zstoreKeys, Group: GroupSortedSet, Since: "6.2.0",
		Complexity: zsetcxDiff,
		Summary:    "Stores the members of the first sorted set that none of the others has.",
		Args:       append([]Arg{zdestArg}, zkeysArgs(1)...), Run: zdiffstore},
	{Name: "ZINCRBY", Arity: 4, Flags: Write | DenyOOM | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Access|Update), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: zsetcxOne,
		Summary:    "Adds a number to the score of a member, which is 0 before it is there.",
		Args:       []Arg{argKey, {Name: "increment", Type: ArgInteger}, argMember}, Run: zincrby},
	{Name: "ZINTER", Arity: -3, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: []KeySpec{{Flags: RO | Access, Index: 1, Counted: true, FirstKey: 1, Step: 1}}, Group: GroupSortedSet, Since: "6.2.0",
		Complexity: zsetcxInter,
		Summary:    "Reads the members that all of several sorted sets have.",
		Args:       slices.Concat(zkeysArgs(0), zweightArgs, []Arg{zwithScoresArg}), Run: zinter},
	{Name: "ZINTERCARD", Arity: -3, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: []KeySpec{{Flags: RO | Access, Index: 1, Counted: true, FirstKey: 1, Step: 1}}, Group: GroupSortedSet, Since: "7.0.0",
		Complexity: zsetcxInter,
		Summary:    "Counts the members that all of several sorted sets have.",
		Args:       append(zkeysArgs(0), Arg{Name: "limit", Type: ArgInteger, Token: "LIMIT", Optional: true}), Run: zintercard},
	{Name: "ZINTERSTORE", Arity: -4, Flags: Write | DenyOOM, ACL: ACLSortedSet,
		Keys: zstoreKeys, Group: GroupSortedSet, Since: "2.0.0",
		Complexity: zsetcxInter,
		Summary:    "Stores the members that all of several sorted sets have.",
		Args:       slices.Concat([]Arg{zdestArg}, zkeysArgs(1), zweightArgs), Run: zinterstore},
	{Name: "ZLEXCOUNT", Arity: 4, Flags: ReadOnly | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.8.9",
		Complexity: zsetcxOne,
		Summary:    "Counts the members in a range by their bytes.",
		Args:       zlexArgs, Run: zlexcount},
	{Name: "ZMPOP", Arity: -4, Flags: Write, ACL: ACLSortedSet,
		Keys: []KeySpec{{Flags: RW | Access | Delete, Index: 1, Counted: true, FirstKey: 1, Step: 1}}, Group: GroupSortedSet, Since: "7.0.0",
		Complexity: "O(K)+O(M*log(N)) where K is the number of keys, N the number of members and M the number of those that are removed.",
		Summary:    "Removes the first or last members of the first sorted set that has any.",
		Args:       zmpopArgs, Run: zmpop, WakesNobody: true},
	{Name: "ZMSCORE", Arity: -3, Flags: ReadOnly | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "6.2.0",
		Complexity: "O(N) where N is the number of members asked for.",
		Summary:    "Reads the scores of several members.",
		Args:       []Arg{argKey, argMembers}, Run: zmscore},
	{Name: "ZPOPMAX", Arity: -2, Flags: Write | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Access|Delete), Group: GroupSortedSet, Since: "5.0.0",
		Complexity: "O(M*log(N)) where N is the number of members and M the number of those that are removed.",
		Summary:    "Removes the last members of a sorted set and replies them.",
		Args:       []Arg{argKey, {Name: "count", Type: ArgInteger, Optional: true}}, Run: zpopmax, WakesNobody: true},
	{Name: "ZPOPMIN", Arity: -2, Flags: Write | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Access|Delete), Group: GroupSortedSet, Since: "5.0.0",
		Complexity: "O(M*log(N)) where N is the number of members and M the number of those that are removed.",
		Summary:    "Removes the first members of a sorted set and replies them.",
		Args:       []Arg{argKey, {Name: "count", Type: ArgInteger, Optional: true}}, Run: zpopmin, WakesNobody: true},
	{Name: "ZRANDMEMBER", Arity: -2, Flags: ReadOnly, ACL: ACLSortedSet, Tips: tipRandom,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "6.2.0",
		Complexity: "O(N*log(M)) where N is the number of members replied and M that of all.",
		Summary:    "Reads random members of a sorted set.",
		Args:       zrandArgs, Run: zrandmember},
	{Name: "ZRANGE", Arity: -4, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: zsetcxRange,
		Summary:    "Reads the members in a range of ranks, scores or bytes, with their scores if wanted.",
		History:    []Change{{"6.2.0", "The options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."}},
		Args:       zrangeArgs, Run: zrange},
	{Name: "ZRANGEBYLEX", Arity: -4, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.8.9",
		Complexity: zsetcxRange,
		Summary:    "Reads the members in a range by their bytes.",
		DocFlags:   []string{"deprecated"}, DeprecatedIn: "6.2.0", ReplacedBy: "`ZRANGE` with the `BYLEX` argument",
		Args: append(zlexArgs[:3:3], zlimitArg), Run: zrangebylex},
	{Name: "ZRANGEBYSCORE", Arity: -4, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "1.0.5",
		Complexity: zsetcxRange,
		Summary:    "Reads the members with scores in a range.",
		History:    []Change{{"2.0.0", "The option `WITHSCORES`."}},
		DocFlags:   []string{"deprecated"}, DeprecatedIn: "6.2.0", ReplacedBy: "`ZRANGE` with the `BYSCORE` argument",
		Args: append(zscoreArgs[:3:3], Arg{Name: "withscores", Type: ArgPureToken, Token: "WITHSCORES", Since: "2.0.0", Optional: true}, zlimitArg), Run: zrangebyscore},
	{Name: "ZRANGESTORE", Arity: -5, Flags: Write | DenyOOM, ACL: ACLSortedSet,
		Keys: []KeySpec{{Flags: OW | Update, Index: 1, Step: 1}, {Flags: RO | Access, Index: 2, Step: 1}}, Group: GroupSortedSet, Since: "6.2.0",
		Complexity: zsetcxRange,
		Summary:    "Stores the members in a range of ranks, scores or bytes.",
		Args:       zrangeStoreArgs, Run: zrangestore},
	{Name: "ZRANK", Arity: -3, Flags: ReadOnly | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.0.0",
		Complexity: zsetcxOne,
		Summary:    "Tells how many members come before one, and its score if wanted.",
		History:    []Change{{"7.2.0", "The option `WITHSCORE`."}},
		Args:       zrankArgs, Run: zrank},
	{Name: "ZREM", Arity: -3, Flags: Write | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Delete), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: "O(M*log(N)) where N is the number of members and M the number of those given.",
		Summary:    "Removes members from a sorted set.",
		History:    []Change{{"2.4.0", "Takes several members."}},
		Args:       []Arg{argKey, argMembers}, Run: zrem},
	{Name: "ZREMRANGEBYLEX", Arity: 4, Flags: Write, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Delete), Group: GroupSortedSet, Since: "2.8.9",
		Complexity: zsetcxRange,
		Summary:    "Removes the members in a range by their bytes.",
		Args:       zlexArgs, Run: zremrangebylex, WakesNobody: true},
	{Name: "ZREMRANGEBYRANK", Arity: 4, Flags: Write, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Delete), Group: GroupSortedSet, Since: "2.0.0",
		Complexity: zsetcxRange,
		Summary:    "Removes the members in a range of ranks.",
		Args:       zrankRangeArgs, Run: zremrangebyrank, WakesNobody: true},
	{Name: "ZREMRANGEBYSCORE", Arity: 4, Flags: Write, ACL: ACLSortedSet,
		Keys: OneKey(1, RW|Delete), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: zsetcxRange,
		Summary:    "Removes the members with scores in a range.",
		Args:       zscoreArgs, Run: zremrangebyscore, WakesNobody: true},
	{Name: "ZREVRANGE", Arity: -4, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: zsetcxRange,
		Summary:    "Reads the members in a range of ranks, from the last one on.",
		DocFlags:   []string{"deprecated"}, DeprecatedIn: "6.2.0", ReplacedBy: "`ZRANGE` with the `REV` argument",
		Args: append(zrankRangeArgs[:3:3], zwithScoresArg), Run: zrevrange},
	{Name: "ZREVRANGEBYLEX", Arity: -4, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.8.9",
		Complexity: zsetcxRange,
		Summary:    "Reads the members in a range by their bytes, from the last one on.",
		DocFlags:   []string{"deprecated"}, DeprecatedIn: "6.2.0", ReplacedBy: "`ZRANGE` with the `REV` and `BYLEX` arguments",
		Args: []Arg{argKey, zlexArgs[2], zlexArgs[1], zlimitArg}, Run: zrevrangebylex},
	{Name: "ZREVRANGEBYSCORE", Arity: -4, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.2.0",
		Complexity: zsetcxRange,
		Summary:    "Reads the members with scores in a range, from the last one on.",
		History:    []Change{{"2.1.6", "`min` and `max` may be left out."}},
		DocFlags:   []string{"deprecated"}, DeprecatedIn: "6.2.0", ReplacedBy: "`ZRANGE` with the `REV` and `BYSCORE` arguments",
		Args: []Arg{argKey, zscoreArgs[2], zscoreArgs[1], zwithScoresArg, zlimitArg}, Run: zrevrangebyscore},
	{Name: "ZREVRANK", Arity: -3, Flags: ReadOnly | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.0.0",
		Complexity: zsetcxOne,
		Summary:    "Tells how many members come behind one, and its score if wanted.",
		History:    []Change{{"7.2.0", "The option `WITHSCORE`."}},
		Args:       zrankArgs, Run: zrevrank},
	{Name: "ZSCAN", Arity: -3, Flags: ReadOnly, ACL: ACLSortedSet, Tips: tipRandom,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "2.8.0",
		Complexity: "O(1) for a call; O(N) for all calls from cursor 0 to cursor 0, where N is the number of members.",
		Summary:    "Lists some members with their scores and tells where the next call goes on.",
		Args:       elementScanArgs, Run: zscan},
	{Name: "ZSCORE", Arity: 3, Flags: ReadOnly | Fast, ACL: ACLSortedSet,
		Keys: OneKey(1, RO|Access), Group: GroupSortedSet, Since: "1.2.0",
		Complexity: "O(1)",
		Summary:    "Reads the score of a member.",
		Args:       []Arg{argKey, argMember}, Run: zscore},
	{Name: "ZUNION", Arity: -3, Flags: ReadOnly, ACL: ACLSortedSet,
		Keys: []KeySpec{{Flags: RO | Access, Index: 1, Counted: true, FirstKey: 1, Step: 1}}, Group: GroupSortedSet, Since: "6.2.0",
		Complexity: zsetcxUnion,
		Summary:    "Reads the members that any of several sorted sets has.",
		Args:       slices.Concat(zkeysArgs(0), zweightArgs, []Arg{zwithScoresArg}), Run: zunion},
	{Name: "ZUNIONSTORE", Arity: -4, Flags: Write | DenyOOM, ACL: ACLSortedSet,
		Keys: zstoreKeys, Group: GroupSortedSet, Since: "2.0.0",
		Complexity: zsetcxUnion,
		Summary:    "Stores the members that any of several sorted sets has.",
		Args:       slices.Concat([]Arg{zdestArg}, zkeysArgs(1), zweightArgs), Run: zunionstore},
}

const (
	errZAddNXAndXX  Error = "ERR XX and NX options at the same time are not compatible"
	errZAddGTLT     Error = "ERR GT, LT, and/or NX options at the same time are not compatible"
	errZAddIncr     Error = "ERR INCR option supports a single increment-element pair"
	errScoreNaN     Error = "ERR resulting score is not a number (NaN)"
	errScoreRange   Error = "ERR min or max is not a float"
	errLexRange     Error = "ERR min or max not valid string range item"
	errWeight       Error = "ERR weight value is not a float"
	errZRangeLimit  Error = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
	errZRangeScores Error = "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
)

// readZSet opens the sorted set at k for reading: an empty one if there is no key. ok is false if k holds something else,
// which is replied then.
func (c *Ctx) readZSet(k *shard.Key) (v zset.Value, ok bool) {
	e := c.lookup(k)
	if !e.Exists() {
		return zset.New(k.DB.Space()), true
	}
	return c.openZSet(k, e)
}

func (c *Ctx) openZSet(k *shard.Key, e shard.Entry) (v zset.Value, ok bool) {
	if e.Type() != types.ZSet {
		c.Error(ErrWrongType)
		return v, false
	}
	return zset.Open(k.DB.Space(), k.DB.Root(e)), true
}

// writtenZSet is a sorted set that a command changes.
type writtenZSet struct {
	zset.Value
	k *shard.Key
	e shard.Entry
}

// writeZSet is readZSet for a command that changes the sorted set and then calls keep.
func (c *Ctx) writeZSet(k *shard.Key) (w writtenZSet, ok bool) {
	w.k, w.e = k, k.DB.LookupWrite(k)
	if !w.e.Exists() {
		w.Value = zset.New(k.DB.Space())
		return w, true
	}
	w.Value, ok = c.openZSet(k, w.e)
	return w, ok
}

// keep stores what the sorted set, which has members, has become. It replies and reports false if there is no memory for a new
// key.
func (w *writtenZSet) keep(c *Ctx) bool {
	if w.e.Exists() {
		w.k.DB.SetRoot(w.e, w.Root())
		return true
	}
	return c.addZSet(w.k, &w.Value)
}

// addZSet makes v the value of k, whatever that held. It replies and reports false if there is no memory.
func (c *Ctx) addZSet(k *shard.Key, v *zset.Value) bool {
	c.notifyNew(k)
	return c.addValue(k, v.Root())
}

// storeZSet makes v the value of k, whatever that held, or deletes k if v is empty, and replies how many members there are. It is
// how ZUNIONSTORE and the like end.
func (c *Ctx) storeZSet(k *shard.Key, v *zset.Value, event string) {
	n := v.Len()
	if n == 0 {
		if k.DB.Delete(k) {
			c.Changed(1)
			c.Notify(NotifyGeneric, "del", k.Name)
		}
		c.Reply.Int(0)
		return
	}
	if c.addZSet(k, v) {
		c.Changed(1)
		c.Notify(NotifyZSet, event, k.Name)
		c.Reply.Int(int64(n))
	}
}

// dropRange removes the members from rank from up to rank to, exclusively, and the key with the last one, under the event
// that says so. It replies and reports false if there is no memory.
func (w *writtenZSet) dropRange(c *Ctx, from, to int, event string) bool {
	if from == to {
		return true
	}
	whole := to-from == w.Len()
	if !whole {
		if err := w.removeRange(c, from, to); err != nil {
			c.Error(ErrNoMemory)
			return false
		}
		w.k.DB.SetRoot(w.e, w.Root())
	}
	c.Changed(to - from)
	c.Notify(NotifyZSet, event, w.k.Name)
	if whole {
		w.k.DB.Delete(w.k)
		c.Notify(NotifyGeneric, "del", w.k.Name)
	}
	return true
}

// removeRange removes the members from rank from up to rank to, exclusively: those of a table with a pause now and then.
func (w *writtenZSet) removeRange(c *Ctx, from, to int) error {
	const few = 64
	for !w.packed() && to-from > few {
		if err := w.RemoveRange(from, from+few); err != nil {
			return err
		}
		to -= few
		w.k.DB.KeepRoot(w.e, w.Root())
		c.Pause(few)
	}
	return w.RemoveRange(from, to)
}

func (w *writtenZSet) packed() bool { return w.Root().Encoding == types.Listpack }

// long is Ctx.Long for a command that is about to remove n members, which can fail where they are packed.
func (w *writtenZSet) long(c *Ctx, n int) bool { return !w.packed() && c.Long(n) }

// zaddOptions are the options of ZADD.
type zaddOptions struct {
	mode zset.Mode
	ch   bool // CH: members with another score count as well
}

func (c *Ctx) zaddOptions() (o zaddOptions, at int) {
	for at = 2; at < len(c.Args); at++ {
		switch {
		case c.isOption(at, "NX"):
			o.mode |= zset.NX
		case c.isOption(at, "XX"):
			o.mode |= zset.XX
		case c.isOption(at, "CH"):
			o.ch = true
		case c.isOption(at, "INCR"):
			o.mode |= zset.Incr
		case c.isOption(at, "GT"):
			o.mode |= zset.GT
		case c.isOption(at, "LT"):
			o.mode |= zset.LT
		default:
			return o, at
		}
	}
	return o, at
}

// conflict returns the error of options that exclude each other, or none.
func (o *zaddOptions) conflict(pairs int) Error {
	m := o.mode
	switch {
	case m&zset.NX != 0 && m&zset.XX != 0:
		return errZAddNXAndXX
	case m&(zset.GT|zset.NX) == zset.GT|zset.NX, m&(zset.LT|zset.NX) == zset.LT|zset.NX, m&(zset.GT|zset.LT) == zset.GT|zset.LT:
		return errZAddGTLT
	case m&zset.Incr != 0 && pairs > 1:
		return errZAddIncr
	}
	return ""
}

func zadd(c *Ctx) {
	o, at := c.zaddOptions()
	pairs := (len(c.Args) - at) / 2
	if (len(c.Args)-at)%2 != 0 || pairs == 0 {
		c.Error(ErrSyntax)
		return
	}
	if e := o.conflict(pairs); e != "" {
		c.Error(e)
		return
	}
	var room [16]float64
	scores := room[:0]
	for i := at; i < len(c.Args); i += 2 {
		score, ok := c.doubleArg(i, ErrNotFloat)
		if !ok {
			return
		}
		scores = append(scores, score)
	}
	c.addScores(scores, at+1, 2, o)
}

// addScores is ZADD with parsed arguments: the first key's members are those at arguments first, first+step and so on, one for
// each score. It replies.
func (c *Ctx) addScores(scores []float64, first, step int, o zaddOptions) {
	w, ok := c.writeZSet(&c.Keys[0])
	if !ok {
		return
	}
	added, updated := 0, 0
	var score float64 // that the last member has then
	var out zset.Outcome
	var err error
	done := 0
	for ; done < len(scores); done++ {
		if out, score, err = w.Add(c.Env.Limits, c.Args[first+done*step], scores[done], o.mode); err != nil {
			break
		}
		switch out {
		case zset.Inserted:
			added++
		case zset.Updated:
			updated++
		}
	}
	if added+updated > 0 {
		if !w.keep(c) {
			return
		}
		c.Changed(added + updated)
		event := "zadd"
		if o.mode&zset.Incr != 0 {
			event = "zincr"
		}
		c.Notify(NotifyZSet, event, w.k.Name)
	}
	switch {
	case err != nil:
		if added+updated > 0 {
			c.Propagate(w.k.DB.ID(), c.Args[:first+(done-1)*step+1]...) // those that found room stay
		}
		c.Error(ErrNoMemory)
	case out == zset.NotANumber:
		c.Error(errScoreNaN)
	case o.mode&zset.Incr == 0 && o.ch:
		c.Reply.Int(int64(added + updated))
	case o.mode&zset.Incr == 0:
		c.Reply.Int(int64(added))
	case out == zset.Refused:
		c.Reply.Null()
	default:
		c.Reply.Double(score)
	}
}

func zincrby(c *Ctx) {
	if _, at := c.zaddOptions(); at > 2 {
		c.Error(ErrSyntax) // to Redis this is a ZADD with too few arguments
		return
	}
	by, ok := c.doubleArg(2, ErrNotFloat)
	if !ok {
		return
	}
	scores := [1]float64{by}
	c.addScores(scores[:], 3, 1, zaddOptions{mode: zset.Incr})
}

func zcard(c *Ctx) {
	if v, ok := c.readZSet(&c.Keys[0]); ok {
		c.Reply.Int(int64(v.Len()))
	}
}

func zscore(c *Ctx) {
	if v, ok := c.readZSet(&c.Keys[0]); ok {
		c.replyScore(&v, c.Args[2])
	}
}

// replyScore replies with the score of a member, or null.
func (c *Ctx) replyScore(v *zset.Value, name []byte) {
	if score, found := v.Score(name); found {
		c.Reply.Double(score)
	} else {
		c.Reply.Null()
	}
}

func zmscore(c *Ctx) {
	v, ok := c.readZSet(&c.Keys[0])
	if !ok {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, name := range c.Args[2:] {
		c.replyScore(&v, name)
	}
}

func zrank(c *Ctx) { c.replyRank(false) }

func zrevrank(c *Ctx) { c.replyRank(true) }

func (c *Ctx) replyRank(fromEnd bool) {
	if len(c.Args) > 4 {
		c.Error(c.Spec.ErrArity())
		return
	}
	withScore := len(c.Args) == 4
	if withScore && !c.isOption(3, "WITHSCORE") {
		c.Error(ErrSyntax)
		return
	}
	v, ok := c.readZSet(&c.Keys[0])
	if !ok {
		return
	}
	rank, score, found := v.Rank(c.Args[2])
	if fromEnd {
		rank = v.Len() - 1 - rank
	}
	switch {
	case found && withScore:
		c.Reply.Array(2)
		c.Reply.Int(int64(rank))
		c.Reply.Double(score)
	case found:
		c.Reply.Int(int64(rank))
	case withScore:
		c.Reply.NullArray()
	default:
		c.Reply.Null()
	}
}

func zrem(c *Ctx) {
	w, ok := c.writeZSet(&c.Keys[0])
	if !ok {
		return
	}
	removed, left := 0, w.Len()
	var err error
	for i := 2; i < len(c.Args) && removed < left && err == nil; i++ {
		var is bool
		if is, err = w.Remove(c.Args[i]); is {
			removed++
		}
	}
	if removed > 0 {
		w.k.DB.SetRoot(w.e, w.Root())
		c.Changed(removed)
		c.Notify(NotifyZSet, "zrem", w.k.Name)
		if removed == left {
			w.k.DB.Delete(w.k)
			c.Notify(NotifyGeneric, "del", w.k.Name)
		}
	}
	if err != nil {
		c.Error(ErrNoMemory)
		return
	}
	c.Reply.Int(int64(removed))
}

func zscan(c *Ctx) {
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
	v, ok := c.openZSet(k, e)
	if !ok {
		return
	}
	c.scanElements(cursor, v.Len(), func(s *elementScan) {
		s.cursor = uint64(v.Scan(uint32(s.cursor), func(e listpack.Element, score float64) {
			s.visited++
			if s.matches(e) {
				c.bulkElement(e)
				c.Reply.Bulk(v.AppendScore(c.scratch[:0], score))
				s.found += 2
			}
		}))
	})
}
