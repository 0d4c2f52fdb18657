// Package zset is the sorted set: members, each with a score, in the order of (score, member).
//
// A small one is a listpack of member, score, member, score ... in order, as Redis keeps it. A score that is a whole number up
// to 2^62 is an integer, any other the text of "%.17g". A set with more members than zset-max-listpack-entries, or a longer one
// than zset-max-listpack-value, is a "skiplist", as Redis calls it: a table by member and a B+tree by score.
//
//	Root.Data, listpack                 Root.Data, skiplist
//	+----------+-----------+---+        +----------+---+
//	| Ref, 4 B | size, 4 B | - |        | Ref, 4 B | - |
//	+----------+-----------+---+        +----|-----+---+
//	0          4           8  16             v
//	          head   | dict.Table, 16 B | btree.Root, 28 B | bytes of the members' blocks, 8 B |
//	                    |                  |
//	                    | buckets          | leaves: score and Ref of each member
//	                    v                  v
//	  member's block   | length, uvarint | member | score, 8 B |
//
// A member of 16 bytes takes a block of 32, some 7 bytes of buckets, and 12 to 15 of the tree.
package zset
