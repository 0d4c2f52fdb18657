package server

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// What a reactor tells monitors are lines, in groups that stay together: a command, or all of a transaction or a
// script. A group gets a number while the locks of what it is about are held. Numbers are Lamport's clocks
// (Communications of the ACM 21, 7, 1978): reactors and shards have one each, and whoever has locked a shard moves both
// to one more than the later of them. So numbers are in the order of the commands of each reactor and on each key, and
// there is nothing that all reactors write to. The lines themselves are handed over at the end of the turn; who
// collects them takes those below the lowest number that any reactor may still give to what it has not handed over. A
// reactor that has nothing in its hands begins with the latest number known to all.

// teller is what a reactor tells.
type teller struct {
	told         // not handed over yet
	open  bool   // further lines belong to the last group, which has neither end nor number
	clock uint64 // of the latest group

	// pending is 0, or a number such that what has not been handed over has none below it.
	pending atomic.Uint64

	since int64 // nanotime since when something waits that could have been handed over; 0: nothing
	head  lineHead

	mu     sync.Mutex
	shared told
	lost   bool // there was too much

	// Under monitors.mu.
	taken told
	next  int // the first group of taken that nobody has got
	from  int // where its lines begin
}

// told are lines in groups.
type told struct {
	lines  []byte
	groups []toldGroup
}

type toldGroup struct {
	number uint64
	end    int // of its lines
}

// reset empties t. It keeps memory that is not too much.
func (t *told) reset() {
	if cap(t.lines) > keptFeed {
		*t = told{}
	}
	t.lines, t.groups = t.lines[:0], t.groups[:0]
}

// add appends what other has.
func (t *told) add(other *told) {
	n := len(t.lines)
	t.lines = append(t.lines, other.lines...)
	for _, g := range other.groups {
		t.groups = append(t.groups, toldGroup{g.number, n + g.end})
	}
}

// forget takes away the first groups, whose lines end at end.
func (t *told) forget(groups, end int) {
	t.lines = append(t.lines[:0], t.lines[end:]...)
	t.groups = append(t.groups[:0], t.groups[groups:]...)
	for i := range t.groups {
		t.groups[i].end -= end
	}
}

// lineHead is the beginning of lines, up to the first argument's end, for as long as client, time, database and command
// are the same.
type lineHead struct {
	client uint64
	nanos  int64
	db     int
	name   []byte // of the command
	text   []byte
	before int // bytes of text that come before the name

	sec     int64 // unix time
	secText []byte
}

// beginTold begins a group, unless one is open.
func (r *reactor) beginTold() {
	t := &r.teller
	if t.open {
		return
	}
	t.open = true
	if len(r.srv.reactors) == 1 || t.pending.Load() != 0 {
		return
	}
	t.pending.Store(1) // so that whoever reads last before this waits
	t.clock = max(t.clock, r.srv.monitors.last.Load())
	t.pending.Store(r.toldNumber(t.clock + 1))
}

// toldNumber makes a time unique among the reactors.
func (r *reactor) toldNumber(clock uint64) uint64 {
	return clock*uint64(len(r.srv.reactors)) + uint64(r.index)
}

// endTold ends the open group, if there is one: it gets its number. The locks of what it is about are held. A single
// reactor needs no numbers: nothing can come in between its lines.
func (r *reactor) endTold() {
	t := &r.teller
	if !t.open {
		return
	}
	t.open = false
	if len(r.srv.reactors) > 1 {
		t.groups = append(t.groups, toldGroup{r.toldNumber(r.tickTold()), len(t.lines)})
	}
}

// tickTold moves the reactor's clock, and those of the shards whose locks are held, to one more than the latest of them.
func (r *reactor) tickTold() uint64 {
	now := r.teller.clock
	switch {
	case r.alone:
		for i := range r.srv.ks.Shards() {
			now = max(now, r.srv.ks.Shard(i).Order)
		}
		now++
		for i := range r.srv.ks.Shards() {
			r.srv.ks.Shard(i).Order = now
		}
	case r.many.used > 0:
		r.many.each(r.srv.ks, func(s *shard.Shard) { now = max(now, s.Order) })
		now++
		r.many.each(r.srv.ks, func(s *shard.Shard) { s.Order = now })
	case r.held != nil:
		now = max(now, r.held.Order) + 1
		r.held.Order = now
	default:
		now++
	}
	r.teller.clock = now
	return now
}

// begun tells whether anything has been told, or could have been, that was not handed over yet.
func (t *teller) begun() bool { return len(t.lines) > 0 || t.pending.Load() != 0 }

const (
	// publishFrom is how many bytes of lines are handed over before the turn ends. A single reactor sends them to the
	// monitors at once, while they are in the cache.
	publishFrom    = 256 << 10
	publishOwnFrom = 128 << 10
	// keepFrom is how many bytes of lines may wait for those of the next turn, so that fewer and larger pieces are
	// sent, and for how long, ns.
	keepFrom   = 512
	keepAtMost = int64(time.Millisecond)
)

// toldMuch tells whether it is time to hand over what has been told.
func (r *reactor) toldMuch() bool {
	n := len(r.teller.lines)
	return n >= publishOwnFrom && (n >= publishFrom || len(r.srv.reactors) == 1)
}

// keepsTold tells at the end of a turn whether what has been told waits for the next one. A turn without commands ends
// the waiting: it comes at once if there is nothing to do.
func (r *reactor) keepsTold() bool {
	t := &r.teller
	if r.flow.commands == 0 || len(t.lines) < keepFrom || t.since != 0 && r.begun-t.since >= keepAtMost {
		return false
	}
	if t.since == 0 {
		t.since = r.begun
	}
	r.net.NextTurn(func() {})
	return true
}

// toldSoFar is for forgetTold.
func (r *reactor) toldSoFar() int { return len(r.teller.lines) }

// forgetTold takes back the lines told since toldSoFar was n; they are part of the open group or are whole groups.
func (r *reactor) forgetTold(n int) {
	t := &r.teller
	if n >= len(t.lines) {
		return
	}
	t.lines = t.lines[:n]
	for len(t.groups) > 0 && t.groups[len(t.groups)-1].end > n {
		t.groups = t.groups[:len(t.groups)-1]
	}
	if len(t.groups) == 0 && n == 0 || len(t.groups) > 0 && t.groups[len(t.groups)-1].end == n {
		t.open = false
	}
}

// publishTold hands over what has been told: to the monitors, if there is one reactor.
func (r *reactor) publishTold() {
	t := &r.teller
	r.endTold()
	t.since = 0
	switch {
	case len(r.srv.reactors) == 1:
		r.sendLines(t.lines, false)
	case t.pending.Load() == 0:
		return
	default:
		r.handOverTold()
	}
	t.told.reset()
}

// handOverTold hands over what has been told, and has it collected: even if that is nothing, others may have waited for it.
func (r *reactor) handOverTold() {
	t := &r.teller
	r.srv.monitors.noteClock(t.clock)
	t.mu.Lock()
	switch {
	case len(t.shared.lines)+len(t.lines) > maxFeed:
		t.shared, t.lost = told{}, true
	case len(t.shared.groups) == 0:
		t.told, t.shared = t.shared, t.told
	default:
		t.shared.add(&t.told)
	}
	t.pending.Store(0)
	t.mu.Unlock()
	if len(r.feed.clients) > 0 {
		r.deliverFeed()
	} else {
		r.srv.askForFeed()
	}
}

// drop forgets what has been handed over. monitors.mu is held.
func (t *teller) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shared, t.lost = told{}, false
	t.taken, t.next, t.from = told{}, 0, 0
}

// take gets hold of what has been handed over. It reports whether something was lost: there is no more of taken than
// maxFeed. monitors.mu is held.
func (t *teller) take() (lost bool) {
	t.trim()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case len(t.taken.lines)+len(t.shared.lines) > maxFeed:
		t.taken, t.shared, t.lost = told{}, told{}, true
		t.next, t.from = 0, 0
	case len(t.taken.groups) == 0:
		t.taken, t.shared = t.shared, t.taken
	default:
		t.taken.add(&t.shared)
		t.shared.reset()
	}
	lost = t.lost
	t.lost = false
	return lost
}

// trim forgets the groups that have been got. The others are moved only if they are fewer bytes, so no byte is moved
// more than once for each one that was got.
func (t *teller) trim() {
	switch {
	case t.next == len(t.taken.groups):
		t.taken.reset()
	case t.from > len(t.taken.lines)/2:
		t.taken.forget(t.next, t.from)
	default:
		return
	}
	t.next, t.from = 0, 0
}

// nextNumber is that of the next group that nobody has got, limit if it is not below that.
func (t *teller) nextNumber(limit uint64) uint64 {
	if t.next < len(t.taken.groups) {
		return min(t.taken.groups[t.next].number, limit)
	}
	return limit
}

// appendBelow appends the lines of the next groups whose numbers are below limit.
func (t *teller) appendBelow(dst []byte, limit uint64) []byte {
	from := t.from
	for t.next < len(t.taken.groups) && t.taken.groups[t.next].number < limit {
		t.from = t.taken.groups[t.next].end
		t.next++
	}
	return append(dst, t.taken.lines[from:t.from]...)
}

// mergeTold appends what all reactors have told, in its order, as far as it is certain that nothing comes in between:
// that is, below next, and what reactors have in their hands. monitors.mu is held. It reports whether something was
// lost.
func mergeTold(dst []byte, reactors []*reactor, next uint64) (_ []byte, lost bool) {
	limit := next
	for _, r := range reactors { // all of them before anything is taken
		if p := r.teller.pending.Load(); p != 0 {
			limit = min(limit, p)
		}
	}
	for _, r := range reactors {
		lost = r.teller.take() || lost
	}
	for {
		first, second := (*teller)(nil), limit
		for _, r := range reactors {
			switch n := r.teller.nextNumber(limit); {
			case n == limit:
			case first == nil:
				first = &r.teller
			case n < first.nextNumber(limit):
				first, second = &r.teller, first.nextNumber(limit)
			default:
				second = min(second, n)
			}
		}
		if first == nil {
			return dst, lost
		}
		dst = first.appendBelow(dst, second)
	}
}

// tellOf writes a line about a command of cl, in the open group. inScript tells that a script has called it.
func (r *reactor) tellOf(cl *Client, q *request, inScript bool) {
	if r.srv.gate.Load()&gateLoading != 0 {
		return
	}
	r.beginTold()
	t := &r.teller
	args := redact(q.spec, q.args)
	if inScript {
		t.lines = append(strconv.AppendInt(append(r.appendLineTime(t.lines), " ["...), int64(cl.db), 10), " lua]"...)
		t.addArgs(args)
	} else {
		r.addLine(cl, args)
	}
}

// tellPlain tells of a plain command that is about to run, unless more than that is to be done: then it reports false.
// Plain commands have no secrets.
func (r *reactor) tellPlain(cl *Client, q *request) bool {
	if r.watching != watchMonitors || r.srv.gate.Load()|r.srv.duties.Load() != 0 {
		return false
	}
	r.long.told = r.toldSoFar()
	if len(r.srv.reactors) == 1 {
		r.addLine(cl, q.args)
		return true
	}
	r.beginTold()
	r.addLine(cl, q.args)
	r.endTold()
	return true
}

// addLine adds a line about a command of cl.
func (r *reactor) addLine(cl *Client, args [][]byte) {
	t := &r.teller
	if h := &t.head; h.client != cl.id || h.nanos != r.lastRun || h.db != cl.db {
		r.renewHead(cl)
		h.rename(args[0])
	} else if string(h.name) != string(args[0]) {
		h.rename(args[0])
	}
	t.lines = append(t.lines, t.head.text...)
	t.addArgs(args[1:])
}

// addArgs ends a line with arguments, each behind a blank and in quotes.
func (t *teller) addArgs(args [][]byte) {
	dst := t.lines
	for _, a := range args {
		at, n := len(dst), len(a)+len(` ""`)
		if cap(dst)-at < n+len("\r\n") {
			dst = slices.Grow(dst, n+len("\r\n"))
		}
		part := dst[at : at+n]
		part[0], part[1], part[n-1] = ' ', '"', '"'
		if resp.CopyPlain(part[2:], a) {
			dst = dst[:at+n]
		} else {
			dst = resp.AppendQuoted(append(dst, ' '), a)
		}
	}
	t.lines = append(dst, "\r\n"...)
}

// rename ends the head with another command's name.
func (h *lineHead) rename(name []byte) {
	h.name = append(h.name[:0], name...)
	h.text = resp.AppendQuoted(append(h.text[:h.before], ' '), name)
}

// renewHead makes what comes before the names of cl's commands.
func (r *reactor) renewHead(cl *Client) {
	h := &r.teller.head
	h.client, h.nanos, h.db = cl.id, r.lastRun, cl.db
	b := append(r.appendLineTime(h.text[:0]), " ["...)
	b = append(strconv.AppendInt(b, int64(cl.db), 10), ' ')
	if cl.conn.IsUnix() {
		b = append(append(b, "unix:"...), r.srv.cfg.Load().UnixSocket...)
	} else {
		b = append(b, cl.conn.RemoteAddr()...)
	}
	h.text = append(b, ']')
	h.before = len(h.text)
}

// appendLineTime appends a line's first character and the time: seconds with six decimals.
func (r *reactor) appendLineTime(dst []byte) []byte {
	us := r.net.Now() + (r.lastRun-r.begun)/1000
	h := &r.teller.head
	if sec := us / 1e6; sec != h.sec {
		h.sec = sec
		h.secText = strconv.AppendInt(append(h.secText[:0], '+'), sec, 10)
	}
	dst = append(dst, h.secText...)
	high, low := us%1e6/1000, us%1000
	return append(dst, '.', digit(high/100), digit(high/10%10), digit(high%10), digit(low/100), digit(low/10%10), digit(low%10))
}

func digit(n int64) byte { return '0' + byte(n) }
