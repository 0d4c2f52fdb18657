package load

import (
	"cmp"
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// Options say how a file is loaded.
type Options struct {
	Limits *types.Limits
	NowMS  int64
	// KeepExpired loads keys whose time has come, too: into a replica, or before the commands of an append only file.
	KeepExpired bool
	// AllowDup lets a key that is there twice replace what there was; else that is an error.
	AllowDup   bool
	LFU        bool // access clocks are LFU counters
	Deep       bool // sanitize-dump-payload: what is checked is counted
	NoChecksum bool
	Workers    int // 0: as many as there are processors
	// At is the file from where Load begins to read it, if it can be read at any place at any time: then large values are made by
	// several at once.
	At io.ReaderAt
	// Size is the length of the file in bytes; 0: unknown. Elements that are announced get memory ahead as far as they
	// may be there.
	Size int64

	Aux      func(name, value []byte)       // is called for auxiliary fields, unless nil
	Function func(code []byte) error        // is called for libraries of functions, unless nil
	Module   func(name []byte)              // is called for data of modules, which are skipped, unless nil
	Empty    func(key []byte)               // is called for keys without elements, which are skipped, unless nil; by workers, too
	Progress func(offset int64, keys int64) // is called from time to time, unless nil

	largest int // bytes of a value in a parcel; 0: the default
}

// Result is what was loaded.
type Result struct {
	Version              int
	Keys, Expired, Empty int64
	Sanitized            int64
	Bytes                int64     // of the file
	Rest                 io.Reader // what stands behind the end of the file
}

// DatabaseError says that a file has a database that the keyspace has not.
type DatabaseError struct{ DB int }

func (e *DatabaseError) Error() string { return "a database beyond those configured" }

// DuplicateError says that a key is there twice.
type DuplicateError struct {
	Key string
	DB  int
}

func (e *DuplicateError) Error() string { return "RDB has duplicated key '" + e.Key + "'" }

const (
	parcelBytes = 128 << 10
	parcels     = 4 // for each worker
)

// loader is a load under way.
type loader struct {
	ks       *shard.Keyspace
	o        *Options
	r        rdb.Reader
	records  int64
	workers  []*worker
	builders *builders   // may be nil
	failed   atomic.Bool // somebody has

	tally
	expired int64
}

// tally is what somebody has loaded.
type tally struct {
	keys, empty int64
	sanitized   int
	err         error
}

func (t *tally) add(o *tally) {
	t.keys += o.keys
	t.empty += o.empty
	t.sanitized += o.sanitized
}

// fail notes err, if it is one, and that the load has failed.
func (t *tally) fail(l *loader, err error) {
	if err != nil {
		t.err = err
		l.failed.Store(true)
	}
}

// attributes are what a record says of a key.
type attributes struct {
	expireMS, idleSec int64
	freq              int
	typ               rdb.Type
}

func attributesOf(rec *rdb.Record) attributes {
	return attributes{expireMS: rec.ExpireMS, idleSec: rec.IdleSec, freq: rec.Freq, typ: rec.Type}
}

// Load reads the file src into ks and returns what it has found, also when there is an error: an *rdb.Error, with the offset and
// the cause. Then some of the keys are there.
func Load(ks *shard.Keyspace, src io.Reader, o Options) (Result, error) {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.largest == 0 {
		o.largest = parcelBytes / 2
	}
	o.Workers = min(o.Workers, ks.Shards())
	l := &loader{ks: ks, o: &o, r: rdb.Reader{NoChecksum: o.NoChecksum}}
	version, err := l.r.Open(src)
	if err != nil {
		return Result{Version: version}, err
	}
	l.r.Decoder().Size = o.Size
	l.start()
	l.startBuilders()
	l.fail(l, l.read())
	err = l.stop()
	res := Result{Version: version, Expired: l.expired, Bytes: l.r.Offset(), Sanitized: int64(l.sanitized), Keys: l.keys, Empty: l.empty}
	if err == nil {
		res.Rest = l.r.Rest()
	}
	return res, err
}

// stop waits until all is done and returns the first error.
func (l *loader) stop() error {
	err := l.builders.stop(&l.tally)
	for _, w := range l.workers {
		w.stop()
		l.tally.add(&w.tally)
		err = cmp.Or(err, w.err)
	}
	return cmp.Or(err, l.err)
}

const (
	progressKeys = 1 << 12 // between two calls of Options.Progress
	progressTime = 50 * time.Millisecond
)

func (l *loader) read() error {
	var rec rdb.Record
	for !l.failed.Load() {
		switch err := l.r.Next(&rec); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := l.record(&l.r, &rec); err != nil {
			return err
		}
		if l.records++; l.records%progressKeys == 0 {
			l.progress()
		}
	}
	return nil
}

// progress tells how far the load has come.
func (l *loader) progress() {
	if l.o.Progress == nil {
		return
	}
	offset := l.r.Offset()
	if l.builders != nil {
		offset -= max(l.builders.waiting.Load(), 0)
	}
	l.o.Progress(offset, l.records)
}

func (l *loader) record(r *rdb.Reader, rec *rdb.Record) error {
	o := l.o
	switch rec.Op {
	case rdb.OpAux:
		if o.Aux != nil {
			o.Aux(rec.Name, rec.Text)
		}
	case rdb.OpFunction:
		if o.Function != nil {
			return at(r.Offset(), o.Function(rec.Text))
		}
	case rdb.OpModuleAux:
		if o.Module != nil {
			o.Module(rec.Name)
		}
	case rdb.OpKey:
		return l.key(r, rec)
	}
	return nil
}

// at returns err with an offset.
func at(offset int64, err error) error {
	if err == nil {
		return nil
	}
	return &rdb.Error{Offset: offset, Err: err}
}

func (l *loader) key(r *rdb.Reader, rec *rdb.Record) error {
	if rec.DB >= l.ks.Databases() {
		return at(r.Offset(), &DatabaseError{rec.DB})
	}
	d := r.Decoder()
	if rec.ExpireMS != 0 && rec.ExpireMS < l.o.NowMS && !l.o.KeepExpired {
		l.expired++
		return d.Skip(rec.Type)
	}
	from := r.Offset()
	raw, ok, err := d.Raw(rec.Type, l.o.largest)
	if err != nil {
		return err
	}
	if !ok && l.builders != nil {
		return l.builders.add(d, rec)
	}
	var k shard.Key
	l.ks.Bind(&k, rec.DB, rec.Key)
	w := l.workers[k.DB.Shard().Index()%len(l.workers)]
	if ok {
		w.add(&k, rec, raw, from)
		return nil
	}
	if l.o.AllowDup {
		w.flush()
		w.wait() // another value of the key may be on its way
	}
	d.Deep = l.o.Deep
	a := attributesOf(rec)
	s := k.DB.Shard()
	s.Lock(l.o.NowMS)
	defer s.Unlock()
	return l.build(&l.tally, d, &k, &a, 0)
}

// build makes the value that d comes to that of k, whose shard is locked. from is the offset in the file at which d began
// to read.
func (l *loader) build(t *tally, d *rdb.Decoder, k *shard.Key, a *attributes, from int64) error {
	counted := d.Sanitized
	v, err := d.Value(k.DB.Space(), l.o.Limits, a.typ)
	t.sanitized += d.Sanitized - counted
	if errors.Is(err, rdb.ErrEmpty) {
		t.empty++
		l.noteEmpty(k.Name)
		return nil
	}
	if err != nil {
		return shift(err, from)
	}
	t.keys++
	return at(from+d.Offset(), l.put(k, v, a))
}

func (l *loader) noteEmpty(key []byte) {
	if l.o.Empty != nil {
		l.o.Empty(key)
	}
}
