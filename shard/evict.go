package shard

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/dict"
)

// Eviction deletes keys when the data take more than they may. Whoever wants room picks a shard ([Evictor.Pick]), each with a
// probability in proportion to its keys, locks it and evicts some keys there ([Evictor.Evict]), until there is enough.
//
// As hashes spread the keys over the shards at random, each shard's keys are a sample of all. Where they are not (hash tags),
// an Evictor knows what the keys were like that it has evicted lately, and passes over a shard that has none like them.
//
// Most policies look at some keys at random and evict the best of them, several at once: of n*samples keys the n best.
// So memory is waited for once for all, and they are better on average than the best of n times samples. The others
// have the keys in an order (see order), or part of them.

const (
	evictAtOnce  = 16  // keys that one call of Evict deletes at most
	leastBatch   = 3   // for how many keys candidates are sampled at least
	maxSamples   = 16  // of maxmemory-samples: more is no better
	maxBuckets   = 64  // that are looked at for candidates
	candidateMax = 512 // entries that are looked at
	recordsAhead = 16  // whose entries are prefetched
	leastAhead   = 3   // of a queue: some of the keys stay
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

	refs    [candidateMax]alloc.Ref
	addrs   [candidateMax]uintptr
	scores  [candidateMax]candidate
	hashes  [candidateMax]uint32 // of refs, their lower halves
	records [maxBuckets]uint32
}

// candidate is an entry that might be evicted: its score 54 | its index in Evictor.refs 10. The highest goes first.
type candidate int64

const indexBits = 10 // candidateMax < 1<<indexBits

func newCandidate(score int64, index int) candidate {
	return candidate(score<<indexBits | int64(index))
}

func (c candidate) score() int64 { return int64(c >> indexBits) }
func (c candidate) index() int   { return int(c & (1<<indexBits - 1)) }

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

// Evict deletes keys of s, which is locked, until that gives back need bytes, at most evictAtOnce keys. It looks at a
// bounded number of entries, so it may delete fewer, or none. Large values are only marked as deleted: see
// [Keyspace.Freeing]. It returns the number of keys that are gone.
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
	case AllKeysRandom, VolatileRandom:
		x.random()
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
	if db := s.dbs[s.sole]; s.others == 0 && db.evictable() > 0 {
		return db
	}
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

	// Of allkeys-wtinylfu: it samples once, and when the victims are used up other shards have better ones.
	hasSampled, usedUp bool
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

// samples returns how many keys are looked at. Of many that are to go the best of four fifths as many as for one alone
// are better already: their mean rank among n*s is 1/2s of these, that of the best of s is 1/(s+1).
func (x *eviction) samples() int {
	if x.want > evictAtOnce/2 {
		return max(x.v.samples*4/5, 1) * x.want
	}
	return x.v.samples * max(x.want, leastBatch)
}

// sampled evicts the best of some keys.
func (x *eviction) sampled() {
	list := x.score(x.candidates(x.samples()))
	rejected := len(list) > 0
	for good := true; good && !x.done() && len(list) > 0; {
		n := min(x.want, len(list))
		selectBest(list, n)
		for _, c := range list[:n] {
			if good = x.good(c.score()); !good || x.done() {
				break
			}
			if k, e := x.db.locate(x.v.refs[c.index()]); e.h != nil && x.evict(&k, e) {
				rejected = false
				x.v.bar += (c.score() - x.v.bar) / 16
			}
		}
		list = list[n:]
	}
	if rejected {
		x.relax()
	}
}

// selectBest moves the n highest of list to its front. (C. A. R. Hoare, Algorithm 65: Find, CACM 4, 1961.)
func selectBest(list []candidate, n int) {
	if n == 1 {
		best := 0
		for i, c := range list {
			if c > list[best] {
				best = i
			}
		}
		list[0], list[best] = list[best], list[0]
		return
	}
	for n > 0 && n < len(list) {
		k := partition(list)
		switch {
		case k >= n:
			list = list[:k]
		default:
			list, n = list[k+1:], n-k-1
		}
	}
}

// partition moves those of list, which has two or more, that are higher than some other one of them to the front, that
// one behind these, and returns its place. Its loop has no branch but its own.
func partition(list []candidate) int {
	last := len(list) - 1
	// The median of three.
	a, b, c := list[0], list[len(list)/2], list[last]
	switch pivot := max(min(a, b), min(max(a, b), c)); pivot {
	case a:
		list[0], list[last] = c, a
	case b:
		list[len(list)/2], list[last] = c, b
	}
	pivot := list[last]
	k := 0
	for i := range last {
		c := list[i]
		list[i] = list[k]
		list[k] = c
		k += int(uint64(pivot-c) >> 63) // 1 if c is higher
	}
	list[last], list[k] = list[k], pivot
	return k
}

// random evicts any keys.
func (x *eviction) random() {
	v := x.v
	refs := x.candidates(2 * x.want)
	for !x.done() && len(refs) > 0 {
		n := min(recordsAhead, x.want, len(refs))
		for i := range n {
			j := i + int(v.rng.Uint64()>>33)%(len(refs)-i)
			refs[i], refs[j] = refs[j], refs[i]
			v.addrs[i] = x.s.arena.Addr(refs[i])
		}
		alloc.Prefetch(v.addrs[:n])
		for _, ref := range refs[:n] {
			if x.done() {
				break
			}
			if x.s.policy == VolatileRandom && alloc.At[header](x.s.arena, ref).flags&flagExpire == 0 {
				continue
			}
			if k, e := x.db.locate(ref); e.h != nil {
				x.evict(&k, e)
			}
		}
		refs = refs[n:]
	}
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

// timed returns entries with a time to live, where these are few: some that the expiry index has together. Under
// volatile-ttl these are, half of the time, those that expire next.
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
			if h.flags&flagExpire != 0 && uint32(db.HashOf(ref)) == rec && len(dst) < cap(dst) && !slices.Contains(dst, ref) {
				dst = append(dst, ref)
			}
		}
	}
	return dst
}

// score gives the entries scores, by the policy. refs is what candidates returned.
func (x *eviction) score(refs []alloc.Ref) []candidate {
	v, a := x.v, x.s.arena
	for i, ref := range refs {
		v.addrs[i] = a.Addr(ref)
	}
	alloc.Prefetch(v.addrs[:len(refs)])
	list := v.scores[:0]
	volatile := x.s.policy.Volatile()
	for i, ref := range refs {
		e := Entry{h: alloc.At[header](a, ref), ref: ref}
		if volatile && e.h.flags&flagExpire == 0 {
			continue
		}
		list = append(list, newCandidate(x.scoreOf(e), i))
	}
	return list
}

// mostScore bounds the scores of volatile-ttl, in ms.
const mostScore = 1 << (62 - indexBits)

func (x *eviction) scoreOf(e Entry) int64 {
	switch x.s.policy {
	case AllKeysLRU, VolatileLRU:
		return int64((x.s.clock - e.h.getClock()) & 0xffffff)
	case AllKeysLFU, VolatileLFU:
		return 255 - int64(x.db.countNow(e))
	case VolatileTTL:
		return max(-mostScore, min(x.s.nowMS-x.db.ExpireMS(e), mostScore))
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
