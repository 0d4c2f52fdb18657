package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/aof"
	"github.com/shoaldb/shoal/persist/load"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/shard"
)

// The append only file is loaded by running its commands again. One goroutine reads them, and deals those of a single
// key out to workers, each of which has shards of its own; a command of several keys that are not one worker's, or that
// is about more than keys, runs when all workers are done with what came before it:
//
//	file -> commands -> | SET a | INCR a | ... -> worker -> shards 0, 2, 4 ...
//	                    | DEL b | ...          -> worker -> shards 1, 3, 5 ...
//	                    RENAME a b: all wait
//
// What has expired stays meanwhile, as it was there when the commands after it were written. The commands of a
// transaction wait for its EXEC.

const (
	aofParcelBytes = 64 << 10
	aofParcels     = 8  // of a worker
	aofAhead       = 16 // commands whose keys are prefetched together
)

// aofLoader reads commands from the append only file. It is an aof.Replayer.
type aofLoader struct {
	s       *Server
	in      *os.File // that is being loaded
	name    string
	begun   int64 // bytes of the files before it
	workers []*aofWorker
	own     aofWorker // runs what the workers do not
	db      int
	indexes []int
	multi   bool
	group   []loaded  // of a transaction that has not ended
	user    *acl.User // who may do everything
	reactor *reactor  // that runs scripts; nil until there is one
	groupDB int
}

// loaded is a command that has been read.
type loaded struct {
	spec *command.Spec
	db   int
	args [][]byte
	key  shard.Key // if it has one
}

// loadAOF loads all files, those of v's appendonly. Clients are told to wait. It reports false if that fails; why is in the log.
func (s *Server) loadAOF(v *config.Values) bool {
	begin := time.Now()
	a := &s.aof
	folder, m := a.current()
	if m.Empty() {
		return true
	}
	total, base, err := folder.Size(m)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			s.log.Warningf("Unable to obtain the AOF file %s length. stat: %s", filepath.Base(path.Path), config.SystemError(err))
		} else {
			s.log.Warningf("%v", err)
		}
		return false
	}
	s.beginLoading(total)
	s.ks.KeepExpired(true)
	defer s.ks.KeepExpired(false)
	l := newAOFLoader(s)
	defer l.stop()
	files := m.Files()
	for i, f := range files {
		if !l.file(folder, f, i == len(files)-1, v) {
			return false
		}
	}
	a.sizeBefore.Store(total)
	a.baseSize.Store(base)
	if total > 0 {
		s.log.Noticef("DB loaded from append only file: %.3f seconds", time.Since(begin).Seconds())
	}
	s.saving.dirtySaved.Store(s.sum(func(c *counters) int64 { return c.dirty.Load() }))
	return true
}

func newAOFLoader(s *Server) *aofLoader {
	l := &aofLoader{s: s, user: acl.NewUsers(s.table, true).Default()}
	l.own.init(s)
	n := min(max(runtime.GOMAXPROCS(0)-1, 1), s.ks.Shards())
	for range n {
		w := &aofWorker{in: make(chan *aofParcel, aofParcels), free: make(chan *aofParcel, aofParcels)}
		w.init(s)
		for range aofParcels {
			w.free <- &aofParcel{buf: make([]byte, 0, aofParcelBytes)}
		}
		w.open = <-w.free
		l.workers = append(l.workers, w)
		go w.run()
	}
	return l
}

// file loads one file. The last one may have been cut off.
func (l *aofLoader) file(folder aof.Folder, f aof.File, last bool, v *config.Values) bool {
	s := l.s
	begin := time.Now()
	path := folder.Path(f.Name)
	in, err := os.Open(path)
	if err != nil {
		s.log.Warningf("Fatal error: can't open the append log file %s for reading: %s", f.Name, config.SystemError(err))
		return false
	}
	defer in.Close()
	l.in, l.name, l.db, l.multi, l.group = in, f.Name, 0, false, nil
	err = aof.Replay(in, f.Name, l)
	l.wait()
	var cut *aof.TruncatedError
	switch {
	case err == nil:
	case errors.As(err, &cut) && last:
		if cut.InMulti {
			s.log.Warningf("Revert incomplete MULTI/EXEC transaction in AOF file %s", f.Name)
		}
		if !s.mendAOF(path, cut, v) {
			return false
		}
	case errors.As(err, &cut):
		s.log.Warningf("%v", err)
		s.log.Warningf("Fatal error: the truncated file is not the last file")
		return false
	default:
		s.log.Warningf("%v", err)
		return false
	}
	if st, err := in.Stat(); err == nil {
		l.begun += st.Size()
		s.loading.done.Store(l.begun)
	}
	kind := "incr"
	if f.Type == aof.Base {
		kind = "base"
	}
	s.log.Noticef("DB loaded from %s file %s: %.3f seconds", kind, f.Name, time.Since(begin).Seconds())
	return true
}

// mendAOF cuts off what is not whole at the end of the last file, if the settings allow that.
func (s *Server) mendAOF(path string, cut *aof.TruncatedError, v *config.Values) bool {
	if !v.AOFLoadTruncated {
		s.log.Warningf("%v", cut)
		return false
	}
	s.log.Warningf("!!! Warning: short read while loading the AOF file %s!!!", cut.File)
	s.log.Warningf("!!! Truncating the AOF %s at offset %d !!!", cut.File, cut.Valid)
	if err := s.disk.Truncate(path, cut.Valid); err != nil {
		s.log.Warningf("Error truncating the AOF file %s: %s", cut.File, config.SystemError(err))
		return false
	}
	s.log.Warningf("AOF %s loaded anyway because aof-load-truncated is enabled", cut.File)
	return true
}

// Snapshot loads a base in RDB format.
func (l *aofLoader) Snapshot(r io.Reader) (size int64, rest io.Reader, err error) {
	s := l.s
	s.log.Noticef("Reading RDB base file on AOF loading...")
	set := s.libraries.set.Load()
	o := s.loadOptions(false, &set)
	o.KeepExpired = true
	o.At = l.in
	if st, err := l.in.Stat(); err == nil {
		o.Size = st.Size()
	}
	progress := o.Progress
	o.Progress = func(offset, keys int64) { progress(l.begun+offset, keys) }
	res, err := load.Load(s.ks, r, o)
	s.loading.keysLoaded.Store(res.Keys)
	s.loading.keysExpired.Store(res.Expired)
	if err != nil {
		s.logLoadError(l.name, err)
		return 0, nil, fmt.Errorf("Error reading the RDB base file %s, AOF loading aborted", l.name)
	}
	s.libraries.replace(set)
	s.log.Noticef("Done loading RDB, keys loaded: %d, keys expired: %d.", res.Keys, res.Expired)
	return res.Bytes, res.Rest, nil
}

// Commands runs commands again.
func (l *aofLoader) Commands(batch []aof.Command, read int64) error {
	for i := range batch {
		if err := l.command(&batch[i]); err != nil {
			return err
		}
	}
	l.s.loading.done.Store(l.begun + read)
	return nil
}

func (l *aofLoader) command(c *aof.Command) error {
	spec := l.s.table.Resolve(c.Args)
	switch {
	case spec == nil:
		return fmt.Errorf("Unknown command '%s' reading the append only file %s", clip(c.Args[0]), l.name)
	case !spec.ArityOK(len(c.Args)):
		return &aof.FormatError{File: l.name, Offset: c.Offset, Reason: "wrong number of arguments for '" + spec.FullName() + "'"}
	}
	switch spec.Name {
	case "MULTI":
		l.multi, l.groupDB = true, l.db
		return nil
	case "EXEC":
		l.endMulti()
		return nil
	case "SELECT":
		if n, ok := shard.ParseInt(c.Args[1]); ok && n >= 0 && n < int64(l.s.ks.Databases()) {
			l.db = int(n)
		}
		return nil
	}
	if !mayWrite(spec) || spec.Group == command.GroupPubSub {
		return nil // it changes nothing
	}
	x := loaded{spec: spec, db: l.db, args: c.Args}
	if l.multi {
		x.args = cloneArgs(c.Args)
		l.group = append(l.group, x)
		return nil
	}
	l.deal(&x)
	return nil
}

func (l *aofLoader) endMulti() {
	for i := range l.group {
		l.deal(&l.group[i])
	}
	l.multi, l.group = false, nil
}

// deal gives a command to the worker whose keys it has, or runs it when all others are done.
func (l *aofLoader) deal(x *loaded) {
	if w := l.worker(x); w != nil {
		w.add(x)
		return
	}
	l.wait()
	if x.spec.Group == command.GroupScripting || x.spec.Outside {
		l.runScript(x)
		return
	}
	l.own.runWide(x)
}

// worker returns whose keys are all those of x, or nil.
func (l *aofLoader) worker(x *loaded) *aofWorker {
	spec := x.spec
	if spec.Flags&command.Write == 0 || spec.Group == command.GroupScripting || spec.Outside || spec.LocksAll(x.args) {
		return nil
	}
	i := spec.OnlyKey()
	if i == 0 {
		l.indexes, _ = spec.KeyIndexes(x.args, l.indexes[:0])
		if len(l.indexes) != 1 {
			return nil
		}
		i = l.indexes[0]
	}
	l.s.ks.Bind(&x.key, x.db, x.args[i])
	return l.workers[x.key.DB.Shard().Index()%len(l.workers)]
}

// wait waits until the workers have done all that they were given.
func (l *aofLoader) wait() {
	for _, w := range l.workers {
		w.flush()
		w.busy.Wait()
	}
}

func (l *aofLoader) stop() {
	l.wait()
	for _, w := range l.workers {
		close(w.in)
	}
}

// runScript runs a script, or a command about functions, as a reactor does.
func (l *aofLoader) runScript(x *loaded) {
	r := l.reactor
	if r == nil {
		r = newReactor(l.s, nil)
		r.loader = true
		l.reactor = r
	}
	cl := &Client{reactor: r, proto: 2, db: x.db, user: l.user}
	q := request{spec: x.spec, args: x.args, keys: l.s.bindKeys(x.spec, x.db, x.args, len(x.args))}
	w := resp.Writer{Proto: 2}
	r.nowMS = time.Now().UnixMilli()
	r.ctx.NowMS, r.ctx.Env, r.ctx.Client, r.ctx.Loading = r.nowMS, l.s.env.Load(), cl, true
	many := r.lockAll()
	r.beginInner(cl)
	r.runInner(cl, &q, &w)
	r.endInner()
	r.unlock(many)
	r.batch.forgetCalls()
	l.s.noteLoadError(x, w.Buf)
}

// noteLoadError logs the reply to a command that has failed: the file was written by another server, or is wrong.
func (s *Server) noteLoadError(x *loaded, reply []byte) {
	if len(reply) == 0 || reply[0] != '-' {
		return
	}
	if s.loading.errors.Add(1) <= 10 {
		s.log.Warningf("== CRITICAL == This server is sending an error to the AOF-loading-client: '%s' after processing the command '%s'",
			reply[1:len(reply)-2], x.spec.FullName())
	}
}

// aofWorker runs commands on keys of shards that are nobody else's.
type aofWorker struct {
	in, free chan *aofParcel
	open     *aofParcel
	busy     sync.WaitGroup

	s    *Server
	ctx  command.Ctx
	out  resp.Writer
	held *shard.Shard
	keys []shard.Key

	entries []uintptr
}

// aofParcel is a row of commands with the bytes of their arguments, which do not move.
type aofParcel struct {
	buf  []byte
	args [][]byte
	cmds []loaded
}

func (w *aofWorker) init(s *Server) {
	w.s = s
	w.out.Proto = 2
	w.ctx = command.Ctx{Reply: &w.out, KS: s.ks, Table: s.table, Env: s.env.Load(), Loading: true}
}

// add copies x to the open parcel, which is sent off when it is full.
func (w *aofWorker) add(x *loaded) {
	n := 0
	for _, a := range x.args {
		n += len(a)
	}
	p := w.open
	if len(p.buf)+n > cap(p.buf) && len(p.cmds) > 0 || len(p.cmds) >= 1024 {
		w.flush()
		p = w.open
	}
	if n > cap(p.buf)-len(p.buf) {
		p.buf = make([]byte, 0, n)
	}
	first := len(p.args)
	for _, a := range x.args {
		at := len(p.buf)
		p.buf = append(p.buf, a...)
		c := p.buf[at:len(p.buf):len(p.buf)]
		if len(a) == len(x.key.Name) && len(a) > 0 && &a[0] == &x.key.Name[0] {
			x.key.Name = c
		}
		p.args = append(p.args, c)
	}
	y := *x
	y.args = p.args[first:len(p.args):len(p.args)]
	p.cmds = append(p.cmds, y)
}

// flush sends off what has been added, and waits for the worker if it is far behind.
func (w *aofWorker) flush() {
	if len(w.open.cmds) == 0 {
		return
	}
	w.busy.Add(1)
	w.in <- w.open
	w.open = <-w.free
}

func (w *aofWorker) run() {
	for p := range w.in {
		w.ctx.NowMS = time.Now().UnixMilli()
		for part := range slices.Chunk(p.cmds, aofAhead) {
			w.prefetch(part)
			for i := range part {
				w.runOne(&part[i])
			}
		}
		w.release()
		p.reset()
		w.free <- p
		w.busy.Done()
	}
}

func (p *aofParcel) reset() {
	if cap(p.buf) > 2*aofParcelBytes {
		p.buf = make([]byte, 0, aofParcelBytes)
	}
	clear(p.cmds)
	p.buf, p.args, p.cmds = p.buf[:0], p.args[:0], p.cmds[:0]
}

func (w *aofWorker) prefetch(part []loaded) {
	var buckets [aofAhead]uintptr
	for i := range part {
		buckets[i] = part[i].key.Peek()
	}
	alloc.Prefetch(buckets[:len(part)])
	entries := w.entries[:0]
	for i := range part {
		if buckets[i] != 0 {
			entries = part[i].key.PeekEntries(buckets[i], entries)
		}
	}
	alloc.Prefetch(entries)
	w.entries = entries
}

func (w *aofWorker) runOne(x *loaded) {
	if s := x.key.DB.Shard(); s != w.held {
		w.release()
		s.Lock(w.ctx.NowMS)
		w.held = s
	}
	w.keys = append(w.keys[:0], x.key)
	w.call(x, w.keys)
}

func (w *aofWorker) release() {
	if w.held != nil {
		w.held.Unlock()
		w.held = nil
	}
}

// runWide runs a command of any number of keys, while no worker works.
func (w *aofWorker) runWide(x *loaded) {
	w.ctx.NowMS = time.Now().UnixMilli()
	w.s.ks.LockAll(w.ctx.NowMS)
	w.ctx.LockedAll = true
	w.call(x, w.s.bindKeys(x.spec, x.db, x.args, len(x.args)))
	w.s.ks.UnlockAll()
}

func (w *aofWorker) call(x *loaded, keys []shard.Key) {
	c := &w.ctx
	c.Spec, c.Args, c.Keys, c.DB = x.spec, x.args, keys, x.db
	c.Begin()
	x.spec.Run(c)
	if b := w.out.Buf; len(b) > 0 {
		if b[0] == '-' {
			w.s.noteLoadError(x, b)
		}
		if w.out.Buf = b[:0]; cap(b) > mostKept {
			w.out.Buf = nil
		}
	}
}

// debugAOFSleep makes the writing of the append only file slow.
func debugAOFSleep(c *command.Ctx) {
	if w := client(c).reactor.srv.aof.writer.Load(); w != nil {
		w.SetDelay(time.Duration(number(c.Args[2])) * time.Microsecond)
	}
	c.Reply.OK()
}

// debugLoadAOF loads the append only file in place of the data that there are.
func debugLoadAOF(c *command.Ctx) {
	cl := client(c)
	if cl.reactor.alone {
		c.Error("ERR DEBUG LOADAOF cannot be used in a transaction")
		return
	}
	s := cl.reactor.srv
	cl.backgroundReply(func() func(*resp.Writer) {
		e := s.reloadAOF()
		return func(w *resp.Writer) {
			if e != "" {
				w.Error(string(e))
				return
			}
			w.OK()
		}
	})
}

const errReloadAOF command.Error = "ERR Error trying to load the AOF files, check server logs."

func (s *Server) reloadAOF() command.Error {
	s.standBy()
	defer s.endPause()
	if err := s.flushAOF(); err != nil {
		return errReloadAOF
	}
	s.beginLoading(0) // nobody sees it empty
	defer s.endLoading()
	s.cancelSnapshots()
	now := time.Now().UnixMilli()
	s.ks.LockAll(now)
	on := s.propagation.on.Load()
	s.propagate(false)
	for i := range s.ks.Shards() {
		s.ks.Shard(i).FlushAll()
	}
	s.ks.UnlockAll()
	ok := s.loadAOF(s.cfg.Load())
	if on {
		s.ks.LockAll(now)
		s.propagation.journal.Unselect()
		s.propagate(true)
		s.ks.UnlockAll()
	}
	a := &s.aof
	a.mu.Lock()
	a.names.Lock()
	s.measureAOF()
	a.names.Unlock()
	a.mu.Unlock()
	if !ok {
		return errReloadAOF
	}
	s.log.Noticef("Append Only File loaded by DEBUG LOADAOF")
	return ""
}
