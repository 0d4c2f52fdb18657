package command

import (
	"math/rand/v2"

	"github.com/valyala/bytebufferpool"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hll"
)

// HyperLogLogCommands are the commands on HyperLogLogs, which are strings; see package hll.
var HyperLogLogCommands = []Spec{
	{Name: "PFADD", Arity: -2, Flags: Write | DenyOOM | Fast, ACL: ACLHyperLogLog, Keys: OneKey(1, RW|Insert),
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1) for each element",
		Summary: "Adds elements to a set of which only the number of members is estimated.",
		Args:    []Arg{argKey, {Name: "element", Type: ArgString, Optional: true, Multiple: true}}, Run: pfadd},
	{Name: "PFCOUNT", Arity: -2, Flags: ReadOnly | MayReplicate, ACL: ACLHyperLogLog,
		Keys: []KeySpec{{Flags: RW | Access, Index: 1, Last: -1, Step: 1,
			Notes: "RW because it may change the internal representation of the key, and propagate to replicas"}},
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(1) if the number is cached; O(N) for a union of N keys.",
		Summary: "Estimates how many members a HyperLogLog, or the union of several, has.",
		Args:    []Arg{{Name: "key", Type: ArgKey, Multiple: true}}, Run: pfcount},
	{Name: "PFDEBUG", Arity: 3, Flags: Write | DenyOOM | Admin, ACL: ACLHyperLogLog, Keys: OneKey(2, RW|Access),
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "N/A", DocFlags: []string{"syscmd"},
		Summary: "Shows what a HyperLogLog is made of.",
		Args:    []Arg{{Name: "subcommand", Type: ArgString}, argKey}, Run: pfdebug},
	{Name: "PFMERGE", Arity: -2, Flags: Write | DenyOOM, ACL: ACLHyperLogLog,
		Keys: []KeySpec{
			{Flags: RW | Access | Insert, Index: 1, Step: 1},
			{Flags: RO | Access, Index: 2, Last: -1, Step: 1},
		},
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "O(N) for N HyperLogLogs",
		Summary: "Adds HyperLogLogs to one of them.",
		Args: []Arg{{Name: "destkey", Type: ArgKey},
			{Name: "sourcekey", Type: ArgKey, KeySpecIndex: 1, Multiple: true}}, Run: pfmerge},
	{Name: "PFSELFTEST", Arity: 1, Flags: Admin | Barrier, ACL: ACLHyperLogLog,
		Group: GroupHyperLogLog, Since: "2.8.9", Complexity: "N/A", DocFlags: []string{"syscmd"},
		Summary: "Tests whether the estimates of HyperLogLogs are good.", Run: pfselftest},
}

const (
	errNotHLL     Error = "WRONGTYPE Key is not a valid HyperLogLog string value."
	errCorruptHLL Error = "INVALIDOBJ Corrupted HLL object detected"
)

// hllOf returns the value of e, which exists, if it is a HyperLogLog; it aliases shard memory. If it is not one, it
// replies with an error.
func (c *Ctx) hllOf(db *shard.DB, e shard.Entry) (b []byte, ok bool) {
	if !c.isString(e) {
		return nil, false
	}
	if e.Encoding() != types.Int {
		if b = db.Bytes(e, nil); hll.Valid(b) {
			return b, true
		}
	}
	c.Error(errNotHLL)
	return nil, false
}

// ownHLL returns the HyperLogLog b of e for changes in place, and gives it the raw encoding. It replies and returns nil if
// there is no memory.
func (c *Ctx) ownHLL(k *shard.Key, e shard.Entry, b []byte) []byte {
	if b = k.DB.Grow(k, e, len(b)); b == nil {
		c.Error(ErrNoMemory)
		return nil
	}
	k.Changing(0, len(b))
	return b
}

// storeHLL makes b the value of k. It replies and reports false if there is no memory.
func (c *Ctx) storeHLL(k *shard.Key, b []byte) bool {
	ok := k.DB.SetRaw(k, b, shard.SetMode{Keep: true})
	if !ok {
		c.Error(ErrNoMemory)
	}
	return ok
}

func pfadd(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.pfaddNew(k)
		return
	}
	b, ok := c.hllOf(k.DB, e)
	if !ok {
		return
	}
	if e.Encoding() == types.EmbStr || hll.IsDense(b) {
		if b = c.ownHLL(k, e, b); b == nil {
			return
		}
	}
	first, err := c.firstNews(b)
	switch {
	case err != nil:
		c.Error(errCorruptHLL)
	case first == len(c.Args):
		c.Reply.Int(0)
	case hll.IsDense(b):
		c.pfadded(k, addDense(b, c.Args[first:]))
	default:
		buf := bytebufferpool.Get()
		buf.B = append(buf.B[:0], b...)
		var n int
		if buf.B, n, ok = c.addSparse(buf.B, c.Args[first:]); ok && c.storeHLL(k, buf.B) {
			c.pfadded(k, n)
		}
		bytebufferpool.Put(buf)
	}
}

// firstNews returns the index of the first argument that would change the HyperLogLog b, or the number of arguments.
func (c *Ctx) firstNews(b []byte) (int, error) {
	for i := 2; i < len(c.Args); i++ {
		index, rank := hll.Hash(c.Args[i])
		if lacks, err := hll.Lacks(b, index, rank); lacks || err != nil {
			return i, err
		}
	}
	return len(c.Args), nil
}

func addDense(b []byte, elems [][]byte) (changed int) {
	for _, elem := range elems {
		index, rank := hll.Hash(elem)
		if _, is, _ := hll.Set(b, index, rank, 0); is {
			changed++
		}
	}
	return changed
}

// addSparse adds elems to b, which becomes dense where it must. It replies and reports false if b is corrupt.
func (c *Ctx) addSparse(b []byte, elems [][]byte) (_ []byte, changed int, ok bool) {
	for _, elem := range elems {
		index, rank := hll.Hash(elem)
		next, is, err := hll.Set(b, index, rank, c.Env.Limits.HLLSparseBytes)
		if err != nil {
			c.Error(errCorruptHLL)
			return b, 0, false
		}
		if b = next; is {
			changed++
		}
	}
	return b, changed, true
}

func (c *Ctx) pfaddNew(k *shard.Key) {
	buf := bytebufferpool.Get()
	b, n, _ := c.addSparse(hll.AppendEmpty(buf.B[:0]), c.Args[2:])
	hll.Invalidate(b)
	c.notifyNew(k)
	if c.storeHLL(k, b) {
		c.pfadded(k, n+1)
	}
	buf.B = b
	bytebufferpool.Put(buf)
}

func (c *Ctx) pfadded(k *shard.Key, changes int) {
	k.DB.Modified(k)
	c.Changed(changes)
	c.Notify(NotifyString, "pfadd", k.Name)
	c.Reply.Int(1)
}

// pfcount of one key keeps the number in the value, which replicas are told.
func pfcount(c *Ctx) {
	if len(c.Keys) > 1 {
		c.pfcountUnion()
		return
	}
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.Int(0)
		return
	}
	b, ok := c.hllOf(k.DB, e)
	if !ok {
		return
	}
	n, cached := hll.Cached(b)
	if cached && e.Encoding() == types.Raw {
		c.Reply.Int(int64(n))
		return
	}
	if b = c.ownHLL(k, e, b); b == nil {
		return
	}
	if !cached {
		var err error
		if n, err = hll.Count(b); err != nil {
			c.Error(errCorruptHLL)
			return
		}
		hll.SetCached(b, n)
		k.DB.Modified(k)
		c.Changed(1)
	}
	c.Reply.Int(int64(n))
}

func (c *Ctx) pfcountUnion() {
	var u hll.Union
	if _, ok := c.addToUnion(&u); ok {
		c.Reply.Int(int64(u.Count()))
	}
}

// addToUnion adds the values of all keys to u and tells whether one of them is dense. It replies and reports false if one
// of them is no HyperLogLog.
func (c *Ctx) addToUnion(u *hll.Union) (dense, ok bool) {
	for i := range c.Keys {
		k := &c.Keys[i]
		e := c.lookup(k)
		if !e.Exists() {
			continue
		}
		b, ok := c.hllOf(k.DB, e)
		if !ok {
			return false, false
		}
		dense = dense || hll.IsDense(b)
		if err := u.Add(b); err != nil {
			c.Error(errCorruptHLL)
			return false, false
		}
	}
	return dense, true
}

func pfmerge(c *Ctx) {
	var u hll.Union
	dense, ok := c.addToUnion(&u)
	if !ok {
		return
	}
	dest := &c.Keys[0]
	buf := bytebufferpool.Get()
	defer bytebufferpool.Put(buf)
	if e := dest.DB.LookupWrite(dest); e.Exists() {
		buf.B = append(buf.B[:0], dest.DB.Bytes(e, nil)...)
	} else {
		c.notifyNew(dest)
		buf.B = hll.AppendEmpty(buf.B[:0])
	}
	buf.B = u.Store(buf.B, dense, c.Env.Limits.HLLSparseBytes)
	if !c.storeHLL(dest, buf.B) {
		return
	}
	c.Changed(1)
	c.Notify(NotifyString, "pfadd", dest.Name)
	c.Reply.OK()
}

const (
	errNoHLLKey    Error = "ERR The specified key does not exist"
	errHLLNoSparse Error = "ERR HLL encoding is not sparse"
)

func pfdebug(c *Ctx) {
	k := &c.Keys[0]
	e := k.DB.LookupWrite(k)
	if !e.Exists() {
		c.Error(errNoHLLKey)
		return
	}
	b, ok := c.hllOf(k.DB, e)
	if !ok {
		return
	}
	if b = c.ownHLL(k, e, b); b == nil {
		return
	}
	switch {
	case c.isOption(1, "GETREG"):
		if b, _, ok = c.pfToDense(k, b); ok {
			c.Reply.Array(hll.Registers)
			hll.EachRegister(b, func(value int) { c.Reply.Int(int64(value)) })
		}
	case c.isOption(1, "DECODE"):
		c.pfdecode(b)
	case c.isOption(1, "ENCODING"):
		name := "sparse"
		if hll.IsDense(b) {
			name = "dense"
		}
		c.Reply.Simple(name)
	case c.isOption(1, "TODENSE"):
		if _, converted, ok := c.pfToDense(k, b); ok {
			c.Reply.Int(int64(converted))
		}
	default:
		c.Error(Error("ERR Unknown PFDEBUG subcommand '" + cString(c.Args[1]) + "'"))
	}
}

// pfToDense makes the HyperLogLog b of k dense, unless it is, and returns it. It replies and reports false if it is corrupt or
// there is no memory.
func (c *Ctx) pfToDense(k *shard.Key, b []byte) (dense []byte, converted int, ok bool) {
	if hll.IsDense(b) {
		return b, 0, true
	}
	dense, err := hll.ToDense(b)
	if err != nil {
		c.Error(errCorruptHLL)
		return nil, 0, false
	}
	if !c.storeHLL(k, dense) {
		return nil, 0, false
	}
	c.Changed(1)
	return dense, 1, true
}

func (c *Ctx) pfdecode(b []byte) {
	if hll.IsDense(b) {
		c.Error(errHLLNoSparse)
		return
	}
	buf := bytebufferpool.Get()
	buf.B = hll.AppendOpcodes(buf.B[:0], b)
	c.Reply.Bulk(buf.B)
	bytebufferpool.Put(buf)
}

// pfselftest takes seconds, so it works in steps where the client can wait.
func pfselftest(c *Ctx) {
	test := hll.NewSelfTest(rand.Uint64(), c.Env.Limits.HLLSparseBytes)
	var err error
	step := func(int64) (more bool) {
		more, err = test.Step()
		return more && err == nil
	}
	done := func(w *resp.Writer) {
		if err != nil {
			w.Error("ERR TESTFAILED " + err.Error())
			return
		}
		w.OK()
	}
	if c.Later != nil {
		c.Later(c, step, done)
		return
	}
	for step(c.NowMS) {
	}
	done(c.Reply)
}
