package command

import (
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/types/zset"
)

// zrangeBy is what a range of a sorted set is one of.
type zrangeBy uint8

const (
	byRank zrangeBy = iota
	byScore
	byLex
	byOption // the command's options tell
)

// zrangeQuery is a range of a sorted set as a command asks for it.
type zrangeQuery struct {
	by            zrangeBy
	rev           bool // from the end; an option of the command if canReverse
	canReverse    bool
	withScores    bool
	start, stop   int64 // ranks, negative ones from the end
	score         zset.ScoreRange
	lex           zset.LexRange
	offset, limit int64 // of what the range has; a negative limit: all
}

// parse reads the ends of the range at arguments at and at+1, and the options after them. It replies if something is wrong.
func (q *zrangeQuery) parse(c *Ctx, at int, store bool) bool {
	q.limit = -1
	for i := at + 2; i < len(c.Args); i++ {
		switch {
		case !store && c.isOption(i, "WITHSCORES"):
			q.withScores = true
		case c.isOption(i, "LIMIT") && i+2 < len(c.Args):
			var ok1, ok2 bool
			if q.offset, ok1 = c.intArg(i + 1); !ok1 {
				return false
			}
			if q.limit, ok2 = c.intArg(i + 2); !ok2 {
				return false
			}
			i += 2
		case q.canReverse && !q.rev && c.isOption(i, "REV"):
			q.rev = true
		case q.by == byOption && c.isOption(i, "BYLEX"):
			q.by = byLex
		case q.by == byOption && c.isOption(i, "BYSCORE"):
			q.by = byScore
		default:
			c.Error(ErrSyntax)
			return false
		}
	}
	if q.by == byOption {
		q.by = byRank
	}
	switch {
	case q.limit != -1 && q.by == byRank:
		c.Error(errZRangeLimit)
		return false
	case q.withScores && q.by == byLex:
		c.Error(errZRangeScores)
		return false
	}
	lo, hi := at, at+1
	if q.rev && q.by != byRank {
		lo, hi = hi, lo
	}
	return q.parseEnds(c, lo, hi)
}

// parseEnds reads the ends of the range at arguments lo and hi. It replies if something is wrong.
func (q *zrangeQuery) parseEnds(c *Ctx, lo, hi int) (ok bool) {
	switch q.by {
	case byScore:
		if q.score, ok = scoreRange(c.Args[lo], c.Args[hi]); !ok {
			c.Error(errScoreRange)
		}
	case byLex:
		if q.lex, ok = lexRange(c.Args[lo], c.Args[hi]); !ok {
			c.Error(errLexRange)
		}
	default:
		if q.start, ok = c.intArg(lo); ok {
			q.stop, ok = c.intArg(hi)
		}
	}
	return ok
}

// ranks returns the ranks in v of what q asks for: from from up to to, exclusively.
func (q *zrangeQuery) ranks(v *zset.Value) (from, to int) {
	switch q.by {
	case byScore:
		from, to = v.ByScore(&q.score)
	case byLex:
		from, to = v.ByLex(&q.lex, q.rev)
	default:
		return q.clip(int64(v.Len()))
	}
	return q.part(int64(from), int64(to))
}

// clip resolves ranks from the end of n members, and of a range from the end.
func (q *zrangeQuery) clip(n int64) (from, to int) {
	start, stop := q.start, q.stop
	if start < 0 {
		start = max(n+start, 0)
	}
	if stop < 0 {
		stop += n
	}
	stop = min(stop, n-1)
	if start > stop {
		return 0, 0
	}
	if q.rev {
		start, stop = n-1-stop, n-1-start
	}
	return int(start), int(stop + 1)
}

// part applies LIMIT to the members from from up to to. A negative offset leaves none.
func (q *zrangeQuery) part(from, to int64) (int, int) {
	n := to - from - q.offset
	switch {
	case q.offset < 0 || n <= 0:
		return 0, 0
	case q.limit >= 0:
		n = min(n, q.limit)
	}
	if q.rev {
		to -= q.offset
		return int(to - n), int(to)
	}
	from += q.offset
	return int(from), int(from + n)
}

func (c *Ctx) replyZRange(q zrangeQuery) {
	if !q.parse(c, 2, false) {
		return
	}
	v, ok := c.readZSet(&c.Keys[0])
	if !ok {
		return
	}
	from, to := q.ranks(&v)
	if c.Long(to - from) {
		return
	}
	c.beginScored(to-from, q.withScores)
	it := v.Ascend(from, to)
	if q.rev {
		it = v.Descend(from, to)
	}
	c.replyIter(&it, q.withScores)
}

// beginScored begins a reply of n members. Scores follow their members in RESP2; in RESP3 each pair is an array.
func (c *Ctx) beginScored(n int, withScores bool) {
	if withScores && c.Reply.Proto < 3 {
		n *= 2
	}
	c.Reply.Array(n)
}

// replyIter replies with all members that it has yet.
func (c *Ctx) replyIter(it *zset.Iter, withScores bool) {
	if withScores {
		for e, score, ok := it.Next(); ok; e, score, ok = it.Next() {
			c.replyScored(e, score, true)
			c.Pause(1)
		}
		return
	}
	it.NamesOnly()
	if c.Yield != nil {
		for e, _, ok := it.Next(); ok; e, _, ok = it.Next() {
			c.bulkElement(e)
			c.Pause(1)
		}
		return
	}
	buf := c.Reply.Buf
	for e, _, ok := it.Next(); ok; e, _, ok = it.Next() {
		if e.IsInt {
			buf = resp.AppendBulkInt(buf, e.Int)
		} else {
			buf = resp.AppendBulk(buf, e.Bytes)
		}
	}
	c.Reply.Buf = buf
}

func zrange(c *Ctx)           { c.replyZRange(zrangeQuery{by: byOption, canReverse: true}) }
func zrangebylex(c *Ctx)      { c.replyZRange(zrangeQuery{by: byLex}) }
func zrangebyscore(c *Ctx)    { c.replyZRange(zrangeQuery{by: byScore}) }
func zrevrange(c *Ctx)        { c.replyZRange(zrangeQuery{by: byRank, rev: true}) }
func zrevrangebylex(c *Ctx)   { c.replyZRange(zrangeQuery{by: byLex, rev: true}) }
func zrevrangebyscore(c *Ctx) { c.replyZRange(zrangeQuery{by: byScore, rev: true}) }

func zrangestore(c *Ctx) {
	q := zrangeQuery{by: byOption, canReverse: true}
	if !q.parse(c, 3, true) {
		return
	}
	dest := &c.Keys[0]
	v, ok := c.readZSet(&c.Keys[1])
	if !ok {
		return
	}
	from, to := q.ranks(&v)
	if c.Long(to - from) {
		return
	}
	stored := zset.New(dest.DB.Space())
	var err error
	if q.by == byRank && to-from > c.Env.Limits.ZSetListpackEntries {
		err = stored.Enlarge() // at once: a listpack knows no -0
	}
	it := v.Ascend(from, to)
	for e, score, ok := it.Next(); ok && err == nil; e, score, ok = it.Next() {
		err = stored.AppendElement(c.Env.Limits, e, score)
		c.Pause(1)
	}
	if err != nil {
		dest.DB.FreeRoot(stored.Root())
		c.Error(ErrNoMemory)
		return
	}
	c.storeZSet(dest, &stored, "zrangestore")
}

func (c *Ctx) countZRange(by zrangeBy) {
	q := zrangeQuery{by: by, limit: -1}
	if !q.parseEnds(c, 2, 3) {
		return
	}
	if v, ok := c.readZSet(&c.Keys[0]); ok {
		from, to := q.ranks(&v)
		c.Reply.Int(int64(to - from))
	}
}

func zcount(c *Ctx)    { c.countZRange(byScore) }
func zlexcount(c *Ctx) { c.countZRange(byLex) }

func (c *Ctx) removeZRange(by zrangeBy, event string) {
	q := zrangeQuery{by: by, limit: -1}
	if !q.parseEnds(c, 2, 3) {
		return
	}
	w, ok := c.writeZSet(&c.Keys[0])
	if !ok {
		return
	}
	from, to := q.ranks(&w.Value)
	if to-from < w.Len() && w.long(c, to-from) {
		return
	}
	if w.dropRange(c, from, to, event) {
		c.Reply.Int(int64(to - from))
	}
}

func zremrangebylex(c *Ctx)   { c.removeZRange(byLex, "zremrangebylex") }
func zremrangebyrank(c *Ctx)  { c.removeZRange(byRank, "zremrangebyrank") }
func zremrangebyscore(c *Ctx) { c.removeZRange(byScore, "zremrangebyscore") }
