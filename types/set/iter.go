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

	// coldBuckets is the number of buckets from which a table is not expected to be in the second-level cache, so that
	// prefetching pays: some 8000 members.
	coldBuckets = 1024
)

// Batch is some members of a set. They alias arena memory and die when the set changes.
type Batch struct {
	members [BatchLen]listpack.Element
	n       int
	loaded  bool // members are read

	// Of members of a table: where they are. They are read when they are wanted, as many of them turn out not to be.
	sp      *types.Space
	buckets int // of the table; 0: integers
	refs    [BatchLen]alloc.Ref
	rows    [BatchLen]dict.Row
}

// Members returns the members.
func (b *Batch) Members() []listpack.Element {
	if !b.loaded {
		b.load()
	}
	return b.members[:b.n]
}

// load reads the members of a table.
func (b *Batch) load() {
	a := b.sp.Arena
	if b.buckets >= coldBuckets {
		var addrs [BatchLen]uintptr
		for i, r := range b.refs[:b.n] {
			addrs[i] = a.Addr(r)
		}
		alloc.Prefetch(addrs[:b.n])
	}
	for i, r := range b.refs[:b.n] {
		b.members[i] = listpack.Element{Bytes: member.Name(a, r)}
	}
	b.loaded = true
}

// all names all members of the batch: bit i for member i.
func (b *Batch) all() uint32 { return uint32(1<<b.n - 1) }

// text returns member i as text, in buf if it is an integer.
func (b *Batch) text(i int, buf *[maxIntText]byte) []byte {
	if b.buckets == 0 {
		return strconv.AppendInt(buf[:0], b.members[i].Int, 10)
	}
	return member.Name(b.sp.Arena, b.refs[i])
}

// keep removes from the batch all members but those that in names.
func (b *Batch) keep(in uint32) {
	if in == b.all() {
		return
	}
	b.n = 0
	for ; in != 0; in &= in - 1 {
		i := bits.TrailingZeros32(in)
		if b.loaded {
			b.members[b.n] = b.members[i]
		}
		if b.buckets > 0 {
			b.refs[b.n], b.rows[b.n] = b.refs[i], b.rows[i]
		}
		b.n++
	}
}

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
		it.nextRefs(b)
	}
	return b.n > 0
}

func (it *Iter) nextInts(b *Batch) {
	s := it.v.Ints()
	b.n, b.buckets, b.loaded = min(BatchLen, intset.Len(s)-it.at), 0, true
	for i := range b.n {
		b.members[i] = listpack.Element{Int: intset.Get(s, it.at+i), IsInt: true}
	}
	it.at += b.n
}

func (it *Iter) nextRefs(b *Batch) {
	a := it.v.sp.Arena
	b.n, b.sp, b.buckets, b.loaded = 0, it.v.sp, it.v.table.Buckets(), false
	for b.n < BatchLen {
		if it.left == 0 && !it.nextBucket(a) {
			break
		}
		for ; it.left != 0 && b.n < BatchLen; it.left &= it.left - 1 {
			slot := bits.TrailingZeros32(it.left)
			b.refs[b.n] = it.bucket.Ref(slot)
			b.rows[b.n] = dict.Row{Bucket: uint32(it.at - 1), Print: it.bucket.Print(slot)}
			b.n++
		}
	}
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
	var (
		asked      [BatchLen]uint8 // places in b of the members that are looked up, in their order
		room       [BatchLen]dict.Candidate
		candidates []dict.Candidate
		buf        [maxIntText]byte
	)
	switch {
	case v.enc == types.Intset:
		return v.amongInts(b, ask)
	case v.table.Len() == 0:
		return 0
	case b.buckets > 0 && b.sp.SameHash(v.sp) && v.table.Joins(b.buckets):
		candidates = v.join(b, ask, &asked, room[:])
	default:
		candidates = v.lookUp(b, ask, &asked, room[:])
	}
	if v.table.Buckets() >= coldBuckets {
		dict.PrefetchEntries(v.sp.Arena, candidates)
		b.prefetch(candidates, &asked)
	}
	for _, c := range candidates {
		i := int(asked[c.Hash])
		if v.holds(c.Ref, b.text(i, &buf)) {
			in |= 1 << i
		}
	}
	return in
}

// join finds candidates for the members that ask names by where these are in their own table.
func (v *Value) join(b *Batch, ask uint32, asked *[BatchLen]uint8, room []dict.Candidate) []dict.Candidate {
	var rows [BatchLen]dict.Row
	n := 0
	for m := ask; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		asked[n], rows[n] = uint8(i), b.rows[i]
		n++
	}
	return v.table.Join(v.sp.Arena, b.buckets, rows[:n], room)
}

// lookUp finds candidates for the members that ask names by their hashes.
func (v *Value) lookUp(b *Batch, ask uint32, asked *[BatchLen]uint8, room []dict.Candidate) []dict.Candidate {
	if !b.loaded {
		b.load() // makes their misses overlap
	}
	var buf [maxIntText]byte
	var hashes [BatchLen]uint64
	var heads [BatchLen]uintptr
	n := 0
	for m := ask; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		asked[n], hashes[n] = uint8(i), v.sp.Hash(b.text(i, &buf))
		n++
	}
	v.table.Heads(v.sp.Arena, hashes[:n], heads[:])
	if v.table.Buckets() >= coldBuckets {
		alloc.Prefetch(heads[:n])
	}
	return dict.Candidates(hashes[:n], heads[:], room)
}

// prefetch asks for the members that have candidates, unless they have been read.
func (b *Batch) prefetch(candidates []dict.Candidate, asked *[BatchLen]uint8) {
	if b.loaded {
		return
	}
	var addrs [BatchLen]uintptr
	for j, c := range candidates {
		addrs[j] = b.sp.Arena.Addr(b.refs[asked[c.Hash]])
	}
	alloc.Prefetch(addrs[:len(candidates)])
}

// holds tells whether the table has the member text, of which ref is a candidate.
func (v *Value) holds(ref alloc.Ref, text []byte) bool {
	if ref != dict.Unsure && string(member.Name(v.sp.Arena, ref)) == string(text) {
		return true
	}
	p := member.Find(v.sp, &v.table, text)
	return p.Found()
}

func (v *Value) amongInts(b *Batch, ask uint32) (in uint32) {
	s := v.Ints()
	from := 0 // where the search begins: batches of intsets ascend
	for m := ask; m != 0; m &= m - 1 {
		i, found := bits.TrailingZeros32(m), false
		if b.buckets == 0 {
			from, found = intset.Seek(s, from, b.members[i].Int)
		} else if n, ok := listpack.ParseInt(member.Name(b.sp.Arena, b.refs[i])); ok {
			found = intset.Contains(s, n)
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
