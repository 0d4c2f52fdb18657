package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/persist/save"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
)

// A snapshot (package save) is begun with all shards locked: by a command that locks them, as BGSAVE and SAVE do, or
// outside of one by tryCut. From then on every reactor makes a step of it in each turn, while no clients send, and
// whoever is about to change keys has them saved first. There is one at a time, whatever it is for.

// snapshotTask is what a snapshot is taken for.
type snapshotTask struct {
	sink save.Sink
	temp string   // the path of the file that sink makes first
	info rdb.Info // the head of the RDB file; version, time and memory are filled in
	// done tells how the snapshot ended: with a nil error, save.ErrFlushed, save.ErrCancelled, or one of the sink's. It
	// is called by the goroutine that wrote. What it returns, unless nil, is called when the next snapshot can begin.
	done func(sn *save.Snapshot, err error) (then func())
}

// takeSnapshot makes the cut and begins to save. All shards are locked, no snapshot is being taken, and no script that
// may have written is put aside, no command changes a value in steps: of the last two, LockAll commands and tryCut make
// sure.
func (r *reactor) takeSnapshot(t *snapshotTask) (sn *save.Snapshot) {
	s := r.srv
	o := s.snapshotOptions(s.cfg.Load())
	o.Sink, o.Info = t.sink, t.info
	if dir, err := os.Getwd(); err == nil {
		o.Dir = dir
	}
	o.Info.RedisVersion, o.Info.CreatedSec, o.Info.UsedMemory = RedisVersion, time.Now().Unix(), s.usedMemory()
	begun := make(chan struct{})
	o.Done = func(err error) {
		<-begun // a file that cannot be opened may be the end before the beginning has been noted
		_, _, peak := sn.Progress()
		s.saving.lastPeak.Store(peak)
		then := t.done(sn, err)
		s.duties.set(dutySnapshot, false) // before another one can begin
		s.saving.temp.Store(nil)
		s.saving.current.Store(nil)
		if then != nil {
			then()
		}
		s.saving.ended()
		if first := s.reactors[0]; s.saving.scheduled.Load() {
			first.net.Post(first.saveScheduled)
		}
	}
	s.saving.temp.Store(&t.temp) // before there is the file
	sn = save.Start(s.ks, o)
	s.saving.toldSec.Store(0)
	s.saving.current.Store(sn)
	s.duties.set(dutySnapshot, true)
	close(begun)
	s.wakeSavers()
	return sn
}

// awaitEnd calls f, on any goroutine, when the snapshot that is being taken has ended. It returns false if there is none.
func (x *saving) awaitEnd(f func()) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.current.Load() == nil {
		return false
	}
	x.ends = append(x.ends, f)
	return true
}

func (x *saving) ended() {
	x.mu.Lock()
	ends := x.ends
	x.ends = nil
	x.mu.Unlock()
	for _, f := range ends {
		f()
	}
}

var saveCommands = []command.Spec{
	{Name: "BGSAVE", Arity: -1, Flags: command.Admin | command.NoScript | command.NoAsyncLoading | command.LockAll | command.Barrier, Group: command.GroupServer, Since: "1.0.0",
		Complexity: "O(1)", Summary: "Saves all data to disk while others work with them.", History: []command.Change{{Since: "3.2.2", What: "Takes `SCHEDULE`."}},
		Args: []command.Arg{{Name: "schedule", Token: "SCHEDULE", Type: command.ArgPureToken, Optional: true, Since: "3.2.2"}}, Run: bgsave},
	{Name: "LASTSAVE", Arity: 1, Flags: command.Loading | command.Stale | command.Fast, ACL: command.ACLAdmin | command.ACLDangerous, Group: command.GroupServer, Since: "1.0.0",
		Complexity: "O(1)", Summary: "Tells when the data were last saved.", Tips: []string{arbitrary}, Run: lastsave},
	{Name: "SAVE", Arity: 1, Flags: command.Admin | command.NoScript | command.NoAsyncLoading | command.NoMulti | command.LockAll | command.Barrier, Group: command.GroupServer, Since: "1.0.0",
		Complexity: "O(N) where N is the number of keys.", Summary: "Saves all data to disk and waits until that is done.", Run: saveCommand},
}

const (
	errSaving    command.Error = "ERR Background save already in progress"
	errRewriting command.Error = "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
)

const (
	saveStep       = 100 * time.Microsecond // of a snapshot in one turn of a reactor
	savePause      = 300 * time.Microsecond // between two of them while clients send
	saveQueueBytes = 8 << 20
	saveHeldBytes  = 12 << 20 // that a snapshot keeps from being freed, at most, besides
	saveHeldShare  = 25       // this part of all data
	saveRetrySec   = 5        // after a save has failed
)

// saving is the state of snapshots to disk.
type saving struct {
	busyAt    atomic.Int64 // nanotime of the last step before which clients had sent
	current   atomic.Pointer[save.Snapshot]
	temp      atomic.Pointer[string] // the file that the current one makes first; nil: none
	scheduled atomic.Bool            // one is to be begun as soon as possible
	unasked   atomic.Bool            // the current one was not asked for by a command

	mu      sync.Mutex
	waiting []func(err error) // for the end of the one that is scheduled
	ends    []func()          // who waits for the end of the current one, whatever it is for

	lastSec, lastTrySec atomic.Int64 // unix time of the last success, of the last cut
	lastTookSec         atomic.Int64 // of the last one; -1: there was none
	toldSec             atomic.Int64 // age of the current one when the log last told of it
	lastPeak            atomic.Int64 // bytes that waited for the file, at most
	failed              atomic.Bool  // the last one has
	cuts, saves         atomic.Int64
	dirtyAtCut          atomic.Int64 // changes before the current one's cut
	dirtySaved          atomic.Int64 // changes that the last successful one has, or that were loaded
}

func (s *Server) initSaving() {
	s.saving.lastSec.Store(time.Now().Unix())
	s.saving.lastTookSec.Store(-1)
}

// changes returns how many changes there were since the last save.
func (s *Server) changes() int64 {
	return s.sum(func(c *counters) int64 { return c.dirty.Load() }) - s.saving.dirtySaved.Load()
}

func bgsave(c *command.Ctx) {
	schedule := len(c.Args) == 2 && command.EqualFold(c.Args[1], "SCHEDULE")
	if len(c.Args) > 1 && !schedule {
		c.Error(command.ErrSyntax)
		return
	}
	r := client(c).reactor
	switch s := r.srv; {
	case s.aof.rewrite.active() && !schedule:
		c.Error(errRewriting)
	case s.aof.rewrite.active():
		s.saving.scheduled.Store(true)
		c.Reply.Simple("Background saving scheduled")
	case s.saving.current.Load() != nil:
		c.Error(errSaving)
	case r.inner.depth > 0: // the cut must not be within a transaction
		s.saving.scheduled.Store(true)
		c.Reply.Simple("Background saving scheduled")
	default:
		r.cut(nil)
		c.Reply.Simple("Background saving started")
	}
}

func lastsave(c *command.Ctx) { c.Reply.Int(client(c).reactor.srv.saving.lastSec.Load()) }

func saveCommand(c *command.Ctx) {
	cl := client(c)
	r := cl.reactor
	rewrite := r.srv.aof.rewrite.active()
	if !rewrite && r.srv.saving.current.Load() != nil {
		c.Error(errSaving)
		return
	}
	cl.suspend(0)
	done := func(err error) {
		r.net.Post(func() {
			r.finish(cl, func(w *resp.Writer) {
				if err != nil {
					w.Error("ERR")
					return
				}
				w.OK()
			})
		})
	}
	if rewrite {
		r.srv.saving.demand(done)
		return
	}
	r.cut(done)
}

// flushing has the dump file replaced by an empty one, if there are rules to save, as all databases are about to be
// emptied. The client's replies stay in its output until that is done.
func flushing(c *command.Ctx) {
	cl := client(c)
	r := cl.reactor
	if r.loader || len(r.srv.cfg.Load().Save) == 0 {
		return
	}
	cl.conn.HoldOut()
	cl.flushes++
	r.srv.saving.demand(func(error) {
		r.net.Post(func() {
			cl.flushes--
			r.releaseReplies(cl, r.srv.aof.safe())
		})
	})
	r.net.Post(r.saveScheduled)
}

// saveScheduled begins the snapshot that is scheduled, if it can. Otherwise saveCron will.
func (r *reactor) saveScheduled() {
	if x := &r.srv.saving; x.scheduled.Load() && !r.srv.loading.active.Load() {
		r.beginTurn()
		r.tryCut(func() {
			r.cut(nil)
			x.unasked.Store(true)
		})
	}
}

// demand has a snapshot taken as soon as one can be; done is called at its end.
func (x *saving) demand(done func(err error)) {
	x.mu.Lock()
	x.waiting = append(x.waiting, done)
	x.mu.Unlock()
	x.scheduled.Store(true)
}

// cut begins a snapshot to the dump file; done, unless nil, is called at its end. All shards are locked, and there is
// no other one.
func (r *reactor) cut(done func(err error)) {
	s := r.srv
	x := &s.saving
	x.scheduled.Store(false)
	x.unasked.Store(false)
	x.lastTrySec.Store(time.Now().Unix())
	r.publishFlow()
	x.dirtyAtCut.Store(s.sum(func(c *counters) int64 { return c.dirty.Load() }))
	x.cuts.Add(1)
	x.mu.Lock()
	waiting := x.waiting
	x.waiting = nil
	x.mu.Unlock()
	if done != nil {
		waiting = append(waiting, done)
	}
	f := s.dumpFile()
	r.takeSnapshot(&snapshotTask{sink: f, temp: f.Temp, done: func(sn *save.Snapshot, err error) func() { return s.saved(sn, err, waiting) }})
	if len(waiting) == 0 { // neither SAVE nor FLUSHALL counts as one in the background
		s.log.Noticef("Background saving started by pid %d", os.Getpid())
		x.saves.Add(1) // now that it can be seen
	}
}

// dumpFile returns the file that a save replaces. Its name is absolute, as the working directory may change meanwhile.
func (s *Server) dumpFile() *save.File {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	v := s.cfg.Load()
	return &save.File{Disk: s.disk, Temp: filepath.Join(dir, tempName()), Name: filepath.Join(dir, v.DBFilename), SyncPieces: v.RDBSaveIncrementalFsync}
}

// snapshotOptions says how snapshots are taken, wherever they go.
func (s *Server) snapshotOptions(v *config.Values) save.Options {
	o := save.Options{
		Compress: v.RDBCompression, Checksum: v.RDBChecksum,
		LFU:        s.env.Load().LFU,
		IdleTimes:  v.MaxMemoryPolicy == config.AllKeysLRU || v.MaxMemoryPolicy == config.VolatileLRU,
		KeyDelayNS: int64(max(v.RDBKeySaveDelayUS, 0)) * 1000, QueueBytes: saveQueueBytes, Workers: len(s.reactors),
		HeldBytes: saveHeldBytes + int64(s.usedMemory())/saveHeldShare,
		Busy:      s.savesBesideClients, Wake: s.wakeSavers,
	}
	for _, lib := range s.libraries.set.Load().All() {
		o.Functions = append(o.Functions, lib.Code)
	}
	return o
}

// savesBesideClients tells whether clients have sent in the last milliseconds.
func (s *Server) savesBesideClients() bool {
	return nanotime()-s.saving.busyAt.Load() < int64(5*time.Millisecond)
}

// wakeSavers makes all reactors go on with the snapshot.
func (s *Server) wakeSavers() {
	for _, r := range s.reactors {
		r.wakeSaver()
	}
}

func (r *reactor) wakeSaver() {
	if r.saveAwake.CompareAndSwap(false, true) {
		r.net.NextTurn(r.stepSave)
	}
}

// stepSave makes the reactor's next step of the snapshot.
func (r *reactor) stepSave() {
	r.saveAwake.Store(false)
	sn := r.srv.saving.current.Load()
	if sn == nil {
		return
	}
	r.beginTurn()
	r.release()
	r.noteReads()
	end := nanotime() + int64(saveStep)
	until := func() bool { return nanotime() >= end }
	for more := true; more; {
		if more = sn.Step(r.net.ID(), r.nowMS, until); more && until() {
			r.saveOn()
			break
		}
	}
	r.lastRun = nanotime()
}

// noteReads notes whether clients have sent since it was called last.
func (r *reactor) noteReads() {
	if reads := r.stats.reads.Load(); reads != r.saveReads {
		r.saveReads = reads
		r.srv.saving.busyAt.Store(nanotime())
	}
}

// saveOn has the snapshot's next step made: in the next turn or, while clients send, after a pause.
func (r *reactor) saveOn() {
	if r.srv.savesBesideClients() {
		r.net.TickWithin(savePause)
	} else {
		r.wakeSaver()
	}
}

// saved notes the end of a snapshot to the dump file, for which waiting wait.
func (s *Server) saved(sn *save.Snapshot, err error, waiting []func(err error)) (then func()) {
	x := &s.saving
	again := errors.Is(err, save.ErrFlushed) ||
		errors.Is(err, save.ErrCancelled) && x.scheduled.Load() || // by FLUSHALL, which has scheduled one
		errors.Is(err, save.ErrAllFlushed) && len(waiting) > 0 // by FLUSHALL, which others than SAVE's client have sent
	switch {
	case err == nil:
		s.log.Noticef("DB saved on disk")
		if len(waiting) == 0 {
			s.log.Noticef("Background saving terminated with success")
		}
		x.lastSec.Store(time.Now().Unix())
		x.dirtySaved.Store(x.dirtyAtCut.Load())
		x.failed.Store(false)
	case again:
		s.log.Noticef("Background saving begins anew, as a database was flushed")
	case errors.Is(err, save.ErrCancelled):
		s.log.Warningf("Background saving terminated: it was cancelled")
	default:
		s.logSaveError(err)
		if len(waiting) == 0 { // as in Redis, it does not count that SAVE has failed
			s.log.Warningf("Background saving error")
			s.refuseWrites(s.cfg.Load(), true) // before INFO says why
			x.failed.Store(true)
		}
	}
	if again {
		x.mu.Lock()
		x.waiting = append(x.waiting, waiting...)
		x.mu.Unlock()
		x.scheduled.Store(true)
		return nil
	}
	x.lastTookSec.Store(int64(time.Since(sn.Began()) / time.Second))
	s.refuseWrites(s.cfg.Load(), x.failed.Load())
	return func() {
		for _, done := range waiting {
			done(err)
		}
	}
}

// logSaveError tells why a file could not be written.
func (s *Server) logSaveError(err error) {
	why := err
	var op *save.Error
	if errors.As(err, &op) {
		why = op.Err
	}
	text := config.SystemError(why)
	switch {
	case op != nil && op.Op == "open":
		dir, _ := os.Getwd()
		s.log.Warningf("Failed opening the temp RDB file %s (in server root dir %s) for saving: %s", tempName(), dir, text)
	case op != nil:
		s.log.Warningf("Write error saving DB on disk(%s): %s", op.Op, text)
	default:
		s.log.Warningf("Write error saving DB on disk: %v", err)
	}
}

// dropTemp removes what there is of a file that will not be completed, as the process ends.
func (s *Server) dropTemp() {
	if temp := s.saving.temp.Load(); temp != nil {
		s.disk.Remove(*temp)
	}
}

// tempName is the name that a file has while it is written.
func tempName() string { return fmt.Sprintf("temp-%d.rdb", os.Getpid()) }

// saveCron begins a snapshot if one is scheduled or a rule demands it.
func (r *reactor) saveCron() {
	s := r.srv
	x := &s.saving
	if sn := x.current.Load(); sn != nil {
		s.logProgress(sn)
		return
	}
	if s.loading.active.Load() {
		return
	}
	now := r.nowMS / 1000
	rested := !x.failed.Load() || now-x.lastTrySec.Load() > saveRetrySec
	if !rested {
		return
	}
	if x.scheduled.Load() {
		r.saveScheduled()
		return
	}
	changes := s.changes()
	for _, p := range s.cfg.Load().Save {
		if changes >= int64(p.Changes) && changes > 0 && now-x.lastSec.Load() > int64(p.Sec) {
			s.log.Noticef("%d changes in %d seconds. Saving...", p.Changes, p.Sec)
			r.tryCut(func() { r.cut(nil) })
			return
		}
	}
}

// saveLogSec is how often a snapshot that takes long is told of in the log.
const saveLogSec = 10

// logProgress tells in the log how far a snapshot has come, from time to time. Only the first reactor calls it.
func (s *Server) logProgress(sn *save.Snapshot) {
	x := &s.saving
	if sec := int64(time.Since(sn.Began()) / time.Second); sec/saveLogSec > x.toldSec.Load()/saveLogSec {
		keys, total, _ := sn.Progress()
		s.log.Noticef("Snapshot: %d of %d keys in %d seconds, about %d seconds left", keys, total, sec, saveETA(sn))
		x.toldSec.Store(sec)
	}
}

// saveETA returns in about how many seconds a snapshot will have all keys, judged by how long it has taken for those that it has.
func saveETA(sn *save.Snapshot) int64 {
	keys, total, _ := sn.Progress()
	if keys == 0 {
		return -1
	}
	return int64(time.Since(sn.Began()).Seconds() * float64(max(total-keys, 0)) / float64(keys))
}

// tryCut begins a snapshot by begin, which calls takeSnapshot, outside of a command. It reports false if it cannot now,
// as one is being taken, or a script that may have written is put aside, or a command changes a value in steps.
func (r *reactor) tryCut(begin func()) bool {
	many := r.lockAll()
	defer r.unlock(many)
	if r.srv.saving.current.Load() != nil || r.srv.leases.scripts.Load() > 0 || r.srv.changing() {
		return false
	}
	begin()
	return true
}

// changing tells whether a command is about to change a value in steps. All shards are locked.
func (s *Server) changing() bool {
	for i := 0; s.leases.running.Load() > 0 && i < s.ks.Shards(); i++ {
		if s.ks.Shard(i).Writing() {
			return true
		}
	}
	return false
}

// saveAndWait saves all data. It is called by a goroutine that is no reactor's.
func (s *Server) saveAndWait() error {
	result := make(chan error, 1)
	for begun := false; !begun; {
		answer := make(chan bool, 1)
		r := s.reactors[0]
		r.net.Post(func() {
			r.beginTurn()
			r.release()
			answer <- r.tryCut(func() { r.cut(func(err error) { result <- err }) })
		})
		if begun = <-answer; !begun {
			time.Sleep(time.Millisecond)
		}
	}
	return <-result
}

// cancelSave ends the snapshot that is being taken, if any, and waits until it has. Nor does one begin for which somebody waits.
func (s *Server) cancelSave() {
	x := &s.saving
	x.scheduled.Store(false)
	for sn := x.current.Load(); sn != nil && x.current.Load() == sn; {
		sn.Cancel()
		time.Sleep(time.Millisecond)
	}
	x.mu.Lock()
	waiting := x.waiting
	x.waiting = nil
	x.mu.Unlock()
	for _, done := range waiting {
		done(save.ErrCancelled)
	}
}

// cancelSnapshots ends the snapshot and the rewrite that are under way, if any, and waits until they have. None begins
// after that while the server loads.
func (s *Server) cancelSnapshots() {
	for s.cancelSave(); s.aof.rewrite.active(); s.cancelSave() {
		time.Sleep(time.Millisecond)
	}
}

// gateMisconf is the bit of Server.gate that is set while writes are refused as the last save has failed.
const gateMisconf = 1 << 10

const errMisconf command.Error = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error."

// refuseWrites makes writes be refused, or not, as settings and the last save have it.
func (s *Server) refuseWrites(v *config.Values, failed bool) {
	if v.StopWritesOnBgsaveError && len(v.Save) > 0 && failed {
		s.gate.Or(gateMisconf)
	} else {
		s.gate.And(^uint32(gateMisconf))
	}
}

// misconf tells whether q is refused while gateMisconf is set.
func misconf(cl *Client, q *request) bool {
	flags := q.spec.Flags
	if cl.multi != nil && q.spec == cl.reactor.srv.execSpec {
		flags |= cl.multi.flags
	}
	return flags&command.Write != 0 || q.spec.Name == "PING"
}
