package shard

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/dict"
	"github.com/shoaldb/shoal/types/member"
)

// worthPrefetching is the size from which a table is too large for the processor's caches, in entries.
const worthPrefetching = 2000

// PrefetchMembers asks for the memory of the members or fields called names, if the value of k is a large table: several commands
// on one value then wait for memory together. The shard is locked.
func (db *DB) PrefetchMembers(k *Key, names [][]byte) {
	e := db.find(k)
	if e.h == nil || e.Type() == types.String {
		return
	}
	if t, ok := db.memberTable(e); ok && t.Len() >= worthPrefetching {
		member.Prefetch(db.shard.space, &t, names)
	}
}

// PeekValues appends the addresses of the first blocks of values to dst that are not in their entries. entries is a result of
// PeekEntries; like that PeekValues needs no lock, and what it returns serves only to prefetch.
func (k *Key) PeekValues(entries, dst []uintptr) []uintptr {
	for i := 0; i < len(entries); i += 2 {
		if entries[i] == 0 {
			continue
		}
		h := *alloc.PtrAt[header](entries[i])
		if !h.outside() || h.flags&(flagLarge|flagLongKey) != 0 {
			continue
		}
		at := headerBytes + int(h.klen)
		if h.flags&flagExpire != 0 {
			at += expireBytes
		}
		if types.Encoding(h.kind>>4) == types.Hashtable {
			at += 8 // dict.Table
		}
		ref := alloc.Ref(le32(alloc.PtrBytes(entries[i], at+4)[at:]))
		dst = append(dst, k.DB.shard.arena.Addr(ref))
	}
	return dst
}

// memberTable returns the table of a value that has one, in its root or at the beginning of the block that the root names first.
func (db *DB) memberTable(e Entry) (t dict.Table, ok bool) {
	data := db.value(e, payloadBytes)
	switch e.Encoding() {
	case types.Hashtable:
		return dict.Load(data), true
	case types.HashtableEx, types.Skiplist:
		return *alloc.At[dict.Table](db.shard.arena, alloc.Ref(le32(data))), true
	}
	return t, false
}
