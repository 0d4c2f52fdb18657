package command

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// testCtx is a Ctx over a keyspace of its own and what dispatch would be for it: it runs commands on the caller's goroutine
// and notes their effects.
type testCtx struct {
	*Ctx
	t      testing.TB
	table  *Table
	events []string // keyspace notifications of database 0, "event key", since the last command began
	log    []string // what replicas would see since the last command began, words joined by spaces
}

// newTestCtx makes a testCtx that knows the commands of lists. Its clock stands still at the present time.
func newTestCtx(t testing.TB, lists ...[]Spec) *testCtx {
	now := time.Now().UnixMilli()
	ks := shard.New(shard.Options{Shards: 4, Databases: 16, Seed: 1, NowMS: now}, alloc.NewHeap())
	c := &testCtx{t: t, table: NewTable(lists...)}
	c.Ctx = &Ctx{
		KS:    ks,
		NowMS: now,
		Reply: &resp.Writer{Proto: 2},
		Env:   &Env{Databases: 16, MaxBulk: 512 << 20, Limits: &types.DefaultLimits, Notify: ^NotifyClass(0)},
		Table: c.table,

		LockedAll: true,
	}
	c.effects = effects{journal: c, notify: func(ctx *Ctx, _ NotifyClass, event string, key []byte) {
		if ctx.DB == 0 {
			c.events = append(c.events, event+" "+string(key))
		}
	}}
	ks.Listen(c)
	return c
}

// Append makes *testCtx a Journal.
func (c *testCtx) Append(_ int, args [][]byte) {
	c.log = append(c.log, string(bytes.Join(args, []byte(" "))))
}

// FieldExpired and FieldsExpired make *testCtx, with Expired, the shards' Events.
func (c *testCtx) FieldExpired(_ int, key, field []byte) {
	c.log = append(c.log, "HDEL "+string(key)+" "+string(field))
}

func (c *testCtx) Evicted(int, []byte) {}

func (c *testCtx) FieldsExpired(db int, key []byte, gone bool) {
	if db != 0 {
		return
	}
	c.events = append(c.events, "hexpired "+string(key))
	if gone {
		c.events = append(c.events, "del "+string(key))
	}
}

// Expired makes *testCtx the shards' Events.
func (c *testCtx) Expired(db int, key []byte) {
	c.log = append(c.log, "DEL "+string(key))
	if db == 0 {
		c.events = append(c.events, "expired "+string(key))
	}
}

// do runs a command in database 0 and returns the bytes of its reply.
func (c *testCtx) do(words ...string) string {
	args := make([][]byte, len(words))
	for i, w := range words {
		args[i] = []byte(w)
	}
	return string(c.doBytes(args))
}

// doLine is do with the words of line, which are separated by single blanks.
func (c *testCtx) doLine(line string) string { return c.do(strings.Split(line, " ")...) }

func (c *testCtx) doBytes(args [][]byte) []byte {
	c.t.Helper()
	c.events, c.log = c.events[:0], c.log[:0]
	c.prepare(args)
	if !c.Spec.ArityOK(len(args)) {
		c.Error(c.Spec.ErrArity())
		return c.Reply.Buf
	}
	c.KS.LockAll(c.NowMS)
	c.Spec.Run(c.Ctx)
	if c.Dirty() > 0 && !c.rewritten {
		c.Append(0, args)
	}
	c.KS.UnlockAll()
	return c.Reply.Buf
}

// prepare makes the Ctx ready for the handler of args, which c.Spec names afterwards.
func (c *testCtx) prepare(args [][]byte) {
	c.t.Helper()
	spec := c.table.Lookup(args[0])
	if spec != nil && len(spec.Subcommands) > 0 && len(args) > 1 {
		spec = spec.Sub(args[1])
	}
	if spec == nil {
		c.t.Fatalf("no such command: %q", args)
	}
	c.Begin()
	c.Spec, c.Args, c.Keys = spec, args, c.Keys[:0]
	c.Reply.Buf = c.Reply.Buf[:0]
	if !spec.ArityOK(len(args)) {
		return
	}
	indexes, _ := spec.KeyIndexes(args, nil) // of bad arguments none, as in dispatch
	for _, i := range indexes {
		c.Keys = append(c.Keys, c.KS.Key(0, args[i]))
	}
}

// state describes what is behind key: nothing, or its type, encoding, expiry time (unix ms) and, of a string, the value.
func (c *testCtx) state(key string) keyState {
	c.KS.LockAll(c.NowMS)
	defer c.KS.UnlockAll()
	k := c.KS.Key(0, []byte(key))
	e := k.DB.Find(&k)
	if !e.Exists() {
		return keyState{kind: "none"}
	}
	s := keyState{kind: e.Type().String(), encoding: e.Encoding().String(), expireMS: k.DB.ExpireMS(e)}
	if e.Type() == types.String {
		var scratch [20]byte
		s.value = string(k.DB.Bytes(e, scratch[:]))
	}
	return s
}

type keyState struct {
	kind, encoding, value string
	expireMS              int64
}

// setList makes key hold something that is no string.
func (c *testCtx) setList(key string) {
	c.KS.LockAll(c.NowMS)
	defer c.KS.UnlockAll()
	k := c.KS.Key(0, []byte(key))
	if !k.DB.Add(&k, types.Root{Type: types.List, Encoding: types.Quicklist}, shard.SetMode{}) {
		c.t.Fatal("no memory")
	}
}

// allocs fails the test if running args allocates.
func (c *testCtx) allocs(words ...string) {
	c.t.Helper()
	if invariants.Enabled || oracle.RaceDetector {
		return // its checks allocate; sync.Pool loses what it holds
	}
	c.do(words...)
	args := bytes.Fields([]byte(strings.Join(words, " ")))
	c.prepare(args)
	c.effects = effects{}
	if n := testing.AllocsPerRun(200, func() {
		c.Reply.Buf = c.Reply.Buf[:0]
		c.Spec.Run(c.Ctx)
	}); n != 0 {
		c.t.Errorf("%q allocates %v times", words, n)
	}
}
