package command

import (
	"math"

	"github.com/shoaldb/shoal/types/listpack"
)

// Commands that replicas see in place of SPOP.
var wordSREM, wordDEL = []byte("SREM"), []byte("DEL")

func spop(c *Ctx) {
	if len(c.Args) > 3 {
		c.Error(ErrSyntax)
		return
	}
	if len(c.Args) == 3 {
		c.spopCount()
		return
	}
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Reply.Null()
		return
	}
	if !c.isSet(e) {
		return
	}
	v := openSet(k.DB, e)
	v.Pop(1, c.popped, func(int) {})
	c.Changed(1)
	c.dropFrom(k, e, &v, "spop")
}

// popped replies a member that is about to be removed from the set and tells replicas of it.
func (c *Ctx) popped(e listpack.Element) {
	c.bulkElement(e)
	if c.Journaling() {
		c.Propagate(c.Keys[0].DB.ID(), append(c.words[:0], wordSREM, c.Args[1], c.text(e))...)
	}
}

// spopCount is SPOP with a count.
func (c *Ctx) spopCount() {
	count, ok := c.intArgOr(2, ErrNotPositive)
	if !ok {
		return
	}
	if count < 0 {
		c.Error(ErrNotPositive)
		return
	}
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Reply.Set(0)
		return
	}
	if !c.isSet(e) {
		return
	}
	if count == 0 {
		c.Reply.Set(0)
		return
	}
	v := openSet(k.DB, e)
	n := v.Len()
	if c.Long(int(min(count, int64(n)))) {
		return
	}
	if count >= int64(n) {
		c.Reply.Set(n)
		c.replyMembers(&v)
		c.Changed(n)
		c.Notify(NotifySet, "spop", k.Name)
		k.DB.Delete(k)
		c.Notify(NotifyGeneric, "del", k.Name)
		c.Propagate(k.DB.ID(), append(c.words[:0], wordDEL, c.Args[1])...)
		return
	}
	c.Reply.Set(int(count))
	v.Pop(int(count), c.popped, func(n int) {
		if c.Yield != nil {
			k.DB.KeepRoot(e, v.Root())
			c.Pause(n)
		}
	})
	c.Changed(int(count))
	c.dropFrom(k, e, &v, "spop")
}

func srandmember(c *Ctx) {
	if len(c.Args) > 3 {
		c.Error(ErrSyntax)
		return
	}
	if len(c.Args) == 3 {
		c.srandmemberCount()
		return
	}
	v, ok := c.lookupSet(&c.Keys[0])
	switch {
	case !ok:
	case v.Len() == 0:
		c.Reply.Null()
	default:
		c.bulkElement(v.Random())
	}
}

// srandmemberCount is SRANDMEMBER with a count: if it is negative, members may come several times.
func (c *Ctx) srandmemberCount() {
	count, ok := c.intArg(2)
	if !ok {
		return
	}
	if count == math.MinInt64 {
		c.Error(ErrCountRange)
		return
	}
	v, ok := c.lookupSet(&c.Keys[0])
	if !ok {
		return
	}
	n := int64(v.Len())
	switch {
	case n == 0 || count == 0:
		c.Reply.Array(0)
	case c.Long(drawnOf(count, int(n))):
	case count < 0:
		c.Reply.Array(int(-count))
		for ; count < 0; count++ {
			c.bulkElement(v.Random())
			c.Pause(1)
		}
	case count >= n:
		c.Reply.Array(int(n))
		c.replyMembers(&v)
	default:
		c.Reply.Array(int(count))
		v.Sample(int(count), func(e listpack.Element) {
			c.bulkElement(e)
			c.Pause(1)
		})
	}
}
