package command

import (
	"math"

	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/zset"
)

// zrandmember replies with members that are drawn at random.
func zrandmember(c *Ctx) {
	if len(c.Args) == 2 {
		v, ok := c.readZSet(&c.Keys[0])
		switch {
		case !ok:
		case v.Len() == 0:
			c.Reply.Null()
		default:
			e, _ := v.Random()
			c.bulkElement(e)
		}
		return
	}
	count, ok := c.randomCount("WITHSCORES")
	if !ok {
		return
	}
	withScores := len(c.Args) == 4
	if withScores && (count < -math.MaxInt64/2 || count > math.MaxInt64/2) {
		c.Error(errRange)
		return
	}
	if v, ok := c.readZSet(&c.Keys[0]); ok {
		c.replyRandomMembers(&v, count, withScores)
	}
}

// replyRandomMembers replies with count different members, or all if there are fewer, or with -count ones that may be the same.
func (c *Ctx) replyRandomMembers(v *zset.Value, count int64, withScores bool) {
	n := v.Len()
	switch {
	case n == 0 || count == 0:
		c.Reply.Array(0)
	case c.Long(drawnOf(count, n)):
	case count < 0:
		c.beginScored(int(-count), withScores)
		for ; count < 0; count++ {
			e, score := v.Random()
			c.replyScored(e, score, withScores)
		}
	case count >= int64(n):
		c.beginScored(n, withScores)
		it := v.Ascend(0, n)
		c.replyIter(&it, withScores)
	default:
		c.beginScored(int(count), withScores)
		c.replySample(v, int(count), withScores)
	}
}

// drawnOf returns how many elements a command handles that draws count of n at random: more than n if count is
// negative, which stands for as many that may be the same.
func drawnOf(count int64, n int) int {
	if count < 0 {
		return int(-count)
	}
	return int(min(count, int64(n)))
}

// replySample replies with count of more members than that.
func (c *Ctx) replySample(v *zset.Value, count int, withScores bool) {
	n := v.Len()
	// Drawing without replacement takes about as long as a walk if a quarter is drawn.
	if count <= n/4 {
		drawn := make(map[int]struct{}, count)
		for len(drawn) < count {
			rank := v.Space().RandN(n)
			if _, again := drawn[rank]; !again {
				drawn[rank] = struct{}{}
				e, score := v.ByRank(rank)
				c.replyScored(e, score, withScores)
			}
		}
		return
	}
	for it := v.Ascend(0, n); count > 0; n-- {
		e, score, _ := it.Next()
		if v.Space().RandN(n) < count {
			c.replyScored(e, score, withScores)
			count--
		}
	}
}

// replyScored replies with a member in a reply that beginScored has begun.
func (c *Ctx) replyScored(e listpack.Element, score float64, withScores bool) {
	if withScores && c.Reply.Proto >= 3 {
		c.Reply.Array(2)
	}
	c.bulkElement(e)
	if withScores {
		c.Reply.Double(score)
	}
	c.Pause(1)
}
