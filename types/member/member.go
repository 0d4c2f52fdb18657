package member

import (
	"encoding/binary"
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
)

// Head returns how many bytes of a block a member of n bytes takes.
func Head(n int) int {
	if n < 0x80 {
		return n + 1
	}
	return n + (bits.Len64(uint64(n))+6)/7
}

// Put writes name to the beginning of block and returns where the rest begins.
func Put(block, name []byte) int {
	if len(name) < 0x80 {
		block[0] = byte(len(name))
		return 1 + copy(block[1:], name)
	}
	n := binary.PutUvarint(block, uint64(len(name)))
	return n + copy(block[n:], name)
}

// Name returns the member that the block ref begins with.
func Name(a *alloc.Arena, ref alloc.Ref) []byte {
	if n := int(a.Bytes(ref, 1)[0]); n < 0x80 {
		return a.Bytes(ref, 1+n)[1:]
	}
	return longName(a, ref)
}

func longName(a *alloc.Arena, ref alloc.Ref) []byte {
	n, at := 0, 0
	for shift := 0; ; shift += 7 {
		b := a.Bytes(ref, at+1)[at]
		at++
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return a.Bytes(ref, at+n)[at:]
		}
	}
}

// NameHead returns Head of the member that the block ref begins with.
func NameHead(a *alloc.Arena, ref alloc.Ref) int {
	if n := int(a.Bytes(ref, 1)[0]); n < 0x80 {
		return 1 + n
	}
	return Head(len(longName(a, ref)))
}

// Place is where a member is in its table, or would be. It is valid until the table's next change.
type Place struct {
	Hash   uint64
	Ref    alloc.Ref // the member's block; 0 if it is not there
	slot   int
	bucket *dict.Bucket
}

// Find looks for a member.
func Find(sp *types.Space, t *dict.Table, name []byte) Place {
	return FindHashed(sp, t, sp.Hash(name), name)
}

// FindHashed is Find for a name whose hash is known.
func FindHashed(sp *types.Space, t *dict.Table, h uint64, name []byte) Place {
	p := Place{Hash: h}
	fp := dict.Fingerprint(h)
	for b := t.Find(sp.Arena, p.Hash); b != nil; b = b.Next(sp.Arena) {
		for m := b.Match(fp); m != 0; m &= m - 1 {
			slot := bits.TrailingZeros32(m)
			if ref := b.Ref(slot); equals(sp.Arena, ref, name) {
				p.Ref, p.slot, p.bucket = ref, slot, b
				return p
			}
		}
	}
	return p
}

// Prefetch asks for the memory of what Find will look at, for the first names of a list.
func Prefetch(sp *types.Space, t *dict.Table, names [][]byte) {
	var hashes [dict.MaxPrefetch]uint64
	n := min(len(names), len(hashes))
	for i, name := range names[:n] {
		hashes[i] = sp.Hash(name)
	}
	t.Prefetch(sp.Arena, hashes[:n])
}

func equals(a *alloc.Arena, ref alloc.Ref, name []byte) bool {
	if n := len(name); n < 0x80 {
		return int(a.Bytes(ref, 1)[0]) == n && string(a.Bytes(ref, 1+n)[1:]) == string(name)
	}
	return string(Name(a, ref)) == string(name)
}

// Found tells whether the member is there.
func (p *Place) Found() bool { return p.Ref != 0 }

// Insert adds the block ref, which begins with the member that was not found. It reports false, with nothing changed, if
// there is no memory. It does at most one step of growth.
func (p *Place) Insert(sp *types.Space, t *dict.Table, ref alloc.Ref) bool {
	return t.Insert(sp.Arena, p.Hash, ref, Hasher{sp})
}

// Replace puts the block ref, which begins with the same member, in the place of the one found; that one is the caller's.
func (p *Place) Replace(ref alloc.Ref) {
	p.bucket.SetRef(p.slot, ref)
	p.Ref = ref
}

// Remove takes the member that was found out of the table; its block is the caller's.
func (p *Place) Remove(sp *types.Space, t *dict.Table) {
	t.Remove(sp.Arena, p.Hash, p.bucket, p.slot)
}

// FindRef looks for the block ref, which is in the table.
func FindRef(sp *types.Space, t *dict.Table, ref alloc.Ref) Place {
	return Find(sp, t, Name(sp.Arena, ref))
}

// Random returns a block picked at random, all nearly equally likely, or 0 if the table is empty.
func Random(sp *types.Space, t *dict.Table) alloc.Ref { return t.Random(sp.Arena, sp.Rand) }

// Hasher tells the table the hashes of its members; see [dict.Hasher].
type Hasher struct{ Space *types.Space }

// HashOf returns the hash of the member that the block ref begins with.
func (h Hasher) HashOf(ref alloc.Ref) uint64 { return h.Space.Hash(Name(h.Space.Arena, ref)) }

// Check verifies the table; see [dict.Table.Check].
func Check(sp *types.Space, t *dict.Table) error { return t.Check(sp.Arena, Hasher{sp}) }
