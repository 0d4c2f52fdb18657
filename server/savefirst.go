package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/save"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/shard"
)

// While a snapshot is being taken, who changes something has its old state saved first, and waits if more would have to
// be kept for the snapshot then than it may have.

// saveAtOnce is how many bytes a command has saved in one turn; then it goes on in the next one.
const saveAtOnce = 4 << 20

// fewElements is how many elements commands change that do not work in steps, bar a few.
const fewElements = 10_000

// firstSaves is what a command, or a whole transaction, has saved before it runs.
type firstSaves struct {
	saved  bool  // something has been
	passed int64 // bytes that the snapshot's queue had got before
	sum    int64 // bytes of values watched by the snapshot that the command may do away with
}

// saveFirst has what q may change saved before it does. It reports true if q has been put off for that. Its shards are locked.
func (r *reactor) saveFirst(cl *Client, sn *save.Snapshot, q *request, many *lockSet) (waits bool) {
	x := firstSaves{passed: sn.Passed()}
	return r.putOffIf(x.save(sn, q), cl, q.args, many)
}

// saveGroup is saveFirst for a transaction.
func (r *reactor) saveGroup(cl *Client, sn *save.Snapshot, g []request, many *lockSet) (waits bool) {
	x := firstSaves{passed: sn.Passed()}
	for i := range g {
		if mayWrite(g[i].spec) && r.putOffIf(x.save(sn, &g[i]), cl, r.ctx.Args, many) {
			return true
		}
	}
	return false
}

// putOffIf puts a command off until await calls, unless that is nil.
func (r *reactor) putOffIf(await func(resume func()), cl *Client, args [][]byte, many *lockSet) bool {
	if await == nil {
		return false
	}
	await(r.resumer(cl))
	r.unlockAndPutOff(cl, args, many)
	return true
}

// saveInside is saveFirst for a command inside of a transaction or script, which waits as a whole. One that cannot had
// its turn in saveGroup.
func (r *reactor) saveInside(q *request) {
	if !mayWrite(q.spec) {
		return
	}
	for sn := r.srv.saving.current.Load(); sn != nil; sn = r.srv.saving.current.Load() {
		x := firstSaves{passed: sn.Passed()}
		if await := x.save(sn, q); await == nil || !r.parkScript(await) {
			break
		}
	}
	r.saveKeys(q.keys)
}

// save has more of what q may change saved. It returns nil when all is, and otherwise who calls a function, on any
// goroutine, when it may go on. The shards are locked, also for that.
func (x *firstSaves) save(sn *save.Snapshot, q *request) (await func(resume func())) {
	if sn.Overfull() {
		return sn.AwaitRoom
	}
	for i := range q.keys {
		k := &q.keys[i]
		switch {
		case !k.Saving():
			continue
		case sn.Crowded():
			return sn.AwaitRoom
		case x.saved && sn.Passed()-x.passed > saveAtOnce:
			return func(resume func()) { resume() }
		}
		x.saved = true
		if w := k.BeforeWrite(); w != nil && !sn.Admit(w, spoils(q, i), &x.sum) {
			return func(resume func()) { sn.AwaitSaved(w, resume) }
		}
	}
	return nil
}

// spoils returns how many elements of the value of its key i a command does away with or changes, at most; of a string, chunks.
func spoils(q *request, i int) int {
	var flags command.KeyFlags
	if specs := q.spec.Keys; len(specs) > 0 {
		flags = specs[min(i, len(specs)-1)].Flags
	}
	if q.spec.Replaces || flags&(command.OW|command.RM) != 0 {
		return save.All
	}
	n := len(q.args)
	for _, a := range q.args {
		n += len(a) / save.ChunkBytes
	}
	if flags&command.Delete != 0 {
		return max(n, fewElements)
	}
	return n
}

// stepLater puts off the next step of l if it writes and a snapshot cannot take more now.
func (r *reactor) stepLater(l *longCommand) bool {
	sn := r.srv.saving.current.Load()
	if sn == nil || l.ctx.Spec.Flags&command.Write == 0 || !sn.Crowded() && !sn.Overfull() {
		return false
	}
	sn.AwaitRoom(func() { r.net.Post(func() { r.stepAgain(l) }) })
	return true
}

// stepAgain has l make steps again.
func (r *reactor) stepAgain(l *longCommand) {
	r.beginTurn()
	r.long.list = append(r.long.list, l)
	r.postStep()
}

// mayWait tells whether a script with these traits may have to wait for the snapshot that is being taken.
func (s *Server) mayWait(t *script.Traits) bool { return !t.Reads && s.saving.current.Load() != nil }

// saveKeys has keys saved.
func (r *reactor) saveKeys(keys []shard.Key) {
	if r.srv.saving.current.Load() == nil {
		return
	}
	for i := range keys {
		keys[i].BeforeWrite()
	}
}

// unlockAndPutOff gives the locks back and keeps the command that cannot run yet.
func (r *reactor) unlockAndPutOff(cl *Client, args [][]byte, many *lockSet) {
	if many != nil {
		r.unlock(many)
	} else {
		r.release()
	}
	r.putOff(cl, args)
}
