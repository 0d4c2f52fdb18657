package quicklist

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

const (
	// safeBytes limits nodes whose limit is a number of elements.
	safeBytes = 8 << 10
	// overhead is what an element is reckoned to take besides its bytes when the size of a node is foreseen.
	overhead = 8
	// aloneOverhead is what a listpack has beside its only element, if that is shorter than 64 bytes.
	aloneOverhead = 9
	// manyNodes is the top bit of the length in a root.
	manyNodes = 1 << 63
)

var byteLimits = [...]int{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10}

// List is a list in an arena. It is opened from a root for the time of a command, and the root is stored after a change.
//
// Changing methods report false if there is no memory. Then the elements are what they were, unless said otherwise; the root must
// be stored all the same.
type List struct {
	arena  *alloc.Arena
	length int
	one    listpack.Block // the only node, if there is no spine
	spine  alloc.Ref
	nodes  int // if there is a spine

	Watch types.Watcher // is told which nodes change; may be nil
}

// Open returns the list with the root r; of zeros, an empty one.
func Open(a *alloc.Arena, r types.RootData) (l List) {
	l.Load(a, r)
	return l
}

// Load makes l, which is zero, the list with the root r.
func (l *List) Load(a *alloc.Arena, r types.RootData) {
	x, y := uint32(r.Lo), uint32(r.Lo>>32)
	l.arena = a
	l.length = int(r.Hi &^ manyNodes)
	if r.Hi&manyNodes != 0 {
		l.spine, l.nodes = alloc.Ref(x), int(y)
	} else {
		l.one.Ref, l.one.Size = alloc.Ref(x), y
	}
}

// Root returns the root to be kept.
func (l *List) Root() types.RootData {
	if l.spine != 0 {
		return types.RootData{Lo: types.Word(uint32(l.spine), uint32(l.nodes)), Hi: uint64(l.length) | manyNodes}
	}
	return types.RootData{Lo: types.Word(uint32(l.one.Ref), l.one.Size), Hi: uint64(l.length)}
}

// Len returns the number of elements.
func (l *List) Len() int { return l.length }

// Nodes returns the number of nodes.
func (l *List) Nodes() int {
	if l.spine != 0 {
		return l.nodes
	}
	return min(l.length, 1)
}

// byteLimit returns the size that nodes do not exceed, but for those of one element.
func byteLimit(lim *types.Limits) int {
	if lim.ListListpackSize >= 0 {
		return safeBytes
	}
	return byteLimits[min(-lim.ListListpackSize, len(byteLimits))-1]
}

func withinCount(lim *types.Limits, count uint32) bool {
	return lim.ListListpackSize < 0 || int(count) <= lim.ListListpackSize
}

// fits tells whether an element of so many bytes of text may be added to n.
func fits(lim *types.Limits, n *node, bytes int) bool {
	return n.size()+bytes+overhead <= byteLimit(lim) && withinCount(lim, n.count+1) &&
		(lim.ListAloneBytes == 0 || bytes < lim.ListAloneBytes && !alone(lim, n))
}

// fitTogether tells whether two nodes may be one.
func fitTogether(lim *types.Limits, a, b *node) bool {
	return a.size()+b.size() <= byteLimit(lim) && withinCount(lim, a.count+b.count) && !alone(lim, a) && !alone(lim, b)
}

// alone tells whether the one element of n is so large that it stays alone. It goes by what a listpack of one element
// takes beside its text, and so it may err by some bytes.
func alone(lim *types.Limits, n *node) bool {
	return lim.ListAloneBytes > 0 && n.count == 1 && n.size() >= lim.ListAloneBytes+aloneOverhead
}

// PushTail adds an element after the last.
func (l *List) PushTail(lim *types.Limits, elem []byte) bool {
	if l.spine != 0 && l.pushRoom(lim, elem, true) {
		return true
	}
	if l.length > 0 {
		if done, ok := l.pushOpen(lim, l.last(), elem, true); done {
			return ok
		}
	}
	return l.addNode(lim, l.behindLast(), elem)
}

// PushHead adds an element before the first.
func (l *List) PushHead(lim *types.Limits, elem []byte) bool {
	if l.spine != 0 && l.pushRoom(lim, elem, false) {
		return true
	}
	if l.length > 0 {
		if done, ok := l.pushOpen(lim, place{}, elem, false); done {
			return ok
		}
	}
	return l.addNode(lim, place{}, elem)
}

// pushOpen adds elem to the node p at an end of the list, if it is not too large for that. Otherwise nothing more will
// be added to the node, which loses its room.
func (l *List) pushOpen(lim *types.Limits, p place, elem []byte, tail bool) (done, ok bool) {
	n := l.node(p)
	l.changing(&n)
	switch {
	case !fits(lim, &n, len(elem)):
		if n.hasRoom() && l.trim(&n) {
			l.setNode(p, n)
		}
		return false, false
	case l.spine != 0:
		ok = l.addAtEnd(lim, &n, elem, tail)
		l.setNode(p, n)
		return true, ok
	case tail:
		ok = n.block.Append(l.arena, elem)
	default:
		ok = n.block.Prepend(l.arena, elem)
	}
	if ok {
		n.count++
		l.setNode(p, n)
	}
	return true, ok
}

// failed stores a node that could not be changed but may be uncompressed now.
func (l *List) failed(p place, n node) bool {
	l.setNode(p, n)
	return false
}

func (l *List) behindLast() place {
	p := l.last()
	p.slot++
	return p
}

// addNode makes a node of one element at p.
func (l *List) addNode(lim *types.Limits, p place, elem []byte) bool {
	n := node{count: 1}
	if !n.block.Append(l.arena, elem) {
		return false
	}
	if _, ok := l.insertNode(p, n); !ok {
		n.block.Free(l.arena)
		return false
	}
	l.compress(lim, nil)
	return true
}

// Pop removes the first element, or the last one.
func (l *List) Pop(lim *types.Limits, tail bool) bool {
	if l.spine != 0 && l.popRoom(tail) {
		return true
	}
	p := l.first()
	if tail {
		p = l.last()
	}
	n := l.node(p)
	if n.count == 1 {
		l.drop(&n)
		l.removeNode(p)
		l.compress(lim, nil)
		return true
	}
	l.changing(&n)
	if l.spine != 0 {
		ok := l.popAtEnd(&n, tail)
		l.setNode(p, n)
		return ok
	}
	lp := n.block.Bytes(l.arena)
	pos := listpack.First(lp)
	if tail {
		pos = listpack.Last(lp)
	}
	if n.block.Delete(l.arena, pos, 1) < 0 {
		return l.failed(p, n)
	}
	n.count--
	l.setNode(p, n)
	return true
}

// Insert adds an element before the one with an index in [0, Len], which is the end.
func (l *List) Insert(lim *types.Limits, index int, elem []byte) bool {
	switch index {
	case 0:
		return l.PushHead(lim, elem)
	case l.length:
		return l.PushTail(lim, elem)
	}
	p, i := l.locate(index)
	n := l.node(p)
	if fits(lim, &n, len(elem)) {
		return l.insertAt(lim, p, n, i, elem)
	}
	if i > 0 {
		var ok bool
		if p, ok = l.split(p, n, i); !ok {
			return false
		}
	}
	// p is the node that begins with the element to insert before, now.
	before, _ := l.prev(p)
	ok := l.insertBetween(lim, before, p, elem)
	l.tidy(lim, index)
	return ok
}

func (l *List) insertAt(lim *types.Limits, p place, n node, i int, elem []byte) bool {
	if !l.unpack(&n) {
		return false
	}
	if !n.block.Insert(l.arena, listpack.Seek(n.block.Bytes(l.arena), i), elem) {
		return l.failed(p, n)
	}
	n.count++
	l.setNode(p, n)
	l.compress(lim, &p)
	return true
}

// insertBetween adds an element at the end of the first of two neighbours, the beginning of the second, or between.
func (l *List) insertBetween(lim *types.Limits, a, b place, elem []byte) bool {
	if n := l.node(a); fits(lim, &n, len(elem)) {
		if !l.unpack(&n) || !n.block.Append(l.arena, elem) {
			return l.failed(a, n)
		}
		n.count++
		l.setNode(a, n)
		return true
	}
	if n := l.node(b); fits(lim, &n, len(elem)) {
		return l.insertAt(lim, b, n, 0, elem)
	}
	return l.addNode(lim, b, elem)
}

// split makes two nodes of the one at p, the second of which begins with the ith element, and returns the second's place.
func (l *List) split(p place, n node, i int) (place, bool) {
	if !l.unpack(&n) {
		return p, false
	}
	l.setNode(p, n)
	lp := n.block.Bytes(l.arena)
	pos := listpack.Seek(lp, i)
	second := node{count: n.count - uint32(i)}
	var ok bool
	if second.block, ok = listpack.FromElements(l.arena, lp[pos:len(lp)-1], int(second.count)); !ok {
		return p, false
	}
	// The directory counts the elements of the second half twice, until the first is cut.
	to, ok := l.insertNode(place{p.group, p.slot + 1}, second)
	if !ok {
		second.block.Free(l.arena)
		return p, false
	}
	first, _ := l.prev(to)
	if n.block.Cut(l.arena, pos, len(lp)-1, int(second.count)) < 0 {
		second.block.Free(l.arena)
		l.removeNode(to)
		return p, false
	}
	n.count -= second.count
	l.setNode(first, n)
	return to, true
}

// Replace puts elem in the place of the element with an index in [0, Len).
func (l *List) Replace(lim *types.Limits, index int, elem []byte) bool {
	p, i := l.locate(index)
	n := l.node(p)
	if !l.unpack(&n) {
		return false
	}
	l.setNode(p, n)
	lp := n.block.Bytes(l.arena)
	pos := listpack.Seek(lp, i)
	more := len(elem) - listpack.Get(lp, pos).Len()
	if n.count > 1 && (more > 0 && n.size()+more > byteLimit(lim) || lim.ListAloneBytes > 0 && len(elem) >= lim.ListAloneBytes) {
		return l.replaceLarge(lim, index, elem)
	}
	ok := n.block.Replace(l.arena, pos, elem)
	l.setNode(p, n)
	l.compress(lim, &p)
	return ok
}

// replaceLarge replaces an element by one that its node does not take.
func (l *List) replaceLarge(lim *types.Limits, index int, elem []byte) bool {
	if !l.Insert(lim, index, elem) {
		return false
	}
	if l.Delete(lim, index+1, 1) == 1 {
		return true
	}
	l.Delete(lim, index, 1)
	return false
}

// Delete removes count elements from an index on, or as many as there are, and returns how many: fewer only if there is no memory
// for the rest of a node.
func (l *List) Delete(lim *types.Limits, index, count int) (deleted int) {
	count = min(count, l.length-index)
	if count <= 0 {
		return 0
	}
	p, i := l.locate(index)
	for deleted < count {
		n := l.node(p)
		k := min(count-deleted, int(n.count)-i)
		if k == int(n.count) {
			l.drop(&n)
			p = l.removeNode(p)
		} else if !l.deleteIn(p, n, i, k) {
			break
		} else {
			p, _ = l.next(p)
		}
		deleted += k
		i = 0
	}
	l.tidy(lim, index)
	return deleted
}

// deleteIn removes some elements of a node, but not all.
func (l *List) deleteIn(p place, n node, i, count int) bool {
	if !l.unpack(&n) {
		return false
	}
	if n.block.Delete(l.arena, listpack.Seek(n.block.Bytes(l.arena), i), count) < 0 {
		return l.failed(p, n)
	}
	n.count -= uint32(count)
	l.setNode(p, n)
	return true
}

// tidy joins small neighbours of the node with an index, where a change has left off, and compresses what it may have
// uncompressed.
func (l *List) tidy(lim *types.Limits, index int) {
	if l.length == 0 || l.spine == 0 {
		return
	}
	if l.nodes > 1 {
		p, _ := l.locate(min(index, l.length-1))
		if before, ok := l.prev(p); ok && l.join(lim, before, p) {
			p = before
		}
		if behind, ok := l.next(p); ok {
			l.join(lim, p, behind)
		}
		l.compressAround(lim, min(index, l.length-1))
	}
	l.compress(lim, nil)
}

// join makes one node of two neighbours if they are small enough.
func (l *List) join(lim *types.Limits, a, b place) bool {
	x, y := l.node(a), l.node(b)
	if !fitTogether(lim, &x, &y) || !l.unpack(&x) {
		return false
	}
	l.setNode(a, x)
	if !l.unpack(&y) {
		return false
	}
	l.setNode(b, y)
	lp := y.block.Bytes(l.arena)
	first := listpack.First(lp)
	if !x.block.InsertElements(l.arena, int(x.block.Size)-1, lp[first:len(lp)-1], int(y.count)) {
		return false
	}
	y.block.Free(l.arena)
	l.removeNode(b)
	x.count += y.count
	l.setNode(a, x)
	return true
}

// changing tells the watcher that n is about to change.
func (l *List) changing(n *node) {
	if l.Watch == nil {
		return
	}
	if n.isPacked() {
		l.Watch.ChangeNode(n.block.Ref, n.block.Bytes(l.arena), int(n.form))
		return
	}
	l.Watch.ChangeNode(n.block.Ref, n.listpack(l.arena), 0)
}

// drop frees a node, unless the watcher wants it.
func (l *List) drop(n *node) {
	if l.Watch == nil || !l.Watch.DropNode(n.block.Ref, n.asked()) {
		n.free(l.arena)
	}
}
