package list

import (
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/quicklist"
)

// Value is a list, opened for the time of a command. After a change its root is to be kept, even if the change failed.
type Value struct {
	quicklist.List
}

// New returns an empty list, which takes no memory.
func New(sp *types.Space) Value { return Open(sp, types.Root{}) }

// Open returns the list of root r.
func Open(sp *types.Space, r types.Root) (v Value) {
	v.Load(sp, r)
	return v
}

// Load makes v, which is zero, the list of root r: Open without a copy of the value.
func (v *Value) Load(sp *types.Space, r types.Root) {
	v.List.Load(sp.Arena, r.Data)
	v.Watch = sp.Watcher(&r)
}

// Root returns the root to be kept.
func (v *Value) Root() types.Root {
	return types.Root{Type: types.List, Encoding: types.Quicklist, Data: v.List.Root()}
}

// FreeStep frees some limit nodes of a list that no key has, and tells whether nothing is left. r is then changed and
// is to be given again.
func FreeStep(sp *types.Space, r *types.Root, limit int) (done bool) {
	v := Open(sp, *r)
	done = v.List.FreeStep(limit)
	*r = v.Root()
	return done
}

// Copy returns a copy of the list of root r. The error is types.ErrNoMemory: nothing is left behind then.
func Copy(from *types.Space, r types.Root, to *types.Space) (types.Root, error) {
	v := Open(from, r)
	l, ok := v.List.Copy(to.Arena)
	if !ok {
		return types.Root{}, types.ErrNoMemory
	}
	c := Value{l}
	return c.Root(), nil
}

// Len returns the number of elements of the list of root r.
func Len(sp *types.Space, r types.Root) int {
	v := Open(sp, r)
	return v.Len()
}

// Bytes returns the memory of the list of root r. It visits every node's description.
func Bytes(sp *types.Space, r types.Root, _ int) int {
	v := Open(sp, r)
	return v.List.Bytes()
}

// Check tells what is wrong with the structure of the list of root r, if anything. It visits every element.
func Check(sp *types.Space, r types.Root) error {
	v := Open(sp, r)
	return v.List.Check()
}
