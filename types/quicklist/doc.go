// Package quicklist is a list of any length: a row of nodes, each a listpack of some kilobytes. Both ends and any index are
// reached quickly, and a change moves the bytes of one node.
//
// A list of one node is nothing but its listpack. A longer one has a directory of two levels: nodes are described in groups, and
// the spine names the groups. A list of 10 million elements of 16 bytes has 22,000 nodes in 350 groups; an index is found by
// adding up 350 numbers that lie side by side, then 64, and then within a listpack.
//
//	root        | block 8 B: Ref and size    | length 8 B    |   one node, or none
//	            | spine 4 B | number of nodes 4 B | length 8 B |   more; the top bit of length is set
//
//	spine       | groups 4 B | room 4 B | entry 12 B | entry | ...
//	entry       | group 4 B | elements 4 B | nodes 2 B | room 2 B |
//	group       | node 16 B | node | ...                           2 to 64, the room a power of two
//	node        | block 8 B: Ref and size | elements 4 B | form 4 B |
//	form        0, or the size before compression, or 2<<30 + bytes before the listpack, or 3<<30 + bytes after it
//
// # Sizes
//
// Up to which size a node takes another element is told at every change: by bytes or by elements, as list-max-listpack-size of
// redis.conf says. An element that is larger is alone in its node. A node's block is of the size class that its listpack
// needs, no more.
//
// But for the nodes at the ends of a list that has several: the first one has room before its listpack, and the last
// one after it, as soon as elements are pushed or popped there, which then moves no others. The room is at most as
// large as the listpack, and is given up when another node becomes the end.
//
// # Compression
//
// With list-compress-depth n > 0 all nodes but the first n and the last n are kept compressed by LZF, if they have 48 bytes
// and it saves 8. Reading one decompresses it to the side; a change puts it back in the same step.
package quicklist
