package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/persist/aof"
	"github.com/shoaldb/shoal/persist/disk"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/persist/save"
	"github.com/shoaldb/shoal/server/config"
)

// A rewrite replaces the append only file by a snapshot, its new base, and what is told from the cut on. It works on
// goroutines: of its own until the cut, which is a step of the first reactor, and then of the snapshot's.

// rewriting is the state of rewrites.
type rewriting struct {
	state   atomic.Uint32 // rewriteScheduled, rewriteActive: in one word, so that there is no moment at which neither seems to be
	current atomic.Pointer[rewrite]
	held    bool // the writer does not sync; of the first reactor

	beganSec, lastTookSec atomic.Int64 // unix time of the present one; how long the last one took, -1: there was none
	failed                atomic.Bool  // the last one has
	count, failures       atomic.Int64 // failures: since the last success
	retrySec              atomic.Int64 // unix time before which none begins by itself
	lastPeak              atomic.Int64 // bytes that waited for the file of the last one, at most
}

// rewrite is one that is under way.
type rewrite struct {
	s         *Server
	folder    aof.Folder
	epoch     int64      // of the file's being on
	increment disk.File  // that the cut begins; nil while the file is off
	name      string     // of increment
	switched  chan error // what came of the change to increment; nil: there is none
	preamble  bool
	temp      string // path of the base until it is complete
	cancelled atomic.Bool
	snapshot  atomic.Pointer[save.Snapshot] // nil before the cut
	done      func(err error)               // may be nil
}

// errStale is the end of a rewrite before whose cut the file was turned on or off.
var errStale = errors.New("the append only file was turned on or off meanwhile")

const (
	rewriteScheduled = 1 << iota // one is to begin as soon as it can
	rewriteActive
)

func (x *rewriting) active() bool    { return x.state.Load()&rewriteActive != 0 }
func (x *rewriting) scheduled() bool { return x.state.Load()&rewriteScheduled != 0 }
func (x *rewriting) schedule()       { x.state.Or(rewriteScheduled) }

const (
	failuresAllowed = 3  // rewrites in a row, before the next one has to wait
	maxRetryMinutes = 60 // that it waits
)

// mayTry tells whether a rewrite may begin by itself: after some failures there are minutes between them.
func (x *rewriting) mayTry(nowSec int64) bool { return nowSec >= x.retrySec.Load() }

// begin makes what is scheduled, if anything is, active. It reports false if one is already.
func (x *rewriting) begin() bool {
	for {
		was := x.state.Load()
		if was&rewriteActive != 0 {
			return false
		}
		if x.state.CompareAndSwap(was, rewriteActive) {
			return true
		}
	}
}

// beginRewrite begins a rewrite unless one is under way; done, unless nil, is called at its end.
func (s *Server) beginRewrite(done func(err error)) {
	x := &s.aof.rewrite
	if !x.begin() {
		return
	}
	t := s.newRewrite(done)
	go func() {
		if err := t.prepare(); err != nil {
			t.ended(err)
			return
		}
		t.begin()
	}()
}

func (s *Server) newRewrite(done func(err error)) *rewrite {
	x := &s.aof.rewrite
	x.beganSec.Store(time.Now().Unix())
	t := &rewrite{s: s, done: done}
	x.current.Store(t)
	return t
}

// cancelRewrite ends the rewrite that is under way.
func (s *Server) cancelRewrite() {
	if t := s.aof.rewrite.current.Load(); t != nil {
		t.cancelled.Store(true)
		if sn := t.snapshot.Load(); sn != nil {
			sn.Cancel()
		}
	}
}

// begin makes the cut, as soon as that can be.
func (t *rewrite) begin() {
	s := t.s
	for r := s.reactors[0]; ; time.Sleep(time.Millisecond) {
		answer := make(chan bool, 1)
		r.net.Post(func() {
			r.beginTurn()
			r.release()
			answer <- t.cancelled.Load() || r.tryCut(func() { t.cut(r) })
		})
		if <-answer {
			break
		}
	}
	if t.snapshot.Load() == nil {
		t.ended(errStale)
	}
}

// prepare makes the file in which the append only file goes on from the cut on.
func (t *rewrite) prepare() error {
	a := &t.s.aof
	a.mu.Lock()
	defer a.mu.Unlock()
	return t.makeIncrement()
}

func (t *rewrite) makeIncrement() error {
	a := &t.s.aof
	v := t.s.cfg.Load()
	t.epoch = a.epoch.Load()
	t.preamble = v.AOFUseRDBPreamble
	folder, manifest := a.current()
	t.folder = folder
	t.temp = filepath.Join(folder.Dir, fmt.Sprintf("temp-rewriteaof-bg-%d.aof", os.Getpid()))
	if err := folder.Make(); err != nil {
		return fmt.Errorf("Can't open or create append-only dir %s: %s", folder.Name, config.SystemError(err))
	}
	if !a.on.Load() {
		return nil
	}
	t.name = folder.TempIncrement()
	if a.partial.Load() {
		t.s.disk.Remove(folder.Path(t.name))
	} else {
		m := manifest.WithIncrement(folder.Filename)
		t.name = m.Increments[len(m.Increments)-1].Name
	}
	f, err := folder.Create(t.name)
	if err != nil {
		return fmt.Errorf("Can't open the append-only file %s: %s", t.name, config.SystemError(err))
	}
	t.increment = f
	t.s.log.Noticef("Creating AOF incr file %s on background rewrite", t.name)
	return nil
}

// nameIncrement makes the new increment part of the file, now that the one before it is durable to its end: a file that
// may have been cut off has to be the last. The writer calls it.
func (t *rewrite) nameIncrement() error {
	a := &t.s.aof
	if t.name == t.folder.TempIncrement() {
		return nil
	}
	a.names.Lock()
	defer a.names.Unlock()
	m := a.manifest.WithIncrement(t.folder.Filename)
	if err := t.folder.Store(m); err != nil {
		t.takeBack(m, t.name)
		return err
	}
	a.manifest = m
	return nil
}

// cut begins the snapshot, and the new increment with it. All shards are locked.
func (t *rewrite) cut(r *reactor) {
	s := t.s
	a := &s.aof
	if a.epoch.Load() != t.epoch {
		t.cancelled.Store(true)
		return
	}
	j := s.propagation.journal
	switch w := a.writer.Load(); {
	case t.increment == nil:
	case w == nil:
		s.startWriter(t.increment)
	default:
		j.Unselect()
		t.switched = make(chan error, 1)
		w.Switch(j.End(), t.increment, t.nameIncrement, func(err error) { t.switched <- err })
	}
	s.saving.cuts.Add(1)
	a.rewrite.count.Add(1)
	s.log.Noticef("Background append only file rewriting started by pid %d", os.Getpid())
	sn := r.takeSnapshot(&snapshotTask{sink: t.sink(), temp: t.part(), info: rdb.Info{AOFBase: true}, done: t.saved})
	t.snapshot.Store(sn)
	if t.cancelled.Load() { // cancelRewrite may have come before there was a snapshot
		sn.Cancel()
	}
}

// part is the path of the file until it is written.
func (t *rewrite) part() string { return t.temp + ".part" }

// sink is where the snapshot goes: the new base, or what makes commands of it.
func (t *rewrite) sink() save.Sink {
	v := t.s.cfg.Load()
	f := &save.File{Disk: t.s.disk, Temp: t.part(), Name: t.temp, SyncPieces: v.AOFRewriteIncremental}
	if t.preamble {
		return f
	}
	stamp := int64(0)
	if v.AOFTimestampEnabled {
		stamp = time.Now().Unix()
	}
	return &commandSink{file: f, stampSec: stamp}
}

// takeBack removes files that only m names, which could not be stored durably. If it is there all the same, the
// manifest in force takes its place first: else the files stay. The caller holds names.
func (t *rewrite) takeBack(m *aof.Manifest, names ...string) {
	if t.folder.Stored(m) && t.folder.Restore(t.s.aof.manifest) != nil {
		return
	}
	for _, name := range names {
		t.s.disk.Remove(t.folder.Path(name))
	}
}

// saved is called when the snapshot has ended, by the goroutine that wrote it.
func (t *rewrite) saved(sn *save.Snapshot, err error) (then func()) {
	_, _, peak := sn.Progress()
	t.s.aof.rewrite.lastPeak.Store(peak)
	if err == nil && t.cancelled.Load() {
		t.s.disk.Remove(t.temp)
		err = save.ErrCancelled
	}
	if err == nil {
		t.s.log.Noticef("Background AOF rewrite terminated with success")
		err = t.finish()
	}
	return func() { t.ended(err) }
}

// finish makes the snapshot the base.
func (t *rewrite) finish() error {
	s := t.s
	a := &s.aof
	if err := t.awaitSwitch(); err != nil {
		s.disk.Remove(t.temp)
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.epoch.Load() != t.epoch {
		s.disk.Remove(t.temp)
		return save.ErrCancelled
	}
	a.names.Lock()
	defer a.names.Unlock()
	partial := a.on.Load() && a.partial.Load()
	keep := 0
	if a.on.Load() && !partial {
		keep = 1
	}
	m := a.manifest.WithBase(t.folder.Filename, t.preamble, keep)
	base := t.folder.Path(m.Base.Name)
	if err := s.disk.Rename(t.temp, base); err != nil {
		s.disk.Remove(t.temp)
		return fmt.Errorf("Error trying to rename the temporary AOF base file %s into %s: %s", filepath.Base(t.temp), m.Base.Name, config.SystemError(err))
	}
	s.log.Noticef("Successfully renamed the temporary AOF base file %s into %s", filepath.Base(t.temp), m.Base.Name)
	if partial {
		m = m.WithIncrement(t.folder.Filename)
		name := m.Increments[len(m.Increments)-1].Name
		if err := s.disk.Rename(t.folder.Path(t.folder.TempIncrement()), t.folder.Path(name)); err != nil {
			s.disk.Remove(base)
			return fmt.Errorf("Error trying to rename the temporary AOF incr file %s into %s: %s", t.folder.TempIncrement(), name, config.SystemError(err))
		}
		s.log.Noticef("Successfully renamed the temporary AOF incr file %s into %s", t.folder.TempIncrement(), name)
	}
	if err := t.folder.Store(m); err != nil {
		names := []string{m.Base.Name}
		if partial {
			names = append(names, m.Increments[len(m.Increments)-1].Name)
		}
		t.takeBack(m, names...)
		return err
	}
	a.manifest = m
	a.partial.Store(false)
	s.measureAOF()
	return nil
}

// awaitSwitch waits until the writer has gone over to the new increment, or has not been able to. Until then no other
// rewrite may make one.
func (t *rewrite) awaitSwitch() error {
	if t.switched == nil {
		return nil
	}
	err := <-t.switched
	t.switched <- err
	return err
}

// measureAOF notes how large the files are now, as that from which their growth counts. The caller holds mu and names.
func (s *Server) measureAOF() {
	a := &s.aof
	written := int64(0)
	if w := a.writer.Load(); w != nil {
		written = w.Size()
	}
	total, _, err := a.folder.Size(a.manifest)
	if err != nil {
		s.log.Warningf("Unable to obtain the AOF file length. stat: %s", config.SystemError(err))
		return
	}
	a.sizeBefore.Store(total - written)
	a.baseSize.Store(total)
}

// ended notes the end of the rewrite. No snapshot is being taken.
func (t *rewrite) ended(err error) {
	s := t.s
	a := &s.aof
	x := &a.rewrite
	if e := t.awaitSwitch(); err == nil {
		err = e
	}
	switch {
	case err == nil:
		x.failed.Store(false)
		x.failures.Store(0)
		x.retrySec.Store(0)
		s.removeHistory(s.cfg.Load())
		s.log.Noticef("Background AOF rewrite finished successfully")
	case errors.Is(err, errStale):
		if t.increment != nil {
			t.increment.Close()
			s.disk.Remove(t.folder.Path(t.name))
		}
	case t.cancelled.Load():
		s.log.Warningf("Background AOF rewrite terminated by signal 10")
	case errors.Is(err, save.ErrFlushed), errors.Is(err, save.ErrCancelled):
		s.log.Noticef("Background AOF rewrite begins anew, as data were flushed")
		x.schedule()
	default:
		s.log.Warningf("%v", err)
		s.log.Warningf("Background AOF rewrite terminated with error")
		t.failed()
	}
	if err != nil && a.on.Load() && a.partial.Load() {
		x.schedule() // the file is not complete before one has succeeded
	}
	x.lastTookSec.Store(time.Now().Unix() - x.beganSec.Load())
	x.current.Store(nil)
	x.state.And(^uint32(rewriteActive))
	if t.done != nil {
		t.done(err)
	}
}

// failed makes further rewrites wait, the longer the more have failed.
func (t *rewrite) failed() {
	x := &t.s.aof.rewrite
	x.failed.Store(true)
	n := x.failures.Add(1)
	wait := int64(1) // second
	if n >= failuresAllowed {
		minutes := min(int64(1)<<min(n-failuresAllowed, 10), maxRetryMinutes)
		t.s.log.Warningf("Background AOF rewrite has repeatedly failed and triggered the limit, will retry in %d minutes", minutes)
		wait = 60 * minutes
	}
	x.retrySec.Store(time.Now().Unix() + wait)
}

// commandSink turns a snapshot into a file of commands.
type commandSink struct {
	file     *save.File
	stampSec int64
	pipe     *io.PipeWriter
	ended    chan error
}

func (c *commandSink) Open() error {
	if err := c.file.Open(); err != nil {
		return err
	}
	in, out := io.Pipe()
	c.pipe, c.ended = out, make(chan error, 1)
	go func() {
		err := aof.WriteCommands(in, c.file, c.stampSec)
		if err == nil {
			_, err = io.Copy(io.Discard, in) // the checksum
		}
		in.CloseWithError(err)
		c.ended <- err
	}()
	return nil
}

func (c *commandSink) Write(b []byte) (int, error) { return c.pipe.Write(b) }

func (c *commandSink) Commit() error {
	c.pipe.Close()
	err := <-c.ended
	c.ended <- err
	if err != nil {
		return err
	}
	return c.file.Commit()
}

func (c *commandSink) Abort() {
	c.pipe.CloseWithError(save.ErrCancelled)
	<-c.ended
	c.file.Abort()
}
