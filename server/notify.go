package server

import (
	"strconv"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/shard"
)

// Keyspace notifications are collected while a command runs and published together before it gives its locks back: so
// the events of a key come in their order, and those of a transaction in a row. A client that listens to what it does
// itself gets them after the reply.

// events is what a reactor is about to publish, and its scratch memory.
type events struct {
	list     []*message
	matching []*topic
	channel  []byte
	jam      *inbox // over its limit by what was published
	replyAt  int    // the length of the output if the present command has not begun to reply
}

// notify takes a notification of a command; see command.Ctx.Notify.
func (r *reactor) notify(c *command.Ctx, _ command.NotifyClass, event string, key []byte) {
	r.happened(c.Env.Notify, c.DB, event, key)
}

// happened puts an event into the list if anybody may be interested.
func (r *reactor) happened(enabled command.NotifyClass, db int, event string, key []byte) {
	e := &r.events
	e.list = r.srv.pubsub.eventMessages(e.list, enabled, db, event, key, e)
}

// eventMessages appends the messages about an event that somebody may listen to.
func (p *pubsub) eventMessages(dst []*message, enabled command.NotifyClass, db int, event string, key []byte, scratch *events) []*message {
	if p.silent() {
		return dst
	}
	add := func(payload []byte) {
		hash, version, matching, interest := p.address(channelTopic, scratch.channel, scratch.matching[:0])
		scratch.matching = matching[:0]
		if interest {
			dst = append(dst, newMessage(channelTopic, hash, version, matching, scratch.channel, payload))
		}
	}
	if enabled&command.NotifyKeyspace != 0 {
		scratch.channel = append(appendDB(scratch.channel[:0], "__keyspace@", db), key...)
		add([]byte(event))
	}
	if enabled&command.NotifyKeyevent != 0 {
		scratch.channel = append(appendDB(scratch.channel[:0], "__keyevent@", db), event...)
		add(key)
	}
	return dst
}

func appendDB(dst []byte, prefix string, db int) []byte {
	return append(strconv.AppendInt(append(dst, prefix...), int64(db), 10), "__:"...)
}

// publishEvents publishes the list.
func (r *reactor) publishEvents() {
	e := &r.events
	_, _, jam := r.srv.pubsub.send(e.list)
	if jam != nil {
		e.jam = jam
	}
	clear(e.list)
	e.list = e.list[:0]
	if cap(e.list) > 4096 {
		e.list = nil
	}
}

// endEvents publishes what has been collected. The locks are still held.
func (r *reactor) endEvents() {
	if len(r.events.list) > 0 {
		r.publishEvents()
	}
}

// hear makes the reactor hear of what expires in the shards that it has locked.
func (r *reactor) hear() {
	if r.many.used > 0 {
		r.many.each(r.srv.ks, func(s *shard.Shard) { s.Hear(r) })
	} else if r.held != nil {
		r.held.Hear(r)
	}
}

// Expired, FieldExpired and FieldsExpired make a reactor the listener of shards that it has locked.
func (r *reactor) Expired(db int, key []byte) {
	r.tellExpired(db, key)
	if on := r.srv.env.Load().Notify; on&command.NotifyExpired != 0 {
		r.happened(on, db, "expired", key)
	}
}

func (r *reactor) FieldExpired(db int, key, field []byte) { r.tellFieldExpired(key, field) }

func (r *reactor) FieldsExpired(db int, key []byte, gone bool) {
	r.tellFieldsExpired(db)
	on := r.srv.env.Load().Notify
	if on&command.NotifyHash != 0 {
		r.happened(on, db, "hexpired", key)
	}
	if gone && on&command.NotifyGeneric != 0 {
		r.happened(on, db, "del", key)
	}
}

// Evicted tells of a key that goes to make room.
func (r *reactor) Evicted(db int, key []byte) {
	if r.srv.propagation.on.Load() {
		r.effects.log.Append(db, [][]byte{r.srv.eviction(), key})
	}
	if on := r.srv.env.Load().Notify; on&command.NotifyEvicted != 0 {
		r.happened(on, db, "evicted", key)
	}
}

// Evicted hears of a key that goes to make room where no reactor does.
func (s *Server) Evicted(db int, key []byte) {
	s.tellAlone(db, s.eviction(), key)
	if on := s.env.Load().Notify; on&command.NotifyEvicted != 0 {
		s.pubsub.happened(on, db, "evicted", key)
	}
}

// eviction is the command by which evicted keys are told to go.
func (s *Server) eviction() []byte {
	if s.cfg.Load().LazyEviction {
		return wordUnlink
	}
	return wordDel
}

// Expired hears of every key that the keyspace deletes because its time has come, where no reactor does.
func (s *Server) Expired(db int, key []byte) {
	s.tellAlone(db, s.deletion(), key)
	if on := s.env.Load().Notify; on&command.NotifyExpired != 0 {
		s.pubsub.happened(on, db, "expired", key)
	}
}

// FieldExpired and FieldsExpired hear of the fields of hashes that the keyspace has expired, where no reactor does.
func (s *Server) FieldExpired(db int, key, field []byte) { s.tellAlone(db, wordHDel, key, field) }

func (s *Server) FieldsExpired(db int, key []byte, gone bool) {
	on := s.env.Load().Notify
	if on&command.NotifyHash != 0 {
		s.pubsub.happened(on, db, "hexpired", key)
	}
	if gone && on&command.NotifyGeneric != 0 {
		s.pubsub.happened(on, db, "del", key)
	}
}

// happened publishes an event at once.
func (p *pubsub) happened(enabled command.NotifyClass, db int, event string, key []byte) {
	if list := p.eventMessages(nil, enabled, db, event, key, new(events)); len(list) > 0 {
		p.send(list)
	}
}

var _ shard.Events = (*reactor)(nil)
