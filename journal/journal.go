package journal

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// chunkSize is the size of a part of the stream, bytes.
const chunkSize = 64 << 10

// chunk is a part of the stream.
type chunk struct {
	from int64 // offset of data's first byte
	next *chunk
	data [chunkSize]byte
}

// Journal is the stream of effects. Its offsets count bytes from where it began; they are a replication offset.
// All methods may be called from any goroutine.
type Journal struct {
	end atomic.Int64

	mu      sync.Mutex
	first   *chunk // the oldest that is kept
	tail    *chunk
	spare   *chunk // a list of unused ones
	spares  int
	db      int // that the stream has selected; -1: none
	keep    int64
	readers []*Reader
	asleep  atomic.Int32 // readers that wait
}

// New returns a journal whose stream begins at offset and which keeps the last keep bytes for readers to come.
func New(offset, keep int64) *Journal {
	c := &chunk{from: offset}
	j := &Journal{first: c, tail: c, db: -1, keep: keep}
	j.end.Store(offset)
	return j
}

// End is the offset behind the stream's last byte. It lies between two groups.
func (j *Journal) End() int64 { return j.end.Load() }

// Start is the lowest offset from which a Reader can begin.
func (j *Journal) Start() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first.from
}

// Unselect makes the next effect come with a SELECT of its database: where a file or a replica begins to read.
func (j *Journal) Unselect() {
	j.mu.Lock()
	j.db = -1
	j.mu.Unlock()
}

// Write appends l's groups to the stream, empties l and returns the offset behind them. The caller holds the locks
// under which the effects happened. It takes no other lock and does not wait.
func (j *Journal) Write(l *Log) (end int64) {
	j.mu.Lock()
	at := j.end.Load()
	from := 0
	for i := range l.effects {
		e := &l.effects[i]
		if e.db != j.db { // before MULTI, as Redis does
			j.db = e.db
			at = j.put(at, selectCommand(e.db))
		}
		if e.first {
			at = j.put(at, multi)
		}
		at = j.put(at, l.buf[from:e.end])
		if e.last {
			at = j.put(at, exec)
		}
		from = e.end
	}
	j.end.Store(at)
	j.mu.Unlock()
	l.reset()
	return at
}

var (
	multi = []byte("*1\r\n$5\r\nMULTI\r\n")
	exec  = []byte("*1\r\n$4\r\nEXEC\r\n")
)

func selectCommand(db int) []byte {
	name := strconv.Itoa(db)
	return []byte("*2\r\n$6\r\nSELECT\r\n$" + strconv.Itoa(len(name)) + "\r\n" + name + "\r\n")
}

// put copies b to the offset at, which is behind everything.
func (j *Journal) put(at int64, b []byte) int64 {
	for len(b) > 0 {
		if at == j.tail.from+chunkSize {
			j.extend(at)
		}
		n := copy(j.tail.data[at-j.tail.from:], b)
		b = b[n:]
		at += int64(n)
	}
	return at
}

// extend adds a chunk, one that nobody needs any more if there is one.
func (j *Journal) extend(at int64) {
	needed := at - j.keep
	for _, r := range j.readers {
		needed = min(needed, r.at.Load())
	}
	for j.first != j.tail && j.first.from+chunkSize < needed { // a reader may stand at a chunk's end
		c := j.first
		j.first = c.next
		j.putSpare(c)
	}
	c := j.takeSpare()
	c.from = at
	j.tail.next = c
	j.tail = c
}

// maxSpares is how many unused chunks are kept: 4 MiB, more than a writer is behind that keeps up.
const maxSpares = 64

func (j *Journal) putSpare(c *chunk) {
	if j.spares == maxSpares {
		c.next = nil
		return
	}
	c.next = j.spare
	j.spare = c
	j.spares++
}

func (j *Journal) takeSpare() *chunk {
	c := j.spare
	if c == nil {
		return new(chunk)
	}
	j.spare, c.next = c.next, nil
	j.spares--
	return c
}

// Behind tells how many bytes the reader that is furthest behind has yet to read.
func (j *Journal) Behind() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	end := j.end.Load()
	at := end
	for _, r := range j.readers {
		at = min(at, r.at.Load())
	}
	return end - at
}

// Wake wakes readers that wait. Whoever has written calls it once it has given back its locks.
func (j *Journal) Wake() {
	if j.asleep.Load() == 0 {
		return
	}
	j.mu.Lock()
	readers := j.readers
	j.mu.Unlock()
	for _, r := range readers {
		r.Poke()
	}
}

// Reader returns a reader that begins at an offset, or false if the stream is not kept from there on.
func (j *Journal) Reader(at int64) (*Reader, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if at < j.first.from || at > j.end.Load() {
		return nil, false
	}
	c := j.first
	for at >= c.from+chunkSize && c.next != nil {
		c = c.next
	}
	r := &Reader{j: j, chunk: c, wake: make(chan struct{}, 1)}
	r.at.Store(at)
	j.readers = append(slices.Clone(j.readers), r)
	return r, true
}
