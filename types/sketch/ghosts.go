package sketch

import "github.com/shoaldb/shoal/alloc"

// perGhostBlock is how many prints a block holds; its first 32 bits are the index of the oldest.
const perGhostBlock = blockBytes/4 - 1

// Ghosts remembers which keys were evicted last: about as many as there are keys. Each block is a ring of its own, so a
// print that is put in replaces the oldest of its block.
type Ghosts struct{ blocks }

// Bytes returns the memory that g takes.
func (g *Ghosts) Bytes() int { return g.bytes() }

// Peek returns where the key of hash h would be remembered, for prefetching, or 0. It needs no lock.
func (g *Ghosts) Peek(a *alloc.Arena, h uint64) uintptr { return g.peek(a, mix(h)) }

// Fit adapts the table, one block at a time, to the number of keys there are.
func (g *Ghosts) Fit(a *alloc.Arena, keys int) { g.fit(a, keys/perGhostBlock+1) }

// Clear gives back memory, some 1 KiB for each of limit, and returns whether none is left.
func (g *Ghosts) Clear(a *alloc.Arena, limit int) bool { return g.clear(a, limit) }

// print returns the 32 bits that stand for a mixed hash; never 0.
func print(m uint64) uint32 { return uint32(m) | 1 }

func (b *block) half(i int) uint32 { return uint32(b[i/2] >> (32 * (i & 1))) }

func (b *block) setHalf(i int, v uint32) {
	s := 32 * (i & 1)
	b[i/2] = b[i/2]&^(0xffffffff<<s) | uint64(v)<<s
}

// Add remembers the key of hash h.
func (g *Ghosts) Add(a *alloc.Arena, h uint64) {
	if g.n.Load() == 0 {
		return
	}
	m := mix(h)
	b := g.find(a, m)
	at := b.half(0) % perGhostBlock
	b.setHalf(1+int(at), print(m))
	b.setHalf(0, at+1)
}

// Take tells whether the key of hash h is remembered, and forgets it.
func (g *Ghosts) Take(a *alloc.Arena, h uint64) bool {
	if g.n.Load() == 0 {
		return false
	}
	m := mix(h)
	b := g.find(a, m)
	want := uint64(print(m))
	for i := range b {
		w := b[i]
		if i > 0 && uint64(uint32(w)) == want {
			b.setHalf(2*i, 0)
			return true
		}
		if w>>32 == want {
			b.setHalf(2*i+1, 0)
			return true
		}
	}
	return false
}
