// Package rax is an ordered map from byte strings to words of 8 bytes: a radix tree in an arena.
//
// Streams keep their listpacks in one, by ID, and the entries that consumers have not acknowledged; IDs are 16 bytes,
// big-endian, and mostly come in ascending order. Keys may be any bytes, empty ones and prefixes of each other included.
//
// # Nodes
//
// Every node has a compressed prefix: bytes that all keys below it go on with. There are two kinds.
//
// A branch tells its keys apart by their next byte, and each child takes what follows. A key may also end in the branch
// itself, after the prefix:
//
//	key = path | prefix                      (if hasValue)
//	key = path | prefix | byte i | child i
//
//	0      flags (2 bits), 0, size of the block in 8 bytes: bits 9-8 (2 bits)
//	1      length of the prefix
//	2      0
//	3      size of the block in 8 bytes: bits 7-0
//	4-5    number of children n, 0 to 256, little-endian
//	6      [value, 8 bytes, if hasValue]
//	       refs of n children, 4 bytes each
//	       prefix
//	       n bytes, ascending
//
// A fan holds keys that are alike but for one byte:
//
//	key = path | prefix | byte i | suffix
//
//	0-5    as above; byte 2 is the length of the suffix; n is 1 to 256
//	6      n values, 8 bytes each
//	       prefix
//	       suffix, the same for all keys
//	       n bytes, ascending
//
// So IDs of one millisecond (…-0, …-1, …-2) make up a fan, and so do those of subsequent milliseconds (7-0, 8-0, 9-0): 9
// bytes a key. A fan of one key may choose which of its bytes is the one that differs, so it waits for a second key with
// the choice. When a key comes that differs in more than that byte, a fan falls apart into a branch of fans.
//
// The keys of a fan have 255 bytes at most after its path; a longer key goes through branches of one child. A node that
// shrinks keeps its block until half of it is unused, and stays if there is no memory for a smaller one, so that Delete
// never fails.
package rax
