package set

import (
	"math/bits"
	"strconv"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

const (
	// BatchLen is how many members a Batch has at most.
	BatchLen = 32

	// coldTable is the number of members from which on a table is not expected to be in the second-level cache, so that prefetching
	// pays.
	coldTable = 8192
)

// Batch is some members of a set. They alias arena memory and die when the set changes.
type Batch struct {
	members [BatchLen]listpack.Element
	n       int
}

// Members returns the members.
func (b *Batch) Members() []listpack.Element { return b.members[:b.n] }

// all names all members of the batch: bit i for member i.
func (b *Batch) all() uint32 { return uint32(1<<b.n - 1) }

// Iter lists the members of a set: of an intset in ascending order, of a table in that of its buckets. The set must not change
// meanwhile.
type Iter struct {
	v      *Value
	at     int          // elements of an intset, or buckets of a table, that have been begun
	bucket *dict.Bucket // of the chain that is being listed
	left   uint32       // its slots that are yet to come
}

// Iter returns an iterator at the first member.
func (v *Value) Iter() Iter { return Iter{v: v} }

// Next makes b the members that follow. It reports false if there are none.
func (it *Iter) Next(b *Batch) bool {
	if it.v.enc == types.Intset {
		it.nextInts(b)
	} else {
		it.nextTexts(b)
	}
	return b.n > 0
}

func (it *Iter) nextInts(b *Batch) {
	s := it.v.Ints()
	b.n = min(BatchLen, intset.Len(s)-it.at)
	for i := range b.n {
		b.members[i] = listpack.Element{Int: intset.Get(s, it.at+i), IsInt: true}
	}
	it.at += b.n
}

func (it *Iter) nextTexts(b *Batch) {
	var room [BatchLen]alloc.Ref
	refs := room[:it.nextRefs(&room)]
	a := it.v.sp.Arena
	if it.v.table.Len() >= coldTable {
		var addrs [BatchLen]uintptr
		for i, r := range refs {
			addrs[i] = a.Addr(r)
		}
		alloc.Prefetch(addrs[:len(refs)])
	}
	b.n = len(refs)
	for i, r := range refs {
		b.members[i] = listpack.Element{Bytes: member.Name(a, r)}
	}
}

// nextRefs fills refs with those of the members that follow and returns how many there are.
func (it *Iter) nextRefs(refs *[BatchLen]alloc.Ref) (n int) {
	a := it.v.sp.Arena
	for n < len(refs) {
		if it.left == 0 && !it.nextBucket(a) {
			break
		}
		for ; it.left != 0 && n < len(refs); it.left &= it.left - 1 {
			refs[n] = it.bucket.Ref(bits.TrailingZeros32(it.left))
			n++
		}
	}
	return n
}

// nextBucket goes on to the next bucket, of the chain or of the table.
func (it *Iter) nextBucket(a *alloc.Arena) bool {
	if it.bucket != nil {
		it.bucket = it.bucket.Next(a)
	}
	if it.bucket == nil {
		if it.at == it.v.table.Buckets() {
			return false
		}
		it.bucket = it.v.table.Bucket(a, it.at)
		it.at++
	}
	it.left = it.bucket.Used()
	return true
}

// Among returns which of the members of b that ask names are members of v as well.
func (v *Value) Among(b *Batch, ask uint32) (in uint32) {
	if v.enc == types.Intset {
		return v.amongInts(b, ask)
	}
	if v.table.Len() == 0 {
		return 0
	}
	var (
		buf    [maxIntText]byte
		asked  [BatchLen]uint8 // members of b; what follows is in this order
		hashes [BatchLen]uint64
		heads  [BatchLen]uintptr
		found  [BatchLen]dict.Candidate
	)
	n := 0
	for m := ask; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		asked[n] = uint8(i)
		hashes[n] = v.sp.Hash(b.text(i, &buf))
		n++
	}
	v.table.Heads(v.sp.Arena, hashes[:n], heads[:])
	cold := v.table.Len() >= coldTable
	if cold {
		alloc.Prefetch(heads[:n])
	}
	candidates := dict.Candidates(hashes[:n], heads[:], found[:])
	if cold {
		dict.PrefetchEntries(v.sp.Arena, candidates)
	}
	for _, c := range candidates {
		i := int(asked[c.Hash])
		if v.holds(c.Ref, hashes[c.Hash], b.text(i, &buf)) {
			in |= 1 << i
		}
	}
	return in
}

// holds tells whether the table has a member of hash h, of which ref is a candidate.
func (v *Value) holds(ref alloc.Ref, h uint64, text []byte) bool {
	if ref != dict.Unsure && string(member.Name(v.sp.Arena, ref)) == string(text) {
		return true
	}
	p := member.FindHashed(v.sp, &v.table, h, text)
	return p.Found()
}

// text returns member i as text, in buf if it is an integer.
func (b *Batch) text(i int, buf *[maxIntText]byte) []byte {
	e := &b.members[i]
	if e.IsInt {
		return strconv.AppendInt(buf[:0], e.Int, 10)
	}
	return e.Bytes
}

func (v *Value) amongInts(b *Batch, ask uint32) (in uint32) {
	s := v.Ints()
	from := 0 // where the search begins: batches of intsets ascend
	for m := ask; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		e := &b.members[i]
		n, found := e.Int, false
		if e.IsInt {
			from, found = intset.Seek(s, from, n)
		} else if n, ok := listpack.ParseInt(e.Bytes); ok {
			_, found = intset.Find(s, n)
		}
		if found {
			in |= 1 << i
		}
	}
	return in
}

// Scan visits the members of one group of buckets, or all of an intset, and returns the cursor of the next group; it starts
// and ends with 0. A member that is there during a whole scan is visited at least once, however the set changes
// between the calls.
func (v *Value) Scan(cursor uint32, visit func(e listpack.Element)) uint32 {
	if v.enc == types.Intset {
		s := v.Ints()
		for i := range intset.Len(s) {
			visit(listpack.Element{Int: intset.Get(s, i), IsInt: true})
		}
		return 0
	}
	a := v.sp.Arena
	return v.table.Scan(a, cursor, func(r alloc.Ref) { visit(listpack.Element{Bytes: member.Name(a, r)}) })
}
