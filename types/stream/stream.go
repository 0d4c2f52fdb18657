package stream

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/rax"
)

// Value is a view of a stream, for the time of one command. All changes are in blocks, so its root never changes.
type Value struct {
	sp    *types.Space
	ref   alloc.Ref
	h     *header
	watch types.Watcher // may be nil
}

// header is a stream's first block.
type header struct {
	length, added           uint64
	last, first, maxDeleted ID // first is 0-0 in an empty stream
	nodes, groups           rax.Tree
	tail                    node
	tailID                  ID
}

const headerBytes = 8*2 + 16*3 + 8*2 + 16 + 16

// New returns an empty stream in sp; ok is false if there is no memory.
func New(sp *types.Space) (v Value, ok bool) {
	r := sp.Arena.AllocZero(headerBytes)
	if r == 0 {
		return Value{}, false
	}
	return open(sp, r), true
}

// Open returns a view of the stream that r is the root of.
func Open(sp *types.Space, r types.Root) Value {
	v := open(sp, headerOf(&r))
	v.watch = sp.Watcher(&r)
	return v
}

func open(sp *types.Space, r alloc.Ref) Value {
	return Value{sp: sp, ref: r, h: alloc.At[header](sp.Arena, r)}
}

func headerOf(r *types.Root) alloc.Ref { return alloc.Ref(uint32(r.Data.Lo)) }

// Root returns what is to be kept of the stream.
func (v *Value) Root() types.Root { return rootOf(v.ref) }

func rootOf(ref alloc.Ref) types.Root {
	r := types.Root{Type: types.Stream, Encoding: types.StreamEnc}
	r.Data.Lo = types.Word(uint32(ref), 0)
	return r
}

// Len returns the number of entries.
func (v *Value) Len() int { return int(v.h.length) }

// Last returns the greatest ID that the stream has ever had, or was given by SetLast.
func (v *Value) Last() ID { return v.h.last }

// First returns the ID of the first entry, 0-0 if there is none.
func (v *Value) First() ID { return v.h.first }

// MaxDeleted returns the greatest ID that Delete has removed.
func (v *Value) MaxDeleted() ID { return v.h.maxDeleted }

// Added returns the number of entries that were ever added.
func (v *Value) Added() uint64 { return v.h.added }

// SetLast replaces the greatest ID; it is not below that of the last entry.
func (v *Value) SetLast(id ID) { v.h.last = id }

// SetMaxDeleted replaces the greatest ID deleted.
func (v *Value) SetMaxDeleted(id ID) { v.h.maxDeleted = id }

// SetAdded replaces the number of entries that were ever added.
func (v *Value) SetAdded(n uint64) { v.h.added = n }

// maxNode is the length beyond which no node grows, whatever the limits say, in bytes.
const maxNode = 1 << 30

// MaxEntry is the greatest sum of the lengths of an entry's fields and values, in bytes.
const MaxEntry = maxNode

// Append adds an entry of fields and values, which alternate in pairs. id is above Last. The error is types.ErrNoMemory:
// nothing has changed then.
func (v *Value) Append(lim *types.Limits, id ID, pairs [][]byte) error {
	h := v.h
	total := 0
	for _, p := range pairs {
		total += len(p)
	}
	if h.tail.ref != 0 && v.tailFull(lim, total) && !v.seal() {
		return types.ErrNoMemory
	}
	if h.tail.ref == 0 {
		if !v.newTail(id, pairs) {
			return types.ErrNoMemory
		}
	} else if !v.appendToTail(id, total, pairs) {
		return types.ErrNoMemory
	}
	h.length++
	h.added++
	h.last = id
	if h.length == 1 {
		h.first = id
	}
	return nil
}

// tailFull tells whether an entry of total bytes goes to a new node.
func (v *Value) tailFull(lim *types.Limits, total int) bool {
	most := lim.StreamNodeBytes
	if most <= 0 || most > maxNode {
		most = maxNode
	}
	t := &v.h.tail
	if int(t.used)+total >= most {
		return true
	}
	if lim.StreamNodeEntries <= 0 {
		return false
	}
	m := readCounts(t.bytes(v.sp.Arena))
	return m.valid+m.deleted >= int64(lim.StreamNodeEntries)
}

// elementBytes is what a listpack adds to an element's length at most.
const elementBytes = 10

// newTail begins a tail with an entry. Room for more comes when it is needed.
func (v *Value) newTail(id ID, pairs [][]byte) bool {
	a := v.sp.Arena
	n := len(pairs) / 2
	size := listpackEnds + 6*2 + elementBytes // header and end; small integers; n and the last one
	for _, p := range pairs {
		size += listpack.EncodedLen(p)
	}
	size += 2 * listpack.EncodedLenInt(int64(n))
	t, ok := newNode(a, size)
	if !ok {
		return false
	}
	lp := t.writable(a)
	for _, x := range [...]int64{1, 0, int64(n)} {
		lp = listpack.AppendElementInt(lp, x)
	}
	for i := 0; i < len(pairs); i += 2 {
		lp = listpack.AppendElement(lp, pairs[i])
	}
	lp = listpack.AppendElementInt(lp, 0)
	lp = appendEntry(lp, sameFields, id, id, pairs)
	t.finish(lp, int64(4+n+4+n))
	v.h.tail, v.h.tailID = t, id
	return true
}

// appendToTail adds an entry to the tail.
func (v *Value) appendToTail(id ID, total int, pairs [][]byte) bool {
	h, a := v.h, v.sp.Arena
	v.changing(&h.tail)
	n := len(pairs) / 2
	most := total + (len(pairs)+8)*elementBytes
	if int(h.tail.used)+most > int(h.tail.room) {
		need := 5*elementBytes + 2
		for _, p := range pairs {
			need += listpack.EncodedLen(p)
		}
		if !h.tail.makeRoom(a, int(h.tail.used)+need) {
			return false
		}
	}
	lp := h.tail.bytes(a)
	m := readCounts(lp)
	flags, elements := int64(0), int64(2*n+5)
	if m.sameFields(lp, pairs) {
		flags, elements = sameFields, int64(n+4)
	}
	h.tail.setCounts(a, m, m.valid+1, m.deleted) // cannot fail: there is room
	lp = appendEntry(h.tail.writable(a), flags, h.tailID, id, pairs)
	h.tail.finish(lp, elements)
	return true
}

// appendEntry appends an entry to the elements of a node.
func appendEntry(lp []byte, flags int64, master, id ID, pairs [][]byte) []byte {
	lp = listpack.AppendElementInt(lp, flags)
	lp = listpack.AppendElementInt(lp, int64(id.MS-master.MS))
	lp = listpack.AppendElementInt(lp, int64(id.Seq-master.Seq))
	n := int64(len(pairs) / 2)
	if flags&sameFields != 0 {
		for i := 1; i < len(pairs); i += 2 {
			lp = listpack.AppendElement(lp, pairs[i])
		}
		return listpack.AppendElementInt(lp, n+3)
	}
	lp = listpack.AppendElementInt(lp, n)
	for _, p := range pairs {
		lp = listpack.AppendElement(lp, p)
	}
	return listpack.AppendElementInt(lp, 2*n+4)
}

// seal gives the tail its place in the tree. The stream has no tail afterwards.
func (v *Value) seal() bool {
	h, a := v.h, v.sp.Arena
	v.changing(&h.tail)
	if !h.tail.fit(a) {
		return false
	}
	k := h.tailID.key()
	if _, ok := h.nodes.Insert(a, k[:], h.tail.word()); !ok {
		return false
	}
	h.tail = node{}
	return true
}

// AddNode adds a node as it is found in an RDB file, after all others. lp has passed ValidateNode, and is copied. The caller sets
// what the stream knows of its past. It fails if there is no memory, or the nodes are not in order.
func (v *Value) AddNode(master ID, lp []byte) bool {
	h, a := v.h, v.sp.Arena
	if h.tail.ref != 0 && (!h.tailID.Less(master) || !v.seal()) {
		return false
	}
	t, ok := newNode(a, len(lp))
	if !ok {
		return false
	}
	copy(a.Bytes(t.ref, len(lp)), lp)
	t.used = uint32(len(lp))
	h.tail, h.tailID = t, master
	h.length += uint64(readCounts(lp).valid)
	if h.first == (ID{}) {
		v.findFirst()
	}
	return true
}

// Nodes calls f for every node in order, until it returns false.
func (v *Value) Nodes(f func(master ID, lp []byte) bool) {
	a := v.sp.Arena
	c := v.h.nodes.Cursor(a)
	for ok := c.First(); ok; ok = c.Next() {
		n := nodeOf(c.Value())
		if !f(idOf(c.Key()), n.bytes(a)) {
			return
		}
	}
	if v.h.tail.ref != 0 {
		f(v.h.tailID, v.h.tail.bytes(a))
	}
}

// NodeCount returns the number of nodes.
func (v *Value) NodeCount() int {
	n := v.h.nodes.Len()
	if v.h.tail.ref != 0 {
		n++
	}
	return n
}
