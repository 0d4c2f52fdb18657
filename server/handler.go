package server

import (
	"errors"
	"runtime/debug"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/netio"
	"github.com/shoaldb/shoal/shard"
)

// handler is what the network engine calls. Every call for a reactor comes from its own goroutine.
type handler struct{ srv *Server }

func (h handler) reactor(n *netio.Reactor) *reactor { return h.srv.reactors[n.ID()] }

// beginTurn reads the clocks once per turn, at its first event.
func (r *reactor) beginTurn() {
	if r.turn {
		return
	}
	r.turn = true
	r.nowMS = r.net.Now() / 1000
	r.lastRun = nanotime()
	r.begun = r.lastRun
}

// admits counts one more client, unless there are as many as there may be.
func (s *Server) admits() bool {
	for most := int64(s.cfg.Load().MaxClients); ; {
		n := s.clients.Load()
		if n >= most {
			return false
		}
		if s.clients.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Opened makes a client of a new connection.
func (h handler) Opened(c *netio.Conn) {
	r := h.reactor(c.Reactor())
	r.beginTurn()
	h.srv.connections.Add(1)
	if !h.srv.admits() {
		h.srv.rejectedConns.Add(1)
		if c.IsTLS() { // no handshake only to say no, as in redis
			c.Close(nil)
			return
		}
		r.refuse(c, errMaxClients)
		return
	}
	cl := &Client{
		conn: c, reactor: r, id: h.srv.nextClient.Add(1),
		proto: 2, createdMS: r.nowMS,
	}
	cl.become(h.srv.users.Default())
	cl.large.ks = h.srv.ks
	cl.parser.Big = &cl.large
	if h.srv.needsAuth() {
		cl.flags |= clientNeedsAuth
	}
	c.User = cl
	r.clients[cl.id] = cl
	h.srv.byID.Store(cl.id, cl)
	r.weigh(cl)
	cl.index = len(r.list)
	r.list = append(r.list, cl)
	if h.srv.protects(c) {
		r.refuse(c, errProtected)
	}
}

func (r *reactor) refuse(c *netio.Conn, e command.Error) {
	reply := "-" + string(e) + "\r\n"
	r.flow.netOut += int64(len(reply))
	r.flow.writes++
	c.SetOut(append(c.Out(), reply...))
	c.CloseAfterReply()
}

// Data runs the commands that have arrived.
func (h handler) Data(c *netio.Conn, in []byte) {
	cl, ok := c.User.(*Client)
	if !ok {
		return
	}
	r := cl.reactor
	r.beginTurn()
	r.flow.netIn += int64(len(in))
	r.flow.reads++
	cl.parser.Feed(in)
	if h.srv.clientMemory.limit.Load() > 0 && cl.parser.Buffered()+cl.parser.ArgvMem() > weighFrom && r.weighInput(cl) {
		return
	}
	if cl.flags&(clientSuspended|clientClosing) != 0 {
		cl.parser.Detach()
	} else {
		r.process(cl)
	}
	if h.srv.maxMemory.bytes.Load() != 0 && max(cl.parser.Buffered()+cl.parser.ArgvMem(), cl.weighed) > weighFrom {
		r.weigh(cl)
	}
	if n := cl.parser.Buffered(); n > int(h.srv.cfg.Load().QueryBufferLimit) {
		h.srv.log.Warningf("Closing client that reached max query buffer length: %s (qbuf initial bytes: %q)", cl.describe(r.nowMS), cl.parser.Pending()[:min(64, len(cl.parser.Pending()))])
		h.srv.queryBufferDrops.Add(1)
		c.Close(errQueryBuffer)
	}
}

var (
	errQueryBuffer  = errors.New("the query buffer limit was reached")
	errOutputBuffer = errors.New("the output buffer limit was reached")
	errIdle         = errors.New("idle for longer than timeout")
	errHTTP         = errors.New("the client speaks HTTP")
)

// Closed forgets a client.
func (h handler) Closed(c *netio.Conn, err error) {
	cl, ok := c.User.(*Client)
	if !ok {
		return // it was one too many
	}
	defer h.srv.clients.Add(-1) // when nothing is left of it
	r := cl.reactor
	if c.IsTLS() {
		h.srv.noteTLSEnd(c, err)
	}
	r.abandon(cl)
	r.endMulti(cl, false)
	r.endMonitor(cl)
	if cl.flags&clientPaused != 0 {
		r.stats.blocked.Add(-1)
	}
	h.srv.trackers.untrack(cl)
	delete(r.clients, cl.id)
	h.srv.byID.Delete(cl.id)
	r.unweigh(cl)
	last := r.list[len(r.list)-1]
	r.list[cl.index], last.index = last, cl.index
	r.list[len(r.list)-1] = nil
	r.list = r.list[:len(r.list)-1]
	cl.parser.Close()
	cl.flags |= clientClosing
	r.leaveTopics(cl)
	c.User = nil
}

// TurnEnd tells of what was modified in the turn, and publishes the turn's counters.
func (h handler) TurnEnd(n *netio.Reactor) {
	r := h.reactor(n)
	if len(r.invalidations.keys) > 0 {
		r.broadcast()
	}
	r.wakeListeners()
	if r.teller.begun() && !r.keepsTold() {
		r.beginTurn()
		r.publishTold()
	}
	r.publish()
}

// tickBusy is how often a reactor ticks while it has work, which bounds how late a key expires; tickIdle is how long it may
// sleep without any.
const (
	tickBusy = 2 * time.Millisecond
	tickIdle = 100 * time.Millisecond
)

// Tick does periodic work and returns when it wants to be called again.
func (h handler) Tick(n *netio.Reactor) time.Duration {
	r := h.reactor(n)
	r.beginTurn()
	return min(r.tick(), r.expireBlocked(), r.giveUpWrites())
}

func (r *reactor) tick() time.Duration {
	o := &r.srv.observed
	saving := r.srv.saving.current.Load() != nil
	if saving {
		r.wakeSaver()
	}
	if o.cronPaused.Load() {
		return tickIdle
	}
	begin := nanotime()
	behind := !o.expirePaused.Load() && r.expire()
	more := r.housekeep()
	if r.srv.maxMemory.bytes.Load() != 0 {
		more = r.evictTick() || more
	}
	if r.net.ID() == 0 && r.trackingTick() {
		more = true
	}
	r.runCron()
	r.lastRun = nanotime()
	r.stats.cronNanos.Add(r.lastRun - begin)
	if behind || more || saving {
		return tickBusy
	}
	if o.expirePaused.Load() || r.srv.pause.active(r.nowMS) {
		return tickIdle
	}
	next := int64(tickIdle / time.Millisecond)
	for i := range r.srv.ks.Shards() {
		next = min(next, max(r.srv.ks.Shard(i).NextDue()-r.nowMS, 1))
	}
	return time.Duration(next) * time.Millisecond
}

const (
	expireRecords = 200                    // of one shard in one step
	expireBudget  = 500 * time.Microsecond // of one tick: a quarter of the CPU when keys wait
	tickBuckets   = 32                     // of one shard's housekeeping in one step
	tickBudget    = 200 * time.Microsecond // of one tick
)

// expire deletes keys whose time has come, in any shard that nobody else is at work on.
func (r *reactor) expire() (more bool) {
	begin, worked := nanotime(), false
	stop := begin + int64(expireBudget)
	defer func() {
		if worked {
			r.sendInvalidations()
			took := nanotime() - begin
			r.stats.expireNanos.Add(took)
			r.srv.spike(eventExpireCycle, took)
		}
		if more {
			r.stats.expireCapped.Add(1)
		}
	}()
	ks := r.srv.ks
	if r.srv.loading.active.Load() || r.srv.pause.active(r.nowMS) {
		return false
	}
	if r.srv.pubsub.congested.Load() > 0 {
		return true // with events nobody keeps up with
	}
	for i := range ks.Shards() {
		s := ks.Shard((i + r.cron.firstShard) & (ks.Shards() - 1))
		for s.Due(r.nowMS) && s.TryLock(r.nowMS) {
			if r.srv.exclusive.active.Load() {
				s.Unlock()
				return false
			}
			worked = true
			s.Hear(r)
			again := s.Expire(expireRecords)
			r.effects.log.EndEach()
			r.endEvents()
			r.collectAlone(s)
			r.record()
			s.Unlock()
			if nanotime() > stop {
				r.cron.firstShard += i
				return true
			}
			if !again {
				break
			}
		}
	}
	return false
}

// housekeep frees flushed data, finishes resizes and returns memory, in the shards that are this reactor's.
func (r *reactor) housekeep() (more bool) {
	stop := nanotime() + int64(tickBudget)
	ks := r.srv.ks
	trim := r.nowMS >= r.cron.trimMS
	if trim {
		r.cron.trimMS = r.nowMS + trimMS
	}
	for i := r.net.ID(); i < ks.Shards(); i += len(r.srv.reactors) {
		s := ks.Shard(i)
		if !trim && !s.NeedsTick() || !s.TryLock(r.nowMS) {
			continue
		}
		more = s.Tick(tickBuckets) || more
		if trim {
			s.Arena().Trim()
		}
		s.Unlock()
		if nanotime() > stop {
			return true
		}
	}
	if r.net.ID() == 0 {
		more = r.returnMemory() || more
		if trim && !more {
			more = r.rest()
		}
	}
	return more
}

const (
	releaseBytes  = 4 << 20 // of flushed and large values, given back in one tick
	scavengeBytes = 1 << 20 // of free pages, returned to the operating system in one tick
	trimMS        = 100     // between two times that arenas give up their empty spans
	restMS        = 1000    // without a page taken or given up, after which reserves are given back as well
)

// resting is what the first reactor knows of the memory in use.
type resting struct {
	inUse   int   // bytes that the shards hold
	sinceMS int64 // when that last changed
	done    bool  // all has been given back since
}

// rest gives back what is kept for growth when there has been none for a while. It returns whether there is more to give.
func (r *reactor) rest() (more bool) {
	heap, x := r.srv.ks.Heap(), &r.cron.resting
	switch inUse := heap.InUse(); {
	case inUse != x.inUse:
		*x = resting{inUse: inUse, sinceMS: r.nowMS}
	case x.done || r.nowMS-x.sinceMS < restMS:
	case heap.ScavengeAll(scavengeBytes) > 0:
		r.cron.trimMS = r.nowMS // go on at once
		return true
	default:
		x.done = true
		go debug.FreeOSMemory()
	}
	return false
}

func (r *reactor) returnMemory() bool {
	return r.srv.ks.ReleaseStep(releaseBytes) || r.srv.ks.Heap().Scavenge(scavengeBytes) > 0
}

var _ netio.Handler = handler{}
var _ shard.Events = (*Server)(nil)
