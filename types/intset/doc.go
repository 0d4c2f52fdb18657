// Package intset is a sorted array of integers in the byte format of Redis, in off-heap memory: what a set of few integers
// is, in memory as in RDB files and DUMP payloads.
//
//	+-----------------+---------------+----------+----------+-----+
//	| integer size, 4 | elements n, 4 | smallest |          | ... |   all little-endian
//	+-----------------+---------------+----------+----------+-----+
//	0                 4               8          8+size           8+size*n
//
// The integer size is 2, 4 or 8 bytes: what the widest integer that was ever added needs. Elements are signed and strictly
// ascending. When an integer is added that does not fit, all are widened; the new one is then the smallest or the
// largest. Removal does not narrow them again.
//
// Readers get the bytes as a slice. A [Block] is an intset in an arena, which grows by the arena's size classes: an addition that
// stays in its class moves nothing but the elements after the new one.
package intset
