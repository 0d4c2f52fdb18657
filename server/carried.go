package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/script"
)

// A transaction in which a script may run for long is carried by a scriptRun without a script, whose work is the whole
// transaction: so it is put aside, and has all data to itself, as a script that may work on any key.

// carriage is what is kept of a transaction and a script within it.
type carriage struct {
	exec    *transaction // of a carrier
	w       resp.Writer  // the carrier's replies
	inside  *scriptRun   // the script of the transaction that has paused last
	carrier *scriptRun   // of a script within a transaction
}

// mayLast tells whether a script of the transaction has loops, or may have to wait.
func (r *reactor) mayLast(t *transaction) bool {
	for i := range t.cmds {
		q := &t.cmds[i]
		if q.spec.Group != command.GroupScripting || !q.spec.HasKeys() {
			continue
		}
		if traits := r.traitsOf(q); traits != nil && (!traits.Straight || r.srv.mayWait(traits)) {
			return true
		}
	}
	return false
}

// execCarried runs the transaction t, which may be put aside. The locks of all shards are held.
func (r *reactor) execCarried(cl *Client, t *transaction) {
	t.home()
	t.carried = true
	x := r.takeRun(ofScripts)
	x.cl, x.spec, x.args, x.keyCount = cl, r.ctx.Spec, r.ctx.Args, 0
	x.readOnly, x.traits, x.watched, x.noted, x.verdict = false, script.Traits{}, true, false, script.GoOn
	x.exec, x.w = t, resp.Writer{Proto: cl.proto}
	x.begin(false)
	if x.co == nil {
		x.co = script.NewCoroutine()
	}
	db := cl.db
	r.scripting.carrier = x
	done := x.co.Start(x.transact)
	r.scripting.carrier = nil
	if !done {
		x.putAside(db)
		return
	}
	r.w.Raw(x.w.Buf)
	t.carried = false
	r.endMulti(cl, true)
	r.putRun(x)
	r.endGroup(&r.many)
}

// transact runs the transaction that x carries.
func (x *scriptRun) transact() {
	r, cl := x.r, x.cl
	r.beginReplies(cl, x.exec, &x.w)
	r.beginInner(cl)
	for i := range x.exec.cmds {
		q := &x.exec.cmds[i]
		if r.clients[cl.id] != cl && q.spec.Group == command.GroupPubSub && q.spec.Channels != command.OneChannel {
			continue // the client has gone, and gets no messages
		}
		r.runPart(cl, q, &x.w)
	}
	r.endInner()
}
