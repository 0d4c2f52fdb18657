package aof

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/stream"
	"github.com/shoaldb/shoal/types/zset"
)

// itemsPerCommand is how many elements one command of a base adds to a collection.
const itemsPerCommand = 64

// WriteCommands turns a snapshot in RDB format into commands that make the same data (a base for aof-use-rdb-preamble
// no). If stampSec is not 0 they begin with that time. One value is in memory at a time.
func WriteCommands(in io.Reader, out io.Writer, stampSec int64) error {
	r := rdb.Reader{NoChecksum: true}
	if _, err := r.Open(in); err != nil {
		return err
	}
	w := &commandWriter{out: bufio.NewWriterSize(out, 256<<10), db: -1,
		sp: types.NewSpace(alloc.NewArena(alloc.NewHeap()), uint64(time.Now().UnixNano()))}
	if stampSec != 0 {
		fmt.Fprintf(w.out, "#TS:%d\r\n", stampSec)
	}
	var rec rdb.Record
	for {
		switch err := r.Next(&rec); {
		case err == io.EOF:
			return w.out.Flush()
		case err != nil:
			return err
		}
		if err := w.record(&r, &rec); err != nil {
			return err
		}
	}
}

// commandWriter writes commands. What goes wrong with its output is found at the end: bufio keeps the error.
type commandWriter struct {
	out  *bufio.Writer
	sp   *types.Space
	db   int
	buf  []byte
	args [][]byte
	text []byte // of args that had to be made
}

func (w *commandWriter) record(r *rdb.Reader, rec *rdb.Record) error {
	switch rec.Op {
	case rdb.OpFunction:
		return w.put([]byte("FUNCTION"), []byte("LOAD"), rec.Text)
	case rdb.OpKey:
		return w.key(r, rec)
	}
	return nil
}

func (w *commandWriter) key(r *rdb.Reader, rec *rdb.Record) error {
	if rec.DB != w.db {
		w.db = rec.DB
		if err := w.put([]byte("SELECT"), strconv.AppendInt(nil, int64(rec.DB), 10)); err != nil {
			return err
		}
	}
	key := append([]byte(nil), rec.Key...)
	expireMS := rec.ExpireMS
	v, err := r.Decoder().Value(w.sp, &types.DefaultLimits, rec.Type)
	if errors.Is(err, rdb.ErrEmpty) {
		return nil
	}
	if err != nil {
		return err
	}
	if v.Kind == types.String {
		err = w.put([]byte("SET"), key, v.Text)
	} else {
		err = w.collection(key, v.Root)
		freeValue(w.sp, v.Root)
	}
	if err == nil && expireMS != 0 {
		err = w.put([]byte("PEXPIREAT"), key, strconv.AppendInt(nil, expireMS, 10))
	}
	return err
}

var freeSteps = [...]func(*types.Space, *types.Root, int) bool{
	types.List: list.FreeStep, types.Set: set.FreeStep, types.ZSet: zset.FreeStep, types.Hash: hash.FreeStep, types.Stream: stream.FreeStep,
}

func freeValue(sp *types.Space, r types.Root) {
	for !freeSteps[r.Type](sp, &r, 1000) {
	}
}

// put writes a command.
func (w *commandWriter) put(args ...[]byte) error {
	w.buf = resp.AppendCommand(w.buf[:0], args...)
	_, err := w.out.Write(w.buf)
	return err
}

func (w *commandWriter) collection(key []byte, r types.Root) error {
	switch r.Type {
	case types.List:
		return w.list(key, r)
	case types.Set:
		return w.set(key, r)
	case types.ZSet:
		return w.zset(key, r)
	case types.Hash:
		return w.hash(key, r)
	}
	return w.stream(key, r)
}

// begin begins a command of many elements; add adds to it.
func (w *commandWriter) begin(name string, key []byte) {
	w.args = append(w.args[:0], []byte(name), key)
	w.text = w.text[:0]
}

// add adds an argument, which put appends to its argument. Arguments that were added before stay where they are when
// w.text grows.
func (w *commandWriter) add(put func(dst []byte) []byte) {
	begin := len(w.text)
	grown := put(w.text)
	w.text = grown
	w.args = append(w.args, grown[begin:len(grown):len(grown)])
}

// flush writes the command if it has more than its name and key, and begins another one if more may follow.
func (w *commandWriter) flush() error {
	if len(w.args) <= 2 {
		return nil
	}
	err := w.put(w.args...)
	w.args, w.text = w.args[:2], w.text[:0]
	return err
}

func (w *commandWriter) list(key []byte, r types.Root) error {
	v := list.Open(w.sp, r)
	w.begin("RPUSH", key)
	for it := v.From(0); it.OK(); it.Next() {
		e := it.Element()
		w.add(e.Append)
		if len(w.args) == 2+itemsPerCommand {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return w.flush()
}

func (w *commandWriter) set(key []byte, r types.Root) error {
	v := set.Open(w.sp, r)
	w.begin("SADD", key)
	var b set.Batch
	for it := v.Iter(); it.Next(&b); {
		for _, m := range b.Members() {
			w.add(m.Append)
			if len(w.args) == 2+itemsPerCommand {
				if err := w.flush(); err != nil {
					return err
				}
			}
		}
	}
	return w.flush()
}

func (w *commandWriter) zset(key []byte, r types.Root) error {
	v := zset.Open(w.sp, r)
	w.begin("ZADD", key)
	it := v.Ascend(0, v.Len())
	for member, score, ok := it.Next(); ok; member, score, ok = it.Next() {
		w.add(func(dst []byte) []byte { return zset.AppendText(dst, score) })
		w.add(member.Append)
		if len(w.args) == 2+2*itemsPerCommand {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return w.flush()
}

// hash writes a hash, and then the fields that expire, each time with those that do at one time.
func (w *commandWriter) hash(key []byte, r types.Root) (err error) {
	v := hash.Open(w.sp, r)
	w.begin("HSET", key)
	timed := map[int64][][]byte{}
	visit := func(field, value func([]byte) []byte, expireMS int64) {
		if err != nil {
			return
		}
		w.add(field)
		w.add(value)
		if expireMS != 0 {
			timed[expireMS] = append(timed[expireMS], field(nil))
		}
		if len(w.args) == 2+2*itemsPerCommand {
			err = w.flush()
		}
	}
	if r.Encoding == types.Hashtable || r.Encoding == types.HashtableEx {
		for i := range v.Buckets() {
			v.VisitBucket(i, func(field, value []byte, expireMS int64) {
				visit(appender(field), appender(value), expireMS)
			})
		}
	} else {
		v.EachListed(func(field, value hash.Element, expireMS int64) { visit(field.Append, value.Append, expireMS) })
	}
	if err == nil {
		err = w.flush()
	}
	for ms, fields := range timed {
		for some := range slices.Chunk(fields, itemsPerCommand) {
			args := [][]byte{[]byte("HPEXPIREAT"), key, strconv.AppendInt(nil, ms, 10), []byte("FIELDS"), strconv.AppendInt(nil, int64(len(some)), 10)}
			if err == nil {
				err = w.put(append(args, some...)...)
			}
		}
	}
	return err
}

func appender(b []byte) func([]byte) []byte {
	return func(dst []byte) []byte { return append(dst, b...) }
}

func (w *commandWriter) stream(key []byte, r types.Root) error {
	v := stream.Open(w.sp, r)
	var it stream.Iter
	for v.Range(&it, stream.ID{}, stream.MaxID, false); it.Next(); {
		id := it.ID()
		w.begin("XADD", key)
		w.add(id.Append)
		for range it.Len() {
			field, value := it.Field()
			w.add(field.Append)
			w.add(value.Append)
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	if v.Len() == 0 { // an entry that goes at once makes a stream without entries
		id := stream.ID{Seq: 1}
		if err := w.put([]byte("XADD"), key, []byte("MAXLEN"), []byte("0"), id.Append(nil), []byte("x"), []byte("y")); err != nil {
			return err
		}
	}
	err := w.put([]byte("XSETID"), key, v.Last().Append(nil), []byte("ENTRIESADDED"), strconv.AppendUint(nil, v.Added(), 10),
		[]byte("MAXDELETEDID"), v.MaxDeleted().Append(nil))
	v.EachGroup(func(name []byte, g stream.Group) {
		if err == nil {
			err = w.group(key, name, g)
		}
	})
	return err
}

func (w *commandWriter) group(key, name []byte, g stream.Group) error {
	err := w.put([]byte("XGROUP"), []byte("CREATE"), key, name, g.Last().Append(nil), []byte("ENTRIESREAD"), strconv.AppendInt(nil, g.Read(), 10))
	g.EachConsumer(func(c stream.Consumer) {
		if err == nil {
			err = w.consumer(key, name, c)
		}
	})
	return err
}

func (w *commandWriter) consumer(key, group []byte, c stream.Consumer) error {
	if c.Pending() == 0 {
		return w.put([]byte("XGROUP"), []byte("CREATECONSUMER"), key, group, c.Name())
	}
	var p stream.Pending
	for c.EachPending(&p, stream.ID{}); p.Next(); {
		d := p.Delivery()
		err := w.put([]byte("XCLAIM"), key, group, c.Name(), []byte("0"), p.ID().Append(nil), []byte("TIME"), strconv.AppendInt(nil, d.TimeMS(), 10),
			[]byte("RETRYCOUNT"), strconv.AppendInt(nil, d.Count(), 10), []byte("JUSTID"), []byte("FORCE"))
		if err != nil {
			return err
		}
	}
	return nil
}
