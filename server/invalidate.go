package server

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/tracking"
	"github.com/shoaldb/shoal/shard"
)

// Messages to tracked clients lie in the shards (trackedShard.pending) until the command that caused them is done: then
// its reactor takes over what lies in the shards it has locked (collect), and sends it when the locks are free. A
// client's own messages follow its reply. Those for others go by way of their reactors, which know in what mode the
// clients are by now. What is broadcast is gathered until the end of the turn.

// invalidations is what a reactor has to send.
type invalidations struct {
	some bool
	to   [][]invalidation                        // by reactors
	keys map[*tracking.Prefix]map[string]*Client // to be broadcast at the end of the turn, and who modified the key last, or nil
}

// collect takes over what is to be told because of a command of cl, or of none. The shards are locked: those in many,
// or the one that is held.
func (r *reactor) collect(cl *Client, many *lockSet) {
	if many == nil {
		if r.held != nil {
			r.collectShard(r.held.Index(), cl)
		}
		return
	}
	var all []invalidation
	many.each(r.srv.ks, func(s *shard.Shard) {
		t := &r.srv.trackers.shards[s.Index()]
		all = append(all, t.pending...)
		t.clear()
	})
	slices.SortFunc(all, func(a, b invalidation) int { return cmp.Compare(a.seq, b.seq) })
	for i := range all {
		r.route(&all[i], cl)
	}
}

// collectAlone is collect for what happens in a locked shard outside of any command.
func (r *reactor) collectAlone(s *shard.Shard) {
	if r.srv.trackers.inUse.Load() {
		r.collectShard(s.Index(), nil)
	}
}

func (r *reactor) collectShard(at int, cl *Client) {
	s := &r.srv.trackers.shards[at]
	for i := range s.pending {
		r.route(&s.pending[i], cl)
	}
	s.clear()
}

func (s *trackedShard) clear() {
	clear(s.pending)
	s.pending = s.pending[:0]
	if cap(s.pending) > 1024 {
		s.pending = nil
	}
}

// route decides who is to be told of i, which is because of a command of cl, or of none.
func (r *reactor) route(i *invalidation, cl *Client) {
	x := &r.invalidations
	switch {
	case i.prefix != nil:
		names := x.keys[i.prefix]
		if names == nil {
			if x.keys == nil {
				x.keys = map[*tracking.Prefix]map[string]*Client{}
			}
			names = map[string]*Client{}
			x.keys[i.prefix] = names
		}
		names[i.name] = cl
		if i.expired {
			names[i.name] = nil
		}
	case i.all:
		for _, other := range r.srv.reactors {
			x.add(other, *i, cl)
		}
		if cl != nil && cl.tracked.modes&trackingOn != 0 {
			r.tell(cl, nil)
		}
	case cl != nil && i.client == cl.id:
		if cl.tracked.modes&trackingNoLoop == 0 {
			r.invalidate(cl, i.name)
		}
	default:
		if other := r.srv.clientByID(i.client); other != nil {
			x.add(other.reactor, *i, nil)
		}
	}
}

// add notes i to be sent by way of the reactor to; except has been told.
func (x *invalidations) add(to *reactor, i invalidation, except *Client) {
	if x.to == nil {
		x.to = make([][]invalidation, len(to.srv.reactors))
	}
	if except != nil {
		i.client = except.id
	}
	x.to[to.net.ID()] = append(x.to[to.net.ID()], i)
	x.some = true
}

// passOwn tells clients of this reactor what has been collected.
func (r *reactor) passOwn() {
	x := &r.invalidations
	if !x.some {
		return
	}
	own := x.to[r.net.ID()]
	x.to[r.net.ID()] = nil
	for i := range own {
		r.pass(&own[i])
	}
}

// sendInvalidations sends what has been collected. No shard is locked.
func (r *reactor) sendInvalidations() {
	x := &r.invalidations
	if !x.some {
		return
	}
	x.some = false
	for id, list := range x.to {
		if len(list) == 0 {
			continue
		}
		x.to[id] = nil
		to := r.srv.reactors[id]
		to.net.Post(func() {
			to.beginTurn()
			for i := range list {
				to.pass(&list[i])
			}
		})
	}
}

// pass tells clients of this reactor.
func (r *reactor) pass(i *invalidation) {
	if i.all {
		for _, cl := range slices.Clone(r.list) { // a full output may close a client
			if cl.tracked.modes&trackingOn != 0 && cl.id != i.client {
				r.tell(cl, nil)
			}
		}
		return
	}
	if cl := r.clients[i.client]; cl != nil {
		r.invalidate(cl, i.name)
	}
}

// invalidate tells cl, a client of this reactor, that it is to forget a key that it has read.
func (r *reactor) invalidate(cl *Client, name string) {
	if cl.tracked.modes&(trackingOn|trackingBroadcast) == trackingOn {
		r.tell(cl, newShared(func(w *resp.Writer) {
			w.Array(1)
			w.BulkString(name)
		}))
	}
}

// tell tells cl, or the client that it has redirected its messages to, that the keys listed in names are out of date:
// all if that is nil.
func (r *reactor) tell(cl *Client, names *shared) {
	to := cl.tracked.redirect
	if to == nil {
		if cl.proto >= 3 {
			r.pushInvalidation(cl, names)
		}
		return
	}
	if to.reactor == r {
		r.tellFor(cl, names)
		return
	}
	to.reactor.net.Post(func() {
		to.reactor.beginTurn()
		to.reactor.redirected(cl, to, names)
	})
}

// tellFor is tell for a client that has redirected its messages to another of this reactor.
func (r *reactor) tellFor(cl *Client, names *shared) { r.redirected(cl, cl.tracked.redirect, names) }

// redirected tells to, a client of this reactor, in place of cl.
func (r *reactor) redirected(cl, to *Client, names *shared) {
	if r.clients[to.id] == to {
		if to.proto >= 3 || to.flags&clientSubscribed != 0 {
			r.pushInvalidation(to, names)
		}
		return
	}
	if cl.reactor == r {
		cl.redirectBroken(to)
		return
	}
	cl.reactor.net.Post(func() {
		cl.reactor.beginTurn()
		cl.redirectBroken(to)
	})
}

// redirectBroken tells cl, on its reactor, that the client has gone that it redirected its messages to.
func (cl *Client) redirectBroken(to *Client) {
	r := cl.reactor
	if r.clients[cl.id] != cl || cl.tracked.redirect != to {
		return
	}
	cl.tracked.modes |= trackingBroken
	if cl.proto >= 3 {
		r.push(cl, func(w *resp.Writer) {
			w.Push(2)
			w.BulkString("tracking-redir-broken")
			w.Int(int64(to.id))
		})
	}
}

// pushInvalidation sends cl a message: one of its own type, or one as from a channel to a client that speaks RESP2.
func (r *reactor) pushInvalidation(cl *Client, names *shared) {
	r.push(cl, func(w *resp.Writer) {
		if w.Proto >= 3 {
			w.Push(2)
			w.BulkString("invalidate")
		} else {
			w.Array(3)
			w.BulkString("message")
			w.BulkString("__redis__:invalidate")
		}
		if names == nil {
			w.Null()
			return
		}
		w.Raw(names.bytes(w.Proto))
	})
}

// broadcast tells the clients in broadcasting mode, at the end of a turn, which keys were modified in it: one message for each
// prefix.
func (r *reactor) broadcast() {
	x := &r.invalidations
	prefixes := slices.SortedFunc(maps.Keys(x.keys), func(a, b *tracking.Prefix) int { return cmp.Compare(a.Name, b.Name) })
	for _, p := range prefixes {
		r.broadcastPrefix(p, x.keys[p])
	}
	x.keys = nil
}

func (r *reactor) broadcastPrefix(p *tracking.Prefix, modified map[string]*Client) {
	t := &r.srv.trackers
	t.mu.RLock()
	ids := slices.Sorted(maps.Keys(p.Clients))
	t.mu.RUnlock()
	names := slices.Sorted(maps.Keys(modified))
	all := listOf(names)
	elsewhere := make([][]*Client, len(r.srv.reactors))
	for _, id := range ids {
		cl := t.srv.clientByID(id)
		switch {
		case cl == nil:
		case cl.reactor != r:
			elsewhere[cl.reactor.net.ID()] = append(elsewhere[cl.reactor.net.ID()], cl)
		case cl.tracked.modes&trackingNoLoop != 0:
			others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return modified[name] == cl })
			if len(others) > 0 {
				r.tellBroadcast(cl, listOf(others))
			}
		default:
			r.tellBroadcast(cl, all)
		}
	}
	for id, clients := range elsewhere {
		if len(clients) == 0 {
			continue
		}
		to := r.srv.reactors[id]
		to.net.Post(func() {
			to.beginTurn()
			for _, cl := range clients {
				to.tellBroadcast(cl, all)
			}
		})
	}
}

func (r *reactor) tellBroadcast(cl *Client, names *shared) {
	if r.clients[cl.id] == cl && cl.tracked.modes&trackingBroadcast != 0 {
		r.tell(cl, names)
	}
}

func listOf(names []string) *shared {
	return newShared(func(w *resp.Writer) {
		w.Array(len(names))
		for _, name := range names {
			w.BulkString(name)
		}
	})
}
