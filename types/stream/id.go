package stream

import (
	"cmp"
	"encoding/binary"
	"math"
	"strconv"
)

// ID names an entry: a time (unix ms, as a rule) and a number among the entries of that time.
type ID struct{ MS, Seq uint64 }

// MaxID is the greatest ID.
var MaxID = ID{math.MaxUint64, math.MaxUint64}

// Compare returns -1, 0 or 1 as id is below, equal to or above other.
func (id ID) Compare(other ID) int {
	if c := cmp.Compare(id.MS, other.MS); c != 0 {
		return c
	}
	return cmp.Compare(id.Seq, other.Seq)
}

// Less tells whether id is below other.
func (id ID) Less(other ID) bool { return id.MS < other.MS || id.MS == other.MS && id.Seq < other.Seq }

// IsZero tells whether id is 0-0.
func (id ID) IsZero() bool { return id == ID{} }

// Next returns the ID after id; 0-0 and false if there is none.
func (id ID) Next() (ID, bool) {
	switch {
	case id.Seq < math.MaxUint64:
		return ID{id.MS, id.Seq + 1}, true
	case id.MS < math.MaxUint64:
		return ID{id.MS + 1, 0}, true
	}
	return ID{}, false
}

// Prev returns the ID before id; MaxID and false if there is none.
func (id ID) Prev() (ID, bool) {
	switch {
	case id.Seq > 0:
		return ID{id.MS, id.Seq - 1}, true
	case id.MS > 0:
		return ID{id.MS - 1, math.MaxUint64}, true
	}
	return MaxID, false
}

// Append appends id as text.
func (id ID) Append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, id.MS, 10)
	return strconv.AppendUint(append(dst, '-'), id.Seq, 10)
}

// String returns id as text.
func (id ID) String() string { return string(id.Append(nil)) }

// key is an ID such that the order of bytes is that of IDs.
type key [16]byte

func (id ID) key() (k key) {
	binary.BigEndian.PutUint64(k[:], id.MS)
	binary.BigEndian.PutUint64(k[8:], id.Seq)
	return k
}

func idOf(k []byte) ID { return ID{binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[8:])} }
