package listpack

import (
	"encoding/binary"
	"math"

	"github.com/shoaldb/shoal/alloc"
)

// Block is a listpack in an arena, which is told at every call. It is 8 bytes that its owner keeps. The zero Block is an
// empty list that takes no memory, and an empty list is always the zero Block.
//
// Changing methods report false, with nothing changed, if there is no memory or the listpack would exceed 4 GiB. Their
// arguments must not alias the arena's memory of the same block.
type Block struct {
	Ref  alloc.Ref
	Size uint32 // length of the listpack, which is what the arena was asked for
}

// Bytes returns the listpack. The bytes die at the next change.
func (b Block) Bytes(a *alloc.Arena) []byte {
	if b.Ref == 0 {
		return empty[:]
	}
	return a.Bytes(b.Ref, int(b.Size))
}

// Free gives the memory back and leaves an empty list.
func (b *Block) Free(a *alloc.Arena) {
	if b.Ref != 0 {
		a.Free(b.Ref, int(b.Size))
		*b = Block{}
	}
}

// New returns a block with a copy of a listpack.
func New(a *alloc.Arena, lp []byte) (Block, bool) {
	if len(lp) == minSize {
		return Block{}, true
	}
	ref := a.Alloc(len(lp))
	if ref == 0 {
		return Block{}, false
	}
	copy(a.Bytes(ref, len(lp)), lp)
	return Block{ref, uint32(len(lp))}, true
}

// FromElements returns a block of elements that are encoded already: a stretch of another listpack or what AppendElement
// made. count is their number; 65535 or more if that is not known.
func FromElements(a *alloc.Arena, encoded []byte, count int) (Block, bool) {
	var b Block
	return b, b.InsertElements(a, headerSize, encoded, count)
}

// AppendElement appends elem to dst, encoded as in a listpack.
func AppendElement(dst, elem []byte) []byte {
	if v, ok := ParseInt(elem); ok {
		return AppendElementInt(dst, v)
	}
	n := stringSize(len(elem))
	n += backSize(n)
	dst = grow(dst, n)
	putString(dst[len(dst)-n:], elem)
	return dst
}

// AppendElementInt appends v to dst, encoded as in a listpack.
func AppendElementInt(dst []byte, v int64) []byte {
	n := EncodedLenInt(v)
	dst = grow(dst, n)
	putInt(dst[len(dst)-n:], v)
	return dst
}

func grow(dst []byte, n int) []byte {
	if len(dst)+n <= cap(dst) {
		return dst[:len(dst)+n]
	}
	return append(dst, make([]byte, n)...)
}

// Append adds elements at the end.
func (b *Block) Append(a *alloc.Arena, elems ...[]byte) bool {
	return b.Insert(a, max(int(b.Size), minSize)-1, elems...)
}

// Prepend adds elements at the beginning, in the order given.
func (b *Block) Prepend(a *alloc.Arena, elems ...[]byte) bool {
	return b.Insert(a, headerSize, elems...)
}

// Insert adds elements before the one at pos, in the order given; at the end if pos is the length of the listpack less one.
func (b *Block) Insert(a *alloc.Arena, pos int, elems ...[]byte) bool {
	if len(elems) == 0 {
		return true
	}
	size := 0
	for _, elem := range elems {
		size += EncodedLen(elem)
	}
	lp := b.splice(a, pos, 0, size, len(elems))
	if lp == nil {
		return false
	}
	for _, elem := range elems {
		pos += put(lp[pos:], elem)
	}
	return true
}

// InsertElements is Insert with elements that are encoded already; see FromElements.
func (b *Block) InsertElements(a *alloc.Arena, pos int, encoded []byte, count int) bool {
	if len(encoded) == 0 {
		return true
	}
	lp := b.splice(a, pos, 0, len(encoded), count)
	if lp == nil {
		return false
	}
	copy(lp[pos:], encoded)
	return true
}

// AppendInt adds an integer at the end.
func (b *Block) AppendInt(a *alloc.Arena, v int64) bool {
	return b.InsertInt(a, max(int(b.Size), minSize)-1, v)
}

// InsertInt adds an integer before the element at pos.
func (b *Block) InsertInt(a *alloc.Arena, pos int, v int64) bool {
	lp := b.splice(a, pos, 0, EncodedLenInt(v), 1)
	if lp == nil {
		return false
	}
	putInt(lp[pos:], v)
	return true
}

// Replace puts elem in the place of the element at pos.
func (b *Block) Replace(a *alloc.Arena, pos int, elem []byte) bool {
	if v, ok := ParseInt(elem); ok {
		return b.ReplaceInt(a, pos, v)
	}
	n := stringSize(len(elem))
	lp := b.splice(a, pos, b.skip(a, pos)-pos, n+backSize(n), 0)
	if lp == nil {
		return false
	}
	putString(lp[pos:], elem)
	return true
}

// ReplaceInt puts an integer in the place of the element at pos.
func (b *Block) ReplaceInt(a *alloc.Arena, pos int, v int64) bool {
	lp := b.splice(a, pos, b.skip(a, pos)-pos, EncodedLenInt(v), 0)
	if lp == nil {
		return false
	}
	putInt(lp[pos:], v)
	return true
}

func (b *Block) skip(a *alloc.Arena, pos int) int { return Skip(b.Bytes(a), pos) }

// Delete removes count elements from pos on, or as many as there are, and returns the position of the element after them: 0
// if there is none, -1 if there is no memory for what remains, which is smaller but may need a block of another class.
func (b *Block) Delete(a *alloc.Arena, pos, count int) (next int) {
	lp := b.Bytes(a)
	to, n := pos, 0
	for ; n < count && to < len(lp)-1; n++ {
		to = Skip(lp, to)
	}
	return b.Cut(a, pos, to, n)
}

// Cut is Delete for a stretch of count elements that is known to reach from pos to the position to.
func (b *Block) Cut(a *alloc.Arena, pos, to, count int) (next int) {
	lp := b.Bytes(a)
	if pos < to {
		if lp = b.splice(a, pos, to-pos, 0, -count); lp == nil {
			return -1
		}
	}
	if pos < len(lp)-1 {
		return pos
	}
	return 0
}

// splice makes room for add bytes in the place of the cut bytes at pos, notes that there are count more elements, and
// returns the listpack; nil if it cannot. An empty list gives its memory back.
func (b *Block) splice(a *alloc.Arena, pos, cut, add, count int) []byte {
	was := max(int(b.Size), minSize)
	size := was - cut + add
	if size > math.MaxUint32 {
		return nil
	}
	if size == minSize {
		b.Free(a)
		return empty[:]
	}
	var lp []byte
	if b.Ref != 0 && alloc.UsableSize(size) == alloc.UsableSize(was) {
		lp = b.shift(a, pos, cut, add, size)
	} else if lp = b.move(a, pos, cut, add, size); lp == nil {
		return nil
	}
	binary.LittleEndian.PutUint32(lp, uint32(size))
	if n := header(lp); n != manyElems {
		binary.LittleEndian.PutUint16(lp[4:], uint16(min(n+count, manyElems)))
	}
	return lp
}

// shift moves what stands after pos+cut within the block.
func (b *Block) shift(a *alloc.Arena, pos, cut, add, size int) []byte {
	was := int(b.Size)
	if size > was {
		a.Resize(b.Ref, was, size)
		b.Size = uint32(size)
	}
	lp := a.Bytes(b.Ref, max(was, size))
	if cut != add {
		copy(lp[pos+add:], lp[pos+cut:was])
	}
	if size < was {
		a.Resize(b.Ref, was, size)
		b.Size = uint32(size)
	}
	return lp[:size]
}

// move copies what remains to a new block.
func (b *Block) move(a *alloc.Arena, pos, cut, add, size int) []byte {
	ref := a.Alloc(size)
	if ref == 0 {
		return nil
	}
	old, lp := b.Bytes(a), a.Bytes(ref, size)
	copy(lp, old[:pos])
	copy(lp[pos+add:], old[pos+cut:])
	b.Free(a)
	b.Ref, b.Size = ref, uint32(size)
	return lp
}
