package load

import (
	"errors"
	"io"
	"runtime"
	"sync/atomic"

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

	Aux      func(name, value []byte)       // is called for auxiliary fields, unless nil
	Function func(code []byte) error        // is called for libraries of functions, unless nil
	Module   func(name []byte)              // is called for data of modules, which are skipped, unless nil
	Empty    func(key []byte)               // is called for keys without elements, which are skipped, unless nil; by workers, too
	Progress func(offset int64, keys int64) // is called from time to time, unless nil
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
	largest     = parcelBytes / 2 // value in a parcel, bytes
	parcels     = 4               // for each worker
)

// loader is a load under way.
type loader struct {
	ks      *shard.Keyspace
	o       *Options
	workers []*worker
	failed  atomic.Bool // a worker has

	keys, expired, empty int64
}

// Load reads the file src into ks and returns what it has found, also when there is an error: an *rdb.Error, with the offset and
// the cause. Then some of the keys are there.
func Load(ks *shard.Keyspace, src io.Reader, o Options) (Result, error) {
	r := rdb.Reader{NoChecksum: o.NoChecksum}
	version, err := r.Open(src)
	if err != nil {
		return Result{Version: version}, err
	}
	l := &loader{ks: ks, o: &o}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Workers = min(o.Workers, ks.Shards())
	l.start()
	err = l.read(&r)
	if werr := l.stop(); werr != nil {
		err = werr
	}
	res := Result{Version: version, Expired: l.expired, Bytes: r.Offset(), Sanitized: int64(r.Decoder().Sanitized), Keys: l.keys, Empty: l.empty}
	for _, w := range l.workers {
		res.Keys += w.keys
		res.Empty += w.empty
		res.Sanitized += int64(w.sanitized)
	}
	if err == nil {
		res.Rest = r.Rest()
	}
	return res, err
}

const progressKeys = 1 << 12 // between two calls of Options.Progress

func (l *loader) read(r *rdb.Reader) error {
	var rec rdb.Record
	for n := int64(1); !l.failed.Load(); n++ {
		switch err := r.Next(&rec); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := l.record(r, &rec); err != nil {
			return err
		}
		if n%progressKeys == 0 && l.o.Progress != nil {
			l.o.Progress(r.Offset(), n)
		}
	}
	return nil
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
	raw, ok, err := d.Raw(rec.Type, largest)
	if err != nil {
		return err
	}
	var k shard.Key
	l.ks.Bind(&k, rec.DB, rec.Key)
	w := l.workers[k.DB.Shard().Index()%len(l.workers)]
	if ok {
		w.add(rec, raw, from)
		return nil
	}
	return l.large(w, d, &k, rec)
}

// large reads a value from the file into its shard.
func (l *loader) large(w *worker, d *rdb.Decoder, k *shard.Key, rec *rdb.Record) error {
	if l.o.AllowDup {
		w.flush()
		w.wait() // another value of the key may be on its way
	}
	s := k.DB.Shard()
	s.Lock(l.o.NowMS)
	defer s.Unlock()
	v, err := d.Value(k.DB.Space(), l.o.Limits, rec.Type)
	if errors.Is(err, rdb.ErrEmpty) {
		l.empty++
		l.noteEmpty(k.Name)
		return nil
	}
	if err != nil {
		return err
	}
	l.keys++
	return at(d.Offset(), l.put(k, v, rec.ExpireMS, rec.IdleSec, rec.Freq))
}

func (l *loader) noteEmpty(key []byte) {
	if l.o.Empty != nil {
		l.o.Empty(key)
	}
}
