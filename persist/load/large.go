package load

import (
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
)

// job is a value that is too large for a parcel.
type job struct {
	attributes
	db   int
	name []byte
	from int64 // where the value begins in the file
}

// builders make the large values of a file, each for itself: it reads the bytes again, while the loader's caller goes
// on to the next record.
type builders struct {
	l       *loader
	all     []*builder
	jobs    chan job
	ended   chan *builder
	help    chan func()  // what builders have others do for them
	waiting atomic.Int64 // bytes of values that have been skipped and are yet to be read by builders
}

type builder struct {
	*builders
	tally
	d    rdb.Decoder
	part part
	done int // elements since others had the shard
}

func (l *loader) startBuilders() {
	if l.o.At == nil || l.o.AllowDup { // with duplicates the order counts
		return
	}
	n := l.o.Workers
	l.builders = &builders{l: l, jobs: make(chan job, n), ended: make(chan *builder, n), help: make(chan func(), n)}
	for range n {
		go l.builders.assist()
		b := &builder{builders: l.builders}
		l.builders.all = append(l.builders.all, b)
		go b.run()
	}
}

// stop waits until all values have been made, and returns the first error.
func (bs *builders) stop(to *tally) error {
	if bs == nil {
		return nil
	}
	close(bs.jobs)
	tick := time.NewTicker(progressTime)
	defer tick.Stop()
	for range bs.all {
		for waiting := true; waiting; {
			select {
			case <-bs.ended:
				waiting = false
			case <-tick.C:
				bs.l.progress()
			}
		}
	}
	close(bs.help)
	var err error
	for _, b := range bs.all {
		to.add(&b.tally)
		if err == nil {
			err = b.err
		}
	}
	return err
}

// assist does what builders give away. It waits for nobody.
func (bs *builders) assist() {
	for f := range bs.help {
		f()
	}
}

// share has f done by a helper, or does it if they have enough to do.
func (bs *builders) share(f func()) {
	select {
	case bs.help <- f:
	default:
		f()
	}
}

// add has the value at d's place made by a builder, and skips it.
func (bs *builders) add(d *rdb.Decoder, rec *rdb.Record) error {
	from := d.Offset()
	bs.jobs <- job{attributes: attributesOf(rec), db: rec.DB, name: append([]byte(nil), rec.Key...), from: from}
	err := d.Skip(rec.Type)
	bs.waiting.Add(d.Offset() - from)
	return err
}

func (b *builder) run() {
	for j := range b.jobs {
		if b.err == nil && !b.l.failed.Load() {
			b.fail(b.l, b.make(&j))
		}
	}
	b.ended <- b
}

func (b *builder) make(j *job) error {
	var k shard.Key
	b.l.ks.Bind(&k, j.db, j.name)
	b.part = part{builders: b.builders, at: j.from}
	b.d.Reset(&b.part)
	b.d.Deep, b.d.Size = b.l.o.Deep, b.l.o.Size-j.from
	b.d.Pause = func(n int) { b.pause(&k, n) }
	b.d.Go = b.share
	s := k.DB.Shard()
	s.Lock(b.l.o.NowMS)
	err := b.l.build(&b.tally, &b.d, &k, &j.attributes, j.from)
	s.Unlock()
	b.waiting.Add(b.part.at - j.from - b.d.Offset()) // what was read ahead
	b.d.Forget()
	if errors.Is(err, errOther) {
		return nil
	}
	return err
}

// pause lets others have the shard of k from time to time: a worker may have small values for it, INFO looks at all shards.
func (b *builder) pause(k *shard.Key, n int) {
	const often = 128 // elements: 20 µs
	if b.done += n; b.done < often {
		return
	}
	b.done = 0
	s := k.DB.Shard()
	s.Unlock()
	runtime.Gosched()
	s.Lock(b.l.o.NowMS)
}

// part is the file from some place on, as long as the load has not failed.
type part struct {
	*builders
	at int64
}

var errOther = errors.New("the load has failed elsewhere")

func (p *part) Read(b []byte) (n int, err error) {
	if p.l.failed.Load() {
		return 0, errOther
	}
	n, err = p.l.o.At.ReadAt(b, p.at)
	p.at += int64(n)
	p.waiting.Add(-int64(n))
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}
