package save

import (
	"errors"
	"math/bits"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/member"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/zset"
)

// memberJob saves the members of a table, in the order of its scan, or those of a sorted set, from the last one on. Which have been met
// follows from how far the walk has come: for a table from the bits of a member's hash, which the scan goes through backwards, whatever the size of the table.
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

	// excluded are the blocks that the walk has not met and is not to save: of members that have been saved, and of new ones. A block that
	// has been freed stays: whatever this value puts there is new.
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

// save appends the member in a block.
func (j *memberJob) save(ref alloc.Ref) {
	j.left--
	switch j.kind {
	case setMembers:
		j.string(member.Name(j.sp.Arena, ref))
	case scored:
		name, score := zset.MemberAt(j.sp, ref)
		j.string(name)
		j.out.buf = rdb.AppendScore(j.out.buf, score)
	default:
		name, value, expireMS := hash.FieldAt(j.sp, ref)
		if j.kind == timedFields {
			j.out.buf = rdb.AppendFieldExpiry(j.out.buf, expireMS, j.firstMS)
		}
		j.string(name)
		j.string(value)
	}
}

// met tells whether the walk has been where a member stands.
func (j *memberJob) met(ref alloc.Ref) bool {
	switch {
	case !j.begun:
		return false
	case j.kind == scored:
		return j.at.Reaches(j.sp, ref)
	}
	h := uint32(j.sp.Hash(member.Name(j.sp.Arena, ref)))
	return bits.Reverse32(h) < bits.Reverse32(j.cursor)
}

// Change saves a member before its turn.
func (j *memberJob) Change(ref alloc.Ref) {
	if j.idle() || j.met(ref) {
		return
	}
	if _, is := j.excluded[ref]; is {
		return
	}
	j.excluded[ref] = struct{}{}
	j.save(ref)
	if len(j.out.buf) >= handBytes {
		j.hand(false)
	}
	j.over = j.left == 0
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
		j.cursor, j.begun = next, true
		if next == 0 {
			j.finish()
			return
		}
	}
	j.over = j.left == 0
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
		j.save(ref)
	}
}

func (j *memberJob) stepDown(end int) {
	v := zset.Open(j.sp, j.root)
	all := true
	v.VisitDown(j.at, func(run []alloc.Ref) bool {
		if len(j.out.buf) >= end || j.left == 0 {
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
	if all {
		j.finish()
	}
	j.over = j.over || j.left == 0
}
