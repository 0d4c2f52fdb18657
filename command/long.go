package command

import "github.com/shoaldb/shoal/resp"

// longElements is the number of elements from which a command runs in steps: those of some 0.3 ms and more.
const longElements = 10000

// Long is called by a handler that is about to work on so many elements, when it has looked up its keys and before it
// replies or changes anything (or when it has taken back what it replied). If it returns true, the handler returns at
// once: the command will run in steps, from the beginning, by a call of the same handler in which Long returns false
// and Pause gives others their turn. Meanwhile the command's keys are on lease (see shard.Key.Lease): views of values
// and entries stay valid from step to step. A command that changes a value in steps keeps its root (shard.DB.KeepRoot)
// before each Pause, and tells what it has done after the last. Pause may panic to end a command that only reads, when
// its client has gone: what has to be given back is given back by defer.
func (c *Ctx) Long(elements int) bool {
	return elements >= longElements && c.Lengthen != nil && !c.LockedAll && c.Lengthen(c)
}

// Pause is called by a handler that has called Long, after each n elements: a step may end here.
func (c *Ctx) Pause(n int) {
	if c.Yield == nil {
		return
	}
	const often = 64
	if c.done += n; c.done >= often {
		c.done = 0
		c.Yield()
	}
}

// beginSet begins a set of members that have not been counted; endSet tells how many they were. Between the two a command that
// runs in steps keeps its reply.
func (c *Ctx) beginSet(guess int) resp.Deferred {
	if c.Yield != nil {
		c.beginUncounted()
		return resp.Deferred{}
	}
	return c.Reply.DeferSet(guess)
}

func (c *Ctx) endSet(d resp.Deferred, n int) { c.endUncounted(d, n, (*resp.Writer).Set) }

// beginArray and endArray are beginSet and endSet for an array.
func (c *Ctx) beginArray(guess int) resp.Deferred {
	if c.Yield != nil {
		c.beginUncounted()
		return resp.Deferred{}
	}
	return c.Reply.DeferArray(guess)
}

func (c *Ctx) endArray(d resp.Deferred, n int) { c.endUncounted(d, n, (*resp.Writer).Array) }

// beginUncounted keeps the reply from now on. What there is of it already will stand before the head.
func (c *Ctx) beginUncounted() {
	if len(c.Head) > 0 { // of something else, behind which other parts wait to be sent
		c.Send()
	}
	c.Uncounted = true
	c.Head = append(c.Head, c.Reply.Buf...)
	c.Reply.Buf = c.Reply.Buf[:0]
}

// dropReply takes back what a command that runs in steps has replied while Uncounted was set.
func (c *Ctx) dropReply() {
	c.Reply.Buf = c.Reply.Buf[:0]
	c.Uncounted, c.Head, c.Dropped = false, nil, true
}

func (c *Ctx) endUncounted(d resp.Deferred, n int, begin func(w *resp.Writer, n int)) {
	if !c.Uncounted {
		c.Reply.Close(d, n)
		return
	}
	head := resp.Writer{Proto: c.Reply.Proto}
	begin(&head, n)
	c.Head, c.Uncounted = append(c.Head, head.Buf...), false
}
