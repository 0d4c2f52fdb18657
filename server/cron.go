package server

import (
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
)

// cron is the state of a reactor's periodic work.
type cron struct {
	freeing    int // the shard where the next search for deleted values begins
	firstShard int // where the next search for due keys begins
	nextMS     int64
	next       int   // of the reactor's list of clients
	trimMS     int64 // when arenas are trimmed next
	resting    resting
	trackedMS  int64 // when messages that were left are looked for next
}

// cronMS is how often runCron does something, in ms.
const cronMS = 100

// runCron looks after the reactor's clients and counters.
func (r *reactor) runCron() {
	if r.nowMS < r.cron.nextMS {
		return
	}
	r.cron.nextMS = r.nowMS + cronMS
	if len(r.paused) > 0 {
		r.resumePaused()
	}
	if r.net.ID() == 0 {
		r.srv.sample(r.nowMS)
		r.srv.collector.pace(r.srv.scripts.Used())
		r.aofCron()
		r.saveCron()
		if r.srv.gate.Load()&gatePaused != 0 && !r.srv.pause.active(r.nowMS) {
			r.srv.gate.And(^uint32(gatePaused))
			if r.srv.pause.active(r.nowMS) { // another reactor has begun one meanwhile
				r.srv.gate.Or(gatePaused)
			}
		}
	}
	r.checkClients()
}

// checkClients looks at a part of the clients, such that each is seen once a second.
func (r *reactor) checkClients() {
	v := r.srv.cfg.Load()
	for n := len(r.list)*cronMS/1000 + 5; n > 0 && len(r.list) > 0; n-- {
		if r.cron.next >= len(r.list) {
			r.cron.next = 0
		}
		cl := r.list[r.cron.next]
		r.cron.next++
		r.weigh(cl)
		idleMS := r.nowMS - cl.conn.LastActive/1000
		if v.TimeoutSec > 0 && idleMS > int64(v.TimeoutSec)*1000 && cl.flags&(clientSuspended|clientSubscribed|clientMonitor) == 0 {
			r.srv.log.Verbosef("Closing idle client")
			cl.conn.Close(errIdle)
			continue
		}
		r.checkOutput(cl)
	}
}

// class returns which limits of its output hold for cl.
func (cl *Client) class() config.ClientClass {
	if cl.flags&clientSubscribed != 0 {
		return config.ClientPubSub
	}
	return config.ClientNormal
}

// checkOutput closes a client that leaves too many replies unread (client-output-buffer-limit).
func (r *reactor) checkOutput(cl *Client) {
	pending := int64(cl.conn.OutPending() + len(cl.pushes))
	if pending == 0 || cl.conn.IsClosed() {
		cl.softLimitMS = 0
		r.mindMemory(cl)
		return
	}
	l := r.outputLimits(cl)
	soft := l.SoftBytes > 0 && pending >= l.SoftBytes
	switch {
	case !soft:
		cl.softLimitMS = 0
	case cl.softLimitMS == 0:
		cl.softLimitMS = r.nowMS
		soft = false
	default:
		soft = r.nowMS-cl.softLimitMS > int64(l.SoftSec)*1000
	}
	if soft || l.HardBytes > 0 && pending >= l.HardBytes {
		r.dropOutput(cl)
		return
	}
	r.mindMemory(cl)
}

// dropOutput closes a client that does not read what it is sent.
func (r *reactor) dropOutput(cl *Client) {
	r.srv.outputDrops.Add(1)
	r.srv.log.Warningf("Client %s scheduled to be closed ASAP for overcoming of output buffer limits.", cl.describe(r.nowMS))
	cl.flags |= clientClosing
	cl.conn.Close(errOutputBuffer)
	r.unweigh(cl)
}

// protocolError answers a client that does not speak the protocol, and closes it.
func (r *reactor) protocolError(cl *Client, err error) {
	r.srv.log.Verbosef("Protocol error (%v) from client: %s. Query buffer: %q", err, cl.describe(r.nowMS), clip(cl.parser.Pending()))
	if err == resp.ErrTLS {
		r.srv.log.Warningf("A client at %s begins a TLS handshake on a port that speaks plain text: tls-port sets another one. The connection is closed.", cl.conn.RemoteAddr())
		r.w.Buf = append(r.w.Buf, noTLSAlert...)
	} else {
		r.w.Error("ERR " + err.Error())
	}
	cl.close()
}

// noTLSAlert is what a TLS client understands: a record with a fatal alert, protocol_version (RFC 8446, section 6).
var noTLSAlert = []byte{21, 3, 1, 0, 2, 2, 70}

// close closes cl once its replies are sent.
func (cl *Client) close() {
	cl.flags |= clientClosing
	cl.conn.CloseAfterReply()
}
