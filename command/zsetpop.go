package command

import (
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// zend is the end of a sorted set that members are removed from.
type zend struct {
	max     bool
	event   string
	command []byte // that replicas see
}

var (
	popMin = zend{false, "zpopmin", []byte("ZPOPMIN")}
	popMax = zend{true, "zpopmax", []byte("ZPOPMAX")}
)

// zpopForm is how a command replies what it has removed.
type zpopForm uint8

const (
	popFlat   zpopForm = iota // member, score, member, score ...
	popPairs                  // [member, score] ...
	popKeyed                  // key, member, score
	popNested                 // key, [[member, score] ...]
)

func zpopmin(c *Ctx) { c.zpop(popMin) }
func zpopmax(c *Ctx) { c.zpop(popMax) }

func (c *Ctx) zpop(end zend) {
	if len(c.Args) > 3 {
		c.Error(ErrSyntax)
		return
	}
	count, form := int64(1), popFlat
	if len(c.Args) == 3 {
		var ok bool
		if count, ok = c.intArgOr(2, ErrNotPositive); !ok {
			return
		}
		if count < 0 {
			c.Error(ErrNotPositive)
			return
		}
		if c.Reply.Proto >= 3 {
			form = popPairs
		}
	}
	w, ok := c.writeZSet(&c.Keys[0])
	switch {
	case !ok:
	case !w.e.Exists() || count == 0:
		c.Reply.Array(0)
	case w.long(c, int(min(count, int64(w.Len())))):
	default:
		c.popMembers(&w, end, count, form)
	}
}

// popMembers replies with up to count members from an end of w, which has some, and removes them. It returns how many those
// are, or 0 if there is no memory, which is replied.
func (c *Ctx) popMembers(w *writtenZSet, end zend, count int64, form zpopForm) int {
	n := int(min(count, int64(w.Len())))
	at := len(c.Reply.Buf)
	switch form {
	case popFlat:
		c.Reply.Array(2 * n)
	case popPairs:
		c.Reply.Array(n)
	case popKeyed:
		c.Reply.Array(2*n + 1)
		c.Reply.Bulk(w.k.Name)
	case popNested:
		c.Reply.Array(2)
		c.Reply.Bulk(w.k.Name)
		c.Reply.Array(n)
	}
	from, to := 0, n
	it := w.Ascend(from, to)
	if end.max {
		from, to = w.Len()-n, w.Len()
		it = w.Descend(from, to)
	}
	for e, score, ok := it.Next(); ok; e, score, ok = it.Next() {
		if form == popPairs || form == popNested {
			c.Reply.Array(2)
		}
		c.bulkElement(e)
		c.Reply.Double(score)
		c.Pause(1)
	}
	popped := len(c.Reply.Buf)
	if !w.dropRange(c, from, to, end.event) {
		c.Reply.Buf = append(c.Reply.Buf[:at], c.Reply.Buf[popped:]...)
		return 0
	}
	return n
}

// zmpopArgs parses what follows the number of keys at argument at, which it checks. It replies if something is wrong.
func (c *Ctx) zmpopArgs(at int) (end zend, count int64, ok bool) {
	n, ok := c.intArgOr(at, ErrNumKeys)
	switch {
	case !ok:
		return end, 0, false
	case n < 1:
		c.Error(ErrNumKeys)
		return end, 0, false
	case n >= int64(len(c.Args)-at-1):
		c.Error(ErrSyntax)
		return end, 0, false
	}
	i := at + 1 + int(n)
	switch {
	case c.isOption(i, "MIN"):
		end = popMin
	case c.isOption(i, "MAX"):
		end = popMax
	default:
		c.Error(ErrSyntax)
		return end, 0, false
	}
	count = -1
	for i++; i < len(c.Args); i += 2 {
		if count != -1 || !c.isOption(i, "COUNT") || i+1 == len(c.Args) {
			c.Error(ErrSyntax)
			return end, 0, false
		}
		if count, ok = c.intArgOr(i+1, ErrCount); !ok {
			return end, 0, false
		}
		if count < 1 {
			c.Error(ErrCount)
			return end, 0, false
		}
	}
	if count == -1 {
		count = 1
	}
	return end, count, true
}

func zmpop(c *Ctx) {
	end, count, ok := c.zmpopArgs(1)
	if !ok {
		return
	}
	if !c.popFirst(c.Keys, end, count, popNested) {
		c.Reply.NullArray()
	}
}

// popFirst pops from the first of keys that is there. It reports false, without a reply, if there is none.
func (c *Ctx) popFirst(keys []shard.Key, end zend, count int64, form zpopForm) bool {
	for i := range keys {
		if !c.Tries(i) {
			continue
		}
		w, ok := c.writeZSet(&keys[i])
		if !ok {
			return true
		}
		if !w.e.Exists() {
			continue
		}
		if c.Spec.Flags&Blocking == 0 && w.long(c, int(min(count, int64(w.Len())))) {
			return true
		}
		if n := c.popMembers(&w, end, count, form); n > 0 && c.Journaling() {
			args := append(c.words[:0], end.command, w.k.Name)
			if form == popNested {
				args = append(args, shard.AppendInt(c.scratch[:0], int64(n)))
			}
			c.Propagate(c.DB, args...)
		}
		return true
	}
	return false
}

func bzpopmin(c *Ctx) { c.bzpop(popMin, len(c.Args)-1, 1, popKeyed) }
func bzpopmax(c *Ctx) { c.bzpop(popMax, len(c.Args)-1, 1, popKeyed) }

func bzmpop(c *Ctx) {
	if end, count, ok := c.zmpopArgs(2); ok {
		c.bzpop(end, 1, count, popNested)
	}
}

// bzpop pops from the first of the command's keys that is there, or waits for one.
func (c *Ctx) bzpop(end zend, timeoutAt int, count int64, form zpopForm) {
	timeout, ok := c.timeoutArg(timeoutAt)
	if !ok || c.popFirst(c.Keys, end, count, form) {
		return
	}
	c.Wait(c.Args, c.Keys, timeout, func(w *resp.Writer) { w.NullArray() })
}
