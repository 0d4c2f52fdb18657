package shard

import (
	"fmt"
	"math"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/wheel"
)

// Check verifies everything that the shard's structures promise each other, for tests and DEBUG: it walks all of them. The
// shard is locked.
func (s *Shard) Check() error {
	used := make([]int, len(s.large))
	bytes, next := 0, int64(never)
	for i, db := range append(append([]*DB(nil), s.dbs...), s.garbage...) {
		n, err := db.check(used, i < len(s.dbs))
		if err != nil {
			return fmt.Errorf("shard %d, database %d: %w", s.index, db.id, err)
		}
		bytes += n
	}
	for _, db := range s.dbs {
		for _, w := range db.expires.wheels() {
			next = min(next, w.NextMS())
		}
	}
	if due := s.nextDue.Load(); due > max(next, s.nowMS) {
		return fmt.Errorf("shard %d: the next expiry is awaited at %d, due at %d", s.index, due, next)
	}
	if st := s.arena.Stats(); st.Allocated != bytes+st.Tables {
		return fmt.Errorf("shard %d: %d bytes are allocated, %d are in use and %d in tables", s.index, st.Allocated, bytes, st.Tables)
	}
	return s.checkLarge(used)
}

// checkLarge compares the list of large values with how often entries refer to each.
func (s *Shard) checkLarge(used []int) error {
	for _, i := range s.freeLarge {
		used[i]++
		if s.large[i] != nil {
			return fmt.Errorf("shard %d: large value %d is free and set", s.index, i)
		}
	}
	for i, n := range used {
		if n != 1 {
			return fmt.Errorf("shard %d: large value %d is referred to %d times", s.index, i, n)
		}
	}
	return nil
}

// wheels returns those that exist.
func (x *expiry) wheels() []*wheel.Wheel {
	var list []*wheel.Wheel
	for _, w := range []*wheel.Wheel{x.wheel, x.rebuilt} {
		if w != nil {
			list = append(list, w)
		}
	}
	return list
}

// check verifies one database, counts its references to large values and returns the bytes that its entries and expiry
// index take. One that has been flushed may have lost its index.
func (db *DB) check(used []int, live bool) (bytes int, err error) {
	if err := db.table.Check(db); err != nil {
		return 0, err
	}
	x := &db.expires
	index := map[uint32]int64{} // earliest time at which a record comes back
	for _, w := range x.wheels() {
		bytes += w.Bytes()
		w.Each(func(backMS int64, rec uint32) {
			if was, ok := index[rec]; !ok || backMS < was {
				index[rec] = backMS
			}
		})
	}
	for _, rec := range x.unfinished {
		index[rec] = 0
	}
	if !live {
		index = nil
	}
	keys, sumMS := 0, int64(0)
	for i := range db.table.Buckets() {
		db.table.Visit(uint32(i), func(ref alloc.Ref) {
			e := db.entryAt(ref)
			if err == nil {
				err = db.checkEntry(e, used, index)
			}
			bytes += db.entryBytes(e, 0)
			if e.HasExpire() {
				keys++
				sumMS += db.ExpireMS(e)
			}
		})
	}
	if err == nil && live {
		err = db.checkOrder()
	}
	if err == nil && (keys != x.keys || sumMS != x.sumMS) {
		err = fmt.Errorf("%d keys expire, at %d in sum, counted as %d and %d", keys, sumMS, x.keys, x.sumMS)
	}
	return bytes, err
}

// checkOrder verifies that each key of an order has a record in the queue that it names.
func (db *DB) checkOrder() (err error) {
	s, o := db.shard, &db.order
	if s.access < accessOrder || o.walking {
		return nil
	}
	records := [2]map[uint32]bool{{}, {}}
	for i := range o.queues {
		o.queues[i].Each(s.arena, func(rec uint32) { records[i][rec] = true })
	}
	for i := range db.table.Buckets() {
		db.table.Visit(uint32(i), func(ref alloc.Ref) {
			e, rec := db.entryAt(ref), uint32(db.HashOf(ref))
			q := e.h.queue()
			known := q == inNone || records[0][rec] && q == inFirst || records[1][rec] && q == inSecond
			switch s.policy {
			case AllKeysSieve:
				known = q == inNone || records[0][rec] || records[1][rec]
			case AllKeysWTinyLFU:
				known = known || q == inSecond
			}
			if !known {
				err = fmt.Errorf("key %q has no record in queue %d", db.Key(e), q)
			}
		})
	}
	return err
}

// wheelSlackMS is how late the wheel may give a record back.
const wheelSlackMS = 8

func (db *DB) checkEntry(e Entry, used []int, index map[uint32]int64) error {
	h := e.h
	if e.Type() != types.String {
		if err := values[e.Type()].check(db.shard.space, db.Root(e)); err != nil {
			return fmt.Errorf("the %s of key %q: %w", e.Type(), db.Key(e), err)
		}
	}
	if h.flags&flagLarge != 0 && h.flags&flagBlock != 0 {
		return fmt.Errorf("key %q has two values", db.Key(e))
	}
	if h.flags&flagLarge != 0 {
		block, l := db.block(e)
		i := le32(l.valueIn(block))
		if int(i) >= len(used) || db.shard.large[i] == nil {
			return fmt.Errorf("key %q refers to large value %d, which is not there", db.Key(e), i)
		}
		used[i]++
	}
	if (h.flags&flagLongKey != 0) != (len(db.Key(e)) >= longKey) {
		return fmt.Errorf("key of %d bytes has flags %#x", len(db.Key(e)), h.flags)
	}
	ms := db.dueMS(e)
	if ms == never || index == nil {
		return nil
	}
	back, ok := index[uint32(db.HashOf(e.ref))]
	if !ok || back > max(ms, db.shard.nowMS)+wheelSlackMS && ms < math.MaxInt64-wheelSlackMS {
		return fmt.Errorf("key %q expires at %d; its record (there: %v) comes back at %d", db.Key(e), ms, ok, back)
	}
	return nil
}

// entryBytes returns what e takes of the arena.
func (db *DB) entryBytes(e Entry, samples int) int {
	block, l := db.block(e)
	n := alloc.UsableSize(l.size())
	if e.h.flags&flagBlock != 0 {
		n += alloc.UsableSize(readBlock(l.valueIn(block)).capacity)
	}
	if e.Type() != types.String {
		n += values[e.Type()].bytes(db.shard.space, db.Root(e), samples)
	}
	return n
}

var _ dict.Hasher = (*DB)(nil)
