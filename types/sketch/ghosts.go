package sketch

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// perGhostBlock is how many prints, of 16 bits each, a block holds; its first 16 bits are the index of the oldest.
const perGhostBlock = blockBytes/2 - 1

// Ghosts remembers which keys were evicted last: about as many as there are keys. Each block is a ring of its own, so a
// print that is put in replaces the oldest of its block. One in two thousand keys that are not remembered seems to be: it
// has the print of another one.
type Ghosts struct{ blocks }

// Bytes returns the memory that g takes.
func (g *Ghosts) Bytes() int { return g.bytes() }

// Peek returns where the key of hash h would be remembered, for prefetching, or 0. It needs no lock.
func (g *Ghosts) Peek(a *alloc.Arena, h uint64) uintptr { return g.peek(a, mix(h)) }

// Fit adapts the table, one block at a time, to the number of keys there are.
func (g *Ghosts) Fit(a *alloc.Arena, keys int) { g.fit(a, keys/perGhostBlock+1) }

// Clear gives back memory, some 1 KiB for each of limit, and returns whether none is left.
func (g *Ghosts) Clear(a *alloc.Arena, limit int) bool { return g.clear(a, limit) }

// print returns the 16 bits that stand for a mixed hash; never 0.
func print(m uint64) uint64 { return max(m&0xffff, 1) }

func (b *block) quarter(i int) uint64 { return b[i/4] >> (16 * (i & 3)) & 0xffff }

func (b *block) setQuarter(i int, v uint64) {
	s := 16 * (i & 3)
	b[i/4] = b[i/4]&^(0xffff<<s) | v<<s
}

// findPrint returns the place of a print in the block, or 0.
func (b *block) findPrint(p uint64) int {
	const ones, tops = 0x0001_0001_0001_0001, 0x8000_8000_8000_8000
	for i, w := range b {
		d := w ^ p*ones // where the print is, 16 bits of it are zero: the lowest of these that look so are
		if i == 0 {
			d |= 0xffff // the index
		}
		if zero := (d - ones) &^ d & tops; zero != 0 {
			return 4*i + bits.TrailingZeros64(zero)/16
		}
	}
	return 0
}

// Add remembers the key of hash h.
func (g *Ghosts) Add(a *alloc.Arena, h uint64) {
	if g.n.Load() == 0 {
		return
	}
	m := mix(h)
	b := g.find(a, m)
	at := b.quarter(0) % perGhostBlock
	b.setQuarter(1+int(at), print(m))
	b.setQuarter(0, at+1)
}

// Take tells whether the key of hash h is remembered, and forgets it.
func (g *Ghosts) Take(a *alloc.Arena, h uint64) bool {
	if g.n.Load() == 0 {
		return false
	}
	m := mix(h)
	b := g.find(a, m)
	at := b.findPrint(print(m))
	if at == 0 {
		return false
	}
	b.setQuarter(at, 0)
	return true
}
