// Package wheel is a hierarchical timing wheel of 4-byte records in off-heap memory: the expiry
// index of a database. (G. Varghese and T. Lauck, Hashed and Hierarchical Timing Wheels, SOSP 1987.)
//
// A record is due at a time; when it is due the caller gets it back and decides what it means. The
// keyspace stores 32 bits of a key's hash, so that a record needs no update when the key's
// memory moves, and a stale record does no harm.
//
// Level 0 has 256 slots of 4 ms, level 1 has 256 of 1.024 s, level 2 of 4.37 min, level 3 of 18.6 h and level 4 of 199
// days; what lies further ahead waits in the slot that comes back last, in 139 years. A record of a slot above level 0
// comes back when the slot begins, which may be earlier than its time: the caller adds it again.
//
//	slot -> chunk -> chunk ...      chunk: next 4 B | size 2 B | count 2 B | records, 4 B each
//
// A slot's first chunk takes 32 bytes, the next one 128, all others 512.
package wheel
