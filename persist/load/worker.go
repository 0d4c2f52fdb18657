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
//	offset 8 B | expiry 8 B | idle 8 B | hash 8 B | shard 4 B | database 4 B | freq 4 B | key 4 B | value 4 B | type 1 B | key | value
//
// The hash is the key's in its shard.
type parcel []byte

const itemHead = 53

// worker makes values of bytes, in shards that are nobody else's.
type worker struct {
	l    *loader
	in   chan parcel
	free chan parcel
	open parcel // being filled, by the reader
	busy sync.WaitGroup

	// Of the worker's goroutine, and after its end.
	d      rdb.Decoder
	rows   []row   // of the parcel, one for each shard
	places []place // of the items of the parcel
	tally
}

// row is the items of a parcel that go to one shard, in the order in which they stand there.
type row struct{ first, last int32 } // indexes of places, plus 1; 0: none

// place says where in a parcel an item stands.
type place struct {
	at   int32
	next int32 // index of the next one of the row, plus 1; 0: none
}

func (l *loader) start() {
	for range l.o.Workers {
		w := &worker{l: l, in: make(chan parcel, parcels), free: make(chan parcel, parcels), rows: make([]row, l.ks.Shards())}
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

// add gives w the key k of rec with the bytes of its value, which begin at offset from in the file.
func (w *worker) add(k *shard.Key, rec *rdb.Record, raw []byte, from int64) {
	if len(w.open)+itemHead+len(rec.Key)+len(raw) > parcelBytes && len(w.open) > 0 {
		w.flush()
	}
	b := w.open
	b = binary.LittleEndian.AppendUint64(b, uint64(from))
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.ExpireMS))
	b = binary.LittleEndian.AppendUint64(b, uint64(rec.IdleSec))
	b = binary.LittleEndian.AppendUint64(b, k.Hash)
	b = binary.LittleEndian.AppendUint32(b, uint32(k.DB.Shard().Index()))
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

const (
	lookAhead = 8   // keys whose buckets are prefetched together
	atOnce    = 128 // keys for which a shard is held: 50 µs, as long as their values are small
)

// item is a key of a parcel.
type item struct {
	attributes
	from int64
	raw  []byte
	key  shard.Key
}

// unpack makes the values of p, shard by shard: so the lock, and what the processor has to remember of a shard, serve for
// many.
func (w *worker) unpack(p parcel) error {
	w.sort(p)
	for i := range w.rows {
		r := &w.rows[i]
		at := r.first
		*r = row{}
		for at != 0 {
			var err error
			if at, err = w.makeSome(p, w.l.ks.Shard(i), at); err != nil {
				return err // and w is given no other parcel
			}
		}
	}
	return nil
}

// sort makes the rows of p.
func (w *worker) sort(p parcel) {
	w.places = w.places[:0]
	for at := 0; at < len(p); {
		head := p[at:]
		w.places = append(w.places, place{at: int32(at)})
		n := int32(len(w.places))
		r := &w.rows[binary.LittleEndian.Uint32(head[32:])]
		if r.first == 0 {
			r.first = n
		} else {
			w.places[r.last-1].next = n
		}
		r.last = n
		at += itemHead + int(binary.LittleEndian.Uint32(head[44:])) + int(binary.LittleEndian.Uint32(head[48:]))
	}
}

// makeSome makes the values of at most atOnce items of s, from a place on, and returns the place of the next.
func (w *worker) makeSome(p parcel, s *shard.Shard, at int32) (next int32, err error) {
	s.Lock(w.l.o.NowMS)
	defer s.Unlock()
	var items [lookAhead]item
	for done := 0; done < atOnce && at != 0; done += lookAhead {
		n := 0
		for ; n < lookAhead && at != 0; n++ {
			here := &w.places[at-1]
			items[n].take(s, p[here.at:])
			at = here.next
		}
		prefetch(items[:n])
		for i := range items[:n] {
			if err := w.make(&items[i]); err != nil {
				return 0, err
			}
		}
	}
	return at, nil
}

// take reads the first item of p, whose key goes to s.
func (it *item) take(s *shard.Shard, p parcel) {
	head := p[:itemHead]
	it.from = int64(binary.LittleEndian.Uint64(head))
	it.expireMS = int64(binary.LittleEndian.Uint64(head[8:]))
	it.idleSec = int64(binary.LittleEndian.Uint64(head[16:]))
	it.key.Hash = binary.LittleEndian.Uint64(head[24:])
	it.key.DB = s.DB(int(binary.LittleEndian.Uint32(head[36:])))
	it.freq = int(int32(binary.LittleEndian.Uint32(head[40:])))
	name, value := int(binary.LittleEndian.Uint32(head[44:])), int(binary.LittleEndian.Uint32(head[48:]))
	it.typ = rdb.Type(head[52])
	it.key.Name = p[itemHead : itemHead+name]
	it.raw = p[itemHead+name : itemHead+name+value]
}

// make gives the key of it its value. Its shard is locked.
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
