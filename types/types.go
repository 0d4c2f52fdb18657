package types

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/shoaldb/shoal/alloc"
)

// Type is the type of a value.
type Type uint8

const (
	String Type = iota
	List
	Set
	ZSet
	Hash
	Stream
)

var typeNames = [...]string{"string", "list", "set", "zset", "hash", "stream"}

// String returns the name that TYPE replies.
func (t Type) String() string { return typeNames[t] }

// Encoding is how a value is represented.
type Encoding uint8

const (
	Raw Encoding = iota
	Int
	EmbStr
	Listpack
	Quicklist
	Intset
	Hashtable
	Skiplist   // a B+tree with ranks; the name is the one that clients know
	StreamEnc  // a radix tree of listpacks
	ListpackEx // a hash of few fields, of which some have a time to live

	HashtableEx // Hashtable for a hash of which some fields have a time to live
)

var encodingNames = [...]string{
	"raw", "int", "embstr", "listpack", "quicklist", "intset", "hashtable", "skiplist", "stream", "listpackex",
	"hashtable",
}

// String returns the name that OBJECT ENCODING replies.
func (e Encoding) String() string { return encodingNames[e] }

// RootBytes is the size of a root in its key's entry.
const RootBytes = 16

// Root is a value as its key's entry keeps it: the entry's header has type and encoding, Data stands after the key. It owns
// the blocks of the arena that Data leads to.
type Root struct {
	Type     Type
	Encoding Encoding
	Data     RootData
}

// RootData is what an encoding keeps in a root. In memory the words are little-endian and follow each other. (They are
// words and no array of bytes, as the processor waits where it is to read whole what it has just written in parts: 5 %
// of LPUSH and HSET.)
type RootData struct{ Lo, Hi uint64 }

// Word returns the word whose first half in memory is a.
func Word(a, b uint32) uint64 { return uint64(a) | uint64(b)<<32 }

// LoadRoot reads what Store wrote to the first RootBytes bytes of b.
func LoadRoot(b []byte) RootData {
	b = b[:RootBytes]
	return RootData{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// Store writes d to the first RootBytes bytes of b.
func (d RootData) Store(b []byte) {
	b = b[:RootBytes]
	binary.LittleEndian.PutUint64(b, d.Lo)
	binary.LittleEndian.PutUint64(b[8:], d.Hi)
}

// ErrNoMemory says that a change was not made because its shard's arena can have no more memory.
var ErrNoMemory = errors.New("no memory")

// Space is where the values of one shard live. It is used under the shard's lock.
type Space struct {
	Arena *alloc.Arena
	seed  uint64 // of the hash of members and fields
	state uint64 // of Rand

	watchers map[Root]Watcher // of values; nil if none is watched
}

// NewSpace returns a space in a, whose hashes depend on seed: random per process, against hash flooding.
func NewSpace(a *alloc.Arena, seed uint64) *Space {
	return &Space{Arena: a, seed: seed, state: seed | 1}
}

// SeedRand gives Rand a sequence of its own. Spaces of one process share the seed of their hashes.
func (s *Space) SeedRand(seed uint64) { s.state = seed | 1 }

// SameHash tells whether the hashes of s are those of o.
func (s *Space) SameHash(o *Space) bool { return s.seed == o.seed }

// Hash returns the hash of a member or field.
func (s *Space) Hash(b []byte) uint64 { return xxh3.HashSeed(b, s.seed) }

// Rand returns a pseudo-random word (wyrand).
func (s *Space) Rand() uint64 {
	s.state += 0xa0761d6478bd642f
	hi, lo := bits.Mul64(s.state, s.state^0xe7037ed1a0b428db)
	return hi ^ lo
}

// RandN returns a pseudo-random number in [0, n); n > 0.
func (s *Space) RandN(n int) int {
	hi, _ := bits.Mul64(s.Rand(), uint64(n))
	return int(hi)
}

// Limits are the settings at which encodings give way to the next; see redis.conf of Redis 7.0, section ADVANCED CONFIG.
type Limits struct {
	HashListpackEntries int // hash-max-listpack-entries
	HashListpackValue   int // hash-max-listpack-value, bytes
	SetIntsetEntries    int // set-max-intset-entries
	ZSetListpackEntries int // zset-max-listpack-entries
	ZSetListpackValue   int // zset-max-listpack-value, bytes
	ListListpackSize    int // list-max-listpack-size: elements, or -1 to -5 for 4 to 64 KiB
	ListCompressDepth   int // list-compress-depth: nodes at both ends that stay uncompressed; 0: all
	ListAloneBytes      int // elements of so many bytes have a node of their own; 0: only those that no node takes
	StreamNodeBytes     int // stream-node-max-bytes; 0: no limit
	StreamNodeEntries   int // stream-node-max-entries; 0: no limit
	HLLSparseBytes      int // hll-sparse-max-bytes
}

// DefaultLimits are those of an empty redis.conf.
var DefaultLimits = Limits{
	HashListpackEntries: 512,
	HashListpackValue:   64,
	SetIntsetEntries:    512,
	ZSetListpackEntries: 128,
	ZSetListpackValue:   64,
	ListListpackSize:    -2,
	ListCompressDepth:   0,
	StreamNodeBytes:     4096,
	StreamNodeEntries:   100,
	HLLSparseBytes:      3000,
}
