package netio

import (
	"fmt"
	"runtime"
	"sync"
)

// Start runs the reactors. If io_uring was chosen automatically and fails now, as when memory is short, gnet takes
// its place.
func (e *Engine) Start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != stateNew {
		return ErrNotRunning
	}
	err := e.startReactors()
	if err != nil && e.name == EngineURing && e.opts.Engine != EngineURing {
		e.name, e.reason = EngineGnet, "io_uring is not available: "+err.Error()
		err = e.startReactors()
	}
	if err != nil {
		return err
	}
	e.state = stateRunning
	for _, l := range e.listeners {
		e.serve(l)
	}
	return nil
}

// startReactors starts a goroutine per reactor. They build their loops, on their own threads as io_uring demands, and run
// only if all could.
func (e *Engine) startReactors() error {
	built := make(chan error, len(e.reactors))
	verdict := make(chan bool)
	for _, r := range e.reactors {
		e.wg.Go(func() { r.main(built, verdict) })
	}
	var failed error
	for range e.reactors {
		if err := <-built; err != nil {
			failed = fmt.Errorf("netio: cannot start a reactor: %w", err)
		}
	}
	for range e.reactors {
		verdict <- failed == nil
	}
	if failed != nil {
		e.wg.Wait()
	}
	return failed
}

func (r *Reactor) main(built chan<- error, verdict <-chan bool) {
	cpu := -1
	if n := len(r.e.opts.CPUs); n > 0 {
		cpu = r.e.opts.CPUs[r.id%n]
	}
	if r.e.name == EngineURing || pollLocked || cpu >= 0 {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		r.thread.own()
		if err := pinThread(cpu); err != nil {
			r.e.opts.Logf(LevelWarning, "Cannot pin reactor %d to CPU %d: %v", r.id, cpu, err)
		}
	}
	loop, err := r.newLoop()
	built <- err
	if run := <-verdict; !run {
		if err == nil {
			loop.destroy()
		}
		return
	}
	r.io = loop
	r.started.Store(true)
	r.beginTurn()
	loop.run()
}

func (r *Reactor) newLoop() (backend, error) {
	if r.e.name == EngineURing {
		return newRingLoop(r)
	}
	return newPollLoop(r)
}

// serve has the reactors accept from l.
func (e *Engine) serve(l *listener) {
	for _, r := range e.reactors {
		if l.fd(r.id) >= 0 {
			r.Post(func() { r.io.listen(l) })
		}
	}
}

// unserve stops that and closes l; was is the engine's state before.
func (e *Engine) unserve(was engineState, l *listener) {
	if was == stateNew {
		l.abandon()
		return
	}
	l.shut()
	for _, r := range e.reactors {
		if l.fd(r.id) >= 0 {
			r.Post(func() { r.io.unlisten(l) })
		}
	}
}

// Stop closes the listeners, gives pending replies half a second to go out, closes all conns with ErrStopped and
// returns when the reactors' threads have ended. It must not be called on a reactor's goroutine.
func (e *Engine) Stop() {
	e.mu.Lock() // not held while waiting: a handler may call Listen
	was := e.state
	e.state = stateStopped
	for _, l := range e.listeners {
		e.unserve(was, l)
	}
	e.listeners = nil
	e.mu.Unlock()
	if was == stateRunning {
		e.stopReactors()
	}
	e.wg.Wait()
}

func (e *Engine) stopReactors() {
	// Once every reactor has left its listeners, every accepted conn is in the mailbox of its reactor.
	var left sync.WaitGroup
	left.Add(len(e.reactors))
	for _, r := range e.reactors {
		r.Post(left.Done)
	}
	left.Wait()
	for _, r := range e.reactors {
		r.Post(r.beginStop)
	}
}
