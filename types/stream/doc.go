// Package stream is the value of a stream: entries of fields and values under ascending IDs, and the consumer groups that
// read them.
//
// # Blocks
//
// A stream's root is the ref of its header, a block of headerBytes. Entries lie in nodes: listpacks in the byte format of Redis,
// so that RDB and DUMP carry them as they are. The last node, the tail, is named by the header and has room to grow; when
// it is full it is moved to a block of its exact size and its place goes to a radix tree of nodes by ID. Few streams have
// anything but a header and a tail.
//
//	root.Data   ref of the header, 4 bytes, little-endian
//
//	header      length, entries ever added, last ID, first ID, greatest deleted ID
//	            nodes: rax, first ID of a node (16 bytes, big-endian) -> ref | length << 32 of its listpack
//	            tail: ref, length, room, first ID
//	            groups: rax, name -> ref of a group
//	group       last delivered ID, entries read, pending entries, consumers
//	            pending: rax, ID -> ref of a delivery | ref of its consumer << 32
//	            consumers: rax, name -> ref of a consumer
//	consumer    seen time, active time, pending entries, length of the name, name
//	            pending: rax, ID -> ref of a delivery, the one that the group has
//	delivery    time (unix ms), count: 16 bytes
//
// # A node
//
// A listpack of a master entry and up to stream-node-max-entries entries. Integers are listpack integers.
//
//	master      valid | deleted | n | field 1 ... field n | 0
//	entry       flags | ms | seq | value 1 ... value n | 3+n                       flags & sameFields
//	            flags | ms | seq | m | field 1 | value 1 ... field m | value m | 4+2m
//
// ms and seq are differences from the ID that the node has in the tree. The last element counts those of the entry before
// it, so that entries can be read backwards; the 0 ends that. A deleted entry has the flag deleted and stays until none of its
// node is left. The master entry's fields are those of the first entry.
package stream
