package shard

import "github.com/shoaldb/shoal/alloc"

// EntryBytes returns what e takes: its blocks, each rounded up to its size class, and the mapping of a large string. Of
// the elements of a large hash or set it looks at samples, or at all if that is 0.
func (db *DB) EntryBytes(e Entry, samples int) int {
	n := db.entryBytes(e, samples)
	if e.h.flags&flagLarge != 0 {
		block, l := db.block(e)
		n += db.shard.large[le32(l.valueIn(block))].mem.Cap()
	}
	return n
}

// Address returns where e's block lies, for DEBUG OBJECT.
func (db *DB) Address(e Entry) uintptr { return db.shard.arena.Addr(e.ref) }

// Overhead returns the bytes that the hash table and the expiry index take.
func (db *DB) Overhead() (table, expires int) {
	for _, w := range db.expires.wheels() {
		expires += w.Bytes()
	}
	return db.table.Bytes(), expires
}

// Buckets returns the number of buckets of the hash table, and whether it is being resized.
func (db *DB) Buckets() (n int, resizing bool) { return db.table.Buckets(), db.table.Resizing() }

// BucketLen returns the number of entries in bucket i.
func (db *DB) BucketLen(i int) int {
	n := 0
	db.table.Visit(uint32(i), func(alloc.Ref) { n++ })
	return n
}
