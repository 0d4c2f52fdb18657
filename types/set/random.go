package set

import (
	"encoding/binary"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Random returns a random member of a set that is not empty.
func (v *Value) Random() listpack.Element {
	if v.enc == types.Intset {
		s := v.Ints()
		return listpack.Element{Int: intset.Get(s, v.sp.RandN(intset.Len(s))), IsInt: true}
	}
	return listpack.Element{Bytes: member.Name(v.sp.Arena, member.Random(v.sp, &v.table))}
}

// denseShare: members are sampled by a walk over all if more than one in denseShare is wanted.
const denseShare = 3

// Sample visits count different random members; count <= Len(). Every choice of as many members is equally likely; their order
// is not random.
func (v *Value) Sample(count int, visit func(e listpack.Element)) {
	if count*denseShare <= v.Len() && v.sampleSparse(count, visit) {
		return
	}
	var b Batch
	left := v.Len()
	for it := v.Iter(); count > 0 && it.Next(&b); {
		for _, e := range b.Members() {
			if v.sp.RandN(left) < count {
				visit(e)
				count--
			}
			left--
		}
	}
}

// sampleSparse is Sample for a small part of the set: it draws until it has drawn enough different ones. It reports false, having
// done nothing, if there is no memory to note them.
func (v *Value) sampleSparse(count int, visit func(e listpack.Element)) bool {
	a := v.sp.Arena
	seen, ok := newNumbers(a, count)
	if !ok {
		return false
	}
	defer seen.free(a)
	for count > 0 {
		var e listpack.Element
		var id uint32 // names the member
		if v.enc == types.Intset {
			s := v.Ints()
			i := v.sp.RandN(intset.Len(s))
			id, e = uint32(i), listpack.Element{Int: intset.Get(s, i), IsInt: true}
		} else {
			r := member.Random(v.sp, &v.table)
			id, e = uint32(r), listpack.Element{Bytes: member.Name(a, r)}
		}
		if seen.add(id) {
			visit(e)
			count--
		}
	}
	return true
}

// numbers is a set of numbers below 2^32-1 with open addressing, in a block of its own.
type numbers struct {
	ref   alloc.Ref
	slots []byte // 4 bytes each: a number plus one, or 0; their number is a power of two
}

// newNumbers returns an empty set with room for n.
func newNumbers(a *alloc.Arena, n int) (s numbers, ok bool) {
	slots := 4
	for slots < 2*n {
		slots *= 2
	}
	if s.ref = a.AllocZero(4 * slots); s.ref == 0 {
		return s, false
	}
	s.slots = a.Bytes(s.ref, 4*slots)
	return s, true
}

func (s *numbers) free(a *alloc.Arena) { a.Free(s.ref, len(s.slots)) }

// add reports whether id was absent.
func (s *numbers) add(id uint32) bool {
	mask := len(s.slots)/4 - 1
	for i := int(id*0x9e3779b1>>7) & mask; ; i = (i + 1) & mask {
		slot := s.slots[4*i:]
		switch binary.LittleEndian.Uint32(slot) {
		case 0:
			binary.LittleEndian.PutUint32(slot, id+1)
			return true
		case id + 1:
			return false
		}
	}
}

// Pop removes count random members, count <= Len(), and visits each before it goes. It calls pause after each few
// members that it has looked at or removed: the set is whole then.
func (v *Value) Pop(count int, visit func(e listpack.Element), pause func(members int)) {
	if v.enc == types.Intset {
		v.popInts(count, visit)
		return
	}
	if count > 1 && count*denseShare > v.table.Len() && v.popDense(count, visit, pause) {
		return
	}
	for range count {
		v.popRef(member.Random(v.sp, &v.table), visit)
		pause(1)
	}
}

// popRef removes the member in the block r of a table.
func (v *Value) popRef(r alloc.Ref, visit func(e listpack.Element)) {
	p := member.FindRef(v.sp, &v.table, r)
	visit(listpack.Element{Bytes: member.Name(v.sp.Arena, r)})
	if v.watch != nil {
		v.watch.Change(r)
	}
	p.Remove(v.sp, &v.table)
	v.freeMember(r)
}

// popDense is Pop for a large part of a table: it picks in one walk over all, which for half a million members is five times
// faster than to draw one by one. It reports false, having done nothing, if there is no memory to note the picks.
func (v *Value) popDense(count int, visit func(e listpack.Element), pause func(members int)) bool {
	const refBytes, ahead = 4, 16
	a := v.sp.Arena
	block := a.Alloc(refBytes * count)
	if block == 0 {
		return false
	}
	picks := a.Bytes(block, refBytes*count)
	var b Batch
	n, left := 0, v.table.Len()
	for it := v.Iter(); n < count && it.Next(&b); {
		for _, r := range b.refs[:b.n] {
			if v.sp.RandN(left) < count-n {
				binary.LittleEndian.PutUint32(picks[refBytes*n:], uint32(r))
				n++
			}
			left--
		}
		pause(b.n)
	}
	pick := func(i int) alloc.Ref { return alloc.Ref(binary.LittleEndian.Uint32(picks[refBytes*i:])) }
	for i := range count {
		if i+ahead < count {
			alloc.Prefetch1(a.Addr(pick(i + ahead)))
		}
		v.popRef(pick(i), visit)
		pause(1)
	}
	a.Free(block, refBytes*count)
	return true
}

// fewInts is how many integers are removed one by one; each moves what is behind it.
const fewInts = 4

func (v *Value) popInts(count int, visit func(e listpack.Element)) {
	a := v.sp.Arena
	if count > fewInts {
		left := intset.Len(v.Ints())
		v.ints.DeleteFunc(a, func(n int64) bool {
			pick := v.sp.RandN(left) < count
			if pick {
				visit(listpack.Element{Int: n, IsInt: true})
				count--
			}
			left--
			return pick
		})
		return
	}
	for range count {
		s := v.Ints()
		i := v.sp.RandN(intset.Len(s))
		visit(listpack.Element{Int: intset.Get(s, i), IsInt: true})
		v.ints.Delete(a, i)
	}
}
