package aof

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/journal"
	"github.com/shoaldb/shoal/persist/disk"
)

// memory is a file in memory that can fail.
type memory struct {
	mu     sync.Mutex
	data   []byte
	synced int   // bytes
	room   int   // bytes; -1: no end
	fail   error // of Sync
	closed bool
}

func newDisk() *memory { return &memory{room: -1} }

var errFull = errors.New("disk full")

func (d *memory) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(b)
	if d.room >= 0 {
		n = min(n, d.room-len(d.data))
	}
	d.data = append(d.data, b[:n]...)
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

func (d *memory) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail == nil {
		d.synced = len(d.data)
	}
	return d.fail
}

func (d *memory) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

func (d *memory) set(f func()) {
	d.mu.Lock()
	f()
	d.mu.Unlock()
}

// lines replays what is on the disk.
func (d *memory) lines(t *testing.T) string {
	t.Helper()
	d.mu.Lock()
	data := bytes.Clone(d.data)
	d.mu.Unlock()
	var r recorder
	if err := Replay(bytes.NewReader(data), "disk", &r); err != nil {
		t.Fatal(err)
	}
	return strings.Join(r.lines, "\n")
}

// source is a journal and somebody who writes to it.
type source struct {
	*journal.Journal
	log journal.Log
	n   int
}

func newSource() *source { return &source{Journal: journal.New(100, 0)} }

func (s *source) writer(t *testing.T, file disk.File, o Options) *Writer {
	in, ok := s.Reader(s.End())
	if !ok {
		t.Fatal("no reader")
	}
	return NewWriter(s.Journal, in, file, o)
}

func (s *source) add(n int) int64 {
	for range n {
		s.n++
		s.log.Append(0, [][]byte{[]byte("SET"), []byte("k"), fmt.Appendf(nil, "%d", s.n)})
		s.log.EndGroup()
		s.Write(&s.log)
	}
	s.Wake()
	return s.End()
}

func sets(from, to int) string {
	lines := []string{"SELECT 0"}
	for i := from; i <= to; i++ {
		lines = append(lines, fmt.Sprintf("SET k %d", i))
	}
	return strings.Join(lines, "\n")
}

func TestAlwaysSyncs(t *testing.T) {
	s, d := newSource(), newDisk()
	var told []int64
	w := s.writer(t, d, Options{Policy: Always, Synced: func(at int64) { told = append(told, at) }})
	for range 50 {
		end := s.add(3)
		oracle.WaitFor(t, "synced", func() bool { return w.Synced() == end })
		if d.synced != len(d.data) {
			t.Fatal("not on disk")
		}
	}
	if err := w.Close(); err != nil || !d.closed {
		t.Error(err)
	}
	if d.lines(t) != sets(1, 150) || told[len(told)-1] != s.End() || w.Size() != int64(len(d.data)) {
		t.Error(d.lines(t), told, w.Size())
	}
}

func TestPolicies(t *testing.T) {
	for _, policy := range []Policy{EverySecond, Never} {
		s, d := newSource(), newDisk()
		w := s.writer(t, d, Options{Policy: policy})
		end := s.add(1000)
		oracle.WaitFor(t, "written", func() bool { return w.Written() == end })
		if policy == EverySecond {
			oracle.WaitFor(t, "synced", func() bool { return w.Synced() == end })
		} else if w.Synced() == end {
			t.Error("synced without being asked")
		}
		w.SetPolicy(Always)
		end = s.add(1)
		oracle.WaitFor(t, "synced after the change of policy", func() bool { return w.Synced() == end })
		w.Close()
		if d.lines(t) != sets(1, 1001) {
			t.Error("wrong file")
		}
	}
}

// A full disk stops nobody; when there is room again, the file goes on in the middle of the command.
func TestDiskFull(t *testing.T) {
	s, d := newSource(), newDisk()
	d.room = 100
	var mu sync.Mutex
	var told []error
	w := s.writer(t, d, Options{Policy: EverySecond, Timestamps: true, Failed: func(err error, p Policy) {
		mu.Lock()
		told = append(told, err)
		mu.Unlock()
	}})
	end := s.add(100)
	oracle.WaitFor(t, "an error", func() bool { return errors.Is(w.Err(), errFull) })
	d.set(func() { d.room = -1 })
	oracle.WaitFor(t, "written", func() bool { return w.Written() == end && w.Err() == nil })
	w.Close()
	if d.lines(t) != sets(1, 100) {
		t.Error(d.lines(t))
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 2 || !errors.Is(told[0], errFull) || told[1] != nil {
		t.Error("told", told)
	}
}

func TestSyncFails(t *testing.T) {
	s, d := newSource(), newDisk()
	d.fail = errors.New("EIO")
	failed := make(chan Policy, 10)
	w := s.writer(t, d, Options{Policy: Always, Failed: func(err error, p Policy) { failed <- p }})
	end := s.add(1)
	if p := <-failed; p != Always || w.Synced() == end {
		t.Error("policy", p, "synced", w.Synced())
	}
	if err := w.Close(); err == nil {
		t.Error("closed without an error")
	}
}

// The files divide the stream at the offsets that were asked for, and a file is durable before the next begins.
func TestSwitch(t *testing.T) {
	s, a, b, c := newSource(), newDisk(), newDisk(), newDisk()
	w := s.writer(t, a, Options{Policy: Never})
	s.add(10)
	done := make(chan error, 2)
	s.Unselect()
	begin := func() error { return nil }
	w.Switch(s.End(), b, begin, func(err error) { done <- err })
	s.add(10)
	s.Unselect()
	w.Switch(s.End(), c, begin, func(err error) { done <- err })
	s.add(10)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	w.Close()
	for i, d := range []*memory{a, b, c} {
		if got := d.lines(t); got != sets(10*i+1, 10*i+10) || !d.closed || d.synced != len(d.data) {
			t.Errorf("file %d: %s", i, got)
		}
	}
}

// Before a file is told of, the one before it is durable. One that cannot be told of is not used.
func TestSwitchFails(t *testing.T) {
	s, a, b, c := newSource(), newDisk(), newDisk(), newDisk()
	w := s.writer(t, a, Options{Policy: Never})
	s.add(10)
	end := s.End()
	done := make(chan error, 1)
	s.Unselect()
	w.Switch(end, b, func() error {
		if w.Synced() != end {
			t.Errorf("%d of %d are durable", w.Synced(), end)
		}
		return errFull
	}, func(err error) { done <- err })
	s.add(10)
	if err := <-done; err != errFull {
		t.Error(err)
	}
	a.set(func() { a.fail = errFull })
	w.Switch(s.End(), c, func() error { t.Error("a file that is not durable is followed by another"); return nil }, func(err error) { done <- err })
	w.Close()
	if err := <-done; err == nil {
		t.Error("the writer ended, and a switch has not failed")
	}
	if got := strings.Replace(a.lines(t), "\nSELECT 0", "", 1); got != sets(1, 20) || !a.closed || !b.closed || !c.closed || len(b.data)+len(c.data) > 0 {
		t.Error(got)
	}
}

// Flush means all that the journal holds, also behind a switch.
func TestFlushBehindSwitch(t *testing.T) {
	s, a, b, c := newSource(), newDisk(), newDisk(), newDisk()
	w := s.writer(t, a, Options{Policy: Never})
	begun, hold := make(chan bool), make(chan bool)
	w.Switch(s.add(10), b, func() error { begun <- true; <-hold; return nil }, func(error) {})
	<-begun
	s.Unselect()
	at := s.add(10)
	w.Switch(at, c, func() error { return nil }, func(error) {})
	s.Unselect()
	end := s.add(10)
	flushed := make(chan error, 1)
	go func() { flushed <- w.Flush() }()
	oracle.WaitFor(t, "flush", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.flushes) == 1 })
	hold <- true
	if err := <-flushed; err != nil || w.Synced() != end || c.synced == 0 {
		t.Errorf("%v: %d of %d are durable", err, w.Synced(), end)
	}
	w.Close()
}

func TestTimestamps(t *testing.T) {
	s, d := newSource(), newDisk()
	now := time.Unix(1700000000, 0)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	w := s.writer(t, d, Options{Policy: Always, Timestamps: true, Now: clock})
	for range 3 {
		end := s.add(2)
		oracle.WaitFor(t, "synced", func() bool { return w.Synced() == end })
		end = s.add(2)
		oracle.WaitFor(t, "synced", func() bool { return w.Synced() == end })
		mu.Lock()
		now = now.Add(time.Second)
		mu.Unlock()
	}
	w.Close()
	if n := bytes.Count(d.data, []byte("#TS:170000000")); n != 3 {
		t.Errorf("%d timestamps", n)
	}
	if d.lines(t) != sets(1, 12) {
		t.Error(d.lines(t))
	}
}

func TestFile(t *testing.T) {
	f := folder(t)
	out, err := f.Create("x")
	if err != nil {
		t.Fatal(err)
	}
	s := newSource()
	w := s.writer(t, out, Options{Policy: Always})
	s.add(5)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(f.Path("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var r recorder
	if err := Replay(in, "x", &r); err != nil || strings.Join(r.lines, "\n") != sets(1, 5) {
		t.Error(err, r.lines)
	}
}

// TestBusy looks at what a writer that need not sync at once tells: how far it has written, and whether it lets more come first.
func TestBusy(t *testing.T) {
	s, d := newSource(), newDisk()
	var told atomic.Int64
	w := s.writer(t, d, Options{Policy: Never, Synced: told.Store})
	at := s.add(1)
	s.Wake()
	oracle.WaitFor(t, "the first write", func() bool { return told.Load() == at })
	if w.Safe() != at || w.Synced() == at {
		t.Errorf("%d is written: safe up to %d, synced up to %d", at, w.Safe(), w.Synced())
	}
	oracle.WaitFor(t, "a busy writer", func() bool {
		for range 10000 {
			at := s.add(1)
			for w.Written() < at && !w.Busy() {
				runtime.Gosched() // there may be a single CPU
			}
			if w.Busy() {
				return true
			}
		}
		return false
	})
	oracle.WaitFor(t, "a writer at rest", func() bool { return !w.Busy() })
	if err := w.Close(); err != nil || w.Synced() != s.End() {
		t.Error(err, w.Synced(), s.End())
	}
}
