package save

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// Options say where a snapshot goes, and how.
type Options struct {
	Sink       Sink
	Info       rdb.Info
	Functions  []string // the code of libraries
	Compress   bool     // rdbcompression
	Checksum   bool     // rdbchecksum
	IdleTimes  bool     // the access clocks are saved: as times
	LFU        bool     // the same, as LFU counters
	KeyDelayNS int64    // rdb-key-save-delay: no more than one key in so many ns is saved by the walk; 0: as many as can be
	QueueBytes int      // see the package's comment
	HeldBytes  int64    // the same
	Dir        string   // where what has no room in memory while it waits is put; "": the system's folder for temporary files
	Workers    int      // that call Step, beside the file writer

	// Busy tells whether clients want to be served: the workers then leave the walk to the file writer, which rests
	// half of the time. nil: never.
	Busy func() bool
	// Wake makes all workers call Step again. It is called by any goroutine, with or without a shard's lock.
	Wake func()
	// Done is called once when all is over, by a goroutine that holds no lock.
	Done func(err error)
}

var (
	// ErrCancelled is the end of a snapshot that was cancelled, or all of whose data was flushed.
	ErrCancelled = errors.New("cancelled")
	// ErrFlushed is the end of a snapshot of which a database, but not all, was emptied before all was saved.
	ErrFlushed = errors.New("a database was flushed")
	// ErrAllFlushed is ErrCancelled for the latter reason.
	ErrAllFlushed = fmt.Errorf("%w: all data were flushed", ErrCancelled)
)

const (
	workAtOnce    = 300 * time.Microsecond // of the file writer, until it rests
	walkAtOnce    = 50 * time.Microsecond  // of the file writer, with a shard locked
	bufferBytes   = 64 << 10               // of a shard, at most
	allBuffers    = 2 << 20                // of all shards, bytes
	largeElements = 1000                   // more are saved in steps
	largeBytes    = 64 << 10               // the same
)

// Snapshot is one that is being taken.
type Snapshot struct {
	o       Options
	ks      *shard.Keyspace
	parts   []part
	workers []worker
	queue   queue
	began   time.Time
	total   int64
	keys    atomic.Int64
	failed  atomic.Bool // nothing is saved any more

	begun atomic.Int32 // len(jobs)

	mu      sync.Mutex
	err     error
	next    int          // shard that nobody has begun to walk
	walks   []shard.Walk // those begun that no worker is at
	walking int          // shards of which not all entries have been met
	active  int          // large values that are watched
	jobs    []largeJob   // those of them that no worker is at
	over    bool
}

// part is a shard's buffer.
type part struct {
	buffer
	db int // that buf has selected, or -1
}

// worker is a reactor's part of the work, or the file writer's.
type worker struct {
	job largeJob
}

// Start makes the cut, of all that is in ks, whose shards are all locked, and begins to write.
func Start(ks *shard.Keyspace, o Options) *Snapshot {
	s := &Snapshot{o: o, ks: ks, parts: make([]part, ks.Shards()), workers: make([]worker, o.Workers+1), began: time.Now(),
		walking: ks.Shards()}
	s.queue.init(o.QueueBytes, o.HeldBytes, ks.Shards())
	for i := range s.parts {
		p := &s.parts[i]
		p.db, p.compress = -1, o.Compress
		p.enc.Compress, p.enc.MaxText, p.enc.Text = o.Compress, largeBytes, p.appendText
	}
	s.total = int64(ks.Cut(s))
	go s.write(s.head())
	return s
}

// head returns the beginning of the file.
func (s *Snapshot) head() []byte {
	version := rdb.Version
	if s.ks.FieldTTL() {
		version = rdb.VersionFieldTTL
	}
	b := rdb.AppendInfo(rdb.AppendHeader(nil, version), &s.o.Info)
	for _, code := range s.o.Functions {
		b = rdb.AppendFunction(b, []byte(code), s.o.Compress)
	}
	for id := range s.ks.Databases() {
		keys, expires := 0, 0
		for i := range s.ks.Shards() {
			db := s.ks.Shard(i).DB(id)
			n, _ := db.Expires()
			keys += db.Len()
			expires += n
		}
		if keys > 0 {
			b = rdb.AppendDB(b, id, keys, expires)
		}
	}
	return b
}

// write is the goroutine that writes the file, which begins with head. When nothing waits to be written it walks.
func (s *Snapshot) write(head []byte) {
	giveWay()
	w := output{o: &s.o, q: &s.queue, out: head}
	opened := true
	if err := s.o.Sink.Open(); err != nil {
		opened = false
		s.fail(err)
	}
	for more, worked := true, time.Duration(0); ; {
		p, l, ok := s.queue.take(!more)
		if !ok {
			break
		}
		begin := time.Now()
		if l == nil {
			more = s.stepOwn(begin)
		} else if err := s.writePiece(&w, p, l); err != nil {
			s.fail(err)
		} else {
			more = true
		}
		if worked += time.Since(begin); worked >= workAtOnce {
			if s.busy() && !s.queue.piledUp() {
				rest(worked)
			}
			worked = 0
		}
	}
	err := s.Err()
	if err == nil {
		err = w.finish()
	}
	if err != nil && opened {
		s.o.Sink.Abort()
	}
	w.close()
	s.o.Done(err)
}

func (s *Snapshot) busy() bool { return s.o.Busy != nil && s.o.Busy() }

// stepOwn makes a step as a worker.
func (s *Snapshot) stepOwn(begin time.Time) (more bool) {
	w := &s.workers[len(s.workers)-1]
	more = s.step(w, begin.UnixMilli(), func() bool { return time.Since(begin) >= walkAtOnce })
	if !more && s.slowed() {
		rest(time.Millisecond)
		return true
	}
	return more
}

// writePiece writes p, a piece of l, or, if it is nil, takes the pieces of l to the side file. After a failure it gives
// up memory, no more.
func (s *Snapshot) writePiece(w *output, p *piece, l *lane) (err error) {
	failed := s.failed.Load()
	if p == nil {
		return w.spill(l, failed)
	}
	n := p.bytes()
	if !failed {
		err = w.piece(p)
	}
	s.queue.done(l, p, n)
	return err
}

// fail ends the saving, but not the walk.
func (s *Snapshot) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.failed.Store(true)
	s.queue.call()
	s.o.Wake()
}

// Cancel gives the snapshot up, unless all has been saved. Done is called some time later.
func (s *Snapshot) Cancel() { s.fail(ErrCancelled) }

// Err returns why the snapshot will not be had, or nil.
func (s *Snapshot) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ForAOF tells whether the snapshot becomes the base of an append only file.
func (s *Snapshot) ForAOF() bool { return s.o.Info.AOFBase }

// Began returns the time of the cut.
func (s *Snapshot) Began() time.Time { return s.began }

// Progress returns how many keys have been saved, of how many, and the most bytes of memory that the snapshot took.
func (s *Snapshot) Progress() (keys, total, peakBytes int64) {
	return s.keys.Load(), s.total, s.queue.peak.Load()
}

// Flushed cancels the snapshot: see shard.Saver.
func (s *Snapshot) Flushed(all bool) {
	switch {
	case s.failed.Load():
	case all:
		s.fail(ErrAllFlushed)
	default:
		s.fail(ErrFlushed)
	}
}

// By how much the queue may be longer than it should be, until writes that make it still longer wait; and all that write.
const (
	crowded  = 3
	overfull = 4
)

// Crowded tells whether a write that would have to save something should call AwaitRoom first.
func (s *Snapshot) Crowded() bool {
	return s.queue.bytes.Load() >= crowded*int64(s.o.QueueBytes) && !s.failed.Load()
}

// Overfull tells whether every write should call AwaitRoom first.
func (s *Snapshot) Overfull() bool {
	q := int64(s.o.QueueBytes)
	return (s.queue.bytes.Load() >= overfull*q || s.queue.held.Load() > s.o.HeldBytes+q) && !s.failed.Load()
}

// AwaitRoom calls f, on any goroutine, when writes may go on.
func (s *Snapshot) AwaitRoom(f func()) { s.queue.awaitToWrite(f) }

// Passed returns how many bytes have been given to the queue since the cut.
func (s *Snapshot) Passed() int64 { return s.queue.passed.Load() }

// Save saves an entry: see shard.Saver.
func (s *Snapshot) Save(db *shard.DB, e shard.Entry) {
	if s.failed.Load() {
		return
	}
	p := &s.parts[db.Shard().Index()]
	switch {
	case s.isLong(db, e):
		s.beginString(db, e)
		return
	case e.Type() == types.String:
		s.saveString(p, db, e)
	case inPieces(e) && db.Elements(e) > largeElements || !s.saveValue(p, db, e):
		s.beginJob(db, e)
		return
	}
	s.keys.Add(1)
	if len(p.buf) >= s.queue.size {
		s.flush(p)
	}
}

// inPieces tells whether a value can be saved piece by piece. Others are small, unless somebody has set limits that
// make them large.
func inPieces(e shard.Entry) bool {
	switch e.Encoding() {
	case types.Listpack, types.ListpackEx, types.Intset:
		return false
	}
	return true
}

func (p *part) selectDB(s *Snapshot, db int) {
	if p.buf == nil {
		p.piece = s.queue.buffer()
	}
	if p.db != db {
		p.buf = rdb.AppendSelect(p.buf, db)
		p.db = db
	}
}

func (s *Snapshot) attributes(db *shard.DB, e shard.Entry) rdb.Attributes {
	a := rdb.Attributes{ExpireMS: db.ExpireMS(e), IdleSec: -1, Freq: -1}
	if s.o.LFU {
		a.Freq = db.Freq(e)
	} else if s.o.IdleTimes {
		a.IdleSec = int64(db.Idle(e) / time.Second)
	}
	return a
}

func (s *Snapshot) saveString(p *part, db *shard.DB, e shard.Entry) {
	p.selectDB(s, db.Origin())
	p.key(db.Key(e), rdb.String, s.attributes(db, e))
	var scratch [20]byte
	text := db.Bytes(e, scratch[:])
	if len(text) < longText {
		p.string(text)
		return
	}
	p.long = append([]byte(nil), text...)
	s.flush(p)
}

// saveValue saves a collection, unless it is too large and can be saved in pieces.
func (s *Snapshot) saveValue(p *part, db *shard.DB, e shard.Entry) bool {
	p.selectDB(s, db.Origin())
	begin, texts := len(p.buf), len(p.texts)
	p.key(db.Key(e), p.enc.Start(db.Space(), db.Root(e)), s.attributes(db, e))
	if !inPieces(e) {
		p.enc.MaxText = 0
		p.rest()
		p.enc.Text, p.enc.MaxText = p.appendText, largeBytes
		return true
	}
	var more bool
	if p.buf, more = p.enc.Step(p.buf, largeBytes); more || p.enc.TooLong {
		p.buf, p.texts = p.buf[:begin], p.texts[:texts]
		return false
	}
	return true
}

// flush hands over what is in a shard's buffer.
func (s *Snapshot) flush(p *part) {
	if len(p.buf) > 0 {
		s.queue.put(&s.queue.row, p.take(), false)
	}
	p.db = -1
}

// Step does a worker's next piece of work, until about the time until tells. It reports whether there is more that can
// be done now.
func (s *Snapshot) Step(id int, nowMS int64, until func() bool) (more bool) {
	w := &s.workers[id]
	if w.job == nil && s.busy() {
		return false
	}
	return s.step(w, nowMS, until)
}

func (s *Snapshot) step(w *worker, nowMS int64, until func() bool) (more bool) {
	if w.job == nil && !s.slowed() {
		w.job = s.nextJob()
		if j, is := w.job.(*stringJob); is {
			j.makeRoom()
		}
	}
	if w.job != nil {
		return s.stepJob(w, nowMS, until)
	}
	if s.queue.full() && !s.failed.Load() {
		s.queue.await(s.o.Wake, nil)
		return false
	}
	return s.stepWalk(nowMS, until)
}

// slowed tells whether the walk is to wait, for tests of what happens meanwhile.
func (s *Snapshot) slowed() bool {
	return s.o.KeyDelayNS > 0 && !s.failed.Load() && s.keys.Load()*s.o.KeyDelayNS > int64(time.Since(s.began))
}

// stepWalk goes on with the walk of some shard. It reports false if there is none to go on with.
func (s *Snapshot) stepWalk(nowMS int64, until func() bool) (more bool) {
	if s.slowed() {
		return false
	}
	walk, ok := s.takeWalk()
	if !ok {
		return false
	}
	sh := walk.Shard()
	sh.Lock(nowMS)
	done := walk.Step(func() bool { return until() || s.slowed() || s.begun.Load() > 0 })
	sh.Unlock()
	if done && !s.slowed() { // the last key is waited for, too
		s.walked(nowMS)
	} else {
		s.leaveWalk(walk)
	}
	return true
}

// takeWalk returns the walk of a shard that nobody is at.
func (s *Snapshot) takeWalk() (w shard.Walk, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.walks); n > 0 {
		w = s.walks[n-1]
		s.walks = s.walks[:n-1]
		return w, true
	}
	if s.next == s.ks.Shards() {
		return w, false
	}
	s.next++
	return shard.NewWalk(s.ks.Shard(s.next - 1)), true
}

// leaveWalk lets any worker go on with a walk.
func (s *Snapshot) leaveWalk(w shard.Walk) {
	s.mu.Lock()
	s.walks = append(s.walks, w)
	s.mu.Unlock()
	s.queue.call()
}

// walked notes that all entries of a shard have been met.
func (s *Snapshot) walked(nowMS int64) {
	s.mu.Lock()
	s.walking--
	s.mu.Unlock()
	s.endIfDone(nowMS)
}

// endIfDone ends the snapshot when nothing is left to be saved. The caller holds no lock.
func (s *Snapshot) endIfDone(nowMS int64) {
	s.mu.Lock()
	done := s.walking == 0 && s.active == 0 && !s.over
	s.over = s.over || done
	s.mu.Unlock()
	if !done {
		return
	}
	for i := range s.parts {
		sh := s.ks.Shard(i)
		sh.Lock(nowMS)
		s.flush(&s.parts[i])
		sh.EndSnapshot()
		sh.Unlock()
	}
	s.queue.close()
}
