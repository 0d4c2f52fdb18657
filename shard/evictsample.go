package shard

import (
	"math"
	"slices"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/dict"
)

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
