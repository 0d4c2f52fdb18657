package shard

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

// Options are the settings of a Keyspace.
type Options struct {
	Shards    int // a power of two, at most 4096
	Databases int
	Seed      uint64 // of the hash; random per process, against hash flooding
	NowMS     int64
}

// Events is told what the keyspace does of its own accord, while the shard's lock is held.
type Events interface {
	Expired(db int, key []byte)
	// FieldExpired is called for each field that is about to be removed from a hash, and then FieldsExpired once: gone tells
	// whether the key goes with them.
	FieldExpired(db int, key, field []byte)
	FieldsExpired(db int, key []byte, gone bool)
	// Evicted is called for each key that is about to be deleted to make room.
	Evicted(db int, key []byte)
}

// Keyspace is all shards of a server.
type Keyspace struct {
	shards []*Shard
	mask   uint64
	seed   uint64
	dbs    int
	heap   *alloc.Heap
	events Events

	heldUntilMS atomic.Int64 // see HoldExpired

	lfuLogFactor, lfuDecayMinutes atomic.Int64
	budget                        budget // see SetEviction

	retired retired

	readySeq atomic.Uint64  // of keys becoming ready
	onReady  func(s *Shard) // see ServeReady

	waitedFor, waitedForLost atomic.Int64 // see WaitedFor
}

// Shard is one partition of the keyspace. What nearly every command writes is in the first cache line, which moves between the
// cores with the lock; what commands only read is in the next ones.
type Shard struct {
	mu    sync.Mutex
	nowMS int64  // set by whoever takes the lock
	dueMS int64  // what expires up to then has expired: nowMS, or 0 while nothing expires
	clock uint32 // access clock for entries touched now
	keeps bool   // nothing expires; see KeepExpired
	stats Stats  // of which the first four fields end the line

	ks    *Keyspace
	arena *alloc.Arena
	dbs   []*DB

	saver    Saver  // of the snapshot that is being taken, or nil
	events   Events // see Hear
	observed int    // keys that are watched, and observers: 0 if nobody has to be told what is modified
	waiting  waiters
	parity   uint8  // of entries that saver need not save: flagParity or 0
	fieldTTL bool   // there may be hashes of which fields expire
	left     bool   // keys have been left whose time has come; see HoldExpired
	access   access // what access clocks are
	policy   Policy // of eviction; set with access
	ordered  access // what access clocks were when the keys were last put in order

	leases map[string]*lease // nil when there are none
	beyond *patternLease     // of keys that a command finds while it runs; see LeasePatterns

	account
	memory // of accesses, for some eviction policies

	index     int
	space     *types.Space // arena, for values
	observers []Observer

	large     []*large
	freeLarge []uint32
	garbage   []*DB        // detached by a flush, being freed
	dying     []types.Root // deleted large values, being freed

	nextDue atomic.Int64 // unix ms at which Expire has something to do; math.MaxInt64 if nothing
	work    atomic.Bool  // Tick may have something to do

	// Order is for whoever puts what happens in several shards in an order: it belongs to the lock's holder, and the
	// shard does not use it.
	Order uint64

	_ [55]byte // to a multiple of 64: the next shard's lock begins a line of its own
}

// Stats counts what happened in a shard since the last reset.
type Stats struct {
	Hits, Misses  int64
	Expired       int64
	ExpiredFields int64 // of hashes
	ExpireLag     Lag
	ExpiredStale  int64 // records of the expiry index that proved stale
	Evicted       int64
	FreedLater    int64 // values that were freed in steps, and keys of flushed databases
}

// Reset sets all counters to zero.
func (s *Stats) Reset() { *s = Stats{} }

// Key is a key's name bound to the database where it lives.
type Key struct {
	Name []byte
	Hash uint64
	DB   *DB
}

// New makes an empty keyspace. It holds no memory outside the Go heap until the first write.
func New(o Options, heap *alloc.Heap) *Keyspace {
	ks := &Keyspace{
		shards: make([]*Shard, o.Shards),
		mask:   uint64(o.Shards - 1),
		seed:   o.Seed,
		dbs:    o.Databases,
		heap:   heap,
	}
	ks.lfuLogFactor.Store(10)
	ks.lfuDecayMinutes.Store(1)
	shards := make([]Shard, o.Shards) // together, so that each begins a cache line
	for i := range ks.shards {
		ks.shards[i] = &shards[i]
		ks.shards[i].init(ks, i, o.NowMS)
	}
	return ks
}

// Listen makes e hear of expired keys. It must be called before the keyspace is used.
func (ks *Keyspace) Listen(e Events) { ks.events = e }

// ServeReady makes f take the ready keys of a shard that is about to be unlocked while it has some: when a key was deleted, or
// came into being, outside of a command's locks. It must be called before anybody waits for a key.
func (ks *Keyspace) ServeReady(f func(s *Shard)) { ks.onReady = f }

// KeepExpired makes keys, and fields of hashes, stay whose time has come, or be deleted again: while commands are
// loaded that were run before it came. The caller has locked no shard.
func (ks *Keyspace) KeepExpired(on bool) {
	ks.eachLocked(func(s *Shard) {
		s.keeps = on
		s.setNow(s.nowMS)
	})
}

// HoldExpired makes keys whose time has come stay up to a time (unix ms), though nobody finds them: while clients are
// paused nothing changes but by commands that had begun. Who creates such a key anew deletes it first. No lock is
// needed.
func (ks *Keyspace) HoldExpired(untilMS int64) { ks.heldUntilMS.Store(untilMS) }

// HoldsExpired tells whether keys stay whose time has come.
func (ks *Keyspace) HoldsExpired(nowMS int64) bool { return nowMS < ks.heldUntilMS.Load() }

// Shards returns the number of shards.
func (ks *Keyspace) Shards() int { return len(ks.shards) }

// Databases returns the number of databases.
func (ks *Keyspace) Databases() int { return ks.dbs }

// Shard returns shard i.
func (ks *Keyspace) Shard(i int) *Shard { return ks.shards[i] }

// Heap returns the page heap under all arenas.
func (ks *Keyspace) Heap() *alloc.Heap { return ks.heap }

// Hash returns the hash of key.
func (ks *Keyspace) Hash(key []byte) uint64 { return xxh3.HashSeed(key, ks.seed) }

// Key binds name to its place in database db. name must stay valid as long as the Key.
func (ks *Keyspace) Key(db int, name []byte) Key {
	h := ks.Hash(name)
	return Key{Name: name, Hash: h, DB: ks.shards[ks.place(name, h)].dbs[db]}
}

// Bind is Key into memory of the caller's.
func (ks *Keyspace) Bind(k *Key, db int, name []byte) {
	k.Name = name
	k.Hash = ks.Hash(name)
	h := k.Hash
	if mayHaveTag(name) {
		h = ks.tagHash(name, h)
	}
	k.DB = ks.shards[h>>32&ks.mask].dbs[db]
}

// place returns the index of the shard of a key with hash h.
func (ks *Keyspace) place(name []byte, h uint64) uint64 { return ks.tagHash(name, h) >> 32 & ks.mask }

// tagHash returns the hash of the name's hash tag, or h if it has none.
func (ks *Keyspace) tagHash(name []byte, h uint64) uint64 {
	if i := bytes.IndexByte(name, '{'); i >= 0 {
		if n := bytes.IndexByte(name[i+1:], '}'); n > 0 {
			return ks.Hash(name[i+1 : i+1+n])
		}
	}
	return h
}

// mayHaveTag reports false for names of 8 to 16 bytes without '{', which it takes two looks for.
func mayHaveTag(name []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	n := len(name)
	if n < 8 || n > 16 {
		return true
	}
	a := binary.LittleEndian.Uint64(name) ^ '{'*ones
	b := binary.LittleEndian.Uint64(name[n-8:]) ^ '{'*ones
	return ((a-ones)&^a|(b-ones)&^b)&high != 0
}

// LockAll locks every shard, in ascending order.
func (ks *Keyspace) LockAll(nowMS int64) {
	for _, s := range ks.shards {
		s.Lock(nowMS)
	}
}

// UnlockAll undoes LockAll.
func (ks *Keyspace) UnlockAll() {
	for _, s := range ks.shards {
		s.Unlock()
	}
}

func (s *Shard) init(ks *Keyspace, index int, nowMS int64) {
	s.ks, s.index, s.arena = ks, index, alloc.NewArena(ks.heap)
	s.space = types.NewSpace(s.arena, ks.seed)
	s.space.SeedRand(ks.seed ^ uint64(index+1)*0x9e3779b97f4a7c15)
	s.dbs = make([]*DB, ks.dbs)
	for i := range s.dbs {
		s.dbs[i] = &DB{shard: s, id: i}
		s.dbs[i].table.Init(s.arena)
	}
	s.setNow(nowMS)
	s.nextDue.Store(never)
}

// Index returns the shard's number.
func (s *Shard) Index() int { return s.index }

// DB returns the shard's part of database i.
func (s *Shard) DB(i int) *DB { return s.dbs[i] }

// Lock takes the shard. nowMS is the time (unix ms) that expiry is judged by until the next Lock.
func (s *Shard) Lock(nowMS int64) {
	s.mu.Lock()
	if nowMS != s.nowMS {
		s.setNow(nowMS)
	}
}

// TryLock is Lock if nobody holds the shard.
func (s *Shard) TryLock(nowMS int64) bool {
	if !s.mu.TryLock() {
		return false
	}
	s.setNow(nowMS)
	return true
}

// Unlock gives the shard back.
func (s *Shard) Unlock() {
	if len(s.waiting.ready) > 0 {
		s.ks.onReady(s)
	}
	if s.events != nil {
		s.events = nil
	}
	if s.counting {
		s.count()
	}
	s.mu.Unlock()
}

// Hear makes e, in place of the keyspace's listener, hear of what happens until the shard, which is locked, is unlocked.
func (s *Shard) Hear(e Events) { s.events = e }

// listener returns who hears of what happens, or nil.
func (s *Shard) listener() Events {
	if s.events != nil {
		return s.events
	}
	return s.ks.events
}

func (s *Shard) setNow(ms int64) {
	s.nowMS = ms
	if s.dueMS = ms; s.keeps {
		s.dueMS = 0
	}
	s.clock = s.access.clock(ms)
}

// NowMS returns the time given to Lock.
func (s *Shard) NowMS() int64 { return s.nowMS }

// Stats returns the shard's counters, which the holder of its lock may read and reset.
func (s *Shard) Stats() *Stats { return &s.stats }

// Arena returns the shard's memory.
func (s *Shard) Arena() *alloc.Arena { return s.arena }
