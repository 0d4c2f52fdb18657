package journal

import (
	"slices"
	"sync/atomic"
	"time"
)

// Reader reads the stream from some offset on. Apart from At it belongs to one goroutine.
type Reader struct {
	j     *Journal
	at    atomic.Int64
	chunk *chunk // in which at lies; at may lie at its end
	wake  chan struct{}
}

// At is the offset that is read next.
func (r *Reader) At() int64 { return r.at.Load() }

// Bytes returns what can be read at once, at most up to the offset limit; it is empty at the end of the stream. The bytes are the
// journal's memory and valid until Advance.
func (r *Reader) Bytes(limit int64) []byte {
	at := r.at.Load()
	limit = min(limit, r.j.end.Load())
	if at >= limit {
		return nil
	}
	if at == r.chunk.from+chunkSize {
		r.chunk = r.nextChunk()
	}
	c := r.chunk
	return c.data[at-c.from : min(limit-c.from, chunkSize)]
}

func (r *Reader) nextChunk() *chunk {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	return r.chunk.next
}

// Advance says that n bytes have been read. Their memory may be used again.
func (r *Reader) Advance(n int) {
	at := r.at.Load() + int64(n)
	if at == r.chunk.from+chunkSize {
		// The chunk is left while at still protects it.
		if c := r.nextChunk(); c != nil {
			r.chunk = c
		}
	}
	r.at.Store(at)
}

// Wait returns when there is something to read, or after a time, or when Poke is called. It reports whether there is
// something to read.
func (r *Reader) Wait(atMost time.Duration) bool {
	r.j.asleep.Add(1)
	defer r.j.asleep.Add(-1)
	if r.at.Load() < r.j.end.Load() {
		return true
	}
	t := time.NewTimer(atMost)
	defer t.Stop()
	select {
	case <-r.wake:
	case <-t.C:
	}
	return r.at.Load() < r.j.end.Load()
}

// Poke ends a Wait. Any goroutine may call it.
func (r *Reader) Poke() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Close lets the journal forget the reader.
func (r *Reader) Close() {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	i := slices.Index(r.j.readers, r)
	if i >= 0 {
		r.j.readers = slices.Delete(slices.Clone(r.j.readers), i, i+1)
	}
}
