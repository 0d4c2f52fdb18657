package shard

import "github.com/shoaldb/shoal/alloc"

// wTinyLFU lets new keys through a window. What leaves it stays if it is accessed more often than a key that is no longer in the
// window, the least frequent of some, which goes in its place. (G. Einziger, R. Friedman and B. Manes; see package sketch.)
func (x *eviction) wTinyLFU() {
	s, o := x.s, &x.db.order
	if o.walking {
		x.db.walkStep(8)
	}
	window := reader{x: x}
	left := recordsMax
	shortest := x.db.window()
	for !x.done() && left > 0 && !x.usedUp {
		if o.queues[0].Len() <= shortest && x.evictMain(anyFrequency) {
			continue
		}
		k, e, rec, ok := window.next(&left)
		switch {
		case !ok:
			if left > 0 && !x.evictMain(anyFrequency) {
				return
			}
		case e.h.uses() > 0:
			e.h.setUses(0)
			x.again(e, rec, inFirst)
		case x.evictMain(x.worth(s.frequency.Count(s.arena, uint64(rec)))) || !x.evict(&k, e):
			e.h.setQueue(inSecond)
		}
	}
}

// anyFrequency is more than any frequency.
const anyFrequency = 16

// worth returns the frequency that another key must be below to go for one that counts n accesses. Now and then it is
// any, as others could make sure otherwise that a key never stays.
func (x *eviction) worth(n int) int {
	if n >= 6 && x.v.rng.Uint64()&127 == 0 {
		return anyFrequency
	}
	return n
}

// victims are keys outside of the window, of those that were sampled the ones to go first. They are kept from one eviction to
// the next: many keys that leave the window are worth less, and nothing has to be sampled for these.
type victims struct {
	list     [maxVictims]victim // ordered by score
	n        int
	found    int // n when keys were last sampled
	contests int // left until keys are sampled anew
}

// victim is a key as it was when it was sampled.
type victim struct {
	score int64
	rec   uint32
	clock uint32
}

const (
	maxVictims  = 8 // about as many as the keys leaving the window beat in one call of Evict, so most are evicted while they are in the processor's cache
	sampleShare = 2 // victims are one in so many of the keys that are sampled
	staleAfter  = 4 // contests for each sampled key, after which victims are looked for anew
)

// evictMain evicts a key outside of the window whose frequency is below a limit. It reports false if it finds none.
func (x *eviction) evictMain(below int) bool {
	o := &x.db.order
	if o.victims == nil {
		o.victims = new(victims)
	}
	for w := o.victims; ; {
		least := 0
		if below == anyFrequency { // only the better half goes without a contest
			least = w.found / 2
		}
		if w.contests--; (w.n <= least || w.contests < 0) && !x.hasSampled {
			x.findVictims(w)
			continue
		}
		if w.n <= least || frequencyOf(w.list[w.n-1].score) >= below {
			return false
		}
		w.n--
		x.usedUp = w.n <= least && x.hasSampled
		v := w.list[w.n]
		k, e := x.db.recordedIn(v.rec, 1<<inNone|1<<inSecond)
		if e.h != nil && e.h.getClock() == v.clock && x.evict(&k, e) { // not accessed since
			return true
		}
	}
}

// findVictims samples keys outside of the window; the victims there were are forgotten.
func (x *eviction) findVictims(w *victims) {
	x.hasSampled = true
	list := x.scoreMain(x.candidates(maxVictims * sampleShare))
	w.n, w.contests = 0, staleAfter*len(list)
	n := min(len(list)/sampleShare+1, len(list), len(w.list))
	w.found = n
	selectBest(list, n)
	for _, c := range list[:n] {
		ref := x.v.refs[c.index()]
		w.add(victim{c.score(), x.v.hashes[c.index()], alloc.At[header](x.s.arena, ref).getClock()})
	}
}

// add puts v in its place.
func (w *victims) add(v victim) {
	i := w.n
	for ; i > 0 && w.list[i-1].score > v.score; i-- {
		w.list[i] = w.list[i-1]
	}
	w.list[i] = v
	w.n++
}

// agePeriod is a time, in accesses for each key. A key that was not accessed for a period counts as accessed once in it
// at most, for half of one twice at most, and so on: so keys that were popular once do not stay until their counters
// (sketch.Frequency) have faded. This takes the place of the adaptive window and of the segments of Caffeine's
// W-TinyLFU. A longer period is better for loops, a shorter one where popularity shifts.
const agePeriod = 3

// scoreMain gives scores to the entries that are not in the window: the less frequent go first, of these the least recent.
func (x *eviction) scoreMain(refs []alloc.Ref) []candidate {
	v, s := x.v, x.s
	for i, ref := range refs {
		v.addrs[i] = s.arena.Addr(ref)
	}
	alloc.Prefetch(v.addrs[:len(refs)])
	list := v.scores[:0]
	for i, ref := range refs {
		if h := alloc.At[header](s.arena, ref); h.queue() != inFirst {
			rec := uint32(x.db.HashOf(ref))
			v.addrs[len(list)] = s.frequency.Peek(s.arena, uint64(rec))
			v.hashes[i] = rec
			list = append(list, newCandidate(int64(s.present()-h.getClock())&clockMask, i))
		}
	}
	alloc.Prefetch(v.addrs[:len(list)])
	reach := agePeriod * int64(x.db.table.Len())
	for i, c := range list {
		age := c.score()
		n := min(int64(s.frequency.Count(s.arena, uint64(v.hashes[c.index()]))), reach/(age<<accessShift+1))
		list[i] = newCandidate((15-n)<<clockBits|age, c.index())
	}
	return list
}

// frequencyOf returns the frequency that scoreMain has put into a score.
func frequencyOf(score int64) int { return 15 - int(score>>clockBits) }
