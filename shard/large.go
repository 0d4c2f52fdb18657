package shard

import (
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

// large is a string with a mapping of its own.
type large struct {
	mem    alloc.Large
	length int
	refs   atomic.Int32                // one for each entry (COPY shares), one for each Pinned, and one of who watches
	watch  atomic.Pointer[stringWatch] // nil mostly
	ks     *Keyspace
}

func (l *large) bytes() []byte { return l.mem.Bytes(l.length) }

// Pinned is a string value that stays unchanged and in place until Release, though its key may
// be overwritten or deleted meanwhile.
type Pinned struct{ l *large }

// Large is the memory of a large string that is being received and not a key's value yet.
type Large struct{ l *large }

// Bytes returns the value.
func (p Pinned) Bytes() []byte { return p.l.bytes() }

// Release ends the pin. Any goroutine may call it, once.
func (p Pinned) Release() { p.l.unref() }

// Pin pins string e if it is large; ok is false for any other.
func (db *DB) Pin(e Entry) (p Pinned, ok bool) {
	if e.h.flags&flagLarge == 0 {
		return Pinned{}, false
	}
	l := db.large(e)
	l.refs.Add(1)
	return Pinned{l}, true
}

// IsMapped tells whether string e has a mapping of its own, as those of LargeMin bytes and more have.
func (db *DB) IsMapped(e Entry) bool { return e.h.flags&flagLarge != 0 }

// large returns the mapping of e, which has one.
func (db *DB) large(e Entry) *large {
	block, l := db.block(e)
	return db.shard.large[le32(l.valueIn(block))]
}

// retired is memory that nobody refers to, being given back in steps.
type retired struct {
	items  atomic.Int32 // of the lists below, and those that a step is at work on
	bytes  atomic.Int64 // live blocks of arenas
	mu     sync.Mutex
	maps   []alloc.Large
	arenas []*alloc.Arena
	values [][]*large // of flushed shards; some are nil
}

// unref ends one hold on l.
func (l *large) unref() {
	if l.refs.Add(-1) > 0 {
		return
	}
	r := &l.ks.retired
	r.items.Add(1)
	r.mu.Lock()
	r.maps = append(r.maps, l.mem)
	r.mu.Unlock()
}

// takeShard takes over what a flushed shard held.
func (r *retired) takeShard(a *alloc.Arena, values []*large) {
	r.items.Add(2)
	r.bytes.Add(int64(a.ApproxAllocated()))
	r.mu.Lock()
	r.arenas = append(r.arenas, a)
	r.values = append(r.values, values)
	r.mu.Unlock()
}

// RetiredBytes returns how much of what flushed shards held has not been given back yet; large strings are in
// the heap's statistics.
func (ks *Keyspace) RetiredBytes() int { return int(ks.retired.bytes.Load()) }

// ReleaseStep gives back at most limit bytes of what flushed shards and large values held. It needs no lock; several
// goroutines may work at it. It returns whether more remains.
func (ks *Keyspace) ReleaseStep(limit int) bool {
	r := &ks.retired
	if r.items.Load() == 0 {
		return false
	}
	if l := r.takeValue(); l != nil {
		l.unref()
	}
	if m, ok := pop(r, &r.maps); ok {
		if m.ReleaseStep(ks.heap, limit) {
			r.items.Add(-1)
		} else {
			r.mu.Lock()
			r.maps = append(r.maps, m)
			r.mu.Unlock()
		}
	}
	if a, ok := pop(r, &r.arenas); ok {
		r.releaseArena(a, limit)
	}
	return r.items.Load() > 0
}

// pop takes the last element off one of r's lists.
func pop[T any](r *retired, list *[]T) (last T, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(*list)
	if n == 0 {
		return last, false
	}
	var none T
	last, (*list)[n-1] = (*list)[n-1], none
	*list = (*list)[:n-1]
	return last, true
}

// takeValue returns one of the large values of flushed shards, or nil.
func (r *retired) takeValue() *large {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := len(r.values) - 1; n >= 0; n-- {
		list := r.values[n]
		for i := len(list) - 1; i >= 0; i-- {
			if l := list[i]; l != nil {
				r.values[n] = list[:i]
				return l
			}
		}
		r.values[n] = nil
		r.values = r.values[:n]
		r.items.Add(-1)
	}
	return nil
}

func (r *retired) releaseArena(a *alloc.Arena, limit int) {
	before := a.ApproxAllocated()
	done := a.ReleaseStep(max(limit/alloc.PageSize, 1))
	r.bytes.Add(int64(a.ApproxAllocated() - before))
	if done {
		r.items.Add(-1)
		return
	}
	r.mu.Lock()
	r.arenas = append(r.arenas, a)
	r.mu.Unlock()
}

// LargeMin is the length in bytes from which a string is given a mapping of its own.
const LargeMin = largeValue

// NewLarge returns memory for a string of n >= LargeMin bytes that a client is sending, filled
// with zeros, or nil. It needs no lock. It becomes a key's value by SetLarge or is given up by Drop.
func (ks *Keyspace) NewLarge(n int) *Large {
	mem, err := ks.heap.MapLarge(n)
	if err != nil {
		return nil
	}
	l := &large{mem: mem, length: n, ks: ks}
	l.refs.Store(1)
	return &Large{l}
}

// Bytes returns the memory.
func (l *Large) Bytes() []byte { return l.l.bytes() }

// Drop gives the memory back.
func (l *Large) Drop() { l.l.unref() }

// Scratch returns n values of a type without pointers that a command needs while it runs, and what gives them back; nil
// if there is no memory. Unlike on the Go heap they cost nothing until they are touched.
func Scratch[T any](ks *Keyspace, n int) (list []T, drop func()) {
	l := ks.NewLarge(n * alloc.SizeOf[T]())
	if l == nil {
		return nil, nil
	}
	return alloc.Elements[T](&l.l.mem, n), l.Drop
}

// SetLarge sets k to the bytes of l without a copy. l is the keyspace's afterwards, also when it reports false
// because there is no memory.
func (db *DB) SetLarge(k *Key, l *Large, m SetMode) bool {
	return db.setLarge(k, db.Find(k), l.l, m)
}

// register gives l an index in s.
func (s *Shard) register(l *large) uint32 {
	if n := len(s.freeLarge); n > 0 {
		index := s.freeLarge[n-1]
		s.freeLarge = s.freeLarge[:n-1]
		s.large[index] = l
		return index
	}
	s.large = append(s.large, l)
	return uint32(len(s.large) - 1)
}

// releaseLarge ends the entry's hold on large value index.
func (s *Shard) releaseLarge(index uint32) {
	l := s.large[index]
	s.large[index] = nil
	s.freeLarge = append(s.freeLarge, index)
	if w := l.watch.Load(); w != nil && w.shard == s {
		l.watch.Store(nil) // if another key shares it, whoever changes that one copies it
		w.Orphan()
	}
	l.unref()
}

// setLarge sets k to l, taking over one reference to it.
func (db *DB) setLarge(k *Key, e Entry, l *large, m SetMode) bool {
	e, v, ok := db.overwrite(k, e, flagLarge, payloadBytes, m)
	if !ok {
		l.unref()
		return false
	}
	e.h.kind = uint8(types.String) | uint8(types.Raw)<<4
	putLE32(v, db.shard.register(l))
	db.Modified(k)
	return true
}

// growLarge lengthens large value index to n bytes and returns them for writing. A pinned value is copied, as its
// readers must not see the change; who watches it is told of it.
func (s *Shard) growLarge(index uint32, n int) []byte {
	l := s.large[index]
	mine := int32(1)
	if w := l.watch.Load(); w != nil && w.shard == s {
		mine = 2
	}
	if l.refs.Load() > mine {
		fresh := s.ks.NewLarge(n)
		if fresh == nil {
			return nil
		}
		copy(fresh.l.bytes(), l.bytes())
		s.large[index] = fresh.l
		if mine == 2 {
			w := l.watch.Swap(nil)
			w.Orphan()
		}
		l.unref()
		return fresh.l.bytes()
	}
	if n > l.mem.Cap() {
		if err := l.mem.Grow(s.ks.heap, n+n/4); err != nil {
			return nil
		}
	}
	l.length = max(l.length, n)
	return l.bytes()
}
