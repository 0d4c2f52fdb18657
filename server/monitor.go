package server

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/shard"
)

// MONITOR shows a client all commands that run. Each reactor writes lines about what it runs (tell.go), and hands them
// over at the end of its turn; while there is more to do it waits for up to a millisecond, so that it hands over more
// at once. A reactor that has monitors puts the lines of all in their order, and each that has any sends them, in
// pieces that are still in the processor's cache. While nobody watches this costs nothing: Server.watch says so, once
// for each batch.

// monitors is who watches.
type monitors struct {
	last   atomic.Uint64 // the latest time of a reactor's clock that is known to all
	wanted atomic.Bool   // a reactor has been asked to collect

	mu    sync.Mutex
	feeds []*feed // of the reactors that have any
}

// feed is what a reactor has to send its monitors.
type feed struct {
	home    *reactor
	deliver func() // reactor.deliverFeed, for Post

	clients []*Client // home's
	spare   []byte    // home's

	// Under monitors.mu.
	buf    []byte
	posted bool
	lost   bool // something could not be kept
}

const (
	// maxFeed is how much may wait for a reactor to hand it over or to send it, bytes.
	maxFeed = 256 << 20
	// keptFeed is how large a buffer of lines may be that is kept for the next ones.
	keptFeed = 4 << 20
	// pieceFeed is how much is put into a monitor's output at a time, bytes: so that it fits the largest of the kept buffers.
	pieceFeed = 64 << 10
	// sendNowFrom is from how many bytes on lines are sent before the turn ends, if the kernel takes them.
	sendNowFrom = 16 << 10
)

const (
	errMonitorHere command.Error = "ERR MONITOR isn't allowed for DENY BLOCKING client"
	errMonitorKeys command.Error = "ERR Replica can't interact with the keyspace"
)

var monitorCommands = []command.Spec{
	{Name: "MONITOR", Arity: 1, Flags: command.Admin | command.NoScript | command.Loading | command.Stale | command.Barrier, Group: command.GroupServer,
		Since: "1.0.0", Summary: "Shows all commands that clients send, as they run.", Run: monitor},
}

func monitor(c *command.Ctx) {
	cl := client(c)
	r := cl.reactor
	switch {
	case r.inner.depth > 0 || r.alone:
		c.Error(errMonitorHere)
		return
	case cl.flags&clientMonitor != 0:
		return
	}
	cl.flags |= clientMonitor
	c.Reply.OK()
	m, f := &r.srv.monitors, &r.feed
	r.publishTold()
	r.deliverFeed() // what came before is not for cl
	m.mu.Lock()
	f.buf = f.buf[:0]
	if len(m.feeds) == 0 {
		r.srv.dropTold() // what was handed over after the last monitor had gone
	}
	if len(f.clients) == 0 {
		m.feeds = append(m.feeds, f)
		r.srv.watch.Or(watchMonitors)
	}
	m.mu.Unlock()
	f.clients = append(f.clients, cl)
}

// endMonitor ends cl's watching, if it does.
func (r *reactor) endMonitor(cl *Client) {
	if cl.flags&clientMonitor == 0 {
		return
	}
	cl.flags &^= clientMonitor
	m, f := &r.srv.monitors, &r.feed
	f.clients = slices.DeleteFunc(f.clients, func(x *Client) bool { return x == cl })
	if len(f.clients) > 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.feeds = slices.DeleteFunc(m.feeds, func(x *feed) bool { return x == f })
	f.buf, f.lost = nil, false
	if len(m.feeds) == 0 {
		r.srv.watch.And(^uint32(watchMonitors))
		r.srv.dropTold()
	}
}

// dropTold forgets what all reactors have handed over. monitors.mu is held.
func (s *Server) dropTold() {
	for _, r := range s.reactors {
		r.teller.drop()
	}
}

// noteClock makes a time known to all reactors.
func (m *monitors) noteClock(clock uint64) {
	for last := m.last.Load(); last < clock && !m.last.CompareAndSwap(last, clock); last = m.last.Load() {
	}
}

// askForFeed lets what has been published be collected and sent.
func (s *Server) askForFeed() {
	m := &s.monitors
	if m.wanted.Load() || !m.wanted.CompareAndSwap(false, true) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.feeds) == 0 {
		m.wanted.Store(false)
		return
	}
	m.feeds[0].home.net.Post(m.feeds[0].deliver)
}

// deliverFeed collects what all reactors have told and sends the reactor's monitors what is for them.
func (r *reactor) deliverFeed() {
	r.beginTurn()
	m, f := &r.srv.monitors, &r.feed
	m.mu.Lock()
	r.srv.collectTold()
	lines, lost := f.buf, f.lost
	f.buf, f.spare, f.posted, f.lost = f.spare[:0], nil, false, false
	m.mu.Unlock()
	r.sendLines(lines, lost)
	if cap(lines) <= keptFeed {
		f.spare = lines
	}
}

// sendLines sends the reactor's monitors lines. If some were lost, they are closed instead.
func (r *reactor) sendLines(lines []byte, lost bool) {
	for _, cl := range r.feed.clients {
		switch {
		case cl.flags&clientClosing != 0:
		case lost:
			r.dropOutput(cl)
		default:
			r.sendLinesTo(cl, lines)
		}
	}
}

func (r *reactor) sendLinesTo(cl *Client, lines []byte) {
	if len(lines) >= sendNowFrom && !r.answering(cl) {
		if n := cl.conn.SendNow(lines); n > 0 {
			r.flow.netOut += int64(n)
			r.flow.writes++
			lines = lines[n:]
		}
	}
	for rest := lines; len(rest) > 0; {
		n := min(len(rest), pieceFeed)
		r.pushRaw(cl, rest[:n])
		rest = rest[n:]
	}
}

// collectTold appends the lines whose place among all is certain to what each feed has to send. monitors.mu is held.
func (s *Server) collectTold() {
	m := &s.monitors
	m.wanted.Store(false)
	if len(m.feeds) == 0 {
		return
	}
	first := m.feeds[0]
	before := len(first.buf)
	var lost bool
	if first.buf, lost = mergeTold(first.buf, s.reactors, (m.last.Load()+1)*uint64(len(s.reactors))); lost {
		first.lost = true
	}
	for i, f := range m.feeds {
		if i > 0 {
			f.buf, f.lost = append(f.buf, first.buf[before:]...), f.lost || lost
		}
		if len(f.buf) > maxFeed {
			f.buf, f.lost = nil, true
		}
		if !f.posted && (f.lost || len(f.buf) > 0) {
			f.posted = true
			f.home.net.Post(f.deliver)
		}
	}
}

// shownBefore tells whether a command is shown before it runs: a script, so that it stands before what it calls, and a
// command with an argument whose memory the data may take over. The others are shown when they have run.
func shownBefore(q *request) bool {
	if q.spec.Flags&command.SkipMonitor != 0 {
		return true
	}
	for _, a := range q.args {
		if len(a) >= shard.LargeMin {
			return true
		}
	}
	return false
}

// isShown tells whether monitors see a command: not those that administrate the server, which may hold secrets.
func isShown(spec *command.Spec) bool {
	return spec.Flags&command.Admin == 0 && (spec.Flags&command.SkipMonitor == 0 || spec.Group == command.GroupScripting)
}

// tellBefore and tellAfter show a command if monitors watch, before or after it has run.
func (r *reactor) tellBefore(cl *Client, q *request, inScript bool) {
	if r.watching&watchMonitors != 0 && isShown(q.spec) && shownBefore(q) {
		r.tellOf(cl, q, inScript)
	}
}

func (r *reactor) tellAfter(cl *Client, q *request, inScript bool) {
	if r.watching&watchMonitors != 0 && isShown(q.spec) && !shownBefore(q) {
		r.tellOf(cl, q, inScript)
	}
}

// tellLengthened shows a command that will go on later, unless it comes again then. EXEC follows what it runs.
func (r *reactor) tellLengthened(cl *Client, q *request) {
	if r.watching == 0 || r.long.again || q.spec == r.srv.execSpec {
		return
	}
	r.tellAfter(cl, q, false)
	r.endTold()
}

// pushRaw sends cl bytes that are no reply.
func (r *reactor) pushRaw(cl *Client, b []byte) {
	switch {
	case cl.flags&clientClosing != 0:
		return
	case r.answering(cl):
		cl.pushes = append(cl.pushes, b...)
	default:
		cl.conn.SetOut(append(cl.conn.Out(), b...))
		r.flow.netOut += int64(len(b))
		r.flow.writes++
	}
	r.checkOutput(cl)
}

// outputLimits returns which limits hold for cl's output. Monitors are normal clients, whose output has no limit by
// default: then they have that of replicas, as what a monitor gets does not depend on what it sends.
func (r *reactor) outputLimits(cl *Client) config.OutputLimit {
	all := &r.srv.cfg.Load().OutputLimits
	l := all[cl.class()]
	if cl.flags&clientMonitor != 0 && l.HardBytes == 0 && l.SoftBytes == 0 {
		return all[config.ClientReplica]
	}
	return l
}
