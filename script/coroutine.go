package script

import "iter"

// Coroutine runs one piece of work after another, each of which may pause, on a stack of its own.
type Coroutine struct {
	work  func()
	next  func() (done, ok bool)
	stop  func()
	yield func(done bool) bool
}

// NewCoroutine makes one. Stop must be called in the end.
func NewCoroutine() *Coroutine {
	c := &Coroutine{}
	c.next, c.stop = iter.Pull(func(yield func(bool) bool) {
		c.yield = yield
		for {
			c.work()
			if !yield(true) {
				return
			}
		}
	})
	return c
}

// Start runs work until it is done or pauses. No other work is under way.
func (c *Coroutine) Start(work func()) (done bool) {
	c.work = work
	return c.Resume()
}

// Resume lets work that has paused go on.
func (c *Coroutine) Resume() (done bool) {
	done, _ = c.next()
	return done
}

// Pause is called from within the work: Start or Resume returns.
func (c *Coroutine) Pause() { c.yield(false) }

// Stop frees the coroutine. No work is under way.
func (c *Coroutine) Stop() { c.stop() }
