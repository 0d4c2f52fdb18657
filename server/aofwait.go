package server

import (
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
)

// durability is who waits on a reactor until effects are durable.
type durability struct {
	held    []heldReply // in the order of their offsets
	waits   []syncWait
	waiting atomic.Int32 // how many wait
	posted  atomic.Bool  // release is in the mailbox
	turn    func()       // release, as a step of its own

	// of replies that wait for no more than the write
	since int64 // when the first was held, nanotime
	late  int64 // the offset that the last ones had that waited in vain: until the file has it none are held
}

// heldForWrite is how long replies wait at most for a write that no setting makes them wait for. It takes some 50 µs,
// unless the machine or the disk is busy.
const heldForWrite = 5 * time.Millisecond

// heldReply is a client whose replies are held until the journal is durable up to an offset.
type heldReply struct {
	cl *Client
	at int64
}

// syncWait is a client in WAITAOF.
type syncWait struct {
	b        *blocked
	at       int64
	replicas int64
}

// holdReplies keeps cl's replies until what it did is durable, if that is demanded, or at least in the file, if that is
// a matter of microseconds.
func (r *reactor) holdReplies(cl *Client) {
	a := &r.srv.aof
	w := a.writer.Load()
	if w == nil {
		return
	}
	d := &r.durability
	always := a.always.Load()
	if !always && !cl.conn.IsOutHeld() && (w.Busy() || w.Written() < d.late) || w.Safe() >= cl.wrote {
		return
	}
	if !always && len(d.held) == 0 {
		d.since = nanotime()
		r.net.TickWithin(heldForWrite)
	}
	cl.conn.HoldOut()
	if n := len(d.held); n > 0 && d.held[n-1].cl == cl {
		d.held[n-1].at = cl.wrote
		return
	}
	d.held = append(d.held, heldReply{cl, cl.wrote})
	d.count()
}

func (d *durability) count() { d.waiting.Store(int32(len(d.held) + len(d.waits))) }

// safe is the offset up to which replies may go out.
func (a *appendOnly) safe() int64 {
	if w := a.writer.Load(); w != nil {
		return w.Safe()
	}
	return 1<<63 - 1
}

// giveUpWrites lets replies go that have waited for a write for long enough, and returns when it has to be called
// again, at the latest.
func (r *reactor) giveUpWrites() time.Duration {
	d := &r.durability
	if len(d.held) == 0 || r.srv.aof.always.Load() {
		return tickIdle
	}
	if left := heldForWrite - time.Duration(nanotime()-d.since); left > 0 {
		return left
	}
	d.late = d.held[len(d.held)-1].at
	r.releaseUpTo(d.late)
	d.count()
	return tickIdle
}

// releaseDurable lets replies go whose effects are durable, and answers those who wait for that.
func (r *reactor) releaseDurable() {
	d := &r.durability
	r.releaseUpTo(r.srv.aof.safe())
	if len(d.waits) > 0 {
		r.answerWaits()
	}
	d.count()
}

// releaseUpTo lets replies go whose effects lie before safe.
func (r *reactor) releaseUpTo(safe int64) {
	d := &r.durability
	n := 0
	for n < len(d.held) && d.held[n].at <= safe {
		h := d.held[n]
		r.releaseReplies(h.cl, safe)
		n++
	}
	if n > 0 {
		left := copy(d.held, d.held[n:])
		clear(d.held[left:])
		d.held = d.held[:left]
	}
}

// releaseReplies lets the replies of cl go that were held, if nothing holds them any more: its effects are safe, and
// its FLUSHALL is saved.
func (r *reactor) releaseReplies(cl *Client, safe int64) {
	if cl.wrote <= safe && cl.flushes == 0 && r.clients[cl.id] == cl {
		cl.conn.ReleaseOut()
	}
}

// answerWaits answers the clients in WAITAOF for whom all is durable, or never will be.
func (r *reactor) answerWaits() {
	d := &r.durability
	w := r.srv.aof.writer.Load()
	kept := d.waits[:0]
	for _, x := range d.waits {
		switch {
		case x.b.Ended():
		case !r.srv.aof.on.Load():
			r.answer(x.b, func(out *resp.Writer) { out.Error(string(errWaitAOFOff)) })
		case w != nil && w.Synced() >= x.at && x.replicas == 0:
			r.answer(x.b, x.b.expired)
		default:
			kept = append(kept, x)
		}
	}
	clear(d.waits[len(kept):])
	d.waits = kept
}

// synced is told by the writer that more is durable. It wakes the reactors where anybody waits for that.
func (s *Server) synced(int64) { s.releaseAll() }

// releaseAll makes all reactors look who need not wait any more.
func (s *Server) releaseAll() {
	for _, r := range s.reactors {
		d := &r.durability
		if d.waiting.Load() > 0 && d.posted.CompareAndSwap(false, true) {
			r.net.Post(d.turn)
		}
	}
}

func (r *reactor) initDurability() {
	r.durability.turn = func() {
		r.durability.posted.Store(false)
		r.beginTurn()
		r.releaseDurable()
	}
}

// awaitSync makes the client of c wait until its writes are durable; expired writes the reply, then or when its time is over.
func (r *reactor) awaitSync(c *command.Ctx, cl *Client, timeout time.Duration, local, replicas int64, expired func(w *resp.Writer)) {
	c.Block(c, command.Waiting{Args: c.Args, Timeout: timeout, Expired: expired})
	d := &r.durability
	d.waits = append(d.waits, syncWait{cl.block, cl.wrote, replicas})
	if local == 0 { // replicas are all that it waits for, and there are none
		d.waits[len(d.waits)-1].replicas = max(replicas, 1)
	}
	d.count()
}
