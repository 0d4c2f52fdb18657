package save

import (
	"errors"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/member"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/zset"
)

// memberJob saves the members of a table, in the order of its scan, or those of a sorted set, from the last one on.
// Which have been met follows from how far the walk has come: for a table from the bits of a member's hash, which the
// scan goes through backwards, whatever the size of the table.
type memberJob struct {
	job
	kind    kind
	left    int // members of the cut that have not been saved
	firstMS int64

	cursor  uint32 // of a table
	begun   bool
	buckets int  // of the table, at most
	shrunk  bool // the table has had more: the scan meets members again
	at      *zset.Position
	room    []byte // of at

	// Very long members are saved in pieces: those of longs, which the walk has met, before it goes on; other members
	// that change meanwhile are saved to later.
	longs  []alloc.Ref
	tailOf alloc.Ref // whose tail is being saved; 0: none
	later  buffer
	ended  bool // the walk has met all

	// excluded are the blocks that the walk has not met and is not to save: of members that have been saved, and of new
	// ones. A block that has been freed stays: whatever this value puts there is new.
	excluded map[alloc.Ref]struct{}
	refs     []alloc.Ref
	addrs    []uintptr
}

type kind uint8

const (
	setMembers kind = iota
	hashFields
	timedFields
	scored
)

var errCount = errors.New("a large value has not as many members as there were")

func newMemberJob(b job) *memberJob {
	j := &memberJob{job: b, excluded: map[alloc.Ref]struct{}{}}
	switch b.root.Type {
	case types.Set:
		v := set.Open(b.sp, b.root)
		j.kind, j.left = setMembers, v.Len()
	case types.ZSet:
		v := zset.Open(b.sp, b.root)
		j.kind, j.left = scored, v.Len()
	default:
		v := hash.Open(b.sp, b.root)
		j.kind, j.left, j.firstMS = hashFields, v.Size(), v.FirstExpiry()
		if j.firstMS != 0 {
			j.kind = timedFields
			j.out.buf = rdb.AppendFirstExpiry(j.out.buf, j.firstMS)
		}
	}
	j.out.buf = rdb.AppendLen(j.out.buf, uint64(j.left))
	return j
}

// parts is what is saved of a member.
type parts struct {
	name, value []byte
	score       float64
	expireMS    int64
}

func (j *memberJob) parts(ref alloc.Ref) (p parts) {
	switch j.kind {
	case setMembers:
		p.name = member.Name(j.sp.Arena, ref)
	case scored:
		p.name, p.score = zset.MemberAt(j.sp, ref)
	default:
		p.name, p.value, p.expireMS = hash.FieldAt(j.sp, ref)
	}
	return p
}

func (p *parts) size() int { return len(p.name) + len(p.value) }

// save appends the member in a block.
func (j *memberJob) save(p *parts) {
	j.left--
	switch j.kind {
	case setMembers:
		j.string(p.name)
	case scored:
		j.string(p.name)
		j.out.buf = rdb.AppendScore(j.out.buf, p.score)
	default:
		if j.kind == timedFields {
			j.out.buf = rdb.AppendFieldExpiry(j.out.buf, p.expireMS, j.firstMS)
		}
		j.string(p.name)
		j.string(p.value)
	}
}

// beginTail begins to save a very long member.
func (j *memberJob) beginTail(ref alloc.Ref) {
	p := j.parts(ref)
	j.left--
	j.tailOf = ref
	var head []byte
	if j.kind == timedFields {
		head = rdb.AppendFieldExpiry(nil, p.expireMS, j.firstMS)
	}
	j.tail = [][]byte{rdb.AppendLen(head, uint64(len(p.name))), p.name}
	switch j.kind {
	case scored:
		j.tail = append(j.tail, rdb.AppendScore(nil, p.score))
	case hashFields, timedFields:
		j.tail = append(j.tail, rdb.AppendLen(nil, uint64(len(p.value))), p.value)
	}
}

// endTail saves what is left of the very long member that is being saved, and what has been saved to later.
func (j *memberJob) endTail() {
	for !j.stepTail(math.MaxInt) {
	}
	j.tailOf = 0
	if len(j.later.buf) > 0 {
		j.hold(-int64(len(j.later.buf)))
		j.hand(false)
		j.out.piece = j.later.take()
	}
}

// stepLongs goes on with very long members. It reports whether none is left.
func (j *memberJob) stepLongs(end int) (done bool) {
	for j.tailOf != 0 || len(j.longs) > 0 {
		if j.tailOf == 0 {
			last := len(j.longs) - 1
			j.beginTail(j.longs[last])
			j.longs = j.longs[:last]
		}
		if !j.stepTail(end) {
			return false
		}
		j.endTail()
	}
	return true
}

// done tells whether all that is to be saved is.
func (j *memberJob) done() bool { return j.left == 0 && j.tailOf == 0 }

// met tells whether the walk has been where a member stands.
func (j *memberJob) met(ref alloc.Ref) bool {
	switch {
	case !j.begun:
		return false
	case j.ended:
		return true
	case j.kind == scored:
		return j.at.Reaches(j.sp, ref)
	}
	h := uint32(j.sp.Hash(member.Name(j.sp.Arena, ref)))
	return bits.Reverse32(h) < bits.Reverse32(j.cursor)
}

// Change saves a member before its turn.
func (j *memberJob) Change(ref alloc.Ref) {
	if j.idle() {
		return
	}
	if j.tailOf == ref {
		j.endTail()
	} else if i := slices.Index(j.longs, ref); i >= 0 {
		j.longs = slices.Delete(j.longs, i, i+1)
		j.saveNow(ref)
	} else if _, is := j.excluded[ref]; !is && !j.met(ref) {
		j.excluded[ref] = struct{}{}
		j.saveNow(ref)
	}
	if len(j.out.buf) >= handBytes {
		j.hand(false)
	}
	j.over = j.done()
}

// saveNow saves a member out of turn.
func (j *memberJob) saveNow(ref alloc.Ref) {
	p := j.parts(ref)
	if j.tailOf != 0 && p.size() >= longText {
		j.endTail()
	}
	if j.tailOf == 0 {
		j.save(&p)
		return
	}
	was := len(j.later.buf)
	j.out, j.later = j.later, j.out
	j.out.compress = j.later.compress
	j.save(&p)
	j.out, j.later = j.later, j.out
	j.hold(int64(len(j.later.buf) - was))
}

// Add excludes a new member.
func (j *memberJob) Add(ref alloc.Ref) {
	if !j.idle() && !j.met(ref) {
		j.excluded[ref] = struct{}{}
	}
}

const (
	freeExclusions = 4096 // any value may have so many,
	shareExcluded  = 8    // and one more for so many that it has saved
	beforeTime     = 100 * time.Microsecond
)

// Before makes whoever goes on changing members help the walk, so that those that are excluded remain few.
func (j *memberJob) Before() {
	size := len(j.excluded)
	if size <= freeExclusions {
		return
	}
	for begin := time.Now(); !j.idle() && size > freeExclusions+(j.saved())/shareExcluded && time.Since(begin) < beforeTime; {
		j.step(len(j.out.buf) + stepBytes)
	}
	if len(j.out.buf) >= handBytes {
		j.hand(false)
	}
}

// saved returns about how many members the walk has met.
func (j *memberJob) saved() int {
	switch {
	case !j.begun:
		return 0
	case j.kind == scored:
		return max(zsetLen(j)-j.left, 0)
	}
	return int(uint64(bits.Reverse32(j.cursor)) * uint64(j.buckets) >> 32 * 8)
}

func zsetLen(j *memberJob) int {
	v := zset.Open(j.sp, j.root)
	return v.Len()
}

// Orphan takes the value over.
func (j *memberJob) Orphan() {
	j.job.Orphan()
	bytes, _ := j.weight()
	j.hold(bytes)
}

const weighed = 8 // members, to know what one takes

func (j *memberJob) weight() (bytes int64, elements int) {
	if j.gone {
		return 0, 0
	}
	switch j.kind {
	case setMembers:
		return int64(set.Bytes(j.sp, j.root, weighed)), set.Len(j.sp, j.root)
	case scored:
		return int64(zset.Bytes(j.sp, j.root, weighed)), zset.Len(j.sp, j.root)
	}
	return int64(hash.Bytes(j.sp, j.root, weighed)), hash.Len(j.sp, j.root)
}

func (j *memberJob) step(end int) {
	if j.gone {
		j.finish()
		return
	}
	if !j.stepLongs(end) {
		return
	}
	if j.ended {
		j.finish()
		return
	}
	if j.over = j.done(); j.over {
		return
	}
	if j.kind == scored {
		j.stepDown(end)
	} else {
		j.stepTable(end)
	}
}

// finish ends the job: what there is has been met.
func (j *memberJob) finish() {
	if j.left != 0 && !j.s.failed.Load() {
		j.s.fail(errCount)
	}
	j.over = true
}

func (j *memberJob) stepTable(end int) {
	var scan func(cursor uint32, visit func(ref alloc.Ref)) uint32
	var n int
	if j.kind == setMembers {
		v := set.Open(j.sp, j.root)
		scan, n = v.ScanBlocks, v.Buckets()
	} else {
		v := hash.Open(j.sp, j.root)
		scan, n = v.ScanBlocks, v.Buckets()
	}
	j.shrunk = j.shrunk || n < j.buckets
	j.buckets = max(n, j.buckets)
	for len(j.out.buf) < end && j.left > 0 {
		j.refs = j.refs[:0]
		next := scan(j.cursor, func(ref alloc.Ref) { j.refs = append(j.refs, ref) })
		j.saveRun(j.refs)
		j.cursor, j.begun, j.ended = next, true, next == 0
		if len(j.longs) > 0 {
			return
		}
		if j.ended {
			j.finish()
			return
		}
	}
	j.over = j.done()
}

// saveRun saves members as far as they are to be.
func (j *memberJob) saveRun(refs []alloc.Ref) {
	j.addrs = j.addrs[:0]
	for _, ref := range refs {
		j.addrs = append(j.addrs, j.sp.Arena.Addr(ref))
	}
	alloc.Prefetch(j.addrs)
	for _, ref := range refs {
		if j.shrunk && j.met(ref) {
			continue
		}
		if len(j.excluded) > 0 {
			if _, is := j.excluded[ref]; is {
				continue
			}
		}
		if p := j.parts(ref); p.size() > mostPacked {
			j.longs = append(j.longs, ref)
		} else {
			j.save(&p)
		}
	}
}

func (j *memberJob) stepDown(end int) {
	v := zset.Open(j.sp, j.root)
	all := true
	v.VisitDown(j.at, func(run []alloc.Ref) bool {
		if len(j.out.buf) >= end || j.left == 0 || len(j.longs) > 0 {
			all = false
			return false
		}
		j.refs = j.refs[:0]
		for i := len(run) - 1; i >= 0; i-- {
			j.refs = append(j.refs, run[i])
		}
		j.saveRun(j.refs)
		name, score := zset.MemberAt(j.sp, run[0])
		j.room = append(j.room[:0], name...)
		j.at, j.begun = &zset.Position{Score: score, Name: j.room}, true
		return true
	})
	if j.ended = all; all && len(j.longs) == 0 {
		j.finish()
	}
	j.over = j.over || j.done()
}
