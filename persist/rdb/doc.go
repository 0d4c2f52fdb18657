// Package rdb is the format in which Redis keeps values outside of memory: RDB files and the payloads of DUMP and RESTORE. It
// turns values into bytes and bytes into values; it opens no files and knows no keyspace.
//
//	file     | "REDIS" | version, 4 digits | record | record | ... | 255 | CRC64, 8 B |        the checksum from version 5 on
//	payload  | type | value | version, 2 B | CRC64, 8 B |
//
//	record   | 250 | string | string                      an auxiliary field: name and value
//	         | 245 | string                               the code of a library of functions
//	         | 246 | name | engine | 0, or 1 and description | code        the same of Redis 7.0's release candidates
//	         | 247 | module | ...                         auxiliary data of a module
//	         | 254 | length                               what follows is in this database
//	         | 251 | length | length                      it has so many keys, of which so many expire
//	         | 244 | length | length | length             the same of a slot of a cluster
//	         | attribute ... | type | key | value         a key
//	attribute| 252 | unix ms, 8 B                         it expires
//	         | 253 | unix time, 4 B                       the same, up to version 2
//	         | 248 | length                               seconds since its last access
//	         | 249 | counter, 1 B                         its LFU counter
//
// A length is one of
//
//	00nnnnnn                      | 01nnnnnn nnnnnnnn            big-endian, as are the next two
//	10000000 | 4 B                | 10000001 | 8 B
//
// and a string one of
//
//	length | bytes
//	11000000 | 1 B      11000001 | 2 B      11000010 | 4 B       an integer, little-endian, that stands for its decimal form
//	11000011 | length | length before compression | LZF
//
// # Types
//
// What is written is understood by Redis 7.0 (version 10), unless fields of a hash expire (version 12). Types that are only read
// stand in brackets.
//
//	 0  string                                        a string
//	[1] n | string ...                                a list
//	 2  n | string ...                                a set
//	[3] n | (string | length or 253-255, text) ...    a sorted set with scores in decimal
//	 4  n | (field | value) ...                       a hash
//	 5  n | (string | float64) ...                    a sorted set
//	[6, 7] module                                     refused
//	[9] string: a zipmap                              a hash
//	[10, 12, 13] string: a ziplist                    a list, a sorted set, a hash
//	11  string: an intset                             a set
//	[14] n | string: a ziplist ...                    a list
//	[15], 19, [21]                                    a stream: without counters, with them, with the consumers' active times
//	16, 17, [20] string: a listpack                   a hash, a sorted set, a set
//	18  n | (1: an element, 2: a listpack) string ... a list
//	[22] n | (expiry | field | value) ...             a hash of which fields expire
//	24  first expiry | n | (0, or expiry less the first plus 1 | field | value) ...
//	[23] string: a listpack of fields, values and expiries;    25: with the first expiry before it
//
// Stream:
//
//	nodes | (16 B in a string: ID | string: listpack) ... | length | last ID | [first ID | greatest deleted ID | ever added]
//	groups | (name | last ID | [entries read] | pending | (ID, 16 B | unix ms, 8 B | deliveries) ...
//	         | consumers | (name | seen, 8 B | [active, 8 B] | pending | ID, 16 B ...) ...) ...
//
// # Writing
//
// Everything that writes appends to a slice of the caller's. An [Encoder] goes through a large value in steps.
//
// # Reading
//
// A [Decoder] reads from a slice or from an io.Reader. It believes no length: memory grows with the bytes that really
// arrive, and by no more than a stated multiple of them where they are compressed. Values are built where they will
// live, and whatever is found within them is checked, so that a value that comes out is one that the packages of the
// types could have made. What the sender did not check itself, as the order of a sorted set, is put right or refused.
package rdb
