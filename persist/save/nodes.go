package save

import (
	"math"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/quicklist"
	"github.com/shoaldb/shoal/types/stream"
)

// nodeJob saves the nodes of a list or a stream in their order. It begins with a copy of what the value says of its
// nodes. A node that is about to change is put aside in the queue; one that is dropped becomes the job's, and is freed
// when it has been saved.
type nodeJob struct {
	job
	list   []quicklist.NodeAt
	stream []stream.NodeAt
	next   int // node to save
	index  refIndex
	aside  map[int]struct{}
	kept   map[int]int // nodes that are the job's, and the size of their blocks
	bytes  int64       // that the value took at the cut
	length int         // elements that it had then

	groups groupWalk // of a stream
}

func newNodeJob(b job) *nodeJob {
	j := &nodeJob{job: b, aside: map[int]struct{}{}, kept: map[int]int{}}
	if b.root.Type == types.List {
		v := list.Open(b.sp, b.root)
		j.list = v.AppendNodes(make([]quicklist.NodeAt, 0, v.Nodes()))
		j.length = v.Len()
	} else {
		v := stream.Open(b.sp, b.root)
		j.stream = v.AppendNodes(make([]stream.NodeAt, 0, v.NodeCount()))
		j.length = int(v.Len())
		j.beginGroups(&v)
	}
	j.index.init(j.nodes())
	for i := range j.nodes() {
		j.index.add(j.ref(i), i)
		j.bytes += int64(j.size(i))
	}
	j.out.buf = rdb.AppendLen(j.out.buf, uint64(j.nodes()))
	return j
}

func (j *nodeJob) nodes() int { return len(j.list) + len(j.stream) }

func (j *nodeJob) ref(i int) alloc.Ref {
	if j.list != nil {
		return j.list[i].Ref()
	}
	return j.stream[i].Ref()
}

// size returns how many bytes the block of node i had at the cut.
func (j *nodeJob) size(i int) int {
	if j.list != nil {
		return j.list[i].Size()
	}
	return j.stream[i].Size()
}

// Orphan takes the value over.
func (j *nodeJob) Orphan() {
	j.job.Orphan()
	bytes, _ := j.weight()
	j.hold(bytes)
}

// weight supposes that the elements have the size that they had at the cut.
func (j *nodeJob) weight() (bytes int64, elements int) {
	if j.gone {
		return 0, 0
	}
	if j.root.Type == types.List {
		v := list.Open(j.sp, j.root)
		elements = v.Len()
	} else {
		v := stream.Open(j.sp, j.root)
		elements = int(v.Len())
	}
	return int64(float64(j.bytes) * float64(elements+1) / float64(j.length+1)), elements
}

// unsaved returns the node whose block ref was at the cut, if it is still as it was and has not been saved.
func (j *nodeJob) unsaved(ref alloc.Ref) (i int, is bool) {
	i, is = j.index.find(ref)
	if !is || i < j.next || j.idle() {
		return 0, false
	}
	if _, is := j.aside[i]; is {
		return 0, false
	}
	_, kept := j.kept[i]
	return i, !kept
}

// ChangeNode puts a node aside.
func (j *nodeJob) ChangeNode(ref alloc.Ref, lp []byte, raw int) {
	i, is := j.unsaved(ref)
	if !is {
		return
	}
	if i == j.next && len(j.tail) > 0 {
		for !j.stepTail(math.MaxInt) {
		}
		j.next++
		return
	}
	j.aside[i] = struct{}{}
	x := buffer{compress: j.out.compress}
	x.buf = make([]byte, 0, len(lp)+32)
	x.node(j.head(x.buf, i), lp, raw)
	j.s.queue.putAside(j.lane, i, x.take())
}

// DropNode takes a node over.
func (j *nodeJob) DropNode(ref alloc.Ref, size int) (kept bool) {
	i, is := j.unsaved(ref)
	if is {
		j.kept[i] = size
		j.hold(int64(size))
	}
	return is
}

// rest appends all that an encoder has.
func (x *buffer) rest() {
	x.enc.Text = x.appendText
	for more := true; more; {
		x.buf, more = x.enc.Step(x.buf, stepBytes)
	}
	x.enc.Text = nil
}

// head appends what goes before the listpack of node i.
func (j *nodeJob) head(dst []byte, i int) []byte {
	if j.list != nil {
		return rdb.AppendListNode(dst)
	}
	return rdb.AppendStreamNode(dst, j.stream[i].Master)
}

// node sets the buffer to dst, which has the head of a node, and its listpack.
func (x *buffer) node(dst, lp []byte, raw int) {
	if raw != 0 {
		x.buf = rdb.AppendPacked(dst, lp, raw)
		return
	}
	x.buf = dst
	x.string(lp)
}

func (j *nodeJob) step(end int) {
	for ; j.next < j.nodes() && len(j.out.buf) < end; j.next++ {
		if len(j.tail) == 0 {
			j.saveNode(j.next)
		}
		if !j.stepTail(end) {
			return
		}
		j.freeKept(j.next)
	}
	switch {
	case j.next < j.nodes():
	case j.root.Type == types.List:
		j.over = true
	default:
		j.stepGroups(end)
	}
}

func (j *nodeJob) saveNode(i int) {
	if _, is := j.aside[i]; is {
		delete(j.aside, i)
		j.hand(false)
		j.s.queue.put(j.lane, piece{at: i + 1}, false)
		return
	}
	dst := j.head(j.out.buf, i)
	var lp []byte
	raw := 0
	if j.list != nil {
		n := j.list[i].In(j.sp.Arena)
		lp, raw = n.Bytes, n.Raw
	} else {
		lp = j.stream[i].Listpack(j.sp.Arena)
	}
	if raw == 0 && len(lp) > mostPacked {
		j.out.buf = rdb.AppendLen(dst, uint64(len(lp)))
		j.tail = [][]byte{lp}
		return
	}
	j.out.node(dst, lp, raw)
}

// freeKept frees node i, which has been saved, if it is the job's.
func (j *nodeJob) freeKept(i int) {
	if size, is := j.kept[i]; is {
		delete(j.kept, i)
		j.sp.Arena.Free(j.ref(i), size)
		j.hold(-int64(size))
	}
}

// Lost forgets the nodes that were the job's.
func (j *nodeJob) Lost() {
	j.job.Lost()
	clear(j.kept)
}

// release frees what is the job's still.
func (j *nodeJob) release() {
	j.releaseGroups()
	for i, size := range j.kept {
		j.sp.Arena.Free(j.ref(i), size)
	}
	clear(j.kept)
}

// refIndex tells which node a block is of. It has open addressing and does not grow.
type refIndex struct {
	slots []refSlot
	shift uint
}

type refSlot struct {
	ref alloc.Ref
	i   int32
}

func (x *refIndex) init(n int) {
	x.shift = 32
	size := 1
	for size < 2*n {
		size *= 2
		x.shift--
	}
	x.slots = make([]refSlot, size)
}

func (x *refIndex) slot(ref alloc.Ref) int { return int(uint64(uint32(ref)*0x9E3779B1) >> x.shift) }

func (x *refIndex) add(ref alloc.Ref, i int) {
	at := x.slot(ref)
	for x.slots[at].ref != 0 {
		at = (at + 1) & (len(x.slots) - 1)
	}
	x.slots[at] = refSlot{ref, int32(i)}
}

func (x *refIndex) find(ref alloc.Ref) (i int, ok bool) {
	for at := x.slot(ref); ; at = (at + 1) & (len(x.slots) - 1) {
		switch s := x.slots[at]; s.ref {
		case ref:
			return int(s.i), true
		case 0:
			return 0, false
		}
	}
}
