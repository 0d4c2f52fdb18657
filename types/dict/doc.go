// Package dict is the hash table of the keyspace and of large hashes, sets and sorted sets: an array of
// 64-byte buckets in off-heap memory that grows and shrinks in place, one bucket at a time.
//
// The table stores references and an 8-bit fingerprint of each; what a reference means, and
// whether two keys are equal, is the caller's business.
//
//	bucket, one cache line:
//	+----------------------+------+-----------------------------------------+
//	| 12 fingerprints, 1 B | next | 12 references, 4 B each                  |
//	+----------------------+------+-----------------------------------------+
//	0                     12     16                                        64
//
// A fingerprint of 0 marks a free slot. When the 13th entry meets a full bucket, next names an
// overflow bucket of the same form; chains are kept dense.
//
// # Growth
//
// Buckets are numbered as in linear hashing (Litwin, VLDB 1980): with n buckets and
// 2^L <= n < 2^(L+1), an entry of hash h lives in bucket h mod 2^(L+1) if that is below n, else in
// h mod 2^L. To grow, bucket n-2^L is split in two, the upper half becoming bucket n. Growth
// starts when there are more than 10 entries a bucket and goes on, one split per insertion, until
// the table has doubled; shrinking runs the same steps backwards from below 2 entries a bucket. So every step
// touches one bucket and its entries, there is never a second table, and memory follows the
// number of buckets, not its next power of two.
//
// Buckets lie in segments: the first holds one of them, each further one as many as all before it, so that the
// directory is a small array and buckets never move.
//
// # Table and Index
//
// A [Table] is 16 bytes without Go pointers, to be kept as the root of a value or in a larger off-heap struct: number of
// buckets, number of entries, a Ref, and flags with the number of overflow buckets. The Ref is that of the only segment, or of
// several segments' directory: a block of 8 Refs, or of 33 once there are more. So a table of 10 entries takes 64
// bytes, one of 130 some 1,056. A change works on a copy that its owner keeps afterwards; package member has what tables of
// members and fields share.
//
// An [Index] is a Table that knows the addresses of its segments besides, for the keyspace. Its first segment has 32 buckets.
// (With one bucket a hundred thousand keys in 64 shards took 50 % more memory: each size of block costs a shard a page
// or more.)
//
// # Use of the hash
//
// Bits 0-31 number the bucket, bits 24-31 are the fingerprint (independent of the bucket's number up to
// 16 million buckets). Bits 32-63 are not used here: the keyspace picks shards by them.
//
// # Concurrency
//
// One owner at a time (the shard's lock), except for [Index.Peek] and [Index.PeekRefs], which may
// run without it: they read words that may be changing and serve only to prefetch.
package dict
