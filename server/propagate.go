package server

import (
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/journal"
)

// What commands did to the data is told to those who keep a copy of it, as commands that have the same effect wherever
// they run: the append only file (aof.go) reads the journal in which these stand in one order. A handler tells its
// effects (command.Ctx.Propagate), or, when it only counts changes, the command is told as it was sent. They are
// collected in the reactor's log, and written to the journal before the locks are given back under which they happened.
//
// What one command does is a group, whole in the journal as a transaction: with the keys that it found expired, and for
// EXEC, a script or a function all that runs inside. Clients that are served because of it come behind, each as a group
// of its own. A script that is put aside takes its open group along, until it goes on. While nobody listens this costs
// a branch a command.

// propagation is the journal and who listens to it.
type propagation struct {
	on      atomic.Bool // changed with all shards locked, when no script that may have written is put aside
	journal *journal.Journal
}

// initPropagation makes the journal. Nobody listens to it.
func (s *Server) initPropagation() { s.propagation.journal = journal.New(0, 0) }

// propagate makes effects be told from now on, or no longer. All shards are locked.
func (s *Server) propagate(on bool) {
	s.propagation.on.Store(on)
	s.duties.set(dutyPropagate, on)
}

// effects is what a reactor has yet to tell.
type effects struct {
	log    journal.Log
	author *Client  // on whose behalf the reactor works, or nil
	end    int64    // of the journal, behind what the reactor has told last
	fields [][]byte // HDEL of the fields that are about to expire
	served []served // replies to deliver once the effects are in the journal
}

// served is the reply to a blocked client.
type served struct {
	b     *blocked
	reply []byte
}

// listen makes c's handler tell its effects, if anybody wants them, and the reactor hear of what expires. The locks are held.
func (r *reactor) listen(c *command.Ctx) {
	on := r.srv.propagation.on.Load()
	if on != c.Journaling() {
		r.connect(c, on)
	}
	if on || c.Env.Notify != 0 {
		r.hear()
	}
}

func (r *reactor) connect(c *command.Ctx, on bool) {
	if on {
		c.JournalTo(&r.effects.log)
	} else {
		c.JournalTo(nil)
	}
}

// endEffects ends the group of what c's command did, unless it runs inside of another.
func (r *reactor) endEffects(c *command.Ctx) {
	c.PropagateAsSent()
	r.endEffectGroup()
}

func (r *reactor) endEffectGroup() {
	if r.inner.depth == 0 && !r.alone {
		r.effects.log.EndGroup()
	}
}

// record writes what has been collected to the journal. It is called before locks are given back.
func (r *reactor) record() {
	if e := &r.effects; !e.log.Empty() || len(e.served) > 0 {
		r.recordNow()
	}
}

func (r *reactor) recordNow() {
	e := &r.effects
	if !e.log.Empty() && !r.alone { // who works alone tells all at the end
		e.end = r.srv.propagation.journal.Write(&e.log)
		if e.author != nil {
			e.author.wrote = e.end
		}
	}
	for _, d := range e.served {
		wrote := e.end
		d.b.cl.reactor.net.Post(func() { d.b.served(d.reply, wrote) })
	}
	clear(e.served)
	e.served = e.served[:0]
}

// wakeListeners lets those who wait for effects read what the turn has told.
func (r *reactor) wakeListeners() {
	if r.srv.propagation.on.Load() {
		r.srv.propagation.journal.Wake()
		r.srv.noteBehind()
	}
	if r.durability.waiting.Load() > 0 {
		r.releaseDurable()
	}
}

// unlock gives back the locks of many, under which something may have happened.
func (r *reactor) unlock(many *lockSet) {
	r.record()
	if many.all {
		r.publishFlow() // for the cut that FLUSHALL has asked for, which another reactor may make at once
	}
	many.unlock(r.srv.ks)
}

// tellExpired tells that a key has gone.
func (r *reactor) tellExpired(db int, key []byte) {
	if r.srv.propagation.on.Load() {
		r.effects.log.Append(db, [][]byte{r.srv.deletion(), key})
	}
}

// tellFieldExpired and tellFieldsExpired tell that fields of a hash have gone, and the key with the last one.
func (r *reactor) tellFieldExpired(key, field []byte) {
	if !r.srv.propagation.on.Load() {
		return
	}
	e := &r.effects
	if len(e.fields) == 0 {
		e.fields = append(e.fields, wordHDel, append([]byte(nil), key...))
	}
	e.fields = append(e.fields, append([]byte(nil), field...))
}

func (r *reactor) tellFieldsExpired(db int) {
	if e := &r.effects; len(e.fields) > 0 {
		e.log.Append(db, e.fields)
		clear(e.fields)
		e.fields = e.fields[:0]
	}
}

var (
	wordHDel   = []byte("HDEL")
	wordUnlink = []byte("UNLINK")
)

// deletion is the command by which expired keys are told to go.
func (s *Server) deletion() []byte {
	if s.cfg.Load().LazyExpire {
		return wordUnlink
	}
	return wordDel
}

// tellAlone tells of an effect that happened where no reactor's log is used. The key's shard is locked.
func (s *Server) tellAlone(db int, args ...[]byte) {
	if s.propagation.on.Load() {
		var l journal.Log
		l.Append(db, args)
		l.EndGroup()
		s.propagation.journal.Write(&l)
	}
}
