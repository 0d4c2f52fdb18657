package shard

import "github.com/shoaldb/shoal/alloc"

// reader takes records of a queue, for whose entries it asks ahead.
type reader struct {
	x     *eviction
	queue int
	ahead int // records whose entries have been asked for
}

// next returns the key and the entry of the next record that is not stale, and the record; ok is false if the queue is
// empty or most records have been read.
func (r *reader) next(left *int) (k Key, e Entry, rec uint32, ok bool) {
	db := r.x.db
	for *left > 0 {
		*left--
		if r.ahead == 0 {
			r.prefetch()
		}
		r.ahead--
		rec, ok = db.order.queues[r.queue].Pop(db.shard.arena)
		if !ok {
			break
		}
		if k, e = db.inQueue(rec, uint32(r.queue)+1); e.h != nil {
			return k, e, rec, true
		}
	}
	return Key{}, Entry{}, 0, false
}

// prefetch asks for the entries of the next records, and for what is remembered of them.
func (r *reader) prefetch() {
	var b dueBatch
	db, s := r.x.db, r.x.s
	b.n = db.order.queues[r.queue].Peek(s.arena, b.records[:min(max(r.x.want-r.x.gone, leastAhead), len(b.records))])
	for i, rec := range b.records[:b.n] {
		switch s.policy {
		case AllKeysWTinyLFU:
			r.x.v.addrs[i] = s.frequency.Peek(s.arena, uint64(rec))
		case AllKeysS3FIFO:
			r.x.v.addrs[i] = s.ghosts.Peek(s.arena, uint64(rec))
		}
	}
	if s.policy != AllKeysSieve {
		alloc.Prefetch(r.x.v.addrs[:b.n])
	}
	b.prefetch(&db.table) // which waits for memory, so it comes last
	r.ahead = max(b.n, 1)
}

// again puts e, which stays, at the end of a queue.
func (x *eviction) again(e Entry, rec, q uint32) { x.db.line(q, rec, e.h) }

// fill makes sure that there are records, if there are keys. It returns whether there is anything to do but to wait.
func (x *eviction) fill() bool {
	o := &x.db.order
	if o.queues[0].Len()+o.queues[1].Len() > 0 {
		return true
	}
	if !o.walking {
		o.walking, o.from = true, x.s.access
		x.db.freeze()
	}
	x.db.walkStep(8)
	return o.queues[0].Len()+o.queues[1].Len() > 0
}

// sieve moves the hand: keys that were used since it last came are spared, others go. (Y. Zhang et al., SIEVE is
// Simpler than LRU, NSDI 2024.)
func (x *eviction) sieve() {
	o := &x.db.order
	left := recordsMax
	r := reader{x: x}
	for !x.done() && left > 0 && x.fill() {
		if o.queues[0].Len() == 0 {
			o.queues[0], o.queues[1] = o.queues[1], o.queues[0]
			o.sweeping = false
			r.ahead = 0
		}
		k, e, rec, ok := r.next(&left)
		if !ok {
			continue
		}
		if e.h.uses() == 0 && x.evict(&k, e) {
			continue
		}
		e.h.setUses(0)
		x.again(e, rec, inSecond)
	}
}

// smallShare is the part of the keys, one in so many, that are in the small queue of S3-FIFO.
const smallShare = 10

// s3fifo evicts what was hardly used from the small queue, or what was not used any more from the main one. (J. Yang et
// al., FIFO Queues are All You Need for Cache Eviction, SOSP 2023.)
func (x *eviction) s3fifo() {
	o := &x.db.order
	left := recordsMax
	small, main := reader{x: x, queue: 0}, reader{x: x, queue: 1}
	for !x.done() && left > 0 && x.fill() {
		if o.queues[0].Len()*smallShare > x.db.table.Len() || o.queues[1].Len() == 0 {
			if k, e, rec, ok := small.next(&left); ok {
				x.leaveSmall(&k, e, rec)
			}
		} else if k, e, rec, ok := main.next(&left); ok {
			if u := e.h.uses(); u > 0 {
				e.h.setUses(u - 1)
				x.again(e, rec, inSecond)
			} else if !x.evict(&k, e) {
				x.again(e, rec, inSecond)
			}
		}
	}
}

// leaveSmall decides on a key at the end of the small queue.
func (x *eviction) leaveSmall(k *Key, e Entry, rec uint32) {
	if e.h.uses() <= 1 && x.evict(k, e) {
		x.s.ghosts.Add(x.s.arena, uint64(rec))
		return
	}
	e.h.setUses(0)
	x.again(e, rec, inSecond)
}
