package server

import (
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
)

// gatePaused is the bit of Server.gate that is set while CLIENT PAUSE is in force.
const gatePaused = 1

// pause is the state of CLIENT PAUSE. While one is in force no keys expire, though nobody finds them when their time
// has come, and none are evicted.
type pause struct {
	untilMS atomic.Int64
	all     atomic.Bool // reads wait, too
}

// active tells whether a pause is in force.
func (p *pause) active(nowMS int64) bool { return nowMS < p.untilMS.Load() }

// holds tells whether q, a command of cl, has to wait.
func (p *pause) holds(cl *Client, q *request, nowMS int64) bool {
	if !p.active(nowMS) {
		return false
	}
	if p.all.Load() {
		return true
	}
	flags := cl.reactor.flagsOf(q)
	if cl.multi != nil && q.spec == cl.reactor.srv.execSpec {
		flags |= cl.multi.flags
	}
	return flags&(command.Write|command.MayReplicate) != 0
}

// begin pauses clients until untilMS. A pause that is in force gets neither shorter nor less strict.
func (s *Server) beginPause(untilMS, nowMS int64, all bool) {
	p := &s.pause
	if p.active(nowMS) {
		all = all || p.all.Load()
		untilMS = max(untilMS, p.untilMS.Load())
	}
	p.all.Store(all)
	p.untilMS.Store(untilMS)
	s.ks.HoldExpired(untilMS)
	s.gate.Or(gatePaused)
}

// endPause lets all clients go on.
func (s *Server) endPause() {
	s.pause.untilMS.Store(0)
	s.ks.HoldExpired(0)
	s.gate.And(^uint32(gatePaused))
	for _, r := range s.reactors {
		r.net.Post(r.resumePaused)
	}
}

// resumePaused resumes the clients that CLIENT PAUSE held, if it is over.
func (r *reactor) resumePaused() {
	r.beginTurn()
	if r.srv.pause.active(r.nowMS) {
		return
	}
	paused := r.paused
	r.paused = nil
	for _, cl := range paused {
		if cl.flags&clientPaused != 0 && r.clients[cl.id] == cl {
			r.stats.blocked.Add(-1)
			r.resume(cl)
		}
	}
}

// hold makes cl wait for the end of the pause.
func (r *reactor) hold(cl *Client) {
	cl.suspend(clientPaused)
	r.stats.blocked.Add(1)
	r.paused = append(r.paused, cl)
}
