package command

import (
	"math"
	"sync"

	"github.com/shoaldb/shoal/shard"
	sets "github.com/shoaldb/shoal/types/set"
)

// setOp is an intersection, union or difference of the sets of some keys.
type setOp struct {
	sets    []sets.Value // those that exist
	missing int          // keys that do not exist
	noFirst bool         // the first one is among these
	result  sets.Result
	temp    sets.Value
}

// setOps keeps them, as they are large.
var setOps = sync.Pool{New: func() any { return new(setOp) }}

// beginSetOp looks up the sets of keys. If one of these holds something else, it replies with an error and returns nil.
func (c *Ctx) beginSetOp(keys []shard.Key) *setOp {
	op := setOps.Get().(*setOp)
	op.sets, op.missing, op.noFirst = op.sets[:0], 0, false
	if c.Yield != nil {
		op.result.Step = c.Pause
	}
	for i := range keys {
		k := &keys[i]
		e := c.lookup(k)
		switch {
		case !e.Exists():
			op.missing++
			op.noFirst = op.noFirst || i == 0
		case !c.isSet(e):
			op.end(nil)
			return nil
		default:
			op.sets = append(op.sets, openSet(k.DB, e))
		}
	}
	return op
}

// total returns how many members the sets have.
func (op *setOp) total() (members int) {
	for i := range op.sets {
		members += op.sets[i].Len()
	}
	return members
}

// smallest returns how many members an intersection looks up.
func (op *setOp) smallest() int {
	if op.missing > 0 {
		return 0
	}
	least := op.sets[0].Len()
	for i := range op.sets {
		least = min(least, op.sets[i].Len())
	}
	return least * len(op.sets)
}

// end gives op back, and to db's shard what it has used for members of its own.
func (op *setOp) end(db *shard.DB) {
	if db != nil && op.temp.Len() > 0 {
		db.FreeRoot(op.temp.Root())
	}
	clear(op.sets) // they point to shards
	op.temp, op.result = sets.Value{}, sets.Result{}
	setOps.Put(op)
}

// algebra begins to compute op.result, which may use memory of db's shard. It reports false if the result is empty.
type algebra func(c *Ctx, op *setOp, db *shard.DB) (some bool, err error)

func interSets(_ *Ctx, op *setOp, _ *shard.DB) (some bool, err error) {
	if op.missing > 0 {
		return false, nil
	}
	op.result.Inter(op.sets)
	return true, nil
}

func unionSets(c *Ctx, op *setOp, db *shard.DB) (some bool, err error) {
	if len(op.sets) == 0 {
		return false, nil
	}
	op.temp = sets.New(db.Space())
	return true, op.result.Union(op.sets, c.Env.Limits, &op.temp)
}

func diffSets(c *Ctx, op *setOp, db *shard.DB) (some bool, err error) {
	if op.noFirst {
		return false, nil
	}
	for i := 1; i < len(op.sets); i++ {
		if op.sets[i].Same(&op.sets[0]) {
			return false, nil
		}
	}
	op.temp = sets.New(db.Space())
	return true, op.result.Diff(op.sets, c.Env.Limits, &op.temp)
}

// replyAlgebra replies what compute makes of the command's keys.
func (c *Ctx) replyAlgebra(compute algebra, size func(*setOp) int) {
	op := c.beginSetOp(c.Keys)
	if op == nil {
		return
	}
	db := c.Keys[0].DB
	defer op.end(db)
	if c.Long(size(op)) {
		return
	}
	some, err := compute(c, op, db)
	switch {
	case err != nil:
		c.Error(ErrNoMemory)
	case !some:
		c.Reply.Set(0)
	default:
		c.replyResult(op)
	}
}

func (c *Ctx) replyResult(op *setOp) {
	d, n := c.beginSet(op.sets[0].Len()), 0
	for op.result.Next() {
		members := op.result.Members()
		n += len(members)
		for i := range members {
			c.bulkElement(members[i])
		}
	}
	c.endSet(d, n)
}

// storeAlgebra stores in the first key what collect makes of the others.
func (c *Ctx) storeAlgebra(collect func(c *Ctx, op *setOp, db *shard.DB) (sets.Value, error), size func(*setOp) int, event string) {
	op := c.beginSetOp(c.Keys[1:])
	if op == nil {
		return
	}
	dest := &c.Keys[0]
	if c.Long(size(op)) {
		op.end(dest.DB)
		return
	}
	v, err := collect(c, op, dest.DB)
	op.end(dest.DB)
	switch {
	case err != nil:
		dest.DB.FreeRoot(v.Root())
		c.Error(ErrNoMemory)
	case v.Len() == 0:
		if dest.DB.Delete(dest) {
			c.Changed(1)
			c.Notify(NotifyGeneric, "del", dest.Name)
		}
		c.Reply.Int(0)
	default:
		c.notifyNew(dest)
		if c.addValue(dest, v.Root()) {
			c.Changed(1)
			c.Notify(NotifySet, event, dest.Name)
			c.Reply.Int(int64(v.Len()))
		}
	}
}

func collectInter(c *Ctx, op *setOp, db *shard.DB) (sets.Value, error) {
	return c.collect(op, interSets, db)
}

func collectDiff(c *Ctx, op *setOp, db *shard.DB) (sets.Value, error) {
	return c.collect(op, diffSets, db)
}

// collectUnion needs no Result: the new set itself tells what is there already.
func collectUnion(c *Ctx, op *setOp, db *shard.DB) (sets.Value, error) {
	v := sets.New(db.Space())
	err := v.AddAll(op.sets, c.Env.Limits, op.result.Step)
	return v, err
}

// collect returns the result of op as a new set in db's shard. With an error it returns what the caller is to free.
func (c *Ctx) collect(op *setOp, compute algebra, db *shard.DB) (sets.Value, error) {
	v := sets.New(db.Space())
	some, err := compute(c, op, db)
	if err != nil || !some {
		return v, err
	}
	for op.result.Next() {
		if err := v.AddBatch(&op.result.Batch, c.Env.Limits); err != nil {
			return v, err
		}
	}
	return v, nil
}

func sinter(c *Ctx)      { c.replyAlgebra(interSets, (*setOp).smallest) }
func sunion(c *Ctx)      { c.replyAlgebra(unionSets, (*setOp).total) }
func sdiff(c *Ctx)       { c.replyAlgebra(diffSets, (*setOp).total) }
func sinterstore(c *Ctx) { c.storeAlgebra(collectInter, (*setOp).smallest, "sinterstore") }
func sunionstore(c *Ctx) { c.storeAlgebra(collectUnion, (*setOp).total, "sunionstore") }
func sdiffstore(c *Ctx)  { c.storeAlgebra(collectDiff, (*setOp).total, "sdiffstore") }

const (
	errInterLimit Error = "ERR LIMIT can't be negative"
)

func sintercard(c *Ctx) {
	limit, ok := c.sintercardArgs()
	if !ok {
		return
	}
	op := c.beginSetOp(c.Keys)
	if op == nil {
		return
	}
	if c.Long(op.smallest()) {
		op.end(nil)
		return
	}
	n := 0
	if some, _ := interSets(c, op, nil); some {
		for n < limit && op.result.Next() {
			n += len(op.result.Members())
		}
	}
	op.end(nil)
	c.Reply.Int(int64(min(n, limit)))
}

// sintercardArgs checks the number of keys and returns the limit, which is large if there is none.
func (c *Ctx) sintercardArgs() (limit int, ok bool) {
	n, ok := c.intArgOr(1, ErrNumKeys)
	switch {
	case !ok:
		return 0, false
	case n <= 0:
		c.Error(ErrNumKeys)
		return 0, false
	case n > int64(len(c.Args)-2):
		c.Error(ErrTooManyKeys)
		return 0, false
	}
	for i := 2 + int(n); i < len(c.Args); i += 2 {
		if !c.isOption(i, "LIMIT") || i+1 == len(c.Args) {
			c.Error(ErrSyntax)
			return 0, false
		}
		l, ok := c.intArgOr(i+1, errInterLimit)
		if !ok {
			return 0, false
		}
		if l < 0 {
			c.Error(errInterLimit)
			return 0, false
		}
		limit = int(l)
	}
	if limit == 0 {
		limit = math.MaxInt
	}
	return limit, true
}
