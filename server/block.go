package server

import (
	"math"
	"slices"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// A blocking command that finds nothing suspends its client (block). The client waits in the shards of its keys (shard.Waiter)
// until a command on any reactor makes one of them ready; that reactor runs the waiting command again before it gives
// the locks back (serve), and posts the reply to the client's reactor, which delivers it (served). Or its time is over,
// it is unblocked, or it disconnects: its own reactor then takes it out of the queues. Leaving the queues decides who answers.

// blocked is a client in a blocking command.
type blocked struct {
	shard.Waiter
	cl      *Client
	spec    *command.Spec
	args    [][]byte
	db      int
	proto   uint8
	expired func(w *resp.Writer)
	lost    command.Error

	deadline int64 // nanotime; 0: none
	timer    int   // index in the reactor's timers; -1: none
	order    uint64
	took     int64 // ns, when it was served
}

// block suspends the client of c; see command.Ctx.Block. The shards of c.Keys are locked.
func block(c *command.Ctx, o command.Waiting) {
	cl := c.Client.(*Client)
	r := cl.reactor
	b := &blocked{cl: cl, spec: c.Spec, args: cloneArgs(o.Args), db: c.DB, proto: cl.proto,
		expired: o.Expired, lost: o.Lost, timer: -1}
	b.Owner, b.Lost, b.Type = b, o.Lost != "", waitsFor(c.Spec)
	b.Keys = r.srv.bindKeys(c.Spec, c.DB, b.args, len(c.Keys))
	b.Join(o.Keys)
	cl.block = b
	cl.suspend(clientBlocked)
	if o.Timeout > 0 {
		r.timers.add(b, deadlineAfter(o.Timeout))
		r.stats.timers.Store(int64(len(r.timers.heap)))
		r.net.TickWithin(o.Timeout)
	}
	r.stats.blocked.Add(1) // now that others can wake it
}

// deadlineAfter returns the nanotime that is d away, or the last one there is.
func deadlineAfter(d time.Duration) int64 {
	now := nanotime()
	return now + min(int64(d), math.MaxInt64-now)
}

// waitsFor returns the type of the keys that a blocking command waits for.
func waitsFor(spec *command.Spec) types.Type {
	switch spec.Group {
	case command.GroupSortedSet:
		return types.ZSet
	case command.GroupStream:
		return types.Stream
	}
	return types.List
}

// bindKeys returns the n keys of a command.
func (s *Server) bindKeys(spec *command.Spec, db int, args [][]byte, n int) []shard.Key {
	if n == 0 {
		return nil
	}
	indexes, _ := spec.KeyIndexes(args, make([]int, 0, n))
	keys := make([]shard.Key, len(indexes))
	for i, at := range indexes {
		s.ks.Bind(&keys[i], db, args[at])
	}
	return keys
}

// leave takes b out of the queues, on its own reactor, which holds no lock. It reports false if b has left them before: then its
// reply is under way.
func (r *reactor) leave(b *blocked) bool {
	var locks lockSet
	for i := range b.Keys {
		locks.add(b.Keys[i].DB.Shard().Index())
	}
	locks.lock(r.srv.ks, r.nowMS)
	first := b.Leave()
	locks.unlock(r.srv.ks)
	if first {
		r.stats.blocked.Add(-1)
		r.stop(b)
	}
	return first
}

// stop takes b from the timers.
func (r *reactor) stop(b *blocked) {
	r.timers.remove(b)
	r.stats.timers.Store(int64(len(r.timers.heap)))
}

// served delivers the reply of a blocking command that has been served, whose effects end in the journal at wrote. It
// runs on the client's reactor.
func (b *blocked) served(reply []byte, wrote int64) {
	b.cl.wrote = wrote
	r := b.cl.reactor
	r.stop(b)
	r.logSlow(b.cl, b.spec, b.args, b.took)
	r.finish(b.cl, func(w *resp.Writer) { w.Raw(reply) })
}

// answer makes b's client go on with the reply that f writes, unless it has been answered already.
func (r *reactor) answer(b *blocked, f func(w *resp.Writer)) bool {
	if !r.leave(b) {
		return false
	}
	r.net.Post(func() { r.finish(b.cl, f) }) // the caller may be in the middle of another client's command
	return true
}

const errUnblocked command.Error = "UNBLOCKED client unblocked via CLIENT UNBLOCK"

// unblock is CLIENT UNBLOCK for a client of this reactor.
func (r *reactor) unblock(cl *Client, byError bool) bool {
	b := cl.block
	if b == nil {
		return false
	}
	if !byError {
		return r.answer(b, b.expired)
	}
	ok := r.answer(b, func(w *resp.Writer) { w.Error(string(errUnblocked)) })
	if ok {
		r.srv.errorStats.count([]byte("-" + errUnblocked))
		r.calls[b.spec.Index()].failed++
	}
	return ok
}

// abandon ends the waiting of a client that goes away.
func (r *reactor) abandon(cl *Client) {
	if cl.block != nil {
		r.leave(cl.block)
		cl.block = nil
	}
}

// bytes returns about what b costs.
func (b *blocked) bytes() int {
	n := 400 + len(b.Keys)*(80+64+48)
	for _, a := range b.args {
		n += len(a) + 24
	}
	return n
}

// waits tells whether cl is in a blocking command that nobody has answered.
func (cl *Client) waits() bool { return cl.block != nil && !cl.block.Ended() }

// timers are the blocked clients of a reactor that do not wait for ever: a heap, the one whose time comes first on top.
type timers struct {
	heap  []*blocked
	count uint64 // of those that were ever added
}

func (t *timers) add(b *blocked, deadline int64) {
	t.count++
	b.deadline, b.order, b.timer = deadline, t.count, len(t.heap)
	t.heap = append(t.heap, b)
	t.up(b.timer)
}

func (t *timers) remove(b *blocked) {
	i := b.timer
	if i < 0 {
		return
	}
	b.timer = -1
	last := len(t.heap) - 1
	moved := t.heap[last]
	t.heap[last] = nil
	t.heap = t.heap[:last]
	if i < last {
		t.heap[i], moved.timer = moved, i
		t.down(i)
		t.up(i)
	}
	if last == 0 {
		t.heap = nil
	} else if cap(t.heap) > 1024 && last < cap(t.heap)/4 {
		t.heap = slices.Clip(slices.Clone(t.heap))
	}
}

func (t *timers) before(i, j int) bool {
	a, b := t.heap[i], t.heap[j]
	return a.deadline < b.deadline || a.deadline == b.deadline && a.order < b.order
}

func (t *timers) swap(i, j int) {
	h := t.heap
	h[i], h[j] = h[j], h[i]
	h[i].timer, h[j].timer = i, j
}

func (t *timers) up(i int) {
	for i > 0 && t.before(i, (i-1)/2) {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (t *timers) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(t.heap); c++ {
			if t.before(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		t.swap(i, least)
		i = least
	}
}

// timersPerTick is how many clients one tick answers because their time is over.
const timersPerTick = 1000

// expireBlocked answers the blocked clients whose time is over, and returns how long there is until that of the next
// one, or a long time.
func (r *reactor) expireBlocked() time.Duration {
	const long = time.Hour
	now := nanotime()
	for n := 0; len(r.timers.heap) > 0; n++ {
		b := r.timers.heap[0]
		if left := b.deadline - now; left > 0 || n == timersPerTick {
			return time.Duration(max(left, 1))
		}
		if r.leave(b) {
			r.finish(b.cl, b.expired)
		} else {
			r.stop(b) // its reply is under way
		}
	}
	return long
}
