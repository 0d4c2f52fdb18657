package quicklist

import "github.com/shoaldb/shoal/types/listpack"

// Iter visits elements from one on towards an end. It dies at a change.
//
//	for it := l.From(0); it.OK(); it.Next() { it.Element() }
type Iter struct {
	list    List
	at      place
	back    bool
	lp      []byte
	pos     int // of the element in lp; 0 at the end
	scratch []byte
}

// From returns an iterator at the element with an index, forwards. There is none outside [0, Len).
func (l *List) From(index int) Iter { return l.iter(index, false) }

// BackFrom is From backwards.
func (l *List) BackFrom(index int) Iter { return l.iter(index, true) }

func (l *List) iter(index int, back bool) Iter {
	it := Iter{list: *l, back: back}
	if uint(index) >= uint(l.length) {
		return it
	}
	p, i := l.locate(index)
	n := l.node(p)
	it.at, it.lp = p, l.bytes(&n, &it.scratch)
	it.pos = listpack.Seek(it.lp, i)
	return it
}

// OK tells whether there is an element.
func (it *Iter) OK() bool { return it.pos != 0 }

// Element returns the element. Its bytes may die at Next.
func (it *Iter) Element() listpack.Element { return listpack.Get(it.lp, it.pos) }

// Next goes to the next element.
func (it *Iter) Next() {
	if it.back {
		it.pos = listpack.Prev(it.lp, it.pos)
	} else {
		it.pos = listpack.Next(it.lp, it.pos)
	}
	if it.pos == 0 {
		it.nextNode()
	}
}

func (it *Iter) nextNode() {
	var ok bool
	if it.back {
		it.at, ok = it.list.prev(it.at)
	} else {
		it.at, ok = it.list.next(it.at)
	}
	if !ok {
		return
	}
	n := it.list.node(it.at)
	it.lp = it.list.bytes(&n, &it.scratch)
	if it.back {
		it.pos = listpack.Last(it.lp)
	} else {
		it.pos = listpack.First(it.lp)
	}
}

// End returns the first element, or the last one, of a list that has any. Its bytes die at a change.
func (l *List) End(tail bool) listpack.Element {
	var scratch []byte
	if tail {
		n := l.node(l.last())
		lp := l.bytes(&n, &scratch)
		return listpack.Get(lp, listpack.Last(lp))
	}
	n := l.node(l.first())
	lp := l.bytes(&n, &scratch)
	return listpack.Get(lp, listpack.First(lp))
}
