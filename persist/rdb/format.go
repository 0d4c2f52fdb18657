package rdb

import "github.com/shoaldb/shoal/types"

const (
	// Version is that of what is written.
	Version = 10
	// VersionFieldTTL is that of hashes of which fields expire, and so of files that have some.
	VersionFieldTTL = 12
	// MaxVersion is the latest that is read.
	MaxVersion = 12
)

// Type is how a value is represented.
type Type uint8

// Types; see the package comment.
const (
	String           Type = 0
	List             Type = 1
	Set              Type = 2
	ZSet             Type = 3
	Hash             Type = 4
	ZSet2            Type = 5
	Module           Type = 6
	Module2          Type = 7
	HashZipmap       Type = 9
	ListZiplist      Type = 10
	SetIntset        Type = 11
	ZSetZiplist      Type = 12
	HashZiplist      Type = 13
	ListQuicklist    Type = 14
	StreamListpacks  Type = 15
	HashListpack     Type = 16
	ZSetListpack     Type = 17
	ListQuicklist2   Type = 18
	StreamListpacks2 Type = 19
	SetListpack      Type = 20
	StreamListpacks3 Type = 21
	HashTimedPre     Type = 22
	HashListpackPre  Type = 23
	HashTimed        Type = 24
	HashListpackEx   Type = 25
)

// Valid tells whether t is a type.
func (t Type) Valid() bool { return t <= Module2 || t >= HashZipmap && t <= HashListpackEx }

// Version returns the version from which there is the type.
func (t Type) Version() int {
	if t >= HashTimedPre && t <= HashListpackEx {
		return VersionFieldTTL
	}
	return Version
}

// What a record begins with that is no key.
const (
	opSlotInfo    = 244
	opFunction    = 245
	opFunctionPre = 246
	opModuleAux   = 247
	opIdle        = 248
	opFreq        = 249
	opAux         = 250
	opResizeDB    = 251
	opExpireMS    = 252
	opExpire      = 253
	opSelectDB    = 254
	opEOF         = 255
)

// Encodings of a string, with the two top bits that tell it from a length.
const (
	encInt8  = 0xC0
	encInt16 = 0xC1
	encInt32 = 0xC2
	encLZF   = 0xC3
)

// Lengths.
const (
	len14 = 0x40
	len32 = 0x80
	len64 = 0x81
)

// Containers of a node of ListQuicklist2.
const (
	plainNode  = 1
	packedNode = 2
)

const magic = "REDIS"

// kinds tells what a type is a representation of.
var kinds = [HashListpackEx + 1]types.Type{
	List: types.List, ListZiplist: types.List, ListQuicklist: types.List, ListQuicklist2: types.List,
	Set: types.Set, SetIntset: types.Set, SetListpack: types.Set,
	ZSet: types.ZSet, ZSet2: types.ZSet, ZSetZiplist: types.ZSet, ZSetListpack: types.ZSet,
	Hash: types.Hash, HashZipmap: types.Hash, HashZiplist: types.Hash, HashListpack: types.Hash, HashTimedPre: types.Hash,
	HashListpackPre: types.Hash, HashTimed: types.Hash, HashListpackEx: types.Hash,
	StreamListpacks: types.Stream, StreamListpacks2: types.Stream, StreamListpacks3: types.Stream,
}

// Kind returns what t represents. It is of no use for the types of modules.
func (t Type) Kind() types.Type { return kinds[t] }
