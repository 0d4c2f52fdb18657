package save

import (
	"bytes"

	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
)

// stringJob saves a long string chunk by chunk. A chunk that is about to change is put aside in the queue, or, if the
// string is to be compressed, which is done as a whole, kept until it has been copied to where the others are.
type stringJob struct {
	job
	pinned shard.Pinned
	length int // bytes, at the cut
	next   int // chunk to save
	aside  map[int]struct{}
	goner  bool // no key has the string any more

	packed bool
	kept   map[int][]byte
	whole  []byte // of a packed one, up to next
}

// ChunkBytes is how much of a long string is saved at once, and before a byte of it changes.
const ChunkBytes = 64 << 10

// isLong tells whether e is a string that is saved chunk by chunk.
func (s *Snapshot) isLong(db *shard.DB, e shard.Entry) bool { return db.IsMapped(e) }

// beginString watches the string e, which is saved piece by piece from now on. The shard is locked.
func (s *Snapshot) beginString(db *shard.DB, e shard.Entry) {
	j := &stringJob{job: job{s: s, shard: db.Shard(), lane: s.queue.begin(), gone: true}, length: db.StrLen(e), aside: map[int]struct{}{}}
	j.out.compress = s.o.Compress
	j.out.buf = rdb.AppendSelect(j.out.buf, db.Origin())
	j.out.key(db.Key(e), rdb.String, s.attributes(db, e))
	if j.packed = s.o.Compress && j.length <= mostPacked; j.packed {
		j.kept = map[int][]byte{}
	} else {
		j.out.buf = rdb.AppendLen(j.out.buf, uint64(j.length))
		j.hand(false)
	}
	j.pinned = db.WatchString(e, j)
	s.addJob(j)
}

func (j *stringJob) chunk(i int) []byte {
	return j.pinned.Bytes()[i*ChunkBytes : min((i+1)*ChunkBytes, j.length)]
}

// ChangeBytes puts the chunks that are about to change aside.
func (j *stringJob) ChangeBytes(from, to int) {
	if j.idle() {
		return
	}
	for i := max(from/ChunkBytes, j.next); i*ChunkBytes < min(to, j.length); i++ {
		if _, is := j.aside[i]; is {
			continue
		}
		j.aside[i] = struct{}{}
		if j.packed {
			j.kept[i] = bytes.Clone(j.chunk(i))
			j.hold(int64(len(j.kept[i])))
			continue
		}
		p := j.s.queue.buffer()
		p.buf = append(p.buf, j.chunk(i)...)
		j.s.queue.putAside(j.lane, i, p)
	}
}

// makeRoom makes the memory to which a string is copied that is to be compressed: without the lock, as it takes long.
func (j *stringJob) makeRoom() {
	if j.packed {
		j.whole = make([]byte, 0, j.length)
	}
}

// stepPacked copies the next chunk.
func (j *stringJob) stepPacked() {
	if j.next == 0 {
		j.hold(int64(j.length))
	}
	if kept, is := j.kept[j.next]; is {
		j.whole = append(j.whole, kept...)
		delete(j.kept, j.next)
		j.hold(-int64(len(kept)))
	} else {
		j.whole = append(j.whole, j.chunk(j.next)...)
	}
	j.next++
	if j.over = j.next*ChunkBytes >= j.length; j.over {
		j.hold(-int64(j.length))
		j.out.long = j.whole // is handed over with the end
	}
}

func (j *stringJob) step(end int) {
	if j.packed {
		j.stepPacked()
		return
	}
	for more := true; more && len(j.out.buf) < end; {
		if _, is := j.aside[j.next]; is {
			delete(j.aside, j.next)
			j.hand(false)
			j.s.queue.put(j.lane, piece{at: j.next + 1}, false)
		} else {
			if j.out.buf == nil {
				j.out.piece = j.s.queue.buffer()
			}
			j.out.buf = append(j.out.buf, j.chunk(j.next)...)
		}
		j.next++
		more = j.next*ChunkBytes < j.length
		j.over = !more
	}
}

// Orphan keeps the string, of which no key is left.
func (j *stringJob) Orphan() {
	if !j.idle() {
		j.hold(int64(j.length))
	}
	j.goner = true
}

func (j *stringJob) weight() (bytes int64, elements int) {
	return int64(j.length), (j.length + ChunkBytes - 1) / ChunkBytes
}

func (j *stringJob) release() {
	if j.goner {
		j.pinned.Release()
	} else {
		j.pinned.UnwatchString()
	}
}
