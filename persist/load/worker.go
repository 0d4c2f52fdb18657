package load

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// parcel is a row of keys and values:
//
//	offset 8 B | expiry 8 B | idle 8 B | database 4 B | freq 4 B | key 4 B | value 4 B | type 1 B | key | value
type parcel []byte

const itemHead = 41

// worker makes values of bytes, in shards that are nobody else's.
type worker struct {
	l    *loader
	in   chan parcel
	free chan parcel
	open parcel // being filled, by the reader
	busy sync.WaitGroup

	// Of the worker's goroutine, and after its end.
	d rdb.Decoder
	tally
}

func (l *loader) start() {
	for range l.o.Workers {
		w := &worker{l: l, in: make(chan parcel, parcels), free: make(chan parcel, parcels)}
		for range parcels {
			w.free <- make(parcel, 0, parcelBytes)
		}
		w.open = <-w.free
		l.workers = append(l.workers, w)
		go w.run()
	}
}

// stop waits until all has been done, and ends the worker.
func (w *worker) stop() {
	w.flush()
	w.wait()
	close(w.in)
}

// add gives w a key with the bytes of its value, which begin at offset from in the file.
func (w *worker) add(rec *rdb.Record, raw []byte, from int64) {
	if len(w.open)+itemHead+len(rec.Key)+len(raw) > parcelBytes && len(w.open) > 0 {
		w.flush()
	}
	b := w.open
	b = binary.LittleEndian.AppendUint64(b, uint64(from))
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.ExpireMS))
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.IdleSec))
	b = binary.LittleEndian.AppendUint32(b, uint32(rec.DB))
	b = binary.LittleEndian.AppendUint32(b, uint32(rec.Freq))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(rec.Key)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(raw)))
	b = append(b, byte(rec.Type))
	w.open = append(append(b, rec.Key...), raw...)
}

// flush sends off what has been added, and waits for the worker if it is far behind.
func (w *worker) flush() {
	w.busy.Add(1)
	w.in <- w.open
	w.open = (<-w.free)[:0]
}

// wait waits until the worker has done all that was sent.
func (w *worker) wait() { w.busy.Wait() }

func (w *worker) run() {
	for p := range w.in {
		if w.err == nil {
			w.fail(w.l, w.unpack(p))
		}
		w.free <- p
		w.busy.Done()
	}
}

const lookAhead = 8 // keys whose buckets are prefetched together

// item is a key of a parcel.
type item struct {
	attributes
	from int64
	raw  []byte
	key  shard.Key
}

func (w *worker) unpack(p parcel) error {
	var items [lookAhead]item
	for len(p) > 0 {
		n := 0
		for ; n < lookAhead && len(p) > 0; n++ {
			p = w.take(p, &items[n])
		}
		prefetch(items[:n])
		for i := range items[:n] {
			if err := w.make(&items[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// take reads the first key of p and returns what is behind it.
func (w *worker) take(p parcel, it *item) parcel {
	it.from = int64(binary.LittleEndian.Uint64(p))
	it.expireMS = int64(binary.LittleEndian.Uint64(p[8:]))
	it.idleSec = int64(binary.LittleEndian.Uint64(p[16:]))
	db := int(binary.LittleEndian.Uint32(p[24:]))
	it.freq = int(int32(binary.LittleEndian.Uint32(p[28:])))
	name, value := int(binary.LittleEndian.Uint32(p[32:])), int(binary.LittleEndian.Uint32(p[36:]))
	it.typ = rdb.Type(p[40])
	p = p[itemHead:]
	w.l.ks.Bind(&it.key, db, p[:name])
	it.raw = p[name : name+value]
	return p[name+value:]
}

// make gives the key of it its value.
func (w *worker) make(it *item) error {
	w.d.ResetBytes(it.raw)
	w.d.Deep = w.l.o.Deep
	return w.l.build(&w.tally, &w.d, &it.key, &it.attributes, it.from)
}

// shift adds the offset of a value in its file to that of an error within the value.
func shift(err error, from int64) error {
	var e *rdb.Error
	if errors.As(err, &e) {
		return &rdb.Error{Offset: from + e.Offset, Err: e.Err}
	}
	return err
}

// put makes v the value of k.
func (l *loader) put(k *shard.Key, v rdb.Value, a *attributes) error {
	before := k.DB.Len()
	m := shard.SetMode{ExpireMS: a.expireMS}
	if v.Kind == types.String {
		if !k.DB.SetString(k, v.Text, m) {
			return types.ErrNoMemory
		}
	} else if !k.DB.Add(k, v.Root, m) {
		k.DB.FreeRoot(v.Root)
		return types.ErrNoMemory
	}
	if k.DB.Len() == before && !l.o.AllowDup {
		return &DuplicateError{Key: string(k.Name), DB: k.DB.ID()}
	}
	if a.freq >= 0 && l.o.LFU || a.idleSec >= 0 && !l.o.LFU {
		l.setClock(k, a)
	}
	return nil
}

func (l *loader) setClock(k *shard.Key, a *attributes) {
	switch e := k.DB.Find(k); {
	case !e.Exists(): // its time has come
	case l.o.LFU:
		k.DB.SetFreq(e, uint8(a.freq))
	default:
		k.DB.SetIdle(e, time.Duration(min(a.idleSec, maxIdleSec))*time.Second)
	}
}

// prefetch asks for the buckets that the keys of items go to.
func prefetch(items []item) {
	var addrs [lookAhead]uintptr
	for i := range items {
		addrs[i] = items[i].key.Peek()
	}
	alloc.Prefetch(addrs[:len(items)])
}

const maxIdleSec = 1 << 23 // half of what the access clock can tell
