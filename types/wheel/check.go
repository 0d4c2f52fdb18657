package wheel

import "github.com/shoaldb/shoal/alloc"

// Each calls visit with every record and the time (unix ms) at which it will come back.
func (w *Wheel) Each(visit func(backMS int64, rec uint32)) {
	w.eachIn(w.due, w.tick<<tickShift, visit)
	for n := range w.levels {
		l := &w.levels[n]
		for slot := range slots {
			if l.occupied[slot/64]>>(slot%64)&1 != 0 {
				w.eachIn(*w.head(l, slot), w.comesBack(n, slot), visit)
			}
		}
	}
}

func (w *Wheel) eachIn(c alloc.Ref, backMS int64, visit func(backMS int64, rec uint32)) {
	for c != 0 {
		h := alloc.At[chunkHeader](w.arena, c)
		for i := range int(h.count) {
			visit(backMS, *w.record(c, i))
		}
		c = h.next
	}
}

// Bytes returns the memory that w takes, by walking it.
func (w *Wheel) Bytes() int {
	n := w.chainBytes(w.due)
	for i := range w.levels {
		l := &w.levels[i]
		if l.heads == 0 {
			continue
		}
		n += alloc.UsableSize(slots * 4)
		for slot := range slots {
			n += w.chainBytes(*w.head(l, slot))
		}
	}
	return n
}

func (w *Wheel) chainBytes(c alloc.Ref) int {
	n := 0
	for c != 0 {
		h := alloc.At[chunkHeader](w.arena, c)
		n += alloc.UsableSize(int(h.bytes))
		c = h.next
	}
	return n
}
