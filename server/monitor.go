package server

import (
	"slices"
	"strconv"
	"sync"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/shard"
)

// MONITOR shows a client all commands that run. Each reactor writes down what it runs while it still holds the locks that the command needs, and hands it
// to the reactors that have monitors before it gives them back, under one lock: so the lines of a key come in the order of its commands, and those of
// a transaction or a script in a row. While nobody watches this costs nothing: Server.watch says so, once for each batch.

// monitors is who watches.
type monitors struct {
	mu    sync.Mutex
	feeds []*feed // of the reactors that have any
}

// feed is what a reactor has to tell its monitors.
type feed struct {
	home    *reactor
	deliver func() // reactor.deliverFeed, for Post

	clients []*Client // home's
	spare   []byte    // home's

	// Under monitors.mu.
	buf    []byte
	posted bool
	lost   bool // buf has been too long
}

// maxFeed is how much may wait for a reactor to hand it out, bytes.
const maxFeed = 256 << 20

const (
	errMonitorHere command.Error = "ERR MONITOR isn't allowed for DENY BLOCKING client"
	errMonitorKeys command.Error = "ERR Replica can't interact with the keyspace"
)

var monitorCommands = []command.Spec{
	{Name: "MONITOR", Arity: 1, Flags: command.Admin | command.NoScript | command.Loading | command.Stale | command.Barrier, Group: groupServer,
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
	r.deliverFeed() // what came before is not for cl
	m.mu.Lock()
	f.buf = f.buf[:0]
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
	}
}

// deliverFeed gives the reactor's monitors what has been written for them.
func (r *reactor) deliverFeed() {
	r.beginTurn()
	m, f := &r.srv.monitors, &r.feed
	m.mu.Lock()
	lines, lost := f.buf, f.lost
	f.buf, f.spare, f.posted, f.lost = f.spare[:0], nil, false, false
	m.mu.Unlock()
	for _, cl := range slices.Clone(f.clients) {
		switch {
		case lost:
			r.dropOutput(cl)
		case len(lines) > 0:
			r.pushRaw(cl, lines)
		}
	}
	if cap(lines) <= keptFeed {
		f.spare = lines
	}
}

// keptFeed is how large a buffer of lines may be that is kept for the next ones.
const keptFeed = 1 << 20

// show writes a line about a command of cl, in the log that publishFeed hands out. inScript tells that a script has called it.
func (r *reactor) show(cl *Client, q *request, inScript bool) {
	if r.srv.gate.Load()&gateLoading != 0 {
		return
	}
	b := append(r.told, '+')
	us := r.net.Now() + (r.lastRun-r.begun)/1000
	b = strconv.AppendInt(b, us/1e6, 10)
	b = append(b, '.')
	for unit := int64(100_000); unit > 0; unit /= 10 {
		b = append(b, '0'+byte(us/unit%10))
	}
	b = append(b, " ["...)
	b = strconv.AppendInt(b, int64(cl.db), 10)
	switch {
	case inScript:
		b = append(b, " lua]"...)
	case cl.conn.IsUnix():
		b = append(b, " unix:"...)
		b = append(b, r.srv.cfg.Load().UnixSocket...)
		b = append(b, ']')
	default:
		b = append(b, ' ')
		b = append(b, cl.conn.RemoteAddr()...)
		b = append(b, ']')
	}
	for _, a := range redact(q.spec, q.args) {
		b = append(b, ' ')
		b = resp.AppendQuoted(b, a)
	}
	r.told = append(b, "\r\n"...)
}

// shownBefore tells whether a command is shown before it runs: a script, so that it stands before what it calls, and a command with an argument whose
// memory the data may take over. The others are shown when they have run.
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
	return spec.Flags&command.Admin == 0 && (spec.Flags&command.SkipMonitor == 0 || spec.Group == groupScripting)
}

// tellBefore and tellAfter show a command if monitors watch, before or after it has run.
func (r *reactor) tellBefore(cl *Client, q *request, inScript bool) {
	if r.watching&watchMonitors != 0 && isShown(q.spec) && shownBefore(q) {
		r.show(cl, q, inScript)
	}
}

func (r *reactor) tellAfter(cl *Client, q *request, inScript bool) {
	if r.watching&watchMonitors != 0 && isShown(q.spec) && !shownBefore(q) {
		r.show(cl, q, inScript)
	}
}

// tellLengthened shows a command that will go on later, unless it comes again then. EXEC follows what it runs.
func (r *reactor) tellLengthened(cl *Client, q *request) {
	if r.watching == 0 || r.long.again || q.spec == r.srv.execSpec {
		return
	}
	r.tellAfter(cl, q, false)
	r.publishFeed()
}

// publishFeed hands out what has been told. The locks of what it is about are held.
func (r *reactor) publishFeed() {
	if len(r.told) == 0 {
		return
	}
	m := &r.srv.monitors
	m.mu.Lock()
	for _, f := range m.feeds {
		if len(f.buf)+len(r.told) > maxFeed {
			f.buf, f.lost = nil, true
		}
		if !f.lost {
			f.buf = append(f.buf, r.told...)
		}
		if !f.posted {
			f.posted = true
			f.home.net.Post(f.deliver)
		}
	}
	m.mu.Unlock()
	r.told = r.told[:0]
	if cap(r.told) > keptFeed {
		r.told = nil
	}
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

// outputLimits returns which limits hold for cl's output. Monitors are normal clients, whose output has no limit by default: then they have that of
// replicas, as what a monitor gets does not depend on what it sends.
func (r *reactor) outputLimits(cl *Client) config.OutputLimit {
	all := &r.srv.cfg.Load().OutputLimits
	l := all[cl.class()]
	if cl.flags&clientMonitor != 0 && l.HardBytes == 0 && l.SoftBytes == 0 {
		return all[config.ClientReplica]
	}
	return l
}
