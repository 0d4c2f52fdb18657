package listpack

import "encoding/binary"

// A listpack may have room before or after it in its block of memory. At that end elements come and go without moving others.

// PushFirst adds elem before the first element of the listpack b[gap:], which grows into the gap before it. It returns
// how much of the gap is left. ok is false if it is too small, and then nothing has changed.
func PushFirst(b []byte, gap int, elem []byte) (left int, ok bool) {
	v, isInt := ParseInt(elem)
	n := encodedLen(elem, v, isInt)
	if n > gap {
		return gap, false
	}
	left = gap - n
	writeHeader(b[left:], len(b)-left, counted(b[gap:], 1))
	putEither(b[left+headerSize:], elem, v, isInt)
	return left, true
}

// PopFirst removes the first of several elements of the listpack b[gap:]. Its bytes become part of the gap, whose size
// is returned.
func PopFirst(b []byte, gap int) (size int) {
	lp := b[gap:]
	n := Skip(lp, headerSize) - headerSize
	writeHeader(lp[n:], len(lp)-n, counted(lp, -1))
	return gap + n
}

// PushLast adds elem after the last element of the listpack b[:size], which grows into the rest of b, and returns its
// size. ok is false if b is too small, and then nothing has changed.
func PushLast(b []byte, size int, elem []byte) (grown int, ok bool) {
	v, isInt := ParseInt(elem)
	grown = size + encodedLen(elem, v, isInt)
	if grown > len(b) {
		return size, false
	}
	putEither(b[size-1:], elem, v, isInt)
	b[grown-1] = end
	writeHeader(b, grown, counted(b, 1))
	return grown, true
}

// PopLast removes the last of several elements of lp and returns its size then.
func PopLast(lp []byte) (size int) {
	size = Last(lp) + 1
	writeHeader(lp, size, counted(lp, -1))
	lp[size-1] = end
	return size
}

func encodedLen(elem []byte, v int64, isInt bool) int {
	if isInt {
		return EncodedLenInt(v)
	}
	n := stringSize(len(elem))
	return n + backSize(n)
}

func putEither(dst, elem []byte, v int64, isInt bool) {
	if isInt {
		putInt(dst, v)
	} else {
		putString(dst, elem)
	}
}

// counted returns what the header of lp says of the number of elements when there are more.
func counted(lp []byte, more int) int {
	if n := header(lp); n != manyElems {
		return min(n+more, manyElems)
	}
	return manyElems
}

func writeHeader(lp []byte, size, count int) {
	h := lp[:headerSize]
	binary.LittleEndian.PutUint32(h, uint32(size))
	binary.LittleEndian.PutUint16(h[4:], uint16(count))
}
