package quicklist

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

// Matcher compares elements with a text.
type Matcher struct {
	text  []byte
	v     int64
	isInt bool
}

// MatcherOf returns a matcher for text, which it keeps.
func MatcherOf(text []byte) Matcher {
	v, isInt := listpack.ParseInt(text)
	return Matcher{text, v, isInt}
}

// Matches tells whether e has the text.
func (m *Matcher) Matches(e listpack.Element) bool {
	if e.IsInt {
		return m.isInt && e.Int == m.v
	}
	return string(e.Bytes) == string(m.text)
}

// Remove deletes the first, or last, most elements that equal elem, and returns how many: fewer if there are not so many, or if
// there is no memory for the rest of a node. It calls pause after each node, with the number of its elements.
func (l *List) Remove(lim *types.Limits, elem []byte, most int, back bool, pause func(elements int)) (removed int) {
	m := MatcherOf(elem)
	var scratch []byte
	p, ok := l.first(), l.length > 0
	if back {
		p = l.last()
	}
	for ok && removed < most {
		n := l.node(p)
		pos := m.find(l.bytes(&n, &scratch), back)
		if pos == 0 {
			p, ok = l.step(p, back)
			pause(int(n.count))
			continue
		}
		k, done := l.removeIn(p, &m, pos, most-removed, back)
		removed += k
		p, ok = l.removedFrom(lim, p, back)
		if !done {
			break
		}
		pause(int(n.count))
	}
	if removed > 0 {
		l.compress(lim, nil)
	}
	return removed
}

func (l *List) step(p place, back bool) (place, bool) {
	if back {
		return l.prev(p)
	}
	return l.next(p)
}

// find returns the position of the first, or last, element that matches.
func (m *Matcher) find(lp []byte, back bool) int {
	if !back {
		return listpack.Find(lp, listpack.First(lp), m.text, 0)
	}
	return m.findBack(lp, listpack.Last(lp))
}

func (m *Matcher) findBack(lp []byte, pos int) int {
	for pos != 0 && !m.Matches(listpack.Get(lp, pos)) {
		pos = listpack.Prev(lp, pos)
	}
	return pos
}

// removeIn deletes the match at pos in the node at p, and more that follow in the direction, at most most. It is done
// if no memory was missing.
func (l *List) removeIn(p place, m *Matcher, pos, most int, back bool) (removed int, done bool) {
	n := l.node(p)
	if !l.unpack(&n) {
		return 0, false
	}
	for pos != 0 && removed < most {
		next := n.block.Delete(l.arena, pos, 1)
		if next < 0 {
			l.setNode(p, n)
			return removed, false
		}
		removed++
		n.count--
		lp := n.block.Bytes(l.arena)
		if back {
			pos = m.findBack(lp, listpack.Prev(lp, pos))
		} else {
			pos = listpack.Find(lp, next, m.text, 0)
		}
	}
	l.setNode(p, n)
	return removed, true
}

// removedFrom drops the node at p if nothing is left of it, or else joins it with the one that was visited before it if that is
// small, too. It returns the next node to visit.
func (l *List) removedFrom(lim *types.Limits, p place, back bool) (place, bool) {
	if l.node(p).count == 0 {
		before, ok := l.prev(p)
		behind := l.removeNode(p)
		if back {
			return before, ok
		}
		return behind, l.spine != 0 && behind.group < l.groups()
	}
	if back {
		if behind, ok := l.next(p); ok {
			l.join(lim, p, behind)
		}
	} else if before, ok := l.prev(p); ok && l.join(lim, before, p) {
		p = before
	}
	l.compress(lim, &p)
	return l.step(p, back)
}
