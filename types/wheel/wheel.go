package wheel

import (
	"math"
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
)

const (
	levels    = 5
	slots     = 256
	tickShift = 2 // 4 ms

	firstChunk = 32
	maxChunk   = 512
	chunkHead  = 8
)

// chunkHeader begins a chunk.
type chunkHeader struct {
	next  alloc.Ref
	bytes uint16
	count uint16
}

type level struct {
	heads    alloc.Ref          // off-heap array of 256 chunk references; 0 until used
	occupied [slots / 64]uint64 // a bit for each slot that holds records
}

// Wheel is a timing wheel. It is owned by whoever owns its arena.
type Wheel struct {
	arena  *alloc.Arena
	levels [levels]level
	tick   int64 // 4 ms ticks since the epoch: everything before it has come back or is in due
	due    alloc.Ref
	count  int
}

// Init makes w an empty wheel in a's memory at time nowMS (unix ms).
func (w *Wheel) Init(a *alloc.Arena, nowMS int64) {
	*w = Wheel{arena: a, tick: nowMS >> tickShift}
}

// Len returns the number of records.
func (w *Wheel) Len() int { return w.count }

// head returns the slot's chunk reference.
func (w *Wheel) head(l *level, slot int) *alloc.Ref {
	heads := alloc.At[[slots]alloc.Ref](w.arena, l.heads)
	return &heads[slot]
}

// place returns where a record due at tick belongs.
func (w *Wheel) place(tick int64) (int, int) {
	if tick < w.tick {
		tick = w.tick
	}
	// The level is the highest at which the due tick and the present one differ.
	n := 0
	if d := uint64(tick ^ w.tick); d != 0 {
		n = (bits.Len64(d) - 1) / 8
	}
	if n >= levels-1 {
		// The last level goes round; what is out of its reach goes into the slot that comes back last.
		n = levels - 1
		tick = min(tick, w.tick+(slots-1)<<(8*n))
	}
	return n, int(tick>>(8*n)) & (slots - 1)
}

// Add records that rec is due at dueMS (unix ms). It returns the time at which the record will come back; ok is
// false if there is no memory.
func (w *Wheel) Add(dueMS int64, rec uint32) (backMS int64, ok bool) {
	n, slot := w.place(dueMS >> tickShift)
	l := &w.levels[n]
	if l.heads == 0 {
		if l.heads = w.arena.AllocZero(slots * 4); l.heads == 0 {
			return 0, false
		}
	}
	if !w.push(w.head(l, slot), rec) {
		return 0, false
	}
	l.occupied[slot/64] |= 1 << (slot % 64)
	w.count++
	return w.comesBack(n, slot), true
}

// comesBack returns when slot of level n comes back: a slot of level 0 when it is over, so that
// everything in it is due, one of a higher level when it begins.
func (w *Wheel) comesBack(n, slot int) int64 {
	now := w.tick >> (8 * n)
	begin := now + int64((slot-int(now))&(slots-1))
	if n == 0 {
		begin++
	}
	return begin << (8 * n) << tickShift
}

func (w *Wheel) push(head *alloc.Ref, rec uint32) bool {
	size := firstChunk
	if *head != 0 {
		h := alloc.At[chunkHeader](w.arena, *head)
		if chunkHead+4*int(h.count) < int(h.bytes) {
			*w.record(*head, int(h.count)) = rec
			h.count++
			return true
		}
		size = min(4*int(h.bytes), maxChunk)
	}
	r := w.arena.Alloc(size)
	if r == 0 {
		return false
	}
	*alloc.At[chunkHeader](w.arena, r) = chunkHeader{next: *head, bytes: uint16(size), count: 1}
	*w.record(r, 0) = rec
	*head = r
	return true
}

// record returns the place of record i of chunk c.
func (w *Wheel) record(c alloc.Ref, i int) *uint32 {
	pair := alloc.At[[2]uint32](w.arena, c+alloc.Ref(chunkHead/8+i/2))
	return &pair[i&1]
}

// Advance moves the wheel to nowMS and calls back for at most limit records that are due. It returns
// how many records it gave back; limit means that there may be more, for another call with the same time.
// back may call Add.
func (w *Wheel) Advance(nowMS int64, limit int, back func(rec uint32)) int {
	if w.count == 0 {
		w.tick = max(w.tick, nowMS>>tickShift)
		return 0
	}
	w.turn(nowMS >> tickShift)
	done := 0
	for done < limit && w.due != 0 {
		h := alloc.At[chunkHeader](w.arena, w.due)
		h.count--
		rec := *w.record(w.due, int(h.count))
		if h.count == 0 {
			w.due = w.freeChunk(w.due)
		}
		w.count--
		done++
		back(rec)
	}
	return done
}

// freeChunk gives chunk c back and returns the one behind it.
func (w *Wheel) freeChunk(c alloc.Ref) alloc.Ref {
	h := alloc.At[chunkHeader](w.arena, c)
	next, size := h.next, int(h.bytes)
	w.arena.Free(c, size)
	return next
}

// turn moves the slots that lie between the present tick and to into the list of due chunks.
func (w *Wheel) turn(to int64) {
	if to <= w.tick {
		return
	}
	from := w.tick
	w.tick = to
	for n := range w.levels {
		l := &w.levels[n]
		a, b := from>>(8*n), to>>(8*n)
		if n > 0 {
			a, b = a+1, b+1 // these come back when they begin
		}
		if l.heads == 0 || a >= b {
			continue
		}
		for i := range min(b-a, slots) {
			w.collect(l, int(a+i)&(slots-1))
		}
	}
}

// collect moves one slot's chunks to the list of due ones.
func (w *Wheel) collect(l *level, slot int) {
	if l.occupied[slot/64]>>(slot%64)&1 == 0 {
		return
	}
	l.occupied[slot/64] &^= 1 << (slot % 64)
	head := w.head(l, slot)
	if w.due != 0 {
		last := alloc.At[chunkHeader](w.arena, *head)
		for last.next != 0 {
			last = alloc.At[chunkHeader](w.arena, last.next)
		}
		last.next = w.due
	}
	w.due = *head
	*head = 0
}

// NextMS returns the earliest time (unix ms) at which Advance may have something to give back, or
// math.MaxInt64 if the wheel is empty.
func (w *Wheel) NextMS() int64 {
	if w.due != 0 {
		return w.tick << tickShift
	}
	next := int64(math.MaxInt64)
	for n := range w.levels {
		l := &w.levels[n]
		if slot := l.nextFrom(int(w.tick>>(8*n)) & (slots - 1)); slot >= 0 {
			next = min(next, w.comesBack(n, slot))
		}
	}
	return next
}

// nextFrom returns the first occupied slot at or, going round, after slot, or -1.
func (l *level) nextFrom(slot int) int {
	word := slot / 64
	if m := l.occupied[word] >> (slot % 64); m != 0 {
		return slot + bits.TrailingZeros64(m)
	}
	for i := 1; i <= len(l.occupied); i++ {
		w := (word + i) % len(l.occupied)
		if m := l.occupied[w]; m != 0 {
			return w*64 + bits.TrailingZeros64(m)
		}
	}
	return -1
}

// Clear gives back memory, at most limit chunks, and returns whether the wheel is now empty.
func (w *Wheel) Clear(limit int) bool {
	for ; limit > 0 && w.due != 0; limit-- {
		w.count -= int(alloc.At[chunkHeader](w.arena, w.due).count)
		w.due = w.freeChunk(w.due)
	}
	for n := range w.levels {
		l := &w.levels[n]
		for slot := l.nextFrom(0); slot >= 0; slot = l.nextFrom(0) {
			for head := w.head(l, slot); *head != 0; limit-- {
				if limit <= 0 {
					return false
				}
				w.count -= int(alloc.At[chunkHeader](w.arena, *head).count)
				*head = w.freeChunk(*head)
			}
			l.occupied[slot/64] &^= 1 << (slot % 64)
		}
		if l.heads != 0 {
			w.arena.Free(l.heads, slots*4)
			l.heads = 0
		}
	}
	return w.due == 0
}
