package save

import (
	"bytes"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/stream"
)

// groupWalk saves the consumer groups of a stream: one after another, and the pending entries of each in the order of
// their IDs. An entry that has not been met and is about to change is saved out of turn and excluded, as are new ones.
// What is written of a group and its consumers besides is noted before anything of that changes; the IDs of what the
// consumers have pending, which follow the entries, are collected meanwhile.
type groupWalk struct {
	numbers  []byte // what follows the nodes
	headed   bool   // these have been written
	noted    bool   // groups and owners are there
	groups   []groupPart
	owners   map[alloc.Ref]owner    // the consumers of the cut
	excluded map[alloc.Ref]struct{} // deliveries
	at       int                    // group that the walk is in
	part     groupState
	from     stream.ID // where it goes on in the group's entries
	consumer int       // the next one to be written
	met      int       // entries
	asides   int       // number of the next piece that is put aside
}

type groupState uint8

const (
	atGroup groupState = iota
	inEntries
	inConsumers
)

type groupPart struct {
	ref       alloc.Ref
	head      []byte
	left      int     // entries of the cut that have not been saved
	early     section // those saved before the walk has come to the group
	consumers []consumerPart
	dropped   *droppedGroup // nil while the stream has the group
}

type consumerPart struct {
	head []byte
	ids  section
}

// owner is where a consumer is.
type owner struct{ group, consumer int }

// section is bytes of the file that are collected before it is their turn.
type section struct {
	buf    []byte
	pieces []int // numbers of what went before buf
}

// collect appends b to x.
func (j *nodeJob) collect(x *section, b []byte) {
	x.buf = append(x.buf, b...)
	j.hold(int64(len(b)))
	if len(x.buf) < handBytes {
		return
	}
	w := &j.groups
	x.pieces = append(x.pieces, w.asides)
	j.s.queue.putAside(j.lane, w.asides, piece{buf: x.buf})
	w.asides++
	j.hold(-int64(len(x.buf)))
	x.buf = nil
}

// writeSection writes what is in x.
func (j *nodeJob) writeSection(x *section) {
	if len(x.pieces) > 0 {
		j.hand(false)
		for _, number := range x.pieces {
			j.s.queue.put(j.lane, piece{at: number + 1}, false)
		}
	}
	j.out.buf = append(j.out.buf, x.buf...)
	j.hold(-int64(len(x.buf)))
	*x = section{}
}

func (j *nodeJob) beginGroups(v *stream.Value) {
	w := &j.groups
	w.numbers = rdb.AppendStreamNumbers(nil, v)
	w.asides = len(j.stream)
	v.EachGroup(func(_ []byte, g stream.Group) { j.bytes += int64(g.Pending()) * stream.PendingBytes })
}

// ChangeGroups notes what there is of groups and consumers.
func (j *nodeJob) ChangeGroups() {
	w := &j.groups
	if w.noted || j.idle() {
		return
	}
	w.noted, w.owners, w.excluded = true, map[alloc.Ref]owner{}, map[alloc.Ref]struct{}{}
	v := stream.Open(j.sp, j.root)
	v.EachGroup(func(name []byte, g stream.Group) {
		p := groupPart{ref: g.Ref(), head: rdb.AppendGroup(nil, name, g), left: g.Pending()}
		g.EachConsumer(func(c stream.Consumer) {
			w.owners[c.Ref()] = owner{len(w.groups), len(p.consumers)}
			p.consumers = append(p.consumers, consumerPart{head: rdb.AppendConsumer(nil, c)})
		})
		w.groups = append(w.groups, p)
	})
}

// ChangePending saves a pending entry before its turn.
func (j *nodeJob) ChangePending(id [16]byte, delivery, consumer alloc.Ref) {
	w := &j.groups
	if j.idle() || !w.noted {
		return
	}
	if _, is := w.excluded[delivery]; is {
		return
	}
	o, is := w.owners[consumer]
	if !is || o.group < w.at || o.group == w.at && w.past(id) {
		return
	}
	w.excluded[delivery] = struct{}{}
	if o.group == w.at && w.part == inEntries {
		j.out.buf = j.pending(j.out.buf, id, delivery)
	} else {
		j.collect(&w.groups[o.group].early, j.pending(nil, id, delivery))
	}
	j.assign(o, id)
	if len(j.out.buf) >= handBytes {
		j.hand(false)
	}
}

// past tells whether the walk has met the entry id of the group that it is in.
func (w *groupWalk) past(id [16]byte) bool {
	from := w.from.Key()
	return w.part == inConsumers || w.part == inEntries && bytes.Compare(id[:], from[:]) < 0
}

// pending appends an entry of a group.
func (j *nodeJob) pending(dst []byte, id [16]byte, delivery alloc.Ref) []byte {
	timeMS, count := stream.DeliveryAt(j.sp, delivery)
	return rdb.AppendPending(dst, id, timeMS, count)
}

// assign notes that the consumer o has the entry id pending, which has been saved.
func (j *nodeJob) assign(o owner, id [16]byte) {
	g := &j.groups.groups[o.group]
	g.left--
	j.collect(&g.consumers[o.consumer].ids, id[:])
}

// AddPending excludes a new pending entry.
func (j *nodeJob) AddPending(delivery alloc.Ref) {
	if w := &j.groups; w.noted && !j.idle() {
		w.excluded[delivery] = struct{}{}
	}
}

// Before makes whoever goes on changing what is pending help the walk.
func (j *nodeJob) Before() {
	w := &j.groups
	for begin := time.Now(); !j.idle() && len(w.excluded) > freeExclusions+w.met/shareExcluded && time.Since(begin) < beforeTime; {
		j.step(len(j.out.buf) + stepBytes)
	}
	if len(j.out.buf) >= handBytes {
		j.hand(false)
	}
}

// droppedGroup watches a group that is not its stream's any more, so that it is not freed.
type droppedGroup struct {
	job
	root types.Root
}

// DropGroup takes a group over that has not been saved.
func (j *nodeJob) DropGroup(group alloc.Ref, r types.Root) {
	w := &j.groups
	if j.idle() {
		return
	}
	for i := w.at; i < len(w.groups); i++ {
		if g := &w.groups[i]; g.ref == group && g.dropped == nil {
			g.dropped = &droppedGroup{root: r}
			j.sp.Watch(r, g.dropped)
			j.hold(int64(g.left) * stream.PendingBytes)
			return
		}
	}
}

// releaseGroups gives up the groups that were taken over.
func (j *nodeJob) releaseGroups() {
	for i := range j.groups.groups {
		if d := j.groups.groups[i].dropped; d != nil && !d.gone {
			j.shard.EndWatch(d.root, d, d.orphan)
		}
	}
	j.groups = groupWalk{}
}

// stepGroups goes on with what follows the nodes of a stream.
func (j *nodeJob) stepGroups(end int) {
	j.ChangeGroups()
	w := &j.groups
	if !w.headed {
		w.headed = true
		j.out.buf = append(j.out.buf, w.numbers...)
	}
	for len(j.out.buf) < end {
		if w.at == len(w.groups) {
			j.over = true
			return
		}
		g := &w.groups[w.at]
		switch w.part {
		case atGroup:
			j.out.buf = append(j.out.buf, g.head...)
			j.writeSection(&g.early)
			w.part, w.from = inEntries, stream.ID{}
		case inEntries:
			j.stepPending(g, end)
		case inConsumers:
			j.stepConsumers(g, end)
		}
	}
}

// stepPending goes on with a group's pending entries.
func (j *nodeJob) stepPending(g *groupPart, end int) {
	w := &j.groups
	var p stream.Pending
	stream.GroupAt(j.sp, g.ref).EachPending(&p, w.from)
	for p.Next() {
		if len(j.out.buf) >= end {
			w.from = p.ID()
			return
		}
		w.met++
		delivery, consumer := p.Refs()
		if _, is := w.excluded[delivery]; is {
			continue
		}
		id := p.ID().Key()
		j.out.buf = j.pending(j.out.buf, id, delivery)
		j.assign(w.owners[consumer], id)
	}
	if g.left != 0 {
		j.s.fail(errCount)
		j.over = true
	}
	j.out.buf = rdb.AppendLen(j.out.buf, uint64(len(g.consumers)))
	w.part, w.consumer = inConsumers, 0
}

// stepConsumers goes on with a group's consumers.
func (j *nodeJob) stepConsumers(g *groupPart, end int) {
	w := &j.groups
	for ; w.consumer < len(g.consumers); w.consumer++ {
		if len(j.out.buf) >= end {
			return
		}
		c := &g.consumers[w.consumer]
		j.out.buf = append(j.out.buf, c.head...)
		j.writeSection(&c.ids)
	}
	w.at++
	w.part = atGroup
}
