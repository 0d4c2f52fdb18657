package command

import (
	"math"

	"github.com/shoaldb/shoal/types/listpack"
)

// What SORT and the combinations of sorted sets collect may be a million elements. It is kept in chunks, so that no
// step has to allocate, clear or copy very much, and without pointers, so that the garbage collector has nothing to do
// with it.

// sortElement is an element with what it is sorted by: a text with ALPHA, else a number.
type sortElement struct {
	elem   sortText
	weight sortText // of kind textNone: there is none
}

func (x *sortElement) setScore(f float64) { x.weight.at = math.Float64bits(f) }

func (x *sortElement) score() float64 { return math.Float64frombits(x.weight.at) }

// elementsPerChunk is how many elements are allocated at a time: 32 KiB.
const elementsPerChunk = 1 << 10

// sortElements is a list of elements.
type sortElements struct {
	n      int
	chunks []*[elementsPerChunk]sortElement
}

func (l *sortElements) add(elem sortText) {
	if l.n == len(l.chunks)*elementsPerChunk {
		l.chunks = append(l.chunks, new([elementsPerChunk]sortElement))
	}
	*l.at(l.n) = sortElement{elem: elem}
	l.n++
}

func (l *sortElements) at(i int) *sortElement {
	return &l.chunks[i/elementsPerChunk][i%elementsPerChunk]
}

// emptied returns an empty list with one of l's chunks.
func (l *sortElements) emptied() sortElements {
	return sortElements{chunks: firstOf(l.chunks)}
}

// firstOf returns the first of all, with which a list can begin anew.
func firstOf[T any](all []T) []T {
	if len(all) > 1 {
		return []T{all[0]}
	}
	return all
}

// textKind tells where a text is.
type textKind uint8

const (
	textNone    textKind = iota // there is none
	textInteger                 // it is an integer
	textCopied                  // in a chunk of sortTexts
	textViewed                  // in the memory of its key
)

// sortText stands for a text of sortTexts.
type sortText struct {
	at   uint64 // the integer; or chunk and offset; or the index of the view
	n    uint32 // of a copied text: its length
	kind textKind
}

const (
	textChunkBits = 14
	textChunk     = 1 << textChunkBits // bytes of a chunk; one with a longer text has that alone
	longestCopied = 64                 // bytes that are rather copied than pointed to
)

// sortTexts keeps texts.
type sortTexts struct {
	chunks [][]byte
	views  [][][]byte // of viewsPerChunk each
}

const viewsPerChunk = 1 << 9

// emptied returns an empty store with one of t's chunks.
func (t *sortTexts) emptied() sortTexts {
	e := sortTexts{chunks: firstOf(t.chunks)}
	if len(e.chunks) > 0 {
		e.chunks[0] = e.chunks[0][:0]
		if cap(e.chunks[0]) > textChunk {
			e.chunks = nil
		}
	}
	return e
}

// kept keeps e, whose text stays where it is as long as the command runs.
func (t *sortTexts) kept(e listpack.Element) sortText {
	if e.IsInt || len(e.Bytes) <= longestCopied {
		return t.copied(e)
	}
	last := len(t.views) - 1
	if last < 0 || len(t.views[last]) == viewsPerChunk {
		t.views = append(t.views, make([][]byte, 0, viewsPerChunk))
		last++
	}
	t.views[last] = append(t.views[last], e.Bytes)
	return sortText{kind: textViewed, at: uint64(last*viewsPerChunk + len(t.views[last]) - 1)}
}

// copied keeps a copy of e.
func (t *sortTexts) copied(e listpack.Element) sortText {
	if e.IsInt {
		return sortText{kind: textInteger, at: uint64(e.Int)}
	}
	last := len(t.chunks) - 1
	if last < 0 || cap(t.chunks[last])-len(t.chunks[last]) < len(e.Bytes) {
		t.chunks = append(t.chunks, make([]byte, 0, max(textChunk, len(e.Bytes))))
		last++
	}
	at := len(t.chunks[last])
	t.chunks[last] = append(t.chunks[last], e.Bytes...)
	return sortText{kind: textCopied, at: uint64(last<<textChunkBits | at), n: uint32(len(e.Bytes))}
}

// bytes returns a text that is no integer.
func (t *sortTexts) bytes(x sortText) []byte {
	switch x.kind {
	case textCopied:
		at := int(x.at % textChunk)
		return t.chunks[x.at>>textChunkBits][at : at+int(x.n)]
	case textViewed:
		return t.views[x.at/viewsPerChunk][x.at%viewsPerChunk]
	}
	return nil
}

// element returns what x stands for.
func (t *sortTexts) element(x sortText) listpack.Element {
	if x.kind == textInteger {
		return listpack.Element{Int: int64(x.at), IsInt: true}
	}
	return listpack.Element{Bytes: t.bytes(x)}
}
