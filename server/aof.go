package server

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/aof"
	"github.com/shoaldb/shoal/persist/disk"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/shard"
)

// The append only file (package aof) follows the journal. A writer of its own goroutine writes and syncs it, so that no
// reactor ever waits for a disk. With appendfsync always, replies wait instead: those of a client that has changed
// something stay in its output until that is durable (HoldOut), which one sync makes true for all who wait; see
// aofwait.go.
//
// The file is on, or on but partial: then it does not have all data yet, as the first rewrite, which begins with it,
// has not ended.

var aofCommands = []command.Spec{
	{Name: "BGREWRITEAOF", Arity: 1, Flags: command.Admin | command.NoScript | command.NoAsyncLoading, Group: command.GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Replaces the append only file by a shorter one, while others work with the data.", Run: bgrewriteaof},
	{Name: "WAITAOF", Arity: 4, Flags: command.NoScript | command.Barrier, ACL: command.ACLConnection, Group: command.GroupGeneric, Since: "7.2.0", Complexity: "O(1)",
		Summary: "Waits until what the client has written before is durable in the append only files of the server and of replicas.",
		Tips:    []string{"request_policy:all_shards", "response_policy:agg_min"},
		Args: []command.Arg{{Name: "numlocal", Type: command.ArgInteger}, {Name: "numreplicas", Type: command.ArgInteger},
			{Name: "timeout", Type: command.ArgInteger}}, Run: waitaof},
	{Name: "WAIT", Arity: 3, Flags: command.NoScript | command.Barrier, ACL: command.ACLConnection, Group: command.GroupGeneric, Since: "3.0.0", Complexity: "O(1)",
		Summary: "Waits until replicas have what the client has written before.",
		Tips:    []string{"request_policy:all_shards", "response_policy:agg_min"},
		Args:    []command.Arg{{Name: "numreplicas", Type: command.ArgInteger}, {Name: "timeout", Type: command.ArgInteger}}, Run: wait},
}

// appendOnly is the state of the append only file.
type appendOnly struct {
	mu       sync.Mutex // held to change folder, on and writer; never by a reactor
	names    sync.Mutex // held to change folder and manifest; taken behind mu, and by the writer, for which nobody waits who holds it
	folder   aof.Folder // absolute
	manifest *aof.Manifest

	on      atomic.Bool
	partial atomic.Bool
	epoch   atomic.Int64               // of on
	writer  atomic.Pointer[aof.Writer] // nil before the first cut, and while the file is off
	always  atomic.Bool

	sizeBefore atomic.Int64 // bytes: of the files, less what the writer has written
	baseSize   atomic.Int64 // of the files when they were rewritten last, or of the base when they were loaded

	failure     atomic.Pointer[command.Error] // why writes are refused, or were last
	behind      atomic.Bool                   // writes wait for the file
	waitingRoom struct {
		mu   sync.Mutex
		list []func()
	}
	rewrite rewriting
}

const (
	// gateAOFError is the bit of Server.gate that is set while writes are refused as the append only file cannot be written.
	gateAOFError = 1 << 16
	// gateAOFBehind is the bit that is set while writes wait for the append only file.
	gateAOFBehind = 1 << 17
	// mostBehind is how many bytes the append only file may be behind before writes wait, and enoughBehind when they go on.
	mostBehind   = 1 << 30
	enoughBehind = mostBehind / 2
)

// findAOF finds the append only file's place, and what is there.
func (s *Server) findAOF(v *config.Values) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	f := aof.Folder{Disk: s.disk, Dir: dir, Name: v.AppendDirName, Filename: v.AppendFilename}
	m, err := f.ReadManifest()
	if err != nil {
		return err
	}
	a := &s.aof
	a.names.Lock()
	a.folder, a.manifest = f, m
	a.names.Unlock()
	return nil
}

// startAOF loads the append only file and goes on with it, at the server's start. It reports false if that cannot be;
// why is in the log.
func (s *Server) startAOF(v *config.Values) bool {
	a := &s.aof
	a.mu.Lock()
	m, upgraded, err := a.folder.Load()
	if err == nil {
		a.setManifest(m)
	}
	a.mu.Unlock()
	if err != nil {
		s.logManifestError(err)
		return false
	}
	if upgraded {
		s.log.Noticef("Successfully migrated an old-style AOF file (%s) into the AOF directory (%s).", a.folder.Filename, a.folder.Name)
	}
	s.beginLoading(0)
	defer s.endLoading()
	if !s.loadAOF(v) {
		return false
	}
	a.on.Store(true)
	a.always.Store(v.AppendFsync == config.FsyncAlways)
	if _, m := a.current(); m.Empty() {
		return s.beginEmptyAOF()
	}
	if err := s.reopenAOF(); err != nil {
		s.log.Warningf("%v", err)
		return false
	}
	s.removeHistory(v)
	return true
}

func (a *appendOnly) setManifest(m *aof.Manifest) {
	a.names.Lock()
	a.manifest = m
	a.names.Unlock()
}

// current returns where the files are, and which they are.
func (a *appendOnly) current() (aof.Folder, *aof.Manifest) {
	a.names.Lock()
	defer a.names.Unlock()
	return a.folder, a.manifest
}

// beginEmptyAOF makes the files of an append only file of which there are none.
func (s *Server) beginEmptyAOF() bool {
	a := &s.aof
	a.partial.Store(true)
	done := make(chan error, 1)
	s.beginRewrite(func(err error) { done <- err })
	if err := <-done; err != nil {
		return false
	}
	a.sizeBefore.Add(-a.baseSize.Swap(0)) // it counts from the next start on, as in Redis
	_, m := a.current()
	s.log.Noticef("Creating AOF base file %s on server start", m.Base.Name)
	s.log.Noticef("Creating AOF incr file %s on server start", m.Increments[0].Name)
	return true
}

// reopenAOF goes on with the last increment, or a new one.
func (s *Server) reopenAOF() error {
	a := &s.aof
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names.Lock()
	defer a.names.Unlock()
	m, verb := a.manifest, "Opening"
	if len(m.Increments) == 0 {
		m, verb = m.WithIncrement(a.folder.Filename), "Creating"
	}
	name := m.Increments[len(m.Increments)-1].Name
	f, err := a.folder.Open(name)
	if err != nil {
		return fmt.Errorf("Can't open the append-only file %s: %s", name, config.SystemError(err))
	}
	if err := a.folder.Store(m); err != nil {
		f.Close()
		return err
	}
	a.manifest = m
	s.ks.LockAll(time.Now().UnixMilli())
	s.startWriter(f)
	s.ks.UnlockAll()
	s.log.Noticef("%s AOF incr file %s on server start", verb, name)
	return nil
}

// startWriter begins to write what is told from now on to f. All shards are locked.
func (s *Server) startWriter(f disk.File) {
	a, j := &s.aof, s.propagation.journal
	v := s.cfg.Load()
	in, _ := j.Reader(j.End())
	j.Unselect()
	a.writer.Store(aof.NewWriter(j, in, f, aof.Options{
		Policy: fsyncPolicies[v.AppendFsync], Timestamps: v.AOFTimestampEnabled, Synced: s.synced, Failed: s.aofFailed,
		Took: func(event string, d time.Duration) { s.spike(event, int64(d)) },
	}))
	s.propagate(true)
}

var fsyncPolicies = map[config.AppendFsync]aof.Policy{
	config.FsyncAlways: aof.Always, config.FsyncEverySec: aof.EverySecond, config.FsyncNo: aof.Never,
}

// removeHistory deletes the files that a rewrite has replaced, if v lets it.
func (s *Server) removeHistory(v *config.Values) {
	a := &s.aof
	if v.AOFDisableAutoGC {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names.Lock()
	defer a.names.Unlock()
	if a.manifest == nil {
		return
	}
	for _, h := range a.manifest.History {
		s.log.Noticef("Removing the history file %s in the background", h.Name)
	}
	m, _, err := a.folder.RemoveHistory(a.manifest)
	if err != nil {
		s.log.Warningf("Cannot remove history files of the AOF: %v", err)
		return
	}
	a.manifest = m
}

func (s *Server) logManifestError(err error) {
	var m *aof.ManifestError
	if !errors.As(err, &m) {
		s.log.Warningf("%v", err)
		return
	}
	s.log.Warningf("*** FATAL AOF MANIFEST FILE ERROR ***")
	s.log.Warningf("%v", err)
}

// changeAppendOnly is CONFIG SET appendonly. It may be called while all reactors stand still.
func (s *Server) changeAppendOnly(old, v *config.Values) error {
	switch a := &s.aof; {
	case v.AppendOnly == a.on.Load():
		return nil
	case !v.AppendOnly:
		s.stopAOF()
		return nil
	}
	return s.enableAOF(v)
}

// enableAOF turns the file on: a rewrite makes its base, and it has all data when that ends.
func (s *Server) enableAOF(v *config.Values) error {
	a := &s.aof
	a.mu.Lock()
	defer a.mu.Unlock()
	a.always.Store(v.AppendFsync == config.FsyncAlways)
	err := s.findAOF(v)
	if err == nil {
		err = a.folder.Make()
	}
	if err != nil {
		s.log.Warningf("Can't open or create append-only dir %s: %s", v.AppendDirName, config.SystemError(err))
		return errTurnOn
	}
	a.epoch.Add(1)
	a.partial.Store(true)
	a.on.Store(true)
	if a.rewrite.active() {
		s.log.Warningf("AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.")
		s.cancelRewrite()
	}
	if s.inExec.Load() {
		s.log.Warningf("AOF was enabled during a transaction. An AOF background was scheduled to start when possible.")
		a.rewrite.schedule()
		return nil
	}
	if s.saving.current.Load() != nil || !a.rewrite.begin() {
		s.log.Warningf("AOF was enabled but there is already another background operation. An AOF background was scheduled to start when possible.")
		a.rewrite.schedule()
		return nil
	}
	t := s.newRewrite(nil)
	if err := t.makeIncrement(); err != nil {
		a.on.Store(false)
		a.partial.Store(false)
		t.ended(err)
		return errTurnOn
	}
	go t.begin()
	return nil
}

var errTurnOn = errors.New("Unable to turn on AOF. Check server logs.")

// stopAOF turns the file off, when all that it has to have is durable.
func (s *Server) stopAOF() {
	a := &s.aof
	a.mu.Lock()
	defer a.mu.Unlock()
	rewriting := a.rewrite.active() // it may find the epoch changed and end by itself
	a.epoch.Add(1)
	a.on.Store(false)
	a.rewrite.state.And(^uint32(rewriteScheduled))
	if rewriting || a.rewrite.active() {
		s.log.Noticef("Killing running AOF rewrite child: %d", os.Getpid())
		s.cancelRewrite()
	}
	s.ks.LockAll(time.Now().UnixMilli()) // a cut that has not seen the epoch change is over then, and its writer there
	s.propagate(false)
	w := a.writer.Load()
	s.ks.UnlockAll()
	if w != nil {
		if err := w.Close(); err != nil {
			s.log.Warningf("Fail to fsync the AOF file: %v", err)
		}
		a.writer.Store(nil)
	}
	if a.partial.Swap(false) {
		s.disk.Remove(a.folder.Path(a.folder.TempIncrement()))
	}
	s.aofFailed(nil, aof.Never)
	s.releaseAll()
}

// changeFsync is CONFIG SET appendfsync.
func (s *Server) changeFsync(_, v *config.Values) error {
	a := &s.aof
	a.always.Store(v.AppendFsync == config.FsyncAlways)
	if w := a.writer.Load(); w != nil {
		w.SetPolicy(fsyncPolicies[v.AppendFsync])
		w.SetTimestamps(v.AOFTimestampEnabled)
	}
	s.releaseAll()
	return nil
}

// aofFailed is told when the file cannot be written, and, by nil, when it can be again.
func (s *Server) aofFailed(err error, policy aof.Policy) {
	a := &s.aof
	if err == nil {
		if s.gate.And(^uint32(gateAOFError))&gateAOFError != 0 {
			s.log.Warningf("AOF write error looks solved, writes are possible again.")
		}
		return
	}
	s.log.Warningf("%v", err)
	if policy == aof.Always {
		s.log.Warningf("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...")
		s.log.Flush()
		os.Exit(1)
	}
	e := command.Error("MISCONF Errors writing to the AOF file: " + config.SystemError(err))
	a.failure.Store(&e)
	s.gate.Or(gateAOFError)
}

// misconfError is the reply to a command that is refused as it cannot be persisted: gate has gateMisconf or gateAOFError.
func (s *Server) misconfError(gate uint32) command.Error {
	if gate&gateMisconf != 0 {
		return errMisconf
	}
	return *s.aof.failure.Load()
}

// noteBehind makes writes wait when the file is too far behind.
func (s *Server) noteBehind() {
	a := &s.aof
	w := a.writer.Load()
	if w == nil || s.propagation.journal.End()-w.Written() < mostBehind || !a.behind.CompareAndSwap(false, true) {
		return
	}
	s.log.Warningf("Writes wait for the append only file, which is %d MB behind (disk is busy?)", mostBehind>>20)
	s.gate.Or(gateAOFBehind)
	go func() {
		for s.propagation.journal.End()-w.Written() > enoughBehind && a.writer.Load() == w {
			time.Sleep(10 * time.Millisecond)
		}
		s.gate.And(^uint32(gateAOFBehind))
		a.behind.Store(false)
		x := &a.waitingRoom
		x.mu.Lock()
		list := x.list
		x.list = nil
		x.mu.Unlock()
		for _, resume := range list {
			resume()
		}
	}()
}

// awaitAOF puts q off if it writes, until the file has caught up. It reports false if it need not wait.
func (r *reactor) awaitAOF(cl *Client, q *request) bool {
	a := &r.srv.aof
	flags := q.spec.Flags
	if cl.multi != nil && q.spec == r.srv.execSpec {
		flags |= cl.multi.flags
	}
	if flags&(command.Write|command.MayReplicate) == 0 {
		return false
	}
	x := &a.waitingRoom
	x.mu.Lock()
	defer x.mu.Unlock()
	if !a.behind.Load() {
		return false
	}
	x.list = append(x.list, r.resumer(cl))
	r.putOff(cl, q.args)
	return true
}

// flushAOF makes all that was told durable.
func (s *Server) flushAOF() error {
	if w := s.aof.writer.Load(); w != nil {
		return w.Flush()
	}
	return nil
}

// aofCron begins rewrites that are scheduled, or due as the file has grown.
func (r *reactor) aofCron() {
	s := r.srv
	a := &s.aof
	v := s.cfg.Load()
	if w := a.writer.Load(); w != nil {
		if hold := v.NoAppendFsyncOnRewrite && s.saving.current.Load() != nil; hold != a.rewrite.held {
			a.rewrite.held = hold
			w.HoldSync(hold)
		}
	}
	if s.loading.active.Load() || a.rewrite.active() || s.saving.current.Load() != nil {
		return
	}
	if a.rewrite.scheduled() && a.rewrite.mayTry(r.nowMS/1000) {
		s.beginRewrite(nil)
		return
	}
	size := s.aofSize()
	if !a.on.Load() || a.partial.Load() || v.AutoAOFRewritePercentage == 0 || size <= v.AutoAOFRewriteMinSize {
		return
	}
	base := max(a.baseSize.Load(), 1)
	if growth := size*100/base - 100; growth >= int64(v.AutoAOFRewritePercentage) && a.rewrite.mayTry(r.nowMS/1000) {
		s.log.Noticef("Starting automatic rewriting of AOF on %d%% growth", growth)
		s.beginRewrite(nil)
	}
}

// aofSize is how many bytes the files have.
func (s *Server) aofSize() int64 {
	n := s.aof.sizeBefore.Load()
	if w := s.aof.writer.Load(); w != nil {
		n += w.Size()
	}
	return n
}

// aofInfo writes what INFO tells of the append only file.
func (r *infoReport) aofInfo() {
	a := &r.srv.aof
	x := &a.rewrite
	count := x.count.Load()
	state := x.state.Load() // after the count, as what is counted is active, and before what is known when it has ended
	current := int64(-1)
	if state&rewriteActive != 0 {
		current = int64(time.Since(time.Unix(x.beganSec.Load(), 0)) / time.Second)
	}
	r.flag("aof_enabled", a.on.Load())
	r.flag("aof_rewrite_in_progress", state&rewriteActive != 0)
	r.flag("aof_rewrite_scheduled", state&rewriteScheduled != 0)
	r.num("aof_last_rewrite_time_sec", x.lastTookSec.Load())
	r.num("aof_current_rewrite_time_sec", current)
	r.status("aof_last_bgrewrite_status", !x.failed.Load())
	r.num("aof_rewrites", count)
	r.num("aof_rewrites_consecutive_failures", x.failures.Load())
	r.status("aof_last_write_status", r.srv.gate.Load()&gateAOFError == 0)
	r.num("aof_last_cow_size", x.lastPeak.Load())
}

// aofSizes writes what INFO tells while the append only file is on.
func (r *infoReport) aofSizes() {
	s := r.srv
	w := s.aof.writer.Load()
	if !s.aof.on.Load() {
		return
	}
	r.num("aof_current_size", s.aofSize())
	r.num("aof_base_size", s.aof.baseSize.Load())
	r.zeros("aof_pending_rewrite")
	if w == nil {
		return
	}
	r.num("aof_buffer_length", s.propagation.journal.End()-w.Written())
	r.flag("aof_pending_bio_fsync", w.Syncing())
	r.num("aof_delayed_fsync", w.Delayed())
	r.num("aof_sync_lag_ms", w.LagMS())
	r.num("aof_unsynced_bytes", s.propagation.journal.End()-w.Synced())
}

// bgrewriteaof begins a rewrite, or schedules one behind a save that somebody waits for; one that the server has begun
// by itself is not spoken of.
func bgrewriteaof(c *command.Ctx) {
	r := client(c).reactor
	s := r.srv
	x := &s.aof.rewrite
	switch {
	case x.active():
		c.Error("ERR Background append only file rewriting already in progress")
	case s.saving.current.Load() != nil && !s.saving.unasked.Load(), r.inner.depth > 0:
		x.failures.Store(0)
		x.retrySec.Store(0)
		x.schedule()
		c.Reply.Simple("Background append only file rewriting scheduled")
	default:
		s.beginRewrite(nil)
		c.Reply.Simple("Background append only file rewriting started")
	}
}

// wait replies how many replicas have got all that the client wrote: there are none, so whoever wants one waits until
// its time is over.
func wait(c *command.Ctx) {
	replicas, ok := shard.ParseInt(c.Args[1])
	if !ok {
		c.Error(command.ErrNotInteger)
		return
	}
	timeout, ok := c.TimeoutArgMS(2)
	if !ok {
		return
	}
	none := func(out *resp.Writer) { out.Int(0) }
	if replicas <= 0 || c.Block == nil {
		none(c.Reply)
		return
	}
	c.Block(c, command.Waiting{Args: c.Args, Timeout: timeout, Expired: none})
}

const errWaitAOFOff command.Error = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."

func waitaof(c *command.Ctx) {
	local, ok := shard.ParseInt(c.Args[1])
	if !ok || local < 0 || local > 1 {
		c.Error("ERR value is out of range, value must between 0 and 1")
		return
	}
	replicas, ok := shard.ParseInt(c.Args[2])
	if !ok || replicas < 0 {
		c.Error(command.ErrNotPositive)
		return
	}
	timeout, ok := c.TimeoutArgMS(3)
	if !ok {
		return
	}
	cl := client(c)
	r := cl.reactor
	if local > 0 && !r.srv.aof.on.Load() {
		c.Error(errWaitAOFOff)
		return
	}
	synced := func() int64 {
		if w := r.srv.aof.writer.Load(); w != nil && w.Synced() >= cl.wrote {
			return 1
		}
		return 0
	}
	answer := func(out *resp.Writer) {
		out.Array(2)
		out.Int(synced())
		out.Int(0)
	}
	if replicas == 0 && synced() >= local || c.Block == nil {
		answer(c.Reply)
		return
	}
	r.awaitSync(c, cl, timeout, local, replicas, answer)
}
