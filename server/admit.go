package server

import (
	"strings"

	"github.com/shoaldb/shoal/command"
)

// Texts of refusals, as Redis words them.
const (
	errNoAuth      command.Error = "NOAUTH Authentication required."
	errMaxClients  command.Error = "ERR max number of clients reached"
	errUnauthHello command.Error = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	errWrongPass   command.Error = "WRONGPASS invalid username-password pair or user is disabled."
)

// runSlow is run for a client or a server in a state that needs a closer look, and for
// commands that cannot be run.
func (r *reactor) runSlow(cl *Client, q *request) {
	if r.srv.gate.Load()&gateTracking != 0 {
		r.limitTracked(cl)
	}
	if cl.flags&clientReplySkip != 0 {
		cl.flags = cl.flags&^clientReplySkip | clientSkipping
	}
	if cl.flags&clientSubscribed != 0 {
		r.events.replyAt = len(r.w.Buf)
		r.catchUp(cl, anyDelivery)
	}
	begin := len(r.w.Buf)
	r.events.replyAt = begin
	r.replying = false
	pin := r.ctx.Pin
	if cl.muted() || cl.flags&clientSubscribed != 0 {
		r.ctx.Pin = nil
	}
	switch {
	case !r.admit(cl, q):
	case cl.flags&clientMulti != 0:
		r.runQueueing(cl, q)
	default:
		r.call(cl, q)
	}
	r.ctx.Pin = pin
	r.mute(cl, begin)
	if cl.flags&clientSubscribed != 0 {
		r.events.replyAt = len(r.w.Buf)
		r.catchUp(cl, anyDelivery)
	}
	if cl.flags&clientSuspended == 0 {
		cl.flags &^= clientSkipping
	}
	if cl.flags&clientCaching != 0 {
		cl.endCaching(q)
	}
}

// mute drops the reply from begin on if cl is not to have it: only now, as CLIENT REPLY ON answers even when replies were off.
func (r *reactor) mute(cl *Client, begin int) {
	if cl.muted() && !r.replying {
		r.w.Buf = r.w.Buf[:begin]
	}
}

// muted tells whether the reply of the present command is dropped.
func (cl *Client) muted() bool { return cl.flags&(clientReplyOff|clientSkipping) != 0 }

// admit decides whether a command may run now. If not it has replied, or queued the command.
func (r *reactor) admit(cl *Client, q *request) bool {
	if q.spec == nil {
		if isHTTP(q.args[0]) {
			r.srv.log.Warningf("Possible SECURITY ATTACK detected: a client at %s sends an HTTP request (POST or Host:), as a web page would that misuses its visitor's browser to reach this server. The connection is closed.", cl.conn.RemoteAddr())
			cl.flags |= clientClosing
			cl.conn.Close(errHTTP)
			return false
		}
		r.reject(nil, unknownCommand(q))
		return false
	}
	if !q.spec.ArityOK(len(q.args)) {
		r.reject(q.spec, q.spec.ErrArity())
		return false
	}
	if cl.flags&clientNeedsAuth != 0 && q.spec.Flags&command.NoAuth == 0 {
		r.reject(q.spec, errNoAuth)
		return false
	}
	if cl.flags&clientRestricted != 0 && !r.permits(cl, q) {
		return false
	}
	if cl.flags&clientMonitor != 0 && q.spec.Flags&(command.Write|command.ReadOnly|command.MayReplicate) != 0 {
		r.reject(q.spec, errMonitorKeys)
		return false
	}
	if cl.refuses(q.spec) {
		r.reject(q.spec, errListening(q.spec))
		return false
	}
	switch gate := r.srv.gate.Load(); {
	case gate&gateMemory != 0 && r.lacksMemory(cl, q):
		r.reject(q.spec, command.ErrOutOfMemory)
		return false
	case gate&(gateMisconf|gateAOFError) != 0 && misconf(cl, q):
		r.reject(q.spec, r.srv.misconfError(gate))
		return false
	case gate&gateAOFBehind != 0 && r.awaitAOF(cl, q):
		return false
	case gate&gateLoading != 0 && q.spec.Flags&command.Loading == 0:
		r.reject(q.spec, errLoading)
		return false
	}
	if r.srv.gate.Load()&gateBusy != 0 && r.busyFor(q) {
		r.reject(q.spec, r.srv.running.busy())
		return false
	}
	if r.srv.pause.holds(cl, q, r.nowMS) {
		cl.queueFirst(q)
		r.hold(cl)
		return false
	}
	return true
}

// isHTTP tells whether a command is a line of an HTTP request, which a browser may have been tricked into sending.
func isHTTP(name []byte) bool {
	return command.EqualFold(name, "POST") || command.EqualFold(name, "HOST:")
}

// reject replies to a command that did not run.
func (r *reactor) reject(spec *command.Spec, e command.Error) {
	e = r.ctx.Client.(*Client).refusal(spec, e)
	begin := len(r.w.Buf)
	r.w.Error(string(e))
	r.srv.errorStats.count(r.w.Buf[begin:])
	if spec != nil {
		r.calls[spec.Index()].rejected++
	}
}

// unknownCommand words the reply to a command that does not exist.
func unknownCommand(q *request) command.Error {
	if q.unknown != nil {
		return command.Error("ERR unknown subcommand '" + clip(q.args[1]) + "'. Try " + q.unknown.Name + " HELP.")
	}
	var b strings.Builder
	b.WriteString("ERR unknown command '" + clip(q.args[0]) + "', with args beginning with: ")
	shown := 0
	for _, a := range q.args[1:] {
		if shown >= 128 {
			break
		}
		text := clip(a[:min(len(a), 128-shown)])
		shown += len(text) + 3
		b.WriteString("'" + text + "' ")
	}
	return command.Error(b.String())
}

// clip returns at most 128 bytes of an argument, as error replies show it: up to a zero byte.
func clip(b []byte) string {
	text, _, _ := strings.Cut(string(b[:min(len(b), 128)]), "\x00")
	return text
}
