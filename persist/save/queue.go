package save

import (
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/shard"
)

// piece is bytes for the file, then, if it has a text, the encoding of that as a string.
type piece struct {
	buf    []byte
	text   []byte
	pinned shard.Pinned
	pins   bool // text is pinned's
	last   bool // of a large value
}

func (p *piece) bytes() int { return len(p.buf) + len(p.text) }

// queue is what waits for the file: a row of pieces, and those of the one large value that is being saved, which go first, from its first one on to
// its last.
type queue struct {
	limit int // bytes
	size  int // of a shard's buffer, bytes

	mu      sync.Mutex
	ready   sync.Cond
	row     []piece
	large   []piece
	isOpen  bool // a large value has begun to be written
	closed  bool
	free    [][]byte
	waiting []func() // for room
	bytes   atomic.Int64
	inLarge atomic.Int64 // of bytes
	peak    atomic.Int64
}

func (q *queue) init(limit, shards int) {
	q.limit, q.size = limit, min(max(allBuffers/shards, 4<<10), bufferBytes)
	q.ready.L = &q.mu
}

// put appends p to the row, or to the large value's pieces.
func (q *queue) put(p piece, large bool) {
	n := int64(p.bytes())
	total := q.bytes.Add(n)
	for peak := q.peak.Load(); total > peak && !q.peak.CompareAndSwap(peak, total); peak = q.peak.Load() {
	}
	q.mu.Lock()
	if large {
		q.inLarge.Add(n)
		q.large = append(q.large, p)
	} else {
		q.row = append(q.row, p)
	}
	q.mu.Unlock()
	q.ready.Signal()
}

// full tells whether walkers have to wait; fullForLarge whether the one who saves a large value has to.
func (q *queue) full() bool         { return q.bytes.Load() >= int64(q.limit) }
func (q *queue) fullForLarge() bool { return q.inLarge.Load() >= int64(q.limit)/2 }

// buffer returns an empty buffer.
func (q *queue) buffer() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.free); n > 0 {
		b := q.free[n-1]
		q.free = q.free[:n-1]
		return b
	}
	return make([]byte, 0, q.size+q.size/4)
}

const mostFree = 64 // buffers that are kept

// take waits for the next piece. ok is false when there are no more.
func (q *queue) take() (p piece, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case len(q.large) > 0:
			p, q.large = q.large[0], q.large[1:]
			q.isOpen = !p.last
			q.inLarge.Add(-int64(p.bytes()))
			return p, true
		case len(q.row) > 0 && !q.isOpen:
			p, q.row = q.row[0], q.row[1:]
			return p, true
		case q.closed && !q.isOpen:
			return piece{}, false
		}
		q.ready.Wait()
	}
}

// done gives p back, which has been written, and calls those who wait for room if there is enough.
func (q *queue) done(p piece) {
	if p.pins {
		p.pinned.Release()
	}
	left := q.bytes.Add(-int64(p.bytes()))
	var waiting []func()
	q.mu.Lock()
	if cap(p.buf) > 0 && cap(p.buf) <= 2*q.size && len(q.free) < mostFree {
		q.free = append(q.free, p.buf[:0])
	}
	if left <= int64(q.limit)/2 || q.inLarge.Load() < int64(q.limit)/4 && q.isOpen {
		waiting, q.waiting = q.waiting, nil
	}
	q.mu.Unlock()
	for _, f := range waiting {
		f()
	}
}

// await calls f, on any goroutine, when there may be room again, which may be at once: in the row, or for the large value.
func (q *queue) await(f func(), large bool) {
	q.mu.Lock()
	if large && !q.fullForLarge() || !large && q.bytes.Load() <= int64(q.limit)/2 {
		q.mu.Unlock()
		f()
		return
	}
	q.waiting = append(q.waiting, f)
	q.mu.Unlock()
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.ready.Signal()
}
