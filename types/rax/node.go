package rax

import (
	"bytes"
	"encoding/binary"

	"github.com/shoaldb/shoal/alloc"
)

const (
	headerBytes = 6
	maxLabel    = 255 // bytes of prefix and suffix
)

const (
	isFan    = 1 << 0
	hasValue = 1 << 1

	sizeShift = 6 // of the high bits of the block's size, in the first byte
	sizeUnit  = 8
)

// node is the block of a node.
type node []byte

func nodeAt(a *alloc.Arena, r alloc.Ref) node {
	return a.Bytes(r, node(a.Bytes(r, headerBytes)).size())
}

// size returns the size of the block, of which used bytes are in use.
func (n node) size() int { return (int(n[0]>>sizeShift)<<8 | int(n[3])) * sizeUnit }

func (n node) fan() bool      { return n[0]&isFan != 0 }
func (n node) valued() bool   { return n[0]&hasValue != 0 }
func (n node) count() int     { return int(binary.LittleEndian.Uint16(n[4:])) }
func (n node) setCount(c int) { binary.LittleEndian.PutUint16(n[4:], uint16(c)) }

// slots returns where the slots begin, and the width of one.
func (n node) slots() (at, width int) {
	switch n[0] & (isFan | hasValue) {
	case 0:
		return headerBytes, 4
	case hasValue:
		return headerBytes + 8, 4
	}
	return headerBytes, 8
}

// labels returns where the prefix begins.
func (n node) labels() int {
	at, w := n.slots()
	return at + w*n.count()
}

func (n node) prefix() []byte {
	at := n.labels()
	return n[at : at+int(n[1])]
}

func (n node) suffix() []byte {
	at := n.labels() + int(n[1])
	return n[at : at+int(n[2])]
}

// bytes returns the bytes by which the children, or the keys of a fan, differ.
func (n node) bytes() []byte {
	at := n.labels() + int(n[1]) + int(n[2])
	return n[at : at+n.count()]
}

func (n node) used() int { return n.labels() + int(n[1]) + int(n[2]) + n.count() }

func (n node) value() uint64     { return binary.LittleEndian.Uint64(n[headerBytes:]) }
func (n node) setValue(v uint64) { binary.LittleEndian.PutUint64(n[headerBytes:], v) }

func (n node) child(i int) alloc.Ref {
	at, _ := n.slots()
	return alloc.Ref(binary.LittleEndian.Uint32(n[at+4*i:]))
}

func (n node) setChild(i int, r alloc.Ref) {
	at, _ := n.slots()
	binary.LittleEndian.PutUint32(n[at+4*i:], uint32(r))
}

func (n node) fanValue(i int) uint64 { return binary.LittleEndian.Uint64(n[headerBytes+8*i:]) }

func (n node) setFanValue(i int, v uint64) { binary.LittleEndian.PutUint64(n[headerBytes+8*i:], v) }

// lowerBound returns the index of the first byte that is not below b, and whether it is b.
func (n node) lowerBound(b byte) (int, bool) {
	set := n.bytes()
	if k := len(set); k == 0 || set[k-1] < b { // IDs ascend
		return k, false
	}
	if i := bytes.IndexByte(set, b); i >= 0 {
		return i, true
	}
	lo, hi := 0, len(set)
	for lo < hi {
		if mid := (lo + hi) / 2; set[mid] < b {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, false
}

// removeSlot removes slot i and its byte.
func (n node) removeSlot(i int) {
	at, w := n.slots()
	c, end := n.count(), n.used()
	labels, keys := at+w*c, end-c
	copy(n[at+w*i:], n[at+w*(i+1):labels])
	copy(n[labels-w:], n[labels:keys+i])
	copy(n[keys+i-w:], n[keys+i+1:end])
	n.setCount(c - 1)
}

// openSlot makes room for a slot i with the byte b in a block that is large enough.
func (n node) openSlot(i int, b byte) {
	at, w := n.slots()
	c, end := n.count(), n.used()
	labels, keys := at+w*c, end-c
	copy(n[keys+i+w+1:], n[keys+i:end])
	n[keys+i+w] = b
	copy(n[labels+w:], n[labels:keys+i])
	copy(n[at+w*(i+1):], n[at+w*i:labels])
	n.setCount(c + 1)
}

// newNode returns a node with its labels and room for c slots, of which it has none.
func newNode(a *alloc.Arena, flags byte, prefix, suffix []byte, c int) (alloc.Ref, node) {
	need := headerBytes + len(prefix) + len(suffix)
	switch {
	case flags&isFan != 0:
		need += 9 * c
	case flags&hasValue != 0:
		need += 8 + 5*c
	default:
		need += 5 * c
	}
	size := alloc.UsableSize(need)
	r := a.Alloc(size)
	if r == 0 {
		return 0, nil
	}
	n := node(a.Bytes(r, size))
	n[0] = flags | byte(size/sizeUnit>>8)<<sizeShift
	n[1], n[2], n[3], n[4], n[5] = byte(len(prefix)), byte(len(suffix)), byte(size/sizeUnit), 0, 0
	at := n.labels()
	copy(n[at:], prefix)
	copy(n[at+len(prefix):], suffix)
	return r, n
}

// resized returns a copy of n with room for more slots than it has, or fewer if more is negative.
func (n node) resized(a *alloc.Arena, more int) (alloc.Ref, node) {
	_, w := n.slots()
	used := n.used()
	size := alloc.UsableSize(used + max(more, 0)*(w+1))
	r := a.Alloc(size)
	if r == 0 {
		return 0, nil
	}
	m := node(a.Bytes(r, size))
	copy(m, n[:used])
	m[0] = n[0]&(1<<sizeShift-1) | byte(size/sizeUnit>>8)<<sizeShift
	m[3] = byte(size / sizeUnit)
	return r, m
}
