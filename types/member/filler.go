package member

import (
	"errors"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
)

// Filler adds members to a table, some at a time, so that the memory of all the buckets they go to is fetched at once.
// The zero Filler is ready to use.
type Filler struct {
	n      int
	hashes [dict.MaxPrefetch]uint64
	refs   [dict.MaxPrefetch]alloc.Ref
}

// ErrTwice says that a member is there already.
var ErrTwice = errors.New("member: there twice")

// reserveStep is how many buckets are reserved between two pauses: 30 µs.
const reserveStep = 4096

// Reserve makes room for n members in an empty table. pause is called after each so many elements' work. The error is
// types.ErrNoMemory: the table is empty then.
func Reserve(sp *types.Space, t *dict.Table, n int, pause func(n int)) error {
	for {
		done, ok := t.Reserve(sp.Arena, n, reserveStep)
		if !ok {
			t.Clear(sp.Arena, t.Buckets(), func(alloc.Ref) {})
			return types.ErrNoMemory
		}
		if done {
			return nil
		}
		pause(reserveStep / 32)
	}
}

// Add notes the block ref, which begins with a member of a hash, and adds what it has noted once that is enough. For
// the errors see Flush.
func (f *Filler) Add(sp *types.Space, t *dict.Table, hash uint64, ref alloc.Ref) error {
	f.hashes[f.n], f.refs[f.n] = hash, ref
	if f.n++; f.n < len(f.refs) {
		return nil
	}
	return f.Flush(sp, t)
}

// Flush adds what has been noted. The error is ErrTwice or types.ErrNoMemory; then Waiting are those that were not added.
func (f *Filler) Flush(sp *types.Space, t *dict.Table) error {
	t.Prefetch(sp.Arena, f.hashes[:f.n])
	for i, ref := range f.refs[:f.n] {
		p := FindHashed(sp, t, f.hashes[i], Name(sp.Arena, ref))
		if p.Found() {
			f.keep(i)
			return ErrTwice
		}
		if !p.Insert(sp, t, ref) {
			f.keep(i)
			return types.ErrNoMemory
		}
	}
	f.n = 0
	return nil
}

// keep forgets the first i.
func (f *Filler) keep(i int) {
	copy(f.hashes[:], f.hashes[i:f.n])
	f.n = copy(f.refs[:], f.refs[i:f.n])
}

// Waiting returns the blocks that have been noted and not been added.
func (f *Filler) Waiting() []alloc.Ref { return f.refs[:f.n] }
