package dict

import (
	"fmt"
	"math/bits"
)

// Check verifies the whole table, for tests: each entry is in its bucket under its fingerprint, all buckets of a chain but
// the last are full, and the counts agree.
func (t *Table) Check(hasher Hasher) error {
	count, overflow := 0, 0
	n := t.n.Load()
	for i := range n {
		for b := t.bucket(i); b != nil; b = t.Next(b) {
			used := b.Used()
			count += bits.OnesCount32(used)
			if b != t.bucket(i) {
				overflow++
				if used == 0 {
					return fmt.Errorf("bucket %d has an empty overflow bucket", i)
				}
			}
			if b.next != 0 && used != allOf {
				return fmt.Errorf("bucket %d is not dense: used %#x", i, used)
			}
			if err := checkBucket(b, i, n, hasher); err != nil {
				return err
			}
		}
	}
	if count != t.count || overflow != t.overflow {
		return fmt.Errorf("%d entries and %d overflow buckets are counted as %d and %d", count, overflow, t.count, t.overflow)
	}
	return t.checkSegments(n)
}

func checkBucket(b *Bucket, i, n uint32, hasher Hasher) error {
	for slot := range Slots {
		if b.Used()>>slot&1 == 0 {
			if b.refs[slot] != 0 {
				return fmt.Errorf("bucket %d: free slot %d has a reference", i, slot)
			}
			continue
		}
		h := hasher.HashOf(b.refs[slot])
		if number(h, n) != i || Fingerprint(h) != b.fp(slot) {
			return fmt.Errorf("hash %#x lies in bucket %d of %d with fingerprint %#x", h, i, n, b.fp(slot))
		}
	}
	return nil
}

func (t *Table) checkSegments(n uint32) error {
	for k := range t.segments {
		want := n > 0 && k <= segmentOf(n-1)
		has := t.segments[k].Load() != 0
		if has != want || (t.refs[k] != 0) != want {
			return fmt.Errorf("segment %d of a table of %d buckets: present %v", k, n, has)
		}
		if has && t.segments[k].Load() != t.arena.Addr(t.refs[k])-uintptr(firstOf(k))*bucketBytes {
			return fmt.Errorf("segment %d is at the wrong address", k)
		}
	}
	if t.growing && !t.Resizing() {
		return fmt.Errorf("growing with %d buckets", n)
	}
	return nil
}
