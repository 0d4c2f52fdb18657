package save

import (
	"slices"
	"sync"
	"sync/atomic"
)

// queue is what waits for the file: lanes, whose pieces keep their order. The first one is the row of all that is whole
// in itself; the others are one large value each, and are written from their first piece on to their last without
// anything between.
type queue struct {
	limit int64 // bytes in memory at which walkers stop
	spill int64 // bytes in memory, of lanes that are not being written, at which they go to the side file
	most  int64 // bytes that may be held for the snapshot alone
	size  int   // of a shard's buffer, bytes

	mu      sync.Mutex
	ready   sync.Cond
	row     lane
	lanes   []*lane // in the order in which they began
	open    *lane   // is being written
	closed  bool
	called  bool // the file writer is to look for other work
	free    []piece
	waiting []func() // for room to walk on
	writers []func() // for room to write
	bytes   atomic.Int64
	passed  atomic.Int64 // bytes that have come, in all
	held    atomic.Int64 // bytes of values that are not freed as they are yet to be saved
	peak    atomic.Int64 // of both together
}

// lane is a part of the queue. Its fields are changed under the queue's lock.
type lane struct {
	pieces []*piece
	bytes  atomic.Int64 // in memory
	ready  atomic.Int64 // of these, in pieces
	owned  bool         // a worker is at it, and will be until it is closed
	closed bool         // there is no more to come
	aside  map[int]*piece
}

func (q *queue) init(limit int, most int64, shards int) {
	q.limit, q.spill, q.most = int64(limit), 2*int64(limit), most
	q.size = min(max(allBuffers/shards, 4<<10), bufferBytes)
	q.ready.L = &q.mu
}

// begin makes a lane for a large value.
func (q *queue) begin() *lane {
	l := &lane{}
	q.mu.Lock()
	q.lanes = append(q.lanes, l)
	q.mu.Unlock()
	return l
}

// own says that a worker will bring the lane to its end.
func (q *queue) own(l *lane) {
	q.mu.Lock()
	l.owned = true
	q.mu.Unlock()
	q.ready.Signal()
}

// put appends p to the lane, which it ends if last is true.
func (q *queue) put(l *lane, p piece, last bool) {
	q.count(l, p.bytes())
	l.ready.Add(p.bytes())
	q.mu.Lock()
	l.pieces = append(l.pieces, &p)
	l.closed = last
	q.mu.Unlock()
	q.ready.Signal()
}

// putAside keeps p until a piece of the lane asks for it by its number.
func (q *queue) putAside(l *lane, number int, p piece) {
	q.count(l, p.bytes())
	q.mu.Lock()
	if l.aside == nil {
		l.aside = map[int]*piece{}
	}
	l.aside[number] = &p
	q.mu.Unlock()
	if q.bytes.Load() >= q.spill {
		q.ready.Signal()
	}
}

func (q *queue) count(l *lane, n int64) {
	l.bytes.Add(n)
	q.passed.Add(n)
	q.notePeak(q.bytes.Add(n) + q.held.Load())
}

// hold notes that n more bytes, or fewer, are held.
func (q *queue) hold(n int64) {
	held := q.held.Add(n)
	if n > 0 {
		q.notePeak(held + q.bytes.Load())
		return
	}
	q.mu.Lock()
	waiting := q.wakeable()
	q.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

// wakeable takes the writers that wait, if there is room for them.
func (q *queue) wakeable() (waiting []func()) {
	if q.roomToWrite() {
		waiting, q.writers = q.writers, nil
	}
	return waiting
}

func (q *queue) roomToWrite() bool {
	return q.bytes.Load() <= q.limit/2 && q.held.Load() <= q.most
}

func (q *queue) notePeak(total int64) {
	for peak := q.peak.Load(); total > peak && !q.peak.CompareAndSwap(peak, total); peak = q.peak.Load() {
	}
}

// piledUp tells whether more waits than what has just come.
func (q *queue) piledUp() bool { return q.bytes.Load() >= q.limit/8 }

// full tells whether walkers have to wait; fullFor whether the one who is at a lane has to.
func (q *queue) full() bool { return q.bytes.Load() >= q.limit }

func (q *queue) fullFor(l *lane) bool {
	q.mu.Lock()
	open := q.open == l
	q.mu.Unlock()
	if open {
		return l.ready.Load() >= q.limit/2
	}
	return q.full()
}

// buffer returns an empty piece with some memory.
func (q *queue) buffer() piece {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.free); n > 0 {
		p := q.free[n-1]
		q.free = q.free[:n-1]
		return p
	}
	return piece{buf: make([]byte, 0, q.size+q.size/4)}
}

const mostFree = 64 // buffers that are kept

// take returns the next piece to write and its lane, or only a lane, whose pieces are to be taken to the side file; ok
// is false when there are no more. If there is none now it returns neither, at once or, if wait is true, when call is
// called.
func (q *queue) take(wait bool) (p *piece, l *lane, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer func() { q.called = false }()
	for {
		if full := q.toSpill(); full != nil {
			return nil, full, true
		}
		if q.open == nil {
			q.choose()
		}
		if q.open != nil {
			if p := q.open.next(); p != nil {
				return p, q.open, true
			}
			if q.open.closed {
				q.lanes = slices.DeleteFunc(q.lanes, func(l *lane) bool { return l == q.open })
				q.open = nil
				continue
			}
		} else if p := q.row.next(); p != nil {
			return p, &q.row, true
		} else if q.closed && len(q.lanes) == 0 {
			return nil, nil, false
		}
		if !wait || q.called {
			return nil, nil, true
		}
		q.ready.Wait()
	}
}

// call makes take return though there is nothing to write.
func (q *queue) call() {
	q.mu.Lock()
	q.called = true
	q.mu.Unlock()
	q.ready.Signal()
}

// choose opens the next lane, if there is one that should be: one that is complete, or, if the row is empty, one that
// somebody is at.
func (q *queue) choose() {
	i := slices.IndexFunc(q.lanes, func(l *lane) bool { return l.closed })
	if i < 0 && len(q.row.pieces) == 0 {
		i = slices.IndexFunc(q.lanes, func(l *lane) bool { return l.owned })
	}
	if i < 0 {
		return
	}
	q.open = q.lanes[i]
	for _, f := range q.waiting { // its worker may go on
		f()
	}
	q.waiting = nil
}

// next takes the lane's first piece.
func (l *lane) next() *piece {
	if len(l.pieces) == 0 {
		return nil
	}
	p := l.pieces[0]
	l.pieces[0] = nil
	l.pieces = l.pieces[1:]
	l.ready.Add(-p.bytes())
	if p.at > 0 {
		kept := l.aside[p.at-1]
		delete(l.aside, p.at-1)
		if kept != nil {
			return kept
		}
	}
	return p
}

// leastSpill is how much a lane must have to be worth it, bytes.
const leastSpill = 256 << 10

// toSpill returns the lane that has most, if all that cannot be written now is too much.
func (q *queue) toSpill() *lane {
	if q.bytes.Load() < q.spill {
		return nil
	}
	most := int64(leastSpill)
	var found *lane
	weigh := func(l *lane) {
		n := l.bytes.Load()
		if l == q.open {
			n -= l.ready.Load()
		}
		if n > most {
			most, found = n, l
		}
	}
	if q.open != nil {
		weigh(&q.row)
	}
	for _, l := range q.lanes {
		weigh(l)
	}
	return found
}

// inMemory returns the pieces of l that are in memory: first those put aside, then the others in their order.
func (q *queue) inMemory(l *lane) (aside, inOrder []*piece) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range l.aside {
		if p.spilled == 0 {
			aside = append(aside, p)
		}
	}
	return aside, slices.Clone(l.pieces)
}

// merged puts fewer pieces in the place of the first n of l.
func (q *queue) merged(l *lane, n int, pieces []*piece) {
	q.mu.Lock()
	l.pieces = append(pieces, l.pieces[n:]...)
	q.mu.Unlock()
}

// done gives back the memory of p, a piece of l that has been written, n bytes, and calls those who wait for room if
// there is enough.
func (q *queue) done(l *lane, p *piece, n int64) {
	l.bytes.Add(-n)
	left := q.bytes.Add(-n)
	var waiting []func()
	q.mu.Lock()
	if cap(p.buf) >= q.size && cap(p.buf) <= 2*q.size && len(q.free) < mostFree {
		q.free = append(q.free, piece{buf: p.buf[:0], texts: p.texts[:0]})
	}
	if left <= q.limit/2 || q.open != nil && q.open.ready.Load() < q.limit/4 {
		waiting, q.waiting = q.waiting, nil
	}
	waiting = append(waiting, q.wakeable()...)
	q.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

// await calls f, on any goroutine, when there may be room again, which may be at once: in general, or in a lane.
func (q *queue) await(f func(), l *lane) {
	q.mu.Lock()
	room := q.bytes.Load() <= q.limit/2
	if l != nil && q.open == l {
		room = l.ready.Load() < q.limit/2
	}
	if !room {
		q.waiting = append(q.waiting, f)
	}
	q.mu.Unlock()
	if room {
		f()
	}
}

// awaitToWrite calls f, on any goroutine, when writers may go on, which may be at once.
func (q *queue) awaitToWrite(f func()) {
	q.mu.Lock()
	room := q.roomToWrite()
	if !room {
		q.writers = append(q.writers, f)
	}
	q.mu.Unlock()
	if room {
		f()
	}
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ready.Signal()
}
