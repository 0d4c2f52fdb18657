package save

import (
	"github.com/shoaldb/shoal/persist/rdb"
)

// piece is bytes for the file. Strings that are worth a try are compressed by whoever writes, so they stand in buf as
// they are, and texts tells where.
type piece struct {
	buf   []byte
	texts []text
	long  []byte // a string that follows buf
	at    int    // of a lane's pieces that are put aside: number plus 1 of the one that belongs here

	spilled, from int64 // instead of all that: so many bytes of the side file, from there on
}

// text is where a string stands that is yet to be encoded.
type text struct{ from, to uint32 }

func (p *piece) bytes() int64 { return int64(len(p.buf)+len(p.long)) + int64(len(p.texts))*8 }

// minText is the length from which on strings are left to the writer, bytes.
const minText = 21

// buffer is a piece that is being filled.
type buffer struct {
	piece
	compress bool
	enc      rdb.Encoder // of small collections
}

// string appends a string.
func (x *buffer) string(s []byte) { x.buf = x.appendText(x.buf, s) }

// key appends the head of a key whose value follows.
func (x *buffer) key(name []byte, t rdb.Type, a rdb.Attributes) {
	x.buf = rdb.AppendKeyHead(x.buf, t, a)
	x.string(name)
}

// appendText appends s to dst, which is buf or what becomes of it.
func (x *buffer) appendText(dst, s []byte) []byte {
	if !x.compress || len(s) < minText {
		return rdb.AppendString(dst, s, false)
	}
	x.texts = append(x.texts, text{uint32(len(dst)), uint32(len(dst) + len(s))})
	return append(dst, s...)
}

// take returns what is in x and leaves it empty, without memory.
func (x *buffer) take() piece {
	p := x.piece
	x.piece = piece{}
	return p
}
