package rdb

import (
	"encoding/binary"

	"github.com/shoaldb/shoal/types/stream"
)

// idBytes is how many bytes an ID takes: two numbers, big-endian.
const idBytes = 16

func appendID(dst []byte, id stream.ID) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, id.MS), id.Seq)
}

func idOf(b []byte) stream.ID {
	return stream.ID{MS: binary.BigEndian.Uint64(b), Seq: binary.BigEndian.Uint64(b[8:])}
}
