package dict

import (
	"fmt"
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// Check verifies the whole table, for tests: each entry is in its bucket under its fingerprint, all buckets of a chain but
// the last are full, and the counts agree.
func (t *Table) Check(a *alloc.Arena, hasher Hasher) error {
	count, overflow := 0, 0
	n := t.n
	for i := range n {
		for b := t.bucket(a, i); b != nil; b = b.Next(a) {
			used := b.Used()
			count += bits.OnesCount32(used)
			if b != t.bucket(a, i) {
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
	if count != t.Len() || overflow != t.overflow() {
		return fmt.Errorf("%d entries and %d overflow buckets are counted as %d and %d", count, overflow, t.Len(), t.overflow())
	}
	if t.is(growing) && !t.Resizing() {
		return fmt.Errorf("growing with %d buckets", n)
	}
	return nil
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

// checkAddresses compares what Find and Peek go by with the table.
func (x *Index) checkAddresses() error {
	t := &x.table
	if shape := x.shape.Load(); shape != mask(t.n)|uint64(t.n) {
		return fmt.Errorf("the shape of %d buckets is taken for %#x", t.n, shape)
	}
	for k := range x.segments {
		want := uintptr(0)
		if first := t.firstOf(k); first < t.Buckets() {
			want = x.arena.Addr(t.segment(x.arena, k)) - uintptr(first)*bucketBytes
		}
		if x.segments[k].Load() != want {
			return fmt.Errorf("segment %d of a table of %d buckets is at the wrong address", k, t.n)
		}
	}
	return nil
}
