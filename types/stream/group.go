package stream

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/rax"
)

// Unknown is the number of entries that a group has read when nobody can tell.
const Unknown = -1

// Group is a view of a consumer group.
type Group struct {
	a     *alloc.Arena
	ref   alloc.Ref
	g     *group
	watch types.Watcher // may be nil
}

// group is a group's block.
type group struct {
	last               ID
	read               int64
	pending, consumers rax.Tree
}

const groupBytes = 16 + 8 + 8*2

func (v *Value) group(word uint64) Group {
	a, r := v.sp.Arena, alloc.Ref(word)
	return Group{a, r, alloc.At[group](a, r), v.watch}
}

// Groups returns the number of consumer groups.
func (v *Value) Groups() int { return v.h.groups.Len() }

// Group returns the group called name.
func (v *Value) Group(name []byte) (Group, bool) {
	v.changingGroups()
	word, ok := v.h.groups.Find(v.sp.Arena, name)
	if !ok {
		return Group{}, false
	}
	return v.group(word), true
}

// EachGroup calls f for every group, in the order of their names.
func (v *Value) EachGroup(f func(name []byte, g Group)) {
	c := v.h.groups.Cursor(v.sp.Arena)
	for ok := c.First(); ok; ok = c.Next() {
		f(c.Key(), v.group(c.Value()))
	}
}

// AddGroup adds a group, of which there is none yet, that has read all entries up to last: read of them, or Unknown. ok is false
// if there is no memory.
func (v *Value) AddGroup(name []byte, last ID, read int64) (_ Group, ok bool) {
	v.changingGroups()
	a := v.sp.Arena
	r := a.AllocZero(groupBytes)
	if r == 0 {
		return Group{}, false
	}
	if _, ok := v.h.groups.Insert(a, name, uint64(r)); !ok {
		a.Free(r, groupBytes)
		return Group{}, false
	}
	g := v.group(uint64(r))
	g.g.last, g.g.read = last, read
	return g, true
}

// RemoveGroup takes the group called name out of the stream and returns it as the root of a stream that has nothing else, to be
// freed by FreeStep. ok is false if there is no memory for that.
func (v *Value) RemoveGroup(name []byte) (_ types.Root, ok bool) {
	v.changingGroups()
	last, ok := New(v.sp)
	if !ok {
		return types.Root{}, false
	}
	word, _ := v.h.groups.Find(v.sp.Arena, name)
	if _, ok := last.h.groups.Insert(v.sp.Arena, nil, word); !ok {
		v.sp.Arena.Free(last.ref, headerBytes)
		return types.Root{}, false
	}
	v.h.groups.Delete(v.sp.Arena, name)
	if v.watch != nil {
		v.watch.DropGroup(alloc.Ref(word), last.Root())
	}
	return last.Root(), true
}

// Last returns the ID of the last entry delivered.
func (g Group) Last() ID { return g.g.last }

// SetLast replaces it.
func (g Group) SetLast(id ID) { g.g.last = id }

// Read returns how many entries the group has read, or Unknown.
func (g Group) Read() int64 { return g.g.read }

// SetRead replaces it.
func (g Group) SetRead(n int64) { g.g.read = n }

// Pending returns the number of entries that are delivered and not acknowledged.
func (g Group) Pending() int { return g.g.pending.Len() }

// Consumers returns the number of consumers.
func (g Group) Consumers() int { return g.g.consumers.Len() }

// Consumer is a view of a consumer.
type Consumer struct {
	a     *alloc.Arena
	ref   alloc.Ref
	c     *consumer
	watch types.Watcher // may be nil
}

// consumer is the beginning of a consumer's block; the name stands after it.
type consumer struct {
	seenMS, activeMS int64 // unix ms
	pending          rax.Tree
	nameLen          uint32
	_                uint32
}

const consumerBytes = 8*2 + 8 + 8

func consumerAt(a *alloc.Arena, r alloc.Ref, watch types.Watcher) Consumer {
	return Consumer{a, r, alloc.At[consumer](a, r), watch}
}

func (c Consumer) size() int { return consumerBytes + int(c.c.nameLen) }

// Consumer returns the consumer called name.
func (g Group) Consumer(name []byte) (Consumer, bool) {
	word, ok := g.g.consumers.Find(g.a, name)
	if !ok {
		return Consumer{}, false
	}
	return consumerAt(g.a, alloc.Ref(word), g.watch), true
}

// EachConsumer calls f for every consumer, in the order of their names.
func (g Group) EachConsumer(f func(c Consumer)) {
	cur := g.g.consumers.Cursor(g.a)
	for ok := cur.First(); ok; ok = cur.Next() {
		f(consumerAt(g.a, alloc.Ref(cur.Value()), g.watch))
	}
}

// AddConsumer adds a consumer, of which there is none yet. ok is false if there is no memory.
func (g Group) AddConsumer(name []byte, nowMS int64) (_ Consumer, ok bool) {
	size := consumerBytes + len(name)
	r := g.a.Alloc(size)
	if r == 0 {
		return Consumer{}, false
	}
	if _, ok := g.g.consumers.Insert(g.a, name, uint64(r)); !ok {
		g.a.Free(r, size)
		return Consumer{}, false
	}
	c := consumerAt(g.a, r, g.watch)
	*c.c = consumer{seenMS: nowMS, activeMS: -1, nameLen: uint32(len(name))}
	copy(c.Name(), name)
	return c, true
}

// ForgetOf makes some limit entries that c has pending no longer pending, and tells whether there are more.
func (g Group) ForgetOf(c Consumer, limit int) (more bool) {
	cur := c.c.pending.Cursor(g.a)
	for ; limit > 0 && cur.First(); limit-- {
		g.Forget(idOf(cur.Key()))
		cur = c.c.pending.Cursor(g.a)
	}
	return c.c.pending.Len() > 0
}

// RemoveConsumer removes a consumer and all that it has not acknowledged.
func (g Group) RemoveConsumer(c Consumer) {
	cur := c.c.pending.Cursor(g.a)
	for ok := cur.First(); ok; ok = cur.Next() {
		if g.watch != nil {
			g.watch.ChangePending([16]byte(cur.Key()), alloc.Ref(cur.Value()), c.ref)
		}
		g.g.pending.Delete(g.a, cur.Key())
		g.a.Free(alloc.Ref(cur.Value()), deliveryBytes)
	}
	for !c.c.pending.FreeStep(g.a, 1<<20, nil) {
	}
	g.g.consumers.Delete(g.a, c.Name())
	g.a.Free(c.ref, c.size())
}

// Name returns the consumer's name.
func (c Consumer) Name() []byte { return c.a.Bytes(c.ref, c.size())[consumerBytes:] }

// SeenMS returns when the consumer last tried to read or claim (unix ms).
func (c Consumer) SeenMS() int64 { return c.c.seenMS }

// SetSeen replaces it.
func (c Consumer) SetSeen(ms int64) { c.c.seenMS = ms }

// ActiveMS returns when the consumer last read or claimed an entry (unix ms); -1 if never.
func (c Consumer) ActiveMS() int64 { return c.c.activeMS }

// SetActive replaces it.
func (c Consumer) SetActive(ms int64) { c.c.activeMS = ms }

// Pending returns the number of entries delivered to the consumer and not acknowledged.
func (c Consumer) Pending() int { return c.c.pending.Len() }

// Is tells whether c and other are one consumer of a group.
func (c Consumer) Is(other Consumer) bool { return c.ref == other.ref }

// Delivery is an entry of a group that a consumer has not acknowledged.
type Delivery struct {
	a        *alloc.Arena
	ref      alloc.Ref
	d        *delivery
	consumer alloc.Ref
	id       ID
	watch    types.Watcher // may be nil
}

type delivery struct {
	timeMS int64
	count  int64
}

const deliveryBytes = 16

func deliveryAt(a *alloc.Arena, r, consumer alloc.Ref, id ID, watch types.Watcher) Delivery {
	return Delivery{a, r, alloc.At[delivery](a, r), consumer, id, watch}
}

// word is what the group's tree keeps of a delivery.
func (d Delivery) word() uint64 { return uint64(d.ref) | uint64(d.consumer)<<32 }

// TimeMS returns when the entry was delivered last (unix ms).
func (d Delivery) TimeMS() int64 { return d.d.timeMS }

// Count returns how often the entry was delivered.
func (d Delivery) Count() int64 { return d.d.count }

// Set replaces both.
func (d Delivery) Set(timeMS, count int64) {
	d.changing()
	*d.d = delivery{timeMS, count}
}

// changing tells the watcher that what is known of the entry is about to change.
func (d Delivery) changing() {
	if d.watch != nil {
		d.watch.ChangePending(d.id.key(), d.ref, d.consumer)
	}
}

// Consumer returns who has the entry.
func (d Delivery) Consumer() Consumer { return consumerAt(d.a, d.consumer, d.watch) }

// Delivery returns what is known of the entry id.
func (g Group) Delivery(id ID) (Delivery, bool) {
	k := id.key()
	word, ok := g.g.pending.Find(g.a, k[:])
	if !ok {
		return Delivery{}, false
	}
	return deliveryAt(g.a, alloc.Ref(word), alloc.Ref(word>>32), id, g.watch), true
}

// Deliver gives the entry id to c for the first time. It is not pending yet. ok is false if there is no memory.
func (g Group) Deliver(id ID, c Consumer, nowMS int64) (_ Delivery, ok bool) {
	k := id.key()
	r := g.a.Alloc(deliveryBytes)
	if r == 0 {
		return Delivery{}, false
	}
	d := deliveryAt(g.a, r, c.ref, id, g.watch)
	*d.d = delivery{nowMS, 1}
	if _, ok := c.c.pending.Insert(g.a, k[:], uint64(r)); !ok {
		g.a.Free(r, deliveryBytes)
		return Delivery{}, false
	}
	if _, ok := g.g.pending.Insert(g.a, k[:], d.word()); !ok {
		c.c.pending.Delete(g.a, k[:])
		g.a.Free(r, deliveryBytes)
		return Delivery{}, false
	}
	if g.watch != nil {
		g.watch.AddPending(r)
	}
	return d, true
}

// Assign gives the entry id, of which d is known, to c. It reports false, with nothing changed, if there is no memory.
func (g Group) Assign(id ID, d *Delivery, c Consumer) bool {
	if d.consumer == c.ref {
		return true
	}
	d.changing()
	k := id.key()
	if _, ok := c.c.pending.Insert(g.a, k[:], uint64(d.ref)); !ok {
		return false
	}
	d.Consumer().c.pending.Delete(g.a, k[:])
	d.consumer = c.ref
	g.g.pending.Insert(g.a, k[:], d.word()) // the key is there, so it takes no memory
	return true
}

// Forget removes the entry id, which is acknowledged or no longer there. It tells whether it was pending.
func (g Group) Forget(id ID) bool {
	k := id.key()
	word, ok := g.g.pending.Delete(g.a, k[:])
	if !ok {
		return false
	}
	c := consumerAt(g.a, alloc.Ref(word>>32), g.watch)
	if g.watch != nil {
		g.watch.ChangePending(k, alloc.Ref(word), c.ref)
	}
	c.c.pending.Delete(g.a, k[:])
	g.a.Free(alloc.Ref(word), deliveryBytes)
	return true
}

// Pending goes through the pending entries of a group or a consumer, in the order of their IDs. It is valid until entries
// become pending or cease to be so; then Seek goes on.
type Pending struct {
	a     *alloc.Arena
	watch types.Watcher
	cur   rax.Cursor
	owner alloc.Ref // the consumer, if all entries are of one
	stay  bool      // Next does not move
}

// EachPending makes p stand before the first pending entry of g from id on.
func (g Group) EachPending(p *Pending, from ID) {
	*p = Pending{a: g.a, cur: g.g.pending.Cursor(g.a), watch: g.watch}
	p.Seek(from)
}

// EachPending makes p stand before the first pending entry of c from id on.
func (c Consumer) EachPending(p *Pending, from ID) {
	*p = Pending{a: c.a, cur: c.c.pending.Cursor(c.a), watch: c.watch, owner: c.ref}
	p.Seek(from)
}

// Seek makes p stand before the first entry from id on.
func (p *Pending) Seek(from ID) {
	k := from.key()
	p.cur.SeekGE(k[:])
	p.stay = true
}

// Next goes to the next entry and tells whether there is one.
func (p *Pending) Next() bool {
	if p.stay {
		p.stay = false
		return p.cur.Valid()
	}
	return p.cur.Next()
}

// ID returns the entry's ID.
func (p *Pending) ID() ID { return idOf(p.cur.Key()) }

// Delivery returns what is known of the entry.
func (p *Pending) Delivery() Delivery {
	word := p.cur.Value()
	owner := p.owner
	if owner == 0 {
		owner = alloc.Ref(word >> 32)
	}
	return deliveryAt(p.a, alloc.Ref(word), owner, p.ID(), p.watch)
}

// PendingRange returns the first and the last of the group's pending entries, of which there are some.
func (g Group) PendingRange() (first, last ID) {
	c := g.g.pending.Cursor(g.a)
	c.First()
	first = idOf(c.Key())
	c.Last()
	return first, idOf(c.Key())
}
