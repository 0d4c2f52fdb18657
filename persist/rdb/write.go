package rdb

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// The functions below append the parts of a file. Its writer computes the checksum of all that they have appended, piece by
// piece: crc = Checksum(crc, piece).

// AppendHeader appends the beginning of a file: of Version, or of VersionFieldTTL if there may be hashes of which fields expire.
func AppendHeader(dst []byte, version int) []byte { return fmt.Appendf(dst, "%s%04d", magic, version) }

// AppendAux appends an auxiliary field.
func AppendAux(dst []byte, name, value string) []byte {
	dst = AppendString(append(dst, opAux), []byte(name), false)
	return AppendString(dst, []byte(value), false)
}

// Info is what the auxiliary fields of a file tell.
type Info struct {
	RedisVersion string // of whom the writer is compatible with
	CreatedSec   int64  // unix time
	UsedMemory   int64  // bytes
	// Replication tells that the fields below it are known.
	Replication bool
	StreamDB    int
	ReplID      string
	ReplOffset  int64
	AOFBase     bool // the file is the base of an append only file
}

// AppendInfo appends the auxiliary fields with which Redis begins a file.
func AppendInfo(dst []byte, i *Info) []byte {
	number := func(name string, n int64) { dst = AppendAux(dst, name, strconv.FormatInt(n, 10)) }
	dst = AppendAux(dst, "redis-ver", i.RedisVersion)
	number("redis-bits", 64)
	number("ctime", i.CreatedSec)
	number("used-mem", i.UsedMemory)
	if i.Replication {
		number("repl-stream-db", int64(i.StreamDB))
		dst = AppendAux(dst, "repl-id", i.ReplID)
		number("repl-offset", i.ReplOffset)
	}
	base := int64(0)
	if i.AOFBase {
		base = 1
	}
	number("aof-base", base)
	return dst
}

// AppendFunction appends a library of functions.
func AppendFunction(dst []byte, code []byte, compress bool) []byte {
	return AppendString(append(dst, opFunction), code, compress)
}

// AppendDB appends that the keys that follow are in database db, which has so many, of which so many expire.
func AppendDB(dst []byte, db, keys, expires int) []byte {
	dst = AppendLen(append(dst, opSelectDB), uint64(db))
	return AppendLen(AppendLen(append(dst, opResizeDB), uint64(keys)), uint64(expires))
}

// AppendSelect is AppendDB where it is not known how large the database is.
func AppendSelect(dst []byte, db int) []byte { return AppendLen(append(dst, opSelectDB), uint64(db)) }

// Attributes are what is told of a key before it.
type Attributes struct {
	ExpireMS int64 // unix ms; 0: the key does not expire
	IdleSec  int64 // since its last access; -1: not told
	Freq     int   // LFU counter; -1: not told
}

// AppendKey appends a key, which its value follows.
func AppendKey(dst []byte, key []byte, t Type, a Attributes, compress bool) []byte {
	return AppendString(AppendKeyHead(dst, t, a), key, compress)
}

// AppendKeyHead appends what goes before the name of a key, which the value follows.
func AppendKeyHead(dst []byte, t Type, a Attributes) []byte {
	if a.ExpireMS != 0 {
		dst = appendMS(append(dst, opExpireMS), a.ExpireMS)
	}
	if a.IdleSec >= 0 {
		dst = AppendLen(append(dst, opIdle), uint64(a.IdleSec))
	}
	if a.Freq >= 0 {
		dst = append(dst, opFreq, byte(a.Freq))
	}
	return append(dst, byte(t))
}

// AppendEOF appends the end of a file, which AppendChecksum follows.
func AppendEOF(dst []byte) []byte { return append(dst, opEOF) }

// AppendChecksum appends the checksum of all that stands before it; 0 if there is to be none.
func AppendChecksum(dst []byte, crc uint64) []byte { return binary.LittleEndian.AppendUint64(dst, crc) }
