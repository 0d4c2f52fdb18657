package intset

import "github.com/shoaldb/shoal/alloc"

// Block is an intset in an arena. The zero Block is an empty one that has no memory. Bytes may be larger than the
// intset: what a removal leaves is kept until it is half of the block.
type Block struct {
	Ref  alloc.Ref
	Size uint32 // bytes that the arena was asked for
}

// Bytes returns the intset. It aliases arena memory and dies when b changes.
func (b Block) Bytes(a *alloc.Arena) []byte {
	if b.Ref == 0 {
		return empty[:]
	}
	s := a.Bytes(b.Ref, int(b.Size))
	return s[:headerBytes+width(s)*Len(s)]
}

// Store makes b, which must be the zero Block, a copy of the valid intset s. It reports false if there is no memory.
func (b *Block) Store(a *alloc.Arena, s []byte) bool {
	ref := a.Alloc(len(s))
	if ref == 0 {
		return false
	}
	*b = Block{ref, uint32(len(s))}
	copy(a.Bytes(ref, len(s)), s)
	return true
}

// Free gives back the memory and leaves the zero Block.
func (b *Block) Free(a *alloc.Arena) {
	if b.Ref != 0 {
		a.Free(b.Ref, int(b.Size))
	}
	*b = Block{}
}

// Add adds v unless it is there. It reports ok = false, having changed nothing, if there is no memory.
func (b *Block) Add(a *alloc.Arena, v int64) (added, ok bool) {
	i, found := Find(b.Bytes(a), v)
	if found {
		return false, true
	}
	ok = b.Insert(a, i, v)
	return ok, ok
}

// Insert adds v at i, which is where [Find] did not find it. It reports false, having changed nothing, if there is no
// memory or if there are MaxLen elements.
func (b *Block) Insert(a *alloc.Arena, i int, v int64) bool {
	s := b.Bytes(a)
	n, w := Len(s), width(s)
	if n == MaxLen {
		return false
	}
	if need := widthFor(v); need > w {
		return b.widen(a, i, v, need)
	}
	want := headerBytes + (n+1)*w
	if b.Ref != 0 && want <= alloc.UsableSize(int(b.Size)) {
		if want > int(b.Size) {
			a.Resize(b.Ref, int(b.Size), want)
			b.Size = uint32(want)
		}
		e := a.Bytes(b.Ref, want)[headerBytes:]
		copy(e[(i+1)*w:], e[i*w:n*w])
		put(e, w, i, v)
		b.setHeader(a, w, n+1)
		return true
	}
	ref := a.Alloc(want)
	if ref == 0 {
		return false
	}
	e := a.Bytes(ref, want)[headerBytes:]
	copy(e, s[headerBytes:headerBytes+i*w])
	put(e, w, i, v)
	copy(e[(i+1)*w:], s[headerBytes+i*w:])
	b.replace(a, ref, want)
	b.setHeader(a, w, n+1)
	return true
}

// widen makes the elements w bytes wide and adds v before or after them, as i is 0 or their number.
func (b *Block) widen(a *alloc.Arena, i int, v int64, w int) bool {
	s := b.Bytes(a)
	n := Len(s)
	size := headerBytes + (n+1)*w
	ref := a.Alloc(size)
	if ref == 0 {
		return false
	}
	e := a.Bytes(ref, size)[headerBytes:]
	at := 0
	if i == 0 {
		at = 1
	}
	for j := range n {
		put(e, w, at+j, Get(s, j))
	}
	put(e, w, i, v)
	b.replace(a, ref, size)
	b.setHeader(a, w, n+1)
	return true
}

// Remove removes v and tells whether it was there.
func (b *Block) Remove(a *alloc.Arena, v int64) bool {
	i, found := Find(b.Bytes(a), v)
	if found {
		b.Delete(a, i)
	}
	return found
}

// Delete removes element i.
func (b *Block) Delete(a *alloc.Arena, i int) {
	s := b.Bytes(a)
	n, w := Len(s), width(s)
	e := s[headerBytes:]
	copy(e[i*w:], e[(i+1)*w:])
	b.setHeader(a, w, n-1)
	b.shrink(a)
}

// DeleteFunc removes the elements for which remove, called in ascending order, returns true.
func (b *Block) DeleteFunc(a *alloc.Arena, remove func(v int64) bool) {
	s := b.Bytes(a)
	e, w, kept := s[headerBytes:], width(s), 0
	for i := range Len(s) {
		if v := get(e, w, i); !remove(v) {
			put(e, w, kept, v)
			kept++
		}
	}
	if kept < Len(s) {
		b.setHeader(a, w, kept)
		b.shrink(a)
	}
}

// shrink moves an intset that has become smaller than half of its block to a smaller one.
func (b *Block) shrink(a *alloc.Arena) {
	s := b.Bytes(a)
	want := len(s)
	if want > alloc.UsableSize(int(b.Size))/2 {
		return
	}
	// Without memory for a smaller block the larger one stays.
	if ref := a.Alloc(want); ref != 0 {
		copy(a.Bytes(ref, want), s)
		b.replace(a, ref, want)
	}
}

// replace makes the block r of size bytes take the place of b's.
func (b *Block) replace(a *alloc.Arena, r alloc.Ref, size int) {
	b.Free(a)
	*b = Block{r, uint32(size)}
}

func (b *Block) setHeader(a *alloc.Arena, w, n int) {
	h := a.Bytes(b.Ref, headerBytes)
	le.PutUint32(h, uint32(w))
	le.PutUint32(h[4:], uint32(n))
}
