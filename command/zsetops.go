package command

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
	sets "github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/zset"
)

// zinput is a sorted set, a set or nothing, to be combined with others.
type zinput struct {
	zset   zset.Value
	set    sets.Value
	isSet  bool
	len    int
	weight float64
}

// find returns the score of a member; those of a set have 1.
func (in *zinput) find(name []byte) (score float64, found bool) {
	switch {
	case in.len == 0:
		return 0, false
	case in.isSet:
		return 1, in.set.Contains(name)
	}
	return in.zset.Score(name)
}

// scored is a member of a result. Its name is in zop.texts.
type scored struct {
	name  sortText
	score float64
}

func (op *zop) compareScored(a, b scored) int {
	if c := cmp.Compare(a.score, b.score); c != 0 {
		return c
	}
	return bytes.Compare(op.texts.bytes(a.name), op.texts.bytes(b.name))
}

// zop is an intersection, union or difference of sorted sets and sets.
type zop struct {
	inputs     []zinput
	aggregate  func(a, b float64) float64
	withScores bool
	limit      int // of the members counted
	result     []scored
	texts      sortTexts // of result
	scratch    [20]byte
	places     map[string]int
	batch      sets.Batch
	dropResult func()            // gives back what result takes; nil: nothing has to
	pause      func(members int) // of a command that runs in steps, or nil
}

// zops keeps them, with what room they have.
var zops = sync.Pool{New: func() any { return new(zop) }}

// keepScored is how many members the room of a zop that is kept has at most.
const keepScored = 1 << 14

func (op *zop) end() {
	clear(op.inputs) // they point to shards
	if op.dropResult != nil {
		op.result = nil
		op.dropResult()
	}
	if cap(op.result) > keepScored {
		op.result = nil
	}
	op.texts = op.texts.emptied()
	op.places, op.pause, op.dropResult = nil, nil, nil
	zops.Put(op)
}

// zopKind says which operation a command is.
type zopKind struct {
	compute    func(op *zop)
	count      bool // of which only the number of members is wanted
	aggregates bool // WEIGHTS and AGGREGATE are allowed
	event      string
}

var (
	zopUnion     = zopKind{(*zop).union, false, true, "zunionstore"}
	zopInter     = zopKind{(*zop).inter, false, true, "zinterstore"}
	zopDiff      = zopKind{(*zop).diff, false, false, "zdiffstore"}
	zopInterCard = zopKind{(*zop).inter, true, false, ""}
)

func sumScores(a, b float64) float64 {
	if s := a + b; !math.IsNaN(s) {
		return s
	}
	return 0 // of opposite infinities
}

func minScore(a, b float64) float64 {
	if b < a {
		return b
	}
	return a
}

func maxScore(a, b float64) float64 {
	if b > a {
		return b
	}
	return a
}

// weighted returns score times weight: 0 if that is no number.
func weighted(score, weight float64) float64 {
	if s := score * weight; !math.IsNaN(s) {
		return s
	}
	return 0
}

// beginZOp reads the arguments from the number of keys at argument at on, and looks up the keys, which are the last ones of the
// command. It replies and returns nil if something is wrong.
func (c *Ctx) beginZOp(at int, kind *zopKind, store bool) *zop {
	n, ok := c.intArg(at)
	switch {
	case !ok:
		return nil
	case n < 1:
		c.Error(Error("ERR at least 1 input key is needed for '" + c.Spec.FullName() + "' command"))
		return nil
	case n > int64(len(c.Args)-at-1):
		c.Error(ErrSyntax)
		return nil
	}
	op := zops.Get().(*zop)
	op.inputs, op.result = op.inputs[:0], op.result[:0]
	op.aggregate, op.withScores, op.limit, op.pause = sumScores, false, math.MaxInt, nil
	if c.Yield != nil {
		op.pause = c.Pause
	}
	keys := c.Keys[len(c.Keys)-int(n):]
	if !c.lookupInputs(op, keys) || !op.options(c, at+1+int(n), kind, store) {
		op.end()
		return nil
	}
	return op
}

// lookupInputs looks up keys. It replies and reports false if one of them is neither a sorted set nor a set.
func (c *Ctx) lookupInputs(op *zop, keys []shard.Key) bool {
	for i := range keys {
		k := &keys[i]
		in := zinput{weight: 1}
		if e := c.lookup(k); e.Exists() {
			switch e.Type() {
			case types.ZSet:
				in.zset = zset.Open(k.DB.Space(), k.DB.Root(e))
				in.len = in.zset.Len()
			case types.Set:
				in.set, in.isSet = openSet(k.DB, e), true
				in.len = in.set.Len()
			default:
				c.Error(ErrWrongType)
				return false
			}
		}
		op.inputs = append(op.inputs, in)
	}
	return true
}

// options reads the options from argument i on. It replies if something is wrong.
func (op *zop) options(c *Ctx, i int, kind *zopKind, store bool) bool {
	for i < len(c.Args) {
		left := len(c.Args) - i
		switch {
		case kind.aggregates && left > len(op.inputs) && c.isOption(i, "WEIGHTS"):
			i++
			for j := range op.inputs {
				var ok bool
				if op.inputs[j].weight, ok = c.doubleArg(i, errWeight); !ok {
					return false
				}
				i++
			}
		case kind.aggregates && left >= 2 && c.isOption(i, "AGGREGATE"):
			if !op.setAggregate(c, i+1) {
				c.Error(ErrSyntax)
				return false
			}
			i += 2
		case !kind.count && !store && c.isOption(i, "WITHSCORES"):
			op.withScores = true
			i++
		case kind.count && left >= 2 && c.isOption(i, "LIMIT"):
			limit, ok := c.intArgOr(i+1, errInterLimit)
			if !ok {
				return false
			}
			if limit < 0 {
				c.Error(errInterLimit)
				return false
			}
			if op.limit = int(limit); limit == 0 {
				op.limit = math.MaxInt
			}
			i += 2
		default:
			c.Error(ErrSyntax)
			return false
		}
	}
	return true
}

func (op *zop) setAggregate(c *Ctx, i int) bool {
	switch {
	case c.isOption(i, "SUM"):
		op.aggregate = sumScores
	case c.isOption(i, "MIN"):
		op.aggregate = minScore
	case c.isOption(i, "MAX"):
		op.aggregate = maxScore
	default:
		return false
	}
	return true
}

// each calls visit for the members of an input until that returns false.
func (op *zop) each(in *zinput, visit func(name []byte, score float64) bool) {
	switch {
	case in.len == 0:
	case in.isSet:
		for it := in.set.Iter(); it.Next(&op.batch); {
			for _, e := range op.batch.Members() {
				if !visit(op.text(e), 1) {
					return
				}
			}
			if op.pause != nil {
				op.pause(len(op.batch.Members()))
			}
		}
	default:
		it := in.zset.Ascend(0, in.len)
		for e, score, ok := it.Next(); ok; e, score, ok = it.Next() {
			if !visit(op.text(e), score) {
				return
			}
			if op.pause != nil {
				op.pause(1)
			}
		}
	}
}

// text returns a member as text. That of an integer dies at the next call; it is short enough to be copied by add.
func (op *zop) text(e listpack.Element) []byte {
	if !e.IsInt {
		return e.Bytes
	}
	return e.Append(op.scratch[:0])
}

func (op *zop) add(name []byte, score float64) {
	op.result = append(op.result, scored{op.texts.kept(listpack.Element{Bytes: name}), score})
}

// sortInputs puts smaller inputs first: each member of the smallest is looked up in the others, and so scores are added up in
// the order in which Redis does it.
func (op *zop) sortInputs() {
	slices.SortStableFunc(op.inputs, func(a, b zinput) int { return a.len - b.len })
}

func (op *zop) inter() {
	op.sortInputs()
	first, others := &op.inputs[0], op.inputs[1:]
	op.each(first, func(name []byte, score float64) bool {
		score = weighted(score, first.weight)
		for i := range others {
			s, found := others[i].find(name)
			if !found {
				return true
			}
			score = op.aggregate(score, s*others[i].weight)
		}
		op.add(name, score)
		return len(op.result) < op.limit
	})
}

// fewInputs is the number of inputs up to which a union looks members up in all of them, which takes less memory than a table of
// its own.
const fewInputs = 3

func (op *zop) union() {
	op.sortInputs()
	if len(op.inputs) > fewInputs {
		op.unionByPlace()
		return
	}
	for i := range op.inputs {
		in := &op.inputs[i]
		before, behind := op.inputs[:i], op.inputs[i+1:]
		op.each(in, func(name []byte, score float64) bool {
			for j := range before {
				if _, found := before[j].find(name); found {
					return true
				}
			}
			score = weighted(score, in.weight)
			for j := range behind {
				if s, found := behind[j].find(name); found {
					score = op.aggregate(score, weighted(s, behind[j].weight))
				}
			}
			op.add(name, score)
			return true
		})
	}
}

// unionByPlace notes where in the result each member is.
func (op *zop) unionByPlace() {
	room := 0
	if op.pause == nil {
		room = op.inputs[len(op.inputs)-1].len
	}
	op.places = make(map[string]int, room)
	for i := range op.inputs {
		in := &op.inputs[i]
		op.each(in, func(name []byte, score float64) bool {
			score = weighted(score, in.weight)
			if at, found := op.places[string(name)]; found {
				op.result[at].score = op.aggregate(op.result[at].score, score)
			} else {
				op.places[string(name)] = len(op.result)
				op.add(name, score)
			}
			return true
		})
	}
}

func (op *zop) diff() {
	first, others := &op.inputs[0], op.inputs[1:]
	op.each(first, func(name []byte, score float64) bool {
		for i := range others {
			if _, found := others[i].find(name); found {
				return true
			}
		}
		op.add(name, score)
		return true
	})
}

// total returns how many members the inputs have.
func (op *zop) total() (members int) {
	for i := range op.inputs {
		members += op.inputs[i].len
	}
	return members
}

// compute makes op.result what kind says, in its order if that is wanted.
func (op *zop) compute(c *Ctx, kind *zopKind) {
	if op.pause == nil {
		kind.compute(op)
		if !kind.count {
			slices.SortFunc(op.result, op.compareScored)
		}
		return
	}
	if result, drop := shard.Scratch[scored](c.KS, op.total()); drop != nil { // to grow step by step would copy it
		op.result, op.dropResult = result[:0], drop
	}
	kind.compute(op)
	if !kind.count {
		slices.SortFunc(op.result, func(a, b scored) int {
			op.pause(1)
			return op.compareScored(a, b)
		})
	}
}

func (c *Ctx) replyZOp(kind *zopKind) {
	op := c.beginZOp(1, kind, false)
	if op == nil {
		return
	}
	defer op.end()
	if c.Long(op.total()) {
		return
	}
	op.compute(c, kind)
	if kind.count {
		c.Reply.Int(int64(len(op.result)))
	} else {
		c.beginScored(len(op.result), op.withScores)
		for _, m := range op.result {
			c.replyScored(op.texts.element(m.name), m.score, op.withScores)
			c.Pause(1)
		}
	}
}

// fitsListpack tells whether the result will be a listpack.
func (op *zop) fitsListpack(lim *types.Limits) bool {
	return len(op.result) <= lim.ZSetListpackEntries && !slices.ContainsFunc(op.result, func(m scored) bool {
		return len(op.texts.bytes(m.name)) > lim.ZSetListpackValue
	})
}

func (c *Ctx) storeZOp(kind *zopKind) {
	op := c.beginZOp(2, kind, true)
	if op == nil {
		return
	}
	defer op.end()
	if c.Long(op.total()) {
		return
	}
	op.compute(c, kind)
	dest := &c.Keys[0]
	v := zset.New(dest.DB.Space())
	var err error
	if !op.fitsListpack(c.Env.Limits) {
		err = v.Enlarge() // at once: a listpack knows no -0
	}
	for i := 0; i < len(op.result) && err == nil; i++ {
		err = v.Append(c.Env.Limits, op.texts.bytes(op.result[i].name), op.result[i].score)
		c.Pause(1)
	}
	if err != nil {
		dest.DB.FreeRoot(v.Root())
		c.Error(ErrNoMemory)
		return
	}
	c.storeZSet(dest, &v, kind.event)
}

func zunion(c *Ctx)      { c.replyZOp(&zopUnion) }
func zinter(c *Ctx)      { c.replyZOp(&zopInter) }
func zdiff(c *Ctx)       { c.replyZOp(&zopDiff) }
func zintercard(c *Ctx)  { c.replyZOp(&zopInterCard) }
func zunionstore(c *Ctx) { c.storeZOp(&zopUnion) }
func zinterstore(c *Ctx) { c.storeZOp(&zopInter) }
func zdiffstore(c *Ctx)  { c.storeZOp(&zopDiff) }
