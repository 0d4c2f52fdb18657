// Package sketch remembers roughly what has been asked for, in off-heap memory whose size is bounded by the number of
// keys that there are: how often ([Frequency]), and what has been evicted lately ([Ghosts]). Eviction policies use it.
//
// Both are tables of 64-byte blocks, one for as many keys as it serves well: a hash leads to one cache line and never
// further. A table grows by one block at a time: by linear hashing, block n begins as a copy of the block that its
// hashes led to before, so that nothing is forgotten and no step takes long.
package sketch
