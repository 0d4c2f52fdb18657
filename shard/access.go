package shard

import "time"

// An entry's access clock has 24 bits. What they mean depends on the eviction policy:
//
//	accessTime    seconds                                         LRU and whatever needs no clock
//	accessCount   counter 8 | minute of its last decay 16         LFU (https://redis.io/docs/latest/develop/reference/eviction/)
//	accessOrder   queue 2 | uses 2 | seconds 20                   SIEVE, S3-FIFO
//	accessSketch  queue 2 | uses 2 | accesses of the shard 20     W-TinyLFU
//
// Uses are the accesses since the entry was last looked at in its queue, up to 3; queue tells which one it stands in.
type access uint8

const (
	accessTime access = iota
	accessCount
	accessOrder
	accessSketch
)

// lfuInitial is the counter of a new key.
const lfuInitial = 5

const (
	clockBits  = 20 // of accessOrder and accessSketch
	clockMask  = 1<<clockBits - 1
	usesShift  = clockBits
	queueShift = clockBits + 2
	maxUses    = 3

	// accessShift is how many accesses of a shard, as a power of two, make a step of the clock of accessSketch.
	accessShift = 6
)

// clock returns the part of the clocks of entries touched at a time (unix ms) that all of these share.
func (a access) clock(ms int64) uint32 {
	switch a {
	case accessCount:
		return uint32(ms/60000) & 0xffff
	case accessOrder:
		return uint32(ms/1000) & clockMask
	}
	return uint32(ms/1000) & 0xffffff
}

func (h *header) setClock(c uint32) {
	if v := [3]uint8{uint8(c), uint8(c >> 8), uint8(c >> 16)}; h.clock != v {
		h.clock = v
	}
}

func (h *header) getClock() uint32 {
	return uint32(h.clock[0]) | uint32(h.clock[1])<<8 | uint32(h.clock[2])<<16
}

func (h *header) uses() uint32     { return h.getClock() >> usesShift & maxUses }
func (h *header) queue() uint32    { return h.getClock() >> queueShift }
func (h *header) setUses(n uint32) { h.setClock(h.getClock()&^(maxUses<<usesShift) | n<<usesShift) }
func (h *header) setQueue(q uint32) {
	h.setClock(h.getClock()&(1<<queueShift-1) | q<<queueShift)
}

// touch updates the access clock of e, which was found under k.
func (db *DB) touch(k *Key, e Entry) {
	if db.shard.access != accessTime {
		db.touchSlow(k, e)
		return
	}
	e.h.setClock(db.shard.clock)
}

func (db *DB) touchSlow(k *Key, e Entry) {
	s := db.shard
	if s.access == accessCount {
		db.touchCount(e)
		return
	}
	c := e.h.getClock()
	if s.access == accessSketch {
		s.noteAccess(k.Hash)
	}
	if c>>usesShift&maxUses < maxUses {
		c += 1 << usesShift
	}
	e.h.setClock(c&^clockMask | s.present())
}

// present returns the lowest clockBits of the clock of an entry touched now, under accessOrder or accessSketch.
func (s *Shard) present() uint32 {
	if s.access == accessSketch {
		return uint32(s.accesses>>accessShift) & clockMask
	}
	return s.clock
}

// newClock returns the clock of an entry that comes into being. It is in no queue.
func (s *Shard) newClock() uint32 {
	switch s.access {
	case accessCount:
		return s.clock | lfuInitial<<16
	case accessTime:
		return s.clock
	}
	return s.present()
}

// renewClock makes e look as if it had just come into being.
func (db *DB) renewClock(e Entry) {
	c := db.shard.newClock()
	if db.shard.access >= accessOrder {
		c |= e.h.queue() << queueShift
	}
	e.h.setClock(c)
}

// takeClock gives e the access clock that another entry had, but for the queue that it stands in.
func (db *DB) takeClock(e Entry, clock [3]uint8) {
	if db.shard.access >= accessOrder {
		clock[2] = clock[2]&(1<<(queueShift-16)-1) | uint8(e.h.queue()<<(queueShift-16))
	}
	e.h.clock = clock
}

// countNow returns the LFU counter of e after the decay that is due.
func (db *DB) countNow(e Entry) uint32 {
	c := e.h.getClock()
	counter, minute := c>>16, c&0xffff
	elapsed := (uint32(db.shard.nowMS/60000) - minute) & 0xffff
	if decay := db.shard.ks.lfuDecayMinutes.Load(); decay > 0 {
		counter -= min(counter, elapsed/uint32(decay))
	}
	return counter
}

func (db *DB) touchCount(e Entry) {
	counter := db.countNow(e)
	if counter < 255 {
		base := uint64(0)
		if counter > lfuInitial {
			base = uint64(counter - lfuInitial)
		}
		if db.shard.space.Rand()>>32*(base*uint64(db.shard.ks.lfuLogFactor.Load())+1)>>32 == 0 {
			counter++
		}
	}
	e.h.setClock(counter<<16 | uint32(db.shard.nowMS/60000)&0xffff)
}

// Freq returns how often e was accessed lately: its LFU counter or, under allkeys-wtinylfu, the estimate that goes by.
func (db *DB) Freq(e Entry) int {
	s := db.shard
	if s.access == accessSketch {
		return s.frequency.Count(s.arena, remembered(db.HashOf(e.ref)))
	}
	return int(db.countNow(e))
}

// Idle returns how long ago e was last accessed.
func (db *DB) Idle(e Entry) time.Duration {
	mask := uint32(0xffffff)
	if db.shard.access == accessOrder {
		mask = clockMask
	}
	return time.Duration((uint32(db.shard.nowMS/1000)-e.h.getClock())&mask) * time.Second
}

// SetIdle makes e look as if it had last been accessed d ago, where the policy has times of access.
func (db *DB) SetIdle(e Entry, d time.Duration) {
	c := uint32(db.shard.nowMS/1000 - int64(d/time.Second))
	switch db.shard.access {
	case accessTime:
		e.h.setClock(c & 0xffffff)
	case accessOrder:
		e.h.setClock(e.h.getClock()&^clockMask | c&clockMask)
	}
}

// SetFreq sets the LFU counter of e, where the policy has them.
func (db *DB) SetFreq(e Entry, counter uint8) {
	if db.shard.access == accessCount {
		e.h.setClock(uint32(counter)<<16 | uint32(db.shard.nowMS/60000)&0xffff)
	}
}
