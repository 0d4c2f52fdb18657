package fifo

import "github.com/shoaldb/shoal/alloc"

const (
	chunkBytes = 256
	perChunk   = chunkBytes/4 - 1 // records
)

type chunk struct {
	next    alloc.Ref
	records [perChunk]uint32
}

// Queue is a first-in, first-out queue. It has no Go pointers. The zero Queue is empty and holds no memory. All calls
// for one queue name the same arena.
type Queue struct {
	first, last alloc.Ref
	begin, end  uint32 // of the records in the first and in the last chunk
	count       int
}

// Len returns the number of records.
func (q *Queue) Len() int { return q.count }

// Bytes returns the memory that q takes.
func (q *Queue) Bytes() int {
	if q.first == 0 {
		return 0
	}
	before := int(q.begin) + q.count // places in all chunks but those behind the last record
	return (before + perChunk - 1) / perChunk * alloc.UsableSize(chunkBytes)
}

// Push appends a record. It reports false if there is no memory.
func (q *Queue) Push(a *alloc.Arena, rec uint32) bool {
	if q.last == 0 || q.end == perChunk {
		if !q.lengthen(a) {
			return false
		}
	}
	alloc.At[chunk](a, q.last).records[q.end] = rec
	q.end++
	q.count++
	return true
}

func (q *Queue) lengthen(a *alloc.Arena) bool {
	r := a.AllocFor(alloc.Table, chunkBytes)
	if r == 0 {
		return false
	}
	alloc.At[chunk](a, r).next = 0
	if q.last == 0 {
		q.first, q.begin = r, 0
	} else {
		alloc.At[chunk](a, q.last).next = r
	}
	q.last, q.end = r, 0
	return true
}

// Pop takes the oldest record; ok is false if there is none.
func (q *Queue) Pop(a *alloc.Arena) (rec uint32, ok bool) {
	if q.count == 0 {
		return 0, false
	}
	c := alloc.At[chunk](a, q.first)
	rec = c.records[q.begin]
	q.begin++
	q.count--
	if q.count == 0 || q.begin == perChunk {
		q.drop(a, c.next)
	}
	return rec, true
}

// drop gives the first chunk back, behind which next follows.
func (q *Queue) drop(a *alloc.Arena, next alloc.Ref) {
	a.FreeFor(alloc.Table, q.first, chunkBytes)
	q.first, q.begin = next, 0
	if next == 0 {
		*q = Queue{}
	}
}

// Peek fills dst with the oldest records, as far as they stand in the first two chunks, and returns how many these are.
func (q *Queue) Peek(a *alloc.Arena, dst []uint32) int {
	dst = dst[:min(len(dst), q.count)]
	if len(dst) == 0 {
		return 0
	}
	c := alloc.At[chunk](a, q.first)
	n := copy(dst, c.records[q.begin:])
	if n < len(dst) {
		n += copy(dst[n:], alloc.At[chunk](a, c.next).records[:])
	}
	return n
}

// Clear gives back memory, at most limit chunks, and returns whether the queue is now empty.
func (q *Queue) Clear(a *alloc.Arena, limit int) bool {
	for ; limit > 0 && q.first != 0; limit-- {
		q.count -= min(q.count, perChunk-int(q.begin))
		q.drop(a, alloc.At[chunk](a, q.first).next)
	}
	return q.first == 0
}

// Each calls visit with every record, the oldest first.
func (q *Queue) Each(a *alloc.Arena, visit func(rec uint32)) {
	left, at := q.count, int(q.begin)
	for r := q.first; r != 0 && left > 0; {
		c := alloc.At[chunk](a, r)
		for ; at < perChunk && left > 0; at++ {
			visit(c.records[at])
			left--
		}
		at, r = 0, c.next
	}
}
