package server

import (
	"errors"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// Clients that take much memory are closed when all clients together take more than maxmemory-clients, the largest
// first: of those in the highest class of sizes, powers of two, until the rest fits. Each reactor knows what its
// clients take, and closes only its own; all see the sums. Without a limit a client is weighed once a second, for the
// statistics.

const (
	leastClientClass = 15 // clients of less than 2^16 bytes are in the lowest class
	clientClasses    = 19
	// leastClientLimit is the least limit that holds: with less nobody could ask for anything.
	leastClientLimit = 128 << 10
)

// clientMemory is the part of the server's state that bounds the memory of clients.
type clientMemory struct {
	limit   atomic.Int64 // bytes; 0: none
	evicted atomic.Int64
	working sync.Mutex // evictClients
	closing sync.Mutex // from the look at the sum until a client is taken out of it, lest two reactors close one too many
	kicked  atomic.Bool
}

var errClientMemory = errors.New("the clients took more than maxmemory-clients")

// sizeClass returns the class of a client of n bytes.
func sizeClass(n int) int {
	return max(0, min(bits.Len(uint(n))-1-leastClientClass, clientClasses-1))
}

// weigh brings the reactor's sums up to date with what cl takes. One whose conn is closed, and about to be forgotten, takes
// nothing any more, lest another is closed in its place.
func (r *reactor) weigh(cl *Client) {
	if cl.conn.IsClosed() {
		r.unweigh(cl)
		return
	}
	now := cl.memory()
	r.stats.clientBytes.Add(int64(now - cl.weighed))
	r.srv.maxMemory.clients.Add(int64(now - cl.weighed))
	cl.weighed = now
	class := -1
	if cl.flags&(clientNoEvict|clientClosing) == 0 {
		class = sizeClass(now)
	}
	r.classify(cl, class)
}

// classify counts cl in a class of clients that may be closed, or in none if class is negative. Client.sizeClass is
// greater by one.
func (r *reactor) classify(cl *Client, class int) {
	if cl.sizeClass == class+1 {
		return
	}
	if cl.sizeClass > 0 {
		r.stats.clientSizes[cl.sizeClass-1].Add(-1)
	}
	if class >= 0 {
		r.stats.clientSizes[class].Add(1)
	}
	cl.sizeClass = class + 1
}

// unweigh takes a client that is being closed out of the sums.
func (r *reactor) unweigh(cl *Client) {
	r.stats.clientBytes.Add(-int64(cl.weighed))
	r.srv.maxMemory.clients.Add(-int64(cl.weighed))
	cl.weighed = 0
	r.classify(cl, -1)
}

// overClients tells whether the clients take too much.
func (s *Server) overClients() bool {
	limit := s.clientMemory.limit.Load()
	return limit > 0 && s.sum(func(c *counters) int64 { return c.clientBytes.Load() }) >= limit
}

// largestClients returns the highest class that has clients, or -1.
func (s *Server) largestClients() int {
	for class := clientClasses - 1; class >= 0; class-- {
		for _, r := range s.reactors {
			if r.stats.clientSizes[class].Load() > 0 {
				return class
			}
		}
	}
	return -1
}

// mindMemory weighs cl and sees to it that clients are closed if all take too much. It may be called under locks.
func (r *reactor) mindMemory(cl *Client) {
	if r.srv.clientMemory.limit.Load() == 0 || cl.flags&clientClosing != 0 {
		return
	}
	r.weigh(cl)
	if r.srv.overClients() && !r.minding {
		r.minding = true
		r.net.Post(func() {
			r.minding = false
			r.makeRoom()
		})
	}
}

// weighInput weighs cl, which has sent something, and makes room for it. It returns whether cl had to go.
func (r *reactor) weighInput(cl *Client) bool {
	r.weigh(cl)
	if !r.srv.overClients() {
		return false
	}
	r.makeRoom()
	return cl.flags&clientClosing != 0
}

// makeRoom closes clients until the rest takes no more than it may: those of this reactor at once, others soon. No lock is held.
func (r *reactor) makeRoom() {
	r.beginTurn()
	for r.srv.overClients() {
		class := r.srv.largestClients()
		if class < 0 || !r.closeLargest(class) {
			r.srv.makeRoomLater()
			return
		}
	}
}

// makeRoomLater closes clients of any reactor, on a goroutine of its own.
func (s *Server) makeRoomLater() {
	if s.largestClients() < 0 || !s.clientMemory.kicked.CompareAndSwap(false, true) {
		return
	}
	go func() {
		s.clientMemory.kicked.Store(false)
		s.evictClients()
	}()
}

// evictClients closes clients of all reactors until the rest takes no more than it may. It waits for the reactors.
func (s *Server) evictClients() {
	s.clientMemory.working.Lock()
	defer s.clientMemory.working.Unlock()
	for s.overClients() {
		class := s.largestClients()
		if class < 0 {
			s.log.Warningf("Over client maxmemory after evicting all evictable clients")
			return
		}
		for _, r := range s.reactors {
			if r.stats.clientSizes[class].Load() > 0 {
				r.wait(func() { r.closeLargest(class) })
			}
		}
	}
}

// wait lets the reactor do something, and waits for it on another goroutine.
func (r *reactor) wait(do func()) {
	done := make(chan struct{})
	r.net.Post(func() {
		r.beginTurn()
		do()
		close(done)
	})
	<-done
}

// eachReactor lets each reactor do something, and waits until all have.
func (s *Server) eachReactor(do func(*reactor)) {
	var all sync.WaitGroup
	all.Add(len(s.reactors))
	for _, r := range s.reactors {
		r.net.Post(func() {
			r.beginTurn()
			do(r)
			all.Done()
		})
	}
	all.Wait()
}

// closeLargest closes clients of a class as long as all take too much. It returns whether it has closed any.
func (r *reactor) closeLargest(class int) (closed bool) {
	if r.stats.clientSizes[class].Load() == 0 {
		return false
	}
	for _, cl := range slices.Clone(r.list) {
		if cl.sizeClass != class+1 || !r.takeOut(cl) {
			continue
		}
		r.srv.log.Noticef("Evicting client: %s", cl.describe(r.nowMS))
		r.srv.clientMemory.evicted.Add(1)
		r.abandon(cl)
		cl.flags |= clientClosing
		cl.killed = true
		cl.conn.Close(errClientMemory)
		closed = true
	}
	return closed
}

// takeOut takes cl, which is then to be closed, out of the sums if the clients take too much.
func (r *reactor) takeOut(cl *Client) bool {
	m := &r.srv.clientMemory
	m.closing.Lock()
	defer m.closing.Unlock()
	if !r.srv.overClients() {
		return false
	}
	r.unweigh(cl)
	return true
}

// limitClients sets the limit; applyClientLimit makes it hold.
func (s *Server) limitClients(bytes int64) {
	if bytes > 0 {
		bytes = max(bytes, leastClientLimit)
	}
	s.clientMemory.limit.Store(bytes)
}

// applyClientLimit weighs all clients, and closes some if they take too much. wait tells that it may wait for the
// reactors to do it.
func (s *Server) applyClientLimit(wait bool) {
	if s.clientMemory.limit.Load() == 0 {
		return
	}
	if wait {
		s.eachReactor((*reactor).weighAll)
		s.evictClients()
		return
	}
	for _, r := range s.reactors {
		r.net.Post(func() {
			r.beginTurn()
			r.weighAll()
			r.makeRoom()
		})
	}
}

func (r *reactor) weighAll() {
	for _, cl := range r.list {
		r.weigh(cl)
	}
}
