package shard

import (
	"math"
	"math/rand/v2"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/dict"
)

// Eviction deletes keys when the data take more than they may. Whoever wants room picks a shard ([Evictor.Pick]), each with a
// probability in proportion to its keys, locks it and evicts some keys there ([Evictor.Evict]), until there is enough.
//
// As hashes spread the keys over the shards at random, each shard's keys are a sample of all. Where they are not (hash tags),
// an Evictor knows what the keys were like that it has evicted lately, and passes over a shard that has none like them.
//
// Most policies look at some keys at random and evict the best of them, several at once: of n*samples keys the n best. So
// memory is waited for once for all, and they are better on average than the best of n times samples. The others have the keys in an order
// (see order), or part of them.

const (
	evictAtOnce  = 16  // keys that one call of Evict deletes at most
	leastBatch   = 3   // for how many keys candidates are sampled at least
	maxSamples   = 16  // of maxmemory-samples: more is no better
	maxBuckets   = 64  // that are looked at for candidates
	candidateMax = 512 // entries that are looked at
	recordsAhead = 16  // whose entries are prefetched
	recordsMax   = 64  // of queues that are looked at in one call
)

// Evictor evicts keys. Each goroutine has one of its own.
type Evictor struct {
	ks       *Keyspace
	rng      rand.PCG
	samples  int
	heaviest int64 // weight of a shard, about
	average  int   // bytes that evicting a key gives back
	bar      int64 // score of keys evicted lately

	refs       [candidateMax]alloc.Ref
	addrs      [candidateMax]uintptr
	candidates [candidateMax]candidate
	records    [maxBuckets]uint32
}

// candidate is an entry that might be evicted. The highest score goes first.
type candidate struct {
	score int64
	ref   alloc.Ref
}

// NewEvictor returns an Evictor; seed is random.
func NewEvictor(ks *Keyspace, seed uint64) *Evictor {
	v := &Evictor{ks: ks, average: 64, samples: 5}
	v.rng.Seed(seed, 0)
	return v
}

// SetSamples says how many keys are looked at for each that is evicted (maxmemory-samples).
func (v *Evictor) SetSamples(n int) { v.samples = max(1, min(n, maxSamples)) }

// pickTries is how many shards Pick draws before it takes what it has.
const pickTries = 8

// Pick returns a shard, which is not locked, to evict keys of, or nil if no shard has any.
func (v *Evictor) Pick() *Shard {
	var best *Shard
	most := int64(0)
	v.heaviest -= v.heaviest >> 8
	for range pickTries {
		s := v.ks.shards[v.rng.Uint64()&v.ks.mask]
		w := s.weight.Load()
		if w >= v.heaviest {
			v.heaviest = w
		}
		if w > most {
			best, most = s, w
		}
		if w > 0 && int64(v.rng.Uint64()>>33) < w<<31/v.heaviest {
			return s
		}
	}
	if best == nil {
		return v.anyShard()
	}
	return best
}

// anyShard returns a shard with keys to evict, or nil.
func (v *Evictor) anyShard() *Shard {
	start := v.rng.Uint64()
	for i := range v.ks.shards {
		if s := v.ks.shards[(start+uint64(i))&v.ks.mask]; s.weight.Load() > 0 {
			return s
		}
	}
	return nil
}

// Evict deletes keys of s, which is locked, until that gives back need bytes, at most evictAtOnce keys. It looks at a bounded number of
// entries, so it may delete fewer, or none. Large values are only marked as deleted: see [Keyspace.Freeing]. It returns the
// number of keys that are gone.
func (v *Evictor) Evict(s *Shard, need int64) (gone int) {
	db := v.pickDB(s)
	if db == nil {
		s.weigh()
		return 0
	}
	x := eviction{v: v, s: s, db: db, need: need, before: s.arena.Allocated()}
	x.want = max(1, min(int(need)/max(v.average, 1)+1, evictAtOnce))
	switch s.policy {
	case NoEviction:
	case AllKeysSieve:
		x.sieve()
	case AllKeysS3FIFO:
		x.s3fifo()
	case AllKeysWTinyLFU:
		x.wTinyLFU()
	default:
		x.sampled()
	}
	if x.gone > 0 {
		v.average += (max(int(x.freed()), 16)/x.gone - v.average) / 8
	}
	return x.gone
}

// pickDB returns one of the shard's databases, each with a probability in proportion to its keys, or nil.
func (v *Evictor) pickDB(s *Shard) *DB {
	total := 0
	for _, db := range s.dbs {
		total += db.evictable()
	}
	if total == 0 {
		return nil
	}
	at := int(v.rng.Uint64() % uint64(total))
	for _, db := range s.dbs {
		if at -= db.evictable(); at < 0 {
			return db
		}
	}
	return nil
}

// eviction is one call of Evict.
type eviction struct {
	v      *Evictor
	s      *Shard
	db     *DB
	want   int   // keys
	need   int64 // bytes
	before int   // bytes that the arena held
	large  int64 // bytes of large values
	gone   int   // keys
}

// freed returns the bytes that have been given back, or will be soon.
func (x *eviction) freed() int64 { return int64(x.before-x.s.arena.Allocated()) + x.large }

// done tells whether enough has been evicted, or the values of what was are still being freed.
func (x *eviction) done() bool {
	return x.gone >= evictAtOnce || x.gone > 0 && (x.freed() >= x.need || x.s.freeing)
}

// evict deletes e, found under k, unless a command has it on lease.
func (x *eviction) evict(k *Key, e Entry) bool {
	db := x.db
	if k.Leased(true) {
		return false
	}
	if e.h.flags&flagLarge != 0 {
		block, l := db.block(e)
		x.large += int64(x.s.large[le32(l.valueIn(block))].mem.Cap())
	}
	x.gone++
	if db.Expired(e) {
		db.expire(k, e)
		return true
	}
	x.s.stats.Evicted++
	if l := x.s.listener(); l != nil {
		l.Evicted(db.id, k.Name)
	}
	db.remove(k, e)
	return true
}

// locate returns the entry at ref with its slot, and its key.
func (db *DB) locate(ref alloc.Ref) (Key, Entry) {
	a := db.shard.arena
	h := alloc.At[header](a, ref)
	name := entryKey(a, ref, h)
	k := Key{Name: name, Hash: db.shard.ks.Hash(name), DB: db}
	fp := dict.Fingerprint(k.Hash)
	for b := db.table.Find(k.Hash); b != nil; b = db.table.Next(b) {
		for m := b.Match(fp); m != 0; m &= m - 1 {
			if slot := trailing(m); b.Ref(slot) == ref {
				return k, Entry{h: h, b: b, ref: ref, slot: slot}
			}
		}
	}
	return k, Entry{}
}

// samples returns how many keys are looked at. Of many that are to go the best of four fifths as many as for one alone are better already: their
// mean rank among n*s is 1/2s of these, that of the best of s is 1/(s+1).
func (x *eviction) samples() int {
	switch {
	case x.s.policy == AllKeysRandom || x.s.policy == VolatileRandom:
		return 2 * x.want
	case x.want > evictAtOnce/2:
		return max(x.v.samples*4/5, 1) * x.want
	}
	return x.v.samples * max(x.want, leastBatch)
}

// sampled evicts the best of some keys.
func (x *eviction) sampled() {
	list := x.score(x.candidates(x.samples()))
	rejected := len(list) > 0
	for !x.done() {
		c := x.take(&list)
		if c.ref == 0 || !x.good(c.score) {
			break
		}
		if k, e := x.db.locate(c.ref); e.h != nil && x.evict(&k, e) {
			rejected = false
			x.v.bar += (c.score - x.v.bar) / 16
		}
	}
	if rejected {
		x.relax()
	}
}

// take removes the best candidate from list, or just any where none is better.
func (x *eviction) take(list *[]candidate) candidate {
	if x.s.policy != AllKeysRandom && x.s.policy != VolatileRandom {
		return takeBest(list)
	}
	l := *list
	if len(l) == 0 {
		return candidate{}
	}
	i := int(x.v.rng.Uint64() % uint64(len(l)))
	c := l[i]
	l[i] = l[len(l)-1]
	*list = l[:len(l)-1]
	return c
}

// takeBest removes the candidate with the highest score from list; it is zero if there is none.
func takeBest(list *[]candidate) (c candidate) {
	l := *list
	best := -1
	for i := range l {
		if l[i].ref != 0 && (best < 0 || l[i].score > c.score) {
			best, c = i, l[i]
		}
	}
	if best >= 0 {
		l[best] = l[len(l)-1]
		*list = l[:len(l)-1]
	}
	return c
}

// candidates returns about n entries, picked at random, that the policy may evict.
func (x *eviction) candidates(n int) []alloc.Ref {
	v, t := x.v, &x.db.table
	if x.s.policy.Volatile() {
		if keys := x.db.expires.keys; keys*8 < t.Len() {
			return x.timed()
		} else {
			n = n * t.Len() / keys
		}
	}
	count := t.Buckets()
	most := min(n*count/max(t.Len(), 1)+1, maxBuckets, count)
	if most == 0 {
		return nil
	}
	// Evenly spread buckets are different ones.
	at, step := uint32(v.rng.Uint64()%uint64(count)), uint32(count/most)
	for i := range most {
		v.records[i] = at
		v.addrs[i] = t.PeekAt(at)
		if at += step; int(at) >= count {
			at -= uint32(count)
		}
	}
	alloc.Prefetch(v.addrs[:most])
	refs := v.refs[:0]
	for _, i := range v.records[:most] {
		refs = t.Refs(i, refs)
	}
	return refs
}

// timed returns entries with a time to live, where these are few: some that the expiry index has together. Under volatile-ttl these are, half of the
// time, those that expire next.
func (x *eviction) timed() []alloc.Ref {
	v, w := x.v, x.db.expires.wheel
	refs := v.refs[:0]
	for tries := 0; w != nil && len(refs) == 0 && tries < timedTries; tries++ {
		random, n := v.rng.Uint64(), 0
		if tries == 0 && x.s.policy == VolatileTTL && random>>63 == 0 {
			n = w.Soonest(v.records[:])
		} else {
			n = w.Sample(random, v.records[:])
		}
		for _, rec := range v.records[:n] {
			refs = x.db.timedRefs(rec, refs)
		}
	}
	return refs
}

// timedTries is how many places of the expiry index are tried: it may hold many records of keys that are gone.
const timedTries = 16

// timedRefs appends the entries with a time to live whose hashes may begin with rec.
func (db *DB) timedRefs(rec uint32, dst []alloc.Ref) []alloc.Ref {
	fp := dict.Fingerprint(uint64(rec))
	for b := db.table.Find(uint64(rec)); b != nil; b = db.table.Next(b) {
		for m := b.Match(fp); m != 0; m &= m - 1 {
			ref := b.Ref(trailing(m))
			h := alloc.At[header](db.shard.arena, ref)
			if h.flags&flagExpire != 0 && uint32(db.HashOf(ref)) == rec && len(dst) < cap(dst) && !contains(dst, ref) {
				dst = append(dst, ref)
			}
		}
	}
	return dst
}

func contains(refs []alloc.Ref, ref alloc.Ref) bool {
	for _, r := range refs {
		if r == ref {
			return true
		}
	}
	return false
}

// score gives the entries scores, by the policy.
func (x *eviction) score(refs []alloc.Ref) []candidate {
	v, a := x.v, x.s.arena
	for i, ref := range refs {
		v.addrs[i] = a.Addr(ref)
	}
	alloc.Prefetch(v.addrs[:len(refs)])
	list := v.candidates[:0]
	volatile := x.s.policy.Volatile()
	for _, ref := range refs {
		e := Entry{h: alloc.At[header](a, ref), ref: ref}
		if volatile && e.h.flags&flagExpire == 0 {
			continue
		}
		list = append(list, candidate{x.scoreOf(e), ref})
	}
	return list
}

func (x *eviction) scoreOf(e Entry) int64 {
	switch x.s.policy {
	case AllKeysLRU, VolatileLRU:
		return int64((x.s.clock - e.h.getClock()) & 0xffffff)
	case AllKeysLFU, VolatileLFU:
		return 255 - int64(x.db.countNow(e))
	case VolatileTTL:
		return x.s.nowMS - x.db.ExpireMS(e)
	}
	return 0
}

// good tells whether a key of that score may go, or others, in other shards, should first.
func (x *eviction) good(score int64) bool {
	bar := x.v.bar
	switch x.s.policy {
	case AllKeysLRU, VolatileLRU:
		return 2*score+1 >= bar
	case AllKeysLFU, VolatileLFU:
		return score+8 >= bar
	case VolatileTTL:
		return score >= 2*bar-1000
	}
	return true
}

// relax makes worse keys good: a shard had none that was.
func (x *eviction) relax() {
	switch x.s.policy {
	case AllKeysLRU, VolatileLRU:
		x.v.bar /= 2
	case AllKeysLFU, VolatileLFU:
		x.v.bar -= 8
	case VolatileTTL:
		x.v.bar = max(2*min(x.v.bar, 0)-1000, math.MinInt64/4)
	}
}

// reader takes records of a queue, for whose entries it asks ahead.
type reader struct {
	x     *eviction
	queue int
	ahead int // records whose entries have been asked for
}

// next returns the entry of the next record that is not stale, and the record; ok is false if the queue is empty or most records have
// been read.
func (r *reader) next(left *int) (e Entry, rec uint32, ok bool) {
	db := r.x.db
	for *left > 0 {
		*left--
		if r.ahead == 0 {
			r.prefetch()
		}
		r.ahead--
		rec, ok = db.order.queues[r.queue].Pop(db.shard.arena)
		if !ok {
			return Entry{}, 0, false
		}
		if e = db.inQueue(rec, uint32(r.queue)+1); e.h != nil {
			return e, rec, true
		}
	}
	return Entry{}, 0, false
}

func (r *reader) prefetch() {
	var b dueBatch
	db := r.x.db
	b.n = db.order.queues[r.queue].Peek(db.shard.arena, b.records[:])
	b.prefetch(&db.table)
	r.ahead = max(b.n, 1)
}

// keyOf returns the key of e.
func (db *DB) keyOf(e Entry) Key {
	name := db.Key(e)
	return Key{Name: name, Hash: db.shard.ks.Hash(name), DB: db}
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

// sieve moves the hand: keys that were used since it last came are spared, others go. (Y. Zhang et al., SIEVE is Simpler than LRU, NSDI 2024.)
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
		e, rec, ok := r.next(&left)
		if !ok {
			continue
		}
		k := x.db.keyOf(e)
		if e.h.uses() == 0 && x.evict(&k, e) {
			continue
		}
		e.h.setUses(0)
		x.again(e, rec, inSecond)
	}
}

// smallShare is the part of the keys, one in so many, that are in the small queue of S3-FIFO.
const smallShare = 10

// s3fifo evicts what was hardly used from the small queue, or what was not used any more from the main one. (J. Yang et al., FIFO Queues
// are All You Need for Cache Eviction, SOSP 2023.)
func (x *eviction) s3fifo() {
	o := &x.db.order
	left := recordsMax
	small, main := reader{x: x, queue: 0}, reader{x: x, queue: 1}
	for !x.done() && left > 0 && x.fill() {
		if o.queues[0].Len()*smallShare > x.db.table.Len() || o.queues[1].Len() == 0 {
			if e, rec, ok := small.next(&left); ok {
				x.leaveSmall(e, rec)
			}
		} else if e, rec, ok := main.next(&left); ok {
			k := x.db.keyOf(e)
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
func (x *eviction) leaveSmall(e Entry, rec uint32) {
	k := x.db.keyOf(e)
	if e.h.uses() <= 1 {
		hash := k.Hash
		if x.evict(&k, e) {
			x.s.ghosts.Add(x.s.arena, hash)
			return
		}
	}
	e.h.setUses(0)
	x.again(e, rec, inSecond)
}

// wTinyLFU lets new keys through a window. What leaves it stays if it is accessed more often than a key that is no longer in the
// window, the least frequent of a sample, which goes in its place. (G. Einziger, R. Friedman and B. Manes; see package sketch.)
func (x *eviction) wTinyLFU() {
	s, o := x.s, &x.db.order
	if o.walking {
		x.db.walkStep(8)
	}
	// Most keys go at the end of the window, for which one sample serves. Of a sample only the worst go.
	list := x.scoreMain(x.candidates(x.v.samples * leastBatch))
	mostMain := len(list)/4 + 1
	window := reader{x: x}
	left := recordsMax
	target := x.db.window()
	for !x.done() && left > 0 {
		if o.queues[0].Len() <= target && len(list) > 0 {
			if mostMain--; mostMain < 0 || !x.evictMain(&list) {
				return
			}
			continue
		}
		e, rec, ok := window.next(&left)
		switch {
		case !ok && len(list) == 0:
			return
		case !ok:
			continue
		case e.h.uses() > 0:
			e.h.setUses(0)
			x.again(e, rec, inFirst)
			continue
		}
		k := x.db.keyOf(e)
		if n := s.frequency.Count(s.arena, k.Hash); len(list) > 0 && x.admits(n, list) {
			e.h.setQueue(inSecond)
			if mostMain--; mostMain < 0 || !x.evictMain(&list) {
				return
			}
		} else if !x.evict(&k, e) {
			e.h.setQueue(inSecond)
		}
	}
}

// admits tells whether a key of the window that counts n accesses is worth more than the worst of list. Now and then one is admitted that
// is not, as others could make sure otherwise that a key never is.
func (x *eviction) admits(n int, list []candidate) bool {
	worst := list[0].score
	for _, c := range list[1:] {
		worst = max(worst, c.score)
	}
	return n > frequencyOf(worst) || n >= 6 && x.v.rng.Uint64()&127 == 0
}

// evictMain evicts the worst of list.
func (x *eviction) evictMain(list *[]candidate) bool {
	for {
		c := takeBest(list)
		if c.ref == 0 {
			return false
		}
		if k, e := x.db.locate(c.ref); e.h != nil && x.evict(&k, e) {
			return true
		}
	}
}

// agePeriod is the time, in accesses for each key, that counters of accesses are about (sketch.Frequency). A key that was not accessed for a
// period counts as accessed once in it at most, for half of one twice at most, and so on: so keys that were popular once do not stay until their counters have
// faded. This takes the place of the adaptive window and of the segments of Caffeine's W-TinyLFU.
const agePeriod = 10

// scoreMain gives scores to the entries that are not in the window: the less frequent go first, of these the least recent.
func (x *eviction) scoreMain(refs []alloc.Ref) []candidate {
	v, s := x.v, x.s
	for i, ref := range refs {
		v.addrs[i] = s.arena.Addr(ref)
	}
	alloc.Prefetch(v.addrs[:len(refs)])
	list := v.candidates[:0]
	var hashes [candidateMax]uint64
	for _, ref := range refs {
		if h := alloc.At[header](s.arena, ref); h.queue() != inFirst {
			hash := x.db.HashOf(ref)
			v.addrs[len(list)] = s.frequency.Address(s.arena, hash)
			hashes[len(list)] = hash
			list = append(list, candidate{int64(s.present()-h.getClock()) & clockMask, ref})
		}
	}
	alloc.Prefetch(v.addrs[:len(list)])
	reach := agePeriod * int64(x.db.table.Len())
	for i := range list {
		c := &list[i]
		n := min(int64(s.frequency.Count(s.arena, hashes[i])), reach/(c.score<<accessShift+1))
		c.score |= (15 - n) << clockBits
	}
	return list
}

// frequencyOf returns the frequency that scoreMain has put into a score.
func frequencyOf(score int64) int { return 15 - int(score>>clockBits) }
