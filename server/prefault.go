package server

import (
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/alloc"
)

// prefaulter touches memory ahead of its need, so that no reactor has to wait for the kernel to clear a huge page. Its
// goroutine works while data is being written and sleeps otherwise.
type prefaulter struct {
	state atomic.Int32
	wake  chan struct{}
}

// States of a prefaulter.
const (
	prefaultAsleep int32 = iota
	prefaultWatching
	prefaultWritten // watching, and a reactor has written since the last look
)

const (
	prefaultEvery = time.Millisecond
	prefaultQuiet = 100 // looks without a write after which it goes to sleep
)

// written is called by a reactor at the end of a turn with writes.
func (p *prefaulter) written() {
	if p.state.Load() == prefaultWritten {
		return
	}
	if p.state.Swap(prefaultWritten) == prefaultAsleep {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// start starts the goroutine; the function that it returns ends it, and waits until it has ended.
func (p *prefaulter) start(h *alloc.Heap) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-p.wake:
				p.watch(h, done)
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}

// watch works until nothing has been written for a while.
func (p *prefaulter) watch(h *alloc.Heap, done chan struct{}) {
	ticker := time.NewTicker(prefaultEvery)
	defer ticker.Stop()
	for quiet := 0; ; quiet++ {
		select {
		case <-ticker.C:
		case <-done:
			return
		}
		h.Prefault()
		if p.state.CompareAndSwap(prefaultWritten, prefaultWatching) {
			quiet = 0
		}
		if quiet >= prefaultQuiet && p.state.CompareAndSwap(prefaultWatching, prefaultAsleep) {
			return
		}
	}
}
