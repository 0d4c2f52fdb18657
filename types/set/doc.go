// Package set is the set type: few integers are an intset, everything else is a hash table. A set becomes a table when a
// member is added that is no integer, or one more than set-max-intset-entries; it never turns back.
//
//	root of an intset:      | intset.Block, 8 | 0, 8 |
//	root of a hashtable:    | dict.Table, 16         |
//
// The table refers to members, each in a block of its own with nothing behind it: see package member.
//
// A member of 16 bytes takes a block of 24 and its share of a bucket, some 8 bytes: half of what Redis needs for it. A table of
// up to ten members has one bucket of 64 bytes.
//
// # Reading many members
//
// A table that is not in the processor's caches costs two misses for every member that is looked up and one for every member that
// is listed. So [Iter] and [Value.Among] work in batches of members, whose misses overlap.
//
// All tables of a process hash alike. So the bucket and the fingerprint of a member in one table tell its bucket and
// its fingerprint in every table that is not larger: [Value.Among] compares fingerprints of the two buckets and neither
// hashes nor reads the members that only one of the tables has. An intersection of two sets of 1000 takes 33 ns a
// member, with hashing 41 (BenchmarkInter).
package set
