package set

import (
	"encoding/binary"
	"math/bits"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/listpack"
)

// Value is a view of a set, for the time of one command.
type Value struct {
	sp    *types.Space
	table dict.Table
	ints  intset.Block
	enc   types.Encoding
}

// New returns an empty set in sp, which takes no memory.
func New(sp *types.Space) Value { return Value{sp: sp, enc: types.Intset} }

// Open returns a view of the set that r is the root of.
func Open(sp *types.Space, r types.Root) Value {
	v := Value{sp: sp, enc: r.Encoding}
	if r.Encoding == types.Intset {
		v.ints = intset.Block{
			Ref:  alloc.Ref(binary.LittleEndian.Uint32(r.Data[:])),
			Size: binary.LittleEndian.Uint32(r.Data[4:]),
		}
		return v
	}
	v.table = dict.Load(r.Data[:])
	return v
}

// Root returns what is to be kept of the set after a change.
func (v *Value) Root() types.Root {
	r := types.Root{Type: types.Set, Encoding: v.enc}
	if v.enc == types.Intset {
		binary.LittleEndian.PutUint32(r.Data[:], uint32(v.ints.Ref))
		binary.LittleEndian.PutUint32(r.Data[4:], v.ints.Size)
		return r
	}
	v.table.Store(r.Data[:])
	return r
}

// Encoding returns the set's encoding.
func (v *Value) Encoding() types.Encoding { return v.enc }

// Space returns where the set lives.
func (v *Value) Space() *types.Space { return v.sp }

// Ints returns an intset's bytes. They die when the set changes.
func (v *Value) Ints() []byte { return v.ints.Bytes(v.sp.Arena) }

// Len returns the number of members.
func (v *Value) Len() int {
	if v.enc == types.Intset {
		return intset.Len(v.Ints())
	}
	return v.table.Len()
}

// Same tells whether v and o, opened from roots that are kept, are one set. Empty ones without memory may differ and be the
// same.
func (v *Value) Same(o *Value) bool { return v.sp == o.sp && v.Root() == o.Root() }

// Contains tells whether text is a member.
func (v *Value) Contains(text []byte) bool {
	if v.enc == types.Intset {
		n, ok := listpack.ParseInt(text)
		return ok && intset.Contains(v.Ints(), n)
	}
	b, _ := v.find(v.sp.Hash(text), text)
	return b != nil
}

// find returns the bucket and slot of the member text, whose hash is h, in the table; nil if there is none.
func (v *Value) find(h uint64, want []byte) (*dict.Bucket, int) {
	a, fp := v.sp.Arena, dict.Fingerprint(h)
	for b := v.table.Find(a, h); b != nil; b = b.Next(a) {
		for m := b.Match(fp); m != 0; m &= m - 1 {
			slot := bits.TrailingZeros32(m)
			if string(text(a, b.Ref(slot))) == string(want) {
				return b, slot
			}
		}
	}
	return nil, 0
}

// Add adds the member text unless it is there. The error is types.ErrNoMemory: nothing has changed then.
func (v *Value) Add(lim *types.Limits, text []byte) (added bool, err error) {
	if v.enc == types.Intset {
		if n, ok := listpack.ParseInt(text); ok {
			return v.addInt(lim, n, text)
		}
		if err := v.toTable(); err != nil {
			return false, err
		}
	}
	return v.addText(text)
}

// AddElement is Add for a member of a set, of another one if it is a string.
func (v *Value) AddElement(lim *types.Limits, e listpack.Element) (added bool, err error) {
	if !e.IsInt {
		return v.Add(lim, e.Bytes)
	}
	var buf [maxIntText]byte
	if v.enc == types.Intset {
		return v.addInt(lim, e.Int, e.Append(buf[:0]))
	}
	return v.addText(e.Append(buf[:0]))
}

// maxIntText is how many bytes an integer takes in decimal at most.
const maxIntText = 20

// addInt adds n, which is text in decimal, to an intset.
func (v *Value) addInt(lim *types.Limits, n int64, text []byte) (added bool, err error) {
	s := v.Ints()
	i, found := intset.Find(s, n)
	switch {
	case found:
		return false, nil
	case intset.Len(s) < min(lim.SetIntsetEntries, intset.MaxLen):
		if !v.ints.Insert(v.sp.Arena, i, n) {
			return false, types.ErrNoMemory
		}
		return true, nil
	}
	if err := v.toTable(); err != nil {
		return false, err
	}
	return v.addText(text)
}

// addText adds a member to a table.
func (v *Value) addText(text []byte) (added bool, err error) {
	h := v.sp.Hash(text)
	if b, _ := v.find(h, text); b != nil {
		return false, nil
	}
	a := v.sp.Arena
	ref := newMember(a, text)
	if ref == 0 {
		return false, types.ErrNoMemory
	}
	if !v.table.Insert(a, h, ref, hasher{v.sp}) {
		freeMember(a, ref)
		return false, types.ErrNoMemory
	}
	return true, nil
}

// hasher hashes members for the table.
type hasher struct{ sp *types.Space }

func (h hasher) HashOf(r alloc.Ref) uint64 { return h.sp.Hash(text(h.sp.Arena, r)) }

// toTable makes an intset a table.
func (v *Value) toTable() error {
	t := Value{sp: v.sp, enc: types.Hashtable}
	s := v.Ints()
	var buf [maxIntText]byte
	for i := range intset.Len(s) {
		e := listpack.Element{Int: intset.Get(s, i), IsInt: true}
		if _, err := t.addText(e.Append(buf[:0])); err != nil {
			t.Free()
			return err
		}
	}
	v.ints.Free(v.sp.Arena)
	*v = t
	return nil
}

// Remove removes the member text and tells whether it was there.
func (v *Value) Remove(text []byte) bool {
	if v.enc == types.Intset {
		n, ok := listpack.ParseInt(text)
		return ok && v.ints.Remove(v.sp.Arena, n)
	}
	h := v.sp.Hash(text)
	b, slot := v.find(h, text)
	if b == nil {
		return false
	}
	v.removeAt(h, b, slot)
	return true
}

// removeAt removes the member of hash h in a slot of the table.
func (v *Value) removeAt(h uint64, b *dict.Bucket, slot int) {
	a := v.sp.Arena
	ref := b.Ref(slot)
	v.table.Remove(a, h, b, slot)
	freeMember(a, ref)
}
