package tracking

import (
	"encoding/binary"
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types/dict"
)

// Table is the keys of one shard that clients have read, with the clients' numbers.
type Table struct {
	arena *alloc.Arena
	index dict.Index
	hash  func([]byte) uint64
	items int
}

// NewTable makes an empty table. hash is that of the names given with it.
func NewTable(heap *alloc.Heap, hash func([]byte) uint64) *Table {
	t := &Table{arena: alloc.NewArena(heap), hash: hash}
	t.index.Init(t.arena)
	return t
}

const headBytes = 12

// head is the fixed part of a key's block.
type head struct{ clients, capacity, length uint32 }

func (h head) size() int { return headBytes + 8*int(h.capacity) + int(h.length) }

func (t *Table) head(ref alloc.Ref) head {
	b := t.arena.Bytes(ref, headBytes)
	return head{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])}
}

func (t *Table) putHead(ref alloc.Ref, h head) {
	b := t.arena.Bytes(ref, headBytes)
	binary.LittleEndian.PutUint32(b, h.clients)
	binary.LittleEndian.PutUint32(b[4:], h.capacity)
	binary.LittleEndian.PutUint32(b[8:], h.length)
}

// clients is the numbers in a block.
type clients []byte

func (c clients) at(i int) uint64      { return binary.LittleEndian.Uint64(c[8*i:]) }
func (c clients) put(i int, id uint64) { binary.LittleEndian.PutUint64(c[8*i:], id) }

// parts returns the room for clients and the name in the block at ref.
func (t *Table) parts(ref alloc.Ref, h head) (clients, []byte) {
	b := t.arena.Bytes(ref, h.size())
	names := headBytes + 8*int(h.capacity)
	return clients(b[headBytes:names]), b[names:]
}

// HashOf returns the hash of the name in the block at ref; it makes *Table a dict.Hasher.
func (t *Table) HashOf(ref alloc.Ref) uint64 {
	_, name := t.parts(ref, t.head(ref))
	return t.hash(name)
}

// Len returns the number of keys.
func (t *Table) Len() int { return t.index.Len() }

// Items returns the number of pairs of a key and a client.
func (t *Table) Items() int { return t.items }

// Bytes returns the memory in use.
func (t *Table) Bytes() int { return t.arena.ApproxAllocated() }

// find returns where the key is: ref is 0 if it is not there.
func (t *Table) find(hash uint64, name []byte) (b *dict.Bucket, slot int, ref alloc.Ref) {
	fp := dict.Fingerprint(hash)
	for b = t.index.Find(hash); b != nil; b = t.index.Next(b) {
		for m := b.Match(fp); m != 0; m &= m - 1 {
			slot = bits.TrailingZeros32(m)
			ref = b.Ref(slot)
			if _, n := t.parts(ref, t.head(ref)); string(n) == string(name) {
				return b, slot, ref
			}
		}
	}
	return nil, 0, 0
}

// Add notes that client id has read the key. alive tells whether a client still exists. It reports false if there is no memory.
func (t *Table) Add(hash uint64, name []byte, id uint64, alive func(id uint64) bool) bool {
	b, slot, ref := t.find(hash, name)
	if ref == 0 {
		return t.insert(hash, name, id)
	}
	h := t.head(ref)
	ids, _ := t.parts(ref, h)
	i := position(ids, int(h.clients), id)
	if i < int(h.clients) && ids.at(i) == id {
		return true
	}
	if h.clients == h.capacity {
		if h = t.forget(ref, h, alive); h.clients > h.capacity/2 {
			if ref = t.grow(ref, h); ref == 0 {
				return false
			}
			b.SetRef(slot, ref)
			h = t.head(ref)
		}
		ids, _ = t.parts(ref, h)
		i = position(ids, int(h.clients), id)
	}
	copy(ids[8*i+8:], ids[8*i:8*int(h.clients)])
	ids.put(i, id)
	h.clients++
	t.putHead(ref, h)
	t.items++
	return true
}

// position returns the index of the first of n numbers that is not less than id.
func position(ids clients, n int, id uint64) int {
	low := 0
	for low < n {
		if mid := (low + n) / 2; ids.at(mid) < id {
			low = mid + 1
		} else {
			n = mid
		}
	}
	return low
}

func (t *Table) insert(hash uint64, name []byte, id uint64) bool {
	h := head{clients: 1, capacity: 1, length: uint32(len(name))}
	ref := t.arena.Alloc(h.size())
	if ref == 0 {
		return false
	}
	t.putHead(ref, h)
	ids, n := t.parts(ref, h)
	ids.put(0, id)
	copy(n, name)
	if !t.index.Insert(hash, ref, t) {
		t.arena.Free(ref, h.size())
		return false
	}
	t.items++
	return true
}

// forget leaves out the numbers of clients that have gone.
func (t *Table) forget(ref alloc.Ref, h head, alive func(uint64) bool) head {
	ids, _ := t.parts(ref, h)
	kept := 0
	for i := range int(h.clients) {
		if id := ids.at(i); alive(id) {
			ids.put(kept, id)
			kept++
		}
	}
	t.items -= int(h.clients) - kept
	h.clients = uint32(kept)
	t.putHead(ref, h)
	return h
}

// grow moves the block at ref to one with room for twice as many clients.
func (t *Table) grow(ref alloc.Ref, h head) alloc.Ref {
	wide := head{clients: h.clients, capacity: 2 * h.capacity, length: h.length}
	fresh := t.arena.Alloc(wide.size())
	if fresh == 0 {
		return 0
	}
	ids, name := t.parts(ref, h)
	t.putHead(fresh, wide)
	freshIDs, freshName := t.parts(fresh, wide)
	copy(freshIDs, ids)
	copy(freshName, name)
	t.arena.Free(ref, h.size())
	return fresh
}

// Take forgets the key after telling visit which clients have read it, in the order of their numbers. It reports
// whether the key was there.
func (t *Table) Take(hash uint64, name []byte, visit func(id uint64)) bool {
	b, slot, ref := t.find(hash, name)
	if ref == 0 {
		return false
	}
	t.remove(hash, b, slot, ref, visit)
	return true
}

func (t *Table) remove(hash uint64, b *dict.Bucket, slot int, ref alloc.Ref, visit func(id uint64)) {
	h := t.head(ref)
	ids, _ := t.parts(ref, h)
	for i := range int(h.clients) {
		visit(ids.at(i))
	}
	t.items -= int(h.clients)
	t.index.Remove(hash, b, slot)
	t.arena.Free(ref, h.size())
	t.index.Step(1, t)
}

// TakeRandom is Take for a key picked at random: begin is told its name, of which it has to make a copy to keep it.
func (t *Table) TakeRandom(random func() uint64, begin func(name []byte), visit func(id uint64)) bool {
	ref := t.index.Random(random)
	if ref == 0 {
		return false
	}
	_, name := t.parts(ref, t.head(ref))
	begin(name)
	hash := t.hash(name)
	b, slot, ref := t.find(hash, name)
	t.remove(hash, b, slot, ref, visit)
	return true
}

// Drop empties t in constant time. The caller gives the memory of the arena that it returns back in steps
// (alloc.Arena.ReleaseStep).
func (t *Table) Drop() *alloc.Arena {
	t.index.Forget()
	t.items = 0
	return t.arena.Detach()
}
