package wheel

import (
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

// sampleChain is how many chunks of a slot Sample passes over at most.
const sampleChain = 32

// Sample fills dst with records of one slot that random picks, and returns how many. Each slot in use is as likely as
// the others, however many records it holds.
func (w *Wheel) Sample(random uint64, dst []uint32) int {
	chain := w.chainAt(int(uint32(random)))
	if chain == 0 {
		return 0
	}
	for skip := random >> 32 % sampleChain; skip > 0; skip-- {
		next := alloc.At[chunkHeader](w.arena, chain).next
		if next == 0 {
			break
		}
		chain = next
	}
	n := 0
	for ; chain != 0 && n < len(dst); chain = alloc.At[chunkHeader](w.arena, chain).next {
		for i := range min(int(alloc.At[chunkHeader](w.arena, chain).count), len(dst)-n) {
			dst[n] = *w.record(chain, i)
			n++
		}
	}
	return n
}

// Soonest fills dst with records that come back soonest, and returns how many: those of the first slot in use.
func (w *Wheel) Soonest(dst []uint32) int {
	chain, next := w.due, int64(0)
	for n := range w.levels {
		l := &w.levels[n]
		slot := l.nextFrom(int(w.tick>>(8*n)) & (slots - 1))
		if slot < 0 || w.due != 0 {
			continue
		}
		if back := w.comesBack(n, slot); chain == 0 || back < next {
			chain, next = *w.head(l, slot), back
		}
	}
	n := 0
	for ; chain != 0 && n < len(dst); chain = alloc.At[chunkHeader](w.arena, chain).next {
		for i := range min(int(alloc.At[chunkHeader](w.arena, chain).count), len(dst)-n) {
			dst[n] = *w.record(chain, i)
			n++
		}
	}
	return n
}

// chainAt returns the first chunk of one of the slots in use, of which pick, modulo their number, tells which; 0 if
// there is none.
func (w *Wheel) chainAt(pick int) alloc.Ref {
	used := 0
	if w.due != 0 {
		used++
	}
	for n := range w.levels {
		for _, word := range w.levels[n].occupied {
			used += bits.OnesCount64(word)
		}
	}
	if used == 0 {
		return 0
	}
	pick %= used
	if w.due != 0 {
		if pick == 0 {
			return w.due
		}
		pick--
	}
	for n := range w.levels {
		l := &w.levels[n]
		for i, word := range l.occupied {
			if c := bits.OnesCount64(word); pick >= c {
				pick -= c
				continue
			}
			for ; pick > 0; pick-- {
				word &= word - 1
			}
			return *w.head(l, i*64+bits.TrailingZeros64(word))
		}
	}
	return 0
}
