package command

import (
	"time"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	lists "github.com/shoaldb/shoal/types/list"
)

// Commands that replicas see in place of blocking ones and of those that pop from one of several keys.
var wordLPOP, wordRPOP, wordLMOVE, wordRPOPLPUSH = []byte("LPOP"), []byte("RPOP"), []byte("LMOVE"), []byte("RPOPLPUSH")

func popWord(tail bool) []byte {
	if tail {
		return wordRPOP
	}
	return wordLPOP
}

// endArg returns whether argument i names the end of a list and not its beginning. If it names neither, it replies with an error.
func (c *Ctx) endArg(i int) (tail, ok bool) {
	tail = c.isOption(i, "RIGHT")
	if !tail && !c.isOption(i, "LEFT") {
		c.Error(ErrSyntax)
		return false, false
	}
	return tail, true
}

// endArgs returns what arguments 3 and 4 of a move say.
func (c *Ctx) endArgs() (from, to, ok bool) {
	if from, ok = c.endArg(3); !ok {
		return false, false, false
	}
	to, ok = c.endArg(4)
	return from, to, ok
}

func lmove(c *Ctx) {
	if from, to, ok := c.endArgs(); ok {
		c.moveOrNull(from, to)
	}
}

func rpoplpush(c *Ctx) { c.moveOrNull(true, false) }

func (c *Ctx) moveOrNull(from, to bool) {
	e := c.Keys[0].DB.LookupWrite(&c.Keys[0])
	if !e.Exists() {
		c.Reply.Null()
	} else if c.isList(e) {
		c.move(e, from, to)
	}
}

// move moves an element from an end of the list of e, an entry of the first key, to an end of that of the second key, and replies
// it. It reports false if it has replied with an error.
func (c *Ctx) move(e shard.Entry, from, to bool) bool {
	src, dst := &c.Keys[0], &c.Keys[1]
	if src.DB == dst.DB && string(src.Name) == string(dst.Name) {
		return c.rotate(e, from, to)
	}
	into := dst.DB.LookupWrite(dst)
	v := openList(src.DB, e)
	var w lists.Value
	if !c.listToPush(&w, dst, into, false) {
		return false
	}
	elem := v.End(from)
	head := len(c.Reply.Buf)
	c.bulkElement(elem)
	ok := pushAt(c, &w, c.text(elem), to)
	if ok && !v.Pop(c.Env.Limits, from) {
		w.Pop(c.Env.Limits, to)
		ok = false
	}
	src.DB.SetRoot(e, v.Root())
	if !ok {
		c.Reply.Buf = c.Reply.Buf[:head]
		c.Error(ErrNoMemory)
		if into.Exists() {
			dst.DB.SetRoot(into, w.Root())
		} else {
			dst.DB.FreeRoot(w.Root())
		}
		return false
	}
	return c.moved(e, &v, into, &w, from, to, head)
}

// moved keeps both lists after an element has gone from one to the other.
func (c *Ctx) moved(e shard.Entry, v *lists.Value, into shard.Entry, w *lists.Value, from, to bool, head int) bool {
	src, dst := &c.Keys[0], &c.Keys[1]
	if into.Exists() {
		dst.DB.SetRoot(into, w.Root())
	} else if !dst.DB.Add(dst, w.Root(), shard.SetMode{}) {
		c.unmove(src, e, v, w, from)
		dst.DB.FreeRoot(w.Root())
		c.Reply.Buf = c.Reply.Buf[:head]
		c.Error(ErrNoMemory)
		return false
	}
	c.Changed(1)
	c.Notify(NotifyList, pushEvent(to), dst.Name)
	c.dropFromList(src, e, v, popEvent(from))
	return true
}

// unmove puts the only element of w back to v. The memory that it has just left is there.
func (c *Ctx) unmove(src *shard.Key, e shard.Entry, v, w *lists.Value, from bool) {
	pushAt(c, v, c.text(w.End(false)), from)
	src.DB.SetRoot(e, v.Root())
}

// rotate moves an element within one list.
func (c *Ctx) rotate(e shard.Entry, from, to bool) bool {
	k := &c.Keys[0]
	v := openList(k.DB, e)
	head := len(c.Reply.Buf)
	elem := v.End(from).Append(c.scratch[:0])
	c.Reply.Bulk(elem)
	if from != to && v.Len() > 1 {
		if !pushAt(c, &v, elem, to) {
			return c.popFailed(k, e, &v, head)
		}
		if !v.Pop(c.Env.Limits, from) {
			v.Pop(c.Env.Limits, to)
			return c.popFailed(k, e, &v, head)
		}
		k.DB.KeepRoot(e, v.Root())
	}
	k.DB.Modified(k)
	c.Changed(1)
	c.Notify(NotifyList, pushEvent(to), k.Name)
	c.Notify(NotifyList, popEvent(from), k.Name)
	return true
}

func blmove(c *Ctx) {
	from, to, ok := c.endArgs()
	if !ok {
		return
	}
	if timeout, ok := c.timeoutArg(5); ok && c.moveOrWait(from, to, timeout) {
		c.Propagate(c.Keys[0].DB.ID(), append(c.words[:0], wordLMOVE, c.Args[1], c.Args[2], c.Args[3], c.Args[4])...)
	}
}

func brpoplpush(c *Ctx) {
	if timeout, ok := c.timeoutArg(3); ok && c.moveOrWait(true, false, timeout) {
		c.Propagate(c.Keys[0].DB.ID(), append(c.words[:0], wordRPOPLPUSH, c.Args[1], c.Args[2])...)
	}
}

// moveOrWait moves an element or waits for one. It tells whether it has moved one.
func (c *Ctx) moveOrWait(from, to bool, timeout time.Duration) bool {
	e := c.Keys[0].DB.LookupWrite(&c.Keys[0])
	switch {
	case !e.Exists() && c.Block == nil:
		c.Reply.Null()
	case !e.Exists():
		c.Wait(c.Args, c.Keys[:1], timeout, (*resp.Writer).NullArray)
	case c.isList(e):
		return c.move(e, from, to)
	}
	return false
}

func blpop(c *Ctx) { c.blockingPop(false) }
func brpop(c *Ctx) { c.blockingPop(true) }

func (c *Ctx) blockingPop(tail bool) {
	timeout, ok := c.timeoutArg(len(c.Args) - 1)
	if !ok {
		return
	}
	k, e, ok := c.firstList()
	switch {
	case !ok:
	case !e.Exists():
		c.Wait(c.Args, c.Keys, timeout, (*resp.Writer).NullArray)
	default:
		head := len(c.Reply.Buf)
		c.replyKey(k)
		if !c.popOne(k, e, tail) {
			c.Reply.Buf = c.Reply.Buf[:head]
			c.Error(ErrNoMemory)
			return
		}
		c.Propagate(k.DB.ID(), append(c.words[:0], popWord(tail), k.Name)...)
	}
}

// replyKey begins the reply of something popped from k.
func (c *Ctx) replyKey(k *shard.Key) {
	c.Reply.Array(2)
	c.Reply.Bulk(k.Name)
}

// firstList returns the first of the keys that exists, if there is one. If that holds something else than a list, it
// replies with an error and ok is false.
func (c *Ctx) firstList() (k *shard.Key, e shard.Entry, ok bool) {
	for i := range c.Keys {
		if !c.Tries(i) {
			continue
		}
		k = &c.Keys[i]
		if e = k.DB.LookupWrite(k); e.Exists() {
			return k, e, c.isList(e)
		}
	}
	return nil, e, true
}

// mpopArgs returns what LMPOP is to do, whose number of keys is argument i.
func (c *Ctx) mpopArgs(i int) (tail bool, count int64, ok bool) {
	n, ok := c.atLeast(i, 1, ErrNumKeys)
	if !ok {
		return false, 0, false
	}
	if n >= int64(len(c.Args)-i-1) {
		c.Error(ErrSyntax)
		return false, 0, false
	}
	i += 1 + int(n)
	if tail, ok = c.endArg(i); !ok {
		return false, 0, false
	}
	if i++; i == len(c.Args) {
		return tail, 1, true
	}
	if !c.isOption(i, "COUNT") || i+1 == len(c.Args) {
		c.Error(ErrSyntax)
		return false, 0, false
	}
	if count, ok = c.atLeast(i+1, 1, ErrCount); !ok {
		return false, 0, false
	}
	if i+2 < len(c.Args) {
		c.Error(ErrSyntax)
		return false, 0, false
	}
	return tail, count, true
}

func lmpop(c *Ctx) {
	tail, count, ok := c.mpopArgs(1)
	if !ok {
		return
	}
	if k, e, ok := c.firstList(); ok && !e.Exists() {
		c.Reply.NullArray()
	} else if ok && !c.Long(int(min(count, int64(k.DB.Elements(e))))) {
		c.mpop(k, e, count, tail)
	}
}

// mpop replies and removes at most count elements of the list of e, and tells replicas how many.
func (c *Ctx) mpop(k *shard.Key, e shard.Entry, count int64, tail bool) {
	v := openList(k.DB, e)
	count = min(count, int64(v.Len()))
	head := len(c.Reply.Buf)
	c.replyKey(k)
	if !c.popSome(k, e, count, tail) {
		c.Reply.Buf = c.Reply.Buf[:head]
		c.Error(ErrNoMemory)
		return
	}
	c.Propagate(k.DB.ID(), append(c.words[:0], popWord(tail), k.Name, shard.AppendInt(c.scratch[:0], count))...)
}

func blmpop(c *Ctx) {
	tail, count, ok := c.mpopArgs(2)
	if !ok {
		return
	}
	timeout, ok := c.timeoutArg(1)
	if !ok {
		return
	}
	k, e, ok := c.firstList()
	switch {
	case !ok:
	case !e.Exists():
		c.Wait(c.Args, c.Keys, timeout, (*resp.Writer).NullArray)
	default:
		c.mpop(k, e, count, tail)
	}
}
