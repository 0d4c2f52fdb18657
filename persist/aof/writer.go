package aof

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/journal"
	"github.com/shoaldb/shoal/persist/disk"
)

// Policy says when what has been written is synced (appendfsync).
type Policy int32

const (
	Always      Policy = iota // at once: Options.Synced tells how far
	EverySecond               // a second after it was written at the latest, unless the disk is slower
	Never                     // when the system wants to
)

// Options are what a Writer needs besides its files. The functions are called on the writer's goroutine and may be nil.
type Options struct {
	Policy     Policy
	Timestamps bool               // note the time, to the second, between commands (aof-timestamp-enabled)
	Synced     func(offset int64) // everything before offset is Safe, of whose replies some may be held
	// Failed is told of an error, and of nil when writing works again. Always cannot go on without losing what has been
	// acknowledged: the server has to exit. Otherwise the writer tries again every second and the journal grows
	// meanwhile.
	Failed func(err error, policy Policy)
	Now    func() time.Time // nil: time.Now
	// Took is told how long a write, or a sync that is waited for, has taken, by the name of the latency monitor's
	// event; nil: nobody is.
	Took func(event string, d time.Duration)
}

const (
	syncEvery = time.Second
	retry     = time.Second
	// gather is how long a writer that need not sync at once rests after it has written, so that whoever writes does
	// not have to wake it each time. It does not rest the first prompt times of a period: what a client alone does is
	// in the file at once. See Busy.
	gather = 2 * time.Millisecond
	prompt = 50
	period = 100 * time.Millisecond
	// slowSync is how long a sync takes that counts as delayed.
	slowSync = 2 * time.Second
)

// Writer writes a journal to files, on a goroutine of its own: nobody else ever waits for the disk.
type Writer struct {
	opts    Options
	in      *journal.Reader
	j       *journal.Journal
	policy  atomic.Int32
	paused  atomic.Bool // no sync while a rewrite works
	stamps  atomic.Bool
	written atomic.Int64
	synced  atomic.Int64
	size    atomic.Int64
	delayed atomic.Int64
	delay   atomic.Int64 // ns, before something is written
	even    atomic.Int64 // unix ms at which everything was durable last
	busy    atomic.Bool
	syncing atomic.Bool // a sync is under way on a goroutine of its own
	stop    atomic.Bool
	done    chan struct{}

	mu       sync.Mutex
	switches []fileSwitch  // to come, ascending
	flushes  []func(error) // who waits for all to be durable
	err      error

	// of the writer's goroutine
	file     disk.File
	lastSync time.Time
	ended    chan syncEnd
	boundary int64 // the last offset that was reached and lies between two groups
	stamped  int64 // unix time of the last timestamp
	rested   int64 // what was written when it rested last, or might have
	rounds   int   // how often it might have rested since the period began
	began    time.Time
}

// syncEnd tells how a sync ended, of all that had been written up to an offset.
type syncEnd struct {
	at  int64
	err error
}

type fileSwitch struct {
	at    int64
	file  disk.File
	begin func() error
	done  func(error)
}

// errEnded says that the writer ended before it came to a switch.
var errEnded = errors.New("the append only file was closed")

// NewWriter starts to write what in reads to file. Close ends it.
func NewWriter(j *journal.Journal, in *journal.Reader, file disk.File, opts Options) *Writer {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	w := &Writer{opts: opts, in: in, j: j, file: file, done: make(chan struct{}), ended: make(chan syncEnd, 1), lastSync: opts.Now()}
	w.policy.Store(int32(opts.Policy))
	w.stamps.Store(opts.Timestamps)
	w.even.Store(time.Now().UnixMilli())
	w.written.Store(in.At())
	w.synced.Store(in.At())
	w.boundary = in.At()
	go w.run()
	return w
}

// Written and Synced are journal offsets: everything before them has been written, or is durable.
func (w *Writer) Written() int64 { return w.written.Load() }
func (w *Writer) Synced() int64  { return w.synced.Load() }

// Safe is the journal offset up to which the effects are as durable as the policy demands: with Always synced, unless
// HoldSync is in force, else written.
func (w *Writer) Safe() int64 {
	if w.synchronous() {
		return w.synced.Load()
	}
	return w.written.Load()
}

// synchronous tells whether what is written has to be synced at once.
func (w *Writer) synchronous() bool { return Policy(w.policy.Load()) == Always && !w.paused.Load() }

// Busy tells whether so much comes that the writer lets some gather before it writes. Else it writes at once, which is
// worth waiting for.
func (w *Writer) Busy() bool { return w.busy.Load() }

// LagMS is for how long, in ms, there has been something that is not durable.
func (w *Writer) LagMS() int64 {
	if w.synced.Load() == w.j.End() {
		return 0
	}
	return max(time.Now().UnixMilli()-w.even.Load(), 0)
}

// Delayed is how many syncs took 2 seconds or more.
func (w *Writer) Delayed() int64 { return w.delayed.Load() }

// Syncing tells whether a sync is under way beside the writing.
func (w *Writer) Syncing() bool { return w.syncing.Load() }

// Size is how many bytes have been written to all files together.
func (w *Writer) Size() int64 { return w.size.Load() }

// Err is the error that keeps the writer from writing, or nil.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// SetPolicy changes the policy.
func (w *Writer) SetPolicy(p Policy) {
	w.policy.Store(int32(p))
	w.in.Poke()
}

// SetTimestamps changes whether the time is noted.
func (w *Writer) SetTimestamps(on bool) { w.stamps.Store(on) }

// SetDelay makes the writer sleep before it writes, for tests of those who wait for it.
func (w *Writer) SetDelay(d time.Duration) { w.delay.Store(int64(d)) }

// Flush makes everything durable that the journal holds, whatever the policy. It waits until that is done, or has failed.
func (w *Writer) Flush() error {
	done := make(chan error, 1)
	w.mu.Lock()
	w.flushes = append(w.flushes, func(err error) { done <- err })
	w.mu.Unlock()
	w.in.Poke()
	select {
	case err := <-done:
		return err
	case <-w.done:
		return w.Err()
	}
}

// HoldSync keeps the writer from syncing until it is called again (no-appendfsync-on-rewrite).
func (w *Writer) HoldSync(hold bool) {
	w.paused.Store(hold)
	w.in.Poke()
}

// Switch makes file take what comes from the journal's offset at on, which lies between two groups and has not been
// written yet. When the file before it has all of the rest and is synced, begin is called, on the writer's goroutine,
// to make known that file follows: if that fails, the writer stays with what it has, and closes file. At the end done
// is called with what came of it.
func (w *Writer) Switch(at int64, file disk.File, begin func() error, done func(error)) {
	w.mu.Lock()
	w.switches = append(w.switches, fileSwitch{at, file, begin, done})
	w.mu.Unlock()
	w.in.Poke()
}

// Close writes and syncs what the journal holds and closes the file. It returns what went wrong last.
func (w *Writer) Close() error {
	w.stop.Store(true)
	w.in.Poke()
	<-w.done
	return w.Err()
}

func (w *Writer) run() {
	defer close(w.done)
	defer w.in.Close()
	defer w.dropSwitches()
	var flushes []func(error)
	for {
		stopping := w.stop.Load()
		flushes = append(flushes, w.takeFlushes()...)
		limit, next := w.limit()
		err := w.step(limit, stopping || len(flushes) > 0)
		switched := err == nil && next != nil && w.in.At() == limit
		if switched {
			err = w.switchTo(next)
		}
		w.report(err)
		if !switched { // else there may be more to write
			for _, done := range flushes {
				done(err)
			}
			flushes = nil
		}
		switch {
		case stopping && (err != nil || w.in.At() == w.j.End() && !switched):
			if closed := w.file.Close(); err == nil {
				w.report(closed)
			}
			return
		case err != nil:
			w.sleep(retry)
		case !switched:
			w.wait()
		}
	}
}

// step writes up to limit, and syncs if that is due, or if all is true.
func (w *Writer) step(limit int64, all bool) error {
	if err := w.endSync(all); err != nil {
		return err
	}
	if err := w.write(limit); err != nil {
		return err
	}
	if !w.synchronous() {
		w.tell(w.written.Load())
	}
	return w.syncIfDue(all)
}

func (w *Writer) takeFlushes() []func(error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.flushes
	w.flushes = nil
	return f
}

// limit is how far the present file goes, and what comes then, if that is known.
func (w *Writer) limit() (int64, *fileSwitch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	end := w.j.End()
	if len(w.switches) == 0 || w.switches[0].at > end {
		return end, nil
	}
	s := w.switches[0]
	return s.at, &s
}

func (w *Writer) wait() {
	policy := Policy(w.policy.Load())
	atMost := time.Hour
	if policy == EverySecond && w.synced.Load() < w.written.Load() && !w.syncing.Load() {
		atMost = max(time.Millisecond, syncEvery-w.opts.Now().Sub(w.lastSync))
	}
	if written := w.written.Load(); written != w.rested && policy != Always && !w.stop.Load() {
		w.rested = written
		w.rest()
	}
	w.in.Wait(atMost)
}

// rest gathers what comes in the next moment, unless little does.
func (w *Writer) rest() {
	now := time.Now()
	if now.Sub(w.began) >= period {
		w.began, w.rounds = now, 0
	}
	if w.rounds++; w.rounds > prompt {
		w.busy.Store(true)
		time.Sleep(gather)
	}
	if w.busy.Load() {
		w.busy.Store(w.in.Wait(gather))
	}
}

// sleep ends early when the writer is to stop.
func (w *Writer) sleep(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end) && !w.stop.Load(); {
		time.Sleep(10 * time.Millisecond)
	}
}

// write writes up to an offset that lies between two groups.
func (w *Writer) write(to int64) error {
	if w.stamps.Load() && w.in.At() < to && w.in.At() == w.boundary {
		if err := w.stamp(); err != nil {
			return err
		}
	}
	if d := w.delay.Load(); d > 0 && w.in.At() < to {
		time.Sleep(time.Duration(d))
	}
	for {
		b := w.in.Bytes(to)
		if len(b) == 0 {
			w.boundary = to
			return nil
		}
		begin := time.Now()
		n, err := w.file.Write(b)
		w.took("aof-write", begin)
		w.in.Advance(n)
		w.written.Add(int64(n))
		w.size.Add(int64(n))
		if err != nil {
			return fmt.Errorf("Error writing to the AOF file: %w", err)
		}
	}
}

// stamp writes the time once a second.
func (w *Writer) stamp() error {
	now := w.opts.Now().Unix()
	if now == w.stamped {
		return nil
	}
	line := fmt.Sprintf("#TS:%d\r\n", now)
	n, err := w.file.Write([]byte(line))
	w.size.Add(int64(n))
	if err == nil {
		w.stamped = now
	}
	return err
}

func (w *Writer) syncIfDue(all bool) error {
	written := w.written.Load()
	if w.synced.Load() == written {
		w.even.Store(time.Now().UnixMilli())
		return nil
	}
	policy := Policy(w.policy.Load())
	switch {
	case all:
	case w.paused.Load():
		return nil
	case policy == Always:
	case policy == Never, w.syncing.Load(), w.opts.Now().Sub(w.lastSync) < syncEvery:
		return nil
	}
	if all || policy == Always {
		return w.sync(written)
	}
	w.beginSync(written)
	return nil
}

// beginSync syncs what has been written on another goroutine, so that writing goes on meanwhile.
func (w *Writer) beginSync(written int64) {
	w.syncing.Store(true)
	file := w.file
	w.lastSync = w.opts.Now()
	go func() {
		begin := time.Now()
		err := file.Sync()
		w.countSync(begin)
		w.ended <- syncEnd{written, err}
		w.in.Poke()
	}()
}

// endSync takes note of the end of a sync that was begun, if there is one: if wait is true it waits for that.
func (w *Writer) endSync(wait bool) error {
	if !w.syncing.Load() {
		return nil
	}
	var e syncEnd
	if wait {
		e = <-w.ended
	} else {
		select {
		case e = <-w.ended:
		default:
			return nil
		}
	}
	w.syncing.Store(false)
	return w.noteSync(e.at, e.err)
}

func (w *Writer) sync(written int64) error {
	if err := w.endSync(true); err != nil {
		return err
	}
	begin := time.Now()
	err := w.file.Sync()
	w.countSync(begin)
	if Policy(w.policy.Load()) == Always {
		w.took("aof-fsync-always", begin)
	}
	w.lastSync = w.opts.Now()
	return w.noteSync(written, err)
}

func (w *Writer) took(event string, begin time.Time) {
	if w.opts.Took != nil {
		w.opts.Took(event, time.Since(begin))
	}
}

func (w *Writer) countSync(begin time.Time) {
	if time.Since(begin) >= slowSync {
		w.delayed.Add(1)
	}
}

func (w *Writer) noteSync(at int64, err error) error {
	if err != nil {
		return fmt.Errorf("Can't persist AOF for fsync error: %w", err)
	}
	w.synced.Store(at)
	w.tell(at)
	return nil
}

func (w *Writer) tell(at int64) {
	if w.opts.Synced != nil {
		w.opts.Synced(at)
	}
}

func (w *Writer) switchTo(next *fileSwitch) error {
	if err := w.sync(w.written.Load()); err != nil {
		return err
	}
	w.mu.Lock()
	w.switches = w.switches[1:]
	w.mu.Unlock()
	if err := next.begin(); err != nil {
		next.file.Close()
		next.done(err)
		return nil
	}
	w.file.Close() // what it has is durable
	w.file, w.stamped = next.file, 0
	next.done(nil)
	return nil
}

// dropSwitches is the end of those to which the writer has not come.
func (w *Writer) dropSwitches() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.switches {
		s.file.Close()
		s.done(errEnded)
	}
	w.switches = nil
}

func (w *Writer) report(err error) {
	w.mu.Lock()
	changed := (err == nil) != (w.err == nil)
	w.err = err
	w.mu.Unlock()
	if changed && w.opts.Failed != nil {
		w.opts.Failed(err, Policy(w.policy.Load()))
	}
}
