package set

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/intset"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/member"
)

// Value is a view of a set, for the time of one command.
type Value struct {
	sp    *types.Space
	table dict.Table
	ints  intset.Block
	enc   types.Encoding
	watch types.Watcher // see types.Watcher; may be nil
}

// New returns an empty set in sp, which takes no memory.
func New(sp *types.Space) Value { return Value{sp: sp, enc: types.Intset} }

// Open returns a view of the set that r is the root of.
func Open(sp *types.Space, r types.Root) Value {
	v := Value{sp: sp, enc: r.Encoding, watch: sp.Watcher(&r)}
	if r.Encoding == types.Intset {
		v.ints = intset.Block{Ref: alloc.Ref(uint32(r.Data.Lo)), Size: uint32(r.Data.Lo >> 32)}
		return v
	}
	v.table = dict.FromWords(r.Data.Lo, r.Data.Hi)
	return v
}

// Root returns what is to be kept of the set after a change.
func (v *Value) Root() types.Root {
	r := types.Root{Type: types.Set, Encoding: v.enc}
	if v.enc == types.Intset {
		r.Data.Lo = types.Word(uint32(v.ints.Ref), v.ints.Size)
		return r
	}
	r.Data.Lo, r.Data.Hi = v.table.Words()
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
	p := member.Find(v.sp, &v.table, text)
	return p.Found()
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
	p := member.Find(v.sp, &v.table, text)
	if p.Found() {
		return false, nil
	}
	a, size := v.sp.Arena, member.Head(len(text))
	ref := a.Alloc(size)
	if ref == 0 {
		return false, types.ErrNoMemory
	}
	member.Put(a.Bytes(ref, size), text)
	if !p.Insert(v.sp, &v.table, ref) {
		a.Free(ref, size)
		return false, types.ErrNoMemory
	}
	if v.watch != nil {
		v.watch.Add(ref)
	}
	return true, nil
}

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
	p := member.Find(v.sp, &v.table, text)
	if !p.Found() {
		return false
	}
	if v.watch != nil {
		v.watch.Change(p.Ref)
	}
	p.Remove(v.sp, &v.table)
	v.freeMember(p.Ref)
	return true
}

// freeMember gives back the block of a member.
func (v *Value) freeMember(ref alloc.Ref) { v.sp.Arena.Free(ref, member.NameHead(v.sp.Arena, ref)) }
