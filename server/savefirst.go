package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/save"
	"github.com/shoaldb/shoal/shard"
)

// While a snapshot is being taken, who changes something has its old state saved first, and waits if more would have to be kept for the snapshot
// then than it may have.

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
	return r.savePart(cl, sn, q, &x, q.args, many)
}

// saveGroup is saveFirst for a transaction.
func (r *reactor) saveGroup(cl *Client, sn *save.Snapshot, g []request, many *lockSet) (waits bool) {
	x := firstSaves{passed: sn.Passed()}
	for i := range g {
		if mayWrite(g[i].spec) && r.savePart(cl, sn, &g[i], &x, r.ctx.Args, many) {
			return true
		}
	}
	return false
}

// savePart does so for one command. args are those of what is put off.
func (r *reactor) savePart(cl *Client, sn *save.Snapshot, q *request, x *firstSaves, args [][]byte, many *lockSet) (waits bool) {
	if sn.Overfull() {
		r.unlockAndPutOff(cl, args, many)
		sn.AwaitRoom(r.resumer(cl))
		return true
	}
	for i := range q.keys {
		k := &q.keys[i]
		if !k.Saving() {
			continue
		}
		if sn.Crowded() {
			r.unlockAndPutOff(cl, args, many)
			sn.AwaitRoom(r.resumer(cl))
			return true
		}
		if x.saved && sn.Passed()-x.passed > saveAtOnce {
			r.unlockAndPutOff(cl, args, many)
			r.resumer(cl)()
			return true
		}
		x.saved = true
		if w := k.BeforeWrite(); w != nil && !sn.Admit(w, spoils(q, i), &x.sum) {
			sn.AwaitSaved(w, r.resumer(cl))
			r.unlockAndPutOff(cl, args, many)
			return true
		}
	}
	return false
}

// spoils returns how many elements of the value of its key i a command does away with or changes, at most; of a string, bytes.
func spoils(q *request, i int) int {
	specs := q.spec.Keys
	if len(specs) == 0 {
		return len(q.args)
	}
	flags := specs[min(i, len(specs)-1)].Flags
	deletes := flags&command.Delete != 0
	switch {
	case flags&(command.OW|command.RM) != 0 || q.spec.Outside:
		return save.All
	case q.spec.Group == "string" && q.spec.Name != "APPEND" && q.spec.Name != "SETRANGE":
		return save.All
	case q.spec.Group == "string" || q.spec.Group == "bitmap":
		n := len(q.args) * save.ChunkBytes
		for _, a := range q.args {
			n += len(a)
		}
		return n
	case q.spec.Group == "generic" && deletes && len(q.keys) > 1 && q.keys[0].DB.Shard() != q.keys[1].DB.Shard(): // RENAME to another shard
		return save.All
	case q.spec.Group == "stream" && deletes && q.spec.Name != "XDEL" && q.spec.Name != "XTRIM": // of a group or a consumer
		return save.All
	case deletes:
		return max(len(q.args), fewElements)
	}
	return len(q.args)
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

// crowding tells whether the script should not write more at present, as a snapshot cannot take it.
func (x *scriptRun) crowding() bool {
	sn := x.r.srv.saving.current.Load()
	return sn != nil && !x.readOnly && (sn.Crowded() || sn.Overfull())
}

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
