package shard

import (
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
