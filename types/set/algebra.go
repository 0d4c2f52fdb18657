package set

import (
	"slices"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/listpack"
)

// Result computes an intersection, a union or a difference, a batch at a time:
//
//	var r set.Result
//	r.Inter(sets)
//	for r.Next() {
//		for _, e := range r.Members() { ...
//
// Every member comes once. The sets must not change meanwhile. A Result and the slice it is given are worth being
// reused: they escape to the Go heap.
type Result struct {
	Batch                   // the members that have come last
	Step  func(members int) // if set, called whenever so many members have been looked at
	op    operation
	sets  []Value
	it    Iter // of sets[at]
	at    int
	merge merge
}

type operation uint8

const (
	inter  operation = iota // sets[0] and all others
	diff                    // sets[0] without all others
	union                   // every set without those before it
	ascend                  // the union of few intsets
)

// Inter begins the intersection of sets, of which there is at least one. It reorders them: each member of the smallest is looked
// up in the others.
func (r *Result) Inter(sets []Value) {
	sortBySize(sets)
	if len(sets) > 1 && sets[0].betterJoined(&sets[1]) {
		sets[0], sets[1] = sets[1], sets[0]
	}
	r.begin(inter, sets)
}

// joinGain is by how much a lookup by a member's place in its own table is cheaper than one by its hash.
const joinGain = 8

// betterJoined tells whether the members of o, which is larger, should be looked up in v rather than the other way round, as only
// so the place of a member in its table tells where it is in the other one.
func (v *Value) betterJoined(o *Value) bool {
	return v.enc == types.Hashtable && o.enc == types.Hashtable && v.sp.SameHash(o.sp) &&
		!o.table.Joins(v.table.Buckets()) && o.Len() < joinGain*v.Len()
}

func (r *Result) begin(op operation, sets []Value) {
	r.op, r.sets, r.at = op, sets, 0
	if op == ascend {
		r.merge.begin(sets)
		return
	}
	r.it = sets[0].Iter()
}

// sortBySize puts smaller sets first.
func sortBySize(sets []Value) {
	slices.SortStableFunc(sets, func(a, b Value) int { return a.Len() - b.Len() })
}

// additionCost is what an addition to a temporary set costs, in lookups: it allocates a member, which is freed later.
const additionCost = 4

// Union begins the union of sets, of which there is at least one: in ascending order if they are few intsets. It may
// change the slice. temp is empty; it becomes the union if there are so many sets that this is cheaper than to look for
// the members of each in those before. What it holds is the caller's to free after the last Next. The error is
// types.ErrNoMemory.
func (r *Result) Union(sets []Value, lim *types.Limits, temp *Value) error {
	if mergeable(sets) {
		r.begin(ascend, sets)
		return nil
	}
	sortBySize(sets)
	slices.Reverse(sets) // what is in the largest is not looked up
	lookups := 0
	for i := range sets {
		lookups += i * sets[i].Len()
	}
	if lookups > additionCost*total(sets) {
		if err := temp.AddAll(sets, lim, r.Step); err != nil {
			return err
		}
		sets = append(sets[:0], *temp)
	}
	r.begin(union, sets)
	return nil
}

func total(sets []Value) (members int) {
	for i := range sets {
		members += sets[i].Len()
	}
	return members
}

// Diff begins the difference between the first of sets and all others, whose order it changes. temp is empty; it becomes the
// union of the others if there are so many that this is cheaper than to look for the first one's members in each. What it holds
// is the caller's to free after the last Next. The error is types.ErrNoMemory.
func (r *Result) Diff(sets []Value, lim *types.Limits, temp *Value) error {
	first, others := &sets[0], sets[1:]
	if first.Len()*len(others) > additionCost*total(others)+first.Len() {
		if err := temp.AddAll(others, lim, r.Step); err != nil {
			return err
		}
		sets = append(sets[:1], *temp)
	} else {
		sortBySize(others)
		slices.Reverse(others) // what is in any is probably in the largest
	}
	r.begin(diff, sets)
	return nil
}

// Next makes Members the members that follow. It reports false if there are none.
func (r *Result) Next() bool {
	if r.op == ascend {
		return r.merge.next(&r.Batch)
	}
	for {
		for !r.it.Next(&r.Batch) {
			if r.at++; r.op != union || r.at == len(r.sets) {
				return false
			}
			r.it = r.sets[r.at].Iter()
		}
		looked := r.n
		r.keep(r.wanted())
		if r.Step != nil {
			r.Step(looked)
		}
		if r.n > 0 {
			return true
		}
	}
}

// wanted returns which members of the batch belong to the result.
func (r *Result) wanted() uint32 {
	others := r.sets[1:]
	if r.op == union {
		others = r.sets[:r.at]
	}
	in := r.all()
	for i := range others {
		if in == 0 {
			break
		}
		if found := others[i].Among(&r.Batch, in); r.op == inter {
			in = found
		} else {
			in &^= found
		}
	}
	return in
}

// AddAll adds the members of sets to v, which is none of them. If step is not nil, it is called whenever so many
// members have been looked at. The error is types.ErrNoMemory; some may have been added.
func (v *Value) AddAll(sets []Value, lim *types.Limits, step func(members int)) error {
	if step == nil {
		step = func(int) {}
	}
	if mergeable(sets) {
		var m merge
		m.begin(sets)
		for b := (Batch{}); m.next(&b); {
			if err := v.AddBatch(&b, lim); err != nil {
				return err
			}
			step(b.n)
		}
		return nil
	}
	var b Batch
	for i := range sets {
		for it := sets[i].Iter(); it.Next(&b); {
			if err := v.AddBatch(&b, lim); err != nil {
				return err
			}
			step(b.n)
		}
	}
	return nil
}

// AddBatch adds the members of b. The error is types.ErrNoMemory; some may have been added.
func (v *Value) AddBatch(b *Batch, lim *types.Limits) error {
	for _, e := range b.Members() {
		if _, err := v.AddElement(lim, e); err != nil {
			return err
		}
	}
	return nil
}

// maxMerge is how many intsets are merged at once. The smallest head is found by looking at all.
const maxMerge = 8

// mergeable tells whether sets are few intsets.
func mergeable(sets []Value) bool {
	return len(sets) <= maxMerge && !slices.ContainsFunc(sets, func(v Value) bool { return v.enc != types.Intset })
}

// merge lists the union of intsets in ascending order.
type merge struct {
	heads [maxMerge]head
	live  int // heads in use
}

// head is what is left of an intset.
type head struct {
	ints []byte
	at   int
	next int64 // element at
}

func (m *merge) begin(sets []Value) {
	m.live = 0
	for i := range sets {
		if s := sets[i].Ints(); intset.Len(s) > 0 {
			m.heads[m.live] = head{ints: s, next: intset.Get(s, 0)}
			m.live++
		}
	}
}

// next makes b the integers that follow.
func (m *merge) next(b *Batch) bool {
	b.buckets, b.loaded = 0, true
	for b.n = 0; b.n < BatchLen && m.live > 0; b.n++ {
		low := m.heads[0].next
		for i := range m.heads[:m.live] {
			low = min(low, m.heads[i].next)
		}
		b.members[b.n] = listpack.Element{Int: low, IsInt: true}
		m.pass(low)
	}
	return b.n > 0
}

// pass goes on after low in every intset that has it.
func (m *merge) pass(low int64) {
	for i := m.live - 1; i >= 0; i-- {
		h := &m.heads[i]
		if h.next != low {
			continue
		}
		if h.at++; h.at < intset.Len(h.ints) {
			h.next = intset.Get(h.ints, h.at)
			continue
		}
		m.live--
		*h = m.heads[m.live]
	}
}
