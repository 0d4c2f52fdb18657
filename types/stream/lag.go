package stream

// hasTombstones tells whether an entry from start on may have been deleted while others before it remain.
func (v *Value) hasTombstones(start ID) bool {
	h := v.h
	if h.length == 0 || h.maxDeleted.IsZero() || h.maxDeleted.Less(h.first) {
		return false
	}
	return !h.maxDeleted.Less(start)
}

// Distance returns how many entries were added up to id, or Unknown: it is only known of an ID at or before the first entry, or
// at the end, and only while no deletion blurs it.
func (v *Value) Distance(id ID) int64 {
	h := v.h
	switch {
	case h.added == 0:
		return 0
	case h.length == 0 && !h.last.Less(id), id == h.last:
		return int64(h.added)
	case h.last.Less(id):
		return Unknown
	}
	if !h.maxDeleted.IsZero() && !h.maxDeleted.Less(h.first) {
		return Unknown
	}
	switch {
	case id.Less(h.first):
		return int64(h.added - h.length)
	case id == h.first:
		return int64(h.added - h.length + 1)
	}
	return Unknown
}

// Lag returns how many entries g has still to read; ok is false if that is not known.
func (v *Value) Lag(g Group) (n int64, ok bool) {
	added := int64(v.h.added)
	if added == 0 {
		return 0, true
	}
	if read := g.Read(); read != Unknown && !v.hasTombstones(g.Last()) {
		return added - read, true
	}
	if read := v.Distance(g.Last()); read != Unknown {
		return added - read, true
	}
	return 0, false
}

// Advance notes that g has been given the entry id, and tells whether that is beyond the last one.
func (v *Value) Advance(g Group, id ID) bool {
	if !g.Last().Less(id) {
		return false
	}
	if g.g.read != Unknown && !v.hasTombstones(id) {
		g.g.read++
	} else if v.h.added > 0 {
		g.g.read = v.Distance(id)
	}
	g.g.last = id
	return true
}
