package save

import (
	"math"
	"slices"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// job is a large value that is being saved piece by piece. Its fields are changed under the lock of its shard.
type job struct {
	s     *Snapshot
	shard *shard.Shard
	sp    *types.Space
	lane  *lane
	out   buffer

	root   types.Root
	orphan bool // no key has the value any more
	gone   bool // there is nothing left at root
	over   bool // all that is to be saved is

	tail    [][]byte // what is left of a very long element that is being saved
	held    int64    // bytes that are not freed only because of the job
	waiting []func() // for its end
}

// largeJob is a job for some type of values.
type largeJob interface {
	types.Watcher
	base() *job
	// step saves members or nodes until the buffer has end bytes, or all are saved.
	step(end int)
	// release gives up what is the job's own.
	release()
	// weight returns about how many bytes the value takes, and the number of its elements, or chunks.
	weight() (bytes int64, elements int)
}

const (
	stepBytes = 4 << 10   // between two looks at the clock
	handBytes = 32 << 10  // in the buffer of a lane, when it goes to the queue
	longText  = 256 << 10 // strings from this size on are copied to memory of their own, bytes
)

func (j *job) base() *job { return j }

func (j *job) release() {}

// hold notes that n more bytes, or fewer, are not freed only because of the job.
func (j *job) hold(n int64) {
	if n == 0 {
		return
	}
	j.held += n
	j.s.queue.hold(n)
}

// string appends a string to the value's bytes.
func (j *job) string(s []byte) {
	if len(s) < longText {
		j.out.string(s)
		return
	}
	j.out.long = append([]byte(nil), s...)
	j.hand(false)
}

// stepTail goes on with a very long element until the buffer has end bytes. It reports whether all of it is saved.
func (j *job) stepTail(end int) (done bool) {
	for len(j.tail) > 0 && len(j.out.buf) < end {
		if j.out.buf == nil {
			j.out.piece = j.s.queue.buffer()
		}
		part := j.tail[0]
		n := min(len(part), ChunkBytes)
		j.out.buf = append(j.out.buf, part[:n]...)
		if j.tail[0] = part[n:]; n == len(part) {
			j.tail = j.tail[1:]
		}
	}
	return len(j.tail) == 0
}

// hand gives what is in the buffer to the queue.
func (j *job) hand(last bool) { j.s.queue.put(j.lane, j.out.take(), last) }

// idle tells whether nothing that happens to the value matters any more.
func (j *job) idle() bool { return j.over || j.s.failed.Load() }

// The functions below make a job a types.Watcher that is told of nothing but what concerns its type.

func (j *job) Before()                                                 {}
func (j *job) Change(alloc.Ref)                                        {}
func (j *job) Add(alloc.Ref)                                           {}
func (j *job) ChangeNode(alloc.Ref, []byte, int)                       {}
func (j *job) DropNode(alloc.Ref, int) (kept bool)                     { return false }
func (j *job) ChangeGroups()                                           {}
func (j *job) ChangePending(id [16]byte, delivery, consumer alloc.Ref) {}
func (j *job) AddPending(alloc.Ref)                                    {}
func (j *job) DropGroup(alloc.Ref, types.Root)                         {}
func (j *job) Orphan()                                                 { j.orphan = true }
func (j *job) ChangeBytes(from, to int)                                {}
func (j *job) Lost()                                                   { j.gone = true }
func (j *job) Moved(to types.Root)                                     { j.root, j.gone = to, to.Data == types.RootData{} }

// beginJob watches the value of e, which is saved piece by piece from now on. The shard is locked.
func (s *Snapshot) beginJob(db *shard.DB, e shard.Entry) {
	sh := db.Shard()
	r := db.Root(e)
	b := job{s: s, shard: sh, sp: db.Space(), lane: s.queue.begin(), root: r}
	b.out.compress = s.o.Compress
	b.out.buf = rdb.AppendSelect(b.out.buf, db.Origin())
	b.out.key(db.Key(e), b.out.enc.Start(b.sp, r), s.attributes(db, e))
	var j largeJob
	switch r.Type {
	case types.List, types.Stream:
		j = newNodeJob(b)
	default:
		j = newMemberJob(b)
	}
	b.sp.Watch(r, j)
	s.addJob(j)
}

func (s *Snapshot) addJob(j largeJob) {
	s.mu.Lock()
	s.jobs = append(s.jobs, j)
	s.active++
	s.mu.Unlock()
	s.begun.Add(1)
	s.queue.call()
}

// hurry makes j the next one that a worker goes to, if none is at it.
func (s *Snapshot) hurry(j largeJob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.jobs, j); i > 0 {
		copy(s.jobs[1:i+1], s.jobs[:i])
		s.jobs[0] = j
	}
}

// All is more elements than a value has: what a command that replaces or deletes values does away with.
const All = math.MaxInt

// leastCost is what a command may always do away with, bytes.
const leastCost = 64 << 10

// Admit tells whether a command may do away with, or change, up to n elements, or chunks, of a value that w, which
// Key.BeforeWrite has returned for one of its keys, watches, or whether too much would have to be held for the snapshot
// then, and it should call AwaitSaved first. sum is what the command costs in bytes, to which the value is added. The
// shard is locked.
func (s *Snapshot) Admit(w types.Watcher, n int, sum *int64) bool {
	j, ok := w.(largeJob)
	if !ok || j.base().idle() {
		return true
	}
	bytes, elements := j.weight()
	if n < elements {
		bytes = bytes / int64(elements) * int64(n)
	}
	*sum += bytes
	return *sum <= leastCost || s.queue.held.Load()+*sum <= s.queue.most
}

// AwaitSaved calls f, on any goroutine, when the value that w watches has been saved. The shard is locked.
func (s *Snapshot) AwaitSaved(w types.Watcher, f func()) {
	j := w.(largeJob)
	j.base().waiting = append(j.base().waiting, f)
	s.hurry(j)
}

// nextJob returns a large value that nobody is at, or nil.
func (s *Snapshot) nextJob() largeJob {
	if s.begun.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.jobs) == 0 {
		return nil
	}
	j := s.jobs[0]
	s.jobs[0] = nil
	s.jobs = s.jobs[1:]
	s.begun.Add(-1)
	s.queue.own(j.base().lane)
	return j
}

// stepJob goes on with a worker's large value.
func (s *Snapshot) stepJob(w *worker, nowMS int64, until func() bool) (more bool) {
	j, b := w.job, w.job.base()
	if s.queue.fullFor(b.lane) && !s.failed.Load() {
		s.queue.await(s.o.Wake, b.lane)
		return false
	}
	b.shard.Lock(nowMS)
	for !b.idle() {
		j.step(len(b.out.buf) + stepBytes)
		if len(b.out.buf) >= handBytes {
			b.hand(false)
		}
		if until() {
			break
		}
	}
	done := b.idle()
	if done {
		b.hand(true)
		b.finish(j)
	}
	b.shard.Unlock()
	if done {
		w.job = nil
		s.endJob(nowMS)
	}
	return true
}

// finish ends the watching of the value.
func (b *job) finish(j largeJob) {
	b.over = true
	b.s.keys.Add(1)
	j.release()
	if !b.gone {
		b.shard.EndWatch(b.root, j, b.orphan)
	}
	b.hold(-b.held)
	for _, f := range b.waiting {
		f()
	}
	b.waiting = nil
}

func (s *Snapshot) endJob(nowMS int64) {
	s.mu.Lock()
	s.active--
	s.mu.Unlock()
	s.endIfDone(nowMS)
}
