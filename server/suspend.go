package server

import (
	"bytes"
	"slices"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
)

// A suspended client's commands wait; what it sends is kept by its parser. A handler suspends the client on
// whose behalf it runs (its command must be a Barrier) and whoever finishes the work resumes it on its reactor.

// suspend stops cl's commands after the present one.
func (cl *Client) suspend(why clientFlags) { cl.flags |= clientSuspended | why }

// queue keeps a parsed command for resume.
func (cl *Client) queue(q *request) { cl.queued = append(cl.queued, cloneArgs(q.args)) }

// queueFirst keeps a command that was about to run for resume.
func (cl *Client) queueFirst(q *request) {
	cl.queued = slices.Insert(cl.queued, 0, cloneArgs(q.args))
}

// cloneArgs copies args into one piece of memory.
func cloneArgs(args [][]byte) [][]byte {
	all := bytes.Join(args, nil)
	c := make([][]byte, len(args))
	for i, a := range args {
		c[i], all = all[:len(a):len(a)], all[len(a):]
	}
	return c
}

// resume runs what cl has been kept from running.
func (r *reactor) resume(cl *Client) {
	cl.flags &^= clientSuspended | clientBlocked | clientPaused
	cl.block = nil
	for len(cl.queued) > 0 {
		args := cl.queued[0]
		cl.queued[0] = nil
		cl.queued = cl.queued[1:]
		r.runQueued(cl, args)
		if cl.flags&(clientSuspended|clientClosing) != 0 {
			return
		}
	}
	cl.queued = nil
	r.process(cl)
}

// resumeLater suspends cl until the next turn.
func (r *reactor) resumeLater(cl *Client) {
	cl.suspend(0)
	r.net.NextTurn(func() {
		r.beginTurn()
		if r.clients[cl.id] == cl {
			r.resume(cl)
		}
	})
}

func (r *reactor) runQueued(cl *Client, args [][]byte) {
	r.attach(cl)
	b := &r.batch
	b.n, b.args, b.keys = 1, b.args[:0], b.keys[:0]
	r.resolve(cl, &b.cmds[0], args, r.srv.table.Lookup(args[0]))
	r.runBatch(cl)
	r.detach(cl)
}

// reply lets f write to cl outside of a command.
func (r *reactor) reply(cl *Client, f func(w *resp.Writer)) {
	r.attach(cl)
	begin := len(r.w.Buf)
	f(&r.w)
	if cl.muted() {
		r.w.Buf = r.w.Buf[:begin]
	}
	if len(cl.pushes) > 0 {
		r.flushPushes(cl)
	}
	r.detach(cl)
}

// gather collects something from every reactor and then lets done reply to cl, which is suspended meanwhile. With one
// reactor, or while the others stand still, all happens at once. collect runs on each reactor's goroutine, done on cl's.
func gather[T any](cl *Client, collect func(*reactor) T, done func(w *resp.Writer, parts []T)) {
	home := cl.reactor
	all := home.srv.reactors
	parts := make([]T, len(all))
	if len(all) == 1 || home.alone {
		for i, r := range all {
			parts[i] = collect(r)
		}
		done(home.writer(), parts)
		return
	}
	if x := home.scripting.current; x != nil {
		if ready := ask(all, parts, collect); x.waitFor(ready) {
			done(home.writer(), parts)
		}
		return
	}
	cl.suspend(0)
	collectAll(home, collect, func(parts []T) {
		home.finish(cl, func(w *resp.Writer) { done(w, parts) })
	})
}

// collectAll lets every reactor collect something and then, on home, calls then with all of it.
func collectAll[T any](home *reactor, collect func(*reactor) T, then func(parts []T)) {
	all := home.srv.reactors
	parts := make([]T, len(all))
	var left atomic.Int32
	left.Store(int32(len(all)))
	for i, r := range all {
		r.net.Post(func() {
			r.beginTurn()
			parts[i] = collect(r)
			if left.Add(-1) == 0 {
				home.net.Post(func() { then(parts) })
			}
		})
	}
}

// ask collects something from every reactor, for a script that waits. The result tells whether all is there.
func ask[T any](all []*reactor, parts []T, collect func(*reactor) T) (ready func() bool) {
	left := new(atomic.Int32)
	left.Store(int32(len(all)))
	for i, r := range all {
		r.net.Post(func() {
			r.beginTurn()
			parts[i] = collect(r)
			left.Add(-1)
		})
	}
	return func() bool { return left.Load() == 0 }
}

// writer returns where the present command's reply goes.
func (r *reactor) writer() *resp.Writer {
	if r.inner.depth > 0 {
		return r.inner.levels[r.inner.depth-1].Reply
	}
	return &r.w
}

// finish replies to a suspended client and resumes it, unless it has gone.
func (r *reactor) finish(cl *Client, f func(w *resp.Writer)) {
	if r.clients[cl.id] != cl {
		return
	}
	r.beginTurn()
	r.reply(cl, func(w *resp.Writer) {
		begin := len(w.Buf)
		f(w)
		r.endUnfinished(cl, w.Buf[begin:])
	})
	cl.flags &^= clientSkipping
	if cl.flags&clientClosing == 0 {
		r.resume(cl)
	}
}

// later lets a command's client wait while step works, a bounded piece in each turn; see command.Ctx.Later.
func later(c *command.Ctx, step func(nowMS int64) (more bool), done func(w *resp.Writer)) {
	cl := c.Client.(*Client)
	cl.suspend(clientStreaming) // messages follow the reply
	r := cl.reactor
	var turn func()
	turn = func() {
		r.beginTurn()
		if r.srv.exclusive.await(func() { r.net.Post(turn) }) {
			return
		}
		if step(r.nowMS) {
			r.net.NextTurn(turn)
			return
		}
		cl.flags &^= clientStreaming
		r.finish(cl, done)
	}
	r.net.NextTurn(turn)
}

// backgroundReply runs work outside of the reactor while cl waits, and then the reply that it returns. In a
// transaction, for which all reactors stand still, this one works.
func (cl *Client) backgroundReply(work func() func(w *resp.Writer)) {
	r := cl.reactor
	switch x := r.scripting.current; {
	case x != nil:
		x.background(work)
		return
	case r.alone:
		work()(&r.w)
		return
	}
	cl.suspend(0)
	go func() {
		reply := work()
		r.net.Post(func() { r.finish(cl, reply) })
	}()
}

// background runs work outside of the reactor while cl waits, and then replies OK or the error.
func (cl *Client) background(work func() error) {
	r := cl.reactor
	cl.backgroundReply(func() func(w *resp.Writer) {
		err := work()
		return func(w *resp.Writer) {
			if err == nil {
				w.OK()
				return
			}
			begin := len(w.Buf)
			if err == config.ErrLoading {
				w.Error(string(errLoading))
			} else {
				w.Error("ERR " + err.Error())
			}
			if !r.alone { // counted by who runs it otherwise
				r.srv.errorStats.count(w.Buf[begin:])
			}
		}
	})
}
