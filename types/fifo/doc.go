// Package fifo is a queue of 4-byte records in off-heap memory, for eviction policies that keep keys in the order in which
// they came. As in package wheel a record is a part of a key's hash, so it needs no update when the key's memory moves, and
// that of a key that is gone does no harm.
//
//	first -> chunk -> chunk -> last      chunk: next 4 B | records, 4 B each
//
// Chunks have 256 bytes: a record takes 4.06 bytes in a long queue.
package fifo
