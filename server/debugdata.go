package server

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/glob"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/stream"
	"github.com/shoaldb/shoal/types/zset"
)

// digest is a hash of data, with the meaning that Redis' DEBUG DIGEST gives it: the hash of the whole is the
// exclusive or of those of its unordered parts.
type digest [sha1.Size]byte

// add adds an unordered part.
func (d *digest) add(data []byte) { d.xor(sha1.Sum(data)) }

func (d *digest) xor(part digest) {
	for i := range d {
		d[i] ^= part[i]
	}
}

// mix adds a part whose place among the others counts.
func (d *digest) mix(data []byte) {
	d.add(data)
	*d = sha1.Sum(d[:])
}

// mixNumber mixes in n as 4 bytes, big-endian.
func (d *digest) mixNumber(n int) { d.mix(binary.BigEndian.AppendUint32(nil, uint32(n))) }

func (d *digest) String() string { return hex.EncodeToString(d[:]) }

// digesters mix the value of an entry into its digest, by type.
var digesters = map[types.Type]func(d *digest, db *shard.DB, e shard.Entry){
	types.String: func(d *digest, db *shard.DB, e shard.Entry) {
		var scratch [20]byte
		d.mix(db.Bytes(e, scratch[:]))
	},
	types.List: func(d *digest, db *shard.DB, e shard.Entry) {
		v := list.Open(db.Space(), db.Root(e))
		var scratch [20]byte
		for it := v.From(0); it.OK(); it.Next() {
			d.mix(it.Element().Append(scratch[:0]))
		}
	},
	types.Hash: func(d *digest, db *shard.DB, e shard.Entry) {
		v := hash.Open(db.Space(), db.Root(e))
		var scratch [20]byte
		v.Each(func(field, value hash.Element) bool {
			var part digest
			part.mix(field.Append(scratch[:0]))
			part.mix(value.Append(scratch[:0]))
			d.add(part[:])
			return true
		})
	},
	types.Stream: func(d *digest, db *shard.DB, e shard.Entry) {
		v := stream.Open(db.Space(), db.Root(e))
		var it stream.Iter
		for v.Range(&it, stream.ID{}, stream.MaxID, false); it.Next(); {
			id := it.ID()
			d.mix(fmt.Appendf(nil, "%d.%d", id.MS, id.Seq))
			for range it.Len() {
				field, value := it.Field()
				d.mix(field.Append(nil))
				d.mix(value.Append(nil))
			}
		}
	},
	types.Set: func(d *digest, db *shard.DB, e shard.Entry) {
		v := set.Open(db.Space(), db.Root(e))
		var b set.Batch
		for it := v.Iter(); it.Next(&b); {
			for _, member := range b.Members() {
				var scratch [20]byte
				d.add(member.Append(scratch[:0]))
			}
		}
	},
	types.ZSet: func(d *digest, db *shard.DB, e shard.Entry) {
		v := zset.Open(db.Space(), db.Root(e))
		it := v.Ascend(0, v.Len())
		for member, score, ok := it.Next(); ok; member, score, ok = it.Next() {
			var element digest
			var scratch [32]byte
			element.mix(member.Append(scratch[:0]))
			element.mix(resp.AppendDouble(scratch[:0], score))
			d.add(element[:])
		}
	},
}

// digestTypes are the numbers that Redis gives to types.
var digestTypes = map[types.Type]int{
	types.String: 0, types.List: 1, types.Set: 2, types.ZSet: 3, types.Hash: 4, types.Stream: 6,
}

// mixEntry mixes in type, value and whether the key expires.
func (d *digest) mixEntry(db *shard.DB, e shard.Entry) {
	d.mixNumber(digestTypes[e.Type()])
	if mix := digesters[e.Type()]; mix != nil {
		mix(d, db, e)
	}
	if e.HasExpire() {
		d.add([]byte("!!expire!!"))
	}
}

// digest returns the digest of all data. It holds the lock of one shard at a time, as long as it takes to hash that.
func (s *Server) digest(nowMS int64) digest {
	dbs := make([]digest, s.ks.Databases())
	keys := make([]int, s.ks.Databases())
	for i := range s.ks.Shards() {
		sh := s.ks.Shard(i)
		sh.Lock(nowMS)
		for j := range dbs {
			db := sh.DB(j)
			keys[j] += db.Len()
			eachEntry(db, func(e shard.Entry) {
				var d digest
				d.mix(db.Key(e))
				d.mixEntry(db, e)
				dbs[j].add(d[:])
			})
		}
		sh.Unlock()
	}
	var all digest
	for j := range dbs {
		if keys[j] > 0 {
			all.mixNumber(j)
			all.xor(dbs[j])
		}
	}
	return all
}

// eachEntry visits all entries of db, whose shard is locked throughout.
func eachEntry(db *shard.DB, visit func(shard.Entry)) {
	if db.Len() == 0 {
		return
	}
	for cursor := db.Scan(0, visit); cursor != 0; {
		cursor = db.Scan(cursor, visit)
	}
}

func debugDigest(c *command.Ctx) {
	cl := client(c)
	s, nowMS := cl.reactor.srv, c.NowMS
	cl.backgroundReply(func() func(*resp.Writer) {
		d := s.digest(nowMS)
		return func(w *resp.Writer) { w.Simple(d.String()) }
	})
}

// withEntry finds a key that is not the command's by its specification, and calls f under its shard's lock; e does not
// exist if there is no such key.
func withEntry(c *command.Ctx, name []byte, f func(db *shard.DB, e shard.Entry)) {
	withFound(c, name, (*shard.DB).Find, f)
}

// withAnyEntry is withEntry that finds keys which have expired, too, as long as they are there.
func withAnyEntry(c *command.Ctx, name []byte, f func(db *shard.DB, e shard.Entry)) {
	withFound(c, name, (*shard.DB).FindAny, f)
}

func withFound(c *command.Ctx, name []byte, find func(*shard.DB, *shard.Key) shard.Entry, f func(db *shard.DB, e shard.Entry)) {
	k := c.KS.Key(c.DB, name)
	s := k.DB.Shard()
	s.Lock(c.NowMS)
	defer s.Unlock()
	f(k.DB, find(k.DB, &k))
}

func debugDigestValue(c *command.Ctx) {
	keys := c.Args[2:]
	c.Reply.Array(len(keys))
	for _, key := range keys {
		var d digest
		withEntry(c, key, func(db *shard.DB, e shard.Entry) {
			if e.Exists() {
				d.mixEntry(db, e)
			}
		})
		c.Reply.Simple(d.String())
	}
}

func debugObject(c *command.Ctx) {
	withAnyEntry(c, c.Args[2], func(db *shard.DB, e shard.Entry) {
		if !e.Exists() {
			c.Error(command.ErrNoKey)
			return
		}
		idleSec := int64(db.Idle(e).Seconds())
		text := fmt.Sprintf("Value at:%#x refcount:%d encoding:%s serializedlength:%d lru:%d lru_seconds_idle:%d",
			db.Address(e), command.RefCount(c.Env, db, e), e.Encoding(), serializedLen(c.Env, db, e), (c.NowMS/1000-idleSec)&0xffffff, idleSec)
		if e.Type() == types.List {
			text += describeNodes(c.Env.Limits, db, e)
		}
		c.Reply.Simple(text)
	})
}

// describeNodes words what DEBUG OBJECT tells of a list's nodes.
func describeNodes(lim *types.Limits, db *shard.DB, e shard.Entry) string {
	v := list.Open(db.Space(), db.Root(e))
	compressed := 0
	if lim.ListCompressDepth > 0 {
		compressed = 1
	}
	return fmt.Sprintf(" ql_nodes:%d ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:%d ql_uncompressed_size:%d",
		v.Nodes(), float64(v.Len())/float64(v.Nodes()), lim.ListListpackSize, compressed, v.Bytes())
}

// debugListpack writes the elements of a listpack to the log.
func debugListpack(c *command.Ctx) {
	withEntry(c, c.Args[2], func(db *shard.DB, e shard.Entry) {
		if !e.Exists() {
			c.Error(command.ErrNoKey)
			return
		}
		if enc := e.Encoding(); enc != types.Listpack && enc != types.ListpackEx {
			c.Error("ERR Not a listpack encoded object.")
			return
		}
		root := db.Root(e)
		lp := listpack.Block{
			Ref:  alloc.Ref(uint32(root.Data.Lo)),
			Size: uint32(root.Data.Lo >> 32),
		}.Bytes(db.Shard().Arena())
		var text strings.Builder
		fmt.Fprintf(&text, "Listpack of %q: %d bytes, %d elements", c.Args[2], len(lp), listpack.Len(lp))
		for at := listpack.First(lp); at != 0; at = listpack.Next(lp, at) {
			fmt.Fprintf(&text, "\n  at %d: %q", at, listpack.Get(lp, at).Append(nil))
		}
		client(c).reactor.srv.log.Noticef("%s", text.String())
		c.Reply.Simple("Listpack structure printed on stdout")
	})
}

// serializedLen returns the length of e's value in an RDB file.
func serializedLen(env *command.Env, db *shard.DB, e shard.Entry) int {
	if e.Type() == types.String {
		var scratch [20]byte
		return len(rdb.AppendString(nil, db.Bytes(e, scratch[:]), env.Compress))
	}
	const step = 1 << 16
	enc := rdb.Encoder{Compress: env.Compress}
	enc.Start(db.Space(), db.Root(e))
	var buf []byte
	n := 0
	for more := true; more; n += len(buf) {
		buf, more = enc.Step(buf[:0], step)
	}
	return n
}

// debugPopulate creates keys on a goroutine of its own, each under its shard's lock.
func debugPopulate(c *command.Ctx) {
	numbers := [2]int64{}
	for i, at := range []int{2, 4} {
		if at < len(c.Args) {
			n, ok := shard.ParseInt(c.Args[at])
			if !ok || n < 0 {
				c.Error(command.ErrNotPositive)
				return
			}
			numbers[i] = n
		}
	}
	prefix := "key"
	if len(c.Args) > 3 {
		prefix = string(c.Args[3])
	}
	ks, db, nowMS := c.KS, c.DB, c.NowMS
	client(c).background(func() error { return populate(ks, db, nowMS, prefix, numbers[0], int(numbers[1])) })
}

// populate creates the keys prefix:0 to prefix:count-1 unless they exist. Values are "value:" and the number, cut or
// filled up with zero bytes to size unless that is 0.
func populate(ks *shard.Keyspace, db int, nowMS int64, prefix string, count int64, size int) error {
	var name, value []byte
	for i := range count {
		name = strconv.AppendInt(append(append(name[:0], prefix...), ':'), i, 10)
		value = strconv.AppendInt(append(value[:0], "value:"...), i, 10)
		if size > 0 {
			value = append(value, make([]byte, max(size-len(value), 0))...)[:size]
		}
		k := ks.Key(db, name)
		s := k.DB.Shard()
		s.Lock(nowMS)
		ok := k.DB.Find(&k).Exists() || k.DB.SetText(&k, value, shard.SetMode{})
		s.Unlock()
		if !ok {
			return fmt.Errorf("out of memory after %d keys", i)
		}
	}
	return nil
}

// htStats is how full the hash tables of all shards are.
type htStats struct {
	buckets, entries int
	lengths          []int // how many buckets have this many entries
	resizing         bool
	expires          int
}

func (h *htStats) add(db *shard.DB) {
	n, resizing := db.Buckets()
	h.resizing = h.resizing || resizing
	h.buckets += n
	h.entries += db.Len()
	expires, _ := db.Expires()
	h.expires += expires
	for i := range n {
		h.count(db.BucketLen(i))
	}
}

// count counts a bucket with length entries.
func (h *htStats) count(length int) {
	for length >= len(h.lengths) {
		h.lengths = append(h.lengths, 0)
	}
	h.lengths[length]++
}

const emptyHT = "No stats available for empty dictionaries\n"

// String words the statistics as Redis does; a bucket holds several entries here, and a "chain" is all of them.
func (h *htStats) String() string {
	var b strings.Builder
	b.WriteString("[Dictionary HT]\nHash table 0 stats (main hash table):\n")
	if h.entries == 0 {
		b.WriteString(emptyHT)
	} else {
		h.describe(&b)
	}
	if h.resizing {
		b.WriteString("Some of the tables are being resized.\n")
	}
	b.WriteString("[Expires HT]\n")
	if h.expires == 0 {
		b.WriteString("Hash table 0 stats (main hash table):\n" + emptyHT)
	} else {
		fmt.Fprintf(&b, "A timing wheel, not a hash table:\n number of elements: %d\n", h.expires)
	}
	return b.String()
}

func (h *htStats) describe(b *strings.Builder) {
	used := h.buckets - h.lengths[0]
	fmt.Fprintf(b, " table size: %d\n number of elements: %d\n different slots: %d\n max chain length: %d\n", h.buckets, h.entries, used, len(h.lengths)-1)
	average := float64(h.entries) / float64(used)
	fmt.Fprintf(b, " avg chain length (counted): %.2f\n avg chain length (computed): %.2f\n Chain length distribution:\n", average, average)
	for length, n := range h.lengths {
		if n > 0 {
			fmt.Fprintf(b, "   %d: %d (%.2f%%)\n", length, n, float64(n)*100/float64(h.buckets))
		}
	}
}

func debugHTStats(c *command.Ctx) {
	id, ok := shard.ParseInt(c.Args[2])
	if !ok {
		c.Error(command.ErrNotInteger)
		return
	}
	if id < 0 || id >= int64(c.KS.Databases()) {
		c.Error("ERR Out of range database")
		return
	}
	ks, nowMS := c.KS, c.NowMS
	client(c).backgroundReply(func() func(*resp.Writer) {
		var h htStats
		for i := range ks.Shards() {
			s := ks.Shard(i)
			s.Lock(nowMS)
			h.add(s.DB(int(id)))
			s.Unlock()
		}
		return func(w *resp.Writer) { w.Verbatim("txt", h.String()) }
	})
}

// tableOf returns the hash table of a value that has one; see the roots in the packages of the types.
func tableOf(db *shard.DB, e shard.Entry) (t dict.Table, ok bool) {
	switch e.Encoding() {
	case types.Hashtable:
		root := db.Root(e)
		return dict.FromWords(root.Data.Lo, root.Data.Hi), true
	case types.HashtableEx, types.Skiplist:
		root := db.Root(e)
		ref := alloc.Ref(uint32(root.Data.Lo))
		return dict.Load(db.Shard().Arena().Bytes(ref, types.RootBytes)), true
	}
	return dict.Table{}, false
}

// debugHTStatsKey describes the table of a hash, a set or a sorted set.
func debugHTStatsKey(c *command.Ctx) {
	withEntry(c, c.Args[2], func(db *shard.DB, e shard.Entry) {
		if !e.Exists() {
			c.Error(command.ErrNoKey)
			return
		}
		t, ok := tableOf(db, e)
		if !ok {
			c.Error("ERR The value stored at the specified key is not represented using an hash table")
			return
		}
		var h htStats
		h.buckets, h.entries, h.resizing = t.Buckets(), t.Len(), t.Resizing()
		for i := range h.buckets {
			n := 0
			t.Visit(db.Shard().Arena(), uint32(i), func(alloc.Ref) { n++ })
			h.count(n)
		}
		var b strings.Builder
		b.WriteString("Hash table 0 stats (main hash table):\n")
		h.describe(&b)
		c.Reply.Verbatim("txt", b.String())
	})
}

// debugStringMatch tries the pattern matcher on random input.
func debugStringMatch(c *command.Ctx) {
	const alphabet = "ab*?[]^-\\\x00"
	random := func() []byte {
		b := make([]byte, rand.IntN(24))
		for i := range b {
			b[i] = alphabet[rand.IntN(len(alphabet))]
		}
		return b
	}
	client(c).backgroundReply(func() func(*resp.Writer) {
		for range 100_000 {
			glob.Match(random(), random(), rand.IntN(2) == 0)
		}
		return func(w *resp.Writer) { w.Simple("Apparently Shoal did not crash: test passed") }
	})
}
